//! What differs between a recorded ledger and ours, field by field, for people.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use serde_json::{Map, Value as Json};
use xrpl_protocol::Definitions;
use xrpl_standalone::ledger::ClosedLedger;

/// Differing fields shown of one transaction.
const MOST: usize = 60;

/// The first transaction that differs, by the order in which it was applied: missing, too many, or
/// with other metadata.
pub(super) fn ledger(recorded: &Json, ours: &ClosedLedger) -> String {
    let list = recorded["transactions"].as_array().cloned().unwrap_or_default();
    let mut list: Vec<&Json> = list.iter().collect();
    list.sort_by_key(|tx| tx["metaData"]["TransactionIndex"].as_u64());
    let here: BTreeMap<String, _> =
        ours.transactions.iter().map(|tx| (tx.hash().to_string(), tx)).collect();
    for tx in &list {
        let hash = tx["hash"].as_str().unwrap_or_default();
        let mut body = (*tx).clone();
        let metadata = body.as_object_mut().and_then(|tx| tx.remove("metaData"));
        let about = serde_json::to_string_pretty(&body).unwrap_or_default();
        let metadata = metadata.unwrap_or_default();
        let Some(ours) = here.get(hash) else {
            let result = &metadata["TransactionResult"];
            return format!("not applied here, recorded with {result}:\n{about}");
        };
        let mut json = ours.read().metadata.to_json(Definitions::builtin());
        if let (Some(theirs), Some(ours)) = (metadata.as_object(), json.as_object_mut()) {
            for added in
                ["delivered_amount", "nftoken_id", "nftoken_ids", "offer_id", "mpt_issuance_id"]
            {
                if let Some(value) = theirs.get(added) {
                    ours.insert(added.into(), value.clone());
                }
            }
        }
        let mut out = String::new();
        let mut shown = 0;
        fields("", &by_entry(&metadata), &by_entry(&json), &mut |path, theirs, ours| {
            shown += 1;
            if shown <= MOST {
                let _ = writeln!(out, "  {path}: recorded {}, here {}", show(theirs), show(ours));
            }
        });
        if shown > 0 {
            return format!("{about}\nmetadata, {shown} fields:\n{out}");
        }
    }
    let recorded: BTreeSet<&str> = list.iter().filter_map(|tx| tx["hash"].as_str()).collect();
    if let Some((_, tx)) = here.iter().find(|(hash, _)| !recorded.contains(hash.as_str())) {
        let json = tx.read().tx.object.to_json(Definitions::builtin());
        let json = serde_json::to_string_pretty(&json).unwrap_or_default();
        return format!("applied here only, with {}:\n{json}", tx.result);
    }
    let mut out = String::from(
        "all metadata is equal: an entry differs in what metadata does not show (default values of \
         new entries, what directories list). Entries touched:\n",
    );
    let mut keys = BTreeSet::new();
    for tx in &ours.transactions {
        let json = tx.read().metadata.to_json(Definitions::builtin());
        for node in json["AffectedNodes"].as_array().into_iter().flatten() {
            let node = node.as_object().and_then(|node| node.values().next());
            keys.extend(node.and_then(|node| node["LedgerIndex"].as_str().map(str::to_owned)));
        }
    }
    for key in keys.iter().take(MOST) {
        let entry = key.parse().ok().and_then(|key| ours.state.get(&key));
        let json = entry.map(|entry| entry.to_json(Definitions::builtin()));
        let _ = writeln!(out, "  {key}: {}", json.unwrap_or_default());
    }
    out
}

/// Metadata with its nodes by entry, so that one that is missing shifts no others.
fn by_entry(metadata: &Json) -> Json {
    let mut metadata = metadata.clone();
    let Some(nodes) = metadata["AffectedNodes"].as_array() else { return metadata };
    let mut named = Map::new();
    for node in nodes {
        let Some((kind, node)) = node.as_object().and_then(|node| node.iter().next()) else {
            continue;
        };
        let text = |key: &str| node[key].as_str().unwrap_or("?").to_owned();
        let (entry, id) = (text("LedgerEntryType"), text("LedgerIndex"));
        let short = id.get(..8).unwrap_or(&id);
        named.insert(format!("{kind} {entry} {short}"), node.clone());
    }
    metadata["AffectedNodes"] = named.into();
    metadata
}

fn fields(path: &str, theirs: &Json, ours: &Json, tell: &mut dyn FnMut(&str, &Json, &Json)) {
    match (theirs, ours) {
        (Json::Object(a), Json::Object(b)) => {
            let keys: BTreeSet<_> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let of = |map: &Map<String, Json>| map.get(key).cloned().unwrap_or_default();
                fields(&format!("{path}.{key}"), &of(a), &of(b), tell);
            }
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                fields(&format!("{path}[{at}]"), a, b, tell);
            }
        }
        (a, b) if a != b => tell(path, a, b),
        _ => {}
    }
}

fn show(json: &Json) -> String {
    match json {
        Json::Null => "nothing".into(),
        json => json.to_string().chars().take(400).collect(),
    }
}
