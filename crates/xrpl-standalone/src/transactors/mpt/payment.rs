//! Payments of MPTs from account to account. Before the amendment MPTokensV2 nothing else can be done
//! with an MPT in a Payment.

use xrpl_protocol::{AccountId, Amount, EngineResult, Issue, MptId, fields, quality::Rate};

use crate::{
    ledger::{
        ApplyView, PaymentSandbox, ReadView, Ter, amendment,
        helpers::{
            credentials, mpt,
            token::{self, Auth, TransferFee},
        },
    },
    transactors::ApplyContext,
};

/// An amount in a field of the transaction, if it is of the MPT.
fn value_of(amount: Option<Amount>, id: MptId) -> Option<i64> {
    match amount? {
        Amount::Mpt { value, id: of } if of == id => Some(value),
        _ => None,
    }
}

fn scaled(amount: Result<Amount, impl Sized>) -> Result<i64, EngineResult> {
    match amount {
        Ok(Amount::Mpt { value, .. }) => Ok(value),
        // xrpld throws.
        _ => Err(EngineResult::TEF_EXCEPTION),
    }
}

/// Pays `wanted` of an MPT to an account that exists, or less of it if the payment may be partial.
///
/// # Errors
/// `tecNO_AUTH`, `tecLOCKED`, `tecPATH_PARTIAL`, `tecNO_PERMISSION` by the receiver's wish, and those
/// of [`mpt`].
pub(in crate::transactors) fn apply(
    ctx: &mut ApplyContext<'_>,
    to: AccountId,
    id: MptId,
    wanted: i64,
    partial: bool,
) -> Ter {
    let tx = ctx.tx;
    let from = tx.account;
    mpt::require_auth(&ctx.view, id, from, Auth::Legacy)?;
    mpt::require_auth(&ctx.view, id, to, Auth::Legacy)?;
    mpt::can_transfer(&ctx.view, id, from, to)?;
    credentials::verify_deposit_preauth(&mut ctx.view, &tx.object, from, to)?;
    let issuer = id.issuer();
    let mut rate = Rate::PARITY;
    // What is locked can still go back to the issuer, or come from it.
    if from != issuer && to != issuer {
        if token::is_any_frozen(&ctx.view, &[from, to], Issue::Mpt(id)) {
            return Err(EngineResult::TEC_LOCKED);
        }
        rate = mpt::transfer_rate(&ctx.view, id);
    }
    let most = value_of(tx.object.amount(fields::SEND_MAX), id).unwrap_or(wanted);
    let mut delivered = wanted;
    let mut cost = scaled(rate.multiply(&Amount::Mpt { value: wanted, id }))?;
    if partial && cost > most {
        cost = most;
        delivered = scaled(rate.divide(&Amount::Mpt { value: most, id }))?;
    }
    let least = value_of(tx.object.amount(fields::DELIVER_MIN), id).unwrap_or(0);
    if cost > most || delivered < least {
        return Err(EngineResult::TEC_PATH_PARTIAL);
    }
    let amount = Amount::Mpt { value: delivered, id };
    let mut payment = PaymentSandbox::new(&ctx.view);
    match token::account_send(&mut payment, from, to, amount, TransferFee::Charge) {
        Err(EngineResult::TEC_INSUFFICIENT_FUNDS | EngineResult::TEC_PATH_DRY) => {
            return Err(EngineResult::TEC_PATH_PARTIAL);
        }
        sent => sent?,
    }
    let changes = payment.into_changes();
    ctx.view.merge(changes);
    let tells = ctx.view.rules().enabled(amendment::FIX_MPT_DELIVERED_AMOUNT);
    if tells && delivered != wanted {
        ctx.deliver(amount);
    }
    Ok(())
}
