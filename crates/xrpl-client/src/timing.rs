//! How long things take: counted into fixed buckets without a lock.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Upper bounds of the buckets, microseconds; the last bucket has none.
pub const BOUNDS_US: [u64; 14] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 5_000_000,
];

/// Durations, counted.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

/// A histogram at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Upper bounds in seconds, and how many were at most that.
    pub buckets: Vec<(f64, u64)>,
    /// All of them together, seconds.
    pub sum: f64,
    /// How many.
    pub count: u64,
}

impl Histogram {
    /// Counts one.
    pub fn observe(&self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.partition_point(|bound| *bound < us);
        self.buckets[bucket].fetch_add(1, Relaxed);
        // A sum that wraps after half a million years.
        self.sum_us.fetch_add(us, Relaxed);
    }

    /// What was counted so far.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let mut count = 0;
        let mut cumulative = |bucket: &AtomicU64| {
            count += bucket.load(Relaxed);
            count
        };
        let all: Vec<_> = self.buckets.iter().map(&mut cumulative).collect();
        let bounds = BOUNDS_US.iter().map(|us| *us as f64 / 1e6);
        Snapshot {
            buckets: bounds.zip(all).collect(),
            sum: self.sum_us.load(Relaxed) as f64 / 1e6,
            count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_every_bucket_that_is_large_enough() {
        let histogram = Histogram::default();
        for us in [0, 100, 101, 1_000_000, 90_000_000] {
            histogram.observe(Duration::from_micros(us));
        }
        let Snapshot { buckets, sum, count } = histogram.snapshot();
        assert_eq!((count, (sum * 1e6).round()), (5, 91_000_201.0));
        assert_eq!(buckets[0], (0.0001, 2));
        assert_eq!(buckets[1], (0.00025, 3));
        assert_eq!(buckets[12], (1.0, 4));
        assert_eq!(buckets[13], (5.0, 4), "the longest is only in +Inf");
    }
}
