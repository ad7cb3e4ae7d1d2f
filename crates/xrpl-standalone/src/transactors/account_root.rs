//! Reading and changing AccountRoots.

use xrpl_protocol::{AccountId, Amount, EngineResult, Object, fields, object_id};

use super::Ter;
use crate::ledger::{ReadView, Sandbox, view::drops};

/// `lsf` flags of an AccountRoot.
#[allow(missing_docs)]
pub mod flag {
    pub const PASSWORD_SPENT: u32 = 0x0001_0000;
    pub const REQUIRE_DEST_TAG: u32 = 0x0002_0000;
    pub const REQUIRE_AUTH: u32 = 0x0004_0000;
    pub const DISALLOW_XRP: u32 = 0x0008_0000;
    pub const DISABLE_MASTER: u32 = 0x0010_0000;
    pub const NO_FREEZE: u32 = 0x0020_0000;
    pub const GLOBAL_FREEZE: u32 = 0x0040_0000;
    pub const DEFAULT_RIPPLE: u32 = 0x0080_0000;
    pub const DEPOSIT_AUTH: u32 = 0x0100_0000;
    pub const DISALLOW_INCOMING_NFTOKEN_OFFER: u32 = 0x0400_0000;
    pub const DISALLOW_INCOMING_CHECK: u32 = 0x0800_0000;
    pub const DISALLOW_INCOMING_PAY_CHAN: u32 = 0x1000_0000;
    pub const DISALLOW_INCOMING_TRUSTLINE: u32 = 0x2000_0000;
    pub const ALLOW_TRUST_LINE_LOCKING: u32 = 0x4000_0000;
    pub const ALLOW_TRUST_LINE_CLAWBACK: u32 = 0x8000_0000;
}

/// `Sequence` of an account.
#[must_use]
pub fn sequence_of(account: &Object) -> u32 {
    account.u32(fields::SEQUENCE).unwrap_or_default()
}

/// `Flags` of an entry.
#[must_use]
pub fn flags_of(entry: &Object) -> u32 {
    entry.u32(fields::FLAGS).unwrap_or_default()
}

/// `Balance` of an account in drops.
#[must_use]
pub fn balance_of(account: &Object) -> i64 {
    drops(account, fields::BALANCE)
}

/// `OwnerCount` of an account.
#[must_use]
pub fn owner_count(account: &Object) -> u32 {
    account.u32(fields::OWNER_COUNT).unwrap_or_default()
}

/// What an account with `more` (or fewer) things than now must keep, in drops.
#[must_use]
pub fn reserve(view: &dyn ReadView, account: &Object, more: u32) -> i64 {
    let reserve = view.info().fees.account_reserve(owner_count(account).saturating_add(more));
    i64::try_from(reserve).unwrap_or(i64::MAX)
}

/// Sets an account's balance in drops.
pub fn set_balance(account: &mut Object, drops: i64) {
    account.set(fields::BALANCE, Amount::Xrp(drops).into());
}

/// Changes how many things an account owns.
///
/// # Errors
/// `tefINTERNAL` if there is no such account.
pub fn adjust_owner_count(view: &mut Sandbox<'_>, account: AccountId, by: i64) -> Ter {
    let root = view.get_mut(&object_id::account_root(account)).ok_or(EngineResult::TEF_INTERNAL)?;
    let count = i64::from(owner_count(root)).saturating_add(by);
    let count = u32::try_from(count.max(0)).unwrap_or(u32::MAX);
    root.set(fields::OWNER_COUNT, count.into());
    Ok(())
}
