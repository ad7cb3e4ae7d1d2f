//! Looking transactions up.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::TxHash;

use super::{
    Answer, Call, RpcError, object,
    shape::{self, ApiShape},
};
use crate::ledger::{ClosedLedger, LedgerTransaction, Node, TransactionStatus};

/// The members of a validated transaction, beside metadata.
fn validated_members(
    call: &Call<'_>,
    ledger: &ClosedLedger,
    transaction: &LedgerTransaction,
    network: u32,
) -> Map<String, Json> {
    let header = &ledger.header;
    let mut tx = shape::tx_members(&transaction.tx, call.shape);
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
    if let Some(ctid) = tx.remove("ctid") {
        members.insert("ctid".into(), ctid);
    }
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
            let hash: TxHash = hash
                .as_str()
                .and_then(|h| h.parse().ok())
                .ok_or_else(|| RpcError::new("notImpl", 74, "Not implemented."))?;
            node.transaction(&hash)
        }
        (None, Some(ctid)) => by_ctid(&node, ctid)?,
        (None, None) => return Err(RpcError::invalid("Invalid parameters.")),
    };
    let range = range(call)?;
    let network = node.network_id();
    match status {
        Some(TransactionStatus::Validated { ledger, transaction })
            if range.is_none_or(|(low, high)| (low..=high).contains(&ledger.header.index)) =>
        {
            let mut answer = validated_members(call, &ledger, &transaction, network);
            if call.flag("binary") {
                binary(call, &transaction, &mut answer);
            } else {
                answer.insert("meta".into(), shape::metadata(&transaction));
            }
            answer.insert("validated".into(), true.into());
            Ok(answer)
        }
        Some(TransactionStatus::Seen { tx, .. }) if range.is_none() => {
            let mut answer = match call.shape {
                ApiShape::V1 => shape::tx_members(&tx, call.shape),
                ApiShape::V2 => object(json!({
                    "tx_json": shape::tx_members(&tx, call.shape),
                    "hash": tx.hash.to_string(),
                })),
            };
            answer.insert("validated".into(), false.into());
            Ok(answer)
        }
        _ => match range {
            Some((low, high)) => {
                Err(not_found().with("searched_all", searched_all(&node, low, high).into()))
            }
            None => Err(not_found()),
        },
    }
}

fn binary(call: &Call<'_>, transaction: &LedgerTransaction, answer: &mut Map<String, Json>) {
    let blob = const_hex::encode_upper(&transaction.tx.blob);
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

/// `min_ledger` and `max_ledger`, which come together.
fn range(call: &Call<'_>) -> Result<Option<(u32, u32)>, RpcError> {
    let number =
        |key: &str| call.params.get(key).map(|v| v.as_u64().and_then(|n| u32::try_from(n).ok()));
    match (number("min_ledger"), number("max_ledger")) {
        (None, None) => Ok(None),
        (Some(Some(low)), Some(Some(high))) if low <= high => {
            if high - low > 1000 {
                return Err(RpcError::new("excessiveLgrRange", 79, "Ledger range exceeds 1000."));
            }
            Ok(Some((low, high)))
        }
        (Some(Some(_)), Some(Some(_))) => {
            Err(RpcError::new("invalidLgrRange", 80, "Ledger range is invalid."))
        }
        _ => Err(RpcError::invalid("Invalid parameters.")),
    }
}

/// xrpld keeps nothing of ledgers without transactions, so that it has not searched them.
fn searched_all(node: &Node, low: u32, high: u32) -> bool {
    (low..=high).all(|index| node.ledger(index).is_some_and(|l| !l.transactions.is_empty()))
}

fn by_ctid(node: &Node, ctid: &Json) -> Result<Option<TransactionStatus>, RpcError> {
    let bad = || RpcError::invalid("Invalid parameters.");
    let text = ctid.as_str().filter(|t| t.len() == 16).ok_or_else(bad)?;
    let bits = u64::from_str_radix(text, 16).map_err(|_| bad())?;
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
    let Some(hash) = call.params.get("tx_hash") else {
        return Err(RpcError::new("fieldNotFoundTransaction", 0, ""));
    };
    let hash: TxHash = hash
        .as_str()
        .and_then(|h| h.parse().ok())
        .ok_or_else(|| RpcError::new("malformedRequest", 0, ""))?;
    let super::Looked::Closed(ledger) = looked else {
        return Err(RpcError::new("notYetImplemented", 0, ""));
    };
    let transaction = ledger
        .transaction(&hash)
        .ok_or_else(|| RpcError::new("transactionNotFound", 21, "Transaction not found."))?;
    let mut answer = object(json!({
        "ledger_hash": ledger.header.hash.to_string(),
        "ledger_index": ledger.header.index,
        "tx_json": shape::tx_members(&transaction.tx, call.shape),
        "validated": true,
    }));
    match call.shape {
        ApiShape::V1 => answer.insert("metadata".into(), shape::metadata(transaction)),
        ApiShape::V2 => {
            answer.insert("hash".into(), hash.to_string().into());
            answer
                .insert("close_time_iso".into(), shape::iso_time(ledger.header.close_time).into());
            answer.insert("meta".into(), shape::metadata(transaction))
        }
    };
    Ok(answer)
}

pub(super) fn account_tx(call: &Call<'_>) -> Answer {
    let account = call.account("account")?;
    let node = call.shared.node();
    let (oldest, newest) = node.range();
    let oldest = oldest.max(2);
    let bound = |key: &str, default: u32| match call.params.get(key) {
        None => Ok(default),
        Some(json) => match json.as_i64() {
            Some(-1) => Ok(default),
            Some(n) => u32::try_from(n).map_err(|_| RpcError::invalid_field(key)),
            None => Err(RpcError::invalid_field(key)),
        },
    };
    let (mut low, mut high) =
        (bound("ledger_index_min", oldest)?, bound("ledger_index_max", newest)?);
    if (call.params.contains_key("ledger_index") || call.params.contains_key("ledger_hash"))
        && let super::Looked::Closed(ledger) = call.ledger(&node)?
    {
        (low, high) = (ledger.header.index, ledger.header.index);
    }
    let (low, high) = (low.max(oldest), high.min(newest));
    if low > high {
        return Err(RpcError::new("lgrIdxsInvalid", 57, "Ledger indexes invalid."));
    }
    let limit = call.limit(200)?;
    let forward = call.flag("forward");
    let mut from = marker(call)?;
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
    let number = |key: &str| marker.get(key)?.as_u64().and_then(|n| u32::try_from(n).ok());
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
        let blob = const_hex::encode_upper(&transaction.tx.blob);
        let meta = const_hex::encode_upper(&transaction.metadata_blob);
        let key = if call.shape == ApiShape::V1 { "meta" } else { "meta_blob" };
        return json!({
            "tx_blob": blob, key: meta, "ledger_index": ledger.header.index, "validated": true,
        });
    }
    entry.insert("meta".into(), shape::metadata(transaction));
    entry.insert("validated".into(), true.into());
    entry.into()
}
