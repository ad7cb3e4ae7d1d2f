//! LoanBrokerCoverClawback
//! (<https://xrpl.org/docs/references/protocol/transactions/types/loanbrokercoverclawback>): a gateway
//! takes back what it issued.

use xrpl_protocol::{
    Amount, Decimal, Issue, IssuedValue,
    fields::{AMOUNT, LOAN_BROKER_ID},
};

use super::{
    About, TransactionType,
    lending::{Broker, no_broker},
};
use crate::{
    accounts::Role,
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait},
    planner::Planner,
};

const LSF_ALLOW_TRUST_LINE_CLAWBACK: u32 = 0x8000_0000;

#[derive(Debug)]
pub(super) struct LoanBrokerCoverClawback;

static ABOUT: About = About {
    name: "LoanBrokerCoverClawback",
    family: "Lending",
    weight: 14,
    roles: &[Role::Gateway],
    amendment: Some("LendingProtocol"),
    modifiers: Modifier::ALONE,
    mutations: &[
        Mutation::new("of nobody, and nothing", &["temINVALID"], |_, plan| {
            Some(plan.without(AMOUNT).without(LOAN_BROKER_ID))
        }),
        no_broker(),
        Mutation::new("of a broker of XRP", &["tecNO_PERMISSION"], |planner, plan| {
            let of_xrp = Broker::any(planner, |broker| broker.asset == Issue::Xrp).ok()?;
            // It stays until then.
            let plan = plan.with(LOAN_BROKER_ID, of_xrp.entry.id).without(AMOUNT);
            Some(plan.holding(of_xrp.entry.id))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for LoanBrokerCoverClawback {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        if planner.me().flags & LSF_ALLOW_TRUST_LINE_CLAWBACK == 0 {
            return Err(Wait::Never("it has promised its holders not to"));
        }
        let me = planner.me().id;
        let broker = Broker::any(planner, |broker| {
            let own = matches!(broker.asset, Issue::Issued { issuer, .. } if issuer == me);
            own && broker.spare_cover() > Decimal::from(1)
        })?;
        let Issue::Issued { currency, issuer } = broker.asset else {
            return Err(Wait::Object(Kind::LoanBroker));
        };
        let some = IssuedValue::new(1, -2).map_err(|_| Wait::Never("there is no such value"))?;
        Ok(Plan::new("LoanBrokerCoverClawback")
            .with(LOAN_BROKER_ID, broker.entry.id)
            .with(AMOUNT, Amount::issued(some, currency, issuer))
            .holding(broker.entry.id))
    }
}
