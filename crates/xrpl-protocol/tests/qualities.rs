//! The quality of offers that a real xrpld put into books: the last eight bytes of their directory.

mod common;

use serde_json::Value as Json;
use xrpl_protocol::{Amount, Quality};

/// Offers that were put whole into a book, and not rounded by a TickSize: quality as xrpld wrote it,
/// TakerPays, TakerGets.
fn offers(tx: &Json, found: &mut Vec<(u64, Amount, Amount)>) {
    let nodes = tx["metaData"]["AffectedNodes"].as_array();
    for node in nodes.into_iter().flatten().map(|node| &node["CreatedNode"]) {
        let fields = &node["NewFields"];
        let whole = ["TakerPays", "TakerGets"].iter().all(|name| fields[name] == tx[name]);
        let directory = fields["BookDirectory"].as_str().filter(|id| id.len() == 64);
        if node["LedgerEntryType"] == "Offer"
            && whole
            && let Some(directory) = directory
        {
            let amount = |name: &str| Amount::from_json(&fields[name]).unwrap();
            let quality = u64::from_str_radix(&directory[48..], 16).unwrap();
            found.push((quality, amount("TakerPays"), amount("TakerGets")));
        }
    }
}

#[test]
fn recorded_offers_have_the_quality_that_is_computed() {
    let mut found = Vec::new();
    for name in ["offers", "random_dex", "random_mixed", "random_amm", "api_params"] {
        for line in common::lines(&format!("xrpld-3.3.0-b0/{name}.jsonl")) {
            let list = line["ledger"]["ledger"]["transactions"].as_array();
            list.into_iter().flatten().for_each(|tx| offers(tx, &mut found));
        }
    }
    for (quality, pays, gets) in &found {
        let computed = Quality::of(pays, gets).0;
        assert_eq!(computed, *quality, "{pays:?} for {gets:?}: {computed:016X}, {quality:016X}");
    }
    assert!(found.is_empty() || found.len() > 250, "{} offers only", found.len());
}
