//! Vaults of a single asset: VaultCreate, VaultSet, VaultDelete, VaultDeposit, VaultWithdraw,
//! VaultClawback (<https://xrpl.org/docs/concepts/tokens/single-asset-vaults>). What shares are worth
//! is in [`crate::ledger::helpers::vault`].

mod clawback;
mod create;
mod delete;
mod deposit;
mod set;
mod withdraw;

use xrpl_protocol::{
    AccountId, EngineResult, Hash256, Issue, MptId, Object, Value, decimal::Decimal, fields,
    issued_value::ValueError,
};

pub(super) use clawback::Clawback;
pub(super) use create::Create;
pub(super) use delete::Delete;
pub(super) use deposit::Deposit;
pub(super) use set::Set;
pub(super) use withdraw::Withdraw;

use super::ensure;
use crate::ledger::{
    ApplyView, Entry, PreparedTx, ReadView, Ter,
    helpers::{number, token, vault},
};

/// Bytes of a vault's `Data`, and of memos.
pub(super) const MAX_DATA: usize = 256;

/// The vault that a transaction names.
fn id(tx: &PreparedTx) -> Hash256 {
    tx.object.hash256(fields::VAULT_ID).unwrap_or_default()
}

/// A vault's id is not zero.
fn names_vault(tx: &PreparedTx) -> Ter {
    ensure(!id(tx).is_zero(), EngineResult::TEM_MALFORMED)
}

/// The vault, and the issuance of its shares.
fn existing(view: &dyn ReadView, tx: &PreparedTx) -> Result<(Entry, Entry), EngineResult> {
    let (vault, issuance) = vault::find(view, &id(tx)).ok_or(EngineResult::TEC_NO_ENTRY)?;
    Ok((vault, issuance.ok_or(EngineResult::TEF_INTERNAL)?))
}

/// [`existing`] in `apply`.
fn present(view: &dyn ReadView, tx: &PreparedTx) -> Result<(Entry, Entry), EngineResult> {
    existing(view, tx).map_err(|_| EngineResult::TEF_INTERNAL)
}

/// Blobs that are there are not empty, and not too long.
fn valid_data(object: &Object, field: xrpl_protocol::Field) -> bool {
    object.blob(field).is_none_or(|data| (1..=MAX_DATA).contains(&data.len()))
}

/// `AssetsMaximum` of a transaction: no less than nothing.
fn valid_maximum(object: &Object) -> bool {
    match object.get(fields::ASSETS_MAXIMUM) {
        Some(Value::Number(number)) => number.mantissa >= 0,
        _ => true,
    }
}

/// With large enough scales it is easy to get more than can be written.
fn too_large<T>(result: Result<T, ValueError>) -> Result<T, EngineResult> {
    result.map_err(|_| EngineResult::TEC_PATH_DRY)
}

fn written<T>(result: Result<T, ValueError>) -> Result<T, EngineResult> {
    result.map_err(|_| EngineResult::TEF_EXCEPTION)
}

/// Adds to both of a vault's amounts (or takes from them), before they are rounded.
fn change_assets(view: &mut dyn ApplyView, id: &Hash256, by: Decimal) -> Ter {
    let vault = view.get_mut(id).ok_or(EngineResult::TEF_INTERNAL)?;
    written(number::add(vault, fields::ASSETS_TOTAL, by))?;
    written(number::add(vault, fields::ASSETS_AVAILABLE, by))
}

/// Rounds a vault's amounts to its asset.
fn associate(view: &mut dyn ApplyView, id: &Hash256) -> Ter {
    let vault = view.get_mut(id).ok_or(EngineResult::TEF_INTERNAL)?;
    let asset = vault::asset(vault);
    written(number::associate(vault, asset))
}

/// Deletes the MPToken of a holder that has no shares any more. The owner keeps its own.
fn forget_holder(view: &mut dyn ApplyView, vault: &Object, holder: AccountId, share: MptId) -> Ter {
    if holder == vault::owner(vault) {
        return Ok(());
    }
    match token::remove_empty_holding(view, holder, Issue::Mpt(share)) {
        Ok(()) | Err(EngineResult::TEC_HAS_OBLIGATIONS) => Ok(()),
        Err(error) => Err(error),
    }
}
