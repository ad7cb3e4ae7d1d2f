//! The whole generator with tracker and client against the embedded ledger, over loopback.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use xrpl_client::{Endpoint, Pool, PoolConfig, request::AccountInfo};
use xrpl_generator::{
    FeeStrategy, Funding, Generator, GeneratorConfig, GeneratorError, Pace, Stage, Status,
    accounts::{Role, derive},
};
use xrpl_protocol::{
    AccountId, Amount,
    keys::{KeyType, Seed},
};
use xrpl_standalone::{Standalone, StandaloneConfig};
use xrpl_tracker::{MemoryStore, State, Tracker, TrackerConfig};

struct World {
    ledger: Standalone,
    pool: Pool,
    tracker: Tracker,
}

async fn world(close: Duration) -> World {
    world_of(close, 0).await
}

async fn world_of(close: Duration, network_id: u32) -> World {
    let loopback = ([127, 0, 0, 1], 0).into();
    let mut config = StandaloneConfig {
        rpc_bind: loopback,
        ws_bind: loopback,
        closing: xrpl_standalone::Closing::Interval(close),
        ..StandaloneConfig::default()
    };
    config.node.network_id = network_id;
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

fn config(tps: f64) -> GeneratorConfig {
    GeneratorConfig {
        accounts: 12,
        stages: vec![Stage::of(Pace::from_tps(tps))],
        fee_strategy: FeeStrategy::Base,
        ..GeneratorConfig::default()
    }
}

async fn prepare(world: &World, config: GeneratorConfig) -> Generator {
    let (tracker, pool) = (world.tracker.clone(), world.pool.clone());
    Generator::prepare(tracker, pool, config, |_| {}).await.unwrap()
}

/// Runs load for a while and lets it come to its end.
async fn load(generator: &Generator, time: Duration) -> Status {
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(time).await;
        stop.cancel();
    });
    generator.run(cancel).await.unwrap()
}

fn healthy(status: &Status) {
    let stats = &status.stats;
    assert!(stats.failed.is_empty(), "{stats:?}");
    // Races between accounts: an offer that another one took first.
    let claimed: u64 = stats.claimed.values().sum();
    assert!(claimed * 100 <= stats.validated * 3, "{stats:?}");
    assert_eq!(stats.validated, stats.submitted, "{stats:?}");
    assert!(stats.invalid.otherwise.is_empty(), "{stats:?}");
    assert_eq!((stats.in_flight, stats.rereads, stats.holes_filled), (0, 0, 0), "{stats:?}");
    assert_eq!((stats.not_taken, stats.metadata_missing), (0, 0), "{stats:?}");
    // What is off is of amendments in development, which this ledger lacks and says so.
    let lacks = |why: &Option<String>| why.as_ref().is_some_and(|why| !why.starts_with("tem"));
    assert!(status.disabled_types.iter().all(|off| lacks(&off.refused_with)), "{status:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_of_a_mixed_load_is_validated() {
    let world = world(Duration::from_millis(500)).await;
    let generator = prepare(&world, config(200.0)).await;
    let status = load(&generator, Duration::from_secs(6)).await;
    healthy(&status);
    assert!(status.stats.validated > 300, "{:?}", status.stats);
    // Every type took part, or it is said what it waits for.
    for diagnosis in generator.last_diagnoses() {
        let sent = status.stats.by_type.contains_key(diagnosis.name);
        assert!(sent || diagnosis.why_not.is_some(), "{diagnosis:?}");
    }
    assert_eq!(world.tracker.stats().overturned, 0);
    world.ledger.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unlimited_and_partly_invalid_load_keeps_its_predictions() {
    let world = world(Duration::from_millis(500)).await;
    let config =
        GeneratorConfig { intent_invalid: 20.0, max_pending_per_account: 8, ..config(0.0) };
    let generator = prepare(&world, config).await;
    let status = load(&generator, Duration::from_secs(5)).await;
    healthy(&status);
    assert!(status.stats.submitted_invalid > 100, "{:?}", status.stats);
    assert!(status.stats.invalid.as_predicted.len() > 10, "{:?}", status.stats.invalid);
    world.ledger.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn controls_work_while_it_runs_and_while_it_is_stopped() {
    let world = world(Duration::from_millis(300)).await;
    let key_type = KeyType::Secp256k1;
    let config = GeneratorConfig { autostart: false, key_type, ..config(50.0) };
    let generator = prepare(&world, config).await;
    let cancel = CancellationToken::new();
    let running = tokio::spawn({
        let (generator, cancel) = (generator.clone(), cancel.clone());
        async move { generator.run(cancel).await }
    });
    assert!(!generator.status().await.unwrap().running);
    let asked = generator.create("TrustSet", None).await.unwrap();
    assert_eq!(asked.engine_result.unwrap(), "tesSUCCESS");
    let outcome = world.tracker.outcome(asked.tx_hash).await.unwrap();
    assert_eq!(outcome.state, State::Validated);
    let listing = generator.accounts();
    assert_eq!((listing.users.len(), listing.gateways.len()), (12, 2));
    let (from, to) = (listing.users[0], listing.users[1]);
    let paid = generator.payment(from, to, Amount::Xrp(1_000_000), None).await.unwrap();
    assert_eq!(paid.account, from);
    assert!(world.tracker.outcome(paid.tx_hash).await.unwrap().is_success());
    let stranger = AccountId([7; 20]);
    let error = generator.payment(stranger, to, Amount::Xrp(1), None).await.unwrap_err();
    assert!(matches!(error, GeneratorError::UnknownAccount(id) if id == stranger));
    let error = generator.create("Paymnet", None).await.unwrap_err();
    assert!(error.to_string().contains("\"Payment\""), "{error}");

    assert!(generator.toggle_type("AccountSet", false).await.unwrap());
    generator.start().await.unwrap();
    assert!(matches!(generator.start().await, Err(GeneratorError::AlreadySo(_))));
    assert_eq!(generator.set_tps(100.0).await.unwrap(), 50.0);
    assert_eq!(generator.set_max_pending(3).await.unwrap(), 5);
    assert_eq!(generator.set_intent(10.0).await.unwrap(), 0.0);
    assert!(generator.set_tps(-1.0).await.is_err() && generator.set_intent(101.0).await.is_err());
    tokio::time::sleep(Duration::from_secs(2)).await;
    generator.random(None).await.unwrap();
    let status = generator.status().await.unwrap();
    assert!(status.running && status.stats.submitted > 50, "{status:?}");
    assert!(!status.stats.by_type.contains_key("AccountSet"));
    assert!(status.disabled_types.iter().any(|off| off.name == "AccountSet"));
    generator.stop().await.unwrap();
    assert!(generator.stop().await.is_err());
    cancel.cancel();
    let last = running.await.unwrap().unwrap();
    assert!(last.stats.failed.is_empty() && last.stats.invalid.otherwise.is_empty(), "{last:?}");
    assert!(matches!(generator.start().await, Err(GeneratorError::Ended)));
    world.ledger.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_run_goes_on_with_the_same_accounts_and_sweeps_them() {
    // A network whose id every transaction must name.
    let world = world_of(Duration::from_millis(300), 21_338).await;
    let first = prepare(&world, config(50.0)).await;
    healthy(&load(&first, Duration::from_secs(2)).await);
    // The same seed finds its accounts funded, trusted and supplied, whatever their Sequences.
    let second = prepare(&world, GeneratorConfig { sweep: true, ..config(50.0) }).await;
    assert_eq!(first.accounts(), second.accounts());
    healthy(&load(&second, Duration::from_secs(2)).await);
    for user in &second.accounts().users {
        let request = AccountInfo { account: Some(*user), ..AccountInfo::default() };
        let root = world.pool.request(&request).await.unwrap().account_data;
        let reserve = 10_000_000 + 2_000_000 * u64::from(root.owner_count);
        assert!(root.balance.0 < reserve + 1_000, "{user} keeps {}", root.balance);
    }
    world.ledger.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn given_accounts_are_used_as_they_are() {
    let world = world(Duration::from_millis(300)).await;
    drop(prepare(&world, config(1.0)).await);
    let seed = |role, n| derive(&config(1.0).seed, role, n, KeyType::Ed25519);
    let mut seeds: Vec<Seed> = (0..2).map(|n| seed(Role::Gateway, n)).collect();
    seeds.extend((0..4).map(|n| seed(Role::User, n)));
    let given = GeneratorConfig {
        funding: Funding::Accounts(seeds.clone()),
        fee_strategy: FeeStrategy::OpenLedger,
        seed: "another".into(),
        ..config(40.0)
    };
    let generator = prepare(&world, given.clone()).await;
    assert_eq!(generator.accounts().users.len(), 4);
    healthy(&load(&generator, Duration::from_secs(2)).await);
    seeds.push(Seed::from_entropy([3; 16], KeyType::Ed25519));
    let given = GeneratorConfig { funding: Funding::Accounts(seeds), ..given };
    let (tracker, pool) = (world.tracker.clone(), world.pool.clone());
    let error = Generator::prepare(tracker, pool, given, |_| {}).await.unwrap_err();
    assert!(error.to_string().contains("does not exist"), "{error}");
    world.ledger.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_prepared_is_said_plainly() {
    let world = world(Duration::from_millis(300)).await;
    let attempt =
        |config| Generator::prepare(world.tracker.clone(), world.pool.clone(), config, |_| {});
    let poor = "snYP7oArxKepd3GPDcrjMsJYiJeJB".parse().unwrap();
    let funding = Funding::Seed(poor);
    let error = attempt(GeneratorConfig { funding, ..config(1.0) }).await.unwrap_err();
    assert!(matches!(error, GeneratorError::NoFundingAccount(_)), "{error}");
    let user_drops = xrpl_protocol::Drops(100_000_000_000_000_000);
    let error = attempt(GeneratorConfig { user_drops, ..config(1.0) }).await.unwrap_err();
    assert!(matches!(error, GeneratorError::Funds { .. }), "{error}");
    world.ledger.shutdown().await;
}

/// Accounts made on request are the ledger's to remember: the next process of the same seed finds
/// them there, goes on with the next number, and gives one whose funding never came out again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_made_on_request_live_through_a_restart() {
    let world = world(Duration::from_millis(200)).await;
    let few = || GeneratorConfig { accounts: 3, ..config(5.0) };
    let run = async |config: GeneratorConfig, make: &[Option<KeyType>]| {
        let generator = prepare(&world, config).await;
        let listed = generator.accounts().users.clone();
        let cancel = CancellationToken::new();
        let running = tokio::spawn({
            let (generator, cancel) = (generator.clone(), cancel.clone());
            async move { generator.run(cancel).await }
        });
        let mut made = Vec::new();
        for key_type in make {
            let (id, asked) = generator.create_account(None, *key_type, None).await.unwrap();
            let outcome = world.tracker.outcome(asked.tx_hash).await.unwrap();
            assert_eq!(outcome.state, State::Validated);
            made.push(id);
        }
        cancel.cancel();
        healthy(&running.await.unwrap().unwrap());
        (listed, made)
    };
    let (listed, first) = run(few(), &[None, Some(KeyType::Secp256k1), None]).await;
    assert_eq!(listed.len(), 3);
    // Fewer or more prepared ones do not touch the series.
    for accounts in [2, 5] {
        let config = GeneratorConfig { accounts, ..few() };
        let (listed, _) = run(config, &[]).await;
        assert_eq!(listed.len(), accounts + 3);
        assert!(first.iter().all(|id| listed.contains(id)));
    }
    let (_, next) = run(few(), &[None]).await;
    assert!(!first.contains(&next[0]));
    let seed = xrpl_generator::accounts::derive_made(&few().seed, 3, KeyType::Ed25519);
    assert_eq!(next[0], xrpl_protocol::keys::KeyPair::from_seed(&seed).account_id());
    world.ledger.shutdown().await;
}
