//! Uncommitted changes over a view, as all sandboxes read and change them.

use std::{ops::Bound, sync::Arc};

use xrpl_protocol::{Hash256, Object};

use super::{
    changes::{Action, StateTable},
    view::{Entry, ReadView},
};

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
}
