//! NFTokenOffers.

use xrpl_protocol::{AccountId, Amount, EngineResult, Hash256, Object, fields, object_id};

use crate::ledger::{
    directory::{self, Order},
    entry_type,
    helpers::account_root::{adjust_owner_count, flags_of, reserve},
    view::{ApplyView, ReadView, Ter},
};

/// `lsfSellNFToken` of an NFTokenOffer.
pub const OFFER_SELLS: u32 = 1;
/// `lsfNFTokenBuyOffers` of a directory.
const BUY_OFFERS: u32 = 1;
/// `lsfNFTokenSellOffers` of a directory.
const SELL_OFFERS: u32 = 2;

/// An offer to buy or sell an NFT.
#[derive(Clone, Copy, Debug)]
pub struct TokenOffer {
    /// Who made it.
    pub owner: AccountId,
    /// The NFT's id.
    pub token: Hash256,
    /// The price.
    pub amount: Amount,
    /// Who alone may accept it.
    pub destination: Option<AccountId>,
    /// When it expires, in seconds since 2000-01-01.
    pub expiration: Option<u32>,
    /// Whether it is to sell.
    pub sells: bool,
}

/// The directory of the offers for an NFT.
fn book(token: Hash256, sells: bool) -> Hash256 {
    if sells { object_id::nft_sell_offers(token) } else { object_id::nft_buy_offers(token) }
}

impl TokenOffer {
    /// What an entry says; none if it is no offer for an NFT.
    #[must_use]
    pub fn of(entry: &Object) -> Option<Self> {
        if entry_type::of(entry) != entry_type::NFTOKEN_OFFER {
            return None;
        }
        Some(Self {
            owner: entry.account(fields::OWNER)?,
            token: entry.hash256(fields::NF_TOKEN_ID)?,
            amount: entry.amount(fields::AMOUNT)?,
            destination: entry.account(fields::DESTINATION),
            expiration: entry.u32(fields::EXPIRATION),
            sells: flags_of(entry) & OFFER_SELLS != 0,
        })
    }

    /// The offer of an id.
    #[must_use]
    pub fn read(view: &dyn ReadView, key: &Hash256) -> Option<Self> {
        Self::of(&*view.read(key)?)
    }
}

/// Adds an offer, named by the Sequence or Ticket that makes it. The owner's reserve is judged by
/// `prior_balance` in drops.
///
/// # Errors
/// `tecINSUFFICIENT_RESERVE`, `tecDIR_FULL`.
pub fn create_offer(
    view: &mut dyn ApplyView,
    offer: &TokenOffer,
    sequence: u32,
    prior_balance: i64,
) -> Ter {
    let root = view.account(offer.owner).ok_or(EngineResult::TEF_INTERNAL)?;
    if prior_balance < reserve(view, &root, 1) {
        return Err(EngineResult::TEC_INSUFFICIENT_RESERVE);
    }
    let key = object_id::nft_offer(offer.owner, sequence);
    let full = EngineResult::TEC_DIR_FULL;
    let owner_node = directory::add_owned(view, offer.owner, key).ok_or(full)?;
    let book = book(offer.token, offer.sells);
    let node = directory::add(view, book, key, Order::Sorted, |page| {
        page.set(fields::FLAGS, if offer.sells { SELL_OFFERS } else { BUY_OFFERS }.into());
        page.set(fields::NF_TOKEN_ID, offer.token.into());
    })
    .ok_or(full)?;
    let mut entry = entry_type::new(entry_type::NFTOKEN_OFFER)
        .with(fields::FLAGS, if offer.sells { OFFER_SELLS } else { 0 })
        .with(fields::OWNER, offer.owner)
        .with(fields::NF_TOKEN_ID, offer.token)
        .with(fields::AMOUNT, offer.amount)
        .with(fields::OWNER_NODE, owner_node)
        .with(fields::NF_TOKEN_OFFER_NODE, node);
    if let Some(expiration) = offer.expiration {
        entry.set(fields::EXPIRATION, expiration.into());
    }
    if let Some(destination) = offer.destination {
        entry.set(fields::DESTINATION, destination.into());
    }
    view.insert(key, entry);
    adjust_owner_count(view, offer.owner, 1)
}

/// Deletes an NFTokenOffer; false if it is none or the ledger is broken.
pub fn delete_offer(view: &mut dyn ApplyView, key: &Hash256) -> bool {
    let Some(entry) = view.read(key) else { return false };
    let Some(offer) = TokenOffer::of(&entry) else { return false };
    let page = |field| entry.u64(field).unwrap_or_default();
    let owned = object_id::owner_dir(offer.owner);
    let book = book(offer.token, offer.sells);
    directory::remove(view, owned, page(fields::OWNER_NODE), key, false)
        && directory::remove(view, book, page(fields::NF_TOKEN_OFFER_NODE), key, false)
        && adjust_owner_count(view, offer.owner, -1).is_ok()
        && view.erase(key)
}

/// Deletes offers to buy or sell an NFT, no more than `most`. Returns how many.
///
/// # Errors
/// `tefEXCEPTION` if the ledger is broken.
pub fn delete_offers(
    view: &mut dyn ApplyView,
    token: Hash256,
    sells: bool,
    most: usize,
) -> Result<usize, EngineResult> {
    let root = book(token, sells);
    let mut deleted = 0;
    let mut page = 0;
    while deleted < most {
        let Some(node) = view.read(&object_id::dir_page(root, page)) else { break };
        // From a page's end, as xrpld does: which ones are left shows when there are too many.
        for key in node.vector256(fields::INDEXES).unwrap_or_default().iter().rev() {
            if deleted == most {
                break;
            }
            if TokenOffer::read(view, key).is_some() {
                if !delete_offer(view, key) {
                    return Err(EngineResult::TEF_EXCEPTION);
                }
                deleted += 1;
            }
        }
        page = node.u64(fields::INDEX_NEXT).unwrap_or_default();
        if page == 0 {
            break;
        }
    }
    Ok(deleted)
}
