//! Instants at which a tracker that is nearly right goes wrong.

mod common;

use std::time::Duration;

use common::*;
use xrpl_protocol::LedgerIndex;
use xrpl_tracker::{Evidence, MemoryStore, Source, State, TrackerConfig};

/// A panic in the middle of an attempt: whether the blob left is not known, and that is what the
/// transaction is filed with. It is sent again and comes to its end.
#[tokio::test(start_paused = true)]
async fn a_panic_in_an_attempt_leaves_nothing_hanging() {
    let node = Node::new();
    let tracker = start(&node).await;
    let sender = Sender::new(1);
    // Holds the connection that there is, so that the next attempt makes one.
    let (first, second) = (sender.sequence(5, 40), sender.sequence(6, 40));
    node.reply(&[Reply::Hang]);
    let holding = {
        let (tracker, first) = (tracker.clone(), submission(&first));
        tokio::spawn(async move { tracker.submit(first).await })
    };
    settle().await;
    node.set(|script| script.connecting_panics = true);
    let submitted = tracker.submit(submission(&second)).await.expect("it is tracked");
    assert_eq!((submitted.state, submitted.engine_result), (State::Submitted, None));
    assert_eq!(tracker.stats().task_restarts, 1, "it is counted");
    node.set(|script| script.connecting_panics = false);
    pass(60).await;
    assert!(node.submissions(second.hash) > 0, "it is sent again");
    node.close(&[(&first, "tesSUCCESS"), (&second, "tesSUCCESS")]);
    for tx in [&first, &second] {
        assert_eq!(end(&tracker, tx.hash).await.state, State::Validated);
    }
    holding.await.unwrap().unwrap();
}

/// LastLedgerSequence itself still counts: only what is in no ledger up to it, including it, has
/// expired.
#[tokio::test(start_paused = true)]
async fn validated_in_the_last_ledger_that_could_have_it() {
    for told in [true, false] {
        let node = Node::new();
        let tracker = start(&node).await;
        let tx = Sender::new(1).sequence(5, 12);
        tracker.submit(submission(&tx)).await.unwrap();
        node.close(&[]);
        if !told {
            node.drop_sockets();
        }
        let last = [(&tx, "tesSUCCESS")];
        let index = if told { node.close(&last) } else { node.close_silently(&last) };
        assert_eq!(index, 12);
        pass(30).await;
        let outcome = end(&tracker, tx.hash).await;
        assert_eq!(
            (outcome.state, outcome.validated_ledger),
            (State::Validated, Some(LedgerIndex(12)))
        );
    }
}

/// Only the socket is down while LastLedgerSequence passes; requests are answered. The ledgers that
/// the stream did not show are read, and what they hold decides.
#[tokio::test(start_paused = true)]
async fn the_last_ledger_passes_while_only_the_socket_is_down() {
    let node = Node::new();
    let tracker = start(&node).await;
    let sender = Sender::new(1);
    let (there, absent) = (sender.sequence(5, 13), sender.sequence(6, 13));
    for tx in [&there, &absent] {
        tracker.submit(submission(tx)).await.unwrap();
    }
    node.set(|script| {
        script.refuse_ws = true;
        script.tx_fails = true;
    });
    node.drop_sockets();
    node.close_silently(&[]);
    node.close_silently(&[]);
    node.close_silently(&[(&there, "tecPATH_DRY")]);
    for _ in 0..3 {
        node.close_silently(&[]);
    }
    pass(60).await;
    let outcome = end(&tracker, there.hash).await;
    assert_eq!(outcome.state, State::Validated);
    assert_eq!(tracker.stats().validated_by_source[&Source::Backfill], 1);
    let outcome = end(&tracker, absent.hash).await;
    assert_eq!(outcome.state, State::Expired);
    assert!(
        matches!(outcome.evidence, Evidence::LastLedgerPassed { .. }),
        "{:?}",
        outcome.evidence
    );
    assert_eq!(tracker.ws_stats().connected, 0);
    assert_eq!(tracker.stats().overturned, 0);
}

/// However often a stream that works is cut, it is back after the first pause; one that is closed as
/// soon as it is there is left alone for longer and longer.
#[tokio::test(start_paused = true)]
async fn a_stream_is_back_soon_each_time_it_is_cut() {
    let node = Node::new();
    let tracker = start(&node).await;
    for cut in 1..=30 {
        pass(4).await;
        node.drop_sockets();
        pass(2).await;
        assert_eq!((tracker.ws_stats().connected, node.connections()), (1, 1), "cut {cut}");
    }
    assert_eq!(tracker.ws_stats().reconnects, 30);
    for _ in 0..120 {
        node.drop_sockets();
        pass(1).await;
    }
    let again = tracker.ws_stats().reconnects - 30;
    assert!((4..=12).contains(&again), "{again} in two minutes");
}

/// Its entry has left memory, as one that ended long ago does: handed in again it is the same
/// transaction, who wants its outcome is told, and nothing is sent.
#[tokio::test(start_paused = true)]
async fn handed_in_again_after_it_left_memory() {
    let node = Node::new();
    let tracker = start(&node).await;
    let tx = Sender::new(1).sequence(5, 30);
    tracker.submit(submission(&tx)).await.unwrap();
    node.close(&[(&tx, "tesSUCCESS")]);
    assert_eq!(end(&tracker, tx.hash).await.state, State::Validated);
    pass(700).await;
    assert_eq!(tracker.stats().in_memory, 0, "it has left memory");
    let (outcome_to, mut told) = tokio::sync::mpsc::unbounded_channel();
    let again = tracker.submit(submission(&tx).outcome_to(outcome_to)).await.unwrap();
    assert_eq!((again.state, again.already_tracked), (State::Validated, true));
    assert_eq!(told.try_recv().expect("the outcome is told").validated_ledger, Some(11.into()));
    assert_eq!(node.submissions(tx.hash), 1);
    assert_eq!(tracker.stats().total_tracked, 1);
}

/// The store has a row without an end that nobody follows (its writing was reported as failed, say):
/// handed in again it is taken up, not answered with a state that never changes.
#[tokio::test(start_paused = true)]
async fn handed_in_again_without_an_end_it_is_followed() {
    use xrpl_tracker::{MemoryStore, Store, record::Identity};
    let node = Node::new();
    let store = std::sync::Arc::new(MemoryStore::default());
    let tracker = start_with(&node, store.clone(), xrpl_tracker::TrackerConfig::default()).await;
    let tx = Sender::new(1).sequence(5, 30);
    let identity = Identity {
        hash: tx.hash,
        account: Sender::new(1).account(),
        slot: xrpl_protocol::transaction::Slot::Sequence(5.into()),
        last_ledger_sequence: Some(30.into()),
        transaction_type: "AccountSet".into(),
        intent: xrpl_tracker::Intent::Valid,
        created_ledger: 10.into(),
        created_at_ms: 0,
        blob: tx.blob.clone().into(),
        callers_key: None,
        fail_hard: false,
        fresh: true,
    };
    let run = store.open_run(tracker.run()).await.unwrap();
    run.add(identity).await.unwrap();
    let (outcome_to, mut told) = tokio::sync::mpsc::unbounded_channel();
    let again = tracker.submit(submission(&tx).outcome_to(outcome_to)).await.unwrap();
    assert!(again.already_tracked);
    pass(30).await;
    node.close(&[(&tx, "tesSUCCESS")]);
    assert_eq!(end(&tracker, tx.hash).await.state, State::Validated);
    assert_eq!(told.try_recv().expect("the outcome is told").state, State::Validated);
    let stats = tracker.stats();
    assert_eq!((stats.total_tracked, stats.pending), (1, 0));
}

/// A look-up that a transition asks for may fail: it is asked again at the next check, however
/// long it takes until the transaction counts as overdue.
#[tokio::test(start_paused = true)]
async fn a_look_up_that_failed_is_asked_again_soon() {
    let node = Node::new();
    let tx = Sender::new(1).sequence(5, 12);
    node.close(&[(&tx, "tesSUCCESS")]);
    let config = TrackerConfig {
        overdue_ledgers: 1_000,
        overdue_after: Duration::from_secs(600),
        ..TrackerConfig::default()
    };
    let tracker = start_with(&node, MemoryStore::shared(), config).await;
    node.set(|script| script.tx_fails = true);
    // Validated before it was handed in: no stream shows it again.
    node.reply(&[Reply::Result("tefALREADY")]);
    tracker.submit(handed_in(&tx)).await.unwrap();
    for _ in 0..4 {
        node.close(&[]);
    }
    pass(12).await;
    assert_eq!(tracker.stats().undecided, 1);
    node.set(|script| script.tx_fails = false);
    pass(6).await;
    assert_eq!(state(&tracker, tx.hash).await, State::Validated);
    assert_eq!(tracker.stats().validated_by_source[&Source::Poll], 1);
}
