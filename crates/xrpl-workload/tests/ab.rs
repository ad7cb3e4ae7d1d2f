//! `--ab`: two ledgers of different speed under the same load, side by side and in turn, from outside.

mod common;

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use common::program;
use serde_json::Value as Json;
use xrpl_standalone::server::{Closing, Standalone, StandaloneConfig};
use xrpl_workload::view::SCHEMA;

/// A ledger of its own network that closes so often.
async fn ledger(network_id: u32, interval: Duration) -> Standalone {
    let free = ([127, 0, 0, 1], 0).into();
    let mut config = StandaloneConfig {
        rpc_bind: free,
        ws_bind: free,
        closing: Closing::Interval(interval),
        ..StandaloneConfig::default()
    };
    config.node.network_id = network_id;
    Standalone::start(config).await.unwrap()
}

fn side(name: &str, of: &Standalone) -> String {
    format!("--ab={name}=http://{},ws://{}", of.rpc_addr, of.ws_addr)
}

async fn call(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn command(folder: &Path, sides: [&str; 2], more: &[&str]) -> Command {
    let mut command = program(folder);
    command
        .args(["run", "--duration=3s", "--tps=10", "--accounts=10", "--no-api", "--json"])
        .args(sides)
        .args(more);
    command
}

/// The comparison, or none where this machine had other things to do and the load was not kept.
fn comparison(output: &Output) -> Option<Json> {
    let text = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    let last: Json = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let schema: Json = serde_json::from_str(SCHEMA).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for line in text.lines() {
        let line = serde_json::from_str(line).unwrap();
        assert!(schema.is_valid(&line), "{line}");
    }
    if said.contains("cannot be compared") {
        assert_eq!(output.status.code(), Some(3), "{said}");
        return None;
    }
    assert_eq!(last["event"], "comparison", "{text}\n{said}");
    Some(last["comparison"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_slower_one_is_said_to_be_worse() {
    let fast = ledger(11, Duration::from_millis(250)).await;
    let slow = ledger(12, Duration::from_millis(1_000)).await;
    let (fast_side, slow_side) = (side("fast", &fast), side("slow", &slow));
    for mode in ["in-turn", "side-by-side"] {
        let folder = tempfile::tempdir().unwrap();
        let mode = format!("--ab-mode={mode}");
        let output = call(command(folder.path(), [&fast_side, &slow_side], &[&mode])).await;
        for name in ["fast", "slow"] {
            let store = folder.path().join(format!("xrpl-workload-{name}.db"));
            let nowhere = &xrpl_workload::config::StoreChoice::Memory;
            let record = xrpl_workload::archive::load(&store.display().to_string(), nowhere).await;
            assert_eq!(record.unwrap().head.name.as_deref(), Some(name));
        }
        let Some(told) = comparison(&output) else { continue };
        assert_eq!(output.status.code(), Some(1), "{told}");
        let titles = [&told["first"]["title"], &told["second"]["title"]];
        assert_eq!(titles, ["fast (run 1)", "slow (run 1)"]);
        assert_eq!(told["verdict"], "worse", "{told}");
        let changes = told["changes"].as_array().unwrap();
        let interval = changes.iter().find(|c| c["figure"] == "ledger_interval_ms_p50").unwrap();
        assert_eq!(interval["verdict"], "worse", "{interval}");
    }
    fast.shutdown().await;
    slow.shutdown().await;
}

/// What a script asks of two nodes at once: one exit code for a limit that either breaks, and a page
/// for each.
#[tokio::test(flavor = "multi_thread")]
async fn a_broken_limit_of_either_is_the_exit_code() {
    let (one, two) = (
        ledger(21, Duration::from_millis(250)).await,
        ledger(22, Duration::from_millis(250)).await,
    );
    let (first, second) = (side("one", &one), side("two", &two));
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("scenario.toml");
    let text = "[[stage]]\nconstant = 10\nduration = 3\n[limits]\nfinality_ms_p50 = { max = 1 }\n";
    std::fs::write(&scenario, text).unwrap();
    let mut command = program(folder.path());
    command
        .args(["run", "--accounts=10", "--api-bind=127.0.0.1:0", "--json"])
        .args([&first, &second, "--ab-mode=side-by-side"])
        .arg(format!("--scenario={}", scenario.display()));
    let output = call(command).await;
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    if comparison(&output).is_some() {
        assert_eq!(output.status.code(), Some(6), "{text}");
    }
    let pages: std::collections::BTreeSet<_> =
        text.lines().filter(|line| line.contains("API: http://127.0.0.1:")).collect();
    assert_eq!(pages.len(), 2, "{text}");
    one.shutdown().await;
    two.shutdown().await;
}

/// Who ends both before their time gets no verdict of what they came to until then.
#[tokio::test(flavor = "multi_thread")]
async fn interrupted_there_is_no_verdict() {
    let (one, two) = (
        ledger(31, Duration::from_millis(250)).await,
        ledger(32, Duration::from_millis(250)).await,
    );
    let (first, second) = (side("one", &one), side("two", &two));
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path());
    command
        .args(["run", "--duration=10m", "--tps=10", "--accounts=10", "--no-api", "--json"])
        .args([&first, &second, "--ab-mode=side-by-side", "--interval=200ms"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = tokio::task::spawn_blocking(move || {
        let id = child.id().to_string();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        // Both run.
        for name in ["one: ", "two: "] {
            let runs = |line: &String| {
                line.contains(name)
                    && line.contains(" submitted ")
                    && !line.contains(" submitted 0 ")
            };
            assert!(lines.any(|line| runs(&line)));
        }
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let rest: Vec<_> = lines.collect();
        (rest, child.wait_with_output().unwrap())
    });
    let (rest, output) = output.await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(7), "{rest:?}\n{said}");
    assert!(said.contains("interrupted before both had come to their end"), "{said}");
    assert!(rest.iter().all(|line| !line.contains("\"comparison\"")), "{rest:?}");
    assert_eq!(
        rest.iter().filter(|line| line.contains("\"by_state\"")).count(),
        2,
        "both summaries"
    );
    one.shutdown().await;
    two.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_node_that_is_not_there_is_said_before_the_first_is_driven() {
    let folder = tempfile::tempdir().unwrap();
    let first = ledger(1, Duration::from_millis(300)).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let second = format!("--ab=new=http://{nobody},ws://{nobody}");
    let output = call(command(folder.path(), [&side("old", &first), &second], &[])).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("new: no node answers"), "{said}");
    assert!(!said.contains("old: begins"), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was driven");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_said_before_anything_starts() {
    let one = ledger(13, Duration::from_millis(300)).await;
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (side("a", &one), side("b", &one));
    let same = call(command(folder.path(), [&a, &b], &["--ab-mode=side-by-side"])).await;
    let said = String::from_utf8_lossy(&same.stderr);
    assert_eq!(same.status.code(), Some(3), "{said}");
    assert!(said.contains("a and b follow one ledger"), "{said}");
    for (sides, more, why) in [
        ([a.as_str(), a.as_str()], "--tps=5", "both have the same name"),
        ([a.as_str(), "--quiet"], "--tps=5", "give it twice"),
        ([a.as_str(), b.as_str()], "--duration=0", "the first one must end"),
        ([a.as_str(), b.as_str()], "--name=x", "leave --name out"),
        ([a.as_str(), b.as_str()], "--ab-mode=both", "expected in-turn or side-by-side"),
        ([a.as_str(), "--ab=http://x"], "--tps=5", "a has no WebSocket address"),
        (["--ab=http://x,ws://x", b.as_str()], "--tps=5", "has no name"),
        ([a.as_str(), "--ab=b=http://x"], "--tps=5", "b has no WebSocket address"),
        (["--ab-mode=in-turn", "--quiet"], "--tps=5", "give --ab twice"),
    ] {
        let mut command = program(folder.path());
        let output = call({
            command.args(["run", "--no-api"]).args(sides).arg(more);
            if !more.starts_with("--duration") {
                command.arg("--duration=1s");
            }
            command
        })
        .await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{sides:?} {more}: {said}");
        assert!(said.contains(why), "{sides:?} {more}: {said}");
    }
    one.shutdown().await;
}
