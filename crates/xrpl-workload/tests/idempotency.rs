//! `Idempotency-Key` on every route that sends: one transaction a key, through a restart too.

mod common;
#[path = "common/outside.rs"]
mod outside;

use std::net::SocketAddr;

use common::{Running, ask};
use outside::node;
use serde_json::{Value as Json, json};

async fn keyed(
    api: SocketAddr,
    (method, path, body): (&str, &str, Option<&str>),
    key: &str,
) -> Json {
    let answer = ask(api, method, path, &[("idempotency-key", key)], body).await;
    assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text);
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_that_sends_sends_once_a_key_through_a_restart_too() {
    let node = node().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.db").display().to_string();
    let (rpc, ws) = (format!("http://{}", node.rpc_addr), format!("ws://{}", node.ws_addr));
    let settings =
        [("rpc", &*rpc), ("ws", &ws), ("store", &*file), ("seed", "keys"), ("tps", "0.001")];
    let run = Running::start(&settings).await;
    let users = common::get(run.api, "/state/users").await.json()["users"].clone();
    let pay = json!({"source": users[0], "destination": users[1], "amount": "1000"}).to_string();
    let set =
        json!({"account": users[2], "tx_json": {"TransactionType": "AccountSet"}}).to_string();
    let routes = [
        ("POST", "/payment", Some(&*pay)),
        ("POST", "/transaction/submit", Some(&*set)),
        ("POST", "/transaction/random", None),
        ("GET", "/transaction/random", None),
        ("POST", "/transaction/create/Payment", None),
        ("GET", "/transaction/create/Payment", None),
        ("POST", "/transaction/AccountSet", None),
        ("POST", "/accounts/create", Some("{}")),
    ];
    let mut first = Vec::new();
    for (n, route) in routes.into_iter().enumerate() {
        let key = format!("key-{n}");
        let sent = keyed(run.api, route, &key).await;
        assert_eq!(keyed(run.api, route, &key).await["tx_hash"], sent["tx_hash"], "{route:?}");
        let other = keyed(run.api, route, &format!("other-{n}")).await;
        assert_ne!(other["tx_hash"], sent["tx_hash"], "{route:?}: another key is another one");
        first.push(sent);
    }
    // A journey is begun once by a key, and shown as it stands.
    let journey = async |run: &Running, key: &str, wait: &str| {
        let path = format!("/journeys/did_life{wait}");
        ask(run.api, "POST", &path, &[("idempotency-key", key)], None).await
    };
    let begun = journey(&run, "journey", "?wait=true").await;
    assert_eq!(begun.status, 200, "{}", begun.text);
    let begun = begun.json();
    let again = journey(&run, "journey", "").await;
    assert_eq!((again.status, &again.json()), (200, &begun), "the same one, which is over");
    assert_eq!(journey(&run, "key-0", "").await.status, 409, "a key of a transaction");
    let (taken, header) = ("/transaction/random", [("idempotency-key", "journey")]);
    assert_eq!(ask(run.api, "POST", taken, &header, None).await.status, 409);
    let tracked = run.app.tracker.stats().total_tracked;
    // The same key with another request is a mistake, on whichever route.
    let header = [("idempotency-key", "key-0")];
    let answer = ask(run.api, "POST", "/transaction/random", &header, None).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    common::assert_healthy(&run.end().await);

    let run = Running::start(&settings).await;
    for (n, (route, sent)) in routes.into_iter().zip(&first).enumerate() {
        let again = keyed(run.api, route, &format!("key-{n}")).await;
        assert_eq!(again["tx_hash"], sent["tx_hash"], "{route:?}");
        assert_eq!(again["already_tracked"], true, "{route:?}: {again}");
        assert_eq!(again["address"], sent["address"], "{route:?}: {again}");
    }
    let late = journey(&run, "journey", "").await;
    let first = begun["steps"][0]["tx_hash"].as_str().unwrap();
    assert_eq!(late.status, 409, "{}", late.text);
    assert!(late.text.contains(first), "{}", late.text);
    let now = run.app.tracker.stats().total_tracked;
    assert!(now <= tracked + 1, "{tracked} were tracked, {now} are: nothing was sent twice");
    common::assert_healthy(&run.end().await);
    node.shutdown().await;
}
