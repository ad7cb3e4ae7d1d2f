//! Payments of issued currencies along trust lines: from or to the issuer, or through it. No type
//! here makes offers, so every book is empty and nothing changes currency on its way. Payments that
//! name paths are refused.

use xrpl_protocol::{AccountId, Amount, Currency, EngineResult, IssuedValue, fields, object_id};

use super::{
    ApplyContext, destination,
    payment::{LIMIT_QUALITY, NO_RIPPLE_DIRECT, PARTIAL_PAYMENT, max_source_amount},
};
use crate::ledger::{
    PreparedTx, ReadView, Sandbox, Ter,
    helpers::{
        account_root::{flag, flags_of},
        trust_line::{self, Side, balance, value_of},
    },
};

/// A rate or quality of 1.
const ONE: u32 = 1_000_000_000;

/// Whether a Payment goes through paths instead of moving XRP directly.
#[must_use]
pub fn is_flow(tx: &PreparedTx) -> bool {
    let object = &tx.object;
    object.contains(fields::PATHS)
        || object.contains(fields::SEND_MAX)
        || !matches!(object.amount(fields::AMOUNT), Some(Amount::Xrp(_)))
}

/// A payment in one currency along the default path.
struct Plan {
    currency: Currency,
    /// Accounts from sender to receiver.
    hops: Vec<AccountId>,
    deliver: IssuedValue,
    max: IssuedValue,
    min: IssuedValue,
    partial: bool,
}

/// Issued amount, currency and issuer; none for XRP and MPTs.
fn issued(amount: Amount) -> Option<(IssuedValue, Currency, AccountId)> {
    match amount {
        Amount::Issued { value, currency, issuer } => Some((value, currency, issuer)),
        _ => None,
    }
}

fn plan(tx: &PreparedTx) -> Option<Plan> {
    let (deliver, currency, issuer) = tx.object.amount(fields::AMOUNT).and_then(issued)?;
    let (max, source, source_issuer) = issued(max_source_amount(tx))?;
    let (from, to) = (tx.account, destination(tx));
    if source != currency || from == to || (source_issuer != from && source_issuer != issuer) {
        return None;
    }
    let hops = if issuer == from || issuer == to { vec![from, to] } else { vec![from, issuer, to] };
    let partial = tx.has_flag(PARTIAL_PAYMENT);
    let min = tx.object.amount(fields::DELIVER_MIN).and_then(|min| min.value());
    Some(Plan { currency, hops, deliver, max, min: min.unwrap_or(IssuedValue::ZERO), partial })
}

/// The parts of a payment that would have to cross a book: the sender's line to the issuer of what
/// it sends, and the receiver's to the issuer of what it gets.
fn crossing(tx: &PreparedTx) -> Option<Vec<Plan>> {
    let amount = tx.object.amount(fields::AMOUNT)?;
    let max = max_source_amount(tx);
    if matches!((amount, max), (Amount::Mpt { .. }, _) | (_, Amount::Mpt { .. })) {
        return None;
    }
    if plan(tx).is_some() {
        return None;
    }
    let hop = |end: Amount, hops: fn(AccountId, AccountId) -> Vec<AccountId>, account| {
        let (value, currency, issuer) = issued(end)?;
        (issuer != account).then(|| Plan {
            currency,
            hops: hops(account, issuer),
            deliver: value,
            max: value,
            min: IssuedValue::ZERO,
            partial: false,
        })
    };
    let first = hop(max, |account, issuer| vec![account, issuer], tx.account);
    let last = hop(amount, |account, issuer| vec![issuer, account], destination(tx));
    Some(first.into_iter().chain(last).collect())
}

/// Refuses what the payment engine does not do yet.
///
/// # Errors
/// `temDISABLED`.
pub fn supported(tx: &PreparedTx) -> Ter {
    let known = plan(tx).is_some() || crossing(tx).is_some();
    if !is_flow(tx) || (known && !tx.object.contains(fields::PATHS)) {
        Ok(())
    } else {
        Err(EngineResult::TEM_DISABLED)
    }
}

fn less(a: IssuedValue, b: IssuedValue) -> bool {
    a.sub(b).is_ok_and(|difference| difference.is_negative())
}

fn smaller(a: IssuedValue, b: IssuedValue) -> IssuedValue {
    if less(a, b) { a } else { b }
}

/// `value * by / from` for a value that is not negative, with xrpld's digits: cut after 18, rounded
/// to 16, and one more unit if something was cut and the result must not be too small.
fn scale(value: IssuedValue, by: u32, from: u32, up: bool) -> Result<IssuedValue, EngineResult> {
    const DIGITS: u32 = 18;
    if by == from || value.signum() <= 0 {
        return Ok(value);
    }
    let overflow = |_| EngineResult::TEC_PATH_DRY;
    let (by, from) = (u128::from(by), u128::from(from.max(1)));
    let product = u128::from(value.mantissa().unsigned_abs()) * by;
    let (mut low, mut rest, mut exponent) = (product / from, product % from, value.exponent());
    let digits = |n: u128| n.checked_ilog10().map_or(0, |log| log + 1);
    if rest != 0 {
        let grow = DIGITS.saturating_sub(digits(low));
        let power = 10u128.pow(grow);
        exponent -= grow as i32;
        low = low * power + rest * power / from;
        rest = rest * power % from;
    }
    let mut cut = rest != 0;
    let shrink = digits(low).saturating_sub(DIGITS);
    let power = 10u128.pow(shrink);
    exponent += shrink as i32;
    cut |= low % power != 0;
    low /= power;
    let mantissa = i64::try_from(low).map_err(|_| EngineResult::TEC_PATH_DRY)?;
    let result = IssuedValue::new(mantissa, exponent).map_err(overflow)?;
    if cut && up {
        return IssuedValue::new(result.mantissa() + 1, result.exponent()).map_err(overflow);
    }
    Ok(result)
}

/// One hop between two accounts.
struct Step {
    from: AccountId,
    to: AccountId,
    /// Most that can move.
    limit: IssuedValue,
    redeems: bool,
    quality_in: u32,
}

fn step(view: &Sandbox<'_>, plan: &Plan, at: usize) -> Result<Step, EngineResult> {
    const DRY: EngineResult = EngineResult::TEC_PATH_DRY;
    let (from, to) = (plan.hops[at], plan.hops[at + 1]);
    let root = view.account(from).ok_or(DRY)?;
    let key = object_id::trust_line(from, to, plan.currency);
    let line = view.read(&key).ok_or(DRY)?;
    let flags = flags_of(&line);
    let (mine, theirs) = (Side::of(from, to), Side::of(to, from));
    if plan.hops.len() > 2 {
        // Between an issuer and a holder alone, freezing stops nothing.
        let global = view.account(to).is_some_and(|to| flags_of(&to) & flag::GLOBAL_FREEZE != 0);
        let deep = mine.deep_freeze() | theirs.deep_freeze();
        if global || flags & (theirs.freeze() | deep) != 0 {
            return Err(DRY);
        }
    }
    if at > 0 {
        let before = object_id::trust_line(plan.hops[at - 1], from, plan.currency);
        let before = view.read(&before).ok_or(DRY)?;
        let side = Side::of(from, plan.hops[at - 1]);
        if flags_of(&before) & side.no_ripple() != 0 && flags & mine.no_ripple() != 0 {
            return Err(DRY);
        }
    }
    let held = balance(&line, mine);
    if flags_of(&root) & flag::REQUIRE_AUTH != 0 && flags & mine.auth() == 0 && held.is_zero() {
        return Err(DRY);
    }
    let redeems = held.signum() > 0;
    let limit =
        if redeems { held } else { value_of(&line, theirs.limit()).add(held).map_err(|_| DRY)? };
    if limit.signum() <= 0 {
        return Err(DRY);
    }
    let quality_in = line.u32(theirs.quality_in()).unwrap_or(ONE).min(ONE);
    Ok(Step {
        from,
        to,
        limit,
        redeems,
        quality_in: if quality_in == 0 { ONE } else { quality_in },
    })
}

/// Moves an issued currency. The destination exists and accepts deposits.
///
/// # Errors
/// `tecPATH_DRY` when nothing can get through, `tecPATH_PARTIAL` when not all can.
pub fn apply(ctx: &mut ApplyContext<'_>) -> Ter {
    if ctx.tx.has_flag(NO_RIPPLE_DIRECT) {
        // No paths named, and the default one forbidden.
        return Err(EngineResult::TEM_RIPPLE_EMPTY);
    }
    if let Some(ends) = crossing(ctx.tx) {
        for end in &ends {
            step(&ctx.view, end, 0)?;
        }
        return Err(match ctx.tx.has_flag(PARTIAL_PAYMENT) {
            true => EngineResult::TEC_PATH_DRY,
            false => EngineResult::TEC_PATH_PARTIAL,
        });
    }
    let plan = plan(ctx.tx).ok_or(EngineResult::TEF_INTERNAL)?;
    let steps: Vec<Step> =
        (0..plan.hops.len() - 1).map(|at| step(&ctx.view, &plan, at)).collect::<Result<_, _>>()?;
    let rate = match &*steps {
        [first, _] if first.redeems => transfer_rate(&ctx.view, plan.hops[1]),
        _ => ONE,
    };
    let Some(last) = steps.last() else { return Err(EngineResult::TEF_INTERNAL) };
    // Backwards: what each hop must carry, as far as its limit goes.
    let quality_in = if last.redeems { ONE } else { last.quality_in };
    let mut carried = scale(plan.deliver, ONE, quality_in, true)?;
    let mut whole = true;
    if ctx.tx.has_flag(LIMIT_QUALITY) && less(plan.max, scale(carried, rate, ONE, true)?) {
        // It costs more for each unit than the sender is ready to pay.
        return Err(EngineResult::TEC_PATH_DRY);
    }
    if less(last.limit, carried) {
        carried = last.limit;
        whole = false;
    }
    let mut spent = scale(carried, rate, ONE, true)?;
    let source = if steps.len() > 1 { smaller(steps[0].limit, plan.max) } else { plan.max };
    if less(source, spent) {
        spent = source;
        carried = scale(spent, ONE, rate, false)?;
        whole = false;
    }
    let delivered = if whole { plan.deliver } else { scale(carried, quality_in, ONE, false)? };
    if !whole {
        if !plan.partial || less(delivered, plan.min) {
            return Err(EngineResult::TEC_PATH_PARTIAL);
        }
        if delivered.signum() <= 0 {
            return Err(EngineResult::TEC_PATH_DRY);
        }
    }
    for (at, step) in steps.iter().enumerate() {
        let value = if at + 1 == steps.len() { carried } else { spent };
        trust_line::credit(&mut ctx.view, step.from, step.to, plan.currency, value)?;
    }
    if !whole
        && let Some(Amount::Issued { currency, issuer, .. }) = ctx.tx.object.amount(fields::AMOUNT)
    {
        ctx.deliver(Amount::Issued { value: delivered, currency, issuer });
    }
    Ok(())
}

/// What an issuer takes for moving its currency between others.
fn transfer_rate(view: &Sandbox<'_>, issuer: AccountId) -> u32 {
    let rate = view.account(issuer).and_then(|root| root.u32(fields::TRANSFER_RATE));
    rate.filter(|rate| *rate != 0).unwrap_or(ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_rounds_as_xrpld_does() {
        let value = |text: &str| text.parse::<IssuedValue>().unwrap();
        // Both as a real xrpld computed them.
        let down = scale(value("10"), ONE, 1_012_000_000, false).unwrap();
        assert_eq!(down, value("9.881422924901186"));
        assert_eq!(scale(value("20.25"), ONE, ONE, true).unwrap(), value("20.25"));
        assert_eq!(scale(value("1"), 1_002_000_000, ONE, true).unwrap(), value("1.002"));
        let up = scale(value("1"), ONE, 3 * ONE, true).unwrap();
        assert_eq!(up, value("0.3333333333333334"));
        assert_eq!(scale(IssuedValue::ZERO, ONE, 3, true).unwrap(), IssuedValue::ZERO);
    }
}
