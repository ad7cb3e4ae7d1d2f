//! The open ledger, or the next closed one while it is built. Stacked on another one: a batch, a
//! group of queued transactions, a simulation, which are applied whole or dropped.

use std::{collections::BTreeSet, ops::Bound, sync::Arc};

use rustc_hash::FxHashMap;
use xrpl_protocol::{EngineResult, Hash256, Object, TxHash, object_id};

use super::{
    close_time::CLOSE_TIME_RESOLUTION,
    closed::ClosedLedger,
    negative_unl,
    prepared::PreparedTx,
    skip_list::is_flag_ledger,
    state::State,
    view::{Entry, ReadView, ViewInfo},
};

#[derive(Clone, Debug)]
enum Change {
    Put(Entry),
    Erased,
}

#[derive(Clone, Debug)]
enum Base<'a> {
    Closed(Arc<ClosedLedger>),
    Open(&'a OpenView<'a>),
}

impl Base<'_> {
    fn view(&self) -> &dyn ReadView {
        match self {
            Self::Closed(ledger) => &**ledger,
            Self::Open(view) => *view,
        }
    }
}

/// A transaction that a view has.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    pub(crate) tx: Arc<PreparedTx>,
    pub(crate) result: EngineResult,
    /// None in an open ledger.
    pub(crate) metadata: Option<Object>,
}

/// What a stacked view holds, taken off the one below.
#[derive(Debug)]
pub(crate) struct OpenChanges {
    changes: FxHashMap<Hash256, Change>,
    applied: Vec<Applied>,
    burnt: u64,
}

/// Changes over a closed ledger or over another open view.
#[derive(Clone, Debug)]
pub struct OpenView<'a> {
    base: Base<'a>,
    info: ViewInfo,
    changes: FxHashMap<Hash256, Change>,
    /// Ids that the base does not have: the sorted half of `changes` that `succ` needs.
    created: BTreeSet<Hash256>,
    /// In the order in which they were applied.
    applied: Vec<Applied>,
    hashes: FxHashMap<TxHash, usize>,
    /// Transactions of the views below.
    below: usize,
    burnt: u64,
}

impl OpenView<'static> {
    /// An empty layer over `base`: the open ledger, or one that is being closed.
    #[must_use]
    pub fn new(base: Arc<ClosedLedger>, closing: bool) -> Self {
        match closing {
            true => Self::closing(base, CLOSE_TIME_RESOLUTION, 0),
            false => Self::after(base, 0, false, 0),
        }
    }

    /// An empty layer for a ledger that is being built, whose close time is rounded to `resolution`
    /// seconds, with as many transactions before those of this layer as `below`.
    pub(crate) fn closing(base: Arc<ClosedLedger>, resolution: u8, below: usize) -> Self {
        // While its transactions are applied, xrpld does not know the close time yet: it takes the
        // parent's and one step of the resolution.
        let step = if base.header.close_time == 0 { 0 } else { u32::from(resolution) };
        let mut view = Self::after(base, step, true, below);
        view.change_negative_unl();
        view
    }

    /// What validators voted on about the negative UNL takes effect with a flag ledger.
    fn change_negative_unl(&mut self) {
        let (index, key) = (self.info.index, object_id::negative_unl());
        let before = is_flag_ledger(index).then(|| self.read(&key)).flatten();
        match before.and_then(|before| negative_unl::in_flag_ledger(&before, index)) {
            Some(list) if list.is_empty() => self.erase(key),
            Some(list) => self.put(key, Arc::new(list)),
            None => {}
        }
    }

    fn after(base: Arc<ClosedLedger>, step: u32, closing: bool, below: usize) -> Self {
        let last = base.header.close_time;
        let info = ViewInfo {
            index: base.header.index + 1,
            parent_hash: base.header.hash,
            parent_close_time: base.header.close_time,
            close_time: last.saturating_add(step),
            open: !closing,
            fees: base.fees,
            rules: Arc::clone(&base.info.rules),
            arithmetic: Arc::clone(&base.info.rules),
        };
        Self::over(Base::Closed(base), info, below)
    }
}

impl<'a> OpenView<'a> {
    fn over(base: Base<'a>, info: ViewInfo, below: usize) -> Self {
        Self {
            base,
            info,
            changes: FxHashMap::default(),
            created: BTreeSet::new(),
            applied: Vec::new(),
            hashes: FxHashMap::default(),
            below,
            burnt: 0,
        }
    }

    /// An empty layer over another open view. It costs little, however much that one holds.
    #[must_use]
    pub fn on(base: &'a Self) -> Self {
        Self::over(Base::Open(base), base.info.clone(), base.tx_count())
    }

    /// The closed ledger at the bottom.
    #[must_use]
    pub fn base(&self) -> &Arc<ClosedLedger> {
        match &self.base {
            Base::Closed(ledger) => ledger,
            Base::Open(view) => view.base(),
        }
    }

    pub(crate) fn put(&mut self, key: Hash256, entry: Entry) {
        if !self.changes.contains_key(&key) && !self.base.view().exists(&key) {
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

    /// Notes a transaction whose changes were written, and the XRP that it burnt.
    pub(crate) fn add(&mut self, applied: Applied, burnt: u64) {
        self.hashes.insert(applied.tx.hash, self.applied.len());
        self.applied.push(applied);
        self.burnt += burnt;
    }

    /// Everything in this layer, for the view below.
    pub(crate) fn into_changes(self) -> OpenChanges {
        OpenChanges { changes: self.changes, applied: self.applied, burnt: self.burnt }
    }

    /// Takes what a view that stood on this one holds.
    pub(crate) fn absorb(&mut self, above: OpenChanges) {
        for (key, change) in above.changes {
            match change {
                Change::Put(entry) => self.put(key, entry),
                Change::Erased => self.erase(key),
            }
        }
        for applied in above.applied {
            self.add(applied, 0);
        }
        self.burnt += above.burnt;
    }

    /// Its transactions, in order of their hashes as xrpld keeps them.
    #[must_use]
    pub fn transactions(&self) -> Vec<Arc<PreparedTx>> {
        let mut all: Vec<_> = self.applied.iter().map(|applied| Arc::clone(&applied.tx)).collect();
        all.sort_unstable_by_key(|tx| tx.hash);
        all
    }

    /// What was applied in this layer, in order.
    pub(crate) fn applied(&self) -> &[Applied] {
        &self.applied
    }

    /// Ids of the entries that this layer changes.
    pub(crate) fn changed(&self) -> impl Iterator<Item = &Hash256> {
        self.changes.keys()
    }

    /// How many transactions it has, with those of the views below.
    #[must_use]
    pub fn tx_count(&self) -> usize {
        self.below + self.applied.len()
    }

    /// Writes the changes into a state tree; hands out the transactions in their order and the XRP
    /// that they burnt.
    pub(crate) fn apply_to(self, state: &mut State) -> (Vec<Applied>, u64) {
        for (key, change) in self.changes {
            match change {
                Change::Put(entry) => state.insert(key, entry),
                Change::Erased => {
                    state.remove(&key);
                }
            }
        }
        (self.applied, self.burnt)
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

impl ReadView for OpenView<'_> {
    fn read(&self, key: &Hash256) -> Option<Entry> {
        match self.changes.get(key) {
            Some(Change::Put(entry)) => Some(Arc::clone(entry)),
            Some(Change::Erased) => None,
            None => self.base.view().read(key),
        }
    }

    fn succ(&self, key: &Hash256) -> Option<Hash256> {
        let base = self.base.view();
        let mut below = base.succ(key);
        while let Some(next) = below {
            if !matches!(self.changes.get(&next), Some(Change::Erased)) {
                break;
            }
            below = base.succ(&next);
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

    /// Looks into this layer only: xrpld does not ask the views below.
    fn has_transaction(&self, hash: &TxHash) -> bool {
        self.hashes.contains_key(hash)
    }
}
