//! How the server starts.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use xrpl_protocol::keys::KeyType;

use super::{
    clock::{LAST_START, time_of_day},
    fork::Fork,
};
use crate::{ledger::ClosedLedger, node::NodeConfig, state::Saved};

/// When a ledger closes. It can be changed while the server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Each time this much time has passed, with or without transactions.
    Interval(Duration),
    /// Only by `ledger_accept`, as a standalone xrpld.
    Manual,
    /// As soon as a submitted transaction is in the open ledger, so that whoever waits for its
    /// validation need not wait.
    OnSubmit,
}

/// Accounts that are there from the start, paid by the genesis account in ledger 3.
#[derive(Clone, Debug)]
pub struct FundedAccounts {
    /// How many.
    pub count: u32,
    /// What each gets, in drops.
    pub drops: u64,
    /// The text from which their seeds follow: see [`xrpl_protocol::keys::Seed::derived`]. They are
    /// the first users of a run with the same seed.
    pub seed: String,
    /// Their key type.
    pub key_type: KeyType,
}

impl Default for FundedAccounts {
    fn default() -> Self {
        Self {
            count: 10,
            drops: 10_000_000_000,
            seed: "xrpl-workload".into(),
            key_type: KeyType::Ed25519,
        }
    }
}

/// The faucet, `POST /accounts` on the HTTP port.
#[derive(Clone, Debug)]
pub struct FaucetConfig {
    /// What it gives where the request does not say how much, in drops.
    pub drops: u64,
    /// Requests a second that one address may make, in bursts of twice as many; 0 is unlimited.
    pub rate: u32,
    /// What callers must send as `Authorization: Bearer TOKEN`. Without one only callers on this
    /// machine are served.
    pub token: Option<String>,
}

impl Default for FaucetConfig {
    fn default() -> Self {
        Self { drops: 1_000_000_000, rate: 100, token: None }
    }
}

/// What the server begins with. Network id, fees and amendments of a ledger that is brought are its
/// own.
#[derive(Clone, Debug, Default)]
pub enum Begin {
    /// Ledgers 1 and 2, as xrpld's own.
    #[default]
    Genesis,
    /// What was kept of a server: see [`crate::state::StateFile`].
    Saved(Saved),
    /// A ledger of another server: see [`crate::state::import`].
    Ledger(Arc<ClosedLedger>),
    /// A ledger of another network, whose entries are read when they are needed: see
    /// [`crate::fork`]. [`super::Standalone::start`] reads what it begins with.
    Fork(Fork),
}

/// A time at which a clock cannot begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the clock cannot begin at {given}: the ledger that is brought is at {least} already, and a \
     day before the end of time, at {LAST_START}, it must have begun. Give a time between them, or \
     none: then it goes on by itself"
)]
pub struct WrongStart {
    /// What was wanted.
    pub given: u32,
    /// The earliest time that is possible.
    pub least: u32,
}

impl Begin {
    /// The time at which it is.
    fn time(&self) -> u32 {
        match self {
            Self::Genesis => 0,
            Self::Saved(saved) => saved.clock,
            Self::Ledger(ledger) => ledger.header.close_time,
            Self::Fork(fork) => fork.header().close_time,
        }
    }

    /// What a clock shows that begins with it, and how far it is ahead of its own pace.
    pub(super) fn clock(&self, start: Option<u32>) -> (u32, u32) {
        let least = self.time();
        match (start, self) {
            (Some(start), _) => (start.max(least), 0),
            // It went on while nothing ran.
            (None, Self::Saved(saved)) => {
                let passed = time_of_day().saturating_sub(saved.time_of_day);
                (least.saturating_add(passed), saved.clock_ahead)
            }
            (None, _) => (time_of_day().max(least), 0),
        }
    }

    /// Whether a clock can begin at a time with it.
    ///
    /// # Errors
    /// When it is too early or too late.
    pub fn check_start_time(&self, start: Option<u32>) -> Result<(), WrongStart> {
        let least = self.time();
        match start {
            Some(given) if !(least..=LAST_START).contains(&given) => {
                Err(WrongStart { given, least })
            }
            _ => Ok(()),
        }
    }
}

/// How the server starts.
#[derive(Clone, Debug)]
pub struct StandaloneConfig {
    /// Where JSON-RPC listens; port 0 takes a free one.
    pub rpc_bind: SocketAddr,
    /// Where WebSocket listens; port 0 takes a free one.
    pub ws_bind: SocketAddr,
    /// When a ledger closes.
    pub closing: Closing,
    /// Messages that may wait for one WebSocket before it is closed with code 1008. xrpld's own
    /// default is 100; the one here leaves room for a ledger of many thousand transactions.
    pub send_queue_limit: usize,
    /// What the clock shows at the start, in seconds since 2000-01-01; none for the time of day, and
    /// for what was kept of a server for its clock, which went on. It never shows less than the
    /// ledger that is brought: see [`Begin::check_start_time`].
    pub start_time: Option<u32>,
    /// Whether every caller may use admin methods and have the server sign. Without it they are for
    /// callers that name this machine as their Host and come from no page of another site.
    pub open_admin: bool,
    /// Accounts that are there from the start; none makes the ledger begin as xrpld's does.
    pub accounts: Option<FundedAccounts>,
    /// The faucet, if there is to be one.
    pub faucet: Option<FaucetConfig>,
    /// Whether `GET` on the HTTP port shows the explorer.
    pub explorer: bool,
    /// What it begins with.
    pub begin: Begin,
    /// The ledger.
    pub node: NodeConfig,
}

impl Default for StandaloneConfig {
    fn default() -> Self {
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            rpc_bind: loopback(5005),
            ws_bind: loopback(6006),
            closing: Closing::Manual,
            send_queue_limit: 200_000,
            start_time: None,
            open_admin: false,
            accounts: None,
            faucet: None,
            explorer: false,
            begin: Begin::Genesis,
            node: NodeConfig::default(),
        }
    }
}
