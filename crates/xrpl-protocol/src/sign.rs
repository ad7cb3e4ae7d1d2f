//! Signing transactions from their fields, and checking signatures
//! (<https://xrpl.org/docs/concepts/transactions/multi-signing>).

use crate::{
    AccountId, Definitions, Object, TxHash, Value, fields,
    hash::{prefix, transaction_hash},
    keys::{KeyPair, PublicKey},
    units::Slot,
};

/// A signed transaction: what is sent, and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTransaction {
    /// The binary form with its signature.
    pub blob: Vec<u8>,
    /// Its identifying hash.
    pub hash: TxHash,
}

impl SignedTransaction {
    fn new(blob: Vec<u8>) -> Self {
        let hash = transaction_hash(&blob);
        Self { blob, hash }
    }
}

/// Why a signature does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// SigningPubKey is neither empty nor a key.
    #[error("SigningPubKey is missing or no public key")]
    PublicKey,
    /// TxnSignature does not match.
    #[error("the signature of {0} does not match")]
    Mismatch(AccountId),
    /// Single and multiple signatures at once, or none.
    #[error("a transaction has either TxnSignature or Signers")]
    Form,
    /// Signers out of order, repeated, or the account itself.
    #[error("Signers must be sorted by account, without repetition and without the account itself")]
    Order,
}

/// Signs with one key: sets SigningPubKey and TxnSignature.
#[must_use]
pub fn sign(tx: Object, key: &KeyPair) -> SignedTransaction {
    sign_as(tx, key, Definitions::builtin())
}

/// The same by other definitions than the built-in ones, which say which fields are signed.
#[must_use]
pub fn sign_as(mut tx: Object, key: &KeyPair, definitions: &Definitions) -> SignedTransaction {
    tx.remove(fields::SIGNERS);
    tx.set(fields::SIGNING_PUB_KEY, Value::Blob(key.public_key().0.to_vec()));
    let signature = key.sign(&tx.encode_for_signing(definitions));
    tx.set(fields::TXN_SIGNATURE, Value::Blob(signature.as_bytes().to_vec()));
    SignedTransaction::new(tx.encode())
}

/// One signer's part of a multi-signed transaction: the `Signer` object.
#[must_use]
pub fn multisign_one(tx: &Object, signer: AccountId, key: &KeyPair) -> Object {
    let mut tx = tx.clone();
    tx.set(fields::SIGNING_PUB_KEY, Value::Blob(Vec::new()));
    let message = tx.encode_for_multisigning(signer, Definitions::builtin());
    Object::new()
        .with(fields::ACCOUNT, signer)
        .with(fields::SIGNING_PUB_KEY, key.public_key().0.to_vec())
        .with(fields::TXN_SIGNATURE, key.sign(&message).as_bytes().to_vec())
}

/// Puts the parts together, sorted by AccountID as the ledger demands.
#[must_use]
pub fn combine_multisigned(mut tx: Object, mut signers: Vec<Object>) -> SignedTransaction {
    signers.sort_by_key(|signer| signer.account(fields::ACCOUNT));
    tx.remove(fields::TXN_SIGNATURE);
    tx.set(fields::SIGNING_PUB_KEY, Value::Blob(Vec::new()));
    let signers = signers.into_iter().map(|signer| (fields::SIGNER, signer)).collect();
    tx.set(fields::SIGNERS, Value::Array(signers));
    SignedTransaction::new(tx.encode())
}

/// What the signers of a Batch sign, without the end that names the signer
/// (<https://github.com/XRPLF/XRPL-Standards/tree/master/XLS-0056-batch>): the outer transaction's
/// account, its Sequence or Ticket and its flags, so that a signature holds for no other Batch, and
/// the inner transactions' hashes.
#[must_use]
pub fn batch_message(outer: AccountId, slot: Slot, flags: u32, inner: &[TxHash]) -> Vec<u8> {
    let mut out = prefix::BATCH.to_vec();
    out.extend_from_slice(&outer.0);
    out.extend_from_slice(&slot.number().to_be_bytes());
    out.extend_from_slice(&flags.to_be_bytes());
    out.extend_from_slice(&(inner.len() as u32).to_be_bytes());
    inner.iter().for_each(|hash| out.extend_from_slice(&hash.0));
    out
}

/// One account's signature of a Batch: the `BatchSigner` object. The message is that of
/// [`batch_message`].
#[must_use]
pub fn sign_batch(message: &[u8], signer: AccountId, key: &KeyPair) -> Object {
    let signature = key.sign(&[message, &signer.0].concat());
    Object::new()
        .with(fields::ACCOUNT, signer)
        .with(fields::SIGNING_PUB_KEY, key.public_key().0.to_vec())
        .with(fields::TXN_SIGNATURE, signature.as_bytes().to_vec())
}

/// One signer's part of a `BatchSigner` whose account has a signer list: the `Signer` object. It
/// signs for the Batch's `account` as itself, `signer`.
#[must_use]
pub fn multisign_batch(
    message: &[u8],
    account: AccountId,
    signer: AccountId,
    key: &KeyPair,
) -> Object {
    let signature = key.sign(&[message, &account.0, &signer.0].concat());
    Object::new()
        .with(fields::ACCOUNT, signer)
        .with(fields::SIGNING_PUB_KEY, key.public_key().0.to_vec())
        .with(fields::TXN_SIGNATURE, signature.as_bytes().to_vec())
}

/// What a payment channel claim signs.
#[must_use]
pub fn claim_message(channel: &crate::Hash256, drops: u64) -> Vec<u8> {
    let mut out = prefix::CLAIM.to_vec();
    out.extend_from_slice(&channel.0);
    out.extend_from_slice(&drops.to_be_bytes());
    out
}

/// Checks that the signature or signatures match the keys they name; whether these keys may sign
/// for the account is the ledger's to say.
///
/// # Errors
/// Says which signature fails, or that the form is wrong.
pub fn verify_transaction(tx: &Object) -> Result<(), SignatureError> {
    verify_as(tx, Definitions::builtin())
}

/// The same by other definitions than the built-in ones, which say which fields are signed.
///
/// # Errors
/// Those of [`verify_transaction`].
pub fn verify_as(tx: &Object, definitions: &Definitions) -> Result<(), SignatureError> {
    let public = tx.blob(fields::SIGNING_PUB_KEY).ok_or(SignatureError::PublicKey)?;
    let account = tx.account(fields::ACCOUNT).unwrap_or(AccountId::ZERO);
    if !public.is_empty() {
        if tx.contains(fields::SIGNERS) {
            return Err(SignatureError::Form);
        }
        let key = PublicKey::from_slice(public).map_err(|_| SignatureError::PublicKey)?;
        let signature = tx.blob(fields::TXN_SIGNATURE).ok_or(SignatureError::Form)?;
        let message = tx.encode_for_signing(definitions);
        return match key.verify(&message, signature) {
            true => Ok(()),
            false => Err(SignatureError::Mismatch(account)),
        };
    }
    let signers = tx.array(fields::SIGNERS).ok_or(SignatureError::Form)?;
    if signers.is_empty() || tx.contains(fields::TXN_SIGNATURE) {
        return Err(SignatureError::Form);
    }
    let mut message = Vec::new();
    message.extend_from_slice(&prefix::TRANSACTION_MULTISIGN);
    tx.encode_into(&mut message, |field| definitions.is_signed(field));
    let body = message.len();
    let mut last = None;
    for (_, signer) in signers {
        let id = signer.account(fields::ACCOUNT).ok_or(SignatureError::Order)?;
        if id == account || last.is_some_and(|before| before >= id) {
            return Err(SignatureError::Order);
        }
        last = Some(id);
        message.truncate(body);
        message.extend_from_slice(&id.0);
        let key = signer.blob(fields::SIGNING_PUB_KEY).unwrap_or_default();
        let key = PublicKey::from_slice(key).map_err(|_| SignatureError::PublicKey)?;
        if !key.verify(&message, signer.blob(fields::TXN_SIGNATURE).unwrap_or_default()) {
            return Err(SignatureError::Mismatch(id));
        }
    }
    Ok(())
}
