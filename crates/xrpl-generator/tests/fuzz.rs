//! The fuzz band against the embedded ledger: what is drawn at random has its ends like everything
//! else, and neither the load nor the ledger is spoilt by it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use xrpl_client::{Endpoint, Pool, PoolConfig};
use xrpl_generator::{
    FuzzConfig, Generator, GeneratorConfig, GeneratorError, Pace, Stage, Status, Until,
};
use xrpl_protocol::keys::{KeyType, Seed};
use xrpl_standalone::{Closing, Standalone, StandaloneConfig};
use xrpl_tracker::{Cell, Intent, IntentKind, MemoryStore, RowFilter, Tracker, TrackerConfig};

struct World {
    ledger: Standalone,
    pool: Pool,
    tracker: Tracker,
}

async fn world() -> World {
    let loopback = ([127, 0, 0, 1], 0).into();
    let config = StandaloneConfig {
        rpc_bind: loopback,
        ws_bind: loopback,
        closing: Closing::Interval(Duration::from_millis(300)),
        ..StandaloneConfig::default()
    };
    let ledger = Standalone::start(config).await.unwrap();
    let endpoint = Endpoint {
        rpc: format!("http://{}/", ledger.rpc_addr).parse().unwrap(),
        ws: Some(format!("ws://{}/", ledger.ws_addr).parse().unwrap()),
    };
    let pool = Pool::new(vec![endpoint], PoolConfig::default());
    let store = Arc::new(MemoryStore::new(100_000));
    let tracker = Tracker::start(pool.clone(), store, TrackerConfig::default()).await.unwrap();
    World { ledger, pool, tracker }
}

fn config(percent: f64, tps: f64) -> GeneratorConfig {
    let fuzz = FuzzConfig { percent, accounts: 24, ..FuzzConfig::default() };
    let stages = vec![Stage::of(Pace::from_tps(tps))];
    GeneratorConfig { accounts: 12, stages, fuzz, ..GeneratorConfig::default() }
}

/// Prepares, runs load for a while and lets it come to its end.
async fn run(world: &World, config: GeneratorConfig, time: Duration) -> (Generator, Status) {
    let (tracker, pool) = (world.tracker.clone(), world.pool.clone());
    let generator = Generator::prepare(tracker, pool, config, |_| {}).await.unwrap();
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(time).await;
        stop.cancel();
    });
    let status = generator.run(cancel).await.unwrap();
    (generator, status)
}

fn fuzzed(tracker: &Tracker) -> Vec<Cell> {
    tracker.matrix().into_iter().filter(|cell| cell.intent == IntentKind::Any).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_drawn_at_random_has_its_end_and_spoils_nothing() {
    let world = world().await;
    let config = GeneratorConfig { intent_invalid: 10.0, ..config(40.0, 120.0) };
    let (generator, status) = run(&world, config, Duration::from_secs(8)).await;
    let (stats, counted) = (&status.stats, world.tracker.stats());
    assert_eq!((counted.pending, counted.overturned, counted.contradicted), (0, 0, 0));
    let found = generator.findings().borrow().clone();
    assert!(found.is_empty(), "{found:#?}");
    // The load is as if there were no band.
    assert!(stats.failed.is_empty(), "{stats:?}");
    assert!(stats.invalid.otherwise.is_empty(), "{:?}", stats.invalid);
    assert_eq!(counted.valid_failed, 0);
    assert_eq!(stats.validated, stats.submitted, "{stats:?}");
    // The band is counted apart: all of it, by type and result.
    let cells = fuzzed(&world.tracker);
    let ended: u64 = cells.iter().map(|cell| cell.count).sum();
    assert_eq!((ended, counted.fuzzed), (stats.fuzz.tracked, stats.fuzz.tracked));
    let types: BTreeSet<_> = cells.iter().map(|cell| cell.transaction_type.as_ref()).collect();
    let results: BTreeSet<_> = cells.iter().filter_map(|cell| cell.last.clone()).collect();
    assert!(types.len() > 40 && results.len() > 15, "{types:?} {results:?}");
    assert!(stats.fuzz.validated > 20 && stats.fuzz.untracked_total() > 5, "{:?}", stats.fuzz);
    let any = RowFilter { newest_first: true, ..RowFilter::default() };
    let rows = world.tracker.rows(&any, None, 500).await.unwrap().rows;
    assert!(rows.iter().any(|row| row.intent == Intent::Any));
    world.ledger.shutdown().await;
}

/// A run that begins without a band gets one while its load goes on, by a stage or by request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_share_changes_while_load_runs() {
    let world = world().await;
    let pace = Pace::from_tps(60.0);
    let ledgers = |n| Until::Ledgers(n);
    let quiet = Stage { until: ledgers(6), fuzz: Some(0.0), ..Stage::of(pace) };
    let loud = Stage { until: ledgers(12), fuzz: Some(50.0), ..Stage::of(pace) };
    let stages = vec![quiet.clone(), loud, quiet];
    let settings = GeneratorConfig { stages, ..config(0.0, 60.0) };
    let (_, status) = run(&world, settings, Duration::from_secs(60)).await;
    let (fuzz, load) = (&status.stats.fuzz, status.stats.submitted);
    assert!(fuzz.tracked > 20 && load > fuzz.tracked, "{load} {fuzz:?}");
    assert_eq!(status.fuzz_percent, 0.0, "as the last stage has it");

    let stages = vec![Stage { until: ledgers(60), ..Stage::of(pace) }];
    let fuzz = FuzzConfig { interval: Duration::from_millis(300), ..FuzzConfig::default() };
    let settings = GeneratorConfig { stages, fuzz, seed: "live".into(), ..config(0.0, 60.0) };
    let (tracker, pool) = (world.tracker.clone(), world.pool.clone());
    let generator = Generator::prepare(tracker, pool, settings, |_| {}).await.unwrap();
    assert!(generator.set_fuzz(101.0).await.is_err());
    let load = generator.run(CancellationToken::new());
    let change = async {
        assert_eq!(generator.set_fuzz(50.0).await.unwrap(), 0.0);
    };
    let (status, ()) = tokio::join!(load, change);
    let status = status.unwrap();
    assert!(
        status.stats.fuzz.tracked > 20 && status.stats.fuzz.accounts > 8,
        "{:?}",
        status.stats.fuzz
    );
    assert_eq!(status.fuzz_percent, 50.0);
    let counted = world.tracker.stats();
    assert_eq!((counted.pending, counted.valid_failed, counted.overturned), (0, 0, 0));
    world.ledger.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_that_are_lost_are_replaced() {
    let world = world().await;
    let types = ["AccountSet", "SetRegularKey", "SignerListSet", "Payment"].map(str::to_owned);
    let mut config = config(100.0, 60.0);
    config.fuzz = FuzzConfig { types: types.to_vec(), accounts: 8, ..config.fuzz };
    // So little above the reserve that a payment or an object takes all of it.
    config.user_drops = xrpl_protocol::Drops(11_000_000);
    // Two lines fit into that.
    config.currencies.truncate(2);
    let (_, status) = run(&world, config.clone(), Duration::from_secs(6)).await;
    let fuzz = &status.stats.fuzz;
    assert!(fuzz.accounts_lost > 0 && fuzz.accounts >= 7, "{fuzz:?}");
    assert_eq!(status.stats.submitted, 0, "there was nothing but the band");
    assert_eq!((world.tracker.stats().pending, world.tracker.stats().overturned), (0, 0));
    // A later process goes on with those that can still send, and makes others for the rest.
    let (_, again) = run(&world, config, Duration::from_secs(2)).await;
    assert!(again.stats.fuzz.tracked > 20, "{:?}", again.stats.fuzz);
    assert_eq!(world.tracker.stats().pending, 0);
    world.ledger.shutdown().await;
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let error = |config: GeneratorConfig| match config.check() {
        Err(GeneratorError::Config { setting, why }) => format!("{setting}: {why}"),
        other => panic!("{other:?}"),
    };
    assert!(error(config(101.0, 1.0)).starts_with("fuzz: a percentage"));
    let mut unknown = config(5.0, 1.0);
    unknown.fuzz.types = vec!["Paymnt".into()];
    assert!(error(unknown).contains("did you mean \"Payment\"?"));
    let seeds = (0..9).map(|n| Seed::from_entropy([n; 16], KeyType::Ed25519)).collect();
    let given =
        GeneratorConfig { funding: xrpl_generator::Funding::Accounts(seeds), ..config(5.0, 1.0) };
    assert!(error(given).starts_with("fuzz: its accounts are made for it"));
}
