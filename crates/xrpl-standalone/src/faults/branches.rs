//! Chains besides the network's own, and the nodes that stay with them.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::{ledger::ClosedLedger, node::Node};

/// Seconds by which a ledger of another chain closes after its parent.
const LATER: u32 = 40;

/// Which other chain a node follows for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// One that has the first ledgers in common with the network's.
    Apart,
    /// One that began anew.
    Fresh,
}

/// The other chains of a network.
#[derive(Debug, Default)]
pub(super) struct Branches {
    apart: Mutex<Option<Branch>>,
    fresh: Mutex<Option<Branch>>,
}

/// A chain besides the network's own.
#[derive(Debug)]
struct Branch {
    /// The node that closes its ledgers.
    leader: usize,
    /// From the last one in common, or the first.
    ledgers: Vec<Arc<ClosedLedger>>,
}

impl Branches {
    fn of(&self, side: Side) -> &Mutex<Option<Branch>> {
        match side {
            Side::Apart => &self.apart,
            Side::Fresh => &self.fresh,
        }
    }

    /// When the chain that began anew began, if there is one.
    pub(super) fn fresh_since(&self) -> Option<u32> {
        let branch = self.fresh.lock();
        branch.as_ref()?.ledgers.first().map(|ledger| ledger.header.close_time)
    }

    /// A node joins a chain, or is the first on it. Whether it is the first.
    pub(super) fn join(&self, side: Side, number: usize, node: &mut Node) -> bool {
        let mut branch = self.of(side).lock();
        if let Some(branch) = &*branch {
            if let (Side::Apart, Some(base)) = (side, branch.ledgers.first()) {
                // What it told of the network's ledgers since is not taken back, and what is in
                // their place not told anew: xrpld's streams never go back.
                let told = node.closed().header.index;
                node.abandon_after(base);
                let known = branch.ledgers.iter().filter(|ledger| ledger.header.index <= told);
                known.for_each(|ledger| node.follow(Arc::clone(ledger)));
                node.drain_events();
            }
            return false;
        }
        *branch = Some(Branch { leader: number, ledgers: vec![Arc::clone(node.closed())] });
        true
    }

    /// Whether a node closes a chain's ledgers.
    pub(super) fn led_by(&self, side: Side, number: usize) -> bool {
        self.of(side).lock().as_ref().is_some_and(|branch| branch.leader == number)
    }

    /// The chain's next ledger, by the node that closes it.
    pub(super) fn close(&self, side: Side, node: &mut Node) {
        let close_time = node.closed().header.close_time;
        let ledger = node.accept_at(close_time + LATER);
        if let Some(branch) = &mut *self.of(side).lock() {
            branch.ledgers.push(ledger);
        }
    }

    /// A node takes the ledgers of its chain that it does not have yet.
    pub(super) fn follow(&self, side: Side, node: &mut Node) {
        let newest = node.validated().header.index;
        if let Some(branch) = &*self.of(side).lock() {
            let missing = branch.ledgers.iter().filter(|ledger| ledger.header.index > newest);
            missing.for_each(|ledger| node.follow(Arc::clone(ledger)));
        }
    }
}
