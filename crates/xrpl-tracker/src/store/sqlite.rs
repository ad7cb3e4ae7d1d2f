//! The store in a SQLite file.
//!
//! One thread writes. It takes everything that is waiting, writes it in one SQL transaction and
//! only then tells those who wait that their CREATED row is durable (group commit), so that cost
//! grows with commits, not with transactions. New rows go first; conditions of known ones follow a
//! share at a time, so that a ledger's thousands of validations do not hold up what is about to be
//! sent. Of several conditions of one transaction that wait only the newest is written. What could
//! not be written stays and is tried again.
//!
//! What a commit survives: the file is in WAL mode. With [`Durability::Process`] (synchronous =
//! NORMAL) a commit is in the operating system's hands: it survives `kill -9` at any instant, but a
//! power loss may take the newest ones back (the file stays consistent). With
//! [`Durability::Power`] (synchronous = FULL) each group is also flushed to the disk first.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Notify, oneshot};

use super::{
    End, Outbox, OutboxStatus, Retention, RunStore, SessionHead, SessionId, SessionNote, Sessions,
    Settled, Store, StoreSize, migrations, prune,
    queue::{Needs, Operation, Queue},
    sessions, sql_outbox,
    sqlite_run::SqliteRun,
    writer::{Ends, Writer},
};
use crate::{
    error::{Error, Result, Unwritten},
    record::RunId,
};

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
    /// As many conditions, new rows and the like as may wait to be written before whoever hands in a
    /// transaction waits too.
    pub most_waiting: usize,
    /// Most pages of 4 KiB that the file may have; none for as many as the disk takes.
    pub max_pages: Option<u32>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            group_window: Duration::from_millis(2),
            most_waiting: 65_536,
            max_pages: None,
        }
    }
}

/// A store in a SQLite file, readable and writable by its owner only. The file is let go once the
/// store and every run that was opened are dropped.
#[derive(Debug)]
pub struct SqliteStore {
    file: Arc<SqliteFile>,
}

/// The file, as the store and its runs share it.
#[derive(Debug)]
pub(super) struct SqliteFile {
    path: PathBuf,
    /// To the writer, where the file is written here. Closing it ends the writer, once everything is
    /// written.
    queue: Option<Arc<Queue>>,
    writer: Option<thread::JoinHandle<()>>,
    reader: Mutex<Connection>,
    ends: Arc<Ends>,
}

impl SqliteStore {
    /// Opens or makes a file.
    ///
    /// # Errors
    /// The file cannot be opened, is no SQLite file, or was written by a newer program.
    pub fn open(path: impl AsRef<Path>, options: SqliteOptions) -> Result<Self> {
        let path = path.as_ref().to_owned();
        own(&path)?;
        let lock = lock(&path)?;
        let mut writing = connect(&path, options.durability)?;
        migrations::migrate(&mut writing)?;
        if let Some(pages) = options.max_pages {
            writing.pragma_update(None, "max_page_count", pages)?;
        }
        let reader = Mutex::new(connect(&path, options.durability)?);
        let queue = Queue::new(options.most_waiting);
        let ends = Arc::<Ends>::default();
        // With it the file is let go, when the writer ends.
        let writer = Writer::new(writing, Arc::clone(&queue), Arc::clone(&ends), lock);
        let handle = thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer.work(options.group_window))
            .map_err(|e| Error::Store(format!("no thread for the writer: {e}")))?;
        Ok(Self::of(SqliteFile { path, queue: Some(queue), writer: Some(handle), reader, ends }))
    }

    /// Opens a file to read it, even while another process writes it. What would change it fails.
    ///
    /// In a directory that cannot be written SQLite cannot make the files that readers of a
    /// write-ahead log share; a finished run's file is read without them.
    ///
    /// # Errors
    /// There is no such file, it is no SQLite file, or of another schema than this program's.
    pub fn open_to_read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || {
            let connection = Connection::open_with_flags(&path, flags)?;
            connection.busy_timeout(Duration::from_secs(10))?;
            migrations::check(&connection)?;
            Ok(connection)
        };
        let connection = open().or_else(|error: Error| {
            match log_path(&path).metadata().is_ok_and(|log| log.len() > 0) {
                // What the log holds would be missing.
                true => Err(error),
                false => open_unchanging(&path).or(Err(error)),
            }
        })?;
        Ok(Self::of(SqliteFile {
            path,
            queue: None,
            writer: None,
            reader: Mutex::new(connection),
            ends: Arc::default(),
        }))
    }

    /// Whether a process writes this file now.
    #[must_use]
    pub fn is_written(path: impl AsRef<Path>) -> bool {
        let held = File::open(lock_path(path.as_ref())).map(|file| file.try_lock_shared());
        matches!(held, Ok(Err(TryLockError::WouldBlock)))
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    fn of(file: SqliteFile) -> Self {
        Self { file: Arc::new(file) }
    }

    fn run(&self, run: RunId) -> Arc<dyn RunStore> {
        Arc::new(SqliteRun::new(Arc::clone(&self.file), run))
    }
}

impl SqliteFile {
    /// What the writer takes from, unless the file is only read.
    pub(super) fn queue(&self) -> Result<&Arc<Queue>> {
        self.queue.as_ref().ok_or_else(|| Error::Store("it is only read".into()))
    }

    pub(super) async fn ask<T>(
        &self,
        operation: impl FnOnce(oneshot::Sender<Result<T>>) -> Operation,
    ) -> Result<T> {
        let (tell, told) = oneshot::channel();
        self.queue()?.ask(operation(tell))?;
        told.await.map_err(|_| Error::Store("the writer has ended".into()))?
    }

    /// Reads after what is needed of everything handed over before is written.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        needs: Needs,
        read: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if let Some(queue) = &self.queue
            && let Err(error) = self.ask(|tell| Operation::Wait(needs, tell)).await
        {
            if !queue.is_closed() {
                return Err(error);
            }
            // What could be written then is.
            queue.ended().await;
        }
        self.read_now(read).await
    }

    /// Reads what is written, on a thread where waiting for the disk is no harm.
    pub(super) async fn read_now<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let file = Arc::clone(self);
        tokio::task::spawn_blocking(move || read(&file.reader.lock()))
            .await
            .map_err(|e| Error::Store(format!("a reader failed: {e}")))?
    }
}

impl Drop for SqliteFile {
    fn drop(&mut self) {
        if let Some(queue) = &self.queue {
            queue.close();
        }
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

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn lock_path(path: &Path) -> PathBuf {
    beside(path, ".lock")
}

/// SQLite's write-ahead log of a file.
fn log_path(path: &Path) -> PathBuf {
    beside(path, "-wal")
}

/// Opens a file that nobody changes, without the files that SQLite makes beside it.
fn open_unchanging(path: &Path) -> Result<Connection> {
    let text = path.to_str().ok_or_else(|| Error::Store("its name is not UTF-8".into()))?;
    let escaped = text.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)?;
    migrations::check(&connection)?;
    Ok(connection)
}

/// How long whoever has the file may take to let go of it: one that is ending does so soon.
const LETTING_GO: Duration = Duration::from_secs(2);

/// Takes the file for this process: two that send from one store would use the same Sequences.
fn lock(path: &Path) -> Result<File> {
    let beside = lock_path(path);
    let failed = |e: std::io::Error| Error::Store(format!("locking {}: {e}", beside.display()));
    own(&beside)?;
    let file = File::open(&beside).map_err(failed)?;
    let since = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if since.elapsed() < LETTING_GO => {
                thread::sleep(Duration::from_millis(20));
            }
            Err(TryLockError::WouldBlock) => return Err(Error::InUse),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
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
    // 16 MiB of log between checkpoints: pages written often are copied and flushed once.
    connection.pragma_update(None, "wal_autocheckpoint", 4_096)?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

#[async_trait]
impl Store for SqliteStore {
    async fn runs(&self) -> Result<Vec<RunId>> {
        let file = &self.file;
        file.read(Needs::New, |connection| {
            let mut runs = connection.prepare("SELECT id FROM runs ORDER BY id")?;
            let ids = runs.query_map([], |row| row.get(0))?;
            ids.map(|id| Ok(RunId(id?))).collect()
        })
        .await
    }

    async fn begin_run(
        &self,
        network_id: Option<u32>,
        started_at_ms: u64,
    ) -> Result<Arc<dyn RunStore>> {
        let run = self.file.ask(|tell| Operation::Begin(network_id, started_at_ms, tell)).await?;
        Ok(self.run(run))
    }

    async fn open_run(&self, run: RunId) -> Result<Arc<dyn RunStore>> {
        let known = self.file.read(Needs::New, move |connection| {
            let mut found = connection.prepare("SELECT 1 FROM runs WHERE id = ?1")?;
            Ok(found.exists([run.0])?)
        });
        match known.await? {
            true => Ok(self.run(run)),
            false => Err(Error::NoRun(run)),
        }
    }

    fn failures(&self) -> u64 {
        self.file.queue.as_ref().map_or(0, |queue| queue.failures())
    }

    async fn close(&self) -> Result<()> {
        let Some(queue) = &self.file.queue else { return Ok(()) };
        queue.close();
        match queue.ended().await {
            Unwritten { conditions: 0, ledgers: 0, .. } => Ok(()),
            unwritten => Err(Error::Unwritten(unwritten)),
        }
    }

    fn outbox(&self) -> Option<&dyn Outbox> {
        // Who only reads neither keeps nor settles any.
        self.file.queue.is_some().then_some(self)
    }

    fn sessions(&self) -> Option<&dyn Sessions> {
        Some(self)
    }

    async fn prune(&self, retention: Retention, now_ms: u64) -> Result<u64> {
        self.file.ask(|tell| Operation::Prune(retention, now_ms, tell)).await
    }

    async fn size(&self) -> Result<StoreSize> {
        let bytes = |path: &Path| path.metadata().map(|file| file.len()).unwrap_or_default();
        let path = &self.file.path;
        let bytes = Some(bytes(path) + bytes(&log_path(path)));
        let (rows, pruned) = self.file.read(Needs::New, prune::size).await?;
        Ok(StoreSize { rows, pruned, bytes })
    }
}

#[async_trait]
impl Outbox for SqliteStore {
    fn keep(&self) {
        self.file.ends.kept.store(true, Ordering::Relaxed);
    }

    async fn due(&self, now_ms: u64, limit: usize) -> Result<Vec<End>> {
        self.file.read_now(move |connection| sql_outbox::due(connection, now_ms, limit)).await
    }

    async fn settle(&self, settled: Settled) -> Result<()> {
        self.file.ask(|tell| Operation::Settle(Box::new(settled), tell)).await
    }

    async fn status(&self) -> Result<OutboxStatus> {
        self.file.read_now(sql_outbox::status).await
    }

    fn bell(&self) -> &Notify {
        &self.file.ends.bell
    }
}

#[async_trait]
impl Sessions for SqliteStore {
    async fn begin_session(&self, run: RunId, began_at_ms: u64) -> Result<SessionId> {
        self.file.ask(|tell| Operation::BeginSession(run, began_at_ms, tell)).await
    }

    async fn note_session(&self, id: SessionId, note: SessionNote) -> Result<()> {
        self.file.ask(|tell| Operation::NoteSession(id, Box::new(note), tell)).await
    }

    async fn session_heads(&self) -> Result<Vec<SessionHead>> {
        self.file.read_now(sessions::heads).await
    }

    async fn session_text(&self, id: SessionId) -> Result<Option<String>> {
        self.file.read_now(move |connection| sessions::text(connection, id)).await
    }
}
