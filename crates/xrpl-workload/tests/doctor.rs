//! `doctor` from outside: on ledgers that are well and on those that are not, and on what is no xrpld.

mod common;
#[path = "common/outside.rs"]
mod outside;

use std::{net::SocketAddr, process::Output, time::Duration};

use common::program;
use outside::{node, output, report, texts};
use serde_json::Value as Json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use xrpl_standalone::{
    Closing,
    faults::{Network, NetworkConfig, NodeAction, NodeFault, Plan},
    server::{Kind, Standalone, StandaloneConfig},
};

async fn doctor(args: &[String], env: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path());
    command.arg("doctor").args(args).envs(env.iter().copied());
    let done = output(command).await;
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is begun");
    done
}

fn at(rpc: SocketAddr, ws: SocketAddr, more: &[&str]) -> Vec<String> {
    let mut args = vec!["--json".to_owned()];
    args.extend([format!("--rpc=http://{rpc}"), format!("--ws=ws://{ws}")]);
    args.extend(more.iter().map(|arg| (*arg).to_owned()));
    args
}

/// The check of that name, of any node or of the run.
fn check<'a>(report: &'a Json, name: &str) -> &'a Json {
    let nodes = report["nodes"].as_array().unwrap().iter();
    let all = nodes.flat_map(|node| node["checks"].as_array().unwrap());
    let mut all = all.chain(report["run"].as_array().unwrap());
    all.find(|check| check["check"] == name).unwrap_or_else(|| panic!("no {name} in {report}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_ledger_is_ready() {
    let node = node().await;
    let done = doctor(&at(node.rpc_addr, node.ws_addr, &[]), &[]).await;
    assert_eq!(done.status.code(), Some(0), "{}", texts(&done));
    let report = report(&done);
    assert_eq!(report["ready"], true, "{report}");
    for name in [
        "json-rpc",
        "synced",
        "version",
        "network",
        "history",
        "clock",
        "reserves",
        "fees",
        "types",
        "same node",
        "role",
        "limits",
        "stream",
        "funds",
        "rate",
    ] {
        let check = check(&report, name);
        assert_eq!(check["level"], "ok", "{check}");
    }
    assert_eq!(check(&report, "version")["text"], "3.3.0-b0");

    // In words, for people.
    let mut args = at(node.rpc_addr, node.ws_addr, &[]);
    args.remove(0);
    let done = doctor(&args, &[]).await;
    assert!(texts(&done).contains("ready for a run: 0 warnings"), "{}", texts(&done));
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_and_cannot_be_had_is_said() {
    let node = node().await;
    for (more, env, exit, name, level, text) in [
        (&["--network-id=5"][..], &[][..], 3, "network", "error", "--network-id 5"),
        (&["--tps=1000", "--accounts=5"], &[], 0, "rate", "warning", "target 1000/s"),
        (&["--fund-drops=1000000"], &[], 3, "reserves", "error", "--fund-drops 1000000"),
        (
            &[],
            &[("XRPL_WORKLOAD_FUNDING_SECRET", "sEdTM1uX8pu2do5XvTnutH6HsouMaM2")],
            3,
            "funds",
            "error",
            "does not exist",
        ),
    ] {
        let done = doctor(&at(node.rpc_addr, node.ws_addr, more), env).await;
        assert_eq!(done.status.code(), Some(exit), "{more:?}: {}", texts(&done));
        let report = report(&done);
        let found = check(&report, name);
        assert_eq!(found["level"], level, "{found}");
        assert!(found["text"].as_str().unwrap().contains(text), "{found}");
        assert!(!found["fix"].as_str().unwrap().is_empty(), "{found}");
    }
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_of_two_chains_are_told_apart() {
    // Their clocks, and so all their ledgers, differ.
    let begun = async |start_time| {
        Standalone::start(StandaloneConfig {
            rpc_bind: ([127, 0, 0, 1], 0).into(),
            ws_bind: ([127, 0, 0, 1], 0).into(),
            closing: Closing::Interval(Duration::from_millis(200)),
            start_time: Some(start_time),
            ..StandaloneConfig::default()
        })
        .await
        .unwrap()
    };
    let (one, other) = (begun(800_000_000).await, begun(810_000_000).await);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let done = doctor(&at(one.rpc_addr, other.ws_addr, &[]), &[]).await;
    assert_eq!(done.status.code(), Some(3), "{}", texts(&done));
    assert_eq!(check(&report(&done), "same node")["level"], "error");

    let second =
        [format!("--rpc=http://{}", other.rpc_addr), format!("--ws=ws://{}", other.ws_addr)];
    let second: Vec<_> = second.iter().map(String::as_str).collect();
    let done = doctor(&at(one.rpc_addr, one.ws_addr, &second), &[]).await;
    assert_eq!(done.status.code(), Some(3), "{}", texts(&done));
    assert_eq!(check(&report(&done), "one chain")["level"], "error");
    one.shutdown().await;
    other.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_xrpld_is_called_so() {
    // Nothing at all, a web server, and a node that is asked for TLS.
    let closed: SocketAddr = ([127, 0, 0, 1], 1).into();
    let web = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = web.local_addr().unwrap();
    let server = tokio::spawn(async move {
        while let Ok((mut stream, _)) = web.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let answer = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>";
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    let node = node().await;
    let tls = vec![
        "--json".to_owned(),
        format!("--rpc=https://localhost:{}", node.rpc_addr.port()),
        format!("--ws=wss://localhost:{}", node.ws_addr.port()),
    ];
    for (args, fix) in [
        (at(closed, closed, &[]), "nothing listens there"),
        (at(address, address, &[]), "not xrpld"),
        (tls, "does not speak TLS"),
    ] {
        let done = doctor(&args, &[]).await;
        assert_eq!(done.status.code(), Some(3), "{args:?}: {}", texts(&done));
        let report = report(&done);
        for name in ["json-rpc", "websocket"] {
            let found = check(&report, name);
            assert_eq!(found["level"], "error", "{found}");
            assert!(found["fix"].as_str().unwrap().contains(fix), "{found}");
        }
    }
    server.abort();
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_a_node_are_found() {
    let fault = |action| vec![NodeFault { at_ms: 0, node: 0, action }];
    for (action, name, level, text) in [
        (NodeAction::LoseHistory(5), "history", "warning", "cannot be decided"),
        (NodeAction::Freeze(600_000), "json-rpc", "error", "no answer within"),
    ] {
        let network = Network::start(NetworkConfig {
            nodes: 1,
            close_interval: Duration::from_millis(100),
            plan: Plan { nodes: fault(action), ..Plan::default() },
            node: xrpl_standalone::node::NodeConfig::default(),
            send_queue_limit: 100,
            start_time: None,
        });
        let rpc = network.listen(0, Kind::Rpc).await.unwrap();
        let ws = network.listen(0, Kind::WebSocket).await.unwrap();
        // More ledgers than it will keep.
        while network.newest().header.index < 12 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        network.follow_plan();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let done = doctor(&at(rpc, ws, &[]), &[]).await;
        let found = report(&done);
        let found = check(&found, name);
        assert_eq!(found["level"], level, "{found}");
        assert!(found["text"].as_str().unwrap().contains(text), "{found}");
        assert_eq!(done.status.code(), Some(if level == "error" { 3 } else { 0 }));
        network.shutdown().await;
    }
}
