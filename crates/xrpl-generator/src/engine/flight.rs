//! What is in flight: why it was made, what it may take, what the node said of it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use smallvec::SmallVec;
use xrpl_protocol::{LedgerIndex, TxHash, transaction::Slot};
use xrpl_tracker::{CallersKey, Intent};

use super::{assemble::Legs, band::Fuzzed};
use crate::{
    accounts::Index,
    catalogue::TypeId,
    coverage::Way,
    fuzz::Mangling,
    lane::{Answer, Rival},
    mutation::Mutation,
    plan::Authorization,
    stats::Stats,
    world::Holds,
};

/// Why a transaction was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The schedule.
    Load,
    /// A hole in a lane.
    Filler,
    /// Another one's slot: that one waits or was refused. It is counted as a replacement, not as load.
    Replacement,
    /// Preparing or winding up: not counted as load.
    Setup,
    /// Somebody asked for it; the number is theirs.
    Asked(u64),
    /// A step of the journey of this number.
    Journey(u64),
}

/// A signed transaction, ready to be given to the tracker.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Its hash.
    pub hash: TxHash,
    /// Its bytes.
    pub blob: Bytes,
    /// Who sends it.
    pub sender: Index,
    /// Its type's name.
    pub name: &'static str,
    /// Why it was made.
    pub origin: Origin,
    /// What is wrong with it, if it is meant to fail.
    pub mutation: Option<&'static Mutation>,
    /// What it is meant to do.
    pub intent: Intent,
    /// Whether the node is to keep it only if it applies at once.
    pub fail_hard: bool,
    /// What was done to its bytes, if they are no transaction any more that could be tracked.
    pub mangled: Option<Mangling>,
    /// Whether its metadata is needed.
    pub want_metadata: bool,
    /// By what its caller finds it again.
    pub callers_key: Option<Arc<CallersKey>>,
}

#[derive(Debug)]
pub(super) struct Flying {
    pub(super) sender: Index,
    /// The lane's slot, or one that a mutation put in its place, of which the lane knows nothing.
    pub(super) slot: Slot,
    /// Which of the slot's transactions it is.
    pub(super) rival: Rival,
    pub(super) width: u32,
    /// How far it moves the Sequence, only the ledger says.
    pub(super) unsure: bool,
    /// What it costs at least, drops.
    pub(super) least: u64,
    /// Slots of other accounts that it may use, and which of each slot's transactions it is.
    pub(super) legs: Legs,
    pub(super) holds: Holds,
    /// Its type in the catalogue; none if it is none of the load's.
    pub(super) of: Option<TypeId>,
    /// What of it is counted.
    pub(super) ways: SmallVec<[Way; 2]>,
    pub(super) authorization: Authorization,
    /// Whether its metadata are needed.
    pub(super) learns: bool,
    pub(super) mutation: Option<&'static Mutation>,
    /// What of the fuzz band it is, if it is of that.
    pub(super) fuzz: Option<Fuzzed>,
    pub(super) origin: Origin,
    /// The node's newest answer; none while it is on the wire for the first time.
    pub(super) answer: Option<Answer>,
    /// Which stage it was sent in, and how long after it was due.
    pub(super) stage: u16,
    pub(super) late: Duration,
    /// The newest validated ledger when it was made.
    pub(super) made_at: LedgerIndex,
    pub(super) blob: Bytes,
    /// It does nothing but use its slot.
    pub(super) fills: bool,
    /// The others on its slot, in the order they were made.
    pub(super) rivals: SmallVec<[TxHash; 1]>,
}

impl Flying {
    /// Whether its slot is none that the lane gave: one of the fuzz band's.
    pub(super) fn is_apart(&self) -> bool {
        self.fuzz.is_some_and(|fuzzed| fuzzed.apart)
    }
}

/// How many of those in flight have which newest answer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answers {
    pub(super) on_the_wire: usize,
    pub(super) queued: usize,
    pub(super) retrying: usize,
    pub(super) refused: usize,
}

impl Answers {
    fn of(&mut self, answer: Option<Answer>) -> Option<&mut usize> {
        match answer {
            None => Some(&mut self.on_the_wire),
            Some(Answer::Queued) => Some(&mut self.queued),
            Some(Answer::Retrying) => Some(&mut self.retrying),
            Some(Answer::Refused) => Some(&mut self.refused),
            Some(_) => None,
        }
    }

    pub(super) fn add(&mut self, answer: Option<Answer>) {
        if let Some(n) = self.of(answer) {
            *n += 1;
        }
    }

    pub(super) fn remove(&mut self, answer: Option<Answer>) {
        if let Some(n) = self.of(answer) {
            *n = n.saturating_sub(1);
        }
    }
}

/// What became of a transaction that was made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Its hash.
    pub hash: TxHash,
    /// Why it was made.
    pub origin: Origin,
    /// Whether a validated ledger has it with `tesSUCCESS`.
    pub success: bool,
}

impl Stats {
    pub(in crate::engine) fn submitted(&mut self, flying: &Flying, name: &'static str) {
        if flying.fuzz.is_some() {
            self.fuzz.tracked += u64::from(flying.origin != Origin::Setup);
            return;
        }
        match flying.origin {
            Origin::Setup => return,
            Origin::Replacement => {
                self.replacements += 1;
                return;
            }
            Origin::Load | Origin::Filler | Origin::Asked(_) | Origin::Journey(_) => {}
        }
        match flying.mutation {
            Some(_) => self.submitted_invalid += 1,
            None => self.submitted += 1,
        }
        if flying.of.is_some() {
            self.by_type.entry(name).or_default().submitted += 1;
        }
    }
}
