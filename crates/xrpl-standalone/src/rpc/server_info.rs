//! The server about itself.

use rand::RngExt as _;
use serde_json::{Value as Json, json};
use xrpl_protocol::{
    base58,
    keys::{KeyPair, KeyType, Seed},
};

use super::{Answer, Call, RpcError, object};

/// xrpld's version that this ledger was measured against.
const BUILD_VERSION: &str = "3.3.0-b0";

fn common(call: &Call<'_>) -> Json {
    let shared = call.shared;
    let uptime = shared.uptime();
    let micros = uptime.as_micros().to_string();
    let (low, high) = shared.node().range();
    let low = low.max(2);
    let range = if low == high { low.to_string() } else { format!("{low}-{high}") };
    let never = json!({"duration_us": "0", "transitions": "0"});
    json!({
        "build_version": BUILD_VERSION,
        "complete_ledgers": range,
        "initial_sync_duration_us": "0",
        "io_latency_ms": 1,
        "jq_trans_overflow": "0",
        "load": {"job_types": [], "threads": 1},
        "network_id": shared.node().network_id(),
        "node_size": "medium",
        "peer_disconnects": "0",
        "peer_disconnects_resources": "0",
        "peers": 0,
        "ports": shared.ports(),
        "pubkey_node": shared.node_key,
        "server_state": "full",
        "server_state_duration_us": micros,
        "state_accounting": {
            "connected": never, "disconnected": never, "syncing": never, "tracking": never,
            "full": {"duration_us": micros, "transitions": "1"},
        },
        "time": format!("{} UTC", super::shape::human_time(shared.now()).trim_end_matches(" UTC")),
        "uptime": uptime.as_secs(),
        "pubkey_validator": "none",
        "validation_quorum": 0,
    })
}

pub(super) fn server_info(call: &Call<'_>) -> Answer {
    let mut info = object(common(call));
    let node = call.shared.node();
    let ledger = node.validated();
    let xrp = |drops: u64| {
        let value = drops as f64 / 1e6;
        // Whole numbers are written without a fraction, as xrpld does.
        if value.fract() == 0.0 { json!(value as u64) } else { json!(value) }
    };
    let fees = node.server_fees();
    let share = |level: u64, of: u64| {
        let factor = level as f64 / of as f64;
        if factor.fract() == 0.0 { json!(factor as u64) } else { json!(factor) }
    };
    let (factor, base) = (fees.load_factor(), u64::from(fees.load_base));
    let server = u64::from(fees.load_factor_server);
    // What the factor is made of, where it is not one.
    if server != factor {
        info.insert("load_factor_server".into(), share(server, base));
    }
    for (key, level) in [
        ("load_factor_fee_escalation", fees.open_ledger_level),
        ("load_factor_fee_queue", fees.queue_level),
    ] {
        if level != fees.reference_level {
            info.insert(key.into(), share(level, fees.reference_level));
        }
    }
    for (key, value) in [
        ("hostid", json!("embedded")),
        ("last_close", json!({"converge_time_s": 0, "proposers": 0})),
        ("load_factor", share(factor, base)),
        ("validator_list", json!({"count": 0, "expiration": "unknown", "status": "unknown"})),
        (
            "validated_ledger",
            json!({
                "age": call.shared.now().saturating_sub(ledger.header.close_time),
                "base_fee_xrp": xrp(ledger.fees.base),
                "hash": ledger.header.hash.to_string(),
                "reserve_base_xrp": xrp(ledger.fees.reserve),
                "reserve_inc_xrp": xrp(ledger.fees.increment),
                "seq": ledger.header.index,
            }),
        ),
    ] {
        info.insert(key.into(), value);
    }
    Ok(object(json!({"info": info})))
}

pub(super) fn server_state(call: &Call<'_>) -> Answer {
    let mut state = object(common(call));
    let node = call.shared.node();
    let (ledger, fees) = (node.validated(), node.server_fees());
    for (key, value) in [
        ("last_close", json!({"converge_time": 0, "proposers": 0})),
        ("load_base", json!(fees.load_base)),
        ("load_factor", json!(fees.load_factor())),
        ("load_factor_fee_escalation", json!(fees.open_ledger_level)),
        ("load_factor_fee_queue", json!(fees.queue_level)),
        ("load_factor_fee_reference", json!(fees.reference_level)),
        ("load_factor_server", json!(fees.load_factor_server)),
        ("validator_list_expires", json!(0)),
        (
            "validated_ledger",
            json!({
                "base_fee": ledger.fees.base,
                "close_time": ledger.header.close_time,
                "hash": ledger.header.hash.to_string(),
                "reserve_base": ledger.fees.reserve,
                "reserve_inc": ledger.fees.increment,
                "seq": ledger.header.index,
            }),
        ),
    ] {
        state.insert(key.into(), value);
    }
    Ok(object(json!({"state": state})))
}

pub(super) fn fee(call: &Call<'_>) -> Answer {
    let node = call.shared.node();
    let metrics = node.queue_metrics();
    let mut answer = object(json!({
        "current_ledger_size": metrics.in_ledger.to_string(),
        "current_queue_size": metrics.queued.to_string(),
        "drops": {
            "base_fee": metrics.base_fee.to_string(),
            "median_fee": metrics.median_fee().to_string(),
            "minimum_fee": metrics.minimum_fee().to_string(),
            "open_ledger_fee": metrics.open_ledger_fee().to_string(),
        },
        "expected_ledger_size": metrics.expected.to_string(),
        "ledger_current_index": node.current_index(),
        "levels": {
            "median_level": metrics.median_level.to_string(),
            "minimum_level": metrics.minimum_level.to_string(),
            "open_ledger_level": metrics.open_ledger_level.to_string(),
            "reference_level": metrics.reference_level.to_string(),
        },
    }));
    if let Some(max) = metrics.max_queued {
        answer.insert("max_queue_size".into(), max.to_string().into());
    }
    Ok(answer)
}

pub(super) fn version(_: &Call<'_>) -> Answer {
    Ok(object(json!({"version": {"first": "1.0.0", "good": "1.0.0", "last": "1.0.0"}})))
}

pub(super) fn server_definitions(call: &Call<'_>) -> Answer {
    let all = xrpl_protocol::Definitions::builtin_json();
    match call.params.get("hash") {
        None => Ok(object(all.clone())),
        Some(hash) if *hash == all["hash"] => Ok(object(json!({"hash": hash}))),
        Some(Json::String(text)) if text.parse::<xrpl_protocol::Hash256>().is_ok() => {
            Ok(object(all.clone()))
        }
        Some(_) => Err(RpcError::invalid_field("hash")),
    }
}

pub(super) fn random(_: &Call<'_>) -> Answer {
    let bytes: [u8; 32] = rand::rng().random();
    Ok(object(json!({"random": const_hex::encode_upper(bytes)})))
}

pub(super) fn wallet_propose(call: &Call<'_>) -> Answer {
    let bad = || RpcError::new("badSeed", 44, "Disallowed seed.");
    let key_type = match call.params.get("key_type") {
        None => KeyType::Secp256k1,
        Some(name) => name
            .as_str()
            .and_then(|name| name.parse().ok())
            .ok_or_else(|| RpcError::invalid("Invalid parameters."))?,
    };
    let sources = ["passphrase", "seed", "seed_hex"];
    if sources.iter().filter(|key| call.params.contains_key(**key)).count() > 1 {
        return Err(RpcError::invalid(
            "Exactly one of the following must be specified: passphrase, seed or seed_hex",
        ));
    }
    let mut warning = None;
    let seed = if let Some(text) = call.text("seed")? {
        text.parse::<Seed>().map_err(|_| bad())?.with_key_type(key_type)
    } else if let Some(text) = call.text("passphrase")? {
        match text.parse::<Seed>() {
            Ok(seed) => seed.with_key_type(key_type),
            Err(_) => {
                warning = Some(match entropy(text) < 80.0 {
                    true => {
                        "This wallet was generated using a user-supplied passphrase that has low \
                         entropy and is vulnerable to brute-force attacks."
                    }
                    false => {
                        "This wallet was generated using a user-supplied passphrase. It may be \
                         vulnerable to brute-force attacks."
                    }
                });
                Seed::from_passphrase(text, key_type)
            }
        }
    } else if let Some(hex) = call.text("seed_hex")? {
        let entropy =
            const_hex::decode(hex).ok().and_then(|b| b.try_into().ok()).ok_or_else(bad)?;
        Seed::from_entropy(entropy, key_type)
    } else {
        Seed::from_entropy(rand::rng().random(), key_type)
    };
    let pair = KeyPair::from_seed(&seed);
    let mut answer = object(json!({
        "account_id": pair.account_id().to_string(),
        "key_type": key_type.to_string(),
        // xrpld shows the family form of the seed whatever the key type.
        "master_seed": seed.with_key_type(KeyType::Secp256k1).to_base58(),
        "master_seed_hex": const_hex::encode_upper(seed.entropy()),
        "public_key": base58::encode(base58::ACCOUNT_PUBLIC, &pair.public_key().0),
        "public_key_hex": pair.public_key().to_string(),
    }));
    if let Some(warning) = warning {
        answer.insert("warning".into(), warning.into());
    }
    Ok(answer)
}

/// Bits of entropy that the letters of a text have at most.
fn entropy(text: &str) -> f64 {
    let mut counts = [0u32; 256];
    text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let length = text.len() as f64;
    let of = |n: &u32| {
        let share = f64::from(*n) / length;
        -share * share.log2()
    };
    counts.iter().filter(|n| **n > 0).map(of).sum::<f64>() * length
}
