use proptest::prelude::*;
use serde_json::json;

use super::*;

const HASH: &str = "1A958FED28B7576F94D0911CD890E6C5261E9AC2FA46F6D93386D04772F46E90";
const LEDGER: &str = "B81513B6628213ED53C4539EE8EAD5E2A856F99C44BFE31C9CB5E1E4F69E8145";

fn v1() -> Json {
    json!({
        "engine_result": "tesSUCCESS", "ledger_hash": LEDGER, "ledger_index": 3,
        "meta": {"AffectedNodes": [{"ModifiedNode": {"FinalFields": {"Account": "rOther",
            "Sequence": 9, "hash": "x", "Memo": "\\\"}]{["}}}],
            "TransactionIndex": 0, "TransactionResult": "tecPATH_DRY"},
        "transaction": {"Account": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "Sequence": 7,
            "Memos": [{"Memo": {"MemoData": "7B7D"}}], "hash": HASH},
        "type": "transaction", "validated": true
    })
}

#[test]
fn both_shapes() {
    let text = v1().to_string();
    let Message::Validated(one) = read(&text).unwrap() else { panic!() };
    assert_eq!(one.hash.to_string(), HASH);
    assert_eq!(one.ledger_index, LedgerIndex(3));
    assert_eq!(one.ledger_hash.unwrap().to_string(), LEDGER);
    assert_eq!(one.result, "tecPATH_DRY");
    assert_eq!(one.account.as_deref(), Some("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"));
    assert_eq!(one.slot, Some(Slot::Sequence(Sequence(7))));
    assert!(matches!(one.meta, Cow::Borrowed(_)), "nothing is allocated");
    assert_eq!(serde_json::from_str::<Json>(&one.meta).unwrap(), v1()["meta"]);

    let mut v2 = v1();
    let object = v2.as_object_mut().unwrap();
    let mut tx = object.remove("transaction").unwrap();
    tx.as_object_mut().unwrap().remove("hash");
    tx["TicketSequence"] = 12.into();
    tx["Sequence"] = 0.into();
    object.insert("tx_json".into(), tx);
    object.insert("hash".into(), HASH.into());
    let text = v2.to_string();
    let Message::Validated(two) = read(&text).unwrap() else { panic!() };
    assert_eq!(two.slot, Some(Slot::Ticket(Sequence(12))));
    assert_eq!((two.hash, two.result), (one.hash, one.result.clone()));
}

#[test]
fn not_validated_is_nothing() {
    for validated in [json!(false), json!(null), json!("true")] {
        let mut message = v1();
        message["validated"] = validated;
        assert_eq!(read(&message.to_string()), Ok(Message::Other("transaction".into())));
    }
    let mut message = v1();
    message.as_object_mut().unwrap().remove("validated");
    assert_eq!(read(&message.to_string()), Ok(Message::Other("transaction".into())));
}

#[test]
fn escapes_and_repetitions_are_read_all_the_same() {
    let text = v1().to_string();
    let plain = read_whole(&text).unwrap();
    let escaped = text.replacen("\"validated\"", "\"v\\u0061lidated\"", 1);
    assert_eq!(read(&escaped).unwrap(), plain);
    let escaped = text.replacen("tecPATH_DRY", "tecP\\u0041TH_DRY", 1);
    let (Message::Validated(a), Message::Validated(b)) = (read(&escaped).unwrap(), plain) else {
        panic!()
    };
    assert_eq!((a.result, a.hash), (b.result, b.hash));
    // The last of two counts, as with every common parser.
    let twice = text.replacen('{', "{\"ledger_index\":99,", 1);
    let Message::Validated(twice) = read(&twice).unwrap() else { panic!() };
    assert_eq!(twice.ledger_index, LedgerIndex(3));
}

#[test]
fn bad_messages_are_errors_and_name_the_hash() {
    for bad in ["", "{", "[]", "null", "{}", "\"x\"", "{\"type\":}", "{\"type\":\"ledgerClosed\"}"]
    {
        assert!(read(bad).is_err(), "{bad}");
    }
    let text = v1().to_string();
    for end in 0..text.len() {
        assert!(read(&text[..end]).is_err());
    }
    let mut message = v1();
    message["meta"].as_object_mut().unwrap().remove("TransactionResult");
    let error = read(&message.to_string()).unwrap_err();
    assert_eq!(error.hash.unwrap().to_string(), HASH);
    assert!(error.to_string().contains(HASH));
}

#[test]
fn ledger_closed() {
    let text = format!(
        r#"{{"fee_base":10,"ledger_hash":"{LEDGER}","ledger_index":3,"ledger_time":848737541,
        "network_id":0,"reserve_base":10000000,"reserve_inc":2000000,"txn_count":8,
        "type":"ledgerClosed","validated_ledgers":"2-3"}}"#
    );
    let expected = LedgerClosed {
        index: LedgerIndex(3),
        hash: LEDGER.parse().unwrap(),
        txn_count: Some(8),
        base_fee: Drops(10),
        reserve_base: Drops(10_000_000),
        reserve_inc: Drops(2_000_000),
        close_time: 848_737_541,
        network_id: Some(0),
    };
    assert_eq!(read(&text), Ok(Message::LedgerClosed(expected.clone())));
    assert_eq!(read_whole(&text), Ok(Message::LedgerClosed(expected)));
}

/// What a message says, whichever way it was read.
fn told(message: Result<Message<'_>, BadMessage>) -> Option<(String, Json)> {
    match message {
        Ok(Message::Validated(tx)) => {
            let meta = serde_json::from_str(&tx.meta).unwrap();
            Some((format!("{:?}", ValidatedTransaction { meta: "".into(), ..tx }), meta))
        }
        Ok(other) => Some((format!("{other:?}"), Json::Null)),
        Err(_) => None,
    }
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<u32>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "[ -~\n\t\"\\\\{}\\[\\]é✓]{0,12}".prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            prop::collection::hash_map("[a-zA-Z\"\\\\]{0,8}", inner, 0..5)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

/// A message with members in a random order, some of them missing or of a wrong type.
fn any_message() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("type"),
        Just("hash"),
        Just("ledger_hash"),
        Just("ledger_index"),
        Just("validated"),
        Just("meta"),
        Just("transaction"),
        Just("tx_json"),
        Just("txn_count"),
        Just("other"),
    ];
    let inner = prop_oneof![
        Just("Account"),
        Just("Sequence"),
        Just("TicketSequence"),
        Just("hash"),
        Just("TransactionResult"),
        Just("AffectedNodes"),
    ];
    let value = prop_oneof![
        any_json(),
        Just(Json::from(HASH)),
        Just(Json::from(LEDGER)),
        Just(Json::from("transaction")),
        Just(Json::from("ledgerClosed")),
        Just(Json::from("tesSUCCESS")),
        Just(Json::from(true)),
        any::<u32>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
    ];
    let object = prop::collection::vec((inner, value.clone()), 0..6);
    let member = (name, value, object, any::<bool>());
    (prop::collection::vec(member, 0..10), any::<bool>(), "[ \n\t]{0,2}").prop_map(
        |(extra, whole, blank)| {
            let mut members: Vec<(String, String)> = Vec::new();
            if whole {
                let full = v1();
                members.extend(
                    full.as_object().unwrap().iter().map(|(k, v)| (k.clone(), v.to_string())),
                );
            }
            for (i, (name, value, object, nest)) in extra.into_iter().enumerate() {
                let text = if nest {
                    let inner: Vec<_> = object
                        .iter()
                        .map(|(k, v)| format!("{}{blank}:{blank}{v}", Json::from(*k)))
                        .collect();
                    format!("{{{blank}{}{blank}}}", inner.join(&format!("{blank},")))
                } else {
                    value.to_string()
                };
                let at = i * 7 % (members.len() + 1);
                members.insert(at, (name.to_owned(), text));
            }
            let all: Vec<_> = members
                .iter()
                .map(|(k, v)| format!("{blank}{}{blank}:{blank}{v}{blank}", Json::from(k.as_str())))
                .collect();
            format!("{blank}{{{}}}{blank}", all.join(","))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn scan_agrees_with_the_whole_parser(text in any_message()) {
        prop_assert_eq!(told(read(&text)), told(read_whole(&text)), "{}", text);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,60}|[{}\\[\\]\":,a-z0-9\\\\ ]{0,60}") {
        let _ = read(&text);
    }
}
