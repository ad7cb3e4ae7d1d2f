//! What a run comes to: one object for machines, a few lines for people, and whether all is well.

use std::{collections::BTreeMap, fmt, path::Path, sync::Arc};

use serde::{Deserialize, Serialize};
use xrpl_generator::{Spread, Status, findings::Finding};
use xrpl_tracker::{Cell, IntentKind, State, Stats, store::StoreSize};

use crate::{
    counts::Marks,
    figures::{self, Measurements},
    limits::LimitVerdict,
    record::Intervention,
    shadow::ShadowView,
};

/// From submission to validation, milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinalityMs {
    /// Half of them took at most this.
    pub p50: u64,
    /// 90 % of them.
    pub p90: u64,
    /// 99 % of them.
    pub p99: u64,
    /// All.
    pub max: u64,
}

impl FinalityMs {
    /// Of times in milliseconds; zeros where nothing was measured.
    #[must_use]
    pub fn of(times: &Spread) -> Self {
        let at = |share| times.quantile(share).unwrap_or(0);
        Self { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: times.max().unwrap_or(0) }
    }
}

/// How large the store is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreTold {
    /// Transactions in it, of all runs.
    pub rows: u64,
    /// Bytes of the file and its log; none in memory.
    pub bytes: Option<u64>,
}

/// A number of bytes as people read it.
#[must_use]
pub fn size_text(bytes: u64) -> String {
    const STEP: f64 = 1024.0;
    let mut value = bytes as f64;
    for unit in ["bytes", "KiB", "MiB"] {
        if value < STEP {
            let digits = if unit == "bytes" { 0 } else { 1 };
            return format!("{value:.digits$} {unit}");
        }
        value /= STEP;
    }
    format!("{value:.1} GiB")
}

/// The last line of `run --json`. Counts are of everything, as the store has it; times and rates are
/// those of the run's record, and so of its steady stages alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Transactions of the run, preparation included.
    pub submitted: u64,
    /// Those of them that earlier starts of the program submitted, on whose run this one went on.
    pub earlier: u64,
    /// Those of them that prepared the accounts.
    pub preparation: u64,
    /// Those by state.
    pub by_state: BTreeMap<String, u64>,
    /// Validated ones by the source that reported them first.
    pub validated_by_source: BTreeMap<String, u64>,
    /// Without a final state when the run ended.
    pub undecided: u64,
    /// Rejections that a validated ledger overturned; 0 in a healthy run.
    pub overturned: u64,
    /// Transactions of which an end was taken back, because a ledger that it rested on turned out to
    /// be another one.
    pub revoked: u64,
    /// Deliberately invalid ones.
    pub expected_invalid: u64,
    /// Final results.
    pub engine_results: BTreeMap<String, u64>,
    /// How long validation took, in the steady stages.
    pub finality_ms: FinalityMs,
    /// Ledgers from submission to validation, and how many took that many, in the same stages.
    pub finality_ledgers: BTreeMap<String, u64>,
    /// Validated in the same stages, over the time until the last of them was.
    pub validated_per_second: f64,
    /// How large the store is.
    pub store: StoreTold,
    /// Accounts and transactions follow from it.
    pub seed: String,
    /// The nodes that were driven.
    pub endpoint: String,
    /// Why the target rate could not be reached; none if the accounts could carry it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub shortfall: Option<String>,
    /// Why this was not the load that was asked for, where the program itself or its settings are to
    /// blame; none if it was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub not_kept: Option<String>,
    /// What was drawn at random; none without `--fuzz`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fuzz: Option<FuzzSummary>,
    /// What `--shadow` came to; none without it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub shadow: Option<ShadowView>,
    /// Stages that never had what their pace was to keep, in words; left out where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub unreached: Vec<String>,
    /// What somebody changed while the load went on; left out where nobody did.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub interventions: Vec<Intervention>,
    /// What the scenario's limits came to; left out where it has none.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub limits: Vec<LimitVerdict>,
}

/// What was drawn at random, and what the node did meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FuzzSummary {
    /// Those that were tracked, of the run.
    pub tracked: u64,
    /// Those that could not be, of this process.
    pub untracked: u64,
    /// Accounts that were lost and replaced.
    pub accounts_lost: u64,
    /// What those tracked ended with, by type.
    pub by_type: BTreeMap<String, BTreeMap<String, u64>>,
    /// What was done to the bytes of the others, and what the node answered.
    pub untracked_answers: BTreeMap<String, BTreeMap<String, u64>>,
    /// What the node did that no transaction may make it do.
    pub findings: u64,
}

impl FuzzSummary {
    /// Of the tracker's ends, the generator's status, and what was found.
    #[must_use]
    pub fn new(matrix: &[Cell], status: &Status, findings: &[Arc<Finding>]) -> Self {
        let (fuzz, by_type) = (&status.stats.fuzz, fuzz_results(matrix));
        let untracked = fuzz.untracked.iter();
        Self {
            tracked: by_type.values().flat_map(BTreeMap::values).sum(),
            untracked: fuzz.untracked_total(),
            accounts_lost: fuzz.accounts_lost,
            by_type,
            untracked_answers: untracked.map(|(n, of)| ((*n).to_owned(), of.clone())).collect(),
            findings: status.findings.max(findings.len() as u64),
        }
    }

    /// All types' results together.
    fn results(&self) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        for (result, n) in self.by_type.values().flatten() {
            *all.entry(result.clone()).or_default() += n;
        }
        all
    }
}

/// What was drawn at random has ended with, by type; what has no result, with its state.
#[must_use]
pub fn fuzz_results(matrix: &[Cell]) -> BTreeMap<String, BTreeMap<String, u64>> {
    let mut by_type: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for cell in matrix.iter().filter(|cell| cell.intent == IntentKind::Any) {
        let result = cell.last.as_ref().map_or_else(|| cell.state.name(), |last| last.as_str());
        let results = by_type.entry(cell.transaction_type.to_string()).or_default();
        *results.entry(result.to_owned()).or_default() += cell.count;
    }
    by_type
}

/// Findings in words, a line each: they make the exit code 1.
#[must_use]
pub fn findings_told(findings: &[Arc<Finding>], file: &Path) -> Vec<String> {
    /// The file has all of them.
    const TOLD: usize = 10;
    let mut lines: Vec<String> = findings
        .iter()
        .take(TOLD)
        .map(|found| {
            let node = found.node.as_ref().map_or_else(String::new, |node| format!(" at {node}"));
            let suspects = match found.suspects.as_slice() {
                [] => "no transaction is suspected".to_owned(),
                [one] => format!("after transaction {}", one.tx_hash),
                [first, rest @ ..] => {
                    format!("after transaction {} or one of {} others", first.tx_hash, rest.len())
                }
            };
            format!("finding {}{node}: {}, {suspects}", found.kind.name(), found.what)
        })
        .collect();
    if findings.len() > TOLD {
        lines.push(format!("{} more findings", findings.len() - TOLD));
    }
    if !findings.is_empty() {
        lines.push(format!("the findings, with the transactions, are in {}", file.display()));
    }
    lines
}

impl Summary {
    /// Of the tracker's counters, what was measured of the load, and what was counted before it.
    #[must_use]
    pub fn new(
        stats: &Stats,
        load: &Measurements,
        marks: &Marks,
        seed: &str,
        endpoint: &str,
        store: StoreSize,
    ) -> Self {
        let rate = figures::find("validated_per_second").and_then(|figure| figure.of(load));
        let ledgers = load.finality_ledgers.counts();
        let (earlier, preparation) = marks.before_load(stats, |stats| stats.total_tracked);
        Self {
            submitted: stats.total_tracked,
            earlier,
            preparation,
            by_state: stats.by_state.iter().map(|(s, n)| (s.name().to_owned(), *n)).collect(),
            validated_by_source: stats
                .validated_by_source
                .iter()
                .map(|(source, n)| (source.name().to_owned(), *n))
                .collect(),
            undecided: stats.pending,
            overturned: stats.overturned,
            revoked: stats.revoked,
            expected_invalid: stats.expected_invalid,
            engine_results: stats
                .engine_results
                .iter()
                .map(|(result, n)| (result.as_str().to_owned(), *n))
                .collect(),
            finality_ms: FinalityMs::of(&load.finality_ms),
            finality_ledgers: ledgers.map(|(ledgers, n)| (ledgers.to_string(), n)).collect(),
            validated_per_second: (rate.unwrap_or(0.0) * 10.0).round() / 10.0,
            store: StoreTold { rows: store.rows, bytes: store.bytes },
            seed: seed.to_owned(),
            endpoint: endpoint.to_owned(),
            shortfall: None,
            not_kept: None,
            fuzz: None,
            shadow: None,
            unreached: Vec::new(),
            interventions: Vec::new(),
            limits: Vec::new(),
        }
    }
}

/// What is counted of what went wrong, and how it is told.
type Trouble = (fn(&Stats) -> u64, &'static str);

fn of_valid(stats: &Stats, state: State) -> u64 {
    stats.valid_by_state.get(&state).copied().unwrap_or(0)
}

/// What went wrong in a run, and how much of it before its load; empty if nothing did.
#[must_use]
pub fn failures(stats: &Stats, marks: &Marks) -> Vec<String> {
    let kinds: [Trouble; 9] = [
        // What a replacement took the place of has not failed.
        (
            |stats| of_valid(stats, State::Rejected).saturating_sub(stats.superseded),
            "meant to succeed, but rejected",
        ),
        (|stats| of_valid(stats, State::Expired), "meant to succeed, but expired"),
        (
            |stats| of_valid(stats, State::FailedNet),
            "meant to succeed, but never sent (FAILED_NET)",
        ),
        (
            |stats| stats.invalid_otherwise,
            "deliberately invalid, but with a result other than predicted",
        ),
        (|stats| stats.overturned, "rejected but found in a validated ledger (overturned)"),
        (|stats| stats.revoked, "whose final state was taken back with its ledger (revoked)"),
        (
            |stats| stats.contradicted,
            "proven absent but found in a validated ledger (contradicted)",
        ),
        (|stats| stats.ledger_mismatches, "ledgers for which nodes gave different hashes"),
        (|stats| stats.store_failures, "failed writes to the store"),
    ];
    let told = |(count, what): Trouble| {
        let n = count(stats);
        let (earlier, prepared) = marks.before_load(stats, count);
        let parts = [
            (earlier, "before this start of the program"),
            (prepared, "while accounts were prepared"),
        ];
        let parts = parts.iter().filter(|(part, _)| *part > 0);
        let parts: Vec<_> = parts.map(|(part, when)| format!("{part} of them {when}")).collect();
        let apart =
            if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
        (n > 0).then(|| format!("{n} {what}{apart}"))
    };
    let open = (stats.pending > 0)
        .then(|| format!("{} without a final state when the run ended", stats.pending));
    kinds.into_iter().filter_map(told).chain(open).collect()
}

fn list(f: &mut fmt::Formatter<'_>, what: &str, map: &BTreeMap<String, u64>) -> fmt::Result {
    let parts: Vec<_> =
        map.iter().filter(|(_, n)| **n > 0).map(|(name, n)| format!("{name} {n}")).collect();
    if parts.is_empty() { Ok(()) } else { writeln!(f, "  {what:<18}{}", parts.join(", ")) }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "summary ({}, seed {:?})", self.endpoint, self.seed)?;
        let why: Vec<_> = self.shortfall.iter().chain(&self.not_kept).map(String::as_str).collect();
        match why[..] {
            [] => writeln!(f)?,
            _ => writeln!(f, ": {}", why.join("; "))?,
        }
        write!(f, "  {:<18}{}", "submitted", self.submitted)?;
        if self.earlier > 0 {
            write!(f, ", {} of them before this start of the program", self.earlier)?;
        }
        match self.preparation {
            0 => writeln!(f)?,
            n => writeln!(f, ", {n} of them to prepare accounts")?,
        }
        list(f, "by state", &self.by_state)?;
        list(f, "validated by", &self.validated_by_source)?;
        list(f, "results", &self.engine_results)?;
        let FinalityMs { p50, p90, p99, max } = self.finality_ms;
        writeln!(f, "  {:<18}p50 {p50}, p90 {p90}, p99 {p99}, max {max}", "finality ms")?;
        list(f, "finality ledgers", &self.finality_ledgers)?;
        writeln!(f, "  {:<18}{:.1}", "validated/s", self.validated_per_second)?;
        if let Some(bytes) = self.store.bytes {
            let StoreTold { rows, .. } = self.store;
            writeln!(f, "  {:<18}{rows} transactions, {}", "store", size_text(bytes))?;
        }
        if self.expected_invalid > 0 {
            writeln!(f, "  {:<18}{} (deliberately)", "invalid", self.expected_invalid)?;
        }
        if let Some(fuzz) = &self.fuzz {
            let FuzzSummary { tracked, untracked, accounts_lost, findings, .. } = fuzz;
            let types = fuzz.by_type.len();
            writeln!(
                f,
                "  {:<18}{tracked} of {types} types, {untracked} that cannot be read, {accounts_lost} \
                 accounts lost, {findings} findings",
                "fuzzed"
            )?;
            list(f, "fuzz results", &fuzz.results())?;
        }
        if let Some(shadow) = &self.shadow {
            writeln!(f, "  {:<18}{}", "shadow", shadow.line())?;
        }
        write!(
            f,
            "  {:<18}{}, overturned {}, revoked {}",
            "undecided", self.undecided, self.overturned, self.revoked
        )?;
        for unreached in &self.unreached {
            write!(f, "\n  {:<18}{unreached}", "not reached")?;
        }
        for intervention in &self.interventions {
            write!(f, "\n  {:<18}{intervention}", "by hand")?;
        }
        for limit in &self.limits {
            let outcome = if limit.broken { "limit broken" } else { "limit kept" };
            write!(f, "\n  {outcome:<18}{limit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn healthy() -> Stats {
        Stats {
            total_tracked: 10,
            by_state: State::ALL
                .into_iter()
                .map(|s| (s, u64::from(s == State::Validated) * 10))
                .collect(),
            valid_by_state: BTreeMap::from([(State::Validated, 10)]),
            ..Stats::default()
        }
    }

    #[test]
    fn the_object_has_exactly_the_fields_of_the_promise() {
        let size = StoreSize { rows: 10, pruned: 0, bytes: Some(4_096) };
        let mut load = Measurements { validated: 8, validated_until: 2.0, ..Default::default() };
        [100, 100, 200, 300].into_iter().for_each(|ms| load.finality_ms.record(ms));
        [1, 1, 2].into_iter().for_each(|ledgers| load.finality_ledgers.record(ledgers));
        let marks = Marks {
            start: Stats { total_tracked: 3, ..Stats::default() },
            load: Some(Stats { total_tracked: 5, ..Stats::default() }),
        };
        let summary = Summary::new(&healthy(), &load, &marks, "s", "http://a", size);
        assert!(summary.to_string().contains("10 transactions, 4.0 KiB"), "{summary}");
        let counted =
            "10, 3 of them before this start of the program, 2 of them to prepare accounts";
        assert!(summary.to_string().contains(counted), "{summary}");
        let json = serde_json::to_value(summary).unwrap();
        let keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let mut promised = [
            "submitted",
            "earlier",
            "preparation",
            "by_state",
            "validated_by_source",
            "undecided",
            "overturned",
            "revoked",
            "expected_invalid",
            "engine_results",
            "finality_ms",
            "finality_ledgers",
            "validated_per_second",
            "store",
            "seed",
            "endpoint",
        ];
        promised.sort_unstable();
        assert_eq!(keys, promised);
        assert_eq!(json["by_state"]["VALIDATED"], 10);
        assert_eq!(json["by_state"]["EXPIRED"], 0);
        assert_eq!(json["validated_per_second"], 4.0);
        assert_eq!(json["finality_ms"], json!({"p50": 100, "p90": 300, "p99": 300, "max": 300}));
        assert_eq!(json["finality_ledgers"], json!({"1": 2, "2": 1}));
    }

    #[test]
    fn a_load_that_was_not_the_one_asked_for_is_told_in_the_first_line() {
        let shortfall = Some("target 200/s, 166/s possible".to_owned());
        let size = StoreSize::default();
        let not_kept = Some("the schedule was not kept".to_owned());
        let (load, marks) = (Measurements::default(), Marks::default());
        let healthy = Summary::new(&healthy(), &load, &marks, "s", "http://a", size);
        let summary = Summary { shortfall, not_kept, ..healthy };
        let text = summary.to_string();
        assert_eq!(
            text.lines().next(),
            Some(
                "summary (http://a, seed \"s\"): target 200/s, 166/s possible; the schedule was not \
                 kept"
            )
        );
        let json = serde_json::to_value(&summary).unwrap();
        assert_eq!(json["shortfall"], "target 200/s, 166/s possible");
        assert_eq!(json["not_kept"], "the schedule was not kept");
    }

    #[test]
    fn each_kind_of_failure_is_named_and_health_has_none() {
        let marks = Marks { start: Stats::default(), load: Some(healthy()) };
        let told = |stats: &Stats| failures(stats, &marks);
        assert_eq!(told(&healthy()), Vec::<String>::new());
        for state in [State::Rejected, State::Expired, State::FailedNet] {
            let mut stats = healthy();
            stats.valid_by_state.insert(state, 2);
            assert_eq!(told(&stats).len(), 1, "{state}");
            // The same state of a deliberately invalid one is as it should be.
            let mut stats = healthy();
            stats.by_state.insert(state, 2);
            assert_eq!(told(&stats).len(), 0, "{state}");
        }
        let mut stats = healthy();
        stats.valid_by_state.insert(State::Rejected, 2);
        stats.superseded = 2;
        assert_eq!(told(&stats), Vec::<String>::new(), "replaced");
        for spoil in [
            (|s: &mut Stats| s.pending = 1) as fn(&mut Stats),
            |s| s.invalid_otherwise = 1,
            |s| s.overturned = 1,
            |s| s.revoked = 1,
            |s| s.contradicted = 1,
            |s| s.ledger_mismatches = 1,
            |s| s.store_failures = 1,
        ] {
            let mut stats = healthy();
            spoil(&mut stats);
            assert_eq!(told(&stats).len(), 1);
        }
    }

    #[test]
    fn failures_before_the_load_are_told_apart_from_its_own() {
        let expired = |n| {
            let mut stats = healthy();
            stats.valid_by_state.insert(State::Expired, n);
            stats
        };
        for (start, load, told) in [
            (0, Some(0), "7 meant to succeed, but expired"),
            (
                0,
                Some(2),
                "7 meant to succeed, but expired (2 of them while accounts were prepared)",
            ),
            (
                3,
                Some(5),
                "7 meant to succeed, but expired (3 of them before this start of the program, 2 of \
                 them while accounts were prepared)",
            ),
            (0, None, "7 meant to succeed, but expired (7 of them while accounts were prepared)"),
        ] {
            let marks = Marks { start: expired(start), load: load.map(expired) };
            assert_eq!(failures(&expired(7), &marks), [told]);
        }
    }
}
