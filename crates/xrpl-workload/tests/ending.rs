//! How a run ends: by its terminal going away, with a full disk behind standard output, with every
//! node dead.

mod common;
#[path = "common/outside.rs"]
mod outside;

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use common::{FREE_PORTS, config, program, quiet};
use outside::{node, output, texts};
use xrpl_workload::session::{Session, Stop};

/// A run of the program on its own ledger.
fn load(folder: &Path, more: &[&str]) -> Command {
    let mut command = program(folder);
    command
        .args(["run", "--store", "memory", "--no-api", "--accounts", "5", "--tps", "20"])
        .args(["--ledger-interval", "200ms", "--json", "--interval", "200ms"])
        .args(&FREE_PORTS[2..])
        .args(more);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_goes_away_ends_a_run_as_ctrl_c_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = load(folder.path(), &[]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let id = child.id().to_string();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The load runs.
    assert!(lines.any(|line| line.unwrap().contains("\"interval\"")));
    assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    let last = lines.last().expect("it goes on to its end").unwrap();
    let summary: serde_json::Value = serde_json::from_str(&last).unwrap();
    assert!(summary["submitted"].as_u64().unwrap() > 0, "{last}");
    assert_eq!(child.wait().unwrap().code(), Some(0), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_summary_that_finds_no_room_is_told_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let mut command = load(folder.path(), &["--duration", "1s"]);
    command.stdout(full()).stderr(Stdio::piped());
    let ended = output(command).await;
    let said = texts(&ended);
    assert_eq!(ended.status.code(), Some(4), "{said}");
    assert!(said.contains("standard output did not take everything"), "{said}");
    let summary = said.lines().find_map(|line| serde_json::from_str(line).ok());
    let summary: serde_json::Value = summary.unwrap_or_else(|| panic!("no summary: {said}"));
    assert!(summary["submitted"].as_u64().unwrap() > 0, "{summary}");
    // Of every command.
    for args in [&["config"][..], &["man"], &["completions", "bash"], &["--help"]] {
        let mut command = program(folder.path());
        command.args(args).stdout(full()).stderr(Stdio::piped());
        let ended = output(command).await;
        assert_eq!(ended.status.code(), Some(4), "{args:?}: {}", texts(&ended));
    }
}

/// `--shutdown-grace` is waited for once, by the generator and the tracker together.
#[tokio::test(flavor = "multi_thread")]
async fn the_grace_is_given_once() {
    const GRACE: Duration = Duration::from_secs(6);
    let (ended, took) = with_dead_node("6s", |_| {}).await;
    assert!(ended.summary.undecided > 0, "{}", ended.summary);
    assert!(took >= GRACE && took < GRACE * 2 - Duration::from_secs(1), "{took:?}");
}

/// Whoever no longer wants to wait has the summary at once.
#[tokio::test(flavor = "multi_thread")]
async fn asked_again_a_run_ends_at_once() {
    let (ended, took) = with_dead_node("300s", |stop| stop.now.cancel()).await;
    assert!(ended.summary.undecided > 0, "{}", ended.summary);
    assert!(took < Duration::from_secs(60), "{took:?}");
}

/// A run whose only node dies under load, and is then asked to end; how long that took.
async fn with_dead_node(
    grace: &'static str,
    then: impl FnOnce(&Stop),
) -> (xrpl_workload::session::Ended, Duration) {
    let node = node().await;
    let (rpc, ws) = (format!("http://{}", node.rpc_addr), format!("ws://{}", node.ws_addr));
    let changed =
        [("rpc", &*rpc), ("ws", &ws), ("tps", "50"), ("duration", "0"), ("shutdown_grace", grace)];
    let session = Session::start(config(&changed), &quiet()).await.unwrap();
    let (app, stop) = (session.app(), Stop::default());
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { session.run(&stop, &quiet()).await.unwrap() }
    });
    while app.recorder.load(&app.tracker.stats()).validated < 100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    node.shutdown().await;
    while app.tracker.stats().pending == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let began = Instant::now();
    stop.soon.cancel();
    tokio::time::sleep(Duration::from_millis(200)).await;
    then(&stop);
    let ended = running.await.unwrap();
    let took = began.elapsed();
    // What was measured is not lost with those that were not waited for.
    assert!(ended.summary.finality_ms.max > 0, "{}", ended.summary);
    let record = app.recorder.parts(&app).await;
    let measured: u64 = record.iter().map(|part| part.measured.submitted).sum();
    assert!(measured >= 100, "{measured} of the load are in the record");
    (ended, took)
}
