//! The bounded queue between the sockets and the processor. When it is full the listener waits, so
//! that the node feels it and memory stays bounded.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    time::Instant,
};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use xrpl_client::{
    EndpointId,
    timing::{Histogram, Snapshot},
};

use crate::message::LedgerClosed;

/// A connection of one endpoint; another one after each reconnect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ConnectionId {
    pub(crate) endpoint: EndpointId,
    pub(crate) generation: u32,
}

/// What a listener has to say.
#[derive(Debug)]
pub(crate) enum StreamEvent {
    /// Subscribed; with the newest validated ledger if the answer told it.
    Connected(ConnectionId, Option<LedgerClosed>),
    /// A message as it came.
    Frame(ConnectionId, Utf8Bytes),
    /// The connection is gone: what is short now stays short.
    Disconnected(ConnectionId),
}

#[derive(Debug, Default)]
struct Blocked {
    nanoseconds: AtomicU64,
    times: AtomicU64,
}

/// One event at a time is watched on its way through the queue.
#[derive(Debug, Default)]
struct Probe {
    sent: AtomicU64,
    taken: AtomicU64,
    /// Number of the watched event, and since when it waits.
    watched: Mutex<Option<(u64, Instant)>>,
    waits: Histogram,
}

/// The way in. Clones share the queue.
#[derive(Clone, Debug)]
pub(crate) struct EventSender {
    sender: mpsc::Sender<StreamEvent>,
    blocked: Arc<Blocked>,
    probe: Arc<Probe>,
}

/// A queue.
pub(crate) fn event_queue(capacity: usize) -> (EventSender, mpsc::Receiver<StreamEvent>) {
    let (sender, receiver) = mpsc::channel(capacity.max(1));
    (EventSender { sender, blocked: Arc::default(), probe: Arc::default() }, receiver)
}

impl EventSender {
    /// Hands an event over, waiting for room. False once nobody receives any more.
    pub(crate) async fn send(&self, event: StreamEvent) -> bool {
        let number = self.probe.sent.fetch_add(1, Ordering::Relaxed) + 1;
        // Who finds it taken has nothing to watch.
        if let Some(mut watched) = self.probe.watched.try_lock()
            && watched.is_none()
        {
            *watched = Some((number, Instant::now()));
        }
        let event = match self.sender.try_send(event) {
            Ok(()) => return true,
            Err(TrySendError::Closed(_)) => return false,
            Err(TrySendError::Full(event)) => event,
        };
        let since = Instant::now();
        self.blocked.times.fetch_add(1, Ordering::Relaxed);
        let sent = self.sender.send(event).await.is_ok();
        let waited = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.blocked.nanoseconds.fetch_add(waited, Ordering::Relaxed);
        sent
    }

    /// So many events were taken out.
    pub(crate) fn took(&self, n: usize) {
        let taken = self.probe.taken.fetch_add(n as u64, Ordering::Relaxed) + n as u64;
        let mut watched = self.probe.watched.lock();
        if let Some((number, since)) = *watched
            && number <= taken
        {
            *watched = None;
            self.probe.waits.observe(since.elapsed());
        }
    }

    /// How long events waited, of those that were watched.
    pub(crate) fn waits(&self) -> Snapshot {
        self.probe.waits.snapshot()
    }

    /// Events waiting.
    pub(crate) fn depth(&self) -> usize {
        self.sender.max_capacity() - self.sender.capacity()
    }

    /// How many may wait.
    pub(crate) fn capacity(&self) -> usize {
        self.sender.max_capacity()
    }

    /// Milliseconds that senders waited because the queue was full.
    pub(crate) fn blocked_ms(&self) -> u64 {
        self.blocked.nanoseconds.load(Ordering::Relaxed) / 1_000_000
    }

    /// Times that a sender waited because the queue was full.
    pub(crate) fn blocked_times(&self) -> u64 {
        self.blocked.times.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn full_queue_makes_the_sender_wait_and_says_so() {
        let (sender, mut receiver) = event_queue(2);
        let connection = ConnectionId { endpoint: EndpointId(0), generation: 0 };
        let event = move || StreamEvent::Disconnected(connection);
        assert!(sender.send(event()).await && sender.send(event()).await);
        assert_eq!((sender.depth(), sender.capacity(), sender.blocked_times()), (2, 2, 0));
        let waiting = tokio::spawn({
            let sender = sender.clone();
            async move { sender.send(event()).await }
        });
        tokio::time::sleep(Duration::from_millis(70)).await;
        assert!(!waiting.is_finished());
        assert!(receiver.recv().await.is_some());
        sender.took(1);
        let waits = sender.waits();
        assert_eq!((waits.count, (waits.sum * 1000.0).round()), (1, 70.0));
        assert!(waiting.await.unwrap());
        assert_eq!((sender.blocked_times(), sender.depth()), (1, 2));
        assert!(sender.blocked_ms() >= 70);
        drop(receiver);
        assert!(!sender.send(event()).await);
    }
}
