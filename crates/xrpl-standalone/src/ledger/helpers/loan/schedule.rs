//! A loan's schedule: equal payments, of which less and less is interest.

use std::ops::{Add, Sub};

use xrpl_protocol::{
    Amount, EngineResult, Issue, Object, Rounding, decimal::Decimal, fields,
    issued_value::ValueError,
};

use super::{management_fee, share};
use crate::ledger::{
    Rules, amendment,
    helpers::number::{self, round_to_asset},
    view::Ter,
};

type Result<T> = std::result::Result<T, ValueError>;

fn n(whole: u32) -> Decimal {
    Decimal::from(whole)
}

/// What is still owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// In all.
    pub value: Decimal,
    /// Of what was lent.
    pub principal: Decimal,
    /// Interest that goes to the vault.
    pub interest: Decimal,
    /// Interest that goes to the broker.
    pub fee: Decimal,
}

/// How two states differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deltas {
    /// By how much principal.
    pub principal: Decimal,
    /// By how much interest for the vault.
    pub interest: Decimal,
    /// By how much interest for the broker.
    pub fee: Decimal,
}

impl Deltas {
    /// In all.
    #[must_use]
    pub fn total(&self) -> Decimal {
        self.principal + self.interest + self.fee
    }
}

impl State {
    /// The rest follows from these three.
    #[must_use]
    pub fn new(value: Decimal, principal: Decimal, fee: Decimal) -> Self {
        Self { value, principal, interest: value - principal - fee, fee }
    }

    /// As a loan's entry has it.
    #[must_use]
    pub fn of(loan: &Object) -> Self {
        let get = |field| number::get(loan, field);
        Self::new(
            get(fields::TOTAL_VALUE_OUTSTANDING),
            get(fields::PRINCIPAL_OUTSTANDING),
            get(fields::MANAGEMENT_FEE_OUTSTANDING),
        )
    }

    /// Writes it to a loan's entry.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn store(&self, loan: &mut Object) -> Result<()> {
        number::set(loan, fields::TOTAL_VALUE_OUTSTANDING, self.value)?;
        number::set(loan, fields::PRINCIPAL_OUTSTANDING, self.principal)?;
        number::set(loan, fields::MANAGEMENT_FEE_OUTSTANDING, self.fee)
    }

    /// Interest for vault and broker.
    #[must_use]
    pub fn all_interest(&self) -> Decimal {
        self.interest + self.fee
    }

    /// What is owed to the vault.
    #[must_use]
    pub fn owed_to_vault(&self) -> Decimal {
        self.value - self.fee
    }

    /// What should be owed with this many payments left, with all digits (equations 30 to 33).
    #[must_use]
    pub fn theoretical(
        rules: &Rules,
        payment: Decimal,
        rate: Decimal,
        remaining: u32,
        fee_rate: u32,
    ) -> Self {
        if remaining == 0 {
            let zero = Decimal::ZERO;
            return Self { value: zero, principal: zero, interest: zero, fee: zero };
        }
        let value = payment * n(remaining);
        let principal = principal_of_payments(rules, payment, rate, remaining);
        let interest = value - principal;
        let fee = share(interest, fee_rate);
        Self { value, principal, interest: interest - fee, fee }
    }
}

impl Sub for State {
    type Output = Deltas;
    fn sub(self, other: Self) -> Deltas {
        Deltas {
            principal: self.principal - other.principal,
            interest: self.interest - other.interest,
            fee: self.fee - other.fee,
        }
    }
}

impl Add<Deltas> for State {
    type Output = Self;
    fn add(self, deltas: Deltas) -> Self {
        Self {
            value: self.value + deltas.total(),
            principal: self.principal + deltas.principal,
            interest: self.interest + deltas.interest,
            fee: self.fee + deltas.fee,
        }
    }
}

/// `(1 + r)^n - 1` as a sum of the terms of its expansion, which are all positive: nothing is lost
/// where `r` is nearly zero.
fn power_minus_one_sum(rate: Decimal, payments: u32) -> Decimal {
    let mut term = n(payments) * rate;
    let mut sum = term;
    for k in 1..payments {
        term = term * rate * n(payments - k) / n(k + 1);
        let next = sum + term;
        // Below the last digit: all others are too.
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

fn power_minus_one(rate: Decimal, payments: u32) -> Decimal {
    let threshold = Decimal::new(1, -9).unwrap_or(Decimal::INVALID);
    if n(payments) * rate >= threshold {
        return (Decimal::one() + rate).power(payments) - Decimal::one();
    }
    power_minus_one_sum(rate, payments)
}

/// What part of the principal a payment is (equation 6). Neither is zero.
fn payment_factor(rules: &Rules, rate: Decimal, payments: u32) -> Decimal {
    if rate.is_zero() {
        return Decimal::one() / n(payments);
    }
    if rules.enabled(amendment::FIX_CLEANUP_3_2_0) {
        let raised = power_minus_one(rate, payments);
        return rate * (Decimal::one() + raised) / raised;
    }
    let raised = (Decimal::one() + rate).power(payments);
    rate * raised / (raised - Decimal::one())
}

/// The payment of each period (equation 7).
#[must_use]
pub fn periodic_payment(
    rules: &Rules,
    principal: Decimal,
    rate: Decimal,
    payments: u32,
) -> Decimal {
    if principal.is_zero() || payments == 0 {
        return Decimal::ZERO;
    }
    if rate.is_zero() {
        return principal / n(payments);
    }
    principal * payment_factor(rules, rate, payments)
}

/// The principal that so many payments pay (equation 10).
#[must_use]
pub fn principal_of_payments(
    rules: &Rules,
    payment: Decimal,
    rate: Decimal,
    payments: u32,
) -> Decimal {
    if payments == 0 {
        return Decimal::ZERO;
    }
    if rate.is_zero() {
        return payment * n(payments);
    }
    payment / payment_factor(rules, rate, payments)
}

/// A payment as it is paid: upwards.
///
/// # Errors
/// [`ValueError::Overflow`].
pub fn rounded_payment(asset: Issue, payment: Decimal, scale: i32) -> Result<Decimal> {
    round_to_asset(asset, payment, scale, Rounding::Up)
}

/// Whether a number has no digit below a scale.
///
/// # Errors
/// [`ValueError::Overflow`].
pub fn is_rounded(asset: Issue, value: Decimal, scale: i32) -> Result<bool> {
    let down = round_to_asset(asset, value, scale, Rounding::Down)?;
    Ok(down == round_to_asset(asset, value, scale, Rounding::Up)?)
}

/// What follows from a loan's terms.
#[derive(Clone, Copy, Debug)]
pub struct Properties {
    /// What is paid each period, with all digits.
    pub payment: Decimal,
    /// What is owed at first.
    pub state: State,
    /// The power of ten to which the loan's amounts are rounded.
    pub scale: i32,
    /// How much of the first payment is principal.
    pub first_principal: Decimal,
}

impl Properties {
    /// Of a loan of a principal at a periodic rate.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn new(
        rules: &Rules,
        asset: Issue,
        principal: Decimal,
        rate: Decimal,
        payments: u32,
        fee_rate: u32,
        minimum_scale: i32,
    ) -> Result<Self> {
        let payment = periodic_payment(rules, principal, rate, payments).checked()?;
        // Upwards, but only if there is interest.
        let rounding = if rate.is_zero() { Rounding::HalfEven } else { Rounding::Up };
        let (value, scale) = rounding.during(|| {
            let amount = Amount::from_decimal(asset, payment * n(payments))?;
            // The total is the largest number there will be.
            let scale = minimum_scale.max(amount.exponent());
            Ok((round_to_asset(asset, amount.decimal(), scale, rounding)?, scale))
        })?;
        let rounded = round_to_asset(asset, principal, scale, Rounding::HalfEven)?;
        let fee = management_fee(asset, value - rounded, fee_rate, scale)?;
        let principal_left =
            |left| State::theoretical(rules, payment, rate, left, fee_rate).principal;
        Ok(Self {
            payment,
            state: State::new(value, rounded, fee),
            scale,
            first_principal: principal_left(payments) - principal_left(payments - 1),
        })
    }

    /// Whether a loan can be paid back in its number of payments, with the digits there are.
    ///
    /// # Errors
    /// `tecPRECISION_LOSS`, `tecINTERNAL`, `tefEXCEPTION`.
    pub fn check(
        &self,
        asset: Issue,
        principal: Decimal,
        has_interest: bool,
        payments: u32,
    ) -> Ter {
        let loss = EngineResult::TEC_PRECISION_LOSS;
        let exception = |_| EngineResult::TEF_EXCEPTION;
        let interest = self.state.value - principal;
        if has_interest && interest.signum() <= 0 {
            return Err(loss);
        }
        if !has_interest && interest.signum() > 0 {
            return Err(EngineResult::TEC_INTERNAL);
        }
        // The first payment pays the least principal.
        if self.first_principal.signum() <= 0 {
            return Err(loss);
        }
        let payment = rounded_payment(asset, self.payment, self.scale).map_err(exception)?;
        if payment.is_zero() {
            return Err(loss);
        }
        let computed =
            Rounding::Up.during(|| (self.state.value / payment).to_i64()).map_err(exception)?;
        if computed == i64::from(payments) { Ok(()) } else { Err(loss) }
    }
}
