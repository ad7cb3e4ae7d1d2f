//! What the node tells its subscribers.

use std::sync::Arc;

use xrpl_protocol::{Amount, EngineResult};

use crate::ledger::{ClosedLedger, PreparedTx};

/// Something that streams report. [`super::Node::drain_events`] hands them out in order.
#[derive(Clone, Debug)]
pub enum Event {
    /// A transaction entered the open ledger (stream `transactions_proposed`).
    Proposed(Proposed),
    /// A ledger closed and is validated (streams `ledger`, `transactions`, `accounts`, books).
    LedgerClosed(Arc<ClosedLedger>),
    /// The node went back to an earlier state: this is its newest ledger again. The stream `ledger`
    /// tells it as a ledger that closed, as it would after a server's reset; its transactions are not
    /// told again.
    Reverted(Arc<ClosedLedger>),
    /// A point at which xrpld looks whether its fees changed. The stream `server` reports it when it
    /// differs from what that stream reported last.
    FeesMayHaveChanged(ServerFees),
}

/// A transaction that entered the open ledger.
#[derive(Clone, Debug)]
pub struct Proposed {
    /// The transaction.
    pub tx: Arc<PreparedTx>,
    /// Its preliminary result.
    pub result: EngineResult,
    /// Index of the open ledger it is in.
    pub ledger_current_index: u32,
    /// Of an OfferCreate, what its sender has then of what it offers, if somebody else issues that.
    pub owner_funds: Option<Amount>,
}

/// What `serverStatus` says about fees. Levels are in units of 1/256 of the base fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerFees {
    /// Fee of a reference transaction in drops.
    pub base_fee: u64,
    /// `load_base`.
    pub load_base: u32,
    /// `load_factor_server`.
    pub load_factor_server: u32,
    /// `load_factor_fee_escalation`: level needed for the open ledger.
    pub open_ledger_level: u64,
    /// `load_factor_fee_queue`: level needed for the queue.
    pub queue_level: u64,
    /// `load_factor_fee_reference`.
    pub reference_level: u64,
}

impl ServerFees {
    /// `load_factor`.
    #[must_use]
    pub fn load_factor(&self) -> u64 {
        let scaled = u128::from(self.open_ledger_level) * u128::from(self.load_base)
            / u128::from(self.reference_level.max(1));
        u64::try_from(scaled).unwrap_or(u64::MAX).max(self.load_factor_server.into())
    }
}
