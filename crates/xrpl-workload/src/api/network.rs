//! Health, version, fees, metrics.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value as Json_, json};
use xrpl_client::request::Fee;

use super::{ApiError, Shared};
use crate::{metrics, session::App};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/health", get(health))
        .route("/version", get(version))
        .route("/state/fees", get(fees))
        .route("/metrics", get(prometheus))
}

async fn health(State(app): Shared) -> Response {
    let reachable = app.pool.is_reachable();
    let (code, status) = match reachable {
        true => (StatusCode::OK, "ok"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "no node is reachable"),
    };
    let body = json!({
        "status": status,
        "phase": app.phase().name(),
        "endpoints": app.pool.health(),
    });
    (code, Json(body)).into_response()
}

async fn version() -> Json<Json_> {
    Json(json!({"name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION")}))
}

async fn fees(State(app): Shared) -> Result<Json<Json_>, ApiError> {
    let fee = app.pool.request(&Fee::default()).await?;
    let head = app.tracker.ledger().borrow().clone();
    let share = |part: Option<u64>, whole: Option<u64>| match (part, whole) {
        (Some(part), Some(whole)) if whole > 0 => Some(part as f64 / whole as f64),
        _ => None,
    };
    Ok(Json(json!({
        "expected_ledger_size": fee.expected_ledger_size,
        "current_ledger_size": fee.current_ledger_size,
        "current_queue_size": fee.current_queue_size,
        "max_queue_size": fee.max_queue_size,
        "base_fee": fee.drops.base_fee.0,
        "minimum_fee": fee.drops.minimum_fee.0,
        "median_fee": fee.drops.median_fee.0,
        "open_ledger_fee": fee.drops.open_ledger_fee.0,
        "ledger_current_index": fee.ledger_current_index,
        "queue_utilization": share(fee.current_queue_size, fee.max_queue_size),
        "ledger_utilization": share(fee.current_ledger_size, fee.expected_ledger_size),
        "last_closed_txn_count": head.txn_count,
        "reserve_base": head.reserve_base.0,
        "reserve_inc": head.reserve_inc.0,
    })))
}

async fn prometheus(State(app): Shared) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, metrics::render(&app)).into_response()
}
