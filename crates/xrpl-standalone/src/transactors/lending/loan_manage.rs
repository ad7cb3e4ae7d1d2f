//! LoanManage (<https://xrpl.org/docs/references/protocol/transactions/types/loanmanage>): a broker says
//! that a loan will hardly be paid (its value is then a loss on paper), that it will be after all, or
//! that it is lost.

use xrpl_protocol::{
    Amount, EngineResult, Hash256, Issue, Object, Rounding, decimal::Decimal, fields,
};

use super::{broker_and_vault, dependencies, loan_id, names, written};
use crate::{
    ledger::{
        ApplyView, ReadView, Ter, amendment,
        helpers::{
            account_root::flags_of,
            has_expired,
            loan::{self, flag, rate, schedule::State, set_u32},
            number,
            token::{self, TransferFee},
            vault,
        },
    },
    transactors::{
        ApplyContext, PreclaimContext, PreflightContext, Transactor, UNIVERSAL_FLAGS, ensure,
    },
};

const DEFAULT: u32 = 0x0001_0000;
const IMPAIR: u32 = 0x0002_0000;
const UNIMPAIR: u32 = 0x0004_0000;

/// The type.
#[derive(Debug)]
pub(crate) struct LoanManage;

impl Transactor for LoanManage {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        dependencies(ctx)
    }

    fn flags(&self, _ctx: &PreflightContext<'_>) -> u32 {
        DEFAULT | IMPAIR | UNIMPAIR
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        names(loan_id(ctx.tx))?;
        let flags = ctx.tx.flags & !UNIVERSAL_FLAGS;
        ensure(flags.count_ones() <= 1, EngineResult::TEM_INVALID_FLAG)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx) = (ctx.view, ctx.tx);
        let permission = EngineResult::TEC_NO_PERMISSION;
        let loan = loan::loan(view, &loan_id(tx)).ok_or(EngineResult::TEC_NO_ENTRY)?;
        let is = |flag| flags_of(&loan) & flag != 0;
        // It gets worse or better, but never twice the same, and a default is for ever.
        let stuck = is(flag::DEFAULT)
            || is(flag::IMPAIRED) && tx.has_flag(IMPAIR)
            || !is(flag::IMPAIRED) && tx.has_flag(UNIMPAIR);
        let may = !stuck && rate(&loan, fields::PAYMENT_REMAINING) != 0;
        ensure(may, permission)?;
        if tx.has_flag(DEFAULT) {
            let due_at = rate(&loan, fields::NEXT_PAYMENT_DUE_DATE);
            let end = due_at.wrapping_add(rate(&loan, fields::GRACE_PERIOD));
            ensure(has_expired(view, Some(end)), EngineResult::TEC_TOO_SOON)?;
        }
        let id = loan.hash256(fields::LOAN_BROKER_ID).unwrap_or_default();
        let broker = loan::broker(view, &id).ok_or(EngineResult::TEC_INTERNAL)?;
        ensure(broker.account(fields::OWNER) == Some(tx.account), permission)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, id) = (ctx.tx, loan_id(ctx.tx));
        let view = &mut ctx.view;
        let bad = EngineResult::TEF_BAD_LEDGER;
        let found = loan::loan(view, &id).ok_or(bad)?;
        let broker_id = found.hash256(fields::LOAN_BROKER_ID).ok_or(bad)?;
        drop(found);
        let (broker, vault_id, vault) = broker_and_vault(view, &broker_id).map_err(|_| bad)?;
        let asset = vault::asset(&vault);
        drop((broker, vault));
        let changed: &[Hash256] = if tx.has_flag(DEFAULT) {
            write_off(view, &id, &broker_id, &vault_id)?;
            &[id, broker_id, vault_id]
        } else if tx.has_flag(IMPAIR) {
            impair(view, &id, &vault_id)?;
            &[id, vault_id]
        } else if tx.has_flag(UNIMPAIR) {
            unimpair(view, &id, &vault_id)?;
            &[id, vault_id]
        } else {
            &[]
        };
        if view.rules().enabled(amendment::FIX_CLEANUP_3_1_3) {
            changed.iter().try_for_each(|key| associate(view, key, asset))?;
        }
        Ok(())
    }
}

fn associate(view: &mut dyn ApplyView, key: &Hash256, asset: Issue) -> Ter {
    written(number::associate(view.get_mut(key).ok_or(EngineResult::TEF_BAD_LEDGER)?, asset))
}

fn set_flag(entry: &mut Object, flag: u32, on: bool) {
    let flags = flags_of(entry);
    let flags = if on { flags | flag } else { flags & !flag };
    entry.set(fields::FLAGS, flags.into());
}

/// A loan that is lost: the broker's cover pays a part, the vault bears the rest.
fn write_off(
    view: &mut dyn ApplyView,
    id: &Hash256,
    broker_id: &Hash256,
    vault_id: &Hash256,
) -> Ter {
    let bad = EngineResult::TEF_BAD_LEDGER;
    let loan = view.read(id).ok_or(bad)?;
    let broker = view.read(broker_id).ok_or(bad)?;
    let vault = view.read(vault_id).ok_or(bad)?;
    let (asset, scale) = (vault::asset(&vault), written(loan::vault_scale(&vault))?);
    let owed = State::of(&loan).owed_to_vault();
    let covered = written(covered(&broker, &loan, asset, owed))?;
    let (from, to) = (broker.account(fields::ACCOUNT), vault::account_of(&vault));
    let was_impaired = flags_of(&loan) & flag::IMPAIRED != 0;
    drop((loan, broker, vault));

    let lost = owed - covered;
    let vault = view.get_mut(vault_id).ok_or(bad)?;
    ensure(vault::total(vault) >= lost, bad)?;
    let rounded = written(number::round_to_asset(asset, lost, scale, Rounding::Down))?;
    written(number::add(vault, fields::ASSETS_TOTAL, -rounded))?;
    written(number::add(vault, fields::ASSETS_AVAILABLE, covered))?;
    even_out_dust(vault, asset)?;
    if was_impaired {
        let loss = number::get(vault, fields::LOSS_UNREALIZED);
        ensure(loss >= owed, bad)?;
        written(loan::adjust(vault, fields::LOSS_UNREALIZED, -owed, asset, scale))?;
    }
    let broker = view.get_mut(broker_id).ok_or(bad)?;
    written(loan::adjust(broker, fields::DEBT_TOTAL, -owed, asset, scale))?;
    written(number::add(broker, fields::COVER_AVAILABLE, -covered))?;
    let loan = view.get_mut(id).ok_or(bad)?;
    set_flag(loan, flag::DEFAULT, true);
    for field in [
        fields::TOTAL_VALUE_OUTSTANDING,
        fields::PAYMENT_REMAINING,
        fields::PRINCIPAL_OUTSTANDING,
        fields::MANAGEMENT_FEE_OUTSTANDING,
        fields::NEXT_PAYMENT_DUE_DATE,
    ] {
        loan.remove(field);
    }
    let amount = written(Amount::from_decimal(asset, covered))?;
    token::account_send(view, from.ok_or(bad)?, to, amount, TransferFee::Waive)
}

/// What the broker's cover pays of a loss, upwards: a share of the least that it must be.
fn covered(
    broker: &Object,
    loan: &Object,
    asset: Issue,
    owed: Decimal,
) -> Result<Decimal, xrpl_protocol::issued_value::ValueError> {
    let available = number::get(broker, fields::COVER_AVAILABLE);
    let debt = number::get(broker, fields::DEBT_TOTAL);
    let minimum = loan::unrounded_cover(debt, broker);
    let liquidation = rate(broker, fields::COVER_RATE_LIQUIDATION);
    let part = Rounding::Up.during(|| loan::share(minimum, liquidation));
    let part = if owed < part { owed } else { part };
    let covered = number::round_to_asset(asset, part, loan::scale_of(loan), Rounding::Up)?;
    Ok(if available < covered { available } else { covered })
}

/// Rounding may leave more available than there is: if that is dust, the total follows.
fn even_out_dust(vault: &mut Object, asset: Issue) -> Ter {
    const DUST: i32 = 13;
    let (total, available) = (vault::total(vault), vault::available(vault));
    if available <= total {
        return Ok(());
    }
    let exponent = |value: Decimal| value.parts().map_or(0, |(_, exponent)| exponent);
    let difference = available - total;
    let is_dust = exponent(available) - exponent(difference) > DUST;
    ensure(is_dust && matches!(asset, Issue::Issued { .. }), EngineResult::TEC_INTERNAL)?;
    written(number::set(vault, fields::ASSETS_TOTAL, available))
}

/// A loan that will hardly be paid: its payment is due now.
fn impair(view: &mut dyn ApplyView, id: &Hash256, vault_id: &Hash256) -> Ter {
    let bad = EngineResult::TEF_BAD_LEDGER;
    let now = view.info().parent_close_time;
    let loan = view.read(id).ok_or(bad)?;
    let owed = State::of(&loan).owed_to_vault();
    let due_at = rate(&loan, fields::NEXT_PAYMENT_DUE_DATE);
    drop(loan);
    let vault = view.get_mut(vault_id).ok_or(bad)?;
    let (asset, scale) = (vault::asset(vault), written(loan::vault_scale(vault))?);
    written(loan::adjust(vault, fields::LOSS_UNREALIZED, owed, asset, scale))?;
    let loss = number::get(vault, fields::LOSS_UNREALIZED);
    let lent = vault::total(vault) - vault::available(vault);
    ensure(loss <= lent, EngineResult::TEC_LIMIT_EXCEEDED)?;
    let loan = view.get_mut(id).ok_or(bad)?;
    set_flag(loan, flag::IMPAIRED, true);
    if now < due_at {
        set_u32(loan, fields::NEXT_PAYMENT_DUE_DATE, now);
    }
    Ok(())
}

/// A loan that will be paid after all.
///
/// # Errors
/// `tefBAD_LEDGER` if the vault's loss is less than what the loan owes.
pub(super) fn unimpair(view: &mut dyn ApplyView, id: &Hash256, vault_id: &Hash256) -> Ter {
    let bad = EngineResult::TEF_BAD_LEDGER;
    let now = view.info().parent_close_time;
    let owed = State::of(&*view.read(id).ok_or(bad)?).owed_to_vault();
    let vault = view.get_mut(vault_id).ok_or(bad)?;
    let (asset, scale) = (vault::asset(vault), written(loan::vault_scale(vault))?);
    ensure(number::get(vault, fields::LOSS_UNREALIZED) >= owed, bad)?;
    written(loan::adjust(vault, fields::LOSS_UNREALIZED, -owed, asset, scale))?;
    let loan = view.get_mut(id).ok_or(bad)?;
    set_flag(loan, flag::IMPAIRED, false);
    let interval = rate(loan, fields::PAYMENT_INTERVAL);
    let last = rate(loan, fields::PREVIOUS_PAYMENT_DUE_DATE).max(rate(loan, fields::START_DATE));
    let normal = last.wrapping_add(interval);
    // Overdue by now, it gets another period.
    let due_at = if now < normal { normal } else { now.wrapping_add(interval) };
    set_u32(loan, fields::NEXT_PAYMENT_DUE_DATE, due_at);
    Ok(())
}
