//! Which Sequences and Tickets a validated ledger shows unused. That a transaction's slot is unused
//! at or after its LastLedgerSequence proves that it is in no ledger and never will be, whatever
//! history the nodes keep, and one question serves all transactions of an account.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use serde_json::{Value as Json, json};
use tokio::time;
use xrpl_client::{ClientError, request::Raw};
use xrpl_protocol::{AccountId, Hash256, LedgerIndex, Sequence, transaction::Slot};

use crate::{
    core::Shared,
    evidence::{AbsenceProof, UnusedSlot},
    lifecycle::{Event, State},
    pending::Key,
};

/// Tickets of one account that are asked about at once.
const TICKETS_AT_ONCE: usize = 8;

/// What the validated ledger shows of a transaction's Sequence or Ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SlotIs {
    /// Not used yet.
    Unused,
    /// Used, or deleted with the account.
    Gone(LedgerIndex),
    /// Not asked, or no node could say.
    Unknown,
}

/// One that is to be decided by its slot.
#[derive(Clone, Copy, Debug)]
struct Item {
    key: Key,
    slot: Slot,
    last: Option<u32>,
}

/// The validated ledger that is looked at.
#[derive(Clone, Copy, Debug)]
struct At {
    index: LedgerIndex,
    hash: Hash256,
}

/// An account in a validated ledger.
#[derive(Clone, Copy, Debug)]
struct Account {
    id: AccountId,
    at: At,
    /// Its next Sequence.
    next: Sequence,
}

/// Ends those whose last ledger has passed with their slot unused, and those whose slot was gone before
/// any ledger could have them; says of each of the others what the newest validated ledger shows of
/// its slot.
pub(super) async fn settle_unused(shared: &Shared, keys: &[Key]) -> Vec<(Key, SlotIs)> {
    let mut rest = Vec::new();
    let mut by_account: BTreeMap<AccountId, Vec<Item>> = BTreeMap::new();
    let at = {
        let core = shared.lock();
        let head = At { index: core.head.index, hash: core.head.hash };
        for key in keys {
            let Some(entry) = core.pending.get(*key) else { continue };
            if entry.progress.state.is_terminal() {
                continue;
            }
            let last = entry.last_ledger();
            let passed = last.is_some_and(|last| last <= head.index.0);
            if passed || entry.condition.in_doubt || !entry.fresh {
                let item = Item { key: *key, slot: entry.slot, last };
                by_account.entry(core.pending.account(entry)).or_default().push(item);
            } else {
                rest.push((*key, SlotIs::Unknown));
            }
        }
        head
    };
    let at_once = shared.config.lookup_concurrency.max(1);
    let asked = stream::iter(by_account)
        .map(|(account, items)| one_account(shared, account, at, items))
        .buffer_unordered(at_once);
    let found: Vec<Vec<(Key, SlotIs)>> = asked.collect().await;
    rest.extend(found.into_iter().flatten());
    rest
}

async fn one_account(
    shared: &Shared,
    id: AccountId,
    at: At,
    items: Vec<Item>,
) -> Vec<(Key, SlotIs)> {
    let account = match account_at(shared, id, at).await {
        Ok(Some(account)) => account,
        Ok(None) => return without_account(shared, at, &items),
        Err(error) => {
            tracing::debug!(account = %id, at = %at.index, %error, "its Sequence is not to be had");
            return items.iter().map(|item| (item.key, SlotIs::Unknown)).collect();
        }
    };
    // The answer serves every Sequence; each Ticket is asked about.
    let slots: Vec<_> = stream::iter(items)
        .map(async |item| (item, unused(shared, &account, item.slot).await))
        .buffer_unordered(TICKETS_AT_ONCE)
        .collect()
        .await;
    let mut rest = Vec::new();
    for (item, slot) in slots {
        let is = match slot {
            Ok(Some(unused)) => match ends(shared, &account, unused, item) {
                true => continue,
                false => SlotIs::Unused,
            },
            Ok(None) => match gone(shared, at, item) {
                true => continue,
                false => SlotIs::Gone(at.index),
            },
            Err(error) => {
                tracing::debug!(account = %id, at = %at.index, %error, "its Ticket is not to be had");
                SlotIs::Unknown
            }
        };
        rest.push((item.key, is));
    }
    rest
}

/// What the slots are in a ledger without their account. An account that comes later begins with the
/// index of its ledger as Sequence (<https://xrpl.org/docs/concepts/accounts#creating-accounts>), so that
/// lower numbers are gone for good, whether an account of before has used them or nobody has.
fn without_account(shared: &Shared, at: At, items: &[Item]) -> Vec<(Key, SlotIs)> {
    let of = |item: &Item| match item.slot.number() > at.index.0 {
        true => Some((item.key, SlotIs::Unknown)),
        false => (!gone(shared, at, *item)).then_some((item.key, SlotIs::Gone(at.index))),
    };
    items.iter().filter_map(of).collect()
}

/// Ends a transaction whose slot was gone before any ledger could have it. Whether it did.
fn gone(shared: &Shared, at: At, item: Item) -> bool {
    let now_ms = shared.now_ms();
    shared.lock().settle_gone(item.key, (at.index, at.hash), now_ms)
}

/// Ends a transaction by its unused slot, if its last ledger has passed. Whether it did.
fn ends(shared: &Shared, account: &Account, slot: UnusedSlot, item: Item) -> bool {
    let At { index, hash } = account.at;
    let Some(last) = item.last.filter(|last| *last <= index.0) else { return false };
    let proof = AbsenceProof::SlotUnused { ledger_index: index, ledger_hash: hash, slot };
    let event =
        Event::LastLedgerPassed { last_ledger_sequence: LedgerIndex(last), proof: Some(proof) };
    let now_ms = shared.now_ms();
    let mut core = shared.lock();
    // A node that is alone with its ledger proves nothing.
    if core.completeness.contradicts(index.0, hash) || core.completeness.disputed(index.0, index.0)
    {
        return false;
    }
    let state = core.apply(item.key, &event, now_ms, None);
    state.is_some_and(State::is_terminal)
}

/// What of a slot is still there; none if it is gone.
async fn unused(
    shared: &Shared,
    account: &Account,
    slot: Slot,
) -> Result<Option<UnusedSlot>, ClientError> {
    let by_sequence = UnusedSlot::Sequence { account_sequence: account.next };
    match slot {
        Slot::Sequence(number) => Ok((account.next <= number).then_some(by_sequence)),
        // A Ticket has the number of a Sequence that the account had before it was made.
        Slot::Ticket(number) if account.next <= number => Ok(Some(by_sequence)),
        Slot::Ticket(ticket) => {
            let named = json!({"account": account.id.to_string(), "ticket_seq": ticket.0});
            match ask(shared, "ledger_entry", json!({"ticket": named}), account.at).await {
                Ok(_) => Ok(Some(UnusedSlot::Ticket { ticket })),
                Err(error) if error.is_token("entryNotFound") => Ok(None),
                Err(error) => Err(error),
            }
        }
    }
}

/// The account in a validated ledger; none if that has no such account.
async fn account_at(
    shared: &Shared,
    id: AccountId,
    at: At,
) -> Result<Option<Account>, ClientError> {
    let found = match ask(shared, "account_info", json!({"account": id.to_string()}), at).await {
        Err(error) if error.is_token("actNotFound") => return Ok(None),
        found => found?,
    };
    let next = found.pointer("/account_data/Sequence").and_then(Json::as_u64);
    match next.and_then(|next| u32::try_from(next).ok()) {
        Some(next) => Ok(Some(Account { id, at, next: Sequence(next) })),
        None => Err(unusable("an account without a Sequence")),
    }
}

/// Asks about one validated ledger, by its hash, so that every answer is of that very ledger: one
/// node after another until one has it.
async fn ask(shared: &Shared, method: &str, mut params: Json, at: At) -> Result<Json, ClientError> {
    params["ledger_hash"] = at.hash.to_string().into();
    let params = params.as_object().cloned().unwrap_or_default();
    let request = Raw { method: method.into(), params };
    let limit = shared.config.lookup_timeout;
    let answer = match time::timeout(limit, shared.pool.request_of_any(&request)).await {
        Ok(answer) => answer?.1,
        Err(_) => return Err(unusable("no answer in time")),
    };
    let validated = answer.get("validated").and_then(Json::as_bool) == Some(true);
    let index = answer.get("ledger_index").and_then(Json::as_u64);
    if validated && index == Some(at.index.0.into()) {
        Ok(answer)
    } else {
        Err(unusable("it is not of the validated ledger that was asked about"))
    }
}

fn unusable(cause: &str) -> ClientError {
    ClientError::Unknown { endpoint: "pool".into(), cause: cause.into() }
}
