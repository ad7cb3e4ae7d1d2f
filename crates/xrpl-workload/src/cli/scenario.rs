//! `scenario check|show|schema`: files that say what a run does.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use super::Exit;
use crate::{
    config::{Config, ConfigError, Sources},
    output, scenario,
};

/// The command line of it.
pub(super) fn command() -> Command {
    let files = Arg::new("file").required(true).value_name("FILE");
    Command::new("scenario")
        .about("Checks and shows files that describe a run, stage by stage")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("check")
                .about("Checks whether files can be run; exit code 2 if one cannot")
                .arg(files.clone().num_args(1..).help("The files")),
        )
        .subcommand(
            Command::new("show")
                .about("Shows what a run of a file would do, stage by stage")
                .arg(files.help("The file"))
                .arg(
                    Arg::new("as-json")
                        .long("as-json")
                        .action(ArgAction::SetTrue)
                        .help("Print it as JSON"),
                ),
        )
        .subcommand(Command::new("schema").about("Prints the JSON schema of such files"))
}

/// Runs it.
pub(super) fn run(matches: &ArgMatches) -> Exit {
    match matches.subcommand() {
        Some(("check", sub)) => check(sub.get_many("file").into_iter().flatten()),
        Some(("show", sub)) => {
            show(sub.get_one::<String>("file").map_or("", String::as_str), sub.get_flag("as-json"))
        }
        _ => {
            output::write(scenario::SCHEMA.as_bytes());
            Exit::Success
        }
    }
}

/// What `run --scenario FILE` would do.
fn read(file: &str) -> Result<Config, ConfigError> {
    let flags = BTreeMap::from([("scenario", vec![file.to_owned()])]);
    Config::load(&Sources { flags, ..Sources::of_process() })
}

fn check<'a>(files: impl Iterator<Item = &'a String>) -> Exit {
    let mut exit = Exit::Success;
    for file in files {
        match read(file) {
            Ok(_) => super::print(&format!("{file}: ok")),
            Err(error) => {
                output::error_line(&format!("error: {error}"));
                exit = Exit::Usage;
            }
        }
    }
    exit
}

fn show(file: &str, as_json: bool) -> Exit {
    let config = match read(file) {
        Ok(config) => config,
        Err(error) => {
            output::error_line(&format!("error: {error}"));
            return Exit::Usage;
        }
    };
    let outline = config.scenario.outline();
    super::print(&match as_json {
        true => json!(outline).to_string(),
        false => outline.to_string(),
    });
    Exit::Success
}
