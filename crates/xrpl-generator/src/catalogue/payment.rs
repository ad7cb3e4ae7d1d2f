//! Payment: XRP, also to create an account, issued currencies and multi-purpose tokens
//! (<https://xrpl.org/docs/references/protocol/transactions/types/payment>).

mod issued;
mod mpt;
mod mutations;

use xrpl_protocol::{AccountId, Amount, Drops, object_id, transaction::Payment as Body};

use super::{About, TransactionType};
use crate::{
    accounts::Role,
    modifier::Modifier,
    objects::Kind,
    plan::{Plan, Wait},
    planner::Planner,
};

/// How many deletions an account is given, of which all but one may be wrong.
const DELETIONS: u64 = 4;

#[derive(Debug)]
pub(super) struct Payment;

static ABOUT: About = About {
    name: "Payment",
    family: "Payments",
    weight: 100,
    roles: &[Role::User, Role::Gateway],
    variants: &["XRP", "new account", "issued", "partial", "through paths", "limited quality", "cross-currency", "MPT, issued", "MPT", "MPT, back"],
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
            return issued::plan(planner);
        }
        // Where there is such a token by now.
        if planner.world.objects.count(Kind::MpToken) > 0 && planner.one_in(4) {
            return mpt::plan(planner).or_else(|_| xrp(planner));
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

fn to(destination: AccountId, amount: Amount) -> Body {
    Body { destination, amount, send_max: None, destination_tag: None }
}
