//! AMMVote (<https://xrpl.org/docs/references/protocol/transactions/types/ammvote>).

use xrpl_protocol::fields::{ASSET, ASSET2, TRADING_FEE};

use super::{About, TransactionType, pools::{share, share_first}};
use crate::{
    accounts::Role,
    modifier::Modifier,
    mutation::Mutation,
    plan::{Plan, Wait},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct AMMVote;

static ABOUT: About = About {
    name: "AMMVote",
    family: "AMM",
    roles: &[Role::User, Role::Gateway],
    amendment: Some("AMM"),
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("a fee above 1 %", &["temBAD_FEE"], |_, plan| {
            Some(plan.with(TRADING_FEE, 1_001u16))
        }),
        Mutation::new("of a currency and itself", &["temBAD_AMM_TOKENS"], |_, mut plan| {
            let asset = plan.fields().get(ASSET)?.clone();
            Some(plan.with(ASSET2, asset))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for AMMVote {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let world = planner.world;
        let (pool, share) = share(planner, |_, _| true).map_err(|_| share_first(planner))?;
        let fee = planner.below(1_001) as u16;
        Ok(pool.plan(world, "AMMVote").with(TRADING_FEE, fee).holding(share.line))
    }
}
