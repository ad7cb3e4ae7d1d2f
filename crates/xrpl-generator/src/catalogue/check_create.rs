//! CheckCreate (<https://xrpl.org/docs/references/protocol/transactions/types/checkcreate>).

use xrpl_protocol::fields::{DESTINATION, EXPIRATION, SEND_MAX};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait, drops},
    planner::Planner,
};

/// How many an account has.
const MOST: usize = 6;

#[derive(Debug)]
pub(super) struct CheckCreate;

static ABOUT: About = About {
    name: "CheckCreate",
    family: "Checks",
    variants: &["XRP", "issued"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("to itself", &["temREDUNDANT"], |planner, plan| {
            Some(plan.with(DESTINATION, planner.me().id))
        }),
        Mutation::new("amount 0", &["temBAD_AMOUNT"], |_, plan| Some(plan.with(SEND_MAX, drops(0)))),
        Mutation::new("a time before all time", &["temBAD_EXPIRATION"], |_, plan| {
            Some(plan.with(EXPIRATION, 0u32))
        }),
        Mutation::new("to nobody", &["tecNO_DST"], |planner, plan| {
            Some(plan.with(DESTINATION, planner.nobody()))
        }),
        Mutation::new("expired already", &["tecEXPIRED"], |planner, plan| {
            Some(plan.with(EXPIRATION, planner.world.close_time.checked_sub(60)?))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for CheckCreate {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.fewer(Kind::Check, MOST)?;
        let other = planner.other_id()?;
        let expires = planner.one_in(2).then(|| planner.later() + 60);
        planner.afford(0, 1)?;
        let plan = Plan::new("CheckCreate")
            .with(DESTINATION, other)
            .with_some(EXPIRATION, expires)
            .owning(1);
        // What it promises it need not have before it is cashed.
        if let Ok(asset) = planner.asset()
            && planner.one_in(3)
        {
            let value = planner.small_value()?;
            let amount = planner.world.assets[usize::from(asset)].amount(value);
            return Ok(plan.with(SEND_MAX, amount).variant("issued"));
        }
        Ok(plan.with(SEND_MAX, drops(1 + planner.below(100_000))).variant("XRP"))
    }
}
