//! `audit`: compares a run's store with every ledger of its range.

use std::{sync::Arc, time::Duration};

use url::Url;
use xrpl_client::TcpConnector;
use xrpl_protocol::{AccountId, LedgerIndex};
use xrpl_tracker::record::RunId;

use super::Exit;
use crate::{
    audit::{Report, Scope, audit},
    config::{Config, StoreChoice},
    output, parts, session,
    stores::{self, Reading, Unreadable},
};

/// How often a live run is looked at again before a difference counts: it may be a moment behind.
const LOOKS: u32 = 4;
/// How long a node that lags behind the run is waited for: several ledgers of a public network.
const PATIENCE: Duration = Duration::from_secs(30);

/// Compares and says how it ended.
pub(super) async fn run(config: Config, run: Option<u64>, nodes: Vec<Url>) -> Exit {
    if config.store == StoreChoice::Memory {
        output::error_line(&format!("error: {}", Unreadable::Memory));
        return Exit::Usage;
    }
    let nodes = if nodes.is_empty() { config.rpc.clone() } else { nodes };
    let compared = async {
        let accounts = parts::accounts(&config).map_err(|error| error.to_string())?;
        compare(&config.store, run.map(RunId), nodes, accounts).await
    };
    match compared.await {
        Ok(report) => {
            super::print(&match config.json {
                true => serde_json::to_string(&report).unwrap_or_default(),
                false => report.to_string(),
            });
            match (report.equal, report.complete) {
                (true, true) => Exit::Success,
                (true, false) => Exit::Unseen,
                (false, _) => Exit::Failures,
            }
        }
        Err(error) => {
            output::error_line(&format!("error: {error}"));
            Exit::Setup
        }
    }
}

async fn compare(
    choice: &StoreChoice,
    run: Option<RunId>,
    nodes: Vec<Url>,
    accounts: Vec<AccountId>,
) -> Result<Report, String> {
    let opened = stores::open_to_read(choice).await;
    let Reading { store, live: written } = opened.map_err(|error| format!("--store {error}"))?;
    let mut nodes: Vec<_> =
        nodes.into_iter().map(|rpc| xrpl_client::Endpoint { rpc, ws: None }).collect();
    if nodes.is_empty() {
        // Where `standalone` and xrpld listen.
        let rpc = "http://127.0.0.1:5005".parse().map_err(|e| format!("{e}"))?;
        nodes.push(xrpl_client::Endpoint { rpc, ws: None });
    }
    let pool =
        session::connect(nodes, Arc::new(TcpConnector)).await.map_err(|error| error.to_string())?;
    let newest = store.newest().await.map_err(|error| error.to_string())?;
    let live = newest.filter(|newest| written && run.is_none_or(|run| run == newest.run()));
    let mut look = 0;
    loop {
        look += 1;
        let live_until = match &live {
            Some(run) => run.anchor().await.map_err(|e| e.to_string())?.map(|anchor| anchor.index),
            None => None,
        };
        // The newest ledger may still be on its way into the store.
        let live_until = live_until.map(|LedgerIndex(index)| LedgerIndex(index.saturating_sub(1)));
        let scope = Scope {
            run,
            accounts: accounts.clone(),
            live_until,
            patience: PATIENCE,
            say: Some(output::error_line),
        };
        let report = audit(&pool, &*store, scope).await.map_err(|error| error.to_string())?;
        if report.equal || live.is_none() || look == LOOKS {
            return Ok(report);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
