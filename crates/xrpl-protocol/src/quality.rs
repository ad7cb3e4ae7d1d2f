//! Rates: transfer rates, and the qualities by which offers are sorted.

use std::cmp::Ordering;

use crate::{
    amount::{Amount, Issue},
    amount_math::NO_ISSUE,
    issued_value::{IssuedValue, ValueError},
};

/// A rate in billionths, such as a TransferRate: what a gateway keeps of what moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(pub u32);

impl Rate {
    /// One to one: nothing is kept.
    pub const PARITY: Self = Self(1_000_000_000);

    /// The rate of an NFT's or MPT's TransferFee, in hundred-thousandths, as a share of an amount.
    #[must_use]
    pub fn of_nft_fee(fee: u16) -> Self {
        Self(u32::from(fee) * 10_000)
    }

    /// Whether nothing is kept.
    #[must_use]
    pub fn is_parity(self) -> bool {
        self == Self::PARITY
    }

    fn amount(self) -> Amount {
        ratio(IssuedValue::new(self.0.into(), -9).unwrap_or(IssuedValue::ONE))
    }

    /// `amount * rate`.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn multiply(self, amount: &Amount) -> Result<Amount, ValueError> {
        if self.is_parity() {
            return Ok(*amount);
        }
        amount.multiply(&self.amount(), amount.issue())
    }

    /// `amount * rate`, as an amount of `issue`, rounded up or down in the old way.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn multiply_round(
        self,
        amount: &Amount,
        issue: Issue,
        up: bool,
    ) -> Result<Amount, ValueError> {
        if self.is_parity() {
            return Ok(*amount);
        }
        amount.multiply_round(&self.amount(), issue, up)
    }

    /// `amount / rate`.
    ///
    /// # Errors
    /// [`ValueError::Overflow`], [`ValueError::DivisionByZero`].
    pub fn divide(self, amount: &Amount) -> Result<Amount, ValueError> {
        if self.is_parity() {
            return Ok(*amount);
        }
        amount.divide(&self.amount(), amount.issue())
    }

    /// `amount / rate`, as an amount of `issue`, rounded up or down in the old way.
    ///
    /// # Errors
    /// [`ValueError::Overflow`], [`ValueError::DivisionByZero`].
    pub fn divide_round(
        self,
        amount: &Amount,
        issue: Issue,
        up: bool,
    ) -> Result<Amount, ValueError> {
        if self.is_parity() {
            return Ok(*amount);
        }
        amount.divide_round(&self.amount(), issue, up)
    }
}

fn ratio(value: IssuedValue) -> Amount {
    match NO_ISSUE {
        Issue::Issued { currency, issuer } => Amount::Issued { value, currency, issuer },
        _ => Amount::Xrp(0),
    }
}

/// What goes into an offer or a step, and what comes out. Of an offer, `input` is TakerPays and
/// `output` TakerGets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amounts {
    /// What is given.
    pub input: Amount,
    /// What is got.
    pub output: Amount,
}

impl Amounts {
    /// Whether nothing can be got or given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.input.signum() <= 0 || self.output.signum() <= 0
    }
}

/// Input over output, as the last eight bytes of an offer directory's id have it: an exponent and 16
/// digits. Smaller bits are better for who takes the offer, and such a quality is the greater one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quality(pub u64);

const MANTISSA: u64 = (1 << 56) - 1;

impl Quality {
    /// One to one.
    pub const ONE: Self = Self(((-15i64 + 100) as u64) << 56 | 1_000_000_000_000_000);

    /// Of an offer that gives `output` for `input`; 0 where there is none: nothing is got, or the
    /// ratio is beyond what can be written (xrpld's `getRate`).
    #[must_use]
    pub fn of(input: &Amount, output: &Amount) -> Self {
        if output.is_zero() {
            return Self(0);
        }
        let rate = input.divide(output, NO_ISSUE).ok().and_then(|rate| rate.value());
        Self(rate.filter(|rate| !rate.is_zero()).map_or(0, Self::bits))
    }

    fn bits(rate: IssuedValue) -> u64 {
        // Between 4 and 180: an exponent is -96 at least and 80 at most.
        let exponent = u64::from((rate.exponent() + 100).unsigned_abs());
        exponent << 56 | rate.mantissa().unsigned_abs()
    }

    /// As a ratio of input over output.
    #[must_use]
    pub fn rate(self) -> Amount {
        let mantissa = i64::try_from(self.0 & MANTISSA).unwrap_or(i64::MAX);
        let exponent = i32::try_from(self.0 >> 56).unwrap_or(0) - 100;
        ratio(IssuedValue::new(mantissa, exponent).unwrap_or(IssuedValue::ZERO))
    }

    /// One step better.
    #[must_use]
    pub fn better(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// One step worse.
    #[must_use]
    pub fn worse(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Rounded to this many digits, to the worse for who takes (TickSize).
    #[must_use]
    pub fn round(self, digits: u8) -> Self {
        let power = 10u64.pow(16 - u32::from(digits.min(16)));
        let mantissa = self.0 & MANTISSA;
        Self((self.0 & !MANTISSA) | (mantissa.div_ceil(power) * power))
    }

    /// The quality of two steps behind one another.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn then(self, next: Self) -> Result<Self, ValueError> {
        let rate = self.rate().multiply_round(&next.rate(), NO_ISSUE, true)?;
        Ok(Self(rate.value().map_or(0, Self::bits)))
    }

    /// The offer with no more than `limit` going in; output is rounded up in the old way, and never
    /// more than the offer's.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn limit_input(self, offer: &Amounts, limit: &Amount) -> Result<Amounts, ValueError> {
        self.cut_input(offer, limit, |rate, issue| limit.divide_round(rate, issue, true))
    }

    /// As [`Quality::limit_input`], rounded up or down with every digit counted.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn limit_input_strict(
        self,
        offer: &Amounts,
        limit: &Amount,
        up: bool,
    ) -> Result<Amounts, ValueError> {
        self.cut_input(offer, limit, |rate, issue| limit.divide_strict(rate, issue, up))
    }

    fn cut_input(
        self,
        offer: &Amounts,
        limit: &Amount,
        output: impl Fn(&Amount, Issue) -> Result<Amount, ValueError>,
    ) -> Result<Amounts, ValueError> {
        if !offer.input.is_more(limit) {
            return Ok(*offer);
        }
        let output = output(&self.rate(), offer.output.issue())?;
        Ok(Amounts { input: *limit, output: offer.output.smaller(output) })
    }

    /// The offer with no more than `limit` coming out; input is rounded up in the old way, and never
    /// more than the offer's.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn limit_output(self, offer: &Amounts, limit: &Amount) -> Result<Amounts, ValueError> {
        self.cut_output(offer, limit, |rate, issue| limit.multiply_round(rate, issue, true))
    }

    /// As [`Quality::limit_output`], rounded up or down with every digit counted.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub fn limit_output_strict(
        self,
        offer: &Amounts,
        limit: &Amount,
        up: bool,
    ) -> Result<Amounts, ValueError> {
        self.cut_output(offer, limit, |rate, issue| limit.multiply_strict(rate, issue, up))
    }

    fn cut_output(
        self,
        offer: &Amounts,
        limit: &Amount,
        input: impl Fn(&Amount, Issue) -> Result<Amount, ValueError>,
    ) -> Result<Amounts, ValueError> {
        if !offer.output.is_more(limit) {
            return Ok(*offer);
        }
        let input = input(&self.rate(), offer.input.issue())?;
        Ok(Amounts { input: offer.input.smaller(input), output: *limit })
    }
}

impl PartialOrd for Quality {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quality {
    /// The better one for who takes is the greater.
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.cmp(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Amount {
        ratio(text.parse().unwrap())
    }

    #[test]
    fn of_offers() {
        let quality = Quality::of(&Amount::Xrp(1_000_000), &usd("1"));
        assert_eq!(quality.rate(), usd("1000000"));
        assert_eq!(Quality::of(&usd("1"), &usd("1")), Quality::ONE);
        assert_eq!(Quality::of(&usd("1"), &usd("0")), Quality(0));
        assert_eq!(Quality::of(&usd("1e-80"), &usd("1e80")), Quality(0));
        assert!(quality.better() > quality && quality.worse() < quality);
        // Two USD for one drop and three EUR for a USD: as text in an offer directory's id.
        assert_eq!(format!("{:016X}", Quality::of(&usd("3"), &usd("2")).0), "5505543DF729C000");
        assert_eq!(Quality::of(&usd("1.23456"), &usd("1")).round(3).rate(), usd("1.24"));
        let two = Quality::of(&usd("2"), &usd("1"));
        assert_eq!(two.then(two).unwrap().rate(), usd("4"));
    }

    #[test]
    fn limits_never_make_money() {
        let offer = Amounts { input: Amount::Xrp(10), output: usd("3") };
        let quality = Quality::of(&offer.input, &offer.output);
        let cut = quality.limit_input(&offer, &Amount::Xrp(9)).unwrap();
        assert_eq!(cut, Amounts { input: Amount::Xrp(9), output: usd("2.7") });
        let cut = quality.limit_output_strict(&offer, &usd("1"), true).unwrap();
        assert_eq!(cut, Amounts { input: Amount::Xrp(4), output: usd("1") });
        let cut = quality.limit_output_strict(&offer, &usd("1"), false).unwrap();
        assert_eq!(cut.input, Amount::Xrp(3));
        assert_eq!(quality.limit_output(&offer, &usd("5")).unwrap(), offer);
    }

    #[test]
    fn transfer_rates() {
        let rate = Rate(1_005_000_000);
        assert_eq!(rate.multiply(&usd("100")), Ok(usd("100.5")));
        assert_eq!(rate.divide_round(&usd("100.5"), NO_ISSUE, true), Ok(usd("100")));
        assert_eq!(Rate::PARITY.multiply(&usd("0.1")), Ok(usd("0.1")));
        assert_eq!(Rate::of_nft_fee(5_000).multiply(&Amount::Xrp(1_000)), Ok(Amount::Xrp(50)));
    }
}
