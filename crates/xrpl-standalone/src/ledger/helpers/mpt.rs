//! Multi-purpose tokens: issuances and what accounts hold of them
//! (<https://xrpl.org/docs/concepts/tokens/fungible-tokens/multi-purpose-tokens>).

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Field, Hash256, Issue, MptId, Object, Value, fields,
    object_id, quality::Rate,
};

use super::{
    account_root::{PSEUDO_FIELDS, adjust_owner_count, flags_of, owner_count},
    credentials, set_or_clear,
    token::{self, Auth, IfFrozen, IfUnauthorized, Spendable, TransferFee},
};
use crate::ledger::{
    amendment, directory, entry_type,
    view::{ApplyView, Entry, ReadView, Ter},
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
/// Vault shares may be of vaults of other tokens, but not any deeper than this.
const MAX_DEPTH: u8 = 5;
/// Things an account may own before it must keep a reserve for an MPToken.
const FREE_ITEMS: u32 = 2;

/// Whether an issuance's maximum may be passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// Never.
    Refuse,
    /// Within a payment, whose next step takes as much back.
    Allow,
}

fn has(entry: Option<Entry>, flag: u32) -> bool {
    entry.is_some_and(|entry| flags_of(&entry) & flag != 0)
}

fn issuance(view: &dyn ReadView, id: MptId) -> Option<Entry> {
    view.read(&object_id::mpt_issuance(id))
}

fn number(entry: &Object, field: Field) -> u64 {
    entry.u64(field).unwrap_or_default()
}

/// Who issued it, as its entry says.
#[must_use]
pub fn issuer_of(issuance: &Object) -> AccountId {
    issuance.account(fields::ISSUER).unwrap_or_default()
}

/// Whether the issuer has locked all of it.
#[must_use]
pub fn is_global_locked(view: &dyn ReadView, id: MptId) -> bool {
    has(issuance(view, id), flag::LOCKED)
}

/// Whether the issuer has locked an account's holding.
#[must_use]
pub fn is_individual_locked(view: &dyn ReadView, account: AccountId, id: MptId) -> bool {
    has(view.read(&object_id::mptoken(id, account)), flag::LOCKED)
}

pub(super) fn is_locked(view: &dyn ReadView, account: AccountId, id: MptId, depth: u8) -> bool {
    is_global_locked(view, id)
        || is_individual_locked(view, account, id)
        || is_vault_frozen(view, account, id, depth)
}

/// Whether a vault share cannot move because what is in the vault cannot.
#[must_use]
pub fn is_vault_frozen(view: &dyn ReadView, account: AccountId, share: MptId, depth: u8) -> bool {
    if !view.rules().enabled(amendment::SINGLE_ASSET_VAULT) {
        return false;
    }
    if depth >= MAX_DEPTH {
        return true;
    }
    let Some(issuance) = issuance(view, share) else { return false };
    let issuer = issuer_of(&issuance);
    let asset = match issuance.hash256(fields::REFERENCE_HOLDING) {
        Some(holding) => view.read(&holding).map(|holding| asset_of_holding(&issuance, &holding)),
        None => view
            .account(issuer)
            .and_then(|root| root.hash256(fields::VAULT_ID))
            .and_then(|vault| view.read(&vault)?.issue(fields::ASSET)),
    };
    asset.is_some_and(|asset| token::is_any_frozen_at(view, &[issuer, account], asset, depth + 1))
}

/// What a vault holds, from its share's issuance and the vault's line or MPToken.
#[must_use]
pub fn asset_of_holding(share: &Object, holding: &Object) -> Issue {
    if let Some(Value::Hash192(id)) = holding.get(fields::MP_TOKEN_ISSUANCE_ID) {
        return Issue::Mpt(MptId(*id));
    }
    let vault = issuer_of(share);
    let limit = |field| match holding.amount(field) {
        Some(Amount::Issued { currency, issuer, .. }) => Some((currency, issuer)),
        _ => None,
    };
    let (low, high) = (limit(fields::LOW_LIMIT), limit(fields::HIGH_LIMIT));
    match low.filter(|(_, issuer)| *issuer != vault).or(high) {
        Some((currency, issuer)) => Issue::Issued { currency, issuer },
        None => Issue::Xrp,
    }
}

/// What the issuer takes for a transfer.
#[must_use]
pub fn transfer_rate(view: &dyn ReadView, id: MptId) -> Rate {
    let fee = issuance(view, id).and_then(|issuance| issuance.u16(fields::TRANSFER_FEE));
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

pub(super) fn account_holds(
    view: &dyn ReadView,
    account: AccountId,
    id: MptId,
    frozen: IfFrozen,
    unauthorized: IfUnauthorized,
    spendable: Spendable,
) -> i64 {
    let hooked = view.rules().enabled(amendment::MPTOKENS_V2);
    let spent = |value| if hooked { view.balance_hook_mpt(account, id, value) } else { value };
    if spendable == Spendable::Full && account == id.issuer() {
        return issuance(view, id).map_or(0, |issuance| spent(available(&issuance)));
    }
    let Some(holding) = view.read(&object_id::mptoken(id, account)) else { return spent(0) };
    if frozen == IfFrozen::Zero && is_locked(view, account, id, 0) {
        return spent(0);
    }
    let value = i64::try_from(number(&holding, fields::MPT_AMOUNT)).unwrap_or(i64::MAX);
    let rules = view.rules();
    let allowed = unauthorized == IfUnauthorized::Ignore
        || if rules.enabled(amendment::SINGLE_ASSET_VAULT)
            || rules.enabled(amendment::CONFIDENTIAL_TRANSFER)
        {
            require_auth(view, id, account, Auth::Strong).is_ok()
        } else {
            !has(issuance(view, id), flag::REQUIRE_AUTH)
                || flags_of(&holding) & flag::AUTHORIZED != 0
        };
    spent(if allowed { value } else { 0 })
}

/// Whether accounts may begin to hold it.
///
/// # Errors
/// `tecOBJECT_NOT_FOUND`, `tecNO_AUTH`.
pub fn can_add_holding(view: &dyn ReadView, id: MptId) -> Ter {
    let issuance = token::issuance(view, id)?;
    let can = flags_of(&issuance) & flag::CAN_TRANSFER != 0;
    if can { Ok(()) } else { Err(EngineResult::TEC_NO_AUTH) }
}

/// Makes an account a holder.
///
/// # Errors
/// `tecDUPLICATE` if it is one, `tecINSUFFICIENT_RESERVE`, `tefINTERNAL`.
pub fn add_empty_holding(
    view: &mut dyn ApplyView,
    account: AccountId,
    prior_balance: i64,
    id: MptId,
) -> Ter {
    let issuance = issuance(view, id).ok_or(EngineResult::TEF_INTERNAL)?;
    if flags_of(&issuance) & flag::LOCKED != 0 {
        return Err(EngineResult::TEF_INTERNAL);
    }
    if view.exists(&object_id::mptoken(id, account)) {
        return Err(EngineResult::TEC_DUPLICATE);
    }
    if account == id.issuer() {
        return Ok(());
    }
    authorize(view, account, prior_balance, id)
}

/// Creates an account's MPToken if it can keep the reserve for it.
///
/// # Errors
/// `tecINSUFFICIENT_RESERVE`, `tecDIR_FULL`, `tecINTERNAL`.
pub fn authorize(
    view: &mut dyn ApplyView,
    account: AccountId,
    prior_balance: i64,
    id: MptId,
) -> Ter {
    let internal = EngineResult::TEC_INTERNAL;
    let root = view.account(account).ok_or(internal)?;
    let count = owner_count(&root);
    if count >= FREE_ITEMS {
        let reserve = view.info().fees.account_reserve(count.saturating_add(1));
        if prior_balance < i64::try_from(reserve).unwrap_or(i64::MAX) {
            return Err(EngineResult::TEC_INSUFFICIENT_RESERVE);
        }
    }
    if issuance(view, id).is_none_or(|issuance| issuer_of(&issuance) == account) {
        return Err(internal);
    }
    create(view, id, account, 0)?;
    adjust_owner_count(view, account, 1)
}

/// Deletes an account's empty MPToken.
///
/// # Errors
/// `tecINTERNAL` if it is not there or not empty.
pub fn unauthorize(view: &mut dyn ApplyView, account: AccountId, id: MptId) -> Ter {
    let internal = EngineResult::TEC_INTERNAL;
    let key = object_id::mptoken(id, account);
    let holding = view.read(&key).ok_or(internal)?;
    let locked = number(&holding, fields::LOCKED_AMOUNT) != 0
        && view.rules().enabled(amendment::FIX_CLEANUP_3_1_3);
    if number(&holding, fields::MPT_AMOUNT) != 0 || locked {
        return Err(internal);
    }
    let page = number(&holding, fields::OWNER_NODE);
    if !directory::remove(view, object_id::owner_dir(account), page, &key, false) {
        return Err(internal);
    }
    adjust_owner_count(view, account, -1)?;
    view.erase(&key);
    Ok(())
}

/// The issuer says whether a holder is authorised.
///
/// # Errors
/// `tecINTERNAL` if there is no such holder, or somebody else says so.
pub fn set_authorized(
    view: &mut dyn ApplyView,
    issuer: AccountId,
    id: MptId,
    holder: AccountId,
    authorized: bool,
) -> Ter {
    let internal = EngineResult::TEC_INTERNAL;
    if issuance(view, id).is_none_or(|issuance| issuer_of(&issuance) != issuer) {
        return Err(internal);
    }
    let holding = view.get_mut(&object_id::mptoken(id, holder)).ok_or(internal)?;
    let before = flags_of(holding);
    let after = if authorized { before | flag::AUTHORIZED } else { before & !flag::AUTHORIZED };
    if before != after {
        holding.set(fields::FLAGS, after.into());
    }
    Ok(())
}

/// Deletes an account's empty MPToken.
///
/// # Errors
/// `tecOBJECT_NOT_FOUND`, `tecHAS_OBLIGATIONS` if it is not empty.
pub fn remove_empty_holding(view: &mut dyn ApplyView, account: AccountId, id: MptId) -> Ter {
    const CONFIDENTIAL: [Field; 4] = [
        fields::CONFIDENTIAL_BALANCE_INBOX,
        fields::CONFIDENTIAL_BALANCE_SPENDING,
        fields::ISSUER_ENCRYPTED_BALANCE,
        fields::AUDITOR_ENCRYPTED_BALANCE,
    ];
    let Some(holding) = view.read(&object_id::mptoken(id, account)) else {
        return match account == id.issuer() {
            true => Ok(()),
            false => Err(EngineResult::TEC_OBJECT_NOT_FOUND),
        };
    };
    let locked = number(&holding, fields::LOCKED_AMOUNT) != 0
        && view.rules().enabled(amendment::FIX_CLEANUP_3_1_3);
    if number(&holding, fields::MPT_AMOUNT) != 0
        || locked
        || CONFIDENTIAL.iter().any(|field| holding.contains(*field))
    {
        return Err(EngineResult::TEC_HAS_OBLIGATIONS);
    }
    drop(holding);
    unauthorize(view, account, id)
}

/// Whether an account is authorised to hold it.
///
/// # Errors
/// `tecOBJECT_NOT_FOUND`, `tecNO_AUTH`, `tecEXPIRED`, `tefINTERNAL`.
pub fn require_auth(view: &dyn ReadView, id: MptId, account: AccountId, auth: Auth) -> Ter {
    require_auth_at(view, id, account, auth, 0)
}

fn require_auth_at(
    view: &dyn ReadView,
    id: MptId,
    account: AccountId,
    auth: Auth,
    depth: u8,
) -> Ter {
    let rules = view.rules();
    let vaults = rules.enabled(amendment::SINGLE_ASSET_VAULT);
    // Pseudo-accounts hold for others.
    let is_exempt = || {
        (vaults || rules.enabled(amendment::MPTOKENS_V2))
            && view
                .account(account)
                .is_some_and(|root| PSEUDO_FIELDS.iter().any(|field| root.contains(*field)))
    };
    let early = rules.enabled(amendment::FIX_CLEANUP_3_3_0);
    let issuance = token::issuance(view, id)?;
    let issuer = issuer_of(&issuance);
    if issuer == account || (early && is_exempt()) {
        return Ok(());
    }
    if vaults {
        if depth >= MAX_DEPTH {
            return Err(EngineResult::TEC_INTERNAL);
        }
        let internal = EngineResult::TEF_INTERNAL;
        let root = view.account(issuer).ok_or(internal)?;
        if let Some(vault) = root.hash256(fields::VAULT_ID) {
            let vault = view.read(&vault).ok_or(internal)?;
            match vault.issue(fields::ASSET).ok_or(internal)? {
                Issue::Mpt(id) => require_auth_at(view, id, account, auth, depth + 1)?,
                issue => token::require_auth(view, issue, account, auth)?,
            }
        }
    }
    let holding = view.read(&object_id::mptoken(id, account));
    if holding.is_none() && auth != Auth::Weak {
        return Err(EngineResult::TEC_NO_AUTH);
    }
    if let Some(domain) = issuance.hash256(fields::DOMAIN_ID) {
        match credentials::valid_domain(view, domain, account) {
            Ok(()) => return Ok(()),
            Err(error) if holding.is_none() => return Err(error),
            // The issuer may have authorised it by hand.
            Err(_) => {}
        }
    }
    if !early && is_exempt() {
        return Ok(());
    }
    if flags_of(&issuance) & flag::REQUIRE_AUTH != 0 && !has(holding, flag::AUTHORIZED) {
        return Err(EngineResult::TEC_NO_AUTH);
    }
    Ok(())
}

/// Whether an account is authorised to hold an MPT that wants that; makes it a holder if a domain
/// authorises it, and deletes expired credentials.
///
/// # Errors
/// `tecNO_AUTH`, `tecEXPIRED`, `tefINTERNAL`, and those of [`authorize`].
pub fn enforce_authorization(
    view: &mut dyn ApplyView,
    id: MptId,
    account: AccountId,
    prior_balance: i64,
) -> Ter {
    let issuance = issuance(view, id).ok_or(EngineResult::TEF_INTERNAL)?;
    if account == issuer_of(&issuance) {
        return Err(EngineResult::TEF_INTERNAL);
    }
    let holding = view.read(&object_id::mptoken(id, account));
    let by_domain = issuance
        .hash256(fields::DOMAIN_ID)
        .map(|domain| credentials::verify_valid_domain(view, account, domain));
    match (by_domain, holding) {
        (Some(Ok(())), Some(_)) => Ok(()),
        (Some(Ok(())), None) => authorize(view, account, prior_balance, id),
        (Some(Err(EngineResult::TEC_EXPIRED)), _) => Err(EngineResult::TEC_EXPIRED),
        (None, holding) if has(holding.clone(), flag::AUTHORIZED) => Ok(()),
        _ => Err(EngineResult::TEC_NO_AUTH),
    }
}

/// Whether an MPT may move between two accounts.
///
/// # Errors
/// `tecOBJECT_NOT_FOUND`, `tecNO_AUTH`.
pub fn can_transfer(view: &dyn ReadView, id: MptId, from: AccountId, to: AccountId) -> Ter {
    can_transfer_at(view, id, from, to, 0)
}

fn can_transfer_at(
    view: &dyn ReadView,
    id: MptId,
    from: AccountId,
    to: AccountId,
    depth: u8,
) -> Ter {
    let issuance = token::issuance(view, id)?;
    let issuer = issuer_of(&issuance);
    if from == issuer || to == issuer {
        return Ok(());
    }
    if flags_of(&issuance) & flag::CAN_TRANSFER == 0 {
        return Err(EngineResult::TEC_NO_AUTH);
    }
    match underlying(view, &issuance, depth)? {
        Some(Issue::Mpt(id)) => can_transfer_at(view, id, from, to, depth + 1),
        Some(issue) => token::can_transfer(view, issue, from, to),
        None => Ok(()),
    }
}

/// What a vault's share stands for.
fn underlying(
    view: &dyn ReadView,
    issuance: &Object,
    depth: u8,
) -> Result<Option<Issue>, EngineResult> {
    let Some(holding) = issuance
        .hash256(fields::REFERENCE_HOLDING)
        .filter(|_| view.rules().enabled(amendment::FIX_CLEANUP_3_2_0))
    else {
        return Ok(None);
    };
    if depth >= MAX_DEPTH {
        return Err(EngineResult::TEC_INTERNAL);
    }
    let holding = view.read(&holding).ok_or(EngineResult::TEF_INTERNAL)?;
    Ok(Some(asset_of_holding(issuance, &holding)))
}

/// Whether something may be traded on the decentralized exchange.
///
/// # Errors
/// `tecOBJECT_NOT_FOUND`, `tecNO_PERMISSION`.
pub fn can_trade(view: &dyn ReadView, issue: Issue) -> Ter {
    can_trade_at(view, issue, 0)
}

fn can_trade_at(view: &dyn ReadView, issue: Issue, depth: u8) -> Ter {
    let Issue::Mpt(id) = issue else { return Ok(()) };
    let issuance = token::issuance(view, id)?;
    if flags_of(&issuance) & flag::CAN_TRADE == 0 {
        return Err(EngineResult::TEC_NO_PERMISSION);
    }
    match underlying(view, &issuance, depth)? {
        Some(issue) => can_trade_at(view, issue, depth + 1),
        None => Ok(()),
    }
}

/// [`can_trade`] and [`can_transfer`] for an MPT; anything else passes.
///
/// # Errors
/// Theirs.
pub fn can_trade_and_transfer(
    view: &dyn ReadView,
    issue: Issue,
    from: AccountId,
    to: AccountId,
) -> Ter {
    let Issue::Mpt(id) = issue else { return Ok(()) };
    can_trade(view, issue)?;
    can_transfer(view, id, from, to)
}

/// Creates an MPToken; the owner's count is the caller's business.
///
/// # Errors
/// `tecDIR_FULL`.
pub fn create(view: &mut dyn ApplyView, id: MptId, account: AccountId, flags: u32) -> Ter {
    let key = object_id::mptoken(id, account);
    let page = directory::add_owned(view, account, key).ok_or(EngineResult::TEC_DIR_FULL)?;
    let mut holding = entry_type::new(entry_type::MPTOKEN)
        .with(fields::FLAGS, flags)
        .with(fields::ACCOUNT, account)
        .with(fields::OWNER_NODE, page);
    holding.set(fields::MP_TOKEN_ISSUANCE_ID, Value::Hash192(id.0));
    view.insert(key, holding);
    Ok(())
}

/// Makes an account a holder, whatever its reserve, if it is not one yet.
///
/// # Errors
/// `tecDIR_FULL`, `tefINTERNAL`.
pub fn create_if_missing(view: &mut dyn ApplyView, id: MptId, holder: AccountId) -> Ter {
    if id.issuer() == holder || view.exists(&object_id::mptoken(id, holder)) {
        return Ok(());
    }
    create(view, id, holder, 0)?;
    adjust_owner_count(view, holder, 1)
}

fn add_outstanding(view: &mut dyn ApplyView, key: &Hash256, outstanding: u64) -> Ter {
    let issuance = view.get_mut(key).ok_or(EngineResult::TEC_OBJECT_NOT_FOUND)?;
    issuance.set(fields::OUTSTANDING_AMOUNT, outstanding.into());
    Ok(())
}

/// Moves an MPT from or to its issuer.
///
/// # Errors
/// `tecINSUFFICIENT_FUNDS`, `tecNO_AUTH` without an MPToken, `tecPATH_DRY` beyond the maximum,
/// `tecOBJECT_NOT_FOUND`, `tecINTERNAL`.
pub fn credit(
    view: &mut dyn ApplyView,
    from: AccountId,
    to: AccountId,
    id: MptId,
    value: i64,
) -> Ter {
    let key = object_id::mpt_issuance(id);
    let issuance = token::issuance(view, id)?;
    let (most, left) = (maximum(&issuance), available(&issuance));
    let outstanding = number(&issuance, fields::OUTSTANDING_AMOUNT);
    let amount = value.unsigned_abs();
    drop(issuance);
    let v2 = view.rules().enabled(amendment::MPTOKENS_V2);
    if from == id.issuer() {
        if v2 && overflows(value, outstanding, most, Overflow::Allow) {
            return Err(EngineResult::TEC_PATH_DRY);
        }
        add_outstanding(view, &key, outstanding.saturating_add(amount))?;
    } else {
        let key = object_id::mptoken(id, from);
        let holding = view.read(&key).ok_or(EngineResult::TEC_NO_AUTH)?;
        let before = number(&holding, fields::MPT_AMOUNT);
        drop(holding);
        let after = before.checked_sub(amount).ok_or(EngineResult::TEC_INSUFFICIENT_FUNDS)?;
        view.credit_hook_mpt(from, to, id, value, before, left);
        if let Some(holding) = view.get_mut(&key) {
            set_or_clear(holding, fields::MPT_AMOUNT, after);
        }
    }
    if to == id.issuer() {
        let after = outstanding.checked_sub(amount).ok_or(EngineResult::TEC_INTERNAL)?;
        return add_outstanding(view, &key, after);
    }
    let key = object_id::mptoken(id, to);
    let holding = view.read(&key).ok_or(EngineResult::TEC_NO_AUTH)?;
    let before = number(&holding, fields::MPT_AMOUNT);
    drop(holding);
    let after = before.checked_add(amount).ok_or(EngineResult::TEC_INTERNAL)?;
    view.credit_hook_mpt(from, to, id, value, before, left);
    if let Some(holding) = view.get_mut(&key) {
        set_or_clear(holding, fields::MPT_AMOUNT, after);
    }
    Ok(())
}

pub(super) fn send(
    view: &mut dyn ApplyView,
    from: AccountId,
    to: AccountId,
    id: MptId,
    value: i64,
    fee: TransferFee,
    overflow: Overflow,
) -> Ter {
    let issuance = token::issuance(view, id)?;
    let issuer = id.issuer();
    if from == issuer {
        let v2 = view.rules().enabled(amendment::MPTOKENS_V2);
        let overflow = if v2 { overflow } else { Overflow::Refuse };
        let outstanding = number(&issuance, fields::OUTSTANDING_AMOUNT);
        if overflows(value, outstanding, maximum(&issuance), overflow) {
            return Err(EngineResult::TEC_PATH_DRY);
        }
    }
    if from == issuer || to == issuer {
        return credit(view, from, to, id, value);
    }
    let cost = cost(view, id, value, fee)?;
    credit(view, issuer, to, id, value)?;
    credit(view, from, issuer, id, cost)
}

/// What a transfer costs the sender.
fn cost(view: &dyn ReadView, id: MptId, value: i64, fee: TransferFee) -> Result<i64, EngineResult> {
    if fee == TransferFee::Waive {
        return Ok(value);
    }
    match transfer_rate(view, id).multiply(&Amount::Mpt { value, id }) {
        Ok(Amount::Mpt { value, .. }) => Ok(value),
        _ => Err(EngineResult::TEF_EXCEPTION),
    }
}

pub(super) fn send_multi(
    view: &mut dyn ApplyView,
    from: AccountId,
    id: MptId,
    receivers: &[(AccountId, Amount)],
    fee: TransferFee,
) -> Ter {
    let internal = EngineResult::TEC_INTERNAL;
    let issuance = token::issuance(view, id)?;
    let issuer = id.issuer();
    let most = maximum(&issuance).unsigned_abs();
    let outstanding = number(&issuance, fields::OUTSTANDING_AMOUNT);
    drop(issuance);
    let sum_up = view.rules().enabled(amendment::FIX_CLEANUP_3_1_3);
    let (mut issued, mut through) = (0u64, 0i64);
    for (to, amount) in receivers {
        let Amount::Mpt { value, .. } = *amount else { return Err(internal) };
        if value < 0 {
            return Err(internal);
        }
        if value == 0 || from == *to {
            continue;
        }
        if from == issuer {
            let so_far = if sum_up { issued } else { 0 };
            let all =
                outstanding.checked_add(so_far).and_then(|n| n.checked_add(value.unsigned_abs()));
            if all.is_none_or(|all| all > most) {
                return Err(EngineResult::TEC_PATH_DRY);
            }
            issued = issued.saturating_add(value.unsigned_abs());
        }
        if from == issuer || *to == issuer {
            credit(view, from, *to, id, value)?;
            continue;
        }
        through = through.checked_add(cost(view, id, value, fee)?).ok_or(internal)?;
        credit(view, issuer, *to, id, value)?;
    }
    if from != issuer && through != 0 {
        credit(view, from, issuer, id, through)?;
    }
    Ok(())
}

/// Sets an amount aside for an escrow: it stays the holder's and outstanding, but locked.
///
/// # Errors
/// `tecOBJECT_NOT_FOUND`, `tecINTERNAL`.
pub fn lock_escrow(view: &mut dyn ApplyView, sender: AccountId, id: MptId, value: i64) -> Ter {
    let (missing, internal) = (EngineResult::TEC_OBJECT_NOT_FOUND, EngineResult::TEC_INTERNAL);
    token::issuance(view, id)?;
    if id.issuer() == sender {
        return Err(internal);
    }
    let amount = value.unsigned_abs();
    let holding = view.get_mut(&object_id::mptoken(id, sender)).ok_or(missing)?;
    let held = number(holding, fields::MPT_AMOUNT).checked_sub(amount).ok_or(internal)?;
    set_or_clear(holding, fields::MPT_AMOUNT, held);
    add_locked(holding, amount)?;
    add_locked(view.get_mut(&object_id::mpt_issuance(id)).ok_or(missing)?, amount)
}

fn add_locked(entry: &mut Object, amount: u64) -> Ter {
    let locked = number(entry, fields::LOCKED_AMOUNT).checked_add(amount);
    let locked = locked.filter(|locked| i64::try_from(*locked).is_ok());
    entry.set(fields::LOCKED_AMOUNT, locked.ok_or(EngineResult::TEC_INTERNAL)?.into());
    Ok(())
}

fn take_locked(entry: &mut Object, amount: u64) -> Ter {
    let locked = entry.u64(fields::LOCKED_AMOUNT).and_then(|locked| locked.checked_sub(amount));
    set_or_clear(entry, fields::LOCKED_AMOUNT, locked.ok_or(EngineResult::TEC_INTERNAL)?);
    Ok(())
}

/// Pays out what was set aside: `gross` was locked, `net` arrives, the difference is the issuer's fee
/// and no longer outstanding.
///
/// # Errors
/// `tecOBJECT_NOT_FOUND`, `tecINTERNAL`.
pub fn unlock_escrow(
    view: &mut dyn ApplyView,
    sender: AccountId,
    receiver: AccountId,
    id: MptId,
    net: i64,
    gross: i64,
) -> Ter {
    let (missing, internal) = (EngineResult::TEC_OBJECT_NOT_FOUND, EngineResult::TEC_INTERNAL);
    let (net, gross) = (net.unsigned_abs(), gross.unsigned_abs());
    let key = object_id::mpt_issuance(id);
    let issuer = id.issuer();
    take_locked(view.get_mut(&key).ok_or(missing)?, gross)?;
    let take_outstanding = |view: &mut dyn ApplyView, amount: u64| -> Ter {
        let issuance = view.get_mut(&key).ok_or(missing)?;
        let after = number(issuance, fields::OUTSTANDING_AMOUNT).checked_sub(amount);
        issuance.set(fields::OUTSTANDING_AMOUNT, after.ok_or(internal)?.into());
        Ok(())
    };
    if issuer == receiver {
        take_outstanding(view, net)?;
    } else {
        let holding = view.get_mut(&object_id::mptoken(id, receiver)).ok_or(missing)?;
        let after = number(holding, fields::MPT_AMOUNT).checked_add(net).ok_or(internal)?;
        set_or_clear(holding, fields::MPT_AMOUNT, after);
    }
    if issuer == sender {
        return Err(internal);
    }
    take_locked(view.get_mut(&object_id::mptoken(id, sender)).ok_or(missing)?, gross)?;
    match gross.checked_sub(net) {
        Some(0) => Ok(()),
        Some(fee) => take_outstanding(view, fee),
        None => Err(internal),
    }
}

/// What the issuer of an MPT that it sells itself may still issue within a payment.
#[must_use]
pub fn issuer_funds_to_self_issue(view: &dyn ReadView, id: MptId) -> i64 {
    let issuance = issuance(view, id);
    issuance.map_or(0, |issuance| view.balance_hook_self_issue_mpt(id, available(&issuance)))
}

/// Notes within a payment that the issuer of an MPT sells some of it itself.
///
/// # Errors
/// `tecINTERNAL` without an issuance.
pub fn note_issuer_self_debit(view: &mut dyn ApplyView, id: MptId, value: u64) -> Ter {
    let before = available(&*issuance(view, id).ok_or(EngineResult::TEC_INTERNAL)?);
    view.issuer_self_debit_hook_mpt(id, value, before);
    Ok(())
}
