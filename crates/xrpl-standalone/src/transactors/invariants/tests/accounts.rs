//! Accounts and XRP.

use super::*;
use crate::{
    ledger::helpers::account_root::flag,
    transactors::invariants::{
        account_roots_deleted_clean::AccountRootsDeletedClean,
        account_roots_not_deleted::AccountRootsNotDeleted, fee::TransactionFee,
        new_account::ValidNewAccountRoot, pseudo_accounts::ValidPseudoAccounts,
        xrp_balances::XrpBalances, xrp_not_created::XrpNotCreated,
    },
};

const ACCOUNT_SET: u16 = 3;
const ACCOUNT_DELETE: u16 = 21;
const AMM_CREATE: u16 = 35;

fn with_balance(account: AccountId, drops: i64) -> Object {
    root(account).with(fields::BALANCE, Amount::Xrp(drops))
}

#[test]
fn fees_are_neither_negative_nor_larger_than_allowed() {
    Case::of(PAYMENT).holds::<TransactionFee>();
    Case::of(PAYMENT).with_fee(0).holds::<TransactionFee>();
    Case::of(PAYMENT).with_fee(-1).breaks::<TransactionFee>();
    Case::of(PAYMENT).with_fee(FEE + 1).breaks::<TransactionFee>();
    let all = i64::try_from(genesis::TOTAL_COINS).unwrap();
    Case::of(PAYMENT).with(fields::FEE, Amount::Xrp(all)).with_fee(all).breaks::<TransactionFee>();
}

#[test]
fn accounts_go_one_at_a_time_and_by_their_types() {
    type I = AccountRootsNotDeleted;
    let one = |kind| Case::of(kind).erase(root_key(BOB), root(BOB));
    one(ACCOUNT_DELETE).holds::<I>();
    one(PAYMENT).breaks::<I>();
    one(ACCOUNT_DELETE).failed().breaks::<I>();
    one(ACCOUNT_DELETE).erase(root_key(CAROL), root(CAROL)).breaks::<I>();
    Case::of(ACCOUNT_DELETE).breaks::<I>();
    Case::of(PAYMENT).holds::<I>();
}

#[test]
fn a_deleted_account_leaves_nothing_behind() {
    type I = AccountRootsDeletedClean;
    let last =
        |root: Object| Case::of(ACCOUNT_DELETE).erase_as(root_key(BOB), super::root(BOB), root);
    let empty = || with_balance(BOB, 0);
    last(empty()).holds::<I>();
    last(with_balance(BOB, 1)).breaks::<I>();
    last(empty().with(fields::OWNER_COUNT, 1u32)).breaks::<I>();
    let directory = entry_type::new(entry_type::DIRECTORY_NODE);
    last(empty()).there(object_id::owner_dir(BOB), directory.clone()).breaks::<I>();
    last(empty()).there(object_id::owner_dir(CAROL), directory).holds::<I>();
    let page = entry_type::new(entry_type::NFTOKEN_PAGE);
    last(empty()).there(object_id::nft_page_max(BOB), page).breaks::<I>();
}

#[test]
fn balances_are_between_nothing_and_all() {
    let to = |drops| Case::of(PAYMENT).change(root_key(BOB), root(BOB), with_balance(BOB, drops));
    to(0).holds::<XrpBalances>();
    to(-1).breaks::<XrpBalances>();
    let all = i64::try_from(genesis::TOTAL_COINS).unwrap();
    to(all).holds::<XrpBalances>();
    to(all + 1).breaks::<XrpBalances>();
    let issued = root(BOB).with(fields::BALANCE, issued(1, ALICE));
    Case::of(PAYMENT).change(root_key(BOB), root(BOB), issued).breaks::<XrpBalances>();
}

#[test]
fn xrp_goes_nowhere_but_into_the_fee() {
    type I = XrpNotCreated;
    let moved =
        |alice, bob| {
            Case::of(PAYMENT)
                .change(root_key(ALICE), root(ALICE), with_balance(ALICE, alice))
                .change(root_key(BOB), root(BOB), with_balance(BOB, bob))
        };
    moved(890, 1_100).holds::<I>();
    moved(891, 1_100).breaks::<I>();
    moved(889, 1_100).breaks::<I>();
    moved(1_000, 1_001).breaks::<I>();
    let escrow =
        |drops| entry_type::new(entry_type::ESCROW).with(fields::AMOUNT, Amount::Xrp(drops));
    let locked = |drops| {
        Case::of(1)
            .change(root_key(ALICE), root(ALICE), with_balance(ALICE, 490))
            .create(key(7), escrow(drops))
    };
    locked(500).holds::<I>();
    locked(501).breaks::<I>();
    let channel = |balance: i64| {
        entry_type::new(entry_type::PAY_CHANNEL)
            .with(fields::AMOUNT, Amount::Xrp(300))
            .with(fields::BALANCE, Amount::Xrp(balance))
    };
    let claimed = |balance| {
        Case::of(15).change(root_key(ALICE), root(ALICE), with_balance(ALICE, 1_040)).change(
            key(7),
            channel(0),
            channel(balance),
        )
    };
    claimed(50).holds::<I>();
    claimed(40).breaks::<I>();
}

#[test]
fn new_accounts_are_as_they_must_be() {
    type I = ValidNewAccountRoot;
    // The open ledger's index.
    let born = |account, sequence: u32| root(account).with(fields::SEQUENCE, sequence);
    let index = 3;
    let one = |kind| Case::of(kind).create(root_key(BOB), born(BOB, index));
    one(PAYMENT).holds::<I>();
    one(PAYMENT).failed().breaks::<I>();
    one(ACCOUNT_SET).breaks::<I>();
    one(PAYMENT).create(root_key(CAROL), born(CAROL, index)).breaks::<I>();
    Case::of(PAYMENT).create(root_key(BOB), born(BOB, index - 1)).breaks::<I>();
    let flags = flag::DISABLE_MASTER | flag::DEFAULT_RIPPLE | flag::DEPOSIT_AUTH;
    let pool = |flags: u32| {
        let root = born(BOB, 0).with(fields::AMMID, key(4)).with(fields::FLAGS, flags);
        Case::of(AMM_CREATE).create(root_key(BOB), root)
    };
    pool(flags).holds::<I>();
    pool(flags & !flag::DISABLE_MASTER).breaks::<I>();
    let pool_by_payment = born(BOB, 0).with(fields::AMMID, key(4)).with(fields::FLAGS, flags);
    Case::of(PAYMENT).create(root_key(BOB), pool_by_payment).breaks::<I>();
}

#[test]
fn pseudo_accounts_stay_what_they_are() {
    type I = ValidPseudoAccounts;
    let flags = flag::DISABLE_MASTER | flag::DEFAULT_RIPPLE | flag::DEPOSIT_AUTH;
    let pool = || {
        let root = root(BOB).with(fields::AMMID, key(4)).with(fields::SEQUENCE, 0u32);
        root.with(fields::FLAGS, flags)
    };
    let to = |after| Case::of(PAYMENT).change(root_key(BOB), pool(), after);
    to(pool().with(fields::BALANCE, Amount::Xrp(5))).holds::<I>();
    to(pool().with(fields::VAULT_ID, key(5))).breaks::<I>();
    to(pool().with(fields::SEQUENCE, 1u32)).breaks::<I>();
    to(pool().with(fields::FLAGS, flag::DISABLE_MASTER)).breaks::<I>();
    to(pool().with(fields::REGULAR_KEY, ALICE)).breaks::<I>();
    let nobody = root(BOB).with(fields::SEQUENCE, 0u32);
    Case::of(PAYMENT).create(root_key(BOB), nobody).breaks::<I>();
}
