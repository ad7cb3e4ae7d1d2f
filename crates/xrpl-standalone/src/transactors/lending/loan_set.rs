//! LoanSet (<https://xrpl.org/docs/references/protocol/transactions/types/loanset>): borrower and broker
//! agree on a loan, both with their signatures.

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Field, Issue, Object, Value, decimal::Decimal, fields,
    keys::PublicKey, object_id,
};

use super::{
    broker_and_vault, broker_id, count_loan, dependencies, given, representable, valid_data,
    written,
};
use crate::{
    ledger::{
        ApplyView, PreparedTx, ReadView, Rules, Ter, amendment, directory, entry_type,
        helpers::{
            account_root::{adjust_owner_count, balance_of, reserve},
            copy_fields,
            loan::{
                self, flag, management_fee_rate, periodic_rate,
                schedule::{Properties, State, is_rounded},
            },
            number,
            token::{self, Auth, TransferFee},
            vault,
        },
    },
    transactors::{
        ApplyContext, PreclaimContext, PreflightContext, Signed, Transactor, check_signatures,
        default_base_fee, ensure, preflight::unsigned, signatures,
    },
};

/// `tfLoanOverpayment`.
const OVERPAYMENT: u32 = 0x0001_0000;
/// `tfInnerBatchTxn`.
const INNER_BATCH: u32 = 0x4000_0000;
/// 100 %, in tenths of a basis point.
const MAX_RATE: u32 = 100_000;
/// Seconds between payments at least, and by default; also of grace.
const MIN_INTERVAL: u32 = 60;
const DEFAULT_PAYMENTS: u32 = 1;

const AMOUNTS: [Field; 5] = [
    fields::PRINCIPAL_REQUESTED,
    fields::LOAN_ORIGINATION_FEE,
    fields::LOAN_SERVICE_FEE,
    fields::LATE_PAYMENT_FEE,
    fields::CLOSE_PAYMENT_FEE,
];
const RATES: [Field; 5] = [
    fields::INTEREST_RATE,
    fields::OVERPAYMENT_FEE,
    fields::LATE_INTEREST_RATE,
    fields::CLOSE_INTEREST_RATE,
    fields::OVERPAYMENT_INTEREST_RATE,
];

/// The type.
#[derive(Debug)]
pub(crate) struct LoanSet;

/// What a loan is agreed to be.
struct Terms {
    principal: Decimal,
    origination_fee: Decimal,
    interest_rate: u32,
    interval: u32,
    payments: u32,
    grace: u32,
}

impl Terms {
    fn of(tx: &PreparedTx) -> Self {
        let or = |field, default| tx.object.u32(field).unwrap_or(default);
        Self {
            principal: number::get(&tx.object, fields::PRINCIPAL_REQUESTED),
            origination_fee: number::get(&tx.object, fields::LOAN_ORIGINATION_FEE),
            interest_rate: or(fields::INTEREST_RATE, 0),
            interval: or(fields::PAYMENT_INTERVAL, MIN_INTERVAL),
            payments: or(fields::PAYMENT_TOTAL, DEFAULT_PAYMENTS),
            grace: or(fields::GRACE_PERIOD, MIN_INTERVAL),
        }
    }

    /// Whether the last payment's grace period ends at a time that can be written.
    fn end_in_time(&self, start: u32) -> bool {
        let left = u32::MAX - start;
        self.grace <= left
            && self.interval <= left
            && self.payments <= left
            && (left - self.grace) / self.interval >= self.payments
    }
}

/// Who borrows: whoever of the two is not the broker.
fn borrower(tx: &PreparedTx, broker_owner: AccountId) -> AccountId {
    match tx.object.account(fields::COUNTERPARTY) {
        Some(counterparty) if counterparty != broker_owner => counterparty,
        _ => tx.account,
    }
}

fn counter_signature(tx: &PreparedTx) -> Option<&Object> {
    tx.object.object(fields::COUNTERPARTY_SIGNATURE)
}

impl Transactor for LoanSet {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        dependencies(ctx)
    }

    fn flags(&self, _ctx: &PreflightContext<'_>) -> u32 {
        OVERPAYMENT
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let (tx, object) = (ctx.tx, &ctx.tx.object);
        let bad_signer = EngineResult::TEM_BAD_SIGNER;
        let inner = tx.has_flag(INNER_BATCH);
        let nameless = inner
            && ctx.rules.enabled(amendment::BATCH_V1_1)
            && !object.contains(fields::COUNTERPARTY);
        ensure(!nameless, bad_signer)?;
        let counter = counter_signature(tx);
        ensure(inner || counter.is_some(), bad_signer)?;
        if let Some(counter) = counter {
            let key = counter.blob(fields::SIGNING_PUB_KEY).unwrap_or_default();
            let good = key.is_empty() || PublicKey::from_slice(key).is_ok();
            ensure(good, EngineResult::TEM_BAD_SIGNATURE)?;
        }
        let terms = Terms::of(tx);
        let fees = [fields::LOAN_SERVICE_FEE, fields::LATE_PAYMENT_FEE, fields::CLOSE_PAYMENT_FEE];
        let not_negative =
            |field: &Field| given(object, *field).is_none_or(|value| value.signum() >= 0);
        let origination = given(object, fields::LOAN_ORIGINATION_FEE);
        let good = valid_data(object)
            && fees.iter().all(not_negative)
            && terms.principal.signum() > 0
            && origination.is_none_or(|fee| fee.signum() >= 0 && fee <= terms.principal)
            && RATES.iter().all(|field| loan::rate(object, *field) <= MAX_RATE)
            && terms.payments > 0
            && terms.interval >= MIN_INTERVAL
            && object
                .u32(fields::GRACE_PERIOD)
                .is_none_or(|grace| (MIN_INTERVAL..=terms.interval).contains(&grace));
        ensure(good, EngineResult::TEM_INVALID)?;
        if ctx.flags.dry_run
            && let Some(counter) = counter
        {
            unsigned(counter)?;
        }
        ensure(!broker_id(tx).is_zero(), EngineResult::TEM_INVALID)
    }

    fn check_sign(&self, ctx: &PreclaimContext<'_>) -> Ter {
        signatures::check_sign(ctx)?;
        let owner = || loan::broker(ctx.view, &broker_id(ctx.tx))?.account(fields::OWNER);
        let account = ctx.tx.object.account(fields::COUNTERPARTY).or_else(owner);
        let account = account.ok_or(EngineResult::TEM_BAD_SIGNER)?;
        let Some(object) = counter_signature(ctx.tx) else { return Ok(()) };
        let signed = Signed { account, object, uncreated: false };
        check_signatures(ctx.view, ctx.flags, ctx.parent_batch, signed)
    }

    fn base_fee(&self, view: &dyn ReadView, tx: &PreparedTx) -> u64 {
        let signers =
            counter_signature(tx).map_or(0, |counter| match counter.array(fields::SIGNERS) {
                Some(signers) => signers.len(),
                None => usize::from(counter.contains(fields::TXN_SIGNATURE)),
            });
        let more = view.info().fees.base.saturating_mul(signers as u64);
        default_base_fee(view, tx).saturating_add(more)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx) = (ctx.view, ctx.tx);
        let in_time = Terms::of(tx).end_in_time(view.info().close_time);
        ensure(in_time, EngineResult::TEC_KILLED)?;
        let broker = loan::broker(view, &broker_id(tx)).ok_or(EngineResult::TEC_NO_ENTRY)?;
        let owner = broker.account(fields::OWNER).unwrap_or_default();
        let counterparty = tx.object.account(fields::COUNTERPARTY).unwrap_or(owner);
        let by_owner = tx.account == owner || counterparty == owner;
        ensure(by_owner, EngineResult::TEC_NO_PERMISSION)?;
        let borrower = borrower(tx, owner);
        view.account(borrower).ok_or(EngineResult::TER_NO_ACCOUNT)?;
        let (_, _, vault) = broker_and_vault(view, &broker_id(tx))?;
        let most = number::get(&vault, fields::ASSETS_MAXIMUM);
        let full = !most.is_zero() && vault::total(&vault) >= most;
        ensure(!full, EngineResult::TEC_LIMIT_EXCEEDED)?;
        let asset = vault::asset(&vault);
        representable(&tx.object, &AMOUNTS, asset)?;
        token::can_add_holding(view, asset)?;
        // The vault sends; the broker's account may have to take fees; the borrower must pay back;
        // the broker's owner gets what is charged at the beginning.
        token::check_frozen(view, vault::account_of(&vault), asset)?;
        let pseudo = broker.account(fields::ACCOUNT).unwrap_or_default();
        token::check_deep_frozen(view, pseudo, asset)?;
        token::check_frozen(view, borrower, asset)?;
        token::check_deep_frozen(view, owner, asset)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, prior_balance) = (ctx.tx, ctx.prior_balance);
        let view = &mut ctx.view;
        let bad = EngineResult::TEF_BAD_LEDGER;
        let id = broker_id(tx);
        let (broker, vault_id, vault) = broker_and_vault(view, &id).map_err(|_| bad)?;
        let owner = broker.account(fields::OWNER).ok_or(bad)?;
        let pseudo = broker.account(fields::ACCOUNT).ok_or(bad)?;
        let (asset, lender) = (vault::asset(&vault), vault::account_of(&vault));
        let borrower = borrower(tx, owner);
        let terms = Terms::of(tx);
        let scale = written(loan::vault_scale(&vault))?;
        let agreed = agree(view.rules(), tx, &terms, &broker, &vault)?;
        drop((broker, vault));
        let state = &agreed.state;

        adjust_owner_count(view, borrower, 1)?;
        let root = view.account(borrower).ok_or(bad)?;
        let balance = if borrower == tx.account { prior_balance } else { balance_of(&root) };
        let enough = balance >= reserve(view, &root, 0);
        drop(root);
        ensure(enough, EngineResult::TEC_INSUFFICIENT_RESERVE)?;
        hold(view, borrower, asset)?;
        token::require_auth(view, asset, borrower, Auth::Strong)?;
        if !terms.origination_fee.is_zero() {
            hold(view, owner, asset)?;
        }
        token::require_auth(view, asset, owner, Auth::Strong)?;
        let amount = |value| written(Amount::from_decimal(asset, value));
        let paid_out = [
            (borrower, amount(terms.principal - terms.origination_fee)?),
            (owner, amount(terms.origination_fee)?),
        ];
        token::account_send_multi(view, lender, asset, &paid_out, TransferFee::Waive)?;

        let start = view.info().close_time;
        let broker = view.get_mut(&id).ok_or(bad)?;
        let sequence = loan::rate(broker, fields::LOAN_SEQUENCE);
        let debt = terms.principal + state.interest;
        written(loan::adjust(broker, fields::DEBT_TOTAL, debt, asset, scale))?;
        count_loan(broker, 1);
        let next = sequence.checked_add(1).ok_or(EngineResult::TEC_MAX_SEQUENCE_REACHED)?;
        broker.set(fields::LOAN_SEQUENCE, next.into());
        written(number::associate(broker, asset))?;
        let vault = view.get_mut(&vault_id).ok_or(bad)?;
        written(number::add(vault, fields::ASSETS_AVAILABLE, -terms.principal))?;
        written(number::add(vault, fields::ASSETS_TOTAL, state.interest))?;
        written(number::associate(vault, asset))?;

        let loan_id = object_id::loan(id, sequence);
        let full = EngineResult::TEC_DIR_FULL;
        let broker_page = directory::add_owned(view, pseudo, loan_id).ok_or(full)?;
        let page = directory::add_owned(view, borrower, loan_id).ok_or(full)?;
        let mut loan = new_loan(tx, &terms, &agreed, start)?
            .with(fields::LOAN_SEQUENCE, sequence)
            .with(fields::LOAN_BROKER_ID, id)
            .with(fields::BORROWER, borrower)
            .with(fields::LOAN_BROKER_NODE, broker_page)
            .with(fields::OWNER_NODE, page);
        written(number::associate(&mut loan, asset))?;
        view.insert(loan_id, loan);
        Ok(())
    }
}

/// What follows from the terms, if vault and broker can lend on them.
fn agree(
    rules: &Rules,
    tx: &PreparedTx,
    terms: &Terms,
    broker: &Object,
    vault: &Object,
) -> Result<Properties, EngineResult> {
    let (limit, insufficient) =
        (EngineResult::TEC_LIMIT_EXCEEDED, EngineResult::TEC_INSUFFICIENT_FUNDS);
    let (asset, principal) = (vault::asset(vault), terms.principal);
    ensure(vault::available(vault) >= principal, insufficient)?;
    let properties = written(Properties::new(
        rules,
        asset,
        principal,
        periodic_rate(terms.interest_rate, terms.interval),
        terms.payments,
        management_fee_rate(broker),
        written(loan::vault_scale(vault))?,
    ))?;
    let computed = properties.state;
    let state = State::new(computed.value, principal, computed.fee);
    let most = number::get(vault, fields::ASSETS_MAXIMUM);
    let within = most.is_zero() || state.interest <= most - vault::total(vault);
    ensure(within, limit)?;
    for value in AMOUNTS.iter().filter_map(|field| given(&tx.object, *field)) {
        let fits = written(is_rounded(asset, value, properties.scale))?;
        ensure(fits, EngineResult::TEC_PRECISION_LOSS)?;
    }
    properties.check(asset, principal, terms.interest_rate != 0, terms.payments)?;
    let sane = computed.fee.signum() >= 0
        && computed.value.signum() > 0
        && properties.payment.signum() > 0;
    ensure(sane, EngineResult::TEC_INTERNAL)?;
    let debt = number::get(broker, fields::DEBT_TOTAL) + (principal + state.interest);
    let most = number::get(broker, fields::DEBT_MAXIMUM);
    ensure(most.is_zero() || most >= debt, limit)?;
    let least = match rules.enabled(amendment::FIX_CLEANUP_3_2_0) {
        true => written(loan::minimum_cover(debt, broker, vault))?,
        false => loan::unrounded_cover(debt, broker),
    };
    ensure(number::get(broker, fields::COVER_AVAILABLE) >= least, insufficient)?;
    Ok(Properties { state, ..properties })
}

/// Lets an account hold the asset that it gets.
fn hold(view: &mut dyn ApplyView, account: AccountId, asset: Issue) -> Ter {
    let root = view.account(account).ok_or(EngineResult::TEF_BAD_LEDGER)?;
    let balance = balance_of(&root);
    drop(root);
    match token::add_empty_holding(view, account, balance, asset) {
        Ok(()) | Err(EngineResult::TEC_DUPLICATE) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The loan's entry as far as the terms say.
fn new_loan(
    tx: &PreparedTx,
    terms: &Terms,
    agreed: &Properties,
    start: u32,
) -> Result<Object, EngineResult> {
    let flags = if tx.has_flag(OVERPAYMENT) { flag::OVERPAYMENT } else { 0 };
    let mut loan = entry_type::new(entry_type::LOAN)
        .with(fields::FLAGS, flags)
        .with(fields::START_DATE, start)
        .with(fields::PAYMENT_INTERVAL, terms.interval);
    if agreed.scale != 0 {
        loan.set(fields::LOAN_SCALE, Value::Int32(agreed.scale));
    }
    let fees = &AMOUNTS[1..];
    for field in fees {
        written(number::set(&mut loan, *field, number::get(&tx.object, *field)))?;
    }
    copy_fields(&tx.object, &mut loan, &RATES);
    for field in RATES {
        let rate = loan::rate(&loan, field);
        loan::set_u32(&mut loan, field, rate);
    }
    loan::set_u32(&mut loan, fields::GRACE_PERIOD, terms.grace);
    let due_at = start.saturating_add(terms.interval);
    loan::set_u32(&mut loan, fields::NEXT_PAYMENT_DUE_DATE, due_at);
    loan::set_u32(&mut loan, fields::PAYMENT_REMAINING, terms.payments);
    written(number::set(&mut loan, fields::PERIODIC_PAYMENT, agreed.payment))?;
    written(agreed.state.store(&mut loan))?;
    Ok(loan)
}
