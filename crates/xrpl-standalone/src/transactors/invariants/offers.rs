use xrpl_protocol::{Amount, Object, fields};

use super::{Invariant, Outcome, Touched};
use crate::ledger::entry_type::OFFER;

/// Offers are not negative, and not XRP for XRP.
#[derive(Default)]
pub(super) struct NoBadOffers {
    bad: bool,
}

fn is_bad(offer: &Object) -> bool {
    match (offer.amount(fields::TAKER_PAYS), offer.amount(fields::TAKER_GETS)) {
        (Some(Amount::Xrp(_)), Some(Amount::Xrp(_))) => true,
        (Some(pays), Some(gets)) => pays.signum() < 0 || gets.signum() < 0,
        _ => true,
    }
}

impl Invariant for NoBadOffers {
    fn visit(&mut self, touched: &Touched<'_>) {
        self.bad |= touched.before_of(OFFER).is_some_and(is_bad)
            || touched.after_of(OFFER).is_some_and(is_bad);
    }

    fn judge(&self, _: &Outcome<'_>) -> Result<(), &'static str> {
        if self.bad { Err("an offer with an impossible amount") } else { Ok(()) }
    }
}
