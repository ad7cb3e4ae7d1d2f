use xrpl_protocol::{Amount, Issue, fields};

use super::{Invariant, Outcome, Touched};
use crate::ledger::{
    ReadView, amendment, entry_type,
    helpers::token::{IfFrozen, IfUnauthorized, Spendable, account_holds},
};

const CLAWBACK: u16 = 30;

/// A Clawback changes one holding, and does not take more than was there.
#[derive(Default)]
pub(super) struct ValidClawback {
    lines: usize,
    mptokens: usize,
}

impl Invariant for ValidClawback {
    fn visit(&mut self, touched: &Touched<'_>) {
        let was = |kind| usize::from(touched.before_of(kind).is_some());
        self.lines += was(entry_type::RIPPLE_STATE);
        self.mptokens += was(entry_type::MPTOKEN);
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        if outcome.tx.kind != CLAWBACK {
            return Ok(());
        }
        if !outcome.succeeded() {
            let changed = self.lines != 0 || self.mptokens != 0;
            return if changed { Err("a failed Clawback changed a holding") } else { Ok(()) };
        }
        if self.lines > 1 || self.mptokens > 1 {
            return Err("a Clawback changed several holdings");
        }
        let counts_mpts = outcome.view.rules().enabled(amendment::MPTOKENS_V2);
        if self.lines != 1 && !(counts_mpts && self.mptokens == 1) {
            return Ok(());
        }
        // The holder stands where the issuer usually does.
        let (holder, issue) = match outcome.tx.object.amount(fields::AMOUNT) {
            Some(Amount::Issued { currency, issuer: holder, .. }) => {
                (holder, Issue::Issued { currency, issuer: outcome.tx.account })
            }
            Some(Amount::Mpt { id, .. }) => (id.issuer(), Issue::Mpt(id)),
            _ => return Ok(()),
        };
        let (frozen, unauthorized) = (IfFrozen::Ignore, IfUnauthorized::Ignore);
        let held =
            account_holds(outcome.view, holder, issue, frozen, unauthorized, Spendable::Simple);
        if held.signum() < 0 { Err("a Clawback left a negative balance") } else { Ok(()) }
    }
}
