//! Ledgers that are to be read, and which of them comes next.
//!
//! What was never tried goes first, then what an undecided transaction waits for, then the newest.
//! What failed before has at most half of the places, so that old ledgers that cannot be read keep
//! no newer one waiting. A ledger that every node says it does not keep is given up after a few
//! tries: it is asked for seldom, for a node may get its history back.

use std::{cmp::Reverse, collections::BTreeMap};

/// Ledgers read at once.
pub(super) const AT_ONCE: usize = 8;

/// Of these, at most this many that failed before.
const RETRIED: usize = AT_ONCE / 2;

/// How often in turn every node must say that it does not keep a ledger until it is given up.
const LOST_AFTER: u32 = 5;

/// The first pause after a ledger was given up; it doubles up to [`LOST_LONGEST_MS`].
const LOST_RESTS_MS: u64 = 60_000;

/// The longest pause before a ledger that was given up is asked for again.
const LOST_LONGEST_MS: u64 = 900_000;

/// A ledger to be read.
#[derive(Clone, Copy, Debug)]
struct Want {
    not_before_ms: u64,
    /// Tries in turn that failed.
    failures: u32,
    /// How often in turn every node said that it does not keep it.
    lost: u32,
    /// An undecided transaction waits for it.
    needed: bool,
    reading: bool,
}

impl Want {
    fn unreadable(&self) -> bool {
        self.lost >= LOST_AFTER
    }
}

/// Ledgers to be read.
#[derive(Debug, Default)]
pub(super) struct Wanted(BTreeMap<u32, Want>);

impl Wanted {
    /// Asks for a ledger; `needed` if an undecided transaction waits for it.
    pub(super) fn put(&mut self, index: u32, not_before_ms: u64, needed: bool) {
        let new = Want { not_before_ms, failures: 0, lost: 0, needed, reading: false };
        let want = self.0.entry(index).or_insert(new);
        want.needed |= needed;
        if want.failures == 0 {
            want.not_before_ms = want.not_before_ms.min(not_before_ms);
        }
    }

    pub(super) fn remove(&mut self, index: u32) {
        self.0.remove(&index);
    }

    pub(super) fn is_reading(&self, index: u32) -> bool {
        self.0.get(&index).is_some_and(|want| want.reading)
    }

    /// The next one that is due, where there is a place for it.
    pub(super) fn take(&mut self, now_ms: u64) -> Option<u32> {
        let (mut reading, mut retried) = (0, 0);
        let mut best = None;
        for (index, want) in &self.0 {
            let again = want.failures > 0;
            if want.reading {
                reading += 1;
                retried += usize::from(again);
            } else if want.not_before_ms <= now_ms {
                let rank = (again, !want.needed, Reverse(*index));
                best = best.map_or(Some(rank), |other| Some(rank.min(other)));
            }
        }
        let (again, _, Reverse(index)) = best?;
        if reading >= AT_ONCE || (again && retried >= RETRIED) {
            return None;
        }
        self.0.get_mut(&index)?.reading = true;
        Some(index)
    }

    /// When the next one is due. What is due already waits for a place, not for time.
    pub(super) fn next_ms(&self, now_ms: u64) -> Option<u64> {
        let waiting = self.0.values().filter(|want| !want.reading);
        waiting.map(|want| want.not_before_ms).filter(|at| *at > now_ms).min()
    }

    /// It could not be read; nothing is said about whether a node keeps it.
    pub(super) fn failed(&mut self, index: u32, now_ms: u64) {
        if let Some(want) = self.0.get_mut(&index) {
            want.reading = false;
            want.failures += 1;
            want.lost = 0;
            want.not_before_ms = now_ms + (500 << want.failures.min(6));
        }
    }

    /// Every node said that it does not keep it. True if it is given up by that.
    pub(super) fn nobody_has(&mut self, index: u32, now_ms: u64) -> bool {
        let Some(want) = self.0.get_mut(&index) else { return false };
        want.reading = false;
        want.failures += 1;
        want.lost += 1;
        let given_up = want.lost.saturating_sub(LOST_AFTER);
        let pause = match want.unreadable() {
            true => (LOST_RESTS_MS << given_up.min(8)).min(LOST_LONGEST_MS),
            false => 500 << want.failures.min(6),
        };
        want.not_before_ms = now_ms + pause;
        want.lost == LOST_AFTER
    }

    /// Who read has failed: everything is to be taken by another.
    pub(super) fn nothing_is_read(&mut self) {
        self.0.values_mut().for_each(|want| want.reading = false);
    }

    /// How many wait, those given up aside.
    pub(super) fn count(&self) -> usize {
        self.0.len() - self.unreadable_count()
    }

    /// How many were given up.
    pub(super) fn unreadable_count(&self) -> usize {
        self.0.values().filter(|want| want.unreadable()).count()
    }

    /// How many of a range were given up.
    pub(super) fn unreadable_in(&self, first: u32, last: u32) -> usize {
        self.0.range(first..=last).filter(|(_, want)| want.unreadable()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(wanted: &mut Wanted, now_ms: u64) -> Vec<u32> {
        std::iter::from_fn(|| wanted.take(now_ms)).collect()
    }

    #[test]
    fn the_needed_go_first_then_the_newest() {
        let mut wanted = Wanted::default();
        for index in 1..=5 {
            wanted.put(index, 0, index == 2);
        }
        assert_eq!(all(&mut wanted, 0), [2, 5, 4, 3, 1]);
    }

    #[test]
    fn what_cannot_be_read_keeps_nothing_else_waiting() {
        let mut wanted = Wanted::default();
        for index in 1..=100 {
            wanted.put(index, 0, true);
        }
        // A hundred old ones fail again and again.
        for _ in 0..1_000 {
            let Some(index) = wanted.take(u64::MAX) else { break };
            wanted.failed(index, 0);
        }
        assert_eq!(all(&mut wanted, u64::MAX).len(), RETRIED, "they have half of the places");
        wanted.put(200, 0, false);
        assert_eq!(wanted.take(0), Some(200), "and a new one has a place at once");
        assert_eq!(wanted.count(), 101);
    }

    #[test]
    fn what_no_node_has_is_given_up_and_asked_for_seldom() {
        let mut wanted = Wanted::default();
        wanted.put(7, 0, true);
        let mut now = 0;
        for n in 1..=LOST_AFTER {
            assert_eq!(wanted.take(now), Some(7));
            assert_eq!(wanted.nobody_has(7, now), n == LOST_AFTER);
            now = wanted.next_ms(now).unwrap();
        }
        assert_eq!(
            (wanted.count(), wanted.unreadable_count(), wanted.unreadable_in(1, 9)),
            (0, 1, 1)
        );
        let mut asked = 0;
        while now < 24 * 3_600_000 {
            assert_eq!(wanted.take(now), Some(7));
            assert!(!wanted.nobody_has(7, now));
            now = wanted.next_ms(now).unwrap();
            asked += 1;
        }
        assert!((90..110).contains(&asked), "{asked} times a day");
        // Another answer than that: it may be there after all.
        assert_eq!(wanted.take(now), Some(7));
        wanted.failed(7, now);
        assert_eq!((wanted.count(), wanted.unreadable_count()), (1, 0));
    }

    #[test]
    fn what_is_asked_for_twice_keeps_the_sooner_time_and_the_need() {
        let mut wanted = Wanted::default();
        wanted.put(5, 100, false);
        wanted.put(7, 100, false);
        wanted.put(5, 50, true);
        assert_eq!(
            (wanted.take(49), wanted.next_ms(49), wanted.next_ms(50)),
            (None, Some(50), Some(100))
        );
        assert_eq!(
            (wanted.take(100), wanted.is_reading(5), wanted.is_reading(7)),
            (Some(5), true, false)
        );
        wanted.put(7, 100, true);
        wanted.put(7, 100, false);
        wanted.put(8, 100, false);
        assert_eq!(all(&mut wanted, 100), [7, 8], "who needs it goes on needing it");
        // One that failed rests, whoever asks.
        wanted.failed(7, 1_000);
        wanted.put(7, 0, true);
        assert_eq!((wanted.take(1_999), wanted.take(2_000)), (None, Some(7)));
    }

    #[test]
    fn pauses_double_up_to_their_longest() {
        let pauses = |wanted: &mut Wanted, step: fn(&mut Wanted)| -> Vec<u64> {
            let many = (0..8).map(|_| {
                step(wanted);
                wanted.0[&7].not_before_ms
            });
            many.collect()
        };
        let mut wanted = Wanted::default();
        wanted.put(7, 0, true);
        let failed = pauses(&mut wanted, |wanted| wanted.failed(7, 0));
        assert_eq!(failed, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 32_000, 32_000]);
        let mut wanted = Wanted::default();
        wanted.put(7, 0, true);
        let lost = pauses(&mut wanted, |wanted| {
            wanted.nobody_has(7, 0);
        });
        assert_eq!(lost, [1_000, 2_000, 4_000, 8_000, 60_000, 120_000, 240_000, 480_000]);
        assert!(
            pauses(&mut wanted, |wanted| {
                wanted.nobody_has(7, 0);
            })
            .iter()
            .all(|ms| *ms == LOST_LONGEST_MS)
        );
    }

    #[test]
    fn a_bounded_number_is_read_at_once() {
        let mut wanted = Wanted::default();
        (1..=20).for_each(|index| wanted.put(index, 0, false));
        assert_eq!(all(&mut wanted, 0), [20, 19, 18, 17, 16, 15, 14, 13]);
        wanted.remove(20);
        assert_eq!(all(&mut wanted, 0), [12]);
        // Half of them, and no more, are for what failed before.
        let mut wanted = Wanted::default();
        for index in 1..=10 {
            wanted.put(index, 0, false);
            wanted.failed(index, 0);
        }
        (21..=22).for_each(|index| wanted.put(index, 0, false));
        assert_eq!(all(&mut wanted, u64::MAX), [22, 21, 10, 9, 8, 7]);
    }
}
