//! Answers of a real xrpld, request by request, against ours.
//!
//! What differs is counted for each method in `tests/api_differences.json`; the test fails when that
//! list is wrong in either direction.

mod recordings;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use serde_json::{Map, Value as Json};
use xrpl_standalone::{Standalone, StandaloneConfig, ledger::NodeConfig};

/// Members that tell of the machine or the moment, not of the ledger.
const VOLATILE: [&str; 32] = [
    "hostid",
    "pubkey_node",
    "uptime",
    "time",
    "random",
    "load",
    "git",
    "io_latency_ms",
    "age",
    "initial_sync_duration_us",
    "server_state_duration_us",
    "state_accounting",
    "ports",
    "duration_us",
    "pubkey_validator",
    "jq_trans_overflow",
    "peer_disconnects",
    "peer_disconnects_resources",
    "node_size",
    "validator_list",
    "validation_quorum",
    "peers",
    "last_close",
    "build_version",
    "network_id",
    "master_key",
    "master_seed",
    "master_seed_hex",
    "public_key",
    "public_key_hex",
    "account_id",
    "warnings",
];

fn masked(json: &Json) -> Json {
    match json {
        Json::Object(members) => members
            .iter()
            .filter(|(key, _)| !VOLATILE.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), masked(value)))
            .collect::<Map<_, _>>()
            .into(),
        Json::Array(list) => list.iter().map(masked).collect(),
        other => other.clone(),
    }
}

#[derive(Default, Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Score {
    same: u32,
    different: u32,
}

async fn replay(name: &str, scores: &mut BTreeMap<String, Score>, verbose: Option<&str>) {
    let Some(lines) = recordings::lines(name) else {
        println!("skipped: the recording {name} is not on this machine");
        return;
    };
    let close_time = |line: &Json| {
        line["response"]["result"]["ledger"]["close_time"].as_u64().filter(|t| *t > 0)
    };
    let start = lines.iter().find_map(close_time).unwrap() as u32;
    let loopback = ([127, 0, 0, 1], 0).into();
    let server = Standalone::start(StandaloneConfig {
        rpc_bind: loopback,
        ws_bind: loopback,
        start_time: Some(start),
        node: NodeConfig { start_time: start, ..NodeConfig::default() },
        ..StandaloneConfig::default()
    })
    .await
    .unwrap();
    // The closes that were requests: their times stand in the streams.
    let mut closes: BTreeMap<u64, u32> = BTreeMap::new();
    for line in &lines {
        let message = &line["message"];
        if message["type"] == "ledgerClosed" {
            closes.insert(
                message["ledger_index"].as_u64().unwrap(),
                message["ledger_time"].as_u64().unwrap() as u32,
            );
        }
    }
    // Transactions of types not built yet: their ledgers are taken over.
    let mut not_built = BTreeSet::new();
    for line in &lines {
        match line["step"].as_str().unwrap() {
            "submit" => {
                let body = serde_json::json!({"method": "submit", "params": [{"tx_blob": line["tx_blob"]}]});
                let answer = server.request(body.as_object().unwrap());
                let result = |answer: &Json| answer["result"]["engine_result"] == "temDISABLED";
                if answer.as_ref().is_ok_and(result) && !result(&line["response"]) {
                    not_built.insert(line["hash"].as_str().unwrap_or_default().to_owned());
                }
            }
            "accept" => {
                let time = line["close_time"].as_u64().unwrap() as u32;
                let recorded = line["ledger"]["ledger"]["transactions"].as_array();
                let recorded = recorded.map_or(&[][..], Vec::as_slice);
                let adopt =
                    recorded.iter().any(|tx| not_built.contains(tx["hash"].as_str().unwrap()));
                server.with_node(|node| match adopt {
                    true => node.adopt(time, recordings::adopted(recorded)),
                    false => node.accept_at(time),
                });
            }
            "request" if line["via"] == "rpc" => {
                let Some(request) = line["request"].as_object() else { continue };
                let method = request.get("method").and_then(Json::as_str).unwrap_or("-").to_owned();
                if method == "batch" {
                    continue;
                }
                let ours = if method == "ledger_accept"
                    && line["response"]["result"]["status"] == "success"
                {
                    let index = u64::from(server.with_node(|node| node.current_index()));
                    match closes.get(&index) {
                        Some(time) => drop(server.with_node(|node| node.accept_at(*time))),
                        None => drop(server.accept()),
                    }
                    serde_json::json!({"result": {"ledger_current_index": index + 1, "status": "success"}})
                } else {
                    match server.request(request) {
                        Ok(answer) => answer,
                        Err(text) => Json::String(text.to_owned()),
                    }
                };
                let theirs = match &line["response"] {
                    Json::String(text) => Json::String(text.trim().to_owned()),
                    other => other.clone(),
                };
                let same = masked(&ours) == masked(&theirs);
                let score = scores.entry(format!("{name} {method}")).or_default();
                if same {
                    score.same += 1
                } else {
                    score.different += 1
                }
                if !same && verbose.is_some_and(|v| v == method || v == "all") {
                    println!(
                        "{method} {}\n  ours   {}\n  theirs {}",
                        line["request"],
                        masked(&ours).to_string().chars().take(20000).collect::<String>(),
                        masked(&theirs).to_string().chars().take(20000).collect::<String>()
                    );
                }
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn answers_as_recorded() {
    let mut scores = BTreeMap::new();
    let verbose = std::env::var("REPLAY_SHOW").ok();
    for name in ["api", "streams", "payment_xrp", "tickets", "txq", "trust_iou"] {
        replay(name, &mut scores, verbose.as_deref()).await;
    }
    if scores.is_empty() {
        return;
    }
    for (key, score) in &scores {
        println!("{key}: {} same, {} different", score.same, score.different);
    }
    let shown = serde_json::to_string_pretty(&scores).unwrap() + "\n";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/api_differences.json");
    if std::env::var_os("REPLAY_UPDATE").is_some() {
        std::fs::write(&path, &shown).unwrap();
    }
    let listed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        listed == shown,
        "tests/api_differences.json is out of date: run with REPLAY_UPDATE=1 and look at what changed"
    );
}
