//! Ledgers that a real xrpld showed: brought as it dumped them, and forked from one that answers as it
//! does. Needs the recordings.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value as Json, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{accept_async, tungstenite::Message};
use xrpl_protocol::Hash256;
use xrpl_standalone::{
    Begin, Standalone, StandaloneConfig,
    fork::{BoxedIo, Fork, ForkConfig, Upstream},
    state,
};

use crate::bench::config;
#[path = "../recordings/mod.rs"]
#[allow(dead_code)] // It has more than this test needs.
mod recordings;

/// Answers to `ledger_data` that show a whole ledger, and pages that do not.
fn dumps() -> (Vec<Json>, Vec<Json>) {
    let mut found = (Vec::new(), Vec::new());
    for name in recordings::names() {
        let path = recordings::folder().unwrap().join(format!("{name}.jsonl"));
        let text = std::fs::read_to_string(path).unwrap();
        // Few lines of many thousand.
        for line in text.lines().filter(|line| line.contains("\"ledger_data\"")) {
            let line: Json = serde_json::from_str(line).unwrap();
            let request = &line["request"];
            let params = request.get("params").map_or(request, |params| &params[0]);
            let is_dump =
                [&request["method"], &request["command"]].contains(&&json!("ledger_data"));
            let bare = ["marker", "type"].iter().all(|key| params.get(*key).is_none());
            let answer = line["response"]["result"].clone();
            if is_dump && bare && answer.get("ledger").is_some() {
                match answer.get("marker") {
                    None => found.0.push(answer),
                    Some(_) => found.1.push(answer),
                }
            }
        }
    }
    found
}

#[test]
fn what_a_real_server_dumped_is_its_ledger() {
    let (whole, parts) = dumps();
    if whole.is_empty() {
        return println!("skipped: no recordings (set XRPL_SHARED)");
    }
    for dump in &whole {
        let ledger = state::import(&dump.to_string()).unwrap();
        assert_eq!(ledger.header.hash.to_string(), dump["ledger_hash"], "{dump}");
    }
    for part in &parts {
        let error = state::import(&part.to_string()).unwrap_err().to_string();
        assert!(error.contains("page"), "{error}");
    }
    println!("{} ledgers, {} parts of some", whole.len(), parts.len());
}

/// A node that has one ledger, and answers about it in the forms that were recorded.
async fn node(dump: Json) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let ledger = state::import(&dump.to_string()).unwrap();
    let entries = ledger.state.iter();
    let entries = entries.map(|(id, entry)| (*id, const_hex::encode_upper(entry.encode())));
    let entries: BTreeMap<Hash256, String> = entries.collect();
    let answer = move |request: &Json| {
        let id = |key: &str| request[key].as_str().unwrap().parse::<Hash256>().unwrap();
        match request["command"].as_str().unwrap() {
            "ledger" => json!({
                "ledger": dump["ledger"], "ledger_hash": dump["ledger_hash"],
                "ledger_index": dump["ledger_index"], "validated": true,
            }),
            "server_info" => json!({"info": {"network_id": 0}}),
            "ledger_entry" => match entries.get(&id("index")) {
                Some(data) => json!({"index": request["index"], "node_binary": data}),
                None => json!({"error": "entryNotFound", "error_code": 98}),
            },
            "ledger_data" => {
                let limit = request["limit"].as_u64().unwrap() as usize;
                let after = entries.iter().filter(|(key, _)| **key > id("marker"));
                let rows = after.clone().take(limit);
                let state: Vec<_> = rows
                    .map(|(key, data)| json!({"data": data, "index": key.to_string()}))
                    .collect();
                let mut page = json!({"state": state});
                if after.count() > limit {
                    page["marker"] =
                        page["state"].as_array().unwrap().last().unwrap()["index"].clone();
                }
                page
            }
            other => panic!("a fork asks {other}"),
        }
    };
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = accept_async(stream).await.unwrap();
            while let Some(Ok(Message::Text(text))) = stream.next().await {
                let request: Json = serde_json::from_str(&text).unwrap();
                let result = answer(&request);
                // An error is no result, as xrpld has it on a WebSocket.
                let mut message = match result.get("error") {
                    Some(_) => result,
                    None => json!({"result": result, "status": "success"}),
                };
                message["id"] = request["id"].clone();
                message["type"] = "response".into();
                stream.send(Message::text(message.to_string())).await.unwrap();
            }
        }
    });
    address
}

#[tokio::test]
async fn a_ledger_of_a_real_server_is_forked() {
    let (whole, _) = dumps();
    let Some(dump) = whole.into_iter().max_by_key(|dump| dump["state"].as_array().map(Vec::len))
    else {
        return println!("skipped: no recordings (set XRPL_SHARED)");
    };
    let address = node(dump.clone()).await;
    let upstream = Upstream::new(format!("ws://{address}"), move || {
        Box::pin(async move { Ok(Box::new(TcpStream::connect(address).await?) as BoxedIo) })
    });
    let fork = Fork::begin(ForkConfig { upstream, ledger: None, cache: None }).await.unwrap();
    assert_eq!(fork.header().hash.to_string(), dump["ledger_hash"]);
    let whole = Begin::Ledger(Arc::new(state::import(&dump.to_string()).unwrap()));
    let mut seen = Vec::new();
    for begin in [Begin::Fork(fork), whole] {
        let server = Standalone::start(StandaloneConfig { begin, ..config() }).await.unwrap();
        let genesis = json!({"account": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"});
        let info = server.ask("account_info", genesis).await.unwrap();
        let tx = json!({
            "TransactionType": "Payment", "Account": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
            "Destination": "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe", "Amount": "1000000000",
        });
        let secret = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb";
        let sent = server.ask("submit", json!({"secret": secret, "tx_json": tx})).await.unwrap();
        assert_eq!(sent["engine_result"], "tesSUCCESS", "{sent}");
        server.ask("ledger_accept", json!({})).await.unwrap();
        let hash = sent["tx_json"]["hash"].clone();
        let tx = server.ask("tx", json!({"transaction": hash})).await.unwrap();
        seen.push((info["account_data"].clone(), hash, tx["meta"].clone()));
        server.shutdown().await;
    }
    assert_eq!(seen[0], seen[1]);
}
