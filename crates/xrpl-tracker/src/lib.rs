//! Follows a transaction from signed blob to proven end.
//!
//! A terminal state is a fact about the ledger, with evidence, or it is not given.

pub mod config;
pub mod error;
pub mod evidence;
pub mod lifecycle;
pub mod record;
pub mod stats;
pub mod store;
mod tracker;

pub use config::{Subscription, TrackerConfig};
pub use error::{Error, Result};
pub use evidence::{AbsenceProof, Evidence, ResultName, Source, ValidatedIn};
pub use lifecycle::State;
pub use record::{
    CheckReport, Dossier, Intent, LedgerHead, Outcome, Row, RowFilter, RowPage, RunId, StateChange,
    Submission, Submitted, Validation,
};
pub use stats::{Stats, WsStats};
pub use store::{MemoryStore, Store};
pub use tracker::Tracker;
