//! Submitting, simulating, closing.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{Definitions, Object, Value, fields};

use super::{
    Answer, Call, RpcError, object,
    shape::{self, ApiShape},
    sign::{autofill, deprecated, given_tx, invalid_transaction, sign_given},
};
use crate::ledger::{PreparedTx, SubmitOutcome};

/// Said beside every answer of a command that was given a secret.
const SUBMIT_DEPRECATED: &str = "Signing support in the 'submit' command has been deprecated and \
    will be removed in a future version of the server. Please migrate to a standalone signing tool.";

pub(super) fn submit(call: &Call<'_>) -> Answer {
    let Some(blob) = call.params.get("tx_blob") else {
        return sign_and_submit(call)
            .map(deprecated(SUBMIT_DEPRECATED))
            .map_err(|error| error.with("deprecated", SUBMIT_DEPRECATED.into()));
    };
    fail_hard(call)?;
    let text = match blob {
        Json::String(text) => text.clone(),
        // xrpld takes any value for its text.
        other => other.to_string(),
    };
    let blob = bytes_of(&text).ok_or_else(|| RpcError::invalid("Invalid parameters."))?;
    submit_blob(call, &blob)
}

fn fail_hard(call: &Call<'_>) -> Result<bool, RpcError> {
    match call.params.get("fail_hard") {
        None => Ok(false),
        Some(Json::Bool(flag)) => Ok(*flag),
        Some(_) => Err(RpcError::not("fail_hard", "boolean")),
    }
}

/// Hexadecimal digits as bytes; an odd first digit is a byte of its own.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    if text.is_empty() {
        return None;
    }
    let even = if text.len().is_multiple_of(2) { text.to_owned() } else { format!("0{text}") };
    const_hex::decode(even).ok()
}

/// The old form of `submit`, with a secret: the server signs. Its answer is short.
fn sign_and_submit(call: &Call<'_>) -> Answer {
    let signed = sign_given(call)?;
    fail_hard(call)?;
    let mut answer = submit_blob(call, &signed.blob)?;
    answer.retain(|key, _| {
        key.starts_with("engine_result") || key.starts_with("tx_") || key == "hash"
    });
    let tx = PreparedTx::parse(&signed.blob).map_err(invalid_transaction)?;
    answer.insert("tx_json".into(), shape::tx_members(&tx, call.shape).into());
    if call.shape == ApiShape::V2 {
        answer.insert("hash".into(), tx.hash.to_string().into());
    }
    Ok(answer)
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
    let outcome = call.shared.submit(tx, fail_hard(call)?);
    Ok(outcome_members(&outcome))
}

fn outcome_members(outcome: &SubmitOutcome) -> Map<String, Json> {
    let mut answer = Map::new();
    let mut put = |key: &str, value: Json| {
        answer.insert(key.into(), value);
    };
    // As it was sent, whatever the version.
    let mut tx = object(outcome.tx.object.to_json(Definitions::builtin()));
    tx.insert("hash".into(), outcome.tx.hash.to_string().into());
    put("tx_json", tx.into());
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

pub(super) fn submit_multisigned(call: &Call<'_>) -> Answer {
    let tx = given_tx(call)?;
    for (field, name) in [(fields::SEQUENCE, "Sequence"), (fields::FEE, "Fee")] {
        if !tx.contains(field) {
            return Err(RpcError::missing(&format!("tx_json.{name}")));
        }
    }
    if tx.array(fields::SIGNERS).is_none_or(<[_]>::is_empty) {
        return Err(RpcError::missing("tx_json.Signers"));
    }
    submit_blob(call, &tx.encode())
}

pub(super) fn simulate(call: &Call<'_>) -> Answer {
    let mut tx = match (call.params.get("tx_blob"), call.params.contains_key("tx_json")) {
        (Some(_), true) => {
            return Err(RpcError::invalid("Can only include one of `tx_blob` and `tx_json`."));
        }
        (None, false) => {
            return Err(RpcError::invalid("Neither `tx_blob` nor `tx_json` included."));
        }
        (Some(blob), false) => blob
            .as_str()
            .and_then(bytes_of)
            .and_then(|blob| Object::decode(&blob, Definitions::builtin()).ok())
            .ok_or_else(|| RpcError::invalid_field("tx_blob"))?,
        (None, true) => given_tx(call)?,
    };
    let signed = tx.blob(fields::TXN_SIGNATURE).is_some_and(|signature| !signature.is_empty());
    if signed {
        return Err(RpcError::new("transactionSigned", 96, "Transaction should not be signed."));
    }
    autofill(call, &mut tx, &call.shared.node())?;
    for field in [fields::SIGNING_PUB_KEY, fields::TXN_SIGNATURE] {
        if !tx.contains(field) {
            tx.set(field, Value::Blob(Vec::new()));
        }
    }
    let prepared = PreparedTx::parse(&tx.encode()).map_err(invalid_transaction)?;
    let node = call.shared.node();
    let simulated = node.simulate(&Arc::new(prepared));
    let result = simulated.attempt.result;
    let mut answer = object(json!({
        "applied": false,
        "engine_result": result.name(),
        "engine_result_code": result.code(),
        "engine_result_message": match result.is_success() {
            true => "The simulated transaction would have been applied.",
            false => result.message(),
        },
        "ledger_index": node.current_index(),
    }));
    let (binary, tx) = (call.flag("binary"), &simulated.tx);
    match binary {
        true => answer.insert("tx_blob".into(), const_hex::encode_upper(&tx.blob).into()),
        false => {
            let mut members = object(tx.object.to_json(Definitions::builtin()));
            members.insert("hash".into(), tx.hash.to_string().into());
            answer.insert("tx_json".into(), members.into())
        }
    };
    if let Some(metadata) = simulated.attempt.metadata {
        match binary {
            true => {
                answer.insert("meta_blob".into(), const_hex::encode_upper(metadata.encode()).into())
            }
            false => answer.insert("meta".into(), shape::metadata_of(tx, result, &metadata)),
        };
    }
    Ok(answer)
}
