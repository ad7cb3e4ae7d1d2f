//! The server about itself.

use super::{Answer, Call, RpcError, object};
use crate::ledger::{Impersonated, ReadView as _};
use rand::RngExt as _;
use serde_json::{Map, Value as Json, json};

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

/// What makes this ledger none that a network would have.
fn peculiar(call: &Call<'_>) -> Option<Json> {
    let fork = call.shared.fork().map(|fork| {
        json!({
            "ledger_hash": fork.header().hash.to_string(),
            "ledger_index": fork.header().index,
            "url": fork.url(),
        })
    });
    let impersonated = match call.shared.node().current().rules().impersonated() {
        Impersonated::Nobody => None,
        Impersonated::These(accounts) => {
            let accounts = accounts.iter().map(|account| account.to_string());
            Some(json!(accounts.collect::<Vec<_>>()))
        }
        Impersonated::Everybody => Some(json!("all")),
    };
    let unknown = call.shared.node().current().rules().unknown();
    let unknown = (!unknown.is_empty())
        .then(|| unknown.iter().map(|id| Json::from(id.to_string())).collect::<Json>());
    let members = [("fork", fork), ("impersonated", impersonated), ("unknown_amendments", unknown)];
    let members = members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    let members: Map<String, Json> = members.collect();
    (!members.is_empty()).then_some(Json::Object(members))
}

pub(super) fn server_info(call: &Call<'_>) -> Answer {
    let mut info = object(common(call));
    if let Some(peculiar) = peculiar(call) {
        info.insert("standalone".into(), peculiar);
    }
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
        ("last_close", json!({"converge_time_s": 0.1, "proposers": 0})),
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
        ("last_close", json!({"converge_time": 100, "proposers": 0})),
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
