//! LoanBrokerCoverDeposit
//! (<https://xrpl.org/docs/references/protocol/transactions/types/loanbrokercoverdeposit>).

use xrpl_protocol::{Amount, EngineResult, Object, Rounding, fields};

use super::{amount, broker_and_vault, broker_id, change_cover, dependencies, names, written};
use crate::{
    ledger::{
        PreparedTx, ReadView, Ter, amendment,
        helpers::{
            loan, number,
            token::{self, Auth, IfFrozen, IfUnauthorized, Spendable, TransferFee},
            vault,
        },
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

/// The type.
#[derive(Debug)]
pub(crate) struct CoverDeposit;

/// What is deposited, with the digits that the cover has (downwards).
fn rounded(view: &dyn ReadView, tx: &PreparedTx, broker: &Object) -> Result<Amount, EngineResult> {
    let amount = amount(tx);
    if !view.rules().enabled(amendment::FIX_CLEANUP_3_2_0) {
        return Ok(amount);
    }
    let cover = number::get(broker, fields::COVER_AVAILABLE);
    let scale = written(number::scale(cover, amount.issue()))?;
    written(amount.round_to_scale(scale, Rounding::Down))
}

impl Transactor for CoverDeposit {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        dependencies(ctx)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        names(broker_id(ctx.tx))?;
        ensure(amount(ctx.tx).signum() > 0, EngineResult::TEM_BAD_AMOUNT)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx, account) = (ctx.view, ctx.tx, ctx.tx.account);
        let broker = loan::broker(view, &broker_id(tx)).ok_or(EngineResult::TEC_NO_ENTRY)?;
        let owns = broker.account(fields::OWNER) == Some(account);
        ensure(owns, EngineResult::TEC_NO_PERMISSION)?;
        let (_, _, vault) = broker_and_vault(view, &broker_id(tx))?;
        let asset = vault::asset(&vault);
        ensure(amount(tx).issue() == asset, EngineResult::TEC_WRONG_ASSET)?;
        let pseudo = broker.account(fields::ACCOUNT).unwrap_or_default();
        token::can_transfer(view, asset, account, pseudo)?;
        if view.rules().enabled(amendment::FIX_CLEANUP_3_3_0) {
            token::check_deposit_freeze(view, account, pseudo, asset)?;
        } else {
            token::check_frozen(view, account, asset)?;
            token::check_deep_frozen(view, pseudo, asset)?;
        }
        token::require_auth(view, asset, account, Auth::Strong)?;
        let rounded = rounded(view, tx, &broker)?;
        ensure(!rounded.is_zero(), EngineResult::TEC_PRECISION_LOSS)?;
        let (frozen, unauthorized) = (IfFrozen::Zero, IfUnauthorized::Zero);
        let held =
            token::account_holds(view, account, asset, frozen, unauthorized, Spendable::Full);
        ensure(!held.is_less(&rounded), EngineResult::TEC_INSUFFICIENT_FUNDS)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, id) = (ctx.tx, broker_id(ctx.tx));
        let view = &mut ctx.view;
        let internal = EngineResult::TEC_INTERNAL;
        let (broker, _, vault) = broker_and_vault(view, &id).map_err(|_| internal)?;
        let pseudo = broker.account(fields::ACCOUNT).ok_or(internal)?;
        let amount = rounded(view, tx, &broker)?;
        ensure(!amount.is_zero(), internal)?;
        drop(broker);
        token::account_send(view, tx.account, pseudo, amount, TransferFee::Waive)?;
        change_cover(view, &id, amount.decimal(), vault::asset(&vault))
    }
}
