//! Logs go to standard error, around the live line.

use std::io::{self, Write};

use indicatif::ProgressBar;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::config::Config;

/// Starts logging as configured.
pub(super) fn start(config: &Config, bar: ProgressBar) {
    // The configuration has parsed it before.
    let filter = EnvFilter::builder().parse_lossy(&config.log_level);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(Around(bar));
    let started = match config.log_json {
        true => builder.json().try_init(),
        false => {
            let colours = io::IsTerminal::is_terminal(&io::stderr());
            builder.with_ansi(colours).try_init()
        }
    };
    if let Err(error) = started {
        eprintln!("logging could not be started: {error}");
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
            self.bar.suspend(|| drop(io::stderr().lock().write_all(&self.text)));
        }
    }
}
