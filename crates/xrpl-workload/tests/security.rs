//! What keeps others out: tokens, limits, and secrets that stay inside.

mod common;

use std::{process::Stdio, time::Duration};

use common::{FREE_PORTS, Running, ask, assert_healthy, get, program};
use serde_json::json;
use tokio::{io::AsyncReadExt, io::AsyncWriteExt, net::TcpStream};

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_at_once_are_answered_while_load_runs() {
    let run = Running::start(&[("tps", "50"), ("api_rate", "0")]).await;
    let api = run.api;
    let paths = [
        "/state/summary",
        "/state/transactions?limit=100",
        "/state/matrix",
        "/metrics",
        "/state/ledgers",
        "/workload/status",
        "/health",
        "/state/ws/stats",
    ];
    let validated = |app: &xrpl_workload::session::App| {
        app.tracker.stats().by_state[&xrpl_tracker::State::Validated]
    };
    let before = validated(&run.app);
    let asked: Vec<_> = (0..1_000)
        .map(|n| {
            let path = paths[n % paths.len()];
            tokio::spawn(async move { (path, get(api, path).await) })
        })
        .collect();
    for one in asked {
        let (path, answer) = one.await.unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
    for _ in 0..100 {
        if validated(&run.app) > before {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(validated(&run.app) > before, "the load goes on");
    let stats = run.app.tracker.ws_stats();
    assert_eq!((stats.connected, stats.reconnects), (1, 0), "the socket was read all the time");
    assert_healthy(&run.end().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_asks_too_much_is_told_to_wait() {
    let run = Running::start(&[("api_rate", "5")]).await;
    let mut statuses = Vec::new();
    for _ in 0..16 {
        let answer = get(run.api, "/version").await;
        statuses.push(answer.status);
        if answer.status == 429 {
            assert_eq!(answer.headers["retry-after"], "1");
            assert_eq!(answer.error().1, "too_many_requests");
        }
    }
    assert_eq!(statuses[..10], [200; 10], "a burst of two seconds' worth");
    assert!(statuses[10..].contains(&429), "{statuses:?}");
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(get(run.api, "/version").await.status, 200);
    run.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sites_get_nothing_and_requests_are_bounded() {
    let run = Running::start(&[]).await;
    let api = run.api;
    // CORS is closed: no answer allows another origin, nor its preflight.
    let origin = [("origin", "https://evil.example")];
    for (method, path) in [("GET", "/state/summary"), ("OPTIONS", "/workload/stop")] {
        let answer = ask(api, method, path, &origin, None).await;
        let allowed = answer.headers.keys().find(|k| k.as_str().starts_with("access-control"));
        assert_eq!(allowed, None, "{method} {path}");
    }
    for (headers, path) in [
        (("sec-fetch-site", "cross-site"), "/workload/stop"),
        (("sec-fetch-site", "same-site"), "/payment"),
        // An older browser says only whose page it shows.
        (("origin", "http://evil.example"), "/workload/stop"),
        (("origin", "null"), "/transaction/random"),
    ] {
        assert_eq!(ask(api, "POST", path, &[headers], None).await.error().0, 403, "{path}");
    }
    // A foreign name that was made to point here is no way in.
    let rebound = raw(api, "GET /state/summary HTTP/1.1\r\nHost: evil.example\r\n\r\n").await;
    assert!(rebound.starts_with("HTTP/1.1 403"), "{rebound}");
    let large = json!({"tx_blob": "0".repeat(2 << 20)}).to_string();
    let answer = ask(api, "POST", "/transaction/submit", &[], Some(&large)).await;
    assert_eq!((answer.status, answer.error().1.as_str()), (413, "too_large"));
    let long = format!("GET /{} HTTP/1.1\r\nHost: {api}\r\n\r\n", "a".repeat(1 << 20));
    let refused = raw(api, &long).await;
    assert!(refused.is_empty() || refused.starts_with("HTTP/1.1 4"), "{refused}");
    assert_eq!(get(api, "/version").await.status, 200, "it still answers others");
    assert_healthy(&run.end().await);
}

async fn raw(api: std::net::SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(api).await.unwrap();
    // The other side may hang up before it has everything.
    let _ = stream.write_all(text.as_bytes()).await;
    let mut buffer = vec![0; 4_096];
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut buffer)).await;
    let n = read.expect("an answer or an end").unwrap_or(0);
    String::from_utf8_lossy(&buffer[..n]).into_owned()
}

/// Everything that a run says, to anyone, while it is given every secret there is.
#[tokio::test(flavor = "multi_thread")]
async fn no_output_of_a_run_has_a_secret_in_it() {
    const TOKEN: &str = "token-7f3a9c51d2";
    const HOOK: &str = "hook-secret-b81e6a04";
    const PASSWORD: &str = "pa55-w0rd-in-a-url";
    // The genesis account's own seed: the only one that can fund on a fresh ledger.
    const SEED: &str = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb";
    let dir = tempfile::tempdir().unwrap();
    // The output tells no address with --json: two ports that are free now.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = other.local_addr().unwrap();
    drop(other);
    // A webhook that refuses everything, so that errors are told about it too.
    let hook = listener.local_addr().unwrap();
    drop(listener);
    let mut command = program(dir.path());
    command
        .args(["run", "--duration", "4s", "--tps", "20", "--accounts", "5", "--json"])
        .args(["--log-level", "trace", "--interval", "1s", "--heartbeat"])
        .args(["--ledger-interval", "300ms"])
        .args(["--webhook", &format!("http://user:{PASSWORD}@{hook}/")])
        .args(&FREE_PORTS[2..])
        .args(["--api-bind", &api.to_string()])
        .env("XRPL_WORKLOAD_API_TOKEN", TOKEN)
        .env("XRPL_WORKLOAD_FUNDING_SECRET", SEED)
        .env("XRPL_WORKLOAD_WEBHOOK_SECRET", HOOK)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let more = tokio::spawn(async move {
        let mut text = String::new();
        stderr.read_to_string(&mut text).await.unwrap();
        text
    });
    for _ in 0..200 {
        if TcpStream::connect(api).await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let bearer = format!("Bearer {TOKEN}");
    let mut answers = String::new();
    let document = serde_json::to_value(xrpl_workload::api::openapi()).unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    for (path, item) in document["paths"].as_object().unwrap() {
        if path == "/events" || path == "/network/reset" {
            continue;
        }
        let path =
            path.replace("{hash}", &"0".repeat(64)).replace("{id}", "r").replace(['{', '}'], "");
        for (method, body) in [("get", None), ("post", Some(r#"{"tx_json": 1, "amount": []}"#))] {
            if item.get(method).is_some() && !path.contains("workload/st") {
                let method = method.to_uppercase();
                let headers = [("authorization", bearer.as_str())];
                answers.push_str(&ask(api, &method, &path, &headers, body).await.text);
            }
        }
    }
    for wrong in ["Bearer wrong", "Basic x", ""] {
        let answer = ask(api, "POST", "/workload/stop", &[("authorization", wrong)], None).await;
        assert_eq!(answer.error().0, 401);
        answers.push_str(&answer.text);
    }
    let mut output = String::new();
    child.stdout.take().unwrap().read_to_string(&mut output).await.unwrap();
    let said = more.await.unwrap();
    assert!(child.wait().await.unwrap().success(), "{said}");
    let config = program(dir.path())
        .arg("config")
        .env("XRPL_WORKLOAD_API_TOKEN", TOKEN)
        .env("XRPL_WORKLOAD_FUNDING_SECRET", SEED)
        .env("XRPL_WORKLOAD_WEBHOOK_SECRET", HOOK)
        .env("XRPL_WORKLOAD_WEBHOOK", format!("http://user:{PASSWORD}@{hook}/"))
        .output()
        .unwrap();
    output.push_str(&String::from_utf8_lossy(&config.stdout));
    // What is on disk is an output too.
    let mut disk = Vec::new();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        disk.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    assert!(
        answers.len() > 10_000 && said.len() > 1_000 && output.len() > 1_000 && disk.len() > 1_000
    );
    let disk = String::from_utf8_lossy(&disk).into_owned();
    for (place, text) in [
        ("an answer", &answers),
        ("standard error", &said),
        ("standard output", &output),
        ("the disk", &disk),
    ] {
        for secret in [TOKEN, HOOK, PASSWORD, SEED, "sEd"] {
            if let Some(at) = text.find(secret) {
                let around: String = text[at.saturating_sub(120)..].chars().take(240).collect();
                // Random bytes of a blob may spell three letters.
                let real = secret.len() > 3 || place != "the disk";
                assert!(!real, "{place} has {secret}: ...{around}");
            }
        }
    }
}

#[test]
fn json_logs_carry_the_hash_of_each_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let output = program(dir.path())
        .args(["run", "--duration", "1s", "--tps", "10", "--accounts", "3", "--store", "memory"])
        .args(["--log-json", "--log-level", "xrpl_tracker=debug", "--json", "--no-api"])
        .args(["--ledger-interval", "300ms"])
        .args(&FREE_PORTS[2..])
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stderr).unwrap();
    let logged: Vec<serde_json::Value> =
        lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let attempts: Vec<_> =
        logged.iter().filter(|l| l["fields"]["message"] == "an attempt has ended").collect();
    assert!(attempts.len() > 5, "{lines}");
    for line in attempts {
        assert_eq!(line["span"]["name"], "transaction", "{line}");
        assert_eq!(line["span"]["hash"].as_str().map(str::len), Some(64), "{line}");
    }
}
