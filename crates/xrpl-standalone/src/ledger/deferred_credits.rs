//! What moved within a payment: credits that must not be spent in the same payment, and the largest
//! number of things that each account owned on the way.

use rustc_hash::FxHashMap;
use xrpl_protocol::{AccountId, Currency, IssuedValue, MptId};

/// Debits of an account's XRP.
#[derive(Clone, Copy, Debug)]
pub(super) struct Xrp {
    pub(super) debits: i64,
    pub(super) before: i64,
}

/// Debits of both sides of a trust line.
#[derive(Clone, Copy, Debug)]
struct Line {
    low_debits: IssuedValue,
    high_debits: IssuedValue,
    low_before: IssuedValue,
}

/// A trust line as one of its sides sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    pub(super) debits: IssuedValue,
    pub(super) before: IssuedValue,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Holder {
    pub(super) debit: u64,
    pub(super) before: u64,
}

/// Movements of an MPT.
#[derive(Clone, Debug, Default)]
pub(super) struct Mpt {
    pub(super) holders: FxHashMap<AccountId, Holder>,
    pub(super) credit: u64,
    /// What the issuer could still issue.
    pub(super) before: i64,
    pub(super) self_debit: u64,
}

type LineKey = (AccountId, AccountId, Currency);

/// The table of a payment sandbox. An empty one costs nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct DeferredCredits {
    xrp: FxHashMap<AccountId, Xrp>,
    lines: FxHashMap<LineKey, Line>,
    mpts: FxHashMap<MptId, Mpt>,
    owner_counts: FxHashMap<AccountId, u32>,
}

fn key(a: AccountId, b: AccountId, currency: Currency) -> LineKey {
    (a.min(b), a.max(b), currency)
}

/// The sum; what is too large to be written stays what it was. No ledger holds such amounts.
fn plus(a: IssuedValue, b: IssuedValue) -> IssuedValue {
    a.add(b).unwrap_or(a)
}

impl DeferredCredits {
    pub(super) fn credit_xrp(&mut self, account: AccountId, sent: i64, before: i64) {
        let entry = self.xrp.entry(account).or_insert(Xrp { debits: 0, before });
        entry.debits = entry.debits.saturating_add(sent);
    }

    pub(super) fn credit_line(
        &mut self,
        from: AccountId,
        to: AccountId,
        currency: Currency,
        value: IssuedValue,
        before: IssuedValue,
    ) {
        let low = from < to;
        let line = self.lines.entry(key(from, to, currency)).or_insert(Line {
            low_debits: IssuedValue::ZERO,
            high_debits: IssuedValue::ZERO,
            low_before: if low { before } else { before.negated() },
        });
        let debits = if low { &mut line.low_debits } else { &mut line.high_debits };
        *debits = plus(*debits, value);
    }

    pub(super) fn credit_mpt(
        &mut self,
        from: AccountId,
        to: AccountId,
        issuance: MptId,
        value: i64,
        holder_before: u64,
        issuer_before: i64,
    ) {
        let value = value.unsigned_abs();
        let mpt = self
            .mpts
            .entry(issuance)
            .or_insert_with(|| Mpt { before: issuer_before, ..Mpt::default() });
        let issues = from == issuance.issuer();
        let holder = if issues { to } else { from };
        let holder =
            mpt.holders.entry(holder).or_insert(Holder { debit: 0, before: holder_before });
        if issues {
            mpt.credit = mpt.credit.saturating_add(value);
        } else {
            holder.debit = holder.debit.saturating_add(value);
        }
    }

    pub(super) fn self_debit_mpt(&mut self, issuance: MptId, value: u64, before: i64) {
        let mpt = self.mpts.entry(issuance).or_insert_with(|| Mpt { before, ..Mpt::default() });
        mpt.self_debit = mpt.self_debit.saturating_add(value);
    }

    pub(super) fn note_owner_count(&mut self, account: AccountId, now: u32, next: u32) {
        let count = self.owner_counts.entry(account).or_default();
        *count = (*count).max(now).max(next);
    }

    pub(super) fn xrp(&self, account: AccountId) -> Option<Xrp> {
        self.xrp.get(&account).copied()
    }

    pub(super) fn line(&self, main: AccountId, other: AccountId, of: Currency) -> Option<Side> {
        let line = self.lines.get(&key(main, other, of))?;
        Some(if main < other {
            Side { debits: line.low_debits, before: line.low_before }
        } else {
            Side { debits: line.high_debits, before: line.low_before.negated() }
        })
    }

    pub(super) fn mpt(&self, issuance: MptId) -> Option<&Mpt> {
        self.mpts.get(&issuance)
    }

    pub(super) fn owner_count(&self, account: AccountId) -> Option<u32> {
        self.owner_counts.get(&account).copied()
    }

    /// Adds what a sandbox above noted. What was there before is known here already.
    pub(super) fn merge(&mut self, above: Self) {
        for (account, of) in above.xrp {
            self.credit_xrp(account, of.debits, of.before);
        }
        for (key, of) in above.lines {
            self.lines
                .entry(key)
                .and_modify(|line| {
                    line.low_debits = plus(line.low_debits, of.low_debits);
                    line.high_debits = plus(line.high_debits, of.high_debits);
                })
                .or_insert(of);
        }
        for (issuance, of) in above.mpts {
            let Some(mpt) = self.mpts.get_mut(&issuance) else {
                self.mpts.insert(issuance, of);
                continue;
            };
            mpt.credit = mpt.credit.saturating_add(of.credit);
            mpt.self_debit = mpt.self_debit.saturating_add(of.self_debit);
            for (account, of) in of.holders {
                mpt.holders
                    .entry(account)
                    .and_modify(|holder| holder.debit = holder.debit.saturating_add(of.debit))
                    .or_insert(of);
            }
        }
        for (account, count) in above.owner_counts {
            self.note_owner_count(account, count, count);
        }
    }
}
