//! A fork of another ledger, which another server has.

use std::{path::Path, sync::Arc};

use serde_json::{Value as Json, json};
use tokio::net::TcpStream;
use xrpl_standalone::{
    Begin, Closing, FundedAccounts, Standalone, StandaloneConfig,
    fork::{BoxedIo, Fork, ForkConfig, Upstream},
    ledger::Impersonated,
    node::NodeConfig,
    state,
};

use crate::{
    bench::{NEW_YEAR, address, config, done, http, newest, pay, seed, submit},
    state::furnish,
};

fn upstream(server: &Standalone) -> Upstream {
    let address = server.ws_addr;
    Upstream::new(server.ws_url(), move || {
        Box::pin(async move { Ok(Box::new(TcpStream::connect(address).await?) as BoxedIo) })
    })
}

async fn fork_of(server: &Standalone, cache: Option<&Path>) -> Fork {
    let upstream = upstream(server);
    let config = ForkConfig { upstream, ledger: None, cache: cache.map(Path::to_owned) };
    Fork::begin(config).await.unwrap()
}

fn begun(begin: Begin) -> StandaloneConfig {
    let accounts = FundedAccounts { seed: "another".into(), count: 3, ..FundedAccounts::default() };
    StandaloneConfig { begin, accounts: Some(accounts), ..config() }
}

async fn origin() -> Standalone {
    let server = Standalone::start(config()).await.unwrap();
    furnish(&server);
    server
}

async fn get(server: &Standalone, method: &str, params: Json) -> Json {
    server.ask(method, params).await.unwrap_or_else(|error| panic!("{method}: {error}"))
}

async fn send(server: &Standalone, secret: &str, tx: Json) -> Json {
    get(server, "submit", json!({"secret": secret, "tx_json": tx})).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fork_reads_what_it_needs_and_keeps_what_is_new() {
    let origin = origin().await;
    let (issuer, holder) = (address(&origin, 0), address(&origin, 1));
    let at = newest(&origin);
    let fork = fork_of(&origin, None).await;
    assert_eq!(fork.known(), 3, "fees, amendments, and the list of ledgers");
    let server = Standalone::start(begun(Begin::Fork(fork))).await.unwrap();
    let found = |server| async move {
        let ledger = json!({"ledger_index": "validated"});
        let of = |more: Json| {
            let mut params = ledger.clone();
            params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            params
        };
        let info = get(
            server,
            "account_info",
            of(json!({"account": "rUtbdg74eVsdDWu82AuUVzc4zjVkkmLAT2"})),
        )
        .await;
        let lines = get(
            server,
            "account_lines",
            of(json!({"account": "rUtbdg74eVsdDWu82AuUVzc4zjVkkmLAT2"})),
        )
        .await;
        let usd = json!({"currency": "USD", "issuer": "rUtbdg74eVsdDWu82AuUVzc4zjVkkmLAT2"});
        let book = get(
            server,
            "book_offers",
            of(json!({"taker_gets": usd, "taker_pays": {"currency": "XRP"}})),
        )
        .await;
        (info["account_data"].clone(), lines["lines"].clone(), book["offers"].clone())
    };
    assert_eq!(issuer, "rUtbdg74eVsdDWu82AuUVzc4zjVkkmLAT2");
    let theirs = found(&origin).await;
    assert_eq!(found(&server).await, theirs);
    assert_eq!(theirs.2.as_array().unwrap().len(), 1);
    let nobody = get(&server, "ledger_closed", json!({})).await;
    assert_eq!(nobody["ledger_index"], at + 1, "the accounts' ledger is the fork's first");

    // What is new is here only: an offer of the origin is taken.
    let buyer = address(&server, 0);
    let usd = |value: &str| json!({"currency": "USD", "issuer": issuer, "value": value});
    for tx in [
        json!({"TransactionType": "TrustSet", "Account": buyer, "LimitAmount": usd("100")}),
        json!({"TransactionType": "OfferCreate", "Account": buyer, "TakerPays": usd("2.25"), "TakerGets": "5000000"}),
    ] {
        let answer = send(&server, &seed(&server, 0), tx).await;
        assert_eq!(answer["engine_result"], "tesSUCCESS", "{answer}");
    }
    get(&server, "ledger_accept", json!({})).await;
    let lines =
        get(&server, "account_lines", json!({"account": buyer, "ledger_index": "validated"})).await;
    assert_eq!(lines["lines"][0]["balance"], "2.25");
    assert_eq!(found(&server).await.2, json!([]), "the offer is gone");
    assert_eq!(found(&origin).await, theirs, "and there it is not");

    // The origin goes on; the fork stays at its ledger.
    pay(&origin, 2, 3, 1_000_000);
    done(&origin, "ledger_accept", json!({}));
    let untouched = |n: usize| json!({"account": address(&origin, n), "ledger_index": "validated"});
    let balance =
        get(&server, "account_info", untouched(3)).await["account_data"]["Balance"].clone();
    assert_ne!(
        balance,
        get(&origin, "account_info", untouched(3)).await["account_data"]["Balance"]
    );
    // Ledgers are told once they hold, and once each.
    let mut streams = crate::bench::Listener::new(&server, &["ledger"]).await;
    for n in 0..3 {
        get(&server, "ledger_accept", json!({})).await;
        assert_eq!(streams.next().await["ledger_index"], at + 3 + n);
    }
    // A part of a ledger is not given out as a whole one.
    let refused = server.ask("standalone_export_state", json!({})).await.unwrap_err();
    let told = refused.result["error_message"].as_str().unwrap();
    assert!(told.contains("fork") && told.contains("ledger_data"), "{told}");
    let (_, _, pools) = http(&server, "GET /pools.json", "Host: localhost\r\n", "").await;
    assert!(pools["partial"].as_str().unwrap().contains("fork"), "{pools}");
    // Everything else of a ledger to develop on is there too.
    let clean = server.snapshot();
    let paid = send(&server, &seed(&origin, 1), json!({
        "TransactionType": "Payment", "Account": holder, "Destination": buyer, "Amount": "1000000",
    })).await;
    assert_eq!(paid["engine_result"], "tesSUCCESS", "{paid}");
    get(&server, "standalone_advance_time", json!({"seconds": 60})).await;
    assert!(server.revert(&clean));
    server.shutdown().await;
    origin.shutdown().await;
}

/// The same on a fork, and on a ledger that was brought whole: the same metadata.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fork_does_what_the_whole_ledger_does() {
    let origin = origin().await;
    let exported = done(&origin, "standalone_export_state", json!({}));
    let whole = state::import(&exported.to_string()).unwrap();
    let whole = Standalone::start(begun(Begin::Ledger(Arc::new(whole)))).await.unwrap();
    let fork = Standalone::start(begun(Begin::Fork(fork_of(&origin, None).await))).await.unwrap();
    let usd =
        |value: &str| json!({"currency": "USD", "issuer": address(&origin, 0), "value": value});
    let id = |kind: &str| {
        let objects = done(&origin, "account_objects", json!({"account": address(&origin, 3)}));
        let _ = kind;
        objects["account_objects"][0]["NFTokens"][0]["NFToken"]["NFTokenID"].clone()
    };
    let steps = [
        (
            1,
            json!({"TransactionType": "Payment", "Destination": address(&origin, 2), "Amount": "7000000"}),
        ),
        (
            1,
            json!({"TransactionType": "OfferCreate", "TakerPays": "9000000", "TakerGets": usd("3")}),
        ),
        (2, json!({"TransactionType": "TrustSet", "LimitAmount": usd("50")})),
        (
            2,
            json!({"TransactionType": "OfferCreate", "TakerPays": usd("4"), "TakerGets": "20000000"}),
        ),
        (3, json!({"TransactionType": "NFTokenBurn", "NFTokenID": id("nft")})),
        (4, json!({"TransactionType": "SignerListSet", "SignerQuorum": 0})),
        (6, json!({"TransactionType": "AccountSet", "Domain": "61"})),
        (7, json!({"TransactionType": "DIDSet", "URI": "61"})),
        (
            2,
            json!({"TransactionType": "Payment", "Destination": address(&origin, 1), "Amount": usd("1")}),
        ),
        (
            8,
            json!({"TransactionType": "AccountDelete", "Destination": address(&origin, 9), "Fee": "2000000"}),
        ),
    ];
    for (step, (n, tx)) in steps.into_iter().enumerate() {
        let mut seen = Vec::new();
        for server in [&whole, &fork] {
            let mut tx = tx.clone();
            tx["Account"] = address(&origin, n).into();
            let answer = send(server, &seed(&origin, n), tx).await;
            let at = NEW_YEAR + 100_000 + 100 * step as u32;
            get(server, "standalone_set_next_close_time", json!({"close_time": at})).await;
            get(server, "ledger_accept", json!({})).await;
            let hash = answer["tx_json"]["hash"].clone();
            let tx = get(server, "tx", json!({"transaction": hash, "api_version": 2})).await;
            let header = get(server, "ledger", json!({"ledger_index": "validated"})).await;
            seen.push((
                hash,
                tx["meta"].clone(),
                header["ledger"]["transaction_hash"].clone(),
                header["ledger"]["account_hash"].clone(),
            ));
        }
        let (whole, fork) = (&seen[0], &seen[1]);
        assert_eq!((&whole.0, &whole.1, &whole.2), (&fork.0, &fork.1, &fork.2), "step {step}");
        assert!(whole.1["TransactionResult"].is_string());
        assert_ne!(whole.3, fork.3, "the state's hash of a fork is its own");
    }
    whole.shutdown().await;
    fork.shutdown().await;
    origin.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_read_is_kept_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let origin = origin().await;
    let read = async |server: &Standalone, n: usize| {
        server.ask("account_info", json!({"account": address(&origin, n)})).await
    };
    let server = Standalone::start(begun(Begin::Fork(fork_of(&origin, Some(dir.path())).await)))
        .await
        .unwrap();
    read(&server, 5).await.unwrap();
    get(&server, "book_offers", json!({
        "taker_gets": {"currency": "USD", "issuer": address(&origin, 0)}, "taker_pays": {"currency": "XRP"},
    })).await;
    server.shutdown().await;
    // A record that was cut off is read again.
    let file = std::fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
    let bytes = std::fs::read(&file).unwrap();
    for cut in [bytes.len(), bytes.len() - 1, bytes.len() / 2, 9, 3, 0] {
        std::fs::write(&file, &bytes[..cut]).unwrap();
        let fork = fork_of(&origin, Some(dir.path())).await;
        assert!(
            fork.known() >= 3 && (cut < bytes.len() || fork.known() > 5),
            "{cut}: {}",
            fork.known()
        );
    }
    std::fs::write(&file, &bytes).unwrap();
    let fork = fork_of(&origin, Some(dir.path())).await;
    let begin = Begin::Fork(fork);
    let server = Standalone::start(begun(begin)).await.unwrap();
    let five = address(&origin, 5);
    origin.shutdown().await;
    get(&server, "account_info", json!({"account": five})).await;
    // What lies between entries that were read together is known not to be there; nothing else is.
    let mut tokens = std::collections::BTreeSet::new();
    for n in 0..100u8 {
        let account = xrpl_protocol::AccountId([n; 20]).to_string();
        let refused = server.ask("account_info", json!({"account": account})).await.unwrap_err();
        tokens.insert(refused.token);
        if tokens.contains("noNetwork") {
            break;
        }
    }
    assert!(tokens.contains("noNetwork"), "{tokens:?}");
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whom_one_impersonates_signs_with_any_key() {
    let origin = origin().await;
    let (rich, other) = (address(&origin, 1), address(&origin, 2));
    for (impersonated, results) in [
        (Impersonated::Nobody, ["badSecret", "badSecret"]),
        (Impersonated::These([rich.parse().unwrap()].into()), ["tesSUCCESS", "badSecret"]),
        (Impersonated::Everybody, ["tesSUCCESS", "tesSUCCESS"]),
    ] {
        let fork = Begin::Fork(fork_of(&origin, None).await);
        let node = NodeConfig { impersonated: impersonated.clone(), ..NodeConfig::default() };
        let config = StandaloneConfig { node, closing: Closing::OnSubmit, ..begun(fork) };
        let server = Standalone::start(config).await.unwrap();
        let mine = seed(&server, 0);
        for (account, expected) in [&rich, &other].into_iter().zip(results) {
            let tx = json!({
                "TransactionType": "Payment", "Account": account, "Destination": address(&server, 0),
                "Amount": "1000000",
            });
            let answer = server.ask("submit", json!({"secret": mine, "tx_json": tx})).await;
            let result = match answer {
                Ok(answer) => answer["engine_result"].as_str().unwrap().to_owned(),
                Err(refused) => refused.token,
            };
            assert_eq!(result, expected, "{impersonated:?}");
        }
        let info = get(&server, "server_info", json!({})).await;
        let said = &info["info"]["standalone"];
        assert_eq!(said["fork"]["ledger_index"], newest(&origin), "{info}");
        assert_eq!(said["fork"]["url"], origin.ws_url());
        match &impersonated {
            Impersonated::Nobody => assert_eq!(said["impersonated"], json!(null)),
            Impersonated::These(_) => assert_eq!(said["impersonated"], json!([rich])),
            Impersonated::Everybody => assert_eq!(said["impersonated"], "all"),
        }
        server.shutdown().await;
    }
    // On another ledger nothing is said, as nothing is to be.
    let info = get(&origin, "server_info", json!({})).await;
    assert!(info["info"].get("standalone").is_none());
    let _ = submit(&origin, 0, json!({"TransactionType": "AccountSet"}));
    origin.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_forked_says_why() {
    let origin = Standalone::start(config()).await.unwrap();
    let begin = |ledger, upstream| Fork::begin(ForkConfig { upstream, ledger, cache: None });
    let absent = begin(Some(99), upstream(&origin)).await.unwrap_err().to_string();
    assert!(absent.contains("does not have ledger 99"), "{absent}");
    let earlier = begin(Some(2), upstream(&origin)).await.unwrap();
    assert_eq!(earlier.header().index, 2);
    // A file keeps whole ledgers.
    let dir = tempfile::tempdir().unwrap();
    let kept = Standalone::builder().begin(Begin::Fork(earlier)).state(dir.path().join("x"), None);
    let kept = kept.start().await.unwrap_err().to_string();
    assert!(kept.contains("cannot be kept"), "{kept}");
    let gone = upstream(&origin);
    let url = origin.ws_url();
    origin.shutdown().await;
    let gone = begin(None, gone).await.unwrap_err().to_string();
    assert!(gone.contains(&url), "{gone}");
}
