//! What a vault's entry and the holdings of its shares tell.

use serde_json::Value as Json;
use xrpl_protocol::{Decimal, Hash256, Issue, MptId, object_id};

use crate::{accounts::Index, objects::Entry, world::World};

/// What is in it.
pub(super) fn asset(vault: &Entry) -> Option<Issue> {
    // Metadata of a new one leave out what has its default value: XRP.
    match vault.fields.get("Asset") {
        Some(issue) => Issue::from_json(issue).ok(),
        None => Some(Issue::Xrp),
    }
}

/// Whether nothing is in it, and nobody has a share of it.
pub(super) fn is_empty(vault: &Entry) -> bool {
    let zero = |field: &str| match vault.fields.get(field) {
        None => true,
        Some(Json::String(text)) => text == "0",
        Some(_) => false,
    };
    zero("AssetsTotal") && zero("AssetsAvailable")
}

/// How many shares can be had for what of it is not lent, with room for what a share has gained.
pub(super) fn available(vault: &Entry) -> u64 {
    /// Shares of a unit of an issued currency have six digits more, where nothing else was asked for.
    const SCALE: i64 = 1_000_000;
    let shares = match asset(vault) {
        Some(Issue::Issued { .. }) => Decimal::from(SCALE),
        _ => Decimal::from(1),
    };
    let available = vault.decimal("AssetsAvailable") * shares / Decimal::from(2);
    available.truncated().to_i64().ok().and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
}

/// An account's shares of it: the token, the holding, and how many.
pub(super) fn shares(world: &World, vault: &Entry, who: Index) -> Option<(MptId, Hash256, u64)> {
    let share: MptId = vault.fields.get("ShareMPTID")?.as_str()?.parse().ok()?;
    let token = object_id::mptoken(share, world.accounts[who].id);
    let held = world.objects.get(token)?.number("MPTAmount")?;
    (held > 0).then_some((share, token, held))
}
