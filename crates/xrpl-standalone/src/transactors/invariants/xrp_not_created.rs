use xrpl_protocol::{Object, fields};

use super::{Invariant, Outcome, Touched};
use crate::ledger::{entry_type, view::drops};

/// XRP neither appears nor vanishes, but for the fee.
#[derive(Default)]
pub(super) struct XrpNotCreated {
    change: i128,
}

/// XRP that an entry holds.
fn held(kind: u16, entry: &Object) -> i128 {
    let of = |field| i128::from(drops(entry, field));
    match kind {
        entry_type::ACCOUNT_ROOT => of(fields::BALANCE),
        entry_type::PAY_CHANNEL => of(fields::AMOUNT) - of(fields::BALANCE),
        entry_type::ESCROW => of(fields::AMOUNT),
        _ => 0,
    }
}

impl Invariant for XrpNotCreated {
    fn visit(&mut self, touched: &Touched<'_>) {
        if let Some(before) = touched.before {
            self.change -= held(entry_type::of(before), before);
        }
        // A deleted account's XRP has been moved before; what a deleted escrow or channel says it
        // holds has not been written down.
        if !touched.deleted || touched.kind == entry_type::ACCOUNT_ROOT {
            self.change += held(touched.kind, touched.after);
        }
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        if self.change > 0 {
            return Err("XRP was created");
        }
        let fits = -self.change == i128::from(outcome.fee);
        if fits { Ok(()) } else { Err("the change of all XRP is not the fee") }
    }
}
