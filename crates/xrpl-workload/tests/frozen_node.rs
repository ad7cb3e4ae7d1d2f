//! Four nodes of which the first one freezes under load, under virtual time: its links stand still as
//! those of a stopped process do, and what was sent to it is read when it goes on.

use std::{io, sync::Arc, time::Duration};

use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;
use url::Url;
use xrpl_client::{
    Connector, Endpoint, EndpointId, Pool, PoolConfig,
    connect::{BoxedIo, Connecting},
    request::Fee,
};
use xrpl_generator::{Funding, Generator, GeneratorConfig, Pace, Stage};
use xrpl_protocol::Drops;
use xrpl_standalone::{
    Kind,
    faults::{Action, LinkFault, Network, NetworkConfig, Plan, Port},
    node::NodeConfig,
};
use xrpl_tracker::{MemoryStore, State, Tracker, TrackerConfig};

const NODES: usize = 4;
/// When the first node freezes after the plan's begin, and for how long.
const FROZEN_AT: Duration = Duration::from_secs(10);
const FROZEN_FOR: Duration = Duration::from_secs(25);
const LOAD: Duration = Duration::from_secs(50);
/// No pause under load may be longer.
const LONGEST: Duration = Duration::from_secs(2);

#[derive(Debug)]
struct Pipes(Arc<Network>);

impl Connector for Pipes {
    fn connect<'a>(&'a self, url: &'a Url) -> Connecting<'a> {
        Box::pin(async move {
            let number = url.host_str().and_then(|host| host.strip_prefix("node")?.parse().ok());
            let node = number.ok_or_else(|| io::Error::other("no such host"))?;
            let kind = if url.scheme() == "ws" { Kind::WebSocket } else { Kind::Rpc };
            Ok(Box::new(self.0.connect(node, kind)?) as BoxedIo)
        })
    }
}

fn frozen() -> Plan {
    let fault = |port, action| LinkFault {
        at_ms: FROZEN_AT.as_millis() as u64,
        for_ms: FROZEN_FOR.as_millis() as u64,
        node: 0,
        port,
        action,
    };
    let links = vec![
        fault(Port::Rpc, Action::Stall),
        fault(Port::Ws, Action::HalfOpen),
        fault(Port::Ws, Action::Stall),
    ];
    Plan { seed: 1, links, nodes: Vec::new() }
}

#[tokio::test(start_paused = true)]
async fn a_first_node_that_freezes_stops_neither_submissions_nor_reads() {
    let network = Arc::new(Network::start(NetworkConfig {
        nodes: NODES,
        node: NodeConfig::default(),
        close_interval: Duration::from_secs(3),
        send_queue_limit: 100_000,
        start_time: None,
        plan: frozen(),
    }));
    let endpoint = |n: usize| Endpoint {
        rpc: format!("http://node{n}/").parse().unwrap(),
        ws: Some(format!("ws://node{n}/").parse().unwrap()),
    };
    let connector = Arc::new(Pipes(Arc::clone(&network)));
    let endpoints = (0..NODES).map(endpoint).collect();
    let pool = Pool::new(endpoints, PoolConfig { connector, ..PoolConfig::default() });
    let store = Arc::new(MemoryStore::default());
    let config = TrackerConfig { event_capacity: 1 << 20, ..TrackerConfig::default() };
    let tracker = Tracker::start(pool.clone(), store, config).await.unwrap();
    let config = GeneratorConfig {
        seed: "failover".into(),
        accounts: 100,
        gateways: 1,
        currencies: vec!["USD".into()],
        funding: Funding::Genesis,
        user_drops: Drops::from_xrp(1_000),
        stages: vec![Stage::of(Pace::from_tps(40.0))],
        ..GeneratorConfig::default()
    };
    let generator =
        Generator::prepare(tracker.clone(), pool.clone(), config, |_| {}).await.unwrap();
    let mut changes = tracker.events();
    network.follow_plan();
    let begun = Instant::now();

    // When each transaction was first taken, or may have been.
    let submitted = tokio::spawn(async move {
        let mut times = vec![Duration::ZERO];
        loop {
            match changes.recv().await {
                Ok(change) if change.from == Some(State::Created) => times.push(begun.elapsed()),
                Ok(_) => {}
                Err(RecvError::Closed) => return times,
                Err(RecvError::Lagged(_)) => panic!("the watcher is too slow"),
            }
        }
    });
    let reads = tokio::spawn({
        let pool = pool.clone();
        async move {
            let mut reads = Vec::new();
            while begun.elapsed() < LOAD {
                let pool = pool.clone();
                reads.push(tokio::spawn(async move {
                    let since = Instant::now();
                    pool.request(&Fee::default()).await.unwrap();
                    since.elapsed()
                }));
                sleep(Duration::from_millis(100)).await;
            }
            let mut longest = Duration::ZERO;
            for read in reads {
                longest = longest.max(read.await.unwrap());
            }
            longest
        }
    });
    let noticed = tokio::spawn({
        let pool = pool.clone();
        async move {
            sleep_until(begun + FROZEN_AT + FROZEN_FOR / 2).await;
            pool.health().iter().map(|node| node.healthy).collect::<Vec<_>>()
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
    let stats = tracker.stats();
    // The node is back: it is asked first again.
    sleep(Duration::from_secs(10)).await;
    assert!(pool.health()[0].healthy, "{:?}", pool.health());
    assert_eq!(pool.submit(&[0x12], false).await.endpoint, EndpointId(0));
    tracker.shutdown(Duration::ZERO).await;
    drop((generator, tracker));

    assert_eq!(noticed.await.unwrap(), [false, true, true, true]);
    let longest = reads.await.unwrap();
    assert!(longest <= LONGEST, "a read took {longest:?}");
    let times = submitted.await.unwrap();
    let load = times.iter().copied().take_while(|at| *at < LOAD);
    let gaps = load.clone().skip(1).zip(load).map(|(next, at)| (next - at, at));
    let (gap, at) = gaps.max().unwrap();
    assert!(gap <= LONGEST, "nothing was submitted for {gap:?} from {at:?} on");
    assert!(times.len() > 1_500, "{} submissions", times.len());
    // Nothing is lost, nothing wrongly ended.
    let ended = stats.by_state[&State::Validated];
    assert_eq!(ended, stats.by_state.values().sum::<u64>(), "{:?}", stats.by_state);
    assert_eq!((stats.overturned, stats.contradicted), (0, 0));
    assert_eq!(status.stats.in_flight, 0);
}
