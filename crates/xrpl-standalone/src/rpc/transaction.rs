//! Looking transactions up.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{Definitions, TxHash};

use super::{
    Answer, Call, Looked, RpcError, by_index,
    convert::{int_of, text_of, uint_of},
    hash_of, object,
    shape::{self, ApiShape},
};
use crate::ledger::{ClosedLedger, LedgerTransaction};
use crate::node::{Node, TransactionStatus};

/// The members of a validated transaction, beside metadata.
fn validated_members(
    call: &Call<'_>,
    ledger: &ClosedLedger,
    transaction: &LedgerTransaction,
    network: u32,
) -> Map<String, Json> {
    let header = &ledger.header;
    let mut tx = shape::tx_members(&transaction.read().tx, call.shape);
    tx.insert("date".into(), header.close_time.into());
    tx.insert("ledger_index".into(), header.index.into());
    if let Some(ctid) = shape::ctid(header.index, transaction.index, network) {
        tx.insert("ctid".into(), ctid.into());
    }
    if call.shape == ApiShape::V1 {
        tx.insert("inLedger".into(), header.index.into());
        return tx;
    }
    let mut members = Map::new();
    members.insert("tx_json".into(), tx.into());
    members.insert("hash".into(), transaction.hash().to_string().into());
    members.insert("ledger_hash".into(), header.hash.to_string().into());
    members.insert("ledger_index".into(), header.index.into());
    members.insert("close_time_iso".into(), shape::iso_time(header.close_time).into());
    members
}

fn not_found() -> RpcError {
    RpcError::new("txnNotFound", 29, "Transaction not found.")
}

pub(super) fn tx(call: &Call<'_>) -> Answer {
    let node = call.shared.node();
    let status = match (call.params.get("transaction"), call.params.get("ctid")) {
        (Some(_), Some(_)) => return Err(RpcError::invalid("Invalid parameters.")),
        (Some(hash), None) => {
            let hash = hash_of(&text_of(hash)?);
            let hash = hash.ok_or_else(|| RpcError::new("notImpl", 74, "Not implemented."))?;
            node.transaction(&TxHash(hash.0))
        }
        (None, Some(ctid)) => by_ctid(&node, ctid)?,
        (None, None) => return Err(RpcError::invalid("Invalid parameters.")),
    };
    let range = range(call)?;
    let network = node.network_id();
    match status {
        // Found is found, whatever the range.
        Some(TransactionStatus::Validated { ledger, transaction }) => {
            let mut answer = validated_members(call, &ledger, &transaction, network);
            if let (ApiShape::V2, Some(ctid)) =
                (call.shape, shape::ctid(ledger.header.index, transaction.index, network))
            {
                answer.insert("ctid".into(), ctid.into());
            }
            if call.flag("binary") {
                binary(call, &transaction, &mut answer);
            } else {
                answer.insert("meta".into(), shape::metadata_with_ids(&transaction));
            }
            answer.insert("validated".into(), true.into());
            Ok(answer)
        }
        Some(TransactionStatus::Seen { tx, .. }) => {
            let blob = || Json::from(const_hex::encode_upper(&tx.blob));
            let mut answer = match call.shape {
                ApiShape::V1 if call.flag("binary") => {
                    object(json!({"tx": blob(), "hash": tx.hash.to_string()}))
                }
                ApiShape::V2 if call.flag("binary") => {
                    object(json!({"tx_blob": blob(), "hash": tx.hash.to_string()}))
                }
                ApiShape::V1 => shape::tx_members(&tx, call.shape),
                ApiShape::V2 => object(json!({
                    "tx_json": shape::tx_members(&tx, call.shape),
                    "hash": tx.hash.to_string(),
                })),
            };
            answer.insert("validated".into(), false.into());
            Ok(answer)
        }
        None => match range {
            Some((low, high)) => {
                Err(not_found().with("searched_all", searched_all(&node, low, high).into()))
            }
            None => Err(not_found()),
        },
    }
}

fn binary(call: &Call<'_>, transaction: &LedgerTransaction, answer: &mut Map<String, Json>) {
    let blob = const_hex::encode_upper(&transaction.blob);
    let meta = const_hex::encode_upper(&transaction.metadata_blob);
    match call.shape {
        ApiShape::V1 => {
            answer.retain(|key, _| {
                ["ctid", "date", "hash", "inLedger", "ledger_index"].contains(&key.as_str())
            });
            answer.insert("tx".into(), blob.into());
            answer.insert("meta".into(), meta.into());
        }
        ApiShape::V2 => {
            answer.remove("tx_json");
            answer.insert("tx_blob".into(), blob.into());
            answer.insert("meta_blob".into(), meta.into());
        }
    }
}

/// `min_ledger` and `max_ledger`: one alone is ignored.
fn range(call: &Call<'_>) -> Result<Option<(u32, u32)>, RpcError> {
    let number = |key: &str| call.params.get(key).map(|json| uint_of(json).ok());
    let (Some(low), Some(high)) = (number("min_ledger"), number("max_ledger")) else {
        return Ok(None);
    };
    match (low, high) {
        (Some(low), Some(high)) if low <= high && high - low > 1000 => {
            Err(RpcError::new("excessiveLgrRange", 78, "Ledger range exceeds 1000."))
        }
        (Some(low), Some(high)) if low <= high => Ok(Some((low, high))),
        _ => Err(RpcError::new("invalidLgrRange", 79, "Ledger range is invalid.")),
    }
}

/// xrpld keeps nothing of ledgers without transactions, so that it has not searched them.
fn searched_all(node: &Node, low: u32, high: u32) -> bool {
    (low..=high).all(|index| node.ledger(index).is_some_and(|l| !l.transactions.is_empty()))
}

fn by_ctid(node: &Node, ctid: &Json) -> Result<Option<TransactionStatus>, RpcError> {
    let bad = || RpcError::invalid("Invalid parameters.");
    let text = text_of(ctid)?;
    let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bits = u64::from_str_radix(&text, 16).ok().filter(|_| is_hex).ok_or_else(bad)?;
    if bits >> 60 != 0xc {
        return Err(bad());
    }
    let (ledger, index) = ((bits >> 32) as u32 & 0x0fff_ffff, (bits >> 16) as usize & 0xffff);
    let network = bits as u32 & 0xffff;
    if network != node.network_id() {
        let text = format!(
            "Wrong network. You should submit this request to a node running on NetworkID: {network}"
        );
        return Err(RpcError::new("wrongNetwork", 4, text));
    }
    Ok(node.ledger(ledger).and_then(|ledger| {
        let transaction = Arc::clone(ledger.transactions.get(index)?);
        Some(TransactionStatus::Validated { ledger: Arc::clone(ledger), transaction })
    }))
}

pub(super) fn transaction_entry(call: &Call<'_>) -> Answer {
    let node = call.shared.node();
    let looked = call.ledger(&node)?;
    let refuse = |token| Err(RpcError::new(token, 0, "").in_ledger(&looked));
    let Some(hash) = call.params.get("tx_hash") else {
        return refuse("fieldNotFoundTransaction");
    };
    // Without a ledger there is nothing to look in.
    let Looked::Closed(ledger) = &looked else { return refuse("notYetImplemented") };
    let Some(hash) = hash_of(&text_of(hash)?).map(|hash| TxHash(hash.0)) else {
        return refuse("malformedRequest");
    };
    let Some(transaction) = ledger.transaction(&hash) else {
        return refuse("transactionNotFound");
    };
    let mut answer = object(json!({
        "ledger_hash": ledger.header.hash.to_string(),
        "ledger_index": ledger.header.index,
        "tx_json": shape::tx_members(&transaction.read().tx, call.shape),
        "validated": true,
    }));
    // As the ledger has it: without what other methods add for readers.
    let metadata = transaction.read().metadata.to_json(Definitions::builtin());
    match call.shape {
        ApiShape::V1 => answer.insert("metadata".into(), metadata),
        ApiShape::V2 => {
            answer.insert("hash".into(), hash.to_string().into());
            answer
                .insert("close_time_iso".into(), shape::iso_time(ledger.header.close_time).into());
            answer.insert("meta".into(), metadata)
        }
    };
    Ok(answer)
}

/// The ledgers that an `account_tx` is about.
enum Asked {
    All,
    /// From one to another, 0 and the highest number for no bound.
    Range(u32, u32),
    One(Looked),
}

fn not_found_ledger() -> RpcError {
    RpcError::new("lgrNotFound", 21, "ledgerNotFound")
}

fn asked(call: &Call<'_>, node: &Node) -> Result<Asked, RpcError> {
    let given = |key: &str| call.params.get(key);
    let (min, max) = (given("ledger_index_min"), given("ledger_index_max"));
    let (hash, index) = (given("ledger_hash"), given("ledger_index"));
    let (by_range, by_name) = (min.or(max).is_some(), hash.or(index).is_some());
    if call.shape == ApiShape::V2 && by_range && by_name {
        return Err(RpcError::invalid("invalidParams"));
    }
    if by_range {
        // A negative number is no bound.
        let bound = |json: Option<&Json>, none| match json {
            Some(json) if int_of(json)? >= 0 => uint_of(json),
            _ => Ok(none),
        };
        return Ok(Asked::Range(bound(min, 0)?, bound(max, u32::MAX)?));
    }
    if let Some(hash) = hash {
        let text = hash.as_str().ok_or_else(|| RpcError::invalid("ledgerHashNotString"))?;
        let hash = hash_of(text).ok_or_else(|| RpcError::invalid("ledgerHashMalformed"))?;
        let ledger = node.ledger_by_hash(&hash).ok_or_else(not_found_ledger)?;
        return Ok(Asked::One(Looked::Closed(Arc::clone(ledger))));
    }
    let Some(index) = index else { return Ok(Asked::All) };
    if index.is_number() || index.is_boolean() {
        let found = by_index(node, uint_of(index)?);
        return found.map(Asked::One).ok_or_else(not_found_ledger);
    }
    Ok(Asked::One(match text_of(index)?.as_str() {
        "current" | "" => Looked::Open(Box::new(node.current().clone())),
        "closed" => Looked::Closed(Arc::clone(node.closed())),
        "validated" => Looked::Closed(Arc::clone(node.validated())),
        _ => return Err(RpcError::invalid("ledger_index string malformed")),
    }))
}

/// First and last ledger to look in.
fn ledgers(call: &Call<'_>, node: &Node, asked: Asked) -> Result<(u32, u32), RpcError> {
    let (oldest, newest) = node.range();
    let oldest = oldest.max(2);
    let (low, high) = match asked {
        Asked::All => return Ok((oldest, newest)),
        Asked::One(Looked::Closed(ledger)) if ledger.header.index >= oldest => {
            return Ok((ledger.header.index, ledger.header.index));
        }
        Asked::One(_) => return Err(RpcError::new("lgrNotValidated", 22, "Ledger not validated.")),
        Asked::Range(low, high) => (low, high),
    };
    let strict = call.shape == ApiShape::V2;
    if strict && ((high > newest && high != u32::MAX) || (low < oldest && low != 0)) {
        return Err(RpcError::new("lgrIdxMalformed", 58, "Ledger index malformed."));
    }
    let (low, high) = (low.max(oldest), high.min(newest));
    match (low <= high, strict) {
        (true, _) => Ok((low, high)),
        (false, true) => Err(RpcError::new("invalidLgrRange", 79, "Ledger range is invalid.")),
        (false, false) => Err(RpcError::new("lgrIdxsInvalid", 57, "Ledger indexes invalid.")),
    }
}

pub(super) fn account_tx(call: &Call<'_>) -> Answer {
    if call.shape == ApiShape::V2 {
        for flag in ["binary", "forward"] {
            if call.params.get(flag).is_some_and(|value| !value.is_boolean()) {
                return Err(RpcError::invalid_field(flag));
            }
        }
    }
    let limit = call.limit(200)?;
    let account = call.account("account")?;
    let node = call.shared.node();
    let asked = asked(call, &node)?;
    let mut from = marker(call)?;
    let (low, high) = ledgers(call, &node, asked)?;
    let forward = call.flag("forward");
    let mut shown = Vec::new();
    let mut next = None;
    let indexes: Box<dyn Iterator<Item = u32>> =
        if forward { Box::new(low..=high) } else { Box::new((low..=high).rev()) };
    'ledgers: for index in indexes {
        let Some(ledger) = node.ledger(index) else { continue };
        let in_order: Box<dyn Iterator<Item = &Arc<LedgerTransaction>>> = match forward {
            true => Box::new(ledger.transactions.iter()),
            false => Box::new(ledger.transactions.iter().rev()),
        };
        for transaction in in_order {
            if let Some(place) = from {
                if place != (index, transaction.index) {
                    continue;
                }
                from = None;
            }
            if !shape::affected_accounts(transaction).contains(&account) {
                continue;
            }
            if shown.len() == limit {
                next = Some(json!({"ledger": index, "seq": transaction.index}));
                break 'ledgers;
            }
            shown.push(history_entry(call, ledger, transaction, node.network_id()));
        }
    }
    let mut answer = object(json!({
        "account": account.to_string(),
        "ledger_index_min": low,
        "ledger_index_max": high,
        "limit": limit,
        "transactions": shown,
        "validated": true,
    }));
    if let Some(next) = next {
        answer.insert("marker".into(), next);
    }
    Ok(answer)
}

fn marker(call: &Call<'_>) -> Result<Option<(u32, u32)>, RpcError> {
    let Some(marker) = call.params.get("marker") else { return Ok(None) };
    // Whatever is no text and can be a number.
    let number = |key: &str| match marker.get(key)? {
        Json::String(_) => None,
        Json::Number(n) if n.as_f64().is_some_and(|n| n.fract() != 0.0) => None,
        json => uint_of(json).ok(),
    };
    match (number("ledger"), number("seq")) {
        (Some(ledger), Some(seq)) => Ok(Some((ledger, seq))),
        _ => Err(RpcError::invalid(
            "invalid marker. Provide ledger index via ledger field, and transaction sequence number via seq field",
        )),
    }
}

fn history_entry(
    call: &Call<'_>,
    ledger: &ClosedLedger,
    transaction: &LedgerTransaction,
    network: u32,
) -> Json {
    let members = validated_members(call, ledger, transaction, network);
    let mut entry = match call.shape {
        ApiShape::V1 => object(json!({"tx": members})),
        ApiShape::V2 => members,
    };
    if call.flag("binary") {
        let blob = const_hex::encode_upper(&transaction.blob);
        let meta = const_hex::encode_upper(&transaction.metadata_blob);
        let key = if call.shape == ApiShape::V1 { "meta" } else { "meta_blob" };
        return json!({
            "tx_blob": blob, key: meta, "ledger_index": ledger.header.index, "validated": true,
        });
    }
    entry.insert("meta".into(), shape::metadata_with_ids(transaction));
    entry.insert("validated".into(), true.into());
    entry.into()
}

/// Newest transactions first, twenty at a time: the old `tx_history`.
pub(super) fn tx_history(call: &Call<'_>) -> Answer {
    let start = call.params.get("start").ok_or_else(|| RpcError::invalid("Invalid parameters."))?;
    let start = uint_of(start)?;
    let node = call.shared.node();
    let (oldest, newest) = node.range();
    let mut seen = BTreeSet::new();
    let mut shown = Vec::new();
    let from = usize::try_from(start).unwrap_or(usize::MAX);
    for ledger in (oldest..=newest).rev().filter_map(|index| node.ledger(index)) {
        for transaction in ledger.transactions.iter().rev() {
            if seen.insert(transaction.hash()) && seen.len() > from && shown.len() < 20 {
                let mut tx = shape::tx_members(&transaction.read().tx, call.shape);
                tx.insert("inLedger".into(), ledger.header.index.into());
                tx.insert("ledger_index".into(), ledger.header.index.into());
                shown.push(Json::from(tx));
            }
        }
        if shown.len() == 20 {
            break;
        }
    }
    let txs = if shown.is_empty() { Json::Null } else { shown.into() };
    Ok(object(json!({"index": start, "txs": txs})))
}
