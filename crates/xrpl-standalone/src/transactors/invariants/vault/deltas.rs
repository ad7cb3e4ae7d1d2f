//! By how much balances changed.

use std::collections::BTreeMap;

use xrpl_protocol::{
    AccountId, Amount, Hash256, Issue, Object, decimal::Decimal, fields, object_id,
};

use super::{super::Touched, Vault};
use crate::ledger::{
    PreparedTx,
    entry_type::{self, ACCOUNT_ROOT, MPTOKEN, MPTOKEN_ISSUANCE, RIPPLE_STATE},
};

/// By how much a balance grew; of a line as its low side sees it, of an issuance by how much less is
/// outstanding.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delta {
    pub(super) by: Decimal,
    /// Power of ten of the last digit that the balance has or had.
    pub(super) scale: i32,
}

/// Of every balance that a transaction touched, even if it is the same as before.
#[derive(Default)]
pub(super) struct Deltas(BTreeMap<Hash256, Delta>);

/// A balance with its scale, and whether it counts the other way round.
fn balance(entry: &Object) -> Option<(Decimal, i32, bool)> {
    let units = |field| {
        let units = entry.u64(field).unwrap_or_default();
        Decimal::from(i64::try_from(units).unwrap_or(i64::MAX))
    };
    match entry_type::of(entry) {
        MPTOKEN_ISSUANCE => Some((units(fields::OUTSTANDING_AMOUNT), 0, true)),
        MPTOKEN => Some((units(fields::MPT_AMOUNT), 0, false)),
        ACCOUNT_ROOT | RIPPLE_STATE => {
            let amount = entry.amount(fields::BALANCE).unwrap_or(Amount::Xrp(0));
            Some((amount.decimal(), amount.exponent(), false))
        }
        _ => None,
    }
}

impl Deltas {
    pub(super) fn visit(&mut self, touched: &Touched<'_>) {
        let before = touched.before.and_then(balance);
        let after = Some(touched.after).filter(|_| !touched.deleted).and_then(balance);
        let Some((_, _, turned)) = before.or(after) else { return };
        let value = |of: Option<(Decimal, i32, bool)>| of.map_or(Decimal::ZERO, |of| of.0);
        let grown = value(after) - value(before);
        let scales = [before, after].into_iter().flatten().map(|(_, scale, _)| scale);
        let scale = scales.max().unwrap_or_default();
        let by = if turned { -grown } else { grown };
        self.0.insert(*touched.key, Delta { by, scale });
    }

    fn of(&self, key: &Hash256) -> Option<Delta> {
        self.0.get(key).copied()
    }

    /// Of what an account holds of a vault's asset.
    pub(super) fn assets(&self, vault: &Vault, account: AccountId) -> Option<Delta> {
        match vault.asset {
            Issue::Xrp => self.of(&object_id::account_root(account)),
            Issue::Mpt(id) => self.of(&object_id::mptoken(id, account)),
            Issue::Issued { currency, issuer } => {
                let mut delta = self.of(&object_id::trust_line(account, issuer, currency))?;
                if account > issuer {
                    delta.by = -delta.by;
                }
                Some(delta)
            }
        }
    }

    /// The same of the sender, whose fee does not count; none if that was all.
    pub(super) fn assets_of_sender(
        &self,
        vault: &Vault,
        tx: &PreparedTx,
        fee: i64,
    ) -> Option<Delta> {
        let mut delta = self.assets(vault, tx.account)?;
        if vault.asset != Issue::Xrp || tx.fee_payer() != tx.account {
            return Some(delta);
        }
        delta.by = delta.by + Decimal::from(fee);
        (!delta.by.is_zero()).then_some(delta)
    }

    /// Of a holder's shares.
    pub(super) fn shares(&self, vault: &Vault, holder: AccountId) -> Option<Delta> {
        self.of(&object_id::mptoken(vault.share, holder))
    }

    /// Of a vault's shares that are outstanding: by how many there are fewer.
    pub(super) fn all_shares(&self, vault: &Vault) -> Option<Delta> {
        self.of(&object_id::mpt_issuance(vault.share))
    }
}
