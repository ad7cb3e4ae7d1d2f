//! Ends that are facts: refusals that a node takes back, blobs older than the program and than the
//! node's history, and what is said of those that nobody can decide.

mod common;
#[path = "common/outside.rs"]
mod outside;

use std::{process::Output, time::Duration};

use common::{Running, get, post, program};
use outside::{node, output, texts};
use serde_json::{Value as Json, json};
use xrpl_protocol::{
    Definitions, Object,
    keys::{KeyPair, KeyType, Seed},
    sign::{SignedTransaction, sign},
};
use xrpl_standalone::{
    Closing,
    node::{History, NodeConfig},
    server::{Standalone, StandaloneConfig},
};

const GENESIS: &str = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";
const MASTER: &str = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb";

fn key(passphrase: &str) -> KeyPair {
    KeyPair::from_seed(&Seed::from_passphrase(passphrase, KeyType::Secp256k1))
}

fn signed(tx: &Json, key: &KeyPair) -> SignedTransaction {
    sign(Object::from_json(tx, Definitions::builtin()).unwrap(), key)
}

async fn hand_in(run: &Running, tx: &Json, key: &KeyPair) -> Json {
    let blob = const_hex::encode(&signed(tx, key).blob);
    let answer = post(run.api, "/transaction/submit", json!({"tx_blob": blob})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// The dossier of a transaction once it is in this state; it may never be REJECTED before.
async fn once_in(run: &Running, hash: &str, state: &str) -> Json {
    for _ in 0..400 {
        let answer = get(run.api, &format!("/state/tx/{hash}")).await;
        let dossier = answer.json();
        if dossier["state"] == state {
            return dossier;
        }
        assert_ne!(dossier["state"], "REJECTED", "{dossier}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{hash} was not {state} within 20 s");
}

/// A funded account with a Ticket of the Sequence before its next one: its address, a user of the run, and
/// that next Sequence.
async fn with_a_ticket(run: &Running, master: &KeyPair) -> (String, Json, u64) {
    assert_eq!(common::ask(run.api, "POST", "/workload/stop", &[], None).await.status, 200);
    let account = master.account_id().to_string();
    let user = get(run.api, "/state/users").await.json()["users"][0].clone();
    let paid = post(
        run.api,
        "/payment",
        json!({"source": user, "destination": account, "amount": "50000000"}),
    )
    .await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    once_in(run, paid.json()["tx_hash"].as_str().unwrap(), "VALIDATED").await;
    let root = get(run.api, &format!("/accounts/{account}")).await.json();
    let sequence = root["account_data"]["Sequence"].as_u64().unwrap();
    let tickets = json!({"TransactionType": "TicketCreate", "Account": account, "Fee": "10",
        "TicketCount": 1, "Sequence": sequence});
    let made = hand_in(run, &tickets, master).await;
    once_in(run, made["tx_hash"].as_str().unwrap(), "VALIDATED").await;
    (account, user, sequence + 2)
}

/// A `tem` that the ledger brings about: on its Ticket an account cancels the offer of its next Sequence,
/// which is yet to come (`temBAD_SEQUENCE`); then it makes an offer, and the node, which tries the first
/// once more on each of the next ledgers, applies it.
#[tokio::test(flavor = "multi_thread")]
async fn a_tem_of_the_ledger_is_no_end() {
    let run = Running::start(&[("ledger_history", "64")]).await;
    let master = key("the account's");
    let (account, user, next) = with_a_ticket(&run, &master).await;
    let cancel = json!({"TransactionType": "OfferCancel", "Account": account, "Fee": "10",
        "Sequence": 0, "TicketSequence": next - 1, "OfferSequence": next});
    let refused = hand_in(&run, &cancel, &master).await;
    assert_eq!(refused["engine_result"], "temBAD_SEQUENCE", "{refused}");
    assert_ne!(refused["state"], "REJECTED", "{refused}");
    let offer = json!({"TransactionType": "OfferCreate", "Account": account, "Fee": "10",
        "Sequence": next, "TakerPays": {"currency": "USD", "issuer": user, "value": "1"},
        "TakerGets": "1000"});
    hand_in(&run, &offer, &master).await;
    let dossier = once_in(&run, refused["tx_hash"].as_str().unwrap(), "VALIDATED").await;
    assert_eq!(dossier["meta_txn_result"], "tesSUCCESS", "{dossier}");
    assert_eq!(run.end().await.summary.overturned, 0);
}

/// An account makes a Ticket; its next payment is signed by a key that is not its own yet, and is
/// refused (`tefBAD_AUTH`) and kept; on the Ticket the key becomes its own; the node applies the
/// payment by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_signed_by_a_key_that_becomes_the_accounts_own() {
    let run = Running::start(&[("ledger_history", "64")]).await;
    let (master, other) = (key("the account's"), key("its regular key"));
    let (account, user, next) = with_a_ticket(&run, &master).await;
    let tx = |more: Json| {
        let mut tx = json!({"Account": account, "Fee": "10"});
        tx.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        tx
    };

    let payment = tx(json!({"TransactionType": "Payment", "Destination": user, "Amount": "1000",
        "Sequence": next}));
    let refused = hand_in(&run, &payment, &other).await;
    assert_eq!(refused["engine_result"], "tefBAD_AUTH", "{refused}");
    let hash = refused["tx_hash"].as_str().unwrap();
    assert_ne!(refused["state"], "REJECTED", "{refused}");

    let regular = tx(json!({"TransactionType": "SetRegularKey", "Sequence": 0,
        "TicketSequence": next - 1, "RegularKey": other.account_id().to_string()}));
    hand_in(&run, &regular, &master).await;
    let dossier = once_in(&run, hash, "VALIDATED").await;
    assert_eq!(dossier["meta_txn_result"], "tesSUCCESS", "{dossier}");
    assert_eq!(dossier["overturned"], false);
    let ended = run.end().await;
    assert_eq!((ended.summary.overturned, ended.summary.undecided), (0, 0), "{}", ended.summary);
}

/// A ledger that closes when it is told to, and keeps 64 of them.
async fn on_demand() -> Standalone {
    Standalone::start(StandaloneConfig {
        rpc_bind: ([127, 0, 0, 1], 0).into(),
        ws_bind: ([127, 0, 0, 1], 0).into(),
        node: NodeConfig {
            history: History { ledgers: Some(64), transactions: None },
            ..NodeConfig::default()
        },
        ..StandaloneConfig::default()
    })
    .await
    .unwrap()
}

/// The ledger closes because of the transaction, and none after it: `submit` listens before it sends.
#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_closes_on_submit_is_heard() {
    let node = Standalone::start(StandaloneConfig {
        rpc_bind: ([127, 0, 0, 1], 0).into(),
        ws_bind: ([127, 0, 0, 1], 0).into(),
        closing: Closing::OnSubmit,
        ..StandaloneConfig::default()
    })
    .await
    .unwrap();
    let tx = const_hex::encode(from_genesis(json!({"Sequence": 1})).blob);
    let done = submit(&node, &tx, &[]).await;
    let said = texts(&done);
    assert_eq!(done.status.code(), Some(0), "{said}");
    assert!(said.contains(r#""source":"WS""#), "{said}");
    node.shutdown().await;
}

async fn rpc(node: &Standalone, method: &str, params: Json) -> Json {
    let body = json!({"method": method, "params": [params]});
    post(node.rpc_addr, "/", body).await.json()["result"].clone()
}

async fn close(node: &Standalone, ledgers: u32) {
    for _ in 0..ledgers {
        rpc(node, "ledger_accept", json!({})).await;
    }
}

/// Puts a transaction in the next ledger.
async fn validate(node: &Standalone, tx: &SignedTransaction, expected: &str) {
    let answer = rpc(node, "submit", json!({"tx_blob": const_hex::encode(&tx.blob)})).await;
    assert_eq!(answer["engine_result"], expected, "{answer}");
    close(node, 1).await;
}

async fn submit(node: &Standalone, transaction: &str, more: &[&str]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let mut command = program(dir.path());
    command
        .args(["submit", transaction])
        .arg(format!("--rpc=http://{}", node.rpc_addr))
        .arg(format!("--ws=ws://{}", node.ws_addr))
        .args(more)
        .env("XRPL_WORKLOAD_SECRET", MASTER);
    output(command).await
}

fn from_genesis(more: Json) -> SignedTransaction {
    let mut tx = json!({"TransactionType": "AccountSet", "Account": GENESIS, "Fee": "10"});
    tx.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    signed(&tx, &key("masterpassphrase"))
}

/// The ledgers that have them are gone: they are undecided, in those words, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn blobs_validated_longer_ago_than_any_history() {
    let node = on_demand().await;
    let payment = json!({"TransactionType": "Payment", "Sequence": 5, "Amount": "1",
        "Destination": "rrrrrrrrrrrrrrrrrrrrBZbvji", "LastLedgerSequence": 10_000});
    let all = [
        (from_genesis(json!({"Sequence": 1, "LastLedgerSequence": 10_000})), "tesSUCCESS"),
        (from_genesis(json!({"Sequence": 2})), "tesSUCCESS"),
        (
            from_genesis(
                json!({"TransactionType": "TicketCreate", "TicketCount": 1, "Sequence": 3}),
            ),
            "tesSUCCESS",
        ),
        (from_genesis(json!({"Sequence": 0, "TicketSequence": 4})), "tesSUCCESS"),
        (from_genesis(payment), "tecNO_DST_INSUF_XRP"),
    ];
    for (tx, expected) in &all {
        validate(&node, tx, expected).await;
    }
    close(&node, 80).await;
    for (tx, _) in &all {
        let blob = const_hex::encode(&tx.blob);
        let done = submit(&node, &blob, &["--timeout=600s", "--quiet"]).await;
        let said = texts(&done);
        assert_eq!(done.status.code(), Some(14), "{said}");
        assert!(said.contains("undecided: its Sequence or Ticket is used up"), "{said}");
        assert!(!said.contains("REJECTED"), "{said}");
    }
    let blob = const_hex::encode(&all[0].0.blob);
    let done = submit(&node, &blob, &["--timeout=600s", "--json"]).await;
    let told: Json = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(told["outcome"], Json::Null);
    assert_eq!(told["dossier"]["reason"]["kind"], "slot_gone", "{told}");
    assert_eq!(told["dossier"]["undecided"], true);
    node.shutdown().await;
}

/// Its last ledger is long past and kept by nobody; that its Sequence is not used yet proves that it
/// is in none.
#[tokio::test(flavor = "multi_thread")]
async fn a_blob_whose_last_ledger_is_long_past() {
    let node = on_demand().await;
    close(&node, 100).await;
    let never = from_genesis(json!({"Sequence": 1, "LastLedgerSequence": 10}));
    let blob = const_hex::encode(&never.blob);
    let done = submit(&node, &blob, &["--json", "--check-interval=1h"]).await;
    assert_eq!(done.status.code(), Some(12), "{}", texts(&done));
    let told: Json = serde_json::from_slice(&done.stdout).unwrap();
    let proof = &told["outcome"]["evidence"]["proof"];
    assert_eq!((&proof["kind"], &proof["account_sequence"]), (&json!("slot_unused"), &json!(1)));
    let index = proof["ledger_index"].as_u64().unwrap();
    assert!(index > 100, "{told}");
    let ledger = rpc(&node, "ledger", json!({"ledger_index": index})).await;
    assert_eq!(proof["ledger_hash"], ledger["ledger_hash"], "{ledger}");
    node.shutdown().await;
}

/// On a ledger that closes on demand no stream ever tells of it again: it is looked up as soon as it
/// is handed in.
#[tokio::test(flavor = "multi_thread")]
async fn a_validated_blob_once_more() {
    let node = on_demand().await;
    let tx = from_genesis(json!({"Sequence": 1, "LastLedgerSequence": 50}));
    validate(&node, &tx, "tesSUCCESS").await;
    let blob = const_hex::encode(&tx.blob);
    let done = submit(&node, &blob, &["--json", "--check-interval=1h"]).await;
    assert_eq!(done.status.code(), Some(0), "{}", texts(&done));
    let told: Json = serde_json::from_slice(&done.stdout).unwrap();
    let evidence = &told["outcome"]["evidence"];
    let ledger = rpc(&node, "ledger", json!({"ledger_index": evidence["ledger_index"]})).await;
    assert_eq!(evidence["ledger_hash"], ledger["ledger_hash"], "{told}");
    node.shutdown().await;
}

/// A Fee that the node does not take: what would be enough is said, and it is tried as asked.
#[tokio::test(flavor = "multi_thread")]
async fn a_fee_that_cannot_be_enough() {
    let node = node().await;
    let tx = json!({"TransactionType": "AccountSet", "Account": GENESIS, "Fee": "1"}).to_string();
    let done = submit(&node, &tx, &["--last-ledger-offset=4", "--check-interval=500ms"]).await;
    let said = texts(&done);
    assert_eq!(done.status.code(), Some(12), "{said}");
    let (before, end) = said.split_once("EXPIRED").expect("it has ended so");
    assert!(before.contains("(RETRYABLE)"), "{said}");
    let reason = "reason: its Fee of 1 drops could not be enough under the load that the node had when it last \
                  answered: 10";
    assert!(end.contains(reason), "{said}");
    node.shutdown().await;
}
