//! The newest validated ledgers, and what of them is ours.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;
use xrpl_protocol::{Drops, Hash256, LedgerIndex};

use crate::{evidence::Source, message::LedgerClosed, stats::TypeIndex};

/// Ledgers kept.
const KEPT: usize = 256;

/// One validated ledger.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LedgerView {
    /// Its index.
    pub ledger_index: LedgerIndex,
    /// Its hash; none before a stream or a node reported it.
    pub ledger_hash: Option<Hash256>,
    /// Seconds since 2000-01-01 00:00 UTC.
    pub close_time: Option<u32>,
    /// Its transactions, as far as a source said how many.
    pub txn_count: Option<u32>,
    /// Those of them that are tracked.
    pub ours: u64,
    /// The same by the source that showed them first.
    pub ours_by_source: BTreeMap<Source, u64>,
    /// The same by transaction type.
    pub ours_by_type: BTreeMap<Arc<str>, u64>,
    /// Every transaction of it was seen.
    pub complete: bool,
    /// It was read because the stream missed it or part of it.
    pub backfilled: bool,
    /// Cost of a reference transaction.
    pub base_fee: Option<Drops>,
}

#[derive(Debug, Default)]
struct Entry {
    told: Option<(Hash256, u32, Drops)>,
    txn_count: Option<u32>,
    ours: [u64; Source::ALL.len()],
    by_type: BTreeMap<TypeIndex, u64>,
    backfilled: bool,
}

/// A bounded number of ledgers, by index.
#[derive(Debug, Default)]
pub(crate) struct LedgerLog(BTreeMap<u32, Entry>);

impl LedgerLog {
    fn entry(&mut self, index: LedgerIndex) -> &mut Entry {
        if self.0.len() >= KEPT && !self.0.contains_key(&index.0) {
            self.0.pop_first();
        }
        self.0.entry(index.0).or_default()
    }

    pub(crate) fn told(&mut self, ledger: &LedgerClosed) {
        let entry = self.entry(ledger.index);
        entry.told = Some((ledger.hash, ledger.close_time, ledger.base_fee));
        entry.txn_count = ledger.txn_count.or(entry.txn_count);
    }

    pub(crate) fn validated(&mut self, index: LedgerIndex, source: Source, of: TypeIndex) {
        let entry = self.entry(index);
        entry.ours[source as usize] += 1;
        *entry.by_type.entry(of).or_default() += 1;
    }

    /// Takes back what [`Self::validated`] counted.
    pub(crate) fn unvalidated(&mut self, index: LedgerIndex, source: Source, of: TypeIndex) {
        if let Some(entry) = self.0.get_mut(&index.0) {
            let ours = &mut entry.ours[source as usize];
            *ours = ours.saturating_sub(1);
            if let Some(n) = entry.by_type.get_mut(&of) {
                *n = n.saturating_sub(1);
            }
        }
    }

    /// Another ledger than was told has this index.
    pub(crate) fn denied(&mut self, index: LedgerIndex) {
        if let Some(entry) = self.0.get_mut(&index.0) {
            (entry.told, entry.txn_count, entry.backfilled) = (None, None, false);
        }
    }

    pub(crate) fn backfilled(&mut self, index: LedgerIndex, txn_count: usize) {
        let entry = self.entry(index);
        entry.backfilled = true;
        entry.txn_count = entry.txn_count.or(u32::try_from(txn_count).ok());
    }

    /// The newest ones first, at most `limit`.
    pub(crate) fn newest(
        &self,
        limit: usize,
        complete: impl Fn(u32) -> bool,
        name: impl Fn(TypeIndex) -> Arc<str>,
    ) -> Vec<LedgerView> {
        let view = |(index, entry): (&u32, &Entry)| LedgerView {
            ledger_index: LedgerIndex(*index),
            ledger_hash: entry.told.map(|(hash, ..)| hash),
            close_time: entry.told.map(|(_, time, _)| time),
            txn_count: entry.txn_count,
            ours: entry.ours.iter().sum(),
            ours_by_source: Source::ALL
                .into_iter()
                .map(|source| (source, entry.ours[source as usize]))
                .filter(|(_, n)| *n > 0)
                .collect(),
            ours_by_type: entry
                .by_type
                .iter()
                .filter(|(_, n)| **n > 0)
                .map(|(of, n)| (name(*of), *n))
                .collect(),
            complete: complete(*index),
            backfilled: entry.backfilled,
            base_fee: entry.told.map(|(.., fee)| fee),
        };
        self.0.iter().rev().take(limit).map(view).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Counters;

    #[test]
    fn the_log_is_bounded_and_tells_the_newest_first() {
        let mut counters = Counters::new();
        let (payment, trust) = (counters.type_index("Payment"), counters.type_index("TrustSet"));
        let mut log = LedgerLog::default();
        for index in 1..=300 {
            log.validated(LedgerIndex(index), Source::Ws, payment);
            log.validated(LedgerIndex(index), Source::Poll, trust);
            log.validated(LedgerIndex(index), Source::Poll, payment);
            log.unvalidated(LedgerIndex(index), Source::Poll, payment);
        }
        log.backfilled(LedgerIndex(300), 7);
        assert_eq!(log.0.len(), KEPT);
        let newest = log.newest(2, |index| index == 299, |of| counters.type_name(of));
        assert_eq!(newest.iter().map(|l| l.ledger_index.0).collect::<Vec<_>>(), [300, 299]);
        let of = |l: &LedgerView| (l.ours, l.txn_count, l.complete, l.backfilled);
        assert_eq!(of(&newest[0]), (2, Some(7), false, true));
        assert_eq!(of(&newest[1]), (2, None, true, false));
        assert_eq!(newest[0].ours_by_source, BTreeMap::from([(Source::Ws, 1), (Source::Poll, 1)]));
        assert_eq!(
            newest[0].ours_by_type,
            BTreeMap::from([("Payment".into(), 1), ("TrustSet".into(), 1)])
        );
    }
}
