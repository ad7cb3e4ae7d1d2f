//! Recordings of a real xrpld, where this machine has them.

mod cfg;

use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use xrpl_standalone::{
    ledger::{Amendment, genesis},
    node::{Node, NodeConfig},
};

/// The configuration whose `[features]` switch on what is in development. Ledgers do not show it.
const DEVELOPMENT: &str = "xrpld-dev.cfg";

fn shared() -> Option<PathBuf> {
    if let Some(dir) = std::env::var_os("XRPL_SHARED") {
        return Some(dir.into());
    }
    let ancestors = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    ancestors.map(|dir| dir.join("shared")).find(|dir| dir.join("fixtures").is_dir())
}

/// Where the recordings are; none if not on this machine.
pub(crate) fn folder() -> Option<PathBuf> {
    Some(shared()?.join("fixtures/xrpld-3.3.0-b0"))
}

/// Names of all recordings.
#[allow(dead_code)] // Not every test that shares this file lists them.
pub(crate) fn names() -> Vec<String> {
    let files = folder().and_then(|folder| std::fs::read_dir(folder).ok());
    let mut names: Vec<String> = files
        .into_iter()
        .flatten()
        .filter_map(|file| {
            Some(file.ok()?.file_name().to_str()?.strip_suffix(".jsonl")?.to_owned())
        })
        .collect();
    names.sort_unstable();
    names
}

/// A recording's lines; none if it is not on this machine.
pub(crate) fn lines(name: &str) -> Option<Vec<Json>> {
    let text = std::fs::read_to_string(folder()?.join(format!("{name}.jsonl"))).ok()?;
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// How the recorded node was set up; `start_time` as the network has it. Its configuration file says
/// so; where that is not kept, the hash of its first ledgers tells the amendments.
pub(crate) fn node(lines: &[Json], start_time: u64) -> NodeConfig {
    let start_time = u32::try_from(start_time).unwrap();
    let mut config = NodeConfig { start_time, ..NodeConfig::default() };
    let name = lines[0]["config"].as_str().unwrap_or_default();
    let text = folder().and_then(|folder| std::fs::read_to_string(folder.join(name)).ok());
    match text {
        Some(text) => cfg::apply(&mut config, &text),
        None => find_amendments(&mut config, lines),
    }
    if name == DEVELOPMENT {
        let in_development = Amendment::all().filter(|amendment| !amendment.is_supported());
        config.features = in_development.map(Amendment::id).collect();
    }
    config
}

/// The second ledger as a recording shows it.
pub(crate) fn second_ledger(lines: &[Json]) -> Option<&Json> {
    lines.iter().find_map(|line| {
        let ledger = &line["response"]["result"]["ledger"];
        (ledger["ledger_index"] == "2" || ledger["ledger_index"] == 2).then_some(ledger)
    })
}

fn find_amendments(config: &mut NodeConfig, lines: &[Json]) {
    let Some(recorded) = second_ledger(lines).and_then(|ledger| ledger["account_hash"].as_str())
    else {
        return;
    };
    let all: Vec<_> = Amendment::all().map(Amendment::id).collect();
    for amendments in [genesis::amendments(), all] {
        config.amendments = amendments;
        let first = Node::new(config.clone());
        if first.closed().header.account_hash.to_string() == recorded {
            return;
        }
    }
    panic!("the recorded ledger 2 has amendments that are neither the supported ones nor all");
}
