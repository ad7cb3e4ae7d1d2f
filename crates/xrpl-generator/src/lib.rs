//! Generates XRP Ledger load, and keeps its own house in order while it does: no transaction that
//! is meant to succeed fails because of the generator, and the same seed gives the same transactions in
//! the same order per account.
//!
//! # What a seed repeats
//!
//! The accounts, and each account's *plans*, one by one: of which type, and whether and how it is made
//! wrong on purpose. A plan is drawn from the seed, the account and the plan's number alone. Of types
//! that use nothing but accounts, assets and settings of the preparation, everything else of it too: to
//! whom, how much of what, with which flags; so two runs with the same seed and settings on networks
//! with the same history send the same of them. Types that use objects of the ledger (an escrow, an
//! offer) choose among those that are there when their turn comes. A plan whose objects are not there
//! yet is owed: the account goes on with its next one, and comes back to it as soon as it can.
//!
//! What follows from the ledger's clock is not repeated: Sequence and Ticket, Fee,
//! LastLedgerSequence and so the hash, how the accounts take turns, how far each gets, which holes
//! are filled by no-ops and which transactions are replaced at a higher fee.
//!
//! | module | what is in it |
//! |---|---|
//! | [`generator`] | the handle: prepare, run, and control while it runs |
//! | [`config`] | its settings |
//! | [`accounts`], [`holdings`], [`lane`] | who takes part, what they have, their Sequences and Tickets |
//! | [`metadata`], [`objects`], [`world`] | the mirror of the ledger, and what is in flight against it |
//! | [`capacity`] | how much load a number of accounts can carry |
//! | [`lanes`] | who could send now, and why the others could not |
//! | [`plan`], [`planner`] | what is to be sent, and what a type sees when it plans |
//! | [`catalogue`], [`modifier`], [`mutation`] | the types, ways to send them, and ways to make them wrong |
//! | [`journey`] | sequences of transactions that people know by name |
//! | [`stage`] | the parts of a run, one after the other |
//! | [`fees`], [`pacing`], [`pressure`] | what it pays, when it goes out, and when it waits for the node |
//! | [`fuzz`], [`findings`] | what is drawn at random, and what the node did that it must not |
//! | [`engine`] | all of that together, without input and output |
//! | [`spread`] | how measured values are spread: whole histograms |
//! | [`measure`] | what is measured of each stage |
//! | [`stats`], [`coverage`], [`diagnosis`] | what it did, what of all that it reached, and why not |

pub mod accounts;
pub mod capacity;
pub mod catalogue;
mod command;
pub mod config;
pub mod coverage;
pub mod diagnosis;
mod driver;
pub mod engine;
pub mod error;
pub mod fees;
pub mod findings;
mod funding;
pub mod fuzz;
pub mod generator;
pub mod holdings;
pub mod journey;
pub mod lane;
pub mod lanes;
pub mod measure;
pub mod metadata;
pub mod modifier;
pub mod mutation;
pub mod objects;
pub mod pacing;
pub mod plan;
pub mod planner;
pub mod pressure;
mod reading;
mod setup;
mod signing;
pub mod spread;
pub mod stage;
pub mod stats;
pub mod world;

pub use capacity::Capacity;
pub use command::{Asked, Progress};
pub use config::{Funding, GeneratorConfig};
pub use error::GeneratorError;
pub use fees::FeeStrategy;
pub use fuzz::FuzzConfig;
pub use generator::Generator;
pub use journey::{JourneyInfo, JourneyRun, JourneyState};
pub use measure::Measure;
pub use pacing::Pace;
pub use reading::amendments as enabled_amendments;
pub use spread::Spread;
pub use stage::{Stage, StagePart, StageProgress, Until};
pub use stats::{AccountListing, GatewayListing, Stats, Status};
