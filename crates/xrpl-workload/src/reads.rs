//! Reads beside the load: what applications ask of a node while others send transactions. On their own
//! connections and schedule, and measured apart.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use rand::{RngExt as _, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use xrpl_client::{ClientError, Pool, request::Raw};
use xrpl_generator::{
    AccountListing, Pace, Spread,
    pacing::{Cause, PacingStats, Schedule},
};
use xrpl_protocol::hash::sha512_half;

use crate::{
    figures::{self, Held},
    session::App,
};

mod held;

/// Reads that wait for answers at once, of one entry.
const MOST_WAITING: usize = 512;
/// A read later than this counts as late.
const LATE: Duration = Duration::from_millis(100);
/// A read later than this is given up.
const GIVE_UP: Duration = Duration::from_secs(10);
/// How far back a ledger that is asked for may be.
const LEDGERS_BACK: u32 = 32;

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadMethod {
    /// An account's root.
    AccountInfo,
    /// An account's trust lines.
    AccountLines,
    /// What an account owns.
    AccountObjects,
    /// An account's newest transactions.
    AccountTx,
    /// The offers of a book between XRP and one of the run's currencies.
    BookOffers,
    /// Fees and the queue.
    Fee,
    /// One of the newest ledgers, with the hashes of its transactions.
    Ledger,
    /// What the node says of itself.
    ServerInfo,
}

impl ReadMethod {
    /// As the node calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AccountInfo => "account_info",
            Self::AccountLines => "account_lines",
            Self::AccountObjects => "account_objects",
            Self::AccountTx => "account_tx",
            Self::BookOffers => "book_offers",
            Self::Fee => "fee",
            Self::Ledger => "ledger",
            Self::ServerInfo => "server_info",
        }
    }
}

/// A stream that is subscribed to
/// (<https://xrpl.org/docs/references/http-websocket-apis/public-api-methods/subscription-methods/subscribe>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "xrpl.org documents each")]
pub enum ReadStream {
    Ledger,
    Transactions,
    TransactionsProposed,
    Server,
    Validations,
    Consensus,
    BookChanges,
    Manifests,
}

impl ReadStream {
    fn name(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::Transactions => "transactions",
            Self::TransactionsProposed => "transactions_proposed",
            Self::Server => "server",
            Self::Validations => "validations",
            Self::Consensus => "consensus",
            Self::BookChanges => "book_changes",
            Self::Manifests => "manifests",
        }
    }
}

/// One entry of the reads.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadLoad {
    /// Reads a second; 0 for none.
    pub rate: f64,
    /// What is read, and how often relative to the others.
    pub methods: Vec<(ReadMethod, u32)>,
    /// WebSocket connections that are held open.
    pub subscriptions: u32,
    /// What they subscribe to.
    pub streams: Vec<ReadStream>,
}

impl std::fmt::Display for ReadLoad {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        if self.rate > 0.0 {
            let methods = self.methods.iter().map(|(method, n)| format!("{} {n}", method.name()));
            parts.push(format!("{}/s: {}", self.rate, methods.collect::<Vec<_>>().join(", ")));
        }
        if self.subscriptions > 0 {
            let streams: Vec<_> = self.streams.iter().map(|stream| stream.name()).collect();
            parts.push(format!("{} subscriptions: {}", self.subscriptions, streams.join(", ")));
        }
        f.write_str(&parts.join("; "))
    }
}

/// What was measured of a method.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Read {
    /// How many were asked and have been answered or given up.
    pub asked: u64,
    /// Those of them that failed, by the node's error or by what happened instead of an answer.
    pub failed: BTreeMap<String, u64>,
    /// From sending to the answer, milliseconds.
    pub sent_ms: Spread,
    /// From the moment at which it was due to the answer, milliseconds.
    pub scheduled_ms: Spread,
}

/// All that was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct ReadsMeasured {
    /// By method.
    pub methods: BTreeMap<String, Read>,
    /// How the schedule's slots were used.
    pub slots: PacingStats,
    /// Connections that are held open.
    pub held: Held,
}

#[derive(Debug, Default)]
struct State {
    /// By stage, in order, and method.
    stages: Vec<BTreeMap<&'static str, Read>>,
    /// By entry.
    slots: Vec<PacingStats>,
    held: Held,
}

/// The reads of a run.
#[derive(Clone, Debug, Default)]
pub struct Reads(Arc<Mutex<State>>);

impl Reads {
    /// What was measured so far.
    #[must_use]
    pub fn measured(&self) -> ReadsMeasured {
        let state = self.0.lock();
        let mut methods: BTreeMap<String, Read> = BTreeMap::new();
        for (method, read) in state.stages.iter().flatten() {
            let all = methods.entry((*method).to_owned()).or_default();
            all.asked += read.asked;
            for (why, n) in &read.failed {
                *all.failed.entry(why.clone()).or_default() += n;
            }
            all.sent_ms = all.sent_ms.plus(&read.sent_ms);
            all.scheduled_ms = all.scheduled_ms.plus(&read.scheduled_ms);
        }
        let mut slots = PacingStats::default();
        state.slots.iter().for_each(|more| slots.merge(more));
        ReadsMeasured { methods, slots, held: state.held }
    }

    /// What was measured of a stage, counted from 0, as figures take it.
    #[must_use]
    pub fn of_stage(&self, stage: usize) -> BTreeMap<String, figures::Reads> {
        let state = self.0.lock();
        let of = |(method, read): (&&'static str, &Read)| {
            let read = figures::Reads {
                failed: read.failed.values().sum(),
                errors: read.failed.clone(),
                ms: read.scheduled_ms.clone(),
                sent_ms: read.sent_ms.clone(),
            };
            ((*method).to_owned(), read)
        };
        state.stages.get(stage).map(|methods| methods.iter().map(of).collect()).unwrap_or_default()
    }

    fn note(&self, stage: usize, method: &'static str, told: &Told) {
        let mut state = self.0.lock();
        if state.stages.len() <= stage {
            state.stages.resize_with(stage + 1, BTreeMap::new);
        }
        let read = state.stages[stage].entry(method).or_default();
        read.asked += 1;
        if let Some(why) = &told.failed {
            *read.failed.entry(why.clone()).or_default() += 1;
        }
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        read.sent_ms.record(ms(told.took));
        read.scheduled_ms.record(ms(told.took.saturating_add(told.late)));
    }

    /// Drives the reads of a run until cancelled.
    pub(crate) async fn drive(app: Arc<App>, end: CancellationToken) {
        let loads = &app.config.scenario.reads;
        if loads.is_empty() {
            return;
        }
        // On connections of their own: the load's are not to wait for them.
        let endpoints: Vec<_> = app.pool.endpoints().map(|(_, of)| of.clone()).collect();
        let pool = Pool::new(endpoints, app.pool.config().clone());
        let mut tasks = JoinSet::new();
        tasks.spawn({
            let (pool, end) = (pool.clone(), end.clone());
            async move { pool.watch_health(end).await }
        });
        {
            let mut state = app.reads.0.lock();
            state.slots.resize_with(loads.len(), PacingStats::default);
            state.held.wanted = loads.iter().map(|load| u64::from(load.subscriptions)).sum();
        }
        for (entry, load) in loads.iter().enumerate() {
            for n in 0..load.subscriptions {
                let (app, pool, end) = (Arc::clone(&app), pool.clone(), end.clone());
                let streams: Vec<_> =
                    load.streams.iter().map(|stream| stream.name().to_owned()).collect();
                tasks.spawn(held::hold(app, pool, n as usize, streams, end));
            }
            if load.rate > 0.0 {
                let reader = Reader::new(Arc::clone(&app), pool.clone(), entry, load.clone());
                tasks.spawn(reader.read(end.clone()));
            }
        }
        end.cancelled().await;
        tasks.shutdown().await;
    }
}

/// What became of a read.
#[derive(Debug)]
struct Told {
    failed: Option<String>,
    took: Duration,
    late: Duration,
}

/// Which stage it is, counted from 0.
fn stage_of(app: &App) -> usize {
    let stage = app.generator().map_or(0, |generator| generator.last_status().stage.stage);
    stage.saturating_sub(1)
}

/// The name of a failure: the node's word for it, or what happened instead of an answer.
fn failure(error: &ClientError) -> String {
    match error {
        ClientError::Refused { cause, .. } => cause.error.clone(),
        ClientError::NeverSent { .. } => "not_sent".to_owned(),
        ClientError::TurnedAway { status, .. } => format!("http_{status}"),
        ClientError::Unknown { .. } => "no_answer".to_owned(),
    }
}

/// Reads of one entry.
struct Reader {
    app: Arc<App>,
    pool: Pool,
    entry: usize,
    load: ReadLoad,
    accounts: Arc<AccountListing>,
    rng: StdRng,
}

impl Reader {
    fn new(app: Arc<App>, pool: Pool, entry: usize, load: ReadLoad) -> Self {
        let salt = (entry as u64).to_le_bytes();
        let seed = sha512_half(&[b"xrpl-workload reads", app.config.seed.as_bytes(), &salt]);
        let accounts = app.generator().map(|generator| generator.accounts()).unwrap_or_default();
        Self { app, pool, entry, load, accounts, rng: StdRng::from_seed(seed.0) }
    }

    async fn read(mut self, end: CancellationToken) {
        let origin = Instant::now();
        let mut schedule =
            Schedule::new(Pace::Fixed(self.load.rate), Duration::ZERO, LATE, GIVE_UP);
        let mut waiting = JoinSet::new();
        loop {
            let now = origin.elapsed();
            while waiting.len() < MOST_WAITING && schedule.is_due(now) {
                let late = schedule.take(now);
                let (method, request) = self.next();
                let (pool, stage) = (self.pool.clone(), stage_of(&self.app));
                waiting.spawn(async move {
                    let sent = Instant::now();
                    let failed = pool.request(&request).await.err().map(|error| failure(&error));
                    (stage, method, Told { failed, took: sent.elapsed(), late })
                });
            }
            let full = waiting.len() >= MOST_WAITING;
            if full && schedule.is_due(now) {
                schedule.hold(Cause::Endpoint);
            }
            self.app.reads.0.lock().slots[self.entry] = schedule.stats();
            let next = schedule.next_due().map_or(now + GIVE_UP, |due| due.max(now));
            tokio::select! {
                () = end.cancelled() => break,
                Some(told) = waiting.join_next() => {
                    // A task of ours neither panics nor is it cancelled before the end.
                    if let Ok((stage, method, told)) = told {
                        self.app.reads.note(stage, method, &told);
                    }
                }
                () = sleep_until(origin + next), if !full => {}
            }
        }
        schedule.close(origin.elapsed());
        self.app.reads.0.lock().slots[self.entry] = schedule.stats();
    }

    /// The next read.
    fn next(&mut self) -> (&'static str, Raw) {
        let sum: u64 = self.load.methods.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut at = self.rng.random_range(0..sum.max(1));
        let drawn = self.load.methods.iter().find(|(_, weight)| {
            let here = at < u64::from(*weight);
            at = at.saturating_sub((*weight).into());
            here
        });
        // Whoever made the entry has seen that a weight is above 0.
        let method = drawn.map_or(ReadMethod::Fee, |(method, _)| *method);
        let params = self.params(method);
        let params = params.as_object().cloned().unwrap_or_default();
        (method.name(), Raw { method: method.name().to_owned(), params })
    }

    fn params(&mut self, method: ReadMethod) -> Json {
        let users = &self.accounts.users;
        let account = match users.len() {
            0 => self.accounts.funder.map_or(Json::Null, |id| json!(id)),
            n => json!(users[self.rng.random_range(0..n)]),
        };
        match method {
            ReadMethod::AccountInfo => json!({ "account": account, "ledger_index": "validated" }),
            ReadMethod::AccountLines | ReadMethod::AccountObjects => {
                json!({ "account": account, "ledger_index": "validated", "limit": 50 })
            }
            ReadMethod::AccountTx => json!({ "account": account, "limit": 20 }),
            ReadMethod::BookOffers => {
                let gateways = &self.accounts.gateways;
                let issued: Vec<_> = gateways
                    .iter()
                    .flat_map(|gateway| {
                        let issuer = gateway.address;
                        gateway
                            .currencies
                            .iter()
                            .map(move |currency| json!({ "currency": currency, "issuer": issuer }))
                    })
                    .collect();
                let currency = match issued.len() {
                    0 => json!({ "currency": "XRP" }),
                    n => issued[self.rng.random_range(0..n)].clone(),
                };
                let xrp = json!({ "currency": "XRP" });
                let (gets, pays) = if self.rng.random_range(0..2) == 0 {
                    (xrp, currency)
                } else {
                    (currency, xrp)
                };
                json!({ "taker_gets": gets, "taker_pays": pays, "limit": 20 })
            }
            ReadMethod::Ledger => {
                let newest = self.app.tracker.ledger().borrow().index.0;
                let back = self.rng.random_range(0..LEDGERS_BACK);
                // The first ledgers of a chain are not everywhere.
                let index = newest.saturating_sub(back).max(newest.min(3));
                json!({ "ledger_index": index, "transactions": true })
            }
            ReadMethod::Fee | ReadMethod::ServerInfo => Json::Object(Map::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(ms: u64, late: u64, failed: Option<&str>) -> Told {
        Told {
            failed: failed.map(str::to_owned),
            took: Duration::from_millis(ms),
            late: Duration::from_millis(late),
        }
    }

    #[test]
    fn what_was_read_is_counted_by_stage_and_as_a_whole() {
        let reads = Reads::default();
        reads.note(0, "fee", &told(5, 0, None));
        reads.note(2, "fee", &told(10, 500, Some("tooBusy")));
        reads.note(2, "ledger", &told(20, 0, None));
        let third = reads.of_stage(2);
        assert_eq!((third["fee"].failed, third["fee"].ms.max()), (1, Some(510)));
        assert_eq!((third["fee"].errors["tooBusy"], third["fee"].sent_ms.max()), (1, Some(10)));
        assert_eq!(reads.of_stage(1).len() + reads.of_stage(7).len(), 0);
        let all = reads.measured();
        assert_eq!(all.methods["fee"].asked, 2);
        assert_eq!(all.methods["fee"].failed["tooBusy"], 1);
        assert_eq!(all.methods["fee"].sent_ms.max(), Some(10));
        assert_eq!(all.methods["ledger"].scheduled_ms.max(), Some(20));
    }

    #[test]
    fn failures_have_names() {
        let endpoint: Arc<str> = "node".into();
        let cause = serde_json::from_str(r#"{"error": "actNotFound"}"#).unwrap();
        for (error, name) in [
            (ClientError::Refused { endpoint: endpoint.clone(), cause }, "actNotFound"),
            (
                ClientError::TurnedAway {
                    endpoint: endpoint.clone(),
                    status: 503,
                    body: String::new(),
                },
                "http_503",
            ),
            (ClientError::Unknown { endpoint, cause: "timeout".into() }, "no_answer"),
        ] {
            assert_eq!(failure(&error), name);
        }
    }
}
