//! Which validated ledgers are known whole.
//!
//! `ledgerClosed` says how many transactions a ledger has. It is complete once that many different
//! ones of the ledger with that hash were seen: what a message says of another hash, or of no hash,
//! may belong to another ledger of the same index and is not counted. On one connection a ledger's
//! transactions all come before the next `ledgerClosed`; a ledger that is still short then, or when
//! its connection is lost, or that no stream reported at all, is read once with `ledger`. Cost grows
//! with ledgers missed, not with transactions pending.
//!
//! The count is the node's word, and no hash is computed of what a stream shows: that would need
//! every transaction in binary. xrpld takes the count and the messages from the same closed ledger
//! (`NetworkOPs::pubLedger`), each of its transactions once, so that what may be missing is messages,
//! which the count shows. What is read with `ledger` is checked by its hashes.

mod ranges;
mod wanted;

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;
use xrpl_protocol::{Hash256, TxHash};

use self::{ranges::Ranges, wanted::Wanted};
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

/// How often the header above a settled one is asked for.
const LINKS_TRIED: u8 = 20;

/// Two hashes were told for one ledger.
#[derive(Clone, Copy, Debug, Default)]
struct Dispute {
    /// The nodes are to be asked, not before it has rested.
    open: bool,
    rests_until_ms: u64,
    /// Most nodes named the hash that is known now.
    settled: bool,
    /// The ledger above names it as its parent, or was asked for in vain too often.
    linked: bool,
    links_tried: u8,
    link_again_ms: u64,
}

impl Dispute {
    /// Whether the ledger above is still to confirm what most nodes named.
    fn is_unlinked(&self) -> bool {
        self.settled && !self.linked
    }

    /// When the ledger above is to be asked for, if both hashes are known.
    fn link_at_ms(&self, index: u32, hashes: &BTreeMap<u32, Hash256>) -> Option<u64> {
        let known = hashes.contains_key(&index) && hashes.contains_key(&(index + 1));
        (self.is_unlinked() && known).then_some(self.link_again_ms)
    }
}

/// A ledger that is not complete yet, under the hash that is known for its index.
#[derive(Debug, Default)]
struct Cover {
    txn_count: Option<u32>,
    /// The first eight bytes of each transaction seen. Two with the same ones would make the ledger
    /// look short, never complete.
    seen: FxHashSet<u64>,
    told_by: Option<ConnectionId>,
    told_at_ms: u64,
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
    /// What the connection told of before is short, and has to be read.
    pub(crate) short: bool,
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
    wanted: Wanted,
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
            wanted: Wanted::default(),
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

    /// Settled disputes that the ledger above has not confirmed, as far as that one's hash is known:
    /// index, hash, and the hash above. Several addresses may lead to one node, so that most of them
    /// naming a hash is not enough.
    pub(crate) fn take_unlinked(&mut self, now_ms: u64) -> Vec<(u32, Hash256, Hash256)> {
        let hashes = &self.hashes;
        let unlinked = self.disputes.iter_mut().filter_map(|(index, dispute)| {
            dispute.link_at_ms(*index, hashes).filter(|at_ms| *at_ms <= now_ms)?;
            let (own, above) = (hashes.get(index)?, hashes.get(&(index + 1))?);
            dispute.link_again_ms = now_ms + DISPUTE_RESTS_MS;
            dispute.links_tried += 1;
            dispute.linked = dispute.links_tried > LINKS_TRIED;
            Some((*index, *own, *above))
        });
        unlinked.collect()
    }

    /// Whether the ledger above is still to confirm what most nodes named for this one.
    pub(crate) fn is_unlinked(&self, index: u32) -> bool {
        self.disputes.get(&index).is_some_and(Dispute::is_unlinked)
    }

    /// The ledger above names this one's known hash.
    pub(crate) fn link(&mut self, index: u32) {
        if let Some(dispute) = self.disputes.get_mut(&index) {
            dispute.linked = true;
        }
    }

    /// The ledger above names another hash: one of the two is wrong, whatever most nodes said.
    pub(crate) fn break_link(&mut self, index: u32) {
        for index in [index, index + 1] {
            self.dispute(index);
            if let Some(dispute) = self.disputes.get_mut(&index) {
                dispute.settled = false;
            }
        }
    }

    /// What most nodes say a ledger's hash is. Where it is not the known one, what was counted for
    /// the ledger was another's, and it is read anew. True then.
    pub(crate) fn decide(&mut self, index: u32, hash: Hash256, now_ms: u64) -> bool {
        if let Some(dispute) = self.disputes.get_mut(&index) {
            dispute.settled = true;
            dispute.linked = false;
            dispute.links_tried = 0;
            dispute.link_again_ms = 0;
        }
        if self.hashes.insert(index, hash) == Some(hash) {
            return false;
        }
        self.complete.remove(index);
        self.open.remove(&index);
        self.wanted.remove(index);
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
    pub(crate) fn hash(&self, index: u32) -> Option<Hash256> {
        self.hashes.get(&index).copied()
    }

    /// All known hashes.
    pub(crate) fn hashes(&self) -> &BTreeMap<u32, Hash256> {
        &self.hashes
    }

    /// A known ledger above this one, at most this many ledgers.
    pub(crate) fn known_above(&self, index: u32, within: u32) -> Option<(u32, Hash256)> {
        let last = index.saturating_add(within);
        self.hashes.range(index.saturating_add(1)..=last).next().map(|(i, h)| (*i, *h))
    }

    /// The followed chain has this ledger; false if another hash is known for it.
    pub(crate) fn learnt(&mut self, index: u32, hash: Hash256) -> bool {
        self.note_hash(index, hash)
    }

    /// A transaction's message names a ledger's hash, which is the known one from then on if there
    /// was none: false if another one is known. Of ledgers that are not new nothing is learnt so.
    pub(crate) fn claim(&mut self, index: u32, hash: Hash256) -> bool {
        let new = index > self.head && index - self.head <= AHEAD;
        if new { self.note_hash(index, hash) } else { !self.contradicts(index, hash) }
    }

    /// Notes a hash for an index; false if another one is known.
    fn note_hash(&mut self, index: u32, hash: Hash256) -> bool {
        let known = *self.hashes.entry(index).or_insert(hash);
        if self.hashes.len() > HASHES_KEPT {
            self.hashes.pop_first();
        }
        known == hash
    }

    /// A validated ledger was told of, by a stream or (without a count) otherwise. `by` is a stream
    /// that shows every transaction.
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
            let cover = self.open.entry(index).or_default();
            cover.txn_count = Some(count);
            cover.told_by = by.or(cover.told_by);
            cover.told_at_ms = now_ms;
            // The stream has it: not to be read unless it turns out short.
            if self.counts && !self.wanted.is_reading(index) {
                self.wanted.remove(index);
            }
        }
        if self.open.len() > OPEN_KEPT {
            self.open.pop_first();
        }
        // What this connection told of before is as whole as it gets.
        let short = by.filter(|_| txn_count.is_some()).is_some_and(|by| {
            self.give_up(now_ms, |other, cover| other < index && cover.told_by == Some(by))
        });
        Told { newest, complete: self.settle(index), mismatch: false, short }
    }

    /// A transaction was seen in the validated ledger of this hash. True if that completes the
    /// ledger.
    pub(crate) fn seen(&mut self, index: u32, ledger_hash: Option<Hash256>, tx: TxHash) -> bool {
        if !self.counts || self.complete.contains(index, index) {
            return false;
        }
        // A transaction may be in two ledgers of one index: only the hash tells which was meant.
        if ledger_hash.is_none() || self.hash(index) != ledger_hash {
            return false;
        }
        // Only ledgers from the start on are counted; older ones are read when wanted.
        let cover = match self.open.get_mut(&index) {
            Some(cover) => cover,
            None if index > self.head && index - self.head <= AHEAD => {
                self.open.entry(index).or_default()
            }
            None => return false,
        };
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

    /// The stream that would show them is not to be counted on: what was told of and is short is read.
    pub(crate) fn read_short(&mut self, now_ms: u64) {
        self.give_up(now_ms, |_, cover| cover.txn_count.is_some());
    }

    /// Ledgers told of longer than the grace ago and still short.
    pub(crate) fn tick(&mut self, now_ms: u64) {
        let grace = self.grace_ms;
        self.give_up(now_ms, |_, cover| {
            cover.txn_count.is_some() && cover.told_at_ms + grace <= now_ms
        });
    }

    /// Whether there are any.
    fn give_up(&mut self, now_ms: u64, which: impl Fn(u32, &Cover) -> bool) -> bool {
        if !self.counts {
            return false;
        }
        let short: Vec<u32> = self
            .open
            .iter()
            .filter(|(index, cover)| which(**index, cover))
            .map(|(index, _)| *index)
            .collect();
        for index in &short {
            self.want(*index, now_ms);
        }
        !short.is_empty()
    }

    fn want(&mut self, index: u32, not_before_ms: u64) {
        if !self.complete.contains(index, index) && index != 0 {
            self.wanted.put(index, not_before_ms, false);
        }
    }

    /// Asks for every ledger of a range that is not known whole yet: an undecided transaction waits
    /// for it, so that it goes before what nobody waits for.
    pub(crate) fn want_range(&mut self, first: u32, last: u32, now_ms: u64) {
        let last = last.min(self.head);
        let first = first.max(last.saturating_sub(self.max_gap)).max(1);
        for index in first..=last {
            let on_its_way = self.counts
                && self.open.get(&index).is_some_and(|cover| {
                    cover.txn_count.is_some() && cover.told_at_ms + self.grace_ms > now_ms
                });
            if !on_its_way && !self.complete.contains(index, index) {
                self.wanted.put(index, now_ms, true);
            }
        }
    }

    /// Has every ledger of a range read, those too that are known whole: a transaction that they may
    /// have was not looked for in them.
    pub(crate) fn read_anew(&mut self, first: u32, last: u32, now_ms: u64) {
        let last = last.min(self.head);
        for index in first.max(last.saturating_sub(self.max_gap)).max(1)..=last {
            self.complete.remove(index);
            self.open.remove(&index);
        }
        self.want_range(first, last, now_ms);
    }

    /// The ledger to be read next, if one is to be read now: it counts as being read until
    /// [`Self::read`], [`Self::not_read`] or [`Self::nobody_has`].
    pub(crate) fn take_wanted(&mut self, now_ms: u64) -> Option<u32> {
        self.wanted.take(now_ms)
    }

    /// When the next ledger is to be read, after now.
    pub(crate) fn next_wanted_ms(&self, now_ms: u64) -> Option<u64> {
        self.wanted.next_ms(now_ms)
    }

    /// When the nodes are next to be asked about a ledger's hash.
    pub(crate) fn next_dispute_ms(&self) -> Option<u64> {
        let due = self.disputes.iter().filter_map(|(index, dispute)| {
            let link = dispute.link_at_ms(*index, &self.hashes);
            let ask = dispute.open.then_some(dispute.rests_until_ms);
            link.into_iter().chain(ask).min()
        });
        due.min()
    }

    /// A ledger was read whole.
    pub(crate) fn read(&mut self, index: u32) {
        self.wanted.remove(index);
        self.open.remove(&index);
        self.complete.insert(index);
    }

    /// A ledger could not be read; it is tried again.
    pub(crate) fn not_read(&mut self, index: u32, now_ms: u64) {
        self.wanted.failed(index, now_ms);
    }

    /// Every node said that it does not keep a ledger. True if it is given up by that: from then on
    /// it is asked for seldom.
    pub(crate) fn nobody_has(&mut self, index: u32, now_ms: u64) -> bool {
        self.wanted.nobody_has(index, now_ms)
    }

    /// What was taken up is to be read by another.
    pub(crate) fn nothing_is_read(&mut self) {
        self.wanted.nothing_is_read();
    }

    /// How many ledgers wait to be read, those given up aside.
    pub(crate) fn wanted_count(&self) -> usize {
        self.wanted.count()
    }

    /// How many ledgers were given up: no node has them.
    pub(crate) fn unreadable_count(&self) -> usize {
        self.wanted.unreadable_count()
    }

    /// Why a range is not known whole, in words; none if it is.
    pub(crate) fn missing(&self, first: u32, last: u32) -> Option<String> {
        if first > last {
            return None;
        }
        if let Some((index, _)) = self.disputes.range(first..=last).find(|(_, d)| !d.settled) {
            return Some(format!("the nodes do not agree on the hash of ledger {index}"));
        }
        let gaps = self.complete.gaps(first, last);
        let (from, to) = gaps.first().copied()?;
        let count: u64 = gaps.iter().map(|(from, to)| u64::from(to - from) + 1).sum();
        let lost =
            gaps.iter().map(|(from, to)| self.wanted.unreadable_in(*from, *to)).sum::<usize>();
        let which = match (count, gaps.len()) {
            (1, _) => format!("ledger {from}"),
            (_, 1) => format!("ledgers {from} to {to}"),
            _ => format!("{count} ledgers, of which {from} is the first"),
        };
        Some(match lost as u64 {
            0 => format!("not read yet: {which}"),
            n if n == count => format!("kept by no node any more: {which}"),
            n => format!("not read yet: {which}; {n} of them are kept by no node any more"),
        })
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

fn prefix(tx: TxHash) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&tx.0[..8]);
    u64::from_be_bytes(first)
}

#[cfg(test)]
mod tests;
