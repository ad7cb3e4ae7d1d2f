//! Becoming a holder and ceasing to be one.

use xrpl_protocol::{AccountId, EngineResult, Field, MptId, Value, fields, object_id};

use super::issuance::{find, flag, has, issuer_of, number};
use crate::ledger::{
    amendment, directory, entry_type,
    helpers::{
        account_root::{adjust_owner_count, flags_of, owner_count},
        credentials,
    },
    view::{ApplyView, Ter},
};

/// Things an account may own before it must keep a reserve for an MPToken.
const FREE_ITEMS: u32 = 2;

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
    let issuance = find(view, id).ok_or(EngineResult::TEF_INTERNAL)?;
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
    if find(view, id).is_none_or(|issuance| issuer_of(&issuance) == account) {
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
    if find(view, id).is_none_or(|issuance| issuer_of(&issuance) != issuer) {
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
    let issuance = find(view, id).ok_or(EngineResult::TEF_INTERNAL)?;
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
