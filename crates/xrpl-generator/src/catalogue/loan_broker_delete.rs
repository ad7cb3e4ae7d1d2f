//! LoanBrokerDelete
//! (<https://xrpl.org/docs/references/protocol/transactions/types/loanbrokerdelete>): of one whose loans
//! are all deleted. Its owner gets the cover back.

use xrpl_protocol::fields::{self, LOAN_BROKER_ID};

use super::{
    About, TransactionType,
    lending::{Broker, no_broker, unknown_broker},
};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    plan::{Plan, Wait},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct LoanBrokerDelete;

static ABOUT: About = About {
    name: "LoanBrokerDelete",
    family: "Lending",
    weight: 2,
    amendment: Some("LendingProtocol"),
    modifiers: Modifier::ALONE,
    mutations: &[
        no_broker(),
        unknown_broker(),
        // Its owner may do it first.
        Mutation::new("somebody else's", &["tecNO_PERMISSION", "tecNO_ENTRY"], |planner, plan| {
            let me = planner.sender;
            let others = Broker::any(planner, |broker| broker.owner != me).ok()?;
            Some(plan.with(LOAN_BROKER_ID, others.entry.id))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for LoanBrokerDelete {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let idle = |broker: &Broker<'_>| broker.entry.number(fields::OWNER_COUNT).unwrap_or(0) == 0;
        let broker = Broker::own(planner, idle)?;
        let plan = Plan::new("LoanBrokerDelete").with(LOAN_BROKER_ID, broker.entry.id);
        Ok(plan.holding(broker.entry.id))
    }
}
