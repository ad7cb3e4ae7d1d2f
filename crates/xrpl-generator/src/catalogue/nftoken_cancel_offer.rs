//! NFTokenCancelOffer
//! (<https://xrpl.org/docs/references/protocol/transactions/types/nftokencanceloffer>): its own
//! and those made for it.

use xrpl_protocol::{Hash256, fields::{self, NF_TOKEN_OFFERS}};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct NFTokenCancelOffer;

static ABOUT: About = About {
    name: "NFTokenCancelOffer",
    family: "NFTs",
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("no offer at all", &["temMALFORMED"], |_, plan| {
            Some(plan.with(NF_TOKEN_OFFERS, Vec::<Hash256>::new()))
        }),
        Mutation::new("an offer twice", &["temMALFORMED"], |planner, plan| {
            let one = planner.nothing();
            Some(plan.with(NF_TOKEN_OFFERS, vec![one, one]))
        }),
        Mutation::new("an offer of zeros", &["temMALFORMED"], |_, plan| {
            Some(plan.with(NF_TOKEN_OFFERS, vec![Hash256::ZERO]))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for NFTokenCancelOffer {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let mut offer = planner.own(Kind::NftOffer, |_| true);
        if offer.is_err() {
            offer = planner.mine(Kind::NftOffer, |_| true);
        }
        let offer = offer.map_err(|_| Wait::First("NFTokenCreateOffer"))?;
        let token = offer.hash(fields::NF_TOKEN_ID).ok_or(Wait::Object(Kind::NftOffer))?;
        // Who buys or sells it holds the token.
        planner.free(token)?;
        let plan = Plan::new("NFTokenCancelOffer").with(NF_TOKEN_OFFERS, vec![offer.id]);
        Ok(plan.holding(offer.id).holding(token))
    }
}
