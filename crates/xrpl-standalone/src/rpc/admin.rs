//! What administrators ask a server: most of it about peers and validators, of which there are none.

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{base58, hash::sha512_half};

use super::{Answer, Call, RpcError, convert::text_of, object};
use crate::{
    ledger::{Amendment, ReadView as _},
    node::Node,
};

/// Names of amendments that were retired: their rules hold for ever.
const OBSOLETE: &str = include_str!("../../data/obsolete_amendments.txt");

/// Every amendment that this ledger supports or has enabled, by its id.
fn amendments(node: &Node) -> Vec<(String, Json)> {
    let on = node.validated().rules().ids();
    let known = Amendment::all().filter_map(|amendment| {
        let enabled = on.contains(&amendment.id());
        if !enabled && !amendment.is_supported() {
            return None;
        }
        let mut about = json!({
            "enabled": enabled, "name": amendment.name(), "supported": amendment.is_supported(),
        });
        if !enabled {
            about["vetoed"] = (!amendment.votes_yes()).into();
        }
        Some((amendment.id().to_string(), about))
    });
    // An amendment's id is the hash of its name.
    let obsolete = OBSOLETE.lines().map(|name| {
        let about =
            json!({"enabled": false, "name": name, "supported": true, "vetoed": "Obsolete"});
        (sha512_half(&[name.as_bytes()]).to_string(), about)
    });
    known.chain(obsolete).collect()
}

pub(super) fn feature(call: &Call<'_>) -> Answer {
    let known = amendments(&call.shared.node());
    match call.params.get("feature") {
        None => Ok(object(json!({"features": Map::from_iter(known)}))),
        Some(Json::String(wanted)) => known
            .into_iter()
            .find(|(id, about)| id == wanted || about["name"] == *wanted)
            .map(|found| Map::from_iter([found]))
            .ok_or_else(|| RpcError::new("badFeature", 40, "Feature unknown or invalid.")),
        Some(_) => Err(RpcError::invalid("Invalid parameters.")),
    }
}

pub(super) fn peers(_: &Call<'_>) -> Answer {
    Ok(object(json!({"cluster": {}, "peers": null})))
}

pub(super) fn validators(_: &Call<'_>) -> Answer {
    Ok(object(json!({
        "local_static_keys": [],
        "publisher_lists": [],
        "signing_keys": {},
        "trusted_validator_keys": [],
        "validation_quorum": 0,
        "validator_list": {
            "count": 0, "expiration": "unknown", "status": "unknown", "validator_list_threshold": 1,
        },
    })))
}

pub(super) fn consensus_info(call: &Call<'_>) -> Answer {
    let node = call.shared.node();
    Ok(object(json!({"info": {
        "ledger_seq": node.closed().header.index,
        "phase": "accepted",
        "previous_proposers": 0,
        "proposers": 0,
        "proposing": false,
        "synched": true,
        "validating": false,
    }})))
}

pub(super) fn log_level(_: &Call<'_>) -> Answer {
    Ok(object(json!({"levels": {"base": "Warning"}})))
}

pub(super) fn get_counts(call: &Call<'_>) -> Answer {
    Ok(object(json!({"uptime": format!("{} seconds", call.shared.uptime().as_secs())})))
}

pub(super) fn manifest(call: &Call<'_>) -> Answer {
    let key = call.params.get("public_key").ok_or_else(|| RpcError::missing("public_key"))?;
    let key = text_of(key)?;
    base58::decode::<33>(base58::NODE_PUBLIC, &key).map_err(|_| {
        RpcError::invalid("Invalid parameters.").with("requested", key.as_str().into())
    })?;
    Ok(object(json!({"requested": key})))
}
