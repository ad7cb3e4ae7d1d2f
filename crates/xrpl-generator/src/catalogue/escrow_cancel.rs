//! EscrowCancel (<https://xrpl.org/docs/references/protocol/transactions/types/escrowcancel>).

use xrpl_protocol::fields::{self, OFFER_SEQUENCE, OWNER};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::{Entry, Kind},
    plan::{Plan, Wait},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct EscrowCancel;

static ABOUT: About = About {
    name: "EscrowCancel",
    family: "Escrows",
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("an escrow that there is not", &["tecNO_TARGET"], |_, plan| {
            Some(plan.with(OFFER_SEQUENCE, 1u32))
        }),
        // Its end may come first.
        Mutation::new("too early", &["tecNO_PERMISSION", "tecNO_TARGET"], |planner, plan| {
            let later = planner.later();
            let early = |escrow: &Entry| {
                escrow.number(fields::CANCEL_AFTER).is_none_or(|at| at > later.into())
            };
            let escrow = planner.any(Kind::Escrow, early).ok()?;
            let number = u32::try_from(escrow.number(fields::SEQUENCE)?).ok()?;
            Some(plan.with(OWNER, escrow.account(fields::ACCOUNT)?).with(OFFER_SEQUENCE, number))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for EscrowCancel {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let now = planner.world.close_time;
        let over = |escrow: &Entry| {
            escrow.number(fields::CANCEL_AFTER).is_some_and(|at| at < now.into()) && escrow.has(fields::SEQUENCE)
        };
        // Anybody may clear away what was not finished in time.
        let mut escrow = planner.own(Kind::Escrow, over);
        if escrow.is_err() {
            escrow = planner.any(Kind::Escrow, over);
        }
        let missing = Wait::Object(Kind::Escrow);
        let Ok(escrow) = escrow else {
            let none = planner.world.objects.count(Kind::Escrow) == 0;
            return Err(if none { Wait::First("EscrowCreate") } else { Wait::CloseTime(now + 1) });
        };
        let number = escrow.number(fields::SEQUENCE).and_then(|n| u32::try_from(n).ok());
        Ok(Plan::new("EscrowCancel")
            .with(OWNER, escrow.account(fields::ACCOUNT).ok_or(missing)?)
            .with(OFFER_SEQUENCE, number.ok_or(missing)?)
            .holding(escrow.id))
    }
}
