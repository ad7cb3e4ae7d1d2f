//! The JSON schema of scenario files, made from the types that read them.

use serde_json::{Map, Value as Json, json};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::file::ScenarioFile;
use crate::settings::{SETTINGS, Setting, Shape, commands};

/// The schema as it is published. A test holds it to [`made`].
pub const SCHEMA: &str = include_str!("../../schemas/scenario.schema.json");

/// The schema, made anew.
#[must_use]
pub fn made() -> Json {
    let mut parts = Vec::new();
    ScenarioFile::schemas(&mut parts);
    let defs: Map<String, Json> =
        parts.into_iter().map(|(name, schema)| (name, json!(schema))).collect();
    let mut root = json!(ScenarioFile::schema());
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!("A scenario of xrpl-workload");
    root["$defs"] = Json::Object(defs);
    root["properties"]["run"]["properties"] = settings();
    root["properties"]["run"]["additionalProperties"] = json!(false);
    without_null(&mut root);
    root
}

/// What `[run]` may have.
fn settings() -> Json {
    let taken =
        |setting: &&Setting| setting.commands & commands::RUN != 0 && is_allowed(setting.key);
    let of = |setting: &Setting| {
        let one = json!({ "type": ["string", "number", "boolean"] });
        let mut schema = match setting.shape {
            Shape::One => one,
            Shape::Many => json!({ "type": ["array", "string"], "items": one }),
            Shape::Table => {
                json!({ "type": "object", "additionalProperties": { "type": "number" } })
            }
            Shape::Switch => json!({ "type": "boolean" }),
        };
        schema["description"] = json!(setting.doc);
        (setting.key.to_owned(), schema)
    };
    Json::Object(SETTINGS.iter().filter(taken).map(of).collect())
}

/// Whether `[run]` may have a setting: a scenario names no other one, and its times are its own.
pub(crate) fn is_allowed(key: &str) -> bool {
    !matches!(key, "scenario" | "time_scale")
}

/// TOML has no null: what may be left out is left out. References lead to this document's own parts.
fn without_null(value: &mut Json) {
    match value {
        Json::Array(all) => all.iter_mut().for_each(without_null),
        Json::Object(map) => {
            if let Some(Json::Array(types)) = map.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = &types[..] {
                    let only = only.clone();
                    map.insert("type".to_owned(), only);
                }
            }
            if let Some(Json::Array(choices)) = map.get_mut("oneOf") {
                choices.retain(|choice| choice["type"] != "null");
                if let [only] = &choices[..]
                    && let Json::Object(only) = only.clone()
                {
                    map.remove("oneOf");
                    for (key, value) in only {
                        map.entry(key).or_insert(value);
                    }
                }
            }
            if let Some(Json::String(to)) = map.get_mut("$ref") {
                *to = to.replace("#/components/schemas/", "#/$defs/");
            }
            map.values_mut().for_each(without_null);
        }
        _ => {}
    }
}
