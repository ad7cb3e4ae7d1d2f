//! What holds the load back, seen from the slots of its schedule.

use xrpl_generator::pacing::{ByCause, PacingStats};

use super::Snapshot;

/// The share of slots that may be late or missed before a rate counts as held back.
const TOLERATED: f64 = 0.05;

/// What held the load back between two snapshots, in words; none if it kept its schedule.
/// `ledger_seconds` is the time between ledgers as far as it is known.
pub(super) fn held_back(
    before: &PacingStats,
    now: &Snapshot,
    ledger_seconds: Option<f64>,
) -> Option<String> {
    let load = now.load.as_ref()?;
    let since = |of: fn(&ByCause) -> u64| {
        let all = |stats: &PacingStats| of(&stats.late) + of(&stats.missed);
        all(&load.pacing).saturating_sub(all(before))
    };
    let slots = load.pacing.slots().saturating_sub(before.slots());
    let causes = [
        (since(|cause| cause.lanes_empty), "accounts"),
        (since(|cause| cause.node_queue), "node queue"),
        (since(|cause| cause.endpoint), "node"),
        (since(|cause| cause.generator), "this machine"),
    ];
    let (most, cause) = causes.into_iter().max_by_key(|(n, _)| *n)?;
    if slots == 0 || (most as f64) <= slots as f64 * TOLERATED {
        return None;
    }
    let (accounts, each) = (load.accounts, load.max_pending);
    Some(match (cause, ledger_seconds) {
        ("accounts", Some(seconds)) => format!(
            "accounts and ledger interval: {accounts} x {each} in flight, a ledger every {seconds:.1} s"
        ),
        ("accounts", None) => {
            format!("accounts: all of {accounts} x {each} are in flight until the next ledger")
        }
        ("node queue", _) => {
            "node queue: the node accepts no more from the accounts that could send".to_owned()
        }
        ("node", _) => "node: all submissions allowed at once are waiting for an answer".to_owned(),
        _ => "this machine: the generator itself is late; give it more CPU time".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{super::snapshot::LoadSnapshot, *};

    #[test]
    fn the_cause_of_most_late_slots_holds_the_load_back() {
        let none = ByCause::default();
        let before = PacingStats { on_time: 1_000, late: none, missed: none };
        let after = |late: ByCause, missed: ByCause| {
            let pacing = PacingStats { on_time: 1_050, late, missed };
            let load = LoadSnapshot { accounts: 100, max_pending: 5, pacing, ..Default::default() };
            Snapshot { load: Some(load), ..Snapshot::default() }
        };
        for (late, missed, words) in [
            (none, none, None),
            (ByCause { generator: 2, ..none }, none, None),
            (ByCause { lanes_empty: 30, endpoint: 9, ..none }, none, Some("accounts and ledger")),
            (
                none,
                ByCause { lanes_empty: 30, ..none },
                Some("100 x 5 in flight, a ledger every 3.0 s"),
            ),
            (ByCause { node_queue: 30, ..none }, none, Some("node queue: ")),
            (ByCause { endpoint: 20, ..none }, ByCause { endpoint: 5, ..none }, Some("node: ")),
            (ByCause { generator: 20, ..none }, none, Some("this machine: ")),
        ] {
            let found = held_back(&before, &after(late, missed), Some(3.0));
            match words {
                None => assert_eq!(found, None),
                Some(words) => {
                    assert!(found.as_ref().is_some_and(|f| f.contains(words)), "{found:?}")
                }
            }
        }
        let unknown = held_back(&before, &after(ByCause { lanes_empty: 30, ..none }, none), None);
        assert!(unknown.is_some_and(|text| text.contains("until the next ledger")));
        // Nothing was due, and before accounts are prepared.
        assert_eq!(held_back(&before, &Snapshot::default(), None), None);
        let same = LoadSnapshot { pacing: before, ..LoadSnapshot::default() };
        let idle = Snapshot { load: Some(same), ..Snapshot::default() };
        assert_eq!(held_back(&before, &idle, None), None);
    }
}
