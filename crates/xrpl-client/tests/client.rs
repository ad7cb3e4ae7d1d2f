//! The client against small servers over pipes in memory, under virtual time.

mod common;

use std::{
    collections::VecDeque,
    fmt, io,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use common::{answer, answer_as, read_request};
use futures_util::{SinkExt, StreamExt};
use tokio::{io::DuplexStream, sync::mpsc};
use tokio_tungstenite::{
    accept_async,
    tungstenite::{Message, protocol::CloseFrame},
};
use url::Url;
use xrpl_client::{
    ClientError, Connector, Endpoint, Pool, PoolConfig,
    connect::{BoxedIo, Connecting},
    request::{Fee, Raw, ServerState, Subscribe, Tx},
    websocket,
};

type Serve = Box<dyn FnOnce(DuplexStream) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// Each connection is served by the next of these; none left means connection refused.
#[derive(Clone, Default)]
struct Pipes(Arc<Mutex<VecDeque<Serve>>>);

impl fmt::Debug for Pipes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pipes")
    }
}

impl Pipes {
    fn then<F, Fut>(self, serve: F) -> Self
    where
        F: FnOnce(DuplexStream) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.0.lock().unwrap().push_back(Box::new(move |io| Box::pin(serve(io))));
        self
    }
}

impl Connector for Pipes {
    fn connect<'a>(&'a self, _: &'a Url) -> Connecting<'a> {
        let next = self.0.lock().unwrap().pop_front();
        Box::pin(async move {
            let serve = next.ok_or(io::Error::from(io::ErrorKind::ConnectionRefused))?;
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            tokio::spawn(serve(theirs));
            Ok(Box::new(ours) as BoxedIo)
        })
    }
}

fn pool(pipes: &Pipes) -> Pool {
    let endpoint = Endpoint { rpc: Url::parse("http://node:5005").unwrap(), ws: None };
    let connector: Arc<dyn Connector> = Arc::new(pipes.clone());
    let config = PoolConfig { connector, timeout: Duration::from_secs(5), ..PoolConfig::default() };
    Pool::new(vec![endpoint], config)
}

const FEE: &str = r#"{"result":{"current_ledger_size":"3","drops":{"base_fee":"10",
    "median_fee":"5000","minimum_fee":"10","open_ledger_fee":"10"},"status":"success"}}"#;

#[tokio::test(start_paused = true)]
async fn connection_refused_is_never_sent() {
    let error = pool(&Pipes::default()).request(&Fee::default()).await.unwrap_err();
    assert!(matches!(error, ClientError::NeverSent { .. }), "{error}");
    assert!(!error.may_have_been_sent());
}

#[tokio::test(start_paused = true)]
async fn connections_are_kept_and_an_idle_one_that_was_closed_is_replaced() {
    let pipes = Pipes::default()
        .then(|mut io| async move {
            for _ in 0..2 {
                read_request(&mut io).await.unwrap();
                answer(&mut io, 200, FEE).await;
            }
            // As xrpld does with idle connections.
        })
        .then(|mut io| async move {
            read_request(&mut io).await.unwrap();
            answer(&mut io, 200, FEE).await;
            std::future::pending::<()>().await;
        });
    let pool = pool(&pipes);
    for _ in 0..3 {
        assert_eq!(pool.request(&Fee::default()).await.unwrap().current_ledger_size, Some(3));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_after_the_request_is_unknown() {
    let pipes = Pipes::default().then(|mut io| async move {
        read_request(&mut io).await.unwrap();
    });
    let error = pool(&pipes).submit(&[0x12, 0x34], false).await.answer.unwrap_err();
    assert!(error.may_have_been_sent(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn silence_after_the_request_is_unknown_when_the_time_is_up() {
    let pipes = Pipes::default().then(|mut io| async move {
        let body = read_request(&mut io).await.unwrap();
        assert_eq!(body, r#"{"method":"submit","params":[{"tx_blob":"1234","fail_hard":true}]}"#);
        std::future::pending::<()>().await;
    });
    let before = tokio::time::Instant::now();
    let error = pool(&pipes).submit(&[0x12, 0x34], true).await.answer.unwrap_err();
    assert!(error.may_have_been_sent(), "{error}");
    assert_eq!(before.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn garbage_partial_json_and_http_errors_are_told_apart() {
    for (status, body, check) in [
        (200, "garbage", (|e| e.may_have_been_sent()) as fn(&ClientError) -> bool),
        (200, r#"{"result":{"engine_result":"#, |e| e.may_have_been_sent()),
        (200, r#"{"result":{"status":"success"}}"#, |e| e.may_have_been_sent()),
        (403, "Forbidden", |e| matches!(e, ClientError::TurnedAway { status: 403, .. })),
        // A proxy passed it on before it lost the node, or found it too slow.
        (502, "<html>502 Bad Gateway</html>", |e| e.may_have_been_sent()),
        (504, "upstream request timeout", |e| e.may_have_been_sent()),
        (503, "upstream connect error or disconnect/reset before headers", |e| {
            e.may_have_been_sent()
        }),
        (
            200,
            r#"{"result":{"error":"invalidTransaction","error_exception":"fails local checks","status":"error"}}"#,
            |e| e.api().is_some_and(|a| a.error_exception.is_some()),
        ),
        (
            200,
            r#"{"result":{"error":"noNetwork","error_code":17,"error_message":"Not synced","status":"error"}}"#,
            |e| e.is_token("noNetwork"),
        ),
    ] {
        let pipes = Pipes::default().then(move |mut io| async move {
            read_request(&mut io).await.unwrap();
            answer(&mut io, status, body).await;
        });
        let error = pool(&pipes).submit(&[1], false).await.answer.unwrap_err();
        assert!(check(&error), "{body}: {error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn overload_as_xrpld_says_it_itself_proves_that_nothing_was_done() {
    let pipes = Pipes::default().then(|mut io| async move {
        read_request(&mut io).await.unwrap();
        let own = "Server: xrpld-json-rpc/xrpld-3.3.0-b0\r\n";
        answer_as(&mut io, 503, own, "Server is overloaded\r\n").await;
    });
    let error = pool(&pipes).submit(&[1], false).await.answer.unwrap_err();
    assert!(matches!(error, ClientError::TurnedAway { status: 503, .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_said_not_to_be_sent_leaves_at_no_later_time() {
    // A pipe with room for nothing more than the handshake: the request stays in it, half written
    // or not at all, until somebody reads.
    let (seen_by, mut seen) = mpsc::unbounded_channel();
    let pipes = Pipes::default().then(move |io| async move {
        let mut ws = accept_async(io).await.unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
        while let Some(Ok(message)) = ws.next().await {
            let _ = seen_by.send(message.into_text().unwrap().to_string());
        }
    });
    let (frames, _stream) = mpsc::channel(8);
    let timeout = Duration::from_secs(5);
    let ws = websocket::connect(&pipes, &ws_url(), timeout, frames).await.unwrap();
    // More than the pipe takes, so that the second one has to wait behind it.
    let long = serde_json::Value::from("x".repeat(1 << 18));
    let big = Raw {
        method: "first".into(),
        params: serde_json::Map::from_iter([("pad".to_owned(), long)]),
    };
    let small = Raw { method: "second".into(), params: serde_json::Map::new() };
    let (first, second) = tokio::join!(ws.request(&big, timeout), ws.request(&small, timeout));
    assert!(first.unwrap_err().may_have_been_sent());
    assert!(matches!(second.unwrap_err(), ClientError::NeverSent { .. }));
    assert!(seen.recv().await.unwrap().contains("\"first\""));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(seen.try_recv().is_err(), "what was said not to be sent has left after all");
}

#[tokio::test(start_paused = true)]
async fn another_endpoint_takes_over_and_health_recovers() {
    let state = r#"{"result":{"state":{"server_state":"full","validated_ledger":{"base_fee":10,
        "hash":"0000000000000000000000000000000000000000000000000000000000000001",
        "reserve_base":1,"reserve_inc":1,"seq":7}},"status":"success"}}"#;
    // The first node refuses four times, the second answers; then the first is back.
    #[derive(Debug)]
    struct Two {
        first: Pipes,
        second: Pipes,
    }
    impl Connector for Two {
        fn connect<'a>(&'a self, url: &'a Url) -> Connecting<'a> {
            let which = if url.host_str() == Some("first") { &self.first } else { &self.second };
            which.connect(url)
        }
    }
    let always = move |mut io: DuplexStream| async move {
        while let Some(body) = read_request(&mut io).await {
            answer(&mut io, 200, if body.contains("server_state") { state } else { FEE }).await;
        }
    };
    let first = Pipes::default();
    let second = Pipes::default().then(always);
    let connector: Arc<dyn Connector> =
        Arc::new(Two { first: first.clone(), second: second.clone() });
    let endpoint = |host: &str| Endpoint {
        rpc: Url::parse(&format!("http://{host}:5005")).unwrap(),
        ws: None,
    };
    let config = PoolConfig { connector, ..PoolConfig::default() };
    let pool = Pool::new(vec![endpoint("first"), endpoint("second")], config);
    for _ in 0..4 {
        pool.request(&Fee::default()).await.unwrap();
    }
    assert!(!pool.health()[0].healthy && pool.health()[1].healthy);
    let _back = first.then(always);
    pool.check_health().await;
    assert!(pool.health()[0].healthy, "{:?}", pool.health());
    assert_eq!(pool.health()[0].validated.map(|l| l.0), Some(7));
}

fn ws_url() -> Url {
    Url::parse("ws://node:6006").unwrap()
}

#[tokio::test(start_paused = true)]
async fn answers_match_by_id_out_of_order_and_stream_messages_pass() {
    let pipes = Pipes::default().then(|io| async move {
        let mut ws = accept_async(io).await.unwrap();
        let mut ids = Vec::new();
        for _ in 0..2 {
            let text = ws.next().await.unwrap().unwrap().into_text().unwrap();
            let json: serde_json::Value = serde_json::from_str(&text).unwrap();
            ids.push((json["id"].clone(), json["command"].clone()));
        }
        // A stream message before the subscription's answer is no error.
        ws.send(Message::text(r#"{"type":"ledgerClosed","ledger_index":3}"#)).await.unwrap();
        for (id, command) in ids.into_iter().rev() {
            let text = serde_json::json!({"id": id, "status": "success", "type": "response",
                "result": {"echo": command, "state": {}}});
            ws.send(Message::text(text.to_string())).await.unwrap();
        }
        ws.send(Message::text(r#"{"type":"transaction","memo":"\"response\""}"#)).await.unwrap();
        let frame = CloseFrame { code: 1008.into(), reason: "Client is too slow.".into() };
        ws.send(Message::Close(Some(frame))).await.unwrap();
    });
    let (frames, mut stream) = mpsc::channel(8);
    let timeout = Duration::from_secs(5);
    let ws = websocket::connect(&pipes, &ws_url(), timeout, frames).await.unwrap();
    let raw = Raw { method: "ping".into(), params: serde_json::Map::new() };
    let subscribe = Subscribe { streams: vec!["ledger".into()], accounts: Vec::new() };
    let (a, b) = tokio::join!(ws.request(&raw, timeout), ws.request(&subscribe, timeout));
    assert_eq!(a.unwrap()["echo"], "ping");
    assert_eq!(b.unwrap()["echo"], "subscribe");
    assert!(stream.recv().await.unwrap().contains("ledgerClosed"));
    assert!(stream.recv().await.unwrap().contains("transaction"));
    let closed = ws.closed().await;
    assert_eq!((closed.code, closed.reason.as_str()), (Some(1008), "Client is too slow."));
    let error = ws.request(&raw, timeout).await.unwrap_err();
    assert!(matches!(error, ClientError::NeverSent { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn errors_over_websocket_and_a_lost_connection() {
    let pipes = Pipes::default().then(|io| async move {
        let mut ws = accept_async(io).await.unwrap();
        ws.next().await.unwrap().unwrap();
        let text = r#"{"id":1,"error":"txnNotFound","error_code":29,"error_message":"Transaction not found.","status":"error","type":"response","request":{}}"#;
        ws.send(Message::text(text)).await.unwrap();
        ws.next().await.unwrap().unwrap();
    });
    let (frames, _stream) = mpsc::channel(8);
    let timeout = Duration::from_secs(5);
    let ws = websocket::connect(&pipes, &ws_url(), timeout, frames).await.unwrap();
    let error = ws.request(&Tx::default(), timeout).await.unwrap_err();
    assert!(error.is_token("txnNotFound"), "{error}");
    let error = ws.request(&ServerState::default(), timeout).await.unwrap_err();
    assert!(error.may_have_been_sent(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_full_channel_makes_the_reader_wait_and_loses_nothing() {
    const MESSAGES: usize = 500;
    let pipes = Pipes::default().then(|io| async move {
        let mut ws = accept_async(io).await.unwrap();
        for n in 0..MESSAGES {
            ws.send(Message::text(format!(r#"{{"type":"transaction","n":{n}}}"#))).await.unwrap();
        }
        std::future::pending::<()>().await;
    });
    let (frames, mut stream) = mpsc::channel(2);
    let _ws = websocket::connect(&pipes, &ws_url(), Duration::from_secs(5), frames).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    for n in 0..MESSAGES {
        let text = stream.recv().await.unwrap();
        assert!(text.contains(&format!(r#""n":{n}}}"#)), "{text}");
    }
}
