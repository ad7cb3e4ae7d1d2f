//! Where transactions are kept: a small interface and two ways to keep it.
//!
//! The tracker never waits for a store except once per transaction, for [`Store::create`]: its
//! CREATED row is durable before the first byte of the blob leaves. Everything else is handed over
//! and written in order.

pub mod memory;
mod migrations;
pub mod outbox;
pub mod prune;

pub(crate) mod rows;
pub mod sessions;
mod sql_outbox;
mod sql_rows;
pub mod sqlite;
mod writer;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use tokio::sync::oneshot;
use xrpl_protocol::{Hash256, LedgerIndex, TxHash};

use crate::{
    error::Result,
    evidence::{ResultName, Source},
    lifecycle::State,
    record::{Identity, IntentKind, Progress, Record, RowFilter, RunId},
};

pub use memory::MemoryStore;
pub use outbox::{End, Outbox, OutboxStatus, Settled};
pub use prune::{Pruned, Retention, StoreSize};
pub use sessions::{SessionHead, SessionId, SessionNote, Sessions};
pub use sqlite::{Durability, SqliteOptions, SqliteStore};

/// A validated ledger that a run has followed: by it a store knows its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The run.
    pub run: RunId,
    /// The network's id, if a node said it.
    pub network_id: Option<u32>,
    /// Index of the newest validated ledger followed.
    pub index: LedgerIndex,
    /// Its hash.
    pub hash: Hash256,
}

/// What a store has of a run that is taken up again.
#[derive(Debug, Default)]
pub struct Resumed {
    /// Transactions without an end, oldest first.
    pub open: Vec<Record>,
    /// Those with an end on the Sequence or Ticket of one without: what became of the slot.
    pub ended_rivals: Vec<Record>,
    /// How many there are of each kind.
    pub counts: Vec<Count>,
}

/// How many transactions share these properties.
#[derive(Clone, Debug, PartialEq)]
pub struct Count {
    /// The state.
    pub state: State,
    /// The type.
    pub transaction_type: Arc<str>,
    /// The first preliminary result, where there is one.
    pub first: Option<ResultName>,
    /// The final result, where there is one.
    pub result: Option<ResultName>,
    /// Which way it was validated.
    pub source: Option<Source>,
    /// What it is meant to do.
    pub intent: IntentKind,
    /// Whether the result is what the intent predicts.
    pub predicted: bool,
    /// Whether a rejection was overturned.
    pub overturned: bool,
    /// Whether an end was taken back.
    pub revoked: bool,
    /// How many.
    pub n: u64,
}

/// What [`Store::create`] did.
#[derive(Clone, Debug, PartialEq)]
pub enum Created {
    /// It is new; this is its position.
    New(u64),
    /// The present run has it already.
    Known(Box<Record>),
}

/// Keeps transactions.
#[async_trait]
pub trait Store: Send + Sync + fmt::Debug + 'static {
    /// The newest ledger that the newest run followed; none if there is no run.
    async fn anchor(&self) -> Result<Option<Anchor>>;

    /// The hash that a run has for a ledger.
    async fn ledger_hash(&self, run: RunId, index: LedgerIndex) -> Result<Option<Hash256>>;

    /// Begins a new run: rows of earlier ones stay readable, none is resumed.
    async fn begin_run(&self, network_id: Option<u32>, started_at_ms: u64) -> Result<RunId>;

    /// Takes a run up again.
    async fn resume_run(&self, run: RunId) -> Result<Resumed>;

    /// Writes a new transaction of the present run. The answer comes once it is durable.
    fn create(&self, identity: Identity) -> oneshot::Receiver<Result<Created>>;

    /// Hands over a transaction's newest condition.
    fn update(&self, hash: TxHash, progress: Progress);

    /// Hands over a validated ledger that the present run follows.
    fn ledger(&self, index: LedgerIndex, hash: Hash256);

    /// Waits until everything handed over so far is written.
    async fn flush(&self) -> Result<()>;

    /// One transaction of the present run.
    async fn get(&self, hash: TxHash) -> Result<Option<Record>>;

    /// Ended transactions of the present run whose evidence
    /// [rests on](crate::evidence::Evidence::rests_on) a ledger, and those with an end that share a
    /// Sequence or Ticket with them.
    async fn resting_on(&self, ledger: LedgerIndex) -> Result<Vec<Record>>;

    /// The newest hashes of validated ledgers that a run has, at most `limit`, newest first.
    async fn newest_ledgers(&self, run: RunId, limit: usize)
    -> Result<Vec<(LedgerIndex, Hash256)>>;

    /// The first transaction of the present run with this [`CallersKey`](crate::record::CallersKey).
    async fn by_key(&self, key: &str) -> Result<Option<Record>>;

    /// Transactions after a cursor (a [`Record::id`]) in the filter's order, at most `limit`.
    async fn rows(
        &self,
        filter: &RowFilter,
        cursor: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Record>>;

    /// How many rows a filter selects.
    async fn count(&self, filter: &RowFilter) -> Result<u64>;

    /// All runs, oldest first.
    async fn runs(&self) -> Result<Vec<RunId>>;

    /// Operations handed over that failed, for metrics.
    fn failures(&self) -> u64;

    /// Ends that wait to be delivered, if this store keeps them.
    fn outbox(&self) -> Option<&dyn Outbox> {
        None
    }

    /// What is noted about sessions, if this store keeps it.
    fn sessions(&self) -> Option<&dyn Sessions> {
        None
    }

    /// Takes ended rows out that need not be kept, a slice of them; how many. A store that bounds
    /// itself has nothing to do.
    async fn prune(&self, _retention: Retention, _now_ms: u64) -> Result<u64> {
        Ok(0)
    }

    /// What has left a run's rows.
    async fn pruned(&self, _run: RunId) -> Result<Pruned> {
        Ok(Pruned::default())
    }

    /// How large it is.
    async fn size(&self) -> Result<StoreSize> {
        Ok(StoreSize::default())
    }
}
