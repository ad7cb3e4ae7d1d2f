//! Ledgers and their entries.

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{AccountId, Hash256, object_id};

use super::{Answer, Call, Looked, RpcError, entry_json, object, owned::entry_type_of, shape};
use crate::ledger::{ClosedLedger, LedgerTransaction, ReadView};

pub(super) fn ledger_closed(call: &Call<'_>) -> Answer {
    let node = call.shared.node();
    let header = &node.closed().header;
    Ok(object(json!({"ledger_hash": header.hash.to_string(), "ledger_index": header.index})))
}

pub(super) fn ledger_current(call: &Call<'_>) -> Answer {
    Ok(object(json!({"ledger_current_index": call.shared.node().current_index()})))
}

fn header_members(ledger: &ClosedLedger, shape: shape::ApiShape) -> Map<String, Json> {
    let header = &ledger.header;
    let mut members = object(json!({
        "account_hash": header.account_hash.to_string(),
        "close_flags": header.close_flags,
        "close_time": header.close_time,
        "close_time_resolution": header.close_time_resolution,
        "closed": true,
        "ledger_hash": header.hash.to_string(),
        "ledger_index": match shape {
            shape::ApiShape::V1 => json!(header.index.to_string()),
            shape::ApiShape::V2 => json!(header.index),
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

fn expanded(call: &Call<'_>, transaction: &LedgerTransaction, ledger: &ClosedLedger) -> Json {
    if call.flag("binary") {
        return json!({
            "tx_blob": const_hex::encode_upper(&transaction.tx.blob),
            (if call.shape == shape::ApiShape::V1 { "meta" } else { "meta_blob" }):
                const_hex::encode_upper(&transaction.metadata_blob),
            "hash": transaction.hash().to_string(),
        });
    }
    let tx = shape::tx_members(&transaction.tx, call.shape);
    let meta = shape::metadata(transaction);
    match call.shape {
        shape::ApiShape::V1 => {
            let mut tx = tx;
            tx.insert("metaData".into(), meta);
            tx.into()
        }
        shape::ApiShape::V2 => json!({
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

pub(super) fn ledger(call: &Call<'_>) -> Answer {
    let named =
        ["ledger_index", "ledger_hash", "ledger"].iter().any(|k| call.params.contains_key(*k));
    if !named {
        // Without a ledger xrpld shows the headers of the closed and the open one.
        let node = call.shared.node();
        let open = json!({
            "closed": false,
            "ledger_index": node.current_index().to_string(),
            "parent_hash": node.closed().header.hash.to_string(),
        });
        return Ok(object(json!({
            "closed": {"ledger": header_members(node.closed(), call.shape)},
            "open": {"ledger": open},
        })));
    }
    let looked = call.ledger(&call.shared.node())?;
    let mut answer = Map::new();
    looked.describe(&mut answer);
    let with_transactions = call.flag("transactions");
    let expand = call.flag("expand");
    let mut members = match &looked {
        Looked::Closed(ledger) => header_members(ledger, call.shape),
        Looked::Open(open) => object(json!({
            "closed": false,
            "ledger_index": match call.shape {
                shape::ApiShape::V1 => json!(open.info().index.to_string()),
                shape::ApiShape::V2 => json!(open.info().index),
            },
            "parent_hash": open.info().parent_hash.to_string(),
        })),
    };
    if with_transactions {
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
            Looked::Open(open) => open
                .transactions()
                .iter()
                .map(|tx| match expand {
                    true => shape::tx_members(tx, call.shape).into(),
                    false => tx.hash.to_string().into(),
                })
                .collect(),
        };
        members.insert("transactions".into(), list.into());
    }
    answer.insert("ledger".into(), members.into());
    Ok(answer)
}

pub(super) fn ledger_data(call: &Call<'_>) -> Answer {
    let looked = call.ledger(&call.shared.node())?;
    let binary = call.flag("binary");
    let limit = call.limit(if binary { 2048 } else { 256 })?;
    let kind = match call.text("type")? {
        None => None,
        Some(name) => Some(entry_type_of(name).ok_or_else(|| RpcError::invalid_field("type"))?),
    };
    let after = match call.params.get("marker") {
        None => Hash256::ZERO,
        Some(marker) => marker
            .as_str()
            .and_then(|m| m.parse().ok())
            .ok_or_else(|| RpcError::invalid("Invalid field 'marker', not valid."))?,
    };
    let mut answer = Map::new();
    looked.describe(&mut answer);
    if let (Looked::Closed(ledger), false) = (&looked, call.params.contains_key("marker")) {
        answer.insert("ledger".into(), header_members(ledger, call.shape).into());
    }
    let (mut state, mut seen) = (Vec::new(), 0);
    let mut last = after;
    for (id, entry) in looked.entries_after(after) {
        if seen == limit {
            answer.insert("marker".into(), last.to_string().into());
            break;
        }
        (seen, last) = (seen + 1, id);
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

pub(super) fn ledger_entry(call: &Call<'_>) -> Answer {
    let looked = call.ledger(&call.shared.node())?;
    let id = entry_id(call)?;
    let entry = looked.view().read(&id).ok_or_else(|| {
        let mut error = RpcError::new("entryNotFound", 103, "Requested ledger entry not found.");
        looked.describe(&mut error.extra);
        error.with("index", id.to_string().into())
    })?;
    let mut answer = object(json!({"index": id.to_string()}));
    match call.flag("binary") {
        true => answer.insert("node_binary".into(), const_hex::encode_upper(entry.encode()).into()),
        false => answer.insert("node".into(), entry_json(&id, &entry)),
    };
    looked.describe(&mut answer);
    Ok(answer)
}

/// The id that a request names: by `index`, or by what makes it.
fn entry_id(call: &Call<'_>) -> Result<Hash256, RpcError> {
    let malformed = |token: &'static str| RpcError::new(token, 35, "Malformed request.");
    let account = |json: &Json| json.as_str().and_then(|t| t.parse::<AccountId>().ok());
    for key in ["index", "ledger_entry_id"] {
        if let Some(json) = call.params.get(key) {
            let parsed = json.as_str().and_then(|t| t.parse().ok());
            return parsed.ok_or_else(|| malformed("malformedRequest"));
        }
    }
    if let Some(json) = call.params.get("account_root") {
        let id = account(json).ok_or_else(|| malformed("malformedAddress"))?;
        return Ok(object_id::account_root(id));
    }
    let own_sequence = |key: &str, owner: &str, sequence: &str| {
        call.params.get(key).map(|json| {
            if let Some(id) = json.as_str() {
                return id.parse().map_err(|_| malformed("malformedRequest"));
            }
            let owner =
                json.get(owner).and_then(account).ok_or_else(|| malformed("malformedOwner"))?;
            let number =
                json.get(sequence).and_then(Json::as_u64).and_then(|n| u32::try_from(n).ok());
            let number = number.ok_or_else(|| malformed("malformedRequest"))?;
            Ok(match key {
                "offer" => object_id::offer(owner, number),
                "escrow" => object_id::escrow(owner, number),
                _ => object_id::ticket(owner, number),
            })
        })
    };
    let simple = own_sequence("ticket", "account", "ticket_seq")
        .or_else(|| own_sequence("offer", "account", "seq"))
        .or_else(|| own_sequence("escrow", "owner", "seq"));
    if let Some(found) = simple {
        return found;
    }
    if let Some(json) = call.params.get("ripple_state").or_else(|| call.params.get("state")) {
        let sides = json.get("accounts").and_then(Json::as_array).filter(|a| a.len() == 2);
        let sides = sides.ok_or_else(|| malformed("malformedRequest"))?;
        let (Some(a), Some(b)) = (account(&sides[0]), account(&sides[1])) else {
            return Err(malformed("malformedAddress"));
        };
        let currency = json.get("currency").and_then(Json::as_str).and_then(|c| c.parse().ok());
        let currency = currency.ok_or_else(|| malformed("malformedCurrency"))?;
        if a == b {
            return Err(malformed("malformedRequest"));
        }
        return Ok(object_id::trust_line(a, b, currency));
    }
    if let Some(json) = call.params.get("directory") {
        if let Some(id) = json.as_str() {
            return id.parse().map_err(|_| malformed("malformedRequest"));
        }
        let page = json.get("sub_index").and_then(Json::as_u64).unwrap_or(0);
        let root = match (json.get("owner"), json.get("dir_root")) {
            (Some(owner), None) => {
                object_id::owner_dir(account(owner).ok_or_else(|| malformed("malformedAddress"))?)
            }
            (None, Some(root)) => root
                .as_str()
                .and_then(|r| r.parse().ok())
                .ok_or_else(|| malformed("malformedRequest"))?,
            _ => return Err(malformed("malformedRequest")),
        };
        return Ok(object_id::dir_page(root, page));
    }
    for (key, id) in [
        ("fee", object_id::fees()),
        ("amendments", object_id::amendments()),
        ("hashes", object_id::skip_list()),
    ] {
        if call.params.contains_key(key) {
            return Ok(id);
        }
    }
    Err(RpcError::new("unknownOption", 0, ""))
}
