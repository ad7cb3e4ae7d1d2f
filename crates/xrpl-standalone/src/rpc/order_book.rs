//! Order books: `book_offers`, and the books of `subscribe`.

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{
    AccountId, Amount, Currency, Issue, MptId, Rate, fields, issued_value::ValueError, object_id,
};

use super::{
    Answer, Call, Looked, RpcError, entry_json, hash_of, object,
    owned::quality,
    tx_json::{account, currency, hex},
};
use crate::ledger::{
    Entry, LedgerTransaction, ReadView, entry_type,
    helpers::{
        account_root,
        book::quality_of,
        token::{self, IfFrozen, IfUnauthorized, Spendable},
    },
};

pub(crate) use crate::ledger::helpers::book::Book;

/// Offers shown unless a request wants more or fewer.
const LIMIT: usize = 60;

/// A side of a book: its name, and the tokens of what may be wrong with it.
struct Side {
    name: &'static str,
    currency: (&'static str, i32),
    issuer: (&'static str, i32),
    /// What is said of both where nothing better is.
    bad_currency: &'static str,
    bad_issuer: &'static str,
}

const PAYS: Side = Side {
    name: "taker_pays",
    currency: ("srcCurMalformed", 69),
    issuer: ("srcIsrMalformed", 70),
    bad_currency: "Source currency is malformed.",
    bad_issuer: "Source issuer is malformed.",
};
const GETS: Side = Side {
    name: "taker_gets",
    currency: ("dstAmtMalformed", 51),
    issuer: ("dstIsrMalformed", 53),
    bad_currency: "Destination amount/currency/issuer is malformed.",
    bad_issuer: "Destination issuer is malformed.",
};

/// What a side names, before its issuer is looked at.
enum Named {
    Currency(Currency),
    Mpt(MptId),
}

impl Side {
    /// The object that describes it; nothing in place of `null`.
    fn object<'a>(&self, json: &'a Json) -> Option<Option<&'a Map<String, Json>>> {
        match json {
            Json::Null => Some(None),
            Json::Object(members) => Some(Some(members)),
            _ => None,
        }
    }

    fn wrong(&self, (token, code): (&'static str, i32), what: &str) -> RpcError {
        RpcError::new(token, code, format!("Invalid field '{}{what}", self.name))
    }

    /// That it names something, in words that can be read.
    fn check(&self, side: Option<&Map<String, Json>>) -> Result<(), RpcError> {
        let name = self.name;
        let get = |key| side.and_then(|side| side.get(key));
        let (currency, mpt) = (get("currency"), get("mpt_issuance_id"));
        if currency.is_none() && mpt.is_none() {
            return Err(RpcError::missing(&format!("{name}.currency")));
        }
        if mpt.is_some() && (currency.is_some() || get("issuer").is_some()) {
            return Err(RpcError::invalid_field(name));
        }
        if [currency, mpt].into_iter().flatten().any(|json| !json.is_string()) {
            return Err(RpcError::not(&format!("{name}.currency"), "string"));
        }
        Ok(())
    }

    fn named(&self, side: &Map<String, Json>) -> Result<Named, RpcError> {
        let text = |key: &str| side.get(key).and_then(Json::as_str);
        match (text("currency"), text("mpt_issuance_id")) {
            (Some(text), _) => match currency(text) {
                Some(currency) => Ok(Named::Currency(currency)),
                None => Err(self.wrong(self.currency, ".currency', bad currency.")),
            },
            (None, id) => match id.and_then(hex) {
                Some(id) => Ok(Named::Mpt(MptId(id))),
                None => Err(self.wrong(self.currency, ".mpt_issuance_id'")),
            },
        }
    }

    fn issue(&self, side: &Map<String, Json>, named: &Named) -> Result<Issue, RpcError> {
        let currency = match *named {
            Named::Mpt(id) => return Ok(Issue::Mpt(id)),
            Named::Currency(currency) => currency,
        };
        let issuer = match side.get("issuer") {
            None => AccountId::ZERO,
            Some(Json::String(text)) => {
                account(text).ok_or_else(|| self.wrong(self.issuer, ".issuer', bad issuer."))?
            }
            Some(_) => return Err(RpcError::not(&format!("{}.issuer", self.name), "string")),
        };
        if issuer == AccountId::ONE {
            return Err(self.wrong(self.issuer, ".issuer', bad issuer account one."));
        }
        match (currency.is_xrp(), issuer == AccountId::ZERO) {
            (true, true) => Ok(Issue::Xrp),
            (false, false) => Ok(Issue::Issued { currency, issuer }),
            (true, false) => {
                let (token, code) = self.issuer;
                let name = self.name;
                let text =
                    format!("Unneeded field '{name}.issuer' for XRP currency specification.");
                Err(RpcError::new(token, code, text))
            }
            (false, true) => Err(self.wrong(self.issuer, ".issuer', expected non-XRP issuer.")),
        }
    }
}

impl Side {
    /// What a side of a book in `subscribe` names: the same, said in fewer words.
    fn subscribed(&self, side: Option<&Map<String, Json>>) -> Result<Issue, RpcError> {
        let none = Map::new();
        let side = side.unwrap_or(&none);
        let has = |key: &str| side.contains_key(key);
        if has("mpt_issuance_id") && (has("currency") || has("issuer")) {
            return Err(RpcError::invalid("Invalid parameters."));
        }
        let plain =
            |(token, code): (&'static str, i32), text: &str| RpcError::new(token, code, text);
        let named = self.named(side).map_err(|_| plain(self.currency, self.bad_currency))?;
        self.issue(side, &named).map_err(|_| plain(self.issuer, self.bad_issuer))
    }
}

pub(super) fn book_offers(call: &Call<'_>) -> Answer {
    let looked = call.ledger(&call.shared.node())?;
    let given =
        |side: &Side| call.params.get(side.name).ok_or_else(|| RpcError::missing(side.name));
    let (pays, gets) = (given(&PAYS)?, given(&GETS)?);
    let members =
        |side: &Side, json| side.object(json).ok_or_else(|| RpcError::not(side.name, "object"));
    let (pays, gets) = (members(&PAYS, pays)?, members(&GETS, gets)?);
    PAYS.check(pays)?;
    GETS.check(gets)?;
    let none = Map::new();
    let (pays, gets) = (pays.unwrap_or(&none), gets.unwrap_or(&none));
    let (input, output) = (PAYS.named(pays)?, GETS.named(gets)?);
    let (input, output) = (PAYS.issue(pays, &input)?, GETS.issue(gets, &output)?);
    let taker = match call.params.get("taker") {
        None => AccountId::ZERO,
        Some(Json::String(text)) => text.parse().map_err(|_| RpcError::invalid_field("taker"))?,
        Some(_) => return Err(RpcError::not("taker", "string")),
    };
    let domain = call.params.get("domain").map(domain_of).transpose()?;
    if input == output {
        return Err(bad_market());
    }
    let limit = call.limit(LIMIT)?;
    let book = Book { input, output, domain };
    let mut answer = object(json!({"offers": offers(looked.view(), &book, taker, limit)?}));
    looked.describe(&mut answer);
    Ok(answer)
}

fn bad_market() -> RpcError {
    RpcError::new("badMarket", 42, "No such market.")
}

fn domain_of(json: &Json) -> Result<xrpl_protocol::Hash256, RpcError> {
    let domain = json.as_str().and_then(hash_of);
    domain.ok_or_else(|| RpcError::new("domainMalformed", 97, "Unable to parse domain."))
}

/// The book that an element of `books` in `subscribe` and `unsubscribe` names.
pub(crate) fn book_of(json: &Json) -> Result<Book, RpcError> {
    let invalid = || RpcError::invalid("Invalid parameters.");
    let members = |side: &Side| json.get(side.name).and_then(|json| side.object(json));
    let (pays, gets) = (members(&PAYS).ok_or_else(invalid)?, members(&GETS).ok_or_else(invalid)?);
    let (input, output) = (PAYS.subscribed(pays)?, GETS.subscribed(gets)?);
    if input == output {
        return Err(bad_market());
    }
    taker_of(json)?;
    let domain = json.get("domain").map(domain_of).transpose();
    let domain =
        domain.map_err(|_| RpcError::new("domainMalformed", 97, "Domain is malformed."))?;
    Ok(Book { input, output, domain })
}

/// From whose side a book is looked at.
fn taker_of(json: &Json) -> Result<AccountId, RpcError> {
    match json.get("taker") {
        None => Ok(AccountId::ONE),
        Some(taker) => {
            let taker = taker.as_str().and_then(|text| text.parse().ok());
            taker.ok_or_else(RpcError::account_malformed)
        }
    }
}

/// The same book from the other side.
pub(crate) fn reversed(book: Book) -> Book {
    Book { input: book.output, output: book.input, ..book }
}

/// Whether both sides of a book are wanted.
pub(crate) fn wants_both(json: &Json) -> bool {
    flag(json, ["both", "both_sides"])
}

fn flag(json: &Json, names: [&str; 2]) -> bool {
    names.iter().any(|name| json.get(name) == Some(&Json::Bool(true)))
}

/// What `subscribe` shows of the books that want a snapshot.
pub(crate) fn snapshots(
    looked: &Looked,
    params: &Map<String, Json>,
) -> Result<Map<String, Json>, RpcError> {
    let mut shown = Map::new();
    for json in params.get("books").and_then(Json::as_array).into_iter().flatten() {
        if !flag(json, ["snapshot", "state_now"]) {
            continue;
        }
        let (book, taker) = (book_of(json)?, taker_of(json)?);
        let mut add = |key: &str, book: &Book| -> Result<(), RpcError> {
            let mut offers = offers(looked.view(), book, taker, LIMIT)?;
            match shown.get_mut(key) {
                Some(Json::Array(list)) => list.append(&mut offers),
                _ => {
                    shown.insert(key.into(), offers.into());
                }
            }
            Ok(())
        };
        if wants_both(json) {
            add("bids", &book)?;
            add("asks", &reversed(book))?;
        } else {
            add("offers", &book)?;
        }
    }
    Ok(shown)
}

/// The books whose offers a transaction changed. xrpld names them by what the offers give, so that
/// who subscribes to a book hears of the other side than its snapshot shows.
pub(crate) fn touched_books(transaction: &LedgerTransaction) -> Vec<Book> {
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
        let Some(part) = node.object(part) else { continue };
        let issue = |field| part.amount(field).map(|amount| amount.issue());
        if let (Some(input), Some(output)) = (issue(fields::TAKER_GETS), issue(fields::TAKER_PAYS))
        {
            let book = Book { input, output, domain: part.hash256(fields::DOMAIN_ID) };
            if !books.contains(&book) {
                books.push(book);
            }
        }
    }
    books
}

/// A number as text, without its currency.
pub(super) fn number(amount: &Amount) -> String {
    match amount {
        Amount::Xrp(drops) => drops.to_string(),
        Amount::Issued { value, .. } => value.to_string(),
        Amount::Mpt { value, .. } => value.to_string(),
    }
}

/// A book's offers, best first, with what their owners can give of them.
fn offers(
    view: &dyn ReadView,
    book: &Book,
    taker: AccountId,
    limit: usize,
) -> Result<Vec<Json>, RpcError> {
    let mut page = Page::new(view, *book, taker);
    let mut offers = Vec::new();
    for (id, offer) in entries(view, book, limit) {
        offers.push(page.show(&id, &offer).map_err(|_| RpcError::internal())?);
    }
    Ok(offers)
}

/// What is known while a book is shown.
struct Page<'a> {
    view: &'a dyn ReadView,
    book: Book,
    /// Whether all of what is traded is frozen.
    frozen: bool,
    /// Who issues what the offers give.
    issuer: AccountId,
    /// What its owner must pay the issuer for what an offer gives.
    rate: Rate,
    taker: AccountId,
    /// What offers shown before leave of their owners' funds.
    left: HashMap<AccountId, Amount>,
}

impl<'a> Page<'a> {
    fn new(view: &'a dyn ReadView, book: Book, taker: AccountId) -> Self {
        let issuer = token::issuer_of(book.output).unwrap_or_default();
        let frozen = |issue| {
            token::issuer_of(issue).is_some_and(|id| account_root::is_global_frozen(view, id))
        };
        Self {
            view,
            book,
            frozen: frozen(book.input) || frozen(book.output),
            issuer,
            rate: account_root::transfer_rate(view, issuer),
            taker,
            left: HashMap::new(),
        }
    }

    /// What an owner has of what the book gives, and whether it was not shown before.
    fn funds(&self, owner: AccountId, gets: Amount) -> (Amount, bool) {
        if owner == self.issuer {
            return (gets, true);
        }
        let nothing = Amount::zero(self.book.output);
        if self.frozen {
            return (nothing, true);
        }
        if let Some(left) = self.left.get(&owner) {
            return (*left, false);
        }
        let (frozen, unauthorized) = (IfFrozen::Zero, IfUnauthorized::Zero);
        let held = token::account_holds(
            self.view,
            owner,
            self.book.output,
            frozen,
            unauthorized,
            Spendable::Simple,
        );
        (if held.signum() < 0 { nothing } else { held }, true)
    }

    fn show(&mut self, id: &xrpl_protocol::Hash256, offer: &Entry) -> Result<Json, ValueError> {
        let owner = offer.account(fields::ACCOUNT).unwrap_or_default();
        let amount = |field, issue| offer.amount(field).unwrap_or(Amount::zero(issue));
        let gets = amount(fields::TAKER_GETS, self.book.output);
        let pays = amount(fields::TAKER_PAYS, self.book.input);
        let directory = self.directory(offer);
        let (funds, first) = self.funds(owner, gets);
        let mut shown = object(entry_json(id, offer));
        let taxed = !self.rate.is_parity() && self.taker != self.issuer && owner != self.issuer;
        let limit = if taxed { self.rate.divide(&funds)? } else { funds };
        let funded = if limit.is_less(&gets) {
            shown.insert("taker_gets_funded".into(), limit.to_json());
            let price = quality_of(&directory).rate();
            let paid = limit.multiply(&price, pays.issue())?;
            shown.insert("taker_pays_funded".into(), pays.smaller(paid).to_json());
            limit
        } else {
            gets
        };
        let gives = if taxed { funds.smaller(self.rate.multiply(&funded)?) } else { funded };
        self.left.insert(owner, funds.checked_sub(&gives)?);
        shown.insert("quality".into(), quality(&directory).into());
        if first {
            shown.insert("owner_funds".into(), number(&funds).into());
        }
        Ok(shown.into())
    }

    /// The directory of the book that is shown: a hybrid offer stands in two.
    fn directory(&self, offer: &Entry) -> xrpl_protocol::Hash256 {
        let prefix = self.book.directory(xrpl_protocol::Quality(0));
        let open = offer.array(fields::ADDITIONAL_BOOKS).unwrap_or_default().iter();
        let open = open.filter_map(|(_, book)| book.hash256(fields::BOOK_DIRECTORY));
        let all = offer.hash256(fields::BOOK_DIRECTORY).into_iter().chain(open);
        all.into_iter().find(|id| id.0[..24] == prefix.0[..24]).unwrap_or(prefix)
    }
}

/// A book's offers, best first.
fn entries(view: &dyn ReadView, book: &Book, limit: usize) -> Vec<(xrpl_protocol::Hash256, Entry)> {
    let first = book.directory(xrpl_protocol::Quality(0));
    let mut at = first;
    let mut offers = Vec::new();
    while let Some(id) = view.succ(&at).filter(|id| id.0[..24] == first.0[..24]) {
        at = id;
        let mut page = 0;
        while let Some(node) = view.read(&object_id::dir_page(id, page)) {
            for offer in node.vector256(fields::INDEXES).unwrap_or_default() {
                offers.extend(view.read(offer).map(|entry| (*offer, entry)));
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
