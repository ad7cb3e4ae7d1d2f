//! `/workload`: start, stop and the live controls.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json_, json};
use xrpl_generator::Status;

use super::{
    ApiError, Shared,
    extract::{Body, generator},
};
use crate::session::{App, unix_ms};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/workload/start", post(start))
        .route("/workload/stop", post(stop))
        .route("/workload/status", get(status))
        .route("/workload/rate-controls", get(rate_controls))
        .route("/workload/target-tps", get(target_tps).post(set_target_tps))
        .route("/workload/max-pending", get(max_pending).post(set_max_pending))
        .route("/workload/intent", get(intent).post(set_intent))
        .route("/workload/disabled-types", get(disabled_types))
        .route("/workload/toggle-type", post(toggle_type))
        .route("/workload/weight", post(set_weight))
}

fn view(status: &Status) -> Json_ {
    let uptime = match (status.running, status.started_at_ms) {
        (true, Some(at)) => unix_ms().saturating_sub(at) / 1000,
        _ => 0,
    };
    json!({
        "running": status.running,
        "stats": {
            "submitted": status.stats.submitted,
            "validated": status.stats.validated,
            "failed": status.stats.failed_total(),
            "started_at": status.started_at_ms.map(|ms| ms / 1000),
        },
        "uptime_seconds": uptime,
        "detail": status,
    })
}

async fn start(State(app): Shared) -> Result<Json<Json_>, ApiError> {
    let generator = generator(&app)?;
    generator.start().await?;
    Ok(Json(view(&generator.status().await?)))
}

async fn stop(State(app): Shared) -> Result<Json<Json_>, ApiError> {
    let generator = generator(&app)?;
    generator.stop().await?;
    Ok(Json(view(&generator.status().await?)))
}

/// As of now; while the run ends, as of its last moment.
async fn current(app: &App) -> Result<Status, ApiError> {
    let generator = generator(app)?;
    Ok(match generator.status().await {
        Ok(status) => status,
        Err(_) => (*generator.last_status()).clone(),
    })
}

async fn status(State(app): Shared) -> Json<Json_> {
    // Before accounts are ready there is a true answer too: nothing runs yet.
    Json(view(&current(&app).await.unwrap_or_default()))
}

async fn rate_controls(State(app): Shared) -> Result<Json<Json_>, ApiError> {
    let status = current(&app).await?;
    Ok(Json(json!({
        "target_tps": status.tps,
        "max_pending": status.max_pending,
        "intent": {"invalid": status.intent_invalid},
        "disabled_types": status.disabled_types,
        "types": status.types,
        "weights": status.weights,
        "running": status.running,
    })))
}

/// The answer to a change.
fn changed(old: impl Serialize, new: impl Serialize) -> Json<Json_> {
    Json(json!({"old_value": old, "new_value": new, "status": "ok"}))
}

async fn target_tps(State(app): Shared) -> Result<Json<Json_>, ApiError> {
    Ok(Json(json!({"target_tps": current(&app).await?.tps})))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tps {
    #[serde(alias = "target_tps", alias = "value")]
    tps: f64,
}

async fn set_target_tps(
    State(app): Shared,
    Body(Tps { tps }): Body<Tps>,
) -> Result<Json<Json_>, ApiError> {
    Ok(changed(generator(&app)?.set_tps(tps).await?, tps))
}

async fn max_pending(State(app): Shared) -> Result<Json<Json_>, ApiError> {
    Ok(Json(json!({"max_pending": current(&app).await?.max_pending})))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MaxPending {
    #[serde(alias = "value")]
    max_pending: usize,
}

async fn set_max_pending(
    State(app): Shared,
    Body(MaxPending { max_pending }): Body<MaxPending>,
) -> Result<Json<Json_>, ApiError> {
    Ok(changed(generator(&app)?.set_max_pending(max_pending).await?, max_pending))
}

async fn intent(State(app): Shared) -> Result<Json<Json_>, ApiError> {
    let invalid = current(&app).await?.intent_invalid;
    Ok(Json(json!({"invalid": invalid, "valid": 100.0 - invalid})))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Intent {
    invalid: f64,
}

async fn set_intent(
    State(app): Shared,
    Body(Intent { invalid }): Body<Intent>,
) -> Result<Json<Json_>, ApiError> {
    Ok(changed(generator(&app)?.set_intent(invalid).await?, invalid))
}

async fn disabled_types(State(app): Shared) -> Result<Json<Json_>, ApiError> {
    let disabled = current(&app).await?.disabled_types;
    let names: Vec<_> = disabled.iter().map(|entry| entry.name).collect();
    Ok(Json(json!({"disabled_types": names, "detail": disabled})))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Weight {
    #[serde(rename = "type")]
    name: String,
    weight: u32,
}

async fn set_weight(
    State(app): Shared,
    Body(Weight { name, weight }): Body<Weight>,
) -> Result<Json<Json_>, ApiError> {
    Ok(changed(generator(&app)?.set_weight(&name, weight).await?, weight))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Toggle {
    #[serde(rename = "type", alias = "txn_type", alias = "transaction_type")]
    name: String,
    enabled: Option<bool>,
}

async fn toggle_type(
    State(app): Shared,
    Body(Toggle { name, enabled }): Body<Toggle>,
) -> Result<Json<Json_>, ApiError> {
    // Without a wish it is switched over.
    let enabled = match enabled {
        Some(enabled) => enabled,
        None => current(&app).await?.disabled_types.iter().any(|entry| entry.name == name),
    };
    Ok(changed(generator(&app)?.toggle_type(&name, enabled).await?, enabled))
}
