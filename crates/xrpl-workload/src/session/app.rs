//! What the routes of the API and the view see of a run.

use std::sync::{Arc, OnceLock};

use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use xrpl_client::Pool;
use xrpl_generator::{Generator, Progress};
use xrpl_tracker::{Store, Tracker};

use crate::{
    api,
    config::Config,
    counts::LoadCounts,
    definitions::Known,
    dex::Dex,
    events::Events,
    heartbeat::Heartbeat,
    limits::{LimitVerdict, judge},
    meter::Meter,
    observe::Observer,
    reads::Reads,
    record::{Control, whole},
    recorder::Recorder,
    shadow::Watched,
    steering::Steering,
    summary::FinalityMs,
    view::{LoadSnapshot, Snapshot},
    webhook::Deliveries,
};

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Accounts are funded and equipped.
    Preparing(Progress),
    /// Load may run.
    Ready,
    /// No new load; what is in flight comes to its end.
    Stopping,
}

impl Phase {
    /// For the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Preparing(_) => "preparing",
            Self::Ready => "ready",
            Self::Stopping => "stopping",
        }
    }
}

/// What the routes of the API and the view see of a run.
#[derive(Debug)]
pub struct App {
    /// The effective configuration.
    pub config: Config,
    /// The nodes.
    pub pool: Pool,
    /// Follows transactions.
    pub tracker: Tracker,
    /// How fast transactions are validated.
    pub meter: Meter,
    /// What the page draws over time.
    pub observer: Observer,
    /// Makes the run's record.
    pub recorder: Recorder,
    /// Who sets the load's pace.
    pub steering: Steering,
    /// What is read beside the load.
    pub reads: Reads,
    /// Names of the nodes.
    pub endpoint: String,
    /// When this process began the run.
    pub started: Instant,
    /// The same, milliseconds since 1970.
    pub started_at_ms: u64,
    /// What happens, in order.
    pub events: Events,
    /// Places for readers of it.
    pub readers: Arc<Semaphore>,
    /// Cancelled when the API ends.
    pub end: CancellationToken,
    /// Answers given under an `Idempotency-Key`.
    pub idempotency: api::Idempotency,
    /// Pools and offers, as of the last poll.
    pub dex: Dex,
    /// Canaries.
    pub heartbeat: Heartbeat,
    /// The node's ledgers, executed once more.
    pub shadow: Watched,
    /// What became of the webhook's posts.
    pub deliveries: Deliveries,
    /// What is known of types and fields.
    pub definitions: Known,
    /// Keeps transactions.
    pub store: Arc<dyn Store>,
    /// Why the target rate cannot be reached, if it cannot.
    pub shortfall: OnceLock<String>,
    pub(super) generator: OnceLock<Generator>,
    pub(super) phase: watch::Sender<Phase>,
}

impl App {
    /// The generator, once accounts are ready.
    #[must_use]
    pub fn generator(&self) -> Option<&Generator> {
        self.generator.get()
    }

    /// What the run is doing.
    #[must_use]
    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// The same, and when it changes.
    #[must_use]
    pub fn phases(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    /// Waits for the generator; none if the run ends before.
    pub async fn ready(&self) -> Option<&Generator> {
        let mut phase = self.phase.subscribe();
        loop {
            if let Some(generator) = self.generator() {
                return Some(generator);
            }
            tokio::select! {
                () = self.end.cancelled() => return None,
                moved = phase.changed() => moved.ok()?,
            }
        }
    }

    /// Somebody has changed something of the load, and it is noted in the run's record: what, of which
    /// type, and from which value to which.
    pub fn intervened(&self, what: Control, of: Option<&str>, values: Option<(String, String)>) {
        let stage = self.generator().map(|generator| generator.last_status().stage.name.clone());
        self.recorder.intervened(stage.unwrap_or_default(), what, of, values);
    }

    /// What the scenario's limits come to: so far, or at the end (`over`). None before there is load.
    pub async fn limits(&self, over: bool) -> Vec<LimitVerdict> {
        let limits = &self.config.scenario.limits;
        if limits.is_empty() || self.generator().is_none() {
            return Vec::new();
        }
        let parts = self.recorder.parts(self).await;
        judge(limits, &whole(&parts), &parts, over)
    }

    /// Where the run stands.
    #[must_use]
    pub fn snapshot(&self, load_started: Option<Instant>) -> Snapshot {
        let stats = self.tracker.stats();
        let ledgers = self.tracker.ledgers(1);
        let newest = ledgers.first();
        let finality_ms = FinalityMs::of(&self.recorder.finality_ms(&self.tracker));
        let LoadCounts {
            submitted,
            validated,
            failed,
            expected_invalid,
            fuzzed,
            by_state,
            failures,
        } = self.recorder.load(&stats);
        Snapshot {
            seconds: load_started.map_or(0, |at| at.elapsed().as_secs()),
            ledger_index: stats.ledger_index.0,
            ledger_txn_count: newest.and_then(|ledger| ledger.txn_count),
            ledger_ours: newest.map_or(0, |ledger| ledger.ours),
            submitted,
            validated,
            pending: stats.pending,
            failed,
            expected_invalid,
            by_state,
            validated_per_second: (self.meter.current() * 10.0).round() / 10.0,
            finality_ms_p50: finality_ms.p50,
            finality_ms,
            fuzzed,
            findings: self.generator().map_or(0, |generator| generator.last_status().findings),
            failures,
            stage: self.generator().map(|generator| generator.last_status().stage.clone()),
            load: self.generator().map(|generator| LoadSnapshot::from(&*generator.last_status())),
        }
    }
}
