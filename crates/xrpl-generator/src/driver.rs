//! Drives the engine: gives its transactions to the tracker, brings it their final states, keeps time.
//!
//! One task owns the engine. Its loop is here; what comes to it and leaves it is in files of their own: `workers` carry
//! transactions to the tracker, `commands` and `requests` are what the handle asks for, `status` what it reads,
//! `course` leads from stage to stage, `band`, `journeys` and `foreign` do the same for parts of the engine.

mod answer;
mod band;
mod commands;
mod course;
mod foreign;
mod journeys;
mod requests;
mod status;
mod workers;

use std::{
    borrow::Cow,
    collections::VecDeque,
    sync::Arc,
    time::{Duration, SystemTime},
};

use rustc_hash::{FxHashMap, FxHashSet};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tracing::warn;
use xrpl_client::{Pool, request::Fee};
use xrpl_protocol::{AccountId, LedgerIndex, Sequence, TxHash};
use xrpl_tracker::{
    Error as TrackerError, Intent, LedgerHead, Outcome, Submission, Submitted, Tracker,
};

use self::{
    answer::answer_of,
    band::Watch,
    foreign::Others,
    journeys::Journeys,
    requests::Request,
    workers::{Answered, Carried, Job, carry},
};
use crate::{
    accounts::Index,
    command::{Asked, Command, Reply},
    config::GeneratorConfig,
    engine::{Done, Engine, Origin, Prepared},
    error::GeneratorError,
    fees::FeeStrategy,
    lane::Blocked,
    metadata::Metadata,
    pacing::{Cause, Pace, Schedule},
    plan::Plan,
    reading,
    stage::Course,
    stats::{AccountListing, Status},
};

/// Transactions built before the loop looks at what has come in.
const BURST: usize = 64;
/// How often the status is published.
const PUBLISH: Duration = Duration::from_millis(250);
/// How often at most the open-ledger fee is asked for.
const FEE_EVERY: Duration = Duration::from_millis(250);

/// What a side task found out.
enum Found {
    Sequence(Index, Option<Sequence>),
    Fee { open_ledger: u64, queue: u64, per_ledger: u64 },
    LedgerChanged { node: Arc<str>, what: String },
}

pub(crate) struct Driver {
    pub(crate) engine: Engine,
    pub(crate) pool: Pool,
    pub(crate) tracker: Tracker,
    config: GeneratorConfig,
    workers: Vec<mpsc::Sender<(TxHash, Job)>>,
    idle: Vec<usize>,
    answers: mpsc::UnboundedReceiver<Answered>,
    outcomes: mpsc::UnboundedReceiver<Arc<Outcome>>,
    outcomes_to: mpsc::UnboundedSender<Arc<Outcome>>,
    revocations: mpsc::UnboundedReceiver<Arc<Outcome>>,
    others: Others,
    /// What attempts after the first were answered.
    later_answers: mpsc::UnboundedReceiver<Submitted>,
    later_answers_to: mpsc::UnboundedSender<Submitted>,
    findings: mpsc::UnboundedReceiver<Found>,
    findings_to: mpsc::UnboundedSender<Found>,
    inbox: mpsc::Receiver<Command>,
    head: watch::Receiver<LedgerHead>,
    status_to: watch::Sender<Arc<Status>>,
    accounts_to: watch::Sender<Arc<AccountListing>>,
    /// Funding of accounts that are to take part once it is validated.
    adopting: FxHashMap<TxHash, Index>,
    /// Accounts whose funding is asked for or on its way.
    funding: FxHashSet<Index>,
    /// Accounts of the fuzz band whose funding is on its way.
    joining: usize,
    watch: Watch,
    journeys: Journeys,
    origin: Instant,
    schedule: Schedule,
    course: Course,
    running: bool,
    started_at_ms: Option<u64>,
    requests: VecDeque<Request>,
    /// Ends taken in so far: what exists changes with them.
    ended: u64,
    asked: FxHashMap<TxHash, (Reply<Asked>, Cow<'static, str>, AccountId)>,
    /// Ends of transactions of [`Origin::Setup`], for who waits for them.
    pub(crate) setup_done: Vec<(Done, String)>,
    /// Why nothing more is submitted: the store takes no row.
    failure: Option<TrackerError>,
    fee_asked: Option<Instant>,
    published: Instant,
    /// Whether the open-ledger fee is wanted whatever the strategy.
    pub(crate) watch_fee: bool,
}

impl Driver {
    pub(crate) fn new(
        tracker: Tracker,
        pool: Pool,
        config: GeneratorConfig,
        inbox: mpsc::Receiver<Command>,
        status_to: watch::Sender<Arc<Status>>,
    ) -> Result<Self, GeneratorError> {
        let (answers_to, answers) = mpsc::unbounded_channel();
        let (outcomes_to, outcomes) = mpsc::unbounded_channel();
        let (findings_to, findings) = mpsc::unbounded_channel();
        let (later_answers_to, later_answers) = mpsc::unbounded_channel();
        let workers: Vec<_> = (0..config.max_submitting)
            .map(|worker| {
                let (to, jobs) = mpsc::channel(1);
                let (tracker, pool) = (tracker.clone(), pool.clone());
                tokio::spawn(carry(worker, tracker, pool, jobs, answers_to.clone()));
                to
            })
            .collect();
        // Until the first stage begins nothing asks it.
        let idle = Pace::Unlimited;
        let schedule = Schedule::new(idle, Duration::ZERO, config.late_after, config.give_up_after);
        let course = Course::new(config.stages.clone());
        Ok(Self {
            engine: Engine::new(&config)?,
            pool,
            head: tracker.ledger(),
            revocations: tracker.revocations(),
            others: Others::new(&tracker),
            tracker,
            idle: (0..workers.len()).rev().collect(),
            workers,
            answers,
            outcomes,
            outcomes_to,
            later_answers,
            later_answers_to,
            findings,
            findings_to,
            inbox,
            status_to,
            accounts_to: watch::Sender::default(),
            adopting: FxHashMap::default(),
            funding: FxHashSet::default(),
            joining: 0,
            watch: Watch::new(config.fuzzes()),
            journeys: Journeys::default(),
            origin: Instant::now(),
            schedule,
            course,
            running: false,
            started_at_ms: None,
            requests: VecDeque::new(),
            ended: 0,
            asked: FxHashMap::default(),
            setup_done: Vec::new(),
            failure: None,
            fee_asked: None,
            published: Instant::now(),
            watch_fee: false,
            config,
        })
    }

    pub(crate) fn config(&self) -> &GeneratorConfig {
        &self.config
    }

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    pub(crate) fn has_idle_worker(&self) -> bool {
        !self.idle.is_empty()
    }

    /// Hands a transaction to a worker; the caller has seen that one is idle.
    pub(crate) fn dispatch(&mut self, prepared: Prepared) {
        if prepared.intent == Intent::Any {
            self.note_sent(prepared.hash, &prepared.blob);
        }
        if let Some(mangling) = prepared.mangled {
            if let Some(worker) = self.idle.pop() {
                // Workers end only with the driver.
                let job = Job::Untracked(prepared.blob, mangling);
                drop(self.workers[worker].try_send((prepared.hash, job)));
            }
            return;
        }
        let submission = Submission {
            blob: prepared.blob,
            intent: prepared.intent,
            want_metadata: prepared.want_metadata,
            outcome_to: Some(self.outcomes_to.clone()),
            answers_to: Some(self.later_answers_to.clone()),
            callers_key: prepared.callers_key,
            fail_hard: prepared.fail_hard,
            fresh: true,
        };
        let handed = match self.idle.pop() {
            Some(worker) => {
                let job = Job::Tracked(submission);
                self.workers[worker].try_send((prepared.hash, job)).is_ok()
            }
            None => false,
        };
        if !handed {
            // Workers end only with the driver; this keeps the lane right all the same.
            let done = self.engine.not_taken(prepared.hash, true);
            self.note(done, || "not handed over".to_owned());
        }
    }

    /// The fuzz band's accounts are there, as far as they are to be had: those that it loses from now
    /// on are replaced.
    pub(crate) fn gather_band(&mut self) {
        for index in self.engine.world.accounts.fuzzers().to_vec() {
            self.engine.band_joins(index);
        }
        self.watch.prepared = true;
    }

    /// Runs until the last stage is over or it is cancelled, then until what is in flight has ended or
    /// `drain` has passed.
    ///
    /// Without a store there is no load: its failure ends the run like a cancellation, and is
    /// returned.
    pub(crate) async fn run(&mut self, cancel: &CancellationToken) -> Result<(), GeneratorError> {
        self.engine.list_all();
        self.begin_course();
        if self.config.autostart {
            self.start();
        }
        while !cancel.is_cancelled() && self.failure.is_none() {
            self.follow_course();
            if self.course.is_over() {
                break;
            }
            let more = self.send_due();
            self.wait(self.next_deadline(more), Some(cancel)).await;
        }
        self.end_course();
        self.engine.close_journeys("the run ended before it");
        let until = Instant::now() + self.config.drain;
        while self.engine.in_flight() > 0 && Instant::now() < until {
            self.send_urgent();
            self.wait(Instant::now() + PUBLISH, None).await;
        }
        if self.engine.in_flight() > 0 {
            warn!(in_flight = self.engine.in_flight(), "the drain time has passed");
        }
        self.publish_journeys();
        self.check()
    }

    /// The failure that ends everything, if there was one.
    pub(crate) fn check(&mut self) -> Result<(), GeneratorError> {
        self.failure.take().map_or(Ok(()), |error| Err(error.into()))
    }

    /// Sends what is due; true if more is due at once.
    fn send_due(&mut self) -> bool {
        self.send_urgent();
        if !self.running {
            return false;
        }
        if matches!(self.schedule.pace(), Pace::QueueDepth(_)) {
            self.ask_fee();
        }
        for _ in 0..BURST {
            let now = self.now();
            self.schedule.in_flight(now, self.engine.in_flight());
            if !self.schedule.is_due(now) {
                return false;
            }
            if self.idle.is_empty() {
                self.schedule.hold(Cause::Endpoint);
                return false;
            }
            match self.engine.next_load() {
                Ok(prepared) => {
                    let late = self.schedule.take(now);
                    self.engine.sent(prepared.hash, late);
                    self.dispatch(prepared);
                }
                Err(cause) => {
                    self.schedule.hold(cause);
                    return false;
                }
            }
        }
        true
    }

    /// Fills holes, replaces what waits, sends steps of journeys, and serves requests: they go before the
    /// schedule.
    pub(crate) fn send_urgent(&mut self) {
        for index in self.engine.take_doubtful() {
            self.read_sequence(index);
        }
        while !self.idle.is_empty()
            && let Some(filler) = self.engine.next_filler()
        {
            self.dispatch(filler);
        }
        while !self.idle.is_empty()
            && let Some(replacement) = self.engine.next_replacement()
        {
            self.dispatch(replacement);
        }
        self.recruit();
        self.look_at_nodes();
        self.send_steps();
        for _ in 0..self.requests.len() {
            let Some(request) = self.requests.pop_front() else { break };
            self.serve(request);
        }
    }

    fn next_deadline(&self, more: bool) -> Instant {
        if more {
            return Instant::now();
        }
        let mut tick = Instant::now() + PUBLISH;
        if let Some(end) = self.course.ends_at() {
            tick = tick.min(self.origin + end);
        }
        match self.schedule.next_due() {
            // What is due already waits for an event, not for time.
            Some(due) if self.running && due > self.now() => tick.min(self.origin + due),
            _ => tick,
        }
    }

    /// Waits for whatever comes first and takes in all that is there.
    pub(crate) async fn wait(&mut self, until: Instant, cancel: Option<&CancellationToken>) {
        let cancelled = async {
            match cancel {
                Some(token) => token.cancelled().await,
                None => std::future::pending().await,
            }
        };
        let mut answers = Vec::new();
        let mut outcomes = Vec::new();
        // In this order, so that the same seed gives the same run: what comes seldom goes first, and
        // is not kept waiting by what never ends.
        tokio::select! {
            biased;
            () = cancelled => {}
            Some(command) = self.inbox.recv() => self.obey(command),
            Ok(()) = self.head.changed() => self.take_head(),
            Some(found) = self.findings.recv() => self.take_found(found),
            Some(outcome) = self.revocations.recv() => self.engine.revoked(&outcome),
            _ = self.outcomes.recv_many(&mut outcomes, 256) => {}
            _ = self.answers.recv_many(&mut answers, 256) => {}
            foreign = self.others.next() => self.take_foreign(foreign),
            Some(later) = self.later_answers.recv() => {
                self.engine.answered(later.hash, answer_of(&later));
            }
            () = tokio::time::sleep_until(until) => {}
        }
        if self.published.elapsed() >= PUBLISH {
            self.publish();
        }
        answers.drain(..).for_each(|answered| self.take_answer(answered));
        while let Ok(answered) = self.answers.try_recv() {
            self.take_answer(answered);
        }
        while let Some(foreign) = self.others.ready() {
            self.take_foreign(foreign);
        }
        while let Ok(later) = self.later_answers.try_recv() {
            self.engine.answered(later.hash, answer_of(&later));
        }
        for outcome in outcomes {
            self.take_outcome(outcome);
        }
        while let Ok(outcome) = self.outcomes.try_recv() {
            self.take_outcome(outcome);
        }
    }

    /// What was read of the accounts is of this ledger.
    pub(crate) fn read_at(&mut self, ledger: LedgerIndex) {
        self.others.read_at = ledger;
    }

    fn take_foreign(&mut self, foreign: Option<(TxHash, Metadata, LedgerIndex)>) {
        if let Some((hash, metadata, ledger)) = foreign {
            self.note_foreign(hash);
            self.engine.learn(&metadata, ledger);
        }
    }

    fn take_answer(&mut self, answered: Answered) {
        let Answered { worker, hash, carried } = answered;
        self.idle.push(worker);
        let result = match carried {
            Carried::Tracked(result) => result,
            Carried::Untracked(mangling, answer) => {
                return self.note_untracked(hash, mangling, answer.as_deref());
            }
        };
        let asked = self.asked.remove(&hash);
        match result {
            Ok(submitted) => {
                self.note_answer(hash, submitted.engine_result.as_ref(), submitted.state);
                self.engine.answered(hash, answer_of(&submitted));
                if self.engine.node_is_busy() {
                    self.ask_fee();
                }
                if let Some((reply, transaction_type, account)) = asked {
                    let Submitted { state, engine_result, .. } = submitted;
                    let tx_hash = hash;
                    let asked = Asked { tx_hash, transaction_type, account, state, engine_result };
                    drop(reply.send(Ok(asked)));
                }
            }
            Err(error) => {
                warn!(%hash, %error, "the tracker did not take a transaction");
                // Only what is no transaction at all has certainly not left; a store may fail after
                // the row was written, and a tracker that shuts down may have begun to send.
                let sure =
                    matches!(error, TrackerError::BadBlob(_) | TrackerError::MissingField(_));
                let done = self.engine.not_taken(hash, sure);
                if let Some(index) = self.adopting.remove(&hash) {
                    self.adopted(index);
                }
                self.note(done, || error.to_string());
                if let TrackerError::Store(text) = &error {
                    self.failure.get_or_insert_with(|| TrackerError::Store(text.clone()));
                }
                if let Some((reply, ..)) = asked {
                    drop(reply.send(Err(error.into())));
                }
            }
        }
    }

    fn take_outcome(&mut self, outcome: Arc<Outcome>) {
        self.ended += 1;
        self.engine.measures.at(self.origin.elapsed());
        self.note_end(&outcome);
        let done = self.engine.settle(&outcome);
        if let Some(index) = self.adopting.remove(&outcome.hash) {
            self.adopted(index);
        }
        self.note(done, || {
            let result = outcome.engine_result.as_ref();
            result.map_or_else(|| outcome.evidence.kind(), |result| result.as_str()).to_owned()
        });
    }

    /// Keeps the end of a setup transaction for who waits for it.
    fn note(&mut self, done: Option<Done>, how: impl FnOnce() -> String) {
        if let Some(done) = done.filter(|done| done.origin == Origin::Setup) {
            self.setup_done.push((done, how()));
        }
    }

    fn take_found(&mut self, found: Found) {
        match found {
            Found::Sequence(index, sequence) => self.engine.reread(index, sequence),
            Found::Fee { open_ledger, queue, per_ledger } => {
                self.engine.fees.set_open_ledger(open_ledger);
                self.engine.set_queue(queue, per_ledger);
                self.schedule.queue(self.now(), queue);
            }
            Found::LedgerChanged { node, what } => self.note_ledger_changed(&node, what),
        }
    }

    pub(crate) fn take_head(&mut self) {
        let head = self.head.borrow_and_update().clone();
        if head.index.0 == 0 {
            return;
        }
        let ledgers = head.index.0.saturating_sub(self.engine.head().0);
        self.note_head(&head);
        self.engine.set_head(head.index);
        // The ledger that ends a stage belongs to the next one.
        self.follow_course();
        self.schedule.ledgers(self.now(), ledgers);
        self.engine.set_close_time(head.close_time);
        self.engine.fees.set_ledger(head.base_fee.0, head.reserve_base.0, head.reserve_inc.0);
        // Plans that nothing fitted get their next chance.
        self.engine.list_all();
        self.ask_fee();
    }

    /// Asks for the open-ledger fee and the queue, where they matter, and not too often.
    pub(crate) fn ask_fee(&mut self) {
        let matters = self.watch_fee
            || matches!(self.schedule.pace(), Pace::QueueDepth(_))
            || self.engine.node_is_busy()
            || self.engine.fees.strategy() == FeeStrategy::OpenLedger;
        if !matters || self.fee_asked.is_some_and(|at| at.elapsed() < FEE_EVERY) {
            return;
        }
        self.fee_asked = Some(Instant::now());
        let (pool, findings) = (self.pool.clone(), self.findings_to.clone());
        tokio::spawn(async move {
            if let Ok(fee) = pool.request(&Fee {}).await {
                drop(findings.send(Found::Fee {
                    open_ledger: fee.drops.open_ledger_fee.0,
                    queue: fee.current_queue_size.unwrap_or(0),
                    per_ledger: fee.expected_ledger_size.unwrap_or(u64::MAX),
                }));
            }
        });
    }

    fn read_sequence(&self, index: Index) {
        let id = self.engine.world.accounts[index].id;
        let (pool, findings) = (self.pool.clone(), self.findings_to.clone());
        let known = self.head.borrow().index.max(self.engine.reads_from());
        tokio::spawn(async move {
            let ledger = reading::newest(&pool, known).await;
            let sequence = match reading::account(&pool, id, ledger).await {
                Ok(found) => found.map(|(_, account)| account.sequence),
                Err(error) => {
                    warn!(%error, "a Sequence in doubt could not be read");
                    None
                }
            };
            if sequence.is_none() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            drop(findings.send(Found::Sequence(index, sequence)));
        });
    }

    fn start(&mut self) {
        self.running = true;
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.started_at_ms = Some(since.as_millis() as u64);
    }

    /// Sends a setup transaction if its lane and a worker are free.
    pub(crate) fn try_setup(&mut self, index: Index, plan: Plan) -> Result<TxHash, Blocked> {
        let prepared = self.engine.send(index, plan, false)?;
        let hash = prepared.hash;
        self.dispatch(prepared);
        Ok(hash)
    }
}
