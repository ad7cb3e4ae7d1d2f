//! Submitting, signing, simulating, closing.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{
    Definitions, Object, Value, fields,
    keys::{KeyPair, KeyType, Seed},
    sign as signing,
};

use super::{Answer, Call, RpcError, object, shape};
use crate::ledger::{Node, PreparedTx, ReadView, SubmitOutcome};

pub(super) fn submit(call: &Call<'_>) -> Answer {
    let Some(blob) = call.params.get("tx_blob") else {
        let signed = sign_given(call)?;
        return submit_blob(call, &signed.blob);
    };
    let blob = blob
        .as_str()
        .filter(|hex| !hex.is_empty())
        .and_then(|hex| const_hex::decode(hex).ok())
        .ok_or_else(|| RpcError::invalid("Invalid parameters."))?;
    submit_blob(call, &blob)
}

fn submit_blob(call: &Call<'_>, blob: &[u8]) -> Answer {
    // Outside the ledger's lock: signatures are most of the work.
    let tx = match PreparedTx::parse_and_check(blob) {
        Ok(tx) => tx,
        Err(invalid) => {
            let error = RpcError::new("invalidTransaction", 0, "");
            return Err(error.with("error_exception", call.shared.node().refusal(&invalid).into()));
        }
    };
    let outcome = call.shared.submit(tx, call.flag("fail_hard"));
    Ok(outcome_members(&outcome, call))
}

fn outcome_members(outcome: &SubmitOutcome, call: &Call<'_>) -> Map<String, Json> {
    let mut answer = Map::new();
    let mut put = |key: &str, value: Json| {
        answer.insert(key.into(), value);
    };
    put("tx_json", shape::tx_members(&outcome.tx, call.shape).into());
    if call.shape == shape::ApiShape::V2 {
        put("hash", outcome.tx.hash.to_string().into());
    }
    put("tx_blob", const_hex::encode_upper(&outcome.tx.blob).into());
    put("engine_result", outcome.engine_result.name().into());
    put("engine_result_code", outcome.engine_result.code().into());
    put("engine_result_message", outcome.engine_result.message().into());
    put("accepted", outcome.accepted.into());
    put("applied", outcome.applied.into());
    put("broadcast", outcome.broadcast.into());
    put("queued", outcome.queued.into());
    put("kept", outcome.kept.into());
    if let Some(state) = &outcome.ledger_state {
        put("account_sequence_next", state.account_sequence_next.into());
        put("account_sequence_available", state.account_sequence_available.into());
        put("open_ledger_cost", state.open_ledger_cost.to_string().into());
        put("validated_ledger_index", state.validated_ledger_index.into());
    }
    answer
}

pub(super) fn ledger_accept(call: &Call<'_>) -> Answer {
    call.shared.accept();
    Ok(object(json!({"ledger_current_index": call.shared.node().current_index()})))
}

pub(super) fn sign(call: &Call<'_>) -> Answer {
    let signed = sign_given(call)?;
    let tx = PreparedTx::parse(&signed.blob).map_err(|e| {
        RpcError::new("invalidTransaction", 0, "").with("error_exception", e.reason.into())
    })?;
    let mut answer = object(json!({
        "tx_blob": const_hex::encode_upper(&signed.blob),
        "tx_json": shape::tx_members(&tx, call.shape),
    }));
    if call.shape == shape::ApiShape::V2 {
        answer.insert("hash".into(), signed.hash.to_string().into());
    }
    Ok(answer)
}

/// The key pair that `secret`, `seed`, `seed_hex` or `passphrase` and `key_type` name.
fn key_pair(call: &Call<'_>) -> Result<KeyPair, RpcError> {
    let bad = || RpcError::new("badSeed", 41, "Disallowed seed.");
    let key_type = match call.text("key_type")? {
        None => None,
        Some(name) => {
            Some(name.parse::<KeyType>().map_err(|_| RpcError::invalid_field("key_type"))?)
        }
    };
    let seed = if let Some(text) = call.text("secret")?.or(call.text("seed")?) {
        let parsed: Seed = match text.parse() {
            Ok(seed) => seed,
            // As xrpld does, anything else is a passphrase for `secret` without `key_type`.
            Err(_) if key_type.is_none() => Seed::from_passphrase(text, KeyType::Secp256k1),
            Err(_) => return Err(bad()),
        };
        key_type.map_or(parsed.clone(), |key_type| parsed.with_key_type(key_type))
    } else if let Some(text) = call.text("passphrase")? {
        Seed::from_passphrase(text, key_type.unwrap_or(KeyType::Secp256k1))
    } else if let Some(hex) = call.text("seed_hex")? {
        let entropy: [u8; 16] =
            const_hex::decode(hex).ok().and_then(|b| b.try_into().ok()).ok_or_else(bad)?;
        Seed::from_entropy(entropy, key_type.unwrap_or(KeyType::Secp256k1))
    } else {
        return Err(RpcError::missing("secret"));
    };
    Ok(KeyPair::from_seed(&seed))
}

fn given_tx(call: &Call<'_>) -> Result<Object, RpcError> {
    let json = call.params.get("tx_json").ok_or_else(|| RpcError::missing("tx_json"))?;
    let Json::Object(members) = json else {
        return Err(RpcError::invalid("Invalid field 'tx_json', not object."));
    };
    let mut members = members.clone();
    for required in ["TransactionType", "Account"] {
        if !members.contains_key(required) {
            return Err(RpcError::missing(&format!("tx_json.{required}")));
        }
    }
    if let Some(most) = members.remove("DeliverMax") {
        members.entry("Amount").or_insert(most);
    }
    Object::from_json(&Json::Object(members), Definitions::builtin())
        .map_err(|e| RpcError::invalid(e.to_string()))
}

/// Fills in Sequence, Fee and Flags where they are missing, as xrpld does.
fn autofill(tx: &mut Object, node: &Node) -> Result<(), RpcError> {
    let account = tx.account(fields::ACCOUNT).unwrap_or_default();
    let root = node
        .current()
        .account(account)
        .ok_or_else(|| RpcError::new("srcActNotFound", 70, "Source account not found."))?;
    if !tx.contains(fields::FEE) {
        let fee = node.current().info().fees.base;
        tx.set(fields::FEE, Value::Amount(xrpl_protocol::Amount::Xrp(fee.cast_signed())));
    }
    if !tx.contains(fields::SEQUENCE) {
        let next = root.u32(fields::SEQUENCE).unwrap_or(0);
        let sequence = if tx.contains(fields::TICKET_SEQUENCE) { 0 } else { next };
        tx.set(fields::SEQUENCE, Value::UInt32(sequence));
    }
    if !tx.contains(fields::FLAGS) {
        tx.set(fields::FLAGS, Value::UInt32(0));
    }
    Ok(())
}

fn sign_given(call: &Call<'_>) -> Result<signing::SignedTransaction, RpcError> {
    let key = key_pair(call)?;
    let mut tx = given_tx(call)?;
    if call.flag("offline") {
        for needed in [(fields::SEQUENCE, "Sequence"), (fields::FEE, "Fee")] {
            if !tx.contains(needed.0) {
                return Err(RpcError::missing(&format!("tx_json.{}", needed.1)));
            }
        }
    } else {
        autofill(&mut tx, &call.shared.node())?;
    }
    Ok(signing::sign(tx, &key))
}

pub(super) fn submit_multisigned(call: &Call<'_>) -> Answer {
    let tx = given_tx(call)?;
    submit_blob(call, &tx.encode())
}

pub(super) fn simulate(call: &Call<'_>) -> Answer {
    let mut tx = match call.text("tx_blob")? {
        Some(hex) => const_hex::decode(hex)
            .ok()
            .and_then(|blob| Object::decode(&blob, Definitions::builtin()).ok())
            .ok_or_else(|| RpcError::invalid_field("tx_blob"))?,
        None => given_tx(call)?,
    };
    let signed = tx.blob(fields::TXN_SIGNATURE).is_some_and(|signature| !signature.is_empty());
    if signed {
        return Err(RpcError::new("transactionSigned", 96, "Transaction should not be signed."));
    }
    autofill(&mut tx, &call.shared.node())?;
    if !tx.contains(fields::SIGNING_PUB_KEY) {
        tx.set(fields::SIGNING_PUB_KEY, Value::Blob(Vec::new()));
    }
    let prepared = PreparedTx::parse(&tx.encode()).map_err(|e| {
        RpcError::new("invalidTransaction", 0, "").with("error_exception", e.reason.into())
    })?;
    let node = call.shared.node();
    let applied = node.simulate(&Arc::new(prepared));
    Ok(object(json!({
        "applied": applied.applied,
        "engine_result": applied.result.name(),
        "engine_result_code": applied.result.code(),
        "engine_result_message": applied.result.message(),
        "ledger_index": node.current_index(),
        "tx_json": tx.to_json(Definitions::builtin()),
    })))
}
