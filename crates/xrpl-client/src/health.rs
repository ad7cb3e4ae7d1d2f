//! What is known of a node: whether it answers, how soon, and whether it follows its network.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::Mutex;
use serde::Serialize;
use tokio::time::Instant;
use xrpl_protocol::LedgerIndex;

use crate::{ClientError, pool::EndpointId, response::ServerState};

/// Failures in a row that are put up with.
const TOLERATED: u32 = 2;
/// How long a node is spared that says it has too much to do, or is not in step with its network.
const REST: Duration = Duration::from_secs(2);
/// How long a node that fell silent is passed over where nobody watches its health. Then one request
/// tries it.
const TRIAL: Duration = Duration::from_secs(5);

/// Shortest silence that tells. Validators of one machine pause for some hundred milliseconds where
/// they close a ledger.
const SHORTEST: Duration = Duration::from_millis(500);
/// Longest silence that is waited for, however slow the node has been.
const LONGEST: Duration = Duration::from_millis(1_500);
/// Before anything is known of how soon it answers.
const FIRST: Duration = Duration::from_secs(1);

/// What is known of an endpoint.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Health {
    /// Which one.
    pub id: EndpointId,
    /// How it is called.
    pub name: Arc<str>,
    /// Whether it may be asked.
    pub healthy: bool,
    /// Failures since the last success.
    pub failures: u32,
    /// `full`, `proposing`, ...; empty before the first look.
    pub server_state: String,
    /// Its last validated ledger.
    pub validated: Option<LedgerIndex>,
    /// Its ledgers are not those of the chain that is followed, so that nothing is asked of it.
    pub passed_over: bool,
    /// The last failure.
    pub last_error: Option<String>,
}

/// When anything last came from a node, over any of its connections.
pub(crate) struct Heard {
    base: Instant,
    at_us: AtomicU64,
}

impl Heard {
    pub(crate) fn new() -> Self {
        Self { base: Instant::now(), at_us: AtomicU64::new(0) }
    }

    /// Something came.
    pub(crate) fn now(&self) {
        let at = u64::try_from(self.base.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.at_us.fetch_max(at, Relaxed);
    }

    fn last(&self) -> Instant {
        self.base + Duration::from_micros(self.at_us.load(Relaxed))
    }
}

impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "heard {:?} ago", self.last().elapsed())
    }
}

/// How soon a node answers, smoothed as TCP smooths round trips (RFC 6298).
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    smoothed_us: u64,
    spread_us: u64,
    answers: u64,
}

impl Pace {
    fn observe(&mut self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).min(60_000_000);
        if self.answers == 0 {
            (self.smoothed_us, self.spread_us) = (us, us / 2);
        } else {
            let off = self.smoothed_us.abs_diff(us);
            self.spread_us = (3 * self.spread_us + off) / 4;
            self.smoothed_us = (7 * self.smoothed_us + us) / 8;
        }
        self.answers += 1;
    }

    /// So long a silence is more than the node's usual slowness.
    fn limit(&self) -> Duration {
        if self.answers == 0 {
            return FIRST;
        }
        Duration::from_micros(self.smoothed_us + 4 * self.spread_us).clamp(SHORTEST, LONGEST)
    }
}

#[derive(Debug)]
struct Known {
    health: Health,
    pace: Pace,
    /// Whether its state and its ledger were those of a working node when it was last looked at.
    in_step: bool,
    /// Silent while others answer: passed over since then, or since it was last tried.
    silent_since: Option<Instant>,
    spared_until: Option<Instant>,
}

impl Known {
    fn judge(&mut self) {
        self.health.healthy = self.in_step
            && !self.health.passed_over
            && self.silent_since.is_none()
            && self.health.failures <= TOLERATED;
    }
}

/// Keeps what is known of one node.
#[derive(Debug)]
pub(crate) struct Record {
    known: Mutex<Known>,
    heard: Arc<Heard>,
}

/// How a node stands among the others; the smaller, the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Standing {
    /// It is not to be asked at all.
    pub(crate) passed_over: bool,
    pub(crate) unfit: bool,
    pub(crate) lags: bool,
}

impl Record {
    /// Of a node of which nothing is known yet; `heard` says when something came from it.
    pub(crate) fn new(id: EndpointId, name: Arc<str>, heard: Arc<Heard>) -> Self {
        let health = Health {
            id,
            name,
            healthy: true,
            failures: 0,
            server_state: String::new(),
            validated: None,
            passed_over: false,
            last_error: None,
        };
        let known = Known {
            health,
            pace: Pace::default(),
            in_step: true,
            silent_since: None,
            spared_until: None,
        };
        Self { known: Mutex::new(known), heard }
    }

    pub(crate) fn health(&self) -> Health {
        self.known.lock().health.clone()
    }

    pub(crate) fn is_healthy(&self) -> bool {
        self.known.lock().health.healthy
    }

    pub(crate) fn is_passed_over(&self) -> bool {
        self.known.lock().health.passed_over
    }

    /// Its last validated ledger, if that is one of the followed chain.
    pub(crate) fn validated(&self) -> Option<LedgerIndex> {
        let known = self.known.lock();
        known.health.validated.filter(|_| !known.health.passed_over)
    }

    /// Whether it is to be passed over from now on, and why. True if that is new.
    pub(crate) fn pass_over(&self, why: Option<&str>) -> bool {
        let mut known = self.known.lock();
        let changed = known.health.passed_over != why.is_some();
        known.health.passed_over = why.is_some();
        match why {
            Some(why) => known.health.last_error = Some(why.to_owned()),
            None if changed => known.health.last_error = None,
            None => {}
        }
        known.judge();
        changed
    }

    /// How it stands, where `best` is the newest ledger of any node. Where nobody watches, a silent
    /// node is due for a trial from time to time: `watched` says so.
    pub(crate) fn standing(&self, best: u32, max_lag: u32, watched: bool) -> Standing {
        let mut known = self.known.lock();
        // Another task may have seen a newer ledger since `best` was read.
        let own = known.health.validated.map_or(best, |own| own.0);
        let lags = best.saturating_sub(own) > max_lag;
        if known.health.healthy && known.spared_until.is_none() {
            return Standing { passed_over: false, unfit: false, lags };
        }
        let now = Instant::now();
        if known.spared_until.is_some_and(|until| until <= now) {
            known.spared_until = None;
        }
        let trial = !watched && known.silent_since.is_some_and(|since| now >= since + TRIAL);
        let fit = (known.health.healthy || trial) && known.spared_until.is_none();
        Standing { passed_over: known.health.passed_over, unfit: !fit, lags }
    }

    /// A request begins.
    pub(crate) fn tried(&self) {
        let mut known = self.known.lock();
        if known.silent_since.is_some() {
            known.silent_since = Some(Instant::now());
        }
    }

    /// What became of a request.
    pub(crate) fn note(&self, took: Duration, error: Option<&ClientError>) {
        let mut known = self.known.lock();
        match error.filter(|error| error.is_endpoint_failure() || error.is_node_condition()) {
            None => {
                known.pace.observe(took);
                if known.health.failures > 0 || known.silent_since.is_some() {
                    known.health.failures = 0;
                    known.silent_since = None;
                    known.judge();
                }
            }
            Some(error) => {
                known.health.failures = known.health.failures.saturating_add(1);
                known.health.last_error = Some(error.to_string());
                // It did answer, but not what it was asked for.
                if !error.is_endpoint_failure() || matches!(error, ClientError::TurnedAway { .. }) {
                    known.spared_until = Some(Instant::now() + REST);
                    known.silent_since = None;
                }
                known.judge();
            }
        }
    }

    /// What a look at it showed.
    pub(crate) fn looked(&self, state: &ServerState) {
        let state = &state.state;
        let usable = ["full", "validating", "proposing"].contains(&state.server_state.as_str());
        let mut known = self.known.lock();
        known.health.validated = state.validated_ledger.as_ref().map(|ledger| ledger.seq);
        known.health.server_state.clone_from(&state.server_state);
        known.in_step = usable && !state.amendment_blocked;
        if state.amendment_blocked {
            known.health.last_error = Some("amendment blocked: it must be upgraded".into());
        }
        known.judge();
    }

    /// It is silent while another one could answer: that one is asked from now on, until this one
    /// says something. False if that was known.
    pub(crate) fn fell_silent(&self, since: Instant) -> bool {
        let mut known = self.known.lock();
        if known.silent_since.is_some() {
            return false;
        }
        let now = Instant::now();
        known.silent_since = Some(now);
        let quiet = now.saturating_duration_since(since.max(self.heard.last()));
        known.health.last_error = Some(format!("silent for {} ms", quiet.as_millis()));
        known.judge();
        true
    }

    /// Until when something must come from it, so that a request made at `since` need not be taken
    /// elsewhere.
    pub(crate) fn due(&self, since: Instant) -> Instant {
        let limit = self.known.lock().pace.limit();
        since.max(self.heard.last()) + limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_follows_what_the_node_is_used_to_and_is_bounded() {
        let mut pace = Pace::default();
        assert_eq!(pace.limit(), FIRST);
        for _ in 0..50 {
            pace.observe(Duration::from_millis(3));
        }
        assert_eq!(pace.limit(), SHORTEST);
        for n in 0..50 {
            pace.observe(Duration::from_millis(if n % 2 == 0 { 100 } else { 400 }));
        }
        assert!(pace.limit() > SHORTEST && pace.limit() < LONGEST, "{:?}", pace.limit());
        for _ in 0..50 {
            pace.observe(Duration::from_secs(9));
        }
        assert_eq!(pace.limit(), LONGEST);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_node_is_unfit_until_it_answers_or_where_nobody_watches_until_its_trial() {
        let record = Record::new(EndpointId(0), "node".into(), Arc::new(Heard::new()));
        let unfit = |watched| record.standing(0, 4, watched).unfit;
        assert!(!unfit(true));
        assert!(record.fell_silent(Instant::now()) && !record.fell_silent(Instant::now()));
        assert!(unfit(true) && unfit(false) && !record.health().healthy);
        tokio::time::sleep(TRIAL).await;
        assert!(unfit(true) && !unfit(false), "one request tries it");
        record.tried();
        assert!(unfit(false), "and only one");
        record.note(Duration::from_millis(5), None);
        assert!(!unfit(true) && record.health().healthy);
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_that_has_too_much_to_do_is_spared_for_a_while() {
        let record = Record::new(EndpointId(0), "node".into(), Arc::new(Heard::new()));
        let cause = serde_json::from_str(r#"{"error":"tooBusy"}"#).unwrap();
        let error = ClientError::Refused { endpoint: "node".into(), cause };
        record.note(Duration::ZERO, Some(&error));
        assert!(record.standing(0, 4, true).unfit);
        assert_eq!(record.health().failures, 1);
        tokio::time::sleep(REST).await;
        assert!(!record.standing(0, 4, true).unfit);
    }
}
