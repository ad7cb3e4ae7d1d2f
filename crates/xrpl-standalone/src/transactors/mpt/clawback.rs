//! Clawback of MPTs: here the holder has a field of its own.

use xrpl_protocol::{AccountId, Amount, EngineResult, Issue, MptId, fields, object_id};

use crate::{
    ledger::{
        PreparedTx, ReadView, Ter, amendment,
        helpers::{
            account_root::flags_of,
            mpt::{self, flag, issuer_of},
            token::{self, IfFrozen, IfUnauthorized, Spendable},
        },
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, ensure},
};

/// What of an MPT the holder has, locked or not.
fn held(view: &dyn ReadView, holder: AccountId, id: MptId) -> i64 {
    let (frozen, unauthorized) = (IfFrozen::Ignore, IfUnauthorized::Ignore);
    let issue = Issue::Mpt(id);
    match token::account_holds(view, holder, issue, frozen, unauthorized, Spendable::Simple) {
        Amount::Mpt { value, .. } => value,
        _ => 0,
    }
}

fn holder(tx: &PreparedTx) -> AccountId {
    tx.object.account(fields::HOLDER).unwrap_or_default()
}

/// The form of a Clawback of `value` of an MPT.
///
/// # Errors
/// `temDISABLED`, `temMALFORMED`, `temBAD_AMOUNT`.
pub(in crate::transactors) fn form(ctx: &PreflightContext<'_>, value: i64) -> Ter {
    ensure(ctx.rules.enabled(amendment::MPTOKENS_V1), EngineResult::TEM_DISABLED)?;
    let holder = ctx.tx.object.account(fields::HOLDER);
    let good = holder.is_some_and(|holder| holder != ctx.tx.account);
    ensure(good, EngineResult::TEM_MALFORMED)?;
    ensure(value > 0, EngineResult::TEM_BAD_AMOUNT)
}

/// Whether the sender may take of the MPT what the holder has.
///
/// # Errors
/// `tecOBJECT_NOT_FOUND`, `tecNO_PERMISSION`, `tecINSUFFICIENT_FUNDS`.
pub(in crate::transactors) fn preclaim(ctx: &PreclaimContext<'_>, id: MptId) -> Ter {
    let (view, holder) = (ctx.view, holder(ctx.tx));
    let issuance = token::issuance(view, id)?;
    let may =
        flags_of(&issuance) & flag::CAN_CLAWBACK != 0 && issuer_of(&issuance) == ctx.tx.account;
    ensure(may, EngineResult::TEC_NO_PERMISSION)?;
    let holds = view.exists(&object_id::mptoken(id, holder));
    ensure(holds, EngineResult::TEC_OBJECT_NOT_FOUND)?;
    ensure(held(view, holder, id) > 0, EngineResult::TEC_INSUFFICIENT_FUNDS)
}

/// Takes so much, or all there is.
///
/// # Errors
/// Those of [`mpt::credit`].
pub(in crate::transactors) fn apply(ctx: &mut ApplyContext<'_>, id: MptId, value: i64) -> Ter {
    let holder = holder(ctx.tx);
    let taken = held(&ctx.view, holder, id).min(value);
    mpt::credit(&mut ctx.view, holder, ctx.tx.account, id, taken)
}
