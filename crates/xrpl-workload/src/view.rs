//! What a run prints while it goes on: a live line on a terminal, one line per interval where
//! output is piped, JSON lines for machines.

use std::{
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::json;
use xrpl_generator::Progress;

use crate::summary::Summary;

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One line that changes.
    Live,
    /// One line per interval.
    Lines,
    /// One JSON object per interval.
    Json,
    /// Not at all.
    Quiet,
}

impl Mode {
    /// By the flags and by where the output goes.
    #[must_use]
    pub fn choose(json: bool, quiet: bool) -> Self {
        let terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        match (json, quiet, terminal) {
            (true, true, _) | (false, true, _) => Self::Quiet,
            (true, false, _) => Self::Json,
            (false, false, true) => Self::Live,
            (false, false, false) => Self::Lines,
        }
    }
}

/// Where a run stands.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Snapshot {
    /// Seconds since the load started.
    pub seconds: u64,
    /// Newest validated ledger.
    pub ledger_index: u32,
    /// Handed to the tracker.
    pub submitted: u64,
    /// Validated.
    pub validated: u64,
    /// Without an end.
    pub pending: u64,
    /// Of valid intent, ended otherwise than validated.
    pub failed: u64,
    /// Deliberately invalid ones.
    pub expected_invalid: u64,
    /// Of the last ten seconds.
    pub validated_per_second: f64,
    /// Median of hand-in to validation.
    pub finality_ms_p50: u64,
}

impl Snapshot {
    fn line(&self) -> String {
        let invalid = match self.expected_invalid {
            0 => String::new(),
            n => format!(", {n} invalid on purpose"),
        };
        format!(
            "{:>5}s  ledger {}  submitted {}  validated {} ({:.0}/s, p50 {} ms)  pending {}  failed {}{invalid}",
            self.seconds,
            self.ledger_index,
            self.submitted,
            self.validated,
            self.validated_per_second,
            self.finality_ms_p50,
            self.pending,
            self.failed,
        )
    }
}

/// Prints a run.
#[derive(Debug)]
pub struct View {
    mode: Mode,
    json_at_end: bool,
    bar: ProgressBar,
    last: Mutex<(&'static str, Instant)>,
    interval: Duration,
}

impl View {
    /// A view; `bar` is shared with the log writer, so that logs do not tear the live line.
    #[must_use]
    pub fn new(mode: Mode, json: bool, interval: Duration, bar: ProgressBar) -> Self {
        if mode == Mode::Live {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(5));
            // The template is a constant of ours; without it the line is only plainer.
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
        }
        Self { mode, json_at_end: json, bar, last: Mutex::new(("", Instant::now())), interval }
    }

    /// How often [`View::interval`] is to be called.
    #[must_use]
    pub fn every(&self) -> Duration {
        if self.mode == Mode::Live { Duration::from_millis(200) } else { self.interval }
    }

    /// Something worth a line.
    pub fn say(&self, text: &str) {
        match self.mode {
            Mode::Live => self.bar.suspend(|| print(text)),
            Mode::Lines => print(text),
            Mode::Json => print(&json!({"event": "note", "text": text}).to_string()),
            Mode::Quiet => {}
        }
    }

    /// The preparation went on.
    pub fn preparing(&self, progress: Progress) {
        let Progress { stage, done, total } = progress;
        if self.mode == Mode::Live {
            self.bar.tick();
            return self.bar.set_message(format!("preparing: {stage} {done}/{total}"));
        }
        {
            let mut last = self.last.lock();
            let (last_stage, at) = *last;
            if last_stage == stage && done < total && at.elapsed() < self.interval {
                return;
            }
            *last = (stage, Instant::now());
        }
        match self.mode {
            Mode::Lines => print(&format!("preparing: {stage} {done}/{total}")),
            Mode::Json => print(
                &json!({"event": "preparing", "stage": stage, "done": done, "total": total})
                    .to_string(),
            ),
            Mode::Live | Mode::Quiet => {}
        }
    }

    /// An interval has passed.
    pub fn interval(&self, snapshot: &Snapshot) {
        match self.mode {
            Mode::Live => {
                self.bar.tick();
                self.bar.set_message(snapshot.line());
            }
            Mode::Lines => print(&snapshot.line()),
            Mode::Json => {
                let mut value = json!(snapshot);
                value["event"] = json!("interval");
                print(&value.to_string());
            }
            Mode::Quiet => {}
        }
    }

    /// Takes the live line away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// The end.
    pub fn end(&self, summary: &Summary, failures: &[String]) {
        self.bar.finish_and_clear();
        if self.json_at_end {
            for failure in failures {
                eprint(&format!("failed: {failure}"));
            }
            print(&json!(summary).to_string());
        } else {
            print(&summary.to_string());
            for failure in failures {
                print(&format!("  FAILED: {failure}"));
            }
        }
    }
}

/// Prints a line. A reader that went away must not end a run that has transactions in flight.
fn print(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn eprint(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_choose_the_mode() {
        assert_eq!(Mode::choose(true, false), Mode::Json);
        assert_eq!(Mode::choose(true, true), Mode::Quiet);
        assert_eq!(Mode::choose(false, true), Mode::Quiet);
    }

    #[test]
    fn the_line_has_every_number() {
        let line = Snapshot {
            seconds: 12,
            ledger_index: 345,
            submitted: 678,
            validated: 567,
            pending: 91,
            failed: 23,
            expected_invalid: 45,
            validated_per_second: 199.6,
            finality_ms_p50: 987,
        }
        .line();
        for part in [
            "12s",
            "ledger 345",
            "submitted 678",
            "validated 567 (200/s, p50 987 ms)",
            "pending 91",
            "failed 23",
            "45 invalid",
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
    }
}
