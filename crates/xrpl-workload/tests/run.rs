//! Whole runs on the embedded ledger: what is promised of a healthy one.

mod common;

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
    time::{Duration, Instant},
};

use common::{FREE_PORTS, assert_by_stream, assert_healthy, config, program, run};
use serde_json::Value as Json;
use xrpl_tracker::Subscription;
use xrpl_workload::{parts::tracker_config, summary::Summary};

#[tokio::test(flavor = "multi_thread")]
async fn a_fixed_rate_is_kept_and_everything_is_validated_by_the_stream() {
    let ended = run(&[("tps", "100"), ("duration", "4s"), ("accounts", "40")]).await;
    assert_healthy(&ended);
    assert_by_stream(&ended);
    let rate = ended.summary.validated_per_second;
    assert!((60.0..=120.0).contains(&rate), "{rate} of 100\n{}", ended.summary);
    assert_eq!(ended.summary.expected_invalid, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_in_flight_of_twenty_accounts() {
    let ended = run(&[("tps", "150"), ("max_pending", "8"), ("accounts", "20")]).await;
    assert_healthy(&ended);
    assert_by_stream(&ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_our_accounts_alone_show_everything_of_ours() {
    let settings = [("tps", "100"), ("duration", "3s"), ("subscribe", "accounts")];
    let subscription = tracker_config(&config(&settings)).subscription;
    assert_eq!(subscription, Subscription::Accounts(Vec::new()));
    let ended = run(&settings).await;
    assert_healthy(&ended);
    assert_by_stream(&ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn unlimited() {
    let ended = run(&[("tps", "0"), ("accounts", "50"), ("duration", "2s")]).await;
    assert_healthy(&ended);
    assert_by_stream(&ended);
    // Far below what it does: only that it is not paced.
    assert!(ended.summary.validated_per_second > 100.0, "{}", ended.summary);
}

#[tokio::test(flavor = "multi_thread")]
async fn deliberately_invalid_ones_get_what_their_mutations_predict_and_hide_nothing() {
    let ended = run(&[("tps", "80"), ("intent_invalid", "20"), ("duration", "4s")]).await;
    // `failures` has none that got another result than predicted.
    assert!(ended.failures.is_empty(), "{:?}\n{}", ended.failures, ended.summary);
    assert!(ended.summary.expected_invalid > 20, "{}", ended.summary);
    assert_eq!(ended.summary.undecided, 0);
    let other: u64 = ended
        .summary
        .engine_results
        .iter()
        .filter(|(result, _)| *result != "tesSUCCESS")
        .map(|(_, n)| n)
        .sum();
    assert!(other > 0, "{}", ended.summary);
}

#[tokio::test(flavor = "multi_thread")]
async fn secp256k1_and_the_open_ledger_fee() {
    let ended =
        run(&[("key_type", "secp256k1"), ("fee_strategy", "open_ledger"), ("duration", "2s")])
            .await;
    assert_healthy(&ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_ledger_escalates_fees_and_loses_nothing() {
    let ended = run(&[
        ("tps", "150"),
        ("txq_minimum_txn_in_ledger", "20"),
        ("fee_strategy", "open_ledger"),
        ("max_fee_drops", "10000"),
        ("duration", "3s"),
    ])
    .await;
    assert_healthy(&ended);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_the_accounts_cannot_carry_is_said() {
    let few = [("tps", "200"), ("accounts", "4"), ("max_pending", "1"), ("ledger_interval", "1s")];
    let ended = run(&few).await;
    assert_healthy(&ended);
    let first = ended.summary.to_string();
    let first = first.lines().next().unwrap_or_default();
    // Two gateways send too.
    let said = "target 200/s, 6/s possible: 6 accounts x 1 in flight per 1.0 s ledger";
    assert!(first.contains(said), "{first}");
}

#[test]
fn json_ends_with_the_promised_object_and_exit_code_0() {
    let dir = tempfile::tempdir().unwrap();
    let output = program(dir.path())
        .args(["run", "--duration", "3s", "--tps", "40", "--accounts", "10", "--json"])
        .args(["--interval", "1s", "--ledger-interval", "300ms"])
        .args(FREE_PORTS)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}\n{text}\n{errors}", output.status);
    let lines: Vec<Json> =
        text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let (last, before) = lines.split_last().unwrap();
    assert!(before.iter().any(|line| line["event"] == "interval"), "{text}");
    assert!(before.iter().any(|line| line["event"] == "preparing"), "{text}");
    // A machine with too much else to do is told besides.
    let fields = last.as_object().unwrap().keys().filter(|key| *key != "not_kept");
    assert_eq!(fields.count(), 16);
    let summary: Summary = serde_json::from_value(last.clone()).unwrap();
    assert_eq!(summary.store.rows, summary.submitted);
    assert!(summary.store.bytes > Some(4_096), "{summary}");
    assert_eq!(summary.by_state["VALIDATED"], summary.submitted);
    assert!(summary.submitted > 100, "{summary}");
    assert!(dir.path().join("xrpl-workload.db").exists(), "the default store is a file");
}

#[test]
fn ctrl_c_lets_what_is_in_flight_end_and_prints_the_summary() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = program(dir.path())
        .args(["--tps", "30", "--accounts", "10", "--interval", "500ms", "--store", "memory"])
        .args(FREE_PORTS)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.contains("validated")), "no interval was printed");
    let id = i32::try_from(child.id()).unwrap();
    let asked = Instant::now();
    let killed = std::process::Command::new("kill").args(["-INT", &id.to_string()]).status();
    assert!(killed.unwrap().success());
    let rest: Vec<String> = lines.collect();
    let status = child.wait().unwrap();
    let text = rest.join("\n");
    assert!(status.success(), "{status:?}\n{text}");
    assert!(asked.elapsed() < Duration::from_secs(30));
    assert!(text.contains("summary (") && text.contains("undecided         0"), "{text}");
}
