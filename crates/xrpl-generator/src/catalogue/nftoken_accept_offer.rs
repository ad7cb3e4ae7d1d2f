//! NFTokenAcceptOffer
//! (<https://xrpl.org/docs/references/protocol/transactions/types/nftokenacceptoffer>): sells,
//! buys, or brings a seller and a buyer together.

use smallvec::SmallVec;
use xrpl_protocol::{
    Hash256,
    fields::{self, NF_TOKEN_BROKER_FEE, NF_TOKEN_BUY_OFFER, NF_TOKEN_SELL_OFFER},
};

use super::{About, TransactionType};
use crate::{
    accounts::Index,
    fees::{FeeClass, Fees},
    modifier::Modifier,
    mutation::Mutation,
    objects::{Entry, Kind, Nft},
    plan::{Plan, Wait, drops},
    planner::Planner,
    world::{OthersXrp, World},
};

const LSF_SELL: u32 = 0x0001;

/// An offer of XRP.
struct Offer {
    id: Hash256,
    nft: Nft,
    owner: Index,
    price: u64,
}

fn read(offer: &Entry) -> Option<Offer> {
    let price = offer.amount(fields::AMOUNT)?.drops()?;
    Some(Offer {
        id: offer.id,
        nft: Nft(offer.hash(fields::NF_TOKEN_ID)?),
        owner: offer.owner?,
        price: u64::try_from(price).ok()?,
    })
}

/// One of another account that the sender may accept, for a token if one is named. Its token is where
/// the offer needs it, and nothing in flight uses it.
fn find(
    planner: &mut Planner<'_>,
    sells: bool,
    of: Option<Nft>,
    fits: impl Fn(&Offer) -> bool,
) -> Result<Offer, Wait> {
    let (objects, me, ahead) = (&planner.world.objects, planner.sender, planner.later());
    let fits = |entry: &Entry| {
        let valid = entry.number(fields::EXPIRATION).is_none_or(|at| at > ahead.into());
        let mine = !entry.has(fields::DESTINATION) || entry.toward == Some(me);
        let Some(offer) = read(entry).filter(|_| valid && mine) else { return false };
        let right = (entry.flags() & LSF_SELL != 0) == sells && offer.owner != me;
        let there = !sells || objects.owns_nft(offer.owner, offer.nft);
        right && there && !objects.is_held(offer.nft.0) && fits(&offer)
    };
    let offer = match of {
        Some(nft) => planner.part(Kind::NftOffer, nft.0, fits),
        None => planner.any(Kind::NftOffer, fits),
    }?;
    read(offer).ok_or(Wait::Object(Kind::NftOffer))
}

/// Whether a user can pay a price and keep its reserve for one object more.
fn can_pay(world: &World, fees: &Fees, who: Index, price: u64) -> bool {
    let account = &world.accounts[who];
    let fee = fees.fee(FeeClass::Ordinary).0;
    account.active && account.xrp.spendable_with(fees, 1) >= price.saturating_add(fee)
}

/// The sender buys what is offered.
fn bought(planner: &mut Planner<'_>, plan: Plan) -> Result<Plan, Wait> {
    let (world, fees, me) = (planner.world, planner.fees, planner.sender);
    let offer = find(planner, true, None, |offer| can_pay(world, fees, me, offer.price))?;
    let plan = plan.with(NF_TOKEN_SELL_OFFER, offer.id).spending(offer.price).owning(1);
    Ok(plan.holding(offer.id).holding(offer.nft.0).variant("buying"))
}

fn by_buyer(mut plan: Plan, offer: &Offer) -> Plan {
    plan.holds.others.push(OthersXrp { account: offer.owner, drops: offer.price, owners: 1 });
    plan.holding(offer.id).holding(offer.nft.0)
}

/// The sender sells to who offers.
fn sold(planner: &mut Planner<'_>, plan: Plan) -> Result<Plan, Wait> {
    planner.afford(0, 0)?;
    let (world, fees, me) = (planner.world, planner.fees, planner.sender);
    let pages = world.objects.owned(Kind::NftPage, me).flat_map(Entry::nfts);
    let mine: SmallVec<[Nft; 8]> = pages.collect();
    let (before, from) = mine.split_at(planner.below(mine.len() as u64) as usize);
    let mut turn = from.iter().chain(before);
    let can_pay = |offer: &Offer| can_pay(world, fees, offer.owner, offer.price);
    let offer = turn.find_map(|nft| find(planner, false, Some(*nft), can_pay).ok());
    let offer = offer.ok_or(Wait::Object(Kind::NftOffer))?;
    Ok(by_buyer(plan.with(NF_TOKEN_BUY_OFFER, offer.id), &offer).variant("selling"))
}

/// The sender brings two others together, and keeps a part of what the buyer pays.
fn brokered(planner: &mut Planner<'_>, plan: Plan) -> Result<Plan, Wait> {
    planner.afford(0, 0)?;
    let (world, fees) = (planner.world, planner.fees);
    let buy = find(planner, false, None, |buy| can_pay(world, fees, buy.owner, buy.price))?;
    let sell = find(planner, true, Some(buy.nft), |sell| {
        sell.owner != buy.owner && sell.price < buy.price
    })?;
    let fee = 1 + planner.below(buy.price - sell.price);
    let plan = plan
        .with(NF_TOKEN_BUY_OFFER, buy.id)
        .with(NF_TOKEN_SELL_OFFER, sell.id)
        .with_some(NF_TOKEN_BROKER_FEE, (fee < buy.price).then(|| drops(fee)));
    Ok(by_buyer(plan, &buy).holding(sell.id).variant("broker"))
}

#[derive(Debug)]
pub(super) struct NFTokenAcceptOffer;

static ABOUT: About = About {
    name: "NFTokenAcceptOffer",
    family: "NFTs",
    weight: 6,
    variants: &["buying", "selling", "broker"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("no offer at all", &["temMALFORMED"], |_, plan| {
            Some(plan.without(NF_TOKEN_BUY_OFFER).without(NF_TOKEN_SELL_OFFER))
        }),
        Mutation::new("a broker's fee without two offers", &["temMALFORMED"], |planner, plan| {
            let plan = plan.without(NF_TOKEN_BUY_OFFER);
            let plan = plan.with(NF_TOKEN_SELL_OFFER, planner.nothing());
            Some(plan.with(NF_TOKEN_BROKER_FEE, drops(1)))
        }),
        Mutation::new("offers that there are not", &["tecOBJECT_NOT_FOUND"], |planner, plan| {
            let plan = plan.without(NF_TOKEN_BUY_OFFER).without(NF_TOKEN_BROKER_FEE);
            Some(plan.with(NF_TOKEN_SELL_OFFER, planner.nothing()))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for NFTokenAcceptOffer {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let plan = Plan::new("NFTokenAcceptOffer");
        match planner.below(3) {
            0 => brokered(planner, plan.clone()).or_else(|_| bought(planner, plan)),
            1 => sold(planner, plan.clone()).or_else(|_| bought(planner, plan)),
            _ => bought(planner, plan.clone()).or_else(|_| sold(planner, plan)),
        }
    }
}
