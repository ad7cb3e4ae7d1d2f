//! AMMDelete (<https://xrpl.org/docs/references/protocol/transactions/types/ammdelete>): goes on where
//! the last withdrawal had more trust lines to delete than fit into one transaction.

use xrpl_protocol::EngineResult;

use super::{assets, existing, mpts_allowed};
use crate::{
    ledger::{Ter, helpers::amm::delete},
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

/// The type.
#[derive(Debug)]
pub(crate) struct Delete;

impl Transactor for Delete {
    fn enabled(&self, ctx: &PreflightContext<'_>) -> bool {
        mpts_allowed(ctx)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (_, amm) = existing(ctx.view, ctx.tx)?;
        ensure(delete::is_empty(&amm), EngineResult::TEC_AMM_NOT_EMPTY)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (asset, other) = assets(ctx.tx);
        delete::delete(&mut ctx.view, asset, other)
    }
}
