//! `/events`: what is told, resumption, readers that are too slow.

mod common;

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use common::{Running, get};
use serde_json::{Value as Json, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// One event as it came.
#[derive(Clone, Debug)]
struct Event {
    id: String,
    name: String,
    data: Json,
}

/// A reader of the stream over a plain socket.
struct Reader {
    stream: TcpStream,
    text: String,
}

impl Reader {
    async fn connect(api: SocketAddr, path: &str, last: Option<&str>) -> Self {
        let stream = TcpStream::connect(api).await.unwrap();
        let mut reader = Self { stream, text: String::new() };
        let last = last.map_or(String::new(), |id| format!("Last-Event-ID: {id}\r\n"));
        let request = format!("GET {path} HTTP/1.1\r\nHost: {api}\r\n{last}\r\n");
        reader.stream.write_all(request.as_bytes()).await.unwrap();
        while !reader.text.contains("\r\n\r\n") {
            assert!(reader.more().await, "{}", reader.text);
        }
        let (head, rest) = reader.text.split_once("\r\n\r\n").unwrap();
        let head = head.to_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        assert!(head.contains("content-type: text/event-stream"), "{head}");
        reader.text = rest.to_owned();
        reader
    }

    async fn more(&mut self) -> bool {
        let mut buffer = vec![0; 65_536];
        let n = timeout(Duration::from_secs(20), self.stream.read(&mut buffer)).await;
        let n = n.expect("the stream is quiet").unwrap_or(0);
        self.text.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
        n > 0
    }

    /// The next event; none at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                let mut fields = HashMap::new();
                // Lines of the chunked coding have no ": ".
                for line in block.lines() {
                    if let Some((name, value)) = line.split_once(": ") {
                        fields.insert(name.to_owned(), value.to_owned());
                    }
                }
                let Some(name) = fields.remove("event") else { continue };
                let id = fields.remove("id").unwrap_or_default();
                let data = serde_json::from_str(&fields["data"]).unwrap();
                return Some(Event { id, name, data });
            }
            if !self.more().await {
                return None;
            }
        }
    }

    async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut seen = Vec::new();
        loop {
            let event = self.next().await.expect("the stream goes on");
            let found = wanted(&event);
            seen.push(event);
            if found {
                return seen;
            }
        }
    }
}

fn number(event: &Event) -> u64 {
    event.id.split_once('-').unwrap().1.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_told_once_and_a_reader_resumes_where_it_was() {
    let run = Running::start(&[("tps", "40")]).await;
    let api = run.api;
    let mut reader = Reader::connect(api, "/events", None).await;
    let validated = |event: &Event| event.name == "state" && event.data["state"] == "VALIDATED";
    let mut seen = reader.until(validated).await;
    drop(reader);
    // What happens without a reader is there when it comes again.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let last = seen.last().unwrap().id.clone();
    let mut reader = Reader::connect(api, "/events", Some(&last)).await;
    let after = number(seen.last().unwrap()) + 60;
    seen.extend(reader.until(|event| number(event) >= after).await);
    for pair in seen.windows(2) {
        assert_eq!(number(&pair[1]), number(&pair[0]) + 1, "{pair:?}");
    }
    for name in ["state", "ledger", "stats"] {
        assert!(seen.iter().any(|event| event.name == name), "no {name}");
    }
    let mut states: HashMap<String, Json> = HashMap::new();
    for event in seen.iter().filter(|event| event.name == "state") {
        let data = &event.data;
        let hash = data["tx_hash"].as_str().unwrap().to_owned();
        if let Some(before) = states.insert(hash, data["state"].clone()) {
            assert_eq!(data["previous_state"], before, "{data}");
        }
        if data["state"] == "VALIDATED" {
            assert!(data["validated_ledger"].as_u64() > Some(0), "{data}");
            assert!(data["finality_ms"].is_u64() && data["source"].is_string(), "{data}");
        }
    }
    let ledger = seen.iter().rfind(|event| event.name == "ledger").unwrap();
    for key in ["ledger_index", "ours", "complete", "backfilled", "open_ledger_fee"] {
        assert!(ledger.data.get(key).is_some(), "{key}: {}", ledger.data);
    }
    // Only what is asked for.
    let account = seen.iter().find(|e| e.name == "state").unwrap().data["account"].clone();
    let path = format!("/events?events=state&account={}", account.as_str().unwrap());
    let mut reader = Reader::connect(api, &path, Some(&seen[0].id)).await;
    for _ in 0..3 {
        let event = reader.next().await.unwrap();
        assert_eq!((event.name.as_str(), &event.data["account"]), ("state", &account));
    }
    // Another process's ids lead nowhere, and the reader is told so.
    let mut reader = Reader::connect(api, "/events", Some("1-7")).await;
    let gap = reader.next().await.unwrap();
    assert_eq!(gap.name, "gap");
    assert_eq!(gap.data, json!({"missed": null, "reason": "another_process"}));
    for (path, named) in [
        ("/events?events=all", "events:"),
        ("/events?account=x", "account:"),
        ("/events?last_event_id=7", "Last-Event-ID:"),
        ("/events?since=1", "since"),
    ] {
        let (status, code, message) = get(api, path).await.error();
        assert_eq!((status, code.as_str()), (400, "bad_request"), "{path}");
        assert!(message.contains(named), "{path}: {message}");
    }
    // A run that ends says so to whoever still reads.
    run.end().await;
    let end = reader.until(|event| event.name == "end").await;
    assert_eq!(end.last().unwrap().data["reason"], "shutdown");
    assert!(reader.next().await.is_none());
}
