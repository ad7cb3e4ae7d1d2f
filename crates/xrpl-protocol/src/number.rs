//! The `Number` field type: a decimal with up to 19 digits, as vaults and loans use it.

use std::{fmt, str::FromStr};

use crate::{
    decimal::Decimal,
    issued_value::{ValueError, parse_decimal},
};

/// Smallest mantissa of a normal value: 10^18.
const MIN_MANTISSA: u128 = 1_000_000_000_000_000_000;
/// Largest mantissa: what an `i64` holds.
const MAX_MANTISSA: u128 = i64::MAX as u128;
/// The exponent that stands for zero on the wire.
const ZERO_EXPONENT: i32 = i32::MIN;

/// A signed decimal as it stands on the wire: mantissa and exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Number {
    /// Signed; 0 for zero.
    pub mantissa: i64,
    /// Power of ten; `i32::MIN` for zero.
    pub exponent: i32,
}

impl Number {
    /// Zero.
    pub const ZERO: Self = Self { mantissa: 0, exponent: ZERO_EXPONENT };
}

impl Number {
    /// The decimal to compute with. Invalid if the wire has more than can be computed with.
    #[must_use]
    pub fn decimal(self) -> Decimal {
        Decimal::new(self.mantissa, self.exponent).unwrap_or(Decimal::INVALID)
    }
}

impl From<Decimal> for Number {
    /// Zero for [`Decimal::INVALID`]: check before.
    fn from(decimal: Decimal) -> Self {
        decimal.parts().map_or(Self::ZERO, |(mantissa, exponent)| Self { mantissa, exponent })
    }
}

impl Number {
    /// Reads a text whose every digit the field holds, for whoever must not sign another number than
    /// the one given. The plain reading rounds, as xrpld does.
    ///
    /// # Errors
    /// [`ValueError::TooManyDigits`], and those of the plain reading.
    pub fn exactly(text: &str) -> Result<Self, ValueError> {
        let number: Self = text.parse()?;
        let digits = parse_decimal(text).map(|(_, digits, _)| digits).unwrap_or_default();
        let kept = number.mantissa.unsigned_abs().to_string();
        match kept.trim_end_matches('0').len() >= digits.len() {
            true => Ok(number),
            false => Err(ValueError::TooManyDigits(text.chars().take(60).collect())),
        }
    }
}

impl FromStr for Number {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let shown = || text.chars().take(60).collect::<String>();
        let (negative, digits, exponent) =
            parse_decimal(text).ok_or_else(|| ValueError::Syntax(shown()))?;
        if digits.is_empty() {
            return Ok(Self::ZERO);
        }
        let mut exponent = exponent;
        let kept = digits.len().min(30);
        exponent += (digits.len() - kept) as i64;
        let mut sticky = digits.len() > kept;
        let mut m = digits[..kept].iter().fold(0u128, |m, d| m * 10 + u128::from(d - b'0'));
        while m < MIN_MANTISSA {
            m *= 10;
            exponent -= 1;
        }
        let mut digit = 0;
        while m > MAX_MANTISSA {
            sticky |= digit != 0;
            digit = m % 10;
            m /= 10;
            exponent += 1;
        }
        if digit > 5 || digit == 5 && (sticky || m % 2 == 1) {
            m += 1;
        }
        let exponent = i32::try_from(exponent).map_err(|_| ValueError::Overflow)?;
        if !(-32768..=32768).contains(&exponent) {
            return Err(ValueError::Overflow);
        }
        let m = i64::try_from(m).map_err(|_| ValueError::Overflow)?;
        Ok(Self { mantissa: if negative { -m } else { m }, exponent })
    }
}

impl fmt::Display for Number {
    /// As xrpld writes it; see [`Decimal`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimal = if self.mantissa == 0 { Decimal::ZERO } else { self.decimal() };
        if decimal.is_valid() {
            return fmt::Display::fmt(&decimal, f);
        }
        // Beyond what can be computed with, but it can be shown.
        write!(f, "{}e{}", self.mantissa, self.exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_form_and_text() {
        for (text, mantissa, exponent) in [
            ("1", 1_000_000_000_000_000_000, -18),
            ("-2.5e3", -2_500_000_000_000_000_000, -15),
            ("9876543210987654321", 987_654_321_098_765_432, 1),
            ("0", 0, i32::MIN),
        ] {
            assert_eq!(text.parse(), Ok(Number { mantissa, exponent }), "{text}");
        }
        for (text, shown) in
            [("1", "1"), ("-2.50", "-2.5"), ("0.001", "0.001"), ("1e30", "1e30"), ("120", "120")]
        {
            assert_eq!(text.parse::<Number>().unwrap().to_string(), shown);
        }
        // Where the plain form ends, as in rippled's `to_string(Number)`.
        for (text, shown) in [
            ("99999999999.5", "99999999999.5"),
            ("1e11", "1e11"),
            ("123456789012.5", "1234567890125e-1"),
            ("1e18", "1000000000000000000"),
            ("9323372036854775800", "9323372036854775800"),
            ("0.0000000001", "0.0000000001"),
            ("0.00000000001", "1e-11"),
            ("-0.1234567890123456789", "-0.1234567890123456789"),
        ] {
            assert_eq!(text.parse::<Number>().unwrap().to_string(), shown, "{text}");
        }
        // On the wire any mantissa may stand; too large an exponent is still shown, not a panic.
        let far = Number { mantissa: 1, exponent: i32::MAX };
        assert_eq!(far.to_string(), "1e2147483647");
        assert!("1e99999".parse::<Number>().is_err());
    }

    #[test]
    fn what_is_read_exactly_loses_no_digit() {
        for text in ["9876543210987654321", "1.0000000000000000001", "0.12345678901234567891"] {
            let error = Number::exactly(text).unwrap_err();
            assert!(matches!(error, ValueError::TooManyDigits(_)), "{text}: {error}");
        }
        for text in ["0", "-0.0", "1", "9223372036854775807", "9876543210987654320", "1.50e30"] {
            assert_eq!(Number::exactly(text), text.parse(), "{text}");
        }
    }
}
