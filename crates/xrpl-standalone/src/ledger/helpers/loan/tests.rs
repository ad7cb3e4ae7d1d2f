//! The mathematics against values computed with 80 digits.

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Issue, Object, Value, decimal::Decimal, fields, number::Number,
};

use super::{
    minimum_cover, payment,
    payment::Kind,
    periodic_rate,
    schedule::{Properties, State, is_rounded, periodic_payment, principal_of_payments},
    share, unrounded_cover,
};
use crate::ledger::{OpenView, Rules, amendment, genesis, helpers::number};

fn rules() -> Rules {
    Rules::of(&[amendment::FIX_CLEANUP_3_1_3.id(), amendment::FIX_CLEANUP_3_2_0.id()])
}

fn d(text: &str) -> Decimal {
    text.parse::<Number>().unwrap().decimal()
}

fn usd() -> Issue {
    Issue::Issued { currency: "USD".parse().unwrap(), issuer: AccountId([7; 20]) }
}

/// That two numbers agree to 16 digits.
fn near(found: Decimal, exact: &str) {
    let exact = d(exact);
    let share = ((found - exact) / exact).abs();
    assert!(share < Decimal::new(1, -16).unwrap(), "{found} is not {exact}");
}

#[test]
fn payments_amortize_the_principal() {
    let rules = rules();
    // 12 % a year, paid each 30 days.
    let rate = periodic_rate(12_000, 2_592_000);
    near(rate, "0.0098630136986301369863");
    let payment = periodic_payment(&rules, d("10000"), rate, 12);
    near(payment, "887.7190691477058442802");
    near(principal_of_payments(&rules, payment, rate, 12), "10000");
    for (left, value, principal, interest, fee) in [
        (
            11,
            "9764.909760624764287",
            "9210.911067838595525",
            "548.4587058583070738",
            "5.539986927861687",
        ),
        (
            6,
            "5326.314414886235065",
            "5147.177845138040201",
            "177.3452040507129151",
            "1.791365697481948",
        ),
        (
            1,
            "887.7190691477058442",
            "879.0489968500071436",
            "8.583371574721713589",
            "0.08670072297698701",
        ),
    ] {
        let state = State::theoretical(&rules, payment, rate, left, 1000);
        let close = |found: Decimal, exact: &str| {
            // Interest is a small difference of large numbers.
            let error = (found - d(exact)).abs();
            assert!(error < Decimal::new(1, -12).unwrap(), "{left}: {found} is not {exact}");
        };
        close(state.value, value);
        close(state.principal, principal);
        close(state.interest, interest);
        close(state.fee, fee);
    }
    let paid = State::theoretical(&rules, payment, rate, 0, 1000);
    assert!(paid.value.is_zero() && paid.all_interest().is_zero());
}

#[test]
fn a_rate_of_nearly_nothing_loses_no_digits() {
    let rate = periodic_rate(1, 60);
    near(periodic_payment(&rules(), d("1000000"), rate, 40), "25000.00000975076104");
    // Before the mend the difference of nearly equal numbers left ten digits.
    let old = periodic_payment(&Rules::default(), d("1000000"), rate, 40);
    assert!(((old - d("25000.00000975076104")).abs()) > d("0.0000000001"), "{old}");
    assert_eq!(periodic_payment(&rules(), d("10"), Decimal::ZERO, 4), d("2.5"));
}

#[test]
fn terms_that_cannot_be_paid_back_are_found() {
    let rules = rules();
    let properties = |principal: i64, rate, payments| {
        Properties::new(&rules, Issue::Xrp, Decimal::from(principal), rate, payments, 0, 0).unwrap()
    };
    let check = |principal: i64, rate: Decimal, payments| {
        let has_interest = !rate.is_zero();
        let principal_lent = Decimal::from(principal);
        properties(principal, rate, payments).check(
            Issue::Xrp,
            principal_lent,
            has_interest,
            payments,
        )
    };
    let loss = Err(EngineResult::TEC_PRECISION_LOSS);
    assert_eq!(check(1_000_000, periodic_rate(10_000, 86_400), 10), Ok(()));
    // No drop of interest in a drop's life; four drops upwards are paid in two payments, not three.
    assert_eq!(check(1, periodic_rate(1, 60), 1), Ok(()));
    assert_eq!(check(4, Decimal::ZERO, 3), loss);
    assert_eq!(check(6, Decimal::ZERO, 3), Ok(()));
    let lent = properties(1_000_000, periodic_rate(10_000, 86_400), 10);
    assert_eq!((lent.scale, lent.state.principal), (0, d("1000000")));
    assert!(is_rounded(Issue::Xrp, lent.state.value, 0).unwrap());
}

#[test]
fn cover_is_rounded_up() {
    let mut vault = Object::new().with(fields::ASSET, usd());
    number::set(&mut vault, fields::ASSETS_TOTAL, d("1000000000")).unwrap();
    let broker = Object::new().with(fields::COVER_RATE_MINIMUM, 1u32);
    let debt = d("0.123456789");
    assert_eq!(unrounded_cover(debt, &broker), d("0.00000123456789"));
    assert_eq!(minimum_cover(debt, &broker, &vault), Ok(d("0.000002")));
    assert_eq!(share(d("200"), 1500), d("3"));
}

const YEAR: u32 = 365 * 24 * 60 * 60;
const START: u32 = 1000;

/// A loan of 1200 dollars in 3 payments a year apart, at 10 % of interest, of which the broker gets a
/// tenth. Each payment is of 482.537764351.
fn lent(flags: u32) -> (Object, Object) {
    let (rules, payments, fee_rate) = (rules(), 3, 10_000u16);
    let rate = periodic_rate(10_000, YEAR);
    assert_eq!(rate, d("0.1"));
    let agreed =
        Properties::new(&rules, usd(), d("1200"), rate, payments, fee_rate.into(), -9).unwrap();
    assert_eq!(agreed.check(usd(), d("1200"), true, payments), Ok(()));
    let mut loan = Object::new()
        .with(fields::FLAGS, flags)
        .with(fields::START_DATE, START)
        .with(fields::PAYMENT_INTERVAL, YEAR)
        .with(fields::INTEREST_RATE, 10_000u32)
        .with(fields::LATE_INTEREST_RATE, 20_000u32)
        .with(fields::CLOSE_INTEREST_RATE, 1000u32)
        .with(fields::OVERPAYMENT_FEE, 1000u32)
        .with(fields::NEXT_PAYMENT_DUE_DATE, START + YEAR)
        .with(fields::PAYMENT_REMAINING, payments);
    loan.set(fields::LOAN_SCALE, Value::Int32(agreed.scale));
    number::set(&mut loan, fields::LOAN_SERVICE_FEE, d("1")).unwrap();
    number::set(&mut loan, fields::LATE_PAYMENT_FEE, d("5")).unwrap();
    number::set(&mut loan, fields::CLOSE_PAYMENT_FEE, d("7")).unwrap();
    number::set(&mut loan, fields::PERIODIC_PAYMENT, agreed.payment).unwrap();
    agreed.state.store(&mut loan).unwrap();
    (loan, Object::new().with(fields::MANAGEMENT_FEE_RATE, fee_rate))
}

fn pay(
    loan: &mut Object,
    broker: &Object,
    now: u32,
    amount: &str,
    kind: Kind,
) -> Result<payment::Parts, EngineResult> {
    let (_, closed) = genesis::ledgers(&genesis::amendments(), Default::default(), now);
    let view = OpenView::new(std::sync::Arc::new(closed), false);
    let amount = Amount::from_decimal(usd(), d(amount)).unwrap();
    payment::make(&view, usd(), loan, broker, &amount, kind)
}

#[test]
fn regular_payments_pay_all_of_it() {
    let (mut loan, broker) = lent(0);
    let all = State::of(&loan);
    assert_eq!((all.value, all.fee), (d("1447.613293052"), d("24.761329305")));
    let early = |loan: &mut Object, amount| pay(loan, &broker, START + 1, amount, Kind::Regular);
    let short = early(&mut loan.clone(), "483.53776435");
    assert_eq!(short, Err(EngineResult::TEC_INSUFFICIENT_PAYMENT));
    let first = early(&mut loan, "483.537764351").unwrap();
    assert_eq!(first.principal, d("362.53776435"));
    assert_eq!(first.interest, d("108.000000001"));
    // A tenth of the interest, and the fee for the service.
    assert_eq!((first.fee, first.value_change), (d("13"), Decimal::ZERO));
    assert_eq!(loan.u32(fields::NEXT_PAYMENT_DUE_DATE), Some(START + 2 * YEAR));
    assert_eq!(loan.u32(fields::PREVIOUS_PAYMENT_DUE_DATE), Some(START + YEAR));
    // More than enough for both that are left.
    let rest = early(&mut loan, "5000").unwrap();
    assert_eq!(first.principal + rest.principal, d("1200"));
    assert_eq!(first.interest + rest.interest, all.interest);
    assert_eq!(first.fee + rest.fee, all.fee + d("3"));
    let left = [fields::PAYMENT_REMAINING, fields::NEXT_PAYMENT_DUE_DATE];
    assert!(State::of(&loan).value.is_zero() && !left.iter().any(|field| loan.contains(*field)));
    assert_eq!(early(&mut loan, "5000"), Err(EngineResult::TEC_KILLED));
}

#[test]
fn who_pays_late_pays_more_and_must_say_so() {
    let (mut loan, broker) = lent(0);
    let now = START + YEAR + YEAR / 10;
    let late = |loan: &mut Object, now, amount, kind| pay(loan, &broker, now, amount, kind);
    let unsaid = late(&mut loan, now, "600", Kind::Regular);
    assert_eq!(unsaid, Err(EngineResult::TEC_EXPIRED));
    let early = late(&mut loan, START + YEAR - 1, "600", Kind::Late);
    assert_eq!(early, Err(EngineResult::TEC_TOO_SOON));
    // A tenth of a year at 20 % of 1200 is 24, of which the broker gets a tenth; 5 for the delay.
    let short = late(&mut loan, now, "512.53776435", Kind::Late);
    assert_eq!(short, Err(EngineResult::TEC_INSUFFICIENT_PAYMENT));
    let paid = late(&mut loan, now, "512.537764351", Kind::Late).unwrap();
    assert_eq!(paid.principal, d("362.53776435"));
    assert_eq!(paid.interest, d("129.600000001"));
    assert_eq!((paid.fee, paid.value_change), (d("20.4"), d("21.6")));
}

#[test]
fn who_pays_all_early_pays_less_interest() {
    let (mut loan, broker) = lent(0);
    let planned = State::of(&loan).interest;
    // Half a year of interest is 60, the penalty of 1 % is 12; the broker gets a tenth, and 7.
    let paid = pay(&mut loan, &broker, START + YEAR / 2, "1279", Kind::Full).unwrap();
    assert_eq!(paid.principal, d("1200"));
    let about = |found: Decimal, exact: &str| {
        let error = (found - d(exact)).abs();
        assert!(error < d("0.000000002"), "{found} is not {exact}");
    };
    about(paid.interest, "64.8");
    about(paid.fee, "14.2");
    assert_eq!(paid.value_change, paid.interest - planned);
    assert!(State::of(&loan).value.is_zero());
}

#[test]
fn what_is_paid_over_lowers_principal_and_payment() {
    let (mut loan, broker) = lent(super::flag::OVERPAYMENT);
    let payment = number::get(&loan, fields::PERIODIC_PAYMENT);
    let paid = pay(&mut loan, &broker, START + 1, "583.537764351", Kind::Overpayment).unwrap();
    // Of 100 paid over 1 is a fee.
    assert_eq!(paid.principal, d("461.53776435"));
    assert_eq!(paid.fee, d("14"));
    assert!(paid.value_change.signum() < 0);
    let state = State::of(&loan);
    assert_eq!(state.principal, d("738.46223565"));
    // Two payments of 738.46223565 at 10 %, but for what rounding has left over.
    let now = number::get(&loan, fields::PERIODIC_PAYMENT);
    let exact = periodic_payment(&rules(), state.principal, d("0.1"), 2);
    assert!(now < payment && (now - exact).abs() < d("0.00000001"), "{now} is not {exact}");
    // Who may not pay over keeps the change.
    let (mut loan, broker) = lent(0);
    let paid = pay(&mut loan, &broker, START + 1, "583.537764351", Kind::Overpayment).unwrap();
    assert_eq!(paid.principal, d("362.53776435"));
}
