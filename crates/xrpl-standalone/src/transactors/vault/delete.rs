//! VaultDelete (<https://xrpl.org/docs/references/protocol/transactions/types/vaultdelete>).

use xrpl_protocol::{EngineResult, Issue, fields, object_id};

use super::{id, names_vault, present, valid_data};
use crate::{
    ledger::{
        ApplyView, ReadView, Ter, amendment, directory,
        helpers::{
            account_root::{adjust_owner_count, balance_of, owner_count},
            mpt, owned, token, vault,
        },
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

/// The type.
#[derive(Debug)]
pub(crate) struct Delete;

impl Transactor for Delete {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        names_vault(ctx.tx)?;
        let object = &ctx.tx.object;
        if object.contains(fields::MEMO_DATA) {
            let allowed = ctx.rules.enabled(amendment::LENDING_PROTOCOL_V1_1);
            ensure(allowed, EngineResult::TEM_DISABLED)?;
        }
        ensure(valid_data(object, fields::MEMO_DATA), EngineResult::TEM_MALFORMED)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let found = vault::find(ctx.view, &id(ctx.tx)).ok_or(EngineResult::TEC_NO_ENTRY)?;
        let (vault, issuance) = found;
        let permission = EngineResult::TEC_NO_PERMISSION;
        ensure(vault::owner(&vault) == ctx.tx.account, permission)?;
        let empty = vault::available(&vault).is_zero() && vault::total(&vault).is_zero();
        ensure(empty, EngineResult::TEC_HAS_OBLIGATIONS)?;
        let issuance = issuance.ok_or(EngineResult::TEC_OBJECT_NOT_FOUND)?;
        ensure(mpt::issuer_of(&issuance) == vault::account_of(&vault), permission)?;
        let outstanding = issuance.u64(fields::OUTSTANDING_AMOUNT).unwrap_or_default();
        ensure(outstanding == 0, EngineResult::TEC_HAS_OBLIGATIONS)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let view = &mut ctx.view;
        let (bad, obligations) = (EngineResult::TEF_BAD_LEDGER, EngineResult::TEC_HAS_OBLIGATIONS);
        let (vault, issuance) = present(view, tx)?;
        let (pseudo, share) = (vault::account_of(&vault), vault::share(&vault));
        token::remove_empty_holding(view, pseudo, vault::asset(&vault))?;
        view.account(pseudo).ok_or(bad)?;
        if view.exists(&object_id::mptoken(share, tx.account)) {
            token::remove_empty_holding(view, tx.account, Issue::Mpt(share))?;
        }
        let key = object_id::mpt_issuance(share);
        let page = issuance.u64(fields::OWNER_NODE).unwrap_or_default();
        let directory = object_id::owner_dir(pseudo);
        ensure(directory::remove(view, directory, page, &key, false), bad)?;
        adjust_owner_count(view, pseudo, -1)?;
        view.erase(&key);
        let root = view.account(pseudo).ok_or(bad)?;
        ensure(root.hash256(fields::VAULT_ID) == Some(id(tx)), bad)?;
        let empty = balance_of(&root) == 0 && owner_count(&root) == 0 && !view.exists(&directory);
        ensure(empty, obligations)?;
        drop((root, issuance));
        view.erase(&object_id::account_root(pseudo));
        // The vault and its account have counted for the owner's reserve.
        owned::delete(view, vault::owner(&vault), &id(tx), 2, false)
    }
}
