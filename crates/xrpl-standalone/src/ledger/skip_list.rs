//! Lists of the hashes of earlier ledgers, by which ledgers prove their history
//! (<https://xrpl.org/docs/references/protocol/ledger-data/ledger-entry-types/ledgerhashes>).

use std::sync::Arc;

use xrpl_protocol::{Hash256, Object, fields, object_id};

use super::{entry_type, state::State};

/// Every so many ledgers what validators voted on takes effect.
const FLAG_LEDGERS: u32 = 256;

/// Whether a ledger is one of those after which validators vote, and in which the negative UNL changes.
pub(crate) fn is_flag_ledger(index: u32) -> bool {
    index.is_multiple_of(FLAG_LEDGERS)
}

/// Ledgers in the short list.
const RECENT_LEDGERS: usize = 256;

/// Whether an id is that of a list that changes with the ledger of this index, by itself.
pub(crate) fn is_skip_list(key: &Hash256, index: u32) -> bool {
    let parent = index.saturating_sub(1);
    *key == object_id::skip_list()
        || (is_flag_ledger(parent) && *key == object_id::skip_list_of(parent))
}

/// Notes the parent's hash in the lists by which ledgers prove their history.
pub(crate) fn update_skip_lists(state: &mut State, index: u32, parent_hash: Hash256) {
    let Some(parent) = index.checked_sub(1) else { return };
    let mut append = |key: Hash256, limit: usize| {
        let mut list = match state.get(&key) {
            Some(entry) => Object::clone(&entry),
            None => entry_type::new(entry_type::LEDGER_HASHES),
        };
        let mut hashes = list.vector256(fields::HASHES).unwrap_or_default().to_vec();
        if hashes.len() >= limit {
            hashes.remove(0);
        }
        hashes.push(parent_hash);
        list.set(fields::HASHES, hashes.into());
        list.set(fields::LAST_LEDGER_SEQUENCE, parent.into());
        state.insert(key, Arc::new(list));
    };
    if is_flag_ledger(parent) {
        append(object_id::skip_list_of(parent), usize::MAX);
    }
    append(object_id::skip_list(), RECENT_LEDGERS);
}
