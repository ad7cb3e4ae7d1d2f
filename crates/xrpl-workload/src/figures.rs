//! What a run, or a stage of one, comes to: what is measured, and the table of figures that limits,
//! reports and comparisons name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xrpl_generator::{
    Spread,
    pacing::{ByCause, PacingStats},
};

/// What was measured from one moment to another. Everything in it is a number of events or a whole
/// histogram of values, so that the difference of two moments and the sum of two stages are exact. A
/// transaction belongs to the stage in which it was sent, whenever it ends.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Measurements {
    /// When it began, seconds after the load did.
    pub began: f64,
    /// Until when transactions were sent, the same way.
    pub sent_until: f64,
    /// When the last of its transactions was validated; as `sent_until` at the least. Throughput is
    /// taken until then, so that a backlog worked off afterwards does not look like speed.
    pub validated_until: f64,
    /// Transactions meant to succeed that the tracker was given.
    pub submitted: u64,
    /// Those of them in a validated ledger, with whatever result.
    pub validated: u64,
    /// Those of them that ended otherwise, by what they ended with; what a replacement took the place
    /// of does not count.
    pub failed: BTreeMap<String, u64>,
    /// Those of them that a validated ledger has with a `tec`, by it.
    pub claimed: BTreeMap<String, u64>,
    /// Deliberately invalid transactions given to the tracker.
    pub submitted_invalid: u64,
    /// Transactions meant to succeed that were validated while it went on, whichever stage sent them.
    pub validated_meanwhile: u64,
    /// Submission to validation, milliseconds.
    pub finality_ms: Spread,
    /// The same in ledgers; 1 is the next one.
    pub finality_ledgers: Spread,
    /// From the instant at which it was to be sent by the schedule to validation, milliseconds.
    pub scheduled_ms: Spread,
    /// Submission to validation by type, milliseconds.
    pub types: BTreeMap<String, Spread>,
    /// How the schedule's slots were used.
    pub slots: PacingStats,
    /// The nodes' own side.
    pub node: NodeSide,
    /// Reads by method.
    pub reads: BTreeMap<String, Reads>,
}

/// What the nodes report about themselves, sampled.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct NodeSide {
    /// Between two validated ledgers, milliseconds.
    pub ledger_interval_ms: Spread,
    /// Transactions in the queue (`fee`, once a ledger).
    pub queue: Spread,
    /// What gets into the open ledger, drops (`fee`, once a ledger).
    pub open_ledger_fee: Spread,
    /// `load_factor` of `server_info`, in hundredths.
    pub load_factor_percent: Spread,
    /// Ledgers between the node that is furthest and the one that is furthest behind.
    pub lag_ledgers: Spread,
    /// The longest average wait that a node reports of its kinds of jobs, milliseconds.
    pub job_ms: Spread,
}

/// Reads of one method.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Reads {
    /// Answered with an error, or not at all.
    pub failed: u64,
    /// The same by the node's word for the error, or by what came instead of an answer.
    pub errors: BTreeMap<String, u64>,
    /// How long all of them took, from the instant at which each was due, milliseconds.
    pub ms: Spread,
    /// The same from being sent.
    pub sent_ms: Spread,
}

/// Subscriptions that are held open beside the load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Held {
    /// How many were to be.
    pub wanted: u64,
    /// Open now.
    pub open: u64,
    /// Open at once at most.
    pub most: u64,
    /// Messages that came over them.
    pub messages: u64,
    /// Times that one was lost or could not be had.
    pub lost: u64,
}

impl Reads {
    fn with(
        &self,
        other: &Self,
        count: fn(u64, u64) -> u64,
        spread: fn(&Spread, &Spread) -> Spread,
    ) -> Self {
        Self {
            failed: count(self.failed, other.failed),
            errors: counts(&self.errors, &other.errors, count),
            ms: spread(&self.ms, &other.ms),
            sent_ms: spread(&self.sent_ms, &other.sent_ms),
        }
    }
}

impl Measurements {
    /// What came between an earlier moment and this one.
    #[must_use]
    pub fn minus(&self, earlier: &Self) -> Self {
        Self {
            began: earlier.sent_until,
            sent_until: self.sent_until,
            validated_until: self.validated_until,
            ..self.with(earlier, u64::saturating_sub, Spread::minus)
        }
    }

    /// Two spans together, the one after the other.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            began: self.began.min(other.began),
            sent_until: self.sent_until.max(other.sent_until),
            validated_until: self.validated_until.max(other.validated_until),
            ..self.with(other, u64::saturating_add, Spread::plus)
        }
    }

    fn with(
        &self,
        other: &Self,
        count: fn(u64, u64) -> u64,
        spread: fn(&Spread, &Spread) -> Spread,
    ) -> Self {
        let causes = |a: &ByCause, b: &ByCause| ByCause {
            generator: count(a.generator, b.generator),
            lanes_empty: count(a.lanes_empty, b.lanes_empty),
            endpoint: count(a.endpoint, b.endpoint),
            node_queue: count(a.node_queue, b.node_queue),
        };
        let (a, b) = (&self.node, &other.node);
        let methods = self.reads.keys().chain(other.reads.keys());
        let types = self.types.keys().chain(other.types.keys());
        let none = Spread::default();
        let of = |name: &String| {
            let [a, b] = [self, other].map(|side| side.types.get(name).unwrap_or(&none));
            (name.clone(), spread(a, b))
        };
        Self {
            submitted: count(self.submitted, other.submitted),
            validated: count(self.validated, other.validated),
            failed: counts(&self.failed, &other.failed, count),
            claimed: counts(&self.claimed, &other.claimed, count),
            submitted_invalid: count(self.submitted_invalid, other.submitted_invalid),
            validated_meanwhile: count(self.validated_meanwhile, other.validated_meanwhile),
            finality_ms: spread(&self.finality_ms, &other.finality_ms),
            finality_ledgers: spread(&self.finality_ledgers, &other.finality_ledgers),
            scheduled_ms: spread(&self.scheduled_ms, &other.scheduled_ms),
            types: types.map(of).filter(|(_, ms)| !ms.is_empty()).collect(),
            slots: PacingStats {
                on_time: count(self.slots.on_time, other.slots.on_time),
                late: causes(&self.slots.late, &other.slots.late),
                missed: causes(&self.slots.missed, &other.slots.missed),
            },
            node: NodeSide {
                ledger_interval_ms: spread(&a.ledger_interval_ms, &b.ledger_interval_ms),
                queue: spread(&a.queue, &b.queue),
                open_ledger_fee: spread(&a.open_ledger_fee, &b.open_ledger_fee),
                load_factor_percent: spread(&a.load_factor_percent, &b.load_factor_percent),
                lag_ledgers: spread(&a.lag_ledgers, &b.lag_ledgers),
                job_ms: spread(&a.job_ms, &b.job_ms),
            },
            reads: methods
                .map(|method| {
                    let of =
                        |map: &BTreeMap<_, Reads>| map.get(method).cloned().unwrap_or_default();
                    (method.clone(), of(&self.reads).with(&of(&other.reads), count, spread))
                })
                .collect(),
            ..Self::default()
        }
    }

    /// All reads together.
    fn all_reads(&self) -> Reads {
        let all = Reads::default();
        self.reads.values().fold(all, |all, one| all.with(one, u64::saturating_add, Spread::plus))
    }

    /// Every figure that could be measured, by name.
    #[must_use]
    pub fn figures(&self) -> BTreeMap<&'static str, f64> {
        FIGURES.iter().filter_map(|figure| Some((figure.name, figure.of(self)?))).collect()
    }
}

/// Counts by name, each taken with its counterpart.
fn counts(
    one: &BTreeMap<String, u64>,
    other: &BTreeMap<String, u64>,
    count: fn(u64, u64) -> u64,
) -> BTreeMap<String, u64> {
    let names = one.keys().chain(other.keys());
    let of = |map: &BTreeMap<String, u64>, name| map.get(name).copied().unwrap_or(0);
    let all = names.map(|name| (name.clone(), count(of(one, name), of(other, name))));
    all.filter(|(_, n)| *n > 0).collect()
}

fn sum(counts: &BTreeMap<String, u64>) -> u64 {
    counts.values().sum()
}

/// Which way a figure is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// The more the better.
    Higher,
    /// The less the better.
    Lower,
    /// It tells something, but neither way is worse.
    Neither,
}

/// A figure: something measured that has a name.
#[derive(Debug)]
pub struct Figure {
    /// Its name in limits, records, comparisons.
    pub name: &'static str,
    /// `ms`, `%`, `1/s`, `ledgers`, `drops`, or empty for a number of things.
    pub unit: &'static str,
    /// Which way is better.
    pub better: Better,
    /// What it is.
    pub about: &'static str,
    /// The change that may be chance, percent of the first value. What counts as a change is beyond
    /// this and beyond `absolute`.
    pub relative: f64,
    /// The same in its own unit.
    pub absolute: f64,
    read: fn(&Measurements) -> Option<f64>,
}

impl Figure {
    /// What is wrong with a bound that it is to keep to; none if it can be kept and broken.
    #[must_use]
    pub fn wrong_bound(&self, bound: f64) -> Option<String> {
        match (bound.is_finite() && bound >= 0.0, self.unit) {
            (false, _) => Some(format!("{bound}: a figure is never below 0: give 0 or more")),
            (true, "%") if bound > 100.0 => {
                Some(format!("{bound}: a share is 100 % at most: give 0 to 100"))
            }
            (true, _) => None,
        }
    }

    /// Whether only reads beside the load give it a value.
    #[must_use]
    pub fn is_of_reads(&self) -> bool {
        self.name.starts_with("read_")
    }

    /// Its value; none where it was not measured.
    #[must_use]
    pub fn of(&self, measured: &Measurements) -> Option<f64> {
        // Three digits behind the point: what is shown, compared and told elsewhere is one number.
        (self.read)(measured).filter(|value| value.is_finite()).map(|v| (v * 1e3).round() / 1e3)
    }
}

/// The figure of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Figure> {
    FIGURES.iter().find(|figure| figure.name == name)
}

fn share(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| part as f64 * 100.0 / all as f64)
}

fn a_second(n: u64, seconds: f64) -> Option<f64> {
    (seconds > 0.0).then(|| n as f64 / seconds)
}

fn at(spread: &Spread, share: f64) -> Option<f64> {
    spread.quantile(share).map(|value| value as f64)
}

fn most(spread: &Spread) -> Option<f64> {
    spread.max().map(|value| value as f64)
}

fn slots(measured: &Measurements) -> u64 {
    let PacingStats { on_time, late, missed } = &measured.slots;
    on_time + late.total() + missed.total()
}

macro_rules! figures {
    ($($name:ident $unit:literal $better:ident $relative:literal $absolute:literal; $about:literal => $read:expr;)*) => {
        /// All figures, in the order in which they are shown.
        pub static FIGURES: &[Figure] = &[$(Figure {
            name: stringify!($name),
            unit: $unit,
            better: Better::$better,
            about: $about,
            relative: $relative,
            absolute: $absolute,
            read: $read,
        },)*];
    };
}

figures! {
    validated_per_second "1/s" Higher 5.0 0.5; "Transactions meant to succeed that were validated, a second, until the last of them was" => |m| a_second(m.validated, m.validated_until - m.began);
    submitted_per_second "1/s" Neither 5.0 0.5; "Transactions meant to succeed that were submitted, per second" => |m| a_second(m.submitted, m.sent_until - m.began);
    throughput_per_second "1/s" Neither 5.0 0.5; "Transactions meant to succeed that were validated while it went on, whenever they were sent, a second" => |m| a_second(m.validated_meanwhile, m.sent_until - m.began);
    failed_percent "%" Lower 10.0 0.5; "Ended in another state than VALIDATED, of those submitted that were meant to succeed" => |m| share(sum(&m.failed), m.submitted);
    claimed_percent "%" Lower 10.0 0.5; "VALIDATED with a tec result, of those submitted that were meant to succeed" => |m| share(sum(&m.claimed), m.submitted);
    finality_ms_p50 "ms" Lower 10.0 50.0; "Submission to validation: half took at most this" => |m| at(&m.finality_ms, 0.5);
    finality_ms_p90 "ms" Lower 10.0 100.0; "Submission to validation: 90 % took at most this" => |m| at(&m.finality_ms, 0.9);
    finality_ms_p99 "ms" Lower 15.0 150.0; "Submission to validation: 99 % took at most this" => |m| at(&m.finality_ms, 0.99);
    finality_ms_max "ms" Neither 25.0 250.0; "Submission to validation: the longest" => |m| most(&m.finality_ms);
    finality_ledgers_p50 "ledgers" Lower 10.0 0.5; "Ledgers from submission to validation: half took at most this" => |m| at(&m.finality_ledgers, 0.5);
    finality_ledgers_p99 "ledgers" Lower 10.0 1.0; "Ledgers from submission to validation: 99 % took at most this" => |m| at(&m.finality_ledgers, 0.99);
    finality_ledgers_max "ledgers" Neither 25.0 1.0; "Ledgers from submission to validation: the most" => |m| most(&m.finality_ledgers);
    scheduled_ms_p50 "ms" Lower 10.0 50.0; "From the instant at which it was due to validation: half took at most this" => |m| at(&m.scheduled_ms, 0.5);
    scheduled_ms_p90 "ms" Lower 10.0 100.0; "From the instant at which it was due to validation: nine of ten took at most this" => |m| at(&m.scheduled_ms, 0.9);
    scheduled_ms_p99 "ms" Lower 15.0 150.0; "From the instant at which it was due to validation: ninety-nine of a hundred took at most this" => |m| at(&m.scheduled_ms, 0.99);
    scheduled_ms_max "ms" Neither 25.0 250.0; "From the instant at which it was due to validation: the longest" => |m| most(&m.scheduled_ms);
    late_percent "%" Lower 10.0 2.0; "Slots of the schedule used late" => |m| share(m.slots.late.total(), slots(m));
    missed_percent "%" Lower 10.0 0.5; "Slots of the schedule given up" => |m| share(m.slots.missed.total(), slots(m));
    ledger_interval_ms_p50 "ms" Lower 10.0 100.0; "Between two validated ledgers: half of the time at most this" => |m| at(&m.node.ledger_interval_ms, 0.5);
    ledger_interval_ms_p99 "ms" Lower 15.0 250.0; "Between two validated ledgers: all but one of a hundred at most this" => |m| at(&m.node.ledger_interval_ms, 0.99);
    ledger_interval_ms_max "ms" Neither 25.0 500.0; "Between two validated ledgers: the longest" => |m| most(&m.node.ledger_interval_ms);
    queue_mean "" Lower 15.0 20.0; "Transactions in the node's queue, on average" => |m| m.node.queue.mean();
    queue_max "" Lower 20.0 50.0; "Transactions in the node's queue, at most" => |m| most(&m.node.queue);
    open_ledger_fee_max "drops" Lower 25.0 50.0; "What got into the open ledger, at most" => |m| most(&m.node.open_ledger_fee);
    load_factor_max "" Lower 25.0 1.0; "load_factor of server_info, at most" => |m| most(&m.node.load_factor_percent).map(|v| v / 100.0);
    lag_ledgers_max "ledgers" Lower 25.0 1.0; "How far one node was behind another, at most" => |m| most(&m.node.lag_ledgers);
    job_ms_max "ms" Lower 25.0 100.0; "The longest average wait of a kind of job that a node told of" => |m| most(&m.node.job_ms);
    read_ms_p50 "ms" Lower 15.0 5.0; "Reads: half took at most this" => |m| at(&m.all_reads().ms, 0.5);
    read_ms_p99 "ms" Lower 20.0 25.0; "Reads: ninety-nine of a hundred took at most this" => |m| at(&m.all_reads().ms, 0.99);
    read_failed_percent "%" Lower 10.0 0.5; "Reads answered with an error or not at all" => |m| { let all = m.all_reads(); share(all.failed, all.ms.len()) };
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn spread(values: &[u64]) -> Spread {
        let mut spread = Spread::default();
        values.iter().for_each(|value| spread.record(*value));
        spread
    }

    fn measured(n: u64) -> Measurements {
        Measurements {
            began: 0.0,
            sent_until: n as f64,
            validated_until: 2.0 * n as f64,
            submitted: 100 * n,
            validated: 90 * n,
            validated_meanwhile: 80 * n,
            failed: BTreeMap::from([("EXPIRED".into(), n)]),
            finality_ms: spread(&[n, 2 * n, 3 * n]),
            slots: PacingStats {
                on_time: 80 * n,
                late: ByCause { endpoint: 15 * n, ..ByCause::default() },
                missed: ByCause { generator: 5 * n, ..ByCause::default() },
            },
            types: BTreeMap::from([("Payment".into(), spread(&[8; 4]))]),
            reads: BTreeMap::from([(
                "fee".into(),
                Reads {
                    failed: n,
                    errors: BTreeMap::from([("tooBusy".into(), n)]),
                    ms: spread(&[7; 4]),
                    sent_ms: spread(&[5; 4]),
                },
            )]),
            ..Measurements::default()
        }
    }

    #[test]
    fn a_sum_minus_one_part_is_the_other() {
        let one = measured(10);
        let mut two = Measurements { began: 10.0, sent_until: 30.0, ..measured(20) };
        two.failed.insert("tefMAX_LEDGER".into(), 3);
        let both = one.plus(&two);
        assert_eq!(both.submitted, 3_000);
        assert_eq!(both.minus(&one), two);
        assert_eq!((both.began, both.sent_until, both.validated_until), (0.0, 30.0, 40.0));
        assert_eq!(one.plus(&Measurements::default()), one);
    }

    #[test]
    fn figures_are_read_from_what_was_measured() {
        let figures = measured(10).figures();
        for (name, value) in [
            ("validated_per_second", 45.0),
            ("submitted_per_second", 100.0),
            ("throughput_per_second", 80.0),
            ("failed_percent", 1.0),
            ("finality_ms_p50", 20.0),
            ("finality_ms_max", 30.0),
            ("late_percent", 15.0),
            ("missed_percent", 5.0),
            ("read_ms_p99", 7.0),
            ("read_failed_percent", 250.0),
        ] {
            assert_eq!(figures.get(name), Some(&value), "{name}");
        }
        assert_eq!(figures.get("queue_max"), None, "what was not measured has no value");
        assert_eq!(Measurements::default().figures(), BTreeMap::new());
    }

    #[test]
    fn the_table_is_in_order() {
        let names: BTreeSet<_> = FIGURES.iter().map(|figure| figure.name).collect();
        assert_eq!(names.len(), FIGURES.len(), "a name twice");
        for figure in FIGURES {
            assert!(find(figure.name).is_some());
            assert!(figure.relative > 0.0 && figure.absolute > 0.0, "{}", figure.name);
            assert!(["ms", "%", "1/s", "ledgers", "drops", ""].contains(&figure.unit));
            assert!(figure.about.starts_with(char::is_uppercase) || figure.about.starts_with('l'));
            assert!(!figure.about.ends_with('.'), "{}", figure.name);
        }
    }

    #[test]
    fn measurements_survive_their_text() {
        let text = serde_json::to_string(&measured(7)).unwrap();
        assert_eq!(serde_json::from_str::<Measurements>(&text).unwrap(), measured(7));
        // Of a program that measured less.
        let less: Measurements = serde_json::from_str(r#"{"submitted": 3}"#).unwrap();
        assert_eq!(less.submitted, 3);
    }
}
