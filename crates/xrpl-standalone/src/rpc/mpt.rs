//! MPTs: the id of an issuance, which no field of its entry has.

use serde_json::{Map, Value as Json};
use xrpl_protocol::{MptId, Object, fields};

use crate::ledger::{entry_type, helpers::mpt::issuer_of, metadata::created_issuance};

fn add(shown: &mut Map<String, Json>, id: MptId) {
    shown.insert("mpt_issuance_id".into(), id.to_string().into());
}

/// Adds its id to an issuance in JSON.
pub(super) fn add_to_entry(shown: &mut Map<String, Json>, entry: &Object) {
    if entry_type::of(entry) == entry_type::MPTOKEN_ISSUANCE {
        let sequence = entry.u32(fields::SEQUENCE).unwrap_or_default();
        add(shown, MptId::new(sequence, issuer_of(entry)));
    }
}

/// Adds the id of the issuance that a transaction created to its metadata in JSON.
pub(super) fn add_to_metadata(shown: &mut Map<String, Json>, tx: &Object, metadata: &Object) {
    if let Some(id) = created_issuance(tx, metadata) {
        add(shown, id);
    }
}
