//! A run's counters, told apart: what earlier starts of the program left, what prepared the accounts, and
//! the load.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xrpl_tracker::{State, Stats};

/// The run's counters at the moments from which on something else counts. They cover the run, so that
/// one that goes on begins with what it had.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// When this process took the run up.
    pub start: Stats,
    /// When the load began; none while it has not.
    pub load: Option<Stats>,
}

impl Marks {
    /// How many were counted by earlier starts of the program, and how many while accounts were
    /// prepared, of so many until now.
    #[must_use]
    pub fn before_load(&self, now: &Stats, count: impl Fn(&Stats) -> u64) -> (u64, u64) {
        let earlier = count(&self.start);
        let prepared = count(self.load.as_ref().unwrap_or(now));
        (earlier, prepared.saturating_sub(earlier))
    }

    /// What the load came to until now; nothing before it began.
    #[must_use]
    pub fn load(&self, now: &Stats) -> LoadCounts {
        self.load.as_ref().map(|before| LoadCounts::between(before, now)).unwrap_or_default()
    }
}

/// What the load came to, without what was counted before it began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LoadCounts {
    /// Given to the tracker.
    pub submitted: u64,
    /// Validated.
    pub validated: u64,
    /// Meant to succeed, and ended in another state than VALIDATED.
    pub failed: u64,
    /// Deliberately invalid ones.
    pub expected_invalid: u64,
    /// Drawn at random.
    pub fuzzed: u64,
    /// By state; those without a final state are all that there are.
    pub by_state: BTreeMap<String, u64>,
    /// Final results other than success.
    pub failures: BTreeMap<String, u64>,
}

impl LoadCounts {
    fn between(before: &Stats, now: &Stats) -> Self {
        let more = |count: fn(&Stats) -> u64| count(now).saturating_sub(count(before));
        let by_state: BTreeMap<_, _> = now
            .by_state
            .iter()
            .map(|(state, n)| {
                let then = before.by_state.get(state).copied().unwrap_or(0);
                // Who was in flight then has an end by now, and is counted there.
                let n = if state.is_terminal() { n.saturating_sub(then) } else { *n };
                (state.name().to_owned(), n)
            })
            .collect();
        let failures = now.engine_results.iter().filter(|(result, _)| !result.is_success());
        let failures = failures.map(|(result, n)| {
            let then = before.engine_results.get(result).copied().unwrap_or(0);
            (result.as_str().to_owned(), n.saturating_sub(then))
        });
        Self {
            submitted: more(|stats| stats.total_tracked),
            validated: by_state.get(State::Validated.name()).copied().unwrap_or(0),
            failed: more(|stats| stats.valid_failed),
            expected_invalid: more(|stats| stats.expected_invalid),
            fuzzed: more(|stats| stats.fuzzed),
            by_state,
            failures: failures.filter(|(_, n)| *n > 0).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use xrpl_tracker::ResultName;

    use super::*;

    fn stats(total: u64, validated: u64, failed: u64) -> Stats {
        Stats {
            total_tracked: total,
            by_state: BTreeMap::from([
                (State::Validated, validated),
                (State::Submitted, total - validated - failed),
                (State::Expired, failed),
            ]),
            valid_failed: failed,
            engine_results: BTreeMap::from([
                (ResultName::new("tesSUCCESS"), validated),
                (ResultName::new("tefMAX_LEDGER"), failed),
            ]),
            ..Stats::default()
        }
    }

    #[test]
    fn what_was_before_the_load_is_told_apart() {
        let marks = Marks { start: stats(100, 98, 2), load: Some(stats(130, 127, 3)) };
        let now = stats(200, 190, 4);
        assert_eq!(marks.before_load(&now, |stats| stats.total_tracked), (100, 30));
        assert_eq!(marks.before_load(&now, |stats| stats.valid_failed), (2, 1));
        let load = marks.load(&now);
        assert_eq!((load.submitted, load.validated, load.failed), (70, 63, 1));
        assert_eq!(load.by_state["SUBMITTED"], 6, "those that are in flight");
        assert_eq!(load.by_state["EXPIRED"], 1);
        assert_eq!(load.failures, BTreeMap::from([("tefMAX_LEDGER".to_owned(), 1)]));
        let preparing = Marks { load: None, ..marks };
        assert_eq!(preparing.before_load(&now, |stats| stats.total_tracked), (100, 100));
        assert_eq!(preparing.load(&now), LoadCounts::default());
    }
}
