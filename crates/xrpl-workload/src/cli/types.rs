//! `types`: the table of transaction types.

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::Exit;
use crate::{output, types};

/// The command line of it.
pub(super) fn command() -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    Command::new("types")
        .about("Shows all transaction types: forms, ways to send them, ways to make them invalid")
        .arg(flag("json", "Print it as JSON").conflicts_with("markdown"))
        .arg(flag("markdown", "Print it as Markdown, as in docs/types.md"))
}

/// Runs it.
pub(super) fn run(matches: &ArgMatches) -> Exit {
    let rows = match types::rows() {
        Ok(rows) => rows,
        Err(error) => {
            output::error_line(&format!("error: {error}"));
            return Exit::Setup;
        }
    };
    let text = if matches.get_flag("markdown") {
        types::markdown(&rows)
    } else if matches.get_flag("json") {
        match serde_json::to_string_pretty(&rows) {
            Ok(text) => text + "\n",
            Err(error) => {
                output::error_line(&format!("error: {error}"));
                return Exit::Setup;
            }
        }
    } else {
        types::plain(&rows)
    };
    output::write(text.as_bytes());
    Exit::Success
}
