//! What each type may change of a vault that is there.

use xrpl_protocol::{AccountId, Amount, Issue, Rounding, decimal::Decimal, fields};

use super::{
    super::Outcome,
    Judgement, Shares, Vault,
    deltas::{Delta, Deltas},
    ensure,
};
use crate::ledger::{
    ReadView, amendment,
    helpers::{
        number::{round_to_asset, scale},
        token,
    },
};

/// A vault before and after a transaction.
pub(super) struct Change<'a> {
    pub(super) deltas: &'a Deltas,
    pub(super) outcome: &'a Outcome<'a>,
    pub(super) before: &'a Vault,
    pub(super) after: &'a Vault,
    pub(super) shares: &'a Shares,
    /// If they were touched.
    pub(super) shares_before: Option<&'a Shares>,
}

const TOO_LARGE: &str = "a vault's amount is too large";
const NO_SHARES: &str = "a vault's shares were not changed";

impl Change<'_> {
    fn enabled(&self, amendment: crate::ledger::Amendment) -> bool {
        self.outcome.view.rules().enabled(amendment)
    }

    fn sender(&self) -> AccountId {
        self.outcome.tx.account
    }

    fn is_issuer(&self, account: AccountId) -> bool {
        token::issuer_of(self.after.asset) == Some(account)
    }

    fn rounded(&self, value: Decimal, scale: i32) -> Result<Decimal, &'static str> {
        let rounding = Rounding::current();
        round_to_asset(self.after.asset, value, scale, rounding).map_err(|_| TOO_LARGE)
    }

    fn scale_of(&self, value: Decimal) -> Result<i32, &'static str> {
        scale(value, self.after.asset).map_err(|_| TOO_LARGE)
    }

    /// The last digit that the vault's amounts have, to which all are compared.
    fn scale(&self, delta: &Delta) -> Result<i32, &'static str> {
        let after = self.after.total;
        if self.enabled(amendment::FIX_CLEANUP_3_2_0) {
            return Rounding::HalfEven.during(|| self.scale_of(after));
        }
        let mut coarsest = delta.scale;
        for value in [self.before.total, after, self.before.available, self.after.available] {
            coarsest = coarsest.max(self.scale_of(value)?);
        }
        Ok(coarsest)
    }

    /// The vault's books changed by as much as its balance.
    fn books_add_up(&self, by: Decimal, scale: i32) -> Judgement {
        let total = self.rounded(self.after.total - self.before.total, scale)?;
        ensure(total == by, "a vault's total does not add up")?;
        let available = self.rounded(self.after.available - self.before.available, scale)?;
        ensure(available == by, "what a vault has available does not add up")
    }

    /// A holder's shares changed one way, and all shares as much the other.
    fn shares_add_up(&self, holder: AccountId, sign: i32) -> Judgement {
        let held = self.deltas.shares(self.after, holder).ok_or("no holder's shares changed")?;
        ensure(held.by.signum() == sign, "a holder's shares changed the wrong way")?;
        let all = self.deltas.all_shares(self.after).filter(|all| !all.by.is_zero());
        let all = all.ok_or(NO_SHARES)?;
        ensure(-all.by == held.by, "shares do not add up")
    }

    fn within_maximum(&self) -> Judgement {
        let most = self.after.maximum;
        let within = most.is_zero() || self.after.total <= most;
        ensure(within, "a vault has more than it may hold")
    }

    pub(super) fn set(&self) -> Judgement {
        let moved = self.deltas.assets(self.after, self.after.account).is_some();
        ensure(!moved, "VaultSet changed a vault's balance")?;
        let same =
            self.before.total == self.after.total && self.before.available == self.after.available;
        ensure(same, "VaultSet changed a vault's books")?;
        self.within_maximum()?;
        let same =
            self.shares_before.is_none_or(|before| before.outstanding == self.shares.outstanding);
        ensure(same, "VaultSet changed a vault's shares")
    }

    pub(super) fn deposit(&self) -> Judgement {
        ensure(self.shares_before.is_some(), NO_SHARES)?;
        let moved = self.deltas.assets(self.after, self.after.account);
        let moved = moved.ok_or("a deposit did not change the vault's balance")?;
        let scale = self.scale(&moved)?;
        let by = self.rounded(moved.by, scale)?;
        let offered = self.outcome.tx.object.amount(fields::AMOUNT).unwrap_or(Amount::Xrp(0));
        let offered = self.rounded(offered.decimal(), scale)?;
        ensure(by <= offered, "a deposit took more than was offered")?;
        ensure(by.signum() > 0, "a deposit did not increase the vault's balance")?;
        if !self.is_issuer(self.sender()) {
            let tx = self.outcome.tx;
            let given = self.deltas.assets_of_sender(self.after, tx, self.outcome.fee);
            let given = given.ok_or("a deposit did not change the depositor's balance")?;
            let scale = scale.max(given.scale);
            let lost = self.rounded(given.by, scale)?;
            ensure(lost.signum() < 0, "a deposit did not decrease the depositor's balance")?;
            let got = self.rounded(by, scale)?;
            ensure(-got == lost, "a deposit does not add up")?;
        }
        self.within_maximum()?;
        self.shares_add_up(self.sender(), 1)?;
        self.books_add_up(by, scale)
    }

    pub(super) fn withdrawal(&self) -> Judgement {
        ensure(self.shares_before.is_some(), NO_SHARES)?;
        let moved = self.deltas.assets(self.after, self.after.account);
        let moved = moved.ok_or("a withdrawal did not change the vault's balance")?;
        let scale = self.scale(&moved)?;
        let by = self.rounded(moved.by, scale)?;
        ensure(by.signum() < 0, "a withdrawal did not decrease the vault's balance")?;
        let to = self.outcome.tx.object.account(fields::DESTINATION).unwrap_or(self.sender());
        if !self.is_issuer(to) {
            self.received(to, &moved, by, scale)?;
        }
        self.shares_add_up(self.sender(), -1)?;
        self.books_add_up(by, scale)
    }

    /// Exactly one account received what the vault gave. A line with coarser digits may lose some of
    /// it, all of it even.
    fn received(&self, to: AccountId, moved: &Delta, by: Decimal, scale: i32) -> Judgement {
        let tx = self.outcome.tx;
        let own = self.deltas.assets_of_sender(self.after, tx, self.outcome.fee);
        let other = match to == self.sender() {
            true => None,
            false => self.deltas.assets(self.after, to),
        };
        let got = match (own, other) {
            (Some(got), None) | (None, Some(got)) => got,
            _ => return Err("a withdrawal did not change exactly one receiver's balance"),
        };
        let coarser = scale.max(got.scale);
        let rounded = self.rounded(got.by, coarser)?;
        let is_issued = matches!(self.after.asset, Issue::Issued { .. });
        let may_vanish = is_issued && self.enabled(amendment::FIX_CLEANUP_3_2_0);
        let least = i32::from(!may_vanish);
        let increased = rounded.signum() >= least;
        ensure(increased, "a withdrawal did not increase the receiver's balance")?;
        let given = self.rounded(by, coarser)?;
        if -given == rounded {
            return Ok(());
        }
        let lost = round_to_asset(self.after.asset, -moved.by - got.by, got.scale, Rounding::Down);
        let vanished = may_vanish && lost.map_err(|_| TOO_LARGE)?.is_zero();
        ensure(vanished, "a withdrawal does not add up")
    }

    pub(super) fn clawback(&self) -> Judgement {
        let shares_before = self.shares_before.ok_or(NO_SHARES)?;
        if !self.is_issuer(self.sender()) {
            let may = shares_before.outstanding > 0
                && self.before.is_empty()
                && self.before.owner == self.sender();
            ensure(may, "a clawback by somebody else than issuer or owner")?;
        }
        match self.deltas.assets(self.after, self.after.account) {
            Some(moved) => {
                let scale = self.scale(&moved)?;
                let by = self.rounded(moved.by, scale)?;
                ensure(by.signum() < 0, "a clawback did not decrease the vault's balance")?;
                self.books_add_up(by, scale)?;
            }
            None => {
                ensure(self.before.is_empty(), "a clawback did not change the vault's balance")?;
            }
        }
        let holder = self.outcome.tx.object.account(fields::HOLDER).unwrap_or_default();
        self.shares_add_up(holder, -1)
    }
}
