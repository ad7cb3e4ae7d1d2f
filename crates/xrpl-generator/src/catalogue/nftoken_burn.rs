//! NFTokenBurn (<https://xrpl.org/docs/references/protocol/transactions/types/nftokenburn>): its own
//! and those of others that it issued as burnable.

use xrpl_protocol::fields::{NF_TOKEN_ID, OWNER};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    plan::{Plan, Wait},
    planner::Planner,
};

const LSF_BURNABLE: u16 = 0x0001;

#[derive(Debug)]
pub(super) struct NFTokenBurn;

static ABOUT: About = About {
    name: "NFTokenBurn",
    family: "NFTs",
    weight: 3,
    variants: &["its own", "another's"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("a token that there is not", &["tecNO_ENTRY"], |planner, plan| {
            Some(plan.with(NF_TOKEN_ID, planner.nothing()))
        }),
        Mutation::new("a token of somebody who has none", &["tecNO_ENTRY"], |planner, plan| {
            Some(plan.with(OWNER, planner.nobody()))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for NFTokenBurn {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let me = planner.me().id;
        if planner.one_in(4)
            && let Ok((owner, nft)) = planner.foreign_nft(|nft| {
                nft.issuer() == me && nft.flags() & LSF_BURNABLE != 0
            })
        {
            let plan = Plan::new("NFTokenBurn").with(NF_TOKEN_ID, nft.0);
            return Ok(plan.with(OWNER, planner.id(owner)).holding(nft.0).variant("another's"));
        }
        let nft = planner.own_nft(|_| true)?;
        Ok(Plan::new("NFTokenBurn").with(NF_TOKEN_ID, nft.0).holding(nft.0).variant("its own"))
    }
}
