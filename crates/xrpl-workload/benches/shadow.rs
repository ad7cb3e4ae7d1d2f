//! How fast a node's ledgers are executed once more: transactions a second on one core, of a run of all
//! types.
//!
//! `cargo bench -p xrpl-workload --bench shadow -- [seconds] [rate]`
//!
//! The run is driven first, on a ledger of this process; then its ledgers are executed as `shadow` does it,
//! signatures checked, without reading them from a node.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use indicatif::ProgressBar;
use xrpl_protocol::Object;
use xrpl_standalone::{
    ledger::ClosedLedger,
    server::{Closing, Standalone, StandaloneConfig},
    shadow::{Reported, ReportedTx, Shadow, Verdict},
};
use xrpl_workload::{
    config::{Config, Sources},
    session::{Session, Stop},
    view::{Mode, View},
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` only wants to see that it runs.
    let quick = arguments.iter().any(|argument| argument == "--test");
    let mut numbers = arguments.iter().filter_map(|argument| argument.parse::<u64>().ok());
    let seconds = numbers.next().unwrap_or(if quick { 2 } else { 30 });
    let rate = numbers.next().unwrap_or(if quick { 20 } else { 300 });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let ledgers = runtime.block_on(run(seconds, rate));
    let first = &ledgers[0];
    let entries = first.state.iter().map(|(id, entry)| (*id, Object::clone(entry)));
    let mut shadow = Shadow::begin(&first.header, entries, 0).unwrap();
    let reported: Vec<_> = ledgers[1..].iter().map(|ledger| reported(ledger)).collect();
    let transactions: usize = reported.iter().map(Reported::len).sum();
    let mut slowest = Duration::ZERO;
    let began = Instant::now();
    for ledger in &reported {
        let one = Instant::now();
        let verdict = shadow.follow(ledger).unwrap();
        assert!(matches!(verdict, Verdict::Same), "{verdict:?}");
        slowest = slowest.max(one.elapsed());
    }
    let took = began.elapsed();
    let mut types = BTreeMap::new();
    for tx in ledgers[1..].iter().flat_map(|ledger| &ledger.transactions) {
        *types.entry(tx.read().tx.kind).or_insert(0_u64) += 1;
    }
    println!(
        "{transactions} transactions of {} types in {} ledgers with {} entries: {:.0}/s on one core, the \
         slowest ledger in {} ms; 300/s take {:.1} % of the core",
        types.len(),
        reported.len(),
        shadow.entries(),
        transactions as f64 / took.as_secs_f64(),
        slowest.as_millis(),
        100.0 * 300.0 * took.as_secs_f64() / transactions.max(1) as f64,
    );
}

fn reported(ledger: &ClosedLedger) -> Reported {
    let transactions = ledger
        .transactions
        .iter()
        .map(|tx| ReportedTx { blob: tx.blob.to_vec(), metadata: tx.metadata_blob.to_vec() });
    Reported::new(ledger.header.clone(), ledger.header.hash, transactions.collect()).unwrap()
}

/// Drives a ledger, and gives back its ledgers.
async fn run(seconds: u64, rate: u64) -> Vec<Arc<ClosedLedger>> {
    let loopback = ([127, 0, 0, 1], 0).into();
    let mut config = StandaloneConfig {
        rpc_bind: loopback,
        ws_bind: loopback,
        closing: Closing::Interval(Duration::from_secs(1)),
        ..StandaloneConfig::default()
    };
    config.node.queue.minimum_txn_in_ledger = 100_000;
    let node = Standalone::start(config).await.unwrap();
    let flags = BTreeMap::from([
        ("rpc", vec![node.rpc_url()]),
        ("ws", vec![node.ws_url()]),
        ("tps", vec![rate.to_string()]),
        ("duration", vec![format!("{seconds}s")]),
        ("store", vec!["memory".to_owned()]),
        ("no_api", vec!["true".to_owned()]),
    ]);
    let config =
        Config::load(&Sources { flags, env: Vec::new(), file: Some("/dev/null".into()) }).unwrap();
    let view = View::new(Mode::Quiet, false, Duration::from_secs(1), ProgressBar::hidden());
    let session = Session::start(config, &view).await.unwrap();
    let ended = session.run(&Stop::default(), &view).await.unwrap();
    println!("{}", ended.summary);
    let ledgers = node.with_node(|node| node.ledgers().skip(1).cloned().collect());
    node.shutdown().await;
    ledgers
}
