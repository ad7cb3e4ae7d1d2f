//! `ledger_entry`: one entry, by its id or by what makes it
//! (<https://xrpl.org/docs/references/http-websocket-apis/public-api-methods/ledger-methods/ledger_entry>).

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{AccountId, Currency, Hash256, Issue, MptId, object_id};

use super::{Answer, ApiShape, Call, RpcError, entry_json, object};

/// Members that name an entry, and how each is read.
const KINDS: [(&str, Reader); 27] = [
    ("account_root", account_root),
    ("amendments", amendments),
    ("amm", amm),
    ("check", by_id),
    ("credential", credential),
    ("delegate", delegate),
    ("deposit_preauth", deposit_preauth),
    ("did", did),
    ("directory", directory),
    ("escrow", escrow),
    ("fee", fee),
    ("hashes", hashes),
    ("index", by_id),
    ("ledger_entry_id", by_id),
    ("mpt_issuance", mpt_issuance),
    ("mptoken", mptoken),
    ("nft_offer", by_id),
    ("nft_page", by_id),
    ("offer", offer),
    ("oracle", oracle),
    ("payment_channel", by_id),
    ("permissioned_domain", permissioned_domain),
    ("ripple_state", ripple_state),
    ("signer_list", by_id),
    ("state", ripple_state),
    ("ticket", ticket),
    ("vault", vault),
];

type Reader = fn(&'static str, &Json) -> Result<Hash256, RpcError>;

pub(super) fn ledger_entry(call: &Call<'_>) -> Answer {
    let mut named = KINDS.iter().filter(|(name, _)| call.params.contains_key(*name));
    let found = named.next();
    if named.next().is_some() {
        return Err(RpcError::invalid("Too many fields provided."));
    }
    let looked = call.ledger(&call.shared.node())?;
    let Some((name, read)) = found else {
        return Err(match call.shape {
            ApiShape::V1 => RpcError::new("unknownOption", 0, "").in_ledger(&looked),
            ApiShape::V2 => RpcError::invalid("No ledger_entry params provided."),
        });
    };
    let id = read(name, &call.params[*name])?;
    let entry = looked.view().read(&id).ok_or_else(|| {
        RpcError::new("entryNotFound", 98, "Entry not found.")
            .in_ledger(&looked)
            .with("index", id.to_string().into())
    })?;
    let mut answer = object(json!({"index": id.to_string()}));
    match call.flag("binary") {
        true => answer.insert("node_binary".into(), const_hex::encode_upper(entry.encode()).into()),
        false => answer.insert("node".into(), entry_json(&id, &entry)),
    };
    looked.describe(&mut answer);
    Ok(answer)
}

/// A request that is malformed in the way that `token` names.
fn malformed(token: &'static str, message: impl Into<String>) -> RpcError {
    RpcError::new(token, 31, message)
}

fn not(token: &'static str, field: &str, what: &str) -> RpcError {
    malformed(token, format!("Invalid field '{field}', not {what}."))
}

fn by_id(name: &'static str, json: &Json) -> Result<Hash256, RpcError> {
    let id = json.as_str().and_then(|text| text.parse().ok());
    id.ok_or_else(|| not("malformedRequest", name, "hex string"))
}

/// The members of an entry that is not named by its id.
fn members<'a>(name: &'static str, json: &'a Json) -> Result<&'a Map<String, Json>, RpcError> {
    json.as_object().ok_or_else(|| not("malformedRequest", name, "hex string or object"))
}

fn member<'a>(members: &'a Map<String, Json>, field: &str) -> Result<&'a Json, RpcError> {
    members
        .get(field)
        .filter(|json| !json.is_null())
        .ok_or_else(|| malformed("malformedRequest", format!("Missing field '{field}'.")))
}

fn account_of(json: &Json) -> Option<AccountId> {
    json.as_str().and_then(|text| text.parse().ok())
}

fn account(
    members: &Map<String, Json>,
    field: &str,
    token: &'static str,
) -> Result<AccountId, RpcError> {
    account_of(member(members, field)?).ok_or_else(|| not(token, field, "AccountID"))
}

fn number(members: &Map<String, Json>, field: &str) -> Result<u32, RpcError> {
    let json = member(members, field)?;
    let read = json.as_u64().or_else(|| json.as_str()?.parse().ok());
    read.and_then(|n| u32::try_from(n).ok()).ok_or_else(|| not("malformedRequest", field, "number"))
}

fn hex(members: &Map<String, Json>, field: &str, token: &'static str) -> Result<Vec<u8>, RpcError> {
    let read = member(members, field)?.as_str().and_then(|text| const_hex::decode(text).ok());
    read.ok_or_else(|| not(token, field, "hex string"))
}

fn issue(members: &Map<String, Json>, field: &str) -> Result<Issue, RpcError> {
    let json = member(members, field)?;
    Issue::from_json(json).map_err(|_| not("malformedRequest", field, "an Issue"))
}

/// An account's entry that a number makes: by its id, or by owner and number.
fn numbered(
    name: &'static str,
    json: &Json,
    (owner, number_field): (&str, &str),
    token: &'static str,
    id: fn(AccountId, u32) -> Hash256,
) -> Result<Hash256, RpcError> {
    if json.is_string() {
        return by_id(name, json);
    }
    let members = members(name, json)?;
    let owner = account(members, owner, token)?;
    Ok(id(owner, number(members, number_field)?))
}

fn account_root(name: &'static str, json: &Json) -> Result<Hash256, RpcError> {
    let account = account_of(json).ok_or_else(|| not("malformedAddress", name, "AccountID"))?;
    Ok(object_id::account_root(account))
}

fn amendments(_: &'static str, _: &Json) -> Result<Hash256, RpcError> {
    Ok(object_id::amendments())
}

fn fee(_: &'static str, _: &Json) -> Result<Hash256, RpcError> {
    Ok(object_id::fees())
}

fn hashes(_: &'static str, _: &Json) -> Result<Hash256, RpcError> {
    Ok(object_id::skip_list())
}

fn amm(name: &'static str, json: &Json) -> Result<Hash256, RpcError> {
    if json.is_string() {
        return by_id(name, json);
    }
    let members = members(name, json)?;
    Ok(object_id::amm(issue(members, "asset")?, issue(members, "asset2")?))
}

fn credential(name: &'static str, json: &Json) -> Result<Hash256, RpcError> {
    if json.is_string() {
        return by_id(name, json);
    }
    let members = members(name, json)?;
    let subject = account(members, "subject", "malformedRequest")?;
    let issuer = account(members, "issuer", "malformedRequest")?;
    let kind = hex(members, "credential_type", "malformedRequest")?;
    Ok(object_id::credential(subject, issuer, &kind))
}

fn delegate(name: &'static str, json: &Json) -> Result<Hash256, RpcError> {
    if json.is_string() {
        return by_id(name, json);
    }
    let members = members(name, json)?;
    let owner = account(members, "account", "malformedAddress")?;
    Ok(object_id::delegate(owner, account(members, "authorize", "malformedAddress")?))
}

fn deposit_preauth(name: &'static str, json: &Json) -> Result<Hash256, RpcError> {
    if json.is_string() {
        return by_id(name, json);
    }
    let members = members(name, json)?;
    let owner = account(members, "owner", "malformedOwner")?;
    Ok(object_id::deposit_preauth(owner, account(members, "authorized", "malformedAuthorized")?))
}

fn did(name: &'static str, json: &Json) -> Result<Hash256, RpcError> {
    let account = account_of(json).ok_or_else(|| not("malformedAddress", name, "AccountID"))?;
    Ok(object_id::did(account))
}

fn directory(name: &'static str, json: &Json) -> Result<Hash256, RpcError> {
    if json.is_string() {
        return by_id(name, json);
    }
    let members = members(name, json)?;
    let page = match members.get("sub_index") {
        None => 0,
        Some(json) => {
            json.as_u64().ok_or_else(|| not("malformedRequest", "sub_index", "number"))?
        }
    };
    let root = match (members.get("owner"), members.get("dir_root")) {
        (Some(_), None) => object_id::owner_dir(account(members, "owner", "malformedAddress")?),
        (None, Some(root)) => by_id("dir_root", root)?,
        (Some(_), Some(_)) => {
            return Err(malformed(
                "malformedRequest",
                "Must have exactly one of `owner` and `dir_root` fields.",
            ));
        }
        (None, None) => {
            return Err(malformed(
                "malformedRequest",
                "Must have exactly one of `owner` and `dir_root` fields.",
            ));
        }
    };
    Ok(object_id::dir_page(root, page))
}

fn escrow(name: &'static str, json: &Json) -> Result<Hash256, RpcError> {
    numbered(name, json, ("owner", "seq"), "malformedOwner", object_id::escrow)
}

fn offer(name: &'static str, json: &Json) -> Result<Hash256, RpcError> {
    numbered(name, json, ("account", "seq"), "malformedAddress", object_id::offer)
}

fn ticket(name: &'static str, json: &Json) -> Result<Hash256, RpcError> {
    numbered(name, json, ("account", "ticket_seq"), "malformedAddress", object_id::ticket)
}

fn oracle(name: &'static str, json: &Json) -> Result<Hash256, RpcError> {
    let document = ("account", "oracle_document_id");
    numbered(name, json, document, "malformedAccount", object_id::oracle)
}

fn permissioned_domain(name: &'static str, json: &Json) -> Result<Hash256, RpcError> {
    let place = ("account", "seq");
    numbered(name, json, place, "malformedAddress", object_id::permissioned_domain)
}

fn vault(name: &'static str, json: &Json) -> Result<Hash256, RpcError> {
    numbered(name, json, ("owner", "seq"), "malformedOwner", object_id::vault)
}

fn mpt_id(json: &Json) -> Option<MptId> {
    json.as_str().and_then(|text| text.parse().ok())
}

fn mpt_issuance(name: &'static str, json: &Json) -> Result<Hash256, RpcError> {
    let id = mpt_id(json);
    let id = id.ok_or_else(|| not("malformedMPTokenIssuance", name, "Hash192"))?;
    Ok(object_id::mpt_issuance(id))
}

fn mptoken(name: &'static str, json: &Json) -> Result<Hash256, RpcError> {
    if json.is_string() {
        return by_id(name, json);
    }
    let members = members(name, json)?;
    let issuance = mpt_id(member(members, "mpt_issuance_id")?)
        .ok_or_else(|| not("malformedMPTIssuanceID", "mpt_issuance_id", "Hash192"))?;
    Ok(object_id::mptoken(issuance, account(members, "account", "malformedAccount")?))
}

fn ripple_state(name: &'static str, json: &Json) -> Result<Hash256, RpcError> {
    if json.is_string() {
        return by_id(name, json);
    }
    let members = members(name, json)?;
    let currency = member(members, "currency")?;
    let sides = member(members, "accounts")?.as_array().filter(|sides| sides.len() == 2);
    let sides =
        sides.ok_or_else(|| not("malformedRequest", "accounts", "length-2 array of Accounts"))?;
    let (Some(a), Some(b)) = (account_of(&sides[0]), account_of(&sides[1])) else {
        return Err(not("malformedAddress", "accounts", "array of Accounts"));
    };
    if a == b {
        return Err(malformed("malformedRequest", "Cannot have a trustline to self."));
    }
    let currency: Currency = currency
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| not("malformedCurrency", "currency", "Currency"))?;
    Ok(object_id::trust_line(a, b, currency))
}
