//! Comparing a store with the ledger, both ways: what the ledger holds of our accounts the store must
//! have with the same ledger, result and fee; what the store says is in no ledger must be in none.
//!
//! Only what was seen is judged. A node may lag, and keeps only so much history: ledgers that it does
//! not show are reported as unseen, and nothing is said of what may be in them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use xrpl_client::Pool;
use xrpl_protocol::{
    AccountId, Amount, Definitions, Hash256, LedgerIndex, Object, TxHash, fields, transaction::Slot,
};
use xrpl_tracker::{
    Evidence, RunStore, State, Store,
    record::{Record, RowFilter, RunId},
    store::Pruned,
};

mod ledgers;
mod nodes;
mod report;

use ledgers::{Found, Seen};
use report::Unseen;
pub use report::{Problem, Report, Span};

/// Rows read from the store at a time.
const PAGE: usize = 1_000;
/// Problems that are listed; more are only counted.
const LISTED: usize = 100;

/// What to compare.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The run; the newest if none.
    pub run: Option<RunId>,
    /// Accounts of the run besides those that the store has rows of: what they sent and the store
    /// does not know is found too.
    pub accounts: Vec<AccountId>,
    /// The run goes on: transactions without a final state are no problem, and ledgers after this one have
    /// not been recorded yet.
    pub live_until: Option<LedgerIndex>,
    /// How long to wait for a node that has not validated the run's last ledger yet.
    pub patience: Duration,
    /// Who is told that it waits.
    pub say: Option<fn(&str)>,
}

/// Why no comparison could be made.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The store could not be read.
    #[error("store: {0}")]
    Store(#[from] xrpl_tracker::Error),
    /// The store has no run, or not this one.
    #[error("{0}")]
    NoRun(String),
    /// A ledger of the run's range could not be read.
    #[error(
        "ledger {index} could not be read: {cause}. The audit reads every ledger from {first} to \
         {last}: ask a node that answers, or later"
    )]
    Ledger {
        /// Which.
        index: u32,
        /// The first of the range.
        first: u32,
        /// The last of the range.
        last: u32,
        /// What the node answered.
        cause: String,
    },
    /// A node has less than the run saw: it is another network, or it was reset.
    #[error(
        "the node's newest validated ledger is {newest}, the run's first is {first}: is it the run's network?"
    )]
    OtherNetwork {
        /// Newest of the node.
        newest: u32,
        /// First of the run.
        first: u32,
    },
    /// The store noted other hashes than the node has for most ledgers.
    #[error(
        "ledger {index} is {node} on the node, and was {store} when the run saw it: is it the run's \
         network, and not reset since?"
    )]
    OtherLedger {
        /// The first of them.
        index: u32,
        /// The node's hash.
        node: Hash256,
        /// The store's.
        store: Hash256,
    },
    /// No node says which ledgers it has.
    #[error("no node can be asked: {0}")]
    NoNode(String),
    /// Nodes follow different chains, and nothing tells which of them the run followed.
    #[error(
        "nodes contradict each other about ledger {index} ({told}), and the store has noted none of \
         them: give only nodes of the run's network"
    )]
    Nodes {
        /// The ledger.
        index: u32,
        /// The nodes and their hashes.
        told: String,
    },
    /// The node's chain is broken, or two nodes contradict each other.
    #[error("ledger {0} does not follow the one before it: two nodes contradict each other")]
    Chain(u32),
}

/// Reads every ledger of a run and compares.
///
/// # Errors
/// The store or a ledger cannot be read.
pub async fn audit(pool: &Pool, store: &dyn Store, scope: Scope) -> Result<Report, AuditError> {
    let runs = store.runs().await?;
    let run = match scope.run {
        Some(run) if runs.contains(&run) => run,
        Some(run) => {
            let known: Vec<_> = runs.iter().map(ToString::to_string).collect();
            return Err(AuditError::NoRun(format!(
                "the store has no run {run}; it has {}",
                known.join(", ")
            )));
        }
        None => *runs.last().ok_or_else(|| AuditError::NoRun("the store has no run".into()))?,
    };
    let store = store.open_run(run).await?;
    let records = records(&*store).await?;
    let Some(first) = records.iter().map(|record| record.identity.created_ledger.0).min() else {
        return Err(AuditError::NoRun(format!("run {run} has no transactions")));
    };
    // A transaction comes into a ledger after the one that was newest when it was made.
    let pruned = store.pruned().await?;
    let first = first.max(pruned.through.map_or(0, |through| through.0)) + 1;
    let (needed, spoken_of) = match scope.live_until {
        Some(until) => (until.0, until.0),
        // What the run followed counts too: there may be one of which the store has no row.
        None => {
            let followed = store.anchor().await?;
            let needed = needed(&records).max(followed.map_or(0, |anchor| anchor.index.0));
            (needed, spoken_of(&records))
        }
    };
    let Scope { patience, say, .. } = scope;
    let nodes = nodes::that_have(pool, &*store, (first, needed), patience, say).await?;
    let last = needed.max(spoken_of.min(nodes.newest));
    let rows = records.iter().map(|record| record.identity.account);
    let ours: HashSet<AccountId> = rows.chain(scope.accounts).collect();
    let seen = ledgers::read(pool, &*store, &ours, (first, last), &nodes).await?;
    // A live run has gone on meanwhile: what the ledgers hold was recorded by now.
    let records = match scope.live_until {
        Some(_) => self::records(&*store).await?,
        None => records,
    };
    let live = scope.live_until.is_some();
    Ok(compare(run, (first, last), live, &ours, seen, &records, pruned))
}

async fn records(store: &dyn RunStore) -> Result<Vec<Record>, AuditError> {
    let filter = RowFilter::default();
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.rows(&filter, cursor, PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        cursor = Some(last.id);
        all.extend(page);
    }
}

/// The last ledger that the ends of a finished run rest on.
fn needed(records: &[Record]) -> u32 {
    let of = |record: &Record| match (record.progress.state, record.progress.evidence()) {
        (_, Some(Evidence::Validated(place))) => place.ledger_index.0,
        (_, Some(Evidence::SequenceConsumed { ledger, .. })) => ledger.0,
        (State::Expired, _) => record.identity.last_ledger_sequence.map_or(0, |last| last.0),
        _ => 0,
    };
    records.iter().map(of).max().unwrap_or_default()
}

/// The last ledger that could have a transaction of the run.
fn spoken_of(records: &[Record]) -> u32 {
    let last = |record: &Record| record.identity.last_ledger_sequence.map_or(0, |last| last.0);
    records.iter().map(last).max().unwrap_or_default()
}

fn compare(
    run: RunId,
    (first, last): (u32, u32),
    live: bool,
    ours: &HashSet<AccountId>,
    seen: Seen,
    records: &[Record],
    pruned: Pruned,
) -> Report {
    let Seen { found, other_hashes: mut problems, unseen } = seen;
    // Whether something in these ledgers could be there without having been seen.
    let hidden = |from: u32, to: u32| from < first || unseen.any_of(from, to);
    let mut unchecked = 0;
    let by_hash: HashMap<TxHash, &Record> =
        records.iter().map(|record| (record.identity.hash, record)).collect();
    let mut in_order: Vec<_> = found.iter().collect();
    in_order.sort_unstable_by_key(|(hash, tx)| (tx.ledger, **hash));
    for (hash, tx) in in_order {
        match by_hash.get(hash) {
            None => problems.push(Problem::NotInStore {
                hash: *hash,
                ledger: tx.ledger,
                account: tx.account,
            }),
            Some(record) => compare_one(*hash, tx, record, &mut problems),
        }
    }
    let mut by_state = BTreeMap::new();
    for record in records {
        *by_state.entry(record.progress.state).or_insert(0) += 1;
        let hash = record.identity.hash;
        match (record.progress.state, record.progress.evidence()) {
            (State::Validated, _) if !found.contains_key(&hash) => {
                let ledger = record.progress.validated.as_ref().map(|place| place.ledger_index);
                match ledger {
                    // What a live run recorded after the last ledger read is not compared yet.
                    Some(index) if live && index.0 > last => {}
                    Some(index) if hidden(index.0, index.0) => unchecked += 1,
                    _ => problems.push(Problem::InNoLedger { hash, ledger }),
                }
            }
            (state, _) if !state.is_terminal() && !live => {
                problems.push(Problem::Open { hash, state });
            }
            (State::Rejected, Some(Evidence::SequenceConsumed { by, ledger })) => {
                // TicketCreate uses more Sequences than the one it names.
                let used = found.get(&by).is_some_and(|other| {
                    other.ledger == ledger && other.account == record.identity.account
                });
                if hidden(ledger.0, ledger.0) {
                    unchecked += 1;
                } else if !used && ledger.0 <= last {
                    problems.push(Problem::NotConsumed { hash, by });
                }
            }
            (state, _) if state.is_terminal() && !found.contains_key(&hash) => {
                let from = record.identity.created_ledger.0 + 1;
                let to = record.identity.last_ledger_sequence.map_or(last, |to| to.0);
                unchecked += usize::from(hidden(from, to.min(last)));
            }
            _ => {}
        }
    }
    problems.extend(gaps(&found, &unseen));
    Report {
        equal: problems.is_empty(),
        live,
        run,
        first_ledger: LedgerIndex(first),
        last_ledger: LedgerIndex(last),
        accounts: ours.len(),
        in_ledgers: found.len(),
        in_store: records.len(),
        by_state,
        fees: found.values().map(|tx| tx.fee).sum(),
        complete: unseen.0.is_empty() && pruned.rows == 0,
        unseen: unseen.0,
        unchecked,
        pruned: pruned.rows,
        pruned_through: pruned.through,
        problem_count: problems.len(),
        problems: problems.into_iter().take(LISTED).collect(),
    }
}

fn compare_one(hash: TxHash, tx: &Found, record: &Record, problems: &mut Vec<Problem>) {
    let place = match (&record.progress.validated, record.progress.state) {
        (Some(place), State::Validated) => place,
        (_, state) => {
            problems.push(Problem::NotValidated { hash, ledger: tx.ledger, state });
            return;
        }
    };
    let mut differs = |what, ledger: String, store: String| {
        if ledger != store {
            problems.push(Problem::Differs { hash, what, ledger, store });
        }
    };
    differs("ledger_index", tx.ledger.to_string(), place.ledger_index.to_string());
    if let Some(store) = place.ledger_hash {
        differs("ledger_hash", tx.ledger_hash.to_string(), store.to_string());
    }
    if let Some(result) = tx.result {
        differs("result", result.to_owned(), place.result.to_string());
    }
    let fee = Object::decode(&record.identity.blob, Definitions::builtin())
        .ok()
        .and_then(|object| object.amount(fields::FEE));
    if let Some(Amount::Xrp(fee)) = fee {
        differs("fee", tx.fee.to_string(), fee.to_string());
    }
    let slot = match record.identity.slot {
        Slot::Sequence(n) => (false, n.0),
        Slot::Ticket(n) => (true, n.0),
    };
    differs("slot", format!("{:?}", tx.slot), format!("{slot:?}"));
}

/// Sequences that nothing in the ledgers used, between others that were. Something in a ledger that
/// was not seen may have used them. An account that was deleted and made anew begins at the index of the
/// ledger that made it (<https://xrpl.org/docs/concepts/accounts/deleting-accounts>).
fn gaps(found: &HashMap<TxHash, Found>, unseen: &Unseen) -> Vec<Problem> {
    let mut used: BTreeMap<AccountId, BTreeMap<u32, (u32, u32)>> = BTreeMap::new();
    let deleted: HashSet<(AccountId, u32)> = found
        .values()
        .filter(|tx| tx.deletes && tx.result == Some("tesSUCCESS"))
        .map(|tx| (tx.account, tx.ledger.0))
        .collect();
    for tx in found.values().filter(|tx| !tx.slot.0) {
        // TicketCreate takes a Sequence for each Ticket besides its own, if it succeeds.
        let more = if tx.result == Some("tesSUCCESS") { tx.tickets } else { 0 };
        let next = tx.slot.1 + 1 + more;
        used.entry(tx.account).or_default().insert(tx.slot.1, (next, tx.ledger.0));
    }
    let mut gaps = Vec::new();
    for (account, sequences) in used {
        let mut before: Option<(u32, u32)> = None;
        for (sequence, (next, ledger)) in sequences {
            if let Some((expected, since)) = before
                && expected != sequence
                && !unseen.any_of(since, ledger)
                && !(since..=ledger).any(|index| deleted.contains(&(account, index)))
            {
                gaps.push(Problem::SequenceGap { account, from: expected, to: sequence });
            }
            before = Some((next, ledger));
        }
    }
    gaps
}

#[cfg(test)]
mod tests;
