//! What the SQLite store costs: transactions per second through CREATED (waited for), SUBMITTED and
//! VALIDATED, with many in flight, and the processor time each takes.
//!
//! `cargo bench -p xrpl-tracker --bench store`

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use xrpl_protocol::{
    AccountId, Hash256, LedgerIndex, Sequence, hash::sha512_half, transaction::Slot,
};
use xrpl_tracker::{
    Durability, Intent, ResultName, RunStore, Source, SqliteOptions, SqliteStore, State, Store,
    ValidatedIn,
    record::{Answer, Identity, Preliminary, Progress, Sighting},
};

const IN_FLIGHT: usize = 256;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--test");
    let n = if quick { 500 } else { 40_000 };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime without options cannot fail to be built");
    for durability in [Durability::Process, Durability::Power] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let options = SqliteOptions { durability, ..SqliteOptions::default() };
        let store = SqliteStore::open(folder.path().join("bench.db"), options).expect("a new file");
        let (busy, since) = (processor_time(), Instant::now());
        runtime.block_on(run(&store, n));
        let took = since.elapsed();
        let each = (processor_time() - busy).as_secs_f64() * 1e6 / n as f64;
        println!(
            "{durability:?}: {:.0} transactions/s, {each:.1} us of processor time each",
            n as f64 / took.as_secs_f64()
        );
        assert_eq!(store.failures(), 0);
    }
}

async fn run(store: &SqliteStore, n: usize) {
    let run = &*store.begin_run(Some(0), 0).await.expect("a run begins");
    stream::iter(0..n).for_each_concurrent(IN_FLIGHT, |n| one(run, n)).await;
    run.flush().await.expect("everything is written");
}

async fn one(run: &dyn RunStore, n: usize) {
    let hash = sha512_half(&[&n.to_be_bytes()]).into();
    let identity = Identity {
        hash,
        account: AccountId([7; 20]),
        slot: Slot::Sequence(Sequence(n as u32)),
        last_ledger_sequence: Some(LedgerIndex(30)),
        transaction_type: "Payment".into(),
        intent: Intent::Valid,
        created_ledger: LedgerIndex(10),
        created_at_ms: 1_700_000_000_000,
        blob: Bytes::from(vec![0x12; 190]),
        callers_key: None,
        fail_hard: false,
        fresh: true,
    };
    run.add(identity).await.expect("the row is written");
    let success = ResultName::new("tesSUCCESS");
    let mut progress = Progress::created();
    progress.version = 1;
    progress.state = State::Submitted;
    progress.attempts = 1;
    progress.engine_result_first = Some(success.clone());
    progress.engine_result_last = Some(success.clone());
    let answer = Answer::EngineResult(success.clone());
    progress.preliminary.push(Preliminary { at_ms: 1_700_000_000_010, endpoint: 0, answer });
    run.update(hash, progress.clone()).expect("the store is open");
    // The next condition comes a ledger later: not in the same group.
    tokio::time::sleep(Duration::from_millis(20)).await;
    let ledger_hash = Some(Hash256([3; 32]));
    progress.version = 2;
    progress.state = State::Validated;
    progress.sightings.push(Sighting {
        at_ms: 1_700_000_004_000,
        source: Source::Ws,
        ledger_index: LedgerIndex(11),
        ledger_hash,
    });
    progress.validated = Some(Box::new(ValidatedIn {
        ledger_index: LedgerIndex(11),
        ledger_hash,
        result: success,
        source: Source::Ws,
    }));
    run.update(hash, progress).expect("the store is open");
}

/// Processor time of this process so far, where the system tells it.
fn processor_time() -> Duration {
    let ticks = || {
        let text = std::fs::read_to_string("/proc/self/stat").ok()?;
        let fields: Vec<&str> = text.rsplit(')').next()?.split_whitespace().collect();
        Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
    };
    Duration::from_millis(ticks().unwrap_or(0) * 10)
}
