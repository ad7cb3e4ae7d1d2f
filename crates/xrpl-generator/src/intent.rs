//! Deliberately invalid transactions: each has the results it must get, and is counted apart from
//! those that are meant to succeed.
//!
//! Those that are to be refused are sent with `fail_hard`
//! (<https://xrpl.org/docs/references/http-websocket-apis/public-api-methods/transaction-methods/submit>).
//! Without it a node holds what it answers `tef` and may apply it later, so that the slot is free only
//! once LastLedgerSequence has passed. With it the node keeps nothing: the refusal is an end, and the
//! slot free at once. Those that are to claim a fee are sent without it: with `fail_hard` xrpld applies
//! no `tec`.

use std::collections::BTreeMap;

use serde::Serialize;
use xrpl_protocol::{ResultClass, Sequence, transaction::Slot};

use crate::{
    catalogue::{Draft, Entry, Tx},
    fees::FeeClass,
    objects::Stake,
};

/// What a node answers a transaction sent with `fail_hard` that it has no room for now: its open
/// ledger is full, or earlier ones of the account wait in its queue, where this one may not follow
/// (`TapFailHard` in xrpld's queue). It is refused for good all the same, before anyone looked at
/// what is wrong with it.
pub const NO_ROOM: &[&str] = &[
    "telCAN_NOT_QUEUE",
    "telCAN_NOT_QUEUE_BALANCE",
    "telCAN_NOT_QUEUE_BLOCKED",
    "telCAN_NOT_QUEUE_BLOCKS",
    "telCAN_NOT_QUEUE_FEE",
    "telCAN_NOT_QUEUE_FULL",
    "telINSUF_FEE_P",
    "terPRE_SEQ",
    "terPRE_TICKET",
];

/// A way to spoil a transaction.
#[derive(Debug)]
pub struct Taint {
    /// What is wrong with it.
    pub name: &'static str,
    /// The results it must get, one of them. All are of classes that agree on whether the Sequence
    /// is used up.
    pub expected: &'static [&'static str],
    /// Spoils a transaction that would have succeeded; false if it cannot be done now.
    pub spoil: fn(&mut Draft<'_>, &mut Tx) -> bool,
}

impl Taint {
    /// Whether it claims a fee and uses up its slot (`tec`) instead of being refused.
    #[must_use]
    pub fn claims(&self) -> bool {
        self.expected.iter().any(|name| ResultClass::of(name) == Some(ResultClass::Tec))
    }

    /// The results that are no mistake: those it must get, and, where it is to be refused, that the
    /// node had no room for it.
    pub fn results(&self) -> impl Iterator<Item = &'static str> + use<> {
        let room = if self.claims() { &[] } else { NO_ROOM };
        self.expected.iter().chain(room).copied()
    }
}

/// Taints that every type can have.
pub static COMMON: &[Taint] = &[
    Taint {
        name: "fee above all XRP there is",
        expected: &["temBAD_FEE"],
        spoil: |_, tx| {
            tx.fee = FeeClass::Exactly(100_000_000_000_000_001);
            true
        },
    },
    Taint {
        name: "signed by another account's key",
        expected: &["tefBAD_AUTH"],
        spoil: |draft, tx| {
            tx.signer = draft.other_user();
            tx.signer.is_some()
        },
    },
    Taint {
        name: "a Ticket that was never made",
        expected: &["tefNO_TICKET"],
        spoil: |draft, tx| {
            // Sequences of new accounts start at the ledger's index, so that no account of a run
            // ever had Ticket 1; below the account's Sequence it can never come.
            tx.slot = Some(Slot::Ticket(Sequence(1)));
            !tx.on_ticket && draft.me().lane.next() > Sequence(1)
        },
    },
];

/// Spoils a transaction with one of its type's taints, drawn by the plan.
pub(crate) fn spoil(draft: &mut Draft<'_>, entry: &Entry, tx: &mut Tx) -> Option<&'static Taint> {
    let count = entry.taints.len() + COMMON.len();
    let start = draft.below(count as u64) as usize;
    (0..count).find_map(|n| {
        let at = (start + n) % count;
        let taint = entry.taints.get(at).unwrap_or_else(|| &COMMON[at - entry.taints.len()]);
        (taint.spoil)(draft, tx).then_some(taint)
    })
}

/// What a tainted transaction can take: its fee if it claims one.
pub(crate) fn stake(taint: &Taint, fee: u64) -> Stake {
    Stake { fee: if taint.claims() { fee } else { 0 }, ..Stake::default() }
}

/// How the deliberately invalid ones fared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct IntentStats {
    /// Ended as one of the predicted results, by that result.
    pub as_predicted: BTreeMap<String, u64>,
    /// Ended otherwise: "what is wrong with it: what it got".
    pub otherwise: BTreeMap<String, u64>,
    /// Refused because the node had no room ([`NO_ROOM`]), by that result: what is wrong with them was
    /// not looked at.
    pub no_room: BTreeMap<String, u64>,
}

impl IntentStats {
    pub(crate) fn count(&mut self, taint: &Taint, got: &str) {
        if taint.expected.contains(&got) {
            *self.as_predicted.entry(got.to_owned()).or_default() += 1;
        } else if taint.results().any(|result| result == got) {
            *self.no_room.entry(got.to_owned()).or_default() += 1;
        } else {
            *self.otherwise.entry(format!("{}: {got}", taint.name)).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        path::PathBuf,
    };

    use super::*;
    use crate::catalogue::{Catalogue, EntryId};

    /// Which results a real xrpld gave to submissions, by type.
    fn recorded() -> Option<BTreeMap<String, BTreeSet<String>>> {
        let mut roots: Vec<PathBuf> =
            std::env::var_os("XRPL_SHARED").map(PathBuf::from).into_iter().collect();
        let manifest = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        roots.extend(manifest.ancestors().map(|dir| dir.join("shared")));
        let folder =
            roots.iter().map(|root| root.join("fixtures/xrpld-3.3.0-b0")).find(|f| f.is_dir())?;
        let mut results: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "jsonl") {
                continue;
            }
            for line in std::fs::read_to_string(path).unwrap().lines() {
                let step: serde_json::Value = serde_json::from_str(line).unwrap();
                let kind = step["tx_json"]["TransactionType"].as_str();
                let answer = ["response", "answer"].iter().find_map(|key| step.get(key));
                let result = answer.and_then(|a| {
                    a["result"]["engine_result"].as_str().or(a["engine_result"].as_str())
                });
                if let (Some(kind), Some(result)) = (kind, result) {
                    results.entry(kind.to_owned()).or_default().insert(result.to_owned());
                }
            }
        }
        Some(results)
    }

    #[test]
    fn every_prediction_was_seen_from_a_real_node() {
        let Some(recorded) = recorded() else {
            println!("skipped: no recordings");
            return;
        };
        let catalogue = Catalogue::new(&BTreeMap::new()).unwrap();
        let seen =
            |kind: &str, result: &str| recorded.get(kind).is_some_and(|r| r.contains(result));
        let count = catalogue.names().count();
        let mut checked = 0;
        for entry in (0..count).map(|id: EntryId| catalogue.entry(id)) {
            for taint in entry.taints {
                assert!(!taint.expected.is_empty(), "{}", taint.name);
                for result in taint.expected {
                    let kind = if entry.name == "PaymentIssued" { "Payment" } else { entry.name };
                    assert!(seen(kind, result), "{kind}: {}: {result}", taint.name);
                    checked += 1;
                }
                let claims = |r: &&str| ResultClass::of(r) == Some(ResultClass::Tec);
                assert_eq!(
                    taint.expected.iter().any(claims),
                    taint.expected.iter().all(claims),
                    "{}: results must agree on the Sequence",
                    taint.name
                );
            }
        }
        for taint in COMMON {
            assert!(taint.expected.iter().all(|result| seen("Payment", result)), "{}", taint.name);
        }
        assert!(checked > 25, "{checked}");
    }
}
