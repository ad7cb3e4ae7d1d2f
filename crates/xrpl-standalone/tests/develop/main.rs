//! What a ledger to develop on has beyond xrpld: accounts from the start, ways to close, a clock,
//! going back, amendments, the faucet.

mod bench;
mod explorer;
mod fork;
mod recorded;
mod state;

use std::time::Duration;

use bench::{
    Listener, NEW_YEAR, address, ask, balance, closing, config, done, http, newest, pay, submit,
};
use serde_json::{Value as Json, json};
use xrpl_standalone::{
    Closing, FaucetConfig, FundedAccounts, Standalone, StandaloneConfig,
    ledger::{Amendment, Fees},
    node::NodeConfig,
    txq::QueueSetup,
};

#[tokio::test]
async fn accounts_are_funded_in_ledger_3_and_the_same_each_time() {
    let hashes = [(); 2].map(|()| {
        let server = closing(Closing::Manual);
        assert_eq!(newest(&server), 3);
        for n in 0..10 {
            assert_eq!(balance(&server, n, "validated"), 10_000_000_000);
        }
        assert_eq!(address(&server, 0), "rUtbdg74eVsdDWu82AuUVzc4zjVkkmLAT2");
        let ledger = done(&server, "ledger", json!({"ledger_index": 3, "transactions": true}));
        assert_eq!(ledger["ledger"]["transactions"].as_array().unwrap().len(), 10);
        ledger["ledger_hash"].clone()
    });
    assert_eq!(hashes[0], hashes[1]);
}

/// The queue takes few transactions and the fee is high, and the network wants its id.
#[tokio::test]
async fn any_number_is_funded_on_any_ledger() {
    let queue = QueueSetup { minimum_txn_in_ledger: 1, ..QueueSetup::default() };
    let fees = Fees { base: 5000, ..Fees::default() };
    let accounts = FundedAccounts { count: 300, drops: 25_000_000, ..FundedAccounts::default() };
    let server = Standalone::in_memory(StandaloneConfig {
        accounts: Some(accounts),
        node: NodeConfig { queue, fees, network_id: 21_337, ..NodeConfig::default() },
        ..config()
    });
    assert_eq!((newest(&server), server.accounts().len()), (3, 300));
    assert_eq!(balance(&server, 299, "validated"), 25_000_000);
}

#[tokio::test]
async fn a_submission_closes_where_it_is_to() {
    let server = closing(Closing::OnSubmit);
    let hash = pay(&server, 0, 1, 5_000_000);
    let tx = done(&server, "tx", json!({"transaction": hash}));
    assert_eq!((&tx["validated"], &tx["ledger_index"]), (&json!(true), &json!(4)));
    // What is refused closes nothing.
    let refused = submit(&server, 0, json!({"TransactionType": "AccountSet", "Sequence": 1}));
    assert_eq!(refused["engine_result"], "tefPAST_SEQ");
    assert_eq!(newest(&server), 4);
    // What waits for another is closed with it.
    let sequence = tx["tx_json"]["Sequence"].as_u64().or(tx["Sequence"].as_u64()).unwrap();
    let later = json!({"TransactionType": "AccountSet", "Sequence": sequence + 2});
    assert_eq!(submit(&server, 0, later)["engine_result"], "terPRE_SEQ");
    assert_eq!(newest(&server), 4);
    pay(&server, 0, 1, 1);
    let ledger = done(&server, "ledger", json!({"ledger_index": 5, "transactions": true}));
    assert_eq!(ledger["ledger"]["transactions"].as_array().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn how_ledgers_close_changes_while_the_server_runs() {
    let server = closing(Closing::Interval(Duration::from_secs(2)));
    let after = async |seconds: u64| {
        let before = newest(&server);
        tokio::time::sleep(Duration::from_millis(seconds * 1000 + 10)).await;
        newest(&server) - before
    };
    assert_eq!(after(10).await, 5);
    done(&server, "standalone_set_closing", json!({"mode": "manual"}));
    assert_eq!(after(10).await, 0);
    pay(&server, 0, 1, 1);
    assert_eq!(after(10).await, 0);
    done(&server, "standalone_set_closing", json!({"mode": "on-submit"}));
    assert_eq!(after(10).await, 0);
    pay(&server, 0, 1, 1);
    assert_eq!(newest(&server), 9);
    done(&server, "standalone_set_closing", json!({"mode": "interval", "interval_ms": 500}));
    assert_eq!(after(10).await, 20);
    let info = done(&server, "standalone_info", json!({}));
    assert_eq!(info["closing"], json!({"mode": "interval", "interval_ms": 500}));
    for (params, word) in [
        (json!({}), "mode"),
        (json!({"mode": "never"}), "on-submit"),
        (json!({"mode": "interval"}), "Missing field 'interval_ms'"),
        (json!({"mode": "interval", "interval_ms": 0}), "not a whole number from 1"),
        (json!({"mode": "manual", "interval_ms": 5}), "interval_ms"),
    ] {
        let refused = ask(&server, "standalone_set_closing", params.clone());
        let message = refused["error_message"].as_str().unwrap();
        assert!(message.contains(word), "{params} {message}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_clock_goes_forward_and_escrows_ripen() {
    let server = closing(Closing::OnSubmit);
    let time = |server: &Standalone| {
        done(server, "standalone_info", json!({}))["close_time"].as_u64().unwrap()
    };
    assert_eq!(time(&server), u64::from(NEW_YEAR) + 1, "after ledger 2, which closed at the start");
    let finish = NEW_YEAR + 86_400;
    let create = json!({
        "TransactionType": "EscrowCreate", "Destination": address(&server, 1),
        "Amount": "1000000", "FinishAfter": finish,
    });
    let created = submit(&server, 0, create);
    assert_eq!(created["engine_result"], "tesSUCCESS", "{created}");
    let finishing = json!({
        "TransactionType": "EscrowFinish", "Owner": address(&server, 0),
        "OfferSequence": created["tx_json"]["Sequence"],
    });
    assert_eq!(submit(&server, 1, finishing.clone())["engine_result"], "tecNO_PERMISSION");
    let advanced = done(&server, "standalone_advance_time", json!({"seconds": 86_400}));
    assert_eq!(advanced["close_time"], NEW_YEAR + 86_400);
    assert_eq!(advanced["close_time_iso"], "2026-01-02T00:00:00Z");
    // The ledger must close after it, not with it.
    let exactly = NEW_YEAR + 90_007;
    let set = done(&server, "standalone_set_next_close_time", json!({"close_time": exactly}));
    assert_eq!(set["close_time_iso"], "2026-01-02T01:00:07Z");
    done(&server, "ledger_accept", json!({}));
    assert_eq!(time(&server), u64::from(exactly));
    assert_eq!(submit(&server, 1, finishing)["engine_result"], "tesSUCCESS");
    // The clock has moved with it, and goes on from there.
    assert_eq!(time(&server), u64::from(NEW_YEAR) + 90_010);
    let before = newest(&server);
    let closed = done(&server, "standalone_close", json!({"count": 100, "seconds": 60}));
    assert_eq!(closed["ledger_index"], before + 100);
    assert_eq!(time(&server), u64::from(NEW_YEAR) + 96_010);
    done(&server, "standalone_advance_time", json!({"seconds": 100, "close": false}));
    assert_eq!(newest(&server), before + 100);
    done(&server, "standalone_close", json!({}));
    assert_eq!(time(&server), u64::from(NEW_YEAR) + 96_110);
    let past = ask(&server, "standalone_set_next_close_time", json!({"close_time": exactly}));
    assert!(past["error_message"].as_str().unwrap().contains("must close later"), "{past}");
    for (method, params) in [
        ("standalone_advance_time", json!({})),
        ("standalone_advance_time", json!({"seconds": -1})),
        ("standalone_close", json!({"count": 10_001})),
        ("standalone_close", json!({"count": 0})),
        ("standalone_close", json!({"count": "many"})),
    ] {
        assert_eq!(ask(&server, method, params)["error"], "invalidParams");
    }
}

/// Nothing closes twice at one time, and nothing is done of what cannot be done whole.
#[tokio::test]
async fn time_has_an_end() {
    const END: u32 = u32::MAX;
    let server = Standalone::start(config()).await.unwrap();
    let clean = server.snapshot();
    let before = done(&server, "standalone_info", json!({}));
    for (method, params) in [
        ("standalone_advance_time", json!({"seconds": END})),
        ("standalone_advance_time", json!({"seconds": END, "close": false})),
        ("standalone_close", json!({"count": 10_000, "seconds": 1_000_000})),
    ] {
        let refused = ask(&server, method, params.clone());
        let message = refused["error_message"].as_str().unwrap();
        assert!(message.contains("times end at 4294967295"), "{method} {params}: {message}");
    }
    let after = done(&server, "standalone_info", json!({}));
    assert_eq!(
        (&after["ledger_index"], &after["clock_ahead"]),
        (&before["ledger_index"], &before["clock_ahead"])
    );
    done(&server, "standalone_set_next_close_time", json!({"close_time": END}));
    let last = done(&server, "standalone_close", json!({}));
    assert_eq!(last["close_time"], END);
    for method in ["ledger_accept", "standalone_close"] {
        let refused = ask(&server, method, json!({}));
        assert_eq!(refused["error"], "invalidParams", "{refused}");
        assert!(refused["error_message"].as_str().unwrap().contains("snapshot"), "{refused}");
    }
    server.accept().unwrap_err();
    let local = format!("Host: {}\r\n", server.rpc_addr);
    let (status, _, answer) = http(&server, "POST /accounts", &local, "").await;
    assert!(status == 503 && answer["error"].as_str().unwrap().contains("times end"), "{answer}");
    // Submissions are answered; no ledger takes them.
    server.set_closing(Closing::OnSubmit);
    pay(&server, 0, 1, 1);
    assert_eq!(done(&server, "ledger_closed", json!({}))["ledger_index"], last["ledger_index"]);
    assert!(server.revert(&clean));
    pay(&server, 0, 1, 1);
    assert_eq!(balance(&server, 1, "validated"), 10_000_000_001);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_brings_everything_back() {
    let server = Standalone::start(config()).await.unwrap();
    let held = json!({"TransactionType": "AccountSet", "Sequence": 99});
    assert_eq!(submit(&server, 5, held.clone())["engine_result"], "terPRE_SEQ");
    let open = pay(&server, 0, 1, 7);
    let before = done(&server, "standalone_snapshot", json!({"snapshot": "clean"}));
    assert_eq!((&before["snapshot"], &before["ledger_index"]), (&json!("clean"), &json!(3)));
    let mut streams = Listener::new(&server, &["ledger", "transactions"]).await;
    for round in 0..3 {
        done(&server, "ledger_accept", json!({}));
        assert_eq!(streams.next().await["ledger_index"], 4);
        assert_eq!(streams.next().await["type"], "transaction");
        let closed = pay(&server, 2, 3, 1_000_000);
        let numbered = done(&server, "standalone_snapshot", json!({}));
        assert_eq!(numbered["snapshot"], "1", "the first free number");
        done(&server, "standalone_advance_time", json!({"seconds": 3600}));
        assert_eq!(streams.next().await["ledger_index"], 5);
        assert_eq!(streams.next().await["type"], "transaction");
        assert_eq!(balance(&server, 3, "validated"), 10_001_000_000);
        let back = done(&server, "standalone_revert", json!({"snapshot": "clean"}));
        assert_eq!(back["dropped"], json!(["1"]), "{round}");
        assert_eq!(back["ledger_hash"], before["ledger_hash"]);
        // As after a server's reset: the ledger that is the newest now.
        let told = streams.next().await;
        assert_eq!((&told["type"], &told["ledger_index"]), (&json!("ledgerClosed"), &json!(3)));
        assert_eq!(told["validated_ledgers"], "2-3");
        assert_eq!(ask(&server, "tx", json!({"transaction": closed}))["error"], "txnNotFound");
        assert_eq!(ask(&server, "ledger", json!({"ledger_index": 5}))["error"], "lgrNotFound");
        assert_eq!(balance(&server, 3, "current"), 10_000_000_000);
        assert_eq!(done(&server, "tx", json!({"transaction": open}))["validated"], false);
        assert_eq!(balance(&server, 1, "current"), 10_000_000_007);
        let info = done(&server, "standalone_info", json!({}));
        assert_eq!(info["clock_ahead"], 0);
    }
    let again = ask(&server, "standalone_snapshot", json!({"snapshot": "clean"}));
    assert!(again["error_message"].as_str().unwrap().contains("standalone_drop_snapshot"));
    assert_eq!(
        done(&server, "standalone_snapshots", json!({}))["snapshots"][0]["snapshot"],
        "clean"
    );
    done(&server, "standalone_drop_snapshot", json!({"snapshot": "clean"}));
    for method in ["standalone_drop_snapshot", "standalone_revert"] {
        let gone = ask(&server, method, json!({"snapshot": "clean"}));
        assert!(gone["error_message"].as_str().unwrap().contains("standalone_snapshots"), "{gone}");
    }
    assert_eq!(done(&server, "standalone_snapshots", json!({}))["snapshots"], json!([]));
    server.shutdown().await;
}

/// The same transactions after going back make the same ledgers.
#[tokio::test]
async fn what_is_repeated_after_a_snapshot_is_the_same() {
    let server = closing(Closing::Manual);
    done(&server, "standalone_snapshot", json!({"snapshot": "x"}));
    let hashes = [(); 3].map(|()| {
        done(&server, "standalone_revert", json!({"snapshot": "x"}));
        for n in 1..5 {
            pay(&server, 0, n, 1_000);
            done(
                &server,
                "standalone_set_next_close_time",
                json!({"close_time": NEW_YEAR + 100 * n as u32}),
            );
            done(&server, "ledger_accept", json!({}));
        }
        done(&server, "ledger_closed", json!({}))["ledger_hash"].clone()
    });
    assert!(hashes.iter().all(|hash| *hash == hashes[0]));
}

#[tokio::test]
async fn a_type_without_its_amendment_is_disabled() {
    let with = |text: &str| {
        let on = Amendment::selection(text.split(',')).unwrap();
        let amendments = on.into_iter().map(Amendment::id).collect();
        let node = NodeConfig { amendments, ..NodeConfig::default() };
        Standalone::in_memory(StandaloneConfig { node, ..config() })
    };
    let set = json!({"TransactionType": "DIDSet", "URI": "697066733A2F2F", "Data": ""});
    let oracle = json!({"TransactionType": "OracleDelete", "OracleDocumentID": 1});
    for (text, did, known) in [
        ("all", "tesSUCCESS", json!([true, null])),
        ("mainnet", "tesSUCCESS", json!([true, null])),
        ("-DID", "temDISABLED", json!([false, true])),
        ("none", "temDISABLED", json!([false, true])),
        ("none,+DID", "tesSUCCESS", json!([true, null])),
    ] {
        let server = with(text);
        assert_eq!(submit(&server, 0, set.clone())["engine_result"], did, "{text}");
        let feature = done(&server, "feature", json!({"feature": "DID"}));
        let (_, about) =
            feature.as_object().unwrap().iter().find(|(key, _)| key.len() == 64).unwrap();
        assert_eq!(json!([about["enabled"], about["vetoed"]]), known, "{text}");
        assert_eq!((&about["name"], &about["supported"]), (&json!("DID"), &json!(true)));
        let absent = submit(&server, 1, oracle.clone())["engine_result"].clone();
        let expected = if text.starts_with("none") { "temDISABLED" } else { "tecNO_ENTRY" };
        assert_eq!(absent, expected, "{text}");
    }
    // One in development is on if it is asked for, and said not to be supported.
    let server = with("all,+BatchV1_1");
    let all = done(&server, "feature", json!({}));
    let batch = &all["features"][Amendment::named("BatchV1_1").unwrap().id().to_string()];
    assert_eq!(*batch, json!({"enabled": true, "name": "BatchV1_1", "supported": false}));
    // A vote can be changed; it changes nothing of what is on. What is retired has none.
    let voted = |server: &Standalone, vetoed: bool| {
        let vote = json!({"feature": "AMM", "vetoed": vetoed});
        let answer = done(server, "feature", vote);
        answer[Amendment::named("AMM").unwrap().id().to_string()].clone()
    };
    let server = with("-AMM");
    assert_eq!(voted(&server, false)["vetoed"], false);
    assert_eq!(voted(&server, false)["enabled"], false);
    assert_eq!(voted(&server, true)["vetoed"], true);
    let checks = done(&server, "feature", json!({"feature": "Checks", "vetoed": true}));
    assert!(checks.to_string().contains("\"vetoed\":\"Obsolete\""), "{checks}");
    // Unless somebody vetoes it an id is nothing; guests see no votes and change none.
    let id = "ab".repeat(32);
    assert_eq!(ask(&server, "feature", json!({"feature": id}))["error"], "badFeature");
    let vetoed = done(&server, "feature", json!({"feature": id, "vetoed": true}));
    let expected = json!({"enabled": false, "supported": false, "vetoed": true});
    assert_eq!(vetoed[id.to_uppercase()], expected);
    let server =
        Standalone::start(StandaloneConfig { start_time: None, ..config() }).await.unwrap();
    let guest = async |params: Json| {
        let body = json!({"method": "feature", "params": [params]}).to_string();
        http(&server, "POST /", "Host: evil.example\r\n", &body).await.2["result"].clone()
    };
    let checks = guest(json!({"feature": "Checks"})).await;
    assert!(!checks.to_string().contains("vetoed"), "{checks}");
    let refused = guest(json!({"feature": "Checks", "vetoed": false})).await;
    assert_eq!(refused["error"], "noPermission");
    // What xrpld votes for by default is not vetoed.
    let server = with("none");
    let fix = done(&server, "feature", json!({"feature": "fixCleanup3_1_3"}));
    let fix = &fix[Amendment::named("fixCleanup3_1_3").unwrap().id().to_string()];
    assert_eq!((&fix["enabled"], &fix["vetoed"]), (&json!(false), &json!(false)));
}

#[tokio::test]
async fn own_methods_are_for_administrators() {
    let server = Standalone::start(config()).await.unwrap();
    for method in ["info", "accounts", "close", "snapshot", "nothing"] {
        let body = json!({"method": format!("standalone_{method}")}).to_string();
        let foreign = http(&server, "POST /", "Host: evil.example\r\n", &body).await.2;
        assert_eq!(foreign["result"]["error"], "noPermission", "{method}");
    }
    assert_eq!(ask(&server, "standalone_nothing", json!({}))["error"], "unknownCmd");
    let accounts = done(&server, "standalone_accounts", json!({}));
    assert_eq!(accounts["accounts"][9]["address"], address(&server, 9));
    server.shutdown().await;
}

#[tokio::test]
async fn the_faucet_speaks_as_public_ones() {
    let server = Standalone::start(config()).await.unwrap();
    let local = format!("Host: {}\r\n", server.rpc_addr);
    let fund = async |body: &str| http(&server, "POST /accounts", &local, body).await;
    let (status, head, made) = fund("").await;
    assert_eq!(status, 200, "{made}");
    assert!(head.contains("content-type: application/json"), "{head}");
    assert_eq!(made["amount"], 1000);
    let seed: xrpl_protocol::keys::Seed =
        made["account"]["secret"].as_str().unwrap().parse().unwrap();
    let account = xrpl_protocol::keys::KeyPair::from_seed(&seed).account_id();
    assert_eq!(made["account"]["classicAddress"], account.to_string());
    assert_eq!(made["account"]["address"], account.to_string());
    assert_eq!(made["account"]["xAddress"], account.to_x_address(None, true));
    assert_eq!(made["seed"], made["account"]["secret"]);
    // Ledgers close by hand here: the faucet closed one.
    let tx = done(&server, "tx", json!({"transaction": made["transactionHash"]}));
    assert_eq!(tx["validated"], true, "{tx}");

    let tagged = account.to_x_address(Some(7), true);
    let body =
        json!({"destination": tagged, "xrpAmount": "12", "userAgent": "xrpl.js"}).to_string();
    let (status, _, paid) = fund(&body).await;
    assert_eq!((status, &paid["amount"]), (200, &json!(12)), "{paid}");
    assert!(paid["account"].get("secret").is_none() && paid.get("seed").is_none());
    let tx = done(&server, "tx", json!({"transaction": paid["transactionHash"]}));
    let tx = tx.get("tx_json").unwrap_or(&tx);
    assert_eq!((&tx["DestinationTag"], &tx["Amount"]), (&json!(7), &json!("12000000")));

    for (body, status, error) in [
        (r#"{"destination": "nobody"}"#, 400, "Invalid destination"),
        (r#"{"destination": 7}"#, 400, "Invalid destination"),
        (r#"{"xrpAmount": "1.0000001"}"#, 400, "Invalid amount"),
        (r#"{"xrpAmount": "0"}"#, 400, "Invalid amount"),
        (r#"[]"#, 400, "Invalid request"),
        (r#"{"xrpAmount": "5"}"#, 400, "Unable to fund account"),
        (r#"{"xrpAmount": "100000000000"}"#, 400, "Unable to fund account"),
        (r#"{"destination": "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh"}"#, 400, "temREDUNDANT"),
    ] {
        let (code, _, answer) = fund(body).await;
        assert_eq!(code, status, "{body} {answer}");
        assert!(answer["error"].as_str().unwrap().contains(error), "{body} {answer}");
    }
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        let (status, head, _) = http(&server, &format!("{method} /accounts"), &local, "").await;
        assert!(status == 405 && head.contains("allow: post, options"), "{method} {head}");
    }
    // A page in development on this machine may read the answer, one of another site gets nothing.
    let page = format!("{local}Origin: http://localhost:3000\r\n");
    let (status, head, _) = http(&server, "OPTIONS /accounts", &page, "").await;
    assert_eq!(status, 204);
    assert!(head.contains("access-control-allow-origin: http://localhost:3000"), "{head}");
    let evil = format!("{local}Origin: http://evil.example\r\n");
    let (status, head, _) = http(&server, "POST /accounts", &evil, "").await;
    assert!(status == 403 && !head.contains("access-control"), "{head}");
    server.shutdown().await;

    let limited =
        FaucetConfig { rate: 1, token: Some("open-sesame".into()), ..FaucetConfig::default() };
    let server =
        Standalone::start(StandaloneConfig { faucet: Some(limited), ..config() }).await.unwrap();
    let bearer = "Host: a.example\r\nAuthorization: Bearer open-sesame\r\n";
    assert_eq!(http(&server, "POST /accounts", &local, "").await.0, 401);
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(http(&server, "POST /accounts", bearer, "").await.0);
    }
    assert!(codes.starts_with(&[200, 200]) && codes.contains(&429), "{codes:?}");
    server.shutdown().await;
    // Without a faucet the path is what every path is.
    let server = Standalone::start(StandaloneConfig { faucet: None, ..config() }).await.unwrap();
    assert_eq!(http(&server, "POST /accounts", &local, "").await.0, 400);
    server.shutdown().await;
}

#[tokio::test]
async fn a_test_has_a_ledger_in_a_line() {
    let server = Standalone::builder()
        .accounts(2)
        .fund_drops(100_000_000)
        .seed("mine")
        .start_time(NEW_YEAR)
        .network_id(5)
        .amendments(Amendment::selection(["mainnet"]).unwrap())
        .start()
        .await
        .unwrap();
    assert_eq!((server.accounts().len(), server.network_id()), (2, 5));
    let clean = server.snapshot();
    pay(&server, 0, 1, 1_000_000);
    assert_eq!(balance(&server, 1, "validated"), 101_000_000);
    server.advance_time(3600).unwrap();
    assert_eq!(newest(&server), 5);
    assert!(server.revert(&clean) && !server.revert("nothing"));
    assert_eq!(newest(&server), 3);
    let nobody = "rrrrrrrrrrrrrrrrrrrrBZbvji";
    let refused = server.call("account_info", json!({"account": nobody})).unwrap_err();
    assert_eq!(refused.to_string(), "actNotFound: Account not found.");
    assert_eq!(server.faucet_url().unwrap(), format!("{}/accounts", server.rpc_url()));
    let address = server.rpc_addr;
    drop(server);
    // It is gone, and its port free.
    for _ in 0..100 {
        if tokio::net::TcpStream::connect(address).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it still listens");
}

#[tokio::test]
async fn a_ledger_in_a_line_can_be_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kept");
    let start = async || Standalone::builder().state(&path, None).start().await;
    let server = start().await.unwrap();
    pay(&server, 0, 1, 1_000_000);
    let last = newest(&server);
    let second = start().await.unwrap_err().to_string();
    assert!(second.contains("in use"), "{second}");
    server.shutdown().await;
    let server = start().await.unwrap();
    assert_eq!(newest(&server), last);
    let bound = Standalone::builder().rpc_bind(server.rpc_addr).start().await.unwrap_err();
    assert!(bound.to_string().contains("cannot listen"), "{bound}");
}
