//! `/state`: what became of every transaction.

use std::sync::Arc;

use axum::{Json, Router, extract::State, routing::get};
use serde::Deserialize;
use serde_json::{Map, Value as Json_, json};
use xrpl_protocol::ResultClass;
use xrpl_tracker::{ResultName, RowFilter, RunId, State as TxState, stats::Stats};

use super::{
    ApiError, Shared,
    extract::{Params, Segment, account, hash},
};
use crate::session::{App, Phase};

/// Rows of a page unless asked otherwise.
const DEFAULT_LIMIT: usize = 100;
/// The longest page.
const MAX_LIMIT: usize = 10_000;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/state/summary", get(summary))
        .route("/state/pending", get(pending))
        .route("/state/failed", get(failed))
        .route("/state/failed/{engine_result}", get(failed_with))
        .route("/state/expired", get(expired))
        .route("/state/transactions", get(transactions))
        .route("/state/type/{type}", get(of_type))
        .route("/state/failure-codes", get(failure_codes))
        .route("/state/tx/{hash}", get(dossier))
        .route("/state/validations", get(validations))
        .route("/state/ws/stats", get(ws_stats))
        .route("/state/finality", get(finality))
}

async fn summary(State(app): Shared) -> Json<Json_> {
    let stats = app.tracker.stats();
    let listing = app.generator().map(|generator| generator.accounts());
    let preparing = match app.phase() {
        Phase::Preparing(progress) => json!(progress),
        Phase::Ready | Phase::Stopping => Json_::Null,
    };
    Json(json!({
        "total_tracked": stats.total_tracked,
        "by_state": stats.by_state,
        "valid_by_state": stats.valid_by_state,
        "by_type": stats.by_type,
        "by_type_validated": stats.by_type_validated,
        "validated_by_source": stats.validated_by_source,
        "recent_validations": app.tracker.ws_stats().recent_validations_count,
        "gateways": listing.as_ref().map_or(0, |l| l.gateways.len()),
        "users": listing.as_ref().map_or(0, |l| l.users.len()),
        "uptime_seconds": app.started.elapsed().as_secs(),
        "started_at": app.started_at_ms / 1000,
        "ledger_index": stats.ledger_index,
        "first_ledger_index": stats.first_ledger_index,
        "ledgers_elapsed": stats.ledger_index.0.saturating_sub(stats.first_ledger_index.0),
        "overturned": stats.overturned,
        "contradicted": stats.contradicted,
        "undecided": stats.undecided,
        "pending": stats.pending,
        "valid_failed": stats.valid_failed,
        "expected_invalid": stats.expected_invalid,
        "invalid_as_predicted": stats.invalid_as_predicted,
        "invalid_otherwise": stats.invalid_otherwise,
        "ledger_mismatches": stats.ledger_mismatches,
        "validated_per_second": app.meter.current(),
        "finality_ms": stats.finality_ms,
        "endpoint": app.endpoint,
        "run": stats.run,
        "phase": app.phase().name(),
        "preparing": preparing,
    }))
}

/// A page of rows.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    limit: Option<usize>,
    cursor: Option<u64>,
}

impl Page {
    fn limit(&self) -> Result<usize, ApiError> {
        match self.limit {
            None => Ok(DEFAULT_LIMIT),
            Some(limit @ 1..=MAX_LIMIT) => Ok(limit),
            Some(_) => Err(ApiError::bad_request(format!("limit: from 1 to {MAX_LIMIT}"))),
        }
    }
}

/// Rows of a filter under a name, as `{name: [row], next_cursor}`.
async fn rows(
    app: &App,
    name: &str,
    filter: &RowFilter,
    page: &Page,
) -> Result<Map<String, Json_>, ApiError> {
    let found = app.tracker.rows(filter, page.cursor, page.limit()?).await?;
    let mut map = Map::new();
    map.insert(name.to_owned(), json!(found.rows));
    map.insert("next_cursor".to_owned(), json!(found.next_cursor));
    Ok(map)
}

fn in_states(states: &[TxState]) -> RowFilter {
    RowFilter { states: states.to_vec(), ..RowFilter::default() }
}

async fn pending(
    State(app): Shared,
    Params(page): Params<Page>,
) -> Result<Json<Map<String, Json_>>, ApiError> {
    let open: Vec<_> = TxState::ALL.into_iter().filter(|state| !state.is_terminal()).collect();
    rows(&app, "pending", &in_states(&open), &page).await.map(Json)
}

async fn failed(
    State(app): Shared,
    Params(page): Params<Page>,
) -> Result<Json<Map<String, Json_>>, ApiError> {
    let states = [TxState::Rejected, TxState::FailedNet];
    rows(&app, "failed", &in_states(&states), &page).await.map(Json)
}

async fn expired(
    State(app): Shared,
    Params(page): Params<Page>,
) -> Result<Json<Map<String, Json_>>, ApiError> {
    rows(&app, "expired", &in_states(&[TxState::Expired]), &page).await.map(Json)
}

/// What `/state/transactions` can be asked.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    state: Option<String>,
    #[serde(rename = "type")]
    transaction_type: Option<String>,
    account: Option<String>,
    run: Option<u64>,
    preliminary: Option<String>,
    #[serde(rename = "final")]
    last: Option<String>,
    order: Option<String>,
    limit: Option<usize>,
    cursor: Option<u64>,
}

async fn transactions(
    State(app): Shared,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Map<String, Json_>>, ApiError> {
    let states = match wanted.state.as_deref() {
        None => Vec::new(),
        Some(names) => names
            .split(',')
            .map(|name| {
                TxState::from_name(name).ok_or_else(|| {
                    let known: Vec<_> = TxState::ALL.iter().map(|state| state.name()).collect();
                    ApiError::bad_request(format!(
                        "state: {name:?} is none of {}",
                        known.join(", ")
                    ))
                })
            })
            .collect::<Result<_, _>>()?,
    };
    let filter = RowFilter {
        states,
        transaction_type: wanted.transaction_type,
        account: wanted.account.map(|text| account("account", &text)).transpose()?,
        run: wanted.run.map(RunId),
        preliminary: wanted.preliminary.map(|name| result("preliminary", &name)).transpose()?,
        last: wanted.last.map(|name| result("final", &name)).transpose()?,
        newest_first: match wanted.order.as_deref() {
            None | Some("oldest") => false,
            Some("newest") => true,
            Some(other) => {
                return Err(ApiError::bad_request(format!(
                    "order: {other:?} is neither oldest nor newest"
                )));
            }
        },
        ..RowFilter::default()
    };
    let page = Page { limit: wanted.limit, cursor: wanted.cursor };
    rows(&app, "transactions", &filter, &page).await.map(Json)
}

/// A result by name; `none` for those without.
fn result(field: &str, name: &str) -> Result<Option<ResultName>, ApiError> {
    // An error token of the API counts as a first answer too, so that any name may be asked for.
    match name {
        "none" => Ok(None),
        name if (1..=60).contains(&name.len()) => Ok(Some(ResultName::new(name))),
        _ => Err(ApiError::bad_request(format!("{field}: from 1 to 60 characters"))),
    }
}

async fn failed_with(
    State(app): Shared,
    Segment(code): Segment,
    Params(page): Params<Page>,
) -> Result<Json<Map<String, Json_>>, ApiError> {
    let result = ResultName::new(&code);
    if result.class().is_none() {
        return Err(ApiError::bad_request(format!(
            "engine_result: {code:?} is no engine result such as tecPATH_DRY"
        )));
    }
    let filter = RowFilter { engine_result: Some(result), ..RowFilter::default() };
    let mut map = rows(&app, "transactions", &filter, &page).await?;
    map.insert("count".into(), json!(app.tracker.count(&filter).await?));
    map.insert("error_code".into(), json!(code));
    Ok(Json(map))
}

async fn of_type(
    State(app): Shared,
    Segment(name): Segment,
    Params(page): Params<Page>,
) -> Result<Json<Map<String, Json_>>, ApiError> {
    let filter = RowFilter { transaction_type: Some(name.clone()), ..RowFilter::default() };
    let mut map = rows(&app, "transactions", &filter, &page).await?;
    map.insert("count".into(), json!(app.tracker.count(&filter).await?));
    map.insert("transaction_type".into(), json!(name));
    Ok(Json(map))
}

/// Final results other than success, the most frequent first.
fn failures(stats: &Stats) -> Vec<(&str, u64)> {
    let mut codes: Vec<_> = stats
        .engine_results
        .iter()
        .filter(|(result, n)| !result.is_success() && **n > 0)
        .map(|(result, n)| (result.as_str(), *n))
        .collect();
    codes.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    codes
}

/// A result with what it means, for people.
fn in_words(code: &str, count: u64) -> Json_ {
    let result = ResultName::new(code);
    let meaning = match result.class() {
        Some(ResultClass::Tes) => "applied",
        Some(ResultClass::Tec) => "in a ledger: the fee was claimed, nothing else happened",
        Some(ResultClass::Ter) => "not now: it may apply later",
        Some(ResultClass::Tef) => "cannot apply to this ledger",
        Some(ResultClass::Tel) => "this server did not take it",
        Some(ResultClass::Tem) => "malformed: it can never apply",
        None => "not an engine result",
    };
    json!({"code": code, "count": count, "message": result.message(), "meaning": meaning})
}

async fn failure_codes(State(app): Shared) -> Json<Json_> {
    let stats = app.tracker.stats();
    let codes = failures(&stats);
    let total: u64 = codes.iter().map(|(_, n)| n).sum();
    let detail: Vec<_> = codes.iter().map(|(code, n)| in_words(code, *n)).collect();
    Json(json!({"failure_codes": codes, "total": total, "detail": detail}))
}

async fn dossier(State(app): Shared, Segment(text): Segment) -> Result<Json<Json_>, ApiError> {
    let hash = hash(&text)?;
    let found = app.tracker.dossier(hash).await?;
    found
        .map(|dossier| Json(json!(dossier)))
        .ok_or_else(|| ApiError::not_found(format!("transaction {hash} is not tracked")))
}

async fn validations(
    State(app): Shared,
    Params(page): Params<Page>,
) -> Result<Json<Json_>, ApiError> {
    Ok(Json(json!(app.tracker.validations(page.limit()?))))
}

async fn ws_stats(State(app): Shared) -> Json<Json_> {
    Json(json!(app.tracker.ws_stats()))
}

async fn finality(State(app): Shared) -> Json<Json_> {
    Json(json!(app.tracker.check_finality_now().await))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_sorted_and_without_success() {
        let stats = Stats {
            engine_results: [("tesSUCCESS", 9), ("tecPATH_DRY", 2), ("temBAD_FEE", 5), ("tefX", 2)]
                .into_iter()
                .map(|(name, n)| (ResultName::new(name), n))
                .collect(),
            ..Stats::default()
        };
        assert_eq!(failures(&stats), [("temBAD_FEE", 5), ("tecPATH_DRY", 2), ("tefX", 2)]);
    }
}
