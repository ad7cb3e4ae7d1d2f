//! A ledger's header (<https://xrpl.org/docs/references/protocol/ledger-data/ledger-header>).
//!
//! Its hash covers the hash of the ledger before: whoever knows one ledger's hash can check every
//! earlier header that is shown to him.

use crate::{
    Hash256,
    hash::{prefix, sha512_half},
};

/// Bytes of a header in binary form, without prefix and hash.
pub const ENCODED_LENGTH: usize = 118;

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
    /// Flags; bit 0 where there was no consensus on the close time.
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
        let mut out = Vec::with_capacity(ENCODED_LENGTH);
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

    /// Reads the binary form; the hash is computed.
    #[must_use]
    pub fn decode(bytes: &[u8; ENCODED_LENGTH]) -> Self {
        fn part<const N: usize>(bytes: &[u8; ENCODED_LENGTH], at: usize) -> [u8; N] {
            std::array::from_fn(|n| bytes[at + n])
        }
        let mut header = Self {
            index: u32::from_be_bytes(part(bytes, 0)),
            hash: Hash256::ZERO,
            total_coins: u64::from_be_bytes(part(bytes, 4)),
            parent_hash: Hash256(part(bytes, 12)),
            transaction_hash: Hash256(part(bytes, 44)),
            account_hash: Hash256(part(bytes, 76)),
            parent_close_time: u32::from_be_bytes(part(bytes, 108)),
            close_time: u32::from_be_bytes(part(bytes, 112)),
            close_time_resolution: bytes[116],
            close_flags: bytes[117],
        };
        header.hash = header.compute_hash();
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut header = LedgerHeader {
            index: 7,
            hash: Hash256::ZERO,
            parent_hash: Hash256([1; 32]),
            total_coins: 99_999_999_999_000_000,
            account_hash: Hash256([2; 32]),
            transaction_hash: Hash256([3; 32]),
            parent_close_time: 820_540_800,
            close_time: 820_540_810,
            close_time_resolution: 30,
            close_flags: 1,
        };
        header.hash = header.compute_hash();
        let bytes = header.encode().try_into().unwrap();
        assert_eq!(LedgerHeader::decode(&bytes), header);
    }

    /// Ledger 1 of every network without a history of its own, as xrpld answers `ledger`.
    #[test]
    fn the_first_ledger_has_its_well_known_hash() {
        let header = LedgerHeader {
            index: 1,
            hash: Hash256::ZERO,
            parent_hash: Hash256::ZERO,
            total_coins: 100_000_000_000_000_000,
            account_hash: "89133A32390C0B2CC35A1A9148D3C034E1CD785508639AA5D40E94DE391FABD3"
                .parse()
                .unwrap(),
            transaction_hash: Hash256::ZERO,
            parent_close_time: 0,
            close_time: 0,
            close_time_resolution: 10,
            close_flags: 0,
        };
        assert_eq!(
            header.compute_hash().to_string(),
            "D87978B4855474C82923816598CE63326A94C2C2288A55309A92490C4847DABA"
        );
        assert_eq!(header.encode().len(), 118);
    }
}
