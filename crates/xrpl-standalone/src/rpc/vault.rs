//! Vaults (<https://xrpl.org/docs/references/http-websocket-apis/public-api-methods/vault-methods/vault_info>).

use serde_json::{Map, Value as Json};
use xrpl_protocol::{AccountId, Hash256, object_id};

use super::{Answer, Call, Looked, RpcError, convert::text_of, entry_json, hash_of};
use crate::ledger::helpers::vault;

/// xrpld puts this token over whatever was wrong.
const MALFORMED: &str = "malformedRequest";

pub(super) fn vault_info(call: &Call<'_>) -> Answer {
    let looked = call.ledger(&call.shared.node())?;
    let id = named(call, &looked)?;
    let missing = || RpcError::new("entryNotFound", 0, "").in_ledger(&looked);
    let (entry, issuance) = vault::find(looked.view(), &id).ok_or_else(missing)?;
    let issuance = issuance.ok_or_else(missing)?;
    let mut shown = entry_json(&id, &entry);
    let shares = entry_json(&object_id::mpt_issuance(vault::share(&entry)), &issuance);
    if let Json::Object(members) = &mut shown {
        members.insert("shares".into(), shares);
    }
    let mut answer = Map::from_iter([("vault".to_owned(), shown)]);
    looked.describe(&mut answer);
    Ok(answer)
}

/// The id of the vault that is asked for: itself, or by owner and Sequence.
fn named(call: &Call<'_>, looked: &Looked) -> Result<Hash256, RpcError> {
    let wrong = |code, words| RpcError::new(MALFORMED, code, words).in_ledger(looked);
    let invalid = || wrong(31, "Invalid parameters.");
    let get = |key: &str| call.params.get(key);
    match (get("vault_id"), get("owner"), get("seq")) {
        (Some(id), None, None) => {
            let id = hash_of(&text_of(id)?).ok_or_else(invalid)?;
            match id.is_zero() {
                true => Err(wrong(0, "")),
                false => Ok(id),
            }
        }
        (None, Some(owner), Some(seq)) => {
            let owner: Option<AccountId> = text_of(owner)?.parse().ok();
            let owner = owner.ok_or_else(|| wrong(35, "Account malformed."))?;
            let seq = seq.as_u64().filter(|seq| *seq > 0).and_then(|seq| u32::try_from(seq).ok());
            Ok(object_id::vault(owner, seq.ok_or_else(invalid)?))
        }
        _ => Err(invalid()),
    }
}
