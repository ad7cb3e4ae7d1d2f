//! Histories: making one from a seed, running one again, and making a failing one small.

use std::{
    cell::Cell,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use rand::{RngExt as _, SeedableRng, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use xrpl_protocol::{
    AccountId, Amount, Definitions, EngineResult, Hash256, MptId, Object, Value, fields, object_id,
    transaction_cost::{FeeFigures, least_fee},
};
use xrpl_standalone::{
    ledger::{Amendment, ClosedLedger, Entry, PreparedTx, ReadView, genesis::GENESIS_ACCOUNT},
    node::{History as Kept, Node, NodeConfig},
    transactors::{transaction_type, transactor},
    txq::QueueSetup,
};

use super::{
    as_in_xrpld::{self, Before},
    draw::{Draw, Tx},
    judge::{Judged, judge},
    world::{GATEWAYS, PLAYERS, World, account, public_key},
};

/// One thing that happens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// A transaction, with all its fields but a signature.
    Submit(Tx),
    /// So many ledgers close, each so many seconds after the one before.
    Close { ledgers: u32, seconds: u32 },
}

/// What happened, from a fresh ledger on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct History {
    /// Whether amendments in development are on.
    pub(crate) development: bool,
    /// Whether amounts may be such that sums and products of them overflow. xrpld throws then
    /// (`tefEXCEPTION`), or says so in payments (`tecINTERNAL`).
    pub(crate) extremes: bool,
    /// What fails in the end that xrpld does as well; it must go on doing so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) as_in_xrpld: Option<String>,
    pub(crate) steps: Vec<Step>,
}

/// What must not happen, and at which step it did.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) at: usize,
    pub(crate) what: String,
}

/// How often a type was tried, and how often it succeeded in a closed ledger.
pub(crate) type Tally = BTreeMap<&'static str, (usize, usize)>;

/// Results that no transaction may have: something here does not fit together.
const NEVER: [EngineResult; 6] = [
    EngineResult::TEC_INVARIANT_FAILED,
    EngineResult::TEF_INVARIANT_FAILED,
    EngineResult::TEF_INTERNAL,
    EngineResult::TEC_INTERNAL,
    EngineResult::TEF_BAD_LEDGER,
    EngineResult::TEF_EXCEPTION,
];

/// Counts transactions that an invariant stops although they are in order, as in xrpld.
pub(crate) const BROKEN_BY_XRPLD: &str = "invariant broken as in xrpld";

pub(crate) fn name_of(kind: u16) -> &'static str {
    transaction_type(kind).map_or("?", |row| row.name)
}

/// A ledger on which a history happens.
struct Stage {
    node: Node,
    tally: Tally,
    development: bool,
    extremes: bool,
    /// Whether what xrpld does as well is a failure too.
    strict: bool,
    /// A type whose transactions and results are printed.
    show: Option<String>,
}

impl Stage {
    fn new(development: bool, extremes: bool) -> Self {
        let features = match development {
            true => Amendment::all().filter(|a| !a.is_supported()).map(Amendment::id).collect(),
            false => Vec::new(),
        };
        let queue = QueueSetup { minimum_txn_in_ledger: 1 << 16, ..QueueSetup::default() };
        let history = Kept { ledgers: Some(4), transactions: None };
        let node = Node::new(NodeConfig { features, queue, history, ..NodeConfig::default() });
        let show = std::env::var("XRPL_HISTORIES_SHOW").ok();
        let tally = Tally::new();
        let mut this = Self { node, tally, development, extremes, strict: false, show };
        this.fund();
        this
    }

    /// Everybody gets XRP, some of them little.
    fn fund(&mut self) {
        let master = xrpl_protocol::keys::KeyPair::from_seed(
            &"snoPBrXtMeMyMHUVTgbuqAfg1SUTb".parse().expect("the genesis seed"),
        );
        for player in 0..PLAYERS {
            let drops = if player % 4 == 3 { 40_000_000 } else { 50_000_000_000 };
            let tx = Object::new()
                .with(fields::TRANSACTION_TYPE, 0u16)
                .with(fields::FLAGS, 0u32)
                .with(fields::SEQUENCE, u32::from(player) + 1)
                .with(fields::AMOUNT, Amount::Xrp(drops))
                .with(fields::FEE, Amount::Xrp(10))
                .with(fields::ACCOUNT, GENESIS_ACCOUNT)
                .with(fields::DESTINATION, account(player));
            let blob = xrpl_protocol::sign::sign(tx, &master).blob;
            let tx = PreparedTx::parse_and_check(&blob).expect("signed here");
            assert!(self.node.submit(tx, false).applied);
        }
        self.close(1, 10).expect("payments of XRP");
    }

    fn close(&mut self, ledgers: u32, seconds: u32) -> Result<(), String> {
        for _ in 0..ledgers {
            let parent = Arc::clone(self.node.closed());
            let ledger = self.node.accept_at(parent.header.close_time + seconds);
            self.node.drain_events();
            for tx in &ledger.transactions {
                let read = tx.read();
                let kind = read.tx.kind;
                // Which of the two the transaction found depends on the order in which they came.
                let may = [&ledger.state, &parent.state]
                    .map(|state| self.may_end_with(&read.tx.object, &|id| state.get(id)));
                self.allowed(kind, tx.result, &may.concat())?;
                if tx.result == EngineResult::TEC_INVARIANT_FAILED {
                    self.tally.entry(BROKEN_BY_XRPLD).or_default().0 += 1;
                }
                if tx.result.is_success() {
                    self.tally.entry(name_of(kind)).or_default().1 += 1;
                }
            }
            // Empty ledgers change nothing but the skip list.
            if !ledger.transactions.is_empty() {
                judge(&judged(&ledger), parent.header.total_coins)?;
            }
        }
        Ok(())
    }

    fn submit(&mut self, tx: &Tx) -> Result<(), String> {
        let Some(prepared) = prepared(tx) else { return Ok(()) };
        self.tally.entry(name_of(prepared.kind)).or_default().0 += 1;
        let kind = prepared.kind;
        let view = self.node.current();
        let may = self.may_end_with(&prepared.object, &|id| view.read(id));
        let result = self.node.submit(prepared, false).engine_result;
        if self.show.as_deref() == Some(name_of(kind)) {
            println!("{result} {}", Json::from(tx.clone()));
        }
        self.allowed(kind, result, &may)
    }

    fn may_end_with(
        &self,
        tx: &Object,
        read: &dyn Fn(&Hash256) -> Option<Entry>,
    ) -> Vec<EngineResult> {
        match self.strict {
            true => Vec::new(),
            false => as_in_xrpld::may_end_with(tx, &Before { read, development: self.development }),
        }
    }

    fn allowed(&self, kind: u16, result: EngineResult, may: &[EngineResult]) -> Result<(), String> {
        let overflow = [EngineResult::TEF_EXCEPTION, EngineResult::TEC_INTERNAL];
        let may = self.extremes && overflow.contains(&result) || may.contains(&result);
        match NEVER.contains(&result) && !may {
            true => Err(format!("{} ended with {result}", name_of(kind))),
            false => Ok(()),
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Submit(tx) => self.submit(tx),
            Step::Close { ledgers, seconds } => self.close(*ledgers, *seconds),
        }
    }

    /// A Batch of one account's transactions.
    fn batch(&self, mut tx: Tx, inner: Vec<Tx>) -> Tx {
        let sender: Option<AccountId> = tx["Account"].as_str().and_then(|text| text.parse().ok());
        let root = self.node.current().account(sender.unwrap_or_default());
        let first = root.and_then(|root| root.u32(fields::SEQUENCE)).unwrap_or(0);
        let raw: Vec<Json> = (first + 1..)
            .zip(inner)
            .map(|(sequence, mut inner)| {
                let flags = inner["Flags"].as_u64().unwrap_or(0) | 0x4000_0000;
                inner.insert("Flags".into(), flags.into());
                inner.insert("Account".into(), tx["Account"].clone());
                inner.insert("Sequence".into(), sequence.into());
                inner.insert("Fee".into(), "0".into());
                inner.insert("SigningPubKey".into(), "".into());
                json!({"RawTransaction": inner})
            })
            .collect();
        tx.insert("RawTransactions".into(), raw.into());
        tx
    }

    /// Fills in what a wallet would: Sequence, fee, and whose key signs.
    fn complete(&self, rng: &mut ChaCha8Rng, mut tx: Tx) -> Tx {
        let sender: Option<AccountId> = tx["Account"].as_str().and_then(|text| text.parse().ok());
        let sender = sender.unwrap_or_default();
        let root = self.node.current().account(sender);
        let number = |field| root.as_ref().and_then(|root| root.u32(field)).unwrap_or(0);
        let ticket = (rng.random_range(0..100) < 10)
            .then(|| {
                let tickets = World::of(self.node.closed());
                let own = tickets.all(xrpl_standalone::ledger::entry_type::TICKET);
                let own: Vec<_> = own
                    .iter()
                    .filter(|(_, ticket)| ticket.account(fields::ACCOUNT) == Some(sender))
                    .filter_map(|(_, ticket)| ticket.u32(fields::TICKET_SEQUENCE))
                    .collect();
                own.choose(rng).copied()
            })
            .flatten();
        match ticket {
            Some(ticket) => {
                tx.insert("Sequence".into(), 0.into());
                tx.insert("TicketSequence".into(), ticket.into());
            }
            None => {
                tx.insert("Sequence".into(), number(fields::SEQUENCE).into());
            }
        }
        tx.insert("Fee".into(), "0".into());
        tx.insert("SigningPubKey".into(), "".into());
        if let Ok(object) = Object::from_json(&tx.clone().into(), Definitions::builtin()) {
            let fees = self.node.current().info().fees;
            let figures =
                FeeFigures { base: fees.base, reserve: fees.reserve, increment: fees.increment };
            tx.insert("Fee".into(), least_fee(&object, &figures).to_string().into());
        }
        let payer: Option<AccountId> = tx.get("Delegate").and_then(|d| d.as_str()?.parse().ok());
        let payer = payer.unwrap_or(sender);
        let regular = self.node.current().account(payer);
        let regular = regular.and_then(|root| root.account(fields::REGULAR_KEY));
        // The regular key signs every other time, if there is one.
        let signer = regular.filter(|_| rng.random_range(0..2) == 0).unwrap_or(payer);
        let key = |signer: AccountId| {
            let player = (0..PLAYERS).find(|player| account(*player) == signer).unwrap_or(0);
            const_hex::encode_upper(public_key(player))
        };
        let list = self.node.current().read(&object_id::signer_list(payer));
        match list.filter(|_| rng.random_range(0..3) == 0) {
            Some(list) => {
                let entries = list.array(fields::SIGNER_ENTRIES).unwrap_or_default();
                let signers =
                    entries.iter().filter_map(|(_, entry)| entry.account(fields::ACCOUNT));
                let signers: Vec<Json> = signers
                    .map(|signer| {
                        json!({"Signer": {
                            "Account": signer.to_string(), "SigningPubKey": key(signer),
                            "TxnSignature": "01",
                        }})
                    })
                    .collect();
                let fee =
                    tx["Fee"].as_str().and_then(|fee| fee.parse::<usize>().ok()).unwrap_or(10);
                tx.insert("Fee".into(), (fee + 10 * signers.len()).to_string().into());
                tx.insert("Signers".into(), signers.into());
            }
            None => {
                tx.insert("SigningPubKey".into(), key(signer).into());
            }
        }
        tx
    }
}

fn judged(ledger: &ClosedLedger) -> Judged<'_> {
    let ClosedLedger { header, state, transactions, .. } = ledger;
    Judged { header, state: state.tree(), transactions }
}

/// A transaction that a server would look at; none for what has no form.
fn prepared(tx: &Tx) -> Option<Arc<PreparedTx>> {
    let mut object = Object::from_json(&tx.clone().into(), Definitions::builtin()).ok()?;
    if !object.contains(fields::SIGNERS) {
        object.set(fields::TXN_SIGNATURE, Value::Blob(vec![1; 64]));
    }
    let prepared = PreparedTx::parse(&object.encode()).ok()?;
    prepared.check_local().ok()?;
    Some(Arc::new(prepared))
}

/// Runs something; a panic is a failure too.
fn guarded<T>(run: impl FnOnce(&Cell<usize>) -> Result<T, Failure>) -> Result<T, Failure> {
    let at = Cell::new(0);
    catch_unwind(AssertUnwindSafe(|| run(&at))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("?");
        Err(Failure { at: at.get(), what: format!("panic: {text}") })
    })
}

/// Runs a history again; strictly, what fails in xrpld as well may not fail either.
pub(crate) fn again(history: &History, strict: bool) -> Result<(), Failure> {
    guarded(|at| {
        let mut stage = Stage::new(history.development, history.extremes);
        stage.strict = strict;
        for (n, step) in history.steps.iter().enumerate() {
            at.set(n);
            stage.step(step).map_err(|what| Failure { at: n, what })?;
        }
        Ok(())
    })
}

/// What is done more often where loans are the matter: each step of theirs needs those before it.
const LENDING: [&str; 36] = [
    "VaultCreate",
    "VaultCreate",
    "VaultDeposit",
    "VaultDeposit",
    "VaultDeposit",
    "VaultWithdraw",
    "VaultSet",
    "VaultClawback",
    "VaultDelete",
    "LoanBrokerSet",
    "LoanBrokerSet",
    "LoanBrokerDelete",
    "LoanBrokerCoverDeposit",
    "LoanBrokerCoverDeposit",
    "LoanBrokerCoverDeposit",
    "LoanBrokerCoverWithdraw",
    "LoanBrokerCoverClawback",
    "LoanSet",
    "LoanSet",
    "LoanSet",
    "LoanSet",
    "LoanSet",
    "LoanSet",
    "LoanPay",
    "LoanPay",
    "LoanPay",
    "LoanPay",
    "LoanPay",
    "LoanPay",
    "LoanPay",
    "LoanManage",
    "LoanManage",
    "LoanManage",
    "LoanDelete",
    "LoanDelete",
    "AMMClawback",
];

/// Whether a seed's history is one of loans above all.
fn lends(seed: u64) -> bool {
    seed % 3 == 1
}

/// What is needed to have enough of every kind of asset: lines, an MPT of each gateway, and some of all
/// of it for half of the players.
fn riches(stage: &Stage) -> Vec<Tx> {
    let mut all = Vec::new();
    for gateway in (0..GATEWAYS).map(account) {
        let root = stage.node.current().account(gateway);
        let sequence = root.and_then(|root| root.u32(fields::SEQUENCE)).unwrap_or(0);
        let mpt = MptId::new(sequence, gateway).to_string();
        let gateway = gateway.to_string();
        // It may be locked, put in escrow, traded, moved and clawed back.
        all.push(json!({
            "TransactionType": "MPTokenIssuanceCreate", "Account": gateway, "Flags": 0x7a,
        }));
        for player in (GATEWAYS..PLAYERS / 2 + GATEWAYS).map(|player| account(player).to_string()) {
            let usd = |value: &str| json!({"currency": "USD", "issuer": gateway, "value": value});
            let tokens = json!({"mpt_issuance_id": mpt, "value": "50000"});
            all.extend([
                json!({
                    "TransactionType": "TrustSet", "Account": player, "LimitAmount": usd("1000000"),
                }),
                json!({
                    "TransactionType": "Payment", "Account": gateway, "Destination": player,
                    "Amount": usd("5000"),
                }),
                json!({
                    "TransactionType": "MPTokenAuthorize", "Account": player,
                    "MPTokenIssuanceID": mpt,
                }),
                json!({
                    "TransactionType": "Payment", "Account": gateway, "Destination": player,
                    "Amount": tokens,
                }),
            ]);
        }
    }
    // The currency of the second gateway, which may claw it back, in two pools.
    let [first, second] = [0, 1].map(|gateway| account(gateway).to_string());
    let usd = |issuer: &str| json!({"currency": "USD", "issuer": issuer, "value": "500"});
    for other in [json!("500000000"), usd(&first)] {
        let player = account(GATEWAYS).to_string();
        all.push(json!({
            "TransactionType": "AMMCreate", "Account": player, "Amount": usd(&second),
            "Amount2": other, "TradingFee": 100,
        }));
    }
    all.iter().filter_map(|tx| tx.as_object().cloned()).collect()
}

/// Makes a history of so many transactions from a seed, running it as it is made.
pub(crate) fn from_seed(seed: u64, transactions: usize) -> Result<Tally, (History, Failure)> {
    made(seed, transactions).map(|stage| stage.tally)
}

fn made(seed: u64, transactions: usize) -> Result<Stage, (History, Failure)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Every fourth with what is in development.
    let (development, extremes) = (seed % 4 == 3, seed % 8 == 5);
    let history = std::cell::RefCell::new(History {
        development,
        extremes,
        as_in_xrpld: None,
        steps: Vec::new(),
    });
    let made = guarded(|at| {
        let mut stage = Stage::new(development, extremes);
        let kinds: Vec<&str> = (0..100u16)
            .filter(|kind| transactor(*kind).is_some() && name_of(*kind) != "AccountDelete")
            .map(name_of)
            .collect();
        let do_step = |stage: &mut Stage, step: Step| {
            at.set(history.borrow().steps.len());
            history.borrow_mut().steps.push(step.clone());
            stage.step(&step).map_err(|what| Failure { at: at.get(), what })
        };
        // What gateways issue may move and be locked; one of them may claw it back.
        for (gateway, flag) in [(0, 8), (0, 17), (1, 16), (1, 8), (1, 17)] {
            let account = account(gateway).to_string();
            let tx = json!({"TransactionType": "AccountSet", "Account": account, "SetFlag": flag});
            let tx = stage.complete(&mut rng, tx.as_object().cloned().unwrap_or_default());
            do_step(&mut stage, Step::Submit(tx))?;
        }
        if lends(seed) {
            for tx in riches(&stage) {
                let tx = stage.complete(&mut rng, tx);
                do_step(&mut stage, Step::Submit(tx))?;
            }
            do_step(&mut stage, Step::Close { ledgers: 1, seconds: 4 })?;
        }
        let mut world = World::of(stage.node.closed());
        // How many transactions ago so many ledgers closed that accounts may go.
        let mut since = usize::MAX;
        for _ in 0..transactions {
            since = since.saturating_add(1);
            let kind = match rng.random_range(0..100) {
                // Half of them.
                _ if lends(seed) && rng.random_range(0..2) == 0 => {
                    LENDING.choose(&mut rng).copied().unwrap_or("LoanSet")
                }
                0..18 => "Payment",
                18..28 => "TrustSet",
                28..50 if since < 60 => "AccountDelete",
                28 => "AccountDelete",
                29..37 if kinds.contains(&"OfferCreate") => "OfferCreate",
                _ => kinds.choose(&mut rng).copied().unwrap_or("Payment"),
            };
            let tx = Draw { rng: &mut rng, extremes, world: &world }.transaction(kind);
            let tx = match kind {
                "Batch" => {
                    let many = rng.random_range(2..=4);
                    let draw = |rng: &mut _| {
                        let kind = kinds.choose(rng).copied().unwrap_or("Payment");
                        Draw { rng, extremes, world: &world }.transaction(kind)
                    };
                    let inner = (0..many).map(|_| draw(&mut rng)).collect();
                    stage.batch(tx, inner)
                }
                _ => tx,
            };
            let tx = stage.complete(&mut rng, tx);
            do_step(&mut stage, Step::Submit(tx))?;
            if rng.random_range(0..15) == 0 {
                let ledgers = if rng.random_range(0..80) == 0 { 260 } else { 1 };
                since = if ledgers > 1 { 0 } else { since };
                let seconds = *[1, 4, 10, 100].choose(&mut rng).unwrap_or(&4);
                do_step(&mut stage, Step::Close { ledgers, seconds })?;
                world = World::of(stage.node.closed());
            }
        }
        do_step(&mut stage, Step::Close { ledgers: 1, seconds: 10 })?;
        Ok(stage)
    });
    made.map_err(|failure| (history.into_inner(), failure))
}

/// The last ledger of a history, for tests of the judge.
pub(crate) fn last_ledger(seed: u64, transactions: usize) -> Arc<ClosedLedger> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut stage = Stage::new(false, false);
    let types = [
        "TrustSet",
        "CheckCreate",
        "EscrowCreate",
        "PaymentChannelCreate",
        "NFTokenMint",
        "MPTokenIssuanceCreate",
        "MPTokenAuthorize",
        "Payment",
        "TicketCreate",
        "OracleSet",
    ];
    for n in 0..transactions {
        let world = World::of(stage.node.closed());
        let kind = types.choose(&mut rng).copied().unwrap_or("Payment");
        let tx = Draw { rng: &mut rng, extremes: false, world: &world }.transaction(kind);
        let tx = stage.complete(&mut rng, tx);
        stage.submit(&tx).expect("nothing is broken");
        if n % 10 == 9 {
            stage.close(1, 4).expect("nothing is broken");
        }
    }
    Arc::clone(stage.node.closed())
}

/// The last ledger of a seed's history, for tests of the judge.
pub(crate) fn last_of_seed(seed: u64, transactions: usize) -> Arc<ClosedLedger> {
    match made(seed, transactions) {
        Ok(stage) => Arc::clone(stage.node.closed()),
        Err((_, failure)) => panic!("seed {seed}, step {}: {}", failure.at, failure.what),
    }
}
