//! What happens, in order: state changes, ledgers, and counters once a second.
//!
//! The last [`KEPT`] events stand in one buffer that all readers share. A reader holds nothing but
//! its place in it, so that readers cost no memory and never hold up who writes: one that is too
//! slow finds its place gone, and learns so.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use serde::Serialize;
use tokio::{
    sync::{Notify, broadcast::error::RecvError, watch},
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;
use xrpl_tracker::{LedgerView, State, StateChange};

use crate::session::{App, unix_ms};

/// Events kept for readers that come again.
pub const KEPT: usize = 16_384;
/// Events that a reader is handed at once.
const BATCH: usize = 256;
/// How often the counters are reported.
const STATS_EVERY: Duration = Duration::from_secs(1);
/// Ledgers that are reported again when more is known of them.
const LEDGERS_TOLD_AGAIN: usize = 8;

/// What happened.
#[derive(Clone, Debug)]
pub enum Happening {
    /// A transaction changed its state, or is new.
    State(Arc<StateChange>),
    /// A ledger was validated, or more is known of one.
    Ledger(Arc<LedgerEvent>),
    /// The counters.
    Stats(Arc<StatsEvent>),
    /// State changes that were too many at once to be reported.
    Gap(Gap),
}

impl Happening {
    /// The event's name in the stream.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::State(_) => "state",
            Self::Ledger(_) => "ledger",
            Self::Stats(_) => "stats",
            Self::Gap(_) => "gap",
        }
    }
}

/// A ledger as it is reported.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct LedgerEvent {
    /// The ledger.
    #[serde(flatten)]
    pub ledger: LedgerView,
    /// What got a transaction into the open ledger while this one was the newest, drops.
    pub open_ledger_fee: Option<u64>,
    /// Transactions in the node's queue at that time.
    pub queue_size: Option<u64>,
}

/// The counters as they are reported.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct StatsEvent {
    /// When, milliseconds since 1970.
    pub at_ms: u64,
    /// The newest validated ledger.
    pub ledger_index: u32,
    /// Transactions of the run.
    pub submitted: u64,
    /// Validated ones.
    pub validated: u64,
    /// Without a final state.
    pub pending: u64,
    /// By state.
    pub by_state: BTreeMap<State, u64>,
    /// Validated ones by the source that reported them first.
    pub validated_by_source: BTreeMap<xrpl_tracker::Source, u64>,
    /// Validated per second, over the last ten seconds.
    pub validated_per_second: f64,
    /// Half of all transactions were validated within this time, milliseconds.
    pub finality_ms_p50: u64,
    /// 90 % of them.
    pub finality_ms_p90: u64,
    /// 99 % of them.
    pub finality_ms_p99: u64,
    /// Whether load runs.
    pub running: bool,
    /// What the run is doing: `preparing`, `ready`, `stopping`.
    pub phase: &'static str,
    /// Streams connected.
    pub connected: usize,
}

/// What a reader missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Gap {
    /// How many events; none if that is not known.
    pub missed: Option<u64>,
    /// Why: `buffer`, `another_process`, `too_slow`, `burst`.
    pub reason: &'static str,
}

#[derive(Debug, Default)]
struct Buffer {
    /// How many were dropped at the front: the first one kept has this number plus one.
    dropped: u64,
    kept: VecDeque<Happening>,
}

/// Events of the run, and whoever reads them.
#[derive(Debug)]
pub struct Events {
    buffer: Mutex<Buffer>,
    newest: watch::Sender<u64>,
    wanted: Notify,
}

impl Default for Events {
    fn default() -> Self {
        Self { buffer: Mutex::default(), newest: watch::Sender::new(0), wanted: Notify::new() }
    }
}

/// What a reader finds at its place.
#[derive(Debug)]
pub enum Read {
    /// The next events with their numbers, oldest first; empty if nothing happened yet.
    Events(Vec<(u64, Happening)>),
    /// The place is gone: so many events were dropped unread.
    Missed(u64),
}

impl Events {
    /// The number of the newest event; 0 before the first.
    #[must_use]
    pub fn newest(&self) -> u64 {
        *self.newest.borrow()
    }

    /// A bell for new events. From the first reader on, state changes are kept.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.wanted.notify_one();
        self.newest.subscribe()
    }

    /// What happened after an event.
    #[must_use]
    pub fn after(&self, number: u64) -> Read {
        let buffer = self.buffer.lock();
        let Some(from) = number.checked_sub(buffer.dropped) else {
            return Read::Missed(buffer.dropped - number);
        };
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(buffer.kept.len());
        let next = buffer.kept.range(from..).take(BATCH).cloned();
        let first = buffer.dropped + from as u64 + 1;
        Read::Events((first..).zip(next).collect())
    }

    /// Adds what happened.
    pub fn push(&self, happenings: impl IntoIterator<Item = Happening>) {
        let newest = {
            let mut buffer = self.buffer.lock();
            for happening in happenings {
                if buffer.kept.len() >= KEPT {
                    buffer.kept.pop_front();
                    buffer.dropped += 1;
                }
                buffer.kept.push_back(happening);
            }
            buffer.dropped + buffer.kept.len() as u64
        };
        self.newest.send_replace(newest);
    }

    /// Collects until cancelled.
    pub async fn watch(app: Arc<App>, end: CancellationToken) {
        let events = &app.events;
        // Until somebody reads, no state change is worth its copy.
        tokio::select! {
            () = end.cancelled() => return,
            () = events.wanted.notified() => {}
        }
        let mut changes = app.tracker.events();
        let mut head = app.tracker.ledger();
        let mut ticks = interval(STATS_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = HashMap::new();
        loop {
            tokio::select! {
                () = end.cancelled() => return,
                change = changes.recv() => match change {
                    Ok(first) => {
                        let more = std::iter::from_fn(|| changes.try_recv().ok()).take(BATCH);
                        let all: Vec<_> = std::iter::once(first).chain(more).collect();
                        events.push(all.into_iter().map(Happening::State));
                    }
                    Err(RecvError::Lagged(missed)) => {
                        let gap = Gap { missed: Some(missed), reason: "burst" };
                        events.push([Happening::Gap(gap)]);
                    }
                    Err(RecvError::Closed) => return,
                },
                moved = head.changed() => match moved {
                    Ok(()) => tell_ledgers(&app, &mut told),
                    Err(_) => return,
                },
                _ = ticks.tick() => {
                    tell_ledgers(&app, &mut told);
                    events.push([Happening::Stats(Arc::new(stats(&app)))]);
                }
            }
        }
    }
}

/// Reports ledgers that are new or of which more is known.
fn tell_ledgers(app: &App, told: &mut HashMap<u32, Arc<LedgerEvent>>) {
    let mut news = Vec::new();
    let newest = app.tracker.ledgers(LEDGERS_TOLD_AGAIN);
    let oldest = newest.last().map_or(0, |ledger| ledger.ledger_index.0);
    for ledger in newest.into_iter().rev() {
        let index = ledger.ledger_index.0;
        let event = ledger_event(app, ledger);
        if told.get(&index).is_none_or(|before| **before != event) {
            let event = Arc::new(event);
            told.insert(index, Arc::clone(&event));
            news.push(Happening::Ledger(event));
        }
    }
    told.retain(|index, _| *index >= oldest);
    if !news.is_empty() {
        app.events.push(news);
    }
}

/// A ledger with its fee level.
#[must_use]
pub fn ledger_event(app: &App, ledger: LedgerView) -> LedgerEvent {
    let level = app.observer.fee_level(ledger.ledger_index.0);
    LedgerEvent {
        open_ledger_fee: level.map(|level| level.open_ledger_fee),
        queue_size: level.and_then(|level| level.queue_size),
        ledger,
    }
}

fn stats(app: &App) -> StatsEvent {
    let stats = app.tracker.stats();
    StatsEvent {
        at_ms: unix_ms(),
        ledger_index: stats.ledger_index.0,
        submitted: stats.total_tracked,
        validated: stats.by_state.get(&State::Validated).copied().unwrap_or(0),
        pending: stats.pending,
        by_state: stats.by_state,
        validated_by_source: stats.validated_by_source,
        validated_per_second: (app.meter.current() * 10.0).round() / 10.0,
        finality_ms_p50: stats.finality_ms.p50,
        finality_ms_p90: stats.finality_ms.p90,
        finality_ms_p99: stats.finality_ms.p99,
        running: app.generator().is_some_and(|generator| generator.last_status().running),
        phase: app.phase().name(),
        connected: app.tracker.ws_stats().connected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(n: u64) -> Happening {
        Happening::Gap(Gap { missed: Some(n), reason: "burst" })
    }

    fn numbers(read: Read) -> Vec<u64> {
        match read {
            Read::Events(events) => {
                for (number, happening) in &events {
                    assert!(
                        matches!(happening, Happening::Gap(gap) if gap.missed == Some(*number))
                    );
                }
                events.into_iter().map(|(number, _)| number).collect()
            }
            Read::Missed(n) => panic!("missed {n}"),
        }
    }

    #[test]
    fn readers_find_their_place_until_it_is_gone() {
        let events = Events::default();
        assert!(numbers(events.after(0)).is_empty());
        events.push((1..=3).map(gap));
        assert_eq!(numbers(events.after(0)), [1, 2, 3]);
        assert_eq!(numbers(events.after(2)), [3]);
        assert!(numbers(events.after(3)).is_empty());
        // A number that was never given out is the end, not a panic.
        assert!(numbers(events.after(u64::MAX)).is_empty());
        events.push((4..=KEPT as u64 + 5).map(gap));
        assert_eq!(events.newest(), KEPT as u64 + 5);
        assert_eq!(events.buffer.lock().kept.len(), KEPT);
        assert!(matches!(events.after(2), Read::Missed(3)));
        assert_eq!(numbers(events.after(5)).len(), BATCH);
        assert_eq!(numbers(events.after(KEPT as u64 + 4)), [KEPT as u64 + 5]);
    }

    #[test]
    fn whoever_waits_is_woken() {
        let events = Events::default();
        let mut bell = events.subscribe();
        assert!(!bell.has_changed().unwrap());
        events.push([gap(1)]);
        assert!(bell.has_changed().unwrap());
        assert_eq!(*bell.borrow_and_update(), 1);
    }
}
