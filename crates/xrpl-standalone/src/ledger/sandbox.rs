//! The layer a transaction writes to. It is applied whole or thrown away, and stacks to any depth.

use xrpl_protocol::{Hash256, Object, TxHash};

pub use super::changes::{Action, Changes};
use super::{
    changes::StateTable,
    deferred_credits::DeferredCredits,
    open_view::OpenView,
    view::{ApplyView, Entry, ReadView, ViewInfo},
};

/// Uncommitted changes over a view.
pub struct Sandbox<'a> {
    pub(crate) base: &'a dyn ReadView,
    pub(crate) table: StateTable,
}

impl std::fmt::Debug for Sandbox<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("table", &self.table).finish_non_exhaustive()
    }
}

impl<'a> Sandbox<'a> {
    /// Nothing changed yet.
    #[must_use]
    pub fn new(base: &'a dyn ReadView) -> Self {
        Self { base, table: StateTable::default() }
    }

    /// The view below.
    #[must_use]
    pub fn base(&self) -> &'a dyn ReadView {
        self.base
    }

    /// Forgets every change.
    pub fn discard(&mut self) {
        self.table.items.clear();
    }

    /// The changes, to be merged into the view below.
    #[must_use]
    pub fn into_changes(self) -> Changes {
        Changes { table: self.table, credits: DeferredCredits::default() }
    }

    /// How many entries are created, changed or removed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.items.len()
    }

    /// Whether nothing was touched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.items.is_empty()
    }

    /// Touched entries with what happens to them and what they were, in order of their ids.
    pub fn visit(&self) -> impl Iterator<Item = (&Hash256, Action, Option<Entry>, &Entry)> {
        self.table.items.iter().map(|(key, (action, entry))| {
            let before = if *action == Action::Insert { None } else { self.base.read(key) };
            (key, *action, before, entry)
        })
    }

    /// The changes as plain writes, for the view below.
    pub(crate) fn into_writes(self) -> impl Iterator<Item = (Hash256, Option<Entry>)> {
        self.table
            .items
            .into_iter()
            .map(|(key, (action, entry))| (key, (action != Action::Erase).then_some(entry)))
    }
}

impl OpenView<'_> {
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
        self.table.read(self.base, key)
    }

    fn succ(&self, key: &Hash256) -> Option<Hash256> {
        self.table.succ(self.base, key)
    }

    fn info(&self) -> &ViewInfo {
        self.base.info()
    }

    fn has_transaction(&self, hash: &TxHash) -> bool {
        self.base.has_transaction(hash)
    }
}

impl ApplyView for Sandbox<'_> {
    fn get_mut(&mut self, key: &Hash256) -> Option<&mut Object> {
        self.table.get_mut(self.base, key)
    }

    fn insert(&mut self, key: Hash256, entry: Object) {
        self.table.insert(key, entry);
    }

    fn erase(&mut self, key: &Hash256) -> bool {
        self.table.erase(self.base, key)
    }

    fn merge(&mut self, changes: Changes) {
        self.table.merge(changes.table);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use xrpl_protocol::fields;

    use super::*;
    use crate::ledger::{OpenView, entry_type, genesis};

    fn key(n: u8) -> Hash256 {
        Hash256([n; 32])
    }

    fn entry(n: u32) -> Object {
        entry_type::new(entry_type::TICKET).with(fields::TICKET_SEQUENCE, n)
    }

    fn number(view: &dyn ReadView, at: u8) -> Option<u32> {
        view.read(&key(at)).and_then(|entry| entry.u32(fields::TICKET_SEQUENCE))
    }

    /// Views stacked four deep see the top change; dropping or merging a layer changes the next
    /// below only.
    #[test]
    fn layers_stack() {
        let (_, closed) = genesis::ledgers(&[], Default::default(), 10);
        let mut open = OpenView::new(Arc::new(closed), false);
        open.put(key(1), Arc::new(entry(1)));
        let mut upper = OpenView::on(&open);
        upper.put(key(2), Arc::new(entry(2)));
        upper.erase(key(1));
        assert_eq!((number(&open, 1), number(&open, 2)), (Some(1), None));
        let mut first = Sandbox::new(&upper);
        first.insert(key(3), entry(3));
        let mut second = Sandbox::new(&first);
        second.get_mut(&key(2)).unwrap().set(fields::TICKET_SEQUENCE, 22u32.into());
        assert!(second.erase(&key(3)));
        assert!(!second.erase(&key(3)));
        second.insert(key(4), entry(4));
        assert_eq!((number(&second, 2), number(&first, 2)), (Some(22), Some(2)));
        assert_eq!((second.succ(&key(2)), first.succ(&key(2))), (Some(key(4)), Some(key(3))));
        let changes = second.into_changes();
        first.merge(changes);
        assert_eq!(
            (number(&first, 2), number(&first, 3), number(&first, 4)),
            (Some(22), None, Some(4))
        );
        // What was inserted and erased above leaves no trace.
        assert!(first.visit().all(|(at, ..)| *at != key(3)));
        let writes: Vec<_> = first.into_writes().collect();
        upper.write(writes);
        let changes = upper.into_changes();
        open.absorb(changes);
        assert_eq!(
            (number(&open, 1), number(&open, 2), number(&open, 4)),
            (None, Some(22), Some(4))
        );
    }
}
