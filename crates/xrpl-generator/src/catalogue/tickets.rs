//! Tickets: made, and used by any other type
//! (<https://xrpl.org/docs/references/protocol/transactions/types/ticketcreate>).

use xrpl_protocol::transaction::TicketCreate as Body;

use super::{Draft, Entry, NotNow, Tx};
use crate::{accounts::Role, fees::FeeClass, intent::Taint};

/// What one TicketCreate makes at most.
const BATCH: u64 = 5;
/// What an account has at most: far below the ledger's 250, and of little reserve.
const MOST: u32 = 20;

pub(super) static ENTRIES: &[Entry] = &[
    Entry {
        name: "TicketCreate",
        weight: 2,
        roles: &[Role::User],
        // On a Ticket it would move the account's Sequence besides: lanes would not expect it.
        on_ticket: false,
        build: build_create,
        effects: Some(|world, applied| world.learn_tickets(applied.metadata)),
        taints: CREATE_TAINTS,
    },
    Entry {
        name: "TicketUse",
        weight: 5,
        roles: &[Role::User],
        on_ticket: false,
        build: build_use,
        effects: None,
        taints: &[],
    },
];

fn build_create(draft: &mut Draft<'_>) -> Result<Tx, NotNow> {
    let count = 1 + draft.below(BATCH) as u32;
    if draft.me().planned_tickets + count > MOST {
        return Err(NotNow::Unable("has Tickets enough"));
    }
    draft.afford(0, FeeClass::Ordinary, count)?;
    Ok(Tx { owners: count, width: 1 + count, ..Tx::new(Body { count }) })
}

fn build_use(draft: &mut Draft<'_>) -> Result<Tx, NotNow> {
    let role = draft.me().role;
    if draft.me().planned_tickets == 0 {
        return Err(NotNow::Unable("has no Ticket"));
    }
    if draft.me().lane.free_tickets() == 0 {
        return Err(NotNow::Later);
    }
    let on_ticket = |entry: &Entry| entry.on_ticket;
    let entry = draft
        .catalogue
        .draw(draft.rng, role, on_ticket)
        .ok_or(NotNow::Unable("no type to put on a Ticket"))?;
    let tx = (entry.build)(draft)?;
    Ok(Tx { on_ticket: true, carries: Some(entry), ..tx })
}

static CREATE_TAINTS: &[Taint] = &[
    Taint {
        name: "no Ticket at all",
        expected: &["temINVALID_COUNT"],
        spoil: |_, tx| {
            tx.replace(Body { count: 0 });
            true
        },
    },
    Taint {
        name: "251 Tickets",
        expected: &["temINVALID_COUNT"],
        spoil: |_, tx| {
            tx.replace(Body { count: 251 });
            true
        },
    },
    Taint {
        name: "a flag TicketCreate does not have",
        expected: &["temINVALID_FLAG"],
        spoil: |_, tx| {
            tx.flags = 1;
            true
        },
    },
];
