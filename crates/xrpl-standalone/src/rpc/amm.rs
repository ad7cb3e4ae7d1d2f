//! AMMs (<https://xrpl.org/docs/references/http-websocket-apis/public-api-methods/path-and-order-book-methods/amm_info>).

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{AccountId, Amount, Hash256, Object, fields, object_id};

use super::{Answer, Call, Looked, RpcError, object, shape::iso_time, tx_json::asset_of};
use crate::ledger::{
    Entry,
    helpers::{
        amm::{
            pool::{account_holds_both, account_of, assets, lp_holds, lp_tokens},
            slots,
        },
        token::{self, IfFrozen, IfUnauthorized},
    },
};

fn fee(entry: &Object, field: xrpl_protocol::Field) -> u16 {
    entry.u16(field).unwrap_or_default()
}

fn account(entry: &Object) -> Json {
    entry.account(fields::ACCOUNT).unwrap_or_default().to_string().into()
}

pub(super) fn amm_info(call: &Call<'_>) -> Answer {
    let looked = call.ledger(&call.shared.node())?;
    answer(call, &looked).map_err(|error| error.in_ledger(&looked))
}

fn answer(call: &Call<'_>, looked: &Looked) -> Answer {
    let has = |key: &str| call.params.contains_key(key);
    if has("asset") != has("asset2") || has("asset") == has("amm_account") {
        return Err(RpcError::invalid("Invalid parameters."));
    }
    let (id, named) = if has("asset") {
        let asset = |key: &str| {
            let malformed = || RpcError::new("issueMalformed", 93, "Issue is malformed.");
            call.params.get(key).and_then(asset_of).ok_or_else(malformed)
        };
        let pair = (asset("asset")?, asset("asset2")?);
        (object_id::amm(pair.0, pair.1), Some(pair))
    } else {
        (by_account(call, looked)?, None)
    };
    let holder = match has("account") {
        true => Some(known_account(call, looked, "account")?.0),
        false => None,
    };
    let view = looked.view();
    let amm = view.read(&id).ok_or_else(RpcError::account_not_found)?;
    let pool = account_of(&amm);
    let pair = named.unwrap_or_else(|| assets(&amm));
    let (ignore, any) = (IfFrozen::Ignore, IfUnauthorized::Ignore);
    let (amount, amount2) = account_holds_both(view, pool, pair, ignore, any);
    let tokens = holder.map_or_else(|| lp_tokens(&amm), |holder| lp_holds(view, &amm, holder));
    let mut shown = object(json!({
        "account": pool.to_string(),
        "amount": amount.to_json(),
        "amount2": amount2.to_json(),
        "lp_token": tokens.to_json(),
        "trading_fee": slots::trading_fee(&amm),
    }));
    let votes = amm.array(fields::VOTE_SLOTS).unwrap_or_default();
    if !votes.is_empty() {
        let votes: Vec<Json> = votes.iter().map(|(_, vote)| vote_json(vote)).collect();
        shown.insert("vote_slots".into(), votes.into());
    }
    if let Some(slot) =
        amm.object(fields::AUCTION_SLOT).filter(|slot| slot.contains(fields::ACCOUNT))
    {
        shown.insert("auction_slot".into(), slot_json(slot, view.info().parent_close_time));
    }
    for (amount, key) in [(amount, "asset_frozen"), (amount2, "asset2_frozen")] {
        if !matches!(amount, Amount::Xrp(_)) {
            let frozen = token::is_frozen(view, pool, amount.issue());
            shown.insert(key.into(), frozen.into());
        }
    }
    let mut answer = Map::from_iter([("amm".to_owned(), shown.into())]);
    looked.describe(&mut answer);
    Ok(answer)
}

fn known_account(
    call: &Call<'_>,
    looked: &Looked,
    key: &str,
) -> Result<(AccountId, Entry), RpcError> {
    let id = call.params.get(key).and_then(Json::as_str).and_then(|id| id.parse().ok());
    let found = id.and_then(|id| Some((id, looked.view().account(id)?)));
    found.ok_or_else(RpcError::account_malformed)
}

fn by_account(call: &Call<'_>, looked: &Looked) -> Result<Hash256, RpcError> {
    let (_, root) = known_account(call, looked, "amm_account")?;
    root.hash256(fields::AMMID).ok_or_else(RpcError::account_not_found)
}

fn vote_json(vote: &Object) -> Json {
    json!({
        "account": account(vote),
        "trading_fee": fee(vote, fields::TRADING_FEE),
        "vote_weight": vote.u32(fields::VOTE_WEIGHT).unwrap_or_default(),
    })
}

fn slot_json(slot: &Object, now: u32) -> Json {
    let end = iso_time(slot.u32(fields::EXPIRATION).unwrap_or_default());
    let mut shown = object(json!({
        "account": account(slot),
        "discounted_fee": fee(slot, fields::DISCOUNTED_FEE),
        "expiration": format!("{}.000000000+0000", end.trim_end_matches('Z')),
        "price": slot.amount(fields::PRICE).map(|price| price.to_json()),
        "time_interval": slots::interval(now, slot).unwrap_or(slots::SLOT_INTERVALS),
    }));
    if let Some(named) = slot.array(fields::AUTH_ACCOUNTS) {
        let named: Vec<Json> =
            named.iter().map(|(_, named)| json!({"account": account(named)})).collect();
        shown.insert("auth_accounts".into(), named.into());
    }
    shown.into()
}
