//! `run --fuzz` as people use it: what is drawn at random is counted apart and everywhere alike, what a
//! faulty node does is found, and a node newer than this program is driven by its own definitions.

mod common;
#[path = "common/mask.rs"]
mod mask;

use std::{net::SocketAddr, time::Duration};

use common::{Running, get, post};
use mask::{Instead, mask};
use serde_json::{Value as Json, json};
use xrpl_generator::findings::{Finding, FindingKind};
use xrpl_protocol::{Definitions, Object, fields};
use xrpl_standalone::{Closing, Standalone, StandaloneConfig, ledger::Amendment};
use xrpl_workload::audit::{Scope, audit};

/// Stops the load and waits until everything has its end.
async fn stop(running: &Running) {
    assert_eq!(post(running.api, "/workload/stop", json!({})).await.status, 200);
    running.app.tracker.wait_until_idle(Duration::from_secs(30)).await;
}

async fn state(api: SocketAddr, of: &str) -> Json {
    get(api, &format!("/state/{of}")).await.json()
}

fn sum(counts: &Json) -> u64 {
    match counts {
        Json::Object(members) => members.values().map(sum).sum(),
        number => number.as_u64().unwrap_or(0),
    }
}

async fn node(config: StandaloneConfig) -> Standalone {
    let loopback = ([127, 0, 0, 1], 0).into();
    Standalone::start(StandaloneConfig {
        rpc_bind: loopback,
        ws_bind: loopback,
        closing: Closing::Interval(Duration::from_millis(300)),
        ..config
    })
    .await
    .unwrap()
}

/// Settings of a run against a node behind a mask.
fn behind(mask: SocketAddr, node: &Standalone) -> (String, String) {
    (format!("http://{mask}"), format!("ws://{}", node.ws_addr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_is_drawn_at_random_and_counted_apart_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let findings = folder.path().join("findings.jsonl");
    let settings = [
        ("tps", "80"),
        ("fuzz", "20"),
        ("intent_invalid", "10"),
        ("findings", findings.to_str().unwrap()),
    ];
    let running = Running::start(&settings).await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    stop(&running).await;
    let (api, app) = (running.api, running.app.clone());
    let (fuzz, summary) = (state(api, "fuzz").await, state(api, "summary").await);
    let tracked = fuzz["tracked"].as_u64().unwrap();
    assert!(tracked > 30 && sum(&fuzz["process"]["untracked"]) > 0, "{fuzz}");
    assert_eq!(sum(&fuzz["by_type"]), tracked, "{fuzz}");
    assert!(fuzz["by_type"].as_object().unwrap().len() > 20, "{fuzz}");
    assert_eq!((&summary["fuzzed"], &summary["overturned"]), (&json!(tracked), &json!(0)));
    assert_eq!(state(api, "findings").await, json!({"total": 0, "findings": []}));
    let cells = state(api, "matrix").await;
    let any = cells["cells"].as_array().unwrap().iter().filter(|cell| cell["intent"] == "any");
    assert_eq!(any.map(|cell| cell["count"].as_u64().unwrap()).sum::<u64>(), tracked);
    let metrics = get(api, "/metrics").await.text;
    assert!(metrics.contains(&format!("\nxrpl_workload_fuzzed_total {tracked}\n")), "{metrics}");
    assert!(
        metrics.contains("\nxrpl_workload_findings_total{kind=\"no_answer\"} 0\n"),
        "{metrics}"
    );
    let report = audit(&app.pool, &*app.store, Scope::default()).await.unwrap();
    assert!(report.equal && report.complete, "{report}");
    let ended = running.end().await;
    assert!(ended.failures.is_empty(), "{:?}\n{}", ended.failures, ended.summary);
    let told = ended.summary.fuzz.as_ref().unwrap();
    assert_eq!((told.tracked, told.findings), (tracked, 0), "{}", ended.summary);
    assert_eq!(json!(told.by_type), fuzz["by_type"]);
    let text = ended.summary.to_string();
    assert!(text.contains(&format!("fuzzed            {tracked} of ")), "{text}");
    assert!(!findings.exists());
}

/// What the node is asked to submit.
fn blob_of(params: &Json) -> Option<Object> {
    let bytes = const_hex::decode(params["tx_blob"].as_str()?).ok()?;
    Object::decode(&bytes, Definitions::builtin()).ok()
}

fn submitted(result: &str, params: &Json) -> Instead {
    let code = Definitions::builtin().result(result).unwrap();
    Instead::Answer(json!({"result": {
        "status": "success", "engine_result": result, "engine_result_code": code,
        "engine_result_message": "", "tx_blob": params["tx_blob"], "broadcast": false,
        "applied": false, "kept": false, "queued": false,
    }}))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_faulty_node_does_is_found_with_its_transaction() {
    let node = node(StandaloneConfig::default()).await;
    let code = |name: &str| Definitions::builtin().transaction_type(name);
    let (crashes, breaks) = (code("DIDSet"), code("OracleSet"));
    let mask = mask(&node, move |method, params| {
        let tx = blob_of(params).filter(|_| method == "submit")?;
        match tx.u16(fields::TRANSACTION_TYPE) {
            kind if kind == crashes => Some(submitted("tefEXCEPTION", params)),
            kind if kind == breaks => Some(Instead::Break),
            _ => None,
        }
    })
    .await;
    let (rpc, ws) = behind(mask, &node);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("findings.jsonl");
    let settings = [
        ("rpc", rpc.as_str()),
        ("ws", ws.as_str()),
        ("tps", "30"),
        ("fuzz", "100"),
        ("fuzz_types", "DIDSet,OracleSet,AccountSet"),
        ("findings", file.to_str().unwrap()),
    ];
    let running = Running::start(&settings).await;
    let mut found = running.app.generator().unwrap().findings();
    let both = found.wait_for(|found| {
        let has = |kind| found.iter().any(|found| found.kind == kind);
        has(FindingKind::InternalError) && has(FindingKind::NoAnswer)
    });
    let both = tokio::time::timeout(Duration::from_secs(30), both).await;
    drop(both.expect("both are found").unwrap());
    let told = state(running.api, "findings").await;
    assert!(told["total"].as_u64().unwrap() >= 2, "{told}");
    let ended = running.end().await;
    for kind in ["internal_error", "no_answer"] {
        let line = format!("finding {kind}");
        assert!(ended.failures.iter().any(|f| f.starts_with(&line)), "{:?}", ended.failures);
    }
    let text = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<Finding> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (kind, of) in [(FindingKind::InternalError, crashes), (FindingKind::NoAnswer, breaks)] {
        let suspects: Vec<_> =
            lines.iter().filter(|f| f.kind == kind).flat_map(|f| &f.suspects).collect();
        assert!(!suspects.is_empty());
        for suspect in suspects {
            let tx = blob_of(&json!({"tx_blob": suspect.tx_blob})).unwrap();
            assert_eq!(tx.u16(fields::TRANSACTION_TYPE), of, "{kind:?}");
        }
    }
    node.shutdown().await;
}

/// The built-in definitions with a type that no node has yet, one whose code is another one, and one
/// that requires what was optional.
fn newer() -> Json {
    let mut newer = Definitions::builtin_json().clone();
    let info = json!({"isSerialized": true, "isSigningField": true, "isVLEncoded": false,
        "nth": 200, "type": "UInt32"});
    newer["FIELDS"].as_array_mut().unwrap().push(json!(["Colour", info]));
    newer["TRANSACTION_TYPES"]["Paint"] = json!(300);
    newer["TRANSACTION_TYPES"]["CheckCash"] = json!(301);
    newer["TRANSACTION_FORMATS"]["Paint"] = json!([
        {"name": "Colour", "optionality": 0}, {"name": "Destination", "optionality": 1},
    ]);
    for field in newer["TRANSACTION_FORMATS"]["AccountSet"].as_array_mut().unwrap() {
        if field["name"] == "EmailHash" {
            field["optionality"] = json!(0);
        }
    }
    newer["hash"] = json!("AB".repeat(32));
    newer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_newer_than_this_program_is_driven_by_its_own_definitions() {
    let node = node(StandaloneConfig::default()).await;
    let definitions = Definitions::from_json(&newer()).unwrap();
    let mask = mask(&node, move |method, params| match method {
        "server_definitions" => Some(Instead::Answer(json!({"result": newer()}))),
        "submit" => {
            let bytes = const_hex::decode(params["tx_blob"].as_str()?).ok()?;
            let tx = Object::decode(&bytes, &definitions).ok()?;
            let new = tx.u16(fields::TRANSACTION_TYPE) == Some(300);
            let whole = tx.contains(definitions.field("Colour")?);
            // The node behind knows nothing of it.
            new.then(|| submitted(if whole { "temBAD_FEE" } else { "temMALFORMED" }, params))
        }
        _ => None,
    })
    .await;
    let (rpc, ws) = behind(mask, &node);
    let settings = [
        ("rpc", rpc.as_str()),
        ("ws", ws.as_str()),
        ("tps", "60"),
        ("types", "AccountSet=30"),
        ("fuzz", "20"),
        ("fuzz_types", "Paint,AccountSet"),
        ("findings", "/dev/null"),
    ];
    let running = Running::start(&settings).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    // The API reads JSON with the same definitions.
    let account = state(running.api, "users").await["users"][0].clone();
    let paint = |colour: Json| {
        let tx = json!({"TransactionType": "Paint", "Colour": colour});
        post(running.api, "/transaction/submit", json!({"account": account, "tx_json": tx}))
    };
    let (sent, odd) = (paint(json!(5)).await, paint(json!("red")).await);
    let answer = sent.json();
    assert_eq!((sent.status, &answer["transaction_type"]), (200, &json!("Paint")), "{answer}");
    assert_eq!(odd.status, 400);
    stop(&running).await;
    let told = state(running.api, "definitions").await;
    assert_eq!((&told["source"], &told["hash"]), (&json!("node"), &json!("AB".repeat(32))));
    let differences = &told["differences"];
    assert_eq!(differences["new_types"], json!(["Paint"]));
    assert_eq!(differences["new_fields"], json!(["Colour"]));
    let changed: Vec<_> = differences["changed_types"].as_array().unwrap().iter().collect();
    assert_eq!(changed.len(), 2, "{told}");
    assert_eq!(changed[0]["requires"], json!(["EmailHash"]));
    let off = told["off"].as_array().unwrap().iter().find(|off| off["name"] == "CheckCash");
    assert_eq!(off.unwrap()["refused_with"], "its code is 301 in the node's definitions");
    let fuzz = state(running.api, "fuzz").await;
    assert!(sum(&fuzz["by_type"]["Paint"]) > 5, "{fuzz}");
    assert!(fuzz["by_type"]["Paint"]["temBAD_FEE"].as_u64().unwrap() > 5, "{fuzz}");
    // What was optional and is required is in all that the load sent.
    let sent = state(running.api, "transactions?type=AccountSet&state=VALIDATED&limit=200").await;
    let mut seen = 0;
    for row in sent["transactions"].as_array().unwrap() {
        if row["intent"] == "valid" {
            let hash = row["tx_hash"].as_str().unwrap();
            let dossier = get(running.api, &format!("/state/tx/{hash}")).await.json();
            assert!(dossier["tx_json"]["EmailHash"].is_string(), "{dossier}");
            seen += 1;
        }
    }
    assert!(seen > 10, "{sent}");
    let ended = running.end().await;
    // What the API sent, which the node refused: of a type that this program does not know a refusal may
    // come of the ledger, so that only its last ledger ends it.
    assert_eq!(ended.failures, ["1 meant to succeed, but expired"], "{}", ended.summary);
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_of_a_file_stand_for_the_nodes_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("definitions.json");
    std::fs::write(&file, json!({"result": newer()}).to_string()).unwrap();
    let settings =
        [("definitions", file.to_str().unwrap()), ("fuzz", "20"), ("fuzz_types", "Paint")];
    let running = Running::start(&settings).await;
    let told = state(running.api, "definitions").await;
    assert_eq!(told["source"], "file");
    assert_eq!(told["differences"]["new_types"], json!(["Paint"]));
    assert!(running.end().await.failures.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn amendments_are_read_of_the_ledger_where_feature_is_for_administrators() {
    let mut config = StandaloneConfig::default();
    let amm = Amendment::named("AMM").unwrap();
    config.node.amendments.retain(|id| *id != amm.id());
    let node = node(config).await;
    let mask = mask(&node, |method, _| {
        (method == "feature").then(|| {
            Instead::Answer(json!({"result": {
                "status": "error", "error": "noPermission", "error_code": 6,
                "error_message": "You don't have permission for this command.", "request": {},
            }}))
        })
    })
    .await;
    let (rpc, ws) = behind(mask, &node);
    let running = Running::start(&[("rpc", &rpc), ("ws", &ws), ("fuzz", "5")]).await;
    let told = state(running.api, "definitions").await;
    let off = told["off"].as_array().unwrap();
    let amm = off.iter().find(|off| off["name"] == "AMMCreate").unwrap();
    assert_eq!(amm["refused_with"], "AMM");
    assert!(off.iter().all(|off| off["name"] != "CheckCreate"), "{told}");
    assert_eq!(told["not_fuzzed"]["AMMCreate"], "the network has not enabled AMM");
    running.end().await;
    node.shutdown().await;
}
