//! Names of flags, as xrpl.org and xrpl.js write them, to the numbers that are signed.

use serde_json::{Map, Value as Json};

use super::{InputError, Result, join};
use crate::{Definitions, nearest::hint};

/// Replaces names in `Flags`, `SetFlag` and `ClearFlag`.
pub(super) fn to_numbers(
    members: &mut Map<String, Json>,
    kind: &str,
    path: &str,
    definitions: &Definitions,
) -> Result<()> {
    if let Some(given) = members.get("Flags") {
        let bits = bits(given, kind, definitions)
            .map_err(|cause| InputError::member(join(path, "Flags"), cause))?;
        if let Some(bits) = bits {
            members.insert("Flags".into(), bits.into());
        }
    }
    for key in ["SetFlag", "ClearFlag"] {
        let Some(name) = members.get(key).and_then(Json::as_str) else { continue };
        if !is_number(name) {
            let number = account_set_flag(name, definitions)
                .map_err(|cause| InputError::member(join(path, key), cause))?;
            members.insert(key.into(), number.into());
        }
    }
    Ok(())
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// The bits that names stand for; none if what is given is a number, the codec's business.
fn bits(
    given: &Json,
    kind: &str,
    definitions: &Definitions,
) -> std::result::Result<Option<u32>, String> {
    let named = |name: &str| flag(name.trim(), kind, definitions);
    let all = |names: Vec<&str>| {
        let bits = names.into_iter().try_fold(0, |bits, name| Ok(bits | named(name)?));
        bits.map(Some)
    };
    match given {
        Json::String(text) if !is_number(text) => all(text.split(['|', ',']).collect()),
        Json::Array(names) => {
            let texts: Option<Vec<&str>> = names.iter().map(Json::as_str).collect();
            let texts = texts.ok_or("expected names of flags in the list")?;
            all(texts)
        }
        Json::Object(names) => {
            let mut bits = 0;
            for (name, is_on) in names {
                // Off must be a flag of this type as well: it may be misspelt.
                let bit = named(name)?;
                match is_on {
                    Json::Bool(true) => bits |= bit,
                    Json::Bool(false) => {}
                    other => return Err(format!("{name}: expected true or false, got {other}")),
                }
            }
            Ok(Some(bits))
        }
        _ => Ok(None),
    }
}

fn flag(name: &str, kind: &str, definitions: &Definitions) -> std::result::Result<u32, String> {
    if let Some((_, bits)) = definitions.transaction_flags(kind).find(|(known, _)| *known == name) {
        return Ok(bits);
    }
    let own = || definitions.transaction_flags(kind).map(|(name, _)| name);
    let others: Vec<_> = definitions.types_with_flag(name).collect();
    if !others.is_empty() {
        return Err(format!("{name} is a flag of {}, not of {kind}", others.join(", ")));
    }
    if definitions.account_set_flags().any(|(known, _)| known == name) {
        return Err(format!("{name} is a value of SetFlag and ClearFlag of an AccountSet"));
    }
    let entries: Vec<_> = definitions.entries_with_flag(name).collect();
    if !entries.is_empty() {
        let meant = name.replacen("lsf", "tf", 1);
        return Err(format!(
            "{name} is a flag of ledger entries ({}), not of transactions{}",
            entries.join(", "),
            hint(&meant, own())
        ));
    }
    Err(match hint(name, own()).as_str() {
        "" => {
            format!("{kind} has no flag {name:?}; it has {}", own().collect::<Vec<_>>().join(", "))
        }
        hint => format!("{kind} has no flag {name:?}{hint}"),
    })
}

fn account_set_flag(name: &str, definitions: &Definitions) -> std::result::Result<u32, String> {
    if let Some((_, number)) = definitions.account_set_flags().find(|(known, _)| *known == name) {
        return Ok(number);
    }
    let mut types = definitions.types_with_flag(name);
    if let Some(kind) = types.next() {
        return Err(format!("{name} is a bit of Flags (of {kind}), not a value of this field"));
    }
    let known = definitions.account_set_flags().map(|(name, _)| name);
    Err(format!("AccountSet has no flag {name:?}{}", hint(name, known)))
}
