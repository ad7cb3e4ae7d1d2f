//! Validation records: at most one per (transaction, ledger), the newest in memory.

use std::collections::VecDeque;

use xrpl_protocol::{LedgerIndex, TxHash};

use crate::record::Validation;

/// A ring of the newest records.
#[derive(Debug)]
pub(crate) struct ValidationRing {
    capacity: usize,
    records: VecDeque<Validation>,
}

impl ValidationRing {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, records: VecDeque::with_capacity(capacity.min(1 << 16)) }
    }

    /// The caller sees to it that a (transaction, ledger) comes once: the lifecycle records only
    /// the event that moves a transaction to VALIDATED.
    pub(crate) fn push(&mut self, record: Validation) {
        if self.records.len() >= self.capacity {
            self.records.pop_front();
        }
        if self.capacity > 0 {
            self.records.push_back(record);
        }
    }

    /// Takes a record back.
    pub(crate) fn remove(&mut self, txn: TxHash, ledger: LedgerIndex) {
        self.records.retain(|record| (record.txn, record.ledger) != (txn, ledger));
    }

    pub(crate) fn newest(&self, limit: usize) -> Vec<Validation> {
        self.records.iter().rev().take(limit).copied().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Source;

    #[test]
    fn keeps_the_newest() {
        let mut ring = ValidationRing::new(3);
        for n in 0..5 {
            ring.push(Validation {
                txn: TxHash([n; 32]),
                ledger: LedgerIndex(n.into()),
                source: Source::Ws,
            });
        }
        let ledgers: Vec<_> = ring.newest(10).iter().map(|v| v.ledger.0).collect();
        assert_eq!((ledgers, ring.len()), (vec![4, 3, 2], 3));
        assert_eq!(ring.newest(1).len(), 1);
        ring.remove(TxHash([4; 32]), LedgerIndex(3));
        assert_eq!(ring.len(), 3, "another ledger's");
        ring.remove(TxHash([4; 32]), LedgerIndex(4));
        assert_eq!(ring.newest(1)[0].ledger.0, 3);
    }
}
