//! A whole run, as the program makes it, with every socket cut every five seconds and the node
//! restarted three times: nothing is lost, nothing expires that a ledger contains, and in the end the
//! books are the ledger's.
//!
//! `XRPL_WORKLOAD_RUN_SECONDS`, `XRPL_WORKLOAD_RUN_TPS` and `XRPL_WORKLOAD_RUN_INTERVAL_MS` (between two
//! ledgers) make it longer and faster (`scripts/soak run`). After 256 ledgers accounts are deleted, and made
//! anew.

#[path = "common/books.rs"]
mod books;
mod common;

use std::{collections::BTreeSet, time::Duration};

use common::{config, quiet};
use xrpl_client::{Endpoint, Pool, PoolConfig};
use xrpl_standalone::{
    Kind,
    faults::{Action, LinkFault, Network, NetworkConfig, NodeAction, NodeFault, Plan, Port},
    node::NodeConfig,
};
use xrpl_tracker::{RowFilter, SqliteOptions, SqliteStore, State, Store};
use xrpl_workload::{
    audit::{Scope, audit},
    session::{Session, Stop},
};

fn from_env(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

/// Both ports cut every five seconds, in turn; the node goes down three times, for three seconds.
fn plan(seconds: u64) -> Plan {
    let cut = |at_s: u64, port| LinkFault {
        at_ms: at_s * 1_000,
        for_ms: 0,
        node: 0,
        port,
        action: Action::Cut,
    };
    let cuts = (1..=seconds / 5).map(|n| n * 5);
    let restart = |quarter: u64| NodeFault {
        at_ms: seconds * 250 * quarter,
        node: 0,
        action: NodeAction::Restart(3_000),
    };
    Plan {
        seed: 1,
        links: cuts.flat_map(|at| [cut(at, Port::Ws), cut(at + 2, Port::Rpc)]).collect(),
        nodes: (1..=3).map(restart).collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_cut_every_five_seconds_and_three_restarts_lose_nothing() {
    let seconds = from_env("XRPL_WORKLOAD_RUN_SECONDS", 60);
    let tps = from_env("XRPL_WORKLOAD_RUN_TPS", 60);
    let network = Network::start(NetworkConfig {
        nodes: 1,
        node: NodeConfig::default(),
        close_interval: Duration::from_millis(from_env("XRPL_WORKLOAD_RUN_INTERVAL_MS", 1_000)),
        send_queue_limit: 100_000,
        start_time: None,
        plan: plan(seconds),
    });
    let rpc = format!("http://{}", network.listen(0, Kind::Rpc).await.unwrap());
    let ws = format!("ws://{}", network.listen(0, Kind::WebSocket).await.unwrap());
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("run.db");
    let view = quiet();
    let session = Session::start(
        config(&[
            ("rpc", &rpc),
            ("ws", &ws),
            ("tps", &tps.to_string()),
            ("duration", &format!("{seconds}s")),
            // Twice of what a second brings may be in flight, and what waits for a node that is down.
            ("accounts", &(tps / 2).max(50).to_string()),
            ("max_pending", "10"),
            ("shutdown_grace", "120s"),
            ("store", store.to_str().unwrap()),
        ]),
        &view,
    )
    .await
    .unwrap();
    let app = session.app().clone();
    let ready = {
        let app = app.clone();
        async move {
            while app.generator().is_none() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    };
    let stop = Stop::default();
    let (ended, ()) = tokio::join!(session.run(&stop, &view), async {
        ready.await;
        network.follow_plan();
    });
    let summary = ended.unwrap().summary;
    let listing = app.generator().unwrap().accounts();
    let streams = app.tracker.ws_stats();
    drop(app);

    // The file is what remains, and the ledger is the judge.
    let store = SqliteStore::open(&store, SqliteOptions::default()).unwrap();
    let run = store.newest().await.unwrap().unwrap();
    let records = run.rows(&RowFilter::default(), None, usize::MAX >> 1).await.unwrap();
    let accounts: BTreeSet<_> = listing
        .users
        .iter()
        .copied()
        .chain(listing.gateways.iter().map(|gateway| gateway.address))
        .chain(listing.tagged)
        .collect();
    let ledgers = network.ledgers();
    let wrong = books::books(&ledgers, &records, &accounts, true);
    println!(
        "{seconds} s at {tps} tps: {} faults struck, {} transactions in {} ledgers, {} reconnects\n\
         {summary}",
        network.hits(),
        records.len(),
        ledgers.len(),
        streams.reconnects,
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let refused = records.iter().filter(|record| record.progress.state == State::Rejected);
    let refused: Vec<_> = refused.map(|r| (&r.identity.account, &r.progress)).collect();
    assert!(refused.is_empty(), "signed on a Sequence that was gone: {refused:#?}");
    assert_eq!(records.len() as u64, summary.submitted, "{summary}");
    assert_eq!((summary.undecided, summary.overturned), (0, 0), "{summary}");
    // What is due while the node is down is made up for as far as the lanes allow.
    assert!(summary.by_state["VALIDATED"] > seconds * tps / 2, "{summary}");
    assert!(summary.validated_by_source["BACKFILL"] > 0, "{summary}");
    assert!(streams.reconnects >= seconds / 20, "{streams:?}");
    assert!(network.hits() >= seconds / 5 + 3);
    // The program's own judge, besides the test's.
    let endpoint = Endpoint { rpc: rpc.parse().unwrap(), ws: None };
    let pool = Pool::new(vec![endpoint], PoolConfig::default());
    let scope = Scope { accounts: accounts.iter().copied().collect(), ..Scope::default() };
    let audited = audit(&pool, &store, scope).await.unwrap();
    assert!(audited.equal && audited.complete && audited.in_store == records.len(), "{audited}");
    let own_making = books::own_making(&records, true, &BTreeSet::new());
    assert!(own_making.is_empty(), "{}", own_making.join("\n"));
    network.shutdown().await;
}
