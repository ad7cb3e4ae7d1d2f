//! The reference pages in `docs/reference` are what the program says of itself. `UPDATE_REFERENCE=1` writes
//! them anew.

#[path = "../common/mod.rs"]
mod common;

mod api;
mod cli;
mod events;
mod metrics;
mod settings;
mod states;

use std::path::Path;

/// Compares a page with what it must be, or writes it.
fn kept(page: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference").join(page);
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let first = text.lines().zip(kept.lines()).position(|(made, kept)| made != kept);
    assert!(
        kept == text,
        "docs/reference/{page} differs from line {}: UPDATE_REFERENCE=1 cargo nextest run -p xrpl-workload \
         --test reference writes it anew",
        first.unwrap_or_else(|| text.lines().count().min(kept.lines().count())) + 1,
    );
}

/// Text as it can stand in a table's cell.
fn cell(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    one_line.replace('|', "\\|")
}

/// A table; no text at all if it has no rows.
fn table<const N: usize>(heads: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut text = String::new();
    for row in rows {
        text += &format!("| {} |\n", row.map(|one| cell(&one)).join(" | "));
    }
    if text.is_empty() {
        return text;
    }
    format!("| {} |\n|{}\n{text}", heads.join(" | "), "---|".repeat(N))
}
