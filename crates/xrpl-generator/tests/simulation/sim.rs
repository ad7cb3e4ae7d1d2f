//! One thread in which an engine drives a ledger core: what it sends is submitted, what the ledger
//! validates, refuses or lets expire is brought back to it, with faults in between.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use xrpl_generator::{
    GeneratorConfig,
    accounts::{Account, Index, Role, derive},
    engine::{Engine, Origin, Prepared},
    lane::{Answer, Lane},
    metadata::Metadata,
    plan::Plan,
    world::Asset,
};
use xrpl_protocol::{
    Definitions, Drops, EngineResult, LedgerIndex, Object, ResultClass, Sequence, TxHash, fields,
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

/// What a transaction uses up: its account's Sequence or Ticket.
type UsedSlot = (Index, Option<u32>, Option<u32>);

fn slot_of(prepared: &Prepared, tx: &Object) -> UsedSlot {
    (prepared.sender, tx.u32(fields::SEQUENCE), tx.u32(fields::TICKET_SEQUENCE))
}

/// Chances of faults, in percent of all transactions.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// It never leaves.
    pub(crate) never_sent: u64,
    /// The answer gets lost.
    pub(crate) answer_lost: u64,
    /// The node says it holds it, and forgets it.
    pub(crate) forgotten: u64,
}

pub(crate) struct Live {
    pub(crate) prepared: Prepared,
    slot: UsedSlot,
    pub(crate) last_ledger: u32,
    pub(crate) retried: bool,
}

pub(crate) struct Sim {
    pub(crate) engine: Engine,
    pub(crate) node: Node,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) faults: Faults,
    pub(crate) live: BTreeMap<TxHash, Live>,
    /// Results other than success of those meant to succeed, with what they were.
    pub(crate) bad: Vec<String>,
    pub(crate) refused_past: u64,
    /// The node's answers, by name.
    pub(crate) answers: BTreeMap<&'static str, u64>,
    /// How long the engine worked, without the ledger, by the method that was called.
    pub(crate) thinking: BTreeMap<&'static str, Duration>,
}

const LATENCIES: Latencies =
    Latencies { first_answer_ms: None, finality_ms: None, finality_ledgers: None };

pub(crate) fn decode(prepared: &Prepared) -> Object {
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
    /// All that the engine does goes through here, so that its time is known apart from the ledger's.
    fn think<T>(&mut self, name: &'static str, what: impl FnOnce(&mut Engine) -> T) -> T {
        let started = Instant::now();
        let answer = what(&mut self.engine);
        *self.thinking.entry(name).or_default() += started.elapsed();
        answer
    }

    fn dice(&mut self, percent: u64) -> bool {
        self.rng.next_u64() % 100 < percent
    }

    fn open(&mut self, prepared: Prepared) {
        let load = prepared.origin == Origin::Load;
        if load && self.dice(self.faults.never_sent) {
            self.think("answered", |engine| engine.answered(prepared.hash, Answer::Ended));
            let evidence = Evidence::NeverSent { attempts: 8 };
            self.think("settle", |engine| engine.settle(&outcome(&prepared, None, evidence)))
                .unwrap();
            return;
        }
        let tx = decode(&prepared);
        let last_ledger = tx.u32(fields::LAST_LEDGER_SEQUENCE).unwrap();
        let slot = slot_of(&prepared, &tx);
        if load && prepared.mutation.is_none() && self.dice(self.faults.forgotten) {
            self.think("answered", |engine| engine.answered(prepared.hash, Answer::Applied));
            let live = Live { prepared, slot, last_ledger, retried: false };
            self.live.insert(live.prepared.hash, live);
            return;
        }
        let result = self.submit(&prepared);
        let class = result.class();
        let gone = ["tefPAST_SEQ", "tefNO_TICKET"].contains(&result.name());
        if prepared.origin == Origin::Replacement && gone {
            // The other one is in the open ledger already.
            self.think("answered", |engine| engine.answered(prepared.hash, Answer::Past));
            let live = Live { prepared, slot, last_ledger, retried: false };
            self.live.insert(live.prepared.hash, live);
            return;
        }
        let firm = prepared.mutation.is_some_and(|mutation| !mutation.claims());
        let later = matches!(class, ResultClass::Tel | ResultClass::Ter);
        if matches!(class, ResultClass::Tem | ResultClass::Tef) || (firm && later) {
            self.think("answered", |engine| engine.answered(prepared.hash, Answer::Ended));
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
        self.think("answered", |engine| engine.answered(prepared.hash, answer));
        let live = Live { prepared, slot, last_ledger, retried };
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
        self.think("settle", |engine| {
            engine.settle(&outcome(prepared, Some(result.name()), evidence))
        })
        .unwrap();
    }

    pub(crate) fn close(&mut self) {
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
                self.think("learn", |engine| {
                    engine.learn(&Metadata::parse(&text).unwrap(), LedgerIndex(index))
                });
                continue;
            };
            self.validate(&live.prepared, &transaction.result, &read.metadata, index);
            self.lose(&live, index);
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
            self.think("settle", |engine| engine.settle(&outcome(&live.prepared, None, evidence)))
                .unwrap();
        }
        self.read_queue();
        self.think("set_head", |engine| engine.set_head(LedgerIndex(index)));
        self.think("set_close_time", |engine| engine.set_close_time(ledger.header.close_time));
        self.think("list_all", |engine| engine.list_all());
        let again: Vec<Prepared> =
            self.live.values().filter(|l| l.retried).map(|l| l.prepared.clone()).collect();
        for prepared in again {
            let result = self.submit(&prepared);
            let taken = matches!(result.class(), ResultClass::Tes | ResultClass::Tec);
            let queued = result.name() == "terQUEUED";
            if let Some(live) = self.live.get_mut(&prepared.hash).filter(|_| taken || queued) {
                live.retried = false;
                let answer = if queued { Answer::Queued } else { Answer::Applied };
                self.think("answered", |engine| engine.answered(prepared.hash, answer));
            }
        }
    }

    fn read_queue(&mut self) {
        let metrics = self.node.queue_metrics();
        self.think("set_queue", |engine| {
            engine.set_queue(metrics.queued as u64, metrics.expected as u64)
        });
        self.engine.fees.set_open_ledger(metrics.open_ledger_fee());
    }

    /// The others on the slot of one that was validated have ended.
    fn lose(&mut self, winner: &Live, index: u32) {
        let losers: Vec<TxHash> = self
            .live
            .iter()
            .filter(|(_, live)| live.slot == winner.slot)
            .map(|(hash, _)| *hash)
            .collect();
        for hash in losers {
            let loser = self.live.remove(&hash).unwrap();
            let ledger = LedgerIndex(index);
            let evidence = Evidence::SequenceConsumed { by: winner.prepared.hash, ledger };
            self.think("settle", |engine| {
                engine.settle(&outcome(&loser.prepared, Some("terQUEUED"), evidence))
            })
            .unwrap();
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
        self.think("settle", |engine| engine.settle(&outcome)).unwrap();
    }

    pub(crate) fn step(&mut self, load: bool) -> bool {
        for index in self.think("take_doubtful", |engine| engine.take_doubtful()) {
            let sequence = self.root(index).and_then(|root| root.u32(fields::SEQUENCE));
            self.think("reread", |engine| engine.reread(index, sequence.map(Sequence)));
        }
        while let Some(filler) = self.think("next_filler", |engine| engine.next_filler()) {
            self.open(filler);
        }
        while let Some(replacement) =
            self.think("next_replacement", |engine| engine.next_replacement())
        {
            self.open(replacement);
        }
        while let Some(step) = self.think("next_step", |engine| engine.next_step()) {
            self.open(step);
        }
        match load.then(|| self.think("next_load", |engine| engine.next_load())) {
            Some(Ok(prepared)) => {
                self.open(prepared);
                true
            }
            _ => false,
        }
    }

    /// As many of somebody else that pay well, so that so many wait at any time.
    pub(crate) fn stranger(&mut self, key: &KeyPair, count: u32) {
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

    pub(crate) fn root(&self, index: Index) -> Option<Object> {
        let id = self.engine.world.accounts[index].id;
        entry(self.node.closed(), &object_id::account_root(id))
    }

    /// Sends a setup transaction and closes a ledger.
    pub(crate) fn setup(&mut self, index: Index, plan: Plan) -> bool {
        let before = self.bad.len();
        let prepared = self.think("send", |engine| engine.send(index, plan, false)).unwrap();
        self.open(prepared);
        self.close();
        self.bad.len() == before
    }
}

pub(crate) fn entry(ledger: &Arc<ClosedLedger>, id: &xrpl_protocol::Hash256) -> Option<Object> {
    ledger.read(id).map(|entry| (*entry).clone())
}

/// A prepared world of six users, a gateway and two currencies on a fresh ledger.
pub(crate) fn sim(seed: u64, invalid: f64, max_pending: usize, faults: Faults) -> Sim {
    sim_on(NodeConfig::default(), seed, invalid, max_pending, faults, |_| {})
}

/// As [`sim`], on a ledger of another configuration and with more changed.
pub(crate) fn sim_on(
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
        accounts: 6,
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
        thinking: BTreeMap::new(),
    };
    let root = sim.root(funder).unwrap();
    let account = &mut sim.engine.world.accounts[funder];
    account.xrp.balance = root.amount(fields::BALANCE).unwrap().drops().unwrap() as u64;
    account.lane = Lane::new(Sequence(root.u32(fields::SEQUENCE).unwrap()), 100);

    for n in 0..4 {
        let key = KeyPair::from_seed(&derive(&config.seed, Role::Passing, n, KeyType::Ed25519));
        sim.engine.world.accounts.add(Account::new(key, Role::Passing, max_pending));
    }
    let users = config.accounts as u32;
    let roles = (0..users).map(|n| (Role::User, n)).chain([(Role::Gateway, 0), (Role::Tagged, 0)]);
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
    let assets = ["USD", "EUR", "GBP", "JPY"].map(|currency| Asset {
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

/// Load for as many ledgers, then until nothing is in flight.
pub(crate) fn run(sim: &mut Sim, ledgers: u32) {
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
