//! Ledgers: closed and open ones, their entries and state tree, transactions as they arrive,
//! metadata, and what transactors share. Nothing here knows how a transaction is applied
//! ([`crate::transactors`]) or who does it ([`crate::node`]).

pub mod amendment;
pub(crate) mod canonical;
mod changes;
pub mod close_time;
pub mod closed;
mod deferred_credits;
pub mod directory;
pub mod entry_type;
pub mod genesis;
pub mod helpers;
mod local_checks;
pub mod metadata;
mod negative_unl;
pub mod open_view;
pub mod origin;
pub mod payment_sandbox;
pub mod prepared;
pub mod sandbox;
mod seq_proxy;
pub mod shamap;
pub(crate) mod skip_list;
pub mod state;
mod state_table;
mod template;
pub mod view;

pub use amendment::{Amendment, Impersonated, Rules};
pub use closed::{ClosedLedger, LedgerTransaction, ReadTransaction};
pub use open_view::OpenView;
pub use payment_sandbox::PaymentSandbox;
pub use prepared::{InvalidTransaction, PreparedTx, SeqProxy};
pub use sandbox::Sandbox;
pub use shamap::ShaMap;
pub use state::State;
pub use view::{ApplyView, Entry, Fees, ReadView, Ter, ViewInfo};
