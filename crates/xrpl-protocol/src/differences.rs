//! What a node's definitions have that the built-in ones have not, and the other way round.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    Definitions,
    formats::{FormatField, Presence},
};

/// Two tables compared; empty lists where they agree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Differences {
    /// Transaction types that only the newer table has.
    pub new_types: Vec<String>,
    /// Transaction types that it lacks.
    pub missing_types: Vec<String>,
    /// Transaction types whose code or format is another one.
    pub changed_types: Vec<TypeChange>,
    /// Fields that only it has.
    pub new_fields: Vec<String>,
    /// Fields that it lacks.
    pub missing_fields: Vec<String>,
    /// Fields that it writes otherwise: of another type, under another number, signed or not.
    pub changed_fields: Vec<String>,
    /// Fields of serialised types that this program cannot write.
    pub unreadable_fields: Vec<String>,
    /// Engine results that only it has.
    pub new_results: Vec<String>,
    /// Engine results that it lacks.
    pub missing_results: Vec<String>,
}

/// How a known transaction type has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TypeChange {
    /// Its name.
    pub name: String,
    /// Its code now, where that is another one.
    pub code: Option<u16>,
    /// Fields that it must have now.
    pub requires: Vec<String>,
    /// Fields that it may have now.
    pub allows: Vec<String>,
    /// Fields that it has no more.
    pub lacks: Vec<String>,
}

impl Differences {
    /// Of a table against an older one.
    #[must_use]
    pub fn between(newer: &Definitions, older: &Definitions) -> Self {
        let types = |table: &Definitions| names(table.transaction_types());
        let results = |table: &Definitions| names(table.results());
        let fields = |table: &Definitions| names(table.fields());
        let (new_fields, missing_fields) = apart(&fields(newer), &fields(older));
        let (new_types, missing_types) = apart(&types(newer), &types(older));
        let (new_results, missing_results) = apart(&results(newer), &results(older));
        let both = types(newer);
        let both = both.intersection(&types(older)).cloned().collect::<Vec<_>>();
        let changed = |name: &String| {
            let (of, was) = (newer.field(name)?, older.field(name)?);
            let same = of == was && newer.is_signed(of) == older.is_signed(was);
            (!same).then(|| name.clone())
        };
        Self {
            changed_types: both.iter().filter_map(|name| of_type(newer, older, name)).collect(),
            changed_fields: fields(newer).iter().filter_map(changed).collect(),
            unreadable_fields: newer.unreadable().map(|(name, _)| name.to_owned()).collect(),
            new_types,
            missing_types,
            new_fields,
            missing_fields,
            new_results,
            missing_results,
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn names<'a, T>(all: impl Iterator<Item = (&'a str, T)>) -> BTreeSet<String> {
    all.map(|(name, _)| name.to_owned()).collect()
}

/// What only the first has, and what only the second.
fn apart(one: &BTreeSet<String>, other: &BTreeSet<String>) -> (Vec<String>, Vec<String>) {
    (one.difference(other).cloned().collect(), other.difference(one).cloned().collect())
}

fn of_type(newer: &Definitions, older: &Definitions, name: &str) -> Option<TypeChange> {
    let code = newer.transaction_type(name);
    let code = code.filter(|code| older.transaction_type(name) != Some(*code));
    let (now, before) = (format(newer, name), format(older, name));
    let presence = |of: &[&FormatField], field: &FormatField| {
        of.iter().find(|other| other.name == field.name).map(|other| other.presence)
    };
    let mut change = TypeChange { name: name.to_owned(), code, ..TypeChange::default() };
    for field in &now {
        let was = presence(&before, field);
        let required = field.presence == Presence::Required;
        if required && was != Some(Presence::Required) {
            change.requires.push(field.name.to_string());
        } else if !required && was.is_none_or(|was| was == Presence::Required) {
            change.allows.push(field.name.to_string());
        }
    }
    for field in before {
        if presence(&now, field).is_none() {
            change.lacks.push(field.name.to_string());
        }
    }
    let TypeChange { code, requires, allows, lacks, .. } = &change;
    let same = code.is_none() && requires.is_empty() && allows.is_empty() && lacks.is_empty();
    (!same).then_some(change)
}

/// What transactions of a type must and may have, what all have included.
fn format<'a>(table: &'a Definitions, name: &str) -> Vec<&'a FormatField> {
    let own = table.transaction_format(name).unwrap_or_default();
    own.iter().chain(table.common_format()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_equals_itself() {
        let table = Definitions::builtin();
        assert!(Differences::between(table, table).is_empty());
    }

    #[test]
    fn what_a_newer_node_has() {
        let mut json = Definitions::builtin_json().clone();
        let info = |nth: u8| {
            json!({"isSerialized": true, "isSigningField": true, "isVLEncoded": false,
                "nth": nth, "type": "UInt32"})
        };
        let fields = json["FIELDS"].as_array_mut().unwrap();
        fields.push(json!(["Colour", info(200)]));
        let tag = fields.iter_mut().find(|field| field[0] == "DestinationTag").unwrap();
        tag[1]["nth"] = 201.into();
        json["TRANSACTION_TYPES"]["Paint"] = 300.into();
        json["TRANSACTION_TYPES"].as_object_mut().unwrap().remove("DIDSet");
        json["TRANSACTION_TYPES"]["OfferCancel"] = 301.into();
        json["TRANSACTION_RESULTS"]["tecDRY"] = 250.into();
        let formats = &mut json["TRANSACTION_FORMATS"];
        formats["Paint"] = json!([{"name": "Colour", "optionality": 0}]);
        let payment = formats["Payment"].as_array_mut().unwrap();
        payment.retain(|field| field["name"] != "InvoiceID");
        payment.push(json!({"name": "Colour", "optionality": 0}));
        formats["CheckCash"]
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "Colour", "optionality": 1}));
        let newer = Definitions::from_json(&json).unwrap();
        let found = Differences::between(&newer, Definitions::builtin());
        assert_eq!(found.new_types, ["Paint"]);
        assert_eq!(found.missing_types, ["DIDSet"]);
        assert_eq!(found.new_fields, ["Colour"]);
        assert_eq!(found.changed_fields, ["DestinationTag"]);
        assert_eq!(found.new_results, ["tecDRY"]);
        let one = |name: &str| TypeChange { name: name.into(), ..TypeChange::default() };
        let colour = || vec!["Colour".to_owned()];
        assert_eq!(
            found.changed_types,
            [
                TypeChange { allows: colour(), ..one("CheckCash") },
                TypeChange { code: Some(301), ..one("OfferCancel") },
                TypeChange {
                    requires: colour(),
                    lacks: vec!["InvoiceID".into()],
                    ..one("Payment")
                },
            ]
        );
    }
}
