//! Validated-transaction messages per second on one core, from raw text to VALIDATED, with few and
//! with a million transactions tracked, and the memory of a pending one.
//!
//! `cargo bench -p xrpl-tracker --bench ws_processor`
//!
//! Each round tracks transactions as if a node had taken them, then times the processing of
//! messages, each about another tracked transaction, in batches as the queue gives them. The store
//! takes what it is handed and drops it: writing is another thread's work. Time is that of the one
//! thread on its processor.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::json;
use tokio::sync::oneshot;
use xrpl_protocol::{
    AccountId, Hash256, LedgerIndex, Sequence, TxHash, hash::sha512_half, transaction::Slot,
};
use xrpl_tracker::{
    Result, RowFilter, RunId, RunStore, TrackerConfig,
    bench_support::{Batch, Processor},
    record::{Identity, Progress, Record},
    store::{Anchor, Created, Resumed, Room},
};

const BATCH: usize = 128;
const MESSAGES: usize = 40 * 1024;
const MANY: usize = 1_000_000;
const BLOB: usize = 190;
const ROUNDS: usize = 7;

fn main() {
    // `cargo test --benches` only wants to see that it runs.
    let quick = std::env::args().any(|argument| argument == "--test");
    let (many, rounds) = if quick { (20_000, 1) } else { (MANY, ROUNDS) };
    let messages = if quick { 2_048 } else { MESSAGES };

    let batches = batches(messages, messages);
    let size = message(0).len();
    let few_rate = rate(messages, &batches, messages, rounds);
    println!("message size                    {size} bytes");
    println!("{messages:>9} tracked               {few_rate:>9.0} messages/s");

    // The same number of messages, spread over all of those tracked.
    let batches = self::batches(messages, many);
    let many_rate = rate(many, &batches, messages, if quick { 1 } else { 3 });
    println!("{many:>9} tracked               {many_rate:>9.0} messages/s");
    println!("ratio                           {:>9.2}", many_rate / few_rate);

    drop(batches);
    if let Some(before) = resident() {
        let processor = track(many);
        let grown = resident().unwrap_or(before).saturating_sub(before);
        let each = grown / many;
        println!("memory per pending transaction  {each:>9} bytes with a blob of {BLOB}");
        println!("                                {:>9} bytes without it", each - BLOB.min(each));
        drop(processor);
    }
}

/// The best of several rounds: the others were disturbed.
fn rate(tracked: usize, batches: &[Batch], messages: usize, rounds: usize) -> f64 {
    let mut best = Duration::MAX;
    for _ in 0..rounds {
        let processor = track(tracked);
        let (since, busy) = (Instant::now(), running_time());
        for batch in batches {
            processor.process(batch);
        }
        best = best.min(match (busy, running_time()) {
            (Some(before), Some(after)) => after - before,
            _ => since.elapsed(),
        });
        assert_eq!(processor.validated(), messages as u64, "every message must count");
    }
    messages as f64 / best.as_secs_f64()
}

fn track(n: usize) -> Processor {
    let config = TrackerConfig::default();
    let processor = Processor::new(Arc::new(Sink), &config, LedgerIndex(10));
    for n in 0..n {
        let blob = Bytes::from(vec![0x12; BLOB]);
        processor.track(hash(n), account(n), slot(n), blob);
    }
    processor
}

fn hash(n: usize) -> TxHash {
    sha512_half(&[&n.to_be_bytes()]).into()
}

fn account(n: usize) -> AccountId {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&sha512_half(&[&(n / 100).to_le_bytes()]).0[..20]);
    AccountId(bytes)
}

fn slot(n: usize) -> Slot {
    Slot::Sequence(Sequence(n as u32 % 100 + 5))
}

/// As many messages as asked for about transactions all over the `tracked` ones.
fn batches(messages: usize, tracked: usize) -> Vec<Batch> {
    let step = (tracked / messages).max(1);
    let numbers: Vec<usize> = (0..messages).map(|n| n * step).collect();
    numbers.chunks(BATCH).map(|some| Processor::batch(some.iter().map(|n| message(*n)))).collect()
}

/// A validated Payment as xrpld's transactions stream tells it.
fn message(n: usize) -> String {
    let (from, to) = (account(n).to_string(), account(n + 100).to_string());
    let signature = const_hex::encode_upper([0x5A; 70]);
    let node = |account: &str, balance: u64, sequence: u32| {
        json!({"ModifiedNode": {
            "FinalFields": {"Account": account, "Balance": balance.to_string(), "Flags": 0,
                "OwnerCount": 0, "Sequence": sequence},
            "LedgerEntryType": "AccountRoot",
            "LedgerIndex": hash(n + 1).to_string(),
            "PreviousFields": {"Balance": (balance + 10).to_string(), "Sequence": sequence - 1},
            "PreviousTxnID": hash(n + 2).to_string(), "PreviousTxnLgrSeq": 10}})
    };
    json!({
        "close_time_iso": "2026-01-01T00:00:00Z", "ctid": "C00000B000000000",
        "engine_result": "tesSUCCESS", "engine_result_code": 0,
        "engine_result_message": "The transaction was applied.",
        "ledger_hash": Hash256([0xAB; 32]).to_string(), "ledger_index": 11,
        "meta": {"AffectedNodes": [node(&from, 99_999_990, 6), node(&to, 1_000_000_000, 9)],
            "TransactionIndex": n, "TransactionResult": "tesSUCCESS",
            "delivered_amount": "1000000"},
        "status": "closed",
        "transaction": {"Account": from, "Amount": "1000000", "DeliverMax": "1000000",
            "Destination": to, "Fee": "10", "Flags": 0, "LastLedgerSequence": 30,
            "Sequence": n % 100 + 5, "SigningPubKey": const_hex::encode_upper([0xED; 33]),
            "TransactionType": "Payment", "TxnSignature": signature, "date": 848_737_541,
            "hash": hash(n).to_string()},
        "type": "transaction", "validated": true
    })
    .to_string()
}

/// Time that this thread has run on a processor, where the system tells it: other programs'
/// turns do not count.
fn running_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}

/// Memory in use, where the system tells it.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").trim().parse::<usize>().ok()? * 1024)
}

/// Takes everything, keeps nothing.
#[derive(Debug)]
struct Sink;

#[async_trait]
impl RunStore for Sink {
    fn run(&self) -> RunId {
        RunId(1)
    }
    async fn anchor(&self) -> Result<Option<Anchor>> {
        Ok(None)
    }
    async fn ledger_hash(&self, _: LedgerIndex) -> Result<Option<Hash256>> {
        Ok(None)
    }
    async fn newest_ledgers(&self, _: usize) -> Result<Vec<(LedgerIndex, Hash256)>> {
        Ok(Vec::new())
    }
    async fn resume(&self) -> Result<Resumed> {
        Ok(Resumed::default())
    }
    fn create(&self, _: Room, _: Identity) -> oneshot::Receiver<Result<Created>> {
        let (tell, told) = oneshot::channel();
        let _ = tell.send(Ok(Created::New(1)));
        told
    }
    fn update(&self, _: TxHash, progress: Progress) -> Result<()> {
        std::hint::black_box(progress);
        Ok(())
    }
    fn ledger(&self, _: LedgerIndex, _: Hash256) -> Result<()> {
        Ok(())
    }
    async fn flush(&self) -> Result<()> {
        Ok(())
    }
    async fn get(&self, _: TxHash) -> Result<Option<Record>> {
        Ok(None)
    }
    async fn resting_on(&self, _: LedgerIndex) -> Result<Vec<Record>> {
        Ok(Vec::new())
    }
    async fn by_key(&self, _: &str) -> Result<Option<Record>> {
        Ok(None)
    }
    async fn rows(&self, _: &RowFilter, _: Option<u64>, _: usize) -> Result<Vec<Record>> {
        Ok(Vec::new())
    }
    async fn count(&self, _: &RowFilter) -> Result<u64> {
        Ok(0)
    }
}
