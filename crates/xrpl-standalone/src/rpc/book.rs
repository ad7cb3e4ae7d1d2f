//! Order books, and methods about entries of types that this ledger does not build yet: they answer
//! as xrpld does where there are none.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{AccountId, Amount, Currency, Hash256, Issue, IssuedValue, fields, object_id};

use super::{
    Answer, Call, Looked, RpcError, entry_json, object,
    owned::{quality, side},
};
use crate::ledger::{Entry, entry_type, helpers::credentials};

pub(super) fn book_offers(call: &Call<'_>) -> Answer {
    let looked = call.ledger(&call.shared.node())?;
    let asset = |key: &'static str| -> Result<&Map<String, Json>, RpcError> {
        let json = call.params.get(key).ok_or_else(|| RpcError::missing(key))?;
        json.as_object().ok_or_else(|| RpcError::not(key, "object"))
    };
    let (pays, gets) = (asset("taker_pays")?, asset("taker_gets")?);
    let pays_currency = currency(pays, "taker_pays", ("srcCurMalformed", 69))?;
    let gets_currency = currency(gets, "taker_gets", ("dstAmtMalformed", 51))?;
    let pays = issue(pays, pays_currency, "taker_pays", ("srcIsrMalformed", 70))?;
    let gets = issue(gets, gets_currency, "taker_gets", ("dstIsrMalformed", 53))?;
    if call.params.contains_key("taker") {
        call.account("taker").map_err(|_| RpcError::invalid_field("taker"))?;
    }
    if pays == gets {
        return Err(RpcError::new("badMarket", 42, "No such market."));
    }
    let mut answer = object(json!({"offers": offers(&looked, pays, gets, call.limit(60)?)}));
    looked.describe(&mut answer);
    Ok(answer)
}

/// A side of an order book: what a taker pays and what it gets.
pub(crate) type Book = (Issue, Issue);

/// The book that an element of `books` in `subscribe` names.
pub(crate) fn book_of(json: &Json) -> Result<Book, RpcError> {
    let invalid = || RpcError::invalid("Invalid parameters.");
    let side = |key: &str| json.get(key).and_then(Json::as_object).ok_or_else(invalid);
    let (pays, gets) = (side("taker_pays")?, side("taker_gets")?);
    let pays_currency = currency(pays, "taker_pays", ("srcCurMalformed", 69))?;
    let gets_currency = currency(gets, "taker_gets", ("dstAmtMalformed", 51))?;
    let pays = issue(pays, pays_currency, "taker_pays", ("srcIsrMalformed", 70))?;
    let gets = issue(gets, gets_currency, "taker_gets", ("dstIsrMalformed", 53))?;
    match pays == gets {
        true => Err(RpcError::new("badMarket", 42, "No such market.")),
        false => Ok((pays, gets)),
    }
}

/// What `subscribe` shows of the books that want a snapshot.
pub(crate) fn snapshots(looked: &Looked, params: &Map<String, Json>) -> Map<String, Json> {
    let mut shown = Map::new();
    for book in params.get("books").and_then(Json::as_array).into_iter().flatten() {
        let flag = |key: &str| book.get(key) == Some(&Json::Bool(true));
        let (Ok((pays, gets)), true) = (book_of(book), flag("snapshot")) else { continue };
        let side = |pays, gets| offers(looked, pays, gets, 60).into();
        if flag("both") {
            shown.insert("bids".into(), side(pays, gets));
            shown.insert("asks".into(), side(gets, pays));
        } else {
            shown.insert("offers".into(), side(pays, gets));
        }
    }
    shown
}

/// The books whose offers a transaction changed. xrpld names them by what the offers give, so that
/// who subscribes to a book hears of the other side than its snapshot shows.
pub(crate) fn touched_books(transaction: &crate::ledger::LedgerTransaction) -> Vec<Book> {
    let mut books: Vec<Book> = Vec::new();
    let read = transaction.read();
    let nodes = read.metadata.array(fields::AFFECTED_NODES).unwrap_or_default();
    for (kind, node) in nodes {
        if node.u16(fields::LEDGER_ENTRY_TYPE) != Some(entry_type::OFFER) {
            continue;
        }
        let part = match *kind {
            fields::CREATED_NODE => fields::NEW_FIELDS,
            fields::MODIFIED_NODE => fields::PREVIOUS_FIELDS,
            _ => fields::FINAL_FIELDS,
        };
        let amount = |field| node.object(part)?.amount(field).map(|amount| amount.issue());
        if let (Some(gets), Some(pays)) = (amount(fields::TAKER_GETS), amount(fields::TAKER_PAYS))
            && !books.contains(&(gets, pays))
        {
            books.push((gets, pays));
        }
    }
    books
}

/// A book's offers with what their owners have.
fn offers(looked: &Looked, pays: Issue, gets: Issue, limit: usize) -> Vec<Json> {
    let mut offers = Vec::new();
    // A later offer of the same owner has what the earlier ones leave.
    let mut left: Vec<(AccountId, Amount)> = Vec::new();
    for (id, offer) in book(looked, pays, gets, limit) {
        let owner = offer.account(fields::ACCOUNT).unwrap_or_default();
        let mut shown = object(entry_json(&id, &offer));
        if let Some(directory) = offer.hash256(fields::BOOK_DIRECTORY) {
            shown.insert("quality".into(), quality(&directory).into());
        }
        let known = left.iter().position(|(other, _)| *other == owner);
        let funds = match known {
            Some(at) => left[at].1,
            None => {
                // Its own issuer never runs short.
                let own = matches!(gets, Issue::Issued { issuer, .. } if issuer == owner);
                let funds = match offer.amount(fields::TAKER_GETS).filter(|_| own) {
                    Some(all) => all,
                    None => funds(looked, owner, gets),
                };
                shown.insert("owner_funds".into(), text(&funds).into());
                funds
            }
        };
        if let (Some(gets), Some(pays)) =
            (offer.amount(fields::TAKER_GETS), offer.amount(fields::TAKER_PAYS))
        {
            let rest = less(&funds, &gets);
            if rest.is_none() {
                shown.insert("taker_gets_funded".into(), funds.to_json());
                if let Some(paid) = share(&pays, &funds, &gets) {
                    shown.insert("taker_pays_funded".into(), paid.to_json());
                }
            }
            let rest = rest.unwrap_or_else(|| nothing(&gets));
            match known {
                Some(at) => left[at].1 = rest,
                None => left.push((owner, rest)),
            }
        }
        offers.push(Json::from(shown));
    }
    offers
}

fn currency(
    side: &Map<String, Json>,
    name: &str,
    (token, code): (&'static str, i32),
) -> Result<Option<Currency>, RpcError> {
    let text = match side.get("currency") {
        None => return Err(RpcError::missing(&format!("{name}.currency"))),
        Some(Json::String(text)) => text,
        Some(_) => return Err(RpcError::not(&format!("{name}.currency"), "string")),
    };
    if text == "XRP" || text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| {
        RpcError::new(token, code, format!("Invalid field '{name}.currency', bad currency."))
    })
}

fn issue(
    side: &Map<String, Json>,
    currency: Option<Currency>,
    name: &str,
    (token, code): (&'static str, i32),
) -> Result<Issue, RpcError> {
    let malformed = |text: String| Err(RpcError::new(token, code, text));
    match (currency, side.get("issuer")) {
        (None, None) => Ok(Issue::Xrp),
        (None, Some(_)) => {
            malformed(format!("Unneeded field '{name}.issuer' for XRP currency specification."))
        }
        (Some(_), None) => {
            malformed(format!("Invalid field '{name}.issuer', expected non-XRP issuer."))
        }
        (Some(currency), Some(issuer)) => {
            let Some(text) = issuer.as_str() else {
                return Err(RpcError::not(&format!("{name}.issuer"), "string"));
            };
            match text.parse() {
                Ok(issuer) => Ok(Issue::Issued { currency, issuer }),
                Err(_) => malformed(format!("Invalid field '{name}.issuer', bad issuer.")),
            }
        }
    }
}

/// A book's offers, best first.
fn book(looked: &Looked, pays: Issue, gets: Issue, limit: usize) -> Vec<(Hash256, Entry)> {
    let first = object_id::book_dir(pays, gets, None, 0);
    let mut at = first;
    let mut offers = Vec::new();
    while let Some(id) = looked.view().succ(&at) {
        if id.0[..24] != first.0[..24] {
            break;
        }
        at = id;
        let mut page = 0;
        while let Some(node) = looked.view().read(&object_id::dir_page(id, page)) {
            for offer in node.vector256(fields::INDEXES).unwrap_or_default() {
                offers.extend(looked.view().read(offer).map(|entry| (*offer, entry)));
                if offers.len() >= limit {
                    return offers;
                }
            }
            page = node.u64(fields::INDEX_NEXT).unwrap_or(0);
            if page == 0 {
                break;
            }
        }
    }
    offers
}

/// What an owner has of what an offer gives.
fn funds(looked: &Looked, owner: AccountId, gives: Issue) -> Amount {
    match gives {
        Issue::Xrp => {
            let view = looked.view();
            let root = view.account(owner);
            let balance = root.as_deref().and_then(|root| match root.amount(fields::BALANCE) {
                Some(Amount::Xrp(drops)) => Some(drops),
                _ => None,
            });
            let owned = root.as_deref().and_then(|root| root.u32(fields::OWNER_COUNT)).unwrap_or(0);
            let fees = &view.info().fees;
            let reserve = fees.reserve + u64::from(owned) * fees.increment;
            Amount::Xrp((balance.unwrap_or(0) - reserve.cast_signed()).max(0))
        }
        Issue::Issued { currency, issuer } => {
            let line = looked.view().read(&object_id::trust_line(owner, issuer, currency));
            let value = line.and_then(|line| side(&line, owner)).map(|side| side.balance);
            let value = value.filter(|value| !value.is_negative()).unwrap_or(IssuedValue::ZERO);
            Amount::Issued { value, currency, issuer }
        }
        Issue::Mpt(_) => Amount::Xrp(0),
    }
}

fn text(amount: &Amount) -> String {
    match amount {
        Amount::Xrp(drops) => drops.to_string(),
        Amount::Issued { value, .. } => value.to_string(),
        Amount::Mpt { value, .. } => value.to_string(),
    }
}

fn nothing(like: &Amount) -> Amount {
    match *like {
        Amount::Issued { currency, issuer, .. } => {
            Amount::Issued { value: IssuedValue::ZERO, currency, issuer }
        }
        _ => Amount::Xrp(0),
    }
}

/// What is left of `funds` after `gets`; none if they do not cover it.
fn less(funds: &Amount, gets: &Amount) -> Option<Amount> {
    match (*funds, *gets) {
        (Amount::Xrp(have), Amount::Xrp(give)) => (have >= give).then(|| Amount::Xrp(have - give)),
        (Amount::Issued { value: have, .. }, Amount::Issued { value: give, currency, issuer }) => {
            let rest = have.sub(give).ok().filter(|rest| !rest.is_negative())?;
            Some(Amount::Issued { value: rest, currency, issuer })
        }
        _ => None,
    }
}

/// The part of `pays` that stands against `funds` of `gets`.
fn share(pays: &Amount, funds: &Amount, gets: &Amount) -> Option<Amount> {
    let part = pays.decimal() * funds.decimal() / gets.decimal();
    Amount::from_decimal(pays.issue(), part).ok()
}

/// No transaction that changes a book is built yet, so that no ledger has changes.
pub(super) fn book_changes(call: &Call<'_>) -> Answer {
    match call.ledger(&call.shared.node())? {
        Looked::Open(_) => Err(RpcError::new("lgrNotFound", 21, "ledgerNotFound")),
        Looked::Closed(ledger) => Ok(book_changes_of(&ledger)),
    }
}

/// What the stream `book_changes` and the method of that name say of a ledger.
pub(crate) fn book_changes_of(ledger: &crate::ledger::ClosedLedger) -> Map<String, Json> {
    object(json!({
        "changes": [],
        "ledger_hash": ledger.header.hash.to_string(),
        "ledger_index": ledger.header.index,
        "ledger_time": ledger.header.close_time,
        "type": "bookChanges",
        "validated": true,
    }))
}

fn not_built() -> RpcError {
    RpcError::new("notImpl", 74, "Not implemented.")
}

pub(super) fn vault_info(call: &Call<'_>) -> Answer {
    let looked = call.ledger(&call.shared.node())?;
    let id = match (call.params.get("vault_id"), call.params.get("owner"), call.params.get("seq")) {
        (Some(id), None, None) => id.as_str().and_then(|id| id.parse().ok()),
        (None, Some(owner), Some(seq)) => owner
            .as_str()
            .and_then(|owner| owner.parse().ok())
            .zip(seq.as_u64().and_then(|seq| u32::try_from(seq).ok()))
            .map(|(owner, seq)| object_id::vault(owner, seq)),
        _ => None,
    };
    let malformed = || RpcError::new("malformedRequest", 31, "Invalid parameters.");
    let id = id.ok_or_else(|| malformed().in_ledger(&looked))?;
    match looked.view().read(&id) {
        None => Err(RpcError::new("entryNotFound", 98, "Entry not found.").in_ledger(&looked)),
        Some(_) => Err(not_built()),
    }
}

pub(super) fn deposit_authorized(call: &Call<'_>) -> Answer {
    let account = |key: &'static str| match call.params.get(key) {
        None => Err(RpcError::missing(key)),
        Some(Json::String(_)) => call.account(key),
        Some(_) => Err(RpcError::not(key, "a string")),
    };
    let (source, destination) = (account("source_account")?, account("destination_account")?);
    let looked = call.ledger(&call.shared.node())?;
    if looked.view().account(source).is_none() {
        let error = RpcError::new("srcActNotFound", 67, "Source account not found.");
        return Err(error.in_ledger(&looked));
    }
    let Some(root) = looked.view().account(destination) else {
        let error = RpcError::new("dstActNotFound", 50, "Destination account not found.");
        return Err(error.in_ledger(&looked));
    };
    let presented = presented(call, &looked, source)?;
    let asks = root.u32(fields::FLAGS).unwrap_or(0) & 0x0100_0000 != 0;
    let there = |id: Hash256| looked.view().exists(&id);
    let authorized = !asks
        || source == destination
        || there(object_id::deposit_preauth(destination, source))
        || presented.is_some_and(|credentials| {
            there(object_id::deposit_preauth_credentials(destination, &credentials))
        });
    let mut answer = object(json!({
        "deposit_authorized": authorized,
        "destination_account": destination.to_string(),
        "source_account": source.to_string(),
    }));
    if let Some(credentials) = call.params.get("credentials") {
        answer.insert("credentials".into(), credentials.clone());
    }
    looked.describe(&mut answer);
    Ok(answer)
}

/// Issuers and types of credentials.
type Presented = BTreeSet<(AccountId, Vec<u8>)>;

/// The credentials that a request presents, which must be the subject's.
fn presented(
    call: &Call<'_>,
    looked: &Looked,
    subject: AccountId,
) -> Result<Option<Presented>, RpcError> {
    let not = |what| RpcError::not("credentials", what);
    let bad = |text: &str| RpcError::new("badCredentials", 95, text).in_ledger(looked);
    let Some(json) = call.params.get("credentials") else { return Ok(None) };
    let ids = json.as_array().filter(|ids| !ids.is_empty());
    let ids = ids.ok_or_else(|| not("is non-empty array of CredentialID(hash256)"))?;
    if ids.len() > credentials::MAX_PRESENTED {
        return Err(not("array too long"));
    }
    let mut pairs = BTreeSet::new();
    for id in ids {
        let id: Option<Hash256> = id.as_str().and_then(|id| id.parse().ok());
        let id = id.ok_or_else(|| not("an array of CredentialID(hash256)"))?;
        let found =
            looked.view().read(&id).filter(|entry| entry_type::of(entry) == entry_type::CREDENTIAL);
        let credential = found.ok_or_else(|| bad("credentials don't exist"))?;
        if credential.u32(fields::FLAGS).unwrap_or(0) & credentials::ACCEPTED == 0 {
            return Err(bad("credentials aren't accepted"));
        }
        if credentials::is_expired(looked.view(), &credential) {
            return Err(bad("credentials are expired"));
        }
        if credential.account(fields::SUBJECT) != Some(subject) {
            return Err(bad("credentials doesn't belong to the root account"));
        }
        let issuer = credential.account(fields::ISSUER).unwrap_or_default();
        let kind = credential.blob(fields::CREDENTIAL_TYPE).unwrap_or_default();
        if !pairs.insert((issuer, kind.to_vec())) {
            return Err(bad("duplicates in credentials"));
        }
    }
    Ok(Some(pairs))
}

pub(super) fn path_find(call: &Call<'_>) -> Answer {
    match call.params.get("subcommand") {
        Some(Json::String(_)) => {
            Err(RpcError::new("noEvents", 7, "Current transport does not support events."))
        }
        _ => Err(RpcError::invalid("Invalid parameters.")),
    }
}
