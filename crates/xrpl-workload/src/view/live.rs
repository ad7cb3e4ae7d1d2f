//! The live view of a terminal: a few lines that change, never wider than the terminal is now.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use console::{measure_text_width, truncate_str};
use xrpl_generator::pacing::PacingStats;

use super::{Snapshot, pressure::held_back};
use crate::{scenario::progress_text, words};

/// Rates drawn.
const RATES: usize = 32;
/// How far apart they are taken.
const RATE_EVERY: Duration = Duration::from_secs(1);
/// Failures kept as the last ones.
const LAST: usize = 3;
/// Types drawn at most.
const TYPES: usize = 6;
/// The longest bar of a type.
const TYPE_BAR: usize = 20;
/// How far back it is looked for what holds the load back, in rates.
const LOOK_BACK: usize = 10;
/// Ledgers of which the interval is taken.
const LEDGERS: usize = 8;
/// Heights of a drawn rate.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What the lines remember between two snapshots.
#[derive(Debug, Default)]
pub(super) struct Live {
    rates: VecDeque<f64>,
    rate_at: Option<Instant>,
    seen: Option<BTreeMap<String, u64>>,
    last: VecDeque<(Instant, String, u64)>,
    /// The schedule's counters, as often as rates.
    pacing: VecDeque<PacingStats>,
    /// When ledgers were first seen.
    ledgers: VecDeque<(Instant, u32)>,
}

impl Live {
    fn note(&mut self, snapshot: &Snapshot, now: Instant) {
        if self.rate_at.is_none_or(|at| now.duration_since(at) >= RATE_EVERY) {
            self.rate_at = Some(now);
            self.rates.push_back(snapshot.validated_per_second);
            if self.rates.len() > RATES {
                self.rates.pop_front();
            }
            if let Some(load) = &snapshot.load {
                self.pacing.push_back(load.pacing);
                if self.pacing.len() > LOOK_BACK {
                    self.pacing.pop_front();
                }
            }
        }
        let newest = snapshot.ledger_index;
        if self.ledgers.back().is_none_or(|(_, index)| *index != newest) {
            self.ledgers.push_back((now, newest));
            if self.ledgers.len() > LEDGERS {
                self.ledgers.pop_front();
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

    /// Seconds between the newest ledgers.
    fn ledger_seconds(&self) -> Option<f64> {
        let ((from, first), (until, last)) = (self.ledgers.front()?, self.ledgers.back()?);
        let ledgers = last.checked_sub(*first).filter(|ledgers| *ledgers > 0)?;
        Some(until.duration_since(*from).as_secs_f64() / f64::from(ledgers))
    }

    /// The lines for a terminal of a width and height.
    pub(super) fn lines(
        &mut self,
        snapshot: &Snapshot,
        now: Instant,
        width: usize,
        height: usize,
    ) -> String {
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
        let target = match s.target() {
            Some(target) => format!(" of {}/s", words::number(target)),
            None => String::new(),
        };
        let mut lines = vec![
            format!("{} s, ledger {}{ledger}", s.seconds, s.ledger_index),
            format!(
                "  rate      {:.1} validated/s{target} {}",
                s.validated_per_second,
                self.bars()
            ),
        ];
        let before = self.pacing.front().copied().unwrap_or_default();
        let held = held_back(&before, s, self.ledger_seconds());
        lines.extend(held.map(|why| format!("  held by   {why}")));
        lines.extend([
            format!("  states    {}", states.join("  ")),
            format!(
                "  finality  p50 {} ms  p90 {} ms  p99 {} ms  max {} ms",
                spread.p50, spread.p90, spread.p99, spread.max
            ),
            format!(
                "  counts    submitted {}  pending {}  failed {}{apart}",
                s.submitted, s.pending, s.failed
            ),
        ]);
        let mut end = self.failures(now);
        end.extend(s.stage.as_ref().map(|stage| format!("  stage     {}", progress_text(stage))));
        // What does not fit on the terminal could not be taken back.
        let rest = height.saturating_sub(lines.len() + end.len());
        lines.extend(types(s, rest.min(TYPES)));
        lines.append(&mut end);
        lines.truncate(height.max(1));
        let lines: Vec<_> = lines.iter().map(|line| fit(line, width)).collect();
        lines.join("\n")
    }

    /// The last failures, the newest first, with what their results mean.
    fn failures(&self, now: Instant) -> Vec<String> {
        if self.last.is_empty() {
            return vec!["  failures  none".to_owned()];
        }
        let lines = self.last.iter().enumerate().map(|(n, (at, code, count))| {
            let head = if n == 0 { "  failures  " } else { "            " };
            let (message, meaning) = words::result(code);
            let reason = if message.is_empty() { meaning } else { message };
            let ago = now.duration_since(*at).as_secs();
            format!("{head}{code} x{count} {ago} s ago: {reason}")
        });
        lines.collect()
    }

    fn bars(&self) -> String {
        let highest = self.rates.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let height = |rate: &f64| ((rate / highest) * (BARS.len() - 1) as f64).round() as usize;
        self.rates.iter().map(|rate| BARS[height(rate).min(BARS.len() - 1)]).collect()
    }
}

/// The types that were submitted most, at most this many lines.
fn types(snapshot: &Snapshot, lines: usize) -> Vec<String> {
    let Some(load) = &snapshot.load else { return Vec::new() };
    let mut types: Vec<_> = load.by_type.iter().filter(|(_, n)| **n > 0).collect();
    types.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    let most = types.first().map_or(1, |(_, n)| **n).max(1);
    // The last line says how many are not shown.
    let shown = if types.len() > lines { lines.saturating_sub(1) } else { lines };
    let hidden = types.len().saturating_sub(shown);
    let longest = types.iter().take(shown).map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut all: Vec<_> = types
        .iter()
        .take(shown)
        .enumerate()
        .map(|(row, (name, n))| {
            let head = if row == 0 { "  types     " } else { "            " };
            let length = ((**n as f64 / most as f64) * TYPE_BAR as f64).ceil() as usize;
            let bar = "█".repeat(length.clamp(1, TYPE_BAR));
            format!("{head}{name:<longest$} {bar} {}", words::number(**n as f64))
        })
        .collect();
    if hidden > 0 && lines > 0 {
        let head = if shown == 0 { "  types     " } else { "            " };
        let more = if shown == 0 { "" } else { " more" };
        all.push(format!("{head}{hidden}{more}"));
    }
    all
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
    use xrpl_generator::{StageProgress, pacing::ByCause};

    use super::{super::snapshot::LoadSnapshot, *};

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
        let text = live.lines(&snapshot(), start, 100, 24);
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
            let text = live.lines(&snapshot(), start, width, 24);
            assert!(text.lines().all(|line| measure_text_width(line) <= width), "{text}");
        }
    }

    #[test]
    fn the_last_failures_are_those_that_came_since() {
        let mut live = Live::default();
        let start = Instant::now();
        live.lines(&snapshot(), start, 100, 24);
        let mut later = snapshot();
        later.failures.insert("tecPATH_DRY".into(), 5);
        later.failures.insert("temBAD_FEE".into(), 1);
        live.lines(&later, start, 100, 24);
        let text = live.lines(&later, start + Duration::from_secs(3), 100, 24);
        assert!(text.contains("  failures  temBAD_FEE x1 3 s ago: "), "{text}");
        assert!(text.contains("            tecPATH_DRY x2 3 s ago: Path could not send"), "{text}");
        for n in 0..2_000_u64 {
            later.failures.insert("temBAD_FEE".into(), n);
            live.lines(&later, start + Duration::from_secs(n), 100, 24);
        }
        assert!(live.last.len() <= LAST && live.rates.len() <= RATES);
    }

    #[test]
    fn the_target_what_holds_it_back_and_the_types_are_shown() {
        let mut live = Live::default();
        let start = Instant::now();
        let types = ["Payment", "OfferCreate", "TrustSet", "A", "B", "C", "D", "E"];
        let at = |n: u64| {
            let mut now = snapshot();
            now.ledger_index += u32::try_from(n).unwrap();
            now.stage = Some(StageProgress {
                target_tps: Some(400.0),
                stages: 1,
                ..StageProgress::default()
            });
            let missed = ByCause { lanes_empty: n * 200, ..ByCause::default() };
            let pacing = PacingStats { on_time: n * 200, missed, ..PacingStats::default() };
            let by_type = types.iter().zip([80, 40, 9, 8, 7, 6, 5, 0]);
            let by_type = by_type.map(|(name, n)| ((*name).to_owned(), n)).collect();
            now.load = Some(LoadSnapshot { accounts: 100, max_pending: 5, pacing, by_type });
            now
        };
        live.lines(&at(0), start, 100, 24);
        let text = live.lines(&at(2), start + Duration::from_secs(6), 100, 24);
        for part in [
            "199.6 validated/s of 400/s",
            "  held by   accounts and ledger interval: 100 x 5 in flight, a ledger every 3.0 s",
            "  types     Payment     ████████████████████ 80",
            "            OfferCreate ██████████ 40",
            "            2 more",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        for height in 1..20 {
            let text = live.lines(&at(3), start + Duration::from_secs(9), 100, height);
            assert!(text.lines().count() <= height, "{height}: {text}");
        }
    }
}
