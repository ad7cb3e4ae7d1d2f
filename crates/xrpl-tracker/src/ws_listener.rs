//! One persistent WebSocket per node: subscribes, hands every message to the event queue, and
//! connects again for ever, after clean closes too.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    time::{self, Instant},
};
use url::Url;
use xrpl_client::{
    ClientError, EndpointId,
    request::{Raw, Subscribe},
    websocket::{self, WebSocket},
};
use xrpl_protocol::AccountId;

use crate::{
    clock::millis,
    core::Shared,
    event_queue::{ConnectionId, StreamEvent},
    message,
};

/// The stream of every validated transaction.
const TRANSACTIONS: &str = "transactions";

/// Accounts of one `subscribe` request.
const ACCOUNTS_PER_REQUEST: usize = 200;

/// Frames between the socket and the queue. xrpld closes the connection of a client that lets 100
/// messages pile up, so some room here is better than there.
pub(crate) const FRAMES: usize = 256;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// The close code for a reader that is too slow.
const TOO_SLOW: u16 = 1008;

/// How often it is looked whether a full stream is behind the others.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);

/// What the listeners count.
#[derive(Debug, Default)]
pub(crate) struct StreamCounters {
    pub(crate) connected: AtomicUsize,
    pub(crate) reconnects: AtomicU64,
    /// Those that a node closed, for another reason than that its reader was too slow.
    pub(crate) closed_by_node: AtomicU64,
}

/// Listens to one node for ever. Fails only if nobody processes the queue any more.
pub(crate) async fn listen(
    shared: Arc<Shared>,
    endpoint: EndpointId,
    url: Url,
) -> Result<(), &'static str> {
    let (first, longest) = (shared.config.reconnect_min, shared.config.reconnect_max);
    let mut pause = first;
    let mut jitter = Jitter::new(endpoint, shared.now_ms());
    for generation in 0.. {
        let connection = ConnectionId { endpoint, generation };
        let since = Instant::now();
        match stay_connected(&shared, connection, &url).await {
            Ended::QueueClosed => return Err("the event queue is closed"),
            Ended::NotConnected(error) => {
                tracing::warn!(%url, %error, "the stream could not be connected");
            }
            Ended::Lost(how) => {
                tracing::warn!(%url, %how, "the stream was lost");
                // It was of use for a while. A node that takes a subscription and closes at once
                // is left alone for longer and longer.
                if since.elapsed() > first * 2 {
                    pause = first;
                }
            }
        }
        time::sleep(jitter.spread(pause)).await;
        pause = (pause * 2).min(longest);
        shared.streams.reconnects.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

enum Ended {
    NotConnected(ClientError),
    Lost(String),
    QueueClosed,
}

/// Sees to it that a stream which shows every transaction keeps up with the others, for ever.
pub(crate) async fn watch(shared: Arc<Shared>) -> Result<(), std::convert::Infallible> {
    let mut ticks = time::interval(WATCH_INTERVAL);
    ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now_ms = shared.now_ms();
        shared.lock().watch_streams(now_ms);
    }
}

/// Takes part in who shows every transaction, for as long as it is held.
struct Member<'a> {
    shared: &'a Shared,
    connection: ConnectionId,
    full: watch::Receiver<bool>,
}

impl<'a> Member<'a> {
    fn join(shared: &'a Shared, connection: ConnectionId) -> Self {
        let full = shared.lock().full_streams.join(connection);
        Self { shared, connection, full }
    }
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        self.shared.lock().full_streams.leave(self.connection);
    }
}

/// Counts a connection for as long as it is held.
struct Connected<'a>(&'a AtomicUsize);

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn stay_connected(shared: &Shared, connection: ConnectionId, url: &Url) -> Ended {
    let (frames_to, mut frames) = mpsc::channel(FRAMES);
    let connector = &*shared.pool.config().connector;
    let socket = match websocket::connect(connector, url, REQUEST_TIMEOUT, frames_to).await {
        Ok(socket) => socket,
        Err(error) => return Ended::NotConnected(error),
    };
    let member = Member::join(shared, connection);
    let mut full = member.full.clone();
    let shows_all = *full.borrow_and_update();
    let subscribed = {
        // Messages may come before the answer to `subscribe`: they are handed on meanwhile.
        let mut subscribing = pin!(subscribe(shared, &socket, shows_all));
        loop {
            tokio::select! {
                biased;
                subscribed = &mut subscribing => match subscribed {
                    Ok((ledger, accounts)) => {
                        let event = StreamEvent::Connected(connection, ledger);
                        if !shared.queue.send(event).await {
                            return Ended::QueueClosed;
                        }
                        break Ok(accounts);
                    }
                    Err(error) => break Err(error.to_string()),
                },
                frame = frames.recv() => match frame {
                    Some(frame) => {
                        if !shared.queue.send(StreamEvent::Frame(connection, frame)).await {
                            return Ended::QueueClosed;
                        }
                    }
                    None => break Err(socket.closed().await.reason),
                },
            }
        }
    };
    let how = match subscribed {
        Err(how) => how,
        Ok(accounts) => {
            shared.streams.connected.fetch_add(1, Ordering::Relaxed);
            let waited = shared.queue.blocked_times();
            let _connected = Connected(&shared.streams.connected);
            let idle = shared.config.stream_idle_timeout;
            let mut following = pin!(follow(shared, &socket, accounts, full, shows_all));
            loop {
                let frame = tokio::select! {
                    biased;
                    error = &mut following => break error.to_string(),
                    frame = time::timeout(idle, frames.recv()) => frame,
                };
                match frame {
                    Ok(Some(frame)) => {
                        if !shared.queue.send(StreamEvent::Frame(connection, frame)).await {
                            return Ended::QueueClosed;
                        }
                    }
                    Ok(None) => {
                        let closed = socket.closed().await;
                        // A node may cut off who is too slow without a word, too.
                        let slow =
                            closed.code == Some(TOO_SLOW) || shared.queue.blocked_times() > waited;
                        if !slow {
                            shared.streams.closed_by_node.fetch_add(1, Ordering::Relaxed);
                        }
                        let code = closed.code.map(|c| format!(" (code {c})")).unwrap_or_default();
                        break format!("{}{code}", closed.reason);
                    }
                    // Silence may be a quiet network or a dead connection: ask.
                    Err(_) => {
                        let ping = Raw { method: "ping".into(), params: Default::default() };
                        let answer = socket.request(&ping, REQUEST_TIMEOUT).await;
                        if let Err(error) = answer
                            && error.is_endpoint_failure()
                        {
                            break format!("no answer to a ping: {error}");
                        }
                    }
                }
            }
        }
    };
    match shared.queue.send(StreamEvent::Disconnected(connection)).await {
        true => Ended::Lost(how),
        false => Ended::QueueClosed,
    }
}

/// Subscribes; the newest validated ledger if the answer tells it, and to how many accounts.
async fn subscribe(
    shared: &Shared,
    socket: &WebSocket,
    shows_all: bool,
) -> Result<(Option<message::LedgerClosed>, usize), ClientError> {
    let mut streams = vec!["ledger".to_owned()];
    if shared.followed.is_none() && shows_all {
        streams.push(TRANSACTIONS.to_owned());
    }
    let answer = socket.request(&Subscribe { streams, accounts: vec![] }, REQUEST_TIMEOUT).await?;
    let accounts = shared.followed.as_ref().map(|followed| followed.now_after(0));
    let accounts = accounts.unwrap_or_default();
    subscribe_accounts(socket, &accounts).await?;
    Ok((message::ledger_of_subscription(&answer), accounts.len()))
}

async fn subscribe_accounts(socket: &WebSocket, accounts: &[AccountId]) -> Result<(), ClientError> {
    for batch in accounts.chunks(ACCOUNTS_PER_REQUEST) {
        let request = Subscribe { streams: vec![], accounts: batch.to_vec() };
        socket.request(&request, REQUEST_TIMEOUT).await?;
    }
    Ok(())
}

/// Keeps up what is subscribed to, for as long as that works: accounts that come after the first
/// `known`, or, where all transactions count, whether this stream is one that shows them.
async fn follow(
    shared: &Shared,
    socket: &WebSocket,
    mut known: usize,
    full: watch::Receiver<bool>,
    shows_all: bool,
) -> ClientError {
    let Some(followed) = &shared.followed else { return follow_all(socket, full, shows_all).await };
    loop {
        let accounts = followed.after(known).await;
        known += accounts.len();
        if let Err(error) = subscribe_accounts(socket, &accounts).await {
            return error;
        }
    }
}

/// Subscribes to every transaction, or no longer, as it is asked for.
async fn follow_all(
    socket: &WebSocket,
    mut full: watch::Receiver<bool>,
    mut shows_all: bool,
) -> ClientError {
    loop {
        let wanted = full.wait_for(|full| *full != shows_all).await.map(|full| *full);
        // A member that is dropped takes this future with it.
        let Ok(wanted) = wanted else { return std::future::pending().await };
        shows_all = wanted;
        let streams = vec![TRANSACTIONS.to_owned()];
        let changed = match shows_all {
            true => {
                let request = Subscribe { streams, accounts: vec![] };
                socket.request(&request, REQUEST_TIMEOUT).await.map(drop)
            }
            false => {
                let params = serde_json::json!({ "streams": streams });
                let params = params.as_object().cloned().unwrap_or_default();
                let request = Raw { method: "unsubscribe".into(), params };
                socket.request(&request, REQUEST_TIMEOUT).await.map(drop)
            }
        };
        if let Err(error) = changed {
            return error;
        }
    }
}

/// Spreads pauses over half to all of their length, so that many clients of a node that comes back
/// do not come back at once. Not for secrets: splitmix64 of the start time and the endpoint.
struct Jitter(u64);

impl Jitter {
    fn new(endpoint: EndpointId, now_ms: u64) -> Self {
        Self(now_ms ^ (u64::from(endpoint.0) << 48))
    }

    fn spread(&mut self, pause: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        let half = millis(pause) / 2;
        Duration::from_millis(half + z % (half + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_keeps_between_half_and_all() {
        let mut jitter = Jitter::new(EndpointId(3), 12345);
        let pauses: Vec<_> = (0..100).map(|_| jitter.spread(Duration::from_secs(8))).collect();
        assert!(pauses.iter().all(|p| (4_000..=8_000).contains(&p.as_millis())));
        assert!(pauses.iter().max().unwrap().as_millis() > 7_500);
        assert!(pauses.iter().min().unwrap().as_millis() < 4_500);
    }
}
