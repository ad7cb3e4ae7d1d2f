//! The real tracker and the real generator against a network that misbehaves, in one thread and
//! under virtual time. Each seed is a run of its own: a configuration, a plan of faults, half a
//! minute of load; then the faults end, everything comes to its end, and the books must be the
//! ledger's. See `world.rs` for the run and `books.rs` for what must hold.
//!
//! `XRPL_WORKLOAD_SEED=N` replays one seed and prints its plan, with `XRPL_WORKLOAD_PLAN=FILE` another
//! plan (JSON as printed, some faults left out, say) in its place; `XRPL_WORKLOAD_SEEDS=FIRST..END` runs
//! others than `scripts/test` does. `XRPL_WORKLOAD_MISLEAD=N`, `XRPL_WORKLOAD_MEDDLE=N` and
//! `XRPL_WORKLOAD_TEAR=N` have N of a hundred seeds with nodes that mislead, with somebody else who uses
//! the tracker, and with nodes that follow another chain for good.

#![allow(unreachable_pub, reason = "the modules of a test are nobody else's")]

#[path = "../common/books.rs"]
mod books;
mod choice;
mod meddler;
mod recorder;
mod verifier;
mod world;

use std::{
    ops::Range,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use choice::Trouble;
use world::Report;

/// Longest time one seed may take, in real seconds.
const PATIENCE: u64 = 300;

fn replay(seed: u64) -> String {
    format!(
        "XRPL_WORKLOAD_SEED={seed} cargo nextest run -p xrpl-workload --test simulation \
         --no-capture seed_of_the_environment"
    )
}

/// Ends the program if a seed does not come to its end: virtual time stands still in an endless loop.
struct Watchdog {
    seed: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl Watchdog {
    fn new() -> Self {
        let (seed, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (watched, done) = (Arc::clone(&seed), Arc::clone(&over));
        std::thread::spawn(move || {
            let (mut last, mut since) = (watched.load(Ordering::Relaxed), 0);
            while !done.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_secs(1));
                let now = watched.load(Ordering::Relaxed);
                since = if now == last { since + 1 } else { 0 };
                last = now;
                if since > PATIENCE {
                    eprintln!("seed {now} does not end. Replay: {}", replay(now));
                    std::process::abort();
                }
            }
        });
        Self { seed, over }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

static PANICS: AtomicU64 = AtomicU64::new(0);

/// Counts panics: one in a task of its own is nobody else's failure.
fn count_panics() {
    static HOOKED: std::sync::Once = std::sync::Once::new();
    HOOKED.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            PANICS.fetch_add(1, Ordering::Relaxed);
            usual(info);
        }));
    });
}

/// Runs a seed; no task may panic.
fn run_one(seed: u64, trouble: Trouble) -> Report {
    count_panics();
    let before = PANICS.load(Ordering::Relaxed);
    let report = world::run(seed, trouble);
    assert_eq!(PANICS.load(Ordering::Relaxed), before, "a task panicked");
    report
}

/// Runs seeds one after the other; all that failed are named at the end.
fn run_seeds(seeds: Range<u64>, trouble: Trouble) {
    let (watchdog, begun) = (Watchdog::new(), std::time::Instant::now());
    let mut failed = Vec::new();
    let mut total = Report::default();
    let count = seeds.end - seeds.start;
    for seed in seeds {
        watchdog.seed.store(seed, Ordering::Relaxed);
        match panic::catch_unwind(AssertUnwindSafe(|| run_one(seed, trouble))) {
            Ok(report) => total.add(&report),
            Err(_) => {
                eprintln!("seed {seed} failed. Replay: {}", replay(seed));
                failed.push(seed);
            }
        }
    }
    let rate = count as f64 / begun.elapsed().as_secs_f64();
    println!("{count} seeds, {rate:.1} seeds/s: {total}");
    assert!(failed.is_empty(), "failed seeds: {failed:?}. Replay one: {}", replay(failed[0]));
}

macro_rules! seeds {
    ($($name:ident: $range:expr;)*) => {$(
        #[test]
        fn $name() {
            run_seeds($range, Trouble::All);
        }
    )*};
}

// Several tests, so that they run beside each other.
seeds! {
    seeds_0_to_75: 0..75;
    seeds_75_to_150: 75..150;
    seeds_150_to_225: 150..225;
    seeds_225_to_300: 225..300;
}

/// Nodes that follow another chain for good: no end rests on it, and the run goes on by the rest.
#[test]
fn nodes_on_another_chain_end_nothing() {
    run_seeds(1..25, Trouble::Torn);
}

/// Seeds that failed before what they showed was mended.
#[test]
fn seeds_that_failed_once() {
    let plain = [1053, 2208, 5845, 20_900, 20_945, 30_704];
    // Never sent, said of what a proxy had passed on (93); ends that rest on a ledger which the other
    // nodes deny (109).
    let misled = [93, 109];
    // Ends concluded of a ledger that was denied while a node was asked about it (530); a key that
    // somebody else set makes a deliberately wrong transaction succeed (1304).
    // A look-up that failed and was not asked again (1354); a rival that had ended before a restart,
    // and a replacement that several signers signed anew (70072).
    // A hash that was settled on although the ledger above denies it (300396); what is properly signed
    // and no longer tracked, taken for what is not (300880). An account that no ledger has, of whose
    // Sequence the judge did not know that it is gone (500870).
    let all = [530, 1304, 1354, 70_072, 300_396, 300_880, 500_870];
    // A stranger whose funding was lost (2053); a refusal overturned by a ledger that is denied (2107).
    let worst = [2053, 2107];
    plain.into_iter().for_each(|seed| run_seeds(seed..seed + 1, Trouble::Plain));
    misled.into_iter().for_each(|seed| run_seeds(seed..seed + 1, Trouble::Misled));
    all.into_iter().for_each(|seed| run_seeds(seed..seed + 1, Trouble::All));
    worst.into_iter().for_each(|seed| run_seeds(seed..seed + 1, Trouble::Worst));
}

#[test]
fn seed_of_the_environment() {
    let Ok(seed) = std::env::var("XRPL_WORKLOAD_SEED") else { return };
    let seed = seed.parse().expect("XRPL_WORKLOAD_SEED is a number");
    // RUST_LOG=xrpl_tracker=debug shows what the tracker made of it.
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
    println!("{}", choice::describe(seed, Trouble::All));
    let watchdog = Watchdog::new();
    watchdog.seed.store(seed, Ordering::Relaxed);
    println!("{}", run_one(seed, Trouble::All));
}

#[test]
fn seeds_of_the_environment() {
    let Ok(range) = std::env::var("XRPL_WORKLOAD_SEEDS") else { return };
    let (first, end) = range.split_once("..").expect("XRPL_WORKLOAD_SEEDS is FIRST..END");
    run_seeds(first.parse().expect("a number")..end.parse().expect("a number"), Trouble::All);
}

/// What happens in a run follows from its seed: states, times, ledgers.
#[test]
fn the_same_seed_is_the_same_run() {
    // 6 draws at random. The last one has a node that stands still while many wait for it.
    for seed in [1, 6, 7, 12, 70_072] {
        let run = || world::run(seed, Trouble::All);
        let (first, second) = (run(), run());
        assert_eq!(first.digest, second.digest, "seed {seed}");
    }
}
