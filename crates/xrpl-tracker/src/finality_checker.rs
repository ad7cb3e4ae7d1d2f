//! Every few seconds, for what the stream has not settled: asks for the newest validated ledger, and
//! looks overdue transactions up. Bounded in number at a time, each with a timeout; one that fails is
//! passed over until the next cycle.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use serde_json::{Value as Json, json};
use tokio::time;
use xrpl_client::{
    ClientError,
    request::{Raw, ServerState, Tx},
    response,
};
use xrpl_protocol::{LedgerIndex, TxHash, transaction::Slot};

use crate::{
    clock::millis,
    core::{Core, Shared},
    evidence::{AbsenceProof, Source},
    lifecycle::{Event, State, hides_success},
    message::{LedgerClosed, ValidatedTransaction},
    pending::Key,
    record::{CheckReport, CheckResult},
};

/// xrpld searches at most this many ledgers for one `tx` request.
const RANGE_MAX: u32 = 1_000;

/// Pages of an account's history read to find who used a Sequence.
const HISTORY_PAGES: usize = 5;

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
                check(&shared).await;
                house_keeping(&shared);
            }
            () = shared.links.look_up.notified() => answer_questions(&shared).await,
        }
    }
}

/// One whole check.
pub(crate) async fn check(shared: &Shared) -> CheckReport {
    // A stream that is only behind brings everything itself; asking besides would double its work.
    let streams = shared.streams.connected.load(std::sync::atomic::Ordering::Relaxed);
    if streams > 0 && shared.queue.depth() * 2 >= shared.queue.capacity().max(2) {
        return CheckReport::default();
    }
    ask_head(shared).await;
    let now_ms = shared.now_ms();
    let keys = {
        let mut core = shared.lock();
        core.completeness.tick(now_ms);
        core.settle_past_last(now_ms);
        core.links.backfill.notify_one();
        core.ask_now.clear();
        core.take_overdue(shared, now_ms)
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

async fn look_up_all(shared: &Shared, keys: Vec<Key>) -> CheckReport {
    let at_once = shared.config.lookup_concurrency.max(1);
    let results: Vec<_> = stream::iter(keys)
        .map(|key| look_up(shared, key))
        .buffer_unordered(at_once)
        .filter_map(std::future::ready)
        .collect()
        .await;
    CheckReport { checked: results.len(), results }
}

impl Core {
    /// Transactions without an end that are overdue.
    fn take_overdue(&mut self, shared: &Shared, now_ms: u64) -> Vec<Key> {
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
        let n = self.overdue.len().min(PER_CYCLE);
        let taken = self.overdue[..n].to_vec();
        self.overdue.rotate_left(n);
        taken
    }
}

/// Asks for the newest validated ledger: the stream may be dead.
async fn ask_head(shared: &Shared) {
    let request = ServerState::default();
    let answer = time::timeout(shared.config.lookup_timeout, shared.pool.request(&request)).await;
    let state = match answer {
        Ok(Ok(answer)) => answer.state,
        Ok(Err(error)) => return tracing::debug!(%error, "the newest ledger is not known"),
        Err(_) => return tracing::debug!("the newest ledger is not known: no answer in time"),
    };
    if let Some(ledger) = head_of(&state) {
        let now_ms = shared.now_ms();
        shared.lock().ledger_told(&ledger, None, now_ms);
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
    account: String,
    slot: Slot,
    /// The ledgers that could have it, once they are all validated and if they are not too many.
    range: Option<(u32, u32)>,
    last: Option<u32>,
    in_doubt: bool,
}

async fn look_up(shared: &Shared, key: Key) -> Option<CheckResult> {
    let question = {
        let mut core = shared.lock();
        core.counters.lookups += 1;
        let head = core.head.index.0;
        let entry = core.pending.get(key).filter(|e| !e.progress.state.is_terminal())?;
        let (first, last) = (entry.first_ledger(), entry.last_ledger());
        Question {
            hash: entry.hash,
            account: core.pending.account(entry).to_string(),
            slot: entry.slot,
            range: last
                .filter(|last| *last < head && last - first <= RANGE_MAX)
                .map(|last| (first, last)),
            last,
            in_doubt: entry.condition.in_doubt,
        }
    };
    let asked = ask_transaction(shared, &question, question.range).await;
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
            let now_ms = shared.now_ms();
            shared.lock().seen(&tx, Source::Poll, now_ms);
        }
        Ok(Asked::Absent(proof)) => {
            if let Some(last) = question.last {
                let event = Event::LastLedgerPassed {
                    last_ledger_sequence: LedgerIndex(last),
                    proof: Some(proof),
                };
                let now_ms = shared.now_ms();
                let mut core = shared.lock();
                // One node searched its own ledgers; another says that one of them is not the ledger.
                let disputed = question
                    .range
                    .is_some_and(|(first, last)| core.completeness.disputed(first, last));
                if !disputed {
                    core.apply(key, &event, now_ms, None);
                }
            }
        }
        Ok(Asked::NotValidated) => {
            if question.in_doubt {
                find_rival(shared, key, &question).await;
                confirm_refusal(shared, key, &question).await;
            }
            let now_ms = shared.now_ms();
            let mut core = shared.lock();
            core.apply(key, &Event::FoundNotValidated, now_ms, None);
            core.send_lost_again(key);
        }
        Err(error) => tracing::debug!(hash = %question.hash, %error, "a look-up failed"),
    }
    let core = shared.lock();
    let entry = core.pending.get(key)?;
    Some(CheckResult {
        tx_hash: question.hash,
        state: entry.progress.state,
        ledger_index: entry.progress.validated.as_ref().map(|place| place.ledger_index),
    })
}

impl Core {
    /// A node may have dropped what it held (a restart does that): the same blob goes again.
    fn send_lost_again(&mut self, key: Key) {
        let head = self.head.index.0;
        let Some(entry) = self.pending.get(key) else { return };
        let in_time = entry.last_ledger().is_none_or(|last| head < last);
        let idle = entry.resend == crate::pending::Resend::No && !entry.in_flight;
        if idle && in_time && entry.progress.state == State::Submitted {
            self.resend_on_later_ledger(key);
        }
    }
}

enum Asked {
    Validated(LedgerIndex, Option<xrpl_protocol::Hash256>, String, String),
    Absent(AbsenceProof),
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
    };
    let timeout = shared.config.lookup_timeout;
    let answer = time::timeout(timeout, shared.pool.request(&request)).await;
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
                    Ok(Asked::Absent(AbsenceProof::SearchedAll {
                        min_ledger: LedgerIndex(first),
                        max_ledger: LedgerIndex(last),
                        endpoint: endpoint.to_string(),
                    }))
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

/// After `tefPAST_SEQ`: looks in the account's validated history for who used the slot.
async fn find_rival(shared: &Shared, key: Key, question: &Question) {
    let mut marker: Option<Json> = None;
    for _ in 0..HISTORY_PAGES {
        let mut params = json!({
            "account": question.account,
            "ledger_index_min": -1, "ledger_index_max": -1,
            "limit": 200, "forward": false,
        });
        if let Some(marker) = marker.take() {
            params["marker"] = marker;
        }
        let Json::Object(params) = params else { return };
        let request = Raw { method: "account_tx".into(), params };
        let timeout = shared.config.lookup_timeout;
        let mut page = match time::timeout(timeout, shared.pool.request(&request)).await {
            Ok(Ok(page)) => page,
            Ok(Err(error)) => {
                return tracing::debug!(hash = %question.hash, %error, "no history to be had");
            }
            Err(_) => return,
        };
        let entries = page.get("transactions").and_then(Json::as_array);
        let rival = entries.into_iter().flatten().find_map(|entry| {
            let (hash, ledger) = uses(entry, question)?;
            (hash != question.hash).then_some((hash, ledger))
        });
        if let Some((by, ledger)) = rival {
            let now_ms = shared.now_ms();
            shared.lock().apply(key, &Event::SequenceConsumed { by, ledger }, now_ms, None);
            return;
        }
        match page.get_mut("marker").map(Json::take) {
            Some(next) if !next.is_null() => marker = Some(next),
            _ => return,
        }
    }
}

/// After `tefPAST_SEQ` or `tefNO_TICKET` without a rival in sight: where the newest validated ledger
/// shows the slot gone, and every ledger that could have the transaction is known whole without it,
/// it can never apply.
async fn confirm_refusal(shared: &Shared, key: Key, question: &Question) {
    let (first, head) = {
        let core = shared.lock();
        let Some(entry) = core.pending.get(key) else { return };
        if !entry.condition.in_doubt {
            return;
        }
        (entry.first_ledger(), core.head.index.0)
    };
    match slot_is_gone(shared, question, head).await {
        Ok(true) => {}
        Ok(false) => return,
        Err(error) => return tracing::debug!(hash = %question.hash, %error, "no state to be had"),
    }
    let now_ms = shared.now_ms();
    let mut core = shared.lock();
    if !core.completeness.covers(first, head) {
        core.completeness.want_range(first, head, now_ms);
        core.links.backfill.notify_one();
        return;
    }
    let said = core.pending.get(key).and_then(|e| e.progress.engine_result_last.clone());
    if let Some(said) = said.filter(hides_success) {
        core.apply(key, &Event::RefusalConfirmed(said), now_ms, None);
    }
}

/// Whether a validated ledger shows that a Sequence or Ticket can never be used again.
async fn slot_is_gone(
    shared: &Shared,
    question: &Question,
    ledger: u32,
) -> Result<bool, ClientError> {
    let ask = async |method: &str, mut params: Json| {
        params["ledger_index"] = ledger.into();
        let params = params.as_object().cloned().unwrap_or_default();
        let request = Raw { method: method.into(), params };
        match time::timeout(shared.config.lookup_timeout, shared.pool.request(&request)).await {
            Ok(answer) => answer,
            Err(_) => Err(ClientError::Unknown {
                endpoint: "pool".into(),
                cause: "no answer in time".into(),
            }),
        }
    };
    let account = ask("account_info", json!({"account": question.account})).await?;
    let validated = account.get("validated").and_then(Json::as_bool) == Some(true);
    let next = account.pointer("/account_data/Sequence").and_then(Json::as_u64);
    let (number, ticket) = match question.slot {
        Slot::Sequence(n) => (n.0, false),
        Slot::Ticket(n) => (n.0, true),
    };
    if !validated || next.is_none_or(|next| next <= number.into()) {
        return Ok(false);
    }
    if !ticket {
        return Ok(true);
    }
    let named = json!({"ticket": {"account": question.account, "ticket_seq": number}});
    match ask("ledger_entry", named).await {
        Ok(_) => Ok(false),
        Err(error) if error.is_token("entryNotFound") => Ok(true),
        Err(error) => Err(error),
    }
}

/// Whether an entry of an account's history is a validated use of the slot.
fn uses(entry: &Json, question: &Question) -> Option<(TxHash, LedgerIndex)> {
    if entry.get("validated")?.as_bool() != Some(true) {
        return None;
    }
    let tx = entry.get("tx_json").or_else(|| entry.get("tx"))?;
    if tx.get("Account")?.as_str()? != question.account {
        return None;
    }
    let number = |name: &str| tx.get(name).and_then(Json::as_u64);
    let sequence = number("Sequence")?;
    let used = match question.slot {
        Slot::Ticket(ticket) => number("TicketSequence") == Some(ticket.0.into()),
        Slot::Sequence(wanted) => {
            // TicketCreate uses its own Sequence and one for each Ticket.
            let more = match tx.get("TransactionType")?.as_str()? {
                "TicketCreate" if sequence > 0 => {
                    let succeeded = entry.get("meta")?.get("TransactionResult")?.as_str()?;
                    if succeeded == "tesSUCCESS" { number("TicketCount").unwrap_or(0) } else { 0 }
                }
                _ => 0,
            };
            sequence > 0 && (sequence..=sequence + more).contains(&wanted.0.into())
        }
    };
    if !used {
        return None;
    }
    let hash = tx.get("hash").or_else(|| entry.get("hash"))?.as_str()?.parse().ok()?;
    let ledger = entry.get("ledger_index").or_else(|| tx.get("ledger_index"))?.as_u64()?;
    Some((hash, LedgerIndex(u32::try_from(ledger).ok()?)))
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
