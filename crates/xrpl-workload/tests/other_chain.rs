//! The node is restarted with a fresh chain in the middle of a run: what was in flight comes to no
//! end by ledgers of the new one, and the run ends, or another begins, as configured.

mod common;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use common::{config, get, quiet};
use xrpl_standalone::{Standalone, StandaloneConfig};
use xrpl_workload::{
    archive::Archive,
    session::{Session, Stop},
};

async fn node(rpc_bind: SocketAddr, ws_bind: SocketAddr) -> Standalone {
    let config = StandaloneConfig {
        rpc_bind,
        ws_bind,
        closing: xrpl_standalone::Closing::Interval(Duration::from_millis(500)),
        ..StandaloneConfig::default()
    };
    // The ports may take a moment to be free again.
    for _ in 0..100 {
        if let Ok(node) = Standalone::start(config.clone()).await {
            return node;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the node's ports are taken");
}

async fn started(on_reset: &str) -> (Standalone, Session) {
    let any = "127.0.0.1:0".parse().unwrap();
    let node = node(any, any).await;
    let (rpc, ws) = (format!("http://{}", node.rpc_addr), format!("ws://{}", node.ws_addr));
    let changed =
        [("rpc", &*rpc), ("ws", &*ws), ("tps", "20"), ("duration", "0"), ("on_reset", on_reset)];
    let session = Session::start(config(&changed), &quiet()).await.unwrap();
    (node, session)
}

/// The same ports, and another chain.
async fn reset(old: Standalone) -> Standalone {
    let (rpc, ws) = (old.rpc_addr, old.ws_addr);
    old.shutdown().await;
    node(rpc, ws).await
}

async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..600 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it took more than a minute: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_run_ends_and_says_why() {
    let (node, session) = started("end").await;
    let app = session.app();
    let running =
        tokio::spawn(async move { session.run(&Stop::default(), &quiet()).await.unwrap() });
    until("load", async || app.generator().is_some() && app.tracker.stats().total_tracked > 60)
        .await;
    let node = reset(node).await;
    let ended = tokio::time::timeout(Duration::from_secs(60), running).await.unwrap().unwrap();
    assert!(ended.reset);
    assert!(ended.failures[0].contains("the chain was reset"), "{:?}", ended.failures);
    let record = Archive::of(Arc::clone(&app.store)).find("latest").await.unwrap();
    assert_eq!(record.failed, ended.failures, "the record says it too");
    let summary = &ended.summary;
    for state in ["EXPIRED", "REJECTED", "FAILED_NET"] {
        assert_eq!(summary.by_state[state], 0, "{state}: {summary}");
    }
    assert_eq!((summary.overturned, summary.revoked), (0, 0), "{summary}");
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_run_begins_where_that_is_wanted() {
    let (node, session) = started("new-run").await;
    let (app, api) = (session.app(), session.api_address().unwrap());
    let stop = Stop::default();
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { session.run(&stop, &quiet()).await.unwrap() }
    });
    until("load", async || app.generator().is_some() && app.tracker.stats().total_tracked > 60)
        .await;
    let run = app.tracker.run().0;
    let node = reset(node).await;
    until("a new run with load", async || {
        let summary = get(api, "/state/summary").await.json();
        summary["run"] == run + 1 && summary["phase"] == "ready"
    })
    .await;
    let before = app.tracker.stats();
    assert_eq!(before.by_state[&xrpl_tracker::State::Expired], 0, "the old run stands still");
    stop.soon.cancel();
    let ended = running.await.unwrap();
    assert!(!ended.reset);
    // What the old run handed in before it was noticed, the new chain may have held and applied once
    // the accounts were there: then it took the Sequence of one of the new run's.
    let summary = &ended.summary;
    assert!(summary.by_state["VALIDATED"] > 0, "{summary}");
    assert_eq!((summary.by_state["EXPIRED"], summary.undecided), (0, 0), "{summary}");
    assert_eq!((summary.overturned, summary.revoked), (0, 0), "{summary}");
    node.shutdown().await;
}
