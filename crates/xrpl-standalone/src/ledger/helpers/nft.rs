//! NFTs and offers for them.

use xrpl_protocol::{Hash256, fields, object_id};

use super::account_root::{adjust_owner_count, flags_of};
use crate::ledger::{directory, entry_type, view::ApplyView};

/// `lsfSellNFToken` of an NFTokenOffer.
pub const OFFER_SELLS: u32 = 1;

/// Deletes an NFTokenOffer; false if it is none or the ledger is broken.
pub fn delete_offer(view: &mut dyn ApplyView, key: &Hash256) -> bool {
    let Some(offer) = view.read(key) else { return false };
    if entry_type::of(&offer) != entry_type::NFTOKEN_OFFER {
        return false;
    }
    let (Some(owner), Some(nft)) =
        (offer.account(fields::OWNER), offer.hash256(fields::NF_TOKEN_ID))
    else {
        return false;
    };
    let page = |field| offer.u64(field).unwrap_or_default();
    let book = match flags_of(&offer) & OFFER_SELLS {
        0 => object_id::nft_buy_offers(nft),
        _ => object_id::nft_sell_offers(nft),
    };
    directory::remove(view, object_id::owner_dir(owner), page(fields::OWNER_NODE), key, false)
        && directory::remove(view, book, page(fields::NF_TOKEN_OFFER_NODE), key, false)
        && adjust_owner_count(view, owner, -1).is_ok()
        && view.erase(key)
}
