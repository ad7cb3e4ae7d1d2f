//! Closing a ledger: applying a set of transactions in canonical order, and filling the next open
//! ledger.

use std::sync::Arc;

use xrpl_protocol::{EngineResult, Hash256, LedgerHeader, Object, ResultClass, fields, object_id};

use super::{
    adopt,
    canonical::CanonicalSet,
    close_time::CLOSE_TIME_RESOLUTION,
    closed::{ClosedLedger, LedgerTransaction},
    entry_type,
    prepared::PreparedTx,
    shamap::{SetMember, ShaMap},
    view::{Entry, OpenView, ReadView},
};
use crate::transactors::{self, ApplyFlags, Attempt, Context};

/// Passes over the transactions, and how many of them may be followed by one more retry.
const TOTAL_PASSES: usize = 3;
const RETRY_PASSES: usize = 1;
/// Ledgers in the short skip list.
const RECENT_LEDGERS: usize = 256;

/// Hash of a set of transactions: the salt of its canonical order.
pub(super) fn set_hash(transactions: &[Arc<PreparedTx>]) -> Hash256 {
    let mut set = ShaMap::default();
    transactions.iter().for_each(|tx| set.insert(tx.hash.into(), SetMember));
    set.hash()
}

/// Whether a transaction that was not applied can never be.
fn hopeless(result: EngineResult) -> bool {
    matches!(result.class(), ResultClass::Tef | ResultClass::Tem | ResultClass::Tel)
}

/// Repeats `attempt` over a set as xrpld does: while passes change something a `tec` waits for
/// better times, then everything that can claim a fee does. What is hopeless or done leaves the set.
/// `attempt` says whether the transaction is to be tried again.
fn passes(
    set: &mut CanonicalSet,
    mut attempt: impl FnMut(&Arc<PreparedTx>, ApplyFlags) -> (bool, bool),
) {
    let mut retry = true;
    for pass in 0..TOTAL_PASSES {
        let mut changes = 0;
        set.retain(|tx| {
            let flags = ApplyFlags { retry, ..ApplyFlags::default() };
            let (changed, again) = attempt(tx, flags);
            changes += usize::from(changed);
            again
        });
        if changes == 0 && !retry {
            break;
        }
        if changes == 0 || pass >= RETRY_PASSES {
            retry = false;
        }
    }
}

/// Builds the ledger after `parent`. What could not be applied but may be later stays in the set.
pub(super) fn build(
    context: &Context,
    parent: &Arc<ClosedLedger>,
    close_time: u32,
    set: &mut CanonicalSet,
) -> ClosedLedger {
    let mut view = OpenView::new(Arc::clone(parent), Some(close_time));
    let mut transactions: Vec<Arc<LedgerTransaction>> = Vec::with_capacity(set.len());
    passes(set, |tx, flags| {
        let Attempt { result, applied, metadata } =
            transactors::apply(context, &mut view, tx, flags);
        if applied {
            let index = u32::try_from(transactions.len()).unwrap_or(u32::MAX);
            let metadata = metadata.unwrap_or_default();
            let applied = LedgerTransaction::new(Arc::clone(tx), result, metadata, index);
            transactions.push(Arc::new(applied));
        }
        (applied, !applied && !hopeless(result))
    });
    let burnt = view.burnt;
    let mut state = parent.state.clone();
    view.apply_to(&mut state);
    after(parent, close_time, burnt, state, transactions)
}

/// A ledger that another server closed after `parent`, from its transactions and their metadata.
pub(super) fn adopt(
    parent: &ClosedLedger,
    close_time: u32,
    transactions: Vec<(Arc<PreparedTx>, Object)>,
) -> ClosedLedger {
    let transactions: Vec<_> = transactions
        .into_iter()
        .zip(0..)
        .map(|((tx, metadata), index)| {
            let code = metadata.u8(fields::TRANSACTION_RESULT).unwrap_or_default();
            let result = EngineResult::from_code(i32::from(code));
            let result = result.unwrap_or(EngineResult::TES_SUCCESS);
            Arc::new(LedgerTransaction::new(tx, result, metadata, index))
        })
        .collect();
    let mut state = parent.state.clone();
    adopt::apply(&mut state, parent.header.index + 1, &transactions);
    let burnt =
        transactions.iter().map(|tx| tx.read().tx.fee.unwrap_or_default().unsigned_abs()).sum();
    after(parent, close_time, burnt, state, transactions)
}

fn after(
    parent: &ClosedLedger,
    close_time: u32,
    burnt: u64,
    mut state: ShaMap<Entry>,
    transactions: Vec<Arc<LedgerTransaction>>,
) -> ClosedLedger {
    let index = parent.header.index + 1;
    update_skip_lists(&mut state, index, parent.header.hash);
    let header = LedgerHeader {
        index,
        hash: Hash256::ZERO,
        parent_hash: parent.header.hash,
        total_coins: parent.header.total_coins.saturating_sub(burnt),
        account_hash: Hash256::ZERO,
        transaction_hash: Hash256::ZERO,
        parent_close_time: parent.header.close_time,
        close_time,
        close_time_resolution: CLOSE_TIME_RESOLUTION,
        close_flags: 0,
    };
    ClosedLedger::build(header, state, transactions, Some(parent))
}

/// Notes the parent's hash in the lists by which ledgers prove their history.
pub(super) fn update_skip_lists(state: &mut ShaMap<Entry>, index: u32, parent_hash: Hash256) {
    let Some(parent) = index.checked_sub(1) else { return };
    let mut append = |key: Hash256, limit: usize| {
        let mut list = match state.get(&key) {
            Some(entry) => Object::clone(entry),
            None => entry_type::new(entry_type::LEDGER_HASHES),
        };
        let mut hashes = list.vector256(fields::HASHES).unwrap_or_default().to_vec();
        if hashes.len() >= limit {
            hashes.remove(0);
        }
        hashes.push(parent_hash);
        list.set(fields::HASHES, hashes.into());
        list.set(fields::LAST_LEDGER_SEQUENCE, parent.into());
        state.insert(key, Arc::new(list));
    };
    if parent % 256 == 0 {
        append(object_id::skip_list_of(parent), usize::MAX);
    }
    append(object_id::skip_list(), RECENT_LEDGERS);
}

/// Fills a new open ledger with what the last one had and the closed one did not take.
pub(super) fn reapply(
    context: &Context,
    open: &mut OpenView,
    closed: &ClosedLedger,
    before: Vec<Arc<PreparedTx>>,
    retries: &mut CanonicalSet,
) {
    if before.is_empty() {
        return;
    }
    let mut apply = |tx: &Arc<PreparedTx>, flags| transactors::apply(context, open, tx, flags);
    for tx in before {
        if closed.has_transaction(&tx.hash) {
            continue;
        }
        let attempt = apply(&tx, ApplyFlags { retry: true, ..ApplyFlags::default() });
        if !attempt.applied && !hopeless(attempt.result) {
            retries.insert(tx);
        }
    }
    passes(retries, |tx, flags| {
        let attempt = apply(tx, flags);
        (attempt.applied, !attempt.applied && !hopeless(attempt.result))
    });
}
