//! Random histories of every type that is built, valid and spoilt, under all invariants, each ledger
//! judged from its entries alone as well.
//!
//! ```sh
//! XRPL_HISTORIES_SEED=7 cargo nextest run -p xrpl-standalone --test histories --no-capture one_seed
//! ```
//!
//! `XRPL_HISTORIES_SHOW=Clawback` prints every transaction of a type with its preliminary result.
//!
//! A failing history is made small and written to a file (`XRPL_HISTORIES_FILE=... a_file_made_smaller`
//! takes more time for that); once mended it is kept in `tests/histories/kept`, where every file is
//! run again. One that fails in xrpld as well says with what in its member `as_in_xrpld`.

mod as_in_xrpld;
mod draw;
mod judge;
mod plans;
mod run;
mod small;
mod world;

use std::{path::Path, sync::Arc, time::Duration};

use run::{Tally, from_seed};
use small::{read, report};
use xrpl_protocol::{Amount, Field, Object, Value, decimal::Decimal, fields, number::Number};
use xrpl_standalone::{
    ledger::{ClosedLedger, entry_type as kind},
    transactors::{transaction_type, transactor},
};

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

fn add(all: &mut Tally, tally: Tally) {
    for (kind, (tried, succeeded)) in tally {
        let sum = all.entry(kind).or_default();
        *sum = (sum.0 + tried, sum.1 + succeeded);
    }
}

/// Runs seeds one after the other; panics with what the first failing one shows.
fn seeds(range: std::ops::Range<u64>, transactions: usize) -> Tally {
    let mut all = Tally::new();
    for seed in range {
        match from_seed(seed, transactions) {
            Ok(tally) => add(&mut all, tally),
            Err((history, failure)) => panic!("{}", report(seed, &history, &failure)),
        }
    }
    all
}

/// Every type that is built is tried, and those whose plan should work do.
fn covers_all(tally: &Tally) {
    for (kind, (tried, succeeded)) in tally {
        println!("{kind:>34} {tried:>6} tried {succeeded:>6} succeeded");
    }
    let sum = |of: &[&str]| -> (usize, usize) {
        let found = of.iter().filter_map(|name| tally.get(name));
        found.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    };
    let (rounded, _) = sum(&[run::BROKEN_BY_XRPLD]);
    let (_, moved) = sum(&["VaultDeposit", "VaultWithdraw", "VaultClawback"]);
    assert!(
        rounded * 20 <= moved,
        "{rounded} transactions broke an invariant, {moved} moved something in or out of a vault"
    );
    let built = (0..100u16).filter(|kind| transactor(*kind).is_some());
    let names = built.filter_map(|kind| transaction_type(kind).map(|row| row.name));
    for name in names {
        let (tried, succeeded) = tally.get(name).copied().unwrap_or_default();
        assert!(tried > 0, "{name} was never tried");
        assert!(plans::UNPLANNED.contains(&name) || succeeded > 0, "{name} never succeeded");
    }
}

const EACH: usize = 500;

/// Seeds side by side, on as many threads.
fn side_by_side(first: u64, count: u64, each: usize) -> Tally {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let share = count.div_ceil(threads);
    std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|n| {
                (first + n * share).min(first + count)..(first + (n + 1) * share).min(first + count)
            })
            .map(|range| scope.spawn(move || seeds(range, each)))
            .collect();
        let mut all = Tally::new();
        for part in parts {
            match part.join() {
                Ok(tally) => add(&mut all, tally),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    })
}

/// 20,000 transactions in forty histories.
#[test]
fn histories_of_every_type() {
    covers_all(&side_by_side(0, 40, EACH));
}

/// `scripts/soak ledger`: histories from `XRPL_HISTORIES_SEED` on until so many transactions are done.
#[test]
fn soak() {
    let Some(transactions) = number("XRPL_HISTORIES_TRANSACTIONS") else {
        println!("skipped: XRPL_HISTORIES_TRANSACTIONS says how many");
        return;
    };
    let first = number("XRPL_HISTORIES_SEED").unwrap_or(1_000);
    let each = 1_000;
    covers_all(&side_by_side(first, transactions.div_ceil(each), each as usize));
    println!("{transactions} transactions from seed {first} on: nothing broken");
}

#[test]
fn one_seed() {
    let Some(seed) = number("XRPL_HISTORIES_SEED") else {
        println!("skipped: XRPL_HISTORIES_SEED says which");
        return;
    };
    let tally = seeds(seed..seed + 1, EACH);
    println!("{tally:?}");
}

#[test]
fn kept_histories_fail_no_more() {
    let Ok(files) = std::fs::read_dir(small::kept()) else { return };
    for file in files {
        let path = file.expect("the folder is there").path();
        let history = read(&path);
        if let Err(failure) = run::again(&history, false) {
            panic!("{}, step {}: {}", path.display(), failure.at, failure.what);
        }
        let Some(wanted) = &history.as_in_xrpld else { continue };
        let failure = run::again(&history, true).expect_err("xrpld fails in the end");
        assert_eq!(&failure.what, wanted, "{}, step {}", path.display(), failure.at);
    }
}

/// Makes the history of a file as small as it gets in ten minutes.
#[test]
fn a_file_made_smaller() {
    let Ok(path) = std::env::var("XRPL_HISTORIES_FILE") else {
        println!("skipped: XRPL_HISTORIES_FILE says which");
        return;
    };
    let path = Path::new(&path);
    let history = read(path);
    let strict = history.as_in_xrpld.is_some();
    let failure = run::again(&history, strict).expect_err("the history of the file fails");
    let small = small::shrink(&history, &failure, Duration::from_secs(600));
    println!("step {}: {}; {} steps show it", failure.at, failure.what, small.steps.len());
    small::write(path, &small).expect("the file can be written");
}

/// What the judge says of a ledger in which one entry of a type is another, or gone.
fn changed(
    ledger: &ClosedLedger,
    change: &dyn Fn(&mut Object) -> bool,
    of: u16,
    erase: bool,
) -> Result<(), String> {
    let mut state = ledger.state.clone();
    let found = ledger.state.iter().find_map(|(id, entry)| {
        let mut entry = Object::clone(entry);
        (kind::of(&entry) == of && change(&mut entry)).then_some((*id, entry))
    });
    let (id, entry) = found.unwrap_or_else(|| panic!("there is no entry of type {of:#x}"));
    match erase {
        true => assert!(state.remove(&id)),
        false => state.insert(id, Arc::new(entry)),
    }
    let mut header = ledger.header.clone();
    header.account_hash = state.hash();
    let judged = judge::Judged { header: &header, state: state.tree(), transactions: &[] };
    judge::judge(&judged, header.total_coins)
}

/// Numbers of vaults, brokers and loans that are off by one, and the account that holds for them.
#[test]
fn the_judge_sees_what_is_wrong_with_loans() {
    let seed = (1..200).step_by(3).find(|seed| {
        let ledger = run::last_of_seed(*seed, EACH);
        let has = |of: u16, field: Field| {
            ledger.state.iter().any(|(_, entry)| kind::of(entry) == of && entry.contains(field))
        };
        has(kind::LOAN_BROKER, fields::DEBT_TOTAL)
            && has(kind::LOAN_BROKER, fields::COVER_AVAILABLE)
            && has(kind::VAULT, fields::LOSS_UNREALIZED)
    });
    let ledger = run::last_of_seed(seed.expect("some history ends with a doubtful loan"), EACH);
    let any = |_: &mut Object| true;
    assert_eq!(changed(&ledger, &any, kind::VAULT, false), Ok(()), "unchanged");
    for (of, field) in [
        (kind::VAULT, fields::ASSETS_AVAILABLE),
        (kind::VAULT, fields::ASSETS_TOTAL),
        (kind::VAULT, fields::LOSS_UNREALIZED),
        (kind::LOAN_BROKER, fields::DEBT_TOTAL),
        (kind::LOAN_BROKER, fields::COVER_AVAILABLE),
        (kind::LOAN_BROKER, fields::OWNER_COUNT),
        (kind::LOAN, fields::TOTAL_VALUE_OUTSTANDING),
    ] {
        let plus = |entry: &mut Object| {
            let value = match entry.get(field) {
                Some(Value::UInt32(n)) => Value::UInt32(n + 1),
                Some(Value::Number(n)) => {
                    Value::Number(Number::from(n.decimal() + Decimal::from(1i64)))
                }
                _ => return false,
            };
            entry.set(field, value);
            true
        };
        assert!(changed(&ledger, &plus, of, false).is_err(), "{of:#x} {field:?}");
    }
    for of in [kind::LOAN, kind::LOAN_BROKER, kind::VAULT] {
        assert!(changed(&ledger, &any, of, true).is_err(), "without {of:#x}");
    }
    // Accounts of vaults and brokers are counted for what they own, as others are.
    for of in [fields::VAULT_ID, fields::LOAN_BROKER_ID] {
        let more = |root: &mut Object| {
            let count = root.u32(fields::OWNER_COUNT).unwrap_or(0);
            root.set(fields::OWNER_COUNT, (count + 1).into());
            root.contains(of)
        };
        assert!(changed(&ledger, &more, kind::ACCOUNT_ROOT, false).is_err(), "{of:?}");
    }
}

/// Every entry of a sound ledger with a field changed, or gone: the judge sees it.
#[test]
fn the_judge_sees_what_is_wrong() {
    let ledger = run::last_ledger(5, 300);
    let verdict = |change: &dyn Fn(&mut Object) -> bool, of: u16, erase: bool| {
        changed(&ledger, change, of, erase)
    };
    let plus = |field: Field, by: u64| {
        move |entry: &mut Object| {
            let value = match entry.get(field) {
                Some(Value::UInt32(n)) => Value::UInt32(n + by as u32),
                Some(Value::UInt64(n)) => Value::UInt64(n + by),
                Some(Value::Amount(Amount::Xrp(n))) => Value::Amount(Amount::Xrp(n + by as i64)),
                _ => return false,
            };
            entry.set(field, value);
            true
        }
    };
    let any = |_: &mut Object| true;
    assert_eq!(verdict(&any, kind::ACCOUNT_ROOT, false), Ok(()), "unchanged");
    for (of, field) in [
        (kind::ACCOUNT_ROOT, fields::BALANCE),
        (kind::ACCOUNT_ROOT, fields::OWNER_COUNT),
        (kind::ACCOUNT_ROOT, fields::MINTED_NF_TOKENS),
        (kind::ESCROW, fields::AMOUNT),
        (kind::PAY_CHANNEL, fields::AMOUNT),
        (kind::CHECK, fields::OWNER_NODE),
        (kind::CHECK, fields::DESTINATION_NODE),
        (kind::RIPPLE_STATE, fields::LOW_NODE),
        (kind::MPTOKEN_ISSUANCE, fields::OUTSTANDING_AMOUNT),
    ] {
        assert!(verdict(&plus(field, 1), of, false).is_err(), "{of:#x} {field:?}");
    }
    for of in [
        kind::CHECK,
        kind::TICKET,
        kind::ESCROW,
        kind::PAY_CHANNEL,
        kind::RIPPLE_STATE,
        kind::NFTOKEN_PAGE,
        kind::ORACLE,
        kind::MPTOKEN,
        kind::DIRECTORY_NODE,
    ] {
        assert!(verdict(&any, of, true).is_err(), "without {of:#x}");
    }
    let richer = |token: &mut Object| {
        let amount = token.u64(fields::MPT_AMOUNT).unwrap_or(0);
        token.set(fields::MPT_AMOUNT, (amount + 1).into());
        true
    };
    assert!(verdict(&richer, kind::MPTOKEN, false).is_err());
    let unlisted = |entry: &mut Object| {
        let ids = entry.vector256(fields::INDEXES).unwrap_or_default();
        let fewer = ids.iter().skip(1).copied().collect::<Vec<_>>();
        let changed = !fewer.is_empty();
        entry.set(fields::INDEXES, fewer.into());
        changed
    };
    assert!(verdict(&unlisted, kind::DIRECTORY_NODE, false).is_err());
}
