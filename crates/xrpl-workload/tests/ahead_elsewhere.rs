//! Two embedded networks, under virtual time. In the middle of a run the first of two nodes goes over to
//! the other one, which is far ahead: the load goes on being validated on the run's chain, and the node
//! gets nothing of it.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;
use url::Url;
use xrpl_client::{
    Connector, Endpoint, EndpointId, Pool, PoolConfig,
    connect::{BoxedIo, Connecting},
};
use xrpl_generator::{Funding, Generator, GeneratorConfig, Pace, Stage};
use xrpl_protocol::Drops;
use xrpl_standalone::{
    Kind,
    faults::{Network, NetworkConfig, Plan},
    node::NodeConfig,
};
use xrpl_tracker::{MemoryStore, State, Tracker, TrackerConfig};

const CLOSES: Duration = Duration::from_secs(3);
const LOAD: Duration = Duration::from_secs(60);
/// How long nothing may be validated at most: that what the node was given before it was known goes
/// elsewhere takes a few ledgers.
const LONGEST: Duration = Duration::from_secs(10);
/// By when it is known where the node went.
const KNOWN: Duration = Duration::from_secs(5);

/// `node0` is a node of the one network, or of the other once it went over.
#[derive(Debug)]
struct Pipes {
    run: Arc<Network>,
    other: Arc<Network>,
    over: AtomicBool,
}

impl Connector for Pipes {
    fn connect<'a>(&'a self, url: &'a Url) -> Connecting<'a> {
        Box::pin(async move {
            let number = url.host_str().and_then(|host| host.strip_prefix("node")?.parse().ok());
            let node: usize = number.ok_or_else(|| io::Error::other("no such host"))?;
            let kind = if url.scheme() == "ws" { Kind::WebSocket } else { Kind::Rpc };
            let io = match node == 0 && self.over.load(Relaxed) {
                true => self.other.connect(0, kind)?,
                false => self.run.connect(node, kind)?,
            };
            Ok(Box::new(io) as BoxedIo)
        })
    }
}

fn network(nodes: usize, close_interval: Duration) -> Arc<Network> {
    Arc::new(Network::start(NetworkConfig {
        nodes,
        node: NodeConfig::default(),
        close_interval,
        send_queue_limit: 100_000,
        start_time: None,
        plan: Plan::default(),
    }))
}

#[tokio::test(start_paused = true)]
async fn load_is_validated_though_the_first_node_is_ahead_on_another_chain() {
    let (run, other) = (network(2, CLOSES), network(1, CLOSES / 10));
    let pipes =
        Arc::new(Pipes { run: Arc::clone(&run), other: Arc::clone(&other), over: false.into() });
    let endpoint = |n: usize| Endpoint {
        rpc: format!("http://node{n}/").parse().unwrap(),
        ws: Some(format!("ws://node{n}/").parse().unwrap()),
    };
    let connector = Arc::clone(&pipes) as Arc<dyn Connector>;
    let config = PoolConfig { connector, ..PoolConfig::default() };
    let pool = Pool::new((0..2).map(endpoint).collect(), config);
    let config = TrackerConfig { event_capacity: 1 << 20, ..TrackerConfig::default() };
    let store = Arc::new(MemoryStore::default());
    let tracker = Tracker::start(pool.clone(), store, config).await.unwrap();
    let config = GeneratorConfig {
        seed: "elsewhere".into(),
        accounts: 50,
        gateways: 1,
        currencies: vec!["USD".into()],
        funding: Funding::Genesis,
        user_drops: Drops::from_xrp(1_000),
        stages: vec![Stage::of(Pace::from_tps(20.0))],
        ..GeneratorConfig::default()
    };
    let generator =
        Generator::prepare(tracker.clone(), pool.clone(), config, |_| {}).await.unwrap();
    assert!(other.newest().header.index > run.newest().header.index + 20, "it is ahead");
    let mut changes = tracker.events();
    pipes.over.store(true, Relaxed);
    // Its connections break, and are made anew.
    run.follow_plan();
    let begun = Instant::now();

    let watched = tokio::spawn(async move {
        let (mut validated, mut late) = (vec![Duration::ZERO], Vec::new());
        loop {
            match changes.recv().await {
                Ok(change) if change.to == State::Validated => validated.push(begun.elapsed()),
                Ok(change) if change.from.is_none() && begun.elapsed() > KNOWN => {
                    late.push(change.tx_hash);
                }
                Ok(_) => {}
                Err(RecvError::Closed) => return (validated, late),
                Err(RecvError::Lagged(_)) => panic!("the watcher is too slow"),
            }
        }
    });
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    tokio::spawn(async move {
        sleep_until(begun + LOAD).await;
        stop.cancel();
    });
    let status = generator.run(cancel).await.unwrap();
    assert_eq!(tracker.wait_until_idle(Duration::from_secs(600)).await, 0);
    let (stats, health) = (tracker.stats(), pool.health());
    assert!(health[0].passed_over && !health[1].passed_over, "{health:?}");
    // It comes back, and is asked again.
    pipes.over.store(false, Relaxed);
    other.follow_plan();
    sleep(Duration::from_secs(40)).await;
    assert!(!pool.health()[0].passed_over && pool.health()[0].healthy, "{:?}", pool.health());
    assert_eq!(pool.submit(&[0x12], false).await.endpoint, EndpointId(0));
    tracker.shutdown(Duration::ZERO).await;
    drop((generator, tracker));

    let (validated, late) = watched.await.unwrap();
    let within = validated.iter().copied().take_while(|at| *at < LOAD);
    let gaps = within.clone().skip(1).zip(within).map(|(next, at)| (next - at, at));
    let (gap, at) = gaps.max().unwrap();
    assert!(gap <= LONGEST, "nothing was validated for {gap:?} from {at:?} on");
    assert!(validated.len() > 1_000, "{} validated", validated.len());
    assert!(late.len() > 800 && !late.iter().any(|hash| other.received(hash)));
    assert!(late.iter().all(|hash| run.received(hash)));
    assert_eq!((stats.overturned, stats.contradicted, stats.undecided), (0, 0, 0));
    assert_eq!(stats.by_state[&State::FailedNet], 0);
    assert_eq!(status.stats.in_flight, 0);
}
