//! `/webhooks` and `/state/store`: what waits to be reported to others, and how large the books are.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{ApiError, Routes, Shared};
use crate::{config::values::retention_text, webhook::WebhookView};

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(webhooks)).routes(routes!(store))
}

/// State of the deliveries to `--webhook`
#[utoipa::path(get, path = "/webhooks", tag = "state", responses((status = 200, body = WebhookView)))]
async fn webhooks(State(app): Shared) -> Result<Json<WebhookView>, ApiError> {
    Ok(Json(WebhookView::of(&app).await?))
}

/// How large the store is.
#[derive(Debug, Serialize, ToSchema)]
struct StoreView {
    /// `file`, `postgres` or `memory`.
    kind: &'static str,
    /// Transactions in it, of all runs.
    rows: u64,
    /// Transactions that were pruned.
    pruned: u64,
    /// Bytes of the file and its log, or of the database; none in memory.
    bytes: Option<u64>,
    /// What `--retention` keeps; `all` without it.
    retention: String,
}

/// How large the store is
#[utoipa::path(get, path = "/state/store", tag = "state", responses((status = 200, body = StoreView)))]
async fn store(State(app): Shared) -> Result<Json<StoreView>, ApiError> {
    let size = app.store.size().await?;
    Ok(Json(StoreView {
        kind: app.config.store.kind(),
        rows: size.rows,
        pruned: size.pruned,
        bytes: size.bytes,
        retention: retention_text(app.config.retention),
    }))
}
