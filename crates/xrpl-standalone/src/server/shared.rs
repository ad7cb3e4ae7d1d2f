//! What all connections share: the ledger, its subscribers, the clock, and when ledgers close.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};
use serde_json::{Value as Json, json};
use tokio::sync::watch;
use xrpl_protocol::{
    Hash256, base58,
    keys::{KeyPair, KeyType, Seed},
};

use super::{
    Begin, Closing, StandaloneConfig,
    accounts::{self, FundedAccount},
    clock::{Clock, EndOfTime},
    faucet::{self, Faucet},
    fork::Forked,
    keeping::Kept,
    time_travel::Moment,
};
use crate::{
    ledger::{ClosedLedger, PreparedTx, ReadView as _},
    node::{Node, SubmitOutcome},
    streams::Streams,
};

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    node: Mutex<Node>,
    pub(super) streams: Mutex<Streams>,
    pub(crate) clock: Clock,
    /// Where JSON-RPC and WebSocket listen.
    addresses: (SocketAddr, SocketAddr),
    pub(super) closing_mode: watch::Sender<Closing>,
    /// Whether a ledger is being closed.
    closing: watch::Sender<bool>,
    pub(super) connections: AtomicU64,
    pub(super) open_admin: bool,
    pub(crate) node_key: String,
    pub(crate) accounts: Vec<FundedAccount>,
    pub(super) faucet: Option<Faucet>,
    pub(super) explorer: bool,
    /// When exactly the next ledger closes; 0 leaves it to the clock.
    pub(super) next_close_time: AtomicU32,
    pub(super) moments: Mutex<Vec<Moment>>,
    /// The file in which all this is kept, if it is.
    pub(super) kept: Mutex<Option<Kept>>,
    /// Votes on amendments that are not the default ones: whether for them.
    pub(crate) votes: Mutex<BTreeMap<Hash256, bool>>,
    /// Where it comes from, if it is a fork.
    pub(super) forked: Option<Forked>,
}

/// A node and a clock as the configuration has them.
fn begun(config: &StandaloneConfig) -> (Node, Clock) {
    let (ledgers, network_id) = match &config.begin {
        Begin::Genesis => (Vec::new(), None),
        Begin::Saved(saved) => (saved.ledgers.clone(), Some(saved.network_id)),
        Begin::Ledger(ledger) => (vec![Arc::clone(ledger)], None),
        Begin::Fork(fork) => (vec![Arc::clone(&fork.ledger)], Some(fork.network_id)),
    };
    let (shown, ahead) = config.begin.clock(config.start_time);
    let mut node = config.node.clone();
    node.network_id = network_id.unwrap_or(node.network_id);
    node.start_time = shown;
    let clock = Clock::new(shown, ahead);
    (Node::resume(node.clone(), ledgers).unwrap_or_else(|| Node::new(node)), clock)
}

impl Shared {
    pub(super) fn new(config: &StandaloneConfig) -> Self {
        let (mut node, clock) = begun(config);
        let funded = config.accounts.as_ref().map(accounts::of).unwrap_or_default();
        let mut faucet = None;
        if !funded.is_empty() || config.faucet.is_some() {
            let each = config.accounts.as_ref().map_or(0, |wanted| wanted.drops);
            let wanted = (each, config.faucet.is_some());
            let key = accounts::prepare(&mut node, &funded, wanted, clock.now());
            faucet = config.faucet.clone().map(|config| Faucet::new(config, key));
        }
        if let Begin::Saved(saved) = &config.begin {
            for tx in &saved.pending {
                node.submit(Arc::clone(tx), false);
            }
        }
        node.drain_events();
        let unknown = node.closed().rules().unknown();
        if !unknown.is_empty() {
            tracing::warn!(?unknown, "the ledger has amendments that this program does not know");
        }
        let streams = Streams::new(config.send_queue_limit, node.network_id());
        let key = KeyPair::from_seed(&Seed::from_passphrase("embedded node", KeyType::Secp256k1));
        Self {
            streams: Mutex::new(streams),
            node: Mutex::new(node),
            clock,
            addresses: (config.rpc_bind, config.ws_bind),
            closing_mode: watch::Sender::new(config.closing),
            closing: watch::Sender::default(),
            connections: AtomicU64::new(0),
            open_admin: config.open_admin,
            node_key: base58::encode(base58::NODE_PUBLIC, &key.public_key().0),
            accounts: funded,
            faucet,
            explorer: config.explorer,
            kept: Mutex::default(),
            forked: match &config.begin {
                Begin::Fork(fork) => Some(Forked::new(fork.clone())),
                _ => None,
            },
            next_close_time: AtomicU32::new(0),
            moments: Mutex::default(),
            votes: Mutex::new(config.node.votes.amendments.iter().map(|id| (*id, true)).collect()),
        }
    }

    /// The ledger. Held for one look or change at a time, never across an await.
    pub(crate) fn node(&self) -> MutexGuard<'_, Node> {
        self.node.lock()
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.clock.uptime()
    }

    /// Seconds since 2000-01-01.
    pub(crate) fn now(&self) -> u32 {
        self.clock.now()
    }

    pub(crate) fn ports(&self) -> Json {
        let (rpc, ws) = (self.addresses.0.port(), self.addresses.1.port());
        json!([
            {"port": rpc.to_string(), "protocol": ["http"]},
            {"port": ws.to_string(), "protocol": ["ws"]},
        ])
    }

    /// Where the faucet is, if there is one.
    pub(crate) fn faucet_address(&self) -> Option<String> {
        let rpc = self.addresses.0;
        self.faucet.as_ref().map(|_| format!("http://{rpc}{}", faucet::PATH))
    }

    /// Whether the ledger goes on from another network's.
    pub(crate) fn is_fork(&self) -> bool {
        self.forked.is_some()
    }

    pub(crate) fn submit(&self, tx: Arc<PreparedTx>, fail_hard: bool) -> SubmitOutcome {
        let outcome = self.change(|node| node.submit(tx, fail_hard));
        self.submitted();
        outcome
    }

    /// Closes the ledger after a submission, where ledgers close so and there is something in it.
    pub(super) fn submitted(&self) {
        if self.closing() == Closing::OnSubmit
            && self.node().current().tx_count() > 0
            && let Err(error) = self.accept()
        {
            tracing::warn!(%error, "no ledger can close for what was submitted");
        }
    }

    /// Closes the open ledger.
    ///
    /// # Errors
    /// When no later time is left for it.
    pub(crate) fn accept(&self) -> Result<Arc<ClosedLedger>, EndOfTime> {
        self.time_for(1, 0)?;
        let now = self.now();
        let exactly = self.next_close_time.swap(0, Ordering::Relaxed);
        self.closing.send_replace(true);
        let ledger =
            self.change(|node| node.accept_exactly(exactly).unwrap_or_else(|_| node.accept(now)));
        self.closing.send_replace(false);
        Ok(ledger)
    }

    /// Waits while a ledger is being closed, so that the runtime's threads do not all stand at its
    /// lock.
    pub(super) async fn until_open(&self) {
        // The sender lives as long as `self`.
        let _ = self.closing.subscribe().wait_for(|closing| !closing).await;
    }

    /// Changes the ledger and tells the subscribers, so that messages come in the ledger's order.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Node) -> T) -> T {
        let mut node = self.node.lock();
        let done = change(&mut node);
        let (events, range) = (node.drain_events(), node.range());
        if events.is_empty() {
            return done;
        }
        if let Some(forked) = &self.forked {
            // Told once it holds.
            forked.events.lock().push((events, range));
            return done;
        }
        // Taken before the ledger is let go, so that nobody comes between.
        let mut streams = self.streams.lock();
        drop(node);
        streams.publish(events, range);
        done
    }
}
