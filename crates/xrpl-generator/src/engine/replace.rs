//! Replacements: further transactions on the slot of one that waits or was refused.
//!
//! A queued transaction whose fee no longer suffices may wait until it expires, and everything of its
//! account behind it with it. xrpld's queue takes another one with the same Sequence or Ticket in its
//! place if it pays 25 % more (<https://xrpl.org/docs/concepts/transactions/transaction-queue>), and
//! what was refused for its fee is taken with a higher one. That is the same plan, signed again: the
//! ledger applies one of them at most, so that nothing happens twice.
//!
//! What was refused otherwise may be held by a node and applied later. Its slot is not free before
//! that is impossible; a no-op decides it sooner.
//!
//! What somebody asked for, and what prepares the run, is never replaced: its hash is waited for.

use bytes::Bytes;
use smallvec::SmallVec;
use xrpl_protocol::{
    Amount, Drops, Object, TxHash, Value, fields, sign::SignedTransaction, transaction::Common,
};
use xrpl_tracker::Intent;

use super::{
    Engine,
    assemble::Legs,
    band::Fuzzed,
    flight::{Flying, Origin, Prepared},
};
use crate::{
    accounts::Index,
    fees::{FeeClass, FeeStrategy},
    lane::Answer,
    plan::{Authorization, Plan},
    signing::{signed, signed_fields},
    world::Holds,
};

/// How many validated ledgers one that was refused may stand in the way before a no-op follows.
const REFUSED_PATIENCE: u32 = 2;

/// What follows a transaction on its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The same at this fee in drops.
    HigherFee(u64),
    /// Something that does nothing but use the slot.
    NoOp,
}

/// What decides whether a transaction is replaced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) answer: Option<Answer>,
    /// Validated ledgers since it was made.
    pub(super) waited: u32,
    /// How many ledgers it may be in.
    pub(super) life: u32,
    /// What it pays, drops.
    pub(super) fee: u64,
    /// What gets into the open ledger now, drops.
    pub(super) open_ledger: u64,
    /// The most that is paid, drops.
    pub(super) max: u64,
    pub(super) strategy: FeeStrategy,
}

impl Case {
    pub(super) fn next(self) -> Option<Next> {
        match self.answer? {
            Answer::Queued | Answer::Retrying => self.higher_fee().map(Next::HigherFee),
            Answer::Refused => (self.waited >= REFUSED_PATIENCE).then_some(Next::NoOp),
            // In the open ledger, unknown or ended; or its slot is gone already.
            Answer::Applied | Answer::Claimed | Answer::Unknown | Answer::Past | Answer::Ended => {
                None
            }
        }
    }

    fn higher_fee(self) -> Option<u64> {
        // A fixed fee is what was asked for.
        let fixed = matches!(self.strategy, FeeStrategy::Fixed(_));
        // In a quarter of its life a queue that empties has taken it.
        let patient = self.waited < (self.life / 4).max(1);
        if fixed || patient || self.open_ledger <= self.fee {
            return None;
        }
        let least = self.fee.saturating_add(self.fee.div_ceil(4));
        let wanted = least.max(self.open_ledger.min(self.max));
        (wanted <= self.max).then_some(wanted)
    }
}

impl Engine {
    /// Looks for those that have waited long.
    pub(super) fn find_waiting(&mut self) {
        self.waiting.clear();
        let (counts, band) = (self.answers, self.band.answers);
        let waiting = counts.queued + counts.retrying + counts.refused + band.refused;
        if self.max_replacements == 0 || waiting == 0 {
            return;
        }
        let mut found: Vec<_> = self
            .flying
            .iter()
            .filter(|(_, flying)| self.next_of(flying).is_some())
            .map(|(hash, flying)| (flying.sender, flying.slot.number(), *hash))
            .collect();
        // The order of a map is nobody's; the last one is taken first.
        found.sort_unstable_by(|a, b| b.cmp(a));
        self.waiting.extend(found.into_iter().map(|(.., hash)| hash));
    }

    fn next_of(&self, flying: &Flying) -> Option<Next> {
        let made_by_us =
            matches!(flying.origin, Origin::Load | Origin::Filler | Origin::Replacement);
        // Only the newest on its slot is followed.
        let followed = flying.rivals.len() > usize::from(flying.rival);
        // What is not on the lane's slot has nothing to do with it.
        let apart = flying.fuzz.is_some_and(|fuzzed| fuzzed.apart);
        if apart || flying.mutation.is_some() || !made_by_us || followed {
            return None;
        }
        let case = Case {
            answer: flying.answer,
            waited: self.head.0.saturating_sub(flying.made_at.0),
            life: self.last_ledger_offset,
            fee: flying.holds.fee,
            open_ledger: self.fees.open_ledger_of(flying.least),
            max: self.fees.max(),
            strategy: self.fees.strategy(),
        };
        // What is drawn at random may wait as long as it likes, but its slot must be free again.
        case.next().filter(|next| flying.fuzz.is_none() || *next == Next::NoOp)
    }

    /// The next transaction that takes the place of one that waits or was refused.
    pub fn next_replacement(&mut self) -> Option<Prepared> {
        while let Some(hash) = self.waiting.pop() {
            if let Some(prepared) = self.replace(hash) {
                return Some(prepared);
            }
        }
        None
    }

    fn replace(&mut self, hash: TxHash) -> Option<Prepared> {
        let flying = self.flying.get(&hash)?;
        let next = self.next_of(flying)?;
        let (sender, slot) = (flying.sender, flying.slot);
        let account = &self.world.accounts[sender];
        let made = flying.rivals.len() + 1;
        if made > usize::from(self.max_replacements) {
            return None;
        }
        let fee = match next {
            // Behind others it would wait for them whatever it paid.
            Next::HigherFee(_) if !account.lane.is_next(slot) => return None,
            Next::HigherFee(drops) => Drops(drops),
            Next::NoOp => self.fees.fee(FeeClass::Ordinary),
        };
        let payer = match next {
            Next::HigherFee(_) => flying.holds.payer.unwrap_or(sender),
            Next::NoOp => sender,
        };
        if self.world.accounts[payer].xrp.spendable(&self.fees) < fee.0 {
            return None;
        }
        let signed = match next {
            Next::HigherFee(_) => self.again(flying, fee)?,
            Next::NoOp => {
                let common = Common {
                    account: account.id,
                    slot,
                    fee,
                    flags: 0,
                    last_ledger: Some(self.head.plus(match flying.fuzz {
                        Some(_) => self.band_life(),
                        None => self.last_ledger_offset,
                    })),
                    network_id: self.network_id,
                    source_tag: None,
                };
                let (own, definitions) = (Authorization::Own, &self.definitions);
                let mut plan = Plan::no_op();
                self.give_form(sender, &mut plan);
                signed(&self.world.accounts, sender, plan.body, &own, &common, &[], definitions)
            }
        };
        let first = self.flying.get(&hash)?;
        let fills = next == Next::NoOp || first.fills;
        // The same Batch uses the same slots of other accounts: these are free no sooner than it and
        // what it replaces have ended.
        let others = if fills { Legs::new() } else { first.legs.clone() };
        let may_rival = |index: Index, slot| self.world.accounts[index].lane.may_rival(slot);
        if !others.iter().all(|(account, slot, _)| may_rival(*account, *slot)) {
            return None;
        }
        let rival = self.world.accounts[sender].lane.rival(slot)?;
        let legs = others.into_iter().filter_map(|(account, slot, _)| {
            let lane = &mut self.world.accounts[account].lane;
            let rival = lane.rival(slot)?;
            lane.answered(slot, rival, Answer::Refused);
            Some((account, slot, rival))
        });
        let legs: Legs = legs.collect();
        let first = self.flying.get(&hash)?;
        let blob = Bytes::from(signed.blob);
        let of_first = |flying: &Flying| Flying {
            sender,
            slot,
            rival,
            width: if fills { 1 } else { flying.width },
            // What the others within a Batch have signed does not depend on its fee.
            unsure: flying.unsure && !fills,
            least: flying.least,
            legs,
            holds: match fills {
                true => Holds::fee(fee.0),
                false => Holds { fee: fee.0, ..flying.holds.clone() },
            },
            of: flying.of.filter(|_| !fills),
            ways: if fills { SmallVec::new() } else { flying.ways.clone() },
            authorization: match fills {
                true => Authorization::Own,
                false => flying.authorization.clone(),
            },
            learns: flying.learns && !fills,
            mutation: None,
            fuzz: flying.fuzz.map(|_| Fuzzed::OTHER),
            origin: Origin::Replacement,
            answer: None,
            stage: flying.stage,
            late: flying.late,
            made_at: self.head,
            blob: blob.clone(),
            fills,
            rivals: SmallVec::new(),
        };
        let mut replacement = of_first(first);
        replacement.rivals = first.rivals.iter().copied().chain([hash]).collect();
        let name = self.name_of(replacement.of);
        let want_metadata = replacement.learns;
        // Each knows all the others: whichever is validated, they end because of it.
        for other in &replacement.rivals {
            if let Some(flying) = self.flying.get_mut(other) {
                flying.rivals.push(signed.hash);
            }
        }
        self.world.reserve(sender, &replacement.holds);
        let fuzz = replacement.fuzz;
        self.flying.insert(signed.hash, replacement);
        self.answers_of(fuzz).add(None);
        Some(Prepared {
            hash: signed.hash,
            blob,
            sender,
            name,
            origin: Origin::Replacement,
            mutation: None,
            intent: if fuzz.is_some() { Intent::Any } else { Intent::Valid },
            fail_hard: false,
            mangled: None,
            want_metadata,
            callers_key: None,
        })
    }

    /// The same transaction with another fee and a new LastLedgerSequence.
    fn again(&self, flying: &Flying, fee: Drops) -> Option<SignedTransaction> {
        // It was written here, so that it can be read.
        let mut tx = Object::decode(&flying.blob, &self.definitions).ok()?;
        let last = self.head.plus(self.last_ledger_offset);
        tx.set(fields::FEE, Value::Amount(Amount::xrp(fee)));
        tx.set(fields::LAST_LEDGER_SEQUENCE, Value::UInt32(last.0));
        let (accounts, definitions) = (&self.world.accounts, &self.definitions);
        Some(signed_fields(accounts, flying.sender, tx, &flying.authorization, definitions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAITS: Case = Case {
        answer: Some(Answer::Queued),
        waited: 5,
        life: 20,
        fee: 10,
        open_ledger: 500,
        max: 1_000,
        strategy: FeeStrategy::Base,
    };

    #[test]
    fn who_is_replaced_and_by_what() {
        use Next::{HigherFee, NoOp};
        let retrying = Case { answer: Some(Answer::Retrying), ..WAITS };
        let refused = Case { answer: Some(Answer::Refused), ..WAITS };
        for (what, case, next) in [
            ("queued too cheap", WAITS, Some(HigherFee(500))),
            ("refused for its fee", retrying, Some(HigherFee(500))),
            ("not long yet", Case { waited: 4, ..WAITS }, None),
            ("short lives wait less", Case { waited: 1, life: 4, ..WAITS }, Some(HigherFee(500))),
            ("its fee suffices", Case { open_ledger: 10, ..WAITS }, None),
            ("25 % more at least", Case { open_ledger: 11, ..WAITS }, Some(HigherFee(13))),
            ("the most there is", Case { open_ledger: 9_999, ..WAITS }, Some(HigherFee(1_000))),
            ("no more than that", Case { fee: 900, open_ledger: 9_999, ..WAITS }, None),
            ("fixed", Case { strategy: FeeStrategy::Fixed(10), ..WAITS }, None),
            ("fixed, refused", Case { strategy: FeeStrategy::Fixed(10), ..refused }, Some(NoOp)),
            ("refused", Case { waited: 2, ..refused }, Some(NoOp)),
            ("just refused", Case { waited: 1, ..refused }, None),
            ("on the wire", Case { answer: None, ..WAITS }, None),
            ("in the open ledger", Case { answer: Some(Answer::Applied), ..WAITS }, None),
            ("unknown", Case { answer: Some(Answer::Unknown), ..WAITS }, None),
            ("its slot is gone", Case { answer: Some(Answer::Past), ..WAITS }, None),
        ] {
            assert_eq!(case.next(), next, "{what}");
        }
    }
}
