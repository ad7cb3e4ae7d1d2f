//! Lists of the hashes of earlier ledgers, by which ledgers prove their history
//! (<https://xrpl.org/docs/references/protocol/ledger-data/ledger-entry-types/ledgerhashes>).

use std::sync::Arc;

use xrpl_protocol::{Hash256, Object, fields, object_id};

use super::{entry_type, state::State};

/// Ledgers in the short list.
const RECENT_LEDGERS: usize = 256;

/// Whether an id is that of a list that changes with the ledger of this index, by itself.
pub(crate) fn is_skip_list(key: &Hash256, index: u32) -> bool {
    let parent = index.saturating_sub(1);
    *key == object_id::skip_list()
        || (parent.is_multiple_of(256) && *key == object_id::skip_list_of(parent))
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
    if parent % 256 == 0 {
        append(object_id::skip_list_of(parent), usize::MAX);
    }
    append(object_id::skip_list(), RECENT_LEDGERS);
}
