//! The engine against a real ledger core, in one thread and under a seeded plan of faults: answers
//! get lost, transactions never leave, the node forgets what it held. Whatever happens, nothing of
//! valid intent may fail for a reason of the generator's own making, and in the end the engine's
//! idea of the world is the ledger's.

use std::{collections::BTreeMap, sync::Arc};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use xrpl_generator::{
    GeneratorConfig,
    accounts::{Account, Index, Role, derive},
    engine::{Engine, Origin, Prepared},
    lane::{Answer, Lane},
    metadata::Metadata,
    mutation::COMMON,
    objects::Kind,
    plan::Plan,
    world::Asset,
};
use xrpl_protocol::{
    Definitions, Drops, EngineResult, Issue, LedgerIndex, Object, ResultClass, Sequence, TxHash,
    fields,
    hash::sha512_half,
    keys::{KeyPair, KeyType, Seed},
    object_id,
    transaction::{AccountSet, Common, Direct, Payment, Slot},
};
use xrpl_standalone::ledger::{ClosedLedger, PreparedTx, ReadView};
use xrpl_standalone::node::{Node, NodeConfig};
use xrpl_tracker::{
    AbsenceProof, Evidence, Intent, Outcome, ResultName, Source, State, ValidatedIn,
    record::Latencies,
};

/// Chances of faults, in percent of all transactions.
#[derive(Clone, Copy, Debug, Default)]
struct Faults {
    /// It never leaves.
    never_sent: u64,
    /// The answer gets lost.
    answer_lost: u64,
    /// The node says it holds it, and forgets it.
    forgotten: u64,
}

struct Live {
    prepared: Prepared,
    last_ledger: u32,
    retried: bool,
}

struct Sim {
    engine: Engine,
    node: Node,
    rng: ChaCha8Rng,
    faults: Faults,
    live: BTreeMap<TxHash, Live>,
    /// Results of valid intent that are no success, with what they were.
    bad: Vec<String>,
    refused_past: u64,
    /// The node's answers, by name.
    answers: BTreeMap<&'static str, u64>,
}

const LATENCIES: Latencies =
    Latencies { first_answer_ms: None, finality_ms: None, finality_ledgers: None };

fn decode(prepared: &Prepared) -> Object {
    Object::decode(&prepared.blob, Definitions::builtin()).unwrap()
}

fn outcome(prepared: &Prepared, result: Option<&str>, evidence: Evidence) -> Outcome {
    let result = result.map(ResultName::new);
    Outcome {
        hash: prepared.hash,
        account: decode(prepared).account(fields::ACCOUNT).unwrap(),
        slot: Slot::Sequence(Sequence(0)),
        transaction_type: Arc::from(""),
        state: match &evidence {
            Evidence::Validated(_) => State::Validated,
            Evidence::NeverSent { .. } => State::FailedNet,
            Evidence::LastLedgerPassed { .. } => State::Expired,
            _ => State::Rejected,
        },
        engine_result_first: result.clone(),
        engine_result: result,
        validated_ledger: None,
        metadata: None,
        evidence,
        intent: Intent::Valid,
        latencies: LATENCIES,
        overturned: false,
        revoked: false,
    }
}

impl Sim {
    fn dice(&mut self, percent: u64) -> bool {
        self.rng.next_u64() % 100 < percent
    }

    fn open(&mut self, prepared: Prepared) {
        let load = prepared.origin == Origin::Load;
        if load && self.dice(self.faults.never_sent) {
            self.engine.answered(prepared.hash, Answer::Ended);
            let evidence = Evidence::NeverSent { attempts: 8 };
            self.engine.settle(&outcome(&prepared, None, evidence)).unwrap();
            return;
        }
        let last_ledger = decode(&prepared).u32(fields::LAST_LEDGER_SEQUENCE).unwrap();
        if load && prepared.mutation.is_none() && self.dice(self.faults.forgotten) {
            self.engine.answered(prepared.hash, Answer::Applied);
            let live = Live { prepared, last_ledger, retried: false };
            self.live.insert(live.prepared.hash, live);
            return;
        }
        let result = self.submit(&prepared);
        let class = result.class();
        let gone = ["tefPAST_SEQ", "tefNO_TICKET"].contains(&result.name());
        if prepared.origin == Origin::Replacement && gone {
            // The other one is in the open ledger already.
            self.engine.answered(prepared.hash, Answer::Past);
            let live = Live { prepared, last_ledger, retried: false };
            self.live.insert(live.prepared.hash, live);
            return;
        }
        let firm = prepared.mutation.is_some_and(|mutation| !mutation.claims());
        let later = matches!(class, ResultClass::Tel | ResultClass::Ter);
        if matches!(class, ResultClass::Tem | ResultClass::Tef) || (firm && later) {
            self.engine.answered(prepared.hash, Answer::Ended);
            self.refuse(&prepared, result);
            return;
        }
        let retried =
            class == ResultClass::Tel || class == ResultClass::Ter && result.name() != "terQUEUED";
        let answer = match class {
            _ if self.dice(self.faults.answer_lost) => Answer::Unknown,
            ResultClass::Tes => Answer::Applied,
            ResultClass::Tec => Answer::Claimed,
            _ if retried => Answer::Retrying,
            _ => Answer::Queued,
        };
        self.engine.answered(prepared.hash, answer);
        let live = Live { prepared, last_ledger, retried };
        self.live.insert(live.prepared.hash, live);
    }

    fn submit(&mut self, prepared: &Prepared) -> EngineResult {
        let tx = PreparedTx::parse_and_check(&prepared.blob).unwrap_or_else(|error| {
            panic!("{error:?}: {}", decode(prepared).to_json(Definitions::builtin()))
        });
        let firm = prepared.mutation.is_some_and(|mutation| !mutation.claims());
        let result = self.node.submit(tx, firm).engine_result;
        *self.answers.entry(result.name()).or_default() += 1;
        self.read_queue();
        result
    }

    fn refuse(&mut self, prepared: &Prepared, result: EngineResult) {
        if prepared.mutation.is_none() {
            self.refused_past += u64::from(matches!(result.name(), "tefPAST_SEQ" | "tefNO_TICKET"));
            self.bad
                .push(format!("{result}: {}", decode(prepared).to_json(Definitions::builtin())));
        }
        let evidence = Evidence::RefusedByNode { engine_result: ResultName::new(result.name()) };
        self.engine.settle(&outcome(prepared, Some(result.name()), evidence)).unwrap();
    }

    fn close(&mut self) {
        let now = self.node.closed().header.close_time + 4;
        let ledger = self.node.accept(now);
        let index = ledger.header.index;
        let mut transactions = ledger.transactions.clone();
        // Outcomes come in any order.
        for at in (1..transactions.len()).rev() {
            transactions.swap(at, self.rng.next_u64() as usize % (at + 1));
        }
        for transaction in transactions {
            let read = transaction.read();
            let Some(live) = self.live.remove(&transaction.hash()) else {
                // A stranger's, or within a Batch.
                let text = read.metadata.to_json(Definitions::builtin()).to_string();
                self.engine.learn(&Metadata::parse(&text).unwrap(), LedgerIndex(index));
                continue;
            };
            self.validate(&live.prepared, &transaction.result, &read.metadata, index);
            self.lose(&live.prepared, index);
        }
        let expired: Vec<TxHash> = self
            .live
            .iter()
            .filter(|(_, l)| l.last_ledger <= index)
            .map(|(hash, _)| *hash)
            .collect();
        for hash in expired {
            let live = self.live.remove(&hash).unwrap();
            let last_ledger_sequence = LedgerIndex(live.last_ledger);
            let proof =
                AbsenceProof::EveryLedgerRead { first: LedgerIndex(1), last: LedgerIndex(index) };
            let evidence = Evidence::LastLedgerPassed { last_ledger_sequence, proof };
            self.engine.settle(&outcome(&live.prepared, None, evidence)).unwrap();
        }
        self.read_queue();
        self.engine.set_head(LedgerIndex(index));
        self.engine.set_close_time(ledger.header.close_time);
        self.engine.list_all();
        let again: Vec<Prepared> =
            self.live.values().filter(|l| l.retried).map(|l| l.prepared.clone()).collect();
        for prepared in again {
            let result = self.submit(&prepared);
            let taken = matches!(result.class(), ResultClass::Tes | ResultClass::Tec);
            let queued = result.name() == "terQUEUED";
            if let Some(live) = self.live.get_mut(&prepared.hash).filter(|_| taken || queued) {
                live.retried = false;
                let answer = if queued { Answer::Queued } else { Answer::Applied };
                self.engine.answered(prepared.hash, answer);
            }
        }
    }

    fn read_queue(&mut self) {
        let metrics = self.node.queue_metrics();
        self.engine.set_queue(metrics.queued as u64, metrics.expected as u64);
        self.engine.fees.set_open_ledger(metrics.open_ledger_fee());
    }

    /// The others on the slot of one that was validated have ended.
    fn lose(&mut self, winner: &Prepared, index: u32) {
        let slot = |prepared: &Prepared| {
            let tx = decode(prepared);
            (prepared.sender, tx.u32(fields::SEQUENCE), tx.u32(fields::TICKET_SEQUENCE))
        };
        let losers: Vec<TxHash> = self
            .live
            .iter()
            .filter(|(_, live)| slot(&live.prepared) == slot(winner))
            .map(|(hash, _)| *hash)
            .collect();
        for hash in losers {
            let loser = self.live.remove(&hash).unwrap();
            let ledger = LedgerIndex(index);
            let evidence = Evidence::SequenceConsumed { by: winner.hash, ledger };
            self.engine.settle(&outcome(&loser.prepared, Some("terQUEUED"), evidence)).unwrap();
        }
    }

    fn validate(&mut self, prepared: &Prepared, result: &EngineResult, meta: &Object, index: u32) {
        let definitions = Definitions::builtin();
        let place = ValidatedIn {
            ledger_index: LedgerIndex(index),
            ledger_hash: None,
            result: ResultName::new(result.name()),
            source: Source::Ws,
        };
        let mut outcome = outcome(prepared, Some(result.name()), Evidence::Validated(place));
        if prepared.want_metadata {
            let text = meta.to_json(definitions).to_string();
            outcome.metadata =
                Some(Arc::from(serde_json::value::RawValue::from_string(text).unwrap()));
        }
        if prepared.mutation.is_none() && !result.is_success() {
            self.bad
                .push(format!("{result}: {}", decode(prepared).to_json(Definitions::builtin())));
        }
        self.engine.settle(&outcome).unwrap();
    }

    fn step(&mut self, load: bool) -> bool {
        for index in self.engine.take_doubtful() {
            let sequence = self.root(index).and_then(|root| root.u32(fields::SEQUENCE));
            self.engine.reread(index, sequence.map(Sequence));
        }
        while let Some(filler) = self.engine.next_filler() {
            self.open(filler);
        }
        while let Some(replacement) = self.engine.next_replacement() {
            self.open(replacement);
        }
        match load.then(|| self.engine.next_load()) {
            Some(Ok(prepared)) => {
                self.open(prepared);
                true
            }
            _ => false,
        }
    }

    /// As many of somebody else that pay well, so that so many wait at any time.
    fn stranger(&mut self, key: &KeyPair, count: u32) {
        let account = key.account_id();
        let root = entry(self.node.closed(), &object_id::account_root(account)).unwrap();
        let first = root.u32(fields::SEQUENCE).unwrap();
        let last = self.node.closed().header.index + 5;
        for n in 0..count {
            let common = Common {
                account,
                slot: Slot::Sequence(Sequence(first + n)),
                fee: Drops(6_000),
                flags: 0,
                last_ledger: Some(LedgerIndex(last)),
                network_id: None,
                source_tag: None,
            };
            let signed = AccountSet::default().sign(&common, key);
            let tx = PreparedTx::parse_and_check(&signed.blob).unwrap();
            self.node.submit(tx, false);
        }
    }

    fn root(&self, index: Index) -> Option<Object> {
        let id = self.engine.world.accounts[index].id;
        entry(self.node.closed(), &object_id::account_root(id))
    }

    /// Sends a setup transaction and closes a ledger.
    fn setup(&mut self, index: Index, plan: Plan) -> bool {
        let before = self.bad.len();
        let prepared = self.engine.send(index, plan, false).unwrap();
        self.open(prepared);
        self.close();
        self.bad.len() == before
    }
}

fn entry(ledger: &Arc<ClosedLedger>, id: &xrpl_protocol::Hash256) -> Option<Object> {
    ledger.read(id).map(|entry| (*entry).clone())
}

/// A prepared world on a fresh ledger.
fn sim(seed: u64, invalid: f64, max_pending: usize, faults: Faults) -> Sim {
    sim_on(NodeConfig::default(), seed, invalid, max_pending, faults, |_| {})
}

fn sim_on(
    node: NodeConfig,
    seed: u64,
    invalid: f64,
    max_pending: usize,
    faults: Faults,
    more: impl FnOnce(&mut GeneratorConfig),
) -> Sim {
    let mut config = GeneratorConfig {
        seed: seed.to_string(),
        intent_invalid: invalid,
        max_pending_per_account: max_pending,
        last_ledger_offset: 6,
        ..GeneratorConfig::default()
    };
    config.weights.insert("TicketCreate".into(), 10);
    config.modifiers.insert("ticket".into(), 20);
    more(&mut config);
    let mut engine = Engine::new(&config).unwrap();
    // Of those in development, the one that a type here needs.
    let features = vec![sha512_half(&[b"BatchV1_1"])];
    let node = Node::new(NodeConfig { features, ..node });
    let fees = node.closed().fees;
    engine.fees.set_ledger(fees.base, fees.reserve, fees.increment);
    engine.set_head(LedgerIndex(node.closed().header.index));
    let genesis =
        KeyPair::from_seed(&Seed::from_passphrase("masterpassphrase", KeyType::Secp256k1));
    let funder = engine.world.accounts.add(Account::new(genesis, Role::Funder, 100));
    let account = &mut engine.world.accounts[funder];
    account.active = true;
    account.lane = Lane::new(Sequence(1), 100);
    let rng = ChaCha8Rng::seed_from_u64(seed);
    let mut sim = Sim {
        engine,
        node,
        rng,
        faults: Faults::default(),
        live: BTreeMap::new(),
        bad: Vec::new(),
        refused_past: 0,
        answers: BTreeMap::new(),
    };
    let root = sim.root(funder).unwrap();
    let account = &mut sim.engine.world.accounts[funder];
    account.purse.balance = root.amount(fields::BALANCE).unwrap().drops().unwrap() as u64;
    account.lane = Lane::new(Sequence(root.u32(fields::SEQUENCE).unwrap()), 100);

    for n in 0..4 {
        let key = KeyPair::from_seed(&derive(&config.seed, Role::Passing, n, KeyType::Ed25519));
        sim.engine.world.accounts.add(Account::new(key, Role::Passing, max_pending));
    }
    let roles = (0..6).map(|n| (Role::User, n)).chain([(Role::Gateway, 0), (Role::Tagged, 0)]);
    for (role, n) in roles {
        let key = KeyPair::from_seed(&derive(&config.seed, role, n, KeyType::Ed25519));
        let index = sim.engine.world.accounts.add(Account::new(key, role, max_pending));
        let body = Payment::xrp(sim.engine.world.accounts[index].id, Drops::from_xrp(5_000));
        let mut plan = Plan::payment(body).spending(5_000_000_000);
        plan.holds.to = Some(index);
        assert!(sim.setup(funder, plan));
    }
    let gateway = sim.engine.world.accounts.gateways()[0];
    let tagged = sim.engine.world.accounts.tagged().unwrap();
    for (index, flag) in [(gateway, 16u32), (gateway, 8), (gateway, 17), (tagged, 1)] {
        assert!(sim.setup(index, Plan::new("AccountSet").with(fields::SET_FLAG, flag)));
    }
    let issuer = sim.engine.world.accounts[gateway].id;
    let assets = ["USD", "EUR"].map(|currency| Asset {
        currency: currency.parse().unwrap(),
        issuer,
        gateway,
    });
    sim.engine.world.assets = assets.to_vec();
    sim.engine.world.common_assets = assets.len();
    let users = sim.engine.world.accounts.users().to_vec();
    for (user, asset) in users.into_iter().flat_map(|user| assets.map(|asset| (user, asset))) {
        let limit = asset.amount("1000000000".parse().unwrap());
        let plan = Plan::new("TrustSet").with(fields::LIMIT_AMOUNT, limit).owning(1);
        assert!(sim.setup(user, plan), "{:?}", sim.bad);
        let body = Payment {
            amount: asset.amount("100000".parse().unwrap()),
            ..Payment::xrp(sim.engine.world.accounts[user].id, Drops(1))
        };
        assert!(sim.setup(gateway, Plan::payment(body)), "{:?}", sim.bad);
    }
    sim.engine.set_max_pending(max_pending);
    sim.engine.reset_stats();
    sim.engine.list_all();
    sim.faults = faults;
    sim
}

fn run(sim: &mut Sim, ledgers: u32) {
    for _ in 0..ledgers {
        for _ in 0..40 {
            if !sim.step(true) {
                break;
            }
        }
        sim.close();
    }
    // What is in flight comes to its end; holes are filled.
    for _ in 0..40 {
        while sim.step(false) {}
        if sim.engine.in_flight() == 0 {
            break;
        }
        sim.close();
    }
    assert_eq!(sim.engine.in_flight(), 0, "{:?}", sim.live.keys());
}

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
        assert_eq!(balance, account.purse.balance as i64, "{}", account.id);
        assert_eq!(root.u32(fields::OWNER_COUNT), Some(account.purse.owners), "{}", account.id);
        assert_eq!((account.purse.pending, account.purse.owners_pending), (0, 0));
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
    let mut compared = 0;
    for (id, object) in &in_ledger {
        let mirrored = world.objects.get(*id);
        let name = object.to_json(Definitions::builtin());
        let mirrored = mirrored.unwrap_or_else(|| panic!("the mirror lacks {name}"));
        for field in ["Amount", "Flags", "Destination", "URI", "SettleDelay", "Balance"] {
            let (told, is) = (mirrored.fields.get(field), name.get(field));
            // What metadata leave out has its default value.
            if let (Some(told), Some(is)) = (told, is) {
                assert_eq!(told, is, "{field} of {name}");
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
    println!("{compared} mirrored objects compared");
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
