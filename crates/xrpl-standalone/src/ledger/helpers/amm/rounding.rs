//! Which amounts a ledger can hold, so that a pool does not lose by their rounding.

use xrpl_protocol::{Amount, decimal::Decimal, rounding::Rounding};

use super::formula::{OneSide, Result};
use crate::ledger::{Rules, amendment};

/// Whether something comes into a pool or leaves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// A deposit.
    In,
    /// A withdrawal.
    Out,
}

impl Flow {
    /// Fewer LP tokens are made, more redeemed.
    fn tokens(self) -> Rounding {
        Rounding::toward(self == Self::Out)
    }

    /// More of an asset is deposited, less withdrawn.
    fn asset(self) -> Rounding {
        Rounding::toward(self == Self::In)
    }
}

/// An amount times a factor, both steps rounded in one way.
///
/// # Errors
/// [`ValueError`](xrpl_protocol::issued_value::ValueError).
pub fn multiply(amount: &Amount, factor: Decimal, rounding: Rounding) -> Result<Amount> {
    rounding.during(|| Amount::from_decimal(amount.issue(), amount.decimal() * factor))
}

/// Of LP tokens those that can be added to all others, or taken from them, without a loss: an amount
/// has 16 digits, so that the last ones of a small number vanish in a large sum.
///
/// # Errors
/// [`ValueError`](xrpl_protocol::issued_value::ValueError).
pub fn adjusted_lp_tokens(all: &Amount, tokens: &Amount, flow: Flow) -> Result<Amount> {
    Rounding::Down.during(|| match flow {
        Flow::In => all.checked_add(tokens)?.checked_sub(all),
        Flow::Out => tokens.checked_sub(all)?.checked_add(all),
    })
}

/// [`adjusted_lp_tokens`] since fixAMMv1_3, which moved it before the amounts are computed.
///
/// # Errors
/// [`ValueError`](xrpl_protocol::issued_value::ValueError).
pub fn adjusted_early(rules: &Rules, all: &Amount, tokens: Amount, flow: Flow) -> Result<Amount> {
    match rules.enabled(amendment::FIX_AMM_V1_3) {
        true => adjusted_lp_tokens(all, &tokens, flow),
        false => Ok(tokens),
    }
}

/// A share of what a pool has of an asset.
///
/// # Errors
/// [`ValueError`](xrpl_protocol::issued_value::ValueError).
pub fn share_of_asset(
    rules: &Rules,
    balance: &Amount,
    share: Decimal,
    flow: Flow,
) -> Result<Amount> {
    if !rules.enabled(amendment::FIX_AMM_V1_3) {
        return Amount::from_decimal(balance.issue(), balance.decimal() * share);
    }
    multiply(balance, share, flow.asset())
}

/// [`share_of_asset`] where the share was rounded to an amount's digits itself.
///
/// # Errors
/// [`ValueError`](xrpl_protocol::issued_value::ValueError).
pub fn rounded_share_of_asset(
    rules: &Rules,
    balance: &Amount,
    share: &Amount,
    flow: Flow,
) -> Result<Amount> {
    if !rules.enabled(amendment::FIX_AMM_V1_3) {
        return balance.multiply(share, balance.issue());
    }
    multiply(balance, share.decimal(), flow.asset())
}

/// A share of all LP tokens that can be added to them or taken from them.
///
/// # Errors
/// [`ValueError`](xrpl_protocol::issued_value::ValueError).
pub fn share_of_tokens(rules: &Rules, all: &Amount, share: Decimal, flow: Flow) -> Result<Amount> {
    if !rules.enabled(amendment::FIX_AMM_V1_3) {
        return Amount::from_decimal(all.issue(), all.decimal() * share);
    }
    let tokens = multiply(all, share, flow.tokens())?;
    adjusted_lp_tokens(all, &tokens, flow)
}

/// Deposited for an effective price: `old` is the amount of old rules, `share` the share of the
/// balance since fixAMMv1_3.
///
/// # Errors
/// [`ValueError`](xrpl_protocol::issued_value::ValueError).
pub fn priced_asset_in(
    rules: &Rules,
    balance: &Amount,
    old: impl FnOnce() -> Decimal,
    share: impl FnOnce() -> Decimal,
) -> Result<Amount> {
    if !rules.enabled(amendment::FIX_AMM_V1_3) {
        return Amount::from_decimal(balance.issue(), old());
    }
    multiply(balance, share(), Flow::In.asset())
}

/// Withdrawn for an effective price: the amount itself, computed in the rounding that is due.
///
/// # Errors
/// [`ValueError`](xrpl_protocol::issued_value::ValueError).
pub fn priced_asset_out(
    rules: &Rules,
    like: &Amount,
    amount: impl FnOnce() -> Decimal,
) -> Result<Amount> {
    let issue = like.issue();
    if !rules.enabled(amendment::FIX_AMM_V1_3) {
        return Amount::from_decimal(issue, amount());
    }
    Flow::Out.asset().during(|| Amount::from_decimal(issue, amount()))
}

/// LP tokens made for an effective price: the number itself, computed in the rounding that is due.
///
/// # Errors
/// [`ValueError`](xrpl_protocol::issued_value::ValueError).
pub fn priced_tokens_out(
    rules: &Rules,
    all: &Amount,
    tokens: impl FnOnce() -> Decimal,
) -> Result<Amount> {
    if !rules.enabled(amendment::FIX_AMM_V1_3) {
        return Amount::from_decimal(all.issue(), tokens());
    }
    let tokens = Flow::In.tokens().during(|| Amount::from_decimal(all.issue(), tokens()))?;
    adjusted_lp_tokens(all, &tokens, Flow::In)
}

/// LP tokens redeemed for an effective price: `old` is the number of old rules, `share` the share of
/// all tokens since fixAMMv1_3.
///
/// # Errors
/// [`ValueError`](xrpl_protocol::issued_value::ValueError).
pub fn priced_tokens_in(
    rules: &Rules,
    all: &Amount,
    old: impl FnOnce() -> Decimal,
    share: impl FnOnce() -> Decimal,
) -> Result<Amount> {
    if !rules.enabled(amendment::FIX_AMM_V1_3) {
        return Amount::from_decimal(all.issue(), old());
    }
    let tokens = multiply(all, share(), Flow::Out.tokens())?;
    adjusted_lp_tokens(all, &tokens, Flow::Out)
}

/// The share that adjusted LP tokens are of all: amounts follow them since fixAMMv1_3.
#[must_use]
pub fn adjusted_share(rules: &Rules, all: &Amount, tokens: &Amount, share: Decimal) -> Decimal {
    match rules.enabled(amendment::FIX_AMM_V1_3) {
        true => tokens.decimal() / all.decimal(),
        false => share,
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
