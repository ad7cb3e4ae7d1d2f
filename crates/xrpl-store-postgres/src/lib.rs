//! Keeps the transactions that `xrpl-tracker` follows in PostgreSQL.
//!
//! One task writes, as one thread does for SQLite: it takes everything that waits in a
//! [queue](xrpl_tracker::store::queue), writes it in one transaction and only then tells those who wait
//! that their rows are durable. Statements of a group go out together, without waiting for each other's
//! answers. A connection that breaks is made anew; what was not written waits meanwhile.
//!
//! | module | |
//! |---|---|
//! | `writer`, `writes` | groups, and what each change is in SQL |
//! | `run`, `reads` | the rows of a run |
//! | `ends`, `sessions`, `prune` | what waits to be told, what is noted of sessions, what leaves |
//! | `columns` | what a row is in columns |

mod columns;
mod ends;
mod prune;
mod reads;
mod run;
mod sessions;
mod writer;
mod writes;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::{Mutex, Notify, oneshot};
use tokio_postgres::{Client, Config};
use xrpl_tracker::{
    Error, Result, RunId, RunStore, Store,
    store::{
        End, Outbox, OutboxStatus, Retention, SessionHead, SessionId, SessionNote, Sessions,
        Settled, StoreSize,
        queue::{Needs, Operation, Queue},
    },
};

use self::{
    columns::{flag, number, signed},
    run::PostgresRun,
    writer::{Ends, Writer},
    writes::{Connection, connect, told},
};

/// The schema that this program knows, step by step. A step once released never changes.
const STEPS: [&str; 1] = [include_str!("schema.sql")];

/// By which those that bring a database up to date take turns.
const TURN: i64 = 0x7872_706c_7374;

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
/// Nothing here keeps two programs from going on with the same run, as a file's lock does: whoever opens a
/// run sees to it that nobody else does. Connections are not encrypted: a configuration that asks for that
/// is refused.
#[derive(Debug)]
pub struct PostgresStore {
    shared: Arc<Shared>,
}

/// What the store and its runs share.
pub(crate) struct Shared {
    config: Config,
    pub(crate) queue: Arc<Queue>,
    ends: Arc<Ends>,
    /// The connection that reads, made anew when it has broken.
    reader: Mutex<Option<Arc<Client>>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The configuration has a password.
        f.debug_struct("Shared").field("queue", &self.queue).finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl PostgresStore {
    /// Opens the store of a database, and makes its tables where there are none.
    ///
    /// # Errors
    /// It cannot be reached, or was written by a newer program.
    pub async fn open(config: Config) -> Result<Self> {
        migrate(&config).await?;
        let queue = Queue::new(MOST_WAITING);
        let ends = Arc::<Ends>::default();
        let connection = Connection::open(&config).await?;
        let writer = Writer::new(config.clone(), connection, Arc::clone(&queue), Arc::clone(&ends));
        tokio::spawn(writer.work(GROUP_WINDOW));
        Ok(Self { shared: Arc::new(Shared { config, queue, ends, reader: Mutex::default() }) })
    }

    fn run(&self, run: RunId) -> Arc<dyn RunStore> {
        Arc::new(PostgresRun { shared: Arc::clone(&self.shared), run })
    }
}

/// Brings a database up to date.
async fn migrate(config: &Config) -> Result<()> {
    let known = STEPS.len() as u32;
    let mut client = connect(config).await?;
    let failed = |error| told(&error);
    let change = client.transaction().await.map_err(failed)?;
    change.execute("SELECT pg_advisory_xact_lock($1)", &[&TURN]).await.map_err(failed)?;
    change
        .batch_execute("CREATE TABLE IF NOT EXISTS store_schema (version BIGINT NOT NULL)")
        .await
        .map_err(failed)?;
    let found = change.query_opt("SELECT version FROM store_schema", &[]).await.map_err(failed)?;
    let found: u32 = found.map_or(Ok(0), |row| number(&row, 0))?;
    if found > known {
        return Err(Error::NewerSchema { found, known });
    }
    for step in &STEPS[found as usize..] {
        change.batch_execute(step).await.map_err(failed)?;
    }
    change.batch_execute("DELETE FROM store_schema").await.map_err(failed)?;
    change
        .execute("INSERT INTO store_schema VALUES ($1)", &[&i64::from(known)])
        .await
        .map_err(failed)?;
    change.commit().await.map_err(failed)
}

impl Shared {
    pub(crate) async fn ask<T>(
        &self,
        operation: impl FnOnce(oneshot::Sender<Result<T>>) -> Operation,
    ) -> Result<T> {
        let (tell, told) = oneshot::channel();
        self.queue.ask(operation(tell))?;
        told.await.map_err(|_| Error::Store("the writer has ended".into()))?
    }

    /// The connection that reads, once what is needed of everything handed over before is written.
    pub(crate) async fn reader(&self, needs: Needs) -> Result<Arc<Client>> {
        if let Err(error) = self.ask(|tell| Operation::Wait(needs, tell)).await {
            if !self.queue.is_closed() {
                return Err(error);
            }
            // What could be written then is.
            self.queue.ended().await;
        }
        self.reader_now().await
    }

    async fn reader_now(&self) -> Result<Arc<Client>> {
        let mut reader = self.reader.lock().await;
        if let Some(client) = reader.as_ref().filter(|client| !client.is_closed()) {
            return Ok(Arc::clone(client));
        }
        let client = Arc::new(connect(&self.config).await?);
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
        self.shared.queue.failures()
    }

    async fn close(&self) -> Result<()> {
        self.shared.queue.close();
        let unwritten = self.shared.queue.ended().await;
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
