//! What an audit found.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use xrpl_protocol::{AccountId, Hash256, LedgerIndex, TxHash};
use xrpl_tracker::{State, record::RunId};

/// Ledgers in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// The first.
    pub first: LedgerIndex,
    /// The last.
    pub last: LedgerIndex,
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.first, self.last)
    }
}

/// Ledgers that could not be seen, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Unseen(pub(super) Vec<Span>);

impl Unseen {
    /// Adds one after all others.
    pub(super) fn push(&mut self, index: u32) {
        match self.0.last_mut() {
            Some(span) if span.last.0 + 1 == index => span.last = LedgerIndex(index),
            _ => self.0.push(Span { first: LedgerIndex(index), last: LedgerIndex(index) }),
        }
    }

    /// Whether one of these ledgers is among them.
    pub(super) fn any_of(&self, first: u32, last: u32) -> bool {
        self.0.iter().any(|span| span.first.0 <= last && first <= span.last.0)
    }
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
    /// Without a final state, in a run that has ended.
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
    /// Whether every ledger and every row could be compared.
    pub complete: bool,
    /// Ledgers of the range that the node does not keep, or had not validated in time.
    pub unseen: Vec<Span>,
    /// Transactions of which nothing could be said because of those.
    pub unchecked: usize,
    /// Rows that were pruned from the store; the ledgers up to
    /// [`pruned_through`](Self::pruned_through) are not compared.
    pub pruned: u64,
    /// The newest ledger that pruned rows speak of.
    pub pruned_through: Option<LedgerIndex>,
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
        if !self.complete {
            row("not compared", &self.unchecked)?;
            row("pruned", &self.pruned)?;
        }
        row("differences", &self.problem_count)?;
        for problem in &self.problems {
            let text = serde_json::to_string(problem).map_err(|_| fmt::Error)?;
            writeln!(f, "  {text}")?;
        }
        if self.problem_count > self.problems.len() {
            writeln!(f, "  and {} more", self.problem_count - self.problems.len())?;
        }
        for span in &self.unseen {
            writeln!(f, "  ledgers {span} were not seen: the node does not keep them, or not yet")?;
        }
        if let Some(through) = self.pruned_through {
            writeln!(f, "  ledgers up to {through} were not compared: rows of them were pruned")?;
        }
        f.write_str(match (self.equal, self.complete) {
            (true, true) => "store and ledger agree",
            (true, false) => "store and ledger agree as far as could be seen",
            (false, _) => "store and ledger DIFFER",
        })
    }
}
