//! VaultClawback (<https://xrpl.org/docs/references/protocol/transactions/types/vaultclawback>): an
//! issuer takes its own out of a vault, or the owner burns shares that are worth nothing.

use xrpl_protocol::{AccountId, Amount, EngineResult, Issue, Object, fields, object_id};

use super::{
    associate, change_assets, existing, forget_holder, id, names_vault, present, too_large,
};
use crate::{
    ledger::{
        PreparedTx, ReadView, Ter, amendment,
        helpers::{
            account_root::{self, flags_of},
            mpt,
            token::{self, IfFrozen, IfUnauthorized, Spendable, TransferFee},
            vault::{self, Exchange, Loss},
        },
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

/// The type.
#[derive(Debug)]
pub(crate) struct Clawback;

fn holder(tx: &PreparedTx) -> AccountId {
    tx.object.account(fields::HOLDER).unwrap_or_default()
}

/// What is clawed back. Nothing means all: of the shares for the owner, of the asset for others.
fn wanted(tx: &PreparedTx, vault: &Object) -> Amount {
    tx.object.amount(fields::AMOUNT).unwrap_or_else(|| {
        let issue = match tx.account == vault::owner(vault) {
            true => Issue::Mpt(vault::share(vault)),
            false => vault::asset(vault),
        };
        Amount::zero(issue)
    })
}

fn shares_of(view: &dyn ReadView, vault: &Object, holder: AccountId) -> Amount {
    let share = Issue::Mpt(vault::share(vault));
    let (ignore, any) = (IfFrozen::Ignore, IfUnauthorized::Ignore);
    token::account_holds(view, holder, share, ignore, any, Spendable::Simple)
}

impl Transactor for Clawback {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        names_vault(ctx.tx)?;
        let Some(amount) = ctx.tx.object.amount(fields::AMOUNT) else { return Ok(()) };
        ensure(amount.signum() >= 0, EngineResult::TEM_BAD_AMOUNT)?;
        ensure(!matches!(amount, Amount::Xrp(_)), EngineResult::TEM_MALFORMED)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx) = (ctx.view, ctx.tx);
        let (vault, issuance) = existing(view, tx)?;
        let asset = vault::asset(&vault);
        let named = tx.object.contains(fields::AMOUNT);
        let issuer_owns = token::issuer_of(asset) == Some(vault::owner(&vault));
        ensure(named || !issuer_owns, EngineResult::TEC_WRONG_ASSET)?;
        let amount = wanted(tx, &vault);
        if amount.issue() == Issue::Mpt(vault::share(&vault)) {
            return may_burn(view, tx, &vault, &issuance, &amount);
        }
        ensure(amount.issue() == asset, EngineResult::TEC_WRONG_ASSET)?;
        let permission = EngineResult::TEC_NO_PERMISSION;
        let by_issuer = token::issuer_of(asset) == Some(tx.account);
        ensure(by_issuer && tx.account != holder(tx), permission)?;
        let may = match asset {
            Issue::Xrp => false,
            Issue::Mpt(id) => {
                let issuance = view.read(&object_id::mpt_issuance(id));
                let issuance = issuance.ok_or(EngineResult::TEC_OBJECT_NOT_FOUND)?;
                flags_of(&issuance) & mpt::flag::CAN_CLAWBACK != 0
            }
            Issue::Issued { .. } => {
                let root = view.account(tx.account).ok_or(EngineResult::TEF_INTERNAL)?;
                let flags = flags_of(&root);
                flags & account_root::flag::ALLOW_TRUST_LINE_CLAWBACK != 0
                    && flags & account_root::flag::NO_FREEZE == 0
            }
        };
        ensure(may, permission)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let view = &mut ctx.view;
        let (vault, issuance) = present(view, tx)?;
        let (asset, share) = (vault::asset(&vault), vault::share(&vault));
        let (pseudo, holder, amount) = (vault::account_of(&vault), holder(tx), wanted(tx, &vault));
        let burns = tx.account == vault::owner(&vault) && amount.issue() == Issue::Mpt(share);
        let (assets, shares) = match burns {
            true => (Amount::zero(asset), shares_of(view, &vault, holder)),
            false => recovered(view, &vault, &issuance, holder, amount)?,
        };
        ensure(!shares.is_zero(), EngineResult::TEC_PRECISION_LOSS)?;
        change_assets(view, &id(tx), -assets.decimal())?;
        token::account_send(view, holder, pseudo, shares, TransferFee::Waive)?;
        forget_holder(view, &vault, holder, share)?;
        if assets.signum() > 0 {
            token::account_send(view, pseudo, tx.account, assets, TransferFee::Waive)?;
            let (ignore, any) = (IfFrozen::Ignore, IfUnauthorized::Ignore);
            let left = token::account_holds(view, pseudo, asset, ignore, any, Spendable::Simple);
            ensure(left.signum() >= 0, EngineResult::TEF_INTERNAL)?;
        }
        drop((vault, issuance));
        associate(view, &id(tx))
    }
}

/// The owner may burn all shares of a holder once there is nothing that they stand for.
fn may_burn(
    view: &dyn ReadView,
    tx: &PreparedTx,
    vault: &Object,
    issuance: &Object,
    amount: &Amount,
) -> Ter {
    let permission = EngineResult::TEC_NO_PERMISSION;
    ensure(tx.account == vault::owner(vault), permission)?;
    let outstanding = issuance.u64(fields::OUTSTANDING_AMOUNT).unwrap_or_default();
    let empty = vault::total(vault).is_zero() && vault::available(vault).is_zero();
    ensure(outstanding != 0 && empty, permission)?;
    let all = amount.is_zero() || *amount == shares_of(view, vault, holder(tx));
    ensure(all, EngineResult::TEC_LIMIT_EXCEEDED)
}

/// Assets that come back for a holder's shares, and how many these are: no more than is not lent.
fn recovered(
    view: &dyn ReadView,
    vault: &Object,
    issuance: &Object,
    holder: AccountId,
    amount: Amount,
) -> Result<(Amount, Amount), EngineResult> {
    let internal = EngineResult::TEC_INTERNAL;
    ensure(amount.issue() == vault::asset(vault), internal)?;
    let exchange = Exchange::for_withdrawal(vault, issuance, Loss::Counts);
    let shares = match amount.is_zero() {
        true => shares_of(view, vault, holder),
        false => too_large(exchange.shares_for_withdrawal(&amount, false))?,
    };
    let assets = too_large(exchange.assets_for_withdrawal(&shares))?;
    let clamped = view.rules().enabled(amendment::FIX_CLEANUP_3_1_3) || !amount.is_zero();
    let available = vault::available(vault);
    if !clamped || assets.decimal() <= available {
        return Ok((assets, shares));
    }
    let all = too_large(Amount::from_decimal(vault::asset(vault), available))?;
    let shares = too_large(exchange.shares_for_withdrawal(&all, true))?;
    let assets = too_large(exchange.assets_for_withdrawal(&shares))?;
    ensure(assets.decimal() <= available, internal)?;
    Ok((assets, shares))
}
