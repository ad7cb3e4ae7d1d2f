//! The ledger core on its own: no recordings needed.

mod bed;

use std::sync::Arc;

use bed::{Bed, all_xrp, genesis, key};
use proptest::prelude::*;
use xrpl_protocol::{
    Amount, Currency, Definitions, EngineResult, Field, IssuedValue, Object, Value, fields,
    keys::KeyPair,
    object_id,
    sign::{combine_multisigned, multisign_one, sign},
};
use xrpl_standalone::{
    ledger::{
        PreparedTx, ReadView,
        genesis::{GENESIS_ACCOUNT, TOTAL_COINS},
    },
    node::{Event, History, NodeConfig, TransactionStatus},
    txq::QueueSetup,
};

const PAYMENT: u16 = 0;
const ACCOUNT_SET: u16 = 3;
const SET_REGULAR_KEY: u16 = 5;
const TICKET_CREATE: u16 = 10;
const SIGNER_LIST_SET: u16 = 12;
const TRUST_SET: u16 = 20;
const ORACLE_SET: u16 = 51;
const ORACLE_DELETE: u16 = 52;

#[test]
fn a_payment_from_submission_to_validation() {
    let mut bed = Bed::funded(2);
    let (a, b) = (key(1), key(2));
    bed.node.drain_events();
    let blob = bed.payment(&a, b.account_id(), 25_000_000);
    let outcome = bed.node.submit(PreparedTx::parse_and_check(&blob).unwrap(), false);
    assert!(outcome.applied && outcome.accepted && !outcome.queued);
    let hash = outcome.tx.hash;
    assert!(matches!(bed.node.transaction(&hash), Some(TransactionStatus::Seen { .. })));
    // Once more the same: it is in the open ledger, its Sequence is used.
    assert_eq!(bed.submit(&blob), EngineResult::TEF_PAST_SEQ);
    assert_eq!(bed.close(), 1);
    let Some(TransactionStatus::Validated { ledger, transaction }) = bed.node.transaction(&hash)
    else {
        panic!("not validated");
    };
    assert_eq!((ledger.header.index, transaction.index), (4, 0));
    assert_eq!(ledger.header.compute_hash(), ledger.header.hash);
    assert_eq!(ledger.header.total_coins, TOTAL_COINS - 30);
    assert_eq!(bed.balance(b.account_id()), 1_025_000_000);
    let events = bed.node.drain_events();
    assert!(matches!(events.first(), Some(Event::Proposed { .. })));
    assert!(
        events.iter().any(|event| matches!(event, Event::LedgerClosed(l) if l.header.index == 4))
    );
    // Every closed ledger stays as it was.
    let before = bed.node.ledger(3).unwrap();
    assert_eq!(before.account(b.account_id()).unwrap().u32(fields::SEQUENCE), Some(3));
}

#[test]
fn what_is_held_follows_what_it_waited_for() {
    let mut bed = Bed::funded(2);
    let (a, b) = (key(1), key(2));
    let next = bed.sequence(a.account_id());
    let numbered = |bed: &Bed, sequence: u32| {
        let tx = bed
            .of(PAYMENT, &a)
            .with(fields::DESTINATION, b.account_id())
            .with(fields::AMOUNT, Amount::Xrp(1));
        sign(tx.with(fields::SEQUENCE, sequence), &a).blob
    };
    for ahead in [2, 1] {
        let blob = numbered(&bed, next + ahead);
        assert_eq!(bed.submit(&blob), EngineResult::TER_PRE_SEQ);
    }
    let blob = numbered(&bed, next);
    assert_eq!(bed.submit(&blob), EngineResult::TES_SUCCESS);
    assert_eq!(bed.sequence(a.account_id()), next + 3);
    assert_eq!(bed.close(), 3);
    // With fail_hard nothing is kept.
    let blob = numbered(&bed, next + 9);
    let outcome = bed.node.submit(PreparedTx::parse_and_check(&blob).unwrap(), true);
    assert!(!outcome.kept && !outcome.accepted);
}

#[test]
fn tickets_are_used_once_in_any_order() {
    let mut bed = Bed::funded(2);
    let (a, b) = (key(1), key(2));
    let create = bed.of(TICKET_CREATE, &a).with(fields::TICKET_COUNT, 40u32);
    let first = bed.sequence(a.account_id()) + 1;
    assert_eq!(bed.sign_and_submit(create, &a), EngineResult::TES_SUCCESS);
    bed.close();
    assert_eq!(bed.sequence(a.account_id()), first + 40);
    let on_ticket = |bed: &Bed, number: u32| {
        let tx = bed
            .of(PAYMENT, &a)
            .with(fields::SEQUENCE, 0u32)
            .with(fields::TICKET_SEQUENCE, number)
            .with(fields::DESTINATION, b.account_id())
            .with(fields::AMOUNT, Amount::Xrp(1));
        sign(tx, &a).blob
    };
    for number in (first..first + 40).rev() {
        let blob = on_ticket(&bed, number);
        assert_eq!(bed.submit(&blob), EngineResult::TES_SUCCESS);
    }
    assert_eq!(bed.close(), 40);
    let blob = on_ticket(&bed, first);
    assert_eq!(bed.submit(&blob), EngineResult::TEF_NO_TICKET);
    let blob = on_ticket(&bed, first + 1000);
    assert_eq!(bed.submit(&blob), EngineResult::TER_PRE_TICKET);
    let root = bed.node.closed().account(a.account_id()).unwrap();
    assert_eq!((root.u32(fields::TICKET_COUNT), root.u32(fields::OWNER_COUNT)), (None, Some(0)));
}

#[test]
fn keys_and_signer_lists() {
    let mut bed = Bed::funded(4);
    let (a, b) = (key(1), key(2));
    let regular = bed.of(SET_REGULAR_KEY, &a).with(fields::REGULAR_KEY, b.account_id());
    // Once it is free.
    assert_eq!(
        bed.sign_and_submit(regular.with(fields::FEE, Amount::Xrp(0)), &a),
        EngineResult::TES_SUCCESS
    );
    let disable = bed.of(ACCOUNT_SET, &a).with(fields::SET_FLAG, 4u32);
    assert_eq!(bed.sign_and_submit(disable, &a), EngineResult::TES_SUCCESS);
    let noop = bed.of(ACCOUNT_SET, &a);
    assert_eq!(bed.sign_and_submit(noop.clone(), &a), EngineResult::TEF_MASTER_DISABLED);
    assert_eq!(bed.sign_and_submit(noop.clone(), &key(3)), EngineResult::TEF_BAD_AUTH);
    assert_eq!(bed.sign_and_submit(noop, &b), EngineResult::TES_SUCCESS);

    let entry = |n: u8, weight: u16| {
        let entry = Object::new().with(fields::ACCOUNT, key(n).account_id());
        (fields::SIGNER_ENTRY, entry.with(fields::SIGNER_WEIGHT, weight))
    };
    let mut list = bed.of(SIGNER_LIST_SET, &b).with(fields::SIGNER_QUORUM, 2u32);
    list.set(fields::SIGNER_ENTRIES, Value::Array(vec![entry(3, 1), entry(4, 1)]));
    assert_eq!(bed.sign_and_submit(list, &b), EngineResult::TES_SUCCESS);
    let tx = bed.of(ACCOUNT_SET, &b).with(fields::FEE, Amount::Xrp(30));
    let part = |n| multisign_one(&tx, key(n).account_id(), &key(n));
    let one = combine_multisigned(tx.clone(), vec![part(3)]);
    assert_eq!(bed.submit(&one.blob), EngineResult::TEF_BAD_QUORUM);
    let both = combine_multisigned(tx.clone(), vec![part(3), part(4)]);
    assert_eq!(bed.submit(&both.blob), EngineResult::TES_SUCCESS);
    assert_eq!(bed.close(), 5);
}

#[test]
fn issued_currency_from_issuer_to_holder_and_on() {
    let mut bed = Bed::funded(3);
    let (issuer, a, b) = (key(1), key(2), key(3));
    let ripple = bed.of(ACCOUNT_SET, &issuer).with(fields::SET_FLAG, 8u32);
    assert_eq!(bed.sign_and_submit(ripple, &issuer), EngineResult::TES_SUCCESS);
    let usd = |n: i64| {
        let value = IssuedValue::new(n, 0).unwrap();
        Amount::issued(value, "USD".parse().unwrap(), issuer.account_id())
    };
    let pay = |bed: &Bed, from: &KeyPair, to: &KeyPair, n| {
        let tx = bed.of(PAYMENT, from).with(fields::DESTINATION, to.account_id());
        sign(tx.with(fields::AMOUNT, usd(n)), from).blob
    };
    for holder in [&a, &b] {
        let trust = bed.of(TRUST_SET, holder).with(fields::LIMIT_AMOUNT, usd(100));
        assert_eq!(bed.sign_and_submit(trust, holder), EngineResult::TES_SUCCESS);
    }
    let blob = pay(&bed, &issuer, &a, 90);
    assert_eq!(bed.submit(&blob), EngineResult::TES_SUCCESS);
    let blob = pay(&bed, &a, &b, 40);
    assert_eq!(bed.submit(&blob), EngineResult::TES_SUCCESS);
    let blob = pay(&bed, &a, &b, 60);
    assert_eq!(bed.submit(&blob), EngineResult::TEC_PATH_PARTIAL);
    let blob = pay(&bed, &b, &issuer, 40);
    assert_eq!(bed.submit(&blob), EngineResult::TES_SUCCESS);
    // Canonical order may try what depends on others first; retries bring all in.
    assert_eq!(bed.close(), 7);
}

#[test]
fn the_queue_orders_by_fee_and_takes_ten() {
    let queue = QueueSetup {
        minimum_txn_in_ledger: 2,
        target_txn_in_ledger: 2,
        maximum_txn_in_ledger: Some(2),
        ..QueueSetup::default()
    };
    let mut bed = Bed::new(NodeConfig { queue, ..NodeConfig::default() });
    let from = genesis();
    let pay = |bed: &Bed, sequence: u32, fee: i64| {
        let tx = bed
            .of(PAYMENT, &from)
            .with(fields::DESTINATION, key(1).account_id())
            .with(fields::AMOUNT, Amount::Xrp(20_000_000));
        let tx = tx.with(fields::SEQUENCE, sequence).with(fields::FEE, Amount::Xrp(fee));
        sign(tx, &from).blob
    };
    for sequence in 1..=3 {
        let blob = pay(&bed, sequence, 10);
        assert_eq!(bed.submit(&blob), EngineResult::TES_SUCCESS);
    }
    for sequence in 4..=13 {
        let blob = pay(&bed, sequence, 10);
        assert_eq!(bed.submit(&blob), EngineResult::TER_QUEUED);
    }
    let blob = pay(&bed, 14, 10);
    assert_eq!(bed.submit(&blob), EngineResult::TEL_CAN_NOT_QUEUE_FULL);
    let blob = pay(&bed, 5, 12);
    assert_eq!(bed.submit(&blob), EngineResult::TEL_CAN_NOT_QUEUE_FEE);
    let blob = pay(&bed, 5, 13);
    assert_eq!(bed.submit(&blob), EngineResult::TER_QUEUED);
    assert_eq!(bed.node.account_queue(&GENESIS_ACCOUNT).len(), 10);
    assert_eq!(bed.node.queue()[0].tx.fee, Some(13));
    let mut seen = bed.close();
    for _ in 0..10 {
        seen += bed.close();
    }
    assert_eq!((seen, bed.node.queue().len()), (14, 0));
}

#[test]
fn networks_types_and_expiry() {
    let mut bed = Bed::new(NodeConfig { network_id: 21_338, ..NodeConfig::default() });
    let from = genesis();
    let blob = bed.payment(&from, key(1).account_id(), 1_000_000_000);
    assert_eq!(bed.submit(&blob), EngineResult::TEL_REQUIRES_NETWORK_ID);
    let named = bed.of(ACCOUNT_SET, &from);
    let wrong = named.clone().with(fields::NETWORK_ID, 7u32);
    assert_eq!(bed.sign_and_submit(wrong, &from), EngineResult::TEL_WRONG_NETWORK);
    let expired = named.clone().with(fields::NETWORK_ID, 21_338u32);
    let expired = expired.with(fields::LAST_LEDGER_SEQUENCE, 2u32);
    assert_eq!(bed.sign_and_submit(expired, &from), EngineResult::TEF_MAX_LEDGER);
    let mut bed = Bed::funded(1);
    // ConfidentialMPTMergeInbox: its amendment is off.
    let disabled = bed.of(86, &key(1));
    let disabled = disabled.with(fields::MP_TOKEN_ISSUANCE_ID, Value::Hash192([1; 24]));
    let blob = sign(disabled, &key(1)).blob;
    assert_eq!(bed.submit(&blob), EngineResult::TEM_DISABLED);
    // A malformed one is remembered by its hash, as xrpld does.
    assert_eq!(bed.submit(&blob), EngineResult::TEM_BAD_SIGNATURE);
}

#[test]
fn refusals_have_xrplds_words() {
    let mut bed = Bed::funded(1);
    let mut blob = bed.payment(&key(1), GENESIS_ACCOUNT, 1);
    let last = blob.len() - 50;
    blob[last] ^= 1;
    for words in ["Invalid signature.", "Transaction has bad signature."] {
        let error = PreparedTx::parse_and_check(&blob).unwrap_err();
        assert_eq!(bed.node.refusal(&error), format!("fails local checks: {words}"));
    }
    assert!(PreparedTx::parse_and_check(&[]).is_err());
}

/// All XRP that accounts have.
fn any_value(field: Field, seed: u64) -> Value {
    use xrpl_protocol::object::FieldType;
    match field.field_type() {
        FieldType::UInt8 => Value::UInt8(seed as u8),
        FieldType::UInt16 => Value::UInt16(seed as u16),
        FieldType::UInt32 => Value::UInt32(seed as u32),
        FieldType::UInt64 => Value::UInt64(seed),
        FieldType::Amount => match seed % 3 {
            0 => Amount::Xrp((seed % 1_000_000_000_000) as i64).into(),
            _ => Amount::issued(
                IssuedValue::new((seed % 1000) as i64 - 100, (seed % 7) as i32 - 3).unwrap(),
                "USD".parse().unwrap(),
                key((seed % 5) as u8).account_id(),
            )
            .into(),
        },
        FieldType::AccountId => Value::Account(key((seed % 5) as u8).account_id()),
        FieldType::Blob => Value::Blob(vec![seed as u8; (seed % 40) as usize]),
        FieldType::Hash256 => Value::Hash256(xrpl_protocol::Hash256([seed as u8; 32])),
        FieldType::Vector256 => Value::Vector256(vec![xrpl_protocol::Hash256([seed as u8; 32])]),
        _ => Value::UInt32(seed as u32),
    }
}

fn is_plain(field: Field) -> bool {
    use xrpl_protocol::object::FieldType as T;
    matches!(
        field.field_type(),
        T::UInt8
            | T::UInt16
            | T::UInt32
            | T::UInt64
            | T::Amount
            | T::AccountId
            | T::Blob
            | T::Hash256
            | T::Vector256
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever accounts pay each other: XRP is only burnt as fees, and the header says how much.
    #[test]
    fn xrp_is_conserved(
        payments in prop::collection::vec((1u8..6, 1u8..8, 0i64..700_000_000, 10i64..2000), 1..40),
        closes in 1usize..5,
    ) {
        let mut bed = Bed::funded(5);
        for chunk in payments.chunks(payments.len().div_ceil(closes)) {
            for (from, to, drops, fee) in chunk {
                let tx = bed
                    .of(PAYMENT, &key(*from))
                    .with(fields::DESTINATION, key(*to).account_id())
                    .with(fields::AMOUNT, Amount::Xrp(*drops))
                    .with(fields::FEE, Amount::Xrp(*fee));
                bed.sign_and_submit(tx, &key(*from));
            }
            bed.close();
            let header = &bed.node.closed().header;
            prop_assert_eq!(all_xrp(&bed.node), i128::from(header.total_coins));
            let fees: i64 = (3..=header.index)
                .flat_map(|index| bed.node.ledger(index).unwrap().transactions.clone())
                .filter_map(|tx| tx.read().tx.fee)
                .sum();
            prop_assert_eq!(TOTAL_COINS - header.total_coins, fees as u64);
        }
    }

    /// Any fields on any type: an answer, never a panic, and never XRP from nowhere.
    #[test]
    fn arbitrary_transactions_do_no_harm(
        made in prop::collection::vec(
            (prop::sample::select(vec![0u16, 3, 5, 10, 12, 20, 30]),
             prop::collection::vec((any::<prop::sample::Index>(), any::<u64>()), 0..10),
             1u8..5, any::<bool>()),
            1..25,
        ),
    ) {
        let mut bed = Bed::funded(4);
        let all: Vec<Field> = Definitions::builtin()
            .fields()
            .map(|(_, field)| field)
            .filter(|field| is_plain(*field) && *field != fields::TRANSACTION_TYPE)
            .collect();
        let usual = [
            fields::AMOUNT, fields::DESTINATION, fields::LIMIT_AMOUNT, fields::TICKET_COUNT,
            fields::SET_FLAG, fields::CLEAR_FLAG, fields::SEND_MAX, fields::SIGNER_QUORUM,
            fields::FLAGS, fields::REGULAR_KEY, fields::TRANSFER_RATE, fields::QUALITY_IN,
        ];
        for (kind, changes, from, close) in made {
            let key = key(from);
            let mut tx = bed.of(kind, &key);
            for (index, seed) in changes {
                let field = if seed % 4 == 0 { *index.get(&all) } else { *index.get(&usual) };
                tx.set(field, any_value(field, seed >> 3));
            }
            if let Ok(prepared) = PreparedTx::parse(&sign(tx, &key).blob) {
                bed.node.submit(Arc::new(prepared), false);
            }
            if close {
                bed.close();
            }
        }
        bed.close();
        prop_assert_eq!(all_xrp(&bed.node), i128::from(bed.node.closed().header.total_coins));
    }

    /// Bytes from anywhere.
    #[test]
    fn arbitrary_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = PreparedTx::parse_and_check(&bytes);
    }
}

#[test]
fn the_past_is_bounded_by_ledgers_and_by_their_transactions() {
    let of = |ledgers, transactions| {
        let history = History { ledgers, transactions };
        let mut bed = Bed::new(NodeConfig { history, ..NodeConfig::default() });
        for n in 0..200 {
            // The first hundred ledgers have one each, the others three.
            for drops in 0..if n < 100 { 1 } else { 3 } {
                let pay = bed.payment(&genesis(), key(1).account_id(), 10_000_000 + drops);
                assert_eq!(bed.submit(&pay), EngineResult::TES_SUCCESS);
            }
            bed.close();
        }
        let newest = bed.node.validated().header.index;
        let oldest = (1..=newest).find(|index| bed.node.ledger(*index).is_some()).unwrap();
        (newest - oldest + 1) as usize
    };
    assert_eq!(of(None, None), 202);
    assert_eq!(of(Some(150), None), 150);
    assert_eq!(of(None, Some(303)), 103, "the last hundred with three each, and three with one");
    assert_eq!(of(Some(70), Some(303)), 70);
    assert_eq!(of(None, Some(10)), History::LEAST, "large ledgers stay all the same");
}

/// An OracleSet of prices in USD; a code without a price is to be taken away.
fn oracle_set(bed: &Bed, owner: &KeyPair, prices: &[(&str, Option<u64>)]) -> Object {
    let currency = |code: &str| Value::Currency(code.parse::<Currency>().unwrap());
    let series = prices.iter().map(|(code, price)| {
        let mut entry = Object::new()
            .with(fields::BASE_ASSET, currency(code))
            .with(fields::QUOTE_ASSET, currency("USD"));
        if let Some(price) = price {
            entry.set(fields::ASSET_PRICE, (*price).into());
        }
        (fields::PRICE_DATA, entry)
    });
    bed.of(ORACLE_SET, owner)
        .with(fields::ORACLE_DOCUMENT_ID, 1u32)
        .with(fields::PROVIDER, b"provider".to_vec())
        .with(fields::ASSET_CLASS, b"currency".to_vec())
        .with(fields::LAST_UPDATE_TIME, bed.clock + 946_684_800)
        .with(fields::PRICE_DATA_SERIES, Value::Array(series.collect()))
}

#[test]
fn an_oracle_of_more_than_five_pairs_counts_twice() {
    let mut bed = Bed::funded(1);
    let owner = key(1);
    let id = object_id::oracle(owner.account_id(), 1);
    let codes = ["EUR", "BTC", "CNY", "JPY", "GBP", "CHF"];
    let set = |bed: &mut Bed, prices: &[(&str, Option<u64>)]| {
        let result = bed.sign_and_submit(oracle_set(bed, &owner, prices), &owner);
        bed.close();
        let root = bed.node.current().account(owner.account_id()).unwrap();
        (result.name(), root.u32(fields::OWNER_COUNT).unwrap_or_default())
    };
    assert_eq!(set(&mut bed, &[("EUR", None)]), ("temMALFORMED", 0));
    let five: Vec<_> = codes[..5].iter().map(|code| (*code, Some(7))).collect();
    assert_eq!(set(&mut bed, &five), ("tesSUCCESS", 1));
    assert_eq!(set(&mut bed, &[("CHF", Some(9)), ("EUR", Some(8))]), ("tesSUCCESS", 2));
    let oracle = bed.node.current().read(&id).unwrap();
    let stored: Vec<_> = oracle
        .array(fields::PRICE_DATA_SERIES)
        .unwrap()
        .iter()
        .map(|(_, price)| {
            let base = price.currency(fields::BASE_ASSET).unwrap().to_string();
            (base, price.u64(fields::ASSET_PRICE))
        })
        .collect();
    // In order of currencies. What had no news has no price any more.
    let now = |code: &str| match code {
        "CHF" => Some(9),
        "EUR" => Some(8),
        _ => None,
    };
    let expected: Vec<_> =
        ["BTC", "CHF", "CNY", "EUR", "GBP", "JPY"].map(|code| (code.to_owned(), now(code))).into();
    assert_eq!(stored, expected);
    assert_eq!(set(&mut bed, &[("XAU", None)]), ("tecTOKEN_PAIR_NOT_FOUND", 2));
    assert_eq!(set(&mut bed, &[("CHF", None)]), ("tesSUCCESS", 1));
    let rest: Vec<_> =
        ["BTC", "CNY", "EUR", "GBP", "JPY"].iter().map(|code| (*code, None)).collect();
    assert_eq!(set(&mut bed, &rest), ("tecARRAY_EMPTY", 1));
    // Two updates at one time: the later is none.
    let twice = oracle_set(&bed, &owner, &[("EUR", Some(1))]);
    assert_eq!(bed.sign_and_submit(twice, &owner), EngineResult::TES_SUCCESS);
    let twice = oracle_set(&bed, &owner, &[("EUR", Some(1))]);
    assert_eq!(bed.sign_and_submit(twice, &owner), EngineResult::TEC_INVALID_UPDATE_TIME);
    let delete = bed.of(ORACLE_DELETE, &owner).with(fields::ORACLE_DOCUMENT_ID, 1u32);
    assert_eq!(bed.sign_and_submit(delete, &owner), EngineResult::TES_SUCCESS);
    bed.close();
    assert!(bed.node.current().read(&id).is_none());
    let root = bed.node.current().account(owner.account_id()).unwrap();
    assert_eq!(root.u32(fields::OWNER_COUNT), Some(0));
}
