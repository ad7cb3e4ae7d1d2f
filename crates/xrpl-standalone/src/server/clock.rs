//! The server's clock: the wall's, or one that began when it was told and can be put forward.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

/// Seconds between 1970-01-01 and 2000-01-01.
const RIPPLE_EPOCH: u64 = 946_684_800;

/// The last time that a ledger can tell, in the year 2136.
pub(crate) const END: u32 = u32::MAX;

/// The latest time at which a clock may begin: a day before its end.
pub(super) const LAST_START: u32 = END - 86_400;

/// Ledgers tell times up to 4294967295, and no two have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "times end at {END} (in the year 2136): the clock shows {now}, and the last ledger closed at \
     {closed}. Going back to a snapshot goes back in time too"
)]
pub struct EndOfTime {
    /// What the clock shows.
    pub now: u32,
    /// When the last ledger closed.
    pub closed: u32,
}

/// The time of day, in seconds since 2000-01-01.
pub(super) fn time_of_day() -> u32 {
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u32::try_from(unix.as_secs().saturating_sub(RIPPLE_EPOCH)).unwrap_or(END)
}

/// Seconds since 2000-01-01, at the pace of real time.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    start_time: u32,
    /// How far it was put forward.
    ahead: AtomicU32,
}

impl Clock {
    /// A clock that shows a time now, to which it was put forward by `ahead` of it.
    pub(super) fn new(shown: u32, ahead: u32) -> Self {
        Self {
            started: Instant::now(),
            start_time: shown.saturating_sub(ahead),
            ahead: AtomicU32::new(ahead.min(shown)),
        }
    }

    /// How long it has run.
    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// What it shows.
    pub(crate) fn now(&self) -> u32 {
        let elapsed = u32::try_from(self.uptime().as_secs()).unwrap_or(u32::MAX);
        self.start_time.saturating_add(elapsed).saturating_add(self.ahead())
    }

    /// How far it is ahead of its own pace, in seconds.
    pub(crate) fn ahead(&self) -> u32 {
        self.ahead.load(Ordering::Relaxed)
    }

    /// Sets how far it is ahead.
    pub(crate) fn set_ahead(&self, seconds: u32) {
        self.ahead.store(seconds, Ordering::Relaxed);
    }
}
