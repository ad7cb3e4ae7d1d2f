//! The ledger: a synchronous core without I/O, threads or clock.
//!
//! [`Node`] holds closed ledgers, the open ledger, held and queued transactions. Callers give it
//! transactions (prepared by [`PreparedTx`], outside any lock) and the time, and take away answers
//! and [`Event`]s.

mod adopt;
mod canonical;
mod close;
pub mod close_time;
pub mod closed;
pub mod directory;
mod disturb;
pub mod entry_type;
pub mod events;
pub mod genesis;
mod held;
mod local_checks;
pub mod metadata;
mod node;
pub mod prepared;
pub mod sandbox;
pub mod shamap;
mod template;
pub mod view;

pub use closed::{ClosedLedger, LedgerTransaction, ReadTransaction};
pub use events::{Event, ServerFees};
pub use node::{
    History, LedgerState, Node, NodeConfig, Simulated, SubmitOutcome, TransactionStatus,
};
pub use prepared::{InvalidTransaction, PreparedTx, SeqProxy};
pub use sandbox::Sandbox;
pub use shamap::ShaMap;
pub use view::{Entry, Fees, OpenView, ReadView};
