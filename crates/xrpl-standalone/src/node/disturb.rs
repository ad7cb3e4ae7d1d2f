//! What a node of a network goes through besides closing its own ledgers: it follows others, goes
//! down and comes back, forgets what it held, loses history.

use std::sync::Arc;

use super::{History, Node, close, held::LocalTxs};
use crate::ledger::{ClosedLedger, OpenView, PreparedTx, canonical::CanonicalSet};

impl Node {
    /// Takes a validated ledger that another node closed, if it is the next one.
    pub fn follow(&mut self, ledger: Arc<ClosedLedger>) {
        if ledger.header.parent_hash == self.closed().header.hash {
            // Every server tries what it holds when a ledger closes, not only one that proposes it.
            self.apply_held();
            self.go_on(&ledger, CanonicalSet::new(ledger.header.hash));
        }
    }

    /// What it would tell its peers of: what is in the open ledger and in the queue.
    #[must_use]
    pub fn to_relay(&self) -> Vec<Arc<PreparedTx>> {
        let mut all = self.open.transactions();
        all.extend(self.txq.all().into_iter().map(|queued| queued.tx));
        all
    }

    /// A peer told of a transaction.
    pub fn relayed(&mut self, tx: &Arc<PreparedTx>) {
        if !self.seen.contains_key(&tx.hash) && !self.transactions.contains_key(&tx.hash) {
            self.receive(Arc::clone(tx));
        }
    }

    /// Goes down and comes back: the ledgers are on disk, all else is gone.
    pub fn restart(&mut self) {
        let closed = Arc::clone(self.closed());
        self.txq.restart();
        self.held = CanonicalSet::new(closed.header.hash);
        self.local = LocalTxs::default();
        self.seen.clear();
        self.bad.forget_before(u32::MAX);
        self.bad_signatures.forget_before(u32::MAX);
        self.held_before.forget_before(u32::MAX);
        self.open = OpenView::new(closed, false);
    }

    /// The others agreed on other ledgers after this one: it goes back to it, and what was in its own
    /// is gone as if it had never arrived.
    pub fn abandon_after(&mut self, base: &Arc<ClosedLedger>) {
        while let Some(wrong) = self.ledgers.pop_back_if(|l| l.header.index > base.header.index) {
            self.by_hash.remove(&wrong.header.hash);
            for tx in &wrong.transactions {
                self.transactions.remove(&tx.hash());
            }
        }
        if self.ledgers.is_empty() {
            self.store(Arc::clone(base));
        }
        self.txq.restart();
        self.open = OpenView::new(Arc::clone(base), false);
    }

    /// Forgets transactions of the open ledger for which `which` says so, and everything queued or
    /// held of as many accounts: as if the others of a network had not let them in.
    pub fn forget(&mut self, mut which: impl FnMut() -> bool) {
        self.forget_open(&mut which);
        self.txq.retain_accounts(|_| !which());
        self.held.retain(|_| !which());
    }

    /// Forgets transactions of the open ledger for which `which` says so.
    pub fn forget_open(&mut self, mut which: impl FnMut() -> bool) {
        let kept: Vec<_> = self
            .open
            .transactions()
            .into_iter()
            .filter(|tx| {
                let forgotten = which();
                if forgotten {
                    self.local.remove(&tx.hash);
                }
                !forgotten
            })
            .collect();
        let closed = Arc::clone(self.closed());
        self.open = OpenView::new(Arc::clone(&closed), false);
        let mut retries = CanonicalSet::new(closed.header.hash);
        close::reapply(&self.context, &mut self.open, &closed, kept, &mut retries);
    }

    /// Keeps only the newest ledgers.
    pub fn lose_history(&mut self, keep: usize) {
        while self.ledgers.len() > keep.max(2) {
            self.lose_oldest();
        }
    }

    fn lose_oldest(&mut self) {
        let Some(old) = self.ledgers.pop_front() else { return };
        self.by_hash.remove(&old.header.hash);
        for tx in &old.transactions {
            self.transactions.remove(&tx.hash());
        }
    }

    /// Keeps as much as is to stay readable.
    pub(super) fn bound_history(&mut self) {
        if let Some(keep) = self.history.ledgers {
            self.lose_history(keep);
        }
        if let Some(most) = self.history.transactions {
            while self.transactions.len() > most && self.ledgers.len() > History::LEAST {
                self.lose_oldest();
            }
        }
    }
}
