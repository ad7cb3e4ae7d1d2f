//! `--webhook`: every end is posted, signed, once, and again until it is taken.

mod common;
#[path = "common/outside.rs"]
mod outside;

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use common::{Running, assert_healthy, get};
use serde_json::Value as Json;
use tokio::sync::Mutex;

const SECRET: &str = "a-shared-secret";

#[derive(Default)]
struct Taken {
    tries: HashMap<String, u32>,
    bodies: HashMap<String, Json>,
}

/// Takes each end at the second try.
async fn take(
    State(taken): State<Arc<Mutex<Taken>>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = text("x-signature-256");
    let tag = const_hex::decode(signature.strip_prefix("sha256=").unwrap()).unwrap();
    aws_lc_rs::hmac::verify(&key, &body, &tag).expect("the body is signed");
    let key = text("idempotency-key");
    let mut taken = taken.lock().await;
    let tries = taken.tries.entry(key.clone()).or_default();
    *tries += 1;
    if *tries == 1 {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    taken.bodies.insert(key, serde_json::from_slice(&body).unwrap());
    StatusCode::NO_CONTENT
}

async fn receiver() -> (SocketAddr, Arc<Mutex<Taken>>) {
    let taken = Arc::new(Mutex::new(Taken::default()));
    let router = Router::new().route("/ends", post(take)).with_state(Arc::clone(&taken));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, taken)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_end_arrives_though_each_first_try_is_refused() {
    let (address, taken) = receiver().await;
    let url = format!("http://{address}/ends");
    let run = Running::start(&[("webhook", &url), ("webhook_secret", SECRET), ("tps", "30")]).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(common::ask(run.api, "POST", "/workload/stop", &[], None).await.status, 200);
    let mut ended = 0;
    for _ in 0..300 {
        let summary = get(run.api, "/state/summary").await.json();
        ended = summary["total_tracked"].as_u64().unwrap();
        if summary["pending"] == 0 && taken.lock().await.bodies.len() as u64 == ended {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let told = get(run.api, "/webhooks").await.json();
    assert_eq!((&told["enabled"], &told["durable"]), (&true.into(), &false.into()), "{told}");
    assert_eq!(told["target"], format!("http://{address}"), "{told}");
    let taken = taken.lock().await;
    assert_eq!(taken.bodies.len() as u64, ended, "of {} tried", taken.tries.len());
    assert!(taken.tries.values().all(|tries| *tries == 2), "not again once it is taken");
    for (key, body) in &taken.bodies {
        assert_eq!((&body["event"], &body["state"]), (&"finality".into(), &"VALIDATED".into()));
        assert!(key.contains(body["tx_hash"].as_str().unwrap()), "{key}: {body}");
        assert!(body["finality_ms"].is_u64() && body["validated_ledger"].is_u64(), "{body}");
    }
    drop(taken);
    assert_healthy(&run.end().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_holds_nothing_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let run = Running::start(&[("webhook", &url), ("tps", "30")]).await;
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    let began = std::time::Instant::now();
    assert_healthy(&run.end().await);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

/// Ends that nobody takes while the program runs, is killed and runs again: whoever takes them at
/// last gets every one, with the key that it had before.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_the_receiver_is_away_and_the_program_is_killed() {
    let node = outside::node().await;
    let folder = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let url = format!("http://{address}/ends");
    drop(listener);
    let run = |duration: &str| {
        let mut command = common::program(folder.path());
        command.args(outside::run(&node, "away", duration));
        command.args(["--webhook", &url, "--webhook-secret", SECRET]);
        command
    };
    let file = folder.path().join("run.db");
    let count = |sql: &'static str| {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let file = rusqlite::Connection::open_with_flags(&file, flags)?;
        file.query_row(sql, [], |row| row.get::<_, u64>(0))
    };
    // Killed in the middle, with ends that wait.
    let mut child = run("600s").stdout(std::process::Stdio::null()).spawn().unwrap();
    while count("SELECT count(*) FROM ends").unwrap_or(0) < 40 {
        assert!(child.try_wait().unwrap().is_none(), "it runs");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let waited = count("SELECT count(*) FROM ends").unwrap();
    assert!(waited >= 40, "{waited}");

    // Once more, and it ends by itself: still nobody takes anything.
    let ended = outside::output(run("1s")).await;
    assert_eq!(ended.status.code(), Some(0), "{}", outside::texts(&ended));
    assert!(count("SELECT count(*) FROM ends").unwrap() > waited);

    let taken = Arc::new(Mutex::new(Taken::default()));
    let router = Router::new().route("/ends", post(take)).with_state(Arc::clone(&taken));
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut last = run("600s").stdout(std::process::Stdio::null()).spawn().unwrap();
    let before = "SELECT COALESCE(max(id), 0) FROM transactions";
    let until = count(before).unwrap();
    // Everything of the processes before has been taken.
    let waiting = "SELECT count(*) FROM ends WHERE transaction_id <= ";
    let waiting: &'static str = Box::leak(format!("{waiting}{until}").into_boxed_str());
    for _ in 0..600 {
        if count(waiting).unwrap() == 0 {
            break;
        }
        assert!(last.try_wait().unwrap().is_none(), "it runs");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    last.kill().unwrap();
    last.wait().unwrap();
    assert_eq!(count(waiting).unwrap(), 0, "they are delivered within a minute");
    let store = rusqlite::Connection::open(&file).unwrap();
    let mut rows = store.prepare("SELECT hex(hash) FROM transactions WHERE id <= ?1").unwrap();
    let rows = rows.query_map([until], |row| row.get::<_, String>(0)).unwrap();
    let taken = taken.lock().await;
    let told: std::collections::HashSet<_> =
        taken.bodies.values().map(|body| body["tx_hash"].as_str().unwrap()).collect();
    let mut ends = 0;
    for hash in rows {
        let hash = hash.unwrap();
        assert!(told.contains(&*hash), "{hash} was never told");
        ends += 1;
    }
    assert!(ends > 60, "{ends}");
    node.shutdown().await;
}
