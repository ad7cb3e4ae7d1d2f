//! Ledgers that turn out to be others than the nodes reported, and the ends that rested on them.
//!
//! A hash is believed from the first node that tells it. Where another tells another one, most nodes
//! or the ledgers above decide (see [`disputes`](crate::disputes)), and by then transactions may have
//! been VALIDATED in the ledger that is denied now, or REJECTED or EXPIRED because of it. Each of
//! these is open again, and every ledger that could have it is read anew: what was seen of it in
//! other ledgers while it had an end was not looked at.
//!
//! The store keeps the denied hash until the rows that rest on it, which may have left memory long
//! ago, are found and open again: a program that is killed in between finds the contradiction anew.

use std::{collections::BTreeMap, sync::Arc};

use rustc_hash::FxHashSet;
use xrpl_protocol::{Hash256, LedgerIndex};

use super::Core;
use crate::{
    evidence::{AbsenceProof, Evidence},
    lifecycle::{Event, TxState},
    pending::{Key, NewEntry},
    record::{Outcome, Progress, Record},
};

/// Ledgers of which validated transactions wait to learn the hash.
const WITHOUT_HASH_KEPT: usize = 1_024;

impl Core {
    /// Keeps the hash of a validated ledger, and tells it to those validated in it that lack it.
    pub(crate) fn note_ledger(&mut self, index: LedgerIndex, hash: Hash256) {
        if !self.denied.contains_key(&index.0) {
            self.persist_ledger(index, hash);
        }
        if self.without_hash.is_empty() {
            return;
        }
        for key in self.without_hash.remove(&index.0).unwrap_or_default() {
            let Some(entry) = self.pending.get_mut(key) else { continue };
            let Some(place) = &mut entry.progress.validated else { continue };
            if place.ledger_index == index && place.ledger_hash.is_none() {
                place.ledger_hash = Some(hash);
                self.persist(key);
            }
        }
        while self.without_hash.len() > WITHOUT_HASH_KEPT {
            self.without_hash.pop_first();
        }
    }

    /// At the start: what the run knew of ledgers, and those of which the nodes report another hash now.
    pub(crate) fn remember(&mut self, known: &BTreeMap<u32, Hash256>, differs: &[(u32, Hash256)]) {
        for (index, hash) in known {
            self.completeness.learnt(*index, *hash);
        }
        let (index, hash) = (self.head.index, self.head.hash);
        if self.completeness.learnt(index.0, hash) {
            self.note_ledger(index, hash);
        } else {
            self.mismatch(index, hash);
        }
        for (index, hash) in differs {
            self.mismatch(LedgerIndex(*index), *hash);
        }
    }

    /// The ledger of an index is the one with this hash, and not what was believed so far.
    pub(crate) fn deny(&mut self, index: LedgerIndex, hash: Hash256, now_ms: u64) {
        tracing::warn!(ledger = %index, %hash, "the hash that was known is denied");
        self.last_hash = (0, Hash256::ZERO);
        self.ledgers.denied(index);
        if self.head.index == index {
            // What is asked about the newest ledger is asked about the true one from here on.
            self.head.hash = hash;
            self.links.head.send_replace(self.head.clone());
        }
        self.denied.insert(index.0, hash);
        let falls: Vec<Key> = self
            .pending
            .ended_ones()
            .filter(|(_, entry)| rests_on_another(&entry.progress, index, hash))
            .map(|(key, _)| key)
            .collect();
        for key in falls {
            self.apply(key, &Event::LedgerDenied, now_ms, None);
        }
        // The true one is to be read, and nodes are asked about what is open again.
        self.links.backfill.notify_one();
        self.links.disputes.notify_one();
    }

    /// Rows of the store that rest on a denied ledger, and those on their slots: of the former, those
    /// that are not in memory are open again, and stand there beside the latter.
    pub(crate) fn denied_in_store(
        &mut self,
        index: LedgerIndex,
        hash: Hash256,
        records: Vec<Record>,
        now_ms: u64,
    ) {
        let unknown =
            records.into_iter().filter(|record| self.pending.find(record.identity.hash).is_none());
        let (fall, others): (Vec<_>, Vec<_>) =
            unknown.partition(|record| rests_on_another(&record.progress, index, hash));
        let slot = |record: &Record| (record.identity.account, record.identity.slot);
        let slots: FxHashSet<_> = fall.iter().map(slot).collect();
        for rival in others.into_iter().filter(|record| slots.contains(&slot(record))) {
            let key = self.take_in_ended(rival);
            self.pending.ended(key, now_ms);
        }
        for record in fall {
            let key = self.take_in_ended(record);
            self.apply(key, &Event::LedgerDenied, now_ms, None);
            self.settle_by_rival(key, now_ms);
        }
    }

    /// Takes one with an end into memory, where it stands beside what is open.
    pub(crate) fn take_in_ended(&mut self, record: Record) -> Key {
        let transaction_type = self.counters.type_index(&record.identity.transaction_type);
        let condition = TxState {
            state: record.progress.state,
            may_have_left: true,
            undecided: false,
            in_doubt: false,
        };
        self.pending.insert(NewEntry::of(record, transaction_type, condition))
    }

    /// All that rests on a denied ledger is open again, and written so.
    pub(crate) fn denied_is_done(&mut self, index: LedgerIndex, hash: Hash256) {
        if self.denied.get(&index.0) == Some(&hash) {
            self.denied.remove(&index.0);
            self.persist_ledger(index, hash);
        }
    }

    /// Takes back what an end did, and begins the search for the next one.
    pub(super) fn take_back(&mut self, key: Key, now_ms: u64) {
        let Some(entry) = self.pending.get_mut(key) else { return };
        tracing::warn!(hash = %entry.hash, "an end rested on a ledger that is denied: it is open again");
        let transaction_type = entry.transaction_type;
        let (hash, last) = (entry.hash, entry.last_ledger());
        let first = entry.watched_from();
        let progress = &mut entry.progress;
        let evidence = progress.evidence();
        let latencies = std::mem::take(&mut progress.latencies);
        progress.latencies.first_answer_ms = latencies.first_answer_ms;
        progress.evidence = None;
        progress.reason = None;
        let place = progress.validated.take();
        if !std::mem::replace(&mut progress.revoked, true) {
            self.counters.revoked += 1;
        }
        if let Some(place) = place {
            self.counters.unvalidated(
                transaction_type,
                place.source,
                latencies.finality_ms,
                latencies.finality_ledgers,
            );
            self.ledgers.unvalidated(place.ledger_index, place.source, transaction_type);
            self.ring.remove(hash, place.ledger_index);
        }
        self.pending.reopened(key);
        self.completeness.read_anew(first, last.unwrap_or(u32::MAX), now_ms);
        if last.is_some_and(|last| last < self.head.index.0) {
            self.past_last.push(key);
        }
        self.overdue.push(key);
        self.ask_now.push_back(key);
        self.links.look_up.notify_one();
        if let (Some(evidence), Some(entry)) = (evidence, self.pending.get(key)) {
            let outcome = Arc::new(self.outcome(entry, evidence, None));
            self.tell_revocation(&outcome);
        }
    }

    pub(super) fn tell_revocation(&mut self, outcome: &Arc<Outcome>) {
        self.revocations.retain(|to| to.send(Arc::clone(outcome)).is_ok());
    }
}

/// Whether an end rests on a ledger of this index and another hash.
fn rests_on_another(progress: &Progress, index: LedgerIndex, hash: Hash256) -> bool {
    progress.state.is_terminal()
        && progress.evidence().is_some_and(|evidence| match &evidence {
            Evidence::Validated(place) if place.ledger_hash == Some(hash) => false,
            Evidence::LastLedgerPassed {
                proof: AbsenceProof::SlotUnused { ledger_hash, .. },
                ..
            } if *ledger_hash == hash => false,
            other => other.rests_on(index),
        })
}
