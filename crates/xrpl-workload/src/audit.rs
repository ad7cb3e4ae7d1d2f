//! Comparing a store with the ledger, both ways: what the ledger holds of our accounts the store must
//! have with the same ledger, result and fee; what the store says is in no ledger must be in none.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
};

use serde::Serialize;
use xrpl_client::{
    Pool,
    request::{Ledger, LedgerSpec},
    response::{self, LedgerTransaction, transaction_result},
};
use xrpl_protocol::{
    AccountId, Amount, Definitions, Hash256, LedgerIndex, Object, TxHash, fields, transaction::Slot,
};
use xrpl_tracker::{
    Evidence, State, Store,
    record::{Record, RowFilter, RunId},
};

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
    /// The run goes on: transactions without an end are no problem, and ledgers after this one have
    /// not been recorded yet.
    pub live_until: Option<LedgerIndex>,
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
        "ledger {index} could not be read: {cause}. The audit needs every ledger from {first} to \
         {last}: ask a node that keeps them (the embedded ledger of `run` keeps --ledger-history, \
         256 or fewer by default; `standalone` keeps all)"
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
    /// The node's chain is broken, or two nodes contradict each other.
    #[error("ledger {0} does not follow the one before it: two nodes contradict each other")]
    Chain(u32),
}

/// Something on which store and ledger differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Problem {
    /// A ledger that the store noted with another hash: a stream told a wrong one.
    OtherHash {
        /// The ledger.
        ledger: LedgerIndex,
        /// Its hash.
        node: Hash256,
        /// As the store has it.
        store: Hash256,
    },
    /// In a validated ledger, of one of our accounts, and not in the store.
    NotInStore {
        /// The transaction.
        hash: TxHash,
        /// Its ledger.
        ledger: LedgerIndex,
        /// Its account.
        account: AccountId,
    },
    /// In a validated ledger, and not VALIDATED in the store.
    NotValidated {
        /// The transaction.
        hash: TxHash,
        /// Its ledger.
        ledger: LedgerIndex,
        /// What the store says.
        state: State,
    },
    /// VALIDATED with something that the ledger has otherwise.
    Differs {
        /// The transaction.
        hash: TxHash,
        /// `ledger_index`, `ledger_hash`, `result` or `fee`.
        what: &'static str,
        /// As the ledger has it.
        ledger: String,
        /// As the store has it.
        store: String,
    },
    /// VALIDATED in the store, and in no ledger of the range.
    InNoLedger {
        /// The transaction.
        hash: TxHash,
        /// The ledger that the store names.
        ledger: Option<LedgerIndex>,
    },
    /// Without an end, in a run that has ended.
    Open {
        /// The transaction.
        hash: TxHash,
        /// Its state.
        state: State,
    },
    /// REJECTED because of a transaction that did not use its Sequence or Ticket.
    NotConsumed {
        /// The transaction.
        hash: TxHash,
        /// The transaction that the evidence names.
        by: TxHash,
    },
    /// Sequences of an account between two that the ledger has: something used them unseen.
    SequenceGap {
        /// The account.
        account: AccountId,
        /// The first missing.
        from: u32,
        /// The one after the last missing.
        to: u32,
    },
}

/// The outcome.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether they agree.
    pub equal: bool,
    /// Whether the run goes on.
    pub live: bool,
    /// The run.
    pub run: RunId,
    /// First ledger read.
    pub first_ledger: LedgerIndex,
    /// Last ledger read.
    pub last_ledger: LedgerIndex,
    /// Accounts of the run.
    pub accounts: usize,
    /// Transactions of those accounts in these ledgers.
    pub in_ledgers: usize,
    /// Transactions of the run in the store.
    pub in_store: usize,
    /// The same by state.
    pub by_state: BTreeMap<State, usize>,
    /// Drops that those in ledgers paid.
    pub fees: u64,
    /// How many problems there are.
    pub problem_count: usize,
    /// The first of them.
    pub problems: Vec<Problem>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let live = if self.live { ", live" } else { "" };
        writeln!(
            f,
            "run {}{live}: ledgers {} to {}",
            self.run, self.first_ledger, self.last_ledger
        )?;
        let mut row = |name: &str, value: &dyn fmt::Display| writeln!(f, "  {name:<32}{value:>12}");
        row("accounts", &self.accounts)?;
        row("their transactions in ledgers", &self.in_ledgers)?;
        row("transactions in the store", &self.in_store)?;
        for (state, n) in &self.by_state {
            row(&format!("  {state}"), n)?;
        }
        row("fees paid, in drops", &self.fees)?;
        row("differences", &self.problem_count)?;
        for problem in &self.problems {
            let text = serde_json::to_string(problem).map_err(|_| fmt::Error)?;
            writeln!(f, "  {text}")?;
        }
        if self.problem_count > self.problems.len() {
            writeln!(f, "  and {} more", self.problem_count - self.problems.len())?;
        }
        write!(
            f,
            "{}",
            if self.equal { "store and ledger agree" } else { "store and ledger DIFFER" }
        )
    }
}

/// A transaction of ours in a ledger.
struct Found {
    ledger: LedgerIndex,
    ledger_hash: Option<Hash256>,
    result: String,
    account: AccountId,
    slot: (bool, u32),
    fee: u64,
    tickets: u32,
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
    let records = records(store, run).await?;
    let Some(first) = records.iter().map(|record| record.identity.created_ledger.0).min() else {
        return Err(AuditError::NoRun(format!("run {run} has no transactions")));
    };
    // A transaction comes into a ledger after the one that was newest when it was made.
    let first = first + 1;
    let newest = newest(pool).await?;
    if newest + 1 < first {
        return Err(AuditError::OtherNetwork { newest, first });
    }
    let last = match scope.live_until {
        Some(until) => until.0.min(newest),
        // What the run followed counts too: there may be one of which the store has no row.
        None => {
            let followed = store.anchor().await?.filter(|anchor| anchor.run == run);
            last_of(&records).max(followed.map_or(0, |anchor| anchor.index.0)).min(newest)
        }
    };
    let rows = records.iter().map(|record| record.identity.account);
    let ours: HashSet<AccountId> = rows.chain(scope.accounts).collect();
    let (found, other_hashes) = read(pool, store, run, &ours, (first, last)).await?;
    // A live run has gone on meanwhile: what the ledgers hold was recorded by now.
    let records = match scope.live_until {
        Some(_) => self::records(store, run).await?,
        None => records,
    };
    let live = scope.live_until.is_some();
    Ok(compare(run, (first, last), live, &ours, &found, &records, other_hashes))
}

async fn records(store: &dyn Store, run: RunId) -> Result<Vec<Record>, AuditError> {
    let filter = RowFilter { run: Some(run), ..RowFilter::default() };
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.rows(&filter, cursor, PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        cursor = Some(last.id);
        all.extend(page);
    }
}

/// The last ledger that a finished run speaks of.
fn last_of(records: &[Record]) -> u32 {
    let of = |record: &Record| match &record.progress.validated {
        Some(place) => place.ledger_index.0,
        None => record.identity.last_ledger_sequence.map_or(0, |last| last.0),
    };
    records.iter().map(of).max().unwrap_or_default()
}

async fn newest(pool: &Pool) -> Result<u32, AuditError> {
    let request = Ledger { ledger_index: Some(LedgerSpec::Validated), ..Ledger::default() };
    let answer = pool.request(&request).await;
    let index = answer.as_ref().ok().and_then(|answer| answer.ledger_index);
    index.map(|index| index.0).ok_or_else(|| AuditError::Ledger {
        index: 0,
        first: 0,
        last: 0,
        cause: answer.map_or_else(|error| error.to_string(), |_| "no validated ledger".into()),
    })
}

async fn read(
    pool: &Pool,
    store: &dyn Store,
    run: RunId,
    ours: &HashSet<AccountId>,
    (first, last): (u32, u32),
) -> Result<(HashMap<TxHash, Found>, Vec<Problem>), AuditError> {
    let mut found = HashMap::new();
    let mut before = None;
    let (mut same, mut others) = (0, Vec::new());
    for index in first..=last {
        let answer = ledger(pool, index).await.map_err(|cause| AuditError::Ledger {
            index,
            first,
            last,
            cause,
        })?;
        if before.is_some() && answer.ledger.parent_hash != before {
            return Err(AuditError::Chain(index));
        }
        before = answer.ledger_hash;
        let noted = store.ledger_hash(run, LedgerIndex(index)).await?;
        match (noted, answer.ledger_hash) {
            (Some(store), Some(node)) if store != node => others.push((index, node, store)),
            (noted, _) => same += usize::from(noted.is_some()),
        }
        for tx in &answer.ledger.transactions {
            if let Some(account) = tx.account.filter(|account| ours.contains(account)) {
                found.insert(tx.hash, told(tx, account, index, answer.ledger_hash));
            }
        }
    }
    if let Some((index, node, store)) = others.first().copied().filter(|_| others.len() > same) {
        return Err(AuditError::OtherLedger { index, node, store });
    }
    let others = others.into_iter().map(|(index, node, store)| Problem::OtherHash {
        ledger: LedgerIndex(index),
        node,
        store,
    });
    Ok((found, others.collect()))
}

fn told(
    tx: &LedgerTransaction,
    account: AccountId,
    index: u32,
    ledger_hash: Option<Hash256>,
) -> Found {
    let result = tx.meta.as_deref().and_then(transaction_result);
    Found {
        ledger: LedgerIndex(index),
        ledger_hash,
        result: result.unwrap_or_default(),
        account,
        slot: tx.ticket.map_or((false, tx.sequence), |ticket| (true, ticket)),
        fee: tx.fee.unwrap_or_default().0,
        tickets: tx.ticket_count.unwrap_or(0),
    }
}

async fn ledger(pool: &Pool, index: u32) -> Result<response::Ledger, String> {
    let request = Ledger {
        ledger_index: Some(LedgerSpec::Index(LedgerIndex(index))),
        transactions: true,
        expand: true,
    };
    let mut cause = String::new();
    // Nodes keep different histories.
    for node in pool.health() {
        match pool.request_to(node.id, &request).await {
            Ok(answer) if answer.validated => return Ok(answer),
            Ok(_) => cause = "it is not validated".into(),
            Err(error) => cause = error.to_string(),
        }
    }
    Err(cause)
}

fn compare(
    run: RunId,
    (first, last): (u32, u32),
    live: bool,
    ours: &HashSet<AccountId>,
    found: &HashMap<TxHash, Found>,
    records: &[Record],
    mut problems: Vec<Problem>,
) -> Report {
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
                // What a live run recorded after the last ledger read is not compared yet.
                if !(live && ledger.is_some_and(|index| index.0 > last)) {
                    problems.push(Problem::InNoLedger { hash, ledger });
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
                if !used && ledger.0 <= last {
                    problems.push(Problem::NotConsumed { hash, by });
                }
            }
            _ => {}
        }
    }
    problems.extend(gaps(found));
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
    if let (Some(ledger), Some(store)) = (tx.ledger_hash, place.ledger_hash) {
        differs("ledger_hash", ledger.to_string(), store.to_string());
    }
    differs("result", tx.result.clone(), place.result.to_string());
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

/// Sequences that nothing in the ledgers used, between others that were.
fn gaps(found: &HashMap<TxHash, Found>) -> Vec<Problem> {
    let mut used: BTreeMap<AccountId, BTreeMap<u32, u32>> = BTreeMap::new();
    for tx in found.values().filter(|tx| !tx.slot.0) {
        // TicketCreate takes a Sequence for each Ticket besides its own, if it succeeds.
        let more = if tx.result == "tesSUCCESS" { tx.tickets } else { 0 };
        used.entry(tx.account).or_default().insert(tx.slot.1, tx.slot.1 + 1 + more);
    }
    let mut gaps = Vec::new();
    for (account, sequences) in used {
        let mut expected = None;
        for (sequence, next) in sequences {
            if let Some(expected) = expected.filter(|expected| *expected != sequence) {
                gaps.push(Problem::SequenceGap { account, from: expected, to: sequence });
            }
            expected = Some(next);
        }
    }
    gaps
}

#[cfg(test)]
mod tests;
