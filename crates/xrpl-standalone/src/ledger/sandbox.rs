//! The layer a transaction writes to. It is applied whole or thrown away, and stacks: payment paths
//! try their strands on sandboxes over the transaction's own.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use xrpl_protocol::{Hash256, Object, TxHash};

use super::view::{Entry, OpenView, ReadView, ViewInfo};

/// What happens to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is new.
    Insert,
    /// It may have changed.
    Modify,
    /// It goes. The entry kept is its last version.
    Erase,
}

/// Uncommitted changes over a view.
pub struct Sandbox<'a> {
    pub(crate) base: &'a dyn ReadView,
    pub(crate) items: BTreeMap<Hash256, (Action, Entry)>,
}

impl std::fmt::Debug for Sandbox<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("items", &self.items).finish_non_exhaustive()
    }
}

/// Changes of a sandbox, taken off its view.
#[derive(Debug)]
pub struct Changes(BTreeMap<Hash256, (Action, Entry)>);

impl<'a> Sandbox<'a> {
    /// Nothing changed yet.
    #[must_use]
    pub fn new(base: &'a dyn ReadView) -> Self {
        Self { base, items: BTreeMap::new() }
    }

    /// The entry, to be changed. It counts as modified (metadata still leaves it out if in the end
    /// it is what it was).
    pub fn get_mut(&mut self, key: &Hash256) -> Option<&mut Object> {
        if !self.items.contains_key(key) {
            let entry = self.base.read(key)?;
            self.items.insert(*key, (Action::Modify, entry));
        }
        match self.items.get_mut(key) {
            Some((Action::Insert | Action::Modify, entry)) => Some(Arc::make_mut(entry)),
            _ => None,
        }
    }

    /// Adds a new entry.
    pub fn insert(&mut self, key: Hash256, entry: Object) {
        let action = match self.items.get(&key) {
            Some((Action::Erase | Action::Modify, _)) => Action::Modify,
            _ => Action::Insert,
        };
        self.items.insert(key, (action, Arc::new(entry)));
    }

    /// Takes an entry out; false if there is none.
    pub fn erase(&mut self, key: &Hash256) -> bool {
        match self.items.get_mut(key) {
            Some((Action::Erase, _)) => false,
            Some((Action::Insert, _)) => self.items.remove(key).is_some(),
            Some((action, _)) => {
                *action = Action::Erase;
                true
            }
            None => match self.base.read(key) {
                None => false,
                Some(entry) => {
                    self.items.insert(*key, (Action::Erase, entry));
                    true
                }
            },
        }
    }

    /// Forgets every change.
    pub fn discard(&mut self) {
        self.items.clear();
    }

    /// The changes, to be merged into the sandbox below.
    #[must_use]
    pub fn into_changes(self) -> Changes {
        Changes(self.items)
    }

    /// Takes the changes of a sandbox that stood on this one.
    pub fn merge(&mut self, changes: Changes) {
        for (key, (action, entry)) in changes.0 {
            let merged = match (self.items.get(&key).map(|(action, _)| *action), action) {
                (Some(Action::Insert), Action::Erase) => {
                    self.items.remove(&key);
                    continue;
                }
                (Some(Action::Insert), _) => Action::Insert,
                (Some(Action::Erase), Action::Insert) => Action::Modify,
                (_, action) => action,
            };
            self.items.insert(key, (merged, entry));
        }
    }

    /// How many entries are created, changed or removed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing was touched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Touched entries with what happens to them and what they were.
    pub fn visit(&self) -> impl Iterator<Item = (&Hash256, Action, Option<Entry>, &Entry)> {
        self.items.iter().map(|(key, (action, entry))| {
            let before = if *action == Action::Insert { None } else { self.base.read(key) };
            (key, *action, before, entry)
        })
    }

    /// The changes as plain writes, for the view below.
    pub(crate) fn into_writes(self) -> impl Iterator<Item = (Hash256, Option<Entry>)> {
        self.items
            .into_iter()
            .map(|(key, (action, entry))| (key, (action != Action::Erase).then_some(entry)))
    }
}

impl OpenView {
    pub(crate) fn write(&mut self, writes: impl IntoIterator<Item = (Hash256, Option<Entry>)>) {
        for (key, entry) in writes {
            match entry {
                Some(entry) => self.put(key, entry),
                None => self.erase(key),
            }
        }
    }
}

impl ReadView for Sandbox<'_> {
    fn read(&self, key: &Hash256) -> Option<Entry> {
        match self.items.get(key) {
            Some((Action::Erase, _)) => None,
            Some((_, entry)) => Some(Arc::clone(entry)),
            None => self.base.read(key),
        }
    }

    fn succ(&self, key: &Hash256) -> Option<Hash256> {
        let mut below = self.base.succ(key);
        while let Some(next) = below {
            if !matches!(self.items.get(&next), Some((Action::Erase, _))) {
                break;
            }
            below = self.base.succ(&next);
        }
        let range = (Bound::Excluded(*key), Bound::Unbounded);
        let mut above = self.items.range(range).filter(|(_, (action, _))| *action != Action::Erase);
        match (below, above.next().map(|(key, _)| *key)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    fn info(&self) -> &ViewInfo {
        self.base.info()
    }

    fn has_transaction(&self, hash: &TxHash) -> bool {
        self.base.has_transaction(hash)
    }
}
