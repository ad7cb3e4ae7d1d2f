//! What the entries of brokers and loans say, and of the vaults that they lend from.

use smallvec::SmallVec;
use xrpl_protocol::{
    AccountId, Amount, Decimal, Field, Hash256, Issue, Object, Value,
    fields::{
        self, COUNTERPARTY_SIGNATURE, LOAN_BROKER_ID, LOAN_ID, SIGNING_PUB_KEY, TXN_SIGNATURE,
    },
    keys::PublicKey,
    number::Number,
};

use super::vaults::asset;
use crate::{
    accounts::Index,
    mutation::Mutation,
    objects::{Entry, Kind},
    plan::{Plan, Wait},
    planner::Planner,
    world::World,
};

/// 100 %, in tenths of a basis point: in that all rates of lending are.
const WHOLE: u32 = 100_000;

/// A broker, the vault that it lends from, and of what.
pub(super) struct Broker<'a> {
    pub(super) entry: &'a Entry,
    pub(super) vault: &'a Entry,
    pub(super) asset: Issue,
    pub(super) owner: Index,
}

impl<'a> Broker<'a> {
    /// One whose vault is known.
    pub(super) fn of(world: &'a World, entry: &'a Entry) -> Option<Self> {
        let vault = world.objects.get(entry.hash(fields::VAULT_ID)?)?;
        Some(Self { entry, vault, asset: asset(vault)?, owner: entry.owner? })
    }

    /// One that fits, and that nothing in flight uses.
    pub(super) fn any(
        planner: &mut Planner<'a>,
        fits: impl Fn(&Broker<'_>) -> bool,
    ) -> Result<Self, Wait> {
        let world = planner.world;
        let fits = |entry: &Entry| Broker::of(world, entry).is_some_and(|broker| fits(&broker));
        let entry = planner.any(Kind::LoanBroker, fits)?;
        Self::of(world, entry).ok_or(Wait::Object(Kind::LoanBroker))
    }

    /// One of the sender's.
    pub(super) fn own(
        planner: &mut Planner<'a>,
        fits: impl Fn(&Broker<'_>) -> bool,
    ) -> Result<Self, Wait> {
        let world = planner.world;
        let fits = |entry: &Entry| Broker::of(world, entry).is_some_and(|broker| fits(&broker));
        let own = planner.own(Kind::LoanBroker, fits);
        let entry = own.map_err(|_| Wait::First("LoanBrokerSet"))?;
        Self::of(world, entry).ok_or(Wait::Object(Kind::LoanBroker))
    }

    /// What must stay of its cover where it is owed so much.
    fn least_cover(&self, debt: Decimal) -> Decimal {
        let rate = self.entry.number(fields::COVER_RATE_MINIMUM).unwrap_or(0);
        debt * Decimal::from(rate as i64) / Decimal::from(WHOLE)
    }

    /// What can be taken of its cover, with room for what rounding does.
    pub(super) fn spare_cover(&self) -> Decimal {
        let least = self.least_cover(self.entry.decimal(fields::DEBT_TOTAL)) * Decimal::from(2);
        self.entry.decimal(fields::COVER_AVAILABLE) - least
    }

    /// Whether it may lend so much more.
    pub(super) fn may_lend(&self, principal: Decimal) -> bool {
        // Interest is owed too.
        let debt = self.entry.decimal(fields::DEBT_TOTAL) + principal * Decimal::from(2);
        let most = self.entry.decimal(fields::DEBT_MAXIMUM);
        let within = most.is_zero() || debt <= most;
        within && self.least_cover(debt) <= self.entry.decimal(fields::COVER_AVAILABLE)
    }
}

/// A loan, and who brokered it.
pub(super) struct Loan<'a> {
    pub(super) entry: &'a Entry,
    pub(super) broker: Broker<'a>,
}

impl<'a> Loan<'a> {
    pub(super) fn of(world: &'a World, entry: &'a Entry) -> Option<Self> {
        let broker = world.objects.get(entry.hash(fields::LOAN_BROKER_ID)?)?;
        Some(Self { entry, broker: Broker::of(world, broker)? })
    }

    /// One that the sender lent, and that nothing in flight uses.
    pub(super) fn lent(
        planner: &mut Planner<'a>,
        fits: impl Fn(&Loan<'_>) -> bool,
    ) -> Result<Self, Wait> {
        let world = planner.world;
        let brokers: SmallVec<[Hash256; 4]> =
            world.objects.owned(Kind::LoanBroker, planner.sender).map(|it| it.id).collect();
        let (before, from) = brokers.split_at(planner.below(brokers.len() as u64) as usize);
        let fits = |entry: &Entry| Loan::of(world, entry).is_some_and(|loan| fits(&loan));
        let mut turn = from.iter().chain(before);
        let found = turn.find_map(|broker| planner.part(Kind::Loan, *broker, fits).ok());
        found.and_then(|entry| Self::of(world, entry)).ok_or(Wait::Object(Kind::Loan))
    }

    /// One that the sender owes.
    pub(super) fn own(
        planner: &mut Planner<'a>,
        fits: impl Fn(&Loan<'_>) -> bool,
    ) -> Result<Self, Wait> {
        let world = planner.world;
        let fits = |entry: &Entry| Loan::of(world, entry).is_some_and(|loan| fits(&loan));
        let entry = planner.own(Kind::Loan, fits)?;
        Self::of(world, entry).ok_or(Wait::Object(Kind::Loan))
    }

    /// Payments that are still to come.
    pub(super) fn remaining(&self) -> u64 {
        self.entry.number(fields::PAYMENT_REMAINING).unwrap_or(0)
    }

    /// When the next one is due, and until when it may be late.
    pub(super) fn due(&self) -> Option<(u64, u64)> {
        let due = self.entry.number(fields::NEXT_PAYMENT_DUE_DATE).filter(|at| *at > 0)?;
        Some((due, due + self.entry.number(fields::GRACE_PERIOD).unwrap_or(0)))
    }

    /// A plan that names it, and alone uses it.
    pub(super) fn plan(&self, transaction_type: &str) -> Plan {
        Plan::new(transaction_type).with(LOAN_ID, self.entry.id).holding(self.entry.id)
    }
}

/// A number field.
pub(super) fn number(value: Decimal) -> Value {
    Value::Number(Number::from(value))
}

/// So much of an asset, or a little less: drops have no fractions, and two digits suffice for the rest.
pub(super) fn about(asset: Issue, value: Decimal) -> Option<Amount> {
    let value = match asset {
        Issue::Issued { .. } => {
            let hundred = Decimal::from(100);
            (value * hundred).truncated() / hundred
        }
        _ => value.truncated(),
    };
    Amount::from_decimal(asset, value).ok()
}

/// At least so much of an asset.
pub(crate) fn at_least(asset: Issue, value: Decimal) -> Option<Amount> {
    let value = match asset {
        Issue::Issued { .. } => {
            let digits = Decimal::from(10_000);
            ((value * digits).truncated() + Decimal::from(1)) / digits
        }
        _ => value.truncated() + Decimal::from(1),
    };
    Amount::from_decimal(asset, value).ok()
}

/// What stands for a signature of a counterparty: with which key it signs, once all else is there.
pub(crate) fn to_be_signed(key: &PublicKey) -> Value {
    let empty =
        Object::new().with(SIGNING_PUB_KEY, key.0.to_vec()).with(TXN_SIGNATURE, Vec::<u8>::new());
    Value::Object(empty)
}

/// Who signs a plan as its counterparty.
pub(super) fn counterparty(plan: &mut Plan) -> Option<AccountId> {
    let other = plan.fields().object(COUNTERPARTY_SIGNATURE)?;
    PublicKey::from_slice(other.blob(SIGNING_PUB_KEY)?).ok().map(|key| key.account_id())
}

/// An id of zeros, which all types of lending refuse.
pub(super) const fn no_broker() -> Mutation {
    Mutation::new("a broker of zeros", &["temINVALID"], |_, plan| {
        Some(plan.with(LOAN_BROKER_ID, Hash256::ZERO))
    })
}

/// An id of no broker.
pub(super) const fn unknown_broker() -> Mutation {
    Mutation::new("a broker that there is not", &["tecNO_ENTRY"], |planner, plan| {
        Some(plan.with(LOAN_BROKER_ID, planner.nothing()))
    })
}

/// An id of zeros.
pub(super) const fn no_loan() -> Mutation {
    Mutation::new("a loan of zeros", &["temINVALID"], |_, plan| {
        Some(plan.with(LOAN_ID, Hash256::ZERO))
    })
}

/// An id of no loan.
pub(super) const fn unknown_loan() -> Mutation {
    Mutation::new("a loan that there is not", &["tecNO_ENTRY"], |planner, plan| {
        Some(plan.with(LOAN_ID, planner.nothing()))
    })
}

/// With a number field.
pub(crate) fn with_number(plan: Plan, field: Field, value: Decimal) -> Plan {
    plan.with(field, number(value))
}
