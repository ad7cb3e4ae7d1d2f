//! Taking over a ledger that another server closed, from the metadata of its transactions.
//!
//! Recordings of a real server hold transactions of types that this ledger does not apply by
//! itself. Taken over, what follows them can still be compared, up to the ledger hash: metadata says
//! what each transaction created, changed and deleted. It leaves out default values of new entries
//! and what directories list; both follow from the entries themselves.

use std::sync::Arc;

use xrpl_protocol::{AccountId, Field, Hash256, Object, TxHash, Value, fields, object_id};

use crate::ledger::{LedgerTransaction, State, entry_type};

/// A directory page that lists an entry, and whether it keeps the order of arrival.
type Link = (Hash256, bool);

/// Applies the changes of transactions in their order.
pub(super) fn apply(state: &mut State, index: u32, transactions: &[Arc<LedgerTransaction>]) {
    for tx in transactions {
        let mut arrived = Vec::new();
        let mut gone = Vec::new();
        let read = tx.read();
        for (node_kind, node) in read.metadata.array(fields::AFFECTED_NODES).unwrap_or_default() {
            let Some(id) = node.hash256(fields::LEDGER_INDEX) else { continue };
            if *node_kind == fields::DELETED_NODE {
                if let Some(entry) = state.get(&id) {
                    gone.extend(links(&entry).into_iter().map(|link| (link, id)));
                }
                state.remove(&id);
                continue;
            }
            let entry = if *node_kind == fields::CREATED_NODE {
                let entry = created(node, tx.hash(), index);
                arrived.extend(links(&entry).into_iter().map(|link| (link, id)));
                entry
            } else {
                let Some(old) = state.get(&id) else { continue };
                modified(&old, node, tx.hash(), index)
            };
            state.insert(id, Arc::new(entry));
        }
        for ((page, _), id) in gone {
            list(state, page, |ids| ids.retain(|other| *other != id));
        }
        for ((page, by_arrival), id) in arrived {
            list(state, page, |ids| {
                ids.push(id);
                if !by_arrival {
                    ids.sort_unstable();
                }
            });
        }
    }
}

/// Changes what a directory page lists.
fn list(state: &mut State, page: Hash256, change: impl FnOnce(&mut Vec<Hash256>)) {
    let Some(entry) = state.get(&page) else { return };
    let mut entry = Object::clone(&entry);
    let mut ids = entry.vector256(fields::INDEXES).unwrap_or_default().to_vec();
    change(&mut ids);
    entry.set(fields::INDEXES, ids.into());
    state.insert(page, Arc::new(entry));
}

fn created(node: &Object, tx: TxHash, index: u32) -> Object {
    let mut entry = node.object(fields::NEW_FIELDS).cloned().unwrap_or_default();
    let kind = node.u16(fields::LEDGER_ENTRY_TYPE).unwrap_or_default();
    entry.set(fields::LEDGER_ENTRY_TYPE, kind.into());
    let is_book = entry.contains(fields::EXCHANGE_RATE);
    let mut required = |field: Field, value: Value| {
        if !entry.contains(field) {
            entry.set(field, value);
        }
    };
    required(fields::FLAGS, 0u32.into());
    match kind {
        entry_type::DIRECTORY_NODE => {
            required(fields::INDEXES, Vec::<Hash256>::new().into());
            if is_book {
                // XRP is all zeros.
                for field in [
                    fields::TAKER_PAYS_CURRENCY,
                    fields::TAKER_PAYS_ISSUER,
                    fields::TAKER_GETS_CURRENCY,
                    fields::TAKER_GETS_ISSUER,
                ] {
                    required(field, Value::Hash160([0; 20]));
                }
            }
        }
        entry_type::OFFER => {
            required(fields::BOOK_NODE, 0u64.into());
            required(fields::OWNER_NODE, 0u64.into());
        }
        entry_type::RIPPLE_STATE => {
            required(fields::LOW_NODE, 0u64.into());
            required(fields::HIGH_NODE, 0u64.into());
        }
        entry_type::NFTOKEN_PAGE | entry_type::ACCOUNT_ROOT => {}
        _ => required(fields::OWNER_NODE, 0u64.into()),
    }
    thread(&mut entry, tx, index);
    entry
}

fn modified(old: &Object, node: &Object, tx: TxHash, index: u32) -> Object {
    let Some(last) = node.object(fields::FINAL_FIELDS) else {
        // Nothing but the thread: an entry that the transaction only touched.
        let mut entry = old.clone();
        thread(&mut entry, tx, index);
        return entry;
    };
    let mut entry = last.clone();
    for field in [
        fields::LEDGER_ENTRY_TYPE,
        fields::INDEXES,
        fields::PREVIOUS_TXN_ID,
        fields::PREVIOUS_TXN_LGR_SEQ,
    ] {
        if let Some(value) = old.get(field) {
            entry.set(field, value.clone());
        }
    }
    if node.contains(fields::PREVIOUS_TXN_ID) || old.contains(fields::PREVIOUS_TXN_ID) {
        thread(&mut entry, tx, index);
    }
    entry
}

fn thread(entry: &mut Object, tx: TxHash, index: u32) {
    entry.set(fields::PREVIOUS_TXN_ID, Hash256::from(tx).into());
    entry.set(fields::PREVIOUS_TXN_LGR_SEQ, index.into());
}

/// The pages that list an entry.
fn links(entry: &Object) -> Vec<Link> {
    let owned = |owner: Option<AccountId>, node: Field| -> Option<Link> {
        Some((object_id::dir_page(object_id::owner_dir(owner?), entry.u64(node)?), false))
    };
    let book = || -> Option<Link> {
        let root = entry.hash256(fields::BOOK_DIRECTORY)?;
        Some((object_id::dir_page(root, entry.u64(fields::BOOK_NODE)?), true))
    };
    let limit = |field: Field| match entry.amount(field) {
        Some(xrpl_protocol::Amount::Issued { issuer, .. }) => Some(issuer),
        _ => None,
    };
    if entry_type::of(entry) == entry_type::DIRECTORY_NODE {
        return Vec::new();
    }
    [
        owned(entry.account(fields::OWNER).or(entry.account(fields::ACCOUNT)), fields::OWNER_NODE),
        owned(entry.account(fields::DESTINATION), fields::DESTINATION_NODE),
        owned(limit(fields::LOW_LIMIT), fields::LOW_NODE),
        owned(limit(fields::HIGH_LIMIT), fields::HIGH_NODE),
        book(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
