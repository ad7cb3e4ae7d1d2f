//! Nodes that tell different hashes for one ledger: an alarm, and nothing is proven by that ledger
//! until most of them agree.

mod common;

use common::*;
use xrpl_protocol::{LedgerIndex, Sequence, transaction::Slot};
use xrpl_tracker::{
    Evidence, MemoryStore, ResultName, Row, SqliteOptions, SqliteStore, State, Store, Tracker,
    TrackerConfig,
};

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
    one.close(&[(&tx, "tesSUCCESS")]);
    let theirs = one.0.lock().ledgers.clone();
    two.set(|script| (script.chain, script.ledgers) = (1, theirs));
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

/// Three nodes, of which the third is heard first, and wrong.
async fn wrong_one_first(
    store: std::sync::Arc<dyn Store>,
    config: TrackerConfig,
) -> ([Node; 3], Tracker) {
    let nodes = [Node::new(), Node::new(), Node::new()];
    let pool = pool(&[("one", &nodes[0]), ("two", &nodes[1]), ("three", &nodes[2])]);
    // So that the wrong one's transactions are heard too.
    let config = TrackerConfig { full_streams: 3, ..config };
    let tracker = Tracker::start(pool, store, config).await.unwrap();
    until(|| nodes.iter().all(|node| node.connections() > 0)).await;
    settle().await;
    nodes[2].set(|script| script.chain = 2);
    (nodes, tracker)
}

/// Two addresses lead to one node for a while, so that most of them name the wrong hash. The next
/// ledger, of which nobody doubts the hash, names another parent: what rested on it is taken back.
#[tokio::test(start_paused = true)]
async fn what_most_named_falls_with_the_ledger_above() {
    let (nodes, tracker) = wrong_one_first(MemoryStore::shared(), TrackerConfig::default()).await;
    let tx = Sender::new(1).sequence(5, 20);
    tracker.submit(submission(&tx)).await.unwrap();
    nodes[1].set(|script| script.chain = 2);
    nodes[0].set(|script| script.lost = [11].into());
    nodes[2].close(&[(&tx, "tesSUCCESS")]);
    nodes[1].close(&[(&tx, "tesSUCCESS")]);
    settle().await;
    nodes[0].close(&[]);
    pass(1).await;
    assert_eq!(state(&tracker, tx.hash).await, State::Validated, "most nodes say so");
    // From here on nobody says anything of ledger 11 itself but the wrong one.
    let theirs = nodes[0].0.lock().ledgers.clone();
    nodes[1].set(|script| {
        (script.chain, script.lost, script.ledgers) = (1, [11].into(), theirs);
    });
    nodes[0].close(&[]);
    nodes[1].close(&[]);
    pass(20).await;
    assert_ne!(state(&tracker, tx.hash).await, State::Validated, "no ledger has it");
    assert_eq!(tracker.stats().revoked, 1);
    nodes[0].close(&[(&tx, "tesSUCCESS")]);
    nodes[1].close(&[(&tx, "tesSUCCESS")]);
    let outcome = end(&tracker, tx.hash).await;
    let place = (outcome.state, outcome.validated_ledger);
    assert_eq!(place, (State::Validated, Some(LedgerIndex(13))));
}

/// Ends that rest on a ledger which most nodes deny later are taken back and decided from the true
/// one: told, counted and written, and each ends once more.
#[tokio::test(start_paused = true)]
async fn ends_that_rest_on_a_denied_ledger_are_taken_back() {
    let (nodes, tracker) = wrong_one_first(MemoryStore::shared(), TrackerConfig::default()).await;
    let sender = Sender::new(1);
    let slot = |n| Slot::Sequence(Sequence(n));
    let (moved, gone) = (sender.pay(slot(5), Some(14), 1), sender.pay(slot(6), Some(14), 1));
    // Two on one Sequence: the wrong ledger has the one, the true one the other.
    let (loser, winner) = (sender.pay(slot(7), Some(14), 1), sender.pay(slot(7), Some(14), 2));
    let expired = Sender::new(2).sequence(1, 11);
    let all = [&moved, &gone, &loser, &winner, &expired];
    let mut revocations = tracker.revocations();
    for tx in all {
        tracker.submit(submission(tx)).await.unwrap();
    }
    let wrong = [(&moved, "tesSUCCESS"), (&gone, "tesSUCCESS"), (&loser, "tecPATH_DRY")];
    nodes[2].close(&wrong);
    nodes[2].close(&[]);
    settle().await;
    let states = async || {
        let mut states = Vec::new();
        for tx in all {
            states.push(state(&tracker, tx.hash).await);
        }
        states
    };
    let (v, x, e) = (State::Validated, State::Rejected, State::Expired);
    assert_eq!(states().await, [v, v, v, x, e], "as the wrong node tells");
    let mut events = tracker.events();

    for node in &nodes[..2] {
        node.close(&[(&winner, "tesSUCCESS"), (&expired, "tesSUCCESS")]);
        node.close(&[(&moved, "tecPATH_DRY")]);
        node.close(&[]);
        node.close(&[]);
        node.close(&[]);
    }
    nodes[2].set(|script| {
        script.chain = 1;
        script.ledgers = nodes[0].0.lock().ledgers.clone();
        script.head = 15;
    });
    pass(60).await;
    assert_eq!(states().await, [v, e, x, v, v], "as it is");
    let place = |row: &Row| (row.validated_ledger.map(|l| l.0), row.meta_txn_result.clone());
    let row = tracker.dossier(moved.hash).await.unwrap().unwrap().row;
    assert_eq!(place(&row), (Some(12), Some(ResultName::new("tecPATH_DRY"))));
    assert!(row.revoked);
    let Some(Evidence::Validated(there)) = row.evidence else { panic!() };
    assert_eq!(there.ledger_hash, Some(nodes[0].0.lock().hash(12)));
    let row = tracker.dossier(loser.hash).await.unwrap().unwrap().row;
    let Some(Evidence::SequenceConsumed { by, ledger }) = row.evidence else { panic!() };
    assert_eq!((by, ledger), (winner.hash, LedgerIndex(11)));

    let mut told = std::collections::BTreeMap::<_, Vec<_>>::new();
    while let Ok(change) = events.try_recv() {
        let what = (change.from.unwrap(), change.to, change.revoked);
        told.entry(change.tx_hash).or_default().push(what);
    }
    let s = State::Submitted;
    assert_eq!(told[&moved.hash], [(v, s, true), (s, v, false)]);
    assert_eq!(told[&gone.hash], [(v, s, true), (s, e, false)]);
    assert_eq!(told[&expired.hash], [(e, s, true), (s, v, false)]);
    let mut notices = Vec::new();
    while let Ok(notice) = revocations.try_recv() {
        assert!(notice.revoked);
        notices.push(notice.state.is_terminal());
    }
    let ends = notices.iter().filter(|terminal| **terminal).count();
    assert_eq!((notices.len(), ends), (10, 5), "each taken back, and each ended again");

    let stats = tracker.stats();
    assert_eq!((stats.revoked, stats.overturned, stats.contradicted), (5, 0, 0));
    assert_eq!((stats.pending, stats.undecided), (0, 0));
    assert_eq!((stats.by_state[&v], stats.by_state[&x], stats.by_state[&e]), (3, 1, 1));
    assert_eq!(stats.validated_by_source.values().sum::<u64>(), 3);
    assert_eq!((stats.finality_ms.count, stats.finality_ledgers.values().sum::<u64>()), (3, 3));
    assert_eq!(tracker.matrix().iter().map(|cell| cell.count).sum::<u64>(), 5);
    assert_eq!(tracker.validations(99).len(), 3);
}

/// The same after the ended ones have left memory, and after a restart in between: the store knows
/// what rests on the ledger.
#[tokio::test(start_paused = true)]
async fn ends_in_the_store_are_taken_back_too() {
    for restart in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.db");
        let open = || -> std::sync::Arc<dyn Store> {
            std::sync::Arc::new(SqliteStore::open(&path, SqliteOptions::default()).unwrap())
        };
        let config = TrackerConfig { terminal_capacity: 0, ..TrackerConfig::default() };
        let (nodes, mut tracker) = wrong_one_first(open(), config.clone()).await;
        let (there, not) = (Sender::new(1).sequence(5, 11), Sender::new(2).sequence(5, 11));
        for tx in [&there, &not] {
            tracker.submit(submission(tx)).await.unwrap();
        }
        nodes[2].close(&[(&not, "tesSUCCESS")]);
        nodes[2].close(&[]);
        nodes[2].close(&[]);
        for _ in 0..2_000 {
            if tracker.stats().in_memory == 0 {
                break;
            }
            pass(1).await;
        }
        assert_eq!(state(&tracker, there.hash).await, State::Expired);
        assert_eq!(state(&tracker, not.hash).await, State::Validated);
        assert_eq!(tracker.stats().in_memory, 0, "they have left memory");
        let run = tracker.run();
        let theirs = |node: &Node| {
            node.close(&[(&there, "tesSUCCESS")]);
            node.close(&[]);
            node.close(&[]);
        };
        if restart {
            tracker.shutdown(std::time::Duration::ZERO).await;
            drop(tracker);
            nodes[..2].iter().for_each(theirs);
            nodes[2].set(|script| {
                script.chain = 1;
                script.ledgers = nodes[0].0.lock().ledgers.clone();
            });
            let pool = pool(&[("one", &nodes[0]), ("two", &nodes[1]), ("three", &nodes[2])]);
            tracker = Tracker::start(pool, open(), config).await.unwrap();
            assert_eq!(tracker.run(), run);
        } else {
            nodes[..2].iter().for_each(theirs);
            nodes[2].set(|script| {
                script.chain = 1;
                script.ledgers = nodes[0].0.lock().ledgers.clone();
            });
        }
        // The file is written in its own time, which the tests' clock does not hold.
        for _ in 0..2_000 {
            let first = state(&tracker, there.hash).await;
            if (first, state(&tracker, not.hash).await) == (State::Validated, State::Expired) {
                break;
            }
            pass(1).await;
        }
        let row = tracker.dossier(there.hash).await.unwrap().unwrap().row;
        assert_eq!((row.state, row.revoked), (State::Validated, true), "restart: {restart}");
        assert_eq!(row.validated_ledger, Some(LedgerIndex(11)));
        let row = tracker.dossier(not.hash).await.unwrap().unwrap().row;
        assert_eq!((row.state, row.revoked), (State::Expired, true), "restart: {restart}");
        let stats = tracker.stats();
        assert_eq!((stats.revoked, stats.pending), (2, 0));
        assert_eq!((stats.by_state[&State::Validated], stats.by_state[&State::Expired]), (1, 1));
        tracker.shutdown(std::time::Duration::ZERO).await;
    }
}

/// One is EXPIRED by a ledger that is denied later. Meanwhile another one used its Sequence, and both
/// have left memory: the first one is superseded by the other then, and no failure.
#[tokio::test(start_paused = true)]
async fn one_that_is_open_again_finds_the_rival_that_left_memory() {
    let folder = tempfile::tempdir().unwrap();
    let file = SqliteStore::open(folder.path().join("run.db"), SqliteOptions::default()).unwrap();
    let stores: [std::sync::Arc<dyn Store>; 2] = [MemoryStore::shared(), std::sync::Arc::new(file)];
    for store in stores {
        let config = TrackerConfig { terminal_capacity: 0, ..TrackerConfig::default() };
        let (nodes, tracker) = wrong_one_first(store, config).await;
        nodes[2].set(|script| {
            script.chain = 1;
            script.hashes.insert(11, xrpl_protocol::Hash256([9; 32]));
        });
        let forgotten = async || {
            for _ in 0..2_000 {
                if tracker.stats().in_memory == 0 {
                    return;
                }
                pass(1).await;
            }
            panic!("still in memory");
        };
        let sender = Sender::new(1);
        let slot = Slot::Sequence(Sequence(5));
        let (loser, winner) = (sender.pay(slot, Some(11), 1), sender.pay(slot, Some(60), 2));
        tracker.submit(submission(&loser)).await.unwrap();
        for _ in 11..=13 {
            nodes[2].close(&[]);
            for node in &nodes[..2] {
                node.close_silently(&[]);
            }
        }
        assert_eq!(end(&tracker, loser.hash).await.state, State::Expired);
        forgotten().await;
        tracker.submit(submission(&winner)).await.unwrap();
        for node in &nodes {
            node.close(&[(&winner, "tesSUCCESS")]);
        }
        assert_eq!(end(&tracker, winner.hash).await.state, State::Validated);
        for node in &nodes {
            node.close(&[]);
        }
        forgotten().await;
        nodes[..2].iter().for_each(|node| node.tell_closed(11));
        for _ in 0..2_000 {
            if tracker.stats().revoked == 1 && tracker.stats().pending == 0 {
                break;
            }
            pass(1).await;
        }
        let row = tracker.dossier(loser.hash).await.unwrap().unwrap().row;
        assert_eq!((row.state, row.revoked), (State::Rejected, true));
        assert!(
            matches!(row.evidence, Some(Evidence::SequenceConsumed { by, .. }) if by == winner.hash)
        );
        let stats = tracker.stats();
        assert_eq!((stats.superseded, stats.valid_failed), (1, 0));
        tracker.shutdown(std::time::Duration::ZERO).await;
    }
}
