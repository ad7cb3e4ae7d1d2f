//! Drives an XRP Ledger node with real transactions and follows each to its proven end.
//!
//! | module | what is in it |
//! |---|---|
//! | [`settings`], [`config`] | every setting once; flags over environment over file over defaults |
//! | [`cli`] | the command line, one file per command |
//! | [`session`], [`embedded`] | a run put together: node, tracker, generator, API, and their end |
//! | [`api`] | the HTTP API, one file per group of routes |
//! | [`events`] | what happens, in order, kept for a while: what `/events` sends |
//! | [`meter`], [`observe`], [`metrics`] | what is measured over time; what the page draws; Prometheus text |
//! | [`dashboard`] | the page's files |
//! | [`audit`] | a store compared with the ledger, both ways |
//! | [`view`], [`summary`] | what a run prints while it goes on and at its end |

pub mod api;
pub mod audit;
pub mod cli;
pub mod config;
pub mod dashboard;
pub mod embedded;
pub mod events;
pub mod meter;
pub mod metrics;
pub mod observe;
pub mod session;
pub mod settings;
pub mod summary;
pub mod view;
