//! A model of one account: the real [`lifecycle::transition`] and the real [`Lane`], a node and a
//! ledger as xrpld has them as far as slots are concerned, and everything that may happen between
//! them in any order. Every state up to a depth is visited (breadth first, so that what fails is
//! shown in the fewest steps), and in each of them
//!
//! 1. no end is false: whatever ended otherwise than VALIDATED is in no ledger, now or later;
//! 2. no Sequence is signed for another purpose while what was signed for it may still apply, and
//!    none that a ledger has used;
//! 3. FAILED_NET is said only of what no node ever got;
//! 4. once nothing goes wrong any more, everything ends, the lane is empty, and its idea of the next
//!    Sequence is the ledger's.
//!
//! The fourth is why this is no use of a general model checker: "something happens on every path"
//! is not what is wanted where a path may go wrong for ever, but "from every state, once nothing
//! goes wrong". Each state is therefore carried on by itself, without faults, to its end.
//!
//! [`lifecycle::transition`]: xrpl_tracker::lifecycle::transition
//! [`Lane`]: xrpl_generator::lane::Lane

mod explore;
mod node;
mod world;

use explore::explore;
use world::{Kind, Limits, World};

/// Every kind; lost answers, lost connections, requests that arrive late, a node that forgets, blobs that
/// come back, a restart of the program.
#[test]
fn two_transactions_and_two_faults() {
    let found = explore(World::new(Limits { transactions: 2, faults: 2, ..Limits::default() }), 8);
    println!("{found}");
    assert!(found.states > 10_000, "{found}");
}

/// Holes, rivals, several in flight.
#[test]
fn four_transactions_and_one_fault() {
    let kinds = &[Kind::Good, Kind::Turning, Kind::Malformed];
    let limits = Limits { transactions: 4, faults: 1, kinds, ..Limits::default() };
    let found = explore(World::new(limits), 7);
    println!("{found}");
    assert!(found.states > 10_000, "{found}");
}

/// Without faults there is less to explore, and it is explored to the end.
#[test]
fn three_transactions_to_the_very_end() {
    let kinds = &[Kind::Good, Kind::OtherKey, Kind::Malformed];
    let limits = Limits { transactions: 3, faults: 0, ledgers: 4, kinds, ..Limits::default() };
    let found = explore(World::new(limits), usize::MAX);
    println!("{found}");
    assert!(found.complete, "{found}");
}
