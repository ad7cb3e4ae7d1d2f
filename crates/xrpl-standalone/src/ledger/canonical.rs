//! The order in which a ledger applies its transactions: by salted account, then Sequence, then
//! hash. The salt makes it unpredictable who comes first.

use std::{collections::BTreeMap, sync::Arc};

use xrpl_protocol::{AccountId, Hash256, TxHash};

use super::prepared::{PreparedTx, SeqProxy};

type Key = (Hash256, SeqProxy, TxHash);

/// Transactions in canonical order.
#[derive(Clone, Debug, Default)]
pub(crate) struct CanonicalSet {
    salt: Hash256,
    map: BTreeMap<Key, Arc<PreparedTx>>,
}

impl CanonicalSet {
    pub(crate) fn new(salt: Hash256) -> Self {
        Self { salt, map: BTreeMap::new() }
    }

    fn account_key(&self, account: AccountId) -> Hash256 {
        let mut key = self.salt;
        for (byte, of_account) in key.0.iter_mut().zip(account.0) {
            *byte ^= of_account;
        }
        key
    }

    pub(crate) fn insert(&mut self, tx: Arc<PreparedTx>) {
        self.map.insert((self.account_key(tx.account), tx.seq, tx.hash), tx);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<PreparedTx>> {
        self.map.values()
    }

    /// Goes through all in order; those for which `keep` is false leave the set.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Arc<PreparedTx>) -> bool) {
        self.map.retain(|_, tx| keep(tx));
    }

    /// Takes out the transaction of the same account that `tx` has made possible: the next Sequence,
    /// or one on a Ticket.
    pub(crate) fn pop_next(&mut self, tx: &PreparedTx) -> Option<Arc<PreparedTx>> {
        let account = self.account_key(tx.account);
        let (key, next) = self.map.range((account, tx.seq, TxHash::ZERO)..).next()?;
        let follows = match next.seq {
            SeqProxy::Sequence(n) => Some(n) == tx.seq.value().checked_add(1),
            SeqProxy::Ticket(_) => true,
        };
        if key.0 != account || !follows {
            return None;
        }
        let key = *key;
        self.map.remove(&key)
    }
}
