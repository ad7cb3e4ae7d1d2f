//! What several nodes of one network say on their streams, each at its own pace: every transaction
//! of the ledgers is VALIDATED once, with the right ledger and hash, whichever of the nodes are
//! heard.

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use common::*;
use serde_json::Value as Json;
use tokio::time::{Instant, sleep_until};
use xrpl_protocol::{Definitions, Hash256, Object, TxHash, hash::transaction_hash};
use xrpl_tracker::{Evidence, MemoryStore, RowFilter, State, Submission, Tracker, TrackerConfig};

/// A message of one connection.
struct Frame {
    at_ms: u64,
    connection: usize,
    text: String,
    /// The ledger that it says is validated.
    closed: Option<u32>,
}

/// What was said, and what the ledgers hold.
struct Recording {
    frames: Vec<Frame>,
    connections: usize,
    /// The newest validated ledger at the start.
    first: (u32, Hash256),
    /// `ledger` answers, by index.
    ledgers: BTreeMap<u32, Json>,
    /// Where each transaction is, and its blob.
    transactions: BTreeMap<TxHash, (u32, Hash256, Vec<u8>)>,
}

impl Recording {
    fn new(frames: Vec<Frame>, first: (u32, Hash256), answers: Vec<Json>) -> Self {
        let definitions = Definitions::builtin();
        let mut transactions = BTreeMap::new();
        let mut ledgers = BTreeMap::new();
        for answer in answers {
            let index: u32 = number(&answer["ledger"]["ledger_index"]);
            let hash: Hash256 = answer["ledger_hash"].as_str().unwrap().parse().unwrap();
            for tx in answer["ledger"]["transactions"].as_array().unwrap() {
                let mut fields = tx.as_object().unwrap().clone();
                let told: TxHash = fields["hash"].as_str().unwrap().parse().unwrap();
                fields
                    .retain(|name, _| name.starts_with(char::is_uppercase) && name != "DeliverMax");
                let object = Object::from_json(&Json::Object(fields), definitions).unwrap();
                let blob = object.encode();
                assert_eq!(transaction_hash(&blob), told);
                transactions.insert(told, (index, hash, blob));
            }
            ledgers.insert(index, answer);
        }
        let connections = frames.iter().map(|frame| frame.connection).max().unwrap() + 1;
        Self { frames, connections, first, ledgers, transactions }
    }

    /// Replays what some of the connections said.
    async fn replay(&self, heard: &[usize]) {
        let nodes: Vec<(String, Node)> = heard
            .iter()
            .map(|connection| {
                let node = Node::new();
                node.set(|script| {
                    script.head = self.first.0;
                    script.hashes = BTreeMap::from([self.first]);
                    for (index, answer) in &self.ledgers {
                        let hash = answer["ledger_hash"].as_str().unwrap().parse().unwrap();
                        script.hashes.insert(*index, hash);
                    }
                    script.recorded = self.ledgers.clone();
                    // By the streams and what is read of ledgers they missed, and not otherwise.
                    script.tx_fails = true;
                });
                (format!("node{connection}"), node)
            })
            .collect();
        let named: Vec<_> = nodes.iter().map(|(name, node)| (name.as_str(), node)).collect();
        let config = TrackerConfig { terminal_capacity: 1 << 20, ..TrackerConfig::default() };
        let tracker = Tracker::start(pool(&named), MemoryStore::shared(), config).await.unwrap();
        until(|| nodes.iter().all(|(_, node)| node.connections() > 0)).await;
        settle().await;
        for (_, _, blob) in self.transactions.values() {
            tracker.submit(Submission::new(blob.clone())).await.unwrap();
        }
        let mut events = tracker.events();
        let begin = Instant::now();
        for frame in &self.frames {
            let Some(at) = heard.iter().position(|one| *one == frame.connection) else { continue };
            sleep_until(begin + Duration::from_millis(frame.at_ms)).await;
            let node = &nodes[at].1;
            if let Some(index) = frame.closed {
                node.set(|script| script.head = script.head.max(index));
            }
            node.send_raw(frame.text.clone());
        }
        pass(30).await;

        let what = format!("heard: {heard:?}");
        let rows = tracker.rows(&RowFilter::default(), None, 1 << 20).await.unwrap().rows;
        assert_eq!(rows.len(), self.transactions.len(), "{what}");
        for row in rows {
            let (index, hash, _) = &self.transactions[&row.tx_hash];
            assert_eq!(row.state, State::Validated, "{what}: {}", row.tx_hash);
            let Some(Evidence::Validated(place)) = row.evidence else { panic!("{what}") };
            assert_eq!((place.ledger_index.0, place.ledger_hash), (*index, Some(*hash)), "{what}");
        }
        let mut validated = BTreeSet::new();
        let mut ends = 0;
        while let Ok(change) = events.try_recv() {
            if change.to.is_terminal() {
                ends += 1;
                validated.insert(change.tx_hash);
            }
        }
        assert_eq!((ends, validated.len()), (self.transactions.len(), ends), "{what}: each once");
        let stats = tracker.stats();
        assert_eq!(
            (stats.by_state[&State::Validated], stats.pending, stats.undecided),
            (self.transactions.len() as u64, 0, 0),
            "{what}"
        );
        assert_eq!(
            (stats.overturned, stats.contradicted, stats.ledger_mismatches),
            (0, 0, 0),
            "{what}"
        );
        assert_eq!(tracker.ws_stats().failed_events, 0, "{what}");
        tracker.shutdown(Duration::ZERO).await;
    }

    /// Each subset of the connections.
    async fn replay_each_subset(&self) {
        for subset in 1..1_u32 << self.connections {
            let heard: Vec<_> = (0..self.connections).filter(|n| subset >> n & 1 == 1).collect();
            self.replay(&heard).await;
        }
    }
}

fn number(json: &Json) -> u32 {
    json.as_str().map_or_else(|| json.as_u64().unwrap() as u32, |text| text.parse().unwrap())
}

/// Four validators of a real network, two of them frozen for a while.
#[tokio::test(start_paused = true)]
async fn four_validators_in_each_combination() {
    let shared = match std::env::var_os("XRPL_SHARED") {
        Some(path) => Some(path.into()),
        None => std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .map(|up| up.join("shared"))
            .find(|path| path.join("fixtures").is_dir()),
    };
    let text = shared.and_then(|shared| {
        let file = shared.join("fixtures/xrpld-3.3.0-b0/network_streams.jsonl");
        std::fs::read_to_string(file).ok()
    });
    let Some(text) = text else {
        println!("skipped: no recording (XRPL_SHARED)");
        return;
    };
    let (mut frames, mut ledgers, mut first) = (Vec::new(), Vec::new(), None);
    for line in text.lines() {
        let mut step: Json = serde_json::from_str(line).unwrap();
        match step["step"].as_str().unwrap() {
            "ledger" => ledgers.push(step["ledger"].take()),
            "frame" => {
                let text = step["text"].as_str().unwrap().to_owned();
                let message: Json = serde_json::from_str(&text).unwrap();
                if message["type"] == "response" {
                    let result = &message["result"];
                    let hash = result["ledger_hash"].as_str().unwrap().parse().unwrap();
                    first = Some((number(&result["ledger_index"]), hash));
                    continue;
                }
                let closed =
                    (message["type"] == "ledgerClosed").then(|| number(&message["ledger_index"]));
                frames.push(Frame {
                    at_ms: step["t_ms"].as_u64().unwrap(),
                    connection: step["conn"].as_u64().unwrap() as usize,
                    text,
                    closed,
                });
            }
            _ => {}
        }
    }
    let recording = Recording::new(frames, first.unwrap(), ledgers);
    assert!(recording.transactions.len() > 1_000 && recording.connections == 4);
    recording.replay_each_subset().await;
}

/// The same kind in small: one node is ahead, one tells three ledgers in one burst much later, and
/// one tells a ledger's transactions only after it was cut short by the next.
#[tokio::test(start_paused = true)]
async fn nodes_that_are_behind_in_each_combination() {
    let node = Node::new();
    let senders: Vec<_> = (1..=3).map(Sender::new).collect();
    for sequence in 1..=6 {
        let txs: Vec<_> = senders.iter().map(|sender| sender.sequence(sequence, 60)).collect();
        let some = txs.iter().skip(sequence as usize % 3).map(|tx| (tx, "tesSUCCESS"));
        node.close_silently(&some.collect::<Vec<_>>());
    }
    let (frames, first, answers) = {
        let script = node.0.lock();
        let answers: Vec<_> = (11..=16).map(|index| script.ledger_answer(index)).collect();
        let mut frames = Vec::new();
        for index in 11..=16_u32 {
            let on_time = u64::from(index - 10) * 3_000;
            for connection in 0..3 {
                let at_ms = match (connection, index) {
                    (1, 12..=14) => 20_000,
                    (2, _) => on_time + 400,
                    _ => on_time,
                };
                let mut say = |text: Json, closed| {
                    frames.push(Frame { at_ms, connection, text: text.to_string(), closed });
                };
                say(script.closed_message(index), Some(index));
                for n in 0..script.ledgers[&index].len() {
                    // The last connection leaves one out of each ledger.
                    if connection != 2 || n > 0 {
                        say(script.stream_message(index, n), None);
                    }
                }
            }
        }
        frames.sort_by_key(|frame| frame.at_ms);
        (frames, (10, script.hash(10)), answers)
    };
    Recording::new(frames, first, answers).replay_each_subset().await;
}
