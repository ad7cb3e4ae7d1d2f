//! Replays what a real xrpld said: every transaction that a recorded ledger has ends VALIDATED with
//! that ledger and that result, by the stream alone; no other one does.

mod common;

use std::{collections::BTreeMap, path::PathBuf};

use common::*;
use serde_json::Value as Json;
use xrpl_tracker::{MemoryStore, Source, State, Submission, TrackerConfig};

/// The recordings: `XRPL_SHARED`, or `shared` beside the workspace.
fn recordings() -> Option<Vec<PathBuf>> {
    let shared = match std::env::var_os("XRPL_SHARED") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .map(|up| up.join("shared"))
            .find(|path| path.join("fixtures").is_dir())?,
    };
    let folder = std::fs::read_dir(shared.join("fixtures/xrpld-3.3.0-b0")).ok()?;
    let mut files: Vec<_> = folder.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "jsonl"));
    // Some were made without a stream, by which this test is told of ledgers.
    files.retain(|path| {
        std::fs::read_to_string(path).is_ok_and(|text| text.contains(r#"{"step":"stream""#))
    });
    files.sort();
    Some(files)
}

#[tokio::test(start_paused = true)]
async fn every_recording() {
    let Some(files) = recordings() else {
        println!("skipped: no recordings (XRPL_SHARED)");
        return;
    };
    assert!(!files.is_empty());
    let mut validated = 0;
    for file in &files {
        validated += replay(file).await;
    }
    println!("{validated} transactions of {} recordings", files.len());
    assert!(validated > 4_000);
}

async fn replay(file: &std::path::Path) -> usize {
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let text = std::fs::read_to_string(file).unwrap();
    let steps: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    if !steps.iter().any(|step| step["step"] == "stream") {
        println!("{name}: nobody listened");
        return 0;
    }
    let node = Node::new();
    node.set(|script| {
        script.head = 2;
        script.ledger_fails = true;
        script.tx_fails = true;
    });
    let config = TrackerConfig { terminal_capacity: 1_000_000, ..TrackerConfig::default() };
    let tracker = start_with(&node, MemoryStore::shared(), config).await;
    let mut submitted = Vec::new();
    let mut expected: BTreeMap<String, (u64, String)> = BTreeMap::new();
    for step in steps {
        match step["step"].as_str().unwrap() {
            "submit" => {
                let response = &step["response"];
                let reply = match response["engine_result"].as_str() {
                    Some(result) => Reply::Result(result.to_owned().leak()),
                    None => {
                        let token = response["error"].as_str().unwrap_or("internal");
                        Reply::Error(token.to_owned().leak())
                    }
                };
                node.set(|script| script.replies = [reply].into());
                let blob = const_hex::decode(step["tx_blob"].as_str().unwrap()).unwrap();
                // Some blobs are malformed on purpose: those are refused here already.
                if let Ok(one) = tracker.submit(Submission::new(blob).fresh()).await {
                    assert_eq!(one.hash.to_string(), step["hash"].as_str().unwrap());
                    submitted.push(one.hash);
                }
            }
            "stream" => {
                // The same line; serde_json keeps numbers and texts as they are.
                node.send_raw(step["message"].to_string());
            }
            "accept" => {
                settle().await;
                let ledger = &step["ledger"];
                let index = ledger["ledger_index"].as_u64().unwrap();
                for tx in ledger["ledger"]["transactions"].as_array().unwrap() {
                    let meta = if tx["metaData"].is_null() { &tx["meta"] } else { &tx["metaData"] };
                    let result = meta["TransactionResult"].as_str().unwrap().to_owned();
                    expected.insert(tx["hash"].as_str().unwrap().to_owned(), (index, result));
                }
            }
            _ => {}
        }
    }
    pass(10).await;
    let mut n = 0;
    submitted.sort();
    submitted.dedup();
    for hash in submitted {
        let row = tracker.dossier(hash).await.unwrap().unwrap().row;
        match expected.get(&hash.to_string()) {
            Some((ledger, result)) => {
                n += 1;
                assert_eq!(row.state, State::Validated, "{name}: {hash}");
                assert_eq!(u64::from(row.validated_ledger.unwrap().0), *ledger, "{name}: {hash}");
                assert_eq!(row.meta_txn_result.unwrap().as_str(), result, "{name}: {hash}");
                assert_eq!(row.source, Some(Source::Ws));
            }
            None => assert_ne!(row.state, State::Validated, "{name}: {hash}"),
        }
    }
    let stats = tracker.stats();
    let ws = tracker.ws_stats();
    assert_eq!(
        (ws.failed_events, stats.ledger_mismatches, stats.contradicted, stats.overturned),
        (0, 0, 0, 0),
        "{name}"
    );
    tracker.shutdown(std::time::Duration::ZERO).await;
    n
}
