//! How fast a node's ledgers are executed once more: transactions a second on one core, of a run of all
//! types.
//!
//! `cargo bench -p xrpl-workload --bench shadow -- [seconds] [rate] [ledger interval, ms]`
//!
//! With `UPDATE_SPEED=1` it writes how many transactions of each type alone that is a second, as the table of types
//! has it; for that the ledger must close 256 times and more, so that accounts can be deleted:
//! `UPDATE_SPEED=1 cargo bench -p xrpl-workload --bench shadow -- 90 300 200`, the last number being the milliseconds
//! between ledgers.
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
    ledger::{ClosedLedger, amendment},
    server::{Closing, Standalone, StandaloneConfig},
    shadow::{Reported, ReportedTx, Shadow, Verdict},
    transactors::transaction_type,
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
    let interval = numbers.next().unwrap_or(1_000);
    let ledgers = runtime.block_on(run(seconds, rate, Duration::from_millis(interval)));
    let first = &ledgers[0];
    let entries = first.state.iter().map(|(id, entry)| (*id, Object::clone(entry)));
    let mut shadow = Shadow::begin(&first.header, entries, 0).unwrap();
    let reported: Vec<_> = ledgers[1..].iter().map(|ledger| reported(ledger)).collect();
    let transactions: usize = reported.iter().map(Reported::len).sum();
    let mut slowest = Duration::ZERO;
    let mut types: BTreeMap<u16, (u64, Duration)> = BTreeMap::new();
    let began = Instant::now();
    for (told, ledger) in reported.iter().zip(&ledgers[1..]) {
        let one = Instant::now();
        let verdict = shadow.follow_timed(told, |at, took| {
            let of = types.entry(ledger.transactions[at].read().tx.kind).or_default();
            *of = (of.0 + 1, of.1 + took);
        });
        assert!(matches!(verdict, Ok(Verdict::Same)), "{verdict:?}");
        slowest = slowest.max(one.elapsed());
    }
    let took = began.elapsed();
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
    by_type(&types);
}

/// What a type alone comes to, in two digits: more would be chance.
fn speed((count, took): (u64, Duration)) -> u64 {
    let exact = count as f64 / took.as_secs_f64();
    let step = 10_f64.powf(exact.log10().floor() - 1.0);
    ((exact / step).round() * step) as u64
}

/// Prints what each type comes to, and keeps it if that is wanted.
fn by_type(types: &BTreeMap<u16, (u64, Duration)>) {
    let speeds: BTreeMap<&str, u64> = types
        .iter()
        .filter_map(|(kind, of)| Some((transaction_type(*kind)?.name, speed(*of))))
        .collect();
    for (name, speed) in &speeds {
        println!("{name:>34}: {speed:>6}/s alone");
    }
    if std::env::var_os("UPDATE_SPEED").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/types/speed.json");
        let text = serde_json::to_string_pretty(&speeds).expect("numbers") + "\n";
        std::fs::write(path, text).expect("the sources are there");
    }
}

fn reported(ledger: &ClosedLedger) -> Reported {
    let transactions = ledger
        .transactions
        .iter()
        .map(|tx| ReportedTx { blob: tx.blob.to_vec(), metadata: tx.metadata_blob.to_vec() });
    Reported::new(ledger.header.clone(), ledger.header.hash, transactions.collect()).unwrap()
}

/// Drives a ledger, and gives back its ledgers.
async fn run(seconds: u64, rate: u64, interval: Duration) -> Vec<Arc<ClosedLedger>> {
    let loopback = ([127, 0, 0, 1], 0).into();
    let mut config = StandaloneConfig {
        rpc_bind: loopback,
        ws_bind: loopback,
        closing: Closing::Interval(interval),
        ..StandaloneConfig::default()
    };
    config.node.queue.minimum_txn_in_ledger = 100_000;
    // Batches are in development, and part of the mix where they are on.
    config.node.amendments.push(amendment::BATCH_V1_1.id());
    config.node.amendments.sort_unstable();
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
