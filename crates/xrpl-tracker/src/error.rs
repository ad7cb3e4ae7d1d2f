//! The crate's error.

use std::fmt;

use xrpl_protocol::TxHash;

use crate::record::RunId;

/// Why the tracker could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The blob is no serialised transaction.
    #[error("not a serialised transaction: {0}")]
    BadBlob(String),
    /// The transaction lacks a field that following it needs.
    #[error("the transaction has no {0}")]
    MissingField(&'static str),
    /// No node answered what starting needs.
    #[error("no node could be asked: {0}")]
    Node(String),
    /// The nodes follow another chain than the run did.
    #[error("the chain was reset: {0}")]
    Reset(String),
    /// The store failed.
    #[error("store: {0}")]
    Store(String),
    /// The store file was written by a newer version of this program.
    #[error("the store has schema version {found}; this program knows versions up to {known}")]
    NewerSchema {
        /// Version found.
        found: u32,
        /// Newest version known.
        known: u32,
    },
    /// The store has no run of that number.
    #[error("there is no run {0}")]
    NoRun(RunId),
    /// The store was closed before everything was written.
    #[error("{0}")]
    Unwritten(Unwritten),
    /// Another process writes the store file.
    #[error("another process is using it: one run at a time writes a store")]
    InUse,
    /// The file is of SQLite, and not a store.
    #[error("it is a SQLite file of another program")]
    Foreign,
    /// No such transaction is tracked.
    #[error("transaction {0} is not tracked")]
    NotTracked(TxHash),
    /// The tracker is shutting down.
    #[error("the tracker is shutting down")]
    ShuttingDown,
}

/// What a store could not write before it was closed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unwritten {
    /// Newest conditions of transactions.
    pub conditions: u64,
    /// Hashes of ledgers.
    pub ledgers: u64,
    /// Why.
    pub why: String,
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { conditions, ledgers, why } = self;
        write!(
            f,
            "conditions of {conditions} transactions and hashes of {ledgers} ledgers were not \
             written: {why}"
        )
    }
}

/// The crate's result.
pub type Result<T> = std::result::Result<T, Error>;

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.to_string())
    }
}
