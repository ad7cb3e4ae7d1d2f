//! SHAMap: the 16-ary hash tree of ledger entries and of transactions
//! (<https://xrpl.org/docs/concepts/ledgers/ledger-structure>).
//!
//! It is persistent: a clone shares every node with its origin and costs one reference count, so
//! each closed ledger keeps its own. Hashes are computed when asked for and kept per node, so a
//! ledger close hashes only the branches it changed.

use std::sync::{Arc, OnceLock};

use xrpl_protocol::{
    Hash256,
    hash::{prefix, sha512_half},
};

/// What a leaf holds: anything that says its leaf hash.
pub trait LeafItem: Clone {
    /// Hash of the leaf node of this item under `key`.
    fn leaf_hash(&self, key: &Hash256) -> Hash256;
}

#[derive(Debug)]
struct Leaf<T> {
    key: Hash256,
    item: T,
    hash: OnceLock<Hash256>,
}

#[derive(Debug)]
enum Child<T> {
    Leaf(Arc<Leaf<T>>),
    Inner(Arc<Inner<T>>),
}

impl<T> Clone for Child<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Leaf(leaf) => Self::Leaf(Arc::clone(leaf)),
            Self::Inner(inner) => Self::Inner(Arc::clone(inner)),
        }
    }
}

#[derive(Debug)]
struct Inner<T> {
    children: [Option<Child<T>>; 16],
    hash: OnceLock<Hash256>,
}

impl<T> Inner<T> {
    fn empty() -> Self {
        Self { children: [const { None }; 16], hash: OnceLock::new() }
    }
}

impl<T> Clone for Inner<T> {
    /// A copy about to be changed: without the hash.
    fn clone(&self) -> Self {
        Self { children: self.children.clone(), hash: OnceLock::new() }
    }
}

/// A persistent map from 256-bit keys to items, with a hash over all of it.
#[derive(Debug)]
pub struct ShaMap<T> {
    root: Arc<Inner<T>>,
    len: usize,
}

impl<T> Clone for ShaMap<T> {
    fn clone(&self) -> Self {
        Self { root: Arc::clone(&self.root), len: self.len }
    }
}

impl<T> Default for ShaMap<T> {
    fn default() -> Self {
        Self { root: Arc::new(Inner::empty()), len: 0 }
    }
}

fn nibble(key: &Hash256, depth: usize) -> usize {
    let byte = key.0[depth / 2];
    usize::from(if depth.is_multiple_of(2) { byte >> 4 } else { byte & 15 })
}

impl<T: LeafItem> ShaMap<T> {
    /// How many items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The item of a key.
    #[must_use]
    pub fn get(&self, key: &Hash256) -> Option<&T> {
        let mut inner = &*self.root;
        for depth in 0..64 {
            match inner.children[nibble(key, depth)].as_ref()? {
                Child::Leaf(leaf) => return (leaf.key == *key).then_some(&leaf.item),
                Child::Inner(next) => inner = next,
            }
        }
        None
    }

    /// Sets the item of a key.
    pub fn insert(&mut self, key: Hash256, item: T) {
        let leaf = Arc::new(Leaf { key, item, hash: OnceLock::new() });
        if Self::insert_at(&mut self.root, 0, leaf) {
            self.len += 1;
        }
    }

    /// True if the key is new.
    fn insert_at(node: &mut Arc<Inner<T>>, depth: usize, leaf: Arc<Leaf<T>>) -> bool {
        let inner = Self::own(node);
        let slot = &mut inner.children[nibble(&leaf.key, depth)];
        match slot {
            None => {
                *slot = Some(Child::Leaf(leaf));
                true
            }
            Some(Child::Inner(next)) => Self::insert_at(next, depth + 1, leaf),
            Some(Child::Leaf(old)) if old.key == leaf.key => {
                *old = leaf;
                false
            }
            Some(Child::Leaf(old)) => {
                let mut split = Inner::empty();
                split.children[nibble(&old.key, depth + 1)] = Some(Child::Leaf(Arc::clone(old)));
                let mut split = Arc::new(split);
                let new = Self::insert_at(&mut split, depth + 1, leaf);
                *slot = Some(Child::Inner(split));
                new
            }
        }
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &Hash256) -> bool {
        if self.get(key).is_none() {
            return false;
        }
        Self::remove_at(&mut self.root, 0, key);
        self.len -= 1;
        true
    }

    /// Removes a key that is there; returns the only leaf left below, which then moves up.
    fn remove_at(node: &mut Arc<Inner<T>>, depth: usize, key: &Hash256) -> Option<Arc<Leaf<T>>> {
        let inner = Self::own(node);
        let slot = &mut inner.children[nibble(key, depth)];
        match slot {
            Some(Child::Inner(next)) => {
                if let Some(last) = Self::remove_at(next, depth + 1, key) {
                    *slot = Some(Child::Leaf(last));
                }
            }
            _ => *slot = None,
        }
        let mut left = inner.children.iter().flatten();
        match (left.next(), left.next()) {
            (Some(Child::Leaf(only)), None) if depth > 0 => Some(Arc::clone(only)),
            _ => None,
        }
    }

    fn own(node: &mut Arc<Inner<T>>) -> &mut Inner<T> {
        let inner = Arc::make_mut(node);
        inner.hash.take();
        inner
    }

    /// Hash of the whole map; zero when empty.
    #[must_use]
    pub fn hash(&self) -> Hash256 {
        if self.len == 0 { Hash256::ZERO } else { Self::inner_hash(&self.root) }
    }

    fn inner_hash(inner: &Inner<T>) -> Hash256 {
        *inner.hash.get_or_init(|| {
            let mut body = [0; 16 * 32];
            for (child, out) in inner.children.iter().zip(body.chunks_exact_mut(32)) {
                let hash = match child {
                    None => continue,
                    Some(Child::Inner(next)) => Self::inner_hash(next),
                    Some(Child::Leaf(leaf)) => {
                        *leaf.hash.get_or_init(|| leaf.item.leaf_hash(&leaf.key))
                    }
                };
                out.copy_from_slice(&hash.0);
            }
            sha512_half(&[&prefix::INNER_NODE, &body])
        })
    }

    /// What a later map has otherwise than this one: each key with its new item, or none where it is
    /// gone. What both share is passed over, so that it costs as much as what changed.
    #[must_use]
    pub fn changes_to<'a>(&self, later: &'a Self) -> Vec<(Hash256, Option<&'a T>)> {
        let mut changes = Vec::new();
        if !Arc::ptr_eq(&self.root, &later.root) {
            for (before, after) in self.root.children.iter().zip(&later.root.children) {
                Self::compare(before.as_ref(), after.as_ref(), &mut changes);
            }
        }
        changes
    }

    fn compare<'a>(
        before: Option<&Child<T>>,
        after: Option<&'a Child<T>>,
        changes: &mut Vec<(Hash256, Option<&'a T>)>,
    ) {
        match (before, after) {
            (None, None) => {}
            (Some(Child::Inner(before)), Some(Child::Inner(after))) => {
                if !Arc::ptr_eq(before, after) {
                    for (before, after) in before.children.iter().zip(&after.children) {
                        Self::compare(before.as_ref(), after.as_ref(), changes);
                    }
                }
            }
            // Of different depth, or only one there: few leaves, most often one.
            (before, after) => {
                let (mut old, mut new) = (Vec::new(), Vec::new());
                before.into_iter().for_each(|child| Self::leaves(child, &mut old));
                after.into_iter().for_each(|child| Self::leaves(child, &mut new));
                for leaf in &new {
                    if !old.iter().any(|other| Arc::ptr_eq(other, leaf)) {
                        changes.push((leaf.key, Some(&leaf.item)));
                    }
                }
                let gone = old.iter().filter(|leaf| !new.iter().any(|other| other.key == leaf.key));
                changes.extend(gone.map(|leaf| (leaf.key, None)));
            }
        }
    }

    fn leaves<'a>(child: &'a Child<T>, out: &mut Vec<&'a Arc<Leaf<T>>>) {
        match child {
            Child::Leaf(leaf) => out.push(leaf),
            Child::Inner(inner) => {
                inner.children.iter().flatten().for_each(|child| Self::leaves(child, out));
            }
        }
    }

    /// Items in key order.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { stack: vec![(&self.root, 0)] }
    }

    /// Items in key order whose key is greater than `key`.
    pub fn iter_after(&self, key: &Hash256) -> Iter<'_, T> {
        let mut stack = Vec::with_capacity(8);
        let mut inner = &self.root;
        for depth in 0..64 {
            let at = nibble(key, depth);
            match &inner.children[at] {
                Some(Child::Inner(next)) => {
                    stack.push((inner, at + 1));
                    inner = next;
                }
                Some(Child::Leaf(leaf)) if leaf.key > *key => {
                    stack.push((inner, at));
                    break;
                }
                _ => {
                    stack.push((inner, at + 1));
                    break;
                }
            }
        }
        Iter { stack }
    }

    /// The first key after `key`.
    #[must_use]
    pub fn succ(&self, key: &Hash256) -> Option<Hash256> {
        self.iter_after(key).next().map(|(key, _)| *key)
    }
}

/// Items of a [`ShaMap`] in key order.
#[derive(Debug)]
pub struct Iter<'a, T> {
    stack: Vec<(&'a Arc<Inner<T>>, usize)>,
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = (&'a Hash256, &'a T);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (inner, at) = self.stack.last_mut()?;
            let Some(child) = inner.children.get(*at) else {
                self.stack.pop();
                continue;
            };
            *at += 1;
            match child {
                None => {}
                Some(Child::Leaf(leaf)) => return Some((&leaf.key, &leaf.item)),
                Some(Child::Inner(next)) => self.stack.push((next, 0)),
            }
        }
    }
}

/// A leaf of a transaction set before it is applied: its hash is its key.
#[derive(Clone, Copy, Debug)]
pub struct SetMember;

impl LeafItem for SetMember {
    fn leaf_hash(&self, key: &Hash256) -> Hash256 {
        *key
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use xrpl_protocol::transaction_tree;

    use super::*;

    fn key(seed: u16) -> Hash256 {
        // Few distinct first bytes, so that deep paths and collapses occur.
        let mut key = sha512_half(&[&seed.to_be_bytes()]);
        key.0[0] = (seed % 3) as u8;
        key.0[1] = (seed % 5) as u8;
        key
    }

    proptest! {
        #[test]
        fn same_as_a_sorted_map(changes in prop::collection::vec((0u16..60, any::<bool>()), 0..150)) {
            let mut map = ShaMap::default();
            let mut model = BTreeMap::new();
            let mut past = vec![ShaMap::default()];
            for (seed, insert) in changes {
                let before = map.clone();
                past.push(map.clone());
                let hash_before = before.hash();
                if insert {
                    map.insert(key(seed), SetMember);
                    model.insert(key(seed), ());
                } else {
                    prop_assert_eq!(map.remove(&key(seed)), model.remove(&key(seed)).is_some());
                }
                prop_assert_eq!(before.hash(), hash_before);
                prop_assert_eq!(map.len(), model.len());
            }
            let keys: Vec<_> = map.iter().map(|(key, _)| *key).collect();
            prop_assert!(keys.iter().eq(model.keys()));
            for seed in 0..60 {
                let at = key(seed);
                prop_assert_eq!(map.get(&at).is_some(), model.contains_key(&at));
                let next = model.range(at..).find(|(k, ())| **k != at).map(|(k, ())| *k);
                prop_assert_eq!(map.succ(&at), next);
            }
            // Its changes make each earlier map this one.
            for before in &past {
                let mut again: ShaMap<SetMember> = before.clone();
                for (key, item) in before.changes_to(&map) {
                    match item {
                        Some(item) => again.insert(key, *item),
                        None => prop_assert!(again.remove(&key)),
                    }
                }
                prop_assert_eq!((again.hash(), again.len()), (map.hash(), map.len()));
            }
            // The hash depends on the content, not on the history.
            let mut fresh = ShaMap::default();
            model.keys().rev().for_each(|key| fresh.insert(*key, SetMember));
            prop_assert_eq!(fresh.hash(), map.hash());
            // What has the leaves only computes the same.
            let leaves = model.keys().map(|key| ((*key).into(), *key));
            prop_assert_eq!(transaction_tree::root(leaves), map.hash());
        }
    }

    #[test]
    fn empty_is_zero() {
        let mut map = ShaMap::default();
        assert_eq!(map.hash(), Hash256::ZERO);
        map.insert(key(1), SetMember);
        assert_ne!(map.hash(), Hash256::ZERO);
        map.remove(&key(1));
        assert_eq!((map.hash(), map.is_empty()), (Hash256::ZERO, true));
    }
}
