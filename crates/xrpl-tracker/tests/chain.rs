//! Nodes that come back with another chain, and runs whose ledgers nobody keeps any more.

mod common;

use std::{sync::Arc, time::Duration};

use common::*;
use serde_json::json;
use xrpl_protocol::{LedgerIndex, Sequence, transaction::Slot};
use xrpl_tracker::{SqliteOptions, SqliteStore, State, Store, Tracker, TrackerConfig};

fn open(path: &std::path::Path) -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(path, SqliteOptions::default()).unwrap())
}

/// The node is restarted with a fresh chain: its ledgers prove nothing about what was in flight, and
/// nothing is sent to it any more.
#[tokio::test(start_paused = true)]
async fn a_chain_that_is_reset_ends_nothing() {
    for fresh in [2, 5, 60] {
        let node = Node::new();
        let tracker = start(&node).await;
        let (open, there) = (Sender::new(1).sequence(5, 12), Sender::new(2).sequence(5, 14));
        for tx in [&open, &there] {
            tracker.submit(submission(tx)).await.unwrap();
        }
        node.close(&[]);
        settle().await;
        assert!(tracker.reset().borrow().is_none());
        let sent = node.0.lock().submitted.len();

        node.drop_sockets();
        node.set(|script| {
            script.chain = 2;
            script.head = fresh;
            script.ledgers = (1..=fresh).map(|n| (n, Vec::new())).collect();
            script.searched_all = true;
            script.refuse_ws = fresh == 5;
        });
        // The new chain even has one of them.
        for n in 0..20 {
            let txs = [(&there, "tesSUCCESS")];
            node.close(if n == 1 { &txs } else { &[] });
            pass(3).await;
        }
        assert!(tracker.reset().borrow().is_some(), "{fresh}");
        for tx in [&open, &there] {
            let state = state(&tracker, tx.hash).await;
            assert_eq!(state, State::Submitted, "{fresh}");
        }
        let stats = tracker.stats();
        assert_eq!((stats.pending, stats.revoked, stats.overturned), (2, 0, 0));
        assert_eq!(stats.ledger_index, LedgerIndex(11));
        let late = node.0.lock().submitted.len() - sent;
        assert!(late <= 2, "{late} sent before it was noticed");
        let before = node.0.lock().submitted.len();
        pass(60).await;
        assert_eq!(node.0.lock().submitted.len(), before, "nothing is sent to it");
    }
}

/// One node of several comes back with another chain: it is not heard, and the run goes on.
#[tokio::test(start_paused = true)]
async fn one_node_on_another_chain_is_left_out() {
    let (one, two) = (Node::new(), Node::new());
    let pool = pool(&[("one", &one), ("two", &two)]);
    let store = xrpl_tracker::MemoryStore::shared();
    let tracker = Tracker::start(pool, store, TrackerConfig::default()).await.unwrap();
    until(|| one.connections() > 0 && two.connections() > 0).await;
    settle().await;
    two.drop_sockets();
    two.set(|script| {
        script.chain = 2;
        script.head = 2;
    });
    let tx = Sender::new(1).sequence(5, 30);
    tracker.submit(submission(&tx)).await.unwrap();
    for _ in 0..3 {
        one.close(&[]);
        two.close(&[]);
        pass(3).await;
    }
    one.close(&[(&tx, "tesSUCCESS")]);
    assert_eq!(end(&tracker, tx.hash).await.validated_ledger, Some(LedgerIndex(14)));
    assert!(tracker.reset().borrow().is_none());
    assert_eq!(tracker.stats().ledger_mismatches, 0, "what it tells is not even compared");
}

/// While the others are away, requests go to a node that follows another chain, of which nobody can tell
/// that yet: it does not say where it is. It has all the
/// ledgers that could have a transaction, and has it in none of them; and in its history another one
/// has the Sequence, in a ledger that ours has, or has not reached. None of that is about ours.
#[tokio::test(start_paused = true)]
async fn the_history_of_another_chain_ends_nothing() {
    for (reply, theirs_in) in [
        ("tesSUCCESS", None),
        ("tefPAST_SEQ", Some((8, false))),
        ("tefPAST_SEQ", Some((8, true))),
        ("tefPAST_SEQ", Some((50, false))),
        ("tefPAST_SEQ", Some((50, true))),
    ] {
        let case = format!("{reply} {theirs_in:?}");
        let (one, two, three) = (Node::new(), Node::new(), Node::new());
        let pool = pool(&[("one", &one), ("two", &two), ("three", &three)]);
        let store = xrpl_tracker::MemoryStore::shared();
        let tracker = Tracker::start(pool, store, TrackerConfig::default()).await.unwrap();
        until(|| [&one, &two, &three].iter().all(|node| node.connections() > 0)).await;
        settle().await;
        for node in [&two, &three] {
            node.set(|script| script.refuse_ws = true);
            node.drop_sockets();
        }
        let sender = Sender::new(1);
        let theirs = sender.pay(Slot::Sequence(Sequence(5)), None, 9);
        three.set(|script| {
            script.chain = 2;
            script.head = 60;
            script.ledgers = (1..=60).map(|n| (n, Vec::new())).collect();
            (script.searched_all, script.state_fails) = (true, true);
            if let Some((index, named)) = theirs_in {
                let mut entry = json!({"tx_json": tx_json(&theirs), "hash": theirs.hash.to_string(),
                    "meta": {"TransactionResult": "tesSUCCESS"}, "validated": true,
                    "ledger_index": index});
                if named {
                    entry["ledger_hash"] = script.hash(index).to_string().into();
                }
                script.history = vec![entry];
            }
        });
        let tx = sender.sequence(5, 14);
        for node in [&one, &two] {
            node.set(|script| script.refuse_rpc = true);
        }
        let answering = if theirs_in.is_some() { &three } else { &one };
        answering.set(|script| script.refuse_rpc = false);
        answering.reply(&[Reply::Result(reply)]);
        tracker.submit(submission(&tx)).await.unwrap();
        one.set(|script| script.refuse_rpc = true);
        one.close(&[]);
        // The stream does not show the ledger that has it, and nobody can be asked.
        let index = one.close_silently(&[(&tx, "tesSUCCESS")]);
        for _ in 0..8 {
            one.close(&[]);
            pass(10).await;
        }
        assert!(three.calls("tx") > 0, "{case}: it was asked");
        assert_eq!(three.calls("account_tx") > 0, theirs_in.is_some(), "{case}: its history too");
        assert_eq!(state(&tracker, tx.hash).await, State::Submitted, "{case}");
        for node in [&one, &two] {
            node.set(|script| script.refuse_rpc = false);
        }
        let outcome = end(&tracker, tx.hash).await;
        assert_eq!(outcome.validated_ledger, Some(LedgerIndex(index)), "{case}");
        assert_eq!(tracker.stats().overturned, 0, "{case}");
    }
}

/// A node is restarted and goes on with the same chain: it is heard again, and what it said before
/// it was judged is not lost.
#[tokio::test(start_paused = true)]
async fn a_node_that_comes_back_is_heard_again() {
    let node = Node::new();
    let tracker = start(&node).await;
    let tx = Sender::new(1).sequence(5, 400);
    tracker.submit(submission(&tx)).await.unwrap();
    node.drop_sockets();
    for _ in 0..300 {
        node.close_silently(&[]);
    }
    // It keeps nothing of the time before.
    node.set(|script| script.lost = (1..=300).collect());
    until(|| node.connections() == 1).await;
    settle().await;
    node.close(&[(&tx, "tesSUCCESS")]);
    settle().await;
    assert_eq!(state(&tracker, tx.hash).await, State::Validated);
    assert!(tracker.reset().borrow().is_none());
}

/// At a restart the node that answers first follows another chain: the run goes on with the one that
/// follows its own, and what was in flight is not left behind.
#[tokio::test(start_paused = true)]
async fn a_restart_passes_over_a_node_on_another_chain() {
    for head in [12, 60] {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (Node::new(), Node::new());
        let nodes = || pool(&[("two", &two), ("one", &one)]);
        let path = dir.path().join("db");
        let tracker = Tracker::start(nodes(), open(&path), TrackerConfig::default()).await.unwrap();
        let run = tracker.stats().run;
        let tx = Sender::new(1).sequence(5, 30);
        tracker.submit(submission(&tx)).await.unwrap();
        for node in [&one, &two] {
            node.close(&[]);
        }
        settle().await;
        tracker.shutdown(Duration::ZERO).await;
        drop(tracker);

        two.set(|script| {
            script.chain = 2;
            script.head = head;
            script.ledgers = (1..=head).map(|n| (n, Vec::new())).collect();
        });
        let index = one.close_silently(&[(&tx, "tesSUCCESS")]);
        let tracker = Tracker::start(nodes(), open(&path), TrackerConfig::default()).await.unwrap();
        assert_eq!(tracker.stats().run, run, "{head}");
        assert_eq!(tracker.stats().ledger_index, LedgerIndex(index), "{head}");
        let outcome = end(&tracker, tx.hash).await;
        assert_eq!(outcome.validated_ledger, Some(LedgerIndex(index)), "{head}");
        tracker.shutdown(Duration::ZERO).await;
    }
}

/// After a long pause no node has a ledger that the run knew. By the lists of hashes, or where those
/// do not reach by the network's id, the run goes on, and what was in flight is shown as undecided;
/// another id, or another hash, begins a new run.
#[tokio::test(start_paused = true)]
async fn a_run_goes_on_though_nobody_keeps_its_ledgers() {
    for (pause, change) in [
        (200, None::<fn(&mut Script)>),
        // Ledger 256 is in the list of every 256th.
        (2_000, None),
        (200, Some(|script| script.network_id = 8)),
        (200, Some(|script| script.chain = 2)),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.db");
        let node = Node::new();
        node.set(|script| {
            script.ledgers = (1..=260).map(|n| (n, Vec::new())).collect();
            script.head = 250;
        });
        let tracker = start_with(&node, open(&path), TrackerConfig::default()).await;
        let tx = Sender::new(1).sequence(5, 262);
        tracker.submit(submission(&tx)).await.unwrap();
        for _ in 0..10 {
            node.close(&[]);
        }
        settle().await;
        let run = tracker.run();
        tracker.shutdown(Duration::ZERO).await;
        drop(tracker);
        for _ in 0..pause {
            node.close_silently(&[]);
        }
        node.set(|script| {
            script.lost = (1..script.head).collect();
            change.into_iter().for_each(|change| change(script));
        });
        let tracker = start_with(&node, open(&path), TrackerConfig::default()).await;
        assert_eq!(tracker.run() == run, change.is_none(), "{pause}");
        if change.is_none() {
            pass(120).await;
            let dossier = tracker.dossier(tx.hash).await.unwrap().unwrap();
            assert_eq!((dossier.row.state, dossier.row.undecided), (State::Submitted, true));
            let why = dossier.waits_for.unwrap();
            assert!(why.starts_with("kept by no node any more"), "{why}");
            assert!(tracker.ws_stats().ledgers_unreadable > 0);
            // A node gets its history back.
            node.set(|script| script.lost.clear());
            pass(1_000).await;
            assert_eq!(state(&tracker, tx.hash).await, State::Expired);
        }
        tracker.shutdown(Duration::ZERO).await;
    }
}

/// Neither a ledger nor a list shows that it is the same chain: its id is, and nothing contradicts.
#[tokio::test(start_paused = true)]
async fn nothing_left_to_compare() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let node = Node::new();
    let tracker = start_with(&node, open(&path), TrackerConfig::default()).await;
    let run = tracker.run();
    tracker.shutdown(Duration::ZERO).await;
    drop(tracker);
    node.set(|script| {
        script.head = 5_000;
        script.ledgers = (1..=5_000).map(|n| (n, Vec::new())).collect();
        script.lost = (1..5_000).collect();
    });
    let tracker = start_with(&node, open(&path), TrackerConfig::default()).await;
    assert_eq!(tracker.run(), run);
    tracker.shutdown(Duration::ZERO).await;
}

/// One of two nodes comes back with another chain that is far ahead. It looks like the better one, and
/// what it is given never comes into a ledger of the run: it gets nothing until it follows the chain
/// again.
#[tokio::test(start_paused = true)]
async fn a_node_that_is_ahead_on_another_chain_gets_nothing() {
    let (one, two) = (Node::new(), Node::new());
    let pool = pool(&[("two", &two), ("one", &one)]);
    let store = xrpl_tracker::MemoryStore::shared();
    let tracker = Tracker::start(pool.clone(), store, TrackerConfig::default()).await.unwrap();
    until(|| one.connections() > 0 && two.connections() > 0).await;
    settle().await;
    two.drop_sockets();
    two.set(|script| {
        script.chain = 2;
        script.head = 500;
        script.ledgers = (1..=500).map(|n| (n, Vec::new())).collect();
    });
    pass(10).await;
    let (sender, before) = (Sender::new(1), two.0.lock().submitted.len());
    for n in 0..20 {
        let tx = sender.sequence(5 + n, 400);
        tracker.submit(submission(&tx)).await.unwrap();
        assert_eq!(one.submissions(tx.hash), 1, "{n}");
        one.close(&[(&tx, "tesSUCCESS")]);
        pass(3).await;
        assert_eq!(state(&tracker, tx.hash).await, State::Validated, "{n}");
    }
    assert_eq!(two.0.lock().submitted.len(), before, "nothing went to it");
    let health = pool.health().remove(0);
    assert!(health.passed_over && !health.healthy, "{health:?}");
    assert!(health.last_error.unwrap().contains("another chain"));
    assert!(tracker.reset().borrow().is_none());

    two.drop_sockets();
    let ledgers = one.0.lock().ledgers.clone();
    two.set(|script| (script.chain, script.head, script.ledgers) = (1, 30, ledgers));
    pass(10).await;
    let health = pool.health().remove(0);
    assert!(!health.passed_over && health.healthy, "{health:?}");
    let tx = sender.sequence(50, 400);
    tracker.submit(submission(&tx)).await.unwrap();
    assert_eq!(two.submissions(tx.hash), 1, "it is asked again");
}

/// Where half of the nodes come back with another chain and the others are silent, the silent ones are
/// waited for: they may be the network.
#[tokio::test(start_paused = true)]
async fn half_of_the_nodes_are_no_reset_while_the_others_may_come_back() {
    for back in [true, false] {
        let (one, two) = (Node::new(), Node::new());
        let pool = pool(&[("one", &one), ("two", &two)]);
        let store = xrpl_tracker::MemoryStore::shared();
        let tracker = Tracker::start(pool, store, TrackerConfig::default()).await.unwrap();
        until(|| one.connections() > 0 && two.connections() > 0).await;
        settle().await;
        let tx = Sender::new(1).sequence(5, 100);
        tracker.submit(submission(&tx)).await.unwrap();
        one.set(|script| (script.refuse_rpc, script.refuse_ws) = (true, true));
        one.drop_sockets();
        two.drop_sockets();
        two.set(|script| {
            script.chain = 2;
            script.head = 2;
        });
        pass(40).await;
        assert!(tracker.reset().borrow().is_none(), "{back}");
        if back {
            one.set(|script| (script.refuse_rpc, script.refuse_ws) = (false, false));
            pass(40).await;
            one.close(&[(&tx, "tesSUCCESS")]);
            pass(5).await;
            assert_eq!(state(&tracker, tx.hash).await, State::Validated);
        }
        pass(60).await;
        assert_eq!(tracker.reset().borrow().is_none(), back);
    }
}
