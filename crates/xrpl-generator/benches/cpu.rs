//! What a transaction costs on our side: the embedded ledger runs as another process, this one
//! generates, submits and tracks XRP payments over TCP on loopback, and its own CPU time is divided
//! by what was validated.
//!
//! `cargo bench -p xrpl-generator --bench cpu -- [thousands of payments] [accounts]`
//!
//! Linux only: the time is that of `/proc/self/stat`.

use std::{
    io::{BufRead, BufReader, Read as _},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;
use xrpl_client::{Endpoint, Pool, PoolConfig};
use xrpl_generator::{Funding, Generator, GeneratorConfig, Pace};
use xrpl_standalone::{Standalone, StandaloneConfig};
use xrpl_tracker::{MemoryStore, Tracker, TrackerConfig};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LEDGER: &str = "--ledger";
/// Clock ticks a second in `/proc`, the same on every Linux architecture that matters.
const TICKS: f64 = 100.0;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == LEDGER) {
        return ledger();
    }
    // `cargo test --benches` only wants to see that it runs.
    let quick = arguments.iter().any(|argument| argument == "--test");
    let mut numbers = arguments.iter().filter_map(|argument| argument.parse::<u64>().ok());
    let payments = numbers.next().unwrap_or(if quick { 1 } else { 60 }) * 1_000;
    let accounts = numbers.next().unwrap_or(if quick { 50 } else { 1_500 }) as usize;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(payments, accounts));
}

/// The other process: a ledger that closes every second, until its standard input ends.
fn ledger() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let loopback = ([127, 0, 0, 1], 0).into();
        let mut config = StandaloneConfig {
            rpc_bind: loopback,
            ws_bind: loopback,
            closing: xrpl_standalone::Closing::Interval(Duration::from_secs(1)),
            ..StandaloneConfig::default()
        };
        // Room in the open ledger for all that is sent: no fee escalation.
        config.node.queue.minimum_txn_in_ledger = 1_000_000;
        let server = Standalone::start(config).await.unwrap();
        println!("http://{}/ ws://{}/", server.rpc_addr, server.ws_addr);
        let ended = tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0]));
        let _ = ended.await;
        server.shutdown().await;
    });
}

/// Ends the ledger's process when it is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn start_ledger() -> (Process, Endpoint) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg(LEDGER)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let (rpc, ws) = line.trim().split_once(' ').unwrap();
    let endpoint = Endpoint { rpc: rpc.parse().unwrap(), ws: Some(ws.parse().unwrap()) };
    (Process(child), endpoint)
}

async fn measure(payments: u64, accounts: usize) {
    let (ledger, endpoint) = start_ledger();
    let pool = Pool::new(vec![endpoint], PoolConfig::default());
    let store = Arc::new(MemoryStore::default());
    let tracker = Tracker::start(pool.clone(), store, TrackerConfig::default()).await.unwrap();
    let others = ["TicketCreate", "TicketUse", "PaymentIssued", "TrustSet", "AccountSet"];
    let config = GeneratorConfig {
        accounts,
        gateways: 0,
        currencies: Vec::new(),
        funding: Funding::Genesis,
        pace: Pace::Unlimited,
        weights: others.map(|name| (name.to_owned(), 0)).into(),
        ..GeneratorConfig::default()
    };
    let generator = Generator::prepare(tracker.clone(), pool, config, |_| {}).await.unwrap();
    let (user, system) = cpu();
    let begun = Instant::now();
    let before = tracker.stats().by_state[&xrpl_tracker::State::Validated];
    let cancel = CancellationToken::new();
    tokio::spawn({
        let (tracker, cancel) = (tracker.clone(), cancel.clone());
        async move {
            let validated = || tracker.stats().by_state[&xrpl_tracker::State::Validated] - before;
            while validated() < payments {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            cancel.cancel();
        }
    });
    generator.run(cancel).await.unwrap();
    tracker.wait_until_idle(Duration::from_secs(60)).await;
    let took = begun.elapsed().as_secs_f64();
    let validated = tracker.stats().by_state[&xrpl_tracker::State::Validated] - before;
    let (user, system) = (cpu().0 - user, cpu().1 - system);
    let each = |seconds: f64| seconds * 1e3 / validated as f64;
    println!(
        "{validated} payments of {accounts} accounts in {took:.1} s ({:.0}/s): \
         {:.4} ms of CPU each, {:.4} ms user, {:.4} ms system",
        validated as f64 / took,
        each(user + system),
        each(user),
        each(system),
    );
    tracker.shutdown(Duration::ZERO).await;
    drop(ledger);
}

/// CPU seconds of this process so far, user and system.
fn cpu() -> (f64, f64) {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("this bench is for Linux");
    // The name in brackets may have spaces; times are the 12th and 13th after it.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = |n: usize| {
        rest.split_whitespace().nth(n).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or(0.0)
    };
    (ticks(11) / TICKS, ticks(12) / TICKS)
}
