//! EscrowCreate
//! (<https://xrpl.org/docs/references/protocol/transactions/types/escrowcreate>): XRP, an issued
//! currency or a multi-purpose token, held until a time or until somebody knows a secret.

use xrpl_protocol::{
    Amount,
    fields::{self, AMOUNT, CANCEL_AFTER, CONDITION, DESTINATION, FINISH_AFTER},
};

use super::{
    About, TransactionType,
    secrets::{SECRETS, condition, preimage},
};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::{Entry, Kind},
    plan::{Plan, Wait, drops},
    planner::Planner,
    world::IssuedMove,
};

/// How many an account has.
const MOST: usize = 8;
const LSF_ALLOW_TRUST_LINE_LOCKING: u32 = 0x4000_0000;
const LSF_LOCKED: u32 = 0x0001;
const LSF_REQUIRE_AUTH: u32 = 0x0004;
const LSF_CAN_ESCROW: u32 = 0x0008;

#[derive(Debug)]
pub(super) struct EscrowCreate;

static ABOUT: About = About {
    name: "EscrowCreate",
    family: "Escrows",
    variants: &["XRP", "issued", "MPT"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("neither time nor condition", &["temMALFORMED"], |planner, plan| {
            let cancel = planner.later() + 9;
            let plan = plan.without(FINISH_AFTER).without(CONDITION);
            Some(plan.with(CANCEL_AFTER, cancel))
        }),
        Mutation::new("no time at all", &["temBAD_EXPIRATION"], |_, plan| {
            Some(plan.without(FINISH_AFTER).without(CANCEL_AFTER))
        }),
        Mutation::new("cancelled before it is finished", &["temBAD_EXPIRATION"], |planner, plan| {
            let time = planner.later();
            Some(plan.with(FINISH_AFTER, time + 9).with(CANCEL_AFTER, time))
        }),
        Mutation::new("amount 0", &["temBAD_AMOUNT"], |_, plan| Some(plan.with(AMOUNT, drops(0)))),
        Mutation::new("to nobody", &["tecNO_DST"], |planner, plan| {
            Some(plan.with(DESTINATION, planner.nobody()))
        }),
        Mutation::new("a time that has passed", &["tecNO_PERMISSION"], |planner, plan| {
            let passed = planner.world.close_time.checked_sub(60)?;
            let xrp = plan.holds.xrp > 0;
            xrp.then(|| plan.with(FINISH_AFTER, passed))
        }),
    ],
    ..About::TYPE
};

/// Some of a multi-purpose token that the sender has, for somebody who holds it too.
fn mpt(planner: &mut Planner<'_>, plan: Plan) -> Result<Plan, Wait> {
    let none = Wait::Object(Kind::MpToken);
    if !planner.has_amendment("TokenEscrow") {
        return Err(none);
    }
    let (world, me) = (planner.world, planner.sender);
    let lockable = |token: &Entry| {
        let issuance = token.part_of.and_then(|id| world.objects.get(id));
        issuance.is_some_and(|issuance| {
            let flags = issuance.flags();
            flags & LSF_CAN_ESCROW != 0 && flags & (LSF_LOCKED | LSF_REQUIRE_AUTH) == 0
        })
    };
    let from = planner.own(Kind::MpToken, |token| {
        let has = token.number(fields::MPT_AMOUNT).is_some_and(|amount| amount > 0);
        has && token.flags() & LSF_LOCKED == 0 && lockable(token)
    })?;
    let (id, has) = (from.mpt().ok_or(none)?, from.number(fields::MPT_AMOUNT).ok_or(none)?);
    let to = planner.part(Kind::MpToken, from.part_of.ok_or(none)?, |token| {
        let other = token.owner.is_some_and(|owner| owner != me);
        other && token.flags() & LSF_LOCKED == 0
    })?;
    let value = i64::try_from(1 + planner.below(has.min(10))).map_err(|_| none)?;
    let amount = Amount::Mpt { value, id };
    let plan = plan.with(DESTINATION, to.account(fields::ACCOUNT).ok_or(none)?).with(AMOUNT, amount);
    planner.paying(plan.holding(to.id).variant("MPT"), amount)
}

impl TransactionType for EscrowCreate {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.fewer(Kind::Escrow, MOST)?;
        let other = planner.other_user()?;
        let later = planner.later();
        let room = planner.below(60) as u32;
        let mut plan = Plan::new("EscrowCreate").with(DESTINATION, planner.id(other)).owning(1);
        if planner.one_in(3) {
            plan = plan.with(FINISH_AFTER, later).with(CANCEL_AFTER, later + 60 + room);
        } else {
            let which = planner.below(SECRETS.into()) as u8;
            let condition = condition(&preimage(planner, planner.sender, which));
            // Half of them are not finished in time.
            let soon = planner.one_in(2);
            let cancel = if soon { later + room / 4 } else { later + 600 };
            plan = plan.with(CONDITION, condition).with(CANCEL_AFTER, cancel);
        }
        let lockable = planner.asset().ok().filter(|asset| {
            if !planner.has_amendment("TokenEscrow") { return false; }
            let gateway = planner.world.assets[usize::from(*asset)].gateway;
            planner.world.accounts[gateway].flags & LSF_ALLOW_TRUST_LINE_LOCKING != 0
        });
        if planner.one_in(4)
            && let Ok(plan) = mpt(planner, plan.clone())
        {
            return Ok(plan);
        }
        if let Some(asset) = lockable
            && planner.one_in(4)
        {
            let value = planner.small_value()?;
            planner.afford(0, 1)?;
            planner.holds(planner.sender, asset, value)?;
            let from = Some(planner.sender);
            plan.holds.issued.push(IssuedMove { asset, from, to: None, value });
            let amount = planner.world.assets[usize::from(asset)].amount(value);
            return Ok(plan.with(AMOUNT, amount).variant("issued"));
        }
        let amount = 1 + planner.below(1_000_000);
        planner.afford(amount, 1)?;
        Ok(plan.with(AMOUNT, drops(amount)).spending(amount).variant("XRP"))
    }
}
