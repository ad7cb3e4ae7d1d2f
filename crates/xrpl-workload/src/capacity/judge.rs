//! Whether a network holds a rate: one stretch of time at it, judged.

use crate::{figures::Measurements, knee::Judgement, words};

/// Of what is sent, so much may be missing from what is validated in the same time: the last ledger's
/// transactions are still under way.
const FOLLOWS: f64 = 0.03;
/// So many transactions missing are no sign of anything, however few there are in all.
const A_FEW: f64 = 5.0;
/// What is under way may grow by this share of the rate.
const GROWS: f64 = 0.015;
/// Ledgers that nodes may be apart.
const APART: u64 = 3;
/// Slots of the schedule, percent, that the program itself may not have used.
const UNUSED: f64 = 2.0;

/// One look at a moment of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Seconds since it began.
    pub seconds: f64,
    /// Transactions without a final state.
    pub in_flight: u64,
    /// The node's queue, where it tells.
    pub queue: Option<u64>,
    /// Ledgers between the furthest node and the one furthest behind.
    pub lag: Option<u64>,
}

/// What is seen of a rate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The rate that was to be held, a second.
    pub rate: f64,
    /// How long it was looked at, seconds.
    pub seconds: f64,
    /// Validated in that time.
    pub validated: u64,
    /// What was measured in that time.
    pub measured: Measurements,
    /// From its beginning to its end.
    pub looks: Vec<Look>,
}

/// What is asked besides: figure, whether more is better, how much.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The figure.
    pub figure: &'static str,
    /// The most that it may be, or the least where more is better.
    pub bound: f64,
}

/// How fast something grows, a second: the slope of the line that lies nearest to all its points.
fn growth(points: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    let n = points.clone().count() as f64;
    if n < 3.0 {
        return 0.0;
    }
    let (sum_x, sum_y) = points.clone().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
    let (mean_x, mean_y) = (sum_x / n, sum_y / n);
    let (above, below) = points.fold((0.0, 0.0), |(above, below), (x, y)| {
        (above + (x - mean_x) * (y - mean_y), below + (x - mean_x).powi(2))
    });
    if below > 0.0 { above / below } else { 0.0 }
}

/// Judges what was seen.
#[must_use]
pub fn judge(seen: &Seen, asked: &[Asked]) -> Judgement {
    let mut broke = Vec::new();
    let rate = seen.rate;
    let validated = if seen.seconds > 0.0 { seen.validated as f64 / seen.seconds } else { 0.0 };
    let slots = &seen.measured.slots;
    let all = slots.slots().max(1) as f64;
    let own = (slots.late.generator + slots.missed.generator) as f64 / all * 100.0;
    let piled = |what: &str, points: Vec<(f64, f64)>| {
        let slope = growth(points.iter().copied());
        let rose = points.last().zip(points.first()).map_or(0.0, |(last, first)| last.1 - first.1);
        (slope > rate * GROWS && rose > (rate * GROWS * seen.seconds / 2.0).max(A_FEW))
            .then(|| format!("{what} grew by {} a second", words::number(slope)))
    };
    let queue = seen.looks.iter().filter_map(|l| Some((l.seconds, l.queue? as f64)));
    broke.extend(piled("the node's queue", queue.collect()));
    let in_flight = seen.looks.iter().map(|l| (l.seconds, l.in_flight as f64));
    broke.extend(piled("what was in flight", in_flight.collect()));
    let due = rate * seen.seconds;
    if due - seen.validated as f64 > (due * FOLLOWS).max(A_FEW) {
        let (validated, rate) = (words::number(validated), words::number(rate));
        broke.push(format!("{validated} a second were validated, of {rate} asked for"));
    }
    let failed: u64 = seen.measured.failed.values().sum();
    if failed > 0 {
        let mut kinds = seen.measured.failed.iter().map(|(how, n)| format!("{n} {how}"));
        let kinds = kinds.by_ref().collect::<Vec<_>>().join(", ");
        broke.push(format!("{failed} failed ({kinds})"));
    }
    if let Some(lag) =
        seen.looks.iter().filter_map(|look| look.lag).max().filter(|lag| *lag > APART)
    {
        broke.push(format!("nodes were {lag} ledgers apart"));
    }
    for Asked { figure, bound } in asked {
        let Some(figure) = crate::figures::find(figure) else { continue };
        let Some(value) = figure.of(&seen.measured) else { continue };
        let most = figure.better != crate::figures::Better::Higher;
        if (most && value > *bound) || (!most && value < *bound) {
            let say = |value| words::figure(value, figure.unit);
            let (limit, value) = (say(*bound), say(value));
            let word = if most { "at most" } else { "at least" };
            broke.push(format!("{} was {value}, {word} {limit} was asked for", figure.name));
        }
    }
    let by_program = own > UNUSED && !broke.is_empty();
    if by_program {
        broke.insert(0, format!("this program itself was late for {own:.0} % of the slots"));
    }
    Judgement { holds: broke.is_empty(), broke, by_program }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use xrpl_generator::pacing::{ByCause, PacingStats};

    use super::*;

    /// Twenty seconds at 100 a second, of which so many are validated, and a queue that grows.
    fn seen(validated_per_second: f64, queue_grows: f64) -> Seen {
        let looks = (0..=20_u32).map(|n| Look {
            seconds: f64::from(n),
            in_flight: 100 + (f64::from(n) * (100.0 - validated_per_second).max(0.0)) as u64,
            // It breathes, as queues do.
            queue: Some(20 + u64::from(n % 2) * 10 + (f64::from(n) * queue_grows) as u64),
            lag: Some(1),
        });
        Seen {
            rate: 100.0,
            seconds: 20.0,
            validated: (validated_per_second * 20.0) as u64,
            measured: Measurements {
                submitted: 2_000,
                slots: PacingStats { on_time: 2_000, ..PacingStats::default() },
                ..Measurements::default()
            },
            looks: looks.collect(),
        }
    }

    #[test]
    fn what_follows_the_rate_holds() {
        for seen in [seen(100.0, 0.0), seen(98.5, 0.0), seen(101.0, 0.5)] {
            let judgement = judge(&seen, &[]);
            assert!(judgement.holds, "{judgement:?}");
            assert!(judgement.broke.is_empty() && !judgement.by_program);
        }
    }

    #[test]
    fn what_broke_first_is_told_first() {
        let judgement = judge(&seen(80.0, 20.0), &[]);
        assert!(!judgement.holds);
        assert_eq!(
            judgement.broke,
            [
                "the node's queue grew by 20 a second",
                "what was in flight grew by 20 a second",
                "80 a second were validated, of 100 asked for",
            ]
        );
    }

    #[test]
    fn each_thing_that_may_break() {
        let failing = |change: &dyn Fn(&mut Seen), why: &str| {
            let mut seen = seen(100.0, 0.0);
            change(&mut seen);
            let judgement = judge(&seen, &[Asked { figure: "queue_max", bound: 50.0 }]);
            assert!(!judgement.holds && judgement.broke[0].contains(why), "{judgement:?}");
        };
        failing(
            &|s| s.measured.failed = BTreeMap::from([("EXPIRED".into(), 2)]),
            "2 failed (2 EXPIRED)",
        );
        failing(&|s| s.looks[3].lag = Some(4), "4 ledgers apart");
        failing(&|s| s.validated = 0, "0 a second were validated");
        failing(&|s| s.measured.node.queue.record(51), "queue_max was 51, at most 50");
    }

    #[test]
    fn a_program_that_is_late_is_not_the_network() {
        let mut slow = seen(80.0, 0.0);
        slow.looks.iter_mut().for_each(|look| look.in_flight = 100);
        slow.measured.slots.missed = ByCause { generator: 400, ..ByCause::default() };
        let judgement = judge(&slow, &[]);
        assert!(!judgement.holds && judgement.by_program, "{judgement:?}");
        assert!(judgement.broke[0].starts_with("this program itself was late for 17 %"));
        // Late, and yet everything arrived: it holds.
        let mut late = seen(100.0, 0.0);
        late.measured.slots.late = ByCause { generator: 400, ..ByCause::default() };
        assert!(judge(&late, &[]).holds);
    }

    #[test]
    fn growth_is_a_slope() {
        let line =
            |f: fn(f64) -> f64| growth((0..10).map(move |n| (f64::from(n), f(f64::from(n)))));
        assert!((line(|x| 3.0 * x + 7.0) - 3.0).abs() < 1e-9);
        assert_eq!(line(|_| 5.0), 0.0);
        assert_eq!(growth([(0.0, 1.0), (1.0, 9.0)].into_iter()), 0.0, "two points say nothing");
    }
}
