//! XChainCreateClaimID
//! (<https://xrpl.org/docs/references/protocol/transactions/types/xchaincreateclaimid>): a number under
//! which something is to be claimed that somebody commits on the other chain.

use xrpl_protocol::fields::{OTHER_CHAIN_SOURCE, SIGNATURE_REWARD};

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

/// How many an account has.
const MOST: usize = 4;

#[derive(Debug)]
pub(super) struct XChainCreateClaimID;

static ABOUT: About = About {
    name: "XChainCreateClaimID",
    family: "Bridges",
    weight: 3,
    amendment: Some("XChainBridge"),
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("another reward", &["tecXCHAIN_REWARD_MISMATCH"], |_, plan| {
            Some(plan.with(SIGNATURE_REWARD, drops(1)))
        }),
        no_bridge(),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for XChainCreateClaimID {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.fewer(Kind::XChainClaim, MOST)?;
        planner.afford(0, 1)?;
        let bridge = Bridge::any(planner, |_| true)?;
        // The reward must be the bridge's: nobody changes it meanwhile.
        let plan = bridge.plan("XChainCreateClaimID").holding(bridge.entry.id).owning(1);
        let plan = plan.with(SIGNATURE_REWARD, drops(bridge.reward));
        Ok(plan.with(OTHER_CHAIN_SOURCE, planner.other_id()?))
    }
}
