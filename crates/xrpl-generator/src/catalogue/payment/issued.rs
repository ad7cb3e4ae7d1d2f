//! Payments of issued currencies: from issuer to user, between users through the issuer, back to the
//! issuer, and of one currency for another.

use smallvec::SmallVec;
use xrpl_protocol::{
    Amount, Issue, IssuedValue, Value,
    fields::{DELIVER_MIN, PATHS},
    object::PathStep,
};

use super::to;
use crate::{
    accounts::Role,
    catalogue::pools,
    objects::Kind,
    plan::{Plan, Wait},
    planner::Planner,
    world::IssuedMove,
};

const TF_NO_RIPPLE_DIRECT: u32 = 0x0001_0000;
const TF_PARTIAL_PAYMENT: u32 = 0x0002_0000;
const TF_LIMIT_QUALITY: u32 = 0x0004_0000;

pub(super) fn plan(planner: &mut Planner<'_>) -> Result<Plan, Wait> {
    if planner.me().role == Role::User
        && planner.one_in(6)
        && let Ok(plan) = across(planner)
    {
        return Ok(plan);
    }
    let value = planner.small_value()?;
    planner.afford(0, 0)?;
    let moved = match planner.me().role {
        Role::Gateway => issue(planner, value)?,
        _ => pay_or_redeem(planner, value)?,
    };
    let asset = planner.world.assets[usize::from(moved.asset)];
    let amount = asset.amount(value);
    let mut body = to(moved.to.map_or(asset.issuer, |to| planner.id(to)), amount);
    let between_users = moved.from.is_some() && moved.to.is_some();
    let form = if between_users { planner.below(8) } else { u64::MAX };
    body.send_max = (form < 3).then_some(amount);
    let plan = Plan::payment(body);
    let mut plan = match form {
        // As much as arrives of it; all of it does.
        0 => {
            let half = value.mul_ratio(1, 2, false).map_err(|_| Wait::Never("there is no half"))?;
            let plan = plan.with(DELIVER_MIN, asset.amount(half)).flagged(TF_PARTIAL_PAYMENT);
            plan.variant("partial")
        }
        // The way that it would take anyhow, spelled out.
        1 => {
            let step = PathStep { account: Some(asset.issuer), ..PathStep::default() };
            let plan = plan.with(PATHS, Value::PathSet(vec![vec![step]]));
            plan.flagged(TF_NO_RIPPLE_DIRECT).variant("through paths")
        }
        // No worse than one for one.
        2 => plan.flagged(TF_LIMIT_QUALITY).variant("limited quality"),
        _ => plan.variant("issued"),
    };
    plan.holds.issued.push(moved);
    Ok(plan)
}

/// A little of one side of a pool for the other side, at most for far more than that costs: whatever
/// becomes of its price, and of offers, the pool gives it.
fn across(planner: &mut Planner<'_>) -> Result<Plan, Wait> {
    let world = planner.world;
    let pool = pools::pool(planner, |pool| pool.is_deep(world))?;
    let hundredths = 1 + planner.below(5) as i64;
    let [one, other] = pool.assets;
    let (pays, gets) = if planner.one_in(2) { (one, other) } else { (other, one) };
    let none = Wait::Object(Kind::Amm);
    let amount = pools::hundredths(gets, hundredths).ok_or(none)?;
    let most = pools::hundredths(pays, pools::FAR * hundredths).ok_or(none)?;
    let receiver = planner.other_user()?;
    if let (Amount::Issued { value, .. }, Issue::Issued { currency, issuer }) = (amount, gets) {
        let asset = planner.world.asset(currency, issuer).ok_or(none)?;
        if !planner.has_room(receiver, asset, value) {
            return Err(Wait::Until("there is no room on the trust line to this issuer"));
        }
    }
    let mut body = to(planner.id(receiver), amount);
    body.send_max = Some(most);
    let plan = Plan::payment(body).variant("cross-currency");
    planner.paying(plan, most)
}

/// From the issuer to a user. The currency is drawn among those that every user has a line for since
/// the preparation, not among the lines that happen to be validated by now: so the draw is the same
/// whenever it is made.
fn issue(
    planner: &mut Planner<'_>,
    value: IssuedValue,
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
    value: IssuedValue,
) -> Result<IssuedMove, Wait> {
    let asset = planner.asset()?;
    let redeem = planner.one_in(8);
    let other = planner.other_user().ok();
    planner.holds(planner.sender, asset, value)?;
    let to = other.filter(|_| !redeem).filter(|to| planner.has_room(*to, asset, value));
    Ok(IssuedMove { asset, from: Some(planner.sender), to, value })
}
