//! What the limits cost: a ledger of ten thousand transactions, a million pending ones, a million
//! that pass their last ledger at once.
//!
//! `cargo bench -p xrpl-tracker --bench limits`
//!
//! The lock's holder keeps everybody else waiting, so the longest turn is printed beside the whole.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::json;
use xrpl_protocol::{
    AccountId, Hash256, LedgerIndex, Sequence, hash::sha512_half, transaction::Slot,
};
use xrpl_tracker::{
    MemoryStore, TrackerConfig,
    bench_support::{Batch, Processor},
};

const BATCH: usize = 128;
const LARGE_LEDGER: usize = 10_000;
const MANY: usize = 1_000_000;
const BLOB: usize = 190;
/// How many ledgers after the present one is a transaction's last.
const LAST: u32 = 20;

fn main() {
    // `cargo test --benches` only wants to see that it runs.
    let quick = std::env::args().any(|argument| argument == "--test");
    let (large, many) = if quick { (500, 5_000) } else { (LARGE_LEDGER, MANY) };
    large_ledger(large);
    many_pending(many);
}

fn processor() -> Processor {
    // Rows that it was never told of are dropped: what is measured is the tracker's own.
    Processor::new(MemoryStore::new(1).begin(None), &TrackerConfig::default(), LedgerIndex(10))
}

fn track(processor: &Processor, n: usize) {
    let slot = Slot::Sequence(Sequence(n as u32 % 100 + 5));
    processor.track(hash(n).into(), account(n), slot, Bytes::from(vec![0x12; BLOB]));
}

fn large_ledger(count: usize) {
    let processor = processor();
    (0..count).for_each(|n| track(&processor, n));
    let mut texts = vec![closed(11, count)];
    texts.extend((0..count).map(message));
    let bytes: usize = texts.iter().map(String::len).sum();
    let batches: Vec<_> =
        texts.chunks(BATCH).map(|some| Processor::batch(some.iter().cloned())).collect();
    let (whole, longest) = turns(&processor, &batches);
    assert_eq!((processor.validated(), processor.wanted()), (count as u64, 0));
    println!("a ledger of {count} transactions, {:.1} MB of messages", megabytes(bytes));
    println!("  all of them VALIDATED after     {whole:>9.1?}, longest turn {longest:.1?}");
}

fn many_pending(count: usize) {
    let before = resident();
    let processor = processor();
    (0..count).for_each(|n| track(&processor, n));
    println!("{count} pending transactions");
    say_memory("  memory for them", before, count);
    let next = [Processor::batch([closed(11, 0)])];
    println!("  a ledger closes, none is in it  {:>9.1?}", turns(&processor, &next).0);
    let until_last: Vec<_> =
        (12..=10 + LAST).map(|index| Processor::batch([closed(index, 0)])).collect();
    turns(&processor, &until_last);
    assert_eq!(processor.pending(), count as u64);
    let past = [Processor::batch([closed(11 + LAST, 0)])];
    println!("  all are EXPIRED with proof in   {:>9.1?}", turns(&processor, &past).0);
    assert_eq!(processor.pending(), 0);
    let since = Instant::now();
    processor.forget_ended();
    println!("  all have left memory in         {:>9.1?}", since.elapsed());
    assert_eq!(processor.in_memory(), 0);
    // What was taken once is used again: a second million needs no more.
    (count..2 * count).for_each(|n| track(&processor, n));
    say_memory("  memory with as many new ones", before, count);
}

/// Time for all batches, and for the longest of them.
fn turns(processor: &Processor, batches: &[Batch]) -> (Duration, Duration) {
    let (mut whole, mut longest) = (Duration::ZERO, Duration::ZERO);
    for batch in batches {
        let since = Instant::now();
        processor.process(batch);
        let took = since.elapsed();
        whole += took;
        longest = longest.max(took);
    }
    (whole, longest)
}

fn hash(n: usize) -> Hash256 {
    sha512_half(&[&n.to_be_bytes()])
}

fn account(n: usize) -> AccountId {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&sha512_half(&[&(n / 100).to_le_bytes()]).0[..20]);
    AccountId(bytes)
}

fn closed(index: u32, count: usize) -> String {
    json!({"type": "ledgerClosed", "ledger_index": index, "txn_count": count,
        "ledger_hash": hash(index as usize).to_string(), "ledger_time": index, "fee_base": 10,
        "reserve_base": 1_000_000, "reserve_inc": 200_000})
    .to_string()
}

fn message(n: usize) -> String {
    let node = |balance: u64| {
        json!({"ModifiedNode": {"LedgerEntryType": "AccountRoot",
            "FinalFields": {"Account": account(n).to_string(), "Balance": balance.to_string()},
            "LedgerIndex": hash(n + 1).to_string(), "PreviousTxnID": hash(n + 2).to_string()}})
    };
    json!({"type": "transaction", "validated": true, "engine_result": "tesSUCCESS",
        "ledger_hash": hash(11).to_string(), "ledger_index": 11,
        "meta": {"AffectedNodes": [node(1), node(2)], "TransactionIndex": n,
            "TransactionResult": "tesSUCCESS"},
        "transaction": {"Account": account(n).to_string(), "Sequence": n % 100 + 5,
            "TransactionType": "Payment", "hash": hash(n).to_string()}})
    .to_string()
}

fn say_memory(what: &str, before: Option<usize>, count: usize) {
    if let (Some(before), Some(now)) = (before, resident()) {
        let grown = now.saturating_sub(before);
        println!("{what:<34}{:>6.0} MB, {} bytes each", megabytes(grown), grown / count);
    }
}

fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

/// Memory in use, where the system tells it.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<usize>().ok()? * 1024)
}
