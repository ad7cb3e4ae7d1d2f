//! OfferCreate (<https://xrpl.org/docs/references/protocol/transactions/types/offercreate>):
//! XRP and issued currencies for each other, at prices around one that cross now and then.

use xrpl_protocol::{
    Amount, IssuedValue,
    fields::{self, DOMAIN_ID, EXPIRATION, OFFER_SEQUENCE, TAKER_GETS, TAKER_PAYS},
};

use super::{
    About, TransactionType,
    pools::{FAR, hundredths, pool},
};
use crate::{
    accounts::Role,
    holdings::AssetId,
    modifier::Modifier,
    mutation::Mutation,
    objects::{Entry, Kind},
    plan::{Plan, Wait, drops},
    planner::Planner,
    world::IssuedMove,
};

/// How many an account has.
const MOST: usize = 8;
const TF_PASSIVE: u32 = 0x0001_0000;
const TF_IMMEDIATE_OR_CANCEL: u32 = 0x0002_0000;
const TF_FILL_OR_KILL: u32 = 0x0004_0000;
const TF_SELL: u32 = 0x0008_0000;
const TF_HYBRID: u32 = 0x0010_0000;

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
    family: "Exchange",
    weight: 12,
    variants: &["XRP for a currency", "a currency for XRP", "currencies", "passive", "at once", "wholly at once", "in a domain", "hybrid"],
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

/// An offer without amounts: one that may cross, one that crosses only what is better, or one in a
/// domain of its owner, which is in it.
fn form(planner: &mut Planner<'_>) -> Plan {
    let plan = Plan::new("OfferCreate");
    let sells = if planner.one_in(4) { TF_SELL } else { 0 };
    let form = planner.below(12);
    if form == 0 {
        return plan.flagged(TF_PASSIVE | sells).variant("passive");
    }
    if form < 3
        && planner.has_amendment("PermissionedDEX")
        && let Ok(domain) = planner.own(Kind::PermissionedDomain, |_| true)
    {
        let plan = plan.with(DOMAIN_ID, domain.id).holding(domain.id);
        return match form {
            1 => plan.flagged(sells).variant("in a domain"),
            _ => plan.flagged(TF_HYBRID | sells).variant("hybrid"),
        };
    }
    plan.flagged(sells)
}

/// One that is taken at once or not at all: of a pool, for less than that gives for it whatever becomes of
/// its price.
fn at_once(planner: &mut Planner<'_>) -> Result<Plan, Wait> {
    let world = planner.world;
    let pool = pool(planner, |pool| pool.is_deep(world))?;
    let [one, other] = pool.assets;
    let (gets, pays) = if planner.one_in(2) { (one, other) } else { (other, one) };
    let units = 1 + planner.below(5) as i64;
    let none = Wait::Object(Kind::Amm);
    // One of its own that it would cross is removed, and then nothing is taken.
    let sells = |offer: &Entry, issue| offer.amount(fields::TAKER_GETS).map(|gets| gets.issue()) == Some(issue);
    let mut own = planner.world.objects.owned(Kind::Offer, planner.sender);
    if planner.me().xrp.owners_pending > 0 || own.any(|offer| sells(offer, pays)) {
        return Err(Wait::InFlight);
    }
    let gets = hundredths(gets, FAR * units).ok_or(none)?;
    let pays = hundredths(pays, units).ok_or(none)?;
    // Without it one that gets more than it asks for is killed.
    let (flags, variant) = match planner.one_in(2) || !planner.has_amendment("fixFillOrKill") {
        true => (TF_IMMEDIATE_OR_CANCEL, "at once"),
        false => (TF_FILL_OR_KILL, "wholly at once"),
    };
    let plan = Plan::new("OfferCreate")
        .with(TAKER_GETS, gets)
        .with(TAKER_PAYS, pays)
        .flagged(flags)
        .owning(1)
        .variant(variant);
    planner.paying(plan, gets)
}

impl TransactionType for OfferCreate {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.fewer(Kind::Offer, MOST)?;
        if planner.one_in(6)
            && let Ok(plan) = at_once(planner)
        {
            return Ok(plan);
        }
        let (first, second) = (planner.asset()?, planner.asset()?);
        let hundredths = 90 + planner.below(21) as i64;
        let units = 1 + planner.below(10) as i64;
        let value = |hundredths: i64| {
            IssuedValue::new(units * hundredths, -2).map_err(|_| Wait::Never("there is no such value"))
        };
        let expires = planner.one_in(4).then(|| planner.later() + 120);
        let mut plan = form(planner).with_some(EXPIRATION, expires).owning(1);
        let variant = plan.variant;
        let domain = plan.fields().hash256(DOMAIN_ID);
        if planner.one_in(8)
            && let Ok(old) = planner.own(Kind::Offer, |offer| {
                // xrpld's invariants let no transaction in one domain remove offers of another.
                offer.has(fields::SEQUENCE) && offer.hash(fields::DOMAIN_ID) == domain
            })
        {
            let number = old.number(fields::SEQUENCE).and_then(|n| u32::try_from(n).ok());
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
                return Ok(plan.spending(xrp).variant(variant.unwrap_or("XRP for a currency")));
            }
            planner.afford(0, 1)?;
            planner.holds(planner.sender, first, value(hundredths)?)?;
            let mut plan = plan.with(TAKER_GETS, issued).with(TAKER_PAYS, drops(xrp));
            plan.holds.issued.push(leaving(planner, first, value(hundredths)?));
            return Ok(plan.variant(variant.unwrap_or("a currency for XRP")));
        }
        planner.afford(0, 1)?;
        planner.holds(planner.sender, first, value(100)?)?;
        let (gets, pays) = (asset(first).amount(value(100)?), asset(second).amount(value(hundredths)?));
        if gets.issue() == pays.issue() {
            return Err(Wait::Until("the run has one currency only"));
        }
        let mut plan = plan.with(TAKER_GETS, gets).with(TAKER_PAYS, pays);
        plan.holds.issued.push(leaving(planner, first, value(100)?));
        Ok(plan.variant(variant.unwrap_or("currencies")))
    }
}
