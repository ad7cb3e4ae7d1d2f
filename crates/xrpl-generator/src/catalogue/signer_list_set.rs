//! SignerListSet
//! (<https://xrpl.org/docs/references/protocol/transactions/types/signerlistset>): names the
//! three of whom two sign with the modifier `multisign`, and takes the list away.

use xrpl_protocol::{
    AccountId, Object, Value,
    fields::{ACCOUNT, SIGNER_ENTRIES, SIGNER_ENTRY, SIGNER_QUORUM, SIGNER_WEIGHT},
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

/// How many a list names.
const SIGNERS: usize = 3;

/// The signers of a list, each with its weight.
pub(crate) fn entries(signers: &[(AccountId, u16)]) -> Value {
    let entry = |(id, weight): &(AccountId, u16)| {
        (SIGNER_ENTRY, Object::new().with(ACCOUNT, *id).with(SIGNER_WEIGHT, *weight))
    };
    Value::Array(signers.iter().map(entry).collect())
}

/// Only what sets a list can be wrong in it.
fn plan_with_list(mut plan: Plan, wrong: impl FnOnce(Plan) -> Plan) -> Option<Plan> {
    plan.fields().contains(SIGNER_ENTRIES).then(|| wrong(plan))
}

#[derive(Debug)]
pub(super) struct SignerListSet;

static ABOUT: About = About {
    name: "SignerListSet",
    family: "Accounts",
    modifiers: Modifier::OWN,
    mutations: &[
        Mutation::new("a quorum that nobody reaches", &["temBAD_QUORUM"], |_, plan| {
            plan_with_list(plan, |plan| plan.with(SIGNER_QUORUM, 4u32))
        }),
        Mutation::new("quorum 0 with signers", &["temMALFORMED"], |_, plan| {
            plan_with_list(plan, |plan| plan.with(SIGNER_QUORUM, 0u32))
        }),
        Mutation::new("a signer without weight", &["temBAD_WEIGHT"], |planner, plan| {
            let signers = [planner.other_user().ok()?].map(|other| (planner.id(other), 0));
            plan_with_list(plan, |plan| plan.with(SIGNER_ENTRIES, entries(&signers)))
        }),
        Mutation::new("itself among its signers", &["temBAD_SIGNER"], |planner, plan| {
            let signers = [(planner.me().id, 2)];
            plan_with_list(plan, |plan| plan.with(SIGNER_ENTRIES, entries(&signers)))
        }),
        Mutation::new("a signer twice", &["temBAD_SIGNER"], |planner, plan| {
            let signers = [(planner.other_id().ok()?, 1); 2];
            plan_with_list(plan, |plan| plan.with(SIGNER_ENTRIES, entries(&signers)))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for SignerListSet {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.node_is_calm()?;
        let list = planner.free(object_id::signer_list(planner.me().id))?;
        let has = planner.world.objects.get(list).is_some();
        let plan = Plan::new("SignerListSet").holding(list);
        // Those of a bridge's door are its witnesses.
        let door = planner.world.objects.owned(Kind::Bridge, planner.sender).next().is_some();
        if has && !door && planner.one_in(4) {
            planner.afford(0, 0)?;
            return Ok(plan.with(SIGNER_QUORUM, 0u32));
        }
        let mut signers = Vec::new();
        for _ in 0..SIGNERS * 4 {
            let other = (planner.other_id()?, 1);
            if !signers.contains(&other) && signers.len() < SIGNERS {
                signers.push(other);
            }
        }
        if signers.len() < SIGNERS {
            return Err(Wait::Until("there are too few other users"));
        }
        planner.afford(0, 1)?;
        Ok(plan.with(SIGNER_QUORUM, 2u32).with(SIGNER_ENTRIES, entries(&signers)).owning(1))
    }
}
