//! What an end means for lanes, purses and counters.

use xrpl_protocol::{TxHash, transaction::Slot};
use xrpl_tracker::{Evidence, Outcome, State};

use super::{
    Engine,
    flight::{Done, Flying, Origin},
};
use crate::{
    catalogue::Applied,
    lane::{Answer, End, Verdict},
    objects::Metadata,
};

impl Engine {
    /// The tracker did not take it: it never left. `sure` is false if even that is not certain.
    pub fn not_taken(&mut self, hash: TxHash, sure: bool) -> Option<Done> {
        let flying = self.flying.remove(&hash)?;
        self.answers.remove(flying.answer);
        self.stats.not_taken += 1;
        self.world.release(flying.sender, &flying.stake);
        let account = &mut self.world.accounts[flying.sender];
        let end = if sure { End::Free } else { End::Doubtful };
        let verdict = account.lane.settled(flying.slot, flying.rival, end);
        if verdict != Some(Verdict::Open) && flying.rival == 0 {
            account.planned_tickets =
                account.planned_tickets.saturating_add_signed(-flying.tickets);
        }
        self.touch(flying.sender);
        Some(Done { hash, origin: flying.origin, success: false })
    }

    /// The end of a transaction. None if it was not made here, or has ended before.
    pub fn settle(&mut self, outcome: &Outcome) -> Option<Done> {
        let Some(flying) = self.flying.remove(&outcome.hash) else {
            // Taken for refused, and in a ledger after all: its slot may have been used again.
            if outcome.overturned
                && let Some(index) = self.world.accounts.find(outcome.account)
            {
                self.world.accounts[index].lane.doubt();
                self.touch(index);
            }
            return None;
        };
        self.answers.remove(flying.answer);
        if flying.answer.is_none() {
            // The end came before the answer.
            self.stats.submitted(&flying);
        }
        let success = outcome.is_success();
        self.world.release(flying.sender, &flying.stake);
        let end = match &outcome.evidence {
            Evidence::Validated(_) => {
                End::Consumed { width: if success { flying.width } else { 1 } }
            }
            Evidence::RefusedByNode { engine_result } => match engine_result.as_str() {
                "tefPAST_SEQ" | "tefNO_TICKET" if flying.taint.is_none() => End::Doubtful,
                _ => End::Free,
            },
            Evidence::NeverSent { .. } | Evidence::LastLedgerPassed { .. } => End::Free,
            Evidence::SequenceConsumed { by, .. } if flying.rivals.contains(by) => End::Lost,
            // By what is not said: by a rival of its own, if there is one left.
            Evidence::SlotGone { .. } if !flying.rivals.is_empty() => End::Lost,
            Evidence::SequenceConsumed { .. } | Evidence::SlotGone { .. } => End::Doubtful,
        };
        let account = &mut self.world.accounts[flying.sender];
        let verdict = account.lane.settled(flying.slot, flying.rival, end);
        // A Ticket is used up by a claim too; a TicketCreate makes some only if it succeeds. While
        // others on the slot may still do so, nothing is known.
        let unmade = match verdict {
            Some(Verdict::Used | Verdict::Doubtful) => {
                flying.tickets > 0 && (!success || flying.fills)
            }
            Some(Verdict::Free) => true,
            Some(Verdict::Open) | None => false,
        };
        if unmade {
            account.planned_tickets =
                account.planned_tickets.saturating_add_signed(-flying.tickets);
        }
        if success && flying.taint.is_some() {
            account.lane.doubt();
        }
        if outcome.state == State::Validated {
            self.learn(&flying, outcome, success);
        }
        self.count(&flying, outcome, end == End::Lost);
        self.touch(flying.sender);
        if let Some(to) = flying.stake.to {
            self.touch(to);
        }
        Some(Done { hash: outcome.hash, origin: flying.origin, success })
    }

    /// An end was taken back (the ledger that it rested on is another one), or one of which that is
    /// so has another end now. The lane waits for that end and reads its Sequence anew. What the
    /// first end taught of the ledger's objects is still believed: where that is wrong, transactions
    /// that build on it are refused.
    pub fn revoked(&mut self, outcome: &Outcome) {
        let Some(index) = self.world.accounts.find(outcome.account) else { return };
        let lane = &mut self.world.accounts[index].lane;
        match (outcome.state, &outcome.evidence) {
            (state, _) if !state.is_terminal() => lane.revoked(outcome.slot),
            (State::Expired, _) | (State::Rejected, Evidence::RefusedByNode { .. }) => {
                lane.decided(outcome.slot, End::Free);
            }
            _ => lane.decided(outcome.slot, End::Doubtful),
        }
        self.touch(index);
    }

    fn learn(&mut self, flying: &Flying, outcome: &Outcome, success: bool) {
        let metadata = match (&flying.effects, &outcome.metadata, flying.taint) {
            (Some(effects), Some(raw), None) => {
                Metadata::parse(raw.get()).ok().map(|m| (effects, m))
            }
            _ => None,
        };
        let Some((effects, metadata)) = metadata else {
            self.stats.metadata_missing +=
                u64::from(flying.effects.is_some() && flying.taint.is_none());
            self.world.apply(flying.sender, &flying.stake, success);
            if matches!(flying.slot, Slot::Ticket(_)) {
                self.world.ticket_used(flying.sender);
            }
            return;
        };
        self.world.learn_accounts(&metadata);
        if success {
            let (sender, slot, hash) = (flying.sender, flying.slot, outcome.hash);
            effects(&mut self.world, &Applied { sender, slot, hash, metadata: &metadata });
        }
    }

    fn count(&mut self, flying: &Flying, outcome: &Outcome, lost: bool) {
        let result = outcome.engine_result.as_ref();
        let name = result.map_or_else(|| outcome.evidence.kind(), |result| result.as_str());
        if let ("temDISABLED", Some(entry)) = (name, flying.carried) {
            self.catalogue.refused(entry, "temDISABLED");
        }
        if flying.origin == Origin::Setup {
            return;
        }
        // One that only waited has not failed if a rival of its own did its work. One that was
        // refused has, whatever filled its slot.
        let waited = flying.answer != Some(Answer::Refused);
        if lost && waited {
            self.stats.replaced += 1;
            return;
        }
        let validated = outcome.state == State::Validated;
        if let (Some(entry), true) = (flying.entry, validated) {
            self.stats.by_type.entry(entry.name).or_default().validated += 1;
        }
        if let Some(taint) = flying.taint {
            self.stats.invalid.count(taint, name);
        } else if validated {
            self.stats.validated += 1;
            if !outcome.is_success() {
                *self.stats.claimed.entry(name.to_owned()).or_default() += 1;
            }
        } else if flying.origin != Origin::Replacement {
            // A replacement that did not come to anything leaves its slot to the others.
            *self.stats.failed.entry(name.to_owned()).or_default() += 1;
        }
    }
}
