//! A closed ledger: header, state, transactions. It never changes.

use std::sync::Arc;

use parking_lot::Mutex;
use xrpl_protocol::{
    Definitions, EngineResult, Hash256, LedgerHeader, Object, TxHash, fields,
    hash::{prefix, sha512_half},
    object_id, transaction_tree,
};

use super::{
    amendment::Rules,
    origin::Origin,
    prepared::PreparedTx,
    shamap::{LeafItem, ShaMap},
    state::State,
    view::{Entry, Fees, ReadView, ViewInfo},
};

impl LeafItem for Entry {
    fn leaf_hash(&self, key: &Hash256) -> Hash256 {
        sha512_half(&[&prefix::LEAF_NODE, &self.encode(), &key.0])
    }
}

/// A transaction of a closed ledger with what it did. Its binary forms are kept; what they say is
/// kept too while the ledger is young, and read again after that: old ledgers are many.
#[derive(Debug)]
pub struct LedgerTransaction {
    hash: TxHash,
    /// Its binary form.
    pub blob: Box<[u8]>,
    /// Its final result.
    pub result: EngineResult,
    /// Its metadata in binary, as in the ledger (without the `delivered_amount` that the API adds).
    pub metadata_blob: Box<[u8]>,
    /// `TransactionIndex`.
    pub index: u32,
    read: Mutex<Option<Arc<ReadTransaction>>>,
}

/// What a transaction of a closed ledger says.
#[derive(Debug)]
pub struct ReadTransaction {
    /// The transaction.
    pub tx: Arc<PreparedTx>,
    /// Its metadata.
    pub metadata: Object,
}

impl LedgerTransaction {
    pub(crate) fn new(
        tx: Arc<PreparedTx>,
        result: EngineResult,
        metadata: Object,
        index: u32,
    ) -> Self {
        Self {
            hash: tx.hash,
            blob: tx.blob.as_slice().into(),
            result,
            metadata_blob: metadata.encode().into(),
            index,
            read: Mutex::new(Some(Arc::new(ReadTransaction { tx, metadata }))),
        }
    }

    /// One that was applied before: its metadata says with which result.
    pub(crate) fn of_metadata(tx: Arc<PreparedTx>, metadata: Object, index: u32) -> Self {
        let code = metadata.u8(fields::TRANSACTION_RESULT).unwrap_or_default();
        let result = EngineResult::from_code(i32::from(code));
        Self::new(tx, result.unwrap_or(EngineResult::TES_SUCCESS), metadata, index)
    }

    /// Its hash.
    #[must_use]
    pub fn hash(&self) -> TxHash {
        self.hash
    }

    /// Its fields and metadata.
    ///
    /// # Panics
    /// Never: both binary forms were written from what they are read into.
    #[must_use]
    pub fn read(&self) -> Arc<ReadTransaction> {
        if let Some(read) = &*self.read.lock() {
            return Arc::clone(read);
        }
        let tx = PreparedTx::parse(&self.blob).expect("it was parsed before it was applied");
        let metadata = Object::decode(&self.metadata_blob, Definitions::builtin())
            .expect("it was written by this program");
        Arc::new(ReadTransaction { tx: Arc::new(tx), metadata })
    }

    /// Keeps the binary forms only.
    pub(crate) fn pack(&self) {
        *self.read.lock() = None;
    }
}

impl LeafItem for Arc<LedgerTransaction> {
    fn leaf_hash(&self, key: &Hash256) -> Hash256 {
        transaction_tree::leaf(&self.blob, &self.metadata_blob, &(*key).into())
    }
}

/// A closed (and, in standalone mode, validated) ledger.
#[derive(Clone, Debug)]
pub struct ClosedLedger {
    /// Its header.
    pub header: LedgerHeader,
    /// Every ledger entry by id.
    pub state: State,
    /// Its transactions by hash.
    pub tx_map: ShaMap<Arc<LedgerTransaction>>,
    /// Its transactions in the order in which they were applied (`TransactionIndex`).
    pub transactions: Vec<Arc<LedgerTransaction>>,
    /// Fees and reserves.
    pub fees: Fees,
    pub(crate) info: ViewInfo,
}

fn tx_map_of(transactions: &[Arc<LedgerTransaction>]) -> ShaMap<Arc<LedgerTransaction>> {
    let mut map = ShaMap::default();
    transactions.iter().for_each(|tx| map.insert(tx.hash.into(), Arc::clone(tx)));
    map
}

impl ClosedLedger {
    /// Puts a ledger together: computes the hashes of `header` and reads fees and rules from the
    /// state.
    pub(crate) fn build(
        mut header: LedgerHeader,
        state: State,
        transactions: Vec<Arc<LedgerTransaction>>,
        parent: Option<&Self>,
    ) -> Self {
        let tx_map = tx_map_of(&transactions);
        header.account_hash = state.hash();
        header.transaction_hash = tx_map.hash();
        header.hash = header.compute_hash();
        Self::whole(header, state, (tx_map, transactions), parent)
    }

    /// A ledger that was closed before, if its parts are those that its header tells.
    ///
    /// # Errors
    /// Which hash of the header they do not have.
    pub(crate) fn restored(
        header: LedgerHeader,
        state: State,
        transactions: Vec<Arc<LedgerTransaction>>,
        parent: Option<&Self>,
    ) -> Result<Self, &'static str> {
        let tx_map = tx_map_of(&transactions);
        // A ledger that began with a dump has none of its transactions.
        if !transactions.is_empty() && tx_map.hash() != header.transaction_hash {
            return Err("transaction_hash");
        }
        if state.hash() != header.account_hash {
            return Err("account_hash");
        }
        Ok(Self::whole(header, state, (tx_map, transactions), parent))
    }

    /// A ledger that another server closed, of which only the state is known. A header without hash
    /// of the state gets the one that there is.
    pub(crate) fn imported(mut header: LedgerHeader, state: State) -> Self {
        header.account_hash = state.hash();
        header.hash = header.compute_hash();
        Self::whole(header, state, Default::default(), None)
    }

    /// A ledger that is known by asking. Fees and amendments are those that are known of it so far.
    pub(crate) fn forked(origin: Arc<Origin>) -> Self {
        Self::whole(origin.header().clone(), State::of_origin(origin), Default::default(), None)
    }

    fn whole(
        header: LedgerHeader,
        state: State,
        (tx_map, transactions): (ShaMap<Arc<LedgerTransaction>>, Vec<Arc<LedgerTransaction>>),
        parent: Option<&Self>,
    ) -> Self {
        let fees = state.get(&object_id::fees()).map(|e| Fees::of(&e)).unwrap_or_default();
        let id = object_id::amendments();
        let entry = state.get(&id);
        let rules = match parent {
            Some(parent) if parent.state.get(&id) == entry => Arc::clone(&parent.info.rules),
            parent => {
                let list = entry.as_ref().and_then(|e| e.vector256(fields::AMENDMENTS));
                let list = list.unwrap_or_default();
                Arc::new(match parent {
                    Some(parent) => parent.info.rules.followed_by(list),
                    None => Rules::of(list),
                })
            }
        };
        let info = ViewInfo {
            index: header.index,
            parent_hash: header.parent_hash,
            parent_close_time: header.parent_close_time,
            close_time: header.close_time,
            open: false,
            fees,
            arithmetic: Arc::clone(&rules),
            rules,
        };
        Self { header, state, tx_map, transactions, fees, info }
    }

    /// A transaction of this ledger.
    #[must_use]
    pub fn transaction(&self, hash: &TxHash) -> Option<&Arc<LedgerTransaction>> {
        self.tx_map.get(&(*hash).into())
    }
}

impl ReadView for ClosedLedger {
    fn read(&self, key: &Hash256) -> Option<Entry> {
        self.state.get(key)
    }

    fn succ(&self, key: &Hash256) -> Option<Hash256> {
        self.state.succ(key)
    }

    fn info(&self) -> &ViewInfo {
        &self.info
    }

    fn has_transaction(&self, hash: &TxHash) -> bool {
        self.transaction(hash).is_some()
    }
}
