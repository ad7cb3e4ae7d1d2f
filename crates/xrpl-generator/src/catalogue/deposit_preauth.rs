//! DepositPreauth
//! (<https://xrpl.org/docs/references/protocol/transactions/types/depositpreauth>): allows another
//! account to pay this one, and takes that back.

use xrpl_protocol::{
    fields::{self, AUTHORIZE, UNAUTHORIZE},
    object_id,
};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait},
    planner::Planner,
};

/// How many an account allows.
const MOST: usize = 4;

#[derive(Debug)]
pub(super) struct DepositPreauth;

static ABOUT: About = About {
    name: "DepositPreauth",
    family: "Accounts",
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("itself", &["temCANNOT_PREAUTH_SELF"], |planner, plan| {
            Some(plan.without(UNAUTHORIZE).with(AUTHORIZE, planner.me().id))
        }),
        Mutation::new("both at once", &["temMALFORMED"], |planner, plan| {
            let other = planner.other_id().ok()?;
            Some(plan.with(AUTHORIZE, other).with(UNAUTHORIZE, other))
        }),
        Mutation::new("neither", &["temMALFORMED"], |_, plan| {
            Some(plan.without(AUTHORIZE).without(UNAUTHORIZE))
        }),
        Mutation::new("nobody", &["tecNO_TARGET"], |planner, plan| {
            Some(plan.without(UNAUTHORIZE).with(AUTHORIZE, planner.nobody()))
        }),
        Mutation::new("taken from nobody", &["tecNO_ENTRY"], |planner, plan| {
            Some(plan.without(AUTHORIZE).with(UNAUTHORIZE, planner.nobody()))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for DepositPreauth {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let plan = Plan::new("DepositPreauth");
        if planner.one_in(3) || planner.fewer(Kind::DepositPreauth, MOST).is_err() {
            planner.afford(0, 0)?;
            let given = planner.own(Kind::DepositPreauth, |entry| entry.has(fields::AUTHORIZE));
            let given = given.map_err(|_| Wait::First("DepositPreauth"))?;
            return Ok(plan.with_some(UNAUTHORIZE, given.account(fields::AUTHORIZE)).holding(given.id));
        }
        let other = planner.other_id()?;
        let id = planner.free(object_id::deposit_preauth(planner.me().id, other))?;
        if planner.world.objects.get(id).is_some() {
            return Err(Wait::Until("it has allowed all that it would"));
        }
        planner.afford(0, 1)?;
        Ok(plan.with(AUTHORIZE, other).holding(id).owning(1))
    }
}
