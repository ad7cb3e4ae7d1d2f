//! Where transactions are kept: a small interface and two ways to keep it. A [`Store`] has runs, a
//! [`RunStore`] is the rows, ledgers and conditions of one.
//!
//! The tracker never waits for a store except once per transaction, for [`RunStore::create`]: its
//! CREATED row is durable before the first byte of the blob leaves. Everything else is handed over
//! and written in order.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod memory;
mod migrations;
pub mod outbox;
pub mod prune;
pub mod queue;

pub mod rows;
pub mod sessions;
mod sql_outbox;
mod sql_rows;
mod sql_writes;
pub mod sqlite;
mod sqlite_run;
mod writer;

use std::{any::Any, fmt, sync::Arc};

use async_trait::async_trait;
use tokio::sync::oneshot;
use xrpl_protocol::{Hash256, LedgerIndex, TxHash};

use crate::{
    error::{Error, Result},
    evidence::{ResultName, Source},
    lifecycle::State,
    record::{Identity, IntentKind, Progress, Record, RowFilter, RunId},
};

pub use memory::MemoryStore;
pub use outbox::{End, Outbox, OutboxStatus, Settled};
pub use prune::{Pruned, Retention, StoreSize};
pub use sessions::{SessionHead, SessionId, SessionNote, Sessions};
pub use sqlite::{Durability, SqliteOptions, SqliteStore};

/// The newest validated ledger that a run has followed: by it a run knows its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
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

/// What [`RunStore::create`] did.
#[derive(Clone, Debug, PartialEq)]
pub enum Created {
    /// It is new; this is its position.
    New(u64),
    /// The run has it already.
    Known(Box<Record>),
}

/// Room for one new row among those that wait to be written; given back where it is not used.
#[must_use]
pub struct Room(Option<Box<dyn Any + Send + Sync>>);

impl Room {
    /// Of a store that has always room.
    pub fn free() -> Self {
        Self(None)
    }

    /// Which is given back when `place` is dropped.
    pub fn held(place: impl Any + Send + Sync) -> Self {
        Self(Some(Box::new(place)))
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room").field("held", &self.0.is_some()).finish()
    }
}

/// Keeps runs. The rows of one are reached through its [`RunStore`] and in no other way: there is no
/// present run, and several may be written at a time.
#[async_trait]
pub trait Store: Send + Sync + fmt::Debug + 'static {
    /// All runs, oldest first.
    async fn runs(&self) -> Result<Vec<RunId>>;

    /// The newest run, which a restart may take up again; none if there is none.
    async fn newest(&self) -> Result<Option<Arc<dyn RunStore>>> {
        match self.runs().await?.last() {
            Some(run) => Ok(Some(self.open_run(*run).await?)),
            None => Ok(None),
        }
    }

    /// Begins a new run.
    async fn begin_run(
        &self,
        network_id: Option<u32>,
        started_at_ms: u64,
    ) -> Result<Arc<dyn RunStore>>;

    /// A run, to read it or to go on with it. [`Error::NoRun`] if there is none
    /// of that number.
    async fn open_run(&self, run: RunId) -> Result<Arc<dyn RunStore>>;

    /// Writes that failed, for metrics: new rows and other requests that were refused, conditions and
    /// ledgers that could not be written at once (each counted once, however often it is tried again),
    /// conditions of transactions that have no row.
    fn failures(&self) -> u64;

    /// Takes nothing more and waits until everything is written. What is written can be read still.
    /// [`Error::Unwritten`] tells what could not be.
    async fn close(&self) -> Result<()>;

    /// Ends that wait to be delivered, if this store keeps them: of all runs, so that those that an
    /// earlier run left behind are delivered while a later one goes on.
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

    /// How large it is.
    async fn size(&self) -> Result<StoreSize> {
        Ok(StoreSize::default())
    }
}

/// Keeps the transactions and ledgers of one run.
#[async_trait]
pub trait RunStore: Send + Sync + fmt::Debug + 'static {
    /// Which run.
    fn run(&self) -> RunId;

    /// The newest ledger that the run followed, if it followed one.
    async fn anchor(&self) -> Result<Option<Anchor>>;

    /// The hash that the run has for a ledger.
    async fn ledger_hash(&self, index: LedgerIndex) -> Result<Option<Hash256>>;

    /// The newest hashes of validated ledgers that the run has, at most `limit`, newest first.
    async fn newest_ledgers(&self, limit: usize) -> Result<Vec<(LedgerIndex, Hash256)>>;

    /// What is needed to go on with the run.
    async fn resume(&self) -> Result<Resumed>;

    /// Waits until one more new row may be handed over. This is how a store pushes back that cannot
    /// write as fast as it is asked to: whoever is about to hand in a transaction waits here, and nobody
    /// who tells of one that there is waits anywhere. An error if the store is closed.
    async fn room(&self) -> Result<Room> {
        Ok(Room::free())
    }

    /// Hands over a new transaction, where there is [room](Self::room) for it. The answer comes once it
    /// is durable; of several that are written together each has its own.
    fn create(&self, room: Room, identity: Identity) -> oneshot::Receiver<Result<Created>>;

    /// Writes a new transaction and waits until it is durable.
    async fn add(&self, identity: Identity) -> Result<Created> {
        let room = self.room().await?;
        let gone = || Error::Store("it did not say whether the row is durable".into());
        self.create(room, identity).await.map_err(|_| gone())?
    }

    /// Hands over a transaction's newest condition. The row keeps the one with the greatest
    /// [version](Progress::version), so that what comes late, from whomever, undoes nothing. An error if
    /// it cannot be taken; one that is taken and then not written, or has no row, counts among the
    /// [failures](Store::failures).
    fn update(&self, hash: TxHash, progress: Progress) -> Result<()>;

    /// Hands over a validated ledger that the run follows. Errors as with [`Self::update`].
    fn ledger(&self, index: LedgerIndex, hash: Hash256) -> Result<()>;

    /// Waits until everything handed over so far is written.
    async fn flush(&self) -> Result<()>;

    /// One transaction.
    async fn get(&self, hash: TxHash) -> Result<Option<Record>>;

    /// Ended transactions whose evidence [rests on](crate::evidence::Evidence::rests_on) a ledger, and
    /// those with an end that share a Sequence or Ticket with them.
    async fn resting_on(&self, ledger: LedgerIndex) -> Result<Vec<Record>>;

    /// The first transaction with this [`CallersKey`](crate::record::CallersKey).
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

    /// What has left the run's rows.
    async fn pruned(&self) -> Result<Pruned> {
        Ok(Pruned::default())
    }
}
