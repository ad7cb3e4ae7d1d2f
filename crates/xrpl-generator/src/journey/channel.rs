//! Payment channels (<https://xrpl.org/docs/concepts/payment-types/payment-channels>).

use xrpl_protocol::{
    fields::{self, AMOUNT, BALANCE, CHANNEL, DESTINATION, PUBLIC_KEY, SETTLE_DELAY, SIGNATURE},
    sign::claim_message,
};

use super::{Journey, Party, Step};
use crate::{
    objects::Kind,
    plan::{Plan, Wait, drops},
};

const TF_CLOSE: u32 = 0x0002_0000;

/// With how much it is opened, how much is added, and how much is claimed: drops.
const OPENED: u64 = 1_000_000;
const ADDED: u64 = 500_000;
const CLAIMED: u64 = 1_200_000;

pub(super) static LIFE: Journey = Journey {
    name: "channel_life",
    shows: "A payment channel is opened, funded, paid out by a signed claim, and closed after its settle delay.",
    needs: &[],
    parties: &[Party::user("source"), Party::user("destination")],
    steps: &[
        Step {
            name: "open",
            transaction_type: "PaymentChannelCreate",
            by: "source",
            acts_on: &[],
            does: "The source opens a channel and puts XRP into it.",
            plan: |scene| {
                scene.afford(OPENED, 1)?;
                let key = scene.me().key.public_key().0.to_vec();
                Ok(Plan::new("PaymentChannelCreate")
                    .with(DESTINATION, scene.address("destination")?)
                    .with(AMOUNT, drops(OPENED))
                    .with(SETTLE_DELAY, 1u32)
                    .with(PUBLIC_KEY, key)
                    .spending(OPENED)
                    .owning(1))
            },
        },
        Step {
            name: "fund",
            transaction_type: "PaymentChannelFund",
            by: "source",
            acts_on: &["open"],
            does: "The source adds more.",
            plan: |scene| {
                scene.afford(ADDED, 0)?;
                Ok(Plan::new("PaymentChannelFund")
                    .with(CHANNEL, scene.made_id("open", Kind::PayChannel)?)
                    .with(AMOUNT, drops(ADDED))
                    .spending(ADDED))
            },
        },
        Step {
            name: "claim",
            transaction_type: "PaymentChannelClaim",
            by: "destination",
            acts_on: &["open"],
            does: "The destination cashes a claim that the source signed off the ledger.",
            plan: |scene| {
                scene.afford(0, 0)?;
                let channel = scene.made_id("open", Kind::PayChannel)?;
                let key = &scene.world.accounts[scene.party("source")?].key;
                let signature = key.sign(&claim_message(&channel, CLAIMED)).as_bytes().to_vec();
                Ok(Plan::new("PaymentChannelClaim")
                    .with(CHANNEL, channel)
                    .with(BALANCE, drops(CLAIMED))
                    .with(AMOUNT, drops(CLAIMED))
                    .with(SIGNATURE, signature)
                    .with(PUBLIC_KEY, key.public_key().0.to_vec()))
            },
        },
        Step {
            name: "request_close",
            transaction_type: "PaymentChannelClaim",
            by: "source",
            acts_on: &["open"],
            does: "The source asks to close it: the settle delay begins.",
            plan: |scene| {
                scene.afford(0, 0)?;
                let channel = scene.made_id("open", Kind::PayChannel)?;
                let plan = Plan::new("PaymentChannelClaim").with(CHANNEL, channel);
                Ok(plan.flagged(TF_CLOSE))
            },
        },
        Step {
            name: "close",
            transaction_type: "PaymentChannelClaim",
            by: "source",
            acts_on: &["open"],
            does: "After the settle delay the source closes it and gets back what was not claimed.",
            plan: |scene| {
                scene.afford(0, 0)?;
                let channel = scene.entry("open", Kind::PayChannel)?;
                let over = channel.number(fields::EXPIRATION).unwrap_or(0);
                if !scene.has_passed(over) {
                    return Err(Wait::CloseTime(u32::try_from(over + 1).unwrap_or(u32::MAX)));
                }
                Ok(Plan::new("PaymentChannelClaim").with(CHANNEL, channel.id))
            },
        },
    ],
};
