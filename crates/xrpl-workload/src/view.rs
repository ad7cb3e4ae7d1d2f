//! What a run prints while it goes on: a live view on a terminal, one line per interval where
//! output is piped, JSON lines for machines.

mod live;
mod pressure;
mod snapshot;

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;
use serde_json::json;
use xrpl_generator::{Progress, coverage::Coverage, pacing::PacingStats};

use crate::{output, summary::Summary};
pub use snapshot::{LoadSnapshot, Snapshot};

/// The JSON schema of every line that `--json` prints.
pub const SCHEMA: &str = include_str!("../schemas/output.schema.json");

/// How often the live view is drawn.
const LIVE_EVERY: Duration = Duration::from_millis(200);
/// What a bar and its numbers take of a line.
const BAR_WIDTH: usize = 36;
/// Rows and columns of a terminal that does not report its own.
const USUAL_SIZE: (u16, u16) = (24, 80);

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Lines that change.
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

/// What was printed last.
#[derive(Debug)]
struct Last {
    stage: &'static str,
    at: Instant,
    live: live::Live,
    /// Of the last line.
    pacing: PacingStats,
}

/// Prints a run.
#[derive(Debug)]
pub struct View {
    mode: Mode,
    json_at_end: bool,
    bar: ProgressBar,
    last: Mutex<Last>,
    interval: Duration,
}

impl View {
    /// A view; `bar` is shared with the log writer, so that logs do not tear the live view.
    #[must_use]
    pub fn new(mode: Mode, json: bool, interval: Duration, bar: ProgressBar) -> Self {
        if mode == Mode::Live {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(5));
            clear_on_panic(bar.clone());
        }
        let last = Last {
            stage: "",
            at: Instant::now(),
            live: live::Live::default(),
            pacing: PacingStats::default(),
        };
        let view = Self { mode, json_at_end: json, bar, last: Mutex::new(last), interval };
        // Until there is something to show, nothing is.
        view.style("{msg}");
        view
    }

    /// A view that prints nothing.
    #[must_use]
    pub fn silent() -> Self {
        Self::new(Mode::Quiet, false, LIVE_EVERY, ProgressBar::hidden())
    }

    /// How often [`View::interval`] is to be called.
    #[must_use]
    pub fn every(&self) -> Duration {
        if self.mode == Mode::Live { LIVE_EVERY } else { self.interval }
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
            return self.progress(&format!("preparing: {stage}"), done as u64, total as u64);
        }
        if self.is_due(stage, done >= total) {
            match self.mode {
                Mode::Lines => print(&format!("preparing: {stage} {done}/{total}")),
                Mode::Json => print(
                    &json!({"event": "preparing", "stage": stage, "done": done, "total": total})
                        .to_string(),
                ),
                Mode::Live | Mode::Quiet => {}
            }
        }
    }

    /// No new load; so many of those in flight at that moment have no end yet.
    pub fn stopping(&self, left: u64, of: u64) {
        let of = of.max(left);
        if self.mode == Mode::Live {
            return self.progress("stopping: in flight to their end", of - left, of);
        }
        if self.is_due("stopping", false) {
            match self.mode {
                Mode::Lines => print(&format!("stopping: {left} of {of} in flight left")),
                Mode::Json => {
                    print(&json!({"event": "stopping", "left": left, "of": of}).to_string());
                }
                Mode::Live | Mode::Quiet => {}
            }
        }
    }

    /// Whether a stage's line is to be printed: its first one, its last one, and one per interval.
    fn is_due(&self, stage: &'static str, ends: bool) -> bool {
        let mut last = self.last.lock();
        let due = last.stage != stage || ends || last.at.elapsed() >= self.interval;
        if due {
            (last.stage, last.at) = (stage, Instant::now());
        }
        due
    }

    fn progress(&self, what: &str, done: u64, of: u64) {
        self.style("{msg} [{bar:20}] {pos}/{len}");
        self.bar.set_length(of);
        self.bar.set_position(done);
        self.bar.set_message(live::fit(what, size().0.saturating_sub(BAR_WIDTH).max(10)));
    }

    fn style(&self, template: &str) {
        // Templates are constants of this file; without one the view is only plainer.
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
    }

    /// An interval has passed.
    pub fn interval(&self, snapshot: &Snapshot) {
        match self.mode {
            Mode::Live => {
                let (width, height) = size();
                let text = self.last.lock().live.lines(snapshot, Instant::now(), width, height);
                self.style("{msg}");
                self.bar.set_message(text);
                self.bar.tick();
            }
            Mode::Lines => {
                let mut last = self.last.lock();
                let held = pressure::held_back(&last.pacing, snapshot, None);
                last.pacing = snapshot.load.as_ref().map_or(last.pacing, |load| load.pacing);
                drop(last);
                print(&match held {
                    Some(why) => format!("{}  held back by {why}", snapshot.line()),
                    None => snapshot.line(),
                });
            }
            Mode::Json => {
                let mut value = json!(snapshot);
                value["event"] = json!("interval");
                print(&value.to_string());
            }
            Mode::Quiet => {}
        }
    }

    /// Takes the live view away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// The end.
    pub fn end(&self, summary: &Summary, failures: &[String], coverage: Option<&Coverage>) {
        self.bar.finish_and_clear();
        if let Some(coverage) = coverage {
            let text = match self.json_at_end {
                true => json!({
                    "event": "coverage",
                    "reached": coverage.reached,
                    "never": coverage.never,
                    "not_sent": coverage.not_sent,
                })
                .to_string(),
                false => coverage.to_string(),
            };
            if !output::line(&text) {
                output::error_line(&text);
            }
        }
        let text = if self.json_at_end {
            for failure in failures {
                output::error_line(&format!("failed: {failure}"));
            }
            json!(summary).to_string()
        } else {
            let failed = failures.iter().map(|failure| format!("\n  FAILED: {failure}"));
            std::iter::once(summary.to_string()).chain(failed).collect()
        };
        // To what can take it.
        if !output::line(&text) {
            output::error_line(&text);
        }
    }
}

/// The terminal's width and height now: they are asked each time, so that the view follows when they
/// change.
fn size() -> (usize, usize) {
    let (rows, columns) = console::Term::stderr().size_checked().unwrap_or(USUAL_SIZE);
    // A full last column makes some terminals wrap, a full last row scroll.
    let less = |n: u16| usize::from(n).saturating_sub(1).max(1);
    (less(columns), less(rows))
}

impl Drop for View {
    /// However a run ends, the live view does not stay on the terminal.
    fn drop(&mut self) {
        if self.mode == Mode::Live {
            self.bar.finish_and_clear();
        }
    }
}

/// A panic's message must not be torn by the live view, nor the view be left standing.
fn clear_on_panic(bar: ProgressBar) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // A thread that panics draws nothing, and may hold the view's lock: another one does it, and
        // is not waited for long.
        let (tell, told) = std::sync::mpsc::channel();
        let bar = bar.clone();
        std::thread::spawn(move || {
            bar.finish_and_clear();
            // Who waited may have given up.
            let _ = tell.send(());
        });
        let _ = told.recv_timeout(Duration::from_millis(200));
        before(panic);
    }));
}

/// Prints a line; what standard output does not take is told at the end.
fn print(line: &str) {
    output::line(line);
}

#[cfg(test)]
mod tests {
    use indicatif::{InMemoryTerm, TermLike};

    use super::*;

    /// A live view on a terminal in memory.
    fn on(terminal: &InMemoryTerm) -> View {
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(terminal.clone()), 255);
        let bar = ProgressBar::hidden();
        let view = View::new(Mode::Live, false, Duration::from_secs(1), bar.clone());
        bar.set_draw_target(target);
        view
    }

    #[test]
    fn flags_choose_the_mode() {
        assert_eq!(Mode::choose(true, false), Mode::Json);
        assert_eq!(Mode::choose(true, true), Mode::Quiet);
        assert_eq!(Mode::choose(false, true), Mode::Quiet);
    }

    #[test]
    fn the_live_view_changes_in_place_and_is_gone_after_a_panic() {
        let terminal = InMemoryTerm::new(24, 100);
        terminal.write_line("before").unwrap();
        let view = on(&terminal);
        view.preparing(Progress { stage: "funding", done: 3, total: 10 });
        assert!(terminal.contents().contains("preparing: funding ["), "{}", terminal.contents());
        assert!(terminal.contents().contains("3/10"));
        for seconds in 1..=3 {
            view.interval(&Snapshot { seconds, ledger_index: 345, ..Snapshot::default() });
            std::thread::sleep(Duration::from_millis(20));
        }
        let shown = terminal.contents();
        assert!(shown.contains("3 s, ledger 345") && !shown.contains("2 s, ledger"), "{shown}");
        assert!(!shown.contains("funding") && shown.lines().count() == 7, "{shown}");
        view.stopping(4, 10);
        assert!(terminal.contents().contains("6/10"), "{}", terminal.contents());
        view.interval(&Snapshot::default());
        drop(view);
        assert_eq!(terminal.contents(), "before", "it is gone with the view");
        let view = on(&terminal);
        view.stopping(4, 10);
        let panicked = std::thread::spawn(|| panic!("on purpose, by a test")).join();
        assert!(panicked.is_err());
        assert_eq!(terminal.contents(), "before");
    }
}
