//! Looking transactions up.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::TxHash;

use super::{
    Answer, Call, RpcError, object,
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
    let number =
        |key: &str| call.params.get(key).map(|v| v.as_u64().and_then(|n| u32::try_from(n).ok()));
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
    let refuse = |token| Err(RpcError::new(token, 0, "").in_ledger(&looked));
    let Some(hash) = call.params.get("tx_hash") else {
        return refuse("fieldNotFoundTransaction");
    };
    // Without a ledger there is nothing to look in.
    let super::Looked::Closed(ledger) = &looked else { return refuse("notYetImplemented") };
    let Some(hash) = hash.as_str().and_then(|h| h.parse::<TxHash>().ok()) else {
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

/// The ledgers that an `account_tx` is about.
fn ledgers(call: &Call<'_>, node: &Node) -> Result<(u32, u32), RpcError> {
    let (oldest, newest) = node.range();
    let oldest = oldest.max(2);
    let given = |key: &str| call.params.contains_key(key);
    let (by_range, by_name) = (
        given("ledger_index_min") || given("ledger_index_max"),
        given("ledger_index") || given("ledger_hash"),
    );
    let strict = call.shape == ApiShape::V2;
    if strict && by_range && by_name {
        return Err(RpcError::invalid("invalidParams"));
    }
    if by_name {
        return match call.ledger(node)? {
            super::Looked::Closed(ledger) => Ok((ledger.header.index, ledger.header.index)),
            super::Looked::Open(_) => {
                Err(RpcError::new("lgrNotValidated", 22, "Ledger not validated."))
            }
        };
    }
    let bound = |key: &str| match call.params.get(key).map(Json::as_i64) {
        None | Some(Some(i64::MIN..0)) => Ok(None),
        Some(Some(n)) => u32::try_from(n).map(Some).map_err(|_| RpcError::invalid_field(key)),
        Some(None) => Err(RpcError::invalid_field(key)),
    };
    let (low, high) = (bound("ledger_index_min")?, bound("ledger_index_max")?);
    if strict {
        if low.is_some_and(|low| low > newest) || high.is_some_and(|high| high > newest) {
            return Err(RpcError::new("lgrIdxMalformed", 58, "Ledger index malformed."));
        }
        if low.zip(high).is_some_and(|(low, high)| low > high) {
            return Err(RpcError::new("invalidLgrRange", 79, "Ledger range is invalid."));
        }
    }
    let (low, high) = (low.unwrap_or(oldest).max(oldest), high.unwrap_or(newest).min(newest));
    if low > high {
        return Err(RpcError::new("lgrIdxsInvalid", 57, "Ledger indexes invalid."));
    }
    Ok((low, high))
}

pub(super) fn account_tx(call: &Call<'_>) -> Answer {
    let account = call.account("account")?;
    if call.shape == ApiShape::V2 {
        for flag in ["binary", "forward"] {
            if call.params.get(flag).is_some_and(|value| !value.is_boolean()) {
                return Err(RpcError::invalid_field(flag));
            }
        }
    }
    let node = call.shared.node();
    let (low, high) = ledgers(call, &node)?;
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
