//! Mutations: transactions that are wrong on purpose. Each has the results it must get, and is counted
//! apart from those that are meant to succeed.
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
    fees::FeeClass,
    plan::{Authorization, Body, Place, Plan},
    planner::Planner,
    world::Holds,
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

/// A way to make a valid transaction wrong.
#[derive(Debug)]
pub struct Mutation {
    /// What is wrong with it.
    pub name: &'static str,
    /// The results it must get, one of them. All are of classes that agree on whether the Sequence
    /// is used up.
    pub expected: &'static [&'static str],
    /// Makes a plan that would have succeeded wrong; none if it cannot be done with that one.
    pub mutate: fn(&mut Planner<'_>, Plan) -> Option<Plan>,
}

impl Mutation {
    /// Of its three parts.
    #[must_use]
    pub const fn new(
        name: &'static str,
        expected: &'static [&'static str],
        mutate: fn(&mut Planner<'_>, Plan) -> Option<Plan>,
    ) -> Self {
        Self { name, expected, mutate }
    }

    /// A flag that the type does not have.
    #[must_use]
    pub const fn unknown_flag() -> Self {
        Self::new("a flag that the type does not have", &["temINVALID_FLAG"], |_, plan| {
            Some(plan.flagged(1))
        })
    }

    /// A flag that means something to other types only.
    #[must_use]
    pub const fn foreign_flag() -> Self {
        Self::new("a flag of another type", &["temINVALID_FLAG"], |_, plan| {
            Some(plan.flagged(0x0800_0000))
        })
    }

    /// The sender as its own delegate.
    #[must_use]
    pub const fn own_delegate() -> Self {
        Self::new("itself as its delegate", &["temBAD_SIGNER"], |planner, plan| {
            Some(plan.with(xrpl_protocol::fields::DELEGATE, planner.me().id))
        })
    }

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

    /// What one can take of its sender: its fee, if it claims one, and what it alone uses.
    #[must_use]
    pub(crate) fn holds(&self, fee: u64, planned: &Holds) -> Holds {
        match self.claims() {
            true => {
                let objects = planned.objects.clone();
                Holds { payer: planned.payer, objects, ..Holds::fee(fee) }
            }
            false => Holds::default(),
        }
    }
}

/// Mutations that every type can have.
pub static COMMON: &[Mutation] = &[
    Mutation::new("a fee above all XRP there is", &["temBAD_FEE"], |_, plan| {
        Some(Plan { fee: FeeClass::Exactly(100_000_000_000_000_001), ..plan })
    }),
    Mutation::new("signed by another account's key", &["tefBAD_AUTH"], |planner, plan| {
        let stranger = Authorization::Stranger(planner.other_user().ok()?);
        // A Batch's other signers would be looked at first.
        let alone = !matches!(plan.body, Body::Batch(_));
        (alone && plan.authorization == Authorization::Own)
            .then_some(Plan { authorization: stranger, ..plan })
    }),
    Mutation::new("a Ticket that was never made", &["tefNO_TICKET"], |planner, plan| {
        // Sequences of new accounts start at the ledger's index, so that no account of a run
        // ever had Ticket 1; below the account's Sequence it can never come.
        let possible = plan.place == Place::Sequence && planner.me().lane.next() > Sequence(1);
        let place = Place::Exactly(Slot::Ticket(Sequence(1)));
        (possible && !matches!(plan.body, Body::Batch(_))).then_some(Plan { place, ..plan })
    }),
    Mutation::new(
        "after a transaction that is not its last",
        &["tefWRONG_PRIOR"],
        |planner, plan| {
            let usual = plan.place == Place::Sequence && !matches!(plan.body, Body::Batch(_));
            let nothing = planner.nothing();
            usual.then(|| plan.with(xrpl_protocol::fields::ACCOUNT_TXN_ID, nothing))
        },
    ),
];

/// Makes a plan wrong in one of its type's ways or of those that all have, drawn by the plan, but
/// those that `first` names first; gives it back where none fits.
pub(crate) fn mutate(
    planner: &mut Planner<'_>,
    own: &'static [Mutation],
    plan: Plan,
    first: impl Fn(&Mutation) -> bool,
) -> (Plan, Option<&'static Mutation>) {
    let count = own.len() + COMMON.len();
    let start = planner.below(count as u64) as usize;
    let turn = (0..count).map(|n| (start + n) % count);
    let all = || turn.clone().map(|at| own.get(at).unwrap_or_else(|| &COMMON[at - own.len()]));
    let preferred = all().filter(|mutation| first(mutation));
    let others = all().filter(|mutation| !first(mutation));
    let found = preferred
        .chain(others)
        .find_map(|mutation| Some(((mutation.mutate)(planner, plan.clone())?, mutation)));
    match found {
        Some((mutant, mutation)) => (mutant, Some(mutation)),
        None => (plan, None),
    }
}

/// How the deliberately invalid ones fared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MutationStats {
    /// Ended as one of the predicted results, by that result.
    pub as_predicted: BTreeMap<String, u64>,
    /// Ended otherwise: "type: what is wrong with it: what it got".
    pub otherwise: BTreeMap<String, u64>,
    /// Refused because the node had no room ([`NO_ROOM`]), by that result: what is wrong with them was
    /// not looked at.
    pub no_room: BTreeMap<String, u64>,
}

impl MutationStats {
    pub(crate) fn count(&mut self, of: &str, mutation: &Mutation, got: &str) {
        if mutation.expected.contains(&got) {
            *self.as_predicted.entry(got.to_owned()).or_default() += 1;
        } else if mutation.results().any(|result| result == got) {
            *self.no_room.entry(got.to_owned()).or_default() += 1;
        } else {
            let what = format!("{of}: {}: {got}", mutation.name);
            *self.otherwise.entry(what).or_default() += 1;
        }
    }
}
