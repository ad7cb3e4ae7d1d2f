use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;
use xrpl_protocol::{AccountId, Amount, Definitions, Issue, Object, fields, transaction::Slot};
use xrpl_tracker::{
    Evidence, Intent, Outcome, ResultName, Source, State, ValidatedIn, record::Latencies,
};

use super::*;
use crate::{
    accounts::{Account, derive},
    fees::FeeStrategy,
    lane::Lane,
    world::Asset,
};
use xrpl_protocol::keys::{KeyPair, KeyType};

/// Types that use nothing but what the preparation leaves, sent as they are: their plans are the same
/// whatever the ledger does.
const PREPARED: &[(&str, u32)] =
    &[("Payment", 75), ("TrustSet", 10), ("AccountSet", 8), ("TicketCreate", 0)];

fn weights(given: &[(&str, u32)]) -> BTreeMap<String, u32> {
    let names = Catalogue::new(&BTreeMap::new()).unwrap();
    let mut weights: BTreeMap<String, u32> = names.names().map(|name| (name.into(), 0)).collect();
    weights.extend(given.iter().map(|(name, weight)| ((*name).to_owned(), *weight)));
    weights
}

fn no_modifiers() -> BTreeMap<String, u32> {
    crate::modifier::Modifier::ALL.iter().map(|m| (m.name().to_owned(), 0)).collect()
}

fn config(seed: &str) -> GeneratorConfig {
    GeneratorConfig {
        seed: seed.into(),
        weights: weights(PREPARED),
        modifiers: no_modifiers(),
        ..GeneratorConfig::default()
    }
}

/// Users and a gateway as they are after a preparation, on no ledger at all.
fn engine(config: &GeneratorConfig, users: u32) -> Engine {
    engine_with(config, users, 1, &["USD"])
}

/// The same with several gateways and currencies: the first assets are those that users hold.
fn engine_with(config: &GeneratorConfig, users: u32, gateways: u32, currencies: &[&str]) -> Engine {
    let mut engine = Engine::new(config).unwrap();
    engine.set_head(LedgerIndex(100));
    engine.fees.set_ledger(10, 10_000_000, 2_000_000);
    let world = &mut engine.world;
    let gateway_roles = (0..gateways).map(|n| (Role::Gateway, n));
    let roles = (0..users).map(|n| (Role::User, n)).chain(gateway_roles);
    for (role, n) in roles {
        let key = KeyPair::from_seed(&derive(&config.seed, role, n, KeyType::Ed25519));
        let index = world.accounts.add(Account::new(key, role, config.max_pending_per_account));
        let account = &mut world.accounts[index];
        account.active = true;
        account.lane = Lane::new(Sequence(50), config.max_pending_per_account);
        account.xrp.balance = 10_000_000_000;
        if role == Role::User {
            for asset in 0..currencies.len() {
                let line = account.lines.entry(asset as u16);
                line.balance = "100000".parse().unwrap();
                line.limit = "1000000000".parse().unwrap();
                line.exists = true;
            }
        }
    }
    for shift in 0..gateways {
        for (n, currency) in (0..).zip(currencies) {
            let gateway = users + (n + shift) % gateways;
            let issuer = world.accounts[gateway].id;
            world.assets.push(Asset { currency: currency.parse().unwrap(), issuer, gateway });
        }
    }
    world.common_assets = currencies.len();
    engine.list_all();
    engine
}

fn outcome(prepared: &Prepared, end: &str) -> Outcome {
    let result = ResultName::new(end);
    let validated = end.starts_with("tes") || end.starts_with("tec");
    let read = Object::decode(&prepared.blob, Definitions::builtin()).unwrap();
    let place = ValidatedIn {
        ledger_index: LedgerIndex(101),
        ledger_hash: None,
        result: result.clone(),
        source: Source::Ws,
    };
    let tickets = read.u32(fields::TICKET_COUNT).unwrap_or(0);
    let first = read.u32(fields::SEQUENCE).unwrap() + 1;
    let account = read.account(fields::ACCOUNT).unwrap();
    let created: Vec<_> = (first..first + tickets)
        .map(|n| {
            serde_json::json!({"CreatedNode": {"LedgerEntryType": "Ticket", "NewFields":
                {"Account": account.to_string(), "TicketSequence": n}}})
        })
        .collect();
    let line = read.amount(fields::LIMIT_AMOUNT).map(|limit| new_line(account, &limit));
    let created: Vec<_> = created.into_iter().chain(line).collect();
    let metadata = serde_json::json!({"AffectedNodes": created}).to_string();
    Outcome {
        hash: prepared.hash,
        account,
        slot: Slot::Sequence(Sequence(0)),
        transaction_type: Arc::from("Payment"),
        state: if validated { State::Validated } else { State::Rejected },
        engine_result_first: Some(result.clone()),
        engine_result: Some(result.clone()),
        validated_ledger: None,
        metadata: prepared
            .want_metadata
            .then(|| Arc::from(serde_json::value::RawValue::from_string(metadata).unwrap())),
        evidence: if validated {
            Evidence::Validated(place)
        } else {
            Evidence::RefusedByNode { engine_result: result }
        },
        intent: Intent::Valid,
        latencies: Latencies::default(),
        overturned: false,
        revoked: false,
    }
}

/// What metadata says of a trust line that is new.
fn new_line(holder: AccountId, limit: &Amount) -> serde_json::Value {
    let Issue::Issued { currency, issuer } = limit.issue() else { return serde_json::json!({}) };
    let none = |of: AccountId| serde_json::json!({"currency": currency.to_string(), "issuer": of.to_string(), "value": "0"});
    let limit = serde_json::json!({"currency": currency.to_string(), "issuer": holder.to_string(),
        "value": limit.value().unwrap().to_string()});
    let (low, high) = if holder < issuer { (limit, none(issuer)) } else { (none(issuer), limit) };
    serde_json::json!({"CreatedNode": {"LedgerEntryType": "RippleState", "NewFields":
        {"Balance": none(AccountId::ZERO), "LowLimit": low, "HighLimit": high}}})
}

/// The result the prediction of a transaction says.
fn predicted(prepared: &Prepared) -> &'static str {
    prepared.mutation.map_or("tesSUCCESS", |mutation| mutation.expected[0])
}

fn finish(engine: &mut Engine, prepared: &Prepared) {
    let result = predicted(prepared);
    engine.answered(
        prepared.hash,
        match xrpl_protocol::ResultClass::of(result) {
            Some(xrpl_protocol::ResultClass::Tes) => Answer::Applied,
            Some(xrpl_protocol::ResultClass::Tec) => Answer::Claimed,
            _ => Answer::Ended,
        },
    );
    engine.settle(&outcome(prepared, result)).unwrap();
}

/// What each account sent, in its order, without what depends on the ledger's clock.
fn sent(all: &[Prepared]) -> BTreeMap<Index, Vec<Object>> {
    let mut by_account: BTreeMap<Index, Vec<Object>> = BTreeMap::new();
    for prepared in all {
        let mut tx = Object::decode(&prepared.blob, Definitions::builtin()).unwrap();
        tx.remove(fields::LAST_LEDGER_SEQUENCE);
        tx.remove(fields::TXN_SIGNATURE);
        by_account.entry(prepared.sender).or_default().push(tx);
    }
    by_account
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However the answers and ends are interleaved, each account sends the same transactions in
    /// the same order.
    #[test]
    fn same_seed_same_transactions_in_the_same_order_per_account(
        picks in prop::collection::vec(any::<u16>(), 400),
        invalid in prop_oneof![Just(0.0), Just(30.0)],
        gateways in 1u32..4,
        currencies in prop::sample::subsequence(vec!["USD", "EUR", "JPY"], 1..=3),
    ) {
        let config = GeneratorConfig { intent_invalid: invalid, ..config("repeat") };
        let made = || engine_with(&config, 4, gateways, &currencies);
        let mut straight = made();
        let mut one = Vec::new();
        while one.len() < 400 {
            let prepared = straight.next_load().unwrap();
            finish(&mut straight, &prepared);
            one.push(prepared);
        }
        let mut tangled = made();
        let mut other = Vec::new();
        let mut open: Vec<Prepared> = Vec::new();
        for pick in picks {
            if pick % 3 != 0
                && let Ok(prepared) = tangled.next_load()
            {
                open.push(prepared.clone());
                other.push(prepared);
            } else if !open.is_empty() {
                let prepared = open.remove(usize::from(pick) % open.len());
                finish(&mut tangled, &prepared);
            }
        }
        let (one, other) = (sent(&one), sent(&other));
        for (account, transactions) in other {
            let expected = &one[&account];
            let both = expected.len().min(transactions.len());
            prop_assert_eq!(&expected[..both], &transactions[..both]);
        }
    }
}

#[test]
fn another_seed_other_transactions() {
    let run = |seed: &str| {
        let mut engine = engine(&config(seed), 4);
        let all: Vec<_> = (0..5).map(|_| engine.next_load().unwrap().hash).collect();
        all
    };
    assert_eq!(run("a"), run("a"));
    assert_ne!(run("a"), run("b"));
}

#[test]
fn all_lanes_are_filled_and_then_the_cause_is_told() {
    let config = GeneratorConfig { max_pending_per_account: 3, ..config("full") };
    let mut engine = engine(&config, 4);
    let mut count = 0;
    loop {
        match engine.next_load() {
            Ok(prepared) => {
                count += 1;
                engine.answered(prepared.hash, Answer::Applied);
            }
            Err(cause) => {
                assert_eq!(cause, Cause::LanesEmpty);
                break;
            }
        }
    }
    assert_eq!(count, 5 * 3);
    assert_eq!(engine.in_flight(), 15);
}

#[test]
fn what_waits_for_the_node_is_told_apart() {
    let mut engine = engine(&config("causes"), 4);
    let all: Vec<_> = std::iter::from_fn(|| engine.next_load().ok()).collect();
    assert_eq!(engine.next_load().unwrap_err(), Cause::Endpoint, "{} on the wire", all.len());
    all.iter().for_each(|prepared| engine.answered(prepared.hash, Answer::Retrying));
    assert_eq!(engine.next_load().unwrap_err(), Cause::NodeQueue);
}

/// One that names a Ticket nobody has is refused long before that is proven: its lane goes on
/// meanwhile, and there is no hole afterwards.
#[test]
fn a_ticket_that_was_never_made_takes_nothing_of_the_lane() {
    let mut engine = engine(&GeneratorConfig { intent_invalid: 50.0, ..config("ticket") }, 4);
    let mut open = Vec::new();
    while open.len() < 20 {
        let prepared = engine.next_load().unwrap();
        if predicted(&prepared) != "tefNO_TICKET" {
            finish(&mut engine, &prepared);
            continue;
        }
        let tx = Object::decode(&prepared.blob, Definitions::builtin()).unwrap();
        assert_eq!(tx.u32(fields::TICKET_SEQUENCE), Some(1));
        engine.answered(prepared.hash, Answer::Refused);
        assert_eq!(engine.world.accounts[prepared.sender].lane.in_flight(), 0);
        open.push(prepared);
    }
    for prepared in open {
        engine.settle(&outcome(&prepared, "tefNO_TICKET")).unwrap();
        assert!(engine.next_filler().is_none());
    }
    assert_eq!(
        (engine.in_flight(), engine.stats().holes_filled, engine.stats().rereads),
        (0, 0, 0)
    );
}

/// A node may queue what it will refuse once its turn comes: nothing is put behind it.
#[test]
fn nothing_waits_behind_what_is_to_be_refused() {
    let mut engine = engine(&GeneratorConfig { intent_invalid: 50.0, ..config("behind") }, 4);
    let doomed = loop {
        let prepared = engine.next_load().unwrap();
        match prepared.mutation {
            Some(mutation) if !mutation.claims() && predicted(&prepared) != "tefNO_TICKET" => {
                break prepared;
            }
            _ => finish(&mut engine, &prepared),
        }
    };
    engine.answered(doomed.hash, Answer::Queued);
    for _ in 0..30 {
        let Ok(next) = engine.next_load() else { break };
        assert_ne!(next.sender, doomed.sender);
        engine.answered(next.hash, Answer::Applied);
    }
    engine.settle(&outcome(&doomed, predicted(&doomed))).unwrap();
    assert!(engine.next_filler().is_none());
}

#[test]
fn an_expired_one_in_the_middle_is_filled_by_a_no_op() {
    let mut engine = engine(&config("hole"), 2);
    let mut mine = Vec::new();
    while mine.len() < 3 {
        let prepared = engine.next_load().unwrap();
        engine.answered(prepared.hash, Answer::Applied);
        if prepared.sender == 0 {
            mine.push(prepared);
        }
    }
    assert!(engine.next_filler().is_none());
    let mut lost = outcome(&mine[1], "tesSUCCESS");
    lost.state = State::Expired;
    lost.evidence = Evidence::LastLedgerPassed {
        last_ledger_sequence: LedgerIndex(120),
        proof: xrpl_tracker::AbsenceProof::EveryLedgerRead {
            first: LedgerIndex(100),
            last: LedgerIndex(120),
        },
    };
    engine.settle(&lost).unwrap();
    let filler = engine.next_filler().expect("a hole");
    let (hole, filled) = (
        Object::decode(&mine[1].blob, Definitions::builtin()).unwrap(),
        Object::decode(&filler.blob, Definitions::builtin()).unwrap(),
    );
    assert_eq!(hole.u32(fields::SEQUENCE), filled.u32(fields::SEQUENCE));
    assert_eq!(filled.u16(fields::TRANSACTION_TYPE), Some(3), "AccountSet");
    assert!(engine.next_filler().is_none());
    assert_eq!(engine.stats().holes_filled, 1);
    assert_eq!(engine.stats().failed_total(), 1);
}

#[test]
fn refused_mutants_keep_the_sequence_and_claims_use_it() {
    let config = GeneratorConfig { intent_invalid: 100.0, ..config("mutations") };
    let mut engine = engine(&config, 3);
    let mut next: BTreeMap<Index, u32> = (0..4).map(|n| (n, 50)).collect();
    for _ in 0..500 {
        let prepared = engine.next_load().unwrap();
        let mutation = prepared.mutation.expect("all are spoiled");
        let tx = Object::decode(&prepared.blob, Definitions::builtin()).unwrap();
        let sequence = tx.u32(fields::SEQUENCE).unwrap();
        let expected = next.get_mut(&prepared.sender).unwrap();
        assert!(sequence == *expected || sequence == 0, "{}", mutation.name);
        *expected += u32::from(mutation.claims());
        finish(&mut engine, &prepared);
    }
    let stats = engine.stats();
    assert_eq!(stats.invalid.as_predicted.values().sum::<u64>(), 500);
    assert!(stats.invalid.otherwise.is_empty() && stats.submitted == 0 && stats.failed.is_empty());
    assert!(stats.invalid.as_predicted.len() > 12, "{:?}", stats.invalid.as_predicted);
}

#[test]
fn a_wrong_prediction_is_counted_as_such() {
    let config = GeneratorConfig { intent_invalid: 100.0, ..config("wrong") };
    let mut engine = engine(&config, 3);
    let prepared = engine.next_load().unwrap();
    engine.answered(prepared.hash, Answer::Applied);
    engine.settle(&outcome(&prepared, "tesSUCCESS")).unwrap();
    let stats = engine.stats();
    assert_eq!(stats.invalid.otherwise.values().sum::<u64>(), 1);
    assert!(stats.invalid.as_predicted.is_empty());
}

#[test]
fn a_type_the_network_lacks_is_switched_off() {
    let mut engine = engine(&config("off"), 4);
    let id = engine.catalogue.find("accountset").unwrap();
    let prepared = engine.ask(Some(id)).unwrap();
    engine.answered(prepared.hash, Answer::Ended);
    engine.settle(&outcome(&prepared, "temDISABLED")).unwrap();
    assert_eq!(
        engine.catalogue.disabled().collect::<Vec<_>>(),
        [("AccountSet", Some("temDISABLED".to_owned()))]
    );
    for _ in 0..200 {
        let prepared = engine.next_load().unwrap();
        assert_ne!(prepared.name, "AccountSet");
        finish(&mut engine, &prepared);
    }
    engine.catalogue.set_enabled(id, true);
    assert_eq!(engine.catalogue.disabled().count(), 0);
}

#[test]
fn tickets_are_made_and_used_by_whatever_fits() {
    let config = GeneratorConfig {
        weights: weights(&[("TicketCreate", 1), ("Payment", 9)]),
        modifiers: [("ticket".to_owned(), 100)].into(),
        ..config("tickets")
    };
    let mut engine = engine(&config, 3);
    let mut used = 0;
    for _ in 0..500 {
        let Ok(prepared) = engine.next_load() else {
            engine.list_all();
            continue;
        };
        let tx = Object::decode(&prepared.blob, Definitions::builtin()).unwrap();
        used += u32::from(tx.contains(fields::TICKET_SEQUENCE));
        finish(&mut engine, &prepared);
    }
    assert!(used > 60, "{used} on Tickets");
}

#[test]
fn unknown_types_name_the_nearest() {
    let catalogue = Catalogue::new(&BTreeMap::new()).unwrap();
    let error = catalogue.find("TicketCraete").unwrap_err().to_string();
    assert!(error.contains("did you mean \"TicketCreate\""), "{error}");
    let error = catalogue.find("Payement").unwrap_err().to_string();
    assert!(error.contains("did you mean \"Payment\""), "{error}");
    // Another word is no slip: what there is is told instead.
    for other in ["EnableAmendment", "zzzzzzzzzzzzzzzzzzz", ""] {
        let error = catalogue.find(other).unwrap_err().to_string();
        assert!(!error.contains("mean") && error.contains("TrustSet, "), "{error}");
    }
    let mut names: Vec<_> = catalogue.names().map(str::to_ascii_lowercase).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), catalogue.names().count(), "names are unique");
}

#[test]
fn a_transaction_that_was_not_taken_leaves_no_trace() {
    let mut engine = engine(&config("lost"), 2);
    let prepared = engine.next_load().unwrap();
    let next = engine.world.accounts[prepared.sender].lane.next();
    engine.not_taken(prepared.hash, true).unwrap();
    let account = &engine.world.accounts[prepared.sender];
    assert!(account.lane.next() < next && account.lane.in_flight() == 0);
    assert_eq!((account.xrp.pending, engine.in_flight()), (0, 0));
}

#[test]
fn an_overturned_rejection_puts_the_lane_in_doubt() {
    let mut engine = engine(&config("overturned"), 2);
    let prepared = engine.next_load().unwrap();
    engine.answered(prepared.hash, Answer::Ended);
    engine.settle(&outcome(&prepared, "temMALFORMED")).unwrap();
    assert!(engine.take_doubtful().is_empty());
    let overturned = Outcome { overturned: true, ..outcome(&prepared, "tesSUCCESS") };
    assert_eq!(engine.settle(&overturned), None);
    assert_eq!(engine.take_doubtful(), [prepared.sender]);
    engine.reread(prepared.sender, Some(Sequence(51)));
    assert_eq!(engine.world.accounts[prepared.sender].lane.next(), Sequence(51));
}

/// While streams are cut, ends are known of ledgers that are not the head yet: a Sequence read in the head
/// would be one that was used.
#[test]
fn a_sequence_is_read_no_earlier_than_the_newest_end() {
    let mut engine = engine(&config("newest"), 2);
    engine.set_head(LedgerIndex(150));
    assert_eq!(engine.reads_from(), LedgerIndex(150));
    let prepared = engine.next_load().unwrap();
    let ended = outcome(&prepared, "tesSUCCESS");
    engine.settle(&Outcome { validated_ledger: Some(LedgerIndex(153)), ..ended }).unwrap();
    assert_eq!((engine.reads_from(), engine.head()), (LedgerIndex(153), LedgerIndex(150)));
    let metadata = Metadata::parse(r#"{"AffectedNodes": []}"#).unwrap();
    engine.learn(&metadata, LedgerIndex(154));
    engine.learn(&metadata, LedgerIndex(152));
    assert_eq!(engine.reads_from(), LedgerIndex(154));
}

/// The end of a transaction is taken back after its slot went to others: nothing more is signed until
/// it has another end and the Sequence was read.
#[test]
fn a_revoked_end_holds_the_lane_until_it_is_decided_again() {
    let mut engine = engine(&config("revoked"), 2);
    let prepared = engine.next_load().unwrap();
    let sender = prepared.sender;
    let slot = engine.flying[&prepared.hash].slot;
    engine.answered(prepared.hash, Answer::Applied);
    engine.settle(&outcome(&prepared, "tesSUCCESS")).unwrap();
    let end = Outcome { slot, ..outcome(&prepared, "tesSUCCESS") };
    engine.revoked(&Outcome { state: State::Submitted, revoked: true, ..end.clone() });
    assert!(engine.take_doubtful().is_empty(), "it may be applied yet");
    assert_eq!(engine.world.accounts[sender].lane.may_take(1), Err(Blocked::Doubt));
    engine.reread(sender, Some(Sequence(51)));
    assert_eq!(engine.world.accounts[sender].lane.may_take(1), Err(Blocked::Doubt));
    engine.revoked(&Outcome { revoked: true, ..end });
    assert_eq!(engine.take_doubtful(), [sender]);
    engine.reread(sender, Some(Sequence(51)));
    assert_eq!(engine.world.accounts[sender].lane.may_take(1), Ok(()));
    assert_eq!(engine.world.accounts[sender].lane.next(), Sequence(51));
}

#[test]
fn load_waits_while_the_nodes_queue_is_long_or_the_node_refuses_for_now() {
    let mut engine = engine(&config("busy"), 40);
    engine.set_queue(60, 10);
    assert_eq!(engine.next_load().unwrap_err(), Cause::NodeQueue, "six ledgers of twenty");
    assert!(engine.node_is_busy());
    engine.set_queue(50, 10);
    let mut refused = Vec::new();
    while let Ok(prepared) = engine.next_load() {
        engine.answered(prepared.hash, Answer::Retrying);
        refused.push(prepared);
    }
    // Those that stop it, and the few of a ledger that are let through all the same.
    assert!((16..24).contains(&refused.len()), "{}", refused.len());
    // Each ledger a few find out whether that is still so.
    engine.set_head(LedgerIndex(101));
    let probe = engine.next_load().unwrap();
    engine.answered(probe.hash, Answer::Retrying);
    // The newest answers count: those that were refused are taken now.
    for prepared in &refused {
        engine.answered(prepared.hash, Answer::Applied);
    }
    engine.answered(probe.hash, Answer::Queued);
    for _ in 0..12 {
        let prepared = engine.next_load().unwrap();
        engine.answered(prepared.hash, Answer::Applied);
    }
}

/// However many wait to be sent again, the load goes on while the node takes most of the others.
#[test]
fn many_that_wait_do_not_stop_a_node_that_takes_most() {
    let mut engine = engine(&config("most"), 100);
    for n in 0..150 {
        let prepared = engine.next_load().unwrap_or_else(|cause| panic!("{n}: {cause:?}"));
        let refused = n % 4 == 0;
        engine.answered(prepared.hash, if refused { Answer::Retrying } else { Answer::Applied });
        if !refused {
            engine.settle(&outcome(&prepared, predicted(&prepared))).unwrap();
        }
    }
    assert!(engine.in_flight() > 30);
}

fn consumed(prepared: &Prepared, by: &Prepared) -> Outcome {
    let ledger = LedgerIndex(110);
    Outcome {
        evidence: Evidence::SequenceConsumed { by: by.hash, ledger },
        ..outcome(prepared, "terQUEUED")
    }
}

fn expired(prepared: &Prepared) -> Outcome {
    let (first, last) = (LedgerIndex(100), LedgerIndex(120));
    Outcome {
        state: State::Expired,
        evidence: Evidence::LastLedgerPassed {
            last_ledger_sequence: last,
            proof: xrpl_tracker::AbsenceProof::EveryLedgerRead { first, last },
        },
        ..outcome(prepared, "terQUEUED")
    }
}

/// One payment of the load, answered so, five ledgers later, on a node that asks for 500 drops.
fn waiting(config: &GeneratorConfig, answer: Answer) -> (Engine, Prepared) {
    let mut engine = engine(config, 4);
    let prepared = loop {
        let prepared = engine.next_load().unwrap();
        if prepared.name == "Payment" && !prepared.want_metadata {
            break prepared;
        }
        finish(&mut engine, &prepared);
    };
    engine.answered(prepared.hash, answer);
    engine.fees.set_open_ledger(500);
    assert!(engine.next_replacement().is_none(), "it has not waited");
    engine.set_head(LedgerIndex(105));
    (engine, prepared)
}

#[test]
fn what_waits_too_cheaply_gets_a_rival_that_pays_more_and_one_of_them_counts() {
    for first_wins in [false, true] {
        let (mut engine, first) = waiting(&config("rival"), Answer::Queued);
        let account = &engine.world.accounts[first.sender];
        let (before, next) = (account.xrp.balance, account.lane.next());
        let counted = engine.stats();
        let second = engine.next_replacement().expect("a replacement");
        assert!(engine.next_replacement().is_none(), "one at a time");
        assert_eq!((second.origin, second.sender), (Origin::Replacement, first.sender));
        let [mut old, mut new] =
            [&first, &second].map(|one| Object::decode(&one.blob, Definitions::builtin()).unwrap());
        assert_eq!(new.amount(fields::FEE).unwrap().drops(), Some(500));
        assert_eq!(new.u32(fields::LAST_LEDGER_SEQUENCE), Some(125));
        for tx in [&mut old, &mut new] {
            for field in [fields::FEE, fields::LAST_LEDGER_SEQUENCE, fields::TXN_SIGNATURE] {
                tx.remove(field);
            }
        }
        assert_eq!(old, new, "the same plan on the same Sequence");
        engine.answered(second.hash, Answer::Applied);
        let (winner, loser) = if first_wins { (&first, &second) } else { (&second, &first) };
        engine.settle(&outcome(winner, "tesSUCCESS")).unwrap();
        engine.settle(&consumed(loser, winner)).unwrap();
        let stats = engine.stats();
        assert_eq!((stats.replacements, stats.replaced), (1, 1));
        assert_eq!(stats.submitted, counted.submitted, "a replacement is no load of its own");
        assert_eq!(stats.validated, counted.validated + 1);
        assert!(stats.failed.is_empty(), "{:?}", stats.failed);
        let account = &engine.world.accounts[first.sender];
        let fee = if first_wins { 10 } else { 500 };
        assert!(before - account.xrp.balance > fee && account.xrp.pending == 0);
        assert_eq!((account.lane.next(), account.lane.in_flight()), (next, 0));
        assert!(engine.take_doubtful().is_empty() && engine.next_filler().is_none());
    }
}

#[test]
fn one_that_was_replaced_took_as_many_ledgers_as_the_other_one_let_it_wait() {
    let (mut engine, first) = waiting(&config("ledgers"), Answer::Queued);
    engine.measures.begin(&crate::Stage::of(crate::Pace::Fixed(1.0)), std::time::Duration::ZERO, 0);
    let second = engine.next_replacement().expect("a replacement");
    engine.answered(second.hash, Answer::Applied);
    engine.settle(&outcome(&second, "tesSUCCESS")).unwrap();
    engine.settle(&consumed(&first, &second)).unwrap();
    let measure = engine.measures.all()[0].clone();
    assert_eq!((measure.validated, measure.ledgers.quantile(0.5)), (1, Some(10)));
}

#[test]
fn replacements_are_bounded_by_number_and_fee_and_not_made_of_what_is_awaited() {
    let (mut engine, first) = waiting(&config("bounded"), Answer::Retrying);
    let mut all = vec![first];
    for (ledger, fee) in [(105, 500), (110, 2_000)] {
        engine.set_head(LedgerIndex(ledger));
        engine.fees.set_open_ledger(fee);
        // The ledger is known before its fee.
        engine.set_head(LedgerIndex(ledger + 1));
        let next = engine.next_replacement().expect("a replacement");
        engine.answered(next.hash, Answer::Queued);
        all.push(next);
    }
    engine.fees.set_open_ledger(9_000);
    engine.set_head(LedgerIndex(120));
    assert!(engine.next_replacement().is_none(), "two of them are the most");
    // None is free before all have ended.
    for prepared in &all {
        assert!(engine.next_filler().is_none());
        engine.settle(&expired(prepared)).unwrap();
    }
    let account = &engine.world.accounts[all[0].sender];
    assert_eq!((account.lane.in_flight(), account.xrp.pending), (0, 0));
    let sequence =
        Object::decode(&all[0].blob, Definitions::builtin()).unwrap().u32(fields::SEQUENCE);
    assert_eq!(Some(account.lane.next().0), sequence);
    assert_eq!(engine.stats().failed.values().sum::<u64>(), 1, "it is one transaction of the load");

    for (config, why) in [
        (GeneratorConfig { max_replacements: 0, ..config("none") }, "none allowed"),
        (GeneratorConfig { fee_strategy: FeeStrategy::Fixed(10), ..config("f") }, "a fixed fee"),
        (GeneratorConfig { max_fee_drops: xrpl_protocol::Drops(12), ..config("cap") }, "the cap"),
    ] {
        let (mut engine, _) = waiting(&config, Answer::Queued);
        assert!(engine.next_replacement().is_none(), "{why}");
    }
    let mut engine = engine_with(&config("asked"), 4, 1, &["USD"]);
    let asked = engine.ask(Some(engine.catalogue.find("Payment").unwrap())).unwrap();
    engine.answered(asked.hash, Answer::Queued);
    engine.fees.set_open_ledger(500);
    engine.set_head(LedgerIndex(110));
    assert!(engine.next_replacement().is_none(), "somebody waits for its hash");
}

#[test]
fn a_refused_one_that_may_be_held_is_followed_by_a_no_op() {
    let (mut engine, first) = waiting(&config("refused"), Answer::Refused);
    assert_eq!(
        engine.world.accounts[first.sender].lane.may_take(1),
        Err(Blocked::Undecided),
        "its slot is not free"
    );
    let filler = engine.next_replacement().expect("a no-op");
    let tx = Object::decode(&filler.blob, Definitions::builtin()).unwrap();
    assert_eq!(tx.u16(fields::TRANSACTION_TYPE), Some(3), "AccountSet");
    engine.answered(filler.hash, Answer::Applied);
    assert_eq!(engine.world.accounts[first.sender].lane.may_take(1), Ok(()));
    engine.settle(&outcome(&filler, "tesSUCCESS")).unwrap();
    engine.settle(&consumed(&first, &filler)).unwrap();
    let stats = engine.stats();
    assert_eq!((stats.replacements, stats.replaced), (1, 0));
    assert_eq!(stats.failed_total(), 1, "it has failed, whatever filled its slot");
    assert_eq!(engine.world.accounts[first.sender].lane.in_flight(), 0);

    let (mut engine, _) = waiting(&config("past"), Answer::Past);
    assert!(engine.next_replacement().is_none(), "its slot is gone already");
}

#[test]
fn what_a_replaced_batch_uses_of_others_is_free_once_all_of_them_have_ended() {
    for replaced_first in [false, true] {
        let only = weights(&[("Batch", 1)]);
        let mut engine = engine(&GeneratorConfig { weights: only, ..config("batch") }, 4);
        let (first, other) = loop {
            let prepared = engine.next_load().unwrap();
            if let Some((other, ..)) = engine.flying[&prepared.hash].legs.first().copied() {
                break (prepared, other);
            }
            finish(&mut engine, &prepared);
        };
        engine.answered(first.hash, Answer::Queued);
        engine.fees.set_open_ledger(5_000);
        engine.set_head(LedgerIndex(105));
        let second = engine.next_replacement().expect("a replacement");
        let (end, left) = if replaced_first { (&first, &second) } else { (&second, &first) };
        engine.settle(&expired(end)).unwrap();
        let lane = &engine.world.accounts[other].lane;
        assert_eq!(lane.in_flight(), 1, "the other one holds the same transaction of this account");
        assert_eq!(lane.may_take(1), Err(Blocked::Undecided));
        let next = lane.next();
        engine.settle(&expired(left)).unwrap();
        let lane = &engine.world.accounts[other].lane;
        assert_eq!((lane.in_flight(), lane.next().0), (0, next.0 - 1), "now it is free");
    }
}

#[test]
fn only_the_first_of_an_accounts_sequences_is_replaced() {
    let config = config("front");
    let mut engine = engine(&config, 2);
    let mut waiting = Vec::new();
    while let Ok(prepared) = engine.next_load() {
        engine.answered(prepared.hash, Answer::Queued);
        waiting.push(prepared);
    }
    assert!(waiting.len() > 9);
    engine.fees.set_open_ledger(500);
    engine.set_head(LedgerIndex(105));
    let replaced: Vec<_> = std::iter::from_fn(|| engine.next_replacement()).collect();
    let mut senders: Vec<_> = replaced.iter().map(|one| one.sender).collect();
    senders.dedup();
    assert_eq!(senders.len(), replaced.len());
    for one in &replaced {
        let tx = Object::decode(&one.blob, Definitions::builtin()).unwrap();
        assert_eq!(tx.u32(fields::SEQUENCE), Some(50));
    }
    assert!(!replaced.is_empty());
}

#[test]
fn an_end_before_its_answer_is_counted_once() {
    let mut engine = engine(&config("early"), 2);
    let prepared = engine.next_load().unwrap();
    engine.settle(&outcome(&prepared, "tesSUCCESS")).unwrap();
    engine.answered(prepared.hash, Answer::Ended);
    let stats = engine.stats();
    assert_eq!((stats.submitted, stats.validated, stats.in_flight), (1, 1, 0));
    assert_eq!(engine.next_load().unwrap().sender, 1, "the others come first");
}
