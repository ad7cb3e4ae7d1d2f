//! What moves through a step: a number of XRP, of an issued currency or of an MPT. Which currency and
//! whose it is is known to the step.

use xrpl_protocol::{
    Amount, Issue, IssuedValue, MptId, Quality, amount_math::NO_ISSUE, issued_value::ValueError,
    quality::Amounts,
};

use super::FlowError;

/// A number of something. Only numbers of one kind are compared or added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AssetAmount {
    /// Drops of XRP.
    Xrp(i64),
    /// Of an issued currency.
    Issued(IssuedValue),
    /// Units of an MPT.
    Mpt(i64),
}

impl AssetAmount {
    /// Nothing of an issue.
    #[must_use]
    pub fn zero_of(issue: Issue) -> Self {
        Self::of(&Amount::zero(issue))
    }

    /// Nothing of the same kind.
    #[must_use]
    pub fn zero(self) -> Self {
        match self {
            Self::Xrp(_) => Self::Xrp(0),
            Self::Issued(_) => Self::Issued(IssuedValue::ZERO),
            Self::Mpt(_) => Self::Mpt(0),
        }
    }

    /// The least that is something.
    #[must_use]
    pub fn least(self) -> Self {
        match self {
            Self::Xrp(_) => Self::Xrp(1),
            Self::Issued(_) => Self::Issued(IssuedValue::LEAST),
            Self::Mpt(_) => Self::Mpt(1),
        }
    }

    /// The number of an amount.
    #[must_use]
    pub fn of(amount: &Amount) -> Self {
        match *amount {
            Amount::Xrp(drops) => Self::Xrp(drops),
            Amount::Issued { value, .. } => Self::Issued(value),
            Amount::Mpt { value, .. } => Self::Mpt(value),
        }
    }

    /// As an amount of an issue of the same kind.
    #[must_use]
    pub fn amount(self, issue: Issue) -> Amount {
        match (self, issue) {
            (Self::Xrp(drops), _) => Amount::Xrp(drops),
            (Self::Issued(value), Issue::Issued { currency, issuer }) => {
                Amount::Issued { value, currency, issuer }
            }
            (Self::Mpt(value), Issue::Mpt(id)) => Amount::Mpt { value, id },
            (bare, _) => bare.bare(),
        }
    }

    /// As an amount of nothing in particular, to compute with.
    fn bare(self) -> Amount {
        match (self, NO_ISSUE) {
            (Self::Xrp(drops), _) => Amount::Xrp(drops),
            (Self::Issued(value), Issue::Issued { currency, issuer }) => {
                Amount::Issued { value, currency, issuer }
            }
            (Self::Issued(_), _) => Amount::Xrp(0),
            (Self::Mpt(value), _) => Amount::Mpt { value, id: MptId::default() },
        }
    }

    /// -1, 0 or 1.
    #[must_use]
    pub fn signum(self) -> i32 {
        match self {
            Self::Xrp(whole) | Self::Mpt(whole) => whole.signum() as i32,
            Self::Issued(value) => value.signum(),
        }
    }

    /// Whether it is nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.signum() == 0
    }

    /// The sum.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn plus(self, other: Self) -> Result<Self, ValueError> {
        Ok(Self::of(&self.bare().checked_add(&other.bare())?))
    }

    /// The difference.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn minus(self, other: Self) -> Result<Self, ValueError> {
        Ok(Self::of(&self.bare().checked_sub(&other.bare())?))
    }

    /// `self * numerator / denominator`.
    ///
    /// # Errors
    /// [`ValueError::Overflow`], [`ValueError::DivisionByZero`].
    pub fn mul_ratio(self, numerator: u32, denominator: u32, up: bool) -> Result<Self, ValueError> {
        if numerator == denominator {
            return Ok(self);
        }
        Ok(Self::of(&self.bare().mul_ratio(numerator, denominator, up)?))
    }

    /// The drops.
    ///
    /// # Errors
    /// [`FlowError::Impossible`] if it is something else.
    pub(super) fn drops(self) -> Result<i64, FlowError> {
        match self {
            Self::Xrp(drops) => Ok(drops),
            _ => Err(FlowError::Impossible),
        }
    }

    /// The number of an issued currency.
    ///
    /// # Errors
    /// [`FlowError::Impossible`] if it is something else.
    pub(super) fn issued(self) -> Result<IssuedValue, FlowError> {
        match self {
            Self::Issued(value) => Ok(value),
            _ => Err(FlowError::Impossible),
        }
    }

    /// The units of an MPT.
    ///
    /// # Errors
    /// [`FlowError::Impossible`] if it is something else.
    pub(super) fn units(self) -> Result<i64, FlowError> {
        match self {
            Self::Mpt(units) => Ok(units),
            _ => Err(FlowError::Impossible),
        }
    }

    /// As a decimal.
    #[must_use]
    pub fn decimal(self) -> xrpl_protocol::Decimal {
        self.bare().decimal()
    }
}

/// What goes in and what comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InOut {
    /// What goes in.
    pub input: AssetAmount,
    /// What comes out.
    pub output: AssetAmount,
}

impl InOut {
    /// Nothing of two issues.
    #[must_use]
    pub fn zero_of(input: Issue, output: Issue) -> Self {
        Self { input: AssetAmount::zero_of(input), output: AssetAmount::zero_of(output) }
    }

    /// Whether either side is nothing.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.input.signum() <= 0 || self.output.signum() <= 0
    }

    /// Input over output.
    #[must_use]
    pub fn quality(self) -> Quality {
        Quality::of(&self.input.bare(), &self.output.bare())
    }

    fn amounts(self) -> Amounts {
        Amounts { input: self.input.bare(), output: self.output.bare() }
    }

    fn from_amounts(amounts: Amounts) -> Self {
        Self { input: AssetAmount::of(&amounts.input), output: AssetAmount::of(&amounts.output) }
    }

    /// With no more than `limit` coming out, at a quality, rounded with every digit counted.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn limit_output(
        self,
        quality: Quality,
        limit: AssetAmount,
        up: bool,
    ) -> Result<Self, ValueError> {
        if self.output <= limit {
            return Ok(self);
        }
        let limited = quality.limit_output_strict(&self.amounts(), &limit.bare(), up)?;
        Ok(Self::from_amounts(limited))
    }

    /// With no more than `limit` going in, at a quality, rounded with every digit counted, or in the
    /// old way.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn limit_input(
        self,
        quality: Quality,
        limit: AssetAmount,
        up: bool,
        strict: bool,
    ) -> Result<Self, ValueError> {
        if self.input <= limit {
            return Ok(self);
        }
        let (amounts, limit) = (self.amounts(), limit.bare());
        let limited = match strict {
            true => quality.limit_input_strict(&amounts, &limit, up)?,
            false => quality.limit_input(&amounts, &limit)?,
        };
        Ok(Self::from_amounts(limited))
    }
}

/// A sum whose parts are added from the smallest on, which loses fewest digits.
#[derive(Clone, Debug)]
pub struct Sum {
    zero: AssetAmount,
    sorted: Vec<AssetAmount>,
}

impl Sum {
    /// Of nothing, of the kind of `like`.
    #[must_use]
    pub fn new(like: AssetAmount) -> Self {
        Self { zero: like.zero(), sorted: Vec::new() }
    }

    /// Adds a part.
    pub fn insert(&mut self, part: AssetAmount) {
        let at = self.sorted.partition_point(|other| *other <= part);
        self.sorted.insert(at, part);
    }

    /// Takes a part out again.
    pub fn remove(&mut self, part: AssetAmount) {
        if let Ok(at) = self.sorted.binary_search(&part) {
            self.sorted.remove(at);
        }
    }

    /// Leaves one part.
    pub fn replace(&mut self, part: AssetAmount) {
        self.sorted.clear();
        self.sorted.push(part);
    }

    /// What it comes to.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn total(&self) -> Result<AssetAmount, ValueError> {
        let mut parts = self.sorted.iter();
        let Some(first) = parts.next() else { return Ok(self.zero) };
        parts.try_fold(*first, |sum, part| sum.plus(*part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> AssetAmount {
        AssetAmount::Issued(text.parse().unwrap())
    }

    /// Added in the order of their coming, the two small ones would be lost.
    #[test]
    fn sums_begin_with_the_smallest() {
        let mut sum = Sum::new(value("0"));
        assert_eq!(sum.total(), Ok(value("0")));
        for part in ["1000000000000000", "0.4", "0.4"] {
            sum.insert(value(part));
        }
        assert_eq!(sum.total(), Ok(value("1000000000000001")));
        let one_by_one = value("1000000000000000").plus(value("0.4")).unwrap();
        assert_eq!(one_by_one.plus(value("0.4")), Ok(value("1000000000000000")));
        sum.remove(value("1000000000000000"));
        assert_eq!(sum.total(), Ok(value("0.8")));
        sum.replace(value("3"));
        assert_eq!(sum.total(), Ok(value("3")));
    }

    #[test]
    fn limits_keep_the_quality() {
        let offer = InOut { input: AssetAmount::Xrp(10), output: value("4") };
        let quality = offer.quality();
        let limit = |up| offer.limit_output(quality, value("1"), up).unwrap().input;
        assert_eq!((limit(true), limit(false)), (AssetAmount::Xrp(3), AssetAmount::Xrp(2)));
        let limit =
            |strict| offer.limit_input(quality, AssetAmount::Xrp(1), false, strict).unwrap();
        assert_eq!(limit(true).output, value("0.4"));
        assert_eq!(offer.limit_input(quality, AssetAmount::Xrp(10), false, true), Ok(offer));
        assert!(!offer.is_empty() && InOut { input: value("0"), ..offer }.is_empty());
    }

    #[test]
    fn ratios() {
        assert_eq!(AssetAmount::Mpt(10).mul_ratio(1, 3, true), Ok(AssetAmount::Mpt(4)));
        assert_eq!(value("7").mul_ratio(5, 5, true), Ok(value("7")));
        assert!(AssetAmount::Xrp(i64::MAX).plus(AssetAmount::Xrp(1)).is_err());
    }
}
