//! Consumes the event queue: matches hashes, counts ledgers, finds rivals. A message that cannot be
//! processed is logged with its hash and skipped; its ledger stays short and is read instead.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::{
    core::{Core, Shared},
    event_queue::StreamEvent,
    evidence::Source,
    message::{self, Message},
};

/// Events taken from the queue at once: the lock is taken once for all of them.
const BATCH: usize = 128;

/// The queue's only consumer; a processor that is started again takes it over.
pub(crate) type Events = Arc<tokio::sync::Mutex<mpsc::Receiver<StreamEvent>>>;

/// Processes events until the queue is closed.
pub(crate) async fn process(shared: Arc<Shared>, events: Events) -> Result<(), &'static str> {
    let mut events = events.try_lock_owned().map_err(|_| "the queue has another consumer")?;
    let mut batch = Vec::with_capacity(BATCH);
    while events.recv_many(&mut batch, BATCH).await > 0 {
        shared.queue.took(batch.len());
        process_batch(shared.core_for_batch(), &batch, shared.now_ms());
        batch.clear();
    }
    Ok(())
}

/// Reads a batch without the lock, then applies it under the lock.
pub(crate) fn process_batch(core: &Mutex<Core>, batch: &[StreamEvent], now_ms: u64) {
    enum Read<'a> {
        Message(Option<crate::event_queue::ConnectionId>, Message<'a>),
        Bad(message::BadMessage),
        Event(&'a StreamEvent),
    }
    let read: Vec<Read<'_>> = batch
        .iter()
        .map(|event| match event {
            StreamEvent::Frame(connection, text) => match message::read(text) {
                Ok(message) => Read::Message(Some(*connection), message),
                Err(bad) => Read::Bad(bad),
            },
            other => Read::Event(other),
        })
        .collect();
    let mut core = core.lock();
    core.pending.warm(read.iter().filter_map(|event| match event {
        Read::Message(_, Message::Validated(tx)) => Some(tx.hash),
        _ => None,
    }));
    for (event, raw) in read.iter().zip(batch) {
        if let StreamEvent::Frame(connection, text) = raw
            && core.held(*connection, text)
        {
            continue;
        }
        match event {
            Read::Message(_, Message::Validated(tx)) => {
                core.validated_frames += 1;
                core.seen(tx, Source::Ws, now_ms);
            }
            Read::Message(connection, Message::LedgerClosed(ledger)) => {
                core.ledger_frames += 1;
                core.ledger_told(ledger, *connection, now_ms);
            }
            Read::Message(_, Message::Other(kind)) => core.count_event(kind),
            Read::Bad(bad) => {
                core.failed_events += 1;
                tracing::warn!(error = %bad, "an event is skipped");
            }
            Read::Event(StreamEvent::Connected(connection, ledger)) => {
                core.connected(*connection, ledger.as_ref(), now_ms);
            }
            Read::Event(StreamEvent::Disconnected(connection)) => {
                core.disconnected(*connection, now_ms);
            }
            Read::Event(_) => {}
        }
    }
    core.completeness.tick(now_ms);
    if core.completeness.wanted_count() > 0 {
        core.links.backfill.notify_one();
    }
}

impl Core {
    /// Counts a message that the tracker has no use for. Types come from the node: their number is
    /// bounded here.
    fn count_event(&mut self, kind: &str) {
        const TYPES: usize = 32;
        if let Some(n) = self.event_counters.get_mut(kind) {
            *n += 1;
        } else if self.event_counters.len() < TYPES {
            self.event_counters.insert(kind.chars().take(40).collect(), 1);
        }
    }
}
