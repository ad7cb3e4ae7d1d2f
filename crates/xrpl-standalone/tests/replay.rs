//! Replays recordings of a real xrpld on a fresh ledger: every submit answer, every transaction's
//! metadata, every ledger hash. What differs is listed with its reason in `replay_differences.json`,
//! and that list must be exact.

mod recordings;
mod replay_support;

use replay_support::{Differences, Recording};

fn replay(name: &str) {
    let Some(recording) = Recording::open(name) else {
        println!("skipped: no recording {name} (set XRPL_SHARED)");
        return;
    };
    let report = recording.replay();
    println!("{report}");
    if let Err(complaint) = Differences::load().check(name, &report) {
        panic!("{complaint}");
    }
}

macro_rules! recordings {
    ($($name:ident)*) => { $(#[test] fn $name() { replay(stringify!($name)); })* };
}

recordings! {
    payment_xrp tickets txq payment_netid clock retries trust_iou streams
}
