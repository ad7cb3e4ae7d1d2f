//! Methods about one account.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{
    AccountId, Amount, Currency, Definitions, Hash256, IssuedValue, Value, fields, object_id,
};

use super::{
    Answer, ApiShape, Call, Looked, RpcError,
    convert::text_of,
    entry_json, object,
    owned::{lines_of, owned, side},
};
use crate::ledger::{SeqProxy, entry_type, helpers::account_root::PSEUDO_FIELDS};

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

/// The account of a request and the ledger to look in, where the account must exist. Some methods
/// tell the ledger even when they cannot read the account.
pub(super) fn existing(
    call: &Call<'_>,
    tells_ledger: bool,
) -> Result<(AccountId, Looked), RpcError> {
    let (account, looked) = named(call, &["account"], tells_ledger)?;
    match looked.view().account(account) {
        Some(_) => Ok((account, looked)),
        None => Err(RpcError::account_not_found()),
    }
}

/// The account that the first of these parameters names, and the ledger to look in.
fn named(
    call: &Call<'_>,
    keys: &[&str],
    tells_ledger: bool,
) -> Result<(AccountId, Looked), RpcError> {
    let key = keys.iter().find(|key| call.params.contains_key(**key));
    let key = key.ok_or_else(|| RpcError::missing("account"))?;
    let text = call.params[*key].as_str().ok_or_else(|| RpcError::invalid_field(key))?;
    let looked = call.ledger(&call.shared.node())?;
    match text.parse() {
        Ok(account) => Ok((account, looked)),
        Err(_) if tells_ledger => Err(RpcError::account_malformed().in_ledger(&looked)),
        Err(_) => Err(RpcError::account_malformed()),
    }
}

pub(super) fn info(call: &Call<'_>) -> Answer {
    let (account, looked) = named(call, &["account", "ident"], true)?;
    let id = object_id::account_root(account);
    let mut answer = Map::new();
    let Some(root) = looked.view().read(&id) else {
        let error = RpcError::account_not_found().in_ledger(&looked);
        return Err(error.with("account", account.to_string().into()));
    };
    let queue = call.flag("queue");
    if queue && !matches!(looked, Looked::Open(_)) {
        return Err(RpcError::invalid("Invalid parameters.").in_ledger(&looked));
    }
    let mut data = object(entry_json(&id, &root));
    // An account that the open ledger has made.
    if !root.contains(fields::PREVIOUS_TXN_ID) {
        data.insert("PreviousTxnID".into(), Hash256::ZERO.to_string().into());
        data.insert("PreviousTxnLgrSeq".into(), 0.into());
    }
    if let Some(Value::Hash128(email)) = root.get(fields::EMAIL_HASH) {
        let picture = format!("https://www.gravatar.com/avatar/{}", const_hex::encode(email));
        data.insert("urlgravatar".into(), picture.into());
    }
    let flags = root.u32(fields::FLAGS).unwrap_or(0);
    let shown: Map<_, _> = FLAGS
        .iter()
        .map(|(name, bit)| ((*name).to_owned(), Json::Bool(flags & bit != 0)))
        .collect();
    answer.insert("account_flags".into(), shown.into());
    if let Some(field) = PSEUDO_FIELDS.into_iter().find(|field| root.contains(*field)) {
        let name = Definitions::builtin().name(field).unwrap_or_default();
        let kind = name.strip_suffix("ID").unwrap_or(name);
        answer.insert("pseudo_account".into(), json!({"type": kind}));
    }
    if call.shape == ApiShape::V2
        && call.params.get("signer_lists").is_some_and(|wanted| !wanted.is_boolean())
    {
        return Err(RpcError::invalid("Invalid parameters.")
            .in_ledger(&looked)
            .with_all(answer)
            .with("account_data", data.into()));
    }
    if call.flag("signer_lists") {
        let id = object_id::signer_list(account);
        let list: Vec<Json> =
            looked.view().read(&id).iter().map(|entry| entry_json(&id, entry)).collect();
        // Version 1 has them among the account's own data.
        let into = if call.shape == ApiShape::V1 { &mut data } else { &mut answer };
        into.insert("signer_lists".into(), list.into());
    }
    answer.insert("account_data".into(), data.into());
    if queue {
        answer.insert("queue_data".into(), queue_data(call, account));
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

pub(super) fn currencies(call: &Call<'_>) -> Answer {
    let (account, looked) = named(call, &["account", "ident"], true)?;
    if looked.view().account(account).is_none() {
        return Err(RpcError::account_not_found());
    }
    let (mut receive, mut send) = (BTreeSet::new(), BTreeSet::new());
    for (_, entry) in lines_of(&looked, account) {
        let Some(side) = side(&entry, account) else { continue };
        if side.balance < side.limit {
            receive.insert(side.currency);
        }
        if side.balance.negated() < side.limit_peer {
            send.insert(side.currency);
        }
    }
    let names = |set: BTreeSet<Currency>| set.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut answer = object(json!({
        "receive_currencies": names(receive),
        "send_currencies": names(send),
    }));
    looked.describe(&mut answer);
    Ok(answer)
}

pub(super) fn gateway_balances(call: &Call<'_>) -> Answer {
    let looked = call.ledger(&call.shared.node())?;
    let given = call.params.get("account").or_else(|| call.params.get("ident"));
    let account = text_of(given.ok_or_else(|| RpcError::missing("account"))?)?;
    let account: AccountId = account.parse().map_err(|_| RpcError::account_malformed())?;
    // Version 1 knows no account that does not exist.
    if call.shape == ApiShape::V2 && looked.view().account(account).is_none() {
        let error = RpcError::account_not_found().in_ledger(&looked);
        return Err(error.with("account", account.to_string().into()));
    }
    let hot = hot_wallets(call)
        .map_err(|error| error.in_ledger(&looked).with("account", account.to_string().into()))?;
    let mut balances: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    let mut obligations: BTreeMap<String, IssuedValue> = BTreeMap::new();
    let mut assets: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    let mut frozen: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    let mut locked: BTreeMap<String, Amount> = BTreeMap::new();
    let shown = |currency: Currency, value: IssuedValue| json!({"currency": currency.to_string(), "value": value.to_string()});
    for (_, entry) in owned(&looked, account) {
        if entry_type::of(&entry) == entry_type::ESCROW {
            lock(&mut locked, entry.amount(fields::AMOUNT));
        }
        if entry_type::of(&entry) != entry_type::RIPPLE_STATE {
            continue;
        }
        let Some(side) = side(&entry, account) else { continue };
        if hot.contains(&side.peer) {
            if !side.balance.is_zero() {
                let held = shown(side.currency, side.balance.negated());
                balances.entry(side.peer.to_string()).or_default().push(held);
            }
        } else if side.balance.is_negative() && side.is_frozen(&entry) {
            let held = shown(side.currency, side.balance.negated());
            frozen.entry(side.peer.to_string()).or_default().push(held);
        } else if side.balance.is_negative() {
            let sum = obligations.entry(side.currency.to_string()).or_insert(IssuedValue::ZERO);
            // The largest value stands for a sum beyond it.
            *sum = sum.add(side.balance.negated()).unwrap_or(*sum);
        } else if !side.balance.is_zero() {
            let held = shown(side.currency, side.balance);
            assets.entry(side.peer.to_string()).or_default().push(held);
        }
    }
    let mut answer = object(json!({"account": account.to_string()}));
    if !obligations.is_empty() {
        let shown: Map<_, _> =
            obligations.into_iter().map(|(c, v)| (c, Json::String(v.to_string()))).collect();
        answer.insert("obligations".into(), shown.into());
    }
    for (name, held) in [("assets", assets), ("balances", balances), ("frozen_balances", frozen)] {
        if !held.is_empty() {
            answer.insert(name.into(), json!(held));
        }
    }
    if !locked.is_empty() {
        let text = |amount: Amount| match amount {
            Amount::Issued { value, .. } => value.to_string(),
            Amount::Xrp(whole) | Amount::Mpt { value: whole, .. } => whole.to_string(),
        };
        let shown: Map<_, _> =
            locked.into_iter().map(|(currency, sum)| (currency, text(sum).into())).collect();
        answer.insert("locked".into(), shown.into());
    }
    looked.describe(&mut answer);
    Ok(answer)
}

/// `hotwallet`: accounts whose holdings are shown by themselves.
fn hot_wallets(call: &Call<'_>) -> Result<BTreeSet<AccountId>, RpcError> {
    let one = |json: &Json| json.as_str()?.parse().ok();
    let all = match call.params.get("hotwallet") {
        None | Some(Json::Null) => Some(BTreeSet::new()),
        Some(Json::Array(list)) => list.iter().map(one).collect(),
        Some(json) => one(json).map(|account| BTreeSet::from([account])),
    };
    all.ok_or_else(|| match call.shape {
        ApiShape::V1 => RpcError::new("invalidHotWallet", 30, "Invalid hotwallet."),
        ApiShape::V2 => RpcError::invalid("Invalid parameters."),
    })
}

/// Adds what an escrow holds to what is locked up of its currency; MPTs do not count.
fn lock(locked: &mut BTreeMap<String, Amount>, amount: Option<Amount>) {
    let Some(amount) = amount else { return };
    let currency = match amount {
        Amount::Xrp(_) => Currency::XRP.to_string(),
        Amount::Issued { currency, .. } => currency.to_string(),
        Amount::Mpt { .. } => return,
    };
    let sum = locked.entry(currency).or_insert_with(|| Amount::zero(amount.issue()));
    *sum = sum.checked_add(&amount).unwrap_or_else(|_| Amount::max(sum.issue()));
}
