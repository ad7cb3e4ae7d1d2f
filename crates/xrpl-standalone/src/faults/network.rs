//! A small network that follows a plan: the first node closes the ledgers, the others follow it.

mod others;

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
    AccountId, Drops, TxHash,
    keys::{KeyPair, KeyType, Seed},
};

use super::{
    branches::{Branches, Side},
    gate::Gate,
    http,
    link::{Link, NodeSide},
    plan::{Action, NodeAction, Plan, Port},
    received::Received,
    ws,
};
use crate::{
    ledger::{ClosedLedger, PreparedTx},
    node::{Node, NodeConfig},
    server::{Closing, Kind, Standalone, StandaloneConfig},
};

/// How often the nodes look at time, and at what the others hold.
const BEAT: Duration = Duration::from_millis(50);
/// Bytes that a pipe in memory takes.
const PIPE: usize = 64 << 10;
/// Seconds by which a ledger of a fork closes after its parent: more than any other does.
const LATER: u32 = 40;

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
    /// Whether it stands still, for its connections.
    frozen: Gate,
    opened: [AtomicU64; 2],
}

#[derive(Debug)]
struct Condition {
    /// Ends the connections when the node goes down.
    down: CancellationToken,
    back_at: Option<Instant>,
    lags_until: Option<Instant>,
    frozen_until: Option<Instant>,
    fork: Option<Fork>,
    /// The chain that it stays with, if it is not the network's.
    side: Option<Side>,
}

/// A chain of a node's own.
#[derive(Clone, Copy, Debug)]
struct Fork {
    until: Instant,
    /// The last ledger that it has in common with the others.
    base: u32,
}

impl Condition {
    fn up(all: &CancellationToken) -> Self {
        Self {
            down: all.child_token(),
            back_at: None,
            lags_until: None,
            frozen_until: None,
            fork: None,
            side: None,
        }
    }
}

#[derive(Debug)]
struct Inner {
    plan: Arc<Plan>,
    started: Instant,
    /// When the plan's time began.
    origin: OnceLock<Instant>,
    seats: Vec<Seat>,
    /// How each node starts.
    node: NodeConfig,
    branches: Branches,
    foreign: KeyPair,
    archive: Mutex<Vec<Arc<ClosedLedger>>>,
    received: Received,
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
            closing: Closing::Manual,
            send_queue_limit: config.send_queue_limit,
            start_time: config.start_time,
            node: config.node,
            ..StandaloneConfig::default()
        };
        let cancel = CancellationToken::new();
        let seats = (0..config.nodes.max(1)).map(|_| Seat {
            server: Standalone::in_memory(standalone.clone()),
            state: Mutex::new(Condition::up(&cancel)),
            frozen: Gate::default(),
            opened: Default::default(),
        });
        let inner = Arc::new(Inner {
            plan: Arc::new(config.plan),
            started: Instant::now(),
            origin: OnceLock::new(),
            seats: seats.collect(),
            node: standalone.node.clone(),
            branches: Branches::default(),
            foreign: KeyPair::from_seed(&Seed::from_passphrase("others", KeyType::Ed25519)),
            archive: Mutex::default(),
            received: Received::default(),
            hits: Arc::default(),
            cancel,
            tasks: TaskTracker::new(),
        });
        inner.seats[0].server.with_node(|node| others::fund(node, inner.foreign.account_id()));
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

    /// Whether a transaction has reached any node by a request since the plan's time began.
    #[must_use]
    pub fn received(&self, hash: &TxHash) -> bool {
        self.inner.received.has(hash)
    }

    /// What reached the nodes by requests that let them pass it on: anybody may have it.
    #[must_use]
    pub fn public_blobs(&self) -> Vec<Arc<[u8]>> {
        self.inner.received.public()
    }

    /// The newest validated ledger of the network, whichever node has it.
    #[must_use]
    pub fn newest(&self) -> Arc<ClosedLedger> {
        let newest = self.inner.archive.lock().last().cloned();
        newest.unwrap_or_else(|| self.with_node(0, |node| Arc::clone(node.closed())))
    }

    /// Somebody pays an account, at the node that closes the ledgers.
    pub fn pay(&self, account: AccountId, amount: Drops) {
        self.with_node(0, |node| self.inner.others_pay(node, account, amount));
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
        // Every request passes a link, so that what reaches a node is known.
        let watched = port == Port::Rpc || self.misbehaves(node, port);
        let Some(origin) = self.origin.get().copied().filter(|_| watched) else {
            if down.is_cancelled() {
                return Err(refused());
            }
            seat.server.serve_until(io, kind, down);
            return Ok(());
        };
        let at = (node, port, number);
        let side = NodeSide {
            down: down.clone(),
            frozen: seat.frozen.clone(),
            received: self.received.clone(),
            hits: Arc::clone(&self.hits),
        };
        let link = Link::new(Arc::clone(&self.plan), origin, at, side);
        if link.refused() {
            link.hit();
            return Err(refused());
        }
        let (near, far) = duplex(PIPE);
        seat.server.serve_until(far, kind, down);
        match kind {
            Kind::Rpc => {
                let other = self.way_elsewhere(node);
                self.tasks.spawn(self.until_end(http::serve(io, near, other, link)))
            }
            Kind::WebSocket => self.tasks.spawn(self.until_end(ws::serve(io, near, link))),
        };
        Ok(())
    }

    /// Whether anything is planned for a port of a node.
    fn misbehaves(&self, node: usize, port: Port) -> bool {
        self.plan.links.iter().any(|f| f.node == node && f.port == port)
            || self
                .plan
                .nodes
                .iter()
                .any(|f| f.node == node && matches!(f.action, NodeAction::Freeze(_)))
    }

    /// A connection to the node behind this one, where requests may go astray.
    fn way_elsewhere(&self, node: usize) -> Option<DuplexStream> {
        let mine = self.plan.links.iter().filter(|f| f.node == node);
        let astray = mine.filter(|f| matches!(f.action, Action::Elsewhere(_))).count() > 0;
        let other = (node + 1) % self.seats.len();
        if !astray || other == node {
            return None;
        }
        let (near, far) = duplex(PIPE);
        let down = self.seats[other].state.lock().down.clone();
        self.seats[other].server.serve_until(far, Kind::Rpc, down);
        Some(near)
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
                    let Condition { lags_until, fork, side, .. } = *state;
                    *state = Condition { lags_until, fork, side, ..Condition::up(&self.cancel) };
                }
                if state.frozen_until.is_some_and(|until| until <= now) {
                    state.frozen_until = None;
                    seat.frozen.open();
                }
            }
            self.pass_on();
            if next_close <= now {
                next_close = now + close_interval;
                if self.is_up(0) {
                    self.close();
                    self.close_forks(now);
                    self.close_branches();
                }
            }
            self.follow(now);
        }
    }

    /// Whether it runs: neither down nor standing still.
    fn is_up(&self, node: usize) -> bool {
        let state = self.seats[node].state.lock();
        state.back_at.is_none() && state.frozen_until.is_none()
    }

    /// Cuts what was connected before the plan began: only what connects now is under its rule.
    fn cut_all(&self) {
        for seat in &self.seats {
            let fresh = self.cancel.child_token();
            std::mem::replace(&mut seat.state.lock().down, fresh).cancel();
        }
    }

    fn close(&self) {
        // No plan goes on until time ends.
        let Ok(ledger) = self.seats[0].server.accept() else { return };
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
            let (fork, side) = {
                let state = seat.state.lock();
                (state.fork, state.side)
            };
            if let Some(side) = side {
                if !self.branches.led_by(side, number) {
                    seat.server.with_node(|node| self.branches.follow(side, node));
                }
                continue;
            }
            match fork {
                Some(fork) if now < fork.until => continue,
                Some(fork) => self.outvote(seat, fork, &archive),
                None => {}
            }
            let newest = seat.server.with_node(|node| node.validated().header.index);
            let missing = archive.iter().filter(|ledger| ledger.header.index > newest);
            for ledger in missing {
                seat.server.with_node(|node| node.follow(Arc::clone(ledger)));
            }
        }
    }

    /// Nodes on a chain of their own close its next ledger: some of what they should have is not in
    /// it, and it closes later than that of the others.
    fn close_forks(&self, now: Instant) {
        for (number, seat) in self.seats.iter().enumerate().skip(1) {
            if !self.is_up(number) || seat.state.lock().fork.is_none_or(|f| now >= f.until) {
                continue;
            }
            let closed = seat.server.with_node(|node| node.closed().header.clone());
            let mut rng = ChaCha8Rng::seed_from_u64(self.plan.seed ^ u64::from(closed.index));
            seat.server.with_node(|node| {
                node.forget_open(|| rng.random_range(0..3) == 0);
                node.accept_at(closed.close_time + LATER);
            });
        }
    }

    /// Chains besides the network's own get their next ledgers.
    fn close_branches(&self) {
        for (number, seat) in self.seats.iter().enumerate() {
            let Some(side) = seat.state.lock().side else { continue };
            if self.is_up(number) && self.branches.led_by(side, number) {
                seat.server.with_node(|node| self.branches.close(side, node));
            }
        }
    }

    /// A node follows another chain from now on.
    fn part(&self, number: usize, side: Side) {
        let seat = &self.seats[number];
        // The first node closes the network's ledgers.
        if number == 0 || seat.state.lock().side.is_some() {
            return;
        }
        let fork = seat.state.lock().fork;
        let archive = self.archive.lock();
        if let Some(fork) = fork {
            self.outvote(seat, fork, &archive);
        }
        let now = archive.last().map_or(0, |ledger| ledger.header.close_time);
        let start_time = self.branches.fresh_since().unwrap_or(now);
        seat.server.with_node(|node| {
            match side {
                Side::Fresh => *node = Node::new(NodeConfig { start_time, ..self.node.clone() }),
                // One that is behind must have what the others on that chain have.
                Side::Apart => archive.iter().for_each(|ledger| node.follow(Arc::clone(ledger))),
            }
            if self.branches.join(side, number, node) && side == Side::Fresh {
                // What was sent before is no secret, and some of it fits a new chain too.
                for blob in self.received.public() {
                    if let Ok(tx) = PreparedTx::parse_and_check(&blob) {
                        node.submit(tx, false);
                    }
                }
            }
        });
        seat.state.lock().side = Some(side);
    }

    /// The others' ledgers are the ones; those of which this node told otherwise are not told anew,
    /// as xrpld's streams never go back.
    fn outvote(&self, seat: &Seat, fork: Fork, archive: &[Arc<ClosedLedger>]) {
        seat.state.lock().fork = None;
        let base = archive.iter().find(|ledger| ledger.header.index == fork.base);
        // The archive begins with the first ledger and has no gap.
        let Some(base) = base else { return };
        seat.server.with_node(|node| {
            let told = node.closed().header.index;
            node.abandon_after(base);
            for ledger in archive.iter().filter(|l| l.header.index <= told) {
                node.follow(Arc::clone(ledger));
            }
            node.drain_events();
        });
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

    fn take_down(seat: &Seat, back_at: Instant) {
        let mut state = seat.state.lock();
        state.down.cancel();
        state.back_at = Some(back_at);
        state.frozen_until = None;
        drop(state);
        seat.frozen.open();
    }

    fn strike(&self, node: usize, action: NodeAction, now: Instant) {
        let Some(seat) = self.seats.get(node) else { return };
        self.hits.fetch_add(1, Ordering::Relaxed);
        match action {
            NodeAction::Restart(ms) => {
                Self::take_down(seat, now + Duration::from_millis(ms));
                seat.server.with_node(Node::restart);
            }
            NodeAction::Fresh(ms) => {
                Self::take_down(seat, now + Duration::from_millis(ms));
                self.part(node, Side::Fresh);
            }
            NodeAction::Apart => self.part(node, Side::Apart),
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
            NodeAction::Freeze(ms) => {
                let mut state = seat.state.lock();
                if state.back_at.is_none() {
                    state.frozen_until = Some(now + Duration::from_millis(ms));
                    drop(state);
                    seat.frozen.shut();
                }
            }
            NodeAction::Fork(ms) => {
                let base = seat.server.with_node(|node| node.closed().header.index);
                let until = now + Duration::from_millis(ms);
                let mut state = seat.state.lock();
                if state.side.is_none() {
                    state.fork.get_or_insert(Fork { until, base });
                }
            }
            NodeAction::Replay(count) => self.replay(seat, count),
        }
    }
}
