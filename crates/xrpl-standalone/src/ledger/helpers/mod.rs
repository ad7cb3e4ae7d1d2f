//! What transactors share: reading and changing accounts, trust lines, MPTs, offers, credentials.
//! Functions over [`super::ReadView`] and [`super::ApplyView`], so that they work in every layer.
//!
//! They check what xrpld's functions of the same purpose check and nothing more; callers have done
//! the rest in their `preclaim`.

pub mod account_root;
pub mod amm;
pub mod book;
pub mod credentials;
pub mod loan;
pub mod mpt;
pub mod nft;
pub mod number;
pub mod offer;
pub mod owned;
pub mod pay_out;
pub mod permissioned_dex;
pub mod terms;
pub mod ticket;
pub mod token;
pub mod trust_line;
pub mod vault;

use xrpl_protocol::{AccountId, Amount, Currency, Field, Issue, Object, Value};

/// A rate or quality of 1: nobody takes anything.
pub const PARITY: u32 = 1_000_000_000;

/// The currency whose code spells XRP: nothing may be of it.
pub const BAD_CURRENCY: Currency =
    Currency([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, b'X', b'R', b'P', 0, 0, 0, 0, 0]);

/// Whether nobody can hold it: the currency that spells XRP, an MPT that nobody issued.
#[must_use]
pub fn is_bad_asset(issue: Issue) -> bool {
    match issue {
        Issue::Xrp => false,
        Issue::Issued { currency, .. } => currency == BAD_CURRENCY,
        Issue::Mpt(id) => id.issuer() == AccountId::ZERO,
    }
}

/// Whether there can be so much (xrpld's `isLegalNet`): XRP has a bound, other things have none.
#[must_use]
pub fn is_legal_net(amount: &Amount) -> bool {
    amount.drops().is_none_or(|drops| drops.unsigned_abs() <= super::genesis::TOTAL_COINS)
}

/// Sets a number that is left out of an entry while it is 0 (fields that xrpld's formats call
/// default).
pub fn set_or_clear(entry: &mut Object, field: Field, value: u64) {
    if value == 0 {
        entry.remove(field);
    } else {
        entry.set(field, Value::UInt64(value));
    }
}

/// Copies fields that are there, as they are.
pub fn copy_fields(from: &Object, to: &mut Object, names: &[Field]) {
    for field in names {
        if let Some(value) = from.get(*field) {
            to.set(*field, value.clone());
        }
    }
}

/// Whether something that expires at `at` (seconds since 2000-01-01) has done so: the parent's close
/// time decides.
#[must_use]
pub fn has_expired(view: &dyn super::ReadView, at: Option<u32>) -> bool {
    at.is_some_and(|at| view.info().parent_close_time >= at)
}
