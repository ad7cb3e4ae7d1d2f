//! Going back: the whole of a node at one moment, kept aside.
//!
//! Ledgers never change and share their trees, so that keeping one is keeping a pointer; what is
//! copied is the open ledger's changes, the queue and what is held.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use xrpl_protocol::{EngineResult, TxHash};

use super::{Event, Marks, Node, held::LocalTxs};
use crate::{
    ledger::{ClosedLedger, OpenView, PreparedTx, canonical::CanonicalSet},
    txq::TxQ,
};

/// A node as it was.
#[derive(Clone, Debug)]
pub struct Snapshot {
    closed: Arc<ClosedLedger>,
    open: OpenView<'static>,
    txq: TxQ,
    held: CanonicalSet,
    local: LocalTxs,
    seen: FxHashMap<TxHash, (Arc<PreparedTx>, EngineResult, u32)>,
    bad: Marks,
    bad_signatures: Marks,
    held_before: Marks,
}

impl Snapshot {
    /// The newest closed ledger at that moment.
    #[must_use]
    pub fn closed(&self) -> &Arc<ClosedLedger> {
        &self.closed
    }
}

impl Node {
    /// The node as it is now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            closed: Arc::clone(self.closed()),
            open: self.open.clone(),
            txq: self.txq.clone(),
            held: self.held.clone(),
            local: self.local.clone(),
            seen: self.seen.clone(),
            bad: self.bad.clone(),
            bad_signatures: self.bad_signatures.clone(),
            held_before: self.held_before.clone(),
        }
    }

    /// Makes the node what it was: ledgers closed since are gone, and so is everything submitted
    /// since. A snapshot taken on ledgers that are themselves gone brings back its newest one alone.
    /// Subscribers are told the newest ledger again.
    pub fn revert(&mut self, snapshot: &Snapshot) {
        self.abandon_after(&snapshot.closed);
        self.open = snapshot.open.clone();
        self.txq = snapshot.txq.clone();
        self.held = snapshot.held.clone();
        self.local = snapshot.local.clone();
        self.seen = snapshot.seen.clone();
        self.bad = snapshot.bad.clone();
        self.bad_signatures = snapshot.bad_signatures.clone();
        self.held_before = snapshot.held_before.clone();
        self.events.push(Event::Reverted(Arc::clone(&snapshot.closed)));
        self.events.push(Event::FeesMayHaveChanged(self.server_fees()));
    }
}
