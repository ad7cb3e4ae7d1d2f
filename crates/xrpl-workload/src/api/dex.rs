//! `/dex` and `/state/heartbeat`: pools and offers of the run, and the canary.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{ApiError, Routes, Shared, error::ErrorBody, extract::Segment};
use crate::{
    dex::{Metrics, PollError, Pool},
    heartbeat::HeartbeatView,
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(metrics))
        .routes(routes!(pools))
        .routes(routes!(pool))
        .routes(routes!(poll))
        .routes(routes!(heartbeat))
}

/// Pools and offers of the run, counted
#[utoipa::path(get, path = "/dex/metrics", tag = "dex", responses((status = 200, body = Metrics)))]
async fn metrics(State(app): Shared) -> Result<Json<Metrics>, ApiError> {
    Ok(Json(app.dex.metrics(&app.tracker).await?))
}

/// Pools.
#[derive(Debug, Serialize, ToSchema)]
struct Pools {
    count: usize,
    pools: Vec<Pool>,
}

/// Pools as of the last poll, the oldest first
#[utoipa::path(get, path = "/dex/pools", tag = "dex", responses((status = 200, body = Pools)))]
async fn pools(State(app): Shared) -> Json<Pools> {
    let pools = app.dex.pools();
    Json(Pools { count: pools.len(), pools })
}

/// One pool by its position in `/dex/pools`
#[utoipa::path(get, path = "/dex/pools/{index}", tag = "dex", params(("index" = usize, Path)), responses(
    (status = 200, body = Pool), (status = 404, body = ErrorBody, description = "There are fewer.")))]
async fn pool(State(app): Shared, Segment(text): Segment) -> Result<Json<Pool>, ApiError> {
    let index: usize = text
        .parse()
        .map_err(|_| ApiError::bad_request(format!("index: {text:?} is no position, from 0")))?;
    let pools = app.dex.pools();
    let count = pools.len();
    pools
        .into_iter()
        .nth(index)
        .map(Json)
        .ok_or_else(|| ApiError::not_found(format!("pool {index}: {count} are known")))
}

/// Asks the node what the run's pools hold now
#[utoipa::path(post, path = "/dex/poll", tag = "dex", responses((status = 200, body = Metrics)))]
async fn poll(State(app): Shared) -> Result<Json<Metrics>, ApiError> {
    app.dex.poll(&app).await.map_err(|error| match error {
        PollError::Tracker(error) => ApiError::from(error),
        PollError::Client(error) => ApiError::from(error),
    })?;
    Ok(Json(app.dex.metrics(&app.tracker).await?))
}

/// The canary: one transaction per validated ledger, apart from the load
#[utoipa::path(get, path = "/state/heartbeat", tag = "state", responses((status = 200, body = HeartbeatView)))]
async fn heartbeat(State(app): Shared) -> Json<HeartbeatView> {
    Json(app.heartbeat.view(app.config.heartbeat))
}
