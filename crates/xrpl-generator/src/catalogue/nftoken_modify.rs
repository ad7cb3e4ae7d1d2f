//! NFTokenModify
//! (<https://xrpl.org/docs/references/protocol/transactions/types/nftokenmodify>): another URI for
//! a token that it issued as mutable, whoever has it.

use xrpl_protocol::fields::{NF_TOKEN_ID, OWNER, URI};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::Nft,
    plan::{Plan, Wait},
    planner::Planner,
};

const LSF_MUTABLE: u16 = 0x0010;

#[derive(Debug)]
pub(super) struct NFTokenModify;

static ABOUT: About = About {
    name: "NFTokenModify",
    family: "NFTs",
    amendment: Some("DynamicNFT"),
    variants: &["its own", "another's"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("an empty URI", &["temMALFORMED"], |_, plan| {
            Some(plan.with(URI, Vec::<u8>::new()))
        }),
        Mutation::new("a URI that is too long", &["temMALFORMED"], |_, plan| {
            Some(plan.with(URI, vec![b'u'; 257]))
        }),
        Mutation::new("itself as another owner", &["temMALFORMED"], |planner, plan| {
            Some(plan.with(OWNER, planner.me().id))
        }),
        Mutation::new("a token that there is not", &["tecNO_ENTRY"], |planner, plan| {
            Some(plan.with(NF_TOKEN_ID, planner.nothing()))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for NFTokenModify {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let me = planner.me().id;
        let uri = format!("https://example.com/nft/{:08x}", planner.below(1 << 32));
        let plan = Plan::new("NFTokenModify").with(URI, uri.into_bytes());
        let fits = |nft: Nft| nft.issuer() == me && nft.flags() & LSF_MUTABLE != 0;
        if planner.one_in(4)
            && let Ok((owner, nft)) = planner.foreign_nft(fits)
        {
            let plan = plan.with(NF_TOKEN_ID, nft.0).with(OWNER, planner.id(owner));
            return Ok(plan.holding(nft.0).variant("another's"));
        }
        let nft = planner.own_nft(fits)?;
        Ok(plan.with(NF_TOKEN_ID, nft.0).holding(nft.0).variant("its own"))
    }
}
