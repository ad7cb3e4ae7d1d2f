//! The thread that writes the SQLite file: groups of new rows and of conditions.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use rusqlite::{Connection, Transaction, params};
use tokio::sync::{Notify, oneshot};
use xrpl_protocol::{Hash256, LedgerIndex, TxHash, transaction::Slot};

use super::{
    Created, Retention, SessionId, SessionNote, Settled, prune, sessions, sql_outbox,
    sql_rows::{self, ANY, json_text},
};
use crate::{
    error::{Error, Result},
    record::{Identity, Intent, Progress, RunId},
};

/// Ledger hashes kept of a run, besides every 256th.
const LEDGERS_KEPT: u32 = 10_000;

/// Most operations taken together, and most rows made in one SQL transaction.
const GROUP: usize = 4_096;

/// Most conditions written in one SQL transaction, unless somebody waits for all of them.
const CONDITIONS: usize = 256;

/// How long the writer waits after a failure before it tries again what is left.
const AFTER_FAILURE: Duration = Duration::from_millis(200);

/// A transaction of a run.
pub(super) type RowKey = (RunId, TxHash);

/// What the writer is asked to do.
pub(super) enum Operation {
    Create(RunId, Box<Identity>, oneshot::Sender<Result<Created>>),
    Update(RowKey, Box<Progress>),
    Ledger(RunId, LedgerIndex, Hash256),
    Begin(Option<u32>, u64, oneshot::Sender<Result<RunId>>),
    Flush(oneshot::Sender<Result<()>>),
    /// Tells when what a reader needs of all that was handed over before is written. Nothing is
    /// written sooner for it, but the one row that it asks for.
    Wait(Needs, oneshot::Sender<Result<()>>),
    Settle(Box<Settled>, oneshot::Sender<Result<()>>),
    Prune(Retention, u64, oneshot::Sender<Result<u64>>),
    BeginSession(RunId, u64, oneshot::Sender<Result<SessionId>>),
    NoteSession(SessionId, Box<SessionNote>, oneshot::Sender<Result<()>>),
}

/// What a reader needs to be written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Needs {
    /// New rows and ledgers.
    New,
    /// The newest condition of this one too.
    One(RowKey),
    /// All conditions.
    All,
}

impl Operation {
    /// Tells who waits that it was not done.
    fn fail(self, text: &str) {
        let error = || Error::Store(text.to_owned());
        match self {
            Self::Create(_, _, tell) => drop(tell.send(Err(error()))),
            Self::Begin(_, _, tell) => drop(tell.send(Err(error()))),
            Self::Flush(tell)
            | Self::Wait(_, tell)
            | Self::NoteSession(_, _, tell)
            | Self::Settle(_, tell) => drop(tell.send(Err(error()))),
            Self::Prune(_, _, tell) => drop(tell.send(Err(error()))),
            Self::BeginSession(_, _, tell) => drop(tell.send(Err(error()))),
            Self::Update(..) | Self::Ledger(..) => {}
        }
    }

    /// Whether everything handed over before it must be written with it.
    fn wants_all(&self) -> bool {
        matches!(self, Self::Flush(_))
    }
}

/// The writer's state.
pub(super) struct Writer {
    connection: Connection,
    failures: Arc<AtomicU64>,
    conditions: Conditions,
    ends: Arc<Ends>,
    /// Who waits for all conditions up to a number.
    waiting: Vec<(u64, oneshot::Sender<Result<()>>)>,
}

/// Whether ends are kept, and who is told of them.
#[derive(Debug, Default)]
pub(super) struct Ends {
    pub(super) kept: AtomicBool,
    pub(super) bell: Notify,
}

/// Conditions of transactions that wait to be written: the newest of each, oldest first.
#[derive(Default)]
struct Conditions {
    newest: HashMap<RowKey, Box<Progress>>,
    order: VecDeque<RowKey>,
    /// Those that are to be written with the next group whatever stands before them.
    first: Vec<RowKey>,
    /// How many have left the order.
    left: u64,
}

impl Conditions {
    fn put(&mut self, key: RowKey, progress: Box<Progress>) {
        match self.newest.get_mut(&key) {
            Some(waiting) if waiting.version < progress.version => *waiting = progress,
            Some(_) => {}
            None => {
                self.newest.insert(key, progress);
                self.order.push_back(key);
            }
        }
    }

    /// Those to be written now: what was asked for by name, and the first `n`.
    fn first(&self, n: usize) -> impl Iterator<Item = (RowKey, &Progress)> {
        let keys = self.first.iter().chain(self.order.iter().take(n));
        keys.filter_map(|key| Some((*key, &**self.newest.get(key)?)))
    }

    fn drop_first(&mut self, n: usize) {
        for key in self.first.drain(..) {
            // Its place in the order means nothing any more.
            self.newest.remove(&key);
        }
        let n = n.min(self.order.len());
        self.left += n as u64;
        for key in self.order.drain(..n) {
            self.newest.remove(&key);
        }
    }

    /// The number of the last one that waits.
    fn last(&self) -> u64 {
        self.left + self.order.len() as u64
    }

    fn len(&self) -> usize {
        self.order.len()
    }
}

/// What is told once the group is committed.
type Ack = Box<dyn FnOnce(std::result::Result<(), String>)>;

impl Writer {
    pub(super) fn new(connection: Connection, failures: Arc<AtomicU64>, ends: Arc<Ends>) -> Self {
        let conditions = Conditions::default();
        Self { connection, failures, conditions, ends, waiting: Vec::new() }
    }

    /// Writes until the last sender is gone and everything is written.
    pub(super) fn work(mut self, operations: &mpsc::Receiver<Operation>, window: Duration) {
        let mut group = VecDeque::new();
        // The last group had company: it is worth while to wait for more.
        let mut company = false;
        let mut failed = false;
        loop {
            let first = if self.conditions.len() == 0 {
                match operations.recv() {
                    Ok(first) => Some(first),
                    Err(_) => return,
                }
            } else {
                let patience = if failed { AFTER_FAILURE } else { Duration::ZERO };
                match operations.recv_timeout(patience) {
                    Ok(first) => Some(first),
                    Err(mpsc::RecvTimeoutError::Timeout) => None,
                    Err(mpsc::RecvTimeoutError::Disconnected) => {
                        // Nobody is left to ask for it later: once more, then it is lost.
                        self.write(&mut group, usize::MAX);
                        return;
                    }
                }
            };
            if let Some(first) = first {
                if company && !first.wants_all() {
                    thread::sleep(window);
                }
                let mut next = Some(first);
                while let Some(operation) = next.take() {
                    // It ends the group: what comes after it is not part of it.
                    let last = operation.wants_all();
                    match operation {
                        Operation::Update(key, progress) => self.conditions.put(key, progress),
                        Operation::Wait(Needs::All, tell) => {
                            self.waiting.push((self.conditions.last(), tell));
                        }
                        Operation::Wait(Needs::One(key), tell) => {
                            self.conditions.first.push(key);
                            group.push_back(Operation::Wait(Needs::New, tell));
                        }
                        other => group.push_back(other),
                    }
                    if !last && group.len() < GROUP {
                        next = operations.try_recv().ok();
                    }
                }
            }
            let all = group.back().is_some_and(Operation::wants_all);
            company = group.len() > 2;
            failed = !self.write(&mut group, if all { usize::MAX } else { CONDITIONS });
        }
    }

    /// Writes a group and up to `most` conditions; false if that failed.
    fn write(&mut self, group: &mut VecDeque<Operation>, most: usize) -> bool {
        let mut acks: Vec<Ack> = Vec::new();
        let conditions = most.min(self.conditions.len());
        let size = group.len() + conditions;
        let written = self.write_group(group, most, &mut acks);
        match &written {
            Ok(()) => {
                self.conditions.drop_first(conditions);
                let left = self.conditions.left;
                for (_, tell) in self.waiting.extract_if(.., |(until, _)| *until <= left) {
                    // Who asked may have gone.
                    let _ = tell.send(Ok(()));
                }
            }
            Err(error) => {
                for (_, tell) in self.waiting.drain(..) {
                    let _ = tell.send(Err(Error::Store(error.to_string())));
                }
                self.conditions.first.clear();
                self.failures.fetch_add(size as u64, Ordering::Relaxed);
                tracing::error!(%error, "the store could not write a group of {size}");
            }
        }
        let told = written.as_ref().copied().map_err(ToString::to_string);
        for ack in acks {
            ack(told.clone());
        }
        // On failure some were not reached.
        if let Err(text) = told {
            group.drain(..).for_each(|operation| operation.fail(&text));
        }
        group.clear();
        written.is_ok()
    }

    fn write_group(
        &mut self,
        group: &mut VecDeque<Operation>,
        most: usize,
        acks: &mut Vec<Ack>,
    ) -> Result<()> {
        let change = self.connection.transaction()?;
        // Taken one by one: those not reached stay in the group.
        while let Some(operation) = group.pop_front_if(|operation| !operation.wants_all()) {
            match operation {
                Operation::Create(run, identity, tell) => {
                    let mut created = create(&change, run, *identity);
                    // What is known of a row that is there is its newest condition, written or not.
                    if let Ok(Created::Known(record)) = &mut created
                        && let Some(newest) =
                            self.conditions.newest.get(&(run, record.identity.hash))
                    {
                        record.progress = (**newest).clone();
                    }
                    tell_once_committed(created, tell, acks)?;
                }
                Operation::Ledger(run, index, hash) => note_ledger(&change, run, index, hash)?,
                Operation::Begin(network_id, started_at_ms, tell) => {
                    let begun = begin(&change, network_id, started_at_ms);
                    tell_once_committed(begun, tell, acks)?;
                }
                Operation::Settle(settled, tell) => {
                    tell_once_committed(sql_outbox::settle(&change, &settled), tell, acks)?;
                }
                Operation::BeginSession(run, began_at_ms, tell) => {
                    tell_once_committed(sessions::begin(&change, run, began_at_ms), tell, acks)?;
                }
                Operation::NoteSession(id, note, tell) => {
                    tell_once_committed(sessions::note(&change, id, &note), tell, acks)?;
                }
                Operation::Prune(retention, now_ms, tell) => {
                    let waits = |key: &RowKey| self.conditions.newest.contains_key(key);
                    let gone = prune::prune(&change, retention, now_ms, waits);
                    tell_once_committed(gone, tell, acks)?;
                }
                Operation::Wait(_, tell) => acks.push(Box::new(move |done| {
                    let _ = tell.send(done.map_err(Error::Store));
                })),
                _ => {}
            }
        }
        let keeps_ends = self.ends.kept.load(Ordering::Relaxed);
        let mut ends = false;
        for ((run, hash), progress) in self.conditions.first(most) {
            if keeps_ends {
                ends |= sql_outbox::note(&change, run, hash, progress)?;
            }
            update(&change, run, hash, progress)?;
        }
        for operation in group.drain(..) {
            if let Operation::Flush(tell) = operation {
                acks.push(Box::new(move |done| {
                    let _ = tell.send(done.map_err(Error::Store));
                }));
            }
        }
        change.commit()?;
        if ends {
            self.ends.bell.notify_one();
        }
        Ok(())
    }
}

/// Who waits for a change is told of it once its group is committed; one that failed ends the group.
fn tell_once_committed<T: Send + 'static>(
    done: Result<T>,
    tell: oneshot::Sender<Result<T>>,
    acks: &mut Vec<Ack>,
) -> Result<()> {
    let failed = done.as_ref().err().map(ToString::to_string);
    acks.push(Box::new(move |committed| {
        // Who asked may have gone.
        let _ = tell.send(done.and_then(|done| committed.map(|()| done).map_err(Error::Store)));
    }));
    failed.map_or(Ok(()), |text| Err(Error::Store(text)))
}

fn begin(change: &Transaction<'_>, network_id: Option<u32>, started_at_ms: u64) -> Result<RunId> {
    change.execute(
        "INSERT INTO runs (network_id, started_at_ms) VALUES (?1, ?2)",
        params![network_id, started_at_ms],
    )?;
    Ok(RunId(u64::try_from(change.last_insert_rowid()).unwrap_or(0)))
}

fn create(change: &Transaction<'_>, run: RunId, identity: Identity) -> Result<Created> {
    let (slot, is_ticket) = match identity.slot {
        Slot::Sequence(n) => (n.0, false),
        Slot::Ticket(n) => (n.0, true),
    };
    let expected = match &identity.intent {
        Intent::Valid => None,
        Intent::Invalid { expected } => Some(json_text(expected)?),
        Intent::Any => Some(ANY.to_owned()),
    };
    let made = change
        .prepare_cached(
            "INSERT INTO transactions (run, hash, account, slot, is_ticket, last_ledger_sequence,
                transaction_type, expected, created_ledger, created_at_ms, blob, state,
                callers_key, callers_request, fail_hard, fresh)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0, ?12, ?13, ?14, ?15)
             ON CONFLICT (run, hash) DO NOTHING",
        )?
        .execute(params![
            run.0,
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
            identity.callers_key.as_ref().map(|name| &*name.key),
            identity.callers_key.as_ref().map(|name| name.request.0),
            identity.fail_hard,
            identity.fresh,
        ])?;
    if made == 1 {
        return Ok(Created::New(u64::try_from(change.last_insert_rowid()).unwrap_or(0)));
    }
    let known = sql_rows::get(change, run, identity.hash)?;
    known
        .map(|record| Created::Known(Box::new(record)))
        .ok_or_else(|| Error::Store("a row conflicts with one that is not there".into()))
}

fn update(change: &Transaction<'_>, run: RunId, hash: TxHash, progress: &Progress) -> Result<()> {
    let place = progress.validated.as_ref();
    let list = |text: String| (text != "[]").then_some(text);
    change
        .prepare_cached(
            "UPDATE transactions SET state = ?3, undecided = ?4, overturned = ?5, attempts = ?6,
                engine_result_first = ?7, engine_result_last = ?8, engine_result_final = ?9,
                validated_ledger = ?10, ledger_hash = ?11, source = ?12, evidence = ?13,
                preliminary = ?14, sightings = ?15, first_answer_ms = ?16, finality_ms = ?17,
                finality_ledgers = ?18, reason = ?19, revoked = ?20, superseded = ?21, version = ?22
             WHERE run = ?1 AND hash = ?2 AND version < ?22",
        )?
        .execute(params![
            run.0,
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
            progress.reason.as_deref().map(json_text).transpose()?,
            progress.revoked,
            progress.superseded,
            progress.version,
        ])?;
    Ok(())
}

fn note_ledger(
    change: &Transaction<'_>,
    run: RunId,
    index: LedgerIndex,
    hash: Hash256,
) -> Result<()> {
    change
        .prepare_cached(
            "INSERT OR REPLACE INTO ledgers (run, ledger_index, hash) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![run.0, index.0, hash.0])?;
    let old = index.0.saturating_sub(LEDGERS_KEPT);
    if !old.is_multiple_of(256) {
        change
            .prepare_cached("DELETE FROM ledgers WHERE run = ?1 AND ledger_index = ?2")?
            .execute(params![run.0, old])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use xrpl_protocol::{AccountId, Sequence};

    use super::*;
    use crate::{lifecycle::State, store::migrations};

    const RUN: RunId = RunId(1);

    fn writer() -> Writer {
        let mut connection = Connection::open_in_memory().unwrap();
        migrations::migrate(&mut connection).unwrap();
        connection.execute("INSERT INTO runs (started_at_ms) VALUES (0)", []).unwrap();
        Writer::new(connection, Arc::default(), Arc::default())
    }

    fn identity(n: u32) -> Identity {
        Identity {
            hash: hash(n),
            account: AccountId([1; 20]),
            slot: Slot::Sequence(Sequence(n)),
            last_ledger_sequence: None,
            transaction_type: "Payment".into(),
            intent: Intent::Valid,
            created_ledger: LedgerIndex(1),
            created_at_ms: 0,
            blob: Bytes::new(),
            callers_key: None,
            fail_hard: false,
            fresh: true,
        }
    }

    fn hash(n: u32) -> TxHash {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        TxHash(bytes)
    }

    fn made(writer: &mut Writer, n: u32) {
        let mut group: VecDeque<_> = (0..n)
            .map(|n| Operation::Create(RUN, Box::new(identity(n)), oneshot::channel().0))
            .collect();
        assert!(writer.write(&mut group, 0));
        for n in 0..n {
            let progress = Progress { version: 1, state: State::Submitted, ..Progress::created() };
            writer.conditions.put((RUN, hash(n)), Box::new(progress));
        }
    }

    fn submitted(writer: &Writer) -> u32 {
        let sql = "SELECT count(*) FROM transactions WHERE state = 1";
        writer.connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// A reader waits for what was handed over before, in its turn: what is about to be sent does not
    /// wait for it.
    #[test]
    fn readers_force_nothing() {
        let mut writer = writer();
        made(&mut writer, 1_000);
        let (tell, mut all) = oneshot::channel();
        writer.waiting.push((writer.conditions.last(), tell));
        let (created, mut durable) = oneshot::channel();
        let create = Operation::Create(RUN, Box::new(identity(5_000)), created);
        assert!(writer.write(&mut VecDeque::from([create]), CONDITIONS));
        assert!(durable.try_recv().unwrap().is_ok(), "the new row is durable");
        assert_eq!(submitted(&writer), CONDITIONS as u32, "a share was written with it");
        assert!(all.try_recv().is_err(), "the reader waits for the rest");
        for _ in 0..3 {
            assert!(writer.write(&mut VecDeque::new(), CONDITIONS));
        }
        assert!(all.try_recv().unwrap().is_ok());
        assert_eq!((submitted(&writer), writer.conditions.len()), (1_000, 0));
    }

    /// Who asks for one row gets it with the next group, however many wait before it.
    #[test]
    fn one_row_is_written_out_of_turn() {
        let mut writer = writer();
        made(&mut writer, 1_000);
        writer.conditions.first.push((RUN, hash(999)));
        assert!(writer.write(&mut VecDeque::new(), 10));
        assert_eq!(submitted(&writer), 11);
        let ended = Progress { version: 2, state: State::Expired, ..Progress::created() };
        writer.conditions.put((RUN, hash(999)), Box::new(ended));
        while writer.conditions.len() > 0 {
            assert!(writer.write(&mut VecDeque::new(), CONDITIONS));
        }
        assert_eq!(submitted(&writer), 999, "its newer condition was written too");
    }
}
