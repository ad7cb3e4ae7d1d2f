//! EscrowFinish (<https://xrpl.org/docs/references/protocol/transactions/types/escrowfinish>).

use xrpl_protocol::fields::{CONDITION, FULFILLMENT, OFFER_SEQUENCE, OWNER};

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
};

/// What a fulfillment of 36 bytes costs, base fees.
const FULFILLMENT_FEES: u64 = 35;

#[derive(Debug)]
pub(super) struct EscrowFinish;

static ABOUT: About = About {
    name: "EscrowFinish",
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

impl TransactionType for EscrowFinish {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(planner.fees.figures().base * FULFILLMENT_FEES, 0)?;
        let (world, now) = (planner.world, planner.world.close_time);
        let later = planner.later();
        let ripe = |escrow: &Entry| {
            let finish = escrow.number("FinishAfter").is_none_or(|at| at < now.into());
            let cancel = escrow.number("CancelAfter").is_none_or(|at| at > later.into());
            finish && cancel && escrow.has("Sequence")
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
        let owner = escrow.account("Account").ok_or(missing)?;
        let number = escrow.number("Sequence").and_then(|n| u32::try_from(n).ok());
        let plan = Plan::new("EscrowFinish")
            .with(OWNER, owner)
            .with(OFFER_SEQUENCE, number.ok_or(missing)?)
            .holding(escrow.id);
        if !escrow.has("Condition") {
            return Ok(plan.variant("time"));
        }
        let secret = secret_of(planner, escrow).ok_or(missing)?;
        let plan = plan.with(CONDITION, condition(&secret));
        Ok(plan.with(FULFILLMENT, fulfillment(&secret)).variant("condition"))
    }
}
