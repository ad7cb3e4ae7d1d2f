//! Payment: XRP, and issued currencies from issuer to user, between users through the issuer, and back
//! to the issuer (<https://xrpl.org/docs/references/protocol/transactions/types/payment>).

mod mutations;

use smallvec::SmallVec;
use xrpl_protocol::{AccountId, Amount, Drops, transaction::Payment as Body};

use super::{About, TransactionType};
use crate::{
    accounts::Role,
    modifier::Modifier,
    plan::{Plan, Wait},
    planner::Planner,
    world::IssuedMove,
};

#[derive(Debug)]
pub(super) struct Payment;

static ABOUT: About = About {
    name: "Payment",
    weight: 100,
    roles: &[Role::User, Role::Gateway],
    modifiers: Modifier::DELEGABLE,
    mutations: mutations::ALL,
    ..About::TYPE
};

impl TransactionType for Payment {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let issues = planner.world.common_assets > 0;
        match issues && planner.one_in(3) {
            true => issued(planner),
            false => xrp(planner),
        }
    }
}

fn xrp(planner: &mut Planner<'_>) -> Result<Plan, Wait> {
    let drops = 1 + planner.below(1_000);
    let tag = planner.below(16);
    let user = planner.other_user()?;
    planner.afford(drops, 0)?;
    let tagged = planner.world.accounts.tagged().filter(|t| planner.world.accounts[*t].active);
    // One in sixteen goes to the account that demands a tag.
    let to = tagged.filter(|_| tag == 0).unwrap_or(user);
    let body = Body {
        destination_tag: (tag < 2).then(|| planner.below(1 << 32) as u32),
        ..Body::xrp(planner.id(to), Drops(drops))
    };
    let mut plan = Plan::payment(body).spending(drops).variant("XRP");
    (plan.holds.to, plan.learns) = (Some(to), false);
    Ok(plan)
}

fn issued(planner: &mut Planner<'_>) -> Result<Plan, Wait> {
    let value = planner.small_value()?;
    planner.afford(0, 0)?;
    let moved = match planner.me().role {
        Role::Gateway => issue(planner, value)?,
        _ => pay_or_redeem(planner, value)?,
    };
    let asset = planner.world.assets[usize::from(moved.asset)];
    let destination = match moved.to {
        Some(to) => planner.id(to),
        None => asset.issuer,
    };
    let mut plan = Plan::payment(to(destination, asset.amount(value))).variant("issued");
    plan.holds.issued = Some(moved);
    Ok(plan)
}

fn to(destination: AccountId, amount: Amount) -> Body {
    Body { destination, amount, send_max: None, destination_tag: None }
}

/// From the issuer to a user. The currency is drawn among those that every user has a line for since
/// the preparation, not among the lines that happen to be validated by now: so the draw is the same
/// whenever it is made.
fn issue(
    planner: &mut Planner<'_>,
    value: xrpl_protocol::IssuedValue,
) -> Result<IssuedMove, Wait> {
    let to = planner.other_user()?;
    let (world, sender) = (planner.world, planner.sender);
    let own: SmallVec<[u16; 8]> = (0..)
        .zip(&world.assets[..world.common_assets])
        .filter(|(_, asset)| asset.gateway == sender)
        .map(|(id, _)| id)
        .collect();
    let never = Wait::Never("it issues no currency that users hold");
    let asset = *planner.pick(&own).ok_or(never)?;
    match planner.has_room(to, asset, value) {
        true => Ok(IssuedMove { asset, from: None, to: Some(to), value }),
        false => Err(Wait::Until("there is no room on the trust line to this issuer")),
    }
}

/// From a user to another one through the issuer, or back to the issuer. Drawn as in [`issue`].
fn pay_or_redeem(
    planner: &mut Planner<'_>,
    value: xrpl_protocol::IssuedValue,
) -> Result<IssuedMove, Wait> {
    let asset = planner.asset()?;
    let redeem = planner.one_in(8);
    let other = planner.other_user().ok();
    planner.holds(planner.sender, asset, value)?;
    let to = other.filter(|_| !redeem).filter(|to| planner.has_room(*to, asset, value));
    Ok(IssuedMove { asset, from: Some(planner.sender), to, value })
}
