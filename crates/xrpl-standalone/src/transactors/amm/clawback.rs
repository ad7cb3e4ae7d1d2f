//! AMMClawback (<https://xrpl.org/docs/references/protocol/transactions/types/ammclawback>): an issuer
//! makes a holder withdraw from a pool, and takes its own from what comes out.

use xrpl_protocol::{AccountId, Amount, EngineResult, Issue, Object, fields, object_id};

use super::{
    assets, existing, flag, mpts_allowed,
    withdrawal::{self, Taken, Terms},
    written,
};
use crate::{
    ledger::{
        ApplyView, PreparedTx, ReadView, Ter, amendment,
        helpers::{
            account_root::{self, flags_of},
            amm::{
                Holdings, delete,
                formula::Adjusted,
                pool::{account_of, check_pool_precision, holds, lp_holds, settle_last_provider},
                rounding::{Flow, adjusted_share, share_of_asset, share_of_tokens},
            },
            mpt,
            token::{self, IfFrozen, IfUnauthorized},
            trust_line,
        },
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

/// The type.
#[derive(Debug)]
pub(crate) struct Clawback;

fn holder(tx: &PreparedTx) -> AccountId {
    tx.object.account(fields::HOLDER).unwrap_or_default()
}

impl Transactor for Clawback {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        mpts_allowed(ctx)
    }

    fn flags(&self, _ctx: &PreflightContext<'_>) -> u32 {
        flag::CLAW_TWO_ASSETS
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        let malformed = EngineResult::TEM_MALFORMED;
        ensure(holder(tx) != tx.account, malformed)?;
        let (asset, other) = assets(tx);
        let issuer = token::issuer_of(asset).ok_or(malformed)?;
        let both = tx.has_flag(flag::CLAW_TWO_ASSETS);
        let one_issuer = token::issuer_of(other) == Some(issuer);
        ensure(!both || one_issuer, EngineResult::TEM_INVALID_FLAG)?;
        ensure(issuer == tx.account, malformed)?;
        let amount = tx.object.amount(fields::AMOUNT);
        let good = amount.is_none_or(|amount| amount.issue() == asset && amount.signum() > 0);
        ensure(good, EngineResult::TEM_BAD_AMOUNT)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx) = (ctx.view, ctx.tx);
        let (asset, other) = assets(tx);
        let root = view.account(tx.account).ok_or(EngineResult::TER_NO_ACCOUNT)?;
        view.account(holder(tx)).ok_or(EngineResult::TER_NO_ACCOUNT)?;
        existing(view, tx)?;
        let flags = flags_of(&root);
        let of_lines = flags & account_root::flag::ALLOW_TRUST_LINE_CLAWBACK != 0
            && flags & account_root::flag::NO_FREEZE == 0;
        let may_claw = |issue| match issue {
            Issue::Xrp => false,
            Issue::Issued { .. } => of_lines,
            Issue::Mpt(id) => view.read(&object_id::mpt_issuance(id)).is_some_and(|issuance| {
                flags_of(&issuance) & mpt::flag::CAN_CLAWBACK != 0
                    && mpt::issuer_of(&issuance) == tx.account
            }),
        };
        let permission = EngineResult::TEC_NO_PERMISSION;
        ensure(view.rules().enabled(amendment::MPTOKENS_V2) || of_lines, permission)?;
        ensure(may_claw(asset), permission)?;
        ensure(!tx.has_flag(flag::CLAW_TWO_ASSETS) || may_claw(other), permission)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, prior_balance) = (ctx.tx, ctx.prior_balance);
        let view = &mut ctx.view;
        let (internal, empty) = (EngineResult::TEC_INTERNAL, EngineResult::TEC_AMM_BALANCE);
        let (asset, other) = assets(tx);
        let holder = holder(tx);
        let (id, amm) = existing(view, tx).map_err(|_| internal)?;
        let account = account_of(&amm);
        view.account(account).ok_or(internal)?;
        let held = lp_holds(view, &amm, holder);
        drop(amm);
        if view.rules().enabled(amendment::FIX_AMM_CLAWBACK_ROUNDING) {
            ensure(!held.is_zero(), empty)?;
            settle_last_provider(view, &id, &held, holder)?;
        }
        let amm = view.read(&id).ok_or(internal)?;
        let (frozen, unauthorized) = (IfFrozen::Ignore, IfUnauthorized::Ignore);
        let pool = holds(view, &amm, Some(asset), Some(other), frozen, unauthorized)?;
        ensure(!held.is_zero(), empty)?;
        // Both assets are withdrawn in proportion: no trade, so no fee.
        let terms =
            Terms { account: holder, frozen, unauthorized, all: true, prior_balance, fee: 0 };
        let taken = match tx.object.amount(fields::AMOUNT) {
            None => withdrawal::in_proportion(view, &amm, &pool, &terms, held)?,
            Some(amount) => take(view, &amm, &pool, &terms, held, amount)?,
        };
        let rules = view.rules();
        let left = taken.lp_tokens_left;
        if rules.enabled(amendment::FIX_CLEANUP_3_3_0) && rules.enabled(amendment::FIX_AMM_V1_3) {
            check_pool_precision(view, account, (asset, other), &left)?;
        }
        drop(amm);
        delete::settle(view, asset, other, left)?;
        give_back(view, holder, tx.account, taken.amount)?;
        let amount2 = taken.amount2.ok_or(internal)?;
        match tx.has_flag(flag::CLAW_TWO_ASSETS) {
            true => give_back(view, holder, tx.account, amount2),
            false => Ok(()),
        }
    }
}

/// Withdraws as much as gives an amount of the first asset, or all that the holder has.
fn take(
    view: &mut dyn ApplyView,
    amm: &Object,
    pool: &Holdings,
    terms: &Terms,
    held: Amount,
    amount: Amount,
) -> Result<Taken, EngineResult> {
    let rules = view.rules();
    let Holdings { balance, balance2, lp_tokens: all } = pool;
    let share = amount.decimal() / balance.decimal();
    let tokens = written(Amount::from_decimal(all.issue(), all.decimal() * share))?;
    if tokens.is_more(&held) {
        return withdrawal::in_proportion(view, amm, pool, terms, held);
    }
    let wanted = if rules.enabled(amendment::FIX_AMM_CLAWBACK_ROUNDING) {
        let tokens = written(share_of_tokens(rules, all, share, Flow::Out))?;
        ensure(!tokens.is_zero(), EngineResult::TEC_AMM_INVALID_TOKENS)?;
        let share = adjusted_share(rules, all, &tokens, share);
        let amount2 = Some(written(share_of_asset(rules, balance2, share, Flow::Out))?);
        let amount = written(share_of_asset(rules, balance, share, Flow::Out))?;
        Adjusted { amount, amount2, tokens }
    } else {
        let amount2 = Amount::from_decimal(balance2.issue(), balance2.decimal() * share);
        Adjusted { amount, amount2: Some(written(amount2)?), tokens }
    };
    withdrawal::withdraw(view, amm, pool, &Terms { all: false, ..*terms }, wanted)
}

/// A holder gives something back to its issuer.
fn give_back(
    view: &mut dyn ApplyView,
    holder: AccountId,
    issuer: AccountId,
    amount: Amount,
) -> Ter {
    match amount {
        Amount::Issued { value, currency, .. } => {
            trust_line::credit(view, holder, issuer, currency, value)
        }
        Amount::Mpt { value, id } => mpt::credit(view, holder, issuer, id, value),
        Amount::Xrp(_) => Err(EngineResult::TEC_INTERNAL),
    }
}
