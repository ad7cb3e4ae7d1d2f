//! Workers: a fixed number of tasks that carry transactions to the tracker, or to a node, and come back with the
//! first answer.

use bytes::Bytes;
use tokio::sync::mpsc;
use xrpl_client::Pool;
use xrpl_protocol::TxHash;
use xrpl_tracker::{Error as TrackerError, Submission, Submitted, Tracker};

use super::band::send_untracked;
use crate::fuzz::Mangling;

/// What a worker carries.
pub(super) enum Job {
    /// To the tracker.
    Tracked(Submission),
    /// To a node, for it cannot be tracked.
    Untracked(Bytes, Mangling),
}

/// What a worker comes back with.
pub(super) enum Carried {
    Tracked(Result<Submitted, TrackerError>),
    Untracked(Mangling, Option<String>),
}

/// A worker is back.
pub(super) struct Answered {
    pub(super) worker: usize,
    pub(super) hash: TxHash,
    pub(super) carried: Carried,
}

/// A worker: carries one transaction at a time.
pub(super) async fn carry(
    worker: usize,
    tracker: Tracker,
    pool: Pool,
    mut jobs: mpsc::Receiver<(TxHash, Job)>,
    answers: mpsc::UnboundedSender<Answered>,
) {
    while let Some((hash, job)) = jobs.recv().await {
        let carried = match job {
            Job::Tracked(submission) => Carried::Tracked(tracker.submit(submission).await),
            Job::Untracked(blob, mangling) => {
                Carried::Untracked(mangling, send_untracked(&pool, &blob).await)
            }
        };
        if answers.send(Answered { worker, hash, carried }).is_err() {
            return;
        }
    }
}
