//! Payment: XRP, and issued currencies from issuer to user, between users through the issuer, and back
//! to the issuer (<https://xrpl.org/docs/references/protocol/transactions/types/payment>).

mod mutations;

use smallvec::SmallVec;
use xrpl_protocol::{AccountId, Amount, Drops, object_id, transaction::Payment as Body};

use super::{About, TransactionType};
use crate::{
    accounts::Role,
    modifier::Modifier,
    objects::{Entry, Kind},
    plan::{Plan, Wait},
    planner::Planner,
    world::IssuedMove,
};

const LSF_LOCKED: u32 = 0x0001;
const LSF_AUTHORIZED: u32 = 0x0002;
const LSF_REQUIRE_AUTH: u32 = 0x0004;

/// How many deletions an account is given, of which all but one may be wrong.
const DELETIONS: u64 = 4;

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
        if planner.me().role == Role::User
            && planner.one_in(32)
            && let Some(new) = planner.unborn()
        {
            return create(planner, new);
        }
        if planner.world.common_assets > 0 && planner.one_in(3) {
            return issued(planner);
        }
        // Where there is such a token by now.
        if planner.world.objects.count(Kind::MpToken) > 0 && planner.one_in(4) {
            return mpt(planner).or_else(|_| xrp(planner));
        }
        xrp(planner)
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

/// XRP that creates an account: enough to delete it again.
fn create(planner: &mut Planner<'_>, new: AccountId) -> Result<Plan, Wait> {
    let drops = planner.fees.reserve(0) + DELETIONS * planner.fees.figures().increment;
    planner.afford(drops, 0)?;
    let plan = Plan::payment(Body::xrp(new, Drops(drops))).spending(drops);
    Ok(plan.holding(object_id::account_root(new)).variant("new account"))
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
    plan.holds.issued.push(moved);
    Ok(plan)
}

/// A multi-purpose token: from its issuer to a holder, between holders, or back.
fn mpt(planner: &mut Planner<'_>) -> Result<Plan, Wait> {
    planner.afford(0, 0)?;
    let none = Wait::Object(Kind::MpToken);
    let usable = |entry: &Entry| entry.flags() & LSF_LOCKED == 0;
    let (world, me) = (planner.world, planner.sender);
    let allowed = |token: &Entry| {
        let issuance = token.mpt().and_then(|id| world.objects.get(object_id::mpt_issuance(id)));
        let asks = issuance.is_some_and(|issuance| issuance.flags() & LSF_REQUIRE_AUTH != 0);
        let authorized = !asks || token.flags() & LSF_AUTHORIZED != 0;
        usable(token) && authorized && issuance.is_some_and(usable)
    };
    if planner.one_in(2)
        && let Ok(from) = planner.own(Kind::MpToken, |token| {
            allowed(token) && token.number("MPTAmount").is_some_and(|amount| amount > 0)
        })
    {
        let (id, has) = (from.mpt().ok_or(none)?, from.number("MPTAmount").ok_or(none)?);
        let value = i64::try_from(1 + planner.below(has.min(10))).map_err(|_| none)?;
        let amount = Amount::Mpt { value, id };
        let to_holder = planner.any(Kind::MpToken, |token| {
            token.mpt() == Some(id) && token.owner.is_some_and(|owner| owner != me) && allowed(token)
        });
        return Ok(match to_holder.ok().and_then(|to| Some((to.id, to.account("Account")?))) {
            Some((token, holder)) => {
                Plan::payment(to(holder, amount)).holding(from.id).holding(token).variant("MPT")
            }
            None => {
                Plan::payment(to(id.issuer(), amount)).holding(from.id).variant("MPT, back")
            }
        });
    }
    let issuance = planner.own(Kind::MpTokenIssuance, usable)?;
    let id = issuance.mpt();
    let token = planner.any(Kind::MpToken, |token| {
        token.mpt() == id && token.owner.is_some() && allowed(token)
    })?;
    let amount = Amount::Mpt { value: 1 + planner.below(100) as i64, id: id.ok_or(none)? };
    let plan = Plan::payment(to(token.account("Account").ok_or(none)?, amount));
    Ok(plan.holding(issuance.id).holding(token.id).variant("MPT, issued"))
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
