//! Everything that is read from the network or the disk, garbled: node messages and answers, API
//! bodies, configuration, the journal. Whatever comes, it is an error that says so, and no panic.
//!
//! Each parser is tried for `XRPL_WORKLOAD_FUZZ_SECONDS` (5 in `scripts/test`, 60 in
//! `scripts/soak garbled`) from `XRPL_WORKLOAD_SEED` (1). The codec has targets for libFuzzer in
//! `fuzz/` besides.

mod common;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use xrpl_client::{response, whole_ledger::BinaryLedger};
use xrpl_protocol::{
    AccountId, Definitions, LedgerIndex, Object, Sequence, hash::sha512_half, transaction::Slot,
};
use xrpl_standalone::{Standalone, StandaloneConfig};
use xrpl_tracker::{
    Evidence, Intent, ResultName, RowFilter, SqliteOptions, SqliteStore, State, Store, message,
    record::{Identity, Progress},
};
use xrpl_workload::config::{Config, Sources};

/// Numbers from a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn from_environment() -> Self {
        let seed = std::env::var("XRPL_WORKLOAD_SEED").ok().and_then(|text| text.parse().ok());
        let seed = seed.unwrap_or(1);
        println!("XRPL_WORKLOAD_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

/// What breaks parsers of texts.
const WORDS: [&[u8]; 22] = [
    b"null",
    b"true",
    b"-1",
    b"0",
    b"1e400",
    b"18446744073709551616",
    b"4294967296",
    b"\"\"",
    b"{}",
    b"[]",
    b"[[[[[[[[[[[[[[[[",
    b"\\u0000",
    b"\\ud800",
    b"\xff\xfe",
    b"\"",
    b"\\",
    b"}",
    b",",
    b":",
    b"\n",
    b"=",
    b"1.5",
];

/// One to eight changes of a sample.
fn garble(random: &mut Random, samples: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = samples[random.below(samples.len())].clone();
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len());
        let to = (at + random.below(16)).min(bytes.len());
        match random.below(7) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 if !bytes.is_empty() => bytes[at] = random.next() as u8,
            2 => drop(bytes.drain(at.min(bytes.len())..to)),
            3 => {
                let copy = bytes[at.min(bytes.len())..to].to_vec();
                bytes.splice(at.min(bytes.len())..at.min(bytes.len()), copy);
            }
            4 => {
                let word = random.pick(&WORDS).to_vec();
                bytes.splice(at.min(bytes.len())..to, word);
            }
            5 => bytes.truncate(at),
            _ => {
                let other = &samples[random.below(samples.len())];
                let from = random.below(other.len());
                let until = (from + random.below(64)).min(other.len());
                bytes.splice(at.min(bytes.len())..to, other[from..until].to_vec());
            }
        }
    }
    bytes
}

/// Tries a parser for as long as the environment says.
fn tried(name: &str, samples: &[Vec<u8>], mut parse: impl FnMut(&[u8])) {
    let mut random = Random::from_environment();
    let until = Instant::now() + seconds();
    let mut n = 0u64;
    while Instant::now() < until {
        for _ in 0..64 {
            parse(&garble(&mut random, samples));
            n += 1;
        }
    }
    println!("{name}: {n} inputs");
    assert!(n > 0);
}

fn seconds() -> Duration {
    let text = std::env::var("XRPL_WORKLOAD_FUZZ_SECONDS").ok();
    Duration::from_secs(text.and_then(|text| text.parse().ok()).unwrap_or(5))
}

/// What an embedded ledger answers and tells, as samples.
async fn samples_of_a_node() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let loopback = ([127, 0, 0, 1], 0).into();
    let config = StandaloneConfig { rpc_bind: loopback, ws_bind: loopback, ..Default::default() };
    let node = Standalone::start(config).await.unwrap();
    let mut answers = Vec::new();
    let mut ask = |method: &str, params: Json| {
        let request = json!({"method": method, "params": [params]});
        let answer = node.request(request.as_object().unwrap()).unwrap();
        answers.push(answer.to_string().into_bytes());
        answer
    };
    let payment = json!({
        "secret": "masterpassphrase",
        "tx_json": {
            "TransactionType": "Payment",
            "Account": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
            "Destination": "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe",
            "Amount": "100000000",
        },
    });
    let sent = ask("submit", payment);
    let ledger = node.accept().unwrap();
    let hash = sent["result"]["tx_json"]["hash"].clone();
    ask("tx", json!({"transaction": hash}));
    ask("tx", json!({"transaction": hash, "api_version": 2}));
    for version in [1, 2] {
        for binary in [false, true] {
            let params = json!({
                "ledger_index": 3, "transactions": true, "expand": true, "binary": binary,
                "api_version": version,
            });
            ask("ledger", params);
        }
    }
    ask("account_info", json!({"account": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"}));
    for method in ["server_info", "server_state", "fee", "nothing"] {
        ask(method, json!({}));
    }
    let header = &ledger.header;
    let closed = json!({
        "type": "ledgerClosed", "fee_base": 10, "ledger_hash": header.hash.to_string(),
        "ledger_index": header.index, "ledger_time": header.close_time, "reserve_base": 10_000_000,
        "reserve_inc": 2_000_000, "txn_count": 1, "validated_ledgers": "2-3",
    });
    let tx: Json = serde_json::from_slice(&answers[1]).unwrap();
    let (meta, fields) = (tx["result"]["meta"].clone(), tx["result"].clone());
    let told = [
        closed,
        json!({
            "type": "transaction", "engine_result": "tesSUCCESS", "engine_result_code": 0,
            "ledger_hash": header.hash.to_string(), "ledger_index": 3, "meta": meta,
            "status": "closed", "transaction": fields, "validated": true,
        }),
        json!({
            "type": "transaction", "engine_result": "tesSUCCESS", "hash": hash, "ledger_index": 3,
            "meta": meta, "tx_json": fields, "validated": true,
        }),
        json!({"type": "serverStatus", "server_status": "full", "load_factor": 256}),
        json!({"type": "response", "id": 1, "status": "success", "result": {}}),
    ];
    (answers, told.iter().map(|message| message.to_string().into_bytes()).collect())
}

#[tokio::test]
async fn node_messages_and_answers() {
    let (answers, messages) = samples_of_a_node().await;
    // The samples themselves are understood: what follows garbles what would have been read.
    for sample in &messages {
        message::read(std::str::from_utf8(sample).unwrap()).unwrap();
    }
    tried("node messages", &messages, |bytes| {
        let _ = message::read(&String::from_utf8_lossy(bytes));
        if let Ok(json) = serde_json::from_slice::<Json>(bytes) {
            let _ = message::ledger_of_subscription(&json);
        }
    });
    let node = Arc::from("node");
    tried("node answers", &answers, |bytes| {
        let _ = response::read_result::<response::Submit>(&node, bytes);
        let _ = response::read_result::<response::Ledger>(&node, bytes);
        if let Ok(ledger) = response::read_result::<BinaryLedger>(&node, bytes) {
            let _ = ledger.whole(LedgerIndex(3));
        }
        let _ = response::read_result::<response::Tx>(&node, bytes);
        let _ = response::read_result::<response::AccountInfo>(&node, bytes);
    });
}

#[test]
fn configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xrpl-workload.toml");
    let samples = [
        "tps = 20\naccounts = 10\nmax_pending = 5\nduration = \"60s\"\n[types]\nPayment = 3\n",
        "rpc = [\"http://127.0.0.1:5005\"]\nws = [\"ws://127.0.0.1:6006\"]\nstore = \"memory\"\n",
        "seed = \"x\"\nkey_type = \"ed25519\"\nfee_strategy = \"open_ledger\"\napi_bind = \"127.0.0.1:0\"\n",
    ]
    .map(|text| text.as_bytes().to_vec());
    for sample in &samples {
        std::fs::write(&path, sample).unwrap();
        let sources =
            Sources { flags: Default::default(), env: Vec::new(), file: Some(path.clone()) };
        Config::load(&sources).unwrap();
    }
    tried("configuration", &samples, |bytes| {
        std::fs::write(&path, bytes).unwrap();
        let text = String::from_utf8_lossy(bytes).into_owned();
        let env = vec![("XRPL_WORKLOAD_TPS".to_owned(), text)];
        for env in [Vec::new(), env] {
            let sources = Sources { flags: Default::default(), env, file: Some(path.clone()) };
            if let Err(error) = Config::load(&sources) {
                assert!(!error.to_string().is_empty());
            }
        }
    });
}

#[test]
fn signed_blobs_and_transactions_in_json() {
    let json = json!({
        "TransactionType": "Payment", "Account": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
        "Destination": "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe", "Fee": "10", "Sequence": 1,
        "Amount": {"currency": "USD", "issuer": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "value": "1.5"},
        "Memos": [{"Memo": {"MemoData": "AB"}}], "Paths": [[{"currency": "USD"}]],
    });
    let blob = Object::from_json(&json, Definitions::builtin()).unwrap().encode();
    tried("blobs", &[blob], |bytes| {
        if let Ok(object) = Object::decode(bytes, Definitions::builtin()) {
            assert_eq!(object.encode(), bytes);
        }
    });
    tried("transactions in JSON", &[json.to_string().into_bytes()], |bytes| {
        if let Ok(json) = serde_json::from_slice::<Json>(bytes) {
            let _ = Object::from_json(&json, Definitions::builtin());
        }
    });
}

/// The journal's columns, garbled as if by a bad disk or another program.
#[tokio::test]
async fn journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let store = SqliteStore::open(&path, SqliteOptions::default()).unwrap();
    let run = store.begin_run(Some(0), 0).await.unwrap();
    let identity = Identity {
        hash: sha512_half(&[b"journal"]).into(),
        account: AccountId([7; 20]),
        slot: Slot::Sequence(Sequence(1)),
        last_ledger_sequence: Some(LedgerIndex(30)),
        transaction_type: "Payment".into(),
        intent: Intent::Invalid { expected: [ResultName::new("temBAD_FEE")].into() },
        created_ledger: LedgerIndex(10),
        created_at_ms: 0,
        blob: vec![0x12; 190].into(),
        callers_key: None,
        fail_hard: false,
        fresh: true,
    };
    let hash = identity.hash;
    run.add(identity).await.unwrap();
    let evidence = Evidence::RefusedByNode { engine_result: ResultName::new("temBAD_FEE") };
    let ended = Progress {
        version: 1,
        state: State::Rejected,
        evidence: Some(evidence.into()),
        ..Progress::created()
    };
    run.update(hash, ended).unwrap();
    run.flush().await.unwrap();
    drop((run, store));
    let raw = rusqlite::Connection::open(&path).unwrap();
    let columns =
        ["evidence", "expected", "preliminary", "sightings", "source", "engine_result_first"];
    let samples: Vec<Vec<u8>> = [
        r#"{"kind":"refused_by_node","engine_result":"temBAD_FEE"}"#,
        r#"{"kind":"sequence_consumed","by":"00","ledger":3}"#,
        r#"["temBAD_FEE"]"#,
        r#"[{"endpoint":"x","at_ms":1,"answer":{"result":"tesSUCCESS"}}]"#,
        "WS",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    let reader = SqliteStore::open_to_read(&path).unwrap().newest().await.unwrap().unwrap();
    let mut random = Random::from_environment();
    let until = Instant::now() + seconds();
    let (mut n, mut refused) = (0, 0);
    while Instant::now() < until {
        let column = random.pick(&columns);
        let text = String::from_utf8_lossy(&garble(&mut random, &samples)).into_owned();
        let good: Option<String> = raw
            .query_row(&format!("SELECT {column} FROM transactions"), [], |row| row.get(0))
            .unwrap();
        let sql = format!("UPDATE transactions SET {column} = ?1");
        raw.execute(&sql, [text]).unwrap();
        refused += u64::from(reader.rows(&RowFilter::default(), None, 10).await.is_err());
        let _ = reader.get(hash).await;
        raw.execute(&sql, [good]).unwrap();
        assert!(reader.get(hash).await.unwrap().is_some());
        n += 1;
    }
    println!("journal: {n} inputs, {refused} refused");
    assert!(n > 0 && refused > 0);
}

/// Bodies that no client of ours would send: the answer is a refusal, and the API goes on.
#[tokio::test(flavor = "multi_thread")]
async fn api_bodies() {
    let view = common::quiet();
    let session = xrpl_workload::session::Session::start(
        common::config(&[("duration", "0"), ("tps", "1")]),
        &view,
    )
    .await
    .unwrap();
    let address = session.api_address().unwrap();
    let samples: Vec<Vec<u8>> = [
        r#"{"tx_json": {"TransactionType": "Payment"}, "account": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"}"#,
        r#"{"tx_blob": "1200002200000000"}"#,
        r#"{"source": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "destination": "x", "amount": "1"}"#,
        r#"{"value": 20}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    let paths = ["/transaction/submit", "/payment", "/workload/intent", "/workload/toggle-type"];
    let mut random = Random::from_environment();
    let until = Instant::now() + seconds();
    let mut n = 0u64;
    while Instant::now() < until {
        let (path, body) = (random.pick(&paths), garble(&mut random, &samples));
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split(' ').nth(1).unwrap_or_default();
        // 503 is said while accounts are prepared; nothing else may be the server's fault.
        assert!(
            (status == "503" || !status.starts_with('5')) && !status.is_empty(),
            "{path} {:?}: {answer}",
            String::from_utf8_lossy(&body)
        );
        n += 1;
    }
    println!("API bodies: {n} inputs");
}
