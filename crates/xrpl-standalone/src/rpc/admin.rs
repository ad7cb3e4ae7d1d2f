//! What administrators ask a server: most of it about peers and validators, of which there are none.

use serde_json::json;
use xrpl_protocol::base58;

use super::{Answer, Call, RpcError, convert::text_of, object};

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
