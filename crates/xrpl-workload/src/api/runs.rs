//! `/runs`: records of this store's runs, the present one among them, as reports and compared.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::{
    ApiError, Routes, Shared,
    error::ErrorBody,
    extract::{Params, Segment},
};
use crate::{
    archive::{Archive, ArchiveError},
    compare::{Comparison, Terms, compare},
    record::{Condition, Record, RunHead, RunName},
    report,
    session::App,
};

/// The report's own scripts and styles stand in it; it asks nobody for anything.
const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src \
                             'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; \
                             frame-ancestors 'none'";

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(runs))
        .routes(routes!(run))
        .routes(routes!(report_of))
        .routes(routes!(comparison))
}

/// Runs of the store.
#[derive(Debug, Serialize, ToSchema)]
struct Runs {
    /// The present one; none before it has its place in the store.
    present: Option<String>,
    /// Oldest first.
    runs: Vec<RunHead>,
}

impl From<ArchiveError> for ApiError {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::NoRun { .. } | ArchiveError::Nothing(_) => {
                Self::not_found(error.to_string())
            }
            ArchiveError::Store(error) => error.into(),
            other => Self::unavailable(other.to_string()),
        }
    }
}

/// The present run's record is made anew, others are read.
async fn find(app: &App, asked: &str) -> Result<Record, ApiError> {
    let present = app.recorder.id().map(|id| RunName(id).to_string());
    if present.as_deref() == Some(asked) {
        return Ok(app.recorder.record(app, Condition::Running, &[]).await);
    }
    let found = Archive::of(app.store.clone()).find(asked).await?;
    match present {
        Some(present) if present == found.head.run => {
            Ok(app.recorder.record(app, Condition::Running, &[]).await)
        }
        _ => Ok(found),
    }
}

/// All runs of the store, oldest first
#[utoipa::path(get, path = "/runs", tag = "runs", responses((status = 200, body = Runs)))]
async fn runs(State(app): Shared) -> Result<Json<Runs>, ApiError> {
    let present = app.recorder.id().map(|id| RunName(id).to_string());
    let mut runs = Archive::of(app.store.clone()).heads().await?;
    if let Some(head) = runs.iter_mut().find(|head| Some(&head.run) == present.as_ref()) {
        *head = app.recorder.record(&app, Condition::Running, &[]).await.head;
    }
    Ok(Json(Runs { present, runs }))
}

/// The record of a run: its figures, samples, histograms, settings
#[utoipa::path(get, path = "/runs/{id}", tag = "runs",
    params(("id" = String, Path, description = "Its id, its name, `latest` or `previous`.")),
    responses((status = 200, body = Record), (status = 404, body = ErrorBody, description = "There is no such run.")))]
async fn run(State(app): Shared, Segment(id): Segment) -> Result<Json<Record>, ApiError> {
    Ok(Json(find(&app, &id).await?))
}

/// A run's report: one HTML file that needs nothing else
#[utoipa::path(get, path = "/runs/{id}/report", tag = "runs",
    params(("id" = String, Path, description = "Its id, its name, `latest` or `previous`.")),
    responses((status = 200, content_type = "text/html", body = String), (status = 404, body = ErrorBody, description = "There is no such run.")))]
async fn report_of(State(app): Shared, Segment(id): Segment) -> Result<Response, ApiError> {
    let html = report::html(&find(&app, &id).await?);
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, REPORT_POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, html).into_response())
}

/// Which two.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Pair {
    /// The run that is measured against: its id, its name, `latest` or `previous`.
    first: String,
    /// The run that is judged.
    second: String,
    /// Only the stages of this name.
    stage: Option<String>,
    /// `true`: runs that were killed, stopped before their end, or go on are taken too.
    #[serde(default)]
    partial: bool,
}

/// Two runs, figure by figure: better, worse or the same
#[utoipa::path(get, path = "/compare", tag = "runs", params(Pair),
    responses((status = 200, body = Comparison), (status = 404, body = ErrorBody, description = "There is no such run."),
        (status = 409, body = ErrorBody, description = "They cannot be compared, and why.")))]
async fn comparison(
    State(app): Shared,
    Params(pair): Params<Pair>,
) -> Result<Json<Comparison>, ApiError> {
    let (first, second) = (find(&app, &pair.first).await?, find(&app, &pair.second).await?);
    let stage = pair.stage.as_deref();
    let terms = Terms { stage, partial: pair.partial, ..Terms::default() };
    compare(&first, &second, &terms)
        .map(Json)
        .map_err(|refused| ApiError::conflict(refused.to_string()))
}
