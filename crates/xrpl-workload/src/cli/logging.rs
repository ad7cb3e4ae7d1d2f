//! Logs go to standard error, around the live line.

use std::io::{self, Write};

use indicatif::ProgressBar;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::LevelFilter,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::{config::Config, log_ring};

/// Starts logging as configured.
pub(super) fn start(config: &Config, bar: ProgressBar) {
    if let Err(error) = log_ring::hide(config.secrets()) {
        // Nothing is logged rather than a secret.
        crate::output::error_line(&format!("logging could not be started: {error}"));
        return;
    }
    // The configuration has parsed it before.
    let filter = EnvFilter::builder().parse_lossy(&config.log_level);
    let lines = fmt::layer().with_writer(Around(bar));
    let lines = match config.log_json {
        true => lines.json().boxed(),
        false => lines.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).boxed(),
    };
    // `/logs` has what is worth knowing even where standard error is told less.
    let ring = fmt::layer().with_ansi(false).with_writer(log_ring::Ring);
    let kept = EnvFilter::builder().parse_lossy(&config.log_level);
    let least = LevelFilter::INFO;
    let kept = match kept.max_level_hint() {
        Some(hint) if hint >= least => ring.with_filter(kept).boxed(),
        _ => ring.with_filter(least).boxed(),
    };
    let registry = tracing_subscriber::registry().with(lines.with_filter(filter)).with(kept);
    if let Err(error) = registry.try_init() {
        crate::output::error_line(&format!("logging could not be started: {error}"));
    }
}

/// Writes around the live line.
struct Around(ProgressBar);

impl<'a> MakeWriter<'a> for Around {
    type Writer = Line<'a>;
    fn make_writer(&'a self) -> Line<'a> {
        Line { bar: &self.0, text: Vec::new() }
    }
}

/// One log line, written when it is whole.
struct Line<'a> {
    bar: &'a ProgressBar,
    text: Vec<u8>,
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if !self.text.is_empty() {
            // A log that cannot be written has nowhere to complain.
            let text = String::from_utf8_lossy(&self.text);
            let text = log_ring::redact(&text);
            self.bar.suspend(|| drop(io::stderr().lock().write_all(text.as_bytes())));
        }
    }
}
