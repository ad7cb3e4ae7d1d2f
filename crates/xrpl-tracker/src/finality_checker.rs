//! Every few seconds, for what the stream has not settled: asks for the newest validated ledger, and
//! looks overdue transactions up. Bounded in number at a time, each with a timeout; one that fails is
//! passed over until the next cycle.

mod history;
mod slot;

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::time;
use xrpl_client::{ClientError, request::Tx, response};
use xrpl_protocol::{AccountId, LedgerIndex, TxHash, transaction::Slot};

use self::slot::SlotIs;
use crate::{
    chain,
    clock::millis,
    core::{Core, Shared},
    evidence::{AbsenceProof, Source},
    lifecycle::{Event, State},
    message::{LedgerClosed, ValidatedTransaction},
    pending::{Entry, Key},
    record::{CheckReport, CheckResult},
};

/// xrpld searches at most this many ledgers for one `tx` request.
const RANGE_MAX: u32 = 1_000;

/// Look-ups of one cycle: the rest waits for the next.
const PER_CYCLE: usize = 5_000;

/// Checks again and again.
pub(crate) async fn run(shared: Arc<Shared>) -> Result<(), std::convert::Infallible> {
    let mut ticks = time::interval(shared.config.check_interval);
    ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            _ = ticks.tick() => {
                check(&shared, Resting::Not).await;
                house_keeping(&shared);
            }
            () = shared.links.look_up.notified() => answer_questions(&shared).await,
        }
    }
}

/// Whether those are asked about too that nobody could decide a short while ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resting {
    Too,
    Not,
}

/// One whole check.
pub(crate) async fn check(shared: &Shared, resting: Resting) -> CheckReport {
    // A stream that is only behind brings everything itself; asking besides would double its work.
    let streams = shared.streams.connected.load(std::sync::atomic::Ordering::Relaxed);
    if streams > 0 && shared.queue.depth() * 2 >= shared.queue.capacity().max(2) {
        return CheckReport::default();
    }
    chain::take_head(shared).await;
    let now_ms = shared.now_ms();
    let keys = {
        let mut core = shared.lock();
        core.completeness.tick(now_ms);
        core.settle_past_last(now_ms);
        core.links.backfill.notify_one();
        // What was asked meanwhile is asked now: the stream may settle nothing of it.
        let mut keys: Vec<Key> = core.ask_now.drain(..).collect();
        keys.extend(core.take_ask_again());
        keys.extend(core.take_overdue(shared, resting, now_ms));
        keys.sort_unstable();
        keys.dedup();
        keys
    };
    look_up_all(shared, keys).await
}

/// Looks up what a transition asked for.
async fn answer_questions(shared: &Shared) {
    loop {
        let keys: Vec<Key> = {
            let mut core = shared.lock();
            let n = core.ask_now.len().min(PER_CYCLE);
            core.ask_now.drain(..n).collect()
        };
        if keys.is_empty() {
            return;
        }
        look_up_all(shared, keys).await;
    }
}

/// Looks transactions up: first, by account, those that their unused Sequence or Ticket ends; then
/// each of the others; then, by account again, who used what is gone.
async fn look_up_all(shared: &Shared, keys: Vec<Key>) -> CheckReport {
    let hashes: Vec<(Key, TxHash)> = {
        let mut core = shared.lock();
        let open = |key: &Key| {
            let entry = core.pending.get(*key)?;
            (!entry.progress.state.is_terminal()).then_some((*key, entry.hash))
        };
        let open: Vec<_> = keys.iter().filter_map(open).collect();
        core.counters.lookups += open.len() as u64;
        open
    };
    let keys: Vec<Key> = hashes.iter().map(|(key, _)| *key).collect();
    let rest = slot::settle_unused(shared, &keys).await;
    let at_once = shared.config.lookup_concurrency.max(1);
    let wanted: Vec<history::Wanted> = stream::iter(rest)
        .map(|(key, is)| look_up(shared, key, is))
        .buffer_unordered(at_once)
        .filter_map(std::future::ready)
        .collect()
        .await;
    history::find_users(shared, wanted).await;
    let now_ms = shared.now_ms();
    let mut core = shared.lock();
    for (key, _) in &hashes {
        // An answer may not count: of another chain, or about a ledger under dispute.
        let open = core.pending.get(*key).is_some_and(|entry| {
            let waits = entry.condition.undecided && entry.rests_until_ms <= now_ms;
            waits && !entry.progress.state.is_terminal()
        });
        if open {
            core.ask_again(*key);
        }
    }
    let left = |(key, tx_hash)| {
        let entry = core.pending.get(key)?;
        Some(CheckResult {
            tx_hash,
            state: entry.progress.state,
            ledger_index: entry.progress.validated.as_ref().map(|place| place.ledger_index),
        })
    };
    let results: Vec<_> = hashes.into_iter().filter_map(left).collect();
    CheckReport { checked: results.len(), results }
}

impl Core {
    /// A question that was asked in vain stays: without this, a transaction that is not overdue yet
    /// would wait until it is.
    fn ask_again(&mut self, key: Key) {
        if let Some(entry) = self.pending.get_mut(key)
            && !std::mem::replace(&mut entry.asked_again, true)
        {
            self.ask_again.push_back(key);
        }
    }

    /// Those asked about in vain, as many as a cycle has time for.
    fn take_ask_again(&mut self) -> Vec<Key> {
        let n = self.ask_again.len().min(PER_CYCLE);
        let keys: Vec<Key> = self.ask_again.drain(..n).collect();
        for key in &keys {
            if let Some(entry) = self.pending.get_mut(*key) {
                entry.asked_again = false;
            }
        }
        keys
    }

    /// Transactions without a final state that are overdue.
    fn take_overdue(&mut self, shared: &Shared, resting: Resting, now_ms: u64) -> Vec<Key> {
        let head = self.head.index.0;
        let ledgers = shared.config.overdue_ledgers;
        let after = millis(shared.config.overdue_after);
        let at_least = millis(shared.config.check_interval).min(after);
        let old = self.pending.take_old(|entry| {
            let age_ms = now_ms.saturating_sub(entry.created_at_ms);
            let passed = entry.created_ledger.saturating_add(ledgers) <= head;
            (passed && age_ms >= at_least) || age_ms >= after
        });
        self.overdue.extend(old);
        let pending = &self.pending;
        self.overdue.retain(|key| {
            pending.get(*key).is_some_and(|entry| !entry.progress.state.is_terminal())
        });
        // The next cycle begins with those that this one has no time for.
        let awake = |key: &Key| {
            let rests = |entry: &Entry| entry.rests_until_ms > now_ms;
            resting == Resting::Too || !self.pending.get(*key).is_some_and(rests)
        };
        let mut passed = 0;
        let mut taken = Vec::new();
        for (n, key) in self.overdue.iter().enumerate() {
            if taken.len() == PER_CYCLE {
                break;
            }
            passed = n + 1;
            if awake(key) {
                taken.push(*key);
            }
        }
        self.overdue.rotate_left(passed);
        taken
    }
}

/// The newest validated ledger as `server_state` tells it.
pub(crate) fn head_of(state: &response::ServerStateBody) -> Option<LedgerClosed> {
    use xrpl_protocol::Drops;
    let ledger = state.validated_ledger.as_ref()?;
    Some(LedgerClosed {
        index: ledger.seq,
        hash: ledger.hash,
        txn_count: None,
        base_fee: Drops(ledger.base_fee),
        reserve_base: Drops(ledger.reserve_base),
        reserve_inc: Drops(ledger.reserve_inc),
        close_time: ledger.close_time,
        network_id: state.network_id,
    })
}

/// What a look-up needs to know.
struct Question {
    hash: TxHash,
    account: AccountId,
    slot: Slot,
    /// The ledgers that could have it, once they are all validated and if they are not too many.
    range: Option<(u32, u32)>,
    in_doubt: bool,
}

impl Core {
    fn question(&self, key: Key) -> Option<Question> {
        let head = self.head.index.0;
        let entry = self.pending.get(key).filter(|e| !e.progress.state.is_terminal())?;
        let range = entry.first_ledger().zip(entry.last_ledger());
        Some(Question {
            hash: entry.hash,
            account: self.pending.account(entry),
            slot: entry.slot,
            range: range.filter(|(first, last)| *last < head && last - first <= RANGE_MAX),
            in_doubt: entry.condition.in_doubt,
        })
    }
}

/// Asks for one transaction. Given back if it stays open and who used its slot is to be found out.
async fn look_up(shared: &Shared, key: Key, is: SlotIs) -> Option<history::Wanted> {
    let question = shared.lock().question(key)?;
    let asked = ask_transaction(shared, &question, question.range).await;
    if let Ok(Asked::Validated(ledger, Some(hash), ..)) = &asked
        && !chain::holds(shared, ledger.0, *hash).await
    {
        let tx = question.hash;
        tracing::debug!(hash = %tx, %ledger, "found in a ledger that is not known to be of this chain");
        let mut core = shared.lock();
        if core.completeness.contradicts(ledger.0, *hash) {
            core.mismatch(*ledger, *hash);
        }
        return None;
    }
    if let Ok(Asked::Absent(_, last, AbsenceProof::SearchedAll { endpoint, .. })) = &asked
        && !searched_ours(shared, endpoint, *last).await
    {
        let tx = question.hash;
        tracing::debug!(hash = %tx, %endpoint, "absent from ledgers that are not known to be of this chain");
        shared.lock().ask_again(key);
        return None;
    }
    let now_ms = shared.now_ms();
    let mut core = shared.lock();
    match asked {
        Ok(Asked::Validated(ledger, hash, result, meta)) => {
            let tx = ValidatedTransaction {
                hash: question.hash,
                ledger_index: ledger,
                ledger_hash: hash,
                result: result.into(),
                account: None,
                slot: None,
                meta: meta.into(),
            };
            core.seen(&tx, Source::Poll, now_ms);
            None
        }
        Ok(Asked::Absent(first, last, proof)) => {
            let event = Event::LastLedgerPassed {
                last_ledger_sequence: LedgerIndex(last),
                proof: Some(proof),
            };
            // One node searched its own ledgers; another says that one of them is not the ledger.
            if !core.completeness.disputed(first, last) {
                core.apply(key, &event, now_ms, None);
            }
            None
        }
        Ok(Asked::NotValidated) => {
            core.apply(key, &Event::FoundNotValidated, now_ms, None);
            core.send_lost_again(key);
            let Question { hash, account, slot, in_doubt, .. } = question;
            let gone = matches!(is, SlotIs::Gone(_));
            let wanted = gone || (in_doubt && is == SlotIs::Unknown);
            wanted.then_some(history::Wanted { key, hash, account, slot, is })
        }
        Err(error) => {
            tracing::debug!(hash = %question.hash, %error, "a look-up failed");
            core.ask_again(key);
            None
        }
    }
}

impl Core {
    /// A node may have dropped what it held (a restart does that): the same blob goes again.
    fn send_lost_again(&mut self, key: Key) {
        let head = self.head.index.0;
        let Some(entry) = self.pending.get(key) else { return };
        let in_time = entry.last_ledger().is_none_or(|last| head < last);
        let idle = entry.resend == crate::pending::Resend::No && !entry.in_flight;
        // What has no slot any more can apply no more.
        let alive = !entry.condition.undecided;
        if idle && alive && in_time && entry.progress.state == State::Submitted {
            self.resend_on_later_ledger(key);
        }
    }
}

enum Asked {
    Validated(LedgerIndex, Option<xrpl_protocol::Hash256>, String, String),
    /// In none of these ledgers, first and last.
    Absent(u32, u32, AbsenceProof),
    NotValidated,
}

async fn ask_transaction(
    shared: &Shared,
    question: &Question,
    range: Option<(u32, u32)>,
) -> Result<Asked, ClientError> {
    let request = Tx {
        transaction: Some(question.hash),
        min_ledger: range.map(|(first, _)| LedgerIndex(first)),
        max_ledger: range.map(|(_, last)| LedgerIndex(last)),
        // The answer of version 1 does not name the ledger's hash.
        api_version: Some(2),
    };
    let timeout = shared.config.lookup_timeout;
    let mut answer = time::timeout(timeout, shared.pool.request(&request)).await;
    if let Ok(Err(error)) = &answer
        && error.to_string().contains("invalid_API_version")
    {
        // Servers from before rippled 2.0: without the hash, which other sources tell.
        let request = Tx { api_version: None, ..request };
        answer = time::timeout(timeout, shared.pool.request(&request)).await;
    }
    match answer {
        Ok(Ok(found)) => {
            let result = found.result();
            match (found.validated, found.ledger_index, result, found.meta) {
                (true, Some(index), Some(result), Some(meta)) => {
                    Ok(Asked::Validated(index, found.ledger_hash, result, meta.get().to_owned()))
                }
                _ => Ok(Asked::NotValidated),
            }
        }
        Ok(Err(error)) if error.is_token("txnNotFound") => {
            let searched_all = error.api().and_then(|api| api.searched_all) == Some(true);
            match (range, &error) {
                (Some((first, last)), ClientError::Refused { endpoint, .. }) if searched_all => {
                    let proof = AbsenceProof::SearchedAll {
                        min_ledger: LedgerIndex(first),
                        max_ledger: LedgerIndex(last),
                        endpoint: endpoint.to_string(),
                    };
                    Ok(Asked::Absent(first, last, proof))
                }
                _ => Ok(Asked::NotValidated),
            }
        }
        Ok(Err(error)) => Err(error),
        Err(_) => Err(ClientError::Unknown {
            endpoint: "pool".into(),
            cause: format!("no answer within {timeout:?}"),
        }),
    }
}

/// Whether the node of this name searched ledgers of the followed chain, the last of which is `last`.
async fn searched_ours(shared: &Shared, endpoint: &str, last: u32) -> bool {
    let node =
        shared.pool.endpoints().map(|(id, _)| id).find(|id| *shared.pool.name(*id) == *endpoint);
    match node {
        Some(node) => chain::follows(shared, node, last, None).await,
        None => false,
    }
}

/// Lets ended transactions leave memory.
fn house_keeping(shared: &Shared) {
    let now_ms = shared.now_ms();
    let keep = millis(shared.config.terminal_retention.min(Duration::from_secs(3_600)));
    let mut core = shared.lock();
    let head = core.head.index.0;
    let before = now_ms.saturating_sub(keep);
    let forgotten = core.pending.forget(before, shared.config.terminal_capacity, head);
    if forgotten > 0 {
        tracing::debug!(forgotten, "ended transactions left memory");
    }
}
