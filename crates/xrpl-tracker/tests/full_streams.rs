//! Of several nodes that tell the same, one shows every transaction; the others take over from it.

mod common;

use common::*;
use xrpl_protocol::sign::SignedTransaction;
use xrpl_tracker::{MemoryStore, Source, State, Tracker, TrackerConfig};

struct Three {
    nodes: [Node; 3],
    tracker: Tracker,
    sender: Sender,
    sequence: u32,
}

impl Three {
    async fn with(config: TrackerConfig) -> Self {
        let nodes = [Node::new(), Node::new(), Node::new()];
        let pool = pool(&[("one", &nodes[0]), ("two", &nodes[1]), ("three", &nodes[2])]);
        let tracker = Tracker::start(pool, MemoryStore::shared(), config).await.unwrap();
        until(|| nodes.iter().all(|node| node.connections() > 0)).await;
        settle().await;
        Self { nodes, tracker, sender: Sender::new(1), sequence: 5 }
    }

    /// Which nodes show transactions.
    fn full(&self) -> Vec<usize> {
        (0..3).filter(|n| self.nodes[*n].shows_transactions()).collect()
    }

    async fn submit(&mut self) -> SignedTransaction {
        let tx = self.sender.sequence(self.sequence, 60);
        self.sequence += 1;
        self.tracker.submit(submission(&tx)).await.unwrap();
        tx
    }

    /// All validate a ledger; only these say so.
    fn close(&self, tx: &SignedTransaction, tell: &[usize]) {
        for (n, node) in self.nodes.iter().enumerate() {
            match tell.contains(&n) {
                true => node.close(&[(tx, "tesSUCCESS")]),
                false => node.close_silently(&[(tx, "tesSUCCESS")]),
            };
        }
    }

    fn by(&self, source: Source) -> u64 {
        self.tracker.stats().validated_by_source[&source]
    }
}

#[tokio::test(start_paused = true)]
async fn one_of_three_shows_every_transaction() {
    let mut three = Three::with(TrackerConfig::default()).await;
    assert_eq!(three.full().len(), 1);
    for _ in 0..10 {
        let tx = three.submit().await;
        three.close(&tx, &[0, 1, 2]);
        assert_eq!(end(&three.tracker, tx.hash).await.state, State::Validated);
        pass(2).await;
    }
    assert_eq!(three.by(Source::Ws), 10);
    assert_eq!(three.tracker.stats().ledgers_backfilled, 0);
    assert_eq!(three.tracker.ws_stats().ws_event_counters["transaction (validated)"], 10);
}

#[tokio::test(start_paused = true)]
async fn as_many_as_are_asked_for() {
    let config = TrackerConfig { full_streams: 2, ..TrackerConfig::default() };
    assert_eq!(Three::with(config).await.full().len(), 2);
}

/// The node whose stream is read in full falls silent: what it does not show is read from another
/// node's ledger, and from the next ledger on that node's stream shows it.
#[tokio::test(start_paused = true)]
async fn one_that_falls_silent_is_replaced() {
    let mut three = Three::with(TrackerConfig::default()).await;
    let silent = three.full()[0];
    let others: Vec<usize> = (0..3).filter(|n| *n != silent).collect();
    let tx = three.submit().await;
    three.close(&tx, &[0, 1, 2]);
    end(&three.tracker, tx.hash).await;

    let missed = three.submit().await;
    three.close(&missed, &others);
    pass(3).await;
    assert_eq!(state(&three.tracker, missed.hash).await, State::Validated);
    assert_eq!(three.by(Source::Backfill), 1);
    let full = three.full();
    assert_eq!(full.len(), 1, "the silent one is told to stop");
    assert_ne!(full[0], silent);

    let tx = three.submit().await;
    three.close(&tx, &others);
    end(&three.tracker, tx.hash).await;
    assert_eq!(three.by(Source::Ws), 2);
    assert_eq!(three.tracker.stats().overturned, 0);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_lost_is_replaced_at_once() {
    let mut three = Three::with(TrackerConfig::default()).await;
    let lost = three.full()[0];
    three.nodes[lost].set(|script| script.refuse_ws = true);
    three.nodes[lost].drop_sockets();
    until(|| three.full().len() == 1).await;
    assert_ne!(three.full()[0], lost);
    let tx = three.submit().await;
    three.close(&tx, &[0, 1, 2]);
    end(&three.tracker, tx.hash).await;
    assert_eq!(three.by(Source::Ws), 1);
    three.nodes[lost].set(|script| script.refuse_ws = false);
    pass(60).await;
    assert_eq!(three.tracker.ws_stats().connected, 3);
    assert_ne!(three.full(), [lost], "who comes back does not take it back");
    assert_eq!(three.full().len(), 1);
}
