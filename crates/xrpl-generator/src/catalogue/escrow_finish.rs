//! EscrowFinish (<https://xrpl.org/docs/references/protocol/transactions/types/escrowfinish>).

use xrpl_protocol::{
    Amount, Hash256,
    fields::{self, CONDITION, FULFILLMENT, OFFER_SEQUENCE, OWNER},
    object_id,
};

use super::{
    About, TransactionType,
    secrets::{condition, fulfillment, secret_of},
};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::{Entry, Kind},
    plan::{Plan, Wait},
    planner::Planner,
    world::World,
};

/// What a fulfillment of 36 bytes costs, base fees.
const FULFILLMENT_FEES: u64 = 35;
const LSF_LOCKED: u32 = 0x0001;

#[derive(Debug)]
pub(super) struct EscrowFinish;

static ABOUT: About = About {
    name: "EscrowFinish",
    family: "Escrows",
    variants: &["time", "condition"],
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("an escrow that there is not", &["tecNO_TARGET"], |_, plan| {
            Some(plan.with(OFFER_SEQUENCE, 1u32))
        }),
        Mutation::new("a condition without fulfillment", &["temMALFORMED"], |_, plan| {
            Some(plan.with(CONDITION, condition(&[7; 32])).without(FULFILLMENT))
        }),
        Mutation::new("a fulfillment without condition", &["temMALFORMED"], |_, plan| {
            Some(plan.with(FULFILLMENT, fulfillment(&[7; 32])).without(CONDITION))
        }),
        Mutation::new("another secret", &["tecCRYPTOCONDITION_ERROR"], |_, plan| {
            let other = [7; 32];
            Some(plan.with(CONDITION, condition(&other)).with(FULFILLMENT, fulfillment(&other)))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

/// What its receiver holds of a multi-purpose token that it is of.
fn receiving(world: &World, escrow: &Entry) -> Option<Hash256> {
    match escrow.amount(fields::AMOUNT)? {
        Amount::Mpt { id, .. } => {
            let receiver = world.accounts.find(escrow.account(fields::DESTINATION)?)?;
            Some(object_id::mptoken(id, world.accounts[receiver].id))
        }
        _ => None,
    }
}

impl TransactionType for EscrowFinish {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(planner.fees.figures().base * FULFILLMENT_FEES, 0)?;
        let (world, now) = (planner.world, planner.world.close_time);
        let later = planner.later();
        let ripe = |escrow: &Entry| {
            let finish = escrow.number(fields::FINISH_AFTER).is_none_or(|at| at < now.into());
            let cancel = escrow.number(fields::CANCEL_AFTER).is_none_or(|at| at > later.into());
            // Whoever gets a multi-purpose token must hold it by then.
            let holds = receiving(world, escrow).is_none_or(|token| {
                let known = world.objects.get(token).is_some_and(|held| held.flags() & LSF_LOCKED == 0);
                known && !world.objects.is_held(token)
            });
            finish && cancel && holds && escrow.has(fields::SEQUENCE)
        };
        // Whoever it is for, or whoever made it.
        let mut escrow = planner.mine(Kind::Escrow, ripe);
        if escrow.is_err() {
            escrow = planner.own(Kind::Escrow, ripe);
        }
        let Ok(escrow) = escrow else {
            let none = world.objects.owned(Kind::Escrow, planner.sender).next().is_none();
            let first = Wait::First("EscrowCreate");
            return Err(if none { first } else { Wait::CloseTime(now + 1) });
        };
        let missing = Wait::Object(Kind::Escrow);
        let owner = escrow.account(fields::ACCOUNT).ok_or(missing)?;
        let number = escrow.number(fields::SEQUENCE).and_then(|n| u32::try_from(n).ok());
        let plan = Plan::new("EscrowFinish")
            .with(OWNER, owner)
            .with(OFFER_SEQUENCE, number.ok_or(missing)?)
            .holding(escrow.id);
        let plan = match receiving(world, escrow) {
            Some(token) => plan.holding(token),
            None => plan,
        };
        if !escrow.has(fields::CONDITION) {
            return Ok(plan.variant("time"));
        }
        let secret = secret_of(planner, escrow).ok_or(missing)?;
        let plan = plan.with(CONDITION, condition(&secret));
        Ok(plan.with(FULFILLMENT, fulfillment(&secret)).variant("condition"))
    }
}
