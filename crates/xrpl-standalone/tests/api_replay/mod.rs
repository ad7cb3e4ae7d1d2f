//! Recorded requests and stream messages, sent to a server of ours and compared.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Map, Value as Json, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};
use xrpl_standalone::{Standalone, StandaloneConfig, node::NodeConfig};

use super::recordings;

/// Longest that an answer over loopback may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Members that tell of the machine or the moment, not of the ledger: that they are there is compared,
/// what they say is not.
const VOLATILE: &[&str] = &[
    "hostid",
    "pubkey_node",
    "uptime",
    "time",
    "random",
    "io_latency_ms",
    "age",
    "initial_sync_duration_us",
    "server_state_duration_us",
    "state_accounting",
    "ports",
    "duration_us",
    "converge_time",
    "converge_time_s",
    "job_types",
];

fn masked(json: &Json) -> Json {
    match json {
        Json::Object(members) => members
            .iter()
            // Of the sources that it was built from.
            .filter(|(key, _)| *key != "git")
            .map(|(key, value)| match (key.as_str(), value) {
                (name, _) if VOLATILE.contains(&name) => (key.clone(), "*".into()),
                // In the order of a hash table.
                ("destination_currencies", Json::Array(names)) => {
                    let names: BTreeSet<_> = names.iter().filter_map(Json::as_str).collect();
                    (key.clone(), names.into_iter().collect())
                }
                // The recordings are of two builds, of which one wrote fractions of an auction's end.
                ("expiration", Json::String(end)) => {
                    (key.clone(), end.replace(".000000000+", "+").into())
                }
                _ => (key.clone(), masked(value)),
            })
            .collect::<Map<_, _>>()
            .into(),
        Json::Array(list) => list.iter().map(masked).collect(),
        other => other.clone(),
    }
}

/// One WebSocket connection, and what it was told unasked.
struct Connection {
    socket: WebSocketStream<TcpStream>,
    heard: Vec<Json>,
}

impl Connection {
    async fn open(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        let (socket, _) = client_async(format!("ws://{addr}/"), stream).await.unwrap();
        Self { socket, heard: Vec::new() }
    }

    async fn ask(&mut self, message: Message) -> Json {
        self.socket.send(message).await.unwrap();
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await.unwrap().unwrap().unwrap();
            let Message::Text(text) = message else { continue };
            let message: Json = serde_json::from_str(&text).unwrap();
            match message["type"].as_str() {
                Some("response" | "error") => return message,
                _ => self.heard.push(message),
            }
        }
    }

    /// Everything that was sent before this call is heard after it.
    async fn catch_up(&mut self) {
        self.ask(Message::text(r#"{"command":"ping"}"#)).await;
    }
}

/// Sends a recorded HTTP request as it was; status and body.
async fn post(addr: SocketAddr, line: &Json, body: &str) -> (u64, String) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let method = line["http_method"].as_str().unwrap_or("POST");
    let path = line["path"].as_str().unwrap_or("/");
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n");
    if let Some(kind) = line["request_headers"]["Content-Type"].as_str() {
        head += &format!("Content-Type: {kind}\r\n");
    }
    head += &format!("Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

/// JSON, or else the text itself. What exactly a parser says of bad JSON is no part of the API.
fn read(text: &str) -> Json {
    const BAD: &str = "Unable to parse request:";
    match serde_json::from_str(text) {
        Ok(json) => json,
        Err(_) if text.starts_with(BAD) => BAD.into(),
        Err(_) => text.trim().into(),
    }
}

/// A request that is echoed as it came, without its spaces: this one is sent without.
fn spaced(json: &Json) -> Json {
    let mut json = json.clone();
    let echoed = json["value"].as_str().and_then(|text| serde_json::from_str(text).ok());
    match echoed {
        Some(value) if json["error"] == "jsonInvalid" => json["value"] = value,
        _ => {}
    }
    json
}

pub(crate) struct Replay {
    name: String,
    server: Standalone,
    connections: BTreeMap<String, Connection>,
    /// Stream messages as recorded, by connection.
    recorded: BTreeMap<String, Vec<Json>>,
    /// Close times of ledgers that a request closed.
    closes: BTreeMap<u64, u32>,
    labels: BTreeMap<String, usize>,
    pub(crate) total: usize,
    pub(crate) different: BTreeSet<String>,
    show: Option<String>,
}

fn connection_of(line: &Json) -> String {
    line["conn"].as_str().unwrap_or("main").to_owned()
}

fn start_config(lines: &[Json]) -> NodeConfig {
    let close_time = |line: &Json| {
        line["response"]["result"]["ledger"]["close_time"].as_u64().filter(|t| *t > 0)
    };
    recordings::node(lines, lines.iter().find_map(close_time).unwrap())
}

impl Replay {
    pub(crate) async fn run(name: &str, lines: &[Json]) -> Self {
        let node = start_config(lines);
        let loopback = ([127, 0, 0, 1], 0).into();
        let server = Standalone::start(StandaloneConfig {
            rpc_bind: loopback,
            ws_bind: loopback,
            start_time: Some(node.start_time),
            node,
            ..StandaloneConfig::default()
        })
        .await
        .unwrap();
        let mut this = Self {
            name: name.to_owned(),
            server,
            connections: BTreeMap::new(),
            recorded: BTreeMap::new(),
            closes: BTreeMap::new(),
            labels: BTreeMap::new(),
            total: 0,
            different: BTreeSet::new(),
            show: std::env::var("REPLAY_SHOW").ok(),
        };
        for message in lines.iter().map(|line| &line["message"]) {
            if message["type"] == "ledgerClosed" {
                let index = message["ledger_index"].as_u64().unwrap();
                this.closes.insert(index, message["ledger_time"].as_u64().unwrap() as u32);
            }
        }
        for line in lines {
            match line["step"].as_str().unwrap() {
                "submit" => this.submit(line),
                "accept" => this.accept(line),
                "note" => this.accept_unrecorded(line).await,
                "stream" => {
                    let heard = this.recorded.entry(connection_of(line)).or_default();
                    heard.push(masked(&line["message"]));
                }
                "request" if line["via"] == "rpc" => this.over_http(line).await,
                "request" => this.over_websocket(line).await,
                _ => {}
            }
        }
        this.compare_streams().await;
        this
    }

    fn submit(&mut self, line: &Json) {
        let fail_hard =
            [&line["fail_hard"], &line["request"]["fail_hard"], &line["params"]["fail_hard"]]
                .iter()
                .any(|flag| **flag == Json::Bool(true));
        let params = json!([{"tx_blob": line["tx_blob"], "fail_hard": fail_hard}]);
        let request =
            Map::from_iter([("method".to_owned(), "submit".into()), ("params".to_owned(), params)]);
        self.server.request(&request).unwrap();
    }

    fn accept(&mut self, line: &Json) {
        let time = line["close_time"].as_u64().unwrap() as u32;
        self.server.with_node(|node| node.accept_at(time));
    }

    /// Empty ledgers in a row that were not recorded one by one, nor what the streams said of them:
    /// each closed a second after the one before, as fast as they were asked for.
    async fn accept_unrecorded(&mut self, line: &Json) {
        for connection in self.connections.values_mut() {
            connection.catch_up().await;
        }
        let heard: Vec<_> = self.connections.values().map(|it| it.heard.len()).collect();
        for _ in 0..line["count"].as_u64().unwrap_or_default() {
            self.server.with_node(|node| {
                let after = node.closed().header.close_time + 1;
                node.accept_at(after)
            });
        }
        for (connection, before) in self.connections.values_mut().zip(heard) {
            connection.catch_up().await;
            connection.heard.truncate(before);
        }
    }

    /// Closes a ledger that a request closed, at the time that the streams tell.
    fn accept_requested(&self) {
        let index = u64::from(self.server.with_node(|node| node.current_index()));
        match self.closes.get(&index) {
            Some(time) => drop(self.server.with_node(|node| node.accept_at(*time))),
            None => drop(self.server.accept().unwrap()),
        }
    }

    async fn over_http(&mut self, line: &Json) {
        let body = match &line["request_raw"] {
            Json::String(raw) => raw.clone(),
            _ if line["request"].is_object() => line["request"].to_string(),
            _ => String::new(),
        };
        let request = read(&body);
        if request["method"] == "ledger_accept" && line["response"]["result"]["status"] == "success"
        {
            return self.accept_requested();
        }
        let (status, ours) = post(self.server.rpc_addr, line, &body).await;
        // What was no JSON is recorded as a text.
        let theirs = line["response_text"].as_str().or(line["response"].as_str());
        let theirs = theirs.map_or_else(|| line["response"].clone(), read);
        let theirs = json!({"status": line["http_status"], "body": theirs});
        self.compare(
            "rpc",
            line,
            &request,
            &json!({"status": status, "body": read(&ours)}),
            &theirs,
        );
    }

    async fn over_websocket(&mut self, line: &Json) {
        let raw = line["request_raw"].as_str();
        let text = raw.map_or_else(|| line["request"].to_string(), str::to_owned);
        let request = read(&text);
        if request["command"] == "ledger_accept" && line["response"]["status"] == "success" {
            return self.accept_requested();
        }
        let message = match line["label"] == "binary frame" {
            true => Message::binary(const_hex::decode(&text).unwrap()),
            false => Message::text(text),
        };
        let name = connection_of(line);
        if !self.connections.contains_key(&name) {
            let opened = Connection::open(self.server.ws_addr).await;
            self.connections.insert(name.clone(), opened);
        }
        let ours = self.connections.get_mut(&name).unwrap().ask(message).await;
        self.compare("ws", line, &request, &ours, &line["response"]);
    }

    async fn compare_streams(&mut self) {
        let mut heard = BTreeMap::new();
        for (name, connection) in &mut self.connections {
            connection.catch_up().await;
            heard.insert(name.clone(), std::mem::take(&mut connection.heard));
        }
        for (name, theirs) in std::mem::take(&mut self.recorded) {
            let ours: Vec<Json> =
                heard.remove(&name).unwrap_or_default().iter().map(masked).collect();
            self.total += 1;
            if ours == theirs {
                continue;
            }
            let label = format!("{} stream {name}", self.name);
            if self.show.as_deref().is_some_and(|show| show == "streams" || show == "all") {
                let at = ours.iter().zip(&theirs).position(|(a, b)| a != b);
                let at = at.unwrap_or(ours.len().min(theirs.len()));
                println!("{label}: {} for {}, first at {at}", ours.len(), theirs.len());
                let of = |list: &[Json]| list.get(at).cloned().unwrap_or_default();
                println!("  ours   {}\n  theirs {}", of(&ours), of(&theirs));
            }
            self.different.insert(label);
        }
    }

    fn compare(&mut self, via: &str, line: &Json, request: &Json, ours: &Json, theirs: &Json) {
        let (ours, theirs) = (masked(&spaced(ours)), masked(&spaced(theirs)));
        let method = request["method"].as_str().or(request["command"].as_str()).unwrap_or("-");
        let mut label = match line["label"].as_str() {
            Some(label) => format!("{} {via}: {label}", self.name),
            None => {
                let mut shown = request.clone();
                if let Some(shown) = shown.as_object_mut() {
                    shown.remove("id");
                    shown.remove("method");
                    shown.remove("command");
                }
                let mut shown = shown["params"].get(0).unwrap_or(&shown).to_string();
                if let Some((cut, _)) = shown.char_indices().nth(200) {
                    shown.truncate(cut);
                }
                format!("{} {via} {method} {shown}", self.name)
            }
        };
        let n = self.labels.entry(label.clone()).or_default();
        *n += 1;
        if *n > 1 {
            label += &format!(" #{n}");
        }
        self.total += 1;
        if ours == theirs {
            return;
        }
        if self.show.as_deref().is_some_and(|show| show == method || show == "all") {
            println!("{label}\n  ours   {ours}\n  theirs {theirs}");
        }
        self.different.insert(label);
    }
}
