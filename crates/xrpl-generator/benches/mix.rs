//! What the generator alone costs over the default mix of all types: planning, building and signing,
//! taking in answers, outcomes and their metadata, keeping the mirror.
//!
//! `cargo bench -p xrpl-generator --bench mix -- [ledgers] [accounts]`
//!
//! The embedded ledger executes what is sent, in the same thread, and its time is left out: what is
//! printed is the engine's share of one core.

#[path = "../tests/simulation/sim.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod sim;

use std::time::{Duration, Instant};

use sim::{Faults, sim_on};
use xrpl_standalone::node::NodeConfig;

/// How many transactions are tried in one ledger.
const IN_A_LEDGER: u32 = 1_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` only wants to see that it runs.
    let quick = arguments.iter().any(|argument| argument == "--test");
    let mut numbers = arguments.iter().filter_map(|argument| argument.parse::<u32>().ok());
    let ledgers = numbers.next().unwrap_or(if quick { 2 } else { 60 });
    let accounts = numbers.next().unwrap_or(if quick { 10 } else { 500 });

    let mut node = NodeConfig::default();
    // Room in the open ledger for all that is sent: no fee escalation.
    node.queue.minimum_txn_in_ledger = 1_000_000;
    let mut sim = sim_on(node, 1, 0.0, 5, Faults::default(), |config| {
        *config = xrpl_generator::GeneratorConfig {
            accounts: accounts as usize,
            seed: "bench".into(),
            ..Default::default()
        };
    });
    // The first ledgers make what later types need.
    sim::run(&mut sim, ledgers / 4);
    let before = sim.engine.stats();
    let started = Instant::now();
    sim.thinking.clear();
    for _ in 0..ledgers {
        for _ in 0..IN_A_LEDGER {
            if !sim.step(true) {
                break;
            }
        }
        sim.close();
    }
    let thought: Duration = sim.thinking.values().sum();
    let after = sim.engine.stats();
    let sent = after.submitted - before.submitted;
    let types = after.by_type.values().filter(|of_type| of_type.validated > 0).count();
    assert!(sent > 0, "nothing was sent: {after:?}");
    println!(
        "{sent} transactions of {types} types, {accounts} accounts: {:.0}/s of the generator alone \
         ({:.1} us each, {:.0}% of the time; the ledger took the rest)",
        sent as f64 / thought.as_secs_f64(),
        thought.as_secs_f64() * 1e6 / sent as f64,
        100.0 * thought.as_secs_f64() / started.elapsed().as_secs_f64(),
    );
    let mut rare: Vec<_> =
        after.by_type.iter().map(|(name, of_type)| (of_type.validated, *name)).collect();
    rare.sort_unstable();
    println!("rarest: {:?}", &rare[..rare.len().min(12)]);
    for (name, time) in &sim.thinking {
        println!("{name:>20}: {:6.1} us a transaction", time.as_secs_f64() * 1e6 / sent as f64);
    }
}
