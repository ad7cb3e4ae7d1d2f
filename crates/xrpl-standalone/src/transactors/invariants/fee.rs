use super::{Invariant, Outcome, Touched};
use crate::ledger::genesis::TOTAL_COINS;

/// No fee is negative, larger than all XRP, or larger than the transaction allows.
#[derive(Default)]
pub(super) struct TransactionFee;

impl Invariant for TransactionFee {
    fn visit(&mut self, _: &Touched<'_>) {}

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        match u64::try_from(outcome.fee) {
            Err(_) => Err("the fee is negative"),
            Ok(fee) if fee >= TOTAL_COINS => Err("the fee exceeds all XRP"),
            Ok(_) if outcome.fee > outcome.tx.fee.unwrap_or(0) => {
                Err("the fee is larger than the transaction allows")
            }
            Ok(_) => Ok(()),
        }
    }
}
