//! The WebSocket is cut again and again: nothing is lost, what the stream missed is read back, and
//! nothing expires that a ledger contains.

mod common;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use common::{assert_healthy, config, quiet};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use xrpl_standalone::server::{Standalone, StandaloneConfig};
use xrpl_workload::session::{Session, Stop};

/// Passes connections on until told to cut those it has.
async fn proxy(to: SocketAddr, cut: Arc<Notify>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let cut = Arc::clone(&cut);
            tokio::spawn(async move {
                let mut far = TcpStream::connect(to).await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                    () = cut.notified() => {}
                }
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_cut_every_second_loses_nothing_and_is_backfilled() {
    let node = Standalone::start(StandaloneConfig {
        rpc_bind: ([127, 0, 0, 1], 0).into(),
        ws_bind: ([127, 0, 0, 1], 0).into(),
        close_interval: Some(Duration::from_millis(300)),
        ..StandaloneConfig::default()
    })
    .await
    .unwrap();
    let cut = Arc::new(Notify::new());
    let ws = format!("ws://{}", proxy(node.ws_addr, Arc::clone(&cut)).await);
    let rpc = format!("http://{}", node.rpc_addr);
    let view = quiet();
    let session = Session::start(
        config(&[("rpc", &rpc), ("ws", &ws), ("tps", "60"), ("duration", "8s")]),
        &view,
    )
    .await
    .unwrap();
    let app = session.app().clone();
    let cutter = tokio::spawn({
        let app = app.clone();
        async move {
            while app.generator().is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            loop {
                tokio::time::sleep(Duration::from_millis(1500)).await;
                cut.notify_waiters();
            }
        }
    });
    let ended = session.run(&Stop::default(), &view).await.unwrap();
    cutter.abort();
    assert_healthy(&ended);
    let summary = &ended.summary;
    assert!(summary.validated_by_source["BACKFILL"] > 0, "{summary}");
    let streams = app.tracker.ws_stats();
    assert!(streams.reconnects >= 2, "{streams:?}");
    assert_eq!(streams.failed_events, 0);
    // The ledger itself is the judge: what it has, and only that, is VALIDATED.
    let on_ledger = node.with_node(|node| {
        let newest = node.validated().header.index;
        (3..=newest)
            .filter_map(|index| node.ledger(index))
            .map(|l| l.transactions.len())
            .sum::<usize>()
    });
    assert_eq!(on_ledger as u64, summary.by_state["VALIDATED"], "{summary}");
    node.shutdown().await;
}
