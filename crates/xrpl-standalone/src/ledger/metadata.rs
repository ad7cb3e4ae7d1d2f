//! Transaction metadata: what a transaction created, changed and deleted
//! (<https://xrpl.org/docs/references/protocol/transactions/metadata>).

use std::{
    collections::{BTreeMap, btree_map},
    sync::Arc,
};

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Field, Hash256, MptId, Object, TxHash, Value, fields,
    object_id,
};

use super::{
    amendment, entry_type,
    sandbox::{Action, Sandbox},
    view::{Entry, ReadView},
};

/// When a field shows up in metadata.
mod when {
    use xrpl_protocol::{Field, fields};

    /// Fields that say how the entry hangs together; xrpld names them one by one.
    fn plain(field: Field) -> bool {
        field != fields::LEDGER_ENTRY_TYPE && field != fields::INDEXES && !threading(field)
    }

    fn threading(field: Field) -> bool {
        field == fields::PREVIOUS_TXN_ID || field == fields::PREVIOUS_TXN_LGR_SEQ
    }

    pub(super) fn previous(field: Field) -> bool {
        plain(field) && field != fields::ROOT_INDEX
    }

    pub(super) fn last_of_modified(field: Field) -> bool {
        plain(field)
    }

    pub(super) fn last_of_deleted(field: Field) -> bool {
        plain(field) || threading(field)
    }

    pub(super) fn new(field: Field) -> bool {
        plain(field)
    }
}

/// Whether a value is its type's default: such values are left out of `NewFields`.
fn is_default(value: &Value) -> bool {
    match value {
        Value::UInt8(n) => *n == 0,
        Value::UInt16(n) => *n == 0,
        Value::UInt32(n) => *n == 0,
        Value::UInt64(n) => *n == 0,
        Value::Int32(n) => *n == 0,
        Value::Int64(n) => *n == 0,
        Value::UInt96(b) => *b == [0; 12],
        Value::Hash128(b) => *b == [0; 16],
        Value::Hash160(b) => *b == [0; 20],
        Value::Hash192(b) => *b == [0; 24],
        Value::Hash256(h) => h.is_zero(),
        Value::Hash384(b) => **b == [0; 48],
        Value::Hash512(b) => **b == [0; 64],
        Value::Amount(amount) => matches!(amount, Amount::Xrp(0)),
        Value::Blob(bytes) => bytes.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::PathSet(paths) => paths.is_empty(),
        Value::Vector256(hashes) => hashes.is_empty(),
        Value::Issue(issue) => *issue == xrpl_protocol::Issue::Xrp,
        Value::Currency(currency) => currency.is_xrp(),
        Value::Number(number) => *number == xrpl_protocol::number::Number::ZERO,
        Value::Account(_) | Value::XChainBridge(_) => false,
    }
}

struct Nodes(BTreeMap<Hash256, (Field, Object)>);

impl Nodes {
    /// The node of an entry, created as a modified one if there is none yet.
    fn of(&mut self, key: Hash256, entry: &Object) -> &mut Object {
        let (_, node) = self.0.entry(key).or_insert_with(|| {
            let node = Object::new()
                .with(fields::LEDGER_ENTRY_TYPE, entry_type::of(entry))
                .with(fields::LEDGER_INDEX, key);
            (fields::MODIFIED_NODE, node)
        });
        node
    }

    fn put(&mut self, key: Hash256, kind: Field, entry: &Object) -> &mut Object {
        self.of(key, entry);
        match self.0.entry(key) {
            btree_map::Entry::Occupied(occupied) => {
                let slot = occupied.into_mut();
                slot.0 = kind;
                &mut slot.1
            }
            // `of` has just made it.
            btree_map::Entry::Vacant(vacant) => &mut vacant.insert((kind, Object::new())).1,
        }
    }
}

/// What a transaction did, while its metadata is being written.
pub(crate) struct Recorder<'a, 'b> {
    sandbox: &'b mut Sandbox<'a>,
    hash: TxHash,
    nodes: Nodes,
    /// Entries that change only in that this transaction is threaded to them.
    threaded: BTreeMap<Hash256, Entry>,
}

/// What metadata tells besides changes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct About {
    /// What a payment delivered when that is not what it asked for.
    pub(crate) delivered: Option<Amount>,
    /// The Batch that the transaction is a part of.
    pub(crate) parent_batch: Option<TxHash>,
}

/// Metadata and the writes that threading added.
pub(crate) struct Recorded {
    pub(crate) metadata: Object,
    pub(crate) threaded: BTreeMap<Hash256, Entry>,
}

impl<'a, 'b> Recorder<'a, 'b> {
    /// Threads the transaction to what it touched and writes its metadata.
    pub(crate) fn record(
        sandbox: &'b mut Sandbox<'a>,
        hash: TxHash,
        result: EngineResult,
        index: u32,
        about: About,
    ) -> Recorded {
        let mut this =
            Self { sandbox, hash, nodes: Nodes(BTreeMap::new()), threaded: BTreeMap::new() };
        let keys: Vec<Hash256> = this.sandbox.table.items.keys().copied().collect();
        for key in keys {
            this.node(key);
        }
        let nodes = this.nodes.0.into_values().collect();
        let mut metadata = Object::new()
            // A tec is stored as its code without its class: 128 and up fit in a byte.
            .with(fields::TRANSACTION_RESULT, u8::try_from(result.code()).unwrap_or(u8::MAX))
            .with(fields::TRANSACTION_INDEX, index);
        metadata.set(fields::AFFECTED_NODES, Value::Array(nodes));
        if let Some(delivered) = about.delivered {
            metadata.set(fields::DELIVERED_AMOUNT, delivered.into());
        }
        if let Some(batch) = about.parent_batch {
            metadata.set(fields::PARENT_BATCH_ID, Hash256::from(batch).into());
        }
        Recorded { metadata, threaded: this.threaded }
    }

    fn node(&mut self, key: Hash256) {
        let Some((action, entry)) = self.sandbox.table.items.get(&key) else { return };
        let (action, entry) = (*action, Arc::clone(entry));
        let before = self.sandbox.base.read(&key);
        match (action, before) {
            (Action::Erase, Some(before)) => {
                self.nodes.put(key, fields::DELETED_NODE, &entry);
                self.thread_owners(&before);
                let node = self.nodes.put(key, fields::DELETED_NODE, &entry);
                put_previous(node, &before, &entry);
                put_fields(node, fields::FINAL_FIELDS, &entry, |field, _| {
                    when::last_of_deleted(field)
                });
            }
            (Action::Modify, Some(before)) => {
                if before == entry {
                    return;
                }
                self.nodes.put(key, fields::MODIFIED_NODE, &entry);
                drop(entry);
                self.thread_self(key);
                let Some((_, entry)) = self.sandbox.table.items.get(&key) else { return };
                let entry = Arc::clone(entry);
                let node = self.nodes.put(key, fields::MODIFIED_NODE, &entry);
                put_previous(node, &before, &entry);
                put_fields(node, fields::FINAL_FIELDS, &entry, |field, _| {
                    when::last_of_modified(field)
                });
            }
            (Action::Insert | Action::Modify, _) => {
                self.nodes.put(key, fields::CREATED_NODE, &entry);
                self.thread_owners(&entry);
                drop(entry);
                self.thread_self(key);
                let Some((_, entry)) = self.sandbox.table.items.get(&key) else { return };
                let entry = Arc::clone(entry);
                let node = self.nodes.put(key, fields::CREATED_NODE, &entry);
                put_fields(node, fields::NEW_FIELDS, &entry, |field, value| {
                    when::new(field) && !is_default(value)
                });
            }
            (Action::Erase, None) => {}
        }
    }

    fn thread_self(&mut self, key: Hash256) {
        if let Some((_, entry)) = self.sandbox.table.items.get_mut(&key) {
            thread(&mut self.nodes, key, entry, self.hash, self.sandbox.base);
        }
    }

    /// Threads the transaction to the accounts an entry belongs to.
    fn thread_owners(&mut self, entry: &Object) {
        match entry_type::of(entry) {
            entry_type::ACCOUNT_ROOT => {}
            entry_type::RIPPLE_STATE => {
                for limit in [fields::LOW_LIMIT, fields::HIGH_LIMIT] {
                    if let Some(Amount::Issued { issuer, .. }) = entry.amount(limit) {
                        self.thread_account(issuer);
                    }
                }
            }
            _ => {
                for owner in [fields::ACCOUNT, fields::DESTINATION] {
                    if let Some(account) = entry.account(owner) {
                        self.thread_account(account);
                    }
                }
            }
        }
    }

    fn thread_account(&mut self, account: AccountId) {
        let key = object_id::account_root(account);
        let base = self.sandbox.base;
        if let Some(entry) = self.threaded.get_mut(&key) {
            thread(&mut self.nodes, key, entry, self.hash, base);
            return;
        }
        match self.sandbox.table.items.get_mut(&key) {
            Some((Action::Erase, _)) => {}
            Some((_, entry)) => thread(&mut self.nodes, key, entry, self.hash, base),
            None => {
                if let Some(mut entry) = base.read(&key) {
                    thread(&mut self.nodes, key, &mut entry, self.hash, base);
                    self.threaded.insert(key, entry);
                }
            }
        }
    }
}

/// Makes `hash` the last transaction of an entry, and notes in its node which was before.
fn thread(nodes: &mut Nodes, key: Hash256, entry: &mut Entry, hash: TxHash, view: &dyn ReadView) {
    let hash: Hash256 = hash.into();
    let threaded = match entry_type::of(entry) {
        // The one type that keeps no thread.
        entry_type::LEDGER_HASHES => false,
        entry_type::DIRECTORY_NODE
        | entry_type::AMENDMENTS
        | entry_type::FEE_SETTINGS
        | entry_type::NEGATIVE_UNL
        | entry_type::AMM => view.rules().enabled(amendment::FIX_PREVIOUS_TXN_ID),
        _ => true,
    };
    if !threaded {
        return;
    }
    let before = entry.hash256(fields::PREVIOUS_TXN_ID).unwrap_or_default();
    if before == hash {
        return;
    }
    let before_index = entry.u32(fields::PREVIOUS_TXN_LGR_SEQ).unwrap_or_default();
    let object = Arc::make_mut(entry);
    object.set(fields::PREVIOUS_TXN_ID, hash.into());
    object.set(fields::PREVIOUS_TXN_LGR_SEQ, view.info().index.into());
    if !before.is_zero() {
        let node = nodes.of(key, entry);
        if !node.contains(fields::PREVIOUS_TXN_ID) {
            node.set(fields::PREVIOUS_TXN_ID, before.into());
            node.set(fields::PREVIOUS_TXN_LGR_SEQ, before_index.into());
        }
    }
}

fn put_fields(
    node: &mut Object,
    into: Field,
    from: &Object,
    wanted: impl Fn(Field, &Value) -> bool,
) {
    let mut object = Object::new();
    for (field, value) in from.iter() {
        if wanted(field, value) {
            object.set(field, value.clone());
        }
    }
    if !object.is_empty() {
        node.set(into, Value::Object(object));
    }
}

/// What fields that changed or went away were. A field that is new makes the object appear too, if
/// only empty: xrpld counts its absence as a former value that it then does not write.
fn put_previous(node: &mut Object, before: &Object, after: &Object) {
    put_fields(node, fields::PREVIOUS_FIELDS, before, |field, value| {
        when::previous(field) && after.get(field) != Some(value)
    });
    let adds = || after.iter().any(|(field, _)| when::previous(field) && !before.contains(field));
    if !node.contains(fields::PREVIOUS_FIELDS) && adds() {
        node.set(fields::PREVIOUS_FIELDS, Value::Object(Object::new()));
    }
}

/// What a payment delivered, as the API says it in `delivered_amount`; none for other types and
/// failed payments.
#[must_use]
pub fn delivered_amount(tx: &Object, metadata: &Object) -> Option<Amount> {
    if metadata.u8(fields::TRANSACTION_RESULT) != Some(0) {
        return None;
    }
    metadata.amount(fields::DELIVERED_AMOUNT).or_else(|| tx.amount(fields::AMOUNT))
}

/// The issuance of an MPT that a transaction created, as the API says it in `mpt_issuance_id`; none
/// for other types than MPTokenIssuanceCreate.
#[must_use]
pub fn created_issuance(tx: &Object, metadata: &Object) -> Option<MptId> {
    const ISSUANCE_CREATE: u16 = 54;
    let creates = tx.u16(fields::TRANSACTION_TYPE) == Some(ISSUANCE_CREATE);
    if !creates || metadata.u8(fields::TRANSACTION_RESULT) != Some(0) {
        return None;
    }
    let mut nodes = metadata.array(fields::AFFECTED_NODES)?.iter();
    let (_, node) = nodes.find(|(what, node)| {
        *what == fields::CREATED_NODE
            && node.u16(fields::LEDGER_ENTRY_TYPE) == Some(entry_type::MPTOKEN_ISSUANCE)
    })?;
    let issuance = node.object(fields::NEW_FIELDS)?;
    Some(MptId::new(issuance.u32(fields::SEQUENCE)?, issuance.account(fields::ISSUER)?))
}
