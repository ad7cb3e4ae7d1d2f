//! NFTokenBurn (<https://xrpl.org/docs/references/protocol/transactions/types/nftokenburn>).

use xrpl_protocol::{EngineResult, fields, object_id};

use super::{is_minter_of, owner, token_id};
use crate::{
    ledger::{
        ApplyView, Ter,
        helpers::nft::{self, flag},
    },
    transactors::{ApplyContext, PreclaimContext, Transactor},
};

/// Offers for it that go with it; more than these stay behind.
const MAX_DELETED_OFFERS: usize = 500;

/// The type.
#[derive(Debug)]
pub(in crate::transactors) struct NFTokenBurn;

impl Transactor for NFTokenBurn {
    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let (tx, id) = (ctx.tx, token_id(ctx.tx));
        if nft::find(ctx.view, owner(tx), &id).is_none() {
            return Err(EngineResult::TEC_NO_ENTRY);
        }
        if owner(tx) == tx.account {
            return Ok(());
        }
        let issuer = nft::issuer(&id);
        // Of an NFT whose issuer is gone, nobody else is left to be asked.
        let may = nft::flags(&id) & flag::BURNABLE != 0
            && (issuer == tx.account
                || ctx.view.account(issuer).is_none()
                || is_minter_of(ctx.view, tx.account, issuer));
        if may { Ok(()) } else { Err(EngineResult::TEC_NO_PERMISSION) }
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let id = token_id(ctx.tx);
        nft::remove(&mut ctx.view, owner(ctx.tx), &id)?;
        if let Some(issuer) = ctx.view.get_mut(&object_id::account_root(nft::issuer(&id))) {
            let burned = issuer.u32(fields::BURNED_NF_TOKENS).unwrap_or_default();
            issuer.set(fields::BURNED_NF_TOKENS, burned.wrapping_add(1).into());
        }
        let sold = nft::delete_offers(&mut ctx.view, id, true, MAX_DELETED_OFFERS)?;
        nft::delete_offers(&mut ctx.view, id, false, MAX_DELETED_OFFERS - sold)?;
        Ok(())
    }
}
