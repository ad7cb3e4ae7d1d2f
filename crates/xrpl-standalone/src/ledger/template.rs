//! Which fields a transaction of each type must and may have, and objects inside it.

use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;
use xrpl_protocol::{Amount, Definitions, Field, Object, Value, fields};

/// A field of a type, as xrpld's `server_definitions` has it: its optionality is 0 for required, 1
/// for optional, 2 for optional and never written with its default value.
#[derive(Deserialize)]
struct Listed {
    name: String,
    optionality: u8,
}

#[derive(Debug, Default)]
struct Format {
    required: Vec<(Field, String)>,
    allowed: FxHashSet<Field>,
    never_default: Vec<(Field, String)>,
}

fn formats() -> &'static FxHashMap<u16, Format> {
    static TABLE: OnceLock<FxHashMap<u16, Format>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let definitions = Definitions::builtin();
        let formats = &Definitions::builtin_json()["TRANSACTION_FORMATS"];
        let all: FxHashMap<String, Vec<Listed>> =
            FxHashMap::deserialize(formats).unwrap_or_default();
        let common = all.get("common").map_or(&[][..], Vec::as_slice);
        let mut table = FxHashMap::default();
        for (name, own) in &all {
            let Some(kind) = definitions.transaction_type(name) else { continue };
            let mut format = Format::default();
            for Listed { name: field_name, optionality } in own.iter().chain(common) {
                let Some(field) = definitions.field(field_name) else { continue };
                format.allowed.insert(field);
                match optionality {
                    0 => format.required.push((field, field_name.clone())),
                    2 => format.never_default.push((field, field_name.clone())),
                    _ => {}
                }
            }
            table.insert(kind, format);
        }
        table
    })
}

fn is_default(value: &Value) -> bool {
    match value {
        Value::UInt8(n) => *n == 0,
        Value::UInt16(n) => *n == 0,
        Value::UInt32(n) => *n == 0,
        Value::UInt64(n) => *n == 0,
        Value::Amount(amount) => matches!(amount, Amount::Xrp(0)),
        Value::PathSet(paths) => paths.is_empty(),
        Value::Blob(bytes) => bytes.is_empty(),
        _ => false,
    }
}

/// Fields of the objects inside others, in xrpld's order, with their optionality as above. Objects
/// that are not here have what they like.
fn inner_format(name: Field) -> Option<&'static [(Field, u8)]> {
    Some(match name {
        fields::SIGNER_ENTRY => {
            &[(fields::ACCOUNT, 0), (fields::SIGNER_WEIGHT, 0), (fields::WALLET_LOCATOR, 1)]
        }
        fields::SIGNER => {
            &[(fields::ACCOUNT, 0), (fields::SIGNING_PUB_KEY, 0), (fields::TXN_SIGNATURE, 0)]
        }
        fields::MAJORITY => &[(fields::AMENDMENT, 0), (fields::CLOSE_TIME, 0)],
        fields::DISABLED_VALIDATOR => {
            &[(fields::PUBLIC_KEY, 0), (fields::FIRST_LEDGER_SEQUENCE, 0)]
        }
        fields::NF_TOKEN => &[(fields::NF_TOKEN_ID, 0), (fields::URI, 1)],
        fields::VOTE_ENTRY => {
            &[(fields::ACCOUNT, 0), (fields::TRADING_FEE, 2), (fields::VOTE_WEIGHT, 0)]
        }
        fields::AUCTION_SLOT => &[
            (fields::ACCOUNT, 0),
            (fields::EXPIRATION, 0),
            (fields::DISCOUNTED_FEE, 2),
            (fields::PRICE, 0),
            (fields::AUTH_ACCOUNTS, 1),
        ],
        fields::X_CHAIN_CLAIM_ATTESTATION_COLLECTION_ELEMENT => &[
            (fields::ATTESTATION_SIGNER_ACCOUNT, 0),
            (fields::PUBLIC_KEY, 0),
            (fields::SIGNATURE, 0),
            (fields::AMOUNT, 0),
            (fields::ACCOUNT, 0),
            (fields::ATTESTATION_REWARD_ACCOUNT, 0),
            (fields::WAS_LOCKING_CHAIN_SEND, 0),
            (fields::X_CHAIN_CLAIM_ID, 0),
            (fields::DESTINATION, 1),
        ],
        fields::X_CHAIN_CREATE_ACCOUNT_ATTESTATION_COLLECTION_ELEMENT => &[
            (fields::ATTESTATION_SIGNER_ACCOUNT, 0),
            (fields::PUBLIC_KEY, 0),
            (fields::SIGNATURE, 0),
            (fields::AMOUNT, 0),
            (fields::ACCOUNT, 0),
            (fields::ATTESTATION_REWARD_ACCOUNT, 0),
            (fields::WAS_LOCKING_CHAIN_SEND, 0),
            (fields::X_CHAIN_ACCOUNT_CREATE_COUNT, 0),
            (fields::DESTINATION, 0),
            (fields::SIGNATURE_REWARD, 0),
        ],
        fields::X_CHAIN_CLAIM_PROOF_SIG => &[
            (fields::ATTESTATION_SIGNER_ACCOUNT, 0),
            (fields::PUBLIC_KEY, 0),
            (fields::AMOUNT, 0),
            (fields::ATTESTATION_REWARD_ACCOUNT, 0),
            (fields::WAS_LOCKING_CHAIN_SEND, 0),
            (fields::DESTINATION, 1),
        ],
        fields::X_CHAIN_CREATE_ACCOUNT_PROOF_SIG => &[
            (fields::ATTESTATION_SIGNER_ACCOUNT, 0),
            (fields::PUBLIC_KEY, 0),
            (fields::AMOUNT, 0),
            (fields::SIGNATURE_REWARD, 0),
            (fields::ATTESTATION_REWARD_ACCOUNT, 0),
            (fields::WAS_LOCKING_CHAIN_SEND, 0),
            (fields::DESTINATION, 0),
        ],
        fields::AUTH_ACCOUNT => &[(fields::ACCOUNT, 0)],
        fields::PRICE_DATA => &[
            (fields::BASE_ASSET, 0),
            (fields::QUOTE_ASSET, 0),
            (fields::ASSET_PRICE, 1),
            (fields::SCALE, 2),
        ],
        fields::CREDENTIAL => &[(fields::ISSUER, 0), (fields::CREDENTIAL_TYPE, 0)],
        fields::PERMISSION => &[(fields::PERMISSION_VALUE, 0)],
        fields::BATCH_SIGNER => &[
            (fields::ACCOUNT, 0),
            (fields::SIGNING_PUB_KEY, 1),
            (fields::TXN_SIGNATURE, 1),
            (fields::SIGNERS, 1),
        ],
        fields::BOOK => &[(fields::BOOK_DIRECTORY, 0), (fields::BOOK_NODE, 0)],
        fields::COUNTERPARTY_SIGNATURE => {
            &[(fields::SIGNING_PUB_KEY, 1), (fields::TXN_SIGNATURE, 1), (fields::SIGNERS, 1)]
        }
        _ => return None,
    })
}

fn name_of(field: Field) -> &'static str {
    Definitions::builtin().name(field).unwrap_or("?")
}

fn missing(name: &str) -> String {
    format!("Field '{name}' is required but missing.")
}

fn is_explicit_default(name: &str) -> String {
    format!("Field '{name}' may not be explicitly set to default.")
}

fn disallowed(name: &str) -> String {
    format!("Field '{name}' found in disallowed location.")
}

fn check_one_inner(name: Field, inner: &Object) -> Result<(), String> {
    check_inner(inner)?;
    let Some(format) = inner_format(name) else { return Ok(()) };
    for (field, optionality) in format {
        match (inner.get(*field), optionality) {
            (None, 0) => return Err(missing(name_of(*field))),
            (Some(value), 2) if is_default(value) => {
                return Err(is_explicit_default(name_of(*field)));
            }
            _ => {}
        }
    }
    let mut names = inner.iter().map(|(field, _)| field);
    match names.find(|name| format.iter().all(|(field, _)| field != name)) {
        Some(field) => Err(disallowed(name_of(field))),
        None => Ok(()),
    }
}

/// Whether the objects inside one, however deep, have the fields that xrpld gives them; the error is
/// in its words.
fn check_inner(object: &Object) -> Result<(), String> {
    for (field, value) in object.iter() {
        match value {
            Value::Object(inner) => check_one_inner(field, inner)?,
            Value::Array(elements) => {
                elements.iter().try_for_each(|(name, inner)| check_one_inner(*name, inner))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether an object has the fields of its type; the error is in xrpld's words.
pub(super) fn check(kind: u16, tx: &Object) -> Result<(), String> {
    // xrpld looks at the objects inside while it still reads.
    check_inner(tx)?;
    let Some(format) = formats().get(&kind) else {
        return Err(format!("Invalid transaction type {kind}"));
    };
    if let Some((_, name)) = format.required.iter().find(|(field, _)| !tx.contains(*field)) {
        return Err(missing(name));
    }
    for (field, name) in &format.never_default {
        if tx.get(*field).is_some_and(is_default) {
            return Err(is_explicit_default(name));
        }
    }
    match tx.iter().find(|(field, _)| !format.allowed.contains(field)) {
        Some((field, _)) => Err(disallowed(name_of(field))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_format() {
        let pseudo_or_real =
            Definitions::builtin().transaction_types().filter(|(_, code)| *code >= 0);
        let missing: Vec<_> = pseudo_or_real
            .filter(|(_, code)| !formats().contains_key(&u16::try_from(*code).unwrap()))
            .collect();
        assert_eq!(missing, []);
    }

    #[test]
    fn objects_inside_have_their_own_fields() {
        let with_price = |price: Object| {
            let series = Value::Array(vec![(fields::PRICE_DATA, price)]);
            let mut tx = Object::new();
            tx.set(fields::PRICE_DATA_SERIES, series);
            check_inner(&tx)
        };
        let currency = |field| (field, Value::Currency(xrpl_protocol::Currency::default()));
        let (base, quote) = (currency(fields::BASE_ASSET), currency(fields::QUOTE_ASSET));
        let pair = Object::new().with(base.0, base.1);
        let error = with_price(pair.clone()).unwrap_err();
        assert_eq!(error, "Field 'QuoteAsset' is required but missing.");
        let pair = pair.with(quote.0, quote.1);
        assert_eq!(with_price(pair.clone()), Ok(()));
        assert_eq!(with_price(pair.clone().with(fields::SCALE, Value::UInt8(3))), Ok(()));
        let error = with_price(pair.clone().with(fields::SCALE, Value::UInt8(0))).unwrap_err();
        assert_eq!(error, "Field 'Scale' may not be explicitly set to default.");
        let error = with_price(pair.with(fields::SEQUENCE, Value::UInt32(1))).unwrap_err();
        assert_eq!(error, "Field 'Sequence' found in disallowed location.");
    }

    #[test]
    fn required_and_disallowed() {
        let error = check(0, &Object::new()).unwrap_err();
        assert_eq!(error, "Field 'Destination' is required but missing.");
        assert!(check(9999, &Object::new()).is_err());
        let mut tx = Object::new();
        for (field, _) in &formats()[&0].required {
            tx.set(*field, Value::UInt32(1));
        }
        assert_eq!(check(0, &tx), Ok(()));
        tx.set(fields::TICKET_COUNT, Value::UInt32(1));
        assert_eq!(check(0, &tx).unwrap_err(), "Field 'TicketCount' found in disallowed location.");
    }
}
