//! What happens over time: how fast transactions are validated.

use std::{sync::Arc, time::Duration};

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

#[derive(Debug, Default)]
struct Samples {
    /// The start of load.
    start: Option<Sample>,
    /// When the count last moved, and to what.
    last: Option<Sample>,
    /// Of the window, oldest first.
    recent: std::collections::VecDeque<Sample>,
}

/// Measures validated transactions a second.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Samples>>);

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

    /// From now on it is the load that counts.
    pub fn load_starts(&self, tracker: &Tracker) {
        let sample = Sample { at: Instant::now(), validated: validated(&tracker.stats()) };
        let mut samples = self.0.lock();
        samples.start = Some(sample);
        samples.last = Some(sample);
    }

    fn note(&self, at: Instant, validated: u64) {
        let mut samples = self.0.lock();
        let sample = Sample { at, validated };
        if samples.last.is_none_or(|last| last.validated != validated) {
            samples.last = Some(sample);
        }
        samples.recent.push_back(sample);
        while samples.recent.front().is_some_and(|first| at - first.at > WINDOW) {
            samples.recent.pop_front();
        }
    }

    /// Of the load so far: validated, over the time from its start to the last validation.
    #[must_use]
    pub fn of_load(&self) -> f64 {
        let samples = self.0.lock();
        match (samples.start, samples.last) {
            (Some(start), Some(last)) => rate(start, last),
            _ => 0.0,
        }
    }

    /// Of the last ten seconds.
    #[must_use]
    pub fn current(&self) -> f64 {
        let samples = self.0.lock();
        match (samples.recent.front(), samples.recent.back()) {
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
    fn the_rate_of_a_load_ends_with_its_last_validation() {
        let meter = Meter::default();
        let t0 = Instant::now();
        let at = |s: u64| t0 + Duration::from_secs(s);
        meter.0.lock().start = Some(Sample { at: t0, validated: 100 });
        for second in 1..=60 {
            meter.note(at(second), 100 + 50 * second.min(20));
        }
        assert_eq!(meter.of_load(), 50.0);
        assert_eq!(meter.current(), 0.0);
        assert!(meter.0.lock().recent.len() <= 11);
    }

    #[test]
    fn nothing_measured_is_no_rate() {
        assert_eq!(Meter::default().of_load(), 0.0);
        assert_eq!(Meter::default().current(), 0.0);
    }
}
