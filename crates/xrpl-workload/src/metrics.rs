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

#[derive(Default)]
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.head(name, kind, help);
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn each<L: Display, V: Display>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (L, V)>,
    ) {
        self.head(name, kind, help);
        for (of, value) in values {
            let of = of.to_string().replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let _ = writeln!(self.0, "{name}{{{label}=\"{of}\"}} {value}");
        }
    }
}

impl Text {
    fn histogram(&mut self, name: &str, labels: &str, times: &Snapshot) {
        let comma = if labels.is_empty() { "" } else { "," };
        let braced = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        for (bound, count) in &times.buckets {
            let _ = writeln!(self.0, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}");
        }
        let Snapshot { sum, count, .. } = times;
        let _ = writeln!(self.0, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {count}");
        let _ = writeln!(self.0, "{name}_sum{braced} {sum}\n{name}_count{braced} {count}");
    }
}

/// Everything that is counted, as Prometheus reads it.
#[must_use]
pub fn render(app: &App) -> String {
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
        "Whether a node may be asked.",
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
    text.0
}

/// What `--shadow` counts.
fn shadow(text: &mut Text, app: &App) {
    let view = app.shadow.view();
    text.each(
        "xrpl_workload_shadow_ledgers_total",
        "counter",
        "Ledgers of the node that were executed once more, by what came of them.",
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
            "Transactions in equal ledgers.",
            view.transactions_checked,
        ),
        ("behind", "gauge", "Validated ledgers that are not executed yet.", view.behind.into()),
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
        "Validated transactions by the source that came first.",
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
        ("pending", "gauge", "Transactions without an end.", stats.pending),
        (
            "undecided",
            "gauge",
            "Past LastLedgerSequence without proof of absence.",
            stats.undecided,
        ),
        ("overturned_total", "counter", "Rejections a ledger overturned.", stats.overturned),
        ("revoked_total", "counter", "Ends taken back with their ledger.", stats.revoked),
        (
            "contradicted_total",
            "counter",
            "Proofs of absence a ledger contradicted.",
            stats.contradicted,
        ),
        (
            "valid_failed_total",
            "counter",
            "Of valid intent, ended otherwise than VALIDATED.",
            stats.valid_failed,
        ),
        (
            "superseded_total",
            "counter",
            "Of valid intent, rejected because another transaction handed in here used the slot.",
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
            "Of those, with another result than predicted.",
            stats.invalid_otherwise,
        ),
        ("fuzzed_total", "counter", "Transactions drawn at random.", stats.fuzzed),
        ("resends_total", "counter", "Blobs sent again.", stats.resends),
        ("lookups_total", "counter", "Look-ups made.", stats.lookups),
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
        ("store_failures_total", "counter", "Failed writes of the store.", stats.store_failures),
        ("task_restarts_total", "counter", "Background tasks started again.", stats.task_restarts),
    ] {
        text.one(&format!("xrpl_workload_{name}"), kind, help, value);
    }
    let name = "xrpl_workload_finality_seconds";
    text.head(name, "histogram", "Hand-in to validation.");
    for (bound, count) in &stats.finality_buckets {
        let _ = writeln!(text.0, "{name}_bucket{{le=\"{}\"}} {count}", *bound as f64 / SECONDS);
    }
    let finality = stats.finality_ms;
    let _ = writeln!(text.0, "{name}_bucket{{le=\"+Inf\"}} {}", finality.count);
    let _ = writeln!(text.0, "{name}_sum {}", finality.sum as f64 / SECONDS);
    let _ = writeln!(text.0, "{name}_count {}", finality.count);
    // At most as many ledgers as LastLedgerSequence lies ahead: a bounded number of buckets.
    let name = "xrpl_workload_finality_ledgers";
    text.head(name, "histogram", "Ledgers from hand-in to validation.");
    let (mut below, mut sum) = (0, 0);
    for (ledgers, count) in &stats.finality_ledgers {
        below += count;
        sum += u64::from(*ledgers) * count;
        if [1, 2, 3, 4, 6, 8, 12, 16, 20, 32].contains(ledgers) {
            let _ = writeln!(text.0, "{name}_bucket{{le=\"{ledgers}\"}} {below}");
        }
    }
    let _ = writeln!(
        text.0,
        "{name}_bucket{{le=\"+Inf\"}} {below}\n{name}_sum {sum}\n{name}_count {below}"
    );
}

fn times(text: &mut Text, steps: &StepTimes, rpc: &[(String, Snapshot)]) {
    for (name, help, times) in [
        ("submit", "Hand-in to the end of the first attempt.", &steps.first_attempt),
        ("store_commit", "Until a new transaction is durable.", &steps.durable),
        (
            "queue_wait",
            "A stream's event in the queue; one at a time is watched.",
            &steps.queue_wait,
        ),
    ] {
        let name = format!("xrpl_workload_{name}_seconds");
        text.head(&name, "histogram", help);
        text.histogram(&name, "", times);
    }
    let name = "xrpl_workload_rpc_seconds";
    text.head(name, "histogram", "Answers of nodes, failures too, by method.");
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
        "What was drawn at random, by what it ended with.",
        "result",
        &results,
    );
    let generator = app.generator();
    let status = generator.map(|generator| generator.last_status());
    let none = FuzzStats::default();
    let stats = status.as_ref().map_or(&none, |status| &status.stats.fuzz);
    for (name, kind, help, value) in [
        ("untracked_total", "counter", "Bytes that cannot be tracked.", stats.untracked_total()),
        ("accounts", "gauge", "Accounts that send what is drawn.", stats.accounts as u64),
        ("accounts_lost_total", "counter", "Accounts lost by it.", stats.accounts_lost),
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
        "What nodes did that no transaction may make them do.",
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
        "Posts to the webhook by what became of them.",
        "outcome",
        [("delivered", posts.delivered), ("retried", posts.retried), ("dropped", posts.given_up)],
    );
    text.one(
        "xrpl_workload_webhook_backlog",
        "gauge",
        "Ends that wait for the webhook.",
        posts.outbox.backlog,
    );
    let canary = app.heartbeat.view(app.config.heartbeat);
    text.each(
        "xrpl_workload_heartbeats_total",
        "counter",
        "Canaries by what became of them.",
        "outcome",
        [("validated", canary.total_heartbeats), ("missed", canary.missed_count)],
    );
}

/// What Prometheus clients tell of every process. Nothing where the system does not say it.
#[cfg(target_os = "linux")]
fn process(text: &mut Text) {
    use procfs::{CurrentSI, WithCurrentSystemInfo, process::Process};
    let Ok(me) = Process::myself() else { return };
    let Ok(stat) = me.stat() else { return };
    let cpu = (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64;
    text.one("process_cpu_seconds_total", "counter", "CPU time, user and system.", cpu);
    let resident = stat.rss_bytes().get();
    text.one("process_resident_memory_bytes", "gauge", "Memory in RAM.", resident);
    text.one("process_virtual_memory_bytes", "gauge", "Memory in addresses.", stat.vsize);
    text.one("process_threads", "gauge", "Threads.", stat.num_threads);
    if let Ok(open) = me.fd_count() {
        text.one("process_open_fds", "gauge", "Open file descriptors.", open);
    }
    if let Ok(limits) = me.limits()
        && let procfs::process::LimitValue::Value(most) = limits.max_open_files.soft_limit
    {
        text.one("process_max_fds", "gauge", "File descriptors that may be open.", most);
    }
    if let Ok(kernel) = procfs::KernelStats::current() {
        let since = kernel.btime as f64 + stat.starttime as f64 / procfs::ticks_per_second() as f64;
        text.one("process_start_time_seconds", "gauge", "Start, seconds since 1970.", since);
    }
}

#[cfg(not(target_os = "linux"))]
fn process(_: &mut Text) {}

fn streams(text: &mut Text, stats: &WsStats) {
    for (name, kind, help, value) in [
        ("queue_depth", "gauge", "Events waiting.", stats.queue_size as u64),
        ("queue_capacity", "gauge", "Events that may wait.", stats.queue_maxsize as u64),
        (
            "queue_blocked_total",
            "counter",
            "Times a reader waited for room.",
            stats.queue_blocked_count,
        ),
        ("connected", "gauge", "Streams connected.", stats.connected as u64),
        ("reconnects_total", "counter", "Streams connected again.", stats.reconnects),
        (
            "failed_events_total",
            "counter",
            "Events that could not be processed.",
            stats.failed_events,
        ),
    ] {
        text.one(&format!("xrpl_workload_ws_{name}"), kind, help, value);
    }
    let blocked = stats.queue_blocked_ms as f64 / 1000.0;
    text.one(
        "xrpl_workload_ws_queue_blocked_seconds_total",
        "counter",
        "Time readers waited for room.",
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
        ("running", "gauge", "Whether load runs.", u64::from(status.running)),
        (
            "in_flight",
            "gauge",
            "Transactions of the load without an end.",
            status.stats.in_flight as u64,
        ),
        ("free_accounts", "gauge", "Accounts that could send.", status.free_accounts as u64),
        ("holes_filled_total", "counter", "Sequence holes filled.", status.stats.holes_filled),
        (
            "replacements_total",
            "counter",
            "Transactions made on the slot of one that waited or was refused.",
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
        "Journeys that began, and how those ended that are over.",
        "what",
        [("begun", journeys.begun), ("done", journeys.done), ("failed", journeys.failed)],
    );
    text.one("xrpl_workload_load_target_tps", "gauge", "0 is unlimited.", status.tps);
    for (name, help, slots) in [
        ("late", "Slots used late, by what held them up.", pacing.late),
        ("missed", "Slots given up, by what held them up.", pacing.missed),
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
        check(&text.0);
        assert!(text.0.contains("xrpl_workload_finality_seconds_bucket{le=\"0.5\"} 1\n"));
        assert!(text.0.contains("xrpl_workload_finality_seconds_bucket{le=\"+Inf\"} 3\n"));
        assert!(text.0.contains("xrpl_workload_finality_ledgers_sum 32\n"));
        let rpc = "xrpl_workload_rpc_seconds_bucket{method=\"submit\",le=\"0.005\"} 1\n";
        assert!(text.0.contains(rpc), "{}", text.0);
        if cfg!(target_os = "linux") {
            assert!(text.0.contains("process_resident_memory_bytes "));
        }
    }

    #[test]
    fn labels_are_escaped() {
        let mut text = Text::default();
        text.each("m", "gauge", "Help.", "l", [("a\"b\\c\nd", 1)]);
        assert!(text.0.ends_with("m{l=\"a\\\"b\\\\c\\nd\"} 1\n"), "{}", text.0);
    }
}
