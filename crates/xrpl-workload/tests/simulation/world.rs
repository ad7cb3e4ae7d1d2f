//! One run: a network, a tracker, a generator, and a plan of what goes wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    sync::Arc,
    time::Duration,
};

use rand::{RngExt as _, SeedableRng, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use tokio::{sync::broadcast::error::RecvError, task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;
use url::Url;
use xrpl_client::{
    Connector, Endpoint, Pool, PoolConfig,
    connect::{BoxedIo, Connecting},
};
use xrpl_generator::{Funding, Generator, GeneratorConfig, Pace};
use xrpl_protocol::{Drops, Hash256, hash::sha512_half};
use xrpl_standalone::{
    Kind,
    faults::{Action, Network, NetworkConfig, NodeAction, Plan, PlanShape, Port},
    ledger::NodeConfig,
};
use xrpl_tracker::{RowFilter, State, Subscription, Tracker, TrackerConfig};
use xrpl_workload::audit::{AuditError, Problem, Scope, audit};

use crate::{books, recorder::Recorder};

/// How long load runs.
const LOAD: Duration = Duration::from_secs(30);
/// How long everything may take to come to its end once nothing goes wrong any more.
const PATIENCE: Duration = Duration::from_secs(900);

/// How often a start is tried that the network does not allow.
const TRIES: u32 = 100;

/// What a seed chooses.
#[derive(Debug)]
struct Choice {
    nodes: usize,
    close_interval: Duration,
    accounts: usize,
    tps: f64,
    max_pending: usize,
    invalid: f64,
    last_ledger_offset: u32,
    queue_capacity: usize,
    send_queue_limit: usize,
    ledger_size: usize,
    /// Whether faults begin before the accounts are prepared.
    early: bool,
    kills: Vec<Kill>,
    /// Whether the streams show the accounts' transactions alone.
    accounts_only: bool,
    /// Age in ledgers and time from which a transaction is looked up: long ones leave all to the
    /// stream and to what is read back.
    overdue: (u32, Duration),
    plan: Plan,
}

/// When the program is killed, and how long it stays down.
#[derive(Debug)]
struct Kill {
    after: Duration,
    down: Duration,
}

impl Choice {
    fn of(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5EED);
        let nodes = rng.random_range(1..=2);
        let shape = PlanShape { nodes, from: Duration::from_millis(500), until: LOAD };
        // Some runs without any fault: then nothing at all may go wrong.
        let plan = match (std::env::var("XRPL_WORKLOAD_PLAN"), seed % 16) {
            (Ok(file), _) => {
                let text = std::fs::read_to_string(file).expect("XRPL_WORKLOAD_PLAN is a file");
                serde_json::from_str(&text).expect("XRPL_WORKLOAD_PLAN is a plan")
            }
            (Err(_), 0) => Plan::default(),
            (Err(_), _) => Plan::from_seed(seed, &shape),
        };
        Self {
            nodes,
            close_interval: Duration::from_millis(*[500, 1000, 3000].choose(&mut rng).unwrap()),
            accounts: rng.random_range(3..=6),
            tps: *[2.0, 5.0, 10.0].choose(&mut rng).unwrap(),
            max_pending: rng.random_range(1..=8),
            invalid: *[0.0, 0.0, 20.0].choose(&mut rng).unwrap(),
            last_ledger_offset: rng.random_range(4..=15),
            queue_capacity: *[2, 16, 1000].choose(&mut rng).unwrap(),
            send_queue_limit: *[20, 100, 10_000].choose(&mut rng).unwrap(),
            ledger_size: *[10, 40, 1000].choose(&mut rng).unwrap(),
            early: rng.random_range(0..4) == 0,
            overdue: *[
                (4, Duration::from_secs(20)),
                (2, Duration::from_secs(5)),
                (1_000, Duration::from_secs(600)),
                (1_000, Duration::from_secs(600)),
            ]
            .choose(&mut rng)
            .unwrap(),
            kills: {
                let count = rng.random_range(0..6usize).saturating_sub(3);
                let mut after: Vec<u64> = (0..count).map(|_| rng.random_range(0..30_000)).collect();
                after.sort_unstable();
                let ms = Duration::from_millis;
                let mut kill =
                    |after| Kill { after: ms(after), down: ms(rng.random_range(0..6_000)) };
                after.into_iter().map(&mut kill).collect()
            },
            accounts_only: rng.random_range(0..4) == 0,
            plan,
        }
    }

    /// Whether anything gives reason for retries.
    fn disturbs(&self) -> bool {
        !self.plan.links.is_empty() || !self.plan.nodes.is_empty()
    }

    /// Whether every node forgets ledgers.
    fn forgets(&self) -> bool {
        let faults = &self.plan.nodes;
        (0..self.nodes).all(|node| {
            faults.iter().any(|fault| {
                fault.node == node && matches!(fault.action, NodeAction::LoseHistory(_))
            })
        })
    }

    /// Whether no node tells a wrong hash.
    fn truthful(&self) -> bool {
        !self.plan.links.iter().any(|fault| matches!(fault.action, Action::Contradict(_)))
    }

    /// Whether anything gives reason for failures: something of what is sent or answered gets lost,
    /// or comes so late that it is too late, or a node forgets. What happens to streams does not, as
    /// long as a transaction lives longer than it takes to notice a new ledger without them.
    fn explains_failures(&self) -> bool {
        let life = self.close_interval * self.last_ledger_offset;
        let loses = self.plan.links.iter().any(|fault| match fault.action {
            _ if fault.port == Port::Ws => false,
            Action::Duplicate(_) => false,
            Action::Delay(_, most) => Duration::from_millis(most) > life / 4,
            _ => true,
        });
        loses || !self.plan.nodes.is_empty() || (self.disturbs() && life < Duration::from_secs(20))
    }

    /// How long everything may take to come to its end after the load: what is undecided waits for
    /// its last ledger, and a half-open connection for a timeout or two.
    fn longest_drain(&self) -> Duration {
        let ledgers = self.last_ledger_offset + 4;
        self.close_interval * ledgers + Duration::from_secs(120)
    }
}

/// What a seed does, in words; its plan as JSON too, so that it can be changed and run again.
pub fn describe(seed: u64) -> String {
    let plan = Choice::of(seed).plan;
    let json = serde_json::to_string(&plan).unwrap();
    format!("{:#?}\n{plan}{json}\n", Choice { plan: Plan::default(), ..Choice::of(seed) })
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Report {
    /// Of everything that happened: states and times of transactions, hashes of ledgers.
    pub digest: Hash256,
    by_state: BTreeMap<&'static str, u64>,
    faults: u64,
    kills: u64,
    lost_updates: u64,
    longest_drain: Duration,
    ledgers: u64,
    lookups: u64,
    backfilled: u64,
    reconnects: u64,
    resends: u64,
}

impl Report {
    pub fn add(&mut self, other: &Self) {
        for (state, n) in &other.by_state {
            *self.by_state.entry(state).or_default() += n;
        }
        self.faults += other.faults;
        self.kills += other.kills;
        self.lost_updates += other.lost_updates;
        self.longest_drain = self.longest_drain.max(other.longest_drain);
        self.ledgers += other.ledgers;
        self.lookups += other.lookups;
        self.backfilled += other.backfilled;
        self.reconnects += other.reconnects;
        self.resends += other.resends;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?}, {} faults struck, {} kills ({} updates lost), {} ledgers ({} read back), {} \
             look-ups, {} reconnects, {} resends, all ended at most {:.0?} after the load",
            self.by_state,
            self.faults,
            self.kills,
            self.lost_updates,
            self.ledgers,
            self.backfilled,
            self.lookups,
            self.reconnects,
            self.resends,
            self.longest_drain,
        )
    }
}

/// Connections to the network's nodes, which are called `node0`, `node1`, ...
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

/// The program's part: what a kill ends.
struct Process {
    tracker: Tracker,
    pool: Pool,
    watching: JoinHandle<Hash256>,
}

impl Process {
    /// Starts, again and again while the network does not let it.
    async fn start(network: &Arc<Network>, store: &Arc<Recorder>, choice: &Choice) -> Self {
        let endpoint = |n: usize| Endpoint {
            rpc: format!("http://node{n}/").parse().unwrap(),
            ws: Some(format!("ws://node{n}/").parse().unwrap()),
        };
        let connector = Arc::new(Pipes(Arc::clone(network)));
        let endpoints = (0..choice.nodes).map(endpoint).collect();
        let pool = Pool::new(endpoints, PoolConfig { connector, ..PoolConfig::default() });
        let config = TrackerConfig {
            queue_capacity: choice.queue_capacity,
            subscription: match choice.accounts_only {
                true => Subscription::Accounts(Vec::new()),
                false => Subscription::Transactions,
            },
            // Times since the start are the same in every run of a seed.
            start_time_ms: Some(1_800_000_000_000 + network.elapsed().as_millis() as u64),
            terminal_retention: Duration::from_secs(10),
            overdue_ledgers: choice.overdue.0,
            overdue_after: choice.overdue.1,
            ..TrackerConfig::default()
        };
        let mut tries = 0;
        let tracker = loop {
            match Tracker::start(pool.clone(), store.clone(), config.clone()).await {
                Ok(tracker) => break tracker,
                Err(error) => {
                    tries += 1;
                    assert!(tries < TRIES, "the tracker does not start: {error}");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        };
        let mut changes = tracker.events();
        let watching = tokio::spawn(async move {
            let mut digest = Hash256::ZERO;
            loop {
                match changes.recv().await {
                    Ok(change) => {
                        let text = serde_json::to_vec(&*change).unwrap();
                        digest = sha512_half(&[&digest.0, &text]);
                    }
                    Err(RecvError::Lagged(_)) => panic!("the watcher is too slow"),
                    Err(RecvError::Closed) => return digest,
                }
            }
        });
        Self { tracker, pool, watching }
    }

    /// Prepares a generator, again and again while the network does not let it.
    async fn prepare(&self, seed: u64, choice: &Choice) -> Generator {
        let config = GeneratorConfig {
            seed: format!("simulation {seed}"),
            accounts: choice.accounts,
            gateways: 1,
            currencies: vec!["USD".into()],
            funding: Funding::Genesis,
            user_drops: Drops::from_xrp(1_000),
            pace: Pace::from_tps(choice.tps),
            max_pending_per_account: choice.max_pending,
            intent_invalid: choice.invalid,
            last_ledger_offset: choice.last_ledger_offset,
            max_submitting: 16,
            drain: PATIENCE,
            ..GeneratorConfig::default()
        };
        let mut tries = 0;
        loop {
            let (tracker, pool) = (self.tracker.clone(), self.pool.clone());
            match Generator::prepare(tracker, pool, config.clone(), |_| {}).await {
                Ok(generator) => return generator,
                Err(error) => {
                    tries += 1;
                    assert!(tries < TRIES, "the generator cannot be prepared: {error}");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// Ends everything at once, whatever it is doing. Returns a digest of what happened.
    async fn kill(self, before: Hash256, truthful: bool, wrong: &mut Vec<String>) -> Hash256 {
        self.tracker.shutdown(Duration::ZERO).await;
        let stats = self.tracker.stats();
        let mut must = |holds: bool, what: String| {
            if !holds {
                wrong.push(what);
            }
        };
        must(stats.overturned == 0, format!("{} overturned", stats.overturned));
        must(stats.contradicted == 0, format!("{} contradicted", stats.contradicted));
        let mismatches = stats.ledger_mismatches;
        must(mismatches == 0 || !truthful, format!("{mismatches} mismatches"));
        must(stats.task_restarts == 0, format!("{} tasks failed", stats.task_restarts));
        let Self { tracker, pool, watching } = self;
        drop((tracker, pool));
        let digest = watching.await.unwrap();
        sha512_half(&[&before.0, &digest.0])
    }
}

/// Runs a seed to its end and audits it.
pub fn run(seed: u64) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(run_seed(seed))
}

async fn run_seed(seed: u64) -> Report {
    let choice = Choice::of(seed);
    let faults = choice.disturbs();
    let network = Arc::new(start_network(&choice));
    let store = Arc::new(Recorder::new());
    let written = Arc::clone(&store.written);
    if choice.early {
        network.follow_plan();
    }
    let mut digest = Hash256::ZERO;
    let mut wrong = Vec::new();
    let mut process = Process::start(&network, &store, &choice).await;
    let mut generator = process.prepare(seed, &choice).await;
    network.follow_plan();
    let begun = Instant::now();
    let mut lost = 0;
    for kill in &choice.kills {
        let running = tokio::spawn(async move { generator.run(CancellationToken::new()).await });
        tokio::time::sleep_until(begun + kill.after).await;
        running.abort();
        let _ = running.await;
        lost += store.die().await;
        digest = process.kill(digest, choice.truthful(), &mut wrong).await;
        store.open_again();
        tokio::time::sleep(kill.down).await;
        process = Process::start(&network, &store, &choice).await;
        generator = process.prepare(seed, &choice).await;
    }
    let until =
        (begun + LOAD + Duration::from_secs(2)).max(Instant::now() + Duration::from_secs(5));
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep_until(until).await;
        stop.cancel();
    });
    let status = generator.run(cancel).await.unwrap();
    let left = process.tracker.wait_until_idle(PATIENCE).await;
    let drained = until.elapsed();
    // What has ended leaves memory.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let (stats, ws_stats) = (process.tracker.stats(), process.tracker.ws_stats());
    let listing = generator.accounts();
    drop(generator);
    let pool = process.pool.clone();
    digest = process.kill(digest, choice.truthful(), &mut wrong).await;
    let ledgers = network.ledgers();

    wrong.append(&mut written.lock().wrongs);
    let everything = RowFilter::default();
    let records = xrpl_tracker::Store::rows(&*store, &everything, None, usize::MAX).await.unwrap();
    let accounts: BTreeSet<_> = listing
        .users
        .iter()
        .copied()
        .chain(listing.gateways.iter().map(|gateway| gateway.address))
        .chain(listing.tagged)
        .collect();
    wrong.extend(books::books(&ledgers, &records, &accounts, choice.truthful()));
    wrong.extend(books::own_making(&records, choice.explains_failures()));
    // Two judges: the test's own above, and the program's, where a node still has every ledger.
    if !choice.forgets() {
        let scope = Scope { accounts: accounts.iter().copied().collect(), ..Scope::default() };
        match audit(&pool, &*store, scope).await {
            Ok(report) if report.equal => {}
            // Where streams lie and nobody contradicts them, their hashes are noted.
            Ok(report) if !choice.truthful() && report.problems.iter().all(about_a_hash) => {}
            Err(AuditError::OtherLedger { .. }) if !choice.truthful() => {}
            Ok(report) => wrong.push(format!("the audit is not equal: {report}")),
            Err(error) => wrong.push(format!("no audit: {error}")),
        }
    }
    let overturned = records.iter().filter(|record| record.progress.overturned);
    wrong.extend(overturned.map(|record| format!("overturned: {}", books::told(record))));
    let mut must = |holds: bool, what: String| {
        if !holds {
            wrong.push(what);
        }
    };
    must(left == 0, format!("{left} transactions are left without an end"));
    must(status.stats.in_flight == 0, format!("in flight for the generator: {:?}", status.stats));
    must(drained < choice.longest_drain(), format!("it took {drained:?} to come to an end"));
    must(stats.undecided == 0, format!("{} undecided", stats.undecided));
    must(stats.in_memory == 0, format!("{} are still in memory", stats.in_memory));
    must(ws_stats.queue_size <= choice.queue_capacity, format!("{ws_stats:?}"));
    let validated = records.iter().filter(|r| r.progress.state == State::Validated).count();
    must(
        validated > if faults { 5 } else { 20 },
        format!("only {validated} were validated: {:?}", status.stats),
    );
    if !faults && choice.kills.is_empty() {
        must(status.stats.failed.is_empty(), format!("{:?}", status.stats));
        let again = records.iter().filter(|record| record.progress.preliminary.len() > 1);
        let again: Vec<_> = again.map(books::told).collect();
        // What waits in the queue for two ledgers is sent again where it counts as overdue then.
        must(
            stats.resends == 0 || choice.invalid > 0.0 || choice.overdue.0 == 2,
            format!("{} resends\n{}", stats.resends, again.join("\n")),
        );
    }
    let shown = wrong.len().min(20);
    assert!(
        wrong.is_empty(),
        "seed {seed}: {} wrongs\n{}\n{}",
        wrong.len(),
        wrong[..shown].join("\n"),
        describe(seed)
    );
    for ledger in &ledgers {
        digest = sha512_half(&[&digest.0, &ledger.header.hash.0]);
    }
    let mut report = Report {
        digest,
        by_state: BTreeMap::new(),
        faults: network.hits(),
        kills: choice.kills.len() as u64,
        lost_updates: lost as u64,
        longest_drain: drained,
        ledgers: ledgers.len() as u64,
        lookups: stats.lookups,
        backfilled: stats.ledgers_backfilled,
        reconnects: ws_stats.reconnects,
        resends: stats.resends,
    };
    for record in &records {
        *report.by_state.entry(record.progress.state.name()).or_default() += 1;
    }
    report
}

fn about_a_hash(problem: &Problem) -> bool {
    matches!(problem, Problem::OtherHash { .. } | Problem::Differs { what: "ledger_hash", .. })
}

fn start_network(choice: &Choice) -> Network {
    let mut node = NodeConfig::default();
    node.queue.minimum_txn_in_ledger = choice.ledger_size;
    node.queue.target_txn_in_ledger = choice.ledger_size;
    Network::start(NetworkConfig {
        nodes: choice.nodes,
        node,
        close_interval: choice.close_interval,
        send_queue_limit: choice.send_queue_limit,
        start_time: Some(848_737_540),
        plan: choice.plan.clone(),
    })
}
