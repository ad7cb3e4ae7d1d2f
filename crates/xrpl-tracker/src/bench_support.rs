//! The processor and its state without a network, for benches. No part of the API.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use xrpl_client::EndpointId;
use xrpl_protocol::{AccountId, LedgerIndex, TxHash, transaction::Slot};

use crate::{
    config::TrackerConfig,
    core::{Core, Links},
    event_queue::{ConnectionId, StreamEvent},
    lifecycle::{State, TxState},
    pending::NewEntry,
    record::{Intent, LedgerHead, Progress},
    store::RunStore,
    ws_processor::process_batch,
};

/// Frames of one batch.
#[derive(Debug)]
pub struct Batch(Vec<StreamEvent>);

/// The processor and its state.
#[derive(Debug)]
pub struct Processor {
    core: Mutex<Core>,
}

impl Processor {
    /// Nothing is tracked; the newest validated ledger is `head`.
    #[must_use]
    pub fn new(store: Arc<dyn RunStore>, config: &TrackerConfig, head: LedgerIndex) -> Self {
        let head = LedgerHead { index: head, ..LedgerHead::default() };
        let links = Links::new(store, 16, &head);
        Self { core: Mutex::new(Core::new(links, config, head)) }
    }

    /// Tracks a transaction as if a node had taken it.
    pub fn track(&self, hash: TxHash, account: AccountId, slot: Slot, blob: Bytes) {
        let mut core = self.core.lock();
        let transaction_type = core.counters.type_index("Payment");
        let head = core.head.index;
        let condition = TxState { may_have_left: true, ..TxState::CREATED };
        core.pending.insert(NewEntry {
            hash,
            account,
            slot,
            last_ledger: Some(LedgerIndex(head.0 + 20)),
            created_ledger: head,
            created_at_ms: 0,
            transaction_type,
            intent: Intent::Valid,
            blob,
            fail_hard: false,
            fresh: true,
            condition: TxState { state: State::Submitted, ..condition },
            progress: Progress { state: State::Submitted, attempts: 1, ..Progress::created() },
        });
        core.counters.created(transaction_type, &Intent::Valid);
        core.counters.moved(State::Created, State::Submitted, &Intent::Valid);
    }

    /// Makes a batch of messages as they come from a socket.
    #[must_use]
    pub fn batch(texts: impl IntoIterator<Item = String>) -> Batch {
        let connection = ConnectionId { endpoint: EndpointId(0), generation: 0 };
        let frames = texts.into_iter();
        Batch(frames.map(|t| StreamEvent::Frame(connection, Utf8Bytes::from(t))).collect())
    }

    /// Processes a batch.
    pub fn process(&self, batch: &Batch) {
        process_batch(&self.core, &batch.0, 1_000);
    }

    /// How many have no end.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.core.lock().counters.pending()
    }

    /// How many are in memory, ended or not.
    #[must_use]
    pub fn in_memory(&self) -> usize {
        self.core.lock().pending.len()
    }

    /// How many ledgers are to be read back.
    #[must_use]
    pub fn wanted(&self) -> usize {
        self.core.lock().completeness.wanted_count()
    }

    /// Lets what has ended leave memory, as the house keeping does later.
    pub fn forget_ended(&self) {
        let mut core = self.core.lock();
        let head = core.head.index.0;
        core.pending.forget(u64::MAX, 0, head);
    }

    /// How many are VALIDATED.
    #[must_use]
    pub fn validated(&self) -> u64 {
        self.core.lock().counters.snapshot().by_state[&State::Validated]
    }
}
