//! Batch (<https://xrpl.org/docs/references/protocol/transactions/types/batch>): payments of one or
//! two accounts, in each of the four modes.

use xrpl_protocol::{
    AccountId, Drops, Object, Value,
    fields::AMOUNT,
    transaction::Payment,
};

use super::{About, TransactionType};
use crate::{
    accounts::Index,
    modifier::Modifier,
    mutation::Mutation,
    plan::{Body, Leg, Plan, Wait, Width, drops},
    planner::Planner,
    world::OthersXrp,
};

/// How much of it must succeed: all, one, until one fails, each by itself.
const MODES: [(u32, &str); 4] = [
    (0x0001_0000, "all or nothing"),
    (0x0002_0000, "only one"),
    (0x0004_0000, "until failure"),
    (0x0008_0000, "independent"),
];

fn leg(account: Index, to: AccountId, amount: u64) -> Leg {
    let mut plan = Plan::payment(Payment::xrp(to, Drops(amount)));
    let body: Object = plan.fields().clone();
    Leg { account, body }
}

#[derive(Debug)]
pub(super) struct Batch;

static ABOUT: About = About {
    name: "Batch",
    family: "Batches",
    amendment: Some("BatchV1_1"),
    variants: &["all or nothing", "only one", "until failure", "independent", "two accounts"],
    modifiers: Modifier::BATCH,
    mutations: &[
        Mutation::new("no mode", &["temINVALID_FLAG"], |_, plan| Some(plan.flagged(0))),
        Mutation::new("two modes", &["temINVALID_FLAG"], |_, plan| {
            Some(plan.flagged(MODES[0].0 | MODES[1].0))
        }),
        Mutation::new("one transaction only", &["temARRAY_EMPTY"], |_, mut plan| {
            let Body::Batch(legs) = &mut plan.body else { return None };
            legs.truncate(1);
            Some(plan)
        }),
        Mutation::new("something malformed within", &["temINVALID_INNER_BATCH"], |_, mut plan| {
            let Body::Batch(legs) = &mut plan.body else { return None };
            legs.iter_mut().for_each(|leg| leg.body.set(AMOUNT, Value::Amount(drops(0))));
            Some(plan)
        }),
    ],
    ..About::TYPE
};

impl TransactionType for Batch {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.node_is_calm()?;
        let (mode, variant) = MODES[planner.below(MODES.len() as u64) as usize];
        let (sender, other) = (planner.sender, planner.other_user()?);
        let amount = 1 + planner.below(1_000);
        let count = 2 + planner.below(2);
        planner.afford(amount * count, 0)?;
        let mut legs: Vec<Leg> = (0..count)
            .map(|n| leg(sender, planner.id(other), amount + n * 1_000))
            .collect();
        // Fees, and what is sent.
        let fees = planner.fees.figures().base * (count + 4);
        planner.afford((amount + 2_000) * count + fees, 0)?;
        let mut others = OthersXrp { account: other, drops: amount, owners: 0 };
        let idle = planner.is_idle(other) && planner.has(other, amount, 0).is_ok();
        let both = planner.one_in(2) && idle;
        if both {
            legs.push(leg(other, planner.me().id, amount));
        } else {
            others.drops = 0;
        }
        let own = count as u32;
        let mut plan = Plan::batch(mode, legs).spending((amount + 2_000) * count);
        plan.width = Width::AtMost(1 + own);
        plan.holds.others.push(others);
        Ok(plan.variant(if both { "two accounts" } else { variant }))
    }
}
