//! A ledger that is kept in a file, written as JSON, brought from elsewhere.

use std::{fs, path::Path, sync::Arc, time::Duration};

use serde_json::{Value as Json, json};
use xrpl_standalone::{
    Begin, Closing, Standalone, StandaloneConfig,
    ledger::ClosedLedger,
    state::{self, OpenError, Saved, StateFile},
};

use crate::bench::{NEW_YEAR, address, ask, balance, closing, config, done, newest, pay, submit};

/// A server on what a file has, kept in it.
fn kept(path: &Path) -> Standalone {
    let (file, saved) = StateFile::open(path).unwrap();
    let config = match saved {
        Some(saved) => {
            StandaloneConfig { begin: Begin::Saved(saved), start_time: None, ..config() }
        }
        None => config(),
    };
    let server = Standalone::in_memory(config);
    server.keep(file, None);
    server
}

fn head(server: &Standalone) -> String {
    done(server, "ledger_closed", json!({}))["ledger_hash"].as_str().unwrap().to_owned()
}

/// Things of many kinds, some of them gone again.
pub(crate) fn furnish(server: &Standalone) {
    let usd =
        |value: &str| json!({"currency": "USD", "issuer": address(server, 0), "value": value});
    let made = [
        (0, json!({"TransactionType": "AccountSet", "SetFlag": 8, "Domain": "6578616D706C65"})),
        (1, json!({"TransactionType": "TrustSet", "LimitAmount": usd("1000")})),
        (
            0,
            json!({"TransactionType": "Payment", "Destination": address(server, 1), "Amount": usd("12.5")}),
        ),
        (
            1,
            json!({"TransactionType": "OfferCreate", "TakerPays": "5000000", "TakerGets": usd("2.25")}),
        ),
        (2, json!({"TransactionType": "TicketCreate", "TicketCount": 3})),
        (3, json!({"TransactionType": "NFTokenMint", "NFTokenTaxon": 7, "URI": "697066733A2F2F"})),
        (
            4,
            json!({"TransactionType": "SignerListSet", "SignerQuorum": 2, "SignerEntries": [
                {"SignerEntry": {"Account": address(server, 5), "SignerWeight": 1}},
                {"SignerEntry": {"Account": address(server, 6), "SignerWeight": 1}},
            ]}),
        ),
        (
            5,
            json!({"TransactionType": "EscrowCreate", "Destination": address(server, 6), "Amount": "7", "FinishAfter": 900_000_000}),
        ),
        (
            6,
            json!({"TransactionType": "MPTokenIssuanceCreate", "AssetScale": 2, "MaximumAmount": "9223372036854775807"}),
        ),
        (7, json!({"TransactionType": "DIDSet", "URI": "697066733A2F2F", "Data": "AB"})),
    ];
    for (n, tx) in made {
        let answer = submit(server, n, tx);
        assert_eq!(answer["engine_result"], "tesSUCCESS", "{answer}");
        done(server, "ledger_accept", json!({}));
    }
    let gone = json!({"TransactionType": "DIDDelete"});
    assert_eq!(submit(server, 7, gone)["engine_result"], "tesSUCCESS");
    done(server, "standalone_close", json!({"count": 260}));
}

#[tokio::test]
async fn a_ledger_goes_on_where_it_ended() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.state");
    let server = kept(&path);
    furnish(&server);
    let closed = pay(&server, 0, 1, 5_000_000);
    done(&server, "standalone_advance_time", json!({"seconds": 1_000_000}));
    let open = pay(&server, 2, 3, 7);
    let early = json!({"TransactionType": "AccountSet", "Sequence": 99});
    let early = submit(&server, 8, early)["tx_json"]["hash"].clone();
    let (hash, last) = (head(&server), newest(&server));
    let info = done(&server, "standalone_info", json!({}));
    let (clock, ahead) = (info["clock"].as_u64().unwrap(), info["clock_ahead"].clone());
    assert!(ahead.as_u64().unwrap() >= 1_000_000);
    server.shutdown().await;

    for _ in 0..2 {
        let server = kept(&path);
        assert_eq!((head(&server), newest(&server)), (hash.clone(), last));
        let found = done(&server, "tx", json!({"transaction": closed}));
        assert_eq!((&found["validated"], &found["ledger_index"]), (&json!(true), &json!(last)));
        assert_eq!(found["meta"]["TransactionResult"], "tesSUCCESS");
        assert_eq!(done(&server, "ledger", json!({"ledger_index": 4}))["ledger_index"], 4);
        assert_eq!(balance(&server, 3, "current"), balance(&server, 3, "validated") + 7);
        assert_eq!(done(&server, "tx", json!({"transaction": open}))["validated"], false);
        assert_eq!(done(&server, "tx", json!({"transaction": early}))["validated"], false);
        let info = done(&server, "standalone_info", json!({}));
        let now = info["clock"].as_u64().unwrap();
        assert!((clock..clock + 60).contains(&now), "{clock} {now}");
        assert_eq!(info["clock_ahead"], ahead);
        server.shutdown().await;
    }
    // Without a shutdown what was written last is there.
    let server = kept(&path);
    done(&server, "ledger_accept", json!({}));
    assert_eq!(newest(&server), last + 1);
    drop(server);
    tokio::task::yield_now().await;
    let (_file, saved) = loop {
        match StateFile::open(&path) {
            Err(OpenError::InUse { .. }) => tokio::time::sleep(Duration::from_millis(5)).await,
            opened => break opened.unwrap(),
        }
    };
    assert!(u64::from(saved.unwrap().ledgers.last().unwrap().header.index) >= last);
}

/// Where nothing is told a clock goes on by itself; one that is told may not go back.
#[tokio::test]
async fn a_clock_that_was_kept_goes_on() {
    let saved = |ago: u32| {
        let server = closing(Closing::Manual);
        let ledgers = server.with_node(|node| node.ledgers().cloned().collect());
        let of_day = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs() - 946_684_800;
        Begin::Saved(Saved {
            network_id: 0,
            clock: NEW_YEAR + 500,
            clock_ahead: 400,
            time_of_day: u32::try_from(of_day).unwrap() - ago,
            ledgers,
            pending: Vec::new(),
        })
    };
    let clock = |begin: Begin, start_time| {
        let server = Standalone::in_memory(StandaloneConfig { begin, start_time, ..config() });
        let info = done(&server, "standalone_info", json!({}));
        (info["clock"].as_u64().unwrap() as u32 - NEW_YEAR, info["clock_ahead"].clone())
    };
    // It went on while nothing ran: three hours.
    let (shown, ahead) = clock(saved(10_800), None);
    assert!((11_300..11_360).contains(&shown) && ahead == 400, "{shown} {ahead}");
    // The time of day went back meanwhile: the clock does not.
    let future = match saved(0) {
        Begin::Saved(saved) => Begin::Saved(Saved { time_of_day: u32::MAX, ..saved }),
        other => other,
    };
    let (shown, _) = clock(future, None);
    assert!((500..560).contains(&shown), "{shown}");
    let (shown, ahead) = clock(saved(10_800), Some(NEW_YEAR + 2_000));
    assert!((2_000..2_060).contains(&shown) && ahead == 0, "{shown} {ahead}");
    let begin = saved(10_800);
    begin.check_start_time(None).unwrap();
    begin.check_start_time(Some(NEW_YEAR + 500)).unwrap();
    let early = begin.check_start_time(Some(NEW_YEAR + 499)).unwrap_err();
    assert_eq!((early.given, early.least), (NEW_YEAR + 499, NEW_YEAR + 500));
    let refused = Standalone::builder().begin(begin).start_time(1).start().await.unwrap_err();
    assert!(refused.to_string().contains("already"), "{refused}");
    Begin::Genesis.check_start_time(Some(u32::MAX)).unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn the_file_is_written_while_the_ledger_runs() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.state");
    let (file, _) = StateFile::open(&path).unwrap();
    let server = closing(Closing::Manual);
    server.keep(file, Some(Duration::from_secs(60)));
    let written = || fs::read(&path).ok().map(|bytes| state::decode(&bytes).unwrap());
    tokio::time::sleep(Duration::from_secs(50)).await;
    assert!(written().is_none());
    tokio::time::sleep(Duration::from_secs(20)).await;
    server.save().await.unwrap();
    assert_eq!(written().unwrap().ledgers.len(), 3);
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    server.save().await.unwrap();
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before, "nothing changed");
    pay(&server, 0, 1, 1);
    server.save().await.unwrap();
    assert_eq!(written().unwrap().pending.len(), 1);
    // What cannot be written leaves the old state.
    done(&server, "ledger_accept", json!({}));
    fs::create_dir(dir.path().join("ledger.state.new")).unwrap();
    server.save().await.unwrap_err();
    assert_eq!(written().unwrap().ledgers.len(), 3);
    fs::remove_dir(dir.path().join("ledger.state.new")).unwrap();
    server.shutdown().await;
    assert_eq!(written().unwrap().ledgers.len(), 4);
}

#[tokio::test]
async fn a_file_that_is_not_whole_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.state");
    let server = kept(&path);
    furnish(&server);
    pay(&server, 0, 1, 1);
    assert!(matches!(StateFile::open(&path), Err(OpenError::InUse { .. })));
    server.shutdown().await;
    let whole = loop {
        if StateFile::open(&path).is_ok() {
            break fs::read(&path).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let refused = |bytes: &[u8], word: &str| {
        fs::write(&path, bytes).unwrap();
        let error = StateFile::open(&path).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
        assert!(error.contains("ledger.state") && error.contains("move it away"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), bytes);
    };
    refused(b"", "does not begin as one");
    refused(b"SQLite format 3\0", "does not begin as one");
    for cut in [12, 40, whole.len() / 2, whole.len() - 1] {
        refused(&whole[..cut], "damaged");
    }
    for at in (12..whole.len()).step_by(whole.len() / 97) {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        refused(&bytes, "damaged");
    }
    let mut newer = whole.clone();
    newer[11] = 9;
    refused(&newer, "version 9");
    // One whose hash was made to fit: the ledgers' own hashes tell.
    let resealed = |at: usize, with: u8| {
        let mut bytes = whole[..whole.len() - 32].to_vec();
        bytes[at] ^= with;
        let hash = xrpl_protocol::hash::sha512_half(&[&bytes]);
        bytes.extend_from_slice(&hash.0);
        bytes
    };
    let mut inconsistent = 0;
    for at in (24..whole.len() - 32).step_by(whole.len() / 199) {
        match state::decode(&resealed(at, 1)) {
            // What is in no closed ledger yet has no hash to be compared with.
            Ok(saved) => assert_ne!(state::encode(&saved), whole),
            Err(error) => {
                assert!(error.to_string().contains("inconsistent"), "{error}");
                inconsistent += 1;
            }
        }
    }
    assert!(inconsistent > 150, "{inconsistent}");
    fs::write(&path, &whole).unwrap();
    assert_eq!(state::encode(&StateFile::open(&path).unwrap().1.unwrap()), whole);
}

fn begun_with(ledger: ClosedLedger) -> Standalone {
    Standalone::in_memory(StandaloneConfig { begin: Begin::Ledger(Arc::new(ledger)), ..config() })
}

/// Every page of `ledger_data`.
fn pages(server: &Standalone, more: &Json) -> Vec<Json> {
    let mut all = Vec::new();
    let mut params = more.clone();
    params["ledger_index"] = "validated".into();
    loop {
        let page = done(server, "ledger_data", params.clone());
        let marker = page.get("marker").cloned();
        all.push(page);
        match marker {
            Some(marker) => params["marker"] = marker,
            None => return all,
        }
    }
}

#[tokio::test]
async fn a_ledger_is_brought_as_json() {
    let server = closing(Closing::Manual);
    furnish(&server);
    let (hash, last) = (head(&server), newest(&server));
    let exported = done(&server, "standalone_export_state", json!({}));
    let (json, binary) = (
        pages(&server, &json!({"limit": 7})),
        pages(&server, &json!({"limit": 9, "binary": true})),
    );
    assert!(json.len() > 3 && binary.len() > 3);
    let lines = json.iter().map(|page| json!({"result": page}).to_string() + "\n");
    let texts = [
        exported.to_string(),
        lines.collect::<String>(),
        Json::from(json.clone()).to_string(),
        Json::from(binary).to_string(),
    ];
    for text in &texts {
        let server = begun_with(state::import(text).unwrap());
        assert_eq!((head(&server), newest(&server)), (hash.clone(), last), "{}", &text[..60]);
        // The accounts are there, nothing was paid.
        pay(&server, 0, 1, 1);
        let usd = json!({"currency": "USD", "issuer": address(&server, 0), "value": "1"});
        let paid = json!({"TransactionType": "Payment", "Destination": address(&server, 0), "Amount": usd});
        assert_eq!(submit(&server, 1, paid)["engine_result"], "tesSUCCESS");
        done(&server, "ledger_accept", json!({}));
    }
    // An earlier one, too.
    let earlier = done(&server, "standalone_export_state", json!({"ledger_index": 5}));
    assert_eq!(state::import(&earlier.to_string()).unwrap().header.index, 5);
    assert_eq!(
        ask(&server, "standalone_export_state", json!({"ledger_index": "current"}))["error"],
        "invalidParams"
    );

    let refused = |text: &str, word: &str| {
        let error = state::import(text).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    };
    refused("", "nothing");
    refused("{", "not JSON");
    refused("{}", "no `state`");
    refused(r#"{"state": [{}]}"#, "no `index`");
    let has_fees = |page: &&Json| page.to_string().contains("FeeSettings");
    let without = json.iter().filter(|page| !has_fees(page)).cloned().collect::<Vec<_>>();
    refused(&Json::from(without).to_string(), "FeeSettings");
    refused(&Json::from(json[1..].to_vec()).to_string(), "no page has the ledger's header");
    let mut mixed = json.clone();
    mixed[1]["ledger_hash"] = "11".repeat(32).into();
    refused(&Json::from(mixed).to_string(), "beside the header");
    let without_last = json[..json.len() - 1].to_vec();
    refused(&Json::from(without_last).to_string(), "a page is missing");
    let mut edited = exported.clone();
    let mut rich = edited["state"].as_array_mut().unwrap().iter_mut();
    let rich = rich
        .find(|entry| entry["Account"] == address(&server, 1) && entry.get("Balance").is_some())
        .unwrap();
    rich["Balance"] = "123456789".into();
    refused(&edited.to_string(), "take `account_hash` out");
    edited["ledger"].as_object_mut().unwrap().remove("account_hash");
    let ledger = state::import(&edited.to_string()).unwrap();
    assert_eq!(balance(&begun_with(ledger), 1, "validated"), 123_456_789);
    let mut wrong = exported.clone();
    wrong["ledger"]["ledger_hash"] = "11".repeat(32).into();
    refused(&wrong.to_string(), "gives the hash");
    wrong["ledger"] = json!({"close_time": u32::MAX});
    refused(&wrong.to_string(), "no ledger can follow");
    let mut later = exported;
    later["version"] = 2.into();
    refused(&later.to_string(), "version is 2");
}

/// As the main network's ledgers are: with amendments that were retired, and newer ones.
#[tokio::test]
async fn amendments_that_nobody_knows_here_are_told() {
    let mut exported = done(&closing(Closing::Manual), "standalone_export_state", json!({}));
    exported["ledger"].as_object_mut().unwrap().remove("account_hash");
    let (newer, checks) = ("AB".repeat(32), xrpl_protocol::hash::sha512_half(&[b"Checks"]));
    for entry in exported["state"].as_array_mut().unwrap() {
        if let Some(Json::Array(on)) = entry.get_mut("Amendments") {
            on.extend([newer.clone().into(), checks.to_string().into()]);
        }
    }
    let server = begun_with(state::import(&exported.to_string()).unwrap());
    let info = done(&server, "server_info", json!({}));
    assert_eq!(info["info"]["standalone"]["unknown_amendments"], json!([newer]));
    let feature = |id: &str| done(&server, "feature", json!({"feature": id}))[id].clone();
    assert_eq!(feature(&newer), json!({"enabled": true, "supported": false}));
    let expected = json!({"enabled": true, "supported": true, "name": "Checks"});
    assert_eq!(feature(&checks.to_string()), expected);
}

/// A ledger whose genesis account is poor, as the main network's is.
#[tokio::test]
async fn on_a_foreign_ledger_accounts_and_faucet_are_written_into_it() {
    let mut exported = done(&closing(Closing::Manual), "standalone_export_state", json!({}));
    let genesis = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";
    exported["state"]
        .as_array_mut()
        .unwrap()
        .retain(|entry| entry["LedgerEntryType"] != "AccountRoot" || entry["Account"] == genesis);
    for entry in exported["state"].as_array_mut().unwrap() {
        if entry["Account"] == genesis {
            entry["Balance"] = "1000000000".into();
        }
    }
    let header = exported["ledger"].as_object_mut().unwrap();
    header.remove("account_hash");
    header.insert("total_coins".into(), "1000000000".into());
    let foreign = state::import(&exported.to_string()).unwrap();
    let index = foreign.header.index;
    let server = begun_with(foreign);
    assert_eq!(newest(&server), u64::from(index) + 1);
    assert_eq!(balance(&server, 9, "validated"), 10_000_000_000);
    let ledger =
        done(&server, "ledger", json!({"ledger_index": "validated", "transactions": true}));
    assert_eq!(
        ledger["ledger"]["total_coins"],
        (1_000_000_000u64 + 10 * 10_000_000_000 + 1_000_000_000_000_000).to_string()
    );
    assert_eq!(ledger["ledger"]["transactions"], json!([]));
    pay(&server, 0, 1, 1);
    done(&server, "ledger_accept", json!({}));
    assert_eq!(balance(&server, 1, "validated"), 10_000_000_001);
}
