//! Unmodified xrpl.js and xrpl-py against this ledger. Needs `scripts/install-test-libraries`.

use std::{path::PathBuf, time::Duration};

use tokio::process::Command;
use xrpl_standalone::{Standalone, StandaloneConfig};

fn libraries() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    target.join("test-libraries")
}

async fn run(program: PathBuf, script: &str) {
    let server = Standalone::start(StandaloneConfig {
        rpc_bind: ([127, 0, 0, 1], 0).into(),
        ws_bind: ([127, 0, 0, 1], 0).into(),
        close_interval: Some(Duration::from_millis(300)),
        ..StandaloneConfig::default()
    })
    .await
    .unwrap();
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/libraries").join(script);
    let output = Command::new(program)
        .arg(script)
        .env("NODE_PATH", libraries().join("node_modules"))
        .env("XRPL_WS", format!("ws://{}", server.ws_addr))
        .env("XRPL_RPC", format!("http://{}", server.rpc_addr))
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(120), output).await.unwrap().unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.trim().ends_with("ok"), "{out}\n{err}");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xrpl_js_pays_trusts_and_reads() {
    if !libraries().join("node_modules/xrpl").is_dir() {
        println!("skipped: xrpl.js is not installed (scripts/install-test-libraries)");
        return;
    }
    run("node".into(), "pay_trust_read.js").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xrpl_py_pays_trusts_and_reads() {
    let python = libraries().join("venv/bin/python");
    if !python.is_file() {
        println!("skipped: xrpl-py is not installed (scripts/install-test-libraries)");
        return;
    }
    run(python, "pay_trust_read.py").await;
}
