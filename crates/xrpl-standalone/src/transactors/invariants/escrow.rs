use xrpl_protocol::{Amount, Object, fields};

use super::{Invariant, Outcome, Touched};
use crate::ledger::{amendment, entry_type, genesis::TOTAL_COINS, helpers::BAD_CURRENCY};

/// Escrows hold something, and what MPTs say of what is locked is possible.
#[derive(Default)]
pub(super) struct NoZeroEscrow {
    bad: bool,
}

fn is_bad(escrow: &Object) -> bool {
    match escrow.amount(fields::AMOUNT) {
        Some(Amount::Xrp(drops)) => {
            drops <= 0 || u64::try_from(drops).is_ok_and(|drops| drops >= TOTAL_COINS)
        }
        Some(Amount::Issued { value, currency, .. }) => {
            value.signum() <= 0 || currency == BAD_CURRENCY
        }
        Some(Amount::Mpt { value, .. }) => value <= 0,
        None => true,
    }
}

impl Invariant for NoZeroEscrow {
    fn visit(&mut self, touched: &Touched<'_>) {
        self.bad |= touched.before_of(entry_type::ESCROW).is_some_and(is_bad)
            || touched.after_of(entry_type::ESCROW).is_some_and(is_bad);
        let too_large = |entry: &Object, field| {
            entry.u64(field).is_some_and(|amount| i64::try_from(amount).is_err())
        };
        if let Some(issuance) = touched.after_of(entry_type::MPTOKEN_ISSUANCE) {
            self.bad |= too_large(issuance, fields::OUTSTANDING_AMOUNT);
            if let Some(locked) = issuance.u64(fields::LOCKED_AMOUNT) {
                self.bad |= too_large(issuance, fields::LOCKED_AMOUNT);
                let outstanding = issuance.u64(fields::OUTSTANDING_AMOUNT).unwrap_or_default();
                // Before, this alone counted.
                let keeps = touched.rules.enabled(amendment::FIX_CLEANUP_3_1_3);
                self.bad = outstanding < locked || (self.bad && keeps);
            }
        }
        if let Some(holding) = touched.after_of(entry_type::MPTOKEN) {
            self.bad |=
                too_large(holding, fields::MPT_AMOUNT) || too_large(holding, fields::LOCKED_AMOUNT);
        }
    }

    fn judge(&self, _: &Outcome<'_>) -> Result<(), &'static str> {
        if self.bad { Err("an escrow with an impossible amount") } else { Ok(()) }
    }
}
