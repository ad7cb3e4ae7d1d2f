//! The fuzz band: a share of the load that is generated at random from the formats of the node's own
//! `server_definitions`, so that it needs no code per type.
//!
//! It comes from accounts of its own, which it may lose: one whose key, balance or existence is gone is
//! replaced by a fresh one. It goes to the tracker with an intent of its own
//! ([`Intent::Any`](xrpl_tracker::Intent::Any)): whatever becomes of it is right, as long as it comes to
//! an end. What is wrong is what the *node* does meanwhile: see [`findings`](crate::findings).
//!
//! Two kinds are made. *Drawn* transactions have the fields that their format asks for, with values
//! that may make sense or are as large, small and strange as they can be written, and are properly
//! signed. *Mangled* ones are the bytes of such a transaction with some flipped, cut or repeated. Of
//! these, whoever can still be read as a transaction with a slot and a last ledger near by is tracked
//! like any other. The rest cannot have a slot: it is sent to a node as it is, and its answer counted.

pub(crate) mod draw;
pub(crate) mod mangle;
pub(crate) mod types;
mod value;

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;
use xrpl_protocol::Definitions;

pub use mangle::Mangling;

use crate::error::GeneratorError;

/// Settings of the band.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FuzzConfig {
    /// How many percent of the load are drawn at random where a stage does not say otherwise; 0 for
    /// none.
    pub percent: f64,
    /// Of which types; all that the definitions name if none.
    pub types: Vec<String>,
    /// How many accounts send them at least.
    pub accounts: usize,
    /// How far apart the ledgers are: by it, and by the rate, a share that is changed while load runs gets
    /// as many accounts as it needs. Zero where that is not known: then it gets no more.
    pub interval: Duration,
}

impl FuzzConfig {
    /// Whether the definitions have the types that are named.
    ///
    /// # Errors
    /// Names one that they have not.
    pub fn check(&self, definitions: &Definitions) -> Result<(), GeneratorError> {
        types::Types::new(definitions, &self.types).map(|_| ())
    }

    /// How many accounts a share of a rate needs. Each has one transaction in flight, for nobody knows
    /// what it does to the account's Sequence: a ledger or two, or, refused but held by a node, until a
    /// no-op has taken its place. An unlimited rate (0) says nothing about how many.
    #[must_use]
    pub fn accounts_for(percent: f64, tps: f64, interval: Duration) -> usize {
        /// Ledgers that one takes.
        const LEDGERS: f64 = 3.0;
        const FEWEST: usize = 8;
        const MOST: usize = 500;
        /// For an unlimited rate.
        const USUAL: usize = 60;
        if tps == 0.0 {
            return USUAL;
        }
        let in_flight = tps * percent / 100.0 * interval.as_secs_f64() * LEDGERS;
        (in_flight.ceil() as usize).clamp(FEWEST, MOST)
    }
}

/// What the band did. Of those that are tracked the tracker tells the results, by type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FuzzStats {
    /// Given to the tracker, drawn and mangled ones.
    pub tracked: u64,
    /// Of these, those in a validated ledger.
    pub validated: u64,
    /// Sent as they are, for they cannot be read: what was done to the bytes, and what the node answered.
    pub untracked: BTreeMap<&'static str, BTreeMap<String, u64>>,
    /// Accounts that send them now.
    pub accounts: usize,
    /// Accounts that were lost, and replaced.
    pub accounts_lost: u64,
    /// Types that are not drawn, and why.
    pub off: BTreeMap<String, String>,
}

impl FuzzStats {
    /// Those that were sent as they are.
    #[must_use]
    pub fn untracked_total(&self) -> u64 {
        self.untracked.values().flat_map(BTreeMap::values).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_follow_from_the_share_of_the_rate() {
        let second = Duration::from_secs(1);
        for (percent, tps, interval, accounts) in [
            (20.0, 20.0, second, 12),
            (20.0, 300.0, second, 180),
            (1.0, 20.0, second, 8),
            (100.0, 1_000.0, 4 * second, 500),
            (20.0, 0.0, second, 60),
        ] {
            assert_eq!(FuzzConfig::accounts_for(percent, tps, interval), accounts);
        }
    }
}
