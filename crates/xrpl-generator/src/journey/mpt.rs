//! Multi-purpose tokens (<https://xrpl.org/docs/concepts/tokens/fungible-tokens/multi-purpose-tokens>).

use xrpl_protocol::{
    Amount, MptId, Value,
    fields::{AMOUNT, HOLDER, MAXIMUM_AMOUNT, MP_TOKEN_ISSUANCE_ID},
    transaction::Payment,
};

use super::{Journey, Party, Scene, Step};
use crate::{
    objects::Kind,
    plan::{Plan, Wait},
};

const TF_CAN_LOCK: u32 = 0x0002;
const TF_REQUIRE_AUTH: u32 = 0x0004;
const TF_CAN_TRANSFER: u32 = 0x0020;
const TF_CAN_CLAWBACK: u32 = 0x0040;
const TF_LOCK: u32 = 0x0001;
const TF_UNLOCK: u32 = 0x0002;
const TF_UNAUTHORIZE: u32 = 0x0001;

/// How much is issued, and how much the holder pays back of its own accord.
const ISSUED: i64 = 100;
const RETURNED: i64 = 40;

/// The token of the journey.
fn token(scene: &Scene<'_>) -> Result<MptId, Wait> {
    let issuance = scene.entry("create", Kind::MpTokenIssuance)?;
    issuance.mpt().ok_or(Wait::Object(Kind::MpTokenIssuance))
}

/// A plan of a type that names the token.
fn about(scene: &Scene<'_>, transaction_type: &str) -> Result<Plan, Wait> {
    let id = token(scene)?;
    Ok(Plan::new(transaction_type).with(MP_TOKEN_ISSUANCE_ID, Value::Hash192(id.0)))
}

fn pay(scene: &Scene<'_>, to: &str, value: i64) -> Result<Plan, Wait> {
    scene.afford(0, 0)?;
    let amount = Amount::Mpt { value, id: token(scene)? };
    let destination = scene.address(to)?;
    Ok(Plan::payment(Payment { destination, amount, send_max: None, destination_tag: None }))
}

fn lock(scene: &Scene<'_>, flag: u32) -> Result<Plan, Wait> {
    scene.afford(0, 0)?;
    let plan = about(scene, "MPTokenIssuanceSet")?.flagged(flag);
    Ok(plan.with(HOLDER, scene.address("holder")?))
}

pub(super) static LIFE: Journey = Journey {
    name: "mpt_life",
    shows: "A multi-purpose token is issued, authorized, paid, locked and clawed back, until nothing is left of it.",
    needs: &[],
    parties: &[Party::user("issuer"), Party::user("holder")],
    steps: &[
        Step {
            name: "create",
            transaction_type: "MPTokenIssuanceCreate",
            by: "issuer",
            acts_on: &[],
            does: "The issuer defines a token that only authorized accounts may hold.",
            plan: |scene| {
                scene.afford(0, 1)?;
                let flags = TF_CAN_LOCK | TF_REQUIRE_AUTH | TF_CAN_TRANSFER | TF_CAN_CLAWBACK;
                let plan = Plan::new("MPTokenIssuanceCreate").flagged(flags).owning(1);
                Ok(plan.with(MAXIMUM_AMOUNT, 1_000_000u64))
            },
        },
        Step {
            name: "opt_in",
            transaction_type: "MPTokenAuthorize",
            by: "holder",
            acts_on: &["create"],
            does: "The holder asks to hold it.",
            plan: |scene| {
                scene.afford(0, 1)?;
                Ok(about(scene, "MPTokenAuthorize")?.owning(1))
            },
        },
        Step {
            name: "authorize",
            transaction_type: "MPTokenAuthorize",
            by: "issuer",
            acts_on: &["create", "opt_in"],
            does: "The issuer lets the holder hold it.",
            plan: |scene| {
                scene.afford(0, 0)?;
                scene.made_id("opt_in", Kind::MpToken)?;
                Ok(about(scene, "MPTokenAuthorize")?.with(HOLDER, scene.address("holder")?))
            },
        },
        Step {
            name: "issue",
            transaction_type: "Payment",
            by: "issuer",
            acts_on: &["create"],
            does: "The issuer pays the holder.",
            plan: |scene| pay(scene, "holder", ISSUED),
        },
        Step {
            name: "return",
            transaction_type: "Payment",
            by: "holder",
            acts_on: &["create"],
            does: "The holder pays a part back.",
            plan: |scene| pay(scene, "issuer", RETURNED),
        },
        Step {
            name: "lock",
            transaction_type: "MPTokenIssuanceSet",
            by: "issuer",
            acts_on: &["create"],
            does: "The issuer locks what the holder has.",
            plan: |scene| lock(scene, TF_LOCK),
        },
        Step {
            name: "claw_back",
            transaction_type: "Clawback",
            by: "issuer",
            acts_on: &["create"],
            does: "The issuer takes all of it back.",
            plan: |scene| {
                scene.afford(0, 0)?;
                let amount = Amount::Mpt { value: ISSUED - RETURNED, id: token(scene)? };
                let plan = Plan::new("Clawback").with(AMOUNT, amount);
                Ok(plan.with(HOLDER, scene.address("holder")?))
            },
        },
        Step {
            name: "unlock",
            transaction_type: "MPTokenIssuanceSet",
            by: "issuer",
            acts_on: &["create"],
            does: "The issuer unlocks the empty holding, which could not be given up otherwise.",
            plan: |scene| lock(scene, TF_UNLOCK),
        },
        Step {
            name: "opt_out",
            transaction_type: "MPTokenAuthorize",
            by: "holder",
            acts_on: &["create"],
            does: "The holder gives up the empty holding.",
            plan: |scene| {
                scene.afford(0, 0)?;
                Ok(about(scene, "MPTokenAuthorize")?.flagged(TF_UNAUTHORIZE))
            },
        },
        Step {
            name: "destroy",
            transaction_type: "MPTokenIssuanceDestroy",
            by: "issuer",
            acts_on: &["create"],
            does: "The issuer removes the token, which nobody holds any more.",
            plan: |scene| {
                scene.afford(0, 0)?;
                about(scene, "MPTokenIssuanceDestroy")
            },
        },
    ],
};
