//! Ledgers and their entries.

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{Hash256, ledger_header::LedgerHeader};

use super::{
    Answer, Call, Looked, RpcError,
    convert::int_of,
    entry_json, hash_of, object,
    owned::type_asked,
    shape::{self, ApiShape},
};
use crate::{
    ledger::{ClosedLedger, LedgerTransaction, OpenView, PreparedTx, ReadView},
    node::Node,
    txq::QueuedTransaction,
};

pub(super) fn ledger_closed(call: &Call<'_>) -> Answer {
    let node = call.shared.node();
    let header = &node.closed().header;
    Ok(object(json!({"ledger_hash": header.hash.to_string(), "ledger_index": header.index})))
}

pub(super) fn ledger_current(call: &Call<'_>) -> Answer {
    Ok(object(json!({"ledger_current_index": call.shared.node().current_index()})))
}

fn header_members(ledger: &ClosedLedger, shape: ApiShape) -> Map<String, Json> {
    let header = &ledger.header;
    let mut members = object(json!({
        "account_hash": header.account_hash.to_string(),
        "close_flags": header.close_flags,
        "close_time": header.close_time,
        "close_time_resolution": header.close_time_resolution,
        "closed": true,
        "ledger_hash": header.hash.to_string(),
        "ledger_index": match shape {
            ApiShape::V1 => json!(header.index.to_string()),
            ApiShape::V2 => json!(header.index),
        },
        "parent_close_time": header.parent_close_time,
        "parent_hash": header.parent_hash.to_string(),
        "total_coins": header.total_coins.to_string(),
        "transaction_hash": header.transaction_hash.to_string(),
    }));
    if header.close_time != 0 {
        members.insert("close_time_human".into(), shape::human_time(header.close_time).into());
        members.insert("close_time_iso".into(), shape::iso_time(header.close_time).into());
    }
    members
}

/// A header in the form that the request asks for.
fn shown_header(call: &Call<'_>, ledger: &ClosedLedger) -> Map<String, Json> {
    match call.flag("binary") {
        true => object(json!({
            "closed": true,
            "ledger_data": const_hex::encode_upper(ledger.header.encode()),
        })),
        false => header_members(ledger, call.shape),
    }
}

/// The id before an id.
fn before(mut id: Hash256) -> Hash256 {
    for byte in id.0.iter_mut().rev() {
        let (less, borrow) = byte.overflowing_sub(1);
        *byte = less;
        if !borrow {
            break;
        }
    }
    id
}

/// A ledger's transaction: as `ledger` shows it when `expand` is given.
fn expanded(call: &Call<'_>, transaction: &LedgerTransaction, ledger: &ClosedLedger) -> Json {
    if call.flag("binary") {
        let mut shown = object(json!({
            "tx_blob": const_hex::encode_upper(&transaction.blob),
            (if call.shape == ApiShape::V1 { "meta" } else { "meta_blob" }):
                const_hex::encode_upper(&transaction.metadata_blob),
        }));
        if call.shape == ApiShape::V2 {
            shown.insert("hash".into(), transaction.hash().to_string().into());
        }
        return shown.into();
    }
    let tx = shape::tx_members(&transaction.read().tx, call.shape);
    let meta = shape::metadata_with_issuance(transaction);
    match call.shape {
        ApiShape::V1 => {
            let mut tx = tx;
            tx.insert("metaData".into(), meta);
            tx.into()
        }
        ApiShape::V2 => json!({
            "tx_json": tx,
            "meta": meta,
            "hash": transaction.hash().to_string(),
            "close_time_iso": shape::iso_time(ledger.header.close_time),
            "ledger_hash": ledger.header.hash.to_string(),
            "ledger_index": ledger.header.index,
            "validated": true,
        }),
    }
}

/// A transaction that is in no closed ledger.
fn unvalidated(call: &Call<'_>, tx: &PreparedTx, expand: bool) -> Json {
    if !expand {
        return tx.hash.to_string().into();
    }
    if call.flag("binary") {
        return json!({"tx_blob": const_hex::encode_upper(&tx.blob)});
    }
    let members = shape::tx_members(tx, call.shape);
    match call.shape {
        ApiShape::V1 => members.into(),
        ApiShape::V2 => {
            json!({"tx_json": members, "hash": tx.hash.to_string(), "validated": false})
        }
    }
}

pub(super) fn ledger(call: &Call<'_>) -> Answer {
    for flag in ["full", "accounts", "transactions", "expand", "binary", "owner_funds", "queue"] {
        if call.params.get(flag).is_some_and(|value| !value.is_boolean()) {
            return Err(RpcError::invalid("Invalid parameters."));
        }
    }
    let named =
        ["ledger_index", "ledger_hash", "ledger"].iter().any(|k| call.params.contains_key(*k));
    if !named {
        // Without a ledger xrpld shows the headers of the closed and the open one.
        let node = call.shared.node();
        return Ok(object(json!({
            "closed": {"ledger": header_members(node.closed(), call.shape)},
            "open": {"ledger": open_members(node.current(), call.shape)},
        })));
    }
    let node = call.shared.node();
    let looked = call.ledger(&node)?;
    let queue = match &looked {
        Looked::Open(_) if call.flag("queue") => node.queue(),
        Looked::Closed(_) if call.flag("queue") => {
            return Err(RpcError::invalid("Invalid parameters."));
        }
        _ => Vec::new(),
    };
    drop(node);
    let full = call.flag("full");
    let expand = full || call.flag("expand");
    let mut members = match &looked {
        Looked::Closed(ledger) => shown_header(call, ledger),
        Looked::Open(open) => open_members(open, call.shape),
    };
    if full || call.flag("transactions") {
        let list: Vec<Json> = match &looked {
            Looked::Closed(ledger) => {
                // In hash order, as the tree has them.
                let mut all: Vec<_> = ledger.transactions.iter().collect();
                all.sort_unstable_by_key(|t| t.hash());
                all.into_iter()
                    .map(|t| match expand {
                        true => expanded(call, t, ledger),
                        false => t.hash().to_string().into(),
                    })
                    .collect()
            }
            Looked::Open(open) => {
                let mut all = open.transactions();
                all.sort_unstable_by_key(|tx| tx.hash);
                all.iter().map(|tx| unvalidated(call, tx, expand)).collect()
            }
        };
        members.insert("transactions".into(), list.into());
    }
    if full || call.flag("accounts") {
        let state: Vec<Json> = looked
            .entries_after(Hash256::ZERO)
            .map(|(id, entry)| match (expand, call.flag("binary")) {
                (false, _) => id.to_string().into(),
                (true, true) => json!({
                    "hash": id.to_string(),
                    "tx_blob": const_hex::encode_upper(entry.encode()),
                }),
                (true, false) => entry_json(&id, &entry),
            })
            .collect();
        members.insert("accountState".into(), state.into());
    }
    let mut answer = Map::new();
    if !queue.is_empty() {
        let shown: Vec<Json> = queue.iter().map(|q| queued(call, q, expand)).collect();
        answer.insert("queue_data".into(), shown.into());
    }
    looked.describe(&mut answer);
    answer.insert("ledger".into(), members.into());
    if call.params.contains_key("type") {
        answer.insert(
            "warnings".into(),
            json!([{
                "id": 2004,
                "message": "Some fields from your request are deprecated. Please check the \
                    documentation at https://xrpl.org/docs/references/http-websocket-apis/ and \
                    update your request. Field `type` is deprecated.",
            }]),
        );
    }
    Ok(answer)
}

fn open_members(open: &OpenView<'_>, shape: ApiShape) -> Map<String, Json> {
    object(json!({
        "closed": false,
        "ledger_index": match shape {
            ApiShape::V1 => json!(open.info().index.to_string()),
            ApiShape::V2 => json!(open.info().index),
        },
        "parent_hash": open.info().parent_hash.to_string(),
    }))
}

/// A queued transaction.
fn queued(call: &Call<'_>, queued: &QueuedTransaction, expand: bool) -> Json {
    let fee = queued.tx.fee.unwrap_or(0);
    let mut shown = object(json!({
        "account": queued.tx.account.to_string(),
        "auth_change": queued.auth_change,
        "fee": fee.to_string(),
        "fee_level": queued.fee_level.to_string(),
        "max_spend_drops": (queued.potential_spend + fee).to_string(),
        "preflight_result": "tesSUCCESS",
        "retries_remaining": queued.retries_remaining,
        "tx": unvalidated(call, &queued.tx, expand),
    }));
    if let Some(last) = queued.tx.last_ledger {
        shown.insert("LastLedgerSequence".into(), last.into());
    }
    if let Some(result) = queued.last_result {
        shown.insert("last_result".into(), result.name().into());
    }
    shown.into()
}

/// The old `ledger_header`: a header in JSON and in its binary form.
pub(super) fn ledger_header(call: &Call<'_>) -> Answer {
    let node = call.shared.node();
    let looked = call.ledger(&node)?;
    let mut answer = Map::new();
    looked.describe(&mut answer);
    match &looked {
        Looked::Closed(ledger) => {
            let data = const_hex::encode_upper(ledger.header.encode());
            answer.insert("ledger_data".into(), data.into());
            answer.insert("ledger".into(), header_members(ledger, call.shape).into());
        }
        Looked::Open(open) => {
            let header = open_header(&node, open);
            answer.insert("ledger_data".into(), const_hex::encode_upper(header.encode()).into());
            answer.insert("ledger".into(), open_members(open, call.shape).into());
        }
    }
    Ok(answer)
}

/// The header of the open ledger: that of the one below it, but for its index and its parent.
fn open_header(node: &Node, open: &OpenView<'_>) -> LedgerHeader {
    let below = &node.closed().header;
    LedgerHeader {
        index: open.info().index,
        parent_hash: below.hash,
        parent_close_time: below.close_time,
        ..below.clone()
    }
}

/// `ledger_request` fetches old ledgers from peers; there are none.
pub(super) fn ledger_request(call: &Call<'_>) -> Answer {
    match (call.params.get("ledger_index"), call.params.get("ledger_hash")) {
        (Some(_), None) => Err(RpcError::invalid("Ledger index too large")),
        (None, Some(_)) => Err(RpcError::new("lgrNotFound", 21, "ledgerNotFound")),
        _ => Err(RpcError::invalid("Exactly one of ledger_hash and ledger_index can be set.")),
    }
}

pub(super) fn ledger_data(call: &Call<'_>) -> Answer {
    let node = call.shared.node();
    let looked = call.ledger(&node)?;
    let below = node.closed().header.hash;
    drop(node);
    let marker = call.params.get("marker");
    let after = match marker {
        None => Hash256::ZERO,
        Some(json) => {
            let after = json.as_str().and_then(hash_of);
            after.ok_or_else(|| RpcError::not("marker", "valid"))?
        }
    };
    let binary = match call.params.get("binary") {
        None => false,
        Some(Json::Bool(flag)) => *flag,
        Some(_) => return Err(RpcError::not("binary", "boolean")),
    };
    let most = if binary { 2048 } else { 256 };
    let limit = match call.params.get("limit") {
        None => most,
        Some(json) if json.is_i64() || json.is_u64() || json.is_boolean() => {
            usize::try_from(int_of(json)?).unwrap_or(most)
        }
        Some(_) => return Err(RpcError::not("limit", "integer")),
    };
    let kind = type_asked(call)?;
    let mut answer = Map::new();
    looked.describe(&mut answer);
    if let Looked::Open(open) = &looked {
        // The open ledger is named by the hash of the one below it.
        answer.insert("ledger_hash".into(), below.to_string().into());
        answer.insert("ledger_index".into(), open.info().index.into());
    }
    if marker.is_none() {
        let header = match &looked {
            Looked::Closed(ledger) => shown_header(call, ledger),
            Looked::Open(_) if binary => object(json!({"closed": false})),
            Looked::Open(open) => open_members(open, call.shape),
        };
        answer.insert("ledger".into(), header.into());
    }
    let (mut state, mut seen) = (Vec::new(), 0);
    for (id, entry) in looked.entries_after(after) {
        if seen == limit {
            // The next one is the first after the marker.
            answer.insert("marker".into(), before(id).to_string().into());
            break;
        }
        seen += 1;
        if kind
            .is_some_and(|kind| entry.u16(xrpl_protocol::fields::LEDGER_ENTRY_TYPE) != Some(kind))
        {
            continue;
        }
        state.push(match binary {
            true => {
                json!({"data": const_hex::encode_upper(entry.encode()), "index": id.to_string()})
            }
            false => entry_json(&id, &entry),
        });
    }
    answer.insert("state".into(), state.into());
    Ok(answer)
}
