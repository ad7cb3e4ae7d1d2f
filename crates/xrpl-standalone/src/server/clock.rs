//! The server's clock: the wall's, or one that began when it was told and can be put forward.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime},
};

use tokio::time::Instant;

/// Seconds between 1970-01-01 and 2000-01-01.
const RIPPLE_EPOCH: u64 = 946_684_800;

/// Seconds since 2000-01-01, at the pace of real time.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    start_time: u32,
    /// How far it was put forward.
    ahead: AtomicU32,
}

impl Clock {
    /// A clock that shows `start_time` now; the wall clock's time if there is none. It shows
    /// `least` at the least.
    pub(crate) fn new(start_time: Option<u32>, least: u32) -> Self {
        let wall = || {
            let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            u32::try_from(unix.as_secs().saturating_sub(RIPPLE_EPOCH)).unwrap_or(u32::MAX)
        };
        Self {
            started: Instant::now(),
            start_time: start_time.unwrap_or_else(wall).max(least),
            ahead: AtomicU32::new(0),
        }
    }

    /// How long it has run.
    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// What it showed when it was made.
    pub(crate) fn start_time(&self) -> u32 {
        self.start_time
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
