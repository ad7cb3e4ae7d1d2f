//! A canary: one transaction of its own account per validated ledger, apart from the load. Its ends
//! say whether the network takes and validates transactions, whatever the load does to itself.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use xrpl_client::request::{AccountInfo, LedgerSpec};
use xrpl_protocol::{
    AccountId, Amount, Drops, LedgerIndex, Sequence, TxHash,
    hash::sha512_half,
    keys::{KeyPair, KeyType, Seed},
    transaction::{AccountSet, Common, Direct, Slot},
};
use xrpl_tracker::{LedgerHead, ResultName, State, Submission};

use crate::session::{App, Phase};

/// Heartbeats kept for the API.
const KEPT: usize = 200;
/// Ledgers within which a canary must be validated.
const LEDGERS: u32 = 4;
/// What the canary's account is given: reserve and fees of some weeks.
const FUNDS_XRP: u64 = 50;
/// The most that a canary pays.
const MOST_FEE: u64 = 100_000;

/// One canary.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Beat {
    /// The newest validated ledger when it was sent.
    pub ledger_index: LedgerIndex,
    /// The transaction; none if it could not be sent.
    pub tx_hash: Option<TxHash>,
    /// Where it is in its life.
    pub state: Option<State>,
    /// Its newest result, or why it could not be sent.
    pub result: Option<String>,
    /// The ledger that has it.
    pub validated_ledger: Option<LedgerIndex>,
    /// From submission to validation, milliseconds.
    pub finality_ms: Option<u32>,
}

/// State of the canary.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct HeartbeatView {
    /// Whether `--heartbeat` is on.
    pub enabled: bool,
    /// The canary's account, once it is funded.
    pub account: Option<AccountId>,
    /// The newest ledger a canary was validated in.
    pub last_heartbeat_ledger: Option<LedgerIndex>,
    /// Canaries validated.
    pub total_heartbeats: u64,
    /// The newest ledgers whose canary was not sent or did not end VALIDATED.
    pub missed_heartbeats: Vec<LedgerIndex>,
    /// How many there were of those.
    pub missed_count: u64,
    /// Newest first.
    pub recent_heartbeats: Vec<Beat>,
}

#[derive(Debug, Default)]
struct Inner {
    account: Option<AccountId>,
    last: Option<LedgerIndex>,
    total: u64,
    missed: VecDeque<LedgerIndex>,
    missed_count: u64,
    recent: VecDeque<Beat>,
}

/// Canaries of a run.
#[derive(Clone, Debug, Default)]
pub struct Heartbeat(Arc<Mutex<Inner>>);

impl Heartbeat {
    /// Where it stands.
    #[must_use]
    pub fn view(&self, enabled: bool) -> HeartbeatView {
        let inner = self.0.lock();
        HeartbeatView {
            enabled,
            account: inner.account,
            last_heartbeat_ledger: inner.last,
            total_heartbeats: inner.total,
            missed_heartbeats: inner.missed.iter().copied().collect(),
            missed_count: inner.missed_count,
            recent_heartbeats: inner.recent.iter().rev().cloned().collect(),
        }
    }

    fn miss(&self, ledger: LedgerIndex) {
        let mut inner = self.0.lock();
        inner.missed_count += 1;
        inner.missed.push_back(ledger);
        if inner.missed.len() > KEPT {
            inner.missed.pop_front();
        }
    }

    fn note(&self, beat: Beat) {
        let mut inner = self.0.lock();
        if let Some(known) = inner
            .recent
            .iter_mut()
            .find(|known| known.ledger_index == beat.ledger_index && known.tx_hash == beat.tx_hash)
        {
            *known = beat;
            return;
        }
        inner.recent.push_back(beat);
        if inner.recent.len() > KEPT {
            inner.recent.pop_front();
        }
    }

    /// Beats until cancelled.
    pub async fn beat(app: Arc<App>, end: CancellationToken) {
        let Some(mut canary) = Canary::hatch(&app).await else { return };
        app.heartbeat.0.lock().account = Some(canary.key.account_id());
        let mut head = app.tracker.ledger();
        loop {
            tokio::select! {
                () = end.cancelled() => return,
                moved = head.changed() => if moved.is_err() { return },
            }
            // What is submitted now might not come to its end with the run.
            if app.phase() == Phase::Stopping {
                return;
            }
            let now = head.borrow_and_update().clone();
            match canary.send(&app, &now).await {
                Ok(hash) => {
                    tokio::spawn(follow(Arc::clone(&app), now.index, hash));
                }
                Err(why) => {
                    tracing::warn!(ledger = %now.index, why, "no canary could be sent");
                    app.heartbeat.miss(now.index);
                    app.heartbeat.note(Beat {
                        ledger_index: now.index,
                        tx_hash: None,
                        state: None,
                        result: Some(why),
                        validated_ledger: None,
                        finality_ms: None,
                    });
                }
            }
        }
    }
}

/// Waits for the end of one canary. Bounded: its LastLedgerSequence is near.
async fn follow(app: Arc<App>, ledger_index: LedgerIndex, hash: TxHash) {
    let Ok(outcome) = app.tracker.outcome(hash).await else { return };
    if outcome.state == State::Validated {
        let mut inner = app.heartbeat.0.lock();
        inner.total += 1;
        inner.last = inner.last.max(outcome.validated_ledger);
    } else {
        app.heartbeat.miss(ledger_index);
    }
    app.heartbeat.note(Beat {
        ledger_index,
        tx_hash: Some(hash),
        state: Some(outcome.state),
        result: outcome.engine_result.as_ref().map(ResultName::to_string),
        validated_ledger: outcome.validated_ledger,
        finality_ms: outcome.latencies.finality_ms,
    });
}

/// Which Sequence the next canary takes. None is signed again while an earlier canary on it may still be
/// validated: where the next one is not known, it is read from a validated ledger that no earlier canary
/// outlives.
#[derive(Debug)]
struct Sequences {
    /// The next one, while it follows from the answer to the canary before.
    next: Option<Sequence>,
    /// The LastLedgerSequence of the newest canary, which is the highest.
    last: LedgerIndex,
}

impl Sequences {
    /// Of an account whose canaries may be validated until a ledger.
    fn with_canaries_until(last: LedgerIndex) -> Self {
        Self { next: None, last }
    }

    /// The account's Sequence as a validated ledger has it.
    fn read(&mut self, sequence: Sequence, ledger: LedgerIndex) -> Result<Sequence, String> {
        if ledger < self.last {
            let last = self.last;
            return Err(format!("an earlier canary may still be validated, until ledger {last}"));
        }
        self.next = Some(sequence);
        Ok(sequence)
    }

    /// A canary was signed. Until its answer is here, nobody knows what follows.
    fn signed(&mut self, last: LedgerIndex) {
        self.next = None;
        self.last = self.last.max(last);
    }

    /// What the canary with this Sequence was answered with.
    fn answered(&mut self, sequence: Sequence, state: State) {
        self.next = match state {
            State::Submitted | State::Validated => Some(Sequence(sequence.0.saturating_add(1))),
            // A fact: it never uses its Sequence.
            State::Rejected | State::FailedNet => Some(sequence),
            State::Created | State::Retryable | State::Expired => None,
        };
    }
}

/// The account that beats.
struct Canary {
    key: KeyPair,
    sequences: Sequences,
}

impl Canary {
    /// Derives the account from the run's seed and has it funded.
    async fn hatch(app: &App) -> Option<Self> {
        let generator = app.ready().await?;
        let hash = sha512_half(&[b"xrpl-workload heartbeat", app.config.seed.as_bytes()]);
        let mut entropy = [0; 16];
        entropy.copy_from_slice(&hash.0[..16]);
        let key = KeyPair::from_seed(&Seed::from_entropy(entropy, KeyType::Ed25519));
        // A session before this one may have left canaries on their way.
        let mut ledger = app.tracker.ledger();
        let until = ledger.borrow_and_update().index.plus(LEDGERS);
        let mut canary = Self { key, sequences: Sequences::with_canaries_until(until) };
        loop {
            match canary.in_ledger(app).await {
                Ok(Some(_)) => return Some(canary),
                Ok(None) => break,
                // Whether there is the account is not known: a second funding would be for nothing.
                Err(why) => {
                    tracing::warn!(why, "it is not known whether the canary's account exists")
                }
            }
            ledger.changed().await.ok()?;
        }
        // An account that is not there has sent nothing.
        canary.sequences = Sequences::with_canaries_until(LedgerIndex(0));
        let listing = generator.accounts();
        let gateway = listing.gateways.first().map(|gateway| gateway.address);
        let from = gateway.or(listing.users.first().copied())?;
        let to = canary.key.account_id();
        let paid = generator.payment(from, to, Amount::xrp(Drops::from_xrp(FUNDS_XRP)), None).await;
        match paid {
            Ok(asked) => {
                let _ = app.tracker.outcome(asked.tx_hash).await;
            }
            Err(error) => tracing::warn!(%error, "the canary's account could not be funded"),
        }
        Some(canary)
    }

    /// Its Sequence in the newest validated ledger of a node, and which that is; none if that ledger does
    /// not have the account.
    async fn in_ledger(&self, app: &App) -> Result<Option<(Sequence, LedgerIndex)>, String> {
        let request = AccountInfo {
            account: Some(self.key.account_id()),
            ledger_index: Some(LedgerSpec::Validated),
            ..AccountInfo::default()
        };
        let info = match app.pool.request(&request).await {
            Err(error) if error.is_token("actNotFound") => return Ok(None),
            info => info.map_err(|error| error.to_string())?,
        };
        match (info.validated, info.ledger_index) {
            (true, Some(ledger)) => Ok(Some((info.account_data.sequence, ledger))),
            _ => Err("the node does not say of which validated ledger its answer is".to_owned()),
        }
    }

    async fn send(&mut self, app: &App, head: &LedgerHead) -> Result<TxHash, String> {
        let sequence = match self.sequences.next {
            Some(sequence) => sequence,
            None => {
                let found = self.in_ledger(app).await?;
                let (sequence, ledger) = found.ok_or("its account does not exist")?;
                self.sequences.read(sequence, ledger)?
            }
        };
        // Twice the base fee, or what the open ledger asks for: it must not wait behind the load.
        let open = app.observer.fee_level(head.index.0).map_or(0, |level| level.open_ledger_fee);
        let fee = Drops(open.max(head.base_fee.0.saturating_mul(2)).clamp(1, MOST_FEE));
        let mut common = Common::new(self.key.account_id(), Slot::Sequence(sequence), fee)
            .last_ledger(head.index.plus(LEDGERS));
        common.network_id = head.network_id.filter(|id| *id > 1024);
        let signed = AccountSet::default().sign(&common, &self.key);
        self.sequences.signed(head.index.plus(LEDGERS));
        let submitted = app
            .tracker
            .submit(Submission::new(signed.blob).fresh())
            .await
            .map_err(|error| error.to_string())?;
        self.sequences.answered(sequence, submitted.state);
        app.heartbeat.note(Beat {
            ledger_index: head.index,
            tx_hash: Some(submitted.hash),
            state: Some(submitted.state),
            result: submitted.engine_result.as_ref().map(ResultName::to_string),
            validated_ledger: None,
            finality_ms: None,
        });
        Ok(submitted.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_not_signed_again_while_a_canary_on_it_may_be_validated() {
        let ledger = LedgerIndex;
        let mut sequences = Sequences::with_canaries_until(ledger(0));
        assert_eq!(sequences.read(Sequence(7), ledger(3)), Ok(Sequence(7)));
        sequences.signed(ledger(7));
        assert_eq!(sequences.next, None, "no answer yet");
        for (state, next) in [
            (State::Submitted, Some(Sequence(8))),
            (State::Validated, Some(Sequence(8))),
            (State::Rejected, Some(Sequence(7))),
            (State::FailedNet, Some(Sequence(7))),
            (State::Retryable, None),
            (State::Created, None),
            (State::Expired, None),
        ] {
            sequences.answered(Sequence(7), state);
            assert_eq!(sequences.next, next, "{state:?}");
        }
        // What a node holds it may still apply: only a ledger that it cannot outlive says what is free.
        let why = sequences.read(Sequence(7), ledger(6)).unwrap_err();
        assert!(why.contains("until ledger 7"), "{why}");
        assert_eq!(sequences.next, None);
        assert_eq!(sequences.read(Sequence(8), ledger(7)), Ok(Sequence(8)));
    }

    #[test]
    fn what_an_earlier_session_may_have_sent_is_waited_for() {
        let mut sequences = Sequences::with_canaries_until(LedgerIndex(14));
        assert!(sequences.read(Sequence(9), LedgerIndex(13)).is_err());
        assert_eq!(sequences.read(Sequence(9), LedgerIndex(14)), Ok(Sequence(9)));
    }
}
