//! What validated ledgers have of an account.
//!
//! Nodes may lag behind one another: what is read is of a named ledger, so that none answers with an
//! older Sequence than the one that outcomes have shown.

use std::{collections::BTreeSet, time::Duration};

use futures_util::{StreamExt, future::join_all, stream};
use rustc_hash::FxHashSet;
use serde_json::{Map, Value as Json, json};
use tokio::time::Instant;
use xrpl_client::{
    ClientError, EndpointId, Pool,
    request::{AccountInfo, LedgerSpec, Raw, ServerState},
    response::AccountData,
};
use xrpl_protocol::{AccountId, Hash256, Issue, LedgerIndex, object_id};

use crate::{
    objects::Kind,
    world::{Asset, World},
};

/// How long a ledger may take to come to a node that answers.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a node may take to say which ledger is its newest.
const NEWEST: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(250);
/// Reads of entries at once.
const READS: usize = 32;
/// Pools that are looked for at most.
const MOST_POOLS: usize = 2_000;

/// The newest validated ledger that is known here or to a node that is not passed over. The nodes are
/// asked side by side, and who is silent keeps nobody waiting for long.
pub(crate) async fn newest(pool: &Pool, known: LedgerIndex) -> LedgerIndex {
    let asked = pool.followed().into_iter().map(|id| async move {
        let asked = pool.request_to(id, &ServerState {});
        let answer = tokio::time::timeout(NEWEST, asked).await.ok()?.ok()?;
        answer.state.validated_ledger.map(|ledger| ledger.seq)
    });
    join_all(asked).await.into_iter().flatten().fold(known, Ord::max)
}

/// The ledger entry that lists the enabled amendments
/// (<https://xrpl.org/docs/references/protocol/ledger-data/ledger-entry-types/amendments>).
const AMENDMENTS: &str = "7DB0788C020F02780A673DC74757F23823FA3014C1866E72CC4CD8B226CD6EF4";

/// The ids of the amendments that the network has enabled: as `feature` lists them, or, where that is only for
/// administrators, as the ledger itself has them. None where neither is to be had.
pub async fn amendments(pool: &Pool) -> Option<FxHashSet<Hash256>> {
    let ask = async |method: &str, params: Json| {
        let params = params.as_object().cloned().unwrap_or_default();
        pool.request(&Raw { method: method.into(), params }).await.ok()
    };
    let told = ask("feature", json!({})).await;
    let features = told.as_ref().and_then(|told| told.get("features")?.as_object());
    let by_feature: Option<FxHashSet<Hash256>> = features.map(|features| {
        let on = |of: &Json| of.get("enabled").and_then(Json::as_bool) == Some(true);
        features.iter().filter(|(_, of)| on(of)).filter_map(|(id, _)| id.parse().ok()).collect()
    });
    if let Some(enabled) = by_feature.filter(|enabled| !enabled.is_empty()) {
        return Some(enabled);
    }
    let entry =
        ask("ledger_entry", json!({"index": AMENDMENTS, "ledger_index": "validated"})).await?;
    let listed = entry.get("node")?.get("Amendments")?.as_array()?;
    Some(listed.iter().filter_map(|id| id.as_str()?.parse().ok()).collect())
}

/// An account as a validated ledger has it, and the node that said so; none if it has none.
///
/// # Errors
/// No node has the ledger within half a minute.
pub(crate) async fn account(
    pool: &Pool,
    id: AccountId,
    ledger: LedgerIndex,
) -> Result<Option<(EndpointId, AccountData)>, ClientError> {
    let request = AccountInfo {
        account: Some(id),
        ledger_index: Some(LedgerSpec::Index(ledger)),
        ..AccountInfo::default()
    };
    let deadline = Instant::now() + PATIENCE;
    loop {
        match pool.request_of_any(&request).await {
            Ok((node, info)) => return Ok(Some((node, info.account_data))),
            Err(error) if error.is_token("actNotFound") => return Ok(None),
            Err(error) if error.is_token("lgrNotFound") && Instant::now() < deadline => {
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// The entries of pools that there may be of what all users hold and of XRP, and of those whose tokens one
/// of the accounts holds: they are in no account's directory but their own. What cannot be read is left out, and met when it is in the way.
pub(crate) async fn pools(
    pool: &Pool,
    world: &World,
    ledger: LedgerIndex,
) -> Vec<(Hash256, Map<String, Json>)> {
    let issued = world.assets.iter().take(world.common_assets);
    let issue = |asset: &Asset| Issue::Issued { currency: asset.currency, issuer: asset.issuer };
    let all: Vec<Issue> = std::iter::once(Issue::Xrp).chain(issued.map(issue)).collect();
    let mut ids = Vec::new();
    for (n, one) in all.iter().enumerate() {
        ids.extend(all[..n].iter().map(|other| object_id::amm(*one, *other)));
    }
    ids.truncate(MOST_POOLS);
    // Those of other currencies are found by who holds their tokens.
    let lines = world.objects.all(Kind::LpLine).filter_map(|line| line.part_of);
    let roots: BTreeSet<Hash256> = lines.collect();
    let named = roots.into_iter().take(MOST_POOLS).map(|root| async move {
        entry(pool, root, ledger).await?.get("AMMID")?.as_str()?.parse::<Hash256>().ok()
    });
    let named: Vec<_> = stream::iter(named).buffered(READS).collect().await;
    for id in named.into_iter().flatten() {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let read = ids.into_iter().map(|id| {
        let pool = pool.clone();
        async move { (id, entry(&pool, id, ledger).await) }
    });
    let read: Vec<_> = stream::iter(read).buffered(READS).collect().await;
    read.into_iter().filter_map(|(id, entry)| Some((id, entry?))).collect()
}

/// An entry as a validated ledger has it, if it has it.
async fn entry(pool: &Pool, id: Hash256, ledger: LedgerIndex) -> Option<Map<String, Json>> {
    let params = json!({"index": id.to_string(), "ledger_index": ledger.0});
    let params = params.as_object().cloned().unwrap_or_default();
    let request = Raw { method: "ledger_entry".into(), params };
    let (_, answer) = pool.request_of_any(&request).await.ok()?;
    answer.get("node")?.as_object().cloned()
}
