//! Vaults.

use xrpl_protocol::{Issue, MptId, Value, decimal::Decimal};

use super::*;
use crate::{ledger::helpers::number, transactors::invariants::vault::ValidVault as I};

const CREATE: u16 = 65;
const SET: u16 = 66;
const DELETE: u16 = 67;
const DEPOSIT: u16 = 68;
const WITHDRAW: u16 = 69;
const CLAWBACK: u16 = 70;
const LOAN_PAY: u16 = 84;

fn vault_key() -> Hash256 {
    key(8)
}

fn share() -> MptId {
    MptId::new(1, BOB)
}

pub(super) fn set_number(mut entry: Object, field: xrpl_protocol::Field, value: i64) -> Object {
    number::set(&mut entry, field, Decimal::from(value)).expect("a small number");
    entry
}

/// CAROL's vault, whose account is BOB's.
fn vault(asset: Issue, total: i64, available: i64) -> Object {
    let entry = entry_type::new(entry_type::VAULT)
        .with(fields::OWNER, CAROL)
        .with(fields::ACCOUNT, BOB)
        .with(fields::ASSET, Value::Issue(asset))
        .with(fields::SHARE_MPTID, Value::Hash192(share().0));
    let entry = set_number(entry, fields::ASSETS_TOTAL, total);
    set_number(entry, fields::ASSETS_AVAILABLE, available)
}

fn of_xrp(total: i64, available: i64) -> Object {
    vault(Issue::Xrp, total, available)
}

fn with_loss(vault: Object, loss: i64) -> Object {
    set_number(vault, fields::LOSS_UNREALIZED, loss)
}

fn with_maximum(vault: Object, most: i64) -> Object {
    set_number(vault, fields::ASSETS_MAXIMUM, most)
}

fn shares(outstanding: i64) -> Object {
    entry_type::new(entry_type::MPTOKEN_ISSUANCE)
        .with(fields::SEQUENCE, 1u32)
        .with(fields::ISSUER, BOB)
        .with(fields::OUTSTANDING_AMOUNT, u64::try_from(outstanding).unwrap())
}

fn held(holder: AccountId, amount: i64) -> Object {
    entry_type::new(entry_type::MPTOKEN)
        .with(fields::ACCOUNT, holder)
        .with(fields::MP_TOKEN_ISSUANCE_ID, Value::Hash192(share().0))
        .with(fields::MPT_AMOUNT, u64::try_from(amount).unwrap())
}

fn shares_key() -> Hash256 {
    object_id::mpt_issuance(share())
}

fn held_key(holder: AccountId) -> Hash256 {
    object_id::mptoken(share(), holder)
}

fn drops(account: AccountId, drops: i64) -> Object {
    root(account).with(fields::BALANCE, Amount::Xrp(drops))
}

/// By how much a transaction changes what.
#[derive(Clone, Copy)]
struct By {
    total: i64,
    available: i64,
    /// The XRP of the vault's account.
    balance: i64,
    /// The XRP of the sender, besides the fee.
    own: i64,
    outstanding: i64,
    /// The sender's shares.
    held: i64,
}

impl By {
    const fn all(n: i64) -> Self {
        Self { total: n, available: n, balance: n, own: -n, outstanding: n, held: n }
    }

    /// A vault of 300 drops, of which 100 are lent, 300 shares, of which the sender has 200.
    fn of(self, kind: u16) -> Case {
        let case = Case::of(kind).change(
            vault_key(),
            of_xrp(300, 200),
            of_xrp(300 + self.total, 200 + self.available),
        );
        self.balances(case)
    }

    fn balances(self, mut case: Case) -> Case {
        let root =
            |account, n| (root_key(account), drops(account, 1_000), drops(account, 1_000 + n));
        let moved = [
            (self.balance, root(BOB, self.balance)),
            (1, root(ALICE, self.own - FEE)),
            (self.outstanding, (shares_key(), shares(300), shares(300 + self.outstanding))),
            (self.held, (held_key(ALICE), held(ALICE, 200), held(ALICE, 200 + self.held))),
        ];
        for (by, (key, before, after)) in moved {
            case = if by == 0 { case.there(key, before) } else { case.change(key, before, after) };
        }
        case
    }

    /// The same, each time with one of them different by one or not changed at all.
    fn spoiled(self) -> Vec<Self> {
        let parts: [fn(&mut Self) -> &mut i64; 6] = [
            |by| &mut by.total,
            |by| &mut by.available,
            |by| &mut by.balance,
            |by| &mut by.own,
            |by| &mut by.outstanding,
            |by| &mut by.held,
        ];
        let spoiled = parts.into_iter().flat_map(|part| {
            let (mut more, mut less, mut none) = (self, self, self);
            *part(&mut more) += 1;
            *part(&mut less) -= 1;
            *part(&mut none) = 0;
            [more, less, none]
        });
        spoiled.collect()
    }
}

#[test]
fn deposits_and_withdrawals_add_up() {
    let offered = |case: Case| case.with(fields::AMOUNT, Amount::Xrp(50));
    offered(By::all(50).of(DEPOSIT)).holds::<I>();
    for by in By::all(50).spoiled() {
        offered(by.of(DEPOSIT)).breaks::<I>();
    }
    By::all(40).of(DEPOSIT).with(fields::AMOUNT, Amount::Xrp(39)).breaks::<I>();
    offered(By::all(-50).of(DEPOSIT)).breaks::<I>();
    By::all(-50).of(WITHDRAW).holds::<I>();
    for by in By::all(-50).spoiled() {
        by.of(WITHDRAW).breaks::<I>();
    }
    By::all(50).of(WITHDRAW).breaks::<I>();
    // Somebody else receives, nobody, or both.
    let to = |own, other: i64| {
        let case = By { own, ..By::all(-50) }.of(WITHDRAW).with(fields::DESTINATION, CAROL);
        match other {
            0 => case,
            n => case.change(root_key(CAROL), drops(CAROL, 100), drops(CAROL, 100 + n)),
        }
    };
    to(0, 50).holds::<I>();
    to(0, 49).breaks::<I>();
    to(0, 0).breaks::<I>();
    to(25, 25).breaks::<I>();
}

#[test]
fn a_vault_holds_no_more_than_it_may() {
    let deposit = |most| {
        let case = Case::of(DEPOSIT).with(fields::AMOUNT, Amount::Xrp(50)).change(
            vault_key(),
            with_maximum(of_xrp(300, 200), most),
            with_maximum(of_xrp(350, 250), most),
        );
        By::all(50).balances(case)
    };
    deposit(0).holds::<I>();
    deposit(350).holds::<I>();
    deposit(349).breaks::<I>();
    let set = |most| {
        Case::of(SET)
            .change(vault_key(), of_xrp(300, 200), with_maximum(of_xrp(300, 200), most))
            .there(shares_key(), shares(300))
    };
    set(300).holds::<I>();
    set(299).breaks::<I>();
    set(-1).breaks::<I>();
}

#[test]
fn settings_move_nothing() {
    By::all(0).of(SET).holds::<I>();
    for spoiled in [
        By { total: 1, ..By::all(0) },
        By { available: -1, ..By::all(0) },
        By { balance: 1, ..By::all(0) },
        By { outstanding: 1, ..By::all(0) },
    ] {
        spoiled.of(SET).breaks::<I>();
    }
}

#[test]
fn what_makes_a_vault_stays() {
    let set = |after: Object| {
        Case::of(SET)
            .change(vault_key(), of_xrp(300, 200), after)
            .there(shares_key(), shares(300))
            .there(object_id::mpt_issuance(MptId::new(2, BOB)), shares(300))
    };
    set(of_xrp(300, 200)).holds::<I>();
    set(of_xrp(300, 200).with(fields::DATA, vec![1])).holds::<I>();
    let usd = Issue::Issued { currency: usd(), issuer: ALICE };
    set(vault(usd, 300, 200)).breaks::<I>();
    set(of_xrp(300, 200).with(fields::ACCOUNT, CAROL)).breaks::<I>();
    let other = MptId::new(2, BOB);
    set(of_xrp(300, 200).with(fields::SHARE_MPTID, Value::Hash192(other.0))).breaks::<I>();
}

#[test]
fn books_are_sound() {
    let paid = |before: Object, after: Object| {
        Case::of(LOAN_PAY).change(vault_key(), before, after).there(shares_key(), shares(300))
    };
    paid(of_xrp(300, 200), of_xrp(310, 260)).holds::<I>();
    paid(of_xrp(300, 200), of_xrp(310, 311)).breaks::<I>();
    paid(of_xrp(300, 200), of_xrp(310, -1)).breaks::<I>();
    paid(of_xrp(300, 200), with_loss(of_xrp(310, 260), 50)).holds::<I>();
    paid(of_xrp(300, 200), with_loss(of_xrp(310, 260), 51)).breaks::<I>();
    // Only loans lose.
    Case::of(SET)
        .change(vault_key(), of_xrp(300, 200), with_loss(of_xrp(300, 200), 50))
        .there(shares_key(), shares(300))
        .breaks::<I>();
    // Who has no shares has no assets.
    let emptied = |outstanding| {
        Case::of(LOAN_PAY)
            .change(vault_key(), of_xrp(300, 200), of_xrp(300, 300))
            .there(shares_key(), shares(outstanding))
    };
    emptied(1).holds::<I>();
    emptied(0).breaks::<I>();
    let most = |outstanding| {
        let shares = shares(outstanding).with(fields::MAXIMUM_AMOUNT, 500u64);
        Case::of(LOAN_PAY)
            .change(vault_key(), of_xrp(300, 200), of_xrp(300, 300))
            .there(shares_key(), shares)
    };
    most(500).holds::<I>();
    most(501).breaks::<I>();
}

#[test]
fn vaults_come_and_go_by_their_types() {
    let created = |kind, vault: Object, outstanding, back: Hash256| {
        Case::of(kind)
            .create(vault_key(), vault)
            .create(shares_key(), shares(outstanding))
            .create(root_key(BOB), root(BOB).with(fields::VAULT_ID, back))
    };
    created(CREATE, of_xrp(0, 0), 0, vault_key()).holds::<I>();
    created(SET, of_xrp(0, 0), 0, vault_key()).breaks::<I>();
    created(PAYMENT, of_xrp(0, 0), 0, vault_key()).breaks::<I>();
    created(CREATE, of_xrp(1, 1), 1, vault_key()).breaks::<I>();
    created(CREATE, of_xrp(0, 0), 1, vault_key()).breaks::<I>();
    created(CREATE, of_xrp(0, 0), 0, key(7)).breaks::<I>();
    created(CREATE, of_xrp(0, 0), 0, vault_key()).create(key(7), of_xrp(0, 0)).breaks::<I>();
    Case::of(CREATE).breaks::<I>();
    Case::of(CREATE).failed().holds::<I>();
    Case::of(PAYMENT).holds::<I>();

    let deleted = |kind, vault: Object, outstanding| {
        Case::of(kind).erase(vault_key(), vault).erase(shares_key(), shares(outstanding))
    };
    deleted(DELETE, of_xrp(0, 0), 0).holds::<I>();
    deleted(SET, of_xrp(0, 0), 0).breaks::<I>();
    deleted(DELETE, of_xrp(1, 0), 0).breaks::<I>();
    deleted(DELETE, of_xrp(0, 0), 1).breaks::<I>();
    Case::of(DELETE).erase(vault_key(), of_xrp(0, 0)).breaks::<I>();
    By::all(0).of(DELETE).breaks::<I>();
    By::all(0).of(PAYMENT).breaks::<I>();
}

#[test]
fn issuers_and_owners_claw_back() {
    let asset = |issuer| Issue::Issued { currency: usd(), issuer };
    let line = |balance: i64| line_between(ALICE, BOB, -balance, 0);
    let clawed = |issuer, taken: i64, booked: i64| {
        Case::of(CLAWBACK)
            .with(fields::HOLDER, CAROL)
            .change(
                vault_key(),
                vault(asset(issuer), 300, 200),
                vault(asset(issuer), 300 - booked, 200 - booked),
            )
            .change(object_id::trust_line(ALICE, BOB, usd()), line(200), line(200 - taken))
            .change(shares_key(), shares(300), shares(250))
    };
    let burnt =
        |case: Case, n: i64| case.change(held_key(CAROL), held(CAROL, 60), held(CAROL, 60 - n));
    burnt(clawed(ALICE, 50, 50), 50).holds::<I>();
    burnt(clawed(ALICE, 50, 50), 49).breaks::<I>();
    burnt(clawed(ALICE, 50, 49), 50).breaks::<I>();
    burnt(clawed(ALICE, -50, -50), 50).breaks::<I>();
    burnt(clawed(CAROL, 50, 50), 50).breaks::<I>();
    clawed(ALICE, 50, 50).breaks::<I>();
    // The owner burns shares that are worth nothing any more.
    let burnt = |owner, total| {
        let vault = || vault(asset(CAROL), total, total).with(fields::OWNER, owner);
        Case::of(CLAWBACK)
            .with(fields::HOLDER, CAROL)
            .change(vault_key(), vault(), vault().with(fields::DATA, vec![1]))
            .change(shares_key(), shares(60), shares(0))
            .change(held_key(CAROL), held(CAROL, 60), held(CAROL, 0))
    };
    burnt(ALICE, 0).holds::<I>();
    burnt(BOB, 0).breaks::<I>();
    burnt(ALICE, 1).breaks::<I>();
}
