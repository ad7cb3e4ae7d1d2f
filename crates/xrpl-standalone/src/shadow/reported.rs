//! A ledger as a node reports it, checked against its own header.

use std::collections::BTreeSet;

use xrpl_protocol::{
    Definitions, Hash256, LedgerHeader, Object, fields, hash::transaction_hash, transaction_tree,
};

use crate::ledger::skip_list::is_skip_list;

/// A transaction of a ledger as the node reports it: both in binary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedTx {
    /// The signed transaction.
    pub blob: Vec<u8>,
    /// Its metadata.
    pub metadata: Vec<u8>,
}

/// A ledger as a node reports it, checked against its own header.
#[derive(Clone, Debug)]
pub struct Reported {
    pub(super) header: LedgerHeader,
    /// In the order in which they were applied.
    pub(super) transactions: Vec<(ReportedTx, Object)>,
}

/// Why what a node reported is no ledger, or none that can come next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShadowError {
    /// The header has another hash than the one it is reported under.
    #[error(
        "the header of ledger {index} has the hash {found}, and the node reports it as {reported}"
    )]
    Header {
        /// The ledger.
        index: u32,
        /// What it is reported as.
        reported: Hash256,
        /// What the header gives.
        found: Hash256,
    },
    /// Its transactions are not those of the header.
    #[error("the transactions reported of ledger {index} are not those of its header ({what})")]
    Transactions {
        /// The ledger.
        index: u32,
        /// What does not fit.
        what: String,
    },
    /// It does not come after the one before.
    #[error(
        "ledger {index} names {parent} as its parent, and the ledger before it was {here}: the node \
         follows another chain now"
    )]
    Parent {
        /// The ledger.
        index: u32,
        /// The parent that its header names.
        parent: Hash256,
        /// The ledger that it should come after.
        here: Hash256,
    },
    /// The entries are not those of the header.
    #[error(
        "the entries read of ledger {index} give the hash {found}; its account_hash is {account_hash}"
    )]
    State {
        /// The ledger.
        index: u32,
        /// What its header says.
        account_hash: Hash256,
        /// What the entries give.
        found: Hash256,
    },
}

impl Reported {
    /// What a node reported: the header, its hash, and the transactions in any order.
    ///
    /// # Errors
    /// They do not belong together: no network validated such a ledger.
    pub fn new(
        mut header: LedgerHeader,
        hash: Hash256,
        transactions: Vec<ReportedTx>,
    ) -> Result<Self, ShadowError> {
        let (index, found) = (header.index, header.compute_hash());
        if found != hash {
            return Err(ShadowError::Header { index, reported: hash, found });
        }
        header.hash = hash;
        let wrong = |what: String| ShadowError::Transactions { index, what };
        let mut leaves = Vec::with_capacity(transactions.len());
        let mut all = Vec::with_capacity(transactions.len());
        for reported in transactions {
            let metadata = Object::decode_any(&reported.metadata)
                .map_err(|error| wrong(format!("metadata: {error}")))?;
            let id = transaction_hash(&reported.blob);
            leaves.push((id, transaction_tree::leaf(&reported.blob, &reported.metadata, &id)));
            all.push((reported, metadata));
        }
        let found = transaction_tree::root(leaves);
        if found != header.transaction_hash {
            return Err(wrong(format!(
                "they give the hash {found}; its transaction_hash is {}",
                header.transaction_hash
            )));
        }
        all.sort_by_key(|(_, metadata)| metadata.u32(fields::TRANSACTION_INDEX));
        Ok(Self { header, transactions: all })
    }

    /// Its header.
    #[must_use]
    pub fn header(&self) -> &LedgerHeader {
        &self.header
    }

    /// How many transactions it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.transactions.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.transactions.is_empty()
    }

    /// A field of its metadata that has no name here, in words.
    pub(super) fn unknown_field(&self) -> Option<String> {
        let read = |tx: &ReportedTx| Object::decode(&tx.metadata, Definitions::builtin());
        self.transactions.iter().find_map(|(tx, _)| read(tx).err()).map(|error| error.cause)
    }

    /// Ids of the entries that its metadata names.
    pub(super) fn affected(&self) -> BTreeSet<Hash256> {
        self.transactions
            .iter()
            .flat_map(|(_, metadata)| metadata.array(fields::AFFECTED_NODES).unwrap_or_default())
            .filter_map(|(_, node)| node.hash256(fields::LEDGER_INDEX))
            .filter(|id| !is_skip_list(id, self.header.index))
            .collect()
    }
}
