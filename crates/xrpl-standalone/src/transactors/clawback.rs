//! Clawback of issued currencies here, of MPTs in [`super::mpt`]
//! (<https://xrpl.org/docs/references/protocol/transactions/types/clawback>).

use xrpl_protocol::{AccountId, Amount, Currency, EngineResult, IssuedValue, fields, object_id};

use super::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure, mpt};
use crate::ledger::{
    PreparedTx, ReadView, Ter, amendment,
    helpers::{
        account_root::{flag, flags_of, is_pseudo},
        trust_line::{self, Side, balance},
    },
};

/// The type.
#[derive(Debug)]
pub(super) struct Clawback;

/// How much of what from whom. The holder stands where the issuer usually does.
fn wanted(tx: &PreparedTx) -> Option<(IssuedValue, Currency, AccountId)> {
    match tx.object.amount(fields::AMOUNT)? {
        Amount::Issued { value, currency, issuer } => Some((value, currency, issuer)),
        _ => None,
    }
}

fn held(
    view: &dyn ReadView,
    tx: &PreparedTx,
    holder: AccountId,
    currency: Currency,
) -> Option<IssuedValue> {
    let line = view.read(&object_id::trust_line(holder, tx.account, currency))?;
    Some(balance(&line, Side::of(holder, tx.account)))
}

impl Transactor for Clawback {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        if let Some(Amount::Mpt { value, .. }) = tx.object.amount(fields::AMOUNT) {
            return mpt::clawback_form(ctx, value);
        }
        if tx.object.contains(fields::HOLDER) {
            return Err(EngineResult::TEM_MALFORMED);
        }
        match wanted(tx) {
            Some((value, _, holder)) if value.signum() > 0 && holder != tx.account => Ok(()),
            _ => Err(EngineResult::TEM_BAD_AMOUNT),
        }
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let amount = ctx.tx.object.amount(fields::AMOUNT);
        let holder = match amount {
            Some(Amount::Issued { issuer, .. }) => Some(issuer),
            _ => ctx.tx.object.account(fields::HOLDER),
        };
        let holder = holder.ok_or(EngineResult::TEM_BAD_AMOUNT)?;
        let root = ctx.view.account(ctx.tx.account).ok_or(EngineResult::TER_NO_ACCOUNT)?;
        let holder_root = ctx.view.account(holder).ok_or(EngineResult::TER_NO_ACCOUNT)?;
        let vaults = ctx.view.rules().enabled(amendment::SINGLE_ASSET_VAULT);
        ensure(!vaults || !is_pseudo(&holder_root), EngineResult::TEC_PSEUDO_ACCOUNT)?;
        ensure(!holder_root.contains(fields::AMMID), EngineResult::TEC_AMM_ACCOUNT)?;
        if let Some(Amount::Mpt { id, .. }) = amount {
            return mpt::may_claw_back(ctx, id);
        }
        let (_, currency, _) = wanted(ctx.tx).ok_or(EngineResult::TEM_BAD_AMOUNT)?;
        let flags = flags_of(&root);
        if flags & flag::ALLOW_TRUST_LINE_CLAWBACK == 0 || flags & flag::NO_FREEZE != 0 {
            return Err(EngineResult::TEC_NO_PERMISSION);
        }
        let held = held(ctx.view, ctx.tx, holder, currency).ok_or(EngineResult::TEC_NO_LINE)?;
        match held.signum() {
            // The line runs the other way: the sender is the holder.
            -1 => Err(EngineResult::TEC_NO_PERMISSION),
            0 => Err(EngineResult::TEC_INSUFFICIENT_FUNDS),
            _ => Ok(()),
        }
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        if let Some(Amount::Mpt { value, id }) = tx.object.amount(fields::AMOUNT) {
            return mpt::claw_back(ctx, id, value);
        }
        let (value, currency, holder) = wanted(tx).ok_or(EngineResult::TEM_BAD_AMOUNT)?;
        let held = held(&ctx.view, tx, holder, currency).ok_or(EngineResult::TEC_NO_LINE)?;
        let more = held.sub(value).is_ok_and(|left| left.is_negative());
        let taken = if more { held } else { value };
        trust_line::credit(&mut ctx.view, holder, tx.account, currency, taken)
    }
}
