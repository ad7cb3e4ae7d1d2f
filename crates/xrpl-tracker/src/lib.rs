//! Follows a transaction from signed blob to proven end.
//!
//! A terminal state is a fact about the ledger, with evidence, or it is not given.

mod backfill;
#[doc(hidden)]
pub mod bench_support;
mod completeness;
pub mod config;
mod core;
pub mod error;
mod event_queue;
pub mod evidence;
mod finality_checker;
pub mod lifecycle;
pub mod message;
mod network;
mod pending;
pub mod record;
pub mod stats;
pub mod store;
mod submitter;
mod supervisor;
mod tracker;
mod validation;
mod ws_listener;
mod ws_processor;

pub use config::{Subscription, TrackerConfig};
pub use error::{Error, Result};
pub use evidence::{AbsenceProof, Evidence, ResultName, Source, ValidatedIn};
pub use lifecycle::State;
pub use record::{
    CheckReport, Dossier, Intent, LedgerHead, Outcome, Row, RowFilter, RowPage, RunId, StateChange,
    Submission, Submitted, Validation,
};
pub use stats::{Stats, WsStats};
pub use store::{Durability, MemoryStore, SqliteOptions, SqliteStore, Store};
pub use tracker::Tracker;
