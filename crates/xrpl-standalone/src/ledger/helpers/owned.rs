//! Entries that one account owns and that hang in its owner directory.

use xrpl_protocol::{AccountId, EngineResult, Hash256, fields, object_id};

use super::account_root::adjust_owner_count;
use crate::ledger::{
    directory,
    view::{ApplyView, Ter},
};

/// Deletes an entry, takes it out of its owner's directory and lowers the owner's count by `count`.
/// `keep_root` leaves the directory's root even if nothing is on it any more; which types do so is
/// xrpld's choice and shows in metadata.
///
/// # Errors
/// `tecNO_ENTRY` if there is no such entry, `tefBAD_LEDGER` if its directory does not have it.
pub fn delete(
    view: &mut dyn ApplyView,
    owner: AccountId,
    key: &Hash256,
    count: i64,
    keep_root: bool,
) -> Ter {
    let entry = view.read(key).ok_or(EngineResult::TEC_NO_ENTRY)?;
    let page = entry.u64(fields::OWNER_NODE).unwrap_or_default();
    if !directory::remove(view, object_id::owner_dir(owner), page, key, keep_root) {
        return Err(EngineResult::TEF_BAD_LEDGER);
    }
    adjust_owner_count(view, owner, -count)?;
    view.erase(key);
    Ok(())
}
