//! Sends blobs, first and again, and files what became of each attempt.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Semaphore, time};
use tracing::Instrument;
use xrpl_client::{ClientError, EndpointId, response::Submit};
use xrpl_protocol::{Drops, LedgerIndex, Object, ResultClass, fields, sign::verify_transaction};

use crate::{
    core::{Attempt, Shared, ToSend},
    evidence::ResultName,
    lifecycle::{
        Event,
        refusals::{Handling, rules_may_change},
        turned::may_depend_on_ledger,
    },
    pending::Key,
    reason::Reason,
    record::Answer,
};

/// Error tokens that are about the transaction, not about the node's condition. xrpld answers so,
/// without an engine result, where a required field is missing or a local check fails.
const REFUSALS: [&str; 1] = ["invalidTransaction"];

/// One attempt. Does nothing if the transaction is not to be sent (any more).
pub(crate) async fn attempt(shared: &Shared, key: Key) {
    let Some(send) = shared.lock().begin_attempt(key) else { return };
    let span = tracing::debug_span!("transaction", hash = %send.hash);
    let unfinished = Unfinished { shared, key };
    let limit = shared.config.submit_timeout;
    let sent = shared.pool.submit(&send.blob, send.fail_hard).instrument(span.clone());
    let answered = time::timeout(limit, sent).await;
    let submit = answered.as_ref().ok().and_then(|submission| submission.answer.as_ref().ok());
    let reason = submit.and_then(|submit| reason(shared, &send, submit));
    let turns = submit.is_some_and(|submit| of_its_ledger(shared, &send, submit));
    let now_ms = shared.now_ms();
    let mut core = shared.lock();
    let (attempts, since) = core
        .pending
        .get(key)
        .map_or((0, now_ms), |entry| (entry.progress.attempts, entry.created_at_ms));
    if attempts == 1 {
        let took = Duration::from_millis(now_ms.saturating_sub(since));
        shared.times.first_attempt.observe(took);
    }
    // Cut off on the way: it may have been written.
    let unknown = (EndpointId(u16::MAX), Answer::Unknown, Event::OutcomeUnknown);
    let (endpoint, answer, event) = answered.map_or(unknown, |submission| {
        for silent in submission.unanswered {
            core.unanswered(key, silent, now_ms);
        }
        let budget_spent = attempts >= shared.config.never_sent_budget;
        let (answer, event) = match submission.answer {
            Ok(submit) => {
                let result = ResultName::new(&submit.engine_result);
                let handling = handling(&send, &submit, core.head.index, turns);
                (Answer::EngineResult(result.clone()), Event::Answered { result, handling })
            }
            Err(ClientError::Refused { cause, .. }) => {
                let refused = REFUSALS.contains(&cause.error.as_str());
                let token = ResultName::new(&cause.error);
                (Answer::Error(token.clone()), Event::ApiError { token, refused })
            }
            Err(ClientError::NeverSent { .. } | ClientError::TurnedAway { .. }) => {
                (Answer::NotWritten, Event::NotWritten { attempts, budget_spent })
            }
            Err(ClientError::Unknown { .. }) => (Answer::Unknown, Event::OutcomeUnknown),
        };
        (submission.endpoint, answer, event)
    });
    tracing::debug!(parent: &span, attempts, ?answer, "an attempt has ended");
    std::mem::forget(unfinished);
    core.end_attempt(key, Attempt { endpoint, answer, reason }, &event, now_ms);
}

/// What else the node's answer says of what it did.
/// `turns` is whether its ledger may have brought about the result.
fn handling(send: &ToSend, submit: &Submit, head: LedgerIndex, turns: bool) -> Handling {
    let validated = submit.validated_ledger_index.unwrap_or(head);
    Handling {
        fail_hard: send.fail_hard,
        // A node that does not say whether it sent it on may have.
        passed_on: submit.broadcast != Some(false),
        not_applied: submit.applied == Some(false),
        may_turn: rules_may_change(validated.0) || turns,
    }
}

/// Whether the node's ledger may have brought about what it answered.
fn of_its_ledger(shared: &Shared, send: &ToSend, submit: &Submit) -> bool {
    let result = ResultName::new(&submit.engine_result);
    let definitions = &shared.config.definitions;
    let name = || {
        let code = Object::decode(&send.blob, definitions).ok()?.u16(fields::TRANSACTION_TYPE)?;
        definitions.transaction_type_name(code)
    };
    // Only of these it makes a difference, and a blob takes a moment to read.
    result.class() == Some(ResultClass::Tem)
        && name().is_none_or(|name| may_depend_on_ledger(name, &result))
}

/// What is known besides the result's name, where that says too little or what is not so.
fn reason(shared: &Shared, send: &ToSend, submit: &Submit) -> Option<Reason> {
    let fields = || Object::decode(&send.blob, &shared.config.definitions).ok();
    match submit.engine_result.as_str() {
        "telINSUF_FEE_P" => {
            let fee = u64::try_from(fields()?.amount(fields::FEE)?.drops()?).ok()?;
            Some(Reason::FeeTooLow { fee: Drops(fee), needed: submit.open_ledger_cost })
        }
        // What was signed here has a good signature; what was submitted is looked at.
        "temBAD_SIGNATURE" => is_signed_alone(&fields()?).then_some(Reason::MarkedBad),
        _ => None,
    }
}

/// Whether the signature of a transaction holds and it has no others within it, of which a node may
/// say that they do not (a channel's claim, a loan's counterparty, the accounts of a Batch).
fn is_signed_alone(tx: &Object) -> bool {
    let others = [fields::SIGNATURE, fields::COUNTERPARTY_SIGNATURE, fields::BATCH_SIGNERS];
    !others.iter().any(|field| tx.contains(*field)) && verify_transaction(tx).is_ok()
}

/// An attempt that was begun. Dropped before its end (a panic, a shutdown), it is filed as one of
/// which nothing is known: the blob may have left.
struct Unfinished<'a> {
    shared: &'a Shared,
    key: Key,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.supervisor.panicked("an attempt to submit");
        }
        let now_ms = self.shared.now_ms();
        let lost =
            Attempt { endpoint: EndpointId(u16::MAX), answer: Answer::Unknown, reason: None };
        let mut core = self.shared.lock();
        core.end_attempt(self.key, lost, &Event::OutcomeUnknown, now_ms);
    }
}

/// Sends again what is due, for ever.
pub(crate) async fn resend(shared: Arc<Shared>) -> Result<(), std::convert::Infallible> {
    let limit = Arc::new(Semaphore::new(shared.config.resend_concurrency.max(1)));
    loop {
        let (due, next) = shared.lock().take_resends(shared.now_ms());
        for key in due {
            // The semaphore is never closed.
            let Ok(permit) = Arc::clone(&limit).acquire_owned().await else { return Ok(()) };
            let to = Arc::clone(&shared);
            shared.supervisor.run(async move {
                attempt(&to, key).await;
                drop(permit);
            });
        }
        shared.clock.rung_or_at(&shared.links.resend, next).await;
    }
}

#[cfg(test)]
mod tests {
    use xrpl_protocol::{
        keys::{KeyPair, KeyType, Seed},
        sign::sign,
    };

    use super::*;

    #[test]
    fn a_claim_within_may_be_what_is_badly_signed() {
        let key = KeyPair::from_seed(&Seed::from_entropy([1; 16], KeyType::Ed25519));
        let tx = Object::new().with(fields::ACCOUNT, key.account_id());
        let read = |tx: Object| {
            let signed = sign(tx, &key);
            Object::decode(&signed.blob, xrpl_protocol::Definitions::builtin()).unwrap()
        };
        assert!(is_signed_alone(&read(tx.clone())));
        assert!(!is_signed_alone(&read(tx.clone().with(fields::SIGNATURE, vec![1u8; 64]))));
        let mut changed = read(tx);
        changed.set(fields::FLAGS, xrpl_protocol::Value::UInt32(7));
        assert!(!is_signed_alone(&changed));
    }
}
