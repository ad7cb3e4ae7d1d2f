//! One run: a network, a tracker, a generator, and a plan of what goes wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{broadcast::error::RecvError, watch},
    task::JoinHandle,
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use url::Url;
use xrpl_client::{
    Connector, Endpoint, Pool, PoolConfig,
    connect::{BoxedIo, Connecting},
};
use xrpl_generator::{Funding, FuzzConfig, Generator, GeneratorConfig, Pace, Stage};
use xrpl_protocol::{Drops, Hash256, hash::sha512_half};
use xrpl_standalone::{
    Kind,
    faults::{Network, NetworkConfig},
    node::NodeConfig,
};
use xrpl_tracker::{State, Subscription, Tracker, TrackerConfig};
use xrpl_workload::audit::{AuditError, Problem, Scope, audit};

use crate::{
    books,
    choice::{Choice, LOAD, Trouble, describe},
    meddler::Meddler,
    recorder::{self, Recorder},
    verifier::{Circumstances, Truth},
};

/// How long everything may take to come to its end once nothing goes wrong any more.
const PATIENCE: Duration = Duration::from_secs(900);

/// How often a start is tried that the network does not allow.
const TRIES: u32 = 100;

/// Ledgers that close after everything has ended: longer than any node holds anything.
const AFTERWARDS: u32 = 12;

/// What a run came to.
#[derive(Debug, Default)]
pub struct Report {
    /// Of everything that happened: states and times of transactions, hashes of ledgers.
    pub digest: Hash256,
    by_state: BTreeMap<&'static str, u64>,
    faults: u64,
    kills: u64,
    lost_updates: u64,
    revoked: u64,
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
        self.revoked += other.revoked;
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
            "{:?}, {} faults struck, {} kills ({} updates lost), {} ends revoked, {} ledgers ({} read back), {} \
             look-ups, {} reconnects, {} resends, all ended at most {:.0?} after the load",
            self.by_state,
            self.faults,
            self.kills,
            self.lost_updates,
            self.revoked,
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
            full_streams: choice.full_streams,
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
            stages: vec![Stage::of(Pace::from_tps(choice.tps))],
            max_pending_per_account: choice.max_pending,
            intent_invalid: choice.invalid,
            fuzz: FuzzConfig { percent: choice.fuzz, accounts: 6, ..FuzzConfig::default() },
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
        // While nodes lie, some may be until the lie is found out: at the end none is.
        must(stats.overturned == 0 || !truthful, format!("{} overturned", stats.overturned));
        must(stats.contradicted == 0, format!("{} contradicted", stats.contradicted));
        must(stats.revoked == 0 || !truthful, format!("{} revoked", stats.revoked));
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
pub fn run(seed: u64, trouble: Trouble) -> Report {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(run_seed(seed, trouble))
}

async fn run_seed(seed: u64, trouble: Trouble) -> Report {
    let choice = Choice::of(seed, trouble);
    let faults = choice.disturbs();
    let network = Arc::new(start_network(&choice));
    let store = Arc::new(Recorder::new());
    let written = Arc::clone(&store.written);
    written.lock().denies = !choice.truthful();
    // From when the plan is followed connections are made anew. Where nothing is planned this is not to
    // look like a node that closes its streams.
    if choice.early || !faults {
        network.follow_plan();
    }
    let mut digest = Hash256::ZERO;
    let mut wrong = Vec::new();
    let mut process = Process::start(&network, &store, &choice).await;
    let mut generator = process.prepare(seed, &choice).await;
    network.follow_plan();
    let begun = Instant::now();
    let (door, through) = watch::channel(Some(process.tracker.clone()));
    let meddling_ends = CancellationToken::new();
    let meddler = choice.meddled.map(|robbed| {
        let meddler = Meddler::new(seed, robbed, &network, through, &written);
        tokio::spawn(meddler.run(meddling_ends.clone()))
    });
    let mut lost = 0;
    for kill in &choice.kills {
        let running = tokio::spawn(async move { generator.run(CancellationToken::new()).await });
        tokio::time::sleep_until(begun + kill.after).await;
        running.abort();
        let _ = running.await;
        lost += store.die().await;
        door.send_replace(None);
        digest = process.kill(digest, choice.truthful(), &mut wrong).await;
        store.open_again();
        tokio::time::sleep(kill.down).await;
        process = Process::start(&network, &store, &choice).await;
        door.send_replace(Some(process.tracker.clone()));
        generator = process.prepare(seed, &choice).await;
    }
    let until =
        (begun + LOAD + Duration::from_secs(2)).max(Instant::now() + Duration::from_secs(5));
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep_until(until).await;
        stop.cancel();
        meddling_ends.cancel();
    });
    let status = generator.run(cancel).await.unwrap();
    let meddler = match meddler {
        Some(meddler) => Some(tidied(meddler.await.unwrap(), &store, choice.close_interval).await),
        None => None,
    };
    let left = process.tracker.wait_until_idle(PATIENCE).await;
    let drained = until.elapsed();
    // What has ended leaves memory.
    tokio::time::sleep(Duration::from_secs(60)).await;
    let (stats, ws_stats) = (process.tracker.stats(), process.tracker.ws_stats());
    let (listing, findings) = (generator.accounts(), generator.findings().borrow().clone());
    drop(generator);
    let pool = process.pool.clone();
    door.send_replace(None);
    digest = process.kill(digest, choice.truthful(), &mut wrong).await;
    tokio::time::sleep(choice.close_interval * AFTERWARDS).await;
    let ledgers = network.ledgers();

    let records = store.records().await;
    wrong.extend(std::mem::take(&mut written.lock().wrongs).into_iter().map(|what| {
        let named = records.iter().filter(|r| what.contains(&r.identity.hash.to_string()));
        let named: Vec<_> = named.map(books::told).collect();
        format!("{what}\n  {}", named.join("\n  "))
    }));
    let accounts: BTreeSet<_> = listing
        .users
        .iter()
        .copied()
        .chain(listing.gateways.iter().map(|gateway| gateway.address))
        .chain(listing.tagged)
        .chain(listing.fuzzed.iter().copied())
        .chain(meddler.iter().flat_map(Meddler::strangers))
        .collect();
    let truth = Truth::new(&ledgers);
    wrong.extend(records.iter().filter_map(|record| {
        let hash = &record.identity.hash;
        let known = Circumstances {
            arrived: network.received(hash),
            signed_at: meddler.as_ref().and_then(|meddler| meddler.signed_at(hash)),
            lies: choice.contradicts(),
        };
        truth.judge(record, &known)
    }));
    wrong.extend(books::books(&ledgers, &records, &accounts, choice.truthful()));
    let strange = std::mem::take(&mut written.lock().strange);
    wrong.extend(books::own_making(&records, choice.explains_failures(), &strange));
    // Two judges: the test's own above, and the program's, where a node still has every ledger.
    if !choice.forgets() {
        let scope = Scope { accounts: accounts.iter().copied().collect(), ..Scope::default() };
        match audit(&pool, &*store, scope).await {
            Ok(report) if report.equal && report.complete => {}
            // Where streams lie and nobody contradicts them, their hashes are noted; of what comes
            // after the last that is right nothing can be known.
            Ok(report) if !choice.truthful() && report.equal => {}
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
    // What a ledger that is still to come could contradict stays.
    let head = ledgers.last().map_or(0, |ledger| ledger.header.index);
    let watched = records.iter().filter(|record| {
        record.progress.state != State::Validated
            && record.identity.last_ledger_sequence.is_some_and(|last| last.0 >= head)
    });
    let watched = watched.count() as u64;
    must(stats.in_memory <= watched, format!("{} are still in memory", stats.in_memory));
    must(ws_stats.queue_size <= choice.queue_capacity, format!("{ws_stats:?}"));
    let validated = records.iter().filter(|r| r.progress.state == State::Validated).count();
    must(
        validated > if faults { 5 } else { 20 },
        format!("only {validated} were validated: {:?}", status.stats),
    );
    if !faults && choice.kills.is_empty() && choice.meddled.is_none() {
        must(status.stats.failed.is_empty(), format!("{:?}", status.stats));
        must(findings.is_empty(), format!("{findings:?}"));
        let fuzz = &status.stats.fuzz;
        must(choice.fuzz == 0.0 || fuzz.tracked > 5, format!("{fuzz:?}"));
        let again = records.iter().filter(|record| record.progress.preliminary.len() > 1);
        let again: Vec<_> = again.map(books::told).collect();
        // What waits in the queue for two ledgers is sent again where it counts as overdue then.
        must(
            stats.resends == 0
                || choice.invalid > 0.0
                || choice.fuzz > 0.0
                || choice.overdue.0 == 2,
            format!("{} resends\n{}", stats.resends, again.join("\n")),
        );
    }
    let shown = wrong.len().min(20);
    assert!(
        wrong.is_empty(),
        "seed {seed}: {} wrongs\n{}\n{}",
        wrong.len(),
        wrong[..shown].join("\n"),
        describe(seed, trouble)
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
        revoked: written.lock().revoked,
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

/// What the meddler left open is brought to an end.
async fn tidied(mut meddler: Meddler, store: &Recorder, interval: Duration) -> Meddler {
    meddler.tell_all().await;
    for _ in 0..TRIES {
        tokio::time::sleep(interval * 2).await;
        let records = store.records().await;
        let open = records.iter().filter(|record| !record.progress.state.is_terminal());
        let mut open: Vec<_> = open
            .map(|record| recorder::slot_key(record.identity.account, record.identity.slot))
            .collect();
        open.sort_unstable();
        open.dedup();
        if open.is_empty() {
            break;
        }
        meddler.clean_up(&open).await;
    }
    meddler
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
