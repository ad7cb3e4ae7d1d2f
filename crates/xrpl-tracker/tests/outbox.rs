//! Ends that wait to be told, and rows that leave the file: what a store keeps and what it forgets.

use std::{path::Path, time::Duration};

use bytes::Bytes;
use xrpl_protocol::{
    AccountId, Hash256, LedgerIndex, Sequence, hash::sha512_half, transaction::Slot,
};
use xrpl_tracker::{
    CallersKey, Intent, MemoryStore, ResultName, RowFilter, RunStore, Source, SqliteOptions,
    SqliteStore, State, Store, ValidatedIn,
    record::{Identity, Latencies, Progress},
    store::{OutboxStatus, Retention, Settled},
};

const DAY_MS: u64 = 86_400_000;

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, SqliteOptions::default()).unwrap()
}

fn identity(n: u32) -> Identity {
    Identity {
        hash: sha512_half(&[&n.to_be_bytes()]).into(),
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

fn in_state(state: State) -> Progress {
    Progress { version: 1, state, ..Progress::created() }
}

fn validated(ledger: u32, hash: u8) -> Progress {
    let place = ValidatedIn {
        ledger_index: LedgerIndex(ledger),
        ledger_hash: Some(Hash256([hash; 32])),
        result: ResultName::new("tesSUCCESS"),
        source: Source::Ws,
    };
    let latencies = Latencies { finality_ms: Some(900), ..Latencies::default() };
    Progress { validated: Some(Box::new(place)), latencies, ..in_state(State::Validated) }
}

async fn made(run: &dyn RunStore, identity: Identity, progress: Progress) {
    let hash = identity.hash;
    run.add(identity).await.unwrap();
    run.update(hash, progress).unwrap();
    run.flush().await.unwrap();
}

async fn told(store: &dyn Store) -> Vec<(State, State, Option<u32>)> {
    let outbox = store.outbox().unwrap();
    let mut told = Vec::new();
    loop {
        let due = outbox.due(0, 100).await.unwrap();
        if due.is_empty() {
            return told;
        }
        told.extend(
            due.iter().map(|end| (end.was, end.state, end.validated_ledger.map(|index| index.0))),
        );
        let delivered = due.iter().map(|end| end.seq).collect();
        outbox.settle(Settled { delivered, ..Settled::default() }).await.unwrap();
    }
}

/// Both stores keep the same ends: each into and out of a terminal state, and from one ledger to
/// another; nothing of what comes before, and nothing unless it is wanted.
#[tokio::test]
async fn every_end_is_kept_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = open(&folder.path().join("run.db"));
    let memory = MemoryStore::default();
    for store in [&file as &dyn Store, &memory] {
        let run = &*store.begin_run(Some(0), 0).await.unwrap();
        made(run, identity(1), validated(11, 1)).await;
        assert_eq!(told(store).await, [], "nobody wanted ends");
        store.outbox().unwrap().keep();
        made(run, identity(2), in_state(State::Submitted)).await;
        made(run, identity(3), in_state(State::Retryable)).await;
        assert_eq!(told(store).await, []);
        let hash = identity(2).hash;
        let conditions = [
            in_state(State::Rejected),
            // Overturned, then seen once more, then the ledger was another one.
            validated(12, 1),
            validated(12, 1),
            validated(13, 2),
            in_state(State::Submitted),
            validated(13, 3),
            validated(13, 4),
        ];
        for (version, progress) in (2..).zip(conditions) {
            run.update(hash, Progress { version, ..progress }).unwrap();
            run.flush().await.unwrap();
        }
        use State::{Rejected, Submitted, Validated};
        let ends = told(store).await;
        assert_eq!(
            ends,
            [
                (Submitted, Rejected, None),
                (Rejected, Validated, Some(12)),
                (Validated, Validated, Some(13)),
                (Validated, Submitted, None),
                (Submitted, Validated, Some(13)),
                (Validated, Validated, Some(13)),
            ]
        );
        assert_eq!(told(store).await, [], "delivered is delivered");
        let status = store.outbox().unwrap().status().await.unwrap();
        assert_eq!((status.backlog, status.cursor, status.delivered), (0, 6, 6), "{status:?}");
    }
}

/// What waits is there after the process has gone, with its tries; numbers are never given twice.
#[tokio::test]
async fn what_waits_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let store = open(&path);
    let run = store.begin_run(Some(0), 0).await.unwrap();
    store.outbox().unwrap().keep();
    for n in 0..5 {
        made(&*run, identity(n), validated(11, 1)).await;
    }
    let settled = Settled {
        now_ms: 1_000,
        delivered: vec![1, 5],
        put_off: vec![(2, 7_000)],
        given_up: vec![3],
    };
    store.outbox().unwrap().settle(settled).await.unwrap();
    drop((run, store));
    let store = open(&path);
    let outbox = store.outbox().unwrap();
    let status = outbox.status().await.unwrap();
    let expected = OutboxStatus {
        backlog: 2,
        cursor: 1,
        delivered: 2,
        given_up: 1,
        oldest_at_ms: Some(900),
        durable: true,
    };
    assert_eq!(status, expected);
    let seqs = async |now| -> Vec<u64> {
        outbox.due(now, 10).await.unwrap().iter().map(|end| end.seq).collect()
    };
    assert_eq!(seqs(6_999).await, [4], "the other one waits for its time");
    assert_eq!(seqs(7_000).await, [2, 4]);
    let late = &outbox.due(7_000, 1).await.unwrap()[0];
    assert_eq!((late.tries, late.first_try_ms), (1, Some(1_000)));
    assert_eq!((late.tx_hash, late.state), (identity(1).hash, State::Validated));
    outbox.keep();
    let run = store.newest().await.unwrap().unwrap();
    made(&*run, identity(9), in_state(State::Expired)).await;
    assert_eq!(seqs(0).await, [4, 6], "5 was given before");
}

/// What left the rows still counts; what matters stays whatever its age.
#[tokio::test]
async fn rows_leave_when_nothing_needs_them_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("run.db"));
    let run = store.begin_run(Some(0), 0).await.unwrap();
    let (wanted, open_one, keyed) = (1, 2, 3);
    store.outbox().unwrap().keep();
    made(&*run, identity(wanted), validated(11, 1)).await;
    made(&*run, identity(open_one), in_state(State::Submitted)).await;
    let key = CallersKey { key: "order-1".into(), request: Hash256::ZERO };
    let with_key = Identity { callers_key: Some(key.into()), ..identity(keyed) };
    made(&*run, with_key, validated(11, 1)).await;
    let keyed_end = store.outbox().unwrap().due(0, 9).await.unwrap()[1].seq;
    let delivered = vec![keyed_end];
    store.outbox().unwrap().settle(Settled { delivered, ..Settled::default() }).await.unwrap();
    drop((run, store));

    let store = open(&folder.path().join("run.db"));
    let run = store.newest().await.unwrap().unwrap();
    for n in 10..2_010 {
        run.add(identity(n)).await.unwrap();
        run.update(identity(n).hash, validated(12 + n / 1_000, 1)).unwrap();
    }
    // Refused, and a ledger that could have it may still come.
    made(&*run, identity(4), in_state(State::Rejected)).await;
    made(&*run, identity(5), validated(12, 1)).await;
    run.ledger(LedgerIndex(20), Hash256::ZERO).unwrap();
    let before = run.resume().await.unwrap().counts;
    let week = Retention::For(Duration::from_hours(7 * 24));
    assert_eq!(store.prune(week, 7 * DAY_MS).await.unwrap(), 0, "nothing is older than a week");
    let short = Retention::For(Duration::ZERO);
    assert_eq!(store.prune(short, 500_000).await.unwrap(), 0, "ends settle within ten minutes");
    let mut gone = 0;
    loop {
        match store.prune(short, 2 * DAY_MS).await.unwrap() {
            0 => break,
            n => gone += n,
        }
    }
    assert_eq!(gone, 2_000);
    let left = run.rows(&RowFilter::default(), None, 10).await.unwrap();
    let mut left: Vec<_> = left.iter().map(|record| record.identity.hash).collect();
    left.sort_unstable();
    let mut expected: Vec<_> = [wanted, open_one, keyed, 4, 5].map(|n| identity(n).hash).into();
    expected.sort_unstable();
    assert_eq!(left, expected);
    assert!(run.by_key("order-1").await.unwrap().is_some());
    let size = store.size().await.unwrap();
    assert_eq!((size.rows, size.pruned), (5, 2_000));
    assert!(size.bytes.unwrap() > 4_096);
    let pruned = run.pruned().await.unwrap();
    assert_eq!((pruned.rows, pruned.through), (2_000, Some(LedgerIndex(14))));
    let total = |counts: &[xrpl_tracker::store::Count]| {
        let of = |state| counts.iter().filter(|c| c.state == state).map(|c| c.n).sum::<u64>();
        (of(State::Validated), of(State::Rejected), of(State::Submitted))
    };
    let after = run.resume().await.unwrap().counts;
    assert_eq!((total(&before), total(&after)), ((2_003, 1, 1), (2_003, 1, 1)));
    // Later the key and the refusal may go too; the newest row and what a webhook needs never do.
    run.ledger(LedgerIndex(31), Hash256::ZERO).unwrap();
    assert_eq!(store.prune(short, 8 * DAY_MS).await.unwrap(), 2);
    assert_eq!(run.by_key("order-1").await.unwrap(), None);
    assert_eq!(store.size().await.unwrap().rows, 3);
}

#[tokio::test]
async fn so_many_rows_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("run.db"));
    let run = store.begin_run(Some(0), 0).await.unwrap();
    for n in 0..100 {
        run.add(identity(n)).await.unwrap();
        run.update(identity(n).hash, validated(12, 1)).unwrap();
    }
    run.flush().await.unwrap();
    assert_eq!(store.prune(Retention::Rows(30), DAY_MS).await.unwrap(), 70);
    assert_eq!(store.prune(Retention::Rows(30), DAY_MS).await.unwrap(), 0);
    let left = run.rows(&RowFilter::default(), None, 100).await.unwrap();
    assert_eq!((left.len(), left[0].identity.hash), (30, identity(70).hash));
}
