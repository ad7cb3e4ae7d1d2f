//! TicketCreate (<https://xrpl.org/docs/references/protocol/transactions/types/ticketcreate>).

use xrpl_protocol::{EngineResult, fields, object_id};

use super::{ApplyContext, Consequences, PreclaimContext, PreflightContext, Transactor};
use crate::ledger::{
    ApplyView, PreparedTx, ReadView, SeqProxy, Ter, directory, entry_type,
    helpers::account_root::{adjust_owner_count, reserve, sequence_of},
};

/// Tickets an account may have, and one transaction may create.
const MAX_TICKETS: u32 = 250;

/// The type.
#[derive(Debug)]
pub(super) struct TicketCreate;

fn count(tx: &PreparedTx) -> u32 {
    tx.object.u32(fields::TICKET_COUNT).unwrap_or_default()
}

impl Transactor for TicketCreate {
    fn preflight(&self, ctx: &PreflightContext<'_>) -> Ter {
        let tx = ctx.tx;
        if (1..=MAX_TICKETS).contains(&count(tx)) {
            Ok(())
        } else {
            Err(EngineResult::TEM_INVALID_COUNT)
        }
    }

    fn preclaim(&self, ctx: &PreclaimContext<'_>) -> Ter {
        let root = ctx.view.account(ctx.tx.account).ok_or(EngineResult::TER_NO_ACCOUNT)?;
        let have = root.u32(fields::TICKET_COUNT).unwrap_or_default();
        let used = u32::from(matches!(ctx.tx.seq, SeqProxy::Ticket(_)));
        if have.saturating_add(count(ctx.tx)).saturating_sub(used) > MAX_TICKETS {
            return Err(EngineResult::TEC_DIR_FULL);
        }
        Ok(())
    }

    fn apply(&self, ctx: &mut ApplyContext<'_>) -> Ter {
        let (account, count) = (ctx.tx.account, count(ctx.tx));
        let root = ctx.view.account(account).ok_or(EngineResult::TEF_INTERNAL)?;
        if ctx.prior_balance < reserve(&ctx.view, &root, count) {
            return Err(EngineResult::TEC_INSUFFICIENT_RESERVE);
        }
        // The frame has already moved the Sequence behind this transaction.
        let first = sequence_of(&root);
        for number in (first..).take(count as usize) {
            let key = object_id::ticket(account, number);
            let page = directory::add_owned(&mut ctx.view, account, key)
                .ok_or(EngineResult::TEC_DIR_FULL)?;
            let ticket = entry_type::new(entry_type::TICKET)
                .with(fields::ACCOUNT, account)
                .with(fields::TICKET_SEQUENCE, number)
                .with(fields::OWNER_NODE, page);
            ctx.view.insert(key, ticket);
        }
        adjust_owner_count(&mut ctx.view, account, count.into())?;
        let root = ctx.account_root()?;
        let have = root.u32(fields::TICKET_COUNT).unwrap_or_default();
        root.set(fields::TICKET_COUNT, have.saturating_add(count).into());
        root.set(fields::SEQUENCE, first.saturating_add(count).into());
        Ok(())
    }

    fn consequences(&self, tx: &PreparedTx) -> Consequences {
        Consequences { following: tx.seq, ..Consequences::normal(tx) }.consuming(count(tx))
    }
}
