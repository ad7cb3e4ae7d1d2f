//! TicketCreate (<https://xrpl.org/docs/references/protocol/transactions/types/ticketcreate>). What
//! is made is used by the modifier `ticket`.

use xrpl_protocol::fields::TICKET_COUNT;

use super::{About, TransactionType};
use crate::{
    modifier::Modifier,
    mutation::Mutation,
    plan::{Plan, Wait, Width},
    planner::Planner,
};

/// What one TicketCreate makes at most.
const AT_ONCE: u64 = 5;
/// What an account has at most: far below the ledger's 250, and of little reserve.
const MOST: usize = 20;

#[derive(Debug)]
pub(super) struct TicketCreate;

static ABOUT: About = About {
    name: "TicketCreate",
    family: "Accounts",
    modifiers: Modifier::WIDE,
    mutations: &[
            Mutation::new("no Ticket at all", &["temINVALID_COUNT"], |_, plan| {
                Some(plan.with(TICKET_COUNT, 0u32))
            }),
            Mutation::new("251 Tickets", &["temINVALID_COUNT"], |_, plan| {
                Some(plan.with(TICKET_COUNT, 251u32))
            }),
            Mutation::unknown_flag(),
        ],
    ..About::TYPE
};

impl TransactionType for TicketCreate {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn plan(&self, planner: &mut Planner<'_>) -> Result<Plan, Wait> {
        let count = 1 + planner.below(AT_ONCE) as u32;
        let has = planner.me().lane.free_tickets() + planner.me().xrp.owners_pending as usize;
        if has + count as usize > MOST {
            return Err(Wait::Until("it has Tickets enough"));
        }
        planner.afford(0, count)?;
        let plan = Plan::new("TicketCreate").with(TICKET_COUNT, count).owning(count);
        Ok(Plan { width: Width::Exactly(1 + count), ..plan })
    }
}
