//! Payments per second through the ledger core: submit (open ledger) and close (canonical order,
//! metadata, hashes), without signature checks; an offer that crosses ten others. And what it costs to
//! keep a moment of a ledger of a million entries, and to go back to it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use xrpl_protocol::{AccountId, Amount, IssuedValue, Object, Value, fields, object_id};
use xrpl_standalone::{
    ledger::{PreparedTx, entry_type, genesis::GENESIS_ACCOUNT},
    node::{History, Node, NodeConfig},
    txq::QueueSetup,
};

const ACCOUNTS: u32 = 500;
const PER_LEDGER: u32 = 5_000;
/// Whoever has no key signs with this: the core looks at the form only.
const KEY: [u8; 33] = {
    let mut key = [7; 33];
    key[0] = 0xed;
    key
};

fn account(n: u32) -> AccountId {
    let mut key = KEY;
    key[1..5].copy_from_slice(&n.to_be_bytes());
    AccountId::of_public_key(&key)
}

/// A transaction of one of the accounts.
fn transaction(from: u32, sequence: u32, kind: u16, own: Object) -> Arc<PreparedTx> {
    let mut key = KEY;
    key[1..5].copy_from_slice(&from.to_be_bytes());
    let mut tx = own
        .with(fields::TRANSACTION_TYPE, kind)
        .with(fields::FLAGS, 0u32)
        .with(fields::SEQUENCE, sequence)
        .with(fields::LAST_LEDGER_SEQUENCE, u32::MAX)
        .with(fields::FEE, Amount::Xrp(10))
        .with(fields::ACCOUNT, AccountId::of_public_key(&key));
    tx.set(fields::SIGNING_PUB_KEY, Value::Blob(key.to_vec()));
    tx.set(fields::TXN_SIGNATURE, Value::Blob(vec![1; 64]));
    Arc::new(PreparedTx::parse(&tx.encode()).expect("a well-formed transaction"))
}

fn payment(from: u32, to: AccountId, sequence: u32, drops: i64) -> Arc<PreparedTx> {
    let own = Object::new().with(fields::AMOUNT, Amount::Xrp(drops)).with(fields::DESTINATION, to);
    transaction(from, sequence, 0, own)
}

fn offer(from: u32, sequence: u32, pays: Amount, gets: Amount) -> Arc<PreparedTx> {
    let own = Object::new().with(fields::TAKER_PAYS, pays).with(fields::TAKER_GETS, gets);
    transaction(from, sequence, 7, own)
}

/// A ledger with funded accounts. The genesis account signs with a regular key made up here.
fn funded() -> (Node, u32) {
    let queue = QueueSetup { minimum_txn_in_ledger: 1 << 20, ..QueueSetup::default() };
    let mut node = Node::new(NodeConfig {
        queue,
        history: History { ledgers: Some(16), transactions: None },
        ..NodeConfig::default()
    });
    let master = xrpl_protocol::keys::KeyPair::from_seed(
        &"snoPBrXtMeMyMHUVTgbuqAfg1SUTb".parse().expect("the genesis seed"),
    );
    for n in 0..ACCOUNTS {
        let tx = Object::new()
            .with(fields::TRANSACTION_TYPE, 0u16)
            .with(fields::FLAGS, 0u32)
            .with(fields::SEQUENCE, n + 1)
            .with(fields::AMOUNT, Amount::Xrp(1_000_000_000_000))
            .with(fields::FEE, Amount::Xrp(10))
            .with(fields::ACCOUNT, GENESIS_ACCOUNT)
            .with(fields::DESTINATION, account(n));
        let signed = xrpl_protocol::sign::sign(tx, &master);
        let prepared = PreparedTx::parse_and_check(&signed.blob).expect("signed here");
        assert!(node.submit(prepared, false).applied);
    }
    node.drain_events();
    let close = node.closed().header.close_time + 10;
    (node.accept(close).transactions.len() == ACCOUNTS as usize).then_some(()).expect("funded");
    let first = node.closed().header.index;
    (node, first)
}

fn submit_and_close(c: &mut Criterion) {
    let (mut node, mut sequence) = funded();
    let mut group = c.benchmark_group("ledger");
    group.throughput(Throughput::Elements(PER_LEDGER.into()));
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    group.bench_function("submit_and_close_payments", |b| {
        b.iter_batched(
            || {
                let each = PER_LEDGER / ACCOUNTS;
                let batch: Vec<_> = (0..each)
                    .flat_map(|i| (0..ACCOUNTS).map(move |n| (n, i)))
                    .map(|(n, i)| payment(n, account((n + 1 + i) % ACCOUNTS), sequence + i, 1))
                    .collect();
                sequence += each;
                batch
            },
            |batch| {
                for tx in batch {
                    let outcome = node.submit(tx, false);
                    assert!(outcome.applied, "{}", outcome.engine_result);
                }
                node.drain_events();
                let ledger = node.accept(0);
                assert_eq!(ledger.transactions.len(), PER_LEDGER as usize);
                node.drain_events();
            },
            criterion::BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// One offer takes those of ten accounts.
fn cross_ten_offers(c: &mut Criterion) {
    const MAKERS: u32 = 10;
    let (mut node, first) = funded();
    let mut crossings = 0;
    let usd = |value: i32| Amount::Issued {
        value: IssuedValue::from_whole(value),
        currency: "USD".parse().expect("a currency"),
        issuer: account(0),
    };
    let mut group = c.benchmark_group("ledger");
    group.bench_function("cross_ten_offers", |b| {
        b.iter_custom(|rounds| {
            let mut spent = Duration::ZERO;
            for _ in 0..rounds {
                let sequence = first + crossings;
                for maker in 1..=MAKERS {
                    let tx = offer(maker, sequence, usd(1), Amount::Xrp(1_000_000));
                    assert!(node.submit(tx, false).applied);
                }
                let tx = offer(0, sequence, Amount::Xrp(10_000_000), usd(10));
                let start = Instant::now();
                let outcome = node.submit(tx, false);
                spent += start.elapsed();
                assert!(outcome.applied, "{}", outcome.engine_result);
                crossings += 1;
                if crossings.is_multiple_of(100) {
                    node.accept(0);
                    node.drain_events();
                }
            }
            spent
        });
    });
    group.finish();
}

/// A ledger of a million accounts.
fn large() -> Node {
    const ENTRIES: u32 = 1_000_000;
    let mut node = Node::new(NodeConfig::default());
    let entries = (0..ENTRIES).map(|n| {
        let root = entry_type::new(entry_type::ACCOUNT_ROOT)
            .with(fields::ACCOUNT, account(n))
            .with(fields::SEQUENCE, 3u32)
            .with(fields::BALANCE, Amount::Xrp(1_000_000_000));
        (object_id::account_root(account(n)), root)
    });
    node.inject(0, entries.collect(), 0);
    node
}

fn snapshot_and_revert(c: &mut Criterion) {
    let mut node = large();
    let mut group = c.benchmark_group("million_entries");
    group.bench_function("snapshot", |b| b.iter(|| node.snapshot()));
    let snapshot = node.snapshot();
    // With a ledger that has to go.
    group.bench_function("revert", |b| {
        b.iter_custom(|times| {
            let mut spent = Duration::ZERO;
            for _ in 0..times {
                assert!(node.submit(payment(0, account(1), 3, 1), false).applied);
                node.accept(0);
                let began = Instant::now();
                node.revert(&snapshot);
                spent += began.elapsed();
                node.drain_events();
            }
            spent
        });
    });
    group.finish();
}

criterion_group!(benches, submit_and_close, cross_ten_offers, snapshot_and_revert);
criterion_main!(benches);
