//! Transactions kept outside the open ledger: those held until they can apply, and the local ones
//! that are tried again on each new open ledger.

use std::sync::Arc;

use xrpl_protocol::{Hash256, TxHash, object_id};

use crate::ledger::{
    PreparedTx, ReadView, SeqProxy, canonical::CanonicalSet, helpers::account_root::sequence_of,
};

/// Ledgers for which a local transaction is tried again.
pub(crate) const HOLD_LEDGERS: u32 = 5;

#[derive(Clone, Debug)]
struct Local {
    tx: Arc<PreparedTx>,
    /// Last ledger index after which it is forgotten.
    expires: u32,
}

/// Transactions submitted here and not yet seen in a ledger.
#[derive(Clone, Debug, Default)]
pub(crate) struct LocalTxs(Vec<Local>);

impl LocalTxs {
    pub(crate) fn push(&mut self, tx: Arc<PreparedTx>, current_index: u32) {
        let mut expires = current_index.saturating_add(HOLD_LEDGERS);
        if let Some(last) = tx.last_ledger {
            expires = expires.min(last.saturating_add(1));
        }
        self.0.push(Local { tx, expires });
    }

    pub(crate) fn remove(&mut self, hash: &TxHash) {
        self.0.retain(|local| local.tx.hash != *hash);
    }

    /// All of them in canonical order without salt.
    pub(crate) fn set(&self) -> CanonicalSet {
        let mut set = CanonicalSet::new(Hash256::ZERO);
        self.0.iter().for_each(|local| set.insert(Arc::clone(&local.tx)));
        set
    }

    /// Forgets what a closed ledger contains, what can no longer apply, and what waited too long.
    pub(crate) fn sweep(&mut self, ledger: &dyn ReadView) {
        let index = ledger.info().index;
        self.0.retain(|Local { tx, expires }| {
            if index > *expires || ledger.has_transaction(&tx.hash) {
                return false;
            }
            let Some(account) = ledger.account(tx.account) else { return true };
            let sequence = sequence_of(&account);
            match tx.seq {
                SeqProxy::Sequence(n) => sequence <= n,
                SeqProxy::Ticket(n) => {
                    sequence <= n || ledger.exists(&object_id::ticket(tx.account, n))
                }
            }
        });
    }
}
