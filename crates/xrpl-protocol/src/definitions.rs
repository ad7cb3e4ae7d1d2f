//! Names and codes of fields, types, transactions and results.
//!
//! The built-in table is xrpld 3.3.0-b0's answer to `server_definitions`; a node's own answer can
//! replace it at run time (<https://xrpl.org/docs/references/http-websocket-apis/public-api-methods/server-info-methods/server_definitions>).

use std::{
    collections::{HashMap, HashSet},
    sync::OnceLock,
};

use serde_json::Value as Json;

use crate::object::{Field, FieldType};

/// A table of names and codes.
#[derive(Clone, Debug)]
pub struct Definitions {
    by_name: HashMap<Box<str>, Field>,
    names: HashMap<Field, Box<str>>,
    not_signed: Vec<Field>,
    not_serialised: HashSet<Box<str>>,
    transaction_types: TwoWay,
    ledger_entry_types: TwoWay,
    results: TwoWay,
}

/// Why an answer to `server_definitions` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unusable definitions: {0}")]
pub struct DefinitionsError(String);

#[derive(Clone, Debug, Default)]
struct TwoWay {
    by_name: HashMap<Box<str>, i32>,
    by_code: HashMap<i32, Box<str>>,
}

impl TwoWay {
    fn read(all: &Json, key: &str) -> Result<Self, DefinitionsError> {
        let table = all
            .get(key)
            .and_then(Json::as_object)
            .ok_or_else(|| DefinitionsError(format!("{key} is missing or no object")))?;
        let mut this = Self::default();
        for (name, code) in table {
            let code = code
                .as_i64()
                .and_then(|code| i32::try_from(code).ok())
                .ok_or_else(|| DefinitionsError(format!("{key}.{name} is no 32-bit number")))?;
            this.by_name.insert(name.as_str().into(), code);
            this.by_code.insert(code, name.as_str().into());
        }
        Ok(this)
    }
}

impl Definitions {
    /// The built-in table.
    ///
    /// # Panics
    /// Never: a test reads the same data.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static TABLE: OnceLock<Definitions> = OnceLock::new();
        TABLE.get_or_init(|| {
            Self::from_json(Self::builtin_json()).expect("the built-in data is complete")
        })
    }

    /// The built-in table as JSON, in the form of an answer to `server_definitions`.
    ///
    /// # Panics
    /// Never: a test reads the same data.
    #[must_use]
    pub fn builtin_json() -> &'static Json {
        static DATA: OnceLock<Json> = OnceLock::new();
        DATA.get_or_init(|| {
            serde_json::from_str(include_str!("../data/definitions.json"))
                .expect("the built-in data is JSON")
        })
    }

    /// The table in an answer to `server_definitions` (with or without its `result` wrapper), or
    /// in the `definitions.json` of the npm package ripple-binary-codec, which has the same form.
    ///
    /// # Errors
    /// Names the part that is missing or malformed.
    pub fn from_json(json: &Json) -> Result<Self, DefinitionsError> {
        let all = json.get("result").unwrap_or(json);
        let types = TwoWay::read(all, "TYPES")?;
        let fields = all
            .get("FIELDS")
            .and_then(Json::as_array)
            .ok_or_else(|| DefinitionsError("FIELDS is missing or no array".into()))?;
        let mut this = Self {
            by_name: HashMap::with_capacity(fields.len()),
            names: HashMap::with_capacity(fields.len()),
            not_signed: Vec::new(),
            not_serialised: HashSet::new(),
            transaction_types: TwoWay::read(all, "TRANSACTION_TYPES")?,
            ledger_entry_types: TwoWay::read(all, "LEDGER_ENTRY_TYPES")?,
            results: TwoWay::read(all, "TRANSACTION_RESULTS")?,
        };
        for entry in fields {
            let wrong = || DefinitionsError(format!("malformed field {entry}"));
            let name = entry.get(0).and_then(Json::as_str).ok_or_else(wrong)?;
            let info = entry.get(1).ok_or_else(wrong)?;
            let flag = |key: &str| info.get(key).and_then(Json::as_bool).ok_or_else(wrong);
            if !flag("isSerialized")? {
                this.not_serialised.insert(name.into());
                continue;
            }
            let kind = info.get("type").and_then(Json::as_str).ok_or_else(wrong)?;
            if kind == "Unknown" {
                continue;
            }
            let type_code = *types.by_name.get(kind).ok_or_else(wrong)?;
            let nth = info.get("nth").and_then(Json::as_u64).ok_or_else(wrong)?;
            let (Ok(type_code), Ok(nth)) = (u8::try_from(type_code), u8::try_from(nth)) else {
                return Err(wrong());
            };
            let field = Field::new(type_code, nth);
            if field.field_type() == FieldType::Unknown {
                return Err(DefinitionsError(format!("{name} is of the unknown type {kind}")));
            }
            if !flag("isSigningField")? {
                this.not_signed.push(field);
            }
            this.by_name.insert(name.into(), field);
            this.names.insert(field, name.into());
        }
        Ok(this)
    }

    /// The field of a name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Field> {
        self.by_name.get(name).copied()
    }

    /// The name of a field.
    #[must_use]
    pub fn name(&self, field: Field) -> Option<&str> {
        self.names.get(&field).map(AsRef::as_ref)
    }

    /// Whether signatures cover the field.
    #[must_use]
    pub fn is_signed(&self, field: Field) -> bool {
        !self.not_signed.contains(&field)
    }

    /// Whether this is a known name of something JSON may show but the binary form never has, like
    /// `hash`.
    #[must_use]
    pub fn is_not_serialised(&self, name: &str) -> bool {
        self.not_serialised.contains(name)
    }

    /// Every serialised field with its name.
    pub fn fields(&self) -> impl Iterator<Item = (&str, Field)> {
        self.by_name.iter().map(|(name, field)| (name.as_ref(), *field))
    }

    /// Code of a transaction type.
    #[must_use]
    pub fn transaction_type(&self, name: &str) -> Option<u16> {
        self.transaction_types.by_name.get(name).and_then(|&code| u16::try_from(code).ok())
    }

    /// Name of a transaction type.
    #[must_use]
    pub fn transaction_type_name(&self, code: u16) -> Option<&str> {
        self.transaction_types.by_code.get(&i32::from(code)).map(AsRef::as_ref)
    }

    /// Every transaction type's name and code.
    pub fn transaction_types(&self) -> impl Iterator<Item = (&str, i32)> {
        self.transaction_types.by_name.iter().map(|(name, code)| (name.as_ref(), *code))
    }

    /// Code of a ledger entry type.
    #[must_use]
    pub fn ledger_entry_type(&self, name: &str) -> Option<u16> {
        self.ledger_entry_types.by_name.get(name).and_then(|&code| u16::try_from(code).ok())
    }

    /// Name of a ledger entry type.
    #[must_use]
    pub fn ledger_entry_type_name(&self, code: u16) -> Option<&str> {
        self.ledger_entry_types.by_code.get(&i32::from(code)).map(AsRef::as_ref)
    }

    /// Code of an engine result.
    #[must_use]
    pub fn result(&self, name: &str) -> Option<i32> {
        self.results.by_name.get(name).copied()
    }

    /// Name of an engine result.
    #[must_use]
    pub fn result_name(&self, code: i32) -> Option<&str> {
        self.results.by_code.get(&code).map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields;

    #[test]
    fn constants_equal_the_data() {
        let table = Definitions::builtin();
        assert_eq!(table.by_name.len(), fields::ALL.len());
        for (name, field) in fields::ALL {
            assert_eq!(table.field(name), Some(*field), "{name}");
            assert_eq!(table.name(*field), Some(*name));
        }
        assert!(!table.is_signed(fields::TXN_SIGNATURE) && table.is_signed(fields::ACCOUNT));
    }

    #[test]
    fn malformed_definitions_are_named() {
        let error = Definitions::from_json(&serde_json::json!({"TYPES": {}})).unwrap_err();
        assert!(error.to_string().contains("FIELDS"), "{error}");
    }
}
