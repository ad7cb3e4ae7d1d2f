//! Whether what a node follows is the chain that is followed here.
//!
//! A node that is restarted may come back with a fresh chain, or with another network's: its ledgers
//! look like those that were expected, and nothing may be concluded from them. Each validated ledger
//! has in its state the hashes of the 256 before it, and of every 256th before those (`LedgerHashes`,
//! <https://xrpl.org/docs/references/protocol/ledger-data/ledger-entry-types/ledgerhashes>): one
//! request tells whether a ledger that is told now and one that is known from before belong together,
//! though nobody keeps the ledgers between them. Where a node has no such list its ledgers of known
//! indexes are compared.
//!
//! While a tracker runs, a stream is believed as long as it lasts, for a process does not change its
//! chain; a new connection whose newest ledger is not known is heard only once its node is found to
//! follow the same chain, and what it says until then waits. The same holds for the newest ledger
//! where a request tells it. Where a node is found to follow another chain it is not heard and gets no
//! request ([`Pool::pass_over`]) until it is found to follow this one again: however far ahead it is,
//! what is sent to it never comes into a ledger of the run. Where that is so of every node that
//! answers, the chain was reset, if they are most of all, or half of all and the others stay silent: from
//! then on no transaction comes to an end and none is sent. What was in flight stays open in its run.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt, future::join_all, stream::FuturesUnordered};
use serde_json::{Value as Json, json};
use tokio::time;
use xrpl_client::{
    ClientError, EndpointId, Pool,
    request::{Ledger, LedgerSpec, Raw, ServerState},
    response,
};
use xrpl_protocol::{Hash256, LedgerIndex, object_id};

use crate::{
    core::Shared, finality_checker::head_of, message::LedgerClosed, ws_processor::process_batch,
};

/// The first ledgers of a chain may be the same in each that starts anew: they tell nothing.
pub(crate) const YOUNG: u32 = 3;

/// How many ledgers a node may be behind the one that was asked before.
const LAG: u32 = 20;

/// How many known ledgers are compared by index where there is no list.
const COMPARED: usize = 16;

/// Ledgers that a ledger lists one by one; of older ones every 256th.
const LISTED: u32 = 256;

/// How soon a node that could not be judged, or follows another chain, is judged again.
const AGAIN: Duration = Duration::from_secs(2);

/// How long the nodes are waited for at the start, so that none on another chain is asked first.
const AT_START: Duration = Duration::from_secs(2);

/// How long half of the nodes may follow another chain and the others be silent until that is a reset.
const SILENT: Duration = Duration::from_secs(60);

/// What a node follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The known chain. Ledgers of which another hash was known until now come with it.
    Same(Vec<(u32, Hash256)>),
    /// Another one, and what shows it.
    Other(String),
    /// Neither is shown; a node that catches up will show it.
    Unknown(String),
    /// Neither is shown, and asking again will not help: it keeps nothing of what is known.
    NotShown(String),
}

/// The known hashes of a chain.
pub(crate) type Known = BTreeMap<u32, Hash256>;

/// What a node's newest validated ledger and its state (`full`, ...) tell of the chain that it
/// follows. That node alone is asked for what is known: another one would answer with its own ledgers.
pub(crate) async fn judge(
    pool: &Pool,
    node: EndpointId,
    known: &Known,
    network_id: Option<u32>,
    (head, state): (&LedgerClosed, &str),
    limit: Duration,
) -> Standing {
    if let (Some(then), Some(now)) = (network_id, head.network_id)
        && then != now
    {
        return Standing::Other(format!("its network id is {now}, not {then}"));
    }
    let Some((newest, newest_hash)) = known.last_key_value().map(|(i, h)| (*i, *h)) else {
        return Standing::NotShown("no ledger is known".into());
    };
    let index = head.index.0;
    if (index, head.hash) == (newest, newest_hash) {
        return Standing::Same(Vec::new());
    }
    let in_step = ["full", "validating", "proposing"].contains(&state);
    let behind = format!("it is at ledger {index}, where {newest} was reached before");
    if index < newest && index <= YOUNG {
        return match in_step {
            true => Standing::Other(behind),
            false => Standing::Unknown(behind),
        };
    }
    let mut compared = Compared::default();
    compared.add(known, &[(index, head.hash)]);
    if compared.same == 0 {
        let recent = list(pool, &[node], head.hash, object_id::skip_list(), 1, limit).await;
        compared.add(known, &recent);
    }
    if compared.same == 0 {
        let key = object_id::skip_list_of(newest.min(index));
        compared.add(known, &list(pool, &[node], head.hash, key, LISTED, limit).await);
    }
    let mut unknown = None;
    if compared.same == 0 {
        unknown = compared.by_index(pool, node, known, index, limit).await;
    }
    if compared.same > 0 {
        return Standing::Same(compared.differs.into_iter().collect());
    }
    if let Some((index, hash)) = compared.differs.pop_last() {
        return match unknown {
            None => Standing::Other(format!("its ledger {index} is {hash}, not the known one")),
            Some(why) => Standing::Unknown(why),
        };
    }
    match unknown {
        Some(why) => Standing::Unknown(why),
        None if index >= newest => Standing::NotShown(format!(
            "it has no ledger that is known, of which {newest} is the newest"
        )),
        None if in_step && newest - index > LAG => Standing::Other(behind),
        None => Standing::Unknown(behind),
    }
}

/// How a node's ledgers compare with the known ones.
#[derive(Debug, Default)]
struct Compared {
    same: usize,
    differs: BTreeMap<u32, Hash256>,
}

impl Compared {
    fn add(&mut self, known: &Known, told: &[(u32, Hash256)]) {
        for (index, hash) in told {
            match known.get(index) {
                Some(known) if known != hash => drop(self.differs.insert(*index, *hash)),
                Some(_) if *index > YOUNG => self.same += 1,
                _ => {}
            }
        }
    }

    /// Asks for known ledgers by index, newest first. What kept an answer from being had, if
    /// something did.
    async fn by_index(
        &mut self,
        pool: &Pool,
        node: EndpointId,
        known: &Known,
        head: u32,
        limit: Duration,
    ) -> Option<String> {
        let mut unknown = None;
        let old = known.range(..=head).rev().take_while(|(index, _)| **index > YOUNG);
        for (index, _) in old.take(COMPARED) {
            let ledger_index = Some(LedgerSpec::Index(LedgerIndex(*index)));
            let request = &Ledger { ledger_index };
            match time::timeout(limit, pool.request_to(node, request)).await {
                Ok(Ok(answer)) if answer.validated => {
                    let told = answer.ledger_hash.map(|hash| (*index, hash));
                    self.add(known, told.as_slice());
                }
                Ok(Ok(_)) => unknown = Some(format!("its ledger {index} is not validated")),
                // What it says of itself: it does not keep ledgers so old.
                Ok(Err(error)) if error.is_token("lgrNotFound") => {}
                Ok(Err(error)) => unknown = Some(error.to_string()),
                Err(_) => unknown = Some("no answer in time".into()),
            }
            // One that differs may be a wrong hash that was told once; an older one decides.
            if self.same > 0 || (self.differs.is_empty() && unknown.is_some()) {
                break;
            }
        }
        unknown
    }
}

/// The hashes that a ledger's state has of those before it: index and hash, from the first node that
/// has them; empty if none does.
async fn list(
    pool: &Pool,
    nodes: &[EndpointId],
    ledger: Hash256,
    key: Hash256,
    step: u32,
    limit: Duration,
) -> Vec<(u32, Hash256)> {
    let params = json!({"index": key.to_string(), "ledger_hash": ledger.to_string()});
    let Json::Object(params) = params else { return Vec::new() };
    let request = &Raw { method: "ledger_entry".into(), params };
    for node in nodes {
        match time::timeout(limit, pool.request_to(*node, request)).await {
            Ok(Ok(answer)) => {
                if let Some(hashes) = read_list(&answer, step) {
                    return hashes;
                }
            }
            Ok(Err(error)) => tracing::debug!(%ledger, %error, "no list of hashes"),
            Err(_) => tracing::debug!(%ledger, "no list of hashes in time"),
        }
    }
    Vec::new()
}

fn read_list(answer: &Json, step: u32) -> Option<Vec<(u32, Hash256)>> {
    let node = answer.get("node")?;
    let last = u32::try_from(node.get("LastLedgerSequence")?.as_u64()?).ok()?;
    let hashes = node.get("Hashes")?.as_array()?.iter().rev();
    let read = hashes.zip(0u32..).map(|(hash, n)| {
        Some((last.checked_sub(n.checked_mul(step)?)?, hash.as_str()?.parse().ok()?))
    });
    read.collect()
}

/// The hash of a ledger below the newest one, known or learnt from the lists of those above it.
pub(crate) async fn learn(shared: &Shared, index: u32) -> Option<Hash256> {
    let (head, above, flag) = {
        let core = shared.lock();
        if let Some(known) = core.completeness.hash(index) {
            return Some(known);
        }
        let flag = (index / LISTED + 1) * LISTED;
        (core.head.clone(), core.completeness.known_above(index, LISTED), flag)
    };
    if index >= head.index.0 {
        return None;
    }
    let (pool, limit) = (&shared.pool, shared.config.lookup_timeout);
    let nodes = pool.followed();
    let above = match above {
        Some((_, hash)) => Some(hash),
        // The next one whose number is a multiple of 256 is listed for ever.
        None if flag < head.index.0 => {
            let key = object_id::skip_list_of(flag);
            let flags = list(pool, &nodes, head.hash, key, LISTED, limit).await;
            flags.into_iter().find(|(listed, _)| *listed == flag).map(|(_, hash)| hash)
        }
        None => Some(head.hash),
    };
    let recent = list(pool, &nodes, above?, object_id::skip_list(), 1, limit).await;
    let mut core = shared.lock();
    let wanted = recent.iter().find(|(listed, _)| *listed == index).map(|(_, hash)| *hash);
    for (listed, hash) in recent {
        if !core.completeness.learnt(listed, hash) {
            core.mismatch(LedgerIndex(listed), hash);
        }
    }
    wanted
}

/// Whether a ledger's hash that a request told is that of the followed chain, as far as can be told:
/// it is known or can be learnt, or every node that answers has the newest ledger that is known, so
/// that no other chain can have been asked.
pub(crate) async fn holds(shared: &Shared, index: u32, hash: Hash256) -> bool {
    if index > shared.lock().head.index.0 {
        take_head(shared).await;
    }
    if let Some(known) = learn(shared, index).await {
        return known == hash;
    }
    let head = shared.lock().head.clone();
    if index > head.index.0 {
        return false;
    }
    let params = json!({"ledger_hash": head.hash.to_string()});
    let Json::Object(params) = params else { return false };
    let request = &Raw { method: "ledger".into(), params };
    let asked = shared.pool.endpoints().map(|(id, _)| async move {
        let asked = shared.pool.request_to(id, request);
        time::timeout(shared.config.lookup_timeout, asked).await
    });
    let answers = join_all(asked).await;
    let lacks = |answer: &Result<Result<Json, ClientError>, _>| matches!(answer, Ok(Err(error)) if !error.is_endpoint_failure());
    answers.iter().any(|answer| matches!(answer, Ok(Ok(_)))) && !answers.iter().any(lacks)
}

/// Whether what a node says of its own ledgers up to this one is about the followed chain. A node on
/// another chain answers requests as confidently as any: its history has other transactions with the
/// same Sequence, and what our chain has is absent from it.
///
/// `told` is the ledger's hash, where the node has named it already.
pub(crate) async fn follows(
    shared: &Shared,
    node: EndpointId,
    index: u32,
    told: Option<Hash256>,
) -> bool {
    let hash = match told {
        Some(hash) => Some(hash),
        None => validated_hash(shared, node, LedgerSpec::Index(LedgerIndex(index))).await,
    };
    match hash {
        Some(hash) => holds(shared, index, hash).await,
        // It keeps the transactions of that ledger and not the ledger. Each ledger stands for all
        // before it, so that it is enough if the newest one is in its chain.
        None => {
            let head = shared.lock().head.clone();
            let newest = validated_hash(shared, node, LedgerSpec::Index(head.index)).await;
            index <= head.index.0 && newest == Some(head.hash)
        }
    }
}

/// The hash of a node's validated ledger.
async fn validated_hash(shared: &Shared, node: EndpointId, of: LedgerSpec) -> Option<Hash256> {
    let request = &Ledger { ledger_index: Some(of) };
    let asked = shared.pool.request_to(node, request);
    let answer = time::timeout(shared.config.lookup_timeout, asked).await.ok()?.ok()?;
    answer.ledger_hash.filter(|_| answer.validated)
}

/// Asks for the newest validated ledger, for the streams may be dead, and takes it if it belongs to
/// the followed chain.
pub(crate) async fn take_head(shared: &Shared) {
    let request = &ServerState::default();
    let limit = shared.config.lookup_timeout;
    let asked = match time::timeout(limit, shared.pool.request_of_any(request)).await {
        Ok(Ok((node, answer))) => {
            if take_head_of(shared, node, &answer.state).await {
                return;
            }
            node
        }
        Ok(Err(error)) => return tracing::debug!(%error, "the newest ledger is not known"),
        Err(_) => return tracing::debug!("the newest ledger is not known: no answer in time"),
    };
    // The node that answers first may be the one that follows another chain.
    let others = shared.pool.followed().into_iter().filter(|node| *node != asked);
    let answers = others.map(|node| async move {
        (node, time::timeout(limit, shared.pool.request_to(node, request)).await)
    });
    for (node, answer) in join_all(answers).await {
        if let Ok(Ok(answer)) = answer
            && take_head_of(shared, node, &answer.state).await
        {
            return;
        }
    }
}

/// Takes the newest validated ledger that a node reports, if the node follows the chain. Whether it
/// does. Only this node can show that: another one may have all known ledgers, and says nothing
/// about what this one told.
async fn take_head_of(
    shared: &Shared,
    node: EndpointId,
    state: &response::ServerStateBody,
) -> bool {
    let Some(ledger) = head_of(state) else { return false };
    let (known, network_id) = {
        let core = shared.lock();
        match core.completeness.hash(ledger.index.0) {
            Some(hash) if hash == ledger.hash => (None, None),
            _ => (Some(core.completeness.hashes().clone()), core.head.network_id),
        }
    };
    if let Some(known) = known {
        let told = (&ledger, state.server_state.as_str());
        let limit = shared.config.lookup_timeout;
        match judge(&shared.pool, node, &known, network_id, told, limit).await {
            Standing::Same(differs) => differing(shared, &differs),
            Standing::NotShown(why) => {
                tracing::debug!(ledger = %ledger.index, %why, "taken for the same chain");
            }
            Standing::Unknown(why) => {
                tracing::debug!(ledger = %ledger.index, %why, "the newest ledger is not taken");
                return false;
            }
            Standing::Other(_) => {
                shared.lock().suspect = true;
                shared.links.chain.notify_one();
                return false;
            }
        }
    }
    let now_ms = shared.now_ms();
    shared.lock().ledger_told(&ledger, None, now_ms);
    true
}

/// Ledgers of the followed chain of which another hash was known.
fn differing(shared: &Shared, differs: &[(u32, Hash256)]) {
    let mut core = shared.lock();
    for (index, hash) in differs {
        core.mismatch(LedgerIndex(*index), *hash);
    }
}

/// Judges nodes of which it is not known what they follow, for ever.
pub(crate) async fn run(shared: Arc<Shared>) -> Result<(), Infallible> {
    // Since when no node is known to follow the chain and some follow another.
    let mut lost_since_ms = None;
    loop {
        let nodes: BTreeSet<_> = {
            let mut core = shared.lock();
            match std::mem::take(&mut core.suspect) {
                true => shared.pool.endpoints().map(|(id, _)| id).collect(),
                false => {
                    core.waiting_endpoints().into_iter().chain(shared.pool.passed_over()).collect()
                }
            }
        };
        let judged = judge_nodes(&shared, nodes).await;
        if judged.others.is_empty() {
            lost_since_ms = None;
        } else {
            look_for_reset(&shared, judged, &mut lost_since_ms).await;
        }
        let next = {
            let core = shared.lock();
            let open =
                !core.waiting_endpoints().is_empty() || !shared.pool.passed_over().is_empty();
            let again = open && core.reset.is_none();
            again.then(|| shared.now_ms() + crate::clock::millis(AGAIN))
        };
        shared.clock.rung_or_at(&shared.links.chain, next).await;
    }
}

/// Judges all nodes before anything is asked of them, as far as they answer soon.
pub(crate) async fn judge_at_start(shared: &Shared) {
    let all: BTreeSet<_> = shared.pool.endpoints().map(|(id, _)| id).collect();
    if all.len() > 1 {
        // Who is judged later is judged by the task.
        let _ = time::timeout(AT_START, judge_nodes(shared, all)).await;
    }
}

/// What was found out about some nodes.
#[derive(Debug, Default)]
struct Judged {
    /// They follow the chain, or nothing contradicts it.
    same: BTreeSet<EndpointId>,
    /// They follow another one, and why.
    others: BTreeMap<EndpointId, String>,
}

/// Judges nodes side by side, each as soon as it has answered: those that follow the chain are heard
/// and asked from now on, those that follow another one are passed over.
async fn judge_nodes(shared: &Shared, nodes: BTreeSet<EndpointId>) -> Judged {
    let asked = nodes.into_iter().map(|id| async move { (id, standing(shared, id).await) });
    let mut asked: FuturesUnordered<_> = asked.collect();
    let mut judged = Judged::default();
    while let Some((id, standing)) = asked.next().await {
        let node = shared.pool.name(id);
        match standing {
            Standing::Same(differs) => {
                differing(shared, &differs);
                judged.same.insert(id);
            }
            // Nothing contradicts, and its network id is the same if both are known. That is enough
            // where there is nobody else: one of two that follow one chain would have ledgers that
            // the other told.
            Standing::NotShown(why) if shared.lock().hears_another(id) => {
                tracing::debug!(%node, %why, "not heard beside others");
            }
            Standing::NotShown(why) => {
                tracing::warn!(%node, %why, "taken for the same chain");
                judged.same.insert(id);
            }
            Standing::Unknown(why) => tracing::debug!(%node, %why, "not heard yet"),
            Standing::Other(why) => {
                if shared.pool.pass_over(id, Some(&format!("it follows another chain: {why}"))) {
                    tracing::error!(%node, %why, "a node follows another chain: it is passed over");
                }
                judged.others.insert(id, why);
            }
        }
        if judged.same.contains(&id) {
            if shared.pool.pass_over(id, None) {
                tracing::info!(%node, "the node follows the chain again");
            }
            hear(shared, id);
        }
    }
    judged
}

async fn standing(shared: &Shared, id: EndpointId) -> Standing {
    let limit = shared.config.lookup_timeout;
    let request = ServerState::default();
    let state = match time::timeout(limit, shared.pool.request_to(id, &request)).await {
        Ok(Ok(answer)) => answer.state,
        Ok(Err(error)) => return Standing::Unknown(error.to_string()),
        Err(_) => return Standing::Unknown("no answer in time".into()),
    };
    let Some(head) = head_of(&state) else {
        return Standing::Unknown("it has no validated ledger".into());
    };
    let (known, network_id) = {
        let core = shared.lock();
        (core.completeness.hashes().clone(), core.head.network_id)
    };
    let told = (&head, state.server_state.as_str());
    judge(&shared.pool, id, &known, network_id, told, limit).await
}

/// A node follows the chain: what its streams said meanwhile is taken in.
fn hear(shared: &Shared, id: EndpointId) {
    let held = shared.lock().heard(id);
    for events in held {
        process_batch(shared.core_for_batch(), &events, shared.now_ms());
    }
}

/// Some nodes follow another chain. If that is so of all that answer, the chain was reset: at once
/// where they are most of all nodes, and where they are half of them once the others have been silent
/// for long.
async fn look_for_reset(shared: &Shared, judged: Judged, lost_since_ms: &mut Option<u64>) {
    let Judged { same, mut others } = judged;
    let all: BTreeSet<EndpointId> = shared.pool.endpoints().map(|(id, _)| id).collect();
    let (all, rest) = (all.len(), all.into_iter().filter(|id| !others.contains_key(id)));
    let rest = judge_nodes(shared, rest.filter(|id| !same.contains(id)).collect()).await;
    others.extend(rest.others);
    let now_ms = shared.now_ms();
    if !same.is_empty() || !rest.same.is_empty() {
        *lost_since_ms = None;
        return;
    }
    let since_ms = *lost_since_ms.get_or_insert(now_ms);
    let silent = now_ms.saturating_sub(since_ms) >= crate::clock::millis(SILENT);
    if others.len() * 2 > all || (others.len() * 2 == all && silent) {
        let why = others.into_values().next().unwrap_or_default();
        tracing::error!(%why, "the chain was reset: nothing is sent or concluded any more");
        let mut core = shared.lock();
        core.reset = Some(why.as_str().into());
        shared.links.reset.send_replace(core.reset.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_from_their_end() {
        let hash = |n: u8| Hash256([n; 32]).to_string();
        let answer = json!({"node": {"LastLedgerSequence": 768, "Hashes": [hash(1), hash(2)]}});
        let expected = vec![(768, Hash256([2; 32])), (512, Hash256([1; 32]))];
        assert_eq!(read_list(&answer, 256), Some(expected));
        let expected = vec![(768, Hash256([2; 32])), (767, Hash256([1; 32]))];
        assert_eq!(read_list(&answer, 1), Some(expected));
        for bad in
            [json!({}), json!({"node": {"LastLedgerSequence": 0, "Hashes": [hash(1), hash(2)]}})]
        {
            assert_eq!(read_list(&bad, 256), None);
        }
    }
}
