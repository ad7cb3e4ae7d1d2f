//! LoanDelete (<https://xrpl.org/docs/references/protocol/transactions/types/loandelete>): of what is
//! paid or lost, by who owed it or by who lent it.

use super::{
    About, TransactionType,
    lending::{Loan, no_loan, unknown_loan},
};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    plan::{Plan, Wait},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct LoanDelete;

static ABOUT: About = About {
    name: "LoanDelete",
    family: "Lending",
    weight: 3,
    amendment: Some("LendingProtocol"),
    variants: &["by the borrower", "by the lender"],
    modifiers: Modifier::ALONE,
    mutations: &[no_loan(), unknown_loan(), Mutation::unknown_flag()],
    ..About::TYPE
};

impl TransactionType for LoanDelete {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        if let Ok(loan) = Loan::own(planner, |loan| loan.remaining() == 0) {
            return Ok(loan.plan("LoanDelete").variant("by the borrower"));
        }
        let loan = Loan::lent(planner, |loan| loan.remaining() == 0);
        let loan = loan.map_err(|_| Wait::First("LoanPay"))?;
        Ok(loan.plan("LoanDelete").variant("by the lender"))
    }
}
