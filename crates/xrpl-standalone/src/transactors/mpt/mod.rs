//! Multi-purpose tokens: their issuances, who may hold them, and payments of them
//! (<https://xrpl.org/docs/concepts/tokens/fungible-tokens/multi-purpose-tokens>). Balances and
//! authorisation are [`crate::ledger::helpers::mpt`]'s.

mod authorize;
mod clawback;
pub(super) mod confidential;
mod issuance_create;
mod issuance_destroy;
mod issuance_set;
mod payment;

pub(super) use authorize::MPTokenAuthorize;
pub(super) use clawback::{apply as claw_back, form as clawback_form, preclaim as may_claw_back};
pub(super) use issuance_create::{MPTokenIssuanceCreate, create as create_issuance};
pub(super) use issuance_destroy::MPTokenIssuanceDestroy;
pub(super) use issuance_set::MPTokenIssuanceSet;
pub(super) use payment::apply as pay;

use xrpl_protocol::{Field, MptId, Object, Value, fields};

use crate::ledger::PreparedTx;

/// What an issuer may take of a transfer: half of it.
const MAX_TRANSFER_FEE: u16 = 50_000;
/// Bytes of an issuance's metadata.
pub(super) const MAX_METADATA: usize = 1024;

/// `MutableFlags` of an MPTokenIssuanceCreate and of its entry: what MPTokenIssuanceSet may change
/// later. A flag that may be set later has the bit of that flag.
mod mutable {
    pub(super) const CANNOT_ENABLE_CAN_HOLD_CONFIDENTIAL_BALANCE: u32 = 0x0000_0080;
    pub(super) const CAN_MUTATE_METADATA: u32 = 0x0001_0000;
    pub(super) const CAN_MUTATE_TRANSFER_FEE: u32 = 0x0002_0000;
}

/// `MPTokenIssuanceID`.
fn issuance_id(tx: &PreparedTx) -> MptId {
    match tx.object.get(fields::MP_TOKEN_ISSUANCE_ID) {
        Some(Value::Hash192(id)) => MptId(*id),
        _ => MptId::default(),
    }
}

fn number(entry: &Object, field: Field) -> u64 {
    entry.u64(field).unwrap_or_default()
}
