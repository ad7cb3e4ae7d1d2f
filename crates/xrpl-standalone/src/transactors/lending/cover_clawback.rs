//! LoanBrokerCoverClawback
//! (<https://xrpl.org/docs/references/protocol/transactions/types/loanbrokercoverclawback>).

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Hash256, Issue, Object, Rounding, fields, object_id,
};

use super::{broker_and_vault, change_cover, dependencies, names, written};
use crate::{
    ledger::{
        PreparedTx, ReadView, Ter, amendment,
        helpers::{
            account_root::{flag, flags_of},
            loan, mpt, number,
            token::{self, IfFrozen, IfUnauthorized, Spendable, TransferFee},
            vault,
        },
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

/// The type.
#[derive(Debug)]
pub(crate) struct CoverClawback;

/// The broker that is named by its id, or by its account in place of the issuer.
fn broker_named(view: &dyn ReadView, tx: &PreparedTx) -> Result<Hash256, EngineResult> {
    if let Some(id) = tx.object.hash256(fields::LOAN_BROKER_ID) {
        return Ok(id);
    }
    let Some(Amount::Issued { issuer, .. }) = tx.object.amount(fields::AMOUNT) else {
        return Err(EngineResult::TEC_INTERNAL);
    };
    let root = view.account(issuer).ok_or(EngineResult::TEC_NO_ENTRY)?;
    root.hash256(fields::LOAN_BROKER_ID).ok_or(EngineResult::TEC_OBJECT_NOT_FOUND)
}

/// The asset of an amount whose issuer may stand for the broker's account.
fn asset_of(amount: &Amount, account: AccountId, pseudo: AccountId) -> Option<Issue> {
    match *amount {
        Amount::Issued { currency, issuer, .. } if issuer == account || issuer == pseudo => {
            Some(Issue::Issued { currency, issuer: account })
        }
        Amount::Issued { .. } => None,
        _ => Some(amount.issue()),
    }
}

/// What can be taken of what is asked for, nothing meaning all: the minimum for the debt stays.
fn taken(
    view: &dyn ReadView,
    broker: &Object,
    vault: &Object,
    asked: Option<Amount>,
) -> Result<Amount, EngineResult> {
    let debt = number::get(broker, fields::DEBT_TOTAL);
    let least = match view.rules().enabled(amendment::FIX_CLEANUP_3_2_0) {
        true => written(loan::minimum_cover(debt, broker, vault))?,
        false => loan::unrounded_cover(debt, broker),
    };
    let cover = number::get(broker, fields::COVER_AVAILABLE);
    let most = Rounding::Down.during(|| cover - least);
    ensure(most.signum() > 0, EngineResult::TEC_INSUFFICIENT_FUNDS)?;
    let asked = asked.filter(|asked| !asked.is_zero()).map(|asked| asked.decimal());
    let taken = asked.filter(|asked| *asked <= most).unwrap_or(most);
    written(Amount::from_decimal(vault::asset(vault), taken))
}

impl Transactor for CoverClawback {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        dependencies(ctx)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        let invalid = EngineResult::TEM_INVALID;
        let id = tx.object.hash256(fields::LOAN_BROKER_ID);
        let amount = tx.object.amount(fields::AMOUNT);
        ensure(id.is_some() || amount.is_some(), invalid)?;
        if let Some(id) = id {
            names(id)?;
        }
        let Some(amount) = amount else { return Ok(()) };
        let good = !matches!(amount, Amount::Xrp(_)) && amount.signum() >= 0;
        ensure(good, EngineResult::TEM_BAD_AMOUNT)?;
        if id.is_some() {
            return Ok(());
        }
        match amount {
            Amount::Issued { issuer, .. } => {
                ensure(issuer != tx.account && issuer != AccountId::ZERO, invalid)
            }
            _ => Err(invalid),
        }
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx) = (ctx.view, ctx.tx);
        let id = broker_named(view, tx)?;
        let (broker, _, vault) = broker_and_vault(view, &id)?;
        let pseudo = broker.account(fields::ACCOUNT).unwrap_or_default();
        let asset = vault::asset(&vault);
        let permission = EngineResult::TEC_NO_PERMISSION;
        ensure(token::issuer_of(asset) == Some(tx.account), permission)?;
        let asked = tx.object.amount(fields::AMOUNT);
        if let Some(amount) = asked {
            let same = asset_of(&amount, tx.account, pseudo) == Some(asset);
            ensure(same, EngineResult::TEC_WRONG_ASSET)?;
        }
        let taken = taken(view, &broker, &vault, asked)?;
        loan::can_change_cover(view, &broker, asset, &taken)?;
        let (ignore, any) = (IfFrozen::Ignore, IfUnauthorized::Ignore);
        let held = token::account_holds(view, pseudo, asset, ignore, any, Spendable::Simple);
        ensure(!held.is_less(&taken), EngineResult::TEC_INTERNAL)?;
        let root = view.account(tx.account).ok_or(EngineResult::TEF_BAD_LEDGER)?;
        let may = match asset {
            Issue::Xrp => false,
            Issue::Issued { .. } => {
                let flags = flags_of(&root);
                flags & flag::ALLOW_TRUST_LINE_CLAWBACK != 0 && flags & flag::NO_FREEZE == 0
            }
            Issue::Mpt(id) => {
                let issuance = view.read(&object_id::mpt_issuance(id));
                let issuance = issuance.ok_or(EngineResult::TEC_OBJECT_NOT_FOUND)?;
                flags_of(&issuance) & mpt::flag::CAN_CLAWBACK != 0
            }
        };
        ensure(may, permission)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let view = &mut ctx.view;
        let internal = EngineResult::TEC_INTERNAL;
        let id = broker_named(view, tx).map_err(|_| internal)?;
        let (broker, _, vault) = broker_and_vault(view, &id).map_err(|_| internal)?;
        let pseudo = broker.account(fields::ACCOUNT).ok_or(internal)?;
        let taken =
            taken(view, &broker, &vault, tx.object.amount(fields::AMOUNT)).map_err(|_| internal)?;
        drop(broker);
        change_cover(view, &id, -taken.decimal(), vault::asset(&vault))?;
        token::account_send(view, pseudo, tx.account, taken, TransferFee::Waive)
    }
}
