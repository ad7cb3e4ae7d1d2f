//! AMMWithdraw (<https://xrpl.org/docs/references/protocol/transactions/types/ammwithdraw>).

use xrpl_protocol::{AccountId, Amount, EngineResult, fields};

use super::{
    assets, existing, flag, form, mpts_allowed,
    withdraw_forms::{Forms, Plan},
    withdrawal::{self, Terms},
};
use crate::{
    ledger::{
        PreparedTx, ReadView, Rules, Ter, amendment,
        helpers::{
            amm::{
                delete,
                pool::{account_of, check_pool_precision, holds, lp_holds, settle_last_provider},
                slots,
            },
            token::{self, Auth, IfFrozen, IfUnauthorized},
        },
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

const FORMS: u32 = flag::LP_TOKEN
    | flag::WITHDRAW_ALL
    | flag::ONE_ASSET_WITHDRAW_ALL
    | flag::SINGLE_ASSET
    | flag::TWO_ASSET
    | flag::ONE_ASSET_LP_TOKEN
    | flag::LIMIT_LP_TOKEN;
/// Forms that redeem all that the account has.
const ALL: u32 = flag::WITHDRAW_ALL | flag::ONE_ASSET_WITHDRAW_ALL;

/// The type.
#[derive(Debug)]
pub(crate) struct Withdraw;

/// Whether a form has the fields that it needs, and no others.
fn is_well_formed(tx: &PreparedTx) -> bool {
    let has = |field| tx.object.contains(field);
    let (amount, amount2) = (has(fields::AMOUNT), has(fields::AMOUNT2));
    let (price, tokens) = (has(fields::E_PRICE), has(fields::LP_TOKEN_IN));
    match tx.flags & FORMS {
        flag::LP_TOKEN => tokens && !amount && !amount2 && !price,
        flag::WITHDRAW_ALL => !tokens && !amount && !amount2 && !price,
        flag::ONE_ASSET_WITHDRAW_ALL | flag::SINGLE_ASSET => {
            amount && !tokens && !amount2 && !price
        }
        flag::TWO_ASSET => amount && amount2 && !tokens && !price,
        flag::ONE_ASSET_LP_TOKEN => amount && tokens && !amount2 && !price,
        flag::LIMIT_LP_TOKEN => amount && price && !tokens && !amount2,
        _ => false,
    }
}

/// LP tokens that a form names.
fn tokens_to_redeem(tx: &PreparedTx, held: Amount) -> Option<Amount> {
    match tx.flags & ALL {
        0 => tx.object.amount(fields::LP_TOKEN_IN),
        _ => Some(held),
    }
}

impl Transactor for Withdraw {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        mpts_allowed(ctx)
    }

    fn flags(&self, _ctx: &PreflightContext<'_>) -> u32 {
        FORMS
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        let bad = EngineResult::TEM_BAD_AMM_TOKENS;
        ensure(is_well_formed(tx), EngineResult::TEM_MALFORMED)?;
        let pair = assets(tx);
        form::pair(pair)?;
        let of = |field| tx.object.amount(field);
        let (amount, amount2) = (of(fields::AMOUNT), of(fields::AMOUNT2));
        if let (Some(amount), Some(amount2)) = (amount, amount2) {
            ensure(amount.issue() != amount2.issue(), bad)?;
        }
        ensure(of(fields::LP_TOKEN_IN).is_none_or(|tokens| tokens.signum() > 0), bad)?;
        let price = of(fields::E_PRICE);
        if let Some(amount) = amount {
            let only_limit = flag::ONE_ASSET_WITHDRAW_ALL | flag::ONE_ASSET_LP_TOKEN;
            let may_be_zero = tx.flags & only_limit != 0 || price.is_some();
            form::amount(&amount, Some(pair), may_be_zero)?;
        }
        if let Some(amount2) = amount2 {
            form::amount(&amount2, Some(pair), false)?;
        }
        price.map_or(Ok(()), |price| form::amount(&price, None, false))
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx) = (ctx.view, ctx.tx);
        let (_, amm) = existing(view, tx)?;
        let amounts = [fields::AMOUNT, fields::AMOUNT2].map(|field| tx.object.amount(field));
        let [first, second] = amounts.map(|amount| amount.map(|amount| amount.issue()));
        let (ignore, any) = (IfFrozen::Ignore, IfUnauthorized::Ignore);
        let pool = holds(view, &amm, first, second, ignore, any)?;
        ensure(!pool.lp_tokens.is_zero(), EngineResult::TEC_AMM_EMPTY)?;
        let balances = [pool.balance, pool.balance2];
        let has_all = balances.iter().all(|held| held.signum() > 0) && pool.lp_tokens.signum() > 0;
        ensure(has_all, EngineResult::TEC_INTERNAL)?;
        for (amount, balance) in amounts.iter().zip(&balances) {
            if let Some(amount) = amount {
                may_take(view, tx.account, account_of(&amm), amount, balance)?;
            }
        }
        let held = lp_holds(view, &amm, tx.account);
        let tokens = tokens_to_redeem(tx, held);
        ensure(held.signum() > 0, EngineResult::TEC_AMM_BALANCE)?;
        let bad = EngineResult::TEM_BAD_AMM_TOKENS;
        ensure(tokens.is_none_or(|tokens| tokens.issue() == held.issue()), bad)?;
        let more = tokens.is_some_and(|tokens| tokens.is_more(&held));
        ensure(!more, EngineResult::TEC_AMM_INVALID_TOKENS)?;
        let price = tx.object.amount(fields::E_PRICE);
        ensure(price.is_none_or(|price| price.issue() == held.issue()), bad)?;
        if tx.flags & (flag::LP_TOKEN | flag::WITHDRAW_ALL) != 0 {
            for balance in &balances {
                may_take(view, tx.account, account_of(&amm), balance, balance)?;
            }
        }
        Ok(())
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, account, prior_balance) = (ctx.tx, ctx.tx.account, ctx.prior_balance);
        let view = &mut ctx.view;
        let internal = EngineResult::TEC_INTERNAL;
        let (id, amm) = existing(view, tx).map_err(|_| internal)?;
        view.account(account_of(&amm)).ok_or(internal)?;
        let held = lp_holds(view, &amm, account);
        drop(amm);
        if view.rules().enabled(amendment::FIX_AMM_V1_1) {
            settle_last_provider(view, &id, &held, account)?;
        }
        let amm = view.read(&id).ok_or(internal)?;
        let terms = Terms {
            account,
            frozen: frozen_counts(view.rules(), tx),
            unauthorized: IfUnauthorized::Zero,
            all: tx.flags & ALL != 0,
            prior_balance,
            fee: slots::trading_fee_of(view, &amm, account),
        };
        let issue = |field| tx.object.amount(field).map(|amount| amount.issue());
        let (first, second) = (issue(fields::AMOUNT), issue(fields::AMOUNT2));
        let pool = holds(view, &amm, first, second, terms.frozen, terms.unauthorized)?;
        let tokens = tokens_to_redeem(tx, held);
        let plan = Forms { rules: view.rules(), tx, pool, terms, tokens }.plan()?;
        let taken = match plan {
            Plan::Proportional(tokens) => {
                withdrawal::in_proportion(view, &amm, &pool, &terms, tokens)?
            }
            Plan::Amounts(wanted) => withdrawal::withdraw(view, &amm, &pool, &terms, wanted)?,
        };
        let rules = view.rules();
        let left = taken.lp_tokens_left;
        if rules.enabled(amendment::FIX_CLEANUP_3_3_0) && rules.enabled(amendment::FIX_AMM_V1_3) {
            check_pool_precision(view, account_of(&amm), assets(tx), &left)?;
        }
        drop(amm);
        let (asset, other) = assets(tx);
        delete::settle(view, asset, other, left)
    }
}

/// An issuer can always take its own out of a pool, frozen or not.
fn frozen_counts(rules: &Rules, tx: &PreparedTx) -> IfFrozen {
    let (asset, other) = assets(tx);
    let is_issuer =
        [asset, other].into_iter().any(|issue| token::issuer_of(issue) == Some(tx.account));
    match rules.enabled(amendment::FIX_CLEANUP_3_3_0) && is_issuer {
        true => IfFrozen::Ignore,
        false => IfFrozen::Zero,
    }
}

/// Whether an account may take an amount out of what a pool has.
fn may_take(
    view: &dyn ReadView,
    account: AccountId,
    amm: AccountId,
    amount: &Amount,
    balance: &Amount,
) -> Ter {
    ensure(!amount.is_more(balance), EngineResult::TEC_AMM_BALANCE)?;
    let issue = amount.issue();
    // An MPToken that is missing will be created.
    token::require_auth(view, issue, account, Auth::Weak)?;
    if view.rules().enabled(amendment::FIX_CLEANUP_3_3_0) {
        return token::check_withdraw_freeze(view, amm, account, account, issue);
    }
    token::check_frozen(view, amm, issue)?;
    token::check_individual_frozen(view, account, issue)
}
