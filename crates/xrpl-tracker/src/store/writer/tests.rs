use bytes::Bytes;
use futures_util::FutureExt;
use xrpl_protocol::{AccountId, Hash256, LedgerIndex, Sequence, TxHash, transaction::Slot};

use super::*;
use crate::{
    lifecycle::State,
    record::{Identity, Intent, Progress, RunId},
    store::{migrations, queue::Needs},
};

const RUN: RunId = RunId(1);

fn writer() -> Writer {
    bounded(1_000_000)
}

fn bounded(most_waiting: usize) -> Writer {
    let mut connection = Connection::open_in_memory().unwrap();
    migrations::migrate(&mut connection).unwrap();
    connection.execute("INSERT INTO runs (started_at_ms) VALUES (0)", []).unwrap();
    Writer::new(connection, Queue::new(most_waiting), Arc::default(), None)
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

fn in_state(version: u32, state: State) -> Progress {
    Progress { version, state, ..Progress::created() }
}

impl Writer {
    fn turn(&mut self, most: usize) -> bool {
        let group = self.queue.take(most);
        self.write(group)
    }

    fn create(&self, identity: Identity) -> oneshot::Receiver<Result<Created>> {
        let (tell, told) = oneshot::channel();
        self.queue.ask(Operation::Create(RUN, Box::new(identity), tell)).unwrap();
        told
    }

    fn update(&self, n: u32, progress: Progress) {
        self.queue.update((RUN, hash(n)), progress).unwrap();
    }

    fn waits_for(&self, needs: Needs) -> oneshot::Receiver<Result<()>> {
        let (tell, told) = oneshot::channel();
        self.queue.ask(Operation::Wait(needs, tell)).unwrap();
        told
    }

    /// Has `n` rows whose conditions wait.
    fn made(&mut self, n: u32) {
        for n in 0..n {
            drop(self.create(identity(n)));
        }
        assert!(self.turn(0));
        for n in 0..n {
            self.update(n, in_state(1, State::Submitted));
        }
    }

    fn submitted(&self) -> u32 {
        self.number("SELECT count(*) FROM transactions WHERE state = 1")
    }

    fn number(&self, sql: &str) -> u32 {
        self.connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// Whether the disk takes anything.
    fn disk(&self, takes: bool) {
        self.connection.pragma_update(None, "query_only", !takes).unwrap();
    }
}

/// A reader waits for what was handed over before, in its turn: what is about to be sent does not
/// wait for it.
#[test]
fn readers_force_nothing() {
    let mut writer = writer();
    writer.made(1_000);
    let mut all = writer.waits_for(Needs::All);
    let mut durable = writer.create(identity(5_000));
    assert!(writer.turn(CONDITIONS));
    assert!(durable.try_recv().unwrap().is_ok(), "the new row is durable");
    assert_eq!(writer.submitted(), CONDITIONS as u32, "a share was written with it");
    assert!(all.try_recv().is_err(), "the reader waits for the rest");
    for _ in 0..3 {
        assert!(writer.turn(CONDITIONS));
    }
    assert!(all.try_recv().unwrap().is_ok());
    assert_eq!((writer.submitted(), writer.queue.waiting()), (1_000, 0));
}

/// Who asks for one row gets it with the next group, however many wait before it.
#[test]
fn one_row_is_written_out_of_turn() {
    let mut writer = writer();
    writer.made(1_000);
    let mut one = writer.waits_for(Needs::One((RUN, hash(999))));
    assert!(writer.turn(10));
    assert!(one.try_recv().unwrap().is_ok());
    assert_eq!(writer.submitted(), 11);
    writer.update(999, in_state(2, State::Expired));
    while writer.queue.waiting() > 0 {
        assert!(writer.turn(CONDITIONS));
    }
    assert_eq!(writer.submitted(), 999, "its newer condition was written too");
}

/// Of a group of new rows one cannot be kept: it is told so, and the others are there.
#[test]
fn a_row_that_cannot_be_kept_fails_alone() {
    let mut writer = writer();
    let mut good = [writer.create(identity(1)), writer.create(identity(2))];
    let mut bad = writer.create(Identity { created_at_ms: u64::MAX, ..identity(3) });
    let mut after = writer.create(identity(4));
    assert!(writer.turn(0));
    for (told, id) in good.iter_mut().chain([&mut after]).zip(1..) {
        assert_eq!(told.try_recv().unwrap().unwrap(), Created::New(id));
    }
    assert!(bad.try_recv().unwrap().is_err());
    assert_eq!(writer.number("SELECT count(*) FROM transactions"), 3);
    assert_eq!(writer.queue.failures(), 1);
}

/// What could not be written waits and is tried again, ledgers as well as conditions, and is counted
/// once however often that is; what is newer takes its place.
#[test]
fn what_could_not_be_written_is_tried_again() {
    let mut writer = writer();
    writer.made(2);
    writer.queue.ledger(RUN, LedgerIndex(11), Hash256([1; 32])).unwrap();
    writer.queue.ledger(RUN, LedgerIndex(12), Hash256([2; 32])).unwrap();
    writer.disk(false);
    for _ in 0..3 {
        assert!(!writer.turn(CONDITIONS));
    }
    assert_eq!((writer.queue.waiting(), writer.queue.failures()), (4, 4));
    let mut refused = writer.create(identity(9));
    let mut reader = writer.waits_for(Needs::All);
    assert!(!writer.turn(CONDITIONS));
    assert!(refused.try_recv().unwrap().is_err(), "a new row is told at once");
    assert!(reader.try_recv().unwrap().is_err());
    assert_eq!((writer.queue.waiting(), writer.queue.failures()), (4, 5));
    writer.update(1, in_state(2, State::Expired));
    writer.queue.ledger(RUN, LedgerIndex(12), Hash256([3; 32])).unwrap();
    writer.disk(true);
    assert!(writer.turn(CONDITIONS));
    assert_eq!((writer.queue.waiting(), writer.queue.failures()), (0, 5));
    assert_eq!(writer.submitted(), 1);
    let hashes = "SELECT count(*) FROM ledgers WHERE (ledger_index, substr(hash, 1, 1))
        IN (VALUES (11, x'01'), (12, x'03'))";
    assert_eq!(writer.number(hashes), 2);
}

/// A condition without a row is an error; one whose row is still to be made waits for it.
#[test]
fn a_condition_without_a_row_is_counted() {
    let mut writer = writer();
    writer.update(1, in_state(1, State::Submitted));
    assert!(writer.turn(CONDITIONS));
    assert_eq!((writer.queue.waiting(), writer.queue.failures()), (0, 1));
    // More new rows than go into one group, and the condition of the last one.
    for n in 0..=4_096 {
        drop(writer.create(identity(n)));
    }
    writer.update(4_096, in_state(1, State::Submitted));
    assert!(writer.turn(CONDITIONS));
    assert_eq!((writer.queue.waiting(), writer.submitted()), (2, 0));
    assert!(writer.turn(CONDITIONS));
    assert_eq!((writer.queue.waiting(), writer.submitted(), writer.queue.failures()), (0, 1, 1));
}

/// While as much waits as may, a new row waits for room; what is told of those that there are does not,
/// and takes no more than its one place.
#[test]
fn new_rows_wait_for_room_and_conditions_do_not() {
    let mut writer = bounded(4);
    writer.made(3);
    let last = writer.queue.room().now_or_never().expect("there is room for one").unwrap();
    let queue = Arc::clone(&writer.queue);
    assert!(queue.room().now_or_never().is_none(), "there is no room for another");
    for version in 2..1_000 {
        writer.update(2, in_state(version, State::Submitted));
    }
    assert_eq!(queue.waiting(), 4);
    drop(last);
    assert!(queue.room().now_or_never().is_some(), "a place that is given back is one");
    drop(writer.create(identity(9)));
    let mut next = std::pin::pin!(queue.room());
    assert!(next.as_mut().now_or_never().is_none());
    assert!(writer.turn(CONDITIONS));
    assert!(next.now_or_never().expect("what is written makes room").is_ok());
    queue.close();
    assert!(queue.room().now_or_never().unwrap().is_err());
}

/// At the end all that waits is written; where that cannot be, it is told how much is lost.
#[test]
fn the_end_tells_what_is_not_written() {
    for takes in [true, false] {
        let mut writer = writer();
        writer.made(300);
        writer.queue.ledger(RUN, LedgerIndex(11), Hash256([1; 32])).unwrap();
        writer.disk(takes);
        let mut late = writer.create(identity(900));
        let queue = Arc::clone(&writer.queue);
        queue.close();
        assert!(queue.update((RUN, hash(1)), in_state(9, State::Expired)).is_err());
        writer.work(Duration::ZERO);
        let unwritten = queue.ended().now_or_never().unwrap();
        let lost = if takes { (0, 0) } else { (300, 1) };
        assert_eq!((unwritten.conditions, unwritten.ledgers), lost, "{unwritten:?}");
        assert_eq!(late.try_recv().unwrap().is_ok(), takes);
        assert!(takes || unwritten.why.contains("readonly"), "{unwritten:?}");
    }
}
