//! A ledger with all its transactions, proven whole.
//!
//! A node can leave transactions out of an answer: a bug, a history that is being filled, a proxy
//! that cuts. What is concluded from a transaction that a ledger does not have needs more than the
//! node's word, and the ledger has it: its hash covers its header, and the header covers every
//! transaction with its metadata (`transaction_hash`). So the ledger is asked for in binary and both
//! hashes are computed from what was answered.

use std::collections::BTreeSet;

use serde::Deserialize;
use xrpl_protocol::{
    Hash256, LedgerHeader, LedgerIndex, TxHash, hash::transaction_hash,
    ledger_header::ENCODED_LENGTH, transaction_tree,
};

/// The answer to [`request::BinaryLedger`](crate::request::BinaryLedger), as it came.
#[derive(Clone, Debug, Deserialize)]
pub struct BinaryLedger {
    ledger: Body,
    #[serde(default)]
    validated: bool,
    #[serde(default)]
    ledger_hash: Option<Hash256>,
}

#[derive(Clone, Debug, Deserialize)]
struct Body {
    /// The header; none of a ledger that is still open.
    #[serde(default)]
    ledger_data: String,
    #[serde(default)]
    transactions: Vec<Parts>,
}

#[derive(Clone, Debug, Deserialize)]
struct Parts {
    tx_blob: String,
    #[serde(alias = "meta_blob", default)]
    meta: String,
}

/// A ledger whose transactions are all there.
#[derive(Clone, Debug)]
pub struct WholeLedger {
    /// Its header; the hash is computed.
    pub header: LedgerHeader,
    /// Its transactions, in no order.
    pub transactions: Vec<LedgerTransaction>,
}

/// A transaction of a ledger with its metadata, both in binary.
#[derive(Clone, Debug)]
pub struct LedgerTransaction {
    /// Its hash.
    pub hash: TxHash,
    /// The signed transaction.
    pub blob: Vec<u8>,
    /// Its metadata.
    pub metadata: Vec<u8>,
}

/// Why an answer is not the whole ledger that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotWhole {
    /// The node has not validated it.
    #[error("it is not validated")]
    NotValidated,
    /// It is none that an xrpld writes.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// It is another ledger.
    #[error("it is ledger {0}")]
    OtherIndex(LedgerIndex),
    /// The header does not give the hash under which the node reports it.
    #[error("its header gives the hash {found}, and it is reported as {reported}")]
    OtherHash {
        /// What the node says.
        reported: Hash256,
        /// What the header gives.
        found: Hash256,
    },
    /// Its transactions are not those of its header.
    #[error(
        "the {count} transactions answered are not all that it has, or others: they give the hash \
         {found}, its transaction_hash is {expected}"
    )]
    OtherTransactions {
        /// How many were answered.
        count: usize,
        /// The hash that they give.
        found: Hash256,
        /// The hash that the header has.
        expected: Hash256,
    },
}

impl BinaryLedger {
    /// Checks that it is the validated ledger of this index, with each of its transactions once.
    ///
    /// # Errors
    /// Says what does not fit.
    pub fn whole(self, index: LedgerIndex) -> Result<WholeLedger, NotWhole> {
        if !self.validated {
            return Err(NotWhole::NotValidated);
        }
        let header: [u8; ENCODED_LENGTH] = bytes(&self.ledger.ledger_data)?
            .try_into()
            .map_err(|_| NotWhole::Unreadable("its header has another length".into()))?;
        let header = LedgerHeader::decode(&header);
        if header.index != index.0 {
            return Err(NotWhole::OtherIndex(LedgerIndex(header.index)));
        }
        if let Some(reported) = self.ledger_hash.filter(|reported| *reported != header.hash) {
            return Err(NotWhole::OtherHash { reported, found: header.hash });
        }
        let transactions = self.ledger.transactions.iter().map(|parts| {
            let (blob, metadata) = (bytes(&parts.tx_blob)?, bytes(&parts.meta)?);
            Ok(LedgerTransaction { hash: transaction_hash(&blob), blob, metadata })
        });
        let transactions: Vec<_> = transactions.collect::<Result<_, _>>()?;
        let leaf = |tx: &LedgerTransaction| {
            (tx.hash, transaction_tree::leaf(&tx.blob, &tx.metadata, &tx.hash))
        };
        let found = transaction_tree::root(transactions.iter().map(leaf));
        let ids: BTreeSet<_> = transactions.iter().map(|tx| tx.hash).collect();
        let (count, expected) = (transactions.len(), header.transaction_hash);
        if found != expected || ids.len() != count {
            return Err(NotWhole::OtherTransactions { count, found, expected });
        }
        Ok(WholeLedger { header, transactions })
    }
}

fn bytes(hex: &str) -> Result<Vec<u8>, NotWhole> {
    const_hex::decode(hex).map_err(|error| NotWhole::Unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    const INDEX: LedgerIndex = LedgerIndex(7);

    /// A ledger of three transactions as a node answers it.
    fn answer() -> Json {
        let parts = [[1u8; 40], [2; 40], [3; 40]].map(|blob| (blob, [blob[0]; 5]));
        let leaves = parts.map(|(blob, metadata)| {
            let id = transaction_hash(&blob);
            (id, transaction_tree::leaf(&blob, &metadata, &id))
        });
        let header = LedgerHeader {
            index: INDEX.0,
            hash: Hash256::ZERO,
            parent_hash: Hash256([1; 32]),
            total_coins: 100,
            account_hash: Hash256([2; 32]),
            transaction_hash: transaction_tree::root(leaves),
            parent_close_time: 10,
            close_time: 20,
            close_time_resolution: 10,
            close_flags: 0,
        };
        let transactions = parts.map(|(blob, metadata)| {
            json!({"tx_blob": const_hex::encode_upper(blob), "meta": const_hex::encode_upper(metadata)})
        });
        json!({"validated": true, "ledger_hash": header.compute_hash(), "ledger_index": INDEX.0,
            "ledger": {"closed": true, "ledger_data": const_hex::encode_upper(header.encode()),
                "transactions": transactions}})
    }

    fn check(answer: Json) -> Result<usize, NotWhole> {
        let answer: BinaryLedger = serde_json::from_value(answer).unwrap();
        answer.whole(INDEX).map(|ledger| ledger.transactions.len())
    }

    #[test]
    fn only_the_whole_ledger_passes() {
        assert_eq!(check(answer()), Ok(3));
        let mut second = answer();
        for tx in second["ledger"]["transactions"].as_array_mut().unwrap() {
            tx["meta_blob"] = tx["meta"].take();
            tx.as_object_mut().unwrap().remove("meta");
        }
        assert_eq!(check(second), Ok(3), "in the shape of api_version 2");

        let changed = |change: fn(&mut Json)| {
            let mut answer = answer();
            change(&mut answer);
            check(answer).unwrap_err()
        };
        let less = changed(|a| drop(a["ledger"]["transactions"].as_array_mut().unwrap().pop()));
        assert!(matches!(less, NotWhole::OtherTransactions { count: 2, .. }), "{less}");
        let twice = changed(|a| {
            let all = a["ledger"]["transactions"].as_array_mut().unwrap();
            all.push(all[0].clone());
        });
        assert!(matches!(twice, NotWhole::OtherTransactions { count: 4, .. }), "{twice}");
        let none = changed(|a| drop(a["ledger"].as_object_mut().unwrap().remove("transactions")));
        assert!(matches!(none, NotWhole::OtherTransactions { count: 0, .. }), "{none}");
        let other = changed(|a| a["ledger"]["transactions"][0]["meta"] = "00".into());
        assert!(matches!(other, NotWhole::OtherTransactions { count: 3, .. }), "{other}");
        // A header bent so that what is there fits has another hash.
        let bent = changed(|a| {
            a["ledger"]["transactions"] = json!([]);
            let data = a["ledger"]["ledger_data"].as_str().unwrap();
            let bent = [&data[..88], &"0".repeat(64), &data[152..]].concat();
            a["ledger"]["ledger_data"] = bent.into();
        });
        assert!(matches!(bent, NotWhole::OtherHash { .. }), "{bent}");
        assert_eq!(changed(|a| a["validated"] = false.into()), NotWhole::NotValidated);
        let cut = changed(|a| a["ledger"]["ledger_data"] = "00".into());
        assert!(matches!(cut, NotWhole::Unreadable(_)), "{cut}");
        let answer: BinaryLedger = serde_json::from_value(answer()).unwrap();
        assert_eq!(answer.whole(LedgerIndex(8)).unwrap_err(), NotWhole::OtherIndex(INDEX));
    }
}
