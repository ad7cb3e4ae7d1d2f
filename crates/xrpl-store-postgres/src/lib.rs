//! Keeps the transactions that `xrpl-tracker` follows in PostgreSQL.
//!
//! One task writes, as one thread does for SQLite: it takes everything that waits in a
//! [queue](xrpl_tracker::store::queue), writes it in one transaction and only then tells those who wait
//! that their rows are durable. Statements of a group go out together, without waiting for each other's
//! answers. A connection that breaks is made anew; what was not written waits meanwhile, new rows too, so
//! that nothing new is sent for as long as the server is away.
//!
//! One program at a time writes a store. The connection that writes holds a lock of the server's: whoever
//! lost it has lost the connection by which he could write. Coming back he goes on only if nobody else
//! has held it in between.
//!
//! | module | |
//! |---|---|
//! | `address`, `tls`, `connect` | where the store is; connections, the lock, and the tables' versions |
//! | `writer`, `writes` | groups, and what each change is in SQL |
//! | `run`, `reads` | the rows of a run |
//! | `ends`, `sessions`, `prune` | what waits to be told, what is noted of sessions, what leaves |
//! | `columns` | what a row is in columns |

mod address;
mod columns;
mod connect;
mod ends;
mod prune;
mod reads;
mod run;
mod sessions;
mod tls;
mod writer;
mod writes;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::{Mutex, Notify, oneshot};
use tokio_postgres::Client;
use xrpl_tracker::{
    Error, Result, RunId, RunStore, Store,
    store::{
        End, Outbox, OutboxStatus, Retention, SessionHead, SessionId, SessionNote, Sessions,
        Settled, StoreSize,
        queue::{Needs, Operation, Queue},
    },
};

pub use self::address::{Address, AddressError, Environment};
use self::{
    address::Target,
    columns::{flag, number, signed},
    connect::{Refused, connect, is_held, is_up_to_date, told},
    run::PostgresRun,
    writer::{Ends, Writer},
    writes::Connection,
};

/// As many conditions and new rows as may wait to be written before whoever hands in a transaction waits
/// too.
const MOST_WAITING: usize = 65_536;

/// How long the writer waits for more once there is something to write, when the last group had company.
const GROUP_WINDOW: Duration = Duration::from_millis(2);

/// A store in a PostgreSQL database.
///
/// [`close`](Store::close) waits until everything is written; one that is only dropped is written by a
/// task that goes on until then, if its runtime does.
///
/// While the server is away, new rows and conditions wait until it is back, and everything else fails at
/// once.
#[derive(Debug)]
pub struct PostgresStore {
    shared: Arc<Shared>,
}

/// What the store and its runs share.
pub(crate) struct Shared {
    target: Target,
    /// None where the store is only read.
    queue: Option<Arc<Queue>>,
    ends: Arc<Ends>,
    /// The connection that reads, made anew when it has broken.
    reader: Mutex<Option<Arc<Client>>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The target has a password.
        f.debug_struct("Shared").field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(queue) = &self.queue {
            queue.close();
        }
    }
}

impl PostgresStore {
    /// Opens the store of a database to write it, and makes its tables where there are none.
    ///
    /// # Errors
    /// It cannot be reached, another program writes it ([`Error::InUse`]), or it was written by a newer
    /// program.
    pub async fn open(address: &Address) -> Result<Self> {
        let target = address.target()?;
        let (connection, holder) = match Connection::open(&target, None).await {
            Ok(opened) => opened,
            Err(Refused::Now(error) | Refused::ForEver(error)) => return Err(error),
        };
        let queue = Queue::new(MOST_WAITING);
        let ends = Arc::<Ends>::default();
        let (to, told) = (Arc::clone(&queue), Arc::clone(&ends));
        tokio::spawn(Writer::new(target.clone(), connection, holder, to, told).work(GROUP_WINDOW));
        Ok(Self::of(target, Some(queue), ends))
    }

    /// Opens the store of a database to read it, even while another program writes it. What would change
    /// it fails.
    ///
    /// # Errors
    /// It cannot be reached, has no store, or one of another version than this program's.
    pub async fn open_to_read(address: &Address) -> Result<Self> {
        let store = Self::of(address.target()?, None, Arc::default());
        is_up_to_date(&*store.shared.reader_now().await?).await?;
        Ok(store)
    }

    /// Whether a program writes the store now.
    ///
    /// # Errors
    /// The server does not say.
    pub async fn is_written(&self) -> Result<bool> {
        is_held(&*self.shared.reader_now().await?).await
    }

    fn of(target: Target, queue: Option<Arc<Queue>>, ends: Arc<Ends>) -> Self {
        Self { shared: Arc::new(Shared { target, queue, ends, reader: Mutex::default() }) }
    }

    fn run(&self, run: RunId) -> Arc<dyn RunStore> {
        Arc::new(PostgresRun { shared: Arc::clone(&self.shared), run })
    }
}

impl Shared {
    /// What the writer takes from, unless the store is only read.
    pub(crate) fn queue(&self) -> Result<&Arc<Queue>> {
        self.queue.as_ref().ok_or_else(|| Error::Store("it is only read".into()))
    }

    pub(crate) async fn ask<T>(
        &self,
        operation: impl FnOnce(oneshot::Sender<Result<T>>) -> Operation,
    ) -> Result<T> {
        let (tell, told) = oneshot::channel();
        self.queue()?.ask(operation(tell))?;
        told.await.map_err(|_| Error::Store("the writer has ended".into()))?
    }

    /// The connection that reads, once what is needed of everything handed over before is written.
    pub(crate) async fn reader(&self, needs: Needs) -> Result<Arc<Client>> {
        if let Some(queue) = &self.queue
            && let Err(error) = self.ask(|tell| Operation::Wait(needs, tell)).await
        {
            if !queue.is_closed() {
                return Err(error);
            }
            // What could be written then is.
            queue.ended().await;
        }
        self.reader_now().await
    }

    async fn reader_now(&self) -> Result<Arc<Client>> {
        let mut reader = self.reader.lock().await;
        if let Some(client) = reader.as_ref().filter(|client| !client.is_closed()) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(connect(&self.target).await?);
        *reader = Some(Arc::clone(&client));
        Ok(client)
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn runs(&self) -> Result<Vec<RunId>> {
        let client = self.shared.reader(Needs::New).await?;
        let rows = client.query("SELECT id FROM runs ORDER BY id", &[]).await;
        let rows = rows.map_err(|error| told(&error))?;
        rows.iter().map(|row| Ok(RunId(number(row, 0)?))).collect()
    }

    async fn begin_run(
        &self,
        network_id: Option<u32>,
        started_at_ms: u64,
    ) -> Result<Arc<dyn RunStore>> {
        let run = self.shared.ask(|tell| Operation::Begin(network_id, started_at_ms, tell)).await?;
        Ok(self.run(run))
    }

    async fn open_run(&self, run: RunId) -> Result<Arc<dyn RunStore>> {
        let client = self.shared.reader(Needs::New).await?;
        let there = "SELECT EXISTS (SELECT 1 FROM runs WHERE id = $1)";
        let there = client.query_one(there, &[&signed(run.0)?]).await;
        match flag(&there.map_err(|error| told(&error))?, 0)? {
            true => Ok(self.run(run)),
            false => Err(Error::NoRun(run)),
        }
    }

    fn failures(&self) -> u64 {
        self.shared.queue.as_ref().map_or(0, |queue| queue.failures())
    }

    async fn close(&self) -> Result<()> {
        let Some(queue) = &self.shared.queue else { return Ok(()) };
        queue.close();
        let unwritten = queue.ended().await;
        match unwritten.conditions + unwritten.ledgers {
            0 => Ok(()),
            _ => Err(Error::Unwritten(unwritten)),
        }
    }

    fn outbox(&self) -> Option<&dyn Outbox> {
        Some(self)
    }

    fn sessions(&self) -> Option<&dyn Sessions> {
        Some(self)
    }

    async fn prune(&self, retention: Retention, now_ms: u64) -> Result<u64> {
        self.shared.ask(|tell| Operation::Prune(retention, now_ms, tell)).await
    }

    async fn size(&self) -> Result<StoreSize> {
        prune::size(&*self.shared.reader(Needs::New).await?).await
    }
}

#[async_trait]
impl Outbox for PostgresStore {
    fn keep(&self) {
        self.shared.ends.kept.store(true, Ordering::Relaxed);
    }

    async fn due(&self, now_ms: u64, limit: usize) -> Result<Vec<End>> {
        ends::due(&*self.shared.reader_now().await?, now_ms, limit).await
    }

    async fn settle(&self, settled: Settled) -> Result<()> {
        self.shared.ask(|tell| Operation::Settle(Box::new(settled), tell)).await
    }

    async fn status(&self) -> Result<OutboxStatus> {
        ends::status(&*self.shared.reader_now().await?).await
    }

    fn bell(&self) -> &Notify {
        &self.shared.ends.bell
    }
}

#[async_trait]
impl Sessions for PostgresStore {
    async fn begin_session(&self, run: RunId, began_at_ms: u64) -> Result<SessionId> {
        self.shared.ask(|tell| Operation::BeginSession(run, began_at_ms, tell)).await
    }

    async fn note_session(&self, id: SessionId, note: SessionNote) -> Result<()> {
        self.shared.ask(|tell| Operation::NoteSession(id, Box::new(note), tell)).await
    }

    async fn session_heads(&self) -> Result<Vec<SessionHead>> {
        sessions::heads(&*self.shared.reader_now().await?).await
    }

    async fn session_text(&self, id: SessionId) -> Result<Option<String>> {
        sessions::text_of(&*self.shared.reader_now().await?, id).await
    }
}
