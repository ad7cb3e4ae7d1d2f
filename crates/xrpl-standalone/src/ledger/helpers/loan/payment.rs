//! What a payment of a loan comes to: for the principal, as interest for the vault, as fees for the
//! broker. It changes the loan's entry alone.

use xrpl_protocol::{Amount, EngineResult, Issue, Object, Rounding, decimal::Decimal, fields};

use super::{
    flag, management_fee, management_fee_rate, periodic_rate, rate, scale_of,
    schedule::{Deltas, Properties, State, principal_of_payments, rounded_payment},
    set_u32, share,
};
use crate::ledger::{
    Rules, amendment,
    helpers::{
        account_root::flags_of,
        number::{self, round_to_asset},
    },
    view::ReadView,
};

type Result<T> = std::result::Result<T, EngineResult>;

/// Payments that one transaction makes at most.
pub const MAX_PAYMENTS: u32 = 100;

/// Which kind of payment is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As many payments as the amount is enough for, before they are due.
    Regular,
    /// One that is overdue.
    Late,
    /// All of it, early.
    Full,
    /// Regular ones, and what is left for the principal.
    Overpayment,
}

/// For whom the money is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Principal, to the vault.
    pub principal: Decimal,
    /// Interest, to the vault.
    pub interest: Decimal,
    /// By how much more (or less) than planned the loan earns the vault.
    pub value_change: Decimal,
    /// Fees, to the broker.
    pub fee: Decimal,
}

impl Parts {
    const NONE: Self = Self {
        principal: Decimal::ZERO,
        interest: Decimal::ZERO,
        value_change: Decimal::ZERO,
        fee: Decimal::ZERO,
    };

    fn add(&mut self, other: Self) {
        self.principal = self.principal + other.principal;
        self.interest = self.interest + other.interest;
        self.value_change = self.value_change + other.value_change;
        self.fee = self.fee + other.fee;
    }
}

/// What a payment takes from what is owed, and what it costs besides.
#[derive(Clone, Copy, Debug)]
struct Components {
    /// Off the total.
    value: Decimal,
    /// Off the principal.
    principal: Decimal,
    /// Off the broker's share of interest.
    fee: Decimal,
    /// Whether the loan is paid with it.
    is_final: bool,
    /// Interest that was not planned.
    more_interest: Decimal,
    /// Fees that were not planned.
    more_fee: Decimal,
    /// All of it.
    due: Decimal,
}

impl Components {
    fn new(tracked: Tracked, more_fee: Decimal, more_interest: Decimal) -> Self {
        let Tracked { value, principal, fee, is_final } = tracked;
        let due = value + more_interest + more_fee;
        Self { value, principal, fee, is_final, more_interest, more_fee, due }
    }

    fn interest(&self) -> Decimal {
        self.value - (self.principal + self.fee)
    }
}

/// What a payment takes from what is owed.
#[derive(Clone, Copy, Debug)]
struct Tracked {
    value: Decimal,
    principal: Decimal,
    fee: Decimal,
    is_final: bool,
}

/// A loan with what its payments depend on.
struct Lending<'a> {
    rules: &'a Rules,
    now: u32,
    asset: Issue,
    loan: &'a mut Object,
    scale: i32,
    rate: Decimal,
    fee_rate: u32,
}

fn exact<T>(result: std::result::Result<T, xrpl_protocol::issued_value::ValueError>) -> Result<T> {
    result.map_err(|_| EngineResult::TEF_EXCEPTION)
}

fn least(a: Decimal, b: Decimal) -> Decimal {
    if b < a { b } else { a }
}

fn clamp(value: Decimal, most: Decimal) -> Decimal {
    if value < Decimal::ZERO { Decimal::ZERO } else { least(value, most) }
}

/// Makes a payment of a loan that is not paid yet.
///
/// # Errors
/// `tecEXPIRED` for one that is late and not said to be, `tecTOO_SOON` for one that is said to be and
/// is not, `tecINSUFFICIENT_PAYMENT`, `tecKILLED` for a full payment in place of the last one,
/// `tefEXCEPTION`.
pub fn make(
    view: &dyn ReadView,
    asset: Issue,
    loan: &mut Object,
    broker: &Object,
    amount: &Amount,
    kind: Kind,
) -> Result<Parts> {
    let remaining = rate(loan, fields::PAYMENT_REMAINING);
    if remaining == 0 || State::of(loan).principal.is_zero() {
        return Err(EngineResult::TEC_KILLED);
    }
    let due_at = rate(loan, fields::NEXT_PAYMENT_DUE_DATE);
    if due_at == 0 {
        return Err(EngineResult::TEC_INTERNAL);
    }
    let now = view.info().parent_close_time;
    if kind != Kind::Late && now >= due_at {
        return Err(EngineResult::TEC_EXPIRED);
    }
    let periodic =
        periodic_rate(rate(loan, fields::INTEREST_RATE), rate(loan, fields::PAYMENT_INTERVAL));
    let mut lending = Lending {
        rules: view.rules(),
        now,
        asset,
        scale: scale_of(loan),
        rate: exact(periodic.checked())?,
        fee_rate: management_fee_rate(broker),
        loan,
    };
    match kind {
        Kind::Full => lending.pay_in_full(amount),
        Kind::Late => lending.pay_late(amount),
        Kind::Regular | Kind::Overpayment => lending.pay(amount, kind == Kind::Overpayment),
    }
}

impl Lending<'_> {
    fn field(&self, field: xrpl_protocol::Field) -> u32 {
        rate(self.loan, field)
    }

    fn number(&self, field: xrpl_protocol::Field) -> Decimal {
        number::get(self.loan, field)
    }

    fn rounded(&self, value: Decimal, rounding: Rounding) -> Result<Decimal> {
        exact(round_to_asset(self.asset, value, self.scale, rounding))
    }

    /// Interest for the vault, and for the broker (equation 33).
    fn split(&self, interest: Decimal) -> Result<(Decimal, Decimal)> {
        let fee = exact(management_fee(self.asset, interest, self.fee_rate, self.scale))?;
        Ok((interest - fee, fee))
    }

    /// Takes a regular, late or full payment off what is owed.
    fn apply(&mut self, payment: &Components) -> Result<Parts> {
        let due_at = self.field(fields::NEXT_PAYMENT_DUE_DATE);
        set_u32(self.loan, fields::PREVIOUS_PAYMENT_DUE_DATE, due_at);
        let mut state = State::of(self.loan);
        if payment.is_final {
            set_u32(self.loan, fields::PAYMENT_REMAINING, 0);
            set_u32(self.loan, fields::NEXT_PAYMENT_DUE_DATE, 0);
            state = State::new(Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
        } else {
            let remaining = self.field(fields::PAYMENT_REMAINING).saturating_sub(1);
            set_u32(self.loan, fields::PAYMENT_REMAINING, remaining);
            let next = due_at.wrapping_add(self.field(fields::PAYMENT_INTERVAL));
            set_u32(self.loan, fields::NEXT_PAYMENT_DUE_DATE, next);
            state.principal = state.principal - payment.principal;
            state.value = state.value - payment.value;
            state.fee = state.fee - payment.fee;
        }
        exact(state.store(self.loan))?;
        Ok(Parts {
            principal: payment.principal,
            interest: payment.interest() + payment.more_interest,
            value_change: payment.more_interest,
            fee: payment.fee + payment.more_fee,
        })
    }

    /// What the next payment takes: what brings the rounded state to the true one after it, within
    /// what is owed and what is paid.
    fn next(&self) -> Result<Components> {
        let payment = self.number(fields::PERIODIC_PAYMENT);
        let remaining = self.field(fields::PAYMENT_REMAINING);
        let service_fee = self.number(fields::LOAN_SERVICE_FEE);
        let paid = exact(rounded_payment(self.asset, payment, self.scale))?;
        let current = State::of(self.loan);
        if remaining == 1 || current.value <= paid {
            let State { value, principal, fee, .. } = current;
            let tracked = Tracked { value, principal, fee, is_final: true };
            return Ok(Components::new(tracked, service_fee, Decimal::ZERO));
        }
        let target =
            State::theoretical(self.rules, payment, self.rate, remaining - 1, self.fee_rate);
        let mended = self.rules.enabled(amendment::FIX_CLEANUP_3_2_0);
        let mode = |rounding| if mended { rounding } else { Rounding::current() };
        let target = State {
            value: self.rounded(target.value, Rounding::current())?,
            principal: self.rounded(target.principal, mode(Rounding::Up))?,
            interest: self.rounded(target.interest, mode(Rounding::Down))?,
            fee: self.rounded(target.fee, Rounding::current())?,
        };
        let mut deltas = current - target;
        for part in [&mut deltas.principal, &mut deltas.interest, &mut deltas.fee] {
            if part.signum() < 0 {
                *part = Decimal::ZERO;
            }
        }
        deltas.principal = least(deltas.principal, current.principal);
        let left = paid - deltas.principal;
        let left = if left.signum() < 0 { Decimal::ZERO } else { left };
        deltas.interest = least(least(deltas.interest, left), current.interest);
        let left = paid - (deltas.principal + deltas.interest);
        deltas.fee = least(least(deltas.fee, left), current.fee);
        for most in [current.value, paid] {
            let excess = deltas.total() - most;
            give_back(&mut deltas, excess);
        }
        let tracked = Tracked {
            value: clamp(deltas.total(), current.value),
            principal: clamp(deltas.principal, current.principal),
            fee: clamp(deltas.fee, current.fee),
            is_final: false,
        };
        Ok(Components::new(tracked, service_fee, Decimal::ZERO))
    }

    /// One payment that is overdue, with a fee and interest for that (equation 15).
    fn pay_late(&mut self, amount: &Amount) -> Result<Parts> {
        let regular = self.next()?;
        let due_at = self.field(fields::NEXT_PAYMENT_DUE_DATE);
        if self.now < due_at {
            return Err(EngineResult::TEC_TOO_SOON);
        }
        let late_rate = self.field(fields::LATE_INTEREST_RATE);
        let principal = State::of(self.loan).principal;
        let overdue = self.now - due_at;
        let penalty = match overdue {
            0 => Decimal::ZERO,
            _ if principal.is_zero() || late_rate == 0 => Decimal::ZERO,
            seconds => principal * periodic_rate(late_rate, seconds),
        };
        let (interest, fee) = self.split(self.rounded(penalty, Rounding::current())?)?;
        let late_fee = self.number(fields::LATE_PAYMENT_FEE);
        let tracked = Tracked {
            value: regular.value,
            principal: regular.principal,
            fee: regular.fee,
            is_final: regular.is_final,
        };
        let late = Components::new(
            tracked,
            regular.more_fee + late_fee + fee,
            regular.more_interest + interest,
        );
        self.enough(amount, &late)?;
        self.apply(&late)
    }

    fn enough(&self, amount: &Amount, payment: &Components) -> Result<()> {
        let due = exact(payment.due.checked())?;
        if amount.decimal() < due { Err(EngineResult::TEC_INSUFFICIENT_PAYMENT) } else { Ok(()) }
    }

    /// All of it before the last payment, with a penalty for the interest that the vault does not
    /// get (equations 26 to 28).
    fn pay_in_full(&mut self, amount: &Amount) -> Result<Parts> {
        let remaining = self.field(fields::PAYMENT_REMAINING);
        if remaining <= 1 {
            return Err(EngineResult::TEC_KILLED);
        }
        let payment = self.number(fields::PERIODIC_PAYMENT);
        let principal = principal_of_payments(self.rules, payment, self.rate, remaining);
        let accrued = self.accrued(principal);
        let close_rate = self.field(fields::CLOSE_INTEREST_RATE);
        let penalty = match close_rate {
            0 => Decimal::ZERO,
            rate => share(principal, rate),
        };
        let (interest, fee) = self.split(self.rounded(accrued + penalty, Rounding::Down)?)?;
        let close_fee =
            self.rounded(self.number(fields::CLOSE_PAYMENT_FEE), Rounding::current())?;
        let state = State::of(self.loan);
        let tracked = Tracked {
            value: state.principal + state.interest + state.fee,
            principal: state.principal,
            fee: state.fee,
            is_final: true,
        };
        let full = Components::new(tracked, close_fee + fee - state.fee, interest - state.interest);
        self.enough(amount, &full)?;
        self.apply(&full)
    }

    /// Interest since the last payment (equation 27).
    fn accrued(&self, principal: Decimal) -> Decimal {
        let interval = self.field(fields::PAYMENT_INTERVAL);
        let since =
            self.field(fields::PREVIOUS_PAYMENT_DUE_DATE).max(self.field(fields::START_DATE));
        if self.rate.is_zero() || interval == 0 || self.now <= since {
            return Decimal::ZERO;
        }
        principal * self.rate * Decimal::from(self.now - since) / Decimal::from(interval)
    }

    /// As many payments as the amount is enough for, and perhaps what is left.
    fn pay(&mut self, amount: &Amount, over: bool) -> Result<Parts> {
        let amount = amount.decimal();
        let mut parts = Parts::NONE;
        let mut paid = Decimal::ZERO;
        let mut payments = 0;
        let mut next = self.next()?;
        while amount >= paid + next.due
            && self.field(fields::PAYMENT_REMAINING) > 0
            && payments < MAX_PAYMENTS
        {
            paid = paid + next.due;
            parts.add(self.apply(&next)?);
            payments += 1;
            if next.is_final {
                break;
            }
            next = self.next()?;
        }
        if payments == 0 {
            return Err(EngineResult::TEC_INSUFFICIENT_PAYMENT);
        }
        // Less than the loan's scale can show would only do harm.
        let amount = match self.rules.enabled(amendment::FIX_CLEANUP_3_1_3) {
            true => self.rounded(amount, Rounding::TowardZero)?,
            false => amount,
        };
        let may = over
            && flags_of(self.loan) & flag::OVERPAYMENT != 0
            && self.field(fields::PAYMENT_REMAINING) > 0
            && paid < amount
            && payments < MAX_PAYMENTS;
        if may && let Some(more) = self.overpay(amount - paid)? {
            parts.add(more);
        }
        Ok(parts)
    }

    /// Puts what is left toward the principal, less a fee and a penalty (equations 20 to 22); none if
    /// that is nothing, or the loan could not be paid back any more as planned.
    fn overpay(&mut self, left: Decimal) -> Result<Option<Parts>> {
        let old = State::of(self.loan);
        let mended = self.rules.enabled(amendment::FIX_CLEANUP_3_2_0);
        let mut amount = least(left, old.value);
        if mended {
            amount = self.rounded(amount, Rounding::Down)?;
            if amount.signum() <= 0 {
                return Ok(None);
            }
        }
        let part = |rate| self.rounded(share(amount, rate), Rounding::current());
        let cost = part(self.field(fields::OVERPAYMENT_FEE))?;
        let penalty = part(self.field(fields::OVERPAYMENT_INTEREST_RATE))?;
        let (interest, fee) = self.split(penalty)?;
        let principal = amount - interest - fee - cost;
        if principal.signum() <= 0 {
            return Ok(None);
        }
        let Some((new, payment)) = self.reamortized(&old, principal)? else { return Ok(None) };
        let deltas = old - new;
        let change = -deltas.interest;
        // The principal must have decreased, and with it the interest.
        if change.signum() > 0 || old.principal <= new.principal {
            return Ok(None);
        }
        exact(new.store(self.loan))?;
        exact(number::set(self.loan, fields::PERIODIC_PAYMENT, payment))?;
        Ok(Some(Parts {
            principal: deltas.principal,
            interest,
            value_change: change + interest,
            fee: cost + fee,
        }))
    }

    /// What is owed, and the payment, once the principal is less by so much. By how much the rounded
    /// state had strayed from the true one is kept: it is what the borrower has paid.
    fn reamortized(
        &self,
        old: &State,
        principal_paid: Decimal,
    ) -> Result<Option<(State, Decimal)>> {
        let remaining = self.field(fields::PAYMENT_REMAINING);
        let theoretical =
            |payment| State::theoretical(self.rules, payment, self.rate, remaining, self.fee_rate);
        let before = theoretical(self.number(fields::PERIODIC_PAYMENT));
        let errors = *old - before;
        let principal = before.principal - principal_paid;
        let principal = if principal.signum() < 0 { Decimal::ZERO } else { principal };
        let properties = exact(Properties::new(
            self.rules,
            self.asset,
            principal,
            self.rate,
            remaining,
            self.fee_rate,
            self.scale,
        ))?;
        let mut state = theoretical(properties.payment) + errors;
        if self.rules.enabled(amendment::FIX_CLEANUP_3_2_0) {
            // The new principal is known exactly; the payment gives it with an error.
            let principal = old.principal - principal_paid;
            let fee = share(state.value - principal, self.fee_rate);
            state = State::new(state.value, principal, fee);
        }
        let principal = clamp(self.rounded(state.principal, Rounding::Up)?, old.principal);
        let value = self.rounded(principal + state.all_interest(), Rounding::Up)?;
        let value = clamp(value, old.value);
        let fee = clamp(self.rounded(state.fee, Rounding::current())?, old.fee);
        let new = State::new(value, principal, fee);
        let properties = Properties { state: new, ..properties };
        let has_interest = !new.all_interest().is_zero();
        let payable = properties.check(self.asset, principal, has_interest, remaining).is_ok();
        let sane = properties.payment.signum() > 0 && value.signum() > 0 && fee.signum() >= 0;
        Ok((payable && sane).then_some((new, properties.payment)))
    }
}

/// Takes what is too much off the parts, where it does the least harm first.
fn give_back(deltas: &mut Deltas, mut excess: Decimal) {
    for part in [&mut deltas.interest, &mut deltas.fee, &mut deltas.principal] {
        if excess.signum() > 0 {
            let taken = least(*part, excess);
            *part = *part - taken;
            excess = excess - taken;
        }
    }
}
