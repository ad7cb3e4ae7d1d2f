//! Checks after each transaction that what it did makes sense at all. A failure is a bug here, and
//! must not get into a ledger.

use xrpl_protocol::fields;

use super::account_root::{balance_of, sequence_of};
use crate::ledger::{
    ReadView, Sandbox, entry_type, genesis::TOTAL_COINS, sandbox::Action, view::drops,
};

/// No XRP comes from nowhere, no balance is impossible, accounts start as they should.
pub(super) fn hold(view: &Sandbox<'_>, fee: i64) -> bool {
    let mut change: i128 = 0;
    for (_, action, before, after) in view.visit() {
        let kind = entry_type::of(after);
        if before.as_ref().is_some_and(|before| entry_type::of(before) != kind) {
            return false;
        }
        let field = match kind {
            entry_type::ACCOUNT_ROOT => fields::BALANCE,
            // Entries that hold XRP of their own.
            entry_type::ESCROW | entry_type::PAY_CHANNEL => fields::AMOUNT,
            _ => continue,
        };
        if let Some(before) = &before {
            change -= i128::from(drops(before, field));
        }
        if action != Action::Erase {
            let now = drops(after, field);
            change += i128::from(now);
            if now < 0 || u64::try_from(now).is_ok_and(|now| now > TOTAL_COINS) {
                return false;
            }
        }
        if kind == entry_type::ACCOUNT_ROOT && action == Action::Insert {
            let fresh = sequence_of(after) == view.info().index || sequence_of(after) == 0;
            if !fresh || balance_of(after) < 0 {
                return false;
            }
        }
    }
    change == -i128::from(fee)
}
