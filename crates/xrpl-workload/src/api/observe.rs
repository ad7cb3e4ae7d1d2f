//! `/state`: what is seen over time, by ledger, by lane, and by first and last result.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use xrpl_generator::lanes::LaneList;
use xrpl_tracker::{Cell, stats::Quantiles};

use super::{
    ApiError, Routes, Shared,
    extract::{Params, generator},
};
use crate::{
    events::{LedgerEvent, ledger_event},
    observe::{self, Sample},
};

/// Ledgers unless asked otherwise.
const LEDGERS: usize = 60;
/// Ledgers at most.
const MOST_LEDGERS: usize = 256;
/// Lanes unless asked otherwise.
const LANES: usize = 50;
/// Lanes at most.
const MOST_LANES: usize = 10_000;

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(timeline))
        .routes(routes!(ledgers))
        .routes(routes!(latency))
        .routes(routes!(matrix))
        .routes(routes!(lanes))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Since {
    /// Only samples after this moment, milliseconds since 1970.
    since_ms: Option<u64>,
}

/// Samples of the counters.
#[derive(Debug, Serialize, ToSchema)]
struct Timeline {
    /// How far apart samples are.
    interval_ms: u64,
    /// Oldest first.
    samples: Vec<Sample>,
}

/// The counters over time: a sample a second, for ten minutes
#[utoipa::path(get, path = "/state/timeline", tag = "state", params(Since), responses((status = 200, body = Timeline)))]
async fn timeline(State(app): Shared, Params(since): Params<Since>) -> Json<Timeline> {
    let interval_ms = u64::try_from(observe::SAMPLE_EVERY.as_millis()).unwrap_or(u64::MAX);
    Json(Timeline { interval_ms, samples: app.observer.since(since.since_ms.unwrap_or(0)) })
}

/// How many of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Limit {
    /// At most this many.
    #[param(minimum = 1)]
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

/// Validated ledgers.
#[derive(Debug, Serialize, ToSchema)]
struct Ledgers {
    /// Newest first.
    ledgers: Vec<LedgerEvent>,
}

/// The newest validated ledgers: their transactions, ours among them, and the fee level
#[utoipa::path(get, path = "/state/ledgers", tag = "state", params(Limit), responses((status = 200, body = Ledgers)))]
async fn ledgers(
    State(app): Shared,
    Params(limit): Params<Limit>,
) -> Result<Json<Ledgers>, ApiError> {
    let newest = app.tracker.ledgers(limit.or(LEDGERS, MOST_LEDGERS)?);
    let ledgers = newest.into_iter().map(|ledger| ledger_event(&app, ledger)).collect();
    Ok(Json(Ledgers { ledgers }))
}

/// How long finality takes.
#[derive(Debug, Serialize, ToSchema)]
struct Latency {
    /// Submission to validation, milliseconds.
    finality_ms: Quantiles,
    /// Cumulative: upper bound in milliseconds, number at most that.
    finality_buckets_ms: Vec<(u64, u64)>,
    /// Ledgers from submission to validation (1 = the next one), and how many took that many.
    finality_ledgers: Vec<(u32, u64)>,
    /// The same as quantiles.
    ledgers: LedgerQuantiles,
}

/// The spread of a number of ledgers; none before the first validation.
#[derive(Debug, Serialize, ToSchema)]
struct LedgerQuantiles {
    p50: Option<u32>,
    p90: Option<u32>,
    p99: Option<u32>,
    max: Option<u32>,
}

/// How long finality takes, in time and in ledgers
#[utoipa::path(get, path = "/state/latency", tag = "state", responses((status = 200, body = Latency)))]
async fn latency(State(app): Shared) -> Json<Latency> {
    let stats = app.tracker.stats();
    let by_ledgers: Vec<_> = stats.finality_ledgers.iter().map(|(l, n)| (*l, *n)).collect();
    let ledgers = LedgerQuantiles {
        p50: quantile(&by_ledgers, 0.50),
        p90: quantile(&by_ledgers, 0.90),
        p99: quantile(&by_ledgers, 0.99),
        max: by_ledgers.last().map(|(ledgers, _)| *ledgers),
    };
    Json(Latency {
        finality_ms: stats.finality_ms,
        finality_buckets_ms: stats.finality_buckets,
        finality_ledgers: by_ledgers,
        ledgers,
    })
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

/// What the node said first against what the ledger did.
#[derive(Debug, Serialize, ToSchema)]
struct MatrixView {
    cells: Vec<Cell>,
    /// Ended transactions in all cells.
    total: u64,
}

/// Preliminary results against final results, per type
#[utoipa::path(get, path = "/state/matrix", tag = "state", responses((status = 200, body = MatrixView)))]
async fn matrix(State(app): Shared) -> Json<MatrixView> {
    let cells = app.tracker.matrix();
    let total = cells.iter().map(|cell| cell.count).sum();
    Json(MatrixView { cells, total })
}

/// Accounts that could send now, and why the others could not
#[utoipa::path(get, path = "/state/lanes", tag = "state", params(Limit), responses((status = 200, body = LaneList)))]
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
