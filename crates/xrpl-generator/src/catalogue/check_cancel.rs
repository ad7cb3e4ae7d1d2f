//! CheckCancel (<https://xrpl.org/docs/references/protocol/transactions/types/checkcancel>).

use xrpl_protocol::fields::{self, CHECK_ID};

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    objects::{Entry, Kind},
    plan::{Plan, Wait},
    planner::Planner,
};

#[derive(Debug)]
pub(super) struct CheckCancel;

static ABOUT: About = About {
    name: "CheckCancel",
    family: "Checks",
    modifiers: Modifier::DELEGABLE,
    mutations: &[
        Mutation::new("a check that there is not", &["tecNO_ENTRY"], |planner, plan| {
            Some(plan.with(CHECK_ID, planner.nothing()))
        }),
        // Its end may come first.
        Mutation::new("somebody else's", &["tecNO_PERMISSION", "tecNO_ENTRY"], |planner, plan| {
            let (me, ahead) = (Some(planner.sender), planner.later());
            let others = |check: &Entry| {
                let valid = check.number(fields::EXPIRATION).is_none_or(|at| at > ahead.into());
                check.owner != me && check.toward != me && valid
            };
            Some(plan.with(CHECK_ID, planner.any(Kind::Check, others).ok()?.id))
        }),
        Mutation::unknown_flag(),
    ],
    ..About::TYPE
};

impl TransactionType for CheckCancel {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        planner.afford(0, 0)?;
        let received = planner.one_in(2);
        let mut check = match received {
            true => planner.mine(Kind::Check, |_| true),
            false => planner.own(Kind::Check, |_| true),
        };
        if check.is_err() {
            check = planner.own(Kind::Check, |_| true);
        }
        let check = check.map_err(|_| Wait::First("CheckCreate"))?;
        Ok(Plan::new("CheckCancel").with(CHECK_ID, check.id).holding(check.id))
    }
}
