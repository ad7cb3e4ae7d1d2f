//! What goes in and what comes out: submissions, outcomes, rows, dossiers.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use smallvec::SmallVec;
use tokio::sync::mpsc;
use xrpl_protocol::{AccountId, Drops, Hash256, LedgerIndex, Sequence, TxHash, transaction::Slot};

use crate::{
    evidence::{Evidence, ResultName, Source, ValidatedIn},
    lifecycle::State,
    reason::Reason,
};

/// Whether a transaction is meant to succeed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Intent {
    /// It is meant to.
    #[default]
    Valid,
    /// It is deliberately wrong and must get one of these results.
    Invalid {
        /// Acceptable results, first or final.
        expected: Box<[ResultName]>,
    },
    /// It was generated at random: any outcome is right, as long as there is one.
    Any,
}

/// Which intent, without what it expects.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum IntentKind {
    /// Meant to succeed.
    #[default]
    Valid,
    /// Deliberately wrong.
    Invalid,
    /// Made at random.
    Any,
}

impl Intent {
    /// Which it is.
    #[must_use]
    pub fn kind(&self) -> IntentKind {
        match self {
            Self::Valid => IntentKind::Valid,
            Self::Invalid { .. } => IntentKind::Invalid,
            Self::Any => IntentKind::Any,
        }
    }

    /// Whether a result is what the intent predicts; a valid one predicts `tesSUCCESS`.
    #[must_use]
    pub fn predicts(&self, result: &ResultName) -> bool {
        match self {
            Self::Valid => result.is_success(),
            Self::Invalid { expected } => expected.contains(result),
            Self::Any => true,
        }
    }
}

/// A signed transaction to be followed to its end.
#[derive(Debug)]
pub struct Submission {
    /// The signed, serialised transaction.
    pub blob: Bytes,
    /// What it is meant to do.
    pub intent: Intent,
    /// Whether [`Outcome::metadata`] is wanted.
    pub want_metadata: bool,
    /// Where to send the outcome; a second one follows if a rejection is overturned.
    pub outcome_to: Option<mpsc::UnboundedSender<Arc<Outcome>>>,
    /// Where to send what later attempts are answered; the first answer is what
    /// [`Tracker::submit`](crate::Tracker::submit) returns.
    pub answers_to: Option<mpsc::UnboundedSender<Submitted>>,
    /// By what its caller finds it again.
    pub callers_key: Option<Arc<CallersKey>>,
    /// Whether the node shall keep it only if it applies at once
    /// (`fail_hard` of <https://xrpl.org/docs/references/http-websocket-apis/public-api-methods/transaction-methods/submit>).
    /// What a node answers with anything but `tes` it then neither holds nor relays, so that its
    /// refusal is an end.
    pub fail_hard: bool,
    /// Whether this program made and signed it for this submission, so that nobody else can have sent
    /// it and no ledger before the present one can have it. Anything else may be older than this
    /// program: one refusal or one failed connection says nothing about its end then.
    pub fresh: bool,
}

/// A key that a caller chose for a request, kept with the transaction that was made of it. Whoever
/// repeats the request, in a later process too, finds the transaction instead of making another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallersKey {
    /// The key.
    pub key: Box<str>,
    /// SHA-512Half of the request: the same key with another one is a mistake.
    pub request: Hash256,
}

impl Submission {
    /// A transaction meant to succeed, of which it is not known whether it was sent before.
    #[must_use]
    pub fn new(blob: impl Into<Bytes>) -> Self {
        Self {
            blob: blob.into(),
            intent: Intent::Valid,
            want_metadata: false,
            outcome_to: None,
            answers_to: None,
            callers_key: None,
            fail_hard: false,
            fresh: false,
        }
    }

    /// The same, to be kept by the node only if it applies at once: see [`Submission::fail_hard`].
    #[must_use]
    pub fn fail_hard(mut self) -> Self {
        self.fail_hard = true;
        self
    }

    /// The same, made and signed by this program for this submission: see [`Submission::fresh`].
    #[must_use]
    pub fn fresh(mut self) -> Self {
        self.fresh = true;
        self
    }

    /// The same with another intent.
    #[must_use]
    pub fn intent(mut self, intent: Intent) -> Self {
        self.intent = intent;
        self
    }

    /// The same with metadata wanted.
    #[must_use]
    pub fn want_metadata(mut self) -> Self {
        self.want_metadata = true;
        self
    }

    /// The same, to be found again by a key.
    #[must_use]
    pub fn callers_key(mut self, key: Option<Arc<CallersKey>>) -> Self {
        self.callers_key = key;
        self
    }

    /// The same with its outcome sent there.
    #[must_use]
    pub fn outcome_to(mut self, to: mpsc::UnboundedSender<Arc<Outcome>>) -> Self {
        self.outcome_to = Some(to);
        self
    }
}

/// What is known after an attempt.
#[derive(Clone, Debug, Serialize)]
pub struct Submitted {
    /// The transaction.
    pub hash: TxHash,
    /// Its state now.
    pub state: State,
    /// What the node answered to that attempt, of one submitted again the first answer; none if the
    /// answer is not known.
    pub engine_result: Option<ResultName>,
    /// Whether it was tracked before: then nothing was sent now.
    pub already_tracked: bool,
}

/// How a transaction ended.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The transaction.
    pub hash: TxHash,
    /// Whose it is.
    pub account: AccountId,
    /// Its Sequence or Ticket.
    #[serde(skip)]
    pub slot: Slot,
    /// Its type.
    pub transaction_type: Arc<str>,
    /// The terminal state.
    pub state: State,
    /// The first preliminary result.
    pub engine_result_first: Option<ResultName>,
    /// The final result: that of the metadata, or the refusal.
    pub engine_result: Option<ResultName>,
    /// The validated ledger that has it.
    pub validated_ledger: Option<LedgerIndex>,
    /// Metadata as the node wrote it, when wanted and validated.
    pub metadata: Option<Arc<RawValue>>,
    /// Why the state is given.
    pub evidence: Evidence,
    /// What it was meant to do.
    pub intent: Intent,
    /// How long it took.
    pub latencies: Latencies,
    /// The state was REJECTED before the ledger overturned it.
    pub overturned: bool,
    /// An end was taken back, because a ledger that it rested on turned out to be another one. Where
    /// `state` is not terminal this tells of just that, and `evidence` is what is no longer believed.
    pub revoked: bool,
}

impl Outcome {
    /// Validated with `tesSUCCESS`.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.state == State::Validated
            && self.engine_result.as_ref().is_some_and(ResultName::is_success)
    }
}

/// How long a transaction took, from the moment it was submitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Latencies {
    /// Until the first preliminary answer, milliseconds.
    pub first_answer_ms: Option<u32>,
    /// Until the terminal state, milliseconds.
    pub finality_ms: Option<u32>,
    /// Validated ledgers between submission and the ledger that has it (1 = the next one).
    pub finality_ledgers: Option<u32>,
}

/// One answer to one attempt to submit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preliminary {
    /// When, milliseconds since 1970.
    pub at_ms: u64,
    /// The endpoint's number; [`Dossier`] gives its address.
    pub endpoint: u16,
    /// Outcome of the attempt.
    pub answer: Answer,
}

/// Outcome of an attempt to submit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum Answer {
    /// An engine result.
    EngineResult(ResultName),
    /// An API error's token.
    Error(ResultName),
    /// Refused or broken before the request was written.
    NotWritten,
    /// Timed out or broken afterwards.
    Unknown,
}

/// One time a source showed the transaction in a validated ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Sighting {
    /// When, milliseconds since 1970.
    pub at_ms: u64,
    /// Which way.
    pub source: Source,
    /// The ledger.
    pub ledger_index: LedgerIndex,
    /// Its hash, if the source said it.
    pub ledger_hash: Option<Hash256>,
}

/// The newest validated ledger, as far as is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LedgerHead {
    /// Its index.
    pub index: LedgerIndex,
    /// Its hash.
    pub hash: Hash256,
    /// Cost of a reference transaction.
    pub base_fee: Drops,
    /// Reserve of an account.
    pub reserve_base: Drops,
    /// Reserve of each owned object.
    pub reserve_inc: Drops,
    /// Seconds since 2000-01-01 00:00 UTC.
    pub close_time: u32,
    /// Its transactions; none where the source did not say.
    pub txn_count: Option<u32>,
    /// The network's id, if a node has said it.
    pub network_id: Option<u32>,
}

/// A transaction in a validated ledger that was not submitted here.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// Its hash.
    pub hash: TxHash,
    /// The ledger.
    pub ledger_index: LedgerIndex,
    /// Its metadata, as JSON.
    pub metadata: Box<str>,
}

/// One state change, as broadcast.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StateChange {
    /// Counts up by one within a process.
    pub id: u64,
    /// When, milliseconds since 1970.
    pub at_ms: u64,
    /// The transaction.
    pub tx_hash: TxHash,
    /// Whose it is.
    pub account: AccountId,
    /// Its type.
    pub transaction_type: Arc<str>,
    /// Before; none for a new one.
    #[serde(rename = "previous_state")]
    pub from: Option<State>,
    /// After.
    #[serde(rename = "state")]
    pub to: State,
    /// The newest result, preliminary or final.
    pub engine_result: Option<ResultName>,
    /// The ledger, once validated.
    pub validated_ledger: Option<LedgerIndex>,
    /// Which way it was seen, once validated.
    pub source: Option<Source>,
    /// A final state reported before is taken back: its ledger turned out not to be the network's.
    pub revoked: bool,
    /// How long it took so far.
    #[serde(flatten)]
    pub latencies: Latencies,
}

/// One transaction seen in one validated ledger, whichever source came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Validation {
    /// The transaction.
    pub txn: TxHash,
    /// The ledger.
    pub ledger: LedgerIndex,
    /// The source that reported it first.
    pub source: Source,
}

/// What never changes about a tracked transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// Its hash.
    pub hash: TxHash,
    /// Whose it is.
    pub account: AccountId,
    /// Its Sequence or Ticket.
    pub slot: Slot,
    /// The last ledger that can have it.
    pub last_ledger_sequence: Option<LedgerIndex>,
    /// Its type.
    pub transaction_type: Arc<str>,
    /// What it is meant to do.
    pub intent: Intent,
    /// The newest validated ledger when it was submitted.
    pub created_ledger: LedgerIndex,
    /// When it was submitted, milliseconds since 1970.
    pub created_at_ms: u64,
    /// The signed, serialised transaction.
    pub blob: Bytes,
    /// By what its caller finds it again.
    pub callers_key: Option<Arc<CallersKey>>,
    /// Whether nodes are asked to keep it only if it applies at once: see
    /// [`Submission::fail_hard`].
    pub fail_hard: bool,
    /// Whether it was made for this submission: see [`Submission::fresh`].
    pub fresh: bool,
}

/// What happens to a tracked transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Counts up with every condition that is handed to the store: of two the one with the greater
    /// number is the newer, whichever comes first. 0 is what a row is made with.
    pub version: u32,
    /// The state.
    pub state: State,
    /// Its last ledger has passed but its absence is not proven yet.
    pub undecided: bool,
    /// The state was REJECTED before the ledger overturned it.
    pub overturned: bool,
    /// Its final state was taken back because its ledger turned out not to be the network's.
    pub revoked: bool,
    /// It was meant to succeed, and is REJECTED because a rival that was submitted here too used its
    /// Sequence or Ticket. Unless a node had refused it, that is no failure.
    pub superseded: bool,
    /// Attempts to submit.
    pub attempts: u32,
    /// The first engine result (or refusal).
    pub engine_result_first: Option<ResultName>,
    /// The newest one.
    pub engine_result_last: Option<ResultName>,
    /// Where it stands in the validated ledger.
    pub validated: Option<Box<ValidatedIn>>,
    /// Why the state is terminal, when it is; for VALIDATED see `validated`.
    pub evidence: Option<Box<Evidence>>,
    /// What else is known of why it has no end, or a bad one.
    pub reason: Option<Box<Reason>>,
    /// The first attempts and the last ones; those between are only counted.
    pub preliminary: SmallVec<[Preliminary; 1]>,
    /// Sightings in validated ledgers.
    pub sightings: Vec<Sighting>,
    /// How long it took.
    pub latencies: Latencies,
}

impl Progress {
    /// What a new transaction starts with.
    #[must_use]
    pub fn created() -> Self {
        Self {
            version: 0,
            state: State::Created,
            undecided: false,
            overturned: false,
            revoked: false,
            superseded: false,
            attempts: 0,
            engine_result_first: None,
            engine_result_last: None,
            validated: None,
            evidence: None,
            reason: None,
            preliminary: SmallVec::new(),
            sightings: Vec::new(),
            latencies: Latencies::default(),
        }
    }

    /// Why the state is terminal, when it is.
    #[must_use]
    pub fn evidence(&self) -> Option<Evidence> {
        match (&self.validated, &self.evidence) {
            (Some(place), _) => Some(Evidence::Validated((**place).clone())),
            (None, Some(evidence)) => Some((**evidence).clone()),
            (None, None) => None,
        }
    }

    /// The final result: that of the metadata, or the refusal.
    #[must_use]
    pub fn engine_result_final(&self) -> Option<ResultName> {
        match (&self.validated, self.evidence.as_deref()) {
            (Some(place), _) => Some(place.result.clone()),
            (None, Some(Evidence::RefusedByNode { engine_result })) => Some(engine_result.clone()),
            _ if self.state.is_terminal() => self.engine_result_last.clone(),
            _ => None,
        }
    }
}

/// A tracked transaction, whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Position in the store: counts up in the order of submission.
    pub id: u64,
    /// The run it belongs to.
    pub run: RunId,
    /// What never changes.
    pub identity: Identity,
    /// What happens to it.
    pub progress: Progress,
}

/// A run: a time during which one store followed one ledger.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RunId(pub u64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A tracked transaction as a row of a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Row {
    /// Position, for cursors.
    pub id: u64,
    /// The run it belongs to.
    pub run: RunId,
    /// The transaction.
    pub tx_hash: TxHash,
    /// The state.
    pub state: State,
    /// Whose it is.
    pub account: AccountId,
    /// Its Sequence; 0 with a Ticket, as on the ledger.
    pub sequence: Sequence,
    /// Its Ticket.
    pub ticket_sequence: Option<Sequence>,
    /// The last ledger that can have it.
    pub last_ledger_seq: Option<LedgerIndex>,
    /// The newest validated ledger when it was submitted.
    pub created_ledger: LedgerIndex,
    /// When it was submitted, milliseconds since 1970.
    pub created_at_ms: u64,
    /// Attempts to submit.
    pub attempts: u32,
    /// Its type.
    pub transaction_type: Arc<str>,
    /// What it is meant to do.
    pub intent: Intent,
    /// The first preliminary result.
    pub engine_result_first: Option<ResultName>,
    /// What xrpld says about the newest result.
    pub engine_result_message: Option<&'static str>,
    /// The final result.
    pub engine_result_final: Option<ResultName>,
    /// The validated ledger that has it.
    pub validated_ledger: Option<LedgerIndex>,
    /// The metadata's result.
    pub meta_txn_result: Option<ResultName>,
    /// Which way it was seen first.
    pub source: Option<Source>,
    /// Its last ledger has passed but its absence is not proven yet.
    pub undecided: bool,
    /// The state was REJECTED before the ledger overturned it.
    pub overturned: bool,
    /// Its final state was taken back because its ledger turned out not to be the network's.
    pub revoked: bool,
    /// Why the state is terminal.
    pub evidence: Option<Evidence>,
    /// What else is known of why it has no end, or a bad one.
    pub reason: Option<ReasonView>,
    /// How long it took.
    #[serde(flatten)]
    pub latencies: Latencies,
}

impl From<&Record> for Row {
    fn from(record: &Record) -> Self {
        let Record { id, run, identity, progress } = record;
        let (sequence, ticket_sequence) = match identity.slot {
            Slot::Sequence(n) => (n, None),
            Slot::Ticket(n) => (Sequence(0), Some(n)),
        };
        let engine_result_final = progress.engine_result_final();
        let newest = engine_result_final.as_ref().or(progress.engine_result_last.as_ref());
        Self {
            id: *id,
            run: *run,
            tx_hash: identity.hash,
            state: progress.state,
            account: identity.account,
            sequence,
            ticket_sequence,
            last_ledger_seq: identity.last_ledger_sequence,
            created_ledger: identity.created_ledger,
            created_at_ms: identity.created_at_ms,
            attempts: progress.attempts,
            transaction_type: identity.transaction_type.clone(),
            intent: identity.intent.clone(),
            engine_result_first: progress.engine_result_first.clone(),
            engine_result_message: newest.map(ResultName::message).filter(|m| !m.is_empty()),
            validated_ledger: progress.validated.as_ref().map(|v| v.ledger_index),
            meta_txn_result: progress.validated.as_ref().map(|v| v.result.clone()),
            source: progress.validated.as_ref().map(|v| v.source),
            undecided: progress.undecided,
            overturned: progress.overturned,
            revoked: progress.revoked,
            evidence: progress.evidence(),
            reason: progress.reason.as_deref().map(|reason| ReasonView {
                reason: reason.clone(),
                text: reason.told(progress.state.is_terminal()),
            }),
            latencies: progress.latencies,
            engine_result_final,
        }
    }
}

/// A reason with its figures and in words.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReasonView {
    /// The reason.
    #[serde(flatten)]
    pub reason: Reason,
    /// In words.
    pub text: String,
}

/// Everything known about one transaction.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Dossier {
    /// The row.
    #[serde(flatten)]
    pub row: Row,
    /// Of an undecided one: which ledgers that could have it are not known whole, and why.
    pub waits_for: Option<String>,
    /// The signed, serialised transaction, upper-case hex.
    pub tx_blob: String,
    /// Its fields.
    pub tx_json: serde_json::Value,
    /// Every preliminary result (of very many, the first and the newest).
    pub preliminary_results: Vec<PreliminaryView>,
    /// Every sighting in a validated ledger.
    pub sightings: Vec<Sighting>,
}

/// A preliminary result with the endpoint's address.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PreliminaryView {
    /// When, milliseconds since 1970.
    pub at_ms: u64,
    /// The endpoint.
    pub endpoint: String,
    /// Outcome of the attempt.
    #[serde(flatten)]
    pub answer: Answer,
}

/// Which rows are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowFilter {
    /// Only these states; all if empty.
    pub states: Vec<State>,
    /// Only this type.
    pub transaction_type: Option<String>,
    /// Only this account's.
    pub account: Option<AccountId>,
    /// Only with this result, first or final.
    pub engine_result: Option<ResultName>,
    /// Only with this first preliminary result; `Some(None)`: with none.
    pub preliminary: Option<Option<ResultName>>,
    /// Only with this final result; `Some(None)`: with none.
    pub last: Option<Option<ResultName>>,
    /// Only those validated in this ledger.
    pub ledger: Option<LedgerIndex>,
    /// Only undecided ones.
    pub undecided: bool,
    /// The newest first; cursors then go backwards.
    pub newest_first: bool,
}

/// Some rows, oldest first unless the filter says otherwise.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RowPage {
    /// The rows.
    pub rows: Vec<Row>,
    /// Where the next page starts; none after the last row.
    pub next_cursor: Option<u64>,
}

/// What one finality check did.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CheckReport {
    /// How many transactions were looked up.
    pub checked: usize,
    /// What each look-up left.
    pub results: Vec<CheckResult>,
}

/// What a look-up left of one transaction.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CheckResult {
    /// The transaction.
    pub tx_hash: TxHash,
    /// Its state now.
    pub state: State,
    /// The validated ledger that has it.
    pub ledger_index: Option<LedgerIndex>,
}
