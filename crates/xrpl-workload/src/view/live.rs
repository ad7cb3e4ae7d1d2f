//! The live view of a terminal: a few lines that change, never wider than the terminal is now.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use console::{measure_text_width, truncate_str};

use super::Snapshot;
use crate::scenario::progress_text;

/// Rates drawn.
const RATES: usize = 32;
/// How far apart they are taken.
const RATE_EVERY: Duration = Duration::from_secs(1);
/// Failures kept as the last ones.
const LAST: usize = 4;
/// Heights of a drawn rate.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What the lines remember between two snapshots.
#[derive(Debug, Default)]
pub(super) struct Live {
    rates: VecDeque<f64>,
    rate_at: Option<Instant>,
    seen: Option<BTreeMap<String, u64>>,
    last: VecDeque<(Instant, String, u64)>,
}

impl Live {
    fn note(&mut self, snapshot: &Snapshot, now: Instant) {
        if self.rate_at.is_none_or(|at| now.duration_since(at) >= RATE_EVERY) {
            self.rate_at = Some(now);
            self.rates.push_back(snapshot.validated_per_second);
            if self.rates.len() > RATES {
                self.rates.pop_front();
            }
        }
        // What failed before the first look is not news.
        if let Some(seen) = &self.seen {
            for (code, n) in &snapshot.failures {
                let more = n.saturating_sub(seen.get(code).copied().unwrap_or(0));
                if more > 0 {
                    self.last.push_front((now, code.clone(), more));
                    self.last.truncate(LAST);
                }
            }
        }
        if self.seen.as_ref() != Some(&snapshot.failures) {
            self.seen = Some(snapshot.failures.clone());
        }
    }

    /// The lines for a terminal of a width.
    pub(super) fn lines(&mut self, snapshot: &Snapshot, now: Instant, width: usize) -> String {
        self.note(snapshot, now);
        let s = snapshot;
        let ledger = match s.ledger_txn_count {
            Some(count) => format!(" ({count} transactions, {} ours)", s.ledger_ours),
            None => String::new(),
        };
        let states: Vec<_> = s
            .by_state
            .iter()
            .filter(|(_, n)| **n > 0)
            .map(|(name, n)| format!("{name} {n}"))
            .collect();
        let spread = &s.finality_ms;
        let apart = s.apart();
        let last: Vec<_> = self
            .last
            .iter()
            .map(|(at, code, n)| format!("{code} x{n} {} s ago", now.duration_since(*at).as_secs()))
            .collect();
        let last = if last.is_empty() { "none".to_owned() } else { last.join(", ") };
        let stage = s.stage.as_ref().map(|stage| format!("  stage     {}", progress_text(stage)));
        let lines = [
            format!("{} s, ledger {}{ledger}", s.seconds, s.ledger_index),
            format!("  rate      {:.1} validated/s {}", s.validated_per_second, self.bars()),
            format!("  states    {}", states.join("  ")),
            format!(
                "  finality  p50 {} ms  p90 {} ms  p99 {} ms  max {} ms",
                spread.p50, spread.p90, spread.p99, spread.max
            ),
            format!(
                "  counts    submitted {}  pending {}  failed {}{apart}",
                s.submitted, s.pending, s.failed
            ),
            format!("  failures  {last}"),
        ];
        let lines: Vec<_> = lines.iter().chain(&stage).map(|line| fit(line, width)).collect();
        lines.join("\n")
    }

    fn bars(&self) -> String {
        let highest = self.rates.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let height = |rate: &f64| ((rate / highest) * (BARS.len() - 1) as f64).round() as usize;
        self.rates.iter().map(|rate| BARS[height(rate).min(BARS.len() - 1)]).collect()
    }
}

/// A line cut to a width: a wrapped one could not be taken back.
pub(super) fn fit(line: &str, width: usize) -> String {
    match measure_text_width(line) > width {
        true => truncate_str(line, width, "…").into_owned(),
        false => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> Snapshot {
        Snapshot {
            seconds: 9,
            ledger_index: 345,
            ledger_txn_count: Some(200),
            ledger_ours: 198,
            submitted: 678,
            pending: 91,
            failed: 23,
            validated_per_second: 199.6,
            by_state: BTreeMap::from([("SUBMITTED".into(), 91), ("CREATED".into(), 0)]),
            failures: BTreeMap::from([("tecPATH_DRY".into(), 3)]),
            ..Snapshot::default()
        }
    }

    #[test]
    fn every_part_is_there_and_fits_whatever_the_width() {
        let mut live = Live::default();
        let start = Instant::now();
        let text = live.lines(&snapshot(), start, 100);
        for part in [
            "9 s, ledger 345 (200 transactions, 198 ours)",
            "199.6",
            "█",
            "SUBMITTED 91",
            "failed 23",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("CREATED") && text.contains("failures  none"), "{text}");
        for width in [1, 10, 40, 79] {
            let text = live.lines(&snapshot(), start, width);
            assert!(text.lines().all(|line| measure_text_width(line) <= width), "{text}");
        }
    }

    #[test]
    fn the_last_failures_are_those_that_came_since() {
        let mut live = Live::default();
        let start = Instant::now();
        live.lines(&snapshot(), start, 100);
        let mut later = snapshot();
        later.failures.insert("tecPATH_DRY".into(), 5);
        later.failures.insert("temBAD_FEE".into(), 1);
        live.lines(&later, start, 100);
        let text = live.lines(&later, start + Duration::from_secs(3), 100);
        assert!(text.contains("temBAD_FEE x1 3 s ago, tecPATH_DRY x2 3 s ago"), "{text}");
        for n in 0..2_000_u64 {
            later.failures.insert("temBAD_FEE".into(), n);
            live.lines(&later, start + Duration::from_secs(n), 100);
        }
        assert!(live.last.len() <= LAST && live.rates.len() <= RATES);
    }
}
