//! The embedded ledger: where it listens and how it is set for load.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};

use url::Url;
use xrpl_client::{
    Connector, Endpoint, TcpConnector,
    connect::{BoxedIo, Connecting},
};
use xrpl_standalone::{
    fork::{Fork, ForkConfig, Upstream},
    ledger::{ClosedLedger, Fees, Impersonated, ReadView as _},
    node::{History, NodeConfig, Votes},
    server::{
        Begin, Closing, Door, FaucetConfig, FundedAccounts, Kind, Standalone, StandaloneConfig,
    },
    state::StateFile,
    txq::QueueSetup,
};

use crate::{
    config::{Close, Config, ForkChoice},
    session::SetupError,
    view::View,
};

/// Transactions a ledger takes before fees escalate, under load: more than this program makes.
const RUN_LEDGER_SIZE: u64 = 100_000;
/// The same for `standalone`, as xrpld's own default.
const STANDALONE_LEDGER_SIZE: u64 = 1_000;
/// What stays readable under load, at any rate of it.
const RUN_HISTORY: History = History { ledgers: Some(256), transactions: Some(500_000) };

/// An embedded ledger that runs.
#[derive(Debug)]
pub struct Embedded {
    standalone: Standalone,
}

impl Embedded {
    /// Where it listens.
    ///
    /// # Errors
    /// Never for addresses that were bound.
    pub fn endpoint(&self) -> Result<Endpoint, SetupError> {
        let url = |scheme: &str, address: SocketAddr| {
            Url::parse(&format!("{scheme}://{address}")).map_err(|e| SetupError(e.to_string()))
        };
        Ok(Endpoint {
            rpc: url("http", self.standalone.rpc_addr)?,
            ws: Some(url("ws", self.standalone.ws_addr)?),
        })
    }

    /// Connections to it through pipes in memory, to anything else over TCP: what this process asks
    /// its own ledger need not pass through the kernel.
    #[must_use]
    pub fn connector(&self) -> Arc<dyn Connector> {
        Arc::new(Pipes {
            door: self.standalone.door(),
            rpc: self.standalone.rpc_addr,
            ws: self.standalone.ws_addr,
        })
    }

    /// Where it listens, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        format!(
            "embedded ledger: JSON-RPC http://{}, WebSocket ws://{}",
            self.standalone.rpc_addr, self.standalone.ws_addr
        )
    }

    /// The ledger itself.
    #[must_use]
    pub fn standalone(&self) -> &Standalone {
        &self.standalone
    }

    /// Ends it.
    pub async fn shutdown(self) {
        self.standalone.shutdown().await;
    }
}

/// See [`Embedded::connector`].
#[derive(Debug)]
struct Pipes {
    door: Door,
    rpc: SocketAddr,
    ws: SocketAddr,
}

impl Connector for Pipes {
    fn connect<'a>(&'a self, url: &'a Url) -> Connecting<'a> {
        let address = url.socket_addrs(|| None).ok().and_then(|found| found.first().copied());
        let kind = match address {
            Some(address) if address == self.rpc => Kind::Rpc,
            Some(address) if address == self.ws => Kind::WebSocket,
            _ => return TcpConnector.connect(url),
        };
        let opened = self.door.open(kind).map(|pipe| Box::new(pipe) as BoxedIo);
        Box::pin(async { opened.ok_or_else(|| io::ErrorKind::ConnectionRefused.into()) })
    }
}

/// An embedded ledger under load. Ports that nobody chose give way to free ones.
///
/// # Errors
/// A chosen port is taken.
pub async fn start_for_run(config: &Config, view: &View) -> Result<Embedded, SetupError> {
    if config.ledger_interval.is_zero() {
        return Err(SetupError(
            "--ledger-interval 0: under load the embedded ledger must close by itself; give for \
             example 1s"
                .into(),
        ));
    }
    let mut wanted = standalone_config(config, RUN_LEDGER_SIZE, RUN_HISTORY);
    if let Ok(standalone) = Standalone::start(wanted.clone()).await {
        return Ok(told(standalone, view));
    }
    for (key, address) in [("rpc_bind", &mut wanted.rpc_bind), ("ws_bind", &mut wanted.ws_bind)] {
        if config.is_default(key) && !is_free(*address).await {
            view.say(&format!(
                "port {} is taken: the embedded ledger takes a free one",
                address.port()
            ));
            address.set_port(0);
        }
    }
    let standalone = Standalone::start(wanted).await.map_err(|error| taken(config, &error))?;
    Ok(told(standalone, view))
}

/// An embedded ledger on the ports it was told.
///
/// # Errors
/// A port is taken.
pub async fn start_alone(config: &Config) -> Result<Embedded, SetupError> {
    let (file, begin) = match &config.fork {
        Some(choice) => (None, Begin::Fork(fork(config, choice).await?)),
        None => beginning(config)?,
    };
    let wanted = StandaloneConfig { begin, ..alone(config) };
    let start = wanted.begin.check_start_time(wanted.start_time);
    start.map_err(|error| SetupError(format!("--start-time: {error}")))?;
    let standalone = Standalone::start(wanted).await.map_err(|error| taken(config, &error))?;
    if let Some(file) = file {
        standalone.keep(file, config.state_interval);
    }
    Ok(Embedded { standalone })
}

/// A fork of another network's ledger.
async fn fork(config: &Config, choice: &ForkChoice) -> Result<Fork, SetupError> {
    let wrong = |why: String| SetupError(format!("--fork: {why}"));
    let url = choice.url.clone();
    let upstream = Upstream::new(choice.url.as_str(), move || {
        let url = url.clone();
        Box::pin(async move {
            let io = TcpConnector.connect(&url).await?;
            Ok(Box::new(io) as xrpl_standalone::fork::BoxedIo)
        })
    });
    let cache = config.fork_cache.clone().or_else(|| {
        let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let home = || folder("HOME").map(|home| PathBuf::from(home).join(".cache"));
        let cache = folder("XDG_CACHE_HOME").map(PathBuf::from).or_else(home)?;
        Some(cache.join("xrpl-workload/fork"))
    });
    let fork = Fork::begin(ForkConfig { upstream, ledger: choice.ledger, cache }).await.map_err(
        |error| wrong(format!("{error}. It must be the WebSocket of an xrpld that has the ledger")),
    )?;
    agree(config, fork.ledger(), "--fork")?;
    if config.network_id.is_some_and(|id| id != fork.network_id) {
        let id = fork.network_id;
        return Err(SetupError(format!("--network-id: the network of --fork has the id {id}")));
    }
    tracing::warn!(
        url = fork.url(),
        ledger = fork.header().index,
        "this ledger is a fork: what is new in it is nowhere else"
    );
    Ok(fork)
}

/// The file in which a ledger is kept, and what it begins with.
fn beginning(config: &Config) -> Result<(Option<StateFile>, Begin), SetupError> {
    let mut file = None;
    if let Some(path) = &config.state {
        let (opened, saved) =
            StateFile::open(path).map_err(|error| SetupError(format!("--state: {error}")))?;
        if let Some(saved) = saved {
            if config.import.is_some() {
                return Err(SetupError(format!(
                    "--import begins a ledger, and --state {} has one already: leave one of them \
                     out",
                    path.display()
                )));
            }
            if let Some(newest) = saved.ledgers.last() {
                agree(config, newest, "--state")?;
            }
            if config.network_id.is_some_and(|id| id != saved.network_id) {
                return Err(SetupError(format!(
                    "--network-id: the ledger of --state {} has the id {}",
                    path.display(),
                    saved.network_id
                )));
            }
            return Ok((Some(opened), Begin::Saved(saved)));
        }
        file = Some(opened);
    }
    let Some(path) = &config.import else { return Ok((file, Begin::Genesis)) };
    let wrong = |why: String| SetupError(format!("--import {}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let ledger = xrpl_standalone::state::import(&text).map_err(|error| wrong(error.to_string()))?;
    agree(config, &ledger, "--import")?;
    Ok((file, Begin::Ledger(Arc::new(ledger))))
}

/// Amendments, fees and reserves are part of a ledger that is brought: others must not be asked for.
fn agree(config: &Config, ledger: &ClosedLedger, origin: &str) -> Result<(), SetupError> {
    let fees = ledger.fees;
    for (key, same) in [
        ("amendments", ledger.rules().ids() == config.amendments),
        ("reference_fee", fees.base == config.reference_fee),
        ("reserve_base", fees.reserve == config.reserve_base),
        ("reserve_increment", fees.increment == config.reserve_increment),
    ] {
        if !same && !config.is_default(key) {
            return Err(SetupError(format!(
                "--{}: the ledger of {origin} has others; they are part of it. Leave this out",
                key.replace('_', "-")
            )));
        }
    }
    Ok(())
}

/// What a ledger has that people develop on, besides what one under load has.
fn alone(config: &Config) -> StandaloneConfig {
    let accounts = FundedAccounts {
        count: config
            .accounts
            .map_or(FundedAccounts::default().count, |n| u32::try_from(n).unwrap_or(u32::MAX)),
        drops: config.fund_drops,
        seed: config.seed.clone(),
        key_type: config.key_type,
    };
    let faucet = FaucetConfig {
        drops: config.faucet_drops,
        rate: config.faucet_rate,
        token: config.faucet_token.as_ref().map(|token| token.reveal().to_owned()),
    };
    if config.impersonate != Impersonated::Nobody {
        tracing::warn!(accounts = ?config.impersonate, "any key may sign for these accounts");
    }
    let mut base = standalone_config(config, STANDALONE_LEDGER_SIZE, History::default());
    base.node.impersonated = config.impersonate.clone();
    let wait = u32::try_from(config.amendment_majority_time.as_secs()).unwrap_or(u32::MAX);
    base.node.votes = Votes { majority_time: Some(wait), ..config.vote.clone() };
    StandaloneConfig {
        closing: match config.close {
            Close::Interval => base.closing,
            Close::Manual => Closing::Manual,
            Close::OnSubmit => Closing::OnSubmit,
        },
        start_time: config.start_time,
        accounts: Some(accounts),
        faucet: Some(faucet),
        explorer: true,
        ..base
    }
}

fn told(standalone: Standalone, view: &View) -> Embedded {
    let embedded = Embedded { standalone };
    view.say(&embedded.describe());
    embedded
}

fn taken(config: &Config, error: &std::io::Error) -> SetupError {
    SetupError(format!(
        "the embedded ledger cannot listen on {} and {}: {error}. Is another one, or xrpld, \
         running? Give other --rpc-bind and --ws-bind (port 0 takes a free one)",
        config.rpc_bind, config.ws_bind
    ))
}

async fn is_free(address: SocketAddr) -> bool {
    tokio::net::TcpListener::bind(address).await.is_ok()
}

fn standalone_config(config: &Config, size: u64, history: History) -> StandaloneConfig {
    let defaults = NodeConfig::default();
    let size = config.txq_minimum_txn_in_ledger.unwrap_or(size);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let most = config.txq_maximum_txn_in_ledger.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    // Who says only the most means that the least is no more.
    let size = size.min(most.unwrap_or(usize::MAX));
    let queue = QueueSetup {
        minimum_txn_in_ledger: size,
        maximum_txn_in_ledger: most,
        // xrpld wants the target not below the minimum.
        target_txn_in_ledger: defaults
            .queue
            .target_txn_in_ledger
            .min(most.unwrap_or(usize::MAX))
            .max(size),
        maximum_txn_per_account: config.txq_maximum_txn_per_account,
        ..defaults.queue
    };
    StandaloneConfig {
        rpc_bind: config.rpc_bind,
        ws_bind: config.ws_bind,
        closing: match config.ledger_interval.is_zero() {
            true => Closing::Manual,
            false => Closing::Interval(config.ledger_interval),
        },
        open_admin: config.open_admin,
        node: NodeConfig {
            network_id: config.network_id.unwrap_or(defaults.network_id),
            amendments: config.amendments.clone(),
            fees: Fees {
                base: config.reference_fee,
                reserve: config.reserve_base,
                increment: config.reserve_increment,
            },
            history: match config.ledger_history {
                None => history,
                Some(0) => History::default(),
                kept => History { ledgers: kept, transactions: None },
            },
            queue,
            ..defaults
        },
        ..StandaloneConfig::default()
    }
}
