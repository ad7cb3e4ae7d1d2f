//! `/state`: what is seen over time, by ledger, by lane, and by first and last result.

use std::sync::Arc;

use axum::{Json, Router, extract::State, routing::get};
use serde::Deserialize;
use serde_json::{Value as Json_, json};
use xrpl_generator::lanes::LaneList;

use super::{
    ApiError, Shared,
    extract::{Params, generator},
};
use crate::{observe, session::App};

/// Ledgers unless asked otherwise.
const LEDGERS: usize = 60;
/// Ledgers at most.
const MOST_LEDGERS: usize = 256;
/// Lanes unless asked otherwise.
const LANES: usize = 50;
/// Lanes at most.
const MOST_LANES: usize = 10_000;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/state/timeline", get(timeline))
        .route("/state/ledgers", get(ledgers))
        .route("/state/latency", get(latency))
        .route("/state/matrix", get(matrix))
        .route("/state/lanes", get(lanes))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Since {
    since_ms: Option<u64>,
}

async fn timeline(State(app): Shared, Params(since): Params<Since>) -> Json<Json_> {
    let every = u64::try_from(observe::SAMPLE_EVERY.as_millis()).unwrap_or(u64::MAX);
    let samples = app.observer.since(since.since_ms.unwrap_or(0));
    Json(json!({"interval_ms": every, "samples": samples}))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limit {
    limit: Option<usize>,
}

impl Limit {
    fn or(&self, default: usize, most: usize) -> Result<usize, ApiError> {
        match self.limit.unwrap_or(default) {
            limit if (1..=most).contains(&limit) => Ok(limit),
            _ => Err(ApiError::bad_request(format!("limit: from 1 to {most}"))),
        }
    }
}

async fn ledgers(
    State(app): Shared,
    Params(limit): Params<Limit>,
) -> Result<Json<Json_>, ApiError> {
    let newest = app.tracker.ledgers(limit.or(LEDGERS, MOST_LEDGERS)?);
    let with_fees: Vec<_> = newest
        .iter()
        .map(|ledger| {
            let mut view = json!(ledger);
            let level = app.observer.fee_level(ledger.ledger_index.0);
            view["open_ledger_fee"] = json!(level.map(|level| level.open_ledger_fee));
            view["queue_size"] = json!(level.and_then(|level| level.queue_size));
            view
        })
        .collect();
    Ok(Json(json!({"ledgers": with_fees})))
}

async fn latency(State(app): Shared) -> Json<Json_> {
    let stats = app.tracker.stats();
    let by_ledgers: Vec<_> = stats.finality_ledgers.iter().map(|(l, n)| (*l, *n)).collect();
    let quantile = |share| quantile(&by_ledgers, share);
    Json(json!({
        "finality_ms": stats.finality_ms,
        "finality_buckets_ms": stats.finality_buckets,
        "finality_ledgers": by_ledgers,
        "ledgers": {
            "p50": quantile(0.50),
            "p90": quantile(0.90),
            "p99": quantile(0.99),
            "max": by_ledgers.last().map(|(ledgers, _)| ledgers),
        },
    }))
}

/// The smallest value that a share of all is at most; pairs of value and count, ascending.
fn quantile(counts: &[(u32, u64)], share: f64) -> Option<u32> {
    let total: u64 = counts.iter().map(|(_, n)| n).sum();
    let wanted = ((total as f64 * share).ceil() as u64).max(1);
    let mut seen = 0;
    counts.iter().find_map(|(value, n)| {
        seen += n;
        (seen >= wanted).then_some(*value)
    })
}

async fn matrix(State(app): Shared) -> Json<Json_> {
    let cells = app.tracker.matrix();
    let total: u64 = cells.iter().map(|cell| cell.count).sum();
    Json(json!({"cells": cells, "total": total}))
}

async fn lanes(
    State(app): Shared,
    Params(limit): Params<Limit>,
) -> Result<Json<LaneList>, ApiError> {
    let limit = limit.or(LANES, MOST_LANES)?;
    Ok(Json(generator(&app)?.lanes(limit).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_counts() {
        let counts = [(1, 98), (2, 1), (7, 1)];
        let all = [0.5, 0.9, 0.98, 0.99, 1.0].map(|share| quantile(&counts, share));
        assert_eq!(all, [Some(1), Some(1), Some(1), Some(2), Some(7)]);
        assert_eq!(quantile(&[], 0.5), None);
    }
}
