//! LoanBrokerDelete (<https://xrpl.org/docs/references/protocol/transactions/types/loanbrokerdelete>).

use xrpl_protocol::{Amount, EngineResult, Object, Rounding, fields, object_id};

use super::{broker_and_vault, broker_id, dependencies, names, written};
use crate::{
    ledger::{
        ApplyView, ReadView, Ter, amendment, directory,
        helpers::{
            account_root::{adjust_owner_count, balance_of, owner_count},
            loan, number,
            token::{self, TransferFee},
            vault,
        },
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

/// The type.
#[derive(Debug)]
pub(crate) struct BrokerDelete;

fn cover(broker: &Object, vault: &Object) -> Result<Amount, EngineResult> {
    let cover = number::get(broker, fields::COVER_AVAILABLE);
    written(Amount::from_decimal(vault::asset(vault), cover))
}

impl Transactor for BrokerDelete {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        dependencies(ctx)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        names(broker_id(ctx.tx))
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx) = (ctx.view, ctx.tx);
        let obligations = EngineResult::TEC_HAS_OBLIGATIONS;
        let broker = loan::broker(view, &broker_id(tx)).ok_or(EngineResult::TEC_NO_ENTRY)?;
        let owns = broker.account(fields::OWNER) == Some(tx.account);
        ensure(owns, EngineResult::TEC_NO_PERMISSION)?;
        ensure(loan::rate(&broker, fields::OWNER_COUNT) == 0, obligations)?;
        let (_, _, vault) = broker_and_vault(view, &broker_id(tx))?;
        let asset = vault::asset(&vault);
        let debt = number::get(&broker, fields::DEBT_TOTAL);
        if !debt.is_zero() {
            let scale = written(loan::vault_scale(&vault))?;
            let rounded =
                written(number::round_to_asset(asset, debt, scale, Rounding::TowardZero))?;
            ensure(rounded.is_zero(), obligations)?;
        }
        if cover(&broker, &vault)?.signum() > 0 {
            // The owner gets it back.
            token::check_deep_frozen(view, tx.account, asset)?;
            if view.rules().enabled(amendment::FIX_CLEANUP_3_2_0) {
                let pseudo = broker.account(fields::ACCOUNT).unwrap_or_default();
                token::check_frozen(view, pseudo, asset)?;
            }
        }
        Ok(())
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, id) = (ctx.tx, broker_id(ctx.tx));
        let view = &mut ctx.view;
        let bad = EngineResult::TEF_BAD_LEDGER;
        let (broker, _, vault) = broker_and_vault(view, &id).map_err(|_| bad)?;
        let pseudo = broker.account(fields::ACCOUNT).ok_or(bad)?;
        for (owner, node) in
            [(tx.account, fields::OWNER_NODE), (vault::account_of(&vault), fields::VAULT_NODE)]
        {
            let page = broker.u64(node).unwrap_or_default();
            let listed = directory::remove(view, object_id::owner_dir(owner), page, &id, false);
            ensure(listed, bad)?;
        }
        let cover = cover(&broker, &vault)?;
        token::account_send(view, pseudo, tx.account, cover, TransferFee::Waive)?;
        token::remove_empty_holding(view, pseudo, vault::asset(&vault))?;
        let root = view.account(pseudo).ok_or(bad)?;
        let empty = balance_of(&root) == 0
            && owner_count(&root) == 0
            && !view.exists(&object_id::owner_dir(pseudo));
        ensure(empty, bad)?;
        drop((root, broker));
        view.erase(&object_id::account_root(pseudo));
        view.erase(&id);
        // The broker and its account have counted for the owner's reserve.
        adjust_owner_count(view, tx.account, -2)
    }
}
