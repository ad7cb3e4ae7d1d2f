//! OfferCancel (<https://xrpl.org/docs/references/protocol/transactions/types/offercancel>).

use xrpl_protocol::{EngineResult, fields, object_id};

use crate::{
    ledger::{
        PreparedTx, Ter,
        helpers::{account_root::sequence_of, offer},
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

/// The type.
#[derive(Debug)]
pub(in crate::transactors) struct OfferCancel;

fn number(tx: &PreparedTx) -> u32 {
    tx.object.u32(fields::OFFER_SEQUENCE).unwrap_or_default()
}

impl Transactor for OfferCancel {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        ensure(number(ctx.tx) != 0, EngineResult::TEM_BAD_SEQUENCE)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let root = ctx.view.account(ctx.tx.account).ok_or(EngineResult::TER_NO_ACCOUNT)?;
        ensure(sequence_of(&root) > number(ctx.tx), EngineResult::TEM_BAD_SEQUENCE)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        // One that is gone already is as good as cancelled.
        offer::delete(&mut ctx.view, &object_id::offer(ctx.tx.account, number(ctx.tx)))
    }
}
