use xrpl_protocol::{Amount, Object, fields};

use super::{Invariant, Outcome, Touched};
use crate::ledger::{entry_type::ACCOUNT_ROOT, genesis::TOTAL_COINS};

/// Accounts have between nothing and all XRP.
#[derive(Default)]
pub(super) struct XrpBalances {
    bad: bool,
}

fn is_bad(root: &Object) -> bool {
    match root.amount(fields::BALANCE) {
        Some(Amount::Xrp(drops)) => !u64::try_from(drops).is_ok_and(|drops| drops <= TOTAL_COINS),
        _ => true,
    }
}

impl Invariant for XrpBalances {
    fn visit(&mut self, touched: &Touched<'_>) {
        self.bad |= touched.before_of(ACCOUNT_ROOT).is_some_and(is_bad)
            || touched.after_of(ACCOUNT_ROOT).is_some_and(is_bad);
    }

    fn judge(&self, _: &Outcome<'_>) -> Result<(), &'static str> {
        if self.bad { Err("an account's XRP balance is impossible") } else { Ok(()) }
    }
}
