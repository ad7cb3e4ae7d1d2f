//! No input makes the codec panic, and what it reads it writes again.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use xrpl_protocol::{Definitions, Object};

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        "[0-9A-Fa-f]{0,64}".prop_map(Json::from),
        ".{0,12}".prop_map(Json::from),
        Just(
            json!({"currency": "USD", "issuer": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "value": "1.5"})
        ),
        Just(json!("rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh")),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let names: Vec<String> =
            Definitions::builtin().fields().map(|(n, _)| n.to_owned()).collect();
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map(prop::sample::select(names), inner, 0..6)
                .prop_map(|m| Json::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(object) = Object::decode(&bytes, Definitions::builtin()) {
            let _ = object.to_json(Definitions::builtin());
            prop_assert_eq!(Object::decode(&object.encode(), Definitions::builtin()).unwrap(), object);
        }
    }

    #[test]
    fn any_json_value(json in any_json()) {
        if let Ok(object) = Object::from_json(&json, Definitions::builtin()) {
            let bytes = object.encode();
            prop_assert_eq!(Object::decode(&bytes, Definitions::builtin()).unwrap(), object);
        }
    }

    #[test]
    fn truncated_and_bent_transactions(cut in 0usize..200, at in 0usize..200, bit in 0u8..8) {
        let json = json!({"TransactionType": "Payment", "Account": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
            "Destination": "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe", "Fee": "10", "Sequence": 1,
            "Amount": {"currency": "USD", "issuer": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "value": "1.5"},
            "Paths": [[{"currency": "XRP"}, {"account": "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe"}]],
            "Memos": [{"Memo": {"MemoData": "AA"}}]});
        let mut bytes = Object::from_json(&json, Definitions::builtin()).unwrap().encode();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        bytes.truncate(cut.max(1).min(bytes.len()));
        let _ = Object::decode(&bytes, Definitions::builtin());
    }
}
