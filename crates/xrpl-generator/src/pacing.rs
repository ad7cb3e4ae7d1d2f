//! The open-loop schedule: slot `n` is due at `t0 + n / rate`, whatever became of the slots before.
//!
//! A closed loop would wait for slow answers and so hide them. Here a slot that could not be used
//! on time is used late, and counted under what held it up; one that is later than `give_up` is
//! counted as missed instead of being sent in one burst with the rest of the backlog.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How fast.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Pace {
    /// This many a second.
    Fixed(f64),
    /// As fast as lanes, endpoint and node allow.
    Unlimited,
}

impl Pace {
    /// Of a number of transactions a second; 0 is unlimited.
    #[must_use]
    pub fn from_tps(tps: f64) -> Self {
        if tps > 0.0 { Self::Fixed(tps) } else { Self::Unlimited }
    }

    /// Transactions a second; 0 for unlimited.
    #[must_use]
    pub fn tps(self) -> f64 {
        match self {
            Self::Fixed(tps) => tps,
            Self::Unlimited => 0.0,
        }
    }
}

/// What held a slot up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The generator itself came late.
    Generator,
    /// No account could send: too few accounts or too few in flight each.
    LanesEmpty,
    /// All submissions allowed at once wait for the endpoint's answers.
    Endpoint,
    /// The node took or queued no more of the accounts that could send.
    NodeQueue,
}

/// Slots by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ByCause {
    /// [`Cause::Generator`].
    pub generator: u64,
    /// [`Cause::LanesEmpty`].
    pub lanes_empty: u64,
    /// [`Cause::Endpoint`].
    pub endpoint: u64,
    /// [`Cause::NodeQueue`].
    pub node_queue: u64,
}

impl ByCause {
    fn add(&mut self, cause: Cause, n: u64) {
        *match cause {
            Cause::Generator => &mut self.generator,
            Cause::LanesEmpty => &mut self.lanes_empty,
            Cause::Endpoint => &mut self.endpoint,
            Cause::NodeQueue => &mut self.node_queue,
        } += n;
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.generator + self.lanes_empty + self.endpoint + self.node_queue
    }
}

/// What became of the schedule's slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PacingStats {
    /// Slots used within the tolerance.
    pub on_time: u64,
    /// Slots used late.
    pub late: ByCause,
    /// Slots given up.
    pub missed: ByCause,
}

/// The schedule. Times are durations since any fixed instant, so that tests need no clock.
#[derive(Clone, Debug)]
pub struct Schedule {
    pace: Pace,
    t0: Duration,
    taken: u64,
    /// Why slots that are due wait, since the last one was taken.
    held_by: Option<Cause>,
    tolerance: Duration,
    give_up: Duration,
    stats: PacingStats,
}

impl Schedule {
    /// A schedule that starts now.
    #[must_use]
    pub fn new(pace: Pace, now: Duration, tolerance: Duration, give_up: Duration) -> Self {
        Self {
            pace,
            t0: now,
            taken: 0,
            held_by: None,
            tolerance,
            give_up,
            stats: PacingStats::default(),
        }
    }

    /// Starts anew with another pace; what was due under the old one is left.
    pub fn set_pace(&mut self, pace: Pace, now: Duration) {
        (self.pace, self.t0, self.taken, self.held_by) = (pace, now, 0, None);
    }

    /// The pace.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// What became of the slots so far.
    #[must_use]
    pub fn stats(&self) -> PacingStats {
        self.stats
    }

    fn due_at(&self, n: u64, tps: f64) -> Duration {
        // In f64 an index below 2^53 and a quotient are exact enough: the error stays under 1 us
        // for centuries.
        self.t0 + Duration::from_secs_f64(n as f64 / tps)
    }

    /// When the next slot is due; none when unlimited (always now).
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        match self.pace {
            Pace::Fixed(tps) => Some(self.due_at(self.taken, tps)),
            Pace::Unlimited => None,
        }
    }

    /// Whether a slot is due. Gives up those that are too late.
    pub fn is_due(&mut self, now: Duration) -> bool {
        let Pace::Fixed(tps) = self.pace else { return true };
        let oldest = now.saturating_sub(self.give_up);
        if self.due_at(self.taken, tps) < oldest {
            let first_kept = (oldest.saturating_sub(self.t0).as_secs_f64() * tps).ceil() as u64;
            let missed = first_kept.saturating_sub(self.taken);
            self.stats.missed.add(self.held_by.unwrap_or(Cause::Generator), missed);
            self.taken += missed;
        }
        self.due_at(self.taken, tps) <= now
    }

    /// Uses the slot that is due.
    pub fn take(&mut self, now: Duration) {
        if let Pace::Fixed(tps) = self.pace {
            let late = now.saturating_sub(self.due_at(self.taken, tps));
            if late <= self.tolerance {
                self.stats.on_time += 1;
            } else {
                self.stats.late.add(self.held_by.unwrap_or(Cause::Generator), 1);
            }
            // The backlog that the cause left is its doing too.
            if self.due_at(self.taken + 1, tps) > now {
                self.held_by = None;
            }
        } else {
            self.stats.on_time += 1;
        }
        self.taken += 1;
    }

    /// The slot that is due cannot be used now.
    pub fn hold(&mut self, cause: Cause) {
        self.held_by.get_or_insert(cause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn schedule(tps: f64) -> Schedule {
        Schedule::new(Pace::from_tps(tps), MS(1000), MS(5), MS(10_000))
    }

    fn run(s: &mut Schedule, now: Duration) -> u64 {
        let mut n = 0;
        while s.is_due(now) {
            s.take(now);
            n += 1;
        }
        n
    }

    #[test]
    fn a_fixed_rate_neither_drifts_nor_depends_on_wake_ups() {
        let mut s = schedule(333.0);
        let mut sent = 0;
        for ms in (1000..=61_000).step_by(3) {
            sent += run(&mut s, MS(ms));
        }
        // Slot 0 at once, and 333 a second for 60 s.
        assert_eq!(sent, 333 * 60 + 1);
        assert_eq!(s.stats().late.total() + s.stats().missed.total(), 0);
        assert_eq!(s.stats().on_time, sent);
    }

    #[test]
    fn a_stall_is_caught_up_and_charged_to_its_cause() {
        let mut s = schedule(100.0);
        assert_eq!(run(&mut s, MS(1000)), 1);
        assert!(s.is_due(MS(1010)));
        s.hold(Cause::LanesEmpty);
        s.hold(Cause::Endpoint);
        // 1 s later 100 more are due; all but the last one are late, by the first cause.
        assert_eq!(run(&mut s, MS(2000)), 100);
        assert_eq!(s.stats().late, ByCause { lanes_empty: 99, ..ByCause::default() });
        assert_eq!(s.stats().on_time, 2);
        // Afterwards the cause is forgotten.
        assert_eq!(run(&mut s, MS(2100)), 10);
        assert_eq!(s.stats().late.generator, 9);
    }

    #[test]
    fn what_is_too_late_is_given_up_and_counted() {
        let mut s = schedule(10.0);
        assert!(s.is_due(MS(1000)));
        s.hold(Cause::Endpoint);
        let sent = run(&mut s, MS(31_000));
        assert_eq!(sent, 101, "those of the last ten seconds");
        assert_eq!(s.stats().missed, ByCause { endpoint: 200, ..ByCause::default() });
        assert_eq!(s.stats().late.endpoint + s.stats().on_time, 101);
    }

    #[test]
    fn unlimited_is_always_due_and_a_new_pace_starts_anew() {
        let mut s = schedule(0.0);
        assert_eq!(s.next_due(), None);
        for _ in 0..1000 {
            assert!(s.is_due(MS(1)));
            s.take(MS(1));
        }
        s.set_pace(Pace::Fixed(2.0), MS(5000));
        assert_eq!(s.next_due(), Some(MS(5000)));
        assert_eq!(run(&mut s, MS(5999)), 2);
        assert_eq!(s.next_due(), Some(MS(6000)));
    }
}
