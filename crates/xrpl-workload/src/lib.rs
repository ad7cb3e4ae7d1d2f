//! Drives an XRP Ledger node with real transactions and follows each to its proven end.
//!
//! | module | what is in it |
//! |---|---|
//! | [`settings`], [`config`] | every setting once; flags over environment over file over defaults |
//! | [`scenario`], [`reads`], [`limits`] | what a run does, stage by stage; what is read beside; what it must keep to |
//! | [`cli`] | the command line, one file per command |
//! | [`session`], [`parts`], [`stores`], [`host`], [`embedded`] | a run put together: node, store, tracker, generator, API, and their end |
//! | [`steering`] | who sets the load's pace |
//! | [`api`] | the HTTP API, one file per group of routes |
//! | [`definitions`] | what the run knows of types and fields, and what of it is new |
//! | [`findings_file`] | what nodes did that they must not, in a file |
//! | [`events`] | what happens, in order, kept for a while: what `/events` sends |
//! | [`counts`] | counters told apart: earlier starts, preparation, load |
//! | [`meter`], [`observe`], [`metrics`] | what is measured over time; what the page draws; Prometheus text |
//! | [`figures`] | what a run or a stage comes to: figures that have a name |
//! | [`record`], [`recorder`], [`archive`] | a run's record: what it is, how it is made, where it is found |
//! | [`ab`] | two nodes under the same load, and their comparison |
//! | [`capacity`], [`knee`] | the search for the highest rate that a network holds; what it found |
//! | [`report`], [`compare`], [`words`] | a record for people; two of them side by side; numbers as people read them |
//! | [`dashboard`] | the page's files |
//! | [`audit`] | a store compared with the ledger, both ways |
//! | [`doctor`] | nodes looked at before a run: what would get in its way, and how to fix it |
//! | [`shadow`] | a node's ledgers executed once more, and compared |
//! | [`heartbeat`], [`dex`] | a canary per ledger; pools and offers of the run |
//! | [`webhook`] | each end posted to somebody else |
//! | [`log_ring`] | the newest lines of the log, without secrets |
//! | [`view`], [`summary`], `output` | what a run prints while it goes on and at its end, and whether it arrives |

pub mod ab;
pub mod api;
pub mod archive;
pub mod audit;
pub mod capacity;
pub mod cli;
pub mod compare;
pub mod config;
mod cost;
pub mod counts;
pub mod dashboard;
pub mod definitions;
pub mod dex;
pub mod doctor;
pub mod embedded;
pub mod events;
pub mod figures;
pub mod findings_file;
pub mod heartbeat;
pub mod host;
pub mod knee;
pub mod limits;
pub mod log_ring;
pub mod meter;
pub mod metrics;
pub mod observe;
mod output;
pub mod parts;
pub mod reads;
pub mod record;
pub mod recorder;
pub mod report;
pub mod scenario;
pub mod session;
pub mod settings;
pub mod shadow;
pub mod steering;
pub mod stores;
pub mod summary;
pub mod types;
pub mod view;
pub mod webhook;
pub mod words;
