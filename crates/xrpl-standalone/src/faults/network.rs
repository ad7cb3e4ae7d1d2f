//! A small network that follows a plan: the first node closes the ledgers, the others follow it.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, duplex},
    net::TcpListener,
    time::{self, Instant, MissedTickBehavior},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use xrpl_protocol::{
    AccountId, Drops, Sequence, fields,
    keys::{KeyPair, KeyType, Seed},
    transaction::{AccountSet, Common, Direct as _, Payment, Slot},
};

use super::{
    http,
    link::Link,
    plan::{NodeAction, Plan, Port},
    ws,
};
use crate::{
    ledger::{ClosedLedger, Node, NodeConfig, PreparedTx, ReadView},
    server::{Kind, Standalone, StandaloneConfig},
};

/// How often the nodes look at time, and at what the others hold.
const BEAT: Duration = Duration::from_millis(50);
/// Bytes that a pipe in memory takes.
const PIPE: usize = 64 << 10;
/// What others pay so that their transactions enter any open ledger.
const FOREIGN_FEE: u64 = 50_000_000;

/// How a network starts.
#[derive(Clone, Debug)]
pub struct NetworkConfig {
    /// How many nodes, at least one.
    pub nodes: usize,
    /// What each node starts with.
    pub node: NodeConfig,
    /// How often a ledger closes.
    pub close_interval: Duration,
    /// Messages that may wait for one WebSocket before it is closed with code 1008.
    pub send_queue_limit: usize,
    /// Time at the start, in seconds since 2000-01-01; none for the wall clock's.
    pub start_time: Option<u32>,
    /// What goes wrong.
    pub plan: Plan,
}

#[derive(Debug)]
struct Seat {
    server: Standalone,
    state: Mutex<Condition>,
    opened: [AtomicU64; 2],
}

#[derive(Debug)]
struct Condition {
    /// Ends the connections when the node goes down.
    down: CancellationToken,
    back_at: Option<Instant>,
    lags_until: Option<Instant>,
}

impl Condition {
    fn up(all: &CancellationToken) -> Self {
        Self { down: all.child_token(), back_at: None, lags_until: None }
    }
}

#[derive(Debug)]
struct Inner {
    plan: Arc<Plan>,
    started: Instant,
    /// When the plan's time began.
    origin: OnceLock<Instant>,
    seats: Vec<Seat>,
    foreign: KeyPair,
    archive: Mutex<Vec<Arc<ClosedLedger>>>,
    hits: Arc<AtomicU64>,
    cancel: CancellationToken,
    tasks: TaskTracker,
}

/// A running network. Dropping it stops everything.
#[derive(Debug)]
pub struct Network {
    inner: Arc<Inner>,
}

impl Drop for Network {
    fn drop(&mut self) {
        self.inner.cancel.cancel();
    }
}

impl Network {
    /// Starts a fresh ledger on every node. Nothing goes wrong before [`Network::follow_plan`].
    #[must_use]
    pub fn start(config: NetworkConfig) -> Self {
        let standalone = StandaloneConfig {
            close_interval: None,
            send_queue_limit: config.send_queue_limit,
            start_time: config.start_time,
            node: config.node,
            ..StandaloneConfig::default()
        };
        let cancel = CancellationToken::new();
        let seats = (0..config.nodes.max(1)).map(|_| Seat {
            server: Standalone::in_memory(standalone.clone()),
            state: Mutex::new(Condition::up(&cancel)),
            opened: Default::default(),
        });
        let inner = Arc::new(Inner {
            plan: Arc::new(config.plan),
            started: Instant::now(),
            origin: OnceLock::new(),
            seats: seats.collect(),
            foreign: KeyPair::from_seed(&Seed::from_passphrase("others", KeyType::Ed25519)),
            archive: Mutex::default(),
            hits: Arc::default(),
            cancel,
            tasks: TaskTracker::new(),
        });
        inner.seats[0].server.with_node(|node| fund(node, inner.foreign.account_id()));
        inner.close();
        inner.tasks.spawn(Arc::clone(&inner).live(config.close_interval));
        Self { inner }
    }

    /// The plan's time begins now.
    pub fn follow_plan(&self) {
        // A second call changes nothing.
        if self.inner.origin.set(Instant::now()).is_ok() {
            self.inner.cut_all();
        }
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.inner.plan
    }

    /// How long it has been running.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.inner.started.elapsed()
    }

    /// How often a fault has struck so far.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.inner.hits.load(Ordering::Relaxed)
    }

    /// Every validated ledger since the network started, oldest first, whatever the nodes have lost.
    #[must_use]
    pub fn ledgers(&self) -> Vec<Arc<ClosedLedger>> {
        self.inner.archive.lock().clone()
    }

    /// Looks at or changes the ledger of a node, and tells its subscribers of changes.
    pub fn with_node<T>(&self, node: usize, change: impl FnOnce(&mut Node) -> T) -> T {
        self.inner.seats[node % self.inner.seats.len()].server.with_node(change)
    }

    /// A connection to a port of a node, over a pipe in memory.
    ///
    /// # Errors
    /// When it is refused as planned, or there is no such node.
    pub fn connect(&self, node: usize, kind: Kind) -> io::Result<DuplexStream> {
        let (near, far) = duplex(PIPE);
        self.inner.attach(far, node, kind)?;
        Ok(near)
    }

    /// Listens on loopback for a port of a node.
    ///
    /// # Errors
    /// When no port is to be had.
    pub async fn listen(&self, node: usize, kind: Kind) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let inner = Arc::clone(&self.inner);
        self.inner.tasks.spawn(async move {
            loop {
                let accepted = tokio::select! {
                    biased;
                    () = inner.cancel.cancelled() => return,
                    accepted = listener.accept() => accepted,
                };
                if let Ok((stream, _)) = accepted {
                    let _ = stream.set_nodelay(true);
                    // One that is refused is closed at once.
                    let _ = inner.attach(stream, node, kind);
                }
            }
        });
        Ok(address)
    }

    /// Closes all connections and waits for their tasks.
    pub async fn shutdown(self) {
        self.inner.cancel.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }
}

impl Inner {
    fn attach<I>(&self, io: I, node: usize, kind: Kind) -> io::Result<()>
    where
        I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let seat = self.seats.get(node).ok_or_else(refused)?;
        let down = seat.state.lock().down.clone();
        let port = Port::from(kind);
        let number = seat.opened[port as usize].fetch_add(1, Ordering::Relaxed);
        let origin = self.origin.get().copied();
        if origin.is_none() || !self.plan.links.iter().any(|f| f.node == node && f.port == port) {
            if down.is_cancelled() {
                return Err(refused());
            }
            seat.server.serve_until(io, kind, down);
            return Ok(());
        }
        let origin = origin.unwrap_or_else(Instant::now);
        let at = (node, port, number);
        let hits = Arc::clone(&self.hits);
        let link = Link::new(Arc::clone(&self.plan), origin, at, down.clone(), hits);
        if link.refused() {
            link.hit();
            return Err(refused());
        }
        let (near, far) = duplex(PIPE);
        seat.server.serve_until(far, kind, down);
        match kind {
            Kind::Rpc => self.tasks.spawn(self.until_end(http::serve(io, near, link))),
            Kind::WebSocket => self.tasks.spawn(self.until_end(ws::serve(io, near, link))),
        };
        Ok(())
    }

    fn until_end<F: Future<Output = ()>>(&self, link: F) -> impl Future<Output = ()> + use<F> {
        let cancel = self.cancel.clone();
        async move {
            tokio::select! {
                biased;
                () = cancel.cancelled() => {}
                () = link => {}
            }
        }
    }

    /// Closes ledgers, passes transactions on, and does what is planned.
    async fn live(self: Arc<Self>, close_interval: Duration) {
        let mut beats = time::interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_close = Instant::now() + close_interval;
        let mut done = 0;
        loop {
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return,
                _ = beats.tick() => {}
            }
            let now = Instant::now();
            if let Some(origin) = self.origin.get() {
                while let Some(fault) = self.plan.nodes.get(done)
                    && *origin + Duration::from_millis(fault.at_ms) <= now
                {
                    done += 1;
                    self.strike(fault.node, fault.action, now);
                }
            }
            for seat in &self.seats {
                let mut state = seat.state.lock();
                if state.back_at.is_some_and(|at| at <= now) {
                    *state =
                        Condition { lags_until: state.lags_until, ..Condition::up(&self.cancel) };
                }
            }
            self.pass_on();
            if next_close <= now {
                next_close = now + close_interval;
                if self.is_up(0) {
                    self.close();
                }
            }
            self.follow(now);
        }
    }

    fn is_up(&self, node: usize) -> bool {
        self.seats[node].state.lock().back_at.is_none()
    }

    /// Cuts what was connected before the plan began: only what connects now is under its rule.
    fn cut_all(&self) {
        for seat in &self.seats {
            let fresh = self.cancel.child_token();
            std::mem::replace(&mut seat.state.lock().down, fresh).cancel();
        }
    }

    fn close(&self) {
        let ledger = self.seats[0].server.accept();
        let mut archive = self.archive.lock();
        if archive.is_empty() {
            // What came before the first one, too.
            self.seats[0].server.with_node(|node| {
                let (first, last) = node.range();
                archive.extend((first..last).filter_map(|index| node.ledger(index)).cloned());
            });
        }
        archive.push(ledger);
    }

    /// Followers take the ledgers that they do not have yet.
    fn follow(&self, now: Instant) {
        let archive = self.archive.lock();
        for (number, seat) in self.seats.iter().enumerate().skip(1) {
            let lags = seat.state.lock().lags_until.is_some_and(|until| now < until);
            if lags || !self.is_up(number) {
                continue;
            }
            let newest = seat.server.with_node(|node| node.validated().header.index);
            let missing = archive.iter().filter(|ledger| ledger.header.index > newest);
            for ledger in missing {
                seat.server.with_node(|node| node.follow(Arc::clone(ledger)));
            }
        }
    }

    /// What one node holds, the others get.
    fn pass_on(&self) {
        if self.seats.len() < 2 {
            return;
        }
        for (from, seat) in self.seats.iter().enumerate().filter(|(n, _)| self.is_up(*n)) {
            let held = seat.server.with_node(|node| node.to_relay());
            for (to, other) in self.seats.iter().enumerate() {
                if to != from && self.is_up(to) && !held.is_empty() {
                    other.server.with_node(|node| held.iter().for_each(|tx| node.relayed(tx)));
                }
            }
        }
    }

    fn strike(&self, node: usize, action: NodeAction, now: Instant) {
        let Some(seat) = self.seats.get(node) else { return };
        self.hits.fetch_add(1, Ordering::Relaxed);
        match action {
            NodeAction::Restart(ms) => {
                let mut state = seat.state.lock();
                state.down.cancel();
                state.back_at = Some(now + Duration::from_millis(ms));
                drop(state);
                seat.server.with_node(Node::restart);
            }
            NodeAction::Forget(percent) => {
                let salt = self.plan.seed ^ self.archive.lock().len() as u64;
                let mut rng = ChaCha8Rng::seed_from_u64(salt);
                seat.server.with_node(|node| node.forget(|| rng.random_range(0..100) < percent));
            }
            NodeAction::Fill(count) => self.fill(node, count),
            NodeAction::Lag(ms) => {
                seat.state.lock().lags_until = Some(now + Duration::from_millis(ms));
            }
            NodeAction::LoseHistory(keep) => {
                seat.server.with_node(|node| node.lose_history(keep));
            }
        }
    }

    /// Transactions of others enter the open ledger: what pays less has to queue.
    fn fill(&self, node: usize, count: u32) {
        self.seats[node].server.with_node(|node| {
            let account = self.foreign.account_id();
            let next = |node: &Node| node.current().account(account)?.u32(fields::SEQUENCE);
            for _ in 0..count {
                let Some(sequence) = next(node) else { return };
                let common = Common {
                    account,
                    slot: Slot::Sequence(Sequence(sequence)),
                    fee: Drops(FOREIGN_FEE),
                    flags: 0,
                    last_ledger: None,
                    network_id: Some(node.network_id()).filter(|id| *id > 1024),
                    source_tag: None,
                };
                let signed = AccountSet::default().sign(&common, &self.foreign);
                if let Ok(tx) = PreparedTx::parse(&signed.blob) {
                    node.submit(Arc::new(tx), false);
                }
            }
        });
    }
}

/// Gives the others what they pay with.
fn fund(node: &mut Node, account: AccountId) {
    let genesis =
        KeyPair::from_seed(&Seed::from_passphrase("masterpassphrase", KeyType::Secp256k1));
    let common = Common {
        account: genesis.account_id(),
        slot: Slot::Sequence(Sequence(1)),
        fee: Drops(10),
        flags: 0,
        last_ledger: None,
        network_id: Some(node.network_id()).filter(|id| *id > 1024),
        source_tag: None,
    };
    let payment = Payment::xrp(account, Drops::from_xrp(1_000_000_000));
    if let Ok(tx) = PreparedTx::parse(&payment.sign(&common, &genesis).blob) {
        node.submit(Arc::new(tx), false);
    }
}
