//! The faults of a plan do what they say.

mod misleading;

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value as Json, json};
use tokio::{io::DuplexStream, time};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};
use xrpl_protocol::{
    Drops, Sequence,
    keys::{KeyPair, KeyType, Seed},
    transaction::{AccountSet, Common, Direct as _, Slot},
};
use xrpl_standalone::{
    Kind,
    faults::{Action, LinkFault, Network, NetworkConfig, NodeAction, NodeFault, Plan, Port},
    ledger::PreparedTx,
    node::NodeConfig,
};

fn network(nodes: usize, plan: Plan) -> Network {
    let network = Network::start(NetworkConfig {
        nodes,
        node: NodeConfig::default(),
        close_interval: Duration::from_secs(1),
        send_queue_limit: 1_000,
        start_time: Some(848_737_540),
        plan,
    });
    network.follow_plan();
    network
}

/// One fault of the first node, for four seconds.
fn one(port: Port, action: Action) -> Network {
    let fault = LinkFault { at_ms: 2_500, for_ms: 4_000, node: 0, port, action };
    network(1, Plan { seed: 7, links: vec![fault], nodes: vec![] })
}

type Socket = WebSocketStream<DuplexStream>;

async fn subscribed(network: &Network) -> Socket {
    let io = network.connect(0, Kind::WebSocket).unwrap();
    let (mut socket, _) = client_async("ws://node/", io).await.unwrap();
    let request = json!({"id": 1, "command": "subscribe", "streams": ["ledger"]});
    socket.send(Message::text(request.to_string())).await.unwrap();
    let answer = socket.next().await.unwrap().unwrap().into_text().unwrap();
    assert!(answer.contains("\"response\""), "{answer}");
    socket
}

/// What comes until a time: texts, and how it ended if it did.
async fn until(socket: &mut Socket, seconds: u64) -> (Vec<String>, Option<String>) {
    let deadline = time::Instant::now() + Duration::from_secs(seconds);
    let mut texts = Vec::new();
    loop {
        match time::timeout_at(deadline, socket.next()).await {
            Err(_) => return (texts, None),
            Ok(Some(Ok(Message::Text(text)))) => texts.push(text.to_string()),
            Ok(Some(Ok(Message::Close(Some(frame))))) => {
                return (texts, Some(u16::from(frame.code).to_string()));
            }
            Ok(Some(Ok(_))) => {}
            Ok(Some(Err(_)) | None) => return (texts, Some("abrupt".into())),
        }
    }
}

fn indexes(texts: &[String]) -> Vec<u64> {
    let read = |text: &String| serde_json::from_str::<Json>(text).ok();
    texts.iter().filter_map(read).filter_map(|json| json["ledger_index"].as_u64()).collect()
}

#[tokio::test(start_paused = true)]
async fn sockets_end_as_planned() {
    for (action, how) in [
        (Action::Close(1000), "1000"),
        (Action::Close(1001), "1001"),
        (Action::Close(1008), "1008"),
        (Action::Cut, "abrupt"),
        (Action::Break(100), "abrupt"),
    ] {
        let network = one(Port::Ws, action.clone());
        let mut socket = subscribed(&network).await;
        let (_, ended) = until(&mut socket, 5).await;
        assert_eq!(ended.as_deref(), Some(how), "{action:?}");
        assert!(network.hits() > 0);
        network.shutdown().await;
    }
    let network = one(Port::Ws, Action::HalfOpen);
    let mut socket = subscribed(&network).await;
    let (texts, ended) = until(&mut socket, 60).await;
    assert!(texts.len() <= 2 && ended.is_none(), "silent, and still open: {texts:?}");
    let network = one(Port::Ws, Action::Refuse);
    time::sleep(Duration::from_secs(3)).await;
    assert!(network.connect(0, Kind::WebSocket).is_err());
    time::sleep(Duration::from_secs(4)).await;
    subscribed(&network).await;
}

#[tokio::test(start_paused = true)]
async fn stream_messages_suffer_as_planned_and_recover() {
    let gaps = |seen: &[u64]| seen.windows(2).filter(|pair| pair[1] > pair[0] + 1).count();
    for action in [
        Action::Drop(100),
        Action::Truncate(100),
        Action::Garbage(100),
        Action::SkipLedgers(100),
        Action::Duplicate(100),
        Action::Reorder(100),
        Action::Contradict(100),
        Action::Delay(100, 900),
    ] {
        let network = one(Port::Ws, action.clone());
        let mut socket = subscribed(&network).await;
        let (texts, ended) = until(&mut socket, 12).await;
        assert_eq!(ended, None, "{action:?}");
        let seen = indexes(&texts);
        let hashes = network.ledgers();
        let wrong = texts.iter().filter(|text| {
            let Ok(json) = serde_json::from_str::<Json>(text) else { return false };
            let Some(index) = json["ledger_index"].as_u64() else { return false };
            hashes[index as usize - 1].header.hash.to_string() != json["ledger_hash"]
        });
        let wrong = wrong.count();
        match action {
            Action::Duplicate(_) => assert!(seen.windows(2).any(|pair| pair[0] == pair[1])),
            Action::Reorder(_) | Action::Delay(..) => assert!(network.hits() > 2, "{seen:?}"),
            Action::Contradict(_) => assert!(wrong > 2, "{texts:?}"),
            _ => assert_eq!(gaps(&seen), 1, "{action:?}: {seen:?}"),
        }
        assert!(wrong == 0 || matches!(action, Action::Contradict(_)), "{action:?}");
        let newest = hashes.last().unwrap().header.index.into();
        assert_eq!(seen.last(), Some(&newest), "afterwards all is well: {action:?}");
    }
}

/// One request on a connection of its own: status and text, or none without a whole answer.
async fn ask(network: &Network) -> Option<(u16, String)> {
    let io = network.connect(0, Kind::Rpc).ok()?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(io)).await.ok()?;
    tokio::spawn(connection);
    let body = Full::new(Bytes::from_static(br#"{"method":"ledger_closed"}"#));
    let request = hyper::Request::post("/").header("host", "node").body(body).unwrap();
    let answer = async {
        let answer = sender.send_request(request).await.ok()?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.ok()?.to_bytes();
        Some((status, String::from_utf8(body.to_vec()).unwrap()))
    };
    time::timeout(Duration::from_secs(1), answer).await.ok()?
}

#[tokio::test(start_paused = true)]
async fn answers_are_what_is_planned() {
    let whole =
        |text: &str| serde_json::from_str::<Json>(text).is_ok_and(|j| j["result"].is_object());
    for action in [
        Action::Status(100, 503),
        Action::Error(100, "slowDown".into()),
        Action::Garbage(100),
        Action::Truncate(100),
        Action::Drop(100),
        Action::LoseAnswer(100),
        Action::Break(100),
        Action::Stall,
        Action::Refuse,
        Action::Duplicate(100),
    ] {
        let network = one(Port::Rpc, action.clone());
        let (_, text) = ask(&network).await.expect("nothing is wrong yet");
        assert!(whole(&text));
        time::sleep(Duration::from_secs(3)).await;
        let answer = ask(&network).await;
        match (&action, answer) {
            (Action::Status(..), Some((status, _))) => assert_eq!(status, 503),
            (Action::Error(..), Some((_, text))) => {
                assert!(text.contains("\"slowDown\""), "{text}")
            }
            (Action::Garbage(_) | Action::Truncate(_), Some((200, text))) => {
                assert!(!text.contains("ledger_index") || !whole(&text), "{text}");
            }
            (Action::Duplicate(_), Some((200, text))) => assert!(whole(&text)),
            (Action::Status(..) | Action::Error(..) | Action::Duplicate(_), None) => {
                panic!("{action:?}: no answer");
            }
            (_, answer) => assert_eq!(answer, None, "{action:?}"),
        }
        time::sleep(Duration::from_secs(4)).await;
        let (_, text) = ask(&network).await.expect("nothing is wrong any more");
        assert!(whole(&text), "{action:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nodes_go_down_lag_forget_and_fill_up() {
    let at = |at_ms, node, action| NodeFault { at_ms, node, action };
    let nodes = vec![
        at(2_000, 1, NodeAction::Lag(3_500)),
        at(8_200, 0, NodeAction::Fill(30)),
        at(10_000, 0, NodeAction::Restart(3_000)),
        at(16_000, 1, NodeAction::LoseHistory(3)),
        at(20_500, 0, NodeAction::Forget(100)),
        at(20_500, 1, NodeAction::Forget(100)),
    ];
    let network = network(2, Plan { seed: 1, links: vec![], nodes });
    let head = |node| network.with_node(node, |node| node.validated().header.index);
    let wait = |ms| time::sleep(Duration::from_millis(ms));
    wait(5_300).await;
    assert!(head(1) + 3 <= head(0), "{} and {}", head(1), head(0));
    wait(1_500).await;
    assert_eq!(head(1), head(0), "it has caught up");
    wait(1_500).await;
    let open = network.with_node(0, |node| node.current().tx_count());
    assert_eq!(open, 30, "others fill the open ledger");
    wait(2_000).await;
    assert!(network.connect(0, Kind::Rpc).is_err(), "it is down");
    let before = head(0);
    wait(2_000).await;
    assert_eq!(head(0), before, "nothing closes");
    wait(3_000).await;
    assert!(head(0) > before && network.connect(0, Kind::Rpc).is_ok(), "it is back");
    wait(2_000).await;
    let (first, last) = network.with_node(1, |node| node.range());
    assert!(last - first <= 5, "{first} to {last}");
    assert_eq!(network.ledgers()[0].header.index, 1, "the network remembers");
    // What a node took is forgotten by both before it gets into a ledger.
    wait(20_450_u64.saturating_sub(network.elapsed().as_millis() as u64)).await;
    let genesis =
        KeyPair::from_seed(&Seed::from_passphrase("masterpassphrase", KeyType::Secp256k1));
    let common = Common {
        account: genesis.account_id(),
        slot: Slot::Sequence(Sequence(2)),
        fee: Drops(10_000),
        flags: 0,
        last_ledger: None,
        network_id: None,
        source_tag: None,
    };
    let tx = PreparedTx::parse(&AccountSet::default().sign(&common, &genesis).blob).unwrap();
    let taken = network.with_node(1, |node| node.submit(tx.into(), false));
    assert!(taken.applied);
    wait(3_000).await;
    let hash = taken.tx.hash;
    assert!(!network.ledgers().iter().any(|ledger| ledger.transaction(&hash).is_some()));
    for ledger in network.ledgers().windows(2) {
        assert_eq!(ledger[1].header.parent_hash, ledger[0].header.hash);
    }
}

#[tokio::test(start_paused = true)]
async fn what_one_node_takes_the_other_closes() {
    let network = network(2, Plan::default());
    let genesis =
        KeyPair::from_seed(&Seed::from_passphrase("masterpassphrase", KeyType::Secp256k1));
    let common = Common {
        account: genesis.account_id(),
        slot: Slot::Sequence(Sequence(2)),
        fee: Drops(10),
        flags: 0,
        last_ledger: None,
        network_id: None,
        source_tag: None,
    };
    let tx = PreparedTx::parse(&AccountSet::default().sign(&common, &genesis).blob).unwrap();
    let hash = network.with_node(1, |node| node.submit(tx.into(), false)).tx.hash;
    time::sleep(Duration::from_secs(2)).await;
    let ledgers = network.ledgers();
    let found = ledgers.iter().find(|ledger| ledger.transaction(&hash).is_some()).unwrap();
    let same = network.with_node(1, |node| node.ledger(found.header.index).cloned()).unwrap();
    assert_eq!(same.header.hash, found.header.hash);
}
