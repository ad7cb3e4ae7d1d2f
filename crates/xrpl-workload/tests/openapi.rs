//! The OpenAPI document: what is checked in is what the handlers say, and its page needs nothing
//! from outside.

mod common;

use std::path::PathBuf;

use common::{Running, get};
use serde_json::Value as Json;

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("openapi.json")
}

#[test]
fn the_checked_in_document_is_what_the_handlers_say() {
    let made = xrpl_workload::api::openapi().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(file(), &made).unwrap();
    }
    let kept = std::fs::read_to_string(file()).unwrap_or_default();
    let first = made.lines().zip(kept.lines()).position(|(made, kept)| made != kept);
    assert!(
        made == kept,
        "{} differs from line {}: UPDATE_OPENAPI=1 cargo test -p xrpl-workload --test openapi writes it anew",
        file().display(),
        first.map_or(0, |line| line + 1),
    );
}

#[test]
fn every_operation_says_what_it_does_and_answers() {
    let api: Json = serde_json::to_value(xrpl_workload::api::openapi()).unwrap();
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = std::collections::HashSet::new();
    let mut count = 0;
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let what = format!("{method} {path}");
            count += 1;
            assert!(operation["summary"].is_string(), "{what} has no summary");
            assert!(operation["tags"][0].is_string(), "{what} has no tag");
            assert!(ids.insert(operation["operationId"].to_string()), "{what}: its id is taken");
            assert!(operation["responses"]["default"].is_object(), "{what}: no error");
            let content = operation["responses"]["200"]["content"].as_object().unwrap();
            assert_eq!(content.len(), 1, "{what}");
        }
    }
    assert!(count > 55, "{count} operations");
    // Every reference leads somewhere.
    let text = api.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(api.pointer(pointer).is_some(), "{pointer} leads nowhere");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_and_its_page_come_from_the_program_alone() {
    let run = Running::start(&[]).await;
    let served = get(run.api, "/openapi.json").await;
    assert_eq!(served.headers["content-type"], "application/json");
    assert_eq!(served.json(), serde_json::to_value(xrpl_workload::api::openapi()).unwrap());
    assert_eq!(get(run.api, "/docs").await.headers["location"], "/docs/");
    let page = get(run.api, "/docs/").await;
    assert_eq!(page.status, 200);
    let mut files = 0;
    for part in page.text.split(['"', '\'']) {
        assert!(!part.starts_with("http") && !part.starts_with("//"), "from outside: {part}");
        if let Some(name) = part.strip_prefix("./").filter(|name| !name.ends_with("png")) {
            let answer = get(run.api, &format!("/docs/{name}")).await;
            assert_eq!(answer.status, 200, "{name}");
            assert!(!answer.text.is_empty(), "{name}");
            files += 1;
        }
    }
    assert!(files >= 3, "{}", page.text);
    let set_up = get(run.api, "/docs/swagger-initializer.js").await.text;
    assert!(set_up.contains("/openapi.json") && !set_up.contains("petstore"), "{set_up}");
    run.end().await;
}

/// Two types of one name would silently be one in the document.
#[test]
fn no_two_types_of_the_document_share_a_name() {
    let crates = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    let mut folders = vec![crates];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    let mut names = std::collections::BTreeMap::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for block in text.split("#[").filter(|b| b.contains("ToSchema") && b.contains("derive")) {
            // The declaration is a few attributes further on.
            let after = &text[block.as_ptr() as usize - text.as_ptr() as usize..];
            let declared = after.lines().take(8).find_map(|line| {
                let line = line.trim();
                let line = line.strip_prefix("pub(super)").unwrap_or(line).trim();
                let line = line.strip_prefix("pub").unwrap_or(line).trim();
                let rest = line.strip_prefix("struct ").or_else(|| line.strip_prefix("enum "))?;
                Some(rest.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned())
            });
            let Some(name) = declared.filter(|name| !name.is_empty()) else { continue };
            if let Some(other) = names.insert(name.clone(), file.clone()) {
                panic!("{name} is in {} and in {}", other.display(), file.display());
            }
        }
    }
    assert!(names.len() > 80, "{}", names.len());
}
