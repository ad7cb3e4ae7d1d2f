//! Who used a Sequence or a Ticket: the account's validated transactions, newest first, as far as
//! any node has them.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{
    StreamExt,
    stream::{self, FuturesUnordered},
};
use serde_json::{Value as Json, json};
use tokio::time;
use xrpl_client::{ClientError, EndpointId, request::Raw};
use xrpl_protocol::{AccountId, Hash256, LedgerIndex, TxHash, transaction::Slot};

use super::slot::SlotIs;
use crate::{
    chain,
    core::{Core, Shared},
    evidence::Source,
    lifecycle::Event,
    message::ValidatedTransaction,
    pending::Key,
};

/// Pages of an account's history read on one node.
const PAGES: usize = 25;

/// How long one node alone is waited for.
const ALONE: Duration = Duration::from_secs(1);

/// Transactions of a page; xrpld gives no more.
const PAGE: usize = 200;

/// A transaction whose slot is gone, or said to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) key: Key,
    pub(super) hash: TxHash,
    pub(super) account: AccountId,
    pub(super) slot: Slot,
    /// What the newest validated ledger shows.
    pub(super) is: SlotIs,
}

/// Settles those whose slot's user is found; of the others whose slot is gone it is noted that
/// nobody can say by whom.
pub(super) async fn find_users(shared: &Shared, wanted: Vec<Wanted>) {
    let mut by_account: BTreeMap<AccountId, Vec<Wanted>> = BTreeMap::new();
    for one in wanted {
        by_account.entry(one.account).or_default().push(one);
    }
    let at_once = shared.config.lookup_concurrency.max(1);
    stream::iter(by_account)
        .for_each_concurrent(at_once, |(account, wanted)| one_account(shared, account, wanted))
        .await;
}

/// Asks the nodes one after another, for they keep different histories: the next one as soon as one
/// has not all of it, and also when one takes long.
async fn one_account(shared: &Shared, account: AccountId, wanted: Vec<Wanted>) {
    let mut nodes = shared.pool.followed().into_iter();
    let mut walking = FuturesUnordered::new();
    let mut left = wanted.clone();
    let mut read = false;
    loop {
        if let Some(node) = nodes.next() {
            let mut wanted = left.clone();
            walking.push(async move {
                let walked = walk(shared, node, account, &mut wanted).await;
                (walked, wanted)
            });
        } else if walking.is_empty() {
            break;
        }
        let (walked, open) = tokio::select! {
            biased;
            Some(walked) = walking.next() => walked,
            () = time::sleep(ALONE), if nodes.len() > 0 => continue,
        };
        match walked {
            Ok(()) => read = true,
            Err(error) => tracing::debug!(%account, %error, "no history to be had"),
        }
        left.retain(|one| open.iter().any(|other| other.key == one.key));
        if left.is_empty() {
            return;
        }
    }
    if !read {
        return;
    }
    let now_ms = shared.now_ms();
    let mut core = shared.lock();
    for one in left {
        if let SlotIs::Gone(ledger) = one.is {
            core.slot_gone(one.key, ledger, now_ms);
        }
    }
}

/// Reads one node's history of an account and settles what is found there.
async fn walk(
    shared: &Shared,
    endpoint: EndpointId,
    account: AccountId,
    wanted: &mut Vec<Wanted>,
) -> Result<(), ClientError> {
    let address = account.to_string();
    let mut marker: Option<Json> = None;
    for _ in 0..PAGES {
        let mut params = json!({
            "api_version": 2,
            "account": address,
            "ledger_index_min": -1, "ledger_index_max": -1,
            "limit": PAGE, "forward": false,
        });
        if let Some(marker) = marker.take() {
            params["marker"] = marker;
        }
        let params = params.as_object().cloned().unwrap_or_default();
        let request = Raw { method: "account_tx".into(), params };
        let limit = shared.config.lookup_timeout;
        let answer = time::timeout(limit, shared.pool.request_to(endpoint, &request)).await;
        let mut page = answer.unwrap_or_else(|_| {
            let cause = format!("no answer within {limit:?}");
            Err(ClientError::Unknown { endpoint: shared.pool.name(endpoint), cause })
        })?;
        let entries = page.get("transactions").and_then(Json::as_array).into_iter().flatten();
        let mut lowest = None;
        for used in entries.filter_map(|entry| Used::read(entry, &address)) {
            if let Some((first, _)) = used.sequences {
                lowest = Some(first);
            }
            let (users, others) = wanted.drain(..).partition(|one| used.uses(one.slot));
            *wanted = others;
            settle(shared, endpoint, users, &used, wanted).await;
        }
        // Sequences come in falling order: below the lowest one that is wanted it is in vain.
        let all_above = wanted.iter().all(|one| match one.slot {
            Slot::Sequence(number) => lowest.is_some_and(|lowest| number.0 > lowest),
            Slot::Ticket(_) => false,
        });
        match page.get_mut("marker").map(Json::take) {
            Some(next) if !next.is_null() && !all_above => marker = Some(next),
            _ => return Ok(()),
        }
    }
    Ok(())
}

/// Settles those whose slot a transaction used, by what it means for them. Those that it does not
/// settle, because it is in no ledger of the followed chain, go back to `wanted`.
async fn settle(
    shared: &Shared,
    endpoint: EndpointId,
    users: Vec<Wanted>,
    used: &Used<'_>,
    wanted: &mut Vec<Wanted>,
) {
    if users.is_empty() {
        return;
    }
    let ours = chain::follows(shared, endpoint, used.ledger.0, used.ledger_hash).await;
    let now_ms = shared.now_ms();
    let mut core = shared.lock();
    // It may have been denied while the nodes were asked.
    let denied =
        used.ledger_hash.filter(|hash| core.completeness.contradicts(used.ledger.0, *hash));
    if let Some(hash) = denied {
        core.mismatch(used.ledger, hash);
    }
    if !ours || denied.is_some() {
        wanted.extend(users);
        return;
    }
    for one in users {
        if !conclude(&mut core, &one, used, now_ms) {
            wanted.push(one);
        }
    }
}

/// What the user of a slot means for a transaction that has it. Whether it is settled.
fn conclude(core: &mut Core, one: &Wanted, used: &Used<'_>, now_ms: u64) -> bool {
    if used.hash == one.hash {
        let Some(result) = used.meta.get("TransactionResult").and_then(Json::as_str) else {
            return false;
        };
        let found = ValidatedTransaction {
            hash: used.hash,
            ledger_index: used.ledger,
            ledger_hash: used.ledger_hash,
            result: result.into(),
            account: None,
            slot: None,
            meta: used.meta.to_string().into(),
        };
        core.seen(&found, Source::Poll, now_ms);
        return true;
    }
    let event = Event::SequenceConsumed { by: used.hash, ledger: used.ledger };
    core.apply(one.key, &event, now_ms, None);
    true
}

/// A validated transaction of an account, as far as its slot is concerned.
#[derive(Debug)]
struct Used<'a> {
    hash: TxHash,
    ledger: LedgerIndex,
    ledger_hash: Option<Hash256>,
    /// The Sequences that it used, first and last.
    sequences: Option<(u32, u32)>,
    ticket: Option<u32>,
    meta: &'a Json,
}

impl<'a> Used<'a> {
    /// Reads an entry of `account_tx`, in the shape of either API version. None if it is not
    /// validated or of another account, which it only touched.
    fn read(entry: &'a Json, account: &str) -> Option<Self> {
        if entry.get("validated")?.as_bool() != Some(true) {
            return None;
        }
        let tx = entry.get("tx_json").or_else(|| entry.get("tx"))?;
        if tx.get("Account")?.as_str()? != account {
            return None;
        }
        let number = |name: &str| {
            tx.get(name).and_then(Json::as_u64).and_then(|number| u32::try_from(number).ok())
        };
        let meta = entry.get("meta")?;
        let sequence = number("Sequence")?;
        // TicketCreate uses its own Sequence and one for each Ticket.
        let more = match tx.get("TransactionType")?.as_str()? {
            "TicketCreate" if meta.get("TransactionResult")?.as_str()? == "tesSUCCESS" => {
                number("TicketCount").unwrap_or(0)
            }
            _ => 0,
        };
        let ticket = number("TicketSequence");
        let first = if sequence > 0 { Some(sequence) } else { None };
        // One on a Ticket may make Tickets too: their numbers are not in what it says of itself.
        let sequences = first.map(|first| (first, first.saturating_add(more)));
        let hash = entry.get("hash").or_else(|| tx.get("hash"))?.as_str()?.parse().ok()?;
        let index = entry.get("ledger_index").or_else(|| tx.get("ledger_index"))?.as_u64()?;
        let ledger_hash = entry.get("ledger_hash").and_then(Json::as_str);
        Some(Self {
            hash,
            ledger: LedgerIndex(u32::try_from(index).ok()?),
            ledger_hash: ledger_hash.and_then(|hash| hash.parse().ok()),
            sequences,
            ticket,
            meta,
        })
    }

    fn uses(&self, slot: Slot) -> bool {
        match slot {
            Slot::Ticket(ticket) => self.ticket == Some(ticket.0),
            Slot::Sequence(wanted) => {
                self.sequences.is_some_and(|(first, last)| (first..=last).contains(&wanted.0))
            }
        }
    }
}
