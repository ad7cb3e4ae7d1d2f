//! MPTokenIssuanceDestroy
//! (<https://xrpl.org/docs/references/protocol/transactions/types/mptokenissuancedestroy>).

use xrpl_protocol::{EngineResult, fields, object_id};

use super::{issuance_id, number};
use crate::{
    ledger::{
        ApplyView, ReadView, Ter, directory,
        helpers::{account_root::adjust_owner_count, mpt::issuer_of, token},
    },
    transactors::{ApplyContext, PreclaimContext, Transactor, ensure},
};

/// The type.
#[derive(Debug)]
pub(in crate::transactors) struct MPTokenIssuanceDestroy;

impl Transactor for MPTokenIssuanceDestroy {
    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let issuance = token::issuance(ctx.view, issuance_id(ctx.tx))?;
        ensure(issuer_of(&issuance) == ctx.tx.account, EngineResult::TEC_NO_PERMISSION)?;
        let owed = [fields::OUTSTANDING_AMOUNT, fields::LOCKED_AMOUNT]
            .iter()
            .any(|field| number(&issuance, *field) != 0);
        ensure(!owed, EngineResult::TEC_HAS_OBLIGATIONS)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (account, id) = (ctx.tx.account, issuance_id(ctx.tx));
        let key = object_id::mpt_issuance(id);
        let issuance = ctx.view.read(&key).ok_or(EngineResult::TEC_INTERNAL)?;
        ensure(issuer_of(&issuance) == account, EngineResult::TEC_INTERNAL)?;
        let page = number(&issuance, fields::OWNER_NODE);
        drop(issuance);
        if !directory::remove(&mut ctx.view, object_id::owner_dir(account), page, &key, false) {
            return Err(EngineResult::TEF_BAD_LEDGER);
        }
        ctx.view.erase(&key);
        adjust_owner_count(&mut ctx.view, account, -1)
    }
}
