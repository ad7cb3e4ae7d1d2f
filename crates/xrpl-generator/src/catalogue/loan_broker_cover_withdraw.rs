//! LoanBrokerCoverWithdraw
//! (<https://xrpl.org/docs/references/protocol/transactions/types/loanbrokercoverwithdraw>): what is not
//! needed, to its owner or to somebody else.

use xrpl_protocol::{
    Decimal, IssuedValue,
    fields::{AMOUNT, DESTINATION, LOAN_BROKER_ID},
};

use super::{
    About, TransactionType,
    lending::{Broker, about, no_broker, unknown_broker},
};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct LoanBrokerCoverWithdraw;

static ABOUT: About = About {
    name: "LoanBrokerCoverWithdraw",
    family: "Lending",
    weight: 2,
    amendment: Some("LendingProtocol"),
    variants: &["to its owner", "to another"],
    modifiers: Modifier::ALONE,
    mutations: &[
        Mutation::new("another asset", &["tecWRONG_ASSET"], |planner, plan| {
            let plan = plan.without(DESTINATION);
            Some(plan.with(AMOUNT, planner.unheld(IssuedValue::ONE).ok()?))
        }),
        no_broker(),
        unknown_broker(),
    ],
    ..About::TYPE
};

impl TransactionType for LoanBrokerCoverWithdraw {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        // A tenth of it is more than nothing with the digits that it has.
        let worth = |broker: &Broker<'_>| broker.spare_cover() > Decimal::from(10);
        let broker = match Broker::own(planner, |broker| worth(broker)) {
            Err(_) if planner.world.objects.owned(Kind::LoanBroker, planner.sender).count() > 0 => {
                return Err(Wait::First("LoanBrokerCoverDeposit"));
            }
            found => found?,
        };
        let tenths = Decimal::from(1 + planner.below(5) as i64) / Decimal::from(10);
        let amount = about(broker.asset, broker.spare_cover() * tenths);
        let plan = Plan::new("LoanBrokerCoverWithdraw")
            .with(LOAN_BROKER_ID, broker.entry.id)
            .with(AMOUNT, amount.ok_or(Wait::Object(Kind::LoanBroker))?)
            .holding(broker.entry.id);
        if planner.one_in(3) {
            let other = planner.other_id()?;
            return Ok(plan.with(DESTINATION, other).variant("to another"));
        }
        Ok(plan.variant("to its owner"))
    }
}
