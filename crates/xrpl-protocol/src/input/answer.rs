//! What nodes and explorers put around and beside a transaction.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::{InputError, Result, unknown};
use crate::{Definitions, encode::ANSWER_MEMBERS};

/// Where answers keep a transaction: `tx`, `submit`, streams, `account_tx`.
const WRAPPERS: [&str; 4] = ["result", "tx_json", "transaction", "tx"];
/// Wrappers within wrappers: a `result` with a `tx_json`.
const MOST_WRAPPERS: usize = 3;

/// Members of answers and stream messages that say something about a transaction or a request, and
/// are no field (<https://xrpl.org/docs/references/http-websocket-apis>).
const BESIDE: &[&str] = &[
    "account_sequence_available",
    "account_sequence_next",
    "accepted",
    "api_version",
    "applied",
    "broadcast",
    "close_time_iso",
    "ctid",
    "delivered_amount",
    "deprecated",
    "engine_result",
    "engine_result_code",
    "engine_result_message",
    "forwarded",
    "hash",
    "id",
    "jsonrpc",
    "kept",
    "ledger_current_index",
    "ledger_hash",
    "meta_blob",
    "open_ledger_cost",
    "owner_funds",
    "queued",
    "ripplerpc",
    "searched_all",
    "status",
    "tx_blob",
    "type",
    "validated_ledger_index",
    "warning",
    "warnings",
];

fn is_beside(name: &str) -> bool {
    BESIDE.contains(&name) || ANSWER_MEMBERS.contains(&name)
}

/// The transaction's own members; names of the others go into `ignored`.
pub(super) fn unwrapped(
    json: &Json,
    definitions: &Definitions,
    ignored: &mut BTreeSet<String>,
) -> Result<Map<String, Json>> {
    let mut json = json;
    for _ in 0..=MOST_WRAPPERS {
        let Json::Object(members) = json else {
            let got: String = json.to_string().chars().take(80).collect();
            return Err(InputError::member(
                "transaction",
                format!("expected an object, got {got}"),
            ));
        };
        let inner = WRAPPERS.iter().find(|name| members.get(**name).is_some_and(Json::is_object));
        let Some(inner) = inner.filter(|_| !members.contains_key("TransactionType")) else {
            let (beside, own): (Vec<_>, Vec<_>) =
                members.clone().into_iter().partition(|(name, _)| is_beside(name));
            ignored.extend(beside.into_iter().map(|(name, _)| name));
            return Ok(own.into_iter().collect());
        };
        for name in members.keys().filter(|name| name != inner) {
            if !is_beside(name) {
                return Err(unknown("", name, definitions));
            }
            ignored.insert(name.clone());
        }
        json = &members[*inner];
    }
    Err(InputError::member("transaction", "an answer within an answer within an answer"))
}
