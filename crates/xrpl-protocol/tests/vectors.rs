//! The codec and signatures against vectors of ripple-binary-codec, xrpl-py and xrpl.js.

mod common;

use serde_json::Value as Json;
use xrpl_protocol::{
    AccountId, Definitions, IssuedValue, Object, Sequence, encode::EncodeError, fields,
    hash::transaction_hash, keys::*, sign, transaction::Slot,
};

/// Writes numbers in one form, where libraries differ in how they show the same: 64-bit
/// hexadecimal with or without leading zeros, decimals, letter case.
fn normal(json: &Json, key: &str) -> Json {
    match json {
        Json::Object(members) => members
            .iter()
            // xrpld shows a path step's kind, the libraries do not.
            .filter(|(k, _)| *k != "type")
            .map(|(k, v)| (k.clone(), normal(v, k)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Json::Array(list) => list.iter().map(|v| normal(v, key)).collect(),
        Json::String(text) => {
            let u64_field = Definitions::builtin().field(key).is_some_and(|f| f.type_code() == 3);
            if u64_field {
                return Json::String(text.trim_start_matches('0').to_lowercase());
            }
            if key == "value"
                && let Ok(value) = text.parse::<IssuedValue>()
            {
                return Json::String(value.to_string());
            }
            Json::String(text.clone())
        }
        other => other.clone(),
    }
}

#[test]
fn codec_vectors() {
    let (passed, newer) = check_vectors(Definitions::builtin());
    assert!(passed == 0 || newer == 40, "{newer} vectors need newer definitions");
}

#[test]
fn codec_vectors_with_newer_definitions() {
    let Some(path) =
        common::library("node_modules/ripple-binary-codec/dist/enums/definitions.json")
    else {
        return;
    };
    let json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (passed, newer) = check_vectors(&Definitions::from_json(&json).unwrap());
    assert!(passed == 0 || newer == 0, "{newer} vectors still need newer definitions");
}

/// How many vectors pass, and how many have fields or types that the definitions do not know.
fn check_vectors(table: &Definitions) -> (u32, u32) {
    let (mut passed, mut newer) = (0, 0);
    let mut wrong = Vec::new();
    for vector in common::lines("codec/codec_vectors.jsonl") {
        let (json, kind) = (&vector["json"], vector["kind"].as_str().unwrap());
        let name = format!("{} {} {kind}", vector["suite"], vector["name"]);
        let hex = vector["hex"].as_str().unwrap();
        let object = match Object::from_json(json, table) {
            Ok(_) if kind == "err" => {
                wrong.push(format!("{name}: must be refused"));
                continue;
            }
            Ok(object) => object,
            Err(_) if kind == "err" => {
                passed += 1;
                continue;
            }
            Err(EncodeError::UnknownField(field)) => {
                println!("needs newer definitions: {name}: {field}");
                newer += 1;
                continue;
            }
            Err(e)
                if e.to_string().contains("unknown transaction type")
                    || e.to_string().contains("unknown ledger entry type") =>
            {
                newer += 1;
                continue;
            }
            Err(e) => {
                wrong.push(format!("{name}: {e}"));
                continue;
            }
        };
        let bytes = match kind {
            "signing" => object.encode_for_signing(table),
            "multisigning" => {
                let account: AccountId = vector["account"].as_str().unwrap().parse().unwrap();
                object.encode_for_multisigning(account, table)
            }
            _ => object.encode(),
        };
        if const_hex::encode_upper(&bytes) != hex {
            wrong.push(format!(
                "{name}:\n  is    {}\n  wants {hex}",
                const_hex::encode_upper(&bytes)
            ));
            continue;
        }
        if !matches!(kind, "signing" | "multisigning") {
            let read = match Object::decode(&bytes, table) {
                Ok(read) => read,
                Err(e) => {
                    wrong.push(format!("{name}: decode: {e}"));
                    continue;
                }
            };
            let again = read.to_json(table);
            if matches!(kind, "both" | "roundtripref") && normal(&again, "") != normal(json, "") {
                wrong.push(format!("{name}:\n  is    {again}\n  wants {json}"));
                continue;
            }
            if let Some(hash) = vector.get("hash").and_then(Json::as_str)
                && xrpl_protocol::hash::transaction_hash(&bytes).to_string() != hash
            {
                wrong.push(format!("{name}: hash"));
                continue;
            }
        }
        passed += 1;
    }
    println!("{passed} passed, {newer} need newer definitions, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    (passed, newer)
}

#[test]
fn signed_payments_of_xrpl_js() {
    for vector in common::lines("codec/signed_payments.jsonl") {
        let text = |key: &str| vector[key].as_str().unwrap();
        let seed: Seed = text("seed").parse().unwrap();
        let key = KeyPair::from_seed(&seed);
        assert_eq!(key.account_id().to_string(), text("address"));
        assert_eq!(key.public_key().to_string(), text("publicKey"));
        assert_eq!(KeyPair::secret_hex_for_test_vectors(&seed), text("privateKey"));
        let tx = Object::from_json(&vector["tx"], Definitions::builtin()).unwrap();
        let signed = sign::sign(tx, &key);
        assert_eq!(const_hex::encode_upper(&signed.blob), text("blob"));
        assert_eq!(signed.hash.to_string(), text("hash"));
    }
}

#[test]
fn multi_signed_by_xrpl_js() {
    for file in ["codec/multisigned.jsonl", "codec/multisigned_secp.jsonl"] {
        for vector in common::lines(file) {
            let tx = Object::from_json(&vector["tx"], Definitions::builtin()).unwrap();
            let signers = vector["seeds"].as_array().unwrap().iter().map(|pair| {
                let seed = pair.as_str().or(pair[0].as_str()).unwrap();
                let key = KeyPair::from_seed(&seed.parse().unwrap());
                sign::multisign_one(&tx, key.account_id(), &key)
            });
            let signed = sign::combine_multisigned(tx.clone(), signers.collect());
            assert_eq!(const_hex::encode_upper(&signed.blob), vector["blob"].as_str().unwrap());
            if let Some(hash) = vector["hash"].as_str() {
                assert_eq!(signed.hash.to_string(), hash);
            }
            let read = Object::decode(&signed.blob, Definitions::builtin()).unwrap();
            assert_eq!(sign::verify_transaction(&read), Ok(()));
        }
    }
}

/// Every transaction that was sent to a real xrpld: bytes to fields and back, and its hash.
#[test]
fn recorded_transactions() {
    let table = Definitions::builtin();
    let Some(dir) = common::fixture("xrpld-3.3.0-b0") else { return };
    let (mut seen, mut valid) = (0, 0);
    for entry in std::fs::read_dir(dir).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.ends_with(".jsonl") {
            continue;
        }
        for line in common::lines(&format!("xrpld-3.3.0-b0/{name}")) {
            if line["step"] != "submit" {
                continue;
            }
            let Some(blob) = line["tx_blob"].as_str() else { continue };
            let bytes = const_hex::decode(blob).unwrap();
            let Ok(object) = Object::decode(&bytes, table) else {
                // xrpld could not read it either.
                if line["response"]["engine_result"].is_null() {
                    continue;
                }
                panic!("{name} {}: {:?}", line["label"], Object::decode(&bytes, table));
            };
            assert_eq!(object.encode(), bytes);
            let json = object.to_json(table);
            match Object::from_json(&json, table) {
                Ok(again) => assert_eq!(again, object, "{json}"),
                // Written in JSON a negative or too large amount is refused; on the wire the node must judge it.
                Err(e) => assert!(e.to_string().contains("is not a"), "{json}: {e}"),
            }
            let hash = xrpl_protocol::hash::transaction_hash(&bytes).to_string();
            if let Some(recorded) = line["hash"].as_str() {
                assert_eq!(hash, recorded);
            }
            if let Some(shown) = line["response"]["tx_json"].as_object() {
                for (key, value) in shown {
                    if key != "DeliverMax" && key.starts_with(|c: char| c.is_ascii_uppercase()) {
                        assert_eq!(&json[key], value, "{name} {} {key}", line["label"]);
                    }
                }
            }
            seen += 1;
            valid += usize::from(sign::verify_transaction(&object).is_ok());
            assert!(object.contains(fields::TRANSACTION_TYPE));
        }
    }
    println!("{seen} transactions, {valid} with a valid signature");
    assert!(seen == 0 || valid * 10 > seen * 9);
}

/// A Batch that a real xrpld applied proves what its signers sign.
#[test]
fn recorded_batch_signers() {
    let mut proven = [0, 0];
    for line in common::lines("xrpld-3.3.0-b0/batch.jsonl") {
        if line["step"] != "submit" || line["response"]["engine_result"] != "tesSUCCESS" {
            continue;
        }
        let Some(blob) = line["tx_blob"].as_str() else { continue };
        let bytes = const_hex::decode(blob).unwrap();
        let batch = Object::decode(&bytes, Definitions::builtin()).unwrap();
        let Some(signers) = batch.array(fields::BATCH_SIGNERS) else { continue };
        let raw = batch.array(fields::RAW_TRANSACTIONS).unwrap();
        let inner: Vec<_> = raw.iter().map(|(_, tx)| transaction_hash(&tx.encode())).collect();
        let slot = match batch.u32(fields::TICKET_SEQUENCE) {
            Some(ticket) => Slot::Ticket(Sequence(ticket)),
            None => Slot::Sequence(Sequence(batch.u32(fields::SEQUENCE).unwrap())),
        };
        let outer = batch.account(fields::ACCOUNT).unwrap();
        let flags = batch.u32(fields::FLAGS).unwrap();
        let message = sign::batch_message(outer, slot, flags, &inner);
        let holds = |part: &Object, message: &[u8]| {
            let key = PublicKey::from_slice(part.blob(fields::SIGNING_PUB_KEY).unwrap()).unwrap();
            key.verify(message, part.blob(fields::TXN_SIGNATURE).unwrap())
        };
        for (_, signer) in signers {
            let account = signer.account(fields::ACCOUNT).unwrap();
            let message = [&message[..], &account.0].concat();
            let Some(parts) = signer.array(fields::SIGNERS) else {
                assert!(holds(signer, &message), "{}", line["label"]);
                proven[0] += 1;
                continue;
            };
            for (_, part) in parts {
                let own = part.account(fields::ACCOUNT).unwrap();
                assert!(holds(part, &[&message[..], &own.0].concat()), "{}", line["label"]);
                proven[1] += 1;
            }
        }
    }
    println!(
        "{} signatures of Batches, {} of them by signer lists",
        proven[0] + proven[1],
        proven[1]
    );
    assert!(proven == [0, 0] || (proven[0] > 0 && proven[1] > 0));
}
