//! The disk fills up under a run. What is not in the store is not sent, so the load ends, with a word
//! on how to go on; after that, store and ledger agree, and a run with room takes up what was open.

mod common;

use std::{
    process::{Command, Output},
    time::Duration,
};

use common::program;
use serde_json::Value as Json;
use xrpl_standalone::server::{Standalone, StandaloneConfig};

fn texts(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Runs a command; the node goes on meanwhile.
async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_the_run_with_a_clear_error_and_loses_nothing() {
    let node = Standalone::start(StandaloneConfig {
        rpc_bind: ([127, 0, 0, 1], 0).into(),
        ws_bind: ([127, 0, 0, 1], 0).into(),
        close_interval: Some(Duration::from_millis(200)),
        ..StandaloneConfig::default()
    })
    .await
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{}", node.rpc_addr);
    let run: Vec<String> = [
        "run",
        "--rpc",
        &url,
        "--ws",
        &format!("ws://{}", node.ws_addr),
        "--store",
        "run.db",
        "--no-api",
        "--json",
        "--accounts",
        "10",
        "--gateways",
        "1",
        "--currencies",
        "USD",
        "--tps",
        "200",
        "--duration",
    ]
    .map(str::to_owned)
    .to_vec();

    // No file may grow past 1 MiB: the write fails, as on a full disk.
    let plain = program(folder.path());
    let mut limited = Command::new("bash");
    limited.current_dir(folder.path());
    for (name, _) in plain.get_envs() {
        limited.env_remove(name);
    }
    limited.args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$0\" \"$@\""]);
    limited.arg(plain.get_program()).args(&run).arg("60s");
    let ended = output(limited).await;
    let text = texts(&ended);
    assert_eq!(ended.status.code(), Some(1), "{text}");
    assert!(text.contains("the load stopped, for what is not in the store is not sent"), "{text}");
    assert!(text.contains("start again"), "{text}");

    // With room again: what was open comes to its end, and the load goes on.
    let mut again = program(folder.path());
    again.args(&run).arg("2s");
    let ended = output(again).await;
    assert_eq!(ended.status.code(), Some(0), "{}", texts(&ended));
    let mut audit = program(folder.path());
    audit.args(["audit", "--node", &url, "--store", "run.db", "--json"]);
    let ended = output(audit).await;
    let report: Json = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(report["equal"], true, "{report}");
    assert!(report["in_ledgers"].as_u64().unwrap() > 200, "{report}");
}
