//! A scripted node over pipes in memory: JSON-RPC and WebSocket, no socket, no thread, so that the
//! whole tracker runs under tokio's virtual clock.

#![allow(dead_code, missing_docs, unreachable_pub, missing_debug_implementations)]

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    sync::mpsc,
};
use tokio_tungstenite::{accept_async, tungstenite::Message};
use tokio_util::sync::CancellationToken;
use url::Url;
use xrpl_client::{
    Connector, Endpoint, Pool, PoolConfig,
    connect::{BoxedIo, Connecting},
};
use xrpl_protocol::{
    AccountId, Definitions, Drops, Hash256, LedgerHeader, LedgerIndex, Object, Sequence, TxHash,
    hash::transaction_hash,
    keys::{KeyPair, KeyType, Seed},
    sign::SignedTransaction,
    transaction::{Common, Direct, Payment, Slot},
    transaction_tree,
};
use xrpl_tracker::{Outcome, Store, Submission, Tracker, TrackerConfig};

/// What the node does with a submission.
#[derive(Clone, Debug)]
pub enum Reply {
    Result(&'static str),
    Error(&'static str),
    /// Never answers.
    Hang,
    /// Takes the request and closes the connection.
    Break,
}

#[derive(Clone, Debug)]
pub struct LedgerTx {
    pub tx: Json,
    pub result: String,
}

pub type OnSubmit = Box<dyn FnMut(TxHash) + Send>;

pub struct Script {
    /// Distinguishes one chain from another.
    pub chain: u8,
    /// Headers are told wrong by this much; their hashes are not.
    pub headers_bent: u32,
    pub network_id: u32,
    pub head: u32,
    pub ledgers: BTreeMap<u32, Vec<LedgerTx>>,
    /// Answers to `submit`, in order; then `tesSUCCESS`.
    pub replies: VecDeque<Reply>,
    pub submitted: Vec<TxHash>,
    /// Those of them sent with `fail_hard`.
    pub submitted_hard: Vec<TxHash>,
    /// It passes everything on, as a node that is not in sync does.
    pub relays: bool,
    /// What `tx` finds with `validated: false`.
    pub held: BTreeSet<TxHash>,
    pub searched_all: bool,
    /// Ledgers that `ledger` does not have.
    pub lost: BTreeSet<u32>,
    /// Transactions that `ledger` leaves out.
    pub left_out: BTreeSet<TxHash>,
    /// Ledgers about which `ledger` never answers.
    pub silent: BTreeSet<u32>,
    pub ledger_fails: bool,
    /// What a `ledger` that fails is answered with.
    pub ledger_token: &'static str,
    pub tx_fails: bool,
    /// It does not say where it is.
    pub state_fails: bool,
    pub history: Vec<Json>,
    /// Answers to `ledger` that a real node gave, by index.
    pub recorded: BTreeMap<u32, Json>,
    /// Headers by chain, as far as they were wanted.
    headers: Mutex<BTreeMap<u8, Vec<LedgerHeader>>>,
    /// Hashes of ledgers that a real node told.
    pub hashes: BTreeMap<u32, Hash256>,
    /// The account's next Sequence in every validated ledger, and its Tickets; without them nothing is
    /// said of it.
    pub account: Option<(u32, BTreeSet<u32>)>,
    /// No ledger has the account.
    pub no_account: bool,
    pub refuse_rpc: bool,
    pub refuse_ws: bool,
    /// A new connection for requests panics in the client, as a bug there would.
    pub connecting_panics: bool,
    pub calls: BTreeMap<String, u32>,
    /// What each `subscribe` asked for.
    pub subscribed: Vec<Json>,
    /// Called when a submission arrives.
    pub on_submit: Option<OnSubmit>,
    sockets: Vec<Socket>,
}

struct Socket {
    send: mpsc::UnboundedSender<Message>,
    end: CancellationToken,
    /// It asked for transactions.
    transactions: Arc<AtomicBool>,
}

#[derive(Clone)]
pub struct Node(pub Arc<Mutex<Script>>);

struct Pipes(Vec<(String, Node)>);

impl std::fmt::Debug for Pipes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pipes")
    }
}

impl Connector for Pipes {
    fn connect<'a>(&'a self, url: &'a Url) -> Connecting<'a> {
        Box::pin(async move {
            let node = &self.0.iter().find(|(host, _)| Some(host.as_str()) == url.host_str());
            let node = node.ok_or_else(|| io::Error::other("no such host"))?.1.clone();
            let ws = url.scheme() == "ws";
            {
                let script = node.0.lock();
                assert!(ws || !script.connecting_panics, "on purpose");
                if (ws && script.refuse_ws) || (!ws && script.refuse_rpc) {
                    return Err(io::ErrorKind::ConnectionRefused.into());
                }
            }
            let (ours, theirs) = duplex(1 << 20);
            if ws {
                tokio::spawn(node.serve_ws(theirs));
            } else {
                tokio::spawn(node.serve_http(theirs));
            }
            Ok(Box::new(ours) as BoxedIo)
        })
    }
}

impl Node {
    /// A node whose newest validated ledger is 10, all of them empty.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Script {
            chain: 1,
            headers_bent: 0,
            network_id: 7,
            head: 10,
            ledgers: (1..=10).map(|n| (n, Vec::new())).collect(),
            replies: VecDeque::new(),
            submitted: Vec::new(),
            submitted_hard: Vec::new(),
            relays: false,
            held: BTreeSet::new(),
            searched_all: false,
            lost: BTreeSet::new(),
            left_out: BTreeSet::new(),
            silent: BTreeSet::new(),
            ledger_fails: false,
            ledger_token: "lgrNotFound",
            tx_fails: false,
            state_fails: false,
            history: Vec::new(),
            recorded: BTreeMap::new(),
            headers: Mutex::default(),
            hashes: BTreeMap::new(),
            account: None,
            no_account: false,
            refuse_rpc: false,
            refuse_ws: false,
            connecting_panics: false,
            calls: BTreeMap::new(),
            subscribed: Vec::new(),
            sockets: Vec::new(),
            on_submit: None,
        })))
    }

    pub fn set(&self, change: impl FnOnce(&mut Script)) {
        let script = &mut *self.0.lock();
        change(script);
        // What they cover may be another now.
        script.headers.get_mut().clear();
    }

    pub fn reply(&self, replies: &[Reply]) {
        self.0.lock().replies.extend(replies.iter().cloned());
    }

    pub fn calls(&self, method: &str) -> u32 {
        self.0.lock().calls.get(method).copied().unwrap_or(0)
    }

    pub fn submissions(&self, hash: TxHash) -> usize {
        self.0.lock().submitted.iter().filter(|h| **h == hash).count()
    }

    pub fn connections(&self) -> usize {
        self.0.lock().sockets.iter().filter(|socket| !socket.end.is_cancelled()).count()
    }

    /// Whether a connection is shown transactions.
    pub fn shows_transactions(&self) -> bool {
        let script = self.0.lock();
        let mut open = script.sockets.iter().filter(|socket| !socket.end.is_cancelled());
        open.any(|socket| socket.transactions.load(Relaxed))
    }

    /// Ends every WebSocket connection, as a broken network would.
    pub fn drop_sockets(&self) {
        for socket in self.0.lock().sockets.drain(..) {
            socket.end.cancel();
        }
    }

    pub fn send_raw(&self, text: impl Into<String>) {
        let text = text.into();
        for socket in &self.0.lock().sockets {
            let _ = socket.send.send(Message::text(text.clone()));
        }
    }

    /// Validates a ledger without telling any stream.
    pub fn close_silently(&self, txs: &[(&SignedTransaction, &str)]) -> u32 {
        let mut script = self.0.lock();
        script.head += 1;
        let index = script.head;
        let all = txs
            .iter()
            .map(|(tx, result)| LedgerTx { tx: tx_json(tx), result: (*result).to_owned() })
            .collect();
        script.ledgers.insert(index, all);
        index
    }

    /// Validates a ledger and tells the streams: `ledgerClosed`, then its transactions.
    pub fn close(&self, txs: &[(&SignedTransaction, &str)]) -> u32 {
        let index = self.close_silently(txs);
        self.tell_closed(index);
        for n in 0..txs.len() {
            self.tell_tx(index, n);
        }
        index
    }

    pub fn tell_closed(&self, index: u32) {
        let text = self.0.lock().closed_message(index).to_string();
        self.send_raw(text);
    }

    pub fn tell_tx(&self, index: u32, n: usize) {
        let script = self.0.lock();
        let text = script.stream_message(index, n).to_string();
        for socket in script.sockets.iter().filter(|socket| socket.transactions.load(Relaxed)) {
            let _ = socket.send.send(Message::text(text.clone()));
        }
    }

    async fn serve_http(self, mut io: DuplexStream) {
        let mut buffer = Vec::new();
        loop {
            let head = loop {
                if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                    break at + 4;
                }
                match io.read_buf(&mut buffer).await {
                    Ok(n) if n > 0 => {}
                    _ => return,
                }
            };
            let text = String::from_utf8_lossy(&buffer[..head]).to_lowercase();
            let length: usize = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .and_then(|n| n.trim().parse().ok())
                .unwrap_or(0);
            while buffer.len() < head + length {
                match io.read_buf(&mut buffer).await {
                    Ok(n) if n > 0 => {}
                    _ => return,
                }
            }
            let body: Json = serde_json::from_slice(&buffer[head..head + length]).unwrap();
            buffer.drain(..head + length);
            if self.0.lock().refuse_rpc {
                return;
            }
            let method = body["method"].as_str().unwrap().to_owned();
            let answer = self.0.lock().answer(&method, &body["params"][0]);
            let result = match answer {
                Answer::Result(result) => result,
                Answer::Hang => std::future::pending().await,
                Answer::Break => return,
            };
            let text = json!({"result": result}).to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                text.len()
            );
            if io.write_all(format!("{head}{text}").as_bytes()).await.is_err() {
                return;
            }
        }
    }

    async fn serve_ws(self, io: DuplexStream) {
        let Ok(mut stream) = accept_async(io).await else { return };
        let (to_send, mut outgoing) = mpsc::unbounded_channel();
        let end = CancellationToken::new();
        let transactions = Arc::new(AtomicBool::new(false));
        self.0.lock().sockets.push(Socket {
            send: to_send,
            end: end.clone(),
            transactions: Arc::clone(&transactions),
        });
        let _gone = end.clone().drop_guard();
        loop {
            tokio::select! {
                () = end.cancelled() => return,
                message = outgoing.recv() => {
                    let Some(message) = message else { return };
                    if stream.send(message).await.is_err() {
                        return;
                    }
                }
                message = stream.next() => {
                    let Some(Ok(Message::Text(text))) = message else { return };
                    let request: Json = serde_json::from_str(&text).unwrap();
                    let method = request["command"].as_str().unwrap();
                    let answer = self.0.lock().answer(method, &request);
                    let named = |list: &str| request[list].as_array().into_iter().flatten();
                    let all = named("streams").any(|stream| stream == "transactions");
                    match method {
                        "subscribe" if all || named("accounts").next().is_some() => {
                            transactions.store(true, Relaxed);
                        }
                        "unsubscribe" if all => transactions.store(false, Relaxed),
                        _ => {}
                    }
                    if let Answer::Result(result) = answer {
                        let text = json!({"id": request["id"], "type": "response",
                            "status": "success", "result": result});
                        let _ = stream.send(Message::text(text.to_string())).await;
                    }
                }
            }
        }
    }
}

enum Answer {
    Result(Json),
    Hang,
    Break,
}

impl Script {
    pub fn hash(&self, index: u32) -> Hash256 {
        self.hashes.get(&index).copied().unwrap_or_else(|| self.header(index).hash)
    }

    /// The header of a ledger of this chain; ledger 1 is the first.
    fn header(&self, index: u32) -> LedgerHeader {
        let mut made = self.headers.lock();
        let made = made.entry(self.chain).or_default();
        while made.len() < index as usize {
            let index = made.len() as u32 + 1;
            let mut header = LedgerHeader {
                index,
                hash: Hash256::ZERO,
                parent_hash: made.last().map_or(Hash256::ZERO, |last: &LedgerHeader| last.hash),
                total_coins: u64::from(self.chain),
                account_hash: Hash256::ZERO,
                transaction_hash: self.transaction_hash(index),
                parent_close_time: index - 1,
                close_time: index,
                close_time_resolution: 10,
                close_flags: 0,
            };
            header.hash = header.compute_hash();
            made.push(header);
        }
        made[index as usize - 1].clone()
    }

    fn transaction_hash(&self, index: u32) -> Hash256 {
        let count = self.ledgers.get(&index).map_or(0, Vec::len);
        transaction_tree::root((0..count).map(|n| {
            let (hash, blob, meta) = parts(&self.ledgers[&index][n].tx, &self.meta(index, n));
            (hash, transaction_tree::leaf(&blob, &meta, &hash))
        }))
    }

    fn found(&self, hash: &str) -> Option<(u32, usize)> {
        self.ledgers.iter().find_map(|(index, txs)| {
            txs.iter().position(|one| one.tx["hash"] == hash).map(|n| (*index, n))
        })
    }

    fn meta(&self, index: u32, n: usize) -> Json {
        json!({"AffectedNodes": [{"ModifiedNode": {"LedgerEntryType": "AccountRoot"}}],
            "TransactionIndex": n, "TransactionResult": self.ledgers[&index][n].result})
    }

    /// The list of hashes of the ledgers before one that is named by its hash.
    fn list(&self, params: &Json) -> Option<Json> {
        use xrpl_protocol::object_id::{skip_list, skip_list_of};
        let of = params["ledger_hash"].as_str().unwrap();
        let kept = |index: u32| !self.lost.contains(&index) && !self.ledger_fails;
        let of = (1..=self.head).rev().find(|i| kept(*i) && self.hash(*i).to_string() == of)?;
        let key = params["index"].as_str().unwrap();
        let listed: Vec<u32> = if key == skip_list().to_string() {
            (of.saturating_sub(256).max(1)..of).collect()
        } else {
            let flags = (1..of).filter(|index| index % 256 == 0);
            flags.filter(|index| key == skip_list_of(*index).to_string()).collect()
        };
        let hashes: Vec<_> = listed.iter().map(|index| self.hash(*index)).collect();
        Some(json!({"validated": true,
            "node": {"Hashes": hashes, "LastLedgerSequence": listed.last()?}}))
    }

    /// The answer to `ledger`.
    pub fn ledger_answer(&self, index: u32) -> Json {
        let left_out = |n: &usize| {
            let hash = self.ledgers[&index][*n].tx["hash"].as_str().unwrap().parse().unwrap();
            self.left_out.contains(&hash)
        };
        let txs: Vec<Json> = (0..self.ledgers[&index].len())
            .filter(|n| !left_out(n))
            .map(|n| {
                let mut tx = self.ledgers[&index][n].tx.clone();
                tx["metaData"] = self.meta(index, n);
                tx
            })
            .collect();
        let header = self.header(index);
        json!({"validated": true, "ledger_index": index, "ledger_hash": header.hash,
            "ledger": {"ledger_index": index.to_string(), "parent_hash": header.parent_hash,
                "total_coins": header.total_coins.to_string(),
                "account_hash": header.account_hash,
                "transaction_hash": header.transaction_hash,
                "parent_close_time": header.parent_close_time + self.headers_bent,
                "close_time": header.close_time, "close_time_resolution": 10,
                "close_flags": 0, "transactions": txs}})
    }

    pub fn closed_message(&self, index: u32) -> Json {
        json!({"type": "ledgerClosed", "ledger_index": index,
            "ledger_hash": self.hash(index), "txn_count": self.ledgers[&index].len(),
            "fee_base": 10, "reserve_base": 1_000_000, "reserve_inc": 200_000,
            "ledger_time": index, "network_id": self.network_id})
    }

    pub fn stream_message(&self, index: u32, n: usize) -> Json {
        let one = &self.ledgers[&index][n];
        json!({"type": "transaction", "validated": true, "status": "closed",
            "engine_result": one.result, "ledger_index": index, "ledger_hash": self.hash(index),
            "meta": self.meta(index, n), "transaction": one.tx})
    }

    fn answer(&mut self, method: &str, params: &Json) -> Answer {
        *self.calls.entry(method.to_owned()).or_default() += 1;
        let error = |token: &str| Answer::Result(json!({"error": token, "status": "error"}));
        Answer::Result(match method {
            "server_state" if self.state_fails => return error("internal"),
            "server_state" => json!({"state": {"server_state": "full",
                "network_id": self.network_id,
                "validated_ledger": {"base_fee": 10, "close_time": self.head,
                    "hash": self.hash(self.head), "reserve_base": 1_000_000,
                    "reserve_inc": 200_000, "seq": self.head}}}),
            "subscribe" => {
                self.subscribed.push(params.clone());
                json!({"ledger_index": self.head, "ledger_hash": self.hash(self.head),
                    "fee_base": 10, "reserve_base": 1_000_000, "reserve_inc": 200_000,
                    "ledger_time": self.head})
            }
            "ping" | "unsubscribe" => json!({}),
            "submit" => {
                let blob = const_hex::decode(params["tx_blob"].as_str().unwrap()).unwrap();
                let hash = transaction_hash(&blob);
                self.submitted.push(hash);
                if params["fail_hard"] == true {
                    self.submitted_hard.push(hash);
                }
                if let Some(call) = &mut self.on_submit {
                    call(hash);
                }
                match self.replies.pop_front().unwrap_or(Reply::Result("tesSUCCESS")) {
                    Reply::Result(name) => {
                        let applied = name.starts_with("tes")
                            || name.starts_with("tec") && params["fail_hard"] != true;
                        json!({"engine_result": name, "accepted": true, "applied": applied,
                            "broadcast": applied || self.relays || name == "terQUEUED",
                            "queued": name == "terQUEUED", "kept": params["fail_hard"] != true,
                            "open_ledger_cost": "12", "validated_ledger_index": self.head})
                    }
                    Reply::Error(token) => return error(token),
                    Reply::Hang => return Answer::Hang,
                    Reply::Break => return Answer::Break,
                }
            }
            "ledger" => {
                let index = match params["ledger_hash"].as_str() {
                    Some(hash) => (1..=self.head).find(|i| self.hash(*i).to_string() == hash),
                    None => params["ledger_index"].as_u64().map(|index| index as u32),
                };
                let unknown = params["ledger_hash"].is_string() && index.is_none();
                if unknown {
                    return error("lgrNotFound");
                }
                let index = index.unwrap_or(self.head);
                if self.silent.contains(&index) {
                    return Answer::Hang;
                }
                if self.ledger_fails {
                    return error(self.ledger_token);
                }
                if self.lost.contains(&index) || index > self.head {
                    return error("lgrNotFound");
                }
                let recorded = self.recorded.get(&index).cloned();
                let answer = recorded.unwrap_or_else(|| self.ledger_answer(index));
                if params["binary"] == true { in_binary(&answer) } else { answer }
            }
            "tx" => {
                let hash = params["transaction"].as_str().unwrap();
                if self.tx_fails {
                    return error("internal");
                }
                match self.found(hash) {
                    Some((index, n)) => {
                        let mut tx = self.ledgers[&index][n].tx.clone();
                        tx["validated"] = true.into();
                        tx["ledger_index"] = index.into();
                        if params["api_version"] == 2 {
                            tx["ledger_hash"] = self.hash(index).to_string().into();
                        }
                        tx["meta"] = self.meta(index, n);
                        tx
                    }
                    None if self.held.contains(&hash.parse().unwrap()) => {
                        json!({"hash": hash, "validated": false})
                    }
                    None => json!({"error": "txnNotFound", "status": "error",
                        "searched_all": self.searched_all && !params["min_ledger"].is_null()}),
                }
            }
            "account_tx" => json!({"transactions": self.history, "validated": true}),
            "ledger_entry" if params["index"].is_string() => match self.list(params) {
                Some(list) => list,
                None => return error("lgrNotFound"),
            },
            "account_info" | "ledger_entry" => {
                let hash = params["ledger_hash"].as_str().unwrap_or_default();
                let asked = (1..=self.head).rev().find(|n| self.hash(*n).to_string() == hash);
                let Some(index) = asked else { return error("lgrNotFound") };
                let of = json!({"validated": true, "ledger_index": index, "ledger_hash": hash});
                match (&self.account, method) {
                    _ if self.no_account => return error("actNotFound"),
                    (None, _) => return error("tooBusy"),
                    (Some((next, _)), "account_info") => {
                        let mut answer = of;
                        answer["account_data"] = json!({"Sequence": next});
                        answer
                    }
                    (Some((_, tickets)), _) => {
                        let number = params["ticket"]["ticket_seq"].as_u64().unwrap() as u32;
                        if !tickets.contains(&number) {
                            return error("entryNotFound");
                        }
                        of
                    }
                }
            }
            _ => return error("unknownCmd"),
        })
    }
}

/// A transaction's hash, its blob and its metadata, from how `ledger` shows them.
fn parts(tx: &Json, meta: &Json) -> (TxHash, Vec<u8>, Vec<u8>) {
    // Members that begin otherwise, and `DeliverMax`, are what xrpld adds.
    let encoded = |json: &Json| {
        let mut fields = json.as_object().unwrap().clone();
        fields.retain(|name, _| name.starts_with(char::is_uppercase) && name != "DeliverMax");
        Object::from_json(&Json::Object(fields), Definitions::builtin()).unwrap().encode()
    };
    let blob = encoded(tx);
    (transaction_hash(&blob), blob, encoded(meta))
}

/// The same answer to `ledger` in binary.
fn in_binary(answer: &Json) -> Json {
    let shown = &answer["ledger"];
    let number = |json: &Json| match json {
        Json::String(text) => text.parse::<u64>().unwrap(),
        json => json.as_u64().unwrap(),
    };
    let hash = |name: &str| shown[name].as_str().unwrap().parse().unwrap();
    let header = LedgerHeader {
        index: number(&shown["ledger_index"]) as u32,
        hash: Hash256::ZERO,
        parent_hash: hash("parent_hash"),
        total_coins: number(&shown["total_coins"]),
        account_hash: hash("account_hash"),
        transaction_hash: hash("transaction_hash"),
        parent_close_time: number(&shown["parent_close_time"]) as u32,
        close_time: number(&shown["close_time"]) as u32,
        close_time_resolution: number(&shown["close_time_resolution"]) as u8,
        close_flags: number(&shown["close_flags"]) as u8,
    };
    let txs = shown["transactions"].as_array().unwrap().iter().map(|tx| {
        let (_, blob, meta) = parts(tx, &tx["metaData"]);
        json!({"tx_blob": const_hex::encode_upper(blob), "meta": const_hex::encode_upper(meta)})
    });
    json!({"validated": answer["validated"], "ledger_hash": answer["ledger_hash"],
        "ledger_index": answer["ledger_index"],
        "ledger": {"closed": true, "ledger_data": const_hex::encode_upper(header.encode()),
            "transactions": txs.collect::<Vec<_>>()}})
}

/// A sender of transactions.
pub struct Sender {
    pub key: KeyPair,
}

impl Sender {
    pub fn new(n: u8) -> Self {
        let seed = Seed::from_entropy([n; 16], KeyType::Ed25519);
        Self { key: KeyPair::from_seed(&seed) }
    }

    pub fn account(&self) -> AccountId {
        self.key.account_id()
    }

    pub fn pay(&self, slot: Slot, last_ledger: Option<u32>, drops: u64) -> SignedTransaction {
        let mut common = Common::new(self.account(), slot, Drops(10));
        common.last_ledger = last_ledger.map(LedgerIndex);
        Payment::xrp(AccountId([9; 20]), Drops(drops)).sign(&common, &self.key)
    }

    /// A payment on a Sequence that may be in ledgers up to `last_ledger`.
    pub fn sequence(&self, sequence: u32, last_ledger: u32) -> SignedTransaction {
        self.pay(Slot::Sequence(Sequence(sequence)), Some(last_ledger), 1)
    }
}

pub fn tx_json(tx: &SignedTransaction) -> Json {
    let definitions = Definitions::builtin();
    let mut json = Object::decode(&tx.blob, definitions).unwrap().to_json(definitions);
    json["hash"] = tx.hash.to_string().into();
    json
}

pub fn endpoint(host: &str) -> Endpoint {
    Endpoint {
        rpc: format!("http://{host}:5005/").parse().unwrap(),
        ws: Some(format!("ws://{host}:6006/").parse().unwrap()),
    }
}

pub fn pool(nodes: &[(&str, &Node)]) -> Pool {
    let pipes = Pipes(nodes.iter().map(|(h, n)| ((*h).to_owned(), (*n).clone())).collect());
    let config = PoolConfig { connector: Arc::new(pipes), ..PoolConfig::default() };
    Pool::new(nodes.iter().map(|(host, _)| endpoint(host)).collect(), config)
}

pub async fn start_with(node: &Node, store: Arc<dyn Store>, config: TrackerConfig) -> Tracker {
    let tracker = Tracker::start(pool(&[("node", node)]), store, config).await.unwrap();
    until(|| node.connections() > 0).await;
    settle().await;
    tracker
}

pub async fn start(node: &Node) -> Tracker {
    start_with(node, xrpl_tracker::MemoryStore::shared(), TrackerConfig::default()).await
}

/// Lets everything that needs no time happen.
pub async fn settle() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

pub async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

pub async fn until(mut condition: impl FnMut() -> bool) {
    for _ in 0..100_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it never came to that");
}

pub fn submission(tx: &SignedTransaction) -> Submission {
    Submission::new(tx.blob.clone()).fresh()
}

/// The same, handed in: somebody may have sent it before.
pub fn handed_in(tx: &SignedTransaction) -> Submission {
    Submission::new(tx.blob.clone())
}

pub async fn end(tracker: &Tracker, hash: TxHash) -> Arc<Outcome> {
    tokio::time::timeout(Duration::from_secs(600), tracker.outcome(hash))
        .await
        .expect("it has an end within ten minutes")
        .unwrap()
}

pub async fn state(tracker: &Tracker, hash: TxHash) -> xrpl_tracker::State {
    tracker.dossier(hash).await.unwrap().unwrap().row.state
}
