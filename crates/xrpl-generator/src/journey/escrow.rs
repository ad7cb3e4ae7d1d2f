//! Escrows (<https://xrpl.org/docs/concepts/payment-types/escrow>).

use xrpl_protocol::fields::{
    self, AMOUNT, CANCEL_AFTER, CONDITION, DESTINATION, FULFILLMENT, OFFER_SEQUENCE, OWNER,
};

use super::{Journey, Party, Scene, Step};
use crate::{
    catalogue::secrets::{condition, fulfillment},
    objects::Kind,
    plan::{Plan, Wait, drops},
};

/// How much is held, drops.
const HELD: u64 = 1_000_000;
/// After which time the sender could take it back: far longer than the journey lasts, seconds.
const LIFE_SECONDS: u32 = 86_400;

/// The secret that the escrow asks for.
fn secret(scene: &Scene<'_>) -> Result<[u8; 32], Wait> {
    Ok(scene.secret(scene.party("sender")?, "journey", scene.number as u8))
}

pub(super) static CONDITION_FINISHED: Journey = Journey {
    name: "escrow_condition",
    shows: "XRP is held in escrow under a crypto-condition, and paid out to whoever presents its fulfillment.",
    needs: &[],
    parties: &[Party::user("sender"), Party::user("receiver")],
    steps: &[
        Step {
            name: "create",
            transaction_type: "EscrowCreate",
            by: "sender",
            acts_on: &[],
            does: "The sender puts XRP into escrow under a condition.",
            plan: |scene| {
                scene.afford(HELD, 1)?;
                Ok(Plan::new("EscrowCreate")
                    .with(DESTINATION, scene.address("receiver")?)
                    .with(AMOUNT, drops(HELD))
                    .with(CONDITION, condition(&secret(scene)?))
                    .with(CANCEL_AFTER, scene.later().saturating_add(LIFE_SECONDS))
                    .spending(HELD)
                    .owning(1))
            },
        },
        Step {
            name: "finish",
            transaction_type: "EscrowFinish",
            by: "receiver",
            acts_on: &["create"],
            does: "The receiver shows the fulfillment and gets the XRP.",
            plan: |scene| {
                // A fulfillment costs more than thirty times the ordinary fee.
                scene.afford(scene.fees.figures().base * 40, 0)?;
                let escrow = scene.entry("create", Kind::Escrow)?;
                let number = escrow.number(fields::SEQUENCE).and_then(|n| u32::try_from(n).ok());
                let secret = secret(scene)?;
                Ok(Plan::new("EscrowFinish")
                    .with(OWNER, scene.address("sender")?)
                    .with(OFFER_SEQUENCE, number.ok_or(Wait::Object(Kind::Escrow))?)
                    .with(CONDITION, condition(&secret))
                    .with(FULFILLMENT, fulfillment(&secret)))
            },
        },
    ],
};
