//! Checks a node: executes every ledger that it validates once more, on the embedded ledger's rules, and
//! compares results, metadata and hashes (see [`xrpl_standalone::shadow`]).
//!
//! | part | what it does |
//! |---|---|
//! | `node` | reads ledgers, states and entries of the node |
//! | `follow` | one ledger after the other; what to do where that does not go on |
//! | `view` | what came of it, for the API, the page, `/metrics` and the summary |
//! | `beside` | the same beside the load of a run |
//! | `files` | a file for each difference, which replays it alone |

mod beside;
mod files;
mod follow;
mod node;
mod view;

pub(crate) use self::beside::beside;
pub use self::{
    files::CaseFiles,
    follow::{Scope, Stopped, follow},
    view::{ShadowFinding, ShadowState, ShadowView, Step, Watched},
};
