//! Which fields a transaction of each type must and may have.

use std::sync::OnceLock;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;
use xrpl_protocol::{Amount, Definitions, Field, Object, Value};

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

/// Whether an object has the fields of its type; the error is in xrpld's words.
pub(super) fn check(kind: u16, tx: &Object) -> Result<(), String> {
    let Some(format) = formats().get(&kind) else {
        return Err(format!("Invalid transaction type {kind}"));
    };
    for (field, name) in &format.required {
        if !tx.contains(*field) {
            return Err(format!("Field '{name}' is required but missing."));
        }
    }
    for (field, name) in &format.never_default {
        if tx.get(*field).is_some_and(is_default) {
            return Err(format!("Field '{name}' may not be explicitly set to default."));
        }
    }
    for (field, _) in tx.iter() {
        if !format.allowed.contains(&field) {
            let name = Definitions::builtin().name(field).unwrap_or("?");
            return Err(format!("Field '{name}' found in disallowed location."));
        }
    }
    Ok(())
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
