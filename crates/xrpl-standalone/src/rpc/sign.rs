//! Signing with a secret that the request holds: `sign`, `sign_for`, and what `submit` and
//! `simulate` share with them. xrpld has deprecated it.

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{
    AccountId, Definitions, Object, Value,
    encode::EncodeError,
    fields,
    keys::{KeyPair, KeyType, Seed},
    sign as signing,
};

use super::{
    Answer, Call, RpcError, object,
    shape::{self, ApiShape},
};
use crate::ledger::{InvalidTransaction, Node, PreparedTx, ReadView};

const DEPRECATED: &str = "This command has been deprecated and will be removed in a future version \
    of the server. Please migrate to a standalone signing tool.";

const MASTER_DISABLED: u32 = 0x0010_0000;

/// Adds the notice that a command is deprecated.
pub(super) fn deprecated(
    notice: &'static str,
) -> impl FnOnce(Map<String, Json>) -> Map<String, Json> {
    move |mut answer| {
        answer.insert("deprecated".into(), notice.into());
        answer
    }
}

pub(super) fn invalid_transaction(invalid: InvalidTransaction) -> RpcError {
    RpcError::new("invalidTransaction", 0, "").with("error_exception", invalid.reason.into())
}

pub(super) fn sign(call: &Call<'_>) -> Answer {
    let signed = sign_given(call).and_then(|signed| shown(call, &signed));
    signed.map(deprecated(DEPRECATED)).map_err(|error| error.with("deprecated", DEPRECATED.into()))
}

pub(super) fn sign_for(call: &Call<'_>) -> Answer {
    let signed = multisign_given(call).and_then(|signed| shown(call, &signed));
    signed.map(deprecated(DEPRECATED)).map_err(|error| error.with("deprecated", DEPRECATED.into()))
}

fn shown(call: &Call<'_>, signed: &signing::SignedTransaction) -> Answer {
    let tx = PreparedTx::parse(&signed.blob).map_err(invalid_transaction)?;
    let mut answer = object(json!({
        "tx_blob": const_hex::encode_upper(&signed.blob),
        "tx_json": shape::tx_members(&tx, call.shape),
    }));
    if call.shape == ApiShape::V2 {
        answer.insert("hash".into(), signed.hash.to_string().into());
    }
    Ok(answer)
}

/// The key pair that `secret`, or `key_type` with `seed`, `seed_hex` or `passphrase`, name.
pub(super) fn key_pair(call: &Call<'_>) -> Result<KeyPair, RpcError> {
    let bad = || RpcError::new("badSeed", 44, "Disallowed seed.");
    let given: Vec<&str> = ["secret", "passphrase", "seed", "seed_hex"]
        .into_iter()
        .filter(|key| call.params.contains_key(*key))
        .collect();
    let [source] = given[..] else {
        return Err(match given.is_empty() {
            true => RpcError::missing("secret"),
            false => RpcError::invalid(
                "Exactly one of the following must be specified: passphrase, secret, seed or \
                 seed_hex",
            ),
        });
    };
    let Some(text) = call.params[source].as_str() else {
        return Err(RpcError::not(source, "string"));
    };
    let key_type = match call.params.get("key_type") {
        None if source != "secret" => return Err(RpcError::not("secret", "string")),
        None => None,
        Some(_) if source == "secret" => {
            return Err(RpcError::invalid("The secret field is not allowed if key_type is used."));
        }
        Some(Json::String(name)) => {
            Some(name.parse::<KeyType>().map_err(|_| RpcError::invalid_field("key_type"))?)
        }
        Some(_) => return Err(RpcError::not("key_type", "string")),
    };
    let seed = match source {
        "seed_hex" => {
            let entropy: [u8; 16] =
                const_hex::decode(text).ok().and_then(|b| b.try_into().ok()).ok_or_else(bad)?;
            Seed::from_entropy(entropy, key_type.unwrap_or(KeyType::Secp256k1))
        }
        "passphrase" => Seed::from_passphrase(text, key_type.unwrap_or(KeyType::Secp256k1)),
        "seed" => text
            .parse::<Seed>()
            .map_err(|_| bad())?
            .with_key_type(key_type.unwrap_or(KeyType::Secp256k1)),
        // A secret that is no seed is a passphrase.
        _ => {
            text.parse::<Seed>().unwrap_or_else(|_| Seed::from_passphrase(text, KeyType::Secp256k1))
        }
    };
    Ok(KeyPair::from_seed(&seed))
}

/// The transaction in `tx_json`.
pub(super) fn given_tx(call: &Call<'_>) -> Result<Object, RpcError> {
    let json = call.params.get("tx_json").ok_or_else(|| RpcError::missing("tx_json"))?;
    let Json::Object(members) = json else {
        return Err(RpcError::not("tx_json", "object"));
    };
    let mut members = members.clone();
    if !members.contains_key("TransactionType") {
        return Err(RpcError::missing("tx_json.TransactionType"));
    }
    if !members.contains_key("Account") {
        return Err(RpcError::new("srcActMissing", 66, "Missing field 'tx_json.Account'."));
    }
    if let Some(most) = members.remove("DeliverMax") {
        members.entry("Amount").or_insert(most);
    }
    if members["TransactionType"] == "Payment" {
        for required in ["Amount", "Destination"] {
            if !members.contains_key(required) {
                return Err(RpcError::missing(&format!("tx_json.{required}")));
            }
        }
        if xrpl_protocol::Amount::from_json(&members["Amount"]).is_err() {
            return Err(RpcError::invalid_field("tx_json.Amount"));
        }
    }
    Object::from_json(&Json::Object(members), Definitions::builtin()).map_err(|error| {
        RpcError::invalid(match &error {
            EncodeError::UnknownField(name) => format!("Field 'tx_json.{name}' is unknown."),
            EncodeError::Field { field, .. } => {
                format!("Field 'tx_json.{field}' has invalid data.")
            }
            other => other.to_string(),
        })
    })
}

/// Fills in Sequence and Fee where they are missing, as xrpld does.
pub(super) fn autofill(call: &Call<'_>, tx: &mut Object, node: &Node) -> Result<(), RpcError> {
    let account = tx.account(fields::ACCOUNT).unwrap_or_default();
    let root = source(node, account)?;
    if !tx.contains(fields::FEE) {
        let fee = node.current().info().fees.base;
        let limit = fee_limit(call, fee)?;
        // What the queue asks for now.
        let asked = node.queue_metrics().open_ledger_fee().max(fee);
        if asked > limit {
            let text = format!("Fee of {asked} exceeds the requested tx limit of {limit}");
            return Err(RpcError::new("highFee", 11, text));
        }
        tx.set(fields::FEE, Value::Amount(xrpl_protocol::Amount::Xrp(asked.cast_signed())));
    }
    if !tx.contains(fields::SEQUENCE) {
        let next = node.next_sequence(account, &root);
        let sequence = if tx.contains(fields::TICKET_SEQUENCE) { 0 } else { next };
        tx.set(fields::SEQUENCE, Value::UInt32(sequence));
    }
    Ok(())
}

/// The most that `fee_mult_max` and `fee_div_max` allow.
fn fee_limit(call: &Call<'_>, fee: u64) -> Result<u64, RpcError> {
    let factor = |key: &str, default: u64| match call.params.get(key) {
        None => Ok(default),
        Some(json) => json.as_u64().ok_or_else(|| {
            let text = format!("Invalid field '{key}', not a positive integer.");
            RpcError::new("highFee", 11, text)
        }),
    };
    let (times, parts) = (factor("fee_mult_max", 10)?, factor("fee_div_max", 1)?);
    Ok(fee.saturating_mul(times) / parts.max(1))
}

fn source(node: &Node, account: AccountId) -> Result<crate::ledger::Entry, RpcError> {
    let root = node.current().account(account);
    root.ok_or_else(|| RpcError::new("srcActNotFound", 67, "Source account not found."))
}

/// Signs `tx_json` with the secret that comes with it.
pub(super) fn sign_given(call: &Call<'_>) -> Result<signing::SignedTransaction, RpcError> {
    let key = key_pair(call)?;
    let mut tx = given_tx(call)?;
    if call.flag("offline") {
        for needed in [(fields::SEQUENCE, "Sequence"), (fields::FEE, "Fee")] {
            if !tx.contains(needed.0) {
                return Err(RpcError::missing(&format!("tx_json.{}", needed.1)));
            }
        }
        return Ok(signing::sign(tx, &key));
    }
    let node = call.shared.node();
    let account = tx.account(fields::ACCOUNT).unwrap_or_default();
    let root = source(&node, account)?;
    let signer = key.account_id();
    let is_master = signer == account;
    if is_master && root.u32(fields::FLAGS).unwrap_or(0) & MASTER_DISABLED != 0 {
        return Err(RpcError::new("masterDisabled", 17, "Master key is disabled."));
    }
    if !is_master && root.account(fields::REGULAR_KEY) != Some(signer) {
        return Err(RpcError::new("badSecret", 43, "Secret does not match account."));
    }
    autofill(call, &mut tx, &node)?;
    Ok(signing::sign(tx, &key))
}

/// Adds one signature to those that a multi-signed transaction has.
fn multisign_given(call: &Call<'_>) -> Result<signing::SignedTransaction, RpcError> {
    let signer = match call.params.get("account") {
        None => return Err(RpcError::missing("account")),
        Some(_) => call.account("account")?,
    };
    let key = key_pair(call)?;
    let tx = given_tx(call)?;
    for (field, name) in [(fields::SEQUENCE, "Sequence"), (fields::FEE, "Fee")] {
        if !tx.contains(field) {
            return Err(RpcError::missing(&format!("tx_json.{name}")));
        }
    }
    let mut signers: Vec<Object> = tx
        .array(fields::SIGNERS)
        .unwrap_or_default()
        .iter()
        .map(|(_, signer)| signer.clone())
        .filter(|other| other.account(fields::ACCOUNT) != Some(signer))
        .collect();
    signers.push(signing::multisign_one(&tx, signer, &key));
    Ok(signing::combine_multisigned(tx, signers))
}
