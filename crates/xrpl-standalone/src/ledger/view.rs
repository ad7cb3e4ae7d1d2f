//! Views of a ledger: what transactions read, and layers that collect what they change.

use std::{collections::BTreeSet, ops::Bound, sync::Arc};

use rustc_hash::FxHashMap;
use xrpl_protocol::{AccountId, Amount, Hash256, Object, TxHash, fields, object_id};

use super::{closed::ClosedLedger, prepared::PreparedTx};

/// A ledger entry. Shared by every ledger in which it is the same.
pub type Entry = Arc<Object>;

/// Fees and reserves in drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// Fee of a reference transaction.
    pub base: u64,
    /// Reserve of an account.
    pub reserve: u64,
    /// Reserve of each thing it owns.
    pub increment: u64,
}

impl Default for Fees {
    fn default() -> Self {
        Self { base: 10, reserve: 10_000_000, increment: 2_000_000 }
    }
}

impl Fees {
    /// As a FeeSettings entry says.
    #[must_use]
    pub fn of(settings: &Object) -> Self {
        let default = Self::default();
        let drops = |field, or| {
            let drops = settings.amount(field).and_then(|amount| amount.drops());
            drops.and_then(|drops| u64::try_from(drops).ok()).unwrap_or(or)
        };
        Self {
            base: drops(fields::BASE_FEE_DROPS, default.base),
            reserve: drops(fields::RESERVE_BASE_DROPS, default.reserve),
            increment: drops(fields::RESERVE_INCREMENT_DROPS, default.increment),
        }
    }

    /// What an account that owns `owner_count` things must keep.
    #[must_use]
    pub fn account_reserve(&self, owner_count: u32) -> u64 {
        self.reserve.saturating_add(self.increment.saturating_mul(owner_count.into()))
    }
}

/// What every view knows about its ledger.
#[derive(Clone, Debug)]
pub struct ViewInfo {
    /// Its index.
    pub index: u32,
    /// Hash of the ledger before.
    pub parent_hash: Hash256,
    /// Close time of the ledger before: the time against which expirations are judged.
    pub parent_close_time: u32,
    /// Its close time; the parent's while it is open.
    pub close_time: u32,
    /// Whether it is open: open ledgers check fees and keep no metadata.
    pub open: bool,
    /// Fees and reserves.
    pub fees: Fees,
}

/// Reading a ledger.
pub trait ReadView {
    /// The entry of an id.
    fn read(&self, key: &Hash256) -> Option<Entry>;
    /// The first id after `key`.
    fn succ(&self, key: &Hash256) -> Option<Hash256>;
    /// Index, times, fees.
    fn info(&self) -> &ViewInfo;
    /// Whether the ledger has this transaction.
    fn has_transaction(&self, hash: &TxHash) -> bool;

    /// Whether there is an entry of that id.
    fn exists(&self, key: &Hash256) -> bool {
        self.read(key).is_some()
    }

    /// An account's AccountRoot.
    fn account(&self, account: AccountId) -> Option<Entry> {
        self.read(&object_id::account_root(account))
    }
}

#[derive(Clone, Debug)]
enum Change {
    Put(Entry),
    Erased,
}

/// Changes over a closed ledger: the open ledger, or the next closed one while it is built.
#[derive(Clone, Debug)]
pub struct OpenView {
    base: Arc<ClosedLedger>,
    info: ViewInfo,
    changes: FxHashMap<Hash256, Change>,
    /// Ids that the base does not have: the sorted half of `changes` that `succ` needs.
    created: BTreeSet<Hash256>,
    transactions: FxHashMap<TxHash, Arc<PreparedTx>>,
    pub(crate) burnt: u64,
}

impl OpenView {
    /// An empty layer over `base`; `close_time` makes it the next closed ledger.
    #[must_use]
    pub fn new(base: Arc<ClosedLedger>, close_time: Option<u32>) -> Self {
        let info = ViewInfo {
            index: base.header.index + 1,
            parent_hash: base.header.hash,
            parent_close_time: base.header.close_time,
            close_time: close_time.unwrap_or(base.header.close_time),
            open: close_time.is_none(),
            fees: base.fees,
        };
        Self {
            base,
            info,
            changes: FxHashMap::default(),
            created: BTreeSet::new(),
            transactions: FxHashMap::default(),
            burnt: 0,
        }
    }

    /// The same ledger as if it were being closed, so that transactions get metadata.
    pub(crate) fn closing(&self) -> Self {
        let mut view = self.clone();
        view.info.open = false;
        view
    }

    /// The ledger below.
    #[must_use]
    pub fn base(&self) -> &Arc<ClosedLedger> {
        &self.base
    }

    pub(crate) fn put(&mut self, key: Hash256, entry: Entry) {
        if !self.changes.contains_key(&key) && self.base.state.get(&key).is_none() {
            self.created.insert(key);
        }
        self.changes.insert(key, Change::Put(entry));
    }

    pub(crate) fn erase(&mut self, key: Hash256) {
        if self.created.remove(&key) {
            self.changes.remove(&key);
        } else {
            self.changes.insert(key, Change::Erased);
        }
    }

    pub(crate) fn add_transaction(&mut self, tx: Arc<PreparedTx>) {
        self.transactions.insert(tx.hash, tx);
    }

    /// Its transactions, in order of their hashes as xrpld keeps them.
    #[must_use]
    pub fn transactions(&self) -> Vec<Arc<PreparedTx>> {
        let mut all: Vec<_> = self.transactions.values().map(Arc::clone).collect();
        all.sort_unstable_by_key(|tx| tx.hash);
        all
    }

    /// How many transactions it has.
    #[must_use]
    pub fn tx_count(&self) -> usize {
        self.transactions.len()
    }

    /// Writes the changes into a state tree.
    pub(crate) fn apply_to(self, state: &mut super::shamap::ShaMap<Entry>) {
        for (key, change) in self.changes {
            match change {
                Change::Put(entry) => state.insert(key, entry),
                Change::Erased => {
                    state.remove(&key);
                }
            }
        }
    }

    /// Every entry in key order after `key`, for look-ups that walk the open ledger.
    pub fn entries_after(&self, key: &Hash256) -> impl Iterator<Item = (Hash256, Entry)> + '_ {
        let mut at = *key;
        std::iter::from_fn(move || {
            at = self.succ(&at)?;
            self.read(&at).map(|entry| (at, entry))
        })
    }
}

impl ReadView for OpenView {
    fn read(&self, key: &Hash256) -> Option<Entry> {
        match self.changes.get(key) {
            Some(Change::Put(entry)) => Some(Arc::clone(entry)),
            Some(Change::Erased) => None,
            None => self.base.read(key),
        }
    }

    fn succ(&self, key: &Hash256) -> Option<Hash256> {
        let mut below = self.base.succ(key);
        while let Some(next) = below {
            if !matches!(self.changes.get(&next), Some(Change::Erased)) {
                break;
            }
            below = self.base.succ(&next);
        }
        let range = (Bound::Excluded(*key), Bound::Unbounded);
        let above = self.created.range(range).next().copied();
        match (below, above) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    fn info(&self) -> &ViewInfo {
        &self.info
    }

    fn has_transaction(&self, hash: &TxHash) -> bool {
        self.transactions.contains_key(hash)
    }
}

/// A view with some entries replaced: what the queue assumes about an account whose earlier
/// transactions are still queued.
pub(crate) struct Assumed<'a> {
    pub(crate) base: &'a dyn ReadView,
    pub(crate) key: Hash256,
    pub(crate) entry: Entry,
}

impl ReadView for Assumed<'_> {
    fn read(&self, key: &Hash256) -> Option<Entry> {
        if *key == self.key { Some(Arc::clone(&self.entry)) } else { self.base.read(key) }
    }

    fn succ(&self, key: &Hash256) -> Option<Hash256> {
        self.base.succ(key)
    }

    fn info(&self) -> &ViewInfo {
        self.base.info()
    }

    fn has_transaction(&self, hash: &TxHash) -> bool {
        self.base.has_transaction(hash)
    }
}

/// Drops of an XRP amount field; 0 when absent.
#[must_use]
pub fn drops(entry: &Object, field: xrpl_protocol::Field) -> i64 {
    match entry.amount(field) {
        Some(Amount::Xrp(drops)) => drops,
        _ => 0,
    }
}
