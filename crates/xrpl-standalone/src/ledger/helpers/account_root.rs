//! Reading and changing AccountRoots.

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Field, Hash256, Object, fields, hash::sha512_half, object_id,
    quality::Rate,
};

use crate::ledger::{
    amendment, entry_type,
    view::{ApplyView, ReadView, Ter, drops},
};

/// Fields that tie a pseudo-account to what it belongs to: an AMM, a vault, a loan broker.
pub const PSEUDO_FIELDS: [Field; 3] = [fields::AMMID, fields::VAULT_ID, fields::LOAN_BROKER_ID];

/// Addresses tried for a new pseudo-account.
const PSEUDO_ATTEMPTS: u16 = 256;

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

/// Gives an account XRP that nobody else's account has, or takes some: what was or is to be locked up,
/// in drops.
///
/// # Errors
/// `tefINTERNAL` if there is no such account.
pub fn add_balance(view: &mut dyn ApplyView, account: AccountId, by: i64) -> Ter {
    let key = object_id::account_root(account);
    let root = view.get_mut(&key).ok_or(EngineResult::TEF_INTERNAL)?;
    let balance = balance_of(root).saturating_add(by);
    set_balance(root, balance);
    Ok(())
}

/// Changes how many things an account owns; the number stays within its bounds.
///
/// # Errors
/// `tefINTERNAL` if there is no such account.
pub fn adjust_owner_count(view: &mut dyn ApplyView, account: AccountId, by: i64) -> Ter {
    let key = object_id::account_root(account);
    let now = owner_count(&*view.read(&key).ok_or(EngineResult::TEF_INTERNAL)?);
    let next = confined(now, by);
    view.adjust_owner_count_hook(account, now, next);
    let root = view.get_mut(&key).ok_or(EngineResult::TEF_INTERNAL)?;
    root.set(fields::OWNER_COUNT, next.into());
    Ok(())
}

fn confined(count: u32, by: i64) -> u32 {
    u32::try_from(i64::from(count).saturating_add(by).max(0)).unwrap_or(u32::MAX)
}

/// XRP that an account may spend beyond its reserve, in drops, if it owned `more` things than now.
#[must_use]
pub fn xrp_liquid(view: &dyn ReadView, account: AccountId, more: i64) -> i64 {
    let Some(root) = view.account(account) else { return 0 };
    let count = confined(view.owner_count_hook(account, owner_count(&root)), more);
    let reserve = if is_pseudo(&root) { 0 } else { view.info().fees.account_reserve(count) };
    let balance = view.balance_hook_xrp(account, balance_of(&root));
    balance.saturating_sub(i64::try_from(reserve).unwrap_or(i64::MAX)).max(0)
}

/// What an issuer takes for moving its currency between others.
#[must_use]
pub fn transfer_rate(view: &dyn ReadView, issuer: AccountId) -> Rate {
    let rate = view.account(issuer).and_then(|root| root.u32(fields::TRANSFER_RATE));
    rate.map_or(Rate::PARITY, Rate)
}

/// Whether an issuer has frozen everything that it issued.
#[must_use]
pub fn is_global_frozen(view: &dyn ReadView, issuer: AccountId) -> bool {
    has_flag(view, issuer, flag::GLOBAL_FREEZE)
}

/// Whether an account exists and has a flag.
#[must_use]
pub fn has_flag(view: &dyn ReadView, account: AccountId, flag: u32) -> bool {
    view.account(account).is_some_and(|root| flags_of(&root) & flag != 0)
}

/// Whether an AccountRoot is that of an AMM, vault or loan broker.
#[must_use]
pub fn is_pseudo(root: &Object) -> bool {
    PSEUDO_FIELDS.iter().any(|field| root.contains(*field))
}

/// Whether an account exists and is a pseudo-account.
#[must_use]
pub fn is_pseudo_account(view: &dyn ReadView, account: AccountId) -> bool {
    view.account(account).is_some_and(|root| is_pseudo(&root))
}

/// The address that a new pseudo-account gets; none if all that are tried are taken.
#[must_use]
pub fn pseudo_account_address(view: &dyn ReadView, owner: Hash256) -> Option<AccountId> {
    let parent = view.info().parent_hash;
    (0..PSEUDO_ATTEMPTS)
        .map(|attempt| {
            AccountId::of_bytes(&sha512_half(&[&attempt.to_be_bytes(), &parent.0, &owner.0]).0)
        })
        .find(|id| view.account(*id).is_none())
}

/// Creates the pseudo-account of an AMM, vault or loan broker, named in `field`.
///
/// # Errors
/// `tecDUPLICATE` if no address is free.
pub fn create_pseudo_account(
    view: &mut dyn ApplyView,
    owner: Hash256,
    field: Field,
) -> Result<AccountId, EngineResult> {
    let id = pseudo_account_address(view, owner).ok_or(EngineResult::TEC_DUPLICATE)?;
    let rules = view.rules();
    let never_sends =
        rules.enabled(amendment::SINGLE_ASSET_VAULT) || rules.enabled(amendment::LENDING_PROTOCOL);
    let sequence = if never_sends { 0 } else { view.info().index };
    let flags = flag::DISABLE_MASTER | flag::DEFAULT_RIPPLE | flag::DEPOSIT_AUTH;
    let root = entry_type::new(entry_type::ACCOUNT_ROOT)
        .with(fields::FLAGS, flags)
        .with(fields::ACCOUNT, id)
        .with(fields::SEQUENCE, sequence)
        .with(fields::BALANCE, Amount::Xrp(0))
        .with(fields::OWNER_COUNT, 0u32)
        .with(field, owner);
    view.insert(object_id::account_root(id), root);
    Ok(id)
}

/// Whether something may be sent to an account.
///
/// # Errors
/// `tecNO_DST`, `tecDST_TAG_NEEDED`.
pub fn check_destination_and_tag(root: Option<&Object>, has_tag: bool) -> Ter {
    match root {
        None => Err(EngineResult::TEC_NO_DST),
        Some(root) if flags_of(root) & flag::REQUIRE_DEST_TAG != 0 && !has_tag => {
            Err(EngineResult::TEC_DST_TAG_NEEDED)
        }
        Some(_) => Ok(()),
    }
}
