//! What was drawn at random, what the node did meanwhile, and what it knows that this program does
//! not.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;
use xrpl_generator::{findings::Finding, fuzz::FuzzStats, stats::DisabledType};
use xrpl_protocol::differences::Differences;

use super::{Routes, Shared};
use crate::{definitions::DefinitionsSource, summary::fuzz_results};

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(fuzz)).routes(routes!(findings)).routes(routes!(definitions))
}

/// What was drawn at random.
#[derive(Debug, Serialize, ToSchema)]
struct Fuzz {
    /// How many percent of the load.
    percent: f64,
    /// Of the run, restarts included.
    tracked: u64,
    /// Their results, by type. What has no result is shown by its state.
    by_type: BTreeMap<String, BTreeMap<String, u64>>,
    /// Of this process.
    process: FuzzStats,
}

/// Random transactions and their results
#[utoipa::path(get, path = "/state/fuzz", tag = "state", responses((status = 200, body = Fuzz)))]
async fn fuzz(State(app): Shared) -> Json<Fuzz> {
    let status = app.generator().map(|generator| generator.last_status());
    Json(Fuzz {
        percent: status.as_ref().map_or(app.config.fuzz, |status| status.fuzz_percent),
        tracked: app.tracker.stats().fuzzed,
        by_type: fuzz_results(&app.tracker.matrix()),
        process: status.map(|status| status.stats.fuzz.clone()).unwrap_or_default(),
    })
}

/// What nodes did, while something was drawn at random, that no transaction may make them do.
#[derive(Debug, Serialize, ToSchema)]
struct Found {
    /// How many there were.
    total: u64,
    /// The first ones, oldest first, each with the transactions that may have done it.
    #[schema(value_type = Vec<Finding>)]
    findings: Vec<Arc<Finding>>,
}

/// Findings: things that no transaction may make a node do
#[utoipa::path(get, path = "/state/findings", tag = "state", responses((status = 200, body = Found)))]
async fn findings(State(app): Shared) -> Json<Found> {
    Json(match app.generator() {
        Some(generator) => {
            let findings = generator.findings().borrow().to_vec();
            Found { total: generator.last_status().findings.max(findings.len() as u64), findings }
        }
        None => Found { total: 0, findings: Vec::new() },
    })
}

/// What the run knows of types and fields.
#[derive(Debug, Serialize, ToSchema)]
struct Told {
    /// Where it is from.
    source: DefinitionsSource,
    /// What the node calls its definitions.
    hash: Option<String>,
    /// What they have that the built-in ones lack, and the other way round.
    differences: Differences,
    /// Types of the catalogue that are off, with what the network lacks or what of its definitions
    /// cannot be met.
    off: Vec<DisabledType>,
    /// Types that are not drawn at random, and why.
    not_fuzzed: BTreeMap<String, String>,
}

/// What the node's definitions have beside the built-in ones
#[utoipa::path(get, path = "/state/definitions", tag = "state", responses((status = 200, body = Told)))]
async fn definitions(State(app): Shared) -> Json<Told> {
    let known = &app.definitions;
    let status = app.generator().map(|generator| generator.last_status());
    Json(Told {
        source: known.source,
        hash: known.definitions.hash().map(str::to_owned),
        differences: known.differences.clone(),
        off: status.as_ref().map(|status| status.disabled_types.clone()).unwrap_or_default(),
        not_fuzzed: status.map(|status| status.stats.fuzz.off.clone()).unwrap_or_default(),
    })
}
