//! The schedule: which slots are due, and what became of them.
//!
//! By the clock a slot is due at its time, whatever became of those before it. A closed loop would
//! wait for slow answers and so hide them. Here a slot that could not be used on time is used late,
//! and counted under what held it up; one that is later than `give_up` is counted as missed instead
//! of being sent in one burst with the rest of the backlog. How late a slot was used belongs to what
//! a user would have waited: see [`Schedule::take`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

mod pace;

pub use pace::{MOST_TPS, Pace};

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

    fn merge(&mut self, other: &Self) {
        self.generator += other.generator;
        self.lanes_empty += other.lanes_empty;
        self.endpoint += other.endpoint;
        self.node_queue += other.node_queue;
    }
}

/// How the schedule's slots were used.
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

impl PacingStats {
    /// All slots that were due.
    #[must_use]
    pub fn slots(&self) -> u64 {
        self.on_time + self.late.total() + self.missed.total()
    }

    /// Counts those of another schedule too.
    pub fn merge(&mut self, other: &Self) {
        self.on_time += other.on_time;
        self.late.merge(&other.late);
        self.missed.merge(&other.missed);
    }

    /// Why this is not the load that was asked for, where the program itself or its settings are to
    /// blame: then its figures tell of the program and not of the node. What the node held up is a
    /// finding about the node, and no such reason.
    #[must_use]
    pub fn not_kept(&self) -> Option<String> {
        let of = self.slots().max(1) as f64;
        let share = |n: u64| n as f64 / of;
        let percent = |n: u64| (share(n) * 1000.0).round() / 10.0;
        let own = self.late.generator + self.missed.generator;
        if share(own) > NOT_KEPT {
            return Some(format!(
                "the generator did not keep its schedule: {} % of {} slots were late or missed by \
                 its own doing; give it more processor time or a lower rate",
                percent(own),
                self.slots()
            ));
        }
        (share(self.missed.lanes_empty) > NOT_KEPT).then(|| {
            format!(
                "the schedule was not kept: for {} % of {} slots no account could send; give more \
                 --accounts or --max-pending, or a lower rate",
                percent(self.missed.lanes_empty),
                self.slots()
            )
        })
    }
}

/// The share of slots from which on a schedule was not kept.
const NOT_KEPT: f64 = 0.05;

/// What a pace is to keep (the node's queue, what is in flight), and the most that there was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Reach {
    /// As many as were to be there.
    pub wanted: u64,
    /// As many as there ever were.
    pub most: u64,
}

impl Reach {
    /// Whether it was reached, as nearly as looks a while apart can show.
    #[must_use]
    pub fn is_reached(self) -> bool {
        self.most >= self.wanted - self.wanted / 10
    }
}

/// The schedule. Times are durations since any fixed instant, so that tests need no clock.
#[derive(Clone, Debug)]
pub struct Schedule {
    pace: Pace,
    t0: Duration,
    /// By the clock: slots used or given up.
    taken: u64,
    /// By events: slots that the last one opened and that are still free, and when that was.
    open: u64,
    opened_at: Duration,
    /// Of a pace that keeps something: the most of it that was seen.
    most: u64,
    /// Why slots that are due wait, since the last one was taken.
    held_by: Option<Cause>,
    tolerance: Duration,
    give_up: Duration,
    stats: PacingStats,
}

impl Schedule {
    /// A schedule that starts now. By ledgers: with the one that is open now.
    #[must_use]
    pub fn new(pace: Pace, now: Duration, tolerance: Duration, give_up: Duration) -> Self {
        Self {
            pace,
            t0: now,
            taken: 0,
            open: if let Pace::PerLedger(n) = pace { n } else { 0 },
            opened_at: now,
            most: 0,
            held_by: None,
            tolerance,
            give_up,
            stats: PacingStats::default(),
        }
    }

    /// Starts anew with another pace; what was due under the old one is left.
    pub fn set_pace(&mut self, pace: Pace, now: Duration) {
        let stats = self.stats;
        *self = Self { stats, ..Self::new(pace, now, self.tolerance, self.give_up) };
    }

    /// Goes on after a pause: what was due meanwhile was not to be sent.
    pub fn resume(&mut self, now: Duration) {
        self.taken = self.taken.max(self.pace.due_before(now.saturating_sub(self.t0)));
        (self.open, self.opened_at, self.held_by) = (0, now, None);
    }

    /// Ends: what was due before and was not used is missed.
    pub fn close(&mut self, at: Duration) {
        let due = self.pace.due_before(at.saturating_sub(self.t0));
        let mut missed = due.saturating_sub(self.taken);
        self.taken += missed;
        if let Pace::PerLedger(_) = self.pace {
            missed += std::mem::take(&mut self.open);
        }
        self.stats.missed.add(self.held_by.unwrap_or(Cause::Generator), missed);
    }

    /// The pace.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// Transactions per second now; 0 where the clock does not say.
    #[must_use]
    pub fn tps(&self, now: Duration) -> f64 {
        self.pace.rate(now.saturating_sub(self.t0)).unwrap_or(0.0)
    }

    /// What became of the slots so far.
    #[must_use]
    pub fn stats(&self) -> PacingStats {
        self.stats
    }

    /// Whether what the pace is to keep was ever there; none of one that keeps nothing.
    #[must_use]
    pub fn reach(&self) -> Option<Reach> {
        match self.pace {
            Pace::QueueDepth(wanted) | Pace::ClosedLoop(wanted) => {
                Some(Reach { wanted, most: self.most })
            }
            _ => None,
        }
    }

    fn due_at(&self, n: u64) -> Option<Duration> {
        self.t0.checked_add(self.pace.due(n)?)
    }

    /// When the next slot is due by the clock; none if that does not say, or never.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        self.due_at(self.taken)
    }

    /// So many ledgers were validated.
    pub fn ledgers(&mut self, now: Duration, ledgers: u32) {
        if let Pace::PerLedger(n) = self.pace
            && ledgers > 0
        {
            self.stats.missed.add(self.held_by.take().unwrap_or(Cause::Generator), self.open);
            // Of ledgers that were told of too late nobody could make use.
            self.stats.missed.add(Cause::Endpoint, n.saturating_mul((ledgers - 1).into()));
            (self.open, self.opened_at) = (n, now);
        }
    }

    /// The node's queue is so long.
    pub fn queue(&mut self, now: Duration, length: u64) {
        if let Pace::QueueDepth(wanted) = self.pace {
            (self.open, self.opened_at) = (wanted.saturating_sub(length), now);
            self.most = self.most.max(length);
        }
    }

    /// So many are in flight.
    pub fn in_flight(&mut self, now: Duration, in_flight: usize) {
        if let Pace::ClosedLoop(wanted) = self.pace {
            (self.open, self.opened_at) = (wanted.saturating_sub(in_flight as u64), now);
            self.most = self.most.max(in_flight as u64);
        }
    }

    /// Whether a slot is due. Gives up those that are too late.
    pub fn is_due(&mut self, now: Duration) -> bool {
        if !self.pace.is_timed() {
            return self.pace == Pace::Unlimited || self.open > 0;
        }
        let oldest = now.saturating_sub(self.give_up);
        if self.next_due().is_some_and(|due| due < oldest) {
            let first_kept = self.pace.due_before(oldest.saturating_sub(self.t0));
            let missed = first_kept.saturating_sub(self.taken);
            self.stats.missed.add(self.held_by.unwrap_or(Cause::Generator), missed);
            self.taken += missed;
        }
        self.next_due().is_some_and(|due| due <= now)
    }

    /// Uses the slot that is due; how long after it was due. From then on a user would have waited.
    pub fn take(&mut self, now: Duration) -> Duration {
        let timed = self.pace.is_timed();
        let due = match self.pace {
            Pace::PerLedger(_) => self.opened_at,
            _ => self.next_due().unwrap_or(now),
        };
        let late = now.saturating_sub(due);
        let on_time = match self.pace {
            // A ledger opens many slots at once: none of them is late that nothing held up.
            Pace::PerLedger(_) => self.held_by.is_none(),
            _ => late <= self.tolerance,
        };
        if on_time {
            self.stats.on_time += 1;
        } else {
            self.stats.late.add(self.held_by.unwrap_or(Cause::Generator), 1);
        }
        if timed {
            self.taken += 1;
        } else {
            self.open = self.open.saturating_sub(1);
        }
        // The backlog that the cause left is its doing too.
        let backlog =
            if timed { self.next_due().is_some_and(|due| due <= now) } else { self.open > 0 };
        if !backlog {
            self.held_by = None;
        }
        late
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
        s.resume(MS(9100));
        assert_eq!(s.next_due(), Some(MS(9500)), "what a pause left out is not made up for");
        assert_eq!(s.stats().missed.total(), 0);
    }

    #[test]
    fn how_late_a_slot_is_used_is_told_to_the_millisecond() {
        let mut s = schedule(10.0);
        let late: Vec<_> = (0..3).map(|_| s.take(MS(4000)).as_millis()).collect();
        assert_eq!(late, [3000, 2900, 2800]);
    }

    #[test]
    fn each_ledger_opens_its_slots_and_ends_those_of_the_last() {
        let mut s = Schedule::new(Pace::PerLedger(10), MS(0), MS(5), MS(10_000));
        assert!(s.next_due().is_none(), "the clock does not say");
        assert_eq!(run(&mut s, MS(10)), 10, "of the ledger that is open");
        s.ledgers(MS(1000), 1);
        assert_eq!(run(&mut s, MS(1100)), 10);
        s.ledgers(MS(4000), 1);
        for _ in 0..4 {
            assert_eq!(s.take(MS(4500)), MS(500));
        }
        s.hold(Cause::NodeQueue);
        s.ledgers(MS(7000), 2);
        s.close(MS(7000));
        let missed = ByCause { node_queue: 6, endpoint: 10, generator: 10, ..ByCause::default() };
        assert_eq!(s.stats(), PacingStats { on_time: 24, late: ByCause::default(), missed });
    }

    #[test]
    fn a_queue_is_filled_up_and_so_is_what_is_in_flight() {
        let mut s = Schedule::new(Pace::QueueDepth(50), MS(0), MS(5), MS(10_000));
        s.queue(MS(1000), 30);
        assert_eq!(run(&mut s, MS(1000)), 20);
        s.queue(MS(1250), 61);
        assert_eq!(run(&mut s, MS(1250)), 0);
        assert_eq!(s.reach(), Some(Reach { wanted: 50, most: 61 }));
        s.in_flight(MS(1300), 0);
        assert_eq!(run(&mut s, MS(1300)), 0, "that is another pace's");
        let mut s = Schedule::new(Pace::ClosedLoop(4), MS(0), MS(5), MS(10_000));
        s.in_flight(MS(0), 1);
        assert_eq!(run(&mut s, MS(0)), 3);
        assert_eq!(s.stats().missed.total(), 0);
        assert!(!s.reach().unwrap().is_reached(), "one was in flight when it was looked");
        s.in_flight(MS(1), 4);
        assert!(s.reach().unwrap().is_reached());
        assert_eq!(schedule(100.0).reach(), None);
        for (wanted, most, reached) in
            [(100, 90, true), (100, 89, false), (1, 0, false), (5, 4, false)]
        {
            assert_eq!(Reach { wanted, most }.is_reached(), reached, "{most} of {wanted}");
        }
    }

    #[test]
    fn what_is_due_when_a_schedule_ends_is_missed() {
        let mut s = schedule(100.0);
        assert_eq!(run(&mut s, MS(1500)), 51);
        s.hold(Cause::LanesEmpty);
        s.close(MS(2000));
        assert_eq!(s.stats().missed, ByCause { lanes_empty: 49, ..ByCause::default() });
    }

    #[test]
    fn only_the_programs_own_doing_spoils_a_run() {
        let stats = |late: ByCause, missed: ByCause| PacingStats { on_time: 90, late, missed };
        let none = ByCause::default();
        let of = |n| ByCause { endpoint: n, node_queue: n, ..none };
        assert_eq!(stats(of(40), of(40)).not_kept(), None, "the node's doing");
        assert_eq!(stats(ByCause { lanes_empty: 10, ..none }, none).not_kept(), None, "only late");
        let own = stats(ByCause { generator: 10, ..none }, none).not_kept().unwrap();
        assert!(own.contains("10 % of 100 slots"), "{own}");
        let few = stats(none, ByCause { lanes_empty: 10, ..none }).not_kept().unwrap();
        assert!(few.contains("--accounts"), "{few}");
        assert_eq!(PacingStats::default().not_kept(), None);
    }
}
