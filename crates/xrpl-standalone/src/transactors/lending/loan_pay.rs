//! LoanPay (<https://xrpl.org/docs/references/protocol/transactions/types/loanpay>).

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Issue, Object, Rounding, decimal::Decimal, fields,
};

use super::{amount, broker_and_vault, dependencies, loan_id, loan_manage, names, written};
use crate::{
    ledger::{
        ApplyView, PreparedTx, ReadView, Ter, amendment,
        helpers::{
            account_root::{balance_of, flags_of},
            has_expired,
            loan::{
                self, flag,
                payment::{self, Kind, MAX_PAYMENTS, Parts},
                rate,
                schedule::{State, rounded_payment},
            },
            number,
            token::{self, Auth, IfFrozen, IfUnauthorized, Spendable, TransferFee},
            vault,
        },
    },
    transactors::{
        ApplyContext, PreclaimContext, PreflightContext, Transactor, UNIVERSAL_FLAGS,
        default_base_fee, ensure,
    },
};

const OVERPAYMENT: u32 = 0x0001_0000;
const FULL_PAYMENT: u32 = 0x0002_0000;
const LATE_PAYMENT: u32 = 0x0004_0000;
/// Payments that one base fee is for.
const PAYMENTS_PER_FEE: u32 = 5;

/// The type.
#[derive(Debug)]
pub(crate) struct LoanPay;

fn kind(tx: &PreparedTx) -> Kind {
    let has = |flag| tx.has_flag(flag);
    if has(LATE_PAYMENT) {
        Kind::Late
    } else if has(FULL_PAYMENT) {
        Kind::Full
    } else if has(OVERPAYMENT) {
        Kind::Overpayment
    } else {
        Kind::Regular
    }
}

/// For how many base fees a payment makes work; none where the transaction will fail anyway.
fn fee_increments(view: &dyn ReadView, tx: &PreparedTx) -> Option<u64> {
    if matches!(kind(tx), Kind::Full | Kind::Late) {
        return None;
    }
    let loan = loan::loan(view, &loan_id(tx))?;
    let late = has_expired(view, Some(rate(&loan, fields::NEXT_PAYMENT_DUE_DATE)));
    if rate(&loan, fields::PAYMENT_REMAINING) <= PAYMENTS_PER_FEE || late {
        return None;
    }
    let (_, _, vault) = broker_and_vault(view, &loan.hash256(fields::LOAN_BROKER_ID)?).ok()?;
    let (asset, amount) = (vault::asset(&vault), amount(tx));
    if amount.issue() != asset {
        return None;
    }
    let payment = number::get(&loan, fields::PERIODIC_PAYMENT);
    let payment = rounded_payment(asset, payment, loan::scale_of(&loan)).ok()?;
    let regular = payment + number::get(&loan, fields::LOAN_SERVICE_FEE);
    // What is paid over counts as one payment more.
    Rounding::toward(tx.has_flag(OVERPAYMENT)).during(|| {
        let most = regular * Decimal::from(MAX_PAYMENTS);
        let capped = view.rules().enabled(amendment::FIX_CLEANUP_3_1_3);
        if capped && amount.decimal() >= most {
            return Some(u64::from(MAX_PAYMENTS / PAYMENTS_PER_FEE));
        }
        let payments = Decimal::from((amount.decimal() / regular).to_i64().ok()?);
        let increments =
            Rounding::Up.during(|| (payments / Decimal::from(PAYMENTS_PER_FEE)).to_i64());
        u64::try_from(increments.ok()?.max(1)).ok()
    })
}

impl Transactor for LoanPay {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        dependencies(ctx)
    }

    fn flags(&self, _ctx: &PreflightContext<'_>) -> u32 {
        OVERPAYMENT | FULL_PAYMENT | LATE_PAYMENT
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        names(loan_id(ctx.tx))?;
        ensure(amount(ctx.tx).signum() > 0, EngineResult::TEM_BAD_AMOUNT)?;
        let flags = ctx.tx.flags & !UNIVERSAL_FLAGS;
        ensure(flags.count_ones() <= 1, EngineResult::TEM_INVALID_FLAG)
    }

    fn base_fee(&self, view: &dyn ReadView, tx: &PreparedTx) -> u64 {
        let increments = fee_increments(view, tx).unwrap_or(1);
        default_base_fee(view, tx).saturating_mul(increments)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx, account) = (ctx.view, ctx.tx, ctx.tx.account);
        let loan = loan::loan(view, &loan_id(tx)).ok_or(EngineResult::TEC_NO_ENTRY)?;
        let permission = EngineResult::TEC_NO_PERMISSION;
        ensure(loan.account(fields::BORROWER) == Some(account), permission)?;
        if tx.has_flag(OVERPAYMENT) && flags_of(&loan) & flag::OVERPAYMENT == 0 {
            return Err(match view.rules().enabled(amendment::FIX_CLEANUP_3_1_3) {
                true => permission,
                false => EngineResult::TEM_INVALID_FLAG,
            });
        }
        let open =
            rate(&loan, fields::PAYMENT_REMAINING) != 0 && !State::of(&loan).principal.is_zero();
        ensure(open, EngineResult::TEC_KILLED)?;
        let id = loan.hash256(fields::LOAN_BROKER_ID).unwrap_or_default();
        let (_, _, vault) =
            broker_and_vault(view, &id).map_err(|_| EngineResult::TEF_BAD_LEDGER)?;
        let (asset, amount) = (vault::asset(&vault), amount(tx));
        ensure(amount.issue() == asset, EngineResult::TEC_WRONG_ASSET)?;
        token::check_frozen(view, account, asset)?;
        token::check_deep_frozen(view, vault::account_of(&vault), asset)?;
        token::require_auth(view, asset, account, Auth::Legacy)?;
        let (frozen, unauthorized) = (IfFrozen::Zero, IfUnauthorized::Zero);
        let held =
            token::account_holds(view, account, asset, frozen, unauthorized, Spendable::Full);
        // All that is offered must be there, even if less is taken.
        ensure(!held.is_less(&amount), EngineResult::TEC_INSUFFICIENT_FUNDS)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, id) = (ctx.tx, loan_id(ctx.tx));
        let view = &mut ctx.view;
        let bad = EngineResult::TEF_BAD_LEDGER;
        let found = loan::loan(view, &id).ok_or(bad)?;
        let broker_id = found.hash256(fields::LOAN_BROKER_ID).ok_or(bad)?;
        let (broker, vault_id, vault) = broker_and_vault(view, &broker_id).map_err(|_| bad)?;
        let (asset, lender) = (vault::asset(&vault), vault::account_of(&vault));
        let scale = written(loan::vault_scale(&vault))?;
        let pseudo = broker.account(fields::ACCOUNT).ok_or(bad)?;
        let owner_payee = owner_if_payable(view, &broker, &vault, loan::scale_of(&found))?;
        let payee = owner_payee.unwrap_or(pseudo);
        if owner_payee.is_none() {
            token::check_deep_frozen(view, payee, asset)?;
        }
        let impaired = flags_of(&found) & flag::IMPAIRED != 0;
        drop((found, vault));
        if impaired {
            loan_manage::unimpair(view, &id, &vault_id)?;
        }
        let mut loan = Object::clone(&*view.read(&id).ok_or(bad)?);
        let parts = payment::make(view, asset, &mut loan, &broker, &amount(tx), kind(tx))?;
        drop(broker);
        let Parts { principal, interest, value_change, fee } = parts;
        let negative = [principal, interest, fee].iter().any(|part| part.signum() < 0);
        ensure(!negative, EngineResult::TEC_LIMIT_EXCEEDED)?;

        let to_vault = principal + interest;
        let rounded = written(number::round_to_asset(asset, to_vault, scale, Rounding::Down))?;
        // Interest that was not planned was never a debt.
        let off_debt = to_vault - value_change;
        let broker = view.get_mut(&broker_id).ok_or(bad)?;
        written(loan::adjust(broker, fields::DEBT_TOTAL, -off_debt, asset, scale))?;
        if owner_payee.is_none() {
            written(number::add(broker, fields::COVER_AVAILABLE, fee))?;
        }
        written(number::associate(broker, asset))?;
        written(number::associate(&mut loan, asset))?;
        *view.get_mut(&id).ok_or(bad)? = loan;
        let vault = view.get_mut(&vault_id).ok_or(bad)?;
        credit_vault(vault, asset, rounded, value_change)?;
        pay_out(view, tx.account, asset, (lender, rounded), (payee, fee))
    }
}

/// The broker's owner, if fees may go to it: it covers enough, and may hold the asset.
fn owner_if_payable(
    view: &dyn ReadView,
    broker: &Object,
    vault: &Object,
    loan_scale: i32,
) -> Result<Option<AccountId>, EngineResult> {
    let asset = vault::asset(vault);
    let debt = number::get(broker, fields::DEBT_TOTAL);
    let least = match view.rules().enabled(amendment::FIX_CLEANUP_3_2_0) {
        true => written(loan::minimum_cover(debt, broker, vault))?,
        false => written(loan::minimum_cover_at(debt, broker, asset, loan_scale))?,
    };
    let owner = broker.account(fields::OWNER).ok_or(EngineResult::TEF_BAD_LEDGER)?;
    let payable = number::get(broker, fields::COVER_AVAILABLE) >= least
        && !token::is_deep_frozen(view, owner, asset)
        && token::require_auth(view, asset, owner, Auth::Strong).is_ok();
    Ok(payable.then_some(owner))
}

/// The vault gets back what was lent, and interest.
fn credit_vault(vault: &mut Object, asset: Issue, paid: Decimal, change: Decimal) -> Ter {
    let (total, available) = (vault::total(vault), vault::available(vault));
    written(number::add(vault, fields::ASSETS_AVAILABLE, paid))?;
    written(number::add(vault, fields::ASSETS_TOTAL, change))?;
    written(number::associate(vault, asset))?;
    let loss = EngineResult::TEC_PRECISION_LOSS;
    let (now, now_available) = (vault::total(vault), vault::available(vault));
    ensure(now_available != available, loss)?;
    ensure(change.is_zero() || now != total, loss)?;
    let sane = (!change.is_zero() || now == total) && now_available <= now;
    ensure(sane, EngineResult::TEC_INTERNAL)
}

/// Moves the money from the borrower.
fn pay_out(
    view: &mut dyn ApplyView,
    borrower: AccountId,
    asset: Issue,
    (lender, to_vault): (AccountId, Decimal),
    (payee, fee): (AccountId, Decimal),
) -> Ter {
    if !to_vault.is_zero() {
        token::require_auth(view, asset, lender, Auth::Strong)?;
    }
    if !fee.is_zero() {
        if payee == borrower {
            // It may have given up its holding.
            let root = view.account(payee).ok_or(EngineResult::TEF_BAD_LEDGER)?;
            let balance = balance_of(&root);
            drop(root);
            match token::add_empty_holding(view, payee, balance, asset) {
                Ok(()) | Err(EngineResult::TEC_DUPLICATE) => {}
                Err(error) => return Err(error),
            }
        }
        token::require_auth(view, asset, payee, Auth::Strong)?;
    }
    let amount = |value| written(Amount::from_decimal(asset, value));
    let receivers = [(lender, amount(to_vault)?), (payee, amount(fee)?)];
    token::account_send_multi(view, borrower, asset, &receivers, TransferFee::Waive)
}
