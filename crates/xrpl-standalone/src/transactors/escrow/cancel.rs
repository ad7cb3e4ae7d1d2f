//! EscrowCancel (<https://xrpl.org/docs/references/protocol/transactions/types/escrowcancel>).

use xrpl_protocol::{Amount, EngineResult, Issue, Rate, fields, object_id};

use super::{account, amount_of, checked_early, existing, unlist, unlock::Unlock};
use crate::{
    ledger::{
        ApplyView, ReadView, Ter, amendment,
        helpers::{
            account_root::{add_balance, adjust_owner_count},
            mpt,
            token::{self, Auth},
        },
    },
    transactors::{ApplyContext, PreclaimContext, Transactor, ensure},
};

/// The type.
#[derive(Debug)]
pub(crate) struct Cancel;

impl Transactor for Cancel {
    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let view = ctx.view;
        let Some(escrow) = checked_early(view, ctx.tx)? else { return Ok(()) };
        let owner = account(&escrow, fields::ACCOUNT)?;
        let issue = amount_of(&escrow).issue();
        let Some(issuer) = token::issuer_of(issue) else { return Ok(()) };
        ensure(issuer != owner, EngineResult::TEC_INTERNAL)?;
        match issue {
            Issue::Mpt(id) => {
                token::issuance(view, id)?;
                mpt::require_auth(view, id, owner, Auth::Weak)
            }
            _ => token::require_auth(view, issue, owner, Auth::Legacy),
        }
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let view = &mut ctx.view;
        let (id, escrow) = existing(view, tx)?;
        let now = view.info().parent_close_time;
        let over = escrow.u32(fields::CANCEL_AFTER).is_some_and(|at| now > at);
        ensure(over, EngineResult::TEC_NO_PERMISSION)?;
        let owner = account(&escrow, fields::ACCOUNT)?;
        unlist(view, owner, Some(escrow.u64(fields::OWNER_NODE).unwrap_or_default()), &id)?;
        let to = account(&escrow, fields::DESTINATION)?;
        unlist(view, to, escrow.u64(fields::DESTINATION_NODE), &id)?;
        let amount = amount_of(&escrow);
        if let Amount::Xrp(drops) = amount {
            add_balance(view, owner, drops)?;
        } else {
            let unlock = Unlock {
                amount,
                locked_rate: Rate::PARITY,
                from: owner,
                to: owner,
                prior_balance: ctx.prior_balance,
                may_create: owner == tx.account,
            };
            if unlock.must_create(view) && !view.rules().enabled(amendment::FIX_CLEANUP_3_2_0) {
                // Before, xrpld asked the escrow how many things it owned.
                return Err(EngineResult::TEF_EXCEPTION);
            }
            unlock.apply(view)?;
            if let Some(issuer) = token::issuer_of(amount.issue()) {
                unlist(view, issuer, escrow.u64(fields::ISSUER_NODE), &id)?;
            }
            view.get_mut(&object_id::account_root(owner));
        }
        adjust_owner_count(view, owner, -1)?;
        view.erase(&id);
        Ok(())
    }
}
