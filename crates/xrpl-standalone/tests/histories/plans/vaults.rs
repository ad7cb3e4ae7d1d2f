//! Vaults: who may put how much into them, take it out, and claw it back.

use rand::{RngExt as _, seq::IndexedRandom as _};
use serde_json::{Value as Json, json};
use xrpl_protocol::{AccountId, Definitions, Field, Hash256, MptId, Object, Value, fields};
use xrpl_standalone::ledger::{Entry, entry_type as kind};

use super::{Draw, Put, held};

/// A number of an entry, as near as drawing needs it.
pub(super) fn number(entry: &Object, field: Field) -> f64 {
    match entry.get(field) {
        Some(Value::Number(number)) => number.decimal().to_string().parse().unwrap_or(0.0),
        _ => 0.0,
    }
}

/// What a vault is of, as it stands in a transaction.
pub(super) fn asset_of(vault: &Object) -> Json {
    vault.to_json(Definitions::builtin())["Asset"].clone()
}

pub(super) fn is_xrp(asset: &Json) -> bool {
    asset["currency"] == "XRP"
}

/// Whether there are parts of a unit.
pub(super) fn is_whole(asset: &Json) -> bool {
    !asset["issuer"].is_string()
}

pub(super) fn amount_of(asset: &Json, value: impl ToString) -> Json {
    if is_xrp(asset) {
        return value.to_string().into();
    }
    let mut amount = asset.clone();
    amount["value"] = value.to_string().into();
    amount
}

/// A value of an asset up to so much of it, of many digits now and then.
pub(super) fn some(draw: &mut Draw<'_>, asset: &Json, most: f64) -> String {
    let most = most.clamp(1.0, 1e12) as u64;
    let whole = draw.rng.random_range(1..=most);
    match is_whole(asset) || draw.chance(70) {
        true => whole.to_string(),
        false => format!("{}.{:06}", whole - 1, draw.below(999_999) + 1),
    }
}

/// Who issues an asset, if anybody.
pub(super) fn issuer_of(asset: &Json) -> Option<AccountId> {
    match asset["mpt_issuance_id"].as_str() {
        Some(id) => id.parse::<MptId>().ok().map(|id| id.issuer()),
        None => asset["issuer"].as_str()?.parse().ok(),
    }
}

fn issuance_in(token: &Object) -> Option<MptId> {
    match token.get(fields::MP_TOKEN_ISSUANCE_ID)? {
        Value::Hash192(id) => Some(MptId(*id)),
        _ => None,
    }
}

fn tokens(draw: &Draw<'_>, id: MptId) -> Vec<(AccountId, f64)> {
    let all = draw.world.all(kind::MPTOKEN).iter();
    let own = all.filter(|(_, token)| issuance_in(token) == Some(id));
    own.filter_map(|(_, token)| {
        let amount = token.u64(fields::MPT_AMOUNT).filter(|amount| *amount > 0)?;
        Some((token.account(fields::ACCOUNT)?, amount as f64))
    })
    .collect()
}

/// Everybody who has some of an asset, and how much; whoever issues it has enough.
fn holders(draw: &Draw<'_>, asset: &Json) -> Vec<(AccountId, f64)> {
    if is_xrp(asset) {
        let roots = draw.world.all(kind::ACCOUNT_ROOT).iter();
        return roots
            .filter_map(|(_, root)| {
                let drops = root.amount(fields::BALANCE)?.drops()?;
                // Reserves stay.
                Some((root.account(fields::ACCOUNT)?, (drops - 30_000_000) as f64))
            })
            .filter(|(account, spare)| {
                *spare > 0.0 && (0..crate::world::PLAYERS).any(|n| super::account(n) == *account)
            })
            .collect();
    }
    let mut all = match asset["mpt_issuance_id"].as_str() {
        Some(id) => tokens(draw, id.parse().unwrap_or(MptId([0; 24]))),
        None => {
            let lines = draw.world.all(kind::RIPPLE_STATE).iter();
            let held = lines.filter_map(|(_, line)| held(line));
            held.filter_map(|(holder, amount)| {
                let json = amount.to_json();
                let same =
                    json["currency"] == asset["currency"] && json["issuer"] == asset["issuer"];
                let value = json["value"].as_str()?.parse().ok()?;
                same.then_some((holder, value))
            })
            .collect()
        }
    };
    all.extend(issuer_of(asset).map(|issuer| (issuer, 5_000.0)));
    all
}

/// Somebody who has some of an asset, and how much.
pub(super) fn anybody_with(draw: &mut Draw<'_>, asset: &Json) -> Option<(AccountId, f64)> {
    holders(draw, asset).choose(draw.rng).copied()
}

/// How much of an asset an account has.
pub(super) fn purse(draw: &Draw<'_>, asset: &Json, account: AccountId) -> f64 {
    let all = holders(draw, asset);
    all.iter().find(|(holder, _)| *holder == account).map_or(0.0, |(_, value)| *value)
}

/// The vault of an id.
pub(super) fn vault_at(draw: &Draw<'_>, id: Hash256) -> Option<Entry> {
    let mut all = draw.world.all(kind::VAULT).iter();
    all.find(|(other, _)| *other == id).map(|(_, vault)| vault.clone())
}

fn create(draw: &mut Draw<'_>, put: &mut Put<'_>) {
    let asset = match draw.below(3) {
        0 => None,
        1 => super::holding(draw).map(|(_, amount)| {
            let mut asset = amount.to_json();
            asset.as_object_mut().map(|asset| asset.remove("value"));
            asset
        }),
        _ => {
            let found = draw.world.any(draw.rng, kind::MPTOKEN);
            let id = found.and_then(|(_, token)| issuance_in(token)).or_else(|| draw.issuance());
            id.map(|id| json!({"mpt_issuance_id": id.to_string()}))
        }
    };
    let asset = asset.unwrap_or_else(|| json!({"currency": "XRP"}));
    let owner = anybody_with(draw, &asset).map(|(owner, _)| owner);
    if draw.chance(80) {
        put.set("Flags", 0);
    }
    if asset["issuer"].is_string() && draw.chance(30) {
        put.set("Scale", draw.below(19));
    }
    if draw.chance(10) {
        put.set("AssetsMaximum", draw.rng.random_range(1_000u32..1_000_000).to_string());
    }
    put.by(owner).set("Asset", asset);
}

pub(super) fn vault(draw: &mut Draw<'_>, name: &str, sender: AccountId, put: &mut Put<'_>) {
    if name == "VaultCreate" {
        return create(draw, put);
    }
    let Some((id, vault)) = draw.world.any(draw.rng, kind::VAULT).cloned() else { return };
    put.set("VaultID", id.to_string());
    let asset = asset_of(&vault);
    let share = match vault.get(fields::SHARE_MPTID) {
        Some(Value::Hash192(id)) => MptId(*id),
        _ => return,
    };
    let (total, available) =
        (number(&vault, fields::ASSETS_TOTAL), number(&vault, fields::ASSETS_AVAILABLE));
    let owner = vault.account(fields::OWNER);
    let holder = tokens(draw, share).choose(draw.rng).copied();
    match name {
        "VaultDeposit" => {
            let Some((holder, most)) = anybody_with(draw, &asset) else { return };
            let value = some(draw, &asset, most * 0.3);
            put.by(Some(holder)).set("Amount", amount_of(&asset, value));
        }
        "VaultWithdraw" => {
            let (holder, shares) = holder.unwrap_or((sender, 5.0));
            let amount = match draw.below(3) {
                0 => {
                    let all = draw.chance(40);
                    let few = draw.rng.random_range(1..=(shares as u64).max(1));
                    let value = if all { shares as u64 } else { few };
                    json!({"mpt_issuance_id": share.to_string(), "value": value.to_string()})
                }
                _ => {
                    let value = some(draw, &asset, available * 0.3);
                    amount_of(&asset, value)
                }
            };
            put.by(Some(holder)).set("Amount", amount);
        }
        "VaultClawback" => {
            let holder = holder.map_or_else(|| draw.other(sender), |(holder, _)| holder);
            put.set("Holder", holder.to_string());
            if total == 0.0 {
                // What is worth nothing, the owner takes away.
                put.by(owner);
                return;
            }
            put.by(issuer_of(&asset));
            if draw.chance(70) && !is_xrp(&asset) {
                let value =
                    if draw.chance(30) { "0".into() } else { some(draw, &asset, available) };
                put.set("Amount", amount_of(&asset, value));
            }
        }
        "VaultSet" => {
            put.by(owner);
            match draw.below(3) {
                0 => {
                    let data = draw.value("Data", sender);
                    put.set("Data", data);
                }
                1 => {
                    put.set("AssetsMaximum", "0");
                }
                _ => {
                    let most = total * 2.0 + 10_000.0;
                    put.set("AssetsMaximum", format!("{most:.0}"));
                }
            }
            let is_private = vault.u32(fields::FLAGS).unwrap_or(0) & 0x0001_0000 != 0;
            if is_private && draw.chance(60) {
                let domain = draw.id(kind::PERMISSIONED_DOMAIN);
                put.set("DomainID", domain);
            }
        }
        _ => {
            // Mostly one that is empty.
            let all = draw.world.all(kind::VAULT).iter();
            let empty: Vec<_> =
                all.filter(|(_, vault)| !vault.contains(fields::ASSETS_TOTAL)).collect();
            if let Some((id, vault)) = empty.choose(draw.rng)
                && draw.chance(80)
            {
                put.set("VaultID", id.to_string()).by(vault.account(fields::OWNER));
            } else {
                put.by(owner);
            }
        }
    }
}

/// Takes back from a pool what the issuer that may do so has issued.
pub(super) fn amm_clawback(draw: &mut Draw<'_>, put: &mut Put<'_>) {
    let issuer = super::account(1);
    let pools: Vec<_> = draw.world.all(kind::AMM).to_vec();
    let json = |pool: &Entry| pool.to_json(Definitions::builtin());
    let of_issuer = |pool: &Entry| {
        let json = json(pool);
        let sides = [json["Asset"].clone(), json["Asset2"].clone()];
        sides.iter().any(|asset| issuer_of(asset) == Some(issuer))
    };
    let own: Vec<_> = pools.iter().filter(|(_, pool)| of_issuer(pool)).collect();
    let Some((_, pool)) = own.choose(draw.rng) else { return };
    let json = json(pool);
    let (mut asset, mut other) = (json["Asset"].clone(), json["Asset2"].clone());
    if issuer_of(&asset) != Some(issuer) {
        std::mem::swap(&mut asset, &mut other);
    }
    let pool_tokens = holders(draw, &json["LPTokenBalance"]);
    let pool_account = pool.account(fields::ACCOUNT);
    let real: Vec<_> =
        pool_tokens.iter().filter(|(holder, _)| Some(*holder) != pool_account).collect();
    if let Some((holder, _)) = real.choose(draw.rng) {
        put.set("Holder", holder.to_string());
    }
    if draw.chance(50) {
        let value = some(draw, &asset, 20.0);
        put.set("Amount", amount_of(&asset, value));
    }
    put.set("Flags", 0).by(Some(issuer)).set("Asset", asset).set("Asset2", other);
}
