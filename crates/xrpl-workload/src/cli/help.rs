//! `--help` shows what most people need, with examples; `--help-all` shows every flag.

use std::ffi::OsString;

use clap::Command;

use crate::settings::{SETTINGS, Setting};

/// The flag that shows everything.
pub(super) const ALL: &str = "help-all";

/// A command with more settings than that shows the common ones only.
const MANY: usize = 20;

const NOTE: &str = "\
Without a command: run, on an embedded ledger unless --rpc is given.
Each flag is also an environment variable (XRPL_WORKLOAD_MAX_PENDING) and a key of
xrpl-workload.toml (max_pending). `xrpl-workload config` shows what holds, and why.";

/// What people do with a command, by its name; the program's own come first.
const EXAMPLES: &[(&str, &str)] = &[
    (
        "xrpl-workload",
        "  xrpl-workload --tps 50 --duration 1m                 load on an embedded ledger
  xrpl-workload doctor --rpc http://host:5005 --ws ws://host:6006
  xrpl-workload run --rpc http://host:5005 --ws ws://host:6006 --tps 50
  xrpl-workload submit @payment.json --secret-file key  one transaction to its final result
  xrpl-workload standalone                              only the ledger, for tests",
    ),
    (
        "run",
        "  xrpl-workload run --tps 200 --duration 5m --types Payment=3,OfferCreate=1
  xrpl-workload run --rpc http://host:5005 --ws ws://host:6006 --tps 50 --intent-invalid 10
  xrpl-workload run --scenario scenarios/ramp.toml --store ramp.db --name ramp
  xrpl-workload run --duration 30s --json | tail -1 | jq .by_state",
    ),
    (
        "standalone",
        "  xrpl-workload standalone --close on-submit --accounts 20
  xrpl-workload standalone --state ledger.json --ledger-interval 3s
  xrpl-workload standalone --fork wss://xrplcluster.com --rpc-bind 127.0.0.1:0 --json",
    ),
    (
        "submit",
        "  xrpl-workload submit 1200...                          a signed blob
  xrpl-workload submit @payment.json --secret-file key --rpc http://host:5005 --ws ws://host:6006
  jq .tx_json answer.json | xrpl-workload submit - --json",
    ),
    (
        "doctor",
        "  xrpl-workload doctor                                  the node on this machine
  xrpl-workload doctor --rpc http://host:5005 --ws ws://host:6006 --tps 200 --json",
    ),
    (
        "capacity",
        "  xrpl-workload capacity --tps 20 --to 500
  xrpl-workload capacity --each Payment,OfferCreate --ask finality_ms_p99=8000",
    ),
    (
        "journey",
        "  xrpl-workload journey --list
  xrpl-workload journey nft_list_buy_burn
  xrpl-workload journey mpt_life --rpc http://host:5005 --ws ws://host:6006 --json",
    ),
    ("audit", "  xrpl-workload audit --node http://host:5005 --store run.db --seed s"),
    (
        "compare",
        "  xrpl-workload compare previous latest
  xrpl-workload compare --baseline baseline.json latest --bound finality_ms_p99=20%/100",
    ),
    ("report", "  xrpl-workload report latest -o run.html\n  xrpl-workload report ramp --markdown"),
];

/// What people do with a command, a line each; `xrpl-workload` is the program without one.
#[must_use]
pub fn examples(command: &str) -> Option<&'static str> {
    EXAMPLES.iter().find(|(of, _)| *of == command).map(|(_, text)| *text)
}

fn setting(long: Option<&str>) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| Some(setting.long().as_str()) == long)
}

/// A command as its help is shown: with examples, and without `all` only the common settings.
fn shaped(command: Command, path: &str, all: bool) -> Command {
    let name = command.get_name().to_owned();
    let settings: Vec<_> =
        command.get_arguments().filter_map(|arg| setting(arg.get_long())).collect();
    let hidden = match all || settings.len() <= MANY {
        true => 0,
        false => settings.iter().filter(|setting| !setting.is_common()).count(),
    };
    let mut after = Vec::new();
    if let Some(examples) = examples(&name) {
        after.push(format!("Examples:\n{examples}"));
    }
    if name == EXAMPLES[0].0 {
        after.push(NOTE.to_owned());
    }
    if hidden > 0 {
        after.push(format!("{hidden} more flags: `{path} --{ALL}`"));
    }
    let command = match hidden {
        0 => command,
        _ => command.mut_args(|arg| {
            let hide = setting(arg.get_long()).is_some_and(|setting| !setting.is_common());
            arg.hide(hide)
        }),
    };
    let command = match after.is_empty() {
        true => command,
        false => command.after_help(after.join("\n\n")),
    };
    command.mut_subcommands(|sub| {
        let path = format!("{path} {}", sub.get_name());
        shaped(sub, &path, all)
    })
}

/// The command line as its help is shown, and the arguments as clap takes them.
pub(super) fn shown(
    command: Command,
    args: impl Iterator<Item = OsString>,
) -> (Command, Vec<OsString>) {
    let flag = format!("--{ALL}");
    let (mut all, mut over) = (false, false);
    let args = args
        .map(|arg| {
            // What follows `--` is no flag.
            over |= arg == "--";
            match !over && arg == flag.as_str() {
                true => {
                    all = true;
                    "--help".into()
                }
                false => arg,
            }
        })
        .collect();
    let name = command.get_name().to_owned();
    (shaped(command, &name, all), args)
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;

    use super::*;

    fn help(args: &[&str]) -> String {
        let all = std::iter::once("xrpl-workload").chain(args.iter().copied());
        let (command, args) = shown(super::super::command(), all.map(Into::into));
        command.clone().debug_assert();
        let error = command.try_get_matches_from(args).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DisplayHelp);
        error.to_string()
    }

    #[test]
    fn help_is_short_and_help_all_is_whole() {
        for (command, most) in [(&[][..], 100), (&["run"], 75), (&["standalone"], 60)] {
            let text = help(&[command, &["--help"]].concat());
            let lines = text.lines().count();
            assert!(lines <= most, "{command:?}: {lines} lines\n{text}");
            assert!(text.contains("Examples:") && text.contains("--help-all`"), "{text}");
            assert!(!text.contains("--open-admin"), "{text}");
            let name = command.first().copied().unwrap_or("run");
            let whole = help(&[command, &["--help-all"]].concat());
            let all = super::super::command();
            let sub = all.find_subcommand(name).unwrap();
            for long in sub.get_arguments().filter_map(clap::Arg::get_long) {
                assert!(whole.contains(&format!("--{long}")), "{name} --{long}");
            }
        }
        for command in ["submit", "doctor", "capacity", "audit", "compare", "report"] {
            assert!(help(&[command, "--help"]).contains("Examples:"), "{command}");
        }
    }

    #[test]
    fn every_example_is_understood() {
        for line in EXAMPLES.iter().flat_map(|(_, text)| text.lines()) {
            // Without what is said of it, and what it is piped into.
            let line = line.trim().split("  ").next().unwrap();
            let part = line.split(" | ").find(|part| part.starts_with("xrpl-workload")).unwrap();
            let parsed = super::super::command().try_get_matches_from(part.split(' '));
            let matches = parsed.unwrap_or_else(|error| panic!("{part}: {error}"));
            if let Some((_, sub)) = matches.subcommand() {
                assert!(super::super::sources(sub).is_ok(), "{part}");
            }
        }
    }
}
