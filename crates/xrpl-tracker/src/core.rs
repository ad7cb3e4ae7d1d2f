//! The tracker's state under its one lock. Handlers are short and never wait: what takes time
//! (requests, the disk) is handed to others.

mod attempts;
mod doubt;
mod full_streams;
mod ledgers;
mod revocation;
mod streams;

pub(crate) use self::attempts::{Attempt, ToSend};
use self::full_streams::FullStreams;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use parking_lot::{Mutex, MutexGuard};
use serde_json::value::RawValue;
use tokio::sync::{Notify, broadcast, mpsc, watch};
use xrpl_client::Pool;
use xrpl_protocol::{Hash256, LedgerIndex};

use crate::{
    clock::{Clock, millis},
    completeness::Completeness,
    config::TrackerConfig,
    event_queue::{ConnectionId, EventSender},
    evidence::{Evidence, ValidatedIn},
    followed::Followed,
    ledger_log::LedgerLog,
    lifecycle::{Effect, Event, State, transition},
    matrix::CellKey,
    pending::{Entry, Key, Pending, Resend},
    reason::Reason,
    record::{Foreign, Intent, LedgerHead, Outcome, RunId, StateChange, Validation},
    stats::Counters,
    store::{RunStore, Store, rows},
    supervisor::Supervisor,
    validation::ValidationRing,
};

/// What every part of a tracker shares.
#[derive(Debug)]
pub(crate) struct Shared {
    core: Mutex<Core>,
    pub(crate) pool: Pool,
    /// The rows of the run.
    pub(crate) store: Arc<dyn RunStore>,
    /// The store that has the run.
    pub(crate) runs: Arc<dyn Store>,
    pub(crate) config: TrackerConfig,
    pub(crate) clock: Clock,
    pub(crate) queue: EventSender,
    pub(crate) supervisor: Supervisor,
    pub(crate) links: Arc<Links>,
    pub(crate) streams: crate::ws_listener::StreamCounters,
    pub(crate) times: crate::stats::Times,
    pub(crate) followed: Option<Followed>,
}

impl Shared {
    pub(crate) fn new(
        pool: Pool,
        runs: Arc<dyn Store>,
        config: TrackerConfig,
        queue: EventSender,
        core: Core,
        clock: Clock,
    ) -> Self {
        Self {
            followed: Followed::new(&config.subscription),
            store: Arc::clone(&core.links.store),
            links: Arc::clone(&core.links),
            core: Mutex::new(core),
            pool,
            runs,
            config,
            clock,
            queue,
            supervisor: Supervisor::new(),
            streams: Default::default(),
            times: Default::default(),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock()
    }

    /// The lock itself, for who reads first and locks later.
    pub(crate) fn core_for_batch(&self) -> &Mutex<Core> {
        &self.core
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }
}

/// The ways out of the core: channels and bells.
#[derive(Debug)]
pub(crate) struct Links {
    pub(crate) store: Arc<dyn RunStore>,
    pub(crate) events: broadcast::Sender<Arc<StateChange>>,
    pub(crate) head: watch::Sender<LedgerHead>,
    /// Something is to be sent again.
    pub(crate) resend: Notify,
    /// Something is to be looked up.
    pub(crate) look_up: Notify,
    /// A ledger is to be read.
    pub(crate) backfill: Notify,
    /// The nodes are to be asked which hash a ledger has.
    pub(crate) disputes: Notify,
    /// It is to be found out what a node follows.
    pub(crate) chain: Notify,
    /// Nothing is pending any more.
    pub(crate) idle: Notify,
    /// Why the chain is taken for reset, once it is.
    pub(crate) reset: watch::Sender<Option<Arc<str>>>,
}

impl Links {
    /// `events` state changes wait for a slow subscriber before it misses some.
    pub(crate) fn new(store: Arc<dyn RunStore>, events: usize, head: &LedgerHead) -> Arc<Self> {
        Arc::new(Self {
            store,
            events: broadcast::channel(events.max(1)).0,
            head: watch::channel(head.clone()).0,
            resend: Notify::new(),
            look_up: Notify::new(),
            backfill: Notify::new(),
            disputes: Notify::new(),
            chain: Notify::new(),
            idle: Notify::new(),
            reset: watch::Sender::default(),
        })
    }
}

/// How resends are spaced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pauses {
    pub(crate) first_ms: u64,
    pub(crate) longest_ms: u64,
    pub(crate) preliminary_kept: usize,
}

/// The state.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) links: Arc<Links>,
    pub(crate) pending: Pending,
    pub(crate) counters: Counters,
    pub(crate) ring: ValidationRing,
    pub(crate) completeness: Completeness,
    pub(crate) ledgers: LedgerLog,
    pub(crate) head: LedgerHead,
    pub(crate) first_head: LedgerIndex,
    /// What was in flight before `first_head` was sent on a chain that nothing shows to be this one: that
    /// this one does not have it is no proof.
    pub(crate) on_trust: bool,
    pub(crate) run: RunId,
    pub(crate) ledgers_backfilled: u64,
    /// Answers for a ledger that were not it, whole.
    pub(crate) ledgers_refused: u64,
    pub(crate) ledger_mismatches: u64,
    pub(crate) failed_events: u64,
    pub(crate) event_counters: BTreeMap<String, u64>,
    pub(crate) validated_frames: u64,
    pub(crate) ledger_frames: u64,
    pauses: Pauses,
    next_event: u64,
    /// The ledger that a transaction was last seen in, so that its hash is not looked up each time.
    pub(crate) last_hash: (u32, Hash256),
    resend_at_ledger: BTreeMap<u32, Vec<Key>>,
    /// The number keeps equal times apart.
    resend_at_time: BTreeMap<(u64, u64), Key>,
    next_deadline: u64,
    past_last: Vec<Key>,
    pub(crate) overdue: Vec<Key>,
    pub(crate) ask_now: VecDeque<Key>,
    /// Asked about in vain: once more at the next check.
    pub(crate) ask_again: VecDeque<Key>,
    /// Who is told of ends that are taken back.
    pub(crate) revocations: Vec<mpsc::UnboundedSender<Arc<Outcome>>>,
    /// Who is told of transactions that are not tracked.
    pub(crate) foreign: Vec<mpsc::UnboundedSender<Foreign>>,
    /// Ledgers that turned out to be others, and their hashes, until the store was searched for ends
    /// that rest on them.
    pub(crate) denied: BTreeMap<u32, Hash256>,
    /// Validated ones whose ledger's hash nobody has said yet, by ledger.
    without_hash: BTreeMap<u32, Vec<Key>>,
    /// Streams that are not heard before it is known what their nodes follow.
    waiting: Vec<streams::Waiting>,
    heard_streams: Vec<ConnectionId>,
    /// Which of them show every transaction.
    pub(crate) full_streams: FullStreams,
    /// A request's answer may come from another chain.
    pub(crate) suspect: bool,
    /// The chain was reset, and what shows it: nothing comes to an end any more.
    pub(crate) reset: Option<Arc<str>>,
}

/// What is left of an event that proves a transaction absent, where its ledgers prove nothing; none of any
/// other event.
fn without_proof(event: &Event) -> Option<Event> {
    match *event {
        Event::LastLedgerPassed { last_ledger_sequence, proof: Some(_) } => {
            Some(Event::LastLedgerPassed { last_ledger_sequence, proof: None })
        }
        Event::SlotGone { ledger, absent_from: Some(_) } => {
            Some(Event::SlotGone { ledger, absent_from: None })
        }
        _ => None,
    }
}

impl Core {
    pub(crate) fn new(links: Arc<Links>, config: &TrackerConfig, head: LedgerHead) -> Self {
        let counts = config.subscription == crate::config::Subscription::Transactions;
        let grace = millis(config.short_ledger_grace);
        Self {
            run: links.store.run(),
            links,
            pending: Pending::default(),
            counters: Counters::new(),
            ring: ValidationRing::new(config.validation_ring),
            completeness: Completeness::new(head.index.0, counts, grace, config.max_backfill),
            ledgers: LedgerLog::default(),
            first_head: head.index,
            on_trust: false,
            head,
            ledgers_backfilled: 0,
            ledgers_refused: 0,
            ledger_mismatches: 0,
            failed_events: 0,
            event_counters: BTreeMap::new(),
            validated_frames: 0,
            ledger_frames: 0,
            pauses: Pauses {
                first_ms: millis(config.retry_pause).max(1),
                longest_ms: millis(config.retry_pause_max).max(1),
                preliminary_kept: config.preliminary_kept.max(2),
            },
            next_event: 1,
            last_hash: (0, Hash256::ZERO),
            resend_at_ledger: BTreeMap::new(),
            resend_at_time: BTreeMap::new(),
            next_deadline: 0,
            past_last: Vec::new(),
            overdue: Vec::new(),
            ask_now: VecDeque::new(),
            ask_again: VecDeque::new(),
            revocations: Vec::new(),
            foreign: Vec::new(),
            denied: BTreeMap::new(),
            without_hash: BTreeMap::new(),
            waiting: Vec::new(),
            heard_streams: Vec::new(),
            full_streams: FullStreams::new(if counts { config.full_streams } else { usize::MAX }),
            suspect: false,
            reset: None,
        }
    }

    /// Applies an event to a transaction and does what follows. The state afterwards.
    pub(crate) fn apply(
        &mut self,
        key: Key,
        event: &Event,
        now_ms: u64,
        meta: Option<&str>,
    ) -> Option<State> {
        let reset = self.reset.is_some();
        let entry = self.pending.get_mut(key)?;
        let before = entry.condition;
        if reset {
            return Some(before.state);
        }
        let open = !before.state.is_terminal();
        let unproven = self.on_trust && open && entry.created_ledger < self.first_head.0;
        let weaker = unproven.then(|| without_proof(event)).flatten();
        let mut persist = false;
        if weaker.is_some() && entry.progress.reason.as_deref() != Some(&Reason::ChainNotShown) {
            entry.progress.reason = Some(Box::new(Reason::ChainNotShown));
            persist = true;
        }
        let event = weaker.as_ref().unwrap_or(event);
        let change = transition(&before, event);
        let after = change.state;
        let was = (before.state.is_terminal() && after.state != before.state).then(|| {
            let predicted = concluded_as_predicted(entry);
            (entry.progress.engine_result_final(), predicted, cell_key(entry))
        });
        entry.condition = after;
        entry.progress.state = after.state;
        entry.progress.undecided = after.undecided;
        match (before.undecided, after.undecided) {
            (false, true) => self.counters.undecided += 1,
            (true, false) => self.counters.undecided -= 1,
            _ => {}
        }
        if before.state != after.state {
            self.counters.moved(before.state, after.state, &entry.intent);
        }
        let (mut announce, mut conclude) = (false, None);
        for effect in change.effects {
            match effect {
                Effect::Persist => persist = true,
                Effect::Announce => announce = true,
                Effect::Conclude(evidence) => conclude = Some(evidence),
                Effect::ResendOnLaterLedger => self.resend_on_later_ledger(key),
                Effect::ResendAfterPause => self.resend_after_pause(key, now_ms),
                Effect::LookUp => {
                    self.ask_now.push_back(key);
                    self.links.look_up.notify_one();
                }
                Effect::RecordValidation(place) => self.record_validation(key, place, now_ms),
                Effect::CountOverturned => {
                    self.counters.overturned += 1;
                    if let Some(entry) = self.pending.get_mut(key) {
                        entry.progress.overturned = true;
                        tracing::warn!(hash = %entry.hash, "a validated ledger overturned a rejection");
                        if let Some((result, predicted, cell)) = &was {
                            self.counters.matrix.take(cell);
                            self.counters.unconcluded(
                                State::Rejected,
                                result.as_ref(),
                                &entry.intent,
                                *predicted,
                            );
                        }
                    }
                }
                Effect::Revoke => {
                    if let Some((result, predicted, cell)) = &was {
                        self.counters.matrix.take(cell);
                        let Some(entry) = self.pending.get(key) else { continue };
                        let intent = entry.intent.clone();
                        self.counters.unconcluded(
                            before.state,
                            result.as_ref(),
                            &intent,
                            *predicted,
                        );
                    }
                    if let Some(entry) = self.pending.get_mut(key)
                        && std::mem::take(&mut entry.progress.overturned)
                    {
                        // What overturned it was no ledger.
                        self.counters.overturned = self.counters.overturned.saturating_sub(1);
                    }
                    self.take_back(key, now_ms);
                }
                Effect::Alarm => {
                    self.counters.contradicted += 1;
                    if let Some(entry) = self.pending.get(key) {
                        tracing::error!(
                            hash = %entry.hash, state = %entry.progress.state,
                            "a validated ledger contradicts the evidence of a terminal state"
                        );
                    }
                }
            }
        }
        if let Some(evidence) = conclude {
            self.conclude(key, evidence, now_ms, meta);
        }
        if persist {
            self.persist(key);
        }
        if announce {
            self.announce(key, Some(before.state), now_ms);
        }
        if after.state.is_terminal() && self.counters.pending() == 0 {
            self.links.idle.notify_waiters();
        }
        Some(after.state)
    }

    /// Hands a transaction's condition to the store. Nothing here waits for it to be written.
    fn persist(&mut self, key: Key) {
        let Some(entry) = self.pending.get_mut(key) else { return };
        entry.progress.version += 1;
        if let Err(error) = self.links.store.update(entry.hash, entry.progress.clone()) {
            tracing::error!(hash = %entry.hash, %error, "the store does not take a condition");
        }
    }

    /// Hands a ledger that the run follows to the store.
    fn persist_ledger(&self, index: LedgerIndex, hash: Hash256) {
        if let Err(error) = self.links.store.ledger(index, hash) {
            tracing::error!(ledger = %index, %error, "the store does not take a ledger");
        }
    }

    fn record_validation(&mut self, key: Key, place: ValidatedIn, now_ms: u64) {
        let Some(entry) = self.pending.get_mut(key) else { return };
        let finality_ms = now_ms.saturating_sub(entry.created_at_ms);
        let ledgers = place.ledger_index.0.saturating_sub(entry.created_ledger);
        entry.progress.latencies.finality_ledgers = Some(ledgers);
        if place.ledger_hash.is_none() {
            self.without_hash.entry(place.ledger_index.0).or_default().push(key);
        }
        self.counters.validated(entry.transaction_type, place.source, finality_ms, ledgers);
        self.ledgers.validated(place.ledger_index, place.source, entry.transaction_type);
        self.ring.push(Validation {
            txn: entry.hash,
            ledger: place.ledger_index,
            source: place.source,
        });
    }

    fn conclude(&mut self, key: Key, evidence: Evidence, now_ms: u64, meta: Option<&str>) {
        let superseded = match &evidence {
            Evidence::SequenceConsumed { by, .. } => self.pending.find(*by).is_some(),
            _ => false,
        };
        let Some(entry) = self.pending.get_mut(key) else { return };
        let superseded =
            superseded && entry.intent == Intent::Valid && !rows::refused(&entry.progress);
        let progress = &mut entry.progress;
        let took = now_ms.saturating_sub(entry.created_at_ms);
        progress.latencies.finality_ms = Some(u32::try_from(took).unwrap_or(u32::MAX));
        entry.resend = Resend::No;
        progress.superseded = superseded;
        match evidence.clone() {
            Evidence::Validated(place) => {
                progress.validated = Some(Box::new(place));
                progress.evidence = None;
                progress.reason = None;
            }
            other => progress.evidence = Some(Box::new(other)),
        }
        let state = progress.state;
        let result = progress.engine_result_final();
        let predicted = concluded_as_predicted(entry);
        self.counters.concluded(state, result.as_ref(), &entry.intent, predicted);
        self.counters.matrix.add(cell_key(entry), 1);
        if entry.waiters.is_some() || entry.progress.revoked {
            let metadata = entry
                .waiters
                .as_ref()
                .filter(|waiters| waiters.want_metadata)
                .and(meta)
                .and_then(|meta| RawValue::from_string(meta.to_owned()).ok())
                .map(Arc::from);
            let entry = self.pending.get(key);
            let outcome = entry.map(|entry| Arc::new(self.outcome(entry, evidence, metadata)));
            if let Some(outcome) = outcome.as_ref().filter(|outcome| outcome.revoked) {
                self.tell_revocation(outcome);
            }
            let waiters = self.pending.get_mut(key).and_then(|entry| entry.waiters.as_mut());
            if let (Some(waiters), Some(outcome)) = (waiters, outcome) {
                for waiter in waiters.once.drain(..) {
                    // Who does not wait any more need not be told.
                    let _ = waiter.send(Arc::clone(&outcome));
                }
                if let Some(each) = &waiters.each {
                    let _ = each.send(outcome);
                }
            }
        }
        self.pending.ended(key, now_ms);
    }

    pub(crate) fn outcome(
        &self,
        entry: &Entry,
        evidence: Evidence,
        metadata: Option<Arc<RawValue>>,
    ) -> Outcome {
        Outcome {
            hash: entry.hash,
            account: self.pending.account(entry),
            slot: entry.slot,
            transaction_type: self.counters.type_name(entry.transaction_type),
            state: entry.progress.state,
            engine_result_first: entry.progress.engine_result_first.clone(),
            engine_result: entry.progress.engine_result_final(),
            validated_ledger: entry.progress.validated.as_ref().map(|place| place.ledger_index),
            metadata,
            evidence,
            intent: entry.intent.clone(),
            latencies: entry.progress.latencies,
            overturned: entry.progress.overturned,
            revoked: entry.progress.revoked,
        }
    }

    pub(crate) fn announce(&mut self, key: Key, from: Option<State>, now_ms: u64) {
        let id = self.next_event;
        self.next_event += 1;
        if self.links.events.receiver_count() == 0 {
            return;
        }
        let Some(entry) = self.pending.get(key) else { return };
        let place = entry.progress.validated.as_ref();
        let change = StateChange {
            id,
            at_ms: now_ms,
            tx_hash: entry.hash,
            account: self.pending.account(entry),
            transaction_type: self.counters.type_name(entry.transaction_type),
            from,
            to: entry.progress.state,
            engine_result: place
                .map(|place| place.result.clone())
                .or_else(|| entry.progress.engine_result_last.clone()),
            validated_ledger: place.map(|place| place.ledger_index),
            source: place.map(|place| place.source),
            revoked: from.is_some_and(State::is_terminal) && !entry.progress.state.is_terminal(),
            latencies: entry.progress.latencies,
        };
        // Receivers may have gone in the meantime.
        let _ = self.links.events.send(Arc::new(change));
    }
}

/// The cell that an ended transaction counts in.
fn cell_key(entry: &Entry) -> CellKey {
    CellKey {
        transaction_type: entry.transaction_type,
        preliminary: entry.progress.engine_result_first.clone(),
        state: entry.progress.state,
        last: entry.progress.engine_result_final(),
        intent: entry.intent.kind(),
        superseded: entry.progress.superseded && entry.progress.state == State::Rejected,
    }
}

fn concluded_as_predicted(entry: &Entry) -> bool {
    rows::as_predicted(
        &entry.intent,
        entry.progress.superseded,
        entry.progress.engine_result_first.as_ref(),
        entry.progress.engine_result_final().as_ref(),
    )
}
