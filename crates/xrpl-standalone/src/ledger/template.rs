//! Which fields a transaction of each type must and may have, and objects inside it.

use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};
use xrpl_protocol::{
    Amount, Definitions, Field, Object, Value,
    formats::{FormatField, Presence, inner_format},
};

#[derive(Debug, Default)]
struct Format {
    required: Vec<(Field, &'static str)>,
    allowed: FxHashSet<Field>,
    never_default: Vec<(Field, &'static str)>,
}

fn formats() -> &'static FxHashMap<u16, Format> {
    static TABLE: OnceLock<FxHashMap<u16, Format>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let definitions = Definitions::builtin();
        let mut table = FxHashMap::default();
        for (name, code) in definitions.transaction_types() {
            let Some(own) = definitions.transaction_format(name) else { continue };
            let Ok(kind) = u16::try_from(code) else { continue };
            let mut format = Format::default();
            for FormatField { name, field, presence } in
                own.iter().chain(definitions.common_format())
            {
                let Some(field) = *field else { continue };
                format.allowed.insert(field);
                match presence {
                    Presence::Required => format.required.push((field, name)),
                    Presence::NotDefault => format.never_default.push((field, name)),
                    Presence::Optional => {}
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
    for (field, presence) in format {
        match (inner.get(*field), presence) {
            (None, Presence::Required) => return Err(missing(name_of(*field))),
            (Some(value), Presence::NotDefault) if is_default(value) => {
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
    use xrpl_protocol::fields;

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
