//! What the API says of the ledger itself: the history of one object, and amendments.

mod common;

use std::{net::SocketAddr, time::Duration};

use common::{Answer, Running, ask, assert_healthy, get, post};
use serde_json::{Value as Json, json};
use xrpl_client::request::Raw;
use xrpl_protocol::{AccountId, object_id};

/// Sends one transaction of an account of the run and waits until it is validated.
async fn sent(api: SocketAddr, account: AccountId, tx: Json) -> Json {
    let body = json!({"account": account, "tx_json": tx});
    let answer = post(api, "/transaction/submit", body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let hash = answer.json()["tx_hash"].as_str().unwrap().to_owned();
    for _ in 0..200 {
        let dossier = get(api, &format!("/state/tx/{hash}")).await.json();
        if dossier["state"] == "VALIDATED" {
            assert_eq!(dossier["engine_result_final"], "tesSUCCESS", "{dossier:#}");
            return dossier;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{hash} was not validated within 10 s");
}

async fn object(api: SocketAddr, rest: &str) -> Answer {
    get(api, &format!("/state/objects/{rest}")).await
}

/// Hashes and effects of the transactions of a page.
fn touches(page: &Json) -> Vec<(&Json, &Json)> {
    let list = page["transactions"].as_array().unwrap();
    list.iter().map(|touch| (&touch["tx_hash"], &touch["effect"])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_leads_to_the_transactions_that_touched_it() {
    let run = Running::start(&[("duration", "5m")]).await;
    let api = run.api;
    assert_eq!(ask(api, "POST", "/workload/stop", &[], None).await.status, 200);
    let [from, to] = run.app.generator().unwrap().accounts().users[..2] else { panic!("two") };
    let check = json!({"TransactionType": "CheckCreate", "Destination": to, "SendMax": "1000000"});
    let made = sent(api, from, check).await;
    let slot = made["ticket_sequence"].as_u64().or(made["sequence"].as_u64()).unwrap();
    let id = object_id::check(from, u32::try_from(slot).unwrap());

    let page = object(api, &id.to_string()).await.json();
    assert_eq!(page["entry_type"], "Check", "{page:#}");
    assert_eq!(page["entry"]["SendMax"], "1000000");
    assert_eq!(touches(&page), [(&made["tx_hash"], &json!("created"))]);
    let touch = &page["transactions"][0];
    assert_eq!(touch["transaction_type"], "CheckCreate");
    assert_eq!((&touch["account"], &touch["engine_result"]), (&json!(from), &json!("tesSUCCESS")));
    assert_eq!(
        (&touch["ledger_index"], &touch["tracked"]),
        (&made["validated_ledger"], &json!(true))
    );
    assert_eq!((&page["next_cursor"], &page["incomplete"]), (&Json::Null, &Json::Null));

    // Gone, it is still known; in lower case too.
    let cancel = json!({"TransactionType": "CheckCancel", "CheckID": id});
    let cancelled = sent(api, to, cancel).await;
    let mut page = Json::Null;
    for _ in 0..100 {
        let answer = object(api, &id.to_string().to_lowercase()).await;
        if answer.status == 200 {
            page = answer.json();
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let both = [(&cancelled["tx_hash"], &json!("deleted")), (&made["tx_hash"], &json!("created"))];
    assert_eq!(touches(&page), both, "{page:#}");
    assert_eq!((&page["entry"], &page["entry_type"]), (&Json::Null, &json!("Check")));

    // Of an account's root there are many: they come in pages, back to its funding.
    let root = object_id::account_root(from);
    let whole = object(api, &format!("{root}?limit=200")).await.json();
    let all = touches(&whole);
    assert!(all.len() > 3, "{whole:#}");
    assert_eq!(all.last().unwrap().1, "created");
    assert!(all[..all.len() - 1].iter().all(|(_, effect)| *effect == "modified"), "{whole:#}");
    let first = object(api, &format!("{root}?limit=2")).await.json();
    assert_eq!(touches(&first), all[..2]);
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(cursor, all[2].0.as_str().unwrap());
    let rest = object(api, &format!("{root}?limit=200&cursor={cursor}")).await.json();
    assert_eq!(touches(&rest), all[2..]);

    // Of one that is gone and forgotten, any transaction that touched it shows the rest.
    let from_it = format!("{id}?cursor={}", made["tx_hash"].as_str().unwrap());
    assert_eq!(touches(&object(api, &from_it).await.json()), both[1..]);
    // One that did not touch it shows nothing, and says so.
    let other = object(api, &format!("{root}?cursor={}", "0".repeat(64))).await.json();
    assert!(touches(&other).is_empty());
    assert!(other["incomplete"].as_str().unwrap().contains("does not have"), "{other:#}");

    // Where the node has forgotten a transaction, the run still knows that it was its own.
    let check = json!({"TransactionType": "CheckCreate", "Destination": to, "SendMax": "2000000"});
    let old = sent(api, from, check).await;
    let slot = old["ticket_sequence"].as_u64().or(old["sequence"].as_u64()).unwrap();
    let id = object_id::check(from, u32::try_from(slot).unwrap());
    let params = json!({"count": 300}).as_object().cloned().unwrap();
    run.app.pool.request(&Raw { method: "standalone_close".into(), params }).await.unwrap();
    let page = object(api, &id.to_string()).await.json();
    assert_eq!(touches(&page), [(&old["tx_hash"], &Json::Null)], "{page:#}");
    assert_eq!(page["transactions"][0]["engine_result"], "tesSUCCESS");
    assert!(page["incomplete"].as_str().unwrap().contains("does not have"), "{page:#}");

    assert_eq!(object(api, made["tx_hash"].as_str().unwrap()).await.error().0, 404);
    for wrong in ["12".to_owned(), format!("{root}?limit=0"), format!("{root}?cursor=x")] {
        assert_eq!(object(api, &wrong).await.error().0, 400, "{wrong}");
    }
    assert_healthy(&run.end().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn amendments_say_which_types_they_rule_out() {
    let run = Running::start(&[("amendments", "all,-Credentials")]).await;
    let page = get(run.api, "/state/amendments").await.json();
    let list = page["amendments"].as_array().unwrap();
    let credentials = list.iter().position(|of| of["name"] == "Credentials").unwrap();
    assert_eq!(list[credentials]["enabled"], false);
    assert!(list[..credentials].iter().all(|of| of["types"] != json!([])), "{page:#}");
    let enabled = list.iter().filter(|of| of["enabled"] == true).count();
    assert_eq!(page["enabled"], enabled);
    assert!(enabled > 40, "{page:#}");
    // What the list rules out is what the load does not draw.
    let controls = get(run.api, "/workload/rate-controls").await.json();
    let off = controls["disabled_types"].as_array().unwrap();
    let mut off: Vec<_> = off.iter().map(|of| of["name"].clone()).collect();
    off.sort_by_key(|name| name.to_string());
    assert!(!off.is_empty());
    assert_eq!(page["ruled_out"], json!(off), "{controls:#}");
    run.end().await;
}
