//! AMMs.

use xrpl_protocol::{Issue, Value};

use super::*;
use crate::transactors::invariants::amm::ValidAmm as I;

const AMM_CREATE: u16 = 35;
const AMM_DEPOSIT: u16 = 36;
const AMM_WITHDRAW: u16 = 37;
const AMM_VOTE: u16 = 38;
const AMM_BID: u16 = 39;
const AMM_DELETE: u16 = 40;

const USD_OF_CAROL: fn() -> Issue = || Issue::Issued { currency: usd(), issuer: CAROL };

/// The AMM of BOB's account, with so many LP tokens.
fn amm(tokens: i64) -> Object {
    let value = IssuedValue::new(tokens, 0).unwrap();
    let lp = Currency([3; 20]);
    entry_type::new(entry_type::AMM)
        .with(fields::ACCOUNT, BOB)
        .with(fields::LP_TOKEN_BALANCE, Amount::issued(value, lp, BOB))
}

fn amm_key() -> Hash256 {
    object_id::amm(Issue::Xrp, USD_OF_CAROL())
}

fn account(drops: i64) -> Object {
    root(BOB).with(fields::AMMID, amm_key()).with(fields::BALANCE, Amount::Xrp(drops))
}

/// A transaction on a pool of 400 drops and 100 USD, whose LP tokens become another number.
fn on_a_pool(kind: u16, before: i64, after: i64) -> Case {
    Case::of(kind)
        .with(fields::ASSET, Value::Issue(Issue::Xrp))
        .with(fields::ASSET2, Value::Issue(USD_OF_CAROL()))
        .there(root_key(BOB), account(400))
        .there(root_key(CAROL), root(CAROL))
        .there(object_id::trust_line(BOB, CAROL, usd()), line_between(BOB, CAROL, 100, 0))
        .change(amm_key(), amm(before), amm(after))
}

#[test]
fn a_pool_is_worth_its_tokens() {
    on_a_pool(AMM_DEPOSIT, 150, 200).holds::<I>();
    on_a_pool(AMM_DEPOSIT, 150, 201).breaks::<I>();
    on_a_pool(AMM_WITHDRAW, 250, 200).holds::<I>();
    on_a_pool(AMM_WITHDRAW, 250, 220).breaks::<I>();
    Case::of(AMM_DEPOSIT).breaks::<I>();
    let created = |tokens| {
        Case::of(AMM_CREATE)
            .with(fields::AMOUNT, Amount::Xrp(400))
            .with(fields::AMOUNT2, issued(100, CAROL))
            .there(root_key(CAROL), root(CAROL))
            .create(root_key(BOB), account(400))
            .create(object_id::trust_line(BOB, CAROL, usd()), line_between(BOB, CAROL, 100, 0))
            .create(amm_key(), amm(tokens))
    };
    created(200).holds::<I>();
    created(199).breaks::<I>();
    Case::of(AMM_CREATE).breaks::<I>();
}

#[test]
fn each_type_changes_of_a_pool_what_it_may() {
    on_a_pool(AMM_VOTE, 200, 200).holds::<I>();
    on_a_pool(AMM_VOTE, 200, 199).breaks::<I>();
    on_a_pool(AMM_BID, 200, 190).holds::<I>();
    on_a_pool(AMM_BID, 200, 210).breaks::<I>();
    on_a_pool(PAYMENT, 200, 200).breaks::<I>();
    let paid = |kind| Case::of(kind).change(root_key(BOB), account(400), account(390));
    paid(PAYMENT).holds::<I>();
    paid(AMM_VOTE).breaks::<I>();
    let deleted = |kind, tokens| Case::of(kind).erase(amm_key(), amm(tokens));
    deleted(AMM_DELETE, 0).holds::<I>();
    deleted(AMM_DELETE, 5).breaks::<I>();
    deleted(PAYMENT, 0).breaks::<I>();
    on_a_pool(AMM_DELETE, 0, 0).breaks::<I>();
}
