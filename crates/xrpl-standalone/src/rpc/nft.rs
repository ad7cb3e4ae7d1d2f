//! NFTs: whose they are, offers for them, and the ids that metadata gets for readers.

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{
    AccountId, Definitions, EngineResult, Field, Hash256, Object, fields, object_id,
};

use super::{Answer, Call, Looked, RpcError, convert::text_of, hash_of, object};
use crate::ledger::{
    Entry, PreparedTx, directory, entry_type,
    helpers::nft::{self, TokenOffer},
};

const MINT: u16 = 25;
const CREATE_OFFER: u16 = 27;
const CANCEL_OFFER: u16 = 28;
const ACCEPT_OFFER: u16 = 29;

/// An account's pages of NFTs, first to last.
pub(super) fn pages(looked: &Looked, account: AccountId) -> Vec<(Hash256, Entry)> {
    let last = object_id::nft_page_max(account);
    let mut first = last;
    first.0[20..].fill(0);
    looked
        .entries_after(first)
        .take_while(|(id, _)| *id <= last)
        .filter(|(_, entry)| entry_type::of(entry) == entry_type::NFTOKEN_PAGE)
        .collect()
}

fn token_ids(page: &Object) -> impl Iterator<Item = Hash256> {
    let tokens = page.array(fields::NF_TOKENS).unwrap_or_default();
    tokens.iter().filter_map(|(_, token)| token.hash256(fields::NF_TOKEN_ID))
}

pub(super) fn account_nfts(call: &Call<'_>) -> Answer {
    let account = call.account("account")?;
    let looked = call.ledger(&call.shared.node())?;
    if looked.view().account(account).is_none() {
        return Err(RpcError::account_not_found());
    }
    let limit = call.limit(100)?;
    let all: Vec<(Hash256, Object)> = pages(&looked, account)
        .iter()
        .flat_map(|(_, page)| page.array(fields::NF_TOKENS).unwrap_or_default())
        .filter_map(|(_, token)| Some((token.hash256(fields::NF_TOKEN_ID)?, token.clone())))
        .collect();
    let start = match call.params.get("marker") {
        None => 0,
        Some(Json::String(marker)) => {
            let after: Hash256 = marker.parse().map_err(|_| RpcError::invalid_field("marker"))?;
            let at = all.iter().position(|(id, _)| *id == after);
            at.ok_or_else(|| RpcError::invalid_field("marker"))? + 1
        }
        Some(_) => return Err(RpcError::not("marker", "string")),
    };
    let page: Vec<_> = all.iter().skip(start).take(limit).collect();
    let shown: Vec<Json> = page.iter().map(|(id, token)| token_json(id, token)).collect();
    let mut answer = object(json!({"account_nfts": shown}));
    // A full page has a marker though nothing may come after it, and does not say whose it is.
    match page.last().filter(|_| page.len() == limit) {
        Some((last, _)) => {
            answer.insert("limit".into(), limit.into());
            answer.insert("marker".into(), last.to_string().into());
        }
        None => {
            answer.insert("account".into(), account.to_string().into());
        }
    }
    looked.describe(&mut answer);
    Ok(answer)
}

/// An NFT with what its id says.
fn token_json(id: &Hash256, token: &Object) -> Json {
    let mut shown = object(token.to_json(Definitions::builtin()));
    shown.insert("Flags".into(), nft::flags(id).into());
    shown.insert("Issuer".into(), nft::issuer(id).to_string().into());
    shown.insert("NFTokenTaxon".into(), nft::taxon(id).into());
    shown.insert("nft_serial".into(), nft::serial(id).into());
    match nft::transfer_fee(id) {
        0 => {}
        fee => {
            shown.insert("TransferFee".into(), fee.into());
        }
    }
    shown.into()
}

/// `nft_id`. xrpld reads whatever has a text, and `0` as zero.
fn nft_id(call: &Call<'_>) -> Result<Hash256, RpcError> {
    let json = call.params.get("nft_id").ok_or_else(|| RpcError::missing("nft_id"))?;
    hash_of(&text_of(json)?).ok_or_else(|| RpcError::invalid_field("nft_id"))
}

/// `nft_buy_offers` and `nft_sell_offers`.
pub(super) fn offers(call: &Call<'_>, directory: fn(Hash256) -> Hash256) -> Answer {
    let id = nft_id(call)?;
    let limit = call.limit(250)?;
    let looked = call.ledger(&call.shared.node())?;
    let view = looked.view();
    let root = directory(id);
    if !view.exists(&root) {
        return Err(RpcError::new("objectNotFound", 92, "The requested object was not found."));
    }
    let mut all = directory::iter(view, root)
        .filter_map(|key| Some((key, TokenOffer::read(view, &key)?)))
        .peekable();
    match call.params.get("marker") {
        None => {}
        Some(Json::String(marker)) => {
            // The marker is the first of the next page.
            let from: Option<Hash256> = marker.parse().ok();
            while all.next_if(|(key, _)| Some(*key) != from).is_some() {}
            if all.peek().is_none() {
                return Err(RpcError::invalid("Invalid parameters."));
            }
        }
        Some(_) => return Err(RpcError::not("marker", "string")),
    }
    let shown: Vec<Json> =
        all.by_ref().take(limit).map(|(key, offer)| offer_json(&key, &offer)).collect();
    let mut answer = object(json!({"nft_id": id.to_string(), "offers": shown}));
    if let Some((next, _)) = all.next() {
        answer.insert("limit".into(), limit.into());
        answer.insert("marker".into(), next.to_string().into());
    }
    Ok(answer)
}

fn offer_json(key: &Hash256, offer: &TokenOffer) -> Json {
    let mut shown = object(json!({
        "amount": offer.amount.to_json(),
        "flags": if offer.sells { nft::OFFER_SELLS } else { 0 },
        "nft_offer_index": key.to_string(),
        "owner": offer.owner.to_string(),
    }));
    if let Some(destination) = offer.destination {
        shown.insert("destination".into(), destination.to_string().into());
    }
    if let Some(expiration) = offer.expiration {
        shown.insert("expiration".into(), expiration.into());
    }
    shown.into()
}

/// Which NFTs and offers a transaction was about: `nftoken_id`, `nftoken_ids` and `offer_id`, which
/// xrpld adds to metadata for readers.
pub(super) fn add_ids(
    shown: &mut Map<String, Json>,
    tx: &PreparedTx,
    result: EngineResult,
    metadata: &Object,
) {
    if !result.is_success() {
        return;
    }
    match tx.kind {
        MINT => {
            if let Some(id) = minted(metadata) {
                shown.insert("nftoken_id".into(), id.to_string().into());
            }
        }
        ACCEPT_OFFER => {
            if let Some(id) = of_deleted_offers(metadata).first() {
                shown.insert("nftoken_id".into(), id.to_string().into());
            }
        }
        CANCEL_OFFER => {
            let ids = of_deleted_offers(metadata);
            let ids: Vec<Json> = ids.iter().map(|id| id.to_string().into()).collect();
            shown.insert("nftoken_ids".into(), ids.into());
        }
        _ => {}
    }
    let offers = tx.kind == CREATE_OFFER || (tx.kind == MINT && tx.object.contains(fields::AMOUNT));
    if offers
        && let Some((_, offer)) = nodes(metadata, entry_type::NFTOKEN_OFFER)
            .find(|(what, _)| *what == fields::CREATED_NODE)
        && let Some(id) = offer.hash256(fields::LEDGER_INDEX)
    {
        shown.insert("offer_id".into(), id.to_string().into());
    }
}

fn nodes(metadata: &Object, kind: u16) -> impl Iterator<Item = (Field, &Object)> {
    let nodes = metadata.array(fields::AFFECTED_NODES).unwrap_or_default();
    nodes
        .iter()
        .filter(move |(_, node)| node.u16(fields::LEDGER_ENTRY_TYPE) == Some(kind))
        .map(|(what, node)| (*what, node))
}

/// The NFT that is on pages now and was not before.
fn minted(metadata: &Object) -> Option<Hash256> {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (what, node) in nodes(metadata, entry_type::NFTOKEN_PAGE) {
        let part = |field| node.object(field);
        match what {
            fields::CREATED_NODE => {
                after.extend(part(fields::NEW_FIELDS).into_iter().flat_map(token_ids));
            }
            fields::MODIFIED_NODE => {
                // A page that was only linked to another one lists nothing here.
                let old = part(fields::PREVIOUS_FIELDS);
                let Some(old) = old.filter(|old| old.contains(fields::NF_TOKENS)) else { continue };
                before.extend(token_ids(old));
                after.extend(part(fields::FINAL_FIELDS).into_iter().flat_map(token_ids));
            }
            _ => {}
        }
    }
    if after.len() != before.len() + 1 {
        return None;
    }
    let same = after.iter().zip(&before).take_while(|(a, b)| a == b).count();
    after.get(same).copied()
}

/// The NFTs for which offers went, sorted.
fn of_deleted_offers(metadata: &Object) -> Vec<Hash256> {
    let mut ids: Vec<Hash256> = nodes(metadata, entry_type::NFTOKEN_OFFER)
        .filter(|(what, _)| *what == fields::DELETED_NODE)
        .filter_map(|(_, node)| node.object(fields::FINAL_FIELDS)?.hash256(fields::NF_TOKEN_ID))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
