use xrpl_protocol::{Field, fields};

use super::{Invariant, Outcome, Touched};
use crate::ledger::{ReadView, amendment, entry_type};

const LOAN_BROKER: &[Field] = &[
    fields::SEQUENCE,
    fields::OWNER_NODE,
    fields::VAULT_NODE,
    fields::VAULT_ID,
    fields::ACCOUNT,
    fields::OWNER,
    fields::MANAGEMENT_FEE_RATE,
    fields::COVER_RATE_MINIMUM,
    fields::COVER_RATE_LIQUIDATION,
];
const LOAN: &[Field] = &[
    fields::SEQUENCE,
    fields::OWNER_NODE,
    fields::LOAN_BROKER_NODE,
    fields::LOAN_BROKER_ID,
    fields::BORROWER,
    fields::LOAN_ORIGINATION_FEE,
    fields::LOAN_SERVICE_FEE,
    fields::LATE_PAYMENT_FEE,
    fields::CLOSE_PAYMENT_FEE,
    fields::OVERPAYMENT_FEE,
    fields::INTEREST_RATE,
    fields::LATE_INTEREST_RATE,
    fields::CLOSE_INTEREST_RATE,
    fields::OVERPAYMENT_INTEREST_RATE,
    fields::START_DATE,
    fields::PAYMENT_INTERVAL,
    fields::GRACE_PERIOD,
    fields::LOAN_SCALE,
];

/// Fields that say what an entry is stay as they are.
#[derive(Default)]
pub(super) struct NoModifiedUnmodifiableFields {
    bad: bool,
}

impl Invariant for NoModifiedUnmodifiableFields {
    fn visit(&mut self, touched: &Touched<'_>) {
        let Some(before) = touched.before.filter(|_| !touched.deleted) else { return };
        let own = match touched.kind {
            entry_type::LOAN_BROKER => LOAN_BROKER,
            entry_type::LOAN => LOAN,
            _ => &[],
        };
        let fixed = [fields::LEDGER_ENTRY_TYPE, fields::LEDGER_INDEX];
        self.bad |=
            fixed.iter().chain(own).any(|field| before.get(*field) != touched.after.get(*field));
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        let enforced = outcome.view.rules().enabled(amendment::LENDING_PROTOCOL);
        if self.bad && enforced { Err("a field that never changes was changed") } else { Ok(()) }
    }
}
