//! What an account has: XRP, and issued currencies on its trust lines.
//!
//! XRP changes by the differences in metadata and lines by what the newest ones say, so that the order
//! in which outcomes arrive does not matter. What is in flight is set aside until its end is known.

use smallvec::SmallVec;
use xrpl_protocol::IssuedValue;

use crate::{fees::Fees, metadata::Moment};

/// Position of an asset in the run's assets.
pub type AssetId = u16;

/// An account's XRP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct XrpBalance {
    /// Drops in the newest validated ledger that was learned from.
    pub balance: u64,
    /// Objects it owns there.
    pub owners: u32,
    /// Drops that transactions in flight may take.
    pub pending: u64,
    /// Objects that transactions in flight may add.
    pub owners_pending: u32,
}

impl XrpBalance {
    /// What can be spent now without touching the reserve, whatever becomes of what is in flight.
    #[must_use]
    pub fn spendable(&self, fees: &Fees) -> u64 {
        self.spendable_with(fees, 0)
    }

    /// The same with so many more objects owned.
    #[must_use]
    pub fn spendable_with(&self, fees: &Fees, more: u32) -> u64 {
        let reserve = fees.reserve(self.owners + self.owners_pending + more);
        self.balance.saturating_sub(self.pending).saturating_sub(reserve)
    }

    /// Takes in a difference.
    pub(crate) fn change(&mut self, drops: i64) {
        self.balance = self.balance.saturating_add_signed(drops);
    }
}

/// A trust line, from its holder's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Of which asset.
    pub asset: AssetId,
    /// What the holder trusts for.
    pub limit: IssuedValue,
    /// What the holder has.
    pub balance: IssuedValue,
    /// What is in flight out of it.
    pub leaving: IssuedValue,
    /// What is in flight into it.
    pub coming: IssuedValue,
    /// Whether a validated ledger has it.
    pub exists: bool,
    /// Since when it is so, and its limit so.
    pub as_of: Moment,
}

impl Line {
    /// What can leave now.
    #[must_use]
    pub fn available(&self) -> IssuedValue {
        self.balance.sub(self.leaving).unwrap_or(IssuedValue::ZERO)
    }

    /// Whether this much more fits under the limit.
    #[must_use]
    pub fn has_room(&self, value: IssuedValue) -> bool {
        let then = self.balance.add(self.coming).and_then(|held| held.add(value));
        self.exists && then.is_ok_and(|held| held <= self.limit)
    }
}

/// An account's trust lines.
#[derive(Clone, Debug, Default)]
pub struct Lines(SmallVec<[Line; 4]>);

impl Lines {
    /// The line of an asset.
    #[must_use]
    pub fn get(&self, asset: AssetId) -> Option<&Line> {
        self.0.iter().find(|line| line.asset == asset)
    }

    /// All of them, those not yet in a validated ledger too.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Line> {
        self.0.iter()
    }

    /// The line of an asset, made empty if there is none.
    pub fn entry(&mut self, asset: AssetId) -> &mut Line {
        let at = self.0.iter().position(|line| line.asset == asset).unwrap_or_else(|| {
            let zero = IssuedValue::ZERO;
            let (limit, balance, leaving, coming) = (zero, zero, zero, zero);
            let as_of = Moment::default();
            self.0.push(Line { asset, limit, balance, leaving, coming, exists: false, as_of });
            self.0.len() - 1
        });
        &mut self.0[at]
    }
}
