//! Pages for people, made from their JSON.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::{text, words};

/// Text within a page.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}

fn link(path: &str, name: &str) -> String {
    format!("<a class=\"mono\" href=\"{}\">{}</a>", escaped(path), escaped(name))
}

fn is_address(word: &str) -> bool {
    word.starts_with('r') && word.len() > 24 && word.parse::<xrpl_protocol::AccountId>().is_ok()
}

/// A sentence whose addresses lead to their pages.
fn sentence(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let bare = word.trim_end_matches(['.', ',', ';']);
        match is_address(bare) {
            true => link(&format!("/accounts/{bare}"), bare) + &escaped(&word[bare.len()..]),
            false => escaped(word),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A value: an address or a hash leads to its page.
fn value(json: &Json) -> String {
    match json {
        Json::String(text) if is_address(text) => link(&format!("/accounts/{text}"), text),
        Json::String(text) => format!("<span class=\"mono\">{}</span>", escaped(text)),
        Json::Null => "<span class=\"quiet\">-</span>".into(),
        Json::Object(members)
            if members.contains_key("value")
                && (members.contains_key("currency")
                    || members.contains_key("mpt_issuance_id")) =>
        {
            let issuer = match text(json, "issuer") {
                "" => String::new(),
                issuer => format!(" {}", link(&format!("/accounts/{issuer}"), issuer)),
            };
            escaped(&words::amount(json)) + &issuer
        }
        other => format!("<span class=\"mono\">{}</span>", escaped(&other.to_string())),
    }
}

fn section(out: &mut String, title: &str, body: &str) {
    let id = title.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let _ = write!(
        out,
        "<section aria-labelledby=\"{id}\"><h2 id=\"{id}\">{}</h2>{body}</section>",
        escaped(title)
    );
}

/// A table; a cell is HTML already.
fn table(heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return "<p class=\"hint\">None.</p>".into();
    }
    let mut out = String::from("<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>");
    for head in heads {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escaped(head));
    }
    out.push_str("</tr></thead><tbody>");
    for row in rows {
        out.push_str("<tr>");
        for cell in row {
            let _ = write!(out, "<td>{cell}</td>");
        }
        out.push_str("</tr>");
    }
    out + "</tbody></table></div>"
}

/// The members of an object as a table.
fn fields(json: &Json) -> String {
    let members = json.as_object().into_iter().flatten();
    table(&["Field", "Value"], members.map(|(name, json)| vec![escaped(name), value(json)]))
}

fn rows<'a>(page: &'a Json, list: &str) -> impl Iterator<Item = &'a Json> {
    page[list].as_array().into_iter().flatten()
}

fn plain(json: &Json) -> String {
    match json {
        Json::String(text) => escaped(text),
        other => escaped(&other.to_string()),
    }
}

fn transaction_row(tx: &Json) -> Vec<String> {
    let hash = text(tx, "hash");
    vec![
        link(&format!("/transactions/{hash}"), &format!("{}…", hash.get(..12).unwrap_or(hash))),
        plain(&tx["type"]),
        result(text(tx, "result")),
        sentence(text(tx, "summary")),
    ]
}

fn result(name: &str) -> String {
    let class = if name == "tesSUCCESS" { "good" } else { "bad" };
    match name {
        "" => "<span class=\"quiet\">open</span>".into(),
        name => format!("<span class=\"{class}\">{}</span>", escaped(name)),
    }
}

const TRANSACTION: [&str; 4] = ["Transaction", "Type", "Result", "What it says"];

fn body(page: &Json) -> (String, String) {
    let mut out = String::new();
    let title = match text(page, "page") {
        "ledgers" => {
            let ledgers = rows(page, "ledgers").map(|ledger| {
                let index = ledger["ledger_index"].to_string();
                vec![
                    link(&format!("/ledgers/{index}"), &index),
                    plain(&ledger["close_time_iso"]),
                    plain(&ledger["transactions"]),
                    value(&ledger["ledger_hash"]),
                ]
            });
            let heads = ["Ledger", "Closed", "Transactions", "Hash"];
            section(&mut out, "Newest ledgers", &table(&heads, ledgers));
            let open = rows(&page["open"], "transactions").map(transaction_row);
            section(&mut out, "Open ledger", &table(&TRANSACTION, open));
            let accounts = rows(page, "accounts")
                .map(|account| vec![value(&account["address"]), plain(&account["balance"])]);
            section(&mut out, "Accounts from the start", &table(&["Account", "Balance"], accounts));
            "Ledgers".to_owned()
        }
        "ledger" => {
            let index = page["ledger_index"].as_u64().unwrap_or_default();
            let around = format!(
                "<p>{} {}</p>",
                link(&format!("/ledgers/{}", index.saturating_sub(1)), "the one before"),
                link(&format!("/ledgers/{}", index + 1), "the next one")
            );
            let mut header = page.clone();
            if let Some(members) = header.as_object_mut() {
                members.remove("transactions");
                members.remove("page");
            }
            section(&mut out, "Header", &(around + &fields(&header)));
            let list = table(&TRANSACTION, rows(page, "transactions").map(transaction_row));
            section(&mut out, "Transactions", &list);
            format!("Ledger {index}")
        }
        "transaction" => {
            let said = &page["words"];
            let mut story = format!("<p>{}</p>", sentence(text(said, "summary")));
            let _ = write!(story, "<p>{}</p>", sentence(text(said, "outcome")));
            if let Some(index) = page["ledger_index"].as_u64() {
                let _ = write!(
                    story,
                    "<p>In ledger {}, which closed at {}. Result: {}</p>",
                    link(&format!("/ledgers/{index}"), &index.to_string()),
                    plain(&page["close_time_iso"]),
                    result(text(page, "result"))
                );
            }
            section(&mut out, "In words", &story);
            let mut effects = String::new();
            for effect in rows(said, "effects") {
                let id = text(effect, "id");
                let _ = write!(
                    effects,
                    "<h3>{} {}</h3>",
                    sentence(text(effect, "words")),
                    link(&format!("/entries/{id}"), &format!("{}…", id.get(..8).unwrap_or(id)))
                );
                let changes = rows(effect, "changes").map(|change| {
                    vec![plain(&change["field"]), value(&change["from"]), value(&change["to"])]
                });
                effects += &table(&["Field", "Before", "After"], changes);
            }
            section(&mut out, "What it did", &effects);
            section(&mut out, "The transaction", &fields(&page["tx_json"]));
            format!("Transaction {}…", text(page, "hash").get(..12).unwrap_or_default())
        }
        "account" => {
            section(&mut out, "Account", &fields(&page["account_data"]));
            let lines = rows(page, "lines").map(|line| {
                ["account", "currency", "balance", "limit", "limit_peer"]
                    .map(|key| value(&line[key]))
                    .to_vec()
            });
            let heads = ["With", "Currency", "Balance", "Limit", "Its limit"];
            section(&mut out, "Trust lines", &table(&heads, lines));
            let objects = rows(page, "objects").map(|object| {
                let id = text(object, "index");
                vec![
                    link(&format!("/entries/{id}"), &format!("{}…", id.get(..12).unwrap_or(id))),
                    plain(&object["LedgerEntryType"]),
                ]
            });
            section(&mut out, "Owned", &table(&["Entry", "Type"], objects));
            let nfts = rows(page, "nfts").map(|nft| {
                ["NFTokenID", "Issuer", "NFTokenTaxon"].map(|k| value(&nft[k])).to_vec()
            });
            section(&mut out, "NFTs", &table(&["NFT", "Issuer", "Taxon"], nfts));
            let list = table(&TRANSACTION, rows(page, "transactions").map(transaction_row));
            section(&mut out, "Transactions", &list);
            format!("Account {}", text(page, "account"))
        }
        "entry" => {
            section(&mut out, "Entry", &fields(&page["entry"]));
            let kind = text(&page["entry"], "LedgerEntryType");
            format!("{kind} {}…", text(page, "id").get(..12).unwrap_or_default())
        }
        "books" => {
            let books = rows(page, "books").map(|book| {
                let (pays, gets) = (text(book, "taker_pays"), text(book, "taker_gets"));
                let name = format!("{gets} for {pays}");
                vec![link(&format!("/books/{pays}/{gets}"), &name), plain(&book["offers"])]
            });
            section(&mut out, "Order books", &table(&["Book", "Offers"], books));
            "Books".into()
        }
        "book" => {
            let offers = rows(page, "offers").map(|offer| {
                vec![
                    value(&offer["Account"]),
                    escaped(&words::amount(&offer["TakerGets"])),
                    escaped(&words::amount(&offer["TakerPays"])),
                    value(&offer["quality"]),
                ]
            });
            let heads = ["Owner", "Gives", "Wants", "Quality"];
            section(&mut out, "Offers, best first", &table(&heads, offers));
            format!("{} for {}", text(page, "taker_gets"), text(page, "taker_pays"))
        }
        "pools" => {
            let pools = rows(page, "pools").map(|pool| {
                vec![
                    value(&pool["account"]),
                    escaped(&words::amount(&pool["amount"])),
                    escaped(&words::amount(&pool["amount2"])),
                    value(&pool["lp_token"]),
                    plain(&pool["trading_fee"]),
                ]
            });
            let heads = ["Pool", "Holds", "And", "Shares", "Fee, 1/100000"];
            section(&mut out, "Pools", &table(&heads, pools));
            "Pools".into()
        }
        _ => {
            section(&mut out, "Not here", "<p>This ledger has nothing of that name.</p>");
            "Nothing".into()
        }
    };
    if let Some(partial) = page["partial"].as_str() {
        out += &format!("<p>{}</p>", escaped(partial));
    }
    (title, out)
}

/// A whole document.
pub(super) fn document(path: &str, page: &Json) -> String {
    let (title, body) = body(page);
    let title = escaped(&title);
    let twin = if path == "/" { "/index.json".into() } else { format!("{}.json", escaped(path)) };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <link rel=\"icon\" href=\"/explorer/icon.svg\" type=\"image/svg+xml\">\n\
         <link rel=\"stylesheet\" href=\"/explorer/style.css\">\n\
         <link rel=\"alternate\" type=\"application/json\" href=\"{twin}\">\n\
         <script src=\"/explorer/live.js\" type=\"module\"></script>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">Skip to the page</a>\n<header>\n<h1>{title}</h1>\n\
         <p id=\"where\"><span id=\"live\" class=\"pill\">ledger</span></p>\n\
         <nav aria-label=\"Pages\"><a href=\"/\">Ledgers</a><a href=\"/books\">Books</a>\
         <a href=\"/pools\">Pools</a><a href=\"{twin}\">JSON</a></nav>\n\
         <form action=\"/search\" role=\"search\"><label for=\"q\">Find</label> \
         <input id=\"q\" name=\"q\" type=\"search\" placeholder=\"address, hash or ledger\">\
         <button>Go</button></form>\n</header>\n<main id=\"main\">{body}</main>\n</body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_others_wrote_is_text() {
        let page = json!({"page": "entry", "id": "<b>", "entry": {"<i>": "<script>'\"&"}});
        let document = document("/entries/<b>", &page);
        assert!(document.contains("&lt;script&gt;&#39;&quot;&amp;"));
        for tag in ["<b>", "<i>", "<script>"] {
            assert!(!document.contains(tag), "{tag}");
        }
        let address = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";
        assert!(sentence(&format!("to {address}.")).contains(&format!("/accounts/{address}\">")));
    }
}
