//! Ledger entry types and new entries of them.

use xrpl_protocol::{Object, fields};

/// `AMM`.
pub const AMM: u16 = 0x0079;
/// `AccountRoot`.
pub const ACCOUNT_ROOT: u16 = 0x0061;
/// `Amendments`.
pub const AMENDMENTS: u16 = 0x0066;
/// `Bridge`.
pub const BRIDGE: u16 = 0x0069;
/// `Check`.
pub const CHECK: u16 = 0x0043;
/// `Credential`.
pub const CREDENTIAL: u16 = 0x0081;
/// `DID`.
pub const DID: u16 = 0x0049;
/// `Delegate`.
pub const DELEGATE: u16 = 0x0083;
/// `DepositPreauth`.
pub const DEPOSIT_PREAUTH: u16 = 0x0070;
/// `DirectoryNode`.
pub const DIRECTORY_NODE: u16 = 0x0064;
/// `Escrow`.
pub const ESCROW: u16 = 0x0075;
/// `FeeSettings`.
pub const FEE_SETTINGS: u16 = 0x0073;
/// `LedgerHashes`.
pub const LEDGER_HASHES: u16 = 0x0068;
/// `Loan`.
pub const LOAN: u16 = 0x0089;
/// `LoanBroker`.
pub const LOAN_BROKER: u16 = 0x0088;
/// `MPToken`.
pub const MPTOKEN: u16 = 0x007f;
/// `MPTokenIssuance`.
pub const MPTOKEN_ISSUANCE: u16 = 0x007e;
/// `NFTokenOffer`.
pub const NFTOKEN_OFFER: u16 = 0x0037;
/// `NFTokenPage`.
pub const NFTOKEN_PAGE: u16 = 0x0050;
/// `NegativeUNL`.
pub const NEGATIVE_UNL: u16 = 0x004e;
/// `Offer`.
pub const OFFER: u16 = 0x006f;
/// `Oracle`.
pub const ORACLE: u16 = 0x0080;
/// `PayChannel`.
pub const PAY_CHANNEL: u16 = 0x0078;
/// `PermissionedDomain`.
pub const PERMISSIONED_DOMAIN: u16 = 0x0082;
/// `RippleState`.
pub const RIPPLE_STATE: u16 = 0x0072;
/// `SignerList`.
pub const SIGNER_LIST: u16 = 0x0053;
/// `Ticket`.
pub const TICKET: u16 = 0x0054;
/// `Vault`.
pub const VAULT: u16 = 0x0084;
/// `XChainOwnedClaimID`.
pub const XCHAIN_OWNED_CLAIM_ID: u16 = 0x0071;
/// `XChainOwnedCreateAccountClaimID`.
pub const XCHAIN_OWNED_CREATE_ACCOUNT_CLAIM_ID: u16 = 0x0074;

/// Every type.
pub const ALL: [u16; 30] = [
    AMM,
    ACCOUNT_ROOT,
    AMENDMENTS,
    BRIDGE,
    CHECK,
    CREDENTIAL,
    DID,
    DELEGATE,
    DEPOSIT_PREAUTH,
    DIRECTORY_NODE,
    ESCROW,
    FEE_SETTINGS,
    LEDGER_HASHES,
    LOAN,
    LOAN_BROKER,
    MPTOKEN,
    MPTOKEN_ISSUANCE,
    NFTOKEN_OFFER,
    NFTOKEN_PAGE,
    NEGATIVE_UNL,
    OFFER,
    ORACLE,
    PAY_CHANNEL,
    PERMISSIONED_DOMAIN,
    RIPPLE_STATE,
    SIGNER_LIST,
    TICKET,
    VAULT,
    XCHAIN_OWNED_CLAIM_ID,
    XCHAIN_OWNED_CREATE_ACCOUNT_CLAIM_ID,
];

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
