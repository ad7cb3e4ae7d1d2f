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
use xrpl_workload::events::{Gap, Happening, KEPT};

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
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: {api}\r\nConnection: close\r\n{last}\r\n");
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

/// Events that come faster than any reader reads.
fn flood(run: &Running, n: u64) {
    let gap = |n| Happening::Gap(Gap { missed: Some(n), reason: "burst" });
    run.app.events.push((0..n).map(gap));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_too_slow_is_cut_off_and_told_and_comes_back() {
    let run = Running::start(&[("tps", "20")]).await;
    let mut reader = Reader::connect(run.api, "/events", None).await;
    let first = reader.next().await.unwrap();
    // More than buffers of the system hold, and more than is kept.
    let end = run.app.events.newest() + 5 * KEPT as u64;
    while run.app.events.newest() < end {
        flood(&run, 1_000);
    }
    let mut seen = vec![first];
    while let Some(event) = reader.next().await {
        seen.push(event);
    }
    let cut = seen.last().unwrap();
    assert_eq!((cut.name.as_str(), &cut.data["reason"]), ("cut", &json!("too_slow")));
    let told = number(&seen[seen.len() - 2]);
    assert_eq!(number(cut), told + cut.data["missed"].as_u64().unwrap(), "it says how much");
    // It comes back with the id it was given, and goes on from there. It may have been cut long
    // before the flood was over: what was pushed out of the buffer since is told, no more and no less.
    let pushed_out = || run.app.events.newest() - KEPT as u64;
    let before = pushed_out();
    let mut reader = Reader::connect(run.api, "/events", Some(&cut.id)).await;
    let mut next = reader.next().await.unwrap();
    let mut last = number(cut);
    if next.data["reason"] == "buffer" {
        last += next.data["missed"].as_u64().unwrap();
        assert!((before..=pushed_out()).contains(&last), "{next:?}");
        next = reader.next().await.unwrap();
    } else {
        assert!(last >= before, "{next:?}");
    }
    assert_eq!(number(&next), last + 1);
    // One that stays away too long is told what it missed.
    flood(&run, KEPT as u64 + 500);
    let mut reader = Reader::connect(run.api, "/events", Some(&next.id)).await;
    let gap = reader.next().await.unwrap();
    assert_eq!((gap.name.as_str(), &gap.data["reason"]), ("gap", &json!("buffer")));
    assert!(gap.data["missed"].as_u64() >= Some(500), "{gap:?}");
    common::assert_healthy(&run.end().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_does_not_read_at_all_loses_its_connection_and_disturbs_nobody() {
    let run = Running::start(&[("tps", "50")]).await;
    let mut asleep = Vec::new();
    for _ in 0..20 {
        let mut reader = Reader::connect(run.api, "/events", None).await;
        reader.next().await.unwrap();
        asleep.push(reader);
    }
    let mut awake = Reader::connect(run.api, "/events", None).await;
    let (tell, told) = tokio::sync::watch::channel(0);
    let awake = tokio::spawn(async move {
        while let Some(event) = awake.next().await {
            assert_ne!(event.name, "cut", "this one reads");
            if event.name == "stats" {
                tell.send_replace(event.data["validated"].as_u64().unwrap());
            }
        }
    });
    for _ in 0..20 {
        flood(&run, 500);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Its connection ends although it never reads again: then its place is free.
    let before = run.app.readers.available_permits();
    for _ in 0..250 {
        if run.app.readers.available_permits() >= before + 20 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(run.app.readers.available_permits(), before + 20, "all that sleep are cut off");
    let before = *told.borrow();
    for _ in 0..100 {
        if *told.borrow() > before + 50 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(*told.borrow() > before + 50, "the run goes on, and is told to who reads");
    drop(asleep);
    common::assert_healthy(&run.end().await);
    awake.await.unwrap();
}
