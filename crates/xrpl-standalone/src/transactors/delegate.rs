//! DelegateSet (<https://xrpl.org/docs/references/protocol/transactions/types/delegateset>).

use xrpl_protocol::{AccountId, EngineResult, Hash256, Object, Value, fields, object_id};

use super::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure, is_delegable};
use crate::ledger::{
    ApplyView, PreparedTx, ReadView, Ter, directory, entry_type,
    helpers::{
        account_root::{adjust_owner_count, is_pseudo, reserve},
        owned,
    },
};

/// Permissions that one delegate may have.
const MAX_PERMISSIONS: usize = 10;

/// Gives another account permissions to send transactions, or takes them all.
#[derive(Debug)]
pub(super) struct DelegateSet;

fn permissions(tx: &PreparedTx) -> &[(xrpl_protocol::Field, Object)] {
    tx.object.array(fields::PERMISSIONS).unwrap_or_default()
}

fn authorized(tx: &PreparedTx) -> AccountId {
    tx.object.account(fields::AUTHORIZE).unwrap_or_default()
}

fn key(tx: &PreparedTx) -> Hash256 {
    object_id::delegate(tx.account, authorized(tx))
}

impl Transactor for DelegateSet {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let permissions = permissions(ctx.tx);
        ensure(permissions.len() <= MAX_PERMISSIONS, EngineResult::TEM_ARRAY_TOO_LARGE)?;
        let malformed = EngineResult::TEM_MALFORMED;
        ensure(authorized(ctx.tx) != ctx.tx.account, malformed)?;
        let mut seen = Vec::with_capacity(permissions.len());
        for (_, permission) in permissions {
            let value = permission.u32(fields::PERMISSION_VALUE).unwrap_or_default();
            ensure(!seen.contains(&value) && is_delegable(value, ctx.rules), malformed)?;
            seen.push(value);
        }
        Ok(())
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let delegate = ctx.view.account(authorized(ctx.tx)).ok_or(EngineResult::TEC_NO_TARGET)?;
        ensure(!is_pseudo(&delegate), EngineResult::TEC_NO_PERMISSION)?;
        // What is not there cannot be deleted.
        let something = !permissions(ctx.tx).is_empty() || ctx.view.exists(&key(ctx.tx));
        ensure(something, EngineResult::TEC_NO_ENTRY)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, account, key) = (ctx.tx, ctx.tx.account, key(ctx.tx));
        let permissions = permissions(tx);
        if ctx.view.exists(&key) {
            if permissions.is_empty() {
                return delete(&mut ctx.view, &key);
            }
            let entry = ctx.view.get_mut(&key).ok_or(EngineResult::TEF_INTERNAL)?;
            entry.set(fields::PERMISSIONS, Value::Array(permissions.to_vec()));
            return Ok(());
        }
        ensure(!permissions.is_empty(), EngineResult::TEC_INTERNAL)?;
        let root = ctx.view.account(account).ok_or(EngineResult::TEF_INTERNAL)?;
        let affordable = ctx.prior_balance >= reserve(&ctx.view, &root, 1);
        ensure(affordable, EngineResult::TEC_INSUFFICIENT_RESERVE)?;
        let full = EngineResult::TEC_DIR_FULL;
        let page = directory::add_owned(&mut ctx.view, account, key).ok_or(full)?;
        // There too, so that it can be found when the delegate's account is deleted.
        let delegate_page = directory::add_owned(&mut ctx.view, authorized(tx), key).ok_or(full)?;
        let entry = entry_type::new(entry_type::DELEGATE)
            .with(fields::ACCOUNT, account)
            .with(fields::AUTHORIZE, authorized(tx))
            .with(fields::PERMISSIONS, Value::Array(permissions.to_vec()))
            .with(fields::OWNER_NODE, page)
            .with(fields::DESTINATION_NODE, delegate_page);
        ctx.view.insert(key, entry);
        adjust_owner_count(&mut ctx.view, account, 1)
    }
}

/// Deletes a Delegate entry, whichever of the two accounts it is that wants it.
///
/// # Errors
/// `tecINTERNAL` if there is none, `tefBAD_LEDGER` if a directory does not have it.
pub(super) fn delete(view: &mut dyn ApplyView, key: &Hash256) -> Ter {
    let entry = view.read(key).ok_or(EngineResult::TEC_INTERNAL)?;
    let owner = entry.account(fields::ACCOUNT).unwrap_or_default();
    let delegate = entry.account(fields::AUTHORIZE).unwrap_or_default();
    if let Some(page) = entry.u64(fields::DESTINATION_NODE)
        && !directory::remove(view, object_id::owner_dir(delegate), page, key, false)
    {
        return Err(EngineResult::TEF_BAD_LEDGER);
    }
    owned::delete(view, owner, key, 1, false)
}
