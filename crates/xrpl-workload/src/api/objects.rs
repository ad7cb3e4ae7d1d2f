//! `/state/objects`: which transactions created, modified and deleted one object of the ledger.
//!
//! The ledger itself says so: every object names the transaction that touched it last, and that transaction's
//! metadata names the one before. So nothing is kept here, and transactions of others are listed too.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json_, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use xrpl_client::{ClientError, request::Raw};
use xrpl_protocol::{AccountId, Hash256, LedgerIndex, TxHash};
use xrpl_tracker::{ResultName, Row};

use super::{
    ApiError, Routes, Shared,
    error::ErrorBody,
    extract::{Params, Segment},
};
use crate::session::App;

/// Transactions of a page unless asked otherwise: each is one request to the node.
const DEFAULT_LIMIT: usize = 20;
/// The longest page.
const MAX_LIMIT: usize = 200;

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(history))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Page {
    /// Transactions at most; 20 if not given.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
    /// `next_cursor` of the page before, or any transaction that touched the object.
    cursor: Option<String>,
}

/// What a transaction did to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Effect {
    Created,
    Modified,
    Deleted,
}

/// A transaction that touched an object.
#[derive(Debug, Serialize, ToSchema)]
struct Touch {
    tx_hash: TxHash,
    /// None if the node does not have its metadata any more.
    effect: Option<Effect>,
    transaction_type: String,
    account: Option<AccountId>,
    engine_result: ResultName,
    ledger_index: LedgerIndex,
    /// When that ledger closed, seconds since 2000-01-01.
    close_time: Option<u32>,
    /// Whether it is a transaction of this run: then `/state/tx/{hash}` has its evidence.
    tracked: bool,
}

/// An object of the ledger and what happened to it.
#[derive(Debug, Serialize, ToSchema)]
struct ObjectHistory {
    object_id: Hash256,
    /// Its LedgerEntryType.
    entry_type: String,
    /// Its fields in the newest validated ledger; none if it is not there any more.
    #[schema(value_type = Option<Object>)]
    entry: Option<Json_>,
    /// The newest first.
    transactions: Vec<Touch>,
    /// Where the next page starts; none after the last one.
    next_cursor: Option<TxHash>,
    /// Why the list ends before the transaction that created the object, if it does.
    incomplete: Option<String>,
}

/// Transactions that created, modified or deleted an object of the ledger, newest first
///
/// Read from the node, back from one to the one before. An object that is gone is found if it concerned
/// the run and was deleted lately, or with a transaction that touched it as `cursor`.
#[utoipa::path(get, path = "/state/objects/{id}", tag = "state",
    params(("id" = String, Path, description = "The id of a ledger entry.", pattern = "^[0-9A-Fa-f]{64}$"), Page),
    responses((status = 200, body = ObjectHistory), (status = 404, body = ErrorBody, description = "The ledger has no such object.")))]
async fn history(
    State(app): Shared,
    Segment(text): Segment,
    Params(page): Params<Page>,
) -> Result<Json<ObjectHistory>, ApiError> {
    let id: Hash256 = text
        .parse()
        .map_err(|_| ApiError::bad_request(format!("id: {text:?} is not 64 hexadecimal digits")))?;
    let limit = match page.limit.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MAX_LIMIT => limit,
        _ => return Err(ApiError::bad_request(format!("limit: from 1 to {MAX_LIMIT}"))),
    };
    let given = page.cursor.as_deref().map(super::extract::hash).transpose()?;
    let params = json!({"index": id, "ledger_index": "validated"});
    let entry = ask(&app, "ledger_entry", params).await?.map(|mut found| found["node"].take());
    let newest = match &entry {
        Some(entry) => previous(entry),
        None => deleted_by(&app, id).await?,
    };
    let mut entry_type = entry.as_ref().map(|entry| text_of(entry, "LedgerEntryType"));
    let mut next = given.or(newest);
    if entry.is_none() && next.is_none() {
        return Err(ApiError::not_found(format!(
            "the newest validated ledger has no object {id}, and none of this run that was deleted lately has that id"
        )));
    }
    let mut transactions = Vec::new();
    let mut incomplete = next.is_none().then(|| "objects of this type name no transaction".into());
    while let Some(hash) = next.filter(|_| transactions.len() < limit) {
        next = None;
        let tracked = app.tracker.dossier(hash).await?.map(|dossier| dossier.row);
        let Some(tx) = ask(&app, "tx", json!({"transaction": hash})).await? else {
            // What the ledger names has touched the object; what it was the run may know.
            let named = given != Some(hash);
            transactions.extend(tracked.filter(|_| named).and_then(remembered));
            incomplete = Some(format!("the node does not have transaction {hash} any more"));
            break;
        };
        let Some(step) = step(&tx, id) else {
            incomplete = Some(format!("no validated ledger says that {hash} touched it"));
            break;
        };
        entry_type.get_or_insert(step.entry_type);
        next = step.previous;
        if next.is_none() && step.effect != Effect::Created {
            incomplete = Some(format!("{hash} does not say which transaction was before it"));
        }
        transactions.push(touch(&tx, hash, step.effect, tracked.is_some()));
    }
    Ok(Json(ObjectHistory {
        object_id: id,
        entry_type: entry_type.unwrap_or_default(),
        entry,
        transactions,
        next_cursor: next,
        incomplete,
    }))
}

/// A node's answer; none if it says that it does not have it.
async fn ask(app: &App, method: &str, params: Json_) -> Result<Option<Json_>, ApiError> {
    let params = params.as_object().cloned().unwrap_or_default();
    match app.pool.request(&Raw { method: method.into(), params }).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn is_absent(error: &ClientError) -> bool {
    let absent = ["entryNotFound", "txnNotFound", "lgrNotFound"];
    error.api().is_some_and(|api| absent.contains(&api.error.as_str()))
}

/// The transaction that deleted an object, if the run knows when that was.
async fn deleted_by(app: &App, id: Hash256) -> Result<Option<TxHash>, ApiError> {
    let Some(generator) = app.generator() else { return Ok(None) };
    // A run that has ended knows nothing of it any more.
    let Ok(Some(ledger)) = generator.deleted_in(id).await else { return Ok(None) };
    let params = json!({"ledger_index": ledger, "transactions": true, "expand": true});
    let Some(answer) = ask(app, "ledger", params).await? else { return Ok(None) };
    let transactions = answer["ledger"]["transactions"].as_array();
    let deletes =
        |tx: &&Json_| affected(tx, id).is_some_and(|(effect, _)| effect == Effect::Deleted);
    let found = transactions.into_iter().flatten().rfind(deletes);
    Ok(found.and_then(|tx| tx["hash"].as_str()?.parse().ok()))
}

/// What a transaction did to an object, and which one did something to it before.
struct Step {
    effect: Effect,
    entry_type: String,
    previous: Option<TxHash>,
}

/// None unless the transaction is validated and touched the object.
fn step(tx: &Json_, id: Hash256) -> Option<Step> {
    if tx["validated"] != true {
        return None;
    }
    let (effect, node) = affected(tx, id)?;
    // A new object has none before it.
    let before = (effect != Effect::Created)
        .then(|| previous(node).or_else(|| previous(&node["FinalFields"])));
    Some(Step { effect, entry_type: text_of(node, "LedgerEntryType"), previous: before.flatten() })
}

/// What the metadata say of an object.
fn affected(tx: &Json_, id: Hash256) -> Option<(Effect, &Json_)> {
    // A transaction inside a `ledger` has its metadata under another name.
    let meta = tx.get("meta").or_else(|| tx.get("metaData"))?;
    meta["AffectedNodes"].as_array()?.iter().find_map(|affected| {
        let (name, node) = affected.as_object()?.iter().next()?;
        let effect = match name.as_str() {
            "CreatedNode" => Effect::Created,
            "ModifiedNode" => Effect::Modified,
            "DeletedNode" => Effect::Deleted,
            _ => return None,
        };
        (node["LedgerIndex"].as_str()?.parse() == Ok(id)).then_some((effect, node))
    })
}

fn previous(fields: &Json_) -> Option<TxHash> {
    fields["PreviousTxnID"].as_str()?.parse().ok()
}

fn text_of(fields: &Json_, name: &str) -> String {
    fields[name].as_str().unwrap_or_default().to_owned()
}

fn touch(tx: &Json_, hash: TxHash, effect: Effect, tracked: bool) -> Touch {
    // Its fields are inside `tx_json` from api_version 2 on.
    let fields = tx.get("tx_json").unwrap_or(tx);
    let number = |name: &str| tx.get(name).or_else(|| fields.get(name))?.as_u64()?.try_into().ok();
    Touch {
        tx_hash: hash,
        effect: Some(effect),
        transaction_type: text_of(fields, "TransactionType"),
        account: fields["Account"].as_str().and_then(|text| text.parse().ok()),
        engine_result: ResultName::new(&text_of(&tx["meta"], "TransactionResult")),
        ledger_index: LedgerIndex(number("ledger_index").unwrap_or_default()),
        close_time: number("date"),
        tracked,
    }
}

/// A transaction of the run as the run has it.
fn remembered(row: Row) -> Option<Touch> {
    Some(Touch {
        tx_hash: row.tx_hash,
        effect: None,
        transaction_type: row.transaction_type.to_string(),
        account: Some(row.account),
        engine_result: row.engine_result_final?,
        ledger_index: row.validated_ledger?,
        close_time: None,
        tracked: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "51D5B2FF1C9A3E8F1B0C6C0FBCBA1B7C1E0B6C8D7A1F2E3D4C5B6A7988776655";

    fn tx(node: &Json_) -> Json_ {
        let other = json!({"ModifiedNode": {"LedgerEntryType": "AccountRoot", "LedgerIndex": "0".repeat(64), "PreviousTxnID": "1".repeat(64)}});
        json!({"validated": true, "meta": {"AffectedNodes": [other, node]}})
    }

    /// The one before is named beside the fields of an object that changed, and among those of one that is gone.
    #[test]
    fn metadata_lead_to_the_transaction_before() {
        let id = ID.parse().unwrap();
        let before = "A".repeat(64);
        for (node, effect, previous) in [
            (
                json!({"CreatedNode": {"LedgerEntryType": "Check", "LedgerIndex": ID, "NewFields": {}}}),
                Effect::Created,
                None,
            ),
            (
                json!({"ModifiedNode": {"LedgerEntryType": "Check", "LedgerIndex": ID, "PreviousTxnID": before}}),
                Effect::Modified,
                Some(&before),
            ),
            (
                json!({"DeletedNode": {"LedgerEntryType": "Check", "LedgerIndex": ID, "FinalFields": {"PreviousTxnID": before}}}),
                Effect::Deleted,
                Some(&before),
            ),
        ] {
            let found = step(&tx(&node), id).unwrap();
            assert_eq!((found.effect, found.entry_type.as_str()), (effect, "Check"));
            assert_eq!(found.previous.map(|hash| hash.to_string()).as_ref(), previous);
        }
        let node = json!({"ModifiedNode": {"LedgerEntryType": "Check", "LedgerIndex": ID}});
        let mut pending = tx(&node);
        pending["validated"] = json!(false);
        assert!(step(&pending, id).is_none(), "what is not validated says nothing");
        assert!(
            step(&tx(&node), Hash256::default())
                .is_some_and(|step| step.entry_type == "AccountRoot")
        );
        assert!(step(&tx(&node), Hash256([7; 32])).is_none());
    }
}
