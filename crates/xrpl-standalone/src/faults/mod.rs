//! Misbehaviour on purpose: a plan of faults from a seed, and a small network that follows it.
//!
//! | part | what it does |
//! |---|---|
//! | [`Plan`] | what goes wrong, when, on which connections: plain data, printed and read as JSON |
//! | [`Network`] | one node that closes ledgers and others that follow it, reached through links that misbehave |
//! | `branches` | chains besides the network's own, and who stays with them |
//! | `seeded` | which plan a seed stands for |
//! | `received` | every transaction that reached a node, for whoever wants to know afterwards |
//! | `ws`, `http` | such a link: a proxy that knows messages, over pipes in memory and over TCP |
//!
//! All times are tokio's, so that a run under a paused clock takes no time and the same seed gives
//! the same run.

mod branches;
mod gate;
mod http;
mod link;
mod network;
mod plan;
mod received;
mod seeded;
mod ws;

pub use network::{Network, NetworkConfig};
pub use plan::{Action, LinkFault, NodeAction, NodeFault, Plan, Port};
pub use seeded::PlanShape;
