//! Checks (<https://xrpl.org/docs/concepts/payment-types/checks>).

use xrpl_protocol::fields::{AMOUNT, CHECK_ID, DESTINATION, SEND_MAX};

use super::{Journey, Party, Scene, Step};
use crate::{
    objects::Kind,
    plan::{Plan, Wait, drops},
    world::OthersXrp,
};

/// Of each check, drops.
const WRITTEN: u64 = 250_000;

fn write(scene: &Scene<'_>) -> Result<Plan, Wait> {
    scene.afford(0, 1)?;
    let plan = Plan::new("CheckCreate").with(DESTINATION, scene.address("receiver")?);
    Ok(plan.with(SEND_MAX, drops(WRITTEN)).owning(1))
}

pub(super) static CASH: Journey = Journey {
    name: "check_cash",
    shows: "Of two checks, one is cashed and the other is cancelled by the account that it was written to.",
    needs: &[],
    parties: &[Party::user("sender"), Party::user("receiver")],
    steps: &[
        Step {
            name: "write",
            transaction_type: "CheckCreate",
            by: "sender",
            acts_on: &[],
            does: "The sender writes a check.",
            plan: |scene| write(scene),
        },
        Step {
            name: "cash",
            transaction_type: "CheckCash",
            by: "receiver",
            acts_on: &["write"],
            does: "The receiver cashes it in full.",
            plan: |scene| {
                scene.afford(0, 0)?;
                let sender = scene.party("sender")?;
                scene.has(sender, WRITTEN, 0)?;
                let mut plan = Plan::new("CheckCash")
                    .with(CHECK_ID, scene.made_id("write", Kind::Check)?)
                    .with(AMOUNT, drops(WRITTEN));
                plan.holds.others.push(OthersXrp { account: sender, drops: WRITTEN, owners: 0 });
                Ok(plan)
            },
        },
        Step {
            name: "write_again",
            transaction_type: "CheckCreate",
            by: "sender",
            acts_on: &[],
            does: "The sender writes another one.",
            plan: |scene| write(scene),
        },
        Step {
            name: "cancel",
            transaction_type: "CheckCancel",
            by: "receiver",
            acts_on: &["write_again"],
            does: "The receiver does not want it and cancels it.",
            plan: |scene| {
                scene.afford(0, 0)?;
                let check = scene.made_id("write_again", Kind::Check)?;
                Ok(Plan::new("CheckCancel").with(CHECK_ID, check))
            },
        },
    ],
};
