//! An XRP Ledger in one process that answers like xrpld in standalone mode.
//!
//! | module | what is in it |
//! |---|---|
//! | [`ledger`] | closed and open ledgers, state tree, metadata, closing; [`ledger::Node`] is the core |
//! | [`transactors`] | one file per family of transaction types |
//! | [`txq`] | fee escalation and the transaction queue |

pub mod ledger;
pub mod transactors;
pub mod txq;
