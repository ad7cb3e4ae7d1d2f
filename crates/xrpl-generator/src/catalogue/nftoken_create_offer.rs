//! NFTokenCreateOffer
//! (<https://xrpl.org/docs/references/protocol/transactions/types/nftokencreateoffer>): to sell
//! one of its own or to buy another account's.

use xrpl_protocol::fields::{AMOUNT, DESTINATION, EXPIRATION, NF_TOKEN_ID, OWNER};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait, drops},
    planner::Planner,
};

/// How many an account has.
const MOST: usize = 8;
const TF_SELL: u32 = 0x0001;
const LSF_TRANSFERABLE: u16 = 0x0008;

#[derive(Debug)]
pub(super) struct NFTokenCreateOffer;

static ABOUT: About = About {
    name: "NFTokenCreateOffer",
    family: "NFTs",
    weight: 10,
    variants: &["buying", "selling"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("bought for nothing", &["temBAD_AMOUNT"], |planner, plan| {
            let owner = planner.other_id().ok()?;
            Some(plan.flagged(0).with(OWNER, owner).with(AMOUNT, drops(0)).without(DESTINATION))
        }),
        Mutation::new("sold with an owner", &["temMALFORMED"], |planner, plan| {
            let owner = planner.other_id().ok()?;
            Some(plan.flagged(TF_SELL).with(OWNER, owner))
        }),
        Mutation::new("bought without an owner", &["temMALFORMED"], |_, plan| {
            Some(plan.flagged(0).without(OWNER).with(AMOUNT, drops(1)))
        }),
        Mutation::new("a time before all time", &["temBAD_EXPIRATION"], |_, plan| {
            Some(plan.with(EXPIRATION, 0u32))
        }),
        Mutation::new("a token that there is not", &["tecNO_ENTRY"], |planner, plan| {
            Some(plan.with(NF_TOKEN_ID, planner.nothing()))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for NFTokenCreateOffer {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.fewer(Kind::NftOffer, MOST)?;
        planner.afford(0, 1)?;
        let price = 1 + planner.below(1_000);
        let expires = planner.one_in(4).then(|| planner.later() + 120);
        let plan = Plan::new("NFTokenCreateOffer").with_some(EXPIRATION, expires).owning(1);
        if planner.one_in(2)
            && let Ok((owner, nft)) = planner.foreign_nft(|nft| nft.flags() & LSF_TRANSFERABLE != 0)
        {
            // What it promises it must have, though not yet give.
            planner.afford(price, 1)?;
            let plan = plan.with(NF_TOKEN_ID, nft.0).with(OWNER, planner.id(owner));
            return Ok(plan.with(AMOUNT, drops(price)).holding(nft.0).variant("buying"));
        }
        let me = planner.me().id;
        let nft = planner.own_nft(|nft| {
            nft.flags() & LSF_TRANSFERABLE != 0 || nft.issuer() == me
        })?;
        let only_for = match planner.one_in(4) {
            true => Some(planner.other_id()?),
            false => None,
        };
        Ok(plan
            .flagged(TF_SELL)
            .with(NF_TOKEN_ID, nft.0)
            .with(AMOUNT, drops(price / 2))
            .with_some(DESTINATION, only_for)
            .holding(nft.0)
            .variant("selling"))
    }
}
