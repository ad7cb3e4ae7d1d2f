//! What every store must do, whatever it keeps rows in: one list of tests, which
//! [`store_conformance!`](crate::store_conformance) runs on a store.

use std::{future::Future, sync::Arc};

use bytes::Bytes;
use xrpl_protocol::{
    AccountId, Hash256, LedgerIndex, Sequence, TxHash, hash::sha512_half, transaction::Slot,
};

use super::{Created, RunStore, Settled, Store};
use crate::{
    error::Error,
    lifecycle::State,
    record::{Identity, Intent, Progress, RowFilter, RunId},
};

/// Makes a test of each that a store must pass. The expression is a function that makes an empty store
/// and what is to be kept while it is in use.
///
/// ```ignore
/// xrpl_tracker::store_conformance!(|| (MemoryStore::shared(), ()));
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
        );
    };
    ($open:expr; $($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                let open = $open;
                $crate::store::conformance::on(async {
                    let (store, _kept) = open().await;
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
fn in_state(version: u64, state: State) -> Progress {
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

fn validated(version: u64, ledger: u32, of: u8) -> Progress {
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

        crate::store_conformance!(async || (MemoryStore::shared(), ()));
    }

    mod sqlite {
        use std::sync::Arc;

        use crate::store::{SqliteOptions, SqliteStore, Store};

        async fn open() -> (Arc<dyn Store>, tempfile::TempDir) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("run.db");
            (Arc::new(SqliteStore::open(path, SqliteOptions::default()).unwrap()), folder)
        }

        crate::store_conformance!(open);
    }
}
