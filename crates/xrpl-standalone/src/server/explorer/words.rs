//! Transactions and their metadata in words.

use serde_json::{Map, Value as Json, json};
use xrpl_protocol::{Definitions, Object, fields, object::FieldType};

use super::text;
use crate::ledger::LedgerTransaction;

/// A currency code for people: three letters, or what forty digits spell.
fn currency(code: &str) -> String {
    let spelt = (code.len() == 40).then(|| const_hex::decode(code).ok()).flatten();
    let spelt = spelt.map(|bytes| bytes.into_iter().filter(|b| *b != 0).collect::<Vec<_>>());
    match spelt {
        Some(bytes) if bytes.iter().all(u8::is_ascii_graphic) && !bytes.is_empty() => {
            String::from_utf8_lossy(&bytes).into_owned()
        }
        Some(_) => format!("{}…", &code[..8]),
        None => code.to_owned(),
    }
}

/// Drops as XRP.
pub(super) fn xrp(drops: &str) -> String {
    let (sign, digits) = drops.strip_prefix('-').map_or(("", drops), |digits| ("-", digits));
    let digits = format!("{digits:0>7}");
    let (whole, fraction) = digits.split_at(digits.len() - 6);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction} XRP")
}

/// An amount for people.
pub(super) fn amount(json: &Json) -> String {
    match json {
        Json::String(drops) => xrp(drops),
        Json::Object(_) if json.get("mpt_issuance_id").is_some() => {
            format!("{} of MPT {}…", text(json, "value"), short(text(json, "mpt_issuance_id")))
        }
        Json::Object(_) => format!("{} {}", text(json, "value"), currency(text(json, "currency"))),
        other => other.to_string(),
    }
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// What a transaction asks for, in a sentence without an end.
pub(super) fn intent(tx: &Json) -> String {
    let account = text(tx, "Account");
    let to = text(tx, "Destination");
    let of = |key: &str| amount(tx.get(key).unwrap_or(&Json::Null));
    match text(tx, "TransactionType") {
        "Payment" => {
            let what = tx.get("DeliverMax").or(tx.get("Amount")).map(amount).unwrap_or_default();
            match tx.get("SendMax") {
                Some(most) => format!("{account} pays {to} {what} for {} at most", amount(most)),
                None => format!("{account} pays {to} {what}"),
            }
        }
        "TrustSet" => {
            let limit = tx.get("LimitAmount").unwrap_or(&Json::Null);
            format!("{account} trusts {} up to {}", text(limit, "issuer"), amount(limit))
        }
        "OfferCreate" => {
            format!("{account} offers {} for {}", of("TakerGets"), of("TakerPays"))
        }
        "OfferCancel" => format!("{account} withdraws its offer {}", tx["OfferSequence"]),
        "EscrowCreate" => format!("{account} puts {} into escrow for {to}", of("Amount")),
        "EscrowFinish" => {
            format!("{account} finishes escrow {} of {}", tx["OfferSequence"], text(tx, "Owner"))
        }
        "EscrowCancel" => {
            format!("{account} cancels escrow {} of {}", tx["OfferSequence"], text(tx, "Owner"))
        }
        "CheckCreate" => format!("{account} writes {to} a check over {}", of("SendMax")),
        "CheckCash" => format!("{account} cashes a check"),
        "CheckCancel" => format!("{account} cancels a check"),
        "TicketCreate" => {
            format!("{account} sets {} Sequences aside as Tickets", tx["TicketCount"])
        }
        "AccountSet" => format!("{account} changes its settings"),
        "AccountDelete" => format!("{account} is deleted; what it has goes to {to}"),
        "SetRegularKey" => format!("{account} changes its regular key"),
        "SignerListSet" => format!("{account} changes who signs for it"),
        "PaymentChannelCreate" => format!("{account} opens a channel of {} to {to}", of("Amount")),
        "NFTokenMint" => format!("{account} mints an NFT"),
        "NFTokenBurn" => format!("{account} burns an NFT"),
        "AMMCreate" => format!("{account} makes a pool of {} and {}", of("Amount"), of("Amount2")),
        other => format!("{account} sends {other}"),
    }
}

/// Its result in words.
fn outcome(transaction: &LedgerTransaction, metadata: &Json) -> String {
    let result = transaction.result;
    match result.is_success() {
        true => match metadata.get("delivered_amount").or(metadata.get("DeliveredAmount")) {
            Some(delivered) => format!("It succeeded and delivered {}.", amount(delivered)),
            None => "It succeeded.".into(),
        },
        false => {
            format!("It did nothing but cost its fee: {} ({})", result.message(), result.name())
        }
    }
}

/// One field before and after.
fn change(name: &str, from: Option<&Json>, to: Option<&Json>) -> Json {
    let definitions = Definitions::builtin();
    let is_amount =
        definitions.field(name).is_some_and(|field| field.field_type() == FieldType::Amount);
    let shown = |json: Option<&Json>| match json {
        None => Json::Null,
        Some(json) if is_amount => amount(json).into(),
        Some(Json::String(text)) => text.as_str().into(),
        Some(json) => json.to_string().into(),
    };
    json!({"field": name, "from": shown(from), "to": shown(to)})
}

/// What a transaction did to one entry.
fn node(kind: &str, node: &Json) -> Json {
    let what = match kind {
        "CreatedNode" => "created",
        "DeletedNode" => "deleted",
        _ => "changed",
    };
    let (entry, id) = (text(node, "LedgerEntryType"), text(node, "LedgerIndex"));
    let empty = Map::new();
    let members = |key: &str| node.get(key).and_then(Json::as_object).unwrap_or(&empty);
    let (new, before, last) =
        (members("NewFields"), members("PreviousFields"), members("FinalFields"));
    let changes: Vec<Json> = match kind {
        "CreatedNode" => new.iter().map(|(name, to)| change(name, None, Some(to))).collect(),
        _ => {
            let was = before.iter();
            was.map(|(name, from)| change(name, Some(from), last.get(name))).collect()
        }
    };
    let owner = |all: &Map<String, Json>| {
        let named = ["Account", "Owner"].iter().find_map(|key| all.get(*key)?.as_str());
        named.map(str::to_owned)
    };
    let whose = owner(new).or_else(|| owner(last));
    let line = |all: &Map<String, Json>| {
        let issuer = |key: &str| Some(text(all.get(key)?, "issuer").to_owned());
        Some((issuer("LowLimit")?, issuer("HighLimit")?))
    };
    let words = match (entry, line(new).or_else(|| line(last))) {
        ("RippleState", Some((low, high))) => {
            format!("The trust line of {low} and {high} is {what}")
        }
        _ => match &whose {
            Some(account) => format!("{} of {account} is {what}", spaced(entry)),
            None => format!("{} {}… is {what}", spaced(entry), short(id)),
        },
    };
    json!({"what": what, "type": entry, "id": id, "words": words, "changes": changes})
}

/// `AccountRoot` as `Account root`.
fn spaced(name: &str) -> String {
    let mut out = String::new();
    let letters: Vec<char> = name.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let begins = at > 0 && letter.is_ascii_uppercase() && letters[at - 1].is_ascii_lowercase();
        if begins {
            out.push(' ');
        }
        match begins {
            true => out.extend(letter.to_lowercase()),
            false => out.push(*letter),
        }
    }
    out
}

/// A validated transaction in words: what it wanted, how it ended, what it did to each entry.
pub(super) fn of(transaction: &LedgerTransaction, metadata: &Json) -> Json {
    let read = transaction.read();
    let tx = read.tx.object.to_json(Definitions::builtin());
    let nodes = metadata["AffectedNodes"].as_array().into_iter().flatten();
    let effects = nodes.filter_map(|affected| {
        let (kind, body) = affected.as_object()?.iter().next()?;
        Some(node(kind, body))
    });
    json!({
        "summary": format!("{}.", intent(&tx)),
        "outcome": outcome(transaction, metadata),
        "effects": effects.collect::<Vec<_>>(),
    })
}

/// The fields of a transaction that is not validated, as its page shows them.
pub(super) fn pending(tx: &Object) -> Json {
    let tx_json = tx.to_json(Definitions::builtin());
    let ends = tx.u32(fields::LAST_LEDGER_SEQUENCE);
    json!({
        "summary": format!("{}.", intent(&tx_json)),
        "outcome": match ends {
            Some(last) => format!("It is in no closed ledger yet, and can get into one up to {last}."),
            None => "It is in no closed ledger yet.".to_owned(),
        },
        "effects": [],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_for_people() {
        for (drops, shown) in [
            ("0", "0 XRP"),
            ("1", "0.000001 XRP"),
            ("1500000", "1.5 XRP"),
            ("10000000000", "10000 XRP"),
            ("-20", "-0.00002 XRP"),
        ] {
            assert_eq!(amount(&drops.into()), shown);
        }
        let issued = json!({"value": "1.5", "currency": "USD", "issuer": "r"});
        assert_eq!(amount(&issued), "1.5 USD");
        let long = "524C555344000000000000000000000000000000";
        assert_eq!(currency(long), "RLUSD");
        assert_eq!(currency("0158415500000000C1F76FF6ECB0BAC600000000"), "01584155…");
        assert_eq!(
            (spaced("AccountRoot"), spaced("NFTokenPage")),
            ("Account root".into(), "NFToken page".into())
        );
    }
}
