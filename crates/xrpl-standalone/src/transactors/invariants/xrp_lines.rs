use xrpl_protocol::{Issue, fields};

use super::{Invariant, Outcome, Touched};
use crate::ledger::{amendment, entry_type::RIPPLE_STATE};

/// No trust line is for XRP.
#[derive(Default)]
pub(super) struct NoXrpTrustLines {
    xrp: bool,
}

impl Invariant for NoXrpTrustLines {
    fn visit(&mut self, touched: &Touched<'_>) {
        if let Some(line) = touched.after_of(RIPPLE_STATE) {
            let xrp = [fields::LOW_LIMIT, fields::HIGH_LIMIT]
                .into_iter()
                .any(|limit| line.amount(limit).is_none_or(|limit| limit.issue() == Issue::Xrp));
            // Before, only the last line counted.
            self.xrp = xrp || (self.xrp && touched.rules.enabled(amendment::FIX_CLEANUP_3_1_3));
        }
    }

    fn judge(&self, _: &Outcome<'_>) -> Result<(), &'static str> {
        if self.xrp { Err("a trust line for XRP") } else { Ok(()) }
    }
}
