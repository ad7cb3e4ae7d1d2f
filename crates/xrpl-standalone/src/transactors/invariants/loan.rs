use xrpl_protocol::fields;

use super::{Invariant, Outcome, Touched};
use crate::ledger::{
    entry_type::LOAN,
    helpers::{
        account_root::flags_of,
        loan::{flag, rate, schedule::State},
        number,
    },
};

/// A loan without payments left is paid, one with payments left is not, and no amount is negative.
#[derive(Default)]
pub(super) struct ValidLoan {
    broken: Option<&'static str>,
}

impl Invariant for ValidLoan {
    fn visit(&mut self, touched: &Touched<'_>) {
        let Some(loan) = touched.after_of(LOAN) else { return };
        let State { value, principal, fee, .. } = State::of(loan);
        let paid = value.is_zero() && principal.is_zero() && fee.is_zero();
        let done = rate(loan, fields::PAYMENT_REMAINING) == 0;
        let may_overpay = |loan| flags_of(loan) & flag::OVERPAYMENT != 0;
        let get = |field| number::get(loan, field);
        let amounts = [
            value,
            principal,
            fee,
            get(fields::LOAN_SERVICE_FEE),
            get(fields::LATE_PAYMENT_FEE),
            get(fields::CLOSE_PAYMENT_FEE),
        ];
        if done && !paid {
            self.broken = Some("a loan without payments left is not paid");
        } else if !done && paid {
            self.broken = Some("a loan that is paid has payments left");
        } else if touched.before.is_some_and(|before| may_overpay(before) != may_overpay(loan)) {
            self.broken = Some("whether a loan may be overpaid changed");
        } else if amounts.iter().any(|amount| amount.signum() < 0) {
            self.broken = Some("an amount of a loan is negative");
        } else if get(fields::PERIODIC_PAYMENT).signum() <= 0 {
            self.broken = Some("a loan's payment is nothing");
        }
    }

    fn judge(&self, _outcome: &Outcome<'_>) -> Result<(), &'static str> {
        self.broken.map_or(Ok(()), Err)
    }
}
