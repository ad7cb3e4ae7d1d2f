//! What an AMM's entry and the trust lines of its LP tokens say.
//!
//! Many use a pool of what all users have at the same time, whatever becomes of its price: it is never
//! emptied, as one account at a time withdraws, and never more than half. A gateway's pools of currencies
//! of its own are the gateway's alone, and it empties them.

use xrpl_protocol::{
    AccountId, Amount, Hash256, Issue, IssuedValue, Object, Value, fields, object_id,
};

use crate::{
    accounts::{Index, Role},
    objects::{Entry, Kind},
    plan::{Plan, Wait},
    planner::Planner,
    world::World,
};

/// How many units of the one asset are offered for a unit of the other where a pool is to take it
/// whatever becomes of its price: what is deposited on one side only moves that far, but no further.
pub(super) const FAR: i64 = 1_000;

/// A pool that nothing in flight makes or empties, and what is to be known of it.
pub(super) struct Pool<'a> {
    pub(super) entry: &'a Entry,
    pub(super) assets: [Issue; 2],
    /// Its LP tokens, all of them.
    pub(super) tokens: Amount,
}

/// What an account has of a pool, and nothing in flight uses.
pub(super) struct Share {
    /// Its trust line.
    pub(super) line: Hash256,
    pub(super) who: Index,
    /// LP tokens, above zero.
    pub(super) held: IssuedValue,
}

fn read(entry: &Entry) -> Option<Pool<'_>> {
    // Metadata of a new one leave out what has its default value: XRP.
    let assets = [fields::ASSET, fields::ASSET2]
        .map(|field| entry.fields.issue(field).unwrap_or(Issue::Xrp));
    Some(Pool { entry, assets, tokens: entry.amount(fields::LP_TOKEN_BALANCE)? })
}

/// One that fits.
pub(super) fn pool<'a>(
    planner: &mut Planner<'a>,
    fits: impl Fn(&Pool<'_>) -> bool,
) -> Result<Pool<'a>, Wait> {
    let entry = planner.any(Kind::Amm, |entry| read(entry).is_some_and(|pool| fits(&pool)))?;
    read(entry).ok_or(Wait::Object(Kind::Amm))
}

/// One of which the sender has tokens, with what it has of it.
pub(super) fn share<'a>(
    planner: &mut Planner<'a>,
    fits: impl Fn(&Pool<'_>, &Share) -> bool,
) -> Result<(Pool<'a>, Share), Wait> {
    let (world, who) = (planner.world, planner.sender);
    let found = |line: &Entry| {
        let pool = read(world.objects.parts(Kind::Amm, line.part_of?).next()?)?;
        let held = held(line, pool.entry.account(fields::ACCOUNT)?)?;
        let share = Share { line: line.id, who, held };
        (!world.objects.is_held(pool.entry.id) && fits(&pool, &share)).then_some((pool, share))
    };
    let line = planner.own(Kind::LpLine, |line| found(line).is_some())?;
    found(line).ok_or(Wait::Object(Kind::Amm))
}

/// What the sender does first to have tokens of a pool: a gateway makes one.
pub(super) fn share_first(planner: &Planner<'_>) -> Wait {
    Wait::First(if planner.me().role == Role::Gateway { "AMMCreate" } else { "AMMDeposit" })
}

impl Pool<'_> {
    /// A plan that names the pool. It alone uses it if it is a gateway's own.
    pub(super) fn plan(&self, world: &World, transaction_type: &str) -> Plan {
        let mut plan = Plan::new(transaction_type);
        if !self.is_common(world) {
            plan = plan.holding(self.entry.id);
        }
        let fields: &mut Object = plan.fields();
        fields.set(fields::ASSET, Value::Issue(self.assets[0]));
        fields.set(fields::ASSET2, Value::Issue(self.assets[1]));
        plan
    }

    /// What stands for withdrawing from it: who does holds it.
    pub(super) fn exit(&self) -> Option<Hash256> {
        self.entry.account(fields::ACCOUNT).map(object_id::account_root)
    }

    /// Whether all users have what is in it.
    pub(super) fn is_common(&self, world: &World) -> bool {
        self.assets.iter().all(|asset| match *asset {
            Issue::Issued { currency, issuer } => world.asset(currency, issuer).is_some(),
            _ => true,
        })
    }

    /// What somebody other than the sender has of it.
    pub(super) fn others_share(&self, planner: &mut Planner<'_>) -> Option<Share> {
        let pool = self.entry.account(fields::ACCOUNT)?;
        let me = planner.sender;
        let others = |line: &Entry| line.owner != Some(me) && held(line, pool).is_some();
        let line = planner.part(Kind::LpLine, self.exit()?, others).ok()?;
        Some(Share { line: line.id, who: line.owner?, held: held(line, pool)? })
    }

    /// So many of its tokens.
    pub(super) fn amount(&self, value: IssuedValue) -> Amount {
        match self.tokens {
            Amount::Issued { currency, issuer, .. } => Amount::issued(value, currency, issuer),
            other => other,
        }
    }

    /// Whether a payment of some hundredths of a unit, which any user can make, hardly changes it.
    pub(super) fn is_deep(&self, world: &World) -> bool {
        if !self.is_common(world) {
            return false;
        }
        // Tokens are about the root of what one side has times what the other has.
        let units = if self.assets.contains(&Issue::Xrp) { 10_000 } else { 10 };
        self.tokens.value().is_some_and(|tokens| tokens >= IssuedValue::from_whole(units))
    }

    /// Whether a share is at least such a part of all.
    pub(super) fn is_part(&self, share: &Share, of: u32) -> bool {
        let least = self.tokens.value().and_then(|all| all.mul_ratio(1, of, true).ok());
        least.is_some_and(|least| share.held >= least)
    }
}

/// How many tokens of a pool's account a trust line to it holds, if any.
fn held(line: &Entry, pool: AccountId) -> Option<IssuedValue> {
    let balance = line.amount(fields::BALANCE)?.value()?;
    // The balance is the low side's.
    let held = if line.sides()?[0] == pool { balance.negated() } else { balance };
    (held.signum() > 0).then_some(held)
}

/// So many hundredths of a unit of an asset.
pub(super) fn hundredths(issue: Issue, hundredths: i64) -> Option<Amount> {
    match issue {
        Issue::Xrp => Some(Amount::Xrp(hundredths * 10_000)),
        Issue::Issued { currency, issuer } => {
            let value = IssuedValue::new(hundredths, -2).ok()?;
            Some(Amount::issued(value, currency, issuer))
        }
        Issue::Mpt(_) => None,
    }
}
