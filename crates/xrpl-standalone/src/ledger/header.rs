//! A ledger's header (<https://xrpl.org/docs/references/protocol/ledger-data/ledger-header>).

use xrpl_protocol::{
    Hash256,
    hash::{prefix, sha512_half},
};

/// Seconds to which close times are rounded. xrpld begins with 10 and never leaves it in standalone
/// mode, where everybody agrees on the close time.
pub const CLOSE_TIME_RESOLUTION: u8 = 10;

/// The header of a closed ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerHeader {
    /// Ledger index.
    pub index: u32,
    /// Ledger hash.
    pub hash: Hash256,
    /// Hash of the ledger before.
    pub parent_hash: Hash256,
    /// All XRP in existence, in drops.
    pub total_coins: u64,
    /// Hash of the state tree.
    pub account_hash: Hash256,
    /// Hash of the transaction tree.
    pub transaction_hash: Hash256,
    /// Close time of the ledger before, in seconds since 2000-01-01.
    pub parent_close_time: u32,
    /// Close time in seconds since 2000-01-01.
    pub close_time: u32,
    /// Seconds to which the close time was rounded.
    pub close_time_resolution: u8,
    /// Flags; 0 here.
    pub close_flags: u8,
}

impl LedgerHeader {
    /// The hash that the other members give.
    #[must_use]
    pub fn compute_hash(&self) -> Hash256 {
        sha512_half(&[&prefix::LEDGER_HEADER, &self.encode()])
    }

    /// Binary form, without prefix and hash.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(118);
        out.extend_from_slice(&self.index.to_be_bytes());
        out.extend_from_slice(&self.total_coins.to_be_bytes());
        out.extend_from_slice(&self.parent_hash.0);
        out.extend_from_slice(&self.transaction_hash.0);
        out.extend_from_slice(&self.account_hash.0);
        out.extend_from_slice(&self.parent_close_time.to_be_bytes());
        out.extend_from_slice(&self.close_time.to_be_bytes());
        out.push(self.close_time_resolution);
        out.push(self.close_flags);
        out
    }
}

/// The close time for a wall clock that shows `now`: rounded, and later than the parent's.
#[must_use]
pub fn round_close_time(now: u32, parent_close_time: u32) -> u32 {
    let resolution = u32::from(CLOSE_TIME_RESOLUTION);
    let shifted = now.saturating_add(resolution / 2);
    (shifted - shifted % resolution).max(parent_close_time.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::round_close_time;

    #[test]
    fn close_times() {
        assert_eq!(round_close_time(104, 0), 100);
        assert_eq!(round_close_time(105, 0), 110);
        assert_eq!(round_close_time(104, 100), 101);
        assert_eq!(round_close_time(0, 7), 8);
        assert!(round_close_time(u32::MAX, u32::MAX) > 0);
    }
}
