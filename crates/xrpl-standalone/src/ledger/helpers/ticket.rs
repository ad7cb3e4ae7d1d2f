//! Tickets.

use xrpl_protocol::{AccountId, EngineResult, Hash256, fields, object_id};

use super::owned;
use crate::ledger::view::{ApplyView, Ter};

/// Deletes a Ticket, used or not.
///
/// # Errors
/// `tefBAD_LEDGER`.
pub fn delete(view: &mut dyn ApplyView, account: AccountId, key: &Hash256) -> Ter {
    let bad = EngineResult::TEF_BAD_LEDGER;
    if !view.exists(key) {
        return Err(bad);
    }
    let root = view.get_mut(&object_id::account_root(account)).ok_or(bad)?;
    match root.u32(fields::TICKET_COUNT) {
        Some(0 | 1) => {
            root.remove(fields::TICKET_COUNT);
        }
        Some(n) => root.set(fields::TICKET_COUNT, (n - 1).into()),
        None => return Err(bad),
    }
    owned::delete(view, account, key, 1, true)
}
