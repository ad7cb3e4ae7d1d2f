//! The part of an xrpld configuration that a ledger depends on.

use xrpl_protocol::Hash256;
use xrpl_standalone::{node::NodeConfig, txq::QueueSetup};

/// Applies what a configuration file says. Unknown keys of `[transaction_queue]` are an error: they
/// would silently change nothing.
pub(crate) fn apply(config: &mut NodeConfig, text: &str) {
    let mut section = "";
    let mut amendments: Vec<Hash256> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
            continue;
        }
        match section {
            "network_id" => config.network_id = line.parse().expect("a network id"),
            "transaction_queue" => {
                let (key, value) = line.split_once('=').expect("key = value");
                let value = value.trim().parse().expect("a number");
                queue_key(&mut config.queue, key.trim(), value);
            }
            "amendments" => {
                let id = line.split_whitespace().next().expect("an id");
                amendments.push(id.parse().expect("an amendment's id"));
            }
            _ => {}
        }
    }
    if !amendments.is_empty() {
        config.amendments = amendments;
    }
}

fn queue_key(queue: &mut QueueSetup, key: &str, value: u64) {
    let size = || usize::try_from(value).expect("a small number");
    match key {
        "ledgers_in_queue" => queue.ledgers_in_queue = size(),
        "minimum_queue_size" => queue.minimum_queue_size = size(),
        "retry_sequence_percent" => queue.retry_sequence_percent = value,
        "minimum_escalation_multiplier" => queue.minimum_escalation_multiplier = value,
        "minimum_txn_in_ledger_standalone" => queue.minimum_txn_in_ledger = size(),
        "target_txn_in_ledger" => queue.target_txn_in_ledger = size(),
        "maximum_txn_in_ledger" => queue.maximum_txn_in_ledger = Some(size()),
        "normal_consensus_increase_percent" => queue.normal_consensus_increase_percent = value,
        "maximum_txn_per_account" => queue.maximum_txn_per_account = size(),
        "minimum_last_ledger_buffer" => {
            queue.minimum_last_ledger_buffer = u32::try_from(value).expect("a small number");
        }
        // Of networks: a server that stands alone has a minimum of its own and closes every ledger
        // in time.
        "minimum_txn_in_ledger" | "slow_consensus_decrease_percent" => {}
        _ => panic!("[transaction_queue] has a key that is not known here: {key}"),
    }
}
