//! Which validated ledgers are known whole.
//!
//! `ledgerClosed` says how many transactions a ledger has. It is complete once that many different
//! ones were seen. On one connection a ledger's transactions all come before the next
//! `ledgerClosed`; a ledger that is still short then, or when its connection is lost, or that no
//! stream told of at all, is read once with `ledger`. Cost grows with ledgers missed, not with
//! transactions pending.

mod ranges;

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;
use xrpl_protocol::{Hash256, TxHash};

use self::ranges::Ranges;
use crate::event_queue::ConnectionId;

/// Hashes of validated ledgers kept to compare what nodes say.
const HASHES_KEPT: usize = 8_192;

/// Ledgers counted ahead of the newest one told of.
const AHEAD: u32 = 64;

/// Incomplete ledgers kept; of a network that is read in part, older ones are forgotten.
const OPEN_KEPT: usize = 8_192;

/// Ledgers under dispute kept.
const DISPUTES_KEPT: usize = 1_024;

/// How long a dispute rests after the nodes were asked.
const DISPUTE_RESTS_MS: u64 = 5_000;

/// Two hashes were told for one ledger.
#[derive(Clone, Copy, Debug, Default)]
struct Dispute {
    /// The nodes are to be asked, not before it has rested.
    open: bool,
    rests_until_ms: u64,
    /// Most nodes named the hash that is known now.
    settled: bool,
}

/// A ledger that is not complete yet.
#[derive(Debug)]
struct Cover {
    hash: Option<Hash256>,
    txn_count: Option<u32>,
    /// The first eight bytes of each transaction seen. Two with the same ones would make the ledger
    /// look short, never complete.
    seen: FxHashSet<u64>,
    told_by: Option<ConnectionId>,
    told_at_ms: u64,
}

/// A ledger to be read.
#[derive(Clone, Copy, Debug)]
struct Want {
    not_before_ms: u64,
    attempts: u32,
    reading: bool,
}

/// What the ledger stream's word for a ledger meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Another hash was known for this index.
    pub(crate) mismatch: bool,
    /// It is complete now.
    pub(crate) complete: bool,
    /// It is the newest one.
    pub(crate) newest: bool,
}

/// Which validated ledgers are known whole.
#[derive(Debug)]
pub(crate) struct Completeness {
    /// Whether the stream shows every transaction.
    counts: bool,
    grace_ms: u64,
    max_gap: u32,
    /// The newest validated ledger known.
    head: u32,
    complete: Ranges,
    open: BTreeMap<u32, Cover>,
    hashes: BTreeMap<u32, Hash256>,
    wanted: BTreeMap<u32, Want>,
    disputes: BTreeMap<u32, Dispute>,
}

impl Completeness {
    /// Coverage begins after `head`.
    pub(crate) fn new(head: u32, counts: bool, grace_ms: u64, max_gap: u32) -> Self {
        Self {
            counts,
            grace_ms,
            max_gap,
            head,
            complete: Ranges::default(),
            open: BTreeMap::new(),
            hashes: BTreeMap::new(),
            wanted: BTreeMap::new(),
            disputes: BTreeMap::new(),
        }
    }

    /// Another hash was told for a ledger than the known one. Until most nodes agree on one, nothing
    /// rests on that ledger: it is not known whole.
    pub(crate) fn dispute(&mut self, index: u32) {
        self.disputes.entry(index).or_default().open = true;
        if self.disputes.len() > DISPUTES_KEPT {
            let settled = self.disputes.iter().find(|(_, dispute)| dispute.settled);
            let dropped = settled.or(self.disputes.first_key_value()).map(|(index, _)| *index);
            if let Some(dropped) = dropped
                && self.disputes.remove(&dropped).is_some_and(|dispute| !dispute.settled)
            {
                self.complete.remove(dropped);
            }
        }
    }

    /// Whether a ledger of this range is under a dispute that is not settled.
    pub(crate) fn disputed(&self, first: u32, last: u32) -> bool {
        first <= last && self.disputes.range(first..=last).any(|(_, dispute)| !dispute.settled)
    }

    /// The nodes did not agree; they are asked again after a rest.
    pub(crate) fn undecided(&mut self, index: u32) {
        if let Some(dispute) = self.disputes.get_mut(&index) {
            dispute.open = true;
        }
    }

    /// Ledgers about which the nodes are to be asked now.
    pub(crate) fn take_disputes(&mut self, now_ms: u64) -> Vec<u32> {
        let due = self.disputes.iter_mut().filter(|(_, d)| d.open && d.rests_until_ms <= now_ms);
        due.map(|(index, dispute)| {
            dispute.open = false;
            dispute.rests_until_ms = now_ms + DISPUTE_RESTS_MS;
            *index
        })
        .collect()
    }

    /// What nobody settled is open again.
    pub(crate) fn reopen_disputes(&mut self) {
        self.disputes.values_mut().for_each(|dispute| dispute.open |= !dispute.settled);
    }

    /// What most nodes say a ledger's hash is. Where it is not the known one, what was counted for
    /// the ledger was another's, and it is read anew. True then.
    pub(crate) fn decide(&mut self, index: u32, hash: Hash256, now_ms: u64) -> bool {
        if let Some(dispute) = self.disputes.get_mut(&index) {
            dispute.settled = true;
        }
        if self.hashes.insert(index, hash) == Some(hash) {
            return false;
        }
        self.complete.remove(index);
        self.open.remove(&index);
        self.wanted.remove(&index);
        self.want(index, now_ms);
        true
    }

    /// Whether every ledger from `first` to `last` is known whole, and none is under dispute.
    pub(crate) fn covers(&self, first: u32, last: u32) -> bool {
        self.complete.contains(first, last) && !self.disputed(first, last)
    }

    /// Whether another hash is known for a ledger.
    pub(crate) fn contradicts(&self, index: u32, hash: Hash256) -> bool {
        self.hashes.get(&index).is_some_and(|known| *known != hash)
    }

    /// The known hash of a ledger.
    #[cfg(test)]
    fn hash(&self, index: u32) -> Option<Hash256> {
        self.hashes.get(&index).copied()
    }

    /// Notes a hash for an index; false if another one is known.
    fn note_hash(&mut self, index: u32, hash: Hash256) -> bool {
        let known = *self.hashes.entry(index).or_insert(hash);
        if self.hashes.len() > HASHES_KEPT {
            self.hashes.pop_first();
        }
        known == hash
    }

    /// A validated ledger was told of, by a stream or (without a count) otherwise.
    pub(crate) fn told(
        &mut self,
        index: u32,
        hash: Hash256,
        txn_count: Option<u32>,
        by: Option<ConnectionId>,
        now_ms: u64,
    ) -> Told {
        if !self.note_hash(index, hash) {
            return Told { mismatch: true, ..Told::default() };
        }
        let newest = index > self.head;
        if newest {
            // Those between were told of by nobody. Where it was not the stream that told of the
            // newest one, the stream may be about to.
            let wait = if by.is_some() && txn_count.is_some() { 0 } else { self.grace_ms };
            let from = (self.head + 1).max(index.saturating_sub(self.max_gap));
            for missed in from..index {
                if self.open.get(&missed).is_none_or(|cover| cover.txn_count.is_none()) {
                    self.want(missed, now_ms + wait);
                }
            }
            self.head = index;
            if txn_count.is_none() {
                self.want(index, now_ms + self.grace_ms);
            }
        }
        if self.complete.contains(index, index) {
            return Told { newest, ..Told::default() };
        }
        if let Some(count) = txn_count {
            let cover = self.open.entry(index).or_insert_with(Cover::new);
            cover.hash = Some(hash);
            cover.txn_count = Some(count);
            cover.told_by = by.or(cover.told_by);
            cover.told_at_ms = now_ms;
            // The stream has it: not to be read unless it turns out short.
            if self.counts && self.wanted.get(&index).is_some_and(|want| !want.reading) {
                self.wanted.remove(&index);
            }
        }
        if self.open.len() > OPEN_KEPT {
            self.open.pop_first();
        }
        // What this connection told of before is as whole as it gets.
        if let (Some(by), true) = (by, txn_count.is_some()) {
            self.give_up(now_ms, |other, cover| other < index && cover.told_by == Some(by));
        }
        Told { newest, complete: self.settle(index), mismatch: false }
    }

    /// A transaction was seen in a validated ledger. True if that completes the ledger.
    pub(crate) fn seen(&mut self, index: u32, ledger_hash: Option<Hash256>, tx: TxHash) -> bool {
        if !self.counts || self.complete.contains(index, index) {
            return false;
        }
        // Only ledgers from the start on are counted; older ones are read when wanted.
        let cover = match self.open.get_mut(&index) {
            Some(cover) => cover,
            None if index > self.head && index - self.head <= AHEAD => {
                self.open.entry(index).or_insert_with(Cover::new)
            }
            None => return false,
        };
        if let (Some(told), Some(hash)) = (cover.hash, ledger_hash)
            && told != hash
        {
            return false;
        }
        cover.seen.insert(prefix(tx));
        match cover.txn_count {
            Some(count) if cover.seen.len() >= count as usize => self.settle(index),
            _ => false,
        }
    }

    /// A connection is lost: what it told of and is short stays short.
    pub(crate) fn disconnected(&mut self, connection: ConnectionId, now_ms: u64) {
        self.give_up(now_ms, |_, cover| cover.told_by == Some(connection));
    }

    /// Ledgers told of longer than the grace ago and still short.
    pub(crate) fn tick(&mut self, now_ms: u64) {
        let grace = self.grace_ms;
        self.give_up(now_ms, |_, cover| {
            cover.txn_count.is_some() && cover.told_at_ms + grace <= now_ms
        });
    }

    fn give_up(&mut self, now_ms: u64, which: impl Fn(u32, &Cover) -> bool) {
        if !self.counts {
            return;
        }
        let short: Vec<u32> = self
            .open
            .iter()
            .filter(|(index, cover)| which(**index, cover))
            .map(|(index, _)| *index)
            .collect();
        for index in short {
            self.want(index, now_ms);
        }
    }

    fn want(&mut self, index: u32, not_before_ms: u64) {
        if self.complete.contains(index, index) || index == 0 {
            return;
        }
        let want =
            self.wanted.entry(index).or_insert(Want { not_before_ms, attempts: 0, reading: false });
        if want.attempts == 0 {
            want.not_before_ms = want.not_before_ms.min(not_before_ms);
        }
    }

    /// Asks for every ledger of a range that is not known whole yet.
    pub(crate) fn want_range(&mut self, first: u32, last: u32, now_ms: u64) {
        let last = last.min(self.head);
        let first = first.max(last.saturating_sub(self.max_gap)).max(1);
        for index in first..=last {
            let on_its_way = self.counts
                && self.open.get(&index).is_some_and(|cover| {
                    cover.txn_count.is_some() && cover.told_at_ms + self.grace_ms > now_ms
                });
            if !on_its_way {
                self.want(index, now_ms);
            }
        }
    }

    /// Up to `limit` ledgers to be read now; they count as being read until [`Self::read`] or
    /// [`Self::not_read`].
    pub(crate) fn take_wanted(&mut self, limit: usize, now_ms: u64) -> Vec<u32> {
        let due = self
            .wanted
            .iter_mut()
            .filter(|(_, want)| !want.reading && want.not_before_ms <= now_ms)
            .take(limit);
        due.map(|(index, want)| {
            want.reading = true;
            *index
        })
        .collect()
    }

    /// When the next ledger is to be read.
    pub(crate) fn next_wanted_ms(&self) -> Option<u64> {
        let waiting = self.wanted.values().filter(|want| !want.reading);
        waiting.map(|want| want.not_before_ms).min()
    }

    /// When the nodes are next to be asked about a ledger's hash.
    pub(crate) fn next_dispute_ms(&self) -> Option<u64> {
        let open = self.disputes.values().filter(|dispute| dispute.open);
        open.map(|dispute| dispute.rests_until_ms).min()
    }

    /// Whether what was read may be the ledger: its hash is the known one, its count too.
    pub(crate) fn fits(&mut self, index: u32, hash: Hash256, count: usize) -> Fit {
        if !self.note_hash(index, hash) {
            return Fit::OtherHash;
        }
        match self.open.get(&index).and_then(|cover| cover.txn_count) {
            Some(told) if told as usize != count => Fit::OtherCount,
            _ => Fit::Yes,
        }
    }

    /// A ledger was read whole.
    pub(crate) fn read(&mut self, index: u32) {
        self.wanted.remove(&index);
        self.open.remove(&index);
        self.complete.insert(index);
    }

    /// A ledger could not be read; it is tried again.
    pub(crate) fn not_read(&mut self, index: u32, now_ms: u64) {
        if let Some(want) = self.wanted.get_mut(&index) {
            want.reading = false;
            want.attempts += 1;
            want.not_before_ms = now_ms + (500 << want.attempts.min(6));
        }
    }

    /// What was taken up is to be read by another.
    pub(crate) fn nothing_is_read(&mut self) {
        self.wanted.values_mut().for_each(|want| want.reading = false);
    }

    /// How many ledgers wait to be read.
    pub(crate) fn wanted_count(&self) -> usize {
        self.wanted.len()
    }

    fn settle(&mut self, index: u32) -> bool {
        let whole = self.counts
            && self.open.get(&index).is_some_and(|cover| {
                cover.txn_count.is_some_and(|count| cover.seen.len() == count as usize)
            });
        if whole {
            self.read(index);
        }
        whole
    }
}

/// Whether a ledger that was read is the one told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fit {
    /// It is.
    Yes,
    /// Its hash is another: an alarm.
    OtherHash,
    /// It has another number of transactions.
    OtherCount,
}

impl Cover {
    fn new() -> Self {
        Self {
            hash: None,
            txn_count: None,
            seen: FxHashSet::default(),
            told_by: None,
            told_at_ms: 0,
        }
    }
}

fn prefix(tx: TxHash) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&tx.0[..8]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use xrpl_client::EndpointId;

    use super::*;

    const GRACE: u64 = 3_000;

    fn start() -> Completeness {
        Completeness::new(10, true, GRACE, 1_000)
    }

    fn connection(endpoint: u16) -> Option<ConnectionId> {
        Some(ConnectionId { endpoint: EndpointId(endpoint), generation: 1 })
    }

    fn hash(n: u32) -> Hash256 {
        let mut bytes = [7; 32];
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        Hash256(bytes)
    }

    fn tx(n: u32) -> TxHash {
        hash(n).into()
    }

    #[test]
    fn counted_complete_only_with_every_transaction() {
        let mut c = start();
        let told = c.told(11, hash(11), Some(2), connection(0), 0);
        assert_eq!(told, Told { newest: true, complete: false, mismatch: false });
        assert!(!c.seen(11, Some(hash(11)), tx(1)));
        assert!(!c.seen(11, Some(hash(11)), tx(1)), "a duplicate does not count");
        assert!(!c.seen(11, Some(hash(99)), tx(2)), "nor one of another chain");
        assert!(!c.covers(11, 11));
        assert!(c.seen(11, Some(hash(11)), tx(2)));
        assert!(c.covers(11, 11) && !c.covers(10, 11) && !c.covers(11, 12));
        assert!(c.told(12, hash(12), Some(0), connection(0), 0).complete, "an empty ledger");
        assert!(c.covers(11, 12));
        assert!(c.take_wanted(9, u64::MAX).is_empty());
    }

    #[test]
    fn short_when_the_same_connection_goes_on_or_ends_or_grace_is_over() {
        let mut c = start();
        c.told(11, hash(11), Some(1), connection(0), 0);
        c.told(12, hash(12), Some(0), connection(1), 0);
        assert!(c.take_wanted(9, 0).is_empty(), "another connection may be ahead");
        c.told(12, hash(12), Some(0), connection(0), 0);
        c.told(13, hash(13), Some(0), connection(0), 0);
        assert_eq!(c.take_wanted(9, 0), [11]);
        assert!(c.take_wanted(9, u64::MAX).is_empty(), "it is being read");
        c.nothing_is_read();
        assert_eq!(c.take_wanted(9, 0), [11], "who read it has failed");
        c.not_read(11, 0);
        assert!(c.take_wanted(9, 0).is_empty(), "a pause before the next try");
        assert_eq!(c.take_wanted(9, 60_000), [11]);
        c.read(11);
        assert!(c.covers(11, 13));

        c.told(14, hash(14), Some(1), connection(0), 0);
        c.disconnected(connection(1).unwrap(), 0);
        assert!(c.take_wanted(9, 0).is_empty());
        c.disconnected(connection(0).unwrap(), 0);
        assert_eq!(c.take_wanted(9, 0), [14]);

        c.told(15, hash(15), Some(1), connection(0), 5_000);
        c.tick(5_000 + GRACE - 1);
        assert!(c.take_wanted(9, u64::MAX).is_empty());
        c.tick(5_000 + GRACE);
        assert_eq!(c.take_wanted(9, 5_000 + GRACE), [15]);
    }

    #[test]
    fn gaps_are_wanted_at_once_from_the_stream_and_after_grace_from_a_poll() {
        let mut c = start();
        c.told(14, hash(14), Some(0), connection(0), 0);
        assert_eq!(c.take_wanted(9, 0), [11, 12, 13]);
        c.told(16, hash(16), None, None, 100);
        assert!(c.take_wanted(9, 100).is_empty());
        assert_eq!(c.next_wanted_ms(), Some(100 + GRACE));
        c.told(15, hash(15), Some(0), connection(0), 200);
        assert!(c.covers(14, 15), "the stream was only behind");
        assert_eq!(c.take_wanted(9, 100 + GRACE), [16]);
    }

    #[test]
    fn a_huge_gap_is_bounded() {
        let mut c = Completeness::new(10, true, GRACE, 5);
        c.told(1_000_000, hash(1), Some(0), connection(0), 0);
        assert_eq!(c.take_wanted(99, 0).len(), 5);
        let mut c = Completeness::new(4_000_000_000, true, GRACE, 5);
        c.want_range(0, u32::MAX, 0);
        assert_eq!(c.take_wanted(99, 0).len(), 6);
    }

    #[test]
    fn another_hash_is_a_mismatch() {
        let mut c = start();
        c.told(11, hash(11), Some(1), connection(0), 0);
        let told = c.told(11, hash(66), Some(1), connection(1), 0);
        assert!(told.mismatch && !told.complete);
        assert_eq!(c.hash(11), Some(hash(11)));
        assert_eq!(c.fits(11, hash(66), 1), Fit::OtherHash);
        assert_eq!(c.fits(11, hash(11), 3), Fit::OtherCount);
        assert_eq!(c.fits(11, hash(11), 1), Fit::Yes);
    }

    #[test]
    fn what_was_counted_under_a_hash_that_most_deny_is_read_anew() {
        let mut c = start();
        for index in 11..=13 {
            c.told(index, hash(index), Some(0), connection(0), 0);
        }
        assert!(c.covers(11, 13));
        c.dispute(12);
        c.dispute(12);
        assert!(!c.covers(11, 13) && c.covers(11, 11) && c.disputed(11, 13));
        assert_eq!(c.next_dispute_ms(), Some(0));
        assert_eq!(c.take_disputes(7), [12]);
        assert!(!c.covers(12, 12), "asking settles nothing");
        assert_eq!(c.next_dispute_ms(), None);
        c.reopen_disputes();
        assert_eq!(c.next_dispute_ms(), Some(7 + DISPUTE_RESTS_MS), "who asked has failed");
        c.undecided(12);
        assert_eq!(c.next_dispute_ms(), Some(7 + DISPUTE_RESTS_MS));
        assert!(!c.decide(12, hash(12), 7), "the known one was right");
        assert!(c.covers(11, 13));
        c.dispute(12);
        assert!(c.covers(11, 13), "a node that most deny changes nothing by saying it again");
        assert!(c.take_disputes(8).is_empty(), "the nodes were just asked");
        assert_eq!(c.take_disputes(7 + DISPUTE_RESTS_MS), [12]);
        assert!(c.decide(12, hash(66), 9_000));
        assert!(!c.covers(12, 12) && c.covers(11, 11) && c.covers(13, 13));
        assert_eq!((c.take_wanted(9, 9_000), c.fits(12, hash(66), 3)), (vec![12], Fit::Yes));
        c.read(12);
        assert!(c.covers(11, 13));
    }

    #[test]
    fn where_the_stream_shows_only_some_nothing_is_counted() {
        let mut c = Completeness::new(10, false, GRACE, 1_000);
        c.told(11, hash(11), Some(0), connection(0), 0);
        c.told(12, hash(12), Some(0), connection(0), 0);
        c.tick(99_999);
        assert!(!c.covers(11, 11));
        assert!(c.take_wanted(9, u64::MAX).is_empty());
        c.want_range(11, 12, 0);
        assert_eq!(c.take_wanted(9, 0), [11, 12]);
    }
}
