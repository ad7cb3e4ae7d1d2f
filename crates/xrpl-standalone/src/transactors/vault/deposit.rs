//! VaultDeposit (<https://xrpl.org/docs/references/protocol/transactions/types/vaultdeposit>).

use xrpl_protocol::{
    AccountId, Amount, EngineResult, Issue, MptId, Object, Rounding, fields, object_id,
};

use super::{associate, change_assets, existing, id, names_vault, present, too_large, written};
use crate::{
    ledger::{
        ApplyView, PreparedTx, ReadView, Ter, amendment,
        helpers::{
            account_root::flags_of,
            credentials, mpt, number,
            token::{self, Auth, IfFrozen, IfUnauthorized, Spendable, TransferFee},
            vault::{self, Exchange},
        },
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

/// The type.
#[derive(Debug)]
pub(crate) struct Deposit;

fn amount(tx: &PreparedTx) -> Amount {
    tx.object.amount(fields::AMOUNT).unwrap_or(Amount::Xrp(0))
}

/// What is deposited, with the digits that the vault can have.
fn rounded(view: &dyn ReadView, tx: &PreparedTx, vault: &Object) -> Result<Amount, EngineResult> {
    match view.rules().enabled(amendment::FIX_CLEANUP_3_2_0) {
        true => written(vault::round_to_vault(&amount(tx), vault)),
        false => Ok(amount(tx)),
    }
}

/// Whether an account must be authorised by the vault's domain.
fn asks_domain(vault: &Object, account: AccountId) -> bool {
    flags_of(vault) & vault::PRIVATE != 0 && account != vault::owner(vault)
}

impl Transactor for Deposit {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        names_vault(ctx.tx)?;
        ensure(amount(ctx.tx).signum() > 0, EngineResult::TEM_BAD_AMOUNT)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx, account) = (ctx.view, ctx.tx, ctx.tx.account);
        let rules = view.rules();
        let found = vault::find(view, &id(tx)).ok_or(EngineResult::TEC_NO_ENTRY)?;
        let asset = vault::asset(&found.0);
        ensure(amount(tx).issue() == asset, EngineResult::TEC_WRONG_ASSET)?;
        token::can_transfer(view, asset, account, vault::account_of(&found.0))?;
        let (vault, issuance) = existing(view, tx)?;
        let share = Issue::Mpt(vault::share(&vault));
        let usable = share != asset && flags_of(&issuance) & mpt::flag::LOCKED == 0;
        ensure(usable, EngineResult::TEF_INTERNAL)?;
        if rules.enabled(amendment::FIX_CLEANUP_3_3_0) {
            token::check_deposit_freeze(view, account, vault::account_of(&vault), asset)?;
        } else {
            token::check_frozen(view, account, asset)?;
            token::check_frozen(view, account, share)?;
        }
        if asks_domain(&vault, account) {
            let domain = issuance.hash256(fields::DOMAIN_ID).ok_or(EngineResult::TEC_NO_AUTH)?;
            match credentials::valid_domain(view, domain, account) {
                // Expired credentials are deleted when it is applied.
                Ok(()) | Err(EngineResult::TEC_EXPIRED) => {}
                Err(error) => return Err(error),
            }
        }
        token::require_auth(view, asset, account, Auth::Legacy)?;
        let rounded = rounded(view, tx, &vault)?;
        ensure(!rounded.is_zero(), EngineResult::TEC_PRECISION_LOSS)?;
        let (frozen, unauthorized) = (IfFrozen::Zero, IfUnauthorized::Zero);
        let held =
            token::account_holds(view, account, asset, frozen, unauthorized, Spendable::Full);
        ensure(!held.is_less(&rounded), EngineResult::TEC_INSUFFICIENT_FUNDS)?;
        // A deposit too small for the depositor's line would cost it nothing.
        let counts = rules.enabled(amendment::FIX_CLEANUP_3_2_0)
            && matches!(asset, Issue::Issued { issuer, .. } if issuer != account);
        if counts {
            let scale = written(number::scale(held.decimal(), asset))?;
            let left = written(amount(tx).round_to_scale(scale, Rounding::HalfEven))?;
            ensure(!left.is_zero(), EngineResult::TEC_PRECISION_LOSS)?;
        }
        Ok(())
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, account, prior_balance) = (ctx.tx, ctx.tx.account, ctx.prior_balance);
        let view = &mut ctx.view;
        let (vault, issuance) = present(view, tx)?;
        let (pseudo, share) = (vault::account_of(&vault), vault::share(&vault));
        let amount = rounded(view, tx, &vault)?;
        ensure(!amount.is_zero(), EngineResult::TEC_INTERNAL)?;
        make_holder(view, &vault, share, account, prior_balance)?;
        let exchange = Exchange::for_deposit(&vault, &issuance);
        let shares = too_large(exchange.shares_for_deposit(&amount))?;
        ensure(!shares.is_zero(), EngineResult::TEC_PRECISION_LOSS)?;
        let taken = too_large(exchange.assets_for_deposit(&shares))?;
        ensure(!taken.is_more(&amount), EngineResult::TEC_INTERNAL)?;
        drop((vault, issuance));
        change_assets(view, &id(tx), taken.decimal())?;
        let (vault, _) = present(view, tx)?;
        let most = number::get(&vault, fields::ASSETS_MAXIMUM);
        let over = !most.is_zero() && vault::total(&vault) > most;
        drop(vault);
        ensure(!over, EngineResult::TEC_LIMIT_EXCEEDED)?;
        token::account_send(view, account, pseudo, taken, TransferFee::Waive)?;
        if !view.rules().enabled(amendment::FIX_CLEANUP_3_2_0) {
            // xrpld asked for a balance that a line with a limit of its peer's need not have.
            let (ignore, any) = (IfFrozen::Ignore, IfUnauthorized::Ignore);
            let left =
                token::account_holds(view, account, taken.issue(), ignore, any, Spendable::Simple);
            ensure(left.signum() >= 0, EngineResult::TEF_INTERNAL)?;
        }
        token::account_send(view, pseudo, account, shares, TransferFee::Waive)?;
        associate(view, &id(tx))
    }
}

/// Lets an account hold shares, if it may.
fn make_holder(
    view: &mut dyn ApplyView,
    vault: &Object,
    share: MptId,
    account: AccountId,
    prior_balance: i64,
) -> Ter {
    if asks_domain(vault, account) {
        return mpt::enforce_authorization(view, share, account, prior_balance);
    }
    if !view.exists(&object_id::mptoken(share, account)) {
        mpt::authorize(view, account, prior_balance, share)?;
    }
    match flags_of(vault) & vault::PRIVATE != 0 {
        true => mpt::set_authorized(view, vault::account_of(vault), share, account, true),
        false => Ok(()),
    }
}
