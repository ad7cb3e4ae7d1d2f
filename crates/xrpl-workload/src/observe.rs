//! What the page draws over time: one sample a second, and the fee level of each ledger. Bounded.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use serde::Serialize;
use serde_json::Value as Json;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use xrpl_client::{
    Pool,
    request::{Fee, ServerInfo},
};
use xrpl_tracker::{State, Tracker};

use crate::{meter::Meter, session::unix_ms};

/// How far apart samples are.
pub const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// Samples kept: ten minutes.
pub const SAMPLES: usize = 600;
/// How long what a node said of itself is taken for its state.
const STALE: Duration = Duration::from_secs(4);
/// Ledgers whose fee level is kept.
const LEDGERS: usize = 256;

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Sample {
    /// When, milliseconds since 1970.
    pub at_ms: u64,
    /// The newest validated ledger.
    pub ledger_index: u32,
    /// Transactions of the run.
    pub submitted: u64,
    /// Validated ones.
    pub validated: u64,
    /// Without a final state.
    pub pending: u64,
    /// Validated per second, over the last ten seconds.
    pub validated_per_second: f64,
    /// Medians and tails of submission to validation so far, milliseconds.
    pub finality_ms_p50: u64,
    /// 90 % of them.
    pub finality_ms_p90: u64,
    /// 99 % of them.
    pub finality_ms_p99: u64,
    /// The nodes' own side at that moment.
    pub node: NodeNow,
}

/// What the nodes say of themselves: they distinguish a slow node from a slow program. None of what no
/// node said within the last seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct NodeNow {
    /// `load_factor` of `server_info`: what a transaction must pay, as a multiple of the base fee.
    pub load_factor: Option<f64>,
    /// Transactions in the queue (`fee`).
    pub queue: Option<u64>,
    /// What gets into the open ledger, drops (`fee`).
    pub open_ledger_fee: Option<u64>,
    /// Validated ledgers between the node that is furthest and the one that is furthest behind.
    pub lag_ledgers: Option<u32>,
    /// The longest average time, from its wait to its end, of a kind of job in `server_info`,
    /// milliseconds. Nodes report jobs where they take this program for an administrator.
    pub job_ms: Option<u64>,
}

/// What a node asked for while a ledger was the newest validated one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FeeLevel {
    /// To get into the open ledger, drops.
    pub open_ledger_fee: u64,
    /// Transactions in the queue.
    pub queue_size: Option<u64>,
}

#[derive(Debug, Default)]
struct Kept {
    /// What a node said last, and when.
    node: Option<(Instant, NodeNow)>,
    samples: VecDeque<Sample>,
    fees: BTreeMap<u32, FeeLevel>,
}

/// Keeps samples and fee levels.
#[derive(Clone, Debug, Default)]
pub struct Observer(Arc<Mutex<Kept>>);

impl Observer {
    /// Looks once a second and at each ledger, until cancelled.
    pub async fn watch(self, tracker: Tracker, pool: Pool, meter: Meter, end: CancellationToken) {
        // A node that takes its time must not make holes in the samples.
        let all = async {
            tokio::join!(
                self.sample(&tracker, &pool, &meter),
                self.ask(&tracker, &pool),
                self.ask_node(&pool)
            )
        };
        tokio::select! {
            () = end.cancelled() => {}
            _ = all => {}
        }
    }

    /// Asks a node how it is, once a second.
    async fn ask_node(&self, pool: &Pool) {
        let mut ticks = interval(SAMPLE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let (info, fee) = (ServerInfo::default(), Fee::default());
            // What is not answered now is asked again in a second.
            let told = tokio::join!(pool.request(&info), pool.request(&fee));
            if let (Ok(info), Ok(fee)) = told {
                let now = NodeNow {
                    queue: fee.current_queue_size,
                    open_ledger_fee: Some(fee.drops.open_ledger_fee.0),
                    ..node_of(&info)
                };
                self.0.lock().node = Some((Instant::now(), now));
            }
        }
    }

    /// What the nodes say of themselves now.
    #[must_use]
    pub fn node(&self, pool: &Pool) -> NodeNow {
        let said = self.0.lock().node.filter(|(at, _)| at.elapsed() < STALE);
        NodeNow { lag_ledgers: lag(pool), ..said.map(|(_, now)| now).unwrap_or_default() }
    }

    async fn sample(&self, tracker: &Tracker, pool: &Pool, meter: &Meter) {
        let mut ticks = interval(SAMPLE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.look(tracker, pool, meter);
        }
    }

    async fn ask(&self, tracker: &Tracker, pool: &Pool) {
        let mut ledger = tracker.ledger();
        while ledger.changed().await.is_ok() {
            let head = ledger.borrow_and_update().index.0;
            let answer = pool.request(&Fee::default()).await;
            // A node that does not answer now has no fee level to tell; the next ledger asks again.
            if let Ok(fee) = answer {
                let level = FeeLevel {
                    open_ledger_fee: fee.drops.open_ledger_fee.0,
                    queue_size: fee.current_queue_size,
                };
                self.note_fee(head, level);
            }
        }
    }

    fn look(&self, tracker: &Tracker, pool: &Pool, meter: &Meter) {
        let stats = tracker.stats();
        self.note(Sample {
            at_ms: unix_ms(),
            ledger_index: stats.ledger_index.0,
            submitted: stats.total_tracked,
            validated: stats.by_state.get(&State::Validated).copied().unwrap_or(0),
            pending: stats.pending,
            validated_per_second: (meter.current() * 10.0).round() / 10.0,
            finality_ms_p50: stats.finality_ms.p50,
            finality_ms_p90: stats.finality_ms.p90,
            finality_ms_p99: stats.finality_ms.p99,
            node: self.node(pool),
        });
    }

    fn note(&self, sample: Sample) {
        let samples = &mut self.0.lock().samples;
        samples.push_back(sample);
        if samples.len() > SAMPLES {
            samples.pop_front();
        }
    }

    fn note_fee(&self, ledger: u32, level: FeeLevel) {
        let fees = &mut self.0.lock().fees;
        fees.insert(ledger, level);
        if fees.len() > LEDGERS {
            fees.pop_first();
        }
    }

    /// Samples taken after a moment, oldest first.
    #[must_use]
    pub fn since(&self, at_ms: u64) -> Vec<Sample> {
        let kept = self.0.lock();
        let from = kept.samples.partition_point(|sample| sample.at_ms <= at_ms);
        kept.samples.range(from..).copied().collect()
    }

    /// The fee level while a ledger was the newest, where it was asked for.
    #[must_use]
    pub fn fee_level(&self, ledger: u32) -> Option<FeeLevel> {
        self.0.lock().fees.get(&ledger).copied()
    }
}

/// What `server_info` has of it.
fn node_of(info: &Json) -> NodeNow {
    let info = &info["info"];
    let jobs = info["load"]["job_types"].as_array();
    let average = |job: &Json| job["avg_time"].as_u64();
    NodeNow {
        load_factor: info["load_factor"].as_f64(),
        job_ms: jobs.map(|jobs| jobs.iter().filter_map(average).max().unwrap_or(0)),
        ..NodeNow::default()
    }
}

/// How far the nodes of the chain are apart; none where fewer than two are known.
fn lag(pool: &Pool) -> Option<u32> {
    let mut health = pool.health();
    health.retain(|node| !node.passed_over);
    let known: Vec<u32> =
        health.iter().filter_map(|node| node.validated).map(|index| index.0).collect();
    let furthest = known.iter().max().zip(known.iter().min());
    furthest.filter(|_| known.len() > 1).map(|(first, last)| first - last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_node_says_of_itself_is_read() {
        let info = json!({"info": {"load_factor": 1.5, "load": {"job_types": [
            {"job_type": "clientRPC", "avg_time": 3, "peak_time": 50, "per_second": 7},
            {"job_type": "transaction", "avg_time": 12},
            {"job_type": "ledgerData", "per_second": 1},
        ]}}});
        let now = node_of(&info);
        assert_eq!((now.load_factor, now.job_ms), (Some(1.5), Some(12)));
        // To who is no administrator it says less.
        assert_eq!(node_of(&json!({"info": {"load_factor": 1}})).job_ms, None);
        assert_eq!(node_of(&json!({})), NodeNow::default());
    }

    #[test]
    fn samples_and_fees_are_bounded_and_told_from_a_moment_on() {
        let observer = Observer::default();
        for n in 0..2_000_u32 {
            observer.note(Sample { at_ms: u64::from(n) * 1_000, ..Sample::default() });
            let level = FeeLevel { open_ledger_fee: u64::from(n), queue_size: None };
            observer.note_fee(n, level);
        }
        assert_eq!(observer.since(0).len(), SAMPLES);
        let newest = observer.since(1_997_000);
        assert_eq!(newest.iter().map(|s| s.at_ms).collect::<Vec<_>>(), [1_998_000, 1_999_000]);
        assert_eq!(observer.since(u64::MAX), []);
        assert_eq!(observer.fee_level(1_743), None);
        assert_eq!(observer.fee_level(1_744).map(|l| l.open_ledger_fee), Some(1_744));
    }
}
