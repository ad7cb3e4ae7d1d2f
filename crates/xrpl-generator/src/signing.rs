//! From a plan and its slot to bytes: what all transactions have is put in, and who must sign signs.

use xrpl_protocol::{
    AccountId, Amount, Definitions, Drops, Object, TxHash, Value, fields,
    hash::transaction_hash,
    keys::{KeyPair, PublicKey},
    sign::{
        SignedTransaction, batch_message, combine_multisigned, multisign_one, sign_as, sign_batch,
    },
    transaction::{Common, Direct, Slot},
    transaction_cost::{FeeFigures, least_fee},
};

use crate::{
    accounts::{Accounts, Index},
    plan::{Authorization, Body, Leg},
};

/// On what is within a Batch.
const TF_INNER_BATCH: u32 = 0x4000_0000;

/// Signs for its sender as the authorization says.
pub(crate) fn signed(
    accounts: &Accounts,
    sender: Index,
    body: Body,
    authorization: &Authorization,
    common: &Common,
    legs: &[Slot],
    definitions: &Definitions,
) -> SignedTransaction {
    let own = &accounts[sender];
    match body {
        Body::Payment(payment) => match authorization {
            Authorization::Own => payment.sign(common, &own.key),
            Authorization::Stranger(other) => payment.sign(common, &accounts[*other].key),
            // Everything else was made of fields when it was modified.
            Authorization::Regular => payment.sign(common, &own.regular_pair()),
            Authorization::Multi(_) | Authorization::Delegate(_) => {
                let mut plan = crate::plan::Plan::payment(payment);
                let body = with_common(plan.fields().clone(), common);
                signed_fields(accounts, sender, body, authorization, definitions)
            }
        },
        Body::Fields(object) => {
            let object = with_common(object, common);
            signed_fields(accounts, sender, object, authorization, definitions)
        }
        Body::Batch(held) => {
            let object = batch(accounts, sender, held, common, legs);
            signed_fields(accounts, sender, object, authorization, definitions)
        }
    }
}

/// Signs what has all its fields but the signature; the definitions say which of them are signed.
pub(crate) fn signed_fields(
    accounts: &Accounts,
    sender: Index,
    mut object: Object,
    authorization: &Authorization,
    definitions: &Definitions,
) -> SignedTransaction {
    let own = &accounts[sender];
    countersign(accounts, sender, &mut object, authorization);
    match authorization {
        Authorization::Own => sign_as(object, &own.key, definitions),
        Authorization::Regular => sign_as(object, &own.regular_pair(), definitions),
        Authorization::Stranger(other) => sign_as(object, &accounts[*other].key, definitions),
        Authorization::Delegate(delegate) => {
            let delegate = &accounts[*delegate];
            object.set(fields::DELEGATE, Value::Account(delegate.id));
            sign_as(object, &delegate.key, definitions)
        }
        Authorization::Multi(signers) => {
            let part = |signer: &Index| {
                let signer = &accounts[*signer];
                multisign_one(&object, signer.id, &signer.key)
            };
            let parts = signers.iter().map(part).collect();
            combine_multisigned(object, parts)
        }
    }
}

/// Has the other side of a LoanSet sign it: its plan says with which key, and leaves the signature
/// empty. What is signed names the sender's key.
fn countersign(
    accounts: &Accounts,
    sender: Index,
    object: &mut Object,
    authorization: &Authorization,
) {
    let Some(other) = object.object(fields::COUNTERPARTY_SIGNATURE) else { return };
    let key = PublicKey::from_slice(other.blob(fields::SIGNING_PUB_KEY).unwrap_or_default());
    let signer = key.ok().and_then(|key| accounts.find(key.account_id()));
    let Some(signer) = signer.map(|index| &accounts[index]) else { return };
    let key = match authorization {
        Authorization::Own => accounts[sender].key.public_key().0.to_vec(),
        Authorization::Regular => accounts[sender].regular_pair().public_key().0.to_vec(),
        Authorization::Stranger(other) | Authorization::Delegate(other) => {
            accounts[*other].key.public_key().0.to_vec()
        }
        Authorization::Multi(_) => Vec::new(),
    };
    object.set(fields::SIGNING_PUB_KEY, Value::Blob(key));
    let message = object.encode_for_signing(Definitions::builtin());
    object.set(
        fields::COUNTERPARTY_SIGNATURE,
        Value::Object(counter_signature(&signer.key, &message)),
    );
}

/// The counterparty's signature of a message.
fn counter_signature(key: &KeyPair, message: &[u8]) -> Object {
    Object::new()
        .with(fields::SIGNING_PUB_KEY, key.public_key().0.to_vec())
        .with(fields::TXN_SIGNATURE, key.sign(message).as_bytes().to_vec())
}

/// The least that a plan costs, drops: by its type, and by how many sign.
pub(crate) fn least(
    sender: Index,
    body: &Body,
    authorization: &Authorization,
    figures: &FeeFigures,
) -> u64 {
    let signers = match authorization {
        Authorization::Multi(signers) => signers.len(),
        _ => 0,
    };
    let more = figures.base.saturating_mul(signers as u64);
    match body {
        Body::Payment(_) => figures.base.saturating_add(more),
        Body::Fields(object) if signers == 0 => least_fee(object, figures),
        Body::Fields(object) => {
            // What signs is counted by what stands in its place.
            let parts = vec![(fields::SIGNER, Object::new()); signers];
            let mut signed = object.clone();
            signed.set(fields::SIGNERS, Value::Array(parts));
            least_fee(&signed, figures)
        }
        Body::Batch(held) => {
            let mut others: Vec<Index> =
                held.iter().map(|leg| leg.account).filter(|account| *account != sender).collect();
            others.sort_unstable();
            others.dedup();
            // One for itself, one for being a Batch, one for each other signer.
            let own = figures.base.saturating_mul(2 + others.len() as u64);
            let inner = held.iter().map(|leg| least_fee(&leg.body, figures));
            inner.fold(own, u64::saturating_add).saturating_add(more)
        }
    }
}

fn with_common(mut tx: Object, common: &Common) -> Object {
    let (sequence, ticket) = match common.slot {
        Slot::Sequence(n) => (n.0, None),
        Slot::Ticket(n) => (0, Some(n.0)),
    };
    tx.set(fields::ACCOUNT, Value::Account(common.account));
    tx.set(fields::FEE, Value::Amount(Amount::xrp(common.fee)));
    tx.set(fields::SEQUENCE, Value::UInt32(sequence));
    tx.set(fields::FLAGS, Value::UInt32(common.flags));
    for (field, value) in [
        (fields::TICKET_SEQUENCE, ticket),
        (fields::LAST_LEDGER_SEQUENCE, common.last_ledger.map(|index| index.0)),
        (fields::NETWORK_ID, common.network_id),
        (fields::SOURCE_TAG, common.source_tag),
    ] {
        if let Some(n) = value {
            tx.set(field, Value::UInt32(n));
        }
    }
    tx
}

/// A Batch with everything but its sender's signature. `legs` are the slots of what it holds.
fn batch(
    accounts: &Accounts,
    sender: Index,
    held: Vec<Leg>,
    common: &Common,
    legs: &[Slot],
) -> Object {
    let inner: Vec<Object> =
        held.iter().zip(legs).map(|(leg, slot)| inner(accounts, leg, *slot, common)).collect();
    let hashes: Vec<TxHash> = inner.iter().map(inner_hash).collect();
    let message = batch_message(common.account, common.slot, common.flags, &hashes);
    let mut signers: Vec<(AccountId, &KeyPair)> = held
        .iter()
        .filter(|leg| leg.account != sender)
        .map(|leg| (accounts[leg.account].id, &accounts[leg.account].key))
        .collect();
    signers.sort_unstable_by_key(|(id, _)| *id);
    signers.dedup_by_key(|(id, _)| *id);
    let code = Definitions::builtin().transaction_type("Batch").unwrap_or(u16::MAX);
    let raw = inner.into_iter().map(|inner| (fields::RAW_TRANSACTION, inner)).collect();
    let mut object = Object::new().with(fields::TRANSACTION_TYPE, code);
    object.set(fields::RAW_TRANSACTIONS, Value::Array(raw));
    if !signers.is_empty() {
        let signers = signers
            .into_iter()
            .map(|(id, key)| (fields::BATCH_SIGNER, sign_batch(&message, id, key)));
        object.set(fields::BATCH_SIGNERS, Value::Array(signers.collect()));
    }
    with_common(object, common)
}

fn inner(accounts: &Accounts, leg: &Leg, slot: Slot, common: &Common) -> Object {
    let flags = leg.body.u32(fields::FLAGS).unwrap_or(0) | TF_INNER_BATCH;
    let own = Common {
        account: accounts[leg.account].id,
        slot,
        fee: Drops(0),
        flags,
        last_ledger: None,
        source_tag: None,
        ..*common
    };
    with_common(leg.body.clone(), &own).with(fields::SIGNING_PUB_KEY, Vec::<u8>::new())
}

/// What the ledger calls a transaction within a Batch.
fn inner_hash(inner: &Object) -> TxHash {
    transaction_hash(&inner.encode())
}
