//! What an end means for lanes, balances and counters.

use smallvec::SmallVec;
use xrpl_protocol::{TxHash, transaction::Slot};
use xrpl_tracker::{Evidence, Outcome, State};

use super::{
    Engine,
    flight::{Done, Flying, Origin},
};
use crate::{
    accounts::Index,
    lane::{Answer, End},
    measure::Ending,
    metadata::Metadata,
};

/// What a transaction ends with that used an object which is not as it was taken to be.
const NOT_AS_KNOWN: &[&str] =
    &["tecNO_ENTRY", "tecNO_TARGET", "tecOBJECT_NOT_FOUND", "tecNO_PERMISSION", "tecEXPIRED"];

impl Engine {
    /// The tracker did not take it: it never left. `sure` is false if even that is not certain.
    pub fn not_taken(&mut self, hash: TxHash, sure: bool) -> Option<Done> {
        let flying = self.flying.remove(&hash)?;
        self.answers_of(flying.fuzz).remove(flying.answer);
        self.stats.not_taken += 1;
        self.world.release(flying.sender, &flying.holds);
        let end = if sure { End::Free } else { End::Doubtful };
        if !flying.is_apart() {
            self.world.accounts[flying.sender].lane.settled(flying.slot, flying.rival, end);
        }
        self.settle_legs(&flying, end);
        if let Origin::Journey(id) = flying.origin {
            self.step_was_not_taken(id);
        }
        self.wake(flying.sender);
        Some(Done { hash, origin: flying.origin, success: false })
    }

    /// Slots of other accounts that a Batch may have used.
    fn settle_legs(&mut self, flying: &Flying, end: End) {
        let end = match end {
            // It or one with another fee used its own slot: whether what they held used theirs, only
            // the ledger says.
            End::Consumed { .. } | End::Doubtful | End::Lost => End::Doubtful,
            End::Free => End::Free,
        };
        for (account, slot, rival) in &flying.legs {
            self.world.accounts[*account].lane.settled(*slot, *rival, end);
            self.wake(*account);
        }
    }

    /// The end of a transaction. None if it was not made here, or has ended before.
    pub fn settle(&mut self, outcome: &Outcome) -> Option<Done> {
        self.newest = self.newest.max(outcome.validated_ledger.unwrap_or(self.newest));
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
        self.answers_of(flying.fuzz).remove(flying.answer);
        if flying.answer.is_none() {
            // The end came before the answer.
            let name = self.name_of(flying.of);
            self.stats.submitted(&flying, name);
        }
        let success = outcome.is_success();
        self.world.release(flying.sender, &flying.holds);
        let end = match &outcome.evidence {
            Evidence::Validated(_) if success && flying.unsure => End::Doubtful,
            Evidence::Validated(_) => {
                End::Consumed { width: if success { flying.width } else { 1 } }
            }
            Evidence::RefusedByNode { engine_result } => match engine_result.as_str() {
                "tefPAST_SEQ" | "tefNO_TICKET" if flying.mutation.is_none() => End::Doubtful,
                _ => End::Free,
            },
            Evidence::NeverSent { .. } | Evidence::LastLedgerPassed { .. } => End::Free,
            Evidence::SequenceConsumed { by, .. } if flying.rivals.contains(by) => End::Lost,
            // By what is not said: by a rival of its own, if there is one left.
            Evidence::SlotGone { .. } if !flying.rivals.is_empty() => End::Lost,
            Evidence::SequenceConsumed { .. } | Evidence::SlotGone { .. } => End::Doubtful,
        };
        let lane = &mut self.world.accounts[flying.sender].lane;
        if !flying.is_apart() {
            lane.settled(flying.slot, flying.rival, end);
        }
        // What is not on the lane's slot may have moved its Sequence all the same.
        let moved = flying.is_apart() && outcome.state == State::Validated;
        if moved || (success && flying.mutation.is_some()) {
            lane.doubt();
        }
        let claimed = outcome.state == State::Validated && !success;
        self.settle_legs(&flying, if claimed { End::Free } else { end });
        let mut concerned: SmallVec<[Index; 4]> = flying.holds.to.into_iter().collect();
        if outcome.state == State::Validated {
            concerned.extend(self.learn_of(&flying, outcome, success));
        }
        match flying.fuzz {
            Some(fuzzed) => self.band_ended(&flying, fuzzed, outcome),
            None => self.count(&flying, outcome, end == End::Lost),
        }
        if let Origin::Journey(id) = flying.origin {
            self.step_ended(id, outcome);
        }
        self.wake(flying.sender);
        concerned.into_iter().for_each(|index| self.wake(index));
        Some(Done { hash: outcome.hash, origin: flying.origin, success })
    }

    /// An end was taken back (the ledger that it rested on is another one), or one of which that is
    /// so has another end now. The lane waits for that end and reads its Sequence anew. What the
    /// first end taught of the ledger's objects is still believed: where that is wrong, transactions
    /// that build on it are refused.
    pub fn revoked(&mut self, outcome: &Outcome) {
        self.step_revoked(outcome);
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

    /// What a validated transaction did; whom it concerned.
    fn learn_of(
        &mut self,
        flying: &Flying,
        outcome: &Outcome,
        success: bool,
    ) -> SmallVec<[Index; 4]> {
        let raw = outcome.metadata.as_ref().filter(|_| flying.learns);
        let Some(metadata) = raw.and_then(|raw| Metadata::parse(raw.get()).ok()) else {
            self.stats.metadata_missing += u64::from(flying.learns);
            self.world.apply(flying.sender, &flying.holds, success);
            if matches!(flying.slot, Slot::Ticket(_)) {
                self.world.ticket_used(flying.sender);
            }
            return SmallVec::new();
        };
        let ledger = match &outcome.evidence {
            Evidence::Validated(place) => place.ledger_index,
            _ => self.head,
        };
        let concerned = self.world.learn(&metadata, ledger);
        let result = outcome.engine_result.as_ref().map_or("", |result| result.as_str());
        if NOT_AS_KNOWN.contains(&result) {
            for id in &flying.holds.objects {
                self.world.objects.forget(*id);
            }
        }
        concerned
    }

    /// Of the load alone: of what took another one's place, that other one is measured.
    fn measure(&mut self, flying: &Flying, outcome: &Outcome, result: &str, replaced: bool) {
        if flying.origin != Origin::Load || flying.mutation.is_some() {
            return;
        }
        let latencies = outcome.latencies;
        // One that was replaced was final in the ledger that has the other one.
        let by_another = match &outcome.evidence {
            Evidence::SequenceConsumed { ledger, .. } if replaced => {
                Some(ledger.0.saturating_sub(flying.made_at.0))
            }
            _ => None,
        };
        self.measures.ended(Ending {
            stage: flying.stage,
            transaction_type: flying.of.map(|of| self.catalogue.get(of).about().name),
            late: flying.late,
            validated: replaced || outcome.state == State::Validated,
            result,
            success: replaced || outcome.is_success(),
            finality_ms: latencies.finality_ms,
            ledgers: latencies.finality_ledgers.or(by_another),
        });
    }

    fn count(&mut self, flying: &Flying, outcome: &Outcome, lost: bool) {
        let result = outcome.engine_result.as_ref();
        let name = result.map_or_else(|| outcome.evidence.kind(), |result| result.as_str());
        if let ("temDISABLED", Some(of)) = (name, flying.of) {
            self.catalogue.refused(of, "temDISABLED");
        }
        if flying.origin == Origin::Setup {
            return;
        }
        // One that only waited has not failed if a rival of its own did its work. One that was
        // refused has, whatever filled its slot.
        let waited = flying.answer != Some(Answer::Refused);
        let replaced = lost && waited;
        self.measure(flying, outcome, name, replaced);
        if replaced {
            self.stats.replaced += 1;
            return;
        }
        let validated = outcome.state == State::Validated;
        let of = self.name_of(flying.of);
        if flying.of.is_some() {
            flying.ways.iter().for_each(|way| self.covered.count(of, *way, name));
        }
        if flying.of.is_some() && validated {
            self.stats.by_type.entry(of).or_default().validated += 1;
        }
        if let Some(mutation) = flying.mutation {
            self.stats.invalid.count(of, mutation, name);
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
