//! Sets of ledger indexes, most of which follow each other.

use std::collections::BTreeMap;

/// Non-overlapping, non-adjacent ranges of ledger indexes.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    /// First index to last index.
    by_first: BTreeMap<u32, u32>,
}

impl Ranges {
    /// Whether every index from `first` to `last` is in.
    pub(super) fn contains(&self, first: u32, last: u32) -> bool {
        first > last
            || self.by_first.range(..=first).next_back().is_some_and(|(_, end)| *end >= last)
    }

    pub(super) fn insert(&mut self, index: u32) {
        if self.contains(index, index) {
            return;
        }
        let mut first = index;
        let mut last = index;
        if let Some((start, end)) = self.by_first.range(..index).next_back().map(|(s, e)| (*s, *e))
            && end.checked_add(1) == Some(index)
        {
            first = start;
        }
        if let Some(end) = index.checked_add(1).and_then(|next| self.by_first.remove(&next)) {
            last = end;
        }
        self.by_first.insert(first, last);
    }

    pub(super) fn remove(&mut self, index: u32) {
        let Some((first, last)) = self.by_first.range(..=index).next_back().map(|(f, l)| (*f, *l))
        else {
            return;
        };
        if last < index {
            return;
        }
        self.by_first.remove(&first);
        if first < index {
            self.by_first.insert(first, index - 1);
        }
        if index < last {
            self.by_first.insert(index + 1, last);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_agree_with_a_set(steps in prop::collection::vec((any::<bool>(), 0u32..40), 0..60)) {
            let mut ranges = Ranges::default();
            let mut set = std::collections::BTreeSet::new();
            for (put, index) in steps {
                if put {
                    ranges.insert(index);
                    set.insert(index);
                } else {
                    ranges.remove(index);
                    set.remove(&index);
                }
            }
            for first in 0..40 {
                for last in first..40 {
                    let whole = (first..=last).all(|i| set.contains(&i));
                    prop_assert_eq!(ranges.contains(first, last), whole);
                }
            }
            let spans: Vec<_> = ranges.by_first.iter().collect();
            prop_assert!(spans.windows(2).all(|w| *w[0].1 + 1 < *w[1].0));
        }
    }
}
