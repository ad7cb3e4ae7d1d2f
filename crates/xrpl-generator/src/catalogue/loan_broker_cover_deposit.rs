//! LoanBrokerCoverDeposit
//! (<https://xrpl.org/docs/references/protocol/transactions/types/loanbrokercoverdeposit>): what pays a
//! part of loans that are lost.

use xrpl_protocol::{Amount, Issue, IssuedValue, fields::{AMOUNT, LOAN_BROKER_ID}};

use super::{
    About, TransactionType,
    lending::{Broker, no_broker, unknown_broker},
};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    plan::{Plan, Wait, drops},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct LoanBrokerCoverDeposit;

static ABOUT: About = About {
    name: "LoanBrokerCoverDeposit",
    family: "Lending",
    weight: 3,
    amendment: Some("LendingProtocol"),
    variants: &["XRP", "a currency"],
    modifiers: Modifier::ALONE,
    mutations: &[
        Mutation::new("nothing", &["temBAD_AMOUNT"], |_, plan| Some(plan.with(AMOUNT, drops(0)))),
        Mutation::new("another asset", &["tecWRONG_ASSET"], |planner, plan| {
            Some(plan.with(AMOUNT, planner.unheld(IssuedValue::ONE).ok()?))
        }),
        no_broker(),
        unknown_broker(),
    ],
    ..About::TYPE
};

impl TransactionType for LoanBrokerCoverDeposit {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let broker = Broker::own(planner, |_| true)?;
        let (amount, variant) = match broker.asset {
            Issue::Issued { currency, issuer } => {
                let value = planner.small_value()?;
                (Amount::issued(value, currency, issuer), "a currency")
            }
            _ => (drops(100_000 + planner.below(1_000_000)), "XRP"),
        };
        let plan = Plan::new("LoanBrokerCoverDeposit")
            .with(LOAN_BROKER_ID, broker.entry.id)
            .with(AMOUNT, amount)
            .holding(broker.entry.id)
            .variant(variant);
        planner.paying(plan, amount)
    }
}
