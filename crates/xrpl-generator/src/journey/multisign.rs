//! Tickets (<https://xrpl.org/docs/concepts/accounts/tickets>) and multi-signing
//! (<https://xrpl.org/docs/concepts/accounts/multi-signing>).

use smallvec::smallvec;
use xrpl_protocol::{
    Drops,
    fields::{SIGNER_ENTRIES, SIGNER_QUORUM, TICKET_COUNT},
    object_id,
    transaction::Payment,
};

use super::{Journey, Party, Scene, Step};
use crate::{
    catalogue::signer_list_set::entries,
    plan::{Authorization, Place, Plan, Wait, Width},
};

/// How many Tickets are set aside.
const TICKETS: u32 = 2;
/// What is paid, drops.
const PAID: u64 = 1_000;

/// On the n-th Ticket, signed by both signers.
fn signed_by_both(scene: &Scene<'_>, plan: Plan, n: usize) -> Result<Plan, Wait> {
    let signers = smallvec![scene.party("first_signer")?, scene.party("second_signer")?];
    let authorization = Authorization::Multi(signers);
    let place = Place::KeptTicket(scene.ticket("tickets", n)?);
    Ok(Plan { place, authorization, ..plan })
}

pub(super) static TICKETS_SIGNED: Journey = Journey {
    name: "tickets_multisign",
    shows: "An account creates Tickets, makes two others its signers, and they pay with a Ticket.",
    needs: &[],
    parties: &[
        // Users' lists are the load's, and those of a bridge's door name its witnesses.
        Party::gateway("owner").reserving(object_id::signer_list),
        Party::user("first_signer"),
        Party::user("second_signer"),
    ],
    steps: &[
        Step {
            name: "tickets",
            transaction_type: "TicketCreate",
            by: "owner",
            acts_on: &[],
            does: "The owner sets two Tickets aside.",
            plan: |scene| {
                scene.afford(0, TICKETS)?;
                let plan = Plan::new("TicketCreate").with(TICKET_COUNT, TICKETS).owning(TICKETS);
                Ok(Plan { width: Width::Exactly(1 + TICKETS), ..plan })
            },
        },
        Step {
            name: "signers",
            transaction_type: "SignerListSet",
            by: "owner",
            acts_on: &[],
            does: "The owner names two signers, who must both sign.",
            plan: |scene| {
                scene.node_is_calm()?;
                scene.afford(0, 1)?;
                let signers =
                    [(scene.address("first_signer")?, 1), (scene.address("second_signer")?, 1)];
                Ok(Plan::new("SignerListSet")
                    .with(SIGNER_QUORUM, 2u32)
                    .with(SIGNER_ENTRIES, entries(&signers))
                    .owning(1))
            },
        },
        Step {
            name: "pay",
            transaction_type: "Payment",
            by: "owner",
            acts_on: &["tickets", "signers"],
            does: "Both sign a payment of the owner's, on a Ticket.",
            plan: |scene| {
                // Each signature costs the ordinary fee once more.
                scene.afford(PAID + 3 * scene.fees.figures().base, 0)?;
                let to = scene.party("first_signer")?;
                let body = Payment::xrp(scene.id(to), Drops(PAID));
                let mut plan = signed_by_both(scene, Plan::payment(body).spending(PAID), 0)?;
                plan.holds.to = Some(to);
                Ok(plan)
            },
        },
        Step {
            name: "disband",
            transaction_type: "SignerListSet",
            by: "owner",
            acts_on: &["tickets", "signers"],
            does: "Both sign that the list is removed, on the other Ticket.",
            plan: |scene| {
                scene.node_is_calm()?;
                scene.afford(3 * scene.fees.figures().base, 0)?;
                signed_by_both(scene, Plan::new("SignerListSet").with(SIGNER_QUORUM, 0u32), 1)
            },
        },
    ],
};
