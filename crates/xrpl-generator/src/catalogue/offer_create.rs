//! OfferCreate (<https://xrpl.org/docs/references/protocol/transactions/types/offercreate>):
//! XRP and issued currencies for each other, at prices around one that cross now and then.

use xrpl_protocol::{
    Amount, IssuedValue,
    fields::{EXPIRATION, OFFER_SEQUENCE, TAKER_GETS, TAKER_PAYS},
};

use super::{About, TransactionType};
use crate::{
    accounts::Role,
    holdings::AssetId,
    modifier::Modifier,
    mutation::Mutation,
    objects::Kind,
    plan::{Plan, Wait, drops},
    planner::Planner,
    world::IssuedMove,
};

/// How many an account has.
const MOST: usize = 8;
const TF_IMMEDIATE_OR_CANCEL: u32 = 0x0002_0000;
const TF_FILL_OR_KILL: u32 = 0x0004_0000;
const TF_SELL: u32 = 0x0008_0000;

fn leaving(planner: &Planner<'_>, asset: AssetId, value: IssuedValue) -> IssuedMove {
    IssuedMove { asset, from: Some(planner.sender), to: None, value }
}

/// One that has an issued side, with so much there.
fn wrong_amount(mut plan: Plan, value: IssuedValue) -> Option<Plan> {
    let side = [TAKER_PAYS, TAKER_GETS].into_iter().find_map(|field| {
        match plan.fields().amount(field)? {
            Amount::Issued { currency, issuer, .. } => {
                Some((field, Amount::issued(value, currency, issuer)))
            }
            _ => None,
        }
    });
    let (field, amount) = side?;
    Some(plan.with(field, amount))
}

#[derive(Debug)]
pub(super) struct OfferCreate;

static ABOUT: About = About {
    name: "OfferCreate",
    weight: 12,
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("XRP for XRP", &["temBAD_OFFER"], |_, plan| {
            Some(plan.with(TAKER_PAYS, drops(1)).with(TAKER_GETS, drops(2)))
        }),
        Mutation::new("something for nothing", &["temBAD_OFFER"], |_, plan| {
            wrong_amount(plan, IssuedValue::ZERO)
        }),
        Mutation::new("a negative amount", &["temBAD_OFFER"], |_, plan| {
            wrong_amount(plan, IssuedValue::ONE.negated())
        }),
        Mutation::new("a currency for itself", &["temREDUNDANT"], |planner, plan| {
            let one = planner.unheld(IssuedValue::ONE).ok()?;
            Some(plan.with(TAKER_PAYS, one).with(TAKER_GETS, one))
        }),
        Mutation::new("a time before all time", &["temBAD_EXPIRATION"], |_, plan| {
            Some(plan.with(EXPIRATION, 0u32))
        }),
        Mutation::new("in place of offer 0", &["temBAD_SEQUENCE"], |_, plan| {
            Some(plan.with(OFFER_SEQUENCE, 0u32))
        }),
        Mutation::new("at once and wholly at once", &["temINVALID_FLAG"], |_, plan| {
            Some(plan.flagged(TF_IMMEDIATE_OR_CANCEL | TF_FILL_OR_KILL))
        }),
        Mutation::new("of what it does not have", &["tecUNFUNDED_OFFER"], |planner, plan| {
            let unheld = planner.unheld(IssuedValue::ONE).ok()?;
            Some(plan.with(TAKER_GETS, unheld).with(TAKER_PAYS, drops(1)))
        }),
        Mutation::new("expired already", &["tecEXPIRED"], |planner, plan| {
            Some(plan.with(EXPIRATION, planner.world.close_time.checked_sub(60)?))
        }),
    ],
    ..About::TYPE
};

impl TransactionType for OfferCreate {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.fewer(Kind::Offer, MOST)?;
        let (first, second) = (planner.asset()?, planner.asset()?);
        let hundredths = 90 + planner.below(21) as i64;
        let units = 1 + planner.below(10) as i64;
        let value = |hundredths: i64| {
            IssuedValue::new(units * hundredths, -2).map_err(|_| Wait::Never("there is no such value"))
        };
        let flags = if planner.one_in(4) { TF_SELL } else { 0 };
        let expires = planner.one_in(4).then(|| planner.later() + 120);
        let mut plan = Plan::new("OfferCreate").flagged(flags).with_some(EXPIRATION, expires).owning(1);
        if planner.one_in(8)
            && let Ok(old) = planner.own(Kind::Offer, |offer| offer.has("Sequence"))
        {
            let number = old.number("Sequence").and_then(|n| u32::try_from(n).ok());
            plan = plan.with_some(OFFER_SEQUENCE, number).holding(old.id);
        }
        let asset = |id: AssetId| planner.world.assets[usize::from(id)];
        let xrp = units.unsigned_abs() * 1_000_000;
        if first == second && planner.me().role == Role::User {
            // The currency for XRP, or XRP for the currency.
            let issued = asset(first).amount(value(hundredths)?);
            if planner.one_in(2) {
                planner.afford(xrp, 1)?;
                let plan = plan.with(TAKER_GETS, drops(xrp)).with(TAKER_PAYS, issued);
                return Ok(plan.spending(xrp).variant("XRP for a currency"));
            }
            planner.afford(0, 1)?;
            planner.holds(planner.sender, first, value(hundredths)?)?;
            let mut plan = plan.with(TAKER_GETS, issued).with(TAKER_PAYS, drops(xrp));
            plan.holds.issued.push(leaving(planner, first, value(hundredths)?));
            return Ok(plan.variant("a currency for XRP"));
        }
        planner.afford(0, 1)?;
        planner.holds(planner.sender, first, value(100)?)?;
        let (gets, pays) = (asset(first).amount(value(100)?), asset(second).amount(value(hundredths)?));
        if gets.issue() == pays.issue() {
            return Err(Wait::Until("the run has one currency only"));
        }
        let mut plan = plan.with(TAKER_GETS, gets).with(TAKER_PAYS, pays);
        plan.holds.issued.push(leaving(planner, first, value(100)?));
        Ok(plan.variant("currencies"))
    }
}
