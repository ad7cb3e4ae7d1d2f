//! What the server does for callers that hand it a secret or leave fields open, and for whom it does
//! it.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Map, Value as Json, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{client_async, tungstenite::Message};
use xrpl_protocol::{
    Definitions, Object, base58,
    keys::{KeyPair, KeyType, Seed},
    sign,
};
use xrpl_standalone::{
    Standalone, StandaloneConfig,
    ledger::{Fees, amendment, genesis as genesis_ledger},
    node::{NodeConfig, Votes},
};

const MASTER: &str = "snoPBrXtMeMyMHUVTgbuqAfg1SUTb";
const GENESIS: &str = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";
const OTHER: &str = "rPT1Sjq2YGrBMTttX4GZHjKu9dyfzbpAYe";

fn server(node: NodeConfig) -> Standalone {
    Standalone::in_memory(StandaloneConfig { node, ..StandaloneConfig::default() })
}

fn ask(server: &Standalone, method: &str, params: Json) -> Json {
    let request = Map::from_iter([
        ("method".to_owned(), method.into()),
        ("params".to_owned(), json!([params])),
    ]);
    server.request(&request).unwrap()["result"].take()
}

fn payment(more: Json) -> Json {
    let mut tx = json!({
        "TransactionType": "Payment", "Account": GENESIS, "Destination": OTHER, "Amount": "100000000",
    });
    tx.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    tx
}

fn key(passphrase: &str) -> KeyPair {
    KeyPair::from_seed(&Seed::from_passphrase(passphrase, KeyType::Secp256k1))
}

#[tokio::test]
async fn network_id_is_filled_in_above_1024() {
    for (network_id, named) in [(1024, json!(null)), (21_337, json!(21_337))] {
        let server = server(NodeConfig { network_id, ..NodeConfig::default() });
        let signed = ask(&server, "sign", json!({"secret": MASTER, "tx_json": payment(json!({}))}));
        assert_eq!(signed["tx_json"]["NetworkID"], named, "{signed}");
        let simulated = ask(&server, "simulate", json!({"tx_json": payment(json!({}))}));
        assert_eq!(simulated["engine_result"], "tesSUCCESS", "{simulated}");
        assert_eq!(simulated["tx_json"]["NetworkID"], named);
        let sent = ask(&server, "submit", json!({"secret": MASTER, "tx_json": payment(json!({}))}));
        assert_eq!(sent["engine_result"], "tesSUCCESS", "{sent}");
        // The short answer of a server that signed.
        for absent in ["accepted", "applied", "queued", "open_ledger_cost"] {
            assert!(sent.get(absent).is_none(), "{sent}");
        }
    }
}

#[tokio::test]
async fn deliver_max_is_amount() {
    let server = server(NodeConfig::default());
    let sign = |tx: Json| ask(&server, "sign", json!({"secret": MASTER, "tx_json": tx}));
    let mut tx = payment(json!({"DeliverMax": "7"}));
    let differing = sign(tx.clone());
    assert_eq!(
        differing["error_message"], "Cannot specify differing 'Amount' and 'DeliverMax'",
        "{differing}"
    );
    tx.as_object_mut().unwrap().remove("Amount");
    let signed = sign(tx);
    assert_eq!(signed["tx_json"]["Amount"], "7", "{signed}");
}

#[tokio::test]
async fn what_a_type_costs_is_filled_in() {
    let fees = Fees { base: 200, reserve: 20_000_000, increment: 5_000_000 };
    let server = server(NodeConfig { fees, ..NodeConfig::default() });
    let fee = |tx: Json| {
        ask(&server, "sign", json!({"secret": MASTER, "tx_json": tx}))["tx_json"]["Fee"].take()
    };
    assert_eq!(fee(payment(json!({}))), "200");
    assert_eq!(
        fee(json!({"TransactionType": "AccountDelete", "Account": GENESIS, "Destination": OTHER})),
        "5000000"
    );
    let state = ask(&server, "server_state", json!({}));
    let ledger = &state["state"]["validated_ledger"];
    assert_eq!(
        (&ledger["base_fee"], &ledger["reserve_base"], &ledger["reserve_inc"]),
        (&json!(200), &json!(20_000_000), &json!(5_000_000))
    );
    let settings = ask(&server, "ledger_entry", json!({"fee": true, "ledger_index": "validated"}));
    assert_eq!(settings["node"]["ReserveIncrementDrops"], "5000000", "{settings}");
    assert_eq!(state["state"]["last_close"]["converge_time"], 100);
}

/// The words of `wallet_propose` are taken where a passphrase is, as xrpld reads them.
#[tokio::test]
async fn secrets_in_words() {
    let server = server(NodeConfig::default());
    const WORDS: &str = "I IRE BOND BOW TRIO LAID SEAT GOAL HEN IBIS IBIS DARE";
    for (written, warned) in [
        (WORDS.to_owned(), false),
        ("snoPBrXtMeMyMHUVTgbuqAfg1SUTb".to_owned(), false),
        ("DEDCE9CE67B451D852FD4E846FCDE31C".to_owned(), false),
        (WORDS.to_lowercase(), true),
        (WORDS.replace(' ', "\t").replace('O', "0").replace('L', "1"), true),
        ("masterpassphrase".to_owned(), true),
    ] {
        let proposed = ask(&server, "wallet_propose", json!({"passphrase": written}));
        assert_eq!(proposed["account_id"], GENESIS, "{written}");
        assert_eq!(proposed["master_key"], WORDS);
        assert_eq!(proposed.get("warning").is_some(), warned, "{written}");
        for secret in
            [json!({"secret": written}), json!({"passphrase": written, "key_type": "secp256k1"})]
        {
            let mut params = secret.clone();
            params["tx_json"] = payment(json!({}));
            let signed = ask(&server, "sign", params);
            assert_eq!(signed["status"], "success", "{secret}: {signed}");
        }
    }
    // The same words for the other algorithm, and what is no such key: a passphrase.
    let of = |secret: &str| {
        let params = json!({"passphrase": secret, "key_type": "ed25519"});
        ask(&server, "wallet_propose", params)
    };
    let ed25519 =
        KeyPair::from_seed(&Seed::from_words(WORDS).unwrap().with_key_type(KeyType::Ed25519));
    assert_eq!(of(WORDS)["account_id"], ed25519.account_id().to_string());
    let without = WORDS.trim_end_matches(" DARE");
    let passphrase = KeyPair::from_seed(&Seed::from_passphrase(without, KeyType::Ed25519));
    assert_eq!(of(without)["account_id"], passphrase.account_id().to_string());
    // `0x` is part of no number.
    let prefixed = "0xDEDCE9CE67B451D852FD4E846FCDE31C";
    assert_ne!(of(prefixed)["master_seed_hex"], prefixed[2..]);
    let hex = ask(&server, "wallet_propose", json!({"seed_hex": prefixed}));
    assert_eq!(hex["error"], "badSeed");
    // Private keys are no passphrases; what only looks like a public one is.
    for (prefix, length, refused) in [
        (base58::NODE_PRIVATE, 32, true),
        (base58::ACCOUNT_SECRET, 32, true),
        (base58::NODE_PRIVATE, 31, false),
        (base58::ACCOUNT_PUBLIC, 33, false),
    ] {
        let text = base58::encode(prefix, &vec![7; length]);
        assert_eq!(of(&text)["error"] == "badSeed", refused, "{text}");
    }
}

/// An account with a signer list of two, and their keys in descending order of their accounts.
fn multisigned(server: &Standalone) -> (Vec<KeyPair>, Json) {
    let mut keys = vec![key("first"), key("second")];
    keys.sort_by_key(|key| std::cmp::Reverse(key.account_id()));
    let entries: Vec<_> = keys
        .iter()
        .rev()
        .map(|key| {
            json!({"SignerEntry": {"Account": key.account_id().to_string(), "SignerWeight": 1}})
        })
        .collect();
    let list = json!({
        "TransactionType": "SignerListSet", "Account": GENESIS, "SignerQuorum": 2,
        "SignerEntries": entries,
    });
    let made = ask(server, "submit", json!({"secret": MASTER, "tx_json": list}));
    assert_eq!(made["engine_result"], "tesSUCCESS", "{made}");
    server.accept().unwrap();
    let tx = payment(json!({"Sequence": 2, "Fee": "30", "SigningPubKey": ""}));
    (keys, tx)
}

#[tokio::test]
async fn signers_are_sorted_and_their_secrets_are_their_own() {
    let server = server(NodeConfig::default());
    let (keys, tx) = multisigned(&server);
    let object = Object::from_json(&tx, Definitions::builtin()).unwrap();
    let signers: Vec<Json> = keys
        .iter()
        .map(|key| {
            let signer = sign::multisign_one(&object, key.account_id(), key);
            json!({"Signer": signer.to_json(Definitions::builtin())})
        })
        .collect();
    let mut descending = tx.clone();
    descending["Signers"] = signers.into();
    // A seed of another account is not taken for a signer.
    let signer = keys[0].account_id().to_string();
    let sign_for = |passphrase: &str| {
        let params = json!({
            "account": signer, "key_type": "secp256k1", "passphrase": passphrase, "tx_json": tx,
        });
        ask(&server, "sign_for", params)
    };
    let own = if key("first").account_id() == keys[0].account_id() { "first" } else { "second" };
    assert_eq!(sign_for("somebody else")["error"], "badSecret");
    let signed = sign_for(own);
    assert_eq!(signed["status"], "success", "{signed}");
    assert_eq!(signed["tx_json"]["Signers"][0]["Signer"]["Account"], signer.as_str());

    let sent = ask(&server, "submit_multisigned", json!({"tx_json": descending.clone()}));
    assert_eq!(sent["engine_result"], "tesSUCCESS", "{sent}");
    let mut members: Vec<_> = sent.as_object().unwrap().keys().map(String::as_str).collect();
    members.retain(|key| !key.starts_with("engine_result") && *key != "status");
    assert_eq!(members, ["tx_blob", "tx_json"]);
    let sent = ask(&server, "submit_multisigned", json!({"tx_json": descending, "api_version": 2}));
    assert!(sent["hash"].is_string(), "{sent}");
}

#[tokio::test]
async fn a_signature_goes_where_it_is_told() {
    let server = server(NodeConfig::default());
    let odd = ask(
        &server,
        "sign",
        json!({"secret": MASTER, "signature_target": "Fee", "tx_json": payment(json!({}))}),
    );
    assert_eq!((&odd["error"], &odd["error_message"]), (&json!("invalidParams"), &json!("Fee")));
    // The borrower has signed; the lender's part is an object of its own.
    let loan = json!({
        "TransactionType": "LoanSet", "Account": GENESIS, "LoanBrokerID": "11".repeat(32),
        "PrincipalRequested": "1000", "Counterparty": OTHER, "Sequence": 1, "Fee": "20",
    });
    let loan = Object::from_json(&loan, Definitions::builtin()).unwrap();
    let first = sign::sign(loan, &key("masterpassphrase"));
    let first = Object::decode(&first.blob, Definitions::builtin()).unwrap();
    let public = first.to_json(Definitions::builtin())["SigningPubKey"].clone();
    let params = json!({
        "key_type": "secp256k1", "passphrase": "lender",
        "signature_target": "CounterpartySignature",
        "tx_json": first.to_json(Definitions::builtin()),
    });
    let both = ask(&server, "sign", params);
    assert_eq!(both["status"], "success", "{both}");
    assert_eq!(both["tx_json"]["SigningPubKey"], public);
    let part = &both["tx_json"]["CounterpartySignature"];
    assert_eq!(part["SigningPubKey"], key("lender").public_key().to_string());
    assert!(part["TxnSignature"].is_string());
}

#[tokio::test]
async fn entries_are_of_the_type_that_was_asked_for() {
    let server = server(NodeConfig::default());
    let root = ask(&server, "ledger_entry", json!({"account_root": GENESIS}));
    let id = root["index"].clone();
    assert_eq!(root["node"]["LedgerEntryType"], "AccountRoot", "{root}");
    let other = ask(&server, "ledger_entry", json!({"check": id}));
    assert_eq!(other["error"], "unexpectedLedgerType", "{other}");
    for odd in [json!({"fee": "x"}), json!({"amendments": 1}), json!({"hashes": "x"})] {
        let answer = ask(&server, "ledger_entry", odd);
        assert_eq!(answer["error"], "malformedRequest", "{answer}");
    }
    assert_eq!(ask(&server, "ledger_entry", json!({"fee": false}))["error"], "invalidParams");
    assert_eq!(ask(&server, "ledger_entry", json!({"index": id}))["node"], root["node"]);
}

#[tokio::test]
async fn from_xrp_to_xrp_there_is_no_path() {
    let server = server(NodeConfig::default());
    let find = |more: Json| {
        let mut params = json!({
            "source_account": GENESIS, "destination_account": OTHER,
            "destination_amount": "10000000", "ledger_index": "validated",
        });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ask(&server, "ripple_path_find", params)
    };
    let found = find(json!({}));
    assert_eq!((&found["alternatives"], &found["full_reply"]), (&json!([]), &json!(true)));
    assert_eq!(found["destination_currencies"], json!(["XRP"]), "{found}");
    for (more, error) in [
        (json!({"destination_amount": "1"}), "dstAmtMalformed"),
        (json!({"destination_amount": "0"}), "dstAmtMalformed"),
        (json!({"source_account": "x"}), "srcActMalformed"),
        (json!({"source_account": OTHER}), "srcActNotFound"),
        (json!({"source_currencies": []}), "srcCurMalformed"),
    ] {
        assert_eq!(find(more.clone())["error"], error, "{more}");
    }
}

/// Accounts and currencies may be given in hexadecimal, `0` for all zeros; what stands for no currency
/// names none.
#[tokio::test]
async fn accounts_and_currencies_in_hexadecimal() {
    const BAD: &str = "0000000000000000000000005852500000000000";
    let server = server(NodeConfig::default());
    let find = |more: Json| {
        let mut params = json!({
            "source_account": GENESIS, "destination_account": OTHER,
            "destination_amount": "10000000", "ledger_index": "validated",
        });
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ask(&server, "ripple_path_find", params)
    };
    let issuer = "ab".repeat(20);
    for source in [
        json!({"currency": "USD", "issuer": issuer}),
        json!({"currency": "USD", "issuer": "0"}),
        json!({"currency": "0"}),
        json!({"mpt_issuance_id": "0"}),
    ] {
        let found = find(json!({"source_currencies": [source]}));
        assert_eq!(found["alternatives"], json!([]), "{source}: {found}");
    }
    let all = |more: Json| {
        let mut params = json!({"destination_amount": "-1"});
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        find(params)
    };
    let amount = |currency: &str, issuer: &str| json!({"currency": currency, "issuer": issuer, "value": "1"});
    for (answer, error) in [
        (find(json!({"source_currencies": [{"currency": "1"}]})), "srcCurMalformed"),
        (
            find(json!({"source_currencies": [{"currency": "0", "issuer": issuer}]})),
            "srcCurMalformed",
        ),
        (find(json!({"destination_amount": amount(BAD, GENESIS)})), "dstAmtMalformed"),
        (find(json!({"destination_amount": amount("USD", "0")})), "dstAmtMalformed"),
        (find(json!({"destination_amount": amount("1", GENESIS)})), "dstAmtMalformed"),
        (all(json!({"send_max": amount(BAD, GENESIS)})), "sendMaxMalformed"),
        (all(json!({"send_max": amount("USD", "0")})), "sendMaxMalformed"),
    ] {
        assert_eq!(answer["error"], error, "{answer}");
    }
    let book = |gets: Json| {
        let params = json!({"taker_pays": {"currency": "XRP"}, "taker_gets": gets});
        ask(&server, "book_offers", params)
    };
    assert_eq!(book(json!({"currency": "USD", "issuer": issuer}))["offers"], json!([]));
    assert_eq!(book(json!({"currency": "0"}))["error"], "badMarket");
    assert_eq!(book(json!({"currency": "1", "issuer": GENESIS}))["error"], "dstAmtMalformed");
    let nobody = book(json!({"currency": "USD", "issuer": "0"}));
    assert_eq!(
        nobody["error_message"], "Invalid field 'taker_gets.issuer', expected non-XRP issuer.",
        "{nobody}"
    );
    let longer = book(json!({"currency": "USD", "issuer": format!("0x{issuer}")}));
    assert_eq!(longer["error"], "dstIsrMalformed", "{longer}");
    let pool = |asset: Json| {
        ask(&server, "amm_info", json!({"asset": asset, "asset2": {"currency": "XRP"}}))
    };
    let of = |currency: &str, issuer: &str| json!({"currency": currency, "issuer": issuer});
    assert_eq!(pool(of("USD", GENESIS))["error"], "actNotFound");
    assert_eq!(pool(of(BAD, GENESIS))["error"], "issueMalformed");
    assert_eq!(pool(of("USD", "rrrrrrrrrrrrrrrrrrrrrhoLvTp"))["error"], "issueMalformed");
}

/// An `id` that is as good as none is not repeated.
#[tokio::test]
async fn an_empty_id_is_none() {
    let server = server(NodeConfig::default());
    let find = |id: Json| {
        let params = json!({
            "source_account": GENESIS, "destination_account": OTHER, "id": id,
            "destination_amount": "10000000", "ledger_index": "validated",
        });
        ask(&server, "ripple_path_find", params)
    };
    for empty in [json!(""), json!([]), json!({}), json!(null)] {
        assert_eq!(find(empty.clone()).get("id"), None, "{empty}");
    }
    for id in [json!(0), json!(false), json!("x"), json!([0])] {
        assert_eq!(find(id.clone())["id"], id);
    }
}

/// What was said of a search of paths is said again until paths are searched again.
#[tokio::test]
async fn how_a_search_stands_is_remembered() {
    let loopback = ([127, 0, 0, 1], 0).into();
    let config =
        StandaloneConfig { rpc_bind: loopback, ws_bind: loopback, ..StandaloneConfig::default() };
    let server = Standalone::start(config).await.unwrap();
    let stream = TcpStream::connect(server.ws_addr).await.unwrap();
    let url = format!("ws://{}", server.ws_addr);
    let mut socket = client_async(url, stream).await.unwrap().0;
    let mut asked = 0;
    let mut find = async |subcommand: &str| {
        asked += 1;
        let request = json!({
            "command": "path_find", "id": asked, "subcommand": subcommand,
            "source_account": GENESIS, "destination_account": OTHER,
            "destination_amount": "10000000",
        });
        socket.send(Message::text(request.to_string())).await.unwrap();
        let (mut answer, mut messages) = (Json::Null, 0);
        // A new search is followed by two messages.
        while answer.is_null() || subcommand == "create" && messages < 2 {
            let message = socket.next().await.unwrap().unwrap();
            let message: Json = serde_json::from_str(message.to_text().unwrap()).unwrap();
            match message["type"].as_str() {
                Some("path_find") => messages += 1,
                _ => answer = message,
            }
        }
        let result = &answer["result"];
        assert_eq!((&answer["id"], &answer["status"]), (&json!(asked), &json!("success")));
        (result.get("status").cloned(), result.get("closed").cloned())
    };
    let success = Some(json!("success"));
    assert_eq!(find("create").await, (None, None));
    assert_eq!(find("status").await, (success.clone(), None));
    assert_eq!(find("close").await, (success, Some(json!(true))));
    assert_eq!(find("create").await, (None, None));
    assert_eq!(find("close").await, (None, Some(json!(true))));
}

#[tokio::test]
async fn a_lone_first_digit_is_a_byte() {
    let server = server(NodeConfig::default());
    let verify = |signature: &str| {
        let params = json!({
            "public_key": key("x").public_key().to_string(), "channel_id": "11".repeat(32),
            "amount": "5", "signature": signature,
        });
        ask(&server, "channel_verify", params)
    };
    assert_eq!(verify("abc")["signature_verified"], false);
    assert_eq!(verify("abz")["error"], "invalidParams");
}

/// One HTTP request with these headers.
#[tokio::test]
async fn what_is_voted_for_is_shown_with_its_majority() {
    let did = amendment::DID.id();
    let amendments = genesis_ledger::amendments().into_iter().filter(|id| *id != did).collect();
    let votes = Votes { amendments: vec![did], ..Votes::default() };
    let server = server(NodeConfig { amendments, votes, ..NodeConfig::default() });
    let shown = || {
        let one = ask(&server, "feature", json!({"feature": "DID"}));
        let all = ask(&server, "feature", json!({}));
        let about = all["features"][did.to_string()].clone();
        assert_eq!(one[did.to_string()]["vetoed"], about["vetoed"], "{one}");
        assert_eq!(one["majority"], about["majority"], "{one}");
        about
    };
    let before = shown();
    assert_eq!((&before["enabled"], &before["vetoed"]), (&json!(false), &json!(false)), "{before}");
    assert_eq!(before["majority"], json!(null), "{before}");
    while server.with_node(|node| node.closed().header.index) < 257 {
        server.accept().unwrap();
    }
    let since = server.with_node(|node| node.ledger(256).unwrap().header.close_time);
    assert_eq!(shown()["majority"], since);
}

async fn post(server: &Standalone, headers: &str, body: &str) -> Json {
    let mut stream = TcpStream::connect(server.rpc_addr).await.unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    serde_json::from_str::<Json>(body).unwrap()["result"].take()
}

#[tokio::test]
async fn pages_of_other_sites_are_no_administrators() {
    let loopback = ([127, 0, 0, 1], 0).into();
    for open_admin in [false, true] {
        let server = Standalone::start(StandaloneConfig {
            rpc_bind: loopback,
            ws_bind: loopback,
            open_admin,
            ..StandaloneConfig::default()
        })
        .await
        .unwrap();
        let accept = r#"{"method": "ledger_accept"}"#;
        let signs = format!(
            r#"{{"method": "submit", "params": [{{"secret": "{MASTER}", "tx_json": {}}}]}}"#,
            payment(json!({}))
        );
        let own = format!("Host: {}\r\n", server.rpc_addr);
        assert_eq!(post(&server, &own, accept).await["status"], "success");
        for foreign in
            ["Host: evil.example\r\n".to_owned(), format!("{own}Origin: http://evil.example\r\n")]
        {
            let refused = |answer: Json, error: &str| match open_admin {
                true => assert_eq!(answer["status"], "success", "{foreign} {answer}"),
                false => assert_eq!(answer["error"], error, "{foreign}"),
            };
            refused(post(&server, &foreign, accept).await, "noPermission");
            refused(post(&server, &foreign, &signs).await, "notSupported");
            // Everybody may look.
            let info = post(&server, &foreign, r#"{"method": "server_info"}"#).await;
            assert_eq!(info["status"], "success");
        }
        server.shutdown().await;
    }
}
