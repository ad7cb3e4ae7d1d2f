//! OfferCancel (<https://xrpl.org/docs/references/protocol/transactions/types/offercancel>).

use xrpl_protocol::fields::{self, OFFER_SEQUENCE};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct OfferCancel;

static ABOUT: About = About {
    name: "OfferCancel",
    family: "Exchange",
    weight: 6,
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("offer 0", &["temBAD_SEQUENCE"], |_, plan| {
            Some(plan.with(OFFER_SEQUENCE, 0u32))
        }),
        Mutation::new("an offer that is yet to come", &["temBAD_SEQUENCE"], |_, plan| {
            Some(plan.with(OFFER_SEQUENCE, u32::MAX))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for OfferCancel {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let offer = planner.own(Kind::Offer, |offer| offer.has(fields::SEQUENCE));
        let offer = offer.map_err(|_| Wait::First("OfferCreate"))?;
        let number = offer.number(fields::SEQUENCE).and_then(|n| u32::try_from(n).ok());
        let number = number.ok_or(Wait::Object(Kind::Offer))?;
        Ok(Plan::new("OfferCancel").with(OFFER_SEQUENCE, number).holding(offer.id))
    }
}
