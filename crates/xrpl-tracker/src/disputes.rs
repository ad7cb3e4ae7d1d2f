//! Which of several hashes that nodes reported for one ledger is its hash.
//!
//! Two things settle it: most nodes name one by request; or the ledgers above it do, each of whose
//! hashes covers the hash of the one before, from one that most nodes agree on downwards. The
//! second needs nobody's word for the ledger itself, which the node that denied it may long have
//! deleted. What most nodes name is believed only until the ledger above is known: several addresses
//! can lead to one node, so that one node's word looks like that of most.

use std::{collections::BTreeSet, convert::Infallible, pin::pin, sync::Arc};

use futures_util::{
    StreamExt, future,
    stream::{self, FuturesUnordered},
};
use tokio::time;
use xrpl_client::{
    EndpointId,
    request::{Ledger, LedgerSpec},
};
use xrpl_protocol::{Hash256, LedgerHeader, LedgerIndex};

use crate::core::Shared;

/// Headers read in one walk down from the newest ledger.
const LONGEST_WALK: u32 = 1_024;

/// Ledgers asked about at once.
const AT_ONCE: usize = 8;

/// How far below the newest ledger one is looked for on which most nodes agree: some are behind.
const BEHIND: u32 = 3;

/// How long the store rests when it could not be searched.
const STORE_RESTS_MS: u64 = 5_000;

/// Asks the nodes about what is under dispute, for ever. A task of its own: a node that never
/// answers keeps no ledger from being read.
pub(crate) async fn run(shared: Arc<Shared>) -> Result<(), Infallible> {
    // A task before this one may have failed in the middle.
    shared.lock().completeness.reopen_disputes();
    loop {
        search_store(&shared).await;
        let now_ms = shared.now_ms();
        let due = shared.lock().completeness.take_disputes(now_ms);
        if !due.is_empty() {
            settle(&shared, due).await;
        }
        check_links(&shared).await;
        let next = {
            let core = shared.lock();
            let again = (!core.denied.is_empty()).then(|| shared.now_ms() + STORE_RESTS_MS);
            let next = core.completeness.next_dispute_ms();
            next.into_iter().chain(again).min()
        };
        shared.clock.rung_or_at(&shared.links.disputes, next).await;
    }
}

/// Settles what can be settled now. Where nothing does, the hash known first stays, what contradicts
/// it is not believed, and no absence is proven by that ledger.
async fn settle(shared: &Shared, indexes: Vec<u32>) {
    let mut open = BTreeSet::new();
    let asked =
        stream::iter(indexes).map(|index| async move { (index, majority(shared, index).await) });
    let mut asked = pin!(asked.buffer_unordered(AT_ONCE));
    while let Some((index, hash)) = asked.next().await {
        match hash {
            Some(hash) => decide(shared, index, hash),
            None => drop(open.insert(index)),
        }
    }
    if let Some(lowest) = open.first().copied() {
        let newest = shared.lock().head.index.0;
        let from = newest.saturating_sub(BEHIND).max(lowest) + 1;
        for index in (from..=newest).rev() {
            if let Some(hash) = majority(shared, index).await {
                walk_down(shared, index, hash, &mut open).await;
                break;
            }
        }
    }
    let now_ms = shared.now_ms();
    let mut core = shared.lock();
    for index in open {
        core.completeness.undecided(index);
        tracing::error!(ledger = index, "the nodes do not agree on the ledger's hash");
    }
    core.settle_past_last(now_ms);
}

/// Whether the ledgers above settled ones name them as their parents. Where one does not, the nodes
/// that were most named what cannot be, and both are under dispute again.
async fn check_links(shared: &Shared) {
    let now_ms = shared.now_ms();
    let unlinked = shared.lock().completeness.take_unlinked(now_ms);
    let asked = stream::iter(unlinked).map(|(index, hash, above)| async move {
        (index, hash, above, header(shared, index + 1, above).await)
    });
    // Side by side: one that no node has keeps no other waiting.
    let mut asked = pin!(asked.buffer_unordered(AT_ONCE));
    while let Some((index, hash, above, header)) = asked.next().await {
        let Some(header) = header else { continue };
        let mut core = shared.lock();
        // Either may have become another meanwhile.
        let same = core.completeness.hash(index) == Some(hash)
            && core.completeness.hash(index + 1) == Some(above);
        if !same {
            continue;
        }
        if header.parent_hash == hash {
            core.completeness.link(index);
        } else {
            core.completeness.break_link(index);
            tracing::error!(ledger = index, "most nodes named a hash that the ledger above denies");
        }
    }
}

/// The hash that more than half of all nodes name for a validated ledger.
async fn majority(shared: &Shared, index: u32) -> Option<Hash256> {
    let nodes: Vec<EndpointId> = shared.pool.endpoints().map(|(id, _)| id).collect();
    let request = &header_of(index);
    let asked = nodes.iter().copied().map(|id| async move {
        let asked = shared.pool.request_to(id, request);
        let answer = time::timeout(shared.config.lookup_timeout, asked).await.ok()?.ok()?;
        answer.ledger_hash.filter(|_| answer.validated)
    });
    let said: Vec<Hash256> = future::join_all(asked).await.into_iter().flatten().collect();
    said.iter()
        .copied()
        .find(|hash| said.iter().filter(|other| *other == hash).count() * 2 > nodes.len())
}

/// From a ledger whose hash is sure down to the lowest open one, as far as there are headers.
async fn walk_down(shared: &Shared, from: u32, hash: Hash256, open: &mut BTreeSet<u32>) {
    let Some(lowest) = open.first().copied() else { return };
    let lowest = lowest.max(from.saturating_sub(LONGEST_WALK));
    let (mut index, mut hash) = (from, hash);
    while index > lowest {
        let Some(header) = header(shared, index, hash).await else { return };
        (index, hash) = (index - 1, header.parent_hash);
        if open.remove(&index) || shared.lock().completeness.contradicts(index, hash) {
            decide(shared, index, hash);
            shared.lock().completeness.link(index);
        }
    }
}

/// The header that gives this hash, from whichever node has it.
async fn header(shared: &Shared, index: u32, hash: Hash256) -> Option<LedgerHeader> {
    let nodes: Vec<EndpointId> = shared.pool.endpoints().map(|(id, _)| id).collect();
    let request = &header_of(index);
    let asked = nodes.iter().copied().map(|id| async move {
        let asked = shared.pool.request_to(id, request);
        let answer = time::timeout(shared.config.lookup_timeout, asked).await.ok()?.ok()?;
        answer.ledger.header(LedgerIndex(index)).filter(|header| header.hash == hash)
    });
    // The first that fits: a silent node holds nothing up.
    let mut asked: FuturesUnordered<_> = asked.collect();
    while let Some(header) = asked.next().await {
        if header.is_some() {
            return header;
        }
    }
    None
}

fn header_of(index: u32) -> Ledger {
    Ledger { ledger_index: Some(LedgerSpec::Index(LedgerIndex(index))) }
}

fn decide(shared: &Shared, index: u32, hash: Hash256) {
    let now_ms = shared.now_ms();
    let mut core = shared.lock();
    if core.completeness.decide(index, hash, now_ms) {
        core.deny(LedgerIndex(index), hash, now_ms);
    }
}

/// Opens those ended ones again that rest on a denied ledger and have left memory.
async fn search_store(shared: &Shared) {
    let denied: Vec<_> = shared.lock().denied.iter().map(|(index, hash)| (*index, *hash)).collect();
    for (index, hash) in denied {
        let index = LedgerIndex(index);
        let opened = async {
            let records = shared.store.resting_on(index).await?;
            let now_ms = shared.now_ms();
            shared.lock().denied_in_store(index, hash, records, now_ms);
            // What is open again must not be overtaken by the hash that it is known by.
            shared.store.flush().await
        };
        match opened.await {
            Ok(()) => shared.lock().denied_is_done(index, hash),
            Err(error) => {
                tracing::error!(ledger = %index, %error, "ends that rest on a denied ledger are not found");
            }
        }
    }
}
