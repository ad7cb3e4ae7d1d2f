//! Submitting, simulating, closing.

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{Definitions, Object, Value, fields};

use super::{
    Answer, Call, RpcError, bytes_of,
    convert::text_of,
    object,
    server_side::{
        FeeLimit, check_payment, fill_fee, fill_network_id, fill_sequence, given, sender, source,
    },
    shape,
    sign::{
        check_multisign_fields, checked, deprecated, invalid_transaction, payer, shown, sign_given,
        sort_signers,
    },
    standalone, tx_json,
};
use crate::ledger::PreparedTx;
use crate::node::SubmitOutcome;

/// Drops that there are at all.
const MAX_DROPS: u64 = 100_000_000_000_000_000;
/// `tfInnerBatchTxn`.
const INNER_BATCH: u32 = 0x4000_0000;

/// Said beside every answer of a command that was given a secret.
const SUBMIT_DEPRECATED: &str = "Signing support in the 'submit' command has been deprecated and \
    will be removed in a future version of the server. Please migrate to a standalone signing tool.";

pub(super) fn submit(call: &Call<'_>) -> Answer {
    let Some(blob) = call.params.get("tx_blob") else {
        let hard = fail_hard(call)?;
        return deprecated(sign_and_submit(call, hard), SUBMIT_DEPRECATED);
    };
    let blob = bytes_of(&text_of(blob)?).filter(|blob| !blob.is_empty());
    let blob = blob.ok_or_else(|| RpcError::invalid("Invalid parameters."))?;
    submit_blob(call, &blob)
}

fn fail_hard(call: &Call<'_>) -> Result<bool, RpcError> {
    match call.params.get("fail_hard") {
        None => Ok(false),
        Some(Json::Bool(flag)) => Ok(*flag),
        Some(_) => Err(RpcError::not("fail_hard", "boolean")),
    }
}

/// The old form of `submit`, with a secret: the server signs. Its answer is short.
fn sign_and_submit(call: &Call<'_>, hard: bool) -> Answer {
    let tx = sign_given(call)?;
    let outcome = call.shared.submit(Arc::clone(&tx), hard);
    Ok(shown(call, &tx, Some(&outcome)))
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
    // Looked at last: a transaction that is none is refused whatever this is.
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
    call.shared.accept().map_err(standalone::end_of_time)?;
    Ok(object(json!({"ledger_current_index": call.shared.node().current_index()})))
}

pub(super) fn submit_multisigned(call: &Call<'_>) -> Answer {
    let mut tx = given(call)?.clone();
    check_multisign_fields(call, &tx)?;
    let account = sender(&tx)?;
    source(&call.shared.node(), account)?;
    if !tx.contains_key("Fee") {
        return Err(RpcError::missing("tx_json.Fee"));
    }
    check_payment(call, &mut tx, false)?;
    let mut object = tx_json::read(&tx)?;
    form(&object)?;
    if object.blob(fields::SIGNING_PUB_KEY).is_some_and(|key| !key.is_empty()) {
        return Err(RpcError::invalid(
            "Invalid  SigningPubKey field.  Field must be empty when multi-signing.",
        ));
    }
    if object.contains(fields::TXN_SIGNATURE) {
        let words = "Signing of transaction is malformed.";
        return Err(RpcError::new("signingMalformed", 63, words));
    }
    match object.amount(fields::FEE).and_then(|fee| fee.drops()) {
        // xrpld compares it with drops, which it cannot.
        None => return Err(RpcError::internal()),
        Some(drops) if drops.unsigned_abs() > MAX_DROPS => {
            return Err(RpcError::invalid("Invalid Fee field.  Fees must be specified in XRP."));
        }
        Some(..=0) => {
            return Err(RpcError::invalid("Invalid Fee field.  Fees must be greater than zero."));
        }
        Some(_) => {}
    }
    let signers = object.array(fields::SIGNERS);
    let mut signers = signers.ok_or_else(|| RpcError::missing("tx_json.Signers"))?.to_vec();
    if signers.is_empty() {
        return Err(RpcError::invalid("tx_json.Signers array may not be empty."));
    }
    let members = [fields::ACCOUNT, fields::SIGNING_PUB_KEY, fields::TXN_SIGNATURE];
    let whole = |(_, signer): &(_, Object)| {
        signer.len() == members.len() && members.iter().all(|field| signer.contains(*field))
    };
    if !signers.iter().all(whole) {
        return Err(RpcError::invalid("Signers array may only contain Signer entries."));
    }
    sort_signers(&mut signers, payer(&object))?;
    object.set(fields::SIGNERS, Value::Array(signers));
    let tx = checked(&object.encode())?;
    let outcome = call.shared.submit(Arc::clone(&tx), call.flag("fail_hard"));
    Ok(shown(call, &tx, Some(&outcome)))
}

/// What xrpld says of fields that make no transaction of their type.
fn form(tx: &Object) -> Result<(), RpcError> {
    let Err(invalid) = PreparedTx::check_form(tx) else { return Ok(()) };
    Err(match invalid.reason.starts_with("Field '") {
        true => RpcError::invalid(invalid.reason),
        false => RpcError::new(
            "internal",
            73,
            format!("Exception while serializing transaction: {}", invalid.reason),
        ),
    })
}

/// The transaction that is to be simulated, as JSON.
fn simulated(call: &Call<'_>) -> Result<Map<String, Json>, RpcError> {
    let tx = match (call.params.get("tx_blob"), call.params.get("tx_json")) {
        (Some(_), Some(_)) => {
            return Err(RpcError::invalid("Can only include one of `tx_blob` and `tx_json`."));
        }
        (None, None) => {
            return Err(RpcError::invalid("Neither `tx_blob` nor `tx_json` included."));
        }
        (Some(blob), None) => blob
            .as_str()
            .and_then(bytes_of)
            .filter(|blob| !blob.is_empty())
            .and_then(|blob| Object::decode(&blob, Definitions::builtin()).ok())
            .map(|tx| object(tx.to_json(Definitions::builtin())))
            .ok_or_else(|| RpcError::invalid_field("tx_blob"))?,
        (None, Some(Json::Object(members))) => members.clone(),
        (None, Some(_)) => return Err(RpcError::not("tx_json", "object")),
    };
    for name in ["TransactionType", "Account"] {
        if !tx.contains_key(name) {
            return Err(RpcError::missing(&format!("tx.{name}")));
        }
    }
    Ok(tx)
}

/// Empty signatures where there are none; one that is there is refused.
fn without_signatures(tx: &mut Map<String, Json>) -> Result<(), RpcError> {
    fn empty(members: &mut Map<String, Json>, key: &str) -> Result<(), RpcError> {
        match members.entry(key).or_insert_with(|| "".into()) {
            Json::String(text) if text.is_empty() => Ok(()),
            _ => Err(RpcError::new("transactionSigned", 96, "Transaction should not be signed.")),
        }
    }
    tx.entry("SigningPubKey").or_insert_with(|| "".into());
    if let Some(signers) = tx.get_mut("Signers") {
        let list = signers.as_array_mut().ok_or_else(|| RpcError::invalid_field("tx.Signers"))?;
        for (n, signer) in list.iter_mut().enumerate() {
            let wrong = || RpcError::invalid_field(&format!("tx.Signers[{n}]"));
            let signer =
                signer.get_mut("Signer").and_then(Json::as_object_mut).ok_or_else(wrong)?;
            signer.entry("SigningPubKey").or_insert_with(|| "".into());
            empty(signer, "TxnSignature")?;
        }
    }
    empty(tx, "TxnSignature")
}

pub(super) fn simulate(call: &Call<'_>) -> Answer {
    if call.params.get("binary").is_some_and(|binary| !binary.is_boolean()) {
        return Err(RpcError::invalid_field("binary"));
    }
    for secret in ["secret", "seed", "seed_hex", "passphrase"] {
        if call.params.contains_key(secret) {
            return Err(RpcError::invalid_field(secret));
        }
    }
    let mut tx = simulated(call)?;
    {
        let node = call.shared.node();
        if !tx.contains_key("Fee") {
            fill_fee(&node, &mut tx, FeeLimit::default())?;
        }
        without_signatures(&mut tx)?;
        if !tx.contains_key("Sequence") {
            let account = tx["Account"].as_str();
            let account = account.ok_or_else(|| RpcError::invalid_field("tx.Account"))?;
            let account = account
                .parse()
                .map_err(|_| RpcError::new("srcActMalformed", 65, "Invalid field 'tx.Account'."))?;
            fill_sequence(&node, &mut tx, account)?;
        }
        fill_network_id(&node, &mut tx);
    }
    let tx = tx_json::read(&tx)?;
    PreparedTx::check_form(&tx).map_err(invalid_transaction)?;
    let prepared = PreparedTx::parse(&tx.encode()).map_err(invalid_transaction)?;
    if Definitions::builtin().transaction_type("Batch") == Some(prepared.kind) {
        return Err(RpcError::new("notImpl", 74, "Not implemented."));
    }
    if prepared.has_flag(INNER_BATCH) {
        return Err(RpcError::invalid(
            "tfInnerBatchTxn flag is not allowed on top-level transactions.",
        ));
    }
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
            false => {
                answer.insert("meta".into(), shape::metadata_with_ids_of(tx, result, &metadata))
            }
        };
    }
    Ok(answer)
}
