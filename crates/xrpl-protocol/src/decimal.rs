//! The arithmetic behind issued-currency values and the `Number` type: decimals of 19 digits that
//! are rounded where xrpld rounds them (its `Number` with large mantissas, as it computes once
//! SingleAssetVault or LendingProtocol is enabled, with the rounding at the largest mantissa mended).
//!
//! Results are rounded to 19 digits first and to the 16 of an issued currency afterwards: a sum can
//! differ in its last digit from the exact one rounded once, and the ledger has the former.

use crate::issued_value::{Rounding, ValueError};

/// Smallest mantissa of a normal decimal: 10^18.
const MIN: u128 = 1_000_000_000_000_000_000;
/// Largest mantissa. Above [`LARGEST`] its last digit is zero.
const MAX: u128 = 9_999_999_999_999_999_999;
/// Largest mantissa that the wire can carry.
const LARGEST: u128 = i64::MAX as u128;
const MIN_EXPONENT: i32 = -32768;
const MAX_EXPONENT: i32 = 32768;
/// Digits kept below the last one while two decimals are subtracted.
const GUARD: u32 = 16;

/// A signed decimal of 19 digits, or zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    mantissa: u128,
    exponent: i32,
}

/// How much was cut off below the last digit, as far as rounding must know.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cut {
    Nothing,
    BelowHalf,
    Half,
    AboveHalf,
}

impl Cut {
    fn digit(self, digit: u128) -> Self {
        match digit {
            0 if self == Self::Nothing => Self::Nothing,
            0..=4 => Self::BelowHalf,
            5 if self == Self::Nothing => Self::Half,
            _ => Self::AboveHalf,
        }
    }

    /// Whether the magnitude is to move on by one, away from zero.
    fn moves_on(self, rounding: Rounding, negative: bool, odd: bool) -> bool {
        match rounding {
            Rounding::HalfEven => self == Self::AboveHalf || self == Self::Half && odd,
            Rounding::Up => !negative && self != Self::Nothing,
            Rounding::Down => negative && self != Self::Nothing,
        }
    }
}

fn drop_digit(mantissa: &mut u128, exponent: &mut i32, cut: &mut Cut) {
    *cut = cut.digit(*mantissa % 10);
    *mantissa /= 10;
    *exponent += 1;
}

/// Rounds by what was cut off and brings the result into the range that begins with `min`.
fn round(
    negative: bool,
    mut mantissa: u128,
    mut exponent: i32,
    mut cut: Cut,
    rounding: Rounding,
    (min, max): (u128, u128),
) -> Result<Decimal, ValueError> {
    if cut.moves_on(rounding, negative, mantissa % 2 == 1) {
        if mantissa >= max.min(LARGEST) {
            drop_digit(&mut mantissa, &mut exponent, &mut cut);
            mantissa += u128::from(cut.moves_on(rounding, negative, mantissa % 2 == 1));
        } else {
            mantissa += 1;
        }
    }
    if mantissa < min {
        mantissa *= 10;
        exponent -= 1;
    }
    if exponent < MIN_EXPONENT {
        return Ok(Decimal::ZERO);
    }
    if exponent > MAX_EXPONENT {
        return Err(ValueError::Overflow);
    }
    Ok(Decimal { negative, mantissa, exponent })
}

fn normal(
    negative: bool,
    mut mantissa: u128,
    mut exponent: i32,
    mut cut: Cut,
    rounding: Rounding,
    range: (u128, u128),
) -> Result<Decimal, ValueError> {
    if mantissa == 0 {
        return Ok(Decimal::ZERO);
    }
    while mantissa < range.0 && exponent > MIN_EXPONENT {
        mantissa *= 10;
        exponent -= 1;
    }
    while mantissa > range.1 {
        drop_digit(&mut mantissa, &mut exponent, &mut cut);
    }
    if exponent < MIN_EXPONENT || mantissa < range.0 {
        return Ok(Decimal::ZERO);
    }
    if mantissa > LARGEST {
        drop_digit(&mut mantissa, &mut exponent, &mut cut);
    }
    round(negative, mantissa, exponent, cut, rounding, range)
}

impl Decimal {
    pub(crate) const ZERO: Self = Self { negative: false, mantissa: 0, exponent: 0 };

    /// `mantissa * 10^exponent`.
    pub(crate) fn new(
        mantissa: i64,
        exponent: i32,
        rounding: Rounding,
    ) -> Result<Self, ValueError> {
        let size = u128::from(mantissa.unsigned_abs());
        // Far outside the range already; the sums below must not overflow either.
        if exponent > MAX_EXPONENT + 40 && mantissa != 0 {
            return Err(ValueError::Overflow);
        }
        if exponent < MIN_EXPONENT - 40 {
            return Ok(Self::ZERO);
        }
        normal(mantissa < 0, size, exponent, Cut::Nothing, rounding, (MIN, MAX))
    }

    /// Mantissa and exponent as the wire has them; none for zero.
    pub(crate) fn parts(self) -> Option<(i64, i32)> {
        let (mut size, mut exponent) = (self.mantissa, self.exponent);
        if size > LARGEST {
            size /= 10;
            exponent += 1;
        }
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        (size != 0).then_some((if self.negative { -size } else { size }, exponent))
    }

    /// The 19 digits and their exponent.
    pub(crate) fn digits(self) -> (u128, i32) {
        (self.mantissa, self.exponent)
    }

    /// Rounded to a mantissa from `min` to `max`; none for zero.
    pub(crate) fn rounded(
        self,
        min: i64,
        max: i64,
        rounding: Rounding,
    ) -> Result<Option<(i64, i32)>, ValueError> {
        let range = (u128::from(min.unsigned_abs()), u128::from(max.unsigned_abs()));
        let Self { negative, mantissa, exponent } = self;
        Ok(normal(negative, mantissa, exponent, Cut::Nothing, rounding, range)?.parts())
    }

    pub(crate) fn negated(self) -> Self {
        Self { negative: !self.negative && self.mantissa != 0, ..self }
    }

    pub(crate) fn add(self, other: Self, rounding: Rounding) -> Result<Self, ValueError> {
        if other.mantissa == 0 {
            return Ok(self);
        }
        if self.mantissa == 0 {
            return Ok(other);
        }
        if self == other.negated() {
            return Ok(Self::ZERO);
        }
        let (high, low) =
            if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        let gap = high.exponent.abs_diff(low.exponent);
        if high.negative == low.negative {
            return high.add_magnitude(low.mantissa, gap, rounding);
        }
        high.take_magnitude(low, gap, rounding)
    }

    fn add_magnitude(
        self,
        mut low: u128,
        gap: u32,
        rounding: Rounding,
    ) -> Result<Self, ValueError> {
        let (mut cut, mut ignored) = (Cut::Nothing, 0);
        // After 20 digits nothing is left of it but that it was there.
        for _ in 0..gap.min(21) {
            drop_digit(&mut low, &mut ignored, &mut cut);
        }
        let (mut mantissa, mut exponent) = (self.mantissa + low, self.exponent);
        if mantissa > LARGEST {
            drop_digit(&mut mantissa, &mut exponent, &mut cut);
        }
        let sum = round(self.negative, mantissa, exponent, cut, rounding, (MIN, MAX))?;
        sum.normalised(rounding)
    }

    /// The difference of magnitudes: `self` less `low`, which has the smaller exponent.
    fn take_magnitude(self, low: Self, gap: u32, rounding: Rounding) -> Result<Self, ValueError> {
        const SCALE: u128 = 10u128.pow(GUARD);
        let high = self.mantissa * SCALE;
        let power = 10u128.pow(gap.min(37));
        let (taken, rest) =
            (low.mantissa * SCALE / power, !(low.mantissa * SCALE).is_multiple_of(power));
        // The guard's sign is that of the operand that was shifted: always the lower one, except
        // that between equal exponents nothing is shifted at all.
        let (negative, mut difference) =
            if high > taken { (self.negative, high - taken) } else { (low.negative, taken - high) };
        let mut exponent = self.exponent;
        let mut mantissa = difference.div_ceil(SCALE);
        while mantissa < MIN && mantissa * 10 <= LARGEST {
            difference *= 10;
            exponent -= 1;
            mantissa = difference.div_ceil(SCALE);
        }
        // `mantissa` is too large by `over`, and by a trace more if there was a rest.
        let over = mantissa * SCALE - difference;
        let back = match rounding {
            Rounding::HalfEven => {
                let half = SCALE / 2;
                over > half || over == half && (rest || mantissa % 2 == 1)
            }
            Rounding::Up => negative && (over > 0 || rest),
            Rounding::Down => !negative && (over > 0 || rest),
        };
        if back {
            mantissa -= 1;
        }
        if mantissa < MIN {
            mantissa *= 10;
            exponent -= 1;
        }
        if exponent < MIN_EXPONENT {
            return Ok(Self::ZERO);
        }
        Self { negative, mantissa, exponent }.normalised(rounding)
    }

    fn normalised(self, rounding: Rounding) -> Result<Self, ValueError> {
        normal(self.negative, self.mantissa, self.exponent, Cut::Nothing, rounding, (MIN, MAX))
    }

    pub(crate) fn mul(self, other: Self, rounding: Rounding) -> Result<Self, ValueError> {
        if self.mantissa == 0 || other.mantissa == 0 {
            return Ok(Self::ZERO);
        }
        let negative = self.negative != other.negative;
        let mut mantissa = self.mantissa * other.mantissa;
        let mut exponent = self.exponent + other.exponent;
        let mut cut = Cut::Nothing;
        while mantissa > LARGEST {
            drop_digit(&mut mantissa, &mut exponent, &mut cut);
        }
        let product = round(negative, mantissa, exponent, cut, rounding, (MIN, MAX))?;
        product.normalised(rounding)
    }

    pub(crate) fn div(self, other: Self, rounding: Rounding) -> Result<Self, ValueError> {
        const FIRST: u32 = 17;
        const SECOND: u32 = 5;
        if other.mantissa == 0 {
            return Err(ValueError::DivisionByZero);
        }
        if self.mantissa == 0 {
            return Ok(self);
        }
        // 10^19 * 10^17 fits; the five digits more come from dividing the remainder again.
        let numerator = self.mantissa * 10u128.pow(FIRST);
        let divisor = other.mantissa;
        let more = numerator % divisor * 10u128.pow(SECOND);
        let quotient = numerator / divisor * 10u128.pow(SECOND) + more / divisor;
        let cut = if more.is_multiple_of(divisor) { Cut::Nothing } else { Cut::BelowHalf };
        let exponent = self.exponent - other.exponent - (FIRST + SECOND) as i32;
        let negative = self.negative != other.negative;
        normal(negative, quotient, exponent, cut, rounding, (MIN, MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Rounding::{Down, HalfEven, Up};

    fn d(mantissa: i64, exponent: i32) -> Decimal {
        Decimal::new(mantissa, exponent, HalfEven).unwrap()
    }

    #[test]
    fn normal_form() {
        assert_eq!(d(1, 0).parts(), Some((1_000_000_000_000_000_000, -18)));
        assert_eq!(d(i64::MAX, 0).parts(), Some((i64::MAX, 0)));
        assert_eq!(d(i64::MIN, 0).parts(), Some((-922_337_203_685_477_581, 1)));
        assert_eq!(d(0, 7).parts(), None);
        assert_eq!(d(1, -40_000), Decimal::ZERO);
        assert_eq!(Decimal::new(1, 40_000, HalfEven), Err(ValueError::Overflow));
        assert_eq!(Decimal::new(1, i32::MAX, HalfEven), Err(ValueError::Overflow));
        assert_eq!(Decimal::new(1, i32::MIN, HalfEven), Ok(Decimal::ZERO));
    }

    #[test]
    fn sums() {
        // A tie goes to the even neighbour, anything beyond it away.
        assert_eq!(d(MIN as i64, 0).add(d(5, -1), HalfEven), Ok(d(MIN as i64, 0)));
        assert_eq!(d(MIN as i64 + 1, 0).add(d(5, -1), HalfEven), Ok(d(MIN as i64 + 2, 0)));
        assert_eq!(d(MIN as i64, 0).add(d(51, -2), HalfEven), Ok(d(MIN as i64 + 1, 0)));
        assert_eq!(d(MIN as i64, 0).add(d(1, -90), Up), Ok(d(MIN as i64 + 1, 0)));
        assert_eq!(d(MIN as i64, 0).add(d(1, -90), Down), Ok(d(MIN as i64, 0)));
        // What is lost of the largest mantissa is rounded once, not twice.
        assert_eq!(d(i64::MAX, 0).add(d(1, 0), HalfEven), Ok(d(922_337_203_685_477_581, 1)));
        // Differences keep the digits that come up from below.
        assert_eq!(d(MIN as i64, 0).add(d(-7, -1), HalfEven), Ok(d(MIN as i64 - 1, 0)));
        assert_eq!(d(MIN as i64 * 2, 0).add(d(-1, -90), Down), Ok(d(MIN as i64 * 2 - 1, 0)));
        assert_eq!(d(MIN as i64 * 2, 0).add(d(-1, -90), Up), Ok(d(MIN as i64 * 2, 0)));
        assert_eq!(d(-3, 0).add(d(3, 0), Up), Ok(Decimal::ZERO));
    }

    #[test]
    fn products_and_quotients() {
        assert_eq!(d(3, 0).mul(d(-4, 2), HalfEven), Ok(d(-1200, 0)));
        assert_eq!(d(1, 0).div(d(3, 0), HalfEven), Ok(d(333_333_333_333_333_333 * 10 + 3, -19)));
        assert_eq!(d(1, 0).div(d(3, 0), Up), Ok(d(333_333_333_333_333_333 * 10 + 4, -19)));
        assert_eq!(d(2, 0).div(d(3, 0), HalfEven), Ok(d(666_666_666_666_666_666 * 10 + 7, -19)));
        assert_eq!(d(-2, 0).div(d(3, 0), Up), Ok(d(-(666_666_666_666_666_666 * 10 + 6), -19)));
        assert_eq!(d(1, 0).div(Decimal::ZERO, Up), Err(ValueError::DivisionByZero));
        assert_eq!(d(1, 32_000).mul(d(1, 32_000), Up), Err(ValueError::Overflow));
        assert_eq!(d(1, -32_000).mul(d(1, -32_000), Up), Ok(Decimal::ZERO));
    }

    #[test]
    fn sixteen_digits() {
        let range = |value: Decimal, rounding| {
            value.rounded(1_000_000_000_000_000, 9_999_999_999_999_999, rounding).unwrap()
        };
        assert_eq!(range(d(1, 0), Up), Some((1_000_000_000_000_000, -15)));
        assert_eq!(range(d(9_999_999_999_999_999, 0), Up), Some((9_999_999_999_999_999, 0)));
        assert_eq!(
            range(d(99_999_999_999_999_995, -1), HalfEven),
            Some((1_000_000_000_000_000, 1))
        );
        assert_eq!(range(d(-12_345_678_901_234_561, 0), Up), Some((-1_234_567_890_123_456, 1)));
        assert_eq!(range(d(-12_345_678_901_234_561, 0), Down), Some((-1_234_567_890_123_457, 1)));
    }
}
