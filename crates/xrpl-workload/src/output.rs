//! Standard output, and whether it took what was printed.
//!
//! A full disk or a reader that went away must not end a run that has transactions in flight, and
//! must not be hidden either: the first failure is kept, and told when the program ends.

use std::{
    io::{self, Write},
    sync::OnceLock,
};

/// Why standard output did not take something, the first time.
static FAILED: OnceLock<String> = OnceLock::new();

/// Writes to standard output; false if it did not take it.
pub(crate) fn write(bytes: &[u8]) -> bool {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Ok(()) => true,
        Err(error) => {
            FAILED.get_or_init(|| error.to_string());
            false
        }
    }
}

/// Prints a line; false if standard output did not take it.
pub(crate) fn line(text: &str) -> bool {
    write(format!("{text}\n").as_bytes())
}

/// Prints a line to standard error. Where that is gone too there is nobody left to tell.
pub(crate) fn error_line(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Why standard output did not take everything, if it did not.
pub(crate) fn failure() -> Option<&'static str> {
    FAILED.get().map(String::as_str)
}
