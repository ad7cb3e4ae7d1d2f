//! Journeys through the API beside load, of their own accord, and from the command line.

mod common;
#[path = "common/outside.rs"]
mod outside;

use std::time::Duration;

use common::{Running, ask, assert_healthy, get, program};
use outside::{node, output, texts};
use serde_json::Value as Json;
use xrpl_generator::{Pace, Stage};

/// Begins a journey.
async fn begin(run: &Running, path: &str) -> common::Answer {
    ask(run.api, "POST", &format!("/journeys/{path}"), &[], None).await
}

/// Every step was validated with `tesSUCCESS`, and the tracker says the same of its transaction.
async fn is_done(run: &Running, journey: &Json) {
    assert_eq!(journey["state"], "done", "{journey:#}");
    for step in journey["steps"].as_array().unwrap() {
        assert_eq!(
            (&step["state"], &step["engine_result"]),
            (&"done".into(), &"tesSUCCESS".into())
        );
        assert_eq!(step["evidence"]["kind"], "validated", "{step:#}");
        let hash = step["tx_hash"].as_str().unwrap();
        let dossier = get(run.api, &format!("/state/tx/{hash}")).await.json();
        assert_eq!(dossier["state"], "VALIDATED", "{dossier:#}");
        assert_eq!(dossier["transaction_type"], step["transaction_type"]);
        assert_eq!(dossier["validated_ledger"], step["ledger_index"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn journeys_are_asked_for_beside_load() {
    let run = Running::start(&[("tps", "20")]).await;
    let listed = get(run.api, "/journeys").await.json();
    let journeys = listed["journeys"].as_array().unwrap();
    assert!(journeys.len() >= 10, "{listed:#}");
    assert_eq!(listed["runs"], Json::Array(Vec::new()));
    let mut ids = Vec::new();
    // A default takes two minutes of the ledger's time: the simulation has it.
    for journey in journeys.iter().filter(|it| it["name"] != "vault_loan_default") {
        let name = journey["name"].as_str().unwrap();
        let begun = begin(&run, name).await;
        assert_eq!(begun.status, 202, "{name}: {}", begun.text);
        let begun = begun.json();
        assert_eq!(
            begun["steps"].as_array().unwrap().len(),
            journey["steps"].as_array().unwrap().len()
        );
        ids.push(begun["id"].as_u64().unwrap());
    }
    for id in ids {
        let mut over = Json::Null;
        for _ in 0..600 {
            over = get(run.api, &format!("/journeys/{id}")).await.json();
            if over["state"] != "running" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        is_done(&run, &over).await;
    }
    let waited = begin(&run, "did_life?wait=true").await;
    assert_eq!(waited.status, 200, "{}", waited.text);
    is_done(&run, &waited.json()).await;
    let newest = get(run.api, "/journeys/did_life").await.json();
    assert_eq!(newest["id"], waited.json()["id"], "the newest run of a name");
    let few = get(run.api, "/journeys?limit=2").await.json();
    assert_eq!(few["runs"].as_array().unwrap().len(), 2);
    assert_eq!(few["runs"][0]["id"], newest["id"]);
    assert_healthy(&run.end().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_for_is_refused_with_a_reason() {
    let run = Running::start(&[("tps", "0.1")]).await;
    for (method, path, status, named) in [
        ("POST", "/journeys/mpt_lfie", 404, "\"mpt_life\""),
        ("GET", "/journeys/mpt_lfie", 404, "\"mpt_life\""),
        ("GET", "/journeys/mpt_life", 404, "POST /journeys/NAME"),
        ("GET", "/journeys/7", 404, "POST /journeys/NAME"),
        ("POST", "/journeys/mpt_life?wait=perhaps", 400, "wait"),
        ("POST", "/journeys/mpt_life?weit=true", 400, "weit"),
        ("GET", "/journeys?limit=few", 400, "limit"),
    ] {
        let (got, _, message) = ask(run.api, method, path, &[], None).await.error();
        assert_eq!(got, status, "{method} {path}: {message}");
        assert!(message.contains(named), "{method} {path}: {message}");
    }
    // A weight is for the load alone.
    let rare = serde_json::json!({"type": "DIDDelete", "weight": 0});
    assert_eq!(common::post(run.api, "/workload/weight", rare).await.status, 200);
    let begun = begin(&run, "did_life?wait=true").await;
    assert_eq!(begun.status, 200, "{}", begun.text);
    is_done(&run, &begun.json()).await;
    let off = serde_json::json!({"type": "DIDDelete", "enabled": false});
    assert_eq!(common::post(run.api, "/workload/toggle-type", off).await.status, 200);
    let (status, _, message) = begin(&run, "did_life").await.error();
    assert_eq!(status, 409);
    assert!(message.contains("DIDDelete is switched off"), "{message}");
    assert_healthy(&run.end().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn some_begin_of_their_own_accord() {
    let run = Running::start(&[("tps", "5"), ("journeys", "600")]).await;
    let mut told = run.app.generator().unwrap().journeys();
    let over = told.wait_for(|runs| runs.iter().filter(|run| run.is_over()).count() >= 3);
    tokio::time::timeout(Duration::from_secs(60), over).await.unwrap().unwrap();
    let ended = told.borrow().iter().filter(|run| run.is_over()).cloned().collect::<Vec<_>>();
    assert!(ended.iter().all(|run| run.why.is_none()), "{ended:#?}");
    // A stage may have a rate of its own: in this one none begins.
    let generator = run.app.generator().unwrap();
    let none = Stage { journeys: Some(0.0), ..Stage::of(Pace::Fixed(5.0)) };
    generator.enter_stage(none).await.unwrap();
    let begun = generator.status().await.unwrap().stats.journeys.begun;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(generator.status().await.unwrap().stats.journeys.begun, begun);
    let metrics = get(run.api, "/metrics").await.text;
    assert!(metrics.contains("xrpl_workload_journeys_total{what=\"failed\"} 0"), "{metrics}");
    let app = std::sync::Arc::clone(&run.app);
    assert_healthy(&run.end().await);
    // Those that were under way ended with the run, and say so.
    let all = app.generator().unwrap().journeys().borrow().clone();
    assert!(all.iter().all(|run| run.is_over()), "{all:#?}");
    let cut = |why: &String| why.ends_with("the run ended before it");
    assert!(all.iter().all(|run| run.why.as_ref().is_none_or(cut)), "{all:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_carried_out_from_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let call = |args: Vec<String>| {
        let mut command = program(dir.path());
        command.args(args);
        output(command)
    };
    let args = |given: &[&str]| given.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>();

    let listed = call(args(&["journey", "--list"])).await;
    assert!(listed.status.success() && texts(&listed).contains("nft_list_buy_burn"));
    let listed = call(args(&["journey", "--list", "--json"])).await;
    let listed: Json = serde_json::from_slice(&listed.stdout).unwrap();
    assert!(listed["journeys"].as_array().unwrap().len() >= 10);

    // On an embedded ledger of its own, for people. What a configuration file says of the load is not
    // for it.
    let file = dir.path().join("load.toml");
    let load = "tps = 50\nduration = \"5s\"\nheartbeat = true\nfuzz = 50\n[types]\nOracleSet = 0\n";
    std::fs::write(&file, load).unwrap();
    let file = file.to_str().unwrap();
    let ports = ["--rpc-bind", "127.0.0.1:0", "--ws-bind", "127.0.0.1:0"];
    let alone = ["journey", "oracle_life", "--ledger-interval", "200ms", "--config", file];
    let alone = [&alone[..], &ports[..]].concat();
    let done = call(args(&alone)).await;
    let text = texts(&done);
    assert!(done.status.success(), "{text}");
    for line in [
        "1/3 publish (OracleSet)",
        "3/3 delete (OracleDelete)",
        "VALIDATED tesSUCCESS, in validated ledger",
    ] {
        assert!(text.contains(line), "{text}");
    }
    assert!(text.ends_with("oracle_life: all 3 steps were validated with tesSUCCESS\n"), "{text}");
    let done = call(args(&[&alone[..], &["--quiet"]].concat())).await;
    let last = "oracle_life: all 3 steps were validated with tesSUCCESS\n";
    assert_eq!(String::from_utf8_lossy(&done.stdout), last);
    // Its store has a run of another ledger, which had got further.
    assert!(!texts(&done).contains("panic"), "{}", texts(&done));

    // On a node, for programs.
    let node = node().await;
    let (rpc, ws) = (format!("http://{}", node.rpc_addr), format!("ws://{}", node.ws_addr));
    let on_node =
        call(args(&["journey", "check_cash", "--json", "--rpc", &rpc, "--ws", &ws])).await;
    assert!(on_node.status.success(), "{}", texts(&on_node));
    let lines = String::from_utf8(on_node.stdout).unwrap();
    let lines: Vec<Json> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<_> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["journey", "step", "step", "step", "step", "end"]);
    assert_eq!(lines[5]["journey"]["state"], "done");
    assert_eq!(lines[2]["step"]["evidence"]["kind"], "validated");

    for (given, exit, named) in [
        (vec!["journey", "check_chas"], 2, "\"check_cash\""),
        (vec!["journey"], 2, "NAME"),
        (vec!["journey", "check_cash", "--accounts", "2"], 2, "--accounts"),
        (vec!["journey", "check_cash", "--duration", "3s"], 2, "--duration"),
        (vec!["journey", "check_cash", "--types", "CheckCash=0"], 2, "--types"),
        (vec!["journey", "check_cash", "--tps", "5"], 2, "--tps"),
        (vec!["journey", "check_cash", "--fuzz", "5"], 2, "--fuzz"),
        (
            vec![
                "journey",
                "check_cash",
                "--rpc",
                "http://127.0.0.1:1",
                "--ws",
                "ws://127.0.0.1:1",
            ],
            3,
            "no node answers",
        ),
    ] {
        let refused = call(args(&given)).await;
        let text = texts(&refused);
        assert_eq!(refused.status.code(), Some(exit), "{given:?}: {text}");
        assert!(text.contains(named), "{given:?}: {text}");
    }
}

#[test]
fn the_documentation_has_every_journey() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/journeys.md");
    let text = std::fs::read_to_string(path).unwrap();
    for journey in xrpl_generator::journey::list() {
        let steps: Vec<_> = journey.steps.iter().map(|step| step.transaction_type).collect();
        let row = format!("| `{}` | {} | {} |", journey.name, journey.shows, steps.join(" → "));
        assert!(text.lines().any(|line| line == row), "docs/journeys.md lacks: {row}");
    }
}
