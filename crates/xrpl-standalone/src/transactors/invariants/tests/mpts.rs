//! Multi-purpose tokens.

use xrpl_protocol::{MptId, Value};

use super::*;
use crate::{
    ledger::{amendment, helpers::mpt::flag},
    transactors::invariants::{
        confidential::ValidConfidentialMpt, mpt_issuance::ValidMptIssuance,
        mpt_payment::ValidMptPayment, mpt_transfer::ValidMptTransfer,
    },
};

const ISSUANCE_CREATE: u16 = 54;
const ISSUANCE_DESTROY: u16 = 55;
const AUTHORIZE: u16 = 57;

fn id() -> MptId {
    MptId::new(7, ALICE)
}

fn issuance(flags: u32, outstanding: u64) -> Object {
    entry_type::new(entry_type::MPTOKEN_ISSUANCE)
        .with(fields::FLAGS, flags)
        .with(fields::SEQUENCE, 7u32)
        .with(fields::ISSUER, ALICE)
        .with(fields::OUTSTANDING_AMOUNT, outstanding)
        .with(fields::MAXIMUM_AMOUNT, 100u64)
}

fn token(holder: AccountId, flags: u32, amount: u64) -> Object {
    entry_type::new(entry_type::MPTOKEN)
        .with(fields::FLAGS, flags)
        .with(fields::ACCOUNT, holder)
        .with(fields::MP_TOKEN_ISSUANCE_ID, Value::Hash192(id().0))
        .with(fields::MPT_AMOUNT, amount)
}

fn issuance_key() -> Hash256 {
    object_id::mpt_issuance(id())
}

fn token_key(holder: AccountId) -> Hash256 {
    object_id::mptoken(id(), holder)
}

#[test]
fn issuances_and_holdings_come_and_go_by_their_types() {
    type I = ValidMptIssuance;
    let created = |kind| Case::of(kind).create(issuance_key(), issuance(0, 0));
    created(ISSUANCE_CREATE).holds::<I>();
    created(ISSUANCE_CREATE).failed().breaks::<I>();
    created(ISSUANCE_CREATE).create(key(5), issuance(0, 0)).breaks::<I>();
    created(PAYMENT).breaks::<I>();
    Case::of(ISSUANCE_CREATE).breaks::<I>();
    let destroyed = |kind| Case::of(kind).erase(issuance_key(), issuance(0, 0));
    destroyed(ISSUANCE_DESTROY).holds::<I>();
    destroyed(PAYMENT).breaks::<I>();
    let opted_in = |holder| Case::of(AUTHORIZE).create(token_key(holder), token(holder, 0, 0));
    opted_in(BOB).holds::<I>();
    opted_in(ALICE).breaks::<I>();
    opted_in(BOB).create(token_key(CAROL), token(CAROL, 0, 0)).breaks::<I>();
    // An issuer authorises a holding that is there.
    opted_in(BOB).with(fields::HOLDER, BOB).breaks::<I>();
    let opted_out = |kind| Case::of(kind).erase(token_key(BOB), token(BOB, 0, 0));
    opted_out(AUTHORIZE).holds::<I>();
    opted_out(PAYMENT).breaks::<I>();
}

#[test]
fn what_is_outstanding_is_what_is_held() {
    type I = ValidMptPayment;
    let paid = |outstanding, held| {
        Case::of(PAYMENT)
            .with_feature(amendment::MPTOKENS_V2)
            .change(issuance_key(), issuance(0, 50), issuance(0, outstanding))
            .change(token_key(BOB), token(BOB, 0, 50), token(BOB, 0, held))
    };
    paid(60, 60).holds::<I>();
    paid(60, 61).breaks::<I>();
    paid(50, 60).breaks::<I>();
    paid(101, 101).breaks::<I>();
}

#[test]
fn mpts_move_between_holders_as_their_issuer_allows() {
    type I = ValidMptTransfer;
    let moved = |issuance_flags: u32, token_flags: u32| {
        Case::of(PAYMENT)
            .with_feature(amendment::MPTOKENS_V2)
            .there(root_key(ALICE), root(ALICE))
            .there(root_key(BOB), root(BOB))
            .there(root_key(CAROL), root(CAROL))
            .there(issuance_key(), issuance(issuance_flags, 50))
            .change(token_key(BOB), token(BOB, token_flags, 50), token(BOB, token_flags, 40))
            .change(token_key(CAROL), token(CAROL, 0, 0), token(CAROL, 0, 10))
    };
    moved(flag::CAN_TRANSFER, 0).holds::<I>();
    moved(0, 0).breaks::<I>();
    moved(flag::CAN_TRANSFER | flag::LOCKED, 0).breaks::<I>();
    moved(flag::CAN_TRANSFER, flag::LOCKED).breaks::<I>();
    moved(flag::CAN_TRANSFER | flag::REQUIRE_AUTH, flag::AUTHORIZED).breaks::<I>();
    // Back to the issuer.
    Case::of(PAYMENT)
        .with_feature(amendment::MPTOKENS_V2)
        .there(issuance_key(), issuance(0, 50))
        .change(token_key(BOB), token(BOB, 0, 50), token(BOB, 0, 40))
        .holds::<I>();
}

const CONVERT: u16 = 85;
const CONFIDENTIAL_SEND: u16 = 88;

fn hiding_issuance(hidden: u64, outstanding: u64) -> Object {
    issuance(flag::CAN_HOLD_CONFIDENTIAL_BALANCE, outstanding)
        .with(fields::CONFIDENTIAL_OUTSTANDING_AMOUNT, hidden)
}

/// An MPToken with a hidden balance of which nothing but the bytes is known.
fn hiding_token(balance: u8, version: u32, amount: u64) -> Object {
    let bytes = || Value::Blob(vec![balance; 66]);
    token(BOB, 0, amount)
        .with(fields::CONFIDENTIAL_BALANCE_INBOX, bytes())
        .with(fields::CONFIDENTIAL_BALANCE_SPENDING, bytes())
        .with(fields::ISSUER_ENCRYPTED_BALANCE, bytes())
        .with(fields::CONFIDENTIAL_BALANCE_VERSION, version)
}

#[test]
fn what_is_hidden_adds_up() {
    type I = ValidConfidentialMpt;
    let hid = |hidden, outstanding, open| {
        Case::of(CONVERT)
            .change(issuance_key(), hiding_issuance(0, 50), hiding_issuance(hidden, outstanding))
            .change(token_key(BOB), token(BOB, 0, 50), hiding_token(1, 1, open))
    };
    hid(10, 50, 40).holds::<I>();
    hid(10, 50, 41).breaks::<I>();
    hid(10, 51, 40).breaks::<I>();
    hid(51, 50, 0).breaks::<I>();
    hid(10, 50, 41).failed().holds::<I>();
    // A hidden transfer leaves alone what is open.
    let sent = |kind, open| {
        Case::of(kind).there(issuance_key(), hiding_issuance(10, 50)).change(
            token_key(BOB),
            hiding_token(1, 1, 40),
            hiding_token(2, 2, open),
        )
    };
    sent(CONFIDENTIAL_SEND, 40).holds::<I>();
    sent(CONFIDENTIAL_SEND, 39).breaks::<I>();
    sent(PAYMENT, 39).holds::<I>();
}

#[test]
fn hidden_balances_are_whole_and_allowed() {
    type I = ValidConfidentialMpt;
    let became = |issuance: Object, after: Object| {
        Case::of(CONFIDENTIAL_SEND).there(issuance_key(), issuance).change(
            token_key(BOB),
            hiding_token(1, 1, 40),
            after,
        )
    };
    became(hiding_issuance(10, 50), hiding_token(2, 2, 40)).holds::<I>();
    // Its version says that it is another one.
    became(hiding_issuance(10, 50), hiding_token(2, 1, 40)).breaks::<I>();
    became(issuance(0, 50), hiding_token(2, 2, 40)).breaks::<I>();
    // What is there may stay where no more may be hidden.
    became(issuance(0, 50), hiding_token(1, 1, 40)).holds::<I>();
    let mut part = hiding_token(1, 1, 40);
    part.remove(fields::CONFIDENTIAL_BALANCE_INBOX);
    became(hiding_issuance(10, 50), part).breaks::<I>();
    let gone = |hidden, token| {
        Case::of(AUTHORIZE)
            .there(issuance_key(), hiding_issuance(hidden, 50))
            .erase(token_key(BOB), token)
    };
    gone(10, hiding_token(1, 1, 0)).breaks::<I>();
    gone(0, hiding_token(1, 1, 0)).holds::<I>();
    gone(10, token(BOB, 0, 0)).holds::<I>();
}
