//! LoanBrokerCoverWithdraw
//! (<https://xrpl.org/docs/references/protocol/transactions/types/loanbrokercoverwithdraw>).

use xrpl_protocol::{AccountId, EngineResult, Issue, Rounding, fields};

use super::{amount, broker_and_vault, broker_id, change_cover, dependencies, names, written};
use crate::{
    ledger::{
        PreparedTx, Ter, amendment,
        helpers::{
            account_root::is_pseudo_account,
            loan, number, pay_out,
            token::{self, Auth, IfFrozen, IfUnauthorized, Spendable},
            vault,
        },
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

/// The type.
#[derive(Debug)]
pub(crate) struct CoverWithdraw;

fn receiver(tx: &PreparedTx) -> AccountId {
    tx.object.account(fields::DESTINATION).unwrap_or(tx.account)
}

impl Transactor for CoverWithdraw {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        dependencies(ctx)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        names(broker_id(ctx.tx))?;
        ensure(amount(ctx.tx).signum() > 0, EngineResult::TEM_BAD_AMOUNT)?;
        ensure(receiver(ctx.tx) != AccountId::ZERO, EngineResult::TEM_MALFORMED)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx, account) = (ctx.view, ctx.tx, ctx.tx.account);
        let (to, amount, rules) = (receiver(tx), amount(tx), view.rules());
        ensure(!is_pseudo_account(view, to), EngineResult::TEC_PSEUDO_ACCOUNT)?;
        let broker = loan::broker(view, &broker_id(tx)).ok_or(EngineResult::TEC_NO_ENTRY)?;
        let owns = broker.account(fields::OWNER) == Some(account);
        ensure(owns, EngineResult::TEC_NO_PERMISSION)?;
        let (_, _, vault) = broker_and_vault(view, &broker_id(tx))?;
        let asset = vault::asset(&vault);
        ensure(amount.issue() == asset, EngineResult::TEC_WRONG_ASSET)?;
        loan::can_change_cover(view, &broker, asset, &amount)?;
        let pseudo = broker.account(fields::ACCOUNT).unwrap_or_default();
        match asset {
            // An issuer must not trap what covers losses.
            Issue::Mpt(id) if rules.enabled(amendment::FIX_CLEANUP_3_2_0) => {
                token::issuance(view, id)?;
            }
            _ => token::can_transfer(view, asset, pseudo, to)?,
        }
        let mut auth = Auth::Weak;
        if account != to {
            let has_tag = tx.object.contains(fields::DESTINATION_TAG);
            pay_out::can_withdraw(view, account, to, &amount, has_tag)?;
            auth = Auth::Strong;
        }
        token::require_auth(view, asset, to, auth)?;
        let to_issuer = token::issuer_of(asset) == Some(to);
        let modern = rules.enabled(amendment::FIX_CLEANUP_3_3_0);
        if modern {
            token::check_withdraw_freeze(view, pseudo, account, to, asset)?;
        } else if !to_issuer {
            token::check_frozen(view, pseudo, asset)?;
            token::check_deep_frozen(view, to, asset)?;
        }
        let debt = number::get(&broker, fields::DEBT_TOTAL);
        let least = if rules.enabled(amendment::FIX_CLEANUP_3_2_0) {
            written(loan::minimum_cover(debt, &broker, &vault))?
        } else {
            let scale = written(Rounding::Up.during(|| number::scale(debt, asset)))?;
            written(loan::minimum_cover_at(debt, &broker, asset, scale))?
        };
        let insufficient = EngineResult::TEC_INSUFFICIENT_FUNDS;
        let cover = number::get(&broker, fields::COVER_AVAILABLE);
        let enough = cover >= amount.decimal() && cover - amount.decimal() >= least;
        ensure(enough, insufficient)?;
        let frozen = if modern && to_issuer { IfFrozen::Ignore } else { IfFrozen::Zero };
        let unauthorized = IfUnauthorized::Zero;
        let held =
            token::account_holds(view, pseudo, asset, frozen, unauthorized, Spendable::Simple);
        ensure(!held.is_less(&amount), insufficient)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, id, prior_balance) = (ctx.tx, broker_id(ctx.tx), ctx.prior_balance);
        let view = &mut ctx.view;
        let internal = EngineResult::TEC_INTERNAL;
        let (broker, _, vault) = broker_and_vault(view, &id).map_err(|_| internal)?;
        let pseudo = broker.account(fields::ACCOUNT).ok_or(internal)?;
        drop(broker);
        let amount = amount(tx);
        change_cover(view, &id, -amount.decimal(), vault::asset(&vault))?;
        pay_out::withdraw(view, tx, receiver(tx), pseudo, prior_balance, amount)
    }
}
