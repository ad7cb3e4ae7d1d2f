//! What a deposit comes to, by its form. Numbers of equations are those of XLS-30.

use xrpl_protocol::{Amount, EngineResult, decimal::Decimal, fields};

use super::{flag, written};
use crate::ledger::{
    PreparedTx, Rules, Ter, amendment,
    helpers::amm::{
        Holdings, after_fee, after_half_fee,
        formula::{Adjusted, OneSide, initial_lp_tokens, solve_quadratic},
        rounding::{
            Flow, adjusted_early, adjusted_share, priced_asset_in, priced_tokens_out,
            rounded_share_of_asset, share_of_asset, share_of_tokens,
        },
    },
};

type Result<T> = std::result::Result<T, EngineResult>;

/// A deposit, and what it must come to at least.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// What goes in, for which LP tokens.
    pub(super) wanted: Adjusted,
    /// Least amount of the first asset.
    pub(super) least: Option<Amount>,
    /// Least amount of the second asset.
    pub(super) least2: Option<Amount>,
    /// Least LP tokens.
    pub(super) least_tokens: Option<Amount>,
    /// What the pool has of the first asset, by which old rules adjust.
    pub(super) balance: Amount,
}

impl Plan {
    fn new(balance: Amount, amount: Amount, amount2: Option<Amount>, tokens: Amount) -> Self {
        Self {
            wanted: Adjusted { amount, amount2, tokens },
            least: None,
            least2: None,
            least_tokens: None,
            balance,
        }
    }
}

/// Of which form it is, and with which numbers.
pub(super) struct Forms<'a> {
    pub(super) rules: &'a Rules,
    pub(super) tx: &'a PreparedTx,
    pub(super) pool: Holdings,
    pub(super) fee: u16,
}

fn n(whole: i32) -> Decimal {
    Decimal::from(whole)
}

impl Forms<'_> {
    fn precise(&self) -> bool {
        self.rules.enabled(amendment::FIX_AMM_V1_3)
    }

    fn side(&self) -> OneSide<'_> {
        let Holdings { balance, lp_tokens, .. } = self.pool;
        OneSide { rules: self.rules, balance, lp_tokens, fee: self.fee }
    }

    fn field(&self, field: xrpl_protocol::Field) -> Result<Amount> {
        // The form was checked in preflight.
        self.tx.object.amount(field).ok_or(EngineResult::TEC_INTERNAL)
    }

    /// What the deposit comes to.
    pub(super) fn plan(&self) -> Result<Plan> {
        let has = |flag| self.tx.has_flag(flag);
        if has(flag::TWO_ASSET) {
            self.two_assets()
        } else if has(flag::ONE_ASSET_LP_TOKEN) {
            self.one_asset_for_tokens()
        } else if has(flag::LIMIT_LP_TOKEN) {
            self.one_asset_at_price()
        } else if has(flag::SINGLE_ASSET) {
            self.one_asset(self.field(fields::AMOUNT)?)
        } else if has(flag::LP_TOKEN) {
            self.both_for_tokens()
        } else if has(flag::TWO_ASSET_IF_EMPTY) {
            self.fill_empty()
        } else {
            Err(EngineResult::TEC_INTERNAL)
        }
    }

    /// Old rules had another result where LP tokens come to nothing.
    fn some_tokens(&self, tokens: &Amount) -> Ter {
        match (tokens.is_zero(), self.precise()) {
            (false, _) => Ok(()),
            (true, true) => Err(EngineResult::TEC_AMM_INVALID_TOKENS),
            (true, false) => Err(EngineResult::TEC_AMM_FAILED),
        }
    }

    fn some_precise_tokens(&self, tokens: &Amount) -> Ter {
        if self.precise() { self.some_tokens(tokens) } else { Ok(()) }
    }

    /// `tfLPToken`: both assets in proportion, for a number of LP tokens.
    fn both_for_tokens(&self) -> Result<Plan> {
        let internal = |_| EngineResult::TEC_INTERNAL;
        let (rules, all) = (self.rules, &self.pool.lp_tokens);
        let tokens = self.field(fields::LP_TOKEN_OUT)?;
        let tokens = adjusted_early(rules, all, tokens, Flow::In).map_err(internal)?;
        self.some_precise_tokens(&tokens)?;
        let share = tokens.divide(all, all.issue()).map_err(internal)?;
        let part = |balance: &Amount| {
            rounded_share_of_asset(rules, balance, &share, Flow::In).map_err(internal)
        };
        let (amount, amount2) = (part(&self.pool.balance)?, part(&self.pool.balance2)?);
        Ok(Plan {
            least: self.tx.object.amount(fields::AMOUNT),
            least2: self.tx.object.amount(fields::AMOUNT2),
            ..Plan::new(self.pool.balance, amount, Some(amount2), tokens)
        })
    }

    /// `tfTwoAsset`: both assets in proportion, no more than these of each. One of them is the limit
    /// (equations 1 and 2).
    fn two_assets(&self) -> Result<Plan> {
        let (amount, amount2) = (self.field(fields::AMOUNT)?, self.field(fields::AMOUNT2)?);
        let Holdings { balance, balance2, .. } = self.pool;
        let least_tokens = self.tx.object.amount(fields::LP_TOKEN_OUT);
        let (tokens, other) = self.in_proportion(&amount, &balance, &balance2)?;
        if !other.is_more(&amount2) {
            let plan = Plan::new(balance, amount, Some(other), tokens);
            return Ok(Plan { least_tokens, ..plan });
        }
        let (tokens, other) = self.in_proportion(&amount2, &balance2, &balance)?;
        if !other.is_more(&amount) {
            let plan = Plan::new(balance, other, Some(amount2), tokens);
            return Ok(Plan { least_tokens, ..plan });
        }
        Err(EngineResult::TEC_AMM_FAILED)
    }

    /// LP tokens for an amount of one asset, and how much of the other goes with it.
    fn in_proportion(
        &self,
        amount: &Amount,
        balance: &Amount,
        other: &Amount,
    ) -> Result<(Amount, Amount)> {
        let (rules, all) = (self.rules, &self.pool.lp_tokens);
        let share = amount.decimal() / balance.decimal();
        let tokens = written(share_of_tokens(rules, all, share, Flow::In))?;
        self.some_tokens(&tokens)?;
        let share = adjusted_share(rules, all, &tokens, share);
        Ok((tokens, written(share_of_asset(rules, other, share, Flow::In))?))
    }

    /// LP tokens for a single asset, and how much of it is taken.
    fn tokens_for(&self, amount: Amount) -> Result<(Amount, Amount)> {
        let side = self.side();
        let tokens = written(side.lp_tokens_out(&amount))?;
        let tokens = written(adjusted_early(self.rules, &self.pool.lp_tokens, tokens, Flow::In))?;
        // At a price, less than nothing is as bad as nothing.
        if tokens.signum() < 0 && self.tx.has_flag(flag::LIMIT_LP_TOKEN) {
            self.some_tokens(&Amount::zero(tokens.issue()))?;
        }
        self.some_tokens(&tokens)?;
        self.follow(amount, tokens)
    }

    /// What is taken of a single asset for LP tokens, once they are adjusted.
    fn follow(&self, amount: Amount, tokens: Amount) -> Result<(Amount, Amount)> {
        let (tokens, amount) = written(self.side().adjusted_in(amount, tokens))?;
        self.some_precise_tokens(&tokens)?;
        Ok((tokens, amount))
    }

    /// `tfSingleAsset`: this much of one asset (equation 3).
    fn one_asset(&self, amount: Amount) -> Result<Plan> {
        let (tokens, amount) = self.tokens_for(amount)?;
        let least_tokens = self.tx.object.amount(fields::LP_TOKEN_OUT);
        Ok(Plan { least_tokens, ..Plan::new(self.pool.balance, amount, None, tokens) })
    }

    /// `tfOneAssetLPToken`: one asset, no more than this, for a number of LP tokens (equation 4).
    fn one_asset_for_tokens(&self) -> Result<Plan> {
        let tokens = self.field(fields::LP_TOKEN_OUT)?;
        let tokens = written(adjusted_early(self.rules, &self.pool.lp_tokens, tokens, Flow::In))?;
        self.some_precise_tokens(&tokens)?;
        let amount = written(self.side().asset_in(&tokens))?;
        if amount.is_more(&self.field(fields::AMOUNT)?) {
            return Err(EngineResult::TEC_AMM_FAILED);
        }
        Ok(Plan::new(self.pool.balance, amount, None, tokens))
    }

    /// `tfLimitLPToken`: this much of one asset if a token then costs no more than `EPrice`, else as
    /// much as makes a token cost just that.
    ///
    /// With `E = b/t` equation 3 becomes `c² R² + R ((c f2)² + 2c - d²) + 2 c f2² + 1 - 2 d f2 = 0`,
    /// where `R = b / (f1 B)`, `c = f1 B / (E T)`, `d = f1 + c f2 - c`.
    fn one_asset_at_price(&self) -> Result<Plan> {
        let (amount, price) = (self.field(fields::AMOUNT)?, self.field(fields::E_PRICE)?);
        let Holdings { balance, lp_tokens: all, .. } = self.pool;
        let price = price.decimal();
        if !amount.is_zero() {
            let (tokens, amount) = self.tokens_for(amount)?;
            let effective = written((amount.decimal() / tokens.decimal()).checked())?;
            if effective <= price {
                return Ok(Plan::new(balance, amount, None, tokens));
            }
        }
        let f1 = after_fee(self.fee);
        let f2 = after_half_fee(self.fee) / f1;
        let c = f1 * balance.decimal() / (price * all.decimal());
        let d = f1 + c * f2 - c;
        let a1 = c * c;
        let b1 = c * c * f2 * f2 + n(2) * c - d * d;
        let c1 = n(2) * c * f2 * f2 + n(1) - n(2) * d * f2;
        let amount = written(priced_asset_in(
            self.rules,
            &balance,
            || f1 * balance.decimal() * solve_quadratic(a1, b1, c1),
            || f1 * solve_quadratic(a1, b1, c1),
        ))?;
        if amount.signum() <= 0 {
            return Err(EngineResult::TEC_AMM_FAILED);
        }
        let tokens = written(priced_tokens_out(self.rules, &all, || amount.decimal() / price))?;
        let (tokens, amount) = self.follow(amount, tokens)?;
        Ok(Plan::new(balance, amount, None, tokens))
    }

    /// `tfTwoAssetIfEmpty`: what AMMCreate does, into an AMM that all have left.
    fn fill_empty(&self) -> Result<Plan> {
        let (amount, amount2) = (self.field(fields::AMOUNT)?, self.field(fields::AMOUNT2)?);
        let issue = self.pool.lp_tokens.issue();
        let tokens = written(initial_lp_tokens(self.rules, &amount, &amount2, issue))?;
        Ok(Plan::new(amount, amount, Some(amount2), tokens))
    }
}
