//! Reading recordings, replaying them, and comparing.

mod diff;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
};

use serde_json::Value as Json;
use xrpl_protocol::Definitions;
use xrpl_standalone::ledger::{
    ClosedLedger, PreparedTx,
    metadata::{created_issuance, delivered_amount},
};
use xrpl_standalone::node::{Node, NodeConfig};

use crate::recordings::{self, lines};

/// `label` or `ledger N`, and what differs there.
pub(crate) type Found = BTreeMap<String, Vec<String>>;

pub(crate) struct Recording {
    name: String,
    lines: Vec<Json>,
}

impl Recording {
    pub(crate) fn open(name: &str) -> Option<Self> {
        Some(Self { name: name.into(), lines: lines(name)? })
    }

    /// Whether it can be replayed: it tells what was submitted, and every ledger. (Where ledgers were
    /// closed by requests that are themselves what is recorded, `replay_api` replays them.)
    pub(crate) fn is_replay(&self) -> bool {
        let has = |step: &str| self.lines.iter().any(|line| line["step"] == step);
        let closes = |line: &Json| method(line) == Some("ledger_accept");
        has("start") && has("submit") && has("accept") && !self.lines.iter().any(closes)
    }

    fn config(&self) -> NodeConfig {
        let second = recordings::second_ledger(&self.lines);
        let start = second.and_then(|ledger| ledger["close_time"].as_u64());
        recordings::node(&self.lines, start.expect("the recording shows ledger 2"))
    }

    /// Replays all of it.
    pub(crate) fn replay(&self) -> Report {
        let mut replay = Replay {
            node: Node::new(self.config()),
            report: Report { name: self.name.clone(), ..Report::default() },
            labels: BTreeMap::new(),
        };
        for line in &self.lines {
            match line["step"].as_str() {
                Some("submit") => replay.submit(line),
                Some("accept") => replay.accept(line),
                Some("request") => replay.request(line),
                Some("note") => replay.note(line),
                _ => {}
            }
        }
        replay.report
    }
}

/// The method of a recorded request.
fn method(line: &Json) -> Option<&str> {
    let request = &line["request"];
    request["method"].as_str().or_else(|| request["command"].as_str())
}

struct Replay {
    node: Node,
    report: Report,
    labels: BTreeMap<String, usize>,
}

/// What a submit answer says, apart from the transaction itself.
const SUBMIT_FIELDS: [&str; 12] = [
    "engine_result",
    "engine_result_code",
    "engine_result_message",
    "accepted",
    "applied",
    "broadcast",
    "queued",
    "kept",
    "account_sequence_available",
    "account_sequence_next",
    "open_ledger_cost",
    "validated_ledger_index",
];

impl Replay {
    /// Labels repeat: the second and later ones get a number.
    fn label(&mut self, line: &Json) -> String {
        let label = line["label"].as_str().unwrap_or("?").to_owned();
        let n = self.labels.entry(label.clone()).or_default();
        *n += 1;
        if *n == 1 { label } else { format!("{label} #{n}") }
    }

    fn submit(&mut self, line: &Json) {
        let label = self.label(line);
        let blob = const_hex::decode(line["tx_blob"].as_str().unwrap()).unwrap();
        let response = match &line["response"]["result"] {
            Json::Null => &line["response"],
            result => result,
        };
        let mut wrong = Vec::new();
        match PreparedTx::parse_and_check(&blob) {
            Err(error) => {
                let error = self.node.refusal(&error);
                if response["error"] != "invalidTransaction" {
                    wrong.push(format!(
                        "{} -> invalidTransaction: {error}",
                        response["engine_result"]
                    ));
                } else if response["error_exception"] != error {
                    wrong.push(format!(
                        "error_exception {} -> {error}",
                        response["error_exception"]
                    ));
                }
            }
            Ok(tx) => {
                let fail_hard = [&line["fail_hard"], &line["request"]["fail_hard"]]
                    .iter()
                    .any(|flag| flag.as_bool() == Some(true))
                    || line["params"]["fail_hard"] == true;
                let outcome = self.node.submit(tx, fail_hard);
                let result = outcome.engine_result;
                let state = outcome.ledger_state;
                let of_state = |pick: fn(xrpl_standalone::node::LedgerState) -> Json| {
                    state.map_or(Json::Null, pick)
                };
                let ours = [
                    result.name().into(),
                    result.code().into(),
                    result.message().into(),
                    outcome.accepted.into(),
                    outcome.applied.into(),
                    outcome.broadcast.into(),
                    outcome.queued.into(),
                    outcome.kept.into(),
                    of_state(|s| s.account_sequence_available.into()),
                    of_state(|s| s.account_sequence_next.into()),
                    of_state(|s| s.open_ledger_cost.to_string().into()),
                    of_state(|s| s.validated_ledger_index.into()),
                ];
                for (name, ours) in SUBMIT_FIELDS.iter().zip(ours) {
                    if response[*name] != ours {
                        wrong.push(format!("{name} {} -> {ours}", response[*name]));
                    }
                }
            }
        }
        self.report.submits.count(wrong.is_empty());
        if !wrong.is_empty() && self.report.first.is_none() {
            let tx = serde_json::to_string_pretty(&line["tx_json"]).unwrap_or_default();
            let what = wrong.join("\n  ");
            self.report.first =
                Some(format!("submit {label:?}\n{tx}\nrecorded -> here:\n  {what}"));
        }
        self.report.note(label, wrong);
    }

    /// Requests may have submitted something too: signed here, or by several.
    fn request(&mut self, line: &Json) {
        let response = &line["response"]["result"];
        let submits = matches!(method(line), Some("submit" | "submit_multisigned"));
        let Some(blob) = response["tx_blob"].as_str().filter(|_| submits) else { return };
        let Ok(tx) = PreparedTx::parse_and_check(&const_hex::decode(blob).unwrap()) else { return };
        let fail_hard = line["request"]["fail_hard"] == true
            || line["request"]["params"][0]["fail_hard"] == true;
        let hash = tx.hash.to_string();
        let result = self.node.submit(tx, fail_hard).engine_result;
        let recorded = &response["engine_result"];
        if *recorded != result.name() {
            let wrong = format!("engine_result {recorded} -> {result}");
            if self.report.first.is_none() {
                self.report.first = Some(format!("request to submit {hash}: {wrong}"));
            }
            self.report.note(format!("request to submit {}", &hash[..8]), vec![wrong]);
        }
    }

    /// Empty ledgers in a row that were not recorded one by one: each closed a second after the one
    /// before, as fast as they were asked for. The hash of the next one that was shows it.
    fn note(&mut self, line: &Json) {
        for _ in 0..line["count"].as_u64().unwrap_or(0) {
            let after = self.node.closed().header.close_time + 1;
            self.node.accept_at(after);
        }
    }

    fn accept(&mut self, line: &Json) {
        let theirs = match &line["ledger"]["ledger"] {
            Json::Null => &line["ledger"],
            ledger => ledger,
        };
        let close_time = theirs["close_time"].as_u64().unwrap();
        let close_time = u32::try_from(close_time).unwrap();
        let ours = self.node.accept_at(close_time);
        let label = format!("ledger {}", ours.header.index);
        let mut wrong = Vec::new();
        for (name, ours) in [
            ("account_hash", ours.header.account_hash),
            ("transaction_hash", ours.header.transaction_hash),
            ("ledger_hash", ours.header.hash),
        ] {
            if theirs[name] != ours.to_string() {
                wrong.push(format!("{name} differs"));
            }
        }
        let (count, differing) = compare_transactions(theirs, &ours);
        if self.report.first.is_none() && !(wrong.is_empty() && differing.is_empty()) {
            let hashes = wrong.join(", ");
            self.report.first = Some(format!("{label}: {hashes}\n{}", diff::ledger(theirs, &ours)));
        }
        self.report.transactions.total += count;
        self.report.transactions.same += count.saturating_sub(differing.len());
        self.report.ledgers.count(wrong.is_empty());
        wrong.extend(differing);
        self.report.note(label, wrong);
    }
}

fn compare_transactions(theirs: &Json, ours: &ClosedLedger) -> (usize, Vec<String>) {
    let empty = Vec::new();
    let theirs: BTreeMap<&str, &Json> = theirs["transactions"]
        .as_array()
        .unwrap_or(&empty)
        .iter()
        .map(|tx| (tx["hash"].as_str().unwrap(), tx))
        .collect();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for tx in &ours.transactions {
        let hash = tx.hash().to_string();
        let Some(their) = theirs.get(hash.as_str()) else {
            wrong.push(format!("{} only here ({})", &hash[..8], tx.result));
            continue;
        };
        let read = tx.read();
        let mut meta = read.metadata.to_json(Definitions::builtin());
        let their = &their["metaData"];
        if their.get("delivered_amount").is_some() {
            let delivered = delivered_amount(&read.tx.object, &read.metadata);
            meta["delivered_amount"] = delivered.map_or(Json::Null, |amount| amount.to_json());
        }
        if let Some(id) = created_issuance(&read.tx.object, &read.metadata) {
            meta["mpt_issuance_id"] = id.to_string().into();
        }
        if let Some(difference) = first_difference("", their, &meta) {
            wrong.push(format!("{} {difference}", &hash[..8]));
        }
        seen.insert(hash);
    }
    for (hash, tx) in &theirs {
        if !seen.contains(*hash) {
            let result = &tx["metaData"]["TransactionResult"];
            let kind = tx["TransactionType"].as_str().unwrap_or("?");
            wrong.push(format!("{} {kind} {result} missing", &hash[..8]));
        }
    }
    (theirs.len().max(ours.transactions.len()), wrong)
}

/// Path and values of the first difference.
pub(crate) fn first_difference(path: &str, theirs: &Json, ours: &Json) -> Option<String> {
    match (theirs, ours) {
        (Json::Object(a), Json::Object(b)) => {
            let keys: BTreeSet<_> = a.keys().chain(b.keys()).collect();
            keys.into_iter().find_map(|key| {
                let of =
                    |map: &serde_json::Map<String, Json>| map.get(key).cloned().unwrap_or_default();
                first_difference(&format!("{path}.{key}"), &of(a), &of(b))
            })
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(i, (a, b))| first_difference(&format!("{path}[{i}]"), a, b)),
        (a, b) if a == b => None,
        (a, b) => {
            let cut = |json: &Json| json.to_string().chars().take(120).collect::<String>();
            Some(format!("{path}: {} -> {}", cut(a), cut(b)))
        }
    }
}

#[derive(Default)]
pub(crate) struct Score {
    same: usize,
    total: usize,
}

impl Score {
    fn count(&mut self, same: bool) {
        self.same += usize::from(same);
        self.total += 1;
    }
}

#[derive(Default)]
pub(crate) struct Report {
    name: String,
    submits: Score,
    ledgers: Score,
    transactions: Score,
    found: Found,
    /// The first difference, for people.
    first: Option<String>,
}

impl Report {
    fn note(&mut self, label: String, wrong: Vec<String>) {
        if !wrong.is_empty() {
            self.found.insert(label, wrong);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |s: &Score| format!("{}/{}", s.same, s.total);
        writeln!(
            f,
            "{}: submits {}, ledger hashes {}, transactions {}",
            self.name,
            show(&self.submits),
            show(&self.ledgers),
            show(&self.transactions)
        )?;
        for (label, wrong) in &self.found {
            for what in wrong {
                writeln!(f, "  {label}: {what}")?;
            }
        }
        if let Some(first) = &self.first {
            writeln!(f, "first difference: {first}")?;
        }
        Ok(())
    }
}

/// The checked-in list: for each recording, labels and ledgers that differ, by reason.
pub(crate) struct Differences(BTreeMap<String, BTreeMap<String, Vec<String>>>);

impl Differences {
    pub(crate) fn load() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/replay_differences.json");
        let text = std::fs::read_to_string(path).unwrap();
        Self(serde_json::from_str(&text).unwrap())
    }

    /// Every difference is listed, and everything listed differs.
    pub(crate) fn check(&self, name: &str, report: &Report) -> Result<(), String> {
        let listed: BTreeSet<&String> =
            self.0.get(name).into_iter().flat_map(|r| r.values()).flatten().collect();
        let found: BTreeSet<&String> = report.found.keys().collect();
        let new: Vec<_> = found.difference(&listed).collect();
        let gone: Vec<_> = listed.difference(&found).collect();
        if new.is_empty() && gone.is_empty() {
            return Ok(());
        }
        Err(format!("{name}: not listed but different: {new:?}\nlisted but equal: {gone:?}"))
    }
}
