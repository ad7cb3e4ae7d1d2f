//! What issuances say.

use xrpl_protocol::{
    AccountId, EngineResult, Field, MptId, Object, fields, object_id, quality::Rate,
};

use crate::ledger::{
    helpers::account_root::flags_of,
    view::{Entry, ReadView, Ter},
};

/// Flags of MPTokenIssuances and MPTokens: `lsfMPT...`.
#[allow(missing_docs)]
pub mod flag {
    /// Of issuances and of holdings.
    pub const LOCKED: u32 = 0x0001;
    /// Of holdings.
    pub const AUTHORIZED: u32 = 0x0002;
    /// Of holdings.
    pub const AMM: u32 = 0x0004;
    pub const CAN_LOCK: u32 = 0x0002;
    pub const REQUIRE_AUTH: u32 = 0x0004;
    pub const CAN_ESCROW: u32 = 0x0008;
    pub const CAN_TRADE: u32 = 0x0010;
    pub const CAN_TRANSFER: u32 = 0x0020;
    pub const CAN_CLAWBACK: u32 = 0x0040;
    pub const CAN_HOLD_CONFIDENTIAL_BALANCE: u32 = 0x0080;
}

/// The largest amount of an MPT.
pub const MAX_AMOUNT: i64 = i64::MAX;

/// Whether an issuance's maximum may be passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// Never.
    Refuse,
    /// Within a payment, whose next step takes as much back.
    Allow,
}

/// Whether an entry is there and has a flag.
pub(super) fn has(entry: Option<Entry>, flag: u32) -> bool {
    entry.is_some_and(|entry| flags_of(&entry) & flag != 0)
}

/// A number of an entry; 0 when absent.
pub(super) fn number(entry: &Object, field: Field) -> u64 {
    entry.u64(field).unwrap_or_default()
}

/// The issuance of an MPT, or an error if there is none.
///
/// # Errors
/// `tecOBJECT_NOT_FOUND`.
pub fn issuance(view: &dyn ReadView, id: MptId) -> Result<Entry, EngineResult> {
    view.read(&object_id::mpt_issuance(id)).ok_or(EngineResult::TEC_OBJECT_NOT_FOUND)
}

/// The issuance, if there is one.
pub(super) fn find(view: &dyn ReadView, id: MptId) -> Option<Entry> {
    view.read(&object_id::mpt_issuance(id))
}

/// Who issued it, as its entry says.
#[must_use]
pub fn issuer_of(issuance: &Object) -> AccountId {
    issuance.account(fields::ISSUER).unwrap_or_default()
}

/// Whether the issuer has locked all of it.
#[must_use]
pub fn is_global_locked(view: &dyn ReadView, id: MptId) -> bool {
    has(find(view, id), flag::LOCKED)
}

/// Whether the issuer has locked an account's holding.
#[must_use]
pub fn is_individual_locked(view: &dyn ReadView, account: AccountId, id: MptId) -> bool {
    has(view.read(&object_id::mptoken(id, account)), flag::LOCKED)
}

/// What the issuer takes for a transfer.
#[must_use]
pub fn transfer_rate(view: &dyn ReadView, id: MptId) -> Rate {
    let fee = find(view, id).and_then(|issuance| issuance.u16(fields::TRANSFER_FEE));
    // The fee is in units of 1/100,000.
    Rate(Rate::PARITY.0 + 10_000 * u32::from(fee.unwrap_or_default()))
}

/// How much may be issued in all.
#[must_use]
pub fn maximum(issuance: &Object) -> i64 {
    let maximum = issuance.u64(fields::MAXIMUM_AMOUNT);
    maximum.map_or(MAX_AMOUNT, |maximum| i64::try_from(maximum).unwrap_or(MAX_AMOUNT))
}

/// How much may still be issued.
#[must_use]
pub fn available(issuance: &Object) -> i64 {
    let outstanding = number(issuance, fields::OUTSTANDING_AMOUNT);
    maximum(issuance).saturating_sub(i64::try_from(outstanding).unwrap_or(i64::MAX))
}

/// Whether sending so much more would pass the maximum.
#[must_use]
pub fn overflows(value: i64, outstanding: u64, maximum: i64, overflow: Overflow) -> bool {
    let limit = match overflow {
        Overflow::Allow => u64::MAX,
        Overflow::Refuse => maximum.unsigned_abs(),
    };
    value > maximum || outstanding > limit.saturating_sub(value.unsigned_abs())
}

/// Whether accounts may begin to hold it.
///
/// # Errors
/// `tecOBJECT_NOT_FOUND`, `tecNO_AUTH`.
pub fn can_add_holding(view: &dyn ReadView, id: MptId) -> Ter {
    let issuance = issuance(view, id)?;
    let can = flags_of(&issuance) & flag::CAN_TRANSFER != 0;
    if can { Ok(()) } else { Err(EngineResult::TEC_NO_AUTH) }
}
