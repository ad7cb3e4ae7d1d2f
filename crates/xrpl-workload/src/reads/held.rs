//! Subscriptions that are held open: what comes over them is read and counted.

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;
use xrpl_client::{ClientError, Endpoint, Pool, request::Subscribe, websocket};

use super::{Told, failure, stage_of};
use crate::session::App;

/// How long a connection and its subscription may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two tries.
const PAUSE: Duration = Duration::from_secs(1);
/// Messages that wait to be counted.
const FRAMES: usize = 1_000;

/// Holds a subscription open until cancelled, whatever becomes of its connection.
pub(super) async fn hold(
    app: Arc<App>,
    pool: Pool,
    number: usize,
    streams: Vec<String>,
    end: CancellationToken,
) {
    let nodes: Vec<_> =
        pool.endpoints().map(|(_, node)| node.clone()).filter(|node| node.ws.is_some()).collect();
    // One node after the other, so that each has its share.
    let Some(node) = (!nodes.is_empty()).then(|| nodes[number % nodes.len()].clone()) else {
        return;
    };
    loop {
        tokio::select! {
            () = end.cancelled() => return,
            () = connected(&app, &pool, &node, &streams) => {}
        }
        app.reads.0.lock().held.lost += 1;
        tokio::select! {
            () = end.cancelled() => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// Counts one as open for as long as it lives.
struct Open<'a>(&'a App);

impl<'a> Open<'a> {
    fn new(app: &'a App) -> Self {
        let held = &mut app.reads.0.lock().held;
        held.open += 1;
        held.most = held.most.max(held.open);
        Self(app)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let held = &mut self.0.reads.0.lock().held;
        held.open = held.open.saturating_sub(1);
    }
}

/// From the connection to its end.
async fn connected(app: &App, pool: &Pool, node: &Endpoint, streams: &[String]) {
    let Some(url) = &node.ws else { return };
    let (frames, mut messages) = mpsc::channel(FRAMES);
    let began = Instant::now();
    let subscribe = async {
        let connector = &*pool.config().connector;
        let socket = websocket::connect(connector, url, PATIENCE, frames).await?;
        let wanted = Subscribe { streams: streams.to_vec(), ..Subscribe::default() };
        socket.request(&wanted, PATIENCE).await?;
        Ok::<_, ClientError>(socket)
    };
    let subscribed = subscribe.await;
    let failed = subscribed.as_ref().err().map(failure);
    let told = Told { failed, took: began.elapsed(), late: Duration::ZERO };
    app.reads.note(stage_of(app), "subscribe", &told);
    // Kept until the end: dropping it closes the connection.
    let Ok(_socket) = subscribed else { return };
    let _open = Open::new(app);
    while messages.recv().await.is_some() {
        app.reads.0.lock().held.messages += 1;
    }
}
