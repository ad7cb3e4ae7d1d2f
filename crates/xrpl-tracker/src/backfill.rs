//! Reads ledgers that the stream missed or showed in part, and feeds them through the processor as
//! source BACKFILL.
//!
//! Several are read side by side, and a place that is free is filled at once: one that no node
//! answers about holds up nothing but itself. Which comes next is for
//! [`Completeness`](crate::completeness::Completeness) to say. Of one ledger the nodes are asked
//! one after another, the next as soon as one fails and also when one takes long: nodes keep
//! different histories, and any of them may be silent.
//!
//! A ledger that was read proves that a transaction is not in it. So it counts only if its hashes
//! show that nothing was left out ([`WholeLedger`]); an answer that fails is refused and the next node
//! asked.

use std::{convert::Infallible, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use serde_json::Value as Json;
use tokio::time;
use xrpl_client::{
    EndpointId, WholeLedger,
    request::BinaryLedger,
    whole_ledger::{LedgerTransaction, NotWhole},
};
use xrpl_protocol::{
    Amount, Definitions, Hash256, LedgerIndex, Object, decode::DecodeError, fields,
};

use crate::{
    chain,
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
    let request = &BinaryLedger::with_transactions(LedgerIndex(index));
    let nodes = shared.pool.followed();
    let count = nodes.len();
    let mut nodes = nodes.into_iter();
    let mut asked = FuturesUnordered::new();
    let mut lacking = 0;
    loop {
        if let Some(id) = nodes.next() {
            let limit = shared.config.lookup_timeout;
            asked.push(async move {
                (id, time::timeout(limit, shared.pool.request_to(id, request)).await)
            });
        } else if asked.is_empty() {
            break;
        }
        let (id, answer) = tokio::select! {
            biased;
            Some(answer) = asked.next() => answer,
            () = time::sleep(ALONE), if nodes.len() > 0 => continue,
        };
        match answer {
            Ok(Ok(answer)) => match answer.whole(LedgerIndex(index)) {
                Ok(ledger) => {
                    if is_ours(shared, &ledger).await && take_in(shared, &ledger) {
                        return;
                    }
                }
                Err(why) => refuse(shared, id, index, &why),
            },
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

/// What a node answered is not the ledger: nothing is concluded from it.
fn refuse(shared: &Shared, node: EndpointId, index: u32, why: &NotWhole) {
    if *why == NotWhole::NotValidated {
        return tracing::debug!(ledger = index, "a node has not validated the ledger");
    }
    shared.lock().ledgers_refused += 1;
    let node = shared.pool.name(node);
    tracing::warn!(%node, ledger = index, %why, "what a node answered for a ledger is refused");
}

/// Whether a ledger of which no hash is known belongs to the followed chain. Where one is known, it
/// decides.
async fn is_ours(shared: &Shared, ledger: &WholeLedger) -> bool {
    let index = ledger.header.index;
    let known = shared.lock().completeness.hash(index).is_some();
    known || chain::holds(shared, index, ledger.header.hash).await
}

/// Takes a ledger in, if its hash is the known one.
fn take_in(shared: &Shared, ledger: &WholeLedger) -> bool {
    let (index, hash) = (LedgerIndex(ledger.header.index), ledger.header.hash);
    let now_ms = shared.now_ms();
    let definitions = &shared.config.definitions;
    let mut transactions = Vec::with_capacity(ledger.transactions.len());
    let mut unread = Vec::new();
    for tx in &ledger.transactions {
        match told(tx, (index, hash), definitions) {
            Ok(told) => transactions.push(told),
            Err(cause) => unread.push((tx.hash, cause)),
        }
    }
    let mut core = shared.lock();
    if !core.completeness.learnt(index.0, hash) {
        core.mismatch(index, hash);
        return false;
    }
    // A stranger's with fields of a newer xrpld concerns nobody here; of one of ours the result is
    // wanted.
    let ours = unread.iter().find(|(hash, _)| core.pending.find(*hash).is_some());
    if let Some((hash, cause)) = ours {
        tracing::warn!(ledger = %index, %hash, %cause, "a transaction of the ledger cannot be read");
        return false;
    }
    for tx in &transactions {
        core.seen(tx, Source::Backfill, now_ms);
    }
    core.completeness.read(index.0);
    core.ledgers_backfilled += 1;
    core.ledgers.backfilled(index, ledger.transactions.len());
    core.note_ledger(index, hash);
    core.settle_past_last(now_ms);
    true
}

/// What a transaction of a ledger says, with metadata as a stream shows it.
fn told(
    tx: &LedgerTransaction,
    (ledger_index, ledger_hash): (LedgerIndex, Hash256),
    definitions: &Definitions,
) -> Result<ValidatedTransaction<'static>, DecodeError> {
    let transaction = Object::decode_any(&tx.blob)?;
    let metadata = Object::decode_any(&tx.metadata)?;
    let mut meta = metadata.to_json(definitions);
    let result = match &meta["TransactionResult"] {
        Json::String(name) => name.clone(),
        code => code.to_string(),
    };
    if let Some(amount) = delivered(&transaction, &metadata) {
        meta["delivered_amount"] = amount.to_json();
    }
    let sequence = transaction.u32(fields::SEQUENCE).unwrap_or(0);
    let ticket = transaction.u32(fields::TICKET_SEQUENCE);
    Ok(ValidatedTransaction {
        hash: tx.hash,
        ledger_index,
        ledger_hash: Some(ledger_hash),
        result: result.into(),
        account: transaction.account(fields::ACCOUNT).map(|account| account.to_string().into()),
        slot: slot(Some(sequence.into()), ticket.map(u64::from)),
        meta: meta.to_string().into(),
    })
}

/// What xrpld adds to the metadata of payments wherever it shows them
/// (<https://xrpl.org/docs/references/protocol/transactions/metadata#delivered_amount>).
fn delivered(transaction: &Object, metadata: &Object) -> Option<Amount> {
    /// Payment, CheckCash, AccountDelete.
    const DELIVERING: [u16; 3] = [0, 17, 21];
    let delivers =
        transaction.u16(fields::TRANSACTION_TYPE).is_some_and(|of| DELIVERING.contains(&of));
    if !delivers || metadata.u8(fields::TRANSACTION_RESULT) != Some(0) {
        return None;
    }
    metadata.amount(fields::DELIVERED_AMOUNT).or_else(|| transaction.amount(fields::AMOUNT))
}
