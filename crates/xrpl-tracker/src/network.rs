//! Which network the nodes are on, and whether the store's newest run followed it.
//!
//! The run goes on where the chain is the one that it followed: a ledger that it knew, any of them,
//! has the same hash there now, or is in the list of hashes that the newest one has of those before
//! (see [`chain`](crate::chain)). It does not where network ids differ, where the ledgers that the
//! run knew are others now, or where a chain that is behind the run's newest ledger is in step with
//! its network.
//!
//! Neither may be shown: after a long pause every node may have deleted all that the run knew. Then
//! the network's id decides, if it is known from then and from now, and the chain is longer than the
//! run's. To go on is the safer mistake. What was in flight would silently be left behind by a new
//! run, while to go on sends at most bytes that are signed already: on the same network they are
//! those that had to be sent, and on another one with the same id they are what anyone could hand
//! in. Nothing new is signed by what the run knew: accounts' Sequences are read of validated
//! ledgers. And what was in flight comes to no end by what these ledgers do not have, for they may be
//! another chain's: an unused Sequence proves nothing there. It is shown as undecided. Where an id is not known a new run begins.

use std::{sync::Arc, time::Duration};

use tokio::time::{self, Instant};
use xrpl_client::{EndpointId, Pool, request::ServerState};
use xrpl_protocol::Hash256;

use crate::{
    chain::{Known, Standing, judge},
    clock::Clock,
    config::TrackerConfig,
    error::{Error, Result},
    finality_checker::head_of,
    message::LedgerClosed,
    store::{Resumed, RunStore, Store},
};

/// Hashes of a run's ledgers that are compared: the newest ones, and of older ones what is kept.
const KNOWN: usize = 16_384;

/// How long it may take at least to catch up.
const CATCH_UP: Duration = Duration::from_secs(10);

const PAUSE: Duration = Duration::from_millis(250);

/// Where a tracker starts.
pub(crate) struct Start {
    pub(crate) head: LedgerClosed,
    /// The run.
    pub(crate) store: Arc<dyn RunStore>,
    pub(crate) resumed: Resumed,
    /// The hashes that the run knows.
    pub(crate) known: Known,
    /// Ledgers that have another hash now than the run knew.
    pub(crate) differs: Vec<(u32, Hash256)>,
    /// Nothing shows that the chain is the one that the run followed: its network's id has to do.
    pub(crate) on_trust: bool,
}

/// Waits for a node that knows a validated ledger, and finds or begins the run.
pub(crate) async fn start(
    pool: &Pool,
    store: &Arc<dyn Store>,
    config: &TrackerConfig,
    clock: Clock,
) -> Result<Start> {
    let deadline = Instant::now() + config.start_timeout;
    let (mut node, mut head, mut state) = newest(pool, deadline).await?;
    // A run that followed no ledger has nothing that could be in flight.
    let anchored = match store.newest().await? {
        Some(run) => run.anchor().await?.map(|anchor| (run, anchor)),
        None => None,
    };
    let mut known = Known::new();
    let (mut same, mut on_trust) = (None, false);
    if let Some((store, anchor)) = &anchored {
        let run = store.run();
        let hashes = store.newest_ledgers(KNOWN).await?;
        known = hashes.into_iter().map(|(index, hash)| (index.0, hash)).collect();
        let patience = deadline.max(Instant::now() + CATCH_UP);
        loop {
            let limit = config.lookup_timeout;
            let told = (&head, state.as_str());
            let mut standing = judge(pool, node, &known, anchor.network_id, told, limit).await;
            if !matches!(standing, Standing::Same(_))
                && let Some((on, differs)) =
                    another(pool, node, &known, anchor.network_id, limit).await
            {
                head = on;
                standing = Standing::Same(differs);
            }
            let why = match standing {
                Standing::Same(differs) => {
                    same = Some(differs);
                    break;
                }
                Standing::Other(why) => {
                    tracing::warn!(%run, %why, "the nodes follow another chain");
                    break;
                }
                Standing::NotShown(why) => {
                    if anchor.network_id.is_some() && anchor.network_id == head.network_id {
                        tracing::warn!(%run, %why, "taken for the same chain");
                        (same, on_trust) = (Some(Vec::new()), true);
                    } else {
                        tracing::warn!(%run, %why, "taken for another chain");
                    }
                    break;
                }
                Standing::Unknown(why) => why,
            };
            // Not to know is no reason to leave transactions behind that may be in flight.
            if Instant::now() + PAUSE >= patience {
                return Err(Error::Node(format!(
                    "it cannot be told whether it follows the ledger of run {run}, whose \
                     transactions may be in flight: {why}"
                )));
            }
            tracing::info!(%run, %why, "waiting to take the run up again");
            time::sleep(PAUSE).await;
            (node, head, state) = newest(pool, patience).await?;
        }
    }
    match anchored.zip(same) {
        Some(((store, _), differs)) => {
            let resumed = store.resume().await?;
            tracing::info!(run = %store.run(), open = resumed.open.len(), "the run is taken up again");
            Ok(Start { head, store, resumed, known, differs, on_trust })
        }
        None => {
            let store = store.begin_run(head.network_id, clock.now_ms()).await?;
            tracing::info!(run = %store.run(), "a new run begins");
            let (resumed, known) = (Resumed::default(), Known::new());
            let differs = Vec::new();
            Ok(Start { head, store, resumed, known, differs, on_trust: false })
        }
    }
}

/// A node besides this one that is shown to follow the known chain: its newest validated ledger, and
/// the ledgers of which another hash was known.
async fn another(
    pool: &Pool,
    besides: EndpointId,
    known: &Known,
    network_id: Option<u32>,
    limit: Duration,
) -> Option<(LedgerClosed, Vec<(u32, Hash256)>)> {
    let request = &ServerState::default();
    for (id, _) in pool.endpoints().filter(|(id, _)| *id != besides) {
        let asked = pool.request_to(id, request);
        let Ok(Ok(answer)) = time::timeout(limit, asked).await else { continue };
        let Some(head) = head_of(&answer.state) else { continue };
        let told = (&head, answer.state.server_state.as_str());
        if let Standing::Same(differs) = judge(pool, id, known, network_id, told, limit).await {
            return Some((head, differs));
        }
    }
    None
}

/// A node, its newest validated ledger and its state.
async fn newest(pool: &Pool, deadline: Instant) -> Result<(EndpointId, LedgerClosed, String)> {
    loop {
        let why =
            match time::timeout_at(deadline, pool.request_of_any(&ServerState::default())).await {
                Ok(Ok((node, answer))) => match head_of(&answer.state) {
                    Some(head) => return Ok((node, head, answer.state.server_state)),
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
