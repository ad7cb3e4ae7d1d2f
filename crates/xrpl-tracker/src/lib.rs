//! Follows a transaction from signed blob to proven end. A terminal state is a fact about the ledger,
//! with evidence, or it is not given.
//!
//! ```text
//! submit ─> store (CREATED durable) ─> submitter ─> node ─> ws_listener ─> event_queue ─> ws_processor
//!                                          │                                                   │
//!               finality_checker, backfill ┴──────────> lifecycle::transition <────────────────┘
//!                                                              │
//!                                              store, outcomes, events, stats
//! ```
//!
//! | module | its one job |
//! |---|---|
//! | [`lifecycle`] | state and event in, state and effects out; no state is set anywhere else |
//! | [`evidence`] | why a terminal state is given, with its proof |
//! | [`reason`] | what else is known of one that has no end, or a bad one |
//! | `pending` | transactions in memory, indexed by hash, account and slot, last ledger, age |
//! | `core` | the one lock around them, and what an event does to everything else |
//! | `ws_listener`, `event_queue`, `ws_processor`, [`message`] | the stream, from socket to state |
//! | `followed` | whose transactions the stream shows, where not everyone's |
//! | `completeness`, `backfill` | which ledgers are known whole; reading those that are not |
//! | `disputes` | which of several hashes reported for a ledger is its hash |
//! | `finality_checker` | look-ups for what the stream has not settled: by slot, by hash, by history |
//! | `submitter` | attempts, first and again |
//! | [`store`] | memory or SQLite |
//! | [`stats`], `matrix`, `ledger_log` | counters of constant cost, by kind of end, by ledger |
//! | `chain` | whether what a node follows is the chain that is followed here |
//! | `network` | which network this is, and which run of the store goes on |
//! | `clock` | times in milliseconds, on tokio's clock, so that tests can hold them |
//! | `supervisor` | background tasks, started again when they fail |
//! | [`Tracker`] | the handle |
//!
//! See `examples/submit_and_wait.rs` for its use as a library.

mod backfill;
#[doc(hidden)]
pub mod bench_support;
mod chain;
mod clock;
mod completeness;
pub mod config;
mod core;
mod disputes;
pub mod error;
mod event_queue;
pub mod evidence;
mod finality_checker;
mod followed;
mod ledger_log;
pub mod lifecycle;
#[cfg(test)]
mod limits;
mod matrix;
pub mod message;
mod network;
mod pending;
pub mod reason;
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
pub use evidence::{AbsenceProof, Evidence, ResultName, Source, UnusedSlot, ValidatedIn};
pub use ledger_log::LedgerView;
pub use lifecycle::State;
pub use matrix::Cell;
pub use reason::Reason;
pub use record::{
    CallersKey, CheckReport, Dossier, Foreign, Intent, IntentKind, LedgerHead, Outcome, Row,
    RowFilter, RowPage, RunId, StateChange, Submission, Submitted, Validation,
};
pub use stats::{Stats, WsStats};
pub use store::{Durability, MemoryStore, RunStore, SqliteOptions, SqliteStore, Store};
pub use tracker::Tracker;
