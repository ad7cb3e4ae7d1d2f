//! AccountDelete (<https://xrpl.org/docs/references/protocol/transactions/types/accountdelete>): of
//! accounts that the load has created for it. The ledger has them wait for 256 ledgers.

use xrpl_protocol::fields::{DESTINATION, DESTINATION_TAG};

use super::{About, TransactionType};
use crate::{
    accounts::Role,
    modifier::Modifier,
    mutation::Mutation,
    plan::{Plan, Wait},
    planner::Planner,
};

/// How far a ledger must be from the account's Sequence.
const AGE: u32 = 255;

#[derive(Debug)]
pub(super) struct AccountDelete;

static ABOUT: About = About {
    name: "AccountDelete",
    family: "Accounts",
    roles: &[Role::Passing],
    modifiers: Modifier::BARE,
    mutations: &[
        Mutation::new("to itself", &["temDST_IS_SRC"], |planner, plan| {
            Some(plan.with(DESTINATION, planner.me().id))
        }),
        Mutation::new("to nobody", &["tecNO_DST"], |planner, plan| {
            let nobody = planner.nobody();
            can_try_again(planner).then(|| plan.with(DESTINATION, nobody))
        }),
        Mutation::new("no tag where one is required", &["tecDST_TAG_NEEDED"], |planner, plan| {
            let tagged = &planner.world.accounts[planner.world.accounts.tagged()?];
            let possible = tagged.active && can_try_again(planner);
            possible.then(|| plan.with(DESTINATION, tagged.id).without(DESTINATION_TAG))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

/// Whether it can pay for another one if this one is paid for in vain.
fn can_try_again(planner: &Planner<'_>) -> bool {
    let cost = planner.fees.figures().increment;
    planner.me().xrp.balance >= cost.saturating_mul(2)
}

impl TransactionType for AccountDelete {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.node_is_calm()?;
        // The one that deletes it is in the next ledger at the earliest.
        let old = planner.me().lane.next().0.saturating_add(AGE - 1);
        if planner.world.head.0 < old {
            return Err(Wait::Ledger(old));
        }
        let keys = planner.free(planner.keys_of(planner.sender))?;
        if planner.me().xrp.balance < planner.fees.figures().increment {
            return Err(Wait::Funds);
        }
        let tag = planner.one_in(2).then(|| planner.below(1 << 32) as u32);
        let plan = Plan::new("AccountDelete").with(DESTINATION, planner.other_id()?);
        Ok(plan.with_some(DESTINATION_TAG, tag).holding(keys))
    }
}
