//! Executing another node's ledgers once more: what is equal, what is not, and a case that replays alone.

mod bed;
mod recordings;

use bed::{Bed, genesis, key};
use serde_json::Value as Json;
use xrpl_protocol::{
    AccountId, Amount, Definitions, EngineResult, Field, Hash256, LedgerHeader, Object, Value,
    fields, hash::transaction_hash, object_id, transaction_tree,
};
use xrpl_standalone::{
    ledger::{
        Amendment, ClosedLedger, Fees, PreparedTx, ReadView, amendment, genesis as genesis_ledger,
    },
    node::{Node, NodeConfig, Votes},
    shadow::{Case, Reported, ReportedTx, Shadow, ShadowError, Verdict},
};

fn reported(ledger: &ClosedLedger) -> Reported {
    let transactions = ledger
        .transactions
        .iter()
        .map(|tx| ReportedTx { blob: tx.blob.to_vec(), metadata: tx.metadata_blob.to_vec() });
    let (header, hash) = (ledger.header.clone(), ledger.header.hash);
    Reported::new(header, hash, transactions.collect()).unwrap()
}

fn begin(ledger: &ClosedLedger, network_id: u32) -> Shadow {
    let entries = ledger.state.iter().map(|(id, entry)| (*id, Object::clone(entry)));
    Shadow::begin(&ledger.header, entries, network_id).unwrap()
}

fn entries(ledger: &ClosedLedger, wanted: &[Hash256]) -> Vec<(Hash256, Option<Object>)> {
    wanted.iter().map(|id| (*id, ledger.read(id).map(|entry| Object::clone(&entry)))).collect()
}

fn follow_all(shadow: &mut Shadow, node: &Node) {
    let from = shadow.header().index + 1;
    for index in from..=node.closed().header.index {
        let verdict = shadow.follow(&reported(node.ledger(index).unwrap())).unwrap();
        assert!(matches!(verdict, Verdict::Same), "ledger {index}: {verdict:?}");
        assert_eq!(shadow.header().index, index);
    }
}

#[test]
fn what_is_equal_is_followed_across_flag_ledgers() {
    let mut bed = Bed::funded(3);
    let mut shadow = begin(bed.node.ledger(2).unwrap(), 0);
    for round in 0..520_i64 {
        if round % 10 == 0 {
            let pay = bed.payment(&key(1), key(2).account_id(), 1000 + round);
            assert_eq!(bed.submit(&pay), EngineResult::TES_SUCCESS);
        }
        bed.close();
    }
    follow_all(&mut shadow, &bed.node);
    assert!(bed.node.closed().header.index > 512);
    assert_eq!(shadow.entries(), bed.node.closed().state.tree().len());
}

#[test]
fn a_ledger_that_does_not_fit_its_header_is_refused() {
    let mut bed = Bed::funded(2);
    let pay = bed.payment(&key(1), key(2).account_id(), 5);
    assert_eq!(bed.submit(&pay), EngineResult::TES_SUCCESS);
    bed.close();
    let ledger = bed.node.closed();
    let (header, hash) = (ledger.header.clone(), ledger.header.hash);
    let without = Reported::new(header.clone(), hash, Vec::new()).unwrap_err();
    assert!(matches!(without, ShadowError::Transactions { .. }), "{without}");
    let other = Reported::new(header, Hash256([7; 32]), Vec::new()).unwrap_err();
    assert!(matches!(other, ShadowError::Header { .. }), "{other}");
    let some = ledger.state.iter().skip(1).map(|(id, entry)| (*id, Object::clone(entry)));
    let missing = Shadow::begin(&ledger.header, some, 0).unwrap_err();
    assert!(matches!(missing, ShadowError::State { .. }), "{missing}");
    let mut shadow = begin(bed.node.ledger(2).unwrap(), 0);
    let later = shadow.follow(&reported(ledger)).unwrap_err();
    assert!(matches!(later, ShadowError::Parent { .. }), "{later}");
}

/// A node that goes by a rule that its ledgers do not list.
fn with_wrong_rule(rule: Amendment) -> Bed {
    let amendments = genesis_ledger::amendments();
    let amendments = amendments.into_iter().filter(|id| *id != rule.id()).collect();
    Bed::new(NodeConfig { amendments, features: vec![rule.id()], ..NodeConfig::default() })
}

fn offer(bed: &Bed, drops: i64) -> Object {
    let issued = serde_json::json!({"currency": "USD", "value": "3",
        "issuer": key(1).account_id().to_string()});
    let mut offer = bed.of(7, &key(2));
    offer.set(fields::TAKER_PAYS, Amount::from_json(&issued).unwrap().into());
    offer.set(fields::TAKER_GETS, Amount::Xrp(drops).into());
    offer
}

#[test]
fn a_wrong_rule_that_no_metadata_shows_is_found() {
    let mut bed = with_wrong_rule(amendment::FIX_PREVIOUS_TXN_ID);
    for n in 1..=2 {
        let pay = bed.payment(&genesis(), key(n).account_id(), 1_000_000_000);
        assert_eq!(bed.submit(&pay), EngineResult::TES_SUCCESS);
    }
    bed.close();
    let mut shadow = begin(bed.node.closed(), 0);
    // Of a new directory the metadata leaves out which transaction made it.
    assert_eq!(bed.sign_and_submit(offer(&bed, 7), &key(2)), EngineResult::TES_SUCCESS);
    let pay = bed.payment(&key(1), key(2).account_id(), 5);
    assert_eq!(bed.submit(&pay), EngineResult::TES_SUCCESS);
    bed.close();
    let told = reported(bed.node.closed());
    let verdict = shadow.follow(&told).unwrap();
    let Verdict::Different { mut finding, wanted } = verdict else { panic!("{verdict:?}") };
    assert_eq!(finding.transaction, None);
    let read = entries(bed.node.closed(), &wanted);
    finding.compare(&read);
    let directories = finding.differences.iter().filter(|line| line.contains("PreviousTxnID"));
    assert_eq!(directories.count(), 2, "{:?}", finding.differences);
    let replayed = finding.case.replay().unwrap();
    assert_eq!(replayed.transactions.len(), 2);
    assert_eq!(replayed.differences, finding.differences[1..]);
    shadow.take_over(&told, read).unwrap();
}

#[test]
fn a_wrong_rule_is_found_and_its_case_replays_alone() {
    let mut bed = with_wrong_rule(amendment::FIX_PREVIOUS_TXN_ID);
    for n in 1..=2 {
        let pay = bed.payment(&genesis(), key(n).account_id(), 1_000_000_000);
        assert_eq!(bed.submit(&pay), EngineResult::TES_SUCCESS);
    }
    bed.close();
    assert_eq!(bed.sign_and_submit(offer(&bed, 7), &key(2)), EngineResult::TES_SUCCESS);
    bed.close();
    let mut shadow = begin(bed.node.closed(), 0);
    let harmless = bed.payment(&key(1), key(2).account_id(), 5);
    assert_eq!(bed.submit(&harmless), EngineResult::TES_SUCCESS);
    // The owner's directory notes the transaction, which the rules that the ledger lists do not ask for.
    assert_eq!(bed.sign_and_submit(offer(&bed, 8), &key(2)), EngineResult::TES_SUCCESS);
    bed.close();
    let ledger = std::sync::Arc::clone(bed.node.closed());
    let told = reported(&ledger);
    let verdict = shadow.follow(&told).unwrap();
    let Verdict::Different { mut finding, wanted } = verdict else { panic!("{verdict:?}") };
    let offer = ledger.transactions.iter().find(|tx| tx.read().tx.kind == 7).unwrap();
    assert_eq!(finding.transaction, Some(offer.hash()));
    assert!(finding.differences.iter().any(|line| line.contains("PreviousTxnID")), "{finding:?}");

    // The file needs neither node nor state.
    let text = serde_json::to_string(&finding.case).unwrap();
    let replayed = Case::read(&text).unwrap().replay().unwrap();
    assert_eq!(replayed.differences, finding.differences);
    assert_eq!(replayed.transactions.len(), 1);
    assert_eq!(replayed.transactions[0].hash, offer.hash());
    assert_eq!(replayed.transactions[0].tx_json["TransactionType"], "OfferCreate");

    // It goes on from what the node has.
    let read = entries(&ledger, &wanted);
    finding.compare(&read);
    shadow.take_over(&told, read).unwrap();
    bed.close();
    follow_all(&mut shadow, &bed.node);
}

#[test]
fn a_transaction_that_would_not_be_in_the_ledger_is_found() {
    let mut bed = with_wrong_rule(amendment::DID);
    let pay = bed.payment(&genesis(), key(1).account_id(), 1_000_000_000);
    assert_eq!(bed.submit(&pay), EngineResult::TES_SUCCESS);
    bed.close();
    let mut shadow = begin(bed.node.closed(), 0);
    let mut did = bed.of(49, &key(1));
    did.set(fields::URI, vec![1_u8, 2, 3].into());
    assert_eq!(bed.sign_and_submit(did, &key(1)), EngineResult::TES_SUCCESS);
    bed.close();
    let told = reported(bed.node.closed());
    let verdict = shadow.follow(&told).unwrap();
    let Verdict::Different { finding, wanted } = verdict else { panic!("{verdict:?}") };
    assert_eq!(
        finding.differences,
        ["TransactionResult: the node has tesSUCCESS, here it is refused with temDISABLED"]
    );
    let replayed = finding.case.replay().unwrap();
    assert_eq!(replayed.transactions[0].here, Err(EngineResult::TEM_DISABLED));
    assert!(wanted.contains(&object_id::did(key(1).account_id())));
    shadow.take_over(&told, entries(bed.node.closed(), &wanted)).unwrap();
}

#[test]
fn entries_that_no_transaction_made_are_found() {
    let mut bed = Bed::funded(1);
    let mut shadow = begin(bed.node.closed(), 0);
    let id = object_id::account_root(key(1).account_id());
    let mut root = Object::clone(&bed.node.closed().read(&id).unwrap());
    root.set(fields::OWNER_COUNT, 3_u32.into());
    let pay = bed.payment(&key(1), genesis().account_id(), 5);
    bed.clock += 4;
    let ledger = bed.node.inject(bed.clock, vec![(id, root)], 0);
    let told = reported(&ledger);
    let verdict = shadow.follow(&told).unwrap();
    let Verdict::Different { mut finding, wanted } = verdict else { panic!("{verdict:?}") };
    assert_eq!(finding.transaction, None);
    assert!(finding.differences[0].starts_with("account_hash: "), "{:?}", finding.differences);
    // The metadata does not name it: the whole state has to be read again.
    let read = entries(&ledger, &wanted);
    assert!(matches!(shadow.take_over(&told, read), Err(ShadowError::State { .. })));
    let named = entries(&ledger, &[id]);
    finding.compare(&named);
    let line = format!("entry {id} OwnerCount: the node has 3, here it is 0");
    assert_eq!(finding.differences[1], line);
    let text = serde_json::to_string(&finding.case).unwrap();
    assert_eq!(Case::read(&text).unwrap().replay().unwrap().differences, [line]);
    shadow.take_over(&told, named).unwrap();
    assert_eq!(bed.submit(&pay), EngineResult::TES_SUCCESS);
    bed.close();
    follow_all(&mut shadow, &bed.node);
}

#[test]
fn an_unknown_amendment_excuses_a_difference() {
    let unknown = Hash256([9; 32]);
    let mut amendments = genesis_ledger::amendments();
    amendments.retain(|id| *id != amendment::DID.id());
    amendments.push(unknown);
    let features = vec![amendment::DID.id()];
    let mut bed = Bed::new(NodeConfig { amendments, features, ..NodeConfig::default() });
    let pay = bed.payment(&genesis(), key(1).account_id(), 1_000_000_000);
    assert_eq!(bed.submit(&pay), EngineResult::TES_SUCCESS);
    bed.close();
    let mut shadow = begin(bed.node.ledger(2).unwrap(), 0);
    follow_all(&mut shadow, &bed.node);
    let mut did = bed.of(49, &key(1));
    did.set(fields::URI, vec![1_u8].into());
    assert_eq!(bed.sign_and_submit(did, &key(1)), EngineResult::TES_SUCCESS);
    bed.close();
    let told = reported(bed.node.closed());
    let Verdict::NotBuilt { why, wanted } = shadow.follow(&told).unwrap() else { panic!() };
    assert!(why.contains(&unknown.to_string()), "{why}");
    shadow.take_over(&told, entries(bed.node.closed(), &wanted)).unwrap();
}

/// A ledger as a node would report it that knows more than we do: one transaction and its metadata are
/// changed, and all hashes are of what is changed.
fn of_a_newer_node(
    ledger: &ClosedLedger,
    change: impl FnOnce(&mut Object, &mut Object),
) -> Reported {
    let [tx] = &ledger.transactions[..] else { panic!("it has one transaction") };
    let mut blob = Object::decode(&tx.blob, Definitions::builtin()).unwrap();
    let mut metadata = Object::decode(&tx.metadata_blob, Definitions::builtin()).unwrap();
    change(&mut blob, &mut metadata);
    let tx = ReportedTx { blob: blob.encode(), metadata: metadata.encode() };
    let id = transaction_hash(&tx.blob);
    let mut header = ledger.header.clone();
    header.transaction_hash =
        transaction_tree::root([(id, transaction_tree::leaf(&tx.blob, &tx.metadata, &id))]);
    let hash = header.compute_hash();
    Reported::new(header, hash, vec![tx]).unwrap()
}

#[test]
fn what_only_a_newer_node_knows_is_taken_over() {
    /// A number that has no name here.
    const NEW: Field = Field::new(2, 200);
    let mut bed = Bed::funded(2);
    let before = begin(bed.node.closed(), 0);
    let pay = bed.payment(&key(1), key(2).account_id(), 5);
    assert_eq!(bed.submit(&pay), EngineResult::TES_SUCCESS);
    bed.close();
    let ledger = bed.node.closed();
    let told = [
        (
            of_a_newer_node(ledger, |tx, _| tx.set(fields::TRANSACTION_TYPE, 300_u16.into())),
            "a transaction is unreadable here: ",
        ),
        (
            of_a_newer_node(ledger, |tx, _| tx.set(NEW, 1_u32.into())),
            "a transaction is unreadable here: Unknown field",
        ),
        (
            of_a_newer_node(ledger, |_, metadata| metadata.set(NEW, 1_u32.into())),
            "its metadata has an unknown field (type 2, number 200): ",
        ),
    ];
    for (told, words) in told {
        let mut shadow = before.clone();
        let verdict = shadow.follow(&told).unwrap();
        let Verdict::NotBuilt { why, wanted } = verdict else { panic!("{verdict:?}") };
        assert!(why.starts_with(words), "{why}");
        shadow.take_over(&told, entries(ledger, &wanted)).unwrap();
        assert_eq!(shadow.header().index, ledger.header.index);
    }
}

#[test]
fn a_case_of_another_form_is_refused_with_the_reason() {
    let mut json: Json = serde_json::json!({"format": "xrpl-shadow-case", "version": 1});
    let said = |json: &Json| Case::read(&json.to_string()).unwrap_err().to_string();
    assert!(said(&json).contains("network_id"), "{}", said(&json));
    json["version"] = 2.into();
    assert!(said(&json).contains("version is 2"), "{}", said(&json));
    json["format"] = "other".into();
    assert!(said(&json).contains("\"format\""), "{}", said(&json));
    assert!(Case::read("{").unwrap_err().to_string().contains("EOF"));
}

/// A recorded ledger as its node reports it in binary.
fn recorded(line: &Json) -> Option<Reported> {
    let shown = line["ledger"].get("ledger").unwrap_or(&line["ledger"]);
    let text = |name: &str| shown[name].as_str().unwrap_or_default().to_owned();
    let small = |name: &str| u32::try_from(shown[name].as_u64().unwrap()).unwrap();
    let header = LedgerHeader {
        index: shown["ledger_index"]
            .as_str()
            .map_or_else(|| small("ledger_index"), |text| text.parse().unwrap()),
        hash: Hash256::ZERO,
        parent_hash: text("parent_hash").parse().ok()?,
        total_coins: text("total_coins").parse().unwrap(),
        account_hash: text("account_hash").parse().unwrap(),
        transaction_hash: text("transaction_hash").parse().unwrap(),
        parent_close_time: small("parent_close_time"),
        close_time: small("close_time"),
        close_time_resolution: u8::try_from(small("close_time_resolution")).unwrap(),
        close_flags: u8::try_from(small("close_flags")).unwrap(),
    };
    let definitions = Definitions::builtin();
    let encoded = |json: &Json| Object::from_json(json, definitions).unwrap().encode();
    let transactions = shown["transactions"].as_array().unwrap().iter().map(|shown| {
        let mut tx = shown.clone();
        let members = tx.as_object_mut().unwrap();
        members.remove("hash");
        members.remove("DeliverMax");
        let mut metadata = members.remove("metaData").unwrap();
        // What xrpld adds for readers.
        for added in
            ["delivered_amount", "nftoken_id", "nftoken_ids", "offer_id", "mpt_issuance_id"]
        {
            metadata.as_object_mut().unwrap().remove(added);
        }
        ReportedTx { blob: encoded(&tx), metadata: encoded(&metadata) }
    });
    let transactions = transactions.collect();
    Some(Reported::new(header, text("ledger_hash").parse().unwrap(), transactions).unwrap())
}

#[test]
fn recorded_histories_of_a_real_xrpld_come_out_equal() {
    let (mut ledgers, mut transactions, mut histories) = (0, 0, 0);
    for name in recordings::names() {
        let lines = recordings::lines(&name).unwrap();
        let second = recordings::second_ledger(&lines);
        let Some(start) = second.and_then(|ledger| ledger["close_time"].as_u64()) else { continue };
        let config = recordings::node(&lines, start);
        if !config.features.is_empty() {
            println!("{name}: skipped: its node went by rules that its ledgers do not list");
            continue;
        }
        let network_id = config.network_id;
        let mut shadow = begin(Node::new(config).closed(), network_id);
        histories += 1;
        for line in lines.iter().filter(|line| line["step"] == "accept") {
            let Some(told) = recorded(line) else { continue };
            let index = told.header().index;
            match shadow.follow(&told) {
                Ok(Verdict::Same) => {}
                // Ledgers that were closed by requests are not in the recording.
                Err(error @ ShadowError::Parent { .. }) => {
                    println!("{name}: {error}");
                    break;
                }
                other => panic!("{name}, ledger {index}: {other:?}"),
            }
            ledgers += 1;
            transactions += told.len();
        }
    }
    println!("{histories} histories, {ledgers} ledgers, {transactions} transactions");
    if histories == 0 {
        println!("skipped: no recordings (set XRPL_SHARED)");
    } else {
        assert!(ledgers > 100 && transactions > 1_000);
    }
}

/// Ledgers until one of this index is closed, ten seconds each.
fn close_until(bed: &mut Bed, index: u32) {
    while bed.node.closed().header.index < index {
        bed.clock += 10;
        bed.node.accept(bed.clock);
    }
}

fn types_of(ledger: &ClosedLedger) -> Vec<(u16, EngineResult)> {
    ledger.transactions.iter().map(|tx| (tx.read().tx.kind, tx.result)).collect()
}

#[test]
fn what_validators_vote_takes_effect_at_flag_ledgers_and_is_followed() {
    let without: Vec<_> =
        genesis_ledger::amendments().into_iter().filter(|id| *id != amendment::DID.id()).collect();
    let validator = key(5).public_key().0.to_vec();
    let votes = Votes {
        base: Some(25),
        reserve: Some(3_000_000),
        increment: Some(500_000),
        amendments: vec![amendment::DID.id()],
        disable: vec![validator.clone()],
        ..Votes::default()
    };
    let config = NodeConfig { amendments: without, votes, ..NodeConfig::default() };
    let mut bed = Bed::new(config.clone());
    let pay = bed.payment(&genesis(), key(1).account_id(), 1_000_000_000);
    assert_eq!(bed.submit(&pay), EngineResult::TES_SUCCESS);
    bed.close();
    let mut shadow = begin(bed.node.ledger(2).unwrap(), 0);
    let (ok, list) = (EngineResult::TES_SUCCESS, object_id::negative_unl());

    // The flag ledger itself has what is voted of the UNL, the next one fees and amendments.
    close_until(&mut bed, 256);
    assert_eq!(types_of(bed.node.closed()), [(102, ok)]);
    let entry = bed.node.closed().read(&list).unwrap();
    assert_eq!(entry.blob(fields::VALIDATOR_TO_DISABLE), Some(&*validator));
    close_until(&mut bed, 257);
    let mut all = types_of(bed.node.closed());
    all.sort_unstable_by_key(|(kind, _)| *kind);
    assert_eq!(all, [(100, ok), (101, ok)]);
    assert_eq!(bed.node.closed().fees, Fees { base: 25, reserve: 3_000_000, increment: 500_000 });
    let amendments = bed.node.closed().read(&object_id::amendments()).unwrap();
    assert_eq!(amendments.array(fields::MAJORITIES).map(<[_]>::len), Some(1));
    let mut did = bed.of(49, &key(1));
    did.set(fields::FEE, Amount::Xrp(25).into());
    did.set(fields::URI, vec![1_u8].into());
    assert_eq!(bed.sign_and_submit(did.clone(), &key(1)), EngineResult::TEM_DISABLED);

    // The validator is not counted any more, and the amendment has had its majority for long enough.
    close_until(&mut bed, 512);
    let entry = bed.node.closed().read(&list).unwrap();
    let disabled = entry.array(fields::DISABLED_VALIDATORS).unwrap();
    assert_eq!(disabled[0].1.blob(fields::PUBLIC_KEY), Some(&*validator));
    assert_eq!(disabled[0].1.u32(fields::FIRST_LEDGER_SEQUENCE), Some(512));
    assert!(!entry.contains(fields::VALIDATOR_TO_DISABLE));
    close_until(&mut bed, 513);
    assert_eq!(types_of(bed.node.closed()), [(100, ok)]);
    assert!(bed.node.closed().rules().enabled(amendment::DID));
    did.set(fields::URI, vec![2_u8].into());
    assert_eq!(bed.sign_and_submit(did, &key(1)), ok);
    close_until(&mut bed, 514);
    assert_eq!(types_of(bed.node.closed()), [(49, ok)]);
    follow_all(&mut shadow, &bed.node);

    // Counted again: the list is empty then, and gone.
    let votes = Votes { enable: vec![validator], ..Votes::default() };
    let ledgers = bed.node.ledgers().cloned().collect();
    bed.node = Node::resume(NodeConfig { votes, ..config }, ledgers).unwrap();
    close_until(&mut bed, 768);
    let entry = bed.node.closed().read(&list).unwrap();
    assert!(entry.contains(fields::VALIDATOR_TO_RE_ENABLE));
    close_until(&mut bed, 1024);
    assert!(bed.node.closed().read(&list).is_none());
    follow_all(&mut shadow, &bed.node);
}

#[test]
fn a_majority_that_is_lost_is_noted() {
    let without = genesis_ledger::amendments().into_iter().filter(|id| *id != amendment::DID.id());
    let votes = Votes { amendments: vec![amendment::DID.id()], ..Votes::default() };
    let config = NodeConfig { amendments: without.collect(), votes, ..NodeConfig::default() };
    let mut bed = Bed::new(config.clone());
    let mut shadow = begin(bed.node.ledger(2).unwrap(), 0);
    close_until(&mut bed, 258);
    let majorities = |bed: &Bed| {
        let entry = bed.node.closed().read(&object_id::amendments()).unwrap();
        entry.array(fields::MAJORITIES).map(<[_]>::len)
    };
    assert_eq!(majorities(&bed), Some(1));
    let votes = Votes { amendments: vec![amendment::AMM.id()], ..Votes::default() };
    let ledgers = bed.node.ledgers().cloned().collect();
    bed.node = Node::resume(NodeConfig { votes, ..config }, ledgers).unwrap();
    close_until(&mut bed, 514);
    assert_eq!(majorities(&bed), None);
    assert!(!bed.node.closed().rules().enabled(amendment::DID));
    follow_all(&mut shadow, &bed.node);
}

#[test]
fn nobody_submits_a_pseudo_transaction() {
    for kind in [100_u16, 101, 102] {
        let mut bed = Bed::funded(1);
        let mut tx = bed.of(kind, &key(1));
        tx.set(fields::AMENDMENT, Value::Hash256(amendment::DID.id()));
        tx.set(fields::ACCOUNT, AccountId::ZERO.into());
        tx.set(fields::FEE, Amount::Xrp(0).into());
        tx.set(fields::SEQUENCE, 0u32.into());
        tx.set(fields::SIGNING_PUB_KEY, Vec::<u8>::new().into());
        let refused = PreparedTx::parse_and_check(&tx.encode());
        assert!(refused.is_err(), "{kind}: {refused:?}");
        // Not even one that got past the local checks gets into an open ledger.
        let past = PreparedTx::parse(&tx.encode());
        if let Ok(past) = past {
            let outcome = bed.node.submit(std::sync::Arc::new(past), false);
            assert!(!outcome.applied, "{kind}: {outcome:?}");
        }
    }
}
