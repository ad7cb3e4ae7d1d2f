//! How the average quality of a strand depends on how much comes out of it: the more is taken of a
//! pool, the dearer it gets. With one strand and a limit, it tells how much to ask for.

use xrpl_protocol::{Decimal, Quality, Rounding, issued_value::ValueError};

use super::asset_amount::InOut;
use crate::ledger::helpers::amm::after_fee;

/// Output over input as a linear function of the output: `slope * output + intercept`.
#[derive(Clone, Copy, Debug)]
pub(super) struct QualityFunction {
    slope: Decimal,
    intercept: Decimal,
    /// If it does not depend on the output.
    constant: Option<Quality>,
}

impl QualityFunction {
    /// Of offers, and of what is like them: always the same.
    ///
    /// # Errors
    /// [`ValueError::DivisionByZero`] for a quality that is none.
    pub(super) fn constant(quality: Quality) -> Result<Self, ValueError> {
        let rate = quality.rate().decimal();
        if rate.signum() <= 0 {
            return Err(ValueError::DivisionByZero);
        }
        let intercept = Decimal::one() / rate;
        Ok(Self { slope: Decimal::ZERO, intercept, constant: Some(quality) })
    }

    /// Of a pool that holds `pool`: `out / in = (1 - fee) (held_out - out) / held_in`.
    ///
    /// # Errors
    /// [`ValueError::DivisionByZero`] for an empty pool.
    pub(super) fn of_pool(pool: InOut, fee: u16) -> Result<Self, ValueError> {
        if pool.is_empty() {
            return Err(ValueError::DivisionByZero);
        }
        let (held_in, held_out) = (pool.input.decimal(), pool.output.decimal());
        let share = after_fee(fee);
        let (slope, intercept) = (-share / held_in, held_out * share / held_in);
        Ok(Self { slope, intercept, constant: None })
    }

    /// This one and then the next.
    pub(super) fn then(self, next: &Self) -> Self {
        let slope = self.slope + self.intercept * next.slope;
        let constant = self.constant.filter(|_| slope.is_zero());
        Self { slope, intercept: self.intercept * next.intercept, constant }
    }

    /// Its quality, if that is always the same.
    pub(super) fn quality(&self) -> Option<Quality> {
        self.constant
    }

    /// The output at which the average quality is this one; none if there is no such.
    ///
    /// # Errors
    /// [`ValueError::Overflow`].
    pub(super) fn output_at(&self, quality: Quality) -> Result<Option<Decimal>, ValueError> {
        let rate = quality.rate().decimal();
        if self.slope.is_zero() || rate.is_zero() {
            return Ok(None);
        }
        let output = Rounding::Up.during(|| (Decimal::one() / rate - self.intercept) / self.slope);
        Ok(Some(output.checked()?).filter(|output| output.signum() > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::asset_amount::AssetAmount, *};

    /// A pool of 100 and 1000 without fee gives `1000 - 100 * 1000 / (100 + in)`: for 25 it gives 200,
    /// 8 for each.
    #[test]
    fn a_pool_gets_dearer() {
        let pool = InOut { input: AssetAmount::Xrp(100), output: AssetAmount::Mpt(1000) };
        let function = QualityFunction::of_pool(pool, 0).unwrap();
        assert_eq!(function.quality(), None);
        let eight = InOut { input: AssetAmount::Xrp(1), output: AssetAmount::Mpt(8) }.quality();
        assert_eq!(function.output_at(eight), Ok(Some(Decimal::from(200))));
        // An offer at 2 for 1 before it halves what it must pay: the same output at 4 for each.
        let half = InOut { input: AssetAmount::Xrp(2), output: AssetAmount::Mpt(1) }.quality();
        let both = QualityFunction::constant(half).unwrap().then(&function);
        let four = InOut { input: AssetAmount::Xrp(1), output: AssetAmount::Mpt(4) }.quality();
        assert_eq!(both.output_at(four), Ok(Some(Decimal::from(200))));
        // Dearer than its price is not to be had at all.
        let ten = InOut { input: AssetAmount::Xrp(1), output: AssetAmount::Mpt(11) }.quality();
        assert_eq!(function.output_at(ten), Ok(None));
        let alone = QualityFunction::constant(half).unwrap();
        assert_eq!((alone.quality(), alone.output_at(half)), (Some(half), Ok(None)));
        assert!(QualityFunction::constant(Quality(0)).is_err());
    }
}
