//! How a run went over time: samples, and as many of them at most.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Samples kept of a run, at most; then each two become one.
const MOST_SAMPLES: usize = 1_200;

/// How things were during a stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct RunSample {
    /// Its end, seconds after the load began.
    pub seconds: f64,
    /// How long it is.
    pub over: f64,
    /// The newest validated ledger at its end.
    pub ledger_index: u32,
    /// Transactions submitted until then.
    pub submitted: u64,
    /// Validated until then.
    pub validated: u64,
    /// Without a final state then.
    pub pending: u64,
    /// Submitted per second.
    pub submitted_per_second: f64,
    /// Validated a second.
    pub validated_per_second: f64,
    /// Of those validated in it: half were within this time, milliseconds.
    pub finality_ms_p50: Option<u64>,
    /// Of those validated in it: ninety-nine of a hundred were within this time, milliseconds.
    pub finality_ms_p99: Option<u64>,
    /// The node's queue, at most.
    pub queue: Option<u64>,
    /// What got into the open ledger, drops, at most.
    pub open_ledger_fee: Option<u64>,
    /// `load_factor`, at most.
    pub load_factor: Option<f64>,
    /// The longest time between two ledgers that ended in it, milliseconds.
    pub ledger_interval_ms: Option<u64>,
    /// How far one node was behind another, ledgers, at most.
    pub lag_ledgers: Option<u64>,
}

/// The larger one, where there is one.
fn most<T: PartialOrd>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(a), Some(b)) => Some(if a.partial_cmp(&b) == Some(Ordering::Less) { b } else { a }),
        (one, other) => one.or(other),
    }
}

impl RunSample {
    /// This stretch and the next one as one: rates by the time that each took, of the rest the worse.
    #[must_use]
    pub fn and(&self, next: &Self) -> Self {
        let over = self.over + next.over;
        let rate = |a: f64, b: f64| match over > 0.0 {
            true => (a * self.over + b * next.over) / over,
            false => 0.0,
        };
        Self {
            over,
            submitted_per_second: rate(self.submitted_per_second, next.submitted_per_second),
            validated_per_second: rate(self.validated_per_second, next.validated_per_second),
            finality_ms_p50: most(self.finality_ms_p50, next.finality_ms_p50),
            finality_ms_p99: most(self.finality_ms_p99, next.finality_ms_p99),
            queue: most(self.queue, next.queue),
            open_ledger_fee: most(self.open_ledger_fee, next.open_ledger_fee),
            load_factor: most(self.load_factor, next.load_factor),
            ledger_interval_ms: most(self.ledger_interval_ms, next.ledger_interval_ms),
            lag_ledgers: most(self.lag_ledgers, next.lag_ledgers),
            ..next.clone()
        }
    }
}

/// Samples of a run however long: when there are too many, each two become one, and so will those to
/// come.
#[derive(Clone, Debug)]
pub struct Thinned {
    /// How many seconds one of them covers.
    every: u32,
    samples: Vec<RunSample>,
    /// What has come of the next one, and how many.
    partly: Option<(RunSample, u32)>,
}

impl Default for Thinned {
    fn default() -> Self {
        Self { every: 1, samples: Vec::new(), partly: None }
    }
}

impl Thinned {
    /// Takes the next second.
    pub fn push(&mut self, sample: RunSample) {
        let (sample, n) = match self.partly.take() {
            Some((partly, n)) => (partly.and(&sample), n + 1),
            None => (sample, 1),
        };
        if n < self.every {
            self.partly = Some((sample, n));
            return;
        }
        self.samples.push(sample);
        if self.samples.len() >= MOST_SAMPLES {
            let pairs = self.samples.chunks(2);
            let one = |pair: &[RunSample]| pair.iter().cloned().reduce(|a, b| a.and(&b));
            self.samples = pairs.filter_map(one).collect();
            self.every *= 2;
        }
    }

    /// All of them, what has come of the last one too.
    #[must_use]
    pub fn all(&self) -> Vec<RunSample> {
        let partly = self.partly.iter().map(|(sample, _)| sample);
        self.samples.iter().chain(partly).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(n: u32) -> RunSample {
        RunSample {
            seconds: f64::from(n + 1),
            over: 1.0,
            validated: u64::from(n + 1) * 10,
            validated_per_second: 10.0,
            finality_ms_p99: Some(u64::from(n % 7)),
            queue: n.is_multiple_of(3).then_some(u64::from(n)),
            ..RunSample::default()
        }
    }

    #[test]
    fn samples_are_bounded_and_nothing_is_lost_from_them() {
        let mut thinned = Thinned::default();
        for n in 0..100_000 {
            thinned.push(sample(n));
            assert!(thinned.samples.len() < MOST_SAMPLES);
        }
        let all = thinned.all();
        assert!(all.len() > MOST_SAMPLES / 2, "{}", all.len());
        let last = all.last().unwrap();
        assert_eq!((last.seconds, last.validated), (100_000.0, 1_000_000));
        assert!(all.iter().all(|s| (s.validated_per_second - 10.0).abs() < 1e-9));
        assert!((all.iter().map(|s| s.over).sum::<f64>() - 100_000.0).abs() < 1e-6);
        assert!(
            all.iter().all(|s| s.finality_ms_p99 == Some(6) || s.over < 7.0),
            "the worst stays"
        );
    }

    #[test]
    fn a_short_run_keeps_every_second() {
        let mut thinned = Thinned::default();
        (0..1_000).for_each(|n| thinned.push(sample(n)));
        assert_eq!(thinned.all(), (0..1_000).map(sample).collect::<Vec<_>>());
    }
}
