//! What came of checking a node.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xrpl_protocol::{LedgerIndex, TxHash};

/// Differences that are shown.
const SHOWN: usize = 20;
/// Lines shown of one difference.
const LINES: usize = 10;
/// Reasons for taking a ledger over that are counted apart.
const REASONS: usize = 50;

/// What the shadow is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShadowState {
    /// It is not asked for.
    #[default]
    Off,
    /// It reads all entries of a ledger.
    Reading,
    /// It follows.
    Following,
    /// It follows, more ledgers behind than a node is certain to keep.
    Behind,
    /// The node does not answer; it is asked again.
    Waiting,
    /// It has ended.
    Ended,
}

/// A ledger that came out otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShadowFinding {
    /// The ledger.
    pub ledger_index: LedgerIndex,
    /// The first transaction that came out otherwise; none where only what the ledger holds is different.
    pub tx_hash: Option<TxHash>,
    /// What differs, a line each.
    pub differences: Vec<String>,
    /// The file that replays it; none if it could not be written, or there are many already.
    pub file: Option<String>,
}

/// State of the shadow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShadowView {
    /// What it is doing.
    pub state: ShadowState,
    /// The node that is checked.
    pub node: String,
    /// The ledger whose entries it began with.
    pub from: Option<LedgerIndex>,
    /// The ledger that it is at.
    pub ledger_index: Option<LedgerIndex>,
    /// How many validated ledgers come after that.
    pub behind: u32,
    /// Entries of the ledger that it is at; while it reads them, those read so far.
    pub entries: u64,
    /// Ledgers that came out equal.
    pub ledgers_checked: u64,
    /// Transactions in those.
    pub transactions_checked: u64,
    /// Ledgers that came out otherwise.
    pub ledgers_different: u64,
    /// Ledgers that cannot be executed here, and were taken over as the node has them.
    pub ledgers_taken_over: u64,
    /// Why, and how many each.
    pub taken_over_because: BTreeMap<String, u64>,
    /// Ledgers that the node no longer has, or that were another chain's: they were not checked.
    pub ledgers_skipped: u64,
    /// How often it began again with all entries.
    pub restarts: u64,
    /// Why the node was asked again last, or why it ended.
    pub last_error: Option<String>,
    /// The first differences.
    pub findings: Vec<ShadowFinding>,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Step {
    /// It reads the entries of a ledger.
    Reading {
        /// The ledger.
        ledger: u32,
        /// So many so far.
        entries: usize,
    },
    /// It has them.
    Began {
        /// The ledger.
        ledger: u32,
        /// How many there are.
        entries: usize,
    },
    /// The newest validated ledger is this one.
    Newest(u32),
    /// A ledger came out equal.
    Checked {
        /// The ledger.
        ledger: u32,
        /// Its transactions.
        transactions: usize,
        /// Entries of the ledger.
        entries: usize,
    },
    /// A ledger was taken over.
    TakenOver {
        /// The ledger.
        ledger: u32,
        /// Why.
        why: String,
    },
    /// A ledger came out otherwise.
    Different(ShadowFinding),
    /// The file of a difference could not be written.
    Unwritten(String),
    /// It begins again with all entries, and leaves out some ledgers.
    Restarted {
        /// Why.
        why: String,
        /// How many ledgers are not checked.
        skipped: u32,
    },
    /// The node is asked again after a while.
    Waiting(String),
    /// It has ended, because of this if it was not asked to.
    Ended(Option<String>),
}

/// Ledgers that a node keeps of its history at the least, unless told otherwise.
const KEPT: u32 = 256;

impl ShadowView {
    /// Counts what happened.
    pub fn note(&mut self, step: &Step) {
        match step {
            Step::Reading { entries, .. } => {
                self.state = ShadowState::Reading;
                self.entries = *entries as u64;
            }
            Step::Began { ledger, entries } => {
                self.from.get_or_insert(LedgerIndex(*ledger));
                self.entries = *entries as u64;
                self.arrived(*ledger);
            }
            Step::Newest(newest) => {
                let at = self.ledger_index.map_or(*newest, |LedgerIndex(at)| at);
                self.behind = newest.saturating_sub(at);
                self.settle();
            }
            Step::Checked { ledger, transactions, entries } => {
                self.ledgers_checked += 1;
                self.transactions_checked += *transactions as u64;
                self.entries = *entries as u64;
                self.arrived(*ledger);
            }
            Step::TakenOver { ledger, why } => {
                self.ledgers_taken_over += 1;
                let known = self.taken_over_because.contains_key(why);
                let why =
                    if known || self.taken_over_because.len() < REASONS { why } else { "other" };
                *self.taken_over_because.entry(why.to_owned()).or_default() += 1;
                self.arrived(*ledger);
            }
            Step::Different(finding) => {
                self.ledgers_different += 1;
                if self.findings.len() < SHOWN {
                    let mut shown = finding.clone();
                    shown.differences.truncate(LINES);
                    self.findings.push(shown);
                }
                self.arrived(finding.ledger_index.0);
            }
            Step::Unwritten(why) => self.last_error = Some(why.clone()),
            Step::Restarted { why, skipped } => {
                self.restarts += 1;
                self.ledgers_skipped += u64::from(*skipped);
                self.last_error = Some(why.clone());
            }
            Step::Waiting(why) => {
                self.state = ShadowState::Waiting;
                self.last_error = Some(why.clone());
            }
            Step::Ended(why) => {
                self.state = ShadowState::Ended;
                if let Some(why) = why {
                    self.last_error = Some(why.clone());
                }
            }
        }
    }

    fn arrived(&mut self, ledger: u32) {
        let before = self.ledger_index.map_or(ledger, |LedgerIndex(before)| before);
        self.behind = self.behind.saturating_sub(ledger.saturating_sub(before));
        self.ledger_index = Some(LedgerIndex(ledger));
        self.settle();
    }

    fn settle(&mut self) {
        self.state = if self.behind > KEPT { ShadowState::Behind } else { ShadowState::Following };
    }

    /// Where it stands, in one line.
    #[must_use]
    pub fn progress(&self) -> String {
        match (self.state, self.ledger_index) {
            (ShadowState::Reading, _) => format!("shadow: {} entries read", self.entries),
            (ShadowState::Waiting, _) => {
                let why = self.last_error.as_deref().unwrap_or_default();
                format!("shadow: waits for the node: {why}")
            }
            (_, at) => {
                let at = at.map_or(0, |LedgerIndex(at)| at);
                format!("shadow: at ledger {at}, {}", self.line())
            }
        }
    }

    /// Everything that was counted, in one line.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = format!(
            "{} ledgers checked with {} transactions, {} different, {} taken over",
            self.ledgers_checked,
            self.transactions_checked,
            self.ledgers_different,
            self.ledgers_taken_over
        );
        for (n, what) in [(self.ledgers_skipped, "not checked"), (u64::from(self.behind), "behind")]
        {
            if n > 0 {
                line.push_str(&format!(", {n} {what}"));
            }
        }
        line
    }

    /// What it found, a line each.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let mut lines: Vec<_> = self.findings.iter().map(ToString::to_string).collect();
        let more = self.ledgers_different.saturating_sub(self.findings.len() as u64);
        if more > 0 {
            lines.push(format!("{more} more ledgers came out otherwise"));
        }
        lines
    }
}

impl std::fmt::Display for ShadowView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "shadow ({}): {}", self.node, self.line())?;
        for (why, n) in &self.taken_over_because {
            write!(f, "\n  taken over {n} times: {why}")?;
        }
        for line in self.told() {
            write!(f, "\n  {line}")?;
        }
        Ok(())
    }
}

impl std::fmt::Display for ShadowFinding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ledger {} came out otherwise", self.ledger_index.0)?;
        if let Some(hash) = self.tx_hash {
            write!(f, ", first transaction {hash}")?;
        }
        if let Some(first) = self.differences.first() {
            write!(f, ": {first}")?;
        }
        match self.differences.len() {
            0 | 1 => {}
            n => write!(f, " (and {} more lines)", n - 1)?,
        }
        match &self.file {
            Some(file) => {
                write!(f, "; replay it with: xrpl-workload shadow --replay {file}")
            }
            None => Ok(()),
        }
    }
}

/// A view that is kept up to date, shared by those who look at it.
#[derive(Clone, Debug, Default)]
pub struct Watched(Arc<Mutex<ShadowView>>);

impl Watched {
    /// Of a node that is about to be checked.
    #[must_use]
    pub fn of(node: &str) -> Self {
        let state = ShadowState::Reading;
        Self(Arc::new(Mutex::new(ShadowView {
            state,
            node: node.to_owned(),
            ..ShadowView::default()
        })))
    }

    /// As it is now.
    #[must_use]
    pub fn view(&self) -> ShadowView {
        self.0.lock().clone()
    }

    /// Counts what happened.
    pub fn note(&self, step: &Step) {
        self.0.lock().note(step);
    }

    /// Whether a step, before it is noted, says something new: the same reason is not told twice.
    #[must_use]
    pub fn first_of_its_kind(&self, step: &Step) -> bool {
        let view = self.0.lock();
        match step {
            Step::TakenOver { why, .. } => !view.taken_over_because.contains_key(why),
            Step::Different(_) => view.ledgers_different < SHOWN as u64,
            Step::Waiting(_) => view.state != ShadowState::Waiting,
            _ => true,
        }
    }

    /// Begins with another node, or none.
    pub(crate) fn begin(&self, node: &str) {
        *self.0.lock() = ShadowView {
            state: ShadowState::Reading,
            node: node.to_owned(),
            ..ShadowView::default()
        };
    }
}
