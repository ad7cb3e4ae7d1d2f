//! A journey that was asked for, and how far it got.

use serde::Serialize;
use xrpl_protocol::{AccountId, LedgerIndex, TxHash};
use xrpl_tracker::{Evidence, ResultName, State};

use super::Journey;

/// The state of a journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JourneyState {
    /// Steps are still to come.
    Running,
    /// Every step was validated with `tesSUCCESS`.
    Done,
    /// A step was not; `why` names it.
    Failed,
}

/// The state of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// The step before it is not validated yet; or the journey ended before it.
    Ahead,
    /// It is next, but cannot be sent yet: `waits_for` says why.
    Waiting,
    /// It was sent, and has no final result yet.
    Sent,
    /// It was validated with `tesSUCCESS`.
    Done,
    /// It ended otherwise, or could not be sent.
    Failed,
}

/// An account in a part of a journey.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RunParty {
    /// The part.
    pub name: &'static str,
    /// The account.
    pub account: AccountId,
}

/// A step of a run of a journey.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RunStep {
    /// Its name within the journey.
    pub name: &'static str,
    /// Its TransactionType.
    pub transaction_type: &'static str,
    /// Which party sends it.
    pub by: &'static str,
    /// What it does, in one sentence.
    pub does: &'static str,
    /// Its state.
    pub state: StepState,
    /// What it waits for, while it does.
    pub waits_for: Option<String>,
    /// Its transaction, once it was signed.
    pub tx_hash: Option<TxHash>,
    /// The state of that, once it is final.
    pub tx_state: Option<State>,
    /// Its result, once its state is final.
    pub engine_result: Option<ResultName>,
    /// The validated ledger that has it.
    pub ledger_index: Option<LedgerIndex>,
    /// The evidence of its final state.
    pub evidence: Option<Evidence>,
}

/// A journey that was asked for, and how far it got.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct JourneyRun {
    /// Its number in this process.
    pub id: u64,
    /// The journey's name.
    pub name: &'static str,
    /// What it shows, in one sentence.
    pub shows: &'static str,
    /// Its state.
    pub state: JourneyState,
    /// Why it failed: the step, and its result.
    pub why: Option<String>,
    /// The accounts that take part.
    pub parties: Vec<RunParty>,
    /// Its steps, in their order.
    pub steps: Vec<RunStep>,
    /// The newest validated ledger when it began.
    pub started_in: LedgerIndex,
    /// The newest validated ledger when it ended.
    pub ended_in: Option<LedgerIndex>,
}

impl JourneyRun {
    /// One that begins.
    pub(crate) fn new(
        id: u64,
        journey: &'static Journey,
        accounts: impl Iterator<Item = AccountId>,
        started_in: LedgerIndex,
    ) -> Self {
        let parties = journey.parties.iter().zip(accounts);
        let steps = journey.steps.iter().map(|step| RunStep {
            name: step.name,
            transaction_type: step.transaction_type,
            by: step.by,
            does: step.does,
            state: StepState::Ahead,
            waits_for: None,
            tx_hash: None,
            tx_state: None,
            engine_result: None,
            ledger_index: None,
            evidence: None,
        });
        Self {
            id,
            name: journey.name,
            shows: journey.shows,
            state: JourneyState::Running,
            why: None,
            parties: parties
                .map(|(party, account)| RunParty { name: party.name, account })
                .collect(),
            steps: steps.collect(),
            started_in,
            ended_in: None,
        }
    }

    /// Whether it has ended, well or not.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state != JourneyState::Running
    }
}
