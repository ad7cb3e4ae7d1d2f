//! What the node said first against what the ledger did, counted as transactions end.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::{evidence::ResultName, lifecycle::State, record::IntentKind, stats::TypeIndex};

/// Kinds of ends told apart. Names of results come from nodes, so that there must be a bound; there
/// are far fewer in any real run.
const MOST_CELLS: usize = 4_096;

/// Ended transactions that share these properties.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Cell {
    /// Their type.
    pub transaction_type: Arc<str>,
    /// The first preliminary result; none where no answer came.
    pub preliminary: Option<ResultName>,
    /// The terminal state.
    pub state: State,
    /// The final result: that of the metadata, or the refusal.
    #[serde(rename = "final")]
    pub last: Option<ResultName>,
    /// What they were meant to do.
    pub intent: IntentKind,
    /// Whether another transaction that was submitted here took their slot, as it was to: they have not
    /// failed.
    pub superseded: bool,
    /// How many.
    pub count: u64,
}

impl Cell {
    /// Whether these have failed: meant to succeed, and ended in another state than VALIDATED without
    /// having been superseded. [`Stats::valid_failed`](crate::Stats::valid_failed) counts the same.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.intent == IntentKind::Valid && self.state != State::Validated && !self.superseded
    }
}

/// What a cell is found by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CellKey {
    pub(crate) transaction_type: TypeIndex,
    pub(crate) preliminary: Option<ResultName>,
    pub(crate) state: State,
    pub(crate) last: Option<ResultName>,
    pub(crate) intent: IntentKind,
    pub(crate) superseded: bool,
}

/// All cells.
#[derive(Debug, Default)]
pub(crate) struct Matrix(FxHashMap<CellKey, u64>);

impl Matrix {
    pub(crate) fn add(&mut self, key: CellKey, n: u64) {
        if let Some(count) = self.0.get_mut(&key) {
            *count += n;
        } else if self.0.len() < MOST_CELLS {
            self.0.insert(key, n);
        }
    }

    pub(crate) fn take(&mut self, key: &CellKey) {
        if let Some(count) = self.0.get_mut(key) {
            *count = count.saturating_sub(1);
        }
    }

    /// The cells, most frequent first.
    pub(crate) fn cells(&self, name: impl Fn(TypeIndex) -> Arc<str>) -> Vec<Cell> {
        let mut cells: Vec<_> = self
            .0
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(key, count)| Cell {
                transaction_type: name(key.transaction_type),
                preliminary: key.preliminary.clone(),
                state: key.state,
                last: key.last.clone(),
                intent: key.intent,
                superseded: key.superseded,
                count: *count,
            })
            .collect();
        cells.sort_unstable_by(|a, b| {
            let key = |cell: &Cell| {
                (cell.transaction_type.clone(), cell.preliminary.clone(), cell.last.clone())
            };
            b.count.cmp(&a.count).then_with(|| key(a).cmp(&key(b)))
        });
        cells
    }
}
