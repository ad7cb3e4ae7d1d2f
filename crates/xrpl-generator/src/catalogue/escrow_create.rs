//! EscrowCreate
//! (<https://xrpl.org/docs/references/protocol/transactions/types/escrowcreate>): XRP or an issued
//! currency, held until a time or until somebody knows a secret.

use xrpl_protocol::fields::{AMOUNT, CANCEL_AFTER, CONDITION, DESTINATION, FINISH_AFTER};

use super::{
    About, TransactionType,
    secrets::{SECRETS, condition, preimage},
};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait, drops},
    planner::Planner,
    world::IssuedMove,
};

/// How many an account has.
const MOST: usize = 8;
const LSF_ALLOW_TRUST_LINE_LOCKING: u32 = 0x4000_0000;

#[derive(Debug)]
pub(super) struct EscrowCreate;

static ABOUT: About = About {
    name: "EscrowCreate",
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("neither time nor condition", &["temMALFORMED"], |planner, plan| {
            let cancel = planner.later() + 9;
            let plan = plan.without(FINISH_AFTER).without(CONDITION);
            Some(plan.with(CANCEL_AFTER, cancel))
        }),
        Mutation::new("no time at all", &["temBAD_EXPIRATION"], |_, plan| {
            Some(plan.without(FINISH_AFTER).without(CANCEL_AFTER))
        }),
        Mutation::new("cancelled before it is finished", &["temBAD_EXPIRATION"], |planner, plan| {
            let time = planner.later();
            Some(plan.with(FINISH_AFTER, time + 9).with(CANCEL_AFTER, time))
        }),
        Mutation::new("amount 0", &["temBAD_AMOUNT"], |_, plan| Some(plan.with(AMOUNT, drops(0)))),
        Mutation::new("to nobody", &["tecNO_DST"], |planner, plan| {
            Some(plan.with(DESTINATION, planner.nobody()))
        }),
        Mutation::new("a time that has passed", &["tecNO_PERMISSION"], |planner, plan| {
            let passed = planner.world.close_time.checked_sub(60)?;
            plan.holds.issued.is_empty().then(|| plan.with(FINISH_AFTER, passed))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for EscrowCreate {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.fewer(Kind::Escrow, MOST)?;
        let other = planner.other_user()?;
        let later = planner.later();
        let room = planner.below(60) as u32;
        let mut plan = Plan::new("EscrowCreate").with(DESTINATION, planner.id(other)).owning(1);
        if planner.one_in(3) {
            plan = plan.with(FINISH_AFTER, later).with(CANCEL_AFTER, later + 60 + room);
        } else {
            let which = planner.below(SECRETS.into()) as u8;
            let condition = condition(&preimage(planner, planner.sender, which));
            // Half of them are not finished in time.
            let soon = planner.one_in(2);
            let cancel = if soon { later + room } else { later + 600 };
            plan = plan.with(CONDITION, condition).with(CANCEL_AFTER, cancel);
        }
        let lockable = planner.asset().ok().filter(|asset| {
            let gateway = planner.world.assets[usize::from(*asset)].gateway;
            planner.world.accounts[gateway].flags & LSF_ALLOW_TRUST_LINE_LOCKING != 0
        });
        if let Some(asset) = lockable
            && planner.one_in(4)
        {
            let value = planner.small_value()?;
            planner.afford(0, 1)?;
            planner.holds(planner.sender, asset, value)?;
            let from = Some(planner.sender);
            plan.holds.issued.push(IssuedMove { asset, from, to: None, value });
            let amount = planner.world.assets[usize::from(asset)].amount(value);
            return Ok(plan.with(AMOUNT, amount).variant("issued"));
        }
        let amount = 1 + planner.below(1_000_000);
        planner.afford(amount, 1)?;
        Ok(plan.with(AMOUNT, drops(amount)).spending(amount).variant("XRP"))
    }
}
