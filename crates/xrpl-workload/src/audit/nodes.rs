//! Which nodes are asked: those that follow the run's chain.
//!
//! A node that was reset, or that follows another network of the same id, has ledgers of the same
//! indexes with other transactions in them. Read among the others it would have the audit accuse a
//! store that is right.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;
use xrpl_client::{
    EndpointId, Pool,
    request::{Ledger, LedgerSpec},
};
use xrpl_protocol::{Hash256, LedgerIndex};
use xrpl_tracker::RunStore;

use super::AuditError;

/// How long until nodes are asked again.
const LOOK: Duration = Duration::from_millis(500);

/// The nodes of one chain.
#[derive(Clone, Debug)]
pub(super) struct Nodes {
    pub(super) ids: Vec<EndpointId>,
    /// The newest ledger that one of them has validated.
    pub(super) newest: u32,
    /// Those that are left out, in words.
    pub(super) left_out: Vec<String>,
}

/// A node's newest validated ledger, or why it does not say.
async fn newest(pool: &Pool, id: EndpointId) -> Result<(u32, Option<Hash256>), String> {
    let request = Ledger { ledger_index: Some(LedgerSpec::Validated) };
    let answer = pool.request_to(id, &request).await.map_err(|error| error.to_string())?;
    let index = answer.ledger_index.ok_or("it has no validated ledger yet")?;
    Ok((index.0, answer.ledger_hash))
}

/// A node's hash of a ledger; none if it does not have it or does not answer.
async fn hash(pool: &Pool, id: EndpointId, index: u32) -> Option<Hash256> {
    let index = Some(LedgerSpec::Index(LedgerIndex(index)));
    let request = Ledger { ledger_index: index };
    let answer = pool.request_to(id, &request).await.ok()?;
    answer.ledger_hash.filter(|_| answer.validated)
}

/// Finds the nodes that follow the run's chain, which begins before the ledger `first` and goes to
/// `wanted`, as far as the store knows: where nodes have different ledgers of one index, those whose
/// ledger the store has noted, else most of them.
///
/// # Errors
/// None answers, all are behind the run's first ledger, or nothing tells which of them is right.
pub(super) async fn of_run(
    pool: &Pool,
    store: &dyn RunStore,
    (first, wanted): (u32, u32),
) -> Result<Nodes, AuditError> {
    let all: Vec<EndpointId> = pool.endpoints().map(|(id, _)| id).collect();
    let told = join_all(all.iter().map(|id| newest(pool, *id))).await;
    let (mut has, mut silent, mut behind) = (Vec::new(), Vec::new(), None);
    for (id, told) in all.into_iter().zip(told) {
        match told {
            Ok((index, _)) if index + 1 < first => behind = behind.max(Some(index)),
            Ok((index, hash)) => has.push((id, index, hash)),
            Err(why) => silent.push(format!("{}: {why}", pool.name(id))),
        }
    }
    // What came after the run was noted by nobody.
    let Some(common) = has.iter().map(|(_, index, _)| (*index).min(wanted.max(first))).min() else {
        return Err(match behind {
            Some(newest) => AuditError::OtherNetwork { newest, first },
            None => AuditError::NoNode(silent.join("; ")),
        });
    };
    let asked = has.iter().map(|(id, index, newest)| async move {
        match *index == common {
            true => *newest,
            false => hash(pool, *id, common).await,
        }
    });
    let hashes = join_all(asked).await;
    let mut chains: Vec<(Hash256, usize)> = Vec::new();
    for hash in hashes.iter().flatten() {
        match chains.iter_mut().find(|(known, _)| known == hash) {
            Some((_, n)) => *n += 1,
            None => chains.push((*hash, 1)),
        }
    }
    let noted = store.ledger_hash(LedgerIndex(common)).await?;
    let chosen = match chains.as_slice() {
        [] => None,
        [(hash, _)] => Some(*hash),
        several => {
            let most = several.iter().map(|(_, n)| *n).max().unwrap_or(0);
            let mut largest = several.iter().filter(|(_, n)| *n == most).map(|(hash, _)| *hash);
            let of_store = noted.filter(|noted| several.iter().any(|(hash, _)| hash == noted));
            match (of_store, largest.next(), largest.next()) {
                (Some(noted), ..) => Some(noted),
                (None, Some(hash), None) => Some(hash),
                _ => {
                    let words = has.iter().zip(&hashes).filter_map(|((id, ..), hash)| {
                        hash.map(|hash| format!("{}: {hash}", pool.name(*id)))
                    });
                    let told = words.collect::<Vec<_>>().join(", ");
                    return Err(AuditError::Nodes { index: common, told });
                }
            }
        }
    };
    let mut nodes = Nodes { ids: Vec::new(), newest: 0, left_out: Vec::new() };
    for ((id, index, _), hash) in has.into_iter().zip(hashes) {
        // One that does not have that ledger any more is held to the chain by each ledger's parent.
        if hash.is_none() || hash == chosen {
            nodes.ids.push(id);
            nodes.newest = nodes.newest.max(index);
        } else {
            nodes.left_out.push(format!("{} has another ledger {common}", pool.name(id)));
        }
    }
    Ok(nodes)
}

/// The same, once they have validated a ledger; waits for it as long as is worth while.
///
/// # Errors
/// As [`of_run`].
pub(super) async fn that_have(
    pool: &Pool,
    store: &dyn RunStore,
    (first, wanted): (u32, u32),
    patience: Duration,
    say: Option<fn(&str)>,
) -> Result<Nodes, AuditError> {
    let say = |text: &str| say.into_iter().for_each(|say| say(text));
    let since = Instant::now();
    let mut said = false;
    loop {
        let nodes = of_run(pool, store, (first, wanted)).await?;
        if nodes.newest >= wanted || since.elapsed() >= patience {
            for why in &nodes.left_out {
                say(&format!("{why} than the run's chain: it is not asked"));
            }
            return Ok(nodes);
        }
        if !std::mem::replace(&mut said, true) {
            say(&format!(
                "the node's newest validated ledger is {}, the run goes to {wanted}: waiting up to \
                 {patience:?} for it",
                nodes.newest
            ));
        }
        tokio::time::sleep(LOOK).await;
    }
}
