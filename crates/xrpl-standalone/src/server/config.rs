//! How the server starts.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use xrpl_protocol::keys::KeyType;

use super::fork::Fork;
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
    /// Time at the start, in seconds since 2000-01-01; none for the wall clock's. A ledger that is
    /// brought may be ahead of it: then its clock goes on.
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
