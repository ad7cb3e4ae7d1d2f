//! `ledger_entry`: one entry, by its id or by what makes it
//! (<https://xrpl.org/docs/references/http-websocket-apis/public-api-methods/ledger-methods/ledger_entry>).

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{
    AccountId, Currency, Definitions, Hash256, Issue, MptId, object::XChainBridge, object_id,
};

use super::{
    Answer, ApiShape, Call, RpcError, entry_json, object,
    tx_json::{self, asset_of, issue_of},
};
use crate::ledger::entry_type;

/// Members that name an entry, which type it must then be of, and how each is read.
const KINDS: [(&str, &str, Reader); 33] = [
    ("nft_offer", "NFTokenOffer", by_id),
    ("check", "Check", by_id),
    ("did", "DID", did),
    ("nunl", "NegativeUNL", negative_unl),
    ("nft_page", "NFTokenPage", by_id),
    ("signer_list", "SignerList", by_id),
    ("ticket", "Ticket", ticket),
    ("account", "AccountRoot", account_root),
    ("directory", "DirectoryNode", directory),
    ("amendments", "Amendments", amendments),
    ("hashes", "LedgerHashes", hashes),
    ("bridge", "Bridge", bridge),
    ("offer", "Offer", offer),
    ("deposit_preauth", "DepositPreauth", deposit_preauth),
    ("xchain_owned_claim_id", "XChainOwnedClaimID", claim_id),
    ("state", "RippleState", ripple_state),
    ("fee", "FeeSettings", fee),
    (
        "xchain_owned_create_account_claim_id",
        "XChainOwnedCreateAccountClaimID",
        create_account_claim_id,
    ),
    ("escrow", "Escrow", escrow),
    ("payment_channel", "PayChannel", by_id),
    ("amm", "AMM", amm),
    ("mpt_issuance", "MPTokenIssuance", mpt_issuance),
    ("mptoken", "MPToken", mptoken),
    ("oracle", "Oracle", oracle),
    ("credential", "Credential", credential),
    ("permissioned_domain", "PermissionedDomain", permissioned_domain),
    ("delegate", "Delegate", delegate),
    ("vault", "Vault", vault),
    ("loan_broker", "LoanBroker", loan_broker),
    ("loan", "Loan", loan),
    ("index", ANY, by_id),
    ("account_root", "AccountRoot", account_root),
    ("ripple_state", "RippleState", ripple_state),
];

/// An entry of any type.
const ANY: &str = "";
/// Longest kind of a credential, in bytes.
const MAX_CREDENTIAL_TYPE: usize = 64;
/// Most credentials of one preauthorisation.
const MAX_CREDENTIALS: usize = 8;

type Result<T> = std::result::Result<T, RpcError>;
type Reader = fn(&Asked<'_>) -> Result<Hash256>;
type Members = Map<String, Json>;

/// The member that names the entry, its value, and the whole request.
struct Asked<'a> {
    name: &'static str,
    json: &'a Json,
    call: &'a Call<'a>,
}

pub(super) fn ledger_entry(call: &Call<'_>) -> Answer {
    let mut named = KINDS.iter().filter(|(name, ..)| call.params.contains_key(*name));
    let found = named.next();
    if named.next().is_some() {
        return Err(RpcError::invalid("Too many fields provided."));
    }
    let looked = call.ledger(&call.shared.node())?;
    let Some((name, kind, read)) = found else {
        return Err(match call.shape {
            ApiShape::V1 => RpcError::new("unknownOption", 0, "").in_ledger(&looked),
            ApiShape::V2 => RpcError::invalid("No ledger_entry params provided."),
        });
    };
    let id = read(&Asked { name, json: &call.params[*name], call })?;
    let about = |error: RpcError| error.in_ledger(&looked).with("index", id.to_string().into());
    let entry = looked.view().read(&id);
    let entry =
        entry.ok_or_else(|| about(RpcError::new("entryNotFound", 98, "Entry not found.")))?;
    let code = Definitions::builtin().ledger_entry_type(kind);
    if *kind != ANY && code != Some(entry_type::of(&entry)) {
        return Err(about(RpcError::new("unexpectedLedgerType", 99, "Unexpected ledger type.")));
    }
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

fn hash(json: &Json) -> Option<Hash256> {
    json.as_str()?.parse().ok()
}

fn by_id(asked: &Asked<'_>) -> Result<Hash256> {
    hash(asked.json).ok_or_else(|| not("malformedRequest", asked.name, "hex string"))
}

/// The members of an entry that is named by what makes it, or its id.
fn made_of<'a>(asked: &Asked<'a>) -> std::result::Result<&'a Members, Result<Hash256>> {
    asked.json.as_object().ok_or_else(|| {
        hash(asked.json).ok_or_else(|| not("malformedRequest", asked.name, "hex string or object"))
    })
}

fn member<'a>(members: &'a Members, field: &str, token: &'static str) -> Result<&'a Json> {
    members
        .get(field)
        .filter(|json| !json.is_null())
        .ok_or_else(|| malformed(token, format!("Missing field '{field}'.")))
}

fn required<'a>(members: &'a Members, field: &str) -> Result<&'a Json> {
    member(members, field, "malformedRequest")
}

fn account_of(json: &Json) -> Option<AccountId> {
    json.as_str()?.parse().ok().filter(|account| *account != AccountId::ZERO)
}

fn account(members: &Members, field: &str, token: &'static str) -> Result<AccountId> {
    account_of(required(members, field)?).ok_or_else(|| not(token, field, "AccountID"))
}

fn number(members: &Members, field: &str, token: &'static str) -> Result<u32> {
    let json = required(members, field)?;
    let read = json.as_u64().or_else(|| json.as_str()?.parse().ok());
    read.and_then(|n| u32::try_from(n).ok()).ok_or_else(|| not(token, field, "number"))
}

fn credential_type(members: &Members, token: &'static str) -> Result<Vec<u8>> {
    let field = "credential_type";
    let read = required(members, field)?.as_str().and_then(super::bytes_of);
    read.filter(|bytes| (1..=MAX_CREDENTIAL_TYPE).contains(&bytes.len()))
        .ok_or_else(|| not(token, field, "hex string"))
}

/// An account's entry that a number makes: by its id, or by owner and number.
fn numbered(
    asked: &Asked<'_>,
    (owner, owner_token): (&str, &'static str),
    (field, number_token): (&str, &'static str),
    id: fn(AccountId, u32) -> Hash256,
) -> Result<Hash256> {
    let members = match made_of(asked) {
        Ok(members) => members,
        Err(by_id) => return by_id,
    };
    let owner = account(members, owner, owner_token)?;
    Ok(id(owner, number(members, field, number_token)?))
}

fn account_root(asked: &Asked<'_>) -> Result<Hash256> {
    let account = account_of(asked.json);
    let account = account.ok_or_else(|| not("malformedAddress", asked.name, "AccountID"))?;
    Ok(object_id::account_root(account))
}

fn did(asked: &Asked<'_>) -> Result<Hash256> {
    let account = account_of(asked.json);
    let account = account.ok_or_else(|| not("malformedAddress", asked.name, "AccountID"))?;
    Ok(object_id::did(account))
}

/// An entry of which there is one: `true`, or its id.
fn only(asked: &Asked<'_>, id: Hash256) -> Result<Hash256> {
    match asked.json {
        Json::Bool(true) => Ok(id),
        Json::Bool(false) => Err(not("invalidParams", asked.name, "true")),
        _ => by_id(asked),
    }
}

fn amendments(asked: &Asked<'_>) -> Result<Hash256> {
    only(asked, object_id::amendments())
}

fn fee(asked: &Asked<'_>) -> Result<Hash256> {
    only(asked, object_id::fees())
}

fn negative_unl(asked: &Asked<'_>) -> Result<Hash256> {
    only(asked, object_id::negative_unl())
}

fn hashes(asked: &Asked<'_>) -> Result<Hash256> {
    match asked.json.as_i64() {
        None => only(asked, object_id::skip_list()),
        Some(n) => match (u32::try_from(n), asked.call.shape) {
            (Ok(ledger), _) => Ok(object_id::skip_list_of(ledger)),
            (Err(_), ApiShape::V1) => Err(RpcError::internal()),
            (Err(_), ApiShape::V2) => Err(RpcError::invalid("Invalid parameters.")),
        },
    }
}

fn amm(asked: &Asked<'_>) -> Result<Hash256> {
    let members = match made_of(asked) {
        Ok(members) => members,
        Err(by_id) => return by_id,
    };
    required(members, "asset")?;
    required(members, "asset2")?;
    let asset = |field: &str| {
        asset_of(&members[field]).ok_or_else(|| not("malformedRequest", field, "Asset"))
    };
    Ok(object_id::amm(asset("asset")?, asset("asset2")?))
}

fn bridge_of(json: &Json) -> Result<XChainBridge> {
    let empty = Map::new();
    let members = json.as_object().unwrap_or(&empty);
    let fields = ["LockingChainDoor", "LockingChainIssue", "IssuingChainDoor", "IssuingChainIssue"];
    for field in fields {
        required(members, field)?;
    }
    let issue = |field: &str| {
        issue_of(&members[field]).ok_or_else(|| not("malformedIssue", field, "Issue"))
    };
    Ok(XChainBridge {
        locking_door: account(members, "LockingChainDoor", "malformedLockingChainDoor")?,
        issuing_door: account(members, "IssuingChainDoor", "malformedIssuingChainDoor")?,
        locking_issue: issue("LockingChainIssue")?,
        issuing_issue: issue("IssuingChainIssue")?,
    })
}

fn bridge(asked: &Asked<'_>) -> Result<Hash256> {
    if asked.json.is_string() {
        // xrpld looks for the id where the whole request is, and finds none.
        return Err(not("malformedRequest", asked.name, "hex string or object"));
    }
    let bridge = bridge_of(asked.json)?;
    let door = account(asked.call.params, "bridge_account", "malformedBridgeAccount")?;
    let issue = match door {
        door if door == bridge.locking_door => bridge.locking_issue,
        door if door == bridge.issuing_door => bridge.issuing_issue,
        _ => return Err(malformed("malformedRequest", "")),
    };
    let currency = match issue {
        Issue::Issued { currency, .. } => currency,
        _ => Currency::XRP,
    };
    Ok(object_id::bridge(door, currency))
}

fn claim(
    asked: &Asked<'_>,
    (field, token): (&str, &'static str),
    id: fn(&XChainBridge, u64) -> Hash256,
) -> Result<Hash256> {
    let members = match made_of(asked) {
        Ok(members) => members,
        Err(by_id) => return by_id,
    };
    let bridge = bridge_of(asked.json)?;
    Ok(id(&bridge, number(members, field, token)?.into()))
}

fn claim_id(asked: &Asked<'_>) -> Result<Hash256> {
    let field = ("xchain_owned_claim_id", "malformedXChainOwnedClaimID");
    claim(asked, field, object_id::xchain_claim_id)
}

fn create_account_claim_id(asked: &Asked<'_>) -> Result<Hash256> {
    let field =
        ("xchain_owned_create_account_claim_id", "malformedXChainOwnedCreateAccountClaimID");
    claim(asked, field, object_id::xchain_create_account_claim_id)
}

fn credential(asked: &Asked<'_>) -> Result<Hash256> {
    let members = match made_of(asked) {
        Ok(members) => members,
        Err(by_id) => return by_id,
    };
    let subject = account(members, "subject", "malformedRequest")?;
    let issuer = account(members, "issuer", "malformedRequest")?;
    let kind = credential_type(members, "malformedRequest")?;
    Ok(object_id::credential(subject, issuer, &kind))
}

fn delegate(asked: &Asked<'_>) -> Result<Hash256> {
    let members = match made_of(asked) {
        Ok(members) => members,
        Err(by_id) => return by_id,
    };
    let owner = account(members, "account", "malformedAddress")?;
    Ok(object_id::delegate(owner, account(members, "authorize", "malformedAddress")?))
}

fn deposit_preauth(asked: &Asked<'_>) -> Result<Hash256> {
    let members = match made_of(asked) {
        Ok(members) => members,
        Err(by_id) => return by_id,
    };
    let (one, many) = (members.get("authorized"), members.get("authorized_credentials"));
    if one.is_some() == many.is_some() {
        return Err(malformed(
            "malformedRequest",
            "Must have exactly one of `authorized` and `authorized_credentials`.",
        ));
    }
    let owner = account(members, "owner", "malformedOwner")?;
    match (one, many) {
        (Some(json), _) => account_of(json)
            .map(|authorized| object_id::deposit_preauth(owner, authorized))
            .ok_or_else(|| not("malformedAuthorized", "authorized", "AccountID")),
        (None, many) => {
            let credentials = credentials(many.unwrap_or(&Json::Null))?;
            Ok(object_id::deposit_preauth_credentials(owner, &credentials))
        }
    }
}

fn credentials(json: &Json) -> Result<BTreeSet<(AccountId, Vec<u8>)>> {
    const TOKEN: &str = "malformedAuthorizedCredentials";
    const FIELD: &str = "authorized_credentials";
    let list = json.as_array().ok_or_else(|| not(TOKEN, FIELD, "array"))?;
    for (is_wrong, what) in [(list.len() > MAX_CREDENTIALS, "too long"), (list.is_empty(), "empty")]
    {
        if is_wrong {
            return Err(malformed(TOKEN, format!("Invalid field '{FIELD}', array {what}.")));
        }
    }
    let mut sorted = BTreeSet::new();
    for json in list {
        let members = json.as_object().ok_or_else(|| not(TOKEN, FIELD, "array of objects"))?;
        member(members, "issuer", TOKEN)?;
        member(members, "credential_type", TOKEN)?;
        let issuer = account(members, "issuer", TOKEN)?;
        if !sorted.insert((issuer, credential_type(members, TOKEN)?)) {
            return Err(not(TOKEN, FIELD, "array"));
        }
    }
    Ok(sorted)
}

fn directory(asked: &Asked<'_>) -> Result<Hash256> {
    let members = match made_of(asked) {
        Ok(members) => members,
        Err(by_id) => return by_id,
    };
    let page = match members.get("sub_index") {
        None | Some(Json::Null) => 0,
        Some(json) => {
            let page = json.as_f64().filter(|page| (0.0..=f64::from(u32::MAX)).contains(page));
            page.ok_or_else(|| not("malformedRequest", "sub_index", "number"))? as u64
        }
    };
    let root = match (members.get("owner"), members.get("dir_root")) {
        (Some(owner), None) => account_of(owner)
            .map(object_id::owner_dir)
            .ok_or_else(|| not("malformedAddress", "owner", "AccountID"))?,
        (None, Some(root)) => {
            hash(root).ok_or_else(|| not("malformedDirRoot", "dir_root", "hash"))?
        }
        _ => {
            return Err(malformed(
                "malformedRequest",
                "Must have exactly one of `owner` and `dir_root` fields.",
            ));
        }
    };
    Ok(object_id::dir_page(root, page))
}

fn escrow(asked: &Asked<'_>) -> Result<Hash256> {
    numbered(asked, ("owner", "malformedOwner"), ("seq", "malformedSeq"), object_id::escrow)
}

fn offer(asked: &Asked<'_>) -> Result<Hash256> {
    let number = ("seq", "malformedRequest");
    numbered(asked, ("account", "malformedAddress"), number, object_id::offer)
}

fn ticket(asked: &Asked<'_>) -> Result<Hash256> {
    let number = ("ticket_seq", "malformedRequest");
    numbered(asked, ("account", "malformedAddress"), number, object_id::ticket)
}

fn oracle(asked: &Asked<'_>) -> Result<Hash256> {
    let number = ("oracle_document_id", "malformedDocumentID");
    numbered(asked, ("account", "malformedAccount"), number, object_id::oracle)
}

fn permissioned_domain(asked: &Asked<'_>) -> Result<Hash256> {
    let number = ("seq", "malformedRequest");
    numbered(asked, ("account", "malformedAddress"), number, object_id::permissioned_domain)
}

fn vault(asked: &Asked<'_>) -> Result<Hash256> {
    numbered(asked, ("owner", "malformedOwner"), ("seq", "malformedRequest"), object_id::vault)
}

fn loan_broker(asked: &Asked<'_>) -> Result<Hash256> {
    if !asked.json.is_object() {
        return by_id(asked);
    }
    numbered(asked, ("owner", "malformedOwner"), ("seq", "malformedSeq"), object_id::loan_broker)
}

fn loan(asked: &Asked<'_>) -> Result<Hash256> {
    let Some(members) = asked.json.as_object() else { return by_id(asked) };
    let broker = hash(required(members, "loan_broker_id")?)
        .ok_or_else(|| not("malformedBroker", "loan_broker_id", "Hash256"))?;
    Ok(object_id::loan(broker, number(members, "loan_seq", "malformedSeq")?))
}

fn mpt_id(json: &Json) -> Option<MptId> {
    json.as_str()?.parse().ok()
}

fn mpt_issuance(asked: &Asked<'_>) -> Result<Hash256> {
    let id = mpt_id(asked.json);
    let id = id.ok_or_else(|| not("malformedMPTokenIssuance", asked.name, "Hash192"))?;
    Ok(object_id::mpt_issuance(id))
}

fn mptoken(asked: &Asked<'_>) -> Result<Hash256> {
    let members = match made_of(asked) {
        Ok(members) => members,
        Err(by_id) => return by_id,
    };
    let issuance = mpt_id(required(members, "mpt_issuance_id")?)
        .ok_or_else(|| not("malformedMPTIssuanceID", "mpt_issuance_id", "Hash192"))?;
    Ok(object_id::mptoken(issuance, account(members, "account", "malformedAccount")?))
}

fn ripple_state(asked: &Asked<'_>) -> Result<Hash256> {
    let members = match made_of(asked) {
        Ok(members) => members,
        Err(by_id) => return by_id,
    };
    let currency = required(members, "currency")?;
    let sides = required(members, "accounts")?.as_array().filter(|sides| sides.len() == 2);
    let sides =
        sides.ok_or_else(|| not("malformedRequest", "accounts", "length-2 array of Accounts"))?;
    let (Some(a), Some(b)) = (account_of(&sides[0]), account_of(&sides[1])) else {
        return Err(not("malformedAddress", "accounts", "array of Accounts"));
    };
    if a == b {
        return Err(malformed("malformedRequest", "Cannot have a trustline to self."));
    }
    let currency = currency
        .as_str()
        .filter(|text| !text.is_empty())
        .and_then(tx_json::currency)
        .ok_or_else(|| not("malformedCurrency", "currency", "Currency"))?;
    Ok(object_id::trust_line(a, b, currency))
}
