use std::collections::BTreeSet;

use xrpl_protocol::{Hash256, fields};

use super::{Invariant, Outcome, Touched};
use crate::ledger::{
    ReadView, amendment, entry_type,
    helpers::{account_root::flags_of, offer::flag::HYBRID},
};

const PAYMENT: u16 = 0;
const OFFER_CREATE: u16 = 7;

/// Payments and offers of a domain stay in its books.
#[derive(Default)]
pub(super) struct ValidPermissionedDex {
    domains: BTreeSet<Hash256>,
    /// Offers outside domains, deleted ones too or not.
    outside: bool,
    outside_left: bool,
    bad_hybrid: bool,
    /// Hybrid offers with not exactly one other book.
    inexact_hybrid: bool,
}

impl Invariant for ValidPermissionedDex {
    fn visit(&mut self, touched: &Touched<'_>) {
        let domain = touched.after.hash256(fields::DOMAIN_ID);
        if touched.kind == entry_type::DIRECTORY_NODE {
            self.domains.extend(domain);
        }
        let Some(offer) = touched.after_of(entry_type::OFFER) else { return };
        self.domains.extend(domain);
        self.outside |= domain.is_none();
        self.outside_left |= domain.is_none() && !touched.deleted;
        if flags_of(offer) & HYBRID != 0 {
            let books = offer.array(fields::ADDITIONAL_BOOKS).map(<[_]>::len);
            self.bad_hybrid |= domain.is_none() || books.is_none_or(|books| books > 1);
            self.inexact_hybrid |= domain.is_none() || books != Some(1);
        }
    }

    fn judge(&self, outcome: &Outcome<'_>) -> Result<(), &'static str> {
        let (kind, rules) = (outcome.tx.kind, outcome.view.rules());
        if !matches!(kind, PAYMENT | OFFER_CREATE) || !outcome.succeeded() {
            return Ok(());
        }
        let bad = match rules.enabled(amendment::FIX_CLEANUP_3_1_3) {
            true => self.inexact_hybrid,
            false => self.bad_hybrid,
        };
        if kind == OFFER_CREATE && bad {
            return Err("a hybrid offer is malformed");
        }
        let Some(domain) = outcome.tx.object.hash256(fields::DOMAIN_ID) else { return Ok(()) };
        if !outcome.view.exists(&domain) {
            return Err("the domain does not exist");
        }
        if self.domains.iter().any(|other| *other != domain) {
            return Err("another domain's offers were used");
        }
        let outside = match rules.enabled(amendment::FIX_CLEANUP_3_2_0) {
            true => self.outside_left,
            false => self.outside,
        };
        if outside { Err("offers outside the domain were used") } else { Ok(()) }
    }
}
