//! `standalone`: only the embedded ledger.

use super::Exit;
use crate::{config::Config, embedded, output, session::Stop};

/// Runs until told to end.
pub(super) async fn run(config: Config) -> Exit {
    let ledger = match embedded::start_alone(&config).await {
        Ok(ledger) => ledger,
        Err(error) => {
            output::error_line(&format!("error: {error}"));
            return Exit::Setup;
        }
    };
    if !config.quiet {
        let closes = match config.ledger_interval.is_zero() {
            true => "closes by ledger_accept".to_owned(),
            false => format!("closes every {:?}", config.ledger_interval),
        };
        super::print(&format!("{}; {closes}", ledger.describe()));
    }
    let stop = Stop::default();
    let signals = tokio::spawn(super::signals(stop.clone()));
    stop.soon.cancelled().await;
    signals.abort();
    ledger.shutdown().await;
    Exit::Success
}
