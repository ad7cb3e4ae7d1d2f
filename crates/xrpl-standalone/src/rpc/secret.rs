//! Secrets that requests carry, for the methods that sign on the server.

use serde_json::Value as Json;
use xrpl_protocol::{
    AccountId, base58,
    keys::{KeyPair, KeyType, PublicKey, Seed},
};

use super::{ApiShape, Call, RpcError};

const SOURCES: [&str; 4] = ["passphrase", "secret", "seed", "seed_hex"];

fn bad_seed(message: impl Into<String>) -> RpcError {
    RpcError::new("badSeed", 44, message)
}

/// The key pair that `secret`, or `key_type` with `seed`, `seed_hex` or `passphrase`, name.
///
/// `shape` is the version whose error an unknown `key_type` is told by.
pub(super) fn key_pair(call: &Call<'_>, shape: ApiShape) -> Result<KeyPair, RpcError> {
    let given: Vec<&str> =
        SOURCES.into_iter().filter(|key| call.params.contains_key(*key)).collect();
    let [source] = given[..] else {
        return Err(match given.is_empty() {
            true => RpcError::missing("secret"),
            false => RpcError::invalid(
                "Exactly one of the following must be specified: passphrase, secret, seed or \
                 seed_hex",
            ),
        });
    };
    let key_type = match call.params.get("key_type") {
        None => None,
        Some(Json::String(name)) => {
            let parsed = name.parse::<KeyType>().map_err(|_| match shape {
                ApiShape::V1 => RpcError::invalid_field("key_type"),
                ApiShape::V2 => RpcError::new("badKeyType", 76, "Bad key type."),
            })?;
            if source == "secret" {
                return Err(RpcError::invalid(
                    "The secret field is not allowed if key_type is used.",
                ));
            }
            Some(parsed)
        }
        Some(_) => return Err(RpcError::not("key_type", "string")),
    };
    let text = call.params.get(source).and_then(Json::as_str);
    // Clients write seeds of Ed25519 wallets in a form of their own.
    if source != "seed_hex"
        && let Some(seed) = text.and_then(ed25519_seed)
    {
        return match key_type {
            Some(KeyType::Secp256k1) => Err(bad_seed("Specified seed is for an Ed25519 wallet.")),
            _ => Ok(KeyPair::from_seed(&seed)),
        };
    }
    let seed = match key_type {
        None => {
            // Nothing but a secret may stand without its key type.
            let secret = call.params.get("secret").and_then(Json::as_str);
            let secret = secret.ok_or_else(|| RpcError::not("secret", "string"))?;
            generic_seed(secret).ok_or_else(|| bad_seed("Invalid field 'secret'."))?
        }
        Some(_) => seed_given(call)?,
    };
    Ok(KeyPair::from_seed(&seed.with_key_type(key_type.unwrap_or(KeyType::Secp256k1))))
}

/// The seed that exactly one of `passphrase`, `seed` and `seed_hex` names.
pub(super) fn seed_given(call: &Call<'_>) -> Result<Seed, RpcError> {
    let given: Vec<&str> = ["passphrase", "seed", "seed_hex"]
        .into_iter()
        .filter(|key| call.params.contains_key(*key))
        .collect();
    let [source] = given[..] else {
        return Err(RpcError::invalid(
            "Exactly one of the following must be specified: passphrase, seed or seed_hex",
        ));
    };
    let text = call.params.get(source).and_then(Json::as_str);
    let text = text.ok_or_else(|| RpcError::not(source, "string"))?;
    let seed = match source {
        "seed_hex" => hex_seed(text),
        "seed" => text.parse::<Seed>().ok().filter(|seed| seed.key_type() == KeyType::Secp256k1),
        _ => generic_seed(text),
    };
    seed.ok_or_else(|| bad_seed("Disallowed seed."))
}

pub(super) fn ed25519_seed(text: &str) -> Option<Seed> {
    text.parse::<Seed>().ok().filter(|seed| seed.key_type() == KeyType::Ed25519)
}

fn hex_seed(text: &str) -> Option<Seed> {
    // As xrpld reads numbers of that size: `0` stands for all zeros, and no `0x` may stand before.
    let entropy: [u8; 16] = match text {
        "0" => [0; 16],
        text if text.len() == 32 => const_hex::decode(text).ok()?.try_into().ok()?,
        _ => return None,
    };
    Some(Seed::from_entropy(entropy, KeyType::Secp256k1))
}

/// A seed in any form; what is none is a passphrase, except where it is plainly something else.
fn generic_seed(text: &str) -> Option<Seed> {
    let is_other = text.parse::<AccountId>().is_ok()
        || [base58::NODE_PUBLIC, base58::ACCOUNT_PUBLIC].iter().any(|prefix| {
            base58::decode::<33>(prefix, text).is_ok_and(|key| PublicKey::from_slice(&key).is_ok())
        })
        || [base58::NODE_PRIVATE, base58::ACCOUNT_SECRET]
            .iter()
            .any(|prefix| base58::decode::<32>(prefix, text).is_ok());
    if text.is_empty() || is_other {
        return None;
    }
    let seed = hex_seed(text).or_else(|| text.parse().ok()).or_else(|| Seed::from_words(text));
    Some(seed.unwrap_or_else(|| Seed::from_passphrase(text, KeyType::Secp256k1)))
}
