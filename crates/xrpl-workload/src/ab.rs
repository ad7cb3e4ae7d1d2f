//! Two nodes or networks under the same load, in turn or side by side, and their comparison.
//!
//! Both runs have the same settings and seed, so that both send the same plans; each has a store of its
//! own beside `--store`, named after it, so that neither goes on where the other ended.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior, interval_at};
use url::Url;
use xrpl_client::{
    Endpoint, Pool, TcpConnector,
    request::{Ledger, LedgerSpec, ServerState},
};
use xrpl_protocol::LedgerIndex;

use crate::{
    archive::Archive,
    compare::{Comparison, Refusal, Terms, compare},
    config::{Config, StoreChoice},
    parts,
    record::{Condition, Record},
    session::{Ended, Session, SetupError, Stop},
    view::View,
};

/// One of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// What it is called.
    pub name: String,
    /// JSON-RPC addresses of its nodes.
    pub rpc: Vec<Url>,
    /// Their WebSocket addresses, in the same order.
    pub ws: Vec<Url>,
}

/// Which one first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AbMode {
    /// One after the other: neither takes processor time from the other.
    #[default]
    InTurn,
    /// At the same time: what disturbs the machine disturbs both.
    SideBySide,
}

/// What came of one.
#[derive(Debug)]
pub struct Outcome {
    /// What it is called.
    pub name: String,
    /// How it ended.
    pub ended: Ended,
    /// What is recorded of it.
    pub record: Record,
}

/// What came of both.
#[derive(Debug)]
pub struct Outcomes {
    /// The first and the second one.
    pub both: [Outcome; 2],
    /// The second one compared with the first, or why that is not possible; none where somebody ended them
    /// before their time.
    pub comparison: Option<Result<Comparison, Refusal>>,
}

/// A file's name with something put before its ending.
fn beside(path: &Path, name: &str) -> PathBuf {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let ending = path.extension().map(|ending| format!(".{}", ending.to_string_lossy()));
    path.with_file_name(format!("{stem}-{name}{}", ending.unwrap_or_default()))
}

/// The configuration of one of them.
fn of_side(config: &Config, side: &Side) -> Config {
    let store = match &config.store {
        StoreChoice::File(path) => StoreChoice::File(beside(path, &side.name)),
        // A database is refused: both would write it.
        other => other.clone(),
    };
    let mut config = config.clone();
    (config.rpc, config.ws) = (side.rpc.clone(), side.ws.clone());
    (config.name, config.store) = (Some(side.name.clone()), store);
    config
}

/// Drives both and compares the second one with the first. None if it was stopped before both had their
/// turn.
///
/// # Errors
/// One of them could not be had; both are of one network and cannot be driven side by side.
pub async fn run(
    config: &Config,
    stop: &Stop,
    view: &View,
) -> Result<Option<Outcomes>, SetupError> {
    let [first, second] = config.ab.as_slice() else {
        return Err(SetupError::new("--ab: give it twice, once for each of the two"));
    };
    let both = match config.ab_mode {
        AbMode::InTurn => {
            // Not only when the whole of the first run is over.
            for side in [first, second] {
                answers(side).await?;
            }
            let one = turn(config, first, stop, view).await?;
            if stop.soon.is_cancelled() {
                return Ok(None);
            }
            [one, turn(config, second, stop, view).await?]
        }
        AbMode::SideBySide => {
            different_networks(first, second).await?;
            side_by_side(config, [first, second], stop, view).await?
        }
    };
    // One without an end of its own is ended by hand, and has come to its end then.
    let cut = both.iter().any(|outcome| outcome.record.head.condition == Condition::Stopped);
    let interrupted = stop.soon.is_cancelled() && cut;
    let comparison =
        (!interrupted).then(|| compare(&both[0].record, &both[1].record, &Terms::default()));
    Ok(Some(Outcomes { both, comparison }))
}

async fn turn(
    config: &Config,
    side: &Side,
    stop: &Stop,
    view: &View,
) -> Result<Outcome, SetupError> {
    let session = start(of_side(config, side), side, view).await?;
    outcome(session, side, stop, view).await
}

async fn start(config: Config, side: &Side, view: &View) -> Result<Session, SetupError> {
    view.say(&format!("{}: begins", side.name));
    let named = |error: SetupError| SetupError(format!("{}: {error}", side.name));
    Session::start(config, view).await.map_err(named)
}

async fn outcome(
    session: Session,
    side: &Side,
    stop: &Stop,
    view: &View,
) -> Result<Outcome, SetupError> {
    let named = |text: String| SetupError(format!("{}: {text}", side.name));
    let app = session.app();
    let ended = session.run(stop, view).await.map_err(|error| named(error.to_string()))?;
    // The store of the run that ended, which a reset does not replace.
    let archive = Archive::of(app.store.clone());
    let record = archive.find("latest").await.map_err(|error| named(error.to_string()))?;
    Ok(Outcome { name: side.name.clone(), ended, record })
}

async fn side_by_side(
    config: &Config,
    [first, second]: [&Side; 2],
    stop: &Stop,
    view: &View,
) -> Result<[Outcome; 2], SetupError> {
    let one = start(of_side(config, first), first, view).await?;
    // The first one has the port.
    let mut elsewhere = of_side(config, second);
    elsewhere.api_bind.set_port(0);
    let two = match start(elsewhere, second, view).await {
        Ok(two) => two,
        Err(error) => {
            let ends = Stop::default();
            ends.soon.cancel();
            ends.now.cancel();
            // Why the second one could not be had is what matters.
            let _ = one.run(&ends, &View::silent()).await;
            return Err(error);
        }
    };
    let apps = [one.app(), two.app()];
    let told = async {
        let every = config.interval.max(Duration::from_millis(100));
        let mut ticks = interval_at(Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let began = std::time::Instant::now();
        loop {
            ticks.tick().await;
            for (side, app) in [first, second].iter().zip(&apps) {
                let seconds = began.elapsed().as_secs();
                let mut snapshot = app.snapshot(None);
                snapshot.seconds = seconds;
                view.say(&format!("{}: {}", side.name, snapshot.line()));
            }
        }
    };
    // Two runs that print what they print alone would print into each other.
    let silent = View::silent();
    let both = async {
        tokio::try_join!(outcome(one, first, stop, &silent), outcome(two, second, stop, &silent))
    };
    tokio::select! {
        both = both => both.map(<[Outcome; 2]>::from),
        () = told => Err(SetupError::new("the clock has ended")),
    }
}

/// Side by side, two nodes of one network would have one set of accounts sent from twice.
async fn different_networks(first: &Side, second: &Side) -> Result<(), SetupError> {
    let (Some(one), Some(two)) = (newest(first).await, newest(second).await) else {
        // Who does not answer is told of when its run starts.
        return Ok(());
    };
    if let (Some(one), Some(two)) = (network_id(&one.0).await, network_id(&two.0).await)
        && one != two
    {
        return Ok(());
    }
    let index = LedgerIndex(one.1.0.min(two.1.0));
    match (hash(&one.0, index).await, hash(&two.0, index).await) {
        (Some(one), Some(two)) if one == two => Err(SetupError::new(format!(
            "--ab-mode side-by-side: {} and {} follow one ledger (both have the same ledger {index}), and \
             would send from the same accounts. Give --ab-mode in-turn",
            first.name, second.name
        ))),
        _ => Ok(()),
    }
}

/// Whether a side can be driven at all: one of its nodes answers and has a validated ledger.
async fn answers(side: &Side) -> Result<Pool, SetupError> {
    let endpoints: Vec<Endpoint> = parts::endpoints(&side.rpc, &side.ws);
    let connected = parts::connect(endpoints, std::sync::Arc::new(TcpConnector)).await;
    connected.map_err(|error| SetupError(format!("{}: {error}", side.name)))
}

async fn newest(side: &Side) -> Option<(Pool, LedgerIndex)> {
    let pool = answers(side).await.ok()?;
    let spec = Some(LedgerSpec::Validated);
    let newest = pool.request(&Ledger { ledger_index: spec }).await.ok()?;
    let index = newest.ledger_index?;
    Some((pool, index))
}

async fn network_id(pool: &Pool) -> Option<u32> {
    pool.request(&ServerState::default()).await.ok()?.state.network_id
}

async fn hash(pool: &Pool, index: LedgerIndex) -> Option<xrpl_protocol::Hash256> {
    let spec = Some(LedgerSpec::Index(index));
    let ledger = pool.request(&Ledger { ledger_index: spec }).await.ok()?;
    ledger.ledger_hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_store_of_its_own_beside_the_one_named() {
        for (path, named) in [
            ("runs/xrpl-workload.db", "runs/xrpl-workload-old.db"),
            ("plain", "plain-old"),
            ("a.b.sqlite", "a.b-old.sqlite"),
        ] {
            assert_eq!(beside(Path::new(path), "old"), PathBuf::from(named));
        }
    }
}
