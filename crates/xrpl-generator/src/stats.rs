//! What the generator did.

use std::collections::BTreeMap;

use serde::Serialize;
use xrpl_protocol::AccountId;

use crate::{fuzz::FuzzStats, mutation::MutationStats, pacing::PacingStats, stage::StageProgress};

/// One type's share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TypeStats {
    /// Given to the tracker, of either intent.
    pub submitted: u64,
    /// In a validated ledger.
    pub validated: u64,
}

/// How many journeys there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct JourneyStats {
    /// Those that began.
    pub begun: u64,
    /// Those of them whose every step succeeded.
    pub done: u64,
    /// Those of them that ended at a step that did not.
    pub failed: u64,
}

/// Counters since the preparation ended.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Stats {
    /// Transactions meant to succeed that the tracker was given.
    pub submitted: u64,
    /// Those of them in a validated ledger, with whatever result.
    pub validated: u64,
    /// Those of them that ended otherwise, by what they ended with.
    pub failed: BTreeMap<String, u64>,
    /// Those of them that a validated ledger has with a `tec`, by it.
    pub claimed: BTreeMap<String, u64>,
    /// Deliberately invalid transactions given to the tracker.
    pub submitted_invalid: u64,
    /// How those ended.
    pub invalid: MutationStats,
    /// By type of the catalogue.
    pub by_type: BTreeMap<&'static str, TypeStats>,
    /// Given to the tracker and not yet at their end.
    pub in_flight: usize,
    /// Holes in a lane that a no-op filled.
    pub holes_filled: u64,
    /// Transactions made on the slot of another that waited or was refused.
    pub replacements: u64,
    /// Transactions that ended because one of those used their slot instead.
    pub replaced: u64,
    /// Times a lane's Sequence was read again because it was in doubt.
    pub rereads: u64,
    /// Transactions the tracker did not take.
    pub not_taken: u64,
    /// Metadata that was wanted and did not come or was not understood.
    pub metadata_missing: u64,
    /// Journeys, however they were asked for.
    pub journeys: JourneyStats,
    /// How the schedule's slots were used.
    pub pacing: PacingStats,
    /// What was drawn at random. It is in none of the counters above but `in_flight`.
    pub fuzz: FuzzStats,
}

impl Stats {
    /// All that ended otherwise than in a validated ledger.
    #[must_use]
    pub fn failed_total(&self) -> u64 {
        self.failed.values().sum()
    }
}

/// A type that is switched off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DisabledType {
    /// Its name.
    pub name: &'static str,
    /// What the network answered, the amendment that it lacks, or what of its definitions cannot be
    /// met; none if it was switched off by hand.
    pub refused_with: Option<String>,
}

/// State of the generator.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Status {
    /// Whether load runs.
    pub running: bool,
    /// Since when, milliseconds since 1970.
    pub started_at_ms: Option<u64>,
    /// Transactions per second now; 0 for unlimited, and for what goes by ledgers, the node's queue or
    /// what is in flight.
    pub tps: f64,
    /// Where it is among the stages.
    pub stage: StageProgress,
    /// Transactions of one account in flight.
    pub max_pending: usize,
    /// Percentage of deliberately invalid ones.
    pub intent_invalid: f64,
    /// Names of all types.
    pub types: Vec<&'static str>,
    /// How often each is drawn, relative to the others.
    pub weights: BTreeMap<&'static str, u32>,
    /// Those that are off.
    pub disabled_types: Vec<DisabledType>,
    /// Accounts that could send now.
    pub free_accounts: usize,
    /// Accounts that take part.
    pub total_accounts: usize,
    /// How many percent are drawn at random.
    pub fuzz_percent: f64,
    /// What nodes did meanwhile that they must not.
    pub findings: u64,
    /// Counters.
    pub stats: Stats,
}

/// A gateway's public data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct GatewayListing {
    /// Its address.
    pub address: AccountId,
    /// Codes of the currencies that users hold of it.
    pub currencies: Vec<String>,
}

/// The run's accounts, public data only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AccountListing {
    /// Who funded the others.
    pub funder: Option<AccountId>,
    /// The gateways.
    pub gateways: Vec<GatewayListing>,
    /// The users.
    pub users: Vec<AccountId>,
    /// Those that send what is drawn at random, lost ones included.
    pub fuzzed: Vec<AccountId>,
    /// The account that requires destination tags.
    pub tagged: Option<AccountId>,
    /// Codes of the issued currencies.
    pub currencies: Vec<String>,
}
