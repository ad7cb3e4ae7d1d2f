//! A ledger as JSON: the shape of `ledger_data`, so that what one server shows another can begin
//! with.
//!
//! [`export`] writes one object, `{"format", "version", "network_id", "ledger", "state"}`. [`import`]
//! reads that, and pages of `ledger_data` of any xrpld, in JSON or with `binary`: one after another or
//! in an array, whole answers or their `result`.

use std::{collections::BTreeSet, sync::Arc};

use serde::de::Error as _;
use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{
    Definitions, Hash256, LedgerHeader, Object, ledger_header::ENCODED_LENGTH, object_id,
};

use crate::ledger::{ClosedLedger, Entry, State, genesis::TOTAL_COINS};

/// Why JSON makes no ledger.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is no JSON.
    #[error("it is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Something is not what `ledger_data` shows.
    #[error("{0}")]
    Form(String),
    /// The entries are not those of the header.
    #[error(
        "its entries are not those of ledger {index}, whose account_hash is {told}: they give \
         {found}. Either a page is missing, or they were changed: take `account_hash` out of \
         `ledger` if that is meant"
    )]
    OtherState {
        /// The ledger's index.
        index: u32,
        /// What the header says.
        told: Hash256,
        /// What the entries give.
        found: Hash256,
    },
}

fn form(what: impl Into<String>) -> ImportError {
    ImportError::Form(what.into())
}

/// A ledger that goes on from another network's, of which only a part is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "of a fork only those entries are here that something needed, and a part is no ledger. To have a \
     whole one, read the pages of ledger_data at the origin and begin with them (--import)"
)]
pub struct Partial;

/// A closed ledger for people to read, and for [`import`].
///
/// # Errors
/// When it is a fork's, of which not all is here.
pub fn export(ledger: &ClosedLedger, network_id: u32) -> Result<Json, Partial> {
    if ledger.state.origin().is_some() {
        return Err(Partial);
    }
    let entry = |(id, entry): (&Hash256, &Entry)| {
        let mut shown = entry.to_json(Definitions::builtin());
        shown["index"] = id.to_string().into();
        shown
    };
    let state: Vec<_> = ledger.state.iter().map(entry).collect();
    let header = &ledger.header;
    Ok(json!({
        "format": "xrpl-standalone-state",
        "version": 1,
        "network_id": network_id,
        "ledger": {
            "account_hash": header.account_hash.to_string(),
            "close_flags": header.close_flags,
            "close_time": header.close_time,
            "close_time_resolution": header.close_time_resolution,
            "ledger_hash": header.hash.to_string(),
            "ledger_index": header.index,
            "parent_close_time": header.parent_close_time,
            "parent_hash": header.parent_hash.to_string(),
            "total_coins": header.total_coins.to_string(),
            "transaction_hash": header.transaction_hash.to_string(),
        },
        "state": state,
    }))
}

/// The ledger that JSON shows. Where there is no header, or one without `account_hash`, it is made
/// from the entries; where there is, the entries must be those of the ledger. Its transactions are
/// no part of it.
///
/// # Errors
/// [`ImportError`].
pub fn import(text: &str) -> Result<ClosedLedger, ImportError> {
    let mut pages = Vec::new();
    for document in serde_json::Deserializer::from_str(text).into_iter::<Json>() {
        match document? {
            Json::Array(all) => pages.extend(all),
            one => pages.push(one),
        }
    }
    if pages.is_empty() {
        return Err(serde_json::Error::custom("there is nothing").into());
    }
    let mut header = None;
    let mut ledgers = BTreeSet::new();
    let mut state = State::default();
    for page in &pages {
        let page = page.get("result").unwrap_or(page);
        if let Some(version) = page.get("version").filter(|_| page.get("format").is_some())
            && *version != 1
        {
            return Err(form(format!("its version is {version}; this program reads version 1")));
        }
        if let (Some(Json::Object(members)), None) = (page.get("ledger"), &header) {
            header = Some(members.clone());
        }
        ledgers.extend(page.get("ledger_hash").and_then(Json::as_str));
        let entries = page.get("state").and_then(Json::as_array);
        let entries = entries.ok_or_else(|| {
            form("a page has no `state`: expected what ledger_data answers, or an exported state")
        })?;
        for entry in entries {
            let (key, entry) = read_entry(entry)?;
            state.insert(key, Arc::new(entry));
        }
    }
    if state.get(&object_id::fees()).is_none() {
        return Err(form("it has no FeeSettings entry: is a page missing?"));
    }
    if header.is_none() && !ledgers.is_empty() {
        return Err(form("no page has the ledger's header, as the first of ledger_data has"));
    }
    let (header, certain) = read_header(&header.unwrap_or_default())?;
    if let Some(other) = ledgers.iter().find(|hash| **hash != header.hash.to_string()) {
        return Err(form(format!(
            "it has a page of ledger {other} beside the header of {}",
            header.hash
        )));
    }
    let (told, found) = (header.account_hash, state.hash());
    if certain && told != found {
        return Err(ImportError::OtherState { index: header.index, told, found });
    }
    Ok(ClosedLedger::imported(header, state))
}

fn read_entry(json: &Json) -> Result<(Hash256, Object), ImportError> {
    let index = json.get("index").and_then(Json::as_str).and_then(|text| text.parse().ok());
    let index: Hash256 = index.ok_or_else(|| form("an entry has no `index`"))?;
    let wrong = |error: &dyn std::fmt::Display| form(format!("entry {index}: {error}"));
    let definitions = Definitions::builtin();
    if let Some(Json::String(data)) = json.get("data") {
        let blob = const_hex::decode(data).map_err(|error| wrong(&error))?;
        return Object::decode(&blob, definitions)
            .map(|entry| (index, entry))
            .map_err(|error| wrong(&error));
    }
    // What servers add to an entry's fields begins with a small letter.
    let fields = json.as_object().into_iter().flatten();
    let fields = fields.filter(|(name, _)| {
        definitions.field(name).is_some() || name.starts_with(|c: char| !c.is_ascii_lowercase())
    });
    let fields: Map<String, Json> =
        fields.map(|(name, value)| (name.clone(), value.clone())).collect();
    Object::from_json(&Json::Object(fields), definitions)
        .map(|entry| (index, entry))
        .map_err(|error| wrong(&error))
}

/// A header, and whether it says which entries there must be.
pub(crate) fn read_header(shown: &Map<String, Json>) -> Result<(LedgerHeader, bool), ImportError> {
    if let Some(Json::String(data)) = shown.get("ledger_data") {
        let bytes = const_hex::decode(data).ok().and_then(|bytes| bytes.try_into().ok());
        let bytes: [u8; ENCODED_LENGTH] =
            bytes.ok_or_else(|| form("`ledger_data` is no header of a ledger"))?;
        return Ok((LedgerHeader::decode(&bytes), true));
    }
    let wrong = |name: &str| form(format!("`{name}` of `ledger` cannot be read"));
    let number = |name: &str, default: u64| match shown.get(name) {
        None => Ok(default),
        Some(Json::String(text)) => text.parse().map_err(|_| wrong(name)),
        Some(json) => json.as_u64().ok_or_else(|| wrong(name)),
    };
    let small = |name: &str, default: u32| {
        number(name, default.into()).and_then(|n| u32::try_from(n).map_err(|_| wrong(name)))
    };
    let byte = |name: &str, default: u8| {
        number(name, default.into()).and_then(|n| u8::try_from(n).map_err(|_| wrong(name)))
    };
    let hash = |name: &str| match shown.get(name) {
        None => Ok(Hash256::ZERO),
        Some(json) => json.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| wrong(name)),
    };
    let mut header = LedgerHeader {
        index: small("ledger_index", 2)?,
        hash: Hash256::ZERO,
        parent_hash: hash("parent_hash")?,
        total_coins: number("total_coins", TOTAL_COINS)?,
        account_hash: hash("account_hash")?,
        transaction_hash: hash("transaction_hash")?,
        parent_close_time: small("parent_close_time", 0)?,
        close_time: small("close_time", 0)?,
        close_time_resolution: byte("close_time_resolution", 10)?,
        close_flags: byte("close_flags", 0)?,
    };
    if header.close_time == u32::MAX {
        return Err(form("its close_time is the last there is: no ledger can follow"));
    }
    let certain = shown.contains_key("account_hash");
    header.hash = header.compute_hash();
    let told = hash("ledger_hash")?;
    if certain && told != Hash256::ZERO && told != header.hash {
        return Err(form(format!(
            "the header of ledger {} gives the hash {}, not {told}",
            header.index, header.hash
        )));
    }
    Ok((header, certain))
}
