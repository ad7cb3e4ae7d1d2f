//! The life of a transaction as a pure function: state and event in, state and effects out.
//!
//! No state is set anywhere else. A terminal state is a fact about the ledger, with evidence:
//!
//! - VALIDATED only by a validated ledger that has the transaction;
//! - EXPIRED only by proof that no ledger up to LastLedgerSequence has it;
//! - REJECTED by a refusal of the only node that can have it, which neither keeps it nor has passed
//!   it on, so that nobody can apply it; or because another transaction used the same Sequence or
//!   Ticket in a validated ledger, or something did before any ledger could have it;
//! - FAILED_NET only if no byte of it can have reached a node.
//!
//! A node that refuses a transaction mostly keeps it and applies it when it can ([`refusals`] says
//! it code by code). And whatever one node says, another may have the same blob: from an earlier
//! attempt, from before a restart, or from whoever handed it in. So a refusal or a failed connection
//! ends only what has provably never been anywhere else ([`TxState::may_have_left`]); everything
//! else stays open until the ledger decides, or is shown as undecided if the ledgers that could tell
//! are no longer to be had.
//!
//! Terminal states never change, except in two ways. A validated ledger outranks an opinion:
//! REJECTED becomes VALIDATED (and counts as overturned, which a healthy run keeps at 0). And an end
//! that rests on a ledger falls with it: where it turns out that the ledger of that index is another
//! one than the nodes reported, the transaction is open again and decided from the true ledger (and
//! counts as revoked). A ledger that contradicts EXPIRED or FAILED_NET otherwise raises an alarm and
//! changes nothing.

use std::fmt;

use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};
use xrpl_protocol::{LedgerIndex, TxHash};

use self::refusals::{Handling, Meaning, meaning};
use crate::evidence::{AbsenceProof, Evidence, ResultName, ValidatedIn};

pub mod refusals;
pub mod turned;

/// Where a transaction is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[repr(u8)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum State {
    /// Built and signed; no answer yet.
    Created = 0,
    /// A node holds it, or may hold it.
    Submitted = 1,
    /// It does not apply yet; the same blob is sent again on later ledgers. Nodes that were given it
    /// may apply it by themselves.
    Retryable = 2,
    /// In a validated ledger. Terminal.
    Validated = 3,
    /// Refused by the only node that had it, or its Sequence or Ticket went to another. Terminal.
    Rejected = 4,
    /// Proven to be in no ledger that could have it. Terminal.
    Expired = 5,
    /// Never sent. Terminal.
    FailedNet = 6,
}

impl State {
    /// All of them, in the order of their discriminants.
    pub const ALL: [Self; 7] = [
        Self::Created,
        Self::Submitted,
        Self::Retryable,
        Self::Validated,
        Self::Rejected,
        Self::Expired,
        Self::FailedNet,
    ];

    /// Whether the state is an end.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Validated | Self::Rejected | Self::Expired | Self::FailedNet)
    }

    /// `CREATED`, `SUBMITTED`, ...
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Submitted => "SUBMITTED",
            Self::Retryable => "RETRYABLE",
            Self::Validated => "VALIDATED",
            Self::Rejected => "REJECTED",
            Self::Expired => "EXPIRED",
            Self::FailedNet => "FAILED_NET",
        }
    }

    /// What it says of a transaction, and, of a terminal one, on which evidence. In Markdown:
    /// `docs/reference/states.md` is made from it.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Created => "Built and signed; no node has answered yet.",
            Self::Submitted => "A node has it, or may have it.",
            Self::Retryable => {
                "It cannot be applied yet. The same blob is sent again on later ledgers; nodes that \
                 already have it may apply it by themselves."
            }
            Self::Validated => {
                "It is in a validated ledger (`tec` results too). Evidence: the ledger's index and \
                 hash, the result, and the source that reported it."
            }
            Self::Rejected => {
                "No ledger can ever include it. Evidence: the only node that ever had it refused it \
                 and neither kept it nor passed it on, or something else used its Sequence or Ticket \
                 in a validated ledger."
            }
            Self::Expired => {
                "No ledger can include it any more. Evidence: a validated ledger at or after its \
                 LastLedgerSequence shows its Sequence or Ticket still unused, or every ledger that \
                 could have included it was read without finding it."
            }
            Self::FailedNet => "Not one byte of it left this machine.",
        }
    }

    /// The state of a discriminant.
    #[must_use]
    pub fn from_index(n: u8) -> Option<Self> {
        Self::ALL.get(usize::from(n)).copied()
    }

    /// The state of a name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Everything about a transaction that decides what an event does to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TxState {
    /// The state.
    pub state: State,
    /// A node may have it: from an attempt, from before a restart, or from whoever made it. Nothing
    /// but the ledger can say then that it is not there. It never becomes false again.
    pub may_have_left: bool,
    /// Its last ledger has passed, or its Sequence or Ticket is gone, but what became of it is not
    /// proven (yet).
    pub undecided: bool,
    /// A node said `tefPAST_SEQ`, `tefMAX_LEDGER` or the like: the ledger is to be asked.
    pub in_doubt: bool,
}

impl TxState {
    /// What a transaction starts with that was made for this submission: nobody else has it.
    pub const CREATED: Self =
        Self { state: State::Created, may_have_left: false, undecided: false, in_doubt: false };

    /// What a transaction starts with that may be older: somebody may have sent it before.
    pub const HANDED_IN: Self = Self { may_have_left: true, ..Self::CREATED };
}

/// What can happen to a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A node answered `submit` with an engine result.
    Answered {
        /// The result.
        result: ResultName,
        /// How it was submitted, and what else the node says it did with it.
        handling: Handling,
    },
    /// A node answered `submit` with an API error instead of an engine result.
    ApiError {
        /// The error token.
        token: ResultName,
        /// Whether the token is about the transaction itself (`invalidTransaction`), not about the
        /// node's present condition (`tooBusy`).
        refused: bool,
    },
    /// The connection was refused or broke before the request was written.
    NotWritten {
        /// Attempts made, this one included.
        attempts: u32,
        /// Whether the retry budget is used up.
        budget_spent: bool,
    },
    /// A timeout or a broken connection after the request was written; also a restart of this
    /// program, when it is not known whether the blob left.
    OutcomeUnknown,
    /// Seen in a validated ledger.
    SeenValidated(ValidatedIn),
    /// A validated ledger shows its Sequence or Ticket gone.
    SlotGone {
        /// The validated ledger.
        ledger: LedgerIndex,
        /// The first ledger that could have the transaction, if every one from it to `ledger` is
        /// known not to. None where the ledger in which the slot was used is not to be had: whether
        /// by this transaction or by another one is not known then.
        absent_from: Option<LedgerIndex>,
    },
    /// `tx` found it, but not in a validated ledger: evidence of nothing.
    FoundNotValidated,
    /// The validated ledger is past its LastLedgerSequence.
    LastLedgerPassed {
        /// Its LastLedgerSequence.
        last_ledger_sequence: LedgerIndex,
        /// Proof that no ledger up to it has the transaction, if there is one yet.
        proof: Option<AbsenceProof>,
    },
    /// Another transaction with its Sequence or Ticket is in a validated ledger.
    SequenceConsumed {
        /// The other one.
        by: TxHash,
        /// The validated ledger that has the other one.
        ledger: LedgerIndex,
    },
    /// A ledger that the evidence of its end rests on (see [`Evidence::rests_on`]) is not the
    /// validated ledger of its index.
    LedgerDenied,
}

/// What is to be done after a transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Write the new condition to the store.
    Persist,
    /// Tell subscribers that the state changed.
    Announce,
    /// Give the evidence to whoever waits for the outcome.
    Conclude(Evidence),
    /// Send the same blob again on a later ledger.
    ResendOnLaterLedger,
    /// Send the same blob again after a pause.
    ResendAfterPause,
    /// Ask the ledger about it now.
    LookUp,
    /// Write one validation record for (transaction, ledger).
    RecordValidation(ValidatedIn),
    /// Count an opinion that the ledger overturned.
    CountOverturned,
    /// Take back the end that was given before, and count that.
    Revoke,
    /// A ledger contradicts a proof: this must never happen.
    Alarm,
}

/// The new condition and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The condition after the event.
    pub state: TxState,
    /// What is to be done, in order.
    pub effects: SmallVec<[Effect; 4]>,
}

impl Transition {
    fn unchanged(tx: TxState) -> Self {
        Self { state: tx, effects: SmallVec::new() }
    }

    fn stay(tx: TxState, effects: SmallVec<[Effect; 4]>) -> Self {
        Self { state: tx, effects }
    }

    /// To a state that is not terminal; announces it if it is another one.
    fn on(before: TxState, state: State, then: Effect) -> Self {
        let after = TxState { state, may_have_left: true, ..before };
        let mut effects = smallvec![Effect::Persist];
        if before.state != state {
            effects.push(Effect::Announce);
        }
        effects.push(then);
        Self { state: after, effects }
    }

    fn end(before: TxState, state: State, evidence: Evidence) -> Self {
        let after = TxState { state, undecided: false, in_doubt: false, ..before };
        Self {
            state: after,
            effects: smallvec![Effect::Persist, Effect::Announce, Effect::Conclude(evidence)],
        }
    }
}

/// What an event does to a transaction.
#[must_use]
pub fn transition(tx: &TxState, event: &Event) -> Transition {
    let tx = *tx;
    match event {
        Event::SeenValidated(place) => seen_validated(tx, place),
        Event::LedgerDenied => ledger_denied(tx),
        _ if tx.state.is_terminal() => Transition::unchanged(tx),
        Event::Answered { result, handling } => answered(tx, result, *handling),
        // Refused by a check before the node takes it in: it neither keeps it nor passes it on.
        Event::ApiError { token, refused: true } => refused(tx, token),
        // As a `tel`: this node did not take it now; later, or another one, may.
        Event::ApiError { refused: false, .. } => not_taken(tx),
        Event::NotWritten { attempts, budget_spent } => match (tx.state, budget_spent) {
            // Only what provably never left may be called so.
            (State::Created, true) if !tx.may_have_left => {
                Transition::end(tx, State::FailedNet, Evidence::NeverSent { attempts: *attempts })
            }
            (_, false) => {
                Transition::stay(tx, smallvec![Effect::Persist, Effect::ResendAfterPause])
            }
            (_, true) => {
                Transition::stay(tx, smallvec![Effect::Persist, Effect::ResendOnLaterLedger])
            }
        },
        Event::OutcomeUnknown => Transition::on(tx, State::Submitted, Effect::ResendAfterPause),
        Event::FoundNotValidated => Transition::unchanged(tx),
        // A CREATED one that only this program has is not answered yet: the attempt under way says
        // what became of it.
        Event::SlotGone { .. }
        | Event::LastLedgerPassed { .. }
        | Event::SequenceConsumed { .. }
            if !tx.may_have_left =>
        {
            Transition::unchanged(tx)
        }
        Event::SlotGone { ledger, absent_from: Some(first) } => Transition::end(
            tx,
            State::Rejected,
            Evidence::SlotGone { ledger_index: *ledger, first: *first },
        ),
        Event::SlotGone { absent_from: None, .. } if tx.undecided => Transition::unchanged(tx),
        Event::SlotGone { absent_from: None, .. } => {
            Transition::stay(TxState { undecided: true, ..tx }, smallvec![Effect::Persist])
        }
        Event::LastLedgerPassed { last_ledger_sequence, proof } => match proof {
            Some(proof) => Transition::end(
                tx,
                State::Expired,
                Evidence::LastLedgerPassed {
                    last_ledger_sequence: *last_ledger_sequence,
                    proof: proof.clone(),
                },
            ),
            None if tx.undecided => Transition::unchanged(tx),
            None => Transition::stay(
                TxState { undecided: true, ..tx },
                smallvec![Effect::Persist, Effect::LookUp],
            ),
        },
        Event::SequenceConsumed { by, ledger } => Transition::end(
            tx,
            State::Rejected,
            Evidence::SequenceConsumed { by: *by, ledger: *ledger },
        ),
    }
}

fn seen_validated(tx: TxState, place: &ValidatedIn) -> Transition {
    let overturned = match tx.state {
        // One record per ledger; a second ledger would be another chain.
        State::Validated => return Transition::unchanged(tx),
        State::Expired | State::FailedNet => {
            return Transition::stay(tx, smallvec![Effect::Alarm]);
        }
        State::Rejected => true,
        State::Created | State::Submitted | State::Retryable => false,
    };
    let after =
        TxState { state: State::Validated, may_have_left: true, undecided: false, in_doubt: false };
    let mut effects: SmallVec<[Effect; 4]> = smallvec![
        Effect::RecordValidation(place.clone()),
        Effect::Persist,
        Effect::Announce,
        Effect::Conclude(Evidence::Validated(place.clone())),
    ];
    if overturned {
        effects.insert(0, Effect::CountOverturned);
    }
    Transition { state: after, effects }
}

/// Back to open. The blob was sent, and the slot of one that was REJECTED or EXPIRED may have gone to
/// another since; sending the same bytes again does no harm whatever the true ledger holds. What
/// never left (FAILED_NET) rests on no ledger.
fn ledger_denied(tx: TxState) -> Transition {
    match tx.state {
        State::Validated | State::Rejected | State::Expired => Transition::stay(
            TxState {
                state: State::Submitted,
                may_have_left: true,
                undecided: false,
                in_doubt: false,
            },
            smallvec![Effect::Revoke, Effect::Persist, Effect::Announce, Effect::ResendAfterPause],
        ),
        State::FailedNet | State::Created | State::Submitted | State::Retryable => {
            Transition::unchanged(tx)
        }
    }
}

fn answered(tx: TxState, result: &ResultName, handling: Handling) -> Transition {
    match meaning(result, handling) {
        Meaning::Taken => held(tx),
        Meaning::NotYet => not_taken(tx),
        Meaning::InDoubt => {
            let doubtful = TxState { in_doubt: true, ..tx };
            Transition::on(doubtful, State::Submitted, Effect::LookUp)
        }
        Meaning::Opinion => opinion(tx),
        Meaning::Refused => refused(tx, result),
    }
}

/// The node holds it.
fn held(tx: TxState) -> Transition {
    let after = TxState { state: State::Submitted, may_have_left: true, ..tx };
    let mut effects = smallvec![Effect::Persist];
    if tx.state != State::Submitted {
        effects.push(Effect::Announce);
    }
    Transition { state: after, effects }
}

/// The node did not apply it but may later.
fn not_taken(tx: TxState) -> Transition {
    Transition::on(tx, State::Retryable, Effect::ResendOnLaterLedger)
}

/// The node will not have it, and some node may have it all the same.
fn opinion(tx: TxState) -> Transition {
    Transition::on(tx, State::Submitted, Effect::LookUp)
}

/// The node refuses it, and has neither kept it nor passed it on.
fn refused(tx: TxState, result: &ResultName) -> Transition {
    if tx.may_have_left {
        // One node's refusal says nothing about the others.
        return opinion(tx);
    }
    Transition::end(
        TxState { may_have_left: true, ..tx },
        State::Rejected,
        Evidence::RefusedByNode { engine_result: result.clone() },
    )
}

#[cfg(test)]
mod tests;
