//! What the run knows of transaction types and fields: as its node reports, as a file does, or as it is
//! built in.

use std::{fmt, sync::Arc};

use serde::Serialize;
use utoipa::ToSchema;
use xrpl_client::{Pool, request::ServerDefinitions};
use xrpl_protocol::{Definitions, differences::Differences};

use crate::config::Config;

/// Where definitions are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DefinitionsSource {
    /// The node's `server_definitions`.
    Node,
    /// `--definitions`.
    File,
    /// This program's own: the node does not tell any, or none that can be read.
    BuiltIn,
}

/// How many names of a kind the note at the start shows; `GET /state/definitions` has them all. A node
/// that is some versions older lacks hundreds.
const MOST_NAMED: usize = 12;

/// Definitions, and what they have beside those that are built in.
#[derive(Clone, Debug)]
pub struct Known {
    /// The table.
    pub definitions: Arc<Definitions>,
    /// Where it is from.
    pub source: DefinitionsSource,
    /// What the built-in table lacks, and what it has that this one lacks.
    pub differences: Differences,
}

impl Known {
    fn of(definitions: Arc<Definitions>, source: DefinitionsSource) -> Self {
        let differences = Differences::between(&definitions, Definitions::builtin());
        Self { definitions, source, differences }
    }

    /// Those of a file if one is given, else the node's. A node that tells none, as those before
    /// rippled 2.0 and some proxies do not, is taken for one that has the built-in ones.
    pub async fn load(config: &Config, pool: &Pool) -> Self {
        if let Some(given) = &config.definitions {
            return Self::of(Arc::clone(given), DefinitionsSource::File);
        }
        let told = match pool.request(&ServerDefinitions {}).await {
            Ok(told) => Definitions::from_json(&told).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match told {
            Ok(definitions) => Self::of(Arc::new(definitions), DefinitionsSource::Node),
            Err(error) => {
                tracing::warn!(%error, "the node's definitions are not to be had: the built-in ones are used");
                Self::of(Arc::new(Definitions::builtin().clone()), DefinitionsSource::BuiltIn)
            }
        }
    }

    /// What is to be said of them at the start; none if they are the built-in ones.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        (!self.differences.is_empty()).then(|| self.to_string())
    }
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.source {
            DefinitionsSource::Node => "the node's definitions differ from the built-in ones",
            DefinitionsSource::File => {
                "the definitions of --definitions differ from the built-in ones"
            }
            DefinitionsSource::BuiltIn => "built-in definitions",
        })?;
        let changed: Vec<String> = self
            .differences
            .changed_types
            .iter()
            .map(|change| {
                let mut how = Vec::new();
                how.extend(change.code.map(|code| format!("code {code}")));
                for (what, fields) in [
                    ("requires", &change.requires),
                    ("may have", &change.allows),
                    ("lacks", &change.lacks),
                ] {
                    if !fields.is_empty() {
                        how.push(format!("{what} {}", fields.join(" and ")));
                    }
                }
                format!("{} ({})", change.name, how.join(", "))
            })
            .collect();
        let Differences {
            new_types,
            missing_types,
            changed_types: _,
            new_fields,
            missing_fields,
            changed_fields,
            unreadable_fields,
            new_results,
            missing_results,
        } = &self.differences;
        for (what, names) in [
            ("new types", new_types),
            ("missing types", missing_types),
            ("changed types", &changed),
            ("new fields", new_fields),
            ("missing fields", missing_fields),
            ("changed fields", changed_fields),
            ("fields that cannot be written here", unreadable_fields),
            ("new results", new_results),
            ("missing results", missing_results),
        ] {
            if names.is_empty() {
                continue;
            }
            let named = names.len().min(MOST_NAMED);
            write!(f, "; {what}: {}", names[..named].join(", "))?;
            if names.len() > named {
                write!(f, " and {} more", names.len() - named)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_new_is_said_and_the_built_in_ones_are_not() {
        let builtin = Arc::new(Definitions::builtin().clone());
        assert_eq!(Known::of(builtin, DefinitionsSource::Node).note(), None);
        let mut told = Definitions::builtin_json().clone();
        told["TRANSACTION_TYPES"]["Paint"] = json!(300);
        told["TRANSACTION_TYPES"].as_object_mut().unwrap().remove("DIDDelete");
        let format = told["TRANSACTION_FORMATS"]["DIDSet"].as_array_mut().unwrap();
        format.retain(|field| field["name"] != "URI");
        format.push(json!({"name": "Domain", "optionality": 0}));
        let colour = json!({"isSerialized": true, "isSigningField": true, "isVLEncoded": false,
            "nth": 200, "type": "UInt32"});
        told["FIELDS"].as_array_mut().unwrap().push(json!(["Colour", colour]));
        for n in 0..=MOST_NAMED {
            told["TRANSACTION_RESULTS"][format!("tecPAINT_{n:02}")] = json!(400 + n);
        }
        let definitions = Arc::new(Definitions::from_json(&told).unwrap());
        assert_eq!(
            Known::of(definitions, DefinitionsSource::Node).note().unwrap(),
            "the node's definitions differ from the built-in ones; new types: Paint; missing types: \
             DIDDelete; changed types: DIDSet (requires Domain, lacks URI); new fields: Colour; new \
             results: tecPAINT_00, tecPAINT_01, tecPAINT_02, tecPAINT_03, tecPAINT_04, tecPAINT_05, \
             tecPAINT_06, tecPAINT_07, tecPAINT_08, tecPAINT_09, tecPAINT_10, tecPAINT_11 and 1 more"
        );
    }
}
