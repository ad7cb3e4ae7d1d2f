//! The explorer: each page and its twin.

use serde_json::{Value as Json, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use xrpl_standalone::Standalone;

use crate::bench::{address, config, done, http, pay, submit};

/// Status, headers and body of a page.
async fn get(server: &Standalone, path: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(server.rpc_addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), body.to_owned())
}

/// A page and its twin; the page must be whole and lead to the twin.
async fn page(server: &Standalone, path: &str) -> (String, Json) {
    let (status, head, html) = get(server, path).await;
    assert_eq!(status, 200, "{path}: {html}");
    assert!(head.contains("text/html") && head.contains("content-security-policy"), "{head}");
    assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"), "{html}");
    let twin = if path == "/" { "/index.json".to_owned() } else { format!("{path}.json") };
    assert!(html.contains(&format!("href=\"{twin}\"")), "{path} does not name {twin}");
    let (status, head, body) = get(server, &twin).await;
    assert!(status == 200 && head.contains("application/json"), "{twin}: {head}");
    (html, serde_json::from_str(&body).unwrap())
}

#[tokio::test]
async fn every_page_has_a_twin_and_words() {
    let server = Standalone::start(config()).await.unwrap();
    let (issuer, holder) = (address(&server, 0), address(&server, 1));
    let usd = |value: &str| json!({"currency": "USD", "issuer": issuer, "value": value});
    for (n, tx) in [
        (0, json!({"TransactionType": "AccountSet", "SetFlag": 8})),
        (1, json!({"TransactionType": "TrustSet", "LimitAmount": usd("1000")})),
        (0, json!({"TransactionType": "Payment", "Destination": holder, "Amount": usd("12.5")})),
        (
            1,
            json!({"TransactionType": "OfferCreate", "TakerPays": "5000000", "TakerGets": usd("2")}),
        ),
        (1, json!({"TransactionType": "NFTokenMint", "NFTokenTaxon": 7})),
    ] {
        assert_eq!(submit(&server, n, tx)["engine_result"], "tesSUCCESS");
        done(&server, "ledger_accept", json!({}));
    }
    let paid = pay(&server, 0, 1, 5_000_000);
    let late = json!({"TransactionType": "Payment", "Destination": holder, "Amount": usd("1"), "Fee": "11"});
    let failed = submit(&server, 2, late);
    assert!(failed["engine_result"].as_str().unwrap().starts_with("tec"), "{failed}");
    let failed = failed["tx_json"]["hash"].as_str().unwrap().to_owned();
    let open = page(&server, &format!("/transactions/{paid}")).await;
    assert!(open.0.contains("in no closed ledger yet") && open.1["validated"] == false);
    let (html, twin) = page(&server, "/").await;
    assert_eq!(twin["open"]["transactions"].as_array().unwrap().len(), 2);
    assert!(html.contains("Accounts from the start") && html.contains(&holder));
    done(&server, "ledger_accept", json!({}));

    let (html, twin) = page(&server, "/").await;
    assert_eq!(
        (&twin["ledger_index"], &twin["ledgers"][0]["transactions"]),
        (&json!(9), &json!(2))
    );
    assert!(html.contains("href=\"/ledgers/9\""));
    let (html, twin) = page(&server, "/ledgers/9").await;
    assert_eq!(twin["transactions"].as_array().unwrap().len(), 2);
    assert!(html.contains(&format!("/transactions/{paid}")) && html.contains("/ledgers/8"));

    let (html, twin) = page(&server, &format!("/transactions/{paid}")).await;
    let words = &twin["words"];
    assert_eq!(words["summary"], format!("{issuer} pays {holder} 5 XRP."));
    assert_eq!(words["outcome"], "It succeeded and delivered 5 XRP.");
    let of_holder = words["effects"].as_array().unwrap().iter();
    let mut of_holder =
        of_holder.filter(|effect| effect["words"].as_str().unwrap().contains(&holder));
    let effect = of_holder.next().unwrap();
    assert_eq!(effect["words"], format!("Account root of {holder} is changed"));
    let change =
        effect["changes"].as_array().unwrap().iter().find(|c| c["field"] == "Balance").unwrap();
    assert!(change["to"].as_str().unwrap().starts_with("10004.99"), "{change}");
    assert!(
        html.contains("It succeeded and delivered 5 XRP")
            && html.contains(&format!("/accounts/{holder}"))
    );
    assert_eq!(twin["tx_json"]["Amount"], "5000000");
    let (_, twin) = page(&server, &format!("/transactions/{failed}")).await;
    let outcome = twin["words"]["outcome"].as_str().unwrap();
    assert!(
        outcome.starts_with("It did nothing but cost its fee: ") && outcome.contains("tec"),
        "{outcome}"
    );

    let (html, twin) = page(&server, &format!("/accounts/{holder}")).await;
    assert_eq!(twin["lines"][0]["balance"], "12.5");
    assert_eq!(twin["nfts"].as_array().unwrap().len(), 1);
    let owned: Vec<_> = twin["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| o["LedgerEntryType"].as_str().unwrap())
        .collect();
    assert!(owned.contains(&"Offer") && owned.contains(&"RippleState"), "{owned:?}");
    assert!(twin["transactions"].as_array().unwrap().len() >= 5);
    assert!(html.contains("Trust lines") && html.contains("12.5"));
    let offer = twin["objects"]
        .as_array()
        .unwrap()
        .iter()
        .find(|o| o["LedgerEntryType"] == "Offer")
        .unwrap();
    let id = offer["index"].as_str().unwrap();
    let (html, twin) = page(&server, &format!("/entries/{id}")).await;
    assert_eq!(twin["entry"], *offer);
    assert!(html.contains("TakerGets"));

    let (html, twin) = page(&server, "/books").await;
    let book = &twin["books"][0];
    assert_eq!(
        *book,
        json!({"taker_pays": "XRP", "taker_gets": format!("USD+{issuer}"), "offers": 1})
    );
    let path = format!("/books/XRP/USD+{issuer}");
    assert!(html.contains(&path));
    let (html, twin) = page(&server, &path).await;
    assert_eq!(twin["offers"][0]["Account"], holder.as_str());
    assert!(html.contains("2 USD") && html.contains("5 XRP"));
    assert_eq!(page(&server, "/pools").await.1["pools"], json!([]));

    for (asked, found) in [
        ("9", "/ledgers/9".to_owned()),
        (&holder, format!("/accounts/{holder}")),
        (&paid, format!("/transactions/{paid}")),
        (id, format!("/entries/{id}")),
        ("a%20word", "/nothing-of-that-name".to_owned()),
    ] {
        let (status, head, _) = get(&server, &format!("/search?q={asked}")).await;
        assert!(
            status == 303 && head.contains(&format!("location: {}\r\n", found.to_lowercase())),
            "{head}"
        );
    }
    for path in [
        "/nothing",
        "/ledgers/99",
        "/ledgers/x",
        "/accounts/nobody",
        "/transactions/00",
        "/books/a/b/c",
    ] {
        let (status, _, html) = get(&server, path).await;
        assert!(status == 404 && html.contains("nothing of that name"), "{path}");
        let (status, _, twin) = get(&server, &format!("{path}.json")).await;
        assert!(status == 404 && twin.contains("\"nothing\""), "{path}");
    }
    for (path, kind) in
        [("style.css", "text/css"), ("live.js", "text/javascript"), ("icon.svg", "image/svg+xml")]
    {
        let (status, head, _) = get(&server, &format!("/explorer/{path}")).await;
        assert!(status == 200 && head.contains(kind), "{head}");
    }
    server.shutdown().await;
    // Where there is none, GET is what it is to xrpld.
    let server =
        Standalone::start(xrpl_standalone::StandaloneConfig { explorer: false, ..config() })
            .await
            .unwrap();
    assert_eq!(get(&server, "/").await.0, 400);
    server.shutdown().await;
}

/// Programs look with HEAD whether something is there.
#[tokio::test]
async fn a_head_is_answered_as_a_get_without_its_body() {
    let server = Standalone::start(config()).await.unwrap();
    for (path, expected) in [("/", 200), ("/books.json", 200), ("/ledgers/99", 404)] {
        let ask = async |method: &str| {
            http(&server, &format!("{method} {path}"), "Host: localhost\r\n", "").await
        };
        let (status, head, body) = ask("HEAD").await;
        assert_eq!((status, body), (expected, Json::Null), "{path}");
        let length = |head: &str| {
            let line = head.lines().find(|line| line.starts_with("content-length")).unwrap();
            line.to_owned()
        };
        assert_eq!(length(&head), length(&ask("GET").await.1));
    }
    server.shutdown().await;
}
