//! Bridges. Nobody attests here: that takes real signatures.

use serde_json::{Value as Json, json};
use xrpl_protocol::{AccountId, Definitions, fields};
use xrpl_standalone::ledger::{Entry, entry_type as kind, genesis::GENESIS_ACCOUNT};

use super::{Draw, Put};

/// A bridge that is there, or one that the sender could keep the door of.
pub(crate) fn bridge(draw: &mut Draw<'_>, sender: AccountId) -> Json {
    match draw.world.any(draw.rng, kind::BRIDGE).cloned() {
        Some((_, entry)) if draw.chance(90) => spec(&entry),
        _ => new(draw, sender),
    }
}

fn spec(entry: &Entry) -> Json {
    entry.to_json(Definitions::builtin())["XChainBridge"].clone()
}

fn new(draw: &mut Draw<'_>, door: AccountId) -> Json {
    if draw.chance(60) {
        let xrp = json!({"currency": "XRP"});
        return json!({
            "LockingChainDoor": door.to_string(), "LockingChainIssue": xrp,
            "IssuingChainDoor": GENESIS_ACCOUNT.to_string(), "IssuingChainIssue": xrp,
        });
    }
    let (other, locked) = (draw.other(door).to_string(), draw.issue());
    json!({
        "LockingChainDoor": door.to_string(), "LockingChainIssue": locked,
        "IssuingChainDoor": other, "IssuingChainIssue": {"currency": "USD", "issuer": other},
    })
}

pub(super) fn fill(draw: &mut Draw<'_>, name: &str, sender: AccountId, put: &mut Put<'_>) {
    let reward = "100";
    if name == "XChainCreateBridge" {
        let bridge = new(draw, sender);
        if bridge["LockingChainIssue"]["issuer"].is_null() {
            put.set("MinAccountCreateAmount", "20000000");
        }
        put.set("XChainBridge", bridge).set("SignatureReward", reward);
        return;
    }
    let Some((_, entry)) = draw.world.any(draw.rng, kind::BRIDGE).cloned() else { return };
    put.set("XChainBridge", spec(&entry));
    let json = entry.to_json(Definitions::builtin());
    put.set("SignatureReward", json["SignatureReward"].clone());
    match name {
        "XChainModifyBridge" => {
            put.by(entry.account(fields::ACCOUNT));
            put.set("SignatureReward", if draw.chance(50) { "100" } else { "150" });
        }
        "XChainCommit" => {
            let issue = json["XChainBridge"]["LockingChainIssue"].clone();
            let amount = match issue["issuer"].is_string() {
                false => draw.drops(),
                true => {
                    let mut amount = issue;
                    amount["value"] = "3".into();
                    amount
                }
            };
            put.set("Amount", amount).set("SignatureReward", Json::Null);
        }
        "XChainAccountCreateCommit" => {
            put.set("Amount", (20_000_000 + draw.below(1_000_000)).to_string());
        }
        "XChainClaim" => {
            put.set("SignatureReward", Json::Null);
        }
        _ => {}
    }
}
