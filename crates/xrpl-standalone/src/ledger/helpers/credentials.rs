//! Credentials and what they open: deposits, domains
//! (<https://xrpl.org/docs/concepts/decentralized-storage/credentials>).

use std::collections::BTreeSet;

use xrpl_protocol::{
    AccountId, EngineResult, Field, Hash256, Object, fields, hash::sha512_half, object_id,
};

use super::account_root::{adjust_owner_count, flag, flags_of};
use crate::ledger::{
    amendment, directory, entry_type,
    view::{ApplyView, Entry, ReadView, Ter},
};

/// `lsfAccepted` of a Credential.
pub const ACCEPTED: u32 = 0x0001_0000;
/// Credentials that a transaction may present.
pub const MAX_PRESENTED: usize = 8;
/// Bytes of a credential's type.
pub const MAX_TYPE_LENGTH: usize = 64;
/// Credentials that a domain may accept.
pub const MAX_DOMAIN_CREDENTIALS: usize = 10;

/// Whether a credential's time is over: unlike other things, it is valid in its last second.
#[must_use]
pub fn is_expired(view: &dyn ReadView, credential: &Object) -> bool {
    let until = credential.u32(fields::EXPIRATION).unwrap_or(u32::MAX);
    view.info().parent_close_time > until
}

/// Deletes those of the credentials that have expired; whether there was one.
fn remove_expired(view: &mut dyn ApplyView, ids: &[Hash256]) -> Result<bool, EngineResult> {
    let mut found = false;
    for id in ids {
        if view.read(id).is_some_and(|credential| is_expired(view, &credential)) {
            let deleted = delete(view, id);
            if view.rules().enabled(amendment::FIX_CLEANUP_3_1_3) {
                deleted?;
            }
            found = true;
        }
    }
    Ok(found)
}

/// Deletes a credential. Its issuer owns it until the subject accepts it.
///
/// # Errors
/// `tecNO_ENTRY` if there is none, `tecINTERNAL`, `tefBAD_LEDGER`.
pub fn delete(view: &mut dyn ApplyView, id: &Hash256) -> Ter {
    let credential = view.read(id).ok_or(EngineResult::TEC_NO_ENTRY)?;
    let internal = EngineResult::TEC_INTERNAL;
    let issuer = credential.account(fields::ISSUER).ok_or(internal)?;
    let subject = credential.account(fields::SUBJECT).ok_or(internal)?;
    let accepted = flags_of(&credential) & ACCEPTED != 0;
    let mut unlink = |account: AccountId, node: Field, owns: bool| -> Ter {
        if !view.exists(&object_id::account_root(account)) {
            return Err(internal);
        }
        let page = credential.u64(node).unwrap_or_default();
        if !directory::remove(view, object_id::owner_dir(account), page, id, false) {
            return Err(EngineResult::TEF_BAD_LEDGER);
        }
        if owns { adjust_owner_count(view, account, -1) } else { Ok(()) }
    };
    unlink(issuer, fields::ISSUER_NODE, !accepted || subject == issuer)?;
    if subject != issuer {
        unlink(subject, fields::SUBJECT_NODE, accepted)?;
    }
    view.erase(id);
    Ok(())
}

/// Form of a transaction's `CredentialIDs`.
///
/// # Errors
/// `temMALFORMED`.
pub fn check_fields(tx: &Object) -> Ter {
    let Some(ids) = tx.vector256(fields::CREDENTIAL_I_DS) else { return Ok(()) };
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    if ids.is_empty() || ids.len() > MAX_PRESENTED || sorted.len() != ids.len() {
        return Err(EngineResult::TEM_MALFORMED);
    }
    Ok(())
}

/// Whether a transaction's credentials are its sender's. Expiry is for `apply` to see.
///
/// # Errors
/// `tecBAD_CREDENTIALS`.
pub fn valid(view: &dyn ReadView, tx: &Object, sender: AccountId) -> Ter {
    let ids = tx.vector256(fields::CREDENTIAL_I_DS).unwrap_or_default();
    let good = |id| {
        view.read(id).is_some_and(|credential| {
            credential.account(fields::SUBJECT) == Some(sender)
                && flags_of(&credential) & ACCEPTED != 0
        })
    };
    if ids.iter().all(good) { Ok(()) } else { Err(EngineResult::TEC_BAD_CREDENTIALS) }
}

/// The permissioned domain of an id; none if the id is of something else.
#[must_use]
pub fn domain(view: &dyn ReadView, id: &Hash256) -> Option<Entry> {
    view.read(id).filter(|entry| entry_type::of(entry) == entry_type::PERMISSIONED_DOMAIN)
}

/// Ids of the subject's credentials that a domain accepts, those that exist.
fn of_domain(view: &dyn ReadView, domain: &Object, subject: AccountId) -> Vec<Hash256> {
    let accepted = domain.array(fields::ACCEPTED_CREDENTIALS).unwrap_or_default();
    let ids = accepted.iter().map(|(_, accepted)| {
        let issuer = accepted.account(fields::ISSUER).unwrap_or_default();
        let kind = accepted.blob(fields::CREDENTIAL_TYPE).unwrap_or_default();
        object_id::credential(subject, issuer, kind)
    });
    ids.filter(|id| view.exists(id)).collect()
}

/// Whether an account has a credential for a domain; changes nothing. A caller that goes on to
/// [`verify_valid_domain`] takes `tecEXPIRED` for success.
///
/// # Errors
/// `tecOBJECT_NOT_FOUND` without the domain, `tecEXPIRED`, `tecNO_AUTH`.
pub fn valid_domain(view: &dyn ReadView, domain: Hash256, subject: AccountId) -> Ter {
    let domain = self::domain(view, &domain).ok_or(EngineResult::TEC_OBJECT_NOT_FOUND)?;
    let mut expired = false;
    for credential in of_domain(view, &domain, subject).iter().filter_map(|id| view.read(id)) {
        if is_expired(view, &credential) {
            expired = true;
        } else if flags_of(&credential) & ACCEPTED != 0 {
            return Ok(());
        }
    }
    Err(if expired { EngineResult::TEC_EXPIRED } else { EngineResult::TEC_NO_AUTH })
}

/// Whether an account has a credential for a domain; deletes expired ones on the way.
///
/// # Errors
/// `tecOBJECT_NOT_FOUND` without the domain, `tecEXPIRED`, `tecNO_PERMISSION`.
pub fn verify_valid_domain(view: &mut dyn ApplyView, account: AccountId, domain: Hash256) -> Ter {
    let domain = self::domain(view, &domain).ok_or(EngineResult::TEC_OBJECT_NOT_FOUND)?;
    let ids = of_domain(view, &domain, account);
    let expired = remove_expired(view, &ids)?;
    let accepted = |id| view.read(id).is_some_and(|entry| flags_of(&entry) & ACCEPTED != 0);
    if ids.iter().any(accepted) {
        return Ok(());
    }
    Err(if expired { EngineResult::TEC_EXPIRED } else { EngineResult::TEC_NO_PERMISSION })
}

/// Issuer and type of credentials; none if one is there twice.
#[must_use]
pub fn distinct(credentials: &[(Field, Object)]) -> Option<BTreeSet<(AccountId, Vec<u8>)>> {
    let pairs: BTreeSet<_> = credentials.iter().map(|(_, credential)| pair(credential)).collect();
    (pairs.len() == credentials.len()).then_some(pairs)
}

fn pair(credential: &Object) -> (AccountId, Vec<u8>) {
    let issuer = credential.account(fields::ISSUER).unwrap_or_default();
    (issuer, credential.blob(fields::CREDENTIAL_TYPE).unwrap_or_default().to_vec())
}

/// Form of a list of credentials in a transaction.
///
/// # Errors
/// `temARRAY_EMPTY`, `temARRAY_TOO_LARGE`, `temINVALID_ACCOUNT_ID`, `temMALFORMED`.
pub fn check_array(credentials: &[(Field, Object)], most: usize) -> Ter {
    if credentials.is_empty() {
        return Err(EngineResult::TEM_ARRAY_EMPTY);
    }
    if credentials.len() > most {
        return Err(EngineResult::TEM_ARRAY_TOO_LARGE);
    }
    let mut seen = Vec::with_capacity(credentials.len());
    for (issuer, kind) in credentials.iter().map(|(_, credential)| pair(credential)) {
        if issuer == AccountId::ZERO {
            return Err(EngineResult::TEM_INVALID_ACCOUNT_ID);
        }
        let hash = sha512_half(&[&issuer.0, &kind]);
        if kind.is_empty() || kind.len() > MAX_TYPE_LENGTH || seen.contains(&hash) {
            return Err(EngineResult::TEM_MALFORMED);
        }
        seen.push(hash);
    }
    Ok(())
}

/// Whether the account that requires authorisation has authorised these credentials together.
///
/// # Errors
/// `tecNO_PERMISSION`, `tefINTERNAL` if one is missing or there twice.
pub fn authorized_deposit_preauth(
    view: &dyn ReadView,
    ids: &[Hash256],
    destination: AccountId,
) -> Ter {
    let internal = EngineResult::TEF_INTERNAL;
    let mut pairs = BTreeSet::new();
    for id in ids {
        if !pairs.insert(pair(&*view.read(id).ok_or(internal)?)) {
            return Err(internal);
        }
    }
    match view.exists(&object_id::deposit_preauth_credentials(destination, &pairs)) {
        true => Ok(()),
        false => Err(EngineResult::TEC_NO_PERMISSION),
    }
}

/// Whether `from` may deposit with `to`, which may want to be asked first: by itself, or with the
/// transaction's credentials.
///
/// # Errors
/// `tecNO_PERMISSION`.
pub fn check_deposit_preauth(
    view: &dyn ReadView,
    tx: &Object,
    from: AccountId,
    to: AccountId,
) -> Ter {
    let asks = view.account(to).is_some_and(|root| flags_of(&root) & flag::DEPOSIT_AUTH != 0);
    if !asks || from == to || view.exists(&object_id::deposit_preauth(to, from)) {
        return Ok(());
    }
    match tx.vector256(fields::CREDENTIAL_I_DS) {
        None => Err(EngineResult::TEC_NO_PERMISSION),
        Some(ids) => authorized_deposit_preauth(view, ids, to),
    }
}

/// Deletes those of a transaction's credentials that have expired.
///
/// # Errors
/// `tecEXPIRED` if there was one.
pub fn clean_up_expired(view: &mut dyn ApplyView, tx: &Object) -> Ter {
    let Some(ids) = tx.vector256(fields::CREDENTIAL_I_DS) else { return Ok(()) };
    if remove_expired(view, ids)? { Err(EngineResult::TEC_EXPIRED) } else { Ok(()) }
}

/// [`clean_up_expired`], then [`check_deposit_preauth`].
///
/// # Errors
/// Theirs.
pub fn verify_deposit_preauth(
    view: &mut dyn ApplyView,
    tx: &Object,
    from: AccountId,
    to: AccountId,
) -> Ter {
    clean_up_expired(view, tx)?;
    check_deposit_preauth(view, tx, from, to)
}
