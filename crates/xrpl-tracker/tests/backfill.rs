//! Reading ledgers that the stream missed, where nodes do not answer or have not kept them.

mod common;

use std::time::Duration;

use common::*;
use xrpl_tracker::{MemoryStore, Source, State, Tracker, TrackerConfig};

/// Many old ledgers about which the node never answers: a newer one is read all the same, as soon as
/// a place is free, and later ones at once.
#[tokio::test(start_paused = true)]
async fn old_ledgers_that_cannot_be_read_keep_no_newer_one_waiting() {
    let node = Node::new();
    let tracker = start(&node).await;
    node.set(|script| {
        script.tx_fails = true;
        script.silent = (11..=110).collect();
    });
    for _ in 11..=110 {
        node.close_silently(&[]);
    }
    node.close(&[]);
    settle().await;
    let sender = Sender::new(1);
    for round in 0..15 {
        let tx = sender.sequence(5 + round, 1_000);
        tracker.submit(submission(&tx)).await.unwrap();
        node.close_silently(&[(&tx, "tesSUCCESS")]);
        node.close(&[]);
        let patience = if round < 12 { 6_000 } else { 1_000 };
        tokio::time::sleep(Duration::from_millis(patience)).await;
        assert_eq!(state(&tracker, tx.hash).await, State::Validated, "{round}");
    }
    assert_eq!(tracker.stats().validated_by_source[&Source::Backfill], 15);
    assert_eq!(tracker.ws_stats().ledgers_wanted, 100, "they are still wanted");
}

/// A node that does not answer costs a moment: the next one is asked meanwhile.
#[tokio::test(start_paused = true)]
async fn the_next_node_is_asked_while_the_first_is_silent() {
    let (one, two) = (Node::new(), Node::new());
    let pool = pool(&[("one", &one), ("two", &two)]);
    let tracker =
        Tracker::start(pool, MemoryStore::shared(), TrackerConfig::default()).await.unwrap();
    until(|| one.connections() > 0 && two.connections() > 0).await;
    settle().await;
    for node in [&one, &two] {
        node.set(|script| script.tx_fails = true);
    }
    one.set(|script| script.silent = (11..=20).collect());
    let tx = Sender::new(1).sequence(5, 60);
    tracker.submit(submission(&tx)).await.unwrap();
    for node in [&one, &two] {
        for _ in 0..10 {
            node.close_silently(&[]);
        }
        node.set(|script| {
            let found = LedgerTx { tx: tx_json(&tx), result: "tesSUCCESS".into() };
            script.ledgers.insert(15, vec![found]);
        });
        node.close(&[]);
    }
    pass(3).await;
    assert_eq!(state(&tracker, tx.hash).await, State::Validated);
    assert_eq!(tracker.ws_stats().ledgers_wanted, 0);
}

/// A node leaves a transaction out of a ledger that the stream missed: what it answered is refused, so
/// that it proves no absence, and a node that has the ledger whole is asked.
#[tokio::test(start_paused = true)]
async fn a_ledger_without_one_of_its_transactions_is_refused() {
    for honest in [false, true] {
        let (one, two) = (Node::new(), Node::new());
        let pool = pool(&[("one", &one), ("two", &two)]);
        let tracker =
            Tracker::start(pool, MemoryStore::shared(), TrackerConfig::default()).await.unwrap();
        until(|| one.connections() > 0 && two.connections() > 0).await;
        settle().await;
        let (ours, other) = (Sender::new(1).sequence(5, 12), Sender::new(2).sequence(5, 12));
        for node in [&one, &two] {
            node.set(|script| {
                script.tx_fails = true;
                script.left_out = [ours.hash].into();
            });
        }
        two.set(|script| script.left_out.retain(|_| !honest));
        tracker.submit(submission(&ours)).await.unwrap();
        for node in [&one, &two] {
            node.close_silently(&[(&ours, "tesSUCCESS"), (&other, "tesSUCCESS")]);
            for _ in 0..5 {
                node.close(&[]);
            }
        }
        pass(20).await;
        let refused = tracker.ws_stats().ledgers_refused;
        let dossier = tracker.dossier(ours.hash).await.unwrap().unwrap();
        if honest {
            assert_eq!((dossier.row.state, refused), (State::Validated, 1));
            continue;
        }
        assert_eq!((dossier.row.state, dossier.row.undecided), (State::Submitted, true));
        assert!(refused >= 2, "{refused}");
        // One of them has mended its history.
        one.set(|script| script.left_out.clear());
        assert_eq!(end(&tracker, ours.hash).await.state, State::Validated);
        assert_eq!(tracker.stats().overturned, 0);
    }
}
