//! Credentials (<https://xrpl.org/docs/concepts/decentralized-storage/credentials>), domains that they
//! open, and trading within one
//! (<https://xrpl.org/docs/concepts/tokens/decentralized-exchange/permissioned-dexes>).

use xrpl_protocol::{
    IssuedValue,
    fields::{
        ACCEPTED_CREDENTIALS, CREDENTIAL_TYPE, DOMAIN_ID, ISSUER, SUBJECT, TAKER_GETS, TAKER_PAYS,
    },
};

use super::{Journey, Party, Scene, Step};
use crate::{
    catalogue::permissioned_domain_set::accepted,
    holdings::AssetId,
    objects::Kind,
    plan::{Plan, Wait, drops},
    world::IssuedMove,
};

const TF_FILL_OR_KILL: u32 = 0x0004_0000;

/// What is traded: units of a currency of the run for drops.
const UNITS: i32 = 1;
const PRICE: u64 = 1_000_000;

fn kind(scene: &Scene<'_>) -> Vec<u8> {
    scene.label("journey")
}

fn vouch(scene: &Scene<'_>, subject: &str) -> Result<Plan, Wait> {
    scene.afford(0, 1)?;
    Ok(Plan::new("CredentialCreate")
        .with(SUBJECT, scene.address(subject)?)
        .with(CREDENTIAL_TYPE, kind(scene))
        .owning(1))
}

fn accept(scene: &Scene<'_>) -> Result<Plan, Wait> {
    scene.afford(0, 1)?;
    Ok(Plan::new("CredentialAccept")
        .with(ISSUER, scene.address("issuer")?)
        .with(CREDENTIAL_TYPE, kind(scene))
        .owning(1))
}

/// The subject ends what was said of it.
fn leave(scene: &Scene<'_>) -> Result<Plan, Wait> {
    scene.afford(0, 0)?;
    Ok(Plan::new("CredentialDelete")
        .with(SUBJECT, scene.me().id)
        .with(ISSUER, scene.address("issuer")?)
        .with(CREDENTIAL_TYPE, kind(scene)))
}

/// A currency that all users of the run hold: the same for every step of a journey.
fn asset(scene: &Scene<'_>) -> Result<AssetId, Wait> {
    match scene.world.common_assets as u64 {
        0 => Err(Wait::Never("the run has no issued currency")),
        n => Ok((scene.number % n) as AssetId),
    }
}

pub(super) static DOMAIN_OFFER: Journey = Journey {
    name: "credential_domain_offer",
    shows: "Two accounts get credentials that open a permissioned domain, and trade in the exchange within it.",
    needs: &["PermissionedDEX"],
    parties: &[Party::user("issuer"), Party::user("seller"), Party::user("buyer")],
    steps: &[
        Step {
            name: "vouch_seller",
            transaction_type: "CredentialCreate",
            by: "issuer",
            acts_on: &[],
            does: "The issuer vouches for the seller.",
            plan: |scene| vouch(scene, "seller"),
        },
        Step {
            name: "accept_seller",
            transaction_type: "CredentialAccept",
            by: "seller",
            acts_on: &["vouch_seller"],
            does: "The seller accepts the credential.",
            plan: |scene| accept(scene),
        },
        Step {
            name: "vouch_buyer",
            transaction_type: "CredentialCreate",
            by: "issuer",
            acts_on: &[],
            does: "The issuer vouches for the buyer.",
            plan: |scene| vouch(scene, "buyer"),
        },
        Step {
            name: "accept_buyer",
            transaction_type: "CredentialAccept",
            by: "buyer",
            acts_on: &["vouch_buyer"],
            does: "The buyer accepts the credential.",
            plan: |scene| accept(scene),
        },
        Step {
            name: "domain",
            transaction_type: "PermissionedDomainSet",
            by: "issuer",
            acts_on: &["vouch_seller", "vouch_buyer"],
            does: "The issuer makes a domain that the credentials open.",
            plan: |scene| {
                scene.afford(0, 1)?;
                let credentials = accepted(&[(scene.me().id, kind(scene))]);
                let plan = Plan::new("PermissionedDomainSet").owning(1);
                Ok(plan.with(ACCEPTED_CREDENTIALS, credentials))
            },
        },
        Step {
            name: "offer",
            transaction_type: "OfferCreate",
            by: "seller",
            acts_on: &["domain"],
            does: "The seller offers a currency for XRP within the domain.",
            plan: |scene| {
                scene.afford(0, 1)?;
                let (asset, value) = (asset(scene)?, IssuedValue::from_whole(UNITS));
                scene.holds(scene.sender, asset, value)?;
                let amount = scene.world.assets[usize::from(asset)].amount(value);
                let mut plan = Plan::new("OfferCreate")
                    .with(TAKER_GETS, amount)
                    .with(TAKER_PAYS, drops(PRICE))
                    .with(DOMAIN_ID, scene.made_id("domain", Kind::PermissionedDomain)?)
                    .owning(1);
                let from = Some(scene.sender);
                plan.holds.issued.push(IssuedMove { asset, from, to: None, value });
                Ok(plan)
            },
        },
        Step {
            name: "take",
            transaction_type: "OfferCreate",
            by: "buyer",
            acts_on: &["domain", "offer"],
            does: "The buyer takes all of it, or nothing.",
            plan: |scene| {
                scene.afford(PRICE, 1)?;
                scene.made_id("offer", Kind::Offer)?;
                let (asset, value) = (asset(scene)?, IssuedValue::from_whole(UNITS));
                if !scene.has_room(scene.sender, asset, value) {
                    return Err(Wait::Until("its trust line has no room for what it buys"));
                }
                let amount = scene.world.assets[usize::from(asset)].amount(value);
                let mut plan = Plan::new("OfferCreate")
                    .flagged(TF_FILL_OR_KILL)
                    .with(TAKER_PAYS, amount)
                    .with(TAKER_GETS, drops(PRICE))
                    .with(DOMAIN_ID, scene.made_id("domain", Kind::PermissionedDomain)?)
                    .spending(PRICE)
                    .owning(1);
                let to = Some(scene.sender);
                plan.holds.issued.push(IssuedMove { asset, from: None, to, value });
                Ok(plan)
            },
        },
        Step {
            name: "close_domain",
            transaction_type: "PermissionedDomainDelete",
            by: "issuer",
            acts_on: &["domain"],
            does: "The issuer removes the domain.",
            plan: |scene| {
                scene.afford(0, 0)?;
                let domain = scene.made_id("domain", Kind::PermissionedDomain)?;
                Ok(Plan::new("PermissionedDomainDelete").with(DOMAIN_ID, domain))
            },
        },
        Step {
            name: "seller_leaves",
            transaction_type: "CredentialDelete",
            by: "seller",
            acts_on: &["accept_seller"],
            does: "The seller deletes its credential.",
            plan: |scene| leave(scene),
        },
        Step {
            name: "buyer_leaves",
            transaction_type: "CredentialDelete",
            by: "buyer",
            acts_on: &["accept_buyer"],
            does: "The buyer deletes its credential.",
            plan: |scene| leave(scene),
        },
    ],
};
