//! The fuzz band's part of the driver: what cannot be tracked is sent, lost accounts are replaced, and
//! the nodes are watched for what no transaction may make them do.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use tokio::{sync::watch, time::Instant};
use tracing::error;
use xrpl_client::{
    ClientError, Pool,
    request::{Ledger, LedgerSpec},
};
use xrpl_protocol::{Hash256, LedgerIndex, ResultClass, TxHash};
use xrpl_tracker::{LedgerHead, Outcome, ResultName, State};

use super::{Driver, Found};
use crate::{
    accounts::Role,
    config::Funding,
    error::GeneratorError,
    findings::{Counted, Finding, Findings, NodeLook},
    fuzz::{FuzzConfig, Mangling},
    setup,
};

/// How often the nodes are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Accounts whose funding is on its way at most.
const JOINING: usize = 8;
/// How many ledgers after its validation a ledger's hash is asked for again, and how many are remembered.
const LATER: u32 = 4;
const LEDGERS: usize = 32;

/// What the driver keeps for the band.
pub(super) struct Watch {
    /// Whether there is a band.
    on: bool,
    /// Whether its accounts are prepared, so that those that it loses from now on are replaced.
    pub(super) prepared: bool,
    pub(super) findings: Findings,
    published: watch::Sender<Arc<[Arc<Finding>]>>,
    looked: Instant,
    /// When it began, milliseconds since 1970.
    began_ms: u64,
    began: Instant,
    /// Hashes as they were published first.
    hashes: VecDeque<(LedgerIndex, Hash256)>,
}

impl Watch {
    pub(super) fn new(on: bool) -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            began_ms: millis(since),
            began: Instant::now(),
            on,
            prepared: false,
            findings: Findings::default(),
            published: watch::Sender::new(Arc::from([])),
            looked: Instant::now(),
            hashes: VecDeque::new(),
        }
    }

    /// Milliseconds since 1970, on tokio's clock, so that tests can hold it.
    fn now_ms(&self) -> u64 {
        self.began_ms.saturating_add(millis(self.began.elapsed()))
    }

    /// Where findings are published.
    pub(super) fn subscribe(&self) -> watch::Receiver<Arc<[Arc<Finding>]>> {
        self.published.subscribe()
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Sends bytes that cannot be tracked; what was answered, if anything was.
pub(super) async fn send_untracked(pool: &Pool, blob: &[u8]) -> Option<String> {
    match pool.submit(blob, true).await.answer {
        Ok(submit) => Some(submit.engine_result),
        Err(ClientError::Refused { cause, .. }) => Some(cause.error),
        Err(ClientError::NeverSent { .. }) => Some("not_sent".to_owned()),
        Err(ClientError::TurnedAway { status, .. }) => Some(format!("http_{status}")),
        Err(ClientError::Unknown { .. }) => None,
    }
}

impl Driver {
    /// One of the band goes out.
    pub(super) fn note_sent(&mut self, hash: TxHash, blob: &Bytes) {
        let now_ms = self.watch.now_ms();
        self.watch.findings.sent(hash, blob.clone(), now_ms);
    }

    /// The first answer to what is tracked; none if it is not known.
    pub(super) fn note_answer(&mut self, hash: TxHash, result: Option<&ResultName>, state: State) {
        let now_ms = self.watch.now_ms();
        if !self.watch.on || !self.watch.findings.knows(hash) {
            return;
        }
        // Not sent yet is no silence.
        if result.is_none() && state != State::Submitted {
            return;
        }
        self.watch.findings.answered(hash, result.map(ResultName::as_str), now_ms);
        let taken = result.and_then(ResultName::class) == Some(ResultClass::Tes);
        if taken
            && let Some(blob) = self.engine.blob_of(hash)
            && !self.engine.is_properly_signed(&blob)
        {
            self.watch.findings.accepted(hash, "tesSUCCESS", now_ms);
        }
        self.tell_findings();
    }

    /// What became of bytes that are not tracked.
    pub(super) fn note_untracked(
        &mut self,
        hash: TxHash,
        mangling: Mangling,
        answer: Option<&str>,
    ) {
        let now_ms = self.watch.now_ms();
        self.engine.untracked(mangling, answer.unwrap_or("no_answer"));
        self.watch.findings.answered(hash, answer, now_ms);
        let class = answer.and_then(ResultClass::of);
        let taken = matches!(class, Some(ResultClass::Tes | ResultClass::Tec));
        if let Some(answer) = answer.filter(|answer| taken || *answer == "terQUEUED") {
            self.watch.findings.accepted(hash, answer, now_ms);
        }
        self.tell_findings();
    }

    /// A transaction has its end. Before the engine takes it in.
    pub(super) fn note_end(&mut self, outcome: &Outcome) {
        let now_ms = self.watch.now_ms();
        if !self.watch.on || outcome.state != State::Validated {
            return;
        }
        let result = outcome.engine_result.as_ref().map_or("", ResultName::as_str);
        let internal = crate::findings::is_internal(result);
        let ours = self.watch.findings.knows(outcome.hash);
        if !internal && !ours {
            return;
        }
        let Some(blob) = self.engine.blob_of(outcome.hash) else { return };
        self.watch.findings.validated(outcome.hash, &blob, result, now_ms);
        if ours && !self.engine.is_properly_signed(&blob) {
            self.watch.findings.accepted(outcome.hash, "it is in a validated ledger", now_ms);
        }
        self.tell_findings();
    }

    /// A transaction that nobody tracks, or no longer, is in a validated ledger.
    pub(super) fn note_foreign(&mut self, hash: TxHash) {
        let now_ms = self.watch.now_ms();
        if !self.watch.on {
            return;
        }
        // A ledger can be read again after its transactions have ended and left the tracker's memory.
        let Some(blob) = self.watch.findings.blob_of(hash) else { return };
        if !self.engine.is_properly_signed(&blob) {
            self.watch.findings.accepted(hash, "it is in a validated ledger", now_ms);
            self.tell_findings();
        }
    }

    /// A new validated ledger: one of the earlier ones is asked for again.
    pub(super) fn note_head(&mut self, head: &LedgerHead) {
        self.watch.findings.set_head(head.index);
        if !self.watch.on || head.hash == Hash256::ZERO {
            return;
        }
        let hashes = &mut self.watch.hashes;
        hashes.push_back((head.index, head.hash));
        if hashes.len() > LEDGERS {
            hashes.pop_front();
        }
        if !head.index.0.is_multiple_of(LATER) {
            return;
        }
        let old = head.index.0.saturating_sub(LATER);
        let Some((index, was)) = hashes.iter().rev().find(|(index, _)| index.0 <= old).copied()
        else {
            return;
        };
        let (pool, found) = (self.pool.clone(), self.findings_to.clone());
        tokio::spawn(async move {
            let spec = Some(LedgerSpec::Index(index));
            let request = Ledger { ledger_index: spec };
            for (id, _) in pool.endpoints() {
                // One that has it no more, or does not answer, tells no other hash.
                if let Ok(answer) = pool.request_to(id, &request).await
                    && let Some(now) =
                        answer.ledger_hash.filter(|now| answer.validated && *now != was)
                {
                    let what = format!("ledger {index} had the hash {was} and has {now} now");
                    let node = pool.name(id);
                    drop(found.send(Found::LedgerChanged { node, what }));
                }
            }
        });
    }

    pub(super) fn note_ledger_changed(&mut self, node: &str, what: String) {
        let now_ms = self.watch.now_ms();
        self.watch.findings.ledger_changed(node, what, now_ms);
        self.tell_findings();
    }

    /// Looks at the nodes from time to time.
    pub(super) fn look_at_nodes(&mut self) {
        let now_ms = self.watch.now_ms();
        if !self.watch.on || self.watch.looked.elapsed() < LOOK_EVERY {
            return;
        }
        self.watch.looked = Instant::now();
        let health = self.pool.health();
        let nodes: Vec<NodeLook> = health
            .into_iter()
            .map(|node| NodeLook {
                name: node.name,
                works: node.healthy,
                why: node.last_error.unwrap_or_else(|| format!("state {:?}", node.server_state)),
            })
            .collect();
        let stats = self.tracker.stats();
        let counted = Counted {
            streams_closed: self.tracker.ws_stats().closed_by_node,
            ledgers_changed: stats.ledger_mismatches + stats.revoked + stats.contradicted,
        };
        self.watch.findings.look(&nodes, counted, now_ms);
        self.tell_findings();
    }

    /// Tells what is new to whoever reads findings.
    fn tell_findings(&mut self) {
        let (all, published) = (self.watch.findings.all(), self.watch.published.borrow().len());
        for finding in all.iter().skip(published) {
            error!(
                kind = finding.kind.name(),
                node = finding.node.as_deref().unwrap_or("any"),
                suspects = finding.suspects.len(),
                first = finding.suspects.first().map(|one| one.tx_blob.as_str()),
                "finding: {}",
                finding.what
            );
        }
        let same = |known: &[Arc<Finding>]| {
            known.len() == all.len() && known.iter().zip(all).all(|(a, b)| Arc::ptr_eq(a, b))
        };
        let new = (!same(&self.watch.published.borrow())).then(|| Arc::from(all));
        if let Some(new) = new {
            self.watch.published.send_replace(new);
        }
    }

    /// Changes how much of the load is drawn at random; what it was. The accounts of a band that there was
    /// not before are funded while the load goes on.
    pub(super) fn set_fuzz(&mut self, percent: f64) -> Result<f64, GeneratorError> {
        if matches!(self.config.funding, Funding::Accounts(_)) {
            let why =
                "beside given accounts none is made or funded, and it needs accounts of its own";
            return Err(GeneratorError::config("fuzz", why));
        }
        let old = self.engine.fuzz_percent();
        self.draw_share(percent);
        Ok(old)
    }

    /// So much of the load is drawn at random from now on. The band gets the accounts that this needs at
    /// the rate of the moment.
    pub(super) fn draw_share(&mut self, percent: f64) {
        let (tps, interval) = (self.schedule.tps(self.now()), self.config.fuzz.interval);
        let accounts = match interval.is_zero() {
            true => 0,
            false => FuzzConfig::accounts_for(percent, tps, interval),
        };
        self.engine.set_fuzz_share(percent, accounts);
        if percent > 0.0 {
            (self.watch.on, self.watch.prepared) = (true, true);
        }
    }

    /// Funds accounts in the place of those that the band has lost.
    pub(super) fn recruit(&mut self) {
        if !self.watch.prepared {
            return;
        }
        let lacks = self.engine.band_lacks().saturating_sub(self.joining);
        for _ in 0..lacks.min(JOINING.saturating_sub(self.joining)) {
            let (drops, world) = (self.config.user_drops.0, &self.engine.world);
            let funder = world.accounts.iter().position(|account| account.role == Role::Funder);
            let Some(funder) = funder.map(|at| at as crate::accounts::Index) else { return };
            let rich = world.accounts[funder].xrp.spendable(&self.engine.fees) >= drops;
            if !self.has_idle_worker() || !rich || world.accounts[funder].lane.may_take(1).is_err()
            {
                return;
            }
            let to = self.engine.band_recruit(&self.config);
            let plan = setup::funding(&self.engine.world, to, drops);
            let Ok(prepared) = self.engine.send(funder, plan, false) else { return };
            self.adopting.insert(prepared.hash, to);
            self.joining += 1;
            self.dispatch(prepared);
        }
    }
}
