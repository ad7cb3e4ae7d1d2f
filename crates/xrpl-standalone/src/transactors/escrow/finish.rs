//! EscrowFinish (<https://xrpl.org/docs/references/protocol/transactions/types/escrowfinish>).

use xrpl_protocol::{AccountId, Amount, EngineResult, Issue, Object, Rate, fields, object_id};

use super::{account, amount_of, checked_early, condition, existing, unlist, unlock::Unlock};
use crate::{
    ledger::{
        ApplyView, PreparedTx, ReadView, Ter, amendment,
        helpers::{
            account_root::{add_balance, adjust_owner_count},
            credentials, mpt,
            token::{self, Auth},
        },
    },
    transactors::{
        ApplyContext, PreclaimContext, PreflightContext, Transactor, default_base_fee, ensure,
    },
};

/// Base fees that checking a fulfillment costs, and one more for each so many bytes of it.
const FULFILLMENT_COST: u64 = 32;
const BYTES_PER_FEE: u64 = 16;

/// The type.
#[derive(Debug)]
pub(crate) struct Finish;

impl Transactor for Finish {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        !ctx.tx.object.contains(fields::CREDENTIAL_I_DS)
            || ctx.rules.enabled(amendment::CREDENTIALS)
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let object = &ctx.tx.object;
        let both = object.contains(fields::CONDITION) == object.contains(fields::FULFILLMENT);
        ensure(both, EngineResult::TEM_MALFORMED)?;
        credentials::check_fields(object)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (view, tx) = (ctx.view, ctx.tx);
        if view.rules().enabled(amendment::CREDENTIALS) {
            credentials::valid(view, &tx.object, tx.account)?;
        }
        match checked_early(view, tx)? {
            Some(escrow) => may_get(view, &escrow),
            None => Ok(()),
        }
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let view = &mut ctx.view;
        let (id, escrow) = existing(view, tx)?;
        let now = view.info().parent_close_time;
        let early = escrow.u32(fields::FINISH_AFTER).is_some_and(|at| now <= at);
        let late = escrow.u32(fields::CANCEL_AFTER).is_some_and(|at| now > at);
        ensure(!early && !late, EngineResult::TEC_NO_PERMISSION)?;
        fulfilled(tx, &escrow)?;
        let to = account(&escrow, fields::DESTINATION)?;
        ensure(view.account(to).is_some(), EngineResult::TEC_NO_DST)?;
        credentials::verify_deposit_preauth(view, &tx.object, tx.account, to)?;
        let from = account(&escrow, fields::ACCOUNT)?;
        unlist(view, from, Some(escrow.u64(fields::OWNER_NODE).unwrap_or_default()), &id)?;
        unlist(view, to, escrow.u64(fields::DESTINATION_NODE), &id)?;
        let amount = amount_of(&escrow);
        if let Amount::Xrp(drops) = amount {
            add_balance(view, to, drops)?;
        } else {
            let unlock = Unlock {
                amount,
                locked_rate: escrow.u32(fields::TRANSFER_RATE).map_or(Rate::PARITY, Rate),
                from,
                to,
                prior_balance: ctx.prior_balance,
                // Who gets it may get a place to put it, if it asks itself.
                may_create: to == tx.account,
            };
            unlock.apply(view)?;
            if let Some(issuer) = token::issuer_of(amount.issue()) {
                unlist(view, issuer, escrow.u64(fields::ISSUER_NODE), &id)?;
            }
            view.get_mut(&object_id::account_root(to));
        }
        adjust_owner_count(view, from, -1)?;
        view.erase(&id);
        Ok(())
    }

    fn base_fee(&self, view: &dyn ReadView, tx: &PreparedTx) -> u64 {
        let base = view.info().fees.base;
        let extra = tx.object.blob(fields::FULFILLMENT).map_or(0, |bytes| {
            base.saturating_mul(FULFILLMENT_COST + bytes.len() as u64 / BYTES_PER_FEE)
        });
        default_base_fee(view, tx).saturating_add(extra)
    }
}

/// Whether who is to get it may have it.
fn may_get(view: &dyn ReadView, escrow: &Object) -> Ter {
    let to: AccountId = account(escrow, fields::DESTINATION)?;
    let issue = amount_of(escrow).issue();
    if token::issuer_of(issue).is_none_or(|issuer| issuer == to) {
        return Ok(());
    }
    match issue {
        Issue::Mpt(id) => {
            token::issuance(view, id)?;
            mpt::require_auth(view, id, to, Auth::Weak)?;
            ensure(!token::is_frozen(view, to, issue), EngineResult::TEC_LOCKED)
        }
        _ => {
            token::require_auth(view, issue, to, Auth::Legacy)?;
            ensure(!token::is_deep_frozen(view, to, issue), EngineResult::TEC_FROZEN)
        }
    }
}

/// Whether the transaction fulfills the condition that the escrow was made with, if with one.
fn fulfilled(tx: &PreparedTx, escrow: &Object) -> Ter {
    let wrong = EngineResult::TEC_CRYPTOCONDITION_ERROR;
    let given = tx.object.blob(fields::CONDITION);
    if let Some(given) = given {
        let fulfillment = tx.object.blob(fields::FULFILLMENT).ok_or(EngineResult::TEC_INTERNAL)?;
        ensure(condition::fulfills(fulfillment, given), wrong)?;
    }
    ensure(given == escrow.blob(fields::CONDITION), wrong)
}
