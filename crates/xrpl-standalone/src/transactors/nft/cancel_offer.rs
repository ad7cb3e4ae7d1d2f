//! NFTokenCancelOffer
//! (<https://xrpl.org/docs/references/protocol/transactions/types/nftokencanceloffer>).

use xrpl_protocol::{AccountId, EngineResult, Hash256, fields};

use crate::{
    ledger::{
        PreparedTx, ReadView, Ter, amendment, entry_type,
        helpers::{
            has_expired,
            nft::{self, TokenOffer},
        },
    },
    transactors::{ApplyContext, PreclaimContext, PreflightContext, Transactor, ensure},
};

/// Offers that one transaction may cancel.
const MAX_OFFERS: usize = 500;

/// The type.
#[derive(Debug)]
pub(in crate::transactors) struct NFTokenCancelOffer;

fn offers(tx: &PreparedTx) -> &[Hash256] {
    tx.object.vector256(fields::NF_TOKEN_OFFERS).unwrap_or_default()
}

/// Whether an account may cancel what is there of an id; what is gone needs no permission.
fn may_cancel(view: &dyn ReadView, account: AccountId, id: &Hash256) -> bool {
    let Some(entry) = view.read(id) else { return true };
    match TokenOffer::of(&entry) {
        Some(offer) => {
            has_expired(view, offer.expiration)
                || offer.owner == account
                || offer.destination == Some(account)
        }
        // xrpld does not see directories where it looks for what somebody owns.
        None => entry_type::of(&entry) == entry_type::DIRECTORY_NODE,
    }
}

impl Transactor for NFTokenCancelOffer {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let offers = offers(ctx.tx);
        let no_zeros = ctx.rules.enabled(amendment::FIX_CLEANUP_3_2_0);
        let mut sorted = offers.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let good = !offers.is_empty()
            && offers.len() <= MAX_OFFERS
            && sorted.len() == offers.len()
            && !(no_zeros && offers.iter().any(Hash256::is_zero));
        ensure(good, EngineResult::TEM_MALFORMED)
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let may = |id: &Hash256| may_cancel(ctx.view, ctx.tx.account, id);
        ensure(offers(ctx.tx).iter().all(may), EngineResult::TEC_NO_PERMISSION)
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        for id in offers(ctx.tx) {
            let there = TokenOffer::read(&ctx.view, id).is_some();
            if there && !nft::delete_offer(&mut ctx.view, id) {
                return Err(EngineResult::TEF_BAD_LEDGER);
            }
        }
        Ok(())
    }
}
