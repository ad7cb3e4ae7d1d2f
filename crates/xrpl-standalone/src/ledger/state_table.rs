//! Uncommitted changes: the part that all sandboxes share.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use xrpl_protocol::{Hash256, Object};

use super::{
    deferred_credits::DeferredCredits,
    view::{Entry, ReadView},
};

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

/// Touched entries by id. Empty ones cost nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct StateTable {
    pub(crate) items: BTreeMap<Hash256, (Action, Entry)>,
}

/// Changes of a sandbox, taken off its view to be merged into the one below.
#[derive(Debug)]
pub struct Changes {
    pub(super) table: StateTable,
    pub(super) credits: DeferredCredits,
}

impl StateTable {
    pub(super) fn read(&self, base: &dyn ReadView, key: &Hash256) -> Option<Entry> {
        match self.items.get(key) {
            Some((Action::Erase, _)) => None,
            Some((_, entry)) => Some(Arc::clone(entry)),
            None => base.read(key),
        }
    }

    pub(super) fn succ(&self, base: &dyn ReadView, key: &Hash256) -> Option<Hash256> {
        let mut below = base.succ(key);
        while let Some(next) = below {
            if !matches!(self.items.get(&next), Some((Action::Erase, _))) {
                break;
            }
            below = base.succ(&next);
        }
        let range = (Bound::Excluded(*key), Bound::Unbounded);
        let mut above = self.items.range(range).filter(|(_, (action, _))| *action != Action::Erase);
        match (below, above.next().map(|(key, _)| *key)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    pub(super) fn get_mut(&mut self, base: &dyn ReadView, key: &Hash256) -> Option<&mut Object> {
        if !self.items.contains_key(key) {
            let entry = base.read(key)?;
            self.items.insert(*key, (Action::Modify, entry));
        }
        match self.items.get_mut(key) {
            Some((Action::Insert | Action::Modify, entry)) => Some(Arc::make_mut(entry)),
            _ => None,
        }
    }

    pub(super) fn insert(&mut self, key: Hash256, entry: Object) {
        let action = match self.items.get(&key) {
            Some((Action::Erase | Action::Modify, _)) => Action::Modify,
            _ => Action::Insert,
        };
        self.items.insert(key, (action, Arc::new(entry)));
    }

    pub(super) fn erase(&mut self, base: &dyn ReadView, key: &Hash256) -> bool {
        match self.items.get_mut(key) {
            Some((Action::Erase, _)) => false,
            Some((Action::Insert, _)) => self.items.remove(key).is_some(),
            Some((action, _)) => {
                *action = Action::Erase;
                true
            }
            None => match base.read(key) {
                None => false,
                Some(entry) => {
                    self.items.insert(*key, (Action::Erase, entry));
                    true
                }
            },
        }
    }

    pub(super) fn merge(&mut self, above: Self) {
        if self.items.is_empty() {
            *self = above;
            return;
        }
        for (key, (action, entry)) in above.items {
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
}
