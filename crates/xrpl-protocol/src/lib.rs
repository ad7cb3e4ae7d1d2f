//! The XRP Ledger's wire: everything about a transaction that needs no network.

pub mod account_id;
pub mod base58;
pub mod hash;
pub mod keys;
pub mod units;

pub use account_id::AccountId;
pub use hash::{Hash256, TxHash};
pub use units::{Drops, LedgerIndex, Sequence};
