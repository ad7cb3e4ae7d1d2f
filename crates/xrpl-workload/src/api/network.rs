//! Health, version, fees, metrics, the log, and the reset of an embedded ledger.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use xrpl_client::{pool::Health, request::Fee};

use super::{ApiError, Routes, Shared, extract::Params};
use crate::{host::Host, log_ring, metrics};

/// Lines unless asked otherwise.
const LINES: usize = 200;

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(health))
        .routes(routes!(version))
        .routes(routes!(fees))
        .routes(routes!(prometheus))
        .routes(routes!(logs))
        .routes(routes!(reset))
}

/// Health of the program and its nodes.
#[derive(Debug, Serialize, ToSchema)]
struct HealthView {
    /// `ok`, or what is wrong.
    status: &'static str,
    /// `preparing`, `ready` or `stopping`.
    phase: &'static str,
    endpoints: Vec<Health>,
}

/// Health of the program and its nodes
#[utoipa::path(get, path = "/health", tag = "network", responses(
    (status = 200, body = HealthView), (status = 503, body = HealthView, description = "No node is reachable.")))]
async fn health(State(app): Shared) -> (StatusCode, Json<HealthView>) {
    let reachable = app.pool.is_reachable();
    let (code, status) = match reachable {
        true => (StatusCode::OK, "ok"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "no node is reachable"),
    };
    (code, Json(HealthView { status, phase: app.phase().name(), endpoints: app.pool.health() }))
}

/// Which program this is.
#[derive(Debug, Serialize, ToSchema)]
struct Version {
    name: &'static str,
    version: &'static str,
}

/// Which program this is
#[utoipa::path(get, path = "/version", tag = "network", responses((status = 200, body = Version)))]
async fn version() -> Json<Version> {
    Json(Version { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") })
}

/// The node's current fees and queue; fees and reserves in drops.
#[derive(Debug, Serialize, ToSchema)]
struct Fees {
    expected_ledger_size: Option<u64>,
    current_ledger_size: Option<u64>,
    current_queue_size: Option<u64>,
    max_queue_size: Option<u64>,
    base_fee: u64,
    minimum_fee: u64,
    median_fee: u64,
    open_ledger_fee: u64,
    ledger_current_index: Option<u32>,
    /// Of the queue, 0 to 1.
    queue_utilization: Option<f64>,
    /// Of the expected ledger size; above 1 fees escalate.
    ledger_utilization: Option<f64>,
    last_closed_txn_count: Option<u32>,
    reserve_base: u64,
    reserve_inc: u64,
}

/// The node's current fees and queue
#[utoipa::path(get, path = "/state/fees", tag = "state", responses((status = 200, body = Fees)))]
async fn fees(State(app): Shared) -> Result<Json<Fees>, ApiError> {
    let fee = app.pool.request(&Fee::default()).await?;
    let head = app.tracker.ledger().borrow().clone();
    let share = |part: Option<u64>, whole: Option<u64>| match (part, whole) {
        (Some(part), Some(whole)) if whole > 0 => Some(part as f64 / whole as f64),
        _ => None,
    };
    Ok(Json(Fees {
        expected_ledger_size: fee.expected_ledger_size,
        current_ledger_size: fee.current_ledger_size,
        current_queue_size: fee.current_queue_size,
        max_queue_size: fee.max_queue_size,
        base_fee: fee.drops.base_fee.0,
        minimum_fee: fee.drops.minimum_fee.0,
        median_fee: fee.drops.median_fee.0,
        open_ledger_fee: fee.drops.open_ledger_fee.0,
        ledger_current_index: fee.ledger_current_index.map(|index| index.0),
        queue_utilization: share(fee.current_queue_size, fee.max_queue_size),
        ledger_utilization: share(fee.current_ledger_size, fee.expected_ledger_size),
        last_closed_txn_count: head.txn_count,
        reserve_base: head.reserve_base.0,
        reserve_inc: head.reserve_inc.0,
    }))
}

/// Counters for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "network",
    responses((status = 200, body = String, content_type = "text/plain")))]
async fn prometheus(State(app): Shared) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, metrics::render(&app)).into_response()
}

/// Which lines of the log.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// At most this many of the newest; 200 if not given.
    #[param(minimum = 1, maximum = 2000)]
    n: Option<usize>,
    /// `error`, `warn`, `info`, `debug` or `trace`: this and what is worse.
    level: Option<String>,
}

/// Lines of the log.
#[derive(Debug, Serialize, ToSchema)]
struct Logs {
    /// Oldest first.
    lines: Vec<String>,
    /// Lines in memory that match.
    total_matching: usize,
}

/// The newest lines of the log, from memory
#[utoipa::path(get, path = "/logs", tag = "network", params(Wanted), responses((status = 200, body = Logs)))]
async fn logs(Params(wanted): Params<Wanted>) -> Result<Json<Logs>, ApiError> {
    let n = match wanted.n.unwrap_or(LINES) {
        n @ 1..=log_ring::KEPT => n,
        _ => return Err(ApiError::bad_request(format!("n: from 1 to {}", log_ring::KEPT))),
    };
    let level = match wanted.level.as_deref() {
        None => tracing::Level::TRACE,
        Some(text) => log_ring::level(text).ok_or_else(|| {
            ApiError::bad_request(format!(
                "level: {text:?} is none of error, warn, info, debug, trace"
            ))
        })?,
    };
    let (lines, total_matching) = log_ring::newest(n, level);
    Ok(Json(Logs { lines, total_matching }))
}

/// What a reset did.
#[derive(Debug, Serialize, ToSchema)]
struct Reset {
    status: &'static str,
    steps: Vec<String>,
}

/// A fresh embedded ledger and a new run
#[utoipa::path(post, path = "/network/reset", tag = "network", responses(
    (status = 200, body = Reset),
    (status = 409, body = super::error::ErrorBody, description = "The node is not embedded, or the run ends.")))]
async fn reset(State(host): State<Host>) -> Result<Json<Reset>, ApiError> {
    let steps = host.reset().await.map_err(|error| ApiError::conflict(error.to_string()))?;
    Ok(Json(Reset { status: "reset", steps }))
}
