//! Replays recordings of a real xrpld on a fresh ledger: every submit answer, every transaction's
//! metadata, every ledger hash. Every recording that lies in the folder is a test of its own:
//!
//! ```sh
//! cargo nextest run -p xrpl-standalone --test replay replay_offers
//! ```
//!
//! What differs is listed with its reason in `replay_differences.json`, and that list must be exact.

mod recordings;
mod replay_support;

use std::{panic, process::ExitCode};

use replay_support::{Differences, Recording};

fn replay(name: &str) -> Result<(), String> {
    let recording = Recording::open(name).ok_or("the recording is gone")?;
    if !recording.is_replay() {
        println!("{name} is no history to replay");
        return Ok(());
    }
    let report = recording.replay();
    println!("{report}");
    Differences::load().check(name, &report)
}

/// A harness of its own, since the names of its tests are those of files: it speaks as much of
/// libtest's language as `cargo test` and `cargo nextest` need.
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    let wanted: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let matches = |test: &str| match has("--exact") {
        true => wanted.iter().any(|wanted| *wanted == test),
        false => wanted.is_empty() || wanted.iter().any(|wanted| test.contains(wanted.as_str())),
    };
    // None is ignored.
    let names = if has("--ignored") { Vec::new() } else { recordings::names() };
    let tests = names.iter().map(|name| (format!("replay_{name}"), name));
    let tests: Vec<_> = tests.filter(|(test, _)| matches(test)).collect();
    if has("--list") {
        // The values of options are no filters.
        let format = args.iter().any(|arg| arg == "terse");
        let all = names.iter().map(|name| format!("replay_{name}")).filter(|_| format);
        all.for_each(|test| println!("{test}: test"));
        return ExitCode::SUCCESS;
    }
    if names.is_empty() {
        println!("skipped: no recordings (set XRPL_SHARED)");
    }
    let mut failed = Vec::new();
    for (test, name) in &tests {
        match panic::catch_unwind(|| replay(name)) {
            Ok(Ok(())) => println!("test {test} ... ok"),
            Ok(Err(complaint)) => {
                println!("test {test} ... FAILED: {complaint}");
                failed.push(test);
            }
            Err(_) => failed.push(test),
        }
    }
    println!("{} recordings, {} failed {failed:?}", tests.len(), failed.len());
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
