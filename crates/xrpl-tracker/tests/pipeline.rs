//! The whole tracker against a scripted node under virtual time: every way in which a transaction
//! can come to its end, one by one.

mod common;

use std::{collections::BTreeSet, time::Duration};

use common::*;
use serde_json::json;
use tokio::sync::mpsc;
use xrpl_protocol::{LedgerIndex, Sequence, transaction::Slot};
use xrpl_tracker::{
    AbsenceProof, Evidence, Intent, MemoryStore, ResultName, Source, State, TrackerConfig,
};

#[tokio::test(start_paused = true)]
async fn seen_on_the_stream() {
    let node = Node::new();
    let tracker = start(&node).await;
    let mut events = tracker.events();
    let sender = Sender::new(1);
    let tx = sender.sequence(5, 20);
    let (tell, mut outcomes) = mpsc::unbounded_channel();
    let submitted = tracker.submit(submission(&tx).want_metadata().outcome_to(tell)).await.unwrap();
    assert_eq!((submitted.hash, submitted.state), (tx.hash, State::Submitted));
    assert_eq!(submitted.engine_result, Some(ResultName::new("tesSUCCESS")));
    pass(4).await;
    // The preliminary result was a success; the final one is not, and VALIDATED all the same.
    node.close(&[(&tx, "tecPATH_DRY")]);
    let outcome = end(&tracker, tx.hash).await;
    assert_eq!(outcome.state, State::Validated);
    assert_eq!(outcome.engine_result, Some(ResultName::new("tecPATH_DRY")));
    assert_eq!(outcome.validated_ledger, Some(LedgerIndex(11)));
    assert_eq!(outcome.account, sender.account());
    assert_eq!(outcome.latencies.finality_ledgers, Some(1));
    assert!((4_000..5_000).contains(&outcome.latencies.finality_ms.unwrap()));
    let told = outcomes.recv().await.unwrap();
    let meta: serde_json::Value =
        serde_json::from_str(told.metadata.as_ref().unwrap().get()).unwrap();
    assert_eq!(meta["TransactionResult"], "tecPATH_DRY");

    let dossier = tracker.dossier(tx.hash).await.unwrap().unwrap();
    assert_eq!(dossier.row.source, Some(Source::Ws));
    assert_eq!(dossier.preliminary_results.len(), 1);
    assert_eq!(dossier.preliminary_results[0].endpoint, "http://node:5005");
    assert_eq!(dossier.sightings.len(), 1);
    assert_eq!(dossier.tx_json["Sequence"], 5);
    let json = serde_json::to_value(&dossier).unwrap();
    assert_eq!(json["evidence"]["kind"], "validated");
    assert_eq!(json["preliminary_results"][0]["engine_result"], "tesSUCCESS");

    let states: Vec<_> = (0..3).map(|_| events.try_recv().unwrap().to).collect();
    assert_eq!(states, [State::Created, State::Submitted, State::Validated]);
    let stats = tracker.stats();
    assert_eq!(stats.validated_by_source[&Source::Ws], 1);
    assert_eq!((stats.pending, stats.undecided, stats.overturned), (0, 0, 0));
    assert_eq!(tracker.validations(9).len(), 1);
    assert_eq!(*tracker.ledger().borrow().hash.as_bytes(), node.0.lock().hash(11).0);
}

#[tokio::test(start_paused = true)]
async fn lost_socket_is_made_good_by_reading_the_ledger_once() {
    let node = Node::new();
    let tracker = start(&node).await;
    let tx = Sender::new(1).sequence(5, 40);
    tracker.submit(submission(&tx)).await.unwrap();
    node.drop_sockets();
    node.set(|script| script.tx_fails = true);
    node.close_silently(&[(&tx, "tesSUCCESS")]);
    node.close_silently(&[]);
    let outcome = end(&tracker, tx.hash).await;
    assert_eq!(outcome.validated_ledger, Some(LedgerIndex(11)));
    let stats = tracker.stats();
    assert_eq!(stats.validated_by_source[&Source::Backfill], 1);
    assert_eq!(stats.ledgers_backfilled, 2);
    assert_eq!(node.calls("ledger"), 2, "once for each missed ledger");
    until(|| tracker.ws_stats().connected == 1).await;
    assert_eq!(tracker.ws_stats().reconnects, 1);
}

#[tokio::test(start_paused = true)]
async fn missed_ledger_closed_is_a_gap() {
    let node = Node::new();
    let tracker = start(&node).await;
    node.set(|script| script.tx_fails = true);
    let tx = Sender::new(1).sequence(5, 40);
    tracker.submit(submission(&tx)).await.unwrap();
    node.close_silently(&[(&tx, "tesSUCCESS")]);
    node.close(&[]);
    settle().await;
    assert_eq!(state(&tracker, tx.hash).await, State::Validated);
    assert_eq!(tracker.stats().validated_by_source[&Source::Backfill], 1);
}

#[tokio::test(start_paused = true)]
async fn short_ledger_is_read() {
    let node = Node::new();
    let tracker = start(&node).await;
    node.set(|script| script.tx_fails = true);
    let sender = Sender::new(1);
    let (a, b) = (sender.sequence(5, 40), sender.sequence(6, 40));
    tracker.submit(submission(&a)).await.unwrap();
    tracker.submit(submission(&b)).await.unwrap();
    let index = node.close_silently(&[(&a, "tesSUCCESS"), (&b, "tesSUCCESS")]);
    node.tell_closed(index);
    node.tell_tx(index, 0);
    settle().await;
    assert_eq!(state(&tracker, b.hash).await, State::Submitted);
    node.close(&[]);
    settle().await;
    assert_eq!(state(&tracker, b.hash).await, State::Validated);
    let stats = tracker.stats();
    assert_eq!(stats.validated_by_source[&Source::Ws], 1);
    assert_eq!(stats.validated_by_source[&Source::Backfill], 1);
    // A ledger shown whole is not read.
    let c = sender.sequence(7, 40);
    tracker.submit(submission(&c)).await.unwrap();
    node.close(&[(&c, "tesSUCCESS")]);
    node.close(&[]);
    pass(10).await;
    assert_eq!(tracker.stats().ledgers_backfilled, 1);
}

#[tokio::test(start_paused = true)]
async fn without_stream_and_ledgers_the_poll_finds_it() {
    let node = Node::new();
    let tracker = start(&node).await;
    node.set(|script| {
        script.refuse_ws = true;
        script.ledger_fails = true;
    });
    node.drop_sockets();
    let tx = Sender::new(1).sequence(5, 40);
    tracker.submit(submission(&tx)).await.unwrap();
    node.close_silently(&[(&tx, "tesSUCCESS")]);
    let outcome = end(&tracker, tx.hash).await;
    let Evidence::Validated(place) = &outcome.evidence else { panic!() };
    assert_eq!((place.source, place.ledger_index), (Source::Poll, LedgerIndex(11)));
    assert!(outcome.latencies.finality_ms.unwrap() < 30_000);
}

#[tokio::test(start_paused = true)]
async fn found_but_not_validated_is_evidence_of_nothing() {
    let node = Node::new();
    let tracker = start(&node).await;
    let tx = Sender::new(1).pay(Slot::Sequence(Sequence(5)), None, 1);
    tracker.submit(submission(&tx)).await.unwrap();
    node.set(|script| {
        script.held.insert(tx.hash);
    });
    for _ in 0..30 {
        node.close(&[]);
        pass(4).await;
    }
    assert_eq!(state(&tracker, tx.hash).await, State::Submitted);
    assert!(node.submissions(tx.hash) > 1, "a node may have dropped it: the same blob goes again");
    node.close(&[(&tx, "tesSUCCESS")]);
    assert_eq!(end(&tracker, tx.hash).await.state, State::Validated);
}

#[tokio::test(start_paused = true)]
async fn expired_when_every_ledger_was_seen_whole() {
    let node = Node::new();
    let tracker = start(&node).await;
    let tx = Sender::new(1).sequence(5, 13);
    tracker.submit(submission(&tx)).await.unwrap();
    for n in 11..=13 {
        node.close(&[]);
        settle().await;
        assert_eq!(state(&tracker, tx.hash).await, State::Submitted, "after {n}");
    }
    node.close(&[]);
    let outcome = end(&tracker, tx.hash).await;
    assert_eq!(outcome.state, State::Expired);
    assert_eq!(
        outcome.evidence,
        Evidence::LastLedgerPassed {
            last_ledger_sequence: LedgerIndex(13),
            proof: AbsenceProof::EveryLedgerRead { first: LedgerIndex(11), last: LedgerIndex(13) },
        }
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_ledger_leaves_it_undecided_until_there_is_proof() {
    let node = Node::new();
    let tracker = start(&node).await;
    let tx = Sender::new(1).sequence(5, 13);
    tracker.submit(submission(&tx)).await.unwrap();
    node.set(|script| {
        script.lost.insert(12);
        script.held.insert(tx.hash);
    });
    node.close(&[]);
    node.close_silently(&[]);
    for _ in 0..20 {
        node.close(&[]);
        pass(4).await;
    }
    let row = tracker.dossier(tx.hash).await.unwrap().unwrap().row;
    assert_eq!((row.state, row.undecided), (State::Submitted, true));
    assert_eq!(tracker.stats().undecided, 1);
    // `searched_all: false` is no proof either.
    node.set(|script| script.held.clear());
    pass(20).await;
    assert_eq!(state(&tracker, tx.hash).await, State::Submitted);
    node.set(|script| script.searched_all = true);
    let outcome = end(&tracker, tx.hash).await;
    let Evidence::LastLedgerPassed {
        proof: AbsenceProof::SearchedAll { min_ledger, max_ledger, .. },
        ..
    } = &outcome.evidence
    else {
        panic!("{outcome:?}")
    };
    assert_eq!((*min_ledger, *max_ledger), (LedgerIndex(11), LedgerIndex(13)));
    assert_eq!(tracker.stats().undecided, 0);
}

#[tokio::test(start_paused = true)]
async fn the_lost_ledger_may_have_it() {
    let node = Node::new();
    let tracker = start(&node).await;
    let tx = Sender::new(1).sequence(5, 13);
    tracker.submit(submission(&tx)).await.unwrap();
    node.set(|script| {
        script.lost.insert(12);
        script.tx_fails = true;
    });
    node.close(&[]);
    node.close_silently(&[(&tx, "tesSUCCESS")]);
    for _ in 0..10 {
        node.close(&[]);
        pass(4).await;
    }
    assert_eq!(state(&tracker, tx.hash).await, State::Submitted, "not expired");
    node.set(|script| script.lost.clear());
    assert_eq!(end(&tracker, tx.hash).await.state, State::Validated);
}

#[tokio::test(start_paused = true)]
async fn answers_that_hide_a_success() {
    for reply in [
        Reply::Result("tefPAST_SEQ"),
        Reply::Result("tefMAX_LEDGER"),
        Reply::Result("tefALREADY"),
        Reply::Hang,
        Reply::Break,
    ] {
        let node = Node::new();
        let tracker = start(&node).await;
        let tx = Sender::new(1).sequence(5, 30);
        node.reply(&[reply.clone(), Reply::Result("tefPAST_SEQ"), Reply::Result("tefPAST_SEQ")]);
        let submitted = tracker.submit(submission(&tx)).await.unwrap();
        assert_eq!(submitted.state, State::Submitted, "{reply:?}");
        settle().await;
        node.close(&[(&tx, "tesSUCCESS")]);
        let outcome = end(&tracker, tx.hash).await;
        assert_eq!(outcome.state, State::Validated, "{reply:?}");
        assert_eq!(tracker.stats().overturned, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn timeout_is_resent_with_the_same_blob() {
    let node = Node::new();
    let tracker = start(&node).await;
    let tx = Sender::new(1).sequence(5, 30);
    node.reply(&[Reply::Hang, Reply::Break]);
    tracker.submit(submission(&tx)).await.unwrap();
    pass(20).await;
    assert_eq!(node.submissions(tx.hash), 3);
    let dossier = tracker.dossier(tx.hash).await.unwrap().unwrap();
    assert_eq!(dossier.row.attempts, 3);
    assert_eq!(dossier.preliminary_results.len(), 3);
    let json = serde_json::to_value(&dossier).unwrap();
    assert!(json["preliminary_results"][0].get("unknown").is_some(), "{json}");
}

#[tokio::test(start_paused = true)]
async fn retryable_goes_again_on_later_ledgers_until_its_last() {
    let node = Node::new();
    let tracker = start(&node).await;
    let tx = Sender::new(1).sequence(5, 16);
    node.set(|script| script.replies = (0..99).map(|_| Reply::Result("terPRE_SEQ")).collect());
    assert_eq!(tracker.submit(submission(&tx)).await.unwrap().state, State::Retryable);
    pass(60).await;
    assert_eq!(node.submissions(tx.hash), 1, "not before a later ledger");
    let mut after = Vec::new();
    for _ in 11..=20 {
        node.close(&[]);
        settle().await;
        after.push(node.submissions(tx.hash));
    }
    // Ledgers 11, 13 (and 17, which is past the last).
    assert_eq!(after, [2, 2, 3, 3, 3, 3, 3, 3, 3, 3]);
    assert_eq!(end(&tracker, tx.hash).await.state, State::Expired);
}

#[tokio::test(start_paused = true)]
async fn refusals() {
    let node = Node::new();
    let tracker = start(&node).await;
    let sender = Sender::new(1);
    for (n, reply) in [
        Reply::Result("temMALFORMED"),
        Reply::Result("temDISABLED"),
        Reply::Error("invalidTransaction"),
    ]
    .into_iter()
    .enumerate()
    {
        let tx = sender.sequence(n as u32 + 1, 30);
        node.reply(&[reply]);
        let expected: Box<[_]> = [ResultName::new("temMALFORMED")].into();
        let intent = if n == 0 { Intent::Invalid { expected } } else { Intent::Valid };
        let submitted = tracker.submit(submission(&tx).intent(intent)).await.unwrap();
        assert_eq!(submitted.state, State::Rejected);
        let outcome = tracker.outcome(tx.hash).await.unwrap();
        let Evidence::RefusedByNode { engine_result } = &outcome.evidence else { panic!() };
        assert_eq!(Some(engine_result), outcome.engine_result.as_ref());
    }
    let stats = tracker.stats();
    assert_eq!((stats.expected_invalid, stats.invalid_as_predicted, stats.valid_failed), (1, 1, 2));
    assert_eq!(stats.by_state[&State::Rejected], 3);
    // A node that is busy refuses nothing.
    let tx = sender.sequence(9, 30);
    node.reply(&[Reply::Error("tooBusy")]);
    assert_eq!(tracker.submit(submission(&tx)).await.unwrap().state, State::Retryable);
}

#[tokio::test(start_paused = true)]
async fn an_overturned_rejection() {
    let node = Node::new();
    let tracker = start(&node).await;
    let tx = Sender::new(1).sequence(5, 30);
    // Of a node that applies what it calls malformed.
    node.reply(&[Reply::Result("temINVALID")]);
    let (tell, mut outcomes) = mpsc::unbounded_channel();
    tracker.submit(submission(&tx).outcome_to(tell)).await.unwrap();
    assert_eq!(outcomes.recv().await.unwrap().state, State::Rejected);
    node.close(&[(&tx, "tesSUCCESS")]);
    let second = outcomes.recv().await.unwrap();
    assert_eq!((second.state, second.overturned), (State::Validated, true));
    let stats = tracker.stats();
    assert_eq!((stats.overturned, stats.valid_failed), (1, 0));
    assert_eq!(stats.by_state[&State::Rejected], 0);
    assert_eq!(stats.engine_results.get(&ResultName::new("temINVALID")), None);
    let cells = tracker.matrix();
    assert_eq!((cells.len(), cells[0].state, cells[0].count), (1, State::Validated, 1));
    assert_eq!(cells[0].preliminary, Some(ResultName::new("temINVALID")));
    let ledger = &tracker.ledgers(1)[0];
    assert_eq!((Some(ledger.ledger_index), ledger.ours), (second.validated_ledger, 1));
    assert!(ledger.complete);
}

#[tokio::test(start_paused = true)]
async fn never_sent() {
    let node = Node::new();
    let tracker = start(&node).await;
    node.set(|script| script.refuse_rpc = true);
    // The connections made so far go too.
    node.set(|script| script.replies = (0..99).map(|_| Reply::Break).collect());
    let (a, b) = (Sender::new(1).sequence(5, 30), Sender::new(1).sequence(6, 30));
    // The first may go out on a connection kept open; it breaks.
    tracker.submit(submission(&a)).await.unwrap();
    assert_eq!(tracker.submit(submission(&b)).await.unwrap().state, State::Created);
    let outcome = end(&tracker, b.hash).await;
    assert_eq!(outcome.state, State::FailedNet);
    assert_eq!(outcome.evidence, Evidence::NeverSent { attempts: 8 });
    assert_eq!(node.submissions(b.hash), 0);
    // What may have left is not called so, however long it takes.
    pass(120).await;
    assert!(node.submissions(a.hash) == 0 || state(&tracker, a.hash).await == State::Submitted);
    // A second hand-in sends nothing.
    let again = tracker.submit(submission(&b)).await.unwrap();
    assert_eq!((again.state, again.already_tracked), (State::FailedNet, true));
}

#[tokio::test(start_paused = true)]
async fn comes_back_before_the_budget_is_spent() {
    let node = Node::new();
    let tracker = start(&node).await;
    let warm = Sender::new(2).sequence(1, 99);
    node.reply(&[Reply::Break]);
    node.set(|script| script.refuse_rpc = true);
    tracker.submit(submission(&warm)).await.unwrap();
    let tx = Sender::new(1).sequence(5, 30);
    assert_eq!(tracker.submit(submission(&tx)).await.unwrap().state, State::Created);
    node.set(|script| script.refuse_rpc = false);
    pass(40).await;
    assert_eq!(state(&tracker, tx.hash).await, State::Submitted);
    node.close(&[(&tx, "tesSUCCESS")]);
    assert_eq!(end(&tracker, tx.hash).await.state, State::Validated);
}

#[tokio::test(start_paused = true)]
async fn rivals_on_a_sequence_and_on_a_ticket() {
    let node = Node::new();
    let tracker = start(&node).await;
    let sender = Sender::new(1);
    for (round, slot) in
        [Slot::Sequence(Sequence(5)), Slot::Ticket(Sequence(6))].into_iter().enumerate()
    {
        let ours = sender.pay(slot, Some(60), 1);
        let theirs = sender.pay(slot, Some(60), 2);
        let other_slot = sender.sequence(77 + round as u32, 60);
        tracker.submit(submission(&ours)).await.unwrap();
        tracker.submit(submission(&other_slot)).await.unwrap();
        let index = node.close(&[(&theirs, "tecPATH_DRY")]);
        let outcome = end(&tracker, ours.hash).await;
        assert_eq!(outcome.state, State::Rejected);
        assert_eq!(
            outcome.evidence,
            Evidence::SequenceConsumed { by: theirs.hash, ledger: LedgerIndex(index) }
        );
        assert_eq!(state(&tracker, other_slot.hash).await, State::Submitted);
    }
    // Both ours: one is validated, the other has lost.
    let (a, b) = (
        sender.pay(Slot::Sequence(Sequence(9)), Some(60), 1),
        sender.pay(Slot::Sequence(Sequence(9)), Some(60), 2),
    );
    tracker.submit(submission(&a)).await.unwrap();
    node.reply(&[Reply::Result("telCAN_NOT_QUEUE_FEE")]);
    tracker.submit(submission(&b)).await.unwrap();
    node.close(&[(&a, "tesSUCCESS")]);
    assert_eq!(end(&tracker, a.hash).await.state, State::Validated);
    assert_eq!(end(&tracker, b.hash).await.evidence.kind(), "sequence_consumed");
    // A late third one is settled by what is known already, without a look-up.
    let c = sender.pay(Slot::Sequence(Sequence(9)), Some(60), 3);
    node.reply(&[Reply::Result("tefPAST_SEQ")]);
    assert_eq!(tracker.submit(submission(&c)).await.unwrap().state, State::Rejected);
}

#[tokio::test(start_paused = true)]
async fn a_past_sequence_is_explained_by_the_history() {
    let node = Node::new();
    let tracker = start(&node).await;
    let sender = Sender::new(1);
    let theirs = sender.pay(Slot::Sequence(Sequence(3)), None, 2);
    node.set(|script| {
        let meta = json!({"TransactionResult": "tesSUCCESS"});
        let entry = |tx, index: u32| {
            json!({"tx": tx_json(tx), "meta": meta, "validated": true, "ledger_index": index})
        };
        script.history = vec![entry(&sender.sequence(4, 20), 9), entry(&theirs, 8)];
    });
    let ours = sender.sequence(3, 30);
    node.reply(&[Reply::Result("tefPAST_SEQ")]);
    tracker.submit(submission(&ours)).await.unwrap();
    let outcome = end(&tracker, ours.hash).await;
    assert_eq!(
        outcome.evidence,
        Evidence::SequenceConsumed { by: theirs.hash, ledger: LedgerIndex(8) }
    );
    assert!(outcome.latencies.finality_ms.unwrap() < 1_000, "asked at once");
}

#[tokio::test(start_paused = true)]
async fn a_ticket_that_is_gone_is_no_use_once_the_ledger_says_so() {
    let node = Node::new();
    let tracker = start(&node).await;
    let sender = Sender::new(1);
    let tx = |n| sender.pay(Slot::Ticket(Sequence(n)), Some(60), 3);
    // It never was, and never will be.
    node.set(|script| script.account = Some((9, BTreeSet::from([7]))));
    node.reply(&[Reply::Result("tefNO_TICKET")]);
    tracker.submit(submission(&tx(6))).await.unwrap();
    let outcome = end(&tracker, tx(6).hash).await;
    let evidence = Evidence::SlotGone { ledger_index: LedgerIndex(10), first: LedgerIndex(11) };
    assert_eq!(outcome.evidence, evidence);
    assert!(outcome.latencies.finality_ms.unwrap() < 1_000, "asked at once");
    // The validated ledger has it still: something used it since, perhaps this one, handed on twice.
    node.reply(&[Reply::Result("tefNO_TICKET")]);
    tracker.submit(submission(&tx(7))).await.unwrap();
    pass(30).await;
    assert_eq!(state(&tracker, tx(7).hash).await, State::Submitted);
    node.close(&[(&tx(7), "tesSUCCESS")]);
    assert_eq!(end(&tracker, tx(7).hash).await.state, State::Validated);
    // Not made yet.
    node.reply(&[Reply::Result("tefNO_TICKET")]);
    tracker.submit(submission(&tx(9))).await.unwrap();
    pass(30).await;
    assert_eq!(state(&tracker, tx(9).hash).await, State::Submitted);
    assert_eq!(tracker.stats().overturned, 0);
}

#[tokio::test(start_paused = true)]
async fn a_past_sequence_without_a_rival_is_no_use_once_every_ledger_is_read() {
    let node = Node::new();
    let tracker = start(&node).await;
    let tx = Sender::new(1).sequence(5, 60);
    node.set(|script| {
        script.account = Some((5, BTreeSet::new()));
        script.ledger_fails = true;
    });
    node.reply(&[Reply::Hang]);
    tracker.submit(submission(&tx)).await.unwrap();
    node.set(|script| script.refuse_ws = true);
    node.drop_sockets();
    node.close_silently(&[]);
    node.close_silently(&[]);
    node.set(|script| script.replies = (0..99).map(|_| Reply::Result("tefPAST_SEQ")).collect());
    pass(30).await;
    node.set(|script| script.account = Some((6, BTreeSet::new())));
    pass(60).await;
    assert_eq!(state(&tracker, tx.hash).await, State::Submitted, "a ledger is unread");
    node.set(|script| script.ledger_fails = false);
    assert_eq!(end(&tracker, tx.hash).await.evidence.kind(), "slot_gone");
}

#[tokio::test(start_paused = true)]
async fn duplicates_count_once() {
    let node = Node::new();
    let tracker = start(&node).await;
    let tx = Sender::new(1).sequence(5, 30);
    tracker.submit(submission(&tx)).await.unwrap();
    let index = node.close(&[(&tx, "tesSUCCESS")]);
    node.tell_tx(index, 0);
    node.tell_closed(index);
    node.tell_tx(index, 0);
    pass(10).await;
    let stats = tracker.stats();
    assert_eq!((stats.by_state[&State::Validated], stats.validated_by_source[&Source::Ws]), (1, 1));
    assert_eq!(tracker.validations(9).len(), 1);
    assert_eq!(tracker.dossier(tx.hash).await.unwrap().unwrap().sightings.len(), 1);
    let again = tracker.submit(submission(&tx)).await.unwrap();
    assert_eq!((again.state, again.already_tracked), (State::Validated, true));
    assert_eq!(node.submissions(tx.hash), 1);
}

#[tokio::test(start_paused = true)]
async fn bad_events_are_skipped() {
    let node = Node::new();
    let tracker = start(&node).await;
    let tx = Sender::new(1).sequence(5, 30);
    tracker.submit(submission(&tx)).await.unwrap();
    for bad in ["", "{", "[1]", "{\"type\":\"transaction\",\"validated\":true}", "null"] {
        node.send_raw(bad);
    }
    node.send_raw("{\"type\":\"serverStatus\"}");
    node.close(&[(&tx, "tesSUCCESS")]);
    assert_eq!(end(&tracker, tx.hash).await.state, State::Validated);
    let ws = tracker.ws_stats();
    assert_eq!((ws.failed_events, ws.ws_event_counters["serverStatus"]), (5, 1));
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_loses_nothing() {
    let node = Node::new();
    let config = TrackerConfig { queue_capacity: 1, ..TrackerConfig::default() };
    let tracker = start_with(&node, MemoryStore::shared(), config).await;
    let senders: Vec<_> = (0..5).map(Sender::new).collect();
    let txs: Vec<_> = (0..400).map(|n| senders[n % 5].sequence(n as u32 / 5 + 1, 30)).collect();
    for tx in &txs {
        tracker.submit(submission(tx)).await.unwrap();
    }
    let all: Vec<_> = txs.iter().map(|tx| (tx, "tesSUCCESS")).collect();
    node.close(&all);
    assert_eq!(tracker.wait_until_idle(Duration::from_secs(60)).await, 0);
    assert!(tracker.ws_stats().queue_blocked_count > 0);
    assert_eq!(tracker.stats().validated_by_source[&Source::Ws], 400);
    assert_eq!(tracker.ws_stats().queue_maxsize, 1);
    assert_eq!(tracker.shutdown(Duration::ZERO).await, 0);
    let tx = senders[0].sequence(999, 30);
    assert!(tracker.submit(submission(&tx)).await.is_err(), "after the shutdown");
}

/// What later attempts are answered is told to who wants to know, and pauses begin anew once a node
/// has taken it.
#[tokio::test(start_paused = true)]
async fn later_answers_are_told_and_pauses_begin_anew_after_success() {
    let node = Node::new();
    let tracker = start(&node).await;
    let tx = Sender::new(1).sequence(5, 60);
    let (tell, mut answers) = mpsc::unbounded_channel();
    node.reply(&[
        Reply::Result("telINSUF_FEE_P"),
        Reply::Result("terPRE_SEQ"),
        Reply::Result("terQUEUED"),
    ]);
    let mut handed_in = submission(&tx);
    handed_in.answers_to = Some(tell);
    let first = tracker.submit(handed_in).await.unwrap();
    assert_eq!(first.state, State::Retryable);
    let mut told = Vec::new();
    for _ in 0..6 {
        node.close(&[]);
        tokio::time::sleep(Duration::from_secs(1)).await;
        while let Ok(answer) = answers.try_recv() {
            told.push((answer.state, answer.engine_result.unwrap().as_str().to_owned()));
        }
    }
    assert_eq!(
        told,
        [(State::Retryable, "terPRE_SEQ".to_owned()), (State::Submitted, "terQUEUED".to_owned())]
    );
}
