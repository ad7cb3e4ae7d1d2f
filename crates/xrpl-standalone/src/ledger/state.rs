//! The entries of a ledger: a tree of all of them, or what changed since another network's ledger.
//!
//! A fork goes on from a ledger of which only a part is known. What changed since is in the tree;
//! everything else is asked of its [`Origin`].

use std::sync::Arc;

use xrpl_protocol::{Hash256, hash::sha512_half};

use super::{
    origin::Origin,
    shamap::{SetMember, ShaMap},
    view::Entry,
};

/// What begins the hash of a fork's state, so that it is no tree's.
const FORK_PREFIX: &[u8; 4] = b"FRK\0";

#[derive(Clone, Debug)]
struct Fork {
    origin: Arc<Origin>,
    /// Entries of the origin that are gone.
    erased: ShaMap<SetMember>,
}

/// The entries of a ledger by id. A clone shares everything with its origin.
#[derive(Clone, Debug, Default)]
pub struct State {
    tree: ShaMap<Entry>,
    fork: Option<Fork>,
}

impl From<ShaMap<Entry>> for State {
    fn from(tree: ShaMap<Entry>) -> Self {
        Self { tree, fork: None }
    }
}

impl State {
    /// The state of a ledger that is known by asking.
    #[must_use]
    pub fn of_origin(origin: Arc<Origin>) -> Self {
        Self { tree: ShaMap::default(), fork: Some(Fork { origin, erased: ShaMap::default() }) }
    }

    /// Where what is not in the tree comes from, if this is a fork.
    #[must_use]
    pub fn origin(&self) -> Option<&Arc<Origin>> {
        self.fork.as_ref().map(|fork| &fork.origin)
    }

    /// The entry of an id. In a fork none may mean that it is not known yet: then it is noted as
    /// wanted, see [`super::origin::watch`].
    #[must_use]
    pub fn get(&self, key: &Hash256) -> Option<Entry> {
        match (self.tree.get(key), &self.fork) {
            (Some(entry), _) => Some(Arc::clone(entry)),
            (None, Some(fork)) if fork.erased.get(key).is_none() => fork.origin.get(key),
            _ => None,
        }
    }

    /// Sets an entry.
    pub fn insert(&mut self, key: Hash256, entry: Entry) {
        if let Some(fork) = &mut self.fork {
            fork.erased.remove(&key);
        }
        self.tree.insert(key, entry);
    }

    /// Takes an entry out; false if there was none. A fork, which may not know, says true.
    pub fn remove(&mut self, key: &Hash256) -> bool {
        let was_there = self.tree.remove(key);
        match &mut self.fork {
            None => was_there,
            Some(fork) => {
                fork.erased.insert(*key, SetMember);
                true
            }
        }
    }

    /// The first id after `key`. In a fork see [`Self::get`].
    #[must_use]
    pub fn succ(&self, key: &Hash256) -> Option<Hash256> {
        let own = self.tree.succ(key);
        let Some(fork) = &self.fork else { return own };
        let mut theirs = fork.origin.succ(key);
        while let Some(next) = theirs.filter(|next| fork.erased.get(next).is_some()) {
            theirs = fork.origin.succ(&next);
        }
        match (own, theirs) {
            (Some(own), Some(theirs)) => Some(own.min(theirs)),
            (own, theirs) => own.or(theirs),
        }
    }

    /// The tree of what is here: every entry, or in a fork those that changed.
    #[must_use]
    pub fn tree(&self) -> &ShaMap<Entry> {
        &self.tree
    }

    /// The entries that are here, in order of their ids: see [`Self::tree`].
    pub fn iter(&self) -> impl Iterator<Item = (&Hash256, &Entry)> {
        self.tree.iter()
    }

    /// `account_hash`. Of a fork the tree's hash cannot be known: it is one over the origin's and what
    /// changed since, the same for the same changes, and none that the network would give.
    #[must_use]
    pub fn hash(&self) -> Hash256 {
        let Some(fork) = &self.fork else { return self.tree.hash() };
        let origin = fork.origin.header().account_hash;
        if self.tree.is_empty() && fork.erased.is_empty() {
            return origin;
        }
        sha512_half(&[FORK_PREFIX, &origin.0, &self.tree.hash().0, &fork.erased.hash().0])
    }
}
