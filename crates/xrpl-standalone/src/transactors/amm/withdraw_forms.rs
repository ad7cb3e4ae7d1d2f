//! What a withdrawal comes to, by its form. Numbers of equations are those of XLS-30.

use xrpl_protocol::{Amount, EngineResult, Field, decimal::Decimal, fields};

use super::{flag, withdrawal::Terms, written};
use crate::{
    ledger::{
        PreparedTx, Rules, Ter, amendment,
        helpers::amm::{
            Holdings, fee_share,
            formula::{Adjusted, OneSide},
            rounding::{
                Flow, adjusted_early, adjusted_share, priced_asset_out, priced_tokens_in,
                share_of_asset, share_of_tokens,
            },
        },
    },
    transactors::ensure,
};

type Result<T> = std::result::Result<T, EngineResult>;

/// What a withdrawal is to be.
pub(super) enum Plan {
    /// In proportion to LP tokens.
    Proportional(Amount),
    /// These amounts for these LP tokens.
    Amounts(Adjusted),
}

/// Of which form it is, and with which numbers.
pub(super) struct Forms<'a> {
    pub(super) rules: &'a Rules,
    pub(super) tx: &'a PreparedTx,
    pub(super) pool: Holdings,
    pub(super) terms: Terms,
    /// LP tokens to be redeemed, for forms that name them: all that the account has with
    /// `tfWithdrawAll` and `tfOneAssetWithdrawAll`.
    pub(super) tokens: Option<Amount>,
}

fn n(whole: i32) -> Decimal {
    Decimal::from(whole)
}

fn single(amount: Amount, tokens: Amount) -> Plan {
    Plan::Amounts(Adjusted { amount, amount2: None, tokens })
}

impl Forms<'_> {
    fn precise(&self) -> bool {
        self.rules.enabled(amendment::FIX_AMM_V1_3)
    }

    fn side(&self) -> OneSide<'_> {
        let Holdings { balance, lp_tokens, .. } = self.pool;
        OneSide { rules: self.rules, balance, lp_tokens, fee: self.terms.fee }
    }

    fn field(&self, field: Field) -> Result<Amount> {
        // The form was checked in preflight.
        self.tx.object.amount(field).ok_or(EngineResult::TEC_INTERNAL)
    }

    fn tokens(&self) -> Result<Amount> {
        self.tokens.ok_or(EngineResult::TEC_INTERNAL)
    }

    /// What the withdrawal is to be.
    pub(super) fn plan(&self) -> Result<Plan> {
        let has = |flags| self.tx.flags & flags != 0;
        if has(flag::TWO_ASSET) {
            self.two_assets()
        } else if has(flag::ONE_ASSET_LP_TOKEN | flag::ONE_ASSET_WITHDRAW_ALL) {
            self.one_asset_for_tokens()
        } else if has(flag::LIMIT_LP_TOKEN) {
            self.one_asset_at_price()
        } else if has(flag::SINGLE_ASSET) {
            self.one_asset()
        } else if has(flag::LP_TOKEN | flag::WITHDRAW_ALL) {
            Ok(Plan::Proportional(self.tokens()?))
        } else {
            Err(EngineResult::TEC_INTERNAL)
        }
    }

    fn adjusted(&self, tokens: Amount) -> Result<Amount> {
        match self.terms.all {
            true => Ok(tokens),
            false => written(adjusted_early(self.rules, &self.pool.lp_tokens, tokens, Flow::Out)),
        }
    }

    /// Old rules had another result where LP tokens come to nothing.
    fn some_tokens(&self, some: bool) -> Ter {
        match self.precise() {
            true => ensure(some, EngineResult::TEC_AMM_INVALID_TOKENS),
            false => ensure(some, EngineResult::TEC_AMM_FAILED),
        }
    }

    fn some_precise_tokens(&self, tokens: &Amount) -> Ter {
        if self.precise() { self.some_tokens(!tokens.is_zero()) } else { Ok(()) }
    }

    /// `tfTwoAsset`: both assets in proportion, no more than these of each (equations 5 and 6).
    fn two_assets(&self) -> Result<Plan> {
        let (amount, amount2) = (self.field(fields::AMOUNT)?, self.field(fields::AMOUNT2)?);
        let Holdings { balance, balance2, .. } = self.pool;
        let (tokens, other) = self.in_proportion(&amount, &balance, &balance2)?;
        if !other.is_more(&amount2) {
            return Ok(Plan::Amounts(Adjusted { amount, amount2: Some(other), tokens }));
        }
        let (tokens, other) = self.in_proportion(&amount2, &balance2, &balance)?;
        let more = self.precise() && other.is_more(&amount);
        ensure(!more, EngineResult::TEC_AMM_FAILED)?;
        Ok(Plan::Amounts(Adjusted { amount: other, amount2: Some(amount2), tokens }))
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
        let tokens = written(share_of_tokens(rules, all, share, Flow::Out))?;
        self.some_precise_tokens(&tokens)?;
        let share = adjusted_share(rules, all, &tokens, share);
        Ok((tokens, written(share_of_asset(rules, other, share, Flow::Out))?))
    }

    /// `tfSingleAsset`: this much of one asset (equation 7).
    fn one_asset(&self) -> Result<Plan> {
        let (side, amount) = (self.side(), self.field(fields::AMOUNT)?);
        let tokens = self.adjusted(written(side.lp_tokens_in(&amount))?)?;
        self.some_tokens(!tokens.is_zero())?;
        let (tokens, amount) = written(side.adjusted_out(amount, tokens))?;
        self.some_precise_tokens(&tokens)?;
        Ok(single(amount, tokens))
    }

    /// `tfOneAssetLPToken`, `tfOneAssetWithdrawAll`: one asset for LP tokens, no less than this
    /// (equation 8).
    fn one_asset_for_tokens(&self) -> Result<Plan> {
        let least = self.field(fields::AMOUNT)?;
        let tokens = self.adjusted(self.tokens()?)?;
        self.some_precise_tokens(&tokens)?;
        let amount = written(self.side().asset_out(&tokens))?;
        let enough = least.is_zero() || !amount.is_less(&least);
        ensure(enough, EngineResult::TEC_AMM_FAILED)?;
        Ok(single(amount, tokens))
    }

    /// `tfLimitLPToken`: as much of one asset as makes a unit of it cost `EPrice` LP tokens, no less
    /// than this. With `E = t/b` equation 8 becomes `t = T (T + A E (f - 2)) / (T f - A E)`.
    fn one_asset_at_price(&self) -> Result<Plan> {
        let (least, price) = (self.field(fields::AMOUNT)?, self.field(fields::E_PRICE)?);
        let Holdings { balance, lp_tokens, .. } = self.pool;
        let (price, all) = (price.decimal(), lp_tokens.decimal());
        let ae = balance.decimal() * price;
        let f = fee_share(self.terms.fee);
        let below = all * f - ae;
        if self.rules.enabled(amendment::FIX_CLEANUP_3_3_0) && below.is_zero() {
            return Err(EngineResult::TEC_AMM_FAILED);
        }
        let tokens = written(priced_tokens_in(
            self.rules,
            &lp_tokens,
            || all * (all + ae * (f - n(2))) / below,
            || (all + ae * (f - n(2))) / below,
        ))?;
        self.some_tokens(tokens.signum() > 0)?;
        let amount = written(priced_asset_out(self.rules, &least, || tokens.decimal() / price))?;
        let enough = least.is_zero() || !amount.is_less(&least);
        ensure(enough, EngineResult::TEC_AMM_FAILED)?;
        Ok(single(amount, tokens))
    }
}
