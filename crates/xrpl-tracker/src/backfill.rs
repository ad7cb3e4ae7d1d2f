//! Reads ledgers that the stream missed or showed in part, and feeds them through the processor as
//! source BACKFILL.
//!
//! Several are read side by side, and a place that is free is filled at once: one that no node
//! answers about holds up nothing but itself. Which comes next is for
//! [`Completeness`](crate::completeness::Completeness) to say. Of one ledger the nodes are asked
//! one after another, the next as soon as one fails and also when one takes long: nodes keep
//! different histories, and any of them may be silent.

use std::{convert::Infallible, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time;
use xrpl_client::{
    request::{Ledger, LedgerSpec},
    response::{self, transaction_result},
};
use xrpl_protocol::LedgerIndex;

use crate::{
    chain,
    completeness::Fit,
    core::Shared,
    evidence::Source,
    message::{ValidatedTransaction, slot},
};

/// How long one node alone is waited for.
const ALONE: Duration = Duration::from_millis(700);

/// Reads what is wanted, for ever.
pub(crate) async fn run(shared: Arc<Shared>) -> Result<(), Infallible> {
    // A task before this one may have failed in the middle.
    shared.lock().completeness.nothing_is_read();
    let mut reading = FuturesUnordered::new();
    loop {
        let next = {
            let now_ms = shared.now_ms();
            let completeness = &mut shared.lock().completeness;
            while let Some(index) = completeness.take_wanted(now_ms) {
                reading.push(read(&shared, index));
            }
            completeness.next_wanted_ms(now_ms)
        };
        tokio::select! {
            biased;
            Some(()) = reading.next() => {}
            () = shared.clock.rung_or_at(&shared.links.backfill, next) => {}
        }
    }
}

/// Reads one ledger from the first node whose answer is that ledger, whole.
async fn read(shared: &Shared, index: u32) {
    let request = &Ledger {
        ledger_index: Some(LedgerSpec::Index(LedgerIndex(index))),
        transactions: true,
        expand: true,
    };
    let mut health = shared.pool.health();
    health.sort_by_key(|node| (!node.healthy, node.id));
    let count = health.len();
    let mut nodes = health.into_iter().map(|node| node.id);
    let mut asked = FuturesUnordered::new();
    let mut lacking = 0;
    loop {
        if let Some(id) = nodes.next() {
            asked.push(time::timeout(
                shared.config.lookup_timeout,
                shared.pool.request_to(id, request),
            ));
        } else if asked.is_empty() {
            break;
        }
        let answer = tokio::select! {
            biased;
            Some(answer) = asked.next() => answer,
            () = time::sleep(ALONE), if nodes.len() > 0 => continue,
        };
        match answer {
            Ok(Ok(answer)) if is_ours(shared, index, &answer).await => {
                if take_in(shared, index, &answer) {
                    return;
                }
            }
            Ok(Ok(_)) => {}
            // What it says of itself: it does not keep that ledger.
            Ok(Err(error)) if error.is_token("lgrNotFound") => lacking += 1,
            Ok(Err(error)) => tracing::debug!(ledger = index, %error, "a ledger could not be read"),
            Err(_) => tracing::debug!(ledger = index, "a ledger could not be read in time"),
        }
    }
    let now_ms = shared.now_ms();
    let completeness = &mut shared.lock().completeness;
    match lacking == count && count > 0 {
        true if completeness.nobody_has(index, now_ms) => {
            tracing::warn!(ledger = index, "no node keeps this ledger: it is asked for seldom now");
        }
        true => {}
        false => completeness.not_read(index, now_ms),
    }
}

/// Whether a ledger of which no hash is known belongs to the followed chain. Where one is known, it
/// decides.
async fn is_ours(shared: &Shared, index: u32, answer: &response::Ledger) -> bool {
    let known = shared.lock().completeness.hash(index).is_some();
    match answer.ledger_hash {
        Some(hash) if !known => chain::holds(shared, index, hash).await,
        _ => true,
    }
}

/// Takes an answer for the ledger, if it is that ledger, validated and whole.
fn take_in(shared: &Shared, index: u32, answer: &response::Ledger) -> bool {
    let now_ms = shared.now_ms();
    let transactions: Option<Vec<_>> = answer
        .ledger
        .transactions
        .iter()
        .map(|tx| {
            let meta = tx.meta.as_deref()?;
            Some(ValidatedTransaction {
                hash: tx.hash,
                ledger_index: LedgerIndex(index),
                ledger_hash: answer.ledger_hash,
                result: transaction_result(meta)?.into(),
                account: tx.account.map(|account| account.to_string().into()),
                slot: slot(Some(tx.sequence.into()), tx.ticket.map(u64::from)),
                meta: meta.get().into(),
            })
        })
        .collect();
    let mut core = shared.lock();
    let whole = answer.validated && answer.ledger_index.is_none_or(|i| i.0 == index);
    let (Some(hash), Some(transactions), true) = (answer.ledger_hash, transactions, whole) else {
        tracing::warn!(ledger = index, "a ledger was answered in part or not validated");
        return false;
    };
    match core.completeness.fits(index, hash, transactions.len()) {
        Fit::Yes => {}
        Fit::OtherHash => {
            core.mismatch(LedgerIndex(index), hash);
            return false;
        }
        Fit::OtherCount => {
            tracing::warn!(ledger = index, "a ledger has another number of transactions than told");
            return false;
        }
    }
    for tx in &transactions {
        core.seen(tx, Source::Backfill, now_ms);
    }
    core.completeness.read(index);
    core.ledgers_backfilled += 1;
    core.ledgers.backfilled(LedgerIndex(index), transactions.len());
    core.note_ledger(LedgerIndex(index), hash);
    core.settle_past_last(now_ms);
    true
}
