//! LoanBrokerSet (<https://xrpl.org/docs/references/protocol/transactions/types/loanbrokerset>): the
//! owner of a vault begins to lend from it, or changes how much at most.

use xrpl_protocol::{
    Decimal,
    fields::{
        COVER_RATE_LIQUIDATION, COVER_RATE_MINIMUM, DATA, DEBT_MAXIMUM, LOAN_BROKER_ID,
        MANAGEMENT_FEE_RATE, VAULT_ID,
    },
};

use super::{
    About, TransactionType,
    lending::{Broker, with_number},
};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait},
    planner::Planner,
};

/// How many an account has.
const MOST: usize = 2;

#[derive(Debug)]
pub(super) struct LoanBrokerSet;

static ABOUT: About = About {
    name: "LoanBrokerSet",
    family: "Lending",
    weight: 2,
    amendment: Some("LendingProtocol"),
    variants: &["new", "changing"],
    modifiers: Modifier::ALONE,
    mutations: &[
        Mutation::new("a vault of zeros", &["temINVALID"], |_, plan| {
            Some(plan.with(VAULT_ID, xrpl_protocol::Hash256::ZERO))
        }),
        Mutation::new("a fee above 10 %", &["temINVALID"], |_, plan| {
            Some(plan.with(MANAGEMENT_FEE_RATE, 10_001u16))
        }),
        Mutation::new("a cover above 100 %", &["temINVALID"], |_, plan| {
            let plan = plan.with(COVER_RATE_MINIMUM, 100_001u32);
            Some(plan.with(COVER_RATE_LIQUIDATION, 1u32))
        }),
        Mutation::new("a vault that there is not", &["tecNO_ENTRY"], |planner, plan| {
            Some(plan.with(VAULT_ID, planner.nothing()))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for LoanBrokerSet {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let plan = Plan::new("LoanBrokerSet");
        let enough = planner.fewer(Kind::LoanBroker, MOST).is_err();
        if (enough || planner.one_in(3))
            && let Ok(broker) = Broker::own(planner, |_| true)
        {
            planner.afford(0, 0)?;
            // As much as anybody wants, or far more than is owed.
            let most = if planner.one_in(2) { 0 } else { 1_000_000_000_000i64 };
            let plan = plan
                .with(VAULT_ID, broker.vault.id)
                .with(LOAN_BROKER_ID, broker.entry.id)
                .with(DATA, planner.below(1 << 32).to_be_bytes().to_vec());
            let plan = with_number(plan, DEBT_MAXIMUM, Decimal::from(most));
            return Ok(plan.holding(broker.entry.id).variant("changing"));
        }
        planner.fewer(Kind::LoanBroker, MOST)?;
        // The broker, and its account.
        planner.afford(0, 2)?;
        let vault = planner.own(Kind::Vault, |_| true).map_err(|_| Wait::First("VaultCreate"))?;
        let mut plan = plan.with(VAULT_ID, vault.id).holding(vault.id).owning(2);
        if planner.one_in(2) {
            // A tenth of what is lent is covered, of which half is paid where it is lost.
            plan = plan.with(COVER_RATE_MINIMUM, 10_000u32).with(COVER_RATE_LIQUIDATION, 50_000u32);
        }
        let fee = planner.one_in(2).then_some(1_000u16);
        Ok(plan.with_some(MANAGEMENT_FEE_RATE, fee).variant("new"))
    }
}
