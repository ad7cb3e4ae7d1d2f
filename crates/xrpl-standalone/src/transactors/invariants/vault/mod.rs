//! What a transaction may do to a vault: in general here, by type in [`changes`].

mod changes;
mod deltas;

use xrpl_protocol::{
    AccountId, EngineResult, Hash256, Issue, MptId, Object, decimal::Decimal, fields, object_id,
};

use super::{Invariant, Outcome, Touched};
use crate::{
    ledger::{
        ReadView, amendment,
        entry_type::{MPTOKEN_ISSUANCE, VAULT},
        helpers::{mpt, number, vault},
    },
    transactors::privilege::{MAY_MODIFY_VAULT, MUST_MODIFY_VAULT},
};
use deltas::Deltas;

/// `TransactionType`s that change vaults.
mod kind {
    pub(super) const CREATE: u16 = 65;
    pub(super) const SET: u16 = 66;
    pub(super) const DELETE: u16 = 67;
    pub(super) const DEPOSIT: u16 = 68;
    pub(super) const WITHDRAW: u16 = 69;
    pub(super) const CLAWBACK: u16 = 70;
    pub(super) const LOAN_MANAGE: u16 = 82;
    pub(super) const LOAN_PAY: u16 = 84;
}

type Judgement = Result<(), &'static str>;

/// A vault, before or after.
#[derive(Clone, Debug)]
struct Vault {
    id: Hash256,
    asset: Issue,
    account: AccountId,
    owner: AccountId,
    share: MptId,
    total: Decimal,
    available: Decimal,
    maximum: Decimal,
    loss: Decimal,
}

impl Vault {
    fn of(id: Hash256, entry: &Object) -> Self {
        Self {
            id,
            asset: vault::asset(entry),
            account: vault::account_of(entry),
            owner: vault::owner(entry),
            share: vault::share(entry),
            total: vault::total(entry),
            available: vault::available(entry),
            maximum: number::get(entry, fields::ASSETS_MAXIMUM),
            loss: number::get(entry, fields::LOSS_UNREALIZED),
        }
    }

    fn is_empty(&self) -> bool {
        self.available.is_zero() && self.total.is_zero()
    }
}

/// Some MPT's issuance, before or after: perhaps that of a vault's shares.
#[derive(Clone, Copy, Debug)]
struct Shares {
    id: MptId,
    outstanding: u64,
    maximum: u64,
}

impl Shares {
    fn of(issuance: &Object) -> Self {
        let sequence = issuance.u32(fields::SEQUENCE).unwrap_or_default();
        Self {
            id: MptId::new(sequence, mpt::issuer_of(issuance)),
            outstanding: issuance.u64(fields::OUTSTANDING_AMOUNT).unwrap_or_default(),
            maximum: mpt::maximum(issuance).unsigned_abs(),
        }
    }
}

fn of_vault(all: &[Shares], vault: &Vault) -> Option<Shares> {
    all.iter().find(|shares| shares.id == vault.share).copied()
}

/// A vault's books and balances agree, and only its own types change it.
#[derive(Default)]
pub(super) struct ValidVault {
    before: Vec<Vault>,
    after: Vec<Vault>,
    shares_before: Vec<Shares>,
    shares_after: Vec<Shares>,
    deltas: Deltas,
}

impl Invariant for ValidVault {
    fn visit(&mut self, touched: &Touched<'_>) {
        if let Some(vault) = touched.before_of(VAULT) {
            self.before.push(Vault::of(*touched.key, vault));
        }
        if let Some(vault) = touched.now_of(VAULT) {
            self.after.push(Vault::of(*touched.key, vault));
        }
        self.shares_before.extend(touched.before_of(MPTOKEN_ISSUANCE).map(Shares::of));
        self.shares_after.extend(touched.now_of(MPTOKEN_ISSUANCE).map(Shares::of));
        self.deltas.visit(touched);
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Judgement {
        let enforced = outcome.view.rules().enabled(amendment::SINGLE_ASSET_VAULT);
        if outcome.result != EngineResult::TES_SUCCESS || !enforced {
            return Ok(());
        }
        let may = outcome.may(MUST_MODIFY_VAULT) || outcome.may(MAY_MODIFY_VAULT);
        match (self.before.as_slice(), self.after.as_slice()) {
            ([], []) if outcome.may(MUST_MODIFY_VAULT) => Err("no vault was changed"),
            ([], []) => Ok(()),
            _ if !may => Err("a vault was changed by a wrong type"),
            ([before], []) => self.judge_deleted(outcome, before),
            (_, [_]) if outcome.tx.kind == kind::DELETE => Err("VaultDelete deleted no vault"),
            ([], [after]) => self.judge_changed(outcome, None, after),
            ([before], [after]) => self.judge_changed(outcome, Some(before), after),
            _ => Err("more than one vault was changed"),
        }
    }
}

fn ensure(good: bool, otherwise: &'static str) -> Judgement {
    if good { Ok(()) } else { Err(otherwise) }
}

impl ValidVault {
    fn judge_deleted(&self, outcome: &Outcome<'_>, before: &Vault) -> Judgement {
        ensure(outcome.tx.kind == kind::DELETE, "a vault was deleted by a wrong type")?;
        let shares = of_vault(&self.shares_before, before);
        let shares = shares.ok_or("a vault was deleted without its shares")?;
        ensure(shares.outstanding == 0, "a vault was deleted that has shares")?;
        ensure(before.is_empty(), "a vault was deleted that has assets")
    }

    fn judge_changed(
        &self,
        outcome: &Outcome<'_>,
        before: Option<&Vault>,
        after: &Vault,
    ) -> Judgement {
        let type_code = outcome.tx.kind;
        let read = || {
            let issuance = outcome.view.read(&object_id::mpt_issuance(after.share));
            issuance.map(|issuance| Shares::of(&issuance))
        };
        let shares = of_vault(&self.shares_after, after).or_else(read);
        let shares = shares.ok_or("a vault has no shares")?;
        if let Some(before) = before {
            let same = before.asset == after.asset
                && before.account == after.account
                && before.share == after.share;
            ensure(same, "what makes a vault was changed")?;
        }
        let zero = Decimal::ZERO;
        if shares.outstanding == 0 {
            ensure(after.is_empty(), "a vault without shares has assets")?;
        }
        ensure(shares.outstanding <= shares.maximum, "there are more shares than there may be")?;
        ensure(after.available >= zero, "less than nothing is available")?;
        ensure(after.available <= after.total, "more is available than there is")?;
        let lent = after.total - after.available;
        ensure(after.loss <= lent, "more is lost than was lent")?;
        ensure(after.maximum >= zero, "the most that a vault may hold is less than nothing")?;
        ensure(
            before.is_some() || type_code == kind::CREATE,
            "a vault was created by a wrong type",
        )?;
        let Some(before) = before else { return self.created(outcome, after, &shares) };
        let may_lose = matches!(type_code, kind::LOAN_MANAGE | kind::LOAN_PAY);
        ensure(
            before.loss == after.loss || may_lose,
            "a vault's loss was changed by a wrong type",
        )?;
        let shares_before = of_vault(&self.shares_before, before);
        let change = changes::Change {
            deltas: &self.deltas,
            outcome,
            before,
            after,
            shares: &shares,
            shares_before: shares_before.as_ref(),
        };
        match type_code {
            kind::CREATE => Err("VaultCreate changed a vault"),
            kind::SET => change.set(),
            kind::DEPOSIT => change.deposit(),
            kind::WITHDRAW => change.withdrawal(),
            kind::CLAWBACK => change.clawback(),
            _ => Ok(()),
        }
    }

    fn created(&self, outcome: &Outcome<'_>, after: &Vault, shares: &Shares) -> Judgement {
        let empty = after.is_empty() && after.loss.is_zero() && shares.outstanding == 0;
        ensure(empty, "a new vault is not empty")?;
        ensure(after.account == shares.id.issuer(), "shares are not issued by their vault")?;
        let root = outcome.view.account(after.account).ok_or("a vault has no account")?;
        let back = root.hash256(fields::VAULT_ID) == Some(after.id);
        ensure(back, "a vault's account does not name the vault")
    }
}
