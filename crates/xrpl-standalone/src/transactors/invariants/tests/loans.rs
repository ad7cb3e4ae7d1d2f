//! Loans and their brokers.

use xrpl_protocol::{Issue, Value};

use super::{vaults::set_number, *};
use crate::{
    ledger::helpers::loan::flag,
    transactors::invariants::{loan::ValidLoan, loan_broker::ValidLoanBroker},
};

const BROKER_SET: u16 = 74;
const BROKER_DELETE: u16 = 75;
const LOAN_PAY: u16 = 84;

fn loan(value: i64, principal: i64, fee: i64, payments: u32) -> Object {
    let loan = entry_type::new(entry_type::LOAN)
        .with(fields::FLAGS, 0u32)
        .with(fields::PAYMENT_REMAINING, payments);
    [
        (fields::TOTAL_VALUE_OUTSTANDING, value),
        (fields::PRINCIPAL_OUTSTANDING, principal),
        (fields::MANAGEMENT_FEE_OUTSTANDING, fee),
        (fields::PERIODIC_PAYMENT, 10),
    ]
    .into_iter()
    .fold(loan, |loan, (field, value)| set_number(loan, field, value))
}

#[test]
fn a_loan_is_paid_when_no_payments_are_left() {
    type I = ValidLoan;
    let paid = |after| Case::of(LOAN_PAY).change(key(8), loan(110, 100, 1, 11), after);
    paid(loan(100, 91, 1, 10)).holds::<I>();
    paid(loan(0, 0, 0, 0)).holds::<I>();
    paid(loan(1, 0, 0, 0)).breaks::<I>();
    paid(loan(0, 1, 0, 0)).breaks::<I>();
    paid(loan(0, 0, 1, 0)).breaks::<I>();
    paid(loan(0, 0, 0, 1)).breaks::<I>();
    paid(loan(100, 91, -1, 10)).breaks::<I>();
    paid(loan(-1, 91, 1, 10)).breaks::<I>();
    paid(loan(100, -1, 1, 10)).breaks::<I>();
    for field in [fields::LOAN_SERVICE_FEE, fields::LATE_PAYMENT_FEE, fields::CLOSE_PAYMENT_FEE] {
        paid(set_number(loan(100, 91, 1, 10), field, 1)).holds::<I>();
        paid(set_number(loan(100, 91, 1, 10), field, -1)).breaks::<I>();
    }
    paid(set_number(loan(100, 91, 1, 10), fields::PERIODIC_PAYMENT, 0)).breaks::<I>();
    let overpaid = |loan: Object| loan.with(fields::FLAGS, flag::OVERPAYMENT);
    let before = || overpaid(loan(110, 100, 1, 11));
    let changed = |after| Case::of(LOAN_PAY).change(key(8), before(), after);
    changed(overpaid(loan(100, 91, 1, 10))).holds::<I>();
    changed(loan(100, 91, 1, 10)).breaks::<I>();
    paid(overpaid(loan(100, 91, 1, 10))).breaks::<I>();
}

fn broker_key() -> Hash256 {
    key(7)
}

/// A broker whose account is BOB's.
fn broker(cover: i64, debt: i64, sequence: u32, loans: u32) -> Object {
    let broker = entry_type::new(entry_type::LOAN_BROKER)
        .with(fields::ACCOUNT, BOB)
        .with(fields::VAULT_ID, key(8))
        .with(fields::LOAN_SEQUENCE, sequence)
        .with(fields::OWNER_COUNT, loans);
    let broker = set_number(broker, fields::COVER_AVAILABLE, cover);
    set_number(broker, fields::DEBT_TOTAL, debt)
}

fn line_key() -> Hash256 {
    object_id::trust_line(BOB, CAROL, usd())
}

/// What is around it: it holds 100 USD of CAROL by a line.
fn around(case: Case) -> Case {
    let asset = Issue::Issued { currency: usd(), issuer: CAROL };
    let vault = entry_type::new(entry_type::VAULT)
        .with(fields::ACCOUNT, CAROL)
        .with(fields::ASSET, Value::Issue(asset));
    case.there(key(8), vault)
        .there(root_key(CAROL), root(CAROL))
        .there(root_key(BOB), root(BOB).with(fields::LOAN_BROKER_ID, broker_key()))
}

fn changed(kind: u16, after: Object) -> Case {
    around(Case::of(kind)).there(line_key(), line_between(BOB, CAROL, 100, 0)).change(
        broker_key(),
        broker(100, 10, 3, 1),
        after,
    )
}

#[test]
fn a_broker_covers_with_what_it_holds() {
    type I = ValidLoanBroker;
    changed(BROKER_SET, broker(100, 11, 3, 1)).holds::<I>();
    changed(BROKER_SET, broker(99, 11, 3, 1)).breaks::<I>();
    changed(BROKER_SET, broker(101, 11, 3, 1)).breaks::<I>();
    changed(BROKER_DELETE, broker(101, 11, 3, 1)).holds::<I>();
    changed(BROKER_SET, broker(100, -1, 3, 1)).breaks::<I>();
    changed(BROKER_SET, broker(100, 11, 4, 2)).holds::<I>();
    changed(BROKER_SET, broker(100, 11, 2, 1)).breaks::<I>();
    changed(BROKER_SET, broker(100, 11, 3, 1).with(fields::VAULT_ID, key(6))).breaks::<I>();
    // Whoever changes what it holds without it.
    let line = |balance| line_between(BOB, CAROL, balance, 0);
    let moved = |to| {
        around(Case::of(PAYMENT)).there(broker_key(), broker(100, 10, 3, 1)).change(
            line_key(),
            line(90),
            line(to),
        )
    };
    moved(100).holds::<I>();
    moved(95).breaks::<I>();
    around(Case::of(PAYMENT)).change(line_key(), line(90), line(100)).breaks::<I>();
}

#[test]
fn a_broker_without_loans_owns_its_asset_alone() {
    type I = ValidLoanBroker;
    let owns = |loans, ids: Vec<Hash256>| {
        let directory = entry_type::new(entry_type::DIRECTORY_NODE)
            .with(fields::ROOT_INDEX, object_id::owner_dir(BOB))
            .with(fields::INDEXES, ids);
        changed(BROKER_SET, broker(100, 0, 3, loans)).there(object_id::owner_dir(BOB), directory)
    };
    owns(0, vec![]).holds::<I>();
    owns(0, vec![line_key()]).holds::<I>();
    owns(0, vec![key(8)]).breaks::<I>();
    owns(0, vec![line_key(), key(8)]).breaks::<I>();
    owns(1, vec![line_key(), key(8)]).holds::<I>();
}
