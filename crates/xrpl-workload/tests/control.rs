//! What the API changes: accounts, the network, the canary.

mod common;

use std::{collections::BTreeSet, time::Duration};

use common::{Running, ask, assert_healthy, get, post};
use serde_json::{Value as Json, json};

async fn eventually(what: &str, mut check: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if check().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not within 20 s: {what}");
}

fn addresses(json: &Json) -> BTreeSet<String> {
    json.as_array().unwrap().iter().map(|a| a.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_created_account_takes_part_once_it_is_funded() {
    let run = Running::start(&[("tps", "50")]).await;
    let api = run.api;
    let before = addresses(&get(api, "/state/users").await.json()["users"]);
    let body = json!({"drops": 100_000_000, "algorithm": "secp256k1", "wait": true});
    let created = post(api, "/accounts/create", body).await;
    assert_eq!(created.status, 200, "{}", created.text);
    let created = created.json();
    assert_eq!(
        (&created["state"], &created["engine_result"]),
        (&json!("VALIDATED"), &json!("tesSUCCESS"))
    );
    let address = created["address"].as_str().unwrap().to_owned();
    assert!(!before.contains(&address));
    let dossier = get(api, &format!("/state/tx/{}", created["tx_hash"].as_str().unwrap())).await;
    assert_eq!(dossier.json()["tx_json"]["Destination"], json!(address));
    eventually("it is among the users", async || {
        addresses(&get(api, "/state/users").await.json()["users"]).contains(&address)
    })
    .await;
    let root = get(api, &format!("/accounts/{address}")).await.json();
    assert!(root["account_data"]["Balance"].is_string(), "{root}");
    eventually("it sends", async || {
        let path = format!("/state/transactions?account={address}&state=VALIDATED");
        !get(api, &path).await.json()["transactions"].as_array().unwrap().is_empty()
    })
    .await;
    let second = post(api, "/accounts/create", json!({})).await.json();
    assert_ne!(second["address"], json!(address));
    for (body, named) in [
        (json!({"drops": 1}), "drops"),
        (json!({"drops": u64::MAX}), "drops"),
        (json!({"algorithm": "rsa"}), "algorithm"),
        (json!({"secret": "s"}), "secret"),
    ] {
        let answer = post(api, "/accounts/create", body.clone()).await;
        let (status, _, message) = answer.error();
        assert_eq!(status, 400, "{body}: {message}");
        assert!(message.contains(named), "{body}: {message}");
    }
    assert_healthy(&run.end().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_begins_a_new_run_on_a_fresh_ledger() {
    let run = Running::start(&[("tps", "50")]).await;
    let api = run.api;
    eventually("something is validated", async || {
        get(api, "/state/summary").await.json()["by_state"]["VALIDATED"].as_u64() > Some(50)
    })
    .await;
    let before = get(api, "/state/summary").await.json();
    let reset = ask(api, "POST", "/network/reset", &[], None).await;
    assert_eq!(reset.status, 200, "{}", reset.text);
    let reset = reset.json();
    assert_eq!(reset["status"], "reset");
    assert!(reset["steps"].as_array().unwrap().len() >= 3, "{reset}");
    let after = get(api, "/state/summary").await.json();
    assert!(after["run"].as_u64() > before["run"].as_u64(), "{after}");
    assert!(after["ledger_index"].as_u64() < before["ledger_index"].as_u64(), "{after}");
    eventually("the new run validates", async || {
        let now = get(api, "/state/summary").await.json();
        now["phase"] == "ready" && now["by_state"]["VALIDATED"].as_u64() > Some(30)
    })
    .await;
    // The old run stays readable under its own id.
    let old = get(api, &format!("/state/transactions?run={}&limit=5", before["run"])).await.json();
    assert_eq!(old["transactions"].as_array().unwrap().len(), 5);
    assert!(old["transactions"].as_array().unwrap().iter().all(|row| row["run"] == before["run"]));
    assert_healthy(&run.end().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_programs_node_is_not_reset() {
    let node = Running::start(&[]).await;
    let endpoint = node.app.pool.endpoints().next().unwrap().1.clone();
    let (rpc, ws) = (endpoint.rpc.to_string(), endpoint.ws.unwrap().to_string());
    let run = Running::start(&[("rpc", &rpc), ("ws", &ws), ("seed", "other")]).await;
    let (status, code, message) = ask(run.api, "POST", "/network/reset", &[], None).await.error();
    assert_eq!((status, code.as_str()), (409, "conflict"), "{message}");
    assert_healthy(&run.end().await);
    assert_healthy(&node.end().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_canary_beats_once_per_ledger_without_load() {
    let run = Running::start(&[("heartbeat", "true")]).await;
    let api = run.api;
    assert_eq!(ask(api, "POST", "/workload/stop", &[], None).await.status, 200);
    eventually("it beats", async || {
        get(api, "/state/heartbeat").await.json()["total_heartbeats"].as_u64() >= Some(6)
    })
    .await;
    let view = get(api, "/state/heartbeat").await.json();
    assert_eq!((&view["enabled"], &view["missed_count"]), (&json!(true), &json!(0)), "{view}");
    let beats = view["recent_heartbeats"].as_array().unwrap();
    let ledgers: Vec<_> = beats.iter().map(|b| b["ledger_index"].as_u64().unwrap()).collect();
    for pair in ledgers.windows(2) {
        assert_eq!(pair[0], pair[1] + 1, "one per ledger, newest first: {view}");
    }
    let ended = beats.iter().find(|b| b["state"] == "VALIDATED").unwrap();
    assert_eq!(ended["result"], "tesSUCCESS");
    assert!(ended["validated_ledger"].as_u64() > ended["ledger_index"].as_u64());
    assert_healthy(&run.end().await);
}
