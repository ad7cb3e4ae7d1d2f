//! `/workload`: start, stop and the live controls.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;
use xrpl_generator::{Status, stats::DisabledType};

use super::{
    ApiError, Routes, Shared,
    extract::{Body, controls, generator},
};
use crate::{
    record::Control,
    session::{App, unix_ms},
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(start))
        .routes(routes!(stop))
        .routes(routes!(status))
        .routes(routes!(rate_controls))
        .routes(routes!(target_tps, set_target_tps))
        .routes(routes!(max_pending, set_max_pending))
        .routes(routes!(intent, set_intent))
        .routes(routes!(fuzz, set_fuzz))
        .routes(routes!(disabled_types))
        .routes(routes!(toggle_type))
        .routes(routes!(set_weight))
}

/// What the load did so far.
#[derive(Debug, Serialize, ToSchema)]
struct LoadStats {
    submitted: u64,
    validated: u64,
    /// Meant to succeed, but ended in another state than VALIDATED.
    failed: u64,
    /// Seconds since 1970.
    started_at: Option<u64>,
}

/// State of the load.
#[derive(Debug, Serialize, ToSchema)]
struct Load {
    running: bool,
    stats: LoadStats,
    uptime_seconds: u64,
    /// Everything the generator reports.
    detail: Status,
}

fn view(status: Status) -> Load {
    let uptime_seconds = match (status.running, status.started_at_ms) {
        (true, Some(at)) => unix_ms().saturating_sub(at) / 1000,
        _ => 0,
    };
    Load {
        running: status.running,
        stats: LoadStats {
            submitted: status.stats.submitted,
            validated: status.stats.validated,
            failed: status.stats.failed_total(),
            started_at: status.started_at_ms.map(|ms| ms / 1000),
        },
        uptime_seconds,
        detail: status,
    }
}

/// Starts the load
#[utoipa::path(post, path = "/workload/start", tag = "workload", responses((status = 200, body = Load)))]
async fn start(State(app): Shared) -> Result<Json<Load>, ApiError> {
    let generator = controls(&app)?;
    generator.start().await?;
    app.intervened(Control::Start, None, None);
    Ok(Json(view(generator.status().await?)))
}

/// Stops the load; transactions in flight are still followed
#[utoipa::path(post, path = "/workload/stop", tag = "workload", responses((status = 200, body = Load)))]
async fn stop(State(app): Shared) -> Result<Json<Load>, ApiError> {
    let generator = controls(&app)?;
    generator.stop().await?;
    app.intervened(Control::Stop, None, None);
    Ok(Json(view(generator.status().await?)))
}

/// As of now; while the run ends, as of its last moment.
async fn current(app: &App) -> Result<Status, ApiError> {
    let generator = generator(app)?;
    Ok(match generator.status().await {
        Ok(status) => status,
        Err(_) => (*generator.last_status()).clone(),
    })
}

/// State of the load
#[utoipa::path(get, path = "/workload/status", tag = "workload", responses((status = 200, body = Load)))]
async fn status(State(app): Shared) -> Json<Load> {
    // Before accounts are ready there is a true answer too: nothing runs yet.
    Json(view(current(&app).await.unwrap_or_default()))
}

/// The share of deliberately invalid transactions, in percent.
#[derive(Debug, Serialize, ToSchema)]
struct Share {
    invalid: f64,
    valid: f64,
}

impl Share {
    fn of(invalid: f64) -> Self {
        Self { invalid, valid: 100.0 - invalid }
    }
}

/// All controls.
#[derive(Debug, Serialize, ToSchema)]
struct RateControls {
    /// Transactions per second; 0 is unlimited.
    target_tps: f64,
    /// Transactions of one account in flight.
    max_pending: usize,
    intent: Share,
    /// Percentage of the load that is generated at random.
    fuzz: f64,
    disabled_types: Vec<DisabledType>,
    types: Vec<&'static str>,
    /// How often each type is drawn, relative to the others.
    weights: BTreeMap<&'static str, u32>,
    running: bool,
}

/// All controls
#[utoipa::path(get, path = "/workload/rate-controls", tag = "workload", responses((status = 200, body = RateControls)))]
async fn rate_controls(State(app): Shared) -> Result<Json<RateControls>, ApiError> {
    let status = current(&app).await?;
    Ok(Json(RateControls {
        target_tps: status.tps,
        max_pending: status.max_pending,
        intent: Share::of(status.intent_invalid),
        fuzz: status.fuzz_percent,
        disabled_types: status.disabled_types,
        types: status.types,
        weights: status.weights,
        running: status.running,
    }))
}

/// The answer to a change.
#[derive(Debug, Serialize, ToSchema)]
struct Changed<T> {
    old_value: T,
    new_value: T,
    status: &'static str,
}

/// Notes the change in the run's record, and tells it.
fn changed<T: ToString>(
    app: &App,
    what: Control,
    of: Option<&str>,
    old_value: T,
    new_value: T,
) -> Json<Changed<T>> {
    app.intervened(what, of, Some((old_value.to_string(), new_value.to_string())));
    Json(Changed { old_value, new_value, status: "ok" })
}

/// Transactions per second.
#[derive(Debug, Serialize, ToSchema)]
struct TargetTps {
    target_tps: f64,
}

/// Transactions per second; 0 is unlimited
#[utoipa::path(get, path = "/workload/target-tps", tag = "workload", responses((status = 200, body = TargetTps)))]
async fn target_tps(State(app): Shared) -> Result<Json<TargetTps>, ApiError> {
    Ok(Json(TargetTps { target_tps: current(&app).await?.tps }))
}

/// Transactions per second; 0 is unlimited.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Tps {
    #[serde(alias = "target_tps", alias = "value")]
    #[schema(minimum = 0.0)]
    tps: f64,
}

/// Sets transactions per second
#[utoipa::path(post, path = "/workload/target-tps", tag = "workload", request_body = Tps, responses((status = 200, body = Changed<f64>)))]
async fn set_target_tps(
    State(app): Shared,
    Body(Tps { tps }): Body<Tps>,
) -> Result<Json<Changed<f64>>, ApiError> {
    let old = controls(&app)?.set_tps(tps).await?;
    Ok(changed(&app, Control::TargetTps, None, old, tps))
}

/// Transactions of one account in flight.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MaxPending {
    #[serde(alias = "value")]
    #[schema(minimum = 1)]
    max_pending: usize,
}

/// Transactions of one account in flight
#[utoipa::path(get, path = "/workload/max-pending", tag = "workload", responses((status = 200, body = MaxPending)))]
async fn max_pending(State(app): Shared) -> Result<Json<MaxPending>, ApiError> {
    Ok(Json(MaxPending { max_pending: current(&app).await?.max_pending }))
}

/// Sets transactions of one account in flight
#[utoipa::path(post, path = "/workload/max-pending", tag = "workload", request_body = MaxPending, responses((status = 200, body = Changed<usize>)))]
async fn set_max_pending(
    State(app): Shared,
    Body(MaxPending { max_pending }): Body<MaxPending>,
) -> Result<Json<Changed<usize>>, ApiError> {
    let old = controls(&app)?.set_max_pending(max_pending).await?;
    Ok(changed(&app, Control::MaxPending, None, old, max_pending))
}

/// The share of deliberately invalid transactions
#[utoipa::path(get, path = "/workload/intent", tag = "workload", responses((status = 200, body = Share)))]
async fn intent(State(app): Shared) -> Result<Json<Share>, ApiError> {
    Ok(Json(Share::of(current(&app).await?.intent_invalid)))
}

/// The share of deliberately invalid transactions, in percent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InvalidShare {
    #[schema(minimum = 0.0, maximum = 100.0)]
    invalid: f64,
}

/// Sets the share of deliberately invalid transactions
#[utoipa::path(post, path = "/workload/intent", tag = "workload", request_body = InvalidShare, responses((status = 200, body = Changed<f64>)))]
async fn set_intent(
    State(app): Shared,
    Body(InvalidShare { invalid }): Body<InvalidShare>,
) -> Result<Json<Changed<f64>>, ApiError> {
    let old = controls(&app)?.set_intent(invalid).await?;
    Ok(changed(&app, Control::Intent, None, old, invalid))
}

/// The share of the load that is generated at random, in percent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FuzzShare {
    #[serde(alias = "value")]
    #[schema(minimum = 0.0, maximum = 100.0)]
    percent: f64,
}

/// The share of the load that is generated at random
#[utoipa::path(get, path = "/workload/fuzz", tag = "workload", responses((status = 200, body = FuzzShare)))]
async fn fuzz(State(app): Shared) -> Result<Json<FuzzShare>, ApiError> {
    Ok(Json(FuzzShare { percent: current(&app).await?.fuzz_percent }))
}

/// Sets the share of the load that is generated at random
///
/// Its accounts are funded while the load goes on, where there were none before.
#[utoipa::path(post, path = "/workload/fuzz", tag = "workload", request_body = FuzzShare, responses((status = 200, body = Changed<f64>)))]
async fn set_fuzz(
    State(app): Shared,
    Body(FuzzShare { percent }): Body<FuzzShare>,
) -> Result<Json<Changed<f64>>, ApiError> {
    let old = controls(&app)?.set_fuzz(percent).await?;
    Ok(changed(&app, Control::Fuzz, None, old, percent))
}

/// Types that are switched off.
#[derive(Debug, Serialize, ToSchema)]
struct DisabledTypes {
    disabled_types: Vec<&'static str>,
    detail: Vec<DisabledType>,
}

/// Types that are switched off, by hand or because the network refuses them
#[utoipa::path(get, path = "/workload/disabled-types", tag = "workload", responses((status = 200, body = DisabledTypes)))]
async fn disabled_types(State(app): Shared) -> Result<Json<DisabledTypes>, ApiError> {
    let detail = current(&app).await?.disabled_types;
    Ok(Json(DisabledTypes { disabled_types: detail.iter().map(|t| t.name).collect(), detail }))
}

/// How often a type is drawn, relative to the others; 0 leaves it out of the load.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Weight {
    #[serde(rename = "type")]
    name: String,
    weight: u32,
}

/// Sets the weight of a type
#[utoipa::path(post, path = "/workload/weight", tag = "workload", request_body = Weight, responses((status = 200, body = Changed<u32>)))]
async fn set_weight(
    State(app): Shared,
    Body(Weight { name, weight }): Body<Weight>,
) -> Result<Json<Changed<u32>>, ApiError> {
    let old = controls(&app)?.set_weight(&name, weight).await?;
    Ok(changed(&app, Control::Weight, Some(&name), old, weight))
}

/// A type to be switched; without `enabled` it is switched over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Toggle {
    #[serde(rename = "type", alias = "txn_type", alias = "transaction_type")]
    name: String,
    enabled: Option<bool>,
}

/// Switches a type on or off
#[utoipa::path(post, path = "/workload/toggle-type", tag = "workload", request_body = Toggle, responses((status = 200, body = Changed<bool>)))]
async fn toggle_type(
    State(app): Shared,
    Body(Toggle { name, enabled }): Body<Toggle>,
) -> Result<Json<Changed<bool>>, ApiError> {
    let enabled = match enabled {
        Some(enabled) => enabled,
        None => current(&app).await?.disabled_types.iter().any(|entry| entry.name == name),
    };
    let old = controls(&app)?.toggle_type(&name, enabled).await?;
    Ok(changed(&app, Control::Type, Some(&name), old, enabled))
}
