//! `tx_json` as xrpld's servers read it: in its order, with its words, and as loosely. A number may
//! be a text, an amount `"1/USD/r..."`, and what is too small for an issued currency is 0. Clients
//! that sign for themselves are stricter ([`xrpl_protocol::input`]).

use serde_json::{Map, Value as Json};
use xrpl_protocol::{
    AccountId, Amount, Currency, Definitions, Field, Issue, IssuedValue, MptId, Object, Value,
    fields,
    object::{FieldType, PathStep},
};

use super::RpcError;
use crate::ledger::helpers::BAD_CURRENCY;

/// Deepest nesting.
const MAX_DEPTH: usize = 64;
/// Most elements of one array.
const MAX_ELEMENTS: usize = 512;

type Result<T> = std::result::Result<T, RpcError>;

/// A transaction's fields.
pub(super) fn read(members: &Map<String, Json>) -> Result<Object> {
    let mut disallowed = None;
    let object = object("tx_json", members, 0, &mut disallowed)?;
    match disallowed {
        None => Ok(object),
        Some(name) => {
            Err(RpcError::invalid(format!("Field '{name}' found in disallowed location.")))
        }
    }
}

fn said(path: &str, what: &str) -> RpcError {
    RpcError::invalid(format!("Field '{path}' {what}"))
}

fn unknown(path: &str) -> RpcError {
    said(path, "is unknown.")
}

fn bad_type(path: &str) -> RpcError {
    said(path, "has bad type.")
}

fn invalid_data(path: &str) -> RpcError {
    said(path, "has invalid data.")
}

fn must_be_array(path: &str) -> RpcError {
    said(path, "must be a JSON array.")
}

fn too_big(path: &str) -> RpcError {
    said(path, &format!("exceeds allowed JSON array size of {MAX_ELEMENTS} elements per field."))
}

/// A field of a name; none for names that are no field. The second says that it is known, but has
/// no binary form.
fn field_of(name: &str) -> Option<(Field, bool)> {
    let definitions = Definitions::builtin();
    match definitions.field(name) {
        Some(field) => Some((field, false)),
        None if definitions.is_not_serialised(name) && name != "Invalid" => {
            Some((fields::LEDGER_HASH, true))
        }
        None => None,
    }
}

fn object(
    path: &str,
    members: &Map<String, Json>,
    depth: usize,
    disallowed: &mut Option<String>,
) -> Result<Object> {
    if depth > MAX_DEPTH {
        return Err(said(path, "exceeds nesting depth limit."));
    }
    let mut read = Object::new();
    for (name, json) in members {
        let at = format!("{path}.{name}");
        let (field, is_unserialised) = field_of(name).ok_or_else(|| unknown(&at))?;
        let value = match field.field_type() {
            FieldType::Object => {
                let Json::Object(inner) = json else {
                    return Err(said(&at, "is not a JSON object."));
                };
                Value::Object(object(&at, inner, depth + 1, disallowed)?)
            }
            FieldType::Array => Value::Array(array(&at, json, depth + 1, disallowed)?),
            _ => leaf(&at, name, field, json)?,
        };
        match is_unserialised {
            true => *disallowed = disallowed.take().or_else(|| Some(name.clone())),
            false => read.set(field, value),
        }
    }
    Ok(read)
}

fn array(
    path: &str,
    json: &Json,
    depth: usize,
    disallowed: &mut Option<String>,
) -> Result<Vec<(Field, Object)>> {
    let list = match json {
        Json::Array(list) => list.as_slice(),
        Json::Null => &[],
        _ => return Err(said(path, "is not a JSON array.")),
    };
    if depth > MAX_DEPTH {
        return Err(said(path, "exceeds nesting depth limit."));
    }
    if list.len() > MAX_ELEMENTS {
        return Err(too_big(&format!("{path}.")));
    }
    let mut elements = Vec::with_capacity(list.len());
    for (n, element) in list.iter().enumerate() {
        let only = element.as_object().filter(|o| o.len() == 1).and_then(|o| o.iter().next());
        let Some((name, inner)) = only else {
            return Err(said(
                &format!("{path}[{n}]"),
                "must be an object with a single key/object value.",
            ));
        };
        let (field, _) = field_of(name).ok_or_else(|| unknown(&format!("{path}.{name}")))?;
        let at = format!("{path}.[{n}].{name}");
        let inner = match inner {
            Json::Object(inner) => object(&at, inner, depth + 1, disallowed),
            Json::Null => Ok(Object::new()),
            _ => Err(said(&at, "is not a JSON object.")),
        };
        let inner = inner.map_err(|mut error| {
            error.message = format!("Error at '{at}'. {}", error.message);
            error
        })?;
        if field.field_type() != FieldType::Object {
            return Err(RpcError::invalid(format!(
                "Item '{at}Field type: {} ' at index {n} is not an object.  Arrays may only contain \
                 objects.",
                field.type_code()
            )));
        }
        elements.push((field, inner));
    }
    Ok(elements)
}

/// Why a leaf cannot be read.
enum Wrong {
    Type,
    Data,
    Range,
}

fn leaf(path: &str, name: &str, field: Field, json: &Json) -> Result<Value> {
    match field.field_type() {
        FieldType::PathSet => return paths(path, json).map(Value::PathSet),
        FieldType::Vector256 => {
            let list = match json {
                Json::Array(list) => list.as_slice(),
                Json::Null => &[],
                _ => return Err(must_be_array(path)),
            };
            if list.len() > MAX_ELEMENTS {
                return Err(too_big(path));
            }
            let hash = |json: &Json| json.as_str().and_then(hex::<32>);
            let hashes: Option<Vec<_>> =
                list.iter().map(|json| hash(json).map(xrpl_protocol::Hash256)).collect();
            return hashes.map(Value::Vector256).ok_or_else(|| invalid_data(path));
        }
        _ => {}
    }
    simple(name, field, json).map_err(|wrong| match wrong {
        Wrong::Type => bad_type(path),
        Wrong::Data => invalid_data(path),
        Wrong::Range => said(path, "is out of range."),
    })
}

fn simple(name: &str, field: Field, json: &Json) -> std::result::Result<Value, Wrong> {
    let text = || json.as_str().ok_or(Wrong::Type);
    let starts_no_number =
        |text: &str| !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit());
    let definitions = Definitions::builtin();
    Ok(match field.field_type() {
        FieldType::UInt8 => match json {
            Json::String(text) if starts_no_number(text) => {
                if field != fields::TRANSACTION_RESULT {
                    return Err(Wrong::Type);
                }
                let code = definitions.result(text).and_then(|code| u8::try_from(code).ok());
                Value::UInt8(code.ok_or(Wrong::Range)?)
            }
            Json::Number(_) => {
                Value::UInt8(u8::try_from(integer(json)?).map_err(|_| Wrong::Range)?)
            }
            _ => Value::UInt8(unsigned(json)?),
        },
        FieldType::UInt16 => match json {
            Json::String(text) if starts_no_number(text) => Value::UInt16(
                match field {
                    fields::TRANSACTION_TYPE => definitions.transaction_type(text),
                    fields::LEDGER_ENTRY_TYPE => definitions.ledger_entry_type(text),
                    _ => None,
                }
                .ok_or(Wrong::Data)?,
            ),
            _ => Value::UInt16(unsigned(json)?),
        },
        FieldType::UInt32 if field == fields::PERMISSION_VALUE && json.is_string() => {
            codec(name, json)?
        }
        FieldType::UInt32 => Value::UInt32(unsigned(json)?),
        FieldType::UInt64 => match json {
            // Decimal or hexadecimal, as the field wants it.
            Json::String(_) => codec(name, json)?,
            _ => Value::UInt64(unsigned(json)?),
        },
        FieldType::Int32 => Value::Int32(match json {
            Json::String(text) => text.parse().map_err(|_| Wrong::Data)?,
            _ => i32::try_from(integer(json)?).map_err(|_| Wrong::Range)?,
        }),
        FieldType::Hash128 => Value::Hash128(hash(text()?)?),
        FieldType::Hash160 => Value::Hash160(hash(text()?)?),
        FieldType::Hash192 => Value::Hash192(hash(text()?)?),
        FieldType::Hash256 => Value::Hash256(xrpl_protocol::Hash256(hash(text()?)?)),
        FieldType::Blob => Value::Blob(super::bytes_of(text()?).ok_or(Wrong::Data)?),
        FieldType::AccountId => Value::Account(account(text()?).ok_or(Wrong::Data)?),
        FieldType::Amount => Value::Amount(amount(json).ok_or(Wrong::Data)?),
        FieldType::Issue => Value::Issue(asset_of(json).ok_or(Wrong::Data)?),
        FieldType::Currency => {
            let currency = json.as_str().and_then(real_currency);
            Value::Currency(currency.ok_or(Wrong::Data)?)
        }
        FieldType::Number | FieldType::XChainBridge => {
            codec(name, json).map_err(|_| Wrong::Data)?
        }
        _ => return Err(Wrong::Type),
    })
}

/// What the codec makes of it.
fn codec(name: &str, json: &Json) -> std::result::Result<Value, Wrong> {
    let definitions = Definitions::builtin();
    let alone = Json::Object(Map::from_iter([(name.to_owned(), json.clone())]));
    let read = Object::from_json(&alone, definitions).map_err(|_| Wrong::Data)?;
    read.iter().next().map(|(_, value)| value.clone()).ok_or(Wrong::Data)
}

/// Whole numbers of 32 bits are all that xrpld's JSON has.
fn integer(json: &Json) -> std::result::Result<i64, Wrong> {
    json.as_i64().ok_or(Wrong::Type)
}

fn unsigned<T: TryFrom<u64> + std::str::FromStr>(json: &Json) -> std::result::Result<T, Wrong> {
    match json {
        Json::String(text) => text.parse().map_err(|_| Wrong::Data),
        _ => {
            let n = u64::try_from(integer(json)?).map_err(|_| Wrong::Data)?;
            T::try_from(n).map_err(|_| Wrong::Data)
        }
    }
}

/// A number in hexadecimal; `0` stands for all zeros.
pub(super) fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    if text == "0" {
        return Some(out);
    }
    (text.len() == N * 2 && const_hex::decode_to_slice(text, &mut out).is_ok()).then_some(out)
}

fn hash<const N: usize>(text: &str) -> std::result::Result<[u8; N], Wrong> {
    match text {
        "" => Ok([0; N]),
        text => hex(text).ok_or(Wrong::Data),
    }
}

/// An account as its address or in hexadecimal.
pub(super) fn account(text: &str) -> Option<AccountId> {
    hex(text).map(AccountId).or_else(|| text.parse().ok())
}

/// A currency as its code or in hexadecimal; nothing is XRP. The `1` by which a currency is shown that
/// is none names nothing.
pub(super) fn currency(text: &str) -> Option<Currency> {
    match text {
        "" => Some(Currency::XRP),
        "1" => None,
        text => hex(text).map(Currency).or_else(|| text.parse().ok()),
    }
}

/// A currency that can be meant: that of no currency and the one that spells XRP cannot.
fn real_currency(text: &str) -> Option<Currency> {
    let not_one = Currency(AccountId::ONE.0);
    currency(text).filter(|currency| *currency != not_one && *currency != BAD_CURRENCY)
}

/// XRP or an issued currency, members that are no part of it left aside.
pub(super) fn issue_of(json: &Json) -> Option<Issue> {
    let members = json.as_object().filter(|m| !m.contains_key("mpt_issuance_id"))?;
    let currency = real_currency(members.get("currency")?.as_str()?)?;
    let issuer = members.get("issuer").filter(|issuer| !issuer.is_null());
    if currency.is_xrp() {
        return issuer.is_none().then_some(Issue::Xrp);
    }
    let issuer: AccountId = issuer?.as_str()?.parse().ok()?;
    let is_nobody = issuer == AccountId::ZERO || issuer == AccountId::ONE;
    (!is_nobody).then_some(Issue::Issued { currency, issuer })
}

/// The same, or a multi-purpose token.
pub(super) fn asset_of(json: &Json) -> Option<Issue> {
    let members = json.as_object()?;
    if members.contains_key("currency") {
        return issue_of(json);
    }
    let id = members.get("mpt_issuance_id").filter(|_| !members.contains_key("issuer"))?;
    Some(Issue::Mpt(MptId(hex(id.as_str()?)?)))
}

/// What xrpld's JSON holds for false: nothing, or something empty.
pub(super) fn is_empty(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::String(text) => text.is_empty(),
        Json::Array(list) => list.is_empty(),
        Json::Object(members) => members.is_empty(),
        _ => false,
    }
}

fn paths(path: &str, json: &Json) -> Result<Vec<Vec<PathStep>>> {
    fn list<'a>(at: &str, json: &'a Json) -> Result<&'a [Json]> {
        match json {
            Json::Null => Ok(&[]),
            Json::Array(list) if list.len() > MAX_ELEMENTS => Err(too_big(at)),
            Json::Array(list) => Ok(list),
            _ => Err(must_be_array(at)),
        }
    }
    let mut all = Vec::new();
    for (i, steps) in list(path, json)?.iter().enumerate() {
        let at = format!("{path}[{i}]");
        let steps = list(&at, steps)?.iter().enumerate();
        let steps: Result<_> = steps.map(|(j, json)| step(&format!("{at}[{j}]"), json)).collect();
        all.push(steps?);
    }
    Ok(all)
}

fn step(path: &str, json: &Json) -> Result<PathStep> {
    let Json::Object(members) = json else { return Err(said(path, "is not a JSON object.")) };
    if members.contains_key("currency") && members.contains_key("mpt_issuance_id") {
        return Err(RpcError::invalid("Invalid Asset."));
    }
    let text = |key: &str| match members.get(key).filter(|json| !is_empty(json)) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(said(&format!("{path}.{key}"), "must be a string.")),
    };
    let wrong = |key: &str| invalid_data(&format!("{path}.{key}"));
    let keys = ["account", "currency", "mpt_issuance_id", "issuer"];
    if keys.iter().all(|key| members.get(*key).is_none_or(is_empty)) {
        return Err(invalid_data(path));
    }
    let account_at = |key: &str| match text(key)? {
        None => Ok(None),
        Some(text) => account(text).map(Some).ok_or_else(|| wrong(key)),
    };
    let account = account_at("account")?;
    let mpt: Option<MptId> = match text("mpt_issuance_id")? {
        None => None,
        Some(text) => Some(MptId(hex(text).ok_or_else(|| wrong("mpt_issuance_id"))?)),
    };
    let currency: Option<Currency> = match text("currency")? {
        None => None,
        Some(text) => Some(self::currency(text).ok_or_else(|| wrong("currency"))?),
    };
    let issuer = account_at("issuer")?;
    if mpt.is_some_and(|id| id.issuer() == AccountId::ZERO) {
        return Err(wrong("account"));
    }
    if mpt.is_some_and(|id| issuer.is_some_and(|issuer| issuer != id.issuer())) {
        return Err(wrong("issuer"));
    }
    Ok(PathStep { account, currency, issuer, mpt })
}

/// An amount in any of its forms: drops, `value/currency/issuer` as one text or as a list, an object.
pub(super) fn amount(json: &Json) -> Option<Amount> {
    let (empty, zero) = (Json::Null, Json::from(0));
    let parts: Vec<Json>;
    let mut is_mpt = false;
    let (value, currency, issuer) = match json {
        Json::Null => return None,
        Json::Object(members) => {
            let of = |key: &str| members.get(key).unwrap_or(&empty);
            is_mpt = members.contains_key("mpt_issuance_id");
            if is_mpt && (members.contains_key("currency") || members.contains_key("issuer")) {
                return None;
            }
            match is_mpt {
                true => (of("value"), of("mpt_issuance_id"), &empty),
                false => (of("value"), of("currency"), of("issuer")),
            }
        }
        Json::Array(list) => {
            let of = |n: usize| list.get(n).unwrap_or(&empty);
            (list.first().unwrap_or(&zero), of(1), of(2))
        }
        Json::String(text) => {
            parts = text.split(['\t', '\n', '\r', ' ', ',', '/']).map(Json::from).collect();
            if parts.len() > 3 {
                return None;
            }
            let of = |n: usize| parts.get(n).unwrap_or(&empty);
            (of(0), of(1), of(2))
        }
        other => (other, &empty, &empty),
    };
    let issue = match currency.as_str() {
        None | Some("" | "XRP") if json.is_object() => return None,
        None | Some("" | "XRP") => Issue::Xrp,
        Some(id) if is_mpt => Issue::Mpt(MptId(hex(id)?)),
        Some(code) => {
            let currency = self::currency(code).filter(|currency| !currency.is_xrp())?;
            let issuer = account(issuer.as_str()?)?;
            Issue::Issued { currency, issuer }
        }
    };
    let (negative, mantissa, exponent) = match value {
        Json::Number(_) => {
            let n = value.as_i64()?;
            (n < 0, n.unsigned_abs(), 0)
        }
        Json::String(text) => parts_of(text)?,
        _ => return None,
    };
    match issue {
        Issue::Issued { currency, issuer } => {
            let mantissa = i64::try_from(mantissa).ok()?;
            let mantissa = if negative { -mantissa } else { mantissa };
            let value = IssuedValue::new(mantissa, exponent).ok()?;
            Some(Amount::issued(value, currency, issuer))
        }
        Issue::Xrp | Issue::Mpt(_) => {
            let most = match issue {
                Issue::Xrp => 100_000_000_000_000_000,
                _ => i64::MAX,
            };
            let factor = 10i64.checked_pow(u32::try_from(exponent).ok()?)?;
            let whole = i64::try_from(mantissa).ok()?.checked_mul(factor)?;
            if whole > most {
                return None;
            }
            let signed = if negative { -whole } else { whole };
            Some(match issue {
                Issue::Mpt(id) => Amount::Mpt { value: signed, id },
                _ => Amount::Xrp(signed),
            })
        }
    }
}

/// Sign, digits and exponent of a decimal text without needless zeros in front.
fn parts_of(text: &str) -> Option<(bool, u64, i32)> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (number, exponent) = match rest.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (rest, None),
    };
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    if fraction.is_some_and(|fraction| !digits(fraction)) {
        return None;
    }
    let fraction = fraction.unwrap_or("");
    let mantissa = format!("{whole}{fraction}").parse().ok()?;
    let mut power = -i32::try_from(fraction.len()).ok()?;
    if let Some(exponent) = exponent {
        if !digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)) {
            return None;
        }
        power = power.checked_add(exponent.parse().ok()?)?;
    }
    Some((negative, mantissa, power))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const GENESIS: &str = "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh";

    fn refusal(json: Json) -> String {
        read(json.as_object().unwrap()).unwrap_err().message
    }

    #[test]
    fn as_loose_as_xrpld() {
        let value = |json| amount(&json).unwrap();
        assert_eq!(value(json!(7)), Amount::Xrp(7));
        assert_eq!(value(json!("-7")), Amount::Xrp(-7));
        assert_eq!(value(json!("7e2")), Amount::Xrp(700));
        let usd = value(json!({"currency": "USD", "issuer": GENESIS, "value": "1.5"}));
        assert_eq!(value(json!(format!("1.5/USD/{GENESIS}"))), usd);
        assert_eq!(value(json!(["1.5", "USD", GENESIS])), usd);
        // Where a client that signs for itself refuses.
        let tiny = value(json!({"currency": "USD", "issuer": GENESIS, "value": "1e-96"}));
        assert!(tiny.value().unwrap().is_zero());
        for none in [json!(null), json!("1.5"), json!("01"), json!(1.5), json!(true), json!({})] {
            assert_eq!(amount(&none), None, "{none}");
        }
    }

    #[test]
    fn words_of_refusals() {
        for (tx, words) in [
            (json!({"Foo": 1}), "Field 'tx_json.Foo' is unknown."),
            (json!({"Flags": null}), "Field 'tx_json.Flags' has bad type."),
            (json!({"Flags": -1}), "Field 'tx_json.Flags' has invalid data."),
            (json!({"Flags": ""}), "Field 'tx_json.Flags' has invalid data."),
            (json!({"Memos": 1}), "Field 'tx_json.Memos' is not a JSON array."),
            (
                json!({"Memos": ["x"]}),
                "Field 'tx_json.Memos[0]' must be an object with a single key/object value.",
            ),
            (json!({"Paths": 1}), "Field 'tx_json.Paths' must be a JSON array."),
            (json!({"Paths": [1]}), "Field 'tx_json.Paths[0]' must be a JSON array."),
            (json!({"Destination": 1}), "Field 'tx_json.Destination' has bad type."),
            (json!({"Destination": "x"}), "Field 'tx_json.Destination' has invalid data."),
        ] {
            assert_eq!(refusal(tx.clone()), words, "{tx}");
        }
    }
}
