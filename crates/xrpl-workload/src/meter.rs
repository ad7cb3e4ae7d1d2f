//! What happens over time: how fast transactions are validated.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use xrpl_tracker::{State, Tracker};

/// How often the counters are looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Over how long the current rate is taken: some ledgers, since validations come in bursts.
const WINDOW: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Instant,
    validated: u64,
}

/// Measures validated transactions per second.
#[derive(Clone, Debug, Default)]
pub struct Meter(
    /// Of the window, oldest first.
    Arc<Mutex<VecDeque<Sample>>>,
);

impl Meter {
    /// Looks at the tracker until cancelled.
    pub async fn watch(self, tracker: Tracker, cancel: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK);
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = ticks.tick() => self.look(&tracker),
            }
        }
    }

    /// Looks at the tracker once.
    pub fn look(&self, tracker: &Tracker) {
        self.note(Instant::now(), validated(&tracker.stats()));
    }

    /// What was validated until now is no part of the rate any more.
    pub fn restart(&self) {
        let mut recent = self.0.lock();
        let newest = recent.pop_back();
        recent.clear();
        recent.extend(newest);
    }

    fn note(&self, at: Instant, validated: u64) {
        let mut recent = self.0.lock();
        recent.push_back(Sample { at, validated });
        while recent.front().is_some_and(|first| at - first.at > WINDOW) {
            recent.pop_front();
        }
    }

    /// Of the last ten seconds.
    #[must_use]
    pub fn current(&self) -> f64 {
        let recent = self.0.lock();
        match (recent.front(), recent.back()) {
            (Some(first), Some(last)) => rate(*first, *last),
            _ => 0.0,
        }
    }
}

fn validated(stats: &xrpl_tracker::Stats) -> u64 {
    stats.by_state.get(&State::Validated).copied().unwrap_or(0)
}

fn rate(from: Sample, to: Sample) -> f64 {
    let seconds = to.at.saturating_duration_since(from.at).as_secs_f64();
    let count = to.validated.saturating_sub(from.validated);
    // One look apart tells nothing.
    if seconds < LOOK.as_secs_f64() / 2.0 { 0.0 } else { count as f64 / seconds }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_ten_seconds() {
        let meter = Meter::default();
        let t0 = Instant::now();
        let at = |s: u64| t0 + Duration::from_secs(s);
        for second in 1..=60 {
            meter.note(at(second), 100 + 50 * second.min(20));
            match second {
                15 => assert_eq!(meter.current(), 50.0),
                25 => assert_eq!(meter.current(), 25.0, "half of the time nothing came"),
                _ => {}
            }
        }
        assert_eq!(meter.current(), 0.0);
        assert!(meter.0.lock().len() <= 11);
    }

    #[test]
    fn nothing_measured_is_no_rate() {
        assert_eq!(Meter::default().current(), 0.0);
    }
}
