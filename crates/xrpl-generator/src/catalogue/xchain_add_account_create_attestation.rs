//! XChainAddAccountCreateAttestation
//! (<https://xrpl.org/docs/references/protocol/transactions/types/xchainaddaccountcreateattestation>): a
//! witness says that an account is to be created, or paid if there is one. They come in their order.

use xrpl_protocol::{
    fields::{self, DESTINATION, OTHER_CHAIN_SOURCE, SIGNATURE_REWARD, X_CHAIN_ACCOUNT_CREATE_COUNT},
    object_id,
};

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
    world::OthersXrp,
};

/// What the witnesses get, drops.
const REWARD: u64 = 100;

#[derive(Debug)]
pub(super) struct XChainAddAccountCreateAttestation;

static ABOUT: About = About {
    name: "XChainAddAccountCreateAttestation",
    family: "Bridges",
    weight: 4,
    amendment: Some("XChainBridge"),
    variants: &["one of several", "the last"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[NO_KEY, ANOTHERS_SIGNATURE, NOTHING_SENT, Mutation::unknown_flag()],
    ..About::TYPE
};

impl TransactionType for XChainAddAccountCreateAttestation {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.node_is_calm()?;
        planner.afford(0, 0)?;
        let world = planner.world;
        let count = |entry: &Entry| entry.number(fields::X_CHAIN_ACCOUNT_CLAIM_COUNT).unwrap_or(0);
        let next = |bridge: &Bridge<'_>| count(bridge.entry) + 1;
        let of = |bridge: &Bridge<'_>| {
            object_id::xchain_create_account_claim_id(&bridge.spec, next(bridge))
        };
        let bridge = Bridge::any(planner, |bridge| {
            bridge.witnesses(world).is_some() && !world.objects.is_held(of(bridge))
        })?;
        let none = Wait::Object(Kind::Bridge);
        let witnesses = bridge.witnesses(world).ok_or(none)?;
        let entry = world.objects.get(of(&bridge));
        let list = fields::X_CHAIN_CREATE_ACCOUNT_ATTESTATIONS;
        let attested = entry.map(|entry| Attested::of(world, entry, list, &witnesses));
        let first = witnesses.accounts.first().copied();
        let witness = attested.as_ref().map_or(first, |attested| attested.next(&witnesses));
        let known = attested.as_ref().and_then(|attested| {
            Some((attested.amount?, attested.destination?, attested.reward?))
        });
        let (amount, to, reward) = match known {
            Some(known) => known,
            None => {
                let amount = planner.fees.reserve(0) + planner.below(1_000);
                let new = planner.unborn().filter(|_| planner.one_in(2));
                (drops(amount), new.map_or_else(|| planner.other_id(), Ok)?, drops(REWARD))
            }
        };
        let plan = bridge.plan("XChainAddAccountCreateAttestation");
        let plan = attestation(plan, world, witness.ok_or(none)?, amount)
            .with(X_CHAIN_ACCOUNT_CREATE_COUNT, next(&bridge))
            .with(OTHER_CHAIN_SOURCE, planner.other_id()?)
            .with(SIGNATURE_REWARD, reward)
            .with(DESTINATION, to);
        let mut plan = attest(world, plan).ok_or(none)?.holding(of(&bridge)).holding(witnesses.list);
        let last = attested.is_some_and(|attested| attested.suffices(1, &witnesses));
        // The door keeps it, and pays in the end.
        let paid = [amount, reward].iter().filter_map(|amount| amount.drops()).sum::<i64>();
        let (drops, owners) = if last { (paid.unsigned_abs(), 0) } else { (0, 1) };
        planner.has(bridge.door, drops, owners)?;
        plan.holds.others.push(OthersXrp { account: bridge.door, drops, owners });
        Ok(plan.variant(if last { "the last" } else { "one of several" }))
    }
}
