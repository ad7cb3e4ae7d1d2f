//! Keys and what they sign beside transactions: `wallet_propose`, `channel_authorize`,
//! `channel_verify`.

use rand::RngExt as _;
use serde_json::{Value as Json, json};
use xrpl_protocol::{
    base58,
    keys::{KeyPair, KeyType, PublicKey, Seed},
    sign::claim_message,
};

use super::{
    Answer, Call, RpcError, bytes_of,
    convert::text_of,
    hash_of, object,
    secret::{ed25519_seed, key_pair, seed_given},
};

pub(super) fn wallet_propose(call: &Call<'_>) -> Answer {
    let mut key_type = match call.params.get("key_type") {
        None => None,
        Some(Json::String(name)) => {
            Some(name.parse::<KeyType>().map_err(|_| RpcError::invalid("Invalid parameters."))?)
        }
        Some(_) => return Err(RpcError::not("key_type", "string")),
    };
    let given = ["passphrase", "seed"].iter().find_map(|key| call.params.get(*key));
    let of_library = given.and_then(Json::as_str).and_then(ed25519_seed);
    let is_of_library = of_library.is_some();
    let seed = match of_library {
        Some(_) if key_type == Some(KeyType::Secp256k1) => {
            return Err(RpcError::new("badSeed", 44, "Disallowed seed."));
        }
        Some(seed) => {
            key_type = Some(KeyType::Ed25519);
            seed
        }
        None if ["passphrase", "seed", "seed_hex"].iter().any(|k| call.params.contains_key(*k)) => {
            seed_given(call)?
        }
        None => Seed::from_entropy(rand::rng().random(), KeyType::Secp256k1),
    };
    let key_type = key_type.unwrap_or(KeyType::Secp256k1);
    let pair = KeyPair::from_seed(&seed.clone().with_key_type(key_type));
    // xrpld shows the family form of the seed whatever the key type.
    let family = seed.with_key_type(KeyType::Secp256k1);
    let hex = const_hex::encode_upper(family.entropy());
    let (shown, words) = (family.to_base58(), family.to_words());
    let mut answer = object(json!({
        "account_id": pair.account_id().to_string(),
        "key_type": key_type.to_string(),
        "master_key": words,
        "master_seed": shown,
        "master_seed_hex": hex,
        "public_key": base58::encode(base58::ACCOUNT_PUBLIC, &pair.public_key().0),
        "public_key_hex": pair.public_key().to_string(),
    }));
    let passphrase = call.params.get("passphrase").and_then(Json::as_str);
    let is_seed = |text: &str| [&shown, &hex, &words].iter().any(|form| *form == text);
    if let Some(text) = passphrase.filter(|text| !is_of_library && !is_seed(text)) {
        let warning = match entropy(text).floor() < 80.0 {
            true => {
                "This wallet was generated using a user-supplied passphrase that has low entropy \
                 and is vulnerable to brute-force attacks."
            }
            false => {
                "This wallet was generated using a user-supplied passphrase. It may be vulnerable \
                 to brute-force attacks."
            }
        };
        answer.insert("warning".into(), warning.into());
    }
    Ok(answer)
}

/// What a claim on a payment channel signs.
fn claim(call: &Call<'_>) -> Result<Vec<u8>, RpcError> {
    let id = hash_of(&text_of(&call.params["channel_id"])?)
        .ok_or_else(|| RpcError::new("channelMalformed", 45, "Payment channel is malformed."))?;
    let drops = call.params["amount"].as_str().and_then(|text| text.parse().ok());
    let drops = drops.ok_or_else(|| {
        RpcError::new("channelAmtMalformed", 46, "Payment channel amount is malformed.")
    })?;
    Ok(claim_message(&id, drops))
}

fn required(call: &Call<'_>, names: &[&str]) -> Result<(), RpcError> {
    match names.iter().find(|name| !call.params.contains_key(**name)) {
        Some(missing) => Err(RpcError::missing(missing)),
        None => Ok(()),
    }
}

pub(super) fn channel_authorize(call: &Call<'_>) -> Answer {
    required(call, &["channel_id", "amount"])?;
    if !call.params.contains_key("key_type") {
        required(call, &["secret"])?;
    }
    let pair = key_pair(call, call.shape)?;
    let signature = pair.sign(&claim(call)?);
    Ok(object(json!({"signature": const_hex::encode_upper(signature.as_bytes())})))
}

pub(super) fn channel_verify(call: &Call<'_>) -> Answer {
    required(call, &["public_key", "channel_id", "amount", "signature"])?;
    let malformed = || RpcError::new("publicMalformed", 62, "Public key is malformed.");
    let text = text_of(&call.params["public_key"])?;
    let bytes = match base58::decode::<33>(base58::ACCOUNT_PUBLIC, &text) {
        Ok(bytes) => bytes.to_vec(),
        Err(_) => bytes_of(&text).ok_or_else(malformed)?,
    };
    let key = PublicKey::from_slice(&bytes).map_err(|_| malformed())?;
    let message = claim(call)?;
    let signature = bytes_of(&text_of(&call.params["signature"])?);
    let signature = signature
        .filter(|bytes| !bytes.is_empty())
        .ok_or_else(|| RpcError::invalid("Invalid parameters."))?;
    Ok(object(json!({"signature_verified": key.verify(&message, &signature)})))
}

/// Bits of entropy that the letters of a text have at most.
fn entropy(text: &str) -> f64 {
    let mut counts = [0u32; 256];
    text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let length = text.len() as f64;
    let of = |n: &u32| {
        let share = f64::from(*n) / length;
        -share * share.log2()
    };
    counts.iter().filter(|n| **n > 0).map(of).sum::<f64>() * length
}
