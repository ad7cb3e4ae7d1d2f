//! Automated market makers: AMMCreate, AMMDeposit, AMMWithdraw, AMMVote, AMMBid, AMMDelete,
//! AMMClawback (<https://xrpl.org/docs/concepts/tokens/decentralized-exchange/automated-market-makers>).
//! Their mathematics is in [`crate::ledger::helpers::amm`].

mod bid;
mod clawback;
mod create;
mod delete;
mod deposit;
mod deposit_forms;
mod form;
mod vote;
mod withdraw;
mod withdraw_forms;
mod withdrawal;

use xrpl_protocol::{
    EngineResult, Field, Hash256, Issue, fields, issued_value::ValueError, object_id,
};

pub(super) use bid::Bid;
pub(super) use clawback::Clawback;
pub(super) use create::Create;
pub(super) use delete::Delete;
pub(super) use deposit::Deposit;
pub(super) use vote::Vote;
pub(super) use withdraw::Withdraw;

use super::PreflightContext;
use crate::ledger::{Entry, PreparedTx, ReadView, amendment};

/// `tf` flags that say which form a deposit or a withdrawal has.
mod flag {
    pub(super) const LP_TOKEN: u32 = 0x0001_0000;
    pub(super) const WITHDRAW_ALL: u32 = 0x0002_0000;
    pub(super) const ONE_ASSET_WITHDRAW_ALL: u32 = 0x0004_0000;
    pub(super) const SINGLE_ASSET: u32 = 0x0008_0000;
    pub(super) const TWO_ASSET: u32 = 0x0010_0000;
    pub(super) const ONE_ASSET_LP_TOKEN: u32 = 0x0020_0000;
    pub(super) const LIMIT_LP_TOKEN: u32 = 0x0040_0000;
    pub(super) const TWO_ASSET_IF_EMPTY: u32 = 0x0080_0000;
    /// Of AMMClawback.
    pub(super) const CLAW_TWO_ASSETS: u32 = 0x0000_0001;
}

fn asset(tx: &PreparedTx, field: Field) -> Issue {
    tx.object.issue(field).unwrap_or(Issue::Xrp)
}

/// The assets that a transaction names its AMM by.
fn assets(tx: &PreparedTx) -> (Issue, Issue) {
    (asset(tx, fields::ASSET), asset(tx, fields::ASSET2))
}

/// Its AMM.
fn existing(view: &dyn ReadView, tx: &PreparedTx) -> Result<(Hash256, Entry), EngineResult> {
    let (asset, other) = assets(tx);
    let id = object_id::amm(asset, other);
    Ok((id, view.read(&id).ok_or(EngineResult::TER_NO_AMM)?))
}

/// Pools have MPTs only under MPTokensV2.
fn mpts_allowed(ctx: &PreflightContext<'_>) -> bool {
    let object = &ctx.tx.object;
    let names_mpt = |field| matches!(object.issue(field), Some(Issue::Mpt(_)));
    let has_mpt =
        |field| object.amount(field).is_some_and(|amount| matches!(amount.issue(), Issue::Mpt(_)));
    ctx.rules.enabled(amendment::MPTOKENS_V2)
        || ![fields::ASSET, fields::ASSET2].into_iter().any(names_mpt)
            && ![fields::AMOUNT, fields::AMOUNT2].into_iter().any(has_mpt)
}

/// xrpld throws where an amount gets too large to be written.
fn written<T>(result: Result<T, ValueError>) -> Result<T, EngineResult> {
    result.map_err(|_| EngineResult::TEF_EXCEPTION)
}
