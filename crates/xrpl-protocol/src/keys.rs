//! Seeds, key pairs and signatures
//! (<https://xrpl.org/docs/concepts/accounts/cryptographic-keys>).

use std::{fmt, str::FromStr, sync::Arc};

use aws_lc_rs::signature::{self as aws, Ed25519KeyPair, KeyPair as _};
use secp256k1::{Message, SECP256K1, Scalar, SecretKey, ecdsa};
use serde::{Deserialize, Serialize};

use crate::{
    account_id::AccountId,
    base58::{self, Base58Error},
    hash::sha512_half,
    rfc1751,
};

/// The two signature algorithms of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyType {
    /// Ed25519: public keys start with `ED`.
    Ed25519,
    /// ECDSA over secp256k1, xrpld's default.
    Secp256k1,
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ed25519 => "ed25519",
            Self::Secp256k1 => "secp256k1",
        })
    }
}

impl FromStr for KeyType {
    type Err = KeyError;
    fn from_str(s: &str) -> Result<Self, KeyError> {
        match s {
            "ed25519" => Ok(Self::Ed25519),
            "secp256k1" => Ok(Self::Secp256k1),
            _ => Err(KeyError::KeyType),
        }
    }
}

/// What can be wrong with a key. None of these repeats the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a seed.
    #[error("not a seed (\"s...\" or \"sEd...\"): {0}")]
    Seed(Base58Error),
    /// Not one of the two algorithms.
    #[error("unknown key type: use \"secp256k1\" or \"ed25519\"")]
    KeyType,
    /// Not 33 bytes of a public key.
    #[error("not a public key: expected 33 bytes that start with 02, 03 or ED")]
    PublicKey,
}

/// The 16 bytes a key pair is made from, and for which algorithm.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed {
    entropy: [u8; 16],
    key_type: KeyType,
}

impl Seed {
    /// A seed of these bytes.
    #[must_use]
    pub const fn from_entropy(entropy: [u8; 16], key_type: KeyType) -> Self {
        Self { entropy, key_type }
    }

    /// The seed of a passphrase, as xrpld's `wallet_propose` makes it: the first 16 bytes of the
    /// SHA-512 of the text.
    #[must_use]
    pub fn from_passphrase(passphrase: &str, key_type: KeyType) -> Self {
        let hash = sha512_half(&[passphrase.as_bytes()]);
        let mut entropy = [0; 16];
        entropy.copy_from_slice(&hash.0[..16]);
        Self { entropy, key_type }
    }

    /// The n-th seed of a series that follows from a text: accounts of a run and those of a ledger
    /// to develop on. The derivation is an interface: who knows the text has the keys, in every
    /// version of this program.
    #[must_use]
    pub fn derived(text: &str, series: [u8; 4], n: u32, key_type: KeyType) -> Self {
        let hash = sha512_half(&[b"xrpl-workload", &series, &n.to_be_bytes(), text.as_bytes()]);
        let mut entropy = [0; 16];
        entropy.copy_from_slice(&hash.0[..16]);
        Self { entropy, key_type }
    }

    /// For which algorithm.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The bytes. Secret.
    #[must_use]
    pub fn entropy(&self) -> &[u8; 16] {
        &self.entropy
    }

    /// The same bytes for the other algorithm (xrpld takes `key_type` beside a family seed).
    #[must_use]
    pub fn with_key_type(&self, key_type: KeyType) -> Self {
        Self { entropy: self.entropy, key_type }
    }

    /// The text form. Secret.
    #[must_use]
    pub fn to_base58(&self) -> String {
        let prefix = match self.key_type {
            KeyType::Ed25519 => base58::ED25519_SEED,
            KeyType::Secp256k1 => base58::FAMILY_SEED,
        };
        base58::encode(prefix, &self.entropy)
    }

    /// The seed of twelve English words, for secp256k1: see [`Self::to_words`]. `None` if these are
    /// no such words.
    #[must_use]
    pub fn from_words(words: &str) -> Option<Self> {
        let mut entropy = rfc1751::from_words(words)?;
        entropy.reverse();
        Some(Self { entropy, key_type: KeyType::Secp256k1 })
    }

    /// The form that xrpld calls `master_key`: the words of [`rfc1751`] for the bytes in reverse.
    /// Which algorithm it is for is no part of it. Secret.
    #[must_use]
    pub fn to_words(&self) -> String {
        let mut entropy = self.entropy;
        entropy.reverse();
        rfc1751::to_words(entropy)
    }
}

impl FromStr for Seed {
    type Err = KeyError;
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let secp = base58::decode(base58::FAMILY_SEED, text);
        let (entropy, key_type) = match secp {
            Ok(entropy) => (entropy, KeyType::Secp256k1),
            Err(error) => match base58::decode(base58::ED25519_SEED, text) {
                Ok(entropy) => (entropy, KeyType::Ed25519),
                Err(_) => return Err(KeyError::Seed(error)),
            },
        };
        Ok(Self { entropy, key_type })
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seed({}, redacted)", self.key_type)
    }
}

/// A public key: 33 bytes, with `ED` before an Ed25519 key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 33]);

impl PublicKey {
    /// Reads a key, checking its form.
    ///
    /// # Errors
    /// When these are not 33 bytes that start with 02, 03 or ED.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, KeyError> {
        match <[u8; 33]>::try_from(bytes) {
            Ok(key) if matches!(key[0], 0x02 | 0x03 | 0xed) => Ok(Self(key)),
            _ => Err(KeyError::PublicKey),
        }
    }

    /// The algorithm it belongs to.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        if self.0[0] == 0xed { KeyType::Ed25519 } else { KeyType::Secp256k1 }
    }

    /// The account whose master key it is.
    #[must_use]
    pub fn account_id(&self) -> AccountId {
        AccountId::of_public_key(&self.0)
    }

    /// Whether it is a point of the curve secp256k1, as keys for encryption must be; a key that
    /// signatures are checked with may be anything of the right form.
    #[must_use]
    pub fn is_secp256k1_point(&self) -> bool {
        self.key_type() == KeyType::Secp256k1
            && secp256k1::PublicKey::from_byte_array_compressed(self.0).is_ok()
    }

    /// Whether this is a signature of the message by this key. As xrpld, a secp256k1 signature
    /// must be fully canonical (strict DER, low S), an Ed25519 one must have S below the order.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self.key_type() {
            KeyType::Ed25519 => aws::UnparsedPublicKey::new(&aws::ED25519, &self.0[1..])
                .verify(message, signature)
                .is_ok(),
            KeyType::Secp256k1 => self.verify_digest(&sha512_half(&[message]).0, signature),
        }
    }

    fn verify_digest(&self, digest: &[u8; 32], signature: &[u8]) -> bool {
        let Ok(parsed) = ecdsa::Signature::from_der(signature) else { return false };
        let mut low = parsed;
        low.normalize_s();
        // `from_der` takes only strict DER; a changed S was a high one.
        if low != parsed {
            return false;
        }
        secp256k1::PublicKey::from_byte_array_compressed(self.0)
            .is_ok_and(|key| parsed.verify(Message::from_digest(*digest), &key).is_ok())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&const_hex::encode_upper(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A signature: at most 72 bytes, kept in place.
#[derive(Clone, Copy)]
pub struct Signature {
    bytes: [u8; 72],
    len: u8,
}

impl Signature {
    fn new(bytes: &[u8]) -> Self {
        let mut s = Self { bytes: [0; 72], len: bytes.len() as u8 };
        s.bytes[..bytes.len()].copy_from_slice(bytes);
        s
    }

    /// The bytes, as they stand in `TxnSignature`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&const_hex::encode_upper(self.as_bytes()))
    }
}

#[derive(Clone)]
enum Secret {
    Ed25519(Arc<Ed25519KeyPair>),
    Secp256k1(SecretKey),
}

/// A key pair that signs. Cheap to clone; its secret shows in no `Debug`.
#[derive(Clone)]
pub struct KeyPair {
    secret: Secret,
    public: PublicKey,
    account: AccountId,
}

impl KeyPair {
    /// The key pair of a seed, as xrpld derives it (for secp256k1: account family 0).
    #[must_use]
    pub fn from_seed(seed: &Seed) -> Self {
        match seed.key_type {
            KeyType::Ed25519 => Self::ed25519(&sha512_half(&[&seed.entropy]).0),
            KeyType::Secp256k1 => Self::secp256k1(derive_secp256k1(&seed.entropy)),
        }
    }

    fn ed25519(secret: &[u8; 32]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(secret)
            .expect("any 32 bytes are an Ed25519 secret");
        let mut public = [0xed; 33];
        public[1..].copy_from_slice(pair.public_key().as_ref());
        Self::new(Secret::Ed25519(Arc::new(pair)), PublicKey(public))
    }

    fn secp256k1(secret: SecretKey) -> Self {
        let public = PublicKey(secret.public_key(SECP256K1).serialize());
        Self::new(Secret::Secp256k1(secret), public)
    }

    fn new(secret: Secret, public: PublicKey) -> Self {
        Self { secret, public, account: public.account_id() }
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The account whose master key this is.
    #[must_use]
    pub fn account_id(&self) -> AccountId {
        self.account
    }

    /// The algorithm.
    #[must_use]
    pub fn key_type(&self) -> KeyType {
        self.public.key_type()
    }

    /// The secret key in hexadecimal as `wallet_propose` and xrpl.js show it. Secret.
    #[must_use]
    pub fn secret_hex_for_test_vectors(seed: &Seed) -> String {
        match seed.key_type {
            KeyType::Ed25519 => {
                format!("ED{}", const_hex::encode_upper(sha512_half(&[&seed.entropy]).0))
            }
            KeyType::Secp256k1 => format!(
                "00{}",
                const_hex::encode_upper(derive_secp256k1(&seed.entropy).secret_bytes())
            ),
        }
    }

    /// Signs a message: Ed25519 over the message itself, secp256k1 over its SHA-512Half, in
    /// canonical DER.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        match &self.secret {
            Secret::Ed25519(pair) => Signature::new(pair.sign(message).as_ref()),
            Secret::Secp256k1(secret) => {
                let digest = Message::from_digest(sha512_half(&[message]).0);
                Signature::new(&SECP256K1.sign_ecdsa(digest, secret).serialize_der())
            }
        }
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({}, secret redacted)", self.account)
    }
}

/// The family generator's key for account 0: root scalar plus intermediate scalar.
fn derive_secp256k1(entropy: &[u8; 16]) -> SecretKey {
    let root = first_valid_scalar(&[entropy]);
    let generator = root.public_key(SECP256K1).serialize();
    let intermediate = first_valid_scalar(&[&generator, &0u32.to_be_bytes()]);
    root.add_tweak(&Scalar::from(intermediate))
        .expect("the sum is zero with a chance of 1 in 2^256")
}

fn first_valid_scalar(parts: &[&[u8]]) -> SecretKey {
    (0u32..)
        .find_map(|n| {
            let count = n.to_be_bytes();
            let mut all: Vec<&[u8]> = parts.to_vec();
            all.push(&count);
            SecretKey::from_byte_array(sha512_half(&all).0).ok()
        })
        .expect("all but one in 2^127 hashes are valid scalars")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn genesis_account() {
        let seed: Seed = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb".parse().unwrap();
        assert_eq!(seed, Seed::from_passphrase("masterpassphrase", KeyType::Secp256k1));
        let pair = KeyPair::from_seed(&seed);
        assert_eq!(pair.account_id().to_string(), "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh");
        assert_eq!(seed.to_base58(), "snoPBrXtMeMyMHUVTgbuqAfg1SUTb");
    }

    /// What a real xrpld answered as `master_key`.
    #[test]
    fn words() {
        for (hex, words) in [
            (
                "5BC31B0567290CD4DBDB6C5C9C441480",
                "FILE JOCK MAN MAUL RECK TONY RULE BUSH BLUE CAL MINK LETS",
            ),
            (
                "DEDCE9CE67B451D852FD4E846FCDE31C",
                "I IRE BOND BOW TRIO LAID SEAT GOAL HEN IBIS IBIS DARE",
            ),
        ] {
            let entropy = const_hex::decode(hex).unwrap().try_into().unwrap();
            let seed = Seed::from_entropy(entropy, KeyType::Secp256k1);
            assert_eq!(seed.to_words(), words);
            assert_eq!(Seed::from_words(words), Some(seed));
        }
        assert_eq!(Seed::from_words("masterpassphrase"), None);
    }

    #[test]
    fn signatures_verify_and_tampering_shows() {
        for key_type in [KeyType::Ed25519, KeyType::Secp256k1] {
            for n in 0..40u8 {
                let pair = KeyPair::from_seed(&Seed::from_entropy([n; 16], key_type));
                let message = [n; 100];
                let signature = pair.sign(&message);
                assert!(pair.public_key().verify(&message, signature.as_bytes()));
                assert!(!pair.public_key().verify(&message[1..], signature.as_bytes()));
                let mut bent = signature.as_bytes().to_vec();
                bent[20] ^= 1;
                assert!(!pair.public_key().verify(&message, &bent));
                assert!(!pair.public_key().verify(&message, &[]));
            }
        }
    }

    #[test]
    fn high_s_is_refused() {
        let pair = KeyPair::from_seed(&Seed::from_entropy([7; 16], KeyType::Secp256k1));
        let signature = pair.sign(b"message");
        let mut compact =
            ecdsa::Signature::from_der(signature.as_bytes()).unwrap().serialize_compact();
        let s = SecretKey::from_byte_array(compact[32..].try_into().unwrap()).unwrap().negate();
        compact[32..].copy_from_slice(&s.secret_bytes());
        let high = ecdsa::Signature::from_compact(&compact).unwrap().serialize_der();
        assert!(!pair.public_key().verify(b"message", &high));
    }

    #[test]
    fn debug_shows_no_secret() {
        let seed = Seed::from_entropy([0xab; 16], KeyType::Ed25519);
        let shown = format!("{seed:?} {:?}", KeyPair::from_seed(&seed));
        assert!(!shown.contains("sEd") && !shown.to_lowercase().contains("abab"), "{shown}");
    }

    #[test]
    fn points_of_the_curve() {
        let key = |hex: &str| PublicKey::from_slice(&const_hex::decode(hex).unwrap()).unwrap();
        let good = "0330E7FC9D56BB25D6893BA3F317AE5BCF33B3291BD63DB32654A313222F7FD020";
        assert!(key(good).is_secp256k1_point());
        // No point has the x coordinate 0, and one beyond the field is none either.
        assert!(!key(&format!("02{}", "00".repeat(32))).is_secp256k1_point());
        assert!(!key(&format!("03{}", "FF".repeat(32))).is_secp256k1_point());
        assert!(!key(&good.replacen("03", "ED", 1)).is_secp256k1_point());
    }
}
