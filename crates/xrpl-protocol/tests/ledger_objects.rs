//! Ledger entries, transactions and metadata as a real xrpld shows them: JSON to fields, to bytes,
//! back to fields and to the same JSON.

mod common;

use serde_json::Value as Json;
use xrpl_protocol::{Definitions, Object};

/// The object without what an answer adds: fields begin with a capital letter, additions do not,
/// but for `DeliverMax`, which is another name for a Payment's `Amount`.
fn fields_of(json: &Json) -> Json {
    let mut members = json.as_object().cloned().unwrap_or_default();
    members.retain(|name, _| {
        name.starts_with(|c: char| c.is_ascii_uppercase()) && name != "DeliverMax"
    });
    Json::Object(members)
}

/// Each ledger entry, metadata and signed transaction of a recorded answer, at any depth.
fn collect<'a>(json: &'a Json, found: &mut Vec<&'a Json>) {
    match json {
        Json::Object(members) => {
            let has = |name: &str| members.contains_key(name);
            if has("LedgerEntryType") && has("index") || has("AffectedNodes") {
                found.push(json);
                return;
            }
            if has("TransactionType")
                && has("TxnSignature")
                && (has("Amount") || !has("DeliverMax"))
            {
                found.push(json);
            }
            members.values().for_each(|value| collect(value, found));
        }
        Json::Array(list) => list.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}

#[test]
fn recorded_objects_round_trip() {
    let table = Definitions::builtin();
    let Some(dir) = common::fixture("xrpld-3.3.0-b0") else { return };
    let mut seen = 0;
    let mut wrong = std::collections::BTreeMap::new();
    for file in std::fs::read_dir(dir).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if !name.ends_with(".jsonl") {
            continue;
        }
        for line in common::lines(&format!("xrpld-3.3.0-b0/{name}")) {
            // What we sent may be malformed on purpose; what xrpld stored is not.
            if !matches!(line["step"].as_str(), Some("accept" | "request" | "stream")) {
                continue;
            }
            // Signs and repeats whatever a caller thinks up.
            let asked = ["method", "command"].map(|name| line["request"][name].as_str());
            let repeats = ["sign", "sign_for", "simulate", "submit", "submit_multisigned"];
            if asked.iter().flatten().any(|method| repeats.contains(method)) {
                continue;
            }
            let mut found = Vec::new();
            for part in ["ledger", "response", "message"] {
                collect(&line[part], &mut found);
            }
            for json in found {
                let shown = fields_of(json);
                seen += 1;
                let said = match Object::from_json(&shown, table) {
                    // Signed by the server as it was asked to; no ledger holds it.
                    Err(e) if e.to_string().contains("is not a number of drops") => continue,
                    Err(e) => e.to_string(),
                    Ok(object) => match Object::decode(&object.encode(), table) {
                        Err(e) => e.to_string(),
                        Ok(again) if again != object => "bytes lose something".into(),
                        Ok(again) if again.to_json(table) != shown => {
                            difference("", &again.to_json(table), &shown)
                        }
                        Ok(_) => continue,
                    },
                };
                *wrong.entry(format!("{name}: {said}")).or_insert(0) += 1;
            }
        }
    }
    println!("{seen} objects");
    assert!(wrong.is_empty(), "{seen} objects, {wrong:#?}");
    assert!(seen > 10_000, "only {seen} objects were found in the recordings");
}

/// The first member that is not the same, with its path.
fn difference(path: &str, ours: &Json, theirs: &Json) -> String {
    match (ours, theirs) {
        (Json::Object(a), Json::Object(b)) => {
            for key in a.keys().chain(b.keys()) {
                let (x, y) = (a.get(key).unwrap_or(&Json::Null), b.get(key).unwrap_or(&Json::Null));
                if x != y {
                    return difference(&format!("{path}.{key}"), x, y);
                }
            }
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            if let Some((x, y)) = a.iter().zip(b).find(|(x, y)| x != y) {
                return difference(&format!("{path}[]"), x, y);
            }
        }
        _ => {}
    }
    format!("{path} is {ours}, recorded {theirs}")
}
