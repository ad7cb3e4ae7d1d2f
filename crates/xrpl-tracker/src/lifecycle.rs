//! The life of a transaction as a pure function: state and event in, state and effects out.
//!
//! No state is set anywhere else. A terminal state is a fact about the ledger, with evidence:
//!
//! - VALIDATED only by a validated ledger that has the transaction;
//! - EXPIRED only by proof that no ledger up to LastLedgerSequence has it;
//! - REJECTED by the node's refusal before it held the transaction, or by another transaction that
//!   used the same Sequence or Ticket in a validated ledger;
//! - FAILED_NET only if no byte of it can have reached a node.
//!
//! Terminal states never change, except that a validated ledger outranks an opinion: REJECTED
//! becomes VALIDATED (and counts as overturned, which a healthy run keeps at 0). A ledger that
//! contradicts EXPIRED or FAILED_NET raises an alarm and changes nothing.

use std::fmt;

use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};
use xrpl_protocol::{LedgerIndex, ResultClass, TxHash};

use crate::evidence::{AbsenceProof, Evidence, ResultName, ValidatedIn};

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
    /// No node took it yet; the same blob is sent again on later ledgers.
    Retryable = 2,
    /// In a validated ledger. Terminal.
    Validated = 3,
    /// Refused, or its Sequence or Ticket went to another. Terminal.
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
    /// An earlier attempt may have reached a node: nothing but the ledger can say it is not there.
    pub may_have_left: bool,
    /// Its last ledger has passed but its absence is not proven yet.
    pub undecided: bool,
    /// A node said `tefPAST_SEQ`, `tefMAX_LEDGER` or the like: the ledger is to be asked.
    pub in_doubt: bool,
}

impl TxState {
    /// What a new transaction starts with.
    pub const CREATED: Self =
        Self { state: State::Created, may_have_left: false, undecided: false, in_doubt: false };
}

/// What can happen to a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A node answered `submit` with an engine result.
    Answered(ResultName),
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
    /// What a node's doubtful refusal (`tefPAST_SEQ`, `tefNO_TICKET`) says is so: a validated ledger
    /// shows its Sequence or Ticket gone, and no ledger that could have it does.
    RefusalConfirmed(ResultName),
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
        _ if tx.state.is_terminal() => Transition::unchanged(tx),
        Event::Answered(result) => answered(tx, result),
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
        Event::RefusalConfirmed(result) => match tx.state {
            State::Submitted | State::Retryable if tx.in_doubt => Transition::end(
                tx,
                State::Rejected,
                Evidence::RefusedByNode { engine_result: result.clone() },
            ),
            _ => Transition::unchanged(tx),
        },
        Event::LastLedgerPassed { last_ledger_sequence, proof } => match (tx.state, proof) {
            (State::Submitted | State::Retryable, Some(proof)) => Transition::end(
                tx,
                State::Expired,
                Evidence::LastLedgerPassed {
                    last_ledger_sequence: *last_ledger_sequence,
                    proof: proof.clone(),
                },
            ),
            (State::Submitted | State::Retryable, None) if !tx.undecided => Transition::stay(
                TxState { undecided: true, ..tx },
                smallvec![Effect::Persist, Effect::LookUp],
            ),
            // A CREATED one has not been answered yet: the attempt under way says what became of it.
            _ => Transition::unchanged(tx),
        },
        Event::SequenceConsumed { by, ledger } => match tx.state {
            State::Submitted | State::Retryable => Transition::end(
                tx,
                State::Rejected,
                Evidence::SequenceConsumed { by: *by, ledger: *ledger },
            ),
            // As above: unless the answer settles it, it will be `tefPAST_SEQ`, which asks.
            _ => Transition::unchanged(tx),
        },
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

fn answered(tx: TxState, result: &ResultName) -> Transition {
    match result.class() {
        // A node that has it already holds it: SUBMITTED.
        _ if *result == "tefALREADY" || *result == "terQUEUED" => held(tx),
        Some(ResultClass::Tes | ResultClass::Tec) => held(tx),
        Some(ResultClass::Ter | ResultClass::Tel) => not_taken(tx),
        // These may hide a success of the same blob, from here or elsewhere, even at the first
        // attempt: what lies between may have handed the request on twice.
        Some(ResultClass::Tef) if hides_success(result) => {
            let doubtful = TxState { in_doubt: true, ..tx };
            Transition::on(doubtful, State::Submitted, Effect::LookUp)
        }
        Some(ResultClass::Tef | ResultClass::Tem) => refused(tx, result),
        // Not the name of a result: nothing is known about what the node did with it.
        None => Transition::on(tx, State::Submitted, Effect::LookUp),
    }
}

/// Whether a refusal is what a node says too of a transaction that it has applied.
pub(crate) fn hides_success(result: &ResultName) -> bool {
    ["tefPAST_SEQ", "tefMAX_LEDGER", "tefNO_TICKET"].contains(&result.as_str())
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

/// The node refuses it.
fn refused(tx: TxState, result: &ResultName) -> Transition {
    match tx.state {
        State::Created | State::Retryable => Transition::end(
            TxState { may_have_left: true, ..tx },
            State::Rejected,
            Evidence::RefusedByNode { engine_result: result.clone() },
        ),
        // Some node may hold it; one node's refusal says nothing about the others.
        _ => Transition::stay(tx, smallvec![Effect::Persist, Effect::LookUp]),
    }
}

#[cfg(test)]
mod tests;
