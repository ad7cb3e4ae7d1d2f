//! The tracker's state under its one lock. Handlers are short and never wait: what takes time
//! (requests, the disk) is handed to others.

mod attempts;
mod doubt;
mod revocation;
mod streams;

pub(crate) use self::attempts::{Attempt, ToSend};

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
    evidence::{AbsenceProof, Evidence, ResultName, Source, ValidatedIn},
    followed::Followed,
    ledger_log::LedgerLog,
    lifecycle::{Effect, Event, State, transition},
    matrix::CellKey,
    message::{LedgerClosed, ValidatedTransaction},
    pending::{Entry, Key, Pending, Resend},
    record::{LedgerHead, Outcome, RunId, Sighting, StateChange, Validation},
    stats::Counters,
    store::{Store, rows},
    supervisor::Supervisor,
    validation::ValidationRing,
};

/// Ledgers after LastLedgerSequence before a transaction without proof is called undecided: the
/// stream needs a moment to show the last ones.
const UNDECIDED_AFTER: u32 = 2;

/// Sightings kept per transaction: one for each source and ledger.
const SIGHTINGS_KEPT: usize = 8;

/// What every part of a tracker shares.
#[derive(Debug)]
pub(crate) struct Shared {
    core: Mutex<Core>,
    pub(crate) pool: Pool,
    pub(crate) store: Arc<dyn Store>,
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
        store: Arc<dyn Store>,
        config: TrackerConfig,
        queue: EventSender,
        core: Core,
        clock: Clock,
    ) -> Self {
        Self {
            followed: Followed::new(&config.subscription),
            links: Arc::clone(&core.links),
            core: Mutex::new(core),
            pool,
            store,
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
    pub(crate) store: Arc<dyn Store>,
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
    pub(crate) fn new(store: Arc<dyn Store>, events: usize, head: &LedgerHead) -> Arc<Self> {
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
    pub(crate) run: RunId,
    pub(crate) ledgers_backfilled: u64,
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
    /// Who is told of ends that are taken back.
    pub(crate) revocations: Vec<mpsc::UnboundedSender<Arc<Outcome>>>,
    /// Ledgers that turned out to be others, and their hashes, until the store was searched for ends
    /// that rest on them.
    pub(crate) denied: BTreeMap<u32, Hash256>,
    /// Validated ones whose ledger's hash nobody has said yet, by ledger.
    without_hash: BTreeMap<u32, Vec<Key>>,
    /// Streams that are not heard before it is known what their nodes follow.
    waiting: Vec<streams::Waiting>,
    heard_streams: Vec<ConnectionId>,
    /// A request's answer may come from another chain.
    pub(crate) suspect: bool,
    /// The chain was reset, and what shows it: nothing comes to an end any more.
    pub(crate) reset: Option<Arc<str>>,
}

impl Core {
    pub(crate) fn new(
        links: Arc<Links>,
        config: &TrackerConfig,
        head: LedgerHead,
        run: RunId,
    ) -> Self {
        let counts = config.subscription == crate::config::Subscription::Transactions;
        let grace = millis(config.short_ledger_grace);
        Self {
            links,
            pending: Pending::default(),
            counters: Counters::new(),
            ring: ValidationRing::new(config.validation_ring),
            completeness: Completeness::new(head.index.0, counts, grace, config.max_backfill),
            ledgers: LedgerLog::default(),
            first_head: head.index,
            head,
            run,
            ledgers_backfilled: 0,
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
            revocations: Vec::new(),
            denied: BTreeMap::new(),
            without_hash: BTreeMap::new(),
            waiting: Vec::new(),
            heard_streams: Vec::new(),
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
        let (mut persist, mut announce, mut conclude) = (false, false, None);
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
        let entry = self.pending.get(key)?;
        if persist {
            self.links.store.update(entry.hash, entry.progress.clone());
        }
        if announce {
            self.announce(key, Some(before.state), now_ms);
        }
        if after.state.is_terminal() && self.counters.pending() == 0 {
            self.links.idle.notify_waiters();
        }
        Some(after.state)
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
        self.ledgers.validated(place.ledger_index, place.source);
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
            superseded && !entry.intent.is_invalid() && !rows::refused(&entry.progress);
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

    /// A transaction was seen in a validated ledger, tracked or not.
    pub(crate) fn seen(&mut self, tx: &ValidatedTransaction<'_>, source: Source, now_ms: u64) {
        if let Some(hash) = tx.ledger_hash
            && self.last_hash != (tx.ledger_index.0, hash)
        {
            if !self.completeness.claim(tx.ledger_index.0, hash) {
                self.mismatch(tx.ledger_index, hash);
                return;
            }
            self.last_hash = (tx.ledger_index.0, hash);
        }
        if self.reset.is_some() {
            return;
        }
        let completed = source != Source::Backfill
            && self.completeness.seen(tx.ledger_index.0, tx.ledger_hash, tx.hash);
        match self.pending.find(tx.hash) {
            Some(key) => self.sighted(key, tx, source, now_ms),
            None => {
                if let (Some(account), Some(slot)) = (&tx.account, tx.slot) {
                    let rivals: smallvec::SmallVec<[Key; 4]> =
                        self.pending.on_slot(account, slot).collect();
                    self.consumed(&rivals, tx.hash, tx.ledger_index, now_ms);
                }
            }
        }
        if completed {
            self.settle_past_last(now_ms);
        }
    }

    fn sighted(&mut self, key: Key, tx: &ValidatedTransaction<'_>, source: Source, now_ms: u64) {
        // Where the message does not say, what is known of the ledger does.
        let hash = tx.ledger_hash.or_else(|| self.completeness.hash(tx.ledger_index.0));
        let Some(entry) = self.pending.get_mut(key) else { return };
        let known =
            entry.progress.sightings.iter().any(|s| {
                (s.source, s.ledger_index, s.ledger_hash) == (source, tx.ledger_index, hash)
            });
        if !known && entry.progress.sightings.len() < SIGHTINGS_KEPT {
            entry.progress.sightings.push(Sighting {
                at_ms: now_ms,
                source,
                ledger_index: tx.ledger_index,
                ledger_hash: hash,
            });
        }
        if let Some(place) = &entry.progress.validated
            && place.ledger_index != tx.ledger_index
        {
            // No chain has a transaction twice: one of the two is another ledger than was told.
            let other = place.ledger_index;
            tracing::error!(hash = %entry.hash, first = %other, second = %tx.ledger_index,
                "one transaction is said to be in two validated ledgers");
            self.completeness.dispute(other.0);
            self.completeness.dispute(tx.ledger_index.0);
            self.links.disputes.notify_one();
        }
        let Some(entry) = self.pending.get(key) else { return };
        if entry.progress.state == State::Validated {
            // Seen before: only the dossier learns something, if at all.
            if !known {
                self.links.store.update(entry.hash, entry.progress.clone());
            }
            return;
        }
        let event = Event::SeenValidated(ValidatedIn {
            ledger_index: tx.ledger_index,
            ledger_hash: hash,
            result: ResultName::new(&tx.result),
            source,
        });
        self.apply(key, &event, now_ms, Some(&tx.meta));
        let rivals: smallvec::SmallVec<[Key; 4]> = self.pending.rivals(key).collect();
        self.consumed(&rivals, tx.hash, tx.ledger_index, now_ms);
    }

    /// A slot was used in a validated ledger by another than these.
    pub(crate) fn consumed(
        &mut self,
        rivals: &[Key],
        by: xrpl_protocol::TxHash,
        ledger: LedgerIndex,
        now_ms: u64,
    ) {
        for rival in rivals {
            self.apply(*rival, &Event::SequenceConsumed { by, ledger }, now_ms, None);
        }
    }

    pub(crate) fn mismatch(&mut self, index: LedgerIndex, hash: Hash256) {
        self.ledger_mismatches += 1;
        self.completeness.dispute(index.0);
        self.links.disputes.notify_one();
        tracing::error!(%index, %hash, "ledger_mismatch: nodes report different validated ledgers");
    }

    /// A validated ledger was told of.
    pub(crate) fn ledger_told(
        &mut self,
        ledger: &LedgerClosed,
        by: Option<ConnectionId>,
        now_ms: u64,
    ) {
        if self.reset.is_some() {
            return;
        }
        let told =
            self.completeness.told(ledger.index.0, ledger.hash, ledger.txn_count, by, now_ms);
        if told.mismatch {
            self.mismatch(ledger.index, ledger.hash);
            return;
        }
        self.note_ledger(ledger.index, ledger.hash);
        self.ledgers.told(ledger);
        if told.newest {
            self.head = LedgerHead {
                index: ledger.index,
                hash: ledger.hash,
                base_fee: ledger.base_fee,
                reserve_base: ledger.reserve_base,
                reserve_inc: ledger.reserve_inc,
                close_time: ledger.close_time,
                txn_count: ledger.txn_count,
                network_id: ledger.network_id.or(self.head.network_id),
            };
            self.links.head.send_replace(self.head.clone());
            self.links.resend.notify_one();
            let past = self.pending.take_last_ledger_below(ledger.index.0);
            self.past_last.extend(past);
        }
        if told.newest || told.complete {
            self.settle_past_last(now_ms);
        }
        if self.completeness.wanted_count() > 0 {
            self.links.backfill.notify_one();
        }
    }

    /// Decides, as far as it can be proven, those whose LastLedgerSequence has passed.
    pub(crate) fn settle_past_last(&mut self, now_ms: u64) {
        if self.past_last.is_empty() {
            return;
        }
        let head = self.head.index.0;
        let mut kept = Vec::new();
        for key in std::mem::take(&mut self.past_last) {
            let Some(entry) = self.pending.get(key) else { continue };
            let Some(last) = entry.last_ledger() else { continue };
            if entry.progress.state.is_terminal() {
                continue;
            }
            let read = entry.first_ledger().filter(|first| self.completeness.covers(*first, last));
            let from = entry.watched_from();
            let never_left = entry.condition.state == State::Created
                && !entry.condition.may_have_left
                && !entry.in_flight;
            let event = if never_left {
                let attempts = entry.progress.attempts;
                Some(Event::NotWritten { attempts, budget_spent: true })
            } else if let Some(first) = read {
                let proof = AbsenceProof::EveryLedgerRead {
                    first: LedgerIndex(first),
                    last: LedgerIndex(last),
                };
                Some(passed(last, Some(proof)))
            } else if head >= last.saturating_add(UNDECIDED_AFTER) {
                self.completeness.want_range(from, last, now_ms);
                self.links.backfill.notify_one();
                (!entry.condition.undecided).then(|| passed(last, None))
            } else {
                None
            };
            let state = event.and_then(|event| self.apply(key, &event, now_ms, None));
            if !state.is_some_and(State::is_terminal) {
                kept.push(key);
            }
        }
        self.past_last.extend(kept);
    }

    /// A transaction that was taken up again in the middle of its life.
    pub(crate) fn resumed(&mut self, key: Key, now_ms: u64) {
        let Some(entry) = self.pending.get(key) else { return };
        let (first, last) = (entry.watched_from(), entry.last_ledger());
        self.completeness.want_range(first, last.unwrap_or(u32::MAX), now_ms);
        if entry.condition.state == State::Created {
            // Whether its blob left is not known.
            self.apply(key, &Event::OutcomeUnknown, now_ms, None);
        } else {
            self.resend_after_pause(key, now_ms);
        }
        if last.is_some_and(|last| last < self.head.index.0) {
            self.past_last.push(key);
        }
    }
}

fn passed(last: u32, proof: Option<AbsenceProof>) -> Event {
    Event::LastLedgerPassed { last_ledger_sequence: LedgerIndex(last), proof }
}

/// The cell that an ended transaction counts in.
fn cell_key(entry: &Entry) -> CellKey {
    CellKey {
        transaction_type: entry.transaction_type,
        preliminary: entry.progress.engine_result_first.clone(),
        state: entry.progress.state,
        last: entry.progress.engine_result_final(),
        invalid: entry.intent.is_invalid(),
    }
}

fn concluded_as_predicted(entry: &Entry) -> bool {
    if !entry.intent.is_invalid() {
        return entry.progress.superseded;
    }
    let first = entry.progress.engine_result_first.as_ref();
    let last = entry.progress.engine_result_final();
    rows::predicted(&entry.intent, first, last.as_ref())
}
