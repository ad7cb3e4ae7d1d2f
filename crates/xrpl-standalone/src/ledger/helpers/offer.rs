//! Offers of the decentralized exchange.

use xrpl_protocol::{Amount, EngineResult, Hash256, fields, object_id};

use super::{
    account_root::adjust_owner_count,
    token::{self, IfFrozen, IfUnauthorized},
};
use crate::ledger::{
    PreparedTx, directory,
    view::{ApplyView, ReadView, Ter},
};

/// OfferCreate.
const OFFER_CREATE: u16 = 7;

/// Flags of an Offer: `lsf`.
#[allow(missing_docs)]
pub mod flag {
    pub const PASSIVE: u32 = 0x0001_0000;
    pub const SELL: u32 = 0x0002_0000;
    pub const HYBRID: u32 = 0x0004_0000;
}

/// Deletes an offer from its books, its owner and the ledger. One that is not there is no error.
///
/// # Errors
/// `tefBAD_LEDGER`.
pub fn delete(view: &mut dyn ApplyView, key: &Hash256) -> Ter {
    let Some(offer) = view.read(key) else { return Ok(()) };
    let bad = EngineResult::TEF_BAD_LEDGER;
    let owner = offer.account(fields::ACCOUNT).ok_or(bad)?;
    let number = |field| offer.u64(field).unwrap_or_default();
    let mut places = vec![
        (object_id::owner_dir(owner), number(fields::OWNER_NODE)),
        (offer.hash256(fields::BOOK_DIRECTORY).ok_or(bad)?, number(fields::BOOK_NODE)),
    ];
    for (_, book) in offer.array(fields::ADDITIONAL_BOOKS).unwrap_or_default() {
        let page = book.u64(fields::BOOK_NODE).unwrap_or_default();
        places.push((book.hash256(fields::BOOK_DIRECTORY).ok_or(bad)?, page));
    }
    for (directory, page) in places {
        if !directory::remove(view, directory, page, key, false) {
            return Err(bad);
        }
    }
    adjust_owner_count(view, owner, -1)?;
    view.erase(key);
    Ok(())
}

/// What the sender of an OfferCreate has of what it offers (`owner_funds` of stream messages), if
/// somebody else issues that. None for other transactions.
#[must_use]
pub fn owner_funds(view: &dyn ReadView, tx: &PreparedTx) -> Option<Amount> {
    if tx.kind != OFFER_CREATE {
        return None;
    }
    let gets = tx.object.amount(fields::TAKER_GETS)?;
    if token::issuer_of(gets.issue()) == Some(tx.account) {
        return None;
    }
    let (frozen, all) = (IfFrozen::Ignore, IfUnauthorized::Ignore);
    Some(token::account_funds(view, tx.account, gets, frozen, all))
}
