//! One connection's share of a plan.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::time::{self, Instant};
use tokio_util::sync::CancellationToken;

use super::{
    gate::Gate,
    plan::{Action, LinkFault, Plan, Port},
    received::Received,
};

/// What ends a connection, or passes nothing on it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blow {
    Close(u16),
    Cut,
    HalfOpen,
}

/// A connection and what is planned for it.
#[derive(Debug)]
pub(super) struct Link {
    plan: Arc<Plan>,
    origin: Instant,
    opened: Instant,
    node: usize,
    port: Port,
    rng: ChaCha8Rng,
    /// Ends when the node goes down.
    down: CancellationToken,
    hits: Arc<AtomicU64>,
    /// Shut while the node stands still.
    frozen: Gate,
    received: Received,
}

/// What the connections of one node share with it.
#[derive(Clone, Debug)]
pub(super) struct NodeSide {
    /// Ends when the node goes down.
    pub(super) down: CancellationToken,
    /// Shut while the node stands still.
    pub(super) frozen: Gate,
    /// Where requests are noted.
    pub(super) received: Received,
    /// Faults that struck.
    pub(super) hits: Arc<AtomicU64>,
}

impl Link {
    pub(super) fn new(
        plan: Arc<Plan>,
        origin: Instant,
        (node, port, number): (usize, Port, u64),
        side: NodeSide,
    ) -> Self {
        let salt = ((node as u64) << 48) ^ ((port as u64) << 40) ^ number;
        let rng = ChaCha8Rng::seed_from_u64(plan.seed ^ salt.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let NodeSide { down, frozen, received, hits } = side;
        let opened = Instant::now();
        Self { plan, origin, opened, node, port, rng, down, hits, frozen, received }
    }

    fn at(&self, ms: u64) -> Instant {
        self.origin + Duration::from_millis(ms)
    }

    fn mine(&self) -> impl Iterator<Item = &LinkFault> {
        self.plan.links.iter().filter(|f| f.node == self.node && f.port == self.port)
    }

    /// The faults that last now.
    fn active(&self) -> impl Iterator<Item = &LinkFault> {
        let now = Instant::now();
        self.mine().filter(move |f| self.at(f.at_ms) <= now && now < self.at(f.at_ms + f.for_ms))
    }

    pub(super) fn hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether no connection is to be had now.
    pub(super) fn refused(&self) -> bool {
        self.down.is_cancelled() || self.active().any(|f| f.action == Action::Refuse)
    }

    /// Waits for what is to happen to the whole connection.
    pub(super) fn blow(&self) -> impl Future<Output = Blow> + Send + use<> {
        let next = self.mine().filter(|f| self.at(f.at_ms) >= self.opened).find_map(|f| {
            let blow = match f.action {
                Action::Close(code) => Blow::Close(code),
                Action::Cut => Blow::Cut,
                Action::HalfOpen => Blow::HalfOpen,
                _ => return None,
            };
            Some((self.at(f.at_ms), blow))
        });
        let down = self.down.clone();
        async move {
            let planned = async {
                match next {
                    Some((at, blow)) => {
                        time::sleep_until(at).await;
                        blow
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = down.cancelled() => Blow::Cut,
                blow = planned => blow,
            }
        }
    }

    /// Waits while the node stands still.
    pub(super) fn thawed(&self) -> impl Future<Output = ()> + Send + use<> {
        let frozen = self.frozen.clone();
        async move { frozen.passed().await }
    }

    /// Notes a request that arrives at the node.
    pub(super) fn note(&self, body: &[u8]) {
        self.received.request(body);
    }

    /// Until when nothing that the client sends is read.
    pub(super) fn stalled_until(&self) -> Option<Instant> {
        let stalls = self.active().filter(|f| f.action == Action::Stall);
        stalls.map(|f| self.at(f.at_ms + f.for_ms)).max()
    }

    /// What happens to a message, if anything: the dice are thrown once for each fault that lasts.
    pub(super) fn message(&mut self) -> Option<Action> {
        let actions: Vec<(u8, Action)> =
            self.active().filter_map(|f| Some((f.action.chance()?, f.action.clone()))).collect();
        let mut chosen = None;
        for (chance, action) in actions {
            if self.rng.random_range(0..100) < chance && chosen.is_none() {
                self.hit();
                chosen = Some(action);
            }
        }
        chosen
    }

    /// A number below `most`, for what a fault leaves open.
    pub(super) fn below(&mut self, most: u64) -> u64 {
        self.rng.random_range(0..most.max(1))
    }

    /// The same for the same ledger on every connection: whether a chance falls on it.
    pub(super) fn ledger_dice(&self, ledger: u64, chance: u8) -> bool {
        let mut rng = ChaCha8Rng::seed_from_u64(self.plan.seed ^ ledger ^ (self.node as u64) << 32);
        rng.random_range(0..100) < chance
    }

    /// Whether an answer is to lack a transaction.
    pub(super) fn leaves_out(&mut self) -> bool {
        let chance = self.active().find_map(|f| match f.action {
            Action::LeaveOut(chance) => Some(chance),
            _ => None,
        });
        chance.is_some_and(|chance| self.rng.random_range(0..100) < chance)
    }

    /// The chance that whole ledgers are left out or given another hash now.
    pub(super) fn of_ledgers(&self) -> Option<(u8, bool)> {
        self.active().find_map(|f| match f.action {
            Action::SkipLedgers(chance) => Some((chance, true)),
            Action::Contradict(chance) => Some((chance, false)),
            _ => None,
        })
    }
}

impl Action {
    /// The chance of those that fall on single messages.
    fn chance(&self) -> Option<u8> {
        match self {
            Self::Drop(chance)
            | Self::Delay(chance, _)
            | Self::Duplicate(chance)
            | Self::Reorder(chance)
            | Self::Truncate(chance)
            | Self::Garbage(chance)
            | Self::Break(chance)
            | Self::Error(chance, _)
            | Self::Status(chance, _)
            | Self::LoseAnswer(chance)
            | Self::StatusAfter(chance, _)
            | Self::ErrorAfter(chance, _)
            | Self::Late(chance, _)
            | Self::Unsearched(chance)
            | Self::Elsewhere(chance) => Some(*chance),
            _ => None,
        }
    }
}
