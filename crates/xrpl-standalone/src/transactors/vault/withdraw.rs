//! VaultWithdraw (<https://xrpl.org/docs/references/protocol/transactions/types/vaultwithdraw>).

use xrpl_protocol::{AccountId, Amount, EngineResult, Issue, Object, fields};

use super::{
    associate, change_assets, forget_holder, id, names_vault, present, too_large, written,
};
use crate::{
    ledger::{
        ApplyView, PreparedTx, ReadView, Ter, amendment,
        helpers::{
            number, pay_out,
            token::{self, Auth, IfFrozen, IfUnauthorized, Spendable, TransferFee},
            vault::{self, Exchange, FIRST_COME_FIRST_SERVE, Loss},
        },
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

/// The type.
#[derive(Debug)]
pub(crate) struct Withdraw;

fn amount(tx: &PreparedTx) -> Amount {
    tx.object.amount(fields::AMOUNT).unwrap_or(Amount::Xrp(0))
}

fn receiver(tx: &PreparedTx) -> AccountId {
    tx.object.account(fields::DESTINATION).unwrap_or(tx.account)
}

/// Who has all shares has all that may come back: a loss that is not certain does not count.
fn exchange(view: &dyn ReadView, tx: &PreparedTx, vault: &Object, issuance: &Object) -> Exchange {
    let alone = vault::is_sole_shareholder(view, tx.account, vault::share(vault), issuance);
    let waived = alone && view.rules().enabled(amendment::FIX_CLEANUP_3_2_0);
    let loss = if waived { Loss::Waived } else { Loss::Counts };
    Exchange::for_withdrawal(vault, issuance, loss)
}

impl Transactor for Withdraw {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        names_vault(ctx.tx)?;
        ensure(amount(ctx.tx).signum() > 0, EngineResult::TEM_BAD_AMOUNT)?;
        ensure(receiver(ctx.tx) != AccountId::ZERO, EngineResult::TEM_MALFORMED)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx, account) = (ctx.view, ctx.tx, ctx.tx.account);
        let rules = view.rules();
        let (vault, issuance) = vault::find(view, &id(tx)).ok_or(EngineResult::TEC_NO_ENTRY)?;
        let (asset, share) = (vault::asset(&vault), Issue::Mpt(vault::share(&vault)));
        let (pseudo, to, amount) = (vault::account_of(&vault), receiver(tx), amount(tx));
        let of_vault = amount.issue() == asset || amount.issue() == share;
        ensure(of_vault, EngineResult::TEC_WRONG_ASSET)?;
        match asset {
            // An issuer must not trap what was deposited.
            Issue::Mpt(id) if rules.enabled(amendment::FIX_CLEANUP_3_2_0) => {
                token::issuance(view, id)?;
            }
            _ => token::can_transfer(view, asset, pseudo, to)?,
        }
        let policy = vault.u8(fields::WITHDRAWAL_POLICY);
        ensure(policy == Some(FIRST_COME_FIRST_SERVE), EngineResult::TEF_INTERNAL)?;
        let mut counted = amount;
        if amount.issue() == share && rules.enabled(amendment::FIX_CLEANUP_3_1_3) {
            // Limits are of what the shares are worth.
            let issuance = issuance.ok_or(EngineResult::TEF_INTERNAL)?;
            let exchange = exchange(view, tx, &vault, &issuance);
            counted = too_large(exchange.assets_for_withdrawal(&amount))?;
        }
        let has_tag = tx.object.contains(fields::DESTINATION_TAG);
        pay_out::can_withdraw(view, account, to, &counted, has_tag)?;
        // Who withdraws for itself gets a line or an MPToken if it needs one.
        let auth = if account == to { Auth::Weak } else { Auth::Strong };
        token::require_auth(view, asset, to, auth)?;
        if rules.enabled(amendment::FIX_CLEANUP_3_3_0) {
            return token::check_withdraw_freeze(view, pseudo, account, to, asset);
        }
        token::check_frozen(view, to, asset)?;
        token::check_frozen(view, account, share)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, account, prior_balance) = (ctx.tx, ctx.tx.account, ctx.prior_balance);
        let view = &mut ctx.view;
        let (vault, issuance) = present(view, tx)?;
        let (asset, share) = (vault::asset(&vault), vault::share(&vault));
        let amount = amount(tx);
        let exchange = exchange(view, tx, &vault, &issuance);
        let shares = if amount.issue() == asset {
            let shares = too_large(exchange.shares_for_withdrawal(&amount, false))?;
            ensure(!shares.is_zero(), EngineResult::TEC_PRECISION_LOSS)?;
            shares
        } else {
            amount
        };
        let mut assets = too_large(exchange.assets_for_withdrawal(&shares))?;
        let rules = view.rules();
        // A frozen asset was looked at in preclaim; shares of it must not count as nothing.
        let frozen = match rules.enabled(amendment::FIX_CLEANUP_3_3_0) {
            true => IfFrozen::Ignore,
            false => IfFrozen::Zero,
        };
        let any = IfUnauthorized::Ignore;
        let held =
            token::account_holds(view, account, Issue::Mpt(share), frozen, any, Spendable::Simple);
        let insufficient = EngineResult::TEC_INSUFFICIENT_FUNDS;
        ensure(!held.is_less(&shares), insufficient)?;
        let available = vault::available(&vault);
        ensure(available >= assets.decimal(), insufficient)?;
        let outstanding = issuance.u64(fields::OUTSTANDING_AMOUNT).unwrap_or_default();
        let all =
            matches!(shares, Amount::Mpt { value, .. } if value.unsigned_abs() == outstanding);
        if all && rules.enabled(amendment::FIX_CLEANUP_3_2_0) {
            let loss = number::get(&vault, fields::LOSS_UNREALIZED);
            ensure(loss.is_zero(), EngineResult::TEF_INTERNAL)?;
            // No dust stays behind.
            assets = written(Amount::from_decimal(asset, available))?;
            let entry = view.get_mut(&id(tx)).ok_or(EngineResult::TEF_INTERNAL)?;
            entry.remove(fields::ASSETS_TOTAL);
            entry.remove(fields::ASSETS_AVAILABLE);
        } else {
            change_assets(view, &id(tx), -assets.decimal())?;
        }
        let pseudo = vault::account_of(&vault);
        token::account_send(view, account, pseudo, shares, TransferFee::Waive)?;
        forget_holder(view, &vault, account, share)?;
        drop((vault, issuance));
        associate(view, &id(tx))?;
        pay_out::withdraw(view, tx, receiver(tx), pseudo, prior_balance, assets)
    }
}
