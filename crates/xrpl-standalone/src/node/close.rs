//! Closing a ledger: applying a set of transactions in canonical order, and filling the next open
//! ledger.

use std::sync::Arc;

use xrpl_protocol::{EngineResult, Hash256, LedgerHeader, Object, ResultClass};

use crate::{
    ledger::{
        ClosedLedger, LedgerTransaction, OpenView, PreparedTx, ReadView, State,
        canonical::CanonicalSet,
        close_time::CLOSE_TIME_RESOLUTION,
        open_view::Applied,
        shamap::{SetMember, ShaMap},
        skip_list::update_skip_lists,
    },
    transactors::{self, ApplyFlags, Context},
};

/// Passes over the transactions, and how many of them may be followed by one more retry.
const TOTAL_PASSES: usize = 3;
const RETRY_PASSES: usize = 1;

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
    let mut view = OpenView::new(Arc::clone(parent), true);
    passes(set, |tx, flags| {
        let attempt = transactors::apply_transaction(context, &mut view, tx, flags);
        (attempt.applied, !attempt.applied && !hopeless(attempt.result))
    });
    let mut state = parent.state.clone();
    let (applied, burnt) = view.apply_to(&mut state);
    let transactions = (0..)
        .zip(applied)
        .map(|(index, Applied { tx, result, metadata })| {
            let metadata = metadata.unwrap_or_default();
            Arc::new(LedgerTransaction::new(tx, result, metadata, index))
        })
        .collect();
    after(parent, close_time, burnt, state, transactions)
}

/// The ledger after `parent` with entries that no transaction made, and the XRP in them.
pub(super) fn inject(
    parent: &ClosedLedger,
    close_time: u32,
    entries: Vec<(Hash256, Object)>,
    minted: u64,
) -> ClosedLedger {
    let mut state = parent.state.clone();
    for (key, entry) in entries {
        state.insert(key, Arc::new(entry));
    }
    let mut ledger = after(parent, close_time, 0, state, Vec::new());
    ledger.header.total_coins = ledger.header.total_coins.saturating_add(minted);
    ledger.header.hash = ledger.header.compute_hash();
    ledger
}

fn after(
    parent: &ClosedLedger,
    close_time: u32,
    burnt: u64,
    mut state: State,
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

/// Fills a new open ledger with what the last one had and the closed one did not take.
pub(super) fn reapply(
    context: &Context,
    open: &mut OpenView<'_>,
    closed: &ClosedLedger,
    before: Vec<Arc<PreparedTx>>,
    retries: &mut CanonicalSet,
) {
    if before.is_empty() {
        return;
    }
    // Of a Batch only itself gets into an open ledger.
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
