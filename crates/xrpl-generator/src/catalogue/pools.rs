//! What an AMM's entry and the trust lines of its LP tokens tell.

use xrpl_protocol::{AccountId, Amount, Issue, IssuedValue, Object, Value, fields, object_id};

use crate::{
    accounts::Index,
    objects::{Entry, Kind},
    plan::{Plan, Wait},
    planner::Planner,
    world::World,
};

/// How many units of the one asset are offered for a unit of the other where a pool is to take it
/// whatever becomes of its price: what is deposited on one side only moves that far, but no further.
pub(super) const FAR: i64 = 1_000;

/// A pool that nothing in flight uses, and what is to be known of it.
pub(super) struct Pool<'a> {
    pub(super) entry: &'a Entry,
    pub(super) assets: [Issue; 2],
    /// Its LP tokens, all of them.
    pub(super) tokens: Amount,
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

impl Pool<'_> {
    /// A plan that names the pool, which it alone uses: others might empty it meanwhile.
    pub(super) fn plan(&self, transaction_type: &str) -> Plan {
        let mut plan = Plan::new(transaction_type).holding(self.entry.id);
        let fields: &mut Object = plan.fields();
        fields.set(fields::ASSET, Value::Issue(self.assets[0]));
        fields.set(fields::ASSET2, Value::Issue(self.assets[1]));
        plan
    }

    /// How many of its tokens an account has.
    pub(super) fn held(&self, world: &World, who: Index) -> Option<IssuedValue> {
        let pool = self.entry.account(fields::ACCOUNT)?;
        let mut lines = world.objects.owned(Kind::LpLine, who);
        held(lines.find(|line| line.sides().is_some_and(|sides| sides.contains(&pool)))?, pool)
    }

    /// Somebody who has some of its tokens.
    pub(super) fn holder(&self, planner: &mut Planner<'_>) -> Option<Index> {
        let pool = self.entry.account(fields::ACCOUNT)?;
        let root = object_id::account_root(pool);
        planner.part(Kind::LpLine, root, |line| held(line, pool).is_some()).ok()?.owner
    }

    /// So many of its tokens.
    pub(super) fn amount(&self, value: IssuedValue) -> Amount {
        match self.tokens {
            Amount::Issued { currency, issuer, .. } => Amount::issued(value, currency, issuer),
            other => other,
        }
    }

    /// Whether a payment of some hundredths of a unit hardly changes it.
    pub(super) fn is_deep(&self) -> bool {
        // Tokens are about the root of what one side has times what the other has.
        let units = if self.assets.contains(&Issue::Xrp) { 10_000 } else { 10 };
        self.tokens.value().is_some_and(|tokens| tokens >= IssuedValue::from_whole(units))
    }

    /// Whether an account has at least a share of its tokens.
    pub(super) fn has_share(&self, held: IssuedValue, of: u32) -> bool {
        let least = self.tokens.value().and_then(|all| all.mul_ratio(1, of, true).ok());
        least.is_some_and(|least| held >= least)
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
