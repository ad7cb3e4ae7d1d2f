//! XChainAddClaimAttestation
//! (<https://xrpl.org/docs/references/protocol/transactions/types/xchainaddclaimattestation>): a witness
//! says what was committed for a claim. Where enough say so and to whom it goes, it is paid.

use xrpl_protocol::fields::{self, DESTINATION, OTHER_CHAIN_SOURCE, X_CHAIN_CLAIM_ID};

use super::{
    About, TransactionType,
    bridges::{
        ANOTHERS_SIGNATURE, Attested, Bridge, NOTHING_SENT, NO_KEY, attest, attestation,
    },
};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::{Entry, Kind},
    plan::{Plan, Wait, drops},
    planner::Planner,
    world::{OthersXrp, World},
};

#[derive(Debug)]
pub(super) struct XChainAddClaimAttestation;

static ABOUT: About = About {
    name: "XChainAddClaimAttestation",
    family: "Bridges",
    weight: 6,
    amendment: Some("XChainBridge"),
    variants: &["one of several", "the last, paid", "the last, to be claimed"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        NO_KEY,
        ANOTHERS_SIGNATURE,
        NOTHING_SENT,
        Mutation::new("a claim that there is not", &["tecXCHAIN_NO_CLAIM_ID"], |planner, plan| {
            attest(planner.world, plan.with(X_CHAIN_CLAIM_ID, 4_000_000_000u64))
        }),
    ],
    ..About::TYPE
};

/// What is attested of a claim so far, and by whom it can be next.
pub(super) fn attested(world: &World, claim: &Entry, bridge: &Bridge<'_>) -> Option<Attested> {
    let witnesses = bridge.witnesses(world)?;
    Some(Attested::of(world, claim, fields::X_CHAIN_CLAIM_ATTESTATIONS, &witnesses))
}

impl TransactionType for XChainAddClaimAttestation {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.node_is_calm()?;
        planner.afford(0, 0)?;
        let world = planner.world;
        let open = |claim: &Entry| {
            let next = || {
                let bridge = Bridge::of_claim(world, claim)?;
                attested(world, claim, &bridge)?.next(&bridge.witnesses(world)?)
            };
            claim.owner.is_some() && next().is_some()
        };
        let none = Wait::Object(Kind::XChainClaim);
        let claim = planner.any(Kind::XChainClaim, open);
        let claim = claim.map_err(|_| Wait::First("XChainCreateClaimID"))?;
        let bridge = Bridge::of_claim(world, claim).ok_or(none)?;
        let witnesses = bridge.witnesses(world).ok_or(none)?;
        let attested = attested(world, claim, &bridge).ok_or(none)?;
        let witness = attested.next(&witnesses).ok_or(none)?;
        let (amount, to) = match attested.amount {
            Some(amount) => (amount, attested.destination),
            None => {
                let amount = drops(1 + planner.below(1_000));
                (amount, planner.one_in(2).then(|| planner.other_id()).transpose()?)
            }
        };
        let plan = attestation(bridge.plan("XChainAddClaimAttestation"), world, witness, amount)
            .with(X_CHAIN_CLAIM_ID, claim.number(X_CHAIN_CLAIM_ID).unwrap_or(0))
            .with(OTHER_CHAIN_SOURCE, claim.account(fields::OTHER_CHAIN_SOURCE).ok_or(none)?)
            .with_some(DESTINATION, to);
        let mut plan = attest(world, plan).ok_or(none)?.holding(claim.id).holding(witnesses.list);
        if !attested.suffices(1, &witnesses) {
            return Ok(plan.variant("one of several"));
        }
        if to.is_none() {
            return Ok(plan.variant("the last, to be claimed"));
        }
        // The door pays, and who claims rewards the witnesses.
        let owner = claim.owner.ok_or(none)?;
        let paid = amount.drops().unwrap_or(0).unsigned_abs();
        let reward = claim.amount(fields::SIGNATURE_REWARD).and_then(|reward| reward.drops()).unwrap_or(0);
        for (account, drops) in [(bridge.door, paid), (owner, reward.unsigned_abs())] {
            planner.has(account, drops, 0)?;
            plan.holds.others.push(OthersXrp { account, drops, owners: 0 });
        }
        Ok(plan.variant("the last, paid"))
    }
}
