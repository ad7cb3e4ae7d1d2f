//! Decentralized identifiers (<https://xrpl.org/docs/concepts/decentralized-storage/decentralized-identifiers>)
//! and price oracles (<https://xrpl.org/docs/concepts/decentralized-storage/price-oracles>).

use xrpl_protocol::{
    Value,
    fields::{
        self, ASSET_CLASS, DATA, LAST_UPDATE_TIME, ORACLE_DOCUMENT_ID, PRICE_DATA_SERIES, PROVIDER,
        URI,
    },
    object_id,
};

use super::{Journey, Party, Scene, Step};
use crate::{
    catalogue::oracle_set::{UNIX_EPOCH, price},
    objects::Kind,
    plan::{Plan, Wait},
};

pub(super) static DID_LIFE: Journey = Journey {
    name: "did_life",
    shows: "An account publishes a decentralized identifier, updates it and deletes it.",
    needs: &[],
    parties: &[Party::user("subject").reserving(object_id::did)],
    steps: &[
        Step {
            name: "publish",
            transaction_type: "DIDSet",
            by: "subject",
            acts_on: &[],
            does: "The subject publishes the address of its DID document.",
            plan: |scene| {
                scene.afford(0, 1)?;
                let uri = scene.label("https://example.com/did");
                Ok(Plan::new("DIDSet").with(URI, uri).owning(1))
            },
        },
        Step {
            name: "update",
            transaction_type: "DIDSet",
            by: "subject",
            acts_on: &["publish"],
            does: "The subject adds data to it.",
            plan: |scene| {
                scene.afford(0, 0)?;
                Ok(Plan::new("DIDSet").with(DATA, scene.label("journey")))
            },
        },
        Step {
            name: "delete",
            transaction_type: "DIDDelete",
            by: "subject",
            acts_on: &["publish"],
            does: "The subject deletes it.",
            plan: |scene| {
                scene.afford(0, 0)?;
                Ok(Plan::new("DIDDelete"))
            },
        },
    ],
};

/// The number of the journey's own oracle: the load uses small ones.
fn document(scene: &Scene<'_>) -> u32 {
    0x8000_0000 | scene.number as u32
}

/// A price as of now, later than the one before it.
fn priced(scene: &Scene<'_>, value: u64) -> Result<Plan, Wait> {
    let document = document(scene);
    let known = scene.world.objects.get(object_id::oracle(scene.me().id, document));
    let last = known.and_then(|oracle| oracle.number(fields::LAST_UPDATE_TIME)).unwrap_or(0);
    let now = scene.world.close_time.saturating_add(UNIX_EPOCH);
    let time = u64::from(now).max(last + 1);
    Ok(Plan::new("OracleSet")
        .with(ORACLE_DOCUMENT_ID, document)
        .with(LAST_UPDATE_TIME, u32::try_from(time).unwrap_or(u32::MAX))
        .with(PRICE_DATA_SERIES, Value::Array(vec![price(value, 2)])))
}

pub(super) static ORACLE_LIFE: Journey = Journey {
    name: "oracle_life",
    shows: "A price oracle is published, updated with a new price, and deleted.",
    needs: &[],
    parties: &[Party::user("publisher")],
    steps: &[
        Step {
            name: "publish",
            transaction_type: "OracleSet",
            by: "publisher",
            acts_on: &[],
            does: "The publisher publishes a price.",
            plan: |scene| {
                scene.afford(0, 1)?;
                Ok(priced(scene, 92)?
                    .with(PROVIDER, b"example".to_vec())
                    .with(ASSET_CLASS, b"currency".to_vec())
                    .owning(1))
            },
        },
        Step {
            name: "update",
            transaction_type: "OracleSet",
            by: "publisher",
            acts_on: &["publish"],
            does: "The publisher changes the price.",
            plan: |scene| {
                scene.afford(0, 0)?;
                scene.made_id("publish", Kind::Oracle)?;
                priced(scene, 93)
            },
        },
        Step {
            name: "delete",
            transaction_type: "OracleDelete",
            by: "publisher",
            acts_on: &["publish"],
            does: "The publisher deletes the oracle.",
            plan: |scene| {
                scene.afford(0, 0)?;
                scene.made_id("publish", Kind::Oracle)?;
                Ok(Plan::new("OracleDelete").with(ORACLE_DOCUMENT_ID, document(scene)))
            },
        },
    ],
};
