//! Which types the band draws, and why it does not draw the others.

use std::{collections::BTreeMap, sync::Arc};

use xrpl_protocol::{Definitions, formats::FormatField, nearest::nearest};

use crate::error::GeneratorError;

/// Position of a type among [`Types`].
pub(crate) type FuzzType = usize;

/// How often in a row a type may be answered `temDISABLED` before it is off.
const PATIENCE: u8 = 8;

#[derive(Clone, Debug)]
struct Row {
    name: Arc<str>,
    code: u16,
    off: Option<String>,
    /// `temDISABLED` since another answer.
    disabled: u8,
}

/// The types of the definitions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Types {
    rows: Vec<Row>,
    open: Vec<FuzzType>,
}

impl Types {
    /// Those that are wanted, all if none are named.
    ///
    /// # Errors
    /// Names one that the definitions have not.
    pub(crate) fn new(
        definitions: &Definitions,
        wanted: &[String],
    ) -> Result<Self, GeneratorError> {
        let mut known: Vec<(&str, u16)> = definitions
            .transaction_types()
            .filter_map(|(name, code)| Some((name, u16::try_from(code).ok()?)))
            .collect();
        known.sort_unstable();
        for name in wanted {
            if !known.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
                let names = known.iter().map(|(name, _)| *name);
                let meant = nearest(name, names)
                    .map_or_else(String::new, |name| format!(": did you mean {name:?}?"));
                let why = format!("the definitions have no transaction type {name:?}{meant}");
                return Err(GeneratorError::config("fuzz_types", why));
            }
        }
        let is_wanted = |name: &str| {
            wanted.is_empty() || wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
        };
        let row = |(name, code): (&str, u16)| Row {
            name: name.into(),
            code,
            off: unwritable(definitions, name),
            disabled: 0,
        };
        let rows = known.into_iter().filter(|(name, _)| is_wanted(name)).map(row).collect();
        let mut types = Self { rows, open: Vec::new() };
        types.tabulate();
        Ok(types)
    }

    fn tabulate(&mut self) {
        let rows = self.rows.iter().enumerate();
        self.open = rows.filter(|(_, row)| row.off.is_none()).map(|(of, _)| of).collect();
    }

    /// Those that are drawn.
    pub(crate) fn open(&self) -> &[FuzzType] {
        &self.open
    }

    /// A type's name.
    pub(crate) fn name(&self, of: FuzzType) -> &Arc<str> {
        &self.rows[of].name
    }

    /// A type's code.
    pub(crate) fn code(&self, of: FuzzType) -> u16 {
        self.rows[of].code
    }

    /// Switches a type off, by its name.
    pub(crate) fn lacks(&mut self, name: &str, why: &str) {
        for row in self.rows.iter_mut().filter(|row| *row.name == *name) {
            row.off.get_or_insert_with(|| why.to_owned());
        }
        self.tabulate();
    }

    /// Takes in what a transaction of a type ended with.
    pub(crate) fn ended(&mut self, of: FuzzType, result: &str) {
        let row = &mut self.rows[of];
        row.disabled = if result == "temDISABLED" { row.disabled.saturating_add(1) } else { 0 };
        if row.disabled >= PATIENCE && row.off.is_none() {
            row.off = Some("the node answers temDISABLED: its amendment is not enabled".to_owned());
            self.tabulate();
        }
    }

    /// Those that are not drawn, and why.
    pub(crate) fn off(&self) -> BTreeMap<String, String> {
        let off = self.rows.iter().filter_map(|row| Some((row.name.to_string(), row.off.clone()?)));
        off.collect()
    }
}

/// Why a type cannot be written, if it cannot.
fn unwritable(definitions: &Definitions, name: &str) -> Option<String> {
    let own = definitions.transaction_format(name).unwrap_or_default();
    let missing = |of: &&FormatField| !of.presence.may_lack() && of.field.is_none();
    let field = own.iter().chain(definitions.common_format()).find(missing)?;
    Some(format!("it must have {}, which this program cannot write", field.name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_types_of_the_definitions_or_those_named() {
        let all = Types::new(Definitions::builtin(), &[]).unwrap();
        let known = Definitions::builtin().transaction_types().filter(|(_, code)| *code >= 0);
        assert_eq!(all.open().len(), known.count());
        let some =
            Types::new(Definitions::builtin(), &["payment".into(), "DIDSet".into()]).unwrap();
        let names: Vec<_> = some.open().iter().map(|of| some.name(*of).to_string()).collect();
        assert_eq!(names, ["DIDSet", "Payment"]);
        let error = Types::new(Definitions::builtin(), &["Paymnet".into()]).unwrap_err();
        assert!(error.to_string().contains("did you mean \"Payment\"?"), "{error}");
    }

    #[test]
    fn a_type_is_off_with_its_reason() {
        let mut json = Definitions::builtin_json().clone();
        json["TRANSACTION_TYPES"]["Learn"] = json!(300);
        json["TRANSACTION_FORMATS"]["Learn"] = json!([{"name": "Weights", "optionality": 0}]);
        let definitions = Definitions::from_json(&json).unwrap();
        let mut types = Types::new(&definitions, &["Learn".into(), "DIDSet".into()]).unwrap();
        assert_eq!(
            types.off(),
            [(
                "Learn".to_owned(),
                "it must have Weights, which this program cannot write".to_owned()
            )]
            .into()
        );
        let did = types.open()[0];
        for n in 1..u32::from(PATIENCE) * 2 {
            let result = if n == u32::from(PATIENCE) { "temMALFORMED" } else { "temDISABLED" };
            types.ended(did, result);
            assert_eq!(types.open(), [did]);
        }
        types.ended(did, "temDISABLED");
        assert!(types.open().is_empty() && types.off()["DIDSet"].contains("temDISABLED"));
    }
}
