//! Taking assets out of a pool for LP tokens: what AMMWithdraw and AMMClawback share.

use xrpl_protocol::{AccountId, Amount, EngineResult, Issue, Object, object_id};

use super::written;
use crate::{
    ledger::{
        ApplyView, ReadView, Ter, amendment,
        helpers::{
            account_root::{balance_of, owner_count},
            amm::{
                Holdings,
                formula::{Adjusted, OneSide, adjusted_late},
                pool::{account_of, holds, lp_holds},
                rounding::{Flow, adjusted_early, rounded_share_of_asset},
            },
            mpt,
            token::{self, Auth, IfFrozen, IfUnauthorized, TransferFee},
            trust_line,
        },
    },
    transactors::ensure,
};

/// Things an account may own before it must keep a reserve for a line or an MPToken.
const FREE_ITEMS: u32 = 2;

/// Who takes out, and how what the pool holds is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// Whose LP tokens are redeemed, and who gets the assets.
    pub(super) account: AccountId,
    /// Whether frozen assets count.
    pub(super) frozen: IfFrozen,
    /// Whether MPTs count that the pool is not authorised for.
    pub(super) unauthorized: IfUnauthorized,
    /// All that the account has: its LP tokens are not adjusted.
    pub(super) all: bool,
    /// XRP of the transaction's account before its fee, in drops.
    pub(super) prior_balance: i64,
    /// Trading fee.
    pub(super) fee: u16,
}

/// What was taken out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    /// All LP tokens that are left.
    pub(super) lp_tokens_left: Amount,
    /// Of the first asset.
    pub(super) amount: Amount,
    /// Of the second.
    pub(super) amount2: Option<Amount>,
}

type Result<T> = std::result::Result<T, EngineResult>;

/// Takes both assets out in proportion to LP tokens.
///
/// # Errors
/// As [`withdraw`]; `tecAMM_FAILED` where one of the amounts comes to nothing.
pub(super) fn in_proportion(
    view: &mut dyn ApplyView,
    amm: &Object,
    pool: &Holdings,
    terms: &Terms,
    tokens: Amount,
) -> Result<Taken> {
    proportional(view, amm, pool, terms, tokens).map_err(|error| match error {
        // xrpld catches here what it throws.
        EngineResult::TEF_EXCEPTION => EngineResult::TEC_INTERNAL,
        other => other,
    })
}

fn proportional(
    view: &mut dyn ApplyView,
    amm: &Object,
    pool: &Holdings,
    terms: &Terms,
    tokens: Amount,
) -> Result<Taken> {
    let Holdings { balance, balance2, lp_tokens: all } = pool;
    if tokens == *all {
        let wanted = Adjusted { amount: *balance, amount2: Some(*balance2), tokens };
        return withdraw(view, amm, pool, &Terms { all: true, ..*terms }, wanted);
    }
    let rules = view.rules();
    let tokens = match terms.all {
        true => tokens,
        false => written(adjusted_early(rules, all, tokens, Flow::Out))?,
    };
    let nothing = rules.enabled(amendment::FIX_AMM_V1_3) && tokens.is_zero();
    ensure(!nothing, EngineResult::TEC_AMM_INVALID_TOKENS)?;
    let share = written(tokens.divide(all, all.issue()))?;
    let part = |of| written(rounded_share_of_asset(rules, of, &share, Flow::Out));
    let (amount, amount2) = (part(balance)?, part(balance2)?);
    let some = !amount.is_zero() && !amount2.is_zero();
    ensure(some, EngineResult::TEC_AMM_FAILED)?;
    withdraw(view, amm, pool, terms, Adjusted { amount, amount2: Some(amount2), tokens })
}

/// Takes amounts out for LP tokens.
///
/// # Errors
/// `tecAMM_INVALID_TOKENS`, `tecAMM_BALANCE` for all of one side of a pool or more than it has,
/// `tecINSUFFICIENT_RESERVE` for a new line or MPToken, and those of sending.
pub(super) fn withdraw(
    view: &mut dyn ApplyView,
    amm: &Object,
    pool: &Holdings,
    terms: &Terms,
    wanted: Adjusted,
) -> Result<Taken> {
    let held = lp_holds(view, amm, terms.account);
    let issue = wanted.amount.issue();
    let current = holds(view, amm, Some(issue), None, terms.frozen, terms.unauthorized)?;
    let actual = if terms.all {
        wanted
    } else {
        let Holdings { balance, lp_tokens, .. } = *pool;
        let side = OneSide { rules: view.rules(), balance, lp_tokens, fee: terms.fee };
        written(adjusted_late(&side, wanted, Flow::Out))?
    };
    let Adjusted { amount, amount2, tokens } = actual;
    let valid = tokens.signum() > 0 && !tokens.is_more(&held);
    ensure(valid, EngineResult::TEC_AMM_INVALID_TOKENS)?;
    let more = view.rules().enabled(amendment::FIX_AMM_V1_1) && tokens.is_more(&pool.lp_tokens);
    ensure(!more, EngineResult::TEC_INTERNAL)?;
    leaves_a_pool(view, &current, &pool.lp_tokens, &actual)?;
    for amount in [Some(amount), amount2].into_iter().flatten() {
        receive(view, account_of(amm), terms, amount)?;
    }
    let Amount::Issued { value, currency, issuer } = tokens else {
        return Err(EngineResult::TEC_INTERNAL);
    };
    trust_line::redeem(view, terms.account, issuer, currency, value)?;
    let lp_tokens_left = written(pool.lp_tokens.checked_sub(&tokens))?;
    Ok(Taken { lp_tokens_left, amount, amount2 })
}

/// A pool has either both assets or neither.
fn leaves_a_pool(view: &dyn ReadView, current: &Holdings, all: &Amount, taken: &Adjusted) -> Ter {
    let Adjusted { amount, amount2, tokens } = taken;
    let (takes_first, takes_second) =
        (*amount == current.balance, *amount2 == Some(current.balance2));
    let bad = EngineResult::TEC_AMM_BALANCE;
    ensure(takes_first == takes_second, bad)?;
    ensure(tokens != all || takes_first, bad)?;
    let more = amount.is_more(&current.balance)
        || amount2.is_some_and(|amount2| amount2.is_more(&current.balance2));
    ensure(!more, bad)?;
    if !view.rules().enabled(amendment::MPTOKENS_V2) {
        return Ok(());
    }
    let is_left =
        |all: &Amount, taken: &Amount| written(all.checked_sub(taken)).map(|left| !left.is_zero());
    let (first, lp_tokens) = (is_left(&current.balance, amount)?, is_left(all, tokens)?);
    // The other side may be frozen and count for nothing: it is left alone with a single asset.
    let second = match amount2 {
        Some(amount2) => is_left(&current.balance2, amount2)?,
        None => lp_tokens,
    };
    ensure(first == lp_tokens && second == lp_tokens, bad)
}

/// The account gets an amount, and what holds it if it has none yet.
fn receive(view: &mut dyn ApplyView, pool: AccountId, terms: &Terms, amount: Amount) -> Ter {
    let account = terms.account;
    let checked = view.rules().enabled(amendment::FIX_AMM_V1_2);
    match amount.issue() {
        Issue::Issued { currency, issuer }
            if checked && !view.exists(&object_id::trust_line(account, issuer, currency)) =>
        {
            let root = view.account(account).ok_or(EngineResult::TEC_INTERNAL)?;
            can_keep_reserve(view, terms, terms.prior_balance.max(balance_of(&root)))?;
        }
        Issue::Mpt(id) if checked && !view.exists(&object_id::mptoken(id, account)) => {
            can_keep_reserve(view, terms, terms.prior_balance)?;
            if account != id.issuer() {
                mpt::require_auth(view, id, account, Auth::Weak)?;
                mpt::create_if_missing(view, id, account)?;
            }
        }
        _ => {}
    }
    token::account_send(view, pool, account, amount, TransferFee::Waive)
}

fn can_keep_reserve(view: &dyn ReadView, terms: &Terms, balance: i64) -> Ter {
    let root = view.account(terms.account).ok_or(EngineResult::TEC_INTERNAL)?;
    let count = owner_count(&root);
    if count < FREE_ITEMS {
        return Ok(());
    }
    let reserve = view.info().fees.account_reserve(count.saturating_add(1));
    let reserve = i64::try_from(reserve).unwrap_or(i64::MAX);
    ensure(balance >= reserve, EngineResult::TEC_INSUFFICIENT_RESERVE)
}
