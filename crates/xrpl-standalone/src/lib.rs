//! An XRP Ledger in one process that answers like xrpld in standalone mode.
//!
//! [`Standalone::builder`] starts one for a test in a line.
//!
//! | module | what is in it |
//! |---|---|
//! | [`ledger`] | closed and open ledgers, state tree, metadata, closing; [`node::Node`] is the core |
//! | [`transactors`] | one file per family of transaction types |
//! | [`txq`] | fee escalation and the transaction queue |
//! | [`faults`] | misbehaviour on purpose, from a seed |
//! | [`shadow`] | executing another node's ledgers once more, and comparing |
//! | [`state`] | a ledger outside the process: its file, JSON, dumps of other servers |
//! | [`server`] | the ports, the close timer, streams; `rpc/` has the methods |

pub mod faults;
pub mod ledger;
pub mod node;
mod paths;
mod rpc;
pub mod server;
pub mod shadow;
pub mod state;
mod streams;
pub mod transactors;
pub mod txq;

pub use server::{
    Begin, Builder, Closing, FaucetConfig, FundedAccount, FundedAccounts, Kind, Refused,
    Standalone, StandaloneConfig, StartError, fork,
};
