//! AMMCreate (<https://xrpl.org/docs/references/protocol/transactions/types/ammcreate>).

use xrpl_protocol::{AccountId, Amount, EngineResult, Issue, fields, object_id};

use super::{form, mpts_allowed, written};
use crate::{
    ledger::{
        ApplyView, PreparedTx, ReadView, Ter, amendment, directory, entry_type,
        helpers::{
            account_root::{
                create_pseudo_account, flag, flags_of, pseudo_account_address, xrp_liquid,
            },
            amm::{MAX_TRADING_FEE, formula, lp_issue, slots},
            mpt,
            token::{self, Auth, IfFrozen, IfUnauthorized, TransferFee},
            trust_line,
        },
    },
    transactors::{
        ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure, owner_reserve_fee,
    },
};

/// The type.
#[derive(Debug)]
pub(crate) struct Create;

fn amounts(tx: &PreparedTx) -> [Amount; 2] {
    [fields::AMOUNT, fields::AMOUNT2].map(|field| tx.object.amount(field).unwrap_or(Amount::Xrp(0)))
}

fn fee(tx: &PreparedTx) -> u16 {
    tx.object.u16(fields::TRADING_FEE).unwrap_or_default()
}

impl Transactor for Create {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        mpts_allowed(ctx)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let amounts = amounts(ctx.tx);
        ensure(amounts[0].issue() != amounts[1].issue(), EngineResult::TEM_BAD_AMM_TOKENS)?;
        for amount in &amounts {
            form::amount(amount, None, false)?;
        }
        ensure(fee(ctx.tx) <= MAX_TRADING_FEE, EngineResult::TEM_BAD_FEE)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, account) = (ctx.view, ctx.tx.account);
        let amounts = amounts(ctx.tx);
        let issues = amounts.map(|amount| amount.issue());
        let id = object_id::amm(issues[0], issues[1]);
        ensure(!view.exists(&id), EngineResult::TEC_DUPLICATE)?;
        for issue in issues {
            token::require_auth(view, issue, account, Auth::Legacy)?;
        }
        for issue in issues {
            token::check_frozen(view, account, issue)?;
        }
        let stops_rippling = |issue| match issue {
            Issue::Issued { issuer, .. } => {
                view.account(issuer).is_some_and(|root| flags_of(&root) & flag::DEFAULT_RIPPLE == 0)
            }
            _ => false,
        };
        ensure(!issues.into_iter().any(stops_rippling), EngineResult::TER_NO_RIPPLE)?;
        // The line for LP tokens needs a reserve.
        let xrp = xrp_liquid(view, account, 1);
        ensure(xrp > 0, EngineResult::TEC_INSUF_RESERVE_LINE)?;
        let is_unfunded = |amount: &Amount| {
            let funds = match amount {
                Amount::Xrp(_) => Amount::Xrp(xrp),
                _ => {
                    let (frozen, unauthorized) = (IfFrozen::Zero, IfUnauthorized::Zero);
                    token::account_funds(view, account, *amount, frozen, unauthorized)
                }
            };
            funds.is_less(amount)
        };
        ensure(!amounts.iter().any(is_unfunded), EngineResult::TEC_UNFUNDED_AMM)?;
        let is_of_amm = |issue| {
            let issuer = token::issuer_of(issue).and_then(|issuer| view.account(issuer));
            issuer.is_some_and(|root| root.contains(fields::AMMID))
        };
        ensure(!issues.into_iter().any(is_of_amm), EngineResult::TEC_AMM_INVALID_TOKENS)?;
        if view.rules().enabled(amendment::SINGLE_ASSET_VAULT) {
            let free = pseudo_account_address(view, id).is_some();
            ensure(free, EngineResult::TER_ADDRESS_COLLISION)?;
        }
        for issue in issues {
            mpt::can_trade_and_transfer(view, issue, account, account)?;
        }
        if view.rules().enabled(amendment::AMM_CLAWBACK) {
            return Ok(());
        }
        issues.into_iter().try_for_each(|issue| cannot_be_clawed_back(view, issue))
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, account) = (ctx.tx, ctx.tx.account);
        let [amount, other] = amounts(tx);
        let (asset, asset2) = (amount.issue(), other.issue());
        let view = &mut ctx.view;
        let id = object_id::amm(asset, asset2);
        let pool = create_pseudo_account(view, id, fields::AMMID)?;
        let lp_issue = lp_issue(asset, asset2, pool);
        let tokens = written(formula::initial_lp_tokens(view.rules(), &amount, &other, lp_issue))?;
        let page = directory::add_owned(view, pool, id).ok_or(EngineResult::TEC_DIR_FULL)?;
        let mut amm = entry_type::new(entry_type::AMM)
            .with(fields::ACCOUNT, pool)
            .with(fields::LP_TOKEN_BALANCE, tokens)
            .with(fields::ASSET, asset.min(asset2))
            .with(fields::ASSET2, asset.max(asset2))
            .with(fields::OWNER_NODE, page);
        slots::initialize(view.info(), &mut amm, account, lp_issue, fee(tx));
        view.insert(id, amm);
        token::account_send(view, pool, account, tokens, TransferFee::Charge)?;
        fill(view, account, pool, amount)?;
        fill(view, account, pool, other)
    }

    fn base_fee(&self, view: &dyn ReadView, _tx: &PreparedTx) -> u64 {
        owner_reserve_fee(view)
    }
}

/// Before AMMClawback an issuer that may claw back had no pools.
fn cannot_be_clawed_back(view: &dyn ReadView, issue: Issue) -> Ter {
    let (entry, flag) = match issue {
        Issue::Xrp => return Ok(()),
        Issue::Issued { issuer, .. } => (view.account(issuer), flag::ALLOW_TRUST_LINE_CLAWBACK),
        Issue::Mpt(id) => (view.read(&object_id::mpt_issuance(id)), mpt::flag::CAN_CLAWBACK),
    };
    let entry = entry.ok_or(EngineResult::TEC_INTERNAL)?;
    ensure(flags_of(&entry) & flag == 0, EngineResult::TEC_NO_PERMISSION)
}

/// Sends the first amount of an asset into a pool, and marks what the pool holds it by as an AMM's.
fn fill(view: &mut dyn ApplyView, from: AccountId, pool: AccountId, amount: Amount) -> Ter {
    if let Issue::Mpt(id) = amount.issue() {
        mpt::require_auth(view, id, pool, Auth::Weak)?;
        // The owner count of a pool's account does not matter.
        mpt::create(view, id, pool, mpt::flag::AMM | mpt::flag::AUTHORIZED)?;
    }
    token::account_send(view, from, pool, amount, TransferFee::Waive)?;
    if let Issue::Issued { currency, issuer } = amount.issue() {
        let key = object_id::trust_line(pool, issuer, currency);
        let line = view.get_mut(&key).ok_or(EngineResult::TEC_INTERNAL)?;
        let flags = flags_of(line) | trust_line::AMM_NODE;
        line.set(fields::FLAGS, flags.into());
    }
    Ok(())
}
