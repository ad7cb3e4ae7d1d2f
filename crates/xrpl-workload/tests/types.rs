//! The table of types is what the code and the recordings say. `UPDATE_TYPES=1` writes what is kept of it
//! anew: `docs/types.md`, and the numbers of recorded cases.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value as Json;
use xrpl_workload::types;

fn here(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

/// Compares a kept file with what it must be, or writes it.
fn kept(file: &str, text: &str) {
    let path = here(file);
    if std::env::var_os("UPDATE_TYPES").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{file} differs: UPDATE_TYPES=1 writes it anew (twice, if both do)");
}

#[test]
fn the_document_is_the_table() {
    kept("../../docs/types.md", &types::markdown(&types::rows().unwrap()));
}

/// Submissions by type in all recordings.
fn recorded() -> Option<BTreeMap<String, u64>> {
    let mut roots: Vec<PathBuf> =
        std::env::var_os("XRPL_SHARED").map(PathBuf::from).into_iter().collect();
    roots.extend(here("").ancestors().map(|dir| dir.join("shared")));
    let folder =
        roots.iter().map(|root| root.join("fixtures/xrpld-3.3.0-b0")).find(|dir| dir.is_dir())?;
    let mut counts = BTreeMap::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let step: Json = serde_json::from_str(line).unwrap();
            let of = step["tx_json"]["TransactionType"].as_str();
            if let (Some("submit"), Some(of)) = (step["step"].as_str(), of) {
                *counts.entry(of.to_owned()).or_default() += 1;
            }
        }
    }
    Some(counts)
}

#[test]
fn the_numbers_of_recorded_cases_are_those_of_the_recordings() {
    let Some(counts) = recorded() else {
        println!("skipped: no recordings");
        return;
    };
    let text = serde_json::to_string_pretty(&counts).unwrap() + "\n";
    kept("src/types/recorded.json", &text);
}

#[test]
fn the_program_prints_the_table_in_three_forms() {
    let print = |flags: &[&str]| {
        let program = env!("CARGO_BIN_EXE_xrpl-workload");
        let output = Command::new(program).arg("types").args(flags).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let rows: Vec<Json> = serde_json::from_str(&print(&["--json"])).unwrap();
    assert_eq!(rows.len(), 77);
    for row in &rows {
        // What is not sent is executed all the same.
        assert_eq!(row["executed"], true, "{row}");
        let sent = row["not_sent"].is_null();
        assert_eq!(sent, row["weight"].is_u64(), "{row}");
        assert_eq!(sent, row["alone_per_second"].is_u64(), "{row}");
        assert_eq!(sent, !row["mutations"].as_array().unwrap().is_empty(), "{row}");
        assert!(row["recorded_cases"].as_u64().unwrap() > 0, "never recorded: {row}");
    }
    let plain = print(&[]);
    assert!(plain.starts_with("TYPE ") && plain.lines().count() > 77, "{plain}");
    assert_eq!(
        print(&["--markdown"]),
        std::fs::read_to_string(here("../../docs/types.md")).unwrap()
    );
}
