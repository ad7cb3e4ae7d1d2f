use xrpl_workload::{cli, settings::SETTINGS};

use crate::{kept, table};

/// Commands that take the settings of `run`, all of them.
const LIKE_RUN: [&str; 2] = ["doctor", "capacity"];

/// The commands that take a setting, as the command line has it.
fn taken_by(key: &str) -> Vec<String> {
    let program = cli::command();
    let commands = program.get_subcommands().filter(|command| command.get_name() != "config");
    let taking = commands.filter(|command| command.get_arguments().any(|arg| arg.get_id() == key));
    let mut names: Vec<_> = taking.map(|command| command.get_name().to_owned()).collect();
    if names.iter().any(|name| name == "run") {
        let all = names.len();
        names.retain(|name| !LIKE_RUN.contains(&name.as_str()));
        assert_eq!(names.len() + LIKE_RUN.len(), all, "{key}: not all commands are like run");
    }
    names.sort_by_key(|name| name != "run");
    names
}

#[test]
fn settings() {
    let mut page = "# Settings\n\n\
        A setting is a flag, an environment variable and a key of the configuration file: `--max-pending`,\n\
        `XRPL_WORKLOAD_MAX_PENDING`, `max_pending`. Flags take precedence over the environment, which takes\n\
        precedence over the file, which takes precedence over the defaults. The file is `xrpl-workload.toml` in\n\
        the current directory, or that of `--config`. `RPC_URL` and `WS_URL` are honoured too. An unknown key is an\n\
        error that suggests the nearest known one.\n\n\
        `xrpl-workload config` shows every setting with its value and where the value comes from; secrets are\n\
        hidden. `doctor` and `capacity` take all settings of `run`.\n"
        .to_owned();
    let mut groups: Vec<_> = SETTINGS.iter().map(|setting| setting.group).collect();
    groups.dedup();
    for group in groups {
        let rows = SETTINGS.iter().filter(|setting| setting.group == group).map(|setting| {
            let default = match setting.default {
                "" => "-".to_owned(),
                default => format!("`{default}`"),
            };
            let commands = taken_by(setting.key);
            assert!(!commands.is_empty(), "no command takes {}", setting.key);
            let secret = if setting.secret { " Secret: never shown." } else { "" };
            [
                format!("`{}`", setting.flag()),
                default,
                commands.join(", "),
                format!("{}{secret}", setting.doc),
            ]
        });
        page += &format!("\n## {group}\n\n");
        page += &table(["flag", "default", "commands", "meaning"], rows);
    }
    kept("settings.md", &page);
}
