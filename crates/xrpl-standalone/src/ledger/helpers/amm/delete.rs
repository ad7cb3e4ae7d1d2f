//! The end of an empty AMM: its trust lines, its entry, its account.

use xrpl_protocol::{AccountId, Amount, EngineResult, Hash256, Issue, fields, object_id};

use super::pool::{account_of, lp_tokens};
use crate::ledger::{
    directory, entry_type,
    helpers::trust_line,
    view::{ApplyView, Ter},
};

/// Entries of the directory that one transaction looks at to delete trust lines.
const MAX_LINES: usize = 512;
/// Entries that are left then: the AMM and its holdings of two MPTs.
const MAX_LEFT: usize = 3;

const INTERNAL: EngineResult = EngineResult::TEC_INTERNAL;

/// Deletes an AMM whose LP tokens are all redeemed, or as many of its trust lines as one transaction
/// may.
///
/// # Errors
/// `tecINCOMPLETE` if trust lines are left, `tecINTERNAL`.
pub fn delete(view: &mut dyn ApplyView, asset: Issue, other: Issue) -> Ter {
    let key = object_id::amm(asset, other);
    let amm = view.read(&key).ok_or(INTERNAL)?;
    let account = account_of(&amm);
    view.account(account).ok_or(INTERNAL)?;
    let owned = object_id::owner_dir(account);
    each(view, owned, MAX_LINES, |view, kind, id| match kind {
        entry_type::AMM | entry_type::MPTOKEN => Ok(()),
        entry_type::RIPPLE_STATE => delete_line(view, id, account),
        _ => Err(INTERNAL),
    })?;
    // Only then: whoever deposits into an AMM that is still there needs them.
    each(view, owned, MAX_LEFT, |view, kind, id| match kind {
        entry_type::AMM => Ok(()),
        entry_type::MPTOKEN => delete_holding(view, owned, id),
        _ => Err(INTERNAL),
    })?;
    let page = amm.u64(fields::OWNER_NODE).unwrap_or_default();
    if !directory::remove(view, owned, page, &key, false) {
        return Err(INTERNAL);
    }
    if view.exists(&owned) && !directory::delete_empty(view, owned) {
        return Err(INTERNAL);
    }
    view.erase(&key);
    view.erase(&object_id::account_root(account));
    Ok(())
}

/// Sets how many LP tokens are left, or deletes the AMM if there are none. What does not fit into
/// one transaction is left for AMMDelete.
///
/// # Errors
/// `tecINTERNAL`.
pub fn settle(view: &mut dyn ApplyView, asset: Issue, other: Issue, lp_tokens_left: Amount) -> Ter {
    if lp_tokens_left.is_zero() {
        match delete(view, asset, other) {
            Err(EngineResult::TEC_INCOMPLETE) => {}
            ended => return ended,
        }
    }
    let amm = view.get_mut(&object_id::amm(asset, other)).ok_or(INTERNAL)?;
    amm.set(fields::LP_TOKEN_BALANCE, lp_tokens_left.into());
    Ok(())
}

/// Whether all LP tokens of an AMM are redeemed.
#[must_use]
pub fn is_empty(amm: &xrpl_protocol::Object) -> bool {
    lp_tokens(amm).is_zero()
}

fn each(
    view: &mut dyn ApplyView,
    directory: Hash256,
    most: usize,
    mut work: impl FnMut(&mut dyn ApplyView, u16, &Hash256) -> Ter,
) -> Ter {
    let ids: Vec<Hash256> = directory::iter(view, directory).take(most + 1).collect();
    for id in ids.iter().take(most) {
        let entry = view.read(id).ok_or(EngineResult::TEF_BAD_LEDGER)?;
        let kind = entry_type::of(&entry);
        drop(entry);
        work(view, kind, id)?;
    }
    if ids.len() > most { Err(EngineResult::TEC_INCOMPLETE) } else { Ok(()) }
}

fn delete_line(view: &mut dyn ApplyView, id: &Hash256, amm: AccountId) -> Ter {
    let line = view.read(id).ok_or(INTERNAL)?;
    if line.amount(fields::BALANCE).is_none_or(|balance| !balance.is_zero()) {
        return Err(INTERNAL);
    }
    drop(line);
    trust_line::delete_amm_line(view, id, Some(amm))
}

fn delete_holding(view: &mut dyn ApplyView, owned: Hash256, id: &Hash256) -> Ter {
    let holding = view.read(id).ok_or(INTERNAL)?;
    let number = |field| holding.u64(field).unwrap_or_default();
    if number(fields::MPT_AMOUNT) != 0 || number(fields::LOCKED_AMOUNT) != 0 {
        return Err(INTERNAL);
    }
    let page = number(fields::OWNER_NODE);
    drop(holding);
    if !directory::remove(view, owned, page, id, false) {
        return Err(EngineResult::TEF_BAD_LEDGER);
    }
    view.erase(id);
    Ok(())
}
