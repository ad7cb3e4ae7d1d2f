//! AMMWithdraw (<https://xrpl.org/docs/references/protocol/transactions/types/ammwithdraw>): some or
//! all of what its tokens stand for; the last one ends the pool.

use xrpl_protocol::fields::{AMOUNT, LP_TOKEN_IN};

use super::{About, TransactionType, pools::{Pool, share, share_first}};
use crate::{
    accounts::Role,
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait, drops},
    planner::Planner,
};

const TF_LP_TOKEN: u32 = 0x0001_0000;
const TF_WITHDRAW_ALL: u32 = 0x0002_0000;

#[derive(Debug)]
pub(super) struct AMMWithdraw;

static ABOUT: About = About {
    name: "AMMWithdraw",
    family: "AMM",
    weight: 5,
    roles: &[Role::User, Role::Gateway],
    amendment: Some("AMM"),
    variants: &["some", "all"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("no form of withdrawal", &["temMALFORMED"], |_, plan| Some(plan.flagged(0))),
        Mutation::new("all of it and some", &["temMALFORMED"], |_, plan| {
            Some(plan.flagged(TF_WITHDRAW_ALL | TF_LP_TOKEN))
        }),
        Mutation::new("all of it, with an amount", &["temMALFORMED"], |_, plan| {
            let plan = plan.flagged(TF_WITHDRAW_ALL).without(LP_TOKEN_IN);
            Some(plan.with(AMOUNT, drops(1)))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for AMMWithdraw {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let world = planner.world;
        let free = |pool: &Pool<'_>| pool.exit().is_some_and(|exit| !world.objects.is_held(exit));
        let (pool, share) =
            share(planner, |pool, _| free(pool)).map_err(|_| share_first(planner))?;
        let none = Wait::Object(Kind::Amm);
        let held = share.held;
        let plan = pool.plan(world, "AMMWithdraw").holding(share.line).holding(pool.exit().ok_or(none)?);
        let may_leave = !pool.is_common(world) || !pool.is_part(&share, 2);
        if may_leave && planner.one_in(3) {
            return Ok(plan.flagged(TF_WITHDRAW_ALL).variant("all"));
        }
        let part = held.mul_ratio(1 + planner.below(5) as u32, 10, false);
        let part = part.map_err(|_| none)?;
        Ok(plan.flagged(TF_LP_TOKEN).with(LP_TOKEN_IN, pool.amount(part)).variant("some"))
    }
}
