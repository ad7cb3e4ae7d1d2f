//! Entries of all types, offers and their books, escrows, domains.

use xrpl_protocol::{Issue, Value};

use super::*;
use crate::{
    ledger::helpers::offer::flag::HYBRID,
    transactors::invariants::{
        amounts::ValidAmounts, book_directory::ValidBookDirectory,
        entry_types::LedgerEntryTypesMatch, escrow::NoZeroEscrow, offers::NoBadOffers,
        permissioned_dex::ValidPermissionedDex, permissioned_domain::ValidPermissionedDomain,
        unmodifiable::NoModifiedUnmodifiableFields,
    },
};

const ESCROW_CREATE: u16 = 1;
const OFFER_CREATE: u16 = 7;
const DOMAIN_SET: u16 = 62;
const DOMAIN_DELETE: u16 = 63;

#[test]
fn entries_keep_their_type() {
    type I = LedgerEntryTypesMatch;
    let check = entry_type::new(entry_type::CHECK);
    let ticket = entry_type::new(entry_type::TICKET);
    Case::of(PAYMENT).change(key(4), check.clone(), check.clone()).holds::<I>();
    Case::of(PAYMENT).change(key(4), check, ticket).breaks::<I>();
    Case::of(PAYMENT).create(key(4), entry_type::new(0x0001)).breaks::<I>();
}

#[test]
fn no_amount_is_larger_than_all_xrp() {
    let of = |drops| {
        let check = entry_type::new(entry_type::CHECK).with(fields::SEND_MAX, Amount::Xrp(drops));
        Case::of(16).create(key(4), check)
    };
    of(5).holds::<ValidAmounts>();
    of(i64::try_from(genesis::TOTAL_COINS).unwrap() + 1).breaks::<ValidAmounts>();
}

#[test]
fn offers_are_neither_negative_nor_xrp_for_xrp() {
    let of = |pays: Amount, gets: Amount| {
        let offer = entry_type::new(entry_type::OFFER)
            .with(fields::TAKER_PAYS, pays)
            .with(fields::TAKER_GETS, gets);
        Case::of(OFFER_CREATE).create(key(4), offer)
    };
    of(Amount::Xrp(5), issued(1, BOB)).holds::<NoBadOffers>();
    of(Amount::Xrp(5), Amount::Xrp(1)).breaks::<NoBadOffers>();
    of(Amount::Xrp(-5), issued(1, BOB)).breaks::<NoBadOffers>();
    of(Amount::Xrp(5), issued(-1, BOB)).breaks::<NoBadOffers>();
}

#[test]
fn a_book_says_the_rate_of_its_key() {
    type I = ValidBookDirectory;
    let xrp = Issue::Xrp;
    let usd = Issue::Issued { currency: usd(), issuer: BOB };
    let root = object_id::book_dir(usd, xrp, None, 77);
    let page = |rate: u64, root: Hash256| {
        entry_type::new(entry_type::DIRECTORY_NODE)
            .with(fields::ROOT_INDEX, root)
            .with(fields::EXCHANGE_RATE, rate)
    };
    Case::of(OFFER_CREATE).create(root, page(77, root)).holds::<I>();
    Case::of(OFFER_CREATE).create(root, page(78, root)).breaks::<I>();
    let second = object_id::dir_page(root, 1);
    Case::of(OFFER_CREATE).there(root, page(77, root)).create(second, page(77, root)).holds::<I>();
    Case::of(OFFER_CREATE).create(second, page(77, root)).breaks::<I>();
}

#[test]
fn escrows_hold_something() {
    type I = NoZeroEscrow;
    let of = |amount: Amount| {
        let escrow = entry_type::new(entry_type::ESCROW).with(fields::AMOUNT, amount);
        Case::of(ESCROW_CREATE).create(key(4), escrow)
    };
    of(Amount::Xrp(1)).holds::<I>();
    of(Amount::Xrp(0)).breaks::<I>();
    of(issued(1, BOB)).holds::<I>();
    of(issued(-1, BOB)).breaks::<I>();
    let issuance = |outstanding: u64, locked: u64| {
        let entry = entry_type::new(entry_type::MPTOKEN_ISSUANCE)
            .with(fields::OUTSTANDING_AMOUNT, outstanding)
            .with(fields::LOCKED_AMOUNT, locked);
        Case::of(ESCROW_CREATE).create(key(4), entry)
    };
    issuance(5, 5).holds::<I>();
    issuance(5, 6).breaks::<I>();
    issuance(1 << 63, 6).breaks::<I>();
}

fn domain(credentials: &[(AccountId, &[u8])]) -> Object {
    let list = credentials.iter().map(|(issuer, kind)| {
        let credential = Object::new()
            .with(fields::ISSUER, *issuer)
            .with(fields::CREDENTIAL_TYPE, kind.to_vec());
        (fields::CREDENTIAL, credential)
    });
    let mut domain = entry_type::new(entry_type::PERMISSIONED_DOMAIN);
    domain.set(fields::ACCEPTED_CREDENTIALS, Value::Array(list.collect()));
    domain
}

#[test]
fn domains_are_well_formed_and_change_by_their_types() {
    type I = ValidPermissionedDomain;
    let good = || domain(&[(ALICE, b"a"), (ALICE, b"b"), (BOB, b"a")]);
    let set = |domain| Case::of(DOMAIN_SET).create(key(4), domain);
    set(good()).holds::<I>();
    set(good()).failed().breaks::<I>();
    set(good()).create(key(5), good()).breaks::<I>();
    set(domain(&[])).breaks::<I>();
    set(domain(&[(BOB, b"a"), (ALICE, b"a")])).breaks::<I>();
    set(domain(&[(BOB, b"a"), (BOB, b"a")])).breaks::<I>();
    Case::of(DOMAIN_SET).breaks::<I>();
    Case::of(DOMAIN_SET).erase(key(4), good()).breaks::<I>();
    Case::of(DOMAIN_DELETE).erase(key(4), good()).holds::<I>();
    Case::of(DOMAIN_DELETE).change(key(4), good(), good()).breaks::<I>();
    Case::of(PAYMENT).change(key(4), good(), good()).breaks::<I>();
    Case::of(PAYMENT).holds::<I>();
}

#[test]
fn what_is_of_a_domain_stays_in_its_books() {
    type I = ValidPermissionedDex;
    let offer = |domain: Option<Hash256>| {
        let offer = entry_type::new(entry_type::OFFER).with(fields::FLAGS, 0u32);
        match domain {
            Some(domain) => offer.with(fields::DOMAIN_ID, domain),
            None => offer,
        }
    };
    let pay = |offer: Object| {
        Case::of(PAYMENT)
            .with(fields::DOMAIN_ID, key(8))
            .there(key(8), domain(&[(BOB, b"a")]))
            .change(key(4), offer.clone(), offer)
    };
    pay(offer(Some(key(8)))).holds::<I>();
    pay(offer(Some(key(9)))).breaks::<I>();
    pay(offer(None)).breaks::<I>();
    Case::of(PAYMENT).change(key(4), offer(None), offer(None)).holds::<I>();
    Case::of(PAYMENT).with(fields::DOMAIN_ID, key(8)).breaks::<I>();
    let hybrid = |books: usize| {
        let mut offer = offer(Some(key(8))).with(fields::FLAGS, HYBRID);
        let book = (fields::BOOK, Object::new().with(fields::BOOK_NODE, 0u64));
        offer.set(fields::ADDITIONAL_BOOKS, Value::Array(vec![book; books]));
        Case::of(OFFER_CREATE)
            .with(fields::DOMAIN_ID, key(8))
            .there(key(8), domain(&[(BOB, b"a")]))
            .create(key(4), offer)
    };
    hybrid(1).holds::<I>();
    hybrid(2).breaks::<I>();
    hybrid(0).breaks::<I>();
}

#[test]
fn what_says_what_a_loan_is_never_changes() {
    type I = NoModifiedUnmodifiableFields;
    let loan = |rate: u32, paid: u32| {
        entry_type::new(entry_type::LOAN)
            .with(fields::INTEREST_RATE, rate)
            .with(fields::PAYMENT_REMAINING, paid)
    };
    Case::of(84).change(key(4), loan(5, 9), loan(5, 8)).holds::<I>();
    Case::of(84).change(key(4), loan(5, 9), loan(4, 9)).breaks::<I>();
    Case::of(81).erase(key(4), loan(5, 0)).holds::<I>();
}
