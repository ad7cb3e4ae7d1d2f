//! Loans from vaults through brokers, and their mathematics
//! (<https://xrpl.org/docs/concepts/tokens/lending-protocol>). Numbers of equations are those of
//! XLS-66.
//!
//! - [`schedule`]: what is paid in each period, what is still owed at any time;
//! - [`payment`]: what one payment comes to;
//! - here: rates, brokers' debt and cover.
//!
//! Two kinds of numbers must not be confused. A loan's true state follows from its periodic payment
//! with all digits; its entry keeps a rounded one, to the loan's scale, which strays from the true
//! one and is brought back with each payment. Vault and broker round to the vault's scale instead.

pub mod payment;
pub mod schedule;
#[cfg(test)]
mod tests;

use xrpl_protocol::{
    Amount, EngineResult, Field, Hash256, Issue, Object, Rounding, Value, decimal::Decimal, fields,
    issued_value::ValueError,
};

use super::{number, vault};
use crate::ledger::{
    amendment, entry_type,
    view::{Entry, ReadView, Ter},
};

/// `lsf` flags of a loan.
#[allow(missing_docs)]
pub mod flag {
    pub const DEFAULT: u32 = 0x0001_0000;
    pub const IMPAIRED: u32 = 0x0002_0000;
    pub const OVERPAYMENT: u32 = 0x0004_0000;
}

/// Rates are in tenths of a basis point: hundred-thousandths.
const RATE_SCALE: u32 = 100_000;
/// Rates are of a year.
const SECONDS_IN_YEAR: u32 = 365 * 24 * 60 * 60;

/// A share of a value, in tenths of a basis point.
#[must_use]
pub fn share(value: Decimal, rate: u32) -> Decimal {
    value * Decimal::from(rate) / Decimal::from(RATE_SCALE)
}

/// The interest rate of a period (equation 1).
#[must_use]
pub fn periodic_rate(rate: u32, seconds: u32) -> Decimal {
    share(Decimal::from(seconds), rate) / Decimal::from(SECONDS_IN_YEAR)
}

/// A number field of 32 bits; 0 without it.
#[must_use]
pub fn rate(entry: &Object, field: Field) -> u32 {
    entry.u32(field).unwrap_or_default()
}

/// Sets a number that is left out while it is 0.
pub fn set_u32(entry: &mut Object, field: Field, value: u32) {
    match value {
        0 => {
            entry.remove(field);
        }
        value => entry.set(field, value.into()),
    }
}

/// The share of interest that a broker gets.
#[must_use]
pub fn management_fee_rate(broker: &Object) -> u32 {
    broker.u16(fields::MANAGEMENT_FEE_RATE).unwrap_or_default().into()
}

/// The power of ten to which a loan's amounts are rounded.
#[must_use]
pub fn scale_of(loan: &Object) -> i32 {
    match loan.get(fields::LOAN_SCALE) {
        Some(Value::Int32(scale)) => *scale,
        _ => 0,
    }
}

/// A loan broker.
#[must_use]
pub fn broker(view: &dyn ReadView, id: &Hash256) -> Option<Entry> {
    view.read(id).filter(|entry| entry_type::of(entry) == entry_type::LOAN_BROKER)
}

/// A loan.
#[must_use]
pub fn loan(view: &dyn ReadView, id: &Hash256) -> Option<Entry> {
    view.read(id).filter(|entry| entry_type::of(entry) == entry_type::LOAN)
}

/// The vault that a broker lends from, and its id.
#[must_use]
pub fn vault_of(view: &dyn ReadView, broker: &Object) -> Option<(Hash256, Entry)> {
    let id = broker.hash256(fields::VAULT_ID)?;
    Some((id, view.read(&id)?))
}

/// The power of ten to which a vault's total is rounded.
///
/// # Errors
/// [`ValueError::Overflow`].
pub fn vault_scale(vault: &Object) -> Result<i32, ValueError> {
    number::scale(vault::total(vault), vault::asset(vault))
}

/// Adds to a number that strays by rounding: it is rounded again, and never below nothing.
///
/// # Errors
/// [`ValueError::Overflow`].
pub fn adjust(
    entry: &mut Object,
    field: Field,
    by: Decimal,
    asset: Issue,
    scale: i32,
) -> Result<(), ValueError> {
    let sum = number::get(entry, field) + by;
    let rounded = number::round_to_asset(asset, sum, scale, Rounding::current())?;
    number::set(entry, field, if rounded.signum() < 0 { Decimal::ZERO } else { rounded })
}

/// The least first-loss cover that a broker must have for a debt, upwards.
///
/// # Errors
/// [`ValueError::Overflow`].
pub fn minimum_cover(
    debt: Decimal,
    broker: &Object,
    vault: &Object,
) -> Result<Decimal, ValueError> {
    let scale = Rounding::Up.during(|| vault_scale(vault))?;
    minimum_cover_at(debt, broker, vault::asset(vault), scale)
}

/// [`minimum_cover`] at another scale, as before fixCleanup3_2_0.
///
/// # Errors
/// [`ValueError::Overflow`].
pub fn minimum_cover_at(
    debt: Decimal,
    broker: &Object,
    asset: Issue,
    scale: i32,
) -> Result<Decimal, ValueError> {
    let cover = unrounded_cover(debt, broker);
    number::round_to_asset(asset, cover, scale, Rounding::Up)
}

/// [`minimum_cover`] with all digits.
#[must_use]
pub fn unrounded_cover(debt: Decimal, broker: &Object) -> Decimal {
    Rounding::Up.during(|| share(debt, rate(broker, fields::COVER_RATE_MINIMUM)))
}

/// Whether a change of a broker's cover is more than nothing with the digits that the cover has.
///
/// # Errors
/// `tecPRECISION_LOSS`, `tefEXCEPTION`.
pub fn can_change_cover(
    view: &dyn ReadView,
    broker: &Object,
    asset: Issue,
    amount: &Amount,
) -> Ter {
    if !view.rules().enabled(amendment::FIX_CLEANUP_3_2_0) {
        return Ok(());
    }
    let scale = number::scale(number::get(broker, fields::COVER_AVAILABLE), asset);
    let left = scale.and_then(|scale| amount.round_to_scale(scale, Rounding::HalfEven));
    match left.map_err(|_| EngineResult::TEF_EXCEPTION)?.is_zero() {
        true => Err(EngineResult::TEC_PRECISION_LOSS),
        false => Ok(()),
    }
}

/// A broker's share of interest, downwards (equation 32).
///
/// # Errors
/// [`ValueError::Overflow`].
pub fn management_fee(
    asset: Issue,
    interest: Decimal,
    rate: u32,
    scale: i32,
) -> Result<Decimal, ValueError> {
    // xrpld rounds the share itself in the mode that is in force.
    number::round_to_asset(asset, share(interest, rate), scale, Rounding::Down)
}
