//! XChainClaim
//! (<https://xrpl.org/docs/references/protocol/transactions/types/xchainclaim>): what enough witnesses have
//! attested without saying to whom it goes.

use xrpl_protocol::fields::{self, AMOUNT, DESTINATION, X_CHAIN_CLAIM_ID};

use super::{
    About, TransactionType,
    bridges::{Bridge, no_bridge},
    xchain_add_claim_attestation::attested,
};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::{Entry, Kind},
    plan::{Plan, Wait, drops},
    planner::Planner,
    world::OthersXrp,
};

#[derive(Debug)]
pub(super) struct XChainClaim;

static ABOUT: About = About {
    name: "XChainClaim",
    family: "Bridges",
    weight: 3,
    amendment: Some("XChainBridge"),
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("nothing", &["temBAD_AMOUNT"], |_, plan| Some(plan.with(AMOUNT, drops(0)))),
        Mutation::new("a claim that there is not", &["tecXCHAIN_NO_CLAIM_ID"], |_, plan| {
            Some(plan.with(X_CHAIN_CLAIM_ID, 4_000_000_000u64))
        }),
        no_bridge(),
    ],
    ..About::TYPE
};

impl TransactionType for XChainClaim {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.node_is_calm()?;
        let world = planner.world;
        let agreed = |claim: &Entry| {
            let agreed = || {
                let bridge = Bridge::of_claim(world, claim)?;
                let attested = attested(world, claim, &bridge)?;
                let enough = attested.suffices(0, &bridge.witnesses(world)?);
                Some(enough && attested.destination.is_none())
            };
            agreed().unwrap_or(false)
        };
        let none = Wait::Object(Kind::XChainClaim);
        let claim = planner.own(Kind::XChainClaim, agreed);
        let claim = claim.map_err(|_| Wait::First("XChainAddClaimAttestation"))?;
        let bridge = Bridge::of_claim(world, claim).ok_or(none)?;
        let list = bridge.witnesses(world).ok_or(none)?.list;
        let amount = attested(world, claim, &bridge).and_then(|attested| attested.amount);
        let amount = amount.ok_or(none)?;
        let paid = amount.drops().unwrap_or(0).unsigned_abs();
        let reward = claim.amount(fields::SIGNATURE_REWARD).and_then(|reward| reward.drops()).unwrap_or(0);
        planner.has(bridge.door, paid, 0)?;
        planner.afford(reward.unsigned_abs(), 0)?;
        let to = if planner.one_in(2) { planner.me().id } else { planner.other_id()? };
        let mut plan = bridge
            .plan("XChainClaim")
            .with(X_CHAIN_CLAIM_ID, claim.number(X_CHAIN_CLAIM_ID).unwrap_or(0))
            .with(AMOUNT, amount)
            .with(DESTINATION, to)
            .holding(claim.id)
            .holding(list)
            .spending(reward.unsigned_abs());
        plan.holds.others.push(OthersXrp { account: bridge.door, drops: paid, owners: 0 });
        Ok(plan)
    }
}
