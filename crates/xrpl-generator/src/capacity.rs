//! How much load a number of accounts can carry.
//!
//! A transaction takes a place of its account from the moment it is sent until a validated ledger has
//! it, so that each account sends at most `max_pending` transactions a ledger: the rate that is
//! possible follows from accounts, places and the time between ledgers. A target beyond it is not
//! reached however fast the node is.

use std::time::Duration;

use xrpl_client::{
    Pool,
    request::{Ledger, LedgerSpec},
};
use xrpl_protocol::LedgerIndex;

use crate::pacing::Pace;

/// The time between ledgers where it is not known: xrpld's consensus takes three to five seconds.
pub const USUAL_INTERVAL: Duration = Duration::from_secs(4);

/// Ledgers a transaction may wait for its validation under load: the next one is full, or has been
/// closed already.
const LEDGERS_IN_FLIGHT: f64 = 2.0;
/// More accounts than that are needed, for some are blocked at any time.
const HEADROOM: f64 = 1.25;
/// As few accounts as pay each other at random without meeting all the time.
const FEWEST: usize = 100;
/// As many as are funded without being asked for.
const MOST: usize = 5_000;

/// What carries the load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// Accounts that send.
    pub accounts: usize,
    /// Transactions of one account in flight.
    pub max_pending: usize,
    /// The time between ledgers.
    pub interval: Duration,
}

impl Capacity {
    /// How many places a pace needs; none if it takes as many as there are.
    #[must_use]
    pub fn places_for(pace: Pace, interval: Duration) -> Option<f64> {
        let a_ledger = match pace {
            Pace::Unlimited => return None,
            // What is in flight is what it keeps.
            Pace::ClosedLoop(n) => return Some(n as f64 * HEADROOM),
            // Beside the queue there are those of the ledger that it empties into.
            Pace::QueueDepth(n) | Pace::PerLedger(n) => n as f64,
            timed => timed.peak().unwrap_or(0.0) * interval.as_secs_f64(),
        };
        Some(a_ledger * LEDGERS_IN_FLIGHT * HEADROOM)
    }

    /// How many user accounts have so many places, a hundred at the least.
    #[must_use]
    pub fn accounts_for(places: f64, max_pending: usize) -> usize {
        // What is too large saturates.
        ((places / max_pending.max(1) as f64).ceil() as usize).clamp(FEWEST, MOST)
    }

    /// Transactions per second at most.
    #[must_use]
    pub fn tps(self) -> f64 {
        let places = (self.accounts * self.max_pending) as f64;
        places / self.interval.as_secs_f64().max(0.001)
    }

    /// In words, where a target rate cannot be reached.
    #[must_use]
    pub fn shortfall(self, target: f64) -> Option<String> {
        let possible = self.tps();
        (target > possible).then(|| {
            format!(
                "target {target}/s, {}/s possible: {} accounts x {} in flight per {:.1} s ledger",
                possible.floor(),
                self.accounts,
                self.max_pending,
                self.interval.as_secs_f64()
            )
        })
    }
}

/// The time between the newest validated ledgers, by their close times; none if no node has enough of
/// them. Close times are rounded to as much as 30 seconds, so that many ledgers are looked back.
pub async fn ledger_interval(pool: &Pool) -> Option<Duration> {
    let newest = pool.request(&header(LedgerSpec::Validated)).await.ok()?;
    let (index, closed) = (newest.ledger_index?, newest.ledger.close_time?);
    for back in [128, 32, 8] {
        // The first ledger of a chain has no close time of its own.
        let Some(before) = index.0.checked_sub(back).filter(|index| *index > 2) else { continue };
        let spec = LedgerSpec::Index(LedgerIndex(before));
        let Ok((_, earlier)) = pool.request_of_any(&header(spec)).await else { continue };
        return interval(earlier.ledger.close_time?, closed, back);
    }
    None
}

fn header(spec: LedgerSpec) -> Ledger {
    Ledger { ledger_index: Some(spec) }
}

/// Of two close times in seconds, so many ledgers apart.
fn interval(earlier: u32, later: u32, ledgers: u32) -> Option<Duration> {
    /// What closes more slowly closes on demand.
    const LONGEST: Duration = Duration::from_secs(10);
    let elapsed = Duration::from_secs(later.checked_sub(earlier)?.into());
    (!elapsed.is_zero()).then(|| (elapsed / ledgers).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn accounts_follow_from_rate_and_interval() {
        for (tps, max_pending, interval, accounts) in [
            (20.0, 5, S(1), 100),
            (20.0, 5, S(4), 100),
            (200.0, 5, S(3), 300),
            (200.0, 10, S(3), 150),
            (1_000.0, 5, S(1), 500),
            (1_000.0, 1, S(4), 5_000),
            (0.0, 5, S(4), 100),
        ] {
            let places = Capacity::places_for(Pace::from_tps(tps), interval).unwrap_or(0.0);
            let found = Capacity::accounts_for(places, max_pending);
            assert_eq!(found, accounts, "{tps} {max_pending} {interval:?}");
            let capacity = Capacity { accounts, max_pending, interval };
            // Where the most that is funded unasked does not suffice, that is said.
            let reached = capacity.shortfall(tps).is_none();
            assert!(reached || accounts == 5_000, "{tps} {max_pending} {interval:?}");
        }
    }

    #[test]
    fn places_follow_from_the_pace() {
        let burst = Pace::Burst { base: 1.0, peak: 40.0, every: S(60), length: S(5) };
        for (pace, places) in [
            (Pace::Unlimited, None),
            (Pace::Fixed(40.0), Some(300.0)),
            (burst, Some(300.0)),
            (Pace::PerLedger(40), Some(100.0)),
            (Pace::QueueDepth(40), Some(100.0)),
            (Pace::ClosedLoop(40), Some(50.0)),
        ] {
            assert_eq!(Capacity::places_for(pace, S(3)), places, "{pace}");
        }
    }

    #[test]
    fn what_cannot_be_reached_is_said() {
        let capacity = Capacity { accounts: 100, max_pending: 5, interval: S(3) };
        assert_eq!(
            capacity.shortfall(200.0).unwrap(),
            "target 200/s, 166/s possible: 100 accounts x 5 in flight per 3.0 s ledger"
        );
        assert_eq!(capacity.shortfall(160.0), None);
        assert_eq!(capacity.shortfall(0.0), None, "unlimited has no target");
    }

    #[test]
    fn an_interval_of_close_times() {
        assert_eq!(interval(1_000, 1_384, 128), Some(S(3)));
        assert_eq!(interval(1_000, 1_064, 128), Some(Duration::from_millis(500)));
        assert_eq!(interval(1_000, 1_000, 8), None, "faster than close times tell");
        assert_eq!(interval(1_000, 900, 8), None);
        assert_eq!(interval(1_000, 90_000, 8), Some(S(10)), "on demand");
    }
}
