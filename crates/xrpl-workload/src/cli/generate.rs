//! `completions`, `man`: made from the command line's own definition.

use clap::{Command, builder::PossibleValuesParser};
use clap_complete::Shell;

use super::Exit;
use crate::output;

fn write(bytes: &[u8]) -> Exit {
    output::write(bytes);
    Exit::Success
}

/// What a shell needs to complete the program's command line.
pub(super) fn completions(mut command: Command, shell: Shell) -> Exit {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    write(&script)
}

/// The man page of the program or of one of its commands.
pub(super) fn man(mut command: Command, of: Option<&String>) -> Exit {
    command.build();
    let wanted = match of {
        None => command,
        Some(name) => {
            // The parser let only names of commands through.
            let Some(sub) = command.find_subcommand(name) else { return Exit::Usage };
            sub.clone().name(format!("{}-{name}", command.get_name()))
        }
    };
    let mut page = Vec::new();
    match clap_mangen::Man::new(wanted).render(&mut page) {
        Ok(()) => write(&page),
        Err(error) => {
            output::error_line(&format!("error: the man page could not be made: {error}"));
            Exit::Setup
        }
    }
}

/// Names of the commands that have a page of their own.
pub(super) fn commands(command: &Command) -> PossibleValuesParser {
    let names: Vec<_> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    PossibleValuesParser::new(names)
}
