//! Trades with a pool. The product of what it holds of both assets must not shrink:
//! `(I + i)(O - o) >= I O`.

use xrpl_protocol::{
    Amount, Issue,
    decimal::Decimal,
    issued_value::ValueError,
    quality::{Amounts, Quality},
    rounding::Rounding,
};

use super::{
    after_fee, fee_share,
    formula::{Result, solve_quadratic_smallest},
};
use crate::ledger::{Rules, amendment};

fn n(whole: i32) -> Decimal {
    Decimal::from(whole)
}

/// A decimal as an amount: XRP is rounded as said, other assets in the mode in force.
///
/// # Errors
/// [`ValueError`].
pub fn amount_of(issue: Issue, value: Decimal, rounding: Rounding) -> Result<Amount> {
    match issue {
        Issue::Xrp => rounding.during(|| Amount::from_decimal(issue, value)),
        _ => Amount::from_decimal(issue, value),
    }
}

/// What comes out of a pool for `input`. `pool.input` is what it holds of the asset that is paid in,
/// `pool.output` of the other.
///
/// # Errors
/// [`ValueError`].
pub fn swap_in(rules: &Rules, pool: &Amounts, input: &Amount, fee: u16) -> Result<Amount> {
    let (held_in, held_out) = (pool.input.decimal(), pool.output.decimal());
    let (input, issue) = (input.decimal(), pool.output.issue());
    if !rules.enabled(amendment::FIX_AMM_V1_1) {
        let out = held_out - held_in * held_out / (held_in + input * after_fee(fee));
        return amount_of(issue, out, Rounding::Down);
    }
    let (up, down) = (Rounding::Up, Rounding::Down);
    let (numerator, share) = up.during(|| (held_in * held_out, fee_share(fee)));
    let denominator = down.during(|| held_in + input * (n(1) - share)).checked()?;
    if denominator.signum() <= 0 {
        return Ok(Amount::zero(issue));
    }
    let ratio = up.during(|| numerator / denominator);
    down.during(|| match (held_out - ratio).checked()? {
        out if out.signum() < 0 => Ok(Amount::zero(issue)),
        out => Amount::from_decimal(issue, out),
    })
}

/// What must go into a pool for `output`; the largest amount if the pool does not hold as much.
///
/// # Errors
/// [`ValueError`].
pub fn swap_out(rules: &Rules, pool: &Amounts, output: &Amount, fee: u16) -> Result<Amount> {
    let (held_in, held_out) = (pool.input.decimal(), pool.output.decimal());
    let issue = pool.input.issue();
    // What the pool keeps is an amount, of 16 digits, before it is computed with.
    let kept = || Ok::<_, ValueError>(pool.output.checked_sub(output)?.decimal());
    if !rules.enabled(amendment::FIX_AMM_V1_1) {
        let input = (held_in * held_out / kept()? - held_in) / after_fee(fee);
        return amount_of(issue, input, Rounding::Up);
    }
    let (up, down) = (Rounding::Up, Rounding::Down);
    let numerator = up.during(|| held_in * held_out);
    let denominator = down.during(kept)?;
    if denominator.signum() <= 0 {
        return Ok(Amount::max(issue));
    }
    let (net, share) = up.during(|| (numerator / denominator - held_in, fee_share(fee)));
    let after_fee = down.during(|| n(1) - share);
    up.during(|| match (net / after_fee).checked()? {
        input if input.signum() < 0 => Ok(Amount::zero(issue)),
        input => Amount::from_decimal(issue, input),
    })
}

/// Slightly less, so that the quality gets better. Rounded toward zero, since XRP would otherwise be
/// rounded back.
fn reduced(amount: &Amount) -> Decimal {
    let share = Decimal::new(9999, -4).unwrap_or(Decimal::INVALID);
    Rounding::TowardZero.during(|| amount.decimal() * share)
}

/// The amounts of a proposal, or of a slightly smaller one where rounding made them worse than they
/// must be.
fn at_least(
    quality: Quality,
    proposal: Decimal,
    amounts: impl Fn(Decimal) -> Result<Amounts>,
    sized: impl Fn(&Amounts) -> Amount,
) -> Result<Option<Amounts>> {
    let first = amounts(proposal)?;
    if Quality::of(&first.input, &first.output) < quality {
        return amounts(reduced(&sized(&first))).map(Some);
    }
    Ok(Some(first))
}

/// What remains of two limits; none if there is nothing to trade.
fn lower(solution: Option<Decimal>, limit: Decimal) -> Result<Option<Decimal>> {
    let Some(solution) = solution.map(Decimal::checked).transpose()? else { return Ok(None) };
    if solution.signum() <= 0 || limit.checked()?.signum() <= 0 {
        return Ok(None);
    }
    Ok(Some(if limit < solution { limit } else { solution }))
}

/// From TakerGets: for a pool that pays XRP, which is rounded first. Either the spot price after the
/// trade is the target, `o² + o (I Qt (1 - 1/f) - 2 O) + O² - Qt I O = 0`, or the effective price of
/// the trade, `o = O - I Qt / f`, whichever is less.
fn start_with_output(
    rules: &Rules,
    pool: &Amounts,
    quality: Quality,
    fee: u16,
) -> Result<Option<Amounts>> {
    let (held_in, held_out) = (pool.input.decimal(), pool.output.decimal());
    let (f, rate) = (after_fee(fee), quality.rate().decimal());
    let b = held_in * (n(1) - n(1) / f) / rate - n(2) * held_out;
    let c = held_out * held_out - held_in * held_out / rate;
    let limit = held_out - held_in / (rate * f);
    let Some(gets) = lower(solve_quadratic_smallest(n(1), b, c), limit)? else { return Ok(None) };
    let amounts = |gets| {
        let output = amount_of(pool.output.issue(), gets, Rounding::Down)?;
        Ok(Amounts { input: swap_out(rules, pool, &output, fee)?, output })
    };
    at_least(quality, gets, amounts, |amounts| amounts.output)
}

/// From TakerPays, for all other pools: `i² f + i I (1 + f) + I² - I O / Qt = 0` or
/// `i = O / Qt - I / f`, whichever is less.
fn start_with_input(
    rules: &Rules,
    pool: &Amounts,
    quality: Quality,
    fee: u16,
) -> Result<Option<Amounts>> {
    let (held_in, held_out) = (pool.input.decimal(), pool.output.decimal());
    let (f, rate) = (after_fee(fee), quality.rate().decimal());
    let b = held_in * (n(1) + f);
    let c = held_in * held_in - held_in * held_out * rate;
    let limit = held_out * rate - held_in / f;
    let Some(pays) = lower(solve_quadratic_smallest(f, b, c), limit)? else { return Ok(None) };
    let amounts = |pays| {
        let input = amount_of(pool.input.issue(), pays, Rounding::Down)?;
        Ok(Amounts { output: swap_in(rules, pool, &input, fee)?, input })
    };
    at_least(quality, pays, amounts, |amounts| amounts.input)
}

/// The offer that brings a pool's spot price to a quality, or that has this quality itself; none if
/// fees or rounding leave no such offer.
///
/// # Errors
/// [`ValueError`]; before fixAMMv1_1 also where the offer gets too bad.
pub fn change_spot_price(
    rules: &Rules,
    pool: &Amounts,
    quality: Quality,
    fee: u16,
) -> Result<Option<Amounts>> {
    if !rules.enabled(amendment::FIX_AMM_V1_1) {
        return old_change_spot_price(rules, pool, quality, fee);
    }
    if quality.rate().is_zero() {
        return Ok(None);
    }
    let found = Rounding::HalfEven.during(|| match pool.output {
        Amount::Xrp(_) => start_with_output(rules, pool, quality, fee),
        _ => start_with_input(rules, pool, quality, fee),
    })?;
    Ok(found.filter(|amounts| Quality::of(&amounts.input, &amounts.output) >= quality))
}

fn old_change_spot_price(
    rules: &Rules,
    pool: &Amounts,
    quality: Quality,
    fee: u16,
) -> Result<Option<Amounts>> {
    let (held_in, held_out) = (pool.input.decimal(), pool.output.decimal());
    let (f, rate) = (after_fee(fee), quality.rate().decimal());
    let b = held_in * (n(1) + f);
    let c = held_in * held_in - held_in * held_out * rate;
    let discriminant = (b * b - n(4) * f * c).checked()?;
    if discriminant.signum() < 0 {
        return Ok(None);
    }
    let proposal = ((-b + discriminant.square_root()) / (n(2) * f)).checked()?;
    if proposal.signum() <= 0 {
        return Ok(None);
    }
    let limit = (held_out * rate - held_in / f).checked()?;
    let pays = if proposal > limit { limit } else { proposal };
    if pays.signum() <= 0 {
        return Ok(None);
    }
    let input = amount_of(pool.input.issue(), pays, Rounding::Up)?;
    let output = swap_in(rules, pool, &input, fee)?;
    let got = Quality::of(&input, &output);
    if got < quality && !within_distance(got, quality, 7)? {
        return Err(ValueError::Overflow);
    }
    Ok(Some(Amounts { input, output }))
}

/// Whether two qualities differ by less than `10^-digits` of the larger.
///
/// # Errors
/// [`ValueError`].
pub fn within_distance(a: Quality, b: Quality, digits: i32) -> Result<bool> {
    if a == b {
        return Ok(true);
    }
    // The worse quality has the higher rate.
    let (worse, better) = if a < b { (a, b) } else { (b, a) };
    let difference = worse.rate().checked_sub(&better.rate())?;
    let distance = (difference.decimal() / worse.rate().decimal()).checked()?;
    Ok(distance < Decimal::new(1, -digits)?)
}
