//! Which network the nodes are on, and whether the store's newest run followed it.
//!
//! A network is told by its id and the hash of a validated ledger. Where the newest ledger that the
//! run followed is another one now, or is not there although the node is in step with its network,
//! the ledger was reset or is another: a new run begins, and nothing of the old one is sent.

use std::{sync::Arc, time::Duration};

use tokio::time::{self, Instant};
use xrpl_client::{
    Pool,
    request::{Ledger, LedgerSpec, ServerState},
};
use xrpl_protocol::LedgerIndex;

use crate::{
    clock::Clock,
    config::TrackerConfig,
    error::{Error, Result},
    finality_checker::head_of,
    message::LedgerClosed,
    record::RunId,
    store::{Anchor, Resumed, Store},
};

/// How many ledgers before the newest one are compared where that one differs.
const OLDER: u32 = 16;

/// A chain this young that is behind a known ledger was reset.
const YOUNG: u32 = 3;

/// How many ledgers a node may be behind the one that was asked before.
const LAG: u32 = 20;

/// How long it may take at least to catch up.
const CATCH_UP: Duration = Duration::from_secs(10);

const PAUSE: Duration = Duration::from_millis(250);

/// Where a tracker starts.
pub(crate) struct Start {
    pub(crate) head: LedgerClosed,
    pub(crate) run: RunId,
    pub(crate) resumed: Resumed,
}

/// Waits for a node that knows a validated ledger, and finds or begins the run.
pub(crate) async fn start(
    pool: &Pool,
    store: &Arc<dyn Store>,
    config: &TrackerConfig,
    clock: Clock,
) -> Result<Start> {
    let deadline = Instant::now() + config.start_timeout;
    let (mut head, mut state) = newest(pool, deadline).await?;
    let anchor = store.anchor().await?;
    let same = match anchor {
        None => false,
        Some(anchor) => {
            let patience = deadline.max(Instant::now() + CATCH_UP);
            loop {
                match compare(pool, store, &anchor, &head, &state).await? {
                    Comparison::Same => break true,
                    Comparison::Other => break false,
                    // Not to know is no reason to leave transactions behind that may be in flight.
                    Comparison::Unknown(why) if Instant::now() + PAUSE >= patience => {
                        return Err(Error::Node(format!(
                            "it cannot be told whether it follows the ledger of run {}, whose \
                             transactions may be in flight: {why}",
                            anchor.run
                        )));
                    }
                    Comparison::Unknown(why) => {
                        tracing::info!(run = %anchor.run, %why, "waiting to take the run up again");
                        time::sleep(PAUSE).await;
                        (head, state) = newest(pool, patience).await?;
                    }
                }
            }
        }
    };
    match anchor.filter(|_| same) {
        Some(anchor) => {
            let resumed = store.resume_run(anchor.run).await?;
            tracing::info!(run = %anchor.run, open = resumed.open.len(), "the run is taken up again");
            Ok(Start { head, run: anchor.run, resumed })
        }
        None => {
            let run = store.begin_run(head.network_id, clock.now_ms()).await?;
            tracing::info!(%run, "a new run begins");
            Ok(Start { head, run, resumed: Resumed::default() })
        }
    }
}

/// The newest validated ledger and the node's state.
async fn newest(pool: &Pool, deadline: Instant) -> Result<(LedgerClosed, String)> {
    loop {
        let why = match time::timeout_at(deadline, pool.request(&ServerState::default())).await {
            Ok(Ok(answer)) => match head_of(&answer.state) {
                Some(head) => return Ok((head, answer.state.server_state)),
                None => format!("its state is {}, without a ledger", answer.state.server_state),
            },
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        if Instant::now() + PAUSE >= deadline {
            return Err(Error::Node(why));
        }
        time::sleep(PAUSE).await;
    }
}

enum Comparison {
    Same,
    Other,
    /// Neither is shown.
    Unknown(String),
}

async fn compare(
    pool: &Pool,
    store: &Arc<dyn Store>,
    anchor: &Anchor,
    head: &LedgerClosed,
    state: &str,
) -> Result<Comparison> {
    if let (Some(then), Some(now)) = (anchor.network_id, head.network_id)
        && then != now
    {
        return Ok(Comparison::Other);
    }
    if head.index == anchor.index {
        return match head.hash == anchor.hash {
            true => Ok(Comparison::Same),
            false => older_agree(pool, store, anchor.run, anchor.index).await,
        };
    }
    if head.index < anchor.index {
        let known = store.ledger_hash(anchor.run, head.index).await?;
        let differs = known.is_some_and(|known| known != head.hash);
        // The first ledgers of a chain may be the same in each that starts anew.
        let young = head.index.0 <= YOUNG;
        let reset = young || (known.is_none() && anchor.index.0 - head.index.0 > LAG);
        let in_step = ["full", "validating", "proposing"].contains(&state);
        if differs && !young {
            return older_agree(pool, store, anchor.run, head.index).await;
        }
        if differs || (reset && in_step) {
            return Ok(Comparison::Other);
        }
        let why = format!("it is at ledger {}, the run followed {}", head.index, anchor.index);
        return Ok(Comparison::Unknown(why));
    }
    let request =
        Ledger { ledger_index: Some(LedgerSpec::Index(anchor.index)), ..Ledger::default() };
    let (mut lost, mut unknown) = (None, None);
    for (id, _) in pool.endpoints() {
        match pool.request_to(id, &request).await {
            Ok(answer) if answer.validated && answer.ledger_hash == Some(anchor.hash) => {
                return Ok(Comparison::Same);
            }
            Ok(answer) if answer.validated => {
                return older_agree(pool, store, anchor.run, anchor.index).await;
            }
            Ok(_) => unknown = Some(format!("its ledger {} is not validated", anchor.index)),
            // What it says of itself: it does not keep ledgers so old.
            Err(error) if error.is_token("lgrNotFound") => lost = Some(error),
            Err(error) => unknown = Some(error.to_string()),
        }
    }
    match (unknown, lost) {
        (Some(why), _) => Ok(Comparison::Unknown(why)),
        // No node has that ledger. Not to send to the wrong network comes first.
        (None, Some(error)) => {
            tracing::warn!(ledger = %anchor.index, %error, "no node has the run's last ledger");
            Ok(Comparison::Other)
        }
        (None, None) => Ok(Comparison::Unknown("no node was asked".into())),
    }
}

/// Where the newest ledger that the run followed has another hash now: a node may have told a wrong
/// one just before this program ended. Those before it show whether it is the same chain.
async fn older_agree(
    pool: &Pool,
    store: &Arc<dyn Store>,
    run: RunId,
    below: LedgerIndex,
) -> Result<Comparison> {
    let first = below.0.saturating_sub(OLDER).max(YOUNG + 1);
    let mut unknown = None;
    for index in (first..below.0).rev().map(LedgerIndex) {
        let Some(known) = store.ledger_hash(run, index).await? else { continue };
        let request = Ledger { ledger_index: Some(LedgerSpec::Index(index)), ..Ledger::default() };
        match pool.request(&request).await {
            Ok(answer) if answer.validated && answer.ledger_hash == Some(known) => {
                tracing::warn!(ledger = %below, "another hash was noted for the run's last ledger");
                return Ok(Comparison::Same);
            }
            Ok(_) => {}
            Err(error) if error.is_token("lgrNotFound") => {}
            Err(error) => unknown = Some(error.to_string()),
        }
    }
    Ok(unknown.map_or(Comparison::Other, Comparison::Unknown))
}
