//! NFTs: NFTokenMint, NFTokenBurn, NFTokenModify and the offers for them
//! (<https://xrpl.org/docs/references/protocol/transactions/types/nftokenmint>). Pages and offers
//! themselves are [`crate::ledger::helpers::nft`]'s.

mod accept_offer;
mod burn;
mod cancel_offer;
mod create_offer;
mod mint;
mod modify;

pub(super) use accept_offer::NFTokenAcceptOffer;
pub(super) use burn::NFTokenBurn;
pub(super) use cancel_offer::NFTokenCancelOffer;
pub(super) use create_offer::NFTokenCreateOffer;
pub(super) use mint::NFTokenMint;
pub(super) use modify::NFTokenModify;

use xrpl_protocol::{AccountId, Amount, EngineResult, Hash256, Issue, fields};

use super::ensure;
use crate::ledger::{
    PreparedTx, ReadView, Ter, amendment,
    helpers::{token, trust_line},
};

/// Bytes of a URI.
const MAX_URI: usize = 256;

/// `NFTokenID`.
fn token_id(tx: &PreparedTx) -> Hash256 {
    tx.object.hash256(fields::NF_TOKEN_ID).unwrap_or_default()
}

/// `Owner`, else the sender.
fn owner(tx: &PreparedTx) -> AccountId {
    tx.object.account(fields::OWNER).unwrap_or(tx.account)
}

/// A URI that is there has something in it.
fn uri_form(tx: &PreparedTx) -> Ter {
    let uri = tx.object.blob(fields::URI);
    let good = uri.is_none_or(|uri| !uri.is_empty() && uri.len() <= MAX_URI);
    ensure(good, EngineResult::TEM_MALFORMED)
}

/// Whether an account is the one that an issuer lets mint for it.
fn is_minter_of(view: &dyn ReadView, account: AccountId, issuer: AccountId) -> bool {
    let root = view.account(issuer);
    root.is_some_and(|root| root.account(fields::NF_TOKEN_MINTER) == Some(account))
}

/// Whether an account is authorised to hold what an amount is of.
fn check_authorized(view: &dyn ReadView, account: AccountId, amount: &Amount) -> Ter {
    let Issue::Issued { currency, issuer } = amount.issue() else { return Ok(()) };
    if !view.rules().enabled(amendment::FIX_ENFORCE_NFTOKEN_TRUSTLINE_V2) {
        return Ok(());
    }
    if view.account(issuer).is_none() {
        return Err(EngineResult::TEC_NO_ISSUER);
    }
    trust_line::require_auth(view, currency, issuer, account, token::Auth::Weak)
}

/// Whether no deep freeze keeps an account from receiving what an amount is of.
fn check_not_deep_frozen(view: &dyn ReadView, account: AccountId, amount: &Amount) -> Ter {
    let Issue::Issued { issuer, .. } = amount.issue() else { return Ok(()) };
    if !view.rules().enabled(amendment::DEEP_FREEZE) {
        return Ok(());
    }
    if view.account(issuer).is_none() {
        return Err(EngineResult::TEC_NO_ISSUER);
    }
    token::check_deep_frozen(view, account, amount.issue())
}
