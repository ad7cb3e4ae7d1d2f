//! What was probably meant by an argument that is not known.
//!
//! clap suggests what is similar by Jaro's measure, which finds nothing in short names: of `--tsp`
//! and `--tps` only one letter stands in its place. Here slips are counted, two letters in each
//! other's place as one.

use std::ffi::OsString;

use clap::{
    Command, Error,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::config::values::nearest;

/// Adds a suggestion to an error; where slips find a name it takes the place of what clap thought of.
pub(super) fn add(error: &mut Error, command: &Command, args: impl Iterator<Item = OsString>) {
    let given = match error.kind() {
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        ErrorKind::InvalidValue => ContextKind::InvalidValue,
        _ => return,
    };
    let Some(ContextValue::String(given)) = error.get(given) else { return };
    let given = given.clone();
    let found = match (error.kind(), given.strip_prefix("--")) {
        (ErrorKind::InvalidValue, _) => match error.get(ContextKind::ValidValue) {
            Some(ContextValue::Strings(known)) => {
                nearest(&given, known.iter().cloned()).map(|v| (ContextKind::SuggestedValue, v))
            }
            _ => None,
        },
        (_, Some(flag)) => {
            let flag = flag.split('=').next().unwrap_or(flag);
            let known = asked(command, args).get_arguments().filter_map(|arg| arg.get_long());
            nearest(
                flag,
                known.map(str::to_owned).chain(["help", super::help::ALL].map(str::to_owned)),
            )
            .map(|flag| (ContextKind::SuggestedArg, format!("--{flag}")))
        }
        (_, None) => {
            let known = command.get_subcommands().map(|sub| sub.get_name().to_owned());
            nearest(&given, known).map(|name| (ContextKind::SuggestedSubcommand, name))
        }
    };
    if let Some((kind, name)) = found {
        error.insert(kind, ContextValue::String(name));
    }
}

/// The command that the arguments are for.
fn asked(command: &Command, mut args: impl Iterator<Item = OsString>) -> &Command {
    args.find_map(|arg| command.find_subcommand(arg)).unwrap_or(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(args: &[&str]) -> String {
        let command = super::super::command();
        let all = std::iter::once("xrpl-workload").chain(args.iter().copied());
        let mut error = command.clone().try_get_matches_from(all).unwrap_err();
        add(&mut error, &command, args.iter().map(Into::into));
        error.to_string()
    }

    #[test]
    fn a_slip_gets_the_name_that_was_meant() {
        for (args, meant) in [
            (&["--tsp", "5"][..], "'--tps'"),
            (&["run", "--tsp", "5"], "'--tps'"),
            (&["run", "--tsp=5"], "'--tps'"),
            (&["run", "--max-pendign", "5"], "'--max-pending'"),
            (&["submit", "--timeuot", "5", "-"], "'--timeout'"),
            (&["rn"], "'run'"),
            (&["standalnoe"], "'standalone'"),
            (&["completions", "bsah"], "'bash'"),
        ] {
            let text = told(args);
            assert!(text.contains("similar") && text.contains(meant), "{args:?}: {text}");
        }
    }

    #[test]
    fn another_word_gets_none() {
        for args in [&["run", "--zebra"][..], &["zebra"], &["run", "--timeout", "5"]] {
            let text = told(args);
            assert!(!text.contains("similar"), "{args:?}: {text}");
        }
    }
}
