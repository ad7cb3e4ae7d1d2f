//! A store without a file: nothing survives the process.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use async_trait::async_trait;
use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::sync::oneshot;
use xrpl_protocol::{Hash256, LedgerIndex, TxHash};

use super::{
    Anchor, Created, Outbox, Resumed, SessionHead, SessionId, SessionNote, Sessions, Store,
    StoreSize, outbox::MemoryOutbox, sessions::MemorySessions,
};
use crate::{
    error::Result,
    record::{Identity, Progress, Record, RowFilter, RunId},
};

/// Ledger hashes kept.
const LEDGERS_KEPT: usize = 4_096;

/// A store in memory, with a bound: beyond it the oldest terminal transactions are forgotten.
#[derive(Debug)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
    outbox: MemoryOutbox,
    sessions: Mutex<MemorySessions>,
}

#[derive(Debug)]
struct Inner {
    capacity: usize,
    run: Option<(RunId, Option<u32>)>,
    next_id: u64,
    records: BTreeMap<u64, Record>,
    by_hash: FxHashMap<TxHash, u64>,
    by_key: FxHashMap<Box<str>, u64>,
    /// Positions of terminal ones in the order in which they ended.
    ended: VecDeque<u64>,
    ledgers: BTreeMap<LedgerIndex, Hash256>,
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
        Self {
            outbox: MemoryOutbox::default(),
            sessions: Mutex::default(),
            inner: Mutex::new(Inner {
                capacity,
                run: None,
                next_id: 1,
                records: BTreeMap::new(),
                by_hash: FxHashMap::default(),
                by_key: FxHashMap::default(),
                ended: VecDeque::new(),
                ledgers: BTreeMap::new(),
            }),
        }
    }

    /// A new store, shared.
    #[must_use]
    pub fn shared() -> Arc<dyn Store> {
        Arc::new(Self::default())
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
            if let Some(record) = self.records.remove(&id) {
                // A later run may have the same hash at another position.
                if self.by_hash.get(&record.identity.hash) == Some(&id) {
                    self.by_hash.remove(&record.identity.hash);
                }
                if let Some(name) = &record.identity.callers_key
                    && self.by_key.get(&name.key) == Some(&id)
                {
                    self.by_key.remove(&name.key);
                }
            }
        }
    }

    fn run(&self) -> RunId {
        self.run.map(|(run, _)| run).unwrap_or_default()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn anchor(&self) -> Result<Option<Anchor>> {
        let inner = self.inner.lock();
        Ok(inner.run.and_then(|(run, network_id)| {
            let (index, hash) = inner.ledgers.last_key_value()?;
            Some(Anchor { run, network_id, index: *index, hash: *hash })
        }))
    }

    async fn ledger_hash(&self, run: RunId, index: LedgerIndex) -> Result<Option<Hash256>> {
        let inner = self.inner.lock();
        Ok(inner.ledgers.get(&index).copied().filter(|_| inner.run() == run))
    }

    async fn begin_run(&self, network_id: Option<u32>, _started_at_ms: u64) -> Result<RunId> {
        let mut inner = self.inner.lock();
        let run = RunId(inner.run().0 + 1);
        inner.run = Some((run, network_id));
        inner.by_hash.clear();
        inner.by_key.clear();
        inner.ledgers.clear();
        Ok(run)
    }

    async fn resume_run(&self, run: RunId) -> Result<Resumed> {
        let inner = self.inner.lock();
        let mut counts: Vec<super::Count> = Vec::new();
        for record in inner.records.values().filter(|record| record.run == run) {
            super::rows::count_into(&mut counts, record);
        }
        let of_run = inner.records.values().filter(|record| record.run == run);
        let (ended, open): (Vec<_>, Vec<_>) =
            of_run.partition(|record| record.progress.state.is_terminal());
        let slots: FxHashSet<_> =
            open.iter().map(|record| (record.identity.account, record.identity.slot)).collect();
        let beside =
            |record: &&&Record| slots.contains(&(record.identity.account, record.identity.slot));
        Ok(Resumed {
            ended_rivals: ended.iter().filter(beside).map(|record| (*record).clone()).collect(),
            open: open.into_iter().cloned().collect(),
            counts,
        })
    }

    fn create(&self, identity: Identity) -> oneshot::Receiver<Result<Created>> {
        let (tell, told) = oneshot::channel();
        let mut inner = self.inner.lock();
        let answer = match inner.by_hash.get(&identity.hash).and_then(|id| inner.records.get(id)) {
            Some(known) => Created::Known(Box::new(known.clone())),
            None => {
                let id = inner.next_id;
                inner.next_id += 1;
                inner.by_hash.insert(identity.hash, id);
                if let Some(name) = &identity.callers_key {
                    inner.by_key.entry(name.key.clone()).or_insert(id);
                }
                let run = inner.run();
                let progress = Progress::created();
                inner.records.insert(id, Record { id, run, identity, progress });
                Created::New(id)
            }
        };
        drop(inner);
        // Nobody waits any more: nothing to tell.
        let _ = tell.send(Ok(answer));
        told
    }

    fn update(&self, hash: TxHash, progress: Progress) {
        let mut inner = self.inner.lock();
        let Some(id) = inner.by_hash.get(&hash).copied() else { return };
        let Some(record) = inner.records.get_mut(&id) else { return };
        self.outbox.changes(record, &progress);
        let ends = progress.state.is_terminal() && !record.progress.state.is_terminal();
        record.progress = progress;
        if ends {
            inner.ended.push_back(id);
            inner.forget_oldest();
        }
    }

    fn ledger(&self, index: LedgerIndex, hash: Hash256) {
        let mut inner = self.inner.lock();
        inner.ledgers.insert(index, hash);
        if inner.ledgers.len() > LEDGERS_KEPT {
            inner.ledgers.pop_first();
        }
    }

    async fn flush(&self) -> Result<()> {
        Ok(())
    }

    async fn get(&self, hash: TxHash) -> Result<Option<Record>> {
        let inner = self.inner.lock();
        Ok(inner.by_hash.get(&hash).and_then(|id| inner.records.get(id)).cloned())
    }

    async fn resting_on(&self, ledger: LedgerIndex) -> Result<Vec<Record>> {
        let inner = self.inner.lock();
        let run = inner.run();
        let ended = inner
            .records
            .values()
            .filter(|record| record.run == run && record.progress.state.is_terminal());
        let slot = |record: &Record| (record.identity.account, record.identity.slot);
        let rests = |record: &&Record| super::rows::rests_on(record, ledger);
        let slots: FxHashSet<_> = ended.clone().filter(rests).map(slot).collect();
        Ok(ended.filter(|record| slots.contains(&slot(record))).cloned().collect())
    }

    async fn newest_ledgers(
        &self,
        run: RunId,
        limit: usize,
    ) -> Result<Vec<(LedgerIndex, Hash256)>> {
        let inner = self.inner.lock();
        let newest = inner.ledgers.iter().rev().filter(|_| inner.run() == run).take(limit);
        Ok(newest.map(|(index, hash)| (*index, *hash)).collect())
    }

    async fn by_key(&self, key: &str) -> Result<Option<Record>> {
        let inner = self.inner.lock();
        Ok(inner.by_key.get(key).and_then(|id| inner.records.get(id)).cloned())
    }

    async fn rows(
        &self,
        filter: &RowFilter,
        cursor: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Record>> {
        let inner = self.inner.lock();
        let run = filter.run.unwrap_or_else(|| inner.run());
        let wanted = |record: &&Record| record.run == run && super::rows::selects(filter, record);
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
        let inner = self.inner.lock();
        let run = filter.run.unwrap_or_else(|| inner.run());
        let rows = inner.records.values();
        Ok(rows.filter(|record| record.run == run && super::rows::selects(filter, record)).count()
            as u64)
    }

    async fn runs(&self) -> Result<Vec<RunId>> {
        let inner = self.inner.lock();
        Ok((1..=inner.run().0).map(RunId).collect())
    }

    fn failures(&self) -> u64 {
        0
    }

    fn outbox(&self) -> Option<&dyn Outbox> {
        Some(&self.outbox)
    }

    fn sessions(&self) -> Option<&dyn Sessions> {
        Some(self)
    }

    async fn size(&self) -> Result<StoreSize> {
        let inner = self.inner.lock();
        let rows = inner.records.len() as u64;
        Ok(StoreSize { rows, pruned: inner.next_id - 1 - rows, bytes: None })
    }
}

#[async_trait]
impl Sessions for MemoryStore {
    async fn begin_session(&self, run: RunId, began_at_ms: u64) -> Result<SessionId> {
        Ok(self.sessions.lock().begin(run, began_at_ms))
    }

    async fn note_session(&self, id: SessionId, note: SessionNote) -> Result<()> {
        self.sessions.lock().note(id, note);
        Ok(())
    }

    async fn session_heads(&self) -> Result<Vec<SessionHead>> {
        Ok(self.sessions.lock().heads())
    }

    async fn session_text(&self, id: SessionId) -> Result<Option<String>> {
        Ok(self.sessions.lock().text(id))
    }
}
