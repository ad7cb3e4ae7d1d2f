//! Arithmetic on amounts as xrpld's `STAmount` does it: every rounding, also the odd ones, is part
//! of the ledger.
//!
//! An amount of XRP or of an MPT is a whole number, one of an issued currency a decimal of 16 digits
//! ([`IssuedValue`]). Operations that mix them name the issue of their result. Functions come in
//! pairs: the plain ones round as xrpld did from the beginning, including ways that look wrong, the
//! `strict` ones as it does since fixUniversalNumber. Both are used side by side.

use std::cmp::Ordering;

use crate::{
    account_id::AccountId,
    amount::{Amount, Currency, Issue},
    decimal::{self, Decimal},
    issued_value::{IssuedValue, MAX_MANTISSA, MIN_EXPONENT, MIN_MANTISSA, ValueError},
    rounding::Rounding,
};

/// The issue of a bare ratio: what xrpld calls `noIssue`.
pub const NO_ISSUE: Issue =
    Issue::Issued { currency: Currency(AccountId::ONE.0), issuer: AccountId::ONE };

/// The most XRP there can be, in drops.
pub const MAX_DROPS: i64 = 100_000_000_000_000_000;

/// Ten to the power of 14, by which products of mantissas are brought down.
const TEN_14: u128 = 100_000_000_000_000;
/// Ten to the power of 17, by which numerators are brought up.
const TEN_17: u128 = 100_000_000_000_000_000;
/// `mantissa * 10^exponent`, as xrpld keeps an amount of anything.
#[derive(Clone, Copy)]
struct Parts {
    mantissa: u64,
    exponent: i32,
    negative: bool,
}

impl Parts {
    fn of(amount: &Amount) -> Self {
        match *amount {
            Amount::Xrp(whole) | Amount::Mpt { value: whole, .. } => {
                Self { mantissa: whole.unsigned_abs(), exponent: 0, negative: whole < 0 }
            }
            Amount::Issued { value, .. } => Self {
                mantissa: value.mantissa().unsigned_abs(),
                exponent: value.exponent(),
                negative: value.is_negative(),
            },
        }
    }

    /// With a mantissa of 16 digits at least: whole numbers may have fewer.
    fn scaled(amount: &Amount) -> Self {
        let mut parts = Self::of(amount);
        while parts.mantissa != 0 && parts.mantissa < MIN_MANTISSA.unsigned_abs() {
            parts.mantissa *= 10;
            parts.exponent -= 1;
        }
        parts
    }

    /// As an amount of this issue, rounded in the mode in force.
    fn amount(self, issue: Issue) -> Result<Amount, ValueError> {
        let Self { mantissa, exponent, negative } = self;
        if let Issue::Issued { currency, issuer } = issue {
            let value = Decimal::from_parts(negative, mantissa, exponent)?.to_issued()?;
            return Ok(Amount::Issued { value, currency, issuer });
        }
        if mantissa == 0 || exponent <= -20 {
            return Ok(Amount::zero(issue));
        }
        Amount::whole(issue, decimal::whole(negative, mantissa, exponent)?)
    }
}

fn narrow(wide: u128) -> Result<u64, ValueError> {
    u64::try_from(wide).map_err(|_| ValueError::Overflow)
}

fn is_whole(issue: Issue) -> bool {
    !matches!(issue, Issue::Issued { .. })
}

/// Cuts what a result has too many digits of, upwards in xrpld's old way: of a whole number the
/// digits after the first decimal place hardly count.
fn round_up(whole: bool, parts: &mut Parts) {
    if whole {
        if parts.exponent < 0 {
            let more = parts.exponent < -2;
            while parts.exponent < -1 {
                parts.mantissa /= 10;
                parts.exponent += 1;
            }
            parts.mantissa = (parts.mantissa + if more { 9 } else { 10 }) / 10;
            parts.exponent += 1;
        }
    } else {
        round_digits_up(parts);
    }
}

/// The same with every digit counted.
fn round_up_strict(whole: bool, parts: &mut Parts, up: bool) {
    if whole {
        if parts.exponent < 0 {
            let mut rest = false;
            while parts.exponent < -1 {
                rest |= !parts.mantissa.is_multiple_of(10);
                parts.mantissa /= 10;
                parts.exponent += 1;
            }
            parts.mantissa = (parts.mantissa + if rest && up { 10 } else { 9 }) / 10;
            parts.exponent += 1;
        }
    } else {
        round_digits_up(parts);
    }
}

fn round_digits_up(parts: &mut Parts) {
    let max = MAX_MANTISSA.unsigned_abs();
    if parts.mantissa > max {
        while parts.mantissa > 10 * max {
            parts.mantissa /= 10;
            parts.exponent += 1;
        }
        parts.mantissa = parts.mantissa.div_ceil(10);
        parts.exponent += 1;
    }
}

impl Amount {
    /// Nothing of an issue.
    #[must_use]
    pub fn zero(issue: Issue) -> Self {
        match issue {
            Issue::Xrp => Self::Xrp(0),
            Issue::Mpt(id) => Self::Mpt { value: 0, id },
            Issue::Issued { currency, issuer } => {
                Self::Issued { value: IssuedValue::ZERO, currency, issuer }
            }
        }
    }

    /// The largest amount of an issue.
    #[must_use]
    pub fn max(issue: Issue) -> Self {
        match issue {
            Issue::Xrp => Self::Xrp(MAX_DROPS),
            Issue::Mpt(id) => Self::Mpt { value: i64::MAX, id },
            Issue::Issued { currency, issuer } => {
                Self::Issued { value: IssuedValue::MAX, currency, issuer }
            }
        }
    }

    /// A whole number of drops or MPT units; of an issued currency, that many.
    ///
    /// # Errors
    /// [`ValueError::Overflow`] beyond all XRP there is.
    pub fn whole(issue: Issue, whole: i64) -> Result<Self, ValueError> {
        match issue {
            Issue::Xrp if whole.unsigned_abs() > MAX_DROPS.unsigned_abs() => {
                Err(ValueError::Overflow)
            }
            Issue::Xrp => Ok(Self::Xrp(whole)),
            Issue::Mpt(id) => Ok(Self::Mpt { value: whole, id }),
            Issue::Issued { currency, issuer } => {
                Ok(Self::Issued { value: IssuedValue::new(whole, 0)?, currency, issuer })
            }
        }
    }

    /// A decimal as an amount, rounded in the mode in force (by magnitude, as xrpld does).
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn from_decimal(issue: Issue, decimal: Decimal) -> Result<Self, ValueError> {
        let size = decimal.abs();
        let amount = match issue {
            Issue::Issued { currency, issuer } => {
                Self::Issued { value: size.to_issued()?, currency, issuer }
            }
            _ => Self::whole(issue, size.to_i64()?)?,
        };
        Ok(if decimal.signum() < 0 { amount.negated() } else { amount })
    }

    /// As a decimal.
    #[must_use]
    pub fn decimal(&self) -> Decimal {
        match *self {
            Self::Xrp(whole) | Self::Mpt { value: whole, .. } => Decimal::from(whole),
            Self::Issued { value, .. } => Decimal::from(value),
        }
    }

    /// The power of ten of its last digit: 0 for XRP and MPTs.
    #[must_use]
    pub fn exponent(&self) -> i32 {
        match self {
            Self::Issued { value, .. } if value.is_zero() => -100,
            Self::Issued { value, .. } => value.exponent(),
            _ => 0,
        }
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.signum() == 0
    }

    /// With the opposite sign.
    #[must_use]
    pub fn negated(&self) -> Self {
        match *self {
            Self::Xrp(drops) => Self::Xrp(-drops),
            Self::Mpt { value, id } => Self::Mpt { value: -value, id },
            Self::Issued { value, currency, issuer } => {
                Self::Issued { value: value.negated(), currency, issuer }
            }
        }
    }

    /// As much of another issue: an issued currency of another issuer, say.
    ///
    /// # Errors
    /// [`ValueError::Overflow`] where the other cannot hold it.
    pub fn as_issue(&self, issue: Issue) -> Result<Self, ValueError> {
        Parts::of(self).amount(issue)
    }

    /// Which is more. Both are of one issue; the issuer of a currency is not looked at.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Xrp(a), Self::Xrp(b))
            | (Self::Mpt { value: a, .. }, Self::Mpt { value: b, .. }) => a.cmp(b),
            (Self::Issued { value: a, .. }, Self::Issued { value: b, .. }) => a.cmp(b),
            _ => self.decimal().partial_cmp(&other.decimal()).unwrap_or(Ordering::Equal),
        }
    }

    /// The smaller of two amounts of one issue.
    #[must_use]
    pub fn smaller(self, other: Self) -> Self {
        if other.compare(&self) == Ordering::Less { other } else { self }
    }

    /// Whether it is less than another of the same issue.
    #[must_use]
    pub fn is_less(&self, other: &Self) -> bool {
        self.compare(other) == Ordering::Less
    }

    /// Whether it is more than another of the same issue.
    #[must_use]
    pub fn is_more(&self, other: &Self) -> bool {
        self.compare(other) == Ordering::Greater
    }

    /// The sum, of this one's issue.
    ///
    /// # Errors
    /// [`ValueError::Overflow`], also where the kinds differ.
    pub fn checked_add(&self, other: &Self) -> Result<Self, ValueError> {
        const OVERFLOW: ValueError = ValueError::Overflow;
        match (*self, *other) {
            (Self::Xrp(a), Self::Xrp(b)) => a.checked_add(b).map(Self::Xrp).ok_or(OVERFLOW),
            (Self::Mpt { value: a, id }, Self::Mpt { value: b, .. }) => {
                a.checked_add(b).map(|value| Self::Mpt { value, id }).ok_or(OVERFLOW)
            }
            (Self::Issued { value: a, currency, issuer }, Self::Issued { value: b, .. }) => {
                Ok(Self::Issued { value: a.add(b)?, currency, issuer })
            }
            _ => Err(OVERFLOW),
        }
    }

    /// The difference, of this one's issue.
    ///
    /// # Errors
    /// As [`Amount::checked_add`].
    pub fn checked_sub(&self, other: &Self) -> Result<Self, ValueError> {
        self.checked_add(&other.negated())
    }

    /// `self * other`, rounded in the mode in force (xrpld's `multiply`).
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn multiply(&self, other: &Self, issue: Issue) -> Result<Self, ValueError> {
        if let Some(exact) = self.whole_product(other, issue) {
            return exact;
        }
        Self::from_decimal(issue, self.decimal() * other.decimal())
    }

    /// Zero, or the product of two whole amounts of the result's own kind; none where digits count.
    fn whole_product(&self, other: &Self, issue: Issue) -> Option<Result<Self, ValueError>> {
        if self.is_zero() || other.is_zero() {
            return Some(Ok(Self::zero(issue)));
        }
        let (a, b) = match (*self, *other, issue) {
            (Self::Xrp(a), Self::Xrp(b), Issue::Xrp) => (a, b),
            (Self::Mpt { value: a, .. }, Self::Mpt { value: b, .. }, Issue::Mpt(_)) => (a, b),
            _ => return None,
        };
        let product = a.checked_mul(b).ok_or(ValueError::Overflow);
        Some(product.and_then(|product| Self::whole(issue, product)))
    }

    /// `self / other`, with half a unit of the 16th digit added before it is rounded in the mode in
    /// force (xrpld's `divide`).
    ///
    /// # Errors
    /// [`ValueError::DivisionByZero`], [`ValueError::Overflow`].
    pub fn divide(&self, other: &Self, issue: Issue) -> Result<Self, ValueError> {
        if other.is_zero() {
            return Err(ValueError::DivisionByZero);
        }
        if self.is_zero() {
            return Ok(Self::zero(issue));
        }
        let (a, b) = (Parts::scaled(self), Parts::scaled(other));
        let quotient = narrow(u128::from(a.mantissa) * TEN_17 / u128::from(b.mantissa))?;
        let mantissa = quotient.checked_add(5).ok_or(ValueError::Overflow)?;
        let exponent = a.exponent - b.exponent - 17;
        Parts { mantissa, exponent, negative: a.negative != b.negative }.amount(issue)
    }

    /// `self * other`, rounded away from zero if `up` and toward zero else, in the old way (xrpld's
    /// `mulRound`).
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn multiply_round(&self, other: &Self, issue: Issue, up: bool) -> Result<Self, ValueError> {
        self.product(other, issue, up, round_up, |work| work())
    }

    /// `self * other`, rounded up or down with every digit counted (xrpld's `mulRoundStrict`).
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn multiply_strict(
        &self,
        other: &Self,
        issue: Issue,
        up: bool,
    ) -> Result<Self, ValueError> {
        let cut = |whole, parts: &mut Parts| round_up_strict(whole, parts, up);
        self.product(other, issue, up, cut, |work| Rounding::TowardZero.during(work))
    }

    fn product(
        &self,
        other: &Self,
        issue: Issue,
        up: bool,
        cut: impl Fn(bool, &mut Parts),
        mode: impl Fn(&dyn Fn() -> Result<Self, ValueError>) -> Result<Self, ValueError>,
    ) -> Result<Self, ValueError> {
        if let Some(exact) = self.whole_product(other, issue) {
            return exact;
        }
        let (a, b) = (Parts::scaled(self), Parts::scaled(other));
        let negative = a.negative != b.negative;
        let add = if negative == up { 0 } else { TEN_14 - 1 };
        let product = u128::from(a.mantissa) * u128::from(b.mantissa) + add;
        let mut parts = Parts {
            mantissa: narrow(product / TEN_14)?,
            exponent: a.exponent + b.exponent + 14,
            negative,
        };
        if negative != up {
            cut(is_whole(issue), &mut parts);
        }
        at_least_something(mode(&|| parts.amount(issue))?, up && !negative)
    }

    /// `self / other`, rounded away from zero if `up` and toward zero else, in the old way (xrpld's
    /// `divRound`).
    ///
    /// # Errors
    /// [`ValueError::DivisionByZero`], [`ValueError::Overflow`].
    pub fn divide_round(&self, other: &Self, issue: Issue, up: bool) -> Result<Self, ValueError> {
        self.quotient(other, issue, up, false)
    }

    /// `self / other`, rounded up or down with every digit counted (xrpld's `divRoundStrict`).
    ///
    /// # Errors
    /// [`ValueError::DivisionByZero`], [`ValueError::Overflow`].
    pub fn divide_strict(&self, other: &Self, issue: Issue, up: bool) -> Result<Self, ValueError> {
        self.quotient(other, issue, up, true)
    }

    fn quotient(
        &self,
        other: &Self,
        issue: Issue,
        up: bool,
        strict: bool,
    ) -> Result<Self, ValueError> {
        if other.is_zero() {
            return Err(ValueError::DivisionByZero);
        }
        if self.is_zero() {
            return Ok(Self::zero(issue));
        }
        let (a, b) = (Parts::scaled(self), Parts::scaled(other));
        let negative = a.negative != b.negative;
        let divisor = u128::from(b.mantissa);
        let add = if negative == up { 0 } else { divisor - 1 };
        let mut parts = Parts {
            mantissa: narrow((u128::from(a.mantissa) * TEN_17 + add) / divisor)?,
            exponent: a.exponent - b.exponent - 17,
            negative,
        };
        if negative != up {
            round_up(is_whole(issue), &mut parts);
        }
        let result = match strict {
            true => Rounding::toward(up != negative).during(|| parts.amount(issue))?,
            false => parts.amount(issue)?,
        };
        at_least_something(result, up && !negative)
    }

    /// `self * numerator / denominator`, rounded up or down (xrpld's `mulRatio`).
    ///
    /// # Errors
    /// [`ValueError::DivisionByZero`], [`ValueError::Overflow`].
    pub fn mul_ratio(
        &self,
        numerator: u32,
        denominator: u32,
        up: bool,
    ) -> Result<Self, ValueError> {
        let whole = |whole: i64| {
            if denominator == 0 {
                return Err(ValueError::DivisionByZero);
            }
            let product = i128::from(whole) * i128::from(numerator);
            let denominator = i128::from(denominator);
            let mut quotient = product / denominator;
            if product % denominator != 0 {
                quotient += i128::from(up && whole > 0) - i128::from(!up && whole < 0);
            }
            i64::try_from(quotient).map_err(|_| ValueError::Overflow)
        };
        Ok(match *self {
            Self::Xrp(drops) => Self::Xrp(whole(drops)?),
            Self::Mpt { value, id } => Self::Mpt { value: whole(value)?, id },
            Self::Issued { value, currency, issuer } => Self::Issued {
                value: value.mul_ratio(numerator, denominator, up)?,
                currency,
                issuer,
            },
        })
    }

    /// Rounded so that its last digit is not below this power of ten; XRP and MPTs stay as they are
    /// (xrpld's `roundToScale`).
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn round_to_scale(&self, scale: i32, rounding: Rounding) -> Result<Self, ValueError> {
        let Self::Issued { value, currency, issuer } = *self else { return Ok(*self) };
        if value.is_zero() || value.exponent() >= scale {
            return Ok(*self);
        }
        rounding.during(|| {
            let sign = i64::from(value.signum());
            let reference = IssuedValue::new(sign * MIN_MANTISSA, scale)?;
            let value = value.add(reference)?.sub(reference)?;
            Ok(Self::Issued { value, currency, issuer })
        })
    }

    /// Whether another of the same issue can be added: no overflow, and of an issued currency
    /// hardly a digit lost (xrpld's `canAdd`).
    #[must_use]
    pub fn can_add(&self, other: &Self) -> bool {
        if self.is_zero() || other.is_zero() {
            return true;
        }
        if !matches!(self, Self::Issued { .. }) {
            return self.checked_add(other).is_ok();
        }
        let lost = |a: &Self, b: &Self| {
            let again = a.checked_sub(b)?.checked_add(b)?.divide(a, NO_ISSUE)?;
            Ok::<_, ValueError>((again.decimal() - Decimal::one()).abs())
        };
        let most = Decimal::new(1, -4).unwrap_or(Decimal::ZERO);
        matches!((lost(self, other), lost(other, self)), (Ok(a), Ok(b)) if a + b <= most)
    }

    /// Whether another of the same issue can be taken off without an overflow (xrpld's
    /// `canSubtract`); of XRP and MPTs never below zero.
    #[must_use]
    pub fn can_subtract(&self, other: &Self) -> bool {
        match (self, other) {
            _ if other.is_zero() => true,
            (Self::Issued { .. }, _) => true,
            _ if other.signum() > 0 && self.is_less(other) => false,
            _ => self.checked_sub(other).is_ok(),
        }
    }
}

/// Rounded up, something stays something.
fn at_least_something(amount: Amount, up: bool) -> Result<Amount, ValueError> {
    if !up || !amount.is_zero() {
        return Ok(amount);
    }
    let (mantissa, exponent) = match amount {
        Amount::Issued { .. } => (MIN_MANTISSA.unsigned_abs(), MIN_EXPONENT),
        _ => (1, 0),
    };
    Parts { mantissa, exponent, negative: false }.amount(amount.issue())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn usd(text: &str) -> Amount {
        let Issue::Issued { currency, issuer } = NO_ISSUE else { unreachable!() };
        Amount::Issued { value: text.parse().unwrap(), currency, issuer }
    }

    #[test]
    fn products_and_quotients_round_as_xrpld_does() {
        let third = usd("0.3333333333333333");
        // Half a unit is added and the sum then rounded to the nearest.
        assert_eq!(usd("1").divide(&usd("3"), NO_ISSUE), Ok(usd("0.3333333333333334")));
        assert_eq!(usd("2").divide(&usd("3"), NO_ISSUE), Ok(usd("0.6666666666666667")));
        assert_eq!(usd("1").divide_round(&usd("3"), NO_ISSUE, true), Ok(usd("0.3333333333333334")));
        assert_eq!(usd("1").divide_strict(&usd("3"), NO_ISSUE, false), Ok(third));
        // Of a whole number, the old way counts the first decimal and hardly the others.
        let one = Amount::Xrp(1);
        let by = |text, up| one.multiply_round(&usd(text), Issue::Xrp, up);
        assert_eq!(by("2.1", true), Ok(Amount::Xrp(3)));
        assert_eq!(by("2.09", true), Ok(Amount::Xrp(2)));
        let strict = |text, up| one.multiply_strict(&usd(text), Issue::Xrp, up);
        assert_eq!(strict("2.09", true), Ok(Amount::Xrp(3)));
        assert_eq!(strict("2.9", false), Ok(Amount::Xrp(2)));
        assert_eq!(by("1e-30", true), Ok(Amount::Xrp(1)));
        assert_eq!(by("1e-30", false), Ok(Amount::Xrp(0)));
        assert_eq!(usd("1e-50").multiply_round(&usd("1e-50"), NO_ISSUE, true), Ok(usd("1e-81")));
        assert_eq!(one.divide(&Amount::Xrp(0), Issue::Xrp), Err(ValueError::DivisionByZero));
        assert_eq!(usd("1e80").multiply(&usd("1e80"), NO_ISSUE), Err(ValueError::Overflow));
    }

    #[test]
    fn ratios_of_whole_numbers() {
        let ratio = |drops, up| Amount::Xrp(drops).mul_ratio(1, 3, up).unwrap().drops().unwrap();
        assert_eq!([ratio(10, true), ratio(10, false)], [4, 3]);
        assert_eq!([ratio(-10, true), ratio(-10, false)], [-3, -4]);
        assert_eq!(ratio(9, true), 3);
    }

    #[test]
    fn scales() {
        let round = |text, rounding| usd(text).round_to_scale(-2, rounding).unwrap();
        assert_eq!(round("1.2345", Rounding::HalfEven), usd("1.23"));
        assert_eq!(round("1.2345", Rounding::Up), usd("1.24"));
        assert_eq!(round("-1.2345", Rounding::Down), usd("-1.24"));
        assert!(usd("1").can_add(&usd("2")));
        assert!(!usd("1").can_add(&usd("1e-20")));
        assert!(!Amount::Xrp(1).can_subtract(&Amount::Xrp(2)));
    }

    fn any_amount() -> impl Strategy<Value = Amount> {
        prop_oneof![
            (0..=MAX_DROPS).prop_map(Amount::Xrp),
            (1..=i64::MAX, -60..20i32).prop_map(|(m, e)| {
                Amount::from_decimal(NO_ISSUE, Decimal::new(m, e).unwrap()).unwrap()
            }),
        ]
    }

    proptest! {
        /// Up is never below down, and the plain result lies between or next to them.
        #[test]
        fn strict_directions_enclose(a in any_amount(), b in any_amount()) {
            let pair = |up| (a.multiply_strict(&b, NO_ISSUE, up), a.divide_strict(&b, NO_ISSUE, up));
            let ((up, over), (down, under)) = (pair(true), pair(false));
            if let (Ok(up), Ok(down)) = (up, down) {
                prop_assert!(!up.is_less(&down));
            }
            if let (Ok(over), Ok(under)) = (over, under) {
                prop_assert!(!over.is_less(&under));
            }
        }

        #[test]
        fn nothing_panics(a in any_amount(), b in any_amount(), up in any::<bool>()) {
            for issue in [Issue::Xrp, NO_ISSUE] {
                let _ = (a.multiply(&b, issue), a.divide(&b, issue));
                let _ = (a.multiply_round(&b, issue, up), a.divide_round(&b, issue, up));
                let _ = (a.mul_ratio(u32::MAX, 1, up), a.can_add(&b), a.can_subtract(&b));
            }
        }
    }
}
