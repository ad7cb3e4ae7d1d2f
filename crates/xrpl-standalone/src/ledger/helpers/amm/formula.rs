//! How LP tokens and what is deposited or withdrawn follow from each other.
//!
//! Numbers of equations are those of XLS-30. `B` is the pool's balance of the asset, `b` what goes in
//! or out, `T` all LP tokens, `t` those that are made or redeemed, `f` the trading fee.

use xrpl_protocol::{Amount, Issue, decimal::Decimal, rounding::Rounding};

pub use super::rounding::Result;
use super::{
    after_fee, after_half_fee, fee_share,
    rounding::{Flow, adjusted_lp_tokens, multiply},
};
use crate::ledger::{Rules, amendment};

fn n(whole: i32) -> Decimal {
    Decimal::from(whole)
}

/// The LP tokens of a new pool: the geometric mean of what is in it.
///
/// # Errors
/// [`ValueError::Overflow`](xrpl_protocol::issued_value::ValueError::Overflow).
pub fn initial_lp_tokens(
    rules: &Rules,
    amount: &Amount,
    other: &Amount,
    issue: Issue,
) -> Result<Amount> {
    let rounding = match rules.enabled(amendment::FIX_AMM_V1_3) {
        true => Rounding::Down,
        false => Rounding::current(),
    };
    rounding.during(|| {
        let tokens = (amount.decimal() * other.decimal()).square_root();
        Amount::from_decimal(issue, tokens)
    })
}

/// The positive solution of `a x² + b x + c = 0`.
#[must_use]
pub fn solve_quadratic(a: Decimal, b: Decimal, c: Decimal) -> Decimal {
    (-b + (b * b - n(4) * a * c).square_root()) / (n(2) * a)
}

/// The smaller solution of `a x² + b x + c = 0`, by the formula that does not take nearly equal
/// numbers from each other; none if there is no solution.
#[must_use]
pub fn solve_quadratic_smallest(a: Decimal, b: Decimal, c: Decimal) -> Option<Decimal> {
    let d = b * b - n(4) * a * c;
    if d.signum() < 0 {
        return None;
    }
    let root = d.square_root();
    let divisor = if b.signum() > 0 { -b - root } else { -b + root };
    Some(n(2) * c / divisor)
}

/// One side of a pool, for deposits and withdrawals of a single asset.
#[derive(Clone, Copy, Debug)]
pub struct OneSide<'a> {
    /// Which amendments are on.
    pub rules: &'a Rules,
    /// What the pool has of the asset.
    pub balance: Amount,
    /// All LP tokens.
    pub lp_tokens: Amount,
    /// Trading fee of who deposits or withdraws.
    pub fee: u16,
}

impl OneSide<'_> {
    fn precise(&self) -> bool {
        self.rules.enabled(amendment::FIX_AMM_V1_3)
    }

    fn share_of_balance(&self, amount: &Amount) -> Decimal {
        amount.decimal() / self.balance.decimal()
    }

    fn share_of_tokens(&self, tokens: &Amount) -> Decimal {
        tokens.decimal() / self.lp_tokens.decimal()
    }

    /// LP tokens that a deposit makes (equation 3):
    /// `t = T (R - c) / (1 + c)`, where `R = b/B`, `c = √(f2² + R/f1) - f2`, `f1 = 1 - f`,
    /// `f2 = (1 - f/2) / f1`.
    ///
    /// # Errors
    /// [`ValueError`](xrpl_protocol::issued_value::ValueError).
    pub fn lp_tokens_out(&self, deposit: &Amount) -> Result<Amount> {
        let f1 = after_fee(self.fee);
        let f2 = after_half_fee(self.fee) / f1;
        let r = self.share_of_balance(deposit);
        let c = (f2 * f2 + r / f1).square_root() - f2;
        if !self.precise() {
            let tokens = self.lp_tokens.decimal() * (r - c) / (n(1) + c);
            return Amount::from_decimal(self.lp_tokens.issue(), tokens);
        }
        multiply(&self.lp_tokens, (r - c) / (n(1) + c), Rounding::Down)
    }

    /// What must be deposited for LP tokens: equation 3 solved for `b` (equation 4).
    ///
    /// # Errors
    /// [`ValueError`](xrpl_protocol::issued_value::ValueError).
    pub fn asset_in(&self, tokens: &Amount) -> Result<Amount> {
        let f1 = after_fee(self.fee);
        let f2 = after_half_fee(self.fee) / f1;
        let t1 = self.share_of_tokens(tokens);
        let t2 = n(1) + t1;
        let d = f2 - t1 / t2;
        let a = n(1) / (t2 * t2);
        let b = n(2) * d / t2 - n(1) / f1;
        let c = d * d - f2 * f2;
        let share = solve_quadratic(a, b, c);
        if !self.precise() {
            return Amount::from_decimal(self.balance.issue(), self.balance.decimal() * share);
        }
        multiply(&self.balance, share, Rounding::Up)
    }

    /// LP tokens that a withdrawal costs (equation 7):
    /// `t = T (c - √(c² - 4R)) / 2`, where `R = b/B`, `c = R f + 2 - f`.
    ///
    /// # Errors
    /// [`ValueError`](xrpl_protocol::issued_value::ValueError).
    pub fn lp_tokens_in(&self, withdrawal: &Amount) -> Result<Amount> {
        let r = self.share_of_balance(withdrawal);
        let f = fee_share(self.fee);
        let c = r * f + n(2) - f;
        let root = (c * c - n(4) * r).square_root();
        if !self.precise() {
            let tokens = self.lp_tokens.decimal() * (c - root) / n(2);
            return Amount::from_decimal(self.lp_tokens.issue(), tokens);
        }
        multiply(&self.lp_tokens, (c - root) / n(2), Rounding::Up)
    }

    /// What is withdrawn for LP tokens: equation 7 solved for `b` (equation 8).
    ///
    /// # Errors
    /// [`ValueError`](xrpl_protocol::issued_value::ValueError).
    pub fn asset_out(&self, tokens: &Amount) -> Result<Amount> {
        let f = fee_share(self.fee);
        let t1 = self.share_of_tokens(tokens);
        let (above, below) = (t1 * t1 - t1 * (n(2) - f), t1 * f - n(1));
        if !self.precise() {
            let asset = self.balance.decimal() * above / below;
            return Amount::from_decimal(self.balance.issue(), asset);
        }
        multiply(&self.balance, above / below, Rounding::Down)
    }

    /// A deposit and its LP tokens, once the tokens are those that the ledger can add to all others:
    /// never more than `amount`.
    ///
    /// # Errors
    /// [`ValueError`](xrpl_protocol::issued_value::ValueError).
    pub fn adjusted_in(&self, amount: Amount, tokens: Amount) -> Result<(Amount, Amount)> {
        if !self.precise() {
            return Ok((tokens, amount));
        }
        let (mut tokens, mut asset) = (tokens, self.asset_in(&tokens)?);
        // Rounded the wrong way: try again with as much less as it was too much.
        if asset.is_more(&amount) {
            let less = amount.checked_sub(&asset.checked_sub(&amount)?)?;
            let fewer = self.lp_tokens_out(&less)?;
            tokens = adjusted_lp_tokens(&self.lp_tokens, &fewer, Flow::In)?;
            asset = self.asset_in(&tokens)?;
        }
        Ok((tokens, amount.smaller(asset)))
    }

    /// A withdrawal and its LP tokens, as [`OneSide::adjusted_in`].
    ///
    /// # Errors
    /// [`ValueError`](xrpl_protocol::issued_value::ValueError).
    pub fn adjusted_out(&self, amount: Amount, tokens: Amount) -> Result<(Amount, Amount)> {
        if !self.precise() {
            return Ok((tokens, amount));
        }
        let (mut tokens, mut asset) = (tokens, self.asset_out(&tokens)?);
        if asset.is_more(&amount) {
            let less = amount.checked_sub(&asset.checked_sub(&amount)?)?;
            let fewer = self.lp_tokens_in(&less)?;
            tokens = adjusted_lp_tokens(&self.lp_tokens, &fewer, Flow::Out)?;
            asset = self.asset_out(&tokens)?;
        }
        Ok((tokens, amount.smaller(asset)))
    }
}

/// What goes in or out, for which LP tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adjusted {
    /// Of the first asset.
    pub amount: Amount,
    /// Of the second, if it is not single-sided.
    pub amount2: Option<Amount>,
    /// LP tokens.
    pub tokens: Amount,
}

/// Adjusts LP tokens after the amounts were computed, and the amounts to them: what was done before
/// fixAMMv1_3. With no tokens left the amounts mean nothing.
///
/// # Errors
/// [`ValueError`](xrpl_protocol::issued_value::ValueError).
pub fn adjusted_late(side: &OneSide<'_>, wanted: Adjusted, flow: Flow) -> Result<Adjusted> {
    let rules = side.rules;
    if rules.enabled(amendment::FIX_AMM_V1_3) {
        return Ok(wanted);
    }
    let Adjusted { amount, amount2, tokens } = wanted;
    let actual = adjusted_lp_tokens(&side.lp_tokens, &tokens, flow)?;
    if actual.is_zero() || !actual.is_less(&tokens) {
        return Ok(Adjusted { tokens: actual, ..wanted });
    }
    let mended = rules.enabled(amendment::FIX_AMM_V1_1);
    let at_most = |new: Amount, old: Amount| if mended { new } else { old.smaller(new) };
    if let Some(amount2) = amount2 {
        let share = actual.decimal() / tokens.decimal();
        let part = |of: Amount| Amount::from_decimal(of.issue(), share * of.decimal());
        return Ok(Adjusted {
            amount: at_most(part(amount)?, amount),
            amount2: Some(at_most(part(amount2)?, amount2)),
            tokens: actual,
        });
    }
    let asset = match flow {
        Flow::In => side.asset_in(&actual)?,
        Flow::Out if mended => side.asset_out(&actual)?,
        Flow::Out => side.asset_out(&tokens)?,
    };
    Ok(Adjusted { amount: at_most(asset, amount), amount2: None, tokens: actual })
}
