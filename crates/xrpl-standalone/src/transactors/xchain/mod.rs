//! Bridges between two chains
//! (<https://xrpl.org/docs/concepts/xrpl-sidechains/cross-chain-bridges>): what is locked up with a
//! door account on one is issued by a door account on the other. Witnesses, who are the door's
//! signers, attest on one chain what was committed on the other.

mod attest;
mod attestation;
mod bridge;
mod claim;
mod commit;
mod transfer;

pub(super) use attest::{XChainAddAccountCreateAttestation, XChainAddClaimAttestation};
pub(super) use bridge::{XChainCreateBridge, XChainModifyBridge};
pub(super) use claim::{XChainClaim, XChainCreateClaimId};
pub(super) use commit::{XChainAccountCreateCommit, XChainCommit};

use std::collections::BTreeMap;

use xrpl_protocol::{
    AccountId, Amount, Currency, EngineResult, Hash256, Issue, Object, Value, fields,
    object::XChainBridge, object_id,
};

use super::ensure;
use crate::ledger::{
    Entry, PreparedTx, ReadView, Ter,
    helpers::account_root::{balance_of, reserve},
};

/// A side of a bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chain {
    /// Where the asset comes from, and is locked up.
    Locking,
    /// Where it is issued anew.
    Issuing,
}

impl Chain {
    fn other(self) -> Self {
        if self == Self::Locking { Self::Issuing } else { Self::Locking }
    }

    /// The chain on which something was committed.
    fn source(was_locking_chain_send: bool) -> Self {
        if was_locking_chain_send { Self::Locking } else { Self::Issuing }
    }

    fn door(self, bridge: &XChainBridge) -> AccountId {
        if self == Self::Locking { bridge.locking_door } else { bridge.issuing_door }
    }

    fn issue(self, bridge: &XChainBridge) -> Issue {
        if self == Self::Locking { bridge.locking_issue } else { bridge.issuing_issue }
    }

    /// Which chain a door account keeps.
    fn of_door(door: AccountId, bridge: &XChainBridge) -> Option<Self> {
        [Self::Locking, Self::Issuing].into_iter().find(|chain| chain.door(bridge) == door)
    }

    fn bridge_key(self, bridge: &XChainBridge) -> Hash256 {
        let currency = match self.issue(bridge) {
            Issue::Issued { currency, .. } => currency,
            _ => Currency::XRP,
        };
        object_id::bridge(self.door(bridge), currency)
    }
}

/// The `XChainBridge` of a transaction.
fn spec(tx: &PreparedTx) -> Result<XChainBridge, EngineResult> {
    match tx.object.get(fields::X_CHAIN_BRIDGE) {
        Some(Value::XChainBridge(bridge)) => Ok(XChainBridge::clone(bridge)),
        _ => Err(EngineResult::TEM_MALFORMED),
    }
}

/// A bridge that is there, and the chain that this ledger is for it.
struct Bridge {
    key: Hash256,
    entry: Entry,
    door: AccountId,
    chain: Chain,
}

/// Finds the bridge that a transaction names, on whichever side of it this ledger is.
fn find(view: &dyn ReadView, bridge: &XChainBridge) -> Result<Bridge, EngineResult> {
    let found = [Chain::Locking, Chain::Issuing].into_iter().find_map(|chain| {
        let key = chain.bridge_key(bridge);
        let entry = view.read(&key)?;
        let same = matches!(
            entry.get(fields::X_CHAIN_BRIDGE),
            Some(Value::XChainBridge(other)) if **other == *bridge
        );
        same.then_some((key, entry))
    });
    let (key, entry) = found.ok_or(EngineResult::TEC_NO_ENTRY)?;
    let door = entry.account(fields::ACCOUNT).unwrap_or_default();
    let chain = Chain::of_door(door, bridge).ok_or(EngineResult::TEC_INTERNAL)?;
    Ok(Bridge { key, entry, door, chain })
}

/// A door's witnesses with their weights, and the weight that they need together.
struct Witnesses {
    weights: BTreeMap<AccountId, u32>,
    quorum: u32,
}

fn witnesses(view: &dyn ReadView, door: AccountId) -> Result<Witnesses, EngineResult> {
    view.account(door).ok_or(EngineResult::TEC_INTERNAL)?;
    let list = view.read(&object_id::signer_list(door));
    let list = list.ok_or(EngineResult::TEC_XCHAIN_NO_SIGNERS_LIST)?;
    let entries = list.array(fields::SIGNER_ENTRIES).ok_or(EngineResult::TEC_INTERNAL)?;
    let weights = entries.iter().filter_map(|(_, entry)| {
        Some((entry.account(fields::ACCOUNT)?, entry.u16(fields::SIGNER_WEIGHT)?.into()))
    });
    let quorum = list.u32(fields::SIGNER_QUORUM).unwrap_or(u32::MAX);
    Ok(Witnesses { weights: weights.collect(), quorum })
}

/// The same number of another asset.
fn of_issue(amount: &Amount, issue: Issue) -> Amount {
    match (amount, issue) {
        (Amount::Issued { value, .. }, Issue::Issued { currency, issuer }) => {
            Amount::issued(*value, currency, issuer)
        }
        _ => *amount,
    }
}

/// An amount of XRP that is not negative and not larger than all of it.
fn is_reward(amount: Option<Amount>) -> bool {
    amount.and_then(|amount| amount.drops()).is_some_and(|drops| drops >= 0)
}

/// Whether an account can pay the reserve for one thing more.
fn can_own_more(view: &dyn ReadView, account: AccountId) -> Ter {
    let root = view.account(account).ok_or(EngineResult::TER_NO_ACCOUNT)?;
    let enough = balance_of(&root) >= reserve(view, &root, 1);
    ensure(enough, EngineResult::TEC_INSUFFICIENT_RESERVE)
}

fn amount(object: &Object, field: xrpl_protocol::Field) -> Result<Amount, EngineResult> {
    object.amount(field).ok_or(EngineResult::TEC_INTERNAL)
}
