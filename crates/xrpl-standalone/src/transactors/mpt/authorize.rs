//! MPTokenAuthorize (<https://xrpl.org/docs/references/protocol/transactions/types/mptokenauthorize>).

use xrpl_protocol::{AccountId, EngineResult, fields, object_id};

use super::{issuance_id, number};
use crate::{
    ledger::{
        Ter, amendment,
        helpers::{
            account_root::{flags_of, is_pseudo_account},
            mpt::{self, flag, issuer_of},
            token,
        },
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

const UNAUTHORIZE: u32 = 0x0000_0001;

/// The type.
#[derive(Debug)]
pub(in crate::transactors) struct MPTokenAuthorize;

impl Transactor for MPTokenAuthorize {
    fn flags(&self, _ctx: &PreflightContext<'_>) -> u32 {
        UNAUTHORIZE
    }

    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let holder = ctx.tx.object.account(fields::HOLDER);
        ensure(holder != Some(ctx.tx.account), EngineResult::TEM_MALFORMED)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        match ctx.tx.object.account(fields::HOLDER) {
            Some(holder) => issuer_may(ctx, holder),
            None if ctx.tx.has_flag(UNAUTHORIZE) => holder_may_leave(ctx),
            None => holder_may_begin(ctx),
        }
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (tx, id) = (ctx.tx, issuance_id(ctx.tx));
        let authorizes = !tx.has_flag(UNAUTHORIZE);
        match tx.object.account(fields::HOLDER) {
            Some(holder) => mpt::set_authorized(&mut ctx.view, tx.account, id, holder, authorizes),
            None if authorizes => mpt::authorize(&mut ctx.view, tx.account, ctx.prior_balance, id),
            None => mpt::unauthorize(&mut ctx.view, tx.account, id),
        }
    }
}

/// A holder gives an empty MPToken back. The issuance may be gone by then.
fn holder_may_leave(ctx: &PreclaimContext<'_>) -> Ter {
    let (view, id) = (ctx.view, issuance_id(ctx.tx));
    let holding = view
        .read(&object_id::mptoken(id, ctx.tx.account))
        .ok_or(EngineResult::TEC_OBJECT_NOT_FOUND)?;
    let issuance = view.read(&object_id::mpt_issuance(id));
    let holds = [fields::MPT_AMOUNT, fields::LOCKED_AMOUNT]
        .iter()
        .any(|field| number(&holding, *field) != 0);
    if holds {
        return Err(match issuance {
            Some(_) => EngineResult::TEC_HAS_OBLIGATIONS,
            None => EngineResult::TEF_INTERNAL,
        });
    }
    let rules = view.rules();
    if rules.enabled(amendment::SINGLE_ASSET_VAULT) && flags_of(&holding) & flag::LOCKED != 0 {
        return Err(EngineResult::TEC_NO_PERMISSION);
    }
    // Nobody but the holder can tell whether an encrypted balance is empty.
    let hidden = [fields::CONFIDENTIAL_BALANCE_INBOX, fields::CONFIDENTIAL_BALANCE_SPENDING]
        .iter()
        .any(|field| holding.contains(*field));
    let circulates = || {
        issuance
            .is_some_and(|issuance| number(&issuance, fields::CONFIDENTIAL_OUTSTANDING_AMOUNT) != 0)
    };
    let may_hide = rules.enabled(amendment::CONFIDENTIAL_TRANSFER) && hidden && circulates();
    ensure(!may_hide, EngineResult::TEC_HAS_OBLIGATIONS)
}

fn holder_may_begin(ctx: &PreclaimContext<'_>) -> Ter {
    let (tx, id) = (ctx.tx, issuance_id(ctx.tx));
    let issuance = token::issuance(ctx.view, id)?;
    ensure(issuer_of(&issuance) != tx.account, EngineResult::TEC_NO_PERMISSION)?;
    let holds = ctx.view.exists(&object_id::mptoken(id, tx.account));
    ensure(!holds, EngineResult::TEC_DUPLICATE)
}

fn issuer_may(ctx: &PreclaimContext<'_>, holder: AccountId) -> Ter {
    let (view, id) = (ctx.view, issuance_id(ctx.tx));
    ensure(view.account(holder).is_some(), EngineResult::TEC_NO_DST)?;
    let issuance = token::issuance(view, id)?;
    ensure(issuer_of(&issuance) == ctx.tx.account, EngineResult::TEC_NO_PERMISSION)?;
    ensure(flags_of(&issuance) & flag::REQUIRE_AUTH != 0, EngineResult::TEC_NO_AUTH)?;
    let holds = view.exists(&object_id::mptoken(id, holder));
    ensure(holds, EngineResult::TEC_OBJECT_NOT_FOUND)?;
    // Pseudo-accounts are always authorised.
    ensure(!is_pseudo_account(view, holder), EngineResult::TEC_NO_PERMISSION)
}
