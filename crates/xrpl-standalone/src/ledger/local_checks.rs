//! xrpld's local checks: what a server refuses before it looks at any ledger. Reasons are in its
//! words, since clients see them.

use xrpl_protocol::{
    AccountId, Amount, Definitions, Field, Issue, Object, Sequence, Value, fields,
    hash::{prefix, transaction_hash},
    keys::PublicKey,
    sign::batch_message,
    transaction::Slot,
};

use super::{seq_proxy::SeqProxy, template};

/// `tfInnerBatchTxn`.
pub(crate) const INNER_BATCH: u32 = 0x4000_0000;

/// `TransactionType` of a Batch.
pub(crate) const BATCH: u16 = 71;
/// Transactions that a Batch may hold.
pub(crate) const MAX_INNER: usize = 8;
/// Signers that a Batch may have besides its own account.
pub(crate) const MAX_BATCH_SIGNERS: usize = 24;

/// Bytes of all memos together.
const MAX_MEMO_SIZE: usize = 1024;
const MAX_SIGNERS: usize = 32;
/// UNLModify, which only the ledger itself makes.
const UNL_MODIFY: u16 = 102;

/// Form and validity of the signature or signatures.
pub(super) fn signature(tx: &Object, fee_payer: AccountId) -> Result<(), String> {
    if tx.u32(fields::FLAGS).unwrap_or_default() & INNER_BATCH != 0 {
        return Err("Batch inner transactions are never considered validly signed.".into());
    }
    signed(tx, tx, Some(fee_payer))?;
    if let Some(counter) = tx.object(fields::COUNTERPARTY_SIGNATURE) {
        signed(tx, counter, None).map_err(|reason| format!("Counterparty: {reason}"))?;
    }
    batch_signatures(tx)
}

/// The signature or signatures that `object` (the transaction, or a part of it) has of a transaction.
/// Several may not include the account itself, where it is known for whom they sign.
fn signed(tx: &Object, object: &Object, signed_for: Option<AccountId>) -> Result<(), String> {
    let definitions = Definitions::builtin();
    if signing_key(object).is_empty() {
        let mut message = prefix::TRANSACTION_MULTISIGN.to_vec();
        tx.encode_into(&mut message, |field| definitions.is_signed(field));
        multi_signature(object, signed_for, message)
    } else {
        single_signature(object, &tx.encode_for_signing(definitions))
    }
}

fn signing_key(object: &Object) -> &[u8] {
    object.blob(fields::SIGNING_PUB_KEY).unwrap_or_default()
}

fn single_signature(object: &Object, message: &[u8]) -> Result<(), String> {
    if object.contains(fields::SIGNERS) {
        return Err("Cannot both single- and multi-sign.".into());
    }
    let valid = PublicKey::from_slice(signing_key(object)).is_ok_and(|key| {
        key.verify(message, object.blob(fields::TXN_SIGNATURE).unwrap_or_default())
    });
    if valid { Ok(()) } else { Err("Invalid signature.".into()) }
}

/// Several sign `message` for an account, each with its own name at the end.
fn multi_signature(
    object: &Object,
    signed_for: Option<AccountId>,
    mut message: Vec<u8>,
) -> Result<(), String> {
    let Some(signers) = object.array(fields::SIGNERS) else {
        return Err("Empty SigningPubKey.".into());
    };
    if object.contains(fields::TXN_SIGNATURE) {
        return Err("Cannot both single- and multi-sign.".into());
    }
    if signers.is_empty() || signers.len() > MAX_SIGNERS {
        return Err("Invalid Signers array size.".into());
    }
    let body = message.len();
    let mut last = AccountId::ZERO;
    for (_, signer) in signers {
        let account = signer.account(fields::ACCOUNT).unwrap_or_default();
        if Some(account) == signed_for {
            return Err("Invalid multisigner.".into());
        }
        if last == account {
            return Err("Duplicate Signers not allowed.".into());
        }
        if last > account {
            return Err("Unsorted Signers array.".into());
        }
        last = account;
        message.truncate(body);
        message.extend_from_slice(&account.0);
        let signature = signer.blob(fields::TXN_SIGNATURE).unwrap_or_default();
        let valid = PublicKey::from_slice(signing_key(signer))
            .is_ok_and(|key| key.verify(&message, signature));
        if !valid {
            return Err(format!("Invalid signature on account {account}."));
        }
    }
    Ok(())
}

/// The signatures of those who agree to a Batch.
fn batch_signatures(tx: &Object) -> Result<(), String> {
    let Some(signers) = tx.array(fields::BATCH_SIGNERS) else { return Ok(()) };
    let slot = match SeqProxy::of(tx) {
        SeqProxy::Sequence(number) => Slot::Sequence(Sequence(number)),
        SeqProxy::Ticket(number) => Slot::Ticket(Sequence(number)),
    };
    let account = tx.account(fields::ACCOUNT).unwrap_or_default();
    let flags = tx.u32(fields::FLAGS).unwrap_or_default();
    let inner = tx.array(fields::RAW_TRANSACTIONS).unwrap_or_default();
    let inner: Vec<_> = inner.iter().map(|(_, tx)| transaction_hash(&tx.encode())).collect();
    let message = batch_message(account, slot, flags, &inner);
    for (_, signer) in signers {
        let account = signer.account(fields::ACCOUNT).unwrap_or_default();
        let message = [&message[..], &account.0].concat();
        if signing_key(signer).is_empty() {
            multi_signature(signer, Some(account), message)?;
        } else {
            single_signature(signer, &message)?;
        }
    }
    Ok(())
}

/// Memos and types only the ledger itself makes.
pub(super) fn form(tx: &Object) -> Result<(), String> {
    memos(tx)?;
    match tx.u16(fields::TRANSACTION_TYPE) {
        // Its account has no bytes in binary, and xrpld looks at that first.
        Some(UNL_MODIFY) => return Err("An account field is invalid.".into()),
        Some(100..=101) => return Err("Cannot submit pseudo transactions.".into()),
        _ => {}
    }
    mpt_amounts(tx)?;
    raw_transactions(tx)
}

/// What a Batch holds: its form as if it stood alone.
fn raw_transactions(tx: &Object) -> Result<(), String> {
    let Some(inner) = tx.array(fields::RAW_TRANSACTIONS) else { return Ok(()) };
    if tx.array(fields::BATCH_SIGNERS).is_some_and(|signers| signers.len() > MAX_BATCH_SIGNERS) {
        return Err("Batch Signers array exceeds max entries.".into());
    }
    if inner.len() > MAX_INNER {
        return Err("Raw Transactions array exceeds max entries.".into());
    }
    for (_, inner) in inner {
        let kind = inner.u16(fields::TRANSACTION_TYPE).ok_or("Field not found: TransactionType")?;
        // They are not nested any deeper, so neither is this function.
        if kind == BATCH {
            return Err("Raw Transactions may not contain batch transactions.".into());
        }
        template::check(kind, inner)?;
        form(inner)?;
    }
    Ok(())
}

fn memos(tx: &Object) -> Result<(), String> {
    let Some(memos) = tx.array(fields::MEMOS) else { return Ok(()) };
    let mut size = 0;
    for (field, memo) in memos {
        if *field != fields::MEMO {
            return Err("A memo array may contain only Memo objects.".into());
        }
        // Two bytes for the object and its end.
        size += memo.encode().len() + 2;
        for (field, value) in memo.iter() {
            let Value::Blob(bytes) = value else {
                return Err(
                    "A memo may contain only MemoType, MemoData or MemoFormat fields.".into()
                );
            };
            match field {
                fields::MEMO_DATA => {}
                fields::MEMO_TYPE | fields::MEMO_FORMAT if bytes.iter().all(in_urls) => {}
                fields::MEMO_TYPE | fields::MEMO_FORMAT => {
                    return Err("The MemoType and MemoFormat fields may only contain characters \
                                that are allowed in URLs under RFC 3986."
                        .into());
                }
                _ => {
                    return Err(
                        "A memo may contain only MemoType, MemoData or MemoFormat fields.".into()
                    );
                }
            }
        }
    }
    if size > MAX_MEMO_SIZE {
        return Err("The memo exceeds the maximum allowed size.".into());
    }
    Ok(())
}

fn in_urls(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(byte)
}

/// Fields of a type that may hold multi-purpose tokens; no other amount or asset may.
fn takes_mpt(kind: u16) -> &'static [Field] {
    match kind {
        0 => &[fields::AMOUNT, fields::SEND_MAX, fields::DELIVER_MIN],
        1 | 30 | 68..=70 | 76..=78 | 84 => &[fields::AMOUNT],
        7 => &[fields::TAKER_PAYS, fields::TAKER_GETS],
        16 => &[fields::SEND_MAX],
        17 => &[fields::AMOUNT, fields::DELIVER_MIN],
        31 => &[fields::ASSET, fields::ASSET2, fields::AMOUNT],
        35 => &[fields::AMOUNT, fields::AMOUNT2],
        36 | 37 => &[fields::ASSET, fields::ASSET2, fields::AMOUNT, fields::AMOUNT2],
        38..=40 => &[fields::ASSET, fields::ASSET2],
        65 => &[fields::ASSET],
        _ => &[],
    }
}

fn mpt_amounts(tx: &Object) -> Result<(), String> {
    let allowed = takes_mpt(tx.u16(fields::TRANSACTION_TYPE).unwrap_or_default());
    let is_mpt = |value: &Value| {
        matches!(value, Value::Amount(Amount::Mpt { .. }) | Value::Issue(Issue::Mpt(_)))
    };
    if tx.iter().any(|(field, value)| is_mpt(value) && !allowed.contains(&field)) {
        return Err("Amount can not be MPT.".into());
    }
    Ok(())
}
