//! Payments of multi-purpose tokens: from an issuer to a holder, between holders, or back.

use xrpl_protocol::{Amount, fields};

use super::to;
use crate::{
    objects::{Entry, Kind},
    plan::{Plan, Wait},
    planner::Planner,
};

const LSF_LOCKED: u32 = 0x0001;
const LSF_AUTHORIZED: u32 = 0x0002;
const LSF_REQUIRE_AUTH: u32 = 0x0004;

pub(super) fn plan(planner: &mut Planner<'_>) -> Result<Plan, Wait> {
    planner.afford(0, 0)?;
    let none = Wait::Object(Kind::MpToken);
    let usable = |entry: &Entry| entry.flags() & LSF_LOCKED == 0;
    let (world, me) = (planner.world, planner.sender);
    let allowed = |token: &Entry| {
        let issuance = token.part_of.and_then(|id| world.objects.get(id));
        let asks = issuance.is_some_and(|issuance| issuance.flags() & LSF_REQUIRE_AUTH != 0);
        let authorized = !asks || token.flags() & LSF_AUTHORIZED != 0;
        usable(token) && authorized && issuance.is_some_and(usable)
    };
    if planner.one_in(2)
        && let Ok(from) = planner.own(Kind::MpToken, |token| {
            allowed(token) && token.number(fields::MPT_AMOUNT).is_some_and(|amount| amount > 0)
        })
    {
        let (id, has) = (from.mpt().ok_or(none)?, from.number(fields::MPT_AMOUNT).ok_or(none)?);
        let value = i64::try_from(1 + planner.below(has.min(10))).map_err(|_| none)?;
        let amount = Amount::Mpt { value, id };
        let to_holder = planner.part(Kind::MpToken, from.part_of.ok_or(none)?, |token| {
            token.owner.is_some_and(|owner| owner != me) && allowed(token)
        });
        return Ok(match to_holder.ok().and_then(|to| Some((to.id, to.account(fields::ACCOUNT)?))) {
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
    let token = planner.part(Kind::MpToken, issuance.id, |token| {
        token.owner.is_some() && allowed(token)
    })?;
    let amount = Amount::Mpt { value: 1 + planner.below(100) as i64, id: id.ok_or(none)? };
    let plan = Plan::payment(to(token.account(fields::ACCOUNT).ok_or(none)?, amount));
    Ok(plan.holding(issuance.id).holding(token.id).variant("MPT, issued"))
}
