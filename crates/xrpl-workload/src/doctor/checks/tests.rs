use std::sync::Arc;

use serde_json::json;

use super::{super::Level, *};

fn state() -> Json {
    json!({
        "build_version": "3.3.0", "server_state": "full", "network_id": 7, "complete_ledgers": "100-900",
        "time": "2026-Jan-31 12:00:00.123456 UTC", "pubkey_node": "n9A",
        "validated_ledger": {
            "seq": 900, "close_time": 1_000, "reserve_base": 1_000_000, "reserve_inc": 200_000,
        },
    })
}

fn with(key: &str, value: Json) -> Json {
    let mut state = state();
    state[key] = value;
    state
}

/// What is warned of or refused says how to fix it, and nothing else does.
fn holds(check: &Check, level: Level, part: &str) {
    assert_eq!(check.level, level, "{check}");
    assert!(check.text.contains(part), "{part:?} in {check}");
    assert_eq!(check.fix.is_some(), level != Level::Ok, "{check}");
}

#[test]
fn a_node_that_does_not_follow_its_network_is_an_error() {
    for (state, level, part) in [
        (state(), Level::Ok, "validated ledger 900"),
        (with("server_state", json!("proposing")), Level::Ok, "proposing"),
        (with("server_state", json!("connected")), Level::Error, "connected"),
        (with("amendment_blocked", json!(true)), Level::Error, "amendment blocked"),
        (with("validated_ledger", json!(null)), Level::Error, "no validated ledger"),
        (json!({}), Level::Error, "no validated ledger"),
    ] {
        holds(&synced(&state, 1_003), level, part);
    }
    holds(&synced(&state(), 1_100), Level::Warning, "100 s old");
}

#[test]
fn the_network_must_be_the_one_that_was_asked_for() {
    holds(&network(&state(), None), Level::Ok, "7");
    holds(&network(&state(), Some(7)), Level::Ok, "7");
    holds(&network(&state(), Some(8)), Level::Error, "--network-id 8");
    holds(&network(&with("network_id", json!(null)), None), Level::Ok, "0");
    let mut mainnet = with("network_id", json!(0));
    mainnet["validated_ledger"]["seq"] = json!(95_000_000);
    holds(&network(&mainnet, None), Level::Warning, "real money");
}

#[test]
fn history_must_reach_the_newest_ledger_and_be_long_enough() {
    for (kept, level) in [
        ("100-900", Level::Ok),
        ("1-10,850-900", Level::Ok),
        ("880-900", Level::Warning),
        ("2-900", Level::Ok),
        ("100-800", Level::Error),
        ("empty", Level::Error),
        ("", Level::Error),
        ("9-1", Level::Error),
    ] {
        holds(&history(&with("complete_ledgers", json!(kept)), 40), level, kept);
    }
    // A chain that began five ledgers ago has all that it can have.
    let mut young = with("complete_ledgers", json!("2-6"));
    young["validated_ledger"]["seq"] = json!(6);
    holds(&history(&young, 40), Level::Ok, "5 ledgers");
}

#[test]
fn clocks_are_compared() {
    let theirs = i64::from(ripple_time("2026-01-31T12:00:00Z").unwrap());
    holds(&clock(&state(), theirs), Level::Ok, "within");
    holds(&clock(&state(), theirs - 60), Level::Warning, "60 s ahead");
    holds(&clock(&state(), theirs + 60), Level::Warning, "60 s behind");
    for unreadable in [json!(null), json!("now"), json!("2026-Foo-31 12:00:00 UTC"), json!("")] {
        holds(&clock(&with("time", unreadable), theirs), Level::Ok, "not reported");
    }
}

#[test]
fn fees_and_reserves() {
    let fee = |queue: u64, open: u64| -> response::Fee {
        serde_json::from_value(json!({
            "current_queue_size": queue.to_string(), "max_queue_size": "100",
            "drops": {"base_fee": "10", "median_fee": "10", "minimum_fee": "10", "open_ledger_fee": open.to_string()},
        }))
        .unwrap()
    };
    holds(&fees(&fee(0, 10)), Level::Ok, "base fee 10");
    holds(&fees(&fee(0, 11)), Level::Warning, "open ledger 11");
    holds(&fees(&fee(100, 5_000)), Level::Warning, "100 of 100");
    holds(&reserves(&state(), Some(999_999)), Level::Error, "999999");
    holds(&reserves(&state(), Some(2_000_000)), Level::Warning, "2000000");
    holds(&reserves(&state(), Some(3_000_000)), Level::Ok, "1000000 drops");
    holds(&reserves(&state(), None), Level::Ok, "200000 for each");
}

#[test]
fn who_is_limited_is_told() {
    let (admin, guest) = (json!({"role": "admin"}), json!({}));
    for (rpc, ws, level) in [
        (&admin, &json!({"role": "admin", "unlimited": true}), Level::Ok),
        (&admin, &guest, Level::Warning),
        (&guest, &guest, Level::Warning),
    ] {
        let [_, limits] = role(rpc, ws);
        holds(&limits, level, "requests and streams");
    }
}

#[test]
fn both_ports_must_be_of_one_node() {
    let hash = |n: u8| Hash256([n; 32]);
    let other = with("pubkey_node", json!("n9B"));
    for (ws, hashes, level) in [
        (state(), Some((hash(1), hash(1))), Level::Ok),
        (state(), None, Level::Ok),
        (other.clone(), Some((hash(1), hash(1))), Level::Warning),
        (other.clone(), None, Level::Error),
        (other, Some((hash(1), hash(2))), Level::Error),
        (with("network_id", json!(8)), None, Level::Error),
        // Clio tells no key.
        (with("pubkey_node", json!(null)), Some((hash(1), hash(1))), Level::Ok),
    ] {
        holds(&same_node(&state(), &ws, hashes), level, "JSON-RPC");
    }
}

#[test]
fn types_that_were_asked_for_must_be_there() {
    let lacks = [("AMMCreate".to_owned(), "AMM".to_owned())];
    holds(&types(&[], &[], 70), Level::Ok, "all 70");
    holds(&types(&lacks, &["Payment".to_owned()], 70), Level::Ok, "AMMCreate (needs AMM)");
    holds(&types(&lacks, &["AMMCreate".to_owned()], 70), Level::Error, "1 of 70");
}

#[test]
fn funds_must_suffice() {
    let check = |balance: Option<u64>, existing| {
        funds(balance.map(Drops), "rAccount", 5_000_000, false, existing)
    };
    holds(&check(Some(5_000_000), false), Level::Ok, "5 XRP");
    holds(&check(Some(4_000_000), false), Level::Error, "4 XRP of 5 XRP");
    holds(&check(Some(4_000_000), true), Level::Warning, "exist already");
    holds(&check(None, false), Level::Error, "does not exist");
}

#[test]
fn nodes_must_be_of_one_chain_and_in_step() {
    let tip = |network, index, hash: u8| {
        let common = Some(Hash256([hash; 32]));
        Some(Tip { name: format!("node-{index}"), network, index, common })
    };
    assert!(together(&[tip(1, 9, 1)]).is_empty(), "one node is in step with itself");
    assert!(together(&[tip(1, 9, 1), None]).is_empty());
    for (nodes, level, part) in [
        ([tip(1, 9, 1), tip(1, 10, 1)], Level::Ok, "in step"),
        ([tip(1, 9, 1), tip(1, 90, 1)], Level::Warning, "node-9 at 9"),
        ([tip(1, 9, 1), tip(2, 9, 1)], Level::Error, "NetworkID 2"),
        ([tip(1, 9, 1), tip(1, 9, 2)], Level::Error, "different chains"),
    ] {
        let checks = together(&nodes);
        assert_eq!(checks.len(), 1);
        holds(&checks[0], level, part);
    }
}

#[test]
fn why_a_port_cannot_be_used_follows_from_the_error() {
    let endpoint: Arc<str> = "node".into();
    let never =
        |cause: &str| ClientError::NeverSent { endpoint: endpoint.clone(), cause: cause.into() };
    let unknown =
        |cause: &str| ClientError::Unknown { endpoint: endpoint.clone(), cause: cause.into() };
    let away = |status| ClientError::TurnedAway {
        endpoint: endpoint.clone(),
        status,
        body: String::new(),
    };
    for (error, fix) in [
        (never("connecting: Connection refused (os error 111)"), "nothing listens"),
        (never("connecting: invalid peer certificate: UnknownIssuer"), "SSL_CERT_FILE"),
        (
            never("connecting: received corrupt message of type InvalidContentType"),
            "does not speak TLS",
        ),
        (never("connecting: failed to lookup address information"), "host name"),
        (unknown("no answer within 5s"), "does not answer in time"),
        (unknown("HTTP status 404: Not Found"), "not xrpld"),
        (away(403), "`admin`"),
        (away(503), "limits"),
    ] {
        let check = unreachable("json-rpc", "--rpc", &error);
        holds(&check, Level::Error, "node");
        assert!(check.fix.as_ref().is_some_and(|text| text.contains(fix)), "{fix}: {check}");
    }
}
