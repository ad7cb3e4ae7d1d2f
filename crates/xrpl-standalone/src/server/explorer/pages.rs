//! What each page shows, as JSON.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{AccountId, Definitions, Hash256, Object, TxHash, Value, fields};

use super::{text, words};
use crate::{
    ledger::{ClosedLedger, Entry, LedgerTransaction, ReadView as _, entry_type},
    node::TransactionStatus,
    rpc::{self, Role, entry_json, iso_time, metadata_with_ids},
    server::Shared,
};

/// Ledgers on the first page, and rows of lists that could be of any length.
const LEDGERS: u32 = 20;
const ROWS: usize = 200;

/// What a method answers.
fn ask(shared: &Shared, method: &str, params: Json) -> Option<Json> {
    let params = params.as_object().cloned().unwrap_or_default();
    rpc::handle(shared, method, &params, Role::Guest).ok().map(Json::Object)
}

/// The page of a path; none if there is nothing.
pub(super) fn page(shared: &Shared, path: &str) -> Option<Json> {
    let mut parts = path.trim_matches('/').split('/');
    let parts = [parts.next(), parts.next(), parts.next(), parts.next()];
    match parts {
        [Some(""), None, ..] => Some(ledgers(shared)),
        [Some("ledgers"), Some(index), None, _] => ledger(shared, index.parse().ok()?),
        [Some("transactions"), Some(hash), None, _] => transaction(shared, hash.parse().ok()?),
        [Some("accounts"), Some(address), None, _] => account(shared, address.parse().ok()?),
        [Some("entries"), Some(id), None, _] => entry(shared, id.parse().ok()?),
        [Some("books"), None, ..] => Some(books(shared)),
        [Some("books"), Some(pays), Some(gets), None] => book(shared, pays, gets),
        [Some("pools"), None, ..] => Some(pools(shared)),
        _ => None,
    }
}

/// Where what somebody searches for is.
pub(super) fn found(shared: &Shared, term: &str) -> String {
    if let Ok(index) = term.parse::<u32>() {
        return format!("/ledgers/{index}");
    }
    if let Ok((account, _)) = AccountId::parse_with_tag(term) {
        return format!("/accounts/{account}");
    }
    if let Ok(id) = term.parse::<Hash256>() {
        let node = shared.node();
        if let Some(ledger) = node.ledger_by_hash(&id) {
            return format!("/ledgers/{}", ledger.header.index);
        }
        return match node.transaction(&TxHash::from(id)) {
            Some(_) => format!("/transactions/{id}"),
            None => format!("/entries/{id}"),
        };
    }
    "/nothing-of-that-name".into()
}

/// A validated transaction as a row.
fn row(transaction: &LedgerTransaction) -> Json {
    let tx = transaction.read().tx.object.to_json(Definitions::builtin());
    json!({
        "hash": transaction.hash().to_string(),
        "type": text(&tx, "TransactionType"),
        "account": text(&tx, "Account"),
        "result": transaction.result.name(),
        "summary": words::intent(&tx),
    })
}

fn ledgers(shared: &Shared) -> Json {
    let node = shared.node();
    let (oldest, newest) = node.range();
    let all = (oldest.max(newest.saturating_sub(LEDGERS - 1))..=newest).rev();
    let all = all.filter_map(|index| node.ledger(index)).map(|ledger| {
        json!({
            "ledger_index": ledger.header.index,
            "ledger_hash": ledger.header.hash.to_string(),
            "close_time_iso": iso_time(ledger.header.close_time),
            "transactions": ledger.transactions.len(),
        })
    });
    let open = node.current().transactions().into_iter().map(|tx| {
        let shown = tx.object.to_json(Definitions::builtin());
        json!({
            "hash": tx.hash.to_string(),
            "type": text(&shown, "TransactionType"),
            "account": text(&shown, "Account"),
            "summary": words::intent(&shown),
        })
    });
    let accounts = shared.accounts.iter().take(ROWS).map(|account| {
        let root = node.closed().account(account.address);
        let balance = root.and_then(|root| root.amount(fields::BALANCE)?.drops());
        json!({
            "address": account.address.to_string(),
            "balance": balance.map(|drops| words::xrp(&drops.to_string())),
        })
    });
    json!({
        "page": "ledgers",
        "network_id": node.network_id(),
        "ledger_index": newest,
        "open": {"ledger_index": node.current_index(), "transactions": open.collect::<Vec<_>>()},
        "ledgers": all.collect::<Vec<_>>(),
        "accounts": accounts.collect::<Vec<_>>(),
    })
}

fn ledger(shared: &Shared, index: u32) -> Option<Json> {
    let ledger = shared.node().ledger(index).cloned()?;
    let header = &ledger.header;
    Some(json!({
        "page": "ledger",
        "ledger_index": index,
        "ledger_hash": header.hash.to_string(),
        "parent_hash": header.parent_hash.to_string(),
        "close_time_iso": iso_time(header.close_time),
        "total_coins": header.total_coins.to_string(),
        "account_hash": header.account_hash.to_string(),
        "transaction_hash": header.transaction_hash.to_string(),
        "transactions": ledger.transactions.iter().map(|tx| row(tx)).collect::<Vec<_>>(),
    }))
}

fn transaction(shared: &Shared, hash: TxHash) -> Option<Json> {
    let found = shared.node().transaction(&hash)?;
    Some(match found {
        TransactionStatus::Validated { ledger, transaction } => {
            let meta = metadata_with_ids(&transaction);
            json!({
                "page": "transaction",
                "hash": hash.to_string(),
                "validated": true,
                "ledger_index": ledger.header.index,
                "close_time_iso": iso_time(ledger.header.close_time),
                "result": transaction.result.name(),
                "words": words::of(&transaction, &meta),
                "tx_json": transaction.read().tx.object.to_json(Definitions::builtin()),
                "meta": meta,
            })
        }
        TransactionStatus::Seen { tx, result } => json!({
            "page": "transaction",
            "hash": hash.to_string(),
            "validated": false,
            "result": result.name(),
            "words": words::pending(&tx.object),
            "tx_json": tx.object.to_json(Definitions::builtin()),
        }),
    })
}

/// Everything of a list that comes in pages, up to a bound, where it is `cut`.
fn all(
    shared: &Shared,
    (method, list): (&str, &str),
    mut params: Json,
    cut: &mut bool,
) -> Vec<Json> {
    let mut rows = Vec::new();
    loop {
        let Some(mut page) = ask(shared, method, params.clone()) else { return rows };
        if let Some(Json::Array(more)) = page.get_mut(list) {
            rows.append(more);
        }
        match page.get("marker") {
            Some(marker) if rows.len() < ROWS => params["marker"] = marker.clone(),
            marker => {
                *cut |= marker.is_some();
                return rows;
            }
        }
    }
}

fn account(shared: &Shared, account: AccountId) -> Option<Json> {
    let of = |more: Json| {
        let mut params = json!({
            "account": account.to_string(), "ledger_index": "validated", "api_version": 2,
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            params[key] = value.clone();
        }
        params
    };
    let info = ask(shared, "account_info", of(json!({})))?;
    let mut history = of(json!({"limit": 50}));
    if let Some(members) = history.as_object_mut() {
        members.remove("ledger_index");
    }
    let transactions = ask(shared, "account_tx", history).unwrap_or_default();
    let transactions = transactions["transactions"].as_array().into_iter().flatten().map(|tx| {
        json!({
            "hash": tx["hash"],
            "ledger_index": tx["ledger_index"],
            "type": tx["tx_json"]["TransactionType"],
            "account": tx["tx_json"]["Account"],
            "result": tx["meta"]["TransactionResult"],
            "summary": words::intent(&tx["tx_json"]),
        })
    });
    let mut cut = false;
    let [lines, nfts, objects] = [
        ("account_lines", "lines"),
        ("account_nfts", "account_nfts"),
        ("account_objects", "account_objects"),
    ]
    .map(|list| all(shared, list, of(json!({})), &mut cut));
    Some(json!({
        "page": "account",
        "account": account.to_string(),
        "account_data": info["account_data"],
        "account_flags": info["account_flags"],
        "lines": lines,
        "nfts": nfts,
        "objects": objects,
        "transactions": transactions.collect::<Vec<_>>(),
        "partial": cut.then_some("It owns more than is shown: account_objects lists all."),
    }))
}

fn entry(shared: &Shared, id: Hash256) -> Option<Json> {
    let ledger = newest(shared);
    let entry = ledger.state.get(&id)?;
    Some(json!({
        "page": "entry",
        "id": id.to_string(),
        "ledger_index": ledger.header.index,
        "entry": entry_json(&id, &entry),
    }))
}

fn newest(shared: &Shared) -> Arc<ClosedLedger> {
    Arc::clone(shared.node().closed())
}

/// Why a list is not all there is; nothing if it is.
fn partial(ledger: &ClosedLedger, rows: usize) -> Json {
    match ledger.state.origin() {
        Some(_) => "Of a fork only those are here that something touched.".into(),
        None if rows > ROWS => format!("These are the first {ROWS} of {rows}.").into(),
        None => Json::Null,
    }
}

/// Entries of a type.
fn of_type(ledger: &ClosedLedger, kind: u16) -> impl Iterator<Item = (&Hash256, &Entry)> {
    ledger.state.iter().filter(move |(_, entry)| entry_type::of(entry) == kind)
}

/// One side of a book as a path has it: `XRP`, or `CODE+ISSUER`.
fn side(
    entry: &Object,
    currency: xrpl_protocol::Field,
    issuer: xrpl_protocol::Field,
) -> Option<String> {
    let bytes = |field| match entry.get(field) {
        Some(Value::Hash160(bytes)) => Some(*bytes),
        _ => None,
    };
    let (currency, issuer) = (bytes(currency)?, bytes(issuer)?);
    Some(match currency == [0; 20] {
        true => "XRP".to_owned(),
        false => format!("{}+{}", xrpl_protocol::Currency(currency), AccountId(issuer)),
    })
}

fn books(shared: &Shared) -> Json {
    let ledger = newest(shared);
    let mut found: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (_, page) in of_type(&ledger, entry_type::DIRECTORY_NODE) {
        let sides = (
            side(page, fields::TAKER_PAYS_CURRENCY, fields::TAKER_PAYS_ISSUER),
            side(page, fields::TAKER_GETS_CURRENCY, fields::TAKER_GETS_ISSUER),
        );
        if let (Some(pays), Some(gets)) = sides
            && page.contains(fields::EXCHANGE_RATE)
        {
            let offers = page.vector256(fields::INDEXES).unwrap_or_default().len();
            *found.entry((pays, gets)).or_default() += offers;
        }
    }
    found.retain(|_, offers| *offers > 0);
    let partial = partial(&ledger, found.len());
    let all = found.into_iter().take(ROWS).map(
        |((pays, gets), offers)| json!({"taker_pays": pays, "taker_gets": gets, "offers": offers}),
    );
    json!({
        "page": "books",
        "ledger_index": ledger.header.index,
        "books": all.collect::<Vec<_>>(),
        "partial": partial,
    })
}

fn book(shared: &Shared, pays: &str, gets: &str) -> Option<Json> {
    let side = |text: &str| match text.split_once('+') {
        None => json!({"currency": text}),
        Some((currency, issuer)) => json!({"currency": currency, "issuer": issuer}),
    };
    let params = json!({
        "taker_pays": side(pays), "taker_gets": side(gets), "ledger_index": "validated",
        "limit": ROWS,
    });
    let offers = ask(shared, "book_offers", params)?;
    Some(json!({
        "page": "book",
        "taker_pays": pays,
        "taker_gets": gets,
        "ledger_index": offers["ledger_index"],
        "offers": offers["offers"],
    }))
}

fn pools(shared: &Shared) -> Json {
    let ledger = newest(shared);
    let found = of_type(&ledger, entry_type::AMM).take(ROWS).filter_map(|(_, entry)| {
        let account = entry.account(fields::ACCOUNT)?.to_string();
        let params = json!({"amm_account": account, "ledger_index": "validated"});
        let info = ask(shared, "amm_info", params)?;
        let amm = info["amm"].as_object().cloned().unwrap_or_else(Map::new);
        Some(Json::Object(amm))
    });
    let pools = found.collect::<Vec<_>>();
    let partial = partial(&ledger, of_type(&ledger, entry_type::AMM).count());
    json!({
        "page": "pools", "ledger_index": ledger.header.index, "pools": pools, "partial": partial,
    })
}
