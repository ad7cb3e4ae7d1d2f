//! Signed Payments per second by the direct path, against the bare signature, in one run.
//!
//! `cargo bench -p xrpl-protocol --bench signing` prints for each key type both rates and their
//! ratio; the program aims at 80 % or more. Verification and the path over fields follow.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use xrpl_protocol::{
    AccountId, Definitions, Drops, LedgerIndex, Object, Sequence,
    hash::{prefix, sha512_half},
    keys::{KeyPair, KeyType, Seed},
    sign::{sign, verify_transaction},
    transaction::{Common, Direct, Payment, Slot},
};

/// Calls per second, the best of several short rounds that alternate with those of the other.
fn rates(mut a: impl FnMut(u32), mut b: impl FnMut(u32)) -> (f64, f64) {
    const ROUND: Duration = Duration::from_millis(250);
    let round = |f: &mut dyn FnMut(u32)| {
        let (start, mut calls) = (Instant::now(), 0);
        while start.elapsed() < ROUND {
            for _ in 0..200 {
                f(calls);
                calls += 1;
            }
        }
        f64::from(calls) / start.elapsed().as_secs_f64()
    };
    let mut best = (0f64, 0f64);
    for _ in 0..8 {
        best = (best.0.max(round(&mut a)), best.1.max(round(&mut b)));
    }
    best
}

fn main() {
    for key_type in [KeyType::Ed25519, KeyType::Secp256k1] {
        let key = KeyPair::from_seed(&Seed::from_entropy([7; 16], key_type));
        let destination = AccountId([9; 20]);
        let common = |n: u32| {
            Common::new(key.account_id(), Slot::Sequence(Sequence(n)), Drops(10))
                .last_ledger(LedgerIndex(1000))
        };
        let build = |n: u32| Payment::xrp(destination, Drops(1_000_000)).sign(&common(n), &key);
        let signed = build(1);
        let tx = Object::decode(&signed.blob, Definitions::builtin()).expect("just built");
        let message = tx.encode_for_signing(Definitions::builtin());
        let (bare, whole) = rates(
            |n| {
                let mut message = message.clone();
                message[20] = n as u8;
                black_box(key.sign(&message));
            },
            |n| {
                black_box(build(n));
            },
        );
        println!(
            "{key_type}: bare signature {bare:.0}/s, built and signed {whole:.0}/s, ratio {:.1} %",
            whole / bare * 100.0
        );
        let (verify, fields) = rates(
            |_| {
                black_box(verify_transaction(&tx)).expect("the signature holds");
            },
            |_| {
                black_box(sign(tx.clone(), &key));
            },
        );
        println!("{key_type}: verified {verify:.0}/s, signed over fields {fields:.0}/s");
    }
    let (hash, _) = rates(
        |n| {
            black_box(sha512_half(&[&prefix::TRANSACTION_ID, &n.to_be_bytes(), &[0; 180]]));
        },
        |_| {},
    );
    println!("SHA-512Half of 188 bytes: {hash:.0}/s");
}
