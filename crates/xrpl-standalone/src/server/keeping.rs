//! Keeping the ledger in a file.

use std::{io, sync::Arc, time::Duration};

use tokio::time;
use tokio_util::sync::CancellationToken;
use xrpl_protocol::{Hash256, TxHash};

use super::{Shared, clock::time_of_day};
use crate::state::{Partial, Saved, StateFile};

/// What tells whether there is anything new to write.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    closed: Hash256,
    pending: Vec<TxHash>,
    ahead: u32,
}

/// A file, and what was written to it last.
#[derive(Debug)]
pub(super) struct Kept {
    file: StateFile,
    written: Option<Mark>,
}

impl Kept {
    pub(super) fn new(file: StateFile) -> Self {
        Self { file, written: None }
    }
}

impl Shared {
    /// The ledger and the clock as they are.
    pub(super) fn saved(&self) -> Saved {
        let node = self.node();
        Saved {
            network_id: node.network_id(),
            clock: self.now(),
            clock_ahead: self.clock.ahead(),
            time_of_day: time_of_day(),
            ledgers: node.ledgers().cloned().collect(),
            pending: node.pending(),
        }
    }

    /// Writes the file, if there is one and anything to be written. Blocks.
    pub(super) fn save(&self) -> io::Result<()> {
        let mut kept = self.kept.lock();
        let Some(kept) = &mut *kept else { return Ok(()) };
        if self.is_fork() {
            return Err(io::Error::new(io::ErrorKind::Unsupported, Partial));
        }
        let saved = self.saved();
        let mark = Mark {
            closed: saved.ledgers.last().map_or(Hash256::ZERO, |ledger| ledger.header.hash),
            pending: saved.pending.iter().map(|tx| tx.hash).collect(),
            ahead: self.clock.ahead(),
        };
        if kept.written.as_ref() != Some(&mark) {
            kept.file.write(&saved)?;
            kept.written = Some(mark);
        }
        Ok(())
    }
}

/// The same off the runtime's threads.
pub(super) async fn save(shared: Arc<Shared>) -> io::Result<()> {
    tokio::task::spawn_blocking(move || shared.save()).await.map_err(io::Error::other)?
}

/// Writes the file each time the interval has passed, and at the end.
pub(super) async fn keep(
    shared: Arc<Shared>,
    interval: Option<Duration>,
    cancel: CancellationToken,
) {
    loop {
        let pause = async {
            match interval {
                Some(interval) => time::sleep(interval).await,
                None => std::future::pending().await,
            }
        };
        let ends = tokio::select! {
            biased;
            () = cancel.cancelled() => true,
            () = pause => false,
        };
        if let Err(error) = save(Arc::clone(&shared)).await {
            tracing::error!(%error, "the ledger's state could not be written");
        }
        if ends {
            return;
        }
    }
}
