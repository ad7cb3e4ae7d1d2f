//! Nodes that tell different hashes for one ledger: an alarm, and nothing is proven by that ledger
//! until most of them agree.

mod common;

use common::*;
use xrpl_protocol::LedgerIndex;
use xrpl_tracker::{MemoryStore, State, Tracker, TrackerConfig};

/// A tracker that hears two nodes.
async fn two_nodes() -> (Node, Node, Tracker) {
    let (one, two) = (Node::new(), Node::new());
    let pool = pool(&[("one", &one), ("two", &two)]);
    let tracker =
        Tracker::start(pool, MemoryStore::shared(), TrackerConfig::default()).await.unwrap();
    until(|| one.connections() > 0 && two.connections() > 0).await;
    settle().await;
    (one, two, tracker)
}

#[tokio::test(start_paused = true)]
async fn two_nodes_merge_and_a_mismatch_is_an_alarm() {
    let (one, two, tracker) = two_nodes().await;
    let tx = Sender::new(1).sequence(5, 30);
    tracker.submit(submission(&tx)).await.unwrap();
    one.close(&[(&tx, "tesSUCCESS")]);
    two.close(&[(&tx, "tesSUCCESS")]);
    assert_eq!(end(&tracker, tx.hash).await.state, State::Validated);
    settle().await;
    assert_eq!(tracker.stats().ledger_mismatches, 0);
    assert_eq!(tracker.stats().ledgers_backfilled, 0);
    assert_eq!(tracker.ws_stats().connected, 2);
    one.close(&[]);
    settle().await;
    two.set(|script| script.chain = 2);
    two.close(&[]);
    settle().await;
    assert_eq!(tracker.stats().ledger_mismatches, 1);
}

/// One node tells a wrong hash first. What the others say by request counts, so that the ledger's
/// transactions come to their end all the same.
#[tokio::test(start_paused = true)]
async fn a_wrong_hash_is_outvoted() {
    let nodes = [Node::new(), Node::new(), Node::new()];
    let pool = pool(&[("one", &nodes[0]), ("two", &nodes[1]), ("three", &nodes[2])]);
    let tracker =
        Tracker::start(pool, MemoryStore::shared(), TrackerConfig::default()).await.unwrap();
    until(|| nodes.iter().all(|node| node.connections() > 0)).await;
    settle().await;
    let tx = Sender::new(1).sequence(5, 60);
    tracker.submit(submission(&tx)).await.unwrap();
    nodes[2].set(|script| script.chain = 2);
    nodes[2].close(&[]);
    settle().await;
    nodes[0].close(&[(&tx, "tesSUCCESS")]);
    nodes[1].close(&[(&tx, "tesSUCCESS")]);
    pass(60).await;
    let outcome = end(&tracker, tx.hash).await;
    assert_eq!(
        (outcome.state, outcome.validated_ledger),
        (State::Validated, Some(LedgerIndex(11)))
    );
    assert!(tracker.stats().ledger_mismatches > 0, "an alarm all the same");
}

/// With one node against the other there is no majority. A ledger that one of them denies proves no
/// absence, neither by having been read whole nor by what one node searched.
#[tokio::test(start_paused = true)]
async fn one_against_one_proves_no_expiry() {
    let (one, two, tracker) = two_nodes().await;
    for node in [&one, &two] {
        node.set(|script| script.searched_all = true);
    }
    let tx = Sender::new(1).sequence(5, 12);
    tracker.submit(submission(&tx)).await.unwrap();
    one.close(&[]);
    settle().await;
    // The other's ledger 11 is another one; it may hold the transaction.
    two.set(|script| script.chain = 2);
    two.close(&[]);
    settle().await;
    for _ in 0..4 {
        one.close(&[]);
        two.close(&[]);
        pass(30).await;
    }
    let dossier = tracker.dossier(tx.hash).await.unwrap().unwrap();
    assert_eq!(dossier.row.state, State::Submitted, "{:?}", dossier.row.evidence);
    assert_eq!((tracker.stats().undecided, tracker.stats().by_state[&State::Expired]), (1, 0));
    // They agree again.
    two.set(|script| script.chain = 1);
    pass(60).await;
    assert_eq!(state(&tracker, tx.hash).await, State::Expired);
    assert_eq!(tracker.stats().undecided, 0);
}

/// The same, and in the end the ledger that was denied at first is the one: the transaction is in it.
#[tokio::test(start_paused = true)]
async fn what_the_denied_ledger_holds_is_found_when_they_agree() {
    let (one, two, tracker) = two_nodes().await;
    let tx = Sender::new(1).sequence(5, 12);
    tracker.submit(submission(&tx)).await.unwrap();
    two.set(|script| script.chain = 2);
    one.close(&[]);
    settle().await;
    two.close(&[(&tx, "tesSUCCESS")]);
    for _ in 0..4 {
        one.close(&[]);
        two.close(&[]);
        pass(30).await;
    }
    assert!(!state(&tracker, tx.hash).await.is_terminal());
    // The first one was wrong and has come over.
    let theirs = two.0.lock().ledgers.clone();
    one.set(|script| (script.chain, script.ledgers) = (2, theirs));
    pass(60).await;
    let outcome = end(&tracker, tx.hash).await;
    assert_eq!(
        (outcome.state, outcome.validated_ledger),
        (State::Validated, Some(LedgerIndex(11)))
    );
    assert_eq!((tracker.stats().overturned, tracker.stats().contradicted), (0, 0));
}

/// A node denied a ledger and cannot be asked about it any more. The ledgers above it, on which both
/// agree, cover its hash.
#[tokio::test(start_paused = true)]
async fn the_ledgers_above_settle_what_nobody_else_can() {
    let (one, two, tracker) = two_nodes().await;
    let (in_it, lost) = (Sender::new(1).sequence(5, 13), Sender::new(2).sequence(5, 13));
    for tx in [&in_it, &lost] {
        tracker.submit(submission(tx)).await.unwrap();
    }
    two.set(|script| script.lost = (1..=12).collect());
    for _ in 0..2 {
        one.close(&[]);
        two.set(|script| script.chain = 2);
        two.close(&[]);
        two.set(|script| script.chain = 1);
        settle().await;
    }
    // What proves nothing: headers that do not give the hashes they are told with.
    one.set(|script| script.headers_bent = 1);
    for txs in [&[(&in_it, "tesSUCCESS")][..], &[], &[]] {
        one.close(txs);
        two.close(txs);
        pass(20).await;
    }
    assert_eq!(end(&tracker, in_it.hash).await.state, State::Validated);
    assert_eq!(state(&tracker, lost.hash).await, State::Submitted);
    one.set(|script| script.headers_bent = 0);
    pass(30).await;
    assert_eq!(state(&tracker, lost.hash).await, State::Expired);
    assert_eq!(tracker.stats().overturned, 0);
}

/// The hash heard first was the wrong one: the chain above says so, and the ledger is read.
#[tokio::test(start_paused = true)]
async fn the_ledgers_above_overrule_what_was_heard_first() {
    let (one, two, tracker) = two_nodes().await;
    let tx = Sender::new(1).sequence(5, 12);
    tracker.submit(submission(&tx)).await.unwrap();
    two.set(|script| (script.chain, script.lost) = (2, (1..=11).collect()));
    two.close(&[]);
    settle().await;
    two.set(|script| script.chain = 1);
    one.close(&[(&tx, "tesSUCCESS")]);
    settle().await;
    for _ in 0..2 {
        one.close(&[]);
        two.close(&[]);
        pass(20).await;
    }
    let outcome = end(&tracker, tx.hash).await;
    assert_eq!(
        (outcome.state, outcome.validated_ledger),
        (State::Validated, Some(LedgerIndex(11)))
    );
    assert_eq!((tracker.stats().overturned, tracker.stats().undecided), (0, 0));
}

/// A node that denies ledgers and never answers about them keeps no other ledger from being read.
#[tokio::test(start_paused = true)]
async fn a_silent_node_keeps_no_ledger_from_being_read() {
    let (one, two, tracker) = two_nodes().await;
    let tx = Sender::new(1).sequence(5, 60);
    tracker.submit(submission(&tx)).await.unwrap();
    two.set(|script| (script.chain, script.silent) = (2, (11..=30).collect()));
    for _ in 11..=30 {
        one.close(&[]);
        two.close(&[]);
    }
    settle().await;
    assert_eq!(tracker.stats().ledger_mismatches, 20);
    one.close_silently(&[(&tx, "tesSUCCESS")]);
    one.close(&[]);
    pass(2).await;
    assert_eq!(state(&tracker, tx.hash).await, State::Validated);
    assert_eq!(tracker.stats().ledgers_backfilled, 1);
}
