//! What the ledger's only validator votes for: at flag ledgers it becomes pseudo-transactions, as in a
//! network whose validators all vote so
//! (<https://xrpl.org/docs/references/protocol/transactions/pseudo-transaction-types>).

use std::sync::Arc;

use xrpl_protocol::{AccountId, Amount, Hash256, Object, Value, fields, object_id};

use crate::{
    ledger::{ClosedLedger, Fees, PreparedTx, ReadView, amendment, skip_list::is_flag_ledger},
    transactors::change::{
        ENABLE_AMENDMENT, SET_FEE, TF_GOT_MAJORITY, TF_LOST_MAJORITY, UNL_MODIFY,
    },
};

/// How long an amendment must have its majority in xrpld at the least before it is enabled, in seconds:
/// 15 minutes. (Networks take two weeks.)
pub const MAJORITY_TIME: u32 = 900;

/// `ReferenceFeeUnits` of old: nothing goes by it any more.
const FEE_UNITS: u32 = 10;

/// What the ledger's only validator votes for. Nothing is voted on unless it is named here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Votes {
    /// What the fee of a reference transaction should be, in drops.
    pub base: Option<u64>,
    /// What the reserve of an account should be, in drops.
    pub reserve: Option<u64>,
    /// What the reserve of each thing that it owns should be, in drops.
    pub increment: Option<u64>,
    /// Amendments that should be enabled.
    pub amendments: Vec<Hash256>,
    /// How long an amendment must have had its majority, in seconds; [`MAJORITY_TIME`] if none.
    pub majority_time: Option<u32>,
    /// Validators that should not be counted.
    pub disable: Vec<Vec<u8>>,
    /// Validators that should be counted again.
    pub enable: Vec<Vec<u8>>,
}

impl Votes {
    /// Whether there is nothing to vote for.
    fn is_empty(&self) -> bool {
        *self == Self { majority_time: self.majority_time, ..Self::default() }
    }

    /// The pseudo-transactions of the ledger after `parent`.
    pub(super) fn transactions(&self, parent: &ClosedLedger) -> Vec<Arc<PreparedTx>> {
        let index = parent.header.index;
        let mut all: Vec<Object> = Vec::new();
        if self.is_empty() {
            return Vec::new();
        }
        if is_flag_ledger(index) {
            all.extend(self.set_fee(parent));
            all.extend(self.amendments(parent));
        } else if is_flag_ledger(index + 1) {
            all.extend(self.unl_modify(parent));
        }
        // Each has the fields of its type.
        all.iter().filter_map(|tx| PreparedTx::inner(tx).ok()).collect()
    }

    fn set_fee(&self, parent: &ClosedLedger) -> Option<Object> {
        let fees = Fees {
            base: self.base.unwrap_or(parent.fees.base),
            reserve: self.reserve.unwrap_or(parent.fees.reserve),
            increment: self.increment.unwrap_or(parent.fees.increment),
        };
        if fees == parent.fees {
            return None;
        }
        let xrp = |drops: u64| Value::Amount(Amount::Xrp(i64::try_from(drops).unwrap_or(i64::MAX)));
        let mut tx = pseudo(SET_FEE).with(fields::LEDGER_SEQUENCE, parent.header.index + 1);
        if parent.rules().enabled(amendment::XRP_FEES) {
            tx.set(fields::BASE_FEE_DROPS, xrp(fees.base));
            tx.set(fields::RESERVE_BASE_DROPS, xrp(fees.reserve));
            tx.set(fields::RESERVE_INCREMENT_DROPS, xrp(fees.increment));
        } else {
            let small = |drops: u64| u32::try_from(drops).unwrap_or(u32::MAX);
            tx.set(fields::BASE_FEE, fees.base.into());
            tx.set(fields::REFERENCE_FEE_UNITS, FEE_UNITS.into());
            tx.set(fields::RESERVE_BASE, small(fees.reserve).into());
            tx.set(fields::RESERVE_INCREMENT, small(fees.increment).into());
        }
        Some(tx)
    }

    /// For each amendment one step at most: its majority begins, it is enabled, its majority is lost.
    fn amendments(&self, parent: &ClosedLedger) -> Vec<Object> {
        let majorities = majorities(parent);
        let wait = self.majority_time.unwrap_or(MAJORITY_TIME);
        let now = parent.header.parent_close_time;
        let step = |id: Hash256, flags: Option<u32>| {
            let mut tx = pseudo(ENABLE_AMENDMENT)
                .with(fields::LEDGER_SEQUENCE, parent.header.index + 1)
                .with(fields::AMENDMENT, id);
            if let Some(flags) = flags {
                tx.set(fields::FLAGS, flags.into());
            }
            tx
        };
        let enabled = parent.rules().ids();
        let wanted = self.amendments.iter().filter(|id| !enabled.contains(id)).filter_map(|id| {
            match majorities.iter().find(|(of, _)| of == id) {
                None => Some(step(*id, Some(TF_GOT_MAJORITY))),
                Some((_, since)) if since.saturating_add(wait) <= now => Some(step(*id, None)),
                Some(_) => None,
            }
        });
        let lost = majorities.iter().filter(|(id, _)| !self.amendments.contains(id));
        wanted.chain(lost.map(|(id, _)| step(*id, Some(TF_LOST_MAJORITY)))).collect()
    }

    /// One validator of each kind at most.
    fn unl_modify(&self, parent: &ClosedLedger) -> Vec<Object> {
        let list = parent.read(&object_id::negative_unl());
        let list = list.as_deref();
        let disabled: Vec<_> = list
            .and_then(|list| list.array(fields::DISABLED_VALIDATORS))
            .unwrap_or_default()
            .iter()
            .filter_map(|(_, one)| one.blob(fields::PUBLIC_KEY))
            .collect();
        // What was voted on before takes effect with this ledger; then nothing of it is open any more.
        let pending = |field| list.and_then(|list| list.blob(field));
        let new = pending(fields::VALIDATOR_TO_DISABLE);
        let gone = pending(fields::VALIDATOR_TO_RE_ENABLE);
        let is_disabled =
            |key: &[u8]| (disabled.contains(&key) && gone != Some(key)) || new == Some(key);
        let modify = |key: &Vec<u8>, disabling: u8| {
            let mut tx = pseudo(UNL_MODIFY).with(fields::LEDGER_SEQUENCE, parent.header.index + 1);
            tx.set(fields::UNL_MODIFY_DISABLING, disabling.into());
            tx.set(fields::UNL_MODIFY_VALIDATOR, key.clone().into());
            tx
        };
        let disable = self.disable.iter().find(|key| !is_disabled(key));
        let enable = self.enable.iter().find(|key| is_disabled(key));
        let disable = disable.map(|key| modify(key, 1));
        disable.into_iter().chain(enable.map(|key| modify(key, 0))).collect()
    }
}

/// Amendments that have a majority and are not enabled yet, and since when.
pub(crate) fn majorities(ledger: &ClosedLedger) -> Vec<(Hash256, u32)> {
    let entry = ledger.read(&object_id::amendments());
    let list = entry.as_ref().and_then(|entry| entry.array(fields::MAJORITIES));
    let list = list.unwrap_or_default().iter();
    list.filter_map(|(_, of)| Some((of.hash256(fields::AMENDMENT)?, of.u32(fields::CLOSE_TIME)?)))
        .collect()
}

/// What all have: no sender, no fee, no signature.
fn pseudo(kind: u16) -> Object {
    let mut tx = Object::new()
        .with(fields::TRANSACTION_TYPE, kind)
        .with(fields::SEQUENCE, 0u32)
        .with(fields::FEE, Amount::Xrp(0))
        .with(fields::ACCOUNT, AccountId::ZERO);
    tx.set(fields::SIGNING_PUB_KEY, Vec::<u8>::new().into());
    tx
}
