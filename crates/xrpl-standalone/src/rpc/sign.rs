//! Signing with a secret that the request holds: `sign`, `sign_for`, and what `submit` shares with
//! them. xrpld has deprecated it.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{AccountId, Definitions, Field, Object, Value, fields, keys::KeyPair};

use super::{
    Answer, Call, RpcError,
    convert::text_of,
    object,
    secret::key_pair,
    server_side::{
        FeeLimit, NETWORK_ID_LIMIT, check_payment, check_secret, fill_fee, fill_network_id,
        fill_sequence, given, may_sign, sender, source,
    },
    shape::{self, ApiShape},
    tx_json,
};
use crate::ledger::{InvalidTransaction, PreparedTx, ReadView};
use crate::node::SubmitOutcome;

const DEPRECATED: &str = "This command has been deprecated and will be removed in a future version \
    of the server. Please migrate to a standalone signing tool.";

/// Fields that `signature_target` may name: objects with a form of their own.
const TARGETS: [&str; 17] = [
    "SignerEntry",
    "Signer",
    "Majority",
    "DisabledValidator",
    "NFToken",
    "VoteEntry",
    "AuctionSlot",
    "XChainClaimAttestationCollectionElement",
    "XChainCreateAccountAttestationCollectionElement",
    "XChainClaimProofSig",
    "XChainCreateAccountProofSig",
    "AuthAccount",
    "PriceData",
    "Credential",
    "Permission",
    "BatchSigner",
    "CounterpartySignature",
];

type Result<T> = std::result::Result<T, RpcError>;

/// Adds the notice that a command is deprecated.
pub(super) fn deprecated(answer: Answer, notice: &'static str) -> Answer {
    match answer {
        Ok(mut members) => {
            members.insert("deprecated".into(), notice.into());
            Ok(members)
        }
        // An exception leaves the method before it adds anything.
        Err(error) if error == RpcError::internal() => Err(error),
        Err(error) => Err(error.with("deprecated", notice.into())),
    }
}

pub(super) fn invalid_transaction(invalid: InvalidTransaction) -> RpcError {
    RpcError::new("invalidTransaction", 0, "").with("error_exception", invalid.reason.into())
}

pub(super) fn sign(call: &Call<'_>) -> Answer {
    deprecated(sign_given(call).map(|tx| shown(call, &tx, None)), DEPRECATED)
}

pub(super) fn sign_for(call: &Call<'_>) -> Answer {
    deprecated(multisign_given(call).map(|tx| shown(call, &tx, None)), DEPRECATED)
}

/// A transaction that the server signed, with its result once it was submitted.
pub(super) fn shown(
    call: &Call<'_>,
    tx: &PreparedTx,
    outcome: Option<&SubmitOutcome>,
) -> Map<String, Json> {
    let mut answer = object(json!({
        "tx_blob": const_hex::encode_upper(&tx.blob),
        "tx_json": shape::tx_members(tx, call.shape),
    }));
    if call.shape == ApiShape::V2 {
        answer.insert("hash".into(), tx.hash.to_string().into());
    }
    if let Some(outcome) = outcome {
        let result = outcome.engine_result;
        answer.insert("engine_result".into(), result.name().into());
        answer.insert("engine_result_code".into(), result.code().into());
        answer.insert("engine_result_message".into(), result.message().into());
    }
    answer
}

/// Where the signature goes, if not beside the transaction's own fields.
fn target(call: &Call<'_>) -> Result<Option<Field>> {
    let Some(json) = call.params.get("signature_target") else { return Ok(None) };
    let name = text_of(json)?;
    // xrpld's words are the field's name; what is no field has none.
    match Definitions::builtin().field(&name) {
        Some(field) if TARGETS.contains(&name.as_str()) => Ok(Some(field)),
        Some(_) => Err(RpcError::invalid(name)),
        None => Err(RpcError::invalid("")),
    }
}

/// Puts the public key, or none for several signers, where the signature will be.
fn set_public_key(tx: &mut Object, target: Option<Field>, key: &[u8]) {
    let mut inner = target.map(|field| tx.object(field).cloned().unwrap_or_default());
    inner.as_mut().unwrap_or(tx).set(fields::SIGNING_PUB_KEY, Value::Blob(key.to_vec()));
    if let (Some(field), Some(inner)) = (target, inner) {
        tx.set(field, Value::Object(inner));
    }
}

/// Reads the fields, and says what xrpld says of those that make no transaction of their type.
fn construct(tx: &Map<String, Json>, target: Option<Field>, key: &[u8]) -> Result<Object> {
    let mut object = tx_json::read(tx)?;
    set_public_key(&mut object, target, key);
    if let Err(invalid) = PreparedTx::check_form(&object) {
        return Err(match invalid.reason.starts_with("Field '") {
            true => RpcError::invalid(invalid.reason),
            false => RpcError::new(
                "internal",
                73,
                "Exception occurred constructing serialized transaction",
            ),
        });
    }
    Ok(object)
}

/// The signed transaction, if its form and all its signatures hold.
pub(super) fn checked(blob: &[u8]) -> Result<Arc<PreparedTx>> {
    PreparedTx::parse_and_check(blob).map_err(|invalid| match invalid.bad_signature {
        Some(_) => RpcError::new("internal", 73, "Invalid signature."),
        None => {
            let reason = invalid.reason;
            RpcError::invalid(reason.strip_prefix("fails local checks: ").unwrap_or(&reason))
        }
    })
}

/// Signs `tx_json` with the secret that comes with it.
pub(super) fn sign_given(call: &Call<'_>) -> Result<Arc<PreparedTx>> {
    let key = key_pair(call, ApiShape::V1)?;
    let target = target(call)?;
    let mut tx = given(call)?.clone();
    let account = sender(&tx)?;
    let verify = !call.flag("offline");
    if !verify && !tx.contains_key("Sequence") {
        return Err(RpcError::missing("tx_json.Sequence"));
    }
    let node = call.shared.node();
    if verify {
        source(&node, account)?;
    }
    fill_sequence(&node, &mut tx, account)?;
    fill_network_id(&node, &mut tx);
    if !tx.contains_key("Fee") {
        if !verify {
            return Err(RpcError::missing("tx_json.Fee"));
        }
        fill_fee(&node, &mut tx, FeeLimit::of(call)?)?;
    }
    check_payment(call, &mut tx, verify)?;
    if tx.contains_key("Signers") {
        return Err(RpcError::new("alreadyMultisig", 36, "Already multisigned."));
    }
    if verify && target.is_none() {
        check_secret(&node, &tx, account, key.account_id())?;
    }
    drop(node);
    let mut object = construct(&tx, target, &key.public_key().0)?;
    let signature = key.sign(&object.encode_for_signing(Definitions::builtin()));
    let signature = Value::Blob(signature.as_bytes().to_vec());
    match target {
        None => object.set(fields::TXN_SIGNATURE, signature),
        Some(field) => {
            if let Some(Value::Object(inner)) = object.get_mut(field) {
                inner.set(fields::TXN_SIGNATURE, signature);
            }
        }
    }
    checked(&object.encode())
}

/// What both methods for several signers ask first.
pub(super) fn check_multisign_fields(call: &Call<'_>, tx: &Map<String, Json>) -> Result<()> {
    if !tx.contains_key("Sequence") {
        return Err(RpcError::missing("tx_json.Sequence"));
    }
    let key = tx.get("SigningPubKey").ok_or_else(|| RpcError::missing("tx_json.SigningPubKey"))?;
    if !call.params.contains_key("signature_target") && !text_of(key)?.is_empty() {
        return Err(RpcError::invalid("When multi-signing 'tx_json.SigningPubKey' must be empty."));
    }
    Ok(())
}

/// Sorts signers by account, as the ledger wants them.
pub(super) fn sort_signers(signers: &mut [(Field, Object)], payer: AccountId) -> Result<()> {
    if signers.is_empty() {
        return Err(RpcError::invalid("Signers array may not be empty."));
    }
    let account = |signer: &(Field, Object)| signer.1.account(fields::ACCOUNT).unwrap_or_default();
    signers.sort_by_key(account);
    if let Some(pair) = signers.windows(2).find(|pair| account(&pair[0]) == account(&pair[1])) {
        return Err(RpcError::invalid(format!(
            "Duplicate Signers:Signer:Account entries ({}) are not allowed.",
            account(&pair[0])
        )));
    }
    match signers.iter().any(|signer| account(signer) == payer) {
        true => Err(RpcError::invalid(format!(
            "A Signer may not be the transaction's Account ({payer})."
        ))),
        false => Ok(()),
    }
}

/// Who pays the fee, and may not be among the signers.
pub(super) fn payer(tx: &Object) -> AccountId {
    tx.account(fields::DELEGATE).or_else(|| tx.account(fields::ACCOUNT)).unwrap_or_default()
}

/// Adds one signature to those that a multi-signed transaction has.
fn multisign_given(call: &Call<'_>) -> Result<Arc<PreparedTx>> {
    let signer = match call.params.get("account") {
        None => return Err(RpcError::missing("account")),
        Some(json) => text_of(json)?,
    };
    let signer: AccountId = signer
        .parse()
        .map_err(|_| RpcError::new("srcActMalformed", 65, "Invalid field 'account'."))?;
    let mut tx = given(call)?.clone();
    let network = call.shared.node().network_id();
    if network > NETWORK_ID_LIMIT {
        let named = tx.get("NetworkID").ok_or_else(|| RpcError::missing("tx_json.NetworkID"))?;
        if named.as_u64() != Some(network.into()) {
            return Err(RpcError::invalid_field("tx_json.NetworkID"));
        }
    }
    tx.entry("SigningPubKey").or_insert_with(|| "".into());
    check_multisign_fields(call, &tx)?;
    let key = key_pair(call, ApiShape::V1)?;
    let target = target(call)?;
    let account = sender(&tx)?;
    let node = call.shared.node();
    if !call.flag("offline") {
        source(&node, account)?;
    }
    if !tx.contains_key("Fee") {
        return Err(RpcError::missing("tx_json.Fee"));
    }
    check_payment(call, &mut tx, false)?;
    if tx.contains_key("TxnSignature") {
        return Err(RpcError::new("alreadySingleSig", 37, "Already single-signed."));
    }
    let mut object = construct(&tx, target, &[])?;
    may_sign(node.current().account(signer).as_ref(), signer, key.account_id())?;
    drop(node);
    let payer = payer(&object);
    let own = signer_object(&object, signer, &key);
    let mut inner = target.map(|field| object.object(field).cloned().unwrap_or_default());
    let holder = inner.as_mut().unwrap_or(&mut object);
    let mut signers = holder.array(fields::SIGNERS).unwrap_or_default().to_vec();
    signers.push((fields::SIGNER, own));
    sort_signers(&mut signers, payer)?;
    holder.set(fields::SIGNERS, Value::Array(signers));
    if let (Some(field), Some(inner)) = (target, inner) {
        object.set(field, Value::Object(inner));
    }
    checked(&object.encode())
}

fn signer_object(tx: &Object, signer: AccountId, key: &KeyPair) -> Object {
    let message = tx.encode_for_multisigning(signer, Definitions::builtin());
    Object::new()
        .with(fields::ACCOUNT, signer)
        .with(fields::SIGNING_PUB_KEY, key.public_key().0.to_vec())
        .with(fields::TXN_SIGNATURE, key.sign(&message).as_bytes().to_vec())
}
