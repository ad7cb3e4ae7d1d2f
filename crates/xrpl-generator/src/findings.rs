//! What a node did that no transaction may make it do, with the transactions that may have done it.
//!
//! While the [fuzz band](crate::fuzz) runs, the last transactions of it are remembered. A node that
//! answers with an internal error, does not answer, closes a connection, leaves its working state, tells
//! another hash for a ledger than before, or takes what is not properly signed, is a finding. Which of
//! the transactions did it is not always known: those that may have are named, the likeliest first.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::Bytes;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use xrpl_protocol::{LedgerIndex, TxHash};

/// Transactions of the band that are remembered.
const REMEMBERED: usize = 256;
/// How many of them a finding names at most.
const SUSPECTS: usize = 32;
/// How long after one was sent something is put down to it.
const SUSPICION: Duration = Duration::from_secs(30);
/// What is alike and comes within this time is one finding.
const ALIKE: Duration = Duration::from_secs(10);
/// Findings that are kept whole; the rest is only counted.
const KEPT: usize = 200;
/// How long a node must be out of its working state to be one.
const DOWN: Duration = Duration::from_secs(10);

/// Results that are the node's own failure, whatever was sent
/// (<https://xrpl.org/docs/references/protocol/transactions/transaction-results>), and error tokens of the
/// same meaning.
const INTERNAL: &[&str] = &[
    "tefEXCEPTION",
    "tefINTERNAL",
    "tefINVARIANT_FAILED",
    "tefBAD_LEDGER",
    "tefCREATED",
    "tecINTERNAL",
    "tecINVARIANT_FAILED",
    "internal",
    "internalJson",
    "internalSubmit",
    "internalTransaction",
];

/// Whether a result is the node's own failure.
#[must_use]
pub fn is_internal(result: &str) -> bool {
    INTERNAL.contains(&result)
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum FindingKind {
    /// A result or an error that is the node's own failure.
    InternalError,
    /// A submission that was written and not answered: the connection broke, or the time was over.
    NoAnswer,
    /// A node is out of its working state for ten seconds.
    NodeDown,
    /// A node closed a stream, for another reason than that its reader was too slow.
    StreamClosed,
    /// A node reports another hash for a validated ledger than before.
    LedgerChanged,
    /// A node took what is not properly signed, or cannot be read here.
    Accepted,
}

impl FindingKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::InternalError,
        Self::NoAnswer,
        Self::NodeDown,
        Self::StreamClosed,
        Self::LedgerChanged,
        Self::Accepted,
    ];

    /// One word for machines.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InternalError => "internal_error",
            Self::NoAnswer => "no_answer",
            Self::NodeDown => "node_down",
            Self::StreamClosed => "stream_closed",
            Self::LedgerChanged => "ledger_changed",
            Self::Accepted => "accepted",
        }
    }
}

/// A transaction that may have done it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Suspect {
    /// Its hash.
    pub tx_hash: TxHash,
    /// What was sent, in hexadecimal: `xrpl-workload submit` sends it again.
    pub tx_blob: String,
    /// When, milliseconds since 1970.
    pub sent_at_ms: u64,
    /// What the node answered; none if it did not.
    pub result: Option<String>,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Finding {
    /// Counts up by one within a process.
    pub id: u64,
    /// When it was found, milliseconds since 1970.
    pub at_ms: u64,
    /// What.
    pub kind: FindingKind,
    /// At which node, if that is known.
    pub node: Option<String>,
    /// In words.
    pub what: String,
    /// The newest validated ledger then.
    pub ledger_index: LedgerIndex,
    /// How often the like came within ten seconds of each other.
    pub times: u64,
    /// The transactions that may have done it, the likeliest first.
    pub suspects: Vec<Suspect>,
}

#[derive(Clone, Debug)]
struct Sent {
    hash: TxHash,
    blob: Bytes,
    at_ms: u64,
    answered: bool,
    result: Option<String>,
}

impl From<&Sent> for Suspect {
    fn from(sent: &Sent) -> Self {
        Self {
            tx_hash: sent.hash,
            tx_blob: const_hex::encode_upper(&sent.blob),
            sent_at_ms: sent.at_ms,
            result: sent.result.clone(),
        }
    }
}

/// A node as it was looked at.
#[derive(Clone, Debug)]
pub struct NodeLook {
    /// Its name.
    pub name: Arc<str>,
    /// Whether it works: answers, and follows its network.
    pub works: bool,
    /// Why not.
    pub why: String,
}

/// What counts up at the nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Streams that nodes closed.
    pub streams_closed: u64,
    /// Ledgers of which nodes reported several hashes, and ends that had to be taken back for that.
    pub ledgers_changed: u64,
}

/// Gathers findings. Plain values: the caller brings time and everything that happens.
#[derive(Debug, Default)]
pub struct Findings {
    sent: VecDeque<Sent>,
    found: Vec<Arc<Finding>>,
    total: u64,
    /// Since when a node does not work; none once it is told.
    down: FxHashMap<Arc<str>, Option<u64>>,
    counted: Option<Counted>,
    head: LedgerIndex,
}

impl Findings {
    /// All that are kept, oldest first.
    #[must_use]
    pub fn all(&self) -> &[Arc<Finding>] {
        &self.found
    }

    /// How many there were.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The newest validated ledger.
    pub fn set_head(&mut self, head: LedgerIndex) {
        self.head = head;
    }

    /// One of the band is on its way.
    pub fn sent(&mut self, hash: TxHash, blob: Bytes, now_ms: u64) {
        if self.sent.len() >= REMEMBERED {
            self.sent.pop_front();
        }
        self.sent.push_back(Sent { hash, blob, at_ms: now_ms, answered: false, result: None });
    }

    /// What came of a submission; no result if no answer came.
    pub fn answered(&mut self, hash: TxHash, result: Option<&str>, now_ms: u64) {
        let Some(sent) = self.sent.iter_mut().find(|sent| sent.hash == hash) else { return };
        sent.answered = result.is_some();
        sent.result = result.map(str::to_owned);
        let suspect = Suspect::from(&*sent);
        match result {
            None => {
                let what = "a submission was written and not answered".to_owned();
                self.add(FindingKind::NoAnswer, None, what, vec![suspect], now_ms);
            }
            Some(result) if is_internal(result) => self.internal(result, suspect, now_ms),
            Some(_) => {}
        }
    }

    /// A validated ledger has it with this result.
    pub fn validated(&mut self, hash: TxHash, blob: &[u8], result: &str, now_ms: u64) {
        if is_internal(result) {
            let result = Some(result.to_owned());
            let blob = Bytes::copy_from_slice(blob);
            let sent = Sent { hash, blob, at_ms: now_ms, answered: true, result: result.clone() };
            self.internal(result.as_deref().unwrap_or_default(), Suspect::from(&sent), now_ms);
        }
    }

    /// A node took, or a validated ledger has, what is not properly signed.
    pub fn accepted(&mut self, hash: TxHash, how: &str, now_ms: u64) {
        let Some(sent) = self.sent.iter().find(|sent| sent.hash == hash) else { return };
        let what = format!("a node took what is not properly signed: {how}");
        let suspect = Suspect::from(sent);
        self.add(FindingKind::Accepted, None, what, vec![suspect], now_ms);
    }

    /// Whether this was sent lately.
    #[must_use]
    pub fn knows(&self, hash: TxHash) -> bool {
        self.sent.iter().any(|sent| sent.hash == hash)
    }

    /// What was sent, if that was lately.
    #[must_use]
    pub fn blob_of(&self, hash: TxHash) -> Option<Bytes> {
        self.sent.iter().find(|sent| sent.hash == hash).map(|sent| sent.blob.clone())
    }

    fn internal(&mut self, result: &str, suspect: Suspect, now_ms: u64) {
        let what = format!("the node says {result}, which is its own failure");
        self.add(FindingKind::InternalError, None, what, vec![suspect], now_ms);
    }

    /// A node reports another hash than before.
    pub fn ledger_changed(&mut self, node: &str, what: String, now_ms: u64) {
        let suspects = self.suspects(now_ms);
        self.add(FindingKind::LedgerChanged, Some(node.to_owned()), what, suspects, now_ms);
    }

    /// Looks at the nodes, once a second or so.
    pub fn look(&mut self, nodes: &[NodeLook], counted: Counted, now_ms: u64) {
        let before = self.counted.replace(counted).unwrap_or(counted);
        let suspects = self.suspects(now_ms);
        for node in nodes {
            if node.works {
                self.down.remove(&node.name);
                continue;
            }
            let since = self.down.entry(Arc::clone(&node.name)).or_insert(Some(now_ms));
            let Some(at_ms) = *since else { continue };
            if now_ms.saturating_sub(at_ms) < millis(DOWN) {
                continue;
            }
            *since = None;
            if self.suspected_since(at_ms) {
                let what = format!("it is out of its working state: {}", node.why);
                let name = Some(node.name.to_string());
                self.add(FindingKind::NodeDown, name, what, suspects.clone(), now_ms);
            }
        }
        if suspects.is_empty() {
            return;
        }
        if counted.streams_closed > before.streams_closed {
            let what = "a node closed its stream".to_owned();
            self.add(FindingKind::StreamClosed, None, what, suspects.clone(), now_ms);
        }
        if counted.ledgers_changed > before.ledgers_changed {
            let what = "a validated ledger was told with another hash".to_owned();
            self.add(FindingKind::LedgerChanged, None, what, suspects, now_ms);
        }
    }

    /// Whether anything was sent shortly before a moment.
    fn suspected_since(&self, at_ms: u64) -> bool {
        let from = at_ms.saturating_sub(millis(SUSPICION));
        self.sent.iter().any(|sent| sent.at_ms >= from)
    }

    /// Those that were sent lately: what has no answer first, then the newest.
    fn suspects(&self, now_ms: u64) -> Vec<Suspect> {
        let from = now_ms.saturating_sub(millis(SUSPICION));
        let mut lately: Vec<&Sent> = self.sent.iter().rev().filter(|s| s.at_ms >= from).collect();
        lately.sort_by_key(|sent| sent.answered);
        lately.into_iter().take(SUSPECTS).map(Suspect::from).collect()
    }

    fn add(
        &mut self,
        kind: FindingKind,
        node: Option<String>,
        what: String,
        suspects: Vec<Suspect>,
        now_ms: u64,
    ) {
        let alike = |found: &&mut Arc<Finding>| {
            (found.kind, &found.node, &found.what) == (kind, &node, &what)
                && now_ms.saturating_sub(found.at_ms) < millis(ALIKE)
        };
        if let Some(found) = self.found.iter_mut().rev().find(alike) {
            let found = Arc::make_mut(found);
            found.times += 1;
            for suspect in suspects {
                let known = found.suspects.iter().any(|other| other.tx_hash == suspect.tx_hash);
                if !known && found.suspects.len() < SUSPECTS {
                    found.suspects.push(suspect);
                }
            }
            return;
        }
        let (id, ledger_index) = (self.total, self.head);
        self.total += 1;
        if self.found.len() < KEPT {
            let at_ms = now_ms;
            let found = Finding { id, at_ms, kind, node, what, ledger_index, times: 1, suspects };
            self.found.push(Arc::new(found));
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(n: u8) -> TxHash {
        TxHash([n; 32])
    }

    fn with_sent(count: u8) -> Findings {
        let mut findings = Findings::default();
        for n in 1..=count {
            findings.sent(hash(n), Bytes::from(vec![n]), 1_000);
        }
        findings
    }

    fn kinds(findings: &Findings) -> Vec<FindingKind> {
        findings.all().iter().map(|found| found.kind).collect()
    }

    const WORKS: bool = true;
    fn node(works: bool) -> [NodeLook; 1] {
        [NodeLook { name: "n".into(), works, why: "refused".into() }]
    }

    #[test]
    fn an_internal_error_names_its_transaction() {
        let mut findings = with_sent(3);
        findings.answered(hash(1), Some("temMALFORMED"), 1_100);
        assert!(findings.all().is_empty());
        findings.answered(hash(2), Some("tefEXCEPTION"), 1_200);
        findings.validated(hash(3), &[3], "tecINVARIANT_FAILED", 5_000);
        findings.validated(hash(1), &[1], "tecNO_DST", 5_000);
        assert_eq!(kinds(&findings), [FindingKind::InternalError; 2]);
        let blobs = findings.all().iter().map(|found| found.suspects[0].tx_blob.as_str());
        assert!(blobs.eq(["02", "03"]));
    }

    #[test]
    fn what_is_alike_is_one_finding_for_a_while() {
        let mut findings = with_sent(4);
        findings.answered(hash(1), None, 1_100);
        findings.answered(hash(2), None, 2_100);
        findings.answered(hash(3), None, 60_000);
        let told: Vec<_> =
            findings.all().iter().map(|found| (found.times, found.suspects.len())).collect();
        assert_eq!((told, findings.total()), (vec![(2, 2), (1, 1)], 2));
    }

    #[test]
    fn a_node_that_stays_down_is_found_once_and_one_that_hiccups_is_not() {
        let mut findings = with_sent(2);
        findings.answered(hash(1), Some("tesSUCCESS"), 1_050);
        let counted = Counted::default();
        for (at_ms, works) in [(2_000, false), (9_000, WORKS), (10_000, false), (15_000, false)] {
            findings.look(&node(works), counted, at_ms);
        }
        assert!(findings.all().is_empty());
        for at_ms in [20_000, 25_000, 40_000] {
            findings.look(&node(false), counted, at_ms);
        }
        assert_eq!(kinds(&findings), [FindingKind::NodeDown]);
        // What has no answer is the likeliest.
        assert_eq!(findings.all()[0].suspects[0].tx_hash, hash(2));
    }

    #[test]
    fn counters_tell_only_what_is_new_and_only_after_something_was_sent() {
        let mut nothing_sent = Findings::default();
        let mut findings = with_sent(1);
        for findings in [&mut nothing_sent, &mut findings] {
            let first = Counted { streams_closed: 3, ledgers_changed: 1 };
            findings.look(&node(WORKS), first, 2_000);
            findings.look(&node(WORKS), first, 3_000);
            let then = Counted { streams_closed: 4, ledgers_changed: 2 };
            findings.look(&node(WORKS), then, 4_000);
        }
        assert!(nothing_sent.all().is_empty());
        assert_eq!(kinds(&findings), [FindingKind::StreamClosed, FindingKind::LedgerChanged]);
        findings.look(&node(WORKS), Counted { streams_closed: 9, ledgers_changed: 2 }, 900_000);
        assert_eq!(findings.total(), 2, "long after");
    }

    #[test]
    fn what_was_taken_without_a_signature() {
        let mut findings = with_sent(1);
        findings.accepted(hash(9), "tesSUCCESS", 2_000);
        findings.accepted(hash(1), "tesSUCCESS", 2_000);
        assert_eq!(kinds(&findings), [FindingKind::Accepted]);
    }
}
