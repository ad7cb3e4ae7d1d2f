//! Accounts that are there from the start.

use std::sync::Arc;

use xrpl_protocol::{
    AccountId, Amount, Object, fields,
    keys::{KeyPair, KeyType, Seed},
    sign::sign,
};

use super::config::FundedAccounts;
use crate::{
    ledger::{PreparedTx, ReadView as _},
    node::Node,
};

/// The first network id that transactions must name.
const FIRST_NAMED_NETWORK: u32 = 1025;
const PAYMENT: u16 = 0;

/// An account that is there from the start, with its seed.
#[derive(Clone, Debug)]
pub struct FundedAccount {
    /// Its address.
    pub address: AccountId,
    /// What its keys are made of; [`Seed::to_base58`] is what wallets take.
    pub seed: Seed,
}

/// The account that has all XRP of a fresh ledger: everybody knows its passphrase.
pub(crate) fn genesis_key() -> KeyPair {
    KeyPair::from_seed(&Seed::from_passphrase("masterpassphrase", KeyType::Secp256k1))
}

/// A signed payment of XRP.
pub(super) fn payment(
    from: &KeyPair,
    (to, tag): (AccountId, Option<u32>),
    (drops, fee): (u64, u64),
    sequence: u32,
    network_id: u32,
) -> Option<Arc<PreparedTx>> {
    let xrp = |drops: u64| Amount::Xrp(i64::try_from(drops).unwrap_or(i64::MAX));
    let mut tx = Object::new()
        .with(fields::TRANSACTION_TYPE, PAYMENT)
        .with(fields::FLAGS, 0u32)
        .with(fields::ACCOUNT, from.account_id())
        .with(fields::DESTINATION, to)
        .with(fields::AMOUNT, xrp(drops))
        .with(fields::FEE, xrp(fee))
        .with(fields::SEQUENCE, sequence);
    if let Some(tag) = tag {
        tx.set(fields::DESTINATION_TAG, tag.into());
    }
    if network_id >= FIRST_NAMED_NETWORK {
        tx.set(fields::NETWORK_ID, network_id.into());
    }
    // Signed here, so that the signature need not be checked.
    PreparedTx::parse(&sign(tx, from).blob).ok().map(Arc::new)
}

/// The accounts of a configuration, in their order.
pub(super) fn of(wanted: &FundedAccounts) -> Vec<FundedAccount> {
    (0..wanted.count)
        .map(|n| {
            let seed = Seed::derived(&wanted.seed, *b"user", n, wanted.key_type);
            FundedAccount { address: KeyPair::from_seed(&seed).account_id(), seed }
        })
        .collect()
}

/// Pays them in the next ledger, past the queue: however many they are.
pub(super) fn fund(node: &mut Node, accounts: &[FundedAccount], drops: u64, now: u32) {
    let key = genesis_key();
    let fee = node.current().info().fees.base;
    let payments = accounts.iter().zip(1..).filter_map(|(account, sequence)| {
        payment(&key, (account.address, None), (drops, fee), sequence, node.network_id())
    });
    let payments = payments.collect();
    node.accept_with(now, payments);
}
