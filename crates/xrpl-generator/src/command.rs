//! What goes between the handle and the driver.

use std::{borrow::Cow, sync::Arc};

use serde::Serialize;
use tokio::sync::oneshot;
use xrpl_protocol::{
    AccountId, Amount, Drops, Hash256, LedgerIndex, Object, TxHash, keys::KeyType,
};
use xrpl_tracker::{CallersKey, ResultName, State};

use crate::{
    coverage::Coverage,
    diagnosis::TypeDiagnosis,
    error::GeneratorError,
    journey::JourneyRun,
    lanes::LaneList,
    measure::Measure,
    pacing::Pace,
    stage::{Stage, StageProgress},
    stats::Status,
};

/// How far the preparation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Progress {
    /// What is being done.
    pub stage: &'static str,
    /// How many are done.
    pub done: usize,
    /// How many there are.
    pub total: usize,
}

/// A transaction that was asked for, after the node's first answer.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Asked {
    /// Its hash.
    pub tx_hash: TxHash,
    /// Its type's name.
    pub transaction_type: Cow<'static, str>,
    /// Who sends it.
    pub account: AccountId,
    /// Its state.
    pub state: State,
    /// The node's first answer; none if it is not known.
    pub engine_result: Option<ResultName>,
}

pub(crate) type Reply<T> = oneshot::Sender<Result<T, GeneratorError>>;

/// By what a caller finds its transaction again.
pub(crate) type Key = Option<Arc<CallersKey>>;

/// What the handle asks of the driver.
pub(crate) enum Command {
    Start(Reply<()>),
    Stop(Reply<()>),
    SetPace(Pace, Reply<f64>),
    SetMaxPending(usize, Reply<usize>),
    SetIntent(f64, Reply<f64>),
    SetFuzz(f64, Reply<f64>),
    Toggle(String, bool, Reply<bool>),
    SetWeight(String, u32, Reply<u32>),
    Lanes(usize, Reply<LaneList>),
    DeletedIn(Hash256, Reply<Option<LedgerIndex>>),
    Create(Option<String>, Key, Reply<Asked>),
    Pay { from: AccountId, to: AccountId, amount: Amount, key: Key, reply: Reply<Asked> },
    Send { from: AccountId, body: Object, key: Key, reply: Reply<Asked> },
    NewAccount(NewAccount, Key, Reply<Asked>),
    Status(Reply<Status>),
    Diagnose(Reply<Vec<TypeDiagnosis>>),
    Coverage(Reply<Coverage>),
    SkipStage(Reply<StageProgress>),
    EnterStage(Box<Stage>, Reply<StageProgress>),
    Finish(Reply<StageProgress>),
    Measures(Reply<Vec<Arc<Measure>>>),
    StartJourney(String, Key, Reply<JourneyRun>),
}

/// An account to be created.
pub(crate) struct NewAccount {
    pub(crate) drops: Option<Drops>,
    pub(crate) key_type: Option<KeyType>,
    /// Its address, as soon as it is known.
    pub(crate) address: oneshot::Sender<AccountId>,
}
