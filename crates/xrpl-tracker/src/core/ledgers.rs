//! What is heard of validated ledgers and of transactions in them, and what follows for those that are
//! tracked.

use xrpl_protocol::{Hash256, LedgerIndex};

use super::Core;
use crate::{
    event_queue::ConnectionId,
    evidence::{AbsenceProof, ResultName, Source, ValidatedIn},
    lifecycle::{Event, State},
    message::{LedgerClosed, ValidatedTransaction},
    pending::Key,
    record::{Foreign, LedgerHead, Sighting},
};

/// Ledgers after LastLedgerSequence before a transaction without proof is called undecided: the
/// stream needs a moment to show the last ones.
const UNDECIDED_AFTER: u32 = 2;

/// Sightings kept per transaction: one for each source and ledger.
const SIGHTINGS_KEPT: usize = 8;

impl Core {
    /// A transaction was seen in a validated ledger, tracked or not.
    pub(crate) fn seen(&mut self, tx: &ValidatedTransaction<'_>, source: Source, now_ms: u64) {
        if let Some(hash) = tx.ledger_hash
            && self.last_hash != (tx.ledger_index.0, hash)
        {
            if !self.completeness.claim(tx.ledger_index.0, hash) {
                self.mismatch(tx.ledger_index, hash);
                return;
            }
            self.last_hash = (tx.ledger_index.0, hash);
        }
        if self.reset.is_some() {
            return;
        }
        let completed = source != Source::Backfill
            && self.completeness.seen(tx.ledger_index.0, tx.ledger_hash, tx.hash);
        match self.pending.find(tx.hash) {
            Some(key) => self.sighted(key, tx, source, now_ms),
            None => {
                self.tell_foreign(tx);
                if let (Some(account), Some(slot)) = (&tx.account, tx.slot) {
                    let rivals: smallvec::SmallVec<[Key; 4]> =
                        self.pending.on_slot(account, slot).collect();
                    self.consumed(&rivals, tx.hash, tx.ledger_index, now_ms);
                }
            }
        }
        if completed {
            self.settle_past_last(now_ms);
        }
    }

    /// Tells of a transaction that is not tracked, once for each time it is seen.
    fn tell_foreign(&mut self, tx: &ValidatedTransaction<'_>) {
        self.foreign.retain(|to| {
            let told = Foreign {
                hash: tx.hash,
                ledger_index: tx.ledger_index,
                metadata: tx.meta.as_ref().into(),
            };
            to.send(told).is_ok()
        });
    }

    fn sighted(&mut self, key: Key, tx: &ValidatedTransaction<'_>, source: Source, now_ms: u64) {
        // Where the message does not say, what is known of the ledger does.
        let hash = tx.ledger_hash.or_else(|| self.completeness.hash(tx.ledger_index.0));
        let Some(entry) = self.pending.get_mut(key) else { return };
        let known =
            entry.progress.sightings.iter().any(|s| {
                (s.source, s.ledger_index, s.ledger_hash) == (source, tx.ledger_index, hash)
            });
        if !known && entry.progress.sightings.len() < SIGHTINGS_KEPT {
            entry.progress.sightings.push(Sighting {
                at_ms: now_ms,
                source,
                ledger_index: tx.ledger_index,
                ledger_hash: hash,
            });
        }
        if let Some(place) = &entry.progress.validated
            && place.ledger_index != tx.ledger_index
        {
            // No chain has a transaction twice: one of the two is another ledger than was told.
            let other = place.ledger_index;
            tracing::error!(hash = %entry.hash, first = %other, second = %tx.ledger_index,
                "one transaction is said to be in two validated ledgers");
            self.completeness.dispute(other.0);
            self.completeness.dispute(tx.ledger_index.0);
            self.links.disputes.notify_one();
        }
        let Some(entry) = self.pending.get(key) else { return };
        if entry.progress.state == State::Validated {
            // Seen before: only the dossier learns something, if at all.
            if !known {
                self.persist(key);
            }
            return;
        }
        let event = Event::SeenValidated(ValidatedIn {
            ledger_index: tx.ledger_index,
            ledger_hash: hash,
            result: ResultName::new(&tx.result),
            source,
        });
        self.apply(key, &event, now_ms, Some(&tx.meta));
        let rivals: smallvec::SmallVec<[Key; 4]> = self.pending.rivals(key).collect();
        self.consumed(&rivals, tx.hash, tx.ledger_index, now_ms);
    }

    /// A slot was used in a validated ledger by another than these.
    pub(crate) fn consumed(
        &mut self,
        rivals: &[Key],
        by: xrpl_protocol::TxHash,
        ledger: LedgerIndex,
        now_ms: u64,
    ) {
        for rival in rivals {
            self.apply(*rival, &Event::SequenceConsumed { by, ledger }, now_ms, None);
        }
    }

    pub(crate) fn mismatch(&mut self, index: LedgerIndex, hash: Hash256) {
        self.ledger_mismatches += 1;
        self.completeness.dispute(index.0);
        self.links.disputes.notify_one();
        tracing::error!(%index, %hash, "ledger_mismatch: nodes report different validated ledgers");
    }

    /// A validated ledger was told of.
    pub(crate) fn ledger_told(
        &mut self,
        ledger: &LedgerClosed,
        by: Option<ConnectionId>,
        now_ms: u64,
    ) {
        if self.reset.is_some() {
            return;
        }
        // Of what a stream does not show nothing can be told short.
        let full = by.filter(|by| self.full_streams.is_full(*by));
        let told =
            self.completeness.told(ledger.index.0, ledger.hash, ledger.txn_count, full, now_ms);
        if told.mismatch {
            self.mismatch(ledger.index, ledger.hash);
            return;
        }
        if let Some(by) = by
            && self.full_streams.told(by, ledger.index.0, told.short, now_ms)
        {
            self.completeness.read_short(now_ms);
        }
        self.note_ledger(ledger.index, ledger.hash);
        if self.completeness.is_unlinked(ledger.index.0.saturating_sub(1)) {
            self.links.disputes.notify_one();
        }
        self.ledgers.told(ledger);
        if told.newest {
            self.head = LedgerHead {
                index: ledger.index,
                hash: ledger.hash,
                base_fee: ledger.base_fee,
                reserve_base: ledger.reserve_base,
                reserve_inc: ledger.reserve_inc,
                close_time: ledger.close_time,
                txn_count: ledger.txn_count,
                network_id: ledger.network_id.or(self.head.network_id),
            };
            self.links.head.send_replace(self.head.clone());
            self.links.resend.notify_one();
            let past = self.pending.take_last_ledger_below(ledger.index.0);
            self.past_last.extend(past);
        }
        if told.newest || told.complete {
            self.settle_past_last(now_ms);
        }
        if self.completeness.wanted_count() > 0 {
            self.links.backfill.notify_one();
        }
    }

    /// Decides, as far as it can be proven, those whose LastLedgerSequence has passed.
    pub(crate) fn settle_past_last(&mut self, now_ms: u64) {
        if self.past_last.is_empty() {
            return;
        }
        let head = self.head.index.0;
        let mut kept = Vec::new();
        for key in std::mem::take(&mut self.past_last) {
            let Some(entry) = self.pending.get(key) else { continue };
            let Some(last) = entry.last_ledger() else { continue };
            if entry.progress.state.is_terminal() {
                continue;
            }
            let read = entry.first_ledger().filter(|first| self.completeness.covers(*first, last));
            let from = entry.watched_from();
            let never_left = entry.condition.state == State::Created
                && !entry.condition.may_have_left
                && !entry.in_flight;
            let event = if never_left {
                let attempts = entry.progress.attempts;
                Some(Event::NotWritten { attempts, budget_spent: true })
            } else if let Some(first) = read {
                let proof = AbsenceProof::EveryLedgerRead {
                    first: LedgerIndex(first),
                    last: LedgerIndex(last),
                };
                Some(passed(last, Some(proof)))
            } else if head >= last.saturating_add(UNDECIDED_AFTER) {
                self.completeness.want_range(from, last, now_ms);
                self.links.backfill.notify_one();
                (!entry.condition.undecided).then(|| passed(last, None))
            } else {
                None
            };
            let state = event.and_then(|event| self.apply(key, &event, now_ms, None));
            if !state.is_some_and(State::is_terminal) {
                kept.push(key);
            }
        }
        self.past_last.extend(kept);
    }

    /// A transaction that was taken up again in the middle of its life.
    pub(crate) fn resumed(&mut self, key: Key, now_ms: u64) {
        let Some(entry) = self.pending.get(key) else { return };
        let (first, last) = (entry.watched_from(), entry.last_ledger());
        self.completeness.want_range(first, last.unwrap_or(u32::MAX), now_ms);
        if entry.condition.state == State::Created {
            // Whether its blob left is not known.
            self.apply(key, &Event::OutcomeUnknown, now_ms, None);
        } else {
            self.resend_after_pause(key, now_ms);
        }
        if last.is_some_and(|last| last < self.head.index.0) {
            self.past_last.push(key);
        }
        self.settle_by_rival(key, now_ms);
    }
}

fn passed(last: u32, proof: Option<AbsenceProof>) -> Event {
    Event::LastLedgerPassed { last_ledger_sequence: LedgerIndex(last), proof }
}
