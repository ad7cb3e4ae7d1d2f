//! A server to develop on, asked as its clients do.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Map, Value as Json, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};
use xrpl_standalone::{Closing, FaucetConfig, FundedAccounts, Standalone, StandaloneConfig};

/// 2026-01-01T00:00:00Z.
pub(crate) const NEW_YEAR: u32 = 820_540_800;

pub(crate) fn config() -> StandaloneConfig {
    StandaloneConfig {
        rpc_bind: ([127, 0, 0, 1], 0).into(),
        ws_bind: ([127, 0, 0, 1], 0).into(),
        start_time: Some(NEW_YEAR),
        accounts: Some(FundedAccounts::default()),
        faucet: Some(FaucetConfig::default()),
        explorer: true,
        ..StandaloneConfig::default()
    }
}

pub(crate) fn closing(closing: Closing) -> Standalone {
    Standalone::in_memory(StandaloneConfig { closing, ..config() })
}

pub(crate) fn ask(server: &Standalone, method: &str, params: Json) -> Json {
    let request = Map::from_iter([
        ("method".to_owned(), method.into()),
        ("params".to_owned(), json!([params])),
    ]);
    server.request(&request).unwrap()["result"].take()
}

/// The same, where it must succeed.
pub(crate) fn done(server: &Standalone, method: &str, params: Json) -> Json {
    let answer = ask(server, method, params);
    assert_eq!(answer["status"], "success", "{method}: {answer}");
    answer
}

pub(crate) fn seed(server: &Standalone, n: usize) -> String {
    server.accounts()[n].seed.to_base58()
}

pub(crate) fn address(server: &Standalone, n: usize) -> String {
    server.accounts()[n].address.to_string()
}

/// Signs and submits a transaction of an account.
pub(crate) fn submit(server: &Standalone, n: usize, mut tx: Json) -> Json {
    tx["Account"] = address(server, n).into();
    done(server, "submit", json!({"secret": seed(server, n), "tx_json": tx}))
}

pub(crate) fn pay(server: &Standalone, from: usize, to: usize, drops: u64) -> String {
    let destination = address(server, to);
    let tx = json!({
        "TransactionType": "Payment", "Destination": destination, "Amount": drops.to_string(),
    });
    let answer = submit(server, from, tx);
    assert_eq!(answer["engine_result"], "tesSUCCESS", "{answer}");
    answer["tx_json"]["hash"].as_str().unwrap().to_owned()
}

pub(crate) fn balance(server: &Standalone, n: usize, ledger: &str) -> u64 {
    let params = json!({"account": address(server, n), "ledger_index": ledger});
    let balance = &done(server, "account_info", params)["account_data"]["Balance"];
    balance.as_str().unwrap().parse().unwrap()
}

pub(crate) fn newest(server: &Standalone) -> u64 {
    done(server, "ledger_closed", json!({}))["ledger_index"].as_u64().unwrap()
}

/// An HTTP request: status, headers, body.
pub(crate) async fn http(
    server: &Standalone,
    request: &str,
    headers: &str,
    body: &str,
) -> (u16, String, Json) {
    let mut stream = TcpStream::connect(server.rpc_addr).await.unwrap();
    let head = format!(
        "{request} HTTP/1.1\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), serde_json::from_str(body).unwrap_or_default())
}

pub(crate) struct Listener(WebSocketStream<TcpStream>);

impl Listener {
    /// Subscribes to streams.
    pub(crate) async fn new(server: &Standalone, streams: &[&str]) -> Self {
        let stream = TcpStream::connect(server.ws_addr).await.unwrap();
        let url = format!("ws://{}", server.ws_addr);
        let mut this = Self(client_async(url, stream).await.unwrap().0);
        let ask = json!({"command": "subscribe", "streams": streams}).to_string();
        this.0.send(Message::text(ask)).await.unwrap();
        assert_eq!(this.next().await["status"], "success");
        this
    }

    pub(crate) async fn next(&mut self) -> Json {
        let next = tokio::time::timeout(Duration::from_secs(20), self.0.next());
        let message = next.await.unwrap().unwrap().unwrap();
        serde_json::from_str(message.to_text().unwrap()).unwrap()
    }
}
