//! Streams that show the transactions of some accounts alone, for networks with much foreign traffic.

mod common;

use common::*;
use serde_json::Value as Json;
use xrpl_protocol::AccountId;
use xrpl_tracker::{
    AbsenceProof, Evidence, MemoryStore, Source, State, Subscription, Tracker, TrackerConfig,
};

async fn tracker(node: &Node, accounts: Vec<AccountId>) -> Tracker {
    let subscription = Subscription::Accounts(accounts);
    let config = TrackerConfig { subscription, ..TrackerConfig::default() };
    let pool = pool(&[("one", node)]);
    let tracker = Tracker::start(pool, MemoryStore::shared(), config).await.unwrap();
    until(|| node.connections() > 0).await;
    settle().await;
    tracker
}

/// What was subscribed to since the last call: streams, and how many accounts in each request.
fn subscribed(node: &Node) -> (Vec<Json>, Vec<Vec<Json>>) {
    let mut all = Vec::new();
    node.set(|script| all = std::mem::take(&mut script.subscribed));
    let list = |one: &Json, name: &str| one[name].as_array().cloned().unwrap_or_default();
    let streams = all.iter().flat_map(|one| list(one, "streams")).collect();
    let accounts = all.iter().map(|one| list(one, "accounts"));
    (streams, accounts.filter(|accounts| !accounts.is_empty()).collect())
}

#[tokio::test(start_paused = true)]
async fn accounts_are_subscribed_in_batches_and_those_that_come_later_too() {
    let node = Node::new();
    let given: Vec<_> = (0..450u16)
        .map(|n| {
            let mut id = [0; 20];
            id[..2].copy_from_slice(&n.to_be_bytes());
            AccountId(id)
        })
        .collect();
    let tracker = tracker(&node, given).await;
    let (streams, batches) = subscribed(&node);
    assert_eq!(streams, ["ledger"], "everyone's transactions are not asked for");
    assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [200, 200, 50]);

    let sender = Sender::new(1);
    for sequence in 5..8 {
        tracker.submit(submission(&sender.sequence(sequence, 60))).await.unwrap();
    }
    settle().await;
    let (streams, batches) = subscribed(&node);
    assert!(streams.is_empty());
    assert_eq!(batches, [[Json::from(sender.account().to_string())]], "once, and while connected");

    node.drop_sockets();
    pass(5).await;
    let (_, batches) = subscribed(&node);
    assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), 451, "all of them anew");
}

#[tokio::test(start_paused = true)]
async fn what_the_stream_shows_is_validated_and_what_it_missed_is_looked_up() {
    let node = Node::new();
    let tracker = tracker(&node, Vec::new()).await;
    let (shown, missed) = (Sender::new(1).sequence(5, 60), Sender::new(2).sequence(5, 60));
    for tx in [&shown, &missed] {
        tracker.submit(submission(tx)).await.unwrap();
    }
    // Both are in the ledger, the stream tells one: no ledger counts as short.
    let index = node.close_silently(&[(&shown, "tesSUCCESS"), (&missed, "tecPATH_DRY")]);
    node.tell_closed(index);
    node.tell_tx(index, 0);
    settle().await;
    assert_eq!(state(&tracker, shown.hash).await, State::Validated);
    assert_eq!(state(&tracker, missed.hash).await, State::Submitted);
    pass(10).await;
    assert_eq!(node.calls("ledger"), 0, "foreign traffic is not read");
    pass(30).await;
    assert_eq!(end(&tracker, missed.hash).await.state, State::Validated);
    let by_source = tracker.stats().validated_by_source;
    assert_eq!((by_source[&Source::Ws], by_source[&Source::Poll]), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn absence_is_proven_by_reading_the_ledgers() {
    let node = Node::new();
    let tracker = tracker(&node, Vec::new()).await;
    let tx = Sender::new(1).sequence(5, 13);
    tracker.submit(submission(&tx)).await.unwrap();
    node.set(|script| script.ledger_fails = true);
    for _ in 0..5 {
        node.close(&[]);
        settle().await;
        assert!(!state(&tracker, tx.hash).await.is_terminal(), "the stream's silence is no proof");
    }
    node.set(|script| script.ledger_fails = false);
    pass(40).await;
    let outcome = end(&tracker, tx.hash).await;
    assert_eq!(outcome.state, State::Expired);
    assert!(
        matches!(
            outcome.evidence,
            Evidence::LastLedgerPassed { proof: AbsenceProof::EveryLedgerRead { .. }, .. }
        ),
        "{:?}",
        outcome.evidence
    );
}
