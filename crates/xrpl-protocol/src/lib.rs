//! The XRP Ledger's wire: everything about a transaction that needs no network.
//!
//! | module | what is in it |
//! |---|---|
//! | [`definitions`], [`fields`], [`formats`] | names, codes and formats, built in or from a node |
//! | [`differences`] | what a newer node's definitions have beside the built-in ones |
//! | [`object`], [`encode`], [`decode`] | transactions and ledger entries, binary and JSON |
//! | [`amount`], [`issued_value`], [`number`], [`units`] | amounts as the wire has them |
//! | [`decimal`], [`rounding`], [`amount_math`], [`quality`] | exact arithmetic, rounded as xrpld rounds |
//! | [`account_id`], [`base58`], [`keys`], [`rfc1751`] | addresses, seeds, key pairs, signatures |
//! | [`input`], [`nearest`] | transactions as people write them: understood or refused, never changed |
//! | [`sign`], [`transaction`] | signed transactions, from JSON or by the direct path |
//! | [`transaction_cost`] | what a transaction must pay at the least |
//! | [`hash`], [`ledger_header`], [`transaction_tree`], [`object_id`] | hashes of transactions and ledgers, ids of ledger entries |
//! | [`result_code`] | engine results and what each class means for finality |

pub mod account_id;
pub mod amount;
pub mod amount_math;
pub mod base58;
pub mod decimal;
pub mod decode;
pub mod definitions;
pub mod differences;
pub mod encode;
pub mod fields;
pub mod formats;
pub mod hash;
pub mod input;
pub mod issued_value;
pub mod keys;
pub mod ledger_header;
pub mod nearest;
pub mod number;
pub mod object;
pub mod object_id;
pub mod quality;
pub mod result_code;
pub mod rfc1751;
pub mod rounding;
pub mod sign;
pub mod transaction;
pub mod transaction_cost;
pub mod transaction_tree;
pub mod units;
pub mod value_error;

pub use account_id::AccountId;
pub use amount::{Amount, Currency, Issue, MptId};
pub use decimal::Decimal;
pub use definitions::Definitions;
pub use hash::{Hash256, TxHash};
pub use issued_value::IssuedValue;
pub use ledger_header::LedgerHeader;
pub use object::{Field, Object, Value};
pub use quality::{Quality, Rate};
pub use result_code::{EngineResult, ResultClass};
pub use rounding::Rounding;
pub use units::{Drops, LedgerIndex, Sequence};
