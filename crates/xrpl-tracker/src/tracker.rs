//! The public handle.

use std::{sync::Arc, time::Duration};

use tokio::sync::{broadcast, watch};
use xrpl_client::Pool;
use xrpl_protocol::TxHash;

use crate::{
    config::TrackerConfig,
    error::Result,
    record::{
        CheckReport, Dossier, LedgerHead, Outcome, RowFilter, RowPage, StateChange, Submission,
        Submitted, Validation,
    },
    stats::{Stats, WsStats},
    store::Store,
};

/// Follows transactions to their proven end. Clones share one tracker.
#[derive(Clone, Debug)]
pub struct Tracker {
    pool: Pool,
}

impl Tracker {
    /// Starts following the network that the pool reaches.
    ///
    /// # Errors
    /// No node answers within the start timeout, or the store fails.
    pub async fn start(pool: Pool, store: Arc<dyn Store>, config: TrackerConfig) -> Result<Self> {
        let _ = (store, config);
        Ok(Self { pool })
    }

    /// Journals a transaction, sends it, and returns after the first attempt. A transaction that is
    /// tracked already is not sent again.
    ///
    /// # Errors
    /// The blob is no transaction, or the store fails.
    pub async fn submit(&self, _submission: Submission) -> Result<Submitted> {
        todo!("skeleton")
    }

    /// Waits for the end of a transaction.
    ///
    /// # Errors
    /// It is not tracked.
    pub async fn outcome(&self, _hash: TxHash) -> Result<Arc<Outcome>> {
        todo!("skeleton")
    }

    /// Every state change from now on.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Arc<StateChange>> {
        todo!("skeleton")
    }

    /// The newest validated ledger.
    #[must_use]
    pub fn ledger(&self) -> watch::Receiver<LedgerHead> {
        todo!("skeleton")
    }

    /// All counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        todo!("skeleton")
    }

    /// The streams and the event queue.
    #[must_use]
    pub fn ws_stats(&self) -> WsStats {
        todo!("skeleton")
    }

    /// Everything known about one transaction; none if it is not tracked.
    ///
    /// # Errors
    /// The store fails.
    pub async fn dossier(&self, _hash: TxHash) -> Result<Option<Dossier>> {
        todo!("skeleton")
    }

    /// Rows from the store, oldest first.
    ///
    /// # Errors
    /// The store fails.
    pub async fn rows(
        &self,
        _filter: &RowFilter,
        _cursor: Option<u64>,
        _limit: usize,
    ) -> Result<RowPage> {
        todo!("skeleton")
    }

    /// How many rows a filter selects.
    ///
    /// # Errors
    /// The store fails.
    pub async fn count(&self, _filter: &RowFilter) -> Result<u64> {
        todo!("skeleton")
    }

    /// The newest validation records, newest first.
    #[must_use]
    pub fn validations(&self, _limit: usize) -> Vec<Validation> {
        todo!("skeleton")
    }

    /// Looks up everything overdue now.
    pub async fn check_finality_now(&self) -> CheckReport {
        todo!("skeleton")
    }

    /// Waits up to `grace` for transactions without an end, then stops every task and flushes the
    /// store. Returns how many are left without an end.
    pub async fn shutdown(&self, _grace: Duration) -> u64 {
        todo!("skeleton")
    }
}
