//! Non-fungible tokens (<https://xrpl.org/docs/concepts/tokens/nfts>).

use xrpl_protocol::fields::{
    AMOUNT, NF_TOKEN_BROKER_FEE, NF_TOKEN_BUY_OFFER, NF_TOKEN_ID, NF_TOKEN_SELL_OFFER,
    NF_TOKEN_TAXON, OWNER, URI,
};

use super::{Journey, Party, Step};
use crate::{
    objects::Kind,
    plan::{Plan, drops},
    world::OthersXrp,
};

const TF_BURNABLE: u32 = 0x0001;
const TF_TRANSFERABLE: u32 = 0x0008;
const TF_SELL: u32 = 0x0001;

/// What the seller asks, what the buyer bids, and what the broker keeps of the difference: drops.
const ASKED: u64 = 1_000;
const BID: u64 = 1_500;
const BROKERAGE: u64 = 200;

pub(super) static LIST_BUY_BURN: Journey = Journey {
    name: "nft_list_buy_burn",
    shows: "An NFT is minted, listed, sold through a broker who keeps a fee, and burned by its buyer.",
    needs: &[],
    parties: &[Party::user("seller"), Party::user("buyer"), Party::user("broker")],
    steps: &[
        Step {
            name: "mint",
            transaction_type: "NFTokenMint",
            by: "seller",
            acts_on: &[],
            does: "The seller mints an NFT that can be transferred.",
            plan: |scene| {
                scene.afford(0, 1)?;
                let uri = scene.label("https://example.com/journey");
                Ok(Plan::new("NFTokenMint")
                    .flagged(TF_TRANSFERABLE | TF_BURNABLE)
                    .with(NF_TOKEN_TAXON, 0u32)
                    .with(URI, uri)
                    .owning(1))
            },
        },
        Step {
            name: "list",
            transaction_type: "NFTokenCreateOffer",
            by: "seller",
            acts_on: &["mint"],
            does: "The seller offers it to anyone.",
            plan: |scene| {
                scene.afford(0, 1)?;
                Ok(Plan::new("NFTokenCreateOffer")
                    .flagged(TF_SELL)
                    .with(NF_TOKEN_ID, scene.minted("mint")?)
                    .with(AMOUNT, drops(ASKED))
                    .owning(1))
            },
        },
        Step {
            name: "bid",
            transaction_type: "NFTokenCreateOffer",
            by: "buyer",
            acts_on: &["mint"],
            does: "The buyer bids more than the seller asks.",
            plan: |scene| {
                scene.afford(BID, 1)?;
                Ok(Plan::new("NFTokenCreateOffer")
                    .with(NF_TOKEN_ID, scene.minted("mint")?)
                    .with(OWNER, scene.address("seller")?)
                    .with(AMOUNT, drops(BID))
                    .owning(1))
            },
        },
        Step {
            name: "broker",
            transaction_type: "NFTokenAcceptOffer",
            by: "broker",
            acts_on: &["list", "bid"],
            does: "The broker brings the two offers together and keeps a fee.",
            plan: |scene| {
                scene.afford(0, 0)?;
                let buyer = scene.party("buyer")?;
                scene.has(buyer, BID, 1)?;
                let mut plan = Plan::new("NFTokenAcceptOffer")
                    .with(NF_TOKEN_SELL_OFFER, scene.made_id("list", Kind::NftOffer)?)
                    .with(NF_TOKEN_BUY_OFFER, scene.made_id("bid", Kind::NftOffer)?)
                    .with(NF_TOKEN_BROKER_FEE, drops(BROKERAGE));
                plan.holds.others.push(OthersXrp { account: buyer, drops: BID, owners: 1 });
                Ok(plan)
            },
        },
        Step {
            name: "burn",
            transaction_type: "NFTokenBurn",
            by: "buyer",
            acts_on: &["mint"],
            does: "The buyer, who owns it now, burns it.",
            plan: |scene| {
                scene.afford(0, 0)?;
                Ok(Plan::new("NFTokenBurn").with(NF_TOKEN_ID, scene.minted("mint")?))
            },
        },
    ],
};
