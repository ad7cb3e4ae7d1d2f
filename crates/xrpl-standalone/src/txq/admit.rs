//! Admission: into the open ledger, into the queue, or not at all.

use std::{collections::btree_map::Range, ops::Bound, sync::Arc};

use xrpl_protocol::{EngineResult, Object, Value, fields, object_id};

use super::{BASE_LEVEL, Queued, RETRIES, TxQ, level_paid, mul_div};
use crate::{
    ledger::{
        OpenView, PreparedTx, ReadView, SeqProxy,
        helpers::account_root::{balance_of, sequence_of, set_balance},
        prepared::BATCH,
        view::Assumed,
    },
    transactors::{
        self, ApplyFlags, Attempt, Consequences, Context, PreclaimContext, PreflightContext,
    },
};

/// What keeps a transaction out of the queue.
type Refused = EngineResult;

/// A transaction on its way into the queue.
struct Candidate<'a> {
    tx: &'a Arc<PreparedTx>,
    flags: ApplyFlags,
    level: u64,
    consequences: Consequences,
    root: &'a Object,
    current: SeqProxy,
}

impl TxQ {
    /// Applies a transaction to the open ledger if it pays enough, else queues it.
    pub(crate) fn apply(
        &mut self,
        context: &Context,
        view: &mut OpenView<'_>,
        tx: &Arc<PreparedTx>,
        flags: ApplyFlags,
    ) -> Attempt {
        let checked =
            transactors::preflight(&PreflightContext::new(context, view.rules(), tx, flags));
        if let Err(result) = checked {
            return Attempt::refused(result);
        }
        if let Some(attempt) = self.try_direct(view, tx, flags) {
            return attempt;
        }
        if flags.dry_run {
            // What is only tried out is not queued.
            return Attempt::refused(EngineResult::TEL_CAN_NOT_QUEUE);
        }
        match self.enqueue(view, tx, flags) {
            Ok(attempt) => attempt,
            Err(result) => Attempt::refused(result),
        }
    }

    fn try_direct(
        &mut self,
        view: &mut OpenView<'_>,
        tx: &Arc<PreparedTx>,
        flags: ApplyFlags,
    ) -> Option<Attempt> {
        let root = view.account(tx.account)?;
        if tx.seq.is_sequence() && tx.seq.value() != sequence_of(&root) {
            return None;
        }
        drop(root);
        if level_paid(view, tx) < self.fees.required_level(view) {
            return None;
        }
        let attempt = Self::attempt(view, tx, flags);
        if attempt.applied {
            self.erase(&tx.account, tx.seq);
        }
        Some(attempt)
    }

    /// The account's transactions that are still ahead.
    fn waiting(&self, of: &Candidate<'_>) -> Option<Range<'_, SeqProxy, Queued>> {
        let entry = self.accounts.get(&of.tx.account)?;
        Some(entry.transactions.range(of.current..))
    }

    fn enqueue(
        &mut self,
        view: &mut OpenView<'_>,
        tx: &Arc<PreparedTx>,
        flags: ApplyFlags,
    ) -> Result<Attempt, Refused> {
        let root = view.account(tx.account).ok_or(EngineResult::TER_NO_ACCOUNT)?;
        let current = SeqProxy::Sequence(sequence_of(&root));
        if let SeqProxy::Ticket(number) = tx.seq
            && !view.exists(&object_id::ticket(tx.account, number))
        {
            return Err(match number < current.value() {
                true => EngineResult::TEF_NO_TICKET,
                false => EngineResult::TER_PRE_TICKET,
            });
        }
        let candidate = Candidate {
            tx,
            flags,
            level: level_paid(view, tx),
            consequences: transactors::consequences(tx),
            root: &root,
            current,
        };
        let waiting = self.waiting(&candidate).map_or(0, Iterator::count);
        let replaced = self.get(&tx.account, tx.seq).is_some();
        self.check_blockers(&candidate, waiting)?;
        if waiting > 0 && replaced {
            self.check_replacement(&candidate)?;
        }
        let mut assumed = None;
        if waiting == 0 {
            check_sequence(current, tx.seq)?;
        } else {
            if current > tx.seq {
                return Err(EngineResult::TEF_PAST_SEQ);
            }
            if waiting > 1 || !replaced {
                self.can_be_held(&candidate, view, replaced)?;
                self.check_position(&candidate, replaced)?;
                assumed = Some(self.assume(&candidate, view)?);
            }
        }
        claims_fee(view, &candidate, assumed.clone())?;
        if assumed.is_some()
            && let Some(attempt) = self.try_clear(view, &candidate)
        {
            return Ok(attempt);
        }
        if assumed.is_none() {
            self.can_be_held(&candidate, view, replaced)?;
        }
        if !replaced && self.is_full(100) {
            self.make_room(&candidate)?;
        }
        if replaced {
            self.erase(&tx.account, tx.seq);
        }
        let queued = Queued {
            tx: Arc::clone(tx),
            level: candidate.level,
            key: self.key(candidate.level, tx.hash),
            flags: ApplyFlags { retry: false, ..flags },
            retries: RETRIES,
            last_result: None,
            consequences: candidate.consequences,
        };
        self.insert(queued);
        Err(EngineResult::TER_QUEUED)
    }

    /// A blocker is always alone in its account's queue.
    fn check_blockers(&self, of: &Candidate<'_>, waiting: usize) -> Result<(), Refused> {
        let first = self.waiting(of).and_then(|mut range| range.next());
        let only_other = first.is_some_and(|(seq, _)| *seq != of.tx.seq);
        if of.consequences.blocker && (waiting > 1 || (waiting == 1 && only_other)) {
            return Err(EngineResult::TEL_CAN_NOT_QUEUE_BLOCKS);
        }
        let blocked = first.is_some_and(|(_, queued)| queued.consequences.blocker);
        if waiting == 1 && blocked && only_other {
            return Err(EngineResult::TEL_CAN_NOT_QUEUE_BLOCKED);
        }
        Ok(())
    }

    fn check_replacement(&self, of: &Candidate<'_>) -> Result<(), Refused> {
        let Some(existing) = self.get(&of.tx.account, of.tx.seq) else { return Ok(()) };
        let percent = 100 + self.setup.retry_sequence_percent;
        if of.level > mul_div(existing.level, percent, 100) {
            Ok(())
        } else {
            Err(EngineResult::TEL_CAN_NOT_QUEUE_FEE)
        }
    }

    fn can_be_held(
        &self,
        of: &Candidate<'_>,
        view: &OpenView<'_>,
        replaced: bool,
    ) -> Result<(), Refused> {
        let object = &of.tx.object;
        // What is in a Batch uses Sequences of several accounts, which a queue cannot foresee.
        if of.tx.kind == BATCH
            || of.flags.fail_hard
            || object.contains(fields::PREVIOUS_TXN_ID)
            || object.contains(fields::ACCOUNT_TXN_ID)
            || object.contains(fields::DELEGATE)
        {
            return Err(EngineResult::TEL_CAN_NOT_QUEUE);
        }
        let until = view.info().index.saturating_add(self.setup.minimum_last_ledger_buffer);
        if of.tx.last_ledger.is_some_and(|last| last < until) {
            return Err(EngineResult::TEL_CAN_NOT_QUEUE);
        }
        let Some(entry) = self.accounts.get(&of.tx.account) else { return Ok(()) };
        if replaced || entry.transactions.len() < self.setup.maximum_txn_per_account {
            return Ok(());
        }
        // Beyond the limit only what fills a gap in front of others.
        let next = self.next_queuable_seq(of.root);
        let after = (Bound::Excluded(next), Bound::Unbounded);
        let fills = of.tx.seq == next
            && entry.transactions.range(after).next().is_some_and(|(seq, _)| seq.is_sequence());
        if fills { Ok(()) } else { Err(EngineResult::TEL_CAN_NOT_QUEUE_FULL) }
    }

    /// Whether it stands in line: at the front with the account's Sequence, or behind the last.
    fn check_position(&self, of: &Candidate<'_>, replaced: bool) -> Result<(), Refused> {
        let Some(entry) = self.accounts.get(&of.tx.account) else { return Ok(()) };
        let before = entry.transactions.range(..of.tx.seq).next_back();
        let front = before.or_else(|| entry.transactions.iter().next());
        if front.is_none_or(|(seq, _)| of.tx.seq < *seq) {
            if of.tx.seq.is_sequence() {
                check_sequence(of.current, of.tx.seq)?;
            }
        } else if !replaced
            && of.tx.seq.is_sequence()
            && self.next_queuable_seq(of.root) != of.tx.seq
        {
            return Err(EngineResult::TEL_CAN_NOT_QUEUE);
        }
        Ok(())
    }

    /// The account as it would be when those waiting before it are through.
    fn assume(&self, of: &Candidate<'_>, view: &OpenView) -> Result<Object, Refused> {
        let (mut spend, mut fees) = (0i64, 0i64);
        let mut waiting = self.waiting(of).into_iter().flatten().peekable();
        while let Some((seq, queued)) = waiting.next() {
            let counted = if *seq != of.tx.seq {
                &queued.consequences
            } else if waiting.peek().is_some() {
                &of.consequences
            } else {
                continue;
            };
            spend = spend.saturating_add(counted.potential_spend);
            fees = fees.saturating_add(counted.fee);
        }
        let balance = balance_of(of.root);
        let info = view.info().fees;
        let reserve = i64::try_from(info.reserve).unwrap_or(i64::MAX);
        let base = i64::try_from(info.base).unwrap_or(i64::MAX);
        if fees >= balance || (reserve > base.saturating_mul(10) && fees >= reserve) {
            return Err(EngineResult::TEL_CAN_NOT_QUEUE_BALANCE);
        }
        let total = fees.saturating_add(spend.min(balance - balance.min(reserve)));
        let mut root = of.root.clone();
        set_balance(&mut root, balance - total);
        let sequence = match of.tx.seq {
            SeqProxy::Sequence(n) => n,
            SeqProxy::Ticket(_) => self.next_queuable_seq(of.root).value(),
        };
        root.set(fields::SEQUENCE, Value::UInt32(sequence));
        Ok(root)
    }

    /// A fee high enough takes all that wait before it along into the open ledger.
    fn try_clear(&mut self, view: &mut OpenView<'_>, of: &Candidate<'_>) -> Option<Attempt> {
        let required = self.fees.required_level(view);
        let (_, first) = self.waiting(of)?.next()?;
        if !of.tx.seq.is_sequence()
            || first.retries != RETRIES
            || of.level <= required
            || required <= BASE_LEVEL
        {
            return None;
        }
        let ahead: Vec<SeqProxy> =
            self.waiting(of)?.map(|(seq, _)| *seq).take_while(|seq| *seq < of.tx.seq).collect();
        let needed = self.fees.series_level(view, ahead.len() + 1)?;
        let entry = self.accounts.get_mut(&of.tx.account)?;
        let levels = ahead.iter().filter_map(|seq| entry.transactions.get(seq)).map(|q| q.level);
        let paid = levels.fold(of.level, u64::saturating_add);
        if paid < needed {
            return None;
        }
        let mut trial = OpenView::on(view);
        for seq in &ahead {
            let queued = entry.transactions.get_mut(seq)?;
            let attempt = Self::attempt(&mut trial, &queued.tx, queued.flags);
            queued.retries = queued.retries.saturating_sub(1);
            queued.last_result = Some(attempt.result);
            // A Ticket that was used meanwhile never comes back: it goes with the others.
            if attempt.result != EngineResult::TEF_NO_TICKET && !attempt.applied {
                return None;
            }
        }
        let attempt = Self::attempt(&mut trial, of.tx, of.flags);
        if !attempt.applied {
            return None;
        }
        let changes = trial.into_changes();
        view.absorb(changes);
        for seq in ahead {
            self.erase(&of.tx.account, seq);
        }
        self.erase(&of.tx.account, of.tx.seq);
        Some(attempt)
    }

    /// The queue is full: the account that pays least loses its last one, if this one pays more.
    fn make_room(&mut self, of: &Candidate<'_>) -> Result<(), Refused> {
        let worst = self.by_fee.iter().rev().find(|(_, (account, _))| *account != of.tx.account);
        let Some((_, (account, seq))) = worst.map(|(key, value)| (*key, *value)) else {
            return Err(EngineResult::TEL_CAN_NOT_QUEUE_FULL);
        };
        let full = EngineResult::TEL_CAN_NOT_QUEUE_FULL;
        let level = self.get(&account, seq).ok_or(full)?.level;
        let others = &self.accounts.get(&account).ok_or(full)?.transactions;
        let effective = if level > of.level || others.len() == 1 {
            level
        } else {
            let sum: u128 = others.values().map(|queued| u128::from(queued.level)).sum();
            u64::try_from(sum / others.len() as u128).unwrap_or(u64::MAX)
        };
        let last = others.keys().next_back().copied().ok_or(full)?;
        if of.level <= effective {
            return Err(full);
        }
        self.erase(&account, last);
        Ok(())
    }
}

fn check_sequence(current: SeqProxy, seq: SeqProxy) -> Result<(), Refused> {
    match seq {
        SeqProxy::Sequence(_) if current > seq => Err(EngineResult::TEF_PAST_SEQ),
        SeqProxy::Sequence(_) if current < seq => Err(EngineResult::TER_PRE_SEQ),
        _ => Ok(()),
    }
}

/// Whether it would at least pay its fee.
fn claims_fee(
    view: &OpenView<'_>,
    of: &Candidate<'_>,
    assumed: Option<Object>,
) -> Result<(), Refused> {
    let key = object_id::account_root(of.tx.account);
    let assumed = assumed.map(|entry| Assumed { base: view, key, entry: Arc::new(entry) });
    let view: &dyn ReadView = match &assumed {
        Some(assumed) => assumed,
        None => view,
    };
    match transactors::preclaim(&PreclaimContext {
        view,
        tx: of.tx,
        flags: of.flags,
        parent_batch: None,
    }) {
        Err(result) if !result.is_claim() || of.flags.retry => Err(result),
        _ => Ok(()),
    }
}
