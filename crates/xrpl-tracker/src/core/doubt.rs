//! Transactions whose Sequence or Ticket is gone, or said to be.

use xrpl_protocol::{Hash256, LedgerIndex};

use super::Core;
use crate::{
    lifecycle::{Event, State},
    pending::{Entry, Key},
    reason::Reason,
};

/// How long one that nobody can decide rests before it is asked about again: doubled each time, up
/// to the longest.
const FIRST_REST_MS: u64 = 20_000;
const LONGEST_REST_MS: u64 = 15 * 60_000;

impl Core {
    /// A doubtful one whose slot another of ours used, as is already known.
    pub(super) fn settle_doubt(&mut self, key: Key, now_ms: u64) {
        if !self.pending.get(key).is_some_and(|entry| entry.condition.in_doubt) {
            return;
        }
        self.settle_by_rival(key, now_ms);
    }

    /// Another of ours is known to have used the slot, by what this program or an earlier one saw.
    pub(super) fn settle_by_rival(&mut self, key: Key, now_ms: u64) {
        let by = self.pending.rivals(key).find_map(|rival| {
            let rival = self.pending.get(rival)?;
            Some((rival.hash, rival.progress.validated.as_ref()?.ledger_index))
        });
        if let Some((by, ledger)) = by {
            self.apply(key, &Event::SequenceConsumed { by, ledger }, now_ms, None);
        }
    }

    /// The newest validated ledger shows a slot gone. That is the end of a transaction that no ledger
    /// up to there has, which is known of a fresh one once all of them are read: then no later one
    /// can have it either. Whether it has ended.
    pub(crate) fn settle_gone(
        &mut self,
        key: Key,
        (ledger, hash): (LedgerIndex, Hash256),
        now_ms: u64,
    ) -> bool {
        let Some(first) = self.pending.get(key).and_then(Entry::first_ledger) else { return false };
        // A node that is alone with its ledger proves nothing, and the ledger may have been denied
        // since the node was asked about it.
        if self.completeness.contradicts(ledger.0, hash) {
            return false;
        }
        if !self.completeness.covers(first, ledger.0)
            || self.completeness.disputed(ledger.0, ledger.0)
        {
            self.completeness.want_range(first, ledger.0, now_ms);
            self.links.backfill.notify_one();
            return false;
        }
        let event = Event::SlotGone { ledger, absent_from: Some(LedgerIndex(first)) };
        self.apply(key, &event, now_ms, None).is_some_and(State::is_terminal)
    }

    /// A validated ledger shows a slot gone, and no node can say by which transaction. One whose
    /// ledgers are read from its first one on is left to them; of any other this is all there is
    /// to know, until a node with more history is asked.
    pub(crate) fn slot_gone(&mut self, key: Key, ledger: LedgerIndex, now_ms: u64) {
        let Some(entry) = self.pending.get_mut(key) else { return };
        if entry.progress.state.is_terminal() || (entry.fresh && !entry.condition.undecided) {
            return;
        }
        let rest = FIRST_REST_MS << entry.rests.min(16);
        entry.rests = entry.rests.saturating_add(1);
        entry.rests_until_ms = now_ms + rest.min(LONGEST_REST_MS);
        let reason = Reason::SlotGone { ledger_index: ledger };
        let known = entry.progress.reason.as_deref() == Some(&reason);
        entry.progress.reason = Some(Box::new(reason));
        let before = entry.condition.undecided;
        self.apply(key, &Event::SlotGone { ledger, absent_from: None }, now_ms, None);
        if before && !known {
            self.persist(key);
        }
    }
}
