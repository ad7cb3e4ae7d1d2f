//! Trust lines, freezes, clawback, NFTs.

use xrpl_protocol::Value;

use super::*;
use crate::{
    ledger::helpers::trust_line::Side,
    transactors::invariants::{
        clawback::ValidClawback, deep_freeze::NoDeepFreezeWithoutFreeze,
        freeze::TransfersNotFrozen, nft_counts::NftCounts, nft_pages::ValidNftPages,
        xrp_lines::NoXrpTrustLines,
    },
};

const TRUST_SET: u16 = 20;
const MINT: u16 = 25;
const BURN: u16 = 26;
const CLAWBACK: u16 = 30;

#[test]
fn no_line_is_for_xrp() {
    Case::of(TRUST_SET).create(key(4), line(0, 0)).holds::<NoXrpTrustLines>();
    let xrp = line(0, 0).with(fields::LOW_LIMIT, Amount::Xrp(5));
    Case::of(TRUST_SET).create(key(4), xrp).breaks::<NoXrpTrustLines>();
}

#[test]
fn what_is_frozen_deeply_is_frozen() {
    type I = NoDeepFreezeWithoutFreeze;
    for side in [Side::Low, Side::High] {
        let of = |flags| Case::of(TRUST_SET).create(key(4), line(0, flags));
        of(side.freeze()).holds::<I>();
        of(side.freeze() | side.deep_freeze()).holds::<I>();
        of(side.deep_freeze()).breaks::<I>();
        of(side.other().freeze() | side.deep_freeze()).breaks::<I>();
    }
}

#[test]
fn frozen_funds_do_not_move_between_holders() {
    type I = TransfersNotFrozen;
    // ALICE gives to CAROL what BOB issued.
    let moves = |flags: u32| {
        Case::of(PAYMENT)
            .there(root_key(ALICE), root(ALICE))
            .there(root_key(BOB), root(BOB))
            .there(root_key(CAROL), root(CAROL))
            .change(key(4), line(50, flags), line(40, flags))
            .change(key(5), line_between(BOB, CAROL, 0, 0), line_between(BOB, CAROL, -10, 0))
    };
    moves(0).holds::<I>();
    // BOB is the high side of ALICE's line.
    moves(Side::High.freeze()).breaks::<I>();
    moves(Side::High.deep_freeze() | Side::High.freeze()).breaks::<I>();
    // The holder's own freeze of the line keeps nobody from spending.
    moves(Side::Low.freeze()).holds::<I>();
    // Back to the issuer it may go.
    let flags = Side::High.freeze();
    Case::of(PAYMENT)
        .there(root_key(ALICE), root(ALICE))
        .there(root_key(BOB), root(BOB))
        .change(key(4), line(50, flags), line(40, flags))
        .holds::<I>();
}

#[test]
fn clawback_changes_one_holding_and_not_below_zero() {
    type I = ValidClawback;
    let line_key = object_id::trust_line(ALICE, BOB, usd());
    // ALICE claws back from BOB, who holds on the high side.
    let to = |left: i64| {
        Case::of(CLAWBACK).with(fields::AMOUNT, issued(5, BOB)).change(
            line_key,
            line(-50, 0),
            line(-left, 0),
        )
    };
    to(45).holds::<I>();
    to(0).holds::<I>();
    to(-5).breaks::<I>();
    to(45).failed().breaks::<I>();
    let second = line_between(ALICE, CAROL, -5, 0);
    to(45).change(key(5), second.clone(), second).breaks::<I>();
    Case::of(CLAWBACK).failed().holds::<I>();
}

fn counts(minted: u32, burned: u32) -> Object {
    root(BOB).with(fields::MINTED_NF_TOKENS, minted).with(fields::BURNED_NF_TOKENS, burned)
}

#[test]
fn minting_and_burning_are_counted() {
    type I = NftCounts;
    let to = |kind, minted, burned| {
        Case::of(kind).change(root_key(BOB), counts(5, 2), counts(minted, burned))
    };
    to(MINT, 6, 2).holds::<I>();
    to(MINT, 5, 2).breaks::<I>();
    to(MINT, 6, 3).breaks::<I>();
    to(MINT, 6, 2).failed().breaks::<I>();
    to(BURN, 5, 3).holds::<I>();
    to(BURN, 5, 2).breaks::<I>();
    to(BURN, 6, 3).breaks::<I>();
    to(PAYMENT, 5, 2).holds::<I>();
    to(PAYMENT, 6, 2).breaks::<I>();
}

/// A page of BOB with NFTs of these low numbers.
fn page(tokens: &[u8]) -> Object {
    let list = tokens.iter().map(|n| {
        let mut id = Hash256([0; 32]);
        id.0[31] = *n;
        (fields::NF_TOKEN, Object::new().with(fields::NF_TOKEN_ID, id))
    });
    let mut page = entry_type::new(entry_type::NFTOKEN_PAGE);
    page.set(fields::NF_TOKENS, Value::Array(list.collect()));
    page
}

/// The key of BOB's page that ends before a low number.
fn page_key(end: u8) -> Hash256 {
    let mut key = object_id::nft_page_max(BOB);
    key.0[20..].fill(0);
    key.0[31] = end;
    key
}

#[test]
fn pages_of_nfts_are_in_order() {
    type I = ValidNftPages;
    let last = object_id::nft_page_max(BOB);
    let new = |key, page| Case::of(MINT).create(key, page);
    new(last, page(&[1, 2, 3])).holds::<I>();
    new(last, page(&[2, 1])).breaks::<I>();
    new(last, page(&[1, 1])).breaks::<I>();
    new(last, page(&[])).breaks::<I>();
    new(last, page(&(1..=33).collect::<Vec<_>>())).breaks::<I>();
    new(page_key(9), page(&[1, 8])).holds::<I>();
    new(page_key(9), page(&[1, 9])).breaks::<I>();
    let linked = |previous: Hash256| page(&[20]).with(fields::PREVIOUS_PAGE_MIN, previous);
    new(last, linked(page_key(9))).holds::<I>();
    new(last, linked(page_key(30))).breaks::<I>();
    let mut others = page_key(9);
    others.0[..20].copy_from_slice(&CAROL.0);
    new(last, linked(others)).breaks::<I>();
    let with_uri = |uri: &[u8]| {
        let mut page = page(&[1]);
        if let Some(Value::Array(list)) = page.get_mut(fields::NF_TOKENS) {
            list[0].1.set(fields::URI, uri.to_vec().into());
        }
        page
    };
    new(last, with_uri(b"x")).holds::<I>();
    new(last, with_uri(b"")).breaks::<I>();
}

#[test]
fn pages_of_nfts_stay_linked() {
    type I = ValidNftPages;
    let last = object_id::nft_page_max(BOB);
    let before_last = page(&[1]).with(fields::NEXT_PAGE_MIN, last);
    Case::of(BURN).change(page_key(9), before_last.clone(), page(&[1])).breaks::<I>();
    Case::of(BURN).change(page_key(9), before_last.clone(), before_last).holds::<I>();
    let linked = page(&[20]).with(fields::PREVIOUS_PAGE_MIN, page_key(9));
    Case::of(BURN).erase(last, linked).breaks::<I>();
    Case::of(BURN).erase(last, page(&[20])).holds::<I>();
}
