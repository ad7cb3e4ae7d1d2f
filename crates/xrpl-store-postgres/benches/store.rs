//! What the PostgreSQL store costs, measured as the SQLite store is (`cargo bench -p xrpl-tracker --bench
//! store`): transactions per second through CREATED (waited for), SUBMITTED and VALIDATED, with many in
//! flight. The server is this machine's own and flushes nothing to the disk.
//!
//! `cargo bench -p xrpl-store-postgres`

#[path = "../tests/server/mod.rs"]
mod server;

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use xrpl_protocol::{Hash256, LedgerIndex};
use xrpl_store_postgres::{Address, PostgresStore};
use xrpl_tracker::{
    ResultName, RunStore, Source, State, Store, ValidatedIn,
    record::{Answer, Preliminary, Progress, Sighting},
    store::conformance::identity,
};

use self::server::Server;

const IN_FLIGHT: usize = 256;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--test");
    let n = if quick { 500 } else { 40_000 };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime can be had").block_on(async {
        let Some(server) = Server::start() else { return };
        let address = Address::parse(&server.address()).expect("it is an address");
        let store = PostgresStore::open(&address).await.expect("the server answers");
        let run = &*store.begin_run(Some(0), 0).await.expect("a run begins");
        let since = Instant::now();
        stream::iter(0..n).for_each_concurrent(IN_FLIGHT, |n| one(run, n)).await;
        run.flush().await.expect("everything is written");
        println!("{:.0} transactions/s", f64::from(n) / since.elapsed().as_secs_f64());
        assert_eq!(store.failures(), 0);
    });
}

async fn one(run: &dyn RunStore, n: u32) {
    let identity = identity(n);
    let hash = identity.hash;
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
