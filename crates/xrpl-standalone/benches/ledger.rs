//! Transactions per second through the ledger core: submit (open ledger) and close (canonical order,
//! metadata, hashes), without signature checks: payments alone, and fifteen types in turn; an offer
//! that crosses ten others. And what it costs to keep a moment of a ledger of a million entries, and to
//! go back to it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value as Json, json};
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
    let own = own
        .with(fields::TRANSACTION_TYPE, kind)
        .with(fields::FLAGS, 0u32)
        .with(fields::SEQUENCE, sequence)
        .with(fields::FEE, Amount::Xrp(10));
    signed(from, own)
}

fn signed(from: u32, tx: Object) -> Arc<PreparedTx> {
    let mut key = KEY;
    key[1..5].copy_from_slice(&from.to_be_bytes());
    let mut tx = tx
        .with(fields::LAST_LEDGER_SEQUENCE, u32::MAX)
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

/// The type that an account sends as its `turn`th, all of which succeed on [`Mixed::new`]'s ledger.
fn in_turn(turn: u32, from: u32, sequence: u32) -> Arc<PreparedTx> {
    let (me, other) = (account(from), account(1 + (from + turn) % (ACCOUNTS - 1)).to_string());
    let other = if other == me.to_string() { account(0).to_string() } else { other };
    let usd = |value: &str| json!({"currency": "USD", "issuer": account(0), "value": value});
    let key = format!("ED{}", const_hex::encode_upper(&KEY[1..]));
    let tx = match turn % 15 {
        0 => json!({"TransactionType": "Payment", "Destination": other, "Amount": "1"}),
        1 => json!({"TransactionType": "Payment", "Destination": other, "Amount": usd("0.001")}),
        2 => {
            json!({"TransactionType": "TrustSet", "LimitAmount": usd(&format!("{}", 1_000_000_000 + turn))})
        }
        3 => json!({"TransactionType": "AccountSet", "Domain": format!("{turn:08X}")}),
        // Dearer than anybody buys.
        4 => {
            json!({"TransactionType": "OfferCreate", "TakerPays": "900000000", "TakerGets": usd("0.5")})
        }
        5 => json!({"TransactionType": "OfferCancel", "OfferSequence": sequence - 1}),
        6 => json!({"TransactionType": "CheckCreate", "Destination": other, "SendMax": "1000000"}),
        7 => json!({"TransactionType": "EscrowCreate", "Destination": other, "Amount": "1",
            "FinishAfter": u32::MAX}),
        8 => json!({"TransactionType": "NFTokenMint", "NFTokenTaxon": 0, "Flags": 8}),
        9 => json!({"TransactionType": "MPTokenIssuanceCreate", "MaximumAmount": "1000"}),
        10 => json!({"TransactionType": "DIDSet", "URI": format!("{turn:08X}")}),
        11 => json!({"TransactionType": "SignerListSet", "SignerQuorum": 1,
            "SignerEntries": [{"SignerEntry": {"Account": other, "SignerWeight": 1}}]}),
        12 => {
            json!({"TransactionType": "PaymentChannelCreate", "Destination": other, "Amount": "1",
            "SettleDelay": 60, "PublicKey": key})
        }
        13 => json!({"TransactionType": "AMMDeposit", "Amount": "100000", "Flags": 0x0008_0000,
            "Asset": {"currency": "XRP"}, "Asset2": {"currency": "USD", "issuer": account(0)}}),
        _ => json!({"TransactionType": "CredentialCreate", "Subject": other,
            "CredentialType": format!("{turn:08X}")}),
    };
    of_json(tx, from, sequence)
}

/// A transaction of one of the accounts, with the fields that say what it does.
fn of_json(tx: Json, from: u32, sequence: u32) -> Arc<PreparedTx> {
    let definitions = xrpl_protocol::Definitions::builtin();
    let own = Object::from_json(&tx, definitions).expect("well-formed");
    let kind = own.u16(fields::TRANSACTION_TYPE).expect("it has a type");
    let flags = own.u32(fields::FLAGS).unwrap_or(0);
    let fee = if tx["TransactionType"] == "AMMCreate" { 2_000_000 } else { 10 };
    signed(
        from,
        own.with(fields::TRANSACTION_TYPE, kind)
            .with(fields::FLAGS, flags)
            .with(fields::SEQUENCE, sequence)
            .with(fields::FEE, Amount::Xrp(fee)),
    )
}

/// Accounts that have lines of USD and some of it, a pool, and the next Sequence of each.
struct Mixed {
    node: Node,
    sequences: Vec<u32>,
    turn: u32,
}

impl Mixed {
    fn new() -> Self {
        let (node, first) = funded();
        let mut this = Self { node, sequences: vec![first; ACCOUNTS as usize], turn: 0 };
        let usd = |value: &str| json!({"currency": "USD", "issuer": account(0), "value": value});
        this.does(0, json!({"TransactionType": "AccountSet", "SetFlag": 8}));
        // Before any line is there: a ledger has its own order.
        this.node.accept(0);
        for n in 1..ACCOUNTS {
            this.does(n, json!({"TransactionType": "TrustSet", "LimitAmount": usd("1000000000")}));
        }
        this.node.accept(0);
        for n in 1..ACCOUNTS {
            let to = account(n).to_string();
            this.does(
                0,
                json!({"TransactionType": "Payment", "Destination": to, "Amount": usd("1000000")}),
            );
        }
        this.node.accept(0);
        this.does(
            1,
            json!({"TransactionType": "AMMCreate", "Amount": "1000000000",
            "Amount2": usd("1000"), "TradingFee": 100}),
        );
        this.node.accept(0);
        this.node.drain_events();
        this
    }

    fn next(&mut self, from: u32) -> u32 {
        let sequence = &mut self.sequences[from as usize];
        *sequence += 1;
        *sequence - 1
    }

    fn does(&mut self, from: u32, tx: Json) {
        let sequence = self.next(from);
        let outcome = self.node.submit(of_json(tx, from, sequence), false);
        assert!(outcome.applied, "{}", outcome.engine_result);
    }

    /// As many of each account, whose turns follow each other.
    fn batch(&mut self, each: u32) -> Vec<Arc<PreparedTx>> {
        let turns = self.turn..self.turn + each;
        self.turn += each;
        let one = |turn: u32| (1..ACCOUNTS).map(move |from| (turn, from));
        turns
            .flat_map(one)
            .map(|(turn, from)| {
                let sequence = self.next(from);
                in_turn(turn, from, sequence)
            })
            .collect()
    }
}

fn submit_and_close_mixed(c: &mut Criterion) {
    let mut mixed = Mixed::new();
    let each = 15;
    let mut group = c.benchmark_group("ledger");
    group.throughput(Throughput::Elements(u64::from(each * (ACCOUNTS - 1))));
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    group.bench_function("submit_and_close_mixed", |b| {
        b.iter_custom(|rounds| {
            let mut spent = Duration::ZERO;
            for _ in 0..rounds {
                let batch = mixed.batch(each);
                let start = Instant::now();
                for tx in batch {
                    let kind = tx.kind;
                    let outcome = mixed.node.submit(tx, false);
                    assert!(outcome.applied, "{kind}: {}", outcome.engine_result);
                }
                mixed.node.drain_events();
                let ledger = mixed.node.accept(0);
                mixed.node.drain_events();
                spent += start.elapsed();
                for tx in &ledger.transactions {
                    assert!(tx.result.is_success(), "{}: {}", tx.read().tx.kind, tx.result);
                }
            }
            spent
        });
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

criterion_group!(
    benches,
    submit_and_close,
    submit_and_close_mixed,
    cross_ten_offers,
    snapshot_and_revert
);
criterion_main!(benches);
