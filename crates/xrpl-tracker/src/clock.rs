//! Times, and waiting for them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::{sync::Notify, time::Instant};

/// Wall time that follows tokio's clock, so that tests can hold it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    wall_ms: u64,
    base: Instant,
}

impl Clock {
    /// A clock that shows `start_ms` now, or the system's time.
    pub(crate) fn new(start_ms: Option<u64>) -> Self {
        let wall = || millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
        Self { wall_ms: start_ms.unwrap_or_else(wall), base: Instant::now() }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.wall_ms + millis(self.base.elapsed())
    }

    fn instant(&self, at_ms: u64) -> Instant {
        self.base + Duration::from_millis(at_ms.saturating_sub(self.wall_ms))
    }

    /// Waits for a bell, at most until `at_ms`.
    pub(crate) async fn rung_or_at(&self, bell: &Notify, at_ms: Option<u64>) {
        match at_ms {
            Some(at_ms) => {
                let _ = tokio::time::timeout_at(self.instant(at_ms), bell.notified()).await;
            }
            None => bell.notified().await,
        }
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
