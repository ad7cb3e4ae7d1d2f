//! Uncommitted changes: what all sandboxes keep, and hand to the view below.

use std::{collections::BTreeMap, sync::Arc};

use xrpl_protocol::{Hash256, Object};

use super::deferred_credits::DeferredCredits;

/// A ledger entry. Shared by every ledger in which it is the same.
pub type Entry = Arc<Object>;

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
    pub(super) fn insert(&mut self, key: Hash256, entry: Object) {
        let action = match self.items.get(&key) {
            Some((Action::Erase | Action::Modify, _)) => Action::Modify,
            _ => Action::Insert,
        };
        self.items.insert(key, (action, Arc::new(entry)));
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
