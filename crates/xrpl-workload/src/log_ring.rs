//! The newest lines of the log in memory, and secrets kept out of it.

use std::{
    borrow::Cow,
    collections::{BTreeSet, VecDeque},
    io::{self, Write},
};

use aho_corasick::{AhoCorasick, MatchKind};
use parking_lot::{Mutex, RwLock};
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// Lines kept.
pub const KEPT: usize = 2_000;
/// The longest line kept, bytes.
const LONGEST: usize = 4_096;
/// What stands in place of a secret.
const REDACTED: &str = "<redacted>";

// A process has one log, as it has one standard error.
static LINES: Mutex<VecDeque<(Level, String)>> = Mutex::new(VecDeque::new());
static SECRETS: RwLock<Secrets> = RwLock::new(Secrets { all: BTreeSet::new(), finder: None });

/// What is not to be told: thousands of secrets, looked for in one reading of a line.
struct Secrets {
    all: BTreeSet<String>,
    finder: Option<AhoCorasick>,
}

/// Keeps texts out of the log from now on.
///
/// # Errors
/// They are too many to look for.
pub fn hide<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Result<(), String> {
    let mut hidden = SECRETS.write();
    let given = secrets.into_iter().filter(|secret| !secret.is_empty());
    hidden.all.extend(given.map(str::to_owned));
    let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&hidden.all);
    hidden.finder = Some(finder.map_err(|error| error.to_string())?);
    Ok(())
}

/// A text without secrets.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let secrets = SECRETS.read();
    let Some(finder) = secrets.finder.as_ref().filter(|finder| finder.is_match(text)) else {
        return Cow::Borrowed(text);
    };
    let mut told = String::with_capacity(text.len());
    finder.replace_all_with(text, &mut told, |_, _, told| {
        told.push_str(REDACTED);
        true
    });
    Cow::Owned(told)
}

/// A level by name.
#[must_use]
pub fn level(name: &str) -> Option<Level> {
    match name {
        "error" => Some(Level::ERROR),
        "warn" => Some(Level::WARN),
        "info" => Some(Level::INFO),
        "debug" => Some(Level::DEBUG),
        "trace" => Some(Level::TRACE),
        _ => None,
    }
}

/// The newest lines of a level or worse, oldest first, and how many there are in memory.
#[must_use]
pub fn newest(n: usize, level: Level) -> (Vec<String>, usize) {
    let lines = LINES.lock();
    let matching = || lines.iter().filter(|(of, _)| *of <= level);
    let total = matching().count();
    let newest = matching().skip(total.saturating_sub(n));
    (newest.map(|(_, text)| text.clone()).collect(), total)
}

fn push(level: Level, text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let mut text = redact(text.trim_end()).into_owned();
    if text.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
    }
    let mut lines = LINES.lock();
    if lines.len() >= KEPT {
        lines.pop_front();
    }
    lines.push_back((level, text));
}

/// Writes log lines into memory.
#[derive(Clone, Copy, Debug)]
pub struct Ring;

impl<'a> MakeWriter<'a> for Ring {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { level: Level::INFO, text: Vec::new() }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Line {
        Line { level: *meta.level(), text: Vec::new() }
    }
}

/// A line, kept when it is whole.
#[derive(Debug)]
pub struct Line {
    level: Level,
    text: Vec<u8>,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.text.is_empty() {
            push(self.level, &self.text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // One test, since a process has one log.
    #[test]
    fn lines_are_bounded_filtered_and_without_secrets() {
        hide(["sHidden9", ""]).unwrap();
        hide(["sHidden"]).unwrap();
        assert_eq!(redact("a sHidden9, sHidden9"), "a <redacted>, <redacted>");
        assert!(matches!(redact("nothing"), Cow::Borrowed("nothing")));
        for n in 0..KEPT + 7 {
            let level = if n % 2 == 0 { Level::WARN } else { Level::DEBUG };
            push(level, format!("{n} sHidden9\n").as_bytes());
        }
        let (all, total) = newest(3, Level::TRACE);
        assert_eq!(total, KEPT);
        assert_eq!(all.last().unwrap(), &format!("{} <redacted>", KEPT + 6));
        let (warned, total) = newest(KEPT, Level::INFO);
        assert_eq!((warned.len(), total), (KEPT / 2, KEPT / 2));
        push(Level::ERROR, "é".repeat(LONGEST).as_bytes());
        assert!(newest(1, Level::ERROR).0[0].len() <= LONGEST);
        assert_eq!(level("warn"), Some(Level::WARN));
        assert_eq!(level("loud"), None);
    }
}
