//! The HTTP API's contract: fields, statuses, errors.

mod common;
#[path = "common/outside.rs"]
mod outside;

use std::time::Duration;

use common::{Running, ask, assert_healthy, get, post};
use outside::node;
use serde_json::{Value as Json, json};

fn has(json: &Json, keys: &[&str]) {
    for key in keys {
        assert!(json.get(key).is_some(), "no {key} in {json:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_get_has_its_fields() {
    let run = Running::start(&[("tps", "30")]).await;
    let api = run.api;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let user = run.app.generator().unwrap().accounts().users[0].to_string();
    let user_path = format!("/accounts/{user}");
    let (lines_path, balances_path) =
        (format!("{user_path}/lines"), format!("{user_path}/balances"));
    let table: &[(&str, &[&str])] = &[
        ("/health", &["status"]),
        ("/version", &["version"]),
        (
            "/state/summary",
            &[
                "total_tracked",
                "by_state",
                "by_type",
                "by_type_validated",
                "validated_by_source",
                "recent_validations",
                "gateways",
                "users",
                "uptime_seconds",
                "started_at",
                "ledger_index",
                "first_ledger_index",
                "ledgers_elapsed",
                "overturned",
                "revoked",
            ],
        ),
        ("/state/pending", &["pending"]),
        ("/state/failed", &["failed"]),
        ("/state/expired", &["expired"]),
        ("/state/transactions", &["transactions", "next_cursor"]),
        ("/state/failed/tecPATH_DRY", &["error_code", "count", "transactions"]),
        ("/state/type/Payment", &["transaction_type", "count", "transactions"]),
        ("/state/failure-codes", &["failure_codes", "total"]),
        (
            "/state/ws/stats",
            &[
                "queue_size",
                "queue_maxsize",
                "validations_by_source",
                "recent_validations_count",
                "ws_event_counters",
                "connected",
                "reconnects",
                "ledgers_backfilled",
            ],
        ),
        ("/state/finality", &["checked", "results"]),
        (
            "/state/fees",
            &[
                "expected_ledger_size",
                "current_ledger_size",
                "current_queue_size",
                "max_queue_size",
                "base_fee",
                "minimum_fee",
                "median_fee",
                "open_ledger_fee",
                "ledger_current_index",
                "queue_utilization",
                "ledger_utilization",
                "last_closed_txn_count",
            ],
        ),
        ("/state/accounts", &["count", "addresses"]),
        ("/state/wallets", &["count", "addresses"]),
        ("/state/users", &["count", "users"]),
        ("/state/gateways", &["count", "gateways"]),
        ("/state/currencies", &["count", "currencies"]),
        (
            "/state/diagnostics",
            &[
                "ledger_index",
                "total_accounts",
                "blocked_accounts",
                "free_accounts",
                "pending_by_state",
                "oldest_pending_age_ledgers",
                "blocked_sample",
                "types",
            ],
        ),
        ("/state/coverage", &["reached", "never"]),
        (
            "/accounts",
            &[
                "total_wallets",
                "available_for_txn",
                "max_pending_per_account",
                "funding",
                "gateways",
                "users",
            ],
        ),
        (&user_path, &["account_data"]),
        (&lines_path, &["lines"]),
        (&balances_path, &["account", "balances"]),
        ("/workload/status", &["running", "stats", "uptime_seconds"]),
        ("/workload/rate-controls", &["target_tps", "max_pending", "intent", "disabled_types"]),
        ("/workload/scenario", &["outline", "progress", "measured"]),
        ("/workload/target-tps", &["target_tps"]),
        ("/workload/max-pending", &["max_pending"]),
        ("/workload/intent", &["invalid"]),
        ("/workload/fuzz", &["percent"]),
        ("/state/timeline", &["interval_ms", "samples"]),
        ("/state/ledgers", &["ledgers"]),
        ("/state/latency", &["finality_ms", "finality_buckets_ms", "finality_ledgers", "ledgers"]),
        ("/state/matrix", &["cells", "total"]),
        ("/state/fuzz", &["percent", "tracked", "by_type", "process"]),
        ("/state/findings", &["total", "findings"]),
        ("/state/definitions", &["source", "hash", "differences", "off", "not_fuzzed"]),
        ("/state/lanes", &["total", "blocked", "lanes"]),
        ("/state/amendments", &["enabled", "ruled_out", "amendments"]),
        ("/workload/disabled-types", &["disabled_types"]),
        ("/state/mptokens", &["count", "mptokens"]),
        ("/state/store", &["kind", "rows", "pruned", "bytes", "retention"]),
        ("/journeys", &["journeys", "runs"]),
        ("/runs", &["present", "runs"]),
        ("/runs/latest", &["run", "condition", "figures", "parts", "samples", "settings", "ends"]),
        (
            "/webhooks",
            &[
                "enabled",
                "target",
                "durable",
                "cursor",
                "backlog",
                "oldest_at_ms",
                "delivered",
                "given_up",
                "retried",
                "last_error",
                "last_error_at_ms",
                "next_try_ms",
                "given_up_after_hours",
            ],
        ),
        (
            "/state/heartbeat",
            &[
                "last_heartbeat_ledger",
                "total_heartbeats",
                "missed_heartbeats",
                "missed_count",
                "recent_heartbeats",
            ],
        ),
        (
            "/dex/metrics",
            &[
                "pools_created",
                "active_pools",
                "total_deposits",
                "total_withdrawals",
                "total_offers",
                "total_xrp_locked_drops",
                "last_poll_ledger",
                "pool_count",
                "pool_details",
            ],
        ),
        ("/dex/pools", &["count", "pools"]),
        ("/logs", &["lines", "total_matching"]),
    ];
    for (path, keys) in table {
        let answer = get(api, path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/json", "{path}");
        has(&answer.json(), keys);
    }
    let validations = get(api, "/state/validations?limit=3").await.json();
    let newest = validations.as_array().unwrap();
    assert_eq!(newest.len(), 3);
    has(&newest[0], &["txn", "ledger", "source"]);
    assert!(newest[0]["ledger"].as_u64() >= newest[2]["ledger"].as_u64());
    let status = get(api, "/workload/status").await.json();
    has(&status["stats"], &["submitted", "validated", "failed", "started_at"]);
    let page = get(api, "/").await;
    assert!(page.text.contains("<title>xrpl-workload</title>"));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(get(api, "/dashboard").await.text, page.text);
    let script = get(api, "/dashboard/panels/matrix.js").await;
    assert_eq!(script.headers["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(get(api, "/dashboard/../main.rs").await.error().0, 404);
    assert_eq!(get(api, "/state/dashboard").await.headers["location"], "/dashboard");
    let metrics = get(api, "/metrics").await;
    assert!(metrics.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
    for name in ["transactions_total", "finality_seconds_bucket", "ws_queue_depth", "load_running"]
    {
        assert!(metrics.text.contains(&format!("xrpl_workload_{name}")), "{}", metrics.text);
    }
    assert_healthy(&run.end().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_and_no_page_tells_a_secret() {
    let run = Running::start(&[]).await;
    let seeds: Vec<String> =
        vec!["snoPBrXtMeMyMHUVTgbuqAfg1SUTb".into(), "masterpassphrase".into()];
    for path in [
        "/",
        "/accounts",
        "/state/summary",
        "/state/users",
        "/state/gateways",
        "/workload/status",
        "/metrics",
    ] {
        let text = get(run.api, path).await.text;
        for seed in &seeds {
            assert!(!text.contains(seed.as_str()), "{path}");
        }
        assert!(!text.contains("sEd"), "{path}");
    }
    run.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_transaction_on_request_is_followed_to_its_dossier() {
    let run = Running::start(&[]).await;
    let api = run.api;
    assert_eq!(ask(api, "POST", "/workload/stop", &[], None).await.status, 200);
    let mut hashes = Vec::new();
    for (method, path) in [
        ("POST", "/transaction/random"),
        ("GET", "/transaction/random"),
        ("POST", "/transaction/create/Payment"),
        ("GET", "/transaction/create/AccountSet"),
        ("POST", "/transaction/TrustSet"),
    ] {
        let answer = ask(api, method, path, &[], None).await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text);
        let json = answer.json();
        has(&json, &["tx_hash", "transaction_type", "state", "engine_result"]);
        hashes.push(json["tx_hash"].as_str().unwrap().to_owned());
    }
    for hash in hashes {
        let dossier = validated(api, &hash).await;
        has(
            &dossier,
            &[
                "tx_hash",
                "state",
                "account",
                "sequence",
                "last_ledger_seq",
                "created_ledger",
                "attempts",
                "transaction_type",
                "engine_result_first",
                "engine_result_message",
                "engine_result_final",
                "validated_ledger",
                "meta_txn_result",
                "evidence",
                "tx_blob",
                "tx_json",
                "preliminary_results",
                "sightings",
            ],
        );
        assert_eq!(dossier["evidence"]["kind"], "validated", "{dossier:#}");
    }
    assert_healthy(&run.end().await);
}

/// The dossier of a transaction once it is validated.
async fn validated(api: std::net::SocketAddr, hash: &str) -> Json {
    for _ in 0..200 {
        let dossier = get(api, &format!("/state/tx/{hash}")).await.json();
        if dossier["state"] == "VALIDATED" {
            return dossier;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{hash} was not validated within 10 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_and_transactions_of_a_caller() {
    let run = Running::start(&[]).await;
    let api = run.api;
    let users = run.app.generator().unwrap().accounts().users.clone();
    let (source, destination) = (users[0].to_string(), users[1].to_string());
    let body = json!({"source": source, "destination": destination, "amount": "1000000"});
    let paid = post(api, "/payment", body).await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    let paid = paid.json();
    has(&paid, &["tx_hash", "engine_result", "state", "source", "destination", "amount"]);
    let dossier = validated(api, paid["tx_hash"].as_str().unwrap()).await;
    assert_eq!(dossier["tx_json"]["Destination"], destination);
    assert_eq!(dossier["engine_result_final"], "tesSUCCESS");
    // An X-address as a customer of an exchange has it: the tag goes along; one of a test network is
    // refused, since the node says that it is on the main one.
    let tagged = |test| {
        let address = users[1].to_x_address(Some(77), test);
        json!({"source": source, "destination": address, "amount": 1_000_000})
    };
    let refused = post(api, "/payment", tagged(true)).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
    let body = tagged(false);
    let paid = post(api, "/payment", body).await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    let paid = paid.json();
    assert_eq!((&paid["destination"], &paid["destination_tag"]), (&json!(destination), &json!(77)));
    let seen = validated(api, paid["tx_hash"].as_str().unwrap()).await;
    assert_eq!(seen["tx_json"]["DestinationTag"], 77);

    let body = json!({"account": source, "tx_json": {"TransactionType": "AccountSet", "Domain": "6578616D706C652E636F6D"}});
    let text = body.to_string();
    let key = [("idempotency-key", "order-1")];
    let first = ask(api, "POST", "/transaction/submit", &key, Some(&text)).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let again = ask(api, "POST", "/transaction/submit", &key, Some(&text)).await;
    assert_eq!(first.json()["tx_hash"], again.json()["tx_hash"]);
    let other =
        json!({"account": source, "tx_json": {"TransactionType": "AccountSet"}}).to_string();
    let clash = ask(api, "POST", "/transaction/submit", &key, Some(&other)).await;
    assert_eq!(clash.error().0, 409);
    let hash = first.json()["tx_hash"].as_str().unwrap().to_owned();
    let dossier = validated(api, &hash).await;
    // What people write: names of flags, a Fee of their own, and words where it cannot be.
    let set = |more: Json| {
        let mut tx = json!({"TransactionType": "AccountSet"});
        tx.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"account": source, "tx_json": tx})
    };
    let sent =
        post(api, "/transaction/submit", set(json!({"SetFlag": "asfRequireDest", "Fee": "17"})));
    let sent = sent.await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    let seen = validated(api, sent.json()["tx_hash"].as_str().unwrap()).await;
    assert_eq!((&seen["tx_json"]["Fee"], &seen["tx_json"]["SetFlag"]), (&json!("17"), &json!(1)));
    for (more, named) in [
        (json!({"Fee": "100001"}), "--max-fee-drops"),
        (json!({"Sequence": 1}), "tx_json.Sequence"),
        (json!({"SetFlag": "asfRequireDst"}), "asfRequireDest"),
    ] {
        let refused = post(api, "/transaction/submit", set(more)).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
        assert!(refused.text.contains(named), "{}", refused.text);
    }
    // A signed blob that is tracked already is not sent again.
    let blob = json!({"tx_blob": dossier["tx_blob"]});
    let known = post(api, "/transaction/submit", blob).await.json();
    assert_eq!((&known["tx_hash"], &known["already_tracked"]), (&json!(hash), &json!(true)));
    assert_healthy(&run.end().await);
}

/// Whoever repeats a request after the program was restarted gets the transaction of the first time.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_known_to_the_next_process() {
    let node = node().await;
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("run.db");
    let (rpc, ws) = (format!("http://{}", node.rpc_addr), format!("ws://{}", node.ws_addr));
    let settings = [("rpc", &*rpc), ("ws", &ws), ("store", store.to_str().unwrap())];
    let key = [("idempotency-key", "order-1")];
    let mut answers = Vec::new();
    for _ in 0..2 {
        let run = Running::start(&settings).await;
        let listing = run.app.generator().unwrap().accounts();
        let (source, destination) = (listing.users[0].to_string(), listing.users[1].to_string());
        let pay = |amount: &str| {
            let tx = json!({"TransactionType": "Payment", "Destination": destination,
                "Amount": amount});
            json!({"account": source, "tx_json": tx}).to_string()
        };
        let submit =
            async |body: &str| ask(run.api, "POST", "/transaction/submit", &key, Some(body)).await;
        let paid = submit(&pay("1000000")).await;
        assert_eq!(paid.status, 200, "{}", paid.text);
        assert_eq!(submit(&pay("2000000")).await.error().0, 409);
        let hash = paid.json()["tx_hash"].as_str().unwrap().to_owned();
        validated(run.api, &hash).await;
        answers.push(paid.json());
        run.end().await;
    }
    assert_eq!(answers[0]["tx_hash"], answers[1]["tx_hash"]);
    let tracked = answers.iter().map(|a| a["already_tracked"].as_bool().unwrap());
    assert_eq!(tracked.collect::<Vec<_>>(), [false, true]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_load_is_controlled_while_it_runs() {
    let run = Running::start(&[("tps", "20")]).await;
    let api = run.api;
    let empty = |method: &'static str, path: &'static str| ask(api, method, path, &[], None);
    assert_eq!(empty("POST", "/workload/start").await.error().0, 400);
    assert_eq!(empty("POST", "/workload/stop").await.json()["running"], false);
    assert_eq!(empty("POST", "/workload/stop").await.error().0, 400);
    assert_eq!(get(api, "/workload/status").await.json()["running"], false);
    assert_eq!(empty("POST", "/workload/start").await.json()["running"], true);
    for (path, body, old, new) in [
        ("/workload/target-tps", json!({"tps": 7.5}), json!(20.0), json!(7.5)),
        ("/workload/target-tps", json!({"target_tps": 8}), json!(7.5), json!(8.0)),
        ("/workload/max-pending", json!({"max_pending": 3}), json!(5), json!(3)),
        ("/workload/intent", json!({"invalid": 10}), json!(0.0), json!(10.0)),
        ("/workload/fuzz", json!({"percent": 10}), json!(0.0), json!(10.0)),
        ("/workload/fuzz", json!({"percent": 0}), json!(10.0), json!(0.0)),
        (
            "/workload/toggle-type",
            json!({"type": "AccountSet", "enabled": false}),
            json!(true),
            json!(false),
        ),
        ("/workload/weight", json!({"type": "Payment", "weight": 0}), json!(100), json!(0)),
        ("/workload/toggle-type", json!({"type": "AccountSet"}), json!(false), json!(true)),
    ] {
        let answer = post(api, path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        let answer = answer.json();
        assert_eq!((&answer["old_value"], &answer["new_value"]), (&old, &new), "{path}");
        has(&answer, &["status"]);
    }
    let controls = get(api, "/workload/rate-controls").await.json();
    assert_eq!((&controls["target_tps"], &controls["max_pending"]), (&json!(8.0), &json!(3)));
    assert_eq!(controls["intent"]["invalid"], 10.0);
    run.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_a_run_can_be_read_while_it_goes_on() {
    let run = Running::start(&[("tps", "50")]).await;
    let api = run.api;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = get(api, &format!("/state/transactions?limit=7{cursor}")).await.json();
        let rows = page["transactions"].as_array().unwrap().clone();
        seen.extend(rows.iter().map(|row| row["tx_hash"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_u64() {
            Some(next) if !rows.is_empty() => cursor = format!("&cursor={next}"),
            _ => break,
        }
    }
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), all, "a row was given twice");
    assert!(all > 50, "{all}");
    let filtered = get(api, "/state/transactions?state=validated&type=Payment").await.json();
    for row in filtered["transactions"].as_array().unwrap() {
        assert_eq!(
            (&row["state"], &row["transaction_type"]),
            (&json!("VALIDATED"), &json!("Payment"))
        );
    }
    run.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_one_form_a_fitting_status_and_name_the_field() {
    let run = Running::start(&[]).await;
    let api = run.api;
    let user = run.app.generator().unwrap().accounts().users[0].to_string();
    let unknown = "0".repeat(64);
    for (method, path, body, status, named) in [
        ("GET", "/nothing".to_owned(), None, 404, "/nothing"),
        ("DELETE", "/health".into(), None, 405, "DELETE"),
        ("GET", "/payment".into(), None, 405, "GET"),
        ("GET", "/state/tx/xyz".into(), None, 400, "hash"),
        ("GET", format!("/state/tx/{unknown}"), None, 404, &unknown),
        ("GET", "/state/pending?limit=0".into(), None, 400, "limit"),
        ("GET", "/state/pending?limit=x".into(), None, 400, "limit"),
        ("GET", "/state/pending?cursr=1".into(), None, 400, "cursr"),
        ("GET", "/state/transactions?state=GONE".into(), None, 400, "state"),
        ("GET", "/state/transactions?account=r123".into(), None, 400, "account"),
        ("GET", "/state/failed/whatever".into(), None, 400, "engine_result"),
        ("GET", "/state/transactions?order=random".into(), None, 400, "order"),
        ("GET", "/state/transactions?final=".into(), None, 400, "final"),
        ("GET", "/state/ledgers?limit=257".into(), None, 400, "limit"),
        ("GET", "/state/lanes?limit=0".into(), None, 400, "limit"),
        ("GET", "/state/timeline?since=1".into(), None, 400, "since"),
        (
            "POST",
            "/workload/weight".into(),
            Some(r#"{"type":"Payment","weight":-1}"#),
            400,
            "weight",
        ),
        ("GET", "/accounts/r123".into(), None, 400, "id"),
        ("GET", "/accounts/rrrrrrrrrrrrrrrrrrrrBZbvji".into(), None, 404, "account"),
        ("POST", "/transaction/create/Paymnt".into(), None, 400, "Payment"),
        ("POST", "/payment".into(), Some("{"), 400, "JSON"),
        ("POST", "/payment".into(), Some("{}"), 400, "source"),
        ("POST", "/payment".into(), Some(r#"{"source": 1}"#), 400, "source"),
        (
            "POST",
            "/payment".into(),
            Some(r#"{"source":"x","destination":"x","amount":"1"}"#),
            400,
            "source",
        ),
        ("POST", "/transaction/submit".into(), Some("{}"), 400, "tx_blob"),
        ("POST", "/transaction/submit".into(), Some(r#"{"tx_blob":"zz"}"#), 400, "tx_blob"),
        ("POST", "/transaction/submit".into(), Some(r#"{"tx_blob":"1200"}"#), 400, "tx_blob"),
        ("POST", "/transaction/submit".into(), Some(r#"{"tx_blobb":"12"}"#), 400, "tx_blobb"),
        ("POST", "/workload/target-tps".into(), Some(r#"{"tps":"fast"}"#), 400, "tps"),
        ("POST", "/workload/target-tps".into(), Some(r#"{"tps":-1}"#), 400, "tps"),
        ("POST", "/workload/max-pending".into(), Some(r#"{"max_pending":0}"#), 400, "max_pending"),
        ("POST", "/workload/intent".into(), Some(r#"{"invalid":101}"#), 400, "invalid"),
        ("POST", "/workload/fuzz".into(), Some(r#"{"percent":101}"#), 400, "fuzz"),
        (
            "POST",
            "/workload/toggle-type".into(),
            Some(r#"{"type":"Nope","enabled":true}"#),
            400,
            "Nope",
        ),
    ] {
        let answer = ask(api, method, &path, &[], body).await;
        let (got, _, message) = answer.error();
        assert_eq!(got, status, "{method} {path}: {message}");
        assert!(message.contains(named), "{method} {path} {body:?}: {message}");
    }
    let amounts =
        [json!("-5"), json!("0"), json!("1.5"), json!({"value": "1"}), json!("lots"), json!(null)];
    for amount in amounts {
        let body =
            json!({"source": user, "destination": "rrrrrrrrrrrrrrrrrrrrBZbvji", "amount": amount});
        let (status, _, message) = post(api, "/payment", body).await.error();
        assert!(status == 400 && message.contains("amount"), "{amount}: {message}");
    }
    let huge = format!(r#"{{"tx_blob":"{}"}}"#, "00".repeat(1 << 20));
    let (status, code, _) = ask(api, "POST", "/transaction/submit", &[], Some(&huge)).await.error();
    assert_eq!((status, code.as_str()), (413, "too_large"));
    let cross = [("sec-fetch-site", "cross-site")];
    assert_eq!(ask(api, "POST", "/workload/stop", &cross, None).await.error().0, 403);
    run.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_guards_actions_and_leaves_reading_free() {
    let run = Running::start(&[("api_token", "open-sesame")]).await;
    let api = run.api;
    for (method, path) in [
        ("POST", "/workload/stop"),
        ("POST", "/payment"),
        ("GET", "/transaction/random"),
        ("GET", "/transaction/create/Payment"),
    ] {
        for given in
            [None, Some("Bearer open-sesam"), Some("Bearer open-sesamee"), Some("open-sesame")]
        {
            let headers: Vec<_> = given.map(|value| ("authorization", value)).into_iter().collect();
            let answer = ask(api, method, path, &headers, None).await;
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
            assert_eq!(answer.error().0, 401, "{method} {path} {given:?}");
        }
    }
    let right = [("authorization", "Bearer open-sesame")];
    assert_eq!(ask(api, "POST", "/workload/stop", &right, None).await.status, 200);
    assert_eq!(get(api, "/state/summary").await.status, 200);
    assert_eq!(get(api, "/metrics").await.status, 200);
    run.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ledgers_matrix_lanes_and_latency_agree_with_the_summary() {
    let run = Running::start(&[("tps", "40"), ("intent_invalid", "20")]).await;
    let api = run.api;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(ask(api, "POST", "/workload/stop", &[], None).await.status, 200);
    for _ in 0..200 {
        if get(api, "/state/summary").await.json()["pending"] == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let number = |json: &Json| json.as_u64().unwrap();
    let summary = get(api, "/state/summary").await.json();
    let validated = number(&summary["by_state"]["VALIDATED"]);
    assert!(validated > 50, "{summary:#}");

    let ledgers = get(api, "/state/ledgers?limit=256").await.json();
    let ledgers = ledgers["ledgers"].as_array().unwrap();
    let ours: u64 = ledgers.iter().map(|ledger| number(&ledger["ours"])).sum();
    assert_eq!(ours, validated);
    for ledger in ledgers.iter().filter(|ledger| ledger["complete"] == true) {
        assert!(number(&ledger["txn_count"]) >= number(&ledger["ours"]), "{ledger}");
    }
    let fee = |ledger: &Json| ledger["open_ledger_fee"].as_u64();
    assert!(ledgers.iter().any(|ledger| fee(ledger) >= Some(10)), "no fee level");

    let matrix = get(api, "/state/matrix").await.json();
    assert_eq!(matrix["total"], summary["total_tracked"]);
    let mut of_state = 0;
    for cell in matrix["cells"].as_array().unwrap() {
        let text = |key: &str| cell[key].as_str().unwrap_or("none").to_owned();
        let path = format!(
            "/state/transactions?type={}&preliminary={}&final={}&state={}&order=newest&limit=10000",
            text("transaction_type"),
            text("preliminary"),
            text("final"),
            text("state")
        );
        let rows = get(api, &path).await.json();
        let rows = rows["transactions"].as_array().unwrap();
        // Of one that must fail the row says how too.
        let of_intent = |row: &&Json| {
            let intent = row["intent"].as_str().unwrap_or("invalid");
            cell["intent"] == intent
        };
        let found = rows.iter().filter(of_intent).count() as u64;
        assert_eq!(found, number(&cell["count"]), "{cell}: {:?}", rows.first());
        assert!(rows.windows(2).all(|pair| number(&pair[0]["id"]) > number(&pair[1]["id"])));
        of_state += if cell["state"] == "VALIDATED" { number(&cell["count"]) } else { 0 };
    }
    assert_eq!(of_state, validated);

    let latency = get(api, "/state/latency").await.json();
    assert_eq!(latency["finality_ms"], summary["finality_ms"]);
    let counted = latency["finality_ledgers"].as_array().unwrap();
    assert_eq!(counted.iter().map(|pair| number(&pair[1])).sum::<u64>(), validated);

    let lanes = get(api, "/state/lanes?limit=3").await.json();
    assert_eq!((&lanes["total"], &lanes["blocked"]), (&json!(12), &json!(0)), "{lanes:#}");
    assert_eq!(lanes["lanes"].as_array().unwrap().len(), 3);
    assert_eq!(lanes["lanes"][0]["in_flight"], 0);

    let samples = get(api, "/state/timeline").await.json()["samples"].clone();
    let samples = samples.as_array().unwrap();
    assert!(samples.len() >= 2 && samples.len() < 60, "{}", samples.len());
    let last = number(&samples.last().unwrap()["at_ms"]);
    let newer = get(api, &format!("/state/timeline?since_ms={last}")).await.json();
    assert!(newer["samples"].as_array().unwrap().len() <= 2, "{newer}");
    let codes = get(api, "/state/failure-codes").await.json();
    for code in codes["detail"].as_array().unwrap() {
        assert!(!code["message"].as_str().unwrap().is_empty(), "{code}");
    }
    assert_healthy(&run.end().await);
}
