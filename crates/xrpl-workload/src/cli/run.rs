//! `run`: drives a node, or an embedded ledger, with load.

use indicatif::ProgressBar;

use super::Exit;
use crate::{
    config::Config,
    output,
    session::{Session, SetupError, Stop},
    view::{Mode, View},
};

/// Runs to the end.
pub(super) async fn run(config: Config, bar: ProgressBar) -> Exit {
    if config.accounts.is_some_and(|n| n < 2) {
        output::error_line("error: --accounts: a run needs 2 or more, such as 100");
        return Exit::Usage;
    }
    let view =
        View::new(Mode::choose(config.json, config.quiet), config.json, config.interval, bar);
    match drive(config, &view).await {
        Ok(exit) => exit,
        Err(error) => {
            view.clear();
            output::error_line(&format!("error: {error}"));
            Exit::Setup
        }
    }
}

async fn drive(config: Config, view: &View) -> Result<Exit, SetupError> {
    let stop = Stop::default();
    let signals = super::signals(stop.clone());
    let session = tokio::select! {
        session = Session::start(config, view) => session?,
        () = stop.soon.cancelled() => return Ok(Exit::Success),
    };
    let ended = session.run(&stop, view).await?;
    signals.abort();
    view.end(&ended.summary, &ended.failures, ended.coverage.as_ref());
    Ok(match (ended.reset, ended.failures.is_empty()) {
        // The chain that was to be driven is not to be had any more.
        (true, _) => Exit::Setup,
        (false, true) => Exit::Success,
        (false, false) => Exit::Failures,
    })
}
