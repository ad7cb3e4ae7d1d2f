//! The node: ledgers, the open ledger, submission and closing. Synchronous, without I/O, threads or
//! clock: callers give it transactions (prepared by [`PreparedTx`], outside any lock) and the time,
//! and take away answers and [`Event`]s.

mod close;
mod disturb;
mod events;
mod held;
mod snapshot;
mod voting;

use std::{collections::VecDeque, sync::Arc};

use rustc_hash::FxHashMap;
use xrpl_protocol::{AccountId, Drops, EngineResult, Hash256, Object, ResultClass, TxHash};

pub use events::{Event, Proposed, ServerFees};
pub use snapshot::Snapshot;
pub(crate) use voting::majorities;
pub use voting::{MAJORITY_TIME, Votes};

use self::held::{HOLD_LEDGERS, LocalTxs};
use crate::{
    ledger::{
        ClosedLedger, Fees, Impersonated, InvalidTransaction, LedgerTransaction, OpenView,
        PreparedTx, ReadView,
        canonical::CanonicalSet,
        close_time, genesis,
        helpers::{account_root::sequence_of, offer},
        prepared::{INNER_BATCH, LOCAL_CHECKS},
    },
    transactors::{ApplyFlags, Attempt, Context},
    txq::{Metrics, QueueSetup, QueuedTransaction, TxQ},
};

/// Held transactions that follow one at most.
const MAX_POPPED: usize = 10;

/// Ledgers after which what never got into one is forgotten.
const MEMORY: u32 = 256;
/// Ledgers whose transactions are kept as they were read.
const YOUNG: usize = 4;

/// Hashes with the ledger index at which they were noted.
#[derive(Clone, Debug, Default)]
struct Marks(FxHashMap<TxHash, u32>);

impl Marks {
    /// Notes a hash; false if it was there.
    fn insert(&mut self, hash: TxHash, index: u32) -> bool {
        self.0.insert(hash, index).is_none()
    }

    fn contains(&self, hash: &TxHash) -> bool {
        self.0.contains_key(hash)
    }

    fn forget_before(&mut self, index: u32) {
        self.0.retain(|_, at| *at >= index);
    }
}

/// How a node starts.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Network id. Above 1024 transactions must name it.
    pub network_id: u32,
    /// Fees and reserves.
    pub fees: Fees,
    /// Amendments that are on.
    pub amendments: Vec<Hash256>,
    /// Amendments whose rules hold besides, although no ledger lists them: xrpld's `[features]`, by
    /// which a server that stands alone tries those that are in development.
    pub features: Vec<Hash256>,
    /// Accounts for which any key may sign.
    pub impersonated: Impersonated,
    /// What becomes pseudo-transactions at flag ledgers.
    pub votes: Votes,
    /// Close time of ledger 2, in seconds since 2000-01-01.
    pub start_time: u32,
    /// xrpld's `[transaction_queue]`.
    pub queue: QueueSetup,
    /// How much of the past stays readable.
    pub history: History,
}

/// How much of the past stays readable.
#[derive(Clone, Copy, Debug, Default)]
pub struct History {
    /// Closed ledgers; none keeps all.
    pub ledgers: Option<usize>,
    /// Where the kept ledgers have more transactions than this, older ones go, down to
    /// [`Self::LEAST`] ledgers.
    pub transactions: Option<usize>,
}

impl History {
    /// Ledgers that stay however large they are: some times what a transaction usually waits for.
    pub const LEAST: usize = 64;
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            network_id: 0,
            fees: Fees::default(),
            amendments: genesis::amendments(),
            features: Vec::new(),
            impersonated: Impersonated::Nobody,
            votes: Votes::default(),
            start_time: 848_737_540,
            queue: QueueSetup::default(),
            history: History::default(),
        }
    }
}

/// The part of a submit answer that describes the open ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerState {
    /// First Sequence that neither ledger nor queue use.
    pub account_sequence_available: u32,
    /// The account's Sequence in the open ledger.
    pub account_sequence_next: u32,
    /// What this transaction would have to pay to enter the open ledger now.
    pub open_ledger_cost: Drops,
    /// Index of the newest validated ledger.
    pub validated_ledger_index: u32,
}

/// What xrpld answers to `submit`.
#[derive(Clone, Debug)]
pub struct SubmitOutcome {
    /// The transaction.
    pub tx: Arc<PreparedTx>,
    /// The preliminary result.
    pub engine_result: EngineResult,
    /// Whether any of the following holds.
    pub accepted: bool,
    /// It is in the open ledger.
    pub applied: bool,
    /// It was relayed (an empty network still counts).
    pub broadcast: bool,
    /// It is in the queue.
    pub queued: bool,
    /// It is kept to be tried again.
    pub kept: bool,
    /// The open ledger after it; none if it was refused before reaching it.
    pub ledger_state: Option<LedgerState>,
}

/// What `simulate` found.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// The transaction.
    pub tx: Arc<PreparedTx>,
    /// Its result, and its metadata if it would get into the open ledger.
    pub attempt: Attempt,
}

/// Where a transaction is.
#[derive(Clone, Debug)]
pub enum TransactionStatus {
    /// In a validated ledger.
    Validated {
        /// The ledger.
        ledger: Arc<ClosedLedger>,
        /// The transaction with its metadata.
        transaction: Arc<LedgerTransaction>,
    },
    /// Seen, and in no ledger: in the open ledger, queued, held, refused or dropped.
    Seen {
        /// The transaction.
        tx: Arc<PreparedTx>,
        /// Its last preliminary result.
        result: EngineResult,
    },
}

/// An XRP Ledger of one node. Everything happens inside calls; nothing else runs.
#[derive(Debug)]
pub struct Node {
    context: Context,
    votes: Votes,
    history: History,
    ledgers: VecDeque<Arc<ClosedLedger>>,
    by_hash: FxHashMap<Hash256, u32>,
    transactions: FxHashMap<TxHash, u32>,
    /// Not in a ledger: with the last result, and the open ledger's index at that time.
    seen: FxHashMap<TxHash, (Arc<PreparedTx>, EngineResult, u32)>,
    bad: Marks,
    bad_signatures: Marks,
    held_before: Marks,
    open: OpenView<'static>,
    txq: TxQ,
    held: CanonicalSet,
    local: LocalTxs,
    events: Vec<Event>,
}

/// A ledger under whose rules the next ones are made.
fn with_rules(mut ledger: Arc<ClosedLedger>, config: &NodeConfig) -> Arc<ClosedLedger> {
    if !config.features.is_empty() || config.impersonated != Impersonated::Nobody {
        let ledger = Arc::make_mut(&mut ledger);
        let rules = ledger.info.rules.with_features(&config.features);
        ledger.info.rules = Arc::new(rules.with_impersonated(config.impersonated.clone()));
    }
    ledger
}

struct Submission {
    tx: Arc<PreparedTx>,
    local: bool,
    fail_hard: bool,
}

impl Node {
    /// A fresh ledger: 1 and 2 are closed, 3 is open.
    #[must_use]
    pub fn new(config: NodeConfig) -> Self {
        let (first, second) = genesis::ledgers(&config.amendments, config.fees, config.start_time);
        let second = with_rules(Arc::new(second), &config);
        Self::on(config, vec![Arc::new(first)], second)
    }

    /// A node that goes on after ledgers closed before, oldest first. Fees and amendments are
    /// those of the newest. None without a ledger.
    #[must_use]
    pub fn resume(config: NodeConfig, mut ledgers: Vec<Arc<ClosedLedger>>) -> Option<Self> {
        let newest = with_rules(ledgers.pop()?, &config);
        Some(Self::on(config, ledgers, newest))
    }

    fn on(config: NodeConfig, older: Vec<Arc<ClosedLedger>>, newest: Arc<ClosedLedger>) -> Self {
        let mut this = Self {
            context: Context { network_id: config.network_id },
            votes: config.votes,
            history: config.history,
            ledgers: VecDeque::new(),
            by_hash: FxHashMap::default(),
            transactions: FxHashMap::default(),
            seen: FxHashMap::default(),
            bad: Marks::default(),
            bad_signatures: Marks::default(),
            held_before: Marks::default(),
            open: OpenView::new(Arc::clone(&newest), false),
            txq: TxQ::new(config.queue),
            held: CanonicalSet::default(),
            local: LocalTxs::default(),
            events: Vec::new(),
        };
        older.into_iter().for_each(|ledger| this.store(ledger));
        this.store(newest);
        this
    }

    /// The closed ledgers that are kept, oldest first.
    pub fn ledgers(&self) -> impl Iterator<Item = &Arc<ClosedLedger>> {
        self.ledgers.iter()
    }

    /// What is in no closed ledger and may get into one: of the open ledger, queued, held.
    #[must_use]
    pub fn pending(&self) -> Vec<Arc<PreparedTx>> {
        let mut all = self.to_relay();
        all.extend(self.held.iter().cloned());
        all.extend(self.local.set().iter().cloned());
        let mut known = rustc_hash::FxHashSet::default();
        all.retain(|tx| known.insert(tx.hash));
        all
    }

    /// Closes a ledger with entries that no transaction made, and the XRP in them: for accounts on
    /// a ledger that nobody here has the keys of.
    pub fn inject(
        &mut self,
        now: u32,
        entries: Vec<(Hash256, Object)>,
        minted: u64,
    ) -> Arc<ClosedLedger> {
        let parent = Arc::clone(self.closed());
        let close_time = close_time::round_close_time(now, parent.header.close_time);
        let ledger = Arc::new(close::inject(&parent, close_time, entries, minted));
        self.go_on(&ledger, CanonicalSet::default());
        ledger
    }

    fn store(&mut self, ledger: Arc<ClosedLedger>) {
        let index = ledger.header.index;
        self.by_hash.insert(ledger.header.hash, index);
        for tx in &ledger.transactions {
            self.transactions.insert(tx.hash(), index);
            self.seen.remove(&tx.hash());
        }
        self.ledgers.push_back(ledger);
        if let Some(aged) =
            self.ledgers.len().checked_sub(YOUNG).and_then(|at| self.ledgers.get(at))
        {
            aged.transactions.iter().for_each(|tx| tx.pack());
        }
        if index.is_multiple_of(MEMORY / 4) {
            let oldest = index.saturating_sub(MEMORY);
            self.seen.retain(|_, (_, _, at)| *at >= oldest);
            for marks in [&mut self.bad, &mut self.bad_signatures, &mut self.held_before] {
                marks.forget_before(oldest);
            }
        }
        self.bound_history();
    }

    /// The newest closed ledger.
    #[must_use]
    pub fn closed(&self) -> &Arc<ClosedLedger> {
        self.open.base()
    }

    /// The newest validated ledger: in standalone mode the newest closed one.
    #[must_use]
    pub fn validated(&self) -> &Arc<ClosedLedger> {
        self.closed()
    }

    /// The open ledger.
    #[must_use]
    pub fn current(&self) -> &OpenView<'static> {
        &self.open
    }

    /// Index of the open ledger.
    #[must_use]
    pub fn current_index(&self) -> u32 {
        self.open.info().index
    }

    /// A closed ledger by its index.
    #[must_use]
    pub fn ledger(&self, index: u32) -> Option<&Arc<ClosedLedger>> {
        let oldest = self.ledgers.front()?.header.index;
        self.ledgers.get(usize::try_from(index.checked_sub(oldest)?).ok()?)
    }

    /// A closed ledger by its hash.
    #[must_use]
    pub fn ledger_by_hash(&self, hash: &Hash256) -> Option<&Arc<ClosedLedger>> {
        self.ledger(*self.by_hash.get(hash)?)
    }

    /// Indexes of the oldest and newest closed ledgers that are kept.
    #[must_use]
    pub fn range(&self) -> (u32, u32) {
        let newest = self.closed().header.index;
        (self.ledgers.front().map_or(newest, |oldest| oldest.header.index), newest)
    }

    /// A transaction that this node has seen.
    #[must_use]
    pub fn transaction(&self, hash: &TxHash) -> Option<TransactionStatus> {
        if let Some(index) = self.transactions.get(hash) {
            let ledger = self.ledger(*index)?;
            let transaction = Arc::clone(ledger.transaction(hash)?);
            return Some(TransactionStatus::Validated { ledger: Arc::clone(ledger), transaction });
        }
        let (tx, result, _) = self.seen.get(hash)?;
        Some(TransactionStatus::Seen { tx: Arc::clone(tx), result: *result })
    }

    /// An account's queued transactions, Sequences first.
    #[must_use]
    pub fn account_queue(&self, account: &AccountId) -> Vec<QueuedTransaction> {
        self.txq.account(account)
    }

    /// All queued transactions, best paying first.
    #[must_use]
    pub fn queue(&self) -> Vec<QueuedTransaction> {
        self.txq.all()
    }

    /// Figures for the `fee` method.
    #[must_use]
    pub fn queue_metrics(&self) -> Metrics {
        self.txq.metrics(&self.open)
    }

    /// Fees as `server_info`, `server_state` and the stream `server` show them.
    #[must_use]
    pub fn server_fees(&self) -> ServerFees {
        let metrics = self.queue_metrics();
        ServerFees {
            base_fee: self.open.info().fees.base,
            load_base: 256,
            load_factor_server: 256,
            open_ledger_level: metrics.open_ledger_level,
            queue_level: metrics.minimum_level,
            reference_level: metrics.reference_level,
        }
    }

    /// The network id.
    #[must_use]
    pub fn network_id(&self) -> u32 {
        self.context.network_id
    }

    /// Takes what happened since the last call, in order.
    pub fn drain_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// What a transaction would do now, without doing it: the `simulate` method.
    #[must_use]
    pub fn simulate(&self, tx: &Arc<PreparedTx>) -> Simulated {
        let mut open = OpenView::on(&self.open);
        let flags = ApplyFlags { dry_run: true, ..ApplyFlags::default() };
        let attempt = self.txq.clone().apply(&self.context, &mut open, tx, flags);
        Simulated { tx: Arc::clone(tx), attempt }
    }

    /// The next Sequence of an account that nothing in the open ledger or the queue uses.
    #[must_use]
    pub fn next_sequence(&self, account: AccountId, root: &Object) -> u32 {
        let next = sequence_of(root);
        let queued = self.txq.account(&account);
        let after = queued.iter().filter(|q| q.tx.seq.is_sequence()).map(|q| q.tx.seq.value() + 1);
        after.max().unwrap_or(next).max(next)
    }

    /// Submits a transaction as a client of this server does. What it makes possible among the held
    /// ones follows at once.
    pub fn submit(&mut self, tx: Arc<PreparedTx>, fail_hard: bool) -> SubmitOutcome {
        if let Some(refusal) = self.refuse(&tx) {
            return refusal;
        }
        let (outcome, next) = self.process(Submission { tx, local: true, fail_hard });
        self.process_held(next);
        outcome
    }

    /// xrpld's words for a transaction that [`PreparedTx::parse_and_check`] did not take: a bad
    /// signature that it has seen before has others.
    pub fn refusal(&mut self, invalid: &InvalidTransaction) -> String {
        match invalid.bad_signature {
            Some(hash) if !self.bad_signatures.insert(hash, self.current_index()) => {
                format!("{LOCAL_CHECKS}Transaction has bad signature.")
            }
            _ => invalid.reason.clone(),
        }
    }

    /// What xrpld refuses before the ledger sees it.
    fn refuse(&mut self, tx: &Arc<PreparedTx>) -> Option<SubmitOutcome> {
        let engine_result = if self.bad.contains(&tx.hash) {
            EngineResult::TEM_BAD_SIGNATURE
        } else if tx.has_flag(INNER_BATCH) {
            self.bad.insert(tx.hash, self.current_index());
            EngineResult::TEM_INVALID_FLAG
        } else {
            return None;
        };
        Some(SubmitOutcome {
            tx: Arc::clone(tx),
            engine_result,
            accepted: false,
            applied: false,
            broadcast: false,
            queued: false,
            kept: false,
            ledger_state: None,
        })
    }

    /// Applies, queues or holds a transaction that a peer relayed.
    fn receive(&mut self, tx: Arc<PreparedTx>) {
        if !self.bad.contains(&tx.hash) {
            let next = self.process(Submission { tx, local: false, fail_hard: false }).1;
            self.process_held(next);
        }
    }

    fn process_held(&mut self, first: Vec<Arc<PreparedTx>>) {
        let mut next: VecDeque<_> = first.into();
        while let Some(tx) = next.pop_front() {
            if !self.bad.contains(&tx.hash) {
                let submission = Submission { tx, local: false, fail_hard: false };
                next.extend(self.process(submission).1);
            }
        }
    }

    /// Applies a transaction to the open ledger, queues or holds it. Also returns the held ones that
    /// it made possible.
    fn process(&mut self, submission: Submission) -> (SubmitOutcome, Vec<Arc<PreparedTx>>) {
        let Submission { tx, local, fail_hard } = submission;
        let flags = ApplyFlags { fail_hard, ..ApplyFlags::default() };
        let applied = self.txq.apply(&self.context, &mut self.open, &tx, flags);
        let result = applied.result;
        if applied.applied {
            self.events.push(Event::Proposed(Proposed {
                tx: Arc::clone(&tx),
                result,
                ledger_current_index: self.current_index(),
                owner_funds: offer::owner_funds(&self.open, &tx),
            }));
            self.events.push(Event::FeesMayHaveChanged(self.server_fees()));
        }
        let class = result.class();
        let current = self.current_index();
        if class == ResultClass::Tem {
            self.bad.insert(tx.hash, current);
        }
        let mut next = Vec::new();
        let mut kept = false;
        let queued = result == EngineResult::TER_QUEUED;
        if result.is_success() {
            while next.len() < MAX_POPPED {
                let Some(follower) = self.held.pop_next(&tx) else { break };
                next.push(follower);
            }
        } else if queued {
            self.held.insert(Arc::clone(&tx));
            kept = true;
        } else if result != EngineResult::TEF_PAST_SEQ
            && matches!(class, ResultClass::Ter | ResultClass::Tel | ResultClass::Tef)
            && !fail_hard
        {
            let soon = tx
                .last_ledger
                .is_some_and(|last| last.wrapping_sub(self.current_index()) <= HOLD_LEDGERS);
            if local || soon || self.held_before.insert(tx.hash, current) {
                self.held.insert(Arc::clone(&tx));
                kept = true;
            }
        }
        let enforced = fail_hard && !result.is_success();
        if local && !enforced {
            self.local.push(Arc::clone(&tx), self.current_index());
            kept = true;
        }
        let broadcast = (applied.applied || queued) && !enforced;
        self.seen.insert(tx.hash, (Arc::clone(&tx), result, current));
        let outcome = SubmitOutcome {
            engine_result: result,
            accepted: applied.applied || broadcast || queued || kept,
            applied: applied.applied,
            broadcast,
            queued,
            kept,
            ledger_state: Some(self.ledger_state(&tx)),
            tx,
        };
        (outcome, next)
    }

    fn ledger_state(&self, tx: &PreparedTx) -> LedgerState {
        let account = self.open.account(tx.account);
        let next = account.as_deref().map_or(0, sequence_of);
        LedgerState {
            account_sequence_available: self.txq.next_queuable(account.as_deref()),
            account_sequence_next: next,
            open_ledger_cost: Drops(self.txq.required_fee(&self.context, &self.open, tx)),
            validated_ledger_index: self.validated().header.index,
        }
    }

    /// Closes the open ledger when the clock shows `now` (seconds since 2000-01-01): rounds as xrpld
    /// does and keeps close times ascending.
    pub fn accept(&mut self, now: u32) -> Arc<ClosedLedger> {
        let parent = self.closed().header.close_time;
        self.accept_at(close_time::round_close_time(now, parent))
    }

    /// Closes the open ledger with exactly this close time, to replay one.
    pub fn accept_at(&mut self, close_time: u32) -> Arc<ClosedLedger> {
        self.apply_held();
        let parent = Arc::clone(self.closed());
        let mut proposed = self.open.transactions();
        proposed.extend(self.votes.transactions(&parent));
        let mut retries = CanonicalSet::new(close::set_hash(&proposed));
        proposed.into_iter().for_each(|tx| retries.insert(tx));
        let ledger = Arc::new(close::build(&self.context, &parent, close_time, &mut retries));
        self.go_on(&ledger, retries);
        ledger
    }

    /// Closes the open ledger, with exactly this close time if it is later than the last one's.
    ///
    /// # Errors
    /// The close time of the last ledger.
    pub fn accept_exactly(&mut self, close_time: u32) -> Result<Arc<ClosedLedger>, u32> {
        match self.closed().header.close_time {
            last if close_time > last => Ok(self.accept_at(close_time)),
            last => Err(last),
        }
    }

    /// Closes a ledger of these transactions, past the open ledger and the queue: for what a ledger
    /// to develop on begins with.
    pub fn accept_with(
        &mut self,
        now: u32,
        transactions: Vec<Arc<PreparedTx>>,
    ) -> Arc<ClosedLedger> {
        let parent = Arc::clone(self.closed());
        let close_time = close_time::round_close_time(now, parent.header.close_time);
        let mut set = CanonicalSet::new(close::set_hash(&transactions));
        transactions.into_iter().for_each(|tx| set.insert(tx));
        let ledger = Arc::new(close::build(&self.context, &parent, close_time, &mut set));
        self.go_on(&ledger, set);
        ledger
    }

    /// Goes on from a ledger that has just been closed.
    fn go_on(&mut self, ledger: &Arc<ClosedLedger>, retries: CanonicalSet) {
        self.txq.process_closed(&self.context, ledger);
        self.store(Arc::clone(ledger));
        self.reopen(ledger, retries);
        self.local.sweep(&**ledger);
        self.events.push(Event::LedgerClosed(Arc::clone(ledger)));
        self.events.push(Event::FeesMayHaveChanged(self.server_fees()));
    }

    /// Tries held transactions once more before the ledger closes.
    pub(super) fn apply_held(&mut self) {
        let salt = self.open.info().parent_hash;
        let held = std::mem::replace(&mut self.held, CanonicalSet::new(salt));
        let mut next = Vec::new();
        for tx in held.iter() {
            if !self.bad.contains(&tx.hash) {
                let tx = Arc::clone(tx);
                next.extend(self.process(Submission { tx, local: false, fail_hard: false }).1);
            }
        }
        self.process_held(next);
    }

    /// The next open ledger: what the last one could not take, the queue, local transactions.
    fn reopen(&mut self, ledger: &Arc<ClosedLedger>, mut retries: CanonicalSet) {
        let before = std::mem::replace(&mut self.open, OpenView::new(Arc::clone(ledger), false));
        close::reapply(&self.context, &mut self.open, ledger, before.transactions(), &mut retries);
        self.txq.accept(&mut self.open);
        for tx in self.local.set().iter().filter(|tx| !ledger.has_transaction(&tx.hash)) {
            self.txq.apply(&self.context, &mut self.open, tx, ApplyFlags::default());
        }
    }
}
