//! NFTokenMint (<https://xrpl.org/docs/references/protocol/transactions/types/nftokenmint>).

use xrpl_protocol::fields::{ISSUER, NF_TOKEN_TAXON, TRANSFER_FEE, URI};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::{Entry, Kind},
    plan::{Plan, Wait},
    planner::Planner,
};

/// How many an account has.
const MOST: usize = 24;
const TF_BURNABLE: u32 = 0x0001;
const TF_TRANSFERABLE: u32 = 0x0008;
const TF_MUTABLE: u32 = 0x0010;

#[derive(Debug)]
pub(super) struct NFTokenMint;

static ABOUT: About = About {
    name: "NFTokenMint",
    family: "NFTs",
    weight: 6,
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("a fee above 50 %", &["temBAD_NFTOKEN_TRANSFER_FEE"], |_, plan| {
            Some(plan.flagged(TF_TRANSFERABLE).with(TRANSFER_FEE, 50_001u16))
        }),
        Mutation::new("a fee on what nobody can transfer", &["temMALFORMED"], |_, plan| {
            Some(plan.flagged(0).with(TRANSFER_FEE, 100u16))
        }),
        Mutation::new("a URI that is too long", &["temMALFORMED"], |_, plan| {
            Some(plan.with(URI, vec![b'u'; 257]))
        }),
        Mutation::new("an empty URI", &["temMALFORMED"], |_, plan| {
            Some(plan.with(URI, Vec::<u8>::new()))
        }),
        Mutation::new("issued for itself", &["temMALFORMED"], |planner, plan| {
            Some(plan.with(ISSUER, planner.me().id))
        }),
        Mutation::new("issued for nobody", &["tecNO_ISSUER"], |planner, plan| {
            Some(plan.with(ISSUER, planner.nobody()))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for NFTokenMint {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let has = planner.world.objects.owned(Kind::NftPage, planner.sender);
        if has.flat_map(Entry::nfts).count() >= MOST {
            return Err(Wait::Until("it has enough of these objects"));
        }
        let mut flags = if planner.one_in(4) { 0 } else { TF_TRANSFERABLE };
        flags |= if planner.one_in(2) { TF_BURNABLE } else { 0 };
        let mutable = planner.one_in(2) && planner.has_amendment("DynamicNFT");
        flags |= if mutable { TF_MUTABLE } else { 0 };
        let fee = (flags & TF_TRANSFERABLE != 0 && planner.one_in(3))
            .then(|| planner.below(5_000) as u16);
        let taxon = planner.below(4) as u32;
        let uri = planner.one_in(2).then(|| b"https://example.com/nft".to_vec());
        planner.afford(0, 1)?;
        Ok(Plan::new("NFTokenMint")
            .flagged(flags)
            .with(NF_TOKEN_TAXON, taxon)
            .with_some(TRANSFER_FEE, fee)
            .with_some(URI, uri)
            .owning(1))
    }
}
