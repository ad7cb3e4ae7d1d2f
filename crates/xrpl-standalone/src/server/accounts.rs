//! Accounts that are there from the start, and who pays them.

use std::sync::Arc;

use xrpl_protocol::{
    AccountId, Amount, Hash256, Object, fields,
    keys::{KeyPair, KeyType, Seed},
    object_id,
    sign::sign,
};

use super::config::FundedAccounts;
use crate::{
    ledger::{
        PreparedTx, ReadView as _, entry_type,
        helpers::account_root::{flag, flags_of},
        view::drops,
    },
    node::Node,
};

/// The first network id that transactions must name.
const FIRST_NAMED_NETWORK: u32 = 1025;
const PAYMENT: u16 = 0;

/// What a faucet has on a ledger where the genesis account can pay nobody, in drops.
const FAUCET_FUNDS: u64 = 1_000_000_000_000_000;

/// An account that is there from the start, with its seed.
#[derive(Clone, Debug)]
pub struct FundedAccount {
    /// Its address.
    pub address: AccountId,
    /// What its keys are made of; [`Seed::to_base58`] is what wallets take.
    pub seed: Seed,
}

/// The account that has all XRP of a fresh ledger: everybody knows its passphrase.
fn genesis_key() -> KeyPair {
    KeyPair::from_seed(&Seed::from_passphrase("masterpassphrase", KeyType::Secp256k1))
}

fn xrp(drops: u64) -> Amount {
    Amount::Xrp(i64::try_from(drops).unwrap_or(i64::MAX))
}

/// A signed payment of XRP.
pub(super) fn payment(
    from: &KeyPair,
    (to, tag): (AccountId, Option<u32>),
    (drops, fee): (u64, u64),
    sequence: u32,
    network_id: u32,
) -> Option<Arc<PreparedTx>> {
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

/// Sees to it that accounts are there, with so many drops each, and that somebody can pay more:
/// whose key is returned. On a ledger that began here both is the genesis account's; on one that was
/// brought here its key may be nobody's or its money spent, and what is missing is written into the
/// ledger.
pub(super) fn prepare(
    node: &mut Node,
    accounts: &[FundedAccount],
    (each, faucet): (u64, bool),
    now: u32,
) -> KeyPair {
    let genesis = genesis_key();
    let missing: Vec<AccountId> = accounts
        .iter()
        .map(|account| account.address)
        .filter(|account| node.closed().account(*account).is_none())
        .collect();
    let fee = node.current().info().fees.base;
    let needed = each.saturating_add(fee).saturating_mul(missing.len() as u64);
    let payer = node.closed().account(genesis.account_id()).filter(|root| {
        let has = u64::try_from(drops(root, fields::BALANCE)).unwrap_or(0);
        flags_of(root) & flag::DISABLE_MASTER == 0 && has > needed.saturating_add(FAUCET_FUNDS)
    });
    if let Some(root) = payer {
        if !missing.is_empty() {
            let first = root.u32(fields::SEQUENCE).unwrap_or_default();
            let payments = missing.iter().zip(first..).filter_map(|(account, sequence)| {
                payment(&genesis, (*account, None), (each, fee), sequence, node.network_id())
            });
            let payments = payments.collect();
            node.accept_with(now, payments);
        }
        return genesis;
    }
    let key = KeyPair::from_seed(&Seed::derived("faucet", *b"fund", 0, KeyType::Ed25519));
    let mut written: Vec<_> = missing.into_iter().map(|account| (account, each)).collect();
    if faucet && node.closed().account(key.account_id()).is_none() {
        written.push((key.account_id(), FAUCET_FUNDS));
    }
    if !written.is_empty() {
        let minted = written.iter().map(|(_, drops)| drops).sum();
        let index = node.current_index();
        let entries = written.into_iter().map(|(account, drops)| root(account, drops, index));
        node.inject(now, entries.collect(), minted);
    }
    key
}

/// An AccountRoot that nobody paid for.
fn root(account: AccountId, drops: u64, index: u32) -> (Hash256, Object) {
    let root = entry_type::new(entry_type::ACCOUNT_ROOT)
        .with(fields::ACCOUNT, account)
        .with(fields::SEQUENCE, index)
        .with(fields::BALANCE, xrp(drops))
        .with(fields::OWNER_COUNT, 0u32)
        .with(fields::PREVIOUS_TXN_ID, Hash256::ZERO)
        .with(fields::PREVIOUS_TXN_LGR_SEQ, 0u32);
    (object_id::account_root(account), root)
}
