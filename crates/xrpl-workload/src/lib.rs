//! Drives an XRP Ledger node with real transactions and follows each to its proven end.
//!
//! | module | what is in it |
//! |---|---|
//! | [`settings`], [`config`] | every setting once; flags over environment over file over defaults |
//! | [`cli`] | the command line, one file per command |

pub mod cli;
pub mod config;
pub mod settings;
