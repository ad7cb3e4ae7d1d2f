//! The decimal number of an issued currency: 16 significant digits, exponent -96 to 80
//! (<https://xrpl.org/docs/references/protocol/data-types/currency-formats#issued-currency-precision>).

use std::{cmp::Ordering, fmt, str::FromStr};

pub use crate::value_error::ValueError;
use crate::{decimal::Decimal, rounding::Rounding};

/// Smallest mantissa of a normal value: 10^15.
pub const MIN_MANTISSA: i64 = 1_000_000_000_000_000;
/// Largest mantissa of a normal value: 10^16 - 1.
pub const MAX_MANTISSA: i64 = 9_999_999_999_999_999;
/// Smallest exponent.
pub const MIN_EXPONENT: i32 = -96;
/// Largest exponent.
pub const MAX_EXPONENT: i32 = 80;

/// A signed decimal in canonical form: zero, or 16 digits with an exponent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct IssuedValue {
    mantissa: i64,
    exponent: i32,
}

// Unlike the operators of `std::ops`, these can fail.
#[allow(clippy::should_implement_trait)]
impl IssuedValue {
    /// Zero.
    pub const ZERO: Self = Self { mantissa: 0, exponent: 0 };
    /// One.
    pub const ONE: Self = Self { mantissa: MIN_MANTISSA, exponent: -15 };

    /// `mantissa * 10^exponent`, rounded to 16 digits in the mode in force; too small becomes zero.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn new(mantissa: i64, exponent: i32) -> Result<Self, ValueError> {
        Self::normal(mantissa.into(), exponent)
    }

    /// The largest value.
    pub const MAX: Self = Self { mantissa: MAX_MANTISSA, exponent: MAX_EXPONENT };
    /// The smallest value above zero.
    pub const LEAST: Self = Self { mantissa: MIN_MANTISSA, exponent: MIN_EXPONENT };

    /// A whole number.
    #[must_use]
    pub fn from_whole(n: i32) -> Self {
        Self::new(n.into(), 0).unwrap_or(Self::ZERO)
    }

    /// The signed mantissa; 0 or 16 digits.
    #[must_use]
    pub fn mantissa(&self) -> i64 {
        self.mantissa
    }

    /// The exponent; 0 for zero.
    #[must_use]
    pub fn exponent(&self) -> i32 {
        self.exponent
    }

    /// Whether it is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.mantissa == 0
    }

    /// Whether it is below zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.mantissa < 0
    }

    /// -1, 0 or 1.
    #[must_use]
    pub fn signum(&self) -> i32 {
        self.mantissa.signum() as i32
    }

    fn normal(mantissa: i128, mut exponent: i32) -> Result<Self, ValueError> {
        if mantissa == 0 {
            return Ok(Self::ZERO);
        }
        let negative = mantissa < 0;
        let mut m = mantissa.unsigned_abs();
        let (min, max) = (MIN_MANTISSA as u128, MAX_MANTISSA as u128);
        while m < min {
            m *= 10;
            exponent -= 1;
        }
        let (mut digit, mut sticky) = (0, false);
        while m > max {
            sticky |= digit != 0;
            digit = (m % 10) as u8;
            m /= 10;
            exponent += 1;
        }
        let up = match Rounding::current() {
            Rounding::HalfEven => digit > 5 || (digit == 5 && (sticky || m % 2 == 1)),
            Rounding::TowardZero => false,
            Rounding::Up => !negative && (digit != 0 || sticky),
            Rounding::Down => negative && (digit != 0 || sticky),
        };
        if up {
            m += 1;
            if m > max {
                m = min;
                exponent += 1;
            }
        }
        if exponent < MIN_EXPONENT {
            return Ok(Self::ZERO);
        }
        if exponent > MAX_EXPONENT {
            return Err(ValueError::Overflow);
        }
        let m = m as i64;
        Ok(Self { mantissa: if negative { -m } else { m }, exponent })
    }

    /// The sum, as xrpld's `Number` makes it: to 19 digits first, then to 16.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn add(self, other: Self) -> Result<Self, ValueError> {
        if self.is_zero() {
            return Ok(other);
        }
        if other.is_zero() {
            return Ok(self);
        }
        let (high, low) =
            if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        // With so small a gap 19 digits hold the sum exactly, and the short way is the same.
        if high.exponent - low.exponent <= 1 {
            let gap = (high.exponent - low.exponent) as u32;
            let sum = i128::from(high.mantissa) * 10i128.pow(gap) + i128::from(low.mantissa);
            return Self::normal(sum, low.exponent);
        }
        (Decimal::from(self) + Decimal::from(other)).to_issued()
    }

    /// The difference, rounded as [`IssuedValue::add`].
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn sub(self, other: Self) -> Result<Self, ValueError> {
        self.add(other.negated())
    }

    /// `self * numerator / denominator` (xrpld's `mulRatio`), as transfer rates need it.
    ///
    /// Only what does not fit into 18 digits counts as a remainder for which to round `up` or down;
    /// digits 17 and 18 are rounded to the nearest before. The ledger's balances depend on this.
    ///
    /// # Errors
    /// [`ValueError::DivisionByZero`], [`ValueError::Overflow`].
    pub fn mul_ratio(self, numerator: u32, denominator: u32, up: bool) -> Result<Self, ValueError> {
        const ROOM: u32 = 18;
        if denominator == 0 {
            return Err(ValueError::DivisionByZero);
        }
        let denominator = u128::from(denominator);
        let product = u128::from(self.mantissa.unsigned_abs()) * u128::from(numerator);
        let (mut whole, mut rest) = (product / denominator, product % denominator);
        let mut exponent = self.exponent;
        if rest != 0 {
            let grow = ROOM.saturating_sub(digits_up_to(whole));
            exponent -= grow as i32;
            rest *= 10u128.pow(grow);
            whole = whole * 10u128.pow(grow) + rest / denominator;
            rest %= denominator;
        }
        let shrink = digits_up_to(whole).saturating_sub(ROOM);
        let power = 10u128.pow(shrink);
        let inexact = rest != 0 || !whole.is_multiple_of(power);
        exponent += shrink as i32;
        let negative = self.mantissa < 0;
        let size = i128::try_from(whole / power).map_err(|_| ValueError::Overflow)?;
        let near = Self::normal(if negative { -size } else { size }, exponent)?;
        let step = match up {
            true if inexact && !negative => 1,
            false if inexact && negative => -1,
            _ => return Ok(near),
        };
        if near.is_zero() {
            return Ok(Self { mantissa: step * MIN_MANTISSA, exponent: MIN_EXPONENT });
        }
        Self::new(near.mantissa + step, near.exponent)
    }

    /// With the opposite sign.
    #[must_use]
    pub fn negated(self) -> Self {
        Self { mantissa: -self.mantissa, exponent: self.exponent }
    }

    /// Without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self { mantissa: self.mantissa.abs(), exponent: self.exponent }
    }

    /// The eight bytes of an `Amount`: not-XRP bit, sign, exponent + 97, mantissa.
    #[must_use]
    pub fn to_bits(self) -> u64 {
        const NOT_XRP: u64 = 1 << 63;
        const POSITIVE: u64 = 1 << 62;
        if self.mantissa == 0 {
            return NOT_XRP;
        }
        let sign = if self.mantissa > 0 { POSITIVE } else { 0 };
        NOT_XRP | sign | ((self.exponent + 97) as u64) << 54 | self.mantissa.unsigned_abs()
    }

    /// Reads what [`IssuedValue::to_bits`] writes; none when it is not canonical.
    #[must_use]
    pub fn from_bits(bits: u64) -> Option<Self> {
        let mantissa = (bits & ((1 << 54) - 1)) as i64;
        let exponent = ((bits >> 54) & 0xff) as i32 - 97;
        if mantissa == 0 {
            return (bits == 1 << 63).then_some(Self::ZERO);
        }
        let valid = (MIN_MANTISSA..=MAX_MANTISSA).contains(&mantissa)
            && (MIN_EXPONENT..=MAX_EXPONENT).contains(&exponent);
        let mantissa = if bits & (1 << 62) == 0 { -mantissa } else { mantissa };
        valid.then_some(Self { mantissa, exponent })
    }
}

/// The smallest power of ten that is not below `n`.
fn digits_up_to(n: u128) -> u32 {
    match n {
        0 | 1 => 0,
        _ => (n - 1).ilog10() + 1,
    }
}

/// Splits a decimal text into sign, significant digits and exponent; no digits for zero.
pub(crate) fn parse_decimal(text: &str) -> Option<(bool, Vec<u8>, i64)> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (number, exponent) = match rest.find(['e', 'E']) {
        Some(at) => {
            let digits = &rest[at + 1..];
            let plain = digits.strip_prefix(['+', '-']).unwrap_or(digits);
            if !plain.bytes().all(|b| b.is_ascii_digit()) || plain.len() > 9 {
                return None;
            }
            (&rest[..at], digits.parse::<i64>().ok()?)
        }
        None => (rest, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || number.len() > 400 {
        return None;
    }
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let mut exponent = exponent - fraction.len() as i64;
    while digits.last() == Some(&b'0') {
        digits.pop();
        exponent += 1;
    }
    let leading = digits.iter().take_while(|d| **d == b'0').count();
    digits.drain(..leading);
    Some((negative, digits, exponent))
}

impl FromStr for IssuedValue {
    type Err = ValueError;
    /// Only what the value can hold exactly: whoever signs a text must not sign another number.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let shown = || text.chars().take(60).collect::<String>();
        let (negative, digits, exponent) =
            parse_decimal(text).ok_or_else(|| ValueError::Syntax(shown()))?;
        if digits.is_empty() {
            return Ok(Self::ZERO);
        }
        if digits.len() > 16 {
            return Err(ValueError::Precision(shown()));
        }
        let mantissa = digits.iter().fold(0i128, |m, d| m * 10 + i128::from(d - b'0'));
        let exponent = i32::try_from(exponent).map_err(|_| ValueError::Overflow)?;
        let mantissa = if negative { -mantissa } else { mantissa };
        match Self::normal(mantissa, exponent)? {
            value if value.is_zero() => Err(ValueError::Underflow(shown())),
            value => Ok(value),
        }
    }
}

impl fmt::Display for IssuedValue {
    /// As xrpld writes it: plain, or with an exponent when that is below -25 or above -5.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.mantissa == 0 {
            return f.write_str("0");
        }
        if self.exponent != 0 && (self.exponent < -25 || self.exponent > -5) {
            return write!(f, "{}e{}", self.mantissa, self.exponent);
        }
        if self.mantissa < 0 {
            f.write_str("-")?;
        }
        let digits = self.mantissa.unsigned_abs().to_string();
        let point = digits.len() as i32 + self.exponent;
        let (whole, fraction) = if point <= 0 {
            ("0".to_owned(), "0".repeat(point.unsigned_abs() as usize) + &digits)
        } else {
            let (whole, fraction) = digits.split_at((point as usize).min(digits.len()));
            (whole.to_owned(), fraction.to_owned())
        };
        f.write_str(&whole)?;
        match fraction.trim_end_matches('0') {
            "" => Ok(()),
            rest => write!(f, ".{rest}"),
        }
    }
}

impl From<IssuedValue> for Decimal {
    fn from(value: IssuedValue) -> Self {
        Self::new(value.mantissa(), value.exponent()).unwrap_or(Self::INVALID)
    }
}

impl Decimal {
    /// Rounded to the 16 digits of an issued currency; too small becomes zero.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn to_issued(self) -> Result<IssuedValue, ValueError> {
        match self.sixteen_digits()? {
            Some((_, exponent)) if exponent > MAX_EXPONENT => Err(ValueError::Overflow),
            Some((mantissa, exponent)) if exponent >= MIN_EXPONENT => {
                let digits = (MIN_MANTISSA..=MAX_MANTISSA).contains(&mantissa.abs());
                if digits {
                    Ok(IssuedValue { mantissa, exponent })
                } else {
                    Err(ValueError::Overflow)
                }
            }
            _ => Ok(IssuedValue::ZERO),
        }
    }
}

impl PartialOrd for IssuedValue {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for IssuedValue {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = self.signum().cmp(&other.signum());
        if sign != Ordering::Equal || self.mantissa == 0 {
            return sign;
        }
        let size =
            (self.exponent, self.mantissa.abs()).cmp(&(other.exponent, other.mantissa.abs()));
        if self.mantissa < 0 { size.reverse() } else { size }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn v(text: &str) -> IssuedValue {
        text.parse().unwrap()
    }

    #[test]
    fn text_as_xrpld() {
        for (text, shown) in [
            ("1", "1"),
            ("-0.5", "-0.5"),
            ("100.250", "100.25"),
            ("1e20", "1000000000000000e5"),
            ("9999999999999999e80", "9999999999999999e80"),
            ("1e-20", "1000000000000000e-35"),
            ("1e-10", "0.0000000001"),
            ("0.0", "0"),
            ("0e-999", "0"),
            ("1e-81", "1000000000000000e-96"),
            ("1234567890123456e-96", "1234567890123456e-96"),
        ] {
            assert_eq!(v(text).to_string(), shown, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_represented_is_refused_not_rounded() {
        for text in ["1e-82", "1e-96", "-1e-97", "1e-1000", "9.99e-82"] {
            let error = text.parse::<IssuedValue>().unwrap_err();
            assert!(matches!(error, ValueError::Underflow(_)), "{text}: {error}");
            assert!(error.to_string().contains(text), "{error}");
        }
        for text in ["1.0000000000000001", "0.00012345678901234567", "10000000000000000.1"] {
            let error = text.parse::<IssuedValue>().unwrap_err();
            assert!(matches!(error, ValueError::Precision(_)), "{text}: {error}");
        }
    }

    #[test]
    fn refused_texts() {
        for bad in ["", "-", "1.2.3", "0x10", "1e", "e5", "1e+-3", " 1", "1_0", "é"] {
            assert!(matches!(bad.parse::<IssuedValue>(), Err(ValueError::Syntax(_))), "{bad}");
        }
        assert!(matches!(
            "12345678901234567".parse::<IssuedValue>(),
            Err(ValueError::Precision(_))
        ));
        assert!(matches!("1e97".parse::<IssuedValue>(), Err(ValueError::Overflow)));
    }

    #[test]
    fn arithmetic() {
        assert_eq!(v("1").add(v("-1")).unwrap(), IssuedValue::ZERO);
        assert_eq!(v("100").mul_ratio(1_005_000_000, 1_000_000_000, true), Ok(v("100.5")));
        assert_eq!(v("9999999999999999").add(v("0.5")).unwrap(), v("1e16"));
        // 5 in the 17th digit is rounded to the even neighbour, and what lies beyond the 18th counts
        // once more.
        assert_eq!(v("1000000000000001").mul_ratio(3, 2, true), Ok(v("1500000000000002")));
        assert_eq!(v("1000000000000003").mul_ratio(3, 2, true), Ok(v("1500000000000004")));
        assert_eq!(v("1").mul_ratio(1, 3, true), Ok(v("0.3333333333333334")));
        assert_eq!(v("-1").mul_ratio(1, 3, false), Ok(v("-0.3333333333333334")));
        assert_eq!(v("-1").mul_ratio(1, 3, true), Ok(v("-0.3333333333333333")));
        assert_eq!(v("1").mul_ratio(1, 0, true), Err(ValueError::DivisionByZero));
        let least =
            IssuedValue::from_bits(0x8000_0000_0000_0000 | 1 << 62 | 1 << 54 | MIN_MANTISSA as u64);
        assert_eq!(least.unwrap().mul_ratio(1, 3, true), Ok(least.unwrap()));
        // Rounded at 19 digits and again at 16: exactly it is less than half, the ledger has half.
        assert_eq!(v("1000000000000001").add(v("0.4999999999")).unwrap(), v("1000000000000002"));
        assert_eq!(v("1000000000000001").add(v("0.499")).unwrap(), v("1000000000000001"));
    }

    fn any_value() -> impl Strategy<Value = IssuedValue> {
        (any::<i64>(), -100..60i32).prop_map(|(m, e)| IssuedValue::new(m, e).unwrap())
    }

    proptest! {
        #[test]
        fn text_and_bits_round_trip(value in any_value()) {
            prop_assert_eq!(value.to_string().parse(), Ok(value));
            prop_assert_eq!(IssuedValue::from_bits(value.to_bits()), Some(value));
        }

        #[test]
        fn add_commutes_and_cancels(a in any_value(), b in any_value()) {
            prop_assert_eq!(a.add(b), b.add(a));
            prop_assert!(a.sub(a).unwrap().is_zero());
            prop_assert_eq!(a < b, a.sub(b).unwrap().is_negative() || (a < b && a.sub(b).unwrap().is_zero()));
        }

        #[test]
        fn any_text_is_no_panic(text in ".{0,40}") {
            let _ = text.parse::<IssuedValue>();
        }
    }
}
