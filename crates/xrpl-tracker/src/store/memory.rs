//! A store without a file: nothing survives the process.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::sync::oneshot;
use xrpl_protocol::{Hash256, LedgerIndex, TxHash};

use super::{
    Anchor, Created, Outbox, Resumed, Room, RunStore, SessionHead, SessionId, SessionNote,
    Sessions, Store, StoreSize, outbox::MemoryOutbox, sessions::MemorySessions,
};
use crate::{
    error::{Error, Result},
    record::{Identity, Progress, Record, RowFilter, RunId},
};

/// Ledger hashes kept of a run.
const LEDGERS_KEPT: usize = 4_096;

/// A store in memory, with a bound: beyond it the oldest terminal transactions are forgotten.
#[derive(Debug)]
pub struct MemoryStore(Arc<Shared>);

/// What the store and the runs that were opened share.
#[derive(Debug)]
struct Shared {
    inner: Mutex<Inner>,
    outbox: MemoryOutbox,
    sessions: Mutex<MemorySessions>,
    failures: AtomicU64,
    closed: AtomicBool,
}

impl Shared {
    /// An error once the store is closed.
    fn open(&self) -> Result<()> {
        match self.closed.load(Ordering::Relaxed) {
            true => Err(Error::Store("it is closed".into())),
            false => Ok(()),
        }
    }
}

/// One run of a store in memory.
#[derive(Debug)]
struct MemoryRun {
    shared: Arc<Shared>,
    run: RunId,
}

#[derive(Debug)]
struct Inner {
    capacity: usize,
    runs: BTreeMap<RunId, Run>,
    next_id: u64,
    records: BTreeMap<u64, Record>,
    /// Positions of terminal ones in the order in which they ended.
    ended: VecDeque<u64>,
}

#[derive(Debug, Default)]
struct Run {
    network_id: Option<u32>,
    by_hash: FxHashMap<TxHash, u64>,
    by_key: FxHashMap<Box<str>, u64>,
    ledgers: BTreeMap<LedgerIndex, Hash256>,
    /// Some of its rows were forgotten.
    forgot: bool,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(500_000)
    }
}

impl MemoryStore {
    /// A store that keeps at most `capacity` terminal transactions (and every other one).
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self(Arc::new(Shared {
            outbox: MemoryOutbox::default(),
            sessions: Mutex::default(),
            failures: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            inner: Mutex::new(Inner {
                capacity,
                runs: BTreeMap::new(),
                next_id: 1,
                records: BTreeMap::new(),
                ended: VecDeque::new(),
            }),
        }))
    }

    /// A new store, shared.
    #[must_use]
    pub fn shared() -> Arc<dyn Store> {
        Arc::new(Self::default())
    }

    /// Begins a new run, at once.
    #[must_use]
    pub fn begin(&self, network_id: Option<u32>) -> Arc<dyn RunStore> {
        let mut inner = self.0.inner.lock();
        let run = RunId(inner.runs.last_key_value().map_or(0, |(newest, _)| newest.0) + 1);
        inner.runs.insert(run, Run { network_id, ..Run::default() });
        self.run(run)
    }

    fn run(&self, run: RunId) -> Arc<dyn RunStore> {
        Arc::new(MemoryRun { shared: Arc::clone(&self.0), run })
    }
}

impl Inner {
    fn forget_oldest(&mut self) {
        while self.ended.len() > self.capacity {
            let Some(id) = self.ended.pop_front() else { return };
            // Its end was taken back: it stands further back once it has another one.
            if self.records.get(&id).is_some_and(|record| !record.progress.state.is_terminal()) {
                continue;
            }
            let Some(record) = self.records.remove(&id) else { continue };
            let Some(run) = self.runs.get_mut(&record.run) else { continue };
            run.forgot = true;
            run.by_hash.remove(&record.identity.hash);
            if let Some(name) = &record.identity.callers_key
                && run.by_key.get(&name.key) == Some(&id)
            {
                run.by_key.remove(&name.key);
            }
        }
    }

    fn of(&self, run: RunId) -> impl Iterator<Item = &Record> + Clone {
        self.records.values().filter(move |record| record.run == run)
    }

    fn by_hash(&self, run: RunId, hash: &TxHash) -> Option<&Record> {
        self.records.get(self.runs.get(&run)?.by_hash.get(hash)?)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn runs(&self) -> Result<Vec<RunId>> {
        Ok(self.0.inner.lock().runs.keys().copied().collect())
    }

    async fn begin_run(
        &self,
        network_id: Option<u32>,
        _started_at_ms: u64,
    ) -> Result<Arc<dyn RunStore>> {
        Ok(self.begin(network_id))
    }

    async fn open_run(&self, run: RunId) -> Result<Arc<dyn RunStore>> {
        match self.0.inner.lock().runs.contains_key(&run) {
            true => Ok(self.run(run)),
            false => Err(Error::NoRun(run)),
        }
    }

    fn failures(&self) -> u64 {
        self.0.failures.load(Ordering::Relaxed)
    }

    async fn close(&self) -> Result<()> {
        self.0.closed.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn outbox(&self) -> Option<&dyn Outbox> {
        Some(&self.0.outbox)
    }

    fn sessions(&self) -> Option<&dyn Sessions> {
        Some(self)
    }

    async fn size(&self) -> Result<StoreSize> {
        let inner = self.0.inner.lock();
        let rows = inner.records.len() as u64;
        Ok(StoreSize { rows, pruned: inner.next_id - 1 - rows, bytes: None })
    }
}

#[async_trait]
impl RunStore for MemoryRun {
    fn run(&self) -> RunId {
        self.run
    }

    async fn anchor(&self) -> Result<Option<Anchor>> {
        let inner = self.shared.inner.lock();
        Ok(inner.runs.get(&self.run).and_then(|run| {
            let (index, hash) = run.ledgers.last_key_value()?;
            Some(Anchor { network_id: run.network_id, index: *index, hash: *hash })
        }))
    }

    async fn ledger_hash(&self, index: LedgerIndex) -> Result<Option<Hash256>> {
        let inner = self.shared.inner.lock();
        Ok(inner.runs.get(&self.run).and_then(|run| run.ledgers.get(&index).copied()))
    }

    async fn newest_ledgers(&self, limit: usize) -> Result<Vec<(LedgerIndex, Hash256)>> {
        let inner = self.shared.inner.lock();
        let Some(run) = inner.runs.get(&self.run) else { return Ok(Vec::new()) };
        let newest = run.ledgers.iter().rev().take(limit);
        Ok(newest.map(|(index, hash)| (*index, *hash)).collect())
    }

    async fn resume(&self) -> Result<Resumed> {
        let inner = self.shared.inner.lock();
        let mut resumed = Resumed::default();
        let slot = |record: &Record| (record.identity.account, record.identity.slot);
        let mut open_slots = FxHashSet::default();
        for record in inner.of(self.run) {
            super::rows::count_into(&mut resumed.counts, record);
            if !record.progress.state.is_terminal() {
                open_slots.insert(slot(record));
                resumed.open.push(record.clone());
            }
        }
        let rivals = inner.of(self.run).filter(|record| {
            record.progress.state.is_terminal() && open_slots.contains(&slot(record))
        });
        resumed.ended_rivals.extend(rivals.cloned());
        Ok(resumed)
    }

    async fn room(&self) -> Result<Room> {
        self.shared.open()?;
        Ok(Room::free())
    }

    fn create(&self, _room: Room, identity: Identity) -> oneshot::Receiver<Result<Created>> {
        let (tell, told) = oneshot::channel();
        if let Err(error) = self.shared.open().and_then(|()| super::rows::may_be_kept(&identity)) {
            self.shared.failures.fetch_add(1, Ordering::Relaxed);
            let _ = tell.send(Err(error));
            return told;
        }
        let mut inner = self.shared.inner.lock();
        let answer = match inner.by_hash(self.run, &identity.hash) {
            Some(known) => Created::Known(Box::new(known.clone())),
            None => {
                let id = inner.next_id;
                inner.next_id += 1;
                let run = inner.runs.entry(self.run).or_default();
                run.by_hash.insert(identity.hash, id);
                if let Some(name) = &identity.callers_key {
                    run.by_key.entry(name.key.clone()).or_insert(id);
                }
                let progress = Progress::created();
                inner.records.insert(id, Record { id, run: self.run, identity, progress });
                Created::New(id)
            }
        };
        drop(inner);
        // Nobody waits any more: nothing to tell.
        let _ = tell.send(Ok(answer));
        told
    }

    fn update(&self, hash: TxHash, progress: Progress) -> Result<()> {
        self.shared.open()?;
        let mut inner = self.shared.inner.lock();
        let run = inner.runs.get(&self.run);
        let id = run.and_then(|run| run.by_hash.get(&hash).copied());
        // Where rows were forgotten, this may be of one of them.
        let forgets = run.is_some_and(|run| run.forgot);
        let Some(record) = id.and_then(|id| inner.records.get_mut(&id)) else {
            if !forgets {
                self.shared.failures.fetch_add(1, Ordering::Relaxed);
                tracing::error!(run = %self.run, %hash, "a condition has no row");
            }
            return Ok(());
        };
        let id = record.id;
        if progress.version <= record.progress.version {
            return Ok(());
        }
        self.shared.outbox.changes(record, &progress);
        let ends = progress.state.is_terminal() && !record.progress.state.is_terminal();
        record.progress = progress;
        if ends {
            inner.ended.push_back(id);
            inner.forget_oldest();
        }
        Ok(())
    }

    fn ledger(&self, index: LedgerIndex, hash: Hash256) -> Result<()> {
        self.shared.open()?;
        let mut inner = self.shared.inner.lock();
        let run = inner.runs.entry(self.run).or_default();
        run.ledgers.insert(index, hash);
        if run.ledgers.len() > LEDGERS_KEPT {
            run.ledgers.pop_first();
        }
        Ok(())
    }

    async fn flush(&self) -> Result<()> {
        Ok(())
    }

    async fn get(&self, hash: TxHash) -> Result<Option<Record>> {
        Ok(self.shared.inner.lock().by_hash(self.run, &hash).cloned())
    }

    async fn resting_on(&self, ledger: LedgerIndex) -> Result<Vec<Record>> {
        let inner = self.shared.inner.lock();
        let ended = inner.of(self.run).filter(|record| record.progress.state.is_terminal());
        let slot = |record: &Record| (record.identity.account, record.identity.slot);
        let rests = |record: &&Record| super::rows::rests_on(record, ledger);
        let slots: FxHashSet<_> = ended.clone().filter(rests).map(slot).collect();
        Ok(ended.filter(|record| slots.contains(&slot(record))).cloned().collect())
    }

    async fn by_key(&self, key: &str) -> Result<Option<Record>> {
        let inner = self.shared.inner.lock();
        let id = inner.runs.get(&self.run).and_then(|run| run.by_key.get(key));
        Ok(id.and_then(|id| inner.records.get(id)).cloned())
    }

    async fn rows(
        &self,
        filter: &RowFilter,
        cursor: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Record>> {
        let inner = self.shared.inner.lock();
        let wanted =
            |record: &&Record| record.run == self.run && super::rows::selects(filter, record);
        Ok(match filter.newest_first {
            true => {
                let older = inner.records.range(..cursor.unwrap_or(u64::MAX)).rev();
                older.map(|(_, record)| record).filter(wanted).take(limit).cloned().collect()
            }
            false => {
                let after = cursor.map_or(0, |cursor| cursor.saturating_add(1));
                let newer = inner.records.range(after..);
                newer.map(|(_, record)| record).filter(wanted).take(limit).cloned().collect()
            }
        })
    }

    async fn count(&self, filter: &RowFilter) -> Result<u64> {
        let inner = self.shared.inner.lock();
        let selected = inner.of(self.run).filter(|record| super::rows::selects(filter, record));
        Ok(selected.count() as u64)
    }
}

#[async_trait]
impl Sessions for MemoryStore {
    async fn begin_session(&self, run: RunId, began_at_ms: u64) -> Result<SessionId> {
        if !self.0.inner.lock().runs.contains_key(&run) {
            return Err(Error::NoRun(run));
        }
        Ok(self.0.sessions.lock().begin(run, began_at_ms))
    }

    async fn note_session(&self, id: SessionId, note: SessionNote) -> Result<()> {
        self.0.sessions.lock().note(id, note);
        Ok(())
    }

    async fn session_heads(&self) -> Result<Vec<SessionHead>> {
        Ok(self.0.sessions.lock().heads())
    }

    async fn session_text(&self, id: SessionId) -> Result<Option<String>> {
        Ok(self.0.sessions.lock().text(id))
    }
}
