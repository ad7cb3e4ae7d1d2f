//! The store in a SQLite file.
//!
//! One thread writes. It takes everything that is waiting, writes it in one SQL transaction and
//! only then tells those who wait that their CREATED row is durable (group commit), so that cost
//! grows with commits, not with transactions. Of several conditions of one transaction in a group
//! only the newest is written.
//!
//! What a commit survives: the file is in WAL mode. With [`Durability::Process`] (synchronous =
//! NORMAL) a commit is in the operating system's hands: it survives `kill -9` at any instant, but a
//! power loss may take the newest ones back (the file stays consistent). With
//! [`Durability::Power`] (synchronous = FULL) each group is also flushed to the disk first.

use std::{
    collections::HashMap,
    fs::OpenOptions,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use async_trait::async_trait;
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use tokio::sync::oneshot;
use xrpl_protocol::{Hash256, LedgerIndex, TxHash, transaction::Slot};

use super::{
    Anchor, Created, Resumed, Store, migrations,
    sql_rows::{self, COLUMNS, json_text},
};
use crate::{
    error::{Error, Result},
    record::{Identity, Intent, Progress, Record, RowFilter, RunId},
};

/// Ledger hashes kept of a run, besides every 256th.
const LEDGERS_KEPT: u32 = 10_000;

/// Most operations written in one SQL transaction.
const GROUP: usize = 4_096;

/// What a commit survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The end of this process at any instant.
    #[default]
    Process,
    /// A power loss too.
    Power,
}

/// How a file is kept.
#[derive(Clone, Copy, Debug)]
pub struct SqliteOptions {
    /// What a commit survives.
    pub durability: Durability,
    /// How long the writer waits for more once there is something to write, when the last group
    /// had company.
    pub group_window: Duration,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { durability: Durability::default(), group_window: Duration::from_millis(2) }
    }
}

/// A store in a SQLite file, readable and writable by its owner only.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    /// Dropping it ends the writer, once everything is written.
    to_writer: Option<mpsc::Sender<Operation>>,
    writer: Option<thread::JoinHandle<()>>,
    reader: Arc<Mutex<Connection>>,
    failures: Arc<AtomicU64>,
}

enum Operation {
    Create(Box<Identity>, oneshot::Sender<Result<Created>>),
    Update(TxHash, Box<Progress>),
    Ledger(LedgerIndex, Hash256),
    Begin(Option<u32>, u64, oneshot::Sender<Result<RunId>>),
    Resume(RunId, oneshot::Sender<Result<()>>),
    Flush(oneshot::Sender<Result<()>>),
}

impl SqliteStore {
    /// Opens or makes a file.
    ///
    /// # Errors
    /// The file cannot be opened, is no SQLite file, or was written by a newer program.
    pub fn open(path: impl AsRef<Path>, options: SqliteOptions) -> Result<Self> {
        let path = path.as_ref().to_owned();
        own(&path)?;
        let mut writing = connect(&path, options.durability)?;
        migrations::migrate(&mut writing)?;
        let reader = Arc::new(Mutex::new(connect(&path, options.durability)?));
        let failures = Arc::new(AtomicU64::new(0));
        let run = writing
            .query_row("SELECT max(id) FROM runs", [], |row| row.get::<_, Option<u64>>(0))?
            .map(RunId);
        let (to_writer, operations) = mpsc::channel();
        let writer = Writer { connection: writing, run, failures: Arc::clone(&failures) };
        let handle = thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer.work(&operations, options.group_window))
            .map_err(|e| Error::Store(format!("no thread for the writer: {e}")))?;
        Ok(Self { path, to_writer: Some(to_writer), writer: Some(handle), reader, failures })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn hand_over(&self, operation: Operation) {
        let sent = self.to_writer.as_ref().is_some_and(|writer| writer.send(operation).is_ok());
        if !sent {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn ask<T>(
        &self,
        operation: impl FnOnce(oneshot::Sender<Result<T>>) -> Operation,
    ) -> Result<T> {
        let (tell, told) = oneshot::channel();
        self.hand_over(operation(tell));
        told.await.map_err(|_| Error::Store("the writer has ended".into()))?
    }

    /// Reads on a thread where waiting for the disk is no harm, after everything handed over is
    /// written.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.flush().await?;
        let reader = Arc::clone(&self.reader);
        tokio::task::spawn_blocking(move || read(&reader.lock()))
            .await
            .map_err(|e| Error::Store(format!("a reader failed: {e}")))?
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        drop(self.to_writer.take());
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has said so already.
            let _ = writer.join();
        }
    }
}

/// Makes the file, or takes group and others their rights to it: blobs and history are nobody
/// else's business. SQLite gives its side files the rights of the main one.
fn own(path: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file =
        options.open(path).map_err(|e| Error::Store(format!("opening {}: {e}", path.display())))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(0o600))
            .map_err(|e| Error::Store(format!("rights of {}: {e}", path.display())))?;
    }
    drop(file);
    Ok(())
}

fn connect(path: &Path, durability: Durability) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let synchronous = match durability {
        Durability::Process => "NORMAL",
        Durability::Power => "FULL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

struct Writer {
    connection: Connection,
    run: Option<RunId>,
    failures: Arc<AtomicU64>,
}

/// What is told once the group is committed.
type Ack = Box<dyn FnOnce(std::result::Result<(), String>)>;

impl Writer {
    fn work(mut self, operations: &mpsc::Receiver<Operation>, window: Duration) {
        let mut company = false;
        let mut group = Vec::with_capacity(GROUP);
        while let Ok(first) = operations.recv() {
            let urgent = matches!(first, Operation::Flush(_));
            group.push(first);
            if company && !urgent {
                thread::sleep(window);
            }
            while group.len() < GROUP
                && let Ok(next) = operations.try_recv()
            {
                group.push(next);
            }
            company = group.len() > 2;
            self.write(&mut group);
        }
    }

    fn write(&mut self, group: &mut Vec<Operation>) {
        let mut acks: Vec<Ack> = Vec::new();
        let size = group.len();
        let written = self.write_group(group, &mut acks);
        if let Err(error) = &written {
            self.failures.fetch_add(size as u64, Ordering::Relaxed);
            tracing::error!(%error, "the store could not write a group of {size}");
        }
        for ack in acks {
            ack(written.as_ref().copied().map_err(ToString::to_string));
        }
        // On failure some were not reached: dropping their senders tells those who wait.
        group.clear();
    }

    fn write_group(&mut self, group: &mut Vec<Operation>, acks: &mut Vec<Ack>) -> Result<()> {
        // Of several conditions of one transaction only the newest needs writing.
        let mut newest: HashMap<TxHash, usize> = HashMap::new();
        for (at, operation) in group.iter().enumerate() {
            if let Operation::Update(hash, _) = operation {
                newest.insert(*hash, at);
            }
        }
        let change = self.connection.transaction()?;
        let mut run = self.run;
        for (at, operation) in group.drain(..).enumerate() {
            match operation {
                Operation::Create(identity, tell) => {
                    let made = create(&change, run, *identity)?;
                    acks.push(Box::new(move |done| {
                        let _ = tell.send(done.map(|()| made).map_err(Error::Store));
                    }));
                }
                Operation::Update(hash, progress) => {
                    if newest.get(&hash) == Some(&at) {
                        update(&change, run, hash, &progress)?;
                    }
                }
                Operation::Ledger(index, hash) => {
                    note_ledger(&change, run, index, hash)?;
                }
                Operation::Begin(network_id, started_at_ms, tell) => {
                    change.execute(
                        "INSERT INTO runs (network_id, started_at_ms) VALUES (?1, ?2)",
                        params![network_id, started_at_ms],
                    )?;
                    let id = RunId(u64::try_from(change.last_insert_rowid()).unwrap_or(0));
                    run = Some(id);
                    acks.push(Box::new(move |done| {
                        let _ = tell.send(done.map(|()| id).map_err(Error::Store));
                    }));
                }
                Operation::Resume(id, tell) => {
                    run = Some(id);
                    acks.push(Box::new(move |done| {
                        let _ = tell.send(done.map_err(Error::Store));
                    }));
                }
                Operation::Flush(tell) => acks.push(Box::new(move |done| {
                    let _ = tell.send(done.map_err(Error::Store));
                })),
            }
        }
        change.commit()?;
        self.run = run;
        Ok(())
    }
}

fn run_number(run: Option<RunId>) -> Result<u64> {
    run.map(|run| run.0).ok_or_else(|| Error::Store("no run has begun".into()))
}

fn create(change: &Transaction<'_>, run: Option<RunId>, identity: Identity) -> Result<Created> {
    let run = run_number(run)?;
    let (slot, is_ticket) = match identity.slot {
        Slot::Sequence(n) => (n.0, false),
        Slot::Ticket(n) => (n.0, true),
    };
    let expected = match &identity.intent {
        Intent::Valid => None,
        Intent::Invalid { expected } => Some(json_text(expected)?),
    };
    let made = change
        .prepare_cached(
            "INSERT INTO transactions (run, hash, account, slot, is_ticket, last_ledger_sequence,
                transaction_type, expected, created_ledger, created_at_ms, blob, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0)
             ON CONFLICT (run, hash) DO NOTHING",
        )?
        .execute(params![
            run,
            identity.hash.0,
            identity.account.0,
            slot,
            is_ticket,
            identity.last_ledger_sequence.map(|l| l.0),
            &*identity.transaction_type,
            expected,
            identity.created_ledger.0,
            identity.created_at_ms,
            &identity.blob[..],
        ])?;
    if made == 1 {
        return Ok(Created::New(u64::try_from(change.last_insert_rowid()).unwrap_or(0)));
    }
    let known = sql_rows::get(change, RunId(run), identity.hash)?;
    known
        .map(|record| Created::Known(Box::new(record)))
        .ok_or_else(|| Error::Store("a row conflicts with one that is not there".into()))
}

fn update(
    change: &Transaction<'_>,
    run: Option<RunId>,
    hash: TxHash,
    progress: &Progress,
) -> Result<()> {
    let place = progress.validated.as_ref();
    let list = |text: String| (text != "[]").then_some(text);
    change
        .prepare_cached(
            "UPDATE transactions SET state = ?3, undecided = ?4, overturned = ?5, attempts = ?6,
                engine_result_first = ?7, engine_result_last = ?8, engine_result_final = ?9,
                validated_ledger = ?10, ledger_hash = ?11, source = ?12, evidence = ?13,
                preliminary = ?14, sightings = ?15, first_answer_ms = ?16, finality_ms = ?17,
                finality_ledgers = ?18
             WHERE run = ?1 AND hash = ?2",
        )?
        .execute(params![
            run_number(run)?,
            hash.0,
            progress.state as u8,
            progress.undecided,
            progress.overturned,
            progress.attempts,
            progress.engine_result_first.as_ref().map(|r| r.as_str()),
            progress.engine_result_last.as_ref().map(|r| r.as_str()),
            progress.engine_result_final().as_ref().map(|r| r.as_str()),
            place.map(|p| p.ledger_index.0),
            place.and_then(|p| p.ledger_hash).map(|h| h.0),
            place.map(|p| p.source.name()),
            progress.evidence.as_deref().map(json_text).transpose()?,
            list(json_text(&progress.preliminary[..])?),
            list(json_text(&progress.sightings[..])?),
            progress.latencies.first_answer_ms,
            progress.latencies.finality_ms,
            progress.latencies.finality_ledgers,
        ])?;
    Ok(())
}

fn note_ledger(
    change: &Transaction<'_>,
    run: Option<RunId>,
    index: LedgerIndex,
    hash: Hash256,
) -> Result<()> {
    let run = run_number(run)?;
    change
        .prepare_cached(
            "INSERT OR REPLACE INTO ledgers (run, ledger_index, hash) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![run, index.0, hash.0])?;
    let old = index.0.saturating_sub(LEDGERS_KEPT);
    if !old.is_multiple_of(256) {
        change
            .prepare_cached("DELETE FROM ledgers WHERE run = ?1 AND ledger_index = ?2")?
            .execute(params![run, old])?;
    }
    Ok(())
}

fn newest_run(connection: &Connection) -> Result<Option<RunId>> {
    let newest: Option<u64> =
        connection.query_row("SELECT max(id) FROM runs", [], |row| row.get(0))?;
    Ok(newest.map(RunId))
}

fn hash_column(bytes: [u8; 32]) -> Hash256 {
    Hash256(bytes)
}

#[async_trait]
impl Store for SqliteStore {
    async fn anchor(&self) -> Result<Option<Anchor>> {
        self.read(|connection| {
            let Some(run) = newest_run(connection)? else { return Ok(None) };
            let network_id = connection.query_row(
                "SELECT network_id FROM runs WHERE id = ?1",
                [run.0],
                |row| row.get(0),
            )?;
            let newest = connection
                .query_row(
                    "SELECT ledger_index, hash FROM ledgers WHERE run = ?1
                     ORDER BY ledger_index DESC LIMIT 1",
                    [run.0],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?;
            Ok(newest.map(|(index, hash)| Anchor {
                run,
                network_id,
                index: LedgerIndex(index),
                hash: hash_column(hash),
            }))
        })
        .await
    }

    async fn ledger_hash(&self, run: RunId, index: LedgerIndex) -> Result<Option<Hash256>> {
        self.read(move |connection| {
            let hash = connection
                .query_row(
                    "SELECT hash FROM ledgers WHERE run = ?1 AND ledger_index = ?2",
                    params![run.0, index.0],
                    |row| row.get(0),
                )
                .optional()?;
            Ok(hash.map(hash_column))
        })
        .await
    }

    async fn begin_run(&self, network_id: Option<u32>, started_at_ms: u64) -> Result<RunId> {
        self.ask(|tell| Operation::Begin(network_id, started_at_ms, tell)).await
    }

    async fn resume_run(&self, run: RunId) -> Result<Resumed> {
        self.ask(|tell| Operation::Resume(run, tell)).await?;
        self.read(move |connection| {
            let mut resumed = Resumed::default();
            let sql = format!(
                "SELECT {COLUMNS} FROM transactions WHERE run = ?1 AND state < 3 ORDER BY id"
            );
            let mut open = connection.prepare(&sql)?;
            let rows = open.query_map([run.0], sql_rows::read_row)?;
            for row in rows {
                resumed.open.push(row?);
            }
            resumed.counts = sql_rows::counts(connection, run)?;
            Ok(resumed)
        })
        .await
    }

    fn create(&self, identity: Identity) -> oneshot::Receiver<Result<Created>> {
        let (tell, told) = oneshot::channel();
        self.hand_over(Operation::Create(Box::new(identity), tell));
        told
    }

    fn update(&self, hash: TxHash, progress: Progress) {
        self.hand_over(Operation::Update(hash, Box::new(progress)));
    }

    fn ledger(&self, index: LedgerIndex, hash: Hash256) {
        self.hand_over(Operation::Ledger(index, hash));
    }

    async fn flush(&self) -> Result<()> {
        self.ask(Operation::Flush).await
    }

    async fn get(&self, hash: TxHash) -> Result<Option<Record>> {
        self.read(move |connection| match newest_run(connection)? {
            Some(run) => sql_rows::get(connection, run, hash),
            None => Ok(None),
        })
        .await
    }

    async fn rows(
        &self,
        filter: &RowFilter,
        cursor: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Record>> {
        let filter = filter.clone();
        self.read(move |connection| {
            let Some(run) = newest_run(connection)? else { return Ok(Vec::new()) };
            sql_rows::select(connection, &filter, filter.run.unwrap_or(run), cursor, limit)
        })
        .await
    }

    async fn count(&self, filter: &RowFilter) -> Result<u64> {
        let filter = filter.clone();
        self.read(move |connection| {
            let Some(run) = newest_run(connection)? else { return Ok(0) };
            sql_rows::count(connection, &filter, filter.run.unwrap_or(run))
        })
        .await
    }

    async fn runs(&self) -> Result<Vec<RunId>> {
        self.read(|connection| {
            let mut runs = connection.prepare("SELECT id FROM runs ORDER BY id")?;
            let ids = runs.query_map([], |row| row.get(0))?;
            ids.map(|id| Ok(RunId(id?))).collect()
        })
        .await
    }

    fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }
}
