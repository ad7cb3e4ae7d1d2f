//! The ledger of another network from which a fork goes on: what is known of it, and what is wanted.
//!
//! Nothing here asks anybody. Whoever reads what is not known yet gets none, and the want is noted;
//! what was computed with it is worth nothing, and is done again once the answer is learnt. So
//! everything below the server stays without waiting and without input and output.

use std::{cell::RefCell, collections::BTreeMap, ops::Bound};

use parking_lot::RwLock;
use xrpl_protocol::{Hash256, LedgerHeader};

use super::view::Entry;

/// What somebody wanted to know of an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Want {
    /// The entry of an id.
    Entry(Hash256),
    /// The entries that come after an id.
    After(Hash256),
}

thread_local! {
    static WANTS: RefCell<Vec<Want>> = const { RefCell::new(Vec::new()) };
}

fn want(want: Want) {
    WANTS.with_borrow_mut(|wants| {
        if !wants.contains(&want) {
            wants.push(want);
        }
    });
}

/// Does something, and tells what it wanted to know and did not get. Where that is anything, what it
/// did is not to be trusted.
pub fn watch<T>(work: impl FnOnce() -> T) -> (T, Vec<Want>) {
    WANTS.take();
    let done = work();
    (done, WANTS.take())
}

/// A stretch of ids of which all entries are known: those after its beginning, up to its end.
#[derive(Debug, Default)]
struct Known {
    /// None: there is no entry of that id.
    entries: BTreeMap<Hash256, Option<Entry>>,
    /// End of each stretch by its beginning.
    stretches: BTreeMap<Hash256, Hash256>,
}

impl Known {
    /// Whether all between an id and the end of a stretch is known; that end.
    fn end_of_stretch(&self, key: &Hash256) -> Option<Hash256> {
        let (_, end) = self.stretches.range(..=*key).next_back()?;
        (end > key).then_some(*end)
    }
}

/// Greater than every id.
const LAST: Hash256 = Hash256([0xff; 32]);

/// Everything that is known of an origin, to make another one of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct AllKnown {
    /// None: there is no entry of that id.
    pub(crate) entries: BTreeMap<Hash256, Option<Entry>>,
    /// Pairs of ids between which `entries` has all that there are.
    pub(crate) stretches: Vec<(Hash256, Hash256)>,
}

/// A ledger that is known by asking.
#[derive(Debug)]
pub struct Origin {
    header: LedgerHeader,
    known: RwLock<Known>,
}

impl Origin {
    /// A ledger of which nothing but the header is known.
    #[must_use]
    pub fn new(header: LedgerHeader) -> Self {
        Self { header, known: RwLock::default() }
    }

    /// Its header.
    #[must_use]
    pub fn header(&self) -> &LedgerHeader {
        &self.header
    }

    pub(super) fn get(&self, key: &Hash256) -> Option<Entry> {
        let known = self.known.read();
        match known.entries.get(key) {
            Some(entry) => entry.clone(),
            // Within a stretch all that there is is known; its beginning does not belong to it.
            None if known
                .stretches
                .range(..*key)
                .next_back()
                .is_some_and(|(_, end)| end >= key) =>
            {
                None
            }
            None => {
                want(Want::Entry(*key));
                None
            }
        }
    }

    pub(super) fn succ(&self, key: &Hash256) -> Option<Hash256> {
        let known = self.known.read();
        let mut from = *key;
        loop {
            let Some(end) = known.end_of_stretch(&from) else {
                if from != LAST {
                    want(Want::After(from));
                }
                return None;
            };
            let within = (Bound::Excluded(from), Bound::Included(end));
            let there = known.entries.range(within).find(|(_, entry)| entry.is_some());
            match there {
                Some((next, _)) => return Some(*next),
                None => from = end,
            }
        }
    }

    /// Learns the entry of an id, or that there is none.
    pub fn learn_entry(&self, key: Hash256, entry: Option<Entry>) {
        self.known.write().entries.insert(key, entry);
    }

    /// Learns the entries that come after an id, in order: some of them, or all to the end.
    pub fn learn_after(&self, key: Hash256, entries: Vec<(Hash256, Entry)>, all: bool) {
        let end = match (all, entries.last()) {
            (false, Some((last, _))) => *last,
            (false, None) => return,
            (true, _) => LAST,
        };
        let mut known = self.known.write();
        known.entries.extend(entries.into_iter().map(|(key, entry)| (key, Some(entry))));
        // One with which it overlaps goes on to the later end.
        let (begin, end) = match known.stretches.range(..=key).next_back() {
            Some((begin, before)) if *before >= key => (*begin, end.max(*before)),
            _ => (key, end),
        };
        known.stretches.insert(begin, end);
    }

    /// One of which this is known.
    pub(crate) fn with(header: LedgerHeader, known: AllKnown) -> Self {
        let AllKnown { entries, stretches } = known;
        let stretches = stretches.into_iter().collect();
        Self { header, known: RwLock::new(Known { entries, stretches }) }
    }

    /// All that is known: for [`Self::with`].
    pub(crate) fn all_known(&self) -> AllKnown {
        let known = self.known.read();
        let stretches = known.stretches.iter().map(|(begin, end)| (*begin, *end)).collect();
        AllKnown { entries: known.entries.clone(), stretches }
    }

    /// How many entries are known.
    #[must_use]
    pub fn known(&self) -> usize {
        self.known.read().entries.values().flatten().count()
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc};

    use proptest::prelude::*;
    use xrpl_protocol::Object;

    use super::*;

    fn id(n: u8) -> Hash256 {
        let mut id = Hash256::ZERO;
        id.0[0] = n;
        id
    }

    fn origin() -> Origin {
        Origin::new(LedgerHeader::decode(&[0; xrpl_protocol::ledger_header::ENCODED_LENGTH]))
    }

    /// Learns what is wanted from all there is, in pages of so many.
    fn learn(origin: &Origin, all: &BTreeSet<u8>, wants: Vec<Want>, page: usize) {
        for want in wants {
            match want {
                Want::Entry(key) => {
                    let there = all.contains(&key.0[0]) && key == id(key.0[0]);
                    origin.learn_entry(key, there.then(|| Arc::new(Object::new())));
                }
                Want::After(key) => {
                    let rest: Vec<_> = all.iter().map(|n| id(*n)).filter(|k| *k > key).collect();
                    let entries = rest.iter().take(page).map(|k| (*k, Arc::new(Object::new())));
                    origin.learn_after(key, entries.collect(), rest.len() <= page);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_is_asked_is_answered_in_the_end(
            all in prop::collection::btree_set(1u8..=254, 0..40),
            asked in prop::collection::vec((any::<u8>(), any::<bool>()), 1..60),
            page in 1usize..9,
        ) {
            let origin = origin();
            for (n, after) in asked {
                let mut rounds = 0;
                loop {
                    let (found, wants) = watch(|| match after {
                        true => origin.succ(&id(n)),
                        false => origin.get(&id(n)).map(|_| id(n)),
                    });
                    if wants.is_empty() {
                        let expected = match after {
                            true => all.range(n.saturating_add(1)..).find(|m| **m > n).copied(),
                            false => all.get(&n).copied(),
                        };
                        prop_assert_eq!(found, expected.map(id));
                        break;
                    }
                    rounds += 1;
                    prop_assert!(rounds < 3);
                    learn(&origin, &all, wants, page);
                }
            }
        }
    }
}
