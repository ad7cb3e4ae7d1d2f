//! Journeys: sequences of transactions that people know by name, such as listing an NFT, selling it through
//! a broker and burning it. Each step acts on what the steps before it made.
//!
//! A journey is data: a name, the accounts that take part in it, and its steps. The [engine](crate::engine)
//! carries it out with accounts of the run, through the same slots and signatures as the load. A step is
//! sent only after the validated result of the one before it, and anything but `tesSUCCESS` ends the
//! journey with that step named.

mod channel;
mod check;
mod credential;
mod escrow;
mod identity;
mod lending;
mod mpt;
mod multisign;
mod nft;
mod pool;
mod run;
mod scene;

use serde::Serialize;
use xrpl_protocol::{AccountId, Hash256, nearest::nearest};

pub use run::{JourneyRun, JourneyState, RunParty, RunStep, StepState};
pub(crate) use scene::{Made, Scene};

use crate::{
    accounts::{Index, Role},
    error::GeneratorError,
    plan::{Plan, Wait},
    world::World,
};

/// A sequence of transactions, each on what the ones before it made.
#[derive(Debug)]
pub struct Journey {
    /// Its name in the API and on the command line.
    pub name: &'static str,
    /// What it shows, in one sentence.
    pub shows: &'static str,
    /// Amendments that it needs beside those of its steps' types.
    pub(crate) needs: &'static [&'static str],
    /// The accounts that take part.
    pub parties: &'static [Party],
    /// What they send, in this order.
    pub steps: &'static [Step],
}

/// An account that takes part in a journey.
#[derive(Debug)]
pub struct Party {
    /// What it is called in the journey.
    pub name: &'static str,
    /// Which of the run's accounts can play it.
    pub role: Role,
    /// The ledger entry, one at most for each account, that the journey needs to itself.
    reserves: Option<fn(AccountId) -> Hash256>,
}

impl Party {
    const fn user(name: &'static str) -> Self {
        Self { name, role: Role::User, reserves: None }
    }

    const fn gateway(name: &'static str) -> Self {
        Self { role: Role::Gateway, ..Self::user(name) }
    }

    const fn reserving(self, entry: fn(AccountId) -> Hash256) -> Self {
        Self { reserves: Some(entry), ..self }
    }

    /// The entry of an account that the journey needs to itself.
    pub(crate) fn reserved(&self, account: AccountId) -> Option<Hash256> {
        self.reserves.map(|entry| entry(account))
    }

    /// Whether an account can play it.
    pub(crate) fn can_be(&self, world: &World, index: Index) -> bool {
        let account = &world.accounts[index];
        let free = self.reserved(account.id).is_none_or(|entry| !world.objects.is_held(entry));
        account.role == self.role && account.active && free
    }
}

/// A transaction of a journey.
#[derive(Debug)]
pub struct Step {
    /// Its name, of which there is one in a journey.
    pub name: &'static str,
    /// Its TransactionType.
    pub transaction_type: &'static str,
    /// Which [party](Party) sends it.
    pub by: &'static str,
    /// The earlier steps whose results it uses.
    pub acts_on: &'static [&'static str],
    /// What it does, in one sentence.
    pub does: &'static str,
    plan: fn(&mut Scene<'_>) -> Result<Plan, Wait>,
}

impl Step {
    /// The transaction, if it can be sent now.
    pub(crate) fn plan(&self, scene: &mut Scene<'_>) -> Result<Plan, Wait> {
        (self.plan)(scene)
    }
}

/// All journeys, in the order in which they are shown.
pub static JOURNEYS: &[&Journey] = &[
    &nft::LIST_BUY_BURN,
    &mpt::LIFE,
    &channel::LIFE,
    &pool::LIFE,
    &escrow::CONDITION_FINISHED,
    &check::CASH,
    &lending::PAYBACK,
    &lending::DEFAULT,
    &credential::DOMAIN_OFFER,
    &multisign::TICKETS_SIGNED,
    &identity::DID_LIFE,
    &identity::ORACLE_LIFE,
];

/// The journey of a name.
///
/// # Errors
/// [`GeneratorError::UnknownJourney`], with the nearest name.
pub fn find(name: &str) -> Result<&'static Journey, GeneratorError> {
    let known = || JOURNEYS.iter().map(|journey| journey.name);
    let found = JOURNEYS.iter().find(|journey| journey.name.eq_ignore_ascii_case(name));
    found.copied().ok_or_else(|| GeneratorError::UnknownJourney {
        name: name.chars().take(60).collect(),
        nearest: nearest(name, known()),
        known: known().collect(),
    })
}

/// A journey as it is listed.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct JourneyInfo {
    /// Its name.
    pub name: &'static str,
    /// What it shows, in one sentence.
    pub shows: &'static str,
    /// The accounts that take part.
    pub parties: Vec<&'static str>,
    /// What they send, in this order.
    pub steps: Vec<StepInfo>,
}

/// A step of a journey as it is listed.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StepInfo {
    /// Its name within the journey.
    pub name: &'static str,
    /// Its TransactionType.
    pub transaction_type: &'static str,
    /// Which party sends it.
    pub by: &'static str,
    /// What it does, in one sentence.
    pub does: &'static str,
    /// The earlier steps whose results it uses.
    pub acts_on: Vec<&'static str>,
}

impl From<&'static Journey> for JourneyInfo {
    fn from(journey: &'static Journey) -> Self {
        let step = |step: &'static Step| StepInfo {
            name: step.name,
            transaction_type: step.transaction_type,
            by: step.by,
            does: step.does,
            acts_on: step.acts_on.to_vec(),
        };
        Self {
            name: journey.name,
            shows: journey.shows,
            parties: journey.parties.iter().map(|party| party.name).collect(),
            steps: journey.steps.iter().map(step).collect(),
        }
    }
}

/// All journeys as they are listed.
#[must_use]
pub fn list() -> Vec<JourneyInfo> {
    JOURNEYS.iter().map(|journey| JourneyInfo::from(*journey)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::catalogue::Catalogue;

    #[test]
    fn journeys_name_types_parties_and_earlier_steps_that_there_are() {
        let catalogue = Catalogue::new(&BTreeMap::new()).unwrap();
        for (n, journey) in JOURNEYS.iter().enumerate() {
            let name = journey.name;
            assert!(JOURNEYS[..n].iter().all(|other| other.name != name), "{name} twice");
            assert!(journey.steps.len() > 1, "{name}");
            for (n, step) in journey.steps.iter().enumerate() {
                let of = format!("{name}: {}", step.name);
                let earlier: Vec<_> = journey.steps[..n].iter().map(|step| step.name).collect();
                assert!(!earlier.contains(&step.name), "{of} twice");
                assert!(step.acts_on.iter().all(|it| earlier.contains(it)), "{of}");
                assert!(journey.parties.iter().any(|party| party.name == step.by), "{of}");
                catalogue.find(step.transaction_type).unwrap();
            }
            for party in journey.parties {
                let sends = journey.steps.iter().any(|step| step.by == party.name);
                assert!(sends || name == "tickets_multisign", "{name}: {}", party.name);
            }
        }
    }

    #[test]
    fn a_misspelt_name_gets_the_nearest_one() {
        assert_eq!(find("MPT_life").unwrap().name, "mpt_life");
        let error = find("pool_lif").unwrap_err().to_string();
        assert!(error.contains("\"pool_life\""), "{error}");
        let error = find("something else").unwrap_err().to_string();
        assert!(error.contains("nft_list_buy_burn, mpt_life"), "{error}");
    }
}
