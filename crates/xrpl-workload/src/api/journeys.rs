//! `/journeys`: sequences of transactions that people know by name.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use xrpl_generator::{JourneyInfo, JourneyRun, journey};
use xrpl_tracker::record::Record;

use super::{
    ApiError, Routes, Shared,
    extract::{Params, Segment, generator},
    idempotency::{Done, once_as},
};
use crate::session::App;

/// How long a caller may wait for the end: less than an answer may take.
const PATIENCE: Duration = Duration::from_secs(25);

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(list)).routes(routes!(show, start))
}

/// All journeys, and those that were asked for.
#[derive(Debug, Serialize, ToSchema)]
struct Journeys {
    /// What can be asked for.
    journeys: Vec<JourneyInfo>,
    /// What was asked for, the newest first: those that run and the last that ended.
    #[schema(value_type = Vec<JourneyRun>)]
    runs: Arc<[JourneyRun]>,
}

fn runs(app: &App) -> Arc<[JourneyRun]> {
    match app.generator() {
        Some(generator) => generator.journeys().borrow().clone(),
        None => Arc::from([]),
    }
}

/// How many.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Limit {
    /// The newest runs, at most this many; all without it.
    limit: Option<usize>,
}

/// The available journeys, and the state of those requested
#[utoipa::path(get, path = "/journeys", tag = "workload", params(Limit), responses((status = 200, body = Journeys)))]
async fn list(State(app): Shared, Params(Limit { limit }): Params<Limit>) -> Json<Journeys> {
    let mut runs = runs(&app);
    if let Some(limit) = limit.filter(|limit| *limit < runs.len()) {
        runs = runs[..limit].into();
    }
    Json(Journeys { journeys: journey::list(), runs })
}

/// The state of a requested journey
#[utoipa::path(get, path = "/journeys/{journey}", tag = "workload",
    params(("journey" = String, Path, description = "Its id, or a journey's name for the newest run of it.")),
    responses((status = 200, body = JourneyRun), (status = 404, body = super::error::ErrorBody, description = "There is none.")))]
async fn show(State(app): Shared, Segment(which): Segment) -> Result<Json<JourneyRun>, ApiError> {
    let runs = runs(&app);
    let found = match which.parse::<u64>() {
        Ok(id) => runs.iter().find(|run| run.id == id),
        Err(_) => {
            let name = journey::find(&which)?.name;
            runs.iter().find(|run| run.name == name)
        }
    };
    found.cloned().map(Json).ok_or_else(|| {
        ApiError::not_found(format!(
            "no run of a journey {which:?} is known: POST /journeys/NAME begins one"
        ))
    })
}

/// Whether to wait.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Wait {
    /// Answer when the journey is over, or after 25 s.
    #[serde(default)]
    wait: bool,
}

/// Begins a journey with accounts of the run, whether load runs or not
#[utoipa::path(post, path = "/journeys/{journey}", tag = "workload",
    params(("journey" = String, Path, description = "Such as mpt_life."), Wait,
        ("Idempotency-Key" = Option<String>, Header, description = "The same key begins one journey, and is answered with how it stands.", max_length = 255)),
    responses(
        (status = 200, body = JourneyRun, description = "It is over: with `wait`, or with a key that was used before."),
        (status = 202, body = JourneyRun, description = "It has begun."),
        (status = 404, body = super::error::ErrorBody, description = "There is none of that name."),
        (status = 409, body = super::error::ErrorBody, description = "It cannot begin now, or not on this network; or the key was used with another request, or for a journey that is not remembered any more.")))]
async fn start(
    State(app): Shared,
    headers: HeaderMap,
    Segment(name): Segment,
    Params(Wait { wait }): Params<Wait>,
) -> Result<Response, ApiError> {
    let generator = match generator(&app) {
        Ok(generator) => generator,
        // What there is not there will not be later either.
        Err(error) => return Err(journey::find(&name).map_or_else(Into::into, |_| error)),
    };
    let mut updates = generator.journeys();
    let name = journey::find(&name)?.name;
    let begin = async move |app: Arc<App>, key| {
        let begun = self::generator(&app)?.start_journey(name, key).await?;
        Ok(Done::Journey(begun.id))
    };
    // Nothing goes on with a journey of a process that is gone, and old ones are forgotten.
    let before = |first: Record| {
        let hash = first.identity.hash;
        Err(ApiError::conflict(format!(
            "Idempotency-Key: it began a journey that is over and not remembered any more; its first \
             transaction is {hash}"
        )))
    };
    let request = format!("journey {name}");
    let Done::Journey(id) = once_as(&app, &headers, request, begin, before).await? else {
        return Err(ApiError::conflict("Idempotency-Key: it was used with another request"));
    };
    let known = |runs: &[JourneyRun]| runs.iter().find(|run| run.id == id).cloned();
    let mut run = known(&updates.borrow()).ok_or_else(|| {
        ApiError::conflict(format!(
            "Idempotency-Key: it began journey {id}, which is over and not remembered any more"
        ))
    })?;
    if wait {
        let over = updates.wait_for(|runs| runs.iter().any(|run| run.id == id && run.is_over()));
        // Whoever has waited long enough, or outlives the run, gets how it stands.
        let _ = tokio::time::timeout(PATIENCE, over).await;
        run = known(&updates.borrow()).unwrap_or(run);
    }
    let status = if run.is_over() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(run)).into_response())
}
