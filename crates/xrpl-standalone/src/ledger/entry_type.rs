//! Ledger entry types and new entries of them.

use xrpl_protocol::{Object, fields};

/// `AccountRoot`.
pub const ACCOUNT_ROOT: u16 = 0x61;
/// `DirectoryNode`.
pub const DIRECTORY_NODE: u16 = 0x64;
/// `Amendments`.
pub const AMENDMENTS: u16 = 0x66;
/// `LedgerHashes`.
pub const LEDGER_HASHES: u16 = 0x68;
/// `NFTokenPage`.
pub const NFT_PAGE: u16 = 0x50;
/// `Offer`.
pub const OFFER: u16 = 0x6f;
/// `DepositPreauth`.
pub const DEPOSIT_PREAUTH: u16 = 0x70;
/// `RippleState`.
pub const RIPPLE_STATE: u16 = 0x72;
/// `FeeSettings`.
pub const FEE_SETTINGS: u16 = 0x73;
/// `SignerList`.
pub const SIGNER_LIST: u16 = 0x53;
/// `Escrow`.
pub const ESCROW: u16 = 0x75;
/// `PayChannel`.
pub const PAY_CHANNEL: u16 = 0x78;
/// `Ticket`.
pub const TICKET: u16 = 0x54;

/// An entry's type; 0 for something that is no entry.
#[must_use]
pub fn of(entry: &Object) -> u16 {
    entry.u16(fields::LEDGER_ENTRY_TYPE).unwrap_or_default()
}

/// An entry with what all have: its type and `Flags`. Threading adds the rest when it is applied.
#[must_use]
pub fn new(kind: u16) -> Object {
    Object::new().with(fields::LEDGER_ENTRY_TYPE, kind).with(fields::FLAGS, 0u32)
}
