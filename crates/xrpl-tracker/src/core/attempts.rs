//! Attempts to submit: what begins one, what its answer does, and when the next one is.

use bytes::Bytes;
use xrpl_client::EndpointId;
use xrpl_protocol::{ResultClass, TxHash};

use super::Core;
use crate::{
    evidence::ResultName,
    lifecycle::Event,
    pending::{Key, Resend},
    reason::Reason,
    record::{Answer, Preliminary, Submitted},
};

/// What became of an attempt.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) endpoint: EndpointId,
    pub(crate) answer: Answer,
    /// What is known besides the name of the result.
    pub(crate) reason: Option<Reason>,
}

/// What one attempt sends.
#[derive(Debug)]
pub(crate) struct ToSend {
    pub(crate) hash: TxHash,
    pub(crate) blob: Bytes,
    pub(crate) fail_hard: bool,
}

impl Core {
    /// Takes back an entry that is not to be tracked after all; nothing of it was sent.
    pub(crate) fn withdraw(&mut self, key: Key) {
        let Some(entry) = self.pending.get(key) else { return };
        self.counters.withdrawn(entry.progress.state, entry.transaction_type, &entry.intent);
        self.pending.remove(key);
    }

    /// Starts an attempt; none if it is not to be sent (any more).
    pub(crate) fn begin_attempt(&mut self, key: Key) -> Option<ToSend> {
        let head = self.head.index.0;
        let reset = self.reset.is_some();
        let entry = self.pending.get_mut(key)?;
        entry.resend = Resend::No;
        // Sent once at least, whatever is known of its slot and its last ledger: the answer may say
        // more.
        let in_vain =
            entry.condition.undecided || entry.last_ledger().is_some_and(|last| head >= last);
        let too_late = entry.progress.attempts > 0 && in_vain;
        if entry.progress.state.is_terminal() || entry.in_flight || too_late || reset {
            return None;
        }
        entry.in_flight = true;
        entry.progress.attempts += 1;
        if entry.progress.attempts > 1 {
            self.counters.resends += 1;
        }
        Some(ToSend { hash: entry.hash, blob: entry.blob.clone(), fail_hard: entry.fail_hard })
    }

    /// A node that was asked in this attempt has not said what it did, and another one was asked: the
    /// blob may have left, whatever the other one says. How the attempt ends is told afterwards.
    pub(crate) fn unanswered(&mut self, key: Key, endpoint: EndpointId, now_ms: u64) {
        let Some(entry) = self.pending.get_mut(key) else { return };
        let answer = Answer::Unknown;
        let said = Preliminary { at_ms: now_ms, endpoint: endpoint.0, answer };
        entry.progress.preliminary.push(said);
        if entry.progress.state.is_terminal() {
            return;
        }
        self.apply(key, &Event::OutcomeUnknown, now_ms, None);
        // Whether it is to be sent again is up to the answer that follows.
        if let Some(entry) = self.pending.get_mut(key) {
            entry.resend = Resend::No;
        }
    }

    /// Ends an attempt with what became of it.
    pub(crate) fn end_attempt(&mut self, key: Key, attempt: Attempt, event: &Event, now_ms: u64) {
        let Attempt { endpoint, answer, reason } = attempt;
        let kept = self.pauses.preliminary_kept;
        let Some(entry) = self.pending.get_mut(key) else { return };
        entry.in_flight = false;
        let progress = &mut entry.progress;
        while progress.preliminary.len() >= kept.max(1) {
            // The first ones and the newest ones say most.
            progress.preliminary.remove(kept / 2);
        }
        // A result that is known not to be so is kept as an answer only.
        let is_so = reason != Some(Reason::MarkedBad);
        if let (Answer::EngineResult(result) | Answer::Error(result), true) = (&answer, is_so) {
            if progress.engine_result_first.is_none() {
                // It may have ended before the answer came; then it moves to another cell.
                let ended = progress.state.is_terminal();
                let cell = ended.then(|| super::cell_key(entry));
                let progress = &mut entry.progress;
                progress.engine_result_first = Some(result.clone());
                if let Some(cell) = cell {
                    self.counters.matrix.take(&cell);
                    self.counters.matrix.add(super::cell_key(entry), 1);
                }
                let progress = &mut entry.progress;
                let took = now_ms.saturating_sub(entry.created_at_ms);
                progress.latencies.first_answer_ms = Some(u32::try_from(took).unwrap_or(u32::MAX));
                self.counters.first_result(result, &entry.intent);
            }
            entry.progress.engine_result_last = Some(result.clone());
        }
        let heard = matches!(answer, Answer::EngineResult(_));
        entry.progress.preliminary.push(Preliminary {
            at_ms: now_ms,
            endpoint: endpoint.0,
            answer,
        });
        if entry.progress.state.is_terminal() {
            // It ended while the answer was on its way; the dossier has the answer all the same.
            self.persist(key);
            return;
        }
        // That the slot is gone is not unsaid by an answer, as the others are by the next one.
        let gone = matches!(entry.progress.reason.as_deref(), Some(Reason::SlotGone { .. }));
        if heard && !gone {
            // An answer of now says nothing of the chain on which it was sent.
            let stays = entry.progress.reason.as_deref() == Some(&Reason::ChainNotShown);
            if reason.is_some() || !stays {
                entry.progress.reason = reason.map(Box::new);
            }
        }
        self.apply(key, event, now_ms, None);
        if let Event::Answered { result, .. } = event
            && taken(result)
            && let Some(entry) = self.pending.get_mut(key)
        {
            // A node has it: should it be sent again, then without the pauses that grew before.
            entry.retries = 0;
        }
        self.settle_doubt(key, now_ms);
        self.tell_answer(key, event);
    }

    /// Tells who wants to know what an attempt after the first was answered.
    fn tell_answer(&self, key: Key, event: &Event) {
        let Some(entry) = self.pending.get(key) else { return };
        let to = entry.waiters.as_ref().and_then(|waiters| waiters.answers.as_ref());
        let (Some(to), 2..) = (to, entry.progress.attempts) else { return };
        let engine_result = match event {
            Event::Answered { result, .. } | Event::ApiError { token: result, .. } => {
                Some(result.clone())
            }
            _ => None,
        };
        // Who does not wait any more need not be told.
        let _ = to.send(Submitted {
            hash: entry.hash,
            state: entry.progress.state,
            engine_result,
            already_tracked: true,
        });
    }

    pub(crate) fn resend_on_later_ledger(&mut self, key: Key) {
        let head = self.head.index.0;
        let Some(entry) = self.pending.get_mut(key) else { return };
        let gap = 1 << entry.retries.min(3);
        entry.retries = entry.retries.saturating_add(1);
        let at = head.saturating_add(gap);
        entry.resend = Resend::AtLedger(at);
        self.resend_at_ledger.entry(at).or_default().push(key);
    }

    pub(crate) fn resend_after_pause(&mut self, key: Key, now_ms: u64) {
        let Some(entry) = self.pending.get_mut(key) else { return };
        let pause = (self.pauses.first_ms << entry.retries.min(16)).min(self.pauses.longest_ms);
        entry.retries = entry.retries.saturating_add(1);
        // Spread by hash, so that what failed together is not sent together again.
        let jitter = pause * u64::from(entry.hash.0[0]) / 1_024;
        let at = now_ms + pause + jitter;
        entry.resend = Resend::AtTime(at);
        self.next_deadline += 1;
        self.resend_at_time.insert((at, self.next_deadline), key);
        self.links.resend.notify_one();
    }

    /// Takes what is to be sent again now, and says when the next one is.
    pub(crate) fn take_resends(&mut self, now_ms: u64) -> (Vec<Key>, Option<u64>) {
        let mut due = Vec::new();
        while let Some(entry) = self.resend_at_ledger.first_entry() {
            if *entry.key() > self.head.index.0 {
                break;
            }
            let (at, keys) = entry.remove_entry();
            let is_due = |key: &Key| {
                self.pending.get(*key).is_some_and(|e| e.resend == Resend::AtLedger(at))
            };
            due.extend(keys.into_iter().filter(is_due));
        }
        while let Some(entry) = self.resend_at_time.first_entry() {
            let (at, _) = *entry.key();
            if at > now_ms {
                break;
            }
            let key = entry.remove();
            if self.pending.get(key).is_some_and(|e| e.resend == Resend::AtTime(at)) {
                due.push(key);
            }
        }
        (due, self.resend_at_time.first_key_value().map(|((at, _), _)| *at))
    }
}

/// Whether the answer says that the node has it: in its open ledger, or in its queue.
fn taken(result: &ResultName) -> bool {
    matches!(result.class(), Some(ResultClass::Tes | ResultClass::Tec))
        || ["terQUEUED", "tefALREADY"].contains(&result.as_str())
}
