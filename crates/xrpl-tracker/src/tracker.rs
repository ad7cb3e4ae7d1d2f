//! The public handle.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    time::{self, Instant},
};
use xrpl_client::{EndpointId, Pool};
use xrpl_protocol::{
    AccountId, LedgerIndex, Object, TxHash, fields, hash::transaction_hash, transaction::Slot,
};

use crate::{
    backfill, chain,
    clock::Clock,
    config::TrackerConfig,
    core::{Core, Links, Shared},
    disputes,
    error::{Error, Result},
    event_queue::event_queue,
    finality_checker::{self, Resting},
    ledger_log::LedgerView,
    lifecycle::{State, TxState, refusals::hides_success},
    matrix::Cell,
    network,
    pending::{Key, NewEntry, Waiters},
    record::{
        CheckReport, Dossier, Foreign, Identity, LedgerHead, Outcome, PreliminaryView, Progress,
        Record, Row, RowFilter, RowPage, RunId, StateChange, Submission, Submitted, Validation,
    },
    stats::{Stats, StepTimes, WsStats},
    store::{Created, Resumed, RunStore, Store, rows},
    submitter, ws_listener, ws_processor,
};

/// Follows transactions to their proven end. Clones share one tracker.
#[derive(Clone, Debug)]
pub struct Tracker {
    shared: Arc<Shared>,
    started_at_ms: u64,
}

impl Tracker {
    /// Starts following the network that the pool reaches. What the store has of the same network
    /// and has no end yet is taken up again. The pool's health is watched from here on too.
    ///
    /// # Errors
    /// No node answers within the start timeout, or the store fails.
    pub async fn start(pool: Pool, store: Arc<dyn Store>, config: TrackerConfig) -> Result<Self> {
        let clock = Clock::new(config.start_time_ms);
        let start = network::start(&pool, &store, &config, clock).await?;
        let (queue, events) = event_queue(config.queue_capacity);
        let head = LedgerHead {
            index: start.head.index,
            hash: start.head.hash,
            base_fee: start.head.base_fee,
            reserve_base: start.head.reserve_base,
            reserve_inc: start.head.reserve_inc,
            close_time: start.head.close_time,
            txn_count: None,
            network_id: start.head.network_id,
        };
        let links = Links::new(start.store, config.event_capacity, &head);
        let mut core = Core::new(links, &config, head);
        core.remember(&start.known, &start.differs);
        core.on_trust = start.on_trust;
        let shared = Arc::new(Shared::new(pool, store, config, queue, core, clock));
        let tracker = Self { started_at_ms: clock.now_ms(), shared };
        tracker.resume(start.resumed);
        chain::judge_at_start(&tracker.shared).await;
        tracker.spawn_tasks(Arc::new(tokio::sync::Mutex::new(events)));
        Ok(tracker)
    }

    fn spawn_tasks(&self, events: ws_processor::Events) {
        let supervisor = &self.shared.supervisor;
        let shared = &self.shared;
        let one = Arc::clone(shared);
        supervisor.keep("ws_processor", move || {
            ws_processor::process(Arc::clone(&one), Arc::clone(&events))
        });
        for (id, endpoint) in shared.pool.endpoints() {
            let Some(url) = endpoint.ws.clone() else { continue };
            let one = Arc::clone(shared);
            supervisor.keep("ws_listener", move || {
                ws_listener::listen(Arc::clone(&one), id, url.clone())
            });
        }
        if shared.pool.endpoints().filter(|(_, endpoint)| endpoint.ws.is_some()).count() > 1
            && shared.followed.is_none()
        {
            let one = Arc::clone(shared);
            supervisor.keep("stream_watch", move || ws_listener::watch(Arc::clone(&one)));
        }
        let one = Arc::clone(shared);
        supervisor.keep("finality_checker", move || finality_checker::run(Arc::clone(&one)));
        let one = Arc::clone(shared);
        supervisor.keep("backfill", move || backfill::run(Arc::clone(&one)));
        let one = Arc::clone(shared);
        supervisor.keep("disputes", move || disputes::run(Arc::clone(&one)));
        let one = Arc::clone(shared);
        supervisor.keep("chain", move || chain::run(Arc::clone(&one)));
        let one = Arc::clone(shared);
        supervisor.keep("submitter", move || submitter::resend(Arc::clone(&one)));
        let (pool, token) = (shared.pool.clone(), supervisor.token.clone());
        supervisor.run(async move { pool.watch_health(token).await });
    }

    /// Has the streams show an account's transactions, where they do not show all.
    fn follow(&self, account: AccountId) {
        if let Some(followed) = &self.shared.followed {
            followed.add(account);
        }
    }

    /// Takes up what has no end yet.
    fn resume(&self, resumed: Resumed) {
        let now_ms = self.shared.now_ms();
        let mut core = self.shared.lock();
        for count in &resumed.counts {
            core.counters.restore(count);
        }
        // First, so that a slot's newest is one without a final state.
        for record in resumed.ended_rivals {
            if core.pending.find(record.identity.hash).is_none() {
                let key = core.take_in_ended(record);
                core.pending.ended(key, now_ms);
            }
        }
        for record in resumed.open {
            self.follow(record.identity.account);
            let condition = TxState {
                state: record.progress.state,
                in_doubt: record.progress.engine_result_last.as_ref().is_some_and(hides_success),
                // Before a restart is before this program's memory: it may have left.
                ..TxState::HANDED_IN
            };
            let transaction_type = core.counters.type_index(&record.identity.transaction_type);
            let mut new = NewEntry::of(record, transaction_type, condition);
            new.progress.undecided = false;
            let key = core.pending.insert(new);
            core.resumed(key, now_ms);
        }
    }

    /// Journals a transaction, sends it, and returns after the first attempt. A transaction that is
    /// tracked already is not sent again.
    ///
    /// # Errors
    /// The blob is no transaction, the store fails, the tracker is shutting down, or the chain was
    /// [reset](Self::reset).
    pub async fn submit(&self, submission: Submission) -> Result<Submitted> {
        if self.shared.supervisor.token.is_cancelled() {
            return Err(Error::ShuttingDown);
        }
        if let Some(why) = self.shared.lock().reset.clone() {
            return Err(Error::Reset(why.to_string()));
        }
        let (mut identity, transaction_type) = self.read(&submission)?;
        let hash = identity.hash;
        self.follow(identity.account);
        let waits = submission.outcome_to.is_some()
            || submission.answers_to.is_some()
            || submission.want_metadata;
        let waiters = waits.then(|| {
            Box::new(Waiters {
                once: Vec::new(),
                each: submission.outcome_to,
                answers: submission.answers_to,
                want_metadata: submission.want_metadata,
            })
        });
        // Before it is known here, so that nothing of it waits for what cannot be written yet.
        let room = tokio::select! {
            room = self.shared.store.room() => room?,
            () = self.shared.supervisor.token.cancelled() => return Err(Error::ShuttingDown),
        };
        let (key, durable) = {
            let mut core = self.shared.lock();
            if let Some(key) = core.pending.find(hash) {
                return Ok(already(&mut core, key, waiters));
            }
            identity.created_ledger = core.head.index;
            let transaction_type = core.counters.type_index(&transaction_type);
            identity.transaction_type = core.counters.type_name(transaction_type);
            let key = core.pending.insert(NewEntry {
                hash,
                account: identity.account,
                slot: identity.slot,
                last_ledger: identity.last_ledger_sequence,
                created_ledger: identity.created_ledger,
                created_at_ms: identity.created_at_ms,
                transaction_type,
                intent: identity.intent.clone(),
                blob: identity.blob.clone(),
                fail_hard: identity.fail_hard,
                fresh: identity.fresh,
                condition: match identity.fresh {
                    true => TxState::CREATED,
                    false => TxState::HANDED_IN,
                },
                progress: Progress::created(),
            });
            core.counters.created(transaction_type, &identity.intent);
            if let Some(entry) = core.pending.get_mut(key) {
                entry.waiters = waiters;
            }
            (key, self.shared.store.create(room, identity))
        };
        let since = Instant::now();
        let durable = durable.await;
        self.shared.times.durable.observe(since.elapsed());
        let created = match durable {
            Ok(created) => created,
            Err(_) => Err(Error::Store("it did not say whether the row is durable".into())),
        };
        match created {
            Ok(Created::New(_)) => {}
            // It left memory, and is submitted once more: it is the same transaction still.
            Ok(Created::Known(record)) => return Ok(self.known(key, *record)),
            Err(error) => {
                self.shared.lock().withdraw(key);
                return Err(error);
            }
        }
        let now_ms = self.shared.now_ms();
        self.shared.lock().announce(key, None, now_ms);
        // A task of its own: who asked may go away, the attempt may not.
        let (tell, told) = oneshot::channel();
        let shared = Arc::clone(&self.shared);
        self.shared.supervisor.run(async move {
            submitter::attempt(&shared, key).await;
            let _ = tell.send(());
        });
        // Without an answer the attempt has panicked, and is filed as one of unknown outcome.
        if told.await.is_err() && self.shared.supervisor.token.is_cancelled() {
            return Err(Error::ShuttingDown);
        }
        let core = self.shared.lock();
        let entry = core.pending.get(key).ok_or(Error::NotTracked(hash))?;
        Ok(Submitted {
            hash,
            state: entry.progress.state,
            engine_result: entry.progress.engine_result_first.clone(),
            already_tracked: false,
        })
    }

    /// A transaction that the store has and memory has not was submitted again. Nothing is sent for
    /// it now. Who wants its outcome is told it at once, or joins those who wait, where it has none
    /// yet: then it is followed again.
    fn known(&self, key: Key, record: Record) -> Submitted {
        let submitted = Submitted {
            hash: record.identity.hash,
            state: record.progress.state,
            engine_result: record.progress.engine_result_first.clone(),
            already_tracked: true,
        };
        let waiters = {
            let mut core = self.shared.lock();
            let waiters = core.pending.get_mut(key).and_then(|entry| entry.waiters.take());
            core.withdraw(key);
            waiters
        };
        let Some(outcome) = outcome_of(&record) else {
            let mut counts = Vec::new();
            rows::count_into(&mut counts, &record);
            self.resume(Resumed { open: vec![record], ended_rivals: Vec::new(), counts });
            let mut core = self.shared.lock();
            let key = core.pending.find(submitted.hash);
            if let Some(entry) = key.and_then(|key| core.pending.get_mut(key)) {
                entry.waiters = waiters;
            }
            return submitted;
        };
        let outcome = Arc::new(outcome);
        if let Some(waiters) = waiters {
            // Who does not wait any more need not be told.
            for waiter in waiters.once {
                let _ = waiter.send(Arc::clone(&outcome));
            }
            if let Some(each) = waiters.each {
                let _ = each.send(outcome);
            }
        }
        submitted
    }

    /// What following a transaction needs to know of it.
    fn read(&self, submission: &Submission) -> Result<(Identity, String)> {
        let definitions = &self.shared.config.definitions;
        let object = Object::decode(&submission.blob, definitions)
            .map_err(|e| Error::BadBlob(e.to_string()))?;
        let account = object.account(fields::ACCOUNT).ok_or(Error::MissingField("Account"))?;
        let slot = match (object.u32(fields::TICKET_SEQUENCE), object.u32(fields::SEQUENCE)) {
            (Some(ticket), _) => Slot::Ticket(ticket.into()),
            (None, Some(sequence)) => Slot::Sequence(sequence.into()),
            (None, None) => return Err(Error::MissingField("Sequence")),
        };
        let code =
            object.u16(fields::TRANSACTION_TYPE).ok_or(Error::MissingField("TransactionType"))?;
        let name = definitions
            .transaction_type_name(code)
            .map_or_else(|| format!("type {code}"), ToOwned::to_owned);
        let identity = Identity {
            hash: transaction_hash(&submission.blob),
            account,
            slot,
            last_ledger_sequence: object
                .u32(fields::LAST_LEDGER_SEQUENCE)
                .filter(|last| *last != 0)
                .map(LedgerIndex),
            transaction_type: Arc::from(""),
            intent: submission.intent.clone(),
            created_ledger: LedgerIndex(0),
            created_at_ms: self.shared.now_ms(),
            blob: submission.blob.clone(),
            callers_key: submission.callers_key.clone(),
            fail_hard: submission.fail_hard,
            fresh: submission.fresh,
        };
        Ok((identity, name))
    }

    /// Waits for the end of a transaction.
    ///
    /// # Errors
    /// It is not tracked, or the tracker stops before its end.
    pub async fn outcome(&self, hash: TxHash) -> Result<Arc<Outcome>> {
        let waiting = {
            let mut core = self.shared.lock();
            match core.pending.find(hash) {
                None => None,
                Some(key) => {
                    if let Some(entry) = core.pending.get(key)
                        && let (Some(evidence), true) =
                            (entry.progress.evidence(), entry.progress.state.is_terminal())
                    {
                        return Ok(Arc::new(core.outcome(entry, evidence, None)));
                    }
                    let (tell, told) = oneshot::channel();
                    if let Some(entry) = core.pending.get_mut(key) {
                        entry.waiters.get_or_insert_default().once.push(tell);
                    }
                    Some(told)
                }
            }
        };
        match waiting {
            Some(told) => tokio::select! {
                biased;
                outcome = told => outcome.map_err(|_| Error::ShuttingDown),
                () = self.shared.supervisor.token.cancelled() => Err(Error::ShuttingDown),
            },
            None => {
                let record = self.shared.store.get(hash).await?.ok_or(Error::NotTracked(hash))?;
                outcome_of(&record).map(Arc::new).ok_or(Error::NotTracked(hash))
            }
        }
    }

    /// Every state change from now on. A receiver that lags behind is told how many it missed.
    #[must_use]
    pub fn events(&self) -> broadcast::Receiver<Arc<StateChange>> {
        self.shared.links.events.subscribe()
    }

    /// Ends that are taken back from now on, because a ledger that they rested on turned out to be
    /// another one (their `state` is not terminal), and what each of them ends with instead. None is
    /// missed.
    #[must_use]
    pub fn revocations(&self) -> mpsc::UnboundedReceiver<Arc<Outcome>> {
        let (tell, told) = mpsc::unbounded_channel();
        self.shared.lock().revocations.push(tell);
        told
    }

    /// Transactions in validated ledgers that were not submitted here, strangers' and those within a
    /// Batch, as far as streams and readings show them: each at least once from now on, maybe several
    /// times. What is told must be taken: it waits.
    #[must_use]
    pub fn foreign(&self) -> mpsc::UnboundedReceiver<Foreign> {
        let (tell, told) = mpsc::unbounded_channel();
        self.shared.lock().foreign.push(tell);
        told
    }

    /// The newest validated ledger.
    #[must_use]
    pub fn ledger(&self) -> watch::Receiver<LedgerHead> {
        self.shared.links.head.subscribe()
    }

    /// Why the chain is taken for reset, once it is: every node that answers follows another one than
    /// this run did. From then on nothing is sent and no transaction comes to an end; those without
    /// one stay open in the run.
    #[must_use]
    pub fn reset(&self) -> watch::Receiver<Option<Arc<str>>> {
        self.shared.links.reset.subscribe()
    }

    /// The nodes.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.shared.pool
    }

    /// The run.
    #[must_use]
    pub fn run(&self) -> RunId {
        self.shared.lock().run
    }

    /// All counters.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let core = self.shared.lock();
        Stats {
            ledger_index: core.head.index,
            first_ledger_index: core.first_head,
            ledgers_backfilled: core.ledgers_backfilled,
            ledger_mismatches: core.ledger_mismatches,
            run: core.run,
            started_at_ms: self.started_at_ms,
            store_failures: self.shared.runs.failures(),
            task_restarts: self.shared.supervisor.restarts(),
            oldest_pending_ledger: core.pending.oldest().map(|e| LedgerIndex(e.created_ledger)),
            in_memory: core.pending.len() as u64,
            ..core.counters.snapshot()
        }
    }

    /// How long validation took, whole: submission to validation, milliseconds, of what this process saw.
    #[must_use]
    pub fn finality_ms(&self) -> hdrhistogram::Histogram<u64> {
        self.shared.lock().counters.finality_ms().clone()
    }

    /// The streams and the event queue.
    #[must_use]
    pub fn ws_stats(&self) -> WsStats {
        use std::sync::atomic::Ordering::Relaxed;
        let (queue, streams) = (&self.shared.queue, &self.shared.streams);
        let core = self.shared.lock();
        let mut events = core.event_counters.clone();
        events.insert("transaction (validated)".into(), core.validated_frames);
        events.insert("ledgerClosed".into(), core.ledger_frames);
        WsStats {
            queue_size: queue.depth(),
            queue_maxsize: queue.capacity(),
            queue_blocked_ms: queue.blocked_ms(),
            queue_blocked_count: queue.blocked_times(),
            validations_by_source: core.counters.by_source(),
            recent_validations_count: core.ring.len(),
            ws_event_counters: events,
            connected: streams.connected.load(Relaxed),
            endpoints: self.shared.pool.endpoints().filter(|(_, e)| e.ws.is_some()).count(),
            reconnects: streams.reconnects.load(Relaxed),
            closed_by_node: streams.closed_by_node.load(Relaxed),
            ledgers_backfilled: core.ledgers_backfilled,
            ledgers_refused: core.ledgers_refused,
            ledgers_wanted: core.completeness.wanted_count(),
            ledgers_unreadable: core.completeness.unreadable_count(),
            failed_events: core.failed_events,
        }
    }

    /// How long the steps of a transaction's way take.
    #[must_use]
    pub fn times(&self) -> StepTimes {
        StepTimes {
            first_attempt: self.shared.times.first_attempt.snapshot(),
            durable: self.shared.times.durable.snapshot(),
            queue_wait: self.shared.queue.waits(),
        }
    }

    /// The transaction of the present run that was submitted with this key.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn by_key(&self, key: &str) -> Result<Option<Record>> {
        self.shared.store.by_key(key).await
    }

    /// Everything known about one transaction; none if it is not tracked.
    ///
    /// # Errors
    /// The store fails.
    pub async fn dossier(&self, hash: TxHash) -> Result<Option<Dossier>> {
        let Some(record) = self.shared.store.get(hash).await? else { return Ok(None) };
        let definitions = &self.shared.config.definitions;
        let tx_json = Object::decode(&record.identity.blob, definitions)
            .map_err(|e| Error::BadBlob(e.to_string()))?
            .to_json(definitions);
        let preliminary_results = record.progress.preliminary.iter().map(|one| PreliminaryView {
            at_ms: one.at_ms,
            endpoint: self.shared.pool.name(EndpointId(one.endpoint)).to_string(),
            answer: one.answer.clone(),
        });
        let waits_for = {
            let core = self.shared.lock();
            let entry = core.pending.find(hash).and_then(|key| core.pending.get(key));
            entry.filter(|entry| entry.condition.undecided).and_then(|entry| {
                core.completeness.missing(entry.watched_from(), entry.last_ledger()?)
            })
        };
        Ok(Some(Dossier {
            row: Row::from(&record),
            waits_for,
            tx_blob: const_hex::encode_upper(&record.identity.blob),
            tx_json,
            preliminary_results: preliminary_results.collect(),
            sightings: record.progress.sightings,
        }))
    }

    /// Rows of the run, oldest first: at most `limit` after `cursor`.
    ///
    /// # Errors
    /// The store fails.
    pub async fn rows(
        &self,
        filter: &RowFilter,
        cursor: Option<u64>,
        limit: usize,
    ) -> Result<RowPage> {
        page(&*self.shared.store, filter, cursor, limit).await
    }

    /// The same of any run of the store: [`Error::NoRun`] if there is none of that number.
    ///
    /// # Errors
    /// There is no such run, or the store fails.
    pub async fn rows_of(
        &self,
        run: RunId,
        filter: &RowFilter,
        cursor: Option<u64>,
        limit: usize,
    ) -> Result<RowPage> {
        if run == self.shared.store.run() {
            return self.rows(filter, cursor, limit).await;
        }
        page(&*self.shared.runs.open_run(run).await?, filter, cursor, limit).await
    }

    /// How many rows a filter selects.
    ///
    /// # Errors
    /// The store fails.
    pub async fn count(&self, filter: &RowFilter) -> Result<u64> {
        self.shared.store.count(filter).await
    }

    /// What the node said first against what the ledger did, of all ended transactions of the run.
    #[must_use]
    pub fn matrix(&self) -> Vec<Cell> {
        let core = self.shared.lock();
        core.counters.matrix.cells(|index| core.counters.type_name(index))
    }

    /// The newest validated ledgers, newest first.
    #[must_use]
    pub fn ledgers(&self, limit: usize) -> Vec<LedgerView> {
        let core = self.shared.lock();
        core.ledgers.newest(
            limit,
            |index| core.completeness.covers(index, index),
            |of| core.counters.type_name(of),
        )
    }

    /// The newest validation records, newest first.
    #[must_use]
    pub fn validations(&self, limit: usize) -> Vec<Validation> {
        self.shared.lock().ring.newest(limit)
    }

    /// Looks up every overdue transaction now.
    pub async fn check_finality_now(&self) -> CheckReport {
        finality_checker::check(&self.shared, Resting::Too).await
    }

    /// Waits until no transaction is without a final state, at most `grace`. How many are left.
    pub async fn wait_until_idle(&self, grace: Duration) -> u64 {
        let idle = async {
            loop {
                // Registered before the count is looked at, so that no bell is missed.
                let mut bell = std::pin::pin!(self.shared.links.idle.notified());
                bell.as_mut().enable();
                if self.shared.lock().counters.pending() == 0 {
                    return;
                }
                bell.await;
            }
        };
        // Whether in time or not is told by the count.
        let _ = time::timeout(grace, idle).await;
        self.shared.lock().counters.pending()
    }

    /// Waits up to `grace` for transactions without a final state, then stops every task and flushes the
    /// store. Returns how many are left without a final state; they are taken up again at the next start.
    pub async fn shutdown(&self, grace: Duration) -> u64 {
        let left = self.wait_until_idle(grace).await;
        self.shared.supervisor.stop().await;
        if let Err(error) = self.shared.store.flush().await {
            tracing::error!(%error, "the store could not be flushed");
        }
        left
    }
}

/// At most `limit` rows after a cursor, and whether there are more.
async fn page(
    store: &dyn RunStore,
    filter: &RowFilter,
    cursor: Option<u64>,
    limit: usize,
) -> Result<RowPage> {
    let limit = limit.max(1);
    let mut records = store.rows(filter, cursor, limit.saturating_add(1)).await?;
    let more = records.len() > limit;
    records.truncate(limit);
    let next_cursor = records.last().map(|last| last.id).filter(|_| more);
    Ok(RowPage { rows: records.iter().map(Row::from).collect(), next_cursor })
}

/// A transaction submitted again: who wants its outcome joins those who do.
fn already(core: &mut Core, key: Key, waiters: Option<Box<Waiters>>) -> Submitted {
    let each = waiters.and_then(|waiters| waiters.each);
    let ended = core.pending.get(key).and_then(|entry| {
        let evidence = entry.progress.evidence()?;
        Some(core.outcome(entry, evidence, None))
    });
    let mut submitted = Submitted {
        hash: TxHash::ZERO,
        state: State::Created,
        engine_result: None,
        already_tracked: true,
    };
    if let Some(entry) = core.pending.get_mut(key) {
        submitted.hash = entry.hash;
        submitted.state = entry.progress.state;
        submitted.engine_result = entry.progress.engine_result_first.clone();
        match (each, ended) {
            (Some(each), Some(outcome)) => {
                let _ = each.send(Arc::new(outcome));
            }
            (Some(each), None) => entry.waiters.get_or_insert_default().each = Some(each),
            (None, _) => {}
        }
    }
    submitted
}

/// The outcome of a transaction that has left memory.
fn outcome_of(record: &Record) -> Option<Outcome> {
    let Record { identity, progress, .. } = record;
    Some(Outcome {
        hash: identity.hash,
        account: identity.account,
        slot: identity.slot,
        transaction_type: identity.transaction_type.clone(),
        state: progress.state,
        engine_result_first: progress.engine_result_first.clone(),
        engine_result: progress.engine_result_final(),
        validated_ledger: progress.validated.as_ref().map(|place| place.ledger_index),
        metadata: None,
        evidence: progress.evidence().filter(|_| progress.state.is_terminal())?,
        intent: identity.intent.clone(),
        latencies: progress.latencies,
        overturned: progress.overturned,
        revoked: progress.revoked,
    })
}
