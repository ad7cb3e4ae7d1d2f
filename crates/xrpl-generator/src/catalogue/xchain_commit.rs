//! XChainCommit
//! (<https://xrpl.org/docs/references/protocol/transactions/types/xchaincommit>): what is to be claimed on
//! the other chain.

use xrpl_protocol::{
    IssuedValue,
    fields::{AMOUNT, OTHER_CHAIN_DESTINATION, X_CHAIN_CLAIM_ID},
};

use super::{
    About, TransactionType,
    bridges::{Bridge, no_bridge},
};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    plan::{Plan, Wait, drops},
    planner::Planner,
};

/// More than anybody has.
const TOO_MUCH: u64 = 10_000_000_000_000_000;

#[derive(Debug)]
pub(super) struct XChainCommit;

static ABOUT: About = About {
    name: "XChainCommit",
    family: "Bridges",
    weight: 3,
    amendment: Some("XChainBridge"),
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("nothing", &["temBAD_AMOUNT"], |_, plan| Some(plan.with(AMOUNT, drops(0)))),
        Mutation::new("something else", &["temBAD_ISSUER"], |planner, plan| {
            Some(plan.with(AMOUNT, planner.unheld(IssuedValue::ONE).ok()?))
        }),
        Mutation::new("more than it has", &["tecUNFUNDED_PAYMENT"], |_, plan| {
            Some(plan.with(AMOUNT, drops(TOO_MUCH)))
        }),
        no_bridge(),
    ],
    ..About::TYPE
};

impl TransactionType for XChainCommit {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let me = planner.sender;
        let bridge = Bridge::any(planner, |bridge| bridge.door != me)?;
        let amount = 1 + planner.below(1_000);
        planner.afford(amount, 0)?;
        let to = planner.one_in(2).then(|| planner.other_id()).transpose()?;
        let mut plan = bridge
            .plan("XChainCommit")
            .with(AMOUNT, drops(amount))
            .with(X_CHAIN_CLAIM_ID, 1 + planner.below(1_000))
            .with_some(OTHER_CHAIN_DESTINATION, to)
            .spending(amount);
        plan.holds.to = Some(bridge.door);
        Ok(plan)
    }
}
