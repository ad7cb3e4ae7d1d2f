//! Where a run stands, as one object: what is printed at intervals, of this process or of another.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use xrpl_generator::{StageProgress, Status, pacing::PacingStats};

use crate::{counts::LoadCounts, scenario::progress_text, summary::FinalityMs};

/// Where a run stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Seconds since the load started; of another process, since it started.
    pub seconds: u64,
    /// Newest validated ledger.
    pub ledger_index: u32,
    /// Its transactions, where a source said how many.
    pub ledger_txn_count: Option<u32>,
    /// Those of them that are tracked.
    pub ledger_ours: u64,
    /// Given to the tracker by the load, as all that is counted here: the preparation is no part of it.
    pub submitted: u64,
    /// Validated.
    pub validated: u64,
    /// Without a final state.
    pub pending: u64,
    /// Meant to succeed, and ended in another state than VALIDATED.
    pub failed: u64,
    /// Deliberately invalid ones.
    pub expected_invalid: u64,
    /// Drawn at random.
    #[serde(default)]
    pub fuzzed: u64,
    /// What nodes did meanwhile that they must not.
    #[serde(default)]
    pub findings: u64,
    /// By state.
    pub by_state: BTreeMap<String, u64>,
    /// Of the last ten seconds.
    pub validated_per_second: f64,
    /// Median of submission to validation.
    pub finality_ms_p50: u64,
    /// Its spread.
    pub finality_ms: FinalityMs,
    /// Final results other than success.
    pub failures: BTreeMap<String, u64>,
    /// State of the load among its stages; none while it is not prepared.
    #[serde(default)]
    pub stage: Option<StageProgress>,
    /// What the load has to do with, and what became of it; none while it is not prepared.
    #[serde(default)]
    pub load: Option<LoadSnapshot>,
}

/// The load: what carries it, whether its schedule is kept, and its types.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadSnapshot {
    /// Accounts that take part.
    pub accounts: u64,
    /// Transactions of one account in flight at most.
    pub max_pending: u64,
    /// What became of the slots of its schedule since the load started.
    pub pacing: PacingStats,
    /// Submitted by type.
    pub by_type: BTreeMap<String, u64>,
}

impl From<&Status> for LoadSnapshot {
    fn from(status: &Status) -> Self {
        let by_type = &status.stats.by_type;
        Self {
            accounts: status.total_accounts as u64,
            max_pending: status.max_pending as u64,
            pacing: status.stats.pacing,
            by_type: by_type.iter().map(|(name, of)| ((*name).to_owned(), of.submitted)).collect(),
        }
    }
}

impl LoadSnapshot {
    /// Of another process, from its `/workload/status`; an older one does not have all of it.
    fn of_api(detail: &Json) -> Option<Self> {
        let by_type = detail["stats"]["by_type"].as_object()?;
        Some(Self {
            accounts: detail["total_accounts"].as_u64()?,
            max_pending: detail["max_pending"].as_u64()?,
            pacing: serde_json::from_value(detail["stats"]["pacing"].clone()).ok()?,
            by_type: by_type
                .iter()
                .map(|(name, of)| (name.clone(), of["submitted"].as_u64().unwrap_or(0)))
                .collect(),
        })
    }
}

impl Snapshot {
    /// Of another process, from what its API answers to `/state/summary`, `/state/ledgers`,
    /// `/workload/scenario` and `/workload/status`.
    #[must_use]
    pub fn of_api(summary: &Json, ledgers: &Json, scenario: &Json, workload: &Json) -> Self {
        let number = |value: &Json| value.as_u64().unwrap_or(0);
        let small = |value: &Json| u32::try_from(number(value)).unwrap_or(u32::MAX);
        let spread = &summary["finality_ms"];
        let newest = &ledgers["ledgers"][0];
        let load: LoadCounts = serde_json::from_value(summary["load"].clone()).unwrap_or_default();
        Self {
            seconds: number(&summary["uptime_seconds"]),
            ledger_index: small(&summary["ledger_index"]),
            ledger_txn_count: newest["txn_count"].as_u64().map(|_| small(&newest["txn_count"])),
            ledger_ours: number(&newest["ours"]),
            submitted: load.submitted,
            validated: load.validated,
            pending: number(&summary["pending"]),
            failed: load.failed,
            expected_invalid: load.expected_invalid,
            fuzzed: load.fuzzed,
            findings: number(&summary["findings"]),
            by_state: load.by_state,
            validated_per_second: summary["validated_per_second"].as_f64().unwrap_or(0.0),
            finality_ms_p50: number(&spread["p50"]),
            finality_ms: FinalityMs {
                p50: number(&spread["p50"]),
                p90: number(&spread["p90"]),
                p99: number(&spread["p99"]),
                max: number(&spread["max"]),
            },
            failures: load.failures,
            // An older program tells none.
            stage: serde_json::from_value(scenario["progress"].clone()).unwrap_or_default(),
            load: LoadSnapshot::of_api(&workload["detail"]),
        }
    }

    /// Transactions per second that are due now, where the clock says so.
    #[must_use]
    pub fn target(&self) -> Option<f64> {
        self.stage.as_ref()?.target_tps.filter(|target| *target > 0.0)
    }

    /// Those that are counted apart, in words.
    #[must_use]
    pub fn apart(&self) -> String {
        let of = |n: u64, what: &str| match n {
            0 => String::new(),
            n => format!(", {n} {what}"),
        };
        let invalid = of(self.expected_invalid, "invalid on purpose");
        invalid + &of(self.fuzzed, "at random") + &of(self.findings, "FINDINGS")
    }

    /// One line.
    #[must_use]
    pub fn line(&self) -> String {
        let apart = self.apart();
        let stage = match &self.stage {
            Some(stage) if stage.stages > 1 => format!("  {}", progress_text(stage)),
            _ => String::new(),
        };
        format!(
            "{:>5}s  ledger {}  submitted {}  validated {} ({:.0}/s, p50 {} ms)  pending {}  failed {}{apart}{stage}",
            self.seconds,
            self.ledger_index,
            self.submitted,
            self.validated,
            self.validated_per_second,
            self.finality_ms_p50,
            self.pending,
            self.failed,
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_line_has_every_number() {
        let line = Snapshot {
            seconds: 12,
            ledger_index: 345,
            submitted: 678,
            validated: 567,
            pending: 91,
            failed: 23,
            expected_invalid: 45,
            validated_per_second: 199.6,
            finality_ms_p50: 987,
            stage: Some(StageProgress {
                stage: 2,
                stages: 5,
                name: "climb".into(),
                step: Some(1),
                steps: Some(4),
                target_tps: Some(30.0),
                seconds_left: Some(90.4),
                ..StageProgress::default()
            }),
            ..Snapshot::default()
        }
        .line();
        for part in [
            "12s",
            "ledger 345",
            "submitted 678",
            "validated 567 (200/s, p50 987 ms)",
            "pending 91",
            "failed 23",
            "45 invalid",
            "climb (2 of 5), step 1 of 4, 30.0/s, 1m30s left",
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
    }

    #[test]
    fn another_process_is_read_by_its_api() {
        let summary = json!({
            "uptime_seconds": 7, "ledger_index": 20, "total_tracked": 90, "pending": 2,
            "validated_per_second": 4.5, "by_state": {"VALIDATED": 86, "REJECTED": 1},
            "load": LoadCounts {
                submitted: 9,
                validated: 6,
                failed: 1,
                failures: BTreeMap::from([("temBAD_FEE".to_owned(), 1)]),
                ..LoadCounts::default()
            },
            "finality_ms": {"p50": 10, "p90": 20, "p99": 30, "max": 40},
        });
        let ledgers = json!({"ledgers": [{"txn_count": 5, "ours": 4}]});
        let progress = StageProgress { stage: 1, stages: 2, ..StageProgress::default() };
        let scenario = json!({"progress": progress});
        let workload = json!({"detail": {
            "total_accounts": 100, "max_pending": 5,
            "stats": {
                "pacing": PacingStats { on_time: 8, ..PacingStats::default() },
                "by_type": {"Payment": {"submitted": 8, "validated": 6}},
            },
        }});
        let seen = Snapshot::of_api(&summary, &ledgers, &scenario, &workload);
        let load = seen.load.as_ref().unwrap();
        assert_eq!((load.accounts, load.max_pending, load.pacing.on_time), (100, 5, 8));
        assert_eq!(load.by_type, BTreeMap::from([("Payment".to_owned(), 8)]));
        assert_eq!(seen.stage, Some(progress));
        assert_eq!((seen.seconds, seen.ledger_index, seen.validated), (7, 20, 6));
        assert_eq!(seen.submitted, 9, "the preparation is no part of it");
        assert_eq!((seen.ledger_txn_count, seen.ledger_ours), (Some(5), 4));
        assert_eq!((seen.finality_ms_p50, seen.finality_ms.max), (10, 40));
        assert_eq!(seen.failures, BTreeMap::from([("temBAD_FEE".to_owned(), 1)]));
        // An older program, or none: nothing is made up, and nothing panics.
        assert_eq!(
            Snapshot::of_api(&json!(1), &json!([]), &json!({}), &json!({})),
            Snapshot::default()
        );
    }
}
