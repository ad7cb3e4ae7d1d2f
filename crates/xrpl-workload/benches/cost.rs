//! What a transaction costs on our side: the embedded ledger runs as one process, the program as a
//! user starts it as another, and the CPU time of the latter while load runs is divided by what was
//! validated meanwhile.
//!
//! `cargo bench -p xrpl-workload --bench cost -- [seconds] [accounts]`
//!
//! XRP payments over TCP on loopback, as many as go: with the store in memory and no API; with the
//! SQLite file and the API, as by default; and the same with the node named four times, whose streams
//! all tell the same. Linux only: the times are those of `/proc/PID/stat`.

use std::{
    io::{BufRead, BufReader, Read as _},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use serde_json::Value as Json;
use xrpl_standalone::server::{Closing, Standalone, StandaloneConfig};

const LEDGER: &str = "--ledger";
/// Clock ticks a second in `/proc`, the same on every Linux architecture that matters.
const TICKS: f64 = 100.0;

/// What a run is started with.
struct Variant {
    name: &'static str,
    store: &'static str,
    api: bool,
    /// How often the node is named.
    nodes: usize,
    /// How many of their streams show every transaction.
    full_streams: usize,
}

const VARIANTS: [Variant; 4] = [
    Variant { name: "memory, no API", store: "memory", api: false, nodes: 1, full_streams: 1 },
    Variant { name: "SQLite, API", store: "cost.db", api: true, nodes: 1, full_streams: 1 },
    Variant {
        name: "four streams in full",
        store: "cost.db",
        api: true,
        nodes: 4,
        full_streams: 4,
    },
    Variant { name: "one of four in full", store: "cost.db", api: true, nodes: 4, full_streams: 1 },
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == LEDGER) {
        return ledger();
    }
    // `cargo test --benches` only wants to see that it runs.
    let quick = arguments.iter().any(|argument| argument == "--test");
    let mut numbers = arguments.iter().filter_map(|argument| argument.parse::<u64>().ok());
    let seconds = numbers.next().unwrap_or(if quick { 3 } else { 20 });
    let accounts = numbers.next().unwrap_or(if quick { 50 } else { 1_500 });
    let folder = tempfile::tempdir().expect("a folder for the store");
    // An empty list cannot be given by a flag.
    let settings = "gateways = 0\ncurrencies = []\n";
    std::fs::write(folder.path().join("xrpl-workload.toml"), settings).expect("its settings");
    for variant in &VARIANTS[..if quick { 2 } else { VARIANTS.len() }] {
        measure(variant, seconds, accounts, folder.path());
    }
}

/// The other process: a ledger that closes every second, until its standard input ends.
fn ledger() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let loopback = ([127, 0, 0, 1], 0).into();
        let mut config = StandaloneConfig {
            rpc_bind: loopback,
            ws_bind: loopback,
            closing: Closing::Interval(Duration::from_secs(1)),
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

/// Ends a process when it is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        if self.0.try_wait().ok().flatten().is_none() {
            // It may have ended meanwhile.
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

fn start(command: &mut Command) -> (Process, BufReader<ChildStdout>) {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    (Process(child), lines)
}

/// CPU so far, and what is validated.
#[derive(Clone, Copy)]
struct Sample {
    user: f64,
    system: f64,
    validated: u64,
    seconds: u64,
}

fn measure(variant: &Variant, seconds: u64, accounts: u64, folder: &Path) {
    let (_ledger, mut lines) = start(Command::new(std::env::current_exe().unwrap()).arg(LEDGER));
    let mut urls = String::new();
    lines.read_line(&mut urls).unwrap();
    let (rpc, ws) = urls.trim().split_once(' ').unwrap();
    let _ = std::fs::remove_file(folder.join(variant.store));
    let mut command = Command::new(env!("CARGO_BIN_EXE_xrpl-workload"));
    command.current_dir(folder).args(["run", "--json", "--interval", "1s", "--tps", "0"]);
    command.args(["--store", variant.store]);
    command.arg("--accounts").arg(accounts.to_string());
    command.arg("--duration").arg(format!("{}s", seconds + 2));
    command.arg("--full-streams").arg(variant.full_streams.to_string());
    command.arg("--types").arg(payments_alone());
    for _ in 0..variant.nodes {
        command.args(["--rpc", rpc, "--ws", ws]);
    }
    match variant.api {
        true => command.args(["--api-bind", "127.0.0.1:0"]),
        false => command.arg("--no-api"),
    };
    let (run, lines) = start(command.stderr(Stdio::inherit()));
    let mut samples: Vec<Sample> = Vec::new();
    for line in lines.lines() {
        let line: Json = serde_json::from_str(&line.unwrap()).unwrap();
        if line["event"] == "interval" {
            let (user, system) = cpu(run.0.id());
            let number = |name: &str| line[name].as_u64().unwrap_or(0);
            let (validated, seconds) = (number("validated"), number("seconds"));
            samples.push(Sample { user, system, validated, seconds });
        }
    }
    let ended = (samples.first(), samples.iter().rev().find(|one| one.seconds <= seconds));
    let (Some(first), Some(last)) = ended else { panic!("the run printed nothing to measure") };
    let validated = (last.validated - first.validated) as f64;
    let each = |cpu: f64| cpu * 1e3 / validated;
    let (user, system) = (last.user - first.user, last.system - first.system);
    println!(
        "{:>22}: {validated} payments of {accounts} accounts, {:.0}/s: {:.4} ms of CPU each, \
         {:.4} ms user, {:.4} ms system",
        variant.name,
        validated / (last.seconds - first.seconds) as f64,
        each(user + system),
        each(user),
        each(system),
    );
}

/// Weights that leave XRP payments alone.
fn payments_alone() -> String {
    let catalogue = xrpl_generator::catalogue::Catalogue::new(&Default::default()).unwrap();
    let others = catalogue.names().filter(|name| *name != "Payment");
    others.map(|name| format!("{name}=0")).collect::<Vec<_>>().join(",")
}

/// CPU seconds of a process so far, user and system.
fn cpu(process: u32) -> (f64, f64) {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"));
    let stat = stat.expect("this bench is for Linux");
    // The name in brackets may have spaces; times are the 12th and 13th after it.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = |n: usize| {
        rest.split_whitespace().nth(n).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or(0.0)
    };
    (ticks(11) / TICKS, ticks(12) / TICKS)
}
