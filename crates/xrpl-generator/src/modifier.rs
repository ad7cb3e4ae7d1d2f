//! Modifiers: ways to send a transaction that fit most types. Each turns a plan into another one that
//! does the same.

use std::collections::BTreeMap;

use serde::Serialize;
use smallvec::SmallVec;
use xrpl_protocol::{Object, Value, fields};

use crate::{
    error::GeneratorError,
    fees::FeeClass,
    objects::{Entry, Kind},
    plan::{Authorization, Body, Leg, Place, Plan, Width},
    planner::Planner,
};

/// All of the Batch or nothing.
const TF_ALL_OR_NOTHING: u32 = 0x0001_0000;
/// How many of a signer list sign.
const SIGNING: usize = 2;

/// A way to send a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Modifier {
    /// On a Ticket instead of the next Sequence.
    Ticket,
    /// Signed with the regular key.
    RegularKey,
    /// Signed by two of the three accounts on the signer list.
    Multisign,
    /// Sent and paid by an account that has the permission.
    Delegated,
    /// Within a Batch.
    Batch,
    /// With a memo.
    Memos,
}

impl Modifier {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Ticket,
        Self::RegularKey,
        Self::Multisign,
        Self::Delegated,
        Self::Batch,
        Self::Memos,
    ];
    /// Those for types that another account may be given permission to send.
    pub const DELEGABLE: &'static [Self] = Self::ALL;
    /// Those for types that only the account itself may send.
    pub const OWN: &'static [Self] =
        &[Self::Ticket, Self::RegularKey, Self::Multisign, Self::Batch, Self::Memos];
    /// Those for types that use more than their own slot.
    pub const WIDE: &'static [Self] = &[Self::RegularKey, Self::Multisign, Self::Memos];

    /// Those for types that no Batch may hold and nobody else may send.
    pub const ALONE: &'static [Self] =
        &[Self::Ticket, Self::RegularKey, Self::Multisign, Self::Memos];
    /// Those for accounts that own nothing, and so have neither Tickets nor other keys.
    pub const BARE: &'static [Self] = &[Self::Memos];
    /// Those for a Batch: who signs for its sender.
    pub const BATCH: &'static [Self] = &[Self::RegularKey, Self::Multisign];

    /// Its name in the configuration and the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::RegularKey => "regular_key",
            Self::Multisign => "multisign",
            Self::Delegated => "delegated",
            Self::Batch => "batch",
            Self::Memos => "memos",
        }
    }

    /// The type that the network must have for it.
    #[must_use]
    pub fn needs(self) -> Option<&'static str> {
        match self {
            Self::Batch => Some("Batch"),
            Self::Delegated => Some("DelegateSet"),
            _ => None,
        }
    }

    /// Percentage of the transactions that it fits which are sent so, where nothing else is said.
    #[must_use]
    pub fn default_share(self) -> u32 {
        match self {
            Self::Ticket => 5,
            Self::RegularKey | Self::Multisign | Self::Delegated | Self::Memos => 2,
            Self::Batch => 1,
        }
    }

    /// Those that say who signs: one of them at most.
    pub(crate) fn signs(self) -> bool {
        !matches!(self, Self::Ticket | Self::Memos)
    }

    /// Has the plan sent so; false, and the plan as it was, where that is not possible now.
    pub(crate) fn apply(self, planner: &mut Planner<'_>, plan: &mut Plan) -> bool {
        let own = plan.authorization == Authorization::Own;
        let batch = matches!(plan.body, Body::Batch(_));
        match self {
            Self::Ticket => !batch && on_ticket(planner, plan),
            Self::RegularKey => own && by_regular_key(planner, plan),
            Self::Multisign => own && by_several(planner, plan).is_some(),
            Self::Delegated => own && !batch && by_delegate(planner, plan).is_some(),
            Self::Batch => own && !batch && in_batch(planner, plan),
            Self::Memos => !batch && with_memo(planner, plan),
        }
    }
}

impl std::str::FromStr for Modifier {
    type Err = GeneratorError;
    fn from_str(name: &str) -> Result<Self, GeneratorError> {
        let known = |modifier: &&Self| modifier.name() == name;
        Self::ALL.iter().find(known).copied().ok_or_else(|| {
            let all: Vec<_> = Self::ALL.iter().map(|modifier| modifier.name()).collect();
            let why = format!("no modifier {name:?}: there are {}", all.join(", "));
            GeneratorError::config("modifiers", why)
        })
    }
}

/// How many percent of the transactions are sent in which way.
#[derive(Clone, Debug)]
pub struct Shares(Vec<(Modifier, u32)>);

impl Shares {
    /// The defaults, and others by name.
    ///
    /// # Errors
    /// Names what is unknown or no percentage.
    pub fn new(given: &BTreeMap<String, u32>) -> Result<Self, GeneratorError> {
        let share = |modifier: &Modifier| (*modifier, modifier.default_share());
        let mut shares: Vec<_> = Modifier::ALL.iter().map(share).collect();
        for (name, percent) in given {
            let modifier: Modifier = name.parse()?;
            if *percent > 100 {
                return Err(GeneratorError::config("modifiers", format!("{name}: at most 100")));
            }
            for share in shares.iter_mut().filter(|share| share.0 == modifier) {
                share.1 = *percent;
            }
        }
        Ok(Self(shares))
    }

    /// Those that a plan is to be sent with: each by its share, one signature at most.
    pub(crate) fn draw(
        &self,
        planner: &mut Planner<'_>,
        fits: impl Fn(Modifier) -> bool,
    ) -> SmallVec<[Modifier; 2]> {
        let mut drawn: SmallVec<[Modifier; 2]> = SmallVec::new();
        for (modifier, percent) in self.0.iter().filter(|(_, percent)| *percent > 0) {
            let chosen = planner.below(100) < u64::from(*percent);
            let signed = modifier.signs() && drawn.iter().any(|other| other.signs());
            if chosen && !signed && fits(*modifier) {
                drawn.push(*modifier);
            }
        }
        drawn
    }
}

fn on_ticket(planner: &Planner<'_>, plan: &mut Plan) -> bool {
    let fits = plan.place == Place::Sequence
        && plan.width == Width::Exactly(1)
        && planner.me().lane.free_tickets() > 0;
    if fits {
        // Metadata show that the Ticket is gone.
        (plan.place, plan.learns) = (Place::Ticket, true);
    }
    fits
}

fn by_regular_key(planner: &Planner<'_>, plan: &mut Plan) -> bool {
    let me = planner.me();
    let keys = planner.keys_of(planner.sender);
    let is_set = me.regular_key == Some(me.regular_pair().account_id());
    let fits = is_set && planner.free(keys).is_ok() && !plan.holds.objects.contains(&keys);
    if fits {
        plan.authorization = Authorization::Regular;
        // Who changes the key waits meanwhile: the ledger might take that one first.
        plan.holds.objects.push(keys);
    }
    fits
}

/// The signers of a list, if all are accounts of the run.
fn signers(planner: &Planner<'_>, list: &Entry) -> Option<SmallVec<[u32; 3]>> {
    let entries = list.fields.array(fields::SIGNER_ENTRIES)?;
    entries
        .iter()
        .map(|(_, one)| planner.world.accounts.find(one.account(fields::ACCOUNT)?))
        .collect()
}

fn by_several(planner: &mut Planner<'_>, plan: &mut Plan) -> Option<()> {
    let quorum = |list: &Entry| list.number(fields::SIGNER_QUORUM) == Some(SIGNING as u64);
    let list = planner.own(Kind::SignerList, quorum).ok()?;
    let mut signers = signers(planner, list).filter(|all| all.len() >= SIGNING)?;
    if plan.holds.objects.contains(&list.id) {
        return None;
    }
    let leave_out = planner.below(signers.len() as u64) as usize;
    if signers.len() > SIGNING {
        signers.remove(leave_out);
    }
    signers.truncate(SIGNING);
    plan.authorization = Authorization::Multi(signers);
    plan.holds.objects.push(list.id);
    Some(())
}

fn by_delegate(planner: &mut Planner<'_>, plan: &mut Plan) -> Option<()> {
    let code = plan.fields().u16(fields::TRANSACTION_TYPE)?;
    // Permission for a type is its code plus one.
    let permission = u32::from(code) + 1;
    let permits = |delegate: &Entry| {
        let all = delegate.fields.array(fields::PERMISSIONS).unwrap_or_default();
        all.iter().any(|(_, one)| one.u32(fields::PERMISSION_VALUE) == Some(permission))
    };
    let delegate = planner.own(Kind::Delegate, permits).ok()?;
    let index = delegate.toward.filter(|who| planner.is_user(*who))?;
    // It pays the fee.
    let fee = planner.fees.fee(FeeClass::Ordinary).0;
    planner.has(index, fee.saturating_mul(10), 0).ok()?;
    plan.authorization = Authorization::Delegate(index);
    plan.holds.payer = Some(index);
    plan.holds.objects.push(delegate.id);
    plan.learns = true;
    Some(())
}

fn in_batch(planner: &Planner<'_>, plan: &mut Plan) -> bool {
    let fits = plan.width == Width::Exactly(1) && plan.place == Place::Sequence;
    if !fits || planner.node_is_calm().is_err() {
        return false;
    }
    let account = planner.sender;
    let body = plan.fields().clone().with(fields::FLAGS, plan.flags);
    let mut no_op = Plan::no_op();
    let legs = vec![Leg { account, body }, Leg { account, body: no_op.fields().clone() }];
    plan.body = Body::Batch(legs);
    (plan.flags, plan.width, plan.learns) = (TF_ALL_OR_NOTHING, Width::AtMost(3), true);
    true
}

fn with_memo(planner: &mut Planner<'_>, plan: &mut Plan) -> bool {
    let number = planner.below(1 << 32);
    let memo = Object::new()
        .with(fields::MEMO_TYPE, b"xrpl-workload".to_vec())
        .with(fields::MEMO_DATA, format!("{number:08x}").into_bytes());
    plan.fields().set(fields::MEMOS, Value::Array(vec![(fields::MEMO, memo)]));
    true
}
