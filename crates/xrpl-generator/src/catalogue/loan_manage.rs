//! LoanManage (<https://xrpl.org/docs/references/protocol/transactions/types/loanmanage>): who lent says
//! that a loan will hardly be paid, that it will be after all, or that it is lost.

use xrpl_protocol::Issue;

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

const TF_LOAN_DEFAULT: u32 = 0x0001_0000;
const TF_LOAN_IMPAIR: u32 = 0x0002_0000;
const TF_LOAN_UNIMPAIR: u32 = 0x0004_0000;
const LSF_LOAN_IMPAIRED: u32 = 0x0002_0000;

#[derive(Debug)]
pub(super) struct LoanManage;

static ABOUT: About = About {
    name: "LoanManage",
    family: "Lending",
    weight: 3,
    amendment: Some("LendingProtocol"),
    variants: &["impaired", "unimpaired", "defaulted"],
    modifiers: Modifier::ALONE,
    mutations: &[
        Mutation::new("impaired and not", &["temINVALID_FLAG"], |_, plan| {
            Some(plan.flagged(TF_LOAN_IMPAIR | TF_LOAN_UNIMPAIR))
        }),
        no_loan(),
        unknown_loan(),
    ],
    ..About::TYPE
};

impl TransactionType for LoanManage {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let world = planner.world;
        let own = Loan::lent(planner, |loan| {
            let free = [loan.broker.entry.id, loan.broker.vault.id];
            let free = free.iter().all(|id| !world.objects.is_held(*id));
            // What is impaired of an issued currency is rounded, and xrpld may take it back no more
            // (`tefBAD_LEDGER`).
            let whole = loan.broker.asset == Issue::Xrp;
            loan.remaining() > 0 && free && whole
        });
        let loan = own.map_err(|_| Wait::First("LoanSet"))?;
        let over = loan.due().is_some_and(|(_, end)| planner.has_passed(end));
        let (flags, variant) = if over {
            (TF_LOAN_DEFAULT, "defaulted")
        } else if loan.entry.flags() & LSF_LOAN_IMPAIRED != 0 {
            (TF_LOAN_UNIMPAIR, "unimpaired")
        } else {
            (TF_LOAN_IMPAIR, "impaired")
        };
        let plan = loan.plan("LoanManage").flagged(flags).variant(variant);
        Ok(plan.holding(loan.broker.entry.id).holding(loan.broker.vault.id))
    }
}
