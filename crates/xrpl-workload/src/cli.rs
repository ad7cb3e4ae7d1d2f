//! The command line. Flags are made from the table of [settings](crate::settings).

use std::{collections::BTreeMap, process::ExitCode};

use clap::{Arg, ArgAction, ArgMatches, Command};
use clap_complete::Shell;
use indicatif::{ProgressBar, ProgressDrawTarget};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    config::{Config, ConfigError, Sources},
    output,
    session::Stop,
    settings::{SETTINGS, Setting, Shape, commands},
};

mod audit;
mod capacity;
mod config;
mod doctor;
mod generate;
mod help;
mod instance;
mod journey;
mod logging;
mod remote;
mod run;
mod runs;
mod scenario;
mod shadow;
mod standalone;
mod submit;
mod suggest;
mod types;

pub use help::examples;

macro_rules! exits {
    ($($name:ident = $code:literal, $meaning:literal;)*) => {
        /// How the program ends. `docs/reference/exit-codes.md` is made from this table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Exit {
            $(#[doc = $meaning] $name = $code,)*
        }

        impl Exit {
            /// All of them, by number.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// What it says, command by command.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $meaning,)*
                }
            }
        }
    };
}

exits! {
    Success = 0, "`run`: every transaction that was meant to succeed was validated. `submit`: validated with `tesSUCCESS`. Other commands: done.";
    Failures = 1, "`run`: a transaction that was meant to succeed was rejected, expired, lost or left undecided, or a deliberately invalid one did not get the predicted result, or nothing could be sent at all, or `--fuzz` found something, or `--shadow` found a ledger with another outcome; standard error says which. `audit`: store and ledgers differ. `capacity`: no rate held, or time ran out. `compare`: something is worse. `journey`: a step did not succeed. `shadow`: a ledger had another outcome. `tx`: the instance does not track it.";
    Usage = 2, "The command line, the environment or the configuration file is wrong. Nothing was done.";
    Setup = 3, "Something the command needs is not available: a node, a port, the store, funds, the instance. `doctor`: a run would not work. `compare`: the two runs cannot be compared. `journey`: it cannot begin on this network.";
    Output = 4, "Otherwise 0, but standard output could not be written completely; the summary of `run` is then on standard error.";
    Unseen = 5, "`audit`, `shadow`: everything that could be compared agrees, but not everything could be compared.";
    Limits = 6, "`run`: otherwise 0, but a limit of the scenario was broken; the summary shows the limit and the measured value.";
    Interrupted = 7, "`capacity`, `run --ab`: ended by Ctrl-C, SIGTERM or the API before it had its result; `capacity` prints what it found until then.";
    Claimed = 10, "`submit`, `tx`: validated with a `tec` result: the fee was charged and nothing else happened.";
    Rejected = 11, "`submit`, `tx`: REJECTED.";
    Expired = 12, "`submit`, `tx`: EXPIRED: proven to be in no ledger.";
    FailedNet = 13, "`submit`, `tx`: FAILED_NET: it was never sent.";
    Undecided = 14, "`submit`, `tx`: no final result within `--timeout`. It may still be validated.";
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Runs the program and says how it ended.
#[must_use]
pub fn main() -> ExitCode {
    let exit = run_command();
    let Some(why) = output::failure() else { return exit.into() };
    output::error_line(&format!("error: standard output did not take everything: {why}"));
    if exit == Exit::Success { Exit::Output } else { exit }.into()
}

fn run_command() -> Exit {
    let (command, args) = help::shown(command(), std::env::args_os());
    let matches = match command.clone().try_get_matches_from(&args) {
        Ok(matches) => matches,
        Err(mut error) => {
            suggest::add(&mut error, &command, args.into_iter().skip(1));
            // Help and version are no errors.
            let printed = error.print();
            return match (error.use_stderr(), printed) {
                (true, _) => Exit::Usage,
                (false, Ok(())) => Exit::Success,
                (false, Err(_)) => Exit::Output,
            };
        }
    };
    let (name, sub) = matches.subcommand().unwrap_or(("run", &matches));
    // What is made from the command line itself needs no configuration.
    match (name, sub.try_get_one::<Shell>("shell")) {
        ("completions", Ok(Some(shell))) => return generate::completions(self::command(), *shell),
        ("man", _) => return generate::man(self::command(), sub.get_one::<String>("of")),
        ("scenario", _) => return scenario::run(sub),
        ("types", _) => return types::run(sub),
        _ => {}
    }
    let config = match sources(sub).and_then(|sources| Config::load(&sources)) {
        Ok(config) => config,
        Err(error) => {
            output::error_line(&format!("error: {error}"));
            return Exit::Usage;
        }
    };
    if name == "config" {
        return config::show(&config, sub.get_flag("as-json"));
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    logging::start(&config, bar.clone());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::error_line(&format!("error: threads could not be started: {error}"));
            return Exit::Setup;
        }
    };
    let exit = runtime.block_on(async {
        match name {
            "standalone" => standalone::run(config).await,
            "submit" => {
                let transaction = sub.get_one::<String>("transaction").cloned();
                submit::run(config, transaction.unwrap_or_default()).await
            }
            "audit" => {
                let nodes = sub.get_many("node").into_iter().flatten().cloned().collect();
                audit::run(config, sub.get_one::<u64>("run").copied(), nodes).await
            }
            "tx" => {
                let hash = sub.get_one::<String>("hash").cloned().unwrap_or_default();
                remote::tx(config, sub.get_one("api"), &hash).await
            }
            "capacity" => capacity::run(config, sub, bar).await,
            "doctor" => doctor::run(config).await,
            "journey" => journey::run(config, sub, bar).await,
            "shadow" => shadow::run(config, sub).await,
            "runs" => runs::list(config).await,
            "report" => runs::report(config, sub).await,
            "compare" => runs::compare_runs(config, sub).await,
            "status" => remote::status(config, sub.get_one("api")).await,
            "watch" => {
                let view = remote::view(&config, bar);
                remote::watch(config, sub.get_one("api"), &view).await
            }
            _ => run::run(config, bar).await,
        }
    });
    // What is left (a look-up of a name that hangs) must not hold the end up.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    exit
}

/// Prints a line; what standard output does not take is told when the program ends.
fn print(line: &str) {
    output::line(line);
}

/// Whether this process was started with SIGHUP ignored (`nohup`): then it goes on without its
/// terminal.
#[cfg(target_os = "linux")]
fn ignores_hangup() -> bool {
    const SIGHUP: u64 = 1;
    let status = procfs::process::Process::myself().and_then(|me| me.status());
    status.is_ok_and(|status| status.sigign & (1 << (SIGHUP - 1)) != 0)
}

#[cfg(not(target_os = "linux"))]
fn ignores_hangup() -> bool {
    false
}

/// Turns Ctrl-C, SIGTERM and SIGHUP (the terminal is gone) into requests: the first to end, the second
/// to end at once. The third waits for nothing at all. They are heard from the moment this returns, so
/// that it comes before anything that is announced.
fn signals(stop: Stop) -> tokio::task::JoinHandle<()> {
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            tracing::error!(%error, "SIGTERM cannot be heard");
            return tokio::spawn(std::future::pending());
        }
    };
    let mut interrupt = match signal(SignalKind::interrupt()) {
        Ok(interrupt) => interrupt,
        Err(error) => {
            tracing::error!(%error, "Ctrl-C cannot be heard");
            return tokio::spawn(std::future::pending());
        }
    };
    let mut hangup = match ignores_hangup() {
        true => None,
        false => signal(SignalKind::hangup()).ok(),
    };
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                Some(_) = async { hangup.as_mut()?.recv().await } => {}
            }
            if stop.now.is_cancelled() {
                std::process::exit(i32::from(Exit::Failures as u8));
            }
            if stop.soon.is_cancelled() {
                stop.now.cancel();
            }
            stop.soon.cancel();
        }
    })
}

/// The whole command line.
#[must_use]
pub fn command() -> Command {
    let about = env!("CARGO_PKG_DESCRIPTION");
    let run = |command: Command| with_settings(command, commands::RUN);
    let submit = Command::new("submit")
        .about("Submits one transaction and follows it to its end")
        .long_about(
            "Submits one transaction, a signed blob in hex or JSON, and follows it to its end.\n\
             JSON is signed with --secret, --secret-file or XRPL_WORKLOAD_SECRET; Sequence, Fee,\n\
             LastLedgerSequence and NetworkID are filled in where they are missing.\n\n\
             Exit codes: 0 validated with tesSUCCESS, 10 validated with a tec result, 11 REJECTED,\n\
             12 EXPIRED, 13 FAILED_NET, 14 undecided when --timeout ended, 2 wrong input, 3 no node.",
        )
        .arg(
            Arg::new("transaction")
                .required(true)
                .value_name("TRANSACTION")
                .help("Hex, JSON, @FILE, or - for standard input"),
        );
    let audit = Command::new("audit")
        .about("Compares a run's store with every ledger of its range, both ways")
        .long_about(
            "Reads every ledger of a run from a node and compares it with the store: each\n\
             transaction of the run's accounts must be VALIDATED there with the same ledger, result\n\
             and fee; what the store says is in no ledger must be in none; Sequences must be used\n\
             without gaps. A run that goes on is compared as far as it got.\n\n\
             The run's accounts are those of its rows and those that --seed, --accounts, --gateways\n\
             and --key-type give: give the same as for the run, so that what an account sent without a row\n\
             in the store is found too.\n\n\
             A node that has not validated the run's last ledger yet is waited for, for a while. What\n\
             it has not validated then, and ledgers that it does not keep, are reported as not seen:\n\
             nothing is said about transactions in them.\n\n\
             Exit codes: 0 they agree, 1 they differ, 2 wrong input, 3 the store or the node cannot be\n\
             read, 5 they agree as far as could be seen.",
        )
        .arg(
            Arg::new("run")
                .long("run")
                .value_name("N")
                .value_parser(clap::value_parser!(u64))
                .help("Which run of the store [default: the newest]"),
        )
        .arg(
            Arg::new("node")
                .long("node")
                .value_name("URL")
                .action(ArgAction::Append)
                .value_parser(clap::value_parser!(url::Url))
                .help(
                    "JSON-RPC address of a node; repeatable [default: those of the configuration, \
                     or http://127.0.0.1:5005]",
                ),
        );
    let of_runs = "A run is its id in --store, its name (--name), `latest` or `previous`; or a file that\n\
                   `report --json` wrote, a store's file or address (its newest run), or FILE.db#RUN.";
    let markdown =
        || Arg::new("markdown").long("markdown").visible_alias("md").action(ArgAction::SetTrue);
    let report = Command::new("report")
        .about("Writes the report of a run: one HTML file, Markdown, or JSON")
        .long_about(format!(
            "Writes the report of a run: one HTML file that needs nothing else, for someone\n\
             who was not there. It needs no node; a run that goes on or was killed has one too.\n\n\
             {of_runs}\n\nExit codes: 0 done, 2 wrong input, 3 there is no such run or file.",
        ))
        .arg(Arg::new("of").value_name("RUN").help("Which run [default: latest]"))
        .arg(
            Arg::new("out")
                .short('o')
                .long("out")
                .value_name("FILE")
                .value_parser(clap::value_parser!(std::path::PathBuf))
                .help(
                    "Where to write it, - for standard output [default: run-RUN.html; Markdown \
                     and JSON are printed]",
                ),
        )
        .arg(markdown().help("Markdown instead of HTML"));
    let compare = Command::new("compare")
        .about("Compares two runs, figure by figure: better, worse or the same")
        .long_about(format!(
            "Compares the second run with the first one, figure by figure. A change counts beyond both\n\
             a share of the first value and an amount; --bound changes them.\n\n\
             {of_runs}\n\n\
             A run whose load was not the requested one is refused: its figures say nothing.\n\
             So is one that was killed, stopped before its end or goes on, without --partial.\n\n\
             Exit codes: 0 nothing is worse, 1 something is, 2 wrong input, 3 they cannot be compared:\n\
             there is no such run, or it is refused.",
        ))
        .arg(
            Arg::new("of")
                .value_name("RUN")
                .num_args(0..=2)
                .help("Two runs, or one with --baseline [default: previous and latest]"),
        )
        .arg(
            Arg::new("baseline")
                .long("baseline")
                .value_name("RUN")
                .help("The run to compare with, such as a file in a repository"),
        )
        .arg(
            Arg::new("bound")
                .long("bound")
                .value_name("FIGURE=PERCENT%[/NUMBER]")
                .action(ArgAction::Append)
                .help("What counts as a change, such as finality_ms_p99=20%/100 or all=20%; repeatable"),
        )
        .arg(Arg::new("stage").long("stage").value_name("NAME").help("Only the stages of this name"))
        .arg(
            Arg::new("partial")
                .long("partial")
                .action(ArgAction::SetTrue)
                .help("Take runs that were killed, stopped before their end, or go on"),
        )
        .arg(markdown().help("A table for a pull request"));
    let given = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    let capacity = run(Command::new("capacity"))
        .about("Finds the highest rate that a network can sustain, and what breaks above it")
        .long_about(
            "Finds the highest rate that a network can sustain. Each rate is held for a while; it holds if\n\
             as much is validated as is sent, neither the node's queue nor what is in flight\n\
             grows, nodes stay in step, nothing fails or expires, and the figures of --ask hold. The\n\
             rate is doubled until it does not hold, then the distance is halved; the rate that is\n\
             found is tried a second time. The first rate is --tps.\n\n\
             Exit codes: 0 found, 1 nothing held or the time ran out, 2 wrong input, 3 no node, 7 ended by\n\
             Ctrl-C or the API: what was found until then is printed.",
        )
        .arg(given("to", "N", "No higher rate is tried [default: 1000]"))
        .arg(given(
            "step",
            "TIME",
            "How long each rate is measured, eight ledgers at the least [default: 20s]",
        ))
        .arg(given("precision", "PERCENT", "How close to the limit the search goes [default: 3]"))
        .arg(
            given("max-minutes", "N", "When the search ends, found or not [default: 30]")
                .value_parser(clap::value_parser!(std::num::NonZeroU32)),
        )
        .arg(
            given("each", "TYPES", "Types of which each is measured alone, such as Payment,OfferCreate")
                .value_delimiter(',')
                .action(ArgAction::Append),
        )
        .arg(
            given(
                "ask",
                "FIGURE=NUMBER",
                "A figure that must hold too, such as finality_ms_p99=8000; repeatable",
            )
            .action(ArgAction::Append),
        );
    let ask = |name: &'static str, about: &'static str| {
        Command::new(name).about(about).arg(
            Arg::new("api")
                .long("api")
                .value_name("URL")
                .help("The instance's HTTP API [default: --api-bind of the configuration]"),
        )
    };
    let tx = ask("tx", "Shows what a running instance knows of a transaction")
        .long_about(
            "Shows what a running instance knows of a transaction: every answer and sighting, and\n\
             the evidence of its end.\n\n\
             Exit codes: those of submit, by its state; 1 if the instance does not track it, 2 if that\n\
             is no hash, 3 if no instance answers.",
        )
        .arg(Arg::new("hash").required(true).value_name("HASH").help("The transaction's hash"));
    let whole = run(Command::new("xrpl-workload"))
        .about(about)
        .version(env!("CARGO_PKG_VERSION"))
        .args_conflicts_with_subcommands(true)
        .subcommand(
            run(Command::new("run"))
                .about("Drives a node, or an embedded ledger, with load (the default)"),
        )
        .subcommand(
            with_settings(Command::new("standalone"), commands::STANDALONE)
                .about("Runs only the embedded ledger, on 5005 and 6006"),
        )
        .subcommand(scenario::command())
        .subcommand(types::command())
        .subcommand(run(doctor::command()))
        .subcommand(with_settings(journey::command(), commands::JOURNEY))
        .subcommand(with_settings(shadow::command(), commands::SHADOW))
        .subcommand(with_settings(submit, commands::SUBMIT))
        .subcommand(capacity)
        .subcommand(with_settings(audit, commands::AUDIT))
        .subcommand(with_settings(
            Command::new("runs").about("Lists the runs of a store, with their main figures"),
            commands::RECORDS,
        ))
        .subcommand(with_settings(report, commands::RECORDS))
        .subcommand(with_settings(compare, commands::RECORDS))
        .subcommand(
            with_settings(Command::new("config"), commands::ALL)
                .about("Shows the effective configuration and where each value comes from")
                .arg(
                    Arg::new("as-json")
                        .long("as-json")
                        .action(ArgAction::SetTrue)
                        .help("Print it as JSON"),
                ),
        )
        .subcommand(with_settings(tx, commands::ASK))
        .subcommand(with_settings(
            ask("status", "Shows the state of a running instance"),
            commands::ASK,
        ))
        .subcommand(with_settings(
            ask("watch", "Follows a running instance as `run` shows its own, until Ctrl-C"),
            commands::ASK | commands::WATCH,
        ))
        .subcommand(
            Command::new("completions")
                .about("Prints what a shell needs to complete this command line")
                .arg(
                    Arg::new("shell")
                        .required(true)
                        .value_name("SHELL")
                        .value_parser(clap::value_parser!(Shell))
                        .help("Which shell"),
                ),
        );
    let of = Arg::new("of")
        .value_name("COMMAND")
        .value_parser(generate::commands(&whole))
        .help("A command; without it the program's own page");
    whole.subcommand(Command::new("man").about("Prints the man page, for man -l -").arg(of))
}

fn with_settings(mut command: Command, which: u16) -> Command {
    command = command.arg(
        Arg::new("config")
            .long("config")
            .value_name("PATH")
            .value_parser(clap::value_parser!(std::path::PathBuf))
            .help("Configuration file [default: xrpl-workload.toml, if there]"),
    );
    for setting in SETTINGS.iter().filter(|setting| setting.commands & which != 0) {
        command = command.arg(arg(setting));
    }
    command
}

fn arg(setting: &'static Setting) -> Arg {
    let default = match setting.default {
        "" | "false" => String::new(),
        default => format!(" [default: {default}]"),
    };
    let arg = Arg::new(setting.key)
        .long(setting.long())
        .help_heading(setting.group)
        .help(format!("{}{default}", setting.doc.trim_end_matches('.')))
        .allow_negative_numbers(true)
        // As in `--amendments -AMM`.
        .allow_hyphen_values(setting.key == "amendments");
    match setting.shape {
        Shape::Switch => arg
            .num_args(0..=1)
            .require_equals(true)
            .value_name("true|false")
            .default_missing_value("true"),
        Shape::One => arg.value_name(setting.value),
        Shape::Many | Shape::Table => arg.value_name(setting.value).action(ArgAction::Append),
    }
}

/// What was given on the command line, with the process's environment.
fn sources(matches: &ArgMatches) -> Result<Sources, ConfigError> {
    let mut flags = BTreeMap::new();
    for setting in SETTINGS {
        if let Ok(Some(values)) = matches.try_get_many::<String>(setting.key) {
            flags.insert(setting.key, values.cloned().collect());
        }
    }
    let file = matches.get_one::<std::path::PathBuf>("config").cloned();
    Ok(Sources { flags, file, ..Sources::of_process() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn each_command_takes_its_settings_and_no_others() {
        for (name, bit) in [
            ("run", commands::RUN),
            ("capacity", commands::RUN),
            ("doctor", commands::RUN),
            ("journey", commands::JOURNEY),
            ("shadow", commands::SHADOW),
            ("standalone", commands::STANDALONE),
            ("submit", commands::SUBMIT),
            ("config", commands::ALL),
            ("tx", commands::ASK),
            ("status", commands::ASK),
            ("watch", commands::ASK | commands::WATCH),
            ("runs", commands::RECORDS),
            ("report", commands::RECORDS),
            ("compare", commands::RECORDS),
        ] {
            let command = command();
            let sub = command.find_subcommand(name).unwrap();
            for setting in SETTINGS {
                let there = sub.get_arguments().any(|arg| arg.get_id() == setting.key);
                assert_eq!(there, setting.commands & bit != 0, "{name} {}", setting.key);
            }
        }
    }

    #[test]
    fn flags_become_sources() {
        let matches = command()
            .try_get_matches_from([
                "xrpl-workload",
                "run",
                "--json",
                "--tps",
                "7",
                "--rpc",
                "http://a:1",
                "--rpc=http://b:1",
            ])
            .unwrap();
        let flags = sources(matches.subcommand().unwrap().1).unwrap().flags;
        assert_eq!(flags["json"], ["true"]);
        assert_eq!(flags["tps"], ["7"]);
        assert_eq!(flags["rpc"], ["http://a:1", "http://b:1"]);
        assert!(!flags.contains_key("seed"));
        let without = command().try_get_matches_from(["xrpl-workload", "--tps=0"]).unwrap();
        assert_eq!(sources(&without).unwrap().flags["tps"], ["0"]);
    }
}
