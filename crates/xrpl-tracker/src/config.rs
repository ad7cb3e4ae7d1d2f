//! What can be set about a tracker.

use std::{sync::Arc, time::Duration};

use xrpl_protocol::{AccountId, Definitions};

/// What the stream subscribes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Subscription {
    /// All validated transactions: needed to count a ledger complete without reading it.
    #[default]
    Transactions,
    /// Only those of these accounts and of everyone of whom a transaction is submitted: for networks
    /// with much foreign traffic. Ledgers are then never complete by the stream; absence is proven by
    /// look-ups and by reading ledgers.
    Accounts(Vec<AccountId>),
}

/// What can be set about a tracker.
#[derive(Clone, Debug)]
pub struct TrackerConfig {
    /// What the streams subscribe to.
    pub subscription: Subscription,
    /// With [`Subscription::Transactions`], how many nodes' streams show every transaction, one at
    /// least. The others show which ledgers are validated, and take over from one that fails.
    pub full_streams: usize,
    /// Capacity of the event queue.
    pub queue_capacity: usize,
    /// How often the finality check runs.
    pub check_interval: Duration,
    /// How many ledgers after submission a transaction is looked up, and at least one
    /// [`Self::check_interval`] after it.
    pub overdue_ledgers: u32,
    /// Or how long after submission.
    pub overdue_after: Duration,
    /// How many look-ups at a time.
    pub lookup_concurrency: usize,
    /// How long a look-up may take.
    pub lookup_timeout: Duration,
    /// How long a submission may take before its outcome counts as unknown.
    pub submit_timeout: Duration,
    /// Attempts that fail before anything is written until FAILED_NET.
    pub never_sent_budget: u32,
    /// Pause before the second attempt; doubles up to [`Self::retry_pause_max`].
    pub retry_pause: Duration,
    /// The longest pause between attempts.
    pub retry_pause_max: Duration,
    /// How many resends at a time.
    pub resend_concurrency: usize,
    /// How long after `ledgerClosed` a short ledger is read if nothing said so before.
    pub short_ledger_grace: Duration,
    /// How many ledgers at most are read back after a gap; older ones are left to look-ups.
    pub max_backfill: u32,
    /// How long a terminal transaction stays in memory; an hour at most.
    pub terminal_retention: Duration,
    /// How many terminal ones stay in memory at most.
    pub terminal_capacity: usize,
    /// Validation records kept in memory.
    pub validation_ring: usize,
    /// Length of the broadcast of state changes: a slower receiver is told how many it missed.
    pub event_capacity: usize,
    /// Preliminary results kept per transaction.
    pub preliminary_kept: usize,
    /// First pause before a WebSocket is connected again; doubles up to [`Self::reconnect_max`], and
    /// begins anew after a connection that lasted twice as long as this.
    pub reconnect_min: Duration,
    /// The longest pause before a WebSocket is connected again.
    pub reconnect_max: Duration,
    /// A WebSocket on which nothing arrives for so long is taken for dead.
    pub stream_idle_timeout: Duration,
    /// How long to wait for a first node at the start.
    pub start_timeout: Duration,
    /// What the clock shows at the start, milliseconds since 1970; none for the system's time.
    /// Simulations give it, so that the same seed gives the same run.
    pub start_time_ms: Option<u64>,
    /// The field table for reading blobs.
    pub definitions: Arc<Definitions>,
}

impl Default for TrackerConfig {
    fn default() -> Self {
        Self {
            subscription: Subscription::default(),
            full_streams: 1,
            queue_capacity: 1000,
            check_interval: Duration::from_secs(5),
            overdue_ledgers: 4,
            overdue_after: Duration::from_secs(20),
            lookup_concurrency: 16,
            lookup_timeout: Duration::from_secs(5),
            submit_timeout: Duration::from_secs(15),
            never_sent_budget: 8,
            retry_pause: Duration::from_millis(250),
            retry_pause_max: Duration::from_secs(5),
            resend_concurrency: 64,
            short_ledger_grace: Duration::from_secs(3),
            max_backfill: 5_000,
            terminal_retention: Duration::from_secs(600),
            terminal_capacity: 100_000,
            validation_ring: 5_000,
            event_capacity: 4_096,
            preliminary_kept: 16,
            reconnect_min: Duration::from_secs(1),
            reconnect_max: Duration::from_secs(30),
            stream_idle_timeout: Duration::from_secs(60),
            start_timeout: Duration::from_secs(30),
            start_time_ms: None,
            definitions: Arc::new(Definitions::builtin().clone()),
        }
    }
}
