//! Which amounts a ledger can hold, so that a pool does not lose by their rounding.

use xrpl_protocol::{Amount, decimal::Decimal, issued_value::ValueError, rounding::Rounding};

use crate::ledger::{Rules, amendment};

/// An amount, or why there is none.
pub type Result<T> = std::result::Result<T, ValueError>;

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
/// [`ValueError`].
pub fn multiply(amount: &Amount, factor: Decimal, rounding: Rounding) -> Result<Amount> {
    rounding.during(|| Amount::from_decimal(amount.issue(), amount.decimal() * factor))
}

/// Of LP tokens those that can be added to all others, or taken from them, without a loss: an amount
/// has 16 digits, so that the last ones of a small number vanish in a large sum.
///
/// # Errors
/// [`ValueError`].
pub fn adjusted_lp_tokens(all: &Amount, tokens: &Amount, flow: Flow) -> Result<Amount> {
    Rounding::Down.during(|| match flow {
        Flow::In => all.checked_add(tokens)?.checked_sub(all),
        Flow::Out => tokens.checked_sub(all)?.checked_add(all),
    })
}

/// [`adjusted_lp_tokens`] since fixAMMv1_3, which moved it before the amounts are computed.
///
/// # Errors
/// [`ValueError`].
pub fn adjusted_early(rules: &Rules, all: &Amount, tokens: Amount, flow: Flow) -> Result<Amount> {
    match rules.enabled(amendment::FIX_AMM_V1_3) {
        true => adjusted_lp_tokens(all, &tokens, flow),
        false => Ok(tokens),
    }
}

/// A share of what a pool has of an asset.
///
/// # Errors
/// [`ValueError`].
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
/// [`ValueError`].
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
/// [`ValueError`].
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
/// [`ValueError`].
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
/// [`ValueError`].
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
/// [`ValueError`].
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
/// [`ValueError`].
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
