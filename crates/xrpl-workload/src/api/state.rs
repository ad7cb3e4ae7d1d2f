//! `/state`: what became of every transaction.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use xrpl_generator::Progress;
use xrpl_protocol::LedgerIndex;
use xrpl_tracker::{
    CheckReport, Dossier, ResultName, Row, RowFilter, RowPage, RunId, Source, State as TxState,
    Validation, WsStats,
    stats::{Quantiles, Stats},
};

use super::{
    ApiError, Routes, Shared,
    extract::{Params, Segment, account, hash},
};
use crate::{
    counts::LoadCounts,
    session::{App, Phase},
    words,
};

/// Rows of a page unless asked otherwise.
const DEFAULT_LIMIT: usize = 100;
/// The longest page.
const MAX_LIMIT: usize = 10_000;

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(summary))
        .routes(routes!(pending))
        .routes(routes!(failed))
        .routes(routes!(failed_with))
        .routes(routes!(expired))
        .routes(routes!(transactions))
        .routes(routes!(of_type))
        .routes(routes!(failure_codes))
        .routes(routes!(dossier))
        .routes(routes!(validations))
        .routes(routes!(ws_stats))
        .routes(routes!(finality))
}

/// The counters of the run.
#[derive(Debug, Serialize, ToSchema)]
struct Summary {
    /// Transactions of the run.
    total_tracked: u64,
    by_state: BTreeMap<TxState, u64>,
    /// Only those meant to succeed.
    valid_by_state: BTreeMap<TxState, u64>,
    #[schema(value_type = BTreeMap<String, u64>)]
    by_type: BTreeMap<Arc<str>, u64>,
    #[schema(value_type = BTreeMap<String, u64>)]
    by_type_validated: BTreeMap<Arc<str>, u64>,
    /// By the source that came first.
    validated_by_source: BTreeMap<Source, u64>,
    /// Validation records in memory.
    recent_validations: usize,
    gateways: usize,
    users: usize,
    uptime_seconds: u64,
    /// Seconds since 1970.
    started_at: u64,
    /// The newest validated ledger.
    ledger_index: LedgerIndex,
    first_ledger_index: LedgerIndex,
    ledgers_elapsed: u32,
    /// Rejections a validated ledger overturned; 0 in a healthy run.
    overturned: u64,
    /// Transactions whose final state was taken back because its ledger turned out not to be the network's.
    revoked: u64,
    /// Proofs of absence a ledger contradicted; must be 0.
    contradicted: u64,
    /// Past LastLedgerSequence without proof of absence.
    undecided: u64,
    /// Without a final state.
    pending: u64,
    /// What the load came to, without the preparation of the accounts and earlier starts of the program.
    load: LoadCounts,
    /// Meant to succeed, but ended in another state than VALIDATED.
    valid_failed: u64,
    /// Meant to succeed, and REJECTED because another transaction that was submitted here used the
    /// Sequence or Ticket: a replacement, say. They are not counted as failed.
    superseded: u64,
    /// Deliberately invalid ones.
    expected_invalid: u64,
    invalid_as_predicted: u64,
    invalid_otherwise: u64,
    /// Drawn at random; by type and result at `/state/fuzz`.
    fuzzed: u64,
    /// What nodes did meanwhile that no transaction may make them do: see `/state/findings`.
    findings: u64,
    /// Ledgers for which nodes gave different hashes; must be 0.
    ledger_mismatches: u64,
    /// Over the last ten seconds.
    validated_per_second: f64,
    /// Submission to validation, milliseconds.
    finality_ms: Quantiles,
    /// Names of the nodes.
    endpoint: String,
    run: RunId,
    /// `preparing`, `ready` or `stopping`.
    phase: &'static str,
    /// How far the preparation is, while it goes on.
    preparing: Option<Progress>,
}

/// The counters of the run
#[utoipa::path(get, path = "/state/summary", tag = "state", responses((status = 200, body = Summary)))]
async fn summary(State(app): Shared) -> Json<Summary> {
    let stats = app.tracker.stats();
    let listing = app.generator().map(|generator| generator.accounts());
    let phase = app.phase();
    Json(Summary {
        load: app.recorder.load(&stats),
        total_tracked: stats.total_tracked,
        by_state: stats.by_state,
        valid_by_state: stats.valid_by_state,
        by_type: stats.by_type,
        by_type_validated: stats.by_type_validated,
        validated_by_source: stats.validated_by_source,
        recent_validations: app.tracker.ws_stats().recent_validations_count,
        gateways: listing.as_ref().map_or(0, |l| l.gateways.len()),
        users: listing.as_ref().map_or(0, |l| l.users.len()),
        uptime_seconds: app.started.elapsed().as_secs(),
        started_at: app.started_at_ms / 1000,
        ledger_index: stats.ledger_index,
        first_ledger_index: stats.first_ledger_index,
        ledgers_elapsed: stats.ledger_index.0.saturating_sub(stats.first_ledger_index.0),
        overturned: stats.overturned,
        revoked: stats.revoked,
        contradicted: stats.contradicted,
        undecided: stats.undecided,
        pending: stats.pending,
        valid_failed: stats.valid_failed,
        superseded: stats.superseded,
        expected_invalid: stats.expected_invalid,
        invalid_as_predicted: stats.invalid_as_predicted,
        invalid_otherwise: stats.invalid_otherwise,
        fuzzed: stats.fuzzed,
        findings: app.generator().map_or(0, |generator| generator.last_status().findings),
        ledger_mismatches: stats.ledger_mismatches,
        validated_per_second: app.meter.current(),
        finality_ms: stats.finality_ms,
        endpoint: app.endpoint.clone(),
        run: stats.run,
        phase: phase.name(),
        preparing: match phase {
            Phase::Preparing(progress) => Some(progress),
            Phase::Ready | Phase::Stopping => None,
        },
    })
}

/// A page of rows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Page {
    /// Rows at most; 100 if not given.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    #[param(maximum = 9223372036854775807_u64)]
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

    async fn rows(&self, app: &App, filter: &RowFilter) -> Result<RowPage, ApiError> {
        self.rows_of(app, app.tracker.run(), filter).await
    }

    /// Of any run; none of one that there is not.
    async fn rows_of(
        &self,
        app: &App,
        run: RunId,
        filter: &RowFilter,
    ) -> Result<RowPage, ApiError> {
        let limit = self.limit()?;
        if self.cursor.is_some_and(|cursor| i64::try_from(cursor).is_err()) {
            return Err(ApiError::bad_request("cursor: give next_cursor as it came"));
        }
        match app.tracker.rows_of(run, filter, self.cursor, limit).await {
            Err(xrpl_tracker::Error::NoRun(_)) => Ok(RowPage::default()),
            page => Ok(page?),
        }
    }
}

fn in_states(states: &[TxState]) -> RowFilter {
    RowFilter { states: states.to_vec(), ..RowFilter::default() }
}

/// Transactions without a final state.
#[derive(Debug, Serialize, ToSchema)]
struct Pending {
    pending: Vec<Row>,
    /// Where the next page starts; none after the last row.
    next_cursor: Option<u64>,
}

/// Transactions without a final state
#[utoipa::path(get, path = "/state/pending", tag = "state", params(Page), responses((status = 200, body = Pending)))]
async fn pending(
    State(app): Shared,
    Params(page): Params<Page>,
) -> Result<Json<Pending>, ApiError> {
    let open: Vec<_> = TxState::ALL.into_iter().filter(|state| !state.is_terminal()).collect();
    let RowPage { rows, next_cursor } = page.rows(&app, &in_states(&open)).await?;
    Ok(Json(Pending { pending: rows, next_cursor }))
}

/// Transactions that were rejected or never sent.
#[derive(Debug, Serialize, ToSchema)]
struct Failed {
    failed: Vec<Row>,
    /// Where the next page starts; none after the last row.
    next_cursor: Option<u64>,
}

/// Transactions that were rejected or never sent
#[utoipa::path(get, path = "/state/failed", tag = "state", params(Page), responses((status = 200, body = Failed)))]
async fn failed(State(app): Shared, Params(page): Params<Page>) -> Result<Json<Failed>, ApiError> {
    let states = [TxState::Rejected, TxState::FailedNet];
    let RowPage { rows, next_cursor } = page.rows(&app, &in_states(&states)).await?;
    Ok(Json(Failed { failed: rows, next_cursor }))
}

/// Transactions proven to be in no ledger.
#[derive(Debug, Serialize, ToSchema)]
struct Expired {
    expired: Vec<Row>,
    /// Where the next page starts; none after the last row.
    next_cursor: Option<u64>,
}

/// Transactions proven to be in no ledger
#[utoipa::path(get, path = "/state/expired", tag = "state", params(Page), responses((status = 200, body = Expired)))]
async fn expired(
    State(app): Shared,
    Params(page): Params<Page>,
) -> Result<Json<Expired>, ApiError> {
    let RowPage { rows, next_cursor } = page.rows(&app, &in_states(&[TxState::Expired])).await?;
    Ok(Json(Expired { expired: rows, next_cursor }))
}

/// What `/state/transactions` can be asked.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// States between commas, such as `VALIDATED,EXPIRED`.
    state: Option<String>,
    /// A transaction type, such as `Payment`.
    #[serde(rename = "type")]
    transaction_type: Option<String>,
    /// An address.
    account: Option<String>,
    /// An earlier run of the store; the present one if not given.
    #[param(maximum = 9223372036854775807_u64)]
    run: Option<u64>,
    /// The first preliminary result; `none` for those without.
    preliminary: Option<String>,
    /// The final result; `none` for those without.
    #[serde(rename = "final")]
    last: Option<String>,
    /// The ledger in which they were validated.
    ledger: Option<u32>,
    /// `oldest` (the default) or `newest` first.
    order: Option<String>,
    /// Rows at most; 100 if not given.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    #[param(maximum = 9223372036854775807_u64)]
    cursor: Option<u64>,
}

/// Tracked transactions.
#[derive(Debug, Serialize, ToSchema)]
struct Transactions {
    transactions: Vec<Row>,
    /// Where the next page starts; none after the last row.
    next_cursor: Option<u64>,
}

/// Every tracked transaction, oldest first
///
/// Stable under load: a script that follows `next_cursor` reads all of a run.
#[utoipa::path(get, path = "/state/transactions", tag = "state", params(Wanted), responses((status = 200, body = Transactions)))]
async fn transactions(
    State(app): Shared,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Transactions>, ApiError> {
    let states = match wanted.state.as_deref() {
        None => Vec::new(),
        Some(names) => names.split(',').map(state).collect::<Result<_, _>>()?,
    };
    if wanted.run.is_some_and(|run| i64::try_from(run).is_err()) {
        return Err(ApiError::bad_request("run: there is none of this number"));
    }
    let filter = RowFilter {
        states,
        transaction_type: wanted.transaction_type,
        account: wanted.account.map(|text| account("account", &text)).transpose()?,
        preliminary: wanted.preliminary.map(|name| result("preliminary", &name)).transpose()?,
        last: wanted.last.map(|name| result("final", &name)).transpose()?,
        ledger: wanted.ledger.map(LedgerIndex),
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
    let run = wanted.run.map_or_else(|| app.tracker.run(), RunId);
    let RowPage { rows, next_cursor } = page.rows_of(&app, run, &filter).await?;
    Ok(Json(Transactions { transactions: rows, next_cursor }))
}

fn state(name: &str) -> Result<TxState, ApiError> {
    TxState::from_name(name).ok_or_else(|| {
        let known: Vec<_> = TxState::ALL.iter().map(|state| state.name()).collect();
        ApiError::bad_request(format!("state: {name:?} is none of {}", known.join(", ")))
    })
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

/// Transactions with one result.
#[derive(Debug, Serialize, ToSchema)]
struct WithResult {
    error_code: String,
    /// How many there are in all.
    count: u64,
    transactions: Vec<Row>,
    /// Where the next page starts; none after the last row.
    next_cursor: Option<u64>,
}

/// Transactions with an engine result, first or final
#[utoipa::path(get, path = "/state/failed/{engine_result}", tag = "state",
    params(("engine_result" = String, Path, description = "Such as tecPATH_DRY.", pattern = "^(tes|tec|ter|tef|tel|tem)[A-Z0-9_]+$"), Page),
    responses((status = 200, body = WithResult)))]
async fn failed_with(
    State(app): Shared,
    Segment(code): Segment,
    Params(page): Params<Page>,
) -> Result<Json<WithResult>, ApiError> {
    let result = ResultName::new(&code);
    if result.class().is_none() {
        return Err(ApiError::bad_request(format!(
            "engine_result: {code:?} is no engine result such as tecPATH_DRY"
        )));
    }
    let filter = RowFilter { engine_result: Some(result), ..RowFilter::default() };
    let RowPage { rows, next_cursor } = page.rows(&app, &filter).await?;
    let count = app.tracker.count(&filter).await?;
    Ok(Json(WithResult { error_code: code, count, transactions: rows, next_cursor }))
}

/// Transactions of one type.
#[derive(Debug, Serialize, ToSchema)]
struct OfType {
    transaction_type: String,
    /// How many there are in all.
    count: u64,
    transactions: Vec<Row>,
    /// Where the next page starts; none after the last row.
    next_cursor: Option<u64>,
}

/// Transactions of a type
#[utoipa::path(get, path = "/state/type/{type}", tag = "state",
    params(("type" = String, Path, description = "Such as Payment."), Page),
    responses((status = 200, body = OfType)))]
async fn of_type(
    State(app): Shared,
    Segment(name): Segment,
    Params(page): Params<Page>,
) -> Result<Json<OfType>, ApiError> {
    let filter = RowFilter { transaction_type: Some(name.clone()), ..RowFilter::default() };
    let RowPage { rows, next_cursor } = page.rows(&app, &filter).await?;
    let count = app.tracker.count(&filter).await?;
    Ok(Json(OfType { transaction_type: name, count, transactions: rows, next_cursor }))
}

/// Final results other than success, the most frequent first.
fn failures(stats: &Stats) -> Vec<(String, u64)> {
    let mut codes: Vec<_> = stats
        .engine_results
        .iter()
        .filter(|(result, n)| !result.is_success() && **n > 0)
        .map(|(result, n)| (result.to_string(), *n))
        .collect();
    codes.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    codes
}

/// A result with what it means, for people.
#[derive(Debug, Serialize, ToSchema)]
struct InWords {
    code: String,
    count: u64,
    /// What xrpld says about it; empty where it says nothing.
    message: &'static str,
    /// What its class means.
    meaning: &'static str,
}

fn in_words((code, count): &(String, u64)) -> InWords {
    let (message, meaning) = words::result(code);
    InWords { code: code.clone(), count: *count, message, meaning }
}

/// Final results other than success.
#[derive(Debug, Serialize, ToSchema)]
struct FailureCodes {
    /// Pairs of result and count, the most frequent first.
    failure_codes: Vec<(String, u64)>,
    total: u64,
    detail: Vec<InWords>,
}

/// Final results other than success, with what they mean
#[utoipa::path(get, path = "/state/failure-codes", tag = "state", responses((status = 200, body = FailureCodes)))]
async fn failure_codes(State(app): Shared) -> Json<FailureCodes> {
    let codes = failures(&app.tracker.stats());
    Json(FailureCodes {
        total: codes.iter().map(|(_, n)| n).sum(),
        detail: codes.iter().map(in_words).collect(),
        failure_codes: codes,
    })
}

/// Everything known about one transaction
#[utoipa::path(get, path = "/state/tx/{hash}", tag = "state",
    params(("hash" = String, Path, pattern = "^[0-9A-Fa-f]{64}$")),
    responses((status = 200, body = Dossier), (status = 404, body = super::error::ErrorBody, description = "It is not tracked.")))]
async fn dossier(State(app): Shared, Segment(text): Segment) -> Result<Json<Dossier>, ApiError> {
    let hash = hash(&text)?;
    let found = app.tracker.dossier(hash).await?;
    found.map(Json).ok_or_else(|| ApiError::not_found(format!("transaction {hash} is not tracked")))
}

/// How many of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Limit {
    /// At most this many; 100 if not given.
    #[param(minimum = 1, maximum = 10000)]
    limit: Option<usize>,
}

/// The newest validation records, newest first
#[utoipa::path(get, path = "/state/validations", tag = "state", params(Limit), responses((status = 200, body = Vec<Validation>)))]
async fn validations(
    State(app): Shared,
    Params(Limit { limit }): Params<Limit>,
) -> Result<Json<Vec<Validation>>, ApiError> {
    let limit = Page { limit, cursor: None }.limit()?;
    Ok(Json(app.tracker.validations(limit)))
}

/// The streams and the event queue
#[utoipa::path(get, path = "/state/ws/stats", tag = "state", responses((status = 200, body = WsStats)))]
async fn ws_stats(State(app): Shared) -> Json<WsStats> {
    Json(app.tracker.ws_stats())
}

/// Looks up every overdue transaction now
#[utoipa::path(get, path = "/state/finality", tag = "state", responses((status = 200, body = CheckReport)))]
async fn finality(State(app): Shared) -> Json<CheckReport> {
    Json(app.tracker.check_finality_now().await)
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
        let found = failures(&stats);
        let found: Vec<_> = found.iter().map(|(code, n)| (code.as_str(), *n)).collect();
        assert_eq!(found, [("temBAD_FEE", 5), ("tecPATH_DRY", 2), ("tefX", 2)]);
    }
}
