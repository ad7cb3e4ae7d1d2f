use super::{Invariant, Outcome, Touched};
use crate::{
    ledger::{ReadView, amendment},
    transactors::preflight::has_invalid_amount,
};

/// No entry has more XRP in it than there is.
#[derive(Default)]
pub(super) struct ValidAmounts {
    bad: bool,
}

impl Invariant for ValidAmounts {
    fn visit(&mut self, touched: &Touched<'_>) {
        self.bad |= !touched.deleted && has_invalid_amount(touched.after, 0);
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        let enforced = outcome.view.rules().enabled(amendment::FIX_CLEANUP_3_2_0);
        if self.bad && enforced { Err("an entry has an impossible amount") } else { Ok(()) }
    }
}
