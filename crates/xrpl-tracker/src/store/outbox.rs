//! Ends that somebody outside is to be told of, in order, until they were taken.
//!
//! With the condition that ends a transaction its end is written in the same commit, so that whoever
//! delivers ends misses none, whenever the process dies. A revoked end is one more end of the same
//! transaction, and so is the one that follows it.

use std::{collections::VecDeque, sync::Arc};

use async_trait::async_trait;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::Notify;
use xrpl_protocol::{AccountId, Hash256, LedgerIndex, TxHash};

use crate::{
    error::Result,
    evidence::{ResultName, Source},
    lifecycle::State,
    record::{Latencies, Progress, Record, RunId},
};

/// An end of a transaction: it came to a terminal state, or was taken out of one.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    /// Counts up in the order in which ends were written.
    pub seq: u64,
    /// The run.
    pub run: RunId,
    /// The transaction.
    pub tx_hash: TxHash,
    /// Whose it is.
    pub account: AccountId,
    /// Its type.
    pub transaction_type: Arc<str>,
    /// The state before.
    pub was: State,
    /// The state that it came to: terminal, unless an end was revoked.
    pub state: State,
    /// When, milliseconds since 1970.
    pub at_ms: u64,
    /// The final result.
    pub engine_result: Option<ResultName>,
    /// The validated ledger that has it.
    pub validated_ledger: Option<LedgerIndex>,
    /// That ledger's hash, as far as it is known.
    pub ledger_hash: Option<Hash256>,
    /// Which way it was seen first.
    pub source: Option<Source>,
    /// How long it took.
    pub latencies: Latencies,
    /// How often it was tried to deliver it.
    pub tries: u32,
    /// When it was tried first, milliseconds since 1970.
    pub first_try_ms: Option<u64>,
}

impl End {
    /// Whether a change of condition is an end to be told: into a terminal state, out of one, or from
    /// one ledger to another.
    #[must_use]
    pub fn is_one(before: &Progress, after: &Progress) -> bool {
        if before.state != after.state {
            return before.state.is_terminal() || after.state.is_terminal();
        }
        match (&before.validated, &after.validated) {
            (Some(before), Some(after)) => {
                let other_hash = before.ledger_hash.is_some()
                    && after.ledger_hash.is_some()
                    && before.ledger_hash != after.ledger_hash;
                before.ledger_index != after.ledger_index || other_hash
            }
            _ => false,
        }
    }
}

/// What became of a round of deliveries.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// When, milliseconds since 1970.
    pub now_ms: u64,
    /// Delivered.
    pub delivered: Vec<u64>,
    /// Not delivered, and when each is to be tried again, milliseconds since 1970.
    pub put_off: Vec<(u64, u64)>,
    /// Not delivered, and not to be tried again.
    pub given_up: Vec<u64>,
}

/// Where deliveries stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OutboxStatus {
    /// Ends that wait.
    pub backlog: u64,
    /// Every end up to this one was delivered or given up.
    pub cursor: u64,
    /// Delivered so far, by earlier processes too.
    pub delivered: u64,
    /// Given up so far: not taken for days, or pushed out where only so many are kept.
    pub given_up: u64,
    /// When the oldest one that waits came, milliseconds since 1970.
    pub oldest_at_ms: Option<u64>,
    /// Whether what waits outlives the process.
    pub durable: bool,
}

/// Ends that wait to be delivered.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// From now on the ends that are written are kept here until they are settled.
    fn keep(&self);

    /// The oldest ends that are due, at most `limit`; of one transaction only its oldest.
    async fn due(&self, now_ms: u64, limit: usize) -> Result<Vec<End>>;

    /// Notes what became of ends. Durable once it returns, where the store is.
    async fn settle(&self, settled: Settled) -> Result<()>;

    /// Where deliveries stand.
    async fn status(&self) -> Result<OutboxStatus>;

    /// Rings when ends were added.
    fn bell(&self) -> &Notify;
}

/// Ends kept in memory.
const KEPT: usize = 10_000;

/// An outbox that does not outlive the process: the newest 10,000 ends.
#[derive(Debug, Default)]
pub(super) struct MemoryOutbox {
    inner: Mutex<Waiting>,
    bell: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    keeps: bool,
    /// Oldest first, each with when it is due.
    ends: VecDeque<(End, u64)>,
    newest: u64,
    delivered: u64,
    given_up: u64,
}

impl MemoryOutbox {
    /// A transaction's condition is about to become another.
    pub(super) fn changes(&self, record: &Record, after: &Progress) {
        let mut inner = self.inner.lock();
        if !inner.keeps || !End::is_one(&record.progress, after) {
            return;
        }
        inner.newest += 1;
        let place = after.validated.as_ref();
        let took = after.latencies.finality_ms.unwrap_or(0);
        let end = End {
            seq: inner.newest,
            run: record.run,
            tx_hash: record.identity.hash,
            account: record.identity.account,
            transaction_type: record.identity.transaction_type.clone(),
            was: record.progress.state,
            state: after.state,
            at_ms: record.identity.created_at_ms.saturating_add(took.into()),
            engine_result: after.engine_result_final(),
            validated_ledger: place.map(|place| place.ledger_index),
            ledger_hash: place.and_then(|place| place.ledger_hash),
            source: place.map(|place| place.source),
            latencies: after.latencies,
            tries: 0,
            first_try_ms: None,
        };
        inner.ends.push_back((end, 0));
        if inner.ends.len() > KEPT {
            inner.ends.pop_front();
            inner.given_up += 1;
        }
        self.bell.notify_one();
    }
}

#[async_trait]
impl Outbox for MemoryOutbox {
    fn keep(&self) {
        self.inner.lock().keeps = true;
    }

    async fn due(&self, now_ms: u64, limit: usize) -> Result<Vec<End>> {
        let inner = self.inner.lock();
        let mut met = std::collections::HashSet::new();
        let first = inner.ends.iter().filter(|(end, _)| met.insert((end.run, end.tx_hash)));
        let due = first.filter(|(_, next_ms)| *next_ms <= now_ms);
        Ok(due.take(limit).map(|(end, _)| end.clone()).collect())
    }

    async fn settle(&self, settled: Settled) -> Result<()> {
        let mut inner = self.inner.lock();
        let before = inner.ends.len();
        inner.ends.retain(|(end, _)| !settled.delivered.contains(&end.seq));
        inner.delivered += (before - inner.ends.len()) as u64;
        let before = inner.ends.len();
        inner.ends.retain(|(end, _)| !settled.given_up.contains(&end.seq));
        inner.given_up += (before - inner.ends.len()) as u64;
        for (seq, next_ms) in settled.put_off {
            if let Some((end, due)) = inner.ends.iter_mut().find(|(end, _)| end.seq == seq) {
                end.tries += 1;
                end.first_try_ms.get_or_insert(settled.now_ms);
                *due = next_ms;
            }
        }
        Ok(())
    }

    async fn status(&self) -> Result<OutboxStatus> {
        let inner = self.inner.lock();
        let oldest = inner.ends.front().map(|(end, _)| end);
        Ok(OutboxStatus {
            backlog: inner.ends.len() as u64,
            cursor: oldest.map_or(inner.newest, |end| end.seq - 1),
            delivered: inner.delivered,
            given_up: inner.given_up,
            oldest_at_ms: oldest.map(|end| end.at_ms),
            durable: false,
        })
    }

    fn bell(&self) -> &Notify {
        &self.bell
    }
}
