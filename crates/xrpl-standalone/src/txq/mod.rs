//! Fee escalation and the transaction queue
//! (<https://xrpl.org/docs/concepts/transactions/transaction-queue>).
//!
//! Fees are compared as levels: 256 is the least fee of the transaction's own kind.

mod admit;
mod metrics;

use std::{cmp::Reverse, collections::BTreeMap, ops::Bound, sync::Arc};

use xrpl_protocol::{AccountId, EngineResult, Hash256, Object, ResultClass, TxHash, fields};

pub use metrics::{BASE_LEVEL, Metrics, QueueSetup};
use metrics::{FeeMetrics, mul_div};

use crate::{
    ledger::{
        ClosedLedger, OpenView, PreparedTx, ReadView, SeqProxy, helpers::account_root::sequence_of,
    },
    transactors::{self, ApplyFlags, Attempt, Consequences, Context, base_fee, default_base_fee},
};

/// How often a queued transaction is tried.
const RETRIES: u32 = 10;

/// Order in the queue: best paying first; equals in an order that changes with each ledger.
type FeeKey = (Reverse<u64>, Hash256);

#[derive(Clone, Debug)]
struct Queued {
    tx: Arc<PreparedTx>,
    level: u64,
    key: FeeKey,
    flags: ApplyFlags,
    retries: u32,
    last_result: Option<EngineResult>,
    consequences: Consequences,
}

#[derive(Clone, Debug, Default)]
struct QueuedAccount {
    transactions: BTreeMap<SeqProxy, Queued>,
    retry_penalty: bool,
    drop_penalty: bool,
}

/// A queued transaction, for look-ups.
#[derive(Clone, Debug)]
pub struct QueuedTransaction {
    /// The transaction.
    pub tx: Arc<PreparedTx>,
    /// What it pays, in units of 1/256 of its least fee.
    pub fee_level: u64,
    /// What it may spend besides its fee, in drops.
    pub potential_spend: i64,
    /// Whether it may make the account's later transactions invalid.
    pub auth_change: bool,
    /// Tries left.
    pub retries_remaining: u32,
    /// Result of the last try.
    pub last_result: Option<EngineResult>,
}

/// The queue.
#[derive(Clone, Debug)]
pub struct TxQ {
    setup: QueueSetup,
    fees: FeeMetrics,
    /// None until a ledger has closed: then the queue has no limit yet.
    max_size: Option<usize>,
    salt: Hash256,
    accounts: BTreeMap<AccountId, QueuedAccount>,
    by_fee: BTreeMap<FeeKey, (AccountId, SeqProxy)>,
}

/// What a transaction pays, as a level.
fn level_paid(view: &dyn ReadView, tx: &PreparedTx) -> u64 {
    let base = base_fee(view, tx);
    let paid = u64::try_from(tx.fee.unwrap_or(0)).unwrap_or(0);
    // A free transaction is weighed as if it cost and paid the usual fee on top.
    let extra = if base > 0 { 0 } else { default_base_fee(view, tx).max(1) };
    mul_div(paid.saturating_add(extra), BASE_LEVEL, base.saturating_add(extra))
}

impl TxQ {
    /// An empty queue.
    #[must_use]
    pub fn new(setup: QueueSetup) -> Self {
        Self {
            fees: FeeMetrics::new(&setup),
            setup,
            max_size: None,
            salt: Hash256::ZERO,
            accounts: BTreeMap::new(),
            by_fee: BTreeMap::new(),
        }
    }

    /// Empties the queue and forgets what past ledgers taught it, as a node that starts again does.
    pub(crate) fn restart(&mut self) {
        *self = Self::new(self.setup.clone());
    }

    /// Keeps the queue of those accounts only for which `keep` says so.
    pub(crate) fn retain_accounts(&mut self, mut keep: impl FnMut(&AccountId) -> bool) {
        self.accounts.retain(|account, _| keep(account));
        let accounts = &self.accounts;
        self.by_fee.retain(|_, (account, _)| accounts.contains_key(account));
    }

    fn key(&self, level: u64, hash: TxHash) -> FeeKey {
        let mut salted = self.salt;
        salted.0.iter_mut().zip(hash.0).for_each(|(byte, of_hash)| *byte ^= of_hash);
        (Reverse(level), salted)
    }

    fn is_full(&self, percent: usize) -> bool {
        self.max_size.is_some_and(|max| self.by_fee.len() >= max * percent / 100)
    }

    fn get(&self, account: &AccountId, seq: SeqProxy) -> Option<&Queued> {
        self.accounts.get(account)?.transactions.get(&seq)
    }

    fn erase(&mut self, account: &AccountId, seq: SeqProxy) {
        if let Some(entry) = self.accounts.get_mut(account)
            && let Some(queued) = entry.transactions.remove(&seq)
        {
            self.by_fee.remove(&queued.key);
        }
    }

    fn insert(&mut self, queued: Queued) {
        self.by_fee.insert(queued.key, (queued.tx.account, queued.tx.seq));
        let account = self.accounts.entry(queued.tx.account).or_default();
        account.transactions.insert(queued.tx.seq, queued);
    }

    /// Removes a candidate and names the one to look at next: the account's next one if it stands
    /// earlier in the queue (it was passed over), else the next in the queue.
    fn erase_and_advance(
        &mut self,
        at: FeeKey,
        account: &AccountId,
        seq: SeqProxy,
    ) -> Option<FeeKey> {
        let after = (Bound::Excluded(at), Bound::Unbounded);
        let next_by_fee = self.by_fee.range(after).next().map(|(key, _)| *key);
        let next_of_account = self.accounts.get(account).and_then(|entry| {
            let after = (Bound::Excluded(seq), Bound::Unbounded);
            entry.transactions.range(after).next().map(|(_, queued)| queued.key)
        });
        self.erase(account, seq);
        match (next_of_account, next_by_fee) {
            (Some(own), None) => Some(own),
            (Some(own), Some(next)) if own < next => Some(own),
            (_, next) => next,
        }
    }

    /// After a ledger closed: adjusts limits, drops what has expired.
    pub(crate) fn process_closed(&mut self, _context: &Context, ledger: &ClosedLedger) {
        let levels =
            ledger.transactions.iter().map(|entry| level_paid(ledger, &entry.read().tx)).collect();
        self.fees.update(levels, &self.setup);
        let size = self.fees.expected().saturating_mul(self.setup.ledgers_in_queue);
        self.max_size = Some(size.max(self.setup.minimum_queue_size));
        let index = ledger.header.index;
        let expired: Vec<_> = self
            .accounts
            .iter()
            .flat_map(|(account, entry)| entry.transactions.values().map(move |q| (*account, q)))
            .filter(|(_, queued)| queued.tx.last_ledger.is_some_and(|last| last <= index))
            .map(|(account, queued)| (account, queued.tx.seq))
            .collect();
        for (account, seq) in expired {
            self.erase(&account, seq);
            if let Some(entry) = self.accounts.get_mut(&account) {
                entry.drop_penalty = true;
            }
        }
        self.accounts.retain(|_, entry| !entry.transactions.is_empty());
    }

    /// Moves transactions into a new open ledger, best paying first, until the fee it asks for is
    /// more than they pay.
    pub(crate) fn accept(&mut self, view: &mut OpenView<'_>) {
        let mut at = self.by_fee.keys().next().copied();
        while let Some(key) = at {
            let next = |this: &Self| {
                let after = (Bound::Excluded(key), Bound::Unbounded);
                this.by_fee.range(after).next().map(|(key, _)| *key)
            };
            let Some((account, seq)) = self.by_fee.get(&key).copied() else { break };
            let Some(entry) = self.accounts.get_mut(&account) else { break };
            let first = entry.transactions.keys().next().copied();
            if seq.is_sequence() && first.is_some_and(|first| seq > first) {
                at = next(self);
                continue;
            }
            let required = self.fees.required_level(view);
            let Some(queued) = entry.transactions.get_mut(&seq) else { break };
            if queued.level < required {
                break;
            }
            let attempt = transactors::apply_checked(view, &queued.tx, queued.flags, None);
            let class = attempt.result.class();
            let hopeless = matches!(class, ResultClass::Tef | ResultClass::Tem);
            if attempt.applied || hopeless || queued.retries == 0 {
                if !attempt.applied {
                    let penalty = if queued.retries == 0 {
                        &mut entry.retry_penalty
                    } else {
                        &mut entry.drop_penalty
                    };
                    *penalty = true;
                }
                at = self.erase_and_advance(key, &account, seq);
                continue;
            }
            queued.retries = match (entry.retry_penalty, queued.retries) {
                (true, 3..) => 1,
                (_, retries) => retries - 1,
            };
            queued.last_result = Some(attempt.result);
            let crowded = entry.drop_penalty && entry.transactions.len() > 1;
            let last = entry.transactions.keys().next_back().copied();
            if crowded && self.is_full(95) {
                if !seq.is_sequence() {
                    at = self.erase_and_advance(key, &account, seq);
                    continue;
                }
                if let Some(last) = last.filter(|last| *last != seq) {
                    self.erase(&account, last);
                }
            }
            at = next(self);
        }
        self.reorder(view.info().parent_hash);
    }

    /// Orders equals anew.
    fn reorder(&mut self, salt: Hash256) {
        self.salt = salt;
        let mut accounts = std::mem::take(&mut self.accounts);
        self.by_fee.clear();
        for (account, entry) in &mut accounts {
            for (seq, queued) in &mut entry.transactions {
                queued.key = self.key(queued.level, queued.tx.hash);
                self.by_fee.insert(queued.key, (*account, *seq));
            }
        }
        self.accounts = accounts;
    }

    /// The first Sequence that neither the ledger nor the queue uses; 0 without an account.
    #[must_use]
    pub fn next_queuable(&self, account: Option<&Object>) -> u32 {
        account.map_or(0, |account| self.next_queuable_seq(account).value())
    }

    fn next_queuable_seq(&self, account: &Object) -> SeqProxy {
        let current = SeqProxy::Sequence(sequence_of(account));
        let id = account.account(fields::ACCOUNT).unwrap_or_default();
        let Some(entry) = self.accounts.get(&id) else { return current };
        let mut queued = entry.transactions.range(current..);
        let mut attempt = match queued.next() {
            Some((seq, first)) if *seq == current => first.consequences.following,
            _ => return current,
        };
        for (seq, next) in queued {
            if attempt < *seq {
                break;
            }
            attempt = next.consequences.following;
        }
        attempt
    }

    /// What a transaction would have to pay to enter the open ledger now, in drops.
    #[must_use]
    pub fn required_fee(&self, _context: &Context, view: &OpenView<'_>, tx: &PreparedTx) -> u64 {
        mul_div(self.fees.required_level(view), base_fee(view, tx), BASE_LEVEL)
    }

    /// Figures for the `fee` method.
    #[must_use]
    pub fn metrics(&self, view: &OpenView<'_>) -> Metrics {
        let worst = self.by_fee.keys().next_back().map_or(BASE_LEVEL, |(Reverse(level), _)| *level);
        Metrics {
            queued: self.by_fee.len(),
            max_queued: self.max_size,
            in_ledger: view.tx_count(),
            expected: self.fees.expected(),
            reference_level: BASE_LEVEL,
            minimum_level: if self.is_full(100) { worst + 1 } else { BASE_LEVEL },
            median_level: self.fees.multiplier(),
            open_ledger_level: self.fees.required_level(view),
            base_fee: view.info().fees.base,
        }
    }

    fn details(queued: &Queued) -> QueuedTransaction {
        QueuedTransaction {
            tx: Arc::clone(&queued.tx),
            fee_level: queued.level,
            potential_spend: queued.consequences.potential_spend,
            auth_change: queued.consequences.blocker,
            retries_remaining: queued.retries,
            last_result: queued.last_result,
        }
    }

    pub(crate) fn account(&self, account: &AccountId) -> Vec<QueuedTransaction> {
        let entry = self.accounts.get(account);
        entry.into_iter().flat_map(|e| e.transactions.values()).map(Self::details).collect()
    }

    pub(crate) fn all(&self) -> Vec<QueuedTransaction> {
        let all = self.by_fee.values().filter_map(|(account, seq)| self.get(account, *seq));
        all.map(Self::details).collect()
    }

    fn attempt(view: &mut OpenView<'_>, tx: &Arc<PreparedTx>, flags: ApplyFlags) -> Attempt {
        transactors::apply_checked(view, tx, flags, None)
    }
}
