//! The engine against a real ledger core, in one thread and under a seeded plan of faults: answers
//! get lost, transactions never leave, the node forgets what it held. Whatever happens, nothing that
//! is meant to succeed may fail for a reason of the generator's own making, and in the end the engine's
//! idea of the world is the ledger's.

mod journeys;
mod sim;

use std::collections::BTreeMap;

use sim::{Faults, Sim, entry, run, sim, sim_on};
use xrpl_generator::{
    accounts::{Index, Role, derive},
    mutation::COMMON,
    objects::Kind,
    plan::Plan,
};
use xrpl_protocol::{
    Definitions, Drops, Issue, fields,
    keys::{KeyPair, KeyType},
    object_id,
    transaction::Payment,
};
use xrpl_standalone::{
    ledger::{Amendment, ReadView as _, genesis},
    node::NodeConfig,
};

/// Ledgers without load, in which accounts get old enough to be deleted; then a little more of it.
fn age(sim: &mut Sim) {
    for _ in 0..256 {
        sim.close();
    }
    sim.engine.list_all();
    run(sim, 6);
}

/// How many Batches there were: how far each moved the Sequences of its accounts had to be read.
fn batches(sim: &Sim) -> u64 {
    let coverage = sim.engine.coverage();
    let batches =
        coverage.reached.iter().filter(|row| row.transaction_type == "Batch" || row.way == "batch");
    batches.flat_map(|row| row.results.values()).sum()
}

/// The engine's world is the ledger's.
fn agrees(sim: &Sim) {
    for (index, account) in sim.engine.world.accounts.iter().enumerate() {
        let Some(root) = sim.root(index as Index) else {
            assert!(account.role == Role::Passing && !account.active, "{}", account.id);
            continue;
        };
        assert!(account.active, "{}", account.id);
        assert_eq!(root.u32(fields::SEQUENCE), Some(account.lane.next().0), "{}", account.id);
        let balance = root.amount(fields::BALANCE).unwrap().drops().unwrap();
        assert_eq!(balance, account.xrp.balance as i64, "{}", account.id);
        assert_eq!(root.u32(fields::OWNER_COUNT), Some(account.xrp.owners), "{}", account.id);
        assert_eq!((account.xrp.pending, account.xrp.owners_pending), (0, 0));
        for line in account.lines.iter() {
            let asset = sim.engine.world.assets[usize::from(line.asset)];
            let id = object_id::trust_line(account.id, asset.issuer, asset.currency);
            let state = entry(sim.node.closed(), &id).unwrap();
            let value = state.amount(fields::BALANCE).unwrap().value().unwrap();
            let own = if account.id < asset.issuer { value } else { value.negated() };
            assert_eq!(own, line.balance);
            assert!(line.leaving.is_zero() && line.coming.is_zero());
        }
    }
    mirrored(sim);
}

/// What the mirror has is what the ledger has of the run's accounts, and nothing lacks.
fn mirrored(sim: &Sim) {
    let world = &sim.engine.world;
    let mut in_ledger = BTreeMap::new();
    for account in world.accounts.iter() {
        let mut page = 0;
        loop {
            let id = object_id::dir_page(object_id::owner_dir(account.id), page);
            let Some(directory) = entry(sim.node.closed(), &id) else { break };
            for id in directory.vector256(fields::INDEXES).unwrap_or_default() {
                let object = entry(sim.node.closed(), id).unwrap();
                let code = object.u16(fields::LEDGER_ENTRY_TYPE).unwrap();
                let name = Definitions::builtin().ledger_entry_type_name(code).unwrap();
                // Trust lines are kept with their holders, but those of LP tokens.
                let kept = match object.amount(fields::BALANCE).map(|balance| balance.issue()) {
                    Some(Issue::Issued { currency, .. }) => currency.0[0] == 3,
                    _ => true,
                };
                if kept && Kind::named(name).is_some() {
                    in_ledger.insert(*id, object);
                }
            }
            page = directory.u64(fields::INDEX_NEXT).unwrap_or(0);
            if page == 0 {
                break;
            }
        }
    }
    let (mut compared, mut fields_compared) = (0, 0);
    for (id, object) in &in_ledger {
        let mirrored = world.objects.get(*id);
        let shown = || object.to_json(Definitions::builtin());
        let mirrored = mirrored.unwrap_or_else(|| panic!("the mirror lacks {}", shown()));
        for (field, value) in mirrored.fields.iter() {
            // Metadata leave out what has its default value.
            if let Some(in_ledger) = object.get(field) {
                assert_eq!(value, in_ledger, "{field:?} of {}", shown());
                fields_compared += 1;
            }
        }
        compared += 1;
    }
    let kinds = in_ledger.values().filter_map(|o| o.u16(fields::LEDGER_ENTRY_TYPE));
    for code in kinds.collect::<std::collections::BTreeSet<_>>() {
        let kind = Definitions::builtin().ledger_entry_type_name(code).and_then(Kind::named);
        for mirrored in kind.into_iter().flat_map(|kind| world.objects.all(kind)) {
            assert!(entry(sim.node.closed(), &mirrored.id).is_some(), "gone: {mirrored:?}");
            assert!(!world.objects.is_held(mirrored.id), "still held: {mirrored:?}");
        }
    }
    assert!(fields_compared >= compared, "hardly anything was compared");
    println!("{compared} mirrored objects compared, {fields_compared} fields");
}

#[test]
fn valid_load_succeeds_without_exception() {
    let mut validated: BTreeMap<&str, u64> = BTreeMap::new();
    let mut coverage = Vec::new();
    for seed in 0..6 {
        let mut sim = sim(seed, 0.0, 1 + seed as usize * 2, Faults::default());
        run(&mut sim, 60);
        age(&mut sim);
        assert!(sim.bad.is_empty(), "seed {seed}: {:?}", sim.bad);
        let stats = sim.engine.stats();
        assert!(stats.validated > 150 && stats.validated == stats.submitted, "{stats:?}");
        assert_eq!((stats.holes_filled, stats.metadata_missing), (0, 0));
        assert!(stats.rereads <= 2 * batches(&sim), "{stats:?}");
        for name in sim.engine.catalogue.names() {
            *validated.entry(name).or_default() +=
                stats.by_type.get(name).map_or(0, |t| t.validated);
        }
        coverage.push(sim.engine.coverage());
        agrees(&sim);
        if seed == 5 {
            let diagnoses = sim.engine.diagnoses();
            println!(
                "{:#?}",
                diagnoses.iter().map(|d| (d.name, d.planned, &d.why_not)).collect::<Vec<_>>()
            );
        }
    }
    let fewer = |than: u64| validated.iter().filter(move |(_, n)| **n < than).collect::<Vec<_>>();
    assert!(fewer(3).is_empty(), "seldom validated: {:?} of {validated:?}", fewer(3));
    // Of what there is one of only (the pool of the one currency and XRP) not many can be made.
    assert!(fewer(20).len() <= 2, "seldom validated: {:?} of {validated:?}", fewer(20));
    // So was every form of every type.
    let unreached = |c: &xrpl_generator::coverage::Coverage| -> std::collections::BTreeSet<String> {
        c.never.iter().filter(|way| way.contains(": plain")).cloned().collect()
    };
    let never = coverage.iter().map(unreached).reduce(|all, some| &all & &some);
    assert!(never.iter().flatten().next().is_none(), "never sent: {never:#?}");
    // Every way of sending was reached by some type.
    for modifier in xrpl_generator::modifier::Modifier::ALL {
        let reached =
            coverage.iter().flat_map(|c| &c.reached).any(|row| row.way == modifier.name());
        assert!(reached, "{} was never reached", modifier.name());
    }
}

/// A network that lacks an amendment gets nothing that needs it, whichever that is, and one that has none
/// of them either: neither a type nor a form of another one.
#[test]
fn a_network_without_an_amendment_gets_nothing_that_needs_it() {
    let all = genesis::amendments();
    // Corrections add neither types nor fields; the load goes by one of them.
    let matters = |of: &Amendment| !of.name().starts_with("fix") || of.name() == "fixFillOrKill";
    let without = Amendment::supported().filter(matters).map(|lacks| {
        let others = all.iter().copied().filter(|id| *id != lacks.id()).collect();
        (lacks.name(), others)
    });
    let mut wrong = BTreeMap::new();
    for (seed, (lacks, amendments)) in (80..).zip(without.chain([("all", Vec::new())])) {
        let node = NodeConfig { amendments, ..NodeConfig::default() };
        let mut sim = sim_on(node, seed, 0.0, 5, Faults::default(), |_| {});
        let enabled = sim.node.closed().rules().ids().iter().copied();
        let features = [xrpl_protocol::hash::sha512_half(&[b"BatchV1_1"])];
        sim.engine.set_amendments(enabled.chain(features).collect());
        run(&mut sim, 30);
        agrees(&sim);
        if !sim.bad.is_empty() {
            wrong.insert(lacks, sim.bad);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Every type's own mutations are reached, and get what they must.
#[test]
fn every_invalid_one_gets_what_its_mutation_predicts() {
    let mut never: Option<std::collections::BTreeSet<String>> = None;
    for seed in 10..16 {
        let mut sim = sim_on(NodeConfig::default(), seed, 50.0, 5, Faults::default(), |config| {
            config.steer_coverage = true;
        });
        run(&mut sim, 80);
        age(&mut sim);
        assert!(sim.bad.is_empty(), "seed {seed}: {:?}", sim.bad);
        let stats = sim.engine.stats();
        assert!(stats.invalid.otherwise.is_empty(), "seed {seed}: {:?}", stats.invalid.otherwise);
        assert_eq!(stats.invalid.as_predicted.values().sum::<u64>(), stats.submitted_invalid);
        let open: std::collections::BTreeSet<_> = sim
            .engine
            .coverage()
            .never
            .into_iter()
            .filter(|way| way.contains("mutation"))
            .collect();
        never = Some(match never {
            Some(before) => before.intersection(&open).cloned().collect(),
            None => open,
        });
        agrees(&sim);
    }
    let mut never = never.unwrap();
    never.retain(|way| !COMMON.iter().any(|mutation| way.ends_with(mutation.name)));
    // Here is one currency, so one pool, and it can be made once.
    assert!(never.len() <= 1, "never reached: {never:#?}");
}

#[test]
fn faults_leave_no_gap_and_burn_no_sequence() {
    let mut filled = 0;
    for seed in 20..32 {
        let faults = Faults { never_sent: 4, answer_lost: 10, forgotten: 2 };
        let invalid = if seed % 2 == 0 { 0.0 } else { 20.0 };
        let mut sim = sim(seed, invalid, 1 + seed as usize % 8, faults);
        run(&mut sim, 40);
        assert_eq!(sim.refused_past, 0, "seed {seed}: {:?}", sim.bad);
        assert!(sim.bad.is_empty(), "seed {seed}: {:?}", sim.bad);
        let stats = sim.engine.stats();
        assert!(stats.validated > 100, "seed {seed}: {stats:?}");
        assert!(
            stats.rereads <= 2 * batches(&sim),
            "seed {seed}: nothing else gave reason to doubt"
        );
        filled += stats.holes_filled;
        agrees(&sim);
    }
    assert!(filled > 10, "the plan made {filled} holes");
}

#[test]
fn a_small_node_that_queues_loses_nothing() {
    for seed in 50..56 {
        let mut node = NodeConfig::default();
        node.queue.minimum_txn_in_ledger = 4;
        node.queue.target_txn_in_ledger = 8;
        node.queue.maximum_txn_in_ledger = Some(8);
        node.queue.minimum_queue_size = 40;
        let mut sim = sim_on(node, seed, 0.0, 8, Faults::default(), |_| {});
        sim.answers.clear();
        run(&mut sim, 60);
        assert!(sim.answers["terQUEUED"] > 100, "seed {seed}: {:?}", sim.answers);
        assert!(sim.bad.is_empty(), "seed {seed}: {:?}", sim.bad);
        let stats = sim.engine.stats();
        let coverage = sim.engine.coverage();
        let failed = |results: &BTreeMap<String, u64>| {
            stats.failed.keys().any(|result| results.contains_key(result))
        };
        let which: Vec<_> = coverage.reached.iter().filter(|row| failed(&row.results)).collect();
        assert!(stats.failed.is_empty(), "seed {seed}: {which:?} {:?}", sim.answers);
        assert!(stats.validated > 200, "seed {seed}: {stats:?}");
        agrees(&sim);
    }
}

/// Strangers who pay more fill every ledger of a small node for a while: what pays the base fee would
/// wait until it expires. Replacements that pay what the ledger asks get in, and each slot is used once.
#[test]
fn strangers_that_pay_more_delay_but_do_not_starve() {
    let ended = |max_replacements: u8, seed: u64| {
        let mut node = NodeConfig::default();
        node.queue.minimum_txn_in_ledger = 6;
        node.queue.target_txn_in_ledger = 6;
        node.queue.maximum_txn_in_ledger = Some(6);
        node.queue.minimum_queue_size = 400;
        let mut sim = sim_on(node, seed, 0.0, 4, Faults::default(), |config| {
            config.max_replacements = max_replacements;
            config.last_ledger_offset = 8;
        });
        let genesis =
            sim.engine.world.accounts.iter().position(|a| a.role == Role::Funder).unwrap();
        let strangers = [0, 1].map(|n| {
            let seed = derive("strangers", Role::User, n, KeyType::Ed25519);
            let key = KeyPair::from_seed(&seed);
            let body = Payment::xrp(key.account_id(), Drops::from_xrp(1_000));
            let fee = xrpl_generator::fees::FeeClass::OpenLedger;
            let plan = Plan { fee, ..Plan::payment(body).spending(1_000_000_000) };
            assert!(sim.setup(genesis as Index, plan));
            key
        });
        sim.engine.reset_stats();
        sim.answers.clear();
        for _ in 0..40 {
            for key in &strangers {
                sim.stranger(key, 8);
            }
            for _ in 0..10 {
                if !sim.step(true) {
                    break;
                }
            }
            sim.close();
        }
        run(&mut sim, 0);
        let stats = sim.engine.stats();
        if stats.failed.is_empty() {
            agrees(&sim);
        }
        stats
    };
    let (mut without, mut with) = (0, 0);
    for seed in 60..63 {
        without += ended(0, seed).failed_total();
        let stats = ended(3, seed);
        with += stats.failed_total();
        assert!(stats.replacements > 5, "seed {seed}: {stats:?}");
        assert!(stats.validated > 20, "seed {seed}: {stats:?}");
    }
    assert!(without > 10, "strangers do not starve the load: {without}");
    assert!(with * 4 < without, "{with} expired in spite of replacements, {without} without");
}
