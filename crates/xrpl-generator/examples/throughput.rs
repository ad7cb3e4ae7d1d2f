//! How much the generator, the tracker and the embedded ledger do together, over loopback:
//!
//! ```text
//! cargo run --release -p xrpl-generator --example throughput -- [accounts] [pending] [seconds] [close ms]
//! ```

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio_util::sync::CancellationToken;
use xrpl_client::{Endpoint, Pool, PoolConfig};
use xrpl_generator::{Generator, GeneratorConfig, Pace, Progress, Stage};
use xrpl_standalone::{Standalone, StandaloneConfig};
use xrpl_tracker::{MemoryStore, Tracker, TrackerConfig};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let mut number = |default| numbers.next().unwrap_or(Ok(default));
    let (accounts, pending) = (number(1_000)?, number(10)?);
    let (seconds, close_ms) = (number(10)?, number(1_000)?);

    let loopback = ([127, 0, 0, 1], 0).into();
    let mut ledger = StandaloneConfig {
        rpc_bind: loopback,
        ws_bind: loopback,
        closing: xrpl_standalone::Closing::Interval(Duration::from_millis(close_ms)),
        ..StandaloneConfig::default()
    };
    // Room in the open ledger for all that is sent: this measures the pipeline, not fee escalation.
    ledger.node.queue.minimum_txn_in_ledger = 1_000_000;
    let ledger = Standalone::start(ledger).await?;
    let endpoint = Endpoint {
        rpc: format!("http://{}/", ledger.rpc_addr).parse()?,
        ws: Some(format!("ws://{}/", ledger.ws_addr).parse()?),
    };
    let pool = Pool::new(vec![endpoint], PoolConfig::default());
    let store = Arc::new(MemoryStore::default());
    let tracker = Tracker::start(pool.clone(), store, TrackerConfig::default()).await?;
    let config = GeneratorConfig {
        accounts: accounts as usize,
        max_pending_per_account: pending as usize,
        stages: vec![Stage::of(Pace::Unlimited)],
        ..GeneratorConfig::default()
    };
    let started = Instant::now();
    let progress = |p: Progress| {
        if p.done == p.total {
            println!("{:>8.1?} {}: {}", started.elapsed(), p.stage, p.total);
        }
    };
    let generator = Generator::prepare(tracker.clone(), pool, config, progress).await?;
    println!("prepared after {:.1?}", started.elapsed());

    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let watched = generator.clone();
    tokio::spawn(async move {
        let mut before = 0;
        for second in 1..=seconds {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let status = watched.last_status();
            let validated = status.stats.validated;
            println!(
                "{second:>4} s: {:>6} validated/s, {:>6} in flight, {:>5} free accounts, {:?}",
                validated - before,
                status.stats.in_flight,
                status.free_accounts,
                status.stats.failed,
            );
            before = validated;
        }
        stop.cancel();
    });
    let started = Instant::now();
    let status = generator.run(cancel).await?;
    let rate = status.stats.validated as f64 / started.elapsed().as_secs_f64();
    println!("{:.0} validated/s including the drain\n{:#?}", rate, status.stats);
    ledger.shutdown().await;
    Ok(())
}
