//! LoanPay (<https://xrpl.org/docs/references/protocol/transactions/types/loanpay>): what is due, what
//! was due, all of it, or more than is due.

use xrpl_protocol::{
    Amount, Decimal, IssuedValue,
    fields::{self, AMOUNT},
};

use super::{
    About, TransactionType,
    lending::{Loan, at_least, no_loan, unknown_loan},
};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait, drops},
    planner::Planner,
};

const TF_LOAN_OVERPAYMENT: u32 = 0x0001_0000;
const TF_LOAN_FULL_PAYMENT: u32 = 0x0002_0000;
const TF_LOAN_LATE_PAYMENT: u32 = 0x0004_0000;
const LSF_LOAN_IMPAIRED: u32 = 0x0002_0000;
const LSF_LOAN_OVERPAYMENT: u32 = 0x0004_0000;

#[derive(Debug)]
pub(super) struct LoanPay;

static ABOUT: About = About {
    name: "LoanPay",
    family: "Lending",
    weight: 6,
    amendment: Some("LendingProtocol"),
    variants: &["regular", "late", "full", "overpayment"],
    modifiers: Modifier::ALONE,
    mutations: &[
        Mutation::new("nothing", &["temBAD_AMOUNT"], |_, plan| Some(plan.with(AMOUNT, drops(0)))),
        Mutation::new("in two ways", &["temINVALID_FLAG"], |_, plan| {
            Some(plan.flagged(TF_LOAN_FULL_PAYMENT | TF_LOAN_LATE_PAYMENT))
        }),
        Mutation::new("another asset", &["tecWRONG_ASSET"], |planner, plan| {
            Some(plan.with(AMOUNT, planner.unheld(IssuedValue::ONE).ok()?))
        }),
        no_loan(),
        unknown_loan(),
    ],
    ..About::TYPE
};

/// How a loan is paid at the moment: with which flag, how much, and what that is called.
fn payment(planner: &mut Planner<'_>, loan: &Loan<'_>) -> Option<(u32, Amount, &'static str)> {
    let (due, _) = loan.due()?;
    let number = |field| loan.entry.decimal(field);
    let owed = number(fields::TOTAL_VALUE_OUTSTANDING);
    let periodic = number(fields::PERIODIC_PAYMENT);
    // The last one takes all that is left, and rounding may have left more than the others take.
    let due_now = if loan.remaining() == 1 && owed > periodic { owed } else { periodic };
    let regular = due_now + number(fields::LOAN_SERVICE_FEE);
    let impaired = loan.entry.flags() & LSF_LOAN_IMPAIRED != 0;
    let some = Decimal::from(1 + planner.below(5) as i64);
    let (flags, value, variant) = if impaired {
        // It is not any more with the payment, which is due an interval later then.
        (0, regular, "regular")
    } else if planner.has_passed(due) {
        // What is late costs more: twice as much suffices for what a run lasts.
        (TF_LOAN_LATE_PAYMENT, regular * Decimal::from(2) + number(fields::LATE_PAYMENT_FEE), "late")
    } else if !planner.is_ahead(Some(due)) {
        return None;
    } else if loan.remaining() > 1 && planner.one_in(4) {
        let all = owed * Decimal::from(2) + number(fields::CLOSE_PAYMENT_FEE);
        (TF_LOAN_FULL_PAYMENT, all, "full")
    } else if loan.entry.flags() & LSF_LOAN_OVERPAYMENT != 0 && planner.one_in(2) {
        (TF_LOAN_OVERPAYMENT, regular + owed * some / Decimal::from(10), "overpayment")
    } else {
        (0, regular, "regular")
    };
    Some((flags, at_least(loan.broker.asset, value)?, variant))
}

impl TransactionType for LoanPay {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let open = Loan::own(planner, |loan| loan.remaining() > 0);
        let loan = match planner.world.objects.owned(Kind::Loan, planner.sender).next() {
            None => return Err(Wait::First("LoanSet")),
            Some(_) => open?,
        };
        let soon = Wait::Until("what is due soon is paid once it is late");
        let (flags, amount, variant) = payment(planner, &loan).ok_or(soon)?;
        let plan = loan.plan("LoanPay").with(AMOUNT, amount).flagged(flags).variant(variant);
        planner.paying(plan, amount)
    }
}
