//! Faults in which a node or a proxy says what is not so, or does later what it seems not to have
//! done.

use std::sync::Arc;

use xrpl_protocol::{AccountId, TxHash};
use xrpl_standalone::ledger::ReadView;

use super::*;

const KEY_OF_GENESIS: &str = "masterpassphrase";

fn genesis() -> KeyPair {
    KeyPair::from_seed(&Seed::from_passphrase(KEY_OF_GENESIS, KeyType::Secp256k1))
}

/// A transaction of the genesis account that changes nothing, signed by anybody.
fn signed(sequence: u32, account: AccountId, key: &KeyPair) -> (TxHash, String) {
    let common = Common {
        account,
        slot: Slot::Sequence(Sequence(sequence)),
        fee: Drops(10),
        flags: 0,
        last_ledger: None,
        network_id: None,
        source_tag: None,
    };
    let signed = AccountSet::default().sign(&common, key);
    (signed.hash, const_hex::encode_upper(&signed.blob))
}

fn no_op(sequence: u32) -> (TxHash, String) {
    signed(sequence, genesis().account_id(), &genesis())
}

fn submit(blob: &str) -> String {
    json!({"method": "submit", "params": [{"tx_blob": blob}]}).to_string()
}

/// A request to a node, and what comes back within some seconds.
async fn request(
    network: &Network,
    node: usize,
    body: String,
    seconds: u64,
) -> Option<(u16, String)> {
    let io = network.connect(node, Kind::Rpc).ok()?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(io)).await.ok()?;
    let connection = tokio::spawn(connection);
    let request =
        hyper::Request::post("/").header("host", "node").body(Full::new(Bytes::from(body)));
    let answer = async {
        let answer = sender.send_request(request.unwrap()).await.ok()?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.ok()?.to_bytes();
        Some((status, String::from_utf8(body.to_vec()).unwrap()))
    };
    let answer = time::timeout(Duration::from_secs(seconds), answer).await.ok().flatten();
    // The client is gone, as one that has waited long enough.
    connection.abort();
    answer
}

fn holds(network: &Network, hash: &TxHash) -> bool {
    network.ledgers().iter().any(|ledger| ledger.transaction(hash).is_some())
}

fn on_nodes(nodes: usize, links: Vec<LinkFault>, faults: Vec<NodeFault>) -> Network {
    network(nodes, Plan { seed: 3, links, nodes: faults })
}

fn wrong_rpc(action: Action) -> LinkFault {
    LinkFault { at_ms: 0, for_ms: 4_000, node: 0, port: Port::Rpc, action }
}

#[tokio::test(start_paused = true)]
async fn a_request_is_acted_upon_whatever_its_answer_says() {
    for action in [
        Action::StatusAfter(100, 502),
        Action::StatusAfter(100, 504),
        Action::ErrorAfter(100, "internalSubmit".into()),
        Action::Late(100, 3_000),
    ] {
        let network = on_nodes(1, vec![wrong_rpc(action.clone())], vec![]);
        let (hash, blob) = no_op(2);
        assert!(!network.received(&hash));
        let answer = request(&network, 0, submit(&blob), 1).await;
        match (&action, answer) {
            (Action::StatusAfter(_, status), Some((answered, _))) => assert_eq!(answered, *status),
            (Action::ErrorAfter(_, token), Some((200, text))) => assert!(text.contains(token)),
            (Action::Late(..), None) => {}
            (_, answer) => panic!("{action:?}: {answer:?}"),
        }
        time::sleep(Duration::from_secs(5)).await;
        assert!(network.received(&hash), "{action:?}");
        assert!(holds(&network, &hash), "{action:?}");
    }
}

/// Ledger 3 has a transaction; xrpld knows nothing of ledgers without any.
#[tokio::test(start_paused = true)]
async fn a_search_may_be_less_than_it_seems() {
    let links = vec![wrong_rpc(Action::Unsearched(100))];
    let network = on_nodes(1, links, vec![]);
    time::sleep(Duration::from_secs(3)).await;
    let hash = no_op(99).0.to_string();
    let search = json!({"transaction": hash, "min_ledger": 3, "max_ledger": 3});
    let search = json!({"method": "tx", "params": [search]}).to_string();
    let searched = async |network: &Network| {
        let (_, text) = request(network, 0, search.clone(), 1).await.unwrap();
        serde_json::from_str::<Json>(&text).unwrap()["result"]["searched_all"].clone()
    };
    assert_eq!(searched(&network).await, false);
    time::sleep(Duration::from_secs(3)).await;
    assert_eq!(searched(&network).await, true);
}

#[tokio::test(start_paused = true)]
async fn a_ledger_may_be_less_than_it_is() {
    let network = on_nodes(1, vec![wrong_rpc(Action::LeaveOut(100))], vec![]);
    time::sleep(Duration::from_secs(3)).await;
    let listed = async |network: &Network, binary: bool| {
        let params =
            json!({"ledger_index": 3, "transactions": true, "expand": true, "binary": binary});
        let body = json!({"method": "ledger", "params": [params]}).to_string();
        let (_, text) = request(network, 0, body, 1).await.unwrap();
        let answer: Json = serde_json::from_str(&text).unwrap();
        answer["result"]["ledger"]["transactions"].as_array().unwrap().len()
    };
    let less = [listed(&network, false).await, listed(&network, true).await];
    time::sleep(Duration::from_secs(3)).await;
    let all = [listed(&network, false).await, listed(&network, true).await];
    assert_eq!(less.map(|n| n + 1), all);
}

#[tokio::test(start_paused = true)]
async fn another_node_may_answer() {
    let links = vec![wrong_rpc(Action::Elsewhere(100))];
    let lag = NodeFault { at_ms: 0, node: 1, action: NodeAction::Lag(10_000) };
    let network = on_nodes(2, links, vec![lag]);
    let index = async |network: &Network| {
        let (_, text) =
            request(network, 0, r#"{"method":"ledger_closed"}"#.into(), 1).await.unwrap();
        serde_json::from_str::<Json>(&text).unwrap()["result"]["ledger_index"].as_u64().unwrap()
    };
    time::sleep(Duration::from_millis(3_500)).await;
    let behind = index(&network).await;
    time::sleep(Duration::from_secs(2)).await;
    assert!(index(&network).await > behind + 2);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_stands_still_reads_later_what_was_sent_to_it() {
    let freeze = NodeFault { at_ms: 1_000, node: 1, action: NodeAction::Freeze(5_000) };
    let network = on_nodes(2, vec![], vec![freeze]);
    let io = network.connect(1, Kind::WebSocket).unwrap();
    let (mut socket, _) = client_async("ws://node/", io).await.unwrap();
    let subscribe = json!({"id": 1, "command": "subscribe", "streams": ["ledger"]});
    socket.send(Message::text(subscribe.to_string())).await.unwrap();
    time::sleep(Duration::from_millis(1_500)).await;
    let (before, ended) = until(&mut socket, 1).await;
    assert_eq!(ended, None);
    let (hash, blob) = no_op(2);
    // Connections are made, requests are taken; nobody answers, and the client goes away.
    assert_eq!(request(&network, 1, submit(&blob), 2).await, None);
    assert!(!network.received(&hash));
    let (silent, ended) = until(&mut socket, 1).await;
    assert_eq!((silent.len(), ended), (0, None), "{before:?}");
    let newest = network.ledgers().last().unwrap().header.index;
    assert!(network.with_node(1, |node| node.closed().header.index) + 2 < newest);
    time::sleep(Duration::from_secs(4)).await;
    assert!(network.received(&hash) && holds(&network, &hash));
    let (after, ended) = until(&mut socket, 1).await;
    assert_eq!(ended, None, "the connection has lived through it");
    let seen = indexes(&after);
    assert!(seen.len() >= 4 && seen.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{seen:?}");
    assert!(request(&network, 1, r#"{"method":"ledger_closed"}"#.into(), 1).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_fork_is_told_as_validated_and_given_up_later() {
    let fork = NodeFault { at_ms: 2_200, node: 1, action: NodeAction::Fork(3_000) };
    let network = on_nodes(3, vec![], vec![fork]);
    let hash_of = |node, index| {
        network.with_node(node, |node| node.ledger(index).map(|ledger| ledger.header.hash))
    };
    let io = network.connect(1, Kind::WebSocket).unwrap();
    let (mut socket, _) = client_async("ws://node/", io).await.unwrap();
    let subscribe = json!({"id": 1, "command": "subscribe", "streams": ["ledger"]});
    socket.send(Message::text(subscribe.to_string())).await.unwrap();
    time::sleep(Duration::from_millis(4_800)).await;
    let newest = network.ledgers().last().unwrap().header.index;
    assert_ne!(hash_of(1, newest), hash_of(0, newest));
    assert_eq!(hash_of(2, newest), hash_of(0, newest), "the others agree");
    time::sleep(Duration::from_secs(3)).await;
    for ledger in network.ledgers() {
        let index = ledger.header.index;
        assert_eq!(hash_of(1, index), Some(ledger.header.hash), "it has always had theirs");
    }
    let (texts, ended) = until(&mut socket, 2).await;
    assert_eq!(ended, None);
    let seen = indexes(&texts);
    assert!(seen.is_sorted(), "no index is told twice with two hashes: {seen:?}");
    let truth = network.ledgers();
    let told = texts.iter().filter_map(|text| serde_json::from_str::<Json>(text).ok());
    let wrong = told.filter(|json| {
        json["ledger_index"].as_u64().is_some_and(|index| {
            truth[index as usize - 1].header.hash.to_string() != json["ledger_hash"]
        })
    });
    assert!((2..=4).contains(&wrong.count()), "{texts:?}");
}

/// What is in a ledger of the fork and in no other was never validated; the others may still take it.
#[tokio::test(start_paused = true)]
async fn what_a_fork_has_is_nothing_to_the_others() {
    let fork = NodeFault { at_ms: 1_200, node: 2, action: NodeAction::Fork(2_000) };
    let network = on_nodes(3, vec![], vec![fork]);
    time::sleep(Duration::from_millis(2_100)).await;
    let (hash, blob) = no_op(2);
    let tx = PreparedTx::parse(&const_hex::decode(blob).unwrap()).unwrap();
    // Straight into a ledger of its own, before the others hear of it.
    network.with_node(2, |node| {
        assert!(node.submit(Arc::new(tx), false).applied);
        let later = node.closed().header.close_time + 100;
        node.accept_at(later);
        assert!(node.closed().has_transaction(&hash));
    });
    time::sleep(Duration::from_secs(5)).await;
    assert!(!holds(&network, &hash));
    let known = network.with_node(2, |node| node.transaction(&hash).is_some());
    assert!(!known, "it was never in a ledger");
}

/// Signed by a key that is none of the account's: held, and applied once it is one. Blobs come back.
#[tokio::test(start_paused = true)]
async fn what_was_sent_once_may_come_again_from_anybody() {
    let replay = NodeFault { at_ms: 12_000, node: 0, action: NodeAction::Replay(20) };
    let network = on_nodes(1, vec![], vec![replay]);
    let (hash, blob) = no_op(3);
    let answer = request(&network, 0, submit(&blob), 1).await.unwrap();
    assert!(answer.1.contains("terPRE_SEQ"), "{answer:?}");
    let hard = json!({"method": "submit", "params": [{"tx_blob": no_op(4).1, "fail_hard": true}]});
    request(&network, 0, hard.to_string(), 1).await.unwrap();
    // Longer than a node holds anything.
    time::sleep(Duration::from_secs(9)).await;
    network.with_node(0, |node| {
        node.restart();
        let first = PreparedTx::parse(&const_hex::decode(no_op(2).1).unwrap()).unwrap();
        assert!(node.submit(Arc::new(first), false).applied);
    });
    time::sleep(Duration::from_secs(1)).await;
    assert!(!holds(&network, &hash), "everybody has forgotten it");
    time::sleep(Duration::from_secs(4)).await;
    assert!(holds(&network, &hash), "but whoever saw it had it");
    assert!(network.received(&no_op(4).0));
    assert!(!holds(&network, &no_op(4).0), "what no node passed on nobody has");
}
