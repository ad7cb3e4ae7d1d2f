//! `ripple_path_find`. Paths are not searched here: what is wrong with a request is said as xrpld says
//! it, and from XRP to XRP, where no path is needed, there are no alternatives.

use serde_json::{Value as Json, json};
use xrpl_protocol::{AccountId, Amount, Currency, Hash256, fields};

use super::{Answer, Call, Looked, RpcError, convert::text_of, object, tx_json};
use crate::ledger::entry_type;

/// Most currencies that a request may name.
const MAX_SOURCES: usize = 18;
/// `lsfDisallowXRP`.
const DISALLOW_XRP: u32 = 0x0008_0000;

fn amount_malformed() -> RpcError {
    RpcError::new("dstAmtMalformed", 51, "Destination amount/currency/issuer is malformed.")
}

/// What a request asks for, once it is well formed.
struct Wanted {
    source: AccountId,
    destination: AccountId,
    amount: Amount,
    /// Whether only XRP may be spent; none if the request does not say.
    only_xrp: Option<bool>,
}

/// Whether an amount is `-1`: as much as can be delivered.
fn is_all(amount: &Amount) -> bool {
    match amount {
        Amount::Xrp(drops) => *drops == -1,
        Amount::Mpt { value, .. } => *value == -1,
        Amount::Issued { value, .. } => *value == xrpl_protocol::IssuedValue::ONE.negated(),
    }
}

fn wanted(call: &Call<'_>) -> Result<Wanted, RpcError> {
    for (key, token, code, message) in [
        ("source_account", "srcActMissing", 66, "Source account not provided."),
        ("destination_account", "dstActMissing", 49, "Destination account not provided."),
        (
            "destination_amount",
            "dstAmtMissing",
            52,
            "Destination amount/currency/issuer is missing.",
        ),
    ] {
        if !call.params.contains_key(key) {
            return Err(RpcError::new(token, code, message));
        }
    }
    let account = |key: &str, token, code, message| {
        text_of(&call.params[key])?.parse().map_err(|_| RpcError::new(token, code, message))
    };
    let source = account("source_account", "srcActMalformed", 65, "Source account is malformed.")?;
    let destination =
        account("destination_account", "dstActMalformed", 48, "Destination account is malformed.")?;
    let amount =
        tx_json::amount(&call.params["destination_amount"]).ok_or_else(amount_malformed)?;
    let all = is_all(&amount);
    if !all && amount.signum() <= 0 {
        return Err(amount_malformed());
    }
    if let Some(most) = call.params.get("send_max") {
        if !all {
            return Err(amount_malformed());
        }
        let most = tx_json::amount(most).filter(|most| most.signum() > 0 || is_all(most));
        if most.is_none() {
            return Err(RpcError::new("sendMaxMalformed", 64, "SendMax amount malformed."));
        }
    }
    let only_xrp = match call.params.get("source_currencies") {
        None => None,
        Some(json) => Some(sources(json)?),
    };
    if let Some(domain) = call.params.get("domain")
        && domain.as_str().is_none_or(|text| text.parse::<Hash256>().is_err())
    {
        return Err(RpcError::new("domainMalformed", 97, "Domain is malformed."));
    }
    Ok(Wanted { source, destination, amount, only_xrp })
}

/// Whether the named currencies are XRP alone.
fn sources(json: &Json) -> Result<bool, RpcError> {
    let malformed = || RpcError::new("srcCurMalformed", 69, "Source currency is malformed.");
    let list = json.as_array().filter(|list| (1..=MAX_SOURCES).contains(&list.len()));
    let mut only_xrp = true;
    for json in list.ok_or_else(malformed)? {
        let members = json.as_object().ok_or_else(malformed)?;
        let is_mpt = members.contains_key("mpt_issuance_id");
        if is_mpt && (members.contains_key("currency") || members.contains_key("issuer")) {
            return Err(malformed());
        }
        let key = if is_mpt { "mpt_issuance_id" } else { "currency" };
        let text = members.get(key).and_then(Json::as_str).ok_or_else(malformed)?;
        let is_xrp = match is_mpt {
            true => {
                text.parse::<xrpl_protocol::MptId>().map_err(|_| malformed())?;
                false
            }
            false if text.is_empty() => true,
            false => text.parse::<Currency>().map_err(|_| malformed())?.is_xrp(),
        };
        if let Some(issuer) = members.get("issuer") {
            let issuer = issuer.as_str().and_then(|text| text.parse::<AccountId>().ok());
            let issuer = issuer.ok_or_else(|| {
                RpcError::new("srcIsrMalformed", 70, "Source issuer is malformed.")
            })?;
            if is_xrp && issuer != AccountId::ZERO {
                return Err(malformed());
            }
        }
        only_xrp &= is_xrp;
    }
    Ok(only_xrp)
}

pub(super) fn ripple_path_find(call: &Call<'_>) -> Answer {
    let looked = call.ledger(&call.shared.node())?;
    let about = |error: RpcError| match error.token {
        // An exception ends the request before it has an answer.
        "internal" => error,
        _ => error.in_ledger(&looked),
    };
    let wanted = wanted(call).map_err(about)?;
    let currencies = destination_currencies(&looked, &wanted).map_err(about)?;
    let is_simple = wanted.amount.drops().is_some()
        && wanted.only_xrp.unwrap_or_else(|| !holds_issued(&looked, wanted.source));
    if !is_simple {
        return Err(about(RpcError::new("notImpl", 74, "Not implemented.")));
    }
    let mut answer = object(json!({
        "alternatives": [],
        "destination_account": wanted.destination.to_string(),
        "destination_amount": wanted.amount.to_json(),
        "destination_currencies": currencies,
        "full_reply": true,
        "source_account": wanted.source.to_string(),
    }));
    looked.describe(&mut answer);
    Ok(answer)
}

/// Currencies that the destination can take.
fn destination_currencies(looked: &Looked, wanted: &Wanted) -> Result<Vec<String>, RpcError> {
    let view = looked.view();
    if view.account(wanted.source).is_none() {
        return Err(RpcError::new("srcActNotFound", 67, "Source account not found."));
    }
    let Some(root) = view.account(wanted.destination) else {
        let Some(drops) = wanted.amount.drops() else {
            return Err(RpcError::account_not_found());
        };
        let reserve = i64::try_from(view.info().fees.reserve).unwrap_or(i64::MAX);
        return match is_all(&wanted.amount) || drops >= reserve {
            true => Ok(vec!["XRP".into()]),
            false => Err(amount_malformed()),
        };
    };
    let mut all: Vec<String> = lines(looked, wanted.destination)
        .filter(|(balance, limit, _)| balance < limit)
        .map(|(_, _, currency)| currency.to_string())
        .collect();
    if root.u32(fields::FLAGS).unwrap_or(0) & DISALLOW_XRP == 0 {
        all.push("XRP".into());
    }
    all.sort();
    all.dedup();
    Ok(all)
}

fn holds_issued(looked: &Looked, account: AccountId) -> bool {
    lines(looked, account).next().is_some()
}

/// An account's trust lines: balance, own limit, currency.
fn lines(
    looked: &Looked,
    account: AccountId,
) -> impl Iterator<Item = (xrpl_protocol::IssuedValue, xrpl_protocol::IssuedValue, Currency)> {
    looked.entries_after(Hash256::ZERO).filter_map(move |(_, entry)| {
        if entry_type::of(&entry) != entry_type::RIPPLE_STATE {
            return None;
        }
        let side = |field| match entry.amount(field)? {
            Amount::Issued { value, currency, issuer } => Some((value, currency, issuer)),
            _ => None,
        };
        let (balance, currency, _) = side(fields::BALANCE)?;
        let (low, high) = (side(fields::LOW_LIMIT)?, side(fields::HIGH_LIMIT)?);
        match (low.2 == account, high.2 == account) {
            (true, _) => Some((balance, low.0, currency)),
            (_, true) => Some((balance.negated(), high.0, currency)),
            _ => None,
        }
    })
}

pub(super) fn path_find(call: &Call<'_>) -> Answer {
    match call.params.get("subcommand") {
        Some(Json::String(_)) => {
            Err(RpcError::new("noEvents", 7, "Current transport does not support events."))
        }
        _ => Err(RpcError::invalid("Invalid parameters.")),
    }
}
