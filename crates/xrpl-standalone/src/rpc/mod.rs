//! The API's methods, one file per family, and what they share: errors, parameters, which ledger.
//!
//! Answers are those of xrpld (<https://xrpl.org/docs/references/http-websocket-apis>): its member
//! names, defaults, error tokens and numbers.

mod account;
mod admin;
mod aggregate_price;
mod amm;
mod book;
mod book_changes;
mod convert;
mod feature;
mod ledger;
mod ledger_entry;
mod mpt;
mod nft;
mod order_book;
mod owned;
mod paths;
mod secret;
mod server_info;
mod server_side;
mod shape;
mod sign;
mod standalone;
mod submit;
mod transaction;
mod tx_json;
mod vault;
mod wallet;

pub(crate) use book_changes::book_changes_of;
pub(crate) use order_book::{Book, book_of, reversed, snapshots, touched_books, wants_both};
pub(crate) use paths::{PathRequest, no_request, subcommand};
pub(crate) use shape::{
    ApiShape, affected_accounts, closed_message, iso_time, metadata_with_ids, proposed_message,
};

use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{AccountId, Hash256, Object, object_id};

use crate::{
    ledger::{ClosedLedger, Entry, OpenView, ReadView},
    node::Node,
    server::Shared,
};

/// An error answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RpcError {
    /// The token.
    pub(crate) token: &'static str,
    /// Its number.
    pub(crate) code: i32,
    /// What it says to people.
    pub(crate) message: String,
    /// Members beside these three.
    pub(crate) extra: Map<String, Json>,
}

impl RpcError {
    pub(crate) fn new(token: &'static str, code: i32, message: impl Into<String>) -> Self {
        Self { token, code, message: message.into(), extra: Map::new() }
    }

    pub(crate) fn missing(field: &str) -> Self {
        Self::invalid(format!("Missing field '{field}'."))
    }

    pub(crate) fn invalid_field(field: &str) -> Self {
        Self::invalid(format!("Invalid field '{field}'."))
    }

    /// A field of a wrong type: what it should be.
    pub(crate) fn not(field: &str, what: &str) -> Self {
        Self::invalid(format!("Invalid field '{field}', not {what}."))
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new("invalidParams", 31, message)
    }

    /// What xrpld answers where it did not expect what it was given.
    pub(crate) fn internal() -> Self {
        Self::new("internal", 73, "Internal error.")
    }

    pub(crate) fn malformed_stream() -> Self {
        Self::new("malformedStream", 71, "Stream malformed.")
    }

    pub(crate) fn account_malformed() -> Self {
        Self::new("actMalformed", 35, "Account malformed.")
    }

    pub(crate) fn account_not_found() -> Self {
        Self::new("actNotFound", 19, "Account not found.")
    }

    /// Adds the ledger that the request was about.
    pub(crate) fn in_ledger(mut self, looked: &Looked) -> Self {
        looked.describe(&mut self.extra);
        self
    }

    pub(crate) fn with_all(mut self, members: Map<String, Json>) -> Self {
        self.extra.extend(members);
        self
    }

    pub(crate) fn with(mut self, key: &str, value: Json) -> Self {
        self.extra.insert(key.into(), value);
        self
    }

    /// The members of an error answer.
    pub(crate) fn to_members(&self) -> Map<String, Json> {
        let mut members = self.extra.clone();
        members.insert("error".into(), self.token.into());
        if self.code != 0 {
            members.insert("error_code".into(), self.code.into());
            members.insert("error_message".into(), self.message.clone().into());
        }
        members
    }
}

pub(crate) type Answer = Result<Map<String, Json>, RpcError>;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// May do everything, as whoever reaches a standalone xrpld on loopback.
    Admin,
    /// May look and submit what is signed already.
    Guest,
}

/// Methods for administrators: xrpld's list, of those that there are here.
const ADMIN_METHODS: [&str; 10] = [
    "can_delete",
    "connect",
    "consensus_info",
    "get_counts",
    "ledger_accept",
    "ledger_request",
    "log_level",
    "peers",
    "validators",
    "wallet_propose",
];

/// A request: its parameters and the shape of its answer.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) params: &'a Map<String, Json>,
    pub(crate) shape: ApiShape,
    pub(crate) role: Role,
}

/// What a guest is told of what is an administrator's.
fn no_permission() -> RpcError {
    RpcError::new("noPermission", 6, "You don't have permission for this command.")
}

/// What a guest is told of a method that it may not use.
fn permitted(method: &str, params: &Map<String, Json>, role: Role) -> Result<(), RpcError> {
    let signs = match method {
        "sign" | "sign_for" | "channel_authorize" => true,
        "submit" => !params.contains_key("tx_blob"),
        _ => false,
    };
    if role == Role::Admin {
        return Ok(());
    }
    if ADMIN_METHODS.contains(&method) || method.starts_with(standalone::PREFIX) {
        return Err(no_permission());
    }
    match signs {
        true => Err(RpcError::new("notSupported", 75, "Signing is not supported by this server.")),
        false => Ok(()),
    }
}

/// Runs a method.
pub(crate) fn handle(
    shared: &Shared,
    method: &str,
    params: &Map<String, Json>,
    role: Role,
) -> Answer {
    let shape = ApiShape::of(params)?;
    permitted(method, params, role)?;
    let call = Call { shared, params, shape, role };
    match method {
        "submit" => submit::submit(&call),
        "ledger_accept" => submit::ledger_accept(&call),
        "sign" => sign::sign(&call),
        "sign_for" => sign::sign_for(&call),
        "simulate" => submit::simulate(&call),
        "submit_multisigned" => submit::submit_multisigned(&call),
        "account_info" => account::info(&call),
        "account_channels" => owned::channels(&call),
        "account_lines" => owned::lines(&call),
        "account_nfts" => nft::account_nfts(&call),
        "account_objects" => owned::objects(&call),
        "account_offers" => owned::offers(&call),
        "noripple_check" => owned::noripple_check(&call),
        "owner_info" => owned::owner_info(&call),
        "account_currencies" => account::currencies(&call),
        "account_tx" => transaction::account_tx(&call),
        "gateway_balances" => account::gateway_balances(&call),
        "tx" => transaction::tx(&call),
        "transaction_entry" => transaction::transaction_entry(&call),
        "ledger" => ledger::ledger(&call),
        "ledger_closed" => ledger::ledger_closed(&call),
        "ledger_current" => ledger::ledger_current(&call),
        "ledger_data" => ledger::ledger_data(&call),
        "ledger_entry" => ledger_entry::ledger_entry(&call),
        "ledger_header" if shape == ApiShape::V1 => ledger::ledger_header(&call),
        "ledger_request" => ledger::ledger_request(&call),
        "server_info" => server_info::server_info(&call),
        "server_state" => server_info::server_state(&call),
        "server_definitions" => server_info::server_definitions(&call),
        "fee" => server_info::fee(&call),
        "version" => server_info::version(&call),
        "amm_info" => amm::amm_info(&call),
        "book_changes" => book_changes::book_changes(&call),
        "book_offers" => order_book::book_offers(&call),
        "deposit_authorized" => book::deposit_authorized(&call),
        "nft_buy_offers" => nft::offers(&call, object_id::nft_buy_offers),
        "nft_sell_offers" => nft::offers(&call, object_id::nft_sell_offers),
        "path_find" => paths::path_find(&call),
        "ripple_path_find" => paths::ripple_path_find(&call),
        "tx_history" if shape == ApiShape::V1 => transaction::tx_history(&call),
        "vault_info" => vault::vault_info(&call),
        "can_delete" => Err(RpcError::new("notEnabled", 12, "Not enabled in configuration.")),
        "channel_authorize" => wallet::channel_authorize(&call),
        "channel_verify" => wallet::channel_verify(&call),
        "connect" => Err(RpcError::new("notSynced", 18, "Not synced to the network.")),
        "consensus_info" => admin::consensus_info(&call),
        "feature" => feature::feature(&call),
        "get_aggregate_price" => aggregate_price::get_aggregate_price(&call),
        "get_counts" => admin::get_counts(&call),
        "log_level" => admin::log_level(&call),
        "manifest" => admin::manifest(&call),
        "peers" => admin::peers(&call),
        "validators" => admin::validators(&call),
        // Over HTTP there is nobody to send to.
        "subscribe" | "unsubscribe" => Err(RpcError::invalid("Invalid parameters.")),
        "ping" if role == Role::Guest => Ok(Map::new()),
        "ping" => Ok(object(json!({"role": "admin"}))),
        "random" => server_info::random(&call),
        "wallet_propose" => wallet::wallet_propose(&call),
        own if own.starts_with(standalone::PREFIX) => standalone::handle(&call, own),
        _ => Err(RpcError::new("unknownCmd", 32, "Unknown method.")),
    }
}

/// Hexadecimal digits as bytes; an odd first digit is a byte of its own.
pub(crate) fn bytes_of(text: &str) -> Option<Vec<u8>> {
    match text.len().is_multiple_of(2) {
        true => const_hex::decode(text.as_bytes()).ok().filter(|_| !text.starts_with("0x")),
        false => const_hex::decode(format!("0{text}")).ok(),
    }
}

pub(crate) fn object(json: Json) -> Map<String, Json> {
    match json {
        Json::Object(members) => members,
        _ => Map::new(),
    }
}

/// The ledger a request is about.
#[derive(Clone, Debug)]
pub(crate) enum Looked {
    Closed(Arc<ClosedLedger>),
    Open(Box<OpenView<'static>>),
}

impl Looked {
    pub(crate) fn view(&self) -> &dyn ReadView {
        match self {
            Self::Closed(ledger) => &**ledger,
            Self::Open(open) => &**open,
        }
    }

    /// Adds which ledger the answer is about.
    pub(crate) fn describe(&self, answer: &mut Map<String, Json>) {
        match self {
            Self::Closed(ledger) => {
                answer.insert("ledger_hash".into(), ledger.header.hash.to_string().into());
                answer.insert("ledger_index".into(), ledger.header.index.into());
                answer.insert("validated".into(), true.into());
            }
            Self::Open(open) => {
                answer.insert("ledger_current_index".into(), open.info().index.into());
                answer.insert("validated".into(), false.into());
            }
        }
    }

    /// Entries after an id, in order.
    pub(crate) fn entries_after(&self, after: Hash256) -> impl Iterator<Item = (Hash256, Entry)> {
        let mut at = after;
        let view = self.view();
        std::iter::from_fn(move || {
            at = view.succ(&at)?;
            view.read(&at).map(|entry| (at, entry))
        })
    }
}

impl Call<'_> {
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.params.get(key).is_some_and(convert::truth_of)
    }

    /// A page size. Whoever reaches this server is its administrator, whom xrpld sets no bounds.
    pub(crate) fn limit(&self, default: usize) -> Result<usize, RpcError> {
        match self.params.get("limit") {
            None | Some(Json::Null) => Ok(default),
            Some(json) => match json.as_u64() {
                Some(0) => Err(RpcError::invalid_field("limit")),
                Some(n) => Ok(usize::try_from(n).unwrap_or(usize::MAX)),
                None => Err(RpcError::not("limit", "unsigned integer")),
            },
        }
    }

    pub(crate) fn account(&self, key: &str) -> Result<AccountId, RpcError> {
        let text = match self.params.get(key) {
            None => return Err(RpcError::missing(key)),
            Some(Json::String(text)) => text,
            Some(_) => return Err(RpcError::invalid_field(key)),
        };
        text.parse().map_err(|_| RpcError::account_malformed())
    }

    /// The ledger that `ledger_hash`, `ledger_index` or the old `ledger` names; the open one by
    /// default.
    pub(crate) fn ledger(&self, node: &Node) -> Result<Looked, RpcError> {
        let names = ["ledger", "ledger_hash", "ledger_index"];
        let given: Vec<&str> =
            names.into_iter().filter(|name| self.params.contains_key(*name)).collect();
        let (name, json) = match given[..] {
            [] => return Ok(Looked::Open(Box::new(node.current().clone()))),
            [name] => (name, &self.params[name]),
            ["ledger", ..] => {
                return Err(RpcError::invalid(
                    "Exactly one of 'ledger', 'ledger_hash', or 'ledger_index' can be specified.",
                ));
            }
            _ => {
                return Err(RpcError::invalid(
                    "Exactly one of 'ledger_hash' or 'ledger_index' can be specified.",
                ));
            }
        };
        let by_hash = match json {
            Json::String(text) => name == "ledger_hash" || (name == "ledger" && text.len() == 64),
            _ => name == "ledger_hash",
        };
        let not_found = || RpcError::new("lgrNotFound", 21, "ledgerNotFound");
        if by_hash {
            let hash = json.as_str().and_then(hash_of);
            let hash = hash.ok_or_else(|| RpcError::not(name, "hex string"))?;
            let ledger = node.ledger_by_hash(&hash).ok_or_else(not_found)?;
            return Ok(Looked::Closed(Arc::clone(ledger)));
        }
        let malformed = || RpcError::not(name, "string or number");
        let text = match json {
            Json::String(text) => text.clone(),
            Json::Number(n) if !n.is_f64() => n.to_string(),
            _ => return Err(malformed()),
        };
        match text.as_str() {
            "current" | "" => Ok(Looked::Open(Box::new(node.current().clone()))),
            "validated" => Ok(Looked::Closed(Arc::clone(node.validated()))),
            "closed" => Ok(Looked::Closed(Arc::clone(node.closed()))),
            digits => {
                let index = digits.parse().map_err(|_| malformed())?;
                by_index(node, index).ok_or_else(not_found)
            }
        }
    }
}

/// The ledger of an index, the open one too.
fn by_index(node: &Node, index: u32) -> Option<Looked> {
    match node.ledger(index) {
        Some(ledger) => Some(Looked::Closed(Arc::clone(ledger))),
        None if index == node.current_index() => {
            Some(Looked::Open(Box::new(node.current().clone())))
        }
        None => None,
    }
}

/// A hash as xrpld's `parseHex` reads it: `0` stands for all zeros.
pub(crate) fn hash_of(text: &str) -> Option<Hash256> {
    match text {
        "0" => Some(Hash256::ZERO),
        text => text.parse().ok(),
    }
}

/// An entry in JSON with its `index`, and an MPT's issuance with its id.
pub(crate) fn entry_json(id: &Hash256, entry: &Object) -> Json {
    let mut json = entry.to_json(xrpl_protocol::Definitions::builtin());
    if let Json::Object(members) = &mut json {
        members.insert("index".into(), id.to_string().into());
        mpt::add_to_entry(members, entry);
    }
    json
}
