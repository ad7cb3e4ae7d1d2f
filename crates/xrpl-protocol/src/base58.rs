//! Base58Check with the ledger's alphabet
//! (<https://xrpl.org/docs/references/protocol/data-types/base58-encodings>).

use bs58::{Alphabet, decode::Error};

/// Why a text is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Base58Error {
    /// A character outside the alphabet, or a text far too long.
    #[error("a character that is not of the XRP Ledger's base58 alphabet")]
    Alphabet,
    /// The checksum does not match: a typing error, most likely.
    #[error("the checksum does not match (is a character missing or mistyped?)")]
    Checksum,
    /// Well-formed, but something else.
    #[error("this encodes something else: wrong prefix or length")]
    Kind,
}

/// Prefix of a classic address ("r...").
pub const ACCOUNT_ID: &[u8] = &[0x00];
/// Prefix of a family seed ("s...").
pub const FAMILY_SEED: &[u8] = &[0x21];
/// Prefix of an Ed25519 seed ("sEd...").
pub const ED25519_SEED: &[u8] = &[0x01, 0xe1, 0x4b];
/// Prefix of a node's public key ("n...").
pub const NODE_PUBLIC: &[u8] = &[0x1c];
/// Prefix of a node's private key ("p...").
pub const NODE_PRIVATE: &[u8] = &[0x20];
/// Prefix of an account's private key ("p...").
pub const ACCOUNT_SECRET: &[u8] = &[0x22];
/// Prefix of an account's public key ("a...").
pub const ACCOUNT_PUBLIC: &[u8] = &[0x23];
/// Prefix of an X-address of the main network.
pub const X_ADDRESS_MAIN: &[u8] = &[0x05, 0x44];
/// Prefix of an X-address of a test network.
pub const X_ADDRESS_TEST: &[u8] = &[0x04, 0x93];

/// Longest text worth decoding; nothing here is longer.
const MAX_TEXT: usize = 80;

/// Prefix and payload as text.
#[must_use]
pub fn encode(prefix: &[u8], payload: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(prefix.len() + payload.len());
    bytes.extend_from_slice(prefix);
    bytes.extend_from_slice(payload);
    bs58::encode(bytes).with_alphabet(Alphabet::RIPPLE).with_check().into_string()
}

/// The payload of a text that must have this prefix and a payload of `N` bytes.
///
/// # Errors
/// When the text is not base58, its checksum fails, or it encodes something else.
pub fn decode<const N: usize>(prefix: &[u8], text: &str) -> Result<[u8; N], Base58Error> {
    let bytes = decode_any(text)?;
    bytes.strip_prefix(prefix).and_then(|rest| rest.try_into().ok()).ok_or(Base58Error::Kind)
}

fn decode_any(text: &str) -> Result<Vec<u8>, Base58Error> {
    if text.len() > MAX_TEXT {
        return Err(Base58Error::Alphabet);
    }
    bs58::decode(text).with_alphabet(Alphabet::RIPPLE).with_check(None).into_vec().map_err(|e| {
        match e {
            Error::InvalidChecksum { .. } | Error::NoChecksum => Base58Error::Checksum,
            _ => Base58Error::Alphabet,
        }
    })
}
