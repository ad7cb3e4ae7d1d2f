//! Pools of the automated market maker
//! (<https://xrpl.org/docs/concepts/tokens/decentralized-exchange/automated-market-makers>).

use xrpl_protocol::{
    Amount, Issue, IssuedValue, Value,
    fields::{AMOUNT, AMOUNT2, ASSET, ASSET2, LIMIT_AMOUNT, TAKER_GETS, TAKER_PAYS, TRADING_FEE},
    transaction::Payment,
};

use super::{Journey, Party, Scene, Step};
use crate::plan::{Plan, Wait, drops};

const TF_IMMEDIATE_OR_CANCEL: u32 = 0x0002_0000;
const TF_WITHDRAW_ALL: u32 = 0x0002_0000;

/// XRP in the pool, and what of it is spent in the trade: drops.
const POOLED: u64 = 10_000_000;
const SPENT: u64 = 200_000;
/// The fee that is voted for, in 1/100,000.
const VOTED: u16 = 300;

/// So many of the journey's own currency.
fn issued(scene: &Scene<'_>, units: i32) -> Result<Amount, Wait> {
    let value = IssuedValue::from_whole(units);
    Ok(Amount::issued(value, scene.currency(), scene.address("issuer")?))
}

/// A plan that names the pool.
fn about(scene: &Scene<'_>, transaction_type: &str) -> Result<Plan, Wait> {
    let other = issued(scene, 1)?.issue();
    let plan = Plan::new(transaction_type).with(ASSET, Value::Issue(Issue::Xrp));
    Ok(plan.with(ASSET2, Value::Issue(other)))
}

pub(super) static LIFE: Journey = Journey {
    name: "pool_life",
    shows: "A pool of XRP and a new currency is created, traded through, voted on and emptied, which deletes it.",
    needs: &[],
    parties: &[Party::gateway("issuer"), Party::user("provider"), Party::user("trader")],
    steps: &[
        Step {
            name: "trust",
            transaction_type: "TrustSet",
            by: "provider",
            acts_on: &[],
            does: "The provider trusts the issuer for a new currency.",
            plan: |scene| {
                scene.afford(0, 1)?;
                Ok(Plan::new("TrustSet").with(LIMIT_AMOUNT, issued(scene, 1_000_000)?).owning(1))
            },
        },
        Step {
            name: "issue",
            transaction_type: "Payment",
            by: "issuer",
            acts_on: &["trust"],
            does: "The issuer pays the provider.",
            plan: |scene| {
                scene.afford(0, 0)?;
                let destination = scene.address("provider")?;
                let amount = issued(scene, 1_000)?;
                let body = Payment { destination, amount, send_max: None, destination_tag: None };
                Ok(Plan::payment(body))
            },
        },
        Step {
            name: "create",
            transaction_type: "AMMCreate",
            by: "provider",
            acts_on: &["trust", "issue"],
            does: "The provider puts both assets into a new pool.",
            plan: |scene| {
                scene.afford(POOLED + scene.fees.figures().increment, 2)?;
                Ok(Plan::new("AMMCreate")
                    .with(AMOUNT, drops(POOLED))
                    .with(AMOUNT2, issued(scene, 1_000)?)
                    .with(TRADING_FEE, 500u16)
                    .spending(POOLED)
                    .owning(2))
            },
        },
        Step {
            name: "trade",
            transaction_type: "OfferCreate",
            by: "trader",
            acts_on: &["create"],
            does: "The trader's offer buys the currency from the pool.",
            plan: |scene| {
                scene.afford(SPENT, 2)?;
                Ok(Plan::new("OfferCreate")
                    .flagged(TF_IMMEDIATE_OR_CANCEL)
                    .with(TAKER_PAYS, issued(scene, 10)?)
                    .with(TAKER_GETS, drops(SPENT))
                    .spending(SPENT)
                    .owning(2))
            },
        },
        Step {
            name: "vote",
            transaction_type: "AMMVote",
            by: "provider",
            acts_on: &["create"],
            does: "The provider votes for a lower trading fee.",
            plan: |scene| {
                scene.afford(0, 0)?;
                Ok(about(scene, "AMMVote")?.with(TRADING_FEE, VOTED))
            },
        },
        Step {
            name: "empty",
            transaction_type: "AMMWithdraw",
            by: "provider",
            acts_on: &["create"],
            does: "The provider withdraws everything: the pool is deleted.",
            plan: |scene| {
                scene.afford(0, 0)?;
                Ok(about(scene, "AMMWithdraw")?.flagged(TF_WITHDRAW_ALL))
            },
        },
    ],
};
