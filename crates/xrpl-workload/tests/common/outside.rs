//! The program from outside, on an embedded ledger of the test's.

#![allow(dead_code, unreachable_pub)]

use std::{
    process::{Command, Output},
    time::Duration,
};

use serde_json::Value as Json;
use xrpl_standalone::server::{Standalone, StandaloneConfig};

pub fn texts(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Runs a command; the node goes on meanwhile.
pub async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

pub async fn node() -> Standalone {
    node_closing_every(Duration::from_millis(200)).await
}

pub async fn node_closing_every(time: Duration) -> Standalone {
    Standalone::start(StandaloneConfig {
        rpc_bind: ([127, 0, 0, 1], 0).into(),
        ws_bind: ([127, 0, 0, 1], 0).into(),
        closing: xrpl_standalone::Closing::Interval(time),
        ..StandaloneConfig::default()
    })
    .await
    .unwrap()
}

/// A run of this program on that node.
pub fn run(node: &Standalone, seed: &str, duration: &str) -> Vec<String> {
    let (rpc, ws) = (format!("http://{}", node.rpc_addr), format!("ws://{}", node.ws_addr));
    [
        ["run", "--no-api"].as_slice(),
        &["--rpc", &rpc, "--ws", &ws, "--store", "run.db", "--json", "--seed", seed],
        &["--accounts", "10", "--gateways", "1", "--currencies", "USD"],
        &["--tps", "200", "--duration", duration],
    ]
    .concat()
    .into_iter()
    .map(str::to_owned)
    .collect()
}

pub fn audit(node: &Standalone, seed: &str) -> Vec<String> {
    let url = format!("http://{}", node.rpc_addr);
    let args = ["audit", "--node", &url, "--store", "run.db", "--json", "--seed", seed];
    args.map(str::to_owned).to_vec()
}

pub fn report(output: &Output) -> Json {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", texts(output)))
}
