//! XChainAccountCreateCommit
//! (<https://xrpl.org/docs/references/protocol/transactions/types/xchainaccountcreatecommit>): with which
//! an account is to be created on the other chain.

use xrpl_protocol::fields::{AMOUNT, DESTINATION, SIGNATURE_REWARD};

use super::{
    About, TransactionType,
    bridges::{Bridge, no_bridge},
};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait, drops},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct XChainAccountCreateCommit;

static ABOUT: About = About {
    name: "XChainAccountCreateCommit",
    family: "Bridges",
    weight: 2,
    amendment: Some("XChainBridge"),
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("nothing", &["temBAD_AMOUNT"], |_, plan| Some(plan.with(AMOUNT, drops(0)))),
        Mutation::new("too little", &["tecXCHAIN_INSUFF_CREATE_AMOUNT"], |_, plan| {
            Some(plan.with(AMOUNT, drops(1)))
        }),
        Mutation::new("another reward", &["tecXCHAIN_REWARD_MISMATCH"], |_, plan| {
            Some(plan.with(SIGNATURE_REWARD, drops(1)))
        }),
        no_bridge(),
    ],
    ..About::TYPE
};

impl TransactionType for XChainAccountCreateCommit {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let me = planner.sender;
        let creates = |bridge: &Bridge<'_>| bridge.door != me && bridge.least.is_some();
        let bridge = Bridge::any(planner, creates)?;
        let amount = bridge.least.ok_or(Wait::Object(Kind::Bridge))? + planner.below(1_000);
        let all = amount + bridge.reward;
        planner.afford(all, 0)?;
        // Reward and least amount are the bridge's: nobody changes them meanwhile.
        let mut plan = bridge
            .plan("XChainAccountCreateCommit")
            .with(AMOUNT, drops(amount))
            .with(SIGNATURE_REWARD, drops(bridge.reward))
            .with(DESTINATION, planner.other_id()?)
            .holding(bridge.entry.id)
            .spending(all);
        plan.holds.to = Some(bridge.door);
        Ok(plan)
    }
}
