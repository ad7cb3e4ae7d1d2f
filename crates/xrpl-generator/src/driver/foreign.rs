//! What others' transactions did to the run's accounts, and those within a Batch: each once.

use std::collections::VecDeque;

use rustc_hash::FxHashSet;
use tokio::sync::mpsc;
use xrpl_protocol::{LedgerIndex, TxHash};
use xrpl_tracker::{Foreign, Tracker};

use crate::metadata::Metadata;

/// How many are remembered: nodes show the same ledgers within seconds of each other.
const REMEMBERED: usize = 50_000;

/// See the [module](self).
pub(super) struct Others {
    told: mpsc::UnboundedReceiver<Foreign>,
    /// What was read of the accounts is of this ledger: earlier transactions are in it.
    pub(super) read_at: LedgerIndex,
    seen: FxHashSet<TxHash>,
    order: VecDeque<TxHash>,
}

impl Others {
    pub(super) fn new(tracker: &Tracker) -> Self {
        Self {
            told: tracker.foreign(),
            read_at: LedgerIndex(0),
            seen: FxHashSet::default(),
            order: VecDeque::new(),
        }
    }

    /// Waits for the next one that is told; what it says of the ledger, if that is new.
    pub(super) async fn next(&mut self) -> Option<(TxHash, Metadata, LedgerIndex)> {
        match self.told.recv().await {
            Some(foreign) => self.read(&foreign),
            // The tracker has ended: nothing more is told.
            None => std::future::pending().await,
        }
    }

    /// The next one that is told already.
    pub(super) fn ready(&mut self) -> Option<Option<(TxHash, Metadata, LedgerIndex)>> {
        let foreign = self.told.try_recv().ok()?;
        Some(self.read(&foreign))
    }

    fn read(&mut self, foreign: &Foreign) -> Option<(TxHash, Metadata, LedgerIndex)> {
        if foreign.ledger_index <= self.read_at || !self.seen.insert(foreign.hash) {
            return None;
        }
        self.order.push_back(foreign.hash);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        Some((foreign.hash, Metadata::parse(&foreign.metadata).ok()?, foreign.ledger_index))
    }
}
