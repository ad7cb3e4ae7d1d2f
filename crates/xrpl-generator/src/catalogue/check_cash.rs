//! CheckCash (<https://xrpl.org/docs/references/protocol/transactions/types/checkcash>): what a check
//! is for, or what there is of it.

use xrpl_protocol::{
    Amount,
    fields::{self, AMOUNT, CHECK_ID, DELIVER_MIN},
};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::{Entry, Kind},
    plan::{Plan, Wait, drops},
    planner::Planner,
    world::{IssuedMove, OthersXrp},
};

#[derive(Debug)]
pub(super) struct CheckCash;

static ABOUT: About = About {
    name: "CheckCash",
    family: "Checks",
    variants: &["exactly", "at least"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("exactly and at least", &["temMALFORMED"], |_, plan| {
            Some(plan.with(AMOUNT, drops(1)).with(DELIVER_MIN, drops(1)))
        }),
        Mutation::new("neither exactly nor at least", &["temMALFORMED"], |_, plan| {
            Some(plan.without(AMOUNT).without(DELIVER_MIN))
        }),
        Mutation::new("amount 0", &["temBAD_AMOUNT"], |_, plan| {
            Some(plan.without(DELIVER_MIN).with(AMOUNT, drops(0)))
        }),
        Mutation::new("a check that there is not", &["tecNO_ENTRY"], |planner, plan| {
            Some(plan.with(CHECK_ID, planner.nothing()))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for CheckCash {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let (world, ahead) = (planner.world, planner.later());
        let (fees, sender) = (planner.fees, planner.sender);
        let good = |check: &Entry| {
            let valid = check.number(fields::EXPIRATION).is_none_or(|at| at > ahead.into());
            let (Some(owner), Some(amount)) = (check.owner, check.amount(fields::SEND_MAX)) else {
                return false;
            };
            let account = &world.accounts[owner];
            let covered = match amount {
                Amount::Xrp(drops) => account.xrp.spendable(fees) >= drops.unsigned_abs(),
                Amount::Issued { value, currency, issuer } => {
                    let asset = world.asset(currency, issuer);
                    let line = asset.and_then(|asset| account.lines.get(asset));
                    let room = asset.and_then(|asset| world.accounts[sender].lines.get(asset));
                    line.is_some_and(|line| line.exists && line.available() >= value)
                        && room.is_some_and(|room| room.has_room(value))
                }
                Amount::Mpt { .. } => false,
            };
            valid && account.active && covered
        };
        let none = Wait::Object(Kind::Check);
        let check = planner.mine(Kind::Check, good).map_err(|_| Wait::First("CheckCreate"))?;
        let (owner, amount) = (check.owner.ok_or(none)?, check.amount(fields::SEND_MAX).ok_or(none)?);
        let at_least = planner.one_in(3);
        let field = if at_least { DELIVER_MIN } else { AMOUNT };
        let mut plan =
            Plan::new("CheckCash").with(CHECK_ID, check.id).with(field, amount).holding(check.id);
        match amount {
            Amount::Issued { value, currency, issuer } => {
                let asset = world.asset(currency, issuer).ok_or(none)?;
                let (from, to) = (Some(owner), Some(sender));
                plan.holds.issued.push(IssuedMove { asset, from, to, value });
            }
            _ => {
                let drops = amount.drops().unwrap_or(0).unsigned_abs();
                plan.holds.others.push(OthersXrp { account: owner, drops, owners: 0 });
            }
        }
        Ok(plan.variant(if at_least { "at least" } else { "exactly" }))
    }
}
