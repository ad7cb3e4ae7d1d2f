//! Judges what a node answered. Nothing here asks anything.
//!
//! What is read is `server_state`
//! (<https://xrpl.org/docs/references/http-websocket-apis/public-api-methods/server-info-methods/server_state>)
//! and what stands beside it.

use std::time::Duration;

use serde_json::Value as Json;
use xrpl_client::{ClientError, response};
use xrpl_protocol::{Drops, Hash256};

use super::Check;
use crate::{config::values::ripple_time, words};

/// How far a node's clock may be from this machine's.
const CLOCK_APART: i64 = 5;
/// How old the newest validated ledger may be: consensus takes three to five seconds.
const OLDEST_LEDGER: i64 = 30;
/// How many ledgers nodes may be apart before requests go to the others only.
const MOST_LAG: u32 = 3;
/// The network that XRP is worth money on.
const MAINNET: u64 = 0;
/// No test network is that old; the main network was there in 2018.
const MAINNET_LEDGER: u64 = 40_000_000;

/// The newest validated ledger of a node, and the network that it says it is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Its host and port.
    pub name: String,
    /// NetworkID.
    pub network: u64,
    /// Index of the ledger.
    pub index: u32,
    /// The hash that it has for the newest ledger that all nodes have validated.
    pub common: Option<Hash256>,
}

/// Why a port could not be used.
#[must_use]
pub fn unreachable(check: &'static str, flag: &str, error: &ClientError) -> Check {
    let text = error.to_string();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let fix = if has(&["certificate"]) {
        "trust its certificate's authority: give it with SSL_CERT_FILE, or use a host name that the \
         certificate names"
            .to_owned()
    } else if has(&[
        "corrupt message",
        "InvalidContentType",
        "handshake eof",
        "received fatal alert",
    ]) {
        format!(
            "that port does not speak TLS: use http:// and ws://, or the node's TLS port in {flag}"
        )
    } else if has(&["refused"]) {
        format!(
            "nothing listens there: start xrpld (or `xrpl-workload standalone`), or give its address \
             with {flag}"
        )
    } else if has(&["lookup", "Name or service"]) {
        format!("the host name is unknown: correct it in {flag}")
    } else if matches!(error, ClientError::TurnedAway { status: 401 | 403, .. }) {
        "add this machine to the `admin` addresses of the port in xrpld.cfg, or remove its user and \
         password"
            .to_owned()
    } else if matches!(error, ClientError::TurnedAway { .. }) || has(&["slowDown", "tooBusy"]) {
        "the node limits this machine's requests: wait, or add it to `admin` of the port in xrpld.cfg"
            .to_owned()
    } else if has(&["no answer within", "timed out"]) {
        "the host is reached but does not answer in time: check whether xrpld hangs, or whether a \
         firewall drops the connection"
            .to_owned()
    } else {
        format!(
            "what listens there is not xrpld, or is another of its ports: give the address of its \
             [port_rpc_...] or [port_ws_...] with {flag}"
        )
    };
    Check::error(check, text, fix)
}

/// Whether it follows its network.
#[must_use]
pub fn synced(state: &Json, now: i64) -> Check {
    let name = state["server_state"].as_str().unwrap_or("unknown");
    let Some(index) = state["validated_ledger"]["seq"].as_u64() else {
        return Check::error(
            "synced",
            format!("state {name}, no validated ledger"),
            "wait until the node has synced: `server_info` shows server_state full",
        );
    };
    if state["amendment_blocked"] == true {
        return Check::error(
            "synced",
            "amendment blocked: it does not know the rules of its network",
            "upgrade xrpld",
        );
    }
    if !matches!(name, "full" | "proposing" | "validating") {
        return Check::error(
            "synced",
            format!("state {name}, validated ledger {index}"),
            "wait until the node has synced: `server_info` shows server_state full",
        );
    }
    let closed = state["validated_ledger"]["close_time"].as_i64().unwrap_or(now);
    match now - closed {
        age if age > OLDEST_LEDGER => Check::warning(
            "synced",
            format!("state {name}, but validated ledger {index} is {age} s old"),
            "check that the network produces ledgers: its validators, or `ledger_accept` of a \
             standalone node",
        ),
        _ => Check::ok("synced", format!("state {name}, validated ledger {index}")),
    }
}

/// The version, and where it differs from what this program has built in.
#[must_use]
pub fn version(state: &Json, definitions: Option<String>) -> Check {
    let version = state["build_version"].as_str().or(state["clio_version"].as_str());
    let version = version.unwrap_or("not reported");
    match definitions {
        None => Check::ok("version", version),
        Some(note) => Check::warning(
            "version",
            format!("{version}; {note}"),
            "the run uses the node's definitions; a newer xrpl-workload may know more types",
        ),
    }
}

/// Which network it is, and whether that is the one that was asked for.
#[must_use]
pub fn network(state: &Json, asked: Option<u32>) -> Check {
    let id = state["network_id"].as_u64().unwrap_or(MAINNET);
    let newest = state["validated_ledger"]["seq"].as_u64().unwrap_or(0);
    match asked {
        Some(asked) if u64::from(asked) != id => Check::error(
            "network",
            format!("NetworkID {id}, and --network-id {asked} was given"),
            format!("leave --network-id out, or give {id}; or give another node"),
        ),
        _ if id == MAINNET && newest > MAINNET_LEDGER => Check::warning(
            "network",
            "NetworkID 0 with the main network's history: fees and reserves are real money",
            "use a test network, such as wss://s.altnet.rippletest.net:51233",
        ),
        _ => Check::ok("network", format!("NetworkID {id}")),
    }
}

/// What a transaction costs, and whether there is room in the queue.
#[must_use]
pub fn fees(fee: &response::Fee) -> Check {
    let (base, open) = (fee.drops.base_fee.0, fee.drops.open_ledger_fee.0);
    let queue = match (fee.current_queue_size, fee.max_queue_size) {
        (Some(now), Some(most)) => format!(", {now} of {most} in the queue"),
        _ => String::new(),
    };
    let text = format!("base fee {base} drops, open ledger {open}{queue}");
    let is_full =
        fee.max_queue_size.zip(fee.current_queue_size).is_some_and(|(most, now)| now >= most);
    if is_full {
        return Check::warning(
            "fees",
            text,
            "the queue is full: wait, or give --fee-strategy open_ledger",
        );
    }
    match open > base {
        true => Check::warning(
            "fees",
            text,
            "fees escalate now: transactions wait in the queue. Wait, or give --fee-strategy open_ledger",
        ),
        false => Check::ok("fees", text),
    }
}

/// What an account must hold, against what each gets.
#[must_use]
pub fn reserves(state: &Json, fund_drops: Option<u64>) -> Check {
    let ledger = &state["validated_ledger"];
    let (base, increment) =
        (ledger["reserve_base"].as_u64().unwrap_or(0), ledger["reserve_inc"].as_u64().unwrap_or(0));
    let text = format!("account reserve {base} drops, {increment} for each object owned");
    // An account with a few objects, and something to pay with.
    let needed = base + 10 * increment;
    match fund_drops {
        Some(given) if given < base => Check::error(
            "reserves",
            format!("{text}; --fund-drops {given} is too little to create an account"),
            format!("give --fund-drops {needed} or more"),
        ),
        Some(given) if given < needed => Check::warning(
            "reserves",
            format!("{text}; --fund-drops {given} leaves little to own objects with"),
            format!("give --fund-drops {needed} or more"),
        ),
        _ => Check::ok("reserves", text),
    }
}

/// The validated ledgers it keeps; what was missed on a stream is read from these.
#[must_use]
pub fn history(state: &Json, needed: u32) -> Check {
    let kept = state["complete_ledgers"].as_str().unwrap_or("");
    let newest = state["validated_ledger"]["seq"].as_u64().and_then(|n| u32::try_from(n).ok());
    let ranges: Vec<_> = kept.split(',').filter_map(range).collect();
    let last = ranges.iter().find(|(_, last)| newest.is_none_or(|newest| *last >= newest));
    let fix = "raise `ledger_history` and `online_delete` in xrpld.cfg, or wait until the node has \
               read back its history";
    let Some((first, last)) = last else {
        return Check::error(
            "history",
            format!("complete_ledgers is {kept:?}, without the newest validated ledger"),
            fix,
        );
    };
    let length = last - first + 1;
    let ledgers = if length == 1 { "ledger" } else { "ledgers" };
    // A young chain has no more.
    match length < needed && *first > 2 {
        true => Check::warning(
            "history",
            format!(
                "{length} {ledgers} ({kept}): a transaction that is missed for longer than that cannot \
                 be decided"
            ),
            fix,
        ),
        false => Check::ok("history", format!("{length} {ledgers} ({kept})")),
    }
}

fn range(text: &str) -> Option<(u32, u32)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then_some((first, last))
}

/// Its clock against this machine's; `now` in seconds since 2000-01-01.
#[must_use]
pub fn clock(state: &Json, now: i64) -> Check {
    let Some(theirs) = state["time"].as_str().and_then(time) else {
        return Check::ok("clock", "not reported");
    };
    match theirs - now {
        apart if apart.abs() > CLOCK_APART => Check::warning(
            "clock",
            format!(
                "{} s {} of this machine's",
                apart.abs(),
                if apart > 0 { "ahead" } else { "behind" }
            ),
            "set both by NTP: times in reports, and Expiration and FinishAfter, go by the ledger's \
             clock",
        ),
        apart => Check::ok("clock", format!("within {} s of this machine's", apart.abs().max(1))),
    }
}

/// `2026-Nov-26 16:34:57.123456 UTC` in seconds since 2000-01-01.
fn time(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split(' ');
    let (date, time) = (words.next()?, words.next()?);
    let mut date = date.split('-');
    let (year, month, day) = (date.next()?, date.next()?, date.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let time = time.split('.').next()?;
    ripple_time(&format!("{year}-{month:02}-{day}T{time}Z")).ok().map(i64::from)
}

/// What the node makes of this machine, on both ports: answers to `ping`
/// (<https://xrpl.org/docs/references/http-websocket-apis/public-api-methods/utility-methods/ping>).
#[must_use]
pub fn role(rpc: &Json, ws: &Json) -> [Check; 2] {
    let is_admin = |ping: &Json| ping["role"] == "admin";
    let word = |ping: &Json| ping["role"].as_str().unwrap_or("guest").to_owned();
    // A run needs no admin method.
    let role = Check::ok("role", format!("JSON-RPC {}, WebSocket {}", word(rpc), word(ws)));
    let unlimited = is_admin(rpc) && (is_admin(ws) || ws["unlimited"] == true);
    let limits = match unlimited {
        true => Check::ok("limits", "none on this machine's requests and streams"),
        false => Check::warning(
            "limits",
            "requests and streams of this machine are limited: under load the node answers slowDown \
             or ends the stream",
            "add this machine's address to `admin` of both ports in xrpld.cfg, or keep --tps low",
        ),
    };
    [role, limits]
}

/// Whether both addresses are of one node. `rpc` and `ws` are its `server_state` over either,
/// `hashes` what either has for one ledger.
#[must_use]
pub fn same_node(rpc: &Json, ws: &Json, hashes: Option<(Hash256, Hash256)>) -> Check {
    let fix = "give each node's --rpc and --ws in the same order";
    let network = |state: &Json| state["network_id"].as_u64().unwrap_or(MAINNET);
    if network(rpc) != network(ws) {
        let (rpc, ws) = (network(rpc), network(ws));
        return Check::error(
            "same node",
            format!("JSON-RPC is on NetworkID {rpc}, WebSocket on {ws}"),
            fix,
        );
    }
    if hashes.is_some_and(|(rpc, ws)| rpc != ws) {
        return Check::error("same node", "JSON-RPC and WebSocket follow different chains", fix);
    }
    let key = |state: &Json| state["pubkey_node"].as_str().map(str::to_owned);
    match (key(rpc), key(ws)) {
        (Some(rpc), Some(ws)) if rpc != ws => match hashes {
            Some(_) => Check::warning(
                "same node",
                "JSON-RPC and WebSocket reach different nodes of one chain",
                format!("{fix}; behind a load balancer, give a node of your own"),
            ),
            None => Check::error(
                "same node",
                "JSON-RPC and WebSocket reach different nodes, and have no ledger in common",
                fix,
            ),
        },
        (Some(_), Some(_)) => Check::ok("same node", "JSON-RPC and WebSocket are one node"),
        _ => Check::ok("same node", "JSON-RPC and WebSocket follow one chain"),
    }
}

/// Whether its stream tells of ledgers; `closed` is how long it took until it told of one.
#[must_use]
pub fn stream(closed: Result<Option<Duration>, String>, patience: Duration) -> Check {
    match closed {
        Ok(Some(after)) => Check::ok(
            "stream",
            format!("reported a validated ledger after {:.1} s", after.as_secs_f64()),
        ),
        Ok(None) => Check::warning(
            "stream",
            format!("reported no validated ledger within {} s", patience.as_secs()),
            "check that the network produces ledgers; a standalone node needs `ledger_accept`, or \
             `standalone --ledger-interval 1s`",
        ),
        Err(why) => Check::error(
            "stream",
            format!("`subscribe` to ledgers and transactions is refused: {why}"),
            "give the --ws address of a node that has these streams",
        ),
    }
}

/// Which types the network's amendments rule out; `lacks` has each with its amendment, `asked` those
/// that were given a weight by name.
#[must_use]
pub fn types(lacks: &[(String, String)], asked: &[String], of: usize) -> Check {
    if lacks.is_empty() {
        return Check::ok("types", format!("its amendments allow all {of} types of the catalogue"));
    }
    let names: Vec<_> =
        lacks.iter().map(|(name, amendment)| format!("{name} (needs {amendment})")).collect();
    let text =
        format!("its amendments rule out {} of {of} types: {}", lacks.len(), names.join(", "));
    let wanted: Vec<_> = lacks
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| asked.iter().any(|a| a == name))
        .collect();
    match wanted.is_empty() {
        true => Check::ok("types", format!("{text}. They are left out")),
        false => Check::error(
            "types",
            text,
            format!("leave out {} of --types, or enable the amendment", wanted.join(", ")),
        ),
    }
}

/// Whether the account that funds the others has enough; `existing` says that the run's accounts are
/// there already.
#[must_use]
pub fn funds(
    balance: Option<Drops>,
    account: &str,
    needed: u64,
    genesis: bool,
    existing: bool,
) -> Check {
    let fix = match genesis {
        true => {
            "give an account that has XRP there with XRPL_WORKLOAD_FUNDING_SECRET: the genesis account \
             funds on private networks only"
        }
        false => "add funds, or give fewer --accounts or lower --fund-drops",
    };
    let xrp = |drops: u64| format!("{} XRP", words::number(drops as f64 / 1e6));
    let (text, enough) = match balance {
        None => (format!("the funding account {account} does not exist there"), false),
        Some(balance) => (
            format!(
                "the funding account {account} has {} of {} needed",
                xrp(balance.0),
                xrp(needed)
            ),
            balance.0 >= needed,
        ),
    };
    match (enough, existing) {
        (true, _) => Check::ok("funds", text),
        (false, true) => Check::warning(
            "funds",
            format!("{text}; the accounts of this --seed exist already"),
            format!("only what is missing is paid; if that is too much, {fix}"),
        ),
        (false, false) => Check::error("funds", text, fix),
    }
}

/// What the nodes are to one another: one network, one chain, in step.
#[must_use]
pub fn together(nodes: &[Option<Tip>]) -> Vec<Check> {
    let tips: Vec<_> = nodes.iter().flatten().collect();
    let [first, .., _] = tips.as_slice() else { return Vec::new() };
    let list = |of: &dyn Fn(&Tip) -> String| {
        tips.iter().map(|tip| format!("{} {}", tip.name, of(tip))).collect::<Vec<_>>().join(", ")
    };
    let fix = "give nodes of one network";
    if tips.iter().any(|tip| tip.network != first.network) {
        let text =
            format!("different networks: {}", list(&|tip| format!("NetworkID {}", tip.network)));
        return vec![Check::error("one chain", text, fix)];
    }
    let mut hashes = tips.iter().filter_map(|tip| tip.common);
    let hash = hashes.next();
    let differ = hashes.any(|other| Some(other) != hash);
    if differ {
        let text = format!("different chains: {}", list(&|tip| format!("at {}", tip.index)));
        return vec![Check::error("one chain", text, fix)];
    }
    let lowest = tips.iter().map(|tip| tip.index).min().unwrap_or(0);
    let highest = tips.iter().map(|tip| tip.index).max().unwrap_or(0);
    vec![match highest - lowest > MOST_LAG {
        true => Check::warning(
            "one chain",
            format!("not in step: {}", list(&|tip| format!("at {}", tip.index))),
            "wait until those behind have caught up: until then requests go to the others",
        ),
        false => {
            Check::ok("one chain", format!("{} nodes, in step at ledger {highest}", tips.len()))
        }
    }]
}

#[cfg(test)]
mod tests;
