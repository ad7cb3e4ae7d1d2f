//! Names and codes of fields, types, transactions and results.
//!
//! The built-in table is xrpld 3.3.0-b0's answer to `server_definitions`; a node's own answer can
//! replace it at run time (<https://xrpl.org/docs/references/http-websocket-apis/public-api-methods/server-info-methods/server_definitions>).

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    sync::OnceLock,
};

use serde_json::Value as Json;

use crate::{
    formats::{FormatField, Formats},
    object::{Field, FieldType},
};

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
    /// By transaction type; [`UNIVERSAL`] are those of every type.
    transaction_flags: BTreeMap<Box<str>, Names>,
    /// By ledger entry type.
    ledger_entry_flags: BTreeMap<Box<str>, Names>,
    account_set_flags: Names,
    transaction_formats: Formats,
    /// Fields of serialised types that this codec does not know, with the type's name.
    unreadable: BTreeMap<Box<str>, Box<str>>,
    hash: Option<Box<str>>,
}

/// Names of bits or of numbers.
type Names = BTreeMap<Box<str>, u32>;

/// Under which the flags stand that every transaction type has.
const UNIVERSAL: &str = "universal";

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

/// A table of names, or tables of them; what is no number is passed over, since a node newer than
/// this program may say more.
fn names(json: &Json) -> Names {
    let members = json.as_object().into_iter().flatten();
    let numbers = members.filter_map(|(name, n)| {
        Some((name.as_str().into(), n.as_u64().and_then(|n| u32::try_from(n).ok())?))
    });
    numbers.collect()
}

fn names_by_type(json: &Json) -> BTreeMap<Box<str>, Names> {
    let members = json.as_object().into_iter().flatten();
    members.map(|(kind, table)| (kind.as_str().into(), names(table))).collect()
}

/// Fields without which no transaction can be written or read.
const NEEDED: [&str; 6] =
    ["TransactionType", "Account", "Fee", "Sequence", "SigningPubKey", "TxnSignature"];

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
    /// in the `definitions.json` of the npm package ripple-binary-codec, which has the same form. Fields
    /// of a serialised type that this codec does not know are left out: see [`Self::unreadable`].
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
        // Nodes before 3.1 and the npm package do not have them; what these say of a type seldom
        // changes.
        let optional = |key: &str| match all.get(key) {
            None => Ok(&Self::builtin_json()[key]),
            Some(table) if table.is_object() => Ok(table),
            Some(_) => Err(DefinitionsError(format!("{key} is no object"))),
        };
        let mut this = Self {
            transaction_flags: names_by_type(optional("TRANSACTION_FLAGS")?),
            ledger_entry_flags: names_by_type(optional("LEDGER_ENTRY_FLAGS")?),
            account_set_flags: names(optional("ACCOUNT_SET_FLAGS")?),
            transaction_formats: Formats::default(),
            unreadable: BTreeMap::new(),
            hash: all.get("hash").and_then(Json::as_str).map(Into::into),
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
                this.unreadable.insert(name.into(), kind.into());
                continue;
            }
            if !flag("isSigningField")? {
                this.not_signed.push(field);
            }
            this.by_name.insert(name.into(), field);
            this.names.insert(field, name.into());
        }
        if let Some(lacking) = NEEDED.iter().find(|name| this.field(name).is_none()) {
            return Err(DefinitionsError(format!(
                "FIELDS lacks {lacking}, which every transaction has"
            )));
        }
        this.check_types()?;
        let formats = optional("TRANSACTION_FORMATS")?;
        let malformed = |(name, format): &(&String, &Json)| {
            !format.is_array() && this.transaction_types.by_name.contains_key(name.as_str())
        };
        if let Some((name, _)) = formats.as_object().into_iter().flatten().find(malformed) {
            return Err(DefinitionsError(format!("TRANSACTION_FORMATS.{name} is no array")));
        }
        this.transaction_formats = Formats::read(formats, |name| this.field(name));
        Ok(this)
    }

    /// Types have codes that a transaction can carry, each its own.
    fn check_types(&self) -> Result<(), DefinitionsError> {
        let mut types = BTreeMap::new();
        for (name, code) in &self.transaction_types.by_name {
            // Stands for no type at all.
            if &**name == "Invalid" {
                continue;
            }
            if u16::try_from(*code).is_err() {
                return Err(DefinitionsError(format!(
                    "TRANSACTION_TYPES.{name} is {code}: a code is from 0 to 65535"
                )));
            }
            if let Some(other) = types.insert(code, name) {
                let (first, second) = (name.min(other), name.max(other));
                return Err(DefinitionsError(format!(
                    "TRANSACTION_TYPES: {first} and {second} have the same code, {code}"
                )));
            }
        }
        Ok(())
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

    /// Whether transactions of this type may have a field of their own beside those that every type
    /// has; none if the type's format is not known.
    #[must_use]
    pub fn transaction_has_field(&self, transaction_type: &str, field: &str) -> Option<bool> {
        Some(self.transaction_format(transaction_type)?.iter().any(|of| *of.name == *field))
    }

    /// What transactions of a type must and may have, beside what those of every type have; none if
    /// its format is not known.
    #[must_use]
    pub fn transaction_format(&self, transaction_type: &str) -> Option<&[FormatField]> {
        self.transaction_formats.of(transaction_type)
    }

    /// What transactions of every type must and may have.
    #[must_use]
    pub fn common_format(&self) -> &[FormatField] {
        self.transaction_formats.common()
    }

    /// Fields that cannot be read or written here, with the name of their serialised type, which this
    /// codec does not know.
    pub fn unreadable(&self) -> impl Iterator<Item = (&str, &str)> {
        self.unreadable.iter().map(|(name, kind)| (name.as_ref(), kind.as_ref()))
    }

    /// What the node calls these definitions: the hash of all they say.
    #[must_use]
    pub fn hash(&self) -> Option<&str> {
        self.hash.as_deref()
    }

    /// Every engine result's name and code.
    pub fn results(&self) -> impl Iterator<Item = (&str, i32)> {
        self.results.by_name.iter().map(|(name, code)| (name.as_ref(), *code))
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

    /// Flags of a transaction type, those of every type included, by name
    /// (<https://xrpl.org/docs/references/protocol/transactions/common-fields#flags-field>).
    pub fn transaction_flags(&self, transaction_type: &str) -> impl Iterator<Item = (&str, u32)> {
        let tables = [self.transaction_flags.get(transaction_type), self.universal_flags()];
        tables.into_iter().flatten().flatten().map(|(name, bits)| (name.as_ref(), *bits))
    }

    fn universal_flags(&self) -> Option<&Names> {
        self.transaction_flags.get(UNIVERSAL)
    }

    /// The transaction types that have a flag of this name.
    pub fn types_with_flag<'a>(&'a self, flag: &'a str) -> impl Iterator<Item = &'a str> {
        of_flag(&self.transaction_flags, flag)
    }

    /// The ledger entry types that have a flag of this name.
    pub fn entries_with_flag<'a>(&'a self, flag: &'a str) -> impl Iterator<Item = &'a str> {
        of_flag(&self.ledger_entry_flags, flag)
    }

    /// What AccountSet's `SetFlag` and `ClearFlag` take, by name
    /// (<https://xrpl.org/docs/references/protocol/transactions/types/accountset#accountset-flags>).
    pub fn account_set_flags(&self) -> impl Iterator<Item = (&str, u32)> {
        self.account_set_flags.iter().map(|(name, number)| (name.as_ref(), *number))
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

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Definitions::builtin().name(*self) {
            Some(name) => f.write_str(name),
            None => write!(f, "Field({}, {})", self.type_code(), self.nth()),
        }
    }
}

fn of_flag<'a>(
    tables: &'a BTreeMap<Box<str>, Names>,
    flag: &'a str,
) -> impl Iterator<Item = &'a str> {
    tables.iter().filter(move |(_, names)| names.contains_key(flag)).map(|(kind, _)| kind.as_ref())
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
    fn flags_have_names() {
        let flag = |table: &Definitions, kind: &str, name: &str| {
            table.transaction_flags(kind).find(|(n, _)| *n == name).map(|(_, bits)| bits)
        };
        let table = Definitions::builtin();
        assert_eq!(flag(table, "Payment", "tfPartialPayment"), Some(0x0002_0000));
        assert_eq!(flag(table, "Payment", "tfFullyCanonicalSig"), Some(0x8000_0000));
        assert_eq!(flag(table, "Payment", "tfSell"), None);
        assert_eq!(table.types_with_flag("tfSell").collect::<Vec<_>>(), ["OfferCreate"]);
        assert!(table.entries_with_flag("lsfRequireDestTag").eq(["AccountRoot"]));
        assert!(table.account_set_flags().any(|pair| pair == ("asfRequireDest", 1)));
        // A table without names of flags gets the built-in ones.
        let mut json = Definitions::builtin_json().clone();
        for key in ["TRANSACTION_FLAGS", "ACCOUNT_SET_FLAGS", "LEDGER_ENTRY_FLAGS"] {
            json.as_object_mut().unwrap().remove(key);
        }
        let older = Definitions::from_json(&json).unwrap();
        assert_eq!(flag(&older, "OfferCreate", "tfSell"), Some(0x0008_0000));
    }

    #[test]
    fn a_field_of_a_new_type_is_left_out() {
        let mut json = Definitions::builtin_json().clone();
        json["TYPES"]["Tensor"] = 61.into();
        let info = serde_json::json!({"isSerialized": true, "isSigningField": true,
            "isVLEncoded": false, "nth": 1, "type": "Tensor"});
        json["FIELDS"].as_array_mut().unwrap().push(serde_json::json!(["Weights", info]));
        let new = serde_json::json!([{"name": "Weights", "optionality": 0}]);
        json["TRANSACTION_FORMATS"]["Learn"] = new;
        let table = Definitions::from_json(&json).unwrap();
        assert!(table.unreadable().eq([("Weights", "Tensor")]));
        assert_eq!(table.field("Weights"), None);
        assert_eq!(table.transaction_format("Learn").unwrap()[0].field, None);
        assert_eq!(table.transaction_format("common"), None);
        assert!(table.common_format().iter().any(|of| &*of.name == "Memos"));
    }

    #[test]
    fn definitions_without_which_nothing_can_be_tracked_are_refused() {
        let refused = |change: fn(&mut Json)| {
            let mut json = Definitions::builtin_json().clone();
            change(&mut json);
            Definitions::from_json(&json).unwrap_err().to_string()
        };
        let why = refused(|json| json["FIELDS"] = serde_json::json!([]));
        assert!(why.contains("FIELDS lacks TransactionType"), "{why}");
        for code in [70_000, -5] {
            let mut json = Definitions::builtin_json().clone();
            json["TRANSACTION_TYPES"]["FooBar"] = code.into();
            let why = Definitions::from_json(&json).unwrap_err().to_string();
            assert!(why.contains(&format!("FooBar is {code}")), "{why}");
        }
        let why = refused(|json| json["TRANSACTION_TYPES"]["FooBar"] = 0.into());
        assert!(why.contains("FooBar and Payment have the same code, 0"), "{why}");
        let why = refused(|json| json["TRANSACTION_FORMATS"]["DIDSet"] = "x".into());
        assert!(why.contains("TRANSACTION_FORMATS.DIDSet is no array"), "{why}");
    }

    #[test]
    fn malformed_definitions_are_named() {
        let error = Definitions::from_json(&serde_json::json!({"TYPES": {}})).unwrap_err();
        assert!(error.to_string().contains("FIELDS"), "{error}");
        // What may be missing is not taken for missing where something else stands in its place.
        for key in
            ["TRANSACTION_FORMATS", "TRANSACTION_FLAGS", "ACCOUNT_SET_FLAGS", "LEDGER_ENTRY_FLAGS"]
        {
            let mut json = Definitions::builtin_json().clone();
            json[key] = serde_json::json!(["Payment"]);
            let error = Definitions::from_json(&json).unwrap_err();
            assert!(error.to_string().contains(&format!("{key} is no object")), "{error}");
        }
    }
}
