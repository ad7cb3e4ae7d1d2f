//! Counters: each event costs the same whatever is tracked.

use std::{collections::BTreeMap, sync::Arc};

use hdrhistogram::Histogram;
use rustc_hash::FxHashMap;
use serde::Serialize;
use xrpl_client::timing::{self, Snapshot};
use xrpl_protocol::LedgerIndex;

use crate::{
    evidence::{ResultName, Source},
    lifecycle::State,
    matrix::{CellKey, Matrix},
    record::{Intent, IntentKind, RunId},
    store::Count,
};

/// Upper bounds of the finality buckets, milliseconds.
pub const FINALITY_BUCKETS_MS: [u64; 12] =
    [50, 100, 250, 500, 1_000, 2_500, 5_000, 7_500, 10_000, 20_000, 60_000, 300_000];

/// The longest finality told apart, milliseconds: an hour.
const FINALITY_MAX_MS: u64 = 3_600_000;

/// A number for a transaction type, so that a pending transaction need not hold its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TypeIndex(u16);

#[derive(Debug)]
struct TypeCounters {
    name: Arc<str>,
    total: u64,
    validated: u64,
}

/// All counters of a run.
#[derive(Debug)]
pub(crate) struct Counters {
    total: u64,
    by_state: [u64; State::ALL.len()],
    valid_by_state: [u64; State::ALL.len()],
    types: Vec<TypeCounters>,
    type_index: FxHashMap<Arc<str>, TypeIndex>,
    by_source: [u64; Source::ALL.len()],
    first_results: FxHashMap<ResultName, u64>,
    final_results: FxHashMap<ResultName, u64>,
    pub(crate) undecided: u64,
    pub(crate) overturned: u64,
    pub(crate) revoked: u64,
    pub(crate) contradicted: u64,
    expected_invalid: u64,
    invalid_as_predicted: u64,
    invalid_otherwise: u64,
    fuzzed: u64,
    valid_failed: u64,
    superseded: u64,
    pub(crate) resends: u64,
    pub(crate) lookups: u64,
    finality_ms: Histogram<u64>,
    finality_ms_sum: u64,
    finality_ledgers: BTreeMap<u32, u64>,
    pub(crate) matrix: Matrix,
}

impl Counters {
    pub(crate) fn new() -> Self {
        // Fixed bounds and three digits: about 100 kB, and recording cannot fail.
        let finality_ms = Histogram::new_with_bounds(1, FINALITY_MAX_MS, 3)
            .expect("1 <= low, high >= 2 * low, digits <= 5");
        Self {
            total: 0,
            by_state: Default::default(),
            valid_by_state: Default::default(),
            types: Vec::new(),
            type_index: FxHashMap::default(),
            by_source: Default::default(),
            first_results: FxHashMap::default(),
            final_results: FxHashMap::default(),
            undecided: 0,
            overturned: 0,
            revoked: 0,
            contradicted: 0,
            expected_invalid: 0,
            invalid_as_predicted: 0,
            invalid_otherwise: 0,
            fuzzed: 0,
            valid_failed: 0,
            superseded: 0,
            resends: 0,
            lookups: 0,
            finality_ms,
            finality_ms_sum: 0,
            finality_ledgers: BTreeMap::new(),
            matrix: Matrix::default(),
        }
    }

    pub(crate) fn type_index(&mut self, name: &str) -> TypeIndex {
        if let Some(index) = self.type_index.get(name) {
            return *index;
        }
        let name: Arc<str> = name.into();
        // Types are told by a 16-bit number on the ledger, so there are not more of them.
        let index = TypeIndex(u16::try_from(self.types.len()).unwrap_or(u16::MAX));
        self.types.push(TypeCounters { name: name.clone(), total: 0, validated: 0 });
        self.type_index.insert(name, index);
        index
    }

    pub(crate) fn type_name(&self, index: TypeIndex) -> Arc<str> {
        self.types[usize::from(index.0)].name.clone()
    }

    /// A new transaction.
    pub(crate) fn created(&mut self, transaction_type: TypeIndex, intent: &Intent) {
        self.total += 1;
        self.by_state[State::Created as usize] += 1;
        match intent {
            Intent::Valid => self.valid_by_state[State::Created as usize] += 1,
            Intent::Invalid { .. } => self.expected_invalid += 1,
            Intent::Any => self.fuzzed += 1,
        }
        self.types[usize::from(transaction_type.0)].total += 1;
    }

    /// Takes back what [`Self::created`] counted.
    pub(crate) fn withdrawn(&mut self, state: State, transaction_type: TypeIndex, intent: &Intent) {
        self.total -= 1;
        self.by_state[state as usize] -= 1;
        match intent {
            Intent::Valid => self.valid_by_state[state as usize] -= 1,
            Intent::Invalid { .. } => self.expected_invalid -= 1,
            Intent::Any => self.fuzzed -= 1,
        }
        self.types[usize::from(transaction_type.0)].total -= 1;
    }

    pub(crate) fn moved(&mut self, from: State, to: State, intent: &Intent) {
        self.by_state[from as usize] -= 1;
        self.by_state[to as usize] += 1;
        if *intent == Intent::Valid {
            self.valid_by_state[from as usize] -= 1;
            self.valid_by_state[to as usize] += 1;
        }
    }

    pub(crate) fn validated(
        &mut self,
        transaction_type: TypeIndex,
        source: Source,
        finality_ms: u64,
        ledgers: u32,
    ) {
        self.by_source[source as usize] += 1;
        self.types[usize::from(transaction_type.0)].validated += 1;
        self.finality_ms.saturating_record(finality_ms.max(1));
        self.finality_ms_sum += finality_ms;
        *self.finality_ledgers.entry(ledgers.min(1_000)).or_default() += 1;
    }

    /// What the node answered first; of those made at random the matrix tells it.
    pub(crate) fn first_result(&mut self, result: &ResultName, intent: &Intent) {
        if *intent != Intent::Any {
            bump(&mut self.first_results, result, 1);
        }
    }

    /// A terminal state's result.
    pub(crate) fn concluded(
        &mut self,
        state: State,
        result: Option<&ResultName>,
        intent: &Intent,
        predicted: bool,
    ) {
        if let Some(result) = result.filter(|_| *intent != Intent::Any) {
            bump(&mut self.final_results, result, 1);
        }
        if let Some(counter) = self.end_counter(state, intent.kind(), predicted) {
            *counter += 1;
        }
    }

    /// What an end counts as, beside its result.
    fn end_counter(
        &mut self,
        state: State,
        intent: IntentKind,
        predicted: bool,
    ) -> Option<&mut u64> {
        match (intent, predicted) {
            (IntentKind::Any, _) => None,
            (IntentKind::Invalid, true) => Some(&mut self.invalid_as_predicted),
            (IntentKind::Invalid, false) => Some(&mut self.invalid_otherwise),
            (IntentKind::Valid, true) if state == State::Rejected => Some(&mut self.superseded),
            (IntentKind::Valid, _) if state != State::Validated => Some(&mut self.valid_failed),
            (IntentKind::Valid, _) => None,
        }
    }

    /// Takes back what [`Self::concluded`] counted, before an overturned transaction is counted
    /// anew.
    pub(crate) fn unconcluded(
        &mut self,
        state: State,
        result: Option<&ResultName>,
        intent: &Intent,
        predicted: bool,
    ) {
        let result = result.filter(|_| *intent != Intent::Any);
        if let Some(n) = result.and_then(|result| self.final_results.get_mut(result)) {
            *n = n.saturating_sub(1);
        }
        if let Some(counter) = self.end_counter(state, intent.kind(), predicted) {
            *counter = counter.saturating_sub(1);
        }
    }

    /// Takes back what [`Self::validated`] counted.
    pub(crate) fn unvalidated(
        &mut self,
        transaction_type: TypeIndex,
        source: Source,
        finality_ms: Option<u32>,
        ledgers: Option<u32>,
    ) {
        let down = |n: &mut u64| *n = n.saturating_sub(1);
        down(&mut self.by_source[source as usize]);
        down(&mut self.types[usize::from(transaction_type.0)].validated);
        // What was measured before a restart is not in these.
        if let Some(ms) = finality_ms {
            let mut one = self.finality_ms.clone();
            one.reset();
            one.saturating_record(u64::from(ms).max(1));
            if self.finality_ms.subtract(&one).is_ok() {
                self.finality_ms_sum = self.finality_ms_sum.saturating_sub(ms.into());
            }
        }
        if let Some(n) = ledgers.and_then(|n| self.finality_ledgers.get_mut(&n.min(1_000))) {
            down(n);
        }
    }

    /// Counts from a run taken up again.
    pub(crate) fn restore(&mut self, count: &Count) {
        let index = self.type_index(&count.transaction_type);
        let kind = &mut self.types[usize::from(index.0)];
        kind.total += count.n;
        self.total += count.n;
        self.by_state[count.state as usize] += count.n;
        match count.intent {
            IntentKind::Valid => self.valid_by_state[count.state as usize] += count.n,
            IntentKind::Invalid => self.expected_invalid += count.n,
            IntentKind::Any => self.fuzzed += count.n,
        }
        if count.state == State::Validated {
            kind.validated += count.n;
        }
        if let Some(source) = count.source {
            self.by_source[source as usize] += count.n;
        }
        if count.overturned {
            self.overturned += count.n;
        }
        if count.revoked {
            self.revoked += count.n;
        }
        if count.state.is_terminal() {
            let key = CellKey {
                transaction_type: index,
                preliminary: count.first.clone(),
                state: count.state,
                last: count.result.clone(),
                intent: count.intent,
                superseded: count.intent == IntentKind::Valid
                    && count.predicted
                    && count.state == State::Rejected,
            };
            self.matrix.add(key, count.n);
            if let Some(result) = count.result.as_ref().filter(|_| count.intent != IntentKind::Any)
            {
                bump(&mut self.final_results, result, count.n);
            }
            if let Some(counter) = self.end_counter(count.state, count.intent, count.predicted) {
                *counter += count.n;
            }
        }
    }

    pub(crate) fn finality_ms(&self) -> &Histogram<u64> {
        &self.finality_ms
    }

    pub(crate) fn pending(&self) -> u64 {
        State::ALL.iter().filter(|s| !s.is_terminal()).map(|s| self.by_state[*s as usize]).sum()
    }

    pub(crate) fn by_source(&self) -> BTreeMap<Source, u64> {
        Source::ALL.into_iter().map(|source| (source, self.by_source[source as usize])).collect()
    }

    pub(crate) fn snapshot(&self) -> Stats {
        let h = &self.finality_ms;
        let mut below = 0;
        let mut from = 0;
        let finality_buckets = FINALITY_BUCKETS_MS
            .iter()
            .map(|bound| {
                below += if *bound >= from { h.count_between(from, *bound) } else { 0 };
                from = bound + 1;
                (*bound, below)
            })
            .collect();
        let sorted = |map: &FxHashMap<ResultName, u64>| {
            map.iter().filter(|(_, n)| **n > 0).map(|(r, n)| (r.clone(), *n)).collect()
        };
        let states = |counts: &[u64; State::ALL.len()]| {
            State::ALL.into_iter().map(|s| (s, counts[s as usize])).collect()
        };
        Stats {
            total_tracked: self.total,
            pending: self.pending(),
            by_state: states(&self.by_state),
            valid_by_state: states(&self.valid_by_state),
            by_type: self.types.iter().map(|t| (t.name.clone(), t.total)).collect(),
            by_type_validated: self.types.iter().map(|t| (t.name.clone(), t.validated)).collect(),
            validated_by_source: self.by_source(),
            first_results: sorted(&self.first_results),
            engine_results: sorted(&self.final_results),
            undecided: self.undecided,
            overturned: self.overturned,
            revoked: self.revoked,
            contradicted: self.contradicted,
            expected_invalid: self.expected_invalid,
            invalid_as_predicted: self.invalid_as_predicted,
            invalid_otherwise: self.invalid_otherwise,
            fuzzed: self.fuzzed,
            valid_failed: self.valid_failed,
            superseded: self.superseded,
            resends: self.resends,
            lookups: self.lookups,
            finality_ms: Quantiles {
                count: h.len(),
                sum: self.finality_ms_sum,
                p50: h.value_at_quantile(0.50),
                p90: h.value_at_quantile(0.90),
                p99: h.value_at_quantile(0.99),
                max: h.max(),
            },
            finality_buckets,
            finality_ledgers: {
                let some = self.finality_ledgers.iter().filter(|(_, n)| **n > 0);
                some.map(|(ledgers, n)| (*ledgers, *n)).collect()
            },
            ..Stats::default()
        }
    }
}

fn bump(map: &mut FxHashMap<ResultName, u64>, result: &ResultName, n: u64) {
    match map.get_mut(result) {
        Some(count) => *count += n,
        None => {
            map.insert(result.clone(), n);
        }
    }
}

/// The spread of a measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Quantiles {
    /// How many values.
    pub count: u64,
    /// Their sum.
    pub sum: u64,
    /// The median.
    pub p50: u64,
    /// Nine of ten are at most this.
    pub p90: u64,
    /// Ninety-nine of a hundred are at most this.
    pub p99: u64,
    /// The largest.
    pub max: u64,
}

/// All counters at one moment. What concerns transactions covers the run, restarts included;
/// latencies, resends and look-ups cover this process.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Stats {
    /// Transactions of the run.
    pub total_tracked: u64,
    /// Those without a final state.
    pub pending: u64,
    /// By state.
    pub by_state: BTreeMap<State, u64>,
    /// By state, only those meant to succeed.
    pub valid_by_state: BTreeMap<State, u64>,
    /// By type.
    pub by_type: BTreeMap<Arc<str>, u64>,
    /// Validated ones by type.
    pub by_type_validated: BTreeMap<Arc<str>, u64>,
    /// Validated ones by the source that reported them first.
    pub validated_by_source: BTreeMap<Source, u64>,
    /// First preliminary results of what was not made at random.
    pub first_results: BTreeMap<ResultName, u64>,
    /// Final results of what was not made at random.
    pub engine_results: BTreeMap<ResultName, u64>,
    /// Past their LastLedgerSequence without proof of absence.
    pub undecided: u64,
    /// Rejections that the ledger overturned; 0 in a healthy run.
    pub overturned: u64,
    /// Transactions of which an end was taken back, because a ledger that it rested on turned out to
    /// be another one; 0 where no node reports a wrong ledger.
    pub revoked: u64,
    /// Proofs of absence that a ledger contradicted; must be 0.
    pub contradicted: u64,
    /// Deliberately wrong ones.
    pub expected_invalid: u64,
    /// Of these, those that ended as predicted.
    pub invalid_as_predicted: u64,
    /// Of these, those that ended otherwise.
    pub invalid_otherwise: u64,
    /// Those made at random, of which any end is right; by type and result the matrix tells them.
    pub fuzzed: u64,
    /// Meant to succeed, but ended in a state other than VALIDATED.
    pub valid_failed: u64,
    /// Meant to succeed, and REJECTED because another transaction that was submitted here used the
    /// Sequence or Ticket first: a replacement, say. They are not counted as failed, unless a node
    /// had refused them.
    pub superseded: u64,
    /// Blobs sent again.
    pub resends: u64,
    /// Look-ups made.
    pub lookups: u64,
    /// Submission to validation, milliseconds.
    pub finality_ms: Quantiles,
    /// Cumulative: upper bound in milliseconds, number at most that.
    pub finality_buckets: Vec<(u64, u64)>,
    /// Ledgers from submission to validation (1 = the next one), and how many took that many.
    pub finality_ledgers: BTreeMap<u32, u64>,
    /// The newest validated ledger.
    pub ledger_index: LedgerIndex,
    /// The newest validated ledger when this process started.
    pub first_ledger_index: LedgerIndex,
    /// The newest validated ledger when the oldest transaction without a final state was submitted, among
    /// those not overdue yet.
    pub oldest_pending_ledger: Option<LedgerIndex>,
    /// Transactions in memory, ended ones included.
    pub in_memory: u64,
    /// Ledgers read because the stream missed them or part of them.
    pub ledgers_backfilled: u64,
    /// Ledgers for which nodes gave different hashes; must be 0.
    pub ledger_mismatches: u64,
    /// The run.
    pub run: RunId,
    /// When this process started, milliseconds since 1970.
    pub started_at_ms: u64,
    /// Failed writes of the store.
    pub store_failures: u64,
    /// Background tasks that failed and were started again.
    pub task_restarts: u64,
}

/// How long the steps of a transaction's way take.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepTimes {
    /// From submission to the end of the first attempt.
    pub first_attempt: Snapshot,
    /// Until a new row is durable.
    pub durable: Snapshot,
    /// Of a stream's event in the queue; one event at a time is watched.
    pub queue_wait: Snapshot,
}

/// What [`StepTimes`] is taken from.
#[derive(Debug, Default)]
pub(crate) struct Times {
    pub(crate) first_attempt: timing::Histogram,
    pub(crate) durable: timing::Histogram,
}

/// The streams and the event queue at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WsStats {
    /// Events waiting.
    pub queue_size: usize,
    /// How many may wait.
    pub queue_maxsize: usize,
    /// Milliseconds that listeners waited because the queue was full.
    pub queue_blocked_ms: u64,
    /// Times that they did.
    pub queue_blocked_count: u64,
    /// Validated ones by the source that reported them first.
    pub validations_by_source: BTreeMap<Source, u64>,
    /// Validation records in memory.
    pub recent_validations_count: usize,
    /// Events by type.
    pub ws_event_counters: BTreeMap<String, u64>,
    /// Streams that a node closed, not counting those whose reader was too slow for it.
    pub closed_by_node: u64,
    /// Streams connected now.
    pub connected: usize,
    /// Streams configured.
    pub endpoints: usize,
    /// Times a stream was connected again.
    pub reconnects: u64,
    /// Ledgers read because the stream missed them or part of them.
    pub ledgers_backfilled: u64,
    /// Answers for a ledger that were refused: their hashes show that transactions were left out or
    /// changed, or they cannot be read.
    pub ledgers_refused: u64,
    /// Ledgers that wait to be read.
    pub ledgers_wanted: usize,
    /// Ledgers that are wanted and that no node keeps any more; they are asked for seldom.
    pub ledgers_unreadable: usize,
    /// Events that could not be processed.
    pub failed_events: u64,
}
