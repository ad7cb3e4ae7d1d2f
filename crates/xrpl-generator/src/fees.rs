//! What transactions pay, from the node's own figures.

use serde::{Deserialize, Serialize};
use xrpl_protocol::{Drops, transaction_cost::FeeFigures};

/// How the fee of an ordinary transaction is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeStrategy {
    /// The base fee: enough on a node without load, queued otherwise.
    #[default]
    Base,
    /// What gets into the open ledger at once (`fee`), at most `max_fee_drops`.
    OpenLedger,
    /// Always this many drops.
    Fixed(u64),
}

/// What kind of fee a transaction needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeeClass {
    /// By the strategy.
    Ordinary,
    /// What gets into the open ledger at once, whatever the strategy (preparing, winding up); at
    /// most `max_fee_drops`.
    OpenLedger,
    /// By the strategy, for what costs at least so many drops (several signatures, inner
    /// transactions, an owner reserve): nodes compare what is paid with that.
    Least(u64),
    /// Exactly this, however wrong.
    Exactly(u64),
}

/// The node's figures and what follows from them.
#[derive(Clone, Copy, Debug)]
pub struct Fees {
    strategy: FeeStrategy,
    max: u64,
    base: u64,
    open_ledger: u64,
    reserve_base: u64,
    reserve_increment: u64,
}

impl Fees {
    /// Before the node was asked: the main network's figures.
    #[must_use]
    pub fn new(strategy: FeeStrategy, max_fee_drops: u64) -> Self {
        Self {
            strategy,
            max: max_fee_drops,
            base: 10,
            open_ledger: 10,
            reserve_base: 1_000_000,
            reserve_increment: 200_000,
        }
    }

    /// The figures of a validated ledger.
    pub fn set_ledger(&mut self, base: u64, reserve_base: u64, reserve_increment: u64) {
        (self.base, self.reserve_base, self.reserve_increment) =
            (base, reserve_base, reserve_increment);
    }

    /// The fee that gets into the open ledger now.
    pub fn set_open_ledger(&mut self, drops: u64) {
        self.open_ledger = drops;
    }

    /// The ledger's own figures.
    #[must_use]
    pub fn figures(&self) -> FeeFigures {
        let Self { base, reserve_base: reserve, reserve_increment: increment, .. } = *self;
        FeeFigures { base, reserve, increment }
    }

    /// The strategy.
    #[must_use]
    pub fn strategy(&self) -> FeeStrategy {
        self.strategy
    }

    /// The fee that gets into the open ledger now, drops.
    #[must_use]
    pub fn open_ledger(&self) -> u64 {
        self.open_ledger
    }

    /// The same of what costs at least so many drops instead of the base fee.
    #[must_use]
    pub fn open_ledger_of(&self, least: u64) -> u64 {
        self.open_ledger.saturating_mul(least.max(self.base)) / self.base.max(1)
    }

    /// The most that is paid of the program's own accord, drops.
    #[must_use]
    pub fn max(&self) -> u64 {
        self.max
    }

    /// The fee of a transaction.
    #[must_use]
    pub fn fee(&self, class: FeeClass) -> Drops {
        let open_ledger = self.open_ledger.min(self.max).max(self.base);
        let ordinary = match self.strategy {
            FeeStrategy::Base => self.base,
            FeeStrategy::OpenLedger => open_ledger,
            FeeStrategy::Fixed(drops) => drops,
        };
        Drops(match class {
            FeeClass::Ordinary => ordinary,
            FeeClass::OpenLedger => open_ledger,
            FeeClass::Least(least) => match self.strategy {
                FeeStrategy::Base => least,
                FeeStrategy::Fixed(drops) => drops.max(least),
                FeeStrategy::OpenLedger => {
                    let level = open_ledger.saturating_mul(least) / self.base.max(1);
                    level.min(self.max).max(least)
                }
            },
            FeeClass::Exactly(drops) => drops,
        })
    }

    /// What an account with this many objects must keep.
    #[must_use]
    pub fn reserve(&self, owner_count: u32) -> u64 {
        self.reserve_base.saturating_add(self.reserve_increment.saturating_mul(owner_count.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strategies() {
        for (strategy, open, fee) in [
            (FeeStrategy::Base, 5000, 12),
            (FeeStrategy::OpenLedger, 5000, 900),
            (FeeStrategy::OpenLedger, 300, 300),
            (FeeStrategy::OpenLedger, 5, 12),
            (FeeStrategy::Fixed(77), 5000, 77),
        ] {
            let mut fees = Fees::new(strategy, 900);
            fees.set_ledger(12, 10_000_000, 2_000_000);
            fees.set_open_ledger(open);
            assert_eq!(fees.fee(FeeClass::Ordinary), Drops(fee), "{strategy:?}");
            let least = |drops| fees.fee(FeeClass::Least(drops)).0;
            assert_eq!(least(2_000_000), 2_000_000, "never less");
            assert_eq!(least(12), fee, "an ordinary one");
            assert!(least(48) >= 48 && least(48) <= 900, "{strategy:?}");
        }
    }

    #[test]
    fn reserves() {
        let mut fees = Fees::new(FeeStrategy::Base, 0);
        fees.set_ledger(10, 10_000_000, 2_000_000);
        assert_eq!((fees.reserve(0), fees.reserve(3)), (10_000_000, 16_000_000));
    }
}
