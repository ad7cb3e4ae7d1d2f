//! Methods about one account.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{
    AccountId, Amount, Definitions, Hash256, IssuedValue, Object, fields, object_id,
};

use super::{Answer, Call, Looked, RpcError, entry_json, object};
use crate::ledger::{SeqProxy, entry_type};

const FLAGS: [(&str, u32); 15] = [
    ("allowTrustLineClawback", 0x8000_0000),
    ("allowTrustLineLocking", 0x4000_0000),
    ("defaultRipple", 0x0080_0000),
    ("depositAuth", 0x0100_0000),
    ("disableMasterKey", 0x0010_0000),
    ("disallowIncomingCheck", 0x0800_0000),
    ("disallowIncomingNFTokenOffer", 0x0400_0000),
    ("disallowIncomingPayChan", 0x1000_0000),
    ("disallowIncomingTrustline", 0x2000_0000),
    ("disallowIncomingXRP", 0x0008_0000),
    ("globalFreeze", 0x0040_0000),
    ("noFreeze", 0x0020_0000),
    ("passwordSpent", 0x0001_0000),
    ("requireAuthorization", 0x0004_0000),
    ("requireDestinationTag", 0x0002_0000),
];

/// The account of a request and the ledger to look in, where the account must exist.
fn existing(call: &Call<'_>) -> Result<(AccountId, Looked), RpcError> {
    if !call.params.contains_key("account") {
        return Err(RpcError::missing("account"));
    }
    let looked = call.ledger(&call.shared.node())?;
    let account = call.account("account")?;
    if looked.view().account(account).is_none() {
        let mut error = RpcError::account_not_found();
        looked.describe(&mut error.extra);
        return Err(error.with("account", account.to_string().into()));
    }
    Ok((account, looked))
}

pub(super) fn info(call: &Call<'_>) -> Answer {
    let key = if call.params.contains_key("account") { "account" } else { "ident" };
    if !call.params.contains_key(key) {
        return Err(RpcError::missing("account"));
    }
    let looked = call.ledger(&call.shared.node())?;
    let account = call.account(key)?;
    let id = object_id::account_root(account);
    let mut answer = Map::new();
    let Some(root) = looked.view().read(&id) else {
        let mut error = RpcError::account_not_found();
        looked.describe(&mut error.extra);
        return Err(error.with("account", account.to_string().into()));
    };
    answer.insert("account_data".into(), entry_json(&id, &root));
    let flags = root.u32(fields::FLAGS).unwrap_or(0);
    let shown: Map<_, _> = FLAGS
        .iter()
        .map(|(name, bit)| ((*name).to_owned(), Json::Bool(flags & bit != 0)))
        .collect();
    answer.insert("account_flags".into(), shown.into());
    if call.flag("queue") {
        if !matches!(looked, Looked::Open(_)) {
            return Err(RpcError::invalid("Invalid parameters."));
        }
        answer.insert("queue_data".into(), queue_data(call, account));
    }
    if call.flag("signer_lists") {
        let id = object_id::signer_list(account);
        let list: Vec<Json> =
            looked.view().read(&id).iter().map(|entry| entry_json(&id, entry)).collect();
        answer.insert("signer_lists".into(), list.into());
    }
    looked.describe(&mut answer);
    Ok(answer)
}

fn queue_data(call: &Call<'_>, account: AccountId) -> Json {
    let queued = call.shared.node().account_queue(&account);
    if queued.is_empty() {
        return json!({"txn_count": 0});
    }
    let sequences: Vec<u32> =
        queued.iter().filter(|q| q.tx.seq.is_sequence()).map(|q| q.tx.seq.value()).collect();
    let tickets: Vec<u32> =
        queued.iter().filter(|q| !q.tx.seq.is_sequence()).map(|q| q.tx.seq.value()).collect();
    let mut data = Map::new();
    data.insert("txn_count".into(), queued.len().into());
    data.insert("auth_change_queued".into(), queued.iter().any(|q| q.auth_change).into());
    let spend = |q: &crate::txq::QueuedTransaction| q.potential_spend + q.tx.fee.unwrap_or(0);
    let total: i64 = queued.iter().map(spend).sum();
    data.insert("max_spend_drops_total".into(), total.to_string().into());
    if let (Some(low), Some(high)) = (sequences.iter().min(), sequences.iter().max()) {
        data.insert("sequence_count".into(), sequences.len().into());
        data.insert("lowest_sequence".into(), (*low).into());
        data.insert("highest_sequence".into(), (*high).into());
    }
    if let (Some(low), Some(high)) = (tickets.iter().min(), tickets.iter().max()) {
        data.insert("ticket_count".into(), tickets.len().into());
        data.insert("lowest_ticket".into(), (*low).into());
        data.insert("highest_ticket".into(), (*high).into());
    }
    let list: Vec<Json> = queued
        .iter()
        .map(|q| {
            let mut entry = object(json!({
                "auth_change": q.auth_change,
                "fee": q.tx.fee.unwrap_or(0).to_string(),
                "fee_level": q.fee_level.to_string(),
                "max_spend_drops": spend(q).to_string(),
            }));
            match q.tx.seq {
                SeqProxy::Sequence(n) => entry.insert("seq".into(), n.into()),
                SeqProxy::Ticket(n) => entry.insert("ticket".into(), n.into()),
            };
            if let Some(last) = q.tx.last_ledger {
                entry.insert("LastLedgerSequence".into(), last.into());
            }
            entry.into()
        })
        .collect();
    data.insert("transactions".into(), list.into());
    data.into()
}

/// What an account owns, in the order of its directory.
fn owned(looked: &Looked, account: AccountId) -> Vec<(Hash256, crate::ledger::Entry)> {
    let view = looked.view();
    let root = object_id::owner_dir(account);
    let (mut all, mut page) = (Vec::new(), 0);
    while let Some(node) = view.read(&object_id::dir_page(root, page)) {
        for id in node.vector256(fields::INDEXES).unwrap_or_default() {
            all.extend(view.read(id).map(|entry| (*id, entry)));
        }
        page = node.u64(fields::INDEX_NEXT).unwrap_or(0);
        if page == 0 {
            break;
        }
    }
    all
}

/// Cuts a page out of a list; the marker is the id of the last item before it.
fn page<T>(
    call: &Call<'_>,
    all: Vec<(Hash256, T)>,
    limit: usize,
    answer: &mut Map<String, Json>,
) -> Result<Vec<(Hash256, T)>, RpcError> {
    let start = match call.params.get("marker") {
        None => 0,
        Some(marker) => {
            let id = marker
                .as_str()
                .and_then(|m| m.split(',').next())
                .and_then(|m| m.parse::<Hash256>().ok())
                .ok_or_else(|| RpcError::invalid_field("marker"))?;
            let found = all.iter().position(|(found, _)| *found == id);
            found.ok_or_else(|| RpcError::invalid_field("marker"))? + 1
        }
    };
    let more = all.len() > start + limit;
    let cut: Vec<_> = all.into_iter().skip(start).take(limit).collect();
    if let (true, Some((last, _))) = (more, cut.last()) {
        answer.insert("marker".into(), format!("{last},0").into());
        answer.insert("limit".into(), limit.into());
    }
    Ok(cut)
}

/// A trust line as one side sees it.
struct Side {
    peer: AccountId,
    balance: IssuedValue,
    currency: String,
    limit: IssuedValue,
    limit_peer: IssuedValue,
    low: bool,
}

fn side(entry: &Object, account: AccountId) -> Option<Side> {
    let amount = |field| match entry.amount(field) {
        Some(Amount::Issued { value, currency, issuer }) => Some((value, currency, issuer)),
        _ => None,
    };
    let (balance, currency, _) = amount(fields::BALANCE)?;
    let (low_limit, _, low_account) = amount(fields::LOW_LIMIT)?;
    let (high_limit, _, high_account) = amount(fields::HIGH_LIMIT)?;
    let low = low_account == account;
    Some(Side {
        peer: if low { high_account } else { low_account },
        balance: if low { balance } else { balance.negated() },
        currency: currency.to_string(),
        limit: if low { low_limit } else { high_limit },
        limit_peer: if low { high_limit } else { low_limit },
        low,
    })
}

fn lines_of(looked: &Looked, account: AccountId) -> Vec<(Hash256, crate::ledger::Entry)> {
    let mut all = owned(looked, account);
    all.retain(|(_, e)| e.u16(fields::LEDGER_ENTRY_TYPE) == Some(entry_type::RIPPLE_STATE));
    all
}

pub(super) fn lines(call: &Call<'_>) -> Answer {
    let (account, looked) = existing(call)?;
    let peer = match call.params.get("peer") {
        None => None,
        Some(_) => Some(call.account("peer")?),
    };
    let limit = call.limit(200, 10, 400)?;
    let mut answer = object(json!({"account": account.to_string()}));
    let mut all = lines_of(&looked, account);
    all.retain(|(_, e)| {
        let of_peer = peer.is_none_or(|peer| side(e, account).is_some_and(|s| s.peer == peer));
        of_peer && !is_default_line(e, account, call.flag("ignore_default"))
    });
    let shown: Vec<Json> = page(call, all, limit, &mut answer)?
        .iter()
        .filter_map(|(_, entry)| line_json(entry, account))
        .collect();
    answer.insert("lines".into(), shown.into());
    looked.describe(&mut answer);
    Ok(answer)
}

fn is_default_line(entry: &Object, account: AccountId, ignore: bool) -> bool {
    let flags = entry.u32(fields::FLAGS).unwrap_or(0);
    let Some(side) = side(entry, account) else { return true };
    let reserve = if side.low { 0x0001_0000 } else { 0x0002_0000 };
    ignore && flags & reserve == 0
}

fn line_json(entry: &Object, account: AccountId) -> Option<Json> {
    let side = side(entry, account)?;
    let flags = entry.u32(fields::FLAGS).unwrap_or(0);
    let (quality_in, quality_out) = match side.low {
        true => (fields::LOW_QUALITY_IN, fields::LOW_QUALITY_OUT),
        false => (fields::HIGH_QUALITY_IN, fields::HIGH_QUALITY_OUT),
    };
    let mut line = object(json!({
        "account": side.peer.to_string(),
        "balance": side.balance.to_string(),
        "currency": side.currency,
        "limit": side.limit.to_string(),
        "limit_peer": side.limit_peer.to_string(),
        "quality_in": entry.u32(quality_in).unwrap_or(0),
        "quality_out": entry.u32(quality_out).unwrap_or(0),
    }));
    // Pairs of flags: the low side's bit, the high side's bit.
    for (own, peer, low, high) in [
        ("authorized", "peer_authorized", 0x0004_0000u32, 0x0008_0000u32),
        ("no_ripple", "no_ripple_peer", 0x0010_0000, 0x0020_0000),
        ("freeze", "freeze_peer", 0x0040_0000, 0x0080_0000),
        ("deep_freeze", "deep_freeze_peer", 0x0200_0000, 0x0400_0000),
    ] {
        let (mine, theirs) = if side.low { (low, high) } else { (high, low) };
        for (name, bit) in [(own, mine), (peer, theirs)] {
            if flags & bit != 0 {
                line.insert(name.into(), true.into());
            }
        }
    }
    Some(line.into())
}

pub(super) fn objects(call: &Call<'_>) -> Answer {
    let (account, looked) = existing(call)?;
    let limit = call.limit(200, 10, 400)?;
    let wanted = match call.text("type")? {
        None => None,
        Some(name) => Some(entry_type_of(name).ok_or_else(|| RpcError::invalid_field("type"))?),
    };
    let mut all = owned(&looked, account);
    if let Some(kind) = wanted {
        all.retain(|(_, e)| e.u16(fields::LEDGER_ENTRY_TYPE) == Some(kind));
    }
    let mut answer = object(json!({"account": account.to_string()}));
    let shown: Vec<Json> =
        page(call, all, limit, &mut answer)?.iter().map(|(id, e)| entry_json(id, e)).collect();
    answer.insert("account_objects".into(), shown.into());
    looked.describe(&mut answer);
    Ok(answer)
}

/// Code of a type's API name (`ticket`, `state`) or ledger name (`RippleState`).
pub(super) fn entry_type_of(name: &str) -> Option<u16> {
    let ledger_name = match name {
        "account" => "AccountRoot",
        "amendments" => "Amendments",
        "amm" => "AMM",
        "bridge" => "Bridge",
        "check" => "Check",
        "credential" => "Credential",
        "delegate" => "Delegate",
        "deposit_preauth" => "DepositPreauth",
        "did" => "DID",
        "directory" => "DirectoryNode",
        "escrow" => "Escrow",
        "fee" => "FeeSettings",
        "hashes" => "LedgerHashes",
        "mpt_issuance" => "MPTokenIssuance",
        "mptoken" => "MPToken",
        "nft_offer" => "NFTokenOffer",
        "nft_page" => "NFTokenPage",
        "nunl" => "NegativeUNL",
        "offer" => "Offer",
        "oracle" => "Oracle",
        "payment_channel" => "PayChannel",
        "permissioned_domain" => "PermissionedDomain",
        "signer_list" => "SignerList",
        "state" => "RippleState",
        "ticket" => "Ticket",
        "vault" => "Vault",
        other => other,
    };
    Definitions::builtin().ledger_entry_type(ledger_name)
}

pub(super) fn currencies(call: &Call<'_>) -> Answer {
    let (account, looked) = existing(call)?;
    let (mut receive, mut send) = (BTreeSet::new(), BTreeSet::new());
    for (_, entry) in lines_of(&looked, account) {
        let Some(side) = side(&entry, account) else { continue };
        if side.balance < side.limit {
            receive.insert(side.currency.clone());
        }
        if side.balance.negated() < side.limit_peer {
            send.insert(side.currency);
        }
    }
    let mut answer = object(json!({"receive_currencies": receive, "send_currencies": send}));
    looked.describe(&mut answer);
    Ok(answer)
}

pub(super) fn gateway_balances(call: &Call<'_>) -> Answer {
    let (account, looked) = existing(call)?;
    let mut obligations: BTreeMap<String, IssuedValue> = BTreeMap::new();
    let mut assets: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for (_, entry) in lines_of(&looked, account) {
        let Some(side) = side(&entry, account) else { continue };
        if side.balance.is_negative() {
            let sum = obligations.entry(side.currency).or_insert(IssuedValue::ZERO);
            // The largest value stands for a sum beyond it.
            *sum = sum.add(side.balance.negated()).unwrap_or(*sum);
        } else if !side.balance.is_zero() {
            assets.entry(side.peer.to_string()).or_default().push(json!({
                "currency": side.currency,
                "value": side.balance.to_string(),
            }));
        }
    }
    let mut answer = object(json!({"account": account.to_string()}));
    if !obligations.is_empty() {
        let shown: Map<_, _> =
            obligations.into_iter().map(|(c, v)| (c, Json::String(v.to_string()))).collect();
        answer.insert("obligations".into(), shown.into());
    }
    if !assets.is_empty() {
        answer.insert("assets".into(), json!(assets));
    }
    looked.describe(&mut answer);
    Ok(answer)
}
