//! Limits and reads of whole runs: what is asked, what was measured, how the program ends.

mod common;

use std::path::Path;

use common::{FREE_PORTS, Running, assert_healthy, config_without, get, program, run_config};
use serde_json::Value as Json;
use xrpl_workload::{record::Condition, report};

fn write(dir: &Path, text: &str) -> String {
    let path = dir.join("it.toml");
    std::fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

const LOAD: &str = "[[stage]]\nname = \"one\"\nconstant = 30\nduration = \"2s\"\n";

#[test]
fn a_broken_limit_has_an_exit_code_and_a_line_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let run = |limits: &str| {
        let file = write(dir.path(), &format!("{LOAD}[limits]\n{limits}"));
        let output = program(dir.path())
            .args(["run", "--scenario", &file, "--accounts", "20", "--store", "memory"])
            .args(["--ledger-interval", "300ms"])
            .args(FREE_PORTS)
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, out) =
        run("finality_ms_p99 = { max = 1, stages = true }\nfailed_percent = { max = 0 }");
    assert_eq!(code, 6, "{out}");
    for line in [
        "limit broken      finality_ms_p99: ",
        "limit broken      finality_ms_p99 of stage \"one\": ",
        "at most 1 ms was asked",
        "limit kept        failed_percent: 0 %, at most 0 % was asked",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
    let (code, out) = run("finality_ms_p99 = { max = 60_000 }\nvalidated_per_second = { min = 1 }");
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("limit kept") && !out.contains("limit broken"), "{out}");
}

#[test]
fn every_figure_is_documented() {
    let docs = include_str!("../../../docs/scenarios.md");
    for figure in xrpl_workload::figures::FIGURES {
        assert!(docs.contains(&format!("`{}`", figure.name)), "{}", figure.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_limit_ends_the_load_after_its_grace() {
    let dir = tempfile::tempdir().unwrap();
    let text = "[[stage]]\nconstant = 30\nduration = \"10m\"\n[limits]\n\
                finality_ms_p50 = { max = 1, abort = true, grace = \"1s\" }";
    let file = write(dir.path(), text);
    let ended = run_config(config_without(&["duration"], &[("scenario", &file)])).await;
    assert_healthy(&ended);
    assert!(ended.stages[0].time.as_secs() < 60, "{:?}", ended.stages[0]);
    let [verdict] = &ended.limits[..] else { panic!("{:?}", ended.limits) };
    assert!(verdict.broken && verdict.measured > Some(1.0), "{verdict:?}");
    assert_eq!(ended.summary.limits, ended.limits);
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_are_asked_beside_the_load_and_measured_apart() {
    let dir = tempfile::tempdir().unwrap();
    let text = "[[stage]]\nconstant = 20\nduration = \"3s\"\n[[reads]]\nrate = 100\n\
                methods = { account_info = 4, account_lines = 1, account_objects = 1, account_tx = 2, \
                book_offers = 2, fee = 1, ledger = 2, server_info = 1 }\n[[reads]]\nsubscriptions = 3\n\
                [limits]\nread_failed_percent = { max = 0 }\nread_ms_p99 = { max = 60_000 }";
    let file = write(dir.path(), text);
    let run = Running::of(config_without(&["duration"], &[("scenario", &file)])).await;
    let app = run.app.clone();
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let told = get(run.api, "/workload/scenario").await.json();
    assert_eq!(told["reads"]["held"]["open"], 3, "{told}");
    assert_eq!(told["outline"]["reads"][1], "3 subscriptions: ledger, transactions");
    let ended = run.ended.await.unwrap();
    assert_healthy(&ended);
    let reads = app.reads.measured();
    assert_eq!(reads.methods.len(), 9, "eight methods and the subscriptions: {reads:?}");
    let asked: u64 = reads.methods.values().map(|read| read.asked).sum();
    assert!(asked > 150, "{reads:?}");
    for (method, read) in &reads.methods {
        assert!(read.failed.is_empty(), "{method}: {read:?}");
        assert_eq!(read.scheduled_ms.len(), read.asked, "{method}");
    }
    assert!(reads.held.messages > 10, "{reads:?}");
    assert!(reads.slots.on_time > 100, "{reads:?}");
    // The record has them all, by method.
    let record = app.recorder.record(&app, Condition::Ended, &[]).await;
    assert_eq!(record.measured.reads.len(), 9, "{:?}", record.measured.reads);
    for (method, read) in &reads.methods {
        let recorded = &record.measured.reads[method];
        assert_eq!(
            (recorded.ms.len(), recorded.sent_ms.len()),
            (read.asked, read.asked),
            "{method}"
        );
    }
    assert_eq!(record.read_slots, reads.slots);
    let held = record.subscriptions;
    assert_eq!((held.wanted, held.most, held.messages), (3, 3, reads.held.messages));
    for text in [report::markdown(&record), report::html(&record)] {
        for part in
            ["account_info", "book_offers", "Subscriptions: 3 held open", "Slots of the reads"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    // They are none of the load's transactions, and the limits know them.
    assert!(ended.limits.iter().all(|limit| !limit.broken), "{:?}", ended.limits);
    assert!(ended.limits[0].measured == Some(0.0), "{:?}", ended.limits);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nodes_own_side_is_sampled_beside_ours() {
    let run = Running::start(&[("tps", "20")]).await;
    let mut node = Json::Null;
    for _ in 0..100 {
        let told = get(run.api, "/state/timeline").await.json();
        node = told["samples"].as_array().unwrap().last().unwrap()["node"].clone();
        if node["load_factor"].is_number() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(node["load_factor"].as_f64().unwrap() >= 1.0, "{node}");
    assert!(node["queue"].is_u64() && node["open_ledger_fee"].is_u64(), "{node}");
    assert!(node["lag_ledgers"].is_null(), "one node has nobody to lag behind: {node}");
    run.end().await;
}
