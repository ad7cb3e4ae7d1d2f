//! 256-bit hashes and how the ledger makes them.
//!
//! Everything on the XRP Ledger is identified by SHA-512Half: the first 32 bytes of SHA-512 over a
//! four-byte prefix and the data (<https://xrpl.org/docs/references/protocol/binary-format>).

use std::{fmt, str::FromStr};

use aws_lc_rs::digest;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The four-byte prefixes that keep the hashes of different things apart.
pub mod prefix {
    /// A signed transaction's id.
    pub const TRANSACTION_ID: [u8; 4] = *b"TXN\0";
    /// What a single signer signs.
    pub const TRANSACTION_SIGN: [u8; 4] = *b"STX\0";
    /// What each of several signers signs.
    pub const TRANSACTION_MULTISIGN: [u8; 4] = *b"SMT\0";
    /// What the signers of a Batch sign.
    pub const BATCH: [u8; 4] = *b"BCH\0";
    /// A payment channel claim.
    pub const CLAIM: [u8; 4] = *b"CLM\0";
    /// A leaf of the transaction tree: transaction and metadata.
    pub const TX_NODE: [u8; 4] = *b"SND\0";
    /// A leaf of the state tree.
    pub const LEAF_NODE: [u8; 4] = *b"MLN\0";
    /// An inner node of either tree.
    pub const INNER_NODE: [u8; 4] = *b"MIN\0";
    /// A ledger header.
    pub const LEDGER_HEADER: [u8; 4] = *b"LWR\0";
}

/// Why a text is no hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a 256-bit hash: expected 64 hexadecimal digits, got {0:?}")]
pub struct ParseHashError(String);

macro_rules! hash_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String, pattern = "^[0-9A-F]{64}$"))]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// All bytes zero.
            pub const ZERO: Self = Self([0; 32]);
            /// The bytes, most significant first.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
            /// Whether all bytes are zero.
            #[must_use]
            pub fn is_zero(&self) -> bool {
                *self == Self::ZERO
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = [0u8; 64];
                const_hex::encode_to_slice_upper(self.0, &mut text).map_err(|_| fmt::Error)?;
                f.pad(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseHashError;
            fn from_str(s: &str) -> Result<Self, ParseHashError> {
                let wrong = || ParseHashError(s.chars().take(80).collect());
                if s.len() != 64 {
                    return Err(wrong());
                }
                let mut bytes = [0; 32];
                const_hex::decode_to_slice(s, &mut bytes).map_err(|_| wrong())?;
                Ok(Self(bytes))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

hash_type! {
    /// Any 256-bit hash: a ledger's, a ledger entry's id, an amendment's.
    Hash256
}
hash_type! {
    /// A transaction's identifying hash.
    TxHash
}

impl From<TxHash> for Hash256 {
    fn from(h: TxHash) -> Self {
        Self(h.0)
    }
}

impl From<Hash256> for TxHash {
    fn from(h: Hash256) -> Self {
        Self(h.0)
    }
}

/// SHA-512Half over the parts in order.
#[must_use]
pub fn sha512_half(parts: &[&[u8]]) -> Hash256 {
    let mut context = digest::Context::new(&digest::SHA512);
    for part in parts {
        context.update(part);
    }
    let whole = context.finish();
    let mut half = [0; 32];
    half.copy_from_slice(&whole.as_ref()[..32]);
    Hash256(half)
}

/// SHA-256, which crypto-conditions use.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// The identifying hash of a signed transaction's blob.
#[must_use]
pub fn transaction_hash(blob: &[u8]) -> TxHash {
    sha512_half(&[&prefix::TRANSACTION_ID, blob]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trip_and_errors() {
        let hash = sha512_half(&[b"abc"]);
        assert_eq!(
            hash.to_string(),
            "DDAF35A193617ABACC417349AE20413112E6FA4E89A97EA20A9EEEE64B55D39A"
        );
        assert_eq!(hash.to_string().parse::<Hash256>(), Ok(hash));
        assert_eq!(hash.to_string().to_lowercase().parse::<Hash256>(), Ok(hash));
        for bad in ["", "DD", &"Z".repeat(64), &"é".repeat(32)] {
            assert!(bad.parse::<Hash256>().is_err(), "{bad}");
        }
    }
}
