//! Prometheus text, made from the counters that exist anyway. No ledger index and no address is a
//! label: labels must not grow with time.

use std::{
    collections::BTreeMap,
    fmt::{Display, Write},
};

use xrpl_client::timing::Snapshot;
use xrpl_generator::{findings::FindingKind, fuzz::FuzzStats};
use xrpl_tracker::{Stats, WsStats, stats::StepTimes};

use crate::{api::READERS, session::App, summary::fuzz_results};

/// A metric, without its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// Its name.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// What it counts.
    pub help: String,
    /// The label of its series, if it has several.
    pub label: Option<String>,
}

#[derive(Default)]
struct Text {
    out: String,
    families: Vec<Family>,
}

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str, label: Option<&str>) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        self.families.push(Family {
            name: name.to_owned(),
            kind: kind.to_owned(),
            help: help.to_owned(),
            label: label.map(ToOwned::to_owned),
        });
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.head(name, kind, help, None);
        let _ = writeln!(self.out, "{name} {value}");
    }

    fn each<L: Display, V: Display>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (L, V)>,
    ) {
        self.head(name, kind, help, Some(label));
        for (of, value) in values {
            let of = of.to_string().replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = writeln!(self.out, "{name}{{{label}=\"{of}\"}} {value}");
        }
    }
}

impl Text {
    fn histogram(&mut self, name: &str, labels: &str, times: &Snapshot) {
        let comma = if labels.is_empty() { "" } else { "," };
        let braced = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        for (bound, count) in &times.buckets {
            let _ = writeln!(self.out, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}");
        }
        let Snapshot { sum, count, .. } = times;
        let _ = writeln!(self.out, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {count}");
        let _ = writeln!(self.out, "{name}_sum{braced} {sum}\n{name}_count{braced} {count}");
    }
}

/// Everything that is counted, as Prometheus reads it.
#[must_use]
pub fn render(app: &App) -> String {
    collect(app).out
}

/// The metrics of [`render`], without their values.
#[must_use]
pub fn families(app: &App) -> Vec<Family> {
    collect(app).families
}

fn collect(app: &App) -> Text {
    let mut text = Text::default();
    transactions(&mut text, &app.tracker.stats());
    streams(&mut text, &app.tracker.ws_stats());
    if let Some(generator) = app.generator() {
        load(&mut text, &generator.last_status());
    }
    let health = app.pool.health();
    text.each(
        "xrpl_workload_endpoint_healthy",
        "gauge",
        "Whether requests go to the node.",
        "endpoint",
        health.iter().map(|node| (&node.name, u8::from(node.healthy))),
    );
    times(&mut text, &app.tracker.times(), &app.pool.rpc_times());
    fuzz(&mut text, app);
    outside(&mut text, app);
    shadow(&mut text, app);
    process(&mut text);
    let up = app.started.elapsed().as_secs();
    text.one("xrpl_workload_uptime_seconds", "gauge", "Seconds since the start.", up);
    text
}

/// What `--shadow` counts.
fn shadow(text: &mut Text, app: &App) {
    let view = app.shadow.view();
    text.each(
        "xrpl_workload_shadow_ledgers_total",
        "counter",
        "Ledgers of the node that were executed again, by outcome.",
        "outcome",
        [
            ("equal", view.ledgers_checked),
            ("different", view.ledgers_different),
            ("taken_over", view.ledgers_taken_over),
            ("skipped", view.ledgers_skipped),
        ],
    );
    for (name, kind, help, value) in [
        (
            "transactions_total",
            "counter",
            "Transactions in ledgers that came out equal.",
            view.transactions_checked,
        ),
        ("behind", "gauge", "Validated ledgers not executed again yet.", view.behind.into()),
    ] {
        text.one(&format!("xrpl_workload_shadow_{name}"), kind, help, value);
    }
}

fn transactions(text: &mut Text, stats: &Stats) {
    const SECONDS: f64 = 1000.0;
    text.one(
        "xrpl_workload_transactions_total",
        "counter",
        "Transactions tracked.",
        stats.total_tracked,
    );
    text.each(
        "xrpl_workload_transactions_by_state",
        "gauge",
        "Transactions by state.",
        "state",
        &stats.by_state,
    );
    text.each(
        "xrpl_workload_transactions_by_type_total",
        "counter",
        "Transactions by type.",
        "type",
        &stats.by_type,
    );
    text.each(
        "xrpl_workload_validated_by_source_total",
        "counter",
        "Validated transactions by the source that reported them first.",
        "source",
        &stats.validated_by_source,
    );
    text.each(
        "xrpl_workload_engine_results_total",
        "counter",
        "Final results.",
        "result",
        &stats.engine_results,
    );
    for (name, kind, help, value) in [
        ("pending", "gauge", "Transactions without a final state.", stats.pending),
        (
            "undecided",
            "gauge",
            "Past LastLedgerSequence without proof of absence.",
            stats.undecided,
        ),
        (
            "overturned_total",
            "counter",
            "Rejections overturned by a validated ledger.",
            stats.overturned,
        ),
        (
            "revoked_total",
            "counter",
            "Final states taken back because their ledger was not the network's.",
            stats.revoked,
        ),
        (
            "contradicted_total",
            "counter",
            "Proofs of absence contradicted by a ledger.",
            stats.contradicted,
        ),
        (
            "valid_failed_total",
            "counter",
            "Transactions meant to succeed that ended in another state than VALIDATED.",
            stats.valid_failed,
        ),
        (
            "superseded_total",
            "counter",
            "Transactions meant to succeed, rejected because another transaction submitted here used their Sequence or Ticket.",
            stats.superseded,
        ),
        (
            "expected_invalid_total",
            "counter",
            "Deliberately invalid transactions.",
            stats.expected_invalid,
        ),
        (
            "invalid_otherwise_total",
            "counter",
            "Deliberately invalid transactions that did not get the predicted result.",
            stats.invalid_otherwise,
        ),
        ("fuzzed_total", "counter", "Randomly generated transactions (`--fuzz`).", stats.fuzzed),
        ("resends_total", "counter", "Blobs sent again.", stats.resends),
        ("lookups_total", "counter", "Lookups made.", stats.lookups),
        ("ledger_index", "gauge", "Newest validated ledger.", u64::from(stats.ledger_index.0)),
        (
            "ledgers_backfilled_total",
            "counter",
            "Ledgers read because the stream missed them.",
            stats.ledgers_backfilled,
        ),
        (
            "ledger_mismatches_total",
            "counter",
            "Ledgers with different hashes from different nodes.",
            stats.ledger_mismatches,
        ),
        ("store_failures_total", "counter", "Store writes that failed.", stats.store_failures),
        (
            "task_restarts_total",
            "counter",
            "Background tasks restarted after a failure.",
            stats.task_restarts,
        ),
    ] {
        text.one(&format!("xrpl_workload_{name}"), kind, help, value);
    }
    let name = "xrpl_workload_finality_seconds";
    text.head(name, "histogram", "Time from submission to validation.", None);
    for (bound, count) in &stats.finality_buckets {
        let _ = writeln!(text.out, "{name}_bucket{{le=\"{}\"}} {count}", *bound as f64 / SECONDS);
    }
    let finality = stats.finality_ms;
    let _ = writeln!(text.out, "{name}_bucket{{le=\"+Inf\"}} {}", finality.count);
    let _ = writeln!(text.out, "{name}_sum {}", finality.sum as f64 / SECONDS);
    let _ = writeln!(text.out, "{name}_count {}", finality.count);
    // At most as many ledgers as LastLedgerSequence lies ahead: a bounded number of buckets.
    let name = "xrpl_workload_finality_ledgers";
    text.head(name, "histogram", "Ledgers from submission to validation.", None);
    let (mut below, mut sum) = (0, 0);
    for (ledgers, count) in &stats.finality_ledgers {
        below += count;
        sum += u64::from(*ledgers) * count;
        if [1, 2, 3, 4, 6, 8, 12, 16, 20, 32].contains(ledgers) {
            let _ = writeln!(text.out, "{name}_bucket{{le=\"{ledgers}\"}} {below}");
        }
    }
    let _ = writeln!(
        text.out,
        "{name}_bucket{{le=\"+Inf\"}} {below}\n{name}_sum {sum}\n{name}_count {below}"
    );
}

fn times(text: &mut Text, steps: &StepTimes, rpc: &[(String, Snapshot)]) {
    for (name, help, times) in [
        ("submit", "Time from submission to the end of the first attempt.", &steps.first_attempt),
        ("store_commit", "Time until a new transaction is durable.", &steps.durable),
        (
            "queue_wait",
            "Time a stream's event waits in the queue; one event at a time is measured.",
            &steps.queue_wait,
        ),
    ] {
        let name = format!("xrpl_workload_{name}_seconds");
        text.head(&name, "histogram", help, None);
        text.histogram(&name, "", times);
    }
    let name = "xrpl_workload_rpc_seconds";
    text.head(
        name,
        "histogram",
        "Response time of nodes by method, failures included.",
        Some("method"),
    );
    for (method, times) in rpc {
        text.histogram(name, &format!("method=\"{method}\""), times);
    }
}

/// What was drawn at random, and what nodes did meanwhile that they must not.
fn fuzz(text: &mut Text, app: &App) {
    let mut results = BTreeMap::new();
    for (result, n) in fuzz_results(&app.tracker.matrix()).into_values().flatten() {
        *results.entry(result).or_insert(0) += n;
    }
    text.each(
        "xrpl_workload_fuzz_results_total",
        "counter",
        "Randomly generated transactions by result.",
        "result",
        &results,
    );
    let generator = app.generator();
    let status = generator.map(|generator| generator.last_status());
    let none = FuzzStats::default();
    let stats = status.as_ref().map_or(&none, |status| &status.stats.fuzz);
    for (name, kind, help, value) in [
        (
            "untracked_total",
            "counter",
            "Random byte strings that cannot be tracked.",
            stats.untracked_total(),
        ),
        ("accounts", "gauge", "Accounts that send random transactions.", stats.accounts as u64),
        (
            "accounts_lost_total",
            "counter",
            "Accounts that random transactions made unusable.",
            stats.accounts_lost,
        ),
    ] {
        text.one(&format!("xrpl_workload_fuzz_{name}"), kind, help, value);
    }
    let found = generator.map(|generator| generator.findings().borrow().clone());
    let count = |kind: FindingKind| {
        found.iter().flat_map(|all| all.iter()).filter(|found| found.kind == kind).count()
    };
    text.each(
        "xrpl_workload_findings_total",
        "counter",
        "Findings: things no transaction may make a node do.",
        "kind",
        FindingKind::ALL.map(|kind| (kind.name(), count(kind))),
    );
}

/// What others see of the run: readers, the webhook, the canary.
fn outside(text: &mut Text, app: &App) {
    let readers = READERS - app.readers.available_permits();
    let name = "xrpl_workload_event_readers";
    text.one(name, "gauge", "Readers of /events.", readers);
    let posts = app.deliveries.view();
    text.each(
        "xrpl_workload_webhook_posts_total",
        "counter",
        "Requests to the webhook by outcome.",
        "outcome",
        [("delivered", posts.delivered), ("retried", posts.retried), ("dropped", posts.given_up)],
    );
    text.one(
        "xrpl_workload_webhook_backlog",
        "gauge",
        "Final states waiting to be delivered to the webhook.",
        posts.outbox.backlog,
    );
    let canary = app.heartbeat.view(app.config.heartbeat);
    text.each(
        "xrpl_workload_heartbeats_total",
        "counter",
        "Canary transactions by outcome.",
        "outcome",
        [("validated", canary.total_heartbeats), ("missed", canary.missed_count)],
    );
}

/// What Prometheus clients report of every process. Nothing where the system does not say it.
#[cfg(target_os = "linux")]
fn process(text: &mut Text) {
    use procfs::{CurrentSI, WithCurrentSystemInfo, process::Process};
    let Ok(me) = Process::myself() else { return };
    let Ok(stat) = me.stat() else { return };
    let cpu = (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
    text.one("process_cpu_seconds_total", "counter", "CPU time, user and system.", cpu);
    let resident = stat.rss_bytes().get();
    text.one("process_resident_memory_bytes", "gauge", "Resident memory.", resident);
    text.one("process_virtual_memory_bytes", "gauge", "Virtual memory.", stat.vsize);
    text.one("process_threads", "gauge", "Threads.", stat.num_threads);
    if let Ok(open) = me.fd_count() {
        text.one("process_open_fds", "gauge", "Open file descriptors.", open);
    }
    if let Ok(limits) = me.limits()
        && let procfs::process::LimitValue::Value(most) = limits.max_open_files.soft_limit
    {
        text.one("process_max_fds", "gauge", "Limit of open file descriptors.", most);
    }
    if let Ok(kernel) = procfs::KernelStats::current() {
        let since = kernel.btime as f64 + stat.starttime as f64 / procfs::ticks_per_second() as f64;
        text.one("process_start_time_seconds", "gauge", "Start time in seconds since 1970.", since);
    }
}

#[cfg(not(target_os = "linux"))]
fn process(_: &mut Text) {}

fn streams(text: &mut Text, stats: &WsStats) {
    for (name, kind, help, value) in [
        ("queue_depth", "gauge", "Events in the queue.", stats.queue_size as u64),
        ("queue_capacity", "gauge", "Capacity of the event queue.", stats.queue_maxsize as u64),
        (
            "queue_blocked_total",
            "counter",
            "Times a reader waited because the queue was full.",
            stats.queue_blocked_count,
        ),
        ("connected", "gauge", "Streams connected.", stats.connected as u64),
        ("reconnects_total", "counter", "Reconnections of streams.", stats.reconnects),
        (
            "failed_events_total",
            "counter",
            "Events that could not be processed.",
            stats.failed_events,
        ),
    ] {
        text.one(&format!("xrpl_workload_ws_{name}"), kind, help, value);
    }
    text.one(
        "xrpl_workload_ledgers_refused_total",
        "counter",
        "Answers for a ledger whose hashes show that transactions were left out or changed.",
        stats.ledgers_refused,
    );
    let blocked = stats.queue_blocked_ms as f64 / 1000.0;
    text.one(
        "xrpl_workload_ws_queue_blocked_seconds_total",
        "counter",
        "Time readers waited because the queue was full.",
        blocked,
    );
    text.each(
        "xrpl_workload_ws_events_total",
        "counter",
        "Stream messages by type.",
        "type",
        &stats.ws_event_counters,
    );
}

fn load(text: &mut Text, status: &xrpl_generator::Status) {
    let pacing = &status.stats.pacing;
    for (name, kind, help, value) in [
        ("running", "gauge", "Whether the load is running.", u64::from(status.running)),
        (
            "in_flight",
            "gauge",
            "Transactions of the load without a final state.",
            status.stats.in_flight as u64,
        ),
        ("free_accounts", "gauge", "Accounts that could send now.", status.free_accounts as u64),
        ("holes_filled_total", "counter", "Gaps in Sequences filled.", status.stats.holes_filled),
        (
            "replacements_total",
            "counter",
            "Replacements for transactions that waited or were refused.",
            status.stats.replacements,
        ),
        ("slots_on_time_total", "counter", "Slots of the schedule used on time.", pacing.on_time),
    ] {
        text.one(&format!("xrpl_workload_load_{name}"), kind, help, value);
    }
    let journeys = status.stats.journeys;
    text.each(
        "xrpl_workload_journeys_total",
        "counter",
        "Journeys begun, and those finished by outcome.",
        "what",
        [("begun", journeys.begun), ("done", journeys.done), ("failed", journeys.failed)],
    );
    text.one(
        "xrpl_workload_load_target_tps",
        "gauge",
        "Target rate in transactions per second; 0 is unlimited.",
        status.tps,
    );
    for (name, help, slots) in [
        ("late", "Slots of the schedule used late, by cause.", pacing.late),
        ("missed", "Slots of the schedule given up, by cause.", pacing.missed),
    ] {
        text.each(
            &format!("xrpl_workload_load_slots_{name}_total"),
            "counter",
            help,
            "cause",
            [
                ("generator", slots.generator),
                ("lanes_empty", slots.lanes_empty),
                ("endpoint", slots.endpoint),
                ("node_queue", slots.node_queue),
            ],
        );
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use super::*;

    /// Reads the text as strictly as Prometheus does.
    fn check(text: &str) {
        let mut typed: BTreeMap<String, String> = BTreeMap::new();
        let mut series = HashSet::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                assert!(typed.insert(name.into(), kind.into()).is_none(), "twice: {name}");
            } else if !line.starts_with("# HELP ") {
                let (id, value) = line.rsplit_once(' ').unwrap();
                value.parse::<f64>().unwrap();
                assert!(series.insert(id.to_owned()), "twice: {id}");
                let name = id.split('{').next().unwrap();
                let base = ["_bucket", "_sum", "_count"]
                    .iter()
                    .find_map(|end| name.strip_suffix(end).filter(|base| typed.contains_key(*base)))
                    .unwrap_or(name);
                assert!(typed.contains_key(base), "no type: {line}");
            }
        }
    }

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let mut text = Text::default();
        let stats = Stats {
            finality_buckets: vec![(500, 1), (1000, 3)],
            finality_ledgers: BTreeMap::from([(1, 2), (2, 1), (7, 4)]),
            finality_ms: xrpl_tracker::stats::Quantiles {
                count: 3,
                sum: 2500,
                ..Default::default()
            },
            ..Stats::default()
        };
        transactions(&mut text, &stats);
        streams(&mut text, &WsStats::default());
        load(&mut text, &xrpl_generator::Status::default());
        let took = xrpl_client::timing::Histogram::default();
        took.observe(std::time::Duration::from_millis(3));
        times(&mut text, &StepTimes::default(), &[("submit".into(), took.snapshot())]);
        process(&mut text);
        check(&text.out);
        assert!(text.out.contains("xrpl_workload_finality_seconds_bucket{le=\"0.5\"} 1\n"));
        assert!(text.out.contains("xrpl_workload_finality_seconds_bucket{le=\"+Inf\"} 3\n"));
        assert!(text.out.contains("xrpl_workload_finality_ledgers_sum 32\n"));
        let rpc = "xrpl_workload_rpc_seconds_bucket{method=\"submit\",le=\"0.005\"} 1\n";
        assert!(text.out.contains(rpc), "{}", text.out);
        if cfg!(target_os = "linux") {
            assert!(text.out.contains("process_resident_memory_bytes "));
        }
    }

    #[test]
    fn labels_are_escaped() {
        let mut text = Text::default();
        text.each("m", "gauge", "Help.", "l", [("a\"b\\c\nd", 1)]);
        assert!(text.out.ends_with("m{l=\"a\\\"b\\\\c\\nd\"} 1\n"), "{}", text.out);
    }
}
