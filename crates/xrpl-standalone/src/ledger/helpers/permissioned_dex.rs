//! Who may trade in a permissioned domain's books.

use xrpl_protocol::{AccountId, Hash256, fields, object_id};

use super::{
    account_root::flags_of,
    credentials::{self, ACCEPTED},
    offer::flag::HYBRID,
};
use crate::ledger::{amendment, view::ReadView};

/// Whether an account is in a domain: its owner is, and who holds a credential that it accepts.
#[must_use]
pub fn account_in_domain(view: &dyn ReadView, account: AccountId, domain: Hash256) -> bool {
    if domain.is_zero() && view.rules().enabled(amendment::FIX_CLEANUP_3_2_0) {
        return false;
    }
    let Some(domain) = credentials::domain(view, &domain) else { return false };
    if domain.account(fields::OWNER) == Some(account) {
        return true;
    }
    domain.array(fields::ACCEPTED_CREDENTIALS).unwrap_or_default().iter().any(|(_, accepted)| {
        let issuer = accepted.account(fields::ISSUER).unwrap_or_default();
        let kind = accepted.blob(fields::CREDENTIAL_TYPE).unwrap_or_default();
        view.read(&object_id::credential(account, issuer, kind)).is_some_and(|credential| {
            flags_of(&credential) & ACCEPTED != 0 && !credentials::is_expired(view, &credential)
        })
    })
}

/// Whether an offer belongs to a domain and its owner is still in it.
#[must_use]
pub fn offer_in_domain(view: &dyn ReadView, offer: &Hash256, domain: Hash256) -> bool {
    let Some(offer) = view.read(offer) else { return false };
    if offer.hash256(fields::DOMAIN_ID) != Some(domain) {
        return false;
    }
    if flags_of(&offer) & HYBRID != 0 {
        let books = offer.array(fields::ADDITIONAL_BOOKS).map(<[_]>::len);
        let exact = view.rules().enabled(amendment::FIX_CLEANUP_3_1_3);
        if books.is_none() || (exact && books != Some(1)) {
            return false;
        }
    }
    offer.account(fields::ACCOUNT).is_some_and(|account| account_in_domain(view, account, domain))
}
