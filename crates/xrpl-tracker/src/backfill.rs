//! Reads ledgers that the stream missed or showed in part, and feeds them through the processor as
//! source BACKFILL.

use std::{convert::Infallible, sync::Arc};

use futures_util::{StreamExt, stream};
use tokio::time;
use xrpl_client::{
    ClientError,
    request::{Ledger, LedgerSpec},
    response::{self, transaction_result},
};
use xrpl_protocol::LedgerIndex;

use crate::{
    completeness::Fit,
    core::Shared,
    evidence::Source,
    message::{ValidatedTransaction, slot},
};

/// Ledgers read at once.
const AT_ONCE: usize = 4;

/// Reads what is wanted, for ever.
pub(crate) async fn run(shared: Arc<Shared>) -> Result<(), Infallible> {
    // A task before this one may have failed in the middle.
    shared.lock().completeness.nothing_is_read();
    loop {
        read_wanted(&shared).await;
        let next = shared.lock().completeness.next_wanted_ms();
        shared.clock.rung_or_at(&shared.links.backfill, next).await;
    }
}

/// Reads what is wanted now.
async fn read_wanted(shared: &Shared) {
    loop {
        let now_ms = shared.now_ms();
        let wanted = shared.lock().completeness.take_wanted(AT_ONCE, now_ms);
        if wanted.is_empty() {
            return;
        }
        stream::iter(wanted).for_each_concurrent(AT_ONCE, |index| read(shared, index)).await;
    }
}

async fn read(shared: &Shared, index: u32) {
    let request = Ledger {
        ledger_index: Some(LedgerSpec::Index(LedgerIndex(index))),
        transactions: true,
        expand: true,
    };
    let answer = match ask(shared, &request).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::debug!(ledger = index, %error, "a ledger could not be read");
            let now_ms = shared.now_ms();
            shared.lock().completeness.not_read(index, now_ms);
            return;
        }
    };
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
        core.completeness.not_read(index, now_ms);
        return;
    };
    match core.completeness.fits(index, hash, transactions.len()) {
        Fit::Yes => {}
        Fit::OtherHash => {
            core.mismatch(LedgerIndex(index), hash);
            core.completeness.not_read(index, now_ms);
            return;
        }
        Fit::OtherCount => {
            tracing::warn!(ledger = index, "a ledger has another number of transactions than told");
            core.completeness.not_read(index, now_ms);
            return;
        }
    }
    for tx in &transactions {
        core.seen(tx, Source::Backfill, now_ms);
    }
    core.completeness.read(index);
    core.ledgers_backfilled += 1;
    core.ledgers.backfilled(LedgerIndex(index), transactions.len());
    core.links.store.ledger(LedgerIndex(index), hash);
    core.settle_past_last(now_ms);
}

/// Asks one node after another until one has the ledger: nodes keep different histories.
async fn ask(shared: &Shared, request: &Ledger) -> Result<response::Ledger, ClientError> {
    let mut last = None;
    let mut health = shared.pool.health();
    health.sort_by_key(|node| (!node.healthy, node.id));
    for node in health {
        let answer =
            time::timeout(shared.config.lookup_timeout, shared.pool.request_to(node.id, request));
        match answer.await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => last = Some(error),
            Err(_) => {
                last = Some(ClientError::Unknown {
                    endpoint: node.name,
                    cause: "no answer in time".into(),
                });
            }
        }
    }
    Err(last.unwrap_or_else(|| ClientError::NeverSent {
        endpoint: "none".into(),
        cause: "no endpoint is configured".into(),
    }))
}
