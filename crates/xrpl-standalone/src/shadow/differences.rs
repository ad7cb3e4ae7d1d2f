//! Two things side by side, field by field.

use serde_json::{Map, Value as Json};
use xrpl_protocol::{Definitions, EngineResult, Object};

/// Beyond that nobody reads on.
const MOST: usize = 40;

/// The line for a transaction that is in the node's ledger and would not be in ours.
pub(super) fn refused(node: &Object, here: EngineResult) -> Vec<String> {
    let node = node.to_json(Definitions::builtin());
    let result = node["TransactionResult"].as_str().unwrap_or("none");
    vec![format!("TransactionResult: the node has {result}, here it is refused with {here}")]
}

/// What differs between two metadatas.
pub(super) fn metadata(node: &Object, here: &Object) -> Vec<String> {
    let shown = |object: &Object| by_entry(object.to_json(Definitions::builtin()));
    match differences(&shown(node), &shown(here)) {
        none if none.is_empty() => vec!["metadata: equal fields in another binary form".to_owned()],
        some => some,
    }
}

/// Metadata with its affected entries by their ids, so that one more does not make all others differ.
fn by_entry(mut metadata: Json) -> Json {
    let nodes = metadata.as_object_mut().and_then(|metadata| metadata.remove("AffectedNodes"));
    let Some(Json::Array(nodes)) = nodes else { return metadata };
    let mut entries = Map::new();
    for node in nodes {
        let id = node
            .as_object()
            .and_then(|node| node.values().next())
            .and_then(|inner| inner["LedgerIndex"].as_str())
            .unwrap_or_default()
            .to_owned();
        entries.insert(id, node);
    }
    metadata["AffectedNodes"] = Json::Object(entries);
    metadata
}

/// What differs between what the node has and what came out here, a line each.
#[must_use]
pub fn differences(node: &Json, here: &Json) -> Vec<String> {
    let mut lines = Vec::new();
    walk("", Some(node), Some(here), &mut lines);
    if lines.len() > MOST {
        let more = lines.len() - MOST;
        lines.truncate(MOST);
        lines.push(format!("and {more} more"));
    }
    lines
}

fn walk(path: &str, node: Option<&Json>, here: Option<&Json>, lines: &mut Vec<String>) {
    match (node, here) {
        (node, here) if node == here => {}
        (Some(Json::Object(node)), Some(Json::Object(here))) => {
            let others = here.keys().filter(|name| !node.contains_key(*name));
            for name in node.keys().chain(others) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                walk(&path, node.get(name), here.get(name), lines);
            }
        }
        (Some(Json::Array(node)), Some(Json::Array(here))) => {
            for at in 0..node.len().max(here.len()) {
                walk(&format!("{path}[{at}]"), node.get(at), here.get(at), lines);
            }
        }
        (node, here) => {
            let shown = |side: Option<&Json>| match side {
                None => "nothing".to_owned(),
                Some(Json::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            lines.push(format!("{path}: the node has {}, here it is {}", shown(node), shown(here)));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_differs_is_named_by_its_place() {
        let node = json!({"A": [{"B": "1"}, {"C": 2}], "R": "tesSUCCESS", "only": true});
        let here = json!({"A": [{"B": "2"}], "R": "tesSUCCESS", "more": null});
        assert_eq!(
            differences(&node, &here),
            [
                "A[0].B: the node has 1, here it is 2",
                r#"A[1]: the node has {"C":2}, here it is nothing"#,
                "only: the node has true, here it is nothing",
                "more: the node has nothing, here it is null",
            ]
        );
        assert!(differences(&node, &node).is_empty());
        let many = json!((0..100).collect::<Vec<_>>());
        assert_eq!(differences(&many, &json!([])).len(), MOST + 1);
    }

    #[test]
    fn entries_are_compared_by_id() {
        let node = |id: &str, n: u32| json!({"ModifiedNode": {"LedgerIndex": id, "N": n}});
        let one = by_entry(json!({"AffectedNodes": [node("AA", 1), node("BB", 2)]}));
        let other = by_entry(json!({"AffectedNodes": [node("BB", 3)]}));
        let lines = differences(&one, &other);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].starts_with("AffectedNodes.AA: the node has {"), "{lines:?}");
        assert_eq!(lines[1], "AffectedNodes.BB.ModifiedNode.N: the node has 2, here it is 3");
    }
}
