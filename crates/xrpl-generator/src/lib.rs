//! Generates XRP Ledger load, and keeps its own house in order while it does: no transaction of
//! valid intent fails because of the generator, and the same seed gives the same transactions in
//! the same order per account.
//!
//! # What a seed repeats
//!
//! The accounts, and each account's *plans*, one by one: of which type, to whom, how much of what,
//! with which flags, and whether and how it is spoiled on purpose. A plan is drawn from the seed, the
//! account and the plan's number alone, among the accounts and assets of the preparation; it does not
//! look at how fast the node was, at what happens to be validated by now, at other accounts' progress
//! or at accounts made while the run goes on. It is passed over for the next draw only where the
//! ledger would not take it: a balance or reserve that does not suffice, a type that the network or a
//! switch refuses. So two runs with the same seed and settings (accounts, gateways, currencies,
//! weights, share of invalid ones, funds) on networks with the same history send the same.
//!
//! What follows from the ledger's clock is not repeated: Sequence and Ticket, Fee,
//! LastLedgerSequence and so the hash, how the accounts take turns, how far each gets, which holes
//! are filled by no-ops and which transactions are replaced at a higher fee.
//!
//! | module | what is in it |
//! |---|---|
//! | [`generator`] | the handle: prepare, run, and control while it runs |
//! | [`config`] | its settings |
//! | [`accounts`], [`objects`] | who takes part, and what they own on the ledger |
//! | [`lane`] | Sequences and Tickets of one account, several in flight |
//! | [`capacity`] | how much load a number of accounts can carry |
//! | [`lanes`] | who could send now, and why the others could not |
//! | [`catalogue`], [`intent`] | what is sent, and deliberately invalid variants of it |
//! | [`fees`], [`pacing`], [`pressure`] | what it pays, when it goes out, and when it waits for the node |
//! | [`engine`] | all of that together, without input and output |
//! | [`stats`] | what it did |

pub mod accounts;
pub mod capacity;
pub mod catalogue;
pub mod config;
mod driver;
pub mod engine;
pub mod error;
pub mod fees;
mod funding;
pub mod generator;
pub mod intent;
pub mod lane;
pub mod lanes;
pub mod objects;
pub mod pacing;
pub mod pressure;
mod reading;
pub mod stats;

pub use capacity::Capacity;
pub use config::{Funding, GeneratorConfig};
pub use error::GeneratorError;
pub use fees::FeeStrategy;
pub use generator::{Asked, Generator, Progress};
pub use pacing::Pace;
pub use stats::{AccountListing, GatewayListing, Stats, Status};
