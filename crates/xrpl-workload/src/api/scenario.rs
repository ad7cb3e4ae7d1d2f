//! `/workload/scenario`: what the run does, where it stands, and its stages by hand.

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;
use xrpl_generator::{Measure, Spread, StagePart, StageProgress};

use super::{
    ApiError, Routes, Shared,
    extract::{controls, generator},
};
use crate::{
    limits::LimitVerdict, reads::ReadsMeasured, record::Control, scenario::Outline, session::App,
};

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(scenario)).routes(routes!(skip)).routes(routes!(stop))
}

/// What the run does, and where it stands.
#[derive(Debug, Serialize, ToSchema)]
struct ScenarioView {
    /// What it does.
    outline: Outline,
    /// Where it stands; none while accounts are prepared.
    progress: Option<StageProgress>,
    /// What was measured of each stage that has begun.
    measured: Vec<StageMeasured>,
    /// What was read beside.
    reads: ReadsMeasured,
    /// What the limits come to so far.
    limits: Vec<LimitVerdict>,
}

/// What was measured of a stage.
#[derive(Debug, Serialize, ToSchema)]
struct StageMeasured {
    /// Its name.
    stage: String,
    /// What its figures are good for.
    part: StagePart,
    /// How long it lasts or has lasted.
    seconds: f64,
    /// Whether it is over.
    ended: bool,
    /// Those meant to succeed that were sent in it.
    submitted: u64,
    /// Those of them in a validated ledger.
    validated: u64,
    /// Those of them that ended otherwise.
    failed: u64,
    /// Slots used late.
    late: u64,
    /// Slots that nobody used.
    missed: u64,
    /// From sending to validation, milliseconds.
    finality_ms: StageQuantiles,
    /// From the moment at which it was due to validation, milliseconds: what a user would have waited.
    scheduled_ms: StageQuantiles,
}

/// How a stage's values are spread; none before the first one.
#[derive(Debug, Serialize, ToSchema)]
struct StageQuantiles {
    p50: Option<u64>,
    p90: Option<u64>,
    p99: Option<u64>,
    max: Option<u64>,
}

impl StageQuantiles {
    fn of(spread: &Spread) -> Self {
        Self {
            p50: spread.quantile(0.5),
            p90: spread.quantile(0.9),
            p99: spread.quantile(0.99),
            max: spread.max(),
        }
    }
}

impl StageMeasured {
    fn of(measure: &Measure) -> Self {
        Self {
            stage: measure.stage.clone(),
            part: measure.part,
            seconds: measure.time.as_secs_f64(),
            ended: measure.ended,
            submitted: measure.submitted,
            validated: measure.validated,
            failed: measure.failed.values().sum(),
            late: measure.pacing.late.total(),
            missed: measure.pacing.missed.total(),
            finality_ms: StageQuantiles::of(&measure.sent_ms),
            scheduled_ms: StageQuantiles::of(&measure.scheduled_ms),
        }
    }
}

async fn view(app: &App) -> ScenarioView {
    let outline = app.config.scenario.outline();
    let (reads, limits) = (app.reads.measured(), app.limits(false).await);
    let Some(generator) = app.generator() else {
        return ScenarioView { outline, progress: None, measured: Vec::new(), reads, limits };
    };
    let progress = match generator.status().await {
        Ok(status) => status.stage,
        Err(_) => generator.last_status().stage.clone(),
    };
    let measured = generator.measures().await;
    ScenarioView {
        outline,
        progress: Some(progress),
        measured: measured.iter().map(|measure| StageMeasured::of(measure)).collect(),
        reads,
        limits,
    }
}

/// What the run does stage by stage, where it stands, and what was measured
#[utoipa::path(get, path = "/workload/scenario", tag = "workload", responses((status = 200, body = ScenarioView)))]
async fn scenario(State(app): Shared) -> Json<ScenarioView> {
    Json(view(&app).await)
}

/// Ends the stage early; after the last one the load is over
#[utoipa::path(post, path = "/workload/scenario/skip", tag = "workload", responses((status = 200, body = ScenarioView)))]
async fn skip(State(app): Shared) -> Result<Json<ScenarioView>, ApiError> {
    let generator = controls(&app)?;
    let stage = generator.last_status().stage.name.clone();
    generator.skip_stage().await?;
    app.recorder.intervened(stage, Control::SkipStage, None, None);
    Ok(Json(view(&app).await))
}

/// Ends the load early: transactions in flight reach their final state, then the run ends
#[utoipa::path(post, path = "/workload/scenario/stop", tag = "workload", responses((status = 200, body = ScenarioView)))]
async fn stop(State(app): Shared) -> Result<Json<ScenarioView>, ApiError> {
    let generator = generator(&app)?;
    let stage = generator.last_status().stage.name.clone();
    let ended = generator.finish().await?;
    if ended.cut_short || app.steering.is_searching() {
        app.recorder.intervened(stage, Control::EndLoad, None, None);
    }
    Ok(Json(view(&app).await))
}
