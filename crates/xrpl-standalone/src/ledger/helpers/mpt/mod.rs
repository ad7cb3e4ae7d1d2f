//! Multi-purpose tokens: issuances and what accounts hold of them
//! (<https://xrpl.org/docs/concepts/tokens/fungible-tokens/multi-purpose-tokens>).
//!
//! - [`issuance`](mod@issuance): what issuances say;
//! - [`holding`]: becoming a holder and ceasing to be one;
//! - [`transfer`]: moving, and setting aside for escrows;
//! - [`share`]: what looks through a vault's shares at the asset below.

pub mod holding;
pub mod issuance;
pub mod share;
pub mod transfer;

pub use holding::{
    add_empty_holding, authorize, create, create_if_missing, enforce_authorization,
    remove_empty_holding, set_authorized, unauthorize,
};
pub use issuance::{
    MAX_AMOUNT, Overflow, available, can_add_holding, flag, is_global_locked, is_individual_locked,
    issuance, issuer_of, maximum, overflows, transfer_rate,
};
pub(super) use share::{account_holds, is_frozen_at, is_locked};
pub use share::{
    asset_of_holding, can_trade, can_trade_and_transfer, can_transfer, is_vault_frozen,
    require_auth,
};
pub use transfer::{
    credit, issuer_funds_to_self_issue, lock_escrow, note_issuer_self_debit, unlock_escrow,
};
pub(super) use transfer::{send, send_multi};
