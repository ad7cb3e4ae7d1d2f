//! Deliberately invalid transactions: each has the results it must get, and is counted apart from
//! those that are meant to succeed.

use std::collections::BTreeMap;

use serde::Serialize;
use xrpl_protocol::{ResultClass, Sequence, transaction::Slot};

use crate::{
    catalogue::{Draft, Entry, Tx},
    fees::FeeClass,
    objects::Stake,
};

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
pub struct IntentStats {
    /// Ended as one of the predicted results, by that result.
    pub as_predicted: BTreeMap<String, u64>,
    /// Ended otherwise: "what is wrong with it: what it got".
    pub otherwise: BTreeMap<String, u64>,
}

impl IntentStats {
    pub(crate) fn count(&mut self, taint: &Taint, got: &str) {
        if taint.expected.contains(&got) {
            *self.as_predicted.entry(got.to_owned()).or_default() += 1;
        } else {
            *self.otherwise.entry(format!("{}: {got}", taint.name)).or_default() += 1;
        }
    }
}
