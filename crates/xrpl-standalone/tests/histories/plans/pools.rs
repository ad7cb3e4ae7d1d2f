//! Pools and vaults.

use rand::RngExt as _;
use serde_json::Value as Json;
use xrpl_standalone::ledger::entry_type as kind;

use super::{Draw, Put, holder_of};

pub(super) fn amm(draw: &mut Draw<'_>, name: &str, put: &mut Put<'_>) {
    if name == "AMMClawback" {
        return super::vaults::amm_clawback(draw, put);
    }
    let Some((_, pool)) = draw.world.any(draw.rng, kind::AMM).cloned() else { return };
    let json = pool.to_json(xrpl_protocol::Definitions::builtin());
    put.set("Asset", json["Asset"].clone()).set("Asset2", json["Asset2"].clone());
    let of = |asset: &Json, draw: &mut Draw<'_>| match asset["issuer"].is_string() {
        false => draw.drops(),
        true => {
            let mut amount = asset.clone();
            amount["value"] = draw.rng.random_range(1..=50u32).to_string().into();
            amount
        }
    };
    let tokens = json["LPTokenBalance"].clone();
    let needed = match name {
        "AMMDeposit" => {
            [&json["Asset"], &json["Asset2"]].into_iter().find(|a| a["issuer"].is_string())
        }
        _ => Some(&tokens),
    };
    let found = needed.and_then(|asset| holder_of(draw, asset));
    put.by(found.map(|(holder, _)| holder));
    match name {
        "AMMDeposit" | "AMMWithdraw" => {
            let (one, two) = (of(&json["Asset"], draw), of(&json["Asset2"], draw));
            match draw.below(3) {
                0 => put.set("Flags", 0x0008_0000).set("Amount", one),
                1 => put.set("Flags", 0x0010_0000).set("Amount", one).set("Amount2", two),
                _ => {
                    let mut tokens = json["LPTokenBalance"].clone();
                    tokens["value"] = draw.rng.random_range(1..=100u32).to_string().into();
                    let field = if name == "AMMDeposit" { "LPTokenOut" } else { "LPTokenIn" };
                    put.set("Flags", 0x0001_0000).set(field, tokens)
                }
            };
        }
        "AMMVote" => {
            put.set("TradingFee", draw.below(1_001));
        }
        "AMMBid" => {
            let mut least = json["LPTokenBalance"].clone();
            least["value"] = draw.rng.random_range(1..=20u32).to_string().into();
            put.set("BidMin", least);
        }
        _ => {}
    }
}
