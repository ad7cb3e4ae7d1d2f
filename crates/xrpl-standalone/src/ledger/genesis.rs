//! The ledgers that a standalone server starts with: 1 with everything in one account, and 2.

use std::sync::Arc;

use xrpl_protocol::{AccountId, Amount, Hash256, LedgerHeader, Object, Value, fields, object_id};

use super::{
    amendment::Amendment,
    close_time::CLOSE_TIME_RESOLUTION,
    closed::ClosedLedger,
    entry_type,
    shamap::ShaMap,
    skip_list::update_skip_lists,
    view::{Entry, Fees},
};

/// The account that begins with all XRP: that of the passphrase `masterpassphrase`.
pub const GENESIS_ACCOUNT: AccountId = AccountId([
    0xb5, 0xf7, 0x62, 0x79, 0x8a, 0x53, 0xd5, 0x43, 0xa0, 0x14, 0xca, 0xf8, 0xb2, 0x97, 0xcf, 0xf8,
    0xf2, 0xf9, 0x37, 0xe8,
]);

/// All XRP, in drops.
pub const TOTAL_COINS: u64 = 100_000_000_000_000_000;

/// The amendments on in a fresh ledger unless its configuration says otherwise: all that xrpld 3.3
/// supports.
#[must_use]
pub fn amendments() -> Vec<Hash256> {
    Amendment::supported().map(Amendment::id).collect()
}

/// `amendments` are written sorted, as xrpld does.
fn state(amendments: &[Hash256], fees: Fees) -> ShaMap<Entry> {
    let xrp = |drops: u64| Amount::Xrp(i64::try_from(drops).unwrap_or(i64::MAX));
    let mut amendments = amendments.to_vec();
    amendments.sort_unstable();
    let mut state = ShaMap::default();
    let mut put = |key: Hash256, entry: Object| state.insert(key, Arc::new(entry));
    put(
        object_id::account_root(GENESIS_ACCOUNT),
        entry_type::new(entry_type::ACCOUNT_ROOT)
            .with(fields::ACCOUNT, GENESIS_ACCOUNT)
            .with(fields::SEQUENCE, 1u32)
            .with(fields::BALANCE, xrp(TOTAL_COINS))
            .with(fields::OWNER_COUNT, 0u32)
            .with(fields::PREVIOUS_TXN_ID, Hash256::ZERO)
            .with(fields::PREVIOUS_TXN_LGR_SEQ, 0u32),
    );
    put(
        object_id::fees(),
        entry_type::new(entry_type::FEE_SETTINGS)
            .with(fields::BASE_FEE_DROPS, xrp(fees.base))
            .with(fields::RESERVE_BASE_DROPS, xrp(fees.reserve))
            .with(fields::RESERVE_INCREMENT_DROPS, xrp(fees.increment)),
    );
    put(
        object_id::amendments(),
        entry_type::new(entry_type::AMENDMENTS)
            .with(fields::AMENDMENTS, Value::Vector256(amendments)),
    );
    state
}

/// Ledgers 1 and 2; the second closes at `close_time`.
pub(crate) fn ledgers(
    amendments: &[Hash256],
    fees: Fees,
    close_time: u32,
) -> (ClosedLedger, ClosedLedger) {
    let header = LedgerHeader {
        index: 1,
        hash: Hash256::ZERO,
        parent_hash: Hash256::ZERO,
        total_coins: TOTAL_COINS,
        account_hash: Hash256::ZERO,
        transaction_hash: Hash256::ZERO,
        parent_close_time: 0,
        close_time: 0,
        close_time_resolution: CLOSE_TIME_RESOLUTION,
        close_flags: 0,
    };
    let first = ClosedLedger::build(header, state(amendments, fees).into(), Vec::new(), None);
    let mut state = first.state.clone();
    update_skip_lists(&mut state, 2, first.header.hash);
    let header = LedgerHeader {
        index: 2,
        parent_hash: first.header.hash,
        close_time,
        ..first.header.clone()
    };
    let second = ClosedLedger::build(header, state, Vec::new(), Some(&first));
    (first, second)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes that a real xrpld printed.
    #[test]
    fn hashes_are_as_recorded() {
        let (first, second) = ledgers(&amendments(), Fees::default(), 848_737_540);
        assert_eq!(GENESIS_ACCOUNT.to_string(), "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh");
        assert_eq!(
            first.header.account_hash.to_string(),
            "89133A32390C0B2CC35A1A9148D3C034E1CD785508639AA5D40E94DE391FABD3"
        );
        assert_eq!(
            first.header.hash.to_string(),
            "D87978B4855474C82923816598CE63326A94C2C2288A55309A92490C4847DABA"
        );
        assert_eq!(
            second.header.account_hash.to_string(),
            "34852EB891F396EBD27DDDCF7D08AAB1E95E8E0C7C8BAD7346149AA0D7060FE7"
        );
        assert_eq!(
            second.header.hash.to_string(),
            "7F049BF176CFCC86B6703BD6F4E468C4B38D395CE49BBA6D45D765481F19A73B"
        );
    }
}
