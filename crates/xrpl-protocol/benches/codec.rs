//! Encoding and decoding a signed Payment: `cargo bench -p xrpl-protocol --bench codec`.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use xrpl_protocol::{Definitions, Object};

fn codec(c: &mut Criterion) {
    let table = Definitions::builtin();
    let json = serde_json::json!({
        "TransactionType": "Payment", "Account": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
        "Destination": "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe", "Amount": "1000000", "Fee": "10",
        "Sequence": 7, "LastLedgerSequence": 99, "Flags": 0,
        "SigningPubKey": "0330E7FC9D56BB25D6893BA3F317AE5BCF33B3291BD63DB32654A313222F7FD020",
        "TxnSignature": "AB".repeat(71),
    });
    let object = Object::from_json(&json, table).expect("a Payment");
    let bytes = object.encode();
    let mut group = c.benchmark_group("payment");
    group.throughput(Throughput::Elements(1));
    group.bench_function("json to binary", |b| {
        b.iter(|| Object::from_json(black_box(&json), table).expect("a Payment").encode());
    });
    group.bench_function("binary to fields", |b| {
        b.iter(|| Object::decode(black_box(&bytes), table).expect("a Payment"));
    });
    group.bench_function("fields to binary", |b| b.iter(|| black_box(&object).encode()));
    group.bench_function("fields to json", |b| b.iter(|| black_box(&object).to_json(table)));
    group.finish();
}

criterion_group!(benches, codec);
criterion_main!(benches);
