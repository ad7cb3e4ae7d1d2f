//! Where the recordings and vectors are, when they are.

// Each test file uses its own part of this one.
#![allow(dead_code)]

use std::path::PathBuf;

use serde_json::Value as Json;

/// A file below `shared/fixtures`, found by `XRPL_SHARED` or beside the project; none is a skip.
pub(crate) fn fixture(path: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("XRPL_SHARED").map(PathBuf::from).or_else(|| {
        let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        here.ancestors().map(|dir| dir.join("shared")).find(|dir| dir.join("fixtures").is_dir())
    });
    let found = shared.map(|dir| dir.join("fixtures").join(path)).filter(|p| p.exists());
    if found.is_none() {
        println!("skipped: the fixture {path} is not on this machine");
    }
    found
}

/// The lines of a JSON-lines fixture.
pub(crate) fn lines(path: &str) -> Vec<Json> {
    let Some(file) = fixture(path) else { return Vec::new() };
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Something that `scripts/install-test-libraries` installs; none is a skip.
pub(crate) fn library(path: &str) -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let found = Some(target.join("test-libraries").join(path)).filter(|p| p.exists());
    if found.is_none() {
        println!("skipped: {path} is not installed (scripts/install-test-libraries)");
    }
    found
}
