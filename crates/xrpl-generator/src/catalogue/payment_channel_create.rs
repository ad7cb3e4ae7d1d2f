//! PaymentChannelCreate
//! (<https://xrpl.org/docs/references/protocol/transactions/types/paymentchannelcreate>).

use xrpl_protocol::fields::{AMOUNT, DESTINATION, PUBLIC_KEY, SETTLE_DELAY};

use super::{About, TransactionType};
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
pub(super) struct PaymentChannelCreate;

static ABOUT: About = About {
    name: "PaymentChannelCreate",
    family: "Payment channels",
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("amount 0", &["temBAD_AMOUNT"], |_, plan| Some(plan.with(AMOUNT, drops(0)))),
        Mutation::new("to itself", &["temDST_IS_SRC"], |planner, plan| {
            Some(plan.with(DESTINATION, planner.me().id))
        }),
        Mutation::new("to nobody", &["tecNO_DST"], |planner, plan| {
            Some(plan.with(DESTINATION, planner.nobody()))
        }),
        Mutation::new("more than it has", &["tecUNFUNDED"], |_, plan| {
            Some(plan.with(AMOUNT, drops(99_000_000_000_000_000)))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for PaymentChannelCreate {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.fewer(Kind::PayChannel, MOST)?;
        let other = planner.other_id()?;
        let amount = 1_000_000 + planner.below(1_000_000);
        let delay = 1 + planner.below(20) as u32;
        planner.afford(amount, 1)?;
        // Its claims are signed with the account's own key.
        let key = planner.me().key.public_key().0.to_vec();
        Ok(Plan::new("PaymentChannelCreate")
            .with(DESTINATION, other)
            .with(AMOUNT, drops(amount))
            .with(SETTLE_DELAY, delay)
            .with(PUBLIC_KEY, key)
            .spending(amount)
            .owning(1))
    }
}
