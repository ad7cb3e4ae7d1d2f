//! Refusals that are no ends, ends that need no history, and what is said of those that nobody can
//! decide.

mod common;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use common::*;
use serde_json::json;
use xrpl_protocol::{Drops, LedgerIndex, Sequence, sign::SignedTransaction, transaction::Slot};
use xrpl_tracker::{
    AbsenceProof, Evidence, MemoryStore, Outcome, Reason, ResultName, Row, RowFilter, State,
    Submission, Tracker, TrackerConfig, UnusedSlot,
};

async fn row(tracker: &Tracker, tx: &SignedTransaction) -> Row {
    tracker.dossier(tx.hash).await.unwrap().unwrap().row
}

/// Its end, which is to come without any pause.
async fn at_once(tracker: &Tracker, tx: &SignedTransaction) -> Arc<Outcome> {
    settle().await;
    let row = row(tracker, tx).await;
    assert!(row.state.is_terminal(), "{row:?}");
    end(tracker, tx.hash).await
}

fn absent(tx_last: u32, proof: AbsenceProof) -> Evidence {
    Evidence::LastLedgerPassed { last_ledger_sequence: LedgerIndex(tx_last), proof }
}

/// An account in every validated ledger: its next Sequence and its Tickets.
fn account(node: &Node, next: u32, tickets: &[u32]) {
    let tickets: BTreeSet<u32> = tickets.iter().copied().collect();
    node.set(|script| script.account = Some((next, tickets)));
}

#[tokio::test(start_paused = true)]
async fn what_a_node_refuses_and_keeps_may_apply_later() {
    for refusal in ["tefBAD_AUTH", "tefMASTER_DISABLED", "tefNEW_IN_2031", "telINSUF_FEE_P"] {
        let node = Node::new();
        let tracker = start(&node).await;
        let tx = Sender::new(1).sequence(5, 30);
        node.reply(&[Reply::Result(refusal)]);
        let submitted = tracker.submit(submission(&tx)).await.unwrap();
        assert_eq!(submitted.state, State::Retryable, "{refusal}");
        node.close(&[]);
        node.close(&[(&tx, "tesSUCCESS")]);
        assert_eq!(end(&tracker, tx.hash).await.state, State::Validated, "{refusal}");
        assert_eq!(tracker.stats().overturned, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_keeps_has_ended() {
    for refusal in ["tefBAD_AUTH", "terPRE_SEQ", "telCAN_NOT_QUEUE", "tecPATH_DRY", "temBAD_FEE"] {
        let node = Node::new();
        let tracker = start(&node).await;
        let tx = Sender::new(1).sequence(5, 30);
        node.reply(&[Reply::Result(refusal)]);
        let submitted = tracker.submit(submission(&tx).fail_hard()).await.unwrap();
        assert_eq!(submitted.state, State::Rejected, "{refusal}");
        let engine_result = ResultName::new(refusal);
        let outcome = end(&tracker, tx.hash).await;
        assert_eq!(outcome.evidence, Evidence::RefusedByNode { engine_result });
        // Unless it was sent before: by somebody else, or in an attempt whose answer was lost.
        node.reply(&[Reply::Result(refusal), Reply::Break, Reply::Result(refusal)]);
        let (older, lost) = (Sender::new(1).sequence(6, 30), Sender::new(1).sequence(7, 30));
        tracker.submit(handed_in(&older).fail_hard()).await.unwrap();
        tracker.submit(submission(&lost).fail_hard()).await.unwrap();
        pass(3).await;
        for tx in [older, lost] {
            assert_eq!(row(&tracker, &tx).await.state, State::Submitted, "{refusal}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_malformed_one_has_ended_only_if_it_is_nowhere_else() {
    let open = async |node: Node, submission: fn(&SignedTransaction) -> Submission| {
        let tracker = start(&node).await;
        let tx = Sender::new(1).sequence(5, node.0.lock().head + 30);
        node.reply(&[Reply::Result("temDISABLED")]);
        let submitted = tracker.submit(submission(&tx)).await.unwrap();
        if submitted.state == State::Rejected {
            return false;
        }
        node.close(&[(&tx, "tesSUCCESS")]);
        assert_eq!(end(&tracker, tx.hash).await.state, State::Validated);
        true
    };
    assert!(!open(Node::new(), submission).await, "nobody else has it");
    assert!(open(Node::new(), handed_in).await, "somebody may have sent it before");
    let relaying = Node::new();
    relaying.set(|script| script.relays = true);
    assert!(open(relaying, submission).await, "the node has passed it on");
    // Amendments come after a flag ledger, while the node still tries it.
    let before_flag = Node::new();
    before_flag.set(|script| {
        script.ledgers.extend((11..=250).map(|n| (n, Vec::new())));
        script.head = 250;
    });
    assert!(open(before_flag, submission).await, "its rules may change");
}

/// A blob of unknown age whose last ledger is long past: the account's Sequence in a validated ledger
/// says that it was never used, whatever history is kept.
#[tokio::test(start_paused = true)]
async fn an_unused_slot_proves_absence_without_history() {
    let node = Node::new();
    let tracker = start(&node).await;
    for _ in 0..40 {
        node.close(&[]);
    }
    settle().await;
    node.set(|script| script.ledger_fails = true);
    account(&node, 7, &[3]);
    node.set(|script| script.replies = (0..4).map(|_| Reply::Result("tefMAX_LEDGER")).collect());
    let (hash, index) = (node.0.lock().hash(50), LedgerIndex(50));
    let sender = Sender::new(1);
    for (slot, shown) in [
        (Slot::Sequence(Sequence(7)), UnusedSlot::Sequence { account_sequence: Sequence(7) }),
        (Slot::Ticket(Sequence(9)), UnusedSlot::Sequence { account_sequence: Sequence(7) }),
        (Slot::Ticket(Sequence(3)), UnusedSlot::Ticket { ticket: Sequence(3) }),
    ] {
        let tx = sender.pay(slot, Some(10), 1);
        tracker.submit(handed_in(&tx)).await.unwrap();
        let outcome = at_once(&tracker, &tx).await;
        let proof =
            AbsenceProof::SlotUnused { ledger_index: index, ledger_hash: hash, slot: shown };
        assert_eq!((outcome.state, &outcome.evidence), (State::Expired, &absent(10, proof)));
    }
    assert_eq!((node.calls("tx"), node.calls("account_tx")), (0, 0), "nothing else is asked");
}

/// Nobody can use a lower Sequence of an account that a later ledger may create.
#[tokio::test(start_paused = true)]
async fn of_an_account_that_no_ledger_has_lower_sequences_are_gone() {
    let node = Node::new();
    let tracker = start(&node).await;
    for _ in 0..40 {
        node.close(&[]);
    }
    settle().await;
    node.set(|script| {
        script.no_account = true;
        script.searched_all = true;
        script.replies = (0..99).map(|_| Reply::Result("terNO_ACCOUNT")).collect();
    });
    let sender = Sender::new(1);
    for (slot, last) in [
        (Slot::Sequence(Sequence(5)), Some(30)),
        (Slot::Sequence(Sequence(50)), Some(49)),
        (Slot::Ticket(Sequence(4)), None),
    ] {
        let tx = sender.pay(slot, last, 1);
        tracker.submit(handed_in(&tx)).await.unwrap();
        pass(30).await;
        let shown = row(&tracker, &tx).await;
        assert!(shown.undecided && !shown.state.is_terminal(), "{slot:?}: {shown:?}");
        let reason = shown.reason.expect("a reason");
        assert_eq!(reason.reason, Reason::SlotGone { ledger_index: LedgerIndex(50) }, "{slot:?}");
    }
    // One that it may yet have: it is created in a ledger of that index.
    let early = sender.pay(Slot::Sequence(Sequence(51)), Some(90), 1);
    tracker.submit(handed_in(&early)).await.unwrap();
    pass(30).await;
    assert!(!row(&tracker, &early).await.undecided);
    node.close(&[(&early, "tesSUCCESS")]);
    assert_eq!(end(&tracker, early.hash).await.state, State::Validated);
    assert_eq!(tracker.stats().overturned, 0);
}

/// The same where the slot is gone: the ledgers that could say by whom are kept by nobody. Neither a
/// refusal nor an expiry is known; that is said, and nothing else.
#[tokio::test(start_paused = true)]
async fn what_nobody_can_decide_is_undecided() {
    for (reply, last) in
        [("tefPAST_SEQ", Some(30)), ("tefPAST_SEQ", None), ("tefMAX_LEDGER", Some(9))]
    {
        for slot in [Slot::Sequence(Sequence(5)), Slot::Ticket(Sequence(4))] {
            let node = Node::new();
            let tracker = start(&node).await;
            account(&node, 7, &[]);
            node.set(|script| {
                script.searched_all = true;
                script.replies = (0..99).map(|_| Reply::Result(reply)).collect();
            });
            let tx = Sender::new(1).pay(slot, last, 1);
            tracker.submit(handed_in(&tx)).await.unwrap();
            settle().await;
            let shown = row(&tracker, &tx).await;
            assert_eq!((shown.state, shown.undecided), (State::Submitted, true), "{shown:?}");
            let reason = shown.reason.expect("a reason");
            assert_eq!(reason.reason, Reason::SlotGone { ledger_index: LedgerIndex(10) });
            assert!(reason.text.starts_with("undecided: "), "{}", reason.text);
            assert_eq!(tracker.stats().undecided, 1);
            for _ in 0..30 {
                node.close(&[]);
                pass(4).await;
            }
            assert_eq!(row(&tracker, &tx).await.state, State::Submitted, "no proof ever comes");
            assert!(node.calls("account_info") < 16, "it is asked about ever less often");
            // Until a node with more history is there.
            node.set(|script| {
                let meta = json!({"TransactionResult": "tesSUCCESS"});
                let hash = tx.hash.to_string();
                script.history = vec![json!({"tx_json": tx_json(&tx), "hash": hash, "meta": meta,
                    "validated": true, "ledger_index": 8, "ledger_hash": script.hash(8)})];
            });
            tracker.check_finality_now().await;
            let outcome = end(&tracker, tx.hash).await;
            let Evidence::Validated(place) = &outcome.evidence else { panic!("{outcome:?}") };
            assert_eq!(place.ledger_index, LedgerIndex(8));
            assert_eq!(place.ledger_hash, Some(node.0.lock().hash(8)));
            assert_eq!((tracker.stats().overturned, tracker.stats().undecided), (0, 0));
            assert_eq!(row(&tracker, &tx).await.reason, None);
        }
    }
}

/// A validated one that is handed in again, on a ledger that closes only when somebody wants it to.
#[tokio::test(start_paused = true)]
async fn a_validated_one_handed_in_again_is_found_at_once() {
    let node = Node::new();
    let tx = Sender::new(1).sequence(5, 30);
    let index = node.close(&[(&tx, "tesSUCCESS")]);
    account(&node, 6, &[]);
    let tracker = start(&node).await;
    node.reply(&[Reply::Result("tefPAST_SEQ")]);
    tracker.submit(handed_in(&tx)).await.unwrap();
    let outcome = at_once(&tracker, &tx).await;
    assert_eq!(outcome.validated_ledger, Some(LedgerIndex(index)));
}

/// A question that is asked while a check is under way is answered by it.
#[tokio::test(start_paused = true)]
async fn a_question_during_a_check_is_not_forgotten() {
    let node = Node::new();
    let tx = Sender::new(1).sequence(5, 30);
    node.close(&[(&tx, "tesSUCCESS")]);
    let tracker = start(&node).await;
    node.reply(&[Reply::Result("tefPAST_SEQ")]);
    let (_, submitted) = tokio::join!(tracker.check_finality_now(), tracker.submit(handed_in(&tx)));
    submitted.unwrap();
    at_once(&tracker, &tx).await;
}

#[tokio::test(start_paused = true)]
async fn who_used_a_slot_is_found_in_another_nodes_history() {
    let (near, far) = (Node::new(), Node::new());
    let sender = Sender::new(1);
    let theirs = sender.pay(Slot::Sequence(Sequence(3)), None, 2);
    far.set(|script| {
        let meta = json!({"TransactionResult": "tecPATH_DRY"});
        script.history = vec![
            json!({"tx": tx_json(&theirs), "meta": meta, "validated": true, "ledger_index": 8}),
        ];
    });
    let nodes = pool(&[("near", &near), ("far", &far)]);
    let tracker =
        Tracker::start(nodes, MemoryStore::shared(), TrackerConfig::default()).await.unwrap();
    account(&near, 4, &[]);
    let ours = sender.sequence(3, 30);
    near.reply(&[Reply::Result("tefPAST_SEQ")]);
    tracker.submit(handed_in(&ours)).await.unwrap();
    let evidence = Evidence::SequenceConsumed { by: theirs.hash, ledger: LedgerIndex(8) };
    assert_eq!(at_once(&tracker, &ours).await.evidence, evidence);
}

/// Thousands that expire together are proven absent by one question for each account.
#[tokio::test(start_paused = true)]
async fn many_that_expire_together_cost_one_question_an_account() {
    const ACCOUNTS: u8 = 4;
    const EACH: u32 = 250;
    let node = Node::new();
    let tracker = start(&node).await;
    account(&node, 1, &[]);
    for n in 0..ACCOUNTS {
        let sender = Sender::new(n);
        for sequence in 1..=EACH {
            tracker.submit(handed_in(&sender.sequence(sequence, 12))).await.unwrap();
        }
    }
    for _ in 0..5 {
        node.close(&[]);
        settle().await;
    }
    pass(1).await;
    let stats = tracker.stats();
    assert_eq!(stats.by_state[&State::Expired], u64::from(ACCOUNTS) * u64::from(EACH));
    assert!(
        node.calls("account_info") <= 2 * u32::from(ACCOUNTS),
        "{}",
        node.calls("account_info")
    );
    assert_eq!(node.calls("tx"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_fee_that_cannot_be_enough_is_said_to_be_so() {
    let node = Node::new();
    let tracker = start(&node).await;
    let tx = Sender::new(1).sequence(5, 30);
    node.reply(&[Reply::Result("telINSUF_FEE_P")]);
    tracker.submit(submission(&tx)).await.unwrap();
    let shown = row(&tracker, &tx).await;
    assert_eq!(shown.state, State::Retryable, "it is tried again as asked");
    let reason = shown.reason.expect("a reason");
    let wanted = Reason::FeeTooLow { fee: Drops(10), needed: Some(Drops(12)) };
    assert_eq!(reason.reason, wanted);
    assert!(reason.text.starts_with("undecided: its Fee of 10 drops"), "{}", reason.text);
    assert!(reason.text.contains("12 drops would have been"), "{}", reason.text);
    node.close(&[]);
    settle().await;
    assert_eq!(row(&tracker, &tx).await.reason, None, "the load has fallen");
}

/// The run is over before the load falls: nothing sends it again, and its row does not say so.
#[tokio::test(start_paused = true)]
async fn a_fee_that_was_too_low_at_the_end_of_a_run_is_undecided() {
    let node = Node::new();
    let store = xrpl_tracker::MemoryStore::shared();
    let tracker = Tracker::start(pool(&[("one", &node)]), store.clone(), TrackerConfig::default());
    let tracker = tracker.await.unwrap();
    let tx = Sender::new(1).sequence(5, 30);
    node.reply(&[Reply::Result("telINSUF_FEE_P")]);
    tracker.submit(submission(&tx)).await.unwrap();
    tracker.shutdown(Duration::ZERO).await;
    let run = store.newest().await.unwrap().expect("its run");
    let rows = run.rows(&RowFilter::default(), None, 10).await.unwrap();
    let text = Row::from(&rows[0]).reason.expect("a reason").text;
    assert!(text.starts_with("undecided: its Fee of 10 drops"), "{text}");
    assert!(!text.contains("tried again"), "{text}");
}

/// The answer that says what is wrong is lost; the node does not look at the blob again.
#[tokio::test(start_paused = true)]
async fn a_signature_that_is_right_is_not_called_bad() {
    let node = Node::new();
    let tracker = start(&node).await;
    let tx = Sender::new(1).sequence(5, 12);
    node.reply(&[Reply::Break, Reply::Result("temBAD_SIGNATURE")]);
    tracker.submit(submission(&tx)).await.unwrap();
    pass(3).await;
    let shown = row(&tracker, &tx).await;
    assert_eq!((shown.state, shown.engine_result_first), (State::Submitted, None));
    assert_eq!(shown.reason.expect("a reason").reason, Reason::MarkedBad);
    for _ in 0..5 {
        node.close(&[]);
    }
    let outcome = end(&tracker, tx.hash).await;
    assert_eq!((outcome.state, &outcome.engine_result), (State::Expired, &None));
    let dossier = serde_json::to_value(tracker.dossier(tx.hash).await.unwrap()).unwrap();
    assert_eq!(dossier["reason"]["kind"], "marked_bad");
    assert_eq!(dossier["preliminary_results"][1]["engine_result"], "temBAD_SIGNATURE");
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_sent_before_is_never_called_unsent() {
    let node = Node::new();
    let tracker = start(&node).await;
    account(&node, 5, &[]);
    node.set(|script| {
        script.refuse_rpc = true;
        script.replies = (0..99).map(|_| Reply::Break).collect();
    });
    let (own, older) = (Sender::new(1).sequence(5, 30), Sender::new(1).sequence(6, 30));
    // What goes out on a connection kept open breaks.
    tracker.submit(handed_in(&Sender::new(2).sequence(1, 30))).await.unwrap();
    tracker.submit(submission(&own)).await.unwrap();
    tracker.submit(handed_in(&older)).await.unwrap();
    assert_eq!(end(&tracker, own.hash).await.state, State::FailedNet);
    pass(300).await;
    assert_eq!(row(&tracker, &older).await.state, State::Created);
    node.set(|script| script.refuse_rpc = false);
    for _ in 0..25 {
        node.close(&[]);
    }
    assert_eq!(end(&tracker, older.hash).await.evidence.kind(), "last_ledger_passed");
}
