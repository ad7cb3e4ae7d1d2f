//! How large ledgers may grow at the base fee, and what comes on top.

use std::collections::VecDeque;

use crate::ledger::OpenView;

/// The level of a transaction that pays its least fee.
pub const BASE_LEVEL: u64 = 256;

/// `a * b / c`, the largest number if it does not fit.
pub(super) fn mul_div(a: u64, b: u64, c: u64) -> u64 {
    let product = u128::from(a) * u128::from(b) / u128::from(c.max(1));
    u64::try_from(product).unwrap_or(u64::MAX)
}

/// xrpld's `[transaction_queue]` stanza.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSetup {
    /// `ledgers_in_queue`.
    pub ledgers_in_queue: usize,
    /// `minimum_queue_size`.
    pub minimum_queue_size: usize,
    /// `retry_sequence_percent`: how much more a replacement must pay.
    pub retry_sequence_percent: u64,
    /// `minimum_escalation_multiplier`, a level.
    pub minimum_escalation_multiplier: u64,
    /// `minimum_txn_in_ledger_standalone`.
    pub minimum_txn_in_ledger: usize,
    /// `target_txn_in_ledger`.
    pub target_txn_in_ledger: usize,
    /// `maximum_txn_in_ledger`.
    pub maximum_txn_in_ledger: Option<usize>,
    /// `normal_consensus_increase_percent`.
    pub normal_consensus_increase_percent: u64,
    /// `maximum_txn_per_account`.
    pub maximum_txn_per_account: usize,
    /// `minimum_last_ledger_buffer`: ledgers a queued transaction must still have.
    pub minimum_last_ledger_buffer: u32,
}

impl Default for QueueSetup {
    fn default() -> Self {
        Self {
            ledgers_in_queue: 20,
            minimum_queue_size: 2000,
            retry_sequence_percent: 25,
            minimum_escalation_multiplier: BASE_LEVEL * 500,
            minimum_txn_in_ledger: 1000,
            target_txn_in_ledger: 256,
            maximum_txn_in_ledger: None,
            normal_consensus_increase_percent: 20,
            maximum_txn_per_account: 10,
            minimum_last_ledger_buffer: 2,
        }
    }
}

/// Figures of the open ledger and the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// Transactions in the queue.
    pub queued: usize,
    /// Transactions the queue takes; none before the first close.
    pub max_queued: Option<usize>,
    /// Transactions in the open ledger.
    pub in_ledger: usize,
    /// Transactions the open ledger takes at the base fee.
    pub expected: usize,
    /// 256.
    pub reference_level: u64,
    /// Level needed for the queue.
    pub minimum_level: u64,
    /// Median level of the last ledger, at least the configured minimum.
    pub median_level: u64,
    /// Level needed for the open ledger.
    pub open_ledger_level: u64,
    /// Base fee in drops.
    pub base_fee: u64,
}

impl Metrics {
    fn drops(&self, level: u64) -> u64 {
        mul_div(level, self.base_fee, BASE_LEVEL)
    }

    /// `median_fee` in drops.
    #[must_use]
    pub fn median_fee(&self) -> u64 {
        self.drops(self.median_level)
    }

    /// `minimum_fee` in drops.
    #[must_use]
    pub fn minimum_fee(&self) -> u64 {
        self.drops(self.minimum_level)
    }

    /// `open_ledger_fee` in drops: rounded so that it suffices.
    #[must_use]
    pub fn open_ledger_fee(&self) -> u64 {
        let fee = self.drops(self.open_ledger_level);
        let short = mul_div(fee, BASE_LEVEL, self.base_fee) < self.open_ledger_level;
        fee + u64::from(self.base_fee > 0 && short)
    }
}

/// What past ledgers teach about the size of the next.
#[derive(Clone, Debug)]
pub(super) struct FeeMetrics {
    target: usize,
    maximum: Option<usize>,
    expected: usize,
    recent: VecDeque<usize>,
    multiplier: u64,
}

impl FeeMetrics {
    pub(super) fn new(setup: &QueueSetup) -> Self {
        let minimum = setup.minimum_txn_in_ledger;
        let target = setup.target_txn_in_ledger.max(minimum);
        Self {
            target,
            maximum: setup.maximum_txn_in_ledger.map(|max| max.max(target)),
            expected: minimum,
            recent: VecDeque::new(),
            multiplier: setup.minimum_escalation_multiplier,
        }
    }

    pub(super) fn expected(&self) -> usize {
        self.expected
    }

    pub(super) fn multiplier(&self) -> u64 {
        self.multiplier
    }

    /// Learns from the levels that a closed ledger's transactions paid.
    pub(super) fn update(&mut self, mut levels: Vec<u64>, setup: &QueueSetup) {
        levels.sort_unstable();
        let size = levels.len();
        if size > self.expected || size > self.target {
            let percent = 100 + setup.normal_consensus_increase_percent.min(1000);
            let grown = mul_div(size as u64, percent, 100);
            if self.recent.len() >= setup.ledgers_in_queue.max(1) {
                self.recent.pop_front();
            }
            self.recent.push_back(usize::try_from(grown).unwrap_or(usize::MAX));
            let largest = self.recent.iter().copied().max().unwrap_or_default();
            // Quickly up, slowly down.
            let next =
                if largest >= self.expected { largest } else { (self.expected * 9 + largest) / 10 };
            self.expected = self.maximum.map_or(next, |max| next.min(max));
        }
        let floor = setup.minimum_escalation_multiplier;
        self.multiplier = match size {
            0 => floor,
            _ => {
                let middle = u128::from(levels[size / 2]) + u128::from(levels[(size - 1) / 2]) + 1;
                u64::try_from(middle / 2).unwrap_or(u64::MAX).max(floor)
            }
        };
    }

    /// Level that the open ledger asks of its next transaction.
    pub(super) fn required_level(&self, view: &OpenView<'_>) -> u64 {
        let (current, target) = (view.tx_count() as u64, self.expected as u64);
        if current <= target {
            return BASE_LEVEL;
        }
        mul_div(self.multiplier, current.saturating_mul(current), target.saturating_mul(target))
    }

    /// Sum of the levels that `count` transactions would have to pay one after another; none if it
    /// is too large to be meant.
    pub(super) fn series_level(&self, view: &OpenView<'_>, count: usize) -> Option<u64> {
        let squares = |n: u64| (n < 1 << 21).then(|| n * (n + 1) * (2 * n + 1) / 6);
        let current = view.tx_count() as u64;
        let last = squares((current + count as u64).checked_sub(1)?)?;
        let before = squares(current.checked_sub(1)?)?;
        let target = self.expected as u64;
        Some(mul_div(self.multiplier, last - before, target.saturating_mul(target)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_quickly_and_shrinks_slowly() {
        let setup = QueueSetup {
            minimum_txn_in_ledger: 10,
            target_txn_in_ledger: 10,
            ..QueueSetup::default()
        };
        let mut fees = FeeMetrics::new(&setup);
        fees.update(vec![BASE_LEVEL; 20], &setup);
        assert_eq!((fees.expected(), fees.multiplier()), (24, BASE_LEVEL * 500));
        fees.recent.clear();
        fees.update(vec![BASE_LEVEL * 1000; 15], &setup);
        assert_eq!((fees.expected(), fees.multiplier()), ((24 * 9 + 18) / 10, BASE_LEVEL * 1000));
        fees.update(Vec::new(), &setup);
        assert_eq!(fees.multiplier(), BASE_LEVEL * 500);
    }

    #[test]
    fn fees_in_drops_suffice() {
        let mut metrics = Metrics {
            queued: 0,
            max_queued: None,
            in_ledger: 0,
            expected: 1,
            reference_level: BASE_LEVEL,
            minimum_level: BASE_LEVEL,
            median_level: BASE_LEVEL * 500,
            open_ledger_level: 257,
            base_fee: 10,
        };
        assert_eq!(
            (metrics.minimum_fee(), metrics.median_fee(), metrics.open_ledger_fee()),
            (10, 5000, 11)
        );
        metrics.open_ledger_level = BASE_LEVEL;
        assert_eq!(metrics.open_ledger_fee(), 10);
    }
}
