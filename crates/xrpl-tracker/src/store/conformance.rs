//! What every store must do, whatever it keeps rows in: one list of tests, which
//! [`store_conformance!`](crate::store_conformance) runs on a store.

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use xrpl_protocol::{
    AccountId, Hash256, LedgerIndex, Sequence, TxHash, hash::sha512_half, transaction::Slot,
};

use super::{Created, Resumed, Retention, RunStore, SessionNote, Settled, Store};
use crate::{
    error::Error,
    lifecycle::State,
    record::{Identity, Intent, Progress, RowFilter, RunId},
};

/// Makes a test of each that a store must pass. The expression is a function that makes an empty store
/// and what is to be kept while it is in use; none where such a store cannot be had, of which it says why.
///
/// ```ignore
/// xrpl_tracker::store_conformance!(async || Some((MemoryStore::shared(), ())));
/// ```
#[macro_export]
macro_rules! store_conformance {
    ($open:expr) => {
        $crate::store_conformance!(
            $open;
            an_older_run_is_taken_up_again,
            two_runs_at_once_do_not_meet,
            a_run_that_is_not_there,
            a_row_is_made_once_in_a_run,
            the_newest_condition_stays,
            each_of_a_group_of_rows_has_its_own_answer,
            a_condition_without_a_row_is_counted,
            ends_are_told_once_and_in_order,
            what_is_needed_is_not_pruned,
            sessions_are_of_their_run,
            a_closed_store_is_written_and_read,
        );
    };
    ($open:expr; $($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                let open = $open;
                $crate::store::conformance::on(async {
                    let Some((store, _kept)) = open().await else { return };
                    $crate::store::conformance::$name(store).await;
                });
            }
        )*
    };
}

/// Runs a test.
///
/// # Panics
/// The test fails.
pub fn on(test: impl Future<Output = ()>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime can be had").block_on(test);
}

/// The transaction of a number.
#[must_use]
pub fn identity(n: u32) -> Identity {
    Identity {
        hash: hash(n),
        account: AccountId([7; 20]),
        slot: Slot::Sequence(Sequence(n)),
        last_ledger_sequence: Some(LedgerIndex(30)),
        transaction_type: "Payment".into(),
        intent: Intent::Valid,
        created_ledger: LedgerIndex(10),
        created_at_ms: 0,
        blob: Bytes::from(vec![0x12; 190]),
        callers_key: None,
        fail_hard: false,
        fresh: true,
    }
}

fn hash(n: u32) -> TxHash {
    sha512_half(&[&n.to_be_bytes()]).into()
}

fn ledger_hash(n: u8) -> Hash256 {
    Hash256([n; 32])
}

/// The condition of a version.
fn in_state(version: u32, state: State) -> Progress {
    Progress { version, state, ..Progress::created() }
}

async fn begun(store: &Arc<dyn Store>) -> Arc<dyn RunStore> {
    store.begin_run(Some(7), 0).await.expect("a run begins")
}

async fn state_of(run: &Arc<dyn RunStore>, n: u32) -> Option<State> {
    let record = run.get(hash(n)).await.expect("the store can be read");
    record.map(|record| record.progress.state)
}

async fn hashes(run: &Arc<dyn RunStore>) -> Vec<TxHash> {
    let rows = run.rows(&RowFilter::default(), None, 1_000).await.expect("the store can be read");
    assert!(rows.iter().all(|record| record.run == run.run()), "rows of another run");
    rows.into_iter().map(|record| record.identity.hash).collect()
}

/// A run that is not the newest one is gone on with: what is written to it is read from it.
pub async fn an_older_run_is_taken_up_again(store: Arc<dyn Store>) {
    let old = begun(&store).await;
    old.add(identity(1)).await.unwrap();
    old.ledger(LedgerIndex(11), ledger_hash(1)).unwrap();
    let new = begun(&store).await;
    new.add(identity(2)).await.unwrap();
    new.ledger(LedgerIndex(21), ledger_hash(2)).unwrap();
    let ids = [old.run(), new.run()];
    assert_eq!(store.runs().await.unwrap(), ids);
    assert_eq!(store.newest().await.unwrap().map(|run| run.run()), Some(ids[1]));

    let old = store.open_run(ids[0]).await.unwrap();
    assert_eq!(old.run(), ids[0]);
    let anchor = old.anchor().await.unwrap().unwrap();
    assert_eq!((anchor.network_id, anchor.index), (Some(7), LedgerIndex(11)));
    let resumed = old.resume().await.unwrap();
    assert_eq!(resumed.open.iter().map(|one| one.identity.hash).collect::<Vec<_>>(), [hash(1)]);
    old.add(identity(3)).await.unwrap();
    old.update(hash(1), in_state(1, State::Expired)).unwrap();
    old.update(hash(3), in_state(1, State::Submitted)).unwrap();
    old.ledger(LedgerIndex(12), ledger_hash(3)).unwrap();
    assert_eq!(state_of(&old, 1).await, Some(State::Expired));
    assert_eq!(state_of(&old, 3).await, Some(State::Submitted));
    assert_eq!(hashes(&old).await, [hash(1), hash(3)]);
    assert_eq!(old.ledger_hash(LedgerIndex(12)).await.unwrap(), Some(ledger_hash(3)));
    assert_eq!(old.count(&RowFilter::default()).await.unwrap(), 2);
    let counts = old.resume().await.unwrap().counts;
    assert_eq!(counts.iter().map(|count| count.n).sum::<u64>(), 2);

    assert_eq!(hashes(&new).await, [hash(2)], "the newer one has what it had");
    assert_eq!(new.anchor().await.unwrap().unwrap().index, LedgerIndex(21));
    assert_eq!(new.newest_ledgers(9).await.unwrap(), [(LedgerIndex(21), ledger_hash(2))]);
}

/// Two runs of one store, written at the same time with the same transactions and ledgers: neither sees
/// anything of the other.
pub async fn two_runs_at_once_do_not_meet(store: Arc<dyn Store>) {
    const ROWS: u32 = 200;
    let runs = [begun(&store).await, begun(&store).await];
    let ends = [State::Validated, State::Expired];
    let write = |run: Arc<dyn RunStore>, end: State, ledger: u8| async move {
        for n in 0..ROWS {
            assert!(matches!(run.add(identity(n)).await.unwrap(), Created::New(_)));
            run.update(hash(n), in_state(1, State::Submitted)).unwrap();
            let ended = match end {
                State::Validated => validated(2, 11, ledger),
                _ => in_state(2, end),
            };
            run.update(hash(n), ended).unwrap();
            run.ledger(LedgerIndex(n), ledger_hash(ledger)).unwrap();
            tokio::task::yield_now().await;
        }
    };
    let both = [
        tokio::spawn(write(Arc::clone(&runs[0]), ends[0], 1)),
        tokio::spawn(write(Arc::clone(&runs[1]), ends[1], 2)),
    ];
    for one in both {
        one.await.unwrap();
    }
    for (run, (end, ledger)) in runs.iter().zip(ends.into_iter().zip([1, 2])) {
        run.flush().await.unwrap();
        assert_eq!(hashes(run).await, (0..ROWS).map(hash).collect::<Vec<_>>());
        let of = |state| RowFilter { states: vec![state], ..RowFilter::default() };
        assert_eq!(run.count(&of(end)).await.unwrap(), u64::from(ROWS));
        let ledgers = run.newest_ledgers(1_000).await.unwrap();
        assert_eq!(ledgers.len(), ROWS as usize);
        assert!(ledgers.iter().all(|(_, hash)| *hash == ledger_hash(ledger)));
    }
    assert_eq!(store.failures(), 0);
}

/// No run is opened that was never begun.
pub async fn a_run_that_is_not_there(store: Arc<dyn Store>) {
    assert!(store.newest().await.unwrap().is_none());
    assert_eq!(store.runs().await.unwrap(), []);
    let run = begun(&store).await.run();
    let next = RunId(run.0 + 1);
    match store.open_run(next).await {
        Err(Error::NoRun(of)) => assert_eq!(of, next),
        other => panic!("{other:?}"),
    }
    assert!(store.open_run(run).await.unwrap().anchor().await.unwrap().is_none());
}

/// The same transaction once more is the row that there is, with what is known of it; in another run it
/// is a row of its own.
pub async fn a_row_is_made_once_in_a_run(store: Arc<dyn Store>) {
    let run = begun(&store).await;
    let Created::New(first) = run.add(identity(1)).await.unwrap() else { panic!("it is new") };
    let Created::New(second) = run.add(identity(2)).await.unwrap() else { panic!("it is new") };
    assert!(first < second, "in the order of hand-in");
    run.update(hash(1), in_state(1, State::Expired)).unwrap();
    // Whether its condition is written yet or not.
    let Created::Known(known) = run.add(identity(1)).await.unwrap() else { panic!("it is known") };
    assert_eq!((known.id, known.progress.state), (first, State::Expired));
    assert_eq!(known.identity, identity(1));
    assert_eq!(hashes(&run).await, [hash(1), hash(2)]);
    let other = begun(&store).await;
    assert!(matches!(other.add(identity(1)).await.unwrap(), Created::New(_)));
    assert_eq!(state_of(&other, 1).await, Some(State::Created));
}

/// What comes late changes nothing, terminal or not; what is newer does, an end too: a validated ledger
/// outranks an opinion, and a ledger that is denied opens an end again.
pub async fn the_newest_condition_stays(store: Arc<dyn Store>) {
    let run = begun(&store).await;
    run.add(identity(1)).await.unwrap();
    let outbox = store.outbox().expect("a store keeps ends");
    outbox.keep();
    let steps = [
        (2, State::Rejected, State::Rejected),
        (1, State::Submitted, State::Rejected),
        (2, State::Expired, State::Rejected),
        (3, State::Validated, State::Validated),
        (2, State::Rejected, State::Validated),
        (4, State::Submitted, State::Submitted),
        (3, State::Validated, State::Submitted),
        (5, State::Expired, State::Expired),
    ];
    for written_between in [true, false] {
        let n = if written_between { 2 } else { 3 };
        run.add(identity(n)).await.unwrap();
        for (version, state, after) in steps {
            let progress = match state {
                State::Validated => validated(version, 11, 1),
                _ => in_state(version, state),
            };
            run.update(hash(n), progress).unwrap();
            if written_between {
                run.flush().await.unwrap();
                assert_eq!(state_of(&run, n).await, Some(after), "{version} {state}");
            }
        }
        let record = run.get(hash(n)).await.unwrap().unwrap();
        assert_eq!((record.progress.state, record.progress.version), (State::Expired, 5));
    }
    // Nor is anybody told of an end that was none.
    let mut told = Vec::new();
    loop {
        let due = outbox.due(0, 10).await.unwrap();
        let Some(end) = due.iter().find(|end| end.tx_hash == hash(2)) else { break };
        told.push((end.was, end.state));
        outbox.settle(Settled { delivered: vec![end.seq], ..Settled::default() }).await.unwrap();
    }
    use State::{Created, Expired, Rejected, Submitted, Validated};
    let ends =
        [(Created, Rejected), (Rejected, Validated), (Validated, Submitted), (Submitted, Expired)];
    assert_eq!(told, ends);
    // A restart counts on from there.
    let resumed = store.open_run(run.run()).await.unwrap();
    resumed.update(hash(2), in_state(5, State::Submitted)).unwrap();
    assert_eq!(state_of(&resumed, 2).await, Some(State::Expired));
    resumed.update(hash(2), in_state(6, State::Submitted)).unwrap();
    assert_eq!(state_of(&resumed, 2).await, Some(State::Submitted));
}

/// Rows that are handed over together are answered one by one: one that cannot be kept (it has a time
/// that no clock shows) fails alone.
pub async fn each_of_a_group_of_rows_has_its_own_answer(store: Arc<dyn Store>) {
    let run = begun(&store).await;
    let mut answers = Vec::new();
    for n in 0..40 {
        let room = run.room().await.unwrap();
        let created_at_ms = if n == 17 { u64::MAX } else { 5 };
        // The 30th is the 20th once more.
        let identity = Identity { created_at_ms, ..identity(if n == 30 { 20 } else { n }) };
        answers.push(run.create(room, identity));
    }
    let mut ids = Vec::new();
    for (n, answer) in answers.into_iter().enumerate() {
        match (n, answer.await.unwrap()) {
            (17, Err(_)) => {}
            (30, Ok(Created::Known(record))) => assert_eq!(record.identity.hash, hash(20)),
            (_, Ok(Created::New(id))) => ids.push(id),
            (_, other) => panic!("{n}: {other:?}"),
        }
    }
    assert!(ids.is_sorted(), "{ids:?}");
    assert_eq!(ids.len(), 38);
    assert_eq!(hashes(&run).await.len(), 38);
    assert_eq!(store.failures(), 1);
}

/// A condition of a transaction that was never handed in does no harm, and does not go unnoticed.
pub async fn a_condition_without_a_row_is_counted(store: Arc<dyn Store>) {
    let (run, other) = (begun(&store).await, begun(&store).await);
    run.add(identity(1)).await.unwrap();
    run.update(hash(1), in_state(1, State::Submitted)).unwrap();
    other.flush().await.unwrap();
    assert_eq!(store.failures(), 0);
    other.update(hash(1), in_state(2, State::Expired)).unwrap();
    other.flush().await.unwrap();
    assert_eq!(store.failures(), 1);
    assert_eq!(state_of(&other, 1).await, None);
    assert_eq!(state_of(&run, 1).await, Some(State::Submitted), "it is another run's");
}

/// Ends of all runs wait in the order in which they were written until they are settled: of one
/// transaction one at a time; the cursor stands before the oldest one that waits.
pub async fn ends_are_told_once_and_in_order(store: Arc<dyn Store>) {
    let runs = [begun(&store).await, begun(&store).await];
    let outbox = store.outbox().expect("a store keeps ends");
    outbox.keep();
    for run in &runs {
        for n in [1, 2] {
            run.add(identity(n)).await.unwrap();
            run.update(hash(n), in_state(1, State::Rejected)).unwrap();
            run.flush().await.unwrap();
        }
    }
    runs[0].update(hash(1), validated(2, 11, 1)).unwrap();
    runs[0].flush().await.unwrap();
    let due = outbox.due(0, 10).await.unwrap();
    let told: Vec<_> = due.iter().map(|end| (end.run, end.tx_hash, end.state)).collect();
    let rejected = |run: usize, n| (runs[run].run(), hash(n), State::Rejected);
    assert_eq!(told, [rejected(0, 1), rejected(0, 2), rejected(1, 1), rejected(1, 2)]);
    let seqs: Vec<_> = due.iter().map(|end| end.seq).collect();
    assert!(seqs.is_sorted_by(|a, b| a < b));
    let settled = Settled {
        now_ms: 1_000,
        delivered: vec![seqs[0], seqs[2]],
        put_off: vec![(seqs[1], 9_000)],
        given_up: vec![seqs[3]],
    };
    outbox.settle(settled).await.unwrap();
    let status = outbox.status().await.unwrap();
    assert_eq!((status.backlog, status.delivered, status.given_up), (2, 2, 1), "{status:?}");
    assert_eq!(status.cursor, seqs[1] - 1);
    let due = outbox.due(8_999, 10).await.unwrap();
    assert_eq!(due.len(), 1, "the other one was put off: {due:?}");
    assert_eq!((due[0].was, due[0].state), (State::Rejected, State::Validated));
    assert!(due[0].seq > seqs[3]);
    let due = outbox.due(9_000, 10).await.unwrap();
    let tries: Vec<_> = due.iter().map(|end| (end.tx_hash, end.tries, end.first_try_ms)).collect();
    assert_eq!(tries, [(hash(2), 1, Some(1_000)), (hash(1), 0, None)]);
}

/// Whatever a store forgets, it is nothing without an end, no end that waits to be told, and no count.
pub async fn what_is_needed_is_not_pruned(store: Arc<dyn Store>) {
    const DAY_MS: u64 = 86_400_000;
    let run = begun(&store).await;
    let (open, waits, first, last) = (1, 2, 10, 40);
    let outbox = store.outbox().expect("a store keeps ends");
    run.add(identity(open)).await.unwrap();
    outbox.keep();
    run.add(identity(waits)).await.unwrap();
    run.update(hash(waits), validated(1, 11, 1)).unwrap();
    run.flush().await.unwrap();
    let end = outbox.due(0, 10).await.unwrap();
    assert_eq!(end.len(), 1);
    for n in first..=last {
        run.add(identity(n)).await.unwrap();
        run.update(hash(n), validated(1, 11, 1)).unwrap();
    }
    run.flush().await.unwrap();
    let others = outbox.due(0, 100).await.unwrap();
    let others = others.iter().map(|other| other.seq).filter(|seq| *seq != end[0].seq);
    let delivered = others.collect();
    outbox.settle(Settled { delivered, ..Settled::default() }).await.unwrap();
    let total = |resumed: &Resumed| resumed.counts.iter().map(|count| count.n).sum::<u64>();
    let before = total(&run.resume().await.unwrap());
    assert_eq!(before, u64::from(last - first) + 3);
    let retention = Retention::For(std::time::Duration::ZERO);
    let mut gone = 0;
    loop {
        match store.prune(retention, 2 * DAY_MS).await.unwrap() {
            0 => break,
            n => gone += n,
        }
    }
    let left = hashes(&run).await;
    assert_eq!(left.len() as u64 + gone, before);
    assert!(left.contains(&hash(open)) && left.contains(&hash(waits)));
    assert_eq!(run.pruned().await.unwrap().rows, gone);
    let resumed = run.resume().await.unwrap();
    assert_eq!((total(&resumed), resumed.open.len()), (before, 1));
    let size = store.size().await.unwrap();
    assert_eq!((size.rows, size.pruned), (left.len() as u64, gone));
    // What is told late of one that has left is no failure: it was there.
    run.update(hash(first), validated(2, 11, 1)).unwrap();
    run.flush().await.unwrap();
    assert_eq!(store.failures(), 0);
}

/// Sessions count up in their run; what is noted last is what is read.
pub async fn sessions_are_of_their_run(store: Arc<dyn Store>) {
    let runs = [begun(&store).await.run(), begun(&store).await.run()];
    let sessions = store.sessions().expect("a store keeps sessions");
    let mut ids = Vec::new();
    for run in [runs[0], runs[1], runs[0]] {
        ids.push(sessions.begin_session(run, 10).await.unwrap());
    }
    let numbers: Vec<_> = ids.iter().map(|id| (id.run, id.session)).collect();
    assert_eq!(numbers, [(runs[0], 1), (runs[1], 1), (runs[0], 2)]);
    for (at_ms, text) in [(11, "on the way"), (12, "done")] {
        let ended = at_ms == 12;
        let note = SessionNote { at_ms, ended, head: text.into(), text: text.into() };
        sessions.note_session(ids[1], note).await.unwrap();
    }
    assert_eq!(sessions.session_text(ids[1]).await.unwrap().as_deref(), Some("done"));
    assert_eq!(sessions.session_text(ids[0]).await.unwrap(), None);
    let heads = sessions.session_heads().await.unwrap();
    let ended: Vec<_> = heads.iter().filter(|head| head.ended).map(|head| head.id).collect();
    assert_eq!((heads.len(), ended), (3, vec![ids[1]]));
    let strange = sessions.begin_session(RunId(runs[1].0 + 1), 0).await;
    assert!(strange.is_err(), "there is no such run");
}

/// What was handed over before the end is written; after it nothing is taken, and what is there can be
/// read.
pub async fn a_closed_store_is_written_and_read(store: Arc<dyn Store>) {
    let run = begun(&store).await;
    for n in 0..300 {
        run.add(identity(n)).await.unwrap();
        run.update(hash(n), in_state(1, State::Expired)).unwrap();
    }
    run.ledger(LedgerIndex(11), ledger_hash(1)).unwrap();
    // Who reads meanwhile is answered with what there is in the end.
    let everything = RowFilter::default();
    let (closed, meanwhile) = tokio::join!(store.close(), run.count(&everything));
    closed.unwrap();
    assert_eq!(meanwhile.unwrap(), 300);
    let of = |state| RowFilter { states: vec![state], ..RowFilter::default() };
    assert_eq!(run.count(&of(State::Expired)).await.unwrap(), 300);
    assert_eq!(run.anchor().await.unwrap().unwrap().index, LedgerIndex(11));
    assert!(run.room().await.is_err());
    assert!(run.add(identity(1_000)).await.is_err());
    assert!(run.update(hash(1), in_state(2, State::Submitted)).is_err());
    assert!(run.ledger(LedgerIndex(12), ledger_hash(1)).is_err());
    assert_eq!(state_of(&run, 1).await, Some(State::Expired));
    assert_eq!(hashes(&run).await.len(), 300);
    store.close().await.unwrap();
}

fn validated(version: u32, ledger: u32, of: u8) -> Progress {
    use crate::evidence::{ResultName, Source, ValidatedIn};
    let place = ValidatedIn {
        ledger_index: LedgerIndex(ledger),
        ledger_hash: Some(ledger_hash(of)),
        result: ResultName::new("tesSUCCESS"),
        source: Source::Ws,
    };
    Progress { validated: Some(Box::new(place)), ..in_state(version, State::Validated) }
}

#[cfg(test)]
mod tests {
    mod memory {
        use crate::store::MemoryStore;

        crate::store_conformance!(async || Some((MemoryStore::shared(), ())));
    }

    mod sqlite {
        use std::sync::Arc;

        use crate::store::{SqliteOptions, SqliteStore, Store};

        async fn open() -> Option<(Arc<dyn Store>, tempfile::TempDir)> {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("run.db");
            Some((Arc::new(SqliteStore::open(path, SqliteOptions::default()).unwrap()), folder))
        }

        crate::store_conformance!(open);
    }
}
