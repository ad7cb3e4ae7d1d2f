//! Recordings of a real xrpld, where this machine has them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::Value as Json;
use xrpl_protocol::{Definitions, Object, fields};
use xrpl_standalone::{
    ledger::{NodeConfig, PreparedTx},
    txq::QueueSetup,
};

fn shared() -> Option<PathBuf> {
    if let Some(dir) = std::env::var_os("XRPL_SHARED") {
        return Some(dir.into());
    }
    let ancestors = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    ancestors.map(|dir| dir.join("shared")).find(|dir| dir.join("fixtures").is_dir())
}

/// A recording's lines; none if it is not on this machine.
pub(crate) fn lines(name: &str) -> Option<Vec<Json>> {
    let path = shared()?.join(format!("fixtures/xrpld-3.3.0-b0/{name}.jsonl"));
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// How the recorded node was set up; `start_time` as the network has it.
pub(crate) fn node(lines: &[Json], start_time: u64) -> NodeConfig {
    let start_time = u32::try_from(start_time).unwrap();
    let mut config = NodeConfig { start_time, ..NodeConfig::default() };
    match lines[0]["config"].as_str() {
        Some("xrpld-netid.cfg") => config.network_id = 21_338,
        Some("xrpld-txq.cfg") => {
            config.queue = QueueSetup {
                minimum_txn_in_ledger: 5,
                target_txn_in_ledger: 8,
                maximum_txn_in_ledger: Some(12),
                ledgers_in_queue: 4,
                minimum_queue_size: 24,
                ..QueueSetup::default()
            };
        }
        _ => {}
    }
    config
}

/// A recorded ledger's transactions with their metadata, as they were applied.
pub(crate) fn adopted(recorded: &[Json]) -> Vec<(Arc<PreparedTx>, Object)> {
    let definitions = Definitions::builtin();
    let mut all: Vec<_> = recorded
        .iter()
        .map(|tx| {
            let mut fields = tx.as_object().unwrap().clone();
            let mut metadata = fields.remove("metaData").unwrap();
            // Added for readers.
            fields.remove("hash");
            fields.remove("DeliverMax");
            for added in
                ["delivered_amount", "mpt_issuance_id", "nftoken_id", "nftoken_ids", "offer_id"]
            {
                metadata.as_object_mut().unwrap().remove(added);
            }
            let object = Object::from_json(&fields.into(), definitions).unwrap();
            let metadata = Object::from_json(&metadata, definitions).unwrap();
            let tx = PreparedTx::parse(&object.encode()).unwrap();
            (Arc::new(tx), metadata)
        })
        .collect();
    all.sort_by_key(|(_, metadata)| metadata.u32(fields::TRANSACTION_INDEX));
    all
}
