//! 10,000 generated transactions against xrpl.js's codec, byte for byte, both ways.

mod common;

use std::{io::Write, process::Command};

use rand::{RngExt as _, SeedableRng, seq::IndexedRandom as _};
use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{AccountId, Definitions, Field, Object, fields, object::FieldType};

const COUNT: usize = 10_000;

type Rng = rand_chacha::ChaCha8Rng;

fn hex(rng: &mut Rng, bytes: usize) -> String {
    let mut out = vec![0; bytes];
    rng.fill(&mut out[..]);
    const_hex::encode_upper(out)
}

fn account(rng: &mut Rng) -> String {
    AccountId(rng.random()).to_string()
}

fn currency(rng: &mut Rng) -> String {
    match rng.random_range(0..3) {
        0 => ["USD", "EUR", "a$1", "B?b"].choose(rng).unwrap().to_string(),
        _ => format!("01{}", hex(rng, 19)),
    }
}

fn decimal(rng: &mut Rng) -> String {
    let digits = rng.random_range(1..=16);
    let mantissa = rng.random_range(1..10u64.pow(digits));
    let sign = if rng.random_bool(0.2) { "-" } else { "" };
    match rng.random_range(0..3) {
        0 => format!("{sign}{mantissa}"),
        1 => format!("{sign}0.{mantissa}"),
        _ => format!("{sign}{mantissa}e{}", rng.random_range(-70..60)),
    }
}

fn issue(rng: &mut Rng) -> Json {
    match rng.random_range(0..3) {
        0 => json!({"currency": "XRP"}),
        1 => json!({"currency": currency(rng), "issuer": account(rng)}),
        _ => json!({"mpt_issuance_id": hex(rng, 24)}),
    }
}

fn value(rng: &mut Rng, field: Field, depth: usize) -> Option<Json> {
    Some(match field.field_type() {
        FieldType::UInt8 => json!(rng.random::<u8>()),
        FieldType::UInt16 => json!(rng.random::<u16>()),
        FieldType::UInt32 => json!(rng.random::<u32>()),
        FieldType::UInt64 => {
            // Decimal fields and hexadecimal ones both read these digits, each in its own way.
            json!(format!("{:016}", rng.random_range(0..9_999_999_999_999_999u64)))
        }
        FieldType::Int32 => json!(rng.random::<i32>()),
        FieldType::Hash128 => json!(hex(rng, 16)),
        FieldType::Hash160 => json!(hex(rng, 20)),
        FieldType::Hash192 => json!(hex(rng, 24)),
        FieldType::Hash256 => json!(hex(rng, 32)),
        FieldType::Amount => match rng.random_range(0..3) {
            0 => json!(rng.random_range(0..100_000_000_000_000_000u64).to_string()),
            1 => json!({"currency": currency(rng), "issuer": account(rng), "value": decimal(rng)}),
            _ => json!({
                "mpt_issuance_id": hex(rng, 24),
                "value": rng.random_range(0..i64::MAX).to_string(),
            }),
        },
        FieldType::Blob => {
            // Lengths on both sides of 192 and of 12,480, where the prefix grows.
            let longest = match rng.random_range(0..60) {
                0 => 12_500,
                n => [8, 40, 192, 193, 300][n % 5],
            };
            let length = rng.random_range(0..=longest);
            json!(hex(rng, length))
        }
        FieldType::AccountId => json!(account(rng)),
        FieldType::Vector256 => (0..rng.random_range(0..9)).map(|_| json!(hex(rng, 32))).collect(),
        FieldType::Currency => json!(currency(rng)),
        FieldType::Issue => issue(rng),
        FieldType::PathSet => {
            let step = |rng: &mut Rng| match rng.random_range(0..3) {
                0 => json!({"account": account(rng)}),
                1 => json!({"currency": currency(rng), "issuer": account(rng)}),
                _ => json!({"currency": "XRP"}),
            };
            let path =
                |rng: &mut Rng| (0..rng.random_range(1..5)).map(|_| step(rng)).collect::<Json>();
            (0..rng.random_range(1..4)).map(|_| path(rng)).collect()
        }
        FieldType::XChainBridge => json!({
            "LockingChainDoor": account(rng), "LockingChainIssue": {"currency": "XRP"},
            "IssuingChainDoor": account(rng),
            "IssuingChainIssue": {"currency": currency(rng), "issuer": account(rng)},
        }),
        FieldType::Object if depth < 3 => object(rng, depth + 1).into(),
        FieldType::Array if depth < 3 => {
            let inner: Vec<&str> = common_fields()
                .iter()
                .filter(|(n, f)| f.type_code() == 14 && *n != "ObjectEndMarker")
                .map(|(n, _)| *n)
                .collect();
            (0..rng.random_range(0..4))
                .map(|_| json!({*inner.choose(rng).unwrap(): object(rng, depth + 1)}))
                .collect()
        }
        // Decimals of this type are written by rules of their own, which the vectors cover.
        _ => return None,
    })
}

/// Fields whose numbers are names, or which stand for the end of something.
const SPECIAL: [&str; 6] = [
    "TransactionType",
    "LedgerEntryType",
    "TransactionResult",
    "PermissionValue",
    "ObjectEndMarker",
    "ArrayEndMarker",
];

/// Fields that both know: each may have some that the other does not.
static COMMON: std::sync::OnceLock<Vec<(&'static str, Field)>> = std::sync::OnceLock::new();

fn common_fields() -> &'static [(&'static str, Field)] {
    COMMON.get().map_or(&[], Vec::as_slice)
}

fn object(rng: &mut Rng, depth: usize) -> Map<String, Json> {
    let mut members = Map::new();
    for _ in 0..rng.random_range(1..if depth == 0 { 14 } else { 5 }) {
        let (name, field) = *common_fields().choose(rng).unwrap();
        if !SPECIAL.contains(&name)
            && let Some(value) = value(rng, field, depth)
        {
            members.insert(name.into(), value);
        }
    }
    members
}

#[test]
fn ten_thousand_transactions_agree() {
    let Some(modules) = common::library("node_modules/ripple-binary-codec") else { return };
    let table = Definitions::builtin();
    let theirs = std::fs::read_to_string(modules.join("dist/enums/definitions.json")).unwrap();
    let theirs = Definitions::from_json(&serde_json::from_str(&theirs).unwrap()).unwrap();
    COMMON.get_or_init(|| {
        fields::ALL.iter().filter(|(n, f)| theirs.field(n) == Some(*f)).copied().collect()
    });
    let mut rng = Rng::seed_from_u64(0x5eed);
    let types: Vec<String> = table
        .transaction_types()
        // UNLModify's account has a form of its own, which a vector covers.
        .filter(|(name, code)| {
            *code >= 0 && *name != "UNLModify" && theirs.transaction_type(name).is_some()
        })
        .map(|(name, _)| name.to_owned())
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut ours = Vec::new();
    for n in 0..COUNT {
        let mut members = object(&mut rng, 0);
        members.insert("TransactionType".into(), types[n % types.len()].clone().into());
        members.insert("Account".into(), account(&mut rng).into());
        let json = Json::Object(members);
        let bytes =
            Object::from_json(&json, table).unwrap_or_else(|e| panic!("{e}: {json}")).encode();
        writeln!(file.as_file(), "{json}").unwrap();
        ours.push((json, const_hex::encode_upper(bytes)));
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/xrpljs_agreement.js");
    let output = Command::new("node")
        .arg(script)
        .arg(file.path())
        .env("NODE_PATH", modules.parent().unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut compared = 0;
    for (line, (json, hex)) in text.lines().zip(&ours) {
        let theirs: Json = serde_json::from_str(line).unwrap();
        assert_eq!(theirs["hex"].as_str().unwrap(), hex, "{json}");
        let read = Object::from_json(&theirs["json"], table).unwrap();
        assert_eq!(&const_hex::encode_upper(read.encode()), hex, "{}", theirs["json"]);
        compared += 1;
    }
    assert_eq!(compared, COUNT);
}
