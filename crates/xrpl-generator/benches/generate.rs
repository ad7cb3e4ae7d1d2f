//! The whole path of the generator without network: pick an account, plan, build, sign, set aside,
//! take in the answer and the outcome. One element is one transaction.

use std::{collections::BTreeMap, hint::black_box, sync::Arc};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use xrpl_generator::{
    GeneratorConfig,
    accounts::{Account, Role, derive},
    catalogue::Catalogue,
    engine::{Engine, Prepared},
    lane::{Answer, Lane},
    modifier::Modifier,
};
use xrpl_protocol::{
    LedgerIndex, Sequence,
    keys::{KeyPair, KeyType},
    transaction::Slot,
};
use xrpl_tracker::{
    Evidence, Intent, Outcome, ResultName, Source, State, ValidatedIn, record::Latencies,
};

const ACCOUNTS: u32 = 1_000;
const BATCH: u64 = 1_000;

/// Weights that leave nothing but Payments; without gateways these are of XRP.
fn only_payments() -> BTreeMap<String, u32> {
    let catalogue = Catalogue::new(&BTreeMap::new()).expect("no weight is wrong");
    let weight = |name: &str| u32::from(name == "Payment");
    catalogue.names().map(|name| (name.to_owned(), weight(name))).collect()
}

/// No modifiers.
fn none() -> BTreeMap<String, u32> {
    Modifier::ALL.iter().map(|modifier| (modifier.name().to_owned(), 0)).collect()
}

fn engine(key_type: KeyType) -> Engine {
    let config = GeneratorConfig {
        weights: only_payments(),
        modifiers: none(),
        ..GeneratorConfig::default()
    };
    let mut engine = Engine::new(&config).expect("the configuration is right");
    engine.set_head(LedgerIndex(100));
    for n in 0..ACCOUNTS {
        let key = KeyPair::from_seed(&derive("bench", Role::User, n, key_type));
        let index = engine.world.accounts.add(Account::new(key, Role::User, 5));
        let account = &mut engine.world.accounts[index];
        account.active = true;
        account.lane = Lane::new(Sequence(50), 5);
        account.xrp.balance = 1_000_000_000_000;
    }
    engine.list_all();
    engine
}

fn outcome(prepared: &Prepared) -> Outcome {
    let result = ResultName::new("tesSUCCESS");
    Outcome {
        hash: prepared.hash,
        account: Default::default(),
        slot: Slot::Sequence(Sequence(0)),
        transaction_type: Arc::from("Payment"),
        state: State::Validated,
        engine_result_first: Some(result.clone()),
        engine_result: Some(result.clone()),
        validated_ledger: Some(LedgerIndex(101)),
        metadata: None,
        evidence: Evidence::Validated(ValidatedIn {
            ledger_index: LedgerIndex(101),
            ledger_hash: None,
            result,
            source: Source::Ws,
        }),
        intent: Intent::Valid,
        latencies: Latencies::default(),
        overturned: false,
        revoked: false,
    }
}

fn generate(c: &mut Criterion) {
    let mut group = c.benchmark_group("generate");
    group.throughput(Throughput::Elements(BATCH));
    for key_type in [KeyType::Ed25519, KeyType::Secp256k1] {
        let mut engine = engine(key_type);
        group.bench_function(key_type.to_string(), |b| {
            b.iter(|| {
                let mut flying = Vec::with_capacity(BATCH as usize);
                for _ in 0..BATCH {
                    let Ok(prepared) = engine.next_load() else { panic!("lanes are empty") };
                    engine.answered(prepared.hash, Answer::Applied);
                    flying.push(prepared);
                }
                for prepared in &flying {
                    black_box(engine.settle(&outcome(prepared)));
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, generate);
criterion_main!(benches);
