//! Generates XRP Ledger load, and keeps its own house in order while it does: no transaction of
//! valid intent fails because of the generator, and the same seed gives the same transactions in
//! the same order per account.
//!
//! | module | what is in it |
//! |---|---|
//! | [`generator`] | the handle: prepare, run, and control while it runs |
//! | [`config`] | its settings |
//! | [`accounts`], [`objects`] | who takes part, and what they own on the ledger |
//! | [`lane`] | Sequences and Tickets of one account, several in flight |
//! | [`lanes`] | who could send now, and why the others could not |
//! | [`catalogue`], [`intent`] | what is sent, and deliberately invalid variants of it |
//! | [`fees`], [`pacing`] | what it pays, and when it goes out |
//! | [`engine`] | all of that together, without input and output |
//! | [`stats`] | what it did |

pub mod accounts;
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
mod reading;
pub mod stats;

pub use config::{Funding, GeneratorConfig};
pub use error::GeneratorError;
pub use fees::FeeStrategy;
pub use generator::{Asked, Generator, Progress};
pub use pacing::Pace;
pub use stats::{AccountListing, GatewayListing, Stats, Status};
