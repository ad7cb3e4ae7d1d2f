use serde_json::{Map, Value as Json};

use crate::{cell, kept, table};

const INTRODUCTION: &str = "\
# HTTP API

JSON on `--api-bind`. The whole of it, with every field of every answer, is at `/openapi.json` (OpenAPI 3.1), to be tried
out at `/docs`, which works without internet access. Errors are `{\"error\": {\"code\", \"message\"}}`; the message names
the field where one is wrong.

## Who may do what

With `--api-token` every action (marked *token* below) needs `Authorization: Bearer TOKEN`; any address other than loopback
requires a token. Without one a request must name this machine in its Host header, and pages of other sites may not act;
there is no CORS. Each address may make `--api-rate` requests per second; a request is limited to 1 MiB and 30 seconds.
";

/// The last part of a reference to a type.
fn type_name(schema: &Json) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap().to_owned();
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        if let Some(all) = schema[several].as_array() {
            let names = all.iter().map(type_name).filter(|name| name != "null");
            return names.collect::<Vec<_>>().join(" or ");
        }
    }
    match &schema["type"] {
        Json::String(name) if name == "array" => {
            format!("array of {}", type_name(&schema["items"]))
        }
        Json::String(name) => name.clone(),
        Json::Array(names) => {
            let names = names.iter().filter_map(Json::as_str).filter(|name| *name != "null");
            names.collect::<Vec<_>>().join(" or ")
        }
        _ => "any".to_owned(),
    }
}

/// The fields of an object, those of what is flattened into it too.
pub(crate) fn fields(schema: &Json, schemas: &Map<String, Json>) -> Vec<[String; 3]> {
    if let Some(reference) = schema["$ref"].as_str() {
        return fields(&schemas[reference.rsplit('/').next().unwrap()], schemas);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        return parts.iter().flat_map(|part| fields(part, schemas)).collect();
    }
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    let fields = properties.iter().map(|(name, field)| {
        // What may be null has its description beside the reference.
        let described = field["description"].as_str();
        let description = described.or_else(|| field["oneOf"][0]["description"].as_str());
        [format!("`{name}`"), type_name(field), description.unwrap_or_default().to_owned()]
    });
    fields.collect()
}

fn operation(method: &str, path: &str, operation: &Json, schemas: &Map<String, Json>) -> String {
    let token = if operation["security"].is_array() { " (token)" } else { "" };
    let mut text = format!("\n### {} {path}{token}\n\n", method.to_uppercase());
    text += &format!("{}.", operation["summary"].as_str().unwrap());
    if let Some(more) = operation["description"].as_str() {
        text += &format!(" {}", cell(more));
    }
    let content = operation["responses"]["200"]["content"].as_object().unwrap();
    let (kind, answer) = content.iter().next().unwrap();
    text += &match kind.as_str() {
        "application/json" => format!(" Answers `{}`.\n", type_name(&answer["schema"])),
        other => format!(" Answers `{other}`.\n"),
    };
    let parameters = operation["parameters"].as_array().into_iter().flatten().map(|parameter| {
        let at = parameter["in"].as_str().unwrap();
        let description = parameter["description"].as_str().unwrap_or_default();
        [
            format!("`{}`", parameter["name"].as_str().unwrap()),
            at.to_owned(),
            description.to_owned(),
        ]
    });
    let body = &operation["requestBody"]["content"]["application/json"]["schema"];
    let body = fields(body, schemas)
        .into_iter()
        .map(|[name, _, description]| [name, "body".to_owned(), description]);
    let rows = table(["parameter", "in", "meaning"], parameters.chain(body));
    if !rows.is_empty() {
        text += &format!("\n{rows}");
    }
    let other = operation["responses"].as_object().unwrap().iter();
    let other = other.filter(|(status, _)| !["200", "default"].contains(&status.as_str()));
    let other = other.map(|(status, answer)| {
        [status.clone(), answer["description"].as_str().unwrap_or_default().to_owned()]
    });
    let rows = table(["status", "when"], other);
    if !rows.is_empty() {
        text += &format!("\n{rows}");
    }
    text
}

#[test]
fn api() {
    let document: Json = serde_json::to_value(xrpl_workload::api::openapi()).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut page = INTRODUCTION.to_owned();
    let mut shown = 0;
    for tag in document["tags"].as_array().unwrap() {
        let name = tag["name"].as_str().unwrap();
        page += &format!("\n## {name}\n\n{}\n", tag["description"].as_str().unwrap());
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, one) in item.as_object().unwrap() {
                if one["tags"][0] == name {
                    page += &operation(method, path, one, schemas);
                    shown += 1;
                }
            }
        }
    }
    let all =
        document["paths"].as_object().unwrap().values().map(|item| item.as_object().unwrap().len());
    assert_eq!(shown, all.sum::<usize>(), "an operation has a tag that the document does not list");
    kept("api.md", &page);
}
