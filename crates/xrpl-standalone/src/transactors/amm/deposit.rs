//! AMMDeposit (<https://xrpl.org/docs/references/protocol/transactions/types/ammdeposit>).

use xrpl_protocol::{AccountId, Amount, EngineResult, Issue, Object, fields, object_id};

use super::{
    assets,
    deposit_forms::{Forms, Plan},
    existing, flag, form, mpts_allowed, written,
};
use crate::{
    ledger::{
        ApplyView, PreparedTx, ReadView, Ter, amendment,
        helpers::{
            account_root::xrp_liquid,
            amm::{
                Holdings, MAX_TRADING_FEE,
                formula::{OneSide, adjusted_late},
                pool::{account_of, check_pool_precision, holds, lp_holds, lp_tokens},
                rounding::Flow,
                slots,
            },
            mpt,
            token::{self, Auth, IfFrozen, IfUnauthorized, TransferFee},
        },
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

const FORMS: u32 = flag::LP_TOKEN
    | flag::SINGLE_ASSET
    | flag::TWO_ASSET
    | flag::ONE_ASSET_LP_TOKEN
    | flag::LIMIT_LP_TOKEN
    | flag::TWO_ASSET_IF_EMPTY;

/// The type.
#[derive(Debug)]
pub(crate) struct Deposit;

/// Whether a form has the fields that it needs, and no others.
fn is_well_formed(tx: &PreparedTx) -> bool {
    let has = |field| tx.object.contains(field);
    let (amount, amount2) = (has(fields::AMOUNT), has(fields::AMOUNT2));
    let (price, tokens) = (has(fields::E_PRICE), has(fields::LP_TOKEN_OUT));
    let fee = has(fields::TRADING_FEE);
    match tx.flags & FORMS {
        flag::LP_TOKEN => tokens && !price && amount == amount2 && !fee,
        flag::SINGLE_ASSET => amount && !amount2 && !price && !fee,
        flag::TWO_ASSET => amount && amount2 && !price && !fee,
        flag::ONE_ASSET_LP_TOKEN => amount && tokens && !amount2 && !price && !fee,
        flag::LIMIT_LP_TOKEN => amount && price && !tokens && !amount2 && !fee,
        flag::TWO_ASSET_IF_EMPTY => amount && amount2 && !price && !tokens,
        _ => false,
    }
}

impl Transactor for Deposit {
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
        ensure(of(fields::LP_TOKEN_OUT).is_none_or(|tokens| tokens.signum() > 0), bad)?;
        let price = of(fields::E_PRICE);
        if let Some(amount) = amount {
            form::amount(&amount, Some(pair), price.is_some())?;
        }
        if let Some(amount2) = amount2 {
            form::amount(&amount2, Some(pair), false)?;
        }
        if let (Some(amount), Some(price)) = (amount, price) {
            let issue = amount.issue();
            let any = ctx.rules.enabled(amendment::MPTOKENS_V2);
            form::amount(&price, (!any).then_some((issue, issue)), false)?;
        }
        let fee = tx.object.u16(fields::TRADING_FEE).unwrap_or_default();
        ensure(fee <= MAX_TRADING_FEE, EngineResult::TEM_BAD_FEE)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx) = (ctx.view, ctx.tx);
        let (_, amm) = existing(view, tx)?;
        let pool = holds(view, &amm, None, None, IfFrozen::Ignore, IfUnauthorized::Ignore)?;
        has_what_it_should(tx, &pool)?;
        let amounts = [fields::AMOUNT, fields::AMOUNT2].map(|field| tx.object.amount(field));
        let (asset, other) = assets(tx);
        for issue in [asset, other] {
            may_deposit(view, tx.account, account_of(&amm), issue)?;
        }
        let for_tokens = tx.has_flag(flag::LP_TOKEN);
        // With LP tokens named, the amounts are only limits.
        let looked_at =
            if for_tokens { [Some(pool.balance), Some(pool.balance2)] } else { amounts };
        for amount in looked_at.into_iter().flatten() {
            may_hold(view, tx.account, account_of(&amm), amount.issue())?;
            if !for_tokens {
                is_funded(view, &amm, tx.account, &amount)?;
            }
        }
        if let Some(tokens) = tx.object.amount(fields::LP_TOKEN_OUT) {
            let same = tokens.issue() == pool.lp_tokens.issue();
            ensure(same, EngineResult::TEM_BAD_AMM_TOKENS)?;
        }
        // A new line for LP tokens needs a reserve, also where no XRP is deposited.
        if lp_holds(view, &amm, tx.account).is_zero() {
            let xrp = xrp_liquid(view, tx.account, 1);
            ensure(xrp > 0, EngineResult::TEC_INSUF_RESERVE_LINE)?;
        }
        mpt::can_trade_and_transfer(view, asset, tx.account, tx.account)?;
        mpt::can_trade_and_transfer(view, other, tx.account, tx.account)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, account) = (ctx.tx, ctx.tx.account);
        let view = &mut ctx.view;
        let (id, amm) = existing(view, tx).map_err(|_| EngineResult::TEC_INTERNAL)?;
        let issue = |field| tx.object.amount(field).map(|amount| amount.issue());
        let (first, second) = (issue(fields::AMOUNT), issue(fields::AMOUNT2));
        let pool = holds(view, &amm, first, second, IfFrozen::Zero, IfUnauthorized::Zero)?;
        let was_empty = pool.lp_tokens.is_zero();
        let fee = match was_empty {
            true => tx.object.u16(fields::TRADING_FEE).unwrap_or_default(),
            false => slots::trading_fee_of(view, &amm, account),
        };
        let plan = Forms { rules: view.rules(), tx, pool, fee }.plan()?;
        let deposited = deposit(view, account, &amm, &pool, &plan, fee);
        let tokens = match deposited {
            // xrpld catches what it throws in this form.
            Err(EngineResult::TEF_EXCEPTION) if tx.has_flag(flag::LP_TOKEN) => {
                return Err(EngineResult::TEC_INTERNAL);
            }
            other => other?,
        };
        let rules = view.rules();
        if rules.enabled(amendment::FIX_CLEANUP_3_3_0) && rules.enabled(amendment::FIX_AMM_V1_3) {
            check_pool_precision(view, account_of(&amm), assets(tx), &tokens)?;
        }
        drop(amm);
        let info = view.info().clone();
        let amm = view.get_mut(&id).ok_or(EngineResult::TEC_INTERNAL)?;
        amm.set(fields::LP_TOKEN_BALANCE, tokens.into());
        if was_empty {
            slots::initialize(&info, amm, account, tokens.issue(), fee);
        }
        Ok(())
    }
}

/// An empty pool is filled by a form of its own.
fn has_what_it_should(tx: &PreparedTx, pool: &Holdings) -> Ter {
    let internal = EngineResult::TEC_INTERNAL;
    let Holdings { balance, balance2, lp_tokens } = pool;
    if tx.has_flag(flag::TWO_ASSET_IF_EMPTY) {
        ensure(lp_tokens.is_zero(), EngineResult::TEC_AMM_NOT_EMPTY)?;
        return ensure(balance.is_zero() && balance2.is_zero(), internal);
    }
    ensure(!lp_tokens.is_zero(), EngineResult::TEC_AMM_EMPTY)?;
    let all = [balance, balance2, lp_tokens];
    ensure(all.into_iter().all(|amount| amount.signum() > 0), internal)
}

/// Whether a freeze of either asset or a missing authorisation keeps an account from depositing.
fn may_deposit(view: &dyn ReadView, account: AccountId, amm: AccountId, issue: Issue) -> Ter {
    let rules = view.rules();
    if rules.enabled(amendment::FIX_CLEANUP_3_3_0) {
        token::require_auth(view, issue, account, Auth::Weak)?;
        token::check_deposit_freeze(view, account, amm, issue)
    } else if rules.enabled(amendment::AMM_CLAWBACK) {
        // What is not deposited need not be held.
        token::require_auth(view, issue, account, Auth::Weak)?;
        token::check_frozen(view, account, issue)
    } else {
        Ok(())
    }
}

/// Whether an account may hold what it deposits, and may move it.
fn may_hold(view: &dyn ReadView, account: AccountId, amm: AccountId, issue: Issue) -> Ter {
    token::require_auth(view, issue, account, Auth::Legacy)?;
    if view.rules().enabled(amendment::FIX_CLEANUP_3_3_0) {
        return Ok(());
    }
    token::check_frozen(view, amm, issue)?;
    token::check_individual_frozen(view, account, issue)
}

fn has_lp_line(view: &dyn ReadView, amm: &Object, account: AccountId) -> bool {
    match lp_tokens(amm).issue() {
        Issue::Issued { currency, issuer } => {
            view.exists(&object_id::trust_line(account, issuer, currency))
        }
        _ => false,
    }
}

/// Whether an account has what it deposits; of XRP a reserve for the line of its LP tokens stays.
fn is_funded(view: &dyn ReadView, amm: &Object, account: AccountId, amount: &Amount) -> Ter {
    let unfunded = EngineResult::TEC_UNFUNDED_AMM;
    let Amount::Xrp(drops) = *amount else {
        let (frozen, unauthorized) = (IfFrozen::Ignore, IfUnauthorized::Ignore);
        let funds = token::account_funds(view, account, *amount, frozen, unauthorized);
        return ensure(!funds.is_less(amount), unfunded);
    };
    let is_provider = has_lp_line(view, amm, account);
    if xrp_liquid(view, account, i64::from(!is_provider)) >= drops {
        return Ok(());
    }
    Err(if is_provider { unfunded } else { EngineResult::TEC_INSUF_RESERVE_LINE })
}

/// Moves the amounts in and the LP tokens out. Returns all LP tokens that there are then.
fn deposit(
    view: &mut dyn ApplyView,
    account: AccountId,
    amm: &Object,
    pool: &Holdings,
    plan: &Plan,
    fee: u16,
) -> Result<Amount, EngineResult> {
    let rules = view.rules();
    let side = OneSide { rules, balance: plan.balance, lp_tokens: pool.lp_tokens, fee };
    let actual = written(adjusted_late(&side, plan.wanted, Flow::In))?;
    ensure(actual.tokens.signum() > 0, EngineResult::TEC_AMM_INVALID_TOKENS)?;
    let too_little = |amount: Option<Amount>, least: Option<Amount>| {
        amount.zip(least).is_some_and(|(amount, least)| amount.is_less(&least))
    };
    let below = too_little(Some(actual.amount), plan.least)
        || too_little(actual.amount2, plan.least2)
        || too_little(Some(actual.tokens), plan.least_tokens);
    ensure(!below, EngineResult::TEC_AMM_FAILED)?;
    let pool_account = account_of(amm);
    for amount in [Some(actual.amount), actual.amount2].into_iter().flatten() {
        ensure(amount.signum() > 0, EngineResult::TEM_BAD_AMOUNT)?;
        is_funded(view, amm, account, &amount).map_err(|_| EngineResult::TEC_UNFUNDED_AMM)?;
        token::account_send(view, account, pool_account, amount, TransferFee::Waive)?;
    }
    token::account_send(view, pool_account, account, actual.tokens, TransferFee::Charge)?;
    written(pool.lp_tokens.checked_add(&actual.tokens))
}
