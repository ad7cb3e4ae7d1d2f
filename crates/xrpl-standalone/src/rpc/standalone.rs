//! What xrpld has no method for: how ledgers close, the clock, going back. All of these begin with
//! [`PREFIX`] and are for administrators. `docs/standalone.md` is their reference.

use std::{ops::RangeInclusive, time::Duration};

use serde_json::{Map, Value as Json, json};

use super::{Answer, Call, Looked, RpcError, object, shape};
use crate::{
    server::{Closing, EndOfTime},
    state,
};

/// What the names of these methods begin with.
pub(super) const PREFIX: &str = "standalone_";

/// Ledgers that one call may close.
const MOST_CLOSED: u32 = 10_000;

pub(super) fn handle(call: &Call<'_>, method: &str) -> Answer {
    match &method[PREFIX.len()..] {
        "info" => info(call),
        "accounts" => accounts(call),
        "set_closing" => set_closing(call),
        "close" => close(call),
        "advance_time" => advance_time(call),
        "set_next_close_time" => set_next_close_time(call),
        "snapshot" => snapshot(call),
        "snapshots" => snapshots(call),
        "revert" => revert(call),
        "drop_snapshot" => drop_snapshot(call),
        "export_state" => export_state(call),
        _ => Err(RpcError::new("unknownCmd", 32, "Unknown method.")),
    }
}

fn text<'a>(call: &'a Call<'_>, key: &str) -> Result<Option<&'a str>, RpcError> {
    match call.params.get(key) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(RpcError::not(key, "string")),
    }
}

/// A whole number within bounds, if it is given.
fn number(
    call: &Call<'_>,
    key: &str,
    bounds: RangeInclusive<u32>,
) -> Result<Option<u32>, RpcError> {
    let Some(json) = call.params.get(key) else { return Ok(None) };
    let number = json.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| bounds.contains(n));
    number.map(Some).ok_or_else(|| {
        let (least, most) = bounds.into_inner();
        RpcError::not(key, &format!("a whole number from {least} to {most}"))
    })
}

/// A time in seconds since 2000-01-01, or a number of seconds.
fn seconds(call: &Call<'_>, key: &str) -> Result<Option<u32>, RpcError> {
    number(call, key, 0..=u32::MAX)
}

fn required_seconds(call: &Call<'_>, key: &str) -> Result<u32, RpcError> {
    seconds(call, key)?.ok_or_else(|| RpcError::missing(key))
}

/// What is answered where no ledger can close any more.
pub(super) fn end_of_time(error: EndOfTime) -> RpcError {
    RpcError::invalid(format!("No ledger can close so: {error}."))
}

fn shown_closing(closing: Closing) -> Json {
    match closing {
        Closing::Interval(interval) => {
            json!({"mode": "interval", "interval_ms": interval.as_millis() as u64})
        }
        Closing::Manual => json!({"mode": "manual"}),
        Closing::OnSubmit => json!({"mode": "on-submit"}),
    }
}

/// The newest ledger, which most of these answer with.
fn newest(call: &Call<'_>) -> Map<String, Json> {
    let node = call.shared.node();
    let header = &node.closed().header;
    object(json!({
        "close_time": header.close_time,
        "close_time_iso": shape::iso_time(header.close_time),
        "ledger_hash": header.hash.to_string(),
        "ledger_index": header.index,
    }))
}

fn info(call: &Call<'_>) -> Answer {
    let shared = call.shared;
    let mut answer = newest(call);
    answer.insert("closing".into(), shown_closing(shared.closing()));
    answer.insert("clock".into(), shared.now().into());
    answer.insert("clock_ahead".into(), shared.clock.ahead().into());
    answer.insert("network_id".into(), shared.node().network_id().into());
    answer.insert("faucet".into(), shared.faucet_address().into());
    Ok(answer)
}

fn accounts(call: &Call<'_>) -> Answer {
    let shown = call.shared.accounts.iter().map(|account| {
        json!({
            "address": account.address.to_string(),
            "key_type": account.seed.key_type().to_string(),
            "seed": account.seed.to_base58(),
        })
    });
    Ok(object(json!({"accounts": shown.collect::<Vec<_>>()})))
}

fn set_closing(call: &Call<'_>) -> Answer {
    let mode = text(call, "mode")?.ok_or_else(|| RpcError::missing("mode"))?;
    let interval = number(call, "interval_ms", 1..=u32::MAX)?;
    let closing = match (mode, interval) {
        ("manual", None) => Closing::Manual,
        ("on-submit", None) => Closing::OnSubmit,
        ("interval", Some(ms)) => Closing::Interval(Duration::from_millis(ms.into())),
        ("interval", None) => return Err(RpcError::missing("interval_ms")),
        ("manual" | "on-submit", Some(_)) => return Err(RpcError::invalid_field("interval_ms")),
        _ => return Err(RpcError::not("mode", "interval, manual or on-submit")),
    };
    call.shared.set_closing(closing);
    Ok(object(json!({"closing": shown_closing(closing)})))
}

/// Closes ledgers, the clock going on by so many seconds before each.
fn close(call: &Call<'_>) -> Answer {
    let count = number(call, "count", 1..=MOST_CLOSED)?.unwrap_or(1);
    let seconds = seconds(call, "seconds")?.unwrap_or(0);
    call.shared.time_for(count, seconds).map_err(end_of_time)?;
    for _ in 0..count {
        call.shared.advance(seconds).map_err(end_of_time)?;
        call.shared.accept().map_err(end_of_time)?;
    }
    Ok(newest(call))
}

/// Puts the clock forward and, unless told not to, closes a ledger, so that the time is the
/// ledger's: it is the close time of the last ledger by which transactors judge what has expired.
fn advance_time(call: &Call<'_>) -> Answer {
    let seconds = required_seconds(call, "seconds")?;
    let close = match call.params.get("close") {
        None => true,
        Some(Json::Bool(close)) => *close,
        Some(_) => return Err(RpcError::not("close", "boolean")),
    };
    call.shared.time_for(close.into(), seconds).map_err(end_of_time)?;
    call.shared.advance(seconds).map_err(end_of_time)?;
    if close {
        call.shared.accept().map_err(end_of_time)?;
    }
    let mut answer = newest(call);
    answer.insert("clock".into(), call.shared.now().into());
    Ok(answer)
}

fn set_next_close_time(call: &Call<'_>) -> Answer {
    let close_time = required_seconds(call, "close_time")?;
    call.shared.set_next_close_time(close_time).map_err(|last| {
        RpcError::invalid(format!(
            "Invalid field 'close_time': the last ledger closed at {last}, and the next must close \
             later."
        ))
    })?;
    Ok(object(json!({"close_time": close_time, "close_time_iso": shape::iso_time(close_time)})))
}

fn name_of<'a>(call: &'a Call<'_>) -> Result<Option<&'a str>, RpcError> {
    match text(call, "snapshot")? {
        Some("") => Err(RpcError::invalid_field("snapshot")),
        name => Ok(name),
    }
}

fn named<'a>(call: &'a Call<'_>) -> Result<&'a str, RpcError> {
    name_of(call)?.ok_or_else(|| RpcError::missing("snapshot"))
}

fn no_snapshot(name: &str) -> RpcError {
    RpcError::invalid(format!(
        "There is no snapshot named '{name}'; standalone_snapshots lists those there are."
    ))
}

fn snapshot(call: &Call<'_>) -> Answer {
    let name = call.shared.take_snapshot(name_of(call)?).map_err(|name| {
        RpcError::invalid(format!(
            "There is a snapshot named '{name}' already: standalone_drop_snapshot drops it."
        ))
    })?;
    let mut answer = newest(call);
    answer.insert("snapshot".into(), name.into());
    Ok(answer)
}

fn snapshots(call: &Call<'_>) -> Answer {
    let shown = call.shared.snapshots().into_iter().map(|(name, ledger)| {
        json!({
            "snapshot": name,
            "ledger_hash": ledger.header.hash.to_string(),
            "ledger_index": ledger.header.index,
        })
    });
    Ok(object(json!({"snapshots": shown.collect::<Vec<_>>()})))
}

fn revert(call: &Call<'_>) -> Answer {
    let name = named(call)?;
    let dropped = call.shared.revert_to(name).ok_or_else(|| no_snapshot(name))?;
    let mut answer = newest(call);
    answer.insert("dropped".into(), dropped.into());
    Ok(answer)
}

fn drop_snapshot(call: &Call<'_>) -> Answer {
    let name = named(call)?;
    match call.shared.drop_snapshot(name) {
        true => Ok(object(json!({"dropped": name}))),
        false => Err(no_snapshot(name)),
    }
}

/// A closed ledger as JSON with which a server can begin; the newest if none is named.
fn export_state(call: &Call<'_>) -> Answer {
    let named =
        ["ledger_index", "ledger_hash", "ledger"].iter().any(|k| call.params.contains_key(*k));
    let ledger = {
        let node = call.shared.node();
        match named {
            false => std::sync::Arc::clone(node.closed()),
            true => match call.ledger(&node)? {
                Looked::Closed(ledger) => ledger,
                Looked::Open(_) => {
                    return Err(RpcError::invalid("The open ledger has no state yet."));
                }
            },
        }
    };
    let network_id = call.shared.node().network_id();
    let exported = state::export(&ledger, network_id);
    exported.map(object).map_err(|partial| RpcError::invalid(format!("Not exported: {partial}.")))
}
