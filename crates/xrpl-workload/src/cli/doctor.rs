//! `doctor`: looks at nodes before a run.

use std::sync::Arc;

use clap::Command;
use xrpl_client::TcpConnector;

use super::Exit;
use crate::{config::Config, doctor::examine, output, parts};

/// Its command line, without the settings of `run`, which it takes too.
pub(super) fn command() -> Command {
    Command::new("doctor")
        .about("Checks nodes before a run: what would get in its way, and how to fix it")
        .long_about(
            "Checks each node of --rpc and --ws (or of --ab; without any of them, the one on this\n\
             machine, ports 5005 and 6006) for everything that a run needs: ok, warning or error,\n\
             with how to fix it. Use `doctor` in place of `run`: it takes the same flags, and checks\n\
             whether what they ask for is possible. Nothing is submitted.\n\n\
             Exit codes: 0 no errors, 2 wrong input, 3 at least one error: a run would not work.",
        )
}

/// Looks, and says what was found.
pub(super) async fn run(mut config: Config) -> Exit {
    let mut endpoints = Vec::new();
    for side in &config.ab {
        endpoints.extend(parts::endpoints(&side.rpc, &side.ws));
    }
    if endpoints.is_empty() {
        parts::default_to_local(&mut config);
        endpoints = parts::endpoints(&config.rpc, &config.ws);
    }
    match examine(&config, endpoints, Arc::new(TcpConnector)).await {
        Ok(report) => {
            super::print(&match config.json {
                true => serde_json::to_string(&report).unwrap_or_default(),
                false => report.to_string(),
            });
            if report.ready { Exit::Success } else { Exit::Setup }
        }
        Err(error) => {
            output::error_line(&format!("error: {error}"));
            Exit::Usage
        }
    }
}
