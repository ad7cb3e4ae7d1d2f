//! A store that watches what the tracker writes.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::{sync::oneshot, time::Instant};
use xrpl_protocol::{AccountId, Hash256, LedgerIndex, TxHash, transaction::Slot};
use xrpl_tracker::{
    Intent, MemoryStore, Result, RowFilter, RunId, RunStore, State, Store,
    record::{Identity, Progress, Record},
    store::{Anchor, Created, Resumed, Room},
};

use crate::books;

/// Account, whether it is a Ticket, number.
pub type SlotKey = (AccountId, bool, u32);

/// What was written, as far as the audit asks for it.
#[derive(Debug, Default)]
pub struct Written {
    /// Every transaction with its present state, in the order of creation.
    order: Vec<(SlotKey, TxHash, Bytes)>,
    states: std::collections::HashMap<TxHash, State>,
    /// Transactions of others than the generator: they use slots as they like.
    pub strange: std::collections::BTreeSet<TxHash>,
    /// A node may tell of ledgers that are denied later: what they decided is open again then.
    pub denies: bool,
    /// How often an end was taken back so.
    pub revoked: u64,
    /// And when, the last time: what was signed at that very instant was signed before.
    reopened: std::collections::HashMap<TxHash, Instant>,
    /// What must never happen.
    pub wrongs: Vec<String>,
}

/// A memory store that keeps book, and loses what was not on disk yet when the process is killed:
/// updates become durable with the next new row, or when somebody reads.
#[derive(Debug)]
pub struct Recorder {
    inner: MemoryStore,
    pub written: Arc<Mutex<Written>>,
    process: Arc<Process>,
}

/// What a kill takes.
#[derive(Debug, Default)]
struct Process {
    not_durable: Mutex<Vec<Update>>,
    dead: AtomicBool,
}

/// A condition, and the run that it belongs to.
type Update = (Arc<dyn RunStore>, TxHash, Progress);

/// One run of it.
#[derive(Debug)]
struct RecorderRun {
    inner: Arc<dyn RunStore>,
    written: Arc<Mutex<Written>>,
    process: Arc<Process>,
}

impl Process {
    fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    fn commit(&self) {
        for (run, hash, progress) in self.not_durable.lock().drain(..) {
            run.update(hash, progress).unwrap();
        }
    }
}

impl Recorder {
    pub fn new() -> Self {
        Self { inner: MemoryStore::default(), written: Arc::default(), process: Arc::default() }
    }

    /// Every row of the newest run.
    pub async fn records(&self) -> Vec<Record> {
        let run = self.newest().await.unwrap().unwrap();
        run.rows(&RowFilter::default(), None, usize::MAX).await.unwrap()
    }

    fn run(&self, inner: Arc<dyn RunStore>) -> Arc<dyn RunStore> {
        let (written, process) = (Arc::clone(&self.written), Arc::clone(&self.process));
        Arc::new(RecorderRun { inner, written, process })
    }

    /// The process is killed: nothing is written from here on, and what was not durable is lost.
    /// Returns how many updates that is.
    pub async fn die(&self) -> usize {
        self.process.dead.store(true, Ordering::Relaxed);
        let lost = std::mem::take(&mut *self.process.not_durable.lock());
        for (run, hash, _) in &lost {
            let state = run.get(*hash).await.unwrap().map(|record| record.progress.state);
            if let Some(state) = state {
                self.written.lock().states.insert(*hash, state);
            }
        }
        lost.len()
    }

    /// Another process opens it.
    pub fn open_again(&self) {
        self.process.dead.store(false, Ordering::Relaxed);
    }
}

pub fn slot_key(account: AccountId, slot: Slot) -> SlotKey {
    match slot {
        Slot::Sequence(n) => (account, false, n.0),
        Slot::Ticket(n) => (account, true, n.0),
    }
}

/// Whether it is meant to have a slot that is not its own.
fn has_a_wrong_slot(intent: &Intent) -> bool {
    match intent {
        Intent::Valid => false,
        // What is drawn at random is put on whatever slot it likes.
        Intent::Any => true,
        Intent::Invalid { expected } => expected.iter().any(|result| {
            ["tefPAST_SEQ", "terPRE_SEQ", "tefNO_TICKET", "terPRE_TICKET"]
                .contains(&result.as_str())
        }),
    }
}

#[async_trait]
impl Store for Recorder {
    async fn runs(&self) -> Result<Vec<RunId>> {
        self.inner.runs().await
    }

    async fn begin_run(
        &self,
        network_id: Option<u32>,
        started_at_ms: u64,
    ) -> Result<Arc<dyn RunStore>> {
        Ok(self.run(self.inner.begin_run(network_id, started_at_ms).await?))
    }

    async fn open_run(&self, run: RunId) -> Result<Arc<dyn RunStore>> {
        Ok(self.run(self.inner.open_run(run).await?))
    }

    fn failures(&self) -> u64 {
        self.inner.failures()
    }

    async fn close(&self) -> Result<()> {
        self.process.commit();
        self.inner.close().await
    }
}

#[async_trait]
impl RunStore for RecorderRun {
    fn run(&self) -> RunId {
        self.inner.run()
    }

    async fn anchor(&self) -> Result<Option<Anchor>> {
        self.inner.anchor().await
    }

    async fn ledger_hash(&self, index: LedgerIndex) -> Result<Option<Hash256>> {
        self.inner.ledger_hash(index).await
    }

    async fn newest_ledgers(&self, limit: usize) -> Result<Vec<(LedgerIndex, Hash256)>> {
        self.inner.newest_ledgers(limit).await
    }

    async fn resume(&self) -> Result<Resumed> {
        self.process.commit();
        self.inner.resume().await
    }

    async fn room(&self) -> Result<Room> {
        self.inner.room().await
    }

    fn create(&self, room: Room, identity: Identity) -> oneshot::Receiver<Result<Created>> {
        if self.process.is_dead() {
            return oneshot::channel().1;
        }
        let mut written = self.written.lock();
        let key = slot_key(identity.account, identity.slot);
        // One that was handed in before is no new one.
        let new = !written.states.contains_key(&identity.hash);
        let strange = written.strange.contains(&identity.hash);
        if new && !strange && !has_a_wrong_slot(&identity.intent) {
            let open: Vec<_> = written
                .order
                .iter()
                .filter(|(slot, hash, _)| {
                    *slot == key
                        && !written.states.get(hash).is_some_and(|s| s.is_terminal())
                        && written.reopened.get(hash) != Some(&Instant::now())
                })
                .collect();
            let blobs: Vec<_> = open.iter().map(|(.., blob)| blob).collect();
            if let Some((_, open, _)) = open.last()
                && !books::is_a_rival(&identity.blob, &blobs)
            {
                let wrong = format!(
                    "{} was signed for {:?} of {} while {open} on it is undecided",
                    identity.hash, identity.slot, identity.account
                );
                written.wrongs.push(wrong);
            }
            written.order.push((key, identity.hash, identity.blob.clone()));
        }
        written.states.entry(identity.hash).or_insert(State::Created);
        drop(written);
        self.process.commit();
        self.inner.create(room, identity)
    }

    fn update(&self, hash: TxHash, progress: Progress) -> Result<()> {
        if self.process.is_dead() {
            return Ok(());
        }
        let mut written = self.written.lock();
        let before = written.states.insert(hash, progress.state);
        match before {
            None => written.wrongs.push(format!("{hash} was updated before it was created")),
            // Its ledger turned out to be another one: it is open again, and says so.
            Some(before)
                if written.denies
                    && before.is_terminal()
                    && progress.revoked
                    && progress.state == State::Submitted =>
            {
                written.revoked += 1;
                written.reopened.insert(hash, Instant::now());
            }
            // A ledger is believed that contradicts an end, until it is denied itself.
            Some(State::Rejected) if written.denies && progress.overturned => {}
            Some(before) if before.is_terminal() && before != progress.state => {
                written.wrongs.push(format!("{hash} went from {before} to {}", progress.state));
            }
            Some(_) => {}
        }
        drop(written);
        self.process.not_durable.lock().push((Arc::clone(&self.inner), hash, progress));
        Ok(())
    }

    fn ledger(&self, index: LedgerIndex, hash: Hash256) -> Result<()> {
        match self.process.is_dead() {
            true => Ok(()),
            false => self.inner.ledger(index, hash),
        }
    }

    async fn flush(&self) -> Result<()> {
        self.process.commit();
        self.inner.flush().await
    }

    async fn get(&self, hash: TxHash) -> Result<Option<Record>> {
        self.process.commit();
        self.inner.get(hash).await
    }

    async fn resting_on(&self, ledger: LedgerIndex) -> Result<Vec<Record>> {
        self.inner.resting_on(ledger).await
    }

    async fn by_key(&self, key: &str) -> Result<Option<Record>> {
        self.process.commit();
        self.inner.by_key(key).await
    }

    async fn rows(
        &self,
        filter: &RowFilter,
        cursor: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Record>> {
        self.process.commit();
        self.inner.rows(filter, cursor, limit).await
    }

    async fn count(&self, filter: &RowFilter) -> Result<u64> {
        self.process.commit();
        self.inner.count(filter).await
    }
}
