//! PaymentChannelFund
//! (<https://xrpl.org/docs/references/protocol/transactions/types/paymentchannelfund>).

use xrpl_protocol::fields::{self, AMOUNT, CHANNEL};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait, drops},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct PaymentChannelFund;

static ABOUT: About = About {
    name: "PaymentChannelFund",
    family: "Payment channels",
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("amount 0", &["temBAD_AMOUNT"], |_, plan| Some(plan.with(AMOUNT, drops(0)))),
        Mutation::new("a channel that there is not", &["tecNO_ENTRY"], |planner, plan| {
            Some(plan.with(CHANNEL, planner.nothing()))
        }),
        Mutation::new("no channel", &["temMALFORMED"], |_, plan| {
            Some(plan.with(CHANNEL, xrpl_protocol::Hash256::ZERO))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for PaymentChannelFund {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let amount = 1 + planner.below(100_000);
        planner.afford(amount, 0)?;
        let channel = planner.own(Kind::PayChannel, |channel| !channel.has(fields::EXPIRATION));
        let channel = channel.map_err(|_| Wait::First("PaymentChannelCreate"))?;
        let plan = Plan::new("PaymentChannelFund").with(CHANNEL, channel.id);
        Ok(plan.with(AMOUNT, drops(amount)).spending(amount).holding(channel.id))
    }
}
