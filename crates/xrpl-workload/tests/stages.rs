//! Stages under virtual time: each measured by itself, and a node that stands still as its users see it.

use std::{collections::BTreeMap, io, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use url::Url;
use xrpl_client::{
    Connector, Endpoint, Pool, PoolConfig,
    connect::{BoxedIo, Connecting},
};
use xrpl_generator::{Funding, Generator, GeneratorConfig, Measure, Pace, Stage, StagePart, Until};
use xrpl_protocol::Drops;
use xrpl_standalone::{
    Kind,
    faults::{Action, LinkFault, Network, NetworkConfig, Plan, Port},
    node::NodeConfig,
};
use xrpl_tracker::{MemoryStore, Tracker, TrackerConfig};

#[derive(Debug)]
struct Pipes(Arc<Network>);

impl Connector for Pipes {
    fn connect<'a>(&'a self, url: &'a Url) -> Connecting<'a> {
        Box::pin(async move {
            let kind = if url.scheme() == "ws" { Kind::WebSocket } else { Kind::Rpc };
            Ok(Box::new(self.0.connect(0, kind).map_err(io::Error::other)?) as BoxedIo)
        })
    }
}

struct World {
    network: Arc<Network>,
    generator: Generator,
}

/// A ledger a second, and a generator whose accounts are ready. Of Payments alone, so that nothing
/// waits for anything else.
async fn world(node: NodeConfig, plan: Plan, config: GeneratorConfig) -> World {
    let network = Arc::new(Network::start(NetworkConfig {
        nodes: 1,
        node,
        close_interval: Duration::from_secs(1),
        send_queue_limit: 100_000,
        start_time: None,
        plan,
    }));
    let endpoint = Endpoint {
        rpc: "http://node0/".parse().unwrap(),
        ws: Some("ws://node0/".parse().unwrap()),
    };
    let connector = Arc::new(Pipes(Arc::clone(&network)));
    let pool = Pool::new(vec![endpoint], PoolConfig { connector, ..PoolConfig::default() });
    let store = Arc::new(MemoryStore::default());
    let tracker = Tracker::start(pool.clone(), store, TrackerConfig::default()).await.unwrap();
    let config = GeneratorConfig {
        accounts: 100,
        gateways: 0,
        currencies: Vec::new(),
        funding: Funding::Genesis,
        user_drops: Drops::from_xrp(1_000),
        modifiers: ["ticket", "regular_key", "multisign", "delegated", "batch", "memos"]
            .map(|name| (name.to_owned(), 0))
            .into(),
        ..config
    };
    let generator = Generator::prepare(tracker, pool, config, |_| {}).await.unwrap();
    World { network, generator }
}

fn payments() -> Option<BTreeMap<String, u32>> {
    Some(BTreeMap::from([("Payment".to_owned(), 1)]))
}

fn stage(name: &str, pace: Pace, until: Until) -> Stage {
    Stage { name: name.to_owned(), until, mix: payments(), ..Stage::of(pace) }
}

fn seconds(n: u64) -> Until {
    Until::Time(Duration::from_secs(n))
}

async fn run(generator: &Generator) -> Vec<Arc<Measure>> {
    generator.run(CancellationToken::new()).await.unwrap();
    generator.measures().await
}

#[tokio::test(start_paused = true)]
async fn a_node_that_stands_still_for_three_seconds_shows_as_it_does_to_its_users() {
    let stall =
        LinkFault { at_ms: 10_000, for_ms: 3_000, node: 0, port: Port::Rpc, action: Action::Stall };
    let plan = Plan { seed: 1, links: vec![stall], nodes: Vec::new() };
    let config = GeneratorConfig {
        stages: vec![stage("load", Pace::Fixed(60.0), seconds(40))],
        // What waits for the node's answer at once: the others are not even sent.
        max_submitting: 4,
        ..GeneratorConfig::default()
    };
    let World { network, generator } = world(NodeConfig::default(), plan, config).await;
    network.follow_plan();
    let measures = run(&generator).await;
    let load = &measures[0];
    assert_eq!((load.validated, load.failed.len()), (2_400, 0), "{load:?}");
    // One in thirteen was due while it stood still: who measures from sending does not see them.
    let (sent, due) =
        (load.sent_ms.quantile(0.99).unwrap(), load.scheduled_ms.quantile(0.99).unwrap());
    assert!(sent < 2_500, "{load:?}");
    assert!((3_000..6_000).contains(&due), "{load:?}");
    assert!(load.pacing.late.endpoint > 150, "{load:?}");
    assert_eq!(load.pacing.late.generator, 0, "{load:?}");
    assert_eq!(load.pacing.not_kept(), None, "that is the node's doing");
}

#[tokio::test(start_paused = true)]
async fn stages_follow_each_other_and_each_is_measured_by_itself() {
    let stages = vec![
        Stage { part: StagePart::WarmUp, ..stage("warm", Pace::Fixed(5.0), seconds(6)) },
        stage(
            "climb",
            Pace::Ramp { from: 0.0, to: 40.0, over: Duration::from_secs(10) },
            seconds(10),
        ),
        stage(
            "steps",
            Pace::Steps { from: 10.0, to: 30.0, by: 10.0, every: Duration::from_secs(2) },
            seconds(6),
        ),
        stage(
            "bursts",
            Pace::Burst {
                base: 5.0,
                peak: 50.0,
                every: Duration::from_secs(5),
                length: Duration::from_secs(1),
            },
            seconds(10),
        ),
        stage("ledgers", Pace::PerLedger(12), Until::Ledgers(5)),
        stage("loop", Pace::ClosedLoop(30), seconds(6)),
        Stage {
            mix: Some(BTreeMap::from([("AccountSet".to_owned(), 1)])),
            ..stage("others", Pace::Fixed(10.0), seconds(4))
        },
    ];
    let config = GeneratorConfig { stages, ..GeneratorConfig::default() };
    let plan = Plan { seed: 1, links: Vec::new(), nodes: Vec::new() };
    let World { generator, .. } = world(NodeConfig::default(), plan, config).await;
    let measures = run(&generator).await;
    let told: Vec<_> = measures.iter().map(|m| (m.stage.as_str(), m.submitted)).collect();
    // Slots whose time is that of the stage's end belong to nobody.
    assert_eq!(told[..4], [("warm", 30), ("climb", 200), ("steps", 120), ("bursts", 140)]);
    for measure in &measures {
        assert!(measure.ended && measure.failed.is_empty(), "{measure:?}");
        assert_eq!(measure.validated, measure.submitted, "{measure:?}");
        assert_eq!(measure.pacing.not_kept(), None, "{measure:?}");
    }
    let of = |name: &str| measures.iter().find(|measure| measure.stage == name).unwrap();
    // One batch as it begins, and one with each ledger but the fifth, which ends it.
    assert_eq!(of("ledgers").submitted, 60, "{:?}", of("ledgers"));
    assert_eq!(of("ledgers").pacing.missed.total(), 0, "{:?}", of("ledgers"));
    // Thirty a ledger, for as many as are in flight are validated with each.
    assert!((100..=230).contains(&of("loop").submitted), "{:?}", of("loop"));
    assert_eq!(of("others").submitted, 40);
    let by_type = generator.last_status().stats.by_type.clone();
    assert_eq!(by_type["AccountSet"].validated, 40, "no other stage sends them");
    assert_eq!(by_type.len(), 2, "{by_type:?}");
    let whole = Measure::of_run(&measures);
    let steady: u64 = measures[1..].iter().map(|measure| measure.validated).sum();
    assert_eq!((whole.validated, whole.began), (steady, Duration::from_secs(6)));
    let end = generator.last_status().stage.clone();
    assert!(end.over && end.stage == 7 && end.run_seconds_left == Some(0.0), "{end:?}");
}

#[tokio::test(start_paused = true)]
async fn the_nodes_queue_is_kept_as_long_as_wanted() {
    let node = NodeConfig {
        queue: xrpl_standalone::txq::QueueSetup {
            minimum_txn_in_ledger: 20,
            target_txn_in_ledger: 20,
            maximum_txn_in_ledger: Some(20),
            ..NodeConfig::default().queue
        },
        ..NodeConfig::default()
    };
    let config = GeneratorConfig {
        stages: vec![stage("deep", Pace::QueueDepth(60), seconds(30))],
        ..GeneratorConfig::default()
    };
    let plan = Plan { seed: 1, links: Vec::new(), nodes: Vec::new() };
    let World { network, generator } = world(node, plan, config).await;
    let watch = tokio::spawn(async move {
        let mut lengths = Vec::new();
        tokio::time::sleep(Duration::from_secs(10)).await;
        for _ in 0..40 {
            tokio::time::sleep(Duration::from_millis(450)).await;
            lengths.push(network.with_node(0, |node| node.queue_metrics().queued));
        }
        lengths
    });
    let measures = run(&generator).await;
    let mut lengths = watch.await.unwrap();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!((30..=90).contains(&median), "{lengths:?}\n{:?}", measures[0]);
    assert!(measures[0].submitted > 300, "{:?}", measures[0]);
    assert!(measures[0].reach.unwrap().is_reached(), "{:?}", measures[0]);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_never_becomes_as_long_as_wanted_is_told() {
    let config = GeneratorConfig {
        // The ledger takes whatever comes.
        stages: vec![stage("deep", Pace::QueueDepth(1_000_000), seconds(5))],
        ..GeneratorConfig::default()
    };
    let plan = Plan { seed: 1, links: Vec::new(), nodes: Vec::new() };
    let World { generator, .. } = world(NodeConfig::default(), plan, config).await;
    let reach = run(&generator).await[0].reach.unwrap();
    assert_eq!(reach.wanted, 1_000_000);
    assert!(!reach.is_reached() && reach.most < 100_000, "{reach:?}");
}

#[tokio::test(start_paused = true)]
async fn stages_are_skipped_and_the_load_ended_by_hand() {
    let stages = vec![
        stage("first", Pace::Fixed(10.0), seconds(1_000)),
        stage("second", Pace::Fixed(20.0), seconds(1_000)),
        stage("third", Pace::Fixed(30.0), Until::Stopped),
    ];
    let config = GeneratorConfig { stages, ..GeneratorConfig::default() };
    let plan = Plan { seed: 1, links: Vec::new(), nodes: Vec::new() };
    let World { generator, .. } = world(NodeConfig::default(), plan, config).await;
    let running = tokio::spawn({
        let generator = generator.clone();
        async move { generator.run(CancellationToken::new()).await.unwrap() }
    });
    tokio::time::sleep(Duration::from_secs(5)).await;
    let next = generator.skip_stage().await.unwrap();
    assert_eq!((next.stage, next.name.as_str(), next.target_tps), (2, "second", Some(20.0)));
    tokio::time::sleep(Duration::from_secs(5)).await;
    // A rate set by hand holds until the stage ends.
    assert_eq!(generator.set_tps(40.0).await.unwrap(), 20.0);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let by_hand = generator.status().await.unwrap().stage;
    assert_eq!((by_hand.target_tps, by_hand.pace.as_str()), (Some(40.0), "40/s"));
    assert_eq!(generator.skip_stage().await.unwrap().name, "third");
    assert_eq!(generator.status().await.unwrap().tps, 30.0);
    let over = generator.finish().await.unwrap();
    assert!(over.over, "{over:?}");
    generator.is_over().await;
    running.await.unwrap();
    let submitted: Vec<_> =
        generator.measures().await.iter().map(|measure| measure.submitted).collect();
    assert!((49..=51).contains(&submitted[0]), "{submitted:?}");
    assert!((298..=302).contains(&submitted[1]), "{submitted:?}");
    assert!(submitted[2] <= 2, "{submitted:?}");
}
