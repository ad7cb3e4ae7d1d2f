//! `deposit_authorized`, and methods about entries of types that this ledger does not build yet: they
//! answer as xrpld does where there are none.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use xrpl_protocol::{AccountId, Hash256, fields, object_id};

use super::{Answer, Call, Looked, RpcError, object};
use crate::ledger::{entry_type, helpers::credentials};

pub(super) fn deposit_authorized(call: &Call<'_>) -> Answer {
    let account = |key: &'static str| match call.params.get(key) {
        None => Err(RpcError::missing(key)),
        Some(Json::String(_)) => call.account(key),
        Some(_) => Err(RpcError::not(key, "a string")),
    };
    let (source, destination) = (account("source_account")?, account("destination_account")?);
    let looked = call.ledger(&call.shared.node())?;
    if looked.view().account(source).is_none() {
        let error = RpcError::new("srcActNotFound", 67, "Source account not found.");
        return Err(error.in_ledger(&looked));
    }
    let Some(root) = looked.view().account(destination) else {
        let error = RpcError::new("dstActNotFound", 50, "Destination account not found.");
        return Err(error.in_ledger(&looked));
    };
    let presented = presented(call, &looked, source)?;
    let asks = root.u32(fields::FLAGS).unwrap_or(0) & 0x0100_0000 != 0;
    let there = |id: Hash256| looked.view().exists(&id);
    let authorized = !asks
        || source == destination
        || there(object_id::deposit_preauth(destination, source))
        || presented.is_some_and(|credentials| {
            there(object_id::deposit_preauth_credentials(destination, &credentials))
        });
    let mut answer = object(json!({
        "deposit_authorized": authorized,
        "destination_account": destination.to_string(),
        "source_account": source.to_string(),
    }));
    if let Some(credentials) = call.params.get("credentials") {
        answer.insert("credentials".into(), credentials.clone());
    }
    looked.describe(&mut answer);
    Ok(answer)
}

/// Issuers and types of credentials.
type Presented = BTreeSet<(AccountId, Vec<u8>)>;

/// The credentials that a request presents, which must be the subject's.
fn presented(
    call: &Call<'_>,
    looked: &Looked,
    subject: AccountId,
) -> Result<Option<Presented>, RpcError> {
    let not = |what| RpcError::not("credentials", what);
    let bad = |text: &str| RpcError::new("badCredentials", 95, text).in_ledger(looked);
    let Some(json) = call.params.get("credentials") else { return Ok(None) };
    let ids = json.as_array().filter(|ids| !ids.is_empty());
    let ids = ids.ok_or_else(|| not("is non-empty array of CredentialID(hash256)"))?;
    if ids.len() > credentials::MAX_PRESENTED {
        return Err(not("array too long"));
    }
    let mut pairs = BTreeSet::new();
    for id in ids {
        let id: Option<Hash256> = id.as_str().and_then(|id| id.parse().ok());
        let id = id.ok_or_else(|| not("an array of CredentialID(hash256)"))?;
        let found =
            looked.view().read(&id).filter(|entry| entry_type::of(entry) == entry_type::CREDENTIAL);
        let credential = found.ok_or_else(|| bad("credentials don't exist"))?;
        if credential.u32(fields::FLAGS).unwrap_or(0) & credentials::ACCEPTED == 0 {
            return Err(bad("credentials aren't accepted"));
        }
        if credentials::is_expired(looked.view(), &credential) {
            return Err(bad("credentials are expired"));
        }
        if credential.account(fields::SUBJECT) != Some(subject) {
            return Err(bad("credentials doesn't belong to the root account"));
        }
        let issuer = credential.account(fields::ISSUER).unwrap_or_default();
        let kind = credential.blob(fields::CREDENTIAL_TYPE).unwrap_or_default();
        if !pairs.insert((issuer, kind.to_vec())) {
            return Err(bad("duplicates in credentials"));
        }
    }
    Ok(Some(pairs))
}
