use clap::{Arg, Command};
use xrpl_workload::{cli, settings};

use crate::{kept, table};

/// A command as the page has it, and those below it.
fn section(command: &Command, path: &str, depth: usize) -> String {
    let heading = "#".repeat(depth.min(3));
    let mut text = format!("\n{heading} {path}\n\n");
    let about = command.get_long_about().or_else(|| command.get_about());
    let about = about.unwrap_or_else(|| panic!("{path} says nothing of itself")).to_string();
    let mut paragraphs: Vec<_> = about.split("\n\n").map(str::to_owned).collect();
    // As a sentence: help texts begin with one that has no full stop.
    if !paragraphs[0].ends_with(['.', ':']) {
        paragraphs[0] += ".";
    }
    text += &format!("{}\n", paragraphs.join("\n\n"));
    let usage = command.clone().bin_name(path).render_usage().to_string();
    text += &format!("\n```\n{}\n```\n", usage.trim_start_matches("Usage: ").trim());
    let (of_settings, own): (Vec<&Arg>, Vec<&Arg>) = command
        .get_arguments()
        .filter(|arg| !["help", "version", "config"].contains(&arg.get_id().as_str()))
        .partition(|arg| settings::find(arg.get_id().as_str()).is_some());
    let rows = own.iter().map(|arg| {
        let value = arg.get_value_names().map_or(String::new(), |names| names.join(" "));
        let takes = arg.get_action().takes_values();
        let name = match (arg.get_long(), takes) {
            (None, _) => value,
            (Some(long), false) => format!("--{long}"),
            (Some(long), true) => format!("--{long} {value}"),
        };
        let short = arg.get_short().map_or(String::new(), |short| format!("`-{short}`, "));
        [format!("{short}`{name}`"), arg.get_help().map(ToString::to_string).unwrap_or_default()]
    });
    let rows = table(["argument", "meaning"], rows);
    if !rows.is_empty() {
        text += &format!("\n{rows}");
    }
    text += &match of_settings.len() {
        0 => String::new(),
        n @ 1..=15 => {
            let names = of_settings.iter().filter_map(|arg| arg.get_long());
            let names: Vec<_> = names.map(|name| format!("`--{name}`")).collect();
            assert_eq!(names.len(), n);
            format!("\n[Settings](settings.md): {}.\n", names.join(", "))
        }
        n => format!("\n{n} [settings](settings.md): those with `{}`.\n", of(command.get_name())),
    };
    if let Some(examples) = cli::examples(command.get_name()) {
        let lines: Vec<_> = examples.lines().map(|line| line.trim_start()).collect();
        text += &format!("\nExamples:\n\n```\n{}\n```\n", lines.join("\n"));
    }
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        text += &section(sub, &format!("{path} {}", sub.get_name()), depth + 1);
    }
    text
}

/// Under which name the page of settings has a command.
fn of(name: &str) -> &str {
    match name {
        "xrpl-workload" | "doctor" | "capacity" => "run",
        other => other,
    }
}

#[test]
fn command_line() {
    let mut program = cli::command();
    program.build();
    let page = format!(
        "# Command line\n\n\
         `--help` shows what most people need of a command, `--help-all` everything. How a command ended is in its\n\
         [exit code](exit-codes.md).\n{}",
        section(&program, "xrpl-workload", 2),
    );
    kept("cli.md", &page);
}
