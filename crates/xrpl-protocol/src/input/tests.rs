use serde_json::json;

use super::*;
use crate::Amount;

const ALICE: &str = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";
const BOB: &str = "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe";

fn read(json: Json) -> Result<Given> {
    Given::from_json(&json, Definitions::builtin())
}

fn refusal(json: Json) -> String {
    match read(json.clone()) {
        Err(error) => error.to_string(),
        Ok(given) => panic!("{json} was read as {:?}", given.tx),
    }
}

fn payment() -> Json {
    json!({"TransactionType": "Payment", "Account": ALICE, "Destination": BOB, "Amount": "5"})
}

fn payment_with(members: Json) -> Json {
    let mut tx = payment();
    for (name, value) in members.as_object().unwrap() {
        tx[name] = value.clone();
    }
    tx
}

fn x(tag: Option<u32>, test: bool) -> String {
    BOB.parse::<AccountId>().unwrap().to_x_address(tag, test)
}

#[test]
fn names_of_flags_in_every_form() {
    let flags = |flags: Json| {
        read(payment_with(json!({"Flags": flags})))
            .map(|given| given.tx.u32(fields::FLAGS).unwrap())
    };
    const PARTIAL: u32 = 0x0002_0000;
    const LIMIT: u32 = 0x0004_0000;
    for (given, bits) in [
        (json!(PARTIAL), PARTIAL),
        (json!("131072"), PARTIAL),
        (json!("tfPartialPayment"), PARTIAL),
        (json!("tfPartialPayment|tfLimitQuality"), PARTIAL | LIMIT),
        (json!("tfPartialPayment, tfLimitQuality"), PARTIAL | LIMIT),
        (json!(["tfPartialPayment", "tfLimitQuality"]), PARTIAL | LIMIT),
        (json!({"tfPartialPayment": true, "tfLimitQuality": false}), PARTIAL),
        (json!(["tfFullyCanonicalSig"]), 0x8000_0000),
        (json!([]), 0),
        (json!({}), 0),
    ] {
        assert_eq!(flags(given.clone()), Ok(bits), "{given}");
    }
    for (given, words) in [
        (json!("tfPartialPaiment"), "did you mean \"tfPartialPayment\""),
        (json!({"tfPartialpayment": false}), "did you mean \"tfPartialPayment\""),
        (json!(["tfSell"]), "tfSell is a flag of OfferCreate, not of Payment"),
        (json!("asfRequireDest"), "SetFlag"),
        (json!("lsfRequireDestTag"), "ledger entries (AccountRoot)"),
        (json!("somethingElse"), "tfLimitQuality"),
        (json!({"tfPartialPayment": 1}), "expected true or false"),
        (json!([131_072]), "names of flags"),
        (json!(true), "whole number"),
        (json!(""), "whole number"),
    ] {
        let error = flags(given.clone()).unwrap_err().to_string();
        assert!(error.contains("Flags") && error.contains(words), "{given}: {error}");
    }
}

#[test]
fn names_of_account_set_flags() {
    let set = |key: &str, value: Json| {
        let mut tx = json!({"TransactionType": "AccountSet", "Account": ALICE});
        tx[key] = value;
        read(tx)
    };
    let given = set("SetFlag", json!("asfRequireDest")).unwrap();
    assert_eq!(given.tx.u32(fields::SET_FLAG), Some(1));
    assert_eq!(
        set("ClearFlag", json!("asfGlobalFreeze")).unwrap().tx.u32(fields::CLEAR_FLAG),
        Some(7)
    );
    assert_eq!(set("SetFlag", json!("8")).unwrap().tx.u32(fields::SET_FLAG), Some(8));
    for (value, words) in
        [("asfRequireDst", "did you mean \"asfRequireDest\""), ("tfRequireDestTag", "bit of Flags")]
    {
        let error = set("SetFlag", json!(value)).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn flags_within_a_batch_are_those_of_the_inner_type() {
    let batch = |flags: Json| {
        let inner = payment_with(json!({"Flags": flags}));
        json!({
            "TransactionType": "Batch", "Account": ALICE, "Flags": "tfAllOrNothing",
            "RawTransactions": [{"RawTransaction": inner}],
        })
    };
    let given = read(batch(json!(["tfInnerBatchTxn", "tfPartialPayment"]))).unwrap();
    let inner = &given.tx.array(fields::RAW_TRANSACTIONS).unwrap()[0].1;
    assert_eq!(inner.u32(fields::FLAGS), Some(0x4002_0000));
    let error = refusal(batch(json!("tfAllOrNothing")));
    assert!(error.starts_with("RawTransactions.0.RawTransaction.Flags:"), "{error}");
}

#[test]
fn what_answers_add_is_passed_over_and_named() {
    let plain = read(payment()).unwrap();
    let beside = json!({
        "hash": "00".repeat(32), "date": 1, "ledger_index": 7, "ctid": "C000", "inLedger": 7,
        "meta": {"TransactionResult": "tesSUCCESS"}, "validated": true, "ledger_hash": "00",
        "close_time_iso": "2026-01-01T00:00:00Z", "warnings": [], "DeliverMax": "5",
    });
    let given = read(payment_with(beside.clone())).unwrap();
    assert_eq!(given.tx, plain.tx);
    assert!(
        given.ignored.contains(&"ctid".into()) && !given.ignored.contains(&"DeliverMax".into())
    );
    assert_eq!(given.ignored.len(), 10);
    // The same in the wrappers of `tx` (both versions), `account_tx` and streams.
    let mut version_2 = payment();
    version_2["DeliverMax"] = version_2["Amount"].take();
    version_2.as_object_mut().unwrap().remove("Amount");
    for whole in [
        json!({"result": payment_with(beside.clone()), "status": "success", "type": "response"}),
        json!({"result": {"tx_json": version_2.clone(), "meta": {}, "hash": "00"}, "id": 1}),
        json!({"tx": payment(), "meta": {}, "validated": true}),
        json!({"transaction": payment(), "engine_result": "tesSUCCESS", "type": "transaction"}),
        json!({"tx_json": version_2}),
    ] {
        assert_eq!(read(whole.clone()).unwrap().tx, plain.tx, "{whole}");
    }
    assert!(refusal(json!({"tx_json": payment(), "Fee": "10"})).starts_with("Fee:"));
    assert!(
        refusal(json!({"result": {"result": {"result": {"result": payment()}}}}))
            .contains("within")
    );
}

#[test]
fn misspelt_names_are_refused_at_every_depth() {
    for (members, words) in [
        (
            json!({"Destinaton": BOB}),
            "Destinaton: no field has this name; did you mean \"Destination\"?",
        ),
        (json!({"fee": "10"}), "did you mean \"Fee\"?"),
        (json!({"deliver_max": "10"}), "did you mean \"DeliverMax\"?"),
        (json!({"zzzzzzzz": 1}), "zzzzzzzz: no field has this name"),
        (json!({"Memos": [{"Memo": {"MemoDta": "00"}}]}), "Memos.0.Memo.MemoDta: no field"),
        (json!({"Memos": [{"Memo": {"hash": "00"}}]}), "Memos.0.Memo.hash: no field"),
        (json!({"Memos": [{"Meno": {"MemoData": "00"}}]}), "Meno"),
    ] {
        let error = refusal(payment_with(members.clone()));
        assert!(error.contains(words), "{members}: {error}");
    }
    let error = refusal(json!({"TransactionType": "Payement"}));
    assert_eq!(
        error,
        "TransactionType: unknown transaction type \"Payement\"; did you mean \"Payment\"?"
    );
    assert!(refusal(json!({"Account": ALICE})).contains("TransactionType: is missing"));
    assert!(refusal(json!(["Payment"])).contains("expected an object"));
}

#[test]
fn a_member_twice_is_refused() {
    let text = r#"{"TransactionType": "Payment", "Amount": "1", "Amount": "2"}"#;
    let error = Given::from_text(text, Definitions::builtin()).unwrap_err().to_string();
    assert!(error.contains("\"Amount\" appears twice"), "{error}");
    assert!(Given::from_text("{", Definitions::builtin()).is_err());
}

#[test]
fn deliver_max_is_amount() {
    let tx = json!({"TransactionType": "Payment", "Account": ALICE, "Destination": BOB, "DeliverMax": "7"});
    assert_eq!(read(tx).unwrap().tx.amount(fields::AMOUNT), Some(Amount::Xrp(7)));
    let error = refusal(payment_with(json!({"DeliverMax": "6"})));
    assert!(error.contains("DeliverMax") && error.contains("differ"), "{error}");
    // Of no other type.
    let error =
        refusal(json!({"TransactionType": "CheckCash", "Account": ALICE, "DeliverMax": "7"}));
    assert!(error.starts_with("DeliverMax: no field"), "{error}");
}

/// Members are read in the order of their names, in a map, but nothing may depend on that.
#[test]
fn a_tag_in_an_address_and_one_beside_it() {
    let tagged = |tag: Json| {
        let mut tx = payment_with(json!({"Destination": x(Some(1), false)}));
        if !tag.is_null() {
            tx["DestinationTag"] = tag;
        }
        read(tx)
    };
    assert_eq!(tagged(Json::Null).unwrap().tx.u32(fields::DESTINATION_TAG), Some(1));
    assert_eq!(tagged(json!(1)).unwrap().tx.u32(fields::DESTINATION_TAG), Some(1));
    for other in [json!(2), json!("2"), json!(0)] {
        let error = tagged(other).unwrap_err().to_string();
        assert!(error.contains("Destination") && error.contains("tag 1"), "{error}");
    }
    // And of the account that sends.
    let sender = |tag: Option<u32>| payment_with(json!({"Account": x(tag, false), "SourceTag": 9}));
    assert_eq!(read(sender(None)).unwrap().tx.u32(fields::SOURCE_TAG), Some(9));
    assert!(read(sender(Some(9))).is_ok());
    assert!(refusal(sender(Some(8))).contains("tag 8"));
}

#[test]
fn x_addresses_where_no_tag_fits() {
    let issued = |issuer: String| json!({"currency": "USD", "issuer": issuer, "value": "1"});
    let trust = |issuer: String| json!({"TransactionType": "TrustSet", "Account": ALICE, "LimitAmount": issued(issuer)});
    let with = |tag: Option<u32>| {
        let a = x(tag, false);
        vec![
            trust(a.clone()),
            payment_with(json!({"SendMax": issued(a.clone())})),
            payment_with(json!({"Paths": [[{"account": a.clone()}]]})),
            json!({"TransactionType": "SetRegularKey", "Account": ALICE, "RegularKey": a.clone()}),
            json!({
                "TransactionType": "SignerListSet", "Account": ALICE, "SignerQuorum": 1,
                "SignerEntries": [{"SignerEntry": {"Account": a.clone(), "SignerWeight": 1}}],
            }),
            json!({
                "TransactionType": "AMMVote", "Account": ALICE, "TradingFee": 1,
                "Asset": {"currency": "USD", "issuer": a}, "Asset2": {"currency": "XRP"},
            }),
        ]
    };
    // A Destination alone does not mean that there is a field for its tag.
    for (kind, has_tag) in [("NFTokenCreateOffer", false), ("AccountDelete", true)] {
        let tx =
            |tag| json!({"TransactionType": kind, "Account": ALICE, "Destination": x(tag, false)});
        assert_eq!(read(tx(Some(4))).is_ok(), has_tag, "{kind}");
        assert!(read(tx(None)).is_ok(), "{kind}");
    }
    for (tagged, plain) in with(Some(4)).into_iter().zip(with(None)) {
        let error = refusal(tagged);
        assert!(error.contains("tag 4"), "{error}");
        let classic = plain.to_string().replace(&x(None, false), BOB);
        let classic = serde_json::from_str(&classic).unwrap();
        assert_eq!(read(plain).unwrap().tx, read(classic).unwrap().tx);
    }
}

#[test]
fn x_addresses_of_another_network() {
    let to = |test: bool| read(payment_with(json!({"Destination": x(Some(1), test)}))).unwrap();
    for (test, network_id, is_right) in [
        (false, Some(0), true),
        (true, Some(0), false),
        (false, Some(1), false),
        (true, Some(1), true),
        (false, Some(2), false),
        (false, Some(21337), true),
        (true, Some(21337), true),
        (true, None, true),
    ] {
        let checked = to(test).check_network(network_id);
        assert_eq!(checked.is_ok(), is_right, "{test} {network_id:?}");
    }
    let error = to(true).check_network(Some(0)).unwrap_err().to_string();
    assert!(error.contains("test networks") && error.contains("main network"), "{error}");
    assert_eq!(read(payment()).unwrap().check_network(Some(0)), Ok(()));
}

#[test]
fn values_that_cannot_be_represented() {
    let issued = |value: &str| json!({"currency": "USD", "issuer": BOB, "value": value});
    let id = "00".repeat(24);
    let mpt = |value: &str| json!({"mpt_issuance_id": id, "value": value});
    for amount in [
        issued("1e-96"),
        issued("1e-82"),
        issued("1e-1000"),
        issued("1e96"),
        issued("1.0000000000000001"),
        mpt("1.5"),
        mpt("9223372036854775808"),
        mpt("-1"),
        json!("1.5"),
        json!("1e6"),
        json!("100000000000000001"),
        json!(1.5),
        json!(5),
    ] {
        let error = refusal(payment_with(json!({"Amount": amount})));
        assert!(error.contains("Amount"), "{error}");
    }
    let vault = |most: Json| {
        read(json!({
            "TransactionType": "VaultCreate", "Account": ALICE, "Asset": {"currency": "XRP"},
            "AssetsMaximum": most,
        }))
    };
    assert!(vault(json!("9999999999999999999")).is_err());
    assert!(vault(json!(0.1)).unwrap_err().to_string().contains("in quotes"));
    assert!(vault(json!(1000)).is_ok() && vault(json!("0.1")).is_ok());
}

#[test]
fn signed_or_not() {
    assert!(!read(payment()).unwrap().is_signed());
    assert!(
        !read(payment_with(json!({"TxnSignature": "", "SigningPubKey": ""}))).unwrap().is_signed()
    );
    assert!(read(payment_with(json!({"TxnSignature": "00"}))).unwrap().is_signed());
    assert!(read(payment_with(json!({"Signers": []}))).unwrap().is_signed());
}
