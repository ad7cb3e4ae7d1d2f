//! NFTokenModify (<https://xrpl.org/docs/references/protocol/transactions/types/nftokenmodify>).

use xrpl_protocol::{EngineResult, fields};

use super::{is_minter_of, owner, token_id, uri_form};
use crate::{
    ledger::{
        Ter,
        helpers::nft::{self, flag},
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

/// The type.
#[derive(Debug)]
pub(in crate::transactors) struct NFTokenModify;

impl Transactor for NFTokenModify {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        let named = tx.object.account(fields::OWNER);
        ensure(named != Some(tx.account), EngineResult::TEM_MALFORMED)?;
        uri_form(tx)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (tx, id) = (ctx.tx, token_id(ctx.tx));
        if nft::find(ctx.view, owner(tx), &id).is_none() {
            return Err(EngineResult::TEC_NO_ENTRY);
        }
        ensure(nft::flags(&id) & flag::MUTABLE != 0, EngineResult::TEC_NO_PERMISSION)?;
        let issuer = nft::issuer(&id);
        if issuer == tx.account {
            return Ok(());
        }
        if ctx.view.account(issuer).is_none() {
            return Err(EngineResult::TEC_INTERNAL);
        }
        ensure(is_minter_of(ctx.view, tx.account, issuer), EngineResult::TEC_NO_PERMISSION)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let tx = ctx.tx;
        let uri = tx.object.blob(fields::URI);
        nft::set_uri(&mut ctx.view, owner(tx), &token_id(tx), uri)
    }
}
