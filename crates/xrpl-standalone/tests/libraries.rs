//! Unmodified xrpl.js and xrpl-py against this ledger. Needs `scripts/install-test-libraries`.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use serde_json::Value as Json;
use tokio::process::Command;
use xrpl_protocol::Definitions;
use xrpl_standalone::{
    Closing, FaucetConfig, Standalone, StandaloneConfig, ledger::amendment, node::NodeConfig,
};

fn libraries() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    target.join("test-libraries")
}

async fn run(program: PathBuf, script: &str, closing: Closing) {
    let server = Standalone::start(StandaloneConfig {
        rpc_bind: ([127, 0, 0, 1], 0).into(),
        ws_bind: ([127, 0, 0, 1], 0).into(),
        closing,
        // Batches are in development.
        node: NodeConfig { features: vec![amendment::BATCH_V1_1.id()], ..NodeConfig::default() },
        faucet: Some(FaucetConfig::default()),
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
    let output = tokio::time::timeout(Duration::from_secs(240), output).await.unwrap().unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.trim().ends_with("ok"), "{out}\n{err}");
    server.shutdown().await;
}

/// Closes so often that nobody waits long.
const OFTEN: Closing = Closing::Interval(Duration::from_millis(300));

async fn run_js(script: &str, closing: Closing) {
    match libraries().join("node_modules/xrpl").is_dir() {
        true => run("node".into(), script, closing).await,
        false => {
            println!("skipped: xrpl.js is not installed (scripts/install-test-libraries)");
        }
    }
}

async fn run_py(script: &str, closing: Closing) {
    let python = libraries().join("venv/bin/python");
    match python.is_file() {
        true => run(python, script, closing).await,
        false => {
            println!("skipped: xrpl-py is not installed (scripts/install-test-libraries)");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xrpl_js_pays_trusts_and_reads() {
    run_js("pay_trust_read.js", OFTEN).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xrpl_py_pays_trusts_and_reads() {
    run_py("pay_trust_read.py", OFTEN).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xrpl_js_is_funded_by_the_faucet() {
    for closing in [OFTEN, Closing::OnSubmit] {
        run_js("fund.js", closing).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xrpl_py_is_funded_by_the_faucet() {
    for closing in [OFTEN, Closing::OnSubmit] {
        run_py("fund.py", closing).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xrpl_js_uses_every_family() {
    run_js("families.js", Closing::OnSubmit).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xrpl_py_uses_every_family() {
    run_py("families.py", Closing::OnSubmit).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xrpl_js_sends_every_type() {
    run_js("every_type.js", Closing::OnSubmit).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xrpl_py_sends_every_type() {
    run_py("every_type.py", Closing::OnSubmit).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xrpl_js_listens_and_pages() {
    run_js("streams.js", OFTEN).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xrpl_py_listens_and_pages() {
    run_py("streams.py", OFTEN).await;
}

/// What the libraries send is every type that there is, but for those that the table excuses with a reason.
#[test]
fn the_table_has_every_type() {
    let table: Json = serde_json::from_str(include_str!("libraries/every_type.json")).unwrap();
    let steps = table["families"].as_object().unwrap().values();
    let steps = steps.flat_map(|family| family["steps"].as_array().unwrap());
    let sent: BTreeSet<&str> =
        steps.filter_map(|step| step["tx"]["TransactionType"].as_str()).collect();
    let excused: BTreeSet<&str> =
        table["excused"].as_object().unwrap().keys().map(String::as_str).collect();
    let all: BTreeSet<&str> = Definitions::builtin()
        .transaction_types()
        .filter(|(_, code)| (0..100).contains(code))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(sent.intersection(&excused).count(), 0);
    assert_eq!(sent.union(&excused).copied().collect::<BTreeSet<_>>(), all);
    for (name, reason) in table["excused"].as_object().unwrap() {
        assert!(reason.as_str().is_some_and(|reason| reason.len() > 20), "{name}");
    }
}
