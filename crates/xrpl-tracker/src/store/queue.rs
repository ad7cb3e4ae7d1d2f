//! What waits to be written: handed over by whoever has it, taken in groups by the one who writes.
//!
//! Handing over never waits for the disk, only for a lock that is held for moments, and what waits is
//! bounded. Of a transaction's conditions only the newest waits, of a ledger's hashes too, and a new
//! row needs [room](Queue::room): while as much waits as may, whoever is about to hand in a
//! transaction waits for that, before anything of it is known here. So load slows down to what the disk
//! takes. Streams go on being read: what they show changes conditions of rows that there are, and each
//! of those has its one place already.
//!
//! A store whose rows are written by one thread or one task hands over to a queue and has that write
//! what it [takes](Queue::take), group by group.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use parking_lot::{Condvar, Mutex};
use rustc_hash::FxBuildHasher;
use tokio::{
    sync::{Notify, oneshot, watch},
    time,
};
use xrpl_protocol::{Hash256, LedgerIndex, TxHash};

use super::{Created, Retention, Room, SessionId, SessionNote, Settled};
use crate::{
    error::{Error, Result, Unwritten},
    record::{Identity, Progress, RunId},
};

/// Most operations taken together, and most rows made in one SQL transaction.
const GROUP: usize = 4_096;

/// Most conditions written in one SQL transaction, unless somebody waits for all of them.
pub const CONDITIONS: usize = 256;

/// How long it is waited after a failure before what is left is tried again.
const AFTER_FAILURE: Duration = Duration::from_millis(200);

/// How often what is left is tried again before the end.
const LAST_TRIES: u32 = 5;

/// Most hashes of ledgers that wait: a store keeps no more of a run either.
const LEDGERS: usize = 10_000;

/// A transaction of a run.
pub type RowKey = (RunId, TxHash);

/// What somebody waits for, and whom to tell once it is done.
#[derive(Debug)]
pub enum Operation {
    /// Makes a transaction's row.
    Create(RunId, Box<Identity>, oneshot::Sender<Result<Created>>),
    /// Begins a run: the network's id, and when, milliseconds since 1970.
    Begin(Option<u32>, u64, oneshot::Sender<Result<RunId>>),
    /// Tells when everything handed over before is written, and has it written now.
    Flush(oneshot::Sender<Result<()>>),
    /// Tells when what a reader needs of all that was handed over before is written. Nothing is
    /// written sooner for it, but the one row that it asks for.
    Wait(Needs, oneshot::Sender<Result<()>>),
    /// Notes what became of ends.
    Settle(Box<Settled>, oneshot::Sender<Result<()>>),
    /// Takes out what need not be kept, as of a time, milliseconds since 1970.
    Prune(Retention, u64, oneshot::Sender<Result<u64>>),
    /// Begins a session, at a time, milliseconds since 1970.
    BeginSession(RunId, u64, oneshot::Sender<Result<SessionId>>),
    /// Notes where a session stands.
    NoteSession(SessionId, Box<SessionNote>, oneshot::Sender<Result<()>>),
}

/// What a reader needs to be written.
#[derive(Clone, Copy, Debug)]
pub enum Needs {
    /// New rows and ledgers.
    New,
    /// The newest condition of this one too.
    One(RowKey),
    /// All conditions.
    All,
}

impl Operation {
    /// Tells who waits that it was not done.
    pub fn fail(self, text: &str) {
        let error = || Error::Store(text.to_owned());
        // Who asked may have gone.
        match self {
            Self::Create(_, _, tell) => drop(tell.send(Err(error()))),
            Self::Begin(_, _, tell) => drop(tell.send(Err(error()))),
            Self::Flush(tell)
            | Self::Wait(_, tell)
            | Self::NoteSession(_, _, tell)
            | Self::Settle(_, tell) => drop(tell.send(Err(error()))),
            Self::Prune(_, _, tell) => drop(tell.send(Err(error()))),
            Self::BeginSession(_, _, tell) => drop(tell.send(Err(error()))),
        }
    }

    /// Whether it changes anything.
    pub fn writes(&self) -> bool {
        !matches!(self, Self::Flush(_) | Self::Wait(..))
    }
}

/// A transaction's newest condition.
#[derive(Debug)]
pub struct Condition {
    /// The condition.
    pub progress: Box<Progress>,
    /// It could not be written once, and was counted as that.
    pub failed: bool,
}

/// Conditions that wait: the newest of each transaction, oldest first.
#[derive(Default)]
struct Conditions {
    newest: HashMap<RowKey, Condition, FxBuildHasher>,
    order: VecDeque<RowKey>,
    /// Those that are to be written with the next group whatever stands before them.
    first: Vec<RowKey>,
    /// How many have left the order.
    left: u64,
}

impl Conditions {
    fn put(&mut self, key: RowKey, progress: Box<Progress>) {
        match self.newest.get_mut(&key) {
            Some(waiting) if waiting.progress.version < progress.version => {
                waiting.progress = progress;
            }
            Some(_) => {}
            None => {
                self.newest.insert(key, Condition { progress, failed: false });
                self.order.push_back(key);
            }
        }
    }

    /// Those to be written now: what was asked for by name, and the first `n`.
    fn take(&mut self, n: usize) -> Vec<(RowKey, Condition)> {
        let mut taken = Vec::new();
        let mut take = |key| taken.extend(self.newest.remove(&key).map(|newest| (key, newest)));
        // Their places in the order mean nothing any more.
        self.first.drain(..).for_each(&mut take);
        let n = n.min(self.order.len());
        self.left += n as u64;
        self.order.drain(..n).for_each(&mut take);
        taken
    }

    /// Puts one back that was taken and not written.
    fn put_back(&mut self, key: RowKey, condition: Condition) {
        match self.newest.get_mut(&key) {
            Some(waiting) if waiting.progress.version < condition.progress.version => {
                *waiting = condition;
            }
            Some(waiting) => waiting.failed |= condition.failed,
            None => {
                self.newest.insert(key, condition);
                self.order.push_front(key);
            }
        }
    }

    /// The number of the last one that waits.
    fn last(&self) -> u64 {
        self.left + self.order.len() as u64
    }
}

/// Hashes of ledgers, and whether it was counted that one could not be written.
pub type Ledgers = BTreeMap<(RunId, LedgerIndex), (Hash256, bool)>;

/// What is written together.
#[derive(Debug, Default)]
pub struct Group {
    /// In the order in which they were handed over.
    pub operations: VecDeque<Operation>,
    /// Conditions, one of each transaction.
    pub conditions: Vec<(RowKey, Condition)>,
    /// Hashes of ledgers.
    pub ledgers: Ledgers,
}

impl Group {
    fn len(&self) -> usize {
        self.operations.len() + self.conditions.len() + self.ledgers.len()
    }
}

#[derive(Default)]
struct Waiting {
    operations: VecDeque<Operation>,
    conditions: Conditions,
    ledgers: Ledgers,
    /// Who waits for all conditions up to a number.
    readers: Vec<(u64, oneshot::Sender<Result<()>>)>,
    /// Rooms that were given and not used yet.
    rooms: usize,
    /// What is being written.
    in_hand: usize,
    /// Nothing more is taken.
    closed: bool,
    failures: u64,
    /// How many of the operations wait for everything.
    flushes: usize,
    /// How often what is left was tried since the end began.
    last_tries: u32,
}

impl Waiting {
    fn len(&self) -> usize {
        self.operations.len()
            + self.conditions.newest.len()
            + self.ledgers.len()
            + self.rooms
            + self.in_hand
    }

    /// What the writer does next.
    fn next(&mut self, failed: bool) -> Next {
        if failed && self.closed {
            self.last_tries += 1;
            return if self.last_tries > LAST_TRIES { Next::End } else { Next::Pause };
        }
        match (failed && self.is_patient(), self.has_work(), self.closed) {
            (true, ..) => Next::Pause,
            (_, true, _) => Next::Work,
            (_, _, true) => Next::End,
            _ => Next::Idle,
        }
    }

    /// After a failure, whether there is time: what somebody waits for is tried at once.
    fn is_patient(&self) -> bool {
        !self.closed && self.operations.is_empty()
    }

    fn has_work(&self) -> bool {
        !self.operations.is_empty()
            || !self.conditions.order.is_empty()
            || !self.ledgers.is_empty()
            || !self.readers.is_empty()
    }
}

/// What a writer does next.
enum Next {
    Work,
    /// Waits a while, since it failed.
    Pause,
    /// Waits for work.
    Idle,
    End,
}

/// What waits to be written.
pub struct Queue {
    waiting: Mutex<Waiting>,
    /// As much as may wait.
    bound: usize,
    /// Ring for a writer that is a thread, and for one that is a task.
    work: Condvar,
    bell: Notify,
    room: Notify,
    /// What could not be written, once the writer has ended.
    ended: watch::Sender<Option<Unwritten>>,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("bound", &self.bound).finish_non_exhaustive()
    }
}

/// A place for one new row, given back when it is dropped.
struct Place(Arc<Queue>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.lock().rooms -= 1;
        self.0.room.notify_waiters();
    }
}

impl Queue {
    /// Takes new rows while less than `bound` waits.
    #[must_use]
    pub fn new(bound: usize) -> Arc<Self> {
        Arc::new(Self {
            waiting: Mutex::default(),
            bound: bound.max(1),
            work: Condvar::new(),
            bell: Notify::new(),
            room: Notify::new(),
            ended: watch::Sender::new(None),
        })
    }

    /// Waits until there is room for one more row.
    ///
    /// # Errors
    /// The queue is closed.
    pub async fn room(self: &Arc<Self>) -> Result<Room> {
        loop {
            // Registered before it is looked whether there is room, so that no bell is missed.
            let mut bell = std::pin::pin!(self.room.notified());
            bell.as_mut().enable();
            {
                let mut waiting = self.waiting.lock();
                if waiting.closed {
                    return Err(closed());
                }
                if waiting.len() < self.bound {
                    waiting.rooms += 1;
                    return Ok(Room::held(Place(Arc::clone(self))));
                }
            }
            bell.await;
        }
    }

    /// Hands over what somebody waits for.
    ///
    /// # Errors
    /// The queue is closed.
    pub fn ask(&self, operation: Operation) -> Result<()> {
        self.hand_over(|waiting| {
            waiting.flushes += usize::from(matches!(operation, Operation::Flush(_)));
            waiting.operations.push_back(operation);
        })
    }

    /// Hands over a transaction's newest condition.
    ///
    /// # Errors
    /// The queue is closed.
    pub fn update(&self, key: RowKey, progress: Progress) -> Result<()> {
        let progress = Box::new(progress);
        self.hand_over(|waiting| waiting.conditions.put(key, progress))
    }

    /// Hands over a ledger's hash.
    ///
    /// # Errors
    /// The queue is closed.
    pub fn ledger(&self, run: RunId, index: LedgerIndex, hash: Hash256) -> Result<()> {
        self.hand_over(|waiting| {
            waiting.ledgers.insert((run, index), (hash, false));
            while waiting.ledgers.len() > LEDGERS {
                // It would have to go from the store soon after.
                waiting.ledgers.pop_first();
            }
        })
    }

    fn hand_over(&self, put: impl FnOnce(&mut Waiting)) -> Result<()> {
        let mut waiting = self.waiting.lock();
        if waiting.closed {
            return Err(closed());
        }
        put(&mut waiting);
        drop(waiting);
        self.ring();
        Ok(())
    }

    fn ring(&self) {
        self.work.notify_one();
        self.bell.notify_one();
    }

    /// Takes nothing more. What waits is written still.
    pub fn close(&self) {
        self.waiting.lock().closed = true;
        self.ring();
        self.room.notify_waiters();
    }

    /// Whether nothing more is taken.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.waiting.lock().closed
    }

    /// Waits until the writer has ended; what it could not write.
    pub async fn ended(&self) -> Unwritten {
        let mut ended = self.ended.subscribe();
        let unwritten = ended.wait_for(Option::is_some).await.map(|unwritten| unwritten.clone());
        unwritten.ok().flatten().unwrap_or_default()
    }

    /// Writes that failed.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.waiting.lock().failures
    }

    /// How much waits.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.lock().len()
    }

    /// The condition of a transaction that waits, if one does.
    #[must_use]
    pub fn newest(&self, key: &RowKey) -> Option<Progress> {
        let waiting = self.waiting.lock();
        waiting.conditions.newest.get(key).map(|condition| (*condition.progress).clone())
    }

    /// Whether a condition of a transaction waits.
    #[must_use]
    pub fn has_condition(&self, key: &RowKey) -> bool {
        self.waiting.lock().conditions.newest.contains_key(key)
    }

    /// Whether a transaction's row waits to be made.
    #[must_use]
    pub fn has_row(&self, key: &RowKey) -> bool {
        self.waiting.lock().operations.iter().any(|operation| {
            matches!(operation, Operation::Create(run, identity, _) if (*run, identity.hash) == *key)
        })
    }

    /// For a writer that is a thread: waits until there is something to write, after a failure a while;
    /// false once there never will be.
    pub fn wait(&self, failed: bool) -> bool {
        let mut waiting = self.waiting.lock();
        let mut next = waiting.next(failed);
        loop {
            match next {
                Next::Work => return true,
                Next::End => return false,
                Next::Idle => self.work.wait(&mut waiting),
                Next::Pause if waiting.closed => {
                    drop(waiting);
                    std::thread::sleep(AFTER_FAILURE);
                    return true;
                }
                Next::Pause => {
                    let patient = |waiting: &mut Waiting| waiting.is_patient();
                    self.work.wait_while_for(&mut waiting, patient, AFTER_FAILURE);
                }
            }
            next = waiting.next(false);
        }
    }

    /// The same for a writer that is a task.
    pub async fn waited(&self, failed: bool) -> bool {
        let mut next = self.waiting.lock().next(failed);
        loop {
            match next {
                Next::Work => return true,
                Next::End => return false,
                Next::Idle => self.bell.notified().await,
                Next::Pause if self.is_closed() => {
                    time::sleep(AFTER_FAILURE).await;
                    return true;
                }
                Next::Pause => {
                    let ring = async {
                        while self.waiting.lock().is_patient() {
                            self.bell.notified().await;
                        }
                    };
                    // Whether it rang or not, it is tried again.
                    let _ = time::timeout(AFTER_FAILURE, ring).await;
                }
            }
            next = self.waiting.lock().next(false);
        }
    }

    /// Whether somebody waits for everything.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        let waiting = self.waiting.lock();
        waiting.closed || waiting.flushes > 0
    }

    /// For the writer: takes what is to be written together.
    #[must_use]
    pub fn take(&self, most: usize) -> Group {
        let mut waiting = self.waiting.lock();
        let waiting = &mut *waiting;
        let mut group = Group::default();
        let mut all = waiting.closed;
        while group.operations.len() < GROUP
            && let Some(operation) = waiting.operations.pop_front()
        {
            match operation {
                Operation::Wait(Needs::All, tell) => {
                    waiting.readers.push((waiting.conditions.last(), tell));
                }
                Operation::Wait(Needs::One(key), tell) => {
                    waiting.conditions.first.push(key);
                    group.operations.push_back(Operation::Wait(Needs::New, tell));
                }
                Operation::Flush(_) => {
                    all = true;
                    waiting.flushes -= 1;
                    group.operations.push_back(operation);
                }
                other => group.operations.push_back(other),
            }
        }
        group.conditions = waiting.conditions.take(if all { usize::MAX } else { most });
        group.ledgers = std::mem::take(&mut waiting.ledgers);
        waiting.in_hand = group.len();
        group
    }

    /// For the writer: a group is written but for these conditions, which are to be tried again, and
    /// `failures` of its operations, who were told.
    pub fn written(&self, again: Vec<(RowKey, Condition)>, failures: u64) {
        let mut waiting = self.waiting.lock();
        waiting.in_hand = 0;
        waiting.failures += failures;
        for (key, condition) in again.into_iter().rev() {
            waiting.conditions.put_back(key, condition);
        }
        let left = waiting.conditions.left;
        for (_, tell) in waiting.readers.extract_if(.., |(until, _)| *until <= left) {
            // Who asked may have gone.
            let _ = tell.send(Ok(()));
        }
        drop(waiting);
        self.room.notify_waiters();
    }

    /// For the writer: a group could not be written. Its conditions and ledgers wait again; `failures`
    /// of its operations were told.
    pub fn not_written(&self, group: Group, failures: u64, error: &str) {
        let mut waiting = self.waiting.lock();
        waiting.in_hand = 0;
        waiting.failures += failures;
        for (key, mut condition) in group.conditions.into_iter().rev() {
            waiting.failures += u64::from(!std::mem::replace(&mut condition.failed, true));
            waiting.conditions.put_back(key, condition);
        }
        for (key, (hash, failed)) in group.ledgers {
            waiting.failures += u64::from(!failed);
            waiting.ledgers.entry(key).or_insert((hash, true));
        }
        for (_, tell) in waiting.readers.drain(..) {
            let _ = tell.send(Err(Error::Store(error.to_owned())));
        }
        drop(waiting);
        self.room.notify_waiters();
    }

    /// For a writer that has lost what it writes to, and will have it again: what it has in hand and what
    /// waits is kept, new rows too, and none of it has failed. Whoever asked for something else is told.
    pub fn put_back(&self, group: Group, error: &str) {
        let mut waiting = self.waiting.lock();
        let waiting = &mut *waiting;
        waiting.in_hand = 0;
        for (key, condition) in group.conditions.into_iter().rev() {
            waiting.conditions.put_back(key, condition);
        }
        for (key, newest) in group.ledgers {
            waiting.ledgers.entry(key).or_insert(newest);
        }
        let mut operations = group.operations;
        operations.append(&mut waiting.operations);
        waiting.flushes = 0;
        for operation in operations {
            match operation {
                Operation::Create(..) => waiting.operations.push_back(operation),
                other => other.fail(error),
            }
        }
        for (_, tell) in waiting.readers.drain(..) {
            // Who asked may have gone.
            let _ = tell.send(Err(Error::Store(error.to_owned())));
        }
    }

    /// For the writer: it has ended, in whatever way; what is left is not written.
    pub fn end(&self, why: &str) {
        let mut waiting = self.waiting.lock();
        waiting.closed = true;
        let unwritten = Unwritten {
            conditions: (waiting.conditions.newest.len() + waiting.in_hand) as u64,
            ledgers: waiting.ledgers.len() as u64,
            why: why.to_owned(),
        };
        let operations = std::mem::take(&mut waiting.operations);
        waiting.readers.clear();
        drop(waiting);
        if unwritten.conditions + unwritten.ledgers > 0 {
            tracing::error!(%unwritten, "the store is closed");
        }
        for operation in operations {
            operation.fail(why);
        }
        self.ended.send_replace(Some(unwritten));
        self.room.notify_waiters();
    }
}

fn closed() -> Error {
    Error::Store("it is closed".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{lifecycle::State, store::conformance::identity};

    /// What is put back is taken again, new rows first and in their order; a newer condition is not
    /// replaced, and nothing has failed but what could be asked again.
    #[tokio::test]
    async fn what_is_put_back_waits_and_has_not_failed() {
        let queue = Queue::new(10);
        let run = RunId(1);
        let (mut new, mut reader) = (Vec::new(), Vec::new());
        let in_state = |version, state| Progress { version, state, ..Progress::created() };
        for n in 0..3 {
            let (tell, told) = oneshot::channel();
            queue.ask(Operation::Create(run, Box::new(identity(n)), tell)).unwrap();
            new.push(told);
            let (tell, told) = oneshot::channel();
            let needs = if n == 0 { Needs::New } else { Needs::All };
            queue.ask(Operation::Wait(needs, tell)).unwrap();
            reader.push(told);
        }
        let key = (run, identity(7).hash);
        queue.update(key, in_state(1, State::Submitted)).unwrap();
        queue.ledger(run, LedgerIndex(5), Hash256([5; 32])).unwrap();
        let group = queue.take(CONDITIONS);
        assert_eq!((group.conditions.len(), group.ledgers.len()), (1, 1));
        let (tell, mut late) = oneshot::channel();
        queue.ask(Operation::Create(run, Box::new(identity(3)), tell)).unwrap();
        let (tell, flushed) = oneshot::channel();
        queue.ask(Operation::Flush(tell)).unwrap();
        queue.update(key, in_state(2, State::Expired)).unwrap();
        queue.put_back(group, "away");

        for told in reader.into_iter().chain([flushed]) {
            assert!(matches!(told.await.unwrap(), Err(Error::Store(why)) if why == "away"));
        }
        assert!(new.iter_mut().chain([&mut late]).all(|told| told.try_recv().is_err()));
        assert!(!queue.is_urgent());
        assert_eq!((queue.failures(), queue.waiting()), (0, 6));
        let again = queue.take(CONDITIONS);
        let rows = again.operations.iter().map(|operation| match operation {
            Operation::Create(_, identity, _) => identity.hash,
            other => panic!("{other:?}"),
        });
        assert_eq!(rows.collect::<Vec<_>>(), [0, 1, 2, 3].map(|n| identity(n).hash));
        assert_eq!(again.conditions[0].1.progress.version, 2);
        assert_eq!(again.ledgers.len(), 1);
    }
}
