//! The arithmetic behind issued-currency values, pools, vaults and loans: decimals that are rounded
//! where xrpld rounds them. xrpld calls the type `Number`.
//!
//! Results are rounded to 19 digits first and to the 16 of an issued currency afterwards: a sum can
//! differ in its last digit from the exact one rounded once, and the ledger has the former. The
//! rounding mode and the number of digits are those in force on the thread
//! ([`Rounding`], [`Digits`]).
//!
//! xrpld throws where a result is too large or a divisor is zero. Here such a result is
//! [`Decimal::INVALID`], which stays so through every further operation and is an error as soon as
//! an amount is made of it; no comparison with it holds.

use std::{
    cmp::Ordering,
    fmt,
    ops::{Add, Div, Mul, Neg, Sub},
};

use crate::{
    rounding::{Digits, Rounding},
    value_error::ValueError,
};

/// Largest mantissa that an `i64` and so the wire can carry.
const LARGEST: u128 = i64::MAX as u128;
const MIN_EXPONENT: i32 = -32768;
const MAX_EXPONENT: i32 = 32768;
/// Digits kept below the last one while two decimals are subtracted.
const GUARD: u32 = 16;

/// A signed decimal, or zero. See the [module](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    negative: bool,
    mantissa: u64,
    exponent: i32,
}

/// The mantissas of one number of digits.
#[derive(Clone, Copy)]
struct Range {
    min: u128,
    max: u128,
    /// A power of ten below `min * 10`: how many digits stand behind the first.
    log: i32,
    /// Whether rounding up the largest mantissa is done right (fixCleanup3_2_0).
    careful: bool,
}

impl Range {
    const fn of(log: i32, careful: bool) -> Self {
        let min = 10u128.pow(log.unsigned_abs());
        Self { min, max: min * 10 - 1, log, careful }
    }

    const ISSUED: Self = Self::of(15, false);

    fn current() -> Self {
        match Digits::current() {
            Digits::Sixteen => Self::of(15, false),
            Digits::NineteenLegacy => Self::of(18, false),
            Digits::Nineteen => Self::of(18, true),
        }
    }
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
    fn moves_on(self, negative: bool, odd: bool) -> bool {
        match Rounding::current() {
            Rounding::HalfEven => self == Self::AboveHalf || self == Self::Half && odd,
            Rounding::TowardZero => false,
            Rounding::Up => !negative && self != Self::Nothing,
            Rounding::Down => negative && self != Self::Nothing,
        }
    }
}

/// A magnitude on its way to its place.
#[derive(Clone, Copy)]
struct Rough {
    negative: bool,
    mantissa: u128,
    exponent: i32,
    cut: Cut,
}

impl Rough {
    fn drop_digit(&mut self) {
        self.cut = self.cut.digit(self.mantissa % 10);
        self.mantissa /= 10;
        self.exponent += 1;
    }

    fn moves_on(&self) -> bool {
        self.cut.moves_on(self.negative, self.mantissa % 2 == 1)
    }

    /// Rounds by what was cut off and brings the result into the range.
    fn round(mut self, range: Range) -> Result<Decimal, ValueError> {
        if self.moves_on() {
            let largest = range.max.min(LARGEST);
            if range.careful && self.mantissa >= largest {
                self.drop_digit();
                self.mantissa += u128::from(self.moves_on());
            } else {
                self.mantissa += 1;
                if self.mantissa > largest {
                    self.mantissa /= 10;
                    self.exponent += 1;
                }
            }
        }
        if self.mantissa < range.min {
            self.mantissa *= 10;
            self.exponent -= 1;
        }
        if self.exponent < MIN_EXPONENT {
            return Ok(Decimal::ZERO);
        }
        if self.exponent > MAX_EXPONENT {
            return Err(ValueError::Overflow);
        }
        Decimal::of(self.negative, self.mantissa, self.exponent)
    }

    fn normal(mut self, range: Range) -> Result<Decimal, ValueError> {
        if self.mantissa == 0 {
            return Ok(Decimal::ZERO);
        }
        while self.mantissa < range.min && self.exponent > MIN_EXPONENT {
            self.mantissa *= 10;
            self.exponent -= 1;
        }
        while self.mantissa > range.max {
            self.drop_digit();
        }
        if self.exponent < MIN_EXPONENT || self.mantissa < range.min {
            return Ok(Decimal::ZERO);
        }
        if self.mantissa > LARGEST {
            self.drop_digit();
        }
        self.round(range)
    }
}

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self { negative: false, mantissa: 0, exponent: 0 };
    /// What has overflowed or was divided by zero.
    pub const INVALID: Self = Self { negative: false, mantissa: 0, exponent: i32::MAX };

    fn of(negative: bool, mantissa: u128, exponent: i32) -> Result<Self, ValueError> {
        let mantissa = u64::try_from(mantissa).map_err(|_| ValueError::Overflow)?;
        Ok(Self { negative, mantissa, exponent })
    }

    /// One.
    #[must_use]
    pub fn one() -> Self {
        Self::from(1)
    }

    /// `mantissa * 10^exponent`, rounded if it has too many digits.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn new(mantissa: i64, exponent: i32) -> Result<Self, ValueError> {
        Self::from_parts(mantissa < 0, mantissa.unsigned_abs(), exponent)
    }

    /// As [`Decimal::new`], with the sign apart.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn from_parts(negative: bool, mantissa: u64, exponent: i32) -> Result<Self, ValueError> {
        // Far outside the range already; the sums below must not overflow either.
        if exponent > MAX_EXPONENT + 40 && mantissa != 0 {
            return Err(ValueError::Overflow);
        }
        if exponent < MIN_EXPONENT - 40 {
            return Ok(Self::ZERO);
        }
        Rough { negative, mantissa: mantissa.into(), exponent, cut: Cut::Nothing }
            .normal(Range::current())
    }

    /// Whether it is a number at all: not [`Decimal::INVALID`].
    #[must_use]
    pub fn is_valid(self) -> bool {
        self != Self::INVALID
    }

    /// Whether it is zero.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.mantissa == 0 && self.is_valid()
    }

    /// -1, 0 or 1.
    #[must_use]
    pub fn signum(self) -> i32 {
        match (self.mantissa, self.negative) {
            (0, _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        }
    }

    /// Without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self { negative: false, ..self }
    }

    /// Mantissa and exponent as the wire has them; none for zero.
    #[must_use]
    pub fn parts(self) -> Option<(i64, i32)> {
        let (mut size, mut exponent) = (self.mantissa, self.exponent);
        if u128::from(size) > LARGEST {
            size /= 10;
            exponent += 1;
        }
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        (size != 0).then_some((if self.negative { -size } else { size }, exponent))
    }

    /// An error in place of [`Decimal::INVALID`].
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn checked(self) -> Result<Self, ValueError> {
        if self.is_valid() { Ok(self) } else { Err(ValueError::Overflow) }
    }

    /// Mantissa and exponent once rounded to 16 digits, whatever the digits in force; none for zero.
    pub(crate) fn sixteen_digits(self) -> Result<Option<(i64, i32)>, ValueError> {
        Ok(self.checked()?.rough().normal(Range::ISSUED)?.parts())
    }

    /// Rounded to a whole number: drops, or units of an MPT.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn to_i64(self) -> Result<i64, ValueError> {
        let Some((mantissa, exponent)) = self.checked()?.parts() else { return Ok(0) };
        whole(self.negative, mantissa.unsigned_abs(), exponent)
    }

    /// The whole part.
    #[must_use]
    pub fn truncated(self) -> Self {
        if self.exponent >= 0 || self.mantissa == 0 {
            return self;
        }
        let places = self.exponent.unsigned_abs();
        let mantissa = if places > 19 { 0 } else { self.mantissa / 10u64.pow(places.min(19)) };
        let rough = Rough {
            negative: self.negative,
            mantissa: mantissa.into(),
            exponent: 0,
            cut: Cut::Nothing,
        };
        valid(rough.normal(Range::current()))
    }

    fn rough(self) -> Rough {
        let Self { negative, mantissa, exponent } = self;
        Rough { negative, mantissa: mantissa.into(), exponent, cut: Cut::Nothing }
    }

    fn checked_add(self, other: Self) -> Result<Self, ValueError> {
        if other.checked()?.mantissa == 0 {
            return self.checked();
        }
        if self.checked()?.mantissa == 0 {
            return Ok(other);
        }
        if self == -other {
            return Ok(Self::ZERO);
        }
        let (high, low) =
            if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        let gap = high.exponent.abs_diff(low.exponent);
        let range = Range::current();
        if high.negative == low.negative {
            return high.add_magnitude(low, gap, range);
        }
        high.take_magnitude(low, gap, range)
    }

    fn add_magnitude(self, low: Self, gap: u32, range: Range) -> Result<Self, ValueError> {
        let mut low = low.rough();
        // After 20 digits nothing is left of it but that it was there.
        for _ in 0..gap.min(21) {
            low.drop_digit();
        }
        let mut sum = Rough { cut: low.cut, ..self.rough() };
        sum.mantissa += low.mantissa;
        if sum.mantissa > range.max.min(LARGEST) {
            sum.drop_digit();
        }
        sum.round(range)?.rough().normal(range)
    }

    /// The difference of magnitudes: `self` less `low`, which has the smaller exponent.
    fn take_magnitude(self, low: Self, gap: u32, range: Range) -> Result<Self, ValueError> {
        const SCALE: u128 = 10u128.pow(GUARD);
        let high = u128::from(self.mantissa) * SCALE;
        let power = 10u128.pow(gap.min(37));
        let whole = u128::from(low.mantissa) * SCALE;
        let (taken, rest) = (whole / power, !whole.is_multiple_of(power));
        // The guard's sign is that of the operand that was shifted: always the lower one, except
        // that between equal exponents nothing is shifted at all.
        let (negative, mut difference) =
            if high > taken { (self.negative, high - taken) } else { (low.negative, taken - high) };
        let mut exponent = self.exponent;
        let mut mantissa = difference.div_ceil(SCALE);
        while mantissa < range.min && mantissa * 10 <= LARGEST {
            difference *= 10;
            exponent -= 1;
            mantissa = difference.div_ceil(SCALE);
        }
        // `mantissa` is too large by `over`, and by a trace more if there was a rest.
        let over = mantissa * SCALE - difference;
        let back = match Rounding::current() {
            Rounding::HalfEven => {
                let half = SCALE / 2;
                over > half || over == half && (rest || mantissa % 2 == 1)
            }
            // xrpld does not correct a difference in this mode.
            Rounding::TowardZero => false,
            Rounding::Up => negative && (over > 0 || rest),
            Rounding::Down => !negative && (over > 0 || rest),
        };
        if back {
            mantissa -= 1;
        }
        if mantissa < range.min {
            mantissa *= 10;
            exponent -= 1;
        }
        if exponent < MIN_EXPONENT {
            return Ok(Self::ZERO);
        }
        Rough { negative, mantissa, exponent, cut: Cut::Nothing }.normal(range)
    }

    fn checked_mul(self, other: Self) -> Result<Self, ValueError> {
        if self.checked()?.mantissa == 0 || other.checked()?.mantissa == 0 {
            return Ok(Self::ZERO);
        }
        let range = Range::current();
        let mut product = Rough {
            negative: self.negative != other.negative,
            mantissa: u128::from(self.mantissa) * u128::from(other.mantissa),
            exponent: self.exponent + other.exponent,
            cut: Cut::Nothing,
        };
        while product.mantissa > range.max.min(LARGEST) {
            product.drop_digit();
        }
        product.round(range)?.rough().normal(range)
    }

    fn checked_div(self, other: Self) -> Result<Self, ValueError> {
        const FIRST: u32 = 17;
        const SECOND: u32 = 5;
        if other.checked()?.mantissa == 0 {
            return Err(ValueError::DivisionByZero);
        }
        if self.checked()?.mantissa == 0 {
            return Ok(self);
        }
        let range = Range::current();
        // 10^19 * 10^17 fits; the five digits more come from dividing the remainder again.
        let numerator = u128::from(self.mantissa) * 10u128.pow(FIRST);
        let divisor = u128::from(other.mantissa);
        let mut quotient = Rough {
            negative: self.negative != other.negative,
            mantissa: numerator / divisor,
            exponent: self.exponent - other.exponent - FIRST as i32,
            cut: Cut::Nothing,
        };
        if range.log > 15 {
            let more = numerator % divisor * 10u128.pow(SECOND);
            quotient.mantissa = quotient.mantissa * 10u128.pow(SECOND) + more / divisor;
            quotient.exponent -= SECOND as i32;
            if range.careful && !more.is_multiple_of(divisor) {
                quotient.cut = Cut::BelowHalf;
            }
        }
        quotient.normal(range)
    }

    /// The power of ten that it is multiplied by.
    fn shifted(self, exponent: i32) -> Self {
        match self.exponent.saturating_add(exponent) {
            _ if self.mantissa == 0 => self,
            e if e >= MAX_EXPONENT => Self::INVALID,
            e if e < MIN_EXPONENT => Self::ZERO,
            exponent => Self { exponent, ..self },
        }
    }

    /// `self^n`.
    #[must_use]
    pub fn power(self, n: u32) -> Self {
        match n {
            0 => Self::one(),
            1 => self,
            _ => {
                let half = self.power(n / 2);
                let whole = half * half;
                if n % 2 == 1 { whole * self } else { whole }
            }
        }
    }

    /// The square root, as xrpld's `root2` finds it: by Newton's method from a parabola, until it
    /// stops changing. Invalid for a negative number.
    #[must_use]
    pub fn square_root(self) -> Self {
        if self == Self::one() || self.mantissa == 0 {
            return self;
        }
        if self.negative {
            return Self::INVALID;
        }
        let mut e = self.exponent + Range::current().log + 1;
        if e % 2 != 0 {
            e += 1;
        }
        let f = self.shifted(-e);
        let d = Self::from;
        let first = ((d(-60) * f + d(144)) * f + d(18)) / d(105);
        newton(first, |r| (r + f / r) / d(2)).shifted(e / 2)
    }

    /// The root of this degree, as xrpld's `root` finds it. Invalid for a negative number and an
    /// even degree, and for degree 0.
    #[must_use]
    pub fn root(self, degree: u32) -> Self {
        let Ok(di) = i32::try_from(degree) else { return Self::INVALID };
        if self == Self::one() || di == 1 || self.mantissa == 0 {
            return self;
        }
        if di == 0 || self.negative && di % 2 == 0 {
            return Self::INVALID;
        }
        let e = self.exponent + Range::current().log + 1;
        let e = e + (-e).rem_euclid(di);
        let scaled = self.shifted(-e);
        let f = scaled.abs();
        let d = |n: i64| Self::from(n);
        let n = i64::from(di);
        let divisor = ((6 * n + 11) * n + 6) * n + 1;
        let (a0, a1, a2) = (3 * n * ((2 * n - 3) * n + 1), 24 * n * (2 * n - 1), -30 * (n - 1) * n);
        let first = ((d(a2) * f + d(a1)) * f + d(a0)) / d(divisor);
        let first = if self.negative { -first } else { first };
        let step = |r: Self| (d(n - 1) * r + scaled / r.power(degree - 1)) / d(n);
        newton(first, step).shifted(e / di)
    }
}

/// Repeats a step until the value stands still or bounces between two.
fn newton(first: Decimal, step: impl Fn(Decimal) -> Decimal) -> Decimal {
    let (mut r, mut before) = (first, Decimal::ZERO);
    loop {
        let last = std::mem::replace(&mut before, r);
        r = step(r);
        if r == before || r == last || !r.is_valid() {
            return r;
        }
    }
}

/// `mantissa * 10^exponent` as a whole number, rounded.
pub(crate) fn whole(negative: bool, mantissa: u64, exponent: i32) -> Result<i64, ValueError> {
    let mut rough = Rough { negative, mantissa: mantissa.into(), exponent, cut: Cut::Nothing };
    // After 20 digits nothing is left of it but that it was there.
    for _ in 0..exponent.min(0).unsigned_abs().min(21) {
        rough.drop_digit();
    }
    for _ in 0..exponent.max(0) {
        rough.mantissa *= 10;
        if rough.mantissa > LARGEST {
            return Err(ValueError::Overflow);
        }
    }
    rough.mantissa += u128::from(rough.moves_on());
    let size = i64::try_from(rough.mantissa).map_err(|_| ValueError::Overflow)?;
    Ok(if negative { -size } else { size })
}

fn valid(result: Result<Decimal, ValueError>) -> Decimal {
    result.unwrap_or(Decimal::INVALID)
}

impl From<i64> for Decimal {
    fn from(whole: i64) -> Self {
        valid(Self::new(whole, 0))
    }
}

impl From<i32> for Decimal {
    fn from(whole: i32) -> Self {
        Self::from(i64::from(whole))
    }
}

impl From<u32> for Decimal {
    fn from(whole: u32) -> Self {
        Self::from(i64::from(whole))
    }
}

impl Neg for Decimal {
    type Output = Self;
    fn neg(self) -> Self {
        Self { negative: !self.negative && self.mantissa != 0, ..self }
    }
}

impl Add for Decimal {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        valid(self.checked_add(other))
    }
}

impl Sub for Decimal {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Decimal {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        valid(self.checked_mul(other))
    }
}

impl Div for Decimal {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        valid(self.checked_div(other))
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        if !self.is_valid() || !other.is_valid() {
            return None;
        }
        let order = self.signum().cmp(&other.signum());
        if order != Ordering::Equal || self.mantissa == 0 {
            return Some(order);
        }
        let size = (self.exponent, self.mantissa).cmp(&(other.exponent, other.mantissa));
        Some(if self.negative { size.reverse() } else { size })
    }
}

impl fmt::Display for Decimal {
    /// As xrpld writes it, without needless zeros: with 19 digits plain from 10^-10 to below 10^11
    /// and where the digits are a whole number, with an exponent else.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_valid() {
            return f.write_str("invalid");
        }
        let (mut m, mut exponent) = (self.mantissa, self.exponent);
        if m == 0 {
            return f.write_str("0");
        }
        if self.negative {
            f.write_str("-")?;
        }
        let log = Range::current().log;
        if exponent != 0 && !(-(log + 10)..=-(log - 10)).contains(&exponent) {
            while m.is_multiple_of(10) {
                m /= 10;
                exponent += 1;
            }
            return write!(f, "{m}e{exponent}");
        }
        // 10^28 fits, and so does the mantissa's fraction with as many digits.
        let places = exponent.unsigned_abs();
        let (m, scale, width) = (u128::from(m), 10u128.pow(places), places as usize);
        write!(f, "{}", m / scale)?;
        match m % scale {
            0 => Ok(()),
            rest => f.write_str(format!(".{rest:0width$}").trim_end_matches('0')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Rounding::{Down, HalfEven, Up};

    const MIN: i64 = 1_000_000_000_000_000_000;

    fn d(mantissa: i64, exponent: i32) -> Decimal {
        Decimal::new(mantissa, exponent).unwrap()
    }

    #[test]
    fn normal_form() {
        assert_eq!(d(1, 0).parts(), Some((1_000_000_000_000_000_000, -18)));
        assert_eq!(d(i64::MAX, 0).parts(), Some((i64::MAX, 0)));
        assert_eq!(d(i64::MIN, 0).parts(), Some((-922_337_203_685_477_581, 1)));
        assert_eq!(d(0, 7).parts(), None);
        assert_eq!(d(1, -40_000), Decimal::ZERO);
        assert_eq!(Decimal::new(1, 40_000), Err(ValueError::Overflow));
        assert_eq!(Decimal::new(1, i32::MAX), Err(ValueError::Overflow));
        assert_eq!(Decimal::new(1, i32::MIN), Ok(Decimal::ZERO));
    }

    #[test]
    fn sums() {
        // A tie goes to the even neighbour, anything beyond it away.
        assert_eq!(HalfEven.during(|| d(MIN, 0).checked_add(d(5, -1))), Ok(d(MIN, 0)));
        assert_eq!(HalfEven.during(|| d(MIN + 1, 0).checked_add(d(5, -1))), Ok(d(MIN + 2, 0)));
        assert_eq!(HalfEven.during(|| d(MIN, 0).checked_add(d(51, -2))), Ok(d(MIN + 1, 0)));
        assert_eq!(Up.during(|| d(MIN, 0).checked_add(d(1, -90))), Ok(d(MIN + 1, 0)));
        assert_eq!(Down.during(|| d(MIN, 0).checked_add(d(1, -90))), Ok(d(MIN, 0)));
        // What is lost of the largest mantissa is rounded once, not twice.
        assert_eq!(
            HalfEven.during(|| d(i64::MAX, 0).checked_add(d(1, 0))),
            Ok(d(922_337_203_685_477_581, 1))
        );
        // Differences keep the digits that come up from below.
        assert_eq!(HalfEven.during(|| d(MIN, 0).checked_add(d(-7, -1))), Ok(d(MIN - 1, 0)));
        assert_eq!(Down.during(|| d(MIN * 2, 0).checked_add(d(-1, -90))), Ok(d(MIN * 2 - 1, 0)));
        assert_eq!(Up.during(|| d(MIN * 2, 0).checked_add(d(-1, -90))), Ok(d(MIN * 2, 0)));
        assert_eq!(Up.during(|| d(-3, 0).checked_add(d(3, 0))), Ok(Decimal::ZERO));
    }

    #[test]
    fn products_and_quotients() {
        assert_eq!(HalfEven.during(|| d(3, 0).checked_mul(d(-4, 2))), Ok(d(-1200, 0)));
        assert_eq!(
            HalfEven.during(|| d(1, 0).checked_div(d(3, 0))),
            Ok(d(333_333_333_333_333_333 * 10 + 3, -19))
        );
        assert_eq!(
            Up.during(|| d(1, 0).checked_div(d(3, 0))),
            Ok(d(333_333_333_333_333_333 * 10 + 4, -19))
        );
        assert_eq!(
            HalfEven.during(|| d(2, 0).checked_div(d(3, 0))),
            Ok(d(666_666_666_666_666_666 * 10 + 7, -19))
        );
        assert_eq!(
            Up.during(|| d(-2, 0).checked_div(d(3, 0))),
            Ok(d(-(666_666_666_666_666_666 * 10 + 6), -19))
        );
        assert_eq!(
            Up.during(|| d(1, 0).checked_div(Decimal::ZERO)),
            Err(ValueError::DivisionByZero)
        );
        assert_eq!(Up.during(|| d(1, 32_000).checked_mul(d(1, 32_000))), Err(ValueError::Overflow));
        assert_eq!(Up.during(|| d(1, -32_000).checked_mul(d(1, -32_000))), Ok(Decimal::ZERO));
    }

    #[test]
    fn sixteen_digits() {
        let range = |value: Decimal, rounding| {
            let issued = Rounding::during(rounding, || value.to_issued().unwrap());
            Some((issued.mantissa(), issued.exponent()))
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
