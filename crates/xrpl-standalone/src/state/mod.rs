//! A ledger outside the process: the file in which one is kept, JSON that people can read, and dumps
//! of other servers.

mod file;
mod format;
mod json;

use std::sync::Arc;

use crate::ledger::{ClosedLedger, PreparedTx};

pub(crate) use self::json::read_header;
pub use self::{
    file::{OpenError, StateFile},
    format::{FormatError, VERSION, decode, encode},
    json::{ImportError, Partial, export, import},
};

/// What is kept of a server.
#[derive(Clone, Debug)]
pub struct Saved {
    /// Network id.
    pub network_id: u32,
    /// What its clock showed, in seconds since 2000-01-01.
    pub clock: u32,
    /// How far it had been put forward, in seconds.
    pub clock_ahead: u32,
    /// The time of day then, in seconds since 2000-01-01.
    pub time_of_day: u32,
    /// Its closed ledgers, oldest first; one at least.
    pub ledgers: Vec<Arc<ClosedLedger>>,
    /// What is in no closed ledger yet: of the open ledger, queued, held.
    pub pending: Vec<Arc<PreparedTx>>,
}
