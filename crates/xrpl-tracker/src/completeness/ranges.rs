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

    /// The parts of `first` to `last` that are not in, ascending.
    pub(super) fn gaps(&self, first: u32, last: u32) -> Vec<(u32, u32)> {
        let before = self.by_first.range(..=first).next_back();
        let after = self.by_first.range(first..).skip_while(|(start, _)| **start == first);
        let mut gaps = Vec::new();
        let mut next = first;
        for (start, end) in before.into_iter().chain(after) {
            if *start > last {
                break;
            }
            if *end < next {
                continue;
            }
            if *start > next {
                gaps.push((next, start - 1));
            }
            match end.checked_add(1) {
                Some(after) => next = after,
                None => return gaps,
            }
        }
        if next <= last {
            gaps.push((next, last));
        }
        gaps
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
                    let gaps = ranges.gaps(first, last);
                    let missing: Vec<u32> = gaps.iter().flat_map(|(a, b)| *a..=*b).collect();
                    let absent: Vec<u32> = (first..=last).filter(|i| !set.contains(i)).collect();
                    prop_assert_eq!(missing, absent);
                    prop_assert!(gaps.windows(2).all(|w| w[0].1 + 1 < w[1].0));
                }
            }
            let spans: Vec<_> = ranges.by_first.iter().collect();
            prop_assert!(spans.windows(2).all(|w| *w[0].1 + 1 < *w[1].0));
        }
    }
}
